//! Whole periods under a policy: replicas side by side, each a function of its seed.

use std::sync::Arc;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::conversation::Closed;
use super::engine::{Centre, Happening};
use super::stage::Stage;
use super::tally::{PoolHour, Tally};
use crate::shop::Choose;
use crate::tier::Tier;

/// The centre at the end of a stretch of time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TimelinePoint {
    /// Seconds from the start of the period.
    pub at_s: f64,
    /// Customers in the queues for people then.
    pub queue: u32,
    /// Customers who left a queue since the point before.
    pub abandoned: u32,
    /// Conversations that ended since the point before.
    pub ended: u32,
    /// AI replicas then; `None` when unlimited.
    pub replicas: Option<u32>,
}

/// What one replica of a period came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Replica {
    /// Its seed.
    pub seed: u64,
    /// Its conversations.
    pub tally: Tally,
    /// Each pool by hour of the day.
    pub pools: Vec<Vec<PoolHour>>,
    /// Customer-seconds in the queues for review and for people, by hour of the day.
    pub queues: [Vec<f64>; 2],
    /// Conversations that an outage lost for good.
    pub lost: u64,
    /// The period in stretches, where asked for.
    pub timeline: Vec<TimelinePoint>,
}

/// Runs a centre until every counted conversation has ended.
///
/// `decide` chooses for a slot whose decision is due; `closed` is told of every end.
pub fn run(
    centre: &mut Centre,
    mut decide: impl FnMut(&mut Centre, u32) -> Tier,
    mut closed: impl FnMut(&Centre, u32, &Closed),
) {
    loop {
        match centre.advance() {
            Happening::Decision(slot) => {
                let tier = match centre.settled(slot) {
                    Some(tier) => tier,
                    None => decide(centre, slot),
                };
                centre.act(slot, tier);
            }
            Happening::Closed(slot, end) => closed(centre, slot, &end),
            Happening::Over => return,
        }
    }
}

/// One replica under a policy; with `stretch_s`, a timeline of points that far apart.
#[must_use]
pub fn simulate(
    stage: &Arc<Stage>,
    seed: u64,
    policy: &Choose<'_>,
    stretch_s: Option<f64>,
) -> Replica {
    let mut centre = Centre::new(Arc::clone(stage), seed, 1);
    let mut timeline = Vec::new();
    let mut next_s = stretch_s.unwrap_or(f64::INFINITY);
    let (mut abandoned, mut ended) = (0, 0);
    loop {
        let happening = centre.advance();
        while centre.now_s() >= next_s && next_s <= stage.counted_s().1 {
            timeline.push(TimelinePoint {
                at_s: next_s,
                queue: centre.in_queue(),
                abandoned,
                ended,
                replicas: centre.replicas(),
            });
            (abandoned, ended) = (0, 0);
            next_s += stretch_s.unwrap_or(f64::INFINITY);
        }
        match happening {
            Happening::Decision(slot) => {
                let tier = centre
                    .settled(slot)
                    .unwrap_or_else(|| policy(&centre.situation(slot)).pick(centre.choice(slot)));
                centre.act(slot, tier);
            }
            Happening::Closed(_, end) => {
                ended += 1;
                abandoned += u32::from(end.ending.abandoned);
            }
            Happening::Over => break,
        }
    }
    finish(centre, timeline)
}

fn finish(mut centre: Centre, timeline: Vec<TimelinePoint>) -> Replica {
    let (pools, queues) = centre.areas();
    Replica {
        seed: centre.seed,
        tally: centre.tallies.swap_remove(0),
        pools,
        queues,
        lost: centre.lost,
        timeline,
    }
}

/// Replicas of consecutive seeds, in order, whatever the number of threads.
#[must_use]
pub fn replicate(
    stage: &Arc<Stage>,
    first_seed: u64,
    replicas: u32,
    policy: &Choose<'_>,
    stretch_s: Option<f64>,
) -> Vec<Replica> {
    (0..u64::from(replicas))
        .into_par_iter()
        .map(|i| simulate(stage, first_seed.wrapping_add(i), policy, stretch_s))
        .collect()
}
