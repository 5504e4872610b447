//! How the numbers were made, and the commands that make them again.

use tierwise_reports::{NamedValue, Provenance};

use crate::run::directory::RunDirectory;
use crate::run::evaluation::Evaluation;
use crate::run::train::TrainResult;

/// Versions, seeds, hashes, settings and commands behind a page.
pub(super) fn provenance(
    trainings: &[TrainResult],
    evaluation: Option<&Evaluation>,
    runs: &[RunDirectory],
) -> Provenance {
    let named = |name: &str, value: String| NamedValue {
        name: name.to_owned(),
        value,
    };
    let mut versions: Vec<NamedValue> = Vec::new();
    let mut settings = Vec::new();
    for training in trainings {
        if let Some(version) = &training.version {
            versions.push(named(&training.name, version.clone()));
        }
        for warning in &training.warnings {
            settings.push(named(&training.name, warning.clone()));
        }
    }
    let mut seeds: Vec<u64> = trainings
        .iter()
        .flat_map(|t| t.seeds.iter().map(|s| s.seed))
        .collect();
    seeds.sort_unstable();
    seeds.dedup();
    if let Some(evaluation) = evaluation {
        versions.insert(0, named("program", evaluation.created_by.clone()));
        settings.push(named(
            "bootstrap resamples",
            evaluation.resamples.to_string(),
        ));
        settings.push(named("bootstrap seed", evaluation.seed.to_string()));
        for warning in &evaluation.warnings {
            settings.push(named("evaluation", warning.clone()));
        }
        for assumption in &evaluation.assumed {
            settings.push(named("assumed", assumption.clone()));
        }
    }
    let path = |run: &RunDirectory| run.path().display().to_string();
    let names: Vec<String> = runs.iter().map(path).collect();
    // A directory may hold a judgement alone; only those that trained hold a version.
    let trained = runs.iter().filter(|run| run.training().exists());
    let versions_judged: Vec<String> = trained.map(path).collect();
    let judge = evaluation.map(|evaluation| {
        format!(
            "tierwise evaluate --log {} --policy {} --seed {} --resamples {}\n",
            evaluation.log.display(),
            versions_judged.join(" "),
            evaluation.seed,
            evaluation.resamples
        )
    });
    Provenance {
        versions,
        seeds,
        config_hash: trainings
            .first()
            .map(|training| training.config_hash.clone()),
        log_hash: evaluation.map(|evaluation| evaluation.log_hash.clone()),
        reward_version: trainings
            .first()
            .map(|training| training.reward_version.clone()),
        settings,
        made_at: None,
        command: Some(format!(
            "{}tierwise report {}",
            judge.unwrap_or_default(),
            names.join(" ")
        )),
    }
}
