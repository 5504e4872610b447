//! A log, loaded once and cut by time.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tierwise_envs::class::Class;
use tierwise_envs::log::file::LogReader;
use tierwise_envs::replay::{AssumedCell, Episodes, EpisodesBuilder, OutcomeModel, SurveyNotes};
use tierwise_envs::reward::RewardSpec;
use tierwise_envs::tier::Tier;

use super::directory::RunError;
use crate::config::{Assumed, Split};

/// A part of a log, by time of arrival.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// The earliest conversations: learned from.
    Train,
    /// The middle: seeds and settings are chosen on it.
    Tune,
    /// The latest: seen by no learner.
    Judge,
    /// Everything; for logs that no policy learned from.
    All,
}

/// A log in memory.
#[derive(Debug, Clone)]
pub struct LoadedLog {
    /// Where it was read from.
    pub path: PathBuf,
    /// Content hash of the whole log.
    pub hash: String,
    /// Its conversations with decisions, in order of arrival.
    pub episodes: Arc<Episodes>,
    /// The reward it was read under.
    pub reward: RewardSpec,
}

impl LoadedLog {
    /// Reads a whole log under a reward.
    ///
    /// # Errors
    /// [`RunError::Log`] at the first row that is broken; [`RunError::Unusable`] for a log without decisions.
    pub fn read(path: &Path, reward: &RewardSpec) -> Result<Self, RunError> {
        let mut reader = LogReader::open(path)?.hashing().non_empty()?;
        let mut builder = EpisodesBuilder::new(reward.clone(), true);
        for conversation in reader.by_ref() {
            builder.push(&conversation?);
        }
        let hash = reader.content_hash().unwrap_or_default();
        let episodes = builder.finish();
        if episodes.is_empty() {
            return Err(RunError::unusable(
                format!("{}: no conversation has a decision", path.display()),
                "there is nothing to learn from or to judge",
                "import the log with its tier decisions; `tierwise log check` shows what it holds",
            ));
        }
        Ok(Self {
            path: path.to_owned(),
            hash,
            episodes: Arc::new(episodes),
            reward: reward.clone(),
        })
    }

    /// Rows of a part, in order of arrival.
    #[must_use]
    pub fn rows(&self, part: Part, split: Split) -> Vec<usize> {
        let n = self.episodes.len();
        let cut = |share: f64| ((n as f64 * share).round() as usize).min(n);
        let (tune, judge) = (cut(split.train), cut(split.train + split.tune));
        match part {
            Part::Train => (0..tune).collect(),
            Part::Tune => (tune..judge).collect(),
            Part::Judge => (judge..n).collect(),
            Part::All => (0..n).collect(),
        }
    }

    /// The conversations of a part, satisfaction filled in from that part alone.
    ///
    /// # Errors
    /// [`RunError::Unusable`] when the part is empty.
    pub fn part(&self, part: Part, split: Split) -> Result<(Arc<Episodes>, SurveyNotes), RunError> {
        let rows = self.rows(part, split);
        if rows.is_empty() {
            return Err(RunError::unusable(
                format!(
                    "{}: {} conversations are too few to cut into train, tune and judge",
                    self.path.display(),
                    self.episodes.len()
                ),
                "every part needs at least one conversation",
                "take a longer log, or move the cuts in `[split]`",
            ));
        }
        let mut episodes = self.episodes.select(&rows);
        let notes = episodes.fill_satisfaction(&self.reward);
        Ok((Arc::new(episodes), notes))
    }
}

/// Fits the outcome model to conversations, with the configured assumptions for what they lack.
pub(super) fn outcome_model(log: &Episodes, assumed: &Assumed) -> Result<OutcomeModel, RunError> {
    let cell = |class: Class, tier: Tier| {
        let (_, tier) = assumed.named()[tier.index()];
        tier.map(|tier| AssumedCell {
            satisfaction: tier.satisfaction[class.index()],
            answer_s: tier.answer_s[class.index()],
            human_s: tier.human_s[class.index()],
            source: tier.source.clone(),
        })
    };
    Ok(OutcomeModel::fit(log, cell)?)
}
