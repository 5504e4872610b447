//! People as slots with skills, and the queues in front of them.
//!
//! A team is a group of interchangeable slots. Who waits, waits in a queue of the tier and the language; a freed slot takes
//! the first that its team may serve. So service is first come, first served among those a person can serve, with whole
//! conversations before reviews where the pool says so.

use std::collections::VecDeque;

use super::config::CentreConfig;
use super::tally::Areas;
use crate::shop::ShopConfig;
use crate::tier::Tier;

/// What people do: an index into everything that is kept for both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub(super) enum Work {
    Review = 0,
    Human = 1,
}

/// A team as the engine sees it.
#[derive(Debug, Clone)]
pub(super) struct Group {
    pub(super) pool: u8,
    /// Bit i: serves language i, by work.
    serves: [u64; 2],
    human_first: bool,
    concurrency: i32,
    slowdown: f64,
    /// On shift by the roster, before an outage takes its share.
    rostered: i32,
    lost: i32,
    pub(super) busy: i32,
}

impl Group {
    /// Whether it does a work in a language.
    pub(super) const fn does(&self, work: Work, language: usize) -> bool {
        self.serves[work as usize] >> language & 1 == 1
    }

    const fn people(&self) -> i32 {
        let people = self.rostered - self.lost;
        if people > 0 { people } else { 0 }
    }

    const fn slots(&self) -> i32 {
        self.people() * self.concurrency
    }

    const fn free(&self) -> bool {
        self.busy < self.slots()
    }

    /// Chats that each person already holds, evenly shared.
    const fn level(&self) -> i32 {
        let people = self.people();
        if people > 0 { self.busy / people } else { 0 }
    }
}

/// Somebody in a queue.
#[derive(Debug, Clone, Copy)]
struct Waiting {
    slot: u32,
    ticket: u32,
    since_s: f64,
}

/// A place given to a conversation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Place {
    pub(super) group: u8,
    /// How much longer the work takes because of the person's other chats, ≥ 1.
    pub(super) stretch: f64,
    /// Share of the person's time that it takes.
    pub(super) share: f64,
}

/// Everybody who works, and everybody who waits.
#[derive(Debug, Clone)]
pub(super) struct People {
    pub(super) groups: Vec<Group>,
    /// Groups that do a work in a language, the least able first, so that those with rare skills stay free.
    eligible: [Vec<Vec<u8>>; 2],
    queues: [Vec<VecDeque<Waiting>>; 2],
    /// Bit i: somebody waits in language i.
    waiting: [u64; 2],
    /// How many wait.
    pub(super) queued: [u32; 2],
    /// Slots in use and on shift of those who do each work.
    busy: [i32; 2],
    slots: [i32; 2],
    /// Slots that take over in each language, and people.
    human_slots: Vec<i32>,
    humans: Vec<i32>,
    /// Mean seconds of recent work, for expected waits.
    recent_s: [f64; 2],
    pub(super) areas: Areas,
}

/// Weight of the newest job in the mean of recent work.
const RECENT: f64 = 0.02;

impl People {
    pub(super) fn new(config: &CentreConfig, shop: &ShopConfig) -> Self {
        let every = u64::MAX >> (64 - shop.language.len());
        let mask = |tags: &[String]| {
            if tags.is_empty() {
                return every;
            }
            shop.language
                .iter()
                .enumerate()
                .filter(|(_, language)| tags.contains(&language.tag))
                .fold(0, |mask, (i, _)| mask | 1 << i)
        };
        let mut groups = Vec::new();
        for (position, pool) in config.pool.iter().enumerate() {
            for team in &pool.team {
                let own = mask(&team.languages);
                let does = |tier| pool.tiers.contains(&tier);
                let reviews = if pool.review_any_language { every } else { own };
                groups.push(Group {
                    pool: position as u8,
                    serves: [
                        if does(Tier::Review) { reviews } else { 0 },
                        if does(Tier::Human) { own } else { 0 },
                    ],
                    human_first: pool.human_first,
                    concurrency: pool.concurrency as i32,
                    slowdown: pool.slowdown,
                    rostered: 0,
                    lost: 0,
                    busy: 0,
                });
            }
        }
        let skills = |group: &Group| {
            group
                .serves
                .iter()
                .map(|mask| mask.count_ones())
                .sum::<u32>()
        };
        let eligible = [0, 1].map(|work: usize| {
            (0..shop.language.len())
                .map(|language| {
                    let mut able: Vec<u8> = (0..groups.len())
                        .filter(|g| groups[*g].serves[work] >> language & 1 == 1)
                        .map(|g| g as u8)
                        .collect();
                    able.sort_by_key(|g| skills(&groups[usize::from(*g)]));
                    able
                })
                .collect()
        });
        let languages = shop.language.len();
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        Self {
            eligible,
            queues: [0, 1].map(|_| vec![VecDeque::new(); languages]),
            waiting: [0; 2],
            queued: [0; 2],
            busy: [0; 2],
            slots: [0; 2],
            human_slots: vec![0; languages],
            humans: vec![0; languages],
            recent_s: [mean(&shop.review.seconds), mean(&shop.human.handle_s)],
            areas: Areas::new(config.pool.len()),
            groups,
        }
    }

    /// Slots in use over slots on shift, in [0, 1]; 1 while somebody works or waits and nobody is on shift.
    pub(super) fn busy_share(&self, work: Work) -> f64 {
        let (busy, slots) = (self.busy[work as usize], self.slots[work as usize]);
        if slots > 0 {
            (f64::from(busy) / f64::from(slots)).min(1.0)
        } else {
            f64::from(u8::from(busy > 0 || self.queued[work as usize] > 0))
        }
    }

    /// Slots on shift that do a work.
    pub(super) fn slots(&self, work: Work) -> i32 {
        self.slots[work as usize]
    }

    /// Slots free of a work less those who wait for it: negative when there is a queue.
    pub(super) fn slack(&self, work: Work) -> i32 {
        let w = work as usize;
        self.slots[w] - self.busy[w] - self.queued[w] as i32
    }

    /// People on shift who take over in a language.
    pub(super) fn humans(&self, language: u8) -> i32 {
        self.humans[usize::from(language)]
    }

    /// Expected seconds until somebody takes over in a language: the queue-length estimator (Q + 1) s / c, 0 with a free
    /// slot; `None` when nobody is on shift.
    ///
    /// # Source
    /// Ibrahim & Whitt, Manufacturing & Service Operations Management 11, 2009 (QL).
    pub(super) fn expected_wait_s(&self, language: u8) -> Option<f64> {
        let slots = self.human_slots[usize::from(language)];
        if slots <= 0 {
            return None;
        }
        let free = self.eligible[1][usize::from(language)]
            .iter()
            .any(|g| self.groups[usize::from(*g)].free());
        if free {
            return Some(0.0);
        }
        let ahead = f64::from(self.queued[1]) * f64::from(slots) / f64::from(self.slots[1].max(1));
        Some((ahead + 1.0) * self.recent_s[1] / f64::from(slots))
    }

    /// A free slot for a work in a language, taken.
    pub(super) fn seize(&mut self, now_s: f64, work: Work, language: u8) -> Option<Place> {
        let mut best: Option<(i32, u8)> = None;
        for g in &self.eligible[work as usize][usize::from(language)] {
            let group = &self.groups[usize::from(*g)];
            if group.free() {
                let level = if group.concurrency == 1 {
                    0
                } else {
                    group.level()
                };
                if best.is_none_or(|(least, _)| level < least) {
                    best = Some((level, *g));
                    if level == 0 {
                        break;
                    }
                }
            }
        }
        best.map(|(_, group)| self.take(now_s, group))
    }

    fn take(&mut self, now_s: f64, group: u8) -> Place {
        let g = usize::from(group);
        let level = self.groups[g].level();
        let place = Place {
            group,
            stretch: 1.0 + self.groups[g].slowdown * f64::from(level),
            share: 1.0 / f64::from(level + 1),
        };
        self.occupy(now_s, group, 1);
        place
    }

    /// Gives a slot back.
    pub(super) fn release(&mut self, now_s: f64, group: u8) {
        self.occupy(now_s, group, -1);
    }

    fn occupy(&mut self, now_s: f64, group: u8, change: i32) {
        let group = &mut self.groups[usize::from(group)];
        self.areas.busy(now_s, usize::from(group.pool), change);
        group.busy += change;
        for work in [0, 1] {
            if group.serves[work] != 0 {
                self.busy[work] += change;
            }
        }
    }

    /// Notes how long a job took.
    pub(super) fn learn(&mut self, work: Work, seconds: f64) {
        let recent = &mut self.recent_s[work as usize];
        *recent += RECENT * (seconds - *recent);
    }

    /// Somebody begins to wait.
    pub(super) fn enqueue(&mut self, now_s: f64, work: Work, language: u8, slot: u32, ticket: u32) {
        let w = work as usize;
        self.queues[w][usize::from(language)].push_back(Waiting {
            slot,
            ticket,
            since_s: now_s,
        });
        self.waiting[w] |= 1 << language;
        self.areas.queue(now_s, w, 1);
        self.queued[w] += 1;
    }

    /// Somebody leaves the queue unserved: the entry of this slot with this ticket.
    pub(super) fn renege(&mut self, now_s: f64, work: Work, language: u8, slot: u32, ticket: u32) {
        let w = work as usize;
        let queue = &mut self.queues[w][usize::from(language)];
        // Those who lose patience have mostly just come to the front or are few: a scan from the front is short.
        if let Some(position) = queue
            .iter()
            .position(|waiting| waiting.slot == slot && waiting.ticket == ticket)
        {
            queue.remove(position);
            if queue.is_empty() {
                self.waiting[w] &= !(1 << language);
            }
            self.areas.queue(now_s, w, -1);
            self.queued[w] -= 1;
        }
    }

    /// The conversation that a free slot of a group takes next, with its slot and since when it waited.
    pub(super) fn call(&mut self, now_s: f64, group: u8) -> Option<(u32, Work, f64, Place)> {
        let of = &self.groups[usize::from(group)];
        if !of.free() {
            return None;
        }
        let heads = [Work::Review, Work::Human].map(|work| {
            let mut languages = self.waiting[work as usize] & of.serves[work as usize];
            let mut first: Option<(f64, u8)> = None;
            while languages != 0 {
                let language = languages.trailing_zeros() as u8;
                languages &= languages - 1;
                let since_s = self.queues[work as usize][usize::from(language)]
                    .front()
                    .map_or(f64::INFINITY, |waiting| waiting.since_s);
                if first.is_none_or(|(earliest, _)| since_s < earliest) {
                    first = Some((since_s, language));
                }
            }
            first
        });
        let (work, (since_s, language)) = match heads {
            [None, None] => return None,
            [Some(review), None] => (Work::Review, review),
            [None, Some(human)] => (Work::Human, human),
            [Some(review), Some(human)] => {
                if of.human_first || human.0 <= review.0 {
                    (Work::Human, human)
                } else {
                    (Work::Review, review)
                }
            }
        };
        let w = work as usize;
        let queue = &mut self.queues[w][usize::from(language)];
        let waiting = queue.pop_front()?;
        if queue.is_empty() {
            self.waiting[w] &= !(1 << language);
        }
        self.areas.queue(now_s, w, -1);
        self.queued[w] -= 1;
        Some((waiting.slot, work, since_s, self.take(now_s, group)))
    }

    /// People come or go by the roster.
    pub(super) fn roster(&mut self, now_s: f64, group: u8, people: i32) {
        self.resize(now_s, group, people, 0);
    }

    /// People are lost to an outage, or come back from it.
    pub(super) fn lose(&mut self, now_s: f64, group: u8, people: i32) {
        self.resize(now_s, group, 0, people);
    }

    /// Slots in use beyond those on shift: work to be interrupted when people vanish.
    pub(super) fn excess(&self, group: u8) -> i32 {
        let group = &self.groups[usize::from(group)];
        (group.busy - group.slots()).max(0)
    }

    /// People on shift by the roster.
    pub(super) fn rostered(&self, group: u8) -> i32 {
        self.groups[usize::from(group)].rostered
    }

    fn resize(&mut self, now_s: f64, group: u8, rostered: i32, lost: i32) {
        let group = &mut self.groups[usize::from(group)];
        let (people, slots) = (group.people(), group.slots());
        group.rostered += rostered;
        group.lost += lost;
        let (people, slots) = (group.people() - people, group.slots() - slots);
        self.areas
            .slots(now_s, usize::from(group.pool), slots, people);
        for work in [0, 1] {
            if group.serves[work] != 0 {
                self.slots[work] += slots;
            }
        }
        let mut languages = group.serves[1];
        while languages != 0 {
            let language = languages.trailing_zeros() as usize;
            languages &= languages - 1;
            self.human_slots[language] += slots;
            self.humans[language] += people;
        }
    }
}

impl People {
    /// Whether a group takes over in a language.
    pub(super) fn takes_over(&self, group: u8, language: usize) -> bool {
        self.groups[usize::from(group)].does(Work::Human, language)
    }

    /// Whether somebody waits for a work in a language.
    pub(super) fn has_waiting(&self, work: Work, language: u8) -> bool {
        self.waiting[work as usize] >> language & 1 == 1
    }
}
