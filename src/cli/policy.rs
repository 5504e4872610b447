//! `tierwise policy`: the version registry of a store.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde::Serialize;
use tierwise_envs::time::UtcMicros;
use tierwise_policies::artefact::{Artefact, PolicyKind};
use tierwise_policies::rule::RulePolicy;

use super::serve::rule_artefact;
use super::wall_clock::WallClock;
use super::{Done, OutputArgs, existing, output, version};
use crate::failure::{Failure, failure_of};
use crate::router::clock::Clock;
use crate::store::{self, PolicyRow, Store};

/// Register, list, show and compare the policy versions that a router serves
#[derive(Debug, Subcommand)]
pub(super) enum PolicyCommand {
    /// Register a version that `tierwise train` wrote, or a rule file.
    Register(RegisterArgs),
    /// List what is registered.
    List(ListArgs),
    /// Show one version.
    Show(ShowArgs),
    /// Say in what two versions differ.
    Diff(DiffArgs),
}

#[derive(Debug, Args)]
pub(super) struct RegisterArgs {
    /// Version directory, or a rule file (`.toml`).
    path: PathBuf,
    /// Name to register it under; its own by default.
    #[arg(long)]
    name: Option<String>,
    /// The store.
    #[arg(long, value_name = "URL", default_value = "sqlite:tierwise.db")]
    store: String,
    #[command(flatten)]
    output: OutputArgs,
}

#[derive(Debug, Args)]
pub(super) struct ListArgs {
    /// The store.
    #[arg(long, value_name = "URL", default_value = "sqlite:tierwise.db")]
    store: String,
    #[command(flatten)]
    output: OutputArgs,
}

#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    /// Name, or the first 12 digits of the hash or more.
    policy: String,
    /// The store.
    #[arg(long, value_name = "URL", default_value = "sqlite:tierwise.db")]
    store: String,
    #[command(flatten)]
    output: OutputArgs,
}

#[derive(Debug, Args)]
pub(super) struct DiffArgs {
    /// The one.
    a: String,
    /// The other.
    b: String,
    /// The store.
    #[arg(long, value_name = "URL", default_value = "sqlite:tierwise.db")]
    store: String,
    #[command(flatten)]
    output: OutputArgs,
}

#[derive(Debug, Serialize)]
struct PolicyView {
    name: String,
    version: String,
    hash: String,
    registered_at: UtcMicros,
}

impl PolicyView {
    fn of(row: &PolicyRow) -> Self {
        Self {
            name: row.name.clone(),
            version: row.hash[..12].to_owned(),
            hash: row.hash.clone(),
            registered_at: UtcMicros(row.registered_at_us),
        }
    }
}

pub(super) fn run(command: &PolicyCommand) -> Result<Done, Failure> {
    super::block_on(async {
        match command {
            PolicyCommand::Register(args) => register(args).await,
            PolicyCommand::List(args) => list(args).await,
            PolicyCommand::Show(args) => show(args).await,
            PolicyCommand::Diff(args) => diff(args).await,
        }
    })?
}

async fn register(args: &RegisterArgs) -> Result<Done, Failure> {
    existing(&args.path, "version or rule file")?;
    let is_rules = args
        .path
        .extension()
        .is_some_and(|extension| extension == "toml");
    let mut artefact = if is_rules {
        let text = std::fs::read_to_string(&args.path).map_err(|e| Failure::at(&args.path, e))?;
        let rules = RulePolicy::from_toml(&text).map_err(|e| Failure::at(&args.path, e))?;
        rule_artefact("rule", rules)
    } else {
        version(&args.path)?.artefact
    };
    if let Some(name) = &args.name {
        artefact.id.clone_from(name);
    }
    let (hash, text) = artefact.to_text();
    let row = PolicyRow {
        hash,
        name: artefact.id.clone(),
        registered_at_us: WallClock::new().now_us(),
    };
    let store = store::open(&args.store).await.map_err(|e| failure_of(&e))?;
    store
        .register_policy(&row, text.as_bytes())
        .await
        .map_err(|e| failure_of(&e))?;
    store.close().await;
    if args.output.json {
        output::json(&PolicyView::of(&row))?;
    } else {
        output::text_line(&format!(
            "registered {} as version {}",
            row.name,
            &row.hash[..12]
        ))?;
    }
    Ok(Done::Fine)
}

async fn list(args: &ListArgs) -> Result<Done, Failure> {
    let store = store::open_existing(&args.store)
        .await
        .map_err(|e| failure_of(&e))?;
    let rows = store.policies().await.map_err(|e| failure_of(&e))?;
    store.close().await;
    let views: Vec<PolicyView> = rows.iter().map(PolicyView::of).collect();
    if args.output.json {
        output::json(&serde_json::json!({ "policies": views }))?;
    } else if views.is_empty() {
        output::text_line("no policy is registered; `tierwise policy register DIR` registers one")?;
    } else {
        let mut text = format!("{:<14} {:<24} registered", "version", "name");
        for view in &views {
            let at = serde_json::to_value(view.registered_at).unwrap_or_default();
            text += &format!(
                "\n{:<14} {:<24} {}",
                view.version,
                view.name,
                at.as_str().unwrap_or_default()
            );
        }
        output::text_line(&text)?;
    }
    Ok(Done::Fine)
}

/// Finds a registered policy: by the beginning of its hash, or the newest of a name.
async fn find(store: &dyn Store, wanted: &str) -> Result<(PolicyRow, Artefact), Failure> {
    let rows = store.policies().await.map_err(|e| failure_of(&e))?;
    let row = rows
        .iter()
        .find(|row| wanted.len() >= 12 && row.hash.starts_with(wanted))
        .or_else(|| rows.iter().rev().find(|row| row.name == wanted));
    let row = row.ok_or_else(|| {
        Failure::new(format!("no policy `{wanted}` is registered"))
            .fix("`tierwise policy list` shows names and versions")
    })?;
    let (row, bytes) = store
        .policy(&row.hash)
        .await
        .map_err(|e| failure_of(&e))?
        .ok_or_else(|| Failure::new(format!("policy `{wanted}` has gone from the store")))?;
    let text = String::from_utf8_lossy(&bytes);
    let (_, artefact) =
        Artefact::parse(&text, std::path::Path::new(&row.name)).map_err(|e| failure_of(&e))?;
    Ok((row, artefact))
}

async fn show(args: &ShowArgs) -> Result<Done, Failure> {
    let store = store::open_existing(&args.store)
        .await
        .map_err(|e| failure_of(&e))?;
    let (row, artefact) = find(&*store, &args.policy).await?;
    store.close().await;
    if args.output.json {
        output::json(
            &serde_json::json!({ "registered": PolicyView::of(&row), "artefact": artefact }),
        )?;
    } else {
        output::text_line(
            &facts(&row, &artefact)
                .iter()
                .map(|(k, v)| format!("{k:<18} {v}"))
                .collect::<Vec<_>>()
                .join("\n"),
        )?;
    }
    Ok(Done::Fine)
}

/// What is known of a version, line by line.
fn facts(row: &PolicyRow, artefact: &Artefact) -> Vec<(&'static str, String)> {
    let kind = match &artefact.policy {
        PolicyKind::Rule { .. } => "rule",
        PolicyKind::Fixed { .. } => "fixed",
        PolicyKind::Uniform => "uniform",
        PolicyKind::Table { .. } => "table",
    };
    let training = artefact.training.as_ref().map_or_else(
        || "no log".to_owned(),
        |training| {
            format!(
                "{} conversations of log {}",
                training.conversations,
                &training.log_hash[..12.min(training.log_hash.len())]
            )
        },
    );
    vec![
        ("version", row.hash[..12].to_owned()),
        ("name", row.name.clone()),
        ("kind", kind.to_owned()),
        ("learner", artefact.learner.clone()),
        ("made by", artefact.created_by.clone()),
        ("seed", artefact.seed.to_string()),
        ("configuration", artefact.config_hash.clone()),
        ("reward", artefact.reward_version.clone()),
        ("learned from", training),
        ("floor", artefact.serve_floor.to_string()),
        (
            "feature schema",
            format!(
                "{} ({})",
                artefact.feature_schema.version, artefact.feature_schema.hash
            ),
        ),
    ]
}

async fn diff(args: &DiffArgs) -> Result<Done, Failure> {
    let store = store::open_existing(&args.store)
        .await
        .map_err(|e| failure_of(&e))?;
    let (a_row, a) = find(&*store, &args.a).await?;
    let (b_row, b) = find(&*store, &args.b).await?;
    store.close().await;
    let pairs: Vec<_> = facts(&a_row, &a)
        .into_iter()
        .zip(facts(&b_row, &b))
        .filter(|((_, a), (_, b))| a != b)
        .map(|((key, a), (_, b))| (key, a, b))
        .collect();
    let same_policy = a.policy == b.policy;
    if args.output.json {
        let differences: Vec<_> = pairs
            .iter()
            .map(|(key, a, b)| serde_json::json!({ "field": key, "a": a, "b": b }))
            .collect();
        output::json(
            &serde_json::json!({ "same_decisions": same_policy, "differences": differences }),
        )?;
        return Ok(Done::Fine);
    }
    let mut text = String::new();
    for (key, a, b) in &pairs {
        text += &format!("{key:<18} {a:<28} {b}\n");
    }
    text += if same_policy {
        "both decide alike"
    } else {
        "they decide differently"
    };
    output::text_line(&text)?;
    Ok(Done::Fine)
}
