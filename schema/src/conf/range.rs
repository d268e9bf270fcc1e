//! The numbers that keys take.

use std::fmt;

/// Longest time a number of seconds may mean: a century.
const SECONDS_MAX: f64 = 100.0 * 365.0 * 86_400.0;

/// The numbers that a key takes.
#[derive(Clone, Copy, Debug)]
pub struct Range {
    min: f64,
    max: f64,
    is_whole: bool,
}

/// Any number.
pub(super) const ANY: Range = Range {
    min: f64::MIN,
    max: f64::MAX,
    is_whole: false,
};
/// A count.
pub(super) const COUNT: Range = Range {
    min: 0.0,
    max: 4_294_967_295.0,
    is_whole: true,
};
/// A time, with fraction.
pub(super) const SECONDS: Range = Range {
    min: 0.0,
    max: SECONDS_MAX,
    is_whole: false,
};
/// A probability.
pub(super) const SHARE: Range = Range {
    min: 0.0,
    max: 1.0,
    is_whole: false,
};
/// How many of something a plugin sees.
pub(super) const SEEN: Range = Range {
    min: 1.0,
    max: 1000.0,
    is_whole: true,
};
/// More than nothing.
pub(super) const POSITIVE: Range = Range {
    min: f64::MIN_POSITIVE,
    max: f64::MAX,
    is_whole: false,
};

/// Numbers from `min` on.
pub(super) const fn at_least(min: f64) -> Range {
    Range {
        min,
        max: f64::MAX,
        is_whole: false,
    }
}

impl Range {
    pub(super) fn contains(self, number: f64) -> bool {
        (self.min..=self.max).contains(&number) && (!self.is_whole || number.fract() == 0.0)
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_whole {
            "a whole number"
        } else {
            "a number"
        })?;
        let has_end = self.max < f64::MAX;
        match (self.min, has_end) {
            (f64::MIN_POSITIVE, _) => f.write_str(" greater than 0"),
            (f64::MIN, _) => Ok(()),
            (min, true) => write!(f, " from {min} to {}", self.max),
            (min, false) => write!(f, ", {min} or more"),
        }
    }
}
