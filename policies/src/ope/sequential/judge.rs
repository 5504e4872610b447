//! From episodes to estimates, intervals and refusals.

use rayon::prelude::*;

use super::episodes::Episodes;
use super::estimator::Sequential;
use super::fqe::{Fqe, FqeMode};
use super::magic::Returns;
use super::mis::Mis;
use super::returns::ReturnDistribution;
use super::weighted::StepSums;
use crate::ope::bootstrap::{BootstrapPlan, Interval, Poisson, spread};
use crate::ope::interval::{Method, normal_quantile, t_quantile};
use crate::ope::one_step::{
    ActionOverlap, Propensity, TableEstimate, TableInterval, TableJudgement, TableOptions, in_words,
};
use crate::ope::table::{Header, Table, TableError};
use crate::ope::weights::WeightDiagnostics;

/// What only episodes have.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct SequenceOptions {
    /// Discount a step, in [0, 1].
    pub discount: f64,
    /// Which Q function is fitted.
    pub fqe: FqeMode,
}

impl Default for SequenceOptions {
    fn default() -> Self {
        Self {
            discount: 1.0,
            fqe: FqeMode::Stationary,
        }
    }
}

/// Judges the target policy of a table with episodes.
///
/// # Errors
/// [`TableError`] for a table that cannot be read.
pub fn judge_sequential(
    table: &Table,
    options: &TableOptions<Sequential>,
    sequence: SequenceOptions,
) -> Result<TableJudgement, TableError> {
    let header = table.header();
    let asked: Vec<Sequential> = if options.estimators.is_empty() {
        Sequential::ALL
            .into_iter()
            .filter(|e| lacking(*e, header).is_none())
            .collect()
    } else {
        options.estimators.clone()
    };
    let model = header.has_model() && asked.iter().any(|e| e.models());
    let states = header.has_states() && asked.iter().any(|e| e.states());
    let episodes = Episodes::read(table, model, states)?;
    let sums = StepSums::of(&episodes, sequence.discount);
    let mut judge = Judge {
        options,
        sequence,
        episodes: &episodes,
        resamples: if options.interval == Method::Bootstrap || asked.contains(&Sequential::Magic) {
            sums.resampled(options.bootstrap)
        } else {
            Vec::new()
        },
        single: single_steps(&episodes),
        errors: sums.standard_errors(&Sequential::ALL, &episodes),
        sums,
        notes: Vec::new(),
    };
    let estimates = asked
        .iter()
        .map(|estimator| judge.estimate(*estimator, lacking(*estimator, header)))
        .collect();
    judge.say(&asked);
    let rows = episodes.reward.len() as f64;
    let supported = options.gate.refusal(&judge.sums.trajectory).is_none();
    Ok(TableJudgement {
        rows: episodes.reward.len() as u64,
        episodes: Some(episodes.len() as u64),
        level: options.level,
        seed: options.bootstrap.seed,
        propensities: header.has_propensity().then_some(Propensity::Logged),
        weights: header
            .has_propensity()
            .then(|| judge.sums.trajectory.into()),
        estimates,
        actions: (0..header.actions)
            .map(|action| ActionOverlap {
                action,
                logged: episodes.logged[action],
                target: episodes.wanted[action] / rows,
                calibration: None,
            })
            .collect(),
        diagnostics: episodes.diagnostics(header, sequence.discount),
        returns: (header.has_propensity() && supported)
            .then(|| ReturnDistribution::of(&episodes, sequence.discount))
            .flatten(),
        sensitivity: None,
        selection: None,
        notes: judge.notes,
    })
}

/// Weights of single steps, which marginalised estimators use.
fn single_steps(episodes: &Episodes) -> WeightDiagnostics {
    let weights: Vec<f64> = episodes.log_ratio.iter().map(|log| log.exp()).collect();
    WeightDiagnostics::of(&weights)
}

fn lacking(estimator: Sequential, header: &Header) -> Option<String> {
    let mut absent = Vec::new();
    if estimator.weighs() && !header.has_propensity() {
        absent.push("`propensity`".to_owned());
    }
    if estimator.models() && !header.has_model() {
        absent.push(format!("`q0` to `q{}`", header.actions - 1));
    }
    if estimator.states() && !header.has_states() {
        absent.push("`state`".to_owned());
    }
    (!absent.is_empty()).then(|| {
        format!(
            "the table has no {}, which {estimator} needs",
            absent.join(" and no ")
        )
    })
}

/// A value that is made anew in each resample.
struct Remade {
    value: f64,
    resamples: Vec<f64>,
}

struct Judge<'a> {
    options: &'a TableOptions<Sequential>,
    sequence: SequenceOptions,
    episodes: &'a Episodes,
    sums: StepSums,
    single: WeightDiagnostics,
    /// Standard errors of all estimators, in their order.
    errors: Vec<f64>,
    resamples: Vec<Vec<f64>>,
    notes: Vec<String>,
}

impl Judge<'_> {
    fn estimate(&mut self, estimator: Sequential, lacking: Option<String>) -> TableEstimate {
        let mut result = TableEstimate {
            estimator: estimator.name().to_owned(),
            parameter: None,
            value: None,
            standard_error: None,
            biased: estimator.biased(),
            interval: None,
            refused: lacking.or_else(|| self.refusal(estimator)),
        };
        if result.refused.is_some() {
            return result;
        }
        match self.numbers(estimator) {
            Ok((value, error, interval)) if value.is_finite() && error.is_finite() => {
                result.value = Some(value);
                result.standard_error = Some(error);
                result.interval = interval;
            }
            Ok((value, error, _)) => {
                result.refused = Some(format!(
                    "its value is {value} with standard error {error}; look for extreme rewards or weights"
                ));
            }
            Err(reason) => result.refused = Some(reason),
        }
        result
    }

    /// Why an estimate is not given.
    fn refusal(&self, estimator: Sequential) -> Option<String> {
        let e = self.episodes;
        if e.len() < 2 {
            return Some("one episode has no spread; collect more".to_owned());
        }
        if estimator.models() && e.missing_model > 0 {
            return Some(format!(
                "the model has no value in {} of {} rows ({:.1} %); fill in the columns `q…`",
                e.missing_model,
                e.reward.len(),
                100.0 * e.missing_model as f64 / e.reward.len() as f64
            ));
        }
        if !estimator.weighs() {
            return None;
        }
        let plain = matches!(
            estimator,
            Sequential::Tis | Sequential::Pdis | Sequential::Dr
        );
        if plain && self.sums.largest > 700.0 {
            return Some(format!(
                "weights reach e^{:.0}, which no number holds; take a self-normalised or marginalised estimator",
                self.sums.largest
            ));
        }
        let weights = match estimator {
            Sequential::Mis => &self.single,
            _ if estimator.whole() => &self.sums.trajectory,
            _ => &self.sums.stepwise,
        };
        self.options
            .gate
            .refusal(weights)
            .map(|refusal| in_words(&refusal, "episode"))
    }

    /// Value, standard error and interval.
    fn numbers(
        &mut self,
        estimator: Sequential,
    ) -> Result<(f64, f64, Option<TableInterval>), String> {
        let options = self.options;
        match estimator {
            Sequential::Magic => self.magic(),
            Sequential::Fqe | Sequential::Mis => {
                let remade = if estimator == Sequential::Fqe {
                    self.fqe()?
                } else {
                    self.mis()
                };
                let interval = Interval::percentile(&remade.resamples, options.level)
                    .ok_or("too many resamples have no value")?;
                let error = interval.standard_error;
                let shown = self.interval(remade.value, error, || Some(interval));
                Ok((remade.value, error, shown))
            }
            _ => {
                let value = self.sums.value(estimator, &self.sums.totals);
                let at = Sequential::ALL.iter().position(|e| *e == estimator);
                let error = at.map_or(f64::NAN, |at| self.errors[at]);
                let shown = self.interval(value, error, || {
                    let values: Vec<f64> = self
                        .resamples
                        .iter()
                        .map(|sums| self.sums.value(estimator, sums))
                        .collect();
                    Interval::percentile(&values, options.level)
                });
                if shown.is_none() {
                    self.notes.push(format!(
                        "{estimator} has no {} interval: returns of episodes have no declared range; take normal, t or bootstrap",
                        options.interval
                    ));
                }
                Ok((value, error, shown))
            }
        }
    }

    fn interval(
        &self,
        value: f64,
        error: f64,
        percentiles: impl FnOnce() -> Option<Interval>,
    ) -> Option<TableInterval> {
        let options = self.options;
        let around = |quantile: f64| (value - quantile * error, value + quantile * error);
        let (lower, upper) = match options.interval {
            Method::Normal => around(normal_quantile(options.level)),
            Method::T => around(t_quantile(options.level, self.episodes.len() as f64 - 1.0)),
            Method::Bootstrap => percentiles().map(|i| (i.lower, i.upper))?,
            Method::Hoeffding | Method::Bernstein | Method::Betting => return None,
        };
        Some(TableInterval {
            method: options.interval,
            lower,
            upper,
            resamples: (options.interval == Method::Bootstrap)
                .then_some(options.bootstrap.resamples),
        })
    }

    fn remade(&self, value: f64, make: impl Fn(&dyn Fn(usize) -> f64) -> f64 + Sync) -> Remade {
        let plan: BootstrapPlan = self.options.bootstrap;
        let groups = self.sums.groups();
        let poisson = Poisson::new();
        let resamples = (0..plan.resamples)
            .into_par_iter()
            .map_init(
                || vec![0.0; groups],
                |counts, resample| {
                    poisson.fill(counts, plan.seed, resample);
                    make(&|episode| counts[spread(episode as u64, groups as u64)])
                },
            )
            .collect();
        Remade { value, resamples }
    }

    fn fqe(&mut self) -> Result<Remade, String> {
        let fqe = Fqe::of(self.episodes, self.sequence.discount, self.sequence.fqe);
        let q = fqe.solve(|_| 1.0, None).ok_or(
            "the fitted process never ends, and without discount it has no value; set `--discount` below 1, or log `done`",
        )?;
        if fqe.unseen > 0 {
            self.notes.push(format!(
                "fqe: {} pairs of a state and an action that the policy would take were never logged, and count as 0",
                fqe.unseen
            ));
        }
        let value = fqe.value(&q, |_| 1.0);
        Ok(self.remade(value, |times| {
            fqe.solve(times, Some(&q))
                .map_or(f64::NAN, |q| fqe.value(&q, times))
        }))
    }

    fn mis(&self) -> Remade {
        let mis = Mis::of(self.episodes, self.sequence.discount);
        self.remade(mis.value(|_| 1.0), |times| mis.value(times))
    }

    fn magic(&mut self) -> Result<(f64, f64, Option<TableInterval>), String> {
        let returns = Returns::of(self.episodes, &self.sums, self.sequence.discount);
        let weighted: Vec<f64> = self
            .resamples
            .iter()
            .map(|sums| self.sums.value(Sequential::Wdr, sums))
            .collect();
        let half = Interval::percentile(&weighted, 0.5)
            .ok_or("too many resamples have no weight at all")?;
        let (value, error) = returns.blend(half.lower, half.upper);
        let quantile = normal_quantile(self.options.level);
        self.notes.push(
            "magic: its interval is the normal one of the blend as it is; the choice of the blend is not in it"
                .to_owned(),
        );
        Ok((
            value,
            error,
            Some(TableInterval {
                method: Method::Normal,
                lower: value - quantile * error,
                upper: value + quantile * error,
                resamples: None,
            }),
        ))
    }

    fn say(&mut self, asked: &[Sequential]) {
        if asked.contains(&Sequential::Dm) && !self.episodes.model.is_empty() {
            self.notes.push(
                "dm rests on the model of the columns `q…` alone; the model's own error is not in its interval"
                    .to_owned(),
            );
        }
        let states = asked.iter().any(|e| e.states());
        if states && self.episodes.cut > 0 {
            self.notes.push(format!(
                "{} episodes were cut off without a next state; fqe and mis take them as ended",
                self.episodes.cut
            ));
        }
    }
}
