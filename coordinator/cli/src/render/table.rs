//! Tables that read well in 80 columns.

use super::talk;

/// How wide a table may become.
const WIDTH: usize = 80;

/// Returns `rows` under `heads`. Where they are too wide, the column that is widest gives way; text from outside is made
/// harmless.
pub(crate) fn table<const N: usize>(heads: [&str; N], rows: &[[String; N]]) -> String {
    let clean: Vec<[String; N]> =
        rows.iter().map(|row| row.clone().map(|cell| talk::harmless(&cell).replace('\n', " "))).collect();
    let mut widths: [usize; N] = heads.map(len);
    for row in &clean {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(len(cell));
        }
    }
    while widths.iter().sum::<usize>() + 2 * (N - 1) > WIDTH {
        let Some((widest, width)) =
            widths.iter().enumerate().max_by_key(|(_, width)| **width).filter(|(_, width)| **width > 8)
        else {
            break;
        };
        widths[widest] = width - 1;
    }
    let mut text = line(heads.map(str::to_owned), widths);
    for row in clean {
        text.push_str(&line(row, widths));
    }
    text
}

fn line<const N: usize>(cells: [String; N], widths: [usize; N]) -> String {
    let mut text = String::new();
    for (cell, width) in cells.iter().zip(widths) {
        let shown = shorten(cell, width);
        text.push_str(&shown);
        text.extend(std::iter::repeat_n(' ', width - len(&shown) + 2));
    }
    format!("{}\n", text.trim_end())
}

/// Returns at most `width` characters of `text`; its end gives way, of which a mark is left.
pub(crate) fn shorten(text: &str, width: usize) -> String {
    if len(text) <= width {
        return text.to_owned();
    }
    text.chars().take(width.saturating_sub(1)).chain(['…']).collect()
}

fn len(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_no_line_is_wider_than_a_terminal() {
        let long = "x".repeat(200);
        let text = table(["ID", "NAME"], &[["1".into(), "a\u{1b}[2J".into()], ["22".into(), long]]);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "ID  NAME");
        assert_eq!(lines[1], "1   a\u{fffd}[2J");
        assert_eq!(len(lines[2]), WIDTH);
        assert!(lines[2].ends_with('…'));
    }
}
