//! The numbers that are varied, and how a factor reaches the configuration.

use serde::{Deserialize, Serialize};

use crate::centre::config::CentreConfig;
use crate::class::named;
use crate::shop::ShopConfig;

named! {
    /// A number, or a list of numbers that move together.
    Knob {
        /// `shop.daily_contacts`.
        DailyContacts = "daily_contacts",
        /// `centre.overdispersion`.
        Overdispersion = "overdispersion",
        /// People of every team, rounded so that the total is kept as near as whole people allow.
        People = "people",
        /// `shop.human.handle_s`.
        HandleS = "handle_s",
        /// `shop.review.seconds`.
        ReviewS = "review_s",
        /// `shop.customer.patience_s`.
        PatienceS = "patience_s",
        /// `shop.customer.think_s`.
        ThinkS = "think_s",
        /// `shop.customer.leave`.
        Leave = "leave",
        /// `shop.auto.right`.
        AutoRight = "auto.right",
        /// `shop.auto.latency_s`.
        AutoLatencyS = "auto.latency_s",
        /// `shop.review.repair`.
        ReviewRepair = "review.repair",
        /// `shop.human.solve`.
        HumanSolve = "human.solve",
        /// `shop.human.spread`.
        ServiceSpread = "service_spread",
        /// `shop.satisfaction.solved` where the AI answered alone.
        AutoSatisfaction = "auto.satisfaction",
        /// `shop.satisfaction.per_minute`.
        WaitingPenalty = "waiting_penalty",
    }
}

impl Knob {
    /// Multiplies its numbers, each kept within its range.
    pub fn turn(self, factor: f64, shop: &mut ShopConfig, centre: &mut CentreConfig) {
        let scale = |values: &mut [f64], high: f64| {
            values.iter_mut().for_each(|v| *v = (*v * factor).min(high));
        };
        match self {
            Self::DailyContacts => scale(std::slice::from_mut(&mut shop.daily_contacts), 1e7),
            Self::Overdispersion => scale(std::slice::from_mut(&mut centre.overdispersion), 2.0),
            Self::People => people(factor, centre),
            Self::HandleS => scale(&mut shop.human.handle_s, 3_600.0),
            Self::ReviewS => scale(&mut shop.review.seconds, 3_600.0),
            Self::PatienceS => scale(&mut shop.customer.patience_s, 21_600.0),
            Self::ThinkS => scale(std::slice::from_mut(&mut shop.customer.think_s), 21_600.0),
            Self::Leave => scale(&mut shop.customer.leave, 1.0),
            Self::AutoRight => scale(&mut shop.auto.right, 1.0),
            Self::AutoLatencyS => scale(std::slice::from_mut(&mut shop.auto.latency_s), 600.0),
            Self::ReviewRepair => scale(&mut shop.review.repair, 1.0),
            Self::HumanSolve => scale(&mut shop.human.solve, 1.0),
            Self::ServiceSpread => scale(std::slice::from_mut(&mut shop.human.spread), 0.45),
            Self::AutoSatisfaction => {
                for row in &mut shop.satisfaction.solved {
                    row[0] = (row[0] * factor).min(1.0);
                }
            }
            Self::WaitingPenalty => {
                scale(std::slice::from_mut(&mut shop.satisfaction.per_minute), 1.0);
            }
        }
    }
}

/// Largest remainders: the rounded total goes to the teams whose share was cut most, at least one person to each.
fn people(factor: f64, centre: &mut CentreConfig) {
    let mut teams: Vec<&mut u32> = centre
        .pool
        .iter_mut()
        .flat_map(|pool| pool.team.iter_mut().map(|team| &mut team.people))
        .collect();
    let wanted: Vec<f64> = teams
        .iter()
        .map(|people| f64::from(**people) * factor)
        .collect();
    let total = wanted.iter().sum::<f64>().round() as i64;
    let mut order: Vec<usize> = (0..teams.len()).collect();
    order.sort_by(|a, b| {
        wanted[*b]
            .fract()
            .total_cmp(&wanted[*a].fract())
            .then(a.cmp(b))
    });
    for (people, wanted) in teams.iter_mut().zip(&wanted) {
        **people = (wanted.floor() as u32).clamp(1, 100_000);
    }
    let mut left = total - teams.iter().map(|people| i64::from(**people)).sum::<i64>();
    for team in order {
        if left <= 0 {
            break;
        }
        if wanted[team] >= 1.0 && *teams[team] < 100_000 {
            *teams[team] += 1;
            left -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_rounded_to_the_total() {
        let of = |centre: &CentreConfig| -> u32 {
            centre
                .pool
                .iter()
                .flat_map(|p| &p.team)
                .map(|t| t.people)
                .sum()
        };
        let centre = CentreConfig::default();
        // 4 + 5 + 2 + 2 + 1 + 1 = 15 people: 12 and 18 after a fifth either way.
        for (factor, total) in [(0.8, 12), (1.2, 18), (1.0, 15)] {
            let (mut shop, mut changed) = (ShopConfig::default(), centre.clone());
            Knob::People.turn(factor, &mut shop, &mut changed);
            assert_eq!(of(&changed), total, "{factor}");
        }
    }

    #[test]
    fn chances_stay_chances_and_every_knob_changes_something() {
        for knob in Knob::ALL {
            let (mut shop, mut centre) = (ShopConfig::default(), CentreConfig::default());
            knob.turn(1.2, &mut shop, &mut centre);
            assert!(
                shop.validate().is_ok() && centre.validate(&shop).is_ok(),
                "{knob}"
            );
            assert!(
                shop != ShopConfig::default() || centre != CentreConfig::default(),
                "{knob}"
            );
        }
    }
}
