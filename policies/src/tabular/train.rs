//! The training loop: act, step, learn.

use rand::Rng;
use tierwise_envs::finite::{FiniteEnv, FiniteStep, full_mask};

use super::acting::choose;
use super::config::{Coupling, Discounting};
use super::error::LearnError;
use super::q::Q;
use super::rule::{Context, Experience, Rule, RuleState, with_rule};
use super::state::{Current, TabularState};

/// What a stretch of training saw.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Progress {
    /// Steps taken.
    pub steps: u64,
    /// Episodes that ended.
    pub episodes: u64,
    /// Sum of rewards, tolls not deducted.
    pub reward: f64,
    /// Sum of undiscounted returns of the episodes that ended, each since its start.
    pub returns: f64,
    /// Seconds that passed in the environment.
    pub elapsed_s: f64,
    /// Human seconds taken up.
    pub human_seconds: f64,
    /// Sum of absolute temporal-difference errors.
    pub absolute_td_error: f64,
}

impl Progress {
    /// Mean return of the episodes that ended; none without one.
    #[must_use]
    pub fn mean_return(&self) -> Option<f64> {
        (self.episodes > 0).then(|| self.returns / self.episodes as f64)
    }

    /// Mean reward per step, exploration included; none without a step.
    #[must_use]
    pub fn mean_reward(&self) -> Option<f64> {
        (self.steps > 0).then(|| self.reward / self.steps as f64)
    }
}

/// Lets `learner` live in `env` for `steps` more steps.
///
/// The environment must stand where the learner left it; a fresh learner resets it. Training in pieces gives the same bytes
/// as training at once.
///
/// # Errors
/// [`LearnError::ForeignEnvironment`], [`LearnError::Environment`], [`LearnError::BadStep`], [`LearnError::NothingAllowed`], and
/// [`LearnError::Diverged`] when a value is no longer finite at the end of the stretch.
pub fn train(
    env: &mut impl FiniteEnv,
    learner: &mut TabularState,
    steps: u64,
) -> Result<Progress, LearnError> {
    let (own_states, own_actions) = (learner.table.states(), learner.table.actions());
    let (states, actions) = (env.states(), env.actions());
    if (states, actions) != (own_states, own_actions) {
        return Err(LearnError::ForeignEnvironment {
            states,
            actions,
            own_states,
            own_actions,
        });
    }
    // The rule leaves the learner while it runs, so that its loop may borrow the rest.
    let mut rule = std::mem::replace(&mut learner.rule, RuleState::Q(Q));
    let progress = with_rule!(&mut rule, rule => run(env, rule, learner, steps));
    learner.rule = rule;
    if progress.is_err() {
        learner.leave_episode();
    }
    let progress = progress?;
    learner.check_finite()?;
    Ok(progress)
}

fn run<R: Rule>(
    env: &mut impl FiniteEnv,
    rule: &mut R,
    learner: &mut TabularState,
    steps: u64,
) -> Result<Progress, LearnError> {
    let TabularState {
        config,
        table,
        random,
        steps: taken,
        episodes,
        episode_return,
        current,
        sizes,
        ..
    } = learner;
    let discounting = Discounting::of(config);
    let (exploration, coupling, toll) =
        (config.exploration, config.coupling, config.toll_per_human_s);
    let states = table.states();
    let full = full_mask(table.actions());
    let mut progress = Progress::default();
    let mut place = current.take();
    for _ in 0..steps {
        let epsilon = exploration.at(*taken);
        let now = match place {
            Some(now) => now,
            None => {
                *episode_return = 0.0;
                start(env, random.next_u64(), episodes, states, full, *taken)?
            }
        };
        let (action, exploratory) = match now.decided {
            Some(decided) => decided,
            None => choose(table, now.state, now.mask, epsilon, random),
        };
        let step = env.step(action)?;
        check(&step, states, *taken)?;
        *episode_return += step.reward;
        progress.reward += step.reward;
        progress.elapsed_s += step.elapsed_s;
        progress.human_seconds += step.human_seconds;

        let conversations = coupling != Coupling::Continuing;
        let nothing_follows =
            (step.terminated && !R::RENEWS) || (conversations && step.closes_conversation);
        let over = step.terminated || step.truncated;
        let mut next = if step.terminated && R::RENEWS {
            start(env, random.next_u64(), episodes, states, full, *taken)?
        } else {
            Current {
                state: step.next_state,
                mask: env.mask() & full,
                decided: None,
            }
        };
        if next.mask == 0 {
            if !step.terminated {
                return Err(LearnError::NothingAllowed { state: next.state });
            }
            next.mask = full;
        }
        let discount = if nothing_follows {
            0.0
        } else {
            discounting.over(step.elapsed_s)
        };
        let goes_on = !over || (step.terminated && R::RENEWS);
        if R::ON_POLICY && (goes_on || discount != 0.0) {
            next.decided = Some(choose(table, next.state, next.mask, epsilon, random));
        }
        let experience = Experience {
            state: now.state,
            action,
            reward: step.reward - toll * step.human_seconds,
            elapsed_s: step.elapsed_s,
            discount,
            next_state: next.state,
            next_mask: next.mask,
            next_action: next.decided.map_or(0, |(action, _)| action),
            exploratory,
            ended: over || nothing_follows,
        };
        let mut context = Context {
            table: &mut *table,
            sizes: &mut *sizes,
            random: &mut *random,
            epsilon,
            steps: *taken,
        };
        progress.absolute_td_error += rule.learn(&experience, &mut context).abs();
        *taken += 1;
        progress.steps += 1;
        if over {
            progress.episodes += 1;
            progress.returns += *episode_return;
            *episode_return = 0.0;
        }
        place = goes_on.then_some(next);
    }
    *current = place;
    Ok(progress)
}

/// Resets the environment and looks at where it starts.
fn start(
    env: &mut impl FiniteEnv,
    seed: u64,
    episodes: &mut u64,
    states: usize,
    full: u32,
    steps: u64,
) -> Result<Current, LearnError> {
    let state = env.reset(seed)?;
    *episodes += 1;
    let mask = env.mask() & full;
    if state >= states {
        return Err(bad("state", state as f64, "a known state", steps));
    }
    if mask == 0 {
        return Err(LearnError::NothingAllowed { state });
    }
    Ok(Current {
        state,
        mask,
        decided: None,
    })
}

#[inline]
fn check(step: &FiniteStep, states: usize, steps: u64) -> Result<(), LearnError> {
    if step.next_state >= states {
        return Err(bad(
            "next_state",
            step.next_state as f64,
            "a known state",
            steps,
        ));
    }
    if !step.reward.is_finite() {
        return Err(bad("reward", step.reward, "a finite number", steps));
    }
    if !(step.elapsed_s >= 0.0 && step.elapsed_s < f64::INFINITY) {
        return Err(bad(
            "elapsed_s",
            step.elapsed_s,
            "seconds, at least 0",
            steps,
        ));
    }
    if !(step.human_seconds >= 0.0 && step.human_seconds < f64::INFINITY) {
        return Err(bad(
            "human_seconds",
            step.human_seconds,
            "seconds, at least 0",
            steps,
        ));
    }
    Ok(())
}

#[cold]
fn bad(field: &'static str, value: f64, expected: &'static str, steps: u64) -> LearnError {
    LearnError::BadStep {
        steps,
        field,
        value,
        expected,
    }
}

impl TabularState {
    pub(super) fn check_finite(&self) -> Result<(), LearnError> {
        let actions = self.table.actions();
        match self
            .table
            .values()
            .iter()
            .position(|value| !value.is_finite())
        {
            None => Ok(()),
            Some(pair) => Err(LearnError::Diverged {
                state: pair / actions,
                action: pair % actions,
                value: self.table.values()[pair],
                steps: self.steps,
            }),
        }
    }
}
