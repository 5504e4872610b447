//! What happened on the days held out, and the same of a simulated run of them.

use std::sync::Arc;

use rayon::prelude::*;

use super::super::rows::Rows;
use crate::centre::{Centre, Happening, Stage};
use crate::env::Situation;
use crate::observation::Feature;
use crate::tier::{Tier, TierProbs};

/// Figures of one run of the days, observed or simulated.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    /// Arrivals by hour of each day.
    pub(super) arrivals: Vec<u32>,
    /// Seconds to answers by tier.
    pub(super) answer_s: [Vec<f64>; 3],
    /// Seconds in queues by conversation, where known.
    pub(super) queue_s: Vec<f64>,
    /// Seconds of people's work: reviews, takeovers.
    pub(super) human_s: [Vec<f64>; 2],
    /// By hour of the day of the arrival: conversations, abandoned ones, seconds in queues, conversations with known queues.
    hours: Vec<[f64; 4]>,
    marks: [u64; 5],
    conversations: u64,
    answers: u64,
    tracked: u64,
    clicks: u64,
}

impl Seen {
    fn new(days: u32) -> Self {
        Self {
            arrivals: vec![0; days as usize * 24],
            hours: vec![[0.0; 4]; 24],
            ..Self::default()
        }
    }

    fn by_hour(&self, above: usize, below: usize) -> Vec<f64> {
        self.hours
            .iter()
            .map(|hour| {
                // Hours with hardly anybody have no mean worth a band.
                if hour[below] >= 10.0 {
                    hour[above] / hour[below]
                } else {
                    f64::NAN
                }
            })
            .collect()
    }

    pub(super) fn queue_by_hour(&self) -> Vec<f64> {
        self.by_hour(2, 3)
    }

    pub(super) fn abandonment_by_hour(&self) -> Vec<f64> {
        self.by_hour(1, 0)
    }

    pub(super) fn mark_shares(&self) -> Vec<f64> {
        let total: u64 = self.marks.iter().sum();
        self.marks
            .iter()
            .map(|n| *n as f64 / total as f64)
            .collect()
    }

    pub(super) fn mean_mark(&self) -> f64 {
        (0..5)
            .zip(self.mark_shares())
            .map(|(k, share)| f64::from(k) / 4.0 * share)
            .sum()
    }

    pub(super) fn answers_each(&self) -> f64 {
        self.answers as f64 / self.conversations as f64
    }

    pub(super) fn mean_answer_s(&self) -> f64 {
        let n: usize = self.answer_s.iter().map(Vec::len).sum();
        self.answer_s.iter().flatten().sum::<f64>() / n as f64
    }

    pub(super) fn mean_queue_s(&self) -> f64 {
        self.queue_s.iter().sum::<f64>() / self.queue_s.len() as f64
    }

    pub(super) fn human_each(&self) -> f64 {
        self.human_s.iter().flatten().sum::<f64>() / self.conversations as f64
    }

    pub(super) fn abandoned_share(&self) -> f64 {
        self.hours.iter().map(|hour| hour[1]).sum::<f64>() / self.conversations as f64
    }

    pub(super) fn click_share(&self) -> f64 {
        self.clicks as f64 / self.tracked as f64
    }

    fn arrived(&mut self, hour: usize) {
        if let Some(count) = self.arrivals.get_mut(hour) {
            *count += 1;
        }
        self.hours[hour % 24][0] += 1.0;
        self.conversations += 1;
    }

    fn answered(&mut self, tier: Tier, answer_s: Option<f64>, human_s: f64) {
        self.answers += 1;
        self.answer_s[tier.index()].extend(answer_s);
        if tier != Tier::Auto && human_s > 0.0 {
            self.human_s[tier.index() - 1].push(human_s);
        }
    }

    fn queued(&mut self, hour: usize, queue_s: f64) {
        self.queue_s.push(queue_s);
        self.hours[hour % 24][2] += queue_s;
        self.hours[hour % 24][3] += 1.0;
    }
}

/// What the log says of days `first` to before `first + days`.
pub(super) fn observe(test: &Rows, first: u32, days: u32) -> Seen {
    let mut seen = Seen::new(days);
    for contact in &test.contacts {
        let hour = (contact.at_s / 3_600.0) as usize - first as usize * 24;
        seen.arrived(hour);
        for answer in test.answers(contact) {
            seen.answered(answer.tier, answer.answer_s, answer.human_s.unwrap_or(0.0));
        }
        if let Some(queue_s) = contact.queue_s {
            seen.queued(hour, queue_s);
        }
        seen.hours[hour % 24][1] += f64::from(u8::from(contact.abandoned));
        if let Some(rating) = contact.rating {
            seen.marks[(4.0 * rating).round() as usize] += 1;
        }
        if contact.tracked {
            seen.tracked += 1;
            seen.clicks += u64::from(contact.click_s.is_some());
        }
    }
    seen
}

/// How often the log took each tier, by the class guessed and whether it was a first message.
#[derive(Debug, Clone)]
pub(super) struct LoggedTiers {
    weights: [[[f64; 3]; 2]; 4],
}

impl LoggedTiers {
    pub(super) fn of(train: &Rows) -> Self {
        let mut weights = [[[0.0; 3]; 2]; 4];
        for (_, turn, answer) in train.every_answer() {
            let guess = answer.guess.map_or(3, |guess| guess.index());
            for row in [guess, 3] {
                weights[row][usize::from(turn > 0)][answer.tier.index()] += 1.0;
            }
        }
        Self { weights }
    }

    /// Shares over the allowed tiers; where the log took none of them, the nearest to tier 2.
    pub(super) fn probabilities(&self, at: &Situation<'_>) -> TierProbs {
        let guess = at.observation.class().map_or(3, |guess| guess.index());
        let later = usize::from(at.observation.get(Feature::Turn).is_some_and(|t| t > 0.0));
        [guess, 3]
            .iter()
            .find_map(|row| at.mask.restrict(self.weights[*row][later]))
            .unwrap_or_else(|| TierProbs::certain(at.mask.nearest(Tier::Review)))
    }
}

/// Runs of the days, one a seed, in order whatever the number of threads.
pub(super) fn simulate(
    stage: &Arc<Stage>,
    policy: &LoggedTiers,
    first_seed: u64,
    replicas: u32,
    days: u32,
) -> Vec<Seen> {
    (0..u64::from(replicas))
        .into_par_iter()
        .map(|i| run(stage, policy, first_seed.wrapping_add(i), days))
        .collect()
}

/// What is remembered of a slot between its decisions.
#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    tier: Option<Tier>,
    queue_s: f64,
}

fn run(stage: &Arc<Stage>, policy: &LoggedTiers, seed: u64, days: u32) -> Seen {
    let mut seen = Seen::new(days);
    let mut centre = Centre::new(Arc::clone(stage), seed, 1);
    let mut slots: Vec<Slot> = Vec::new();
    let begin_s = stage.counted_s().0;
    loop {
        match centre.advance() {
            Happening::Decision(slot) => {
                let at = slot as usize;
                if slots.len() <= at {
                    slots.resize(at + 1, Slot::default());
                }
                if centre.is_first(slot) {
                    slots[at] = Slot::default();
                    if centre.is_counted(slot) {
                        seen.arrived(((centre.arrival_s(slot) - begin_s) / 3_600.0) as usize);
                    }
                }
                note(&mut seen, &centre, slot, &mut slots[at]);
                let tier = centre.settled(slot).unwrap_or_else(|| {
                    policy
                        .probabilities(&centre.situation(slot))
                        .pick(centre.choice(slot))
                });
                slots[at].tier = Some(tier);
                centre.act(slot, tier);
            }
            Happening::Closed(slot, end) => {
                let at = &mut slots[slot as usize];
                note(&mut seen, &centre, slot, at);
                if !end.counted {
                    continue;
                }
                let hour = ((end.arrival_s - begin_s) / 3_600.0) as usize;
                seen.queued(hour, at.queue_s);
                seen.hours[hour % 24][1] += f64::from(u8::from(end.ending.abandoned));
                seen.tracked += 1;
                if let Some(after) = centre.aftermath(slot) {
                    seen.clicks += u64::from(after.click_s.is_some());
                    if let Some((mark, _)) = after.rating {
                        seen.marks[usize::from(mark) - 1] += 1;
                    }
                }
            }
            Happening::Over => return seen,
        }
    }
}

/// Counts the answer that a slot has got since its last decision.
fn note(seen: &mut Seen, centre: &Centre, slot: u32, at: &mut Slot) {
    if let Some(tier) = at.tier.take() {
        let answer = centre.answer(slot);
        at.queue_s += answer.queue_s;
        if centre.is_counted(slot) {
            seen.answered(tier, answer.answer_s, answer.human_s);
        }
    }
}
