//! From episodes to estimates, intervals and refusals.

use rayon::prelude::*;

use super::episodes::{Episodes, Reading};
use super::estimator::Sequential;
use super::fitted::{cross_fit, fitted};
use super::fqe::{Fqe, FqeMode};
use super::influence::Influence;
use super::magic::Returns;
use super::mis::Mis;
use super::returns::ReturnDistribution;
use super::steps::LoggedSteps;
use super::weighted::StepSums;
use crate::ope::bootstrap::{BootstrapPlan, GroupSums, Interval, Poisson, spread};
use crate::ope::drift::{Drift, DriftSums};
use crate::ope::interval::{Method, normal_quantile, t_quantile};
use crate::ope::model::{Behaviour, FOLDS, ModelKind};
use crate::ope::one_step::{
    ActionOverlap, Propensity, TableEstimate, TableInterval, TableJudgement, TableOptions,
    in_words, jackknife, widened,
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

/// What is known of the episodes.
pub(crate) struct Known {
    pub(crate) actions: usize,
    pub(crate) propensity: Option<Propensity>,
    /// Where the model comes from, or why there is none.
    pub(crate) model: Result<ModelKind, String>,
    pub(crate) states: bool,
    /// Features, from which `fqe` can be fitted where there are no states.
    pub(crate) features: bool,
}

impl Known {
    /// Of a table.
    pub(crate) fn of<E>(header: &Header, options: &TableOptions<E>) -> Self {
        let model = match options.model.or_else(|| ModelKind::usual(header)) {
            Some(kind) => kind.lacking(header).map_or(Ok(kind), Err),
            None => Err(format!(
                "the table has no `q0` to `q{}`, and no `x0` or `state` to fit a model to",
                header.actions - 1
            )),
        };
        Self {
            actions: header.actions,
            propensity: if header.has_propensity() {
                Some(Propensity::Logged)
            } else {
                options.estimate_propensity.then_some(Propensity::Estimated)
            },
            model,
            states: header.has_states(),
            features: header.features > 0,
        }
    }

    pub(crate) fn fits(&self) -> Option<ModelKind> {
        self.model
            .as_ref()
            .ok()
            .copied()
            .filter(|kind| *kind != ModelKind::Given)
    }

    fn lacking(&self, estimator: Sequential) -> Option<String> {
        let mut absent = Vec::new();
        if estimator.weighs() && self.propensity.is_none() {
            absent.push(
                "the table has no `propensity` (`--estimate-propensity` fits a model of it)"
                    .to_owned(),
            );
        }
        if estimator.models()
            && let Err(reason) = &self.model
        {
            absent.push(reason.clone());
        }
        let features_do = estimator == Sequential::Fqe && self.features;
        if estimator.states() && !self.states && !features_do {
            absent.push("the table has no `state`".to_owned());
        }
        (!absent.is_empty()).then(|| format!("{}; {estimator} needs it", absent.join(", and ")))
    }

    /// The estimators asked for; all that are possible when nothing is.
    fn asked(&self, estimators: &[Sequential]) -> Vec<Sequential> {
        if estimators.is_empty() {
            Sequential::ALL
                .into_iter()
                .filter(|e| self.lacking(*e).is_none())
                .collect()
        } else {
            estimators.to_vec()
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
    let known = Known::of(header, options);
    let asked = known.asked(&options.estimators);
    let models = known.model.is_ok() && asked.iter().any(|e| e.models());
    let fits = known.fits().filter(|_| models);
    let linear_fqe = asked.contains(&Sequential::Fqe) && !known.states && known.features;
    let reading = Reading {
        model: models && fits.is_none(),
        states: known.states && (asked.iter().any(|e| e.states()) || fits.is_some()),
        features: header.features > 0
            && (linear_fqe || matches!(fits, Some(ModelKind::Ridge | ModelKind::Quadratic))),
        keep: fits.is_some() || linear_fqe,
        ..Reading::default()
    };
    let behaviour = match known.propensity {
        Some(Propensity::Estimated) => Some(Behaviour::fit(table)?),
        _ => None,
    };
    let read = |of_fold| {
        let behaviour = behaviour.as_ref().map(|behaviour| (behaviour, of_fold));
        Episodes::read(
            table,
            Reading {
                behaviour,
                ..reading
            },
        )
    };
    let episodes = read(None)?;
    // The model of the logging policy is an estimate too: each fold's model in turn stands for all.
    let others = match &behaviour {
        Some(_) => (0..FOLDS)
            .map(|fold| read(Some(fold)))
            .collect::<Result<Vec<_>, TableError>>()?,
        None => Vec::new(),
    };
    let diagnostics = episodes.diagnostics(header, sequence.discount);
    let mut judgement = judge_episodes(episodes, others, &known, options, sequence);
    judgement.diagnostics = diagnostics;
    if let Some(behaviour) = &behaviour {
        judgement.notes.push(format!(
            "ESTIMATED propensities: {}, cross-fitted by episode; intervals hold the spread of that model, not reasons it cannot see; nothing may be promoted on them alone",
            behaviour.describe()
        ));
    }
    Ok(judgement)
}

/// Judges a policy on logged steps: `target` holds its probabilities, step after step. The model is fitted here, by state.
#[must_use]
pub fn judge_steps(
    log: &LoggedSteps,
    target: &[f64],
    options: &TableOptions<Sequential>,
    sequence: SequenceOptions,
) -> TableJudgement {
    let mut judgement = judge_episodes(
        log.under(target),
        Vec::new(),
        &Known::of_steps(log),
        options,
        sequence,
    );
    judgement.judged = Some(log.prints(&[target]).fingerprint());
    judgement
}

impl Known {
    pub(crate) fn of_steps(log: &LoggedSteps) -> Self {
        Self {
            actions: log.actions,
            propensity: Some(Propensity::Logged),
            model: Ok(ModelKind::Tabular),
            states: true,
            features: false,
        }
    }
}

fn judge_episodes(
    mut episodes: Episodes,
    mut others: Vec<Episodes>,
    known: &Known,
    options: &TableOptions<Sequential>,
    sequence: SequenceOptions,
) -> TableJudgement {
    let asked = known.asked(&options.estimators);
    let mut unfit = None;
    if asked.iter().any(|e| e.models())
        && let Some(kind) = known.fits()
    {
        unfit = cross_fit(&mut episodes, kind, sequence.discount).err();
        for other in &mut others {
            other.model.clone_from(&episodes.model);
            other.value.clone_from(&episodes.value);
        }
    }
    let sums = StepSums::of(&episodes, sequence.discount);
    let mut judge = Judge {
        options,
        sequence,
        episodes: &episodes,
        known,
        resamples: if options.interval == Method::Bootstrap || asked.contains(&Sequential::Magic) {
            sums.resampled(options.bootstrap)
        } else {
            Vec::new()
        },
        single: single_steps(&episodes),
        errors: sums.standard_errors(&Sequential::ALL, &episodes),
        others: others
            .iter()
            .map(|other| StepSums::of(other, sequence.discount))
            .collect(),
        sums,
        notes: Vec::new(),
    };
    let estimates = asked
        .iter()
        .map(|estimator| {
            let unfit = unfit.clone().filter(|_| estimator.models());
            judge.estimate(*estimator, known.lacking(*estimator).or(unfit))
        })
        .collect();
    judge.say(&asked);
    let drift = drift(&episodes, sequence.discount);
    judge.notes.extend(drift.and_then(|drift| drift.in_words()));
    let rows = episodes.reward.len() as f64;
    let supported = options.gate.refusal(&judge.sums.trajectory).is_none();
    TableJudgement {
        rows: episodes.reward.len() as u64,
        episodes: Some(episodes.len() as u64),
        level: options.level,
        seed: options.bootstrap.seed,
        propensities: known.propensity,
        weights: known.propensity.map(|_| judge.sums.trajectory.into()),
        estimates,
        actions: (0..known.actions)
            .map(|action| ActionOverlap {
                action,
                logged: episodes.logged[action],
                target: episodes.wanted[action] / rows,
                calibration: None,
            })
            .collect(),
        diagnostics: None,
        returns: (known.propensity.is_some() && supported)
            .then(|| ReturnDistribution::of(&episodes, sequence.discount))
            .flatten(),
        sensitivity: None,
        selection: None,
        drift,
        judged: Some(episodes.prints.fingerprint()),
        notes: judge.notes,
    }
}

/// Returns, weights and the self-normalised value by halves of the episodes.
fn drift(episodes: &Episodes, discount: f64) -> Option<Drift> {
    let mut sums = DriftSums::default();
    for episode in 0..episodes.len() {
        let weight = if episodes.log_ratio.is_empty() {
            f64::NAN
        } else {
            episodes.log_weights(episode).last().map_or(1.0, f64::exp)
        };
        sums.add(weight, episodes.discounted(episode, discount));
    }
    sums.drift()
}

/// Weights of single steps, which marginalised estimators use.
fn single_steps(episodes: &Episodes) -> WeightDiagnostics {
    let weights: Vec<f64> = episodes.log_ratio.iter().map(|log| log.exp()).collect();
    WeightDiagnostics::of(&weights)
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
    known: &'a Known,
    sums: StepSums,
    /// The same sums under the model of each fold, where propensities are estimated.
    others: Vec<StepSums>,
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
            Sequential::Mis | Sequential::MisStateAction => &self.single,
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
            Sequential::Fqe if !self.known.states => self.fqe_on_features(),
            Sequential::Fqe | Sequential::Mis | Sequential::MisStateAction => {
                let remade = match estimator {
                    Sequential::Fqe => self.fqe()?,
                    Sequential::Mis => self.mis(false),
                    _ => self.mis(true),
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
                if estimator == Sequential::Dm
                    && let Some(influence) = self.influence()
                {
                    return Ok(self.by_influence(value, &influence));
                }
                let fitted = self.error_of_propensities(estimator);
                let error = error.hypot(fitted);
                let shown = self.interval(value, error, || {
                    let values: Vec<f64> = self
                        .resamples
                        .iter()
                        .map(|sums| self.sums.value(estimator, sums))
                        .collect();
                    let plain = Interval::percentile(&values, options.level)?;
                    let half = normal_quantile(options.level) * fitted;
                    let (lower, upper) = widened((plain.lower, plain.upper), value, half);
                    Some(Interval {
                        lower,
                        upper,
                        ..plain
                    })
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

    fn mis(&self, of_actions: bool) -> Remade {
        let mis = Mis::of(self.episodes, self.sequence.discount, of_actions);
        self.remade(mis.value(|_| 1.0), |times| mis.value(times))
    }

    /// Fitted Q evaluation on features: linear, its spread by the infinitesimal jackknife over episodes.
    fn fqe_on_features(&mut self) -> Result<(f64, f64, Option<TableInterval>), String> {
        let kind = match self.options.model {
            Some(ModelKind::Quadratic) => ModelKind::Quadratic,
            _ => ModelKind::Ridge,
        };
        let all = vec![true; self.episodes.reward.len()];
        let q = fitted(self.episodes, kind, self.sequence.discount, &all)?;
        let influence = Influence::of(self.episodes, kind, self.sequence.discount, &q)
            .ok_or("the features and actions are too many to solve for; leave features out")?;
        self.notes.push(format!(
            "fqe is linear here: {}; its interval holds the spread of that fit (infinitesimal jackknife), not what a line misses",
            kind.describe()
        ));
        let n = influence.first.len() as f64;
        let value = influence.first.iter().sum::<f64>() / n;
        Ok(self.by_influence(value, &influence))
    }

    /// What each episode adds to the value of the model that was fitted here, through its first state and through the fit.
    fn influence(&self) -> Option<Influence> {
        let kind = self.known.fits()?;
        Influence::cross_fitted(self.episodes, kind, self.sequence.discount)
    }

    /// Standard error and interval of a mean over episodes with these terms, around a value.
    fn by_influence(&self, value: f64, influence: &Influence) -> (f64, f64, Option<TableInterval>) {
        let terms = influence.terms();
        let n = terms.len() as f64;
        let mean = terms.iter().sum::<f64>() / n;
        let squares: f64 = terms.iter().map(|t| (t - mean).powi(2)).sum();
        let error = (squares / (n - 1.0) / n).sqrt();
        let interval = self.interval(value, error, || {
            let groups = self.sums.groups();
            let mut sums = GroupSums::new(groups, 2);
            for (episode, term) in terms.iter().enumerate() {
                let group = spread(episode as u64, groups as u64);
                sums.add(group, 0, term - mean);
                sums.add(group, 1, 1.0);
            }
            let values: Vec<f64> = sums
                .resampled(self.options.bootstrap)
                .iter()
                .map(|sums| value + sums[0] / sums[1])
                .collect();
            Interval::percentile(&values, self.options.level)
        });
        (value, error, interval)
    }

    /// What the estimate of propensities adds to the standard error: the jackknife over the folds that fitted it.
    fn error_of_propensities(&self, estimator: Sequential) -> f64 {
        let values = self.others.iter();
        jackknife(values.map(|other| other.value(estimator, &other.totals)))
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
        if !self.episodes.model.is_empty()
            && let Ok(kind) = &self.known.model
        {
            let fitted = *kind != ModelKind::Given;
            if fitted {
                self.notes.push(format!(
                    "the model was fitted here: {}, by fitted Q evaluation of the policy judged, each episode by the model of the {} folds that do not hold it",
                    kind.describe(),
                    FOLDS - 1
                ));
            }
            if asked.contains(&Sequential::Dm) {
                self.notes.push(format!(
                    "dm rests on the model ({}) alone; {}",
                    kind.describe(),
                    if fitted && self.influence().is_some() {
                        "its interval holds the spread of the fit (infinitesimal jackknife over episodes), not what the model cannot express"
                    } else {
                        "the model's own error is not in its interval"
                    }
                ));
            }
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
