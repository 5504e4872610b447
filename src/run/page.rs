//! Results become the report's plain values; nothing is computed here that a result does not already say.

mod curves;
mod provenance;

use std::path::Path;

use tierwise_envs::class::Class;
use tierwise_envs::discretise::{Cell, Discretizer};
use tierwise_envs::kpi::Kpi as KpiName;
use tierwise_envs::reward::RewardShape;
use tierwise_policies::artefact::Evidence as Learned;
use tierwise_policies::ope::Refusal;
use tierwise_reports::{
    AlternativeReward, BaselineValue, Comparison, Estimate, EstimateOutcome, EstimatorForest,
    Evidence, Kpi, KpiDifference, KpiTable, Kpis, MapAxis, MapCell, Measure, OfflinePage,
    OmittedSection, PolicyEstimates, PolicyKpis, PolicyMap, PolicyRole, Reason, RewardDefinition,
    Section, Sentence, Verdict,
};

use self::curves::learning_curves;
use self::provenance::provenance;
use super::directory::{RunDirectory, RunError, read_json, write_whole};
use super::evaluation::{
    AS_LOGGED, Alternative, BASELINE, Basis, Difference, Evaluation, Judged, Value, VerdictKind,
};
use super::support::{SavedCheck, log_support};
use super::train::TrainResult;

/// Writes a page, whole or not at all.
///
/// # Errors
/// [`RunError::Io`].
pub fn write_page(path: &Path, html: &str) -> Result<(), RunError> {
    write_whole(path, html.as_bytes())
}

/// The offline page of one or more runs: every run's learning curves, the first evaluation's verdict.
///
/// # Errors
/// [`RunError`] when a result file is unreadable, or no directory holds any result.
pub fn offline_page(runs: &[RunDirectory]) -> Result<OfflinePage, RunError> {
    let mut trainings: Vec<TrainResult> = Vec::new();
    let mut evaluation: Option<Evaluation> = None;
    let mut check = None;
    for run in runs {
        if run.training().exists() {
            trainings.push(read_json(&run.training())?);
        }
        if evaluation.is_none() && run.evaluation().exists() {
            evaluation = Some(read_json(&run.evaluation())?);
        }
        if check.is_none() && run.log_check().exists() {
            check = Some(read_json::<SavedCheck>(&run.log_check())?);
        }
    }
    if trainings.is_empty() && evaluation.is_none() {
        let names: Vec<String> = runs
            .iter()
            .map(|run| run.path().display().to_string())
            .collect();
        return Err(RunError::unusable(
            format!("{}: no results to report", names.join(", ")),
            "a run directory holds training.json or evaluation.json",
            "run `tierwise train` and `tierwise evaluate` first",
        ));
    }
    let mut page = match &evaluation {
        Some(evaluation) => {
            let mut page = OfflinePage::new(verdict(evaluation), kpi_table(evaluation));
            page.estimates = Some(forest(evaluation));
            page.policy_maps = evaluation
                .policies
                .iter()
                .filter(|judged| {
                    judged.name == BASELINE
                        || evaluation.verdict.policy.as_deref() == Some(&judged.name)
                })
                .map(|judged| policy_map(evaluation, judged))
                .collect();
            // The candidate of the verdict first.
            page.policy_maps
                .sort_by_key(|map| evaluation.verdict.policy.as_deref() != Some(&map.policy));
            page.sensitivity = evaluation
                .sensitivity
                .iter()
                .map(|a| alternative(evaluation, a))
                .collect();
            page.log_support = Some(log_support(evaluation, check));
            page
        }
        None => {
            let reason = Reason::Stated(Sentence {
                en: "These policies were trained but not judged; run `tierwise evaluate`."
                    .to_owned(),
                zh: "这些策略已训练，但尚未评估；请运行 `tierwise evaluate`。".to_owned(),
            });
            let table = KpiTable {
                level: 0.95,
                policies: Vec::new(),
            };
            let mut page = OfflinePage::new(
                Verdict::Refused {
                    reason: reason.clone(),
                },
                table,
            );
            for section in [Section::Estimates, Section::PolicyMap, Section::LogSupport] {
                page.omitted.push(OmittedSection {
                    section,
                    reason: reason.clone(),
                });
            }
            page
        }
    };
    page.learning_curves = learning_curves(&trainings);
    if page.learning_curves.is_none() {
        page.omitted.push(OmittedSection {
            section: Section::LearningCurves,
            reason: Reason::NotComputed,
        });
    }
    page.title = trainings.first().map(|training| training.name.clone());
    page.subtitle = evaluation.as_ref().map(|e| e.log.display().to_string());
    page.provenance = provenance(&trainings, evaluation.as_ref(), runs);
    Ok(page)
}

fn evidence(basis: Basis) -> Evidence {
    match basis {
        Basis::Logged => Evidence::Logged,
        Basis::EstimatedPropensity => Evidence::EstimatedPropensity,
        Basis::Simulated => Evidence::Simulated,
    }
}

pub(super) fn reason(refusal: &Refusal) -> Reason {
    match refusal {
        Refusal::NoPropensities { .. } => Reason::NoPropensities,
        Refusal::NoOverlap => Reason::OutsideSupport,
        Refusal::SampleTooSmall { have, needed } => Reason::LowEffectiveSampleSize {
            have: *have,
            needed: *needed,
        },
        Refusal::OneConversationDecides { share, limit } => Reason::LargeWeightShare {
            share: *share,
            limit: *limit,
        },
        Refusal::Seen { .. } => Reason::SeenInTraining,
        _ => Reason::NotLogged,
    }
}

fn verdict(evaluation: &Evaluation) -> Verdict {
    let found = &evaluation.verdict;
    let (Some(policy), Some(difference)) = (found.policy.clone(), found.difference) else {
        return Verdict::Refused {
            reason: found.refused.as_ref().map_or(Reason::NotComputed, reason),
        };
    };
    let baseline = found.baseline.clone();
    let comparison = comparison(evaluation, &difference);
    match found.kind {
        VerdictKind::Beats => Verdict::Beats {
            policy,
            baseline,
            comparison,
        },
        VerdictKind::Worse => Verdict::Worse {
            policy,
            baseline,
            comparison,
        },
        VerdictKind::NotShown => Verdict::NotShown {
            policy,
            baseline,
            comparison,
            more_conversations: found.more_conversations,
        },
        VerdictKind::Simulated => Verdict::Simulated {
            policy,
            baseline,
            model: if evaluation.assumed.is_empty() {
                "outcome model fitted to this log".to_owned()
            } else {
                format!("outcome model, {} cells assumed", evaluation.assumed.len())
            },
            comparison,
        },
        VerdictKind::Refused => Verdict::Refused {
            reason: Reason::NotComputed,
        },
    }
}

fn comparison(evaluation: &Evaluation, difference: &Difference) -> Comparison {
    let baseline = evaluation
        .policies
        .iter()
        .find(|judged| judged.name == BASELINE);
    Comparison {
        measure: Measure::Reward,
        difference: difference.value,
        lower: difference.lower,
        upper: difference.upper,
        level: evaluation.level,
        n: evaluation.rows,
        baseline_value: baseline.and_then(|judged| judged.estimates[0].value),
        candidates_judged: Some(evaluation.candidates),
        method: Some("bootstrap".to_owned()),
        evidence: evidence(evaluation.basis),
    }
}

fn kpi_table(evaluation: &Evaluation) -> KpiTable {
    let policies = evaluation
        .policies
        .iter()
        .map(|judged| PolicyKpis {
            name: judged.name.clone(),
            role: match judged.name.as_str() {
                BASELINE => PolicyRole::Baseline,
                AS_LOGGED => PolicyRole::Reference,
                _ => PolicyRole::Candidate,
            },
            kpis: kpis(evaluation, judged),
            tier_shares: Some(judged.tier_shares),
        })
        .collect();
    KpiTable {
        level: evaluation.level,
        policies,
    }
}

fn kpis(evaluation: &Evaluation, judged: &Judged) -> Kpis {
    let as_logged = judged.name == AS_LOGGED;
    let evidence = if as_logged {
        Evidence::Logged
    } else {
        evidence(evaluation.basis)
    };
    let of = |name: KpiName| -> Kpi {
        let value: Option<&Value> = judged.kpis.get(name.name());
        let interval = value.and_then(|v| v.interval);
        Kpi {
            value: value.and_then(|v| v.value),
            lower: interval.map(|i| i.lower),
            upper: interval.map(|i| i.upper),
            n: value.map(|v| v.n),
            evidence,
            missing: value.and_then(|v| v.refused.as_ref()).map(reason),
            difference: judged
                .kpi_differences
                .get(name.name())
                .map(|d| KpiDifference {
                    value: d.value,
                    lower: d.lower,
                    upper: d.upper,
                }),
        }
    };
    Kpis {
        reward: of(KpiName::Reward),
        satisfaction: of(KpiName::Satisfaction),
        time_efficiency: of(KpiName::TimeEfficiency),
        cost_efficiency: of(KpiName::CostEfficiency),
        human_secs: of(KpiName::HumanS),
        first_response_secs: of(KpiName::FirstResponseS),
        escalation_rate: of(KpiName::Escalation),
        click_rate: of(KpiName::Click),
        conversion_rate: of(KpiName::Conversion),
        queue: None,
    }
}

fn forest(evaluation: &Evaluation) -> EstimatorForest {
    let baseline = evaluation
        .policies
        .iter()
        .find(|judged| judged.name == BASELINE)
        .and_then(|judged| judged.estimates[0].value)
        .map(|value| BaselineValue {
            name: BASELINE.to_owned(),
            value,
        });
    EstimatorForest {
        measure: Measure::Reward,
        level: evaluation.level,
        baseline,
        policies: evaluation
            .policies
            .iter()
            .map(|judged| PolicyEstimates {
                policy: judged.name.clone(),
                estimates: judged
                    .estimates
                    .iter()
                    .map(|v| estimate(evaluation, judged, v))
                    .collect(),
            })
            .collect(),
    }
}

pub(super) fn estimate(evaluation: &Evaluation, judged: &Judged, value: &Value) -> Estimate {
    let weighted = matches!(value.estimator.as_str(), "ips" | "snips");
    let outcome = match (value.value, &value.refused) {
        (Some(point), None) => EstimateOutcome::Estimated {
            value: point,
            lower: value.interval.map(|i| i.lower),
            upper: value.interval.map(|i| i.upper),
            n: value.n,
            effective_sample_size: judged
                .weights
                .filter(|_| weighted)
                .map(|weights| weights.effective_sample_size),
            biased: false,
            evidence: match value.estimator.as_str() {
                "model" => Evidence::Simulated,
                "mean" => Evidence::Logged,
                _ => evidence(evaluation.basis),
            },
        },
        (_, refused) => EstimateOutcome::Refused {
            reason: refused.as_ref().map_or(Reason::NotComputed, reason),
        },
    };
    Estimate {
        estimator: value.estimator.clone(),
        outcome,
    }
}

fn policy_map(evaluation: &Evaluation, judged: &Judged) -> PolicyMap {
    let names = |levels: &[&str]| levels.iter().map(|level| (*level).to_owned()).collect();
    let axis = |key: &str, levels: &[&str]| MapAxis {
        key: key.to_owned(),
        levels: names(levels),
    };
    let classes: Vec<&str> = Class::ALL.iter().map(|class| class.name()).collect();
    let cells = (0..Discretizer::STATES)
        .filter_map(|state| Cell::from_state(state).zip(judged.states.get(state)))
        .map(|(cell, choice)| MapCell {
            index: vec![
                cell.class.index(),
                usize::from(cell.negative),
                usize::from(cell.load),
                usize::from(cell.turn),
            ],
            // A state that never came up shows no choice, only that it is empty.
            probabilities: if choice.decisions == 0 {
                [1.0 / 3.0; 3]
            } else {
                choice.probabilities
            },
            allowed: if choice.decisions == 0 {
                [true; 3]
            } else {
                choice.allowed.map(|share| share > 0.0)
            },
            visits: Some(choice.decisions),
        })
        .collect();
    PolicyMap {
        policy: judged.name.clone(),
        axes: vec![
            axis("complexity", &classes),
            axis("sentiment", &["not_negative", "negative"]),
            axis("load", &["low", "medium", "high", "full"]),
            axis("turn", &["first", "early", "late"]),
        ],
        cells,
        evidence: match judged.evidence {
            Learned::Simulated => Evidence::Simulated,
            Learned::Written | Learned::Logged => match evaluation.basis {
                Basis::Simulated => Evidence::Simulated,
                other => evidence(other),
            },
        },
    }
}

fn alternative(evaluation: &Evaluation, a: &Alternative) -> AlternativeReward {
    AlternativeReward {
        definition: match a.shape {
            RewardShape::Product => RewardDefinition::Product {
                cost_weight: a.cost_weight,
            },
            RewardShape::Powers { a, b } => RewardDefinition::Power {
                satisfaction: a,
                efficiency: b,
            },
            RewardShape::Weighted { w } => RewardDefinition::WeightedSum { weight: w },
        },
        is_default: a.is_default,
        evidence: evidence(evaluation.basis),
        winner: a.winner.clone(),
        difference: a.difference,
        lower: a.interval.map(|i| i.lower),
        upper: a.interval.map(|i| i.upper),
    }
}
