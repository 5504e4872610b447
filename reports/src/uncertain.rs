//! A number with its interval, and how such numbers read: value first, bounds
//! in brackets, as many decimals as the interval's width deserves.

use serde::{Deserialize, Serialize};

use crate::charts::strip::Tone;
use crate::error::ReportError;
use crate::measure::{Measure, Unit};
use crate::number::{Decimals, TimeUnit};
use crate::text::Words;

/// A number with its interval. The section that holds it says at which level
/// and over what (replications, seeds, days).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Uncertain {
    /// The value, in the unit of its field's name.
    pub value: f64,
    /// Lower bound.
    pub lower: f64,
    /// Upper bound.
    pub upper: f64,
}

/// The unit of a quantity that is no [`Measure`]: what a simulator is fitted
/// to and checked on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QuantityUnit {
    /// A plain number, such as a score in \[0, 1\] or a shape parameter.
    Score,
    /// A fraction, shown as per cent.
    Share,
    /// Seconds.
    Seconds,
    /// Events per hour.
    PerHour,
    /// A count, such as contacts in a day.
    Count,
}

impl QuantityUnit {
    /// The unit in which `values` are written together.
    pub(crate) fn unit(self, values: impl IntoIterator<Item = f64>) -> Unit {
        match self {
            Self::Score => Unit::Score,
            Self::Share => Unit::Rate,
            Self::Seconds => Unit::Time(TimeUnit::for_largest(values)),
            Self::PerHour => Unit::PerHour,
            Self::Count => Unit::Count,
        }
    }
}

impl Uncertain {
    /// A value with its bounds.
    pub fn new(value: f64, lower: f64, upper: f64) -> Self {
        Self {
            value,
            lower,
            upper,
        }
    }

    /// Whether value and bounds can be shown.
    pub(crate) fn is_finite(self) -> bool {
        self.value.is_finite() && self.lower.is_finite() && self.upper.is_finite()
    }

    /// Checks that a finite interval contains its own finite value.
    pub(crate) fn check(self, place: impl FnOnce() -> String) -> Result<(), ReportError> {
        if self.is_finite() && (self.value < self.lower || self.value > self.upper) {
            return Err(ReportError::IntervalMissesValue {
                place: place(),
                value: self.value,
                lower: self.lower,
                upper: self.upper,
            });
        }
        Ok(())
    }

    /// As [`Uncertain::check`], and that the value lies in \[0, 1\] and the bounds
    /// with it: a band over replications of a share cannot leave that range.
    pub(crate) fn check_share(self, place: impl Fn() -> String) -> Result<(), ReportError> {
        self.check(&place)?;
        for number in [self.value, self.lower, self.upper] {
            check_range(&place, number, 0.0, 1.0)?;
        }
        Ok(())
    }

    /// As [`Uncertain::check`], and that neither value nor lower bound is negative.
    pub(crate) fn check_positive(self, place: impl Fn() -> String) -> Result<(), ReportError> {
        self.check(&place)?;
        for number in [self.value, self.lower] {
            check_range(&place, number, 0.0, f64::INFINITY)?;
        }
        Ok(())
    }

    /// Whether the whole interval lies above zero, below it, or neither.
    pub(crate) fn sign(self) -> Option<Sign> {
        if self.lower > 0.0 && self.upper > 0.0 {
            Some(Sign::Above)
        } else if self.lower < 0.0 && self.upper < 0.0 {
            Some(Sign::Below)
        } else {
            None
        }
    }

    /// The colour of the difference candidate − baseline in `measure`.
    pub(crate) fn tone(self, measure: Measure) -> Tone {
        match self.sign() {
            None => Tone::Neutral,
            Some(sign) if (sign == Sign::Above) == measure.higher_is_better() => Tone::Better,
            Some(_) => Tone::Worse,
        }
    }

    /// Decimals that show the interval's half width, and no more: a wait known
    /// to 27 s has no tenths.
    pub(crate) fn decimals(self, unit: Unit) -> Decimals {
        let half = (self.upper - self.lower) / 2.0;
        if unit != Unit::Score && half * unit.scale() >= 5.0 {
            return Decimals(0);
        }
        unit.coarse_decimals(&[half])
    }

    /// The bare value with its unit.
    pub(crate) fn number(self, words: Words, unit: Unit) -> String {
        unit.value(words, self.value, self.decimals(unit))
    }

    /// The bounds in brackets, without unit.
    pub(crate) fn bounds(self, unit: Unit) -> String {
        unit.interval(self.lower, self.upper, self.decimals(unit))
    }

    /// Value with unit, then the bounds in brackets.
    pub(crate) fn text(self, words: Words, unit: Unit) -> String {
        format!("{} {}", self.number(words, unit), self.bounds(unit))
    }

    /// A difference's bare value: signed, rates in percentage points.
    pub(crate) fn signed_number(self, words: Words, unit: Unit) -> String {
        unit.difference(words, self.value, self.decimals(unit))
    }

    /// A difference's bounds, signed.
    pub(crate) fn signed_bounds(self, unit: Unit) -> String {
        unit.signed_interval(self.lower, self.upper, self.decimals(unit))
    }

    /// A difference with its bounds, all signed.
    pub(crate) fn signed_text(self, words: Words, unit: Unit) -> String {
        format!(
            "{} {}",
            self.signed_number(words, unit),
            self.signed_bounds(unit)
        )
    }
}

/// On which side of zero a whole interval lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sign {
    Above,
    Below,
}

/// Checks that a finite number lies in \[`low`, `high`\].
pub(crate) fn check_range(
    place: impl FnOnce() -> String,
    number: f64,
    low: f64,
    high: f64,
) -> Result<(), ReportError> {
    if number.is_finite() && !(low..=high).contains(&number) {
        return Err(ReportError::OutOfRange {
            place: place(),
            number,
            low,
            high,
        });
    }
    Ok(())
}

/// Checks that a confidence level lies strictly between 0 and 1.
pub(crate) fn check_level(place: impl FnOnce() -> String, level: f64) -> Result<(), ReportError> {
    if level > 0.0 && level < 1.0 {
        Ok(())
    } else {
        Err(ReportError::NotALevel {
            place: place(),
            number: level,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Language;

    #[test]
    fn decimals_follow_the_width() {
        let words = Words::new(Language::En);
        let secs = Measure::WaitSecs.unit([120.0]);
        for (number, unit, expected) in [
            (
                Uncertain::new(0.5, 0.49, 0.51),
                Unit::Score,
                "0.500 [0.490, 0.510]",
            ),
            (
                Uncertain::new(0.5, 0.4998, 0.5002),
                Unit::Score,
                "0.5000 [0.4998, 0.5002]",
            ),
            (
                Uncertain::new(120.0, 110.0, 130.0),
                secs,
                "120\u{202f}s [110, 130]",
            ),
            (
                Uncertain::new(f64::NAN, 0.0, 1.0),
                Unit::Score,
                "— [0.000, 1.000]",
            ),
        ] {
            assert_eq!(number.text(words, unit), expected);
        }
        assert_eq!(
            Uncertain::new(-0.02, -0.03, -0.01).signed_text(words, Unit::Rate),
            "−2.0\u{202f}pp [−3.0, −1.0]"
        );
    }

    #[test]
    fn intervals_hold_their_values() {
        let place = || "here".to_owned();
        assert!(Uncertain::new(0.2, 0.1, 0.3).check_share(place).is_ok());
        assert!(Uncertain::new(0.4, 0.1, 0.3).check(place).is_err());
        assert!(Uncertain::new(0.9, 0.8, 1.1).check_share(place).is_err());
        assert!(
            Uncertain::new(1.0, -0.1, 1.1)
                .check_positive(place)
                .is_err()
        );
        assert!(Uncertain::new(f64::NAN, 0.1, 0.3).check(place).is_ok());
        assert_eq!(Uncertain::new(0.2, 0.1, 0.3).sign(), Some(Sign::Above));
        assert_eq!(
            Uncertain::new(-2.0, -3.0, -1.0).tone(Measure::WaitSecs),
            Tone::Better
        );
    }
}
