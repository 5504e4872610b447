//! What a design measured, beside the truth.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::contest::Truth;
use super::estimate::{Estimate, Winner};
use super::scale::Deviation;

/// A test design with its parameters filled in.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Design {
    /// Each conversation goes to A or B by a salted hash; both share one pool.
    User {
        /// Share of the conversations in B.
        share: f64,
    },
    /// Two centres: each arm has its share of the customers and of every team.
    SplitPool {
        /// Share of the conversations in B.
        share: f64,
        /// Share of the people who work for B.
        people_share: f64,
    },
    /// The centre switches policies in blocks of time.
    Switchback {
        /// Seconds of a block.
        block_s: f64,
        /// Seconds after a switch whose arrivals are left out.
        washout_s: f64,
    },
}

impl Design {
    /// Its name on the command line.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::User { .. } => "user",
            Self::SplitPool { .. } => "split_pool",
            Self::Switchback { .. } => "switchback",
        }
    }
}

/// What has to be kept in mind beside a measured difference.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Caution {
    /// Both arms wait in the same queues: what one arm does to them, both suffer.
    SharedPool,
    /// The two pools are of different size: the smaller one waits longer under the same policy and load.
    UnevenPools {
        /// Share of the conversations in B.
        share: f64,
        /// Share of the people who work for B.
        people_share: f64,
    },
    /// A team cannot be divided as the customers are.
    UnevenTeam(Deviation),
}

impl fmt::Display for Caution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SharedPool => f.write_str(
                "both arms share one pool: the measured difference leaves out what each policy does to the queue",
            ),
            Self::UnevenPools {
                share,
                people_share,
            } => write!(
                f,
                "pools that do not match: B has {:.0} % of the conversations and {:.0} % of the people; {}",
                100.0 * share,
                100.0 * people_share,
                if (people_share - share).abs() < 0.005 {
                    "a smaller pool waits longer under the same policy and load"
                } else if people_share > share {
                    "each of its customers has more people"
                } else {
                    "each of its customers has fewer people"
                }
            ),
            Self::UnevenTeam(deviation) => write!(f, "{deviation}"),
        }
    }
}

/// What a design measured, and what it should have.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DesignResult {
    /// The design.
    pub design: Design,
    /// B − A in mean R per conversation as the design measures it. Its units are replicas, of a switchback pairs of blocks.
    pub measured: Estimate,
    /// B − A with everyone under one policy.
    pub truth: Estimate,
    /// Measured − true, paired over replicas.
    pub bias: Estimate,
    /// Mean R of each arm − that of the same policy for everyone: what the design's surroundings do to an arm. For a split
    /// pool this is the effect of the smaller pool.
    pub arm_effects: [Estimate; 2],
    /// Conversations judged, by arm, all replicas together.
    pub conversations: [u64; 2],
    /// Share of the counted conversations that are left out, in [0, 1).
    pub left_out: f64,
    /// Whom the design names.
    pub winner: Winner,
    /// Who is better in truth.
    pub true_winner: Winner,
    /// Whether the design names the right one; `None` when it names nobody, or the truth is open.
    pub right: Option<bool>,
    /// What has to be kept in mind.
    pub cautions: Vec<Caution>,
}

/// What one replica of a design measured.
pub(super) struct Row {
    /// Its position.
    pub(super) replica: usize,
    /// Mean R of A and of B.
    pub(super) means: [f64; 2],
}

/// What a design's replicas came to.
pub(super) struct Measured {
    pub(super) design: Design,
    pub(super) difference: Estimate,
    /// Replicas with conversations in both arms.
    pub(super) replicas: Vec<Row>,
    pub(super) conversations: [u64; 2],
    pub(super) left_out: f64,
    pub(super) cautions: Vec<Caution>,
}

impl Measured {
    /// Holds the measured against the truth.
    pub(super) fn against(self, truth: &Truth, level: f64) -> DesignResult {
        let paired = |of: &dyn Fn([f64; 2], [f64; 2]) -> f64| {
            let values: Vec<f64> = self
                .replicas
                .iter()
                .map(|row| of(row.means, truth.replicas[row.replica]))
                .collect();
            Estimate::of(&values, level)
        };
        let winner = Winner::of(&self.difference);
        // The same policy twice: nobody is better, and that is exact.
        let tie = truth.replicas.iter().all(|[a, b]| a == b);
        let right = match (winner, truth.winner) {
            (Winner::Undecided, _) => None,
            (_, Winner::Undecided) => tie.then_some(false),
            (named, best) => Some(named == best),
        };
        DesignResult {
            bias: paired(&|means, whole| (means[1] - means[0]) - (whole[1] - whole[0])),
            arm_effects: [0, 1].map(|arm: usize| paired(&|means, whole| means[arm] - whole[arm])),
            design: self.design,
            measured: self.difference,
            truth: truth.difference,
            conversations: self.conversations,
            left_out: self.left_out,
            winner,
            true_winner: truth.winner,
            right,
            cautions: self.cautions,
        }
    }
}
