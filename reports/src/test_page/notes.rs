//! What a reader should know about a test's numbers, in either language.

use serde::{Deserialize, Serialize};

use crate::number;
use crate::text::{Language, Phrase, Words};

/// A remark on how numbers came about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "note", rename_all = "snake_case")]
#[non_exhaustive]
pub enum TestNote {
    /// Further exposures of units that were counted already.
    RepeatedExposures {
        /// How many.
        count: u64,
    },
    /// Further rows of units that were counted already.
    RepeatedRows {
        /// How many.
        count: u64,
    },
    /// Empty cells of the value before the test.
    EmptyPre {
        /// How many.
        count: u64,
    },
    /// Outcomes scaled onto 0 to 1.
    Scaled {
        /// Lower bound declared.
        lower: f64,
        /// Upper bound declared.
        upper: f64,
    },
    /// Snapshots without numbers.
    EmptySnapshots {
        /// How many.
        count: u64,
    },
    /// Snapshots that lost units.
    ShrunkSnapshots {
        /// How many.
        count: u64,
    },
    /// Steps in which one arm alone gained units.
    GainsOfOneArm {
        /// How many.
        steps: u64,
    },
    /// Snapshots log no shares.
    NoShares,
    /// Conversions that arrive after the snapshot of their unit.
    LateConversions,
    /// Judged by a normal mixture.
    NormalMixture {
        /// Units of each arm below which it decides nothing.
        units: u64,
    },
    /// Shares changed during the test.
    SharesChanged {
        /// How often.
        times: u64,
    },
    /// Judged by pairs of blocks of time.
    Pairs {
        /// Pairs used.
        pairs: u64,
        /// Pairs left out.
        incomplete: u64,
        /// Units left out.
        washed_out: u64,
    },
    /// Judged by blocks of time of a split pool.
    PoolBlocks {
        /// Blocks used.
        blocks: u64,
        /// Blocks left out.
        incomplete: u64,
        /// Units left out.
        washed_out: u64,
    },
    /// Totals of conversions, looked at once.
    OneLook,
    /// Totals of other outcomes, looked at once.
    OneLookOfMeans,
    /// Strata were not declared in a rule.
    StrataOfFile {
        /// How many.
        count: u64,
    },
    /// Strata take no part in the verdict.
    StrataNotJudged,
}

impl TestNote {
    /// The remark in words.
    #[must_use]
    pub fn text(&self, language: Language) -> String {
        self.say(Words::new(language))
    }

    pub(super) fn say(&self, words: Words) -> String {
        let counted = |phrase, count: u64| words.fill(phrase, &[("count", &number::count(count))]);
        let blocks = |phrase, blocks: u64, incomplete: u64, washed_out: u64| {
            words.fill(
                phrase,
                &[
                    ("count", &number::count(blocks)),
                    ("incomplete", &number::count(incomplete)),
                    ("washed", &number::count(washed_out)),
                ],
            )
        };
        let bound = |value: f64| {
            if value.is_finite() {
                value.to_string()
            } else {
                number::MISSING.to_owned()
            }
        };
        match self {
            Self::RepeatedExposures { count } => counted(Phrase::NoteRepeatedExposures, *count),
            Self::RepeatedRows { count } => counted(Phrase::NoteRepeatedRows, *count),
            Self::EmptyPre { count } => counted(Phrase::NoteEmptyPre, *count),
            Self::Scaled { lower, upper } => words.fill(
                Phrase::NoteScaled,
                &[("lower", &bound(*lower)), ("upper", &bound(*upper))],
            ),
            Self::EmptySnapshots { count } => counted(Phrase::NoteEmptySnapshots, *count),
            Self::ShrunkSnapshots { count } => counted(Phrase::NoteShrunkSnapshots, *count),
            Self::GainsOfOneArm { steps } => counted(Phrase::NoteGainsOfOneArm, *steps),
            Self::NoShares => words.say(Phrase::NoteNoShares).to_owned(),
            Self::LateConversions => words.say(Phrase::NoteLateConversions).to_owned(),
            Self::NormalMixture { units } => counted(Phrase::NoteNormalMixture, *units),
            Self::SharesChanged { times } => counted(Phrase::NoteSharesChanged, *times),
            Self::Pairs {
                pairs,
                incomplete,
                washed_out,
            } => blocks(Phrase::NotePairs, *pairs, *incomplete, *washed_out),
            Self::PoolBlocks {
                blocks: used,
                incomplete,
                washed_out,
            } => blocks(Phrase::NotePoolBlocks, *used, *incomplete, *washed_out),
            Self::OneLook => words.say(Phrase::NoteOneLook).to_owned(),
            Self::OneLookOfMeans => words.say(Phrase::NoteOneLookOfMeans).to_owned(),
            Self::StrataOfFile { count } => counted(Phrase::NoteStrataOfFile, *count),
            Self::StrataNotJudged => words.say(Phrase::NoteStrataNotJudged).to_owned(),
        }
    }
}
