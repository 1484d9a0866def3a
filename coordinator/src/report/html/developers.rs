//! Who committed: the most active as bars, their weeks as a heat map, and the list.

use crate::report::escape::html_name;
use crate::report::html::bars::{self, Bar};
use crate::report::html::heat;
use crate::report::html::section::{nothing, section};
use crate::report::html::table::{self, Column, MAX_ROWS};
use crate::report::model::{DeveloperRow, Report};

const MAX_BARS: usize = 15;

const LEAD: &str = "One name and e-mail, after mailmap, is one developer. These numbers show habits of committing, \
not anyone's worth: see <a href=\"#caution\">how not to use them</a>.";

pub(super) fn render(report: &Report) -> String {
    let all = &report.developers;
    if all.is_empty() {
        return section(
            "developers",
            "Developers",
            "",
            &nothing("No developer has a commit in this window."),
        );
    }
    let bars: Vec<Bar> = all
        .iter()
        .take(MAX_BARS)
        .map(|row| Bar { name: format!("<bdi>{}</bdi>", html_name(&row.name)), value: row.commits })
        .collect();
    let body = format!(
        "<figure>\n<figcaption>Commits, {most} developers</figcaption>\n{bars}</figure>\n{heat}{table}{cut}",
        most = if all.len() > MAX_BARS { format!("the {MAX_BARS} most active") } else { "all".to_owned() },
        bars = bars::render(&bars, "commits"),
        heat = heat::render(report),
        table = table(all),
        cut = table::cut(all.len(), "developers", "developers.csv"),
    );
    section("developers", "Developers", LEAD, &body)
}

fn table(all: &[DeveloperRow]) -> String {
    let columns = [
        Column::Text("Developer"),
        Column::Number("Commits"),
        Column::Number("Active days"),
        Column::Number("Repositories"),
        Column::Number("Lines added"),
        Column::Number("Lines deleted"),
        Column::Number("Files changed"),
        Column::Text("First and last commit"),
    ];
    table::table("Developers, most commits first", &columns, all.iter().take(MAX_ROWS).map(row))
}

fn row(row: &DeveloperRow) -> String {
    let name = html_name(&row.name);
    let email = html_name(&row.email);
    let numbers: String =
        [row.commits, row.active_days, row.repositories, row.additions, row.deletions, row.files_changed]
            .into_iter()
            .map(|n| table::number(Some(n)))
            .collect();
    let days = table::days(row.first_commit_on.as_deref(), row.last_commit_on.as_deref());
    format!(
        "<tr><th scope=\"row\"><bdi>{name}</bdi><small><bdi>{email}</bdi></small></th>{numbers}{days}</tr>\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn lists_are_cut_to_their_limits() {
        let text = render(&sample::large(30, 900, 2));
        assert_eq!(text.matches("class=\"track\"").count(), MAX_BARS);
        assert_eq!(text.matches("<small>").count(), MAX_ROWS);
        assert!(text.contains("the 15 most active developers"));
    }

    #[test]
    fn nobody_is_said() {
        assert!(render(&sample::empty()).contains("No developer has a commit in this window."));
    }
}
