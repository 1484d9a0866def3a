//! When what was released: a line for each repository, a dot for each release.

use chrono::NaiveDate;

use crate::report::escape::html_name;
use crate::report::html::chart;
use crate::report::model::Report;
use crate::report::number::{counted, grouped};
use crate::report::tables::DeploymentRow;

const MAX_REPOSITORIES: usize = 20;
/// Beyond it dots cover each other.
const MAX_DOTS: usize = 150;

pub(super) fn render(report: &Report) -> String {
    let mut rows: Vec<(&str, Vec<(NaiveDate, &DeploymentRow)>)> = Vec::new();
    for row in &report.tables.deployments {
        let Some(day) = day(row) else { continue };
        match rows.iter_mut().find(|(name, _)| *name == row.repository) {
            Some((_, releases)) => releases.push((day, row)),
            None => rows.push((&row.repository, vec![(day, row)])),
        }
    }
    // Stable: equals stay in their order.
    rows.sort_by_key(|(_, releases)| std::cmp::Reverse(releases.len()));
    let n_all = rows.len();
    rows.truncate(MAX_REPOSITORIES);
    for (_, releases) in &mut rows {
        releases.truncate(MAX_DOTS);
    }
    let days = || rows.iter().flat_map(|(_, releases)| releases).map(|(day, _)| *day);
    let (Some(first), Some(last)) = (days().min(), days().max()) else {
        return String::new();
    };
    let lines: String = rows.iter().map(|(name, releases)| line(name, releases, first, last)).collect();
    let cut = match n_all {
        n if n > MAX_REPOSITORIES => {
            format!(" The {MAX_REPOSITORIES} with most releases of {}.", grouped(n as u64))
        }
        _ => String::new(),
    };
    format!(
        "<figure>\n<figcaption>Releases <span class=\"key release\">release</span> <span class=\"key failed\">followed by \
         a repair</span></figcaption>\n<p class=\"lead\">Each dot is a tag, at most the newest {MAX_DOTS} of a \
         repository.{cut}</p>\n<div class=\"timeline\" role=\"img\" aria-label=\"Releases over time; the table below has \
         them\">\n{lines}<div class=\"x\" aria-hidden=\"true\">{labels}</div>\n</div>\n</figure>\n",
        labels = chart::x_labels(&[first, last]),
    )
}

/// Returns the day of a release, where it is one that a picture can hold.
pub(super) fn day(row: &DeploymentRow) -> Option<NaiveDate> {
    let day: NaiveDate = row.released_at.as_deref()?.get(..10)?.parse().ok()?;
    let plausible = NaiveDate::from_ymd_opt(1990, 1, 1)?..NaiveDate::from_ymd_opt(2100, 1, 1)?;
    plausible.contains(&day).then_some(day)
}

fn line(name: &str, releases: &[(NaiveDate, &DeploymentRow)], first: NaiveDate, last: NaiveDate) -> String {
    let span = (last - first).num_days().max(1) as f64;
    let dots: String = releases
        .iter()
        .rev()
        .map(|(day, row)| {
            let left = (*day - first).num_days() as f64 / span * 100.0;
            let class = if row.failure.is_some() { "failed" } else { "release" };
            let commits = counted(row.commits, "commit", "commits");
            format!(
                "<i class=\"{class}\" style=\"left:{left:.1}%\" title=\"{}, {day}: {commits}\"></i>",
                html_name(&row.tag)
            )
        })
        .collect();
    format!("<div><b><bdi>{}</bdi></b><span>{dots}</span></div>\n", html_name(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn releases_with_a_plausible_day_are_drawn() {
        assert_eq!(render(&sample::rich()).matches(" title=").count(), 1);
        assert!(render(&sample::large(90, 20, 6)).contains("<i class=\"failed\""));
        assert_eq!(render(&sample::empty()), "");
    }
}
