//! Candidates with names: what a table or a log says of each, and the decision in words.

use serde::{Deserialize, Serialize};

use super::gate::{Decision, SelectionPlan, TermSums, select};
use crate::ope::drift::{DRIFT_LEVEL, Halves};
use crate::ope::prints::Fingerprint;

/// Name of the policy that wrote the log.
pub(crate) const AS_LOGGED: &str = "as logged";

/// A candidate and what the gate says of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NamedCandidate {
    /// Its name.
    pub name: String,
    /// Estimated difference to the baseline, in units of the reward.
    pub difference: Option<f64>,
    /// Its standard error.
    pub standard_error: Option<f64>,
    /// Lower bound, simultaneous over all candidates.
    pub lower: Option<f64>,
    /// Whether the bound is above zero.
    pub passes: bool,
    /// Its difference by halves of the log; none where rows are few.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub halves: Option<Halves>,
    /// Why it is not judged.
    pub refused: Option<String>,
}

/// A ranking of candidates and a decision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TableSelection {
    /// What they are compared with.
    pub baseline: String,
    /// From the largest lower bound to the smallest; refused ones last.
    pub candidates: Vec<NamedCandidate>,
    /// Promote, keep, or collect more, in words.
    pub decision: SelectionDecision,
    /// How many standard errors a bound lies below its estimate, and what Bonferroni's correction would take.
    pub critical_value: Option<f64>,
    /// See [`TableSelection::critical_value`].
    pub bonferroni: Option<f64>,
    /// Other candidates that were judged on the same rows before, which the bounds allow for.
    #[serde(default)]
    pub judged_before: u32,
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum SelectionDecision {
    /// Promote this one.
    Promote {
        /// Its name.
        candidate: String,
    },
    /// Keep the baseline.
    Keep {
        /// Why.
        reason: String,
    },
    /// The best looks better and is not shown to be.
    CollectMore {
        /// Its name.
        candidate: String,
        /// Rows (episodes, in a sequence) like these, beyond those at hand.
        rows: u64,
    },
}

/// Every candidate compared with a baseline on the same rows, before the number of candidates is known that share the error.
#[derive(Debug, Clone)]
pub struct Comparison {
    /// Every policy compared, the baseline among them where it is one.
    pub(crate) names: Vec<String>,
    /// Which of them is the baseline; the log when none is.
    pub(crate) against: Option<usize>,
    /// Differences to the baseline, a column a policy.
    pub(crate) sums: TermSums,
    /// Why a policy cannot be judged.
    pub(crate) refused: Vec<Option<String>>,
    /// What was judged; empty where nothing was.
    pub(crate) fingerprint: Option<Fingerprint>,
    /// Why nothing can be compared at all.
    pub(crate) nothing: Option<String>,
}

impl Comparison {
    /// Nothing is compared, and why.
    pub(crate) fn nothing(names: &[String], against: Option<usize>, reason: &str) -> Self {
        Self {
            names: names.to_vec(),
            against,
            sums: TermSums::new(0),
            refused: vec![Some(reason.to_owned()); names.len()],
            fingerprint: None,
            nothing: Some(reason.to_owned()),
        }
    }

    /// Which of the names is the baseline; an error in words when none is.
    pub(crate) fn baseline(
        names: &[String],
        baseline: Option<&str>,
    ) -> Result<Option<usize>, String> {
        match baseline {
            None | Some(AS_LOGGED) => Ok(None),
            Some(name) => names
                .iter()
                .position(|known| known == name)
                .map(Some)
                .ok_or_else(|| format!("no candidate `{name}`; there are {}", names.join(", "))),
        }
    }

    /// Refuses policies, each with its reason, in the order of the names.
    pub fn refuse(&mut self, reasons: &[Option<String>]) {
        for (mine, reason) in self.refused.iter_mut().zip(reasons) {
            if let Some(reason) = reason {
                *mine = Some(reason.clone());
            }
        }
    }

    /// Compares nothing, for a reason.
    pub fn refuse_all(&mut self, reason: &str) {
        self.nothing = Some(reason.to_owned());
    }

    /// Names and hashes of the candidates, and the hash of the rows they were judged on; none where nothing was judged.
    #[must_use]
    pub fn judged(&self) -> Option<(&str, Vec<(&str, &str)>)> {
        let print = self.fingerprint.as_ref()?;
        let of = self.names.iter().zip(&print.candidates).enumerate();
        Some((
            &print.rows,
            of.filter(|(at, _)| Some(*at) != self.against)
                .map(|(_, (name, hash))| (name.as_str(), hash.as_str()))
                .collect(),
        ))
    }

    /// Ranks the candidates and decides.
    #[must_use]
    pub fn decide(&self, plan: SelectionPlan) -> TableSelection {
        if let Some(reason) = &self.nothing {
            return self.kept(reason, plan);
        }
        if let Some(at) = self.against
            && let Some(reason) = &self.refused[at]
        {
            return self.kept(&format!("the baseline cannot be judged: {reason}"), plan);
        }
        let judged: Vec<usize> = (0..self.names.len())
            .filter(|c| Some(*c) != self.against && self.refused[*c].is_none())
            .collect();
        let selection = match select(&self.sums.only(&judged), plan) {
            Ok(selection) => selection,
            Err(error) => {
                let reason = if judged.is_empty() {
                    "no candidate can be judged on this log".to_owned()
                } else {
                    error.to_string()
                };
                let mut all = self.kept(&reason, plan);
                for candidate in &mut all.candidates {
                    let at = self.names.iter().position(|name| *name == candidate.name);
                    if let Some(own) = at.and_then(|at| self.refused[at].clone()) {
                        candidate.refused = Some(own);
                    }
                }
                return all;
            }
        };
        let name = |candidate: usize| self.names[judged[candidate]].clone();
        // A lead that is another one in each half of the log is not what the next rows would bring.
        let level = DRIFT_LEVEL / judged.len() as f64;
        let mut candidates: Vec<NamedCandidate> = selection
            .ranking
            .iter()
            .map(|r| NamedCandidate {
                name: name(r.candidate),
                difference: Some(r.difference),
                standard_error: Some(r.standard_error),
                lower: Some(r.lower),
                passes: r.passes,
                halves: self.sums.halves(judged[r.candidate], level),
                refused: None,
            })
            .collect();
        let decision = match selection.decision {
            Decision::Promote { .. } => steady(&candidates),
            Decision::CollectMore { candidate, rows } => SelectionDecision::CollectMore {
                candidate: name(candidate),
                rows,
            },
            Decision::Keep => SelectionDecision::Keep {
                reason: "no candidate has an estimate above the baseline's".to_owned(),
            },
        };
        let refused = self.refused.iter().enumerate();
        candidates.extend(refused.filter_map(|(at, reason)| {
            (Some(at) != self.against).then_some(())?;
            Some(refused_candidate(&self.names[at], reason.as_deref()?))
        }));
        TableSelection {
            baseline: self.baseline_name(),
            candidates,
            decision,
            critical_value: Some(selection.critical_value),
            bonferroni: Some(selection.bonferroni),
            judged_before: plan.judged_before,
        }
    }

    fn baseline_name(&self) -> String {
        self.against
            .map_or_else(|| AS_LOGGED.to_owned(), |at| self.names[at].clone())
    }

    /// No candidate judged, and why.
    fn kept(&self, reason: &str, plan: SelectionPlan) -> TableSelection {
        let names = self.names.iter().enumerate();
        TableSelection {
            baseline: self.baseline_name(),
            candidates: names
                .filter(|(at, _)| Some(*at) != self.against)
                .map(|(_, name)| refused_candidate(name, reason))
                .collect(),
            decision: SelectionDecision::Keep {
                reason: reason.to_owned(),
            },
            critical_value: None,
            bonferroni: None,
            judged_before: plan.judged_before,
        }
    }
}

/// Promotes the best candidate that passes and whose lead is the same in both halves of the log.
fn steady(ranking: &[NamedCandidate]) -> SelectionDecision {
    let mut passing = ranking.iter().filter(|candidate| candidate.passes);
    let changed = |c: &NamedCandidate| c.halves.is_some_and(|halves| halves.differ);
    if let Some(steady) = passing.clone().find(|candidate| !changed(candidate)) {
        return SelectionDecision::Promote {
            candidate: steady.name.clone(),
        };
    }
    let best = passing.next();
    let (name, halves) = best.map_or(("", None), |best| (best.name.as_str(), best.halves));
    let (first, second) = halves.map_or((f64::NAN, f64::NAN), |h| (h.first, h.second));
    SelectionDecision::Keep {
        reason: format!(
            "the lead of {name} is {first:+.4} in the first half of the log and {second:+.4} in the second, which chance does not explain; judge it on later rows"
        ),
    }
}

fn refused_candidate(name: &str, reason: &str) -> NamedCandidate {
    NamedCandidate {
        name: name.to_owned(),
        difference: None,
        standard_error: None,
        lower: None,
        passes: false,
        halves: None,
        refused: Some(reason.to_owned()),
    }
}
