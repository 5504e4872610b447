//! The engine: from one happening to the next.
//!
//! Three sources of change are merged in order of time: arrivals, turnings of the centre (shifts, outages), and the agenda of
//! what is under way. Memory is bounded by who is in the system, not by the length of the run.

use std::sync::Arc;

use super::agenda::{Agenda, Event};
use super::ai::Ai;
use super::arrivals::Arrivals;
use super::config::DecisionPoint;
use super::conversation::{Answer, Closed, Conversation, Place};
use super::people::People;
use super::serve::Job;
use super::stage::{Stage, Turning};
use super::tally::{PoolHour, Tally};
use crate::luck::{Domain, Luck};
use crate::mask::Mask;
use crate::shop::contact::Contact;
use crate::tier::Tier;

/// What a driver has to react to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Happening {
    /// A tier is to be chosen for the conversation in this slot.
    Decision(u32),
    /// The conversation in this slot has ended; the slot can be asked until the next call of [`Centre::advance`].
    Closed(u32, Closed),
    /// Every counted conversation has ended.
    Over,
}

/// Which customers come: all of them, or those whose salted hash falls into a span of [0, 1).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Share {
    /// Salt of the hash.
    pub salt: u64,
    /// Lowest hash that comes.
    pub from: f64,
    /// Lowest hash that does not.
    pub to: f64,
}

impl Share {
    /// Where a conversation's hash falls, in [0, 1).
    #[must_use]
    pub fn hash(salt: u64, number: u64) -> f64 {
        Luck::new(salt, Domain::Arm, number).unit()
    }

    fn holds(&self, number: u64) -> bool {
        (self.from..self.to).contains(&Self::hash(self.salt, number))
    }
}

/// Which customers come, by their conversation's number in order of arrival: as a driver wants it.
#[derive(Clone)]
pub struct Keep(Arc<dyn Fn(u64) -> bool + Send + Sync>);

impl Keep {
    /// Those for whose number `comes` holds; it must always answer alike.
    #[must_use]
    pub fn new(comes: impl Fn(u64) -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(comes))
    }
}

impl From<Share> for Keep {
    fn from(share: Share) -> Self {
        Self::new(move |number| share.holds(number))
    }
}

impl std::fmt::Debug for Keep {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keep")
    }
}

/// A contact centre at one moment.
///
/// ```text
/// loop { match centre.advance() {
///     Happening::Decision(slot) => centre.act(slot, choose(&centre.situation(slot))),
///     Happening::Closed(..) => {}
///     Happening::Over => break,
/// } }
/// ```
#[derive(Debug, Clone)]
pub struct Centre {
    pub(super) stage: Arc<Stage>,
    pub(super) seed: u64,
    pub(super) now_s: f64,
    pub(super) agenda: Agenda,
    arrivals: Arrivals,
    arrival: Option<(u64, f64)>,
    keep: Option<Keep>,
    turned: usize,
    pub(super) conversations: Vec<Conversation>,
    pub(super) free: Vec<u32>,
    pub(super) jobs: Vec<Job>,
    pub(super) free_jobs: Vec<u32>,
    pub(super) people: People,
    pub(super) ai: Ai,
    /// People and replicas that each outage under way has taken.
    pub(super) taken: Vec<(Vec<(u8, i32)>, u32)>,
    pub(super) tallies: Vec<Tally>,
    /// Counted conversations that have not ended.
    pub(super) open: u64,
    /// Slots to be handed out as closed before anything else happens.
    pub(super) closed: Vec<u32>,
    /// The slot that was handed out as closed last; it is used again from the next call on.
    leaving: Option<u32>,
    /// Conversations that an outage lost for good.
    pub(super) lost: u64,
    /// Nothing is counted in tallies: a copy that looks ahead.
    pub(super) silent: bool,
}

impl Centre {
    /// A centre before the first customer of a seed; `arms` ≥ 1 tallies.
    #[must_use]
    pub fn new(stage: Arc<Stage>, seed: u64, arms: usize) -> Self {
        Self::with_share(stage, seed, arms, None)
    }

    /// A centre to which only a share of the customers come.
    #[must_use]
    pub fn with_share(stage: Arc<Stage>, seed: u64, arms: usize, share: Option<Share>) -> Self {
        Self::with_customers(stage, seed, arms, share.map(Keep::from))
    }

    /// A centre to which only the customers that are kept come; all of them by default.
    #[must_use]
    pub fn with_customers(stage: Arc<Stage>, seed: u64, arms: usize, keep: Option<Keep>) -> Self {
        let world = &stage.world;
        let hours = (stage.arrivals_end_s / 3_600.0).ceil() as usize;
        let contacts = (0..hours).map(|hour| world.contacts(hour));
        let mut arrivals = match &stage.trace {
            Some(trace) => Arrivals::logged(Arc::clone(trace)),
            None => Arrivals::new(contacts, stage.config.overdispersion, seed),
        };
        let languages = world.config().language.len();
        let mut people = stage.people.clone();
        people.areas.window(stage.counted.0, stage.counted.1);
        let mut agenda = Agenda::default();
        if let Some(scale) = &stage.config.ai.autoscale {
            agenda.note(scale.interval_s, Event::Scale);
        }
        let arrival = next_kept(&mut arrivals, keep.as_ref());
        Self {
            seed,
            now_s: 0.0,
            agenda,
            arrival,
            arrivals,
            keep,
            turned: 0,
            conversations: Vec::new(),
            free: Vec::new(),
            jobs: Vec::new(),
            free_jobs: Vec::new(),
            people,
            ai: Ai::new(stage.config.ai.replicas, world.config().auto.latency_s),
            taken: vec![(Vec::new(), 0); stage.config.outage.len()],
            tallies: (0..arms).map(|_| Tally::new(languages)).collect(),
            open: 0,
            closed: Vec::new(),
            leaving: None,
            lost: 0,
            silent: false,
            stage,
        }
    }

    /// Seconds from the start of the period to now.
    #[must_use]
    pub const fn now_s(&self) -> f64 {
        self.now_s
    }

    /// The centre's unchanging part.
    #[must_use]
    pub const fn stage(&self) -> &Arc<Stage> {
        &self.stage
    }

    /// Runs to the next happening.
    pub fn advance(&mut self) -> Happening {
        if let Some(slot) = self.leaving.take() {
            self.free.push(slot);
        }
        loop {
            if let Some(slot) = self.closed.pop() {
                self.leaving = Some(slot);
                return Happening::Closed(slot, self.closing(slot));
            }
            let event_s = self.agenda.next_s();
            let arrival_s = self.arrival.map_or(f64::INFINITY, |(_, at_s)| at_s);
            let turning_s = self
                .stage
                .turnings
                .get(self.turned)
                .map_or(f64::INFINITY, |(at_s, _)| *at_s);
            if arrival_s.min(event_s) == f64::INFINITY
                || (self.open == 0 && arrival_s.min(event_s) >= self.stage.counted.1)
            {
                return Happening::Over;
            }
            if turning_s <= arrival_s && turning_s <= event_s {
                self.now_s = turning_s;
                let turning = self.stage.turnings[self.turned].1;
                self.turned += 1;
                match turning {
                    Turning::Roster { group, people } => {
                        self.people.roster(turning_s, group, people);
                        self.call(group);
                    }
                    Turning::Outage {
                        which,
                        begins: true,
                    } => self.outage_begins(which),
                    Turning::Outage {
                        which,
                        begins: false,
                    } => self.outage_ends(which),
                }
            } else if arrival_s <= event_s {
                self.now_s = arrival_s;
                return Happening::Decision(self.arrive());
            } else {
                self.now_s = event_s;
                let event = self
                    .agenda
                    .take()
                    .expect("an instant stands there for its event");
                if let Some(slot) = self.happen(event) {
                    return Happening::Decision(slot);
                }
            }
        }
    }

    /// Lets an event happen; a slot whose customer has written.
    fn happen(&mut self, event: Event) -> Option<u32> {
        match event {
            Event::Drafted(slot) => self.drafted(slot),
            Event::Answered(job) => self.answered_by(job),
            Event::Freed(job) => self.freed(job),
            Event::Impatient(slot, ticket) => self.impatient(slot, ticket),
            Event::Rerouted(slot) => self.rerouted(slot),
            Event::Replies(slot) => {
                self.receive(slot);
                return Some(slot);
            }
            Event::Scale => self.look(),
            Event::ReplicaReady => {
                if let Some(scale) = &self.stage.config.ai.autoscale {
                    self.ai.started(scale);
                    self.draft_waiting();
                }
            }
        }
        None
    }

    /// A new customer.
    fn arrive(&mut self) -> u32 {
        let (number, at_s) = self.arrival.take().expect("an arrival is due");
        self.arrival = next_kept(&mut self.arrivals, self.keep.as_ref());
        let luck = Luck::new(self.seed, Domain::Centre, number);
        let mut contact = Contact::arriving(&self.stage.world, luck, at_s);
        if let Some(traced) = self
            .stage
            .trace
            .as_ref()
            .and_then(|trace| trace.get(number))
        {
            traced.apply(&self.stage.world, &mut contact);
        }
        let counted = !self.silent && (self.stage.counted.0..self.stage.counted.1).contains(&at_s);
        let conversation = Conversation {
            contact,
            number,
            message_s: at_s,
            queued_s: at_s,
            excess_s: 0.0,
            first_response_s: f64::NAN,
            queue_s: 0.0,
            began_turn: 0,
            ticket: 0,
            place: Place::Deciding,
            tier: Tier::Review,
            mask: Mask::ALL,
            answer: Answer::default(),
            arm: 0,
            decisions: 0,
            hour: 0,
            load: 0,
            counted,
            ghost: false,
            ending: None,
        };
        let slot = match self.free.pop() {
            Some(slot) => {
                // Tickets go on, so that nobody's patience outlives the slot's next user.
                let ticket = self.conversations[slot as usize].ticket;
                self.conversations[slot as usize] = Conversation {
                    ticket,
                    ..conversation
                };
                slot
            }
            None => {
                self.conversations.push(conversation);
                (self.conversations.len() - 1) as u32
            }
        };
        self.open += u64::from(counted);
        self.due(slot);
        slot
    }

    /// The customer writes again.
    fn receive(&mut self, slot: u32) {
        let conversation = &mut self.conversations[slot as usize];
        conversation.message_s = self.now_s;
        let contact = &mut conversation.contact;
        contact.elapsed_s = self.now_s - contact.arrival_s;
        contact.receive(&self.stage.world);
        self.due(slot);
    }

    /// A decision is due: mask, hour and load of this moment.
    fn due(&mut self, slot: u32) {
        let mask = self.mask_of(slot);
        let (hour, load) = (self.hour(), self.load_level());
        let conversation = &mut self.conversations[slot as usize];
        conversation.mask = mask;
        conversation.hour = hour;
        conversation.load = load;
        conversation.place = Place::Deciding;
    }

    /// The tier that an earlier decision of the conversation has settled; `None` where a decision is free.
    #[must_use]
    pub fn settled(&self, slot: u32) -> Option<Tier> {
        let conversation = &self.conversations[slot as usize];
        (self.stage.config.decision == DecisionPoint::Conversation && conversation.decisions > 0)
            .then(|| conversation.mask.nearest(conversation.tier))
    }

    /// Puts a conversation into an arm, at its first decision.
    pub fn assign(&mut self, slot: u32, arm: u8) {
        self.conversations[slot as usize].arm = arm;
    }

    /// The arm of a conversation.
    #[must_use]
    pub fn arm(&self, slot: u32) -> u8 {
        self.conversations[slot as usize].arm
    }

    /// The conversation's number in order of arrival.
    #[must_use]
    pub fn number(&self, slot: u32) -> u64 {
        self.conversations[slot as usize].number
    }

    /// Takes a customer whose decision is due out of the system, as if there had been none.
    pub(super) fn withdraw(&mut self, slot: u32) {
        self.forget(slot);
        self.conversations[slot as usize].place = Place::Away;
        self.free.push(slot);
    }

    /// Makes the customer whose decision is due one who takes up people and earns nothing.
    pub(super) fn haunt(&mut self, slot: u32) {
        self.forget(slot);
        self.conversations[slot as usize].ghost = true;
    }

    fn forget(&mut self, slot: u32) {
        let conversation = &mut self.conversations[slot as usize];
        self.open -= u64::from(conversation.counted);
        conversation.counted = false;
    }

    /// Second of the conversation's arrival.
    #[must_use]
    pub fn arrival_s(&self, slot: u32) -> f64 {
        self.conversations[slot as usize].contact.arrival_s
    }

    /// Whether the conversation has had a decision before.
    #[must_use]
    pub fn is_first(&self, slot: u32) -> bool {
        self.conversations[slot as usize].decisions == 0
    }

    /// Whether it arrived within the counted period.
    #[must_use]
    pub fn is_counted(&self, slot: u32) -> bool {
        self.conversations[slot as usize].counted
    }

    /// Detail of the conversation's last answer.
    #[must_use]
    pub fn answer(&self, slot: u32) -> &Answer {
        &self.conversations[slot as usize].answer
    }

    /// Customers who wait for people now, in both queues.
    #[must_use]
    pub fn in_queue(&self) -> u32 {
        self.people.queued[0] + self.people.queued[1]
    }

    /// Tallies by arm so far.
    #[must_use]
    pub fn tallies(&self) -> &[Tally] {
        &self.tallies
    }

    /// Conversations that an outage lost for good.
    #[must_use]
    pub const fn lost(&self) -> u64 {
        self.lost
    }

    /// AI replicas that answer now; `None` when unlimited.
    #[must_use]
    pub fn replicas(&self) -> Option<u32> {
        self.ai.replicas()
    }

    /// Time integrals by hour of the day over the counted period: each pool's slots and people, and customer-seconds in the
    /// queues for review and for people.
    pub fn areas(&mut self) -> (Vec<Vec<PoolHour>>, [Vec<f64>; 2]) {
        let now_s = self.now_s;
        self.people.areas.finish(now_s)
    }

    fn closing(&self, slot: u32) -> Closed {
        let conversation = &self.conversations[slot as usize];
        Closed {
            number: conversation.number,
            arm: conversation.arm,
            arrival_s: conversation.contact.arrival_s,
            counted: conversation.counted,
            decisions: u32::from(conversation.decisions),
            human_s: conversation.contact.human_s,
            ending: conversation
                .ending
                .expect("only ended conversations are handed out"),
        }
    }
}

/// The next arrival that is kept.
fn next_kept(arrivals: &mut Arrivals, keep: Option<&Keep>) -> Option<(u64, f64)> {
    loop {
        let next = arrivals.next()?;
        if keep.is_none_or(|keep| (keep.0)(next.0)) {
            return Some(next);
        }
    }
}
