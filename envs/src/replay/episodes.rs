//! The columns of a log that replay and judging loop over: choices, what followed, and satisfaction filled in.
//!
//! Only what a policy or a rule chose is a decision here. What a customer or an agent overrode is an event (mdp.md §1.3):
//! about the same message it belongs to the answer that the choice led to, elsewhere it only counts in its conversation's
//! totals. [`crate::log::columns`] keeps every logged row, in single precision, without texts and in the log's order, for
//! loops over logs of any size; these columns hold choices in double precision and in order of arrival, so that replaying
//! what was done gives exactly the reward that was logged.

use std::ops::Range;

use crate::class::{ActionSource, Class, PropensityKind};
use crate::env::Situation;
use crate::kpi::{Kpi, KpiRow};
use crate::log::model::{Conversation, Decision};
use crate::log::outcome::ConversationOutcome;
use crate::log::validate::id_hash;
use crate::mask::Mask;
use crate::observation::{Feature, Observation};
use crate::reward::{AnswerTime, NoReward, Reward, RewardSpec};
use crate::tier::{Propensity, Tier};
use crate::time::UtcMicros;

use super::survey::{Filled, SurveyNotes, Surveyed, cell, fill};

/// Conversations with at least one decision, in order of arrival, as columns.
///
/// Rows and decisions are numbered from 0; methods that take one panic beyond [`Episodes::len`] or
/// [`Episodes::decisions`].
#[derive(Debug, Clone, Default)]
pub struct Episodes {
    // One entry a conversation (`starts` has one more).
    starts: Vec<usize>,
    keys: Vec<u64>,
    created_at: Vec<UtcMicros>,
    class: Vec<Option<Class>>,
    satisfaction: Vec<f64>,
    /// Satisfaction could have been missing.
    optional: Vec<bool>,
    kpis: Vec<KpiRow>,
    /// E_time, E_cost and human seconds, which do not hang on satisfaction.
    parts: Vec<Result<Reward, NoReward>>,
    filled: Vec<Option<Filled>>,
    // One entry a decision.
    features: Vec<Option<Vec<f32>>>,
    masks: Vec<Mask>,
    actions: Vec<Tier>,
    propensities: Vec<Option<Propensity>>,
    estimated: Vec<bool>,
    answers: Vec<AnswerTime>,
    human_s: Vec<f64>,
    ai_calls: Vec<u32>,
    decided_at: Vec<UtcMicros>,
    texts: String,
    text_ends: Vec<usize>,
}

/// Collects conversations into [`Episodes`].
#[derive(Debug)]
pub struct EpisodesBuilder {
    reward: RewardSpec,
    keep_texts: bool,
    columns: Episodes,
}

impl EpisodesBuilder {
    /// Collects under a reward; texts are kept only when a policy reads them.
    #[must_use]
    pub fn new(reward: RewardSpec, keep_texts: bool) -> Self {
        let columns = Episodes {
            starts: vec![0],
            features: vec![None; Feature::COUNT],
            ..Episodes::default()
        };
        Self {
            reward,
            keep_texts,
            columns,
        }
    }

    /// Adds a conversation; one in which no policy and no rule chose is left out, for there is nothing to decide in it.
    ///
    /// Where only the conversation's human seconds are known, its answers at tiers 2 and 3 share them evenly.
    pub fn push(&mut self, conversation: &Conversation) {
        if !conversation.decisions.iter().any(is_choice) {
            return;
        }
        let columns = &mut self.columns;
        let outcome = ConversationOutcome::of(conversation);
        // Any satisfaction will do: only the other parts are kept.
        let parts = outcome.reward(&self.reward, Some(0.0));
        columns.keys.push(id_hash(&conversation.conversation_id));
        columns.created_at.push(conversation.created_at);
        columns.class.push(conversation.class);
        let own = outcome.satisfaction.resolve();
        columns.satisfaction.push(own.map_or(f64::NAN, |s| s.value));
        columns.optional.push(!outcome.satisfaction.abandoned);
        columns
            .kpis
            .push(logged_kpis(conversation, parts.as_ref().ok()));
        columns.parts.push(parts);
        columns.filled.push(None);
        let first = self.columns.actions.len();
        let mut chosen: Option<&Decision> = None;
        let mut events_human_s = 0.0;
        for decision in &conversation.decisions {
            if is_choice(decision) {
                self.push_decision(conversation, decision);
                chosen = Some(decision);
            } else if chosen.is_some_and(|chosen| chosen.turn == decision.turn) {
                self.override_last(decision);
            } else {
                events_human_s += decision.human_s.unwrap_or(0.0);
            }
        }
        if let Some(whole_s) = conversation.human_handle_s {
            self.share_human_seconds(first, whole_s - events_human_s);
        }
        self.columns.starts.push(self.columns.actions.len());
    }

    /// Adds to the last choice what somebody else did about the same message.
    fn override_last(&mut self, event: &Decision) {
        let columns = &mut self.columns;
        let last = columns.actions.len() - 1;
        let answer = &mut columns.answers[last];
        answer.elapsed_s = event.answer_s.or(answer.elapsed_s);
        answer.business_s = event.answer_business_s.or(answer.business_s);
        if let Some(seconds) = event.human_s {
            let human_s = &mut columns.human_s[last];
            *human_s = if human_s.is_nan() {
                seconds
            } else {
                *human_s + seconds
            };
        }
        columns.ai_calls[last] = columns.ai_calls[last].saturating_add(ai_calls(event));
    }

    /// Gives what is left of a conversation's human seconds to its answers that have none of their own.
    fn share_human_seconds(&mut self, first: usize, whole_s: f64) {
        let columns = &mut self.columns;
        let human_s = &mut columns.human_s[first..];
        let known: f64 = human_s.iter().filter(|s| !s.is_nan()).sum();
        let unknown: Vec<usize> = (0..human_s.len())
            .filter(|i| human_s[*i].is_nan())
            .collect();
        let attended: Vec<usize> = unknown
            .iter()
            .copied()
            .filter(|i| columns.actions[first + i] != Tier::Auto)
            .collect();
        let sharers = if attended.is_empty() {
            &unknown
        } else {
            &attended
        };
        let share = (whole_s - known).max(0.0) / sharers.len().max(1) as f64;
        for i in &unknown {
            human_s[*i] = 0.0;
        }
        for i in sharers {
            human_s[*i] = share;
        }
    }

    fn push_decision(&mut self, conversation: &Conversation, decision: &Decision) {
        let columns = &mut self.columns;
        let before = columns.actions.len();
        for feature in Feature::ALL {
            let column = &mut columns.features[feature.index()];
            let value = decision.observation.row()[feature.index()];
            match column {
                Some(column) => column.push(value),
                // A feature that was never known costs nothing.
                None if value.is_nan() => {}
                None => {
                    let mut values = vec![f32::NAN; before];
                    values.push(value);
                    *column = Some(values);
                }
            }
        }
        columns.masks.push(decision.mask);
        columns.actions.push(decision.action);
        columns.propensities.push(decision.propensity);
        columns
            .estimated
            .push(decision.propensity_kind == Some(PropensityKind::Estimated));
        columns.answers.push(AnswerTime {
            elapsed_s: decision.answer_s,
            business_s: decision.answer_business_s,
        });
        columns.human_s.push(decision.human_s.unwrap_or(f64::NAN));
        columns.ai_calls.push(ai_calls(decision));
        columns.decided_at.push(decision.decided_at);
        if self.keep_texts {
            let turn = usize::try_from(decision.turn)
                .ok()
                .and_then(|turn| conversation.turns.get(turn));
            columns.texts.push_str(
                turn.and_then(|turn| turn.text.as_deref())
                    .unwrap_or_default(),
            );
        }
        columns.text_ends.push(columns.texts.len());
    }

    /// The columns, conversations in order of arrival, whatever their order in the log: by key where two arrive together.
    #[must_use]
    pub fn finish(self) -> Episodes {
        let columns = self.columns;
        let arrival = |row: &usize| (columns.created_at[*row], columns.keys[*row]);
        let mut order: Vec<usize> = (0..columns.len()).collect();
        if order.is_sorted_by_key(arrival) {
            return columns;
        }
        order.sort_by_key(arrival);
        columns.select(&order)
    }
}

/// Whether a policy or a rule chose, and not a customer or an agent.
const fn is_choice(decision: &Decision) -> bool {
    matches!(
        decision.action_source,
        ActionSource::Policy | ActionSource::Rule
    )
}

/// AI answers and drafts of a decision; one at tiers 1 and 2 where unknown, as in [`ConversationOutcome::of`].
fn ai_calls(decision: &Decision) -> u32 {
    decision
        .ai_calls
        .and_then(|calls| u32::try_from(calls).ok())
        .unwrap_or_else(|| u32::from(decision.action != Tier::Human))
}

fn logged_kpis(conversation: &Conversation, parts: Option<&Reward>) -> KpiRow {
    let mut row = KpiRow::default();
    if let Some(parts) = parts {
        row.set(Kpi::TimeEfficiency, parts.time);
        row.set(Kpi::CostEfficiency, parts.cost);
        row.set(Kpi::HumanS, parts.human_s);
    }
    let first = conversation.first_response_s.or_else(|| {
        conversation
            .decisions
            .first()
            .and_then(|decision| decision.answer_s)
    });
    row.set_known(Kpi::FirstResponseS, first);
    let flag = |happened: bool| f64::from(u8::from(happened));
    row.set_known(Kpi::Escalation, conversation.escalated_7d.map(flag));
    if conversation.outcomes_tracked == Some(true) {
        row.set(Kpi::Click, flag(conversation.clicked_at.is_some()));
        row.set(Kpi::Conversion, flag(conversation.converted_at.is_some()));
    }
    row
}

impl Episodes {
    /// Number of conversations.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there is no conversation.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Number of decisions.
    #[must_use]
    pub const fn decisions(&self) -> usize {
        self.actions.len()
    }

    /// Numbers of a conversation's decisions, in order of time; never empty.
    #[must_use]
    pub fn range(&self, conversation: usize) -> Range<usize> {
        self.starts[conversation]..self.starts[conversation + 1]
    }

    /// Keys of the conversations (see [`id_hash`]).
    #[must_use]
    pub fn keys(&self) -> &[u64] {
        &self.keys
    }

    /// When a conversation began.
    #[must_use]
    pub fn created_at(&self, conversation: usize) -> UtcMicros {
        self.created_at[conversation]
    }

    /// The class by audit or hindsight.
    #[must_use]
    pub fn class(&self, conversation: usize) -> Option<Class> {
        self.class[conversation]
    }

    /// Logged satisfaction in [0, 1], halved where the customer came back; NaN when nobody answered.
    #[must_use]
    pub fn satisfaction(&self, conversation: usize) -> f64 {
        self.satisfaction[conversation]
    }

    /// Logged key figures. Reward and satisfaction are there after [`Episodes::fill_satisfaction`].
    #[must_use]
    pub fn kpis(&self, conversation: usize) -> &KpiRow {
        &self.kpis[conversation]
    }

    /// Why a conversation can have no reward, whatever its satisfaction.
    #[must_use]
    pub fn no_reward(&self, conversation: usize) -> Option<NoReward> {
        self.parts(conversation).err()
    }

    /// Models satisfaction where nobody answered, from these conversations alone, and sets reward and satisfaction.
    ///
    /// The key figures [`Kpi::Reward`] and [`Kpi::Satisfaction`] become AIPW terms: their means are right when answers
    /// are missing at random, single ones may leave [0, 1].
    pub fn fill_satisfaction(&mut self, spec: &RewardSpec) -> SurveyNotes {
        let rows: Vec<Option<Surveyed>> = (0..self.len())
            .map(|row| self.surveyed(row).filter(|_| self.parts[row].is_ok()))
            .collect();
        let (filled, notes) = fill(&rows);
        self.filled = filled;
        for row in 0..self.len() {
            if let Some(filled) = self.filled[row] {
                let reward = self.reported_reward(row, spec);
                self.kpis[row].set(Kpi::Reward, reward);
                self.kpis[row].set(Kpi::Satisfaction, filled.reporting(|s| s));
            }
        }
        notes
    }

    fn surveyed(&self, row: usize) -> Option<Surveyed> {
        let class = self.class[row]?;
        let range = self.range(row);
        Some(Surveyed {
            key: self.keys[row],
            cell: cell(class.index(), self.actions[range.end - 1], range.len()),
            own: self.satisfaction[row],
            optional: self.optional[row],
        })
    }

    /// The AIPW term of satisfaction of every conversation, NaN where none can be known: unlike the answers themselves,
    /// which hold every abandonment and few of the rest, their means are right when answers are missing at random.
    pub(super) fn satisfaction_terms(&self) -> Vec<f64> {
        let rows: Vec<Option<Surveyed>> = (0..self.len()).map(|row| self.surveyed(row)).collect();
        let (filled, _) = fill(&rows);
        filled
            .into_iter()
            .map(|filled| filled.map_or(f64::NAN, |filled| filled.reporting(|s| s)))
            .collect()
    }

    /// Satisfaction to learn from, in [0, 1]: the answer, else m(x, tier) after [`Episodes::fill_satisfaction`]; NaN where
    /// neither is known.
    #[must_use]
    pub fn learning_satisfaction(&self, conversation: usize) -> f64 {
        self.filled[conversation]
            .map_or(self.satisfaction[conversation], |filled| filled.learning())
    }

    /// E_time, E_cost and human seconds, or why there are none.
    pub(super) fn parts(&self, conversation: usize) -> Result<&Reward, NoReward> {
        self.parts[conversation].as_ref().map_err(|reason| *reason)
    }

    /// The reward to learn from, in [0, 1]: from the answer, else from m(x, tier). `None` where none can be known, and
    /// before [`Episodes::fill_satisfaction`].
    #[must_use]
    pub fn learning_reward(&self, conversation: usize, spec: &RewardSpec) -> Option<f64> {
        let parts = self.parts[conversation].as_ref().ok()?;
        let filled = self.filled[conversation]?;
        Some(spec.combine(filled.learning(), parts.time, parts.cost))
    }

    /// The AIPW term of the reward under a spec; NaN where none can be known. A spec with another cost weight than the
    /// one these columns were made with is honoured.
    #[must_use]
    pub fn reported_reward(&self, conversation: usize, spec: &RewardSpec) -> f64 {
        match (&self.parts[conversation], self.filled[conversation]) {
            (Ok(parts), Some(filled)) => {
                let cost = spec.cost_efficiency(parts.human_s, parts.ai_calls);
                filled.reporting(|s| spec.combine(s, parts.time, cost))
            }
            _ => f64::NAN,
        }
    }

    /// The tier taken.
    #[must_use]
    pub fn action(&self, decision: usize) -> Tier {
        self.actions[decision]
    }

    /// The tiers allowed.
    #[must_use]
    pub fn mask(&self, decision: usize) -> Mask {
        self.masks[decision]
    }

    /// The logged propensity, with whether it is an estimate.
    #[must_use]
    pub fn propensity(&self, decision: usize) -> Option<(Propensity, bool)> {
        self.propensities[decision].map(|p| (p, self.estimated[decision]))
    }

    /// Seconds to the answer, on both clocks, each in [0, 7 days].
    #[must_use]
    pub fn answer(&self, decision: usize) -> AnswerTime {
        self.answers[decision]
    }

    /// Seconds of people's time that the answer took, ≥ 0; NaN when unknown.
    #[must_use]
    pub fn human_s(&self, decision: usize) -> f64 {
        self.human_s[decision]
    }

    /// AI answers and drafts made for the answer; one at tiers 1 and 2 where the log does not say.
    #[must_use]
    pub fn ai_calls(&self, decision: usize) -> u32 {
        self.ai_calls[decision]
    }

    /// When it was decided.
    #[must_use]
    pub fn decided_at(&self, decision: usize) -> UtcMicros {
        self.decided_at[decision]
    }

    /// What was seen.
    #[must_use]
    pub fn observation(&self, decision: usize) -> Observation {
        let mut observation = Observation::unknown();
        for (feature, column) in Feature::ALL.iter().zip(&self.features) {
            if let Some(column) = column {
                observation.set(*feature, column[decision]);
            }
        }
        observation
    }

    /// The text of the message, where texts were kept and the log has one.
    #[must_use]
    pub fn text(&self, decision: usize) -> Option<&str> {
        let start = if decision == 0 {
            0
        } else {
            self.text_ends[decision - 1]
        };
        let text = &self.texts[start..self.text_ends[decision]];
        (!text.is_empty()).then_some(text)
    }

    /// The situation a policy would have faced.
    #[must_use]
    pub fn situation(&self, decision: usize) -> Situation<'_> {
        Situation {
            observation: self.observation(decision),
            mask: self.masks[decision],
            text: self.text(decision),
        }
    }

    /// A part of the conversations, in the order of `rows`, as if only they had been logged: satisfaction is to be filled
    /// in again, from this part alone.
    #[must_use]
    pub fn select(&self, rows: &[usize]) -> Self {
        let decisions: Vec<usize> = rows.iter().flat_map(|row| self.range(*row)).collect();
        let mut starts = vec![0];
        for row in rows {
            starts.push(starts[starts.len() - 1] + self.range(*row).len());
        }
        let mut texts = String::new();
        let text_ends = decisions
            .iter()
            .map(|d| {
                texts.push_str(self.text(*d).unwrap_or_default());
                texts.len()
            })
            .collect();
        let take = |column: &Vec<f32>| decisions.iter().map(|d| column[*d]).collect();
        Self {
            starts,
            keys: rows.iter().map(|r| self.keys[*r]).collect(),
            created_at: rows.iter().map(|r| self.created_at[*r]).collect(),
            class: rows.iter().map(|r| self.class[*r]).collect(),
            satisfaction: rows.iter().map(|r| self.satisfaction[*r]).collect(),
            kpis: rows
                .iter()
                .map(|r| {
                    let mut row = self.kpis[*r];
                    row.set(Kpi::Reward, f64::NAN);
                    row.set(Kpi::Satisfaction, f64::NAN);
                    row
                })
                .collect(),
            optional: rows.iter().map(|r| self.optional[*r]).collect(),
            parts: rows.iter().map(|r| self.parts[*r]).collect(),
            filled: vec![None; rows.len()],
            features: self
                .features
                .iter()
                .map(|column| column.as_ref().map(take))
                .collect(),
            masks: decisions.iter().map(|d| self.masks[*d]).collect(),
            actions: decisions.iter().map(|d| self.actions[*d]).collect(),
            propensities: decisions.iter().map(|d| self.propensities[*d]).collect(),
            estimated: decisions.iter().map(|d| self.estimated[*d]).collect(),
            answers: decisions.iter().map(|d| self.answers[*d]).collect(),
            human_s: decisions.iter().map(|d| self.human_s[*d]).collect(),
            ai_calls: decisions.iter().map(|d| self.ai_calls[*d]).collect(),
            decided_at: decisions.iter().map(|d| self.decided_at[*d]).collect(),
            texts,
            text_ends,
        }
    }
}

#[cfg(test)]
mod tests;
