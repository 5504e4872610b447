//! Where an experiment stands, and the one way to move it.

use serde::{Deserialize, Serialize};

use super::{Definition, Design};
use crate::router::allocation::{Allocation, AllocationError};

/// Microseconds of a day.
const DAY_US: f64 = 86_400e6;

/// Where an experiment stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "phase", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Phase {
    /// Written, not started: the champion answers.
    Draft,
    /// Split between arms.
    Running,
    /// The champion answers until it is resumed.
    Paused {
        /// Weights to resume with.
        weights: Vec<f64>,
    },
    /// A challenger won: it answers all but the holdback.
    Promoted {
        /// Its position.
        arm: u8,
        /// Until when the champion keeps its holdback, in microseconds since 1970.
        holdback_until_us: i64,
    },
    /// A challenger won and its holdback is over: it answers alone.
    Completed {
        /// Its position.
        arm: u8,
    },
    /// A challenger was worse, or harmed a guardrail: the champion answers.
    RolledBack,
    /// Ended by a person: the champion answers.
    Stopped,
    /// Ended by the kill switch: the champion answers.
    Killed,
}

impl Phase {
    /// Its name in results and requests.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Running => "running",
            Self::Paused { .. } => "paused",
            Self::Promoted { .. } => "promoted",
            Self::Completed { .. } => "completed",
            Self::RolledBack => "rolled_back",
            Self::Stopped => "stopped",
            Self::Killed => "killed",
        }
    }

    /// Whether units still enter the test: while it runs, and while a holdback is kept.
    #[must_use]
    pub const fn is_live(&self) -> bool {
        matches!(self, Self::Running | Self::Promoted { .. })
    }

    /// Whether nothing can be asked of it any more.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        matches!(
            self,
            Self::Completed { .. } | Self::RolledBack | Self::Stopped | Self::Killed
        )
    }
}

/// Weights from one moment on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Revision {
    /// Its number, from 0.
    pub number: u32,
    /// From when, in microseconds since 1970.
    pub since_us: i64,
    /// Weight of every arm.
    pub weights: Vec<f64>,
    /// Who owns which buckets.
    pub allocation: Allocation,
}

/// What can be asked of an experiment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Action {
    /// Begin with the ramp's first share.
    Start,
    /// Go to a higher share of the challengers.
    Ramp {
        /// The share of each challenger against the champion.
        share: f64,
    },
    /// Let the champion answer for a while.
    Pause,
    /// Go on as before the pause.
    Resume,
    /// Let a challenger answer all but the holdback.
    Promote {
        /// The challenger's name.
        arm: String,
    },
    /// Take a challenger out; the others go on. The last one is rolled back instead.
    Drop {
        /// The challenger's name.
        arm: String,
    },
    /// End the holdback.
    Complete,
    /// Return to the champion because a challenger is worse.
    #[serde(rename = "rollback")]
    RollBack,
    /// End it; the champion answers.
    Stop,
    /// End it at once; the champion answers.
    Kill,
}

impl Action {
    /// Its name in requests and in the history.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Ramp { .. } => "ramp",
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Promote { .. } => "promote",
            Self::Drop { .. } => "drop",
            Self::Complete => "complete",
            Self::RollBack => "rollback",
            Self::Stop => "stop",
            Self::Kill => "kill",
        }
    }
}

/// Why an action was refused. Nothing has changed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// Not in this phase.
    #[error("cannot {action} an experiment that is {phase}; {expected}")]
    Phase {
        /// The action.
        action: &'static str,
        /// The phase it is in.
        phase: &'static str,
        /// In which phase it can.
        expected: &'static str,
    },
    /// A ramp that does not rise.
    #[error("the share is {share}; a ramp rises, it is {current} now and stays below 1")]
    NotRising {
        /// The share asked for.
        share: f64,
        /// The share now.
        current: f64,
    },
    /// No such challenger.
    #[error("no challenger is called `{arm}`; there are {challengers}")]
    NoSuchArm {
        /// The name given.
        arm: String,
        /// Those that exist.
        challengers: String,
    },
    /// A time before the last change: a clock was set back.
    #[error("{at_us} µs lies before the last change at {since_us} µs: a clock was set back")]
    TimeRunsBack {
        /// The time given.
        at_us: i64,
        /// Time of the last change.
        since_us: i64,
    },
    /// Weights that cannot be allocated.
    #[error(transparent)]
    Allocation(#[from] AllocationError),
}

/// An experiment with its phase and its history of weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Experiment {
    /// What it compares.
    pub definition: Definition,
    /// Where it stands.
    pub phase: Phase,
    /// Since when it stands there, in microseconds since 1970.
    pub phase_since_us: i64,
    /// Its weights over time; the last one is in force.
    pub revisions: Vec<Revision>,
}

impl Experiment {
    /// A draft. The definition has been checked.
    #[must_use]
    pub fn draft(definition: Definition, at_us: i64) -> Self {
        Self {
            definition,
            phase: Phase::Draft,
            phase_since_us: at_us,
            revisions: Vec::new(),
        }
    }

    /// The revision in force; none before the start.
    #[must_use]
    pub fn revision(&self) -> Option<&Revision> {
        self.revisions.last()
    }

    /// A revision by number.
    #[must_use]
    pub fn revision_numbered(&self, number: u32) -> Option<&Revision> {
        self.revisions.iter().find(|one| one.number == number)
    }

    /// Share of the challengers, each against the champion, now; 0 before the start.
    #[must_use]
    pub fn share(&self) -> f64 {
        self.revision().map_or(0.0, |revision| {
            let champion = revision.weights[0];
            let challenger = revision.weights[1..]
                .iter()
                .fold(0.0_f64, |most, w| most.max(*w));
            if champion + challenger > 0.0 {
                challenger / (champion + challenger)
            } else {
                0.0
            }
        })
    }

    /// Position of the arm that answers units outside the test: the champion, or the winner once promoted.
    #[must_use]
    pub fn incumbent(&self) -> u8 {
        match self.phase {
            Phase::Promoted { arm, .. } | Phase::Completed { arm } => arm,
            _ => 0,
        }
    }

    /// Moves the experiment, or refuses and leaves it as it was.
    ///
    /// # Errors
    /// [`Refused`] with the reason.
    pub fn apply(&mut self, action: &Action, at_us: i64) -> Result<(), Refused> {
        let since_us = self
            .phase_since_us
            .max(self.revision().map_or(i64::MIN, |r| r.since_us));
        // A kill must always work, even when a clock was set back.
        let at_us = match action {
            Action::Kill => at_us.max(since_us),
            _ if at_us < since_us => return Err(Refused::TimeRunsBack { at_us, since_us }),
            _ => at_us,
        };
        let (phase, weights) = self.target(action, at_us)?;
        let next = match weights {
            Some(weights) => Some(self.next_revision(weights, at_us)?),
            None => None,
        };
        self.revisions.extend(next);
        if self.phase != phase {
            self.phase = phase;
            self.phase_since_us = at_us;
        }
        Ok(())
    }

    /// The phase and the weights that an action leads to.
    fn target(&self, action: &Action, at_us: i64) -> Result<(Phase, Option<Vec<f64>>), Refused> {
        let refused = |expected| {
            Err(Refused::Phase {
                action: action.name(),
                phase: self.phase.name(),
                expected,
            })
        };
        let champion_only = || {
            let mut weights = vec![0.0; self.definition.arms.len()];
            weights[0] = 1.0;
            Some(weights)
        };
        match (action, &self.phase) {
            (Action::Start, Phase::Draft) => {
                let share = match self.definition.design {
                    Design::User => self.definition.rule.ramp[0],
                    Design::Switchback | Design::SplitPool => 0.5,
                };
                Ok((Phase::Running, Some(self.definition.weights(share))))
            }
            (Action::Start, _) => refused("only a draft can be started"),
            (Action::Ramp { share }, Phase::Running) => {
                let current = self.share();
                if !(*share > current && *share < 1.0) {
                    return Err(Refused::NotRising {
                        share: *share,
                        current,
                    });
                }
                let mut weights = self.definition.weights(*share);
                let now = &self.revision().expect("a running one has started").weights;
                for (weight, before) in weights.iter_mut().zip(now) {
                    if *before == 0.0 {
                        *weight = 0.0;
                    }
                }
                let sum: f64 = weights.iter().sum();
                weights.iter_mut().for_each(|weight| *weight /= sum);
                Ok((Phase::Running, Some(weights)))
            }
            (Action::Ramp { .. }, _) => refused("only a running experiment can be ramped"),
            (Action::Pause, Phase::Running) => {
                let weights = self
                    .revision()
                    .expect("a running one has started")
                    .weights
                    .clone();
                Ok((Phase::Paused { weights }, champion_only()))
            }
            (Action::Pause, _) => refused("only a running experiment can be paused"),
            (Action::Resume, Phase::Paused { weights }) => {
                Ok((Phase::Running, Some(weights.clone())))
            }
            (Action::Resume, _) => refused("only a paused experiment can be resumed"),
            (Action::Promote { arm }, Phase::Running | Phase::Paused { .. }) => {
                let arm = self.challenger(arm)?;
                let rule = &self.definition.rule;
                let mut weights = vec![0.0; self.definition.arms.len()];
                weights[0] = rule.holdback_share;
                weights[usize::from(arm)] = 1.0 - rule.holdback_share;
                let holdback_until_us =
                    at_us.saturating_add((rule.holdback_days * DAY_US).round() as i64);
                Ok((
                    Phase::Promoted {
                        arm,
                        holdback_until_us,
                    },
                    Some(weights),
                ))
            }
            (Action::Promote { .. }, _) => refused("only a running or paused one can be promoted"),
            (Action::Drop { arm }, Phase::Running) => {
                let arm = usize::from(self.challenger(arm)?);
                let mut weights = self
                    .revision()
                    .expect("a running one has started")
                    .weights
                    .clone();
                let left = (1..weights.len())
                    .filter(|k| *k != arm && weights[*k] > 0.0)
                    .count();
                if left == 0 {
                    return Ok((Phase::RolledBack, champion_only()));
                }
                // The others keep their share against the champion.
                let rest = 1.0 - weights[arm];
                weights[arm] = 0.0;
                weights.iter_mut().for_each(|weight| *weight /= rest);
                Ok((Phase::Running, Some(weights)))
            }
            (Action::Drop { .. }, _) => refused("only a running experiment can lose a challenger"),
            (Action::Complete, Phase::Promoted { arm, .. }) => {
                let mut weights = vec![0.0; self.definition.arms.len()];
                weights[usize::from(*arm)] = 1.0;
                Ok((Phase::Completed { arm: *arm }, Some(weights)))
            }
            (Action::Complete, _) => refused("only a promoted one has a holdback to end"),
            (Action::RollBack, Phase::Running | Phase::Paused { .. } | Phase::Promoted { .. }) => {
                Ok((Phase::RolledBack, champion_only()))
            }
            (Action::RollBack, _) => {
                refused("only a started one that is not over can be rolled back")
            }
            (Action::Stop, Phase::Running | Phase::Paused { .. }) => {
                Ok((Phase::Stopped, champion_only()))
            }
            (Action::Stop, Phase::Draft) => Ok((Phase::Stopped, None)),
            (Action::Stop, _) => refused("only a draft or a running or paused one can be stopped"),
            (Action::Kill, Phase::Draft) => Ok((Phase::Killed, None)),
            (Action::Kill, phase)
                if !phase.is_over() || matches!(phase, Phase::Completed { .. }) =>
            {
                Ok((Phase::Killed, champion_only()))
            }
            (Action::Kill, _) => refused("the champion answers already"),
        }
    }

    fn challenger(&self, name: &str) -> Result<u8, Refused> {
        let arms = &self.definition.arms;
        match arms.iter().skip(1).position(|arm| arm.name == name) {
            Some(position) => Ok(position as u8 + 1),
            None => Err(Refused::NoSuchArm {
                arm: name.to_owned(),
                challengers: arms[1..]
                    .iter()
                    .map(|arm| format!("`{}`", arm.name))
                    .collect::<Vec<_>>()
                    .join(", "),
            }),
        }
    }

    fn next_revision(&self, weights: Vec<f64>, at_us: i64) -> Result<Revision, AllocationError> {
        let coverage = self.definition.coverage;
        let (number, allocation) = match self.revision() {
            None => (0, Allocation::initial(&weights, coverage)?),
            Some(last) => (
                last.number + 1,
                last.allocation.moved_to(&weights, coverage)?,
            ),
        };
        Ok(Revision {
            number,
            since_us: at_us,
            weights,
            allocation,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::definition::example;
    use super::*;

    fn running() -> Experiment {
        let mut experiment = Experiment::draft(example(), 0);
        experiment.apply(&Action::Start, 1).unwrap();
        experiment
    }

    fn arm(name: &str) -> Action {
        Action::Promote { arm: name.into() }
    }

    #[test]
    fn the_whole_way_to_promotion() {
        let mut experiment = running();
        assert_eq!(experiment.share(), 0.01);
        for (at, share) in [(2, 0.05), (3, 0.25), (4, 0.5)] {
            experiment.apply(&Action::Ramp { share }, at).unwrap();
        }
        experiment.apply(&arm("challenger"), 5).unwrap();
        let revision = experiment.revision().unwrap();
        assert_eq!((revision.number, revision.allocation.share(0)), (4, 0.05));
        assert_eq!(
            experiment.phase,
            Phase::Promoted {
                arm: 1,
                holdback_until_us: 5 + 14 * 86_400_000_000
            }
        );
        experiment.apply(&Action::Complete, 6).unwrap();
        assert_eq!(experiment.revision().unwrap().allocation.share(1), 1.0);
        assert_eq!(experiment.incumbent(), 1);
        // What was written can be read again.
        let json = serde_json::to_string(&experiment).unwrap();
        assert_eq!(
            serde_json::from_str::<Experiment>(&json).unwrap(),
            experiment
        );
    }

    #[test]
    fn a_pause_gives_buckets_back() {
        let mut experiment = running();
        experiment.apply(&Action::Ramp { share: 0.25 }, 2).unwrap();
        let before = experiment.revision().unwrap().allocation.clone();
        experiment.apply(&Action::Pause, 3).unwrap();
        assert_eq!(experiment.revision().unwrap().allocation.share(0), 1.0);
        experiment.apply(&Action::Resume, 4).unwrap();
        assert_eq!(
            experiment.revision().unwrap().allocation.share(1),
            before.share(1)
        );
        assert_eq!(experiment.phase, Phase::Running);
    }

    #[test]
    fn what_is_refused_changes_nothing() {
        let mut stopped = running();
        stopped.apply(&Action::Stop, 2).unwrap();
        for (start, action, at, want) in [
            (running(), Action::Start, 2, "only a draft"),
            (running(), Action::Ramp { share: 0.005 }, 2, "a ramp rises"),
            (
                running(),
                Action::Ramp { share: f64::NAN },
                2,
                "a ramp rises",
            ),
            (running(), Action::Resume, 2, "only a paused"),
            (
                running(),
                arm("champion"),
                2,
                "no challenger is called `champion`",
            ),
            (running(), Action::Complete, 2, "only a promoted"),
            (
                running(),
                Action::Ramp { share: 0.5 },
                0,
                "a clock was set back",
            ),
            (
                stopped.clone(),
                arm("challenger"),
                3,
                "only a running or paused",
            ),
            (stopped, Action::Kill, 3, "the champion answers already"),
        ] {
            let mut experiment = start.clone();
            let error = experiment.apply(&action, at).unwrap_err().to_string();
            assert!(error.contains(want), "{error}");
            assert_eq!(experiment, start);
        }
    }

    #[test]
    fn a_dropped_challenger_leaves_the_others_their_share() {
        let mut definition = example();
        definition.rule.challengers = 2;
        definition.arms.push(super::super::ArmDefinition {
            name: "c".into(),
            policy: "c".into(),
        });
        let mut experiment = Experiment::draft(definition, 0);
        experiment.apply(&Action::Start, 1).unwrap();
        experiment.apply(&Action::Ramp { share: 0.25 }, 2).unwrap();
        let before = experiment.revision().unwrap().allocation.clone();
        experiment
            .apply(
                &Action::Drop {
                    arm: "challenger".into(),
                },
                3,
            )
            .unwrap();
        let after = &experiment.revision().unwrap().allocation;
        assert_eq!(
            (after.share(0), after.share(1), after.share(2)),
            (0.75, 0.0, 0.25)
        );
        // Nobody leaves an arm that stays.
        for bucket in 0..10_000 {
            assert!(before.arm(bucket) == Some(1) || before.arm(bucket) == after.arm(bucket));
        }
        experiment.apply(&Action::Ramp { share: 0.5 }, 4).unwrap();
        assert_eq!(experiment.revision().unwrap().allocation.share(2), 0.5);
        experiment
            .apply(&Action::Drop { arm: "c".into() }, 5)
            .unwrap();
        assert_eq!(experiment.phase, Phase::RolledBack);
    }

    #[test]
    fn a_kill_works_whatever_the_clock_says() {
        let mut experiment = running();
        experiment.apply(&Action::Kill, -5).unwrap();
        assert_eq!(experiment.phase, Phase::Killed);
        assert_eq!(experiment.revision().unwrap().allocation.share(0), 1.0);
    }
}
