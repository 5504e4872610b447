//! Configuration: TOML files into checked structs, with errors that name file, line, key and range.

mod simulation;
mod toml_file;
mod training;

pub use self::simulation::{Before, Claim, ClaimMeasure, Simulation};
pub use self::toml_file::{ConfigError, TomlFile};
pub use self::training::{
    Assumed, AssumedTier, Baseline, Environment, ReplayMode, Serve, Split, Sweep, SweepMethod,
    TrainConfig, Training,
};
