//! Where a loss would hurt: truck factor, hotspots, ownership, coupling, the age of the code.

use crate::report::escape::html_name;
use crate::report::html::bars::{self, Bar};
use crate::report::html::section::{nothing, section};
use crate::report::html::{coupling, grid, hotspots, lines};
use crate::report::model::Report;
use crate::report::number::grouped;
use crate::report::row::Table;
use crate::report::subjects;

const MAX_BARS: usize = 24;

const LEAD: &str = "Risks of the system and not merits of people. A truck factor is an estimate: how few people would \
have to leave before more than half of the files have no author left (Avelino and others, 2016).";

pub(super) fn render(report: &Report) -> String {
    let tables = &report.tables;
    let lists: String = [
        Table::of("files", "Hottest and largest source files of each repository", &tables.files),
        Table::of("components", "Ownership and relative churn by top directory", &tables.components),
        Table::of("truck_factor", "Truck factor, person by person", &tables.truck_factor),
        Table::of("coupling", "What changes together, strongest first", &tables.coupling),
        Table::of("entropy_weeks", "Entropy of change by repository and week", &tables.entropy_weeks),
        Table::of("survival", "Survival of lines by age", &tables.survival),
        Table::of("burndown", "Lines by quarter of writing, at the end of each quarter", &tables.burndown),
    ]
    .iter()
    .map(grid::render)
    .collect();
    let body = format!(
        "{}{}{}{}{lists}",
        truck_factors(report),
        hotspots::render(report),
        coupling::render(report),
        lines::render(report)
    );
    if body.is_empty() {
        return section("risk", "Risk", "", &nothing("Nothing is known of the source files."));
    }
    section("risk", "Risk", LEAD, &body)
}

/// A short bar is the risk, so the shortest come first.
fn truck_factors(report: &Report) -> String {
    let mut known: Vec<(i64, &str)> = report
        .tables
        .metrics
        .iter()
        .filter(|row| row.scope == "repository" && row.metric == "truck_factor" && row.part == "people")
        .filter_map(|row| Some((row.value?.ten_thousandths() / 10_000, row.subject.as_str())))
        .collect();
    known.sort_unstable();
    let bars: Vec<Bar> = known
        .iter()
        .take(MAX_BARS)
        .map(|(people, name)| Bar {
            name: format!("<bdi>{}</bdi>", html_name(name)),
            value: u64::try_from(*people).unwrap_or(0),
        })
        .collect();
    if bars.is_empty() {
        return String::new();
    }
    let of_all = subjects::metric(report, "organisation", "", "truck_factor", "people")
        .map(|people| format!(" Of all files together: {}.", people.ten_thousandths() / 10_000))
        .unwrap_or_default();
    let cut = match known.len() {
        n if n > MAX_BARS => format!(" The {MAX_BARS} lowest of {}.", grouped(n as u64)),
        _ => String::new(),
    };
    format!(
        "<figure>\n<figcaption>Truck factor by repository</figcaption>\n{}<p class=\"note\">People; few is risky.{of_all}\
         {cut}</p>\n</figure>\n",
        bars::render(&bars, "people")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn every_part_is_there() {
        let text = render(&sample::large(90, 20, 6));
        for part in [
            "Truck factor by repository",
            "Hotspots",
            "Across repositories",
            "How long lines live",
            "Lines of source",
        ] {
            assert!(text.contains(part), "{part}");
        }
        assert!(render(&sample::empty()).contains("Nothing is known of the source files."));
    }
}
