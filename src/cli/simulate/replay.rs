//! `--log`: the customers of a log come to the centre.

use std::path::Path;

use serde::Serialize;

use crate::cli::evaluate::refusal_text;
use crate::cli::{existing, output};
use crate::config::TrainConfig;
use crate::failure::Failure;
use crate::run::{
    LoadedLog, LogCorrection, NamedPolicy, Part, Replayed, centre_stage, replay_stage, replayed,
};

/// One policy on the log's arrivals.
#[derive(Serialize)]
struct OfPolicy<'a> {
    policy: &'a str,
    replayed: Replayed,
}

/// Replays a log's arrivals under every policy.
pub(super) fn run(
    config: &TrainConfig,
    policies: &[NamedPolicy],
    log: &Path,
    json: bool,
) -> Result<(), Failure> {
    existing(log, "log")?;
    let simulated = centre_stage(config)?;
    let stage = replay_stage(simulated.config().clone(), simulated.world().clone(), log)?;
    let loaded = LoadedLog::read(log, &config.reward)?;
    let (episodes, _) = loaded.part(Part::All, config.split)?;
    let setting = config.simulation.clone().unwrap_or_default();
    let mut found = Vec::new();
    for named in policies {
        found.push(OfPolicy {
            policy: &named.name,
            replayed: replayed(
                &stage,
                &episodes,
                named.policy.as_ref(),
                &config.gate,
                setting.seed,
                setting.replicas,
            )?,
        });
    }
    if json {
        return output::json(&found);
    }
    output::text_line(&table(log, &found))
}

fn table(log: &Path, found: &[OfPolicy<'_>]) -> String {
    let first = found.first().map(|of| &of.replayed);
    let mut lines = vec![
        format!(
            "{}: {} conversations replayed in the centre, {} runs each",
            log.display(),
            first.map_or(0, |r| r.conversations),
            first.map_or(0, |r| r.replicas)
        ),
        String::new(),
        format!(
            "{:<18} {:>18} {:>24} {:>8} {:>9}",
            "policy", "model", "model + log correction", "left %", "human s"
        ),
    ];
    for of in found {
        let r = &of.replayed;
        let corrected = match &r.corrected {
            LogCorrection::Applied {
                value, estimated, ..
            } => format!(
                "{:.4} ± {:.4}{}",
                value.value,
                value.standard_error,
                if *estimated { " (estimated)" } else { "" }
            ),
            _ => "refused".to_owned(),
        };
        lines.push(format!(
            "{:<18} {:>18} {:>24} {:>8.2} {:>9.1}",
            of.policy,
            format!("{:.4} ± {:.4}", r.model.value, r.model.standard_error),
            corrected,
            100.0 * r.abandoned,
            r.human_s
        ));
    }
    for of in found {
        if let LogCorrection::Refused { refusal } = &of.replayed.corrected {
            lines.push(format!(
                "{}: no log correction: {}",
                of.policy,
                refusal_text(refusal)
            ));
        }
    }
    lines.push("simulated: nothing may be promoted on it alone".to_owned());
    lines.join("\n")
}
