//! What the log can and cannot support, as the report shows it.

use tierwise_reports::{LogSupport, PropensityKind};

use super::evaluate::{AS_LOGGED, BASELINE, Evaluation};
use super::judged::Propensities;

/// The log's section of the page: what judging saw, and what the log check claims where one was kept.
pub(super) fn log_support(
    evaluation: &Evaluation,
    _check: Option<&serde_json::Value>,
) -> LogSupport {
    let candidate = evaluation
        .policies
        .iter()
        .find(|judged| Some(&judged.name) == evaluation.verdict.policy.as_ref())
        .or_else(|| {
            evaluation
                .policies
                .iter()
                .find(|judged| judged.name != BASELINE && judged.name != AS_LOGGED)
        });
    LogSupport {
        conversations: evaluation.rows,
        decisions: evaluation.decisions,
        first_at: None,
        last_at: None,
        span_days: None,
        gaps: Vec::new(),
        propensity: match evaluation.propensities {
            Propensities::Exact => PropensityKind::Exact,
            Propensities::Estimated => PropensityKind::Estimated,
            Propensities::Absent => PropensityKind::Absent,
        },
        effective_sample_size: candidate
            .and_then(|c| c.weights)
            .map(|w| w.effective_sample_size),
        largest_weight_share: candidate.and_then(|c| c.weights).map(|w| w.max_share),
        overlap: Vec::new(),
        claims: Vec::new(),
    }
}
