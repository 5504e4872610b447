//! An experiment: what it compares, where it stands, and the history of its allocation.
//!
//! [`Definition`] is what people write and never changes after the start; [`Experiment`] adds the phase and one
//! [`Revision`] per change of weights. [`Experiment::apply`] is the whole state machine: every change of a live test goes
//! through it, whoever asks, and what it refuses changes nothing.

mod definition;
mod metric;
mod phase;
mod targeting;

pub use self::definition::{
    ArmDefinition, Definition, DefinitionFault, Design, Guardrail, Layer, Pool, Secondary, Strata,
    Switchback,
};
pub use self::metric::{Metric, Outcome};
pub use self::phase::{Action, Experiment, Phase, Refused, Revision};
pub use self::targeting::Condition;
