//! Cumulative snapshots: the steps between them are the blocks.

use tierwise_reports::TestNote;

use super::{Context, e_value, evidence_of, verdict_of};
use crate::analysis::error::AnalysisError;
use crate::analysis::input::{Data, Input, Snapshot};
use crate::analysis::methods::{ArmData, compare};
use crate::analysis::options::Method;
use crate::analysis::result::{
    AnyLookInterval, ArmResult, ExperimentResult, Guarantee, IntervalScale, Look, Sequential,
    TimeValue, When,
};
use crate::stats::Alpha;
use crate::stats::eprocess::{HypergeometricTest, RatioInterval, odds_interval, odds_sequence};
use crate::stats::msprt::{log_mixture_ratio, msprt};
use crate::stats::tally::{Count, Sample};
use crate::stats::verdict::Evidence;

/// Units of each arm from which a normal mixture may decide.
const LARGE: f64 = 10_000.0;
/// Units that one arm may gain without the other gaining any, before an arm counts as missing.
const ALONE: f64 = 1000.0;

pub(super) fn judge(
    context: &Context<'_>,
    input: Input,
) -> Result<ExperimentResult, AnalysisError> {
    let empty = Vec::new();
    let snapshots = match &input.data {
        Data::Snapshots(snapshots) => snapshots,
        _ => &empty,
    };
    let Some(last) = snapshots.last().copied() else {
        return Err(context.refuse("it has no snapshot", "give at least one row"));
    };
    let gaps = check_arms(context, &input, snapshots)?;
    let name = &input.arms[1];
    let blocks = rate_blocks(snapshots);
    let sequential = match &blocks {
        Some(blocks) => by_totals(context, name, snapshots, blocks)?,
        None => by_means(context, name, snapshots),
    };
    let mut notes = input.notes.clone();
    notes.extend(gaps);
    if blocks.is_some() {
        notes.push(TestNote::NoShares);
        if snapshots.len() > 1 {
            notes.push(TestNote::LateConversions);
        }
    } else {
        notes.push(TestNote::NormalMixture {
            units: LARGE as u64,
        });
    }
    let guarantee = match &blocks {
        Some(_) => Guarantee::AnyLook,
        None => Guarantee::AnyLookLargeSamples,
    };
    let units = [last.control.units as u64, last.treatment.units as u64];
    let lower = sequential.interval.and_then(|interval| {
        let p = last.control.mean;
        interval.lower.map(|lower| match interval.scale {
            IntervalScale::OddsRatio => p * lower / (1.0 - p + p * lower) - p,
            IntervalScale::Ratio => p * (lower - 1.0),
            IntervalScale::Difference => lower,
        })
    });
    // Snapshots are in days, and their share is that of all units.
    let share = last.treatment.units / (last.control.units + last.treatment.units).max(1.0);
    let rule_share = context.options.rule.promote_share;
    // Without logged shares a rule cannot ask for one beyond what the units show.
    let share = if (share - rule_share).abs() < 0.02 {
        rule_share
    } else {
        share
    };
    let days = last.at - snapshots[0].at;
    let broken = context.interference(lower);
    let evidence = Evidence {
        units,
        share,
        days_at_share: days,
        broken,
        ..evidence_of(&sequential)
    };
    let verdict = verdict_of(context, evidence, &[]);
    let data = |sample: Sample, count: Option<Count>| match count {
        Some(count) => ArmData::counted(count),
        None => ArmData::measured(sample),
    };
    let totals = blocks
        .as_ref()
        .map(|_| (rate_count(last.control), rate_count(last.treatment)));
    let arms = [
        data(last.control, totals.and_then(|(c, _)| c)),
        data(last.treatment, totals.and_then(|(_, t)| t)),
    ];
    Ok(ExperimentResult {
        methods: compare(&input.arms, &arms, context.options, context.alpha),
        arms: input
            .arms
            .iter()
            .zip(&arms)
            .map(|(name, arm)| ArmResult {
                arm: name.clone(),
                units: arm.sample.units as u64,
                conversions: arm.count.map(|count| count.conversions),
                mean: arm.sample.mean,
                share: None,
            })
            .collect(),
        experiment: input.name,
        metric: input.metric,
        design: context.options.design,
        data: "snapshots".to_owned(),
        control: input.arms[0].clone(),
        sample_ratio: None,
        sequential: context
            .options
            .wants(Method::EProcess)
            .then_some(sequential),
        challengers: Vec::new(),
        checks: Vec::new(),
        verdict,
        guarantee,
        notes,
    })
}

/// Refuses an arm that has no units at the start or the end while the other gains many; gaps in between are noted, since
/// such a block says nothing of the difference.
fn check_arms(
    context: &Context<'_>,
    input: &Input,
    snapshots: &[Snapshot],
) -> Result<Option<TestNote>, AnalysisError> {
    let units = |at: usize| {
        let snapshot = &snapshots[at];
        [snapshot.control.units, snapshot.treatment.units]
    };
    let last = snapshots.len() - 1;
    for arm in [0, 1] {
        let other = 1 - arm;
        let first = (0..=last).find(|at| units(*at)[arm] > 0.0);
        let before = first.map_or(units(last)[other], |at| {
            if at > 0 { units(at - 1)[other] } else { 0.0 }
        });
        let stop = (0..=last)
            .find(|at| units(*at)[arm] >= units(last)[arm])
            .unwrap_or(last);
        let after = units(last)[other] - units(stop)[other];
        for (what, at, alone) in [
            ("appears midway, at", first.unwrap_or(last), before),
            ("vanishes after", stop, after),
        ] {
            if alone > ALONE {
                return Err(context.refuse(
                    &format!(
                        "arm `{}` {what} {}: `{}` has {alone:.0} units without it",
                        input.arms[arm], snapshots[at].at, input.arms[other]
                    ),
                    "give only the time in which both arms were exposed",
                ));
            }
        }
    }
    let gaps = (1..=last)
        .filter(|at| {
            let (now, before) = (units(*at), units(at - 1));
            let gain = [now[0] - before[0], now[1] - before[1]];
            (gain[0] == 0.0) != (gain[1] == 0.0) && gain[0].max(gain[1]) > ALONE
        })
        .count();
    let steps = gaps as u64;
    Ok((gaps > 0).then_some(TestNote::GainsOfOneArm { steps }))
}

/// Conversions of a cumulative sample, if it is one of zeros and ones.
fn rate_count(sample: Sample) -> Option<Count> {
    let conversions = (sample.units * sample.mean).round();
    let whole =
        (sample.units * sample.mean - conversions).abs() < 1e-3 && sample.units.fract() == 0.0;
    let spread = sample.mean * (1.0 - sample.mean);
    // n or n − 1 below the variance: both are in use.
    let binary = (0.0..=1.0).contains(&sample.mean)
        && (sample.variance - spread).abs() <= 2.0 * spread / sample.units.max(1.0) + 1e-3 * spread;
    (whole && binary && sample.units < 9e15)
        .then(|| Count::new(sample.units as u64, conversions as u64).ok())
        .flatten()
}

/// Steps between snapshots as counts; `None` unless every snapshot is a rate and conversions never shrink.
fn rate_blocks(snapshots: &[Snapshot]) -> Option<Vec<(Count, Count)>> {
    let mut before = (Count::default(), Count::default());
    snapshots
        .iter()
        .map(|snapshot| {
            let now = (
                rate_count(snapshot.control)?,
                rate_count(snapshot.treatment)?,
            );
            let step = (difference(now.0, before.0)?, difference(now.1, before.1)?);
            before = now;
            Some(step)
        })
        .collect()
}

fn difference(now: Count, before: Count) -> Option<Count> {
    Count::new(
        now.units.checked_sub(before.units)?,
        now.conversions.checked_sub(before.conversions)?,
    )
    .ok()
}

fn by_totals(
    context: &Context<'_>,
    name: &str,
    snapshots: &[Snapshot],
    blocks: &[(Count, Count)],
) -> Result<Sequential, AnalysisError> {
    let mut test = HypergeometricTest::new(&context.levels);
    let mut looks = Vec::new();
    let intervals = if context.options.detailed {
        odds_sequence(blocks, &context.levels)
    } else {
        Vec::new()
    };
    for (place, (snapshot, (control, treatment))) in snapshots.iter().zip(blocks).enumerate() {
        test.fold(snapshot.at, *control, *treatment)
            .map_err(|error| context.refuse(&error.to_string(), "count each unit once"))?;
        let wealth = test.wealth();
        looks.push(Look {
            at: snapshot.at,
            units: (snapshot.control.units + snapshot.treatment.units) as u64,
            share: None,
            log_promote_e: wealth.log_promote,
            log_rollback_e: wealth.log_roll_back,
            interval: intervals.get(place).map(|interval| shown(*interval)),
        });
    }
    let wealth = test.wealth();
    let when = |crossing: Option<crate::stats::eprocess::Crossing>| {
        crossing.map(|crossing| When {
            at: TimeValue::Number(crossing.at),
            units: crossing.units,
        })
    };
    Ok(Sequential {
        arm: name.to_owned(),
        form: "hypergeometric".to_owned(),
        promote_e: e_value(wealth.log_promote),
        rollback_e: e_value(wealth.log_roll_back),
        log_promote_e: wealth.log_promote,
        log_rollback_e: wealth.log_roll_back,
        promote_threshold: 1.0 / context.levels.promote.get(),
        rollback_threshold: 1.0 / context.levels.roll_back.get(),
        when_promoted: when(test.promoted()),
        when_rolled_back: when(test.rolled_back()),
        interval: Some(odds(context, blocks)),
        looks,
    })
}

fn odds(context: &Context<'_>, blocks: &[(Count, Count)]) -> AnyLookInterval {
    shown(odds_interval(blocks, &context.levels))
}

fn shown(interval: RatioInterval) -> AnyLookInterval {
    AnyLookInterval {
        scale: IntervalScale::OddsRatio,
        lower: Some(interval.lower),
        upper: Some(interval.upper).filter(|upper| upper.is_finite()),
    }
}

/// A normal mixture on the difference of cumulative means; its two-sided wealth counts for the side of the estimate.
fn by_means(context: &Context<'_>, name: &str, snapshots: &[Snapshot]) -> Sequential {
    let both = Alpha::FIVE_PERCENT;
    let alpha =
        Alpha::new(context.levels.promote.get() + context.levels.roll_back.get()).unwrap_or(both);
    let mut found = Sequential {
        arm: name.to_owned(),
        form: "normal_mixture".to_owned(),
        promote_e: 1.0,
        rollback_e: 1.0,
        log_promote_e: 0.0,
        log_rollback_e: 0.0,
        promote_threshold: 1.0 / alpha.get(),
        rollback_threshold: 1.0 / alpha.get(),
        when_promoted: None,
        when_rolled_back: None,
        interval: None,
        looks: Vec::new(),
    };
    // The prior's spread is fixed at the first snapshot with outcomes: a tenth of the control's mean then.
    let mut tau = None;
    let mut bounds = (f64::NEG_INFINITY, f64::INFINITY);
    // One odd snapshot decides nothing: wealth must stand above its line at two in a row.
    let mut above = (0, 0);
    let mut previous: Option<(f64, f64)> = None;
    for snapshot in snapshots {
        let (a, b) = (snapshot.control, snapshot.treatment);
        let variance = a.error_squared() + b.error_squared();
        let spread = 0.1 * a.mean.abs();
        if tau.is_none() && spread > 0.0 {
            tau = Some(spread);
        }
        let Some(tau) = tau else {
            continue;
        };
        let difference = b.mean - a.mean;
        let (Ok(log), Ok(interval)) = (
            log_mixture_ratio(difference, variance, tau),
            msprt(difference, variance, tau, alpha),
        ) else {
            continue;
        };
        let (promote, roll_back) = if difference > 0.0 {
            (log, 0.0)
        } else {
            (0.0, log)
        };
        (found.log_promote_e, found.log_rollback_e) = (promote, roll_back);
        let units = (a.units + b.units) as u64;
        let when = || {
            Some(When {
                at: TimeValue::Number(snapshot.at),
                units,
            })
        };
        let large = a.units.min(b.units) >= LARGE;
        let reaches = |log: f64, before: u32| {
            if large && log >= alpha.log_threshold() {
                before + 1
            } else {
                0
            }
        };
        above = (reaches(promote, above.0), reaches(roll_back, above.1));
        if found.when_promoted.is_none() && above.0 > 1 {
            found.when_promoted = when();
        }
        if found.when_rolled_back.is_none() && above.1 > 1 {
            found.when_rolled_back = when();
        }
        // All looks hold at once, so their intersection does; the weaker of two in a row counts, as for the decision. Where
        // the intersection is empty the effect itself has changed.
        let (low, high) = previous.unwrap_or((f64::NEG_INFINITY, f64::INFINITY));
        previous = large.then_some((interval.lower, interval.upper));
        let both = (
            bounds.0.max(interval.lower.min(low)),
            bounds.1.min(interval.upper.max(high)),
        );
        if both.0 <= both.1 && large {
            bounds = both;
        }
        let shown = if large {
            bounds
        } else {
            (interval.lower, interval.upper)
        };
        let interval = AnyLookInterval {
            scale: IntervalScale::Difference,
            lower: Some(shown.0).filter(|v| v.is_finite()),
            upper: Some(shown.1).filter(|v| v.is_finite()),
        };
        found.interval = Some(interval);
        found.looks.push(Look {
            at: snapshot.at,
            units,
            share: None,
            log_promote_e: promote,
            log_rollback_e: roll_back,
            interval: Some(interval),
        });
    }
    found.promote_e = e_value(found.log_promote_e);
    found.rollback_e = e_value(found.log_rollback_e);
    found
}
