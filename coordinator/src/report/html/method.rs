//! The foot of the page: how the numbers were made, and how not to use them.

use crate::report::caution::CAUTION;
use crate::report::escape::html;
use crate::report::model::Report;

pub(super) fn render(report: &Report) -> String {
    let method = &report.method;
    let conventions: String = method
        .conventions
        .iter()
        .map(|convention| {
            format!("<div><dt>{}</dt><dd>{}</dd></div>\n", html(&convention.topic), html(&convention.rule))
        })
        .collect();
    let conventions = match conventions.as_str() {
        "" => String::new(),
        items => format!("<dl class=\"conventions\">\n{items}</dl>\n"),
    };
    format!(
        "<footer id=\"method\">\n<h2>Method</h2>\n<p class=\"caution\" id=\"caution\"><strong>How not to use these \
         numbers.</strong> {CAUTION}</p>\n{conventions}<p class=\"note\">Method version {}, facts version {}, schema \
         version {}. How each repository was read, with its head, what was skipped and the times, is in \
         <a href=\"manifest.json\">manifest.json</a> beside this page.</p>\n</footer>\n",
        method.method_version, method.facts_version, report.schema_version
    )
}
