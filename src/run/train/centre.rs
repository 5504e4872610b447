//! Training in the contact centre, and the search for its toll.

use std::path::Path;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use tierwise_envs::centre::DecisionPoint;
use tierwise_policies::artefact::Evidence;
use tierwise_policies::tabular::{Algorithm, Coupling};

use super::{Setting, TrainOptions, TrainResult, train_tiers};
use crate::config::TrainConfig;
use crate::run::bench::{Bench, CentreBench, Score};
use crate::run::centre::centre_stage;
use crate::run::directory::RunError;

/// A toll and what the policy learned under it earns.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TollTried {
    /// Reward units per human second.
    pub toll: f64,
    /// Simulated mean reward, tolls not deducted.
    pub score: Score,
}

/// Each toll is tried with this share of `training.steps`.
const TRIAL: u64 = 4;

pub(super) fn train(
    config: &TrainConfig,
    out: &Path,
    options: &TrainOptions<'_>,
    mut warnings: Vec<String>,
) -> Result<TrainResult, RunError> {
    let stage = centre_stage(config)?;
    refuse_rates(config, stage.config().decision)?;
    for tag in stage.unspoken() {
        warnings.push(format!(
            "nobody who takes over speaks {tag}: tier 3 is masked for these customers"
        ));
    }
    let mut resolved = config.clone();
    let mut tolls = Vec::new();
    if config.learner.coupling == Coupling::Toll && config.training.toll_tries > 0 {
        tolls = search(config)?;
        let best = tolls
            .iter()
            .max_by(|a, b| {
                a.score
                    .value
                    .unwrap_or(f64::NEG_INFINITY)
                    .total_cmp(&b.score.value.unwrap_or(f64::NEG_INFINITY))
            })
            .map_or(config.learner.toll_per_human_s, |tried| tried.toll);
        resolved.learner.toll_per_human_s = best;
        resolved.training.toll_tries = 0;
    }
    let setting = Setting {
        evidence: Evidence::Simulated,
        tolls,
        log: None,
        input_hash: String::new(),
    };
    let bench = CentreBench {
        config: &resolved,
        stage,
    };
    train_tiers(&resolved, &bench, setting, out, options, warnings)
}

/// Rules of average reward need one chain; conversations of several decisions are chains of their own.
fn refuse_rates(config: &TrainConfig, decision: DecisionPoint) -> Result<(), RunError> {
    let rates = matches!(
        config.learner.algorithm,
        Algorithm::DifferentialQ { .. } | Algorithm::CenteredQ { .. }
    );
    let continuing = config.learner.coupling == Coupling::Continuing;
    if rates && !(continuing && decision == DecisionPoint::Conversation) {
        return Err(RunError::unusable(
            "`learner.algorithm` learns an average reward, and there is no system-wide chain here",
            "average reward per second needs `coupling = \"continuing\"` and `centre.decision = \"conversation\"`",
            "use `algorithm = \"q\"`, or one decision per conversation",
        ));
    }
    Ok(())
}

/// Tolls evenly from 0 to the highest, then as many between the neighbours of the best one: each is learned under with the
/// first seed, and scored by the simulated mean reward of its policy on the same customers.
fn search(config: &TrainConfig) -> Result<Vec<TollTried>, RunError> {
    let tries = config.training.toll_tries;
    let high = config.training.toll_high;
    let even = |from: f64, to: f64, points: u32| -> Vec<f64> {
        let step = (to - from) / f64::from(points - 1);
        (0..points).map(|i| from + step * f64::from(i)).collect()
    };
    let mut tried = try_tolls(config, &even(0.0, high, tries))?;
    let worth = |t: &TollTried| t.score.value.unwrap_or(f64::NEG_INFINITY);
    let best = (0..tried.len())
        .max_by(|a, b| worth(&tried[*a]).total_cmp(&worth(&tried[*b])))
        .unwrap_or(0);
    let below = tried[best.saturating_sub(1)].toll;
    let above = tried[(best + 1).min(tried.len() - 1)].toll;
    // The ends and the middle were tried before.
    let finer: Vec<f64> = even(below, above, tries + 2)
        .into_iter()
        .filter(|toll| tried.iter().all(|t| (t.toll - toll).abs() > 1e-12))
        .collect();
    tried.extend(try_tolls(config, &finer)?);
    tried.sort_by(|a, b| a.toll.total_cmp(&b.toll));
    Ok(tried)
}

fn try_tolls(config: &TrainConfig, tolls: &[f64]) -> Result<Vec<TollTried>, RunError> {
    tolls
        .par_iter()
        .map(|toll| {
            let mut config = config.clone();
            config.learner.toll_per_human_s = *toll;
            let bench = CentreBench {
                config: &config,
                stage: centre_stage(&config)?,
            };
            let mut learner = bench.learner(config.learner.clone())?;
            bench.advance(
                &mut learner,
                &mut None,
                (config.training.steps / TRIAL).max(1),
            )?;
            Ok(TollTried {
                toll: *toll,
                score: bench.score(learner.q_table())?,
            })
        })
        .collect()
}
