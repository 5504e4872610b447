//! Experiments with their audit, policies, closed blocks and API keys, in PostgreSQL.

use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{Postgres, Row, Transaction};

use super::super::StoreError;
use super::super::rows::{ApiKeyRow, AuditEntry, ExperimentRow, HistoryRow, PolicyRow, Role};
use super::Inner;

impl Inner {
    pub(super) async fn begin(&self) -> Result<Transaction<'static, Postgres>, StoreError> {
        self.pool.begin().await.map_err(|e| self.failed(e))
    }

    async fn bump(&self, connection: &mut PgConnection) -> Result<i64, StoreError> {
        self.bump_with(
            "UPDATE changes SET counter = counter + 1 RETURNING counter",
            connection,
        )
        .await
    }

    // Experiments.

    pub(super) async fn save_experiment(
        &self,
        key: &str,
        expected: u64,
        body: &str,
        entry: &AuditEntry,
    ) -> Result<u64, StoreError> {
        let mut transaction = self.begin().await?;
        // First, because on PostgreSQL it keeps others from saving until this is done.
        let counter = self.bump(&mut transaction).await?;
        let found: Option<i64> =
            sqlx::query_scalar("SELECT revision FROM experiments WHERE key = $1")
                .bind(key)
                .fetch_optional(&mut *transaction)
                .await
                .map_err(|e| self.failed(e))?;
        let found = found.unwrap_or(0) as u64;
        if found != expected {
            return Err(StoreError::Conflict {
                experiment: key.to_owned(),
                expected,
                found,
            });
        }
        let revision = found + 1;
        sqlx::query(
            "INSERT INTO experiments (key, revision, body, changed) VALUES ($1, $2, $3, $4)
             ON CONFLICT (key) DO UPDATE SET revision = $2, body = $3, changed = $4",
        )
        .bind(key)
        .bind(revision as i64)
        .bind(body)
        .bind(counter)
        .execute(&mut *transaction)
        .await
        .map_err(|e| self.failed(e))?;
        sqlx::query(
            "INSERT INTO audit (experiment, revision, at_us, actor, action, reason, evidence)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(key)
        .bind(revision as i64)
        .bind(entry.at_us)
        .bind(&entry.actor)
        .bind(&entry.action)
        .bind(&entry.reason)
        .bind(&entry.evidence)
        .execute(&mut *transaction)
        .await
        .map_err(|e| self.failed(e))?;
        transaction.commit().await.map_err(|e| self.failed(e))?;
        self.announce(counter);
        Ok(revision)
    }

    pub(super) async fn experiments(&self) -> Result<Vec<ExperimentRow>, StoreError> {
        let rows = sqlx::query("SELECT key, revision, body FROM experiments ORDER BY key")
            .fetch_all(&self.pool)
            .await
            .map_err(|e| self.failed(e))?;
        rows.iter()
            .map(|row| self.decoded(experiment_row(row)))
            .collect()
    }

    pub(super) async fn experiment(&self, key: &str) -> Result<Option<ExperimentRow>, StoreError> {
        let row = sqlx::query("SELECT key, revision, body FROM experiments WHERE key = $1")
            .bind(key)
            .fetch_optional(&self.pool)
            .await
            .map_err(|e| self.failed(e))?;
        row.map(|row| self.decoded(experiment_row(&row)))
            .transpose()
    }

    pub(super) async fn history(&self, key: &str) -> Result<Vec<HistoryRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT revision, at_us, actor, action, reason, evidence FROM audit
             WHERE experiment = $1 ORDER BY revision",
        )
        .bind(key)
        .fetch_all(&self.pool)
        .await
        .map_err(|e| self.failed(e))?;
        rows.iter()
            .map(|row| self.decoded(history_row(row)))
            .collect()
    }

    // Policies.

    pub(super) async fn register_policy(
        &self,
        policy: &PolicyRow,
        artefact: &[u8],
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        let counter = self.bump(&mut transaction).await?;
        let stored: Option<Vec<u8>> =
            sqlx::query_scalar("SELECT artefact FROM policies WHERE hash = $1")
                .bind(&policy.hash)
                .fetch_optional(&mut *transaction)
                .await
                .map_err(|e| self.failed(e))?;
        match stored {
            Some(stored) if stored == artefact => return Ok(()),
            Some(_) => {
                return Err(StoreError::Differs {
                    what: format!("policy {}", policy.hash),
                });
            }
            None => {}
        }
        sqlx::query(
            "INSERT INTO policies (hash, name, registered_at_us, artefact, changed) VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(&policy.hash)
        .bind(&policy.name)
        .bind(policy.registered_at_us)
        .bind(artefact)
        .bind(counter)
        .execute(&mut *transaction)
        .await
        .map_err(|e| self.failed(e))?;
        transaction.commit().await.map_err(|e| self.failed(e))?;
        self.announce(counter);
        Ok(())
    }

    pub(super) async fn policies(&self) -> Result<Vec<PolicyRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT hash, name, registered_at_us FROM policies ORDER BY registered_at_us, hash",
        )
        .fetch_all(&self.pool)
        .await
        .map_err(|e| self.failed(e))?;
        rows.iter()
            .map(|row| self.decoded(policy_row(row)))
            .collect()
    }

    pub(super) async fn policy(
        &self,
        hash: &str,
    ) -> Result<Option<(PolicyRow, Vec<u8>)>, StoreError> {
        let row = sqlx::query(
            "SELECT hash, name, registered_at_us, artefact FROM policies WHERE hash = $1",
        )
        .bind(hash)
        .fetch_optional(&self.pool)
        .await
        .map_err(|e| self.failed(e))?;
        row.map(|row| {
            self.decoded(policy_row(&row).and_then(|policy| Ok((policy, row.try_get(3)?))))
        })
        .transpose()
    }

    // Closed blocks.

    pub(super) async fn append_blocks(
        &self,
        experiment: &str,
        blocks: &[(i64, String)],
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        for (block, body) in blocks {
            let added = sqlx::query(
                "INSERT INTO blocks (experiment, block, body) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
            )
            .bind(experiment)
            .bind(block)
            .bind(body)
            .execute(&mut *transaction)
            .await
            .map_err(|e| self.failed(e))?;
            if added.rows_affected() == 1 {
                continue;
            }
            let same: bool = sqlx::query_scalar(
                "SELECT body = $1 FROM blocks WHERE experiment = $2 AND block = $3",
            )
            .bind(body)
            .bind(experiment)
            .bind(block)
            .fetch_one(&mut *transaction)
            .await
            .map_err(|e| self.failed(e))?;
            if !same {
                return Err(StoreError::Differs {
                    what: format!("block {block} of experiment {experiment:?}"),
                });
            }
        }
        transaction.commit().await.map_err(|e| self.failed(e))
    }

    pub(super) async fn blocks(&self, experiment: &str) -> Result<Vec<(i64, String)>, StoreError> {
        sqlx::query_as("SELECT block, body FROM blocks WHERE experiment = $1 ORDER BY block")
            .bind(experiment)
            .fetch_all(&self.pool)
            .await
            .map_err(|e| self.failed(e))
    }

    // API keys.

    pub(super) async fn add_key(&self, key: &ApiKeyRow) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        let counter = self.bump_keys(&mut transaction).await?;
        let added = sqlx::query(
            "INSERT INTO api_keys (id, role, hash, created_at_us, revoked_at_us) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT DO NOTHING",
        )
        .bind(&key.id)
        .bind(key.role.word())
        .bind(&key.hash[..])
        .bind(key.created_at_us)
        .bind(key.revoked_at_us)
        .execute(&mut *transaction)
        .await
        .map_err(|e| self.failed(e))?;
        if added.rows_affected() == 0 {
            return Err(StoreError::Differs {
                what: format!("API key {:?}", key.id),
            });
        }
        transaction.commit().await.map_err(|e| self.failed(e))?;
        self.announce(counter);
        Ok(())
    }

    pub(super) async fn keys(&self) -> Result<Vec<ApiKeyRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, role, hash, created_at_us, revoked_at_us FROM api_keys ORDER BY id",
        )
        .fetch_all(&self.pool)
        .await
        .map_err(|e| self.failed(e))?;
        rows.iter()
            .map(|row| {
                let role: String = self.decoded(row.try_get(1))?;
                let hash: Vec<u8> = self.decoded(row.try_get(2))?;
                self.decoded(key_row(row, Role::of(&role)?, &hash))
            })
            .collect()
    }

    pub(super) async fn revoke_key(&self, id: &str, at_us: i64) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        let revoked = sqlx::query(
            "UPDATE api_keys SET revoked_at_us = $1 WHERE id = $2 AND revoked_at_us IS NULL",
        )
        .bind(at_us)
        .bind(id)
        .execute(&mut *transaction)
        .await
        .map_err(|e| self.failed(e))?;
        if revoked.rows_affected() == 0 {
            return Ok(false);
        }
        let counter = self.bump_keys(&mut transaction).await?;
        transaction.commit().await.map_err(|e| self.failed(e))?;
        self.announce(counter);
        Ok(true)
    }

    async fn bump_keys(&self, connection: &mut PgConnection) -> Result<i64, StoreError> {
        let bump = "UPDATE changes SET counter = counter + 1, keys_changed = counter + 1 RETURNING counter";
        self.bump_with(bump, connection).await
    }

    /// Raises the counter, which keeps other writers of it waiting until the commit, and has it told then.
    async fn bump_with(
        &self,
        sql: &'static str,
        connection: &mut PgConnection,
    ) -> Result<i64, StoreError> {
        let counter: i64 = sqlx::query_scalar(sql)
            .fetch_one(&mut *connection)
            .await
            .map_err(|e| self.failed(e))?;
        sqlx::query("SELECT pg_notify($1, $2)")
            .bind(super::change::CHANNEL)
            .bind(counter.to_string())
            .execute(connection)
            .await
            .map_err(|e| self.failed(e))?;
        Ok(counter)
    }

    /// A row that was read, or what was wrong with it.
    pub(super) fn decoded<T>(&self, row: Result<T, sqlx::Error>) -> Result<T, StoreError> {
        row.map_err(|e| self.failed(e))
    }
}

fn experiment_row(row: &PgRow) -> Result<ExperimentRow, sqlx::Error> {
    Ok(ExperimentRow {
        key: row.try_get(0)?,
        revision: row.try_get::<i64, _>(1)? as u64,
        body: row.try_get(2)?,
    })
}

fn history_row(row: &PgRow) -> Result<HistoryRow, sqlx::Error> {
    Ok(HistoryRow {
        revision: row.try_get::<i64, _>(0)? as u64,
        entry: AuditEntry {
            at_us: row.try_get(1)?,
            actor: row.try_get(2)?,
            action: row.try_get(3)?,
            reason: row.try_get(4)?,
            evidence: row.try_get(5)?,
        },
    })
}

fn policy_row(row: &PgRow) -> Result<PolicyRow, sqlx::Error> {
    Ok(PolicyRow {
        hash: row.try_get(0)?,
        name: row.try_get(1)?,
        registered_at_us: row.try_get(2)?,
    })
}

fn key_row(row: &PgRow, role: Role, hash: &[u8]) -> Result<ApiKeyRow, sqlx::Error> {
    Ok(ApiKeyRow {
        id: row.try_get(0)?,
        role,
        hash: hash
            .try_into()
            .map_err(|_| sqlx::Error::Decode("a key's hash is not of 32 bytes".into()))?,
        created_at_us: row.try_get(3)?,
        revoked_at_us: row.try_get(4)?,
    })
}
