//! A line chart over time. The lines are SVG, stretched to the width there is; the labels are HTML beside them, as text
//! inside of a stretched SVG would be stretched with it, or be unreadable on a phone.

use chrono::{Datelike, Months, NaiveDate};

use crate::report::number::{compact, grouped};

/// Width and height of the drawing, in units of the SVG.
const WIDTH: f64 = 1000.0;
const HEIGHT: f64 = 100.0;
/// How far one value may tower above nine tenths of the others before the axis no longer follows it.
const TOWERING: u64 = 5;
/// More labels than this run into each other on a screen.
const MAX_X_LABELS: u32 = 9;
const MAX_NAMED_LABELS: usize = 14;
/// Up to this many points each gets a dot.
const MAX_DOTS: usize = 16;

pub(super) struct Chart<'a> {
    pub(super) id: &'a str,
    pub(super) title: &'a str,
    /// What the picture says, for those who cannot see it.
    pub(super) description: String,
    pub(super) series: Vec<Series>,
    pub(super) along: Along<'a>,
    /// What follows the numbers of the axis, such as "%".
    pub(super) suffix: &'static str,
    /// What each point says when pointed at; plain text without markup.
    pub(super) tips: Vec<String>,
}

/// What the points stand for, evenly spaced.
pub(super) enum Along<'a> {
    /// First day of each point, ascending.
    Days(&'a [NaiveDate]),
    /// A name of each point, without markup.
    Names(&'a [String]),
}

impl Along<'_> {
    fn len(&self) -> usize {
        match self {
            Along::Days(days) => days.len(),
            Along::Names(names) => names.len(),
        }
    }

    fn labels(&self) -> String {
        match self {
            Along::Days(days) => x_labels(days),
            Along::Names(names) => named_labels(names),
        }
    }
}

pub(super) struct Series {
    /// Name of its colour in the style sheet.
    pub(super) class: &'static str,
    pub(super) side: Side,
    /// Nothing where nothing is known: the line has a gap there.
    pub(super) values: Vec<Option<u64>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Up,
    Down,
}

/// Returns the chart as an HTML figure body; nothing where there is no point.
pub(super) fn render(chart: &Chart<'_>) -> String {
    if chart.along.len() == 0 {
        return String::new();
    }
    let scale = Scale::of(&chart.series);
    let Chart { id, title, description, suffix, .. } = chart;
    let ticks = scale.ticks();
    let grid: String = ticks
        .iter()
        .map(|tick| {
            let class = if *tick == 0 { " class=\"zero\"" } else { "" };
            let y = scale.y(*tick);
            format!("<line{class} x1=\"0\" x2=\"{WIDTH}\" y1=\"{y:.2}\" y2=\"{y:.2}\"/>")
        })
        .collect();
    let lines: String = chart.series.iter().map(|series| line(series, &scale)).collect();
    let y_labels: String = ticks
        .iter()
        .map(|tick| {
            format!("<i style=\"top:{:.2}%\">{}{suffix}</i>", scale.y(*tick), compact(tick.unsigned_abs()))
        })
        .collect();
    let marks: String =
        chart.series.iter().map(|series| dots(series, &scale) + &peaks(series, &scale)).collect();
    format!(
        "<div class=\"chart\">\n<div class=\"y\" aria-hidden=\"true\">{y_labels}</div>\n<div class=\"plot\">\n\
         <svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" preserveAspectRatio=\"none\" role=\"img\" \
         aria-labelledby=\"{id}-t {id}-d\"><title id=\"{id}-t\">{title}</title><desc id=\"{id}-d\">{description}</desc>\
         {grid}{lines}</svg>\n{marks}{tips}</div>\n\
         <div class=\"x\" aria-hidden=\"true\">{x_labels}</div>\n</div>\n{cut}",
        tips = tips(&chart.tips),
        x_labels = chart.along.labels(),
        cut = cut_note(chart, &scale),
    )
}

/// A vertical axis in whole steps around zero.
struct Scale {
    step: u128,
    up: u128,
    down: u128,
}

impl Scale {
    fn of(series: &[Series]) -> Self {
        let reach = |side: Side| -> u128 {
            series
                .iter()
                .filter(|series| series.side == side)
                .map(|series| reach(&series.values))
                .max()
                .unwrap_or(0)
        };
        let (up, down) = (reach(Side::Up), reach(Side::Down));
        let step = nice((up + down).div_ceil(4).max(1));
        // An axis without height could not be drawn.
        let up = if up + down == 0 { step } else { up.div_ceil(step) * step };
        Scale { step, up, down: down.div_ceil(step) * step }
    }

    fn ticks(&self) -> Vec<i128> {
        let step = self.step as i128;
        (-(self.down as i128) / step..=self.up as i128 / step).map(|i| i * step).collect()
    }

    fn y(&self, value: i128) -> f64 {
        (self.up as i128 - value) as f64 / (self.up + self.down) as f64 * HEIGHT
    }

    fn limit(&self, side: Side) -> u128 {
        match side {
            Side::Up => self.up,
            Side::Down => self.down,
        }
    }
}

/// Returns the value the axis has to reach: the highest, unless it towers so far that all others would lie flat.
fn reach(values: &[Option<u64>]) -> u128 {
    let mut sorted: Vec<u64> = values.iter().copied().flatten().filter(|n| *n > 0).collect();
    sorted.sort_unstable();
    let (Some(highest), Some(usual)) = (sorted.last(), sorted.get(sorted.len() * 9 / 10)) else {
        return 0;
    };
    if highest / TOWERING > *usual { u128::from(*usual) * 2 } else { u128::from(*highest) }
}

/// Returns the smallest of 1, 2 or 5 times a power of ten that is not below.
pub(super) fn nice(least: u128) -> u128 {
    let mut power = 1;
    loop {
        for factor in [1, 2, 5] {
            if factor * power >= least {
                return factor * power;
            }
        }
        power *= 10;
    }
}

fn x(i: usize, n: usize) -> f64 {
    if n < 2 { WIDTH / 2.0 } else { i as f64 / (n - 1) as f64 * WIDTH }
}

fn line(series: &Series, scale: &Scale) -> String {
    let n = series.values.len();
    let class = series.class;
    let zero = scale.y(0);
    let mut area = String::new();
    let mut path = String::new();
    let known: Vec<(usize, u64)> =
        series.values.iter().enumerate().filter_map(|(i, value)| Some((i, (*value)?))).collect();
    for run in known.chunk_by(|a, b| a.0 + 1 == b.0) {
        let mut points = String::new();
        for (i, value) in run {
            let y = scale.y(drawn(*value, series.side, scale));
            points.push_str(&format!("L{:.1} {y:.2}", x(*i, n)));
        }
        let points = &points[1..];
        let (from, to) = (x(run[0].0, n), x(run[run.len() - 1].0, n));
        area.push_str(&format!("M{points}L{to:.1} {zero:.2}L{from:.1} {zero:.2}Z"));
        path.push_str(&format!("M{points}"));
    }
    format!("<path class=\"area {class}\" d=\"{area}\"/><path class=\"line {class}\" d=\"{path}\"/>")
}

/// Marks each point where they are few, for of two or three the eye wants to see where they are; and at any time those
/// between two gaps, which have no line.
fn dots(series: &Series, scale: &Scale) -> String {
    let values = &series.values;
    let n = values.len();
    let is_known = |i: Option<usize>| i.and_then(|i| values.get(i).copied().flatten()).is_some();
    let is_marked = |i: usize| n <= MAX_DOTS || !(is_known(i.checked_sub(1)) || is_known(Some(i + 1)));
    let class = series.class;
    values
        .iter()
        .enumerate()
        .filter(|(i, _)| is_marked(*i))
        .filter_map(|(i, value)| {
            let left = x(i, n) / WIDTH * 100.0;
            let top = scale.y(drawn((*value)?, series.side, scale)) / HEIGHT * 100.0;
            Some(format!(
                "<b class=\"dot {class}\" style=\"left:{left:.2}%;top:{top:.2}%\" aria-hidden=\"true\"></b>"
            ))
        })
        .collect()
}

/// Returns the height to draw a value at, which ends where the axis does.
fn drawn(value: u64, side: Side, scale: &Scale) -> i128 {
    let value = u128::from(value).min(scale.limit(side)) as i128;
    if side == Side::Up { value } else { -value }
}

/// Marks the points that reach beyond the axis.
fn peaks(series: &Series, scale: &Scale) -> String {
    let limit = scale.limit(series.side);
    let n = series.values.len();
    let side = if series.side == Side::Up { "up" } else { "down" };
    let class = series.class;
    series
        .values
        .iter()
        .enumerate()
        .filter(|(_, value)| value.is_some_and(|value| u128::from(value) > limit))
        .map(|(i, _)| {
            let left = x(i, n) / WIDTH * 100.0;
            format!("<b class=\"peak {side} {class}\" style=\"left:{left:.2}%\" aria-hidden=\"true\"></b>")
        })
        .collect()
}

fn cut_note(chart: &Chart<'_>, scale: &Scale) -> String {
    let beyond: Vec<u64> = chart
        .series
        .iter()
        .flat_map(|series| {
            let limit = scale.limit(series.side);
            series.values.iter().copied().flatten().filter(move |value| u128::from(*value) > limit)
        })
        .collect();
    match beyond.iter().max() {
        None => String::new(),
        Some(highest) => format!(
            "<p class=\"note\">A triangle marks a value beyond the axis ({} here, the highest {}), so that the others \
             stay readable.</p>\n",
            beyond.len(),
            grouped(*highest)
        ),
    }
}

/// Returns what points say when pointed at, as strips over the plot.
pub(super) fn tips(tips: &[String]) -> String {
    let n = tips.len();
    let width = if n < 2 { 100.0 } else { 100.0 / (n - 1) as f64 };
    let strips: String = tips
        .iter()
        .enumerate()
        .map(|(i, tip)| {
            let left = x(i, n) / WIDTH * 100.0 - width / 2.0;
            let class = if i * 2 > n { " class=\"r\"" } else { "" };
            format!("<i{class} style=\"left:{left:.2}%\" data-t=\"{tip}\"></i>")
        })
        .collect();
    format!("<div class=\"tips\" style=\"--w:{width:.3}%\" aria-hidden=\"true\">{strips}</div>\n")
}

/// Returns the labels of a time axis from the first to the last day.
pub(super) fn x_labels(days: &[NaiveDate]) -> String {
    let (Some(first), Some(last)) = (days.first(), days.last()) else {
        return String::new();
    };
    let span = (*last - *first).num_days();
    let labels = if span < 70 {
        days.iter().map(|day| (*day, day.format("%-d %b").to_string())).collect()
    } else {
        month_labels(*first, *last)
    };
    labels
        .iter()
        .enumerate()
        .map(|(i, (day, text))| {
            let left = if span == 0 { 50.0 } else { (*day - *first).num_days() as f64 / span as f64 * 100.0 };
            // Every other label makes room on a phone.
            let class = if i % 2 == 1 { " class=\"minor\"" } else { "" };
            format!("<i{class} style=\"left:{left:.2}%\">{text}</i>")
        })
        .collect()
}

/// Returns the names of points; where they are many, every so many of them.
fn named_labels(names: &[String]) -> String {
    let n = names.len();
    let step = n.div_ceil(MAX_NAMED_LABELS).max(1);
    names
        .iter()
        .enumerate()
        .filter(|(i, _)| i % step == 0)
        .map(|(i, name)| {
            let class = if i / step % 2 == 1 { " class=\"minor\"" } else { "" };
            format!("<i{class} style=\"left:{:.2}%\">{name}</i>", x(i, n) / WIDTH * 100.0)
        })
        .collect()
}

/// Returns the beginnings of months or years, as far apart as they fit.
fn month_labels(first: NaiveDate, last: NaiveDate) -> Vec<(NaiveDate, String)> {
    let month = |day: NaiveDate| day.year() as u32 * 12 + day.month0();
    let n_months = month(last) - month(first) + 1;
    let step = [1, 2, 3, 6, 12, 24, 60, 120, 240]
        .into_iter()
        .find(|step| n_months / step <= MAX_X_LABELS)
        .expect("110 years have fewer than nine steps of 20 years");
    let mut labels = Vec::new();
    let mut day = first.with_day(1).expect("every month has a first day");
    while day <= last {
        if day >= first && month(day).is_multiple_of(step) {
            let format = if step >= 12 { "%Y" } else { "%b %Y" };
            labels.push((day, day.format(format).to_string()));
        }
        day = day + Months::new(1);
    }
    labels
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(side: Side, values: &[u64]) -> Series {
        Series { class: "commits", side, values: values.iter().copied().map(Some).collect() }
    }

    #[test]
    fn axes_end_on_round_numbers() {
        fn check(up: &[u64], down: &[u64], expect: &[i128]) {
            assert_eq!(Scale::of(&[series(Side::Up, up), series(Side::Down, down)]).ticks(), expect);
        }
        check(&[0], &[0], &[0, 1]);
        check(&[1], &[], &[0, 1]);
        check(&[7], &[], &[0, 2, 4, 6, 8]);
        check(&[83, 40], &[], &[0, 50, 100]);
        check(&[900], &[300], &[-500, 0, 500, 1000]);
        check(&[0], &[30], &[-30, -20, -10, 0]);
    }

    #[test]
    fn the_largest_numbers_fit() {
        let scale = Scale::of(&[series(Side::Up, &[u64::MAX]), series(Side::Down, &[u64::MAX])]);
        assert!(scale.ticks().len() < 8);
        assert!((scale.y(0) - 50.0).abs() < 0.01);
    }

    #[test]
    fn one_tower_does_not_flatten_the_rest() {
        let mut values = vec![100; 30];
        values[3] = 1_000_000;
        assert_eq!(reach(&values.iter().copied().map(Some).collect::<Vec<_>>()), 200);
        assert_eq!(reach(&[Some(100), None, Some(120), Some(400)]), 400);
        assert_eq!(reach(&[None]), 0);
        let series = series(Side::Up, &values);
        let scale = Scale::of(std::slice::from_ref(&series));
        assert_eq!(peaks(&series, &scale).matches("<b").count(), 1);
    }

    #[test]
    fn what_is_not_known_is_a_gap() {
        let mut series = series(Side::Up, &[5, 5, 5, 5]);
        series.values[1] = None;
        let text = line(&series, &Scale::of(std::slice::from_ref(&series)));
        let path = text.rsplit("d=\"").next().unwrap();
        assert_eq!(path, "M0.0 16.67M666.7 16.67L1000.0 16.67\"/>");
    }

    #[test]
    fn few_points_are_dots() {
        let few = series(Side::Down, &[3; MAX_DOTS]);
        let many = series(Side::Down, &[3; MAX_DOTS + 1]);
        assert_eq!(dots(&few, &Scale::of(std::slice::from_ref(&few))).matches("<b").count(), MAX_DOTS);
        assert_eq!(dots(&many, &Scale::of(std::slice::from_ref(&many))), "");
        let mut lone = series(Side::Down, &[3; MAX_DOTS + 5]);
        (lone.values[1], lone.values[3]) = (None, None);
        // The first and the third point stand alone.
        assert_eq!(dots(&lone, &Scale::of(std::slice::from_ref(&lone))).matches("<b").count(), 2);
    }

    #[test]
    fn time_labels_fit_their_span() {
        fn check(first: &str, last: &str, expect: &[&str]) {
            let labels = month_labels(first.parse().unwrap(), last.parse().unwrap());
            let labels: Vec<String> = labels.into_iter().map(|(_, text)| text).collect();
            assert_eq!(labels, expect);
        }
        check("2026-01-05", "2026-04-06", &["Feb 2026", "Mar 2026", "Apr 2026"]);
        check(
            "2024-12-30",
            "2026-10-05",
            &["Jan 2025", "Apr 2025", "Jul 2025", "Oct 2025", "Jan 2026", "Apr 2026", "Jul 2026", "Oct 2026"],
        );
        check("2018-03-05", "2023-05-01", &["2019", "2020", "2021", "2022", "2023"]);
        check("1990-01-01", "2099-12-28", &["2000", "2020", "2040", "2060", "2080"]);
    }
}
