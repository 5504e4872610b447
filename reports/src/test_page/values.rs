//! Plain values of a test, filled by whoever ran the statistics.

use serde::{Deserialize, Serialize};

use super::notes::TestNote;

/// One experiment and metric.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TestedExperiment {
    /// Its name.
    pub name: String,
    /// The metric, where there are several.
    #[serde(default)]
    pub metric: Option<String>,
    /// Every arm, the control first.
    pub arms: Vec<TestedArm>,
    /// Every method, in the order of the table.
    pub methods: Vec<TestedMethod>,
    /// Whether arms got the units that their shares say.
    #[serde(default)]
    pub sample_ratio: Option<TestedRatio>,
    /// What holds at any look.
    #[serde(default)]
    pub sequence: Option<TestedSequence>,
    /// What to do.
    pub verdict: TestVerdict,
    /// Secondary metrics, guardrails and strata.
    #[serde(default)]
    pub checks: Vec<TestedCheck>,
    /// When the verdict holds.
    #[serde(default)]
    pub guarantee: TestedGuarantee,
    /// Remarks on how the numbers came about.
    #[serde(default)]
    pub notes: Vec<TestNote>,
}

/// When a verdict's error rates hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TestedGuarantee {
    /// At every look.
    #[default]
    AnyLook,
    /// At every look, for large samples.
    AnyLookLargeSamples,
    /// At one look fixed before the start.
    OneLook,
    /// At one look fixed before the start, for large samples.
    OneLookLargeSamples,
}

/// A condition of the verdict beside the primary metric.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TestedCheck {
    /// What it is about.
    pub role: TestedRole,
    /// The metric or stratum.
    pub name: String,
    /// The challenger.
    pub arm: String,
    /// Whether a higher mean is worse.
    pub higher_is_worse: bool,
    /// How much worse it may be, a fraction.
    pub margin: f64,
    /// Units of control and challenger.
    pub units: (u64, u64),
    /// Means of control and challenger.
    pub means: (f64, f64),
    /// Natural logarithm of the evidence.
    pub log_wealth: f64,
    /// Evidence that decides.
    pub threshold: f64,
    /// Whether it decided.
    pub reached: bool,
}

/// What a check is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TestedRole {
    /// Must be shown not to be inferior.
    Secondary,
    /// Must not be harmed.
    Guardrail,
    /// Must not be worse.
    Stratum,
}

/// One arm.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TestedArm {
    /// Its name.
    pub name: String,
    /// Units.
    pub units: u64,
    /// Conversions, where outcomes are zero or one.
    #[serde(default)]
    pub conversions: Option<u64>,
    /// Mean outcome.
    pub mean: f64,
    /// Share, a fraction.
    #[serde(default)]
    pub share: Option<f64>,
}

/// One method for one challenger.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TestedMethod {
    /// The challenger.
    pub arm: String,
    /// The method's key.
    pub method: String,
    /// Whether the numbers are fractions of the control's mean already; differences are divided by it for drawing.
    pub relative: bool,
    /// The estimate.
    #[serde(default)]
    pub estimate: Option<f64>,
    /// The interval.
    #[serde(default)]
    pub interval: Option<(f64, f64)>,
    /// p-value, corrected where there are several challengers.
    #[serde(default)]
    pub p_value: Option<f64>,
    /// Probability of being better.
    #[serde(default)]
    pub chance_to_win: Option<f64>,
    /// Whether the interval holds at any look.
    pub any_look: bool,
}

/// A sample-ratio check.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TestedRatio {
    /// Its p-value, or the smaller of 1 and 1/e.
    pub p_value: f64,
    /// Whether it passed.
    pub sound: bool,
}

/// What the interval of a sequence is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TestedScale {
    /// Change of a rate, as a fraction.
    Rate,
    /// Change of the odds, as a fraction.
    Odds,
    /// Difference of means.
    Difference,
}

/// What the times of looks count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TestedTimes {
    /// Days since the first look.
    Days,
    /// Hours since the first look.
    Hours,
    /// The data's own unit.
    Own,
}

/// The evidence over time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TestedSequence {
    /// The challenger.
    pub arm: String,
    /// What the interval is about.
    pub scale: TestedScale,
    /// What times count.
    pub times: TestedTimes,
    /// Natural logarithms of the wealth now: promotion, roll-back.
    pub log_wealth: (f64, f64),
    /// Wealth that decides: promotion, roll-back.
    pub thresholds: (f64, f64),
    /// When promotion was decided, as text, and the units by then.
    #[serde(default)]
    pub promoted: Option<(String, u64)>,
    /// When roll-back was decided.
    #[serde(default)]
    pub rolled_back: Option<(String, u64)>,
    /// The interval now, as changes around zero; an open end is `None`.
    #[serde(default)]
    pub interval: Option<(Option<f64>, Option<f64>)>,
    /// The looks, in order.
    #[serde(default)]
    pub looks: Vec<TestedLook>,
}

/// One look.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TestedLook {
    /// When.
    pub at: f64,
    /// Units by then.
    pub units: u64,
    /// The challenger's share.
    #[serde(default)]
    pub share: Option<f64>,
    /// Natural logarithms of the wealth: promotion, roll-back.
    pub log_wealth: (f64, f64),
    /// The interval, as changes around zero; an open end is `None`.
    #[serde(default)]
    pub interval: Option<(Option<f64>, Option<f64>)>,
}

/// What to do with a challenger.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum TestVerdict {
    /// Too few units.
    NotEnoughData {
        /// Units needed in each arm.
        needed: u64,
        /// Units of the smaller arm.
        have: u64,
    },
    /// Nothing decided.
    KeepGoing {
        /// What is missing.
        waiting_for: Vec<TestWaiting>,
    },
    /// Better.
    Promote {
        /// The challenger.
        arm: String,
    },
    /// Worse, or harmful.
    RollBack {
        /// The challenger.
        arm: String,
        /// The guardrail harmed.
        #[serde(default)]
        guardrail: Option<String>,
    },
    /// Meaningless until repaired.
    Broken {
        /// What is broken.
        broken: TestBreak,
    },
}

impl TestVerdict {
    /// Decided and broken ones before those that go on.
    pub(crate) fn rank(&self) -> u8 {
        match self {
            Self::Broken { .. } => 0,
            Self::Promote { .. } | Self::RollBack { .. } => 1,
            Self::KeepGoing { .. } => 2,
            Self::NotEnoughData { .. } => 3,
        }
    }
}

/// What a challenger waits for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "condition", rename_all = "snake_case")]
pub enum TestWaiting {
    /// Evidence that it is better.
    Superiority,
    /// A larger share.
    Share {
        /// Now.
        have: f64,
        /// Needed.
        needed: f64,
    },
    /// Days at this share.
    Days {
        /// Passed.
        have: f64,
        /// Needed.
        needed: f64,
    },
    /// Evidence that a secondary metric is not worse.
    Secondary {
        /// The metric.
        metric: String,
    },
    /// A stratum that is worse.
    Stratum {
        /// The stratum.
        stratum: String,
    },
    /// Shares that were logged.
    LoggedShares,
}

/// What is broken.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum TestBreak {
    /// The arms' sizes.
    SampleRatio,
    /// People shared by the arms.
    Interference,
    /// Units of different age.
    Maturity,
    /// Units in two arms.
    UnitsInTwoArms {
        /// How many.
        units: u64,
        /// Some of them.
        examples: Vec<String>,
    },
    /// Units not assigned one by one.
    Assignment,
}
