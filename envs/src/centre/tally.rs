//! What a simulated period came to, as additive tallies: memory does not grow with the length of the run.

use serde::{Deserialize, Serialize};

use crate::class::{Class, named};
use crate::tier::Tier;

named! {
    /// A key figure of one conversation in the centre.
    CentreKpi {
        /// R, in [0, 1].
        Reward = "reward",
        /// S, in [0, 1].
        Satisfaction = "satisfaction",
        /// E_time, in (0, 1].
        TimeEfficiency = "time_efficiency",
        /// E_cost, in (0, 1].
        CostEfficiency = "cost_efficiency",
        /// Seconds of people's time.
        HumanS = "human_s",
        /// Seconds to the first answer; not measured when the customer left first.
        FirstResponseS = "first_response_s",
        /// Seconds in queues, all messages together.
        QueueS = "queue_s",
        /// 1 when the customer left a queue unanswered, else 0.
        Abandoned = "abandoned",
        /// 1 when the first answer came within the service level of the class, else 0.
        InServiceLevel = "in_service_level",
        /// 1 when the customer asked for a person after an answer, else 0.
        Escalation = "escalation",
        /// 1 when reopened within 7 days, else 0.
        Reopened = "reopened",
        /// 1 when the customer clicked within 24 h, else 0.
        Click = "click",
        /// 1 when the customer bought within 7 days, else 0.
        Conversion = "conversion",
        /// Customer messages.
        Turns = "turns",
    }
}

/// How many key figures there are.
pub const KPIS: usize = CentreKpi::ALL.len();

/// Count, sum and sum of squares.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Moments {
    /// How many.
    pub n: u64,
    /// Their sum.
    pub sum: f64,
    /// The sum of their squares.
    pub squares: f64,
}

impl Moments {
    /// Counts a value; NaN is not measured.
    #[inline]
    pub fn add(&mut self, value: f64) {
        if !value.is_nan() {
            self.n += 1;
            self.sum += value;
            self.squares += value * value;
        }
    }

    /// Adds another tally.
    pub fn merge(&mut self, other: &Self) {
        self.n += other.n;
        self.sum += other.sum;
        self.squares += other.squares;
    }

    /// The mean, if anything was counted.
    #[must_use]
    pub fn mean(&self) -> Option<f64> {
        (self.n > 0).then(|| self.sum / self.n as f64)
    }
}

/// Bins of a histogram of seconds: four an octave from 1 s, the first from 0.
const BINS: usize = 72;

/// Seconds in bins that are 19 % wide, so that a quantile is right within that.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SecondsHistogram(Vec<u64>);

impl Default for SecondsHistogram {
    fn default() -> Self {
        Self(vec![0; BINS])
    }
}

impl SecondsHistogram {
    #[inline]
    fn add(&mut self, seconds: f64) {
        let bin = if seconds < 1.0 {
            0
        } else {
            1 + (4.0 * seconds.log2()) as usize
        };
        self.0[bin.min(BINS - 1)] += 1;
    }

    /// Adds another histogram.
    pub fn merge(&mut self, other: &Self) {
        for (own, more) in self.0.iter_mut().zip(&other.0) {
            *own += more;
        }
    }

    /// The quantile at p in (0, 1), linear within its bin; `None` of nothing.
    #[must_use]
    pub fn quantile(&self, p: f64) -> Option<f64> {
        let total: u64 = self.0.iter().sum();
        if total == 0 {
            return None;
        }
        let rank = p * total as f64;
        let mut below = 0.0;
        for (bin, count) in self.0.iter().enumerate() {
            let above = below + *count as f64;
            if above >= rank && *count > 0 {
                let edge = |bin: usize| {
                    if bin == 0 {
                        0.0
                    } else {
                        2.0_f64.powf((bin - 1) as f64 / 4.0)
                    }
                };
                let within = (rank - below) / *count as f64;
                return Some(edge(bin) + within * (edge(bin + 1) - edge(bin)));
            }
            below = above;
        }
        None
    }
}

/// Answers at one tier to messages that came in one hour of the day.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TierHour {
    /// Answers.
    pub answers: u64,
    /// Customers who left the queue of this tier.
    pub abandoned: u64,
    /// Seconds in the queue, answered and abandoned together.
    pub queue_s: f64,
    /// Answers within the tier's service level.
    pub within: u64,
    /// Seconds to the answer.
    pub answer_s: SecondsHistogram,
}

/// A pool over one hour of the day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct PoolHour {
    /// Slot-seconds in use.
    pub busy: f64,
    /// Slot-seconds on shift.
    pub slots: f64,
    /// Person-seconds on shift.
    pub people: f64,
}

/// What one policy's conversations came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tally {
    /// Conversations that arrived in the period and have ended.
    pub conversations: u64,
    /// Decisions taken in them.
    pub decisions: u64,
    /// Key figures, in the order of [`CentreKpi::ALL`].
    pub kpis: Vec<Moments>,
    /// Arrivals by hour of the day.
    pub arrivals: [u64; 24],
    /// By hour of the day, shop-local, and tier.
    pub hours: Vec<[TierHour; 3]>,
    /// Decisions by class guessed, load level and tier.
    pub map: [[[u64; 3]; 4]; 3],
    /// Conversions and clicks by language: moments of each.
    pub languages: Vec<[Moments; 2]>,
}

impl Tally {
    pub(super) fn new(languages: usize) -> Self {
        Self {
            conversations: 0,
            decisions: 0,
            kpis: vec![Moments::default(); KPIS],
            arrivals: [0; 24],
            hours: (0..24).map(|_| Default::default()).collect(),
            map: [[[0; 3]; 4]; 3],
            languages: vec![Default::default(); languages],
        }
    }

    /// A key figure.
    #[must_use]
    pub fn kpi(&self, kpi: CentreKpi) -> &Moments {
        &self.kpis[kpi.index()]
    }

    /// Adds another tally of the same centre.
    pub fn merge(&mut self, other: &Self) {
        self.conversations += other.conversations;
        self.decisions += other.decisions;
        for (own, more) in self.kpis.iter_mut().zip(&other.kpis) {
            own.merge(more);
        }
        for (own, more) in self.arrivals.iter_mut().zip(&other.arrivals) {
            *own += more;
        }
        for (own, more) in self
            .hours
            .iter_mut()
            .flatten()
            .zip(other.hours.iter().flatten())
        {
            own.answers += more.answers;
            own.abandoned += more.abandoned;
            own.queue_s += more.queue_s;
            own.within += more.within;
            own.answer_s.merge(&more.answer_s);
        }
        for (own, more) in self
            .map
            .iter_mut()
            .flatten()
            .flatten()
            .zip(other.map.iter().flatten().flatten())
        {
            *own += more;
        }
        for (own, more) in self
            .languages
            .iter_mut()
            .flatten()
            .zip(other.languages.iter().flatten())
        {
            own.merge(more);
        }
    }

    pub(super) fn decision(&mut self, class: Class, load: u8, tier: Tier) {
        self.decisions += 1;
        self.map[class.index()][usize::from(load)][tier.index()] += 1;
    }

    pub(super) fn answer(
        &mut self,
        hour: usize,
        tier: Tier,
        queue_s: f64,
        answer_s: f64,
        limit_s: f64,
    ) {
        let cell = &mut self.hours[hour % 24][tier.index()];
        cell.answers += 1;
        cell.queue_s += queue_s;
        cell.within += u64::from(answer_s <= limit_s);
        cell.answer_s.add(answer_s);
    }

    pub(super) fn abandoned(&mut self, hour: usize, tier: Tier, queue_s: f64) {
        let cell = &mut self.hours[hour % 24][tier.index()];
        cell.abandoned += 1;
        cell.queue_s += queue_s;
    }
}

/// Time integrals of what is busy, on shift and waiting, by hour of the day, over the counted period.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Areas {
    from_s: f64,
    to_s: f64,
    pools: Vec<PoolArea>,
    queues: [QueueArea; 2],
}

#[derive(Debug, Clone, PartialEq, Default)]
struct PoolArea {
    busy: i32,
    slots: i32,
    people: i32,
    last_s: f64,
    hours: Vec<PoolHour>,
}

#[derive(Debug, Clone, PartialEq, Default)]
struct QueueArea {
    length: i32,
    last_s: f64,
    hours: Vec<f64>,
}

/// Cuts a span into hours of the day within a window.
fn by_hour(from_s: f64, to_s: f64, window: (f64, f64), mut each: impl FnMut(usize, f64)) {
    let (mut at_s, to_s) = (from_s.max(window.0), to_s.min(window.1));
    while at_s < to_s {
        let hour = (at_s * (1.0 / 3_600.0)) as u64;
        let end_s = ((hour + 1) as f64 * 3_600.0).min(to_s);
        each((hour % 24) as usize, end_s - at_s);
        at_s = end_s;
    }
}

impl Areas {
    pub(super) fn new(pools: usize) -> Self {
        Self {
            from_s: 0.0,
            to_s: f64::INFINITY,
            pools: vec![
                PoolArea {
                    hours: vec![PoolHour::default(); 24],
                    ..PoolArea::default()
                };
                pools
            ],
            queues: [0, 1].map(|_| QueueArea {
                hours: vec![0.0; 24],
                ..QueueArea::default()
            }),
        }
    }

    pub(super) fn window(&mut self, from_s: f64, to_s: f64) {
        (self.from_s, self.to_s) = (from_s, to_s);
    }

    #[inline]
    pub(super) fn busy(&mut self, now_s: f64, pool: usize, change: i32) {
        self.advance(now_s, pool);
        self.pools[pool].busy += change;
    }

    pub(super) fn slots(&mut self, now_s: f64, pool: usize, slots: i32, people: i32) {
        self.advance(now_s, pool);
        self.pools[pool].slots += slots;
        self.pools[pool].people += people;
    }

    #[inline]
    fn advance(&mut self, now_s: f64, pool: usize) {
        let window = (self.from_s, self.to_s);
        let PoolArea {
            busy,
            slots,
            people,
            last_s,
            hours,
        } = &mut self.pools[pool];
        by_hour(*last_s, now_s, window, |hour, seconds| {
            hours[hour].busy += f64::from(*busy) * seconds;
            hours[hour].slots += f64::from(*slots) * seconds;
            hours[hour].people += f64::from(*people) * seconds;
        });
        *last_s = now_s;
    }

    #[inline]
    pub(super) fn queue(&mut self, now_s: f64, work: usize, change: i32) {
        let window = (self.from_s, self.to_s);
        let QueueArea {
            length,
            last_s,
            hours,
        } = &mut self.queues[work];
        if *length > 0 {
            by_hour(*last_s, now_s, window, |hour, seconds| {
                hours[hour] += f64::from(*length) * seconds;
            });
        }
        *last_s = now_s;
        *length += change;
    }

    /// The integrals up to now: pools by hour, and customer-seconds in the two queues by hour.
    pub(super) fn finish(&mut self, now_s: f64) -> (Vec<Vec<PoolHour>>, [Vec<f64>; 2]) {
        for pool in 0..self.pools.len() {
            self.advance(now_s, pool);
        }
        for work in 0..2 {
            self.queue(now_s, work, 0);
        }
        (
            self.pools.iter().map(|pool| pool.hours.clone()).collect(),
            [0, 1].map(|work: usize| self.queues[work].hours.clone()),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_of_seconds_are_right_within_a_bin() {
        let mut histogram = SecondsHistogram::default();
        assert_eq!(histogram.quantile(0.5), None);
        for second in 1..=10_000 {
            histogram.add(f64::from(second));
        }
        for p in [0.1, 0.5, 0.9, 0.99] {
            let q = histogram.quantile(p).unwrap();
            // A bin is 19 % wide; the last one is only partly filled.
            assert!((q / (p * 10_000.0) - 1.0).abs() < 0.1, "{p}: {q}");
        }
    }

    #[test]
    fn areas_are_cut_at_hours_and_at_the_window() {
        let mut areas = Areas::new(1);
        areas.window(1_800.0, 9_000.0);
        areas.slots(0.0, 0, 4, 2);
        areas.busy(0.0, 0, 3);
        areas.busy(5_400.0, 0, -1);
        areas.queue(0.0, 1, 2);
        areas.queue(7_200.0, 1, -2);
        let (pools, queues) = areas.finish(20_000.0);
        // Busy: 3 from 1,800 to 5,400, then 2 until 9,000.
        assert_eq!(pools[0][0].busy, 3.0 * 1_800.0);
        assert_eq!(pools[0][1].busy, 3.0 * 1_800.0 + 2.0 * 1_800.0);
        assert_eq!(pools[0][2].busy, 2.0 * 1_800.0);
        assert_eq!(pools[0][3].busy, 0.0);
        assert_eq!(pools[0].iter().map(|h| h.slots).sum::<f64>(), 4.0 * 7_200.0);
        assert_eq!(
            pools[0].iter().map(|h| h.people).sum::<f64>(),
            2.0 * 7_200.0
        );
        assert_eq!(queues[1][0], 2.0 * 1_800.0);
        assert_eq!(queues[1][1], 2.0 * 3_600.0);
        assert_eq!(queues[1].iter().sum::<f64>(), 2.0 * 5_400.0);
    }
}
