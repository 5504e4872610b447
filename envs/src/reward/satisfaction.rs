//! S: the best available evidence on a customer's satisfaction.

use serde::{Deserialize, Serialize};

use super::NoReward;
use crate::class::{RatingScale, SatisfactionSource};
use crate::time::UtcMicros;

/// One answer to a survey.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rating {
    /// The raw mark.
    pub raw: i64,
    /// Its scale.
    pub scale: RatingScale,
    /// When it was given, if known.
    #[serde(default)]
    pub at: Option<UtcMicros>,
}

/// A mark outside its scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("rating {raw} is outside its scale {scale}")]
pub struct RatingError {
    /// The raw mark.
    pub raw: i64,
    /// The scale it claims.
    pub scale: RatingScale,
}

impl Rating {
    /// S of the mark: 1–5 → (r − 1)/4, 1–3 → (r − 1)/2, bad/good → 0/1.
    ///
    /// # Errors
    /// [`RatingError`] for a mark outside the scale.
    pub fn satisfaction(&self) -> Result<f64, RatingError> {
        let (low, high) = match self.scale {
            RatingScale::FivePoint => (1, 5),
            RatingScale::ThreePoint => (1, 3),
            RatingScale::GoodBad => (0, 1),
        };
        if (low..=high).contains(&self.raw) {
            Ok((self.raw - low) as f64 / (high - low) as f64)
        } else {
            Err(RatingError {
                raw: self.raw,
                scale: self.scale,
            })
        }
    }
}

/// The rating that counts: the last one. Ratings without a time count as earlier than those with one; among equals
/// the later in the list wins.
#[must_use]
pub fn last_rating(ratings: &[Rating]) -> Option<Rating> {
    ratings.iter().copied().max_by_key(|rating| rating.at)
}

/// Everything known about a conversation's satisfaction.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct SatisfactionEvidence {
    /// The customer left unanswered: S = 0 whatever else is known.
    pub abandoned: bool,
    /// The last rating.
    pub rating: Option<Rating>,
    /// A value in [0, 1] derived by a documented rule (questionnaire, simulator), with its source.
    pub derived: Option<(f64, SatisfactionSource)>,
    /// m(x, tier): a frozen model's prediction in [0, 1], used when nobody answered.
    pub modelled: Option<f64>,
    /// Reopened, or escalated by the customer or an agent, within 7 days: S is halved. A policy's own choice of a
    /// higher tier is no escalation.
    pub came_back: bool,
}

/// S with its source.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Satisfaction {
    /// S in [0, 1].
    pub value: f64,
    /// Where it comes from.
    pub source: SatisfactionSource,
    /// From a two-point scale.
    pub coarse: bool,
}

impl SatisfactionEvidence {
    /// S from the best source: abandonment, rating, derived value, model.
    ///
    /// # Errors
    /// [`NoReward::SatisfactionUnknown`] without any; [`NoReward::Invalid`] for a value outside [0, 1] or a mark
    /// outside its scale.
    pub fn resolve(&self) -> Result<Satisfaction, NoReward> {
        if self.abandoned {
            return Ok(Satisfaction {
                value: 0.0,
                source: SatisfactionSource::Abandoned,
                coarse: false,
            });
        }
        let (value, source, coarse) = if let Some(rating) = self.rating {
            let value = rating.satisfaction().map_err(|_| NoReward::Invalid)?;
            (
                value,
                SatisfactionSource::Rating,
                rating.scale == RatingScale::GoodBad,
            )
        } else if let Some((value, source)) = self.derived {
            (value, source, false)
        } else if let Some(value) = self.modelled {
            (value, SatisfactionSource::Model, false)
        } else {
            return Err(NoReward::SatisfactionUnknown);
        };
        if !(0.0..=1.0).contains(&value) {
            return Err(NoReward::Invalid);
        }
        let value = if self.came_back { value * 0.5 } else { value };
        Ok(Satisfaction {
            value,
            source,
            coarse,
        })
    }
}
