//! Plain values in, one self-contained HTML page out.
//!
//! This crate defines the values a report is made of ([`OfflinePage`] for a log, [`OffPolicyPage`] for any logged table,
//! [`CentrePage`] for a simulated contact centre, [`TestPage`] for finished tests, [`OnlinePage`] for a live one, and their
//! parts) and draws them: inline CSS and SVG, no script, no network, English or
//! Chinese, readable in light, dark, on paper and on a phone. It knows no policy
//! and no database; whoever runs an experiment fills the values. Pages are
//! deterministic: the same values give the same bytes.

mod block;
mod centre;
mod charts;
mod error;
mod kpi;
mod measure;
mod number;
mod off_policy;
mod online;
mod page;
mod provenance;
mod reason;
mod sensitivity;
mod shell;
mod support;
mod table;
mod test_page;
mod text;
mod uncertain;
mod verdict;

pub use centre::{
    ArticleComparison, ArticleFigure, ArticleRow, BandCoverage, Calibration, CentrePage,
    CentreSection, Counterpart, Coupling, CouplingComparison, CouplingResult, DesignComparison,
    DesignResult, FittedParameter, HourPeople, HourShare, HourWaits, HourlyVolume,
    OmittedCentreSection, Outage, OutagePoint, ParameterSamples, ParameterSensitivity,
    ParameterSource, ParameterSwing, PolicyHours, PolicyOutage, PolicyQueueEffect, PolicyRouting,
    PolicyWaits, PoolLoad, PoolsByHour, PredictiveCheck, ProbabilityScore, QuantilePlot,
    QuantilePoint, QueueEffect, RankCount, RankFlip, ReliabilityBin, ReplicaPlan, ReplicaPoint,
    Routing, RoutingCell, Staffing, StaffingHour, StaffingPlan, TestDesign, TierWaits, VolumeHour,
    WaitsByHour,
};
pub use charts::forest::{
    BaselineValue, Estimate, EstimateOutcome, EstimatorForest, PolicyEstimates,
};
pub use charts::learning_curve::{
    CurvePoint, LearningCurve, LearningCurves, ReferenceLine, StepUnit,
};
pub use charts::policy_map::{MapAxis, MapCell, PolicyMap};
pub use error::ReportError;
pub use kpi::{Kpi, KpiDifference, KpiTable, Kpis, PolicyKpis, PolicyRole, QueueKpis};
pub use measure::Measure;
pub use off_policy::{
    CandidateRanking, LoggedValue, MoreData, OffPolicyPage, OverlapGroup, PropensityBin,
    RankedCandidate, TableEstimateRow, TableOverlap, TableReason, TableVerdict, WeightSpread,
    WeightsOfSize,
};
pub use online::{
    Asset, DashboardPage, DashboardRow, LiveFrame, LoginPage, OnlineArm, OnlineAssignment,
    OnlineChallenger, OnlineDesign, OnlineEntering, OnlineMetric, OnlineNumbers, OnlinePage,
    OnlinePhase, OnlinePool, OnlineRevision, OnlineRole, OnlineStep, OnlineStratum, OnlineWatched,
    RouterState, STYLESHEET, moment,
};
pub use page::{OfflinePage, OmittedSection, Section};
pub use provenance::{NamedValue, Provenance};
pub use reason::{Evidence, Reason, Sentence, TierName};
pub use sensitivity::{AlternativeReward, RewardDefinition};
pub use support::{Claim, ClaimTopic, LogGap, LogSupport, OverlapRow, PropensityKind};
pub use test_page::{
    TestBreak, TestNote, TestPage, TestVerdict, TestWaiting, TestedArm, TestedCheck,
    TestedExperiment, TestedGuarantee, TestedLook, TestedMethod, TestedRatio, TestedRole,
    TestedScale, TestedSequence, TestedTimes,
};
pub use text::Language;
pub use uncertain::{QuantityUnit, Uncertain};
pub use verdict::{Comparison, Verdict};
