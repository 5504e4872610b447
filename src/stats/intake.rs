//! From events to mature units: one unit once, in order of exposure, each when its window has closed.
//!
//! The interface leaves no room for the ways that break a sequential test. A unit enters at its exposure and not at its
//! click; every exposed unit is in the denominator; the window is the same for all arms and runs from the exposure; a
//! second visit of a unit is no second unit. What comes too late is counted and never applied.

use std::collections::{BTreeMap, HashMap};

use super::error::StatsError;

/// When an outcome counts, in seconds from the exposure, for every arm alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// An outcome counts up to this long after the exposure.
    pub outcome_secs: i64,
    /// How much longer to wait for events that are late to arrive.
    pub grace_secs: i64,
}

impl Window {
    fn matured_at(self, exposed_at: i64) -> i64 {
        exposed_at
            .saturating_add(self.outcome_secs)
            .saturating_add(self.grace_secs)
    }
}

/// A unit's first decision in an experiment.
#[derive(Debug, Clone, PartialEq)]
pub struct Exposure {
    /// The unit: a customer.
    pub unit: String,
    /// Order among exposures of the same second.
    pub decision_id: u128,
    /// When it happened, in seconds.
    pub at: i64,
    /// The arm, 0 for the champion.
    pub arm: u16,
    /// That arm's share among units like this one, as logged: the stratum's own share where shares depend on a stratum.
    pub share: f64,
    /// The stratum, known before the decision.
    pub stratum: u16,
}

/// A unit whose window and grace have closed.
#[derive(Debug, Clone, PartialEq)]
pub struct MatureUnit {
    /// Its exposure.
    pub exposure: Exposure,
    /// Its outcome: zero when nothing came in the window.
    pub outcome: f64,
}

/// What became of an exposure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entered {
    /// A new unit.
    New,
    /// The unit was there already, in the same arm; it stays one unit.
    Repeated,
    /// The unit was there already in another arm; it stays in its first, and the experiment is broken.
    InTwoArms,
    /// Its place in the order had been closed before it came; it is left out and counted.
    TooLate,
}

/// What became of an outcome event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applied {
    /// Its unit has this outcome now.
    Counted,
    /// No such unit was exposed.
    NotExposed,
    /// It happened before the exposure or after the window.
    OutsideWindow,
    /// It arrived after its unit had been judged.
    TooLate,
}

/// Counts of what was not applied.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Refused {
    /// Further exposures of units in their arm.
    pub repeated: u64,
    /// Units exposed in two arms.
    pub in_two_arms: u64,
    /// Some of these units, in order.
    pub examples: Vec<String>,
    /// Exposures behind the closed edge.
    pub late_exposures: u64,
    /// Outcomes of unknown units.
    pub not_exposed: u64,
    /// Outcomes outside the window.
    pub outside_window: u64,
    /// Outcomes of judged units.
    pub late_outcomes: u64,
}

#[derive(Debug, Clone, PartialEq)]
enum Known {
    Waiting { key: (i64, u128) },
    Judged,
}

#[derive(Debug, Clone, PartialEq)]
struct Waiting {
    exposure: Exposure,
    outcome: f64,
    delay: Option<i64>,
}

/// Gathers events and hands out mature units in order of exposure.
#[derive(Debug, Clone, PartialEq)]
pub struct Intake {
    window: Window,
    now: i64,
    units: HashMap<String, (u16, Known)>,
    waiting: BTreeMap<(i64, u128), Waiting>,
    refused: Refused,
    delays: Vec<i64>,
}

/// Names kept as examples.
const EXAMPLES: usize = 5;

impl Intake {
    /// An empty intake with a window fixed for the whole experiment.
    ///
    /// # Errors
    /// [`StatsError::BadParameter`] for a window that does not last.
    pub fn new(window: Window) -> Result<Self, StatsError> {
        if window.outcome_secs <= 0 || window.grace_secs < 0 {
            return Err(StatsError::BadParameter {
                what: "the outcome window",
                value: window.outcome_secs as f64,
                expected: "windows last longer than 0 s, and grace is not negative",
            });
        }
        Ok(Self {
            window,
            now: i64::MIN,
            units: HashMap::new(),
            waiting: BTreeMap::new(),
            refused: Refused::default(),
            delays: Vec::new(),
        })
    }

    /// Takes in an exposure.
    ///
    /// # Errors
    /// [`StatsError::NotAShare`].
    pub fn expose(&mut self, exposure: Exposure) -> Result<Entered, StatsError> {
        if !(exposure.share > 0.0 && exposure.share < 1.0) {
            return Err(StatsError::NotAShare {
                share: exposure.share,
            });
        }
        if let Some((arm, _)) = self.units.get(&exposure.unit) {
            if *arm == exposure.arm {
                self.refused.repeated += 1;
                return Ok(Entered::Repeated);
            }
            self.refused.in_two_arms += 1;
            if self.refused.examples.len() < EXAMPLES {
                self.refused.examples.push(exposure.unit);
            }
            return Ok(Entered::InTwoArms);
        }
        if self.window.matured_at(exposure.at) <= self.now {
            self.refused.late_exposures += 1;
            return Ok(Entered::TooLate);
        }
        let key = (exposure.at, exposure.decision_id);
        self.units.insert(
            exposure.unit.clone(),
            (exposure.arm, Known::Waiting { key }),
        );
        let waiting = Waiting {
            exposure,
            outcome: 0.0,
            delay: None,
        };
        self.waiting.insert(key, waiting);
        Ok(Entered::New)
    }

    /// Takes in an outcome event: the largest outcome in the window counts.
    ///
    /// # Errors
    /// [`StatsError::OutOfBounds`] outside [0, 1].
    pub fn outcome(&mut self, unit: &str, at: i64, value: f64) -> Result<Applied, StatsError> {
        if !(0.0..=1.0).contains(&value) {
            return Err(StatsError::OutOfBounds {
                value,
                lower: 0.0,
                upper: 1.0,
            });
        }
        let Some((_, known)) = self.units.get(unit) else {
            self.refused.not_exposed += 1;
            return Ok(Applied::NotExposed);
        };
        let Known::Waiting { key } = known else {
            self.refused.late_outcomes += 1;
            return Ok(Applied::TooLate);
        };
        let delay = at - key.0;
        if delay < 0 || delay > self.window.outcome_secs {
            self.refused.outside_window += 1;
            return Ok(Applied::OutsideWindow);
        }
        if let Some(waiting) = self.waiting.get_mut(key) {
            if value > 0.0 {
                waiting.delay.get_or_insert(delay);
            }
            waiting.outcome = waiting.outcome.max(value);
        }
        Ok(Applied::Counted)
    }

    /// Hands out the units that have matured by `now`, in order of exposure; both arms up to the same edge.
    ///
    /// # Errors
    /// [`StatsError::BadParameter`] when time goes backwards.
    pub fn mature(&mut self, now: i64) -> Result<Vec<MatureUnit>, StatsError> {
        if now < self.now {
            return Err(StatsError::BadParameter {
                what: "the time",
                value: now as f64,
                expected: "time does not go backwards",
            });
        }
        self.now = now;
        let mut mature = Vec::new();
        while let Some(first) = self.waiting.first_entry() {
            if self.window.matured_at(first.key().0) > now {
                break;
            }
            let Waiting {
                exposure,
                outcome,
                delay,
            } = first.remove();
            self.delays.extend(delay);
            if let Some((_, known)) = self.units.get_mut(&exposure.unit) {
                *known = Known::Judged;
            }
            mature.push(MatureUnit { exposure, outcome });
        }
        Ok(mature)
    }

    /// Counts of what was not applied.
    #[must_use]
    pub fn refused(&self) -> &Refused {
        &self.refused
    }

    /// The rate of one arm that its waiting units point to, corrected for outcomes still to come: conversions so far over
    /// Σ F(age), with F the delays of judged units. To be shown, never to promote: it assumes that delays stay as they
    /// were and are alike in both arms.
    ///
    /// `None` before a unit of the arm has waited long enough for F to be positive.
    #[must_use]
    pub fn delay_corrected_rate(&self, arm: u16, now: i64) -> Option<f64> {
        let mut delays = self.delays.clone();
        delays.sort_unstable();
        let (mut conversions, mut expected) = (0.0, 0.0);
        for waiting in self.waiting.values().filter(|w| w.exposure.arm == arm) {
            let age = (now - waiting.exposure.at).min(self.window.outcome_secs);
            let seen = delays.partition_point(|delay| *delay <= age);
            expected += seen as f64 / (delays.len() as f64).max(1.0);
            conversions += waiting.outcome;
        }
        (expected > 0.0).then(|| (conversions / expected).min(1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Window = Window {
        outcome_secs: 100,
        grace_secs: 10,
    };

    fn exposure(unit: &str, at: i64, arm: u16) -> Exposure {
        Exposure {
            unit: unit.to_owned(),
            decision_id: at as u128,
            at,
            arm,
            share: 0.5,
            stratum: 0,
        }
    }

    fn names(units: &[MatureUnit]) -> Vec<(&str, f64)> {
        units
            .iter()
            .map(|unit| (unit.exposure.unit.as_str(), unit.outcome))
            .collect()
    }

    #[test]
    fn a_unit_enters_at_its_exposure_and_not_at_its_click() {
        let mut intake = Intake::new(WINDOW).unwrap();
        intake.expose(exposure("first", 0, 0)).unwrap();
        intake.expose(exposure("second", 5, 1)).unwrap();
        // The second clicks at once; the first only at the end of its window. Order is by exposure all the same.
        intake.outcome("second", 6, 1.0).unwrap();
        assert!(intake.mature(109).unwrap().is_empty());
        intake.outcome("first", 100, 1.0).unwrap();
        assert_eq!(names(&intake.mature(110).unwrap()), [("first", 1.0)]);
        assert_eq!(names(&intake.mature(115).unwrap()), [("second", 1.0)]);
    }

    #[test]
    fn whoever_never_resolves_stays_in_the_denominator() {
        let mut intake = Intake::new(WINDOW).unwrap();
        intake.expose(exposure("silent", 0, 0)).unwrap();
        assert_eq!(names(&intake.mature(500).unwrap()), [("silent", 0.0)]);
    }

    #[test]
    fn the_window_runs_from_the_exposure() {
        let mut intake = Intake::new(WINDOW).unwrap();
        intake.expose(exposure("a", 1000, 0)).unwrap();
        for (at, applied) in [
            (999, Applied::OutsideWindow),
            (1101, Applied::OutsideWindow),
            (1100, Applied::Counted),
        ] {
            assert_eq!(intake.outcome("a", at, 1.0).unwrap(), applied);
        }
        intake.mature(1110).unwrap();
        assert_eq!(intake.outcome("a", 1050, 1.0).unwrap(), Applied::TooLate);
        assert_eq!(intake.outcome("b", 1050, 1.0).unwrap(), Applied::NotExposed);
        assert!(intake.outcome("a", 1050, 1.5).is_err());
    }

    #[test]
    fn visits_are_not_units_and_two_arms_are_named() {
        let mut intake = Intake::new(WINDOW).unwrap();
        assert_eq!(intake.expose(exposure("u", 0, 0)).unwrap(), Entered::New);
        for at in 1..20 {
            assert_eq!(
                intake.expose(exposure("u", at, 0)).unwrap(),
                Entered::Repeated
            );
        }
        assert_eq!(
            intake.expose(exposure("u", 30, 1)).unwrap(),
            Entered::InTwoArms
        );
        assert_eq!(names(&intake.mature(1000).unwrap()), [("u", 0.0)]);
        assert_eq!(intake.refused().repeated, 19);
        assert_eq!(intake.refused().in_two_arms, 1);
        assert_eq!(intake.refused().examples, ["u"]);
    }

    #[test]
    fn nothing_overtakes_and_time_does_not_turn() {
        let mut intake = Intake::new(WINDOW).unwrap();
        intake.expose(exposure("a", 50, 0)).unwrap();
        intake.mature(200).unwrap();
        assert_eq!(
            intake.expose(exposure("b", 40, 1)).unwrap(),
            Entered::TooLate
        );
        assert!(intake.mature(199).is_err());
        assert_eq!(intake.refused().late_exposures, 1);
    }

    #[test]
    fn young_units_are_corrected_by_the_delays_of_judged_ones() {
        let mut intake = Intake::new(WINDOW).unwrap();
        // Judged units convert after 10 s or after 90 s, equally often: F(50) = 1/2.
        for i in 0..20 {
            let unit = format!("old{i}");
            intake.expose(exposure(&unit, i, 0)).unwrap();
            if i % 2 == 0 {
                let delay = if i % 4 == 0 { 10 } else { 90 };
                intake.outcome(&unit, i + delay, 1.0).unwrap();
            }
        }
        intake.mature(1000).unwrap();
        assert_eq!(intake.delay_corrected_rate(1, 1000), None);
        // Eight units of 50 s, two converted so far: 2 / (8 · 1/2).
        for i in 0..8 {
            let young = Exposure {
                decision_id: i,
                ..exposure(&format!("new{i}"), 2000, 1)
            };
            intake.expose(young).unwrap();
        }
        intake.outcome("new0", 2005, 1.0).unwrap();
        intake.outcome("new7", 2002, 1.0).unwrap();
        assert_eq!(intake.delay_corrected_rate(0, 2050), None);
        assert_eq!(intake.delay_corrected_rate(1, 2050), Some(0.5));
    }
}
