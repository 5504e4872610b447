//! A plain queue: simulated values beside exact ones.

use serde::{Deserialize, Serialize};
use tierwise_envs::queue::{
    Compared, Law, Queue, QueueConfig, QueueConfigError, QueueResult, Theory, compare, theory,
};

use super::super::{Done, output};
use super::SimulateArgs;
use crate::config::{ConfigError, TomlFile};
use crate::failure::Failure;

/// A file that holds a plain queue and nothing else.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct QueueFile {
    queue: QueueConfig,
}

/// What `--json` prints.
#[derive(Debug, Serialize)]
struct Printed<'a> {
    #[serde(flatten)]
    result: &'a QueueResult,
    #[serde(skip_serializing_if = "Option::is_none")]
    theory: Option<&'a Theory>,
}

/// An error of a `[queue]` section with the page that helps.
fn helped(error: ConfigError) -> Failure {
    Failure::from(error).fix("configs/queue.toml explains every key and its range")
}

/// Reads the `[queue]` section of a file, unchecked.
pub(in crate::cli) fn queue_config(file: &TomlFile) -> Result<QueueConfig, Failure> {
    let parsed: QueueFile = file.parse().map_err(helped)?;
    Ok(parsed.queue)
}

/// Checks a `[queue]` section with one of [`QueueConfig`]'s checks; errors point into the file.
pub(in crate::cli) fn read_queue(
    file: &TomlFile,
    config: &QueueConfig,
    check: fn(&QueueConfig) -> Result<Queue, QueueConfigError>,
) -> Result<Queue, Failure> {
    check(config).map_err(|error| helped(file.value_error(&error.key, error.value, error.expected)))
}

pub(super) fn run(file: &TomlFile, args: &SimulateArgs) -> Result<Done, Failure> {
    let mut config = queue_config(file)?;
    config.seed = args.seed.unwrap_or(config.seed);
    let queue = read_queue(file, &config, QueueConfig::check)?;
    let result = queue.simulate();
    let exact = theory(&queue);
    if args.output.json {
        output::json(&Printed {
            result: &result,
            theory: exact.as_ref(),
        })?;
    } else {
        output::text_line(&table(&queue, &config, &result, exact.as_ref()))?;
    }
    Ok(Done::Fine)
}

fn table(
    queue: &Queue,
    config: &QueueConfig,
    result: &QueueResult,
    exact: Option<&Theory>,
) -> String {
    let mut lines = vec![
        described(queue),
        format!(
            "{} customers, seed {}; {}",
            grouped(result.customers),
            result.seed,
            match (exact, config.horizon_s) {
                (Some(theory), _) => format!("exact values of {}", theory.model),
                (None, Some(horizon_s)) => format!(
                    "days of {} s that begin empty, whose last customers are served to the end",
                    significant(horizon_s)
                ),
                (None, None) => "no exact values are known for this queue".to_owned(),
            }
        ),
    ];
    let rows = compare(result, exact);
    let classes = std::iter::once(None).chain((0..result.classes.len()).map(Some));
    for class in classes {
        let title = match class {
            None => "everybody".to_owned(),
            Some(k) => {
                let class = &result.classes[k];
                format!(
                    "class {}: share {}, priority {}",
                    k + 1,
                    significant(class.share),
                    class.priority
                )
            }
        };
        lines.push(String::new());
        lines.push(format!(
            "{title:<34} {:>12} {:>10} {:>12} {:>6}",
            "simulated", "± error", "exact", "z"
        ));
        lines.extend(rows.iter().filter(|row| row.class == class).map(line));
    }
    lines.join("\n")
}

fn line(row: &Compared) -> String {
    let number = |value: Option<f64>| value.map_or("-".to_owned(), significant);
    format!(
        "{:<34} {:>12} {:>10} {:>12} {:>6}",
        format!("  {}", worded(&row.measure)),
        number(row.simulated.value),
        row.simulated.standard_error.map_or("-".to_owned(), brief),
        number(row.exact),
        row.z().map_or("-".to_owned(), |z| format!("{z:+.2}")),
    )
}

/// A measure's key in words.
fn worded(measure: &str) -> String {
    let words = match measure {
        "p_wait" => "share who wait",
        "mean_wait_s" => "mean wait, s",
        "mean_wait_served_s" => "mean wait of the served, s",
        "mean_wait_given_wait_s" => "mean wait of those who wait, s",
        "mean_queue" => "mean queue",
        "occupancy" => "busy share of the servers",
        "p_abandon" => "share who leave",
        other => {
            let within = other.strip_prefix("p_served_within ").unwrap_or(other);
            return format!("share served within {within} s");
        }
    };
    words.to_owned()
}

/// One line that says what the queue is.
pub(in crate::cli) fn described(queue: &Queue) -> String {
    let traffic = queue.traffic();
    format!(
        "{} {}, {} customers a second, service {}, {}; {} erlangs, load {}",
        grouped(u64::from(traffic.servers())),
        if traffic.servers() == 1 {
            "server"
        } else {
            "servers"
        },
        significant(traffic.arrival_rate_per_s()),
        law(queue.service()),
        match queue.patience() {
            None => "nobody leaves".to_owned(),
            Some(Law::Deterministic { s: 0.0 }) => "nobody waits".to_owned(),
            Some(patience) => format!("patience {}", law(patience)),
        },
        significant(traffic.offered()),
        significant(traffic.load()),
    )
}

fn law(law: &Law) -> String {
    match law {
        Law::Exponential { mean_s } => format!("exponential of mean {} s", significant(*mean_s)),
        Law::Deterministic { s } => format!("of exactly {} s", significant(*s)),
        Law::Lognormal { mean_s, sd_s } => format!(
            "lognormal of mean {} s and deviation {} s",
            significant(*mean_s),
            significant(*sd_s)
        ),
        Law::Empirical { samples_s } => format!(
            "of {} samples of mean {} s",
            samples_s.len(),
            significant(law.mean_s())
        ),
    }
}

/// Six significant digits without needless zeros.
pub(in crate::cli) fn significant(value: f64) -> String {
    digits(value, 6)
}

/// Two significant digits.
fn brief(value: f64) -> String {
    digits(value, 2)
}

fn digits(value: f64, digits: i32) -> String {
    if value == 0.0 || !value.is_finite() {
        return format!("{value}");
    }
    let magnitude = value.abs().log10().floor() as i32;
    if !(-7..=9).contains(&magnitude) {
        return format!("{value:.1e}");
    }
    let places = (digits - 1 - magnitude).clamp(0, 12) as usize;
    let text = format!("{value:.places$}");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

/// Seconds with their unit.
pub(in crate::cli) fn seconds(value: f64) -> String {
    format!("{} s", significant(value))
}

/// A count with its thousands apart.
fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
