//! The shipped scenarios: who is crowned by which design, and what the table says of it.

use std::path::Path;

use tierwise_envs::centre::design::Winner;

use super::*;
use crate::run::{centre_stage, policy_named};

/// Designs of `auto` against `human` in a shipped file, an uneven split pool last.
fn played(file: &str) -> Designs {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("configs")
        .join(file);
    let config = TrainConfig::load(&path).unwrap();
    let mut options = DesignOptions::of(&config);
    options.plans.push(DesignPlan::SplitPool {
        share: 0.1,
        uneven: true,
    });
    options.replicas = 5;
    let named = |name| policy_named(&config, name).unwrap();
    let stage = centre_stage(&config).unwrap();
    designs(&stage, &named("auto"), &named("human"), &options).unwrap()
}

fn winners(designs: &Designs) -> Vec<Winner> {
    designs.results.iter().map(|result| result.winner).collect()
}

#[test]
fn where_people_are_scarce_a_user_split_crowns_the_loser() {
    let scarce = played("scarce.toml");
    assert_eq!(scarce.truth.winner, Winner::A);
    assert_eq!(
        winners(&scarce)[..3],
        [Winner::B, Winner::A, Winner::A],
        "user, split_pool, switchback"
    );
    // The bias of the user split is larger than the difference it should have found.
    let user = &scarce.results[0];
    assert!(user.bias.lower > -user.truth.lower, "{user:?}");
    for result in &scarce.results[1..3] {
        assert!(
            result.bias.value.abs() < 0.1 * user.bias.value,
            "{result:?}"
        );
    }
    let table = render(&scarce);
    for part in [
        "A = auto, B = human; 5 replicas",
        "user 50/50",
        "WRONG",
        "the queue forgets a policy in",
        "user 50/50: both arms share one pool",
        "B has 10 % of the conversations and 10 % of the people",
    ] {
        assert!(table.contains(part), "{part} is not in\n{table}");
    }
    assert_eq!(table.matches("WRONG").count(), 1);
    assert_eq!(table.matches(" right").count(), 3);
}

#[test]
fn with_people_to_spare_even_designs_agree_and_an_uneven_pool_misleads() {
    let slack = played("slack.toml");
    assert_eq!(slack.truth.winner, Winner::B);
    assert_eq!(
        winners(&slack),
        [Winner::B, Winner::B, Winner::B, Winner::A],
        "user, split_pool, switchback, split_pool at 90/10"
    );
    assert_eq!(slack.results[3].right, Some(false));
    assert!(slack.results[3].bias.upper < -0.03);
    for result in &slack.results[..3] {
        assert!(result.bias.value.abs() < 0.01, "{result:?}");
    }
    let json = serde_json::to_string(&slack).unwrap();
    assert_eq!(serde_json::from_str::<Designs>(&json).unwrap(), slack);
}

#[test]
fn one_of_several_designs_may_be_refused_and_the_only_one_is_an_error() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("configs/scarce.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let odd = text
        .replace("people = 20", "people = 3")
        .replace("daily_contacts = 5000.0", "daily_contacts = 500.0");
    let config = TrainConfig::from_file(&crate::config::TomlFile::new(path, odd)).unwrap();
    let stage = centre_stage(&config).unwrap();
    let policy = policy_named(&config, "review").unwrap();
    let mut options = DesignOptions::of(&config);
    (options.replicas, options.plans) = (2, DesignPlan::all()[..2].to_vec());
    let report = designs(&stage, &policy, &policy, &options).unwrap();
    assert_eq!(report.results.len(), 1);
    assert_eq!(report.refused[0].design, "split_pool");
    let table = render(&report);
    assert!(
        table.contains("split_pool             refused, see below"),
        "{table}"
    );
    assert!(table.contains("has 3: 1 for A and 2 for B"), "{table}");
    options.plans.remove(0);
    let error = designs(&stage, &policy, &policy, &options).unwrap_err();
    assert!(matches!(error, DesignError::UnevenPools { .. }), "{error}");
}

#[test]
fn refusals_say_what_to_do() {
    let failure = Failure::from(DesignError::ShortBlocks {
        block_s: 3_000.0,
        washout_s: 900.0,
    });
    assert_eq!(
        failure.to_string(),
        "error: blocks of 3000 s are shorter than 4 washouts of 900 s; they last at least 3600 s\n  \
         fix: use blocks of 3600 s or more"
    );
    let failure = Failure::from(DesignError::Share { share: 1.0 });
    assert!(failure.to_string().contains("fix: "), "{failure}");
    assert_eq!(failure.exit_code, 2);
}
