//! Importers: other systems' exports become conversations of the log.

pub mod csv;
pub mod jsonl;
pub mod rejects;
pub mod star;
