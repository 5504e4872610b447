//! Why a test design cannot be played.

use super::super::stage::CentreError;

/// A design that would measure nothing, or something else than it says.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DesignError {
    /// A share outside (0, 1): one of the arms would be empty.
    #[error(
        "the share of B is {share}; it lies strictly between 0 and 1, for a test needs two arms"
    )]
    Share {
        /// The value given.
        share: f64,
    },
    /// Too few replicas for an interval.
    #[error("{replicas} replicas; an interval needs at least 2")]
    Replicas {
        /// The number given.
        replicas: u32,
    },
    /// A level that is no probability.
    #[error("the intervals' level is {level}; it lies strictly between 0 and 1")]
    Level {
        /// The value given.
        level: f64,
    },
    /// Pools that do not match the customers they get.
    #[error("`split_pool` at {share} of B is refused: {why}")]
    UnevenPools {
        /// Share of B.
        share: f64,
        /// What does not match.
        why: String,
    },
    /// Something that has to be a number of seconds is not.
    #[error("`{key}` is {value}; it lies above 0 seconds")]
    Seconds {
        /// What it is.
        key: &'static str,
        /// The value given.
        value: f64,
    },
    /// A washout that is shorter than what it is to wash out.
    #[error(
        "the washout is {washout_s:.0} s; it is at least {least_s:.0} s, the larger of three handle times \
         ({handle_s:.0} s each) and the queue's relaxation time ({relaxation_s:.0} s)"
    )]
    ShortWashout {
        /// The value given.
        washout_s: f64,
        /// The least allowed.
        least_s: f64,
        /// Mean handle time.
        handle_s: f64,
        /// Relaxation time of the queue.
        relaxation_s: f64,
    },
    /// Blocks that are mostly washout.
    #[error(
        "blocks of {block_s:.0} s are shorter than 4 washouts of {washout_s:.0} s; they last at least {:.0} s",
        4.0 * washout_s
    )]
    ShortBlocks {
        /// The value given.
        block_s: f64,
        /// The washout.
        washout_s: f64,
    },
    /// The queue forgets too slowly to be watched.
    #[error(
        "{horizon_s:.0} s after a switch the queue still remembers more than 5 % of the policy before it; no washout \
         follows from that"
    )]
    NeverRelaxes {
        /// How long it was watched.
        horizon_s: f64,
    },
    /// The period is too short for the blocks.
    #[error(
        "{pairs} pairs of blocks of {block_s:.0} s fit into the {counted_s:.0} s counted of {replicas} replicas; an \
         interval needs at least 2"
    )]
    Pairs {
        /// Pairs found.
        pairs: usize,
        /// Length of a block.
        block_s: f64,
        /// Counted seconds of a replica.
        counted_s: f64,
        /// Replicas.
        replicas: u32,
    },
    /// A period that is too short to watch a queue relax.
    #[error(
        "no switch fits: the {counted_s:.0} s counted are shorter than the {horizon_s:.0} s for which the queue is \
         watched"
    )]
    NoSwitch {
        /// Counted seconds of a replica.
        counted_s: f64,
        /// How long a queue is to be watched.
        horizon_s: f64,
    },
    /// Nobody came into an arm.
    #[error(
        "arm {arm} of replica {replica} has no conversation; simulate more days or a share nearer to 0.5"
    )]
    EmptyArm {
        /// `A` or `B`.
        arm: char,
        /// Position of the replica, from 0.
        replica: usize,
    },
    /// One of the two centres of a split pool cannot be built.
    #[error(transparent)]
    Centre(#[from] CentreError),
}
