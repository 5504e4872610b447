//! What a tabular learner is told: algorithm, discount, schedules, coupling and seed.

use serde::{Deserialize, Serialize};

use super::error::LearnError;
use super::schedule::{Exploration, StepSize, in_range};

/// The settings of a tabular learner; every key has a default.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TabularConfig {
    /// Which update is made. Default `q`.
    pub algorithm: Algorithm,
    /// Discount γ per step, in [0, 1]. Default: the environment's own, else 0.99.
    pub discount: Option<f64>,
    /// Half-life of value in seconds; set, it replaces `discount` by exp(−β Δt) with β = ln 2 / half-life.
    pub discount_half_life_s: Option<f64>,
    /// Step size α. Default 1 / n^0.7 by visits of the pair.
    pub step_size: StepSize,
    /// Exploration ε. Default 0.1, constant.
    pub exploration: Exploration,
    /// Where an episode ends, and so what a decision is made to answer for. Default `continuing`.
    pub coupling: Coupling,
    /// Price p of a human second in reward units, for `coupling = "toll"`. Default 0.
    pub toll_per_human_s: f64,
    /// Value of every pair before learning. Default 0; above any real value it is optimistic.
    pub initial_value: f64,
    /// Seed of exploration, of the environment's episodes and of the algorithm's own coin. Default 0.
    pub seed: u64,
}

impl Default for TabularConfig {
    fn default() -> Self {
        Self {
            algorithm: Algorithm::Q,
            discount: None,
            discount_half_life_s: None,
            step_size: StepSize::Visits {
                scale: 1.0,
                power: 0.7,
                floor: 0.0,
            },
            exploration: Exploration::Constant { value: 0.1 },
            coupling: Coupling::Continuing,
            toll_per_human_s: 0.0,
            initial_value: 0.0,
            seed: 0,
        }
    }
}

/// The update a learner makes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Algorithm {
    /// Q-learning.
    Q,
    /// Double Q-learning: two tables, one chooses and the other values.
    DoubleQ,
    /// SARSA: bootstraps from the action that is taken next.
    Sarsa,
    /// Expected SARSA: bootstraps from the mean over the exploring policy.
    ExpectedSarsa,
    /// n-step SARSA.
    NStepSarsa {
        /// Steps of reward before bootstrapping, 1..=1024.
        n: usize,
    },
    /// n-step tree backup towards the greedy policy: Q-learning over several steps, off-policy without weights.
    TreeBackup {
        /// Steps of reward before bootstrapping, 1..=1024.
        n: usize,
    },
    /// Watkins's Q(λ) with replacing traces.
    QLambda {
        /// Trace decay λ in [0, 1].
        lambda: f64,
    },
    /// Q-learning with reward centering: as `q`, but converges faster where the discount is near 1.
    CenteredQ {
        /// Step size of the average reward relative to that of the values, η > 0.
        rate_step: f64,
    },
    /// Differential Q-learning: average reward per second instead of a discount. Needs `coupling = "continuing"`.
    DifferentialQ {
        /// Step size of the average reward relative to that of the values, η > 0.
        rate_step: f64,
    },
}

/// Which later events a decision answers for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Coupling {
    /// The episode ends with the conversation: myopic towards shared people. For comparison.
    None,
    /// The episode never ends: bootstraps to the next decision anywhere in the system.
    Continuing,
    /// The episode ends with the conversation, whose reward pays a toll for each human second.
    Toll,
}

impl TabularConfig {
    /// Checks every value and every combination.
    ///
    /// # Errors
    /// [`LearnError::Config`] naming key, value and range.
    pub fn validate(&self) -> Result<(), LearnError> {
        if let Some(discount) = self.discount {
            in_range(
                "discount",
                discount,
                "a number in [0, 1]",
                (0.0..=1.0).contains(&discount),
            )?;
            let both = self.discount_half_life_s.is_some();
            in_range(
                "discount",
                discount,
                "no such key beside `discount_half_life_s`; keep one of them",
                !both,
            )?;
        }
        if let Some(seconds) = self.discount_half_life_s {
            in_range(
                "discount_half_life_s",
                seconds,
                "positive seconds",
                seconds > 0.0 && seconds.is_finite(),
            )?;
        }
        self.step_size.validate()?;
        self.exploration.validate()?;
        let toll = self.toll_per_human_s;
        in_range(
            "toll_per_human_s",
            toll,
            "a price in reward units, at least 0",
            toll >= 0.0 && toll.is_finite(),
        )?;
        in_range(
            "toll_per_human_s",
            toll,
            "0 unless `coupling = \"toll\"`",
            toll == 0.0 || self.coupling == Coupling::Toll,
        )?;
        in_range(
            "initial_value",
            self.initial_value,
            "a finite number",
            self.initial_value.is_finite(),
        )?;
        match self.algorithm {
            Algorithm::NStepSarsa { n } => in_range(
                "algorithm.n_step_sarsa.n",
                n,
                "a whole number in 1..=1024",
                (1..=1024).contains(&n),
            ),
            Algorithm::TreeBackup { n } => in_range(
                "algorithm.tree_backup.n",
                n,
                "a whole number in 1..=1024",
                (1..=1024).contains(&n),
            ),
            Algorithm::QLambda { lambda } => in_range(
                "algorithm.q_lambda.lambda",
                lambda,
                "a number in [0, 1]",
                (0.0..=1.0).contains(&lambda),
            ),
            Algorithm::CenteredQ { rate_step } => {
                let positive = rate_step > 0.0 && rate_step.is_finite();
                in_range(
                    "algorithm.centered_q.rate_step",
                    rate_step,
                    "a positive number",
                    positive,
                )
            }
            Algorithm::DifferentialQ { rate_step } => {
                let positive = rate_step > 0.0 && rate_step.is_finite();
                in_range(
                    "algorithm.differential_q.rate_step",
                    rate_step,
                    "a positive number",
                    positive,
                )?;
                let coupling = format!("{:?}", self.coupling).to_lowercase();
                let continuing = self.coupling == Coupling::Continuing;
                in_range(
                    "coupling",
                    coupling,
                    "\"continuing\" with differential_q, which has no episodes",
                    continuing,
                )
            }
            Algorithm::Q | Algorithm::DoubleQ | Algorithm::Sarsa | Algorithm::ExpectedSarsa => {
                Ok(())
            }
        }
    }
}

/// How future value shrinks with a step, as configured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Discounting {
    PerStep(f64),
    PerSecond(f64),
}

impl Discounting {
    pub(super) fn of(config: &TabularConfig) -> Self {
        match config.discount_half_life_s {
            Some(half_life_s) => Self::PerSecond(std::f64::consts::LN_2 / half_life_s),
            None => Self::PerStep(config.discount.unwrap_or(0.99)),
        }
    }

    #[inline]
    pub(super) fn over(self, elapsed_s: f64) -> f64 {
        match self {
            Self::PerStep(discount) => discount,
            Self::PerSecond(rate) => (-rate * elapsed_s).exp(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_names_every_algorithm_and_schedule() {
        let text = r#"
            algorithm = { n_step_sarsa = { n = 4 } }
            discount_half_life_s = 1800
            step_size = { visits = { scale = 0.5, power = 0.8 } }
            exploration = { exponential = { start = 1.0, end = 0.05, half_life_steps = 20000 } }
            coupling = "toll"
            toll_per_human_s = 0.001
            seed = 7
        "#;
        let config: TabularConfig = toml::from_str(text).unwrap();
        config.validate().unwrap();
        assert_eq!(config.algorithm, Algorithm::NStepSarsa { n: 4 });
        assert_eq!(
            toml::from_str::<TabularConfig>(&toml::to_string(&config).unwrap()).unwrap(),
            config
        );
        assert_eq!(
            toml::from_str::<TabularConfig>("algorithm = \"double_q\"")
                .unwrap()
                .algorithm,
            Algorithm::DoubleQ
        );
        assert!(toml::from_str::<TabularConfig>("discont = 0.9").is_err());
        assert!(
            toml::from_str::<TabularConfig>("algorithm = { q_lambda = { lamda = 0.9 } }").is_err()
        );
    }

    #[test]
    fn values_and_combinations_out_of_range_are_named() {
        type Fault = fn(&mut TabularConfig);
        let cases: [(Fault, &str); 9] = [
            (
                |c| c.discount = Some(1.2),
                "`discount` is 1.2; expected a number in [0, 1]",
            ),
            (
                |c| (c.discount, c.discount_half_life_s) = (Some(0.9), Some(60.0)),
                "`discount` is 0.9; expected no such key beside `discount_half_life_s`; keep one of them",
            ),
            (
                |c| c.discount_half_life_s = Some(0.0),
                "`discount_half_life_s` is 0; expected positive seconds",
            ),
            (
                |c| c.toll_per_human_s = 0.1,
                "`toll_per_human_s` is 0.1; expected 0 unless `coupling = \"toll\"`",
            ),
            (
                |c| c.toll_per_human_s = -0.1,
                "`toll_per_human_s` is -0.1; expected a price in reward units, at least 0",
            ),
            (
                |c| c.initial_value = f64::INFINITY,
                "`initial_value` is inf; expected a finite number",
            ),
            (
                |c| c.algorithm = Algorithm::TreeBackup { n: 0 },
                "`algorithm.tree_backup.n` is 0; expected a whole number in 1..=1024",
            ),
            (
                |c| c.algorithm = Algorithm::QLambda { lambda: 1.1 },
                "`algorithm.q_lambda.lambda` is 1.1; expected a number in [0, 1]",
            ),
            (
                |c| {
                    (c.algorithm, c.coupling) =
                        (Algorithm::DifferentialQ { rate_step: 1.0 }, Coupling::None)
                },
                "`coupling` is none; expected \"continuing\" with differential_q, which has no episodes",
            ),
        ];
        for (fault, message) in cases {
            let mut config = TabularConfig::default();
            fault(&mut config);
            assert_eq!(config.validate().unwrap_err().to_string(), message);
        }
    }

    #[test]
    fn a_half_life_halves_over_its_seconds() {
        let config = TabularConfig {
            discount_half_life_s: Some(1800.0),
            ..TabularConfig::default()
        };
        assert!((Discounting::of(&config).over(1800.0) - 0.5).abs() < 1e-15);
        assert!((Discounting::of(&config).over(3600.0) - 0.25).abs() < 1e-15);
    }
}
