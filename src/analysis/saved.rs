//! An analysis as it is kept in a run directory.

use std::fs::File;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::error::AnalysisError;
use super::options::AnalyzeOptions;
use super::result::Analysis;
use crate::stats::verdict::PromotionRule;

/// Results with everything needed to repeat them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SavedAnalysis {
    /// The program.
    pub created_by: String,
    /// The file analysed, as it was named.
    pub file: String,
    /// BLAKE3 hash of its bytes.
    pub file_hash: String,
    /// The rule of the verdicts, resolved.
    pub rule: PromotionRule,
    /// Methods asked for; empty for all.
    pub methods: Vec<String>,
    /// What was found.
    pub analysis: Analysis,
}

impl SavedAnalysis {
    /// Results of a file.
    ///
    /// # Errors
    /// [`AnalysisError::Unreadable`] when the file is gone.
    pub fn new(
        file: &Path,
        options: &AnalyzeOptions,
        analysis: Analysis,
    ) -> Result<Self, AnalysisError> {
        let mut hasher = blake3::Hasher::new();
        File::open(file)
            .and_then(|mut input| std::io::copy(&mut input, &mut hasher))
            .map_err(|error| AnalysisError::Unreadable {
                file: file.to_owned(),
                reason: error.to_string(),
            })?;
        Ok(Self {
            created_by: format!("tierwise {}", env!("CARGO_PKG_VERSION")),
            file: file.display().to_string(),
            file_hash: hasher.finalize().to_hex().to_string(),
            rule: options.rule.clone(),
            methods: options
                .methods
                .iter()
                .map(|method| method.key().to_owned())
                .collect(),
            analysis,
        })
    }
}
