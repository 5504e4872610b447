//! `tierwise experiment`: asks a running router.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use hyper::Method;
use serde_json::{Value, json};

use super::{Done, OutputArgs, existing, output};
use crate::config::TomlFile;
use crate::failure::{Failure, failure_of};
use crate::router::audit::audit;
use crate::router::client::Client;
use crate::router::experiment::Definition;
use crate::router::settings::Settings;
use crate::store;

/// Create, start, ramp, pause, promote, roll back, stop and watch experiments of a router
#[derive(Debug, Args)]
pub(super) struct ExperimentArgs {
    #[command(subcommand)]
    command: ExperimentCommand,
    /// The router.
    #[arg(
        long,
        global = true,
        value_name = "URL",
        default_value = "http://127.0.0.1:8787"
    )]
    url: String,
    /// File that holds an admin key, where the router has keys.
    #[arg(long, global = true, value_name = "FILE")]
    key_file: Option<PathBuf>,
    #[command(flatten)]
    output: OutputArgs,
}

#[derive(Debug, Subcommand)]
enum ExperimentCommand {
    /// Create a draft from a file; configs/experiment.toml explains every key.
    Create {
        /// The definition.
        file: PathBuf,
        /// Why, for the history.
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// Begin with the ramp's first share.
    Start(Move),
    /// Go to a higher share.
    Ramp {
        #[command(flatten)]
        which: Move,
        /// Share of each challenger against the champion.
        #[arg(long)]
        share: f64,
    },
    /// Let the champion answer for a while.
    Pause(Move),
    /// Go on as before the pause.
    Resume(Move),
    /// Let a challenger answer all but the holdback.
    Promote {
        #[command(flatten)]
        which: Move,
        /// The challenger.
        #[arg(long)]
        arm: String,
    },
    /// Take a challenger out of the test; the others go on.
    Drop {
        #[command(flatten)]
        which: Move,
        /// The challenger.
        #[arg(long)]
        arm: String,
    },
    /// End the holdback of a promoted challenger.
    Complete(Move),
    /// Return to the champion.
    Rollback(Move),
    /// End it; the champion answers.
    Stop(Move),
    /// End it at once, whatever the clock says; the champion answers.
    Kill(Move),
    /// Say where experiments stand.
    Status {
        /// The experiment; all by default.
        key: Option<String>,
    },
    /// Compute arm, share and propensity of every recorded decision again; exits with 1 when one differs.
    Audit {
        /// The experiment.
        key: String,
        /// The store.
        #[arg(long, value_name = "URL", default_value = "sqlite:tierwise.db")]
        store: String,
        /// Rule file that the router answers with outside experiments; the shipped rules by default.
        #[arg(long, value_name = "FILE")]
        rules: Option<PathBuf>,
    },
    /// Show the audit trail with the numbers behind each step.
    History {
        /// The experiment.
        key: String,
    },
}

#[derive(Debug, Args)]
struct Move {
    /// The experiment.
    key: String,
    /// Why, for the history.
    #[arg(long, default_value = "")]
    reason: String,
    /// Refuse when the experiment has been changed since this revision.
    #[arg(long, value_name = "N")]
    revision: Option<u64>,
}

pub(super) fn run(args: &ExperimentArgs) -> Result<Done, Failure> {
    super::block_on(ask(args))?
}

async fn ask(args: &ExperimentArgs) -> Result<Done, Failure> {
    use ExperimentCommand as C;
    if let C::Audit { key, store, rules } = &args.command {
        return audited(key, store, rules.clone(), args.output).await;
    }
    let (method, path, body) = match &args.command {
        C::Create { file, reason } => {
            let definition = read_definition(file)?;
            let body = json!({ "definition": definition, "reason": reason });
            (Method::POST, "/v1/experiments".to_owned(), Some(body))
        }
        C::Start(which) => step("start", which, json!({})),
        C::Ramp { which, share } => step("ramp", which, json!({ "share": share })),
        C::Pause(which) => step("pause", which, json!({})),
        C::Resume(which) => step("resume", which, json!({})),
        C::Promote { which, arm } => step("promote", which, json!({ "arm": arm })),
        C::Drop { which, arm } => step("drop", which, json!({ "arm": arm })),
        C::Complete(which) => step("complete", which, json!({})),
        C::Rollback(which) => step("rollback", which, json!({})),
        C::Stop(which) => step("stop", which, json!({})),
        C::Kill(which) => step("kill", which, json!({})),
        C::Status { key: None } => (Method::GET, "/v1/experiments".to_owned(), None),
        C::Status { key: Some(key) } => (Method::GET, format!("/v1/experiments/{key}"), None),
        C::History { key } => (Method::GET, format!("/v1/experiments/{key}/history"), None),
        C::Audit { .. } => unreachable!("an audit asks no router"),
    };
    let answer = request(args, method, &path, body).await?;
    if args.output.json {
        output::json(&answer)?;
        return Ok(Done::Fine);
    }
    let text = match &args.command {
        C::History { .. } => history(&answer),
        C::Status { key: None } => {
            let all: Vec<String> = list(&answer["experiments"]).map(standing).collect();
            if all.is_empty() {
                "no experiment; `tierwise experiment create FILE` creates one".to_owned()
            } else {
                all.join("\n\n")
            }
        }
        _ => standing(&answer),
    };
    output::text_line(&text)?;
    Ok(Done::Fine)
}

async fn audited(
    key: &str,
    url: &str,
    rules: Option<PathBuf>,
    print: OutputArgs,
) -> Result<Done, Failure> {
    let baseline = super::serve::baseline(&Settings {
        rules,
        ..Settings::default()
    })?;
    let store = store::open_existing(url)
        .await
        .map_err(|e| failure_of(&e))?;
    let report = audit(&*store, key, &baseline)
        .await
        .map_err(|e| failure_of(&e))?;
    store.close().await;
    let report = report.ok_or_else(|| {
        Failure::new(format!("{url} holds no experiment `{key}`"))
            .fix("`tierwise experiment status` lists them")
    })?;
    if print.json {
        output::json(&report)?;
    } else {
        let mut text = format!(
            "{} exposures, {} of them forced\n  arm and share as recorded     {}\n  propensity as recorded        {}",
            report.exposures, report.forced, report.assignments_equal, report.propensities_equal
        );
        for (what, count) in [
            ("rule reads a message that is not kept", report.without_text),
            ("observation was not kept", report.without_observation),
            ("policy is not registered", report.without_policy),
            ("DIFFERENT", report.differences),
        ] {
            if count > 0 {
                text += &format!("\n  {what}: {count}");
            }
        }
        for example in &report.examples {
            text += &format!("\n    {example}");
        }
        output::text_line(&text)?;
    }
    Ok(if report.differences == 0 {
        Done::Fine
    } else {
        Done::NothingQualified
    })
}

/// Reads and checks a definition.
pub(super) fn read_definition(path: &std::path::Path) -> Result<Definition, Failure> {
    existing(path, "definition")?;
    let file = TomlFile::read(path)?;
    let definition: Definition = file.parse()?;
    definition
        .check()
        .map_err(|fault| file.value_error(&fault.key, fault.value.clone(), &fault.expected))?;
    Ok(definition)
}

fn step(name: &str, which: &Move, mut body: Value) -> (Method, String, Option<Value>) {
    body["reason"] = json!(which.reason);
    if let Some(revision) = which.revision {
        body["revision"] = json!(revision);
    }
    (
        Method::POST,
        format!("/v1/experiments/{}/{name}", which.key),
        Some(body),
    )
}

async fn request(
    args: &ExperimentArgs,
    method: Method,
    path: &str,
    body: Option<Value>,
) -> Result<Value, Failure> {
    let key = match &args.key_file {
        None => None,
        Some(path) => {
            let text = std::fs::read_to_string(path).map_err(|e| Failure::at(path, e))?;
            Some(format!("Bearer {}", text.trim()))
        }
    };
    let mut headers = vec![("content-type", "application/json")];
    headers.extend(key.as_deref().map(|key| ("authorization", key)));
    let url = format!("{}{path}", args.url.trim_end_matches('/'));
    let body = body.map(|body| body.to_string()).unwrap_or_default();
    let answer = Client::new(Duration::from_secs(30))
        .send(method, &url, &headers, body)
        .await
        .map_err(|e| {
            failure_of(&e)
                .fix("is the router running? `tierwise serve` starts one; `--url` names another")
        })?;
    let value: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    if answer.is_success() {
        return Ok(value);
    }
    let text = |key: &str| value[key].as_str().unwrap_or_default().to_owned();
    let title = if text("title").is_empty() {
        format!("the router answered {}", answer.status)
    } else {
        text("title")
    };
    let mut failure = Failure::new(format!("{title} ({})", answer.status));
    if !text("detail").is_empty() {
        failure = failure.detail(text("detail"));
    }
    Err(failure)
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// An experiment in a few lines.
pub(super) fn standing(view: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let mut out = format!(
        "{}  {}  since {}  (revision {})",
        text(&view["key"]),
        text(&view["phase"]),
        text(&view["phase_since"]),
        view["revision"]
    );
    out += &format!("\n  {:<16} {:>8} {:>10}", "arm", "share", "entered");
    let metrics: Vec<&Value> = list(&view["metrics"]).collect();
    for metric in &metrics {
        out += &format!(" {:>22}", text(&metric["name"]));
    }
    for (position, arm) in list(&view["arms"]).enumerate() {
        out += &format!(
            "\n  {:<16} {:>7.2}% {:>10}",
            text(&arm["name"]),
            100.0 * arm["share"].as_f64().unwrap_or(0.0),
            arm["entered"].as_u64().unwrap_or(0)
        );
        for metric in &metrics {
            let total = &metric["arms"][position];
            let units = total["units"].as_u64().unwrap_or(0);
            let mean = total["sum"].as_f64().unwrap_or(0.0) / (units.max(1)) as f64;
            let cell = if units == 0 {
                "-".to_owned()
            } else {
                format!("{mean:.4} (n {units})")
            };
            out += &format!(" {cell:>22}");
        }
    }
    for challenger in list(&view["challengers"]) {
        let evidence = &challenger["evidence"];
        let wealth = |key: &str| evidence[key].as_f64().unwrap_or(0.0).exp();
        out += &format!(
            "\n  {}: {}; evidence for better {:.2}, for worse {:.2}",
            text(&challenger["arm"]),
            text(&challenger["verdict"]["kind"]).replace('_', " "),
            wealth("log_promote"),
            wealth("log_roll_back")
        );
        let waiting: Vec<String> = list(&challenger["verdict"]["waiting_for"])
            .map(|one| text(&one["condition"]).replace('_', " "))
            .collect();
        if !waiting.is_empty() {
            out += &format!("; waits for {}", waiting.join(", "));
        }
    }
    out
}

fn history(answer: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    list(&answer["history"])
        .map(|one| {
            format!(
                "{:>4}  {}  {:<10} by {:<10} {}",
                one["revision"].as_u64().unwrap_or(0),
                text(&one["at"]),
                text(&one["action"]),
                text(&one["actor"]),
                text(&one["reason"])
            )
        })
        .collect::<Vec<_>>()
        .join("\n")
}
