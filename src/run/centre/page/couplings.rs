//! How policies that learned in the centre fare in it, by how they counted capacity.

use tierwise_policies::tabular::Coupling as Learned;
use tierwise_reports::{Coupling, CouplingComparison, CouplingResult, Measure, Uncertain};

use crate::config::TrainConfig;
use crate::run::centre::simulation::{PolicyResult, SimulationResult};
use crate::run::train::TrainResult;

/// The learned policies of a simulation beside its rule; `None` when fewer than two learned.
pub(super) fn couplings(
    result: &SimulationResult,
    trainings: &[(TrainConfig, TrainResult)],
) -> Option<CouplingComparison> {
    let mut results = Vec::new();
    for policy in &result.policies {
        let learned = trainings
            .iter()
            .find(|(_, training)| training.version.is_some() && training.version == policy.version);
        let coupling = match learned {
            None if policy.name == "rule" => Coupling::Rule,
            None => continue,
            Some((config, training)) => match config.learner.coupling {
                // Learned where nobody waits: it takes what is best for the conversation alone.
                Learned::None if config.centre != own_centre(result, trainings) => Coupling::Greedy,
                Learned::None => Coupling::None,
                Learned::Toll => Coupling::Toll {
                    toll: Some(config.learner.toll_per_human_s)
                        .filter(|_| !training.tolls.is_empty()),
                },
                Learned::Continuing => Coupling::Continuing,
            },
        };
        results.push(coupling_result(
            policy,
            coupling,
            learned.map(|(_, t)| t.seeds.len() as u64),
        )?);
    }
    (results.len() > 1).then(|| CouplingComparison {
        scenario: result.name.clone(),
        measure: Measure::Reward,
        level: result.level,
        results,
        learning_curves: None,
    })
}

/// The centre that most of the policies learned in: the one they are simulated in.
fn own_centre(
    result: &SimulationResult,
    trainings: &[(TrainConfig, TrainResult)],
) -> Option<tierwise_envs::centre::CentreConfig> {
    trainings
        .iter()
        .map(|(config, _)| config)
        .find(|config| config.name == result.name || config.learner.coupling != Learned::None)
        .and_then(|config| config.centre.clone())
}

fn coupling_result(
    policy: &PolicyResult,
    coupling: Coupling,
    seeds: Option<u64>,
) -> Option<CouplingResult> {
    let reward = policy.kpis.get("reward")?;
    Some(CouplingResult {
        coupling,
        value: Uncertain::new(reward.value, reward.lower, reward.upper),
        n: policy.conversations,
        seeds,
    })
}
