//! Everything a decision needs, frozen: experiments with their owners of buckets, policies, masks.
//!
//! A snapshot never changes; a router swaps it for the next one. A decision is a pure function of snapshot, request and
//! decision id: no clock, no lock, no database. Whoever has the id, the bucket and the revision can compute arm, share and
//! propensity again, and `tierwise experiment audit` does.

use std::collections::BTreeMap;
use std::sync::Arc;

use tierwise_envs::env::Situation;
use tierwise_envs::mask::{Mask, MaskRules};
use tierwise_envs::observation::Feature;
use tierwise_envs::tier::{Tier, TierProbs};
use uuid::Uuid;

use super::bucketing::{BUCKETS, Seed};
use super::context::Context;
use super::experiment::{Design, Experiment, Phase};
use super::registry::ServedPolicy;

/// Salt of the share of customers that no experiment touches.
const HOLDOUT_SALT: &str = "tierwise.holdout";

/// An experiment with everything that its decisions need.
#[derive(Debug, Clone)]
pub struct Live {
    /// Its state.
    pub experiment: Arc<Experiment>,
    /// Its key, shared by every record.
    pub key: Arc<str>,
    seed: Seed,
    layer: Option<(Seed, u16, u16)>,
    policies: Vec<Option<ServedPolicy>>,
    shares: Vec<f64>,
    strata: Vec<Arc<str>>,
}

impl Live {
    /// Compiles an experiment; `policy` finds a registered policy by name or version.
    #[must_use]
    pub fn new(experiment: Experiment, policy: impl Fn(&str) -> Option<ServedPolicy>) -> Self {
        let definition = &experiment.definition;
        let shares = experiment.revision().map_or_else(Vec::new, |revision| {
            (0..definition.arms.len())
                .map(|arm| revision.allocation.share(arm as u8))
                .collect()
        });
        Self {
            key: definition.key.as_str().into(),
            seed: Seed::new(definition.salt()),
            layer: definition.layer.as_ref().map(|layer| {
                let bucket = |place: f64| (place * f64::from(BUCKETS)).round() as u16;
                (Seed::new(&layer.name), bucket(layer.from), bucket(layer.to))
            }),
            policies: definition
                .arms
                .iter()
                .map(|arm| policy(&arm.policy))
                .collect(),
            shares,
            strata: definition
                .strata
                .iter()
                .flat_map(|strata| strata.values.iter().map(|value| value.as_str().into()))
                .collect(),
            experiment: Arc::new(experiment),
        }
    }

    /// The policy of an arm; `None` when the registry does not hold it.
    #[must_use]
    pub fn policy(&self, arm: u8) -> Option<&ServedPolicy> {
        self.policies.get(usize::from(arm))?.as_ref()
    }

    /// Whether a unit may take part: holdout, layer and targeting.
    fn admits(&self, unit: &str, context: &Context) -> bool {
        let definition = &self.experiment.definition;
        if definition.holdout > 0.0 {
            let bucket = Seed::new(HOLDOUT_SALT).bucket(unit);
            if f64::from(bucket) < definition.holdout * f64::from(BUCKETS) {
                return false;
            }
        }
        if let Some((seed, from, to)) = self.layer
            && !(from..to).contains(&seed.bucket(unit))
        {
            return false;
        }
        definition
            .targets
            .iter()
            .all(|condition| condition.holds(context))
    }

    /// Arm, share and block of a unit under the revision in force.
    #[must_use]
    pub fn assign(&self, unit: &str, conversation_began_us: i64) -> Option<Assignment> {
        let revision = self.experiment.revision()?;
        let bucket = self.seed.bucket(unit);
        let owner = revision.allocation.arm(bucket)?;
        let definition = &self.experiment.definition;
        let split = self.experiment.phase == Phase::Running;
        if let (Design::Switchback, Some(blocks), true) =
            (definition.design, definition.switchback, split)
        {
            let length_us = (blocks.block_minutes * 60e6).round() as i64;
            let block = conversation_began_us.div_euclid(length_us);
            return Some(Assignment {
                arm: block_arm(definition.salt(), block),
                share: 0.5,
                revision: revision.number,
                bucket,
                block: Some(block),
            });
        }
        Some(Assignment {
            arm: owner,
            share: self.shares[usize::from(owner)],
            revision: revision.number,
            bucket,
            block: None,
        })
    }
}

/// The arm of a switchback's block: a salted coin orders each pair.
#[must_use]
pub fn block_arm(salt: &str, block: i64) -> u8 {
    let pair = block.div_euclid(2);
    let hash = blake3::hash(format!("tierwise.switchback|{salt}|{pair}").as_bytes());
    let coin = hash.as_bytes()[0] & 1;
    coin ^ (block.rem_euclid(2) as u8)
}

/// Where a unit belongs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Assignment {
    /// The arm's position.
    pub arm: u8,
    /// Probability of that arm.
    pub share: f64,
    /// Revision of the range table.
    pub revision: u32,
    /// The unit's bucket.
    pub bucket: u16,
    /// Block of a switchback.
    pub block: Option<i64>,
}

/// Why the baseline answered in place of the arm's policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fallback {
    /// The registry does not hold the arm's policy, or cannot read it.
    Missing,
    /// The policy failed.
    Failed,
    /// The policy took longer than its budget.
    TooSlow,
}

impl Fallback {
    /// Its name in answers and records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Missing => "policy_missing",
            Self::Failed => "policy_failed",
            Self::TooSlow => "policy_too_slow",
        }
    }
}

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The experiment; by default the first live one that admits the unit.
    pub experiment: Option<&'a str>,
    /// The unit of assignment: a customer.
    pub unit: &'a str,
    /// What is known.
    pub context: &'a Context,
    /// An arm asked for by name, for testing; never analysed.
    pub forced_arm: Option<&'a str>,
    /// When it is asked, in microseconds since 1970.
    pub at_us: i64,
    /// Identity of the decision; it also draws the tier.
    pub decision_id: Uuid,
}

/// A question that has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unanswerable {
    /// No such experiment.
    #[error("no experiment is called `{key}`")]
    UnknownExperiment {
        /// The key asked for.
        key: String,
    },
    /// No such arm.
    #[error("experiment `{key}` has no arm `{arm}`")]
    UnknownArm {
        /// The experiment.
        key: String,
        /// The arm asked for.
        arm: String,
    },
    /// No unit.
    #[error("`unit_id` is empty; it names the customer, who stays in one arm")]
    NoUnit,
    /// A unit longer than any id.
    #[error("`unit_id` has {bytes} bytes; it has at most 512")]
    LongUnit {
        /// Its length.
        bytes: usize,
    },
}

/// What is answered.
#[derive(Debug, Clone)]
pub struct Decision {
    /// Identity of the decision.
    pub decision_id: Uuid,
    /// When, in microseconds since 1970.
    pub at_us: i64,
    /// The experiment that it belongs to, if any.
    pub live: Option<Arc<Live>>,
    /// Where the unit belongs; `None` outside every experiment.
    pub assignment: Option<Assignment>,
    /// Version of the policy that answered.
    pub policy_version: Arc<str>,
    /// Name of the policy that answered.
    pub policy: Arc<str>,
    /// The tier drawn.
    pub tier: Tier,
    /// The probabilities it was drawn with.
    pub probabilities: TierProbs,
    /// The allowed tiers.
    pub mask: Mask,
    /// Why the baseline answered instead, if it did.
    pub fallback: Option<Fallback>,
    /// Whether the arm was forced.
    pub forced: bool,
    /// The declared stratum.
    pub stratum: Option<Arc<str>>,
}

impl Decision {
    /// Probability of the tier drawn.
    #[must_use]
    pub fn propensity(&self) -> f64 {
        self.probabilities.of(self.tier)
    }

    /// Name of the arm; `None` outside every experiment.
    #[must_use]
    pub fn arm_name(&self) -> Option<&str> {
        let arm = usize::from(self.assignment?.arm);
        let live = self.live.as_ref()?;
        Some(&live.experiment.definition.arms[arm].name)
    }
}

/// Everything that decisions need.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// The store's counter that it was read at.
    pub counter: u64,
    experiments: BTreeMap<Arc<str>, Arc<Live>>,
    baseline: ServedPolicy,
    masks: MaskRules,
}

/// A number in [0, 1) from a decision's id: SplitMix64 of its 128 bits (Steele, Lea & Flood 2014).
#[must_use]
pub fn draw(decision_id: Uuid) -> f64 {
    let (high, low) = decision_id.as_u64_pair();
    let mut state = high.rotate_left(32) ^ low;
    state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^= state >> 31;
    (state >> 11) as f64 / (1_u64 << 53) as f64
}

impl Snapshot {
    /// A snapshot of these experiments; `baseline` answers outside them and in place of a policy that cannot.
    #[must_use]
    pub fn new(
        counter: u64,
        experiments: impl IntoIterator<Item = Live>,
        baseline: ServedPolicy,
        masks: MaskRules,
    ) -> Self {
        Self {
            counter,
            experiments: experiments
                .into_iter()
                .map(|live| (live.key.clone(), Arc::new(live)))
                .collect(),
            baseline,
            masks,
        }
    }

    /// The experiments, by key.
    pub fn experiments(&self) -> impl Iterator<Item = &Arc<Live>> {
        self.experiments.values()
    }

    /// An experiment.
    #[must_use]
    pub fn experiment(&self, key: &str) -> Option<&Arc<Live>> {
        self.experiments.get(key)
    }

    /// The policy that answers outside every experiment.
    #[must_use]
    pub fn baseline(&self) -> &ServedPolicy {
        &self.baseline
    }

    /// Decides. `timed` runs a policy and says whether it kept its budget; a router measures, a replay does not.
    ///
    /// # Errors
    /// [`Unanswerable`]: an unknown experiment or arm, or no unit.
    pub fn decide(
        &self,
        question: &Question<'_>,
        timed: impl Fn(&mut dyn FnMut()) -> bool,
    ) -> Result<Decision, Unanswerable> {
        match question.unit.len() {
            0 => return Err(Unanswerable::NoUnit),
            1..=512 => {}
            bytes => return Err(Unanswerable::LongUnit { bytes }),
        }
        let live = self.choose(question)?;
        let mut assignment = None;
        let mut forced = false;
        if let Some(live) = live {
            let elapsed_s = question.context.observation.get(Feature::ElapsedS);
            let began_us = question.at_us - (f64::from(elapsed_s.unwrap_or(0.0)) * 1e6) as i64;
            if live.admits(question.unit, question.context) {
                assignment = live.assign(question.unit, began_us);
            }
            if let Some(name) = question.forced_arm {
                let definition = &live.experiment.definition;
                let arm = definition.arms.iter().position(|arm| arm.name == name);
                let arm = arm.ok_or_else(|| Unanswerable::UnknownArm {
                    key: definition.key.clone(),
                    arm: name.to_owned(),
                })?;
                forced = true;
                assignment = Some(Assignment {
                    arm: arm as u8,
                    share: 1.0,
                    revision: live.experiment.revision().map_or(0, |r| r.number),
                    bucket: live.seed.bucket(question.unit),
                    block: None,
                });
            }
        }
        let mask = self.masks.apply(&question.context.observation).mask;
        let at = Situation {
            observation: question.context.observation,
            mask,
            text: question.context.text.as_deref(),
        };
        let (policy, floor) = match live {
            None => (Some(&self.baseline), 0.0),
            Some(live) => {
                let arm = assignment.map_or_else(|| live.experiment.incumbent(), |a| a.arm);
                (live.policy(arm), live.experiment.definition.floor)
            }
        };
        let (policy, probabilities, fallback) = self.answer(policy, &at, floor, &timed);
        Ok(Decision {
            decision_id: question.decision_id,
            at_us: question.at_us,
            stratum: live.and_then(|live| {
                let field = &live.experiment.definition.strata.as_ref()?.field;
                let text = question.context.text_of(field)?;
                live.strata.iter().find(|value| ***value == *text).cloned()
            }),
            live: live.cloned(),
            assignment,
            policy_version: policy.version.clone(),
            policy: policy.name.clone(),
            tier: probabilities.pick(draw(question.decision_id)),
            probabilities,
            mask,
            fallback,
            forced,
        })
    }

    /// The experiment that a question is about: the one named, else the first live one that admits the unit, else the one
    /// that was moved last: its incumbent goes on answering after a test.
    fn choose(&self, question: &Question<'_>) -> Result<Option<&Arc<Live>>, Unanswerable> {
        if let Some(key) = question.experiment {
            return match self.experiments.get(key) {
                Some(live) => Ok(Some(live)),
                None => Err(Unanswerable::UnknownExperiment {
                    key: key.to_owned(),
                }),
            };
        }
        let admitting = |live: &&Arc<Live>| live.admits(question.unit, question.context);
        let live = self
            .experiments
            .values()
            .filter(|live| live.experiment.phase.is_live())
            .find(admitting);
        let last = || {
            self.experiments
                .values()
                .filter(|live| live.experiment.phase != Phase::Draft)
                .filter(admitting)
                .max_by_key(|live| live.experiment.phase_since_us)
        };
        Ok(live.or_else(last))
    }

    /// The policy's probabilities, or the baseline's with the reason.
    fn answer<'a>(
        &'a self,
        policy: Option<&'a ServedPolicy>,
        at: &Situation<'_>,
        floor: f64,
        timed: &impl Fn(&mut dyn FnMut()) -> bool,
    ) -> (&'a ServedPolicy, TierProbs, Option<Fallback>) {
        let fallback = match policy {
            None => Fallback::Missing,
            Some(policy) => {
                let mut probabilities = None;
                let in_time = timed(&mut || {
                    let run = std::panic::AssertUnwindSafe(|| policy.probabilities(at, floor));
                    probabilities = std::panic::catch_unwind(run).ok();
                });
                match probabilities {
                    Some(probabilities) if in_time => return (policy, probabilities, None),
                    Some(_) => Fallback::TooSlow,
                    None => Fallback::Failed,
                }
            }
        };
        let probabilities = self.baseline.probabilities(at, floor);
        (&self.baseline, probabilities, Some(fallback))
    }
}
