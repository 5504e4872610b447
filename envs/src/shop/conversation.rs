//! One conversation as it goes: the cursor that learners, judges and the log generator share.
//!
//! The hot path (`begin`, `state`, `mask`, `take`) touches numbers only and allocates nothing. The full observation is
//! built when somebody asks for it, from the same numbers and the same luck.

mod perceive;

use std::sync::Arc;

use super::contact::{Contact, Ending};
use super::world::World;
use super::{MAX_TURNS, load};
use crate::class::{Class, Review, SatisfactionSource};
use crate::discretise::{Cell, Discretizer};
use crate::env::{Env, EnvError, Situation, Step};
use crate::luck::{Domain, Luck, Purpose, high, low};
use crate::mask::Mask;
use crate::reward::{AnswerTime, Cost, Outcome, SatisfactionEvidence};
use crate::tier::Tier;
use crate::time::UtcMicros;

/// What the last decision led to, in the detail that a log needs.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Taken {
    /// Seconds in the queue; the patience when the customer left it.
    pub wait_s: f64,
    /// Seconds from the message to its answer; `None` when the customer left first.
    pub answer_s: Option<f64>,
    /// Seconds of people's time.
    pub human_s: f64,
    /// What the reviewer did with the draft.
    pub review: Option<Review>,
    /// The answer solved the request.
    pub solved: bool,
    /// Seconds from the answer to the customer's next message, when there is one.
    pub think_s: Option<f64>,
}

/// A shop, conversation by conversation: [`Env`] with the world's known truth behind it.
///
/// `reset(number)` starts conversation `number` of the world's own seed; [`Shop::begin`] takes any seed. Conversations
/// arrive independently over the configured period, with the density of its Poisson arrivals.
#[derive(Debug, Clone)]
pub struct Shop {
    world: Arc<World>,
    live: bool,
    contact: Contact,
    answers: [AnswerTime; MAX_TURNS as usize],
    answered: u32,
    hour: u32,
    mask: Mask,
    taken: Taken,
    ending: Option<Ending>,
}

impl Shop {
    /// A shop in a world, before its first conversation.
    #[must_use]
    pub fn new(world: Arc<World>) -> Self {
        Self {
            world,
            live: false,
            contact: Contact::nobody(),
            answers: [AnswerTime::default(); MAX_TURNS as usize],
            answered: 0,
            hour: 0,
            mask: Mask::ALL,
            taken: Taken::default(),
            ending: None,
        }
    }

    /// The world it plays in.
    #[must_use]
    pub const fn world(&self) -> &Arc<World> {
        &self.world
    }

    /// Starts conversation `number` of a seed: the same luck under every policy.
    pub fn begin(&mut self, seed: u64, number: u64) {
        self.start(Luck::new(seed, Domain::Episode, number));
    }

    /// Starts a conversation at the arrival that its luck gives.
    pub(super) fn start(&mut self, luck: Luck) {
        let hour = self.world.hours.pick(luck.once(Purpose::Hour));
        let offset_s = 3_600.0 * high(luck.once(Purpose::Arrival));
        self.start_at(luck, hour as f64 * 3_600.0 + offset_s);
    }

    /// Starts a conversation at a given second of the period.
    pub(super) fn start_at(&mut self, luck: Luck, arrival_s: f64) {
        self.contact = Contact::arriving(&self.world, luck, arrival_s);
        self.live = true;
        self.ending = None;
        self.taken = Taken::default();
        self.answered = 0;
        self.look_around();
    }

    /// Who is there to answer the message that came in.
    fn look_around(&mut self) {
        let world = &*self.world;
        let contact = &self.contact;
        let hours = world.load.hours.len();
        let hour = ((contact.arrival_s + contact.elapsed_s) * (1.0 / 3_600.0)) as usize;
        let hour = if hour < hours { hour } else { hour % hours };
        self.hour = hour as u32;
        let spoken = world.load.steps[hour].spoken >> contact.language & 1;
        let auto = !(world.auto_off[contact.guess.index()] || contact.wants_human);
        let bits = u8::from(auto) | 2 | ((spoken as u8) << 2);
        self.mask = Mask::from_bits(bits).expect("tier 2 is never forbidden");
    }

    /// State of the tabular view, below 72: what [`Discretizer::state`](crate::discretise::Discretizer::state) makes
    /// of the observation, without building it.
    #[inline]
    #[must_use]
    pub fn state(&self) -> usize {
        let cuts = &self.world.rules.discretizer;
        Cell {
            class: self.contact.guess,
            negative: self.contact.sentiment < cuts.sentiment_cut,
            load: self.world.load.steps[self.hour as usize].level,
            turn: u8::from(self.contact.turn >= cuts.turn_cuts[0])
                + u8::from(self.contact.turn >= cuts.turn_cuts[1]),
        }
        .state()
    }

    /// The tiers that may be taken now.
    #[inline]
    #[must_use]
    pub const fn mask(&self) -> Mask {
        self.mask
    }

    /// Chance that an answer at `tier` would solve the request now. Known truth: no policy may see it.
    #[must_use]
    pub fn solve_probability(&self, tier: Tier) -> f64 {
        self.world
            .solve_probability(self.contact.class, tier, self.draft_probability())
    }

    fn draft_probability(&self) -> f64 {
        self.contact.draft_probability(&self.world)
    }

    /// Chance that the customer would leave the queue of `tier` unanswered now, before any wait. Known truth.
    ///
    /// Patience is one number per customer, so one who has sat through a wait is more patient than this says.
    #[must_use]
    pub fn abandon_probability(&self, tier: Tier) -> f64 {
        let queue = self.queue(tier);
        self.world.abandon_probability(
            self.contact.class,
            f64::from(queue.waits),
            f64::from(queue.mean_s),
        )
    }

    fn queue(&self, tier: Tier) -> load::Queue {
        match tier {
            Tier::Auto => load::Queue::default(),
            Tier::Review => self.world.load.steps[self.hour as usize].review,
            Tier::Human => self.speakers().queue,
        }
    }

    /// The class that an audit would find. Known truth.
    #[must_use]
    pub const fn class(&self) -> Class {
        self.contact.class
    }

    /// The class that the live model guesses.
    #[must_use]
    pub const fn guess(&self) -> Class {
        self.contact.guess
    }

    /// Detail of the last step.
    #[must_use]
    pub const fn taken(&self) -> &Taken {
        &self.taken
    }

    /// How the conversation ended, once it has.
    #[must_use]
    pub const fn ending(&self) -> Option<&Ending> {
        self.ending.as_ref()
    }

    /// Takes a tier and lets time pass until the next decision or the end.
    fn take(&mut self, tier: Tier) -> Step {
        let answer_bits = self.contact.luck.at(Purpose::Answer, self.contact.turn);
        let wait_s = self.wait(tier, high(answer_bits));
        if wait_s > 0.0 {
            let patience_s = self.patience_s();
            if wait_s > patience_s {
                self.taken = Taken {
                    wait_s: patience_s,
                    ..Taken::default()
                };
                self.contact.waited_s += patience_s;
                return self.end(tier, false, true, patience_s);
            }
        }
        let (answer_s, solved) = self.answer(tier, wait_s, answer_bits as u32);
        self.answers[self.answered as usize] = AnswerTime {
            elapsed_s: Some(answer_s),
            // Somebody is there day and night: business time is all time.
            business_s: Some(answer_s),
        };
        self.answered += 1;
        self.contact.used[tier.index()] += 1;
        self.contact.waited_s += answer_s;
        self.contact.human_s += self.taken.human_s;
        if solved {
            return self.end(tier, true, false, answer_s);
        }
        let world = &*self.world;
        let customer = &world.config.customer;
        let reply = self.contact.luck.at(Purpose::Reply, self.contact.turn);
        if self.contact.turn + 1 >= world.config.max_turns
            || high(reply) < customer.leave[self.contact.class.index()]
        {
            return self.end(tier, false, false, answer_s);
        }
        if high(self.contact.luck.at(Purpose::Ask, self.contact.turn))
            < customer.ask_human[tier.index()]
        {
            self.contact.wants_human = true;
            self.contact.escalated = true;
        }
        let think_s = customer.think_s * world.exponential.at(reply as u32);
        self.taken.think_s = Some(think_s);
        self.contact.turn += 1;
        self.contact.elapsed_s += answer_s + think_s;
        self.contact.receive(&self.world);
        self.look_around();
        Step {
            reward: 0.0,
            elapsed_s: answer_s + think_s,
            human_s: self.taken.human_s,
            terminated: false,
            truncated: false,
            rejected: false,
        }
    }

    /// Seconds in a tier's queue for a uniform number: 0 with probability 1 − P(wait), exponential otherwise.
    fn wait(&self, tier: Tier, u: f64) -> f64 {
        let queue = self.queue(tier);
        let waits = f64::from(queue.waits);
        if u >= waits {
            return 0.0;
        }
        // Given u < P(wait), u / P(wait) is uniform again.
        let within = (u / waits * 4_294_967_296.0) as u32;
        f64::from(queue.mean_s) * self.world.exponential.at(within)
    }

    /// Answers the message: seconds to the answer, and whether it solved the request.
    fn answer(&mut self, tier: Tier, wait_s: f64, service: u32) -> (f64, bool) {
        let world = &*self.world;
        let config = &world.config;
        let solve = self.contact.luck.at(Purpose::Solve, self.contact.turn);
        let (draft, person) = (high(solve), low(solve));
        let class = self.contact.class.index();
        let service = world.service.at(service);
        let latency_s = f64::from(world.load.steps[self.hour as usize].latency_s);
        self.taken = Taken {
            wait_s,
            ..Taken::default()
        };
        let (answer_s, solved) = match tier {
            Tier::Auto => {
                self.contact.ai_calls += 1;
                let right = draft < self.draft_probability();
                self.contact.failed_drafts += u32::from(!right);
                (latency_s * service, right)
            }
            Tier::Review => {
                self.contact.ai_calls += 1;
                let right = draft < self.draft_probability();
                let repair = config.review.repair[class];
                self.contact.failed_drafts += u32::from(!right);
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
                let seconds = config.review.seconds[review.index()] * service;
                self.taken.review = Some(review);
                self.taken.human_s = seconds;
                (wait_s + latency_s + seconds, right || person < repair)
            }
            Tier::Human => {
                let again = if self.contact.used[Tier::Human.index()] > 0 {
                    config.human.followup
                } else {
                    1.0
                };
                let seconds = config.human.handle_s[class] * again * service;
                self.taken.human_s = seconds;
                (
                    wait_s + config.human.first_word * seconds,
                    person < config.human.solve[class],
                )
            }
        };
        self.taken.answer_s = Some(answer_s);
        self.taken.solved = solved;
        (answer_s, solved)
    }

    /// Ends the conversation and works out its reward.
    fn end(&mut self, tier: Tier, solved: bool, abandoned: bool, last_s: f64) -> Step {
        let world = &*self.world;
        let (true_satisfaction, reopened) = if abandoned {
            (0.0, false)
        } else {
            self.contact.verdict(world, tier, solved)
        };
        let reward = world
            .rules
            .reward
            .reward(&Outcome {
                class: Some(self.contact.class),
                satisfaction: SatisfactionEvidence {
                    abandoned,
                    rating: None,
                    derived: Some((true_satisfaction, SatisfactionSource::Simulated)),
                    modelled: None,
                    came_back: reopened || self.contact.escalated,
                },
                answers: &self.answers[..self.answered as usize],
                cost: Cost {
                    human_s: self.contact.human_s,
                    answers_without_human_s: [0; 3],
                    ai_calls: self.contact.ai_calls,
                },
            })
            .expect(
                "the configuration's ranges keep every duration within a week and S within [0, 1]",
            );
        self.live = false;
        self.contact.elapsed_s += last_s;
        self.ending = Some(Ending {
            reward,
            true_satisfaction,
            solved,
            abandoned,
            reopened,
        });
        Step {
            reward: reward.total,
            elapsed_s: last_s,
            human_s: self.taken.human_s,
            terminated: true,
            truncated: false,
            rejected: false,
        }
    }

    /// When the conversation began.
    #[must_use]
    pub fn created_at(&self) -> UtcMicros {
        self.world.start.plus_seconds(self.contact.arrival_s)
    }

    /// When the message to be answered came in; after the end, when the conversation ended.
    #[must_use]
    pub fn now(&self) -> UtcMicros {
        self.world
            .start
            .plus_seconds(self.contact.arrival_s + self.contact.elapsed_s)
    }

    pub(super) const fn contact(&self) -> &Contact {
        &self.contact
    }

    pub(super) const fn sentiment(&self) -> f32 {
        self.contact.sentiment
    }

    /// Who speaks the customer's language now.
    pub(super) fn speakers(&self) -> load::Speakers {
        self.world
            .load
            .speakers(self.hour as usize, usize::from(self.contact.language))
    }

    /// How long the customer would stay in a queue: one number per customer, looked up only when there is a queue.
    fn patience_s(&self) -> f64 {
        let mean_s = self.world.config.customer.patience_s[self.contact.class.index()];
        let bits = self.contact.luck.once(Purpose::Arrival) as u32;
        mean_s * self.world.exponential.at(bits)
    }
}

impl Env for Shop {
    fn reset(&mut self, seed: u64) -> Result<(), EnvError> {
        self.begin(self.world.config.seed, seed);
        Ok(())
    }

    fn decide(&self) -> Situation<'_> {
        let message = self.message();
        Situation {
            observation: self.observation(message),
            mask: self.mask,
            text: Some(&message.text),
        }
    }

    fn tabular(&self, discretizer: &Discretizer) -> (usize, Mask) {
        if *discretizer == self.world.rules.discretizer {
            return (self.state(), self.mask);
        }
        let at = self.decide();
        (discretizer.state(&at.observation), at.mask)
    }

    fn step(&mut self, tier: Tier) -> Result<Step, EnvError> {
        if !self.live {
            return Err(EnvError::EpisodeOver);
        }
        if !self.mask.allows(tier) {
            let allowed: Vec<&str> = self.mask.tiers().map(Tier::name).collect();
            return Err(EnvError::Masked {
                tier,
                allowed: allowed.join(", "),
            });
        }
        Ok(self.take(tier))
    }
}
