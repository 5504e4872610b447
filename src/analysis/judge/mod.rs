//! Judging one experiment: methods beside each other, what holds at any look, and the verdict.

mod checks;
mod pairs;
mod snapshots;
mod stream;
mod totals;

use std::path::Path;

use rayon::prelude::*;

use super::error::AnalysisError;
use super::input::{Data, Input};
use super::load::load;
use super::options::AnalyzeOptions;
use super::result::{
    Analysis, Check, CheckRole, Design, ExperimentResult, SampleRatio, Sequential,
};
use crate::stats::Alpha;
use crate::stats::eprocess::TestLevels;
use crate::stats::sample_ratio::chi_squared;
use crate::stats::verdict::{Broken, Evidence, NamedWealth, Verdict, decide};

/// Experiments with every look: as many as a page draws in full.
const IN_DETAIL: usize = 6;

/// Analyses every experiment of a file, in parallel; results stand in the order of the file.
///
/// # Errors
/// [`AnalysisError`] for a file, row or experiment that cannot be used.
pub fn analyze(path: &Path, options: &AnalyzeOptions) -> Result<Analysis, AnalysisError> {
    let inputs = load(path, options)?.experiments;
    let many = options.detailed && inputs.len() > IN_DETAIL;
    if !many {
        let experiments = inputs
            .into_par_iter()
            .map(|input| judge(path, input, options))
            .collect::<Result<Vec<_>, _>>()?;
        return Ok(Analysis { experiments });
    }
    // Looks and their intervals cost far more than the verdicts: only for the experiments that a page draws in full.
    let plain = AnalyzeOptions {
        detailed: false,
        ..options.clone()
    };
    let mut experiments = inputs
        .par_iter()
        .map(|input| judge(path, input.clone(), &plain))
        .collect::<Result<Vec<_>, _>>()?;
    let mut order: Vec<usize> = (0..experiments.len()).collect();
    order.sort_by_key(|place| experiments[*place].verdict.urgency());
    order.truncate(IN_DETAIL);
    let detailed = order
        .into_par_iter()
        .map(|place| Ok((place, judge(path, inputs[place].clone(), options)?)))
        .collect::<Result<Vec<_>, AnalysisError>>()?;
    for (place, experiment) in detailed {
        experiments[place] = experiment;
    }
    Ok(Analysis { experiments })
}

fn judge(
    path: &Path,
    input: Input,
    options: &AnalyzeOptions,
) -> Result<ExperimentResult, AnalysisError> {
    let context = Context::new(path, &input, options)?;
    match input.data {
        Data::Stream(_) if options.design != Design::User => pairs::judge(&context, input),
        Data::Stream(_) => stream::judge(&context, input),
        _ if options.design == Design::Switchback => Err(context.refuse(
            "a switchback is judged by pairs of time blocks, and this file has no times",
            "give a stream: at, unit, arm, share, value",
        )),
        Data::Snapshots(_) => snapshots::judge(&context, input),
        Data::Counts(_) | Data::Units(_) => totals::judge(&context, input),
    }
}

/// What every way of judging needs.
struct Context<'a> {
    path: &'a Path,
    experiment: String,
    options: &'a AnalyzeOptions,
    /// Level of two-sided intervals.
    alpha: Alpha,
    levels: TestLevels,
}

impl<'a> Context<'a> {
    fn new(
        path: &'a Path,
        input: &Input,
        options: &'a AnalyzeOptions,
    ) -> Result<Self, AnalysisError> {
        let levels = options
            .rule
            .promote_level()
            .and_then(|promote| {
                Ok(TestLevels {
                    promote,
                    roll_back: options.rule.roll_back_level(options.rule.guardrail.len())?,
                    promote_ratio: 1.0,
                    roll_back_ratio: 1.0,
                })
            })
            .and_then(|levels| Ok((levels, Alpha::new(options.rule.error_budget)?)));
        let (levels, alpha) = levels.map_err(|error| AnalysisError::Experiment {
            file: path.to_owned(),
            what: error.to_string(),
            fix: "choose a level such as 0.05".to_owned(),
        })?;
        let challengers = input.arms.len().saturating_sub(1);
        // More challengers than the rule declared share the level all the same.
        let more = challengers.div_ceil(options.rule.challengers.max(1) as usize);
        Ok(Self {
            path,
            experiment: input.name.clone(),
            options,
            alpha,
            levels: TestLevels {
                promote: levels.promote.split(more),
                roll_back: levels.roll_back.split(more),
                ..levels
            },
        })
    }

    fn refuse(&self, what: &str, fix: &str) -> AnalysisError {
        AnalysisError::Experiment {
            file: self.path.to_owned(),
            what: format!("experiment `{}`: {what}", self.experiment),
            fix: fix.to_owned(),
        }
    }

    /// What is broken whatever the outcomes say.
    fn broken(
        &self,
        input_conflicts: (u64, &[String]),
        ratio: Option<&SampleRatio>,
    ) -> Option<Broken> {
        let (units, examples) = input_conflicts;
        if units > 0 {
            return Some(Broken::UnitsInTwoArms {
                units,
                examples: examples.to_vec(),
            });
        }
        ratio
            .filter(|ratio| !ratio.sound)
            .map(|ratio| Broken::SampleRatio {
                log_e: ratio
                    .log_e
                    .unwrap_or_else(|| -ratio.p_value.max(1e-300).ln()),
            })
    }

    /// Sample ratio of totals against shares, when all arms have one.
    fn totals_ratio(&self, units: &[u64], shares: &[f64]) -> Option<SampleRatio> {
        let found = chi_squared(units, shares).ok()?;
        Some(SampleRatio {
            method: "chi_squared".to_owned(),
            statistic: Some(found.statistic),
            degrees_of_freedom: Some(found.freedom),
            p_value: found.p_value,
            log_e: None,
            sound: found.p_value >= self.options.rule.sample_ratio_level,
        })
    }

    /// Interference of a user split over a shared pool: promotion must be beyond what sharing alone can make.
    fn interference(&self, lower_difference: Option<f64>) -> Option<Broken> {
        if !self.options.shared_pool || self.options.design != Design::User {
            return None;
        }
        let lower = lower_difference.unwrap_or(f64::MIN);
        match self.options.interference_bound {
            Some(bound) if lower > bound => None,
            bias => Some(Broken::Interference { lower, bias }),
        }
    }
}

/// What was found of one challenger.
struct Judged {
    verdict: Verdict,
    sequential: Option<Sequential>,
    checks: Vec<Check>,
}

/// What was found of all challengers together.
struct Overall {
    verdict: Verdict,
    sequential: Option<Sequential>,
    challengers: Vec<Sequential>,
    checks: Vec<Check>,
}

/// The verdict over all challengers: what is broken, then the best promotion, then whoever still runs.
fn overall(judged: Vec<Judged>) -> Overall {
    let rank = |verdict: &Verdict| match verdict {
        Verdict::Broken { .. } => 0,
        Verdict::Promote { .. } => 1,
        Verdict::KeepGoing { .. } => 2,
        Verdict::NotEnoughData { .. } => 3,
        _ => 4,
    };
    let wealth = |found: &Judged| found.sequential.as_ref().map_or(0.0, |s| s.log_promote_e);
    let best = judged.iter().min_by(|a, b| {
        rank(&a.verdict)
            .cmp(&rank(&b.verdict))
            .then(wealth(b).total_cmp(&wealth(a)))
    });
    let (verdict, sequential) = best.map_or(
        (Verdict::NotEnoughData { needed: 1, have: 0 }, None),
        |best| (best.verdict.clone(), best.sequential.clone()),
    );
    let several = judged.len() > 1;
    let mut all = Overall {
        verdict,
        sequential,
        challengers: Vec::new(),
        checks: Vec::new(),
    };
    for found in judged {
        all.checks.extend(found.checks);
        if several {
            all.challengers.extend(found.sequential);
        }
    }
    all
}

/// Applies the rule to what the primary metric's test and the checks beside it found.
fn verdict_of(context: &Context<'_>, mut evidence: Evidence, checks: &[Check]) -> Verdict {
    let named = |role: CheckRole| {
        checks
            .iter()
            .filter(move |check| check.role == role)
            .map(|check| NamedWealth {
                name: check.name.clone(),
                log_e: check.log_e,
                reached: check.reached,
            })
    };
    evidence.secondary = named(CheckRole::Secondary).collect();
    evidence.guardrails = named(CheckRole::Guardrail).collect();
    evidence.vetoes = named(CheckRole::Stratum)
        .filter(|stratum| stratum.reached)
        .map(|stratum| stratum.name)
        .collect();
    decide(&context.options.rule, &evidence)
}

/// The evidence of the primary metric's e-process.
fn evidence_of(sequential: &Sequential) -> Evidence {
    Evidence {
        arm: sequential.arm.clone(),
        log_promote: sequential.log_promote_e,
        superior: sequential.when_promoted.is_some(),
        log_roll_back: sequential.log_rollback_e,
        inferior: sequential.when_rolled_back.is_some(),
        ..Evidence::default()
    }
}

/// An e-value from its logarithm; what overflows is the largest double.
fn e_value(log: f64) -> f64 {
    log.exp().min(f64::MAX)
}
