//! Ratios as exact numbers with four decimals, so that reports compare and sum without floating point.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A ratio in ten-thousandths; 1 is written `1.0`. Shares of a whole lie between 0 and 1, other ratios need not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ratio(i64);

const UNIT: i64 = 10_000;

impl Ratio {
    pub const ZERO: Self = Self(0);
    pub const ONE: Self = Self(UNIT);

    /// Returns `part / whole`, rounded half up; `None` where the whole is 0: no data is not zero.
    pub fn of(part: u64, whole: u64) -> Option<Self> {
        let whole = u128::from(whole);
        let rounded = (u128::from(part) * UNIT as u128 + whole / 2).checked_div(whole)?;
        Some(Self(i64::try_from(rounded).unwrap_or(i64::MAX)))
    }

    pub const fn from_ten_thousandths(ten_thousandths: i64) -> Self {
        Self(ten_thousandths)
    }

    /// Returns the nearest ratio. The one door for what is no quotient of whole numbers, such as a logarithm.
    pub fn nearest(value: f64) -> Option<Self> {
        value.is_finite().then(|| Self((value * UNIT as f64).round() as i64))
    }

    pub fn ten_thousandths(self) -> i64 {
        self.0
    }

    pub fn as_f64(self) -> f64 {
        self.0 as f64 / UNIT as f64
    }
}

impl std::fmt::Display for Ratio {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let (whole, part) = (self.0.unsigned_abs() / UNIT as u64, self.0.unsigned_abs() % UNIT as u64);
        write!(f, "{sign}{whole}.{part:04}")
    }
}

impl Serialize for Ratio {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.as_f64())
    }
}

impl<'de> Deserialize<'de> for Ratio {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = f64::deserialize(deserializer)?;
        Self::nearest(value).ok_or_else(|| serde::de::Error::custom("a ratio is a number"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounded_half_up() {
        assert_eq!(Ratio::of(1, 3).unwrap().to_string(), "0.3333");
        assert_eq!(Ratio::of(2, 3).unwrap().to_string(), "0.6667");
        assert_eq!(Ratio::of(5, 4).unwrap().to_string(), "1.2500");
        assert_eq!(Ratio::of(1, 20_000).unwrap().to_string(), "0.0001");
        assert_eq!(Ratio::of(0, 0), None);
        assert_eq!(Ratio::nearest(-0.25).unwrap().to_string(), "-0.2500");
        assert_eq!(Ratio::nearest(f64::NAN), None);
    }

    proptest::proptest! {
        #[test]
        fn json_reads_back(part in 0u64..1_000_000, whole in 1u64..1_000) {
            let ratio = Ratio::of(part, whole).unwrap();
            let text = postcard::to_stdvec(&ratio).unwrap();
            proptest::prop_assert_eq!(postcard::from_bytes::<Ratio>(&text).unwrap(), ratio);
        }
    }
}
