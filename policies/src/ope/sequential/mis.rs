//! Marginalised importance sampling: how often the policy would be in each state, step by step.
//!
//! Weights are those of single steps, so they do not multiply over an episode.
//!
//! d̂₀ = shares of first states; d̂ₜ₊₁(s′) = Σₛ d̂ₜ(s) P̂ₜ(s′|s); P̂ₜ(s′|s) = mean over rows in s at t of ρₜ 1{next = s′};
//! r̂ₜ(s) = mean of ρₜ rₜ; V̂ = Σₜ γᵗ Σₛ d̂ₜ(s) r̂ₜ(s).
//!
//! # Source
//! Xie, Ma & Wang, NeurIPS 2019.

use super::episodes::{Episodes, NO_STATE};

/// Steps sorted by time, so that one pass goes forward.
pub(crate) struct Mis<'a> {
    episodes: &'a Episodes,
    discount: f64,
    /// Steps of each time, with their episode.
    by_time: Vec<Vec<(u32, u32)>>,
}

impl<'a> Mis<'a> {
    pub(crate) fn of(episodes: &'a Episodes, discount: f64) -> Self {
        let mut by_time = vec![Vec::new(); episodes.horizon()];
        for episode in 0..episodes.len() {
            for (t, step) in episodes.steps(episode).enumerate() {
                by_time[t].push((step as u32, episode as u32));
            }
        }
        Self {
            episodes,
            discount,
            by_time,
        }
    }

    /// The value when each episode enters a number of times.
    pub(crate) fn value(&self, times: impl Fn(usize) -> f64) -> f64 {
        let e = self.episodes;
        let mut share = vec![0.0; e.states];
        let mut n = 0.0;
        for (step, episode) in self.by_time.first().into_iter().flatten() {
            let times = times(*episode as usize);
            share[e.state[*step as usize] as usize] += times;
            n += times;
        }
        for s in &mut share {
            *s /= n;
        }
        let (mut value, mut factor) = (0.0, 1.0);
        for rows in &self.by_time {
            let mut visits = vec![0.0; e.states];
            for (step, episode) in rows {
                visits[e.state[*step as usize] as usize] += times(*episode as usize);
            }
            let mut next = vec![0.0; e.states];
            for (step, episode) in rows {
                let step = *step as usize;
                let state = e.state[step] as usize;
                let times = times(*episode as usize);
                if times == 0.0 || share[state] == 0.0 {
                    continue;
                }
                let weight = times * share[state] / visits[state] * e.log_ratio[step].exp();
                value += factor * weight * e.reward[step];
                if !e.done[step] && e.next[step] != NO_STATE {
                    next[e.next[step] as usize] += weight;
                }
            }
            share = next;
            factor *= self.discount;
        }
        value
    }
}
