//! The sample page of a simulated contact centre, invented for show. Shared
//! with the test that compares the committed sample with it. The parts of the
//! day are here; what is checked and learned is in
//! `centre_calibration.rs` and `centre_evidence.rs`.

use tierwise_reports::{
    CentrePage, Comparison, Evidence, HourPeople, HourShare, HourWaits, Kpi, KpiTable, Kpis,
    Language, Measure, Outage, OutagePoint, PolicyHours, PolicyKpis, PolicyOutage, PolicyRole,
    PolicyRouting, PolicyWaits, PoolLoad, PoolsByHour, QueueKpis, Reason, ReplicaPlan,
    ReplicaPoint, Routing, RoutingCell, Staffing, StaffingHour, StaffingPlan, TierName, TierWaits,
    Uncertain, Verdict, WaitsByHour,
};

use super::centre_evidence as evidence;

pub(crate) const CANDIDATE: &str = "toll-q v4";
pub(crate) const GREEDY: &str = "greedy v2";
pub(crate) const BASELINE: &str = "rule v3";
const REPLICATIONS: u64 = 40;

/// The sample page.
pub(crate) fn page(language: Language) -> CentrePage {
    let verdict = Verdict::InCentre {
        policy: CANDIDATE.to_owned(),
        baseline: BASELINE.to_owned(),
        centre: "aurora, four weeks".to_owned(),
        replications: REPLICATIONS,
        comparison: Comparison {
            measure: Measure::Reward,
            difference: 0.0316,
            lower: 0.0271,
            upper: 0.0361,
            level: 0.95,
            n: 1_204_000,
            baseline_value: Some(0.523),
            candidates_judged: None,
            method: Some("bootstrap".to_owned()),
            evidence: Evidence::Simulated,
        },
    };
    let mut page = CentrePage::new(verdict, kpis());
    page.sample = true;
    let (title, subtitle) = match language {
        Language::En => (
            "Aurora Beauty, simulated contact centre",
            "Four invented weeks of chat, two pools of people, 40 replications",
        ),
        Language::Zh => (
            "极光美妆（模拟客服中心）",
            "四周虚构的聊天会话，两个人员池，40 次重复模拟",
        ),
    };
    page.title = Some(title.to_owned());
    page.subtitle = Some(subtitle.to_owned());
    page.waits = Some(waits());
    page.pools = Some(pools());
    page.routing = Some(routing());
    page.staffing = Some(staffing());
    page.outages = vec![outage()];
    evidence::fill(&mut page);
    page
}

/// A value with symmetric bounds.
pub(crate) fn around(value: f64, half: f64) -> Uncertain {
    Uncertain::new(value, value - half, value + half)
}

/// A share with bounds that stay in range.
fn share(value: f64, half: f64) -> Uncertain {
    let value = value.clamp(0.0, 1.0);
    Uncertain::new(value, (value - half).max(0.0), (value + half).min(1.0))
}

/// How busy a local hour is, 0 to 1, with a peak in the evening.
fn traffic(hour: u8) -> f64 {
    let bump = |centre: f64, width: f64| {
        let distance = (f64::from(hour) - centre) / width;
        (-distance * distance).exp()
    };
    0.06 + 0.55 * bump(11.0, 2.8) + 0.92 * bump(20.0, 2.6)
}

fn kpis() -> KpiTable {
    let n = 1_204_000;
    let kpi = |value: f64, half: f64| {
        Kpi::estimated(value, value - half, value + half, n, Evidence::Simulated)
    };
    let against = |kpi: Kpi, difference: f64, half: f64| {
        kpi.against_baseline(difference, difference - half, difference + half)
    };
    let rule = Kpis {
        reward: kpi(0.5230, 0.0041),
        satisfaction: kpi(0.6910, 0.0038),
        time_efficiency: kpi(0.8120, 0.0046),
        cost_efficiency: kpi(0.8810, 0.0021),
        human_secs: kpi(88.4, 0.9),
        first_response_secs: kpi(61.3, 2.8),
        escalation_rate: kpi(0.081, 0.002),
        click_rate: kpi(0.052, 0.001),
        conversion_rate: kpi(0.031, 0.001),
        queue: Some(QueueKpis {
            wait_secs: kpi(70.9, 3.1),
            within_service_level: kpi(0.784, 0.006),
            abandonment_rate: kpi(0.092, 0.004),
            occupancy: kpi(0.871, 0.005),
        }),
    };
    let toll = Kpis {
        reward: against(kpi(0.5546, 0.0033), 0.0316, 0.0045),
        satisfaction: against(kpi(0.7020, 0.0031), 0.0110, 0.0040),
        time_efficiency: against(kpi(0.8790, 0.0029), 0.0670, 0.0051),
        cost_efficiency: against(kpi(0.9030, 0.0018), 0.0220, 0.0024),
        human_secs: against(kpi(69.7, 0.7), -18.7, 1.0),
        first_response_secs: against(kpi(28.9, 1.4), -32.4, 2.6),
        escalation_rate: against(kpi(0.084, 0.002), 0.003, 0.0025),
        click_rate: against(kpi(0.053, 0.001), 0.001, 0.0014),
        conversion_rate: against(kpi(0.032, 0.001), 0.001, 0.0013),
        queue: Some(QueueKpis {
            wait_secs: against(kpi(33.2, 1.6), -37.7, 3.0),
            within_service_level: against(kpi(0.893, 0.004), 0.109, 0.007),
            abandonment_rate: against(kpi(0.041, 0.002), -0.051, 0.004),
            occupancy: against(kpi(0.744, 0.004), -0.127, 0.006),
        }),
    };
    let greedy = Kpis {
        reward: against(kpi(0.4860, 0.0058), -0.0370, 0.0060),
        satisfaction: against(kpi(0.6780, 0.0050), -0.0130, 0.0052),
        time_efficiency: against(kpi(0.7310, 0.0071), -0.0810, 0.0070),
        cost_efficiency: against(kpi(0.8620, 0.0026), -0.0190, 0.0028),
        human_secs: against(kpi(97.8, 1.1), 9.4, 1.2),
        first_response_secs: against(kpi(112.6, 5.2), 51.3, 5.0),
        escalation_rate: against(kpi(0.078, 0.002), -0.003, 0.0031),
        click_rate: against(kpi(0.050, 0.001), -0.002, 0.0014),
        conversion_rate: against(kpi(0.030, 0.001), -0.001, 0.0013),
        queue: Some(QueueKpis {
            wait_secs: against(kpi(128.4, 5.9), 57.5, 5.7),
            within_service_level: against(kpi(0.671, 0.009), -0.113, 0.009),
            abandonment_rate: against(kpi(0.167, 0.007), 0.075, 0.007),
            occupancy: against(kpi(0.943, 0.004), 0.072, 0.006),
        }),
    };
    let row = |name: &str, role, kpis, shares| PolicyKpis {
        name: name.to_owned(),
        role,
        kpis,
        tier_shares: Some(shares),
    };
    KpiTable {
        level: 0.95,
        policies: vec![
            row(BASELINE, PolicyRole::Baseline, rule, [0.52, 0.21, 0.27]),
            row(CANDIDATE, PolicyRole::Candidate, toll, [0.63, 0.22, 0.15]),
            row(GREEDY, PolicyRole::Reference, greedy, [0.47, 0.18, 0.35]),
        ],
    }
}

/// How hard each policy leans on people.
const LEANING: [(&str, f64); 3] = [(BASELINE, 1.0), (CANDIDATE, 0.62), (GREEDY, 1.18)];

fn waits() -> WaitsByHour {
    let tier = |tier: TierName, leaning: f64| {
        let hours = (0..24).map(|hour| {
            let (load, volume) = (traffic(hour) * leaning, traffic(hour));
            let mean = match tier {
                TierName::Auto => 2.6 + 0.9 * traffic(hour),
                TierName::Review => 34.0 + 130.0 * load.powi(3),
                TierName::Human => 22.0 + 235.0 * load.powi(3),
            };
            let spread = if tier == TierName::Auto { 0.04 } else { 0.11 };
            let limit = if tier == TierName::Auto { 5.0 } else { 120.0 };
            let inside = 1.0 / (1.0 + (mean / limit).powi(3) * 0.9);
            HourWaits {
                hour,
                mean_wait_secs: around(mean, mean * spread),
                p90_wait_secs: around(mean * 2.1, mean * spread * 2.4),
                within_service_level: share(inside, 0.02 + 0.03 * load.min(1.0)),
                n: (volume * 70_000.0) as u64,
            }
        });
        TierWaits {
            tier,
            hours: hours.collect(),
        }
    };
    WaitsByHour {
        band_level: 0.9,
        replications: REPLICATIONS,
        zone: Some("Asia/Shanghai".to_owned()),
        limits_secs: Some([5.0, 120.0, 120.0]),
        policies: LEANING
            .map(|(policy, leaning)| PolicyWaits {
                policy: policy.to_owned(),
                tiers: TierName::ALL.map(|name| tier(name, leaning)).into(),
            })
            .into(),
    }
}

fn on_shift(hour: u8, most: f64) -> f64 {
    match hour {
        0..=7 => (most * 0.2).round(),
        8..=9 => (most * 0.6).round(),
        10..=17 => (most * 0.9).round(),
        18..=22 => most,
        _ => (most * 0.4).round(),
    }
}

fn pools() -> PoolsByHour {
    let hours = |of: &dyn Fn(u8) -> f64, half: f64| -> Vec<HourShare> {
        (0..24)
            .map(|hour| HourShare {
                hour,
                share: share(of(hour), half),
                n: (traffic(hour) * 52_000.0) as u64,
            })
            .collect()
    };
    let pool = |name: &str, most: f64, weight: f64| PoolLoad {
        pool: name.to_owned(),
        on_shift: (0..24)
            .map(|hour| HourPeople {
                hour,
                people: on_shift(hour, most),
            })
            .collect(),
        busy: LEANING
            .map(|(policy, leaning)| PolicyHours {
                policy: policy.to_owned(),
                hours: hours(
                    &|hour| {
                        let people = on_shift(hour, most) / most;
                        let asked = traffic(hour) * leaning * weight / people;
                        (1.0 - (-1.35 * asked).exp()).min(0.992)
                    },
                    0.018,
                ),
            })
            .into(),
    };
    PoolsByHour {
        band_level: 0.9,
        replications: REPLICATIONS,
        zone: Some("Asia/Shanghai".to_owned()),
        pools: vec![pool("Mandarin", 24.0, 1.3), pool("English", 9.0, 1.0)],
        abandonment: LEANING
            .map(|(policy, leaning)| PolicyHours {
                policy: policy.to_owned(),
                hours: hours(
                    &|hour| 0.012 + 0.16 * (traffic(hour) * leaning).powi(2),
                    0.011,
                ),
            })
            .into(),
    }
}

fn routing() -> Routing {
    let cells = |need: f64, ease: f64| -> Vec<RoutingCell> {
        let mut cells = Vec::new();
        for class in 0..3_u32 {
            for load in 0..4_u32 {
                let wanted = need + 1.1 * f64::from(class) - ease * f64::from(load);
                let mut weights = [1.6 - wanted, 1.2 - (wanted - 1.2).abs(), wanted - 1.1]
                    .map(|score: f64| (2.2 * score).exp());
                if class == 2 {
                    weights[0] = 0.0;
                }
                let total: f64 = weights.iter().sum();
                let volume = [1.0, 0.4, 0.12][class as usize] * [0.5, 1.0, 0.7, 0.2][load as usize];
                cells.push(RoutingCell {
                    class: class as usize,
                    load: load as usize,
                    shares: weights.map(|weight| share(weight / total, 0.006)),
                    n: (volume * 410_000.0) as u64,
                });
            }
        }
        cells
    };
    let policy = |policy: &str, need, ease| PolicyRouting {
        policy: policy.to_owned(),
        cells: cells(need, ease),
    };
    Routing {
        classes: ["simple", "complex", "complaint"].map(str::to_owned).into(),
        loads: ["low", "medium", "high", "full"].map(str::to_owned).into(),
        policies: vec![
            policy(BASELINE, 0.55, 0.0),
            policy(CANDIDATE, 0.6, 0.34),
            policy(GREEDY, 0.9, 0.0),
        ],
    }
}

fn staffing() -> Staffing {
    let hours = (0..24_u8).map(|hour| {
        let volume = (traffic(hour) * 240.0).round();
        StaffingHour {
            forecast: around(volume, (volume * 0.18).max(3.0)),
            needed_people: (volume / 7.8).ceil() as u32 + 1,
            scheduled_people: on_shift(hour, 24.0) as u32,
        }
    });
    let steps = [
        (0.0, 3, 3),
        (7.8, 3, 5),
        (8.0, 5, 5),
        (9.6, 5, 9),
        (9.9, 9, 9),
        (14.0, 7, 7),
        (17.7, 7, 14),
        (18.1, 14, 14),
        (22.5, 8, 8),
        (23.4, 4, 4),
    ];
    Staffing {
        zone: Some("Asia/Shanghai".to_owned()),
        plans: vec![StaffingPlan {
            pool: "Mandarin".to_owned(),
            target_share: 0.8,
            limit_secs: 120.0,
            forecast_level: 0.9,
            history_hours: 2_016,
            first_hour: 0,
            hours: hours.collect(),
        }],
        replicas: Some(ReplicaPlan {
            start_delay_secs: 900.0,
            first_hour: 0,
            points: steps
                .map(|(at_hours, running, desired)| ReplicaPoint {
                    at_hours,
                    running,
                    desired,
                })
                .into(),
            until_hours: 24.0,
        }),
    }
}

fn outage() -> Outage {
    let (start, end, last) = (7_200.0, 12_600.0, 28_800_u32);
    let policy = |policy: &str, leaning: f64, recovery: Option<Uncertain>, lost: Uncertain| {
        let timeline = (0..=last / 300).map(|step| {
            let at = f64::from(step * 300);
            let during = ((at - start) / (end - start)).clamp(0.0, 1.0);
            let after = ((at - end) / (3_600.0 * leaning)).max(0.0);
            let shape = during * (-after).exp();
            let waiting = 2.0 + 3.0 * leaning + 62.0 * leaning * shape;
            OutagePoint {
                at_secs: at,
                waiting: around(waiting, 1.0 + waiting * 0.12),
                abandoned: share(0.03 + 0.28 * leaning * shape, 0.012 + 0.05 * shape),
            }
        });
        PolicyOutage {
            policy: policy.to_owned(),
            timeline: timeline.collect(),
            recovery_time_secs: recovery,
            conversations_lost: lost,
            abandoned_before: share(0.031 + 0.02 * leaning, 0.004),
            abandoned_during: share(0.17 * leaning, 0.015),
            abandoned_after: share(0.07 * leaning, 0.008),
            n: 52_400,
        }
    };
    Outage {
        name: "Singapore".to_owned(),
        start_secs: start,
        end_secs: end,
        capacity_lost: 0.4,
        reroute_delay_secs: 180.0,
        languages: vec!["en".to_owned(), "ms".to_owned()],
        band_level: 0.9,
        replications: REPLICATIONS,
        policies: vec![
            policy(
                BASELINE,
                1.0,
                Some(around(5_640.0, 420.0)),
                around(214.0, 17.0),
            ),
            policy(
                CANDIDATE,
                0.62,
                Some(around(2_880.0, 240.0)),
                around(97.0, 11.0),
            ),
            policy(GREEDY, 1.45, None, around(391.0, 28.0)),
        ],
    }
}

/// A reason in both languages, for the sections that state one.
pub(crate) fn stated(en: &str, zh: &str) -> Reason {
    Reason::Stated(tierwise_reports::Sentence::new(en, zh))
}
