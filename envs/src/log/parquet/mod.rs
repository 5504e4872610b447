//! The log as two Parquet tables: `X.parquet` (conversations) and `X.decisions.parquet` (decisions).
//!
//! Owns the columns, their nesting and the pair's agreement. Both tables are in the order of the log and are read in
//! step; both carry the log's content hash, so that a half-replaced pair is noticed. Where the files lie and how they
//! appear is left to [`super::file`]; loading only the columns a loop needs, to [`super::columns`].

mod blank;
mod cell;
mod leaf;
mod project;
mod read;
mod schema;
mod write;

use std::path::{Path, PathBuf};

pub(super) use self::cell::{check_feature, feature_column};
pub(super) use self::project::Projection;
pub(super) use self::read::ParquetReader;
pub(super) use self::write::ParquetWriter;

/// Metadata key: which of the two tables a file holds.
const TABLE_KEY: &str = "tierwise.table";
/// Metadata key: version of the log's columns.
const LOG_SCHEMA_KEY: &str = "tierwise.log_schema";
/// Metadata key: version and fingerprint of the observation's features.
const FEATURE_SCHEMA_KEY: &str = "tierwise.feature_schema";
/// Metadata key: content hash of the log, the same in both tables.
const LOG_KEY: &str = "tierwise.log";

/// Where the decisions of `X.parquet` lie: `X.decisions.parquet`.
#[must_use]
pub fn decisions_path(conversations: &Path) -> PathBuf {
    conversations.with_extension("decisions.parquet")
}

/// Version and fingerprint of the features, as the metadata holds them.
fn feature_schema() -> String {
    format!(
        "{}:{}",
        crate::observation::SCHEMA_VERSION,
        crate::observation::schema_hash()
    )
}

#[cfg(test)]
mod tests;
