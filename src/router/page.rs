//! Where an experiment stands, as the values of its page and of its row on the dashboard. The only place that knows both.
//!
//! Blocks are minutes, and a page wants a few hundred points: everything is thinned to `POINTS`, the last one kept.

mod evidence;

use serde_json::Value;
use tierwise_reports::{
    DashboardRow, NamedValue, OnlineArm, OnlineAssignment, OnlineChallenger, OnlineDesign,
    OnlineEntering, OnlineMetric, OnlineNumbers, OnlinePage, OnlinePhase, OnlinePool,
    OnlineRevision, OnlineRole, OnlineStep, OnlineStratum, OnlineWatched, Provenance, TestedRatio,
};

use self::evidence::{Levels, ends, thinned};
use super::bucketing::BUCKETS;
use super::experiment::{Design, Experiment, Metric, Outcome, Phase};
use super::judge::{ArmTotal, ClosedBlock, Role};
use super::standing::Standing;
use crate::analysis::verdict_value;
use crate::stats::Alpha;
use crate::stats::eprocess::Harm;
use crate::store::HistoryRow;

/// Most points of a line.
const POINTS: usize = 200;
/// Most points of a line in a row of the dashboard.
const SPARK_POINTS: usize = 60;
/// Microseconds of a minute.
const MINUTE_US: i64 = 60_000_000;
/// Lengths of the stretches in which arrivals are counted, in minutes; the first that needs few enough is taken.
const STRETCHES: [i64; 7] = [5, 15, 60, 180, 720, 1_440, 10_080];
/// Most stretches of arrivals.
const MOST_STRETCHES: i64 = 120;

/// The page of an experiment. `versions` names each arm's policy version, where it is known.
#[must_use]
pub fn online_page(
    standing: &Standing,
    history: &[HistoryRow],
    versions: &[Option<String>],
) -> OnlinePage {
    let experiment = &*standing.experiment;
    let definition = &experiment.definition;
    let ledger = &standing.ledger;
    let levels = match experiment.revisions.first() {
        Some(first) => Levels::of(experiment).until(first.since_us, end_us(standing)),
        None => Levels::of(experiment),
    };
    let intervals = evidence::intervals(standing, &levels);
    let totals = ledger.totals(0, definition.arms.len());
    let arms = definition.arms.iter().enumerate().map(|(place, arm)| {
        let place_u8 = place as u8;
        OnlineArm {
            name: arm.name.clone(),
            policy: arm.policy.clone(),
            policy_version: versions.get(place).cloned().flatten(),
            share: experiment
                .revision()
                .map_or(0.0, |revision| revision.allocation.share(place_u8)),
            entered: standing.entered[place],
            mature: totals[place].units,
            mean: totals[place].mean(),
            interval: intervals.get(place).copied().flatten(),
        }
    });
    OnlinePage {
        key: definition.key.clone(),
        title: definition.title.clone(),
        sample: false,
        at_us: standing.at_us,
        phase: phase(experiment),
        phase_since_us: experiment.phase_since_us,
        design: design(experiment),
        pool: OnlinePool {
            shared: definition.pool.shared,
            interference_bias: definition.pool.interference_bias,
        },
        alpha: definition.rule.error_budget,
        primary: metric(&definition.primary),
        arms: arms.collect(),
        challengers: challengers(standing),
        sequence: evidence::sequence(standing, &levels, intervals.get(1).copied().flatten()),
        sample_ratio: sample_ratio(standing),
        watched: watched(standing, &levels),
        strata: strata(standing),
        strata_field: definition.strata.as_ref().map(|one| one.field.clone()),
        revisions: experiment
            .revisions
            .iter()
            .map(|revision| OnlineRevision {
                number: revision.number,
                since_us: revision.since_us,
                shares: (0..definition.arms.len())
                    .map(|arm| revision.allocation.share(arm as u8))
                    .collect(),
            })
            .collect(),
        entering: entering(standing),
        assignment: assignment(experiment),
        audit: history.iter().map(step).collect(),
        provenance: Provenance {
            versions: vec![NamedValue::new(
                "tierwise",
                env!("CARGO_PKG_VERSION").to_owned(),
            )],
            command: Some(format!(
                "tierwise report --store URL --experiment {}",
                definition.key
            )),
            ..Provenance::default()
        },
    }
}

/// The row of an experiment on the dashboard.
#[must_use]
pub fn dashboard_row(standing: &Standing) -> DashboardRow {
    let experiment = &*standing.experiment;
    let definition = &experiment.definition;
    let levels = Levels::of(experiment);
    let looks = &standing.ledger.metrics[0].looks;
    let arms = definition.arms.iter().enumerate().map(|(place, arm)| {
        let share = experiment
            .revision()
            .map_or(0.0, |revision| revision.allocation.share(place as u8));
        (arm.name.clone(), share)
    });
    DashboardRow {
        key: definition.key.clone(),
        title: definition.title.clone(),
        phase: phase(experiment),
        phase_since_us: experiment.phase_since_us,
        arms: arms.collect(),
        entered: standing.entered.iter().sum(),
        mature: standing.metrics[0].arms.iter().map(|arm| arm.units).sum(),
        challengers: challengers(standing),
        thresholds: levels.thresholds(),
        looks: thinned(looks.len(), SPARK_POINTS)
            .map(|place| (looks[place].log_promote, looks[place].log_roll_back))
            .collect(),
    }
}

/// Until when the charts go: now, or the end.
fn end_us(standing: &Standing) -> i64 {
    let experiment = &standing.experiment;
    if experiment.phase.is_over() {
        experiment.phase_since_us
    } else {
        standing.at_us
    }
}

fn phase(experiment: &Experiment) -> OnlinePhase {
    let name = |arm: u8| {
        let arms = &experiment.definition.arms;
        arms.get(usize::from(arm))
            .map_or(String::new(), |arm| arm.name.clone())
    };
    match &experiment.phase {
        Phase::Draft => OnlinePhase::Draft,
        Phase::Running => OnlinePhase::Running,
        Phase::Paused { .. } => OnlinePhase::Paused,
        Phase::Promoted {
            arm,
            holdback_until_us,
        } => OnlinePhase::Promoted {
            arm: name(*arm),
            holdback_until_us: *holdback_until_us,
        },
        Phase::Completed { arm } => OnlinePhase::Completed { arm: name(*arm) },
        Phase::RolledBack => OnlinePhase::RolledBack,
        Phase::Stopped => OnlinePhase::Stopped,
        Phase::Killed => OnlinePhase::Killed,
    }
}

fn design(experiment: &Experiment) -> OnlineDesign {
    let blocks = experiment.definition.switchback;
    let block_minutes = blocks.map_or(0.0, |blocks| blocks.block_minutes);
    match experiment.definition.design {
        Design::User => OnlineDesign::User,
        Design::Switchback => OnlineDesign::Switchback {
            block_minutes,
            washout_minutes: blocks.map_or(0.0, |blocks| blocks.washout_minutes),
        },
        Design::SplitPool => OnlineDesign::SplitPool { block_minutes },
    }
}

fn metric(metric: &Metric) -> OnlineMetric {
    OnlineMetric {
        name: metric.name.clone(),
        event: metric.event.clone(),
        window_hours: metric.window_hours,
        is_rate: metric.outcome == Outcome::Any,
    }
}

fn challengers(standing: &Standing) -> Vec<OnlineChallenger> {
    standing
        .challengers
        .iter()
        .map(|challenger| OnlineChallenger {
            arm: challenger.arm.clone(),
            verdict: verdict_value(&challenger.verdict),
            log_wealth: (
                challenger.evidence.log_promote,
                challenger.evidence.log_roll_back,
            ),
        })
        .collect()
}

/// The challenger whose arm sizes are the least believable decides.
fn sample_ratio(standing: &Standing) -> Option<TestedRatio> {
    let definition = &standing.experiment.definition;
    if definition.design != Design::User || standing.ledger.arrivals.is_empty() {
        return None;
    }
    let log_e = (1..definition.arms.len())
        .map(|challenger| standing.ledger.sample_ratio_log_e(challenger))
        .fold(f64::NEG_INFINITY, f64::max);
    let level = Alpha::new(definition.rule.sample_ratio_level).ok()?;
    Some(TestedRatio {
        p_value: (-log_e).exp().min(1.0),
        sound: log_e < level.log_threshold(),
    })
}

fn watched(standing: &Standing, levels: &Levels) -> Vec<OnlineWatched> {
    let definition = &standing.experiment.definition;
    let (promote, roll_back) = levels.thresholds();
    let in_blocks = definition.design != Design::User;
    let metrics: Vec<&Metric> = definition.metrics().collect();
    let start_us = standing.experiment.revisions.first().map(|r| r.since_us);
    let guardrails_from = 1 + definition.secondaries.len();
    let ledgers = standing.ledger.metrics.iter().enumerate().skip(1);
    ledgers
        .map(|(position, found)| {
            let guardrail = definition
                .guardrails
                .get(position.wrapping_sub(guardrails_from));
            let is_guardrail = found.role == Role::Guardrail;
            let (role, margin) = match guardrail {
                Some(one) if one.harm == Harm::Higher => (OnlineRole::HarmedByRise, one.margin),
                Some(one) => (OnlineRole::HarmedByFall, one.margin),
                None => (OnlineRole::Secondary, definition.rule.secondary_margin),
            };
            // The challenger nearest to a decision: most harmed, or least proven.
            let place = position - if is_guardrail { guardrails_from } else { 1 };
            let wealths = standing.challengers.iter().filter_map(|challenger| {
                let evidence = &challenger.evidence;
                let list = if is_guardrail {
                    &evidence.guardrails
                } else {
                    &evidence.secondary
                };
                list.get(place)
            });
            let order = |a: &f64, b: &f64| a.total_cmp(b);
            let logs: Vec<f64> = wealths.clone().map(|one| one.log_e).collect();
            let log_e = if is_guardrail {
                logs.iter().copied().max_by(order)
            } else {
                logs.iter().copied().min_by(order)
            };
            let reached = if is_guardrail {
                wealths.clone().any(|one| one.reached)
            } else {
                wealths.clone().all(|one| one.reached)
            };
            let falls = in_blocks && role == OnlineRole::HarmedByFall;
            let looks = thinned(found.looks.len(), POINTS).filter_map(|place| {
                let look = found.looks[place];
                let log = if falls {
                    look.log_roll_back
                } else {
                    look.log_promote
                };
                Some((levels.time(start_us?, look.at_us), log))
            });
            let totals = &standing.metrics[position].arms;
            OnlineWatched {
                metric: metric(metrics[position]),
                role,
                margin,
                means: totals.iter().map(|total| total.mean()).collect(),
                log_e: log_e.unwrap_or(0.0),
                threshold: if is_guardrail { roll_back } else { promote },
                reached,
                looks: looks.collect(),
            }
        })
        .collect()
}

fn strata(standing: &Standing) -> Vec<OnlineStratum> {
    let definition = &standing.experiment.definition;
    let Some(strata) = &definition.strata else {
        return Vec::new();
    };
    let arms = definition.arms.len();
    let mut totals = vec![vec![ArmTotal::default(); arms]; strata.values.len()];
    for block in standing.ledger.metrics[0].blocks.values() {
        for part in &block.parts {
            let Some(total) = part.stratum.and_then(|s| totals.get_mut(usize::from(s))) else {
                continue;
            };
            let alone = ClosedBlock {
                parts: vec![part.clone()],
            };
            for (sum, more) in total.iter_mut().zip(alone.totals(arms)) {
                sum.units += more.units;
                sum.sum += more.sum;
            }
        }
    }
    strata
        .values
        .iter()
        .zip(totals)
        .map(|(name, totals)| OnlineStratum {
            name: name.clone(),
            units: totals.iter().map(|total| total.units).collect(),
            means: totals.iter().map(|total| total.mean()).collect(),
            vetoes: standing
                .challengers
                .iter()
                .any(|challenger| challenger.evidence.vetoes.contains(name)),
        })
        .collect()
}

/// Arrivals in stretches of equal length from the start to the last closed minute, empty ones included.
fn entering(standing: &Standing) -> Vec<OnlineEntering> {
    let arrivals = &standing.ledger.arrivals;
    let (Some(start), Some(last)) = (
        standing.experiment.revisions.first(),
        arrivals.keys().next_back(),
    ) else {
        return Vec::new();
    };
    let first = start.since_us.div_euclid(MINUTE_US);
    let minutes = (last - first + 1).max(1);
    let length = STRETCHES
        .into_iter()
        .find(|length| minutes / length < MOST_STRETCHES)
        .unwrap_or(minutes / MOST_STRETCHES + 1);
    let arms = standing.entered.len();
    // A stretch that has only begun would show a fall in arrivals that never was.
    let whole = (minutes / length).max(1);
    let mut stretches: Vec<OnlineEntering> = (0..whole)
        .map(|place| OnlineEntering {
            from_us: (first + place * length) * MINUTE_US,
            hours: length as f64 / 60.0,
            units: vec![0; arms],
        })
        .collect();
    for (minute, block) in arrivals {
        let place = (minute - first).div_euclid(length);
        let stretch = usize::try_from(place)
            .ok()
            .and_then(|place| stretches.get_mut(place));
        if let Some(stretch) = stretch {
            for (units, more) in stretch.units.iter_mut().zip(block.totals(arms)) {
                *units += more.units;
            }
        }
    }
    stretches
}

fn assignment(experiment: &Experiment) -> OnlineAssignment {
    let definition = &experiment.definition;
    let revision = experiment.revision();
    OnlineAssignment {
        salt: definition.salt().to_owned(),
        revision: revision.map(|revision| revision.number),
        buckets: u32::from(BUCKETS),
        owned: revision.map_or(Vec::new(), |revision| {
            (0..definition.arms.len())
                .map(|arm| u32::from(revision.allocation.owned(arm as u8)))
                .collect()
        }),
        coverage: definition.coverage,
        holdout: definition.holdout,
        floor: definition.floor,
        layer: definition
            .layer
            .as_ref()
            .map(|layer| (layer.name.clone(), layer.from, layer.to)),
    }
}

/// A step of the history; evidence that is not the judge's is left out.
fn step(row: &HistoryRow) -> OnlineStep {
    let evidence: Value = serde_json::from_str(&row.entry.evidence).unwrap_or_default();
    OnlineStep {
        at_us: row.entry.at_us,
        actor: row.entry.actor.clone(),
        action: row.entry.action.clone(),
        reason: row.entry.reason.clone(),
        numbers: evidence
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(numbers)
            .collect(),
    }
}

fn numbers(challenger: &Value) -> Option<OnlineNumbers> {
    let evidence = &challenger["evidence"];
    let number = |key: &str| evidence[key].as_f64();
    let named = |key: &str| {
        let list = evidence[key].as_array().into_iter().flatten();
        list.filter_map(|one| Some((one["name"].as_str()?.to_owned(), one["log_e"].as_f64()?)))
            .collect::<Vec<_>>()
    };
    let mut others = named("guardrails");
    others.extend(named("secondary"));
    Some(OnlineNumbers {
        arm: challenger["arm"].as_str()?.to_owned(),
        units: [
            evidence["units"][0].as_u64()?,
            evidence["units"][1].as_u64()?,
        ],
        share: number("share")?,
        log_wealth: (number("log_promote")?, number("log_roll_back")?),
        others,
    })
}

/// Bounds as changes around zero.
type Change = (Option<f64>, Option<f64>);

/// Bounds of a ratio as changes around zero: what is not excluded has no end.
fn around_zero(interval: crate::stats::eprocess::RatioInterval) -> Change {
    let (lower, upper) = ends(interval);
    (
        lower.map(|lower| lower - 1.0),
        upper.map(|upper| upper - 1.0),
    )
}
