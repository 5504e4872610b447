//! Watkins's Q(λ).

use serde::{Deserialize, Serialize};

use super::rule::{Context, Experience, Rule};

/// With δ = r + γ max Q(s′, ·) − Q(s, a), every recent pair learns: Q += α e δ, where its trace e is set to 1 when the pair is
/// taken, shrinks by γλ each step, and is cut to 0 when an action is taken that is not greedy.
///
/// # Source
/// Watkins 1989; Sutton & Barto, 1st ed., figure 7.14, with the replacing traces of section 7.8.
/// # Differs from the source
/// Traces below 1e-8 are dropped, and all pairs share the step size of the pair just taken.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct QLambda {
    lambda: f64,
    /// (pair, trace).
    traces: Vec<(usize, f64)>,
}

impl QLambda {
    const NEGLIGIBLE: f64 = 1e-8;

    pub(super) fn new(lambda: f64) -> Self {
        Self {
            lambda,
            traces: Vec::new(),
        }
    }

    pub(super) fn is_for(&self, lambda: f64) -> bool {
        self.lambda == lambda
    }
}

impl Rule for QLambda {
    #[inline]
    fn learn(&mut self, step: &Experience, context: &mut Context) -> f64 {
        if step.exploratory {
            self.traces.clear();
        }
        let pair = step.state * context.table.actions() + step.action;
        match self.traces.iter_mut().find(|(other, _)| *other == pair) {
            Some((_, trace)) => *trace = 1.0,
            None => self.traces.push((pair, 1.0)),
        }
        let mut target = step.reward;
        if step.discount != 0.0 {
            target += step.discount * context.table.max(step.next_state, step.next_mask);
        }
        let size = context.step_size(step.state, step.action);
        let values = context.table.values_mut();
        let error = target - values[pair];
        let decay = if step.ended {
            0.0
        } else {
            step.discount * self.lambda
        };
        self.traces.retain_mut(|(pair, trace)| {
            values[*pair] += size * *trace * error;
            *trace *= decay;
            *trace > Self::NEGLIGIBLE
        });
        error
    }

    fn forget_episode(&mut self) {
        self.traces.clear();
    }

    fn fits(&self, states: usize, actions: usize) -> bool {
        self.traces
            .iter()
            .all(|&(pair, trace)| pair < states * actions && trace.is_finite())
    }
}
