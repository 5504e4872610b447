//! A panel's axis: its range, its labelled places, and which of the labels fit.

use super::strip::Domain;
use crate::measure::Unit;
use crate::number;
use crate::text::Words;

/// A range with labelled places.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Axis {
    domain: Domain,
    ticks: Vec<(f64, String)>,
}

impl Axis {
    pub(crate) fn domain(&self) -> Domain {
        self.domain
    }

    /// Every labelled place.
    pub(crate) fn ticks(&self) -> &[(f64, String)] {
        &self.ticks
    }

    /// The hours of a day from 0 to 24.
    pub(crate) fn hours_of_day() -> Self {
        Self {
            domain: Domain::between(0.0, 24.0),
            ticks: (0..=8)
                .map(|place| (f64::from(place * 3), (place * 3).to_string()))
                .collect(),
        }
    }

    /// From nothing to everything.
    pub(crate) fn shares(words: Words) -> Self {
        let unit = Unit::Rate;
        let text = |share| unit.value(words, share, unit.tick_decimals(0.5));
        Self {
            domain: Domain::between(0.0, 1.0),
            ticks: [0.0, 0.5, 1.0].map(|share| (share, text(share))).to_vec(),
        }
    }

    /// From zero to somewhat above the largest of `numbers`.
    pub(crate) fn from_zero(words: Words, unit: Unit, numbers: &[f64], ticks: usize) -> Self {
        let most = numbers
            .iter()
            .copied()
            .filter(|number| number.is_finite())
            .fold(0.0, f64::max);
        let most = if most > 0.0 { most * 1.06 } else { 1.0 };
        Self::over(words, unit, Domain::between(0.0, most), ticks)
    }

    /// Around all finite `numbers`.
    pub(crate) fn around(words: Words, unit: Unit, numbers: &[f64], ticks: usize) -> Self {
        Self::over(words, unit, Domain::around(numbers), ticks)
    }

    /// `domain` with about `ticks` round numbers.
    pub(crate) fn over(words: Words, unit: Unit, domain: Domain, ticks: usize) -> Self {
        // Round in the unit that is written: 10 min, not 500 s.
        let scale = unit.scale();
        let written = Domain::between(domain.low() * scale, domain.high() * scale);
        let round: Vec<f64> = written
            .round_numbers(ticks)
            .into_iter()
            .map(|number| number / scale)
            .collect();
        let step = match round.as_slice() {
            [first, second, ..] => second - first,
            _ => domain.high() - domain.low(),
        };
        let decimals = unit.tick_decimals(step * 1.000_001);
        Self {
            domain,
            ticks: round
                .into_iter()
                .map(|number| (number, unit.value(words, number, decimals)))
                .collect(),
        }
    }

    /// `domain` with places labelled by the caller.
    pub(crate) fn labelled(domain: Domain, ticks: Vec<(f64, String)>) -> Self {
        Self { domain, ticks }
    }

    /// The labels that fit into `pixels`: every one, or every second, third, …
    pub(crate) fn fitting(&self, pixels: i32) -> impl Iterator<Item = &(f64, String)> {
        let widest = self
            .ticks
            .iter()
            .map(|(_, text)| 7 * text.chars().count() as i32 + 10)
            .max()
            .unwrap_or(0);
        let spacing = match self.ticks.as_slice() {
            [first, second, ..] => {
                (self.domain.fraction(second.0) - self.domain.fraction(first.0)) * f64::from(pixels)
            }
            _ => f64::from(pixels),
        };
        let stride = if spacing > 0.0 {
            (f64::from(widest) / spacing).ceil().clamp(1.0, 1000.0) as usize
        } else {
            1
        };
        // A stride that divides the axis keeps its last label.
        let intervals = self.ticks.len().saturating_sub(1).max(1);
        let stride = (stride..=intervals)
            .find(|stride| intervals.is_multiple_of(*stride))
            .filter(|found| *found <= stride * 2)
            .unwrap_or(stride);
        self.ticks.iter().step_by(stride)
    }
}

/// Labels for the hours of a run that starts at `first_hour` of some day: the
/// hour of day where the run is short, else the days.
pub(crate) fn run_ticks(first_hour: u32, hours: u32) -> Vec<(f64, String)> {
    if hours <= 48 {
        return (0..=hours)
            .filter(|hour| (first_hour + hour).is_multiple_of(3))
            .map(|hour| {
                let clock = match (first_hour + hour) % 24 {
                    0 if hour == hours => 24,
                    clock => clock,
                };
                (f64::from(hour), clock.to_string())
            })
            .collect();
    }
    (0..=hours)
        .filter(|hour| (first_hour + hour).is_multiple_of(24))
        .map(|hour| {
            let day = (first_hour + hour) / 24 + 1;
            (f64::from(hour), number::count(u64::from(day)))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Language;

    #[test]
    fn labels_are_thinned_until_they_fit() {
        let axis = Axis::hours_of_day();
        let kept = |pixels| -> Vec<&str> {
            axis.fitting(pixels)
                .map(|(_, text)| text.as_str())
                .collect()
        };
        assert_eq!(kept(300).len(), 9);
        assert_eq!(kept(110), ["0", "6", "12", "18", "24"]);
        assert_eq!(kept(60), ["0", "12", "24"]);
    }

    #[test]
    fn long_runs_count_days() {
        assert_eq!(run_ticks(22, 6).len(), 2);
        assert_eq!(run_ticks(0, 24).last().unwrap(), &(24.0, "24".to_owned()));
        assert_eq!(run_ticks(0, 72).last().unwrap(), &(72.0, "4".to_owned()));
    }

    #[test]
    fn labels_are_round_in_the_unit_they_are_written_in() {
        let words = Words::new(Language::En);
        let unit = Unit::Time(number::TimeUnit::Minutes);
        let axis = Axis::from_zero(words, unit, &[1_500.0], 3);
        let texts: Vec<&str> = axis.ticks().iter().map(|tick| tick.1.as_str()).collect();
        assert_eq!(texts, ["0\u{202f}min", "10\u{202f}min", "20\u{202f}min"]);
    }
}
