//! The shop's world, worked out once: tables for the hot path, and the closed forms of what each choice leads to.

use std::sync::Arc;

use jiff::tz::TimeZone;

use super::config::{ShopConfig, ShopConfigError};
use super::load::Load;
use super::messages::{INTENTS, Messages};
use crate::class::Class;
use crate::discretise::{Discretizer, DiscretizerError};
use crate::luck::{Alias, Quantiles};
use crate::mask::MaskRules;
use crate::observation::{intent_code, letters_code};
use crate::reward::{RewardSpec, RewardSpecError};
use crate::tier::Tier;
use crate::time::UtcMicros;

/// Why a shop cannot be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ShopError {
    /// The text is no configuration of a shop.
    #[error("not a shop's configuration: {0}")]
    Toml(#[from] toml::de::Error),
    /// A key is out of range.
    #[error(transparent)]
    Config(#[from] ShopConfigError),
    /// A reward parameter is out of range.
    #[error("reward: {0}")]
    Reward(#[from] RewardSpecError),
    /// The tabular view's cuts are out of order.
    #[error("discretizer: {0}")]
    Discretizer(#[from] DiscretizerError),
}

/// The rules under which a shop is played: they belong to the run, not to the shop.
#[derive(Debug, Clone, Default)]
pub struct ShopRules {
    /// How conversations are rewarded.
    pub reward: RewardSpec,
    /// Which tiers are forbidden when.
    pub mask: MaskRules,
    /// The tabular view.
    pub discretizer: Discretizer,
}

/// One language's numbers in the hot path.
#[derive(Debug)]
pub(crate) struct Language {
    pub(crate) tag: String,
    pub(crate) code: f32,
    pub(crate) ai_support: f64,
    pub(crate) regions: Vec<(String, f32)>,
}

/// The shop's world: immutable, shared by threads, the same for every policy.
#[derive(Debug)]
pub struct World {
    pub(crate) config: ShopConfig,
    pub(crate) rules: ShopRules,
    pub(crate) start: UtcMicros,
    pub(super) load: Load,
    pub(crate) hours: Alias,
    pub(crate) languages: Vec<Language>,
    pub(crate) language_shares: Alias,
    /// Intents by hour of the day.
    pub(crate) intents: Vec<Alias>,
    pub(crate) intent_codes: Vec<f32>,
    /// Class and mean coverage of each intent.
    pub(crate) intent_facts: Vec<(Class, f64)>,
    /// Probability and entropy (nats) of the likeliest intent in 256 steps; first where the class is guessed right.
    pub(crate) certainty: [Vec<(f32, f32)>; 2],
    /// Position in `INTENTS` of the intents of each class.
    pub(crate) intents_of_class: [Vec<usize>; 3],
    pub(crate) channels: Alias,
    pub(crate) messages: Messages,
    pub(crate) exponential: Quantiles,
    pub(crate) service: Quantiles,
    /// Powers of `auto.retry`.
    pub(crate) retry: Vec<f64>,
    /// Classes that tier 1 may not answer.
    pub(crate) auto_off: [bool; 3],
}

impl World {
    /// Works out the tables of a configuration.
    ///
    /// # Errors
    /// [`ShopError`] names the section, the key, its value and its range.
    pub fn new(config: ShopConfig, rules: ShopRules) -> Result<Arc<Self>, ShopError> {
        config.validate()?;
        rules.reward.validate()?;
        rules.discretizer.validate()?;
        let load = Load::new(&config, &rules.discretizer);
        let contacts: Vec<f64> = load.hours.iter().map(|hour| hour.contacts).collect();
        let language_shares: Vec<f64> = config.language.iter().map(|l| l.share).collect();
        let code = |text: &str| letters_code(text).expect("validation allows letters only");
        let languages = config
            .language
            .iter()
            .map(|language| Language {
                tag: language.tag.clone(),
                code: code(&language.tag),
                ai_support: language.ai_support,
                regions: language
                    .regions
                    .iter()
                    .map(|region| (region.clone(), code(region)))
                    .collect(),
            })
            .collect();
        let intents = (0..24)
            .map(|hour| Alias::new(&intent_weights(&config, hour)))
            .collect();
        let local_midnight = config
            .start
            .to_zoned(TimeZone::UTC)
            .map_err(|_| ShopConfigError {
                key: "start".to_owned(),
                value: config.start.to_string(),
                expected: "it is a date that a clock can show",
            })?;
        let mut auto_off = [false; 3];
        for class in &rules.mask.auto_off_classes {
            auto_off[class.index()] = true;
        }
        Ok(Arc::new(Self {
            start: UtcMicros(local_midnight.timestamp().as_microsecond())
                .plus_seconds(-3_600.0 * config.utc_offset_hours),
            hours: Alias::new(&contacts),
            language_shares: Alias::new(&language_shares),
            languages,
            intents,
            intent_facts: INTENTS.iter().map(|i| (i.class, i.coverage)).collect(),
            intent_codes: INTENTS.iter().map(|i| intent_code(i.name)).collect(),
            certainty: [(0.55, 0.43), (0.30, 0.45)].map(|(least, span)| {
                (0..256)
                    .map(|level| least + span * f64::from(level) / 255.0)
                    .map(|p| (p as f32, spread_entropy(p) as f32))
                    .collect()
            }),
            intents_of_class: Class::ALL
                .iter()
                .map(|class| {
                    (0..INTENTS.len())
                        .filter(|i| INTENTS[*i].class == *class)
                        .collect()
                })
                .collect::<Vec<_>>()
                .try_into()
                .expect("there are three classes"),
            channels: Alias::new(&config.channel_shares),
            messages: Messages::new(config.language.iter().map(|l| l.tag.as_str())),
            exponential: Quantiles::exponential(),
            service: Quantiles::log_logistic(config.human.spread),
            retry: (0..=config.max_turns)
                .map(|failed| config.auto.retry.powi(failed as i32))
                .collect(),
            auto_off,
            load,
            config,
            rules,
        }))
    }

    /// The configuration.
    #[must_use]
    pub const fn config(&self) -> &ShopConfig {
        &self.config
    }

    /// The rules under which the shop is played.
    #[must_use]
    pub const fn rules(&self) -> &ShopRules {
        &self.rules
    }

    /// First instant of the period.
    #[must_use]
    pub const fn start(&self) -> UtcMicros {
        self.start
    }

    /// Expected contacts of an hour counted from the start of the period; the period repeats.
    pub(crate) fn contacts(&self, hour: usize) -> f64 {
        self.load.hours[hour % self.load.hours.len()].contacts
    }

    /// Expected contacts of the hour after one, over the hourly mean.
    pub(crate) fn forecast(&self, hour: usize) -> f32 {
        self.load.hours[hour % self.load.hours.len()].forecast
    }

    /// Seconds in the period.
    #[must_use]
    pub fn period_s(&self) -> f64 {
        f64::from(self.config.days) * 86_400.0
    }

    /// Chance that the AI's draft is right.
    ///
    /// q = right\[class\] · support · (1 − w (1 − coverage)) · retryᶠ, with w = `auto.coverage_weight` and f the AI
    /// drafts that failed before. At tier 1 it is the chance to solve.
    #[must_use]
    pub fn draft_probability(
        &self,
        class: Class,
        ai_support: f64,
        coverage: f64,
        failed_drafts: u32,
    ) -> f64 {
        let auto = &self.config.auto;
        auto.right[class.index()]
            * ai_support
            * (1.0 - auto.coverage_weight * (1.0 - coverage))
            * self.retry[(failed_drafts as usize).min(self.retry.len() - 1)]
    }

    /// Chance that an answer at a tier solves the request, given the chance `draft` of a right AI draft.
    ///
    /// Tier 1: q. Tier 2: q + (1 − q) · repair\[class\]. Tier 3: solve\[class\].
    #[must_use]
    pub fn solve_probability(&self, class: Class, tier: Tier, draft: f64) -> f64 {
        match tier {
            Tier::Auto => draft,
            Tier::Review => draft + (1.0 - draft) * self.config.review.repair[class.index()],
            Tier::Human => self.config.human.solve[class.index()],
        }
    }

    /// Chance that a customer with exponential patience leaves a queue unanswered.
    ///
    /// With P(wait > 0) = p and waits and patience exponential with means m and θ: P = p · m / (m + θ).
    /// (The simulator's exponential is piecewise linear in its quantiles; the difference stays below 0.002.)
    #[must_use]
    pub fn abandon_probability(&self, class: Class, waits: f64, mean_wait_s: f64) -> f64 {
        waits * mean_wait_s / (mean_wait_s + self.config.customer.patience_s[class.index()])
    }

    /// True satisfaction S of a customer who was answered: in [0, 1].
    ///
    /// S = clamp(base − extra·(turns − 1) − min(waiting, max) + weight·sentiment + leniency).
    #[must_use]
    pub fn satisfaction(&self, of: &SatisfactionInputs) -> f64 {
        let s = &self.config.satisfaction;
        let base = if of.solved {
            s.solved[of.class.index()][of.tier.index()]
        } else {
            s.unsolved[of.class.index()]
        };
        let value = base
            - s.per_extra_turn * f64::from(of.turns.saturating_sub(1))
            - (s.per_minute * of.waited_s / 60.0).min(s.waiting_max)
            + s.per_sentiment * f64::from(of.sentiment)
            + of.leniency;
        value.clamp(0.0, 1.0)
    }

    /// Chance that a customer with satisfaction S answers the survey: base + extreme · |2S − 1|.
    #[must_use]
    pub fn survey_probability(&self, satisfaction: f64) -> f64 {
        let after = &self.config.aftermath;
        after.survey_base + after.survey_extreme * (2.0 * satisfaction - 1.0).abs()
    }

    /// Chances of the marks 1 to 5 at satisfaction S: 1 + Binomial(4, S), so that E\[(mark − 1)/4\] = S exactly.
    #[must_use]
    pub fn mark_probabilities(satisfaction: f64) -> [f64; 5] {
        let (s, f) = (satisfaction, 1.0 - satisfaction);
        [
            f * f * f * f,
            4.0 * s * f * f * f,
            6.0 * s * s * f * f,
            4.0 * s * s * s * f,
            s * s * s * s,
        ]
    }

    /// Chance that a conversation is reopened within 7 days.
    #[must_use]
    pub fn reopen_probability(&self, tier: Tier, solved: bool) -> f64 {
        if solved {
            self.config.aftermath.reopen_solved[tier.index()]
        } else {
            self.config.aftermath.reopen_unsolved
        }
    }
}

/// What true satisfaction depends on.
#[derive(Debug, Clone, Copy)]
pub struct SatisfactionInputs {
    /// The true class.
    pub class: Class,
    /// Tier of the last answer.
    pub tier: Tier,
    /// The last answer solved the request.
    pub solved: bool,
    /// Customer messages in all, at least 1.
    pub turns: u32,
    /// Seconds waited for answers in all.
    pub waited_s: f64,
    /// Sentiment of the last message.
    pub sentiment: f32,
    /// How this customer differs from others, in ±`satisfaction.leniency`.
    pub leniency: f64,
}

/// Weights of the intents at a shop-local hour.
fn intent_weights(config: &ShopConfig, hour: u32) -> Vec<f64> {
    let [from, to] = config.night_hours;
    let night = if from <= to {
        (from..to).contains(&hour)
    } else {
        hour >= from || hour < to
    };
    let shares = if night {
        config.class_shares_night
    } else {
        config.class_shares_day
    };
    INTENTS
        .iter()
        .map(|intent| shares[intent.class.index()] * intent.share)
        .collect()
}

/// Entropy in nats when one intent has probability p in (0, 1) and the others share the rest equally.
fn spread_entropy(p: f64) -> f64 {
    let rest = 1.0 - p;
    -p * p.ln() - rest * (rest / (INTENTS.len() - 1) as f64).ln()
}
