//! One conversation in the centre: where it stands, and what its last answer was.

use super::people::Work;
use crate::class::Review;
use crate::mask::Mask;
use crate::shop::contact::{Contact, Ending};
use crate::tier::Tier;

/// What a decision led to, in the detail that a log needs.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Answer {
    /// Seconds in the queue; the patience when the customer left it.
    pub queue_s: f64,
    /// Seconds from the message to its answer; `None` when the customer left first.
    pub answer_s: Option<f64>,
    /// The same on the business clock.
    pub answer_business_s: Option<f64>,
    /// Seconds of people's time.
    pub human_s: f64,
    /// What the reviewer did with the draft.
    pub review: Option<Review>,
    /// The answer solved the request.
    pub solved: bool,
    /// The AI wrote an answer or a draft.
    pub ai_call: bool,
}

/// Where a conversation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// A decision is due.
    Deciding,
    /// It waits for a replica.
    AiQueue,
    /// The AI writes.
    AiWrites,
    /// It waits for a person.
    Queue(Work),
    /// A person works on it.
    Person(Work),
    /// The customer thinks, or has left for now.
    Away,
    /// On its way back into a queue after an outage.
    Rerouted(Work),
}

/// A conversation's state. Slots are used again after its end.
#[derive(Debug, Clone, Copy)]
pub(super) struct Conversation {
    pub(super) contact: Contact,
    pub(super) number: u64,
    /// Second of the message to be answered.
    pub(super) message_s: f64,
    pub(super) queued_s: f64,
    /// Seconds beyond the service level of the class so far.
    pub(super) excess_s: f64,
    /// Seconds to the first answer; NaN before it.
    pub(super) first_response_s: f64,
    /// Seconds in queues so far.
    pub(super) queue_s: f64,
    /// Turn at which this contact began: above 0 after reopening.
    pub(super) began_turn: u32,
    /// Names its stay in a queue, so that a late loss of patience finds nobody.
    pub(super) ticket: u32,
    pub(super) place: Place,
    pub(super) tier: Tier,
    pub(super) mask: Mask,
    pub(super) answer: Answer,
    pub(super) arm: u8,
    pub(super) decisions: u8,
    /// Hour of the message, shop-local.
    pub(super) hour: u8,
    /// Load level of the tabular view at the decision.
    pub(super) load: u8,
    /// Arrived within the counted period.
    pub(super) counted: bool,
    /// Only takes up people: nobody's reward.
    pub(super) ghost: bool,
    pub(super) ending: Option<Ending>,
}

/// A conversation that has ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Closed {
    /// Its number in order of arrival.
    pub number: u64,
    /// The arm it was in.
    pub arm: u8,
    /// Seconds from the start of the period to its arrival.
    pub arrival_s: f64,
    /// Whether it arrived in the counted part of the period.
    pub counted: bool,
    /// Decisions taken in it.
    pub decisions: u32,
    /// Seconds of people's time.
    pub human_s: f64,
    /// How it ended.
    pub ending: Ending,
}
