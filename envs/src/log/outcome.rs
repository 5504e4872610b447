//! From a logged conversation to what the reward needs.
//!
//! Owns which columns count as evidence, answers and cost; the formulas are [`crate::reward`]'s.

use super::model::{Conversation, Decision};
use crate::class::{Class, SatisfactionSource};
use crate::reward::{
    AnswerTime, Cost, NoReward, Outcome, Rating, Reward, RewardSpec, SatisfactionEvidence,
};
use crate::tier::Tier;

/// What happened in a conversation, owned: lend it to the reward with [`Self::as_outcome`].
#[derive(Debug, Clone, PartialEq)]
pub struct ConversationOutcome {
    /// The class required, from `class`.
    pub class: Option<Class>,
    /// Evidence on satisfaction, without a model's.
    pub satisfaction: SatisfactionEvidence,
    /// One per answered customer message.
    pub answers: Vec<AnswerTime>,
    /// What it cost.
    pub cost: Cost,
}

/// What one decision tells about the answer to its message.
#[derive(Debug, Clone, Copy)]
pub(super) struct AnswerRow {
    /// The message is that of the decision before: the earlier choice was overridden.
    pub(super) same_message: bool,
    pub(super) tier: Tier,
    pub(super) answer: AnswerTime,
    pub(super) human_s: Option<f64>,
    pub(super) ai_calls: Option<u32>,
}

impl AnswerRow {
    fn of(decision: &Decision, before: Option<&Decision>) -> Self {
        Self {
            same_message: same_message(decision, before),
            tier: decision.action,
            answer: AnswerTime {
                elapsed_s: decision.answer_s,
                business_s: decision.answer_business_s,
            },
            human_s: decision.human_s,
            ai_calls: decision
                .ai_calls
                .and_then(|calls| u32::try_from(calls).ok()),
        }
    }
}

/// Whether a decision is about the same customer message as the one before it.
pub(super) fn same_message(decision: &Decision, before: Option<&Decision>) -> bool {
    before.is_some_and(|before| before.turn == decision.turn)
}

/// The evidence on satisfaction in a conversation's own columns.
pub(super) struct EvidenceRow {
    pub(super) class: Option<Class>,
    pub(super) abandoned: bool,
    pub(super) came_back: bool,
    pub(super) rating: Option<Rating>,
    pub(super) derived: Option<(f64, SatisfactionSource)>,
    pub(super) human_handle_s: Option<f64>,
}

/// Whether the customer left unanswered, by either column that can say so.
pub(super) fn is_abandoned(conversation: &Conversation) -> bool {
    conversation.abandoned == Some(true)
        || conversation.satisfaction_source == Some(SatisfactionSource::Abandoned)
}

/// Whether it was reopened, or escalated by the customer or an agent, within 7 days.
pub(super) fn came_back(conversation: &Conversation) -> bool {
    conversation.reopened_7d == Some(true) || conversation.escalated_7d == Some(true)
}

impl EvidenceRow {
    fn of(conversation: &Conversation) -> Self {
        Self {
            class: conversation.class,
            abandoned: is_abandoned(conversation),
            came_back: came_back(conversation),
            rating: conversation
                .rating_raw
                .zip(conversation.rating_scale)
                .map(|(raw, scale)| Rating {
                    raw: i64::from(raw),
                    scale,
                    at: conversation.rating_at,
                }),
            derived: conversation
                .satisfaction
                .zip(conversation.satisfaction_source),
            human_handle_s: conversation.human_handle_s,
        }
    }
}

impl ConversationOutcome {
    /// Gathers a conversation's outcome.
    ///
    /// Decisions about the same message are one answer: the last time known, their human seconds and AI calls added.
    /// A message that an abandoning customer never got an answer to is no answer. An answer at tier 1 or 2 whose AI
    /// calls are unknown took one, for that is what these tiers are. Human seconds come from `human_handle_s`, else
    /// from the decisions; an answer without any is charged its tier's default by the reward, and flagged. A
    /// conversation without decisions counts as one answer, with `first_response_s`, at its final tier, or at tier 3
    /// where that is unknown.
    #[must_use]
    pub fn of(conversation: &Conversation) -> Self {
        let evidence = EvidenceRow::of(conversation);
        if conversation.decisions.is_empty() {
            let row = AnswerRow {
                same_message: false,
                tier: conversation.tier.unwrap_or(Tier::Human),
                answer: AnswerTime {
                    elapsed_s: conversation.first_response_s,
                    business_s: conversation.first_response_business_s,
                },
                human_s: None,
                ai_calls: None,
            };
            return Self::assemble(&evidence, std::iter::once(row));
        }
        let decisions = &conversation.decisions;
        let before = std::iter::once(None).chain(decisions.iter().map(Some));
        let rows = decisions
            .iter()
            .zip(before)
            .map(|(decision, before)| AnswerRow::of(decision, before));
        Self::assemble(&evidence, rows)
    }

    pub(super) fn assemble(evidence: &EvidenceRow, rows: impl Iterator<Item = AnswerRow>) -> Self {
        let mut messages: Vec<AnswerRow> = Vec::new();
        for mut row in rows {
            row.ai_calls = row
                .ai_calls
                .or_else(|| (row.tier != Tier::Human).then_some(1));
            match messages.last_mut() {
                Some(message) if row.same_message => {
                    message.tier = row.tier;
                    message.answer.elapsed_s = row.answer.elapsed_s.or(message.answer.elapsed_s);
                    message.answer.business_s = row.answer.business_s.or(message.answer.business_s);
                    message.human_s = both(message.human_s, row.human_s, |a, b| a + b);
                    message.ai_calls = both(message.ai_calls, row.ai_calls, u32::saturating_add);
                }
                _ => messages.push(row),
            }
        }
        let mut cost = Cost {
            human_s: evidence.human_handle_s.unwrap_or(0.0),
            ..Cost::default()
        };
        for message in &messages {
            cost.ai_calls = cost.ai_calls.saturating_add(message.ai_calls.unwrap_or(0));
            if evidence.human_handle_s.is_some() {
                continue;
            }
            match message.human_s {
                Some(seconds) => cost.human_s += seconds,
                None => cost.answers_without_human_s[message.tier.index()] += 1,
            }
        }
        let answers = messages
            .iter()
            .map(|message| message.answer)
            .filter(|answer| !(evidence.abandoned && *answer == AnswerTime::default()))
            .collect();
        Self {
            class: evidence.class,
            satisfaction: SatisfactionEvidence {
                abandoned: evidence.abandoned,
                rating: evidence.rating,
                derived: evidence.derived,
                modelled: None,
                came_back: evidence.came_back,
            },
            answers,
            cost,
        }
    }

    /// Lends the outcome to the reward, with a model's satisfaction for when nobody answered.
    #[must_use]
    pub fn as_outcome(&self, modelled: Option<f64>) -> Outcome<'_> {
        Outcome {
            class: self.class,
            satisfaction: SatisfactionEvidence {
                modelled,
                ..self.satisfaction
            },
            answers: &self.answers,
            cost: self.cost,
        }
    }

    /// The reward.
    ///
    /// # Errors
    /// [`NoReward`] says why there is none.
    pub fn reward(&self, spec: &RewardSpec, modelled: Option<f64>) -> Result<Reward, NoReward> {
        spec.reward(&self.as_outcome(modelled))
    }
}

/// The sum of what is known; `None` when neither is.
fn both<T: Copy>(a: Option<T>, b: Option<T>, add: fn(T, T) -> T) -> Option<T> {
    match (a, b) {
        (Some(a), Some(b)) => Some(add(a, b)),
        (a, b) => a.or(b),
    }
}

/// The reward of a logged conversation; `modelled` is m(x, tier), used when nobody answered.
///
/// # Errors
/// [`NoReward`] says why there is none.
pub fn reward(
    conversation: &Conversation,
    spec: &RewardSpec,
    modelled: Option<f64>,
) -> Result<Reward, NoReward> {
    ConversationOutcome::of(conversation).reward(spec, modelled)
}

/// What a conversation handled fully at tier 3 cost, in currency units; `None` for other conversations and where human
/// seconds are unknown.
///
/// C = human_s × wage + AI calls × price, by the wage and price of `spec`.
#[must_use]
pub fn full_human_cost(conversation: &Conversation, spec: &RewardSpec) -> Option<f64> {
    let decisions = &conversation.decisions;
    if decisions.is_empty() || decisions.iter().any(|d| d.action != Tier::Human) {
        return None;
    }
    let cost = ConversationOutcome::of(conversation).cost;
    (!cost.is_assumed()).then(|| {
        cost.human_s * spec.wage_per_hour / 3_600.0
            + f64::from(cost.ai_calls) * spec.price_per_ai_call
    })
}

/// C_ref from a log: the median of [`full_human_cost`]; the mean of the two middle ones when their number is even.
///
/// `None` when there is no such conversation or the median is 0.
/// # Source
/// mdp.md §1.6.
pub fn reference_cost<'a>(
    conversations: impl IntoIterator<Item = &'a Conversation>,
    spec: &RewardSpec,
) -> Option<f64> {
    median_cost(
        conversations
            .into_iter()
            .filter_map(|conversation| full_human_cost(conversation, spec))
            .collect(),
    )
}

/// The median of costs, when it can serve as C_ref.
pub(super) fn median_cost(mut costs: Vec<f64>) -> Option<f64> {
    costs.sort_by(f64::total_cmp);
    let middle = costs.len() / 2;
    let median = match costs.len() {
        0 => return None,
        n if n % 2 == 1 => costs[middle],
        _ => f64::midpoint(costs[middle - 1], costs[middle]),
    };
    (median.is_finite() && median > 0.0).then_some(median)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::class::RatingScale;
    use crate::log::samples::{decision, minimal};

    fn answered(turn: i32, tier: Tier, answer_s: f64, human_s: Option<f64>) -> Decision {
        Decision {
            turn,
            answer_s: Some(answer_s),
            human_s,
            ..decision(tier)
        }
    }

    /// A complex contact rated 5 of 5 and answered by a person twice.
    fn rated() -> Conversation {
        let mut c = minimal("a");
        c.class = Some(Class::Complex);
        c.rating_raw = Some(5);
        c.rating_scale = Some(RatingScale::FivePoint);
        c.decisions = vec![
            answered(0, Tier::Human, 60.0, Some(50.0)),
            answered(2, Tier::Human, 240.0, Some(100.0)),
        ];
        c
    }

    #[test]
    fn a_rated_conversation_earns_its_closed_form() {
        // S = 1; one answer 120 s late on a limit of 120 s: E_time = 1/2; 150 s at 18 an hour is 0.75, half of
        // C_ref = 1.5: E_cost = 1 − 0.5 · 0.5.
        let reward = reward(&rated(), &RewardSpec::default(), None).unwrap();
        assert_eq!(
            (reward.satisfaction, reward.time, reward.cost),
            (1.0, 0.5, 0.75)
        );
        assert_eq!(reward.total, 0.375);
        assert_eq!((reward.human_s, reward.cost_assumed), (150.0, false));
    }

    #[test]
    fn what_is_not_known_gives_no_reward() {
        type Change = fn(&mut Conversation);
        let cases: [(NoReward, Change); 4] = [
            (NoReward::ClassUnknown, |c| c.class = None),
            (NoReward::SatisfactionUnknown, |c| c.rating_raw = None),
            (NoReward::AnswerTimeUnknown, |c| {
                c.decisions[1].answer_s = None
            }),
            (NoReward::AnswerTimeUnknown, |c| c.decisions.clear()),
        ];
        for (expected, change) in cases {
            let mut c = rated();
            change(&mut c);
            assert_eq!(reward(&c, &RewardSpec::default(), None), Err(expected));
        }
        let mut c = rated();
        c.rating_raw = None;
        let modelled = reward(&c, &RewardSpec::default(), Some(0.5)).unwrap();
        assert_eq!(modelled.satisfaction_source, SatisfactionSource::Model);
    }

    #[test]
    fn an_overridden_choice_is_no_answer_of_its_own() {
        let mut c = rated();
        c.decisions = vec![
            Decision {
                answer_s: None,
                ..answered(0, Tier::Auto, 0.0, None)
            },
            answered(0, Tier::Human, 60.0, Some(50.0)),
        ];
        let outcome = ConversationOutcome::of(&c);
        assert_eq!(outcome.answers, [AnswerTime::elapsed(60.0)]);
        assert_eq!(outcome.cost.human_s, 50.0);
        assert!(!outcome.cost.is_assumed());
        assert_eq!(outcome.cost.ai_calls, 1);
    }

    #[test]
    fn cost_comes_from_the_conversation_then_the_decisions_then_the_tier() {
        let mut c = rated();
        c.decisions[1].human_s = None;
        c.decisions[1].action = Tier::Review;
        let cost = ConversationOutcome::of(&c).cost;
        assert_eq!(
            (cost.human_s, cost.answers_without_human_s),
            (50.0, [0, 1, 0])
        );
        assert_eq!(cost.ai_calls, 1);
        c.human_handle_s = Some(400.0);
        let cost = ConversationOutcome::of(&c).cost;
        assert_eq!((cost.human_s, cost.is_assumed()), (400.0, false));
    }

    #[test]
    fn an_abandoned_conversation_has_only_the_answers_it_got() {
        let mut c = rated();
        c.abandoned = Some(true);
        c.decisions[1].answer_s = None;
        let outcome = ConversationOutcome::of(&c);
        assert_eq!(outcome.answers, [AnswerTime::elapsed(60.0)]);
        let reward = outcome.reward(&RewardSpec::default(), None).unwrap();
        assert_eq!(reward.total, 0.0);
        assert_eq!(reward.satisfaction_source, SatisfactionSource::Abandoned);
    }

    #[test]
    fn without_decisions_the_first_response_is_the_answer() {
        let mut c = rated();
        c.decisions.clear();
        c.first_response_s = Some(240.0);
        c.tier = Some(Tier::Review);
        let outcome = ConversationOutcome::of(&c);
        assert_eq!(outcome.answers, [AnswerTime::elapsed(240.0)]);
        assert_eq!(outcome.cost.answers_without_human_s, [0, 1, 0]);
    }

    #[test]
    fn the_reference_cost_is_the_median_of_full_human_contacts() {
        let spec = RewardSpec::default();
        let human = |seconds| {
            let mut c = rated();
            c.human_handle_s = Some(seconds);
            c
        };
        let mut mixed = human(9_000.0);
        mixed.decisions[0].action = Tier::Auto;
        let mut unknown = rated();
        unknown.decisions[0].human_s = None;
        assert_eq!(reference_cost([&mixed, &unknown], &spec), None);
        // 200, 400 and 1000 s at 18 an hour: the median is 2.
        let mut log = vec![human(1_000.0), human(200.0), mixed, unknown, human(400.0)];
        assert_eq!(reference_cost(&log, &spec), Some(2.0));
        log.push(human(600.0));
        assert_eq!(reference_cost(&log, &spec), Some(2.5));
    }
}
