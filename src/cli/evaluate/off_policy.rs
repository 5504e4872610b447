//! Further estimators of a log and the selection, as text.

use super::table::{estimated, selected};
use crate::run::OffPolicy;

/// One block a policy, then the ranking.
pub(super) fn text(off_policy: &OffPolicy, level: f64) -> String {
    if let Some(reason) = &off_policy.refused {
        return format!("off-policy estimators: refused. {reason}");
    }
    let mut lines = Vec::new();
    for policy in &off_policy.policies {
        let judgement = &policy.judgement;
        let weights = judgement.weights.map_or(String::new(), |w| {
            format!(
                ": weights of whole conversations average {:.3}, effective sample size {:.0}",
                w.mean, w.effective_sample_size
            )
        });
        lines.push(format!("{}{weights}", policy.policy));
        lines.extend(
            estimated(judgement)
                .into_iter()
                .map(|line| format!("  {line}")),
        );
        let cells = policy.unsupported.iter();
        lines.extend(cells.map(|cell| format!("  note: {}", cell.reason)));
        lines.push(String::new());
    }
    if let Some(selection) = &off_policy.selection {
        lines.extend(selected(selection, level));
    }
    let notes = off_policy.policies.first().map(|p| &p.judgement.notes);
    lines.extend(
        notes
            .into_iter()
            .flatten()
            .map(|note| format!("note: {note}")),
    );
    if off_policy.left_out > 0 {
        lines.push(format!(
            "note: {} conversations have no reward that could be known, and are left out here",
            off_policy.left_out
        ));
    }
    lines.join("\n")
}
