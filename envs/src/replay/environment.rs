//! Replay as an environment: one logged conversation an episode.

use std::sync::Arc;

use super::episodes::Episodes;
use super::outcome_model::{Answer, Cell, OutcomeModel};
use crate::class::Class;
use crate::env::{Env, EnvError, Situation, Step};
use crate::kpi::{Kpi, KpiRow};
use crate::reward::{NoReward, RewardSpec, SlaClock};
use crate::tier::Tier;

/// What replay does when the policy takes another tier than the log.
#[derive(Debug, Clone)]
pub enum ReplayMode {
    /// Ends the episode there: [`Step::rejected`].
    ///
    /// Li, Chu, Langford & Wang, WSDM 2011.
    Rejection,
    /// Asks a model what the other tier would have changed; nothing changes where policy and log agree.
    Model(Arc<OutcomeModel>),
}

/// Logged conversations as episodes.
///
/// The observation stays as logged, whatever was answered before; the number of customer messages too. A conversation
/// earns its reward, in [0, 1], with its last answer: as logged (satisfaction that nobody answered for filled in, see
/// [`Episodes::fill_satisfaction`]), moved by what the model says the other tiers change.
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
    /// The decision looked at, also after the end of an episode.
    last: usize,
    taken: Vec<Taken>,
}

#[derive(Debug, Clone, Copy)]
struct Taken {
    tier: Tier,
    /// The answer is the one in the log.
    logged: bool,
    answer: Answer,
    ai_calls: u32,
}

/// The reward's parts under a model.
struct Modelled {
    satisfaction: f64,
    time: f64,
    cost: f64,
    human_s: f64,
}

impl Replay {
    /// Replays the conversations whose reward can be known, whatever is chosen: their class is known; in rejection mode
    /// their logged reward too; in model mode the model has a cell for every tier their masks allow.
    ///
    /// `reward` is the one that `log` was collected under.
    ///
    /// # Errors
    /// [`EnvError::Empty`] when there is none.
    pub fn new(log: Arc<Episodes>, mode: ReplayMode, reward: RewardSpec) -> Result<Self, EnvError> {
        let usable: Vec<usize> = (0..log.len())
            .filter(|row| match &mode {
                ReplayMode::Rejection => log.learning_reward(*row, &reward).is_some(),
                ReplayMode::Model(model) => answers_for(model, &log, *row),
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
            last: 0,
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
    ///
    /// The luck of a decision hangs on the seed, on the conversation's id and on the decision's place in it, so that all
    /// policies share it.
    pub fn start(&mut self, conversation: usize, seed: u64) {
        self.conversation = conversation;
        self.luck = mix(seed ^ self.log.keys()[conversation]);
        self.position = Some(0);
        self.last = 0;
        self.taken.clear();
    }

    /// Index of the decision to be made now, in the columns of the log; of the last one after the end of an episode.
    #[must_use]
    pub fn decision(&self) -> usize {
        self.log.range(self.conversation).start + self.last
    }

    /// Key figures of the episode that just ended; of the whole conversation as logged in rejection mode.
    ///
    /// In model mode escalation, click and conversion become expected rates where policy and log differ, and are not
    /// measured where the model does not know them.
    #[must_use]
    pub fn kpis(&self) -> KpiRow {
        let mut row = *self.log.kpis(self.conversation);
        let ReplayMode::Model(model) = &self.mode else {
            return row;
        };
        let parts = self.modelled(model);
        row.set(Kpi::Reward, self.reward_of(&parts));
        row.set(Kpi::Satisfaction, parts.satisfaction);
        row.set(Kpi::TimeEfficiency, parts.time);
        row.set(Kpi::CostEfficiency, parts.cost);
        row.set(Kpi::HumanS, parts.human_s);
        if let Some(first) = self.taken.first().filter(|taken| !taken.logged) {
            let elapsed_s = first.answer.time.elapsed_s;
            row.set(Kpi::FirstResponseS, elapsed_s.unwrap_or(f64::NAN));
        }
        for (i, kpi) in Cell::RATES.into_iter().enumerate() {
            let logged = row.values()[kpi.index()];
            row.set(kpi, self.moved(model, logged, |cell| cell.rates[i]));
        }
        row
    }

    fn reward_of(&self, parts: &Modelled) -> f64 {
        self.reward
            .combine(parts.satisfaction, parts.time, parts.cost)
    }

    fn class(&self) -> Class {
        self.log
            .class(self.conversation)
            .expect("only conversations with a class are replayed")
    }

    /// Whether every tier was the logged one.
    fn agreed(&self) -> bool {
        self.log
            .range(self.conversation)
            .zip(&self.taken)
            .all(|(decision, taken)| self.log.action(decision) == taken.tier)
    }

    /// A number of the conversation, moved by what its cells say the policy's tiers change; untouched where all agree.
    fn moved(&self, model: &OutcomeModel, logged: f64, number: impl Fn(&Cell) -> f64) -> f64 {
        if self.agreed() && !logged.is_nan() {
            return logged;
        }
        let class = self.class();
        let mean = |tiers: &mut dyn Iterator<Item = Tier>| {
            let (mut sum, mut n) = (0.0, 0.0);
            for tier in tiers {
                sum += model.cell(class, tier).map_or(f64::NAN, &number);
                n += 1.0;
            }
            sum / n
        };
        let under_policy = mean(&mut self.taken.iter().map(|taken| taken.tier));
        if logged.is_nan() {
            return under_policy;
        }
        let range = self.log.range(self.conversation);
        moved(
            logged,
            mean(&mut range.map(|decision| self.log.action(decision))),
            under_policy,
        )
    }

    /// The log's totals of late seconds, human seconds and AI calls, with those of changed answers taken out and the
    /// model's put in; the model's alone where the log has no totals.
    fn modelled(&self, model: &OutcomeModel) -> Modelled {
        let logged_satisfaction = self.log.learning_satisfaction(self.conversation);
        let satisfaction = self.moved(model, logged_satisfaction, |cell| cell.satisfaction);
        let parts = self.log.parts(self.conversation).ok();
        if let Some(parts) = parts.filter(|_| self.taken.iter().all(|taken| taken.logged)) {
            return Modelled {
                satisfaction,
                time: parts.time,
                cost: parts.cost,
                human_s: parts.human_s,
            };
        }
        let limit_s = self.reward.limit_s(self.class());
        let late_s = |answer: &Answer| {
            let time = answer.time;
            let seconds = match self.reward.sla_clock {
                SlaClock::Calendar => time.elapsed_s,
                // Elapsed seconds bound business seconds from above.
                SlaClock::Business => time.business_s.or(time.elapsed_s),
            };
            seconds.map_or(0.0, |seconds| (seconds - limit_s).max(0.0))
        };
        let (mut late, mut human_s, mut ai_calls) = parts.map_or((0.0, 0.0, 0), |parts| {
            (
                // E_time = L / (L + late).
                limit_s * (1.0 / parts.time - 1.0),
                parts.human_s,
                i64::from(parts.ai_calls),
            )
        });
        let range = self.log.range(self.conversation);
        for (decision, taken) in range.zip(&self.taken) {
            if parts.is_some() {
                if taken.logged {
                    continue;
                }
                let logged = self.logged_answer(decision);
                late -= late_s(&logged);
                human_s -= logged.human_s;
                ai_calls -= i64::from(self.log.ai_calls(decision));
            }
            late += late_s(&taken.answer);
            human_s += taken.answer.human_s;
            ai_calls += i64::from(taken.ai_calls);
        }
        let human_s = human_s.max(0.0);
        let ai_calls = u32::try_from(ai_calls.max(0)).unwrap_or(u32::MAX);
        Modelled {
            satisfaction,
            time: limit_s / (limit_s + late.max(0.0)),
            cost: self.reward.cost_efficiency(human_s, ai_calls),
            human_s,
        }
    }

    fn logged_answer(&self, decision: usize) -> Answer {
        let (tier, human_s) = (self.log.action(decision), self.log.human_s(decision));
        Answer {
            time: self.log.answer(decision),
            human_s: self.human_s(tier, human_s),
        }
    }

    /// Human seconds; the tier's default where unknown, as the reward charges them.
    fn human_s(&self, tier: Tier, known: f64) -> f64 {
        if known.is_nan() {
            self.reward.default_human_s[tier.index()]
        } else {
            known
        }
    }

    fn take(&self, decision: usize, tier: Tier) -> Taken {
        let logged = Taken {
            tier,
            logged: true,
            answer: self.logged_answer(decision),
            ai_calls: self.log.ai_calls(decision),
        };
        let ReplayMode::Model(model) = &self.mode else {
            return logged;
        };
        // An answer without seconds says enough where the conversation's totals are known.
        let told =
            logged.answer.time.elapsed_s.is_some() || self.log.parts(self.conversation).is_ok();
        if tier == self.log.action(decision) && told {
            return logged;
        }
        let answer = model
            .draw(self.class(), tier, mix(self.luck ^ self.last as u64))
            .expect("only conversations whose tiers all have cells are replayed");
        Taken {
            tier,
            logged: false,
            answer: Answer {
                human_s: self.human_s(tier, answer.human_s),
                ..answer
            },
            ai_calls: u32::from(tier != Tier::Human),
        }
    }
}

/// Whether a model knows every tier that a conversation's masks allow.
fn answers_for(model: &OutcomeModel, log: &Episodes, row: usize) -> bool {
    let Some(class) = log.class(row) else {
        return false;
    };
    log.no_reward(row) != Some(NoReward::Invalid)
        && log.range(row).all(|decision| {
            log.mask(decision)
                .tiers()
                .chain([log.action(decision)])
                .all(|tier| model.cell(class, tier).is_some())
        })
}

/// A value in [0, 1] of a conversation whose group has mean `from`, moved into a group with mean `to`.
///
/// Stretches the distance to 1 when the mean rises and to 0 when it falls, so that values stay in [0, 1], a group's mean
/// becomes `to` exactly, and nothing moves where the means agree. Adding the difference and clamping would not: who is
/// fully satisfied already can only lose.
fn moved(value: f64, from: f64, to: f64) -> f64 {
    if to > from {
        value + (1.0 - value) * (to - from) / (1.0 - from)
    } else if to == from {
        value
    } else {
        value * to / from
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
            // The situation stays the one that was rejected.
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
        let last = position + 1 == self.log.range(self.conversation).len();
        self.position = (!last).then_some(position + 1);
        self.last = self.position.unwrap_or(position);
        let reward = match (last, &self.mode) {
            (false, _) => 0.0,
            (true, ReplayMode::Rejection) => self
                .log
                .learning_reward(self.conversation, &self.reward)
                .expect("only conversations with a reward are replayed"),
            (true, ReplayMode::Model(model)) => self.reward_of(&self.modelled(model)),
        };
        let elapsed_s = if last {
            taken.answer.time.elapsed_s.unwrap_or(0.0)
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
            human_s: taken.answer.human_s,
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

#[cfg(test)]
mod tests;
