//! From the sums over a table to estimates, intervals and refusals.

use super::bounds::{bounded, ends};
use super::estimator::{OneStep, Request, Shrink};
use super::gather::{Bounded, Gathered, clustered_error, gather, resampled};
use super::layout::{Formula, Layout};
use super::options::TableOptions;
use super::piece::{Model, Need};
use super::results::{ActionOverlap, Propensity, TableEstimate, TableInterval, TableJudgement};
use super::sensitivity::sensitivity;
use super::tuning::{Known, chosen};
use crate::ope::bootstrap::Interval;
use crate::ope::interval::{Method, normal_quantile, t_quantile};
use crate::ope::model::{Behaviour, FOLDS, Fitted, ModelKind, Weighting};
use crate::ope::table::{Header, Table, TableError};
use crate::ope::weights::{Refusal, WeightDiagnostics};

/// Judges the target policy of a table without episodes.
///
/// # Errors
/// [`TableError`] for a table that cannot be read.
pub fn judge_one_step(table: &Table, options: &TableOptions) -> Result<TableJudgement, TableError> {
    let header = table.header();
    let source = Source::of(header, options);
    let requests: Vec<Request> = if options.estimators.is_empty() {
        OneStep::USUAL
            .into_iter()
            .filter(|e| source.lacking(*e).is_none())
            .map(Request::Given)
            .collect()
    } else {
        options.estimators.clone()
    };
    let mut layout = Layout {
        fitted: source.kind.is_some_and(|kind| kind != ModelKind::Given),
        ..Layout::default()
    };
    let (mut shrinks, mut kept) = (Vec::new(), Vec::new());
    let asked: Vec<Asked> = requests
        .iter()
        .map(|request| {
            let candidates = request.candidates();
            let lacking = source.lacking(candidates[0]);
            let candidates = candidates
                .into_iter()
                .map(|estimator| Candidate {
                    estimator,
                    formula: lacking.is_none().then(|| layout.formula(estimator)),
                    shrunk: estimator
                        .shrink()
                        .filter(|_| lacking.is_none())
                        .map(|shrink| {
                            shrinks.push(shrink);
                            shrinks.len() - 1
                        }),
                    side: bounded(estimator, options)
                        .filter(|_| lacking.is_none())
                        .map(|bounded| {
                            kept.push(bounded);
                            (bounded, kept.len() - 1)
                        }),
                })
                .collect();
            Asked {
                request: *request,
                lacking,
                candidates,
            }
        })
        .collect();
    let computed = |f: fn(OneStep) -> bool| {
        let mut all = asked.iter().filter(|a| a.lacking.is_none());
        all.any(|a| f(a.candidates[0].estimator))
    };
    let models = computed(|e| e.models() && e != OneStep::Mrdr);
    let fitted = Fits {
        model: source.fit(table, models, Weighting::Plain)?,
        robust: source.fit(table, computed(|e| e == OneStep::Mrdr), Weighting::Mrdr)?,
        behaviour: (source.propensity == Some(Propensity::Estimated))
            .then(|| Behaviour::fit(table))
            .transpose()?,
    };
    let need = |of_fold| Need {
        layout: &layout,
        shrinks: if source.propensity.is_some() {
            &shrinks
        } else {
            &[]
        },
        bounded: &kept,
        model: source.model(models, fitted.model.as_ref()),
        robust: fitted
            .robust
            .as_ref()
            .map_or(Model::None, |f| Model::Fitted(source.robust_kind(), f)),
        behaviour: fitted.behaviour.as_ref().map(|b| (b, of_fold)),
        range: options.range,
    };
    let gathered = gather(table, &need(None))?;
    // The model of the logging policy is an estimate too: each fold's model in turn stands for all.
    let others = if fitted.behaviour.is_some() {
        (0..FOLDS)
            .map(|fold| gather(table, &need(Some(fold))))
            .collect::<Result<Vec<_>, TableError>>()?
    } else {
        Vec::new()
    };
    let judge = Judge {
        options,
        resamples: if options.interval == Method::Bootstrap {
            resampled(&gathered, options.bootstrap)
        } else {
            Vec::new()
        },
        unsupported: gathered
            .diagnostics
            .diagnostics(header)
            .overlap
            .unsupported(),
        gathered: &gathered,
        others,
    };
    let mut notes = Vec::new();
    let estimates = asked
        .iter()
        .map(|asked| judge.estimate(asked, &mut notes))
        .collect();
    judge.notes(&source, &fitted, &asked, &mut notes);
    let drift = gathered.drift.drift();
    notes.extend(drift.and_then(|drift| drift.in_words()));
    let sensitivity = match options.gamma.filter(|_| source.propensity.is_some()) {
        Some(gamma) => Some(sensitivity(table, &need(None), gamma)?),
        None => None,
    };
    Ok(TableJudgement {
        rows: gathered.rows,
        episodes: None,
        level: options.level,
        seed: options.bootstrap.seed,
        propensities: source.propensity,
        weights: source
            .propensity
            .map(|_| gathered.weights.diagnostics().into()),
        estimates,
        actions: (0..header.actions)
            .map(|action| ActionOverlap {
                action,
                logged: gathered.overlap.logged[action],
                target: gathered.overlap.target[action] / gathered.rows as f64,
                calibration: header
                    .has_propensity()
                    .then(|| gathered.overlap.calibration(action, gathered.rows as f64).0),
            })
            .collect(),
        diagnostics: Some(gathered.diagnostics.diagnostics(header)),
        returns: None,
        sensitivity,
        selection: None,
        drift,
        judged: Some(gathered.prints.fingerprint()),
        notes,
    })
}

/// Where propensities and the reward model come from.
pub(super) struct Source {
    propensity: Option<Propensity>,
    kind: Option<ModelKind>,
    /// Why the model that was asked for cannot be had.
    no_model: Option<String>,
}

impl Source {
    pub(super) fn of(header: &Header, options: &TableOptions) -> Self {
        let asked = options.model.or_else(|| ModelKind::usual(header));
        let no_model = match asked {
            Some(kind) => kind.lacking(header),
            None => Some(format!(
                "the table has no `q0` to `q{}`, and no `x0` or `state` to fit a model to",
                header.actions - 1
            )),
        };
        Self {
            propensity: if header.has_propensity() {
                Some(Propensity::Logged)
            } else {
                options.estimate_propensity.then_some(Propensity::Estimated)
            },
            kind: asked.filter(|_| no_model.is_none()),
            no_model,
        }
    }

    /// Which columns an estimator needs and a table lacks, in words.
    fn lacking(&self, estimator: OneStep) -> Option<String> {
        let mut reasons = Vec::new();
        if estimator.weighs() && self.propensity.is_none() {
            reasons.push(
                "the table has no `propensity` (`--estimate-propensity` fits a model of it)"
                    .to_owned(),
            );
        }
        if estimator.models()
            && let Some(reason) = &self.no_model
        {
            reasons.push(reason.clone());
        }
        (!reasons.is_empty())
            .then(|| format!("{}; {} needs it", reasons.join(", and "), estimator.name()))
    }

    pub(super) const fn propensity(&self) -> Option<Propensity> {
        self.propensity
    }

    pub(super) fn fit(
        &self,
        table: &Table,
        wanted: bool,
        weighting: Weighting,
    ) -> Result<Option<Fitted>, TableError> {
        let given = self.kind == Some(ModelKind::Given) && weighting == Weighting::Plain;
        match self.kind.filter(|_| wanted && !given) {
            Some(kind) => Fitted::fit(table, kind, weighting).map(Some),
            None => Ok(None),
        }
    }

    pub(super) fn model<'a>(&self, wanted: bool, fitted: Option<&'a Fitted>) -> Model<'a> {
        match (self.kind.filter(|_| wanted), fitted) {
            (None, _) => Model::None,
            (Some(kind), Some(fitted)) => Model::Fitted(kind, fitted),
            (Some(_), None) => Model::Given,
        }
    }

    fn robust_kind(&self) -> ModelKind {
        self.kind.unwrap_or(ModelKind::Given)
    }
}

struct Fits {
    model: Option<Fitted>,
    robust: Option<Fitted>,
    behaviour: Option<Behaviour>,
}

struct Asked {
    request: Request,
    lacking: Option<String>,
    candidates: Vec<Candidate>,
}

struct Candidate {
    estimator: OneStep,
    formula: Option<Formula>,
    shrunk: Option<usize>,
    side: Option<(Bounded, usize)>,
}

struct Judge<'a> {
    options: &'a TableOptions,
    gathered: &'a Gathered,
    /// A group of rows in which the log never did what the policy does.
    unsupported: Option<String>,
    resamples: Vec<Vec<f64>>,
    /// The same sums under the model of each fold, where propensities are estimated.
    others: Vec<Gathered>,
}

impl Judge<'_> {
    fn estimate(&self, asked: &Asked, notes: &mut Vec<String>) -> TableEstimate {
        let candidate = &asked.candidates[self.choice(asked, notes)];
        let estimator = candidate.estimator;
        let mut result = TableEstimate {
            estimator: estimator.name().to_owned(),
            parameter: estimator.shrink().map(Shrink::parameter),
            value: None,
            standard_error: None,
            biased: estimator.biased(),
            interval: None,
            refused: asked.lacking.clone(),
        };
        let Some(formula) = &candidate.formula else {
            return result;
        };
        result.refused = self.refusal(candidate);
        if result.refused.is_some() {
            return result;
        }
        let value = formula.value(self.gathered.moments.means());
        let fitted = self.error_of_propensities(formula);
        let error = self.error(formula).hypot(fitted);
        if !value.is_finite() || !error.is_finite() {
            result.refused = Some(format!(
                "its value is {value} with standard error {error}; look for extreme rewards or weights"
            ));
            return result;
        }
        result.value = Some(value);
        result.standard_error = Some(error);
        match self.interval(formula, value, error, fitted, candidate.side) {
            Ok((lower, upper)) => {
                let resampled = self.options.interval == Method::Bootstrap;
                result.interval = Some(TableInterval {
                    method: self.options.interval,
                    lower,
                    upper,
                    resamples: resampled.then_some(self.options.bootstrap.resamples),
                });
            }
            Err(reason) => notes.push(format!(
                "{estimator} has no {} interval: {reason}",
                self.options.interval
            )),
        }
        result
    }

    /// Which candidate of a family stands for it.
    fn choice(&self, asked: &Asked, notes: &mut Vec<String>) -> usize {
        let Request::Tuned(_, tuning) = asked.request else {
            return 0;
        };
        let known: Option<Vec<Known>> = asked
            .candidates
            .iter()
            .map(|candidate| {
                let formula = candidate.formula.as_ref()?;
                Some(Known {
                    value: formula.value(self.gathered.moments.means()),
                    error: self.error(formula),
                    lost: formula.lost(&self.gathered.moments)?.0,
                })
            })
            .collect();
        let Some(known) = known else { return 0 };
        let choice = chosen(&known, tuning, normal_quantile(self.options.level));
        notes.push(format!(
            "{} was chosen by {} among {} parameters",
            asked.candidates[choice].estimator,
            match tuning {
                super::Tuning::Slope => "SLOPE",
                super::Tuning::MeanSquaredError => "estimated squared error",
            },
            known.len()
        ));
        choice
    }

    fn error(&self, formula: &Formula) -> f64 {
        if self.gathered.units.is_some() {
            clustered_error(self.gathered, formula)
        } else {
            formula.standard_error(&self.gathered.moments)
        }
    }

    /// What the estimate of propensities adds to the standard error: the jackknife over the folds that fitted it.
    fn error_of_propensities(&self, formula: &Formula) -> f64 {
        let others = self.others.iter();
        jackknife(others.map(|gathered| formula.value(gathered.moments.means())))
    }

    /// Why an estimate is not given.
    fn refusal(&self, candidate: &Candidate) -> Option<String> {
        let (gathered, estimator) = (self.gathered, candidate.estimator);
        if gathered.rows < 2 {
            return Some("one row has no spread; collect more".to_owned());
        }
        if gathered.units.is_some_and(|units| units < 2) {
            return Some(
                "all rows belong to one unit, which has no spread; collect more".to_owned(),
            );
        }
        if estimator.models() && gathered.missing_model > 0 {
            return Some(format!(
                "the reward model has no value in {} of {} rows ({:.1} %); fill in the columns `q…`, or leave out these rows and say so",
                gathered.missing_model,
                gathered.rows,
                100.0 * gathered.missing_model as f64 / gathered.rows as f64
            ));
        }
        if !estimator.weighs() {
            return None;
        }
        let weights: WeightDiagnostics = candidate
            .shrunk
            .map_or(&gathered.weights, |at| &gathered.shrunk[at])
            .diagnostics();
        self.never_taken()
            .or_else(|| self.unsupported.clone())
            .or_else(|| {
                let refusal = self.options.gate.refusal(&weights);
                refusal.map(|refusal| in_words(&refusal, "row"))
            })
    }

    /// An action that the policy takes in at least one row of a thousand and the log never took.
    fn never_taken(&self) -> Option<String> {
        let overlap = &self.gathered.overlap;
        (0..overlap.logged.len()).find_map(|action| {
            let share = overlap.target[action] / self.gathered.rows as f64;
            (overlap.logged[action] == 0 && share >= 0.001).then(|| {
                format!(
                    "action {action} was never taken, and the policy takes it in {:.1} % of rows; collect such rows, or mask the action",
                    share * 100.0
                )
            })
        })
    }

    /// Both ends, or why there are none.
    fn interval(
        &self,
        formula: &Formula,
        value: f64,
        error: f64,
        fitted: f64,
        side: Option<(Bounded, usize)>,
    ) -> Result<(f64, f64), String> {
        let options = self.options;
        let quantile = normal_quantile(options.level);
        let n = self
            .gathered
            .units
            .map_or(self.gathered.rows as f64, |units| units as f64);
        // What shrinking leaves out: |mean b| + z se(b), on both sides.
        let left_out = formula
            .lost(&self.gathered.moments)
            .map_or(0.0, |(mean, se)| mean.abs() + quantile * se);
        let (lower, upper) = match options.interval {
            Method::Normal => (value - quantile * error, value + quantile * error),
            Method::T => {
                let quantile = t_quantile(options.level, n - 1.0);
                (value - quantile * error, value + quantile * error)
            }
            Method::Bootstrap => {
                let values: Vec<f64> = self
                    .resamples
                    .iter()
                    .map(|m| formula.resampled(m, self.gathered.moments.means()))
                    .collect();
                let i = Interval::percentile(&values, options.level)
                    .ok_or("too many resamples have no weight at all")?;
                widened((i.lower, i.upper), value, quantile * fitted)
            }
            _ => {
                let bound = ends(options, self.gathered, formula, value, side)?;
                widened(bound, value, quantile * fitted)
            }
        };
        Ok((lower - left_out, upper + left_out))
    }

    fn notes(&self, source: &Source, fitted: &Fits, asked: &[Asked], notes: &mut Vec<String>) {
        let computed = |f: fn(OneStep) -> bool| {
            let mut all = asked.iter().filter(|a| a.lacking.is_none());
            all.any(|a| f(a.candidates[0].estimator))
        };
        if let Some(kind) = source.kind
            && fitted.model.is_some()
        {
            notes.push(format!(
                "the reward model was fitted here: {}, each row by the model of the {} folds that do not hold it",
                kind.describe(),
                FOLDS - 1
            ));
        }
        if computed(|e| e == OneStep::Dm) {
            notes.push(format!(
                "dm rests on the reward model ({}) alone; {}",
                source.kind.map_or("", ModelKind::describe),
                if fitted.model.is_some() {
                    "its interval holds the spread of the fit (infinitesimal jackknife over rows), not what the model cannot express"
                } else {
                    "the model's own error is not in its interval"
                }
            ));
        }
        if let Some(behaviour) = &fitted.behaviour {
            notes.push(format!(
                "ESTIMATED propensities: {}, cross-fitted; intervals hold the spread of that model, not reasons it cannot see; nothing may be promoted on them alone",
                behaviour.describe()
            ));
        }
        if source.propensity.is_some() {
            let weights = self.gathered.weights.diagnostics();
            let spread = weights.n as f64 / weights.effective_sample_size.max(1e-300) - 1.0;
            let error = weights.mean * (spread / weights.n as f64).sqrt();
            if (weights.mean - 1.0).abs() > 4.0 * error + 1e-9 {
                notes.push(format!(
                    "weights average {:.3} ± {error:.3}, and 1 is expected: propensities are wrong, or actions that the policy takes were never possible",
                    weights.mean
                ));
            }
        }
        if source.propensity == Some(Propensity::Logged) {
            let overlap = &self.gathered.overlap;
            for (action, taken) in overlap.logged.iter().enumerate() {
                let (mean, error) = overlap.calibration(action, self.gathered.rows as f64);
                if *taken > 0 && (mean - 1.0).abs() > 4.0 * error + 1e-9 {
                    notes.push(format!(
                        "propensities of action {action} do not add up: its rows over their propensity make {mean:.3} ± {error:.3} of the log, and 1 is expected"
                    ));
                }
            }
        }
        if computed(|e| e.shrink().is_some()) {
            notes.push(
                "intervals of clipped and shrunk estimators include a bound on their bias: |mean b| + z se(b), b what shrinking leaves out"
                    .to_owned(),
            );
        }
        if self.gathered.units.is_some_and(|units| units > 4096) {
            notes.push("more than 4096 units: several share a group of the bootstrap".to_owned());
        }
    }
}

/// Standard error by leaving out a fold at a time: values without each. Zero when there are none.
pub(crate) fn jackknife(values: impl Iterator<Item = f64>) -> f64 {
    let values: Vec<f64> = values.collect();
    if values.is_empty() {
        return 0.0;
    }
    let k = values.len() as f64;
    let mean = values.iter().sum::<f64>() / k;
    let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
    ((k - 1.0) / k * squares).sqrt()
}

/// An interval with another, independent error in it: half-widths add in squares.
pub(crate) fn widened(ends: (f64, f64), value: f64, half: f64) -> (f64, f64) {
    if half == 0.0 {
        return ends;
    }
    (
        value - (value - ends.0).hypot(half),
        value + (ends.1 - value).hypot(half),
    )
}

/// A refusal with its remedy; `unit` is what has a weight.
pub(crate) fn in_words(refusal: &Refusal, unit: &str) -> String {
    match refusal {
        Refusal::NoOverlap => {
            format!(
                "the log never did what the policy does; collect such {unit}s, or mask these actions"
            )
        }
        Refusal::SampleTooSmall { have, needed } => format!(
            "the weights leave an effective sample of {have:.1} {unit}s, and {needed:.0} are needed; collect more, or judge a policy closer to the log's"
        ),
        Refusal::OneConversationDecides { share, limit } => format!(
            "one {unit} carries {:.0} % of all weight (limit {:.0} %); collect more, or clip the weights",
            share * 100.0,
            limit * 100.0
        ),
        other => format!("{other:?}"),
    }
}
