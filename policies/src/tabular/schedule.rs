//! How step sizes and exploration change while learning goes on.

use serde::{Deserialize, Serialize};

use super::error::LearnError;

/// The step size α of an update.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum StepSize {
    /// Always the same: follows a changing world, keeps the noise.
    Constant {
        /// α in (0, 1].
        value: f64,
    },
    /// α = max(floor, scale / n^power) at the n-th update of a pair.
    ///
    /// With power in (1/2, 1] and floor 0 the conditions of stochastic approximation hold (Σα = ∞, Σα² < ∞) and the table
    /// converges; a power well below 1 converges faster when the discount is high (Even-Dar & Mansour, JMLR 2003).
    Visits {
        /// Step size of the first update, in (0, 1].
        scale: f64,
        /// Exponent in (0, 1].
        power: f64,
        /// Smallest step size, in [0, scale].
        #[serde(default)]
        floor: f64,
    },
    /// From `start` to `end` in a straight line over `steps` steps of training, then constant.
    Linear {
        /// First step size, in (0, 1].
        start: f64,
        /// Last step size, in (0, 1].
        end: f64,
        /// Length of the line, at least 1.
        steps: u64,
    },
}

/// The chance ε of a random allowed action.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Exploration {
    /// Always the same.
    Constant {
        /// ε in [0, 1].
        value: f64,
    },
    /// From `start` to `end` in a straight line over `steps` steps of training, then constant.
    Linear {
        /// First ε, in [0, 1].
        start: f64,
        /// Last ε, in [0, 1].
        end: f64,
        /// Length of the line, at least 1.
        steps: u64,
    },
    /// ε = end + (start − end) · 2^(−t / half_life_steps).
    Exponential {
        /// First ε, in [0, 1].
        start: f64,
        /// Limit of ε, in [0, 1].
        end: f64,
        /// Steps in which the distance to `end` halves, at least 1.
        half_life_steps: u64,
    },
}

impl StepSize {
    /// α for the `visits`-th update of a pair (from 1) at training step `steps` (from 0).
    #[must_use]
    pub fn at(&self, visits: u64, steps: u64) -> f64 {
        match *self {
            Self::Constant { value } => value,
            Self::Visits {
                scale,
                power,
                floor,
            } => (scale * (visits as f64).powf(-power)).max(floor),
            Self::Linear {
                start,
                end,
                steps: length,
            } => line(start, end, length, steps),
        }
    }

    pub(super) fn validate(&self) -> Result<(), LearnError> {
        let share = |key, x: f64| in_range(key, x, "a number in (0, 1]", x > 0.0 && x <= 1.0);
        match *self {
            Self::Constant { value } => share("step_size.constant.value", value),
            Self::Visits {
                scale,
                power,
                floor,
            } => {
                share("step_size.visits.scale", scale)?;
                share("step_size.visits.power", power)?;
                in_range(
                    "step_size.visits.floor",
                    floor,
                    "a number in [0, scale]",
                    (0.0..=scale).contains(&floor),
                )
            }
            Self::Linear { start, end, steps } => {
                share("step_size.linear.start", start)?;
                share("step_size.linear.end", end)?;
                at_least_one("step_size.linear.steps", steps)
            }
        }
    }
}

impl Exploration {
    /// ε at training step `steps`, from 0.
    #[must_use]
    pub fn at(&self, steps: u64) -> f64 {
        match *self {
            Self::Constant { value } => value,
            Self::Linear {
                start,
                end,
                steps: length,
            } => line(start, end, length, steps),
            Self::Exponential {
                start,
                end,
                half_life_steps,
            } => end + (start - end) * (-(steps as f64) / half_life_steps as f64).exp2(),
        }
    }

    pub(super) fn validate(&self) -> Result<(), LearnError> {
        let chance = |key, x: f64| in_range(key, x, "a number in [0, 1]", (0.0..=1.0).contains(&x));
        match *self {
            Self::Constant { value } => chance("exploration.constant.value", value),
            Self::Linear { start, end, steps } => {
                chance("exploration.linear.start", start)?;
                chance("exploration.linear.end", end)?;
                at_least_one("exploration.linear.steps", steps)
            }
            Self::Exponential {
                start,
                end,
                half_life_steps,
            } => {
                chance("exploration.exponential.start", start)?;
                chance("exploration.exponential.end", end)?;
                at_least_one("exploration.exponential.half_life_steps", half_life_steps)
            }
        }
    }
}

/// Step sizes by visits, each computed once: a power costs more than the update it scales.
#[derive(Debug, Clone)]
pub(super) struct StepSizes {
    schedule: StepSize,
    by_visits: Vec<f64>,
}

impl PartialEq for StepSizes {
    /// What is remembered follows from the schedule.
    fn eq(&self, other: &Self) -> bool {
        self.schedule == other.schedule
    }
}

impl StepSizes {
    const REMEMBERED: usize = 1 << 16;

    pub(super) fn new(schedule: StepSize) -> Self {
        Self {
            schedule,
            by_visits: Vec::new(),
        }
    }

    #[inline]
    pub(super) fn at(&mut self, visits: u64, steps: u64) -> f64 {
        if let StepSize::Visits { .. } = self.schedule {
            if let Some(&size) = self.by_visits.get(visits as usize) {
                return size;
            }
            self.remember(visits as usize);
        }
        self.schedule.at(visits, steps)
    }

    #[cold]
    fn remember(&mut self, visits: usize) {
        for n in self.by_visits.len()..=visits.min(Self::REMEMBERED) {
            self.by_visits.push(self.schedule.at(n as u64, 0));
        }
    }
}

fn line(start: f64, end: f64, length: u64, steps: u64) -> f64 {
    if steps >= length {
        return end;
    }
    start + (end - start) * (steps as f64 / length as f64)
}

fn at_least_one(key: &'static str, steps: u64) -> Result<(), LearnError> {
    in_range(key, steps, "a whole number, at least 1", steps > 0)
}

pub(super) fn in_range(
    key: &'static str,
    value: impl ToString,
    expected: &'static str,
    holds: bool,
) -> Result<(), LearnError> {
    if holds {
        Ok(())
    } else {
        Err(LearnError::Config {
            key,
            value: value.to_string(),
            expected,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules_follow_their_formulas() {
        let visits = StepSize::Visits {
            scale: 0.8,
            power: 0.5,
            floor: 0.1,
        };
        for (n, want) in [(1, 0.8), (4, 0.4), (16, 0.2), (64, 0.1), (1_000_000, 0.1)] {
            assert!((visits.at(n, 9) - want).abs() < 1e-15);
            assert_eq!(StepSizes::new(visits).at(n, 9), visits.at(n, 9));
        }
        let line = Exploration::Linear {
            start: 1.0,
            end: 0.2,
            steps: 4,
        };
        for (t, want) in [(0, 1.0), (1, 0.8), (2, 0.6), (4, 0.2), (400, 0.2)] {
            assert!((line.at(t) - want).abs() < 1e-15);
        }
        let decay = Exploration::Exponential {
            start: 0.9,
            end: 0.1,
            half_life_steps: 10,
        };
        for (t, want) in [(0, 0.9), (10, 0.5), (20, 0.3), (1_000_000, 0.1)] {
            assert!((decay.at(t) - want).abs() < 1e-15);
        }
    }

    #[test]
    fn values_out_of_range_are_named() {
        let cases = [
            (
                StepSize::Constant { value: 0.0 }.validate(),
                "`step_size.constant.value` is 0; expected a number in (0, 1]",
            ),
            (
                StepSize::Visits {
                    scale: 1.0,
                    power: f64::NAN,
                    floor: 0.0,
                }
                .validate(),
                "`step_size.visits.power` is NaN; expected a number in (0, 1]",
            ),
            (
                StepSize::Visits {
                    scale: 0.5,
                    power: 1.0,
                    floor: 0.6,
                }
                .validate(),
                "`step_size.visits.floor` is 0.6; expected a number in [0, scale]",
            ),
            (
                StepSize::Linear {
                    start: 1.0,
                    end: 0.5,
                    steps: 0,
                }
                .validate(),
                "`step_size.linear.steps` is 0; expected a whole number, at least 1",
            ),
            (
                Exploration::Constant { value: -0.1 }.validate(),
                "`exploration.constant.value` is -0.1; expected a number in [0, 1]",
            ),
            (
                Exploration::Exponential {
                    start: 1.0,
                    end: 1.5,
                    half_life_steps: 3,
                }
                .validate(),
                "`exploration.exponential.end` is 1.5; expected a number in [0, 1]",
            ),
        ];
        for (result, message) in cases {
            assert_eq!(result.unwrap_err().to_string(), message);
        }
    }
}
