//! The estimators of `policies/src/ope` on a conversation log: conversations are episodes of any length, with the reward at
//! their end.
//!
//! Weights are products of π/propensity over the decisions of a conversation, π as served, floor included. Nothing is
//! discounted within a conversation. The model q is fitted here, by the 72 states of the tabular view, cross-fitted.

use serde::{Deserialize, Serialize};
use tierwise_envs::discretise::Discretizer;
use tierwise_envs::kpi::Kpi;
use tierwise_envs::replay::Episodes;
use tierwise_envs::tier::Tier;
use tierwise_policies::ope::select::SelectionPlan;
use tierwise_policies::ope::{
    EstimatorError, LoggedSteps, Method, Propensity, SequenceOptions, Sequential, TableJudgement,
    TableOptions, TableSelection, compare_steps, judge_steps,
};

use super::directory::RunError;
use super::evaluate::{Candidate, EvaluateOptions};
use super::evaluation::BASELINE;
use super::judged::Propensities;
use super::ledger::Ledger;
use super::overlap::{Unsupported, unsupported};
use crate::failure::Failure;

/// What is asked of a log beside the usual judging.
#[derive(Debug, Clone, PartialEq)]
pub struct OffPolicyQuestion {
    /// Estimators with the names they were asked by; none for the selection alone.
    pub estimators: Vec<(String, Sequential)>,
    /// How intervals are made.
    pub interval: Method,
}

impl OffPolicyQuestion {
    /// Parses names of estimators: those of sequences, and `ips`, `snips` and `sndr` for what they are here.
    ///
    /// # Errors
    /// A [`Failure`] for a name that is none, and for an interval that needs a range of rewards.
    pub fn parse(names: &[String], interval: Method) -> Result<Self, Failure> {
        if interval.bounds() {
            return Err(Failure::new(format!("`--interval {interval}` on a log"))
                .detail("weights of whole conversations have no bound that could be declared")
                .fix("take `normal`, `t` or `bootstrap`"));
        }
        let estimators = names
            .iter()
            .map(|name| {
                let name = name.trim();
                let known = match name {
                    "ips" => Ok(Sequential::Tis),
                    "snips" => Ok(Sequential::Sntis),
                    "sndr" => Ok(Sequential::Wdr),
                    _ => name.parse(),
                };
                known
                    .map(|estimator| (name.to_owned(), estimator))
                    .map_err(|error: EstimatorError| {
                        Failure::new(format!("`--estimators`: {error}"))
                            .detail("conversations are episodes: `ips`, `snips` and `sndr` are `tis`, `sntis` and `wdr` there, and nothing is clipped")
                            .fix("write `--estimators ips,snips,dm,dr`")
                    })
            })
            .collect::<Result<_, Failure>>()?;
        Ok(Self {
            estimators,
            interval,
        })
    }
}

/// One policy by the estimators asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PolicyJudgement {
    /// Its name.
    pub policy: String,
    /// Cells of class and tier that the log does not support.
    pub unsupported: Vec<Unsupported>,
    /// The results, in the format of tables.
    #[serde(flatten)]
    pub judgement: TableJudgement,
}

/// What the estimators say of every policy, and which may be promoted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OffPolicy {
    /// Conversations with a reward, which alone are judged.
    pub conversations: u64,
    /// Conversations of which no reward can be known.
    pub left_out: u64,
    /// Why nothing is estimated.
    pub refused: Option<String>,
    /// The rule first, then the candidates.
    pub policies: Vec<PolicyJudgement>,
    /// Ranking of the candidates and the decision, against the rule.
    pub selection: Option<TableSelection>,
}

/// The steps of a log, with the rows of the log that have a reward.
pub(super) fn logged_steps(log: &Episodes, discretizer: &Discretizer) -> (LoggedSteps, Vec<usize>) {
    let mut steps = LoggedSteps {
        actions: Tier::ALL.len(),
        starts: vec![0],
        states: Discretizer::STATES,
        ..LoggedSteps::default()
    };
    let mut rows = Vec::new();
    for row in 0..log.len() {
        let Some(reward) = log.kpis(row).get(Kpi::Reward) else {
            continue;
        };
        let range = log.range(row);
        for decision in range.clone() {
            let at = log.situation(decision);
            steps.action.push(log.action(decision).index() as u16);
            let propensity = log.propensity(decision);
            steps
                .propensity
                .push(propensity.map_or(f64::NAN, |(p, _)| p.value()));
            let last = decision + 1 == range.end;
            steps.reward.push(if last { reward } else { 0.0 });
            steps.state.push(discretizer.state(&at.observation) as u32);
        }
        steps.key.push(log.keys()[row]);
        steps.starts.push(steps.reward.len());
        rows.push(row);
    }
    (steps, rows)
}

/// Probabilities of a policy at every decision of some rows.
pub(super) fn probabilities(log: &Episodes, rows: &[usize], candidate: &Candidate) -> Vec<f64> {
    let mut target = Vec::new();
    for row in rows {
        for decision in log.range(*row) {
            let probs = candidate.policy.probabilities(&log.situation(decision));
            target.extend(Tier::ALL.map(|tier| probs.of(tier)));
        }
    }
    target
}

/// Everything that is asked of a log beside the usual judging.
pub(super) struct Asked<'a> {
    pub(super) log: &'a Episodes,
    pub(super) discretizer: &'a Discretizer,
    pub(super) candidates: &'a [Candidate],
    pub(super) kind: Propensities,
    pub(super) options: &'a EvaluateOptions,
    pub(super) judged_before: u32,
    pub(super) gate: tierwise_policies::ope::SupportGate,
}

impl Asked<'_> {
    pub(super) fn answer(&self, question: &OffPolicyQuestion) -> OffPolicy {
        let (steps, rows) = logged_steps(self.log, self.discretizer);
        let mut answer = OffPolicy {
            conversations: rows.len() as u64,
            left_out: (self.log.len() - rows.len()) as u64,
            refused: None,
            policies: Vec::new(),
            selection: None,
        };
        if self.kind == Propensities::Absent || rows.is_empty() {
            answer.refused = Some(self.why_nothing(&steps));
            return answer;
        }
        let options = TableOptions {
            estimators: question.estimators.iter().map(|(_, e)| *e).collect(),
            interval: question.interval,
            level: self.options.level,
            bootstrap: self.options.bootstrap,
            gate: self.gate,
            ..TableOptions::default()
        };
        let sequence = SequenceOptions::default();
        let mut policies = Vec::new();
        let mut reasons = Vec::new();
        for candidate in self.candidates {
            let target = probabilities(self.log, &rows, candidate);
            let cells = unsupported(self.log, &rows, &target);
            let seen = candidate.refused.as_ref().map(refusal);
            reasons.push(seen.or_else(|| cells.first().map(|cell| cell.reason.clone())));
            policies.push((candidate.name.clone(), target));
            if question.estimators.is_empty() {
                continue;
            }
            let (_, target) = &policies[policies.len() - 1];
            let mut judgement = judge_steps(&steps, target, &options, sequence);
            let reason = reasons[reasons.len() - 1].as_ref();
            for (estimate, (name, estimator)) in
                judgement.estimates.iter_mut().zip(&question.estimators)
            {
                estimate.estimator.clone_from(name);
                if let Some(reason) =
                    reason.filter(|_| estimator.weighs() || candidate.refused.is_some())
                {
                    estimate.refused = Some(reason.clone());
                    (estimate.value, estimate.standard_error) = (None, None);
                    estimate.interval = None;
                }
            }
            if self.kind == Propensities::Estimated {
                judgement.propensities = Some(Propensity::Estimated);
            }
            answer.policies.push(PolicyJudgement {
                policy: candidate.name.clone(),
                unsupported: cells,
                judgement,
            });
        }
        let compared = compare_steps(&steps, &policies, &options, sequence, Some(BASELINE));
        answer.selection = compared.ok().map(|mut compared| {
            compared.refuse(&reasons);
            if self.kind == Propensities::Estimated {
                compared.refuse_all("propensities of this log are estimates, and on estimates alone nothing may be promoted");
            }
            compared.decide(self.plan())
        });
        answer
    }

    fn plan(&self) -> SelectionPlan {
        SelectionPlan {
            level: self.options.level,
            judged_before: self.judged_before,
            bootstrap: self.options.bootstrap,
        }
    }

    /// Why a log without propensities has no estimates, and what it would take.
    fn why_nothing(&self, steps: &LoggedSteps) -> String {
        if steps.is_empty() {
            return "no conversation of this part has a reward".to_owned();
        }
        let lacking = (0..self.log.decisions())
            .filter(|decision| self.log.propensity(*decision).is_none())
            .count();
        let taken: Vec<&str> = Tier::ALL
            .into_iter()
            .filter(|tier| steps.action.iter().any(|a| usize::from(*a) == tier.index()))
            .map(Tier::name)
            .collect();
        let only = if let [one] = taken[..] {
            format!(
                ", and every decision was `{one}`, so no propensity could be fitted to it either"
            )
        } else {
            String::new()
        };
        format!(
            "{lacking} of {} decisions have no propensity{only}; log the probability of each choice, and let some choices be random",
            self.log.decisions()
        )
    }
}

/// What is judged of a log: a hash of its rows, and name and hash of each candidate, the rule not among them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JudgedRows {
    /// Hash of tiers, propensities and rewards.
    pub rows: String,
    /// Name of each candidate and the hash of what it would do on the rows.
    pub candidates: Vec<(String, String)>,
}

impl JudgedRows {
    pub(super) fn of(log: &Episodes, discretizer: &Discretizer, candidates: &[Candidate]) -> Self {
        let (steps, rows) = logged_steps(log, discretizer);
        let judged: Vec<&Candidate> = candidates.iter().filter(|c| c.name != BASELINE).collect();
        let targets: Vec<Vec<f64>> = judged
            .iter()
            .map(|candidate| probabilities(log, &rows, candidate))
            .collect();
        let targets: Vec<&[f64]> = targets.iter().map(|target| &target[..]).collect();
        let print = steps.fingerprint(&targets);
        let names = judged.iter().map(|candidate| candidate.name.clone());
        Self {
            rows: print.rows,
            candidates: names.zip(print.candidates).collect(),
        }
    }

    /// Candidates that a ledger holds for these rows, beyond these.
    #[must_use]
    pub fn others(&self, ledger: &Ledger) -> u32 {
        let own: Vec<&str> = self.candidates.iter().map(|(_, hash)| &hash[..]).collect();
        ledger.others(&self.rows, &own)
    }

    /// Writes them into a ledger.
    ///
    /// # Errors
    /// [`RunError::Io`].
    pub fn add_to(&self, ledger: &mut Ledger) -> Result<(), RunError> {
        let own: Vec<(&str, &str)> = self
            .candidates
            .iter()
            .map(|(name, hash)| (&name[..], &hash[..]))
            .collect();
        ledger.add(&self.rows, &own)
    }
}

fn refusal(refusal: &tierwise_policies::ope::Refusal) -> String {
    match refusal {
        tierwise_policies::ope::Refusal::Seen { conversations } => {
            format!("it learned from {conversations} of these conversations; judge it on others")
        }
        other => format!("{other:?}"),
    }
}
