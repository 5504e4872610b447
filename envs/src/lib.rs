//! The world tierwise decides in.
//!
//! Tiers, observations, masks and reward; the conversation log with its importers; and the environments in which
//! policies are tried. This crate knows no policy, no report, no database and no network.

pub mod calibrate;
pub mod centre;
pub mod check;
pub mod class;
pub mod discretise;
pub mod env;
pub mod erlang;
pub mod finite;
pub mod forecast;
pub mod import;
pub mod kpi;
pub mod log;
mod luck;
pub mod mask;
pub mod mdp;
pub mod observation;
pub mod queue;
pub mod replay;
pub mod reward;
pub mod shop;
pub mod tabular_view;
pub mod tier;
pub mod time;
