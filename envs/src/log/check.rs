//! What a log holds, and what may and may not be claimed from it.
//!
//! One streaming pass fills a [`LogCheck`]; each [`Claim`] turns its counts into a statement in plain words. The gate
//! a user passes before training or judging anything on a log.

mod claims;
mod render;
mod tally;
mod time;

use std::path::Path;

use serde::Serialize;

pub use self::claims::{Claim, ClaimKind};
use self::tally::Tally;
pub use self::time::{Gap, Span};
use super::error::{LogError, RowErrorKind};
use super::file::LogReader;
use super::model::Conversation;
use crate::class::{ActionSource, Class, SatisfactionSource};
use crate::reward::{NoReward, RewardSpec};

/// Decisions of one class and language by tier.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CompositionRow {
    /// Class of the conversation, `None` where unknown.
    pub class: Option<Class>,
    /// Primary language subtag, `None` where unknown, `*` for those beyond the first hundred.
    pub language: Option<String>,
    /// Decisions at tiers 1 to 3.
    pub by_tier: [u64; 3],
}

/// How much of the log is labelled.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Labels {
    /// Conversations with a class.
    pub class: u64,
    /// Conversations with an intent.
    pub intent: u64,
    /// Conversations with a raw rating.
    pub rating: u64,
    /// Conversations by the source that satisfaction would come from, best source first; none is not listed.
    pub satisfaction: Vec<(SatisfactionSource, u64)>,
    /// Conversations whose satisfaction a customer gave and whose answers all came from one tier, by that tier.
    pub satisfaction_by_tier: [u64; 3],
    /// Conversations whose clicks and purchases were tracked.
    pub outcomes_tracked: u64,
    /// Conversations with a click.
    pub clicked: u64,
    /// Conversations with a purchase.
    pub converted: u64,
    /// Turns with their text.
    pub texts: u64,
}

/// How many conversations have a reward, and why the others have none.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Rewards {
    /// Version of the reward parameters.
    pub version: String,
    /// Conversations with a reward.
    pub computable: u64,
    /// Of these, with human seconds that are the tier's default.
    pub cost_assumed: u64,
    /// Mean reward of those computable.
    pub mean: Option<f64>,
    /// Conversations without, by reason.
    pub refused: Vec<(NoReward, u64)>,
    /// Median cost of conversations handled fully at tier 3, in currency units: a candidate for `reference_cost`.
    pub reference_cost: Option<f64>,
}

/// The logging policy's probabilities.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Propensities {
    /// Actions with a logged propensity.
    pub exact: u64,
    /// Actions with an estimated one.
    pub estimated: u64,
    /// Actions with none.
    pub absent: u64,
    /// The smallest.
    pub min: Option<f64>,
    /// 1 / min: the largest weight that a policy certain of the action would get.
    pub max_weight: Option<f64>,
    /// Actions whose whole probability vector was logged.
    pub with_vector: u64,
    /// Rows refused because propensity and vector disagree or are no probabilities.
    pub mismatches: u64,
}

/// Actions of one class at one tier.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct OverlapCell {
    /// Actions taken.
    pub count: u64,
    /// Share within the class, 0 to 1.
    pub share: f64,
    /// Smallest propensity among them, where logged.
    pub min_propensity: Option<f64>,
}

/// Which tiers were tried for one class.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OverlapRow {
    /// The class labelled, else the live guess; `None` where both are unknown.
    pub class: Option<Class>,
    /// Tiers 1 to 3.
    pub tiers: [OverlapCell; 3],
}

/// How often a feature is missing.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Missing {
    /// The feature's name.
    pub feature: &'static str,
    /// Share of decisions without it, 0 to 1.
    pub share: f64,
}

/// Rows that could not be used, by fault and column.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RowErrors {
    /// What sort of fault.
    pub kind: RowErrorKind,
    /// The column, without positions.
    pub column: String,
    /// How many rows.
    pub count: u64,
    /// The first of them, in full.
    pub example: String,
}

/// What a log holds and what may be claimed from it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct LogCheck {
    /// The log.
    pub file: String,
    /// Digest of its content, as [`super::hash::ContentHasher`] defines it.
    pub hash: String,
    /// Conversations that can be used.
    pub conversations: u64,
    /// Decisions in them.
    pub decisions: u64,
    /// Messages in them.
    pub turns: u64,
    /// Systems they come from.
    pub source_systems: Vec<(String, u64)>,
    /// First to last arrival, and what is missing in between.
    pub span: Option<Span>,
    /// Decisions by class, language and tier, most frequent first.
    pub composition: Vec<CompositionRow>,
    /// How much is labelled.
    pub labels: Labels,
    /// How much can be rewarded.
    pub rewards: Rewards,
    /// The logging policy's probabilities.
    pub propensities: Propensities,
    /// Decisions by who chose.
    pub action_sources: Vec<(ActionSource, u64)>,
    /// Actions by class and tier.
    pub overlap: Vec<OverlapRow>,
    /// Decisions with the number of busy people.
    pub with_pool_state: u64,
    /// Features that are missing somewhere, most often missing first.
    pub missing_features: Vec<Missing>,
    /// Rows that cannot be used.
    pub row_errors: Vec<RowErrors>,
    /// What may and may not be said.
    pub claims: Vec<Claim>,
}

impl LogCheck {
    /// Checks a log by its file name.
    ///
    /// # Errors
    /// Whatever ends the reading early; [`LogError::Empty`] when there is no row at all.
    pub fn read(path: impl AsRef<Path>, spec: &RewardSpec) -> Result<Self, LogError> {
        let path = path.as_ref();
        Self::of(LogReader::open(path)?, path, spec)
    }

    /// Checks rows as they come; `path` names the log.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn of(
        rows: impl IntoIterator<Item = Result<Conversation, LogError>>,
        path: &Path,
        spec: &RewardSpec,
    ) -> Result<Self, LogError> {
        let mut tally = Tally::new(spec);
        for row in rows {
            match row {
                Ok(conversation) => tally.count(&conversation),
                Err(LogError::Row(error)) => tally.count_error(&error),
                Err(fatal) => return Err(fatal),
            }
        }
        if tally.is_empty() {
            return Err(LogError::Empty {
                file: path.to_owned(),
            });
        }
        let mut check = tally.finish(path);
        check.claims = claims::of(&check);
        Ok(check)
    }

    /// Rows that cannot be used.
    #[must_use]
    pub fn broken_rows(&self) -> u64 {
        self.row_errors.iter().map(|errors| errors.count).sum()
    }

    /// Actions: decisions of a policy or a rule.
    #[must_use]
    pub fn actions(&self) -> u64 {
        self.overlap
            .iter()
            .flat_map(|row| &row.tiers)
            .map(|cell| cell.count)
            .sum()
    }

    /// A claim by its kind.
    #[must_use]
    pub fn claim(&self, what: ClaimKind) -> Option<&Claim> {
        self.claims.iter().find(|claim| claim.what == what)
    }

    /// The whole check as text for a terminal of 100 columns.
    #[must_use]
    pub fn render(&self) -> String {
        render::text(self)
    }
}

#[cfg(test)]
mod tests;
