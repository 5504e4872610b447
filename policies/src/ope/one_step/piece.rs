//! Rows to what estimation needs of them: a weight, a reward, what the model says.

use super::estimator::Shrink;
use super::gather::Bounded;
use super::layout::{Layout, Rounds, Term};
use crate::ope::diagnostics::DiagnosticsTally;
use crate::ope::model::{Behaviour, Fitted, ModelKind, wanted};
use crate::ope::prints::Prints;
use crate::ope::table::{Header, Rows, Wanted};

/// How often each action was taken, and how often the target policy would take it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Overlap {
    pub(crate) logged: Vec<u64>,
    pub(crate) target: Vec<f64>,
    /// Σ 1/p and Σ 1/p² over the rows of each action; zero without propensities.
    pub(crate) inverse: Vec<[f64; 2]>,
}

impl Overlap {
    pub(crate) fn new(actions: usize) -> Self {
        Self {
            logged: vec![0; actions],
            target: vec![0.0; actions],
            inverse: vec![[0.0; 2]; actions],
        }
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.logged.iter_mut().zip(&other.logged) {
            *mine += theirs;
        }
        for (mine, theirs) in self.target.iter_mut().zip(&other.target) {
            *mine += theirs;
        }
        for (mine, theirs) in self.inverse.iter_mut().zip(&other.inverse) {
            mine[0] += theirs[0];
            mine[1] += theirs[1];
        }
    }

    /// Mean of 1{action}/p over n rows and its standard error: 1 is expected when propensities are right.
    pub(crate) fn calibration(&self, action: usize, n: f64) -> (f64, f64) {
        let [sum, squares] = self.inverse[action];
        let mean = sum / n;
        (mean, ((squares / n - mean * mean).max(0.0) / n).sqrt())
    }
}

/// A model and where it comes from.
#[derive(Clone, Copy)]
pub(crate) enum Model<'a> {
    None,
    Given,
    Fitted(ModelKind, &'a Fitted),
}

/// What estimation needs.
pub(crate) struct Need<'a> {
    pub(crate) layout: &'a Layout,
    pub(crate) shrinks: &'a [Shrink],
    pub(crate) bounded: &'a [Bounded],
    pub(crate) model: Model<'a>,
    /// The model of `mrdr`.
    pub(crate) robust: Model<'a>,
    /// The policy that wrote the log, where it was estimated, and the fold whose model stands for all.
    pub(crate) behaviour: Option<(&'a Behaviour, Option<usize>)>,
    /// Declared range of the reward.
    pub(crate) range: Option<(f64, f64)>,
}

impl Need<'_> {
    pub(crate) fn wanted(&self, header: &Header) -> Wanted {
        let of = |model: &Model<'_>| match model {
            Model::None => Wanted::default(),
            Model::Given => wanted(ModelKind::Given),
            Model::Fitted(kind, _) => wanted(*kind),
        };
        let mut all = of(&self.model).and(of(&self.robust)).and(header.grouping());
        if self.behaviour.is_some() {
            all = all.and(Behaviour::wanted(header));
        }
        all
    }
}

/// A run of rows as estimation needs it.
pub(crate) struct Piece {
    pub(crate) rounds: Rounds,
    pub(crate) unit: Vec<u64>,
    pub(crate) overlap: Overlap,
    pub(crate) diagnostics: DiagnosticsTally,
    pub(crate) missing_model: u64,
    pub(crate) prints: Prints,
    /// The first reward outside the declared range, and its row.
    pub(crate) outside: Option<(u64, f64)>,
}

pub(crate) fn piece(rows: Rows, header: &Header, need: &Need<'_>) -> Piece {
    let actions = header.actions;
    let prints = Prints::of(&rows, actions);
    let mut overlap = Overlap::new(actions);
    for (action, p) in rows.action.iter().zip(&rows.propensity) {
        let [sum, squares] = &mut overlap.inverse[usize::from(*action)];
        *sum += 1.0 / p;
        *squares += 1.0 / (p * p);
    }
    for (row, target) in rows.target.chunks_exact(actions).enumerate() {
        overlap.logged[usize::from(rows.action[row])] += 1;
        for (sum, p) in overlap.target.iter_mut().zip(target) {
            *sum += p;
        }
    }
    let mut rounds = Rounds::default();
    let taken = |row: usize| rows.target[row * actions + usize::from(rows.action[row])];
    rounds.weight = match need.behaviour {
        Some((behaviour, of_fold)) => (0..rows.len())
            .map(|row| taken(row) / behaviour.of(&rows, row, of_fold))
            .collect(),
        None => rows
            .propensity
            .iter()
            .enumerate()
            .map(|(row, p)| taken(row) / p)
            .collect(),
    };
    let diagnostics = match need.behaviour {
        // A pass that asks what one fold's model would change; the first pass has them.
        Some((_, Some(_))) => DiagnosticsTally::new(header),
        behaviour => DiagnosticsTally::of(&rows, &rounds.weight, header, behaviour.map(|b| b.0)),
    };
    let mut missing_model = 0;
    (rounds.model, rounds.direct) = modelled(&rows, actions, need.model, &mut missing_model);
    (rounds.robust_model, rounds.robust_direct) =
        modelled(&rows, actions, need.robust, &mut missing_model);
    let outside = need.range.and_then(|(low, high)| {
        let at = rows.reward.iter().position(|r| *r < low || *r > high)?;
        Some((at as u64, rows.reward[at]))
    });
    if need.layout.terms.contains(&Term::ModelError)
        && let Model::Fitted(_, fitted) = need.model
    {
        rounds.moved = (0..rows.len())
            .map(|row| fitted.moved(&rows, row, rounds.model[row]))
            .collect();
    }
    rounds.reward = rows.reward;
    Piece {
        rounds,
        unit: rows.unit,
        overlap,
        diagnostics,
        missing_model,
        prints,
        outside,
    }
}

/// q(x, a) of the action taken and Σ π q, row by row; counts the rows in which a value is missing that is needed.
fn modelled(
    rows: &Rows,
    actions: usize,
    model: Model<'_>,
    missing: &mut u64,
) -> (Vec<f64>, Vec<f64>) {
    let n = rows.len();
    if matches!(model, Model::None) {
        return (Vec::new(), Vec::new());
    }
    let (mut of_taken, mut direct) = (Vec::with_capacity(n), Vec::with_capacity(n));
    let mut predicted = vec![0.0; actions];
    for row in 0..n {
        let cells = row * actions..(row + 1) * actions;
        let target = &rows.target[cells.clone()];
        let values = match model {
            Model::Fitted(_, fitted) => {
                fitted.predict(rows, row, &mut predicted);
                &predicted[..]
            }
            _ => &rows.model[cells],
        };
        let taken = usize::from(rows.action[row]);
        let mut sum: f64 = target.iter().zip(values).map(|(p, q)| p * q).sum();
        if sum.is_nan() {
            // A value that the policy never asks for may be missing.
            let asked = target.iter().zip(values).filter(|(p, _)| **p > 0.0);
            sum = asked.map(|(p, q)| p * q).sum();
        }
        *missing += u64::from(sum.is_nan() || (target[taken] > 0.0 && values[taken].is_nan()));
        of_taken.push(values[taken]);
        direct.push(sum);
    }
    (of_taken, direct)
}
