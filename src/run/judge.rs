//! Comparing: from weights and key figures of every policy to values, differences and a verdict.

use std::collections::BTreeMap;
use std::sync::Arc;

use tierwise_envs::kpi::{Kpi, KpiRow};
use tierwise_envs::replay::{Episodes, Replay};
use tierwise_envs::reward::{RewardShape, RewardSpec};
use tierwise_policies::artefact::Evidence;
use tierwise_policies::ope::{Importance, Interval, Ratio, Refusal, WeightDiagnostics, resample};

use super::directory::RunError;
use super::evaluate::{Candidate, EvaluateOptions};
use super::evaluation::{
    AS_LOGGED, Alternative, BASELINE, Basis, Bounds, Difference, Judged, Value, VerdictKind,
    VerdictResult,
};
use super::judged::{choices, replay_kpis, weights};
use crate::config::TrainConfig;

/// A policy's weights and key figures, one entry a conversation.
pub(super) struct Columns {
    weights: Vec<f64>,
    kpis: Vec<KpiRow>,
    estimator: &'static str,
}

impl Columns {
    pub(super) fn of(
        candidate: &Candidate,
        part: &Episodes,
        replay: Option<&Replay>,
        options: &EvaluateOptions,
    ) -> Result<Self, RunError> {
        Ok(match replay {
            None => Self {
                weights: weights(part, candidate.policy.as_ref())?,
                kpis: (0..part.len()).map(|row| *part.kpis(row)).collect(),
                estimator: "snips",
            },
            Some(replay) => {
                let kpis = replay_kpis(replay, candidate.policy.as_ref(), options.bootstrap.seed);
                Self {
                    weights: vec![1.0; kpis.len()],
                    kpis,
                    estimator: "model",
                }
            }
        })
    }

    fn values(&self, of: impl Fn(&KpiRow) -> f64) -> Vec<f64> {
        self.kpis.iter().map(of).collect()
    }

    /// Conversations that have each key figure.
    fn measured(&self) -> Vec<u64> {
        Kpi::ALL
            .iter()
            .map(|kpi| {
                self.kpis
                    .iter()
                    .filter(|row| row.get(*kpi).is_some())
                    .count() as u64
            })
            .collect()
    }

    fn ratio(&self, importance: Importance, of: impl Fn(&KpiRow) -> f64) -> Ratio {
        importance.ratio(&self.weights, &self.values(of))
    }
}

fn figure(kpi: Kpi) -> impl Fn(&KpiRow) -> f64 {
    move |row| row.values()[kpi.index()]
}

/// Everything judged so far, the baseline first.
pub(super) struct Judge<'a> {
    pub(super) config: &'a TrainConfig,
    pub(super) options: &'a EvaluateOptions,
    /// Candidates that were judged on this part before.
    pub(super) judged_before: u32,
    pub(super) basis: Basis,
    pub(super) columns: Vec<Columns>,
    pub(super) policies: Vec<Judged>,
}

impl Judge<'_> {
    /// Values and key figures of every policy, and of the logging policy as it acted.
    pub(super) fn judge_all(
        &mut self,
        candidates: &[Candidate],
        part: &Arc<Episodes>,
        model: Option<&Replay>,
    ) {
        for (candidate, columns) in candidates.iter().zip(&self.columns) {
            let with_reward: Vec<f64> = columns
                .weights
                .iter()
                .zip(&columns.kpis)
                .filter(|(_, row)| row.get(Kpi::Reward).is_some())
                .map(|(weight, _)| *weight)
                .collect();
            let diagnostics = WeightDiagnostics::of(&with_reward);
            let refused = candidate.refused.clone().or_else(|| {
                (self.basis != Basis::Simulated)
                    .then(|| self.config.gate.refusal(&diagnostics))
                    .flatten()
            });
            let mut ratios: Vec<Ratio> = Kpi::ALL
                .iter()
                .map(|kpi| columns.ratio(Importance::Snips, figure(*kpi)))
                .collect();
            let mut extra = Vec::new();
            if self.basis != Basis::Simulated {
                extra.push("ips");
                ratios.push(columns.ratio(Importance::Ips, figure(Kpi::Reward)));
            }
            let measured = columns.measured();
            let values = self.values(
                columns.estimator,
                &ratios[..Kpi::COUNT],
                &measured,
                &refused,
            );
            let mut estimates = vec![values[Kpi::Reward.index()].clone()];
            for (name, ratio) in extra.iter().zip(&ratios[Kpi::COUNT..]) {
                let n = &measured[Kpi::Reward.index()..=Kpi::Reward.index()];
                estimates.extend(self.values(name, std::slice::from_ref(ratio), n, &refused));
            }
            if let Some(replay) = model.filter(|_| self.basis != Basis::Simulated) {
                let rows = replay_kpis(
                    replay,
                    candidate.policy.as_ref(),
                    self.options.bootstrap.seed,
                );
                let rewards: Vec<f64> = rows.iter().map(figure(Kpi::Reward)).collect();
                let ratio = Importance::Ips.ratio(&vec![1.0; rewards.len()], &rewards);
                estimates.extend(self.values(
                    "model",
                    &[ratio],
                    &[rewards.len() as u64],
                    &candidate.refused,
                ));
            }
            let (states, tier_shares) =
                choices(part, &self.config.table, candidate.policy.as_ref());
            self.policies.push(Judged {
                name: candidate.name.clone(),
                version: candidate.version.clone(),
                learner: candidate.learner.clone(),
                evidence: candidate.evidence,
                floor: candidate.floor,
                weights: (self.basis != Basis::Simulated).then_some(diagnostics),
                estimates,
                kpis: named(values),
                tier_shares,
                states,
                difference: None,
                kpi_differences: BTreeMap::new(),
            });
        }
        let logged = self.as_logged(part);
        self.policies.insert(1, logged);
    }

    /// The logging policy on its own conversations: plain means.
    fn as_logged(&self, part: &Arc<Episodes>) -> Judged {
        let rows: Vec<KpiRow> = (0..part.len()).map(|row| *part.kpis(row)).collect();
        let columns = Columns {
            weights: vec![1.0; rows.len()],
            kpis: rows,
            estimator: "mean",
        };
        let ratios: Vec<Ratio> = Kpi::ALL
            .iter()
            .map(|kpi| columns.ratio(Importance::Ips, figure(*kpi)))
            .collect();
        let values = self.values("mean", &ratios, &columns.measured(), &None);
        let mut shares = [0.0; 3];
        for decision in 0..part.decisions() {
            shares[part.action(decision).index()] += 1.0 / part.decisions() as f64;
        }
        Judged {
            name: AS_LOGGED.to_owned(),
            version: None,
            learner: "logging policy".to_owned(),
            evidence: Evidence::Logged,
            floor: 0.0,
            weights: None,
            estimates: vec![values[Kpi::Reward.index()].clone()],
            kpis: named(values),
            tier_shares: shares,
            states: Vec::new(),
            difference: None,
            kpi_differences: BTreeMap::new(),
        }
    }

    /// Values of ratios; `measured[i]` conversations have the figure of ratio i.
    fn values(
        &self,
        estimator: &str,
        ratios: &[Ratio],
        measured: &[u64],
        refused: &Option<Refusal>,
    ) -> Vec<Value> {
        let resampled = resample(ratios, self.options.bootstrap.for_level(self.options.level));
        ratios
            .iter()
            .zip(resampled)
            .zip(measured)
            .map(|((ratio, resampled), n)| {
                let n = *n;
                let refused = refused
                    .clone()
                    .or_else(|| (n == 0).then_some(Refusal::NotMeasured));
                let interval = Interval::percentile(&resampled, self.options.level);
                let printed = refused.is_none();
                Value {
                    estimator: estimator.to_owned(),
                    value: printed.then(|| ratio.value()),
                    standard_error: interval.filter(|_| printed).map(|i| i.standard_error),
                    interval: interval.filter(|_| printed).map(|i| Bounds {
                        lower: i.lower,
                        upper: i.upper,
                    }),
                    n,
                    refused,
                }
            })
            .collect()
    }

    /// Differences to the baseline with Bonferroni-corrected intervals, by candidate.
    pub(super) fn differences(&mut self, candidates: &[Candidate]) -> Vec<Option<Difference>> {
        let ratios: Vec<Ratio> = self
            .columns
            .iter()
            .map(|columns| columns.ratio(Importance::Snips, figure(Kpi::Reward)))
            .collect();
        let found = self.compare(&ratios, self.corrected_level());
        let mut result = vec![None];
        for (i, difference) in found.into_iter().enumerate() {
            // Row 0 is the baseline, row 1 the logging policy.
            let judged = &mut self.policies[i + 2];
            let valued = judged.estimates[0].value.is_some() && candidates[i + 1].refused.is_none();
            judged.difference = difference.filter(|_| valued);
            result.push(judged.difference);
        }
        if self.policies[0].estimates[0].value.is_none() {
            for judged in &mut self.policies {
                judged.difference = None;
            }
            result.fill(None);
        }
        result
    }

    /// Differences of every key figure, where both policies have a value.
    pub(super) fn kpi_differences(&mut self) {
        for kpi in Kpi::ALL {
            let ratios: Vec<Ratio> = self
                .columns
                .iter()
                .map(|columns| columns.ratio(Importance::Snips, figure(*kpi)))
                .collect();
            let found = self.compare(&ratios, self.options.level);
            let valued = |judged: &Judged| {
                judged
                    .kpis
                    .get(kpi.name())
                    .is_some_and(|v| v.value.is_some())
            };
            if !valued(&self.policies[0]) {
                continue;
            }
            for (judged, difference) in self.policies[2..].iter_mut().zip(found) {
                if let Some(difference) = difference.filter(|_| valued(judged)) {
                    judged
                        .kpi_differences
                        .insert(kpi.name().to_owned(), difference);
                }
            }
        }
    }

    /// The level that, by Bonferroni, leaves all candidates together the error of one.
    fn corrected_level(&self) -> f64 {
        let tests = (self.columns.len() - 1).max(1) as f64 + f64::from(self.judged_before);
        1.0 - (1.0 - self.options.level) / tests
    }

    /// Paired differences of each statistic to the first.
    fn compare(&self, ratios: &[Ratio], level: f64) -> Vec<Option<Difference>> {
        let resampled = resample(ratios, self.options.bootstrap.for_level(level));
        (1..ratios.len())
            .map(|i| {
                let paired: Vec<f64> = resampled[i]
                    .iter()
                    .zip(&resampled[0])
                    .map(|(a, b)| a - b)
                    .collect();
                let value = ratios[i].value() - ratios[0].value();
                let interval = Interval::percentile(&paired, level)?;
                Some(Difference {
                    value,
                    // A percentile interval can miss its own estimate when resamples are few; it never excludes it here.
                    lower: interval.lower.min(value),
                    upper: interval.upper.max(value),
                    standard_error: interval.standard_error,
                })
            })
            .collect()
    }

    pub(super) fn verdict(
        &self,
        candidates: &[Candidate],
        differences: &[Option<Difference>],
    ) -> VerdictResult {
        let best = (1..candidates.len())
            .filter_map(|i| differences[i].map(|difference| (i, difference)))
            .max_by(|a, b| a.1.lower.total_cmp(&b.1.lower));
        let Some((i, difference)) = best else {
            let refused = self
                .policies
                .iter()
                .filter(|judged| judged.name != AS_LOGGED)
                .find_map(|judged| judged.estimates[0].refused.clone());
            return VerdictResult {
                kind: VerdictKind::Refused,
                policy: candidates.get(1).map(|c| c.name.clone()),
                baseline: BASELINE.to_owned(),
                difference: None,
                more_conversations: None,
                refused,
            };
        };
        let simulated = self.basis == Basis::Simulated;
        let kind = if simulated {
            VerdictKind::Simulated
        } else if difference.lower > 0.0 {
            VerdictKind::Beats
        } else if difference.upper < 0.0 {
            VerdictKind::Worse
        } else {
            VerdictKind::NotShown
        };
        let n = self.columns[i].weights.len() as f64;
        let half = (difference.upper - difference.lower) / 2.0;
        let more = n * ((half / difference.value).powi(2) - 1.0);
        VerdictResult {
            kind,
            policy: Some(candidates[i].name.clone()),
            baseline: BASELINE.to_owned(),
            difference: Some(difference),
            more_conversations: (kind == VerdictKind::NotShown
                && difference.value > 0.0
                && more.is_finite())
            .then(|| more.max(1.0).ceil() as u64),
            refused: None,
        }
    }

    /// The same comparison under other rewards, from the logged parts S, E_time and E_cost.
    pub(super) fn sensitivity(&self, verdict: &VerdictResult, part: &Episodes) -> Vec<Alternative> {
        let Some(chosen) = verdict
            .policy
            .as_ref()
            .filter(|_| verdict.difference.is_some())
        else {
            return Vec::new();
        };
        let names: Vec<&str> = self
            .policies
            .iter()
            .map(|judged| judged.name.as_str())
            .filter(|name| *name != AS_LOGGED)
            .collect();
        let spec = &self.config.reward;
        let mut list = Vec::new();
        let mut variants = vec![(spec.cost_weight, spec.shape, true)];
        for variant in [
            (0.0, RewardShape::Product),
            (0.25, RewardShape::Product),
            (0.75, RewardShape::Product),
            (spec.cost_weight, RewardShape::Powers { a: 2.0, b: 1.0 }),
            (spec.cost_weight, RewardShape::Powers { a: 1.0, b: 2.0 }),
            (spec.cost_weight, RewardShape::Weighted { w: 0.5 }),
        ] {
            if variant != (spec.cost_weight, spec.shape) {
                variants.push((variant.0, variant.1, false));
            }
        }
        for (cost_weight, shape, is_default) in variants {
            let other = RewardSpec {
                cost_weight,
                shape,
                ..spec.clone()
            };
            let ratios: Vec<Ratio> = self
                .columns
                .iter()
                .map(|columns| {
                    let values: Vec<f64> = if self.basis == Basis::Simulated {
                        columns.values(|row| redone(row, spec, &other))
                    } else {
                        (0..part.len())
                            .map(|row| part.reported_reward(row, &other))
                            .collect()
                    };
                    Importance::Snips.ratio(&columns.weights, &values)
                })
                .collect();
            let winner = (0..ratios.len())
                .max_by(|a, b| {
                    ratios[*a]
                        .value()
                        .total_cmp(&ratios[*b].value())
                        .then(b.cmp(a))
                })
                .unwrap_or(0);
            let Some(i) = names.iter().position(|name| name == chosen) else {
                continue;
            };
            let Some(difference) = self.compare(&ratios, self.corrected_level())[i - 1] else {
                continue;
            };
            list.push(Alternative {
                cost_weight,
                shape,
                is_default,
                winner: names[winner].to_owned(),
                difference: difference.value,
                interval: Some(Bounds {
                    lower: difference.lower,
                    upper: difference.upper,
                }),
            });
        }
        list
    }
}

/// R of a row under another spec: E_cost = 1 − k c is turned back into c and given the other k.
fn redone(row: &KpiRow, spec: &RewardSpec, other: &RewardSpec) -> f64 {
    let value = |kpi: Kpi| row.values()[kpi.index()];
    let spent = if spec.cost_weight > 0.0 {
        (1.0 - value(Kpi::CostEfficiency)) / spec.cost_weight
    } else {
        // Without a cost weight the log's rows no longer show what was spent; human seconds do.
        (value(Kpi::HumanS) * spec.wage_per_hour / 3_600.0 / spec.reference_cost).min(1.0)
    };
    let cost = 1.0 - other.cost_weight * spent;
    other.combine(value(Kpi::Satisfaction), value(Kpi::TimeEfficiency), cost)
}

fn named(values: Vec<Value>) -> BTreeMap<String, Value> {
    Kpi::ALL
        .iter()
        .map(|kpi| kpi.name().to_owned())
        .zip(values)
        .collect()
}
