//! Stacked areas over time: parts of a whole, or what stands from which time. Each point is a step of its own, because
//! between two weeks there is nothing to interpolate, and a week without a whole is a gap.

use chrono::NaiveDate;

use crate::report::html::chart;
use crate::report::number::compact;

const WIDTH: f64 = 1000.0;
const HEIGHT: f64 = 100.0;

pub(super) struct Stack<'a> {
    pub(super) id: String,
    pub(super) title: &'a str,
    /// What the picture says, for those who cannot see it; plain text without markup.
    pub(super) description: String,
    /// From the bottom to the top.
    pub(super) bands: Vec<Band>,
    /// First day of each point.
    pub(super) days: &'a [NaiveDate],
    pub(super) tips: Vec<String>,
    pub(super) whole: Whole,
}

pub(super) struct Band {
    /// HTML.
    pub(super) name: String,
    pub(super) class: String,
    pub(super) values: Vec<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whole {
    /// Each point is a whole of its own.
    Hundred,
    /// The highest point is the height.
    Highest,
}

/// Returns the chart with its legend; nothing where nothing stands anywhere.
pub(super) fn render(stack: &Stack<'_>) -> String {
    let n = stack.days.len();
    let wholes: Vec<u128> =
        (0..n).map(|i| stack.bands.iter().map(|band| u128::from(band.values[i])).sum()).collect();
    let highest = wholes.iter().copied().max().unwrap_or(0);
    if highest == 0 {
        return String::new();
    }
    let mut floor = vec![0_u128; n];
    let mut areas = String::new();
    for band in &stack.bands {
        let top: Vec<u128> =
            floor.iter().zip(&band.values).map(|(floor, value)| floor + u128::from(*value)).collect();
        let height = |i: usize| match stack.whole {
            Whole::Hundred => wholes[i],
            Whole::Highest => axis(stack.whole, highest).0,
        };
        areas.push_str(&area(&band.class, &floor, &top, height));
        floor = top;
    }
    let Stack { id, title, description, .. } = stack;
    format!(
        "<div class=\"chart\">\n<div class=\"y\" aria-hidden=\"true\">{y_labels}</div>\n<div class=\"plot\">\n\
         <svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" preserveAspectRatio=\"none\" role=\"img\" \
         aria-labelledby=\"{id}-t {id}-d\"><title id=\"{id}-t\">{title}</title><desc id=\"{id}-d\">{description}</desc>\
         {areas}</svg>\n{tips}</div>\n<div class=\"x\" aria-hidden=\"true\">{x_labels}</div>\n</div>\n{legend}",
        y_labels = y_labels(stack.whole, highest),
        tips = chart::tips(&stack.tips),
        x_labels = x_labels(stack.days),
        legend = legend(&stack.bands),
    )
}

fn area(class: &str, floor: &[u128], top: &[u128], height: impl Fn(usize) -> u128) -> String {
    let n = floor.len();
    let x = |i: usize| i as f64 / n as f64 * WIDTH;
    let y = |value: u128, i: usize| (1.0 - value as f64 / height(i) as f64) * HEIGHT;
    let standing: Vec<usize> = (0..n).filter(|i| top[*i] > floor[*i]).collect();
    let mut path = String::new();
    for run in standing.chunk_by(|a, b| a + 1 == *b) {
        let (first, last) = (run[0], run[run.len() - 1]);
        path.push_str(&format!("M{:.1} {:.1}", x(first), y(top[first], first)));
        for i in run {
            path.push_str(&format!("V{:.1}H{:.1}", y(top[*i], *i), x(i + 1)));
        }
        path.push_str(&format!("V{:.1}", y(floor[last], last)));
        for i in run.iter().rev() {
            path.push_str(&format!("V{:.1}H{:.1}", y(floor[*i], *i), x(*i)));
        }
        path.push('Z');
    }
    format!("<path class=\"band {class}\" d=\"{path}\"/>")
}

/// Returns the height of the axis and the distance of its labels, both round.
fn axis(whole: Whole, highest: u128) -> (u128, u128) {
    match whole {
        Whole::Hundred => (100, 50),
        Whole::Highest => {
            let step = chart::nice(highest.div_ceil(4));
            (highest.div_ceil(step) * step, step)
        }
    }
}

fn y_labels(whole: Whole, highest: u128) -> String {
    let (height, step) = axis(whole, highest);
    (0..=height / step)
        .map(|i| {
            let label = match whole {
                Whole::Hundred => format!("{}%", i * step),
                Whole::Highest => compact(i * step),
            };
            format!("<i style=\"top:{:.2}%\">{label}</i>", (1.0 - (i * step) as f64 / height as f64) * 100.0)
        })
        .collect()
}

/// Returns the labels from the first day to the end of the last point.
fn x_labels(days: &[NaiveDate]) -> String {
    let mut days = days.to_vec();
    if let [.., before, last] = days[..] {
        days.push(last + (last - before));
    }
    chart::x_labels(&days)
}

fn legend(bands: &[Band]) -> String {
    let items: String = bands
        .iter()
        .map(|band| format!("<li><i class=\"swatch {}\"></i>{}</li>", band.class, band.name))
        .collect();
    format!("<ul class=\"legend\">{items}</ul>\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn band(class: &str, values: &[u64]) -> Band {
        Band { name: class.to_owned(), class: class.to_owned(), values: values.to_vec() }
    }

    fn stack(bands: Vec<Band>, whole: Whole) -> String {
        let day: NaiveDate = "2026-01-05".parse().unwrap();
        let days: Vec<NaiveDate> =
            (0..bands[0].values.len() as u64).map(|i| day + chrono::Days::new(i * 7)).collect();
        let tips = days.iter().map(|day| day.to_string()).collect();
        render(&Stack {
            id: "s".to_owned(),
            title: "S",
            description: String::new(),
            bands,
            days: &days,
            tips,
            whole,
        })
    }

    #[test]
    fn shares_fill_the_height_and_gaps_stay_empty() {
        let text = stack(vec![band("c0", &[1, 0, 3]), band("c1", &[1, 0, 1])], Whole::Hundred);
        assert!(
            text.contains(
                "class=\"band c0\" d=\"M0.0 50.0V50.0H333.3V100.0V100.0H0.0ZM666.7 25.0V25.0H1000.0"
            )
        );
        assert!(text.contains("class=\"band c1\" d=\"M0.0 0.0V0.0H333.3V50.0"));
        assert!(text.contains(">100%<"));
    }

    #[test]
    fn the_largest_numbers_fit() {
        let text = stack(vec![band("c0", &[u64::MAX, 1]), band("c1", &[u64::MAX, 1])], Whole::Highest);
        assert!(text.contains(">40E<") && !text.contains("NaN") && !text.contains("inf"));
        assert_eq!(stack(vec![band("c0", &[0, 0])], Whole::Highest), "");
    }
}
