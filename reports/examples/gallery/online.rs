//! A live experiment, invented from a formula: a challenger that is ramped, watched and promoted.

use tierwise_reports::{
    NamedValue, OnlineArm, OnlineAssignment, OnlineChallenger, OnlineDesign, OnlineEntering,
    OnlineMetric, OnlineNumbers, OnlinePage, OnlinePhase, OnlinePool, OnlineRevision, OnlineRole,
    OnlineStep, OnlineStratum, OnlineWatched, Provenance, TestBreak, TestVerdict, TestWaiting,
    TestedLook, TestedRatio, TestedScale, TestedSequence, TestedTimes,
};

const DAY_US: i64 = 86_400_000_000;
/// 2026-03-02 09:00 UTC.
const START_US: i64 = 1_772_442_000_000_000;
const DAYS: i64 = 12;

fn metric(name: &str, event: &str, window_hours: f64) -> OnlineMetric {
    OnlineMetric {
        name: name.to_owned(),
        event: format!("tierwise.{event}.v1"),
        window_hours,
        is_rate: true,
    }
}

fn looks() -> Vec<TestedLook> {
    (4..=48)
        .map(|quarter| {
            let at = f64::from(quarter) / 4.0;
            let wobble = (f64::from(quarter) * 0.9).sin();
            let width = 1.1 / at.sqrt();
            let middle = 0.124 + 0.35 * wobble / at;
            TestedLook {
                at,
                units: (at * 2_400.0) as u64,
                share: Some(if at < 3.0 { 0.05 } else { 0.5 }),
                log_wealth: (
                    0.055 * at * at + 0.5 * wobble - 0.4,
                    -0.25 * at - 0.4 * wobble,
                ),
                interval: Some((
                    (at > 2.0).then_some(middle - width * 0.3),
                    (at > 1.5).then_some(middle + width * 0.4),
                )),
            }
        })
        .collect()
}

fn step(days: f64, actor: &str, action: &str, reason: &str, units: u64) -> OnlineStep {
    let log = 0.055 * days * days;
    OnlineStep {
        at_us: START_US + (days * DAY_US as f64) as i64,
        actor: actor.to_owned(),
        action: action.to_owned(),
        reason: reason.to_owned(),
        numbers: (units > 0)
            .then(|| OnlineNumbers {
                arm: "q".to_owned(),
                units: [units + units / 40, units],
                share: if days < 3.0 { 0.05 } else { 0.5 },
                log_wealth: (log, -0.25 * days),
                others: vec![("escalation".to_owned(), -1.2)],
            })
            .into_iter()
            .collect(),
    }
}

/// The verdicts that can be drawn.
pub(crate) fn kinds() -> [&'static str; 10] {
    [
        "draft",
        "waiting",
        "too_little",
        "interference",
        "broken",
        "paused",
        "promoted",
        "completed",
        "rolled_back",
        "killed",
    ]
}

/// The page of one kind.
pub(crate) fn page(kind: &str) -> OnlinePage {
    let arm = "q".to_owned();
    let phase = match kind {
        "draft" => OnlinePhase::Draft,
        "paused" => OnlinePhase::Paused,
        "promoted" => OnlinePhase::Promoted {
            arm: arm.clone(),
            holdback_until_us: START_US + (DAYS + 14) * DAY_US,
        },
        "completed" => OnlinePhase::Completed { arm: arm.clone() },
        "rolled_back" => OnlinePhase::RolledBack,
        "killed" => OnlinePhase::Killed,
        _ => OnlinePhase::Running,
    };
    let verdict = match kind {
        "too_little" => TestVerdict::NotEnoughData {
            needed: 200,
            have: 31,
        },
        "interference" => TestVerdict::Broken {
            broken: TestBreak::Interference,
        },
        "broken" => TestVerdict::Broken {
            broken: TestBreak::SampleRatio,
        },
        "rolled_back" => TestVerdict::RollBack {
            arm: arm.clone(),
            guardrail: Some("escalation".to_owned()),
        },
        "promoted" | "completed" => TestVerdict::Promote { arm: arm.clone() },
        _ => TestVerdict::KeepGoing {
            waiting_for: vec![
                TestWaiting::Superiority,
                TestWaiting::Days {
                    have: 3.5,
                    needed: 7.0,
                },
            ],
        },
    };
    let won = matches!(phase, OnlinePhase::Promoted { .. });
    let shares = [0.99, 0.95, 0.75, 0.5];
    let revision = |(number, (day, champion)): (usize, (f64, f64))| OnlineRevision {
        number: number as u32,
        since_us: START_US + (day * DAY_US as f64) as i64,
        shares: vec![champion, 1.0 - champion],
    };
    let days = [0.0, 1.0, 2.0, 3.0, DAYS as f64 - 0.4];
    let champion = shares.into_iter().chain(won.then_some(0.05));
    let revisions: Vec<OnlineRevision> = days
        .into_iter()
        .zip(champion)
        .enumerate()
        .map(revision)
        .collect();
    let now = revisions.last().map_or(0.5, |revision| revision.shares[0]);
    let last = *looks().last().expect("there are looks");
    let started = kind != "draft";
    let arm_row = |name: &str, share: f64, units: u64, mean: f64, interval| OnlineArm {
        name: name.to_owned(),
        policy: name.to_owned(),
        policy_version: Some(
            if name == "q" {
                "66912be72429"
            } else {
                "0b4a91f20c7d"
            }
            .to_owned(),
        ),
        share: if started { share } else { 0.0 },
        entered: if started { units + units / 6 } else { 0 },
        mature: if started { units } else { 0 },
        mean: started.then_some(mean),
        interval: started.then_some(interval).flatten(),
    };
    let entering = (0..DAYS * 8).map(|place| {
        let day = place as f64 / 8.0;
        let wave = 1.0 + 0.7 * ((day - 0.2) * std::f64::consts::TAU).sin();
        let shares = revisions
            .iter()
            .rev()
            .find(|revision| revision.since_us <= START_US + place * DAY_US / 8)
            .map_or(0.5, |revision| revision.shares[0]);
        let units = 330.0 * wave;
        OnlineEntering {
            from_us: START_US + place * DAY_US / 8,
            hours: 3.0,
            units: vec![
                (units * shares).round() as u64,
                (units * (1.0 - shares)).round() as u64,
            ],
        }
    });
    let watched =
        |name: &str, event: &str, role, means: [f64; 2], log_e: f64, threshold| OnlineWatched {
            metric: metric(name, event, 24.0),
            role,
            margin: if role == OnlineRole::Secondary {
                0.02
            } else {
                0.1
            },
            means: means.map(Some).to_vec(),
            log_e,
            threshold,
            reached: log_e >= f64::ln(threshold),
            looks: (1..=48)
                .map(|quarter| {
                    let at = f64::from(quarter) / 4.0;
                    (at, log_e * at / 12.0 + 0.3 * (at * 2.3).sin())
                })
                .collect(),
        };
    let harm = if kind == "rolled_back" { 5.1 } else { -1.9 };
    let mut audit = vec![
        step(-0.2, "anna", "create", "quarterly challenger", 0),
        step(0.0, "anna", "start", "", 0),
        step(
            1.0,
            "judge",
            "ramp",
            "24.0 hours and 214 mature units at 1.0 %, no guardrail in sight",
            214,
        ),
        step(
            2.0,
            "judge",
            "ramp",
            "24.0 hours and 1103 mature units at 5.0 %, no guardrail in sight",
            610,
        ),
        step(
            3.0,
            "judge",
            "ramp",
            "24.0 hours and 4020 mature units at 25.0 %, no guardrail in sight",
            2_010,
        ),
    ];
    let end = DAYS as f64 - 0.4;
    match kind {
        "promoted" => audit.push(step(
            end,
            "judge",
            "promote",
            "`q` is better (e-value 1648.9) and nothing speaks against it",
            13_900,
        )),
        "completed" => audit.push(step(
            end,
            "judge",
            "complete",
            "the holdback of 14 days is over and showed no harm",
            13_900,
        )),
        "rolled_back" => audit.push(step(
            end,
            "judge",
            "rollback",
            "`q` harms `escalation` (e-value 164.0)",
            13_900,
        )),
        "killed" => audit.push(step(end, "anna", "kill", "wrong prices in the answers", 0)),
        "paused" => audit.push(step(end, "anna", "pause", "holiday", 0)),
        "draft" => audit.truncate(1),
        _ => {}
    }
    OnlinePage {
        key: "tiers".to_owned(),
        title: Some("Learned tiers against the hand-written rule".to_owned()),
        sample: true,
        at_us: START_US + DAYS * DAY_US,
        phase_since_us: audit.last().map_or(START_US, |step| step.at_us),
        phase,
        design: OnlineDesign::User,
        pool: OnlinePool {
            shared: true,
            interference_bias: (kind != "interference").then_some(0.004),
        },
        alpha: 0.05,
        primary: metric("conversion", "conversion", 24.0),
        arms: vec![
            arm_row("rule", now, 15_230, 0.1031, None),
            arm_row("q", 1.0 - now, 13_900, 0.1165, last.interval),
        ],
        challengers: vec![OnlineChallenger {
            arm: arm.clone(),
            verdict,
            log_wealth: last.log_wealth,
        }],
        sequence: started.then(|| TestedSequence {
            arm,
            scale: TestedScale::Rate,
            times: TestedTimes::Days,
            log_wealth: last.log_wealth,
            thresholds: (40.0, 80.0),
            promoted: None,
            rolled_back: None,
            interval: last.interval,
            looks: looks(),
        }),
        sample_ratio: started.then_some(TestedRatio {
            p_value: if kind == "broken" { 1e-5 } else { 0.71 },
            sound: kind != "broken",
        }),
        watched: if started {
            vec![
                watched(
                    "satisfied",
                    "satisfaction",
                    OnlineRole::Secondary,
                    [0.71, 0.73],
                    4.4,
                    40.0,
                ),
                watched(
                    "escalation",
                    "escalation",
                    OnlineRole::HarmedByRise,
                    [0.052, 0.05],
                    harm,
                    80.0,
                ),
                watched(
                    "reopened",
                    "reopened",
                    OnlineRole::HarmedByRise,
                    [0.031, 0.032],
                    -0.4,
                    80.0,
                ),
            ]
        } else {
            Vec::new()
        },
        strata: if started {
            ["en", "zh", "id"]
                .into_iter()
                .enumerate()
                .map(|(place, name)| OnlineStratum {
                    name: name.to_owned(),
                    units: vec![7_600 >> place, 6_900 >> place],
                    means: vec![Some(0.101 + 0.004 * place as f64), Some(0.115)],
                    vetoes: false,
                })
                .collect()
        } else {
            Vec::new()
        },
        strata_field: Some("language".to_owned()),
        revisions: if started {
            revisions.clone()
        } else {
            Vec::new()
        },
        entering: if started {
            entering.collect()
        } else {
            Vec::new()
        },
        assignment: OnlineAssignment {
            salt: "tiers".to_owned(),
            revision: started.then(|| revisions.len() as u32 - 1),
            buckets: 10_000,
            owned: vec![
                (now * 1e4).round() as u32,
                ((1.0 - now) * 1e4).round() as u32,
            ],
            coverage: 1.0,
            holdout: 0.0,
            floor: 0.02,
            layer: None,
        },
        audit,
        provenance: Provenance {
            versions: vec![NamedValue::new("tierwise", "0.1.0")],
            command: Some("tierwise report --experiment tiers --out online.html".to_owned()),
            ..Provenance::default()
        },
    }
}
