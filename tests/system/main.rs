//! The whole system from outside: every command of the `tierwise` binary, on tiny shops and on bad input.
//!
//! Each test works in a folder of its own. Data that the repository does not hold (the STAR corpus, the exact tier model)
//! is looked for in `../shared` and in `TIERWISE_DATA`; tests that miss it say that they are skipped.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a whole test crate, of which clippy takes only the `#[test]` functions for tests"
)]

mod analyze;
mod artefacts;
mod calibrate;
mod centre;
mod configs;
mod desk;
mod errors;
mod forecast;
mod full_disk;
mod help;
mod inputs;
mod learned;
mod logs;
mod off_policy;
mod offline_loop;
mod queue;
mod resume;
mod router_disk;
mod same_bytes;
mod shared;
mod star;
mod sweep;
mod table;
mod tier_mdp;
mod traffic;
mod verdicts;
