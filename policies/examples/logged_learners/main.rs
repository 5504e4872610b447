//! What learners of logged sequences gain and how often they do harm: over many logs of a desk whose truth is known, the
//! share of the possible gain (0: the logging policy, 100: the optimum) and the share of logs after which the learned policy
//! is truly worse than the one that wrote the log, by more than a hundredth of that gain.
//!
//!     cargo run --release -p tierwise-policies --example logged_learners -- [LOGS]

#![expect(clippy::print_stdout, reason = "an example, run by hand")]

mod world;

use rayon::prelude::*;
use tierwise_policies::logged::{Learner, LearnerSettings, LoggedPolicy, learn};
use tierwise_policies::ope::table::Table;

use world::{DISCOUNT, STATES, desk, log, logging, value};

const LEARNERS: [(&str, Learner); 7] = [
    ("`bcq --threshold 0`", Learner::Bcq { threshold: 0.0 }),
    ("`bcq`", Learner::Bcq { threshold: 0.3 }),
    ("`cql --alpha 0.1`", Learner::Cql { alpha: 0.1 }),
    ("`cql`", Learner::Cql { alpha: 0.5 }),
    ("`pessimistic`", Learner::Pessimistic { penalty: 1.0 }),
    ("`spibb`", Learner::Spibb { min_count: 10.0 }),
    ("`clone`", Learner::Clone),
];

fn main() {
    let logs = std::env::args()
        .nth(1)
        .and_then(|n| n.parse().ok())
        .unwrap_or(200_u64);
    let mdp = desk();
    let optimum = mdp.optimum(DISCOUNT).expect("a discounted process");
    let mut best = vec![0.0; STATES * world::ACTIONS];
    for state in 0..STATES {
        best[state * world::ACTIONS + optimum.policy[state]] = 1.0;
    }
    let most = value(&mdp, best);
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, skill) in [("naive", 0.0), ("good", 0.7)] {
        let policy = logging(&mdp, skill);
        let logged = value(&mdp, policy.clone());
        println!(
            "\nlogging policy {name}: {logged:.3}, optimum {most:.3}; gain % / harm %, {logs} logs a cell\n"
        );
        println!(
            "| episodes | {} |",
            LEARNERS.map(|(name, _)| name).join(" | ")
        );
        println!("|---|{}", "---|".repeat(LEARNERS.len()));
        for episodes in [50, 200, 1000, 5000] {
            let results: Vec<[f64; LEARNERS.len()]> = (0..logs)
                .into_par_iter()
                .map(|seed| {
                    let path = folder.path().join(format!("{name}-{episodes}-{seed}.csv"));
                    std::fs::write(&path, log(&mdp, &policy, episodes, seed))
                        .expect("room on the disk");
                    let table = Table::open_log(&path).expect("the table just written");
                    let values = LEARNERS.map(|(_, learner)| {
                        let settings = LearnerSettings {
                            learner,
                            discount: DISCOUNT,
                            seed: 1,
                        };
                        let learned = learn(&table, &settings).expect("a sound table");
                        let LoggedPolicy::Finite { policy } = &learned.policy else {
                            unreachable!("these learners keep states")
                        };
                        let rows = (0..STATES as u64).flat_map(|s| policy.of(s)).copied();
                        value(&mdp, rows.collect())
                    });
                    std::fs::remove_file(&path).expect("the table just written");
                    values
                })
                .collect();
            let cells: Vec<String> = (0..LEARNERS.len())
                .map(|l| {
                    let n = results.len() as f64;
                    let gain =
                        results.iter().map(|r| r[l] - logged).sum::<f64>() / n / (most - logged);
                    let harm = results
                        .iter()
                        .filter(|r| r[l] < logged - 0.01 * (most - logged))
                        .count() as f64
                        / n;
                    format!("{:+.0} / {:.1}", 100.0 * gain, 100.0 * harm)
                })
                .collect();
            println!("| {episodes} | {} |", cells.join(" | "));
        }
    }
}
