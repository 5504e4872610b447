//! The opportunity cost of people: what everybody else loses while somebody is at work for one customer.
//!
//! κ(x, a) = h(x) − h(x + a): the fall of the system's differential value h when a decision a takes up people in state x
//! (mdp.md §1.5). Instead of learning h and subtracting two noisy values, the difference is simulated: two copies of the
//! centre, one without the customer and one in which the customer takes up a person and earns nothing, live on with the
//! same luck, and the rewards of everybody else are compared. Both copies agree wherever the one job made no difference, so
//! the noise cancels.

use std::sync::Arc;

use super::engine::{Centre, Happening};
use super::stage::Stage;
use crate::luck::{Domain, Luck};
use crate::tier::Tier;

/// Price of a person's second in reward units, by free slots at the decision.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Prices {
    /// By work (review, person): price at slack `i − OFFSET`, falling with slack.
    by_slack: [Vec<f64>; 2],
    /// Samples behind them, by work.
    pub samples: [u64; 2],
}

/// Slack below this is as dear as this.
const OFFSET: i32 = 60;
/// Slack from here on is as cheap as this.
const MOST: i32 = 60;

/// How long the copies are compared.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PriceSettings {
    /// Pairs of copies.
    pub samples: u32,
    /// Seconds in which customers arrive who may feel the difference.
    pub horizon_s: f64,
    /// Seconds after it until conversations are counted as they stand.
    pub drain_s: f64,
}

impl Prices {
    /// Reward units that a second of people's time costs the others at a slack, ≥ 0. Tier 1 takes up nobody.
    #[must_use]
    pub fn per_human_s(&self, tier: Tier, slack: [i32; 2]) -> f64 {
        let work = match tier {
            Tier::Auto => return 0.0,
            Tier::Review => 0,
            Tier::Human => 1,
        };
        let prices = &self.by_slack[work];
        let index = (slack[work].clamp(-OFFSET, MOST) + OFFSET) as usize;
        prices.get(index).copied().unwrap_or(0.0)
    }

    /// Estimates prices under a policy, in one replica of a seed.
    ///
    /// Decisions are sampled evenly over the replica; each takes `Review` or `Human` in turn. Prices are the ratio of summed
    /// losses to summed human seconds within a slack, smoothed to fall with slack (isotonic regression by pooling
    /// adjacent violators, weighted by human seconds) and cut at 0.
    #[must_use]
    pub fn estimate(
        stage: &Arc<Stage>,
        seed: u64,
        settings: &PriceSettings,
        policy: impl Fn(&Centre, u32) -> Tier,
    ) -> Self {
        let expected = expected_decisions(stage);
        let every = (expected / f64::from(settings.samples.max(1))).max(1.0) as u64;
        let mut centre = Centre::new(Arc::clone(stage), seed, 1);
        let mut cells = [
            vec![(0.0, 0.0); (OFFSET + MOST + 1) as usize],
            vec![(0.0, 0.0); (OFFSET + MOST + 1) as usize],
        ];
        let mut samples = [0, 0];
        let mut met = 0_u64;
        loop {
            match centre.advance() {
                Happening::Decision(slot) => {
                    met += 1;
                    // A hash and not a fixed step: a step could fall in with the day.
                    let sampled = Luck::new(seed, Domain::Arm, met).unit() * (every as f64) < 1.0;
                    if sampled && centre.is_counted(slot) && centre.settled(slot).is_none() {
                        let tier = if samples[0] <= samples[1] {
                            Tier::Review
                        } else {
                            Tier::Human
                        };
                        let work = usize::from(tier == Tier::Human);
                        if centre.mask(slot).allows(tier) {
                            let slack = centre.slack()[work].clamp(-OFFSET, MOST) + OFFSET;
                            let (loss, human_s) =
                                difference(&centre, slot, tier, settings, &policy);
                            let cell = &mut cells[work][slack as usize];
                            cell.0 += loss;
                            cell.1 += human_s;
                            samples[work] += 1;
                        }
                    }
                    let tier = centre
                        .settled(slot)
                        .unwrap_or_else(|| policy(&centre, slot));
                    centre.act(slot, tier);
                }
                Happening::Closed(..) => {}
                Happening::Over => break,
            }
        }
        Self {
            by_slack: cells.map(|cells| falling(&cells)),
            samples,
        }
    }
}

/// Decisions that a period brings, roughly: one and a fifth per contact.
fn expected_decisions(stage: &Stage) -> f64 {
    let config = stage.world().config();
    1.2 * config.daily_contacts * f64::from(config.days)
}

/// Reward that others lose when the customer of a slot takes up people at `tier`, and the human seconds of it.
fn difference(
    centre: &Centre,
    slot: u32,
    tier: Tier,
    settings: &PriceSettings,
    policy: &impl Fn(&Centre, u32) -> Tier,
) -> (f64, f64) {
    let mut without = centre.clone();
    without.silent = true;
    without.withdraw(slot);
    let mut with = centre.clone();
    with.silent = true;
    with.haunt(slot);
    with.act(slot, tier);
    let until_s = centre.now_s() + settings.horizon_s;
    let end_s = until_s + settings.drain_s;
    let others = |copy: &mut Centre| {
        let mut sum = 0.0;
        loop {
            match copy.advance() {
                Happening::Decision(slot) => {
                    if copy.now_s() > end_s {
                        return sum;
                    }
                    let tier = copy.settled(slot).unwrap_or_else(|| policy(copy, slot));
                    copy.act(slot, tier);
                }
                Happening::Closed(_, end) => {
                    if copy.now_s() > end_s {
                        return sum;
                    }
                    if end.arrival_s <= until_s {
                        sum += end.ending.reward.total;
                    }
                }
                Happening::Over => return sum,
            }
        }
    };
    let loss = others(&mut without) - others(&mut with);
    (loss, mean_work_s(centre, slot, tier))
}

/// Mean seconds of people's time that an answer at a tier takes the customer's class.
fn mean_work_s(centre: &Centre, slot: u32, tier: Tier) -> f64 {
    let config = centre.stage().world().config();
    match tier {
        Tier::Auto => 0.0,
        Tier::Review => config.review.seconds.iter().sum::<f64>() / 3.0,
        Tier::Human => {
            config.human.handle_s[centre.conversations[slot as usize].contact.class.index()]
        }
    }
}

/// Ratios of (loss, weight), made to fall with position: isotonic regression by pooling adjacent violators. Positions
/// without weight take their neighbour's.
fn falling(cells: &[(f64, f64)]) -> Vec<f64> {
    // Blocks of (loss, weight, positions), from low slack to high.
    let mut blocks: Vec<(f64, f64, usize)> = Vec::new();
    for (loss, weight) in cells {
        match blocks.last_mut() {
            Some(last) if *weight == 0.0 => last.2 += 1,
            _ => blocks.push((*loss, *weight, 1)),
        }
        while let [.., (a_loss, a_weight, _), (b_loss, b_weight, _)] = blocks.as_slice() {
            // An earlier block without weight has no ratio of its own.
            let violated = *a_weight == 0.0 || b_loss / b_weight > a_loss / a_weight;
            if !(violated && *b_weight > 0.0) {
                break;
            }
            let Some((loss, weight, n)) = blocks.pop() else {
                break;
            };
            if let Some(last) = blocks.last_mut() {
                *last = (last.0 + loss, last.1 + weight, last.2 + n);
            }
        }
    }
    let mut prices = Vec::with_capacity(cells.len());
    for (loss, weight, n) in blocks {
        let price = if weight > 0.0 {
            (loss / weight).max(0.0)
        } else {
            0.0
        };
        prices.extend(std::iter::repeat_n(price, n));
    }
    prices
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::centre::CentreConfig;
    use crate::shop::{ShopConfig, ShopRules, World};

    #[test]
    fn isotonic_regression_pools_what_rises() {
        // Ratios 3, 1, 2, –, 0.5: the second and third are pooled to 1.5, the fourth has no weight.
        let cells = [(3.0, 1.0), (1.0, 1.0), (2.0, 1.0), (0.0, 0.0), (1.0, 2.0)];
        assert_eq!(falling(&cells), vec![3.0, 1.5, 1.5, 1.5, 0.5]);
        // Leading gaps take the first value, negative ratios are cut.
        let cells = [(0.0, 0.0), (2.0, 1.0), (-1.0, 1.0)];
        assert_eq!(falling(&cells), vec![2.0, 2.0, 0.0]);
    }

    fn prices(people: u32) -> Prices {
        let shop = ShopConfig {
            days: 6,
            daily_contacts: 1_500.0,
            ..ShopConfig::default()
        };
        let mut config = CentreConfig::default();
        for team in &mut config.pool[0].team {
            team.people *= people;
        }
        let stage = Stage::new(config, World::new(shop, ShopRules::default()).unwrap()).unwrap();
        let settings = PriceSettings {
            samples: 300,
            horizon_s: 5_400.0,
            drain_s: 3_600.0,
        };
        Prices::estimate(&stage, 1, &settings, |centre, slot| {
            centre.mask(slot).nearest(Tier::Human)
        })
    }

    #[test]
    fn people_are_dear_where_they_are_short_and_free_where_they_are_idle() {
        let (short, idle) = (prices(1), prices(20));
        assert!(
            short.samples[0] > 50 && short.samples[1] > 50,
            "{:?}",
            short.samples
        );
        assert!(
            short.per_human_s(Tier::Human, [0, 0]) > 1e-4,
            "{:?}",
            short.per_human_s(Tier::Review, [0, 0])
        );
        assert_eq!(idle.per_human_s(Tier::Human, [40, 40]), 0.0);
        assert_eq!(short.per_human_s(Tier::Auto, [0, 0]), 0.0);
        let by_slack: Vec<f64> = (-20..20)
            .map(|s| short.per_human_s(Tier::Human, [s, s]))
            .collect();
        assert!(by_slack.windows(2).all(|w| w[0] >= w[1]));
    }
}
