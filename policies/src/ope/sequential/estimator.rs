//! The sequential estimators by name.

use std::fmt;
use std::str::FromStr;

use crate::ope::one_step::EstimatorError;

/// An estimator of the value of a policy over episodes.
///
/// With ρₜ = π(aₜ|sₜ)/propensityₜ, w₀:ₜ their product, V(s) = Σₐ π(a|s) q(s, a); after its end an episode keeps its last
/// weight and earns nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Sequential {
    /// (1/n) Σᵢ w₀:T₋₁ Gᵢ.
    Tis,
    /// (1/n) Σᵢ Σₜ γᵗ w₀:ₜ rₜ. Precup, Sutton & Singh 2000.
    Pdis,
    /// Σ w G / Σ w.
    Sntis,
    /// Σₜ γᵗ [Σᵢ w₀:ₜ rₜ] / [Σᵢ w₀:ₜ].
    Snpdis,
    /// (1/n) Σᵢ Σₜ γᵗ [w₀:ₜ (rₜ − q(sₜ, aₜ)) + w₀:ₜ₋₁ V(sₜ)]. Jiang & Li 2016.
    Dr,
    /// The same with w₀:ₜ / meanᵢ w₀:ₜ. Thomas & Brunskill 2016.
    Wdr,
    /// (1/n) Σᵢ V(s₀).
    Dm,
    /// Fitted Q evaluation on finite states. Le, Voloshin & Yue 2019.
    Fqe,
    /// Marginalised importance sampling on finite states. Xie, Ma & Wang 2019.
    Mis,
    /// The same by pairs of a state and an action, which needs no propensities: the fitted process, rolled forward. Yin &
    /// Wang 2020.
    MisStateAction,
    /// A blend of model and weighted DR by estimated bias and variance. Thomas & Brunskill 2016.
    Magic,
}

impl Sequential {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Tis,
        Self::Pdis,
        Self::Sntis,
        Self::Snpdis,
        Self::Dr,
        Self::Wdr,
        Self::Dm,
        Self::Fqe,
        Self::Mis,
        Self::MisStateAction,
        Self::Magic,
    ];

    /// Short name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tis => "tis",
            Self::Pdis => "pdis",
            Self::Sntis => "sntis",
            Self::Snpdis => "snpdis",
            Self::Dr => "dr",
            Self::Wdr => "wdr",
            Self::Dm => "dm",
            Self::Fqe => "fqe",
            Self::Mis => "mis",
            Self::MisStateAction => "mis:sa",
            Self::Magic => "magic",
        }
    }

    /// Whether it uses importance weights.
    #[must_use]
    pub const fn weighs(self) -> bool {
        !matches!(self, Self::Dm | Self::Fqe | Self::MisStateAction)
    }

    /// Whether it uses the given model.
    #[must_use]
    pub const fn models(self) -> bool {
        matches!(self, Self::Dr | Self::Wdr | Self::Dm | Self::Magic)
    }

    /// Whether it uses states.
    #[must_use]
    pub const fn states(self) -> bool {
        matches!(self, Self::Fqe | Self::Mis | Self::MisStateAction)
    }

    /// Whether an error may remain that more episodes do not remove.
    #[must_use]
    pub const fn biased(self) -> bool {
        matches!(
            self,
            Self::Dm | Self::Fqe | Self::MisStateAction | Self::Magic
        )
    }

    /// Whether the weight of a whole episode multiplies its return.
    #[must_use]
    pub(crate) const fn whole(self) -> bool {
        matches!(self, Self::Tis | Self::Sntis)
    }
}

impl fmt::Display for Sequential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Sequential {
    type Err = EstimatorError;

    fn from_str(text: &str) -> Result<Self, EstimatorError> {
        Self::ALL
            .into_iter()
            .find(|estimator| estimator.name() == text)
            .ok_or_else(|| EstimatorError {
                text: text.to_owned(),
                reason: format!(
                    "no such estimator; tables with episodes have {}",
                    Self::ALL.map(Self::name).join(", ")
                ),
            })
    }
}
