//! The exact values of a queue, where a formula exists.

use serde::Serialize;

use super::{Law, Queue, WITHIN_S, Within};
use crate::erlang::{
    ErlangC, FixedService, Impatient, SingleServer, loss_probability, priority_waits_s,
};

/// Exact values; `None` where no formula is known for this queue.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Theory {
    /// The formula used.
    pub model: &'static str,
    /// Share of customers who find every server busy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p_wait: Option<f64>,
    /// Mean wait of everybody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mean_wait_s: Option<f64>,
    /// Mean wait of the served.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mean_wait_served_s: Option<f64>,
    /// Mean wait of those who find every server busy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mean_wait_given_wait_s: Option<f64>,
    /// Mean number of people in the queue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mean_queue: Option<f64>,
    /// Busy share of the servers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub occupancy: Option<f64>,
    /// Share of customers who leave.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p_abandon: Option<f64>,
    /// Share of all customers served within so many seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p_served_within: Option<Within<f64>>,
    /// By class, in the order of the file; empty where nothing is known.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<ClassTheory>,
}

/// Exact values of one class.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ClassTheory {
    /// Share of customers who find every server busy.
    pub p_wait: f64,
    /// Mean wait.
    pub mean_wait_s: f64,
    /// Mean wait of those who find every server busy.
    pub mean_wait_given_wait_s: f64,
    /// Mean number of these customers in the queue.
    pub mean_queue: f64,
    /// Share of the servers' time that works for them.
    pub occupancy: f64,
}

/// The exact steady state of a queue, as far as a formula is known.
///
/// `None` for days with a horizon, for queues without a steady state, and where nothing is known.
#[must_use]
pub fn theory(queue: &Queue) -> Option<Theory> {
    if queue.horizon_s.is_some() {
        return None;
    }
    let exponential = matches!(queue.service, Law::Exponential { .. });
    let one_line = (queue.classes.iter()).all(|c| c.priority == queue.classes[0].priority);
    let mut found = match &queue.patience {
        Some(Law::Deterministic { s: 0.0 }) => Some(loss(queue)),
        Some(Law::Exponential { .. }) if exponential => impatient(queue, "M/M/n+M"),
        // Who leaves depends on the order of service, unless patience has no memory.
        Some(_) if exponential && one_line => impatient(queue, "M/M/n+G"),
        Some(_) => None,
        None if exponential => erlang_c(queue),
        None => endless(queue),
    }?;
    if !one_line && found.p_abandon != found.p_wait {
        // Means over everybody do not depend on the order of service; how waits spread does.
        found.p_served_within = None;
        if queue.patience.is_some() {
            found.mean_wait_served_s = None;
        } else {
            found.classes = classes(queue).unwrap_or_default();
        }
    }
    Some(found)
}

fn loss(queue: &Queue) -> Theory {
    let blocked = loss_probability(&queue.traffic());
    Theory {
        model: "M/G/n/n",
        p_wait: Some(blocked),
        mean_wait_s: Some(0.0),
        mean_wait_served_s: Some(0.0),
        mean_wait_given_wait_s: Some(0.0),
        mean_queue: Some(0.0),
        occupancy: Some(queue.traffic().load() * (1.0 - blocked)),
        p_abandon: Some(blocked),
        p_served_within: Some(Within([1.0 - blocked; WITHIN_S.len()])),
        classes: Vec::new(),
    }
}

fn impatient(queue: &Queue, model: &'static str) -> Option<Theory> {
    let law = queue.patience.as_ref()?.as_patience();
    let exact = Impatient::new(queue.traffic(), law).ok()?;
    Some(Theory {
        model,
        p_wait: Some(exact.p_wait()),
        mean_wait_s: Some(exact.mean_wait_s()),
        mean_wait_served_s: Some(exact.mean_wait_served_s()),
        mean_wait_given_wait_s: Some(exact.mean_wait_given_wait_s()),
        mean_queue: Some(exact.mean_queue()),
        occupancy: Some(exact.occupancy()),
        p_abandon: Some(exact.p_abandon()),
        p_served_within: Some(Within(WITHIN_S.map(|t| exact.p_served_within(t)))),
        classes: Vec::new(),
    })
}

fn erlang_c(queue: &Queue) -> Option<Theory> {
    let exact = ErlangC::new(queue.traffic()).ok()?;
    let mut found = patient(queue, "M/M/n", Some((exact.p_wait(), exact.mean_wait_s())));
    found.p_served_within = Some(Within(WITHIN_S.map(|t| exact.p_served_within(t))));
    Some(found)
}

/// Service that is not exponential, and nobody leaves.
fn endless(queue: &Queue) -> Option<Theory> {
    let traffic = queue.traffic();
    if traffic.load() >= 1.0 {
        return None;
    }
    if matches!(queue.service, Law::Deterministic { .. })
        && let Ok(exact) = FixedService::new(traffic)
    {
        let mut found = patient(queue, "M/D/n", Some((exact.p_wait(), exact.mean_wait_s())));
        found.p_served_within = Some(Within(WITHIN_S.map(|t| exact.p_served_within(t))));
        return Some(found);
    }
    if queue.servers == 1 {
        let exact = single(queue)?;
        let waits = Some((exact.p_wait(), exact.mean_wait_s()));
        return Some(patient(queue, "M/G/1", waits));
    }
    Some(patient(queue, "M/G/n", None))
}

fn single(queue: &Queue) -> Option<SingleServer> {
    let service = &queue.service;
    SingleServer::new(queue.arrival_rate_per_s, service.mean_s(), service.sd_s()).ok()
}

/// Values that follow from P(wait) and the mean wait when nobody leaves.
fn patient(queue: &Queue, model: &'static str, waits: Option<(f64, f64)>) -> Theory {
    let mean_wait_s = waits.map(|(_, wait_s)| wait_s);
    Theory {
        model,
        p_wait: waits.map(|(p_wait, _)| p_wait),
        mean_wait_s,
        mean_wait_served_s: mean_wait_s,
        mean_wait_given_wait_s: waits.map(|(p_wait, wait_s)| wait_s / p_wait),
        mean_queue: mean_wait_s.map(|wait_s| wait_s * queue.arrival_rate_per_s),
        occupancy: Some(queue.traffic().load()),
        p_abandon: Some(0.0),
        p_served_within: None,
        classes: Vec::new(),
    }
}

/// Waits by priority when nobody leaves; known for exponential service and for one server.
fn classes(queue: &Queue) -> Option<Vec<ClassTheory>> {
    let traffic = queue.traffic();
    let (p_wait, to_free_s) = if matches!(queue.service, Law::Exponential { .. }) {
        let p_wait = ErlangC::new(traffic).ok()?.p_wait();
        (
            p_wait,
            p_wait * traffic.mean_service_s() / f64::from(traffic.servers()),
        )
    } else if queue.servers == 1 {
        let exact = single(queue)?;
        (exact.p_wait(), exact.residual_work_s())
    } else {
        return None;
    };
    let mut priorities: Vec<u32> = queue.classes.iter().map(|class| class.priority).collect();
    priorities.sort_unstable();
    priorities.dedup();
    let loads: Vec<f64> = priorities
        .iter()
        .map(|priority| {
            let alike = queue.classes.iter().filter(|c| c.priority == *priority);
            traffic.load() * alike.map(|class| class.share).sum::<f64>()
        })
        .collect();
    let waits = priority_waits_s(to_free_s, &loads);
    let of = |class: &super::QueueClass| {
        let line = priorities.partition_point(|p| *p < class.priority);
        let mean_wait_s = waits[line]?;
        Some(ClassTheory {
            p_wait,
            mean_wait_s,
            mean_wait_given_wait_s: mean_wait_s / p_wait,
            mean_queue: mean_wait_s * class.share * queue.arrival_rate_per_s,
            occupancy: traffic.load() * class.share,
        })
    };
    queue.classes.iter().map(of).collect()
}
