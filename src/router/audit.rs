//! Computing again what was recorded: arm and share from bucket and revision, probabilities from policy and observation.
//!
//! Everything comes from the store: the experiment's revisions, the registered policies, the kept observations. A rule
//! that reads the message cannot be computed again where the message was not kept; such decisions are counted apart, and
//! their floor and sums are checked all the same.

use std::collections::BTreeMap;

use serde::Serialize;
use tierwise_envs::env::Situation;
use tierwise_envs::mask::Mask;
use tierwise_envs::observation::Observation;
use tierwise_envs::tier::Tier;
use tierwise_policies::artefact::PolicyKind;
use uuid::Uuid;

use super::experiment::{Design, Experiment};
use super::judge::{JudgeError, parse};
use super::registry::ServedPolicy;
use super::snapshot::block_arm;
use crate::store::{ExposureRow, Store, StoreError};

/// Most findings that are spelled out.
const MOST_EXAMPLES: usize = 10;
/// Records hold single precision.
const TOLERANCE: f64 = 1e-6;

/// What an audit found.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct AuditReport {
    /// Exposures of the experiment.
    pub exposures: u64,
    /// Of these, forced: their arm follows from no bucket.
    pub forced: u64,
    /// Exposures whose arm and share came out as recorded.
    pub assignments_equal: u64,
    /// Exposures whose probabilities and propensity came out as recorded.
    pub propensities_equal: u64,
    /// Exposures whose policy reads the message, which is not kept; sums and floor hold.
    pub without_text: u64,
    /// Exposures whose observation was not kept.
    pub without_observation: u64,
    /// Exposures with a policy that the registry does not hold.
    pub without_policy: u64,
    /// What did not come out as recorded.
    pub differences: u64,
    /// Some of it.
    pub examples: Vec<String>,
}

impl AuditReport {
    fn differs(&mut self, id: Uuid, what: String) {
        self.differences += 1;
        if self.examples.len() < MOST_EXAMPLES {
            self.examples.push(format!("{id}: {what}"));
        }
    }
}

/// Audits every exposure of an experiment. `baseline` is the policy that answers in place of others.
///
/// # Errors
/// [`JudgeError`] when the store cannot be read; `None` when there is no such experiment.
pub async fn audit(
    store: &dyn Store,
    key: &str,
    baseline: &ServedPolicy,
) -> Result<Option<AuditReport>, JudgeError> {
    let Some(row) = store.experiment(key).await? else {
        return Ok(None);
    };
    let experiment = parse(&row)?;
    let policies = policies(store, baseline).await?;
    let mut report = AuditReport::default();
    let mut after = None;
    loop {
        let page = store.decisions(after, 5_000).await?;
        let Some(last) = page.last() else {
            return Ok(Some(report));
        };
        after = Some(last.exposure.decision_id);
        for row in page.iter().map(|row| &row.exposure) {
            if *row.experiment == *key {
                report.exposures += 1;
                check_assignment(&experiment, row, &mut report);
                check_propensity(&experiment, &policies, row, &mut report);
            }
        }
    }
}

async fn policies(
    store: &dyn Store,
    baseline: &ServedPolicy,
) -> Result<BTreeMap<String, ServedPolicy>, StoreError> {
    let mut policies = BTreeMap::from([(baseline.version.to_string(), baseline.clone())]);
    for row in store.policies().await? {
        if let Some((row, bytes)) = store.policy(&row.hash).await?
            && let Ok(policy) = ServedPolicy::from_text(&String::from_utf8_lossy(&bytes), &row.name)
        {
            policies.insert(policy.version.to_string(), policy);
        }
    }
    Ok(policies)
}

fn check_assignment(experiment: &Experiment, row: &ExposureRow, report: &mut AuditReport) {
    if row.forced {
        report.forced += 1;
        return;
    }
    let Some(revision) = experiment.revision_numbered(row.revision) else {
        report.differs(row.decision_id, format!("no revision {}", row.revision));
        return;
    };
    let owner = revision.allocation.arm(row.bucket);
    let (arm, share) = match row.block {
        Some(block) if experiment.definition.design == Design::Switchback => (
            owner.map(|_| block_arm(experiment.definition.salt(), block)),
            0.5,
        ),
        _ => (
            owner,
            owner.map_or(0.0, |arm| revision.allocation.share(arm)),
        ),
    };
    if arm.map(u16::from) == Some(row.arm) && share == row.share {
        report.assignments_equal += 1;
    } else {
        report.differs(
            row.decision_id,
            format!(
                "arm {} with share {}, computed {arm:?} with {share}",
                row.arm, row.share
            ),
        );
    }
}

fn check_propensity(
    experiment: &Experiment,
    policies: &BTreeMap<String, ServedPolicy>,
    row: &ExposureRow,
    report: &mut AuditReport,
) {
    let recorded = row.probabilities.map(f64::from);
    let floor = experiment.definition.floor;
    let (Some(mask), Some(tier)) = (
        Mask::from_bits(row.mask),
        Tier::from_number(i64::from(row.tier)),
    ) else {
        report.differs(
            row.decision_id,
            format!("mask {} or tier {} is none", row.mask, row.tier),
        );
        return;
    };
    let sums = (recorded.iter().sum::<f64>() - 1.0).abs() < TOLERANCE;
    let allowed = Tier::ALL.iter().all(|tier| {
        let p = recorded[tier.index()];
        if mask.allows(*tier) {
            p >= floor - TOLERANCE
        } else {
            p == 0.0
        }
    });
    let drawn = f64::from(row.propensity) == recorded[tier.index()];
    if !(sums && allowed && drawn) {
        report.differs(
            row.decision_id,
            format!(
                "probabilities {recorded:?} with propensity {}",
                row.propensity
            ),
        );
        return;
    }
    let Some(policy) = policies.get(&*row.policy_version) else {
        report.without_policy += 1;
        return;
    };
    if matches!(&policy.artefact().policy, PolicyKind::Rule { rules } if rules.reads_text()) {
        report.without_text += 1;
        return;
    }
    let observation: Option<Observation> = row
        .context
        .as_deref()
        .and_then(|text| serde_json::from_str(text).ok());
    let Some(observation) = observation else {
        report.without_observation += 1;
        return;
    };
    let at = Situation {
        observation,
        mask,
        text: None,
    };
    let computed = policy.probabilities(&at, floor).as_array();
    if computed
        .iter()
        .zip(recorded)
        .all(|(a, b)| (a - b).abs() < TOLERANCE)
    {
        report.propensities_equal += 1;
    } else {
        report.differs(
            row.decision_id,
            format!("probabilities {recorded:?}, computed {computed:?}"),
        );
    }
}
