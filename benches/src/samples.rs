//! The counted runs of one side, and their middle.

use crate::run::Spent;

#[derive(Debug, Default)]
pub(crate) struct Samples(Vec<Spent>);

impl Samples {
    pub(crate) fn push(&mut self, spent: Spent) {
        self.0.push(spent);
    }

    /// Returns the median wall time in seconds.
    pub(crate) fn wall(&self) -> f64 {
        median(self.0.iter().map(|spent| spent.wall.as_secs_f64()).collect())
    }

    /// Returns the median CPU time in seconds.
    pub(crate) fn cpu(&self) -> f64 {
        median(self.0.iter().map(|spent| spent.cpu.as_secs_f64()).collect())
    }

    /// Returns the median peak of memory in bytes.
    pub(crate) fn peak_bytes(&self) -> f64 {
        median(self.0.iter().map(|spent| spent.peak_bytes as f64).collect())
    }
}

/// Returns the middle one; of an even number, the mean of the two in the middle; of none, no number.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let half = values.len() / 2;
    match values.len() {
        0 => f64::NAN,
        len if len % 2 == 1 => values[half],
        _ => f64::midpoint(values[half - 1], values[half]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_is_found() {
        for (values, expect) in [
            (vec![3.0], 3.0),
            (vec![9.0, 1.0, 2.0], 2.0),
            (vec![4.0, 1.0, 2.0, 100.0], 3.0),
            (vec![5.0, 1.0, 4.0, 2.0, 3.0], 3.0),
        ] {
            assert_eq!(median(values.clone()), expect, "{values:?}");
        }
        assert!(median(Vec::new()).is_nan());
    }
}
