//! Which tiers may be taken, and why the others may not.
//!
//! A mask is logged with its decision and obeyed everywhere: in acting, in bootstrapping, in judging.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::class::{Class, named};
use crate::observation::{Feature, Observation};
use crate::tier::{Tier, TierProbs};

/// The tiers allowed at a decision; never empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Mask(u8);

impl Mask {
    /// Every tier allowed.
    pub const ALL: Self = Self(0b111);

    /// From flags in the order auto, review, human; `None` when none is allowed.
    #[must_use]
    pub fn from_flags(allowed: [bool; 3]) -> Option<Self> {
        Self::from_bits(
            Tier::ALL
                .iter()
                .map(|t| u8::from(allowed[t.index()]) << t.index())
                .sum(),
        )
    }

    /// From bits (bit i = tier at index i); `None` for zero or unknown bits.
    #[must_use]
    pub const fn from_bits(bits: u8) -> Option<Self> {
        if bits == 0 || bits > 0b111 {
            None
        } else {
            Some(Self(bits))
        }
    }

    /// Bit i is set when the tier at index i is allowed.
    #[must_use]
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// Whether a tier is allowed.
    #[must_use]
    pub const fn allows(self, tier: Tier) -> bool {
        self.0 >> (tier as u8) & 1 == 1
    }

    /// Flags in the order auto, review, human.
    #[must_use]
    pub fn flags(self) -> [bool; 3] {
        Tier::ALL.map(|tier| self.allows(tier))
    }

    /// The allowed tiers in order.
    pub fn tiers(self) -> impl Iterator<Item = Tier> {
        Tier::ALL.into_iter().filter(move |tier| self.allows(*tier))
    }

    /// How many tiers are allowed: 1 to 3.
    #[must_use]
    pub const fn count(self) -> u32 {
        self.0.count_ones()
    }

    /// Equal probability on every allowed tier.
    #[must_use]
    pub fn uniform(self) -> TierProbs {
        self.restrict([1.0; 3])
            .expect("a mask allows at least one tier")
    }

    /// Weights limited to the allowed tiers and normalised; `None` when nothing is left.
    #[must_use]
    pub fn restrict(self, weights: [f64; 3]) -> Option<TierProbs> {
        let mut kept = weights;
        for tier in Tier::ALL {
            if !self.allows(tier) {
                kept[tier.index()] = 0.0;
            }
        }
        TierProbs::from_weights(kept)
    }

    /// The allowed tier nearest to `wanted`, the more attended one first.
    #[must_use]
    pub fn nearest(self, wanted: Tier) -> Tier {
        let wanted = wanted.index();
        (wanted..Tier::COUNT)
            .chain((0..wanted).rev())
            .filter_map(Tier::from_index)
            .find(|tier| self.allows(*tier))
            .expect("a mask allows at least one tier")
    }
}

impl Serialize for Mask {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.flags().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Mask {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_flags(<[bool; 3]>::deserialize(deserializer)?)
            .ok_or_else(|| de::Error::custom("a mask must allow at least one tier"))
    }
}

named! {
    /// Why a tier is not allowed.
    MaskReason {
        /// Tier 1 is switched off for this class of request.
        ClassNeedsPerson = "class_needs_person",
        /// The customer asked for a person.
        CustomerAskedForPerson = "customer_asked_for_person",
        /// Nobody with the skill is on shift.
        NobodyOnShift = "nobody_on_shift",
    }
}

/// A mask with the reason for every tier it forbids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MaskedChoice {
    /// The allowed tiers.
    pub mask: Mask,
    /// Why a tier is off, by tier index; `None` where it is allowed.
    pub reasons: [Option<MaskReason>; 3],
}

/// The rules that forbid tiers (mdp.md §1.3). Tier 2 is never forbidden, so a mask is never empty: when nobody is on
/// shift, its messages wait.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MaskRules {
    /// Classes that the AI may not answer alone.
    pub auto_off_classes: Vec<Class>,
}

impl Default for MaskRules {
    fn default() -> Self {
        Self {
            auto_off_classes: vec![Class::Complaint],
        }
    }
}

impl MaskRules {
    /// Rules that forbid nothing by class.
    #[must_use]
    pub const fn permissive() -> Self {
        Self {
            auto_off_classes: Vec::new(),
        }
    }

    /// The mask of an observation. A feature that is missing forbids nothing.
    #[must_use]
    pub fn apply(&self, observation: &Observation) -> MaskedChoice {
        let mut reasons = [None; 3];
        if observation
            .class()
            .is_some_and(|class| self.auto_off_classes.contains(&class))
        {
            reasons[Tier::Auto.index()] = Some(MaskReason::ClassNeedsPerson);
        }
        if observation.get(Feature::WantsHuman) == Some(1.0) {
            reasons[Tier::Auto.index()] = Some(MaskReason::CustomerAskedForPerson);
        }
        if observation.get(Feature::HumansOnShift) == Some(0.0) {
            reasons[Tier::Human.index()] = Some(MaskReason::NobodyOnShift);
        }
        MaskedChoice {
            mask: Mask::from_flags(reasons.map(|reason| reason.is_none()))
                .expect("tier 2 is never forbidden"),
            reasons,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_match_the_mask() {
        let rules = MaskRules::default();
        let cases = [
            (&[][..], [true, true, true]),
            (&[(Feature::Class, 0.0)][..], [true, true, true]),
            (&[(Feature::Class, 2.0)][..], [false, true, true]),
            (&[(Feature::WantsHuman, 1.0)][..], [false, true, true]),
            (
                &[(Feature::Class, 2.0), (Feature::HumansOnShift, 0.0)][..],
                [false, true, false],
            ),
        ];
        for (features, allowed) in cases {
            let observation = Observation::from_features(features);
            let choice = rules.apply(&observation);
            assert_eq!(choice.mask.flags(), allowed, "{features:?}");
            for tier in Tier::ALL {
                assert_eq!(
                    choice.reasons[tier.index()].is_none(),
                    choice.mask.allows(tier)
                );
            }
        }
    }

    #[test]
    fn nearest_prefers_more_attention() {
        let mask = Mask::from_flags([true, false, true]).unwrap();
        assert_eq!(mask.nearest(Tier::Review), Tier::Human);
        let mask = Mask::from_flags([true, true, false]).unwrap();
        assert_eq!(mask.nearest(Tier::Human), Tier::Review);
    }

    #[test]
    fn an_empty_mask_is_refused() {
        assert!(serde_json::from_str::<Mask>("[false,false,false]").is_err());
        assert_eq!(Mask::from_bits(8), None);
    }
}
