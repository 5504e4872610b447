//! What a policy sees of the centre at a decision.

use super::engine::Centre;
use super::people::Work;
use super::trace::Traced;
use crate::discretise::{Cell, Discretizer};
use crate::env::Situation;
use crate::mask::Mask;
use crate::observation::{Feature, Observation};
use crate::time::UtcMicros;

impl Centre {
    /// The decision that is due in a slot: observation, mask and text.
    #[must_use]
    pub fn situation(&self, slot: u32) -> Situation<'_> {
        let conversation = &self.conversations[slot as usize];
        let message = conversation.contact.message(&self.stage.world);
        let traced = self.traced(slot);
        let text = match traced {
            Some(traced) if conversation.contact.turn == 0 => traced.text.as_deref(),
            _ => Some(message.text.as_str()),
        };
        Situation {
            observation: self.observation(slot, message.chars),
            mask: conversation.mask,
            text,
        }
    }

    /// A uniform number in [0, 1) for the policy's own choice: the same under every policy.
    #[must_use]
    pub fn choice(&self, slot: u32) -> f64 {
        self.conversations[slot as usize].contact.choice()
    }

    /// The tiers that may be taken in a slot whose decision is due.
    #[must_use]
    pub fn mask(&self, slot: u32) -> Mask {
        self.conversations[slot as usize].mask
    }

    /// State of the tabular view with the rules' own cuts, below 72, without building the observation.
    #[must_use]
    pub fn state(&self, slot: u32) -> usize {
        let conversation = &self.conversations[slot as usize];
        let contact = &conversation.contact;
        let cuts = &self.stage.world.rules().discretizer;
        Cell {
            class: contact.guess,
            negative: contact.sentiment < cuts.sentiment_cut,
            load: conversation.load,
            turn: u8::from(contact.turn >= cuts.turn_cuts[0])
                + u8::from(contact.turn >= cuts.turn_cuts[1]),
        }
        .state()
    }

    /// Free slots less those who wait, of those who do a decision's work: the price of their time depends on it.
    /// Index 0 is review, 1 people.
    #[must_use]
    pub fn slack(&self) -> [i32; 2] {
        [
            self.people.slack(Work::Review),
            self.people.slack(Work::Human),
        ]
    }

    /// Slots on shift: review, people.
    #[must_use]
    pub fn staffed(&self) -> [i32; 2] {
        [
            self.people.slots(Work::Review),
            self.people.slots(Work::Human),
        ]
    }

    /// Instant of now.
    #[must_use]
    pub fn now(&self) -> UtcMicros {
        self.stage.world.start().plus_seconds(self.now_s)
    }

    pub(super) fn hour(&self) -> u8 {
        ((self.now_s * (1.0 / 3_600.0)) as u64 % 24) as u8
    }

    pub(super) fn load_level(&self) -> u8 {
        let cuts: &Discretizer = &self.stage.world.rules().discretizer;
        let busy = self
            .people
            .busy_share(Work::Review)
            .max(self.people.busy_share(Work::Human)) as f32;
        cuts.load_cuts
            .iter()
            .map(|cut| u8::from(busy >= *cut))
            .sum()
    }

    /// Tier 1 is off for configured classes and for those who asked for a person; tier 3 when nobody who speaks the language
    /// is on shift, or will be within the patience that the guessed class has on average.
    pub(super) fn mask_of(&self, slot: u32) -> Mask {
        let world = &self.stage.world;
        let contact = &self.conversations[slot as usize].contact;
        let auto = !(world.auto_off[contact.guess.index()] || contact.wants_human);
        let human = self.people.humans(contact.language) > 0
            || self.stage.until_present_s(contact.language, self.now_s)
                <= world.config().customer.patience_s[contact.guess.index()];
        Mask::from_bits(u8::from(auto) | 2 | (u8::from(human) << 2))
            .expect("tier 2 is never forbidden")
    }

    /// The logged conversation in a slot, where a log is replayed.
    fn traced(&self, slot: u32) -> Option<&Traced> {
        let number = self.conversations[slot as usize].number;
        self.stage
            .trace
            .as_ref()
            .and_then(|trace| trace.get(number))
    }

    fn observation(&self, slot: u32, message_chars: f32) -> Observation {
        let world = &self.stage.world;
        let conversation = &self.conversations[slot as usize];
        let contact = &conversation.contact;
        let mut row = Observation::unknown();
        contact.describe(world, message_chars, &mut row);
        if let Some(traced) = self.traced(slot) {
            traced.describe(contact.turn == 0, &mut row);
        }
        row.set(
            Feature::BusyReview,
            self.people.busy_share(Work::Review) as f32,
        );
        row.set(
            Feature::BusyHuman,
            self.people.busy_share(Work::Human) as f32,
        );
        row.set(Feature::QueueReview, self.people.queued[0] as f32);
        row.set(Feature::QueueHuman, self.people.queued[1] as f32);
        let wait_s = self.people.expected_wait_s(contact.language);
        row.set_known(Feature::ExpectedWaitS, wait_s.map(|s| s as f32));
        row.set(
            Feature::HumansOnShift,
            self.people.humans(contact.language) as f32,
        );
        row.set(Feature::AiLatencyS, self.ai.recent_s as f32);
        row.set(
            Feature::ForecastLoad,
            world.forecast((self.now_s * (1.0 / 3_600.0)) as usize),
        );
        row.set_clock(self.now());
        row
    }
}
