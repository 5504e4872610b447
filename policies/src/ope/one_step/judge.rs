//! From the sums over a table to estimates, intervals and refusals.

use serde::{Deserialize, Serialize};

use super::estimator::{OneStep, Shrink};
use super::gather::{Bound, Bounded, Gathered, Need, clustered_error, gather, resampled};
use super::layout::{Formula, Layout, Term};
use crate::ope::bootstrap::{BootstrapPlan, Interval};
use crate::ope::interval::{
    Method, bernstein_half_width, hoeffding_half_width, normal_quantile, t_quantile,
};
use crate::ope::sequential::ReturnDistribution;
use crate::ope::table::{Header, Table, TableError};
use crate::ope::weights::{Refusal, SupportGate, WeightDiagnostics};

/// What to compute from a table.
#[derive(Debug, Clone, PartialEq)]
pub struct TableOptions<E = OneStep> {
    /// Estimators; the usual ones when there are none.
    pub estimators: Vec<E>,
    /// How intervals are made.
    pub interval: Method,
    /// Confidence level in (0, 1).
    pub level: f64,
    /// Resamples and their seed.
    pub bootstrap: BootstrapPlan,
    /// Range that rewards can have, declared by whoever knows.
    pub range: Option<(f64, f64)>,
    /// Largest importance weight that can occur, declared likewise.
    pub max_weight: Option<f64>,
    /// When weights are too few to carry a value.
    pub gate: SupportGate,
}

impl<E> Default for TableOptions<E> {
    fn default() -> Self {
        Self {
            estimators: Vec::new(),
            interval: Method::Bootstrap,
            level: 0.95,
            bootstrap: BootstrapPlan::default(),
            range: None,
            max_weight: None,
            gate: SupportGate::default(),
        }
    }
}

/// The judgement of a table: the results format that other programs rely on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TableJudgement {
    /// Rows read.
    pub rows: u64,
    /// Episodes they belong to, in a sequential table.
    pub episodes: Option<u64>,
    /// Confidence level of the intervals.
    pub level: f64,
    /// Seed of the resamples.
    pub seed: u64,
    /// The importance weights, when there are propensities.
    pub weights: Option<WeightSummary>,
    /// One for each estimator that was asked for.
    pub estimates: Vec<TableEstimate>,
    /// What was taken and what would be taken, action by action.
    pub actions: Vec<ActionOverlap>,
    /// Distribution of the return, in a sequential table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub returns: Option<ReturnDistribution>,
    /// What a reader should know.
    pub notes: Vec<String>,
}

/// How well the weights cover the target policy.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct WeightSummary {
    /// Mean; near 1 when propensities are right and every action was taken that the policy takes.
    pub mean: f64,
    /// Largest.
    pub max: f64,
    /// (Σw)² / Σw².
    pub effective_sample_size: f64,
    /// Largest over the sum.
    pub max_share: f64,
}

impl From<WeightDiagnostics> for WeightSummary {
    fn from(d: WeightDiagnostics) -> Self {
        Self {
            mean: d.mean,
            max: d.max,
            effective_sample_size: d.effective_sample_size,
            max_share: d.max_share,
        }
    }
}

/// One action, logged and wanted.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ActionOverlap {
    /// The action.
    pub action: usize,
    /// Rows in which it was taken.
    pub logged: u64,
    /// Mean probability with which the policy would take it.
    pub target: f64,
}

/// One estimate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TableEstimate {
    /// The estimator's short name.
    pub estimator: String,
    /// Its parameter.
    pub parameter: Option<f64>,
    /// The value in units of the reward; none when refused.
    pub value: Option<f64>,
    /// Standard error of the mean of per-row terms, by the delta method for self-normalised estimators.
    pub standard_error: Option<f64>,
    /// Whether an error may remain that more rows do not remove.
    pub biased: bool,
    /// The interval.
    pub interval: Option<TableInterval>,
    /// Why there is no value, and what to do.
    pub refused: Option<String>,
}

/// An interval and how it was made.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TableInterval {
    /// How.
    pub method: Method,
    /// Lower end.
    pub lower: f64,
    /// Upper end.
    pub upper: f64,
    /// Number of resamples, for a bootstrap.
    pub resamples: Option<u32>,
}

/// Options that do not fit together.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum OptionError {
    /// A bound was asked for without a range.
    #[error("a {method} interval is a bound, and needs the range that rewards can have")]
    NoRange {
        /// The method.
        method: Method,
    },
    /// A range from high to low.
    #[error("the range {low} to {high} is empty")]
    EmptyRange {
        /// Its lower end.
        low: f64,
        /// Its upper end.
        high: f64,
    },
    /// A level outside (0, 1).
    #[error("level {level} does not lie between 0 and 1")]
    Level {
        /// The level.
        level: f64,
    },
}

impl<E> TableOptions<E> {
    /// Checks that the options fit together.
    ///
    /// # Errors
    /// [`OptionError`].
    pub fn check(&self) -> Result<(), OptionError> {
        if !(self.level > 0.0 && self.level < 1.0) {
            return Err(OptionError::Level { level: self.level });
        }
        match self.range {
            Some((low, high)) if !(low < high && (high - low).is_finite()) => {
                Err(OptionError::EmptyRange { low, high })
            }
            None if self.interval.bounds() => Err(OptionError::NoRange {
                method: self.interval,
            }),
            _ => Ok(()),
        }
    }
}

/// Judges the target policy of a table without episodes.
///
/// # Errors
/// [`TableError`] for a table that cannot be read.
pub fn judge_one_step(table: &Table, options: &TableOptions) -> Result<TableJudgement, TableError> {
    let header = table.header();
    let estimators = if options.estimators.is_empty() {
        OneStep::USUAL
            .into_iter()
            .filter(|e| lacking(*e, header).is_none())
            .collect()
    } else {
        options.estimators.clone()
    };
    let asked: Vec<Asked> = estimators
        .iter()
        .map(|estimator| Asked {
            estimator: *estimator,
            lacking: lacking(*estimator, header),
        })
        .collect();
    let mut layout = Layout::default();
    let formulas: Vec<Option<Formula>> = asked
        .iter()
        .map(|a| a.lacking.is_none().then(|| layout.formula(a.estimator)))
        .collect();
    let shrinks: Vec<Shrink> = estimators.iter().filter_map(|e| e.shrink()).collect();
    let bounded: Vec<Option<Bounded>> = asked.iter().map(|a| bounded(a, options)).collect();
    let kept: Vec<Bounded> = bounded.iter().flatten().copied().collect();
    let model = header.has_model() && estimators.iter().any(|e| e.models());
    // What the model predicts must lie in the range too, or bounds that use it do not hold.
    let gathered = gather(
        table,
        &Need {
            layout: &layout,
            shrinks: if header.has_propensity() {
                &shrinks
            } else {
                &[]
            },
            bounded: &kept,
            model,
            range: options.range,
        },
    )?;
    let judge = Judge {
        options,
        resamples: if options.interval == Method::Bootstrap {
            resampled(&gathered, options.bootstrap)
        } else {
            Vec::new()
        },
        gathered: &gathered,
        model,
    };
    let (mut shrunk, mut sides) = (0, 0);
    let mut notes = Vec::new();
    let estimates = asked
        .iter()
        .zip(formulas.iter().zip(&bounded))
        .map(|(asked, (formula, bounded))| {
            let weights = if asked.estimator.shrink().is_some() && header.has_propensity() {
                shrunk += 1;
                gathered.shrunk[shrunk - 1].diagnostics()
            } else {
                gathered.weights.diagnostics()
            };
            let side = bounded.map(|b| {
                sides += 1;
                (b, sides - 1)
            });
            judge.estimate(asked, formula.as_ref(), &weights, side, &mut notes)
        })
        .collect();
    judge.notes(header, &estimators, &mut notes);
    Ok(TableJudgement {
        rows: gathered.rows,
        episodes: None,
        level: options.level,
        seed: options.bootstrap.seed,
        weights: header
            .has_propensity()
            .then(|| gathered.weights.diagnostics().into()),
        estimates,
        actions: (0..header.actions)
            .map(|action| ActionOverlap {
                action,
                logged: gathered.overlap.logged[action],
                target: gathered.overlap.target[action] / gathered.rows as f64,
            })
            .collect(),
        returns: None,
        notes,
    })
}

struct Asked {
    estimator: OneStep,
    lacking: Option<String>,
}

/// Which columns an estimator needs and a table lacks, in words.
fn lacking(estimator: OneStep, header: &Header) -> Option<String> {
    let mut absent = Vec::new();
    if estimator.weighs() && !header.has_propensity() {
        absent.push("`propensity`".to_owned());
    }
    if estimator.models() && !header.has_model() {
        absent.push(format!("`q0` to `q{}`", header.actions - 1));
    }
    (!absent.is_empty()).then(|| {
        format!(
            "the table has no {}, which {} needs",
            absent.join(" and no "),
            estimator.name()
        )
    })
}

/// The interval in which the terms of an estimator lie, when a bound is asked for and there is one.
fn bounded(asked: &Asked, options: &TableOptions) -> Option<Bounded> {
    let (low, high) = options.range.filter(|_| options.interval.bounds())?;
    if asked.lacking.is_some() {
        return None;
    }
    let width = high - low;
    let term = |term, weight: f64| {
        weight.is_finite().then_some(Bounded {
            term: Bound::Term(term),
            low: low - weight * width,
            high: high + weight * width,
        })
    };
    let rewards = |t: Term, weight: f64| {
        weight.is_finite().then_some(Bounded {
            term: Bound::Term(t),
            low: weight * low.min(0.0),
            high: weight * high.max(0.0),
        })
    };
    match asked.estimator {
        OneStep::Ips => Some(match options.max_weight {
            Some(weight) => rewards(Term::Reward, weight)?,
            None => Bounded {
                term: Bound::Weighted,
                low,
                high,
            },
        }),
        OneStep::Dm => Some(Bounded {
            term: Bound::Term(Term::Direct),
            low,
            high,
        }),
        OneStep::Dr => term(Term::Whole(None), options.max_weight?),
        OneStep::ShrunkIps(s) => rewards(Term::ShrunkReward(s), s.bound()),
        OneStep::ShrunkDr(s) => term(Term::Whole(Some(s)), s.bound()),
        OneStep::Snips | OneStep::Sndr => None,
    }
}

struct Judge<'a> {
    options: &'a TableOptions,
    gathered: &'a Gathered,
    resamples: Vec<Vec<f64>>,
    model: bool,
}

impl Judge<'_> {
    fn estimate(
        &self,
        asked: &Asked,
        formula: Option<&Formula>,
        weights: &WeightDiagnostics,
        side: Option<(Bounded, usize)>,
        notes: &mut Vec<String>,
    ) -> TableEstimate {
        let estimator = asked.estimator;
        let mut result = TableEstimate {
            estimator: estimator.name().to_owned(),
            parameter: estimator.shrink().map(Shrink::parameter),
            value: None,
            standard_error: None,
            biased: estimator.biased(),
            interval: None,
            refused: asked.lacking.clone(),
        };
        let Some(formula) = formula else {
            return result;
        };
        result.refused = self.refusal(estimator, weights);
        if result.refused.is_some() {
            return result;
        }
        let gathered = self.gathered;
        let value = formula.value(gathered.moments.means());
        let error = if gathered.units.is_some() {
            clustered_error(gathered, formula)
        } else {
            formula.standard_error(&gathered.moments)
        };
        if !value.is_finite() || !error.is_finite() {
            result.refused = Some(format!(
                "its value is {value} with standard error {error}; look for extreme rewards or weights"
            ));
            return result;
        }
        result.value = Some(value);
        result.standard_error = Some(error);
        match self.interval(formula, value, error, side) {
            Ok((lower, upper)) => {
                result.interval = Some(TableInterval {
                    method: self.options.interval,
                    lower,
                    upper,
                    resamples: (self.options.interval == Method::Bootstrap)
                        .then_some(self.options.bootstrap.resamples),
                });
            }
            Err(reason) => notes.push(format!(
                "{estimator} has no {} interval: {reason}",
                self.options.interval
            )),
        }
        result
    }

    /// Why an estimate is not given.
    fn refusal(&self, estimator: OneStep, weights: &WeightDiagnostics) -> Option<String> {
        let gathered = self.gathered;
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
        self.never_taken().or_else(|| {
            self.options
                .gate
                .refusal(weights)
                .map(|refusal| in_words(&refusal, "row"))
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
        side: Option<(Bounded, usize)>,
    ) -> Result<(f64, f64), String> {
        let options = self.options;
        let n = self
            .gathered
            .units
            .map_or(self.gathered.rows as f64, |units| units as f64);
        // What shrinking leaves out: |mean b| + z se(b), on both sides.
        let left_out = formula
            .lost(&self.gathered.moments)
            .map_or(0.0, |(mean, se)| {
                mean.abs() + normal_quantile(options.level) * se
            });
        let around = |half: f64| Ok((value - half - left_out, value + half + left_out));
        match options.interval {
            Method::Normal => around(normal_quantile(options.level) * error),
            Method::T => around(t_quantile(options.level, n - 1.0) * error),
            Method::Bootstrap => {
                let values: Vec<f64> = self.resamples.iter().map(|m| formula.value(m)).collect();
                let interval = Interval::percentile(&values, options.level)
                    .ok_or("too many resamples have no weight at all")?;
                Ok((interval.lower - left_out, interval.upper + left_out))
            }
            method => {
                if self.gathered.units.is_some() {
                    return Err(
                        "rows of one unit depend on each other, and bounds need independent ones"
                            .to_owned(),
                    );
                }
                let (bounded, at) = side.ok_or_else(|| no_bound(formula))?;
                let (lower, upper) = self.bound(method, formula, value, bounded, at)?;
                Ok((lower - left_out, upper + left_out))
            }
        }
    }

    fn bound(
        &self,
        method: Method,
        formula: &Formula,
        value: f64,
        bounded: Bounded,
        at: usize,
    ) -> Result<(f64, f64), String> {
        let sides = &self.gathered.bounded[at];
        let outside = sides.above.below() + sides.below.below();
        if outside > 0 {
            return Err(format!(
                "{outside} rows lie outside what the declared range and weight allow"
            ));
        }
        let range = bounded.high - bounded.low;
        let error = (1.0 - self.options.level) / 2.0;
        let n = self.gathered.rows as f64;
        let sided = |lower: &dyn Fn(&crate::ope::interval::Support) -> f64| {
            let (above, below) = (lower(&sides.above) * range, lower(&sides.below) * range);
            // A value outside its own bounds helps nobody, and widening keeps them bounds.
            (
                (bounded.low + above).min(value),
                (bounded.high - below).max(value),
            )
        };
        Ok(match (method, bounded.term) {
            (Method::Betting, _) => sided(&|s| s.betting_lower(error)),
            (_, Bound::Weighted) => {
                sided(&|s| s.truncated_lower(error, method == Method::Bernstein))
            }
            (Method::Bernstein, _) => {
                let variance = formula.standard_error(&self.gathered.moments).powi(2) * n;
                let half = bernstein_half_width(variance, range, n, error);
                (value - half, value + half)
            }
            _ => {
                let half = hoeffding_half_width(range, n, error);
                (value - half, value + half)
            }
        })
    }

    fn notes(&self, header: &Header, estimators: &[OneStep], notes: &mut Vec<String>) {
        if self.model && estimators.contains(&OneStep::Dm) {
            notes.push(
                "dm rests on the reward model of the columns `q…` alone; the model's own error is not in its interval"
                    .to_owned(),
            );
        }
        if header.has_propensity() {
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
        let lost = estimators.iter().any(|e| e.shrink().is_some());
        if lost {
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

fn no_bound(formula: &Formula) -> String {
    if formula.ratio.is_some() {
        "a self-normalised value is no mean of bounded terms; take ips or a clipped estimator"
            .to_owned()
    } else {
        "its terms are unbounded; declare the largest weight that can occur".to_owned()
    }
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
