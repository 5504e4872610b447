//! The conversation log: its rows, its two file formats, and what may be claimed from it.

pub mod check;
pub mod columns;
pub mod file;
pub mod jsonl;
pub mod model;
pub mod parquet;
pub mod validate;
