//! What to analyse, and how.

use crate::stats::correction::Correction;
use crate::stats::verdict::PromotionRule;

use super::result::Design;

/// A method that can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Method {
    /// Two-proportion z with the pooled rate.
    ZPooled,
    /// Two-proportion z with each arm's rate.
    ZUnpooled,
    /// Newcombe's interval.
    Newcombe,
    /// Welch's t test.
    Welch,
    /// Relative lift, Student's t.
    LiftT,
    /// Relative lift, normal.
    LiftNormal,
    /// Welch's t test after CUPED; needs `pre`.
    Cuped,
    /// Difference of ratio metrics; needs `denominator`.
    Ratio,
    /// Welch's t test of means capped at the 99th percentile of both arms together.
    Winsorized,
    /// Beta-Binomial posterior.
    BetaBinomial,
    /// Gaussian posterior of the relative lift.
    Gaussian,
    /// GrowthBook's sequential rule on the relative lift.
    GrowthBook,
    /// mSPRT of the difference.
    Msprt,
    /// The e-process.
    EProcess,
}

impl Method {
    /// Every method, in the order of tables.
    pub const ALL: [Self; 14] = [
        Self::EProcess,
        Self::ZPooled,
        Self::ZUnpooled,
        Self::Newcombe,
        Self::Welch,
        Self::LiftT,
        Self::LiftNormal,
        Self::Cuped,
        Self::Ratio,
        Self::Winsorized,
        Self::BetaBinomial,
        Self::Gaussian,
        Self::GrowthBook,
        Self::Msprt,
    ];

    /// Its key in results and options.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::ZPooled => "z_pooled",
            Self::ZUnpooled => "z_unpooled",
            Self::Newcombe => "newcombe",
            Self::Welch => "welch",
            Self::LiftT => "lift_t",
            Self::LiftNormal => "lift_normal",
            Self::Cuped => "cuped",
            Self::Ratio => "ratio",
            Self::Winsorized => "winsorized",
            Self::BetaBinomial => "beta_binomial",
            Self::Gaussian => "gaussian",
            Self::GrowthBook => "growthbook",
            Self::Msprt => "msprt",
            Self::EProcess => "e_process",
        }
    }

    /// The method of a key; hyphens count as underscores.
    #[must_use]
    pub fn from_key(key: &str) -> Option<Self> {
        let key = key.trim().replace('-', "_");
        Self::ALL.into_iter().find(|method| method.key() == key)
    }
}

/// Options of an analysis.
#[derive(Debug, Clone, PartialEq)]
pub struct AnalyzeOptions {
    /// Methods to use; empty for all that fit the data.
    pub methods: Vec<Method>,
    /// The rule of the verdict; its error budget is the level of all intervals.
    pub rule: PromotionRule,
    /// The metric: a column of unit rows and streams, a metric id of snapshots.
    pub metric: Option<String>,
    /// The control's name.
    pub control: Option<String>,
    /// How units were assigned.
    pub design: Design,
    /// Bounds declared for the outcome.
    pub bounds: Option<(f64, f64)>,
    /// Whether the arms share people who can run short, so that a user split may mislead.
    pub shared_pool: bool,
    /// Upper bound of the bias that sharing can make, from a simulation, in units of the outcome.
    pub interference_bound: Option<f64>,
    /// Length of a switchback's or split pool's block, in seconds.
    pub block_secs: Option<f64>,
    /// Washout at the start of each block, in seconds.
    pub washout_secs: f64,
    /// Correction of p-values over several challengers.
    pub correction: Correction,
    /// Intervals at several looks, for a page.
    pub detailed: bool,
}

impl AnalyzeOptions {
    /// All methods, a user split, a rule of statistics alone.
    #[must_use]
    pub fn new(rule: PromotionRule) -> Self {
        Self {
            methods: Vec::new(),
            rule,
            metric: None,
            control: None,
            design: Design::User,
            bounds: None,
            shared_pool: false,
            interference_bound: None,
            block_secs: None,
            washout_secs: 0.0,
            correction: Correction::Holm,
            detailed: false,
        }
    }

    /// Whether a method was asked for.
    #[must_use]
    pub fn wants(&self, method: Method) -> bool {
        self.methods.is_empty() || self.methods.contains(&method)
    }
}
