//! Commits of each repository as a small line, all of them on the same time and each on a height of its own.

use std::collections::BTreeMap;

use crate::report::escape::html_name;
use crate::report::model::Report;
use crate::report::number::{counted, grouped};
use crate::report::subjects;
use crate::report::timeline;

const MAX_REPOSITORIES: usize = 24;
/// A small picture has no room for more.
const MAX_POINTS: usize = 104;

pub(super) fn render(report: &Report) -> String {
    let timeline = timeline::timeline(&report.weeks);
    let n = timeline.points.len();
    if n < 2 {
        return String::new();
    }
    let per = n.div_ceil(MAX_POINTS);
    let mut lines: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    for row in report.tables.group_weeks.iter().filter(|row| row.scope == "repository") {
        let Some(place) = timeline.place(&row.week) else { continue };
        // The last point holds its full number of weeks: a short one would look like a decline.
        let point = n.div_ceil(per) - 1 - (n - 1 - place) / per;
        let line = lines.entry(&row.subject).or_insert_with(|| vec![0; n.div_ceil(per)]);
        line[point] = line[point].saturating_add(row.commits);
    }
    let names = subjects::repositories(report, |name| lines.contains_key(name));
    if names.len() < 2 {
        return String::new();
    }
    let items: String = names.iter().take(MAX_REPOSITORIES).map(|name| item(name, &lines[name])).collect();
    let cut = match names.len() {
        all if all > MAX_REPOSITORIES => {
            format!(" The {MAX_REPOSITORIES} with most commits of {}.", grouped(all as u64))
        }
        _ => String::new(),
    };
    format!(
        "<figure>\n<figcaption>Commits by repository</figcaption>\n<p class=\"lead\">All over the same time, each on a \
         height of its own.{cut}</p>\n<ul class=\"multiples\">\n{items}</ul>\n</figure>\n"
    )
}

fn item(name: &str, line: &[u64]) -> String {
    let highest = line.iter().copied().max().unwrap_or(0).max(1);
    let last = (line.len() - 1).max(1);
    let points: String = line
        .iter()
        .enumerate()
        .map(|(i, commits)| {
            let x = i as f64 / last as f64 * 100.0;
            let y = 30.0 - *commits as f64 / highest as f64 * 28.0;
            format!("{}{x:.1} {y:.1}", if i == 0 { 'M' } else { 'L' })
        })
        .collect();
    let all = line.iter().fold(0_u64, |sum, commits| sum.saturating_add(*commits));
    format!(
        "<li><span><bdi>{name}</bdi></span><svg viewBox=\"0 0 100 30\" preserveAspectRatio=\"none\" aria-hidden=\"true\">\
         <path class=\"area commits\" d=\"{points}L100 30L0 30Z\"/><path class=\"line commits\" d=\"{points}\"/></svg>\
         <small>{}</small></li>\n",
        counted(all, "commit", "commits"),
        name = html_name(name),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn every_repository_with_commits_has_its_line() {
        assert_eq!(render(&sample::large(90, 20, 6)).matches("<li>").count(), 5);
        let text = render(&sample::at_the_caps());
        assert_eq!(text.matches("<li>").count(), MAX_REPOSITORIES);
        assert!(text.contains("The 24 with most commits of 99."));
        assert_eq!(render(&sample::empty()), "");
    }
}
