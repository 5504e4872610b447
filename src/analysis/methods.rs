//! Every fixed-horizon method that an arm's data allow, beside each other.

use super::options::{AnalyzeOptions, Method};
use super::result::{MethodResult, Scale};
use crate::stats::beta_binomial::{BetaPrior, posterior};
use crate::stats::correction::Correction;
use crate::stats::cuped::cuped;
use crate::stats::gaussian::{GaussianPrior, gaussian_posterior};
use crate::stats::growthbook::{DEFAULT_TUNING, growthbook_sequential};
use crate::stats::lift::{LiftReference, delta, relative_lift};
use crate::stats::msprt::msprt;
use crate::stats::proportion::{newcombe, pooled_z, unpooled_z};
use crate::stats::ratio::ratio_sample;
use crate::stats::tally::{Count, PairedMoments, Sample};
use crate::stats::welch::welch;
use crate::stats::{Alpha, Comparison, StatsError};

/// What is known of one arm.
#[derive(Debug, Clone)]
pub(super) struct ArmData {
    /// Size, mean and variance of its outcome.
    pub(super) sample: Sample,
    /// Its count, when outcomes are zero or one.
    pub(super) count: Option<Count>,
    /// Outcome with the pre-period value.
    pub(super) pre: Option<PairedMoments>,
    /// Outcome with the denominator.
    pub(super) denominator: Option<PairedMoments>,
    /// The outcome capped.
    pub(super) capped: Option<Sample>,
}

impl ArmData {
    /// An arm of which only a count is known.
    pub(super) fn counted(count: Count) -> Self {
        Self {
            sample: count.sample(),
            count: Some(count),
            pre: None,
            denominator: None,
            capped: None,
        }
    }

    /// An arm of which only moments are known.
    pub(super) fn measured(sample: Sample) -> Self {
        Self {
            sample,
            count: None,
            pre: None,
            denominator: None,
            capped: None,
        }
    }
}

/// All methods asked for and possible, challenger by challenger; arms hold the control first.
pub(super) fn compare(
    names: &[String],
    arms: &[ArmData],
    options: &AnalyzeOptions,
    alpha: Alpha,
) -> Vec<MethodResult> {
    let mut results = Vec::new();
    for (name, arm) in names.iter().zip(arms).skip(1) {
        for method in Method::ALL {
            if options.wants(method) {
                results.extend(one(method, name, &arms[0], arm, alpha));
            }
        }
    }
    if options.wants(Method::BetaBinomial) {
        results.extend(bayes(names, arms));
    }
    if names.len() > 2 {
        correct(&mut results, options.correction);
    }
    results
}

fn one(
    method: Method,
    name: &str,
    control: &ArmData,
    arm: &ArmData,
    alpha: Alpha,
) -> Option<MethodResult> {
    let counts = control.count.zip(arm.count);
    let (a, b) = (control.sample, arm.sample);
    let units = a.units + b.units;
    let (scale, comparison) = match method {
        Method::ZPooled => (
            Scale::Difference,
            counts.map(|(a, b)| pooled_z(a, b, alpha))?,
        ),
        Method::ZUnpooled => (
            Scale::Difference,
            counts.map(|(a, b)| unpooled_z(a, b, alpha))?,
        ),
        Method::Newcombe => (
            Scale::Difference,
            counts.map(|(a, b)| newcombe(a, b, alpha))?,
        ),
        Method::Welch => (Scale::Difference, welch(a, b, alpha)),
        Method::LiftT => (
            Scale::Relative,
            relative_lift(a, b, alpha, LiftReference::Student),
        ),
        Method::LiftNormal => (
            Scale::Relative,
            relative_lift(a, b, alpha, LiftReference::Normal),
        ),
        Method::Cuped => {
            let (control, arm) = control.pre.as_ref().zip(arm.pre.as_ref())?;
            let adjusted = cuped(control, arm);
            (
                Scale::Difference,
                adjusted.and_then(|both| welch(both.control, both.treatment, alpha)),
            )
        }
        Method::Ratio => {
            let (control, arm) = control.denominator.as_ref().zip(arm.denominator.as_ref())?;
            let both = ratio_sample(control).and_then(|a| Ok((a, ratio_sample(arm)?)));
            (
                Scale::Difference,
                both.and_then(|(a, b)| welch(a, b, alpha)),
            )
        }
        Method::Winsorized => {
            let (a, b) = control.capped.zip(arm.capped)?;
            (Scale::Difference, welch(a, b, alpha))
        }
        Method::GrowthBook => (
            Scale::Relative,
            delta(a, b).and_then(|(effect, variance)| {
                growthbook_sequential(effect, variance, units, alpha, DEFAULT_TUNING)
            }),
        ),
        Method::Msprt => {
            // The prior's spread: a tenth of the pooled mean, as in docs/statistics.md.
            let tau = 0.1 * ((a.units * a.mean + b.units * b.mean) / units).abs();
            let variance = a.error_squared() + b.error_squared();
            (
                Scale::Difference,
                msprt(b.mean - a.mean, variance, tau, alpha),
            )
        }
        Method::Gaussian => return Some(gaussian(name, a, b, alpha)),
        Method::BetaBinomial | Method::EProcess => return None,
    };
    Some(result(method, name, scale, comparison))
}

fn result(
    method: Method,
    name: &str,
    scale: Scale,
    comparison: Result<Comparison, StatsError>,
) -> MethodResult {
    let mut result = empty(method, name, scale);
    match comparison {
        Ok(found) => {
            result.estimate = Some(found.estimate);
            result.lower = Some(found.lower);
            result.upper = Some(found.upper);
            result.p_value = found.p_value;
        }
        Err(error) => result.refused = Some(error.to_string()),
    }
    result
}

fn empty(method: Method, name: &str, scale: Scale) -> MethodResult {
    MethodResult {
        arm: name.to_owned(),
        method: method.key().to_owned(),
        scale,
        estimate: None,
        lower: None,
        upper: None,
        p_value: None,
        adjusted_p_value: None,
        chance_to_win: None,
        expected_loss: None,
        any_look: matches!(
            method,
            Method::GrowthBook | Method::Msprt | Method::EProcess
        ),
        refused: None,
    }
}

fn gaussian(name: &str, a: Sample, b: Sample, alpha: Alpha) -> MethodResult {
    let mut found = empty(Method::Gaussian, name, Scale::Relative);
    let posterior = delta(a, b).and_then(|(effect, variance)| {
        gaussian_posterior(effect, variance, GaussianPrior::Flat, alpha)
    });
    match posterior {
        Ok(posterior) => {
            found.estimate = Some(posterior.mean);
            found.lower = Some(posterior.lower);
            found.upper = Some(posterior.upper);
            found.chance_to_win = Some(posterior.chance_to_win);
            found.expected_loss = Some(posterior.loss_of_treatment);
        }
        Err(error) => found.refused = Some(error.to_string()),
    }
    found
}

/// The Beta-Binomial posterior of all arms together; nothing for outcomes that are not zero or one.
fn bayes(names: &[String], arms: &[ArmData]) -> Vec<MethodResult> {
    let Some(counts) = arms.iter().map(|arm| arm.count).collect::<Option<Vec<_>>>() else {
        return Vec::new();
    };
    let posterior = posterior(&counts, BetaPrior::default());
    names
        .iter()
        .enumerate()
        .skip(1)
        .map(|(place, name)| {
            let mut found = empty(Method::BetaBinomial, name, Scale::Difference);
            match &posterior {
                Ok(arms) => {
                    found.estimate = Some(arms[place].mean - arms[0].mean);
                    found.chance_to_win = Some(arms[place].chance_to_win);
                    found.expected_loss = Some(arms[place].expected_loss);
                }
                Err(error) => found.refused = Some(error.to_string()),
            }
            found
        })
        .collect()
}

/// Corrects each method's p-values over the challengers.
fn correct(results: &mut [MethodResult], correction: Correction) {
    for method in Method::ALL {
        let places: Vec<usize> = (0..results.len())
            .filter(|i| results[*i].method == method.key() && results[*i].p_value.is_some())
            .collect();
        let p_values: Vec<f64> = places.iter().filter_map(|i| results[*i].p_value).collect();
        for (place, adjusted) in places.iter().zip(correction.adjust(&p_values)) {
            results[*place].adjusted_p_value = Some(adjusted);
        }
    }
}
