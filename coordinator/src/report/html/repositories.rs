//! The repositories with what came of each.

use crate::report::escape::{html, html_name};
use crate::report::html::section::{nothing, section};
use crate::report::html::table::{self, Column, MAX_ROWS};
use crate::report::model::{Conservation, Report, RepositoryRow, RepositoryStatus};
use crate::report::number::{counted, signed};
use crate::report::verdict::{self, LineCheck};

const LEAD: &str = "The line check compares the sum of all changes with the lines at the tip.";

pub(super) fn render(report: &Report) -> String {
    let all = &report.repositories;
    if all.is_empty() {
        return section("repositories", "Repositories", "", &nothing("This batch has no repository."));
    }
    let columns = [
        Column::Text("Repository"),
        Column::Text("Status"),
        Column::Number("Commits"),
        Column::Number("Merges"),
        Column::Number("Developers"),
        Column::Number("Lines added"),
        Column::Number("Lines deleted"),
        Column::Number("Files changed"),
        Column::Text("First and last commit"),
        Column::Text("Line check"),
    ];
    let body = format!(
        "{}{}",
        table::table("Repositories by name", &columns, all.iter().take(MAX_ROWS).map(row)),
        table::cut(all.len(), "repositories", "repositories.csv")
    );
    section("repositories", "Repositories", LEAD, &body)
}

fn row(row: &RepositoryRow) -> String {
    let name = html_name(&row.name);
    let status = verdict::status(row.status);
    let head = format!(
        "<tr><th scope=\"row\"><bdi>{name}</bdi><small><bdi>{origin}</bdi></small></th>\
         <td><span class=\"badge {status}\">{status}</span></td>",
        origin = origin(row)
    );
    if row.status == RepositoryStatus::Failed {
        let reason = html(row.reason.as_deref().unwrap_or("no reason was recorded"));
        return format!("{head}<td class=\"reason\" colspan=\"8\"><bdi>{reason}</bdi></td></tr>\n");
    }
    let numbers: String =
        [row.commits, row.merges, row.developers, row.additions, row.deletions, row.files_changed]
            .into_iter()
            .map(table::number)
            .collect();
    let days = table::days(row.first_commit_on.as_deref(), row.last_commit_on.as_deref());
    format!("{head}{numbers}{days}{}</tr>\n", line_check(row.conservation))
}

/// Returns where the numbers come from: branch and head where they are known, else the source.
fn origin(row: &RepositoryRow) -> String {
    let head = row.head.as_deref().map(|head| html(head.get(..10).unwrap_or(head)).to_string());
    match (&row.branch, head) {
        (Some(branch), Some(head)) => format!("{} at {head}", html_name(branch)),
        (None, Some(head)) => format!("at {head}"),
        _ => html(&row.source).to_string(),
    }
}

fn line_check(conservation: Option<Conservation>) -> String {
    let check = verdict::line_check(conservation);
    let class = match check {
        LineCheck::NotChecked | LineCheck::NotCheckable => "zero",
        LineCheck::Holds => "good",
        LineCheck::Broken => "bad",
    };
    let detail = match (check, conservation) {
        (LineCheck::Broken, Some(law)) => format!(
            "<small>{} changed, {} flipped, {} at tip</small>",
            signed(law.mainline_net_lines),
            signed(law.binary_flip_lines),
            signed(law.tip_lines)
        ),
        (LineCheck::NotCheckable, Some(law)) => {
            format!("<small>{}</small>", counted(law.unknown_files, "unknown file", "unknown files"))
        }
        _ => String::new(),
    };
    format!("<td class=\"check\"><span class=\"{class}\">{}</span>{detail}</td>", check.word())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn a_failed_repository_shows_its_reason_and_no_numbers() {
        let report = sample::rich();
        let failed = report.repositories.iter().find(|row| row.status == RepositoryStatus::Failed).unwrap();
        let text = row(failed);
        assert!(text.contains("<span class=\"badge failed\">failed</span>"));
        assert!(text.contains("object 12ab is corrupt &lt;script&gt;"));
        assert!(!text.contains("class=\"n"));
    }

    #[test]
    fn a_broken_line_check_shows_its_numbers() {
        let text = render(&sample::rich());
        assert!(
            text.contains("<span class=\"bad\">broken</span><small>-7 changed, 0 flipped, 12 at tip</small>")
        );
    }

    #[test]
    fn no_repository_is_said() {
        assert!(render(&sample::empty()).contains("This batch has no repository."));
    }
}
