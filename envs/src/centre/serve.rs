//! How a chosen tier becomes an answer: drafts, queues, jobs, and customers who lose patience.

use super::agenda::Event;
use super::conversation::{Answer, Place};
use super::engine::Centre;
use super::people::{Place as Seat, Work};
use crate::class::Review;
use crate::luck::{Purpose, high, low};
use crate::tier::Tier;

/// A person at work for a conversation.
#[derive(Debug, Clone, Copy)]
pub(super) struct Job {
    pub(super) slot: u32,
    pub(super) group: u8,
    /// Done, or taken away by an outage: its events find nothing.
    pub(super) gone: bool,
    /// The customer has not been answered by it.
    pub(super) pending: bool,
}

impl Centre {
    /// Takes a tier for the conversation whose decision is due.
    ///
    /// # Panics
    /// When no decision is due there, or the tier is masked: a driver's mistake.
    pub fn act(&mut self, slot: u32, tier: Tier) {
        let conversation = &mut self.conversations[slot as usize];
        assert!(
            conversation.place == Place::Deciding && conversation.mask.allows(tier),
            "a decision must be due, and its tier allowed"
        );
        conversation.tier = tier;
        conversation.answer = Answer::default();
        conversation.decisions = conversation.decisions.saturating_add(1);
        if conversation.counted && !self.silent {
            let (guess, load) = (conversation.contact.guess, conversation.load);
            self.tallies[usize::from(conversation.arm)].decision(guess, load, tier);
        }
        match tier {
            Tier::Human => self.seek(slot, Work::Human),
            Tier::Auto | Tier::Review => {
                if self.ai.seize(self.now_s) {
                    self.draft(slot);
                } else {
                    let ticket = self.waits(slot, Place::AiQueue);
                    self.ai.queue.push_back((slot, ticket));
                }
            }
        }
    }

    /// A conversation begins to wait: its ticket, with which patience is noted.
    fn waits(&mut self, slot: u32, place: Place) -> u32 {
        let patience_s = self.patience_s(slot);
        let conversation = &mut self.conversations[slot as usize];
        conversation.place = place;
        conversation.queued_s = self.now_s;
        conversation.ticket = conversation.ticket.wrapping_add(1);
        let ticket = conversation.ticket;
        self.agenda
            .note(self.now_s + patience_s, Event::Impatient(slot, ticket));
        ticket
    }

    /// How long the customer stays in a queue: one number per customer.
    fn patience_s(&self, slot: u32) -> f64 {
        let contact = &self.conversations[slot as usize].contact;
        let mean_s = self.stage.world.config().customer.patience_s[contact.class.index()];
        mean_s
            * self
                .stage
                .patience
                .at(contact.luck.once(Purpose::Arrival) as u32)
    }

    /// The AI begins to write; a replica is taken.
    fn draft(&mut self, slot: u32) {
        let world = &self.stage.world;
        let conversation = &mut self.conversations[slot as usize];
        let contact = &conversation.contact;
        let bits = contact.luck.at(Purpose::Answer, contact.turn);
        let latency_s = world.config().auto.latency_s;
        // A draft takes as long as an answer. One draw serves it and the review: what is long to write is long to check.
        let seconds = latency_s * world.service.at(bits as u32);
        conversation.place = Place::AiWrites;
        self.agenda.note(self.now_s + seconds, Event::Drafted(slot));
    }

    /// Replicas that are free take those who wait for one.
    pub(super) fn draft_waiting(&mut self) {
        while let Some((slot, ticket)) = self.ai.queue.front().copied() {
            if self.conversations[slot as usize].ticket != ticket
                || self.conversations[slot as usize].place != Place::AiQueue
            {
                self.ai.queue.pop_front();
                continue;
            }
            if !self.ai.seize(self.now_s) {
                return;
            }
            self.ai.queue.pop_front();
            let now_s = self.now_s;
            let conversation = &mut self.conversations[slot as usize];
            let waited_s = now_s - conversation.queued_s;
            conversation.answer.queue_s += waited_s;
            conversation.queue_s += waited_s;
            self.draft(slot);
        }
    }

    /// The AI has written.
    pub(super) fn drafted(&mut self, slot: u32) {
        self.ai.release(self.now_s);
        if !self.ai.queue.is_empty() {
            self.draft_waiting();
        }
        let conversation = &mut self.conversations[slot as usize];
        conversation.contact.ai_calls += 1;
        conversation.answer.ai_call = true;
        let seconds = self.now_s - conversation.message_s;
        self.ai.learn(seconds);
        if conversation.tier == Tier::Review {
            self.seek(slot, Work::Review);
            return;
        }
        let contact = &mut conversation.contact;
        let draft = high(contact.luck.at(Purpose::Solve, contact.turn));
        let right = draft < contact.draft_probability(&self.stage.world);
        contact.failed_drafts += u32::from(!right);
        self.answered(slot, right);
    }

    /// Looks for a person, or waits; nobody overtakes who waits for the same work in the same language.
    fn seek(&mut self, slot: u32, work: Work) {
        let language = self.conversations[slot as usize].contact.language;
        if !self.people.has_waiting(work, language)
            && let Some(seat) = self.people.seize(self.now_s, work, language)
        {
            self.conversations[slot as usize].queued_s = self.now_s;
            self.begin(slot, work, seat);
            return;
        }
        let ticket = self.waits(slot, Place::Queue(work));
        self.people
            .enqueue(self.now_s, work, language, slot, ticket);
    }

    /// A person begins to work on a conversation.
    fn begin(&mut self, slot: u32, work: Work, seat: Seat) {
        let world = &self.stage.world;
        let config = world.config();
        let conversation = &mut self.conversations[slot as usize];
        let contact = &mut conversation.contact;
        let class = contact.class.index();
        let waited_s = self.now_s - conversation.queued_s;
        conversation.answer.queue_s += waited_s;
        conversation.queue_s += waited_s;
        conversation.place = Place::Person(work);
        let service = world
            .service
            .at(contact.luck.at(Purpose::Answer, contact.turn) as u32);
        let solve = contact.luck.at(Purpose::Solve, contact.turn);
        let (draft, person) = (high(solve), low(solve));
        let (work_s, first_s, solved) = match work {
            Work::Review => {
                let right = draft < contact.draft_probability(world);
                let repair = config.review.repair[class];
                contact.failed_drafts += u32::from(!right);
                let review = if right {
                    if person < config.review.needless_edit {
                        Review::Edited
                    } else {
                        Review::Accepted
                    }
                } else if person < repair * config.review.rewrite_share {
                    Review::Rejected
                } else if person < repair {
                    Review::Edited
                } else {
                    Review::Accepted
                };
                conversation.answer.review = Some(review);
                let seconds = config.review.seconds[review.index()] * service * seat.stretch;
                (seconds, seconds, right || person < repair)
            }
            Work::Human => {
                let again = if contact.used[Tier::Human.index()] > 0 {
                    config.human.followup
                } else {
                    1.0
                };
                let seconds = config.human.handle_s[class] * again * service * seat.stretch;
                let first_s = config.human.first_word * seconds;
                (seconds, first_s, person < config.human.solve[class])
            }
        };
        conversation.answer.solved = solved;
        conversation.answer.human_s += work_s * seat.share;
        let job = Job {
            slot,
            group: seat.group,
            gone: false,
            pending: true,
        };
        let id = match self.free_jobs.pop() {
            Some(id) => {
                self.jobs[id as usize] = job;
                id
            }
            None => {
                self.jobs.push(job);
                (self.jobs.len() - 1) as u32
            }
        };
        self.people.learn(work, work_s);
        if first_s < work_s {
            self.agenda.note(self.now_s + first_s, Event::Answered(id));
        }
        self.agenda.note(self.now_s + work_s, Event::Freed(id));
    }

    /// The customer of a job reads the answer; the person goes on.
    pub(super) fn answered_by(&mut self, id: u32) {
        let job = &mut self.jobs[id as usize];
        if job.gone || !job.pending {
            return;
        }
        job.pending = false;
        let slot = job.slot;
        let solved = self.conversations[slot as usize].answer.solved;
        self.answered(slot, solved);
    }

    /// The person of a job is free.
    pub(super) fn freed(&mut self, id: u32) {
        let job = self.jobs[id as usize];
        self.jobs[id as usize].gone = true;
        self.free_jobs.push(id);
        if job.gone {
            return;
        }
        self.people.release(self.now_s, job.group);
        if job.pending {
            let solved = self.conversations[job.slot as usize].answer.solved;
            self.answered(job.slot, solved);
        }
        self.call(job.group);
    }

    /// Free slots of a group take those who wait.
    pub(super) fn call(&mut self, group: u8) {
        while let Some((slot, work, _, seat)) = self.people.call(self.now_s, group) {
            self.begin(slot, work, seat);
        }
    }

    /// The customer has waited long enough, if still in the same queue.
    pub(super) fn impatient(&mut self, slot: u32, ticket: u32) {
        let conversation = &mut self.conversations[slot as usize];
        if conversation.ticket != ticket {
            return;
        }
        match conversation.place {
            Place::Queue(work) => {
                let language = conversation.contact.language;
                self.people.renege(self.now_s, work, language, slot, ticket);
            }
            Place::AiQueue => {}
            _ => return,
        }
        self.gives_up(slot);
    }

    /// The customer leaves a queue unanswered.
    pub(super) fn gives_up(&mut self, slot: u32) {
        let conversation = &mut self.conversations[slot as usize];
        let waited_s = self.now_s - conversation.queued_s;
        conversation.answer.queue_s += waited_s;
        conversation.queue_s += waited_s;
        conversation.contact.waited_s += self.now_s - conversation.message_s;
        // A draft that nobody looked at was still written; people's time for an interrupted job was still spent.
        conversation.contact.human_s += conversation.answer.human_s;
        self.end(slot, false, true);
    }

    /// Back from an interruption.
    pub(super) fn rerouted(&mut self, slot: u32) {
        if let Place::Rerouted(work) = self.conversations[slot as usize].place {
            self.seek(slot, work);
        }
    }

    /// The autoscaler looks.
    pub(super) fn look(&mut self) {
        let Some(scale) = self.stage.config.ai.autoscale else {
            return;
        };
        let more = self.ai.scale(self.now_s, &scale);
        for _ in 0..more {
            self.agenda
                .note(self.now_s + scale.startup_s, Event::ReplicaReady);
        }
        // The last look is the one after which nobody comes any more.
        if self.now_s < self.stage.arrivals_end_s || self.open > 0 {
            self.agenda
                .note(self.now_s + scale.interval_s, Event::Scale);
        }
    }
}
