//! Judgements of tables become the values of a page. The only place that knows both.

use std::path::Path;

use tierwise_policies::ope::{
    Method, NamedCandidate, Overlap, Propensity, SelectionDecision, TableEstimate, TableSelection,
    WeightHistogram, WeightSummary, normal_quantile,
};
use tierwise_reports::{
    CandidateRanking, LoggedValue, MoreData, NamedValue, OffPolicyPage, OverlapGroup,
    PropensityBin, PropensityKind, Provenance, RankedCandidate, TableEstimateRow, TableOverlap,
    TableReason, TableVerdict, WeightSpread, WeightsOfSize,
};

use super::reason::reason;
use super::saved::SavedTable;
use crate::run::evaluation::AS_LOGGED;

/// Estimators that stand for a policy's value, the most trusted first.
const TRUSTED: [&str; 13] = [
    "dr", "mrdr", "sndr", "wdr", "snips", "ips", "snpdis", "pdis", "magic", "mis", "sntis", "tis",
    "fqe",
];

/// The page of a judgement.
#[must_use]
pub fn table_page(saved: &SavedTable) -> OffPolicyPage {
    let judgement = &saved.judgement;
    let diagnostics = judgement.diagnostics.as_ref();
    let quantile = normal_quantile(judgement.level);
    let name = Path::new(&saved.table)
        .file_name()
        .map_or_else(|| saved.table.clone(), |n| n.to_string_lossy().into_owned());
    let estimates: Vec<TableEstimateRow> = judgement.estimates.iter().map(estimate).collect();
    OffPolicyPage {
        title: Some(name),
        subtitle: None,
        sample: false,
        rows: judgement.rows,
        episodes: judgement.episodes,
        level: judgement.level,
        method: method(saved).name().to_owned(),
        propensity: match judgement.propensities {
            Some(Propensity::Logged) => PropensityKind::Exact,
            Some(Propensity::Estimated) => PropensityKind::Estimated,
            None => PropensityKind::Absent,
        },
        verdict: verdict(saved, &estimates),
        as_logged: diagnostics.map_or(
            LoggedValue {
                value: f64::NAN,
                interval: None,
            },
            |d| LoggedValue {
                value: d.as_logged.value,
                interval: d.as_logged.standard_error.map(|error| {
                    let half = quantile * error;
                    (d.as_logged.value - half, d.as_logged.value + half)
                }),
            },
        ),
        more: more(&judgement.estimates, quantile),
        estimates,
        sensitivity: judgement.sensitivity.map(|s| (s.gamma, s.lower, s.upper)),
        returns: judgement.returns.as_ref().and_then(|returns| {
            let median = returns.quantiles.iter().find(|q| q.share == 0.5)?;
            Some((
                median.value,
                returns.standard_deviation,
                returns.worst_5_percent,
            ))
        }),
        weights: diagnostics
            .and_then(|d| d.weights.as_ref())
            .zip(judgement.weights)
            .map(|(histogram, summary)| weights(saved, histogram, summary)),
        overlap: diagnostics.map(|d| overlap(&d.overlap)),
        ranking: judgement
            .selection
            .as_ref()
            .map(|selection| ranking(saved, selection)),
        calibration: diagnostics
            .and_then(|d| d.calibration.as_ref())
            .map(|bins| {
                bins.iter()
                    .map(|bin| PropensityBin {
                        from: bin.from,
                        to: bin.to,
                        n: bin.n,
                        predicted: bin.predicted,
                        observed: bin.observed,
                        standard_error: bin.standard_error,
                    })
                    .collect()
            })
            .unwrap_or_default(),
        notes: judgement.notes.clone(),
        provenance: Provenance {
            versions: vec![NamedValue::new("tierwise", &saved.created_by)],
            seeds: vec![judgement.seed],
            log_hash: Some(saved.table_hash.clone()),
            command: Some(saved.command()),
            ..Provenance::default()
        },
    }
}

/// The method of the intervals that were made, else the one asked for.
fn method(saved: &SavedTable) -> Method {
    let mut made = saved.judgement.estimates.iter().filter_map(|e| e.interval);
    made.next()
        .map_or(saved.question.interval, |interval| interval.method)
}

fn verdict(saved: &SavedTable, estimates: &[TableEstimateRow]) -> TableVerdict {
    let judgement = &saved.judgement;
    let valued = || match estimates.iter().find_map(|e| e.refused.clone()) {
        Some(reason) if estimates.iter().all(|e| e.value.is_none()) => {
            TableVerdict::Refused { reason }
        }
        _ => TableVerdict::Valued,
    };
    let Some(selection) = &judgement.selection else {
        return valued();
    };
    match &selection.decision {
        SelectionDecision::Promote { candidate } => TableVerdict::Promote {
            candidate: candidate.clone(),
        },
        SelectionDecision::CollectMore { candidate, rows } => TableVerdict::CollectMore {
            candidate: candidate.clone(),
            rows: *rows,
        },
        _ if judgement.propensities.is_none() => TableVerdict::Refused {
            reason: TableReason::NoPropensities,
        },
        SelectionDecision::Keep { reason: text } => {
            // Without a single candidate judged there is nothing that the baseline was kept against.
            let judged = selection.candidates.iter().any(|c| c.difference.is_some());
            let first = selection.candidates.iter().find_map(|c| c.refused.as_ref());
            match first {
                Some(first) if !judged && judgement.propensities == Some(Propensity::Logged) => {
                    TableVerdict::Refused {
                        reason: reason(first),
                    }
                }
                _ => TableVerdict::Keep {
                    reason: reason(text),
                },
            }
        }
        _ => valued(),
    }
}

fn estimate(estimate: &TableEstimate) -> TableEstimateRow {
    TableEstimateRow {
        estimator: match estimate.parameter {
            Some(parameter) => format!("{}:{parameter}", estimate.estimator),
            None => estimate.estimator.clone(),
        },
        value: estimate.value,
        interval: estimate.interval.map(|i| (i.lower, i.upper)),
        biased: estimate.biased,
        model_only: estimate.estimator == "dm",
        refused: estimate.refused.as_deref().map(reason),
    }
}

fn more(estimates: &[TableEstimate], quantile: f64) -> Option<MoreData> {
    let given = |name: &str| {
        let mut all = estimates.iter().filter(|e| e.parameter.is_none());
        all.find(|e| e.estimator == name && e.value.is_some())
    };
    let chosen = TRUSTED.into_iter().find_map(given)?;
    let (value, error) = chosen.value.zip(chosen.standard_error)?;
    Some(MoreData {
        estimator: chosen.estimator.clone(),
        value,
        half_width: quantile * error,
    })
}

fn weights(
    saved: &SavedTable,
    histogram: &WeightHistogram,
    summary: WeightSummary,
) -> WeightSpread {
    let gate = saved.question.gate;
    WeightSpread {
        n: saved.judgement.episodes.unwrap_or(saved.judgement.rows),
        mean: summary.mean,
        largest: summary.max,
        largest_share: summary.max_share,
        effective: summary.effective_sample_size,
        needed: gate.min_effective_sample_size,
        limit: gate.max_weight_share,
        zero: histogram.zero,
        bins: histogram
            .bins
            .iter()
            .map(|bin| WeightsOfSize {
                from: bin.from,
                n: bin.n,
                weight: bin.weight,
            })
            .collect(),
    }
}

fn overlap(overlap: &Overlap) -> TableOverlap {
    let groups = overlap.groups.iter().map(|group| (group, false));
    let others = overlap.others.iter().map(|group| (group, true));
    TableOverlap {
        by: overlap.by.clone(),
        groups: groups
            .chain(others)
            .map(|(group, others)| OverlapGroup {
                name: group.name.clone(),
                others,
                rows: group.rows,
                cells: group
                    .cells
                    .iter()
                    .map(|cell| (cell.taken, cell.wanted))
                    .collect(),
            })
            .collect(),
    }
}

fn ranking(saved: &SavedTable, selection: &TableSelection) -> CandidateRanking {
    let one = |candidate: &NamedCandidate| RankedCandidate {
        name: candidate.name.clone(),
        difference: candidate.difference,
        standard_error: candidate.standard_error,
        lower: candidate.lower,
        passes: candidate.passes,
        refused: candidate.refused.as_deref().map(reason),
    };
    CandidateRanking {
        baseline: (selection.baseline != AS_LOGGED).then(|| selection.baseline.clone()),
        candidates: selection.candidates.iter().map(one).collect(),
        judged_before: saved.question.judged_before.into(),
        critical: selection.critical_value.zip(selection.bonferroni),
    }
}
