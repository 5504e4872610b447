//! Plain values of a running or finished experiment, filled by whoever runs it. Times are microseconds since 1970.

use serde::{Deserialize, Serialize};

use crate::provenance::Provenance;
use crate::test_page::{TestVerdict, TestedRatio, TestedSequence};

/// Everything the page of an experiment shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OnlinePage {
    /// The experiment's key.
    pub key: String,
    /// A sentence for people.
    #[serde(default)]
    pub title: Option<String>,
    /// Whether the values are invented for show.
    #[serde(default)]
    pub sample: bool,
    /// The moment the page tells of.
    pub at_us: i64,
    /// Where the experiment stands.
    pub phase: OnlinePhase,
    /// Since when it stands there.
    pub phase_since_us: i64,
    /// How units are divided.
    pub design: OnlineDesign,
    /// The people behind the arms.
    pub pool: OnlinePool,
    /// Probability of any false action when the arms are alike.
    pub alpha: f64,
    /// What decides.
    pub primary: OnlineMetric,
    /// Every arm, the champion first.
    pub arms: Vec<OnlineArm>,
    /// Every challenger with its verdict, in the order of the arms.
    pub challengers: Vec<OnlineChallenger>,
    /// Evidence of one challenger over time.
    #[serde(default)]
    pub sequence: Option<TestedSequence>,
    /// Whether the arms got the units that their shares say.
    #[serde(default)]
    pub sample_ratio: Option<TestedRatio>,
    /// Secondary metrics and guardrails.
    #[serde(default)]
    pub watched: Vec<OnlineWatched>,
    /// Groups that may veto.
    #[serde(default)]
    pub strata: Vec<OnlineStratum>,
    /// The field that tells a unit's group.
    #[serde(default)]
    pub strata_field: Option<String>,
    /// Shares over time, oldest first.
    #[serde(default)]
    pub revisions: Vec<OnlineRevision>,
    /// Units that entered, in stretches of time.
    #[serde(default)]
    pub entering: Vec<OnlineEntering>,
    /// How units are assigned.
    pub assignment: OnlineAssignment,
    /// What was done, oldest first.
    #[serde(default)]
    pub audit: Vec<OnlineStep>,
    /// How the numbers were made.
    #[serde(default)]
    pub provenance: Provenance,
}

/// Where an experiment stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "phase", rename_all = "snake_case")]
pub enum OnlinePhase {
    /// Written, not started.
    Draft,
    /// Split between arms.
    Running,
    /// The champion answers until it is resumed.
    Paused,
    /// A challenger won and answers all but the holdback.
    Promoted {
        /// The winner.
        arm: String,
        /// Until when the holdback is kept.
        holdback_until_us: i64,
    },
    /// A challenger won and answers alone.
    Completed {
        /// The winner.
        arm: String,
    },
    /// A challenger was worse: the champion answers.
    RolledBack,
    /// Ended by a person.
    Stopped,
    /// Ended by the kill switch.
    Killed,
}

/// How units are divided.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "design", rename_all = "snake_case")]
pub enum OnlineDesign {
    /// Each customer stays in one arm.
    User,
    /// Stretches of time alternate.
    Switchback {
        /// Minutes of a block.
        block_minutes: f64,
        /// Minutes left out at its start.
        washout_minutes: f64,
    },
    /// Each arm has its own half of the people.
    SplitPool {
        /// Minutes of a block of the analysis.
        block_minutes: f64,
    },
}

/// The people behind the arms.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct OnlinePool {
    /// Whether all arms share them.
    pub shared: bool,
    /// Upper bound of the bias that sharing makes.
    #[serde(default)]
    pub interference_bias: Option<f64>,
}

/// A metric and the time it has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OnlineMetric {
    /// Its name.
    pub name: String,
    /// The event it counts.
    pub event: String,
    /// Hours after the exposure within which it counts.
    pub window_hours: f64,
    /// Whether outcomes are zero or one, so that a mean is a rate.
    pub is_rate: bool,
}

/// One arm.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OnlineArm {
    /// Its name.
    pub name: String,
    /// The policy that answers in it.
    pub policy: String,
    /// Version of the policy.
    #[serde(default)]
    pub policy_version: Option<String>,
    /// Share of all buckets now, a fraction.
    pub share: f64,
    /// Units that entered, mature or not.
    pub entered: u64,
    /// Units whose window has closed.
    pub mature: u64,
    /// Mean outcome of the mature ones.
    #[serde(default)]
    pub mean: Option<f64>,
    /// The change against the champion with its interval at any look, on the sequence's scale.
    #[serde(default)]
    pub interval: Option<(Option<f64>, Option<f64>)>,
}

/// A challenger's evidence now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OnlineChallenger {
    /// Its name.
    pub arm: String,
    /// What the rule says.
    pub verdict: TestVerdict,
    /// Natural logarithms of the wealth: promotion, roll-back.
    pub log_wealth: (f64, f64),
}

/// What a watched metric is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnlineRole {
    /// It must be shown not to be inferior.
    Secondary,
    /// A rise is harm.
    HarmedByRise,
    /// A fall is harm.
    HarmedByFall,
}

/// A secondary metric or a guardrail.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OnlineWatched {
    /// What is measured.
    #[serde(flatten)]
    pub metric: OnlineMetric,
    /// What it is there for.
    pub role: OnlineRole,
    /// How much worse is tolerated, as a fraction of the champion's mean.
    pub margin: f64,
    /// Mean per arm, in the order of the arms.
    pub means: Vec<Option<f64>>,
    /// Natural logarithm of the wealth, of the challenger nearest to a decision.
    pub log_e: f64,
    /// Wealth that decides.
    pub threshold: f64,
    /// Whether it has been reached.
    pub reached: bool,
    /// Days since the start, and natural logarithm of the first challenger's wealth.
    #[serde(default)]
    pub looks: Vec<(f64, f64)>,
}

/// A group of units.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OnlineStratum {
    /// Its value.
    pub name: String,
    /// Mature units per arm.
    pub units: Vec<u64>,
    /// Mean of the primary metric per arm.
    pub means: Vec<Option<f64>>,
    /// Whether it keeps the challenger from promotion.
    pub vetoes: bool,
}

/// Shares from one moment on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OnlineRevision {
    /// Its number.
    pub number: u32,
    /// From when.
    pub since_us: i64,
    /// Share per arm.
    pub shares: Vec<f64>,
}

/// Units that entered in a stretch of time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OnlineEntering {
    /// Where it begins.
    pub from_us: i64,
    /// Its length.
    pub hours: f64,
    /// Units per arm.
    pub units: Vec<u64>,
}

/// How units are assigned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OnlineAssignment {
    /// Salt of the buckets.
    pub salt: String,
    /// The revision in force.
    #[serde(default)]
    pub revision: Option<u32>,
    /// All buckets.
    pub buckets: u32,
    /// Buckets of each arm.
    pub owned: Vec<u32>,
    /// Share of units that take part.
    pub coverage: f64,
    /// Share of all customers that no experiment touches.
    pub holdout: f64,
    /// Probability that every allowed tier keeps.
    pub floor: f64,
    /// Layer and the part of it that is the experiment's.
    #[serde(default)]
    pub layer: Option<(String, f64, f64)>,
}

/// A step of the history.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OnlineStep {
    /// When.
    pub at_us: i64,
    /// Who.
    pub actor: String,
    /// What.
    pub action: String,
    /// Why.
    pub reason: String,
    /// The numbers it rested on, one entry per challenger.
    #[serde(default)]
    pub numbers: Vec<OnlineNumbers>,
}

/// A challenger's numbers at a step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OnlineNumbers {
    /// The challenger.
    pub arm: String,
    /// Mature units of champion and challenger.
    pub units: [u64; 2],
    /// The challenger's share against the champion.
    pub share: f64,
    /// Natural logarithms of the wealth: promotion, roll-back.
    pub log_wealth: (f64, f64),
    /// Guardrails and secondary metrics with the logarithm of their wealth.
    #[serde(default)]
    pub others: Vec<(String, f64)>,
}
