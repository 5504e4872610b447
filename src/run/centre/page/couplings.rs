//! How policies that learned in the centre fare in it, by how they counted capacity.

use tierwise_policies::tabular::Coupling as Learned;
use tierwise_reports::{Coupling, CouplingComparison, CouplingResult, Measure, Uncertain};

use crate::config::{Environment, TrainConfig};
use crate::run::centre::simulation::{PolicyResult, SimulationResult};
use crate::run::train::TrainResult;

/// The learned policies of a simulation beside its rule; `None` when fewer than two learned.
pub(super) fn couplings(
    simulated: &TrainConfig,
    result: &SimulationResult,
    trainings: &[(TrainConfig, TrainResult)],
) -> Option<CouplingComparison> {
    let mut results = Vec::new();
    for policy in &result.policies {
        let learned = trainings
            .iter()
            .filter(|(config, _)| config.environment == Environment::Centre)
            .find(|(_, training)| training.version.is_some() && training.version == policy.version);
        let coupling = match learned {
            None if policy.name == "rule" => Coupling::Rule,
            None => continue,
            Some((config, training)) => match config.learner.coupling {
                // Learned where nobody waits: it takes what is best for the conversation alone.
                Learned::None if config.centre != simulated.centre => Coupling::Greedy,
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
