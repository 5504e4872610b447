//! Seeds side by side: stretch, score, checkpoint.

use std::sync::atomic::Ordering;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use tierwise_envs::mdp::MdpPosition;
use tierwise_policies::tabular::{QTable, TabularConfig, TabularState};

use super::bench::{Bench, Score};
use super::directory::{RunDirectory, RunError, read_json, write_json};
use super::train::{TrainOptions, another_run};
use crate::config::TrainConfig;

/// One point of a learning curve.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CurvePoint {
    /// Decisions learned from.
    pub steps: u64,
    /// Worth of the table then.
    pub score: Score,
}

/// What one seed did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SeedResult {
    /// The seed.
    pub seed: u64,
    /// Score after each stretch; the first point is the untrained table.
    pub curve: Vec<CurvePoint>,
}

/// A seed in full, as it is saved and resumed.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Checkpoint {
    config_hash: String,
    input_hash: String,
    pub(super) learner: TabularState,
    /// Where the environment stands, for those that can be put back.
    place: Option<MdpPosition>,
    pub(super) curve: Vec<CurvePoint>,
    /// The best-scored table so far, with its place on the curve.
    pub(super) best: (usize, QTable),
}

/// The curves of all seeds.
pub(super) fn curves(seeds: &[Checkpoint]) -> Vec<SeedResult> {
    seeds
        .iter()
        .map(|seed| SeedResult {
            seed: seed.learner.config().seed,
            curve: seed.curve.clone(),
        })
        .collect()
}

/// The seed whose best table scored highest; the earlier seed on a tie.
pub(super) fn choose(seeds: &[Checkpoint]) -> &Checkpoint {
    let worth = |seed: &Checkpoint| {
        seed.curve[seed.best.0]
            .score
            .value
            .unwrap_or(f64::NEG_INFINITY)
    };
    let mut chosen = &seeds[0];
    for seed in seeds {
        if worth(seed) > worth(chosen) {
            chosen = seed;
        }
    }
    chosen
}

/// Trains every seed, in parallel; each is its own stream, so threads do not matter.
pub(super) fn run_seeds(
    config: &TrainConfig,
    bench: &dyn Bench,
    input_hash: &str,
    directory: &RunDirectory,
    options: &TrainOptions<'_>,
) -> Result<Vec<Checkpoint>, RunError> {
    (0..u64::from(config.training.seeds))
        .into_par_iter()
        .map(|i| {
            run_seed(
                config,
                bench,
                config.learner.seed.wrapping_add(i),
                input_hash,
                directory,
                options,
            )
        })
        .collect()
}

fn run_seed(
    config: &TrainConfig,
    bench: &dyn Bench,
    seed: u64,
    input_hash: &str,
    directory: &RunDirectory,
    options: &TrainOptions<'_>,
) -> Result<Checkpoint, RunError> {
    let path = directory.checkpoint(seed);
    let mut state = if options.resume && path.exists() {
        let state: Checkpoint = read_json(&path)?;
        if state.config_hash != config.hash() || state.input_hash != input_hash {
            return Err(another_run(&path));
        }
        (options.progress)(state.learner.steps());
        state
    } else {
        let learner = bench.learner(TabularConfig {
            seed,
            ..config.learner.clone()
        })?;
        let score = bench.score(learner.q_table())?;
        let table = learner.q_table().clone();
        Checkpoint {
            config_hash: config.hash(),
            input_hash: input_hash.to_owned(),
            learner,
            place: None,
            curve: vec![CurvePoint { steps: 0, score }],
            best: (0, table),
        }
    };
    while state.learner.steps() < config.training.steps {
        if options.stop.load(Ordering::Relaxed) {
            return Err(RunError::Interrupted {
                dir: directory.path().to_owned(),
            });
        }
        let left = config.training.steps - state.learner.steps();
        let stretch = left.min(config.training.evaluate_every);
        bench.advance(&mut state.learner, &mut state.place, stretch)?;
        let score = bench.score(state.learner.q_table())?;
        state.curve.push(CurvePoint {
            steps: state.learner.steps(),
            score,
        });
        let better = match (score.value, state.curve[state.best.0].score.value) {
            (Some(value), Some(best)) => value > best,
            (None, Some(_)) => false,
            // While nothing can be scored, the table that learned longest is kept.
            (_, None) => true,
        };
        // The untrained table is the baseline, not a candidate.
        if state.best.0 == 0 || better {
            state.best = (state.curve.len() - 1, state.learner.q_table().clone());
        }
        write_json(&path, &state)?;
        (options.progress)(stretch);
    }
    Ok(state)
}
