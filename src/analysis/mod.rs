//! Analysis of anybody's experiment data: tables in, results and verdicts out.
//!
//! [`analyze`] reads one file, finds its experiments and judges each by the methods of [`crate::stats`]. Nothing here
//! computes a statistic of its own.

mod error;
mod input;
mod judge;
mod load;
mod methods;
mod options;
mod page;
mod result;
mod saved;
mod table;

pub use self::error::AnalysisError;
pub use self::judge::analyze;
pub use self::options::{AnalyzeOptions, Method};
pub use self::page::test_page;
pub(crate) use self::page::verdict as verdict_value;
pub use self::result::{
    Analysis, AnyLookInterval, ArmResult, Check, CheckRole, Design, ExperimentResult, Guarantee,
    IntervalScale, Look, MethodResult, SampleRatio, Scale, Sequential, TimeValue, When,
};
pub use self::saved::SavedAnalysis;
