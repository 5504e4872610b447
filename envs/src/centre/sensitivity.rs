//! How much a comparison of policies hangs on numbers that nobody knows exactly.
//!
//! Each knob alone by ±20 %, and a Latin hypercube over all of them; every policy meets the same customers in every sample
//! (common random numbers), so that what changes is the order and not the luck.

mod knob;

use std::sync::Arc;

use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::config::CentreConfig;
use super::simulate::simulate;
use super::stage::{CentreError, Stage};
use super::tally::CentreKpi;
use crate::shop::{Choose, ShopConfig, ShopRules, World};

pub use self::knob::Knob;

/// A policy under its name.
pub struct NamedPolicy<'a> {
    /// Its name in the result.
    pub name: &'a str,
    /// What it does.
    pub choose: &'a Choose<'a>,
}

/// What is varied, how far and how often.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SensitivityPlan {
    /// The numbers to vary.
    pub knobs: Vec<Knob>,
    /// Largest relative change either way, in (0, 0.9].
    pub spread: f64,
    /// Points of the Latin hypercube; 0 leaves it out.
    pub samples: u32,
    /// Seeds simulated at each point, at least 1.
    pub replicas: u32,
    /// The first of them; the hypercube is drawn from it too.
    pub seed: u64,
}

impl Default for SensitivityPlan {
    fn default() -> Self {
        Self {
            knobs: Knob::ALL.to_vec(),
            spread: 0.2,
            samples: 50,
            replicas: 4,
            seed: 1,
        }
    }
}

/// What the policies earn at one point.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ranking {
    /// Mean reward of each policy.
    pub rewards: Vec<f64>,
    /// Mean difference of each to the first, on the same customers.
    pub differences: Vec<f64>,
    /// Standard errors of these differences over seeds; NaN is written as null where there is one seed.
    pub standard_errors: Vec<Option<f64>>,
    /// Position of the policy that earns most.
    pub best: usize,
}

/// One knob turned, the others as they were.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OneAtATime {
    /// The knob.
    pub knob: Knob,
    /// What its number was multiplied by.
    pub factor: f64,
    /// What the policies earn then.
    pub ranking: Ranking,
    /// Whether another policy earns most than without the change.
    pub flips: bool,
}

/// One point of the hypercube.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Latin {
    /// What each knob's number was multiplied by, in the order of the plan.
    pub factors: Vec<f64>,
    /// What the policies earn then.
    pub ranking: Ranking,
}

/// How the order of policies hangs on the numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sensitivity {
    /// Names of the policies.
    pub policies: Vec<String>,
    /// What was varied.
    pub plan: SensitivityPlan,
    /// Nothing changed.
    pub base: Ranking,
    /// Each knob down and up.
    pub one_at_a_time: Vec<OneAtATime>,
    /// The hypercube.
    pub latin: Vec<Latin>,
    /// Share of the hypercube's points in which each policy earns most.
    pub first_share: Vec<f64>,
    /// Share of the points in which each policy earns more than the first.
    pub beats_first_share: Vec<f64>,
    /// Pairs of policies (positions) whose order differs from the base, and in how many points.
    pub flips: Vec<(usize, usize, u32)>,
}

/// Runs the policies at every point.
///
/// # Errors
/// [`CentreError`] when the centre or a changed one cannot be built.
pub fn sensitivity(
    shop: &ShopConfig,
    centre: &CentreConfig,
    rules: &ShopRules,
    policies: &[NamedPolicy<'_>],
    plan: &SensitivityPlan,
) -> Result<Sensitivity, CentreError> {
    let at = |factors: &[(Knob, f64)]| -> Result<Ranking, CentreError> {
        let (mut shop, mut centre) = (shop.clone(), centre.clone());
        for (knob, factor) in factors {
            knob.turn(*factor, &mut shop, &mut centre);
        }
        let world = World::new(shop, rules.clone())?;
        Ok(rank(&Stage::new(centre, world)?, policies, plan))
    };
    let base = at(&[])?;
    let single: Vec<(Knob, f64)> = plan
        .knobs
        .iter()
        .flat_map(|knob| [(*knob, 1.0 - plan.spread), (*knob, 1.0 + plan.spread)])
        .collect();
    let one_at_a_time = single
        .par_iter()
        .map(|(knob, factor)| {
            let ranking = at(&[(*knob, *factor)])?;
            Ok(OneAtATime {
                knob: *knob,
                factor: *factor,
                flips: ranking.best != base.best,
                ranking,
            })
        })
        .collect::<Result<Vec<OneAtATime>, CentreError>>()?;
    let latin = hypercube(plan)
        .into_par_iter()
        .map(|factors| {
            let turned: Vec<(Knob, f64)> =
                plan.knobs.iter().copied().zip(factors.clone()).collect();
            Ok(Latin {
                ranking: at(&turned)?,
                factors,
            })
        })
        .collect::<Result<Vec<Latin>, CentreError>>()?;
    let n = policies.len();
    let share = |of: &dyn Fn(&Ranking) -> bool| {
        latin.iter().filter(|point| of(&point.ranking)).count() as f64 / latin.len().max(1) as f64
    };
    let mut flips = Vec::new();
    for a in 0..n {
        for b in a + 1..n {
            let order = |of: &Ranking| of.rewards[a] >= of.rewards[b];
            let turned = latin
                .iter()
                .filter(|point| order(&point.ranking) != order(&base))
                .count() as u32;
            if turned > 0 {
                flips.push((a, b, turned));
            }
        }
    }
    Ok(Sensitivity {
        policies: policies.iter().map(|p| p.name.to_owned()).collect(),
        first_share: (0..n).map(|i| share(&|r| r.best == i)).collect(),
        beats_first_share: (0..n)
            .map(|i| share(&|r| r.rewards[i] > r.rewards[0]))
            .collect(),
        plan: plan.clone(),
        base,
        one_at_a_time,
        latin,
        flips,
    })
}

/// Mean rewards of the policies on the same seeds.
fn rank(stage: &Arc<Stage>, policies: &[NamedPolicy<'_>], plan: &SensitivityPlan) -> Ranking {
    let replicas = plan.replicas.max(1);
    let runs: Vec<Vec<f64>> = policies
        .iter()
        .map(|policy| {
            (0..u64::from(replicas))
                .map(|i| {
                    let seed = plan.seed.wrapping_add(i);
                    let replica = simulate(stage, seed, policy.choose, None);
                    replica.tally.kpi(CentreKpi::Reward).mean().unwrap_or(0.0)
                })
                .collect()
        })
        .collect();
    let n = f64::from(replicas);
    let mean = |values: &[f64]| values.iter().sum::<f64>() / n;
    let rewards: Vec<f64> = runs.iter().map(|run| mean(run)).collect();
    let mut standard_errors = Vec::new();
    let mut differences = Vec::new();
    for run in &runs {
        let paired: Vec<f64> = run.iter().zip(&runs[0]).map(|(a, b)| a - b).collect();
        let difference = mean(&paired);
        let squares: f64 = paired.iter().map(|d| (d - difference).powi(2)).sum();
        standard_errors.push((replicas > 1).then(|| (squares / (n - 1.0) / n).sqrt()));
        differences.push(difference);
    }
    let best = (0..rewards.len())
        .reduce(|best, i| if rewards[i] > rewards[best] { i } else { best })
        .unwrap_or(0);
    Ranking {
        rewards,
        differences,
        standard_errors,
        best,
    }
}

/// Factors in 1 ± spread: each knob's span is cut into as many slices as there are points, and each slice is hit once.
///
/// # Source
/// McKay, Beckman & Conover, Technometrics 21, 1979.
fn hypercube(plan: &SensitivityPlan) -> Vec<Vec<f64>> {
    let n = plan.samples as usize;
    let columns: Vec<Vec<f64>> = (0..plan.knobs.len())
        .map(|knob| {
            let mut random = Xoshiro256PlusPlus::seed_from_u64(
                plan.seed ^ (knob as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15),
            );
            let mut slices: Vec<usize> = (0..n).collect();
            slices.shuffle(&mut random);
            slices
                .into_iter()
                .map(|slice| {
                    let u = (slice as f64 + random.random::<f64>()) / n as f64;
                    1.0 + plan.spread * (2.0 * u - 1.0)
                })
                .collect()
        })
        .collect();
    (0..n)
        .map(|point| columns.iter().map(|column| column[point]).collect())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::env::Situation;
    use crate::tier::{Tier, TierProbs};

    #[test]
    fn every_slice_of_every_knob_is_hit_once() {
        let plan = SensitivityPlan {
            samples: 25,
            ..SensitivityPlan::default()
        };
        let points = hypercube(&plan);
        assert_eq!(points.len(), 25);
        for knob in 0..plan.knobs.len() {
            let mut slices: Vec<usize> = points
                .iter()
                .map(|p| (((p[knob] - 0.8) / 0.4) * 25.0) as usize)
                .collect();
            slices.sort_unstable();
            assert_eq!(slices, (0..25).collect::<Vec<_>>());
        }
    }

    fn always(tier: Tier) -> impl Fn(&Situation<'_>) -> TierProbs + Sync {
        move |at| TierProbs::certain(at.mask.nearest(tier))
    }

    #[test]
    fn a_policy_against_itself_never_differs_and_more_demand_hurts_people() {
        let shop = ShopConfig {
            days: 2,
            daily_contacts: 1_200.0,
            ..ShopConfig::default()
        };
        let (human, auto) = (always(Tier::Human), always(Tier::Auto));
        let policies = [
            NamedPolicy {
                name: "human",
                choose: &human,
            },
            NamedPolicy {
                name: "again",
                choose: &human,
            },
            NamedPolicy {
                name: "auto",
                choose: &auto,
            },
        ];
        let plan = SensitivityPlan {
            knobs: vec![Knob::DailyContacts, Knob::People],
            samples: 3,
            replicas: 1,
            ..SensitivityPlan::default()
        };
        let on = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .unwrap();
            pool.install(|| {
                sensitivity(
                    &shop,
                    &CentreConfig::default(),
                    &ShopRules::default(),
                    &policies,
                    &plan,
                )
            })
            .unwrap()
        };
        let found = on(2);
        assert_eq!(found, on(1));
        assert_eq!(found.one_at_a_time.len(), 4);
        assert_eq!(found.latin.len(), 3);
        for point in &found.latin {
            assert_eq!(point.ranking.differences[1], 0.0);
        }
        let reward = |knob, up: bool| {
            found
                .one_at_a_time
                .iter()
                .find(|p| p.knob == knob && (p.factor > 1.0) == up)
                .unwrap()
                .ranking
                .rewards[0]
        };
        // All to people: more customers or fewer people mean longer waits.
        assert!(reward(Knob::DailyContacts, true) < reward(Knob::DailyContacts, false));
        assert!(reward(Knob::People, true) > reward(Knob::People, false));
        let total: f64 = found.first_share.iter().sum();
        assert!((total - 1.0).abs() < 1e-12);
    }
}
