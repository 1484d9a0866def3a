//! The report as one HTML page: no font, no image and no request beyond the page itself, so that it can be mailed,
//! archived and opened in ten years. Its content policy says the same to the browser, and allows one script, by its
//! hash: it sorts tables, and the page says everything without it.
//!
//! It is an extract. Tables are cut and say where the rest is, so the page stays small however large the report.

mod bars;
mod calendar;
mod chart;
mod community;
mod coupling;
mod coverage;
mod developers;
mod findings;
mod flow;
mod grid;
mod heat;
mod hotspots;
mod languages;
mod lines;
mod method;
mod multiples;
mod numbers;
mod people;
mod portions;
mod quality;
mod releases;
mod repositories;
mod risk;
mod script;
mod section;
mod sources;
mod stack;
mod table;
mod tiles;
mod treemap;
mod trend;
mod work;

use crate::report::escape::html;
use crate::report::model::{Report, WindowSection};
use crate::report::number::counted;

const STYLE: &str = include_str!("html/style.css");

/// `'unsafe-inline'` allows our own style sheet and the widths of bars; hostile text is escaped and reaches neither.
pub(crate) fn policy() -> String {
    let hash = script::HASH;
    format!(
        "default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'"
    )
}

/// Returns the report as a complete page with a trailing newline. The same report gives the same bytes.
pub fn render(report: &Report) -> String {
    let label = html(&report.window.label);
    let policy = policy();
    let head = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n\
         <title>Git activity: {label}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
         <a class=\"skip\" href=\"#content\">Skip to the numbers</a>\n"
    );
    let sections = [
        findings::render(report),
        trend::render(report),
        work::render(report),
        flow::render(report),
        risk::render(report),
        community::render(report),
        repositories::render(report),
        developers::render(report),
        people::render(report),
        languages::render(report),
        sources::render(report),
        numbers::render(report),
        quality::render(report),
        coverage::render(report),
    ];
    format!(
        "{head}{header}<main id=\"content\">\n{alarm}{tiles}{sections}</main>\n{footer}{script}</body>\n</html>\n",
        header = header(report),
        alarm = alarm(report),
        tiles = tiles::render(report),
        sections = sections.concat(),
        footer = method::render(report),
        script = script::render(),
    )
}

fn header(report: &Report) -> String {
    let window = &report.window;
    let label = html(&window.label);
    let revisions = html(&window.revisions);
    let zone = html(&window.time_zone);
    let as_of = html(&window.as_of);
    let span = span(window);
    format!(
        "<header>\n<p class=\"brand\">gitfleet report</p>\n<h1>Git activity <span>{label}</span></h1>\n\
         <p class=\"meta\"><span>{revisions}</span>{span} <span>days and weeks begin in {zone}</span> <span>as of {as_of}</span></p>\n\
         <nav aria-label=\"Sections\"><a href=\"#findings\">Findings</a> <a href=\"#trend\">Trend</a> \
         <a href=\"#work\">Work</a> <a href=\"#flow\">Flow</a> <a href=\"#risk\">Risk</a> \
         <a href=\"#community\">Community</a> <a href=\"#repositories\">Repositories</a> \
         <a href=\"#developers\">Developers</a> <a href=\"#people\">People</a> \
         <a href=\"#languages\">Languages</a> <a href=\"#source\">Source</a> \
         <a href=\"#quality\">Data quality</a> <a href=\"#coverage\">Coverage</a> \
         <a href=\"#method\">Method</a></nav>\n</header>\n"
    )
}

fn span(window: &WindowSection) -> String {
    // An instant is longer than a reader needs: the day is what the window was asked for with.
    let day = |instant: &str| html(instant.get(..10).unwrap_or(instant)).to_string();
    match (window.from.as_deref(), window.until.as_deref()) {
        (None, None) => String::new(),
        (Some(from), None) => format!(" <span>from {}</span>", day(from)),
        (None, Some(until)) => format!(" <span>before {}</span>", day(until)),
        (Some(from), Some(until)) => format!(" <span>from {}, before {}</span>", day(from), day(until)),
    }
}

fn alarm(report: &Report) -> String {
    match report.coverage.repositories_failed {
        0 => String::new(),
        n => format!(
            "<p class=\"alarm\"><strong>{} could not be analysed.</strong> {} history is absent from every number on \
             this page, not zero. <a href=\"#coverage\">See why</a></p>\n",
            counted(n, "repository", "repositories"),
            if n == 1 { "Its" } else { "Their" },
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{escape, sample};

    /// Walks the tags of a page: every element is closed in order, every attribute is quoted.
    fn check_well_formed(page: &str) {
        const VOID: [&str; 4] = ["meta", "path", "line", "br"];
        let page = page.replace(&script::render(), "");
        let start = page.find("<body>").unwrap();
        let mut open: Vec<&str> = vec!["html"];
        let mut rest = &page[start..];
        while let Some(at) = rest.find('<') {
            let end = at + rest[at..].find('>').expect("a tag ends");
            let tag = &rest[at + 1..end];
            assert_eq!(tag.matches('"').count() % 2, 0, "<{tag}>");
            let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap();
            if tag.starts_with('/') {
                assert_eq!(open.pop(), Some(name), "</{name}> near {}", &rest[..end.min(200)]);
            } else if !VOID.contains(&name) {
                open.push(name);
            }
            rest = &rest[end + 1..];
        }
        assert!(open.is_empty(), "{open:?}");
    }

    #[test]
    fn every_page_is_well_formed() {
        for report in [
            sample::empty(),
            sample::rich(),
            sample::large(1, 1, 1),
            sample::large(2, 2, 2),
            sample::large(90, 40, 6),
        ] {
            check_well_formed(&render(&report));
            assert_eq!(render(&report), render(&report));
        }
    }

    #[test]
    fn the_page_asks_for_nothing() {
        let page = render(&sample::large(90, 40, 6));
        for word in ["<link", "<img", "<iframe", "@import", "url(", "src=", "onload", "onclick"] {
            assert!(!page.contains(word), "{word}");
        }
        assert!(page.contains("default-src 'none'"));
        assert_eq!(page.matches("<script").count(), 1);
        assert_eq!(page.matches("'unsafe-inline'").count(), 1, "for styles alone");
    }

    #[test]
    fn hostile_text_is_shown_and_not_run() {
        let page = render(&sample::rich());
        assert_eq!(page.matches("<script").count(), 1, "our own");
        assert!(!page.contains("<img") && !page.contains("href=\"javascript"));
        assert!(page.contains("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;"));
        assert_eq!(page.chars().find(|c| *c != '\n' && escape::is_hidden(*c)), None);
    }

    #[test]
    fn references_inside_the_page_lead_somewhere() {
        let page = render(&sample::rich());
        for part in page.split("href=\"#").skip(1) {
            let id = part.split('"').next().unwrap();
            assert_eq!(page.matches(&format!("id=\"{id}\"")).count(), 1, "{id}");
        }
        for part in page.split("labelledby=\"").skip(1) {
            for id in part.split('"').next().unwrap().split(' ') {
                assert_eq!(page.matches(&format!("id=\"{id}\"")).count(), 1, "{id}");
            }
        }
    }

    #[test]
    fn the_page_stays_small() {
        let page = render(&sample::large(1_000, 5_000, 600));
        assert!(page.len() < 3_000_000, "{} bytes", page.len());
        assert!(page.contains("all of them are in <code>developers.csv</code>"));
        assert!(page.contains("all of them are in <code>repositories.csv</code>"));
    }

    #[test]
    fn a_hundred_repositories_at_the_caps_stay_below_three_megabytes() {
        let page = render(&sample::at_the_caps());
        assert!(page.len() < 3_000_000, "{} bytes", page.len());
        check_well_formed(&page);
        assert!(page.contains("all of them are in <code>files.csv</code>"));
    }

    #[test]
    fn failures_stand_at_the_top() {
        let page = render(&sample::rich());
        assert!(
            page.find("2 repositories could not be analysed").unwrap()
                < page.find("class=\"tiles\"").unwrap()
        );
        assert!(!render(&sample::empty()).contains("class=\"alarm\""));
    }
}
