//! Small values for every section of the centre page.

use tierwise_reports::{
    ArticleComparison, ArticleFigure, ArticleRow, BandCoverage, Calibration, CentrePage,
    Comparison, Counterpart, Coupling, CouplingComparison, CouplingResult, DesignComparison,
    DesignResult, EstimateOutcome, Evidence, FittedParameter, HourPeople, HourShare, HourWaits,
    HourlyVolume, Kpi, KpiTable, Kpis, Measure, NamedValue, Outage, OutagePoint, ParameterSamples,
    ParameterSensitivity, ParameterSource, ParameterSwing, PolicyHours, PolicyKpis, PolicyOutage,
    PolicyQueueEffect, PolicyRole, PolicyRouting, PolicyWaits, PoolLoad, PoolsByHour,
    PredictiveCheck, ProbabilityScore, QuantilePlot, QuantilePoint, QuantityUnit, QueueEffect,
    QueueKpis, RankCount, RankFlip, Reason, ReliabilityBin, ReplicaPlan, ReplicaPoint, Routing,
    RoutingCell, Sentence, Staffing, StaffingHour, StaffingPlan, TestDesign, TierName, TierWaits,
    Uncertain, Verdict, VolumeHour, WaitsByHour,
};

/// Every section of the page, as small as it can be: every free text is the
/// policy's name, and every number that may be anything is `number`.
pub(crate) fn page(policy: &str, number: f64) -> CentrePage {
    let text = || policy.to_owned();
    let value = Uncertain::new(number, number, number);
    let size = number.abs();
    let positive = Uncertain::new(size, size, size);
    let portion = if number.is_finite() { 0.5 } else { number };
    let share = Uncertain::new(portion, portion, portion);
    let mut page = small(policy);
    page.title = Some(text());
    page.subtitle = Some(text());
    let kpis = &mut page.kpis.policies[1].kpis;
    kpis.human_secs = Kpi::estimated(number, number, number, 7, Evidence::Simulated)
        .against_baseline(number, number, number);
    page.waits = Some(WaitsByHour {
        band_level: 0.9,
        replications: 40,
        zone: Some(text()),
        limits_secs: Some([5.0, 120.0, 120.0]),
        policies: vec![PolicyWaits {
            policy: text(),
            tiers: vec![TierWaits {
                tier: TierName::Human,
                hours: [8, 9]
                    .map(|hour| HourWaits {
                        hour,
                        mean_wait_secs: positive,
                        p90_wait_secs: positive,
                        within_service_level: share,
                        n: 812,
                    })
                    .into(),
            }],
        }],
    });
    let hours = || PolicyHours {
        policy: text(),
        hours: [8, 9]
            .map(|hour| HourShare {
                hour,
                share,
                n: 812,
            })
            .into(),
    };
    page.pools = Some(PoolsByHour {
        band_level: 0.9,
        replications: 40,
        zone: None,
        pools: vec![PoolLoad {
            pool: text(),
            on_shift: [8, 9].map(|hour| HourPeople { hour, people: size }).into(),
            busy: vec![hours()],
        }],
        abandonment: vec![hours()],
    });
    page.calibration = Some(calibration(policy, number));
    page.staffing = Some(Staffing {
        zone: Some(text()),
        plans: vec![StaffingPlan {
            pool: text(),
            target_share: 0.8,
            limit_secs: 120.0,
            forecast_level: 0.9,
            history_hours: 2_016,
            first_hour: 8,
            hours: [(4, 5), (6, 5), (3, 5)]
                .map(|(needed_people, scheduled_people)| StaffingHour {
                    forecast: positive,
                    needed_people,
                    scheduled_people,
                })
                .into(),
        }],
        replicas: Some(ReplicaPlan {
            start_delay_secs: 900.0,
            first_hour: 8,
            points: [(0.0, 2, 2), (0.75, 2, 4), (1.0, 4, 4)]
                .map(|(at_hours, running, desired)| ReplicaPoint {
                    at_hours,
                    running,
                    desired,
                })
                .into(),
            until_hours: 3.0,
        }),
    });
    page.outages = vec![Outage {
        name: text(),
        start_secs: 600.0,
        end_secs: 1_800.0,
        capacity_lost: 0.4,
        reroute_delay_secs: 60.0,
        languages: vec![text()],
        band_level: 0.9,
        replications: 40,
        policies: vec![PolicyOutage {
            policy: text(),
            timeline: [0.0, 900.0, 1_800.0, 3_600.0]
                .map(|at_secs| OutagePoint {
                    at_secs,
                    waiting: positive,
                    abandoned: share,
                })
                .into(),
            recovery_time_secs: Some(positive),
            conversations_lost: value,
            abandoned_before: share,
            abandoned_during: share,
            abandoned_after: share,
            n: 5_240,
        }],
    }];
    page
}

pub(crate) fn calibration(policy: &str, number: f64) -> Calibration {
    let text = || policy.to_owned();
    let value = Uncertain::new(number, number, number);
    let portion = if number.is_finite() { 0.5 } else { number };
    let share = Uncertain::new(portion, portion, portion);
    let volume = |observed| VolumeHour {
        observed,
        simulated: Uncertain::new(20.0, 12.0, 28.0),
    };
    Calibration {
        fitted_days: 21,
        held_out_days: 7,
        held_out_span: Some(text()),
        checks: vec![PredictiveCheck {
            quantity: text(),
            class: Some(text()),
            tier: Some(TierName::Review),
            unit: QuantityUnit::Seconds,
            observed: number,
            observed_n: 812,
            simulated: value,
        }],
        distributions: vec![QuantilePlot {
            quantity: text(),
            class: None,
            tier: Some(TierName::Human),
            unit: QuantityUnit::Seconds,
            points: [
                (0.25, 60.0, 70.0),
                (0.5, 120.0, 130.0),
                (0.75, 240.0, 220.0),
            ]
            .map(|(probability, observed, simulated)| QuantilePoint {
                probability,
                observed,
                simulated,
            })
            .into(),
            ks_distance: 0.05,
            ks_p_value: Some(0.04),
            observed_n: 812,
            simulated_n: 32_480,
        }],
        hourly_volume: Some(HourlyVolume {
            first_hour: 8,
            hours: [14.0, 31.0, 22.0].map(volume).into(),
        }),
        coverage: vec![BandCoverage {
            quantity: text(),
            nominal: 0.9,
            covered: share,
            n: 168,
        }],
        scores: vec![ProbabilityScore {
            model: text(),
            brier: share,
            brier_of_mean: Some(0.24),
            calibration_error: share,
            n: 812,
            bins: [(0.25, 0.3), (0.75, 0.7)]
                .map(|(promised, observed)| ReliabilityBin {
                    promised,
                    observed,
                    n: 406,
                })
                .into(),
        }],
        parameters: vec![FittedParameter {
            name: text(),
            class: None,
            tier: None,
            unit: QuantityUnit::PerHour,
            estimate: number,
            standard_error: Some(number),
            n: Some(812),
            source: ParameterSource::Fitted,
        }],
    }
}

/// The sections without curves, with numbers that the snapshots show.
pub(crate) fn small(policy: &str) -> CentrePage {
    let text = || policy.to_owned();
    let around = |value: f64, half: f64| Uncertain::new(value, value - half, value + half);
    let kpi = |value: f64| {
        Kpi::estimated(
            value,
            value - 0.01,
            value + 0.01,
            2_000,
            Evidence::Simulated,
        )
    };
    let row = |name: &str, role, reward: f64| PolicyKpis {
        name: name.to_owned(),
        role,
        kpis: Kpis {
            reward: kpi(reward),
            queue: Some(QueueKpis {
                wait_secs: kpi(60.0),
                within_service_level: kpi(0.8),
                abandonment_rate: kpi(0.1),
                occupancy: kpi(0.85).against_baseline(0.03, 0.01, 0.05),
            }),
            ..Kpis::all_missing(&Reason::NotComputed)
        },
        tier_shares: Some([0.25, 0.5, 0.25]),
    };
    let mut page = CentrePage::new(
        Verdict::InCentre {
            policy: text(),
            baseline: "rule".to_owned(),
            centre: "shop".to_owned(),
            replications: 40,
            comparison: Comparison {
                measure: Measure::Reward,
                difference: 0.03,
                lower: 0.02,
                upper: 0.04,
                level: 0.95,
                n: 2_000,
                baseline_value: Some(0.5),
                candidates_judged: None,
                method: None,
                evidence: Evidence::Simulated,
            },
        },
        KpiTable {
            level: 0.95,
            policies: vec![
                row("rule", PolicyRole::Baseline, 0.50),
                row(policy, PolicyRole::Candidate, 0.53),
            ],
        },
    );
    page.routing = Some(Routing {
        classes: vec!["simple".to_owned(), text()],
        loads: vec!["low".to_owned(), "high".to_owned()],
        policies: vec![PolicyRouting {
            policy: text(),
            cells: [(0, [0.5, 0.3, 0.2]), (1, [0.8, 0.15, 0.05])]
                .map(|(load, shares)| RoutingCell {
                    class: 0,
                    load,
                    shares: shares.map(|share| around(share, 0.02)),
                    n: 1_000,
                })
                .into(),
        }],
    });
    page.queue_effect = Some(QueueEffect {
        measure: Measure::Reward,
        level: 0.95,
        policies: vec![PolicyQueueEffect {
            policy: text(),
            from_log: EstimateOutcome::Estimated {
                value: 0.50,
                lower: Some(0.48),
                upper: Some(0.52),
                n: 800,
                effective_sample_size: Some(200.0),
                biased: false,
                evidence: Evidence::Logged,
            },
            in_centre: around(0.53, 0.01),
            centre_n: 2_000,
            difference: Some(around(0.03, 0.02)),
        }],
    });
    page.sensitivity = Some(ParameterSensitivity {
        measure: Measure::Reward,
        candidate: text(),
        baseline: "rule".to_owned(),
        level: 0.95,
        change: 0.2,
        as_fitted: around(0.03, 0.01),
        n: 500,
        parameters: vec![ParameterSwing {
            name: "patience_mean".to_owned(),
            class: Some(text()),
            tier: Some(TierName::Human),
            unit: QuantityUnit::Seconds,
            value: 300.0,
            lower_by_change: around(-0.01, 0.005),
            higher_by_change: around(0.05, 0.005),
        }],
        samples: Some(ParameterSamples {
            samples: 10,
            ranks_first: vec![
                RankCount {
                    policy: text(),
                    samples: 9,
                },
                RankCount {
                    policy: "rule".to_owned(),
                    samples: 1,
                },
            ],
            flips: vec![RankFlip {
                sample: 4,
                winner: "rule".to_owned(),
                difference: around(-0.02, 0.01),
                settings: vec![NamedValue::new("patience_mean", policy)],
            }],
        }),
    });
    let result = |design, measured: f64| DesignResult {
        design,
        measured: around(measured, 0.01),
        bias: around(measured - 0.03, 0.012),
        n: 900,
    };
    page.designs = vec![DesignComparison {
        scenario: "scarce".to_owned(),
        measure: Measure::Reward,
        candidate: text(),
        baseline: "rule".to_owned(),
        level: 0.95,
        truth: around(0.03, 0.01),
        truth_n: 2_000,
        designs: vec![
            result(TestDesign::User, -0.02),
            result(TestDesign::SplitPool, 0.005),
            result(
                TestDesign::Switchback {
                    block_secs: 7_200.0,
                    washout_secs: 900.0,
                },
                0.028,
            ),
        ],
    }];
    page.article = Some(ArticleComparison {
        rows: vec![ArticleRow {
            figure: ArticleFigure::FirstResponse,
            simulated: Counterpart {
                before: Some(around(480.0, 20.0)),
                after: Some(around(4.0, 0.5)),
                change: Some(around(-0.99, 0.005)),
                n: Some(2_000),
                missing: None,
            },
            yours: Counterpart::missing(Reason::NotLogged),
            assumed: vec![Sentence::new(policy, policy)],
        }],
    });
    let coupling = |coupling, value: f64| CouplingResult {
        coupling,
        value: around(value, 0.01),
        n: 2_000,
        seeds: Some(5),
    };
    page.couplings = vec![CouplingComparison {
        scenario: text(),
        measure: Measure::Reward,
        level: 0.95,
        results: vec![
            coupling(Coupling::Toll { toll: Some(0.0004) }, 0.53),
            coupling(Coupling::Continuing, 0.525),
            coupling(Coupling::None, 0.48),
            coupling(Coupling::Rule, 0.50),
        ],
        learning_curves: None,
    }];
    page
}
