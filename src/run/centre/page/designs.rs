//! What test designs measure, as a section of the page.

use tierwise_envs::centre::design::{Design, DesignResult as Played, Estimate};
use tierwise_reports::{DesignComparison, DesignResult, Measure, TestDesign, Uncertain};

use crate::run::designs::Designs;

fn uncertain(estimate: &Estimate) -> Uncertain {
    Uncertain::new(estimate.value, estimate.lower, estimate.upper)
}

/// Measured minus true, with the paired interval's width. Units of a switchback are pairs of blocks, of its bias replicas; the
/// mean over pairs and the mean over replicas differ a little, and the page shows the one that its other numbers add up to.
fn bias(result: &Played) -> Uncertain {
    let value = result.measured.value - result.truth.value;
    let moved = value - result.bias.value;
    Uncertain::new(value, result.bias.lower + moved, result.bias.upper + moved)
}

pub(super) fn designs(scenario: &str, played: &Designs) -> DesignComparison {
    let conversations = played
        .results
        .first()
        .map_or(0, |result| result.conversations.iter().sum());
    DesignComparison {
        scenario: scenario.to_owned(),
        measure: Measure::Reward,
        candidate: played.b.clone(),
        baseline: played.a.clone(),
        level: played.level,
        truth: uncertain(&played.truth.difference),
        truth_n: conversations,
        designs: played
            .results
            .iter()
            .map(|result| DesignResult {
                design: match result.design {
                    Design::User { .. } => TestDesign::User,
                    Design::SplitPool { share: 0.5, .. } => TestDesign::SplitPool,
                    Design::SplitPool { share, .. } => TestDesign::UnevenSplitPool {
                        candidate_share: share,
                    },
                    Design::Switchback { block_s, washout_s } => TestDesign::Switchback {
                        block_secs: block_s,
                        washout_secs: washout_s,
                    },
                },
                measured: uncertain(&result.measured),
                bias: bias(result),
                n: result.conversations.iter().sum(),
            })
            .collect(),
    }
}
