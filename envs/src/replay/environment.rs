//! Replay as an environment: one logged conversation an episode.

use std::sync::Arc;

use super::episodes::Episodes;
use super::outcome_model::OutcomeModel;
use crate::class::{Class, SatisfactionSource};
use crate::env::{Env, EnvError, Situation, Step};
use crate::kpi::{Kpi, KpiRow};
use crate::reward::{AnswerTime, Cost, Outcome, Reward, RewardSpec, SatisfactionEvidence};
use crate::tier::Tier;

/// What replay does when the policy takes another tier than the log.
#[derive(Debug, Clone)]
pub enum ReplayMode {
    /// Ends the episode there: [`Step::rejected`].
    ///
    /// Li, Chu, Langford & Wang, WSDM 2011.
    Rejection,
    /// Asks a model.
    Model(Arc<OutcomeModel>),
}

/// Logged conversations as episodes.
///
/// The observation stays as logged, whatever was answered before; the number of customer messages too. A conversation
/// earns its reward with its last answer.
#[derive(Debug, Clone)]
pub struct Replay {
    log: Arc<Episodes>,
    usable: Arc<Vec<usize>>,
    mode: ReplayMode,
    reward: RewardSpec,
    luck: u64,
    conversation: usize,
    /// Next decision of the conversation; `None` outside an episode.
    position: Option<usize>,
    taken: Vec<Taken>,
}

#[derive(Debug, Clone, Copy)]
struct Taken {
    tier: Tier,
    answer: AnswerTime,
    human_s: f64,
    ai_calls: u32,
}

impl Replay {
    /// Replays the conversations that can have a reward: their class is known, and in rejection mode their logged
    /// reward too.
    ///
    /// # Errors
    /// [`EnvError::Empty`] when there is none.
    pub fn new(log: Arc<Episodes>, mode: ReplayMode, reward: RewardSpec) -> Result<Self, EnvError> {
        let usable: Vec<usize> = (0..log.len())
            .filter(|row| match &mode {
                ReplayMode::Rejection => log.learning_reward(*row, &reward).is_some(),
                ReplayMode::Model(_) => log.class(*row).is_some(),
            })
            .collect();
        if usable.is_empty() {
            return Err(EnvError::Empty);
        }
        Ok(Self {
            log,
            usable: Arc::new(usable),
            mode,
            reward,
            luck: 0,
            conversation: 0,
            position: None,
            taken: Vec::new(),
        })
    }

    /// Rows of the conversations that are replayed.
    #[must_use]
    pub fn usable(&self) -> &[usize] {
        &self.usable
    }

    /// The log underneath.
    #[must_use]
    pub fn log(&self) -> &Episodes {
        &self.log
    }

    /// Starts the episode of one of [`Replay::usable`], with the luck of a seed.
    pub fn start(&mut self, conversation: usize, seed: u64) {
        self.conversation = conversation;
        self.luck = mix(seed ^ self.log.keys()[conversation]);
        self.position = Some(0);
        self.taken.clear();
    }

    /// Index of the decision to be made now, in the columns of the log.
    #[must_use]
    pub fn decision(&self) -> usize {
        self.log.range(self.conversation).start + self.position.unwrap_or(0)
    }

    /// Key figures of the episode that just ended.
    ///
    /// Escalation, click and conversion are expected rates in model mode.
    #[must_use]
    pub fn kpis(&self) -> KpiRow {
        match &self.mode {
            ReplayMode::Rejection => *self.log.kpis(self.conversation),
            ReplayMode::Model(model) => self.modelled_kpis(model),
        }
    }

    fn modelled_kpis(&self, model: &OutcomeModel) -> KpiRow {
        let mut row = KpiRow::default();
        if let Some(reward) = self.modelled_reward(model) {
            row.set_reward(&reward);
        }
        row.set_known(
            Kpi::FirstResponseS,
            self.taken.first().and_then(|t| t.answer.elapsed_s),
        );
        if let Some(class) = self.log.class(self.conversation) {
            for (i, kpi) in super::outcome_model::Cell::RATES.into_iter().enumerate() {
                let rate = self.mean_cell(model, class, |cell| cell.rates[i]);
                row.set(kpi, rate);
            }
        }
        row
    }

    /// Mean over the answers of a number of their cells; NaN when a cell has none.
    fn mean_cell(
        &self,
        model: &OutcomeModel,
        class: Class,
        number: impl Fn(&super::outcome_model::Cell) -> f64,
    ) -> f64 {
        let sum: f64 = self
            .taken
            .iter()
            .map(|taken| model.cell(class, taken.tier).map_or(f64::NAN, &number))
            .sum();
        sum / self.taken.len() as f64
    }

    /// S of the log moved by what the model says the other tiers change: on the logged tiers it is the logged S.
    fn modelled_reward(&self, model: &OutcomeModel) -> Option<Reward> {
        let class = self.log.class(self.conversation)?;
        let under_policy = self.mean_cell(model, class, |cell| cell.satisfaction);
        let logged = self.log.satisfaction(self.conversation);
        let range = self.log.range(self.conversation);
        let under_log: f64 = range
            .clone()
            .map(|d| {
                model
                    .cell(class, self.log.action(d))
                    .map_or(f64::NAN, |c| c.satisfaction)
            })
            .sum::<f64>()
            / range.len() as f64;
        let moved = logged + under_policy - under_log;
        let satisfaction = if moved.is_nan() { under_policy } else { moved };
        let answers: Vec<AnswerTime> = self.taken.iter().map(|t| t.answer).collect();
        let mut cost = Cost::default();
        for taken in &self.taken {
            cost.ai_calls += taken.ai_calls;
            if taken.human_s.is_nan() {
                cost.answers_without_human_s[taken.tier.index()] += 1;
            } else {
                cost.human_s += taken.human_s;
            }
        }
        let outcome = Outcome {
            class: Some(class),
            satisfaction: SatisfactionEvidence {
                derived: Some((satisfaction.clamp(0.0, 1.0), SatisfactionSource::Model)),
                ..SatisfactionEvidence::default()
            },
            answers: &answers,
            cost,
        };
        self.reward.reward(&outcome).ok()
    }

    fn take(&self, decision: usize, tier: Tier) -> Taken {
        let logged = Taken {
            tier,
            answer: self.log.answer(decision),
            human_s: self.log.human_s(decision),
            ai_calls: self.log.ai_calls(decision),
        };
        let ReplayMode::Model(model) = &self.mode else {
            return logged;
        };
        if tier == self.log.action(decision) && logged.answer.elapsed_s.is_some() {
            return logged;
        }
        let luck = mix(self.luck ^ decision as u64);
        let seconds = self
            .log
            .class(self.conversation)
            .and_then(|class| model.draw_seconds(class, tier, luck));
        Taken {
            tier,
            answer: AnswerTime {
                elapsed_s: seconds.map(|s| s.0),
                business_s: seconds.map(|s| s.0),
            },
            human_s: seconds.map_or(f64::NAN, |s| s.1),
            ai_calls: u32::from(tier != Tier::Human),
        }
    }
}

impl Env for Replay {
    fn reset(&mut self, seed: u64) -> Result<(), EnvError> {
        let pick = mix(seed) % self.usable.len() as u64;
        self.start(self.usable[pick as usize], mix(seed ^ 0x5eed));
        Ok(())
    }

    fn decide(&self) -> Situation<'_> {
        self.log.situation(self.decision())
    }

    fn step(&mut self, tier: Tier) -> Result<Step, EnvError> {
        let position = self.position.ok_or(EnvError::EpisodeOver)?;
        let decision = self.decision();
        let mask = self.log.mask(decision);
        if !mask.allows(tier) {
            return Err(EnvError::Masked {
                tier,
                allowed: mask.tiers().map(Tier::name).collect::<Vec<_>>().join(", "),
            });
        }
        if matches!(self.mode, ReplayMode::Rejection) && tier != self.log.action(decision) {
            self.position = None;
            return Ok(Step {
                reward: 0.0,
                elapsed_s: 0.0,
                human_s: 0.0,
                terminated: false,
                truncated: true,
                rejected: true,
            });
        }
        let taken = self.take(decision, tier);
        self.taken.push(taken);
        let range = self.log.range(self.conversation);
        let last = position + 1 == range.len();
        self.position = (!last).then_some(position + 1);
        let reward = match (last, &self.mode) {
            (false, _) => 0.0,
            (true, ReplayMode::Rejection) => self
                .log
                .learning_reward(self.conversation, &self.reward)
                .unwrap_or(0.0),
            // A conversation whose reward the model cannot give (an answer without seconds) earns nothing.
            (true, ReplayMode::Model(model)) => {
                self.modelled_reward(model).map_or(0.0, |r| r.total)
            }
        };
        let elapsed_s = if last {
            taken.answer.elapsed_s.unwrap_or(0.0)
        } else {
            let seconds = self
                .log
                .decided_at(decision + 1)
                .seconds_since(self.log.decided_at(decision));
            seconds.max(0.0)
        };
        Ok(Step {
            reward,
            elapsed_s,
            human_s: if taken.human_s.is_nan() {
                0.0
            } else {
                taken.human_s
            },
            terminated: last,
            truncated: false,
            rejected: false,
        })
    }
}

/// SplitMix64's finaliser: spreads a counter over 64 bits.
const fn mix(mut x: u64) -> u64 {
    x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}
