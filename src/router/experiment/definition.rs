//! What people write about an experiment, and what is checked before it may start.

use serde::{Deserialize, Serialize};

use super::{Condition, Metric};
use crate::router::allocation::MOST_ARMS;
use crate::stats::eprocess::Harm;
use crate::stats::verdict::PromotionRule;

/// How units are divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Design {
    /// Each customer stays in one arm. On a shared pool of people it may roll back, and promotes only beyond the bound on
    /// the bias that sharing makes.
    #[default]
    User,
    /// Stretches of time alternate: a salted coin orders each pair of blocks.
    Switchback,
    /// Each arm has its own matched half of the people.
    SplitPool,
}

/// An arm and the policy that answers in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArmDefinition {
    /// Its name.
    pub name: String,
    /// Version of a registered policy (its hash, from 12 digits on), or its name.
    pub policy: String,
}

/// Experiments of a layer exclude each other: each has its own part of the layer's buckets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Layer {
    /// The layer's name, also its salt.
    pub name: String,
    /// Where the experiment's part begins, in [0, 1).
    pub from: f64,
    /// Where it ends, in (0, 1].
    pub to: f64,
}

/// Length of the blocks of a switchback.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Switchback {
    /// Minutes of a block.
    pub block_minutes: f64,
    /// Minutes at its start in which queues still remember the other policy; left out of the analysis.
    pub washout_minutes: f64,
}

/// The people behind the arms.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Pool {
    /// Whether all arms share their people.
    pub shared: bool,
    /// Upper bound of the bias that sharing makes in the primary metric's difference, from `tierwise simulate --ab`.
    pub interference_bias: Option<f64>,
}

impl Default for Pool {
    fn default() -> Self {
        Self {
            shared: true,
            interference_bias: None,
        }
    }
}

/// A metric that must not be inferior by more than the rule's margin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Secondary {
    /// The metric; higher is better.
    #[serde(flatten)]
    pub metric: Metric,
}

/// A metric that must not be harmed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Guardrail {
    /// The metric.
    #[serde(flatten)]
    pub metric: Metric,
    /// Which way it is harmed.
    pub harm: Harm,
    /// How much harm is tolerated, as a fraction of the champion's rate.
    #[serde(default)]
    pub margin: f64,
}

/// Groups that must not be made worse; a group outside the list belongs to none and never vetoes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Strata {
    /// The field of the context that tells the group.
    pub field: String,
    /// Its values, 1 to 12.
    pub values: Vec<String>,
}

/// An experiment as written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// Its key in every request and record: letters, digits, `-`, `_` and `.`.
    pub key: String,
    /// A sentence for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Salt of the buckets; the key by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub salt: Option<String>,
    /// How units are divided.
    #[serde(default)]
    pub design: Design,
    /// Share of the units that take part; the rest meets the champion, outside the test.
    #[serde(default = "one")]
    pub coverage: f64,
    /// Share of all customers that no experiment touches.
    #[serde(default)]
    pub holdout: f64,
    /// Probability that every allowed tier keeps in every arm; a policy's own floor is kept where it is higher.
    #[serde(default = "default_floor")]
    pub floor: f64,
    /// Champion first, then its challengers.
    #[serde(rename = "arm")]
    pub arms: Vec<ArmDefinition>,
    /// What decides.
    pub primary: Metric,
    /// What must not be inferior.
    #[serde(default, rename = "secondary", skip_serializing_if = "Vec::is_empty")]
    pub secondaries: Vec<Secondary>,
    /// What must not be harmed.
    #[serde(default, rename = "guardrail", skip_serializing_if = "Vec::is_empty")]
    pub guardrails: Vec<Guardrail>,
    /// Groups that may veto.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strata: Option<Strata>,
    /// Who takes part.
    #[serde(default, rename = "target", skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<Condition>,
    /// Which experiments exclude each other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layer: Option<Layer>,
    /// Blocks of a switchback, and of the analysis of a split pool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub switchback: Option<Switchback>,
    /// The people behind the arms.
    #[serde(default)]
    pub pool: Pool,
    /// When to promote.
    #[serde(default)]
    pub rule: PromotionRule,
}

fn one() -> f64 {
    1.0
}

fn default_floor() -> f64 {
    0.02
}

/// A key of a definition with a value that cannot be used.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("`{key}` is {value}; {expected}")]
pub struct DefinitionFault {
    /// Dotted key.
    pub key: String,
    /// The value found.
    pub value: String,
    /// What would be right.
    pub expected: String,
}

impl DefinitionFault {
    /// A fault.
    pub(super) fn new(
        key: impl Into<String>,
        value: impl Into<String>,
        expected: impl Into<String>,
    ) -> Self {
        Self {
            key: key.into(),
            value: value.into(),
            expected: expected.into(),
        }
    }
}

impl Definition {
    /// The salt of its buckets.
    #[must_use]
    pub fn salt(&self) -> &str {
        self.salt.as_deref().unwrap_or(&self.key)
    }

    /// Weights at a challenger's share `share` against the champion: each challenger k has s_k/(s_0 + s_k) = `share`.
    #[must_use]
    pub fn weights(&self, share: f64) -> Vec<f64> {
        let challengers = self.arms.len().saturating_sub(1) as f64;
        let odds = share / (1.0 - share);
        let champion = 1.0 / (1.0 + challengers * odds);
        let mut weights = vec![champion * odds; self.arms.len()];
        weights[0] = champion;
        weights
    }

    /// All metrics: primary, secondary ones, guardrails.
    pub fn metrics(&self) -> impl Iterator<Item = &Metric> {
        std::iter::once(&self.primary)
            .chain(self.secondaries.iter().map(|one| &one.metric))
            .chain(self.guardrails.iter().map(|one| &one.metric))
    }

    /// Checks everything that can be checked without the registry.
    ///
    /// # Errors
    /// The first [`DefinitionFault`].
    pub fn check(&self) -> Result<(), DefinitionFault> {
        check_key("key", &self.key)?;
        self.check_arms()?;
        self.check_shares()?;
        self.primary.check("primary")?;
        for one in &self.secondaries {
            one.metric.check("secondary")?;
        }
        for one in &self.guardrails {
            one.metric.check("guardrail")?;
            if !(0.0..1.0).contains(&one.margin) {
                let expected = "a fraction from 0 up to, but not including, 1";
                return Err(DefinitionFault::new(
                    "guardrail.margin",
                    one.margin.to_string(),
                    expected,
                ));
            }
        }
        let mut names: Vec<&str> = self.metrics().map(|metric| metric.name.as_str()).collect();
        names.sort_unstable();
        if let Some(twice) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            let expected = "every metric has a name of its own";
            return Err(DefinitionFault::new(
                "name",
                format!("`{}` twice", twice[0]),
                expected,
            ));
        }
        if let Some(strata) = &self.strata
            && !(1..=12).contains(&strata.values.len())
        {
            let have = format!("{} values", strata.values.len());
            return Err(DefinitionFault::new(
                "strata.values",
                have,
                "1 to 12 strata are declared",
            ));
        }
        for condition in &self.targets {
            condition.check("target")?;
        }
        self.check_design()?;
        if self.rule.has_roles() || !self.rule.strata.is_empty() {
            return Err(DefinitionFault::new(
                "rule",
                "a rule with metrics",
                "an experiment names its metrics and strata beside the rule: `[primary]`, `[[secondary]]`, `[[guardrail]]`, `[strata]`",
            ));
        }
        self.rule.check().map_err(|fault| {
            DefinitionFault::new(format!("rule.{}", fault.key), fault.value, fault.expected)
        })
    }

    fn check_arms(&self) -> Result<(), DefinitionFault> {
        if !(2..=MOST_ARMS).contains(&self.arms.len()) {
            return Err(DefinitionFault::new(
                "arm",
                format!("{} arms", self.arms.len()),
                format!("a champion and 1 to {} challengers", MOST_ARMS - 1),
            ));
        }
        let declared = self.rule.challengers as usize;
        if self.arms.len() - 1 > declared {
            return Err(DefinitionFault::new(
                "rule.challengers",
                declared.to_string(),
                format!(
                    "{} challengers are written; their number is declared, for the error budget is divided among them",
                    self.arms.len() - 1
                ),
            ));
        }
        for (position, arm) in self.arms.iter().enumerate() {
            check_key("arm.name", &arm.name)?;
            if self.arms[..position]
                .iter()
                .any(|other| other.name == arm.name)
            {
                let expected = "every arm has a name of its own";
                return Err(DefinitionFault::new(
                    "arm.name",
                    format!("`{}` twice", arm.name),
                    expected,
                ));
            }
        }
        Ok(())
    }

    fn check_shares(&self) -> Result<(), DefinitionFault> {
        for (key, value, low, high) in [
            ("coverage", self.coverage, f64::MIN_POSITIVE, 1.0),
            ("holdout", self.holdout, 0.0, 0.99),
            ("floor", self.floor, 0.0, 1.0 / 3.0),
        ] {
            if !(low..=high).contains(&value) {
                let expected = match key {
                    "coverage" => "a share above 0 and at most 1",
                    "holdout" => "a share from 0 to 0.99",
                    _ => "a probability from 0 to 1/3: three tiers share a probability of 1",
                };
                return Err(DefinitionFault::new(key, value.to_string(), expected));
            }
        }
        if let Some(layer) = &self.layer {
            check_key("layer.name", &layer.name)?;
            if !(layer.from >= 0.0 && layer.from < layer.to && layer.to <= 1.0) {
                let have = format!("{}..{}", layer.from, layer.to);
                let expected = "`from` lies below `to`, both in [0, 1]";
                return Err(DefinitionFault::new("layer.from", have, expected));
            }
        }
        Ok(())
    }

    fn check_design(&self) -> Result<(), DefinitionFault> {
        let in_blocks = self.design != Design::User;
        match &self.switchback {
            Some(blocks) if in_blocks => {
                let fits = blocks.washout_minutes >= 0.0
                    && blocks.block_minutes >= 1.0
                    && blocks.block_minutes >= 4.0 * blocks.washout_minutes
                    && blocks.block_minutes <= 7.0 * 1440.0;
                if !fits {
                    return Err(DefinitionFault::new(
                        "switchback.block_minutes",
                        blocks.block_minutes.to_string(),
                        "a block lasts at least four washouts and a minute, and at most a week",
                    ));
                }
            }
            Some(_) => {
                let expected = "only the designs `switchback` and `split_pool` have blocks";
                return Err(DefinitionFault::new("switchback", "present", expected));
            }
            None if in_blocks => {
                let expected = "this design needs `block_minutes` and `washout_minutes`";
                return Err(DefinitionFault::new("switchback", "absent", expected));
            }
            None => {}
        }
        if in_blocks && self.arms.len() != 2 {
            let expected = "this design compares one challenger with the champion";
            return Err(DefinitionFault::new(
                "arm",
                format!("{} arms", self.arms.len()),
                expected,
            ));
        }
        if in_blocks && self.strata.is_some() {
            let expected = "strata belong to the design `user`";
            return Err(DefinitionFault::new("strata", "present", expected));
        }
        if in_blocks && !self.secondaries.is_empty() {
            let expected = "non-inferiority by a margin belongs to the design `user`";
            return Err(DefinitionFault::new("secondary", "present", expected));
        }
        if in_blocks && self.guardrails.iter().any(|one| one.margin > 0.0) {
            let expected = "a guardrail with a margin belongs to the design `user`; write 0 here";
            return Err(DefinitionFault::new(
                "guardrail.margin",
                "above 0",
                expected,
            ));
        }
        if self.design == Design::SplitPool && self.pool.shared {
            let expected = "a split pool has people of its own for each arm: `shared = false`";
            return Err(DefinitionFault::new("pool.shared", "true", expected));
        }
        if let Some(bias) = self.pool.interference_bias
            && !(bias.is_finite() && bias >= 0.0)
        {
            let expected = "an upper bound of a bias, 0 or more";
            return Err(DefinitionFault::new(
                "pool.interference_bias",
                bias.to_string(),
                expected,
            ));
        }
        Ok(())
    }
}

/// Keys and names that travel in paths and records.
fn check_key(key: &str, text: &str) -> Result<(), DefinitionFault> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if (1..=64).contains(&text.len()) && text.bytes().all(plain) {
        return Ok(());
    }
    Err(DefinitionFault::new(
        key,
        format!("`{text}`"),
        "1 to 64 letters, digits, `-`, `_` and `.`",
    ))
}

#[cfg(test)]
pub(in crate::router) fn example() -> Definition {
    toml::from_str(
        r#"
        key = "tiers"
        [[arm]]
        name = "champion"
        policy = "rule"
        [[arm]]
        name = "challenger"
        policy = "q"
        [primary]
        name = "conversion"
        event = "tierwise.conversion.v1"
        window_hours = 24.0
        "#,
    )
    .expect("the example is written right")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_is_sound_and_travels() {
        let definition = example();
        definition.check().unwrap();
        let json = serde_json::to_string(&definition).unwrap();
        assert_eq!(
            serde_json::from_str::<Definition>(&json).unwrap(),
            definition
        );
        for (have, want) in definition.weights(0.05).into_iter().zip([0.95, 0.05]) {
            assert!((have - want).abs() < 1e-15);
        }
    }

    #[test]
    fn challengers_each_have_the_share_against_the_champion() {
        let mut definition = example();
        definition.rule.challengers = 3;
        for name in ["b", "c"] {
            definition.arms.push(ArmDefinition {
                name: name.into(),
                policy: name.into(),
            });
        }
        definition.check().unwrap();
        for share in [0.01, 0.25, 0.5] {
            let weights = definition.weights(share);
            assert!((weights.iter().sum::<f64>() - 1.0).abs() < 1e-12);
            for k in 1..4 {
                assert!((weights[k] / (weights[0] + weights[k]) - share).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn what_cannot_start_is_named() {
        type Change = fn(&mut Definition);
        let cases: [(Change, &str); 14] = [
            (|d| d.key = "a b".into(), "`key`"),
            (|d| d.arms.truncate(1), "`arm` is 1 arms"),
            (|d| d.arms[1].name = "champion".into(), "`champion` twice"),
            (
                |d| {
                    d.arms.push(ArmDefinition {
                        name: "c".into(),
                        policy: "c".into(),
                    })
                },
                "`rule.challengers` is 1",
            ),
            (|d| d.coverage = 0.0, "`coverage` is 0"),
            (|d| d.floor = 0.5, "`floor` is 0.5"),
            (
                |d| d.primary.window_hours = 0.0,
                "`primary.window_hours` is 0",
            ),
            (
                |d| {
                    d.primary.outcome = Outcome::Value {
                        low: 1.0,
                        high: 1.0,
                        missing: 1.0,
                    }
                },
                "`primary.outcome`",
            ),
            (
                |d| {
                    d.secondaries.push(Secondary {
                        metric: d.primary.clone(),
                    })
                },
                "`conversion` twice",
            ),
            (
                |d| {
                    d.strata = Some(Strata {
                        field: "language".into(),
                        values: vec![],
                    })
                },
                "`strata.values` is 0 values",
            ),
            (
                |d| {
                    d.layer = Some(Layer {
                        name: "l".into(),
                        from: 0.5,
                        to: 0.5,
                    })
                },
                "`layer.from`",
            ),
            (|d| d.design = Design::Switchback, "`switchback` is absent"),
            (|d| d.rule.ramp = vec![0.5, 0.1], "`rule.ramp`"),
            (
                |d| {
                    d.targets.push(Condition {
                        field: "language".into(),
                        ..Condition::default()
                    })
                },
                "`target`",
            ),
        ];
        use super::super::Outcome;
        for (change, want) in cases {
            let mut definition = example();
            change(&mut definition);
            let fault = definition.check().unwrap_err().to_string();
            assert!(fault.contains(want), "{fault} should contain {want}");
        }
    }
}
