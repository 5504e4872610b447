//! Where a policy does what the log never did: class by class, tier by tier.

use serde::{Deserialize, Serialize};
use tierwise_envs::class::Class;
use tierwise_envs::replay::Episodes;
use tierwise_envs::tier::Tier;

/// Share of the decisions of a class below which a policy's use of a tier does not matter.
const MATTERS: f64 = 0.01;

/// A tier that a policy takes in a class, and the log never took there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Unsupported {
    /// The class; none where it is not known.
    pub class: Option<Class>,
    /// The tier.
    pub tier: Tier,
    /// Decisions of the class.
    pub decisions: u64,
    /// Mean probability with which the policy takes the tier there.
    pub target: f64,
    /// What is wrong, and what to do.
    pub reason: String,
}

/// Cells of class and tier that some rows of a log do not support: never taken there, and taken by the policy in at least
/// one decision of a hundred. `target` holds the policy's probabilities, decision after decision.
pub(super) fn unsupported(log: &Episodes, rows: &[usize], target: &[f64]) -> Vec<Unsupported> {
    let classes = Class::ALL.len() + 1;
    let mut cells = vec![[(0_u64, 0.0); 3]; classes];
    let mut decisions = vec![0_u64; classes];
    let mut at = 0;
    for row in rows {
        let class = log.class(*row).map_or(Class::ALL.len(), Class::index);
        for decision in log.range(*row) {
            decisions[class] += 1;
            cells[class][log.action(decision).index()].0 += 1;
            for (cell, p) in cells[class].iter_mut().zip(&target[at..at + 3]) {
                cell.1 += p;
            }
            at += 3;
        }
    }
    let mut found = Vec::new();
    for (class, (cells, decisions)) in cells.iter().zip(&decisions).enumerate() {
        for tier in Tier::ALL {
            let (taken, wanted) = cells[tier.index()];
            let share = wanted / (*decisions).max(1) as f64;
            if taken > 0 || share < MATTERS {
                continue;
            }
            let class = Class::ALL.get(class).copied();
            let (name, tier_name) = (class.map_or("unknown class", Class::name), tier.name());
            found.push(Unsupported {
                class,
                tier,
                decisions: *decisions,
                target: share,
                reason: format!(
                    "`{tier_name}` was never taken for {name} ({decisions} decisions), and this policy takes it in {:.0} % of them: collect such decisions, or mask `{tier_name}` for {name}",
                    share * 100.0
                ),
            });
        }
    }
    found
}
