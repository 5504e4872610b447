//! The library that joins the world, its policies and their reports under the `tierwise` command.
//!
//! Configuration, training runs, judging, and the command line. See ARCHITECTURE.md for the map.

pub mod analysis;
pub mod cli;
pub mod config;
pub mod failure;
pub mod router;
pub mod run;
pub mod stats;
pub mod store;
