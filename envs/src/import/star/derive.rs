//! One dialogue, event by event, becomes one conversation.
//!
//! Everything but `pool_busy`, which needs all dialogues. Each rule that fires is counted under its name in
//! [`super::explain`].

use super::events::{Action, Agent, Completion, Dialogue, Event, OWN_TEXT};
use super::explain::{Counts, Rule};
use crate::class::{ActionSource, Channel, Class, Review, Role, SatisfactionSource};
use crate::import::rejects::Reason;
use crate::log::model::{Conversation, Decision, LOG_SCHEMA_VERSION, Turn};
use crate::mask::MaskRules;
use crate::observation::{Feature, Observation, SCHEMA_VERSION, intent_code, language_code};
use crate::reward::efficiency::MAX_DURATION_S;
use crate::tier::Tier;
use crate::time::UtcMicros;

/// The task whose reports count as complaints: the customer claims a wrong was done.
const FRAUD: &str = "bank_fraud_report";
/// The only question of the customer's questionnaire that is not about the assistant.
const ABOUT_THE_GAME: &str = "Did you enjoy this task?";
/// Part of the agent's question on the customer's mood; its wording varies before and after.
const ANNOYED: &str = "become aggressive or annoyed";

/// A fault with the path of its field.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) reason: Reason,
    pub(super) column: String,
    pub(super) message: String,
}

/// A customer message that waits for its answer.
struct Pending {
    turn: usize,
    first: UtcMicros,
    last: UtcMicros,
    observation: Observation,
}

struct Derivation<'a> {
    dialogue: &'a Dialogue<'a>,
    counts: &'a mut Counts,
    rules: &'a MaskRules,
    opened: Option<UtcMicros>,
    now: Option<UtcMicros>,
    turns: Vec<Turn>,
    decisions: Vec<Decision>,
    pending: Option<Pending>,
    customer_messages: u32,
    proposals: i32,
    task: Option<&'a str>,
    replied: Option<UtcMicros>,
    waited_s: f64,
    agent_waited_s: f64,
    replies: i32,
}

/// The conversation, or `None` when the customer wrote nothing.
pub(super) fn derive(
    dialogue: &Dialogue<'_>,
    rules: &MaskRules,
    hash_customer: &dyn Fn(&str) -> String,
    counts: &mut Counts,
) -> Result<Option<Conversation>, Fault> {
    let mut derivation = Derivation {
        dialogue,
        counts,
        rules,
        opened: None,
        now: None,
        turns: Vec::with_capacity(dialogue.events.len() / 3),
        decisions: Vec::with_capacity(dialogue.events.len() / 5),
        pending: None,
        customer_messages: 0,
        proposals: 0,
        task: dialogue.only_task(),
        replied: None,
        waited_s: 0.0,
        agent_waited_s: 0.0,
        replies: 0,
    };
    for (index, event) in dialogue.events.iter().enumerate() {
        derivation.event(index, event)?;
    }
    derivation.finish(hash_customer)
}

impl<'a> Derivation<'a> {
    fn event(&mut self, index: usize, event: &'a Event<'a>) -> Result<(), Fault> {
        let at = self.time(index, event)?;
        match (event.agent, event.action) {
            (Agent::User, Action::Utter) => {
                self.customer(at.ok_or_else(|| no_time(index))?, event);
            }
            (Agent::Wizard, Action::Utter | Action::PickSuggestion) => {
                self.reply(index, at.ok_or_else(|| no_time(index))?, event)?;
            }
            (Agent::Wizard, Action::RequestSuggestions) => self.proposals += 1,
            (Agent::Wizard, Action::SelectTask) => {
                self.task = event.task.as_ref().map(|task| &*task.0).or(self.task);
            }
            _ => {}
        }
        Ok(())
    }

    /// The event's time, checked against the one before.
    fn time(&mut self, index: usize, event: &Event<'_>) -> Result<Option<UtcMicros>, Fault> {
        let Some(unix_s) = event.unix_s else {
            return Ok(None);
        };
        let fault = |reason, message| Fault {
            reason,
            column: format!("Events[{index}].UnixTime"),
            message,
        };
        let at = UtcMicros::from_unix_seconds(unix_s)
            .filter(|at| at.0 >= 0)
            .ok_or_else(|| fault(Reason::BadTime, format!("{unix_s} is no time since 1970")))?;
        if let Some(before) = self.now
            && at < before
        {
            let back = before.seconds_since(at);
            return Err(fault(
                Reason::BadOrder,
                format!("{at} is {back} s before the event above it; events are in order of time"),
            ));
        }
        self.now = Some(at);
        Ok(Some(at))
    }

    fn customer(&mut self, at: UtcMicros, event: &Event<'_>) {
        let text = event.text.as_ref().map(|text| &*text.0);
        let opened = *self.opened.get_or_insert(at);
        if let Some(pending) = &mut self.pending {
            pending.last = at;
        } else {
            if let Some(replied) = self.replied {
                self.agent_waited_s += at.seconds_since(replied);
            }
            self.pending = Some(Pending {
                turn: self.turns.len(),
                first: at,
                last: at,
                observation: self.observe(at, opened, text),
            });
        }
        self.customer_messages += 1;
        self.counts.hit(Rule::CustomerTurn);
        self.turns.push(turn(Role::Customer, at, text));
    }

    /// What was known when a message came.
    fn observe(&self, at: UtcMicros, opened: UtcMicros, text: Option<&str>) -> Observation {
        let mut observation = Observation::unknown();
        observation.set(Feature::Class, self.guess().index() as f32);
        observation.set_known(Feature::Intent, self.task.map(intent_code));
        observation.set_known(
            Feature::LengthChars,
            text.map(|text| text.chars().count() as f32),
        );
        observation.set(Feature::Channel, Channel::Chat.index() as f32);
        observation.set(Feature::AttachmentKinds, 0.0);
        observation.set(Feature::Turn, self.customer_messages as f32);
        observation.set(Feature::ElapsedS, at.seconds_since(opened) as f32);
        observation.set(Feature::WaitedS, self.waited_s as f32);
        observation.set(Feature::AutoUsed, 0.0);
        observation.set(Feature::ReviewUsed, self.decisions.len() as f32);
        observation.set(Feature::HumanUsed, 0.0);
        observation.set_known(Feature::Language, language_code("en"));
        observation.set_clock(at);
        observation
    }

    /// The class as far as it can be told before the dialogue is over.
    fn guess(&self) -> Class {
        if self.task == Some(FRAUD) {
            Class::Complaint
        } else if self.dialogue.scenario.capabilities.len() > 1 {
            Class::Complex
        } else {
            Class::Simple
        }
    }

    fn reply(&mut self, index: usize, at: UtcMicros, event: &Event<'_>) -> Result<(), Fault> {
        let text = event.text.as_ref().map(|text| &*text.0);
        self.turns.push(turn(Role::Agent, at, text));
        self.counts.hit(Rule::AgentTurn);
        self.replies += 1;
        let replied_before = self.replied.replace(at);
        let proposals = std::mem::take(&mut self.proposals);
        let Some(pending) = self.pending.take() else {
            self.counts.hit(Rule::ReplyToNothing);
            return Ok(());
        };
        let answer_s = at.seconds_since(pending.first);
        if answer_s > MAX_DURATION_S {
            return Err(Fault {
                reason: Reason::BadDuration,
                column: format!("Events[{index}].UnixTime"),
                message: format!("the answer came after {answer_s} s; the log takes up to 7 days"),
            });
        }
        let began = replied_before.map_or(pending.last, |before| before.max(pending.last));
        let own_text = event
            .label
            .as_ref()
            .is_some_and(|label| label.0 == OWN_TEXT);
        let (review, rule) = match event.action {
            Action::PickSuggestion if own_text => (Review::Rejected, Rule::OwnTextEchoed),
            Action::PickSuggestion => (Review::Accepted, Rule::Accepted),
            _ => (Review::Rejected, Rule::OwnText),
        };
        self.counts.hit(Rule::Decision);
        self.counts.hit(rule);
        self.counts.hit(match proposals {
            0 => Rule::NoProposal,
            1 => Rule::OneProposal,
            _ => Rule::MoreProposals,
        });
        self.counts.hit(match pending.observation.class() {
            Some(Class::Complaint) => Rule::GuessComplaint,
            Some(Class::Complex) => Rule::GuessComplex,
            _ => Rule::GuessSimple,
        });
        self.counts
            .hit(match pending.observation.get(Feature::Intent) {
                Some(_) => Rule::GuessIntent,
                None => Rule::NoGuessIntent,
            });
        self.waited_s += answer_s;
        self.decisions.push(Decision {
            turn: i32::try_from(pending.turn).unwrap_or(i32::MAX),
            decided_at: pending.first,
            feature_schema: SCHEMA_VERSION,
            observation: pending.observation,
            mask: self.rules.apply(&pending.observation).mask,
            action: Tier::Review,
            probs: None,
            propensity: None,
            propensity_kind: None,
            action_source: ActionSource::Rule,
            policy_id: Some("star-protocol".to_owned()),
            policy_version: None,
            arm: None,
            block_id: None,
            pool_busy: None,
            pool_slots: None,
            queue_len: None,
            expected_wait_s: None,
            answer_s: Some(answer_s),
            answer_business_s: None,
            human_s: Some(at.seconds_since(began)),
            ai_calls: Some(proposals),
            review: Some(review),
        });
        Ok(())
    }

    fn finish(
        mut self,
        hash_customer: &dyn Fn(&str) -> String,
    ) -> Result<Option<Conversation>, Fault> {
        let Some(created_at) = self.opened else {
            self.counts.hit(Rule::NoCustomerMessage);
            return Ok(None);
        };
        self.counts.hit(Rule::Imported);
        let dialogue = self.dialogue;
        let disconnected = matches!(
            dialogue.completion,
            Completion::EarlyDisconnectDuringDialogue | Completion::DisconnectDuringDialogue
        );
        let abandoned = disconnected && self.pending.is_some();
        let truncated = disconnected && !abandoned;
        if abandoned {
            self.counts.hit(Rule::Abandoned);
        }
        if truncated {
            self.counts.hit(Rule::Disconnected);
        }
        let satisfaction = self.satisfaction();
        let answered = !self.decisions.is_empty();
        let human_s: Option<f64> = self.decisions.iter().map(|decision| decision.human_s).sum();
        Ok(Some(Conversation {
            schema_version: LOG_SCHEMA_VERSION,
            conversation_id: format!("star-{}", dialogue.id),
            source_system: "star".to_owned(),
            channel: Channel::Chat,
            created_at,
            closed_at: self.now,
            customer_id_hash: dialogue
                .customer
                .as_ref()
                .map(|customer| hash_customer(&customer.0)),
            language: Some("en".to_owned()),
            region: None,
            priority: None,
            tags: dialogue
                .scenario
                .domains
                .iter()
                .flatten()
                .map(|domain| domain.0.to_string())
                .collect(),
            intent: self.intent(),
            class: Some(self.class()),
            first_response_s: self.decisions.first().and_then(|first| first.answer_s),
            first_response_business_s: None,
            resolution_s: self
                .now
                .filter(|_| !disconnected)
                .map(|closed| closed.seconds_since(created_at)),
            customer_wait_s: answered.then_some(self.waited_s),
            agent_wait_s: answered.then_some(self.agent_waited_s),
            queue_wait_s: None,
            human_handle_s: human_s.filter(|_| answered),
            human_handle_estimated: answered.then_some(true),
            reopens: None,
            reopened_7d: None,
            escalated_7d: None,
            replies: Some(self.replies),
            assignees: Some(1),
            bot_involved: None,
            bot_resolved: None,
            bot_handoff: None,
            tier: answered.then_some(Tier::Review),
            rating_raw: None,
            rating_scale: None,
            rating_at: None,
            rating_remark_present: None,
            satisfaction,
            satisfaction_source: satisfaction.map(|_| SatisfactionSource::Questionnaire),
            sla_name: None,
            sla_status: None,
            sla_limit_s: None,
            abandoned: Some(abandoned),
            truncated: Some(truncated),
            clicked_at: None,
            converted_at: None,
            outcomes_tracked: Some(false),
            order_value: None,
            currency: None,
            attachments: Vec::new(),
            turns: self.turns,
            decisions: self.decisions,
        }))
    }

    /// Share of yes among the answered questions on the assistant.
    fn satisfaction(&mut self) -> Option<f64> {
        let (mut yes, mut answered) = (0_u32, 0_u32);
        for question in &self.dialogue.customer_answers {
            if question.question.0 == ABOUT_THE_GAME {
                continue;
            }
            if let Some(answer) = question.answer {
                answered += 1;
                yes += u32::from(answer);
            }
        }
        if answered == 0 {
            self.counts.hit(Rule::SatisfactionUnknown);
            return None;
        }
        self.counts.hit(Rule::SatisfactionAnswered);
        Some(f64::from(yes) / f64::from(answered))
    }

    /// The class in hindsight.
    fn class(&mut self) -> Class {
        let dialogue = self.dialogue;
        let annoyed = dialogue
            .agent_answers
            .iter()
            .any(|asked| asked.answer == Some(true) && asked.question.0.contains(ANNOYED));
        let fraud = dialogue.only_task() == Some(FRAUD)
            || dialogue.selected_tasks().any(|task| task == FRAUD);
        let (class, rule) = if annoyed {
            (Class::Complaint, Rule::ComplaintAnnoyed)
        } else if fraud {
            (Class::Complaint, Rule::ComplaintFraud)
        } else if dialogue.scenario.multi_task {
            (Class::Complex, Rule::ComplexMultiTask)
        } else if !dialogue.scenario.happy {
            (Class::Complex, Rule::ComplexUnhappy)
        } else {
            (Class::Simple, Rule::Simple)
        };
        self.counts.hit(rule);
        class
    }

    fn intent(&mut self) -> Option<String> {
        let domain = match self.dialogue.scenario.domains.as_slice() {
            [Some(only)] => Some(&*only.0),
            _ => None,
        };
        let (intent, rule) = if let Some(task) = self.dialogue.selected_tasks().next() {
            (Some(task), Rule::IntentSelected)
        } else if let Some(task) = self.dialogue.only_task() {
            (Some(task), Rule::IntentOnly)
        } else if domain.is_some() {
            (domain, Rule::IntentDomain)
        } else {
            (None, Rule::IntentUnknown)
        };
        self.counts.hit(rule);
        intent.map(str::to_owned)
    }
}

fn no_time(index: usize) -> Fault {
    Fault {
        reason: Reason::BadTime,
        column: format!("Events[{index}].UnixTime"),
        message: "missing; a message needs its time in Unix seconds".to_owned(),
    }
}

fn turn(role: Role, at: UtcMicros, text: Option<&str>) -> Turn {
    Turn {
        role,
        at: Some(at),
        text: text.map(str::to_owned),
        text_hash: None,
        intent: None,
        sentiment: None,
        draft_edited: None,
    }
}
