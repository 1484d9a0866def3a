//! Two maps of the source files of a repository: where complicated code changes often, and where one person holds it.

use gitfleet_shared::metrics::share::Ratio;

use crate::report::escape::html_name;
use crate::report::html::heat::SHADES;
use crate::report::html::treemap::{self, Tile};
use crate::report::model::Report;
use crate::report::number::{counted, grouped};
use crate::report::shown;
use crate::report::subjects;
use crate::report::tables::FileRow;

const MAX_REPOSITORIES: usize = 24;
/// Smaller boxes could neither be seen nor pointed at.
const MAX_FILES: usize = 50;

pub(super) fn render(report: &Report) -> String {
    let names =
        subjects::repositories(report, |name| report.tables.files.iter().any(|row| row.repository == name));
    let maps: String =
        names.iter().take(MAX_REPOSITORIES).enumerate().map(|(i, name)| maps(report, name, i)).collect();
    if maps.is_empty() {
        return String::new();
    }
    let cut = match names.len() {
        n if n > MAX_REPOSITORIES => format!(
            "<p class=\"note\">Drawn for the {MAX_REPOSITORIES} repositories with most commits of {}; the files of all are \
             in <code>files.csv</code>.</p>\n",
            grouped(n as u64)
        ),
        _ => String::new(),
    };
    format!(
        "<h3>Source files: hotspots and single ownership</h3>\n<p class=\"lead\">A box is a file, its area the lines. A strong \
         colour among the hotspots is complicated and often changed: a place to look, not a defect. A strong colour \
         beside them has most of its commits from one person: a risk of the system, not a merit of anyone.</p>\n\
         <div class=\"tabs\">\n{maps}</div>\n{cut}"
    )
}

fn maps(report: &Report, name: &str, i: usize) -> String {
    let mut files: Vec<&FileRow> = report.tables.files.iter().filter(|row| row.repository == name).collect();
    files.sort_by(|a, b| (b.lines, &a.path).cmp(&(a.lines, &b.path)));
    let listed = files.len();
    files.truncate(MAX_FILES);
    let title = html_name(name).to_string();
    let map = |class: &str, label: &str, shade: fn(&FileRow) -> u32, tip: fn(&FileRow) -> String| {
        let tiles: Vec<Tile> = files.iter().map(|file| tile(file, shade(file), &tip(file))).collect();
        treemap::render(class, &format!("{label} of {title}"), &tiles)
    };
    let hot = map("hot", "Hotspots", |file| shade(file.hotspot_score), hot_tip);
    let own = map("own", "Single ownership", |file| shade(file.owner_share), own_tip);
    let note = match listed - files.len() {
        0 => String::new(),
        _ => format!(
            "<p class=\"note\">The {MAX_FILES} largest of {} listed.</p>\n",
            counted(listed as u64, "file", "files")
        ),
    };
    let open = if i == 0 { " open" } else { "" };
    format!(
        "<details name=\"files\"{open}>\n<summary><bdi>{title}</bdi></summary>\n<div class=\"pair\">\n<figure>\n\
         <figcaption>Hotspots</figcaption>\n{hot}</figure>\n<figure>\n<figcaption>Single ownership</figcaption>\n{own}\
         </figure>\n</div>\n{note}</details>\n"
    )
}

fn tile(file: &FileRow, shade: u32, tip: &str) -> Tile {
    let name = file.path.rsplit('/').next().unwrap_or(&file.path);
    Tile {
        size: file.lines,
        name: format!("<bdi>{}</bdi>", html_name(name)),
        tip: format!("{}: {}{tip}", html_name(&file.path), counted(file.lines, "line", "lines")),
        shade,
    }
}

fn hot_tip(file: &FileRow) -> String {
    let score = file
        .hotspot_score
        .map_or("not changed in the window".to_owned(), |score| format!("score {}", shown::decimal(score)));
    format!(", {}, {score}", counted(file.revisions, "change", "changes"))
}

fn own_tip(file: &FileRow) -> String {
    let share = file.owner_share.map_or(shown::UNKNOWN.to_owned(), shown::percent);
    match &file.owner {
        Some(owner) => format!(", {share} of commits by {}", html_name(owner)),
        None => format!(", {share} of commits by one person"),
    }
}

/// Returns the fifth of the way from 0 to 1, 0 where nothing is known.
fn shade(share: Option<Ratio>) -> u32 {
    let Some(share) = share else { return 0 };
    let fifths = share.ten_thousandths().saturating_mul(i64::from(SHADES)).saturating_add(9_999) / 10_000;
    fifths.clamp(1, i64::from(SHADES)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn each_repository_has_both_maps() {
        let text = render(&sample::large(60, 20, 6));
        assert_eq!(text.matches("class=\"treemap hot\"").count(), 5);
        assert_eq!(text.matches("class=\"treemap own\"").count(), 5);
        assert_eq!(text.matches("<details name=\"files\" open>").count(), 1);
        assert_eq!(render(&sample::empty()), "");
    }

    #[test]
    fn shades_are_fifths() {
        let of = |n| shade(Some(Ratio::from_ten_thousandths(n)));
        assert_eq!((of(0), of(2_000), of(2_001), of(10_000), shade(None)), (1, 1, 2, 5, 0));
        assert_eq!((of(i64::MAX), of(i64::MIN)), (5, 1));
    }
}
