//! Q of the target policy, fitted here where no columns give it: fitted Q evaluation, cross-fitted by episode.
//!
//! Q is the fixed point of Q(s, a) = E[r + γ Σ π(a′|s′) Q(s′, a′)], by a regression that is repeated until nothing moves. The
//! model of a fold is fitted to the episodes of the others, so that its errors are independent of the rewards that correct it.
//!
//! # Source
//! Le, Voloshin & Yue, ICML 2019 (fitted Q evaluation); Kallus & Uehara 2020 (cross-fitting it).

use rayon::prelude::*;

use super::episodes::Episodes;
use crate::ope::model::linear::Equations;
use crate::ope::model::{FOLDS, ModelKind, fold_of_key};

/// Repetitions after which a fit that still moves is taken not to settle.
const ROUNDS: usize = 2000;
/// Rows that the action's mean counts for in a cell.
const PRIOR: f64 = 1.0;

/// A regression that is fitted anew to other targets on the same steps.
enum Regression<'a> {
    /// Means by state and action, drawn to the action's mean.
    Tabular(&'a Episodes, Vec<f64>),
    /// Ridge regression an action.
    Linear(Box<Linear<'a>>),
}

struct Linear<'a> {
    episodes: &'a Episodes,
    quadratic: bool,
    width: usize,
    equations: Vec<Equations>,
    coefficients: Vec<Vec<f64>>,
}

impl<'a> Regression<'a> {
    /// For the steps of which `used` holds.
    fn new(episodes: &'a Episodes, kind: ModelKind, used: &[bool]) -> Self {
        let actions = episodes.actions;
        if kind == ModelKind::Tabular {
            return Self::Tabular(episodes, vec![0.0; episodes.states * actions]);
        }
        let features = episodes.kept.width;
        let quadratic = kind == ModelKind::Quadratic;
        let width = if quadratic {
            (features + 1) * (features + 2) / 2
        } else {
            features + 1
        };
        let mut linear = Linear {
            episodes,
            quadratic,
            width,
            equations: vec![Equations::new(width); actions],
            coefficients: vec![vec![0.0; width]; actions],
        };
        let mut phi = vec![0.0; width];
        for (step, used) in used.iter().enumerate() {
            if *used {
                linear.features(step, &mut phi);
                linear.equations[usize::from(episodes.action[step])].add(&phi, 0.0, 1.0);
            }
        }
        Self::Linear(Box::new(linear))
    }

    fn fit(&mut self, targets: &[f64], used: &[bool]) {
        match self {
            Self::Tabular(episodes, q) => means(episodes, targets, used, q),
            Self::Linear(linear) => {
                let mut phi = vec![0.0; linear.width];
                for equations in &mut linear.equations {
                    equations.without_rewards();
                }
                for (step, _) in used.iter().enumerate().filter(|(_, used)| **used) {
                    linear.features(step, &mut phi);
                    let action = usize::from(linear.episodes.action[step]);
                    linear.equations[action].add_reward(&phi, targets[step]);
                }
                linear.coefficients = linear
                    .equations
                    .iter()
                    .map(|equations| equations.solve(linear.width))
                    .collect();
            }
        }
    }

    /// Q of every action at a step.
    fn predict(&self, step: usize, phi: &mut Vec<f64>, into: &mut [f64]) {
        match self {
            Self::Tabular(episodes, q) => {
                let first = episodes.state[step] as usize * episodes.actions;
                into.copy_from_slice(&q[first..first + episodes.actions]);
            }
            Self::Linear(linear) => {
                phi.resize(linear.width, 0.0);
                linear.features(step, phi);
                for (value, beta) in into.iter_mut().zip(&linear.coefficients) {
                    *value = beta.iter().zip(phi.iter()).map(|(b, x)| b * x).sum();
                }
            }
        }
    }
}

impl Linear<'_> {
    fn features(&self, step: usize, phi: &mut [f64]) {
        let width = self.episodes.kept.width;
        let x = &self.episodes.kept.features[step * width..(step + 1) * width];
        phi[0] = 1.0;
        phi[1..=width].copy_from_slice(x);
        if self.quadratic {
            let mut at = width + 1;
            for i in 0..width {
                for j in 0..=i {
                    phi[at] = x[i] * x[j];
                    at += 1;
                }
            }
        }
    }
}

/// Mean target of each cell, drawn to the action's mean, and that to the mean of all.
fn means(episodes: &Episodes, targets: &[f64], used: &[bool], q: &mut [f64]) {
    let actions = episodes.actions;
    let mut cells = vec![(0.0, 0.0); q.len()];
    for (step, _) in used.iter().enumerate().filter(|(_, used)| **used) {
        let cell = &mut cells
            [episodes.state[step] as usize * actions + usize::from(episodes.action[step])];
        cell.0 += 1.0;
        cell.1 += targets[step];
    }
    let mut of_action = vec![(0.0, 0.0); actions];
    for (at, (n, sum)) in cells.iter().enumerate() {
        of_action[at % actions].0 += n;
        of_action[at % actions].1 += sum;
    }
    let (n, sum) = of_action
        .iter()
        .fold((0.0, 0.0), |all, a| (all.0 + a.0, all.1 + a.1));
    let overall = if n > 0.0 { sum / n } else { 0.0 };
    for (at, (value, (n, sum))) in q.iter_mut().zip(&cells).enumerate() {
        let (all, total) = of_action[at % actions];
        let drawn = (total + PRIOR * overall) / (all + PRIOR);
        *value = (sum + PRIOR * drawn) / (n + PRIOR);
    }
}

/// Q of every action at every step by a model fitted to the steps that are used; an error in words when it does not settle.
pub(crate) fn fitted(
    episodes: &Episodes,
    kind: ModelKind,
    discount: f64,
    used: &[bool],
) -> Result<Vec<f64>, String> {
    let actions = episodes.actions;
    let steps = episodes.reward.len();
    let target = &episodes.kept.target;
    let mut last = vec![false; steps];
    for episode in 0..episodes.len() {
        last[episodes.steps(episode).end - 1] = true;
    }
    let mut regression = Regression::new(episodes, kind, used);
    let mut q = vec![0.0; steps * actions];
    let mut targets = episodes.reward.clone();
    let mut phi = Vec::new();
    for _ in 0..ROUNDS {
        regression.fit(&targets, used);
        let (mut change, mut scale): (f64, f64) = (0.0, 1e-300);
        let mut into = vec![0.0; actions];
        for step in 0..steps {
            regression.predict(step, &mut phi, &mut into);
            let cell = &mut q[step * actions..(step + 1) * actions];
            for (old, new) in cell.iter_mut().zip(&into) {
                change = change.max((*old - new).abs());
                scale = scale.max(new.abs());
                *old = *new;
            }
        }
        if !scale.is_finite() {
            break;
        }
        if change <= 1e-10 * scale {
            return Ok(q);
        }
        for step in 0..steps {
            let after = if last[step] {
                0.0
            } else {
                let next = (step + 1) * actions..(step + 2) * actions;
                let values = q[next.clone()].iter().zip(&target[next]);
                values.map(|(q, p)| q * p).sum()
            };
            targets[step] = episodes.reward[step] + discount * after;
        }
    }
    Err(format!(
        "the model ({}) does not settle: what it predicts of the next step feeds on itself; set `--discount` lower, or take another `--model`",
        kind.describe()
    ))
}

/// Fits the model of every fold and sets each step's q and V by the one that has not seen its episode.
pub(crate) fn cross_fit(
    episodes: &mut Episodes,
    kind: ModelKind,
    discount: f64,
) -> Result<(), String> {
    let mut fold = Vec::with_capacity(episodes.reward.len());
    for episode in 0..episodes.len() {
        let of_episode = fold_of_key(episodes.key[episode]);
        fold.resize(episodes.steps(episode).end, of_episode);
    }
    let models: Vec<Vec<f64>> = (0..FOLDS)
        .into_par_iter()
        .map(|left_out| {
            let used: Vec<bool> = fold.iter().map(|fold| *fold != left_out).collect();
            fitted(episodes, kind, discount, &used)
        })
        .collect::<Result<_, String>>()?;
    let actions = episodes.actions;
    let (mut model, mut value) = (
        Vec::with_capacity(fold.len()),
        Vec::with_capacity(fold.len()),
    );
    for (step, fold) in fold.iter().enumerate() {
        let cell = step * actions..(step + 1) * actions;
        let q = &models[*fold][cell.clone()];
        model.push(q[usize::from(episodes.action[step])]);
        let of_policy = q.iter().zip(&episodes.kept.target[cell]);
        value.push(of_policy.map(|(q, p)| q * p).sum());
    }
    episodes.model = model;
    episodes.value = value;
    Ok(())
}
