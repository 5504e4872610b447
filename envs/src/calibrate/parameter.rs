//! One calibrated number with what it rests on, and the table of them.

use serde::{Deserialize, Serialize};

use super::estimate::Estimate;

/// Events below which a cell is not trusted on its own.
pub const LEAST: u64 = 30;

/// What a number rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Estimated from at least 30 events of its own.
    Fitted,
    /// Estimated from the events of several cells, for its own were fewer than 30.
    Pooled,
    /// Not identified by the log: a default of the simulator.
    Assumed,
}

impl Source {
    /// Its name in files and tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fitted => "fitted",
            Self::Pooled => "pooled",
            Self::Assumed => "assumed",
        }
    }
}

/// One number of the calibrated centre.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Parameter {
    /// Dotted key in the file, such as `shop.human.handle_s`.
    pub key: String,
    /// Which entry of the key's list it is; absent for a single number.
    pub cell: Option<String>,
    /// The value written.
    pub estimate: f64,
    /// Its standard error; absent for what is assumed.
    pub standard_error: Option<f64>,
    /// Events it rests on.
    pub n: u64,
    /// What it rests on.
    pub source: Source,
    /// Why it is pooled or assumed, and what else has to be known to read it.
    pub note: Option<String>,
}

impl Parameter {
    /// The comment beside it in the file.
    #[must_use]
    pub fn comment(&self) -> String {
        let mut text = match self.standard_error {
            Some(se) => format!(
                "{} ± {}, n = {}, {}",
                short(self.estimate),
                short(se),
                self.n,
                self.source.name()
            ),
            None => format!("{}, {}", short(self.estimate), self.source.name()),
        };
        if let Some(note) = &self.note {
            text.push_str(": ");
            text.push_str(note);
        }
        text
    }
}

/// A number as people read it: four significant digits.
pub(super) fn short(value: f64) -> String {
    let rounded = digits(value, 4);
    if rounded != 0.0 && (rounded.abs() < 1e-4 || rounded.abs() >= 1e7) {
        format!("{rounded:e}")
    } else {
        format!("{rounded}")
    }
}

/// A value rounded to significant digits.
pub(super) fn digits(value: f64, significant: i32) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return value;
    }
    let places = significant - 1 - value.abs().log10().floor() as i32;
    if places >= 0 {
        let scale = 10_f64.powi(places.min(300));
        (value * scale).round() / scale
    } else {
        let scale = 10_f64.powi(-places);
        (value / scale).round() * scale
    }
}

/// The table as it is filled in: writes a number into its place and keeps what it rests on.
#[derive(Debug, Default)]
pub(super) struct Table {
    pub(super) parameters: Vec<Parameter>,
}

impl Table {
    /// Notes what a number in the file rests on.
    pub(super) fn note(
        &mut self,
        key: &str,
        cell: Option<&str>,
        estimate: Estimate,
        source: Source,
        note: Option<String>,
    ) {
        self.parameters.push(Parameter {
            key: key.to_owned(),
            cell: cell.map(str::to_owned),
            estimate: estimate.value,
            standard_error: (source != Source::Assumed).then_some(estimate.standard_error),
            n: estimate.n,
            source,
            note,
        });
    }

    /// A number estimated on its own, kept within its range; the default with a reason where events are too few.
    pub(super) fn single(
        &mut self,
        key: &str,
        place: &mut f64,
        estimate: Option<Estimate>,
        range: (f64, f64),
        lacking: &str,
    ) {
        match estimate.filter(|e| e.n >= LEAST && e.value.is_finite()) {
            Some(mut estimate) => {
                let clamped = digits(estimate.value, 6).clamp(range.0, range.1);
                let note = outside(estimate.value, clamped);
                estimate.value = clamped;
                *place = clamped;
                self.note(key, None, estimate, Source::Fitted, note);
            }
            None => {
                let n = estimate.map_or(0, |e| e.n);
                self.note(
                    key,
                    None,
                    Estimate::exact(*place, n),
                    Source::Assumed,
                    Some(lack(lacking, n)),
                );
            }
        }
    }

    /// Numbers of one list: each on its own where it has 30 events, else all together, else the default.
    #[expect(
        clippy::too_many_arguments,
        reason = "one list of the table; a struct would only name the same things again"
    )]
    pub(super) fn list(
        &mut self,
        key: &str,
        places: &mut [f64],
        cells: &[&str],
        estimates: &[Option<Estimate>],
        pooled: Option<Estimate>,
        range: (f64, f64),
        lacking: &str,
    ) {
        let over = pooled.filter(|p| p.n >= LEAST && p.value.is_finite());
        for ((place, cell), own) in places.iter_mut().zip(cells).zip(estimates) {
            let events = own.map_or(0, |e| e.n);
            let own = own.filter(|e| e.n >= LEAST && e.value.is_finite());
            let (found, source, note) = match (own, over) {
                (Some(own), _) => (own, Source::Fitted, None),
                (None, Some(all)) => (
                    all,
                    Source::Pooled,
                    Some(format!(
                        "{events} events of its own, so all cells of the list together"
                    )),
                ),
                (None, None) => {
                    self.note(
                        key,
                        Some(cell),
                        Estimate::exact(*place, events),
                        Source::Assumed,
                        Some(lack(lacking, events)),
                    );
                    continue;
                }
            };
            let clamped = digits(found.value, 6).clamp(range.0, range.1);
            let note = outside(found.value, clamped).or(note);
            *place = clamped;
            let estimate = Estimate {
                value: clamped,
                ..found
            };
            self.note(key, Some(cell), estimate, source, note);
        }
    }

    /// A number that no log tells.
    pub(super) fn assumed(&mut self, key: &str, cell: Option<&str>, value: f64, why: &str) {
        self.note(
            key,
            cell,
            Estimate::exact(value, 0),
            Source::Assumed,
            Some(why.to_owned()),
        );
    }
}

fn lack(lacking: &str, n: u64) -> String {
    if n == 0 {
        lacking.to_owned()
    } else {
        format!("{lacking} ({n} events, {LEAST} needed)")
    }
}

fn outside(found: f64, written: f64) -> Option<String> {
    ((found - written).abs() > 1e-5 * found.abs().max(1e-9)).then(|| {
        format!(
            "the log says {}, outside the simulator's range; the nearest value in range is written",
            short(found)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_rounded_to_their_digits() {
        for (value, expected) in [
            (0.123_456, 0.123_5),
            (123_456.0, 123_500.0),
            (-0.000_987_654, -0.000_987_7),
            (0.0, 0.0),
        ] {
            assert!(
                (digits(value, 4) - expected).abs() <= 1e-12 * value.abs(),
                "{value}"
            );
        }
    }

    #[test]
    fn a_cell_is_fitted_pooled_or_assumed_by_its_events() {
        let mut places = [1.0, 2.0];
        let mut table = Table::default();
        let of = |value, n| {
            Some(Estimate {
                value,
                standard_error: 0.1,
                n,
            })
        };
        let cells = ["a", "b"];
        table.list(
            "k",
            &mut places,
            &cells,
            &[of(5.0, 30), of(9.0, 29)],
            of(6.0, 59),
            (0.0, 8.0),
            "none",
        );
        table.list(
            "k",
            &mut places,
            &cells,
            &[of(9.0, 31), None],
            of(6.0, 29),
            (0.0, 8.0),
            "none",
        );
        let sources: Vec<Source> = table.parameters.iter().map(|p| p.source).collect();
        assert_eq!(
            sources,
            [
                Source::Fitted,
                Source::Pooled,
                Source::Fitted,
                Source::Assumed
            ]
        );
        // 9 lies above the range and is written as 8; the fourth keeps what stood there.
        assert_eq!(places, [8.0, 6.0]);
        assert!(
            table.parameters[2]
                .note
                .as_deref()
                .unwrap()
                .contains("outside")
        );
        assert_eq!(table.parameters[3].standard_error, None);
    }
}
