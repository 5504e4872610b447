//! `tierwise staff`.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use tierwise_envs::erlang::{
    ErlangC, Impatient, Target, TargetError, Traffic, fewest, loss_probability,
};
use tierwise_envs::queue::{Law, LawConfig, LawKind, Queue, QueueConfig, WITHIN_S, Within};

use super::simulate::{described, queue_config, read_queue, seconds, significant};
use super::{Done, OutputArgs, existing, output};
use crate::config::TomlFile;
use crate::failure::Failure;

/// Say exactly how a queue of people does, and how many people a service target takes
///
/// Erlang B (nobody waits), C (nobody leaves) and A (customers leave when their patience ends) for one queue.
#[derive(Debug, Args)]
pub(super) struct StaffArgs {
    /// Configuration with a `[queue]` section; configs/queue.toml explains every key.
    #[arg(required_unless_present_any = ["servers", "rate", "service_s"])]
    file: Option<PathBuf>,
    /// People who serve.
    #[arg(long, value_name = "N", requires_all = ["rate", "service_s"], conflicts_with = "file")]
    servers: Option<u32>,
    /// Customers a second.
    #[arg(long, value_name = "PER_S", requires_all = ["servers", "service_s"], conflicts_with = "file")]
    rate: Option<f64>,
    /// Mean seconds of work for a customer.
    #[arg(long, value_name = "S", requires_all = ["servers", "rate"], conflicts_with = "file")]
    service_s: Option<f64>,
    /// Mean patience in seconds; without it nobody leaves.
    #[arg(long, value_name = "S", conflicts_with = "file")]
    patience_s: Option<f64>,
    /// Share of all customers to be served in time; 0 leaves this condition out.
    #[arg(long, default_value_t = 0.8, value_name = "SHARE")]
    target: f64,
    /// Seconds that count as in time.
    #[arg(long, default_value_t = 20.0, value_name = "S")]
    within: f64,
    /// Most who may leave, a share; a further condition.
    #[arg(long, value_name = "SHARE")]
    max_abandon: Option<f64>,
    /// Longest mean wait in seconds; a further condition.
    #[arg(long, value_name = "S")]
    max_wait: Option<f64>,
    #[command(flatten)]
    output: OutputArgs,
}

/// What `--json` prints.
#[derive(Debug, Serialize)]
struct Staffing {
    servers: u32,
    offered_erlangs: f64,
    load: f64,
    erlang_b: Blocking,
    erlang_c: Option<Values>,
    #[serde(skip_serializing_if = "Option::is_none")]
    erlang_c_reason: Option<String>,
    erlang_a: Option<Values>,
    #[serde(skip_serializing_if = "Option::is_none")]
    erlang_a_reason: Option<String>,
    /// The same queue with the patience law as given, where it is not exponential.
    #[serde(skip_serializing_if = "Option::is_none")]
    general_patience: Option<Values>,
    fewest: Fewest,
    notes: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Blocking {
    p_block: f64,
}

#[derive(Debug, Serialize)]
struct Values {
    p_wait: f64,
    mean_wait_s: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    mean_wait_served_s: Option<f64>,
    mean_wait_given_wait_s: f64,
    mean_queue: f64,
    occupancy: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    p_abandon: Option<f64>,
    p_served_within: Within<f64>,
}

#[derive(Debug, Serialize)]
struct Fewest {
    erlang_c: u32,
    erlang_a: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    general_patience: Option<u32>,
    target: f64,
    within_s: f64,
    max_abandon: Option<f64>,
    max_wait_s: Option<f64>,
}

impl Values {
    fn patient(queue: &ErlangC) -> Self {
        Self {
            p_wait: queue.p_wait(),
            mean_wait_s: queue.mean_wait_s(),
            mean_wait_served_s: None,
            mean_wait_given_wait_s: queue.mean_wait_given_wait_s(),
            mean_queue: queue.mean_queue(),
            occupancy: queue.occupancy(),
            p_abandon: None,
            p_served_within: Within(WITHIN_S.map(|t| queue.p_served_within(t))),
        }
    }

    fn impatient(queue: &Impatient) -> Self {
        Self {
            p_wait: queue.p_wait(),
            mean_wait_s: queue.mean_wait_s(),
            mean_wait_served_s: Some(queue.mean_wait_served_s()),
            mean_wait_given_wait_s: queue.mean_wait_given_wait_s(),
            mean_queue: queue.mean_queue(),
            occupancy: queue.occupancy(),
            p_abandon: Some(queue.p_abandon()),
            p_served_within: Within(WITHIN_S.map(|t| queue.p_served_within(t))),
        }
    }
}

pub(super) fn run(args: &StaffArgs) -> Result<Done, Failure> {
    let queue = queue(args)?;
    let staffing = staffing(&queue, args)?;
    if args.output.json {
        output::json(&staffing)?;
    } else {
        output::text_line(&table(&queue, &staffing))?;
    }
    Ok(Done::Fine)
}

/// The queue of the file or of the flags.
fn queue(args: &StaffArgs) -> Result<Queue, Failure> {
    if let Some(path) = &args.file {
        existing(path, "file")?;
        let file = TomlFile::read(path)?;
        let config = queue_config(&file)?;
        return read_queue(&file, &config, QueueConfig::check_numbers);
    }
    let law = |mean_s| LawConfig {
        kind: LawKind::Exponential,
        mean_s: Some(mean_s),
        sd_s: None,
        samples_s: None,
    };
    let config = QueueConfig::new(
        args.servers.unwrap_or_default(),
        args.rate.unwrap_or_default(),
        law(args.service_s.unwrap_or_default()),
        args.patience_s.map(law),
    );
    config.check_numbers().map_err(|error| {
        let flag = match error.key.as_str() {
            "queue.servers" => "--servers",
            "queue.service.mean_s" => "--service-s",
            "queue.patience.mean_s" => "--patience-s",
            _ => "--rate",
        };
        Failure::new(format!("`{flag}` is {}", error.value)).detail(error.expected)
    })
}

fn staffing(queue: &Queue, args: &StaffArgs) -> Result<Staffing, Failure> {
    let traffic = queue.traffic();
    let target = Target {
        served_within: (args.target != 0.0).then_some((args.target, args.within)),
        max_abandon: args.max_abandon,
        max_mean_wait_s: args.max_wait,
    };
    let patience = queue.patience().map(Law::as_patience);
    let exponential = matches!(queue.patience(), Some(Law::Exponential { .. }));
    let (impatient, fewest_impatient) = match &patience {
        None => (None, None),
        Some(law) => {
            let solved = Impatient::new(traffic, law.clone())
                .map_err(|error| Failure::new(error.to_string()))?;
            (
                Some(Values::impatient(&solved)),
                Some(fewest(&traffic, Some(law), &target).map_err(unreached)?),
            )
        }
    };
    let (erlang_a, general_patience) = if exponential {
        (impatient, None)
    } else {
        (None, impatient)
    };
    let erlang_c = ErlangC::new(traffic);
    Ok(Staffing {
        servers: traffic.servers(),
        offered_erlangs: traffic.offered(),
        load: traffic.load(),
        erlang_b: Blocking {
            p_block: loss_probability(&traffic),
        },
        erlang_c_reason: erlang_c.as_ref().err().map(ToString::to_string),
        erlang_c: erlang_c.ok().as_ref().map(Values::patient),
        erlang_a_reason: match queue.patience() {
            None => Some("no patience is given".to_owned()),
            Some(_) if exponential => None,
            Some(_) => Some("patience is not exponential".to_owned()),
        },
        erlang_a,
        fewest: Fewest {
            erlang_c: fewest(&traffic, None, &target).map_err(unreached)?,
            erlang_a: fewest_impatient.filter(|_| exponential),
            general_patience: fewest_impatient.filter(|_| !exponential),
            target: args.target,
            within_s: args.within,
            max_abandon: args.max_abandon,
            max_wait_s: args.max_wait,
        },
        general_patience,
        notes: notes(queue, &traffic),
    })
}

fn unreached(error: TargetError) -> Failure {
    let failure = Failure::new(error.to_string());
    match error {
        TargetError::Range { .. } => failure
            .fix("see --target, --within, --max-abandon and --max-wait in `tierwise staff --help`"),
        _ => failure.fix("ask for less"),
    }
}

/// What the formulas leave out of this queue.
fn notes(queue: &Queue, traffic: &Traffic) -> Vec<String> {
    let mut notes = Vec::new();
    if !matches!(queue.service(), Law::Exponential { .. }) {
        notes.push(format!(
            "C and A take exponential service of the same mean, {}; B holds for any law",
            seconds(traffic.mean_service_s())
        ));
    }
    if !queue.classes().is_empty() {
        notes.push("priorities are left out: values are over everybody".to_owned());
    }
    notes
}

fn table(queue: &Queue, staffing: &Staffing) -> String {
    let (c, a) = (&staffing.erlang_c, &staffing.erlang_a);
    let impatient = a.as_ref().or(staffing.general_patience.as_ref());
    let heading = if staffing.general_patience.is_some() {
        "M/M/n+G"
    } else {
        "Erlang A"
    };
    let row = |name: String, b: Option<f64>, of: &dyn Fn(&Values) -> Option<f64>| {
        let cell = |value: Option<f64>| value.map_or("-".to_owned(), significant);
        let (c, a) = (c.as_ref().and_then(of), impatient.and_then(of));
        format!("{name:<34} {:>12} {:>12} {:>12}", cell(b), cell(c), cell(a))
    };
    let mut lines = vec![
        described(queue),
        String::new(),
        format!(
            "{:<34} {:>12} {:>12} {heading:>12}",
            "", "Erlang B", "Erlang C"
        ),
        row(
            "  share blocked".to_owned(),
            Some(staffing.erlang_b.p_block),
            &|_| None,
        ),
        row("  share who wait".to_owned(), None, &|v| Some(v.p_wait)),
        row("  mean wait, s".to_owned(), None, &|v| Some(v.mean_wait_s)),
        row("  mean wait of the served, s".to_owned(), None, &|v| {
            v.mean_wait_served_s.or(Some(v.mean_wait_s))
        }),
        row("  mean wait of those who wait, s".to_owned(), None, &|v| {
            Some(v.mean_wait_given_wait_s)
        }),
        row("  mean queue".to_owned(), None, &|v| Some(v.mean_queue)),
        row("  busy share of the servers".to_owned(), None, &|v| {
            Some(v.occupancy)
        }),
        row("  share who leave".to_owned(), None, &|v| v.p_abandon),
    ];
    for (k, within_s) in WITHIN_S.iter().enumerate() {
        lines.push(row(
            format!("  share served within {within_s} s"),
            None,
            &|v| Some(v.p_served_within.0[k]),
        ));
    }
    let count = |n: Option<u32>| n.map_or("-".to_owned(), |n| n.to_string());
    let fewest = &staffing.fewest;
    lines.push(format!(
        "{:<34} {:>12} {:>12} {:>12}",
        "fewest people for the target",
        "",
        fewest.erlang_c,
        count(fewest.erlang_a.or(fewest.general_patience)),
    ));
    lines.push(String::new());
    lines.push(format!("target: {}", wanted(fewest)));
    for (formula, reason) in [
        ("Erlang C", &staffing.erlang_c_reason),
        ("Erlang A", &staffing.erlang_a_reason),
    ] {
        if let Some(reason) = reason {
            lines.push(format!("no {formula}: {reason}"));
        }
    }
    lines.extend(staffing.notes.iter().map(|note| format!("note: {note}")));
    lines.join("\n")
}

/// The target in words.
fn wanted(fewest: &Fewest) -> String {
    let mut parts = Vec::new();
    if fewest.target != 0.0 {
        parts.push(format!(
            "at least {} % of all customers served within {}",
            significant(100.0 * fewest.target),
            seconds(fewest.within_s)
        ));
    }
    if let Some(share) = fewest.max_abandon {
        parts.push(format!("at most {} % leave", significant(100.0 * share)));
    }
    if let Some(wait_s) = fewest.max_wait_s {
        parts.push(format!("a mean wait of at most {}", seconds(wait_s)));
    }
    if parts.is_empty() {
        "none".to_owned()
    } else {
        parts.join(", ")
    }
}
