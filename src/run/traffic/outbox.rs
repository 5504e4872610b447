//! Outcomes on their way: each waits for its moment and is then sent in a batch, as often as it takes.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use hyper::Method;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tierwise_envs::time::UtcMicros;

use super::link::{Link, TrafficError};

/// Events in one request.
const BATCH: usize = 500;
/// Who sends them.
const SOURCE: &str = "/tierwise/traffic";

/// An outcome of a decision.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Outcome {
    /// Microseconds from the start of the traffic.
    pub(super) due_us: i64,
    pub(super) decision_id: String,
    /// `click` for `tierwise.click.v1`; at most one of a kind a decision.
    pub(super) kind: &'static str,
    pub(super) value: Option<f64>,
}

/// What became of the events sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventCounts {
    /// New.
    pub accepted: u64,
    /// Known already: sent again after an answer that was lost.
    pub duplicates: u64,
    /// Refused.
    pub rejected: u64,
}

/// Outcomes that wait.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    waiting: BinaryHeap<Reverse<(i64, u64)>>,
    outcomes: Vec<Option<Outcome>>,
    free: Vec<usize>,
    order: u64,
    pub(super) counts: EventCounts,
}

#[derive(Deserialize)]
struct Ingested {
    accepted: u64,
    duplicates: u64,
    rejected: Vec<serde_json::Value>,
}

impl Outbox {
    pub(super) fn put(&mut self, outcome: Outcome) {
        let due_us = outcome.due_us;
        let slot = match self.free.pop() {
            Some(slot) => {
                self.outcomes[slot] = Some(outcome);
                slot
            }
            None => {
                self.outcomes.push(Some(outcome));
                self.outcomes.len() - 1
            }
        };
        // Those of one moment go in the order in which they came.
        self.order += 1;
        self.waiting
            .push(Reverse((due_us, self.order << 32 | slot as u64)));
    }

    /// Outcomes whose moment has not come.
    pub(super) fn len(&self) -> u64 {
        self.waiting.len() as u64
    }

    /// When the next one is due.
    pub(super) fn next_due_us(&self) -> Option<i64> {
        self.waiting.peek().map(|Reverse((due_us, _))| *due_us)
    }

    fn take_due(&mut self, now_us: i64) -> Option<Outcome> {
        if self.next_due_us()? > now_us {
            return None;
        }
        let Reverse((_, key)) = self.waiting.pop()?;
        let slot = (key & u64::from(u32::MAX)) as usize;
        self.free.push(slot);
        self.outcomes[slot].take()
    }

    /// Sends everything due. With the calendar's start the events tell their times, and the clock is told its own.
    pub(super) async fn send(
        &mut self,
        link: &mut Link,
        now_us: i64,
        start: Option<UtcMicros>,
    ) -> Result<(), TrafficError> {
        loop {
            let due: Vec<Outcome> = std::iter::from_fn(|| self.take_due(now_us))
                .take(BATCH)
                .collect();
            if due.is_empty() {
                return Ok(());
            }
            let events: Vec<_> = due.iter().map(|outcome| event(outcome, start)).collect();
            let body = serde_json::to_string(&events).expect("events are plain data");
            let at_us = start.map(|start| start.0 + now_us);
            let answer: Ingested = link.read(Method::POST, "/v1/events", &body, at_us).await?;
            self.counts.accepted += answer.accepted;
            self.counts.duplicates += answer.duplicates;
            self.counts.rejected += answer.rejected.len() as u64;
        }
    }
}

/// The CloudEvent of an outcome.
fn event(outcome: &Outcome, start: Option<UtcMicros>) -> serde_json::Value {
    let mut event = json!({
        "specversion": "1.0",
        "id": format!("{}.{}", outcome.decision_id, outcome.kind),
        "source": SOURCE,
        "type": format!("tierwise.{}.v1", outcome.kind),
        "subject": outcome.decision_id,
    });
    if let Some(start) = start {
        event["time"] = json!(UtcMicros(start.0 + outcome.due_us));
    }
    if let Some(value) = outcome.value {
        event["data"] = json!({ "value": value });
    }
    event
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(due_us: i64, kind: &'static str) -> Outcome {
        Outcome {
            due_us,
            decision_id: "d".to_owned(),
            kind,
            value: None,
        }
    }

    #[test]
    fn outcomes_leave_in_order_of_time_when_due() {
        let mut outbox = Outbox::default();
        for (due_us, kind) in [(30, "c"), (10, "a"), (30, "d"), (20, "b")] {
            outbox.put(outcome(due_us, kind));
        }
        let mut gone = Vec::new();
        while let Some(outcome) = outbox.take_due(30) {
            gone.push(outcome.kind);
            if gone.len() == 1 {
                outbox.put(super::tests::outcome(31, "late"));
            }
        }
        assert_eq!(gone, ["a", "b", "c", "d"]);
        assert_eq!((outbox.len(), outbox.next_due_us()), (1, Some(31)));
    }

    #[test]
    fn an_event_is_a_cloud_event() {
        let mut outcome = outcome(1_500_000, "satisfaction");
        outcome.value = Some(4.0);
        let event = event(&outcome, Some(UtcMicros(0)));
        assert_eq!(
            event,
            json!({"specversion": "1.0", "id": "d.satisfaction", "source": "/tierwise/traffic",
                "type": "tierwise.satisfaction.v1", "subject": "d", "time": "1970-01-01T00:00:01.5Z",
                "data": {"value": 4.0}})
        );
    }
}
