//! Group commit: callers that arrive while a commit is under way share the next one.
//!
//! A durable commit costs a flush of the disk whatever it holds, so one task does all ingest: it takes everything that
//! waits, writes it in one transaction, and answers every caller after the commit.

use async_trait::async_trait;
use tokio::sync::{mpsc, oneshot};

use super::StoreError;
use super::records::{EventRecord, ExposureRecord};
use super::rows::EventOutcome;

/// Calls that may wait; more callers are held back.
const WAITING: usize = 1024;
/// Rows after which a group is closed, so that one commit stays short.
const ROWS: usize = 20_000;

/// Rows of one commit.
#[derive(Debug, Default)]
pub(super) struct Group {
    pub(super) exposures: Vec<ExposureRecord>,
    pub(super) events: Vec<EventRecord>,
}

/// Who writes a group, all of it or nothing.
#[async_trait]
pub(super) trait Sink: Send + Sync + 'static {
    /// Commits the group and says what became of its events.
    async fn commit(&self, group: &Group) -> Result<Vec<EventOutcome>, StoreError>;

    /// The database, without password.
    fn url(&self) -> &str;
}

struct Job {
    group: Group,
    answer: oneshot::Sender<Result<Vec<EventOutcome>, StoreError>>,
}

/// The way to the writer task, which ends when this is dropped and everything that waits is written.
pub(super) struct Writer {
    jobs: mpsc::Sender<Job>,
    url: String,
}

impl Writer {
    /// Starts the task.
    pub(super) fn start(sink: impl Sink) -> Self {
        let (jobs, waiting) = mpsc::channel(WAITING);
        let url = sink.url().to_owned();
        tokio::spawn(write(sink, waiting));
        Self { jobs, url }
    }

    /// Has a group written together with whatever else waits.
    pub(super) async fn submit(&self, group: Group) -> Result<Vec<EventOutcome>, StoreError> {
        let (answer, written) = oneshot::channel();
        let gone = || StoreError::Unreachable {
            url: self.url.clone(),
            reason: "the store is closed".into(),
        };
        self.jobs
            .send(Job { group, answer })
            .await
            .map_err(|_| gone())?;
        written.await.map_err(|_| gone())?
    }
}

async fn write(sink: impl Sink, mut waiting: mpsc::Receiver<Job>) {
    while let Some(first) = waiting.recv().await {
        let mut jobs = vec![first];
        let mut rows = jobs[0].group.rows();
        while rows < ROWS {
            let Ok(job) = waiting.try_recv() else { break };
            rows += job.group.rows();
            jobs.push(job);
        }
        commit(&sink, jobs).await;
    }
}

/// Commits all jobs at once. Where that fails, each is tried alone, so that one bad batch does not fail its neighbours.
async fn commit(sink: &impl Sink, mut jobs: Vec<Job>) {
    if jobs.len() == 1 {
        if let Some(job) = jobs.pop() {
            alone(sink, job).await;
        }
        return;
    }
    let mut all = Group::default();
    for job in &jobs {
        all.exposures.extend_from_slice(&job.group.exposures);
        all.events.extend_from_slice(&job.group.events);
    }
    match sink.commit(&all).await {
        Ok(outcomes) => {
            let mut outcomes = outcomes.into_iter();
            for job in jobs {
                let own = outcomes.by_ref().take(job.group.events.len()).collect();
                // A caller that is gone does not need its answer.
                let _ = job.answer.send(Ok(own));
            }
        }
        Err(_) => {
            for job in jobs {
                alone(sink, job).await;
            }
        }
    }
}

async fn alone(sink: &impl Sink, job: Job) {
    let _ = job.answer.send(sink.commit(&job.group).await);
}

impl Group {
    fn rows(&self) -> usize {
        self.exposures.len() + self.events.len()
    }
}
