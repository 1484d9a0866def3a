//! Every number of every group, for whoever looks for one.

use crate::report::html::grid;
use crate::report::html::section::section;
use crate::report::model::Report;
use crate::report::row::Table;

pub(super) fn render(report: &Report) -> String {
    let tables = &report.tables;
    let lists: String = [
        Table::of(
            "groups",
            "Activity and work by organisation, project, team and repository",
            &tables.groups,
        ),
        Table::of("group_weeks", "The same by week", &tables.group_weeks),
        Table::of("metrics", "Every metric that is one number", &tables.metrics),
    ]
    .iter()
    .map(grid::render)
    .collect();
    if lists.is_empty() {
        return String::new();
    }
    let lead = "Point at a header to read what a column counts, click on it to sort.";
    section("numbers", "All numbers", lead, &lists)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn every_table_of_the_report_is_on_the_page() {
        let page = crate::report::html::render(&sample::large(60, 20, 6));
        let n_tables = sample::empty().tables.all().len();
        // Findings are cards; weeks, repositories, failures, developers, languages and both totals have tables beside.
        assert_eq!(page.matches("<table class=\"sortable").count(), n_tables - 1 + 6);
        assert_eq!(render(&sample::empty()), "");
    }
}
