//! What a decision costs inside the router, and what the spool's record costs.
//!
//!     cargo bench -p tierwise --bench router

use divan::{Bencher, black_box};
use tierwise::router::context::Context;
use tierwise::router::experiment::{Action, Definition, Experiment};
use tierwise::router::registry::ServedPolicy;
use tierwise::router::snapshot::{Live, Question, Snapshot};
use tierwise_envs::mask::MaskRules;
use tierwise_envs::tier::Tier;
use tierwise_policies::artefact::{Artefact, Evidence, PolicyKind, SchemaStamp};
use tierwise_policies::policy::Fixed;
use tierwise_policies::rule::RulePolicy;
use uuid::Uuid;

fn main() {
    divan::main();
}

const UNITS: u64 = 1_000;

fn served(id: &str, policy: PolicyKind) -> ServedPolicy {
    ServedPolicy::new(Artefact {
        id: id.to_owned(),
        created_by: "bench".to_owned(),
        learner: "rule".to_owned(),
        seed: 0,
        config_hash: String::new(),
        feature_schema: SchemaStamp::current(),
        reward_version: String::new(),
        evidence: Evidence::Written,
        serve_floor: 0.0,
        training: None,
        policy,
    })
}

/// A running experiment with a target, at 50 %.
fn snapshot(champion: PolicyKind) -> Snapshot {
    let definition: Definition = toml::from_str(
        r#"
        key = "tiers"
        arm = [{ name = "champion", policy = "a" }, { name = "challenger", policy = "b" }]
        primary = { name = "conversion", event = "tierwise.conversion.v1", window_hours = 24.0 }
        target = [{ field = "language", any_of = ["en", "zh"] }]
        rule = { ramp = [0.5] }
        "#,
    )
    .expect("the definition is written right");
    let mut experiment = Experiment::draft(definition, 0);
    experiment.apply(&Action::Start, 0).expect("a draft starts");
    let policies = [
        served("a", champion),
        served(
            "b",
            PolicyKind::Fixed {
                tier: Fixed(Tier::Review),
            },
        ),
    ];
    let find = |name: &str| {
        policies
            .iter()
            .find(|policy| *policy.name == *name)
            .cloned()
    };
    let rules = RulePolicy::from_toml("default = \"human\"").expect("a rule file");
    let baseline = served("rule", PolicyKind::Rule { rules });
    Snapshot::new(
        1,
        [Live::new(experiment, find)],
        baseline,
        MaskRules::default(),
    )
}

fn decide(bencher: Bencher<'_, '_>, champion: PolicyKind) {
    let snapshot = snapshot(champion);
    let context: Context = serde_json::from_str(
        r#"{"language": "en", "class": "complex", "sentiment": -0.2, "turn": 1}"#,
    )
    .expect("a context");
    let units: Vec<String> = (0..UNITS).map(|unit| format!("customer-{unit}")).collect();
    bencher.counter(UNITS).bench(|| {
        for (number, unit) in units.iter().enumerate() {
            let question = Question {
                experiment: Some("tiers"),
                unit,
                context: &context,
                forced_arm: None,
                at_us: 1_700_000_000_000_000,
                decision_id: Uuid::from_u128(number as u128),
            };
            let decision = snapshot.decide(&question, |run| {
                run();
                true
            });
            black_box(decision.expect("an answer").propensity());
        }
    });
}

#[divan::bench]
fn decide_fixed(bencher: Bencher<'_, '_>) {
    decide(
        bencher,
        PolicyKind::Fixed {
            tier: Fixed(Tier::Auto),
        },
    );
}

#[divan::bench]
fn decide_rules(bencher: Bencher<'_, '_>) {
    let rules = RulePolicy::from_toml(
        "default = \"auto\"\n[[rule]]\nname = \"angry\"\nfeatures = { sentiment = { max = -0.6 } }\nthen = \"human\"\n",
    )
    .expect("a rule file");
    decide(bencher, PolicyKind::Rule { rules });
}

#[divan::bench]
fn read_context(bencher: Bencher<'_, '_>) {
    let json = br#"{"language": "en", "class": "complex", "sentiment": -0.2, "turn": 1, "text": "where is my parcel?"}"#;
    bencher.bench(|| serde_json::from_slice::<Context>(black_box(json)).expect("a context"));
}
