//! The whole system from outside: every command of the `tierwise` binary, on tiny shops and on bad input.
//!
//! Each test works in a folder of its own. Data that the repository does not hold (the STAR corpus, the exact tier model)
//! is looked for in `../shared` and in `TIERWISE_DATA`; tests that miss it say that they are skipped.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a whole test crate, of which clippy takes only the `#[test]` functions for tests"
)]

mod artefacts;
mod calibrate;
mod configs;
mod desk;
mod errors;
mod full_disk;
mod help;
mod inputs;
mod logs;
mod offline_loop;
mod resume;
mod same_bytes;
mod shared;
mod star;
mod sweep;
mod tier_mdp;
