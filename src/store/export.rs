//! Everything as JSON lines: a backup that outlives the database and this program.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::{EventRow, ExposureRow, Store, StoreError};

/// Rows that are read at once.
const PAGE: usize = 5_000;

/// How many lines an export wrote, by what they hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Exported {
    /// Experiments.
    pub experiments: u64,
    /// Audit entries.
    pub audit: u64,
    /// Policies.
    pub policies: u64,
    /// Closed blocks.
    pub blocks: u64,
    /// API keys.
    pub keys: u64,
    /// Exposures.
    pub exposures: u64,
    /// Events.
    pub events: u64,
}

/// Why an export ended early.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// The store could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The output could not be written.
    #[error("the export cannot be written")]
    Output(#[from] io::Error),
}

/// Writes every row as one line with its table in `table`: experiments with their audit and blocks, policies (the
/// artefact in hexadecimal), API keys (hashes only), exposures in order of decision, events in order of identity.
///
/// Rows that arrive meanwhile may or may not be in it; those committed before are.
///
/// # Errors
/// What kept the store from being read or the output from being written.
pub async fn export_jsonl(
    store: &dyn Store,
    out: &mut (dyn Write + Send),
) -> Result<Exported, ExportError> {
    let mut done = Exported::default();
    for experiment in store.experiments().await? {
        let key = &experiment.key;
        line(
            out,
            &json!({"table": "experiments", "key": key, "revision": experiment.revision, "body": experiment.body}),
        )?;
        done.experiments += 1;
        for row in store.history(key).await? {
            let entry = &row.entry;
            line(
                out,
                &json!({"table": "audit", "experiment": key, "revision": row.revision, "at_us": entry.at_us,
                    "actor": entry.actor, "action": entry.action, "reason": entry.reason, "evidence": entry.evidence}),
            )?;
            done.audit += 1;
        }
        for (block, body) in store.blocks(key).await? {
            line(
                out,
                &json!({"table": "blocks", "experiment": key, "block": block, "body": body}),
            )?;
            done.blocks += 1;
        }
    }
    for policy in store.policies().await? {
        let Some((policy, artefact)) = store.policy(&policy.hash).await? else {
            continue;
        };
        line(
            out,
            &json!({"table": "policies", "hash": policy.hash, "name": policy.name,
                "registered_at_us": policy.registered_at_us, "artefact": hex(&artefact)}),
        )?;
        done.policies += 1;
    }
    for key in store.keys().await? {
        line(
            out,
            &json!({"table": "api_keys", "id": key.id, "role": key.role.word(), "hash": hex(&key.hash),
                "created_at_us": key.created_at_us, "revoked_at_us": key.revoked_at_us}),
        )?;
        done.keys += 1;
    }
    let mut after = None;
    loop {
        let page = store.decisions(after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.exposure.decision_id);
        for decision in &page {
            line(out, &exposure(&decision.exposure))?;
        }
        done.exposures += page.len() as u64;
    }
    let mut after = None;
    loop {
        let page = store.events(after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = Some((last.source.clone(), last.id));
        for row in &page {
            line(out, &event(row))?;
        }
        done.events += page.len() as u64;
    }
    out.flush()?;
    Ok(done)
}

fn line(out: &mut (dyn Write + Send), value: &Value) -> io::Result<()> {
    serde_json::to_writer(&mut *out, value)?;
    out.write_all(b"\n")
}

fn exposure(row: &ExposureRow) -> Value {
    json!({
        "table": "exposures",
        "decision_id": row.decision_id.to_string(),
        "experiment": &*row.experiment,
        "unit": hex(&row.unit),
        "conversation": row.conversation.as_ref().map(|hash| hex(hash)),
        "at_us": row.at_us,
        "arm": row.arm,
        "revision": row.revision,
        "bucket": row.bucket,
        "share": row.share,
        "tier": row.tier,
        "mask": row.mask,
        "probabilities": row.probabilities,
        "propensity": row.propensity,
        "policy_version": &*row.policy_version,
        "fallback": row.fallback.as_deref(),
        "forced": row.forced,
        "block": row.block,
        "stratum": row.stratum.as_deref(),
        "context": row.context,
    })
}

fn event(row: &EventRow) -> Value {
    json!({
        "table": "events",
        "source": &*row.source,
        "id": hex(&row.id.0),
        "decision_id": row.decision_id.to_string(),
        "kind": &*row.kind,
        "occurred_at_us": row.occurred_at_us,
        "observed_at_us": row.observed_at_us,
        "value": row.value,
        "content": hex(&row.content),
    })
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes
        .iter()
        .fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
            // Writing into a text cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}
