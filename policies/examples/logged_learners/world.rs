//! A service desk of 64 states whose truth is known, the policies that write its logs, and the logs.

use std::fmt::Write;

use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use tierwise_envs::mdp::{FinitePolicy, Mdp, MdpBuilder, TransitionRow};

/// Load, complexity and mood, four levels each.
pub(crate) const STATES: usize = 64;
/// The AI alone, a checked draft, a person.
pub(crate) const ACTIONS: usize = 3;
/// Discount a decision.
pub(crate) const DISCOUNT: f64 = 0.9;
/// Chance that the shift ends after a decision: ten decisions an episode on average.
const END: f64 = 0.1;
/// How far a reward lies from its mean at most, and how many values it takes.
const SPREAD: f64 = 0.2;
const LEVELS: usize = 21;

/// What a decision pays on average; what it pays is spread evenly by `SPREAD` on both sides. People do well and get worse with
/// the load; the AI with complexity.
fn pays(state: usize, action: usize) -> f64 {
    let (load, complexity, mood) = (
        (state / 16) as f64,
        (state / 4 % 4) as f64,
        (state % 4) as f64,
    );
    match action {
        0 => 0.95 - 0.3 * complexity - 0.02 * mood,
        1 => 0.7 - 0.08 * complexity - 0.04 * load - 0.03 * mood,
        _ => 0.95 - 0.02 * complexity - 0.22 * load,
    }
}

/// Next states with their probabilities: people and drafts fill the desk, the AI lets it empty; customers come at random.
fn next(state: usize, action: usize) -> Vec<(usize, f64)> {
    let load = state / 16;
    let (up, down) = [(0.05, 0.6), (0.3, 0.3), (0.7, 0.05)][action];
    let loads = [
        ((load + 1).min(3), up),
        (load.saturating_sub(1), down),
        (load, 1.0 - up - down),
    ];
    let mut next = vec![0.0; STATES];
    for (load, share) in loads {
        for complexity in 0..4 {
            for mood in 0..4 {
                // Simple questions are more frequent; a bad mood lasts.
                let drawn = [0.4, 0.3, 0.2, 0.1][complexity];
                let stays = if mood == state % 4 {
                    0.5 + 0.5 / 4.0
                } else {
                    0.5 / 4.0
                };
                next[load * 16 + complexity * 4 + mood] += (1.0 - END) * share * drawn * stays;
            }
        }
    }
    let mut all: Vec<(usize, f64)> = next
        .into_iter()
        .enumerate()
        .filter(|(_, p)| *p > 0.0)
        .collect();
    all.push((STATES, END));
    all
}

/// The desk as a finite process; the last state is the end.
pub(crate) fn desk() -> Mdp {
    let transitions = (0..STATES)
        .flat_map(|s| (0..ACTIONS).map(move |a| TransitionRow::new(s, a, pays(s, a), next(s, a))));
    MdpBuilder {
        state_count: STATES + 1,
        action_count: ACTIONS,
        discount: DISCOUNT,
        initial: (0..STATES).map(|s| (s, 1.0 / STATES as f64)).collect(),
        terminal: vec![STATES],
        transitions: transitions.collect(),
        max_episode_steps: None,
        states: None,
        state_meaning: None,
        actions: None,
        name: None,
        notes: None,
        transitions_format: None,
    }
    .build()
    .expect("a process whose rows sum to one")
}

/// Probabilities of the policy that writes the log: with `skill` the best action, else one by how it pays now, a fifth of the
/// time any.
pub(crate) fn logging(mdp: &Mdp, skill: f64) -> Vec<f64> {
    let best = mdp.optimum(DISCOUNT).expect("a discounted process").policy;
    (0..STATES)
        .flat_map(|s| {
            let weights: [f64; ACTIONS] = std::array::from_fn(|a| (2.0 * pays(s, a)).exp());
            let sum: f64 = weights.iter().sum();
            let best = best[s];
            std::array::from_fn::<f64, ACTIONS, _>(|a| {
                let now = weights[a] / sum;
                let skilled = f64::from(u8::from(a == best));
                0.2 / ACTIONS as f64 + 0.8 * (skill * skilled + (1.0 - skill) * now)
            })
        })
        .collect()
}

/// True value of a policy.
pub(crate) fn value(mdp: &Mdp, mut probabilities: Vec<f64>) -> f64 {
    // Nothing is chosen after the end.
    probabilities.extend(vec![1.0 / ACTIONS as f64; ACTIONS]);
    let policy = FinitePolicy::stochastic(mdp, probabilities).expect("probabilities sum to one");
    mdp.start_value(&policy, DISCOUNT)
        .expect("a discounted process")
}

/// A log as a table with `episode`, `t`, `state`, `done`.
pub(crate) fn log(mdp: &Mdp, policy: &[f64], episodes: usize, seed: u64) -> String {
    let rng = &mut Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut drawn = |weights: &mut dyn Iterator<Item = f64>| -> usize {
        let mut left: f64 = rng.random();
        let mut last = 0;
        for (at, weight) in weights.enumerate() {
            last = at;
            left -= weight;
            if left < 0.0 {
                break;
            }
        }
        last
    };
    let mut text = "episode,t,state,action,propensity,reward,done\n".to_owned();
    for episode in 0..episodes {
        let mut state = drawn(&mut std::iter::repeat_n(1.0 / STATES as f64, STATES));
        for t in 0.. {
            let row = &policy[state * ACTIONS..(state + 1) * ACTIONS];
            let action = drawn(&mut row.iter().copied());
            let level = drawn(&mut std::iter::repeat_n(1.0 / LEVELS as f64, LEVELS));
            let apart = 2.0 * level as f64 / (LEVELS - 1) as f64 - 1.0;
            let reward = pays(state, action) + SPREAD * apart;
            let outcomes = mdp.outcomes(state, action);
            let (next, _) = outcomes[drawn(&mut outcomes.iter().map(|(_, p)| *p))];
            let done = u8::from(next == STATES);
            let propensity = row[action];
            writeln!(
                text,
                "{episode},{t},{state},{action},{propensity},{reward},{done}"
            )
            .expect("a string takes everything");
            if next == STATES {
                break;
            }
            state = next;
        }
    }
    text
}
