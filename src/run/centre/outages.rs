//! What an outage does: a run with it beside the same run without it.

use serde::{Deserialize, Serialize};
use tierwise_envs::centre::{Replica, TimelinePoint};

use super::interval::Interval;
use super::policies::NamedPolicy;
use super::simulation::{STRETCH_S, replicas};
use super::{centre_of, stage_of};
use crate::config::{Simulation, TrainConfig};
use crate::run::directory::RunError;

/// One outage under one policy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OutageResult {
    /// The policy.
    pub policy: String,
    /// Seconds from the start of the period to its beginning.
    pub start_s: f64,
    /// Seconds it lasted.
    pub duration_s: f64,
    /// Seconds from its end until the queue was first no longer than in the same run without it, mean over replicas that
    /// recovered within the period.
    pub recovery_time_s: Option<f64>,
    /// Replicas that did not recover within the period.
    pub not_recovered: u32,
    /// Conversations lost for good, mean; all outages of the run together.
    pub conversations_lost: f64,
    /// Share of conversations ending that were abandoned: in as long a time before it.
    pub abandoned_before: Option<Interval>,
    /// While it lasted.
    pub abandoned_during: Option<Interval>,
    /// In as long a time after it.
    pub abandoned_after: Option<Interval>,
    /// While it lasted, in the same run without it.
    pub abandoned_during_without: Option<Interval>,
    /// Mean queue over time around it.
    pub queue: Vec<QueuePoint>,
}

/// Mean queue at one moment, with and without the outage.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct QueuePoint {
    /// Seconds from the outage's beginning.
    pub at_s: f64,
    /// Customers waiting.
    pub queue: f64,
    /// Customers waiting in the same run without the outage.
    pub without: f64,
}

/// Compares every outage of a configuration with the same runs without any.
pub(super) fn outages(
    config: &TrainConfig,
    setting: &Simulation,
    policies: &[NamedPolicy],
    runs: &[Vec<Replica>],
) -> Result<Vec<OutageResult>, RunError> {
    let centre = centre_of(config)?;
    if centre.outage.is_empty() {
        return Ok(Vec::new());
    }
    let mut calm = centre.clone();
    calm.outage.clear();
    let stage = stage_of(config, calm)?;
    let mut results = Vec::new();
    for (named, run) in policies.iter().zip(runs) {
        let without = replicas(&stage, setting, named, Some(STRETCH_S));
        for outage in &centre.outage {
            let (start_s, duration_s) = (outage.start_h * 3_600.0, outage.duration_h * 3_600.0);
            let end_s = start_s + duration_s;
            let recoveries: Vec<Option<f64>> = run
                .iter()
                .zip(&without)
                .map(|(hit, calm)| recovery(&hit.timeline, &calm.timeline, end_s))
                .collect();
            let recovered: Vec<f64> = recoveries.iter().flatten().copied().collect();
            let share = |run: &[Replica], from_s: f64, to_s: f64| {
                let values: Vec<f64> = run
                    .iter()
                    .filter_map(|r| abandoned(&r.timeline, from_s, to_s))
                    .collect();
                Interval::of(&values, setting.level)
            };
            results.push(OutageResult {
                policy: named.name.clone(),
                start_s,
                duration_s,
                recovery_time_s: (!recovered.is_empty())
                    .then(|| recovered.iter().sum::<f64>() / recovered.len() as f64),
                not_recovered: (recoveries.len() - recovered.len()) as u32,
                conversations_lost: run.iter().map(|r| r.lost as f64).sum::<f64>()
                    / run.len() as f64,
                abandoned_before: share(run, start_s - duration_s, start_s),
                abandoned_during: share(run, start_s, end_s),
                abandoned_after: share(run, end_s, end_s + duration_s),
                abandoned_during_without: share(&without, start_s, end_s),
                queue: queue(run, &without, start_s, duration_s),
            });
        }
    }
    Ok(results)
}

/// Seconds from the end of an outage to the first point at which the queue is no longer than without it.
fn recovery(hit: &[TimelinePoint], calm: &[TimelinePoint], end_s: f64) -> Option<f64> {
    hit.iter()
        .zip(calm)
        .find(|(hit, calm)| hit.at_s >= end_s && hit.queue <= calm.queue)
        .map(|(hit, _)| hit.at_s - end_s)
}

fn abandoned(timeline: &[TimelinePoint], from_s: f64, to_s: f64) -> Option<f64> {
    let points = timeline
        .iter()
        .filter(|p| p.at_s > from_s && p.at_s <= to_s);
    let (abandoned, ended) = points.fold((0, 0), |(a, e), p| (a + p.abandoned, e + p.ended));
    (ended > 0).then(|| f64::from(abandoned) / f64::from(ended))
}

fn queue(run: &[Replica], without: &[Replica], start_s: f64, duration_s: f64) -> Vec<QueuePoint> {
    let n = run.len() as f64;
    let mean = |run: &[Replica], i: usize| {
        run.iter()
            .filter_map(|r| r.timeline.get(i))
            .map(|p| f64::from(p.queue))
            .sum::<f64>()
            / n
    };
    run[0]
        .timeline
        .iter()
        .enumerate()
        .filter(|(_, p)| (start_s - duration_s..=start_s + 4.0 * duration_s).contains(&p.at_s))
        .map(|(i, p)| QueuePoint {
            at_s: p.at_s - start_s,
            queue: mean(run, i),
            without: mean(without, i),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(queues: &[u32]) -> Vec<TimelinePoint> {
        queues
            .iter()
            .enumerate()
            .map(|(i, queue)| TimelinePoint {
                at_s: (i + 1) as f64 * 300.0,
                queue: *queue,
                abandoned: *queue,
                ended: 10,
                replicas: None,
            })
            .collect()
    }

    #[test]
    fn recovery_is_counted_from_the_end_of_the_outage() {
        let calm = points(&[2, 2, 2, 2, 2, 2]);
        let hit = points(&[2, 9, 9, 5, 2, 1]);
        // The outage ends at 900 s; at 1,500 s the queue is as short as without it.
        assert_eq!(recovery(&hit, &calm, 900.0), Some(600.0));
        assert_eq!(recovery(&points(&[9; 6]), &calm, 900.0), None);
        assert_eq!(abandoned(&hit, 300.0, 900.0), Some(18.0 / 20.0));
        assert_eq!(abandoned(&hit, 1_800.0, 9_000.0), None);
    }
}
