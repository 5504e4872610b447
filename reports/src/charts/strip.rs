//! One interval on a line: a dot for the value, a bar for the interval, a rule
//! for the reference. Positions are per cent of the width, so that the strip
//! stretches with its table cell while dots stay round.

use askama::Template;

use crate::error::ReportError;

/// The range of numbers that a group of strips shares.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Domain {
    low: f64,
    high: f64,
}

/// One labelled position of an axis.
pub(crate) struct Tick {
    pub(crate) number: f64,
    pub(crate) position: String,
}

impl Domain {
    /// Exactly from `low` to `high`, or the unit range where they make no range.
    pub(crate) fn between(low: f64, high: f64) -> Self {
        if low.is_finite() && high.is_finite() && low < high {
            Self { low, high }
        } else {
            Self {
                low: 0.0,
                high: 1.0,
            }
        }
    }

    /// The range of all finite `numbers`, with a margin on either side.
    pub(crate) fn around(numbers: &[f64]) -> Self {
        let finite = || numbers.iter().copied().filter(|number| number.is_finite());
        let low = finite().fold(f64::INFINITY, f64::min);
        let high = finite().fold(f64::NEG_INFINITY, f64::max);
        if low > high {
            return Self {
                low: 0.0,
                high: 1.0,
            };
        }
        // Halves first: the range of two huge numbers may overflow.
        let span = (high / 2.0 - low / 2.0) * 2.0;
        let margin = if span > 0.0 && span.is_finite() {
            span * 0.08
        } else {
            low.abs().max(1e-3) * 0.1
        };
        Self {
            low: (low - margin).max(f64::MIN / 4.0),
            high: (high + margin).min(f64::MAX / 4.0),
        }
    }

    /// The range of values and intervals, where intervals many times wider
    /// than usual (importance weighting makes them) may run off the edge
    /// rather than squeeze all others into a point.
    pub(crate) fn robust(values: &[f64], intervals: &[(f64, f64)]) -> Self {
        let mut half_widths: Vec<f64> = intervals
            .iter()
            .map(|(lower, upper)| (upper - lower) / 2.0)
            .filter(|half| half.is_finite())
            .collect();
        half_widths.sort_by(f64::total_cmp);
        let usual = half_widths
            .get(half_widths.len() / 2)
            .copied()
            .unwrap_or(0.0);
        let mut numbers = values.to_vec();
        for value in values {
            for (lower, upper) in intervals {
                if lower <= value && value <= upper {
                    numbers.push(lower.max(value - 3.0 * usual));
                    numbers.push(upper.min(value + 3.0 * usual));
                }
            }
        }
        Self::around(&numbers)
    }

    pub(crate) fn fraction(self, number: f64) -> f64 {
        (number - self.low) / (self.high - self.low)
    }

    pub(crate) fn contains(self, number: f64) -> bool {
        (self.low..=self.high).contains(&number)
    }

    /// Where `number` stands, as per cent of the width.
    pub(crate) fn position(self, number: f64) -> String {
        format!("{:.2}%", self.fraction(number).clamp(0.0, 1.0) * 100.0)
    }

    pub(crate) fn low(self) -> f64 {
        self.low
    }

    pub(crate) fn high(self) -> f64 {
        self.high
    }

    /// About `count` round numbers inside the range (steps of 1, 2 or 5 times
    /// a power of ten).
    pub(crate) fn round_numbers(self, count: usize) -> Vec<f64> {
        let rough = (self.high - self.low) / count.max(1) as f64;
        if !(rough.is_finite() && rough > 0.0) {
            return Vec::new();
        }
        let power = 10f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0]
            .into_iter()
            .map(|multiple| multiple * power)
            .find(|step| *step >= rough)
            .unwrap_or(10.0 * power);
        let first = (self.low / step).ceil();
        (0..=2 * count)
            .map(|place| (first + place as f64) * step)
            .take_while(|number| *number <= self.high)
            .map(|number| if number == 0.0 { 0.0 } else { number })
            .collect()
    }

    pub(crate) fn ticks(self, count: usize) -> Vec<Tick> {
        self.round_numbers(count)
            .into_iter()
            .map(|number| Tick {
                number,
                position: self.position(number),
            })
            .collect()
    }
}

/// What an interval says, as a colour class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    Better,
    Worse,
    Neutral,
    Simulated,
}

impl Tone {
    fn class(self) -> &'static str {
        match self {
            Self::Better => "better",
            Self::Worse => "worse",
            Self::Neutral => "neutral",
            Self::Simulated => "simulated",
        }
    }
}

/// The value and interval to draw.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark {
    pub(crate) value: f64,
    pub(crate) lower: Option<f64>,
    pub(crate) upper: Option<f64>,
    pub(crate) tone: Tone,
}

/// One strip.
pub(crate) struct Strip {
    pub(crate) label: String,
    pub(crate) domain: Domain,
    pub(crate) mark: Option<Mark>,
    pub(crate) reference: Option<f64>,
    pub(crate) height: u32,
}

#[derive(Template)]
#[template(path = "strip.svg", escape = "html")]
struct StripTemplate<'a> {
    label: &'a str,
    height: u32,
    middle: u32,
    class: &'static str,
    reference: Option<String>,
    bar: Option<Bar>,
    dot: Option<String>,
}

struct Bar {
    from: String,
    to: String,
    from_cut: bool,
    to_cut: bool,
}

impl Strip {
    pub(crate) fn draw(&self) -> Result<String, ReportError> {
        let domain = self.domain;
        let bar = self.mark.and_then(|mark| match (mark.lower, mark.upper) {
            (Some(lower), Some(upper)) if !lower.is_nan() && !upper.is_nan() => Some(Bar {
                from: domain.position(lower),
                to: domain.position(upper),
                from_cut: lower < domain.low,
                to_cut: upper > domain.high,
            }),
            _ => None,
        });
        let template = StripTemplate {
            label: &self.label,
            height: self.height,
            middle: self.height / 2,
            class: self.mark.map_or("neutral", |mark| mark.tone.class()),
            reference: self
                .reference
                .filter(|number| domain.contains(*number))
                .map(|number| domain.position(number)),
            bar,
            dot: self
                .mark
                .filter(|mark| domain.contains(mark.value))
                .map(|mark| domain.position(mark.value)),
        };
        Ok(template.render()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strip(value: f64, lower: f64, upper: f64, domain: Domain) -> String {
        Strip {
            label: "difference <0.02>".to_owned(),
            domain,
            mark: Some(Mark {
                value,
                lower: Some(lower),
                upper: Some(upper),
                tone: Tone::Better,
            }),
            reference: Some(0.0),
            height: 24,
        }
        .draw()
        .unwrap()
    }

    #[test]
    fn a_strip() {
        insta::assert_snapshot!(strip(0.02, 0.01, 0.03, Domain::around(&[0.0, 0.03])));
    }

    #[test]
    fn intervals_beyond_the_range_are_cut_with_arrows() {
        let svg = strip(
            0.5,
            -9.0,
            9.0,
            Domain {
                low: 0.0,
                high: 1.0,
            },
        );
        assert_eq!(svg.matches("class=\"cut\"").count(), 2, "{svg}");
        assert!(svg.contains("50.00%"), "{svg}");
    }

    #[test]
    fn ranges_survive_any_numbers() {
        for numbers in [
            &[][..],
            &[f64::NAN],
            &[0.0],
            &[1e300, -1e300],
            &[f64::MAX, f64::MIN],
            &[5e-324, 0.0],
            &[0.3, 0.3],
        ] {
            let domain = Domain::around(numbers);
            assert!(domain.low < domain.high, "{numbers:?}: {domain:?}");
            assert!(domain.low.is_finite() && domain.high.is_finite());
            for tick in domain.ticks(4) {
                assert!(tick.number.is_finite() && !tick.position.contains("NaN"));
            }
        }
    }

    #[test]
    fn ticks_are_round() {
        let domain = Domain {
            low: -0.013,
            high: 0.047,
        };
        let ticks: Vec<f64> = domain.round_numbers(4);
        assert_eq!(ticks, [0.0, 0.02, 0.04]);
    }

    #[test]
    fn one_wild_interval_does_not_squeeze_the_rest() {
        let values = [0.40, 0.42, 0.44];
        let domain = Domain::robust(&values, &[(0.38, 0.42), (0.40, 0.44), (-5.0, 6.0)]);
        assert!(domain.low > -0.2 && domain.high < 1.0, "{domain:?}");
    }
}
