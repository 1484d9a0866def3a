//! A whole in its portions: one bar, the largest first, and what the colours mean.

use crate::report::number::{percent, share};

/// As many as the style sheet has colours that can be told apart; the rest shares one.
pub(super) const COLOURS: usize = 8;

pub(super) struct Portion {
    /// HTML.
    pub(super) name: String,
    pub(super) value: u64,
}

/// Returns the bar; nothing where the whole is nothing. What stands beside it says the same in words.
pub(super) fn bar(portions: &[Portion]) -> String {
    let whole = whole(portions);
    if whole == 0 {
        return String::new();
    }
    let (own, rest) = portions.split_at(portions.len().min(COLOURS));
    let rest = rest.iter().fold(0_u64, |sum, portion| sum.saturating_add(portion.value));
    let mut segments: String =
        own.iter().enumerate().map(|(i, portion)| segment(i, &portion.name, portion.value, whole)).collect();
    if rest > 0 {
        segments.push_str(&segment(COLOURS, "All others", rest, whole));
    }
    format!("<div class=\"stack\" aria-hidden=\"true\">{segments}</div>\n")
}

/// Returns the bar with a legend under it, for portions that no table follows.
pub(super) fn with_legend(portions: &[Portion]) -> String {
    let whole = whole(portions);
    let items: String = portions
        .iter()
        .enumerate()
        .take(COLOURS)
        .map(|(i, portion)| {
            format!(
                "<li><i class=\"swatch c{i}\"></i>{} <span class=\"zero\">{}</span></li>",
                portion.name,
                percent(portion.value, whole)
            )
        })
        .collect();
    format!("{}<ul class=\"legend\">{items}</ul>\n", bar(portions))
}

fn whole(portions: &[Portion]) -> u64 {
    portions.iter().fold(0_u64, |sum, portion| sum.saturating_add(portion.value))
}

fn segment(i: usize, name: &str, value: u64, whole: u64) -> String {
    let width = share(value, whole) * 100.0;
    let percent = percent(value, whole);
    // A name may hold an element that keeps its reading direction; a tip cannot.
    let name = name.replace("<bdi>", "").replace("</bdi>", "");
    format!("<i class=\"c{i}\" style=\"width:{width:.3}%\" title=\"{name}: {percent}\"></i>")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_shares_a_colour() {
        let portions: Vec<Portion> =
            (0..20).map(|i| Portion { name: format!("<bdi>{i}</bdi>"), value: 5 }).collect();
        let text = bar(&portions);
        assert_eq!(text.matches("<i class=\"c").count(), COLOURS + 1);
        assert!(text.contains("title=\"All others: 60.0%\""));
        assert_eq!(bar(&[]), "");
        assert_eq!(with_legend(&portions).matches("<li>").count(), COLOURS);
    }
}
