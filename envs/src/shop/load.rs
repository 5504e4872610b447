//! How busy people are, hour by hour: exogenous, so that the value of a policy is well defined.
//!
//! The load of an hour follows its contacts, its staff and some noise of its own; it does not follow what a policy
//! does with its conversations. What happens when a policy uses up the people it relies on is another environment's
//! question.

use super::config::ShopConfig;
use crate::discretise::{Cell as TableCell, Discretizer};
use crate::luck::{Domain, Luck, Purpose, triangular};
use crate::observation::{Feature, Observation};

/// A queue in front of c people: a customer waits with probability `waits`, then exponentially long.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Queue {
    /// P(wait > 0).
    pub(super) waits: f32,
    /// Mean seconds of those who wait.
    pub(super) mean_s: f32,
}

impl Queue {
    /// A pool of `people` with a busy share and mean service time.
    ///
    /// P(wait) = ρ^(√(2(c+1)) − 1) and E[wait | waits] = s / (c (1 − ρ)), whose product is Sakasegawa's approximation
    /// of the mean wait in M/M/c.
    ///
    /// # Source
    /// Sakasegawa, Annals of the Institute of Statistical Mathematics 29, 1977.
    pub(super) fn new(people: f64, busy: f64, service_s: f64) -> Self {
        Self {
            waits: busy.powf((2.0 * (people + 1.0)).sqrt() - 1.0) as f32,
            mean_s: (service_s / (people * (1.0 - busy))) as f32,
        }
    }

    /// Mean seconds of everyone, those who do not wait included.
    pub(super) fn expected_s(self) -> f32 {
        self.waits * self.mean_s
    }
}

/// What every step needs of an hour, kept small so that a month of hours stays in the nearest cache.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step {
    /// Bit i is set when somebody speaks language i.
    pub(super) spoken: u64,
    pub(super) review: Queue,
    /// Mean AI latency.
    pub(super) latency_s: f32,
    /// Load level of the tabular view.
    pub(super) level: u8,
}

/// One hour of the shop.
#[derive(Debug, Clone)]
pub(super) struct Hour {
    /// Expected contacts.
    pub(super) contacts: f64,
    pub(super) busy_review: f32,
    pub(super) busy_human: f32,
    pub(super) queue_review: f32,
    pub(super) queue_human: f32,
    /// Contacts of the next hour over the hourly mean.
    pub(super) forecast: f32,
}

/// People who speak a language in an hour.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Speakers {
    pub(super) people: u16,
    pub(super) queue: Queue,
}

/// Every hour of the period, and who speaks what in it.
#[derive(Debug)]
pub(super) struct Load {
    pub(super) hours: Vec<Hour>,
    pub(super) steps: Vec<Step>,
    speakers: Vec<Speakers>,
    languages: usize,
}

impl Load {
    pub(super) fn new(config: &ShopConfig, discretizer: &Discretizer) -> Self {
        let first_weekday = config.start.weekday().to_monday_zero_offset() as usize;
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        let (hour_mean, week_mean) = (mean(&config.hourly_profile), mean(&config.weekday_profile));
        let staff_mean = mean(&config.load.staff_profile);
        let cells = config.days as usize * 24;
        // Contacts and staff relative to their means.
        let demand = |cell: usize| {
            config.hourly_profile[cell % 24] / hour_mean
                * config.weekday_profile[(first_weekday + cell / 24) % 7]
                / week_mean
        };
        let staff = |cell: usize| {
            let weekend = (first_weekday + cell / 24) % 7 >= 5;
            config.load.staff_profile[cell % 24] / staff_mean
                * if weekend {
                    config.load.weekend_staff
                } else {
                    1.0
                }
        };
        let handle_s = mean(&config.human.handle_s);
        let review_s = mean(&config.review.seconds);
        let mut hours = Vec::with_capacity(cells);
        let mut steps = Vec::with_capacity(cells);
        let mut speakers = Vec::with_capacity(cells * config.language.len());
        for cell in 0..cells {
            let luck = Luck::new(config.seed, Domain::World, cell as u64);
            let noise = |bits: u64| 1.0 + config.load.noise * f64::from(triangular(bits));
            let (demand_now, staff_now) = (demand(cell), staff(cell));
            let busy = |pressure: f64, bits: u64| {
                let share = if staff_now > 0.0 {
                    pressure * demand_now / staff_now * noise(bits)
                } else {
                    f64::INFINITY
                };
                share.min(config.load.busy_max)
            };
            let both = luck.once(Purpose::Hour);
            let busy_human = busy(config.load.human_pressure, both >> 32);
            // The pools share half of an hour's noise: what makes one busy makes the other busy.
            let busy_review = 0.5
                * (busy(config.load.review_pressure, both)
                    + busy(config.load.review_pressure, both >> 32));
            let humans = (config.load.humans * staff_now).max(1.0);
            let reviewers = (config.load.reviewers * staff_now).max(1.0).round();
            let review = Queue::new(reviewers, busy_review, review_s);
            let everyone = Queue::new(humans, busy_human, handle_s);
            let level = TableCell::from_state(discretizer.state(&Observation::from_features(&[
                (Feature::BusyReview, busy_review as f32),
                (Feature::BusyHuman, busy_human as f32),
            ])))
            .map_or(0, |table| table.load);
            // Little's law: those in the queue = arrivals per second × mean wait.
            let queued = |people: f64, busy: f64, service_s: f64, queue: Queue| {
                (people * busy / service_s) as f32 * queue.expected_s()
            };
            hours.push(Hour {
                contacts: config.daily_contacts / 24.0 * demand_now,
                busy_review: busy_review as f32,
                busy_human: busy_human as f32,
                queue_review: queued(reviewers, busy_review, review_s, review).round(),
                queue_human: queued(humans, busy_human, handle_s, everyone).round(),
                forecast: demand((cell + 1) % cells) as f32,
            });
            let mut spoken = 0;
            for (bit, language) in config.language.iter().enumerate() {
                let people = (humans * language.human_share).round();
                spoken |= u64::from(people > 0.0) << bit;
                speakers.push(if people == 0.0 {
                    Speakers::default()
                } else {
                    Speakers {
                        people: people.min(60_000.0) as u16,
                        queue: Queue::new(people, busy_human, handle_s),
                    }
                });
            }
            let latency_noise = f64::from(triangular(luck.once(Purpose::Arrival)));
            steps.push(Step {
                spoken,
                review,
                latency_s: (config.auto.latency_s * (1.0 + 0.2 * latency_noise)) as f32,
                level,
            });
        }
        Self {
            hours,
            steps,
            speakers,
            languages: config.language.len(),
        }
    }

    /// Who speaks a language in an hour.
    pub(super) fn speakers(&self, hour: usize, language: usize) -> Speakers {
        self.speakers[hour * self.languages + language]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_server_waits_as_in_the_textbook() {
        // M/M/1: P(wait) = ρ, E[wait] = ρ s / (1 − ρ).
        for busy in [0.0, 0.3, 0.8, 0.95] {
            let queue = Queue::new(1.0, busy, 240.0);
            assert!((f64::from(queue.waits) - busy).abs() < 1e-6);
            let expected = busy * 240.0 / (1.0 - busy);
            assert!((f64::from(queue.expected_s()) - expected).abs() < 1e-3 * expected.max(1.0));
        }
    }

    #[test]
    fn ten_servers_wait_about_as_long_as_erlang_c_says() {
        // Erlang C for c = 10: ρ = 0.7 → E[wait]/s = 0.0739, ρ = 0.9 → 0.6687 (closed form). The approximation is made
        // for heavy traffic: near there, rougher below.
        for (busy, mean_wait, tolerance) in [(0.7, 0.0739, 0.25), (0.9, 0.6687, 0.05)] {
            let queue = Queue::new(10.0, busy, 1.0);
            let relative = f64::from(queue.expected_s()) / mean_wait - 1.0;
            assert!(relative.abs() < tolerance, "{relative}");
        }
    }

    #[test]
    fn small_languages_have_nobody_at_night() {
        let config = ShopConfig::default();
        let load = Load::new(&config, &Discretizer::default());
        let arabic = config.language.iter().position(|l| l.tag == "ar").unwrap();
        assert_eq!(load.speakers(3, arabic).people, 0);
        assert!(load.speakers(20, arabic).people > 0);
        assert!(load.steps.iter().any(|h| h.level == 3));
        assert!(load.steps.iter().any(|h| h.level == 0));
        let contacts: f64 = load.hours.iter().map(|h| h.contacts).sum();
        assert!((contacts - 28.0 * 2_000.0).abs() < 1e-6, "{contacts}");
    }
}
