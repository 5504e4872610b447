//! The AI workers: replicas, the queue in front of them, and how many are asked for.

use std::collections::VecDeque;

use crate::forecast::Autoscaler;

/// AI workers; unlimited without a number of replicas.
#[derive(Debug, Clone, Default)]
pub(super) struct Ai {
    /// Replicas that answer; `None`: as many as are asked for.
    ready: Option<u32>,
    starting: u32,
    lost: u32,
    pub(super) busy: u32,
    pub(super) queue: VecDeque<(u32, u32)>,
    /// Recent mean seconds of an answer.
    pub(super) recent_s: f64,
    /// Replica-seconds in use since the autoscaler looked.
    used: f64,
    used_since_s: f64,
    looked_s: f64,
}

impl Ai {
    pub(super) fn new(replicas: Option<u32>, latency_s: f64) -> Self {
        Self {
            ready: replicas,
            recent_s: latency_s,
            ..Self::default()
        }
    }

    /// Takes a replica, if one is free.
    pub(super) fn seize(&mut self, now_s: f64) -> bool {
        let free = self
            .ready
            .is_none_or(|ready| self.busy < ready.saturating_sub(self.lost));
        if free {
            self.integrate(now_s);
            self.busy += 1;
        }
        free
    }

    pub(super) fn release(&mut self, now_s: f64) {
        self.integrate(now_s);
        self.busy -= 1;
    }

    fn integrate(&mut self, now_s: f64) {
        self.used += f64::from(self.busy) * (now_s - self.used_since_s);
        self.used_since_s = now_s;
    }

    /// Replicas that answer now; `None` when unlimited.
    pub(super) fn replicas(&self) -> Option<u32> {
        self.ready.map(|ready| ready.saturating_sub(self.lost))
    }

    pub(super) fn lose(&mut self, share: f64) -> u32 {
        let lost = (share * f64::from(self.ready.unwrap_or(0))).ceil() as u32;
        self.lost += lost;
        lost
    }

    pub(super) fn recover(&mut self, lost: u32) {
        self.lost = self.lost.saturating_sub(lost);
    }

    /// The autoscaler looks at the mean busy share since its last look, those who wait for a replica counted as busy ones.
    /// Returns replicas to be started now; removing takes effect at once.
    pub(super) fn scale(&mut self, now_s: f64, rule: &Autoscaler) -> u32 {
        self.integrate(now_s);
        let Some(ready) = self.ready else { return 0 };
        let seconds = now_s - self.looked_s;
        let working = f64::from(ready.saturating_sub(self.lost).max(1));
        let utilisation = if seconds > 0.0 {
            self.used / seconds / working
        } else {
            0.0
        };
        // Those who wait for a replica would keep one busy.
        let waiting = self.queue.len() as f64 / working;
        let desired = rule.desired(ready, utilisation + waiting);
        (self.used, self.looked_s) = (0.0, now_s);
        if desired < ready {
            self.ready = Some(desired);
            0
        } else {
            let more = (desired - ready).saturating_sub(self.starting);
            self.starting += more;
            more
        }
    }

    /// A replica has started.
    pub(super) fn started(&mut self, rule: &Autoscaler) {
        self.starting = self.starting.saturating_sub(1);
        self.ready = self.ready.map(|ready| (ready + 1).min(rule.max));
    }

    pub(super) fn learn(&mut self, seconds: f64) {
        self.recent_s += 0.02 * (seconds - self.recent_s);
    }
}
