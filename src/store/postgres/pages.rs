//! Pages of an export, and the check of everything, in PostgreSQL.

use std::sync::Arc;

use sqlx::Row;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use super::super::StoreError;
use super::super::names::NameTable;
use super::super::records::{EventRecord, ExposureRecord};
use super::super::rows::{CheckReport, DecisionRow, EventId, EventRow};
use super::super::schema;
use super::Inner;

const EXPOSURES: &str = "SELECT decision_id, experiment, unit, conversation, at_us, arm, revision, bucket, share, tier, \
     mask, p1, p2, p3, propensity, policy_version, fallback, forced, block, stratum, context
     FROM exposures WHERE $1 IS NULL OR decision_id > $1 ORDER BY decision_id LIMIT $2";
const EVENTS_OF_PAGE: &str = "SELECT source, id, decision_id, kind, occurred_at_us, observed_at_us, value, content
     FROM events WHERE decision_id BETWEEN $1 AND $2 ORDER BY decision_id, occurred_at_us, source, id";
const EVENTS: &str =
    "SELECT source, id, decision_id, kind, occurred_at_us, observed_at_us, value, content
     FROM events WHERE (source, id) > ($1, $2) ORDER BY source, id LIMIT $3";

impl Inner {
    pub(super) async fn decisions(
        &self,
        after: Option<Uuid>,
        limit: usize,
    ) -> Result<Vec<DecisionRow>, StoreError> {
        let rows = sqlx::query(EXPOSURES)
            .bind(after)
            .bind(limit as i64)
            .fetch_all(&self.pool)
            .await
            .map_err(|e| self.failed(e))?;
        let exposures: Vec<ExposureRecord> = rows
            .iter()
            .map(|row| self.decoded(exposure_record(row)))
            .collect::<Result<_, _>>()?;
        let (Some(first), Some(last)) = (exposures.first(), exposures.last()) else {
            return Ok(Vec::new());
        };
        let rows = sqlx::query(EVENTS_OF_PAGE)
            .bind(first.decision_id)
            .bind(last.decision_id)
            .fetch_all(&self.pool)
            .await
            .map_err(|e| self.failed(e))?;
        let events: Vec<EventRecord> = rows
            .iter()
            .map(|row| self.decoded(event_record(row)))
            .collect::<Result<_, _>>()?;
        DecisionRow::gathered(self, exposures, events).await
    }

    pub(super) async fn events(
        &self,
        after: Option<(Arc<str>, EventId)>,
        limit: usize,
    ) -> Result<Vec<EventRow>, StoreError> {
        let (source, id) = match &after {
            None => (-1, Uuid::nil()),
            Some((source, id)) => {
                self.intern(self.names.missing(std::iter::once(&**source)))
                    .await?;
                (self.id_of(source)?, Uuid::from_bytes(id.0))
            }
        };
        let rows = sqlx::query(EVENTS)
            .bind(source)
            .bind(id)
            .bind(limit as i64)
            .fetch_all(&self.pool)
            .await
            .map_err(|e| self.failed(e))?;
        let events: Vec<EventRecord> = rows
            .iter()
            .map(|row| self.decoded(event_record(row)))
            .collect::<Result<_, _>>()?;
        let ids = events.iter().flat_map(|event| [event.source, event.kind]);
        self.learn_ids(self.names.knows(ids)).await?;
        events.iter().map(|event| event.row(self)).collect()
    }

    pub(super) async fn check(&self) -> Result<CheckReport, StoreError> {
        let schema = self.version().await?.unwrap_or(0);
        schema::accept(&self.url, schema)?;
        let mut problems = Vec::new();
        for (what, sql) in CheckReport::BROKEN {
            let broken: i64 = sqlx::query_scalar(sql)
                .fetch_one(&self.pool)
                .await
                .map_err(|e| self.failed(e))?;
            if broken > 0 {
                problems.push(format!("{broken} {what}"));
            }
        }
        let (experiments, policies, exposures, events): (i64, i64, i64, i64) =
            sqlx::query_as(CheckReport::TOTALS)
                .fetch_one(&self.pool)
                .await
                .map_err(|e| self.failed(e))?;
        Ok(CheckReport {
            schema,
            experiments: experiments as u64,
            policies: policies as u64,
            exposures: exposures as u64,
            events: events as u64,
            orphans: self.orphan_events().await?,
            problems,
        })
    }
}

fn exposure_record(row: &PgRow) -> Result<ExposureRecord, sqlx::Error> {
    Ok(ExposureRecord {
        decision_id: row.try_get(0)?,
        experiment: row.try_get(1)?,
        unit: row.try_get::<Uuid, _>(2)?.into_bytes(),
        conversation: row.try_get::<Option<Uuid>, _>(3)?.map(Uuid::into_bytes),
        at_us: row.try_get(4)?,
        arm: row.try_get(5)?,
        revision: row.try_get(6)?,
        bucket: row.try_get(7)?,
        share: row.try_get(8)?,
        tier: row.try_get(9)?,
        mask: row.try_get(10)?,
        probabilities: [row.try_get(11)?, row.try_get(12)?, row.try_get(13)?],
        propensity: row.try_get(14)?,
        policy_version: row.try_get(15)?,
        fallback: row.try_get(16)?,
        forced: row.try_get(17)?,
        block: row.try_get(18)?,
        stratum: row.try_get(19)?,
        context: row.try_get(20)?,
    })
}

fn event_record(row: &PgRow) -> Result<EventRecord, sqlx::Error> {
    Ok(EventRecord {
        source: row.try_get(0)?,
        id: row.try_get::<Uuid, _>(1)?.into_bytes(),
        decision_id: row.try_get(2)?,
        kind: row.try_get(3)?,
        occurred_at_us: row.try_get(4)?,
        observed_at_us: row.try_get(5)?,
        value: row.try_get(6)?,
        content: row.try_get(7)?,
    })
}
