//! What the judge reads from PostgreSQL: units in the order in which they enter, with the outcomes that count.

use sqlx::Row;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use super::super::StoreError;
use super::super::names::NameTable;
use super::super::records::{self, FirstRecord, OutcomeRecord};
use super::super::rows::{
    ArmCount, ExposureCursor, FirstExposure, KindCount, MaturedQuery, MaturedUnit,
};
use super::Inner;

/// Each unit's first exposure that was not forced: the index of the unit answers which one that is.
macro_rules! first_exposures {
    () => {
        "SELECT e.decision_id, e.unit, e.at_us, e.arm, e.revision, e.bucket, e.share, e.tier, e.block, e.stratum
         FROM exposures e
         WHERE e.experiment = $1 AND NOT e.forced AND (e.at_us, e.decision_id) > ($2, $3) AND e.at_us <= $4
           AND e.decision_id = (SELECT o.decision_id FROM exposures o
                                WHERE o.experiment = $1 AND o.unit = e.unit AND NOT o.forced
                                ORDER BY o.at_us, o.decision_id LIMIT 1)
         ORDER BY e.at_us, e.decision_id LIMIT $5"
    };
}

const MATURED: &str = concat!(
    "WITH first AS MATERIALIZED (",
    first_exposures!(),
    ") SELECT first.*, v.kind, v.occurred_at_us, v.value
       FROM first
       LEFT JOIN (exposures d JOIN events v ON v.decision_id = d.decision_id)
         ON d.experiment = $1 AND d.unit = first.unit
            AND v.occurred_at_us BETWEEN first.at_us AND first.at_us + $6
            AND v.observed_at_us <= first.at_us + $6 + $7
       ORDER BY first.at_us, first.decision_id, v.occurred_at_us, v.source, v.id"
);

impl Inner {
    /// The number of an experiment's name; `None` when nothing was ever stored under it.
    async fn experiment_id(&self, experiment: &str) -> Result<Option<i32>, StoreError> {
        if self.names.id(experiment).is_none() {
            self.load_names().await?;
        }
        Ok(self.names.id(experiment))
    }

    pub(super) async fn first_exposures(
        &self,
        experiment: &str,
        after: ExposureCursor,
        until_us: i64,
        limit: usize,
    ) -> Result<Vec<FirstExposure>, StoreError> {
        let Some(experiment) = self.experiment_id(experiment).await? else {
            return Ok(Vec::new());
        };
        let rows = sqlx::query(first_exposures!())
            .bind(experiment)
            .bind(after.at_us)
            .bind(after.decision_id)
            .bind(until_us)
            .bind(limit as i64)
            .fetch_all(&self.pool)
            .await
            .map_err(|e| self.failed(e))?;
        let first = rows
            .iter()
            .map(|row| self.decoded(first_record(row)))
            .collect::<Result<_, _>>()?;
        records::first_exposures(self, first).await
    }

    pub(super) async fn matured_units(
        &self,
        query: &MaturedQuery<'_>,
    ) -> Result<Vec<MaturedUnit>, StoreError> {
        let Some(experiment) = self.experiment_id(query.experiment).await? else {
            return Ok(Vec::new());
        };
        let rows = sqlx::query(MATURED)
            .bind(experiment)
            .bind(query.after.at_us)
            .bind(query.after.decision_id)
            .bind(query.until_us)
            .bind(query.limit as i64)
            .bind(query.window_us)
            .bind(query.grace_us)
            .fetch_all(&self.pool)
            .await
            .map_err(|e| self.failed(e))?;
        let units = rows
            .iter()
            .map(|row| self.decoded(first_record(row).and_then(|first| Ok((first, outcome(row)?)))))
            .collect::<Result<_, _>>()?;
        records::matured_units(self, units).await
    }

    // Counts.

    pub(super) async fn exposure_counts(
        &self,
        experiment: &str,
    ) -> Result<Vec<ArmCount>, StoreError> {
        let Some(experiment) = self.experiment_id(experiment).await? else {
            return Ok(Vec::new());
        };
        let rows: Vec<(i32, i64, i64)> = sqlx::query_as(
            "SELECT arm, COUNT(*), COUNT(*) FILTER (WHERE forced) FROM exposures WHERE experiment = $1
             GROUP BY arm ORDER BY arm",
        )
        .bind(experiment)
        .fetch_all(&self.pool)
        .await
        .map_err(|e| self.failed(e))?;
        let count = |(arm, exposures, forced): (i32, i64, i64)| ArmCount {
            arm: arm as u16,
            exposures: exposures as u64,
            forced: forced as u64,
        };
        Ok(rows.into_iter().map(count).collect())
    }

    pub(super) async fn event_counts(&self) -> Result<Vec<KindCount>, StoreError> {
        let rows: Vec<(String, i64)> = sqlx::query_as(
            "SELECT n.name, e.n FROM (SELECT kind, COUNT(*) AS n FROM events GROUP BY kind) e
             JOIN names n ON n.id = e.kind ORDER BY n.name",
        )
        .fetch_all(&self.pool)
        .await
        .map_err(|e| self.failed(e))?;
        let count = |(kind, events): (String, i64)| KindCount {
            kind,
            events: events as u64,
        };
        Ok(rows.into_iter().map(count).collect())
    }

    pub(super) async fn orphan_events(&self) -> Result<u64, StoreError> {
        let orphans: i64 = sqlx::query_scalar(
            "SELECT COUNT(*) FROM events v
             WHERE NOT EXISTS (SELECT 1 FROM exposures d WHERE d.decision_id = v.decision_id)",
        )
        .fetch_one(&self.pool)
        .await
        .map_err(|e| self.failed(e))?;
        Ok(orphans as u64)
    }
}

fn first_record(row: &PgRow) -> Result<FirstRecord, sqlx::Error> {
    Ok(FirstRecord {
        decision_id: row.try_get(0)?,
        unit: row.try_get::<Uuid, _>(1)?.into_bytes(),
        at_us: row.try_get(2)?,
        arm: row.try_get(3)?,
        revision: row.try_get(4)?,
        bucket: row.try_get(5)?,
        share: row.try_get(6)?,
        tier: row.try_get(7)?,
        block: row.try_get(8)?,
        stratum: row.try_get(9)?,
    })
}

fn outcome(row: &PgRow) -> Result<Option<OutcomeRecord>, sqlx::Error> {
    let Some(kind) = row.try_get(10)? else {
        return Ok(None);
    };
    Ok(Some((kind, row.try_get(11)?, row.try_get(12)?)))
}
