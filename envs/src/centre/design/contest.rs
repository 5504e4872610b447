//! Two policies in one centre: what holds for all designs, and the truth.

use std::sync::Arc;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::super::conversation::Closed;
use super::super::engine::{Centre, Share};
use super::super::simulate::{Replica, run, simulate};
use super::super::stage::Stage;
use super::super::tally::CentreKpi;
use super::error::DesignError;
use super::estimate::{Estimate, Winner};
use crate::luck::{Domain, Luck, Purpose};
use crate::shop::Choose;
use crate::tier::Tier;

/// Policy A against policy B in one centre.
pub struct Contest<'a> {
    /// The centre.
    pub stage: &'a Arc<Stage>,
    /// Policy A, the one in place.
    pub a: &'a Choose<'a>,
    /// Policy B, the challenger.
    pub b: &'a Choose<'a>,
    /// Replicas of the period, at least 2.
    pub replicas: u32,
    /// Seed of the first replica; the others follow.
    pub seed: u64,
    /// Salt of everything that designs draw: arms, coins, the phase of blocks.
    pub salt: u64,
    /// Level of the intervals, in (0, 1).
    pub level: f64,
}

/// All customers under A against all under B, the same customers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Truth {
    /// Mean R per conversation, all under A.
    pub a: Estimate,
    /// The same under B.
    pub b: Estimate,
    /// B − A, paired over replicas.
    pub difference: Estimate,
    /// Who is better.
    pub winner: Winner,
    /// Mean R under A and B in each replica.
    pub replicas: Vec<[f64; 2]>,
    /// Mean seconds that a person holds a conversation for one answer, the longer of the two policies'; 0 when no person
    /// answers.
    pub handle_s: f64,
}

impl Contest<'_> {
    /// Checks what all designs share.
    ///
    /// # Errors
    /// [`DesignError`] for fewer than 2 replicas and a level outside (0, 1).
    pub(super) fn check(&self) -> Result<(), DesignError> {
        if self.replicas < 2 {
            return Err(DesignError::Replicas {
                replicas: self.replicas,
            });
        }
        if !(self.level > 0.0 && self.level < 1.0) {
            return Err(DesignError::Level { level: self.level });
        }
        Ok(())
    }

    /// Plays the whole centre under each policy.
    ///
    /// # Errors
    /// [`DesignError`] for fewer than 2 replicas, a level outside (0, 1), and a period in which nobody comes.
    pub fn truth(&self) -> Result<Truth, DesignError> {
        self.check()?;
        let worlds = self.map(|seed| {
            [self.a, self.b].map(|policy| {
                let replica = simulate(self.stage, seed, policy, None);
                (
                    replica.tally.kpi(CentreKpi::Reward).mean(),
                    handled(&replica),
                )
            })
        });
        let mut replicas = Vec::with_capacity(worlds.len());
        let mut work = [(0.0, 0.0); 2];
        for (position, world) in worlds.iter().enumerate() {
            let mut means = [0.0; 2];
            for (arm, (mean, handled)) in world.iter().enumerate() {
                means[arm] = mean.ok_or(DesignError::EmptyArm {
                    arm: ['A', 'B'][arm],
                    replica: position,
                })?;
                work[arm].0 += handled.0;
                work[arm].1 += handled.1;
            }
            replicas.push(means);
        }
        let of = |value: &dyn Fn(&[f64; 2]) -> f64| {
            Estimate::of(&replicas.iter().map(value).collect::<Vec<_>>(), self.level)
        };
        let difference = of(&|[a, b]| b - a);
        Ok(Truth {
            a: of(&|[a, _]| *a),
            b: of(&|[_, b]| *b),
            difference,
            winner: Winner::of(&difference),
            handle_s: work
                .map(|(busy_s, answers)| if answers > 0.0 { busy_s / answers } else { 0.0 })
                .into_iter()
                .fold(0.0, f64::max),
            replicas,
        })
    }

    /// Every replica's seed through a function, in order.
    pub(super) fn map<T: Send>(&self, each: impl Fn(u64) -> T + Sync) -> Vec<T> {
        (0..u64::from(self.replicas))
            .into_par_iter()
            .map(|replica| each(self.seed.wrapping_add(replica)))
            .collect()
    }

    /// Salt of one draw of a replica: replicas do not share their arms.
    pub(super) fn salt(&self, seed: u64, purpose: Purpose) -> u64 {
        Luck::new(self.salt, Domain::Arm, seed).once(purpose)
    }

    /// The policy of an arm.
    pub(super) fn policy(&self, arm: u8) -> &Choose<'_> {
        if arm == 0 { self.a } else { self.b }
    }

    /// A choice of an arm's policy for the decision due in a slot.
    pub(super) fn choose(&self, centre: &Centre, slot: u32, arm: u8) -> Tier {
        self.policy(arm)(&centre.situation(slot)).pick(centre.choice(slot))
    }

    /// Runs a replica whose conversations go into arms by their number and second of arrival.
    pub(super) fn play(
        &self,
        stage: &Arc<Stage>,
        seed: u64,
        share: Option<Share>,
        arm_of: impl Fn(u64, f64) -> u8,
        mut closed: impl FnMut(&Closed),
    ) {
        let mut centre = Centre::with_share(Arc::clone(stage), seed, 2, share);
        run(
            &mut centre,
            |centre, slot| {
                if centre.is_first(slot) {
                    let arm = arm_of(centre.number(slot), centre.arrival_s(slot));
                    centre.assign(slot, arm);
                }
                self.choose(centre, slot, centre.arm(slot))
            },
            |_, _, end| {
                if end.counted {
                    closed(end);
                }
            },
        );
    }
}

/// Slot-seconds in use, and answers of people.
fn handled(replica: &Replica) -> (f64, f64) {
    let busy_s = replica.pools.iter().flatten().map(|hour| hour.busy).sum();
    let answers: u64 = replica
        .tally
        .hours
        .iter()
        .map(|tiers| tiers[Tier::Review.index()].answers + tiers[Tier::Human.index()].answers)
        .sum();
    (busy_s, answers as f64)
}
