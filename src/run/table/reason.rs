//! Reasons of a judgement, which are English sentences of the results format, as values that a page words in two languages.
//!
//! A sentence that is not known here is shown as it is.

use tierwise_reports::{Sentence, TableReason};

/// The reason that a sentence of the results states.
pub(super) fn reason(text: &str) -> TableReason {
    known(text).unwrap_or_else(|| TableReason::Stated(Sentence::new(text, text)))
}

fn known(text: &str) -> Option<TableReason> {
    if text.starts_with("the table has no `propensity`") {
        return Some(TableReason::NoPropensities);
    }
    if text.starts_with("the log has no propensities, and on estimates") {
        return Some(TableReason::EstimatedPropensities);
    }
    if text.starts_with("the log never did what the policy does") {
        return Some(TableReason::NoOverlap);
    }
    if text.starts_with("the table has no `q0`") && text.contains("to fit a model to") {
        return Some(TableReason::NoModel);
    }
    if text.starts_with("no candidate has an estimate above") {
        return Some(TableReason::NothingBetter);
    }
    if text.starts_with("the baseline cannot be judged") {
        return Some(TableReason::BaselineRefused);
    }
    if text.contains("has no spread; collect more") {
        return Some(TableReason::TooFew);
    }
    if let Some(rest) = text.strip_prefix("the weights leave an effective sample of ") {
        return Some(TableReason::LowEffective {
            have: first_number(rest)?,
            needed: number_before(rest, " are needed")?,
        });
    }
    if let Some((_, rest)) = text.split_once(" carries ")
        && rest.contains("of all weight")
    {
        return Some(TableReason::LargeShare {
            share: first_number(rest)? / 100.0,
            limit: number_before(rest, " %)")? / 100.0,
        });
    }
    let (action, rest) = text.strip_prefix("action ")?.split_once(' ')?;
    if let Some(place) = rest.strip_prefix("was never taken in ") {
        return Some(TableReason::NeverTakenIn {
            action: action.parse().ok()?,
            group: place.rsplit_once(" (")?.0.to_owned(),
        });
    }
    let rest = rest.strip_prefix("was never taken, and the policy takes it in ")?;
    Some(TableReason::NeverTaken {
        action: action.parse().ok()?,
        share: first_number(rest)? / 100.0,
    })
}

fn first_number(text: &str) -> Option<f64> {
    text.split(' ').next()?.trim_end_matches(',').parse().ok()
}

/// The word before `after`, as a number.
fn number_before(text: &str, after: &str) -> Option<f64> {
    let (before, _) = text.split_once(after)?;
    before.rsplit(' ').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;
    use crate::run::{TableQuestion, judge_table};
    use tierwise_policies::ope::SupportGate;

    /// The reason that a table's `ips` is refused for.
    fn refused(head: &str, rows: &[&str], estimator: &str, gate: SupportGate) -> TableReason {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.csv");
        let mut text = format!("{head}\n");
        for row in rows {
            writeln!(text, "{row}").unwrap();
        }
        std::fs::write(&path, text).unwrap();
        let question = TableQuestion {
            estimators: vec![estimator.to_owned()],
            gate,
            ..TableQuestion::default()
        };
        let judgement = judge_table(&path, &question, None).unwrap().0;
        reason(judgement.estimates[0].refused.as_deref().unwrap())
    }

    #[test]
    fn every_refusal_of_a_table_is_a_value() {
        let head = "action,propensity,reward,pi0,pi1";
        let usual = SupportGate::default();
        let both = ["0,0.5,1,0.5,0.5", "1,0.5,0,0.5,0.5"];
        assert_eq!(
            refused(head, &both, "ips", usual),
            TableReason::LowEffective {
                have: 2.0,
                needed: 100.0
            }
        );
        let loose = SupportGate {
            min_effective_sample_size: 1.0,
            max_weight_share: 0.25,
        };
        assert_eq!(
            refused(head, &both, "ips", loose),
            TableReason::LargeShare {
                share: 0.5,
                limit: 0.25
            }
        );
        assert_eq!(
            refused(head, &["0,1,1,0.75,0.25", "0,1,1,0.75,0.25"], "ips", usual),
            TableReason::NeverTaken {
                action: 1,
                share: 0.25
            }
        );
        assert_eq!(refused(head, &both[..1], "ips", usual), TableReason::TooFew);
        assert_eq!(
            refused("action,reward,pi0", &["0,1,1"], "ips", usual),
            TableReason::NoPropensities
        );
        assert_eq!(refused(head, &both, "dm", usual), TableReason::NoModel);
        assert_eq!(
            refused(
                "action,propensity,reward,pi0,pi1",
                &["0,0.5,1,0,1", "0,0.5,1,0,1", "1,0.5,1,1,0"],
                "ips",
                usual
            ),
            TableReason::NoOverlap
        );
    }

    #[test]
    fn what_is_not_known_is_shown_as_it_is() {
        let odd = "the moon was in the way";
        assert_eq!(reason(odd), TableReason::Stated(Sentence::new(odd, odd)));
    }
}
