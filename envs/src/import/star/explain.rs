//! What the importer makes of a STAR dialogue, rule by rule, and how often each rule was hit.

use std::fmt::Write as _;

use serde::Serialize;

macro_rules! rules {
    ($($rule:ident $field:literal $unit:literal $text:literal;)+) => {
        /// A rule of the derivation whose hits are counted.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Rule { $(#[doc = $text] $rule),+ }

        impl Rule {
            /// Every rule in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$rule),+];
            const TABLE: [(&'static str, &'static str, &'static str); Self::ALL.len()] =
                [$(($field, $unit, $text)),+];

            /// The field it fills.
            #[must_use]
            pub const fn field(self) -> &'static str { Self::TABLE[self as usize].0 }

            /// What is counted.
            #[must_use]
            pub const fn unit(self) -> &'static str { Self::TABLE[self as usize].1 }

            /// The rule in words.
            #[must_use]
            pub const fn text(self) -> &'static str { Self::TABLE[self as usize].2 }
        }
    };
}

rules! {
    Imported "conversation" "dialogues" "a dialogue with at least one customer message";
    NoCustomerMessage "conversation" "dialogues" "skipped: the customer left before writing, so there is nothing to answer";
    CustomerTurn "turns" "messages" "User `utter`: role customer, with text and time";
    AgentTurn "turns" "messages" "Wizard `pick_suggestion` or `utter`: role agent, with text and time";
    Decision "decisions" "replies" "a reply to at least one unanswered customer message: tier 2";
    ReplyToNothing "decisions" "replies" "a reply with no customer message before it (a greeting, a second message): a turn, no decision";
    Accepted "decisions.review" "replies" "accepted: `pick_suggestion` of a proposal of the machine";
    OwnTextEchoed "decisions.review" "replies" "rejected: `pick_suggestion` labelled `custom`, the person's own text offered back as the only choice";
    OwnText "decisions.review" "replies" "rejected: `utter`, the person sent their own text";
    NoProposal "decisions.ai_calls" "replies" "0: no `request_suggestions` since the last reply";
    OneProposal "decisions.ai_calls" "replies" "1: one `request_suggestions`";
    MoreProposals "decisions.ai_calls" "replies" "2 or more";
    SatisfactionAnswered "satisfaction" "dialogues" "share of yes among the customer's answered questions on the assistant (task done; calm and helpful), source questionnaire; `Did you enjoy this task?` is about the game and left out";
    SatisfactionUnknown "satisfaction" "dialogues" "unknown: no such question was answered";
    Abandoned "abandoned" "dialogues" "true: disconnected during the dialogue while the customer's last message was unanswered";
    Disconnected "truncated" "dialogues" "true: disconnected during the dialogue after a reply, so the end was not seen";
    ComplaintAnnoyed "class" "dialogues" "complaint: the agent's questionnaire says the customer became aggressive or annoyed";
    ComplaintFraud "class" "dialogues" "complaint: otherwise, and the task is `bank_fraud_report` (selected at any time, or the only one)";
    ComplexMultiTask "class" "dialogues" "complex: otherwise, and the scenario has several tasks";
    ComplexUnhappy "class" "dialogues" "complex: otherwise, and the scenario is not the happy path";
    Simple "class" "dialogues" "simple: otherwise";
    IntentSelected "intent" "dialogues" "the first task the agent selected";
    IntentOnly "intent" "dialogues" "otherwise the agent's only task";
    IntentDomain "intent" "dialogues" "otherwise the scenario's only domain";
    IntentUnknown "intent" "dialogues" "unknown: several domains and no task selected";
    GuessComplaint "observation.class" "replies" "complaint: the task known when the message came (selected last, or the only one) is `bank_fraud_report`";
    GuessComplex "observation.class" "replies" "complex: otherwise, and the agent can do several tasks";
    GuessSimple "observation.class" "replies" "simple: otherwise";
    GuessIntent "observation.intent" "replies" "the task known when the message came";
    NoGuessIntent "observation.intent" "replies" "unknown: several tasks and none selected yet";
}

/// Rules that hold for every row, so that there is nothing to count.
const ALWAYS: &[(&str, &str)] = &[
    (
        "conversation_id",
        "`star-` and DialogueID; source_system `star`, channel chat, language en",
    ),
    (
        "created_at, closed_at",
        "the customer's first message; the last event with a time (KnowledgeBase events have none)",
    ),
    ("customer_id_hash", "keyed blake3 of AnonymizedUserWorkerID"),
    ("tags", "the scenario's domains"),
    (
        "decisions.turn, decided_at",
        "the first unanswered customer message and its time",
    ),
    (
        "decisions.action",
        "2 (review), source `rule`, policy `star-protocol`: the person types first, the machine proposes, the person \
         picks a proposal or sends their own text. The protocol left no choice of tier",
    ),
    (
        "decisions.probs, propensity",
        "unknown: nobody chose a tier by chance",
    ),
    (
        "decisions.mask",
        "tierwise's default mask rules applied to the observation; the log has no masks of its own",
    ),
    (
        "decisions.answer_s",
        "reply's time minus that of the first unanswered customer message (whole seconds)",
    ),
    (
        "decisions.human_s",
        "reply's time minus that of the customer's last message, or of the previous reply where that is later: the \
         person types, looks up and picks",
    ),
    (
        "human_handle_s",
        "sum of human_s, marked as an estimate: clock time, not tracked work",
    ),
    (
        "first_response_s, customer_wait_s",
        "first answer_s; sum of answer_s",
    ),
    (
        "agent_wait_s",
        "seconds from each reply to the customer's next message",
    ),
    (
        "resolution_s",
        "closed_at minus created_at where the dialogue was completed",
    ),
    (
        "decisions.pool_busy",
        "other imported dialogues open at that instant; dialogues missing from the input are not counted, so it is a \
         lower bound",
    ),
    (
        "observation",
        "turn, elapsed_s, waited_s, auto_used, review_used, human_used, length_chars, attachment_kinds, channel, \
         language and clock from what came before the message; every other feature unknown",
    ),
    (
        "outcomes_tracked",
        "false: clicks, purchases, reopenings and escalations were not recorded",
    ),
];

/// What this log cannot tell, whoever asks.
const LACKS: &str = "\
What this log lacks:
  no tier 1   no reply went out without a person
  no tier 3   no person answered without a machine's proposals at hand
  no propensities   the protocol fixed tier 2; off-policy values must be refused
  acted customers   paid crowd workers played roles in May 2020; the latencies are real
Whatever is learned on it about tiers comes from a simulator and is marked *simulated*.
";

/// How often each rule was hit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts([u64; Rule::ALL.len()]);

impl Default for Counts {
    fn default() -> Self {
        Self([0; Rule::ALL.len()])
    }
}

impl Counts {
    /// Counts one hit.
    pub(super) fn hit(&mut self, rule: Rule) {
        self.0[rule as usize] += 1;
    }

    /// Hits of a rule.
    #[must_use]
    pub const fn of(&self, rule: Rule) -> u64 {
        self.0[rule as usize]
    }
}

impl std::ops::AddAssign<&Self> for Counts {
    fn add_assign(&mut self, other: &Self) {
        for (mine, theirs) in self.0.iter_mut().zip(other.0) {
            *mine += theirs;
        }
    }
}

/// One line of the derivation table with its count, for summaries in JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExplainedRule {
    /// The field it fills.
    pub field: &'static str,
    /// The rule in words.
    pub rule: &'static str,
    /// What is counted: dialogues, messages or replies.
    pub unit: &'static str,
    /// How often it was hit.
    pub hits: u64,
}

/// The counted rules with their hits.
#[must_use]
pub fn explained(counts: &Counts) -> Vec<ExplainedRule> {
    Rule::ALL
        .iter()
        .map(|rule| ExplainedRule {
            field: rule.field(),
            rule: rule.text(),
            unit: rule.unit(),
            hits: counts.of(*rule),
        })
        .collect()
}

/// The derivation table as text; with counts, how many rows each rule hit.
#[must_use]
pub fn explain(counts: Option<&Counts>) -> String {
    let mut text = String::from("How a STAR dialogue becomes a conversation\n\n");
    for rule in Rule::ALL {
        let count = counts.map_or_else(String::new, |counts| counts.of(*rule).to_string());
        let _ = writeln!(
            text,
            "  {:<20} {count:>7} {:<9}  {}",
            rule.field(),
            rule.unit(),
            rule.text()
        );
    }
    text.push_str("\nFor every row\n\n");
    for (field, rule) in ALWAYS {
        let _ = writeln!(text, "  {field:<34}  {rule}");
    }
    text.push('\n');
    text.push_str(LACKS);
    text
}
