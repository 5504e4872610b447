//! Runs: training, judging and sweeping, and what they leave in a run directory.
//!
//! A run directory holds the resolved configuration, seeds, versions, input hashes and results as JSON, so that the run
//! can be repeated and its report redrawn without running anything.

mod bench;
mod centre;
mod data;
mod designs;
mod directory;
mod evaluate;
mod evaluation;
mod judge;
mod judged;
mod ledger;
pub mod live_log;
mod off_policy;
mod overlap;
mod page;
mod replayed;
mod seeds;
mod support;
mod sweep;
mod table;
pub mod traffic;
mod train;

pub use self::bench::Score;
pub use self::centre::{
    Band, ClaimResult, HourOfTier, Interval, LanguageResult, LeftByHour, LoadOfClass, NamedPolicy,
    OutageResult, PolicyResult, PoolOfHour, SimulationResult, StaffedHour, StaffingResult,
    centre_page, centre_stage, is_simulation, policy_named, save_simulation, simulate_policies,
};
pub use self::data::{LoadedLog, Part};
pub use self::designs::{
    DesignOptions, DesignPlan, Designs, RefusedDesign, designs, render as render_designs,
    save_designs,
};
pub use self::directory::{RunDirectory, RunError};
pub(crate) use self::directory::{read_json, write_json, write_whole};
pub use self::evaluate::{EvaluateOptions, evaluate, save_evaluation, save_log_check};
pub use self::evaluation::{
    AS_LOGGED, Alternative, BASELINE, Basis, Bounds, Difference, Evaluation, Judged, Value,
    VerdictKind, VerdictResult,
};
pub use self::judged::{Propensities, StateChoice};
pub use self::ledger::Ledger;
pub use self::off_policy::{JudgedRows, OffPolicy, OffPolicyQuestion, PolicyJudgement};
pub use self::overlap::Unsupported;
pub use self::page::{offline_page, write_page};
pub use self::replayed::{LogCorrection, ReplayMean, Replayed, replay_stage, replayed};
pub use self::seeds::{CurvePoint, SeedResult};
pub use self::sweep::{SweepResult, SweepTrial, sweep};
pub use self::table::{SavedTable, TableQuestion, judge_table, table_page};
pub(crate) use self::train::shop_world;
pub use self::train::{
    LogNotes, MdpNotes, TableTrainResult, TableTraining, TollTried, TrainInput, TrainOptions,
    TrainResult, train, train_table,
};
