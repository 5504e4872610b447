//! The verdict and the rule that leads to it.
//!
//! A challenger is promoted when the primary metric is superior, the secondary ones are not inferior, no guardrail is
//! harmed, the sample ratio is sound and no stratum vetoes; it is rolled back as soon as it is shown to be worse or to
//! harm a guardrail. What is broken is neither.

use serde::{Deserialize, Serialize};

use super::eprocess::{Harm, MOST_STRATA};
use super::error::{Alpha, StatsError};

/// When to promote. All defaults are the safe ones.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PromotionRule {
    /// Probability of any false action when the arms are alike: half to promote, half to roll back.
    pub error_budget: f64,
    /// Challengers declared at the start; each has its part of the promotion level.
    pub challengers: u32,
    /// Units that each arm needs before anything is said.
    pub minimum_units: u64,
    /// Whole days at `promote_share` before a promotion.
    pub minimum_days: f64,
    /// Share of the challenger at which it may be promoted.
    pub promote_share: f64,
    /// How much worse a secondary metric may be, as a fraction of the champion's rate.
    pub secondary_margin: f64,
    /// How much worse a stratum may be, as a fraction of the champion's rate there.
    pub stratum_margin: f64,
    /// Level at which a sample ratio counts as broken.
    pub sample_ratio_level: f64,
    /// Shares of the challenger, step by step.
    pub ramp: Vec<f64>,
    /// Hours at a step before the next.
    pub advance_hours: f64,
    /// Matured units at a step before the next.
    pub advance_units: u64,
    /// The ramp waits while a guardrail's wealth is at least this.
    pub advance_wealth: f64,
    /// Share kept on the champion after a promotion.
    pub holdback_share: f64,
    /// Days that the holdback lasts.
    pub holdback_days: f64,
    /// The metric that must be superior; the metric that was asked for, or the only one, when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub primary: Option<String>,
    /// Strata declared before the start, at most twelve; those of the data when empty.
    pub strata: Vec<String>,
    /// Metrics on which the challenger must not be inferior.
    pub secondary: Vec<MetricRule>,
    /// Metrics that the challenger must not harm.
    pub guardrail: Vec<MetricRule>,
}

/// A secondary metric or a guardrail.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetricRule {
    /// Its name in the data.
    pub metric: String,
    /// Which way it is harmed.
    #[serde(default)]
    pub harm: Harm,
    /// How much worse it may be, as a fraction of the champion's rate. When absent, a secondary metric has the rule's
    /// `secondary_margin` and a guardrail none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub margin: Option<f64>,
    /// Bounds of its outcomes in a stream; 0 and 1 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bounds: Option<(f64, f64)>,
}

impl Default for PromotionRule {
    fn default() -> Self {
        Self {
            error_budget: 0.05,
            challengers: 1,
            minimum_units: 200,
            minimum_days: 7.0,
            promote_share: 0.5,
            secondary_margin: 0.02,
            stratum_margin: 0.1,
            sample_ratio_level: 0.001,
            ramp: vec![0.01, 0.05, 0.25, 0.5],
            advance_hours: 24.0,
            advance_units: 200,
            advance_wealth: 5.0,
            holdback_share: 0.05,
            holdback_days: 14.0,
            primary: None,
            strata: Vec::new(),
            secondary: Vec::new(),
            guardrail: Vec::new(),
        }
    }
}

/// A value of a rule outside its range.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleFault {
    /// The key.
    pub key: &'static str,
    /// The value found.
    pub value: String,
    /// What would be right.
    pub expected: &'static str,
}

impl PromotionRule {
    /// A rule of statistics alone: no minimum duration, no ramp. For tests that somebody else ran.
    #[must_use]
    pub fn statistics_only(error_budget: Alpha) -> Self {
        Self {
            error_budget: error_budget.get(),
            minimum_days: 0.0,
            promote_share: 0.0,
            ..Self::default()
        }
    }

    /// Checks every value.
    ///
    /// # Errors
    /// A [`RuleFault`] with the first key out of range.
    pub fn check(&self) -> Result<(), RuleFault> {
        let fault = |key, value: String, expected| {
            Err(RuleFault {
                key,
                value,
                expected,
            })
        };
        for (key, level) in [
            ("error_budget", self.error_budget),
            ("sample_ratio_level", self.sample_ratio_level),
        ] {
            if !(level > 0.0 && level < 1.0) {
                return fault(
                    key,
                    level.to_string(),
                    "a level lies strictly between 0 and 1",
                );
            }
        }
        if !(1..=100).contains(&self.challengers) {
            let expected = "1 to 100 challengers are declared at the start";
            return fault("challengers", self.challengers.to_string(), expected);
        }
        for (key, fraction) in [
            ("secondary_margin", self.secondary_margin),
            ("stratum_margin", self.stratum_margin),
            ("promote_share", self.promote_share),
            ("holdback_share", self.holdback_share),
        ] {
            if !(0.0..1.0).contains(&fraction) {
                let expected = "a fraction from 0 up to, but not including, 1";
                return fault(key, fraction.to_string(), expected);
            }
        }
        for (key, length) in [
            ("minimum_days", self.minimum_days),
            ("advance_hours", self.advance_hours),
            ("holdback_days", self.holdback_days),
            ("advance_wealth", self.advance_wealth),
        ] {
            if !(length.is_finite() && length >= 0.0) {
                return fault(
                    key,
                    length.to_string(),
                    "a length of time or a wealth is 0 or more",
                );
            }
        }
        let rises = self.ramp.windows(2).all(|pair| pair[0] < pair[1]);
        let shares = self.ramp.iter().all(|share| *share > 0.0 && *share < 1.0);
        if self.ramp.is_empty() || !rises || !shares {
            let expected = "shares of the ramp rise, each strictly between 0 and 1";
            return fault("ramp", format!("{:?}", self.ramp), expected);
        }
        self.check_roles()
    }

    fn check_roles(&self) -> Result<(), RuleFault> {
        let fault = |key, value: &str, expected| {
            Err(RuleFault {
                key,
                value: value.to_owned(),
                expected,
            })
        };
        let mut seen: Vec<&str> = self.primary.iter().map(String::as_str).collect();
        for (key, rules) in [
            ("secondary", &self.secondary),
            ("guardrail", &self.guardrail),
        ] {
            for rule in rules {
                if rule.metric.is_empty() || seen.contains(&rule.metric.as_str()) {
                    let expected =
                        "every metric has a name and one role: primary, secondary or guardrail";
                    return fault(key, &format!("`{}`", rule.metric), expected);
                }
                seen.push(&rule.metric);
                if let Some((lower, upper)) = rule
                    .bounds
                    .filter(|(lower, upper)| !(lower < upper && (upper - lower).is_finite()))
                {
                    let value = format!("`{}` with bounds {lower} and {upper}", rule.metric);
                    return fault(key, &value, "bounds are two numbers, the lower one first");
                }
                if let Some(margin) = rule.margin.filter(|margin| !(0.0..1.0).contains(margin)) {
                    let value = format!("`{}` with a margin of {margin}", rule.metric);
                    let expected = "a margin is a fraction from 0 up to, but not including, 1";
                    return fault(key, &value, expected);
                }
            }
        }
        let repeated = |(place, name): (usize, &String)| self.strata[..place].contains(name);
        if self.strata.len() > MOST_STRATA
            || self.strata.iter().any(String::is_empty)
            || self.strata.iter().enumerate().any(repeated)
        {
            let expected = "at most 12 strata are declared, each once and by its name";
            return fault("strata", &format!("{:?}", self.strata), expected);
        }
        Ok(())
    }

    /// Whether metrics have roles, so that one verdict is about several of them.
    #[must_use]
    pub fn has_roles(&self) -> bool {
        self.primary.is_some() || !self.secondary.is_empty() || !self.guardrail.is_empty()
    }

    /// The margin of a secondary metric.
    #[must_use]
    pub fn secondary_margin_of(&self, metric: &str) -> f64 {
        self.secondary
            .iter()
            .find(|rule| rule.metric == metric)
            .and_then(|rule| rule.margin)
            .unwrap_or(self.secondary_margin)
    }

    /// Level of promotion of one challenger.
    ///
    /// # Errors
    /// [`StatsError::NotALevel`] for a rule that [`PromotionRule::check`] refuses.
    pub fn promote_level(&self) -> Result<Alpha, StatsError> {
        Ok(Alpha::new(self.error_budget)?
            .split(2)
            .split(self.challengers as usize))
    }

    /// Level of roll-back of one metric of one challenger: the primary metric and its guardrails share it.
    ///
    /// # Errors
    /// As [`PromotionRule::promote_level`].
    pub fn roll_back_level(&self, guardrails: usize) -> Result<Alpha, StatsError> {
        Ok(self.promote_level()?.split(1 + guardrails))
    }

    /// Whether the ramp may go to its next step.
    #[must_use]
    pub fn may_advance(&self, hours_at_step: f64, matured_units: u64, wealths: &[f64]) -> bool {
        hours_at_step >= self.advance_hours
            && matured_units >= self.advance_units
            && wealths.iter().all(|wealth| *wealth < self.advance_wealth)
    }
}

/// A metric or stratum and the logarithm of its wealth.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NamedWealth {
    /// Its name.
    pub name: String,
    /// Natural logarithm of its e-value.
    pub log_e: f64,
    /// Whether it has ever reached its threshold.
    pub reached: bool,
}

/// What keeps a comparison from meaning anything.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Broken {
    /// The arms did not get the units that their shares say.
    SampleRatio {
        /// Natural logarithm of the e-value, or of 1/p for the χ² test.
        log_e: f64,
    },
    /// The arms share people, and the difference is not beyond what that alone could make.
    Interference {
        /// Lower bound of the difference.
        lower: f64,
        /// Upper bound of the bias, from the simulator; absent when nobody computed it.
        bias: Option<f64>,
    },
    /// The arms' units had different lengths of time to convert.
    Maturity {
        /// Largest age of a unit counted before its window had closed, in seconds.
        immature: u64,
    },
    /// Units were seen in two arms.
    UnitsInTwoArms {
        /// How many.
        units: u64,
        /// Some of them.
        examples: Vec<String>,
    },
    /// Units were not assigned one by one: whole stretches went to one arm.
    Assignment {
        /// Natural logarithm of the e-value against independent assignment.
        log_e: f64,
    },
}

/// What still stands in the way of a promotion.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "condition", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Waiting {
    /// The primary metric is not shown to be better.
    Superiority,
    /// The challenger's share is below the rule's.
    Share {
        /// The share now.
        have: f64,
        /// The share of the rule.
        needed: f64,
    },
    /// Not enough days have passed at this share.
    Days {
        /// Days passed.
        have: f64,
        /// Days of the rule.
        needed: f64,
    },
    /// A secondary metric is not shown to be at most `margin` worse.
    Secondary {
        /// The metric.
        metric: String,
        /// The margin, a fraction.
        margin: f64,
    },
    /// A stratum is shown to be worse.
    Stratum {
        /// The stratum.
        stratum: String,
    },
    /// The evidence rests on large samples, and not on logged shares.
    LoggedShares,
}

/// The evidence at a look.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Evidence {
    /// The challenger's name.
    pub arm: String,
    /// Matured units of champion and challenger.
    pub units: [u64; 2],
    /// The challenger's share now.
    pub share: f64,
    /// Days spent at that share.
    pub days_at_share: f64,
    /// The primary metric: wealth against "no better".
    pub log_promote: f64,
    /// Whether it has ever reached the promotion level.
    pub superior: bool,
    /// The primary metric: wealth against "no worse".
    pub log_roll_back: f64,
    /// Whether it has ever reached its roll-back level.
    pub inferior: bool,
    /// Secondary metrics against "inferior by the margin"; `reached` is non-inferiority shown.
    pub secondary: Vec<NamedWealth>,
    /// Guardrails; `reached` is harm shown.
    pub guardrails: Vec<NamedWealth>,
    /// Strata that have vetoed.
    pub vetoes: Vec<String>,
    /// What is broken.
    pub broken: Option<Broken>,
}

/// What to do with a challenger.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Verdict {
    /// Too few units to say anything.
    NotEnoughData {
        /// Units needed in each arm.
        needed: u64,
        /// Units of the smaller arm.
        have: u64,
    },
    /// Nothing is shown yet.
    KeepGoing {
        /// The challenger nearest to a decision.
        arm: String,
        /// What still stands in the way of promotion.
        waiting_for: Vec<Waiting>,
    },
    /// The challenger is better, and nothing speaks against it.
    Promote {
        /// The challenger.
        arm: String,
        /// Natural logarithm of its e-value now.
        log_e: f64,
    },
    /// The challenger is worse, or harms a guardrail.
    RollBack {
        /// The challenger.
        arm: String,
        /// The guardrail harmed; absent when the primary metric itself is worse.
        guardrail: Option<String>,
        /// Natural logarithm of the e-value that decided.
        log_e: f64,
    },
    /// The comparison means nothing until this is repaired.
    Broken {
        /// What is broken.
        #[serde(flatten)]
        broken: Broken,
    },
}

impl Verdict {
    /// What a reader should see first: broken comparisons, then decisions, then tests that go on, then too little data.
    #[must_use]
    pub fn urgency(&self) -> u8 {
        match self {
            Self::Broken { .. } => 0,
            Self::Promote { .. } | Self::RollBack { .. } => 1,
            Self::KeepGoing { .. } => 2,
            Self::NotEnoughData { .. } => 3,
        }
    }

    /// Whether a challenger qualified for promotion.
    #[must_use]
    pub fn promotes(&self) -> bool {
        matches!(self, Self::Promote { .. })
    }
}

/// Applies a rule to the evidence. Harm comes before anything but a broken comparison; interference lets harm through.
#[must_use]
pub fn decide(rule: &PromotionRule, evidence: &Evidence) -> Verdict {
    let interference = matches!(evidence.broken, Some(Broken::Interference { .. }));
    if let Some(broken) = evidence.broken.clone().filter(|_| !interference) {
        return Verdict::Broken { broken };
    }
    if let Some(guardrail) = evidence.guardrails.iter().find(|g| g.reached) {
        return Verdict::RollBack {
            arm: evidence.arm.clone(),
            guardrail: Some(guardrail.name.clone()),
            log_e: guardrail.log_e,
        };
    }
    let have = evidence.units[0].min(evidence.units[1]);
    if have < rule.minimum_units {
        return Verdict::NotEnoughData {
            needed: rule.minimum_units,
            have,
        };
    }
    if evidence.inferior && !evidence.superior {
        return Verdict::RollBack {
            arm: evidence.arm.clone(),
            guardrail: None,
            log_e: evidence.log_roll_back,
        };
    }
    let waiting_for = waiting_for(rule, evidence);
    if !waiting_for.is_empty() {
        return Verdict::KeepGoing {
            arm: evidence.arm.clone(),
            waiting_for,
        };
    }
    match &evidence.broken {
        Some(broken) => Verdict::Broken {
            broken: broken.clone(),
        },
        None => Verdict::Promote {
            arm: evidence.arm.clone(),
            log_e: evidence.log_promote,
        },
    }
}

fn waiting_for(rule: &PromotionRule, evidence: &Evidence) -> Vec<Waiting> {
    let mut reasons = Vec::new();
    if !evidence.superior {
        reasons.push(Waiting::Superiority);
    }
    if evidence.share < rule.promote_share {
        reasons.push(Waiting::Share {
            have: evidence.share,
            needed: rule.promote_share,
        });
    }
    if evidence.days_at_share < rule.minimum_days {
        reasons.push(Waiting::Days {
            have: evidence.days_at_share,
            needed: rule.minimum_days,
        });
    }
    for metric in evidence.secondary.iter().filter(|metric| !metric.reached) {
        reasons.push(Waiting::Secondary {
            metric: metric.name.clone(),
            margin: rule.secondary_margin_of(&metric.name),
        });
    }
    for stratum in &evidence.vetoes {
        reasons.push(Waiting::Stratum {
            stratum: stratum.clone(),
        });
    }
    reasons
}

#[cfg(test)]
mod tests;
