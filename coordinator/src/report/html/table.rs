//! Tables that scroll inside their frame, so that a wide one does not move the page on a phone.

use crate::report::escape::html;
use crate::report::number::grouped;

/// Enough to browse; whoever wants all rows wants a file.
pub(super) const MAX_ROWS: usize = 200;

pub(super) enum Column {
    Text(&'static str),
    Number(&'static str),
}

/// Returns a table with the caption for those who cannot see it. Each row is a finished `<tr>`.
pub(super) fn table(caption: &str, columns: &[Column], rows: impl Iterator<Item = String>) -> String {
    let header: String = columns
        .iter()
        .map(|column| match column {
            Column::Text(title) => format!("<th scope=\"col\">{title}</th>"),
            Column::Number(title) => format!("<th scope=\"col\" class=\"n\">{title}</th>"),
        })
        .collect();
    let rows: String = rows.collect();
    format!(
        "<div class=\"scroll\" role=\"region\" aria-label=\"{caption}\" tabindex=\"0\">\n<table class=\"sortable\">\n\
         <caption>{caption}</caption>\n<thead><tr>{header}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table>\n</div>\n"
    )
}

/// Returns a cell with a number; a zero stands back, unknown says so.
pub(super) fn number(n: Option<u64>) -> String {
    match n {
        None => "<td class=\"n zero\">unknown</td>".to_owned(),
        Some(0) => "<td class=\"n zero\">0</td>".to_owned(),
        Some(n) => format!("<td class=\"n\">{}</td>", grouped(n)),
    }
}

/// Returns a cell with the first and the last day, as far as they are known.
pub(super) fn days(first: Option<&str>, last: Option<&str>) -> String {
    let text = match (first, last) {
        (None, None) => "<span class=\"zero\">none</span>".to_owned(),
        (first, last) => {
            let unknown = "unknown";
            format!("{} <br>{}", html(first.unwrap_or(unknown)), html(last.unwrap_or(unknown)))
        }
    };
    format!("<td class=\"days\">{text}</td>")
}

/// Returns the line that says what was cut and where it is; nothing where nothing was cut.
pub(super) fn cut(n_all: usize, noun: &str, file: &str) -> String {
    if n_all <= MAX_ROWS {
        return String::new();
    }
    let all = grouped(n_all as u64);
    format!(
        "<p class=\"note\">The first {MAX_ROWS} of {all} {noun}; all of them are in <code>{file}</code> and in the \
         JSON report.</p>\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_cut_is_told() {
        assert_eq!(cut(MAX_ROWS, "developers", "developers.csv"), "");
        assert!(cut(5_000, "developers", "developers.csv").contains("The first 200 of 5,000 developers"));
    }

    #[test]
    fn unknown_differs_from_zero() {
        assert_eq!(number(Some(1_234)), "<td class=\"n\">1,234</td>");
        assert_ne!(number(Some(0)), number(None));
    }
}
