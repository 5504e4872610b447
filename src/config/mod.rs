//! Configuration: TOML files into checked structs, with errors that name file, line, key and range.

mod assumed;
mod promotion;
mod simulation;
mod toml_file;
mod training;

pub use self::assumed::{Assumed, AssumedTier};
pub use self::promotion::load_rule;
pub use self::simulation::{Before, Claim, ClaimMeasure, Simulation};
pub use self::toml_file::{ConfigError, TomlFile};
pub use self::training::{
    Baseline, Environment, ReplayMode, Serve, Split, Sweep, SweepMethod, TrainConfig, Training,
};
