//! Waits, pools, routing, outages and claims of a simulation as sections of its page.

use tierwise_envs::centre::TimelinePoint;
use tierwise_envs::class::Class;
use tierwise_envs::tier::Tier;
use tierwise_reports::{
    ArticleComparison, ArticleFigure, ArticleRow, Counterpart, HourPeople, HourShare, HourWaits,
    Outage, OutagePoint, PolicyHours, PolicyOutage, PolicyRouting, PolicyWaits, PoolLoad,
    PoolsByHour, Reason, ReplicaPlan, ReplicaPoint, Routing, RoutingCell, Sentence, Staffing,
    StaffingHour, StaffingPlan, TierName, TierWaits, Uncertain, WaitsByHour,
};

use crate::config::{ClaimMeasure, TrainConfig};
use crate::run::centre::interval::{Band, Interval};
use crate::run::centre::simulation::{PolicyResult, SimulationResult};

fn banded(band: Band) -> Uncertain {
    Uncertain::new(band.value, band.lower, band.upper)
}

/// A share with its interval, which Student's law lets reach beyond [0, 1].
fn share(interval: Option<Interval>) -> Uncertain {
    interval.map_or(Uncertain::new(f64::NAN, f64::NAN, f64::NAN), |i| {
        Uncertain::new(i.value, i.lower.max(0.0), i.upper.min(1.0))
    })
}

fn name_of(tier: Tier) -> TierName {
    match tier {
        Tier::Auto => TierName::Auto,
        Tier::Review => TierName::Review,
        Tier::Human => TierName::Human,
    }
}

pub(super) fn waits(config: &TrainConfig, result: &SimulationResult) -> WaitsByHour {
    WaitsByHour {
        band_level: Band::LEVEL,
        replications: u64::from(result.replicas),
        zone: None,
        limits_secs: Some(config.reward.sla_limit_s),
        policies: result
            .policies
            .iter()
            .map(|policy| PolicyWaits {
                policy: policy.name.clone(),
                tiers: Tier::ALL
                    .iter()
                    .map(|tier| TierWaits {
                        tier: name_of(*tier),
                        hours: tier_hours(policy, *tier),
                    })
                    .filter(|tier| !tier.hours.is_empty())
                    .collect(),
            })
            .collect(),
    }
}

fn tier_hours(policy: &PolicyResult, tier: Tier) -> Vec<HourWaits> {
    policy
        .hours
        .iter()
        .filter(|row| row.tier == tier)
        .filter_map(|row| {
            Some(HourWaits {
                hour: row.hour as u8,
                mean_wait_secs: banded(row.answer_s?),
                p90_wait_secs: banded(row.answer_p90_s?),
                within_service_level: banded(row.within?),
                n: row.answers,
            })
        })
        .collect()
}

pub(super) fn pools(result: &SimulationResult) -> PoolsByHour {
    let mut names: Vec<&str> = Vec::new();
    for row in result.policies.iter().flat_map(|p| &p.pools) {
        if !names.contains(&row.pool.as_str()) {
            names.push(&row.pool);
        }
    }
    let hours = |policy: &PolicyResult, pool: &str| -> Vec<HourShare> {
        let rows = policy.pools.iter().filter(|row| row.pool == pool);
        rows.filter_map(|row| {
            Some(HourShare {
                hour: row.hour as u8,
                share: banded(row.busy?),
                n: (row.people * result.days * f64::from(result.replicas)).round() as u64,
            })
        })
        .collect()
    };
    PoolsByHour {
        band_level: Band::LEVEL,
        replications: u64::from(result.replicas),
        zone: None,
        pools: names
            .iter()
            .map(|pool| PoolLoad {
                pool: (*pool).to_owned(),
                on_shift: result.policies[0]
                    .pools
                    .iter()
                    .filter(|row| row.pool == *pool)
                    .map(|row| HourPeople {
                        hour: row.hour as u8,
                        people: row.people,
                    })
                    .collect(),
                busy: result
                    .policies
                    .iter()
                    .map(|policy| PolicyHours {
                        policy: policy.name.clone(),
                        hours: hours(policy, pool),
                    })
                    .collect(),
            })
            .collect(),
        abandonment: result.policies.iter().map(abandonment).collect(),
    }
}

/// Share of messages whose customer left, all tiers together.
fn abandonment(policy: &PolicyResult) -> PolicyHours {
    PolicyHours {
        policy: policy.name.clone(),
        hours: policy
            .left_by_hour
            .iter()
            .map(|row| HourShare {
                hour: row.hour as u8,
                share: banded(row.share),
                n: row.n,
            })
            .collect(),
    }
}

pub(super) fn routing(result: &SimulationResult) -> Routing {
    Routing {
        classes: Class::ALL
            .iter()
            .map(|class| class.name().to_owned())
            .collect(),
        loads: ["low", "medium", "high", "full"]
            .map(str::to_owned)
            .to_vec(),
        policies: result
            .policies
            .iter()
            .map(|policy| PolicyRouting {
                policy: policy.name.clone(),
                cells: policy
                    .map
                    .iter()
                    .filter(|cell| cell.decisions > 0)
                    .map(|cell| RoutingCell {
                        class: cell.class.index(),
                        load: cell.load as usize,
                        shares: cell.bands.map(banded),
                        n: cell.decisions,
                    })
                    .collect(),
            })
            .collect(),
    }
}

pub(super) fn outages(config: &TrainConfig, result: &SimulationResult) -> Vec<Outage> {
    let Some(centre) = &config.centre else {
        return Vec::new();
    };
    let named = |i: usize| format!("outage {}", i + 1);
    centre
        .outage
        .iter()
        .enumerate()
        .map(|(i, outage)| {
            let start_s = outage.start_h * 3_600.0;
            let of_this = result
                .outages
                .iter()
                .filter(|o| o.start_s == start_s && o.duration_s == outage.duration_h * 3_600.0);
            Outage {
                name: named(i),
                start_secs: start_s,
                end_secs: start_s + outage.duration_h * 3_600.0,
                capacity_lost: outage.people_lost.max(outage.ai_lost),
                reroute_delay_secs: outage.reroute_delay_s,
                languages: outage.languages.clone(),
                band_level: Band::LEVEL,
                replications: u64::from(result.replicas),
                policies: of_this
                    .map(|o| PolicyOutage {
                        policy: o.policy.clone(),
                        timeline: o
                            .queue
                            .iter()
                            .map(|point| OutagePoint {
                                at_secs: start_s + point.at_s,
                                waiting: banded(point.queue),
                                abandoned: banded(point.abandoned),
                            })
                            .collect(),
                        recovery_time_secs: o.recovery_time_s.map(banded),
                        conversations_lost: banded(o.conversations_lost),
                        abandoned_before: share(o.abandoned_before),
                        abandoned_during: share(o.abandoned_during),
                        abandoned_after: share(o.abandoned_after),
                        n: o.conversations,
                    })
                    .collect(),
            }
        })
        .collect()
}

/// People needed and scheduled by hour, and AI replicas over time where they are limited.
pub(super) fn staffing(config: &TrainConfig, result: &SimulationResult) -> Option<Staffing> {
    let plans = result.staffing.iter().map(|plan| StaffingPlan {
        pool: plan.policy.clone(),
        target_share: plan.target_share,
        limit_secs: plan.limit_s,
        forecast_level: Band::LEVEL,
        history_hours: (result.days * 24.0 * f64::from(result.replicas)) as u64,
        first_hour: 0,
        hours: plan
            .hours
            .iter()
            .map(|row| StaffingHour {
                forecast: banded(row.jobs),
                needed_people: row.needed.unwrap_or(0),
                scheduled_people: row.scheduled.round() as u32,
            })
            .collect(),
    });
    let staffing = Staffing {
        zone: None,
        plans: plans.collect(),
        replicas: replicas(config, result),
    };
    (!staffing.plans.is_empty() || staffing.replicas.is_some()).then_some(staffing)
}

fn replicas(config: &TrainConfig, result: &SimulationResult) -> Option<ReplicaPlan> {
    let scale = config.centre.as_ref()?.ai.autoscale.as_ref()?;
    let first: &TimelinePoint = result.ai_replicas.first()?;
    let hours = |point: &TimelinePoint| (point.at_s - first.at_s) / 3_600.0;
    let mut points: Vec<ReplicaPoint> = Vec::new();
    for point in &result.ai_replicas {
        let running = point.replicas?;
        if points.last().is_none_or(|last| last.running != running) {
            points.push(ReplicaPoint {
                at_hours: hours(point),
                running,
                desired: running,
            });
        }
    }
    Some(ReplicaPlan {
        start_delay_secs: scale.startup_s,
        first_hour: ((first.at_s / 3_600.0) as u64 % 24) as u8,
        until_hours: hours(result.ai_replicas.last()?),
        points,
    })
}

pub(super) fn article(result: &SimulationResult) -> Option<ArticleComparison> {
    if result.claims.is_empty() {
        return None;
    }
    let rows = result.claims.iter().map(|claim| ArticleRow {
        figure: match claim.measure {
            ClaimMeasure::FirstResponse => ArticleFigure::FirstResponse,
            ClaimMeasure::HumanWork => ArticleFigure::HumanWorkload,
            ClaimMeasure::ClickThrough => ArticleFigure::ClickThrough,
            ClaimMeasure::Escalation => ArticleFigure::Escalations,
            ClaimMeasure::NonEnglishConversion => ArticleFigure::NonEnglishConversion,
            ClaimMeasure::Languages => ArticleFigure::Languages,
        },
        simulated: Counterpart {
            before: claim
                .before
                .map(|i| Uncertain::new(i.value, i.lower, i.upper)),
            after: claim
                .after
                .map(|i| Uncertain::new(i.value, i.lower, i.upper)),
            change: claim
                .change
                .map(|i| Uncertain::new(i.value, i.lower, i.upper)),
            n: Some(claim.conversations),
            missing: None,
        },
        yours: Counterpart::missing(Reason::Stated(Sentence::new(
            "No log of yours was given.",
            "未提供您的日志。",
        ))),
        assumed: vec![Sentence::new(
            claim.assumed.clone(),
            claim
                .assumed_zh
                .clone()
                .unwrap_or_else(|| claim.assumed.clone()),
        )],
    });
    Some(ArticleComparison {
        rows: rows.collect(),
    })
}
