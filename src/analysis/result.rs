//! What an analysis found, as it is written in JSON.

use serde::{Deserialize, Serialize};
use tierwise_reports::TestNote;

use crate::stats::eprocess::Harm;
use crate::stats::verdict::Verdict;

/// Every experiment of a file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Analysis {
    /// One entry per experiment and metric, in order of their first rows.
    pub experiments: Vec<ExperimentResult>,
}

/// How the units of an experiment were assigned.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Design {
    /// Each unit by its own coin.
    #[default]
    User,
    /// Blocks of time, in pairs with a coin for their order.
    Switchback,
    /// Each arm with its own half of the people.
    SplitPool,
}

/// One experiment and metric.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExperimentResult {
    /// Its name.
    pub experiment: String,
    /// The metric, where the file holds several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<String>,
    /// How units were assigned.
    pub design: Design,
    /// `counts`, `units`, `stream` or `snapshots`.
    pub data: String,
    /// The control's name.
    pub control: String,
    /// Every arm, the control first.
    pub arms: Vec<ArmResult>,
    /// Every method for every challenger.
    pub methods: Vec<MethodResult>,
    /// Whether the arms got the units that their shares say; absent when no shares are known.
    pub sample_ratio: Option<SampleRatio>,
    /// What holds at any look, for the challenger that the verdict is about.
    pub sequential: Option<Sequential>,
    /// The same for all challengers, when there are several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub challengers: Vec<Sequential>,
    /// Secondary metrics, guardrails and strata, challenger by challenger.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<Check>,
    /// What to do.
    pub verdict: Verdict,
    /// When the verdict holds.
    #[serde(default)]
    pub guarantee: Guarantee,
    /// What a reader should know about the numbers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<TestNote>,
}

/// When a verdict's error rates hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Guarantee {
    /// At every look, for any number of units.
    #[default]
    AnyLook,
    /// At every look, for large samples.
    AnyLookLargeSamples,
    /// At one look whose time was fixed before the start, for any number of units.
    OneLook,
    /// At one look whose time was fixed before the start, for large samples.
    OneLookLargeSamples,
}

/// What a [`Check`] is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckRole {
    /// A secondary metric; reached when it is shown not to be inferior, which a promotion needs.
    Secondary,
    /// A guardrail; reached when harm is shown, which rolls back.
    Guardrail,
    /// A stratum; reached when it is shown to be worse, which vetoes a promotion.
    Stratum,
}

/// One further condition of the verdict, for one challenger.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Check {
    /// What it is about.
    pub role: CheckRole,
    /// The metric or stratum.
    pub name: String,
    /// The challenger.
    pub arm: String,
    /// Which way is worse.
    pub harm: Harm,
    /// How much worse it may be, as a fraction of the control's mean.
    pub margin: f64,
    /// Units of control and challenger.
    pub units: [u64; 2],
    /// Means of control and challenger.
    pub means: [f64; 2],
    /// Natural logarithm of the e-value, or of 1/p at a single look.
    pub log_e: f64,
    /// One-sided p-value, at a single look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p_value: Option<f64>,
    /// The e-value, or 1/p, that decides.
    pub threshold: f64,
    /// Whether it decided.
    pub reached: bool,
    /// When it decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<When>,
    /// Why there is no evidence either way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
}

/// One arm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ArmResult {
    /// Its name.
    pub arm: String,
    /// Its units.
    pub units: u64,
    /// Its conversions, where outcomes are zero or one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversions: Option<u64>,
    /// Mean outcome.
    pub mean: f64,
    /// Its share, the last one where it changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<f64>,
}

/// What a number of [`MethodResult`] measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// Treatment less control, in units of the outcome.
    Difference,
    /// Difference as a fraction of the control.
    Relative,
}

/// One method for one challenger.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MethodResult {
    /// The challenger.
    pub arm: String,
    /// The method's key.
    pub method: String,
    /// What the estimate measures.
    pub scale: Scale,
    /// The estimate; absent when refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimate: Option<f64>,
    /// Lower end of its interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lower: Option<f64>,
    /// Upper end of its interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upper: Option<f64>,
    /// Two-sided p-value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p_value: Option<f64>,
    /// The p-value corrected for several challengers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adjusted_p_value: Option<f64>,
    /// Probability of being the best arm, or better than the control.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chance_to_win: Option<f64>,
    /// Expected loss if this arm were chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_loss: Option<f64>,
    /// Whether the interval holds at any look, and not only at one fixed before.
    pub any_look: bool,
    /// Why there is no number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
}

/// Sample-ratio check.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SampleRatio {
    /// `chi_squared` for totals, `sequential` for streams.
    pub method: String,
    /// χ² statistic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statistic: Option<f64>,
    /// Degrees of freedom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub degrees_of_freedom: Option<usize>,
    /// p-value of the χ² test, or the smaller of 1 and 1/e.
    pub p_value: f64,
    /// Logarithm of the e-value, for streams.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_e: Option<f64>,
    /// Whether the ratio passes at the rule's level.
    pub sound: bool,
}

/// Where an e-process stands and when it decided.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sequential {
    /// The challenger.
    pub arm: String,
    /// `shares` (logged shares), `hypergeometric` (totals of blocks), `pairs` (switchback) or `normal_mixture` (asymptotic).
    pub form: String,
    /// Wealth against "no better"; at 1/α the challenger is promoted.
    pub promote_e: f64,
    /// Wealth against "no worse".
    pub rollback_e: f64,
    /// Natural logarithm of `promote_e`, which does not overflow.
    pub log_promote_e: f64,
    /// Natural logarithm of `rollback_e`.
    pub log_rollback_e: f64,
    /// The wealth that decides: 1/α of either side.
    pub promote_threshold: f64,
    /// The wealth that decides a roll-back.
    pub rollback_threshold: f64,
    /// When promotion was decided, as the file writes times; `null` if it was not.
    pub when_promoted: Option<When>,
    /// When roll-back was decided.
    pub when_rolled_back: Option<When>,
    /// Interval that holds at any look.
    pub interval: Option<AnyLookInterval>,
    /// Wealth over time, at most some 200 looks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub looks: Vec<Look>,
}

/// A moment of a decision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct When {
    /// The time, as the file writes it.
    pub at: TimeValue,
    /// Units of both arms by then.
    pub units: u64,
}

/// A time as the file writes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum TimeValue {
    /// A number in the file's own unit.
    Number(f64),
    /// A timestamp.
    Text(String),
}

/// An interval that holds at any look.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct AnyLookInterval {
    /// `ratio` of rates, `odds_ratio`, or `difference` of means.
    pub scale: IntervalScale,
    /// Lower end; absent when unbounded.
    pub lower: Option<f64>,
    /// Upper end; absent when unbounded.
    pub upper: Option<f64>,
}

/// What an [`AnyLookInterval`] is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IntervalScale {
    /// Treatment's rate over the control's.
    Ratio,
    /// Treatment's odds over the control's.
    OddsRatio,
    /// Treatment less control.
    Difference,
}

impl IntervalScale {
    /// The value that means no difference.
    #[must_use]
    pub fn neutral(self) -> f64 {
        match self {
            Self::Ratio | Self::OddsRatio => 1.0,
            Self::Difference => 0.0,
        }
    }
}

/// The state at one look.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Look {
    /// The time, in the file's unit; seconds for timestamps.
    pub at: f64,
    /// Units of both arms by then.
    pub units: u64,
    /// The challenger's share among the two arms, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<f64>,
    /// Logarithm of the wealth of promotion.
    pub log_promote_e: f64,
    /// Logarithm of the wealth of roll-back.
    pub log_rollback_e: f64,
    /// The interval then, at some of the looks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<AnyLookInterval>,
}
