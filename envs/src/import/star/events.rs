//! The published shape of a STAR dialogue, borrowed from its line.
//!
//! Only what the derivation reads; every other key (knowledge-base items, constraints, options) is skipped without
//! being built.

use std::borrow::Cow;

use serde::Deserialize;

/// Text that borrows from the line unless it holds escapes.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(super) struct Text<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

#[derive(Debug, Deserialize)]
pub(super) struct Dialogue<'a> {
    #[serde(rename = "DialogueID")]
    pub(super) id: u64,
    #[serde(borrow, default, rename = "AnonymizedUserWorkerID")]
    pub(super) customer: Option<Text<'a>>,
    #[serde(rename = "CompletionLevel")]
    pub(super) completion: Completion,
    #[serde(borrow, rename = "Scenario")]
    pub(super) scenario: Scenario<'a>,
    #[serde(borrow, default, rename = "UserQuestionnaire")]
    pub(super) customer_answers: Vec<Question<'a>>,
    #[serde(borrow, default, rename = "WizardQuestionnaire")]
    pub(super) agent_answers: Vec<Question<'a>>,
    #[serde(borrow, rename = "Events")]
    pub(super) events: Vec<Event<'a>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(super) enum Completion {
    Complete,
    EarlyDisconnectDuringDialogue,
    DisconnectDuringDialogue,
    DisconnectDuringQuestionnaire,
}

#[derive(Debug, Deserialize)]
pub(super) struct Scenario<'a> {
    #[serde(borrow, default, rename = "Domains")]
    pub(super) domains: Vec<Option<Text<'a>>>,
    #[serde(rename = "Happy")]
    pub(super) happy: bool,
    #[serde(rename = "MultiTask")]
    pub(super) multi_task: bool,
    #[serde(borrow, default, rename = "WizardCapabilities")]
    pub(super) capabilities: Vec<Capability<'a>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Capability<'a> {
    #[serde(borrow, rename = "Task")]
    pub(super) task: Text<'a>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Question<'a> {
    #[serde(borrow, rename = "Question")]
    pub(super) question: Text<'a>,
    #[serde(default, rename = "Answer")]
    pub(super) answer: Option<bool>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Event<'a> {
    #[serde(rename = "Agent")]
    pub(super) agent: Agent,
    #[serde(rename = "Action")]
    pub(super) action: Action,
    #[serde(borrow, default, rename = "Text")]
    pub(super) text: Option<Text<'a>>,
    #[serde(default, rename = "UnixTime")]
    pub(super) unix_s: Option<f64>,
    #[serde(borrow, default, rename = "ActionLabel")]
    pub(super) label: Option<Text<'a>>,
    #[serde(borrow, default, rename = "Task")]
    pub(super) task: Option<Text<'a>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(super) enum Agent {
    User,
    Wizard,
    KnowledgeBase,
    UserGuide,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Action {
    Utter,
    PickSuggestion,
    RequestSuggestions,
    SelectTask,
    #[serde(other)]
    Other,
}

/// Label of a picked suggestion that is the person's own text, shown back as the only choice.
pub(super) const OWN_TEXT: &str = "custom";

impl Dialogue<'_> {
    /// The task when the agent can do only one: known before the first message.
    pub(super) fn only_task(&self) -> Option<&str> {
        match self.scenario.capabilities.as_slice() {
            [only] => Some(&only.task.0),
            _ => None,
        }
    }

    /// The tasks the agent selected, in order.
    pub(super) fn selected_tasks(&self) -> impl Iterator<Item = &str> {
        self.events
            .iter()
            .filter(|event| event.action == Action::SelectTask)
            .filter_map(|event| event.task.as_ref().map(|task| &*task.0))
    }
}
