//! `tierwise store key`: who may ask a router what.

use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;
use tierwise_envs::time::UtcMicros;
use uuid::Uuid;

use super::wall_clock::WallClock;
use super::{Done, OutputArgs, output};
use crate::failure::{Failure, failure_of};
use crate::router::clock::Clock;
use crate::store::{self, ApiKeyRow, Role};

/// Add, list and revoke the API keys of a router
#[derive(Debug, Subcommand)]
pub(super) enum KeyCommand {
    /// Make a key and print it once: the store keeps its hash.
    Add(AddArgs),
    /// List keys, revoked ones included.
    List(ListArgs),
    /// Revoke a key; routers refuse it from their next refresh on.
    Revoke(RevokeArgs),
}

/// What a key may do.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum RoleArg {
    /// Ask for decisions.
    Decide,
    /// Send events.
    Ingest,
    /// Everything.
    Admin,
}

#[derive(Debug, Args)]
pub(super) struct AddArgs {
    /// The database: sqlite:PATH or postgres://USER@HOST/DATABASE.
    url: String,
    /// What it may do.
    #[arg(long)]
    role: RoleArg,
    /// Its name in lists and in the history of experiments.
    #[arg(long)]
    id: String,
    #[command(flatten)]
    output: OutputArgs,
}

#[derive(Debug, Args)]
pub(super) struct ListArgs {
    /// The database: sqlite:PATH or postgres://USER@HOST/DATABASE.
    url: String,
    #[command(flatten)]
    output: OutputArgs,
}

#[derive(Debug, Args)]
pub(super) struct RevokeArgs {
    /// The database: sqlite:PATH or postgres://USER@HOST/DATABASE.
    url: String,
    /// The key's name.
    id: String,
    #[command(flatten)]
    output: OutputArgs,
}

pub(super) async fn run(command: &KeyCommand) -> Result<Done, Failure> {
    match command {
        KeyCommand::Add(args) => add(args).await,
        KeyCommand::List(args) => list(args).await,
        KeyCommand::Revoke(args) => revoke(args).await,
    }
}

async fn add(args: &AddArgs) -> Result<Done, Failure> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if !(1..=64).contains(&args.id.len()) || !args.id.bytes().all(plain) {
        return Err(Failure::new(format!("`--id {}` is no name", args.id))
            .detail("a name has 1 to 64 letters, digits, `-`, `_` and `.`"));
    }
    // 244 random bits from the operating system, as text.
    let secret = format!("tw_{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
    let row = ApiKeyRow {
        id: args.id.clone(),
        role: match args.role {
            RoleArg::Decide => Role::Decide,
            RoleArg::Ingest => Role::Ingest,
            RoleArg::Admin => Role::Admin,
        },
        hash: *blake3::hash(secret.as_bytes()).as_bytes(),
        created_at_us: WallClock::new().now_us(),
        revoked_at_us: None,
    };
    let store = store::open(&args.url).await.map_err(|e| failure_of(&e))?;
    let added = store.add_key(&row).await.map_err(|e| failure_of(&e));
    store.close().await;
    added?;
    if args.output.json {
        output::json(&json!({ "id": row.id, "role": row.role.word(), "key": secret }))?;
    } else {
        output::text_line(&secret)?;
        output::notice("keep it: the store knows its hash only");
    }
    Ok(Done::Fine)
}

async fn list(args: &ListArgs) -> Result<Done, Failure> {
    let store = store::open_existing(&args.url)
        .await
        .map_err(|e| failure_of(&e))?;
    let keys = store.keys().await.map_err(|e| failure_of(&e));
    store.close().await;
    let keys = keys?;
    let time = |at_us: i64| {
        let value = serde_json::to_value(UtcMicros(at_us)).unwrap_or_default();
        value.as_str().unwrap_or_default().to_owned()
    };
    if args.output.json {
        let views: Vec<_> = keys
            .iter()
            .map(|key| {
                json!({
                    "id": key.id, "role": key.role.word(), "created_at": time(key.created_at_us),
                    "revoked_at": key.revoked_at_us.map(time),
                })
            })
            .collect();
        output::json(&json!({ "keys": views }))?;
    } else if keys.is_empty() {
        output::text_line("no key: a router on this store listens on loopback only")?;
    } else {
        let mut text = format!("{:<24} {:<8} {:<28} revoked", "id", "role", "created");
        for key in &keys {
            let revoked = key.revoked_at_us.map_or_else(|| "-".to_owned(), time);
            text += &format!(
                "\n{:<24} {:<8} {:<28} {revoked}",
                key.id,
                key.role.word(),
                time(key.created_at_us)
            );
        }
        output::text_line(&text)?;
    }
    Ok(Done::Fine)
}

async fn revoke(args: &RevokeArgs) -> Result<Done, Failure> {
    let store = store::open_existing(&args.url)
        .await
        .map_err(|e| failure_of(&e))?;
    let revoked = store
        .revoke_key(&args.id, WallClock::new().now_us())
        .await
        .map_err(|e| failure_of(&e));
    store.close().await;
    if !revoked? {
        return Err(Failure::new(format!("no key `{}` is in force", args.id))
            .fix("`tierwise store key list` shows them"));
    }
    if args.output.json {
        output::json(&json!({ "id": args.id, "revoked": true }))?;
    } else {
        output::text_line(&format!("{} is revoked", args.id))?;
    }
    Ok(Done::Fine)
}
