//! Tables in Markdown, with columns that line up in a terminal too.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "printing is what this program is for")]

/// A table that is filled row by row. Numbers stand right, the first columns of text left.
pub(crate) struct Table {
    columns: Vec<&'static str>,
    left: usize,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// Returns an empty table whose first `left` columns hold text.
    pub(crate) fn new(left: usize, columns: &[&'static str]) -> Self {
        Self { columns: columns.to_vec(), left, rows: Vec::new() }
    }

    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        let cells: Vec<String> = cells.into_iter().collect();
        debug_assert_eq!(cells.len(), self.columns.len(), "a cell for each column: {cells:?}");
        self.rows.push(cells);
    }

    pub(crate) fn print(&self, title: &str) {
        print!("\n### {title}\n\n{}", self.text());
    }

    fn text(&self) -> String {
        let length = |text: &str| text.chars().count();
        let width = |column: usize| {
            let cells = self.rows.iter().map(|row| length(&row[column]));
            cells.chain([length(self.columns[column]), 3]).max().unwrap_or_default()
        };
        let widths: Vec<usize> = (0..self.columns.len()).map(width).collect();
        let line = |cells: Vec<&str>| {
            let mut line = String::from("|");
            for (column, cell) in cells.into_iter().enumerate() {
                let space = " ".repeat(widths[column] - length(cell));
                let (before, after) = if column < self.left { ("", &*space) } else { (&*space, "") };
                line += &format!(" {before}{cell}{after} |");
            }
            line + "\n"
        };
        let rules: Vec<String> = widths
            .iter()
            .enumerate()
            .map(|(column, width)| match column < self.left {
                true => "-".repeat(*width),
                false => "-".repeat(width - 1) + ":",
            })
            .collect();
        let mut text = line(self.columns.clone()) + &line(rules.iter().map(String::as_str).collect());
        for row in &self.rows {
            text += &line(row.iter().map(String::as_str).collect());
        }
        text
    }
}

pub(crate) fn say(text: &str) {
    println!("{text}");
}

/// What is no result: how far it is, and errors.
pub(crate) fn talk(text: &str) {
    eprintln!("{text}");
}

pub(crate) fn seconds(value: f64) -> String {
    known(value, || if value < 0.995 { format!("{value:.3} s") } else { format!("{value:.2} s") })
}

pub(crate) fn mebibytes(bytes: f64) -> String {
    known(bytes, || format!("{:.0} MiB", bytes / f64::from(1 << 20)))
}

pub(crate) fn ratio(part: f64, whole: f64) -> String {
    let ratio = part / whole;
    known(ratio, || if ratio < 0.1 { format!("{ratio:.4}") } else { format!("{ratio:.2}") })
}

/// Returns `value` without a fraction, and with its thousands apart.
pub(crate) fn number(value: f64) -> String {
    known(value, || {
        let digits = format!("{:.0}", value.abs());
        let mut text = String::from(if value <= -0.5 { "-" } else { "" });
        for (position, digit) in digits.chars().enumerate() {
            if position > 0 && (digits.len() - position).is_multiple_of(3) {
                text.push(',');
            }
            text.push(digit);
        }
        text
    })
}

pub(crate) fn count(value: usize) -> String {
    number(value as f64)
}

fn known(value: f64, text: impl FnOnce() -> String) -> String {
    if value.is_finite() { text() } else { "?".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_read_well() {
        assert_eq!(number(1_234_567.4), "1,234,567");
        assert_eq!(number(-1_000.0), "-1,000");
        assert_eq!(number(999.6), "1,000");
        assert_eq!(count(12), "12");
        assert_eq!(seconds(0.0123), "0.012 s");
        assert_eq!(seconds(61.234), "61.23 s");
        assert_eq!(ratio(1.0, 3.0), "0.33");
        assert_eq!(ratio(1.0, 300.0), "0.0033");
        assert_eq!(ratio(1.0, 0.0), "?");
        assert_eq!(mebibytes(f64::NAN), "?");
    }

    #[test]
    fn columns_line_up() {
        let mut table = Table::new(1, &["name", "n"]);
        table.row(["a".to_owned(), "1,000".to_owned()]);
        assert_eq!(table.text(), "| name |     n |\n| ---- | ----: |\n| a    | 1,000 |\n");
    }
}
