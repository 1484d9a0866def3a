//! Horizontal bars with a name before and a number behind, for lists in which the length is the message.

use crate::report::number::{grouped, share};

pub(super) struct Bar {
    /// HTML.
    pub(super) name: String,
    pub(super) value: u64,
}

/// Returns the bars against the longest of them; the unit is what a value counts, such as "commits".
pub(super) fn render(bars: &[Bar], unit: &str) -> String {
    let longest = bars.iter().map(|bar| bar.value).max().unwrap_or(0);
    let items: String = bars
        .iter()
        .map(|bar| {
            let width = share(bar.value, longest) * 100.0;
            format!(
                "<li><span class=\"name\">{}</span><span class=\"track\"><i style=\"width:{width:.2}%\"></i></span>\
                 <span class=\"value\">{}<span class=\"vh\"> {unit}</span></span></li>\n",
                bar.name,
                grouped(bar.value)
            )
        })
        .collect();
    format!("<ol class=\"bars\">\n{items}</ol>\n")
}
