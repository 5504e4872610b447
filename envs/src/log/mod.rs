//! The conversation log: its rows, its two file formats, and what may be claimed from it.
//!
//! [`mod@file`] reads and writes a log by its name, [`validate`] keeps its promises, [`columns`] holds it as arrays for
//! loops. How other systems' exports become conversations is left to [`crate::import`].

pub mod check;
pub mod columns;
pub mod error;
pub mod file;
pub mod hash;
mod json_path;
pub mod jsonl;
pub mod model;
pub mod outcome;
pub mod parquet;
#[cfg(test)]
pub(crate) mod samples;
pub mod validate;
