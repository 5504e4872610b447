//! Exact queueing theory: what a queue of people does, without simulating it.
//!
//! Customers arrive at random times (Poisson) and are served first come, first served by `n` people. The loss system is
//! [`loss_probability`] (Erlang B), patience without end is [`ErlangC`], limited patience of any law is [`Impatient`]
//! (Erlang A when it is exponential), fixed service times are [`FixedService`], one server with any service law is
//! [`SingleServer`], priorities are [`priority_waits_s`], and [`fewest`] asks how many people a target takes. Everything
//! is exact up to rounding (about 1e-10, relative) from one server to 100,000 and more.
//!
//! The simulator in [`crate::queue`] is held to these values, and they plan people where their assumptions hold.

mod fixed_service;
mod impatient;
mod integral;
mod loss;
mod patience;
mod priority;
mod single;
mod staffing;
#[cfg(test)]
mod tests;
mod traffic;
mod waiting;

pub use self::fixed_service::FixedService;
pub use self::impatient::Impatient;
pub use self::loss::loss_probability;
pub(crate) use self::patience::lognormal_parameters;
pub use self::patience::{PatienceLaw, Samples};
pub use self::priority::priority_waits_s;
pub use self::single::SingleServer;
pub use self::staffing::{Target, TargetError, fewest};
pub use self::traffic::{ErlangError, Traffic};
pub use self::waiting::ErlangC;
