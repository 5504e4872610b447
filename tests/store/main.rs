//! The store from outside: one contract suite on both databases, and what happens when they fail.
//!
//! PostgreSQL joins when `TIERWISE_TEST_POSTGRES_URL` names a server on which databases may be created
//! (`scripts/with-postgres.sh` starts one); otherwise its tests say that they are skipped.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a whole test crate, of which clippy takes only the `#[test]` functions for tests"
)]

mod contract;
mod crash;
mod faults;
mod judge;
mod place;
mod random;
