//! The contract that every environment of tiers keeps: one call in its tests.

use crate::env::{Env, EnvError, Situation};
use crate::observation::{Observation, ObservationError};
use crate::tier::Tier;

/// Most decisions that an episode may need before the check gives up.
const MAX_STEPS: u32 = 100_000;
/// Episodes played.
const EPISODES: u64 = 200;

/// A clause of the contract that an environment breaks.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ContractError {
    /// `step` worked although no episode was running.
    #[error("seed {seed}: a step {when} must fail with `EpisodeOver`, it gave {got}")]
    StepOutsideEpisode {
        /// Seed of the episode.
        seed: u64,
        /// Before the first reset, or after the end.
        when: &'static str,
        /// What it gave instead.
        got: String,
    },
    /// `reset` or an allowed step failed.
    #[error("seed {seed}: {source}")]
    Failed {
        /// Seed of the episode.
        seed: u64,
        /// The environment's error.
        source: EnvError,
    },
    /// A masked tier was not refused with `Masked`, or refusing it changed the situation.
    #[error("seed {seed}, step {step}: masked tier {tier} must be refused without effect; {got}")]
    MaskIgnored {
        /// Seed of the episode.
        seed: u64,
        /// Number of the step.
        step: u32,
        /// The masked tier.
        tier: Tier,
        /// What happened instead.
        got: String,
    },
    /// The same seed and tiers led elsewhere.
    #[error("seed {seed}, step {step}: the same seed and tiers gave another {what}")]
    NotReproducible {
        /// Seed of the episode.
        seed: u64,
        /// Number of the step.
        step: u32,
        /// What differed.
        what: &'static str,
    },
    /// `terminated` and `truncated` at once.
    #[error(
        "seed {seed}, step {step}: an episode ends by `terminated` or by `truncated`, not both"
    )]
    EndsTwice {
        /// Seed of the episode.
        seed: u64,
        /// Number of the step.
        step: u32,
    },
    /// The episode does not end.
    #[error("seed {seed}: no end after {MAX_STEPS} steps")]
    Endless {
        /// Seed of the episode.
        seed: u64,
    },
    /// A number of a step out of range.
    #[error("seed {seed}, step {step}: `{field}` is {value}; {expected}")]
    BadStep {
        /// Seed of the episode.
        seed: u64,
        /// Number of the step.
        step: u32,
        /// The field of [`Step`](crate::env::Step).
        field: &'static str,
        /// Its value.
        value: f64,
        /// What it must be.
        expected: &'static str,
    },
    /// An observation outside its schema.
    #[error("seed {seed}, step {step}: {source}")]
    BadObservation {
        /// Seed of the episode.
        seed: u64,
        /// Number of the step.
        step: u32,
        /// The feature out of range.
        source: ObservationError,
    },
}

/// Checks an environment that has not been reset yet, over 200 episodes from `seed` on.
///
/// A step outside an episode fails; `reset` with the same seed and the same tiers repeats the episode; masked tiers
/// are refused without effect; exactly one of terminated and truncated ends an episode; elapsed and human seconds are
/// finite and not negative; reward lies in [0, 1] and comes with the last step; observations are within their schema.
///
/// # Errors
/// The first clause broken, with seed and step.
pub fn env(env: &mut dyn Env, seed: u64) -> Result<(), ContractError> {
    outside_episode(env, seed, "before the first reset")?;
    for seed in seed..seed + EPISODES {
        let first = play(env, seed)?;
        let second = play(env, seed)?;
        for (step, (a, b)) in (0..).zip(first.iter().zip(&second)) {
            let what = if a.observation != b.observation || a.mask != b.mask || a.text != b.text {
                "situation"
            } else if a.step != b.step {
                "outcome"
            } else {
                continue;
            };
            return Err(ContractError::NotReproducible { seed, step, what });
        }
        if first.len() != second.len() {
            return Err(ContractError::NotReproducible {
                seed,
                step: first.len().min(second.len()) as u32,
                what: "length",
            });
        }
    }
    Ok(())
}

/// One step of an episode with the situation before it.
struct Trace {
    observation: Observation,
    mask: crate::mask::Mask,
    text: Option<String>,
    step: crate::env::Step,
}

/// Plays an episode, changing tiers in a fixed pattern, and checks every step.
fn play(env: &mut dyn Env, seed: u64) -> Result<Vec<Trace>, ContractError> {
    env.reset(seed)
        .map_err(|source| ContractError::Failed { seed, source })?;
    let mut traces = Vec::new();
    for step in 0..MAX_STEPS {
        let situation = env.decide();
        Observation::from_row(situation.observation.row())
            .map_err(|source| ContractError::BadObservation { seed, step, source })?;
        let (observation, mask) = (situation.observation, situation.mask);
        let text = situation.text.map(str::to_owned);
        for tier in Tier::ALL.into_iter().filter(|tier| !mask.allows(*tier)) {
            refused(env, seed, step, tier, &observation)?;
        }
        let pattern = (seed.wrapping_mul(7).wrapping_add(u64::from(step) * 5)) % 3;
        let wanted = Tier::from_index(pattern as usize).expect("a remainder of 3 is a tier");
        let taken = env
            .step(mask.nearest(wanted))
            .map_err(|source| ContractError::Failed { seed, source })?;
        check_step(seed, step, &taken)?;
        let over = taken.terminated || taken.truncated;
        traces.push(Trace {
            observation,
            mask,
            text,
            step: taken,
        });
        if over {
            outside_episode(env, seed, "after the end")?;
            return Ok(traces);
        }
    }
    Err(ContractError::Endless { seed })
}

fn outside_episode(env: &mut dyn Env, seed: u64, when: &'static str) -> Result<(), ContractError> {
    match env.step(Tier::Review) {
        Err(EnvError::EpisodeOver) => Ok(()),
        other => Err(ContractError::StepOutsideEpisode {
            seed,
            when,
            got: format!("{other:?}"),
        }),
    }
}

fn refused(
    env: &mut dyn Env,
    seed: u64,
    step: u32,
    tier: Tier,
    before: &Observation,
) -> Result<(), ContractError> {
    let got = match env.step(tier) {
        Err(EnvError::Masked { tier: named, .. }) if named == tier => {
            let Situation { observation, .. } = env.decide();
            if observation == *before {
                return Ok(());
            }
            "the situation changed".to_owned()
        }
        other => format!("it gave {other:?}"),
    };
    Err(ContractError::MaskIgnored {
        seed,
        step,
        tier,
        got,
    })
}

fn check_step(seed: u64, step: u32, taken: &crate::env::Step) -> Result<(), ContractError> {
    if taken.terminated && taken.truncated {
        return Err(ContractError::EndsTwice { seed, step });
    }
    let over = taken.terminated || taken.truncated;
    let reward_fits = if over {
        (0.0..=1.0).contains(&taken.reward)
    } else {
        taken.reward == 0.0
    };
    let seconds = |value: f64| value.is_finite() && value >= 0.0;
    let checks = [
        (
            "reward",
            taken.reward,
            reward_fits,
            "it is 0 until the last step, and there in [0, 1]",
        ),
        (
            "elapsed_s",
            taken.elapsed_s,
            seconds(taken.elapsed_s),
            "it is finite and at least 0",
        ),
        (
            "human_s",
            taken.human_s,
            seconds(taken.human_s),
            "it is finite and at least 0",
        ),
    ];
    match checks.into_iter().find(|(_, _, fine, _)| !fine) {
        None => Ok(()),
        Some((field, value, _, expected)) => Err(ContractError::BadStep {
            seed,
            step,
            field,
            value,
            expected,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::env::Step;
    use crate::mask::Mask;
    use crate::observation::Feature;

    /// Two steps, tier 1 masked; each flaw breaks one clause.
    #[derive(Default)]
    struct Toy {
        flaw: Option<Flaw>,
        left: u32,
        resets: u32,
    }

    #[derive(Clone, Copy, PartialEq)]
    enum Flaw {
        StepsAnyway,
        IgnoresMask,
        Drifts,
        EndsTwice,
        PaysEarly,
        RunsBackwards,
        Overflows,
        Endless,
    }

    impl Env for Toy {
        fn reset(&mut self, _seed: u64) -> Result<(), EnvError> {
            self.left = 2;
            self.resets += 1;
            Ok(())
        }

        fn decide(&self) -> Situation<'_> {
            let mut observation = Observation::unknown();
            observation.set(Feature::Turn, 2.0 - self.left as f32);
            if self.flaw == Some(Flaw::Drifts) {
                observation.set(Feature::WaitedS, self.resets as f32);
            }
            Situation {
                observation,
                mask: Mask::from_flags([false, true, true]).unwrap(),
                text: None,
            }
        }

        fn step(&mut self, tier: Tier) -> Result<Step, EnvError> {
            if self.left == 0 && self.flaw != Some(Flaw::StepsAnyway) {
                return Err(EnvError::EpisodeOver);
            }
            if tier == Tier::Auto && self.flaw != Some(Flaw::IgnoresMask) {
                return Err(EnvError::Masked {
                    tier,
                    allowed: "review, human".to_owned(),
                });
            }
            if self.flaw != Some(Flaw::Endless) {
                self.left = self.left.saturating_sub(1);
            }
            let over = self.left == 0;
            let flaw = |which| self.flaw == Some(which);
            let reward = f64::from(u8::from(over || flaw(Flaw::PaysEarly)));
            Ok(Step {
                reward: if flaw(Flaw::Overflows) {
                    1.5 * reward
                } else {
                    reward
                },
                elapsed_s: if flaw(Flaw::RunsBackwards) { -1.0 } else { 1.0 },
                human_s: 0.0,
                terminated: over,
                truncated: over && flaw(Flaw::EndsTwice),
                rejected: false,
            })
        }
    }

    #[test]
    fn a_sound_environment_passes() {
        assert_eq!(env(&mut Toy::default(), 1), Ok(()));
    }

    #[test]
    fn every_flaw_is_found() {
        let of = |flaw| {
            env(
                &mut Toy {
                    flaw: Some(flaw),
                    ..Toy::default()
                },
                1,
            )
            .unwrap_err()
        };
        use ContractError as E;
        assert!(matches!(
            of(Flaw::StepsAnyway),
            E::StepOutsideEpisode { .. }
        ));
        assert!(matches!(of(Flaw::IgnoresMask), E::MaskIgnored { .. }));
        assert!(matches!(of(Flaw::Drifts), E::NotReproducible { .. }));
        assert!(matches!(of(Flaw::EndsTwice), E::EndsTwice { .. }));
        assert!(matches!(
            of(Flaw::PaysEarly),
            E::BadStep {
                field: "reward",
                ..
            }
        ));
        assert!(matches!(
            of(Flaw::Overflows),
            E::BadStep {
                field: "reward",
                ..
            }
        ));
        assert!(matches!(
            of(Flaw::RunsBackwards),
            E::BadStep {
                field: "elapsed_s",
                ..
            }
        ));
        assert!(matches!(of(Flaw::Endless), E::Endless { .. }));
    }
}
