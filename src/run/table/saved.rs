//! The judgement of a table as it is kept in a run directory.

use std::fs::File;
use std::path::Path;

use serde::{Deserialize, Serialize};
use tierwise_policies::ope::{FqeMode, TableJudgement};

use super::TableQuestion;
use crate::failure::Failure;

/// A judgement with everything needed to repeat it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SavedTable {
    /// The program.
    pub created_by: String,
    /// The table judged, as it was named.
    pub table: String,
    /// BLAKE3 hash of its bytes.
    pub table_hash: String,
    /// What was asked, resolved.
    pub question: TableQuestion,
    /// What was found.
    pub judgement: TableJudgement,
}

impl SavedTable {
    /// The judgement of a file.
    ///
    /// # Errors
    /// A [`Failure`] when the file is gone.
    pub fn new(
        path: &Path,
        question: &TableQuestion,
        judgement: TableJudgement,
    ) -> Result<Self, Failure> {
        let mut hasher = blake3::Hasher::new();
        File::open(path)
            .and_then(|mut input| std::io::copy(&mut input, &mut hasher))
            .map_err(|error| Failure::at(path, error.to_string()))?;
        Ok(Self {
            created_by: format!("tierwise {}", env!("CARGO_PKG_VERSION")),
            table: path.display().to_string(),
            table_hash: hasher.finalize().to_hex().to_string(),
            question: question.clone(),
            judgement,
        })
    }

    /// The command that judges the table again, as far as it was not left to defaults.
    #[must_use]
    pub fn command(&self) -> String {
        let (asked, usual) = (&self.question, TableQuestion::default());
        let mut command = format!("tierwise evaluate --table {}", self.table);
        let mut flag = |said: bool, text: String| {
            if said {
                command.push(' ');
                command.push_str(&text);
            }
        };
        flag(
            !asked.estimators.is_empty(),
            format!("--estimators {}", asked.estimators.join(",")),
        );
        flag(
            asked.interval != usual.interval,
            format!("--interval {}", asked.interval),
        );
        flag(
            asked.level != usual.level,
            format!("--level {}", asked.level),
        );
        let (plan, plain) = (asked.bootstrap, usual.bootstrap);
        flag(
            plan.resamples != plain.resamples,
            format!("--resamples {}", plan.resamples),
        );
        flag(plan.seed != plain.seed, format!("--seed {}", plan.seed));
        if let Some((low, high)) = asked.range {
            flag(true, format!("--range {low},{high}"));
        }
        if let Some(weight) = asked.max_weight {
            flag(true, format!("--max-weight {weight}"));
        }
        if let Some(model) = asked.model {
            let name = format!("{model:?}").to_lowercase();
            flag(true, format!("--model {name}"));
        }
        flag(
            asked.estimate_propensity,
            "--estimate-propensity".to_owned(),
        );
        if let Some(gamma) = asked.gamma {
            flag(true, format!("--gamma {gamma}"));
        }
        if let Some(rows) = asked.rows {
            flag(true, format!("--rows {rows}"));
        }
        for policy in &asked.policies {
            flag(true, format!("--policy {}", policy.display()));
        }
        if let Some(baseline) = &asked.baseline {
            flag(true, format!("--baseline {baseline}"));
        }
        flag(
            asked.judged_before > 0,
            format!("--judged-before {}", asked.judged_before),
        );
        let (gate, usual_gate) = (asked.gate, usual.gate);
        flag(
            gate.min_effective_sample_size != usual_gate.min_effective_sample_size,
            format!("--min-effective {}", gate.min_effective_sample_size),
        );
        flag(
            gate.max_weight_share != usual_gate.max_weight_share,
            format!("--max-share {}", gate.max_weight_share),
        );
        flag(
            asked.sequence.discount != usual.sequence.discount,
            format!("--discount {}", asked.sequence.discount),
        );
        flag(
            asked.sequence.fqe == FqeMode::TimeIndexed,
            "--fqe time-indexed".to_owned(),
        );
        flag(asked.compare, "--out RUN".to_owned());
        command
    }
}
