//! What kind of work is done, and how much of it names a ticket.

use chrono::NaiveDate;

use crate::report::escape::html_name;
use crate::report::html::chart::{self, Along, Chart, Series, Side};
use crate::report::html::grid;
use crate::report::html::portions::{self, Portion};
use crate::report::html::section::{nothing, section};
use crate::report::html::stack::{self, Band, Stack, Whole};
use crate::report::model::Report;
use crate::report::number::{counted, grouped, percent};
use crate::report::row::Table;
use crate::report::tables::GroupRow;
use crate::report::timeline::{self, Timeline};

const LEAD: &str = "Rules read what each message says. About one commit in four is put into the wrong kind, so shares of \
many commits tell something and a single commit does not.";

pub(super) fn render(report: &Report) -> String {
    let tables = &report.tables;
    let weeks = Weeks::of(report);
    let lists = [
        Table::of("categories", "Commits by category", &tables.categories),
        Table::of("tickets", "Tickets that commits name, most commits first", &tables.tickets),
        Table::of(
            "untracked_commits",
            "Commits that should name a ticket, largest first",
            &tables.untracked_commits,
        ),
        Table::of("reverts", "Reverts, newest first", &tables.reverts),
    ];
    let lists: String = lists.iter().map(grid::render).collect();
    let body = format!("{}{}{}{lists}", mix(&weeks), categories(report), coverage(&weeks));
    if body.is_empty() {
        return section(
            "work",
            "Work",
            "",
            &nothing("Nothing is known of the kinds of work in this window."),
        );
    }
    section("work", "Work", LEAD, &body)
}

/// The weeks of the organisation, joined to the points of a chart.
pub(super) struct Weeks {
    pub(super) timeline: Timeline,
    pub(super) days: Vec<NaiveDate>,
    pub(super) rows: Vec<(usize, GroupRow)>,
}

impl Weeks {
    pub(super) fn of(report: &Report) -> Self {
        let timeline = timeline::timeline(&report.weeks);
        let of_all = report.tables.group_weeks.iter().filter(|row| row.scope == "organisation");
        let rows = of_all.filter_map(|row| Some((timeline.place(&row.week)?, row.clone()))).collect();
        Self { days: timeline.days(), timeline, rows }
    }

    /// Returns the sum of a count at each point.
    pub(super) fn sums(&self, count: impl Fn(&GroupRow) -> u64) -> Vec<u64> {
        let mut sums = vec![0_u64; self.days.len()];
        for (place, row) in &self.rows {
            sums[*place] = sums[*place].saturating_add(count(row));
        }
        sums
    }

    /// Returns what a point is called.
    pub(super) fn label(&self, place: usize) -> String {
        let day = self.days[place].format("%-d %b %Y");
        match self.timeline.weeks_per_point {
            1 => format!("Week of {day}"),
            n => format!("{n} weeks from {day}"),
        }
    }
}

fn mix(weeks: &Weeks) -> String {
    let bands: Vec<Band> = [
        ("New function", "c0", weeks.sums(|row| row.adaptive)),
        ("Upkeep", "c2", weeks.sums(|row| row.perfective)),
        ("Repairs", "c1", weeks.sums(|row| row.corrective)),
        ("Of no known kind", "c8", weeks.sums(|row| row.unclassified)),
    ]
    .into_iter()
    .map(|(name, class, values)| Band { name: name.to_owned(), class: class.to_owned(), values })
    .collect();
    let tips = (0..weeks.days.len())
        .map(|i| {
            let all: u64 = bands.iter().fold(0, |sum, band| sum.saturating_add(band.values[i]));
            let parts: Vec<String> = bands
                .iter()
                .filter(|band| band.values[i] > 0)
                .map(|band| format!("{} {}", band.name.to_lowercase(), percent(band.values[i], all)))
                .collect();
            format!("{}: {} of {}", weeks.label(i), parts.join(", "), counted(all, "commit", "commits"))
        })
        .collect();
    let total = |i: usize| bands[i].values.iter().fold(0_u64, |sum, n| sum.saturating_add(*n));
    let all = (0..bands.len()).fold(0_u64, |sum, i| sum.saturating_add(total(i)));
    let parts: Vec<String> = bands
        .iter()
        .enumerate()
        .map(|(i, band)| format!("{}: {}", band.name, percent(total(i), all)))
        .collect();
    let chart = stack::render(&Stack {
        id: "mix-chart".to_owned(),
        title: "Work mix over time",
        description: format!("{}.", parts.join(", ")),
        bands,
        days: &weeks.days,
        tips,
        whole: Whole::Hundred,
    });
    match chart.as_str() {
        "" => String::new(),
        chart => format!("<figure>\n<figcaption>Work mix, share of commits</figcaption>\n{chart}</figure>\n"),
    }
}

fn categories(report: &Report) -> String {
    let of_all = report.tables.categories.iter().filter(|row| row.scope == "organisation");
    let portions: Vec<Portion> = of_all
        .map(|row| Portion { name: format!("<bdi>{}</bdi>", html_name(&row.category)), value: row.commits })
        .collect();
    if portions.is_empty() {
        return String::new();
    }
    format!(
        "<figure>\n<figcaption>Categories, share of commits</figcaption>\n{}</figure>\n",
        portions::with_legend(&portions)
    )
}

fn coverage(weeks: &Weeks) -> String {
    let (covered, eligible) = (weeks.sums(|row| row.ticket_covered), weeks.sums(|row| row.ticket_eligible));
    // No week has as many commits that a hundred times of them would not fit.
    let share = |i: usize| covered[i].min(eligible[i]).saturating_mul(100).checked_div(eligible[i]);
    let values: Vec<Option<u64>> = (0..eligible.len()).map(share).collect();
    if covered.iter().all(|n| *n == 0) {
        return String::new();
    }
    let tips = (0..values.len())
        .map(|i| match values[i] {
            Some(share) => {
                let of = format!("{} of {}", grouped(covered[i]), counted(eligible[i], "commit", "commits"));
                format!("{}: {share}%, {of}", weeks.label(i))
            }
            None => format!("{}: no commit that should name one", weeks.label(i)),
        })
        .collect();
    let chart = Chart {
        id: "tickets-chart",
        title: "Ticket coverage over time",
        description: "Share of commits that name a ticket, of those that should.".to_owned(),
        series: vec![Series { class: "additions", side: Side::Up, values }],
        along: Along::Days(&weeks.days),
        suffix: "%",
        tips,
    };
    format!(
        "<figure>\n<figcaption>Ticket coverage</figcaption>\n{}<p class=\"note\">Of commits that should name a ticket: no \
         merge, bot or release. A low share is often the merge policy: a number behind a hash may be a pull request \
         and is counted apart.</p>\n</figure>\n",
        chart::render(&chart)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn mix_and_coverage_are_drawn() {
        let text = render(&sample::large(90, 20, 6));
        assert_eq!(text.matches("<path class=\"band").count(), 4);
        assert!(text.contains("Ticket coverage over time"));
        assert!(render(&sample::empty()).contains("Nothing is known"));
    }

    #[test]
    fn weeks_far_off_are_left_out() {
        let weeks = Weeks::of(&sample::rich());
        assert_eq!(weeks.sums(|row| row.commits), [300, 0, 900]);
        assert_eq!(weeks.label(0), "Week of 28 Sep 2026");
    }
}
