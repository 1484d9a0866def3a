//! People, bots and agents apart, and what a human should decide about them.

use std::collections::BTreeMap;

use crate::report::escape::html_name;
use crate::report::html::grid;
use crate::report::html::portions::{self, Portion};
use crate::report::html::section::{nothing, section};
use crate::report::model::Report;
use crate::report::number::counted;
use crate::report::row::Table;

const LEAD: &str = "Names and addresses joined to people, each link with its reason. There is no score and no rank: \
commits and lines are for the person and for an audit. See <a href=\"#caution\">how not to use them</a>.";

pub(super) fn render(report: &Report) -> String {
    let tables = &report.tables;
    if tables.people.is_empty() && tables.open_identities.is_empty() {
        let why = "No person is named: nobody has a commit here, or names are withheld.";
        return section("people", "People", "", &nothing(why));
    }
    let open = if tables.open_identities.is_empty() {
        String::new()
    } else {
        let table = Table::of("open_identities", "Identities that wait for a human", &tables.open_identities);
        format!("<h3>To decide</h3>\n{}", grid::open(&table))
    };
    let body = format!(
        "{}{open}{}{}",
        classes(report),
        grid::render(&Table::of("people", "People, bots and agents, most commits first", &tables.people)),
        grid::render(&Table::of("identities", "Which name and e-mail is who, and why", &tables.identities)),
    );
    section("people", "People", LEAD, &body)
}

fn classes(report: &Report) -> String {
    let mut commits: BTreeMap<&str, u64> = BTreeMap::new();
    let mut people: BTreeMap<&str, u64> = BTreeMap::new();
    for row in &report.tables.people {
        let sum = commits.entry(&row.class).or_default();
        *sum = sum.saturating_add(row.commits);
        *people.entry(&row.class).or_default() += 1;
    }
    let mut portions: Vec<Portion> = commits
        .into_iter()
        .map(|(class, value)| {
            let name = match (class, people[class]) {
                ("human", n) => counted(n, "person", "people"),
                ("bot", n) => counted(n, "bot", "bots"),
                ("agent", n) => counted(n, "AI agent", "AI agents"),
                (other, n) => format!("{n} of class {}", html_name(other)),
            };
            Portion { name, value }
        })
        .collect();
    portions.sort_by(|a, b| b.value.cmp(&a.value).then_with(|| a.name.cmp(&b.name)));
    if portions.is_empty() {
        return String::new();
    }
    format!(
        "<figure>\n<figcaption>Commits by who made them</figcaption>\n{}</figure>\n",
        portions::with_legend(&portions)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn machines_are_shown_apart() {
        let text = render(&sample::large(60, 40, 3));
        assert!(text.contains("38 people") && text.contains("1 bot") && text.contains("1 AI agent"));
        assert!(text.contains("<h3>To decide</h3>"));
        assert!(render(&sample::empty()).contains("names are withheld"));
    }
}
