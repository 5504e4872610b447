//! Many candidates on the same episodes: doubly robust differences to a baseline, episode by episode.

use super::episodes::{Episodes, Reading};
use super::estimator::Sequential;
use super::fitted::cross_fit;
use super::judge::{Known, SequenceOptions};
use super::steps::LoggedSteps;
use super::weighted::StepSums;
use crate::ope::model::ModelKind;
use crate::ope::one_step::{Propensity, TableOptions, in_words, names};
use crate::ope::prints::Fingerprint;
use crate::ope::select::{Comparison, TermSums};
use crate::ope::table::{Table, TableError};

/// Compares the policy of the columns `pi…` and every named candidate of a table with episodes with a baseline: the log, or
/// one of them. By `dr`, or by `wdr` where that is asked for and `dr` is not.
///
/// Returns an error in words for a baseline that is none of them.
///
/// # Errors
/// [`TableError`] for a table that cannot be read.
pub fn compare_sequential(
    table: &Table,
    options: &TableOptions<Sequential>,
    sequence: SequenceOptions,
    baseline: Option<&str>,
) -> Result<Result<Comparison, String>, TableError> {
    let header = table.header();
    let names = names(header);
    let against = match Comparison::baseline(&names, baseline) {
        Ok(against) => against,
        Err(reason) => return Ok(Err(reason)),
    };
    let known = Known::of(header, options);
    if known.propensity != Some(Propensity::Logged) {
        return Ok(Ok(Comparison::nothing(
            &names,
            against,
            "the log has no propensities, and on estimates of them alone nothing may be promoted",
        )));
    }
    let fits = known.fits();
    let reading = Reading {
        model: fits.is_none() && known.model.is_ok(),
        states: fits == Some(ModelKind::Tabular),
        features: matches!(fits, Some(ModelKind::Ridge | ModelKind::Quadratic)),
        candidates: true,
        keep: true,
        behaviour: None,
    };
    let mut episodes = Episodes::read(table, reading)?;
    let targets: Vec<Vec<f64>> = std::iter::once(std::mem::take(&mut episodes.kept.target))
        .chain(std::mem::take(&mut episodes.kept.candidates))
        .collect();
    let fingerprint = episodes.prints.fingerprint();
    let under = targets.iter().map(|target| episodes.under(target));
    Ok(Ok(compared(
        names,
        against,
        under,
        fits,
        options,
        sequence,
        fingerprint,
    )))
}

/// Compares policies on logged steps: `targets` hold the probabilities of each named policy, step after step. The model is
/// fitted here, by state, anew for each policy.
///
/// Returns an error in words for a baseline that is none of them.
///
/// # Errors
/// A text for a baseline that is none of the names.
pub fn compare_steps(
    log: &LoggedSteps,
    policies: &[(String, Vec<f64>)],
    options: &TableOptions<Sequential>,
    sequence: SequenceOptions,
    baseline: Option<&str>,
) -> Result<Comparison, String> {
    let names: Vec<String> = policies.iter().map(|(name, _)| name.clone()).collect();
    let against = Comparison::baseline(&names, baseline)?;
    let targets: Vec<&[f64]> = policies.iter().map(|(_, target)| &target[..]).collect();
    let fingerprint = log.prints(&targets).fingerprint();
    let under = targets.iter().map(|target| log.under(target));
    Ok(compared(
        names,
        against,
        under,
        Known::of_steps(log).fits(),
        options,
        sequence,
        fingerprint,
    ))
}

fn compared(
    names: Vec<String>,
    against: Option<usize>,
    under: impl Iterator<Item = Episodes>,
    fits: Option<ModelKind>,
    options: &TableOptions<Sequential>,
    sequence: SequenceOptions,
    fingerprint: Fingerprint,
) -> Comparison {
    let by_weighted = options.estimators.contains(&Sequential::Wdr)
        && !options.estimators.contains(&Sequential::Dr);
    let estimator = if by_weighted {
        Sequential::Wdr
    } else {
        Sequential::Dr
    };
    let (mut terms, mut refused) = (Vec::new(), Vec::new());
    let mut returns = Vec::new();
    for mut episodes in under {
        let unfit = fits.and_then(|kind| cross_fit(&mut episodes, kind, sequence.discount).err());
        if episodes.model.is_empty() {
            // Without a model the doubly robust term is the weighted one.
            episodes.model = vec![0.0; episodes.reward.len()];
            episodes.value.clone_from(&episodes.model);
        }
        let sums = StepSums::of(&episodes, sequence.discount);
        let too_large = (estimator == Sequential::Dr && sums.largest > 700.0).then(|| {
            "its weights are beyond every number; compare by `--estimators wdr`".to_owned()
        });
        let refusal = options.gate.refusal(&sums.stepwise);
        let missing = (episodes.missing_model > 0).then(|| {
            format!(
                "the model has no value in {} rows that it needs",
                episodes.missing_model
            )
        });
        let reason = unfit
            .or(missing)
            .or(too_large)
            .or_else(|| refusal.map(|refusal| in_words(&refusal, "episode")));
        terms.push(if reason.is_some() {
            vec![0.0; episodes.len()]
        } else {
            sums.terms(estimator, &episodes)
        });
        refused.push(reason);
        if returns.is_empty() {
            returns = (0..episodes.len())
                .map(|episode| episodes.discounted(episode, sequence.discount))
                .collect();
        }
    }
    let mut sums = TermSums::new(names.len());
    let mut row = vec![0.0; names.len()];
    for (episode, logged) in returns.iter().enumerate() {
        let base = against.map_or(*logged, |at| terms[at][episode]);
        for (difference, terms) in row.iter_mut().zip(&terms) {
            *difference = terms[episode] - base;
        }
        sums.add(&row);
    }
    Comparison {
        names,
        against,
        sums,
        refused,
        fingerprint: Some(fingerprint),
        nothing: None,
    }
}
