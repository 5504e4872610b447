//! What `/metrics` shows, in the text format of Prometheus.

use std::sync::atomic::{AtomicU64, Ordering};

use metrics::{Counter, Histogram, Key, Label, Level, Metadata, Recorder};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle, PrometheusRecorder};

use super::service::Service;

const METADATA: Metadata<'static> = Metadata::new("tierwise", Level::INFO, None);

/// The router's counters; each service has its own.
pub struct Metrics {
    answered: AtomicU64,
    decisions: Counter,
    fallbacks: Counter,
    unrecorded: Counter,
    accepted: Counter,
    duplicates: Counter,
    rejected: Counter,
    decide_seconds: Histogram,
    recorder: PrometheusRecorder,
    handle: PrometheusHandle,
}

impl Default for Metrics {
    fn default() -> Self {
        let seconds = [
            1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0,
        ];
        let recorder = PrometheusBuilder::new()
            .set_buckets(&seconds)
            .expect("there are buckets")
            .build_recorder();
        let handle = recorder.handle();
        let counter = |name: &'static str, help: &'static str| {
            recorder.describe_counter(name.into(), None, help.into());
            recorder.register_counter(&Key::from_name(name), &METADATA)
        };
        let event = |outcome: &'static str| {
            let labels = vec![Label::new("outcome", outcome)];
            recorder.register_counter(&Key::from_parts("tierwise_events_total", labels), &METADATA)
        };
        recorder.describe_counter(
            "tierwise_events_total".into(),
            None,
            "Events taken in, by what became of them.".into(),
        );
        recorder.describe_histogram(
            "tierwise_decide_seconds".into(),
            None,
            "Seconds from question to recorded exposure.".into(),
        );
        Self {
            answered: AtomicU64::new(0),
            decisions: counter("tierwise_decisions_total", "Decisions answered."),
            fallbacks: counter(
                "tierwise_fallbacks_total",
                "Decisions by the baseline in place of a policy that could not.",
            ),
            unrecorded: counter(
                "tierwise_unrecorded_total",
                "Decisions refused because their exposure could not be recorded.",
            ),
            accepted: event("accepted"),
            duplicates: event("duplicate"),
            rejected: event("rejected"),
            decide_seconds: recorder
                .register_histogram(&Key::from_name("tierwise_decide_seconds"), &METADATA),
            handle,
            recorder,
        }
    }
}

impl Metrics {
    /// A decision was answered.
    pub fn decided(&self, fallback: bool, seconds: f64) {
        self.answered.fetch_add(1, Ordering::Relaxed);
        self.decisions.increment(1);
        self.fallbacks.increment(u64::from(fallback));
        self.decide_seconds.record(seconds);
    }

    /// Decisions answered so far.
    #[must_use]
    pub fn decisions_so_far(&self) -> u64 {
        self.answered.load(Ordering::Relaxed)
    }

    /// A decision could not be recorded, and was refused.
    pub fn unrecorded(&self) {
        self.unrecorded.increment(1);
    }

    /// Events were taken in.
    pub fn events(&self, accepted: u64, duplicates: u64, rejected: u64) {
        self.accepted.increment(accepted);
        self.duplicates.increment(duplicates);
        self.rejected.increment(rejected);
    }

    /// The text, with gauges of this moment.
    pub async fn render(&self, service: &Service) -> String {
        let gauge = |name: &'static str, help: &'static str, labels: Vec<Label>, value: f64| {
            self.recorder.describe_gauge(name.into(), None, help.into());
            self.recorder
                .register_gauge(&Key::from_parts(name, labels), &METADATA)
                .set(value);
        };
        let waiting = service.spool.waiting_bytes() as f64;
        gauge(
            "tierwise_spool_bytes",
            "Exposures on disk that the store has not taken.",
            Vec::new(),
            waiting,
        );
        let leading = f64::from(u8::from(service.standings.is_leading()));
        gauge(
            "tierwise_leading",
            "Whether this router judges.",
            Vec::new(),
            leading,
        );
        if let Ok(orphans) = service.store.orphan_events().await {
            gauge(
                "tierwise_orphan_events",
                "Events whose decision the store does not hold.",
                Vec::new(),
                orphans as f64,
            );
        }
        for standing in service.standings.all() {
            let definition = &standing.experiment.definition;
            for (arm, entered) in definition.arms.iter().zip(&standing.entered) {
                let labels = vec![
                    Label::new("experiment", definition.key.clone()),
                    Label::new("arm", arm.name.clone()),
                ];
                gauge(
                    "tierwise_units",
                    "Units that entered an experiment, by arm.",
                    labels,
                    *entered as f64,
                );
            }
        }
        self.handle.render()
    }
}
