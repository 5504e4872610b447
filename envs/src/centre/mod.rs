//! A contact centre: customers arrive, people are shared and finite, and every choice makes somebody else wait.
//!
//! An event-driven semi-Markov simulator. Customers, messages and what answers lead to are the shop's
//! ([`crate::shop::World`]); here they meet AI workers with limited replicas and people in teams with languages, shifts,
//! breaks and several chats at once. Whoever finds nobody free waits, and leaves when patience ends. A tier is chosen at
//! each customer message, with the busy shares, queues and expected waits of that moment in the observation.
//!
//! [`Centre`] is the engine: [`Centre::advance`] runs to the next [`Happening`], [`Centre::act`] takes a tier. Arrivals and
//! luck belong to the replica's seed and not to the policy, so policies are compared on the same customers.

mod agenda;
mod ai;
mod arrivals;
mod config;
mod conversation;
mod customer;
pub mod design;
mod ending;
mod engine;
mod log;
mod observe;
mod outage;
mod people;
mod price;
mod roster;
mod sensitivity;
mod serve;
mod simulate;
mod stage;
mod tally;
#[cfg(test)]
mod tests;
mod trace;

pub use self::config::{
    AiConfig, BreakConfig, BusinessHours, CentreConfig, CentreConfigError, Day, DecisionPoint,
    MAX_TEAMS, OutageConfig, PoolConfig, Spread, TeamConfig,
};
pub use self::conversation::{Answer, Closed};
pub use self::engine::{Centre, Happening, Keep, Share};
pub use self::log::generate_log;
pub use self::price::{PriceSettings, Prices};
pub use self::sensitivity::{
    Knob, Latin, NamedPolicy, OneAtATime, Ranking, Sensitivity, SensitivityPlan, sensitivity,
};
pub use self::simulate::{Replica, TimelinePoint, replicate, run, simulate};
pub use self::stage::{CentreError, Stage};
pub use self::tally::{CentreKpi, KPIS, Moments, PoolHour, SecondsHistogram, Tally, TierHour};
pub use self::trace::{LeftOut, Trace, Traced};
