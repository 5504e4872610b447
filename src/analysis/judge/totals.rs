//! Counts and unit rows: a look at totals, once.

use super::{Context, e_value, overall, verdict_of};
use crate::analysis::error::AnalysisError;
use crate::analysis::input::{Data, Input, UnitRow};
use crate::analysis::methods::{ArmData, compare};
use crate::analysis::options::Method;
use crate::analysis::result::{
    AnyLookInterval, ArmResult, Design, ExperimentResult, IntervalScale, Sequential, TimeValue,
    When,
};
use crate::stats::eprocess::{HypergeometricTest, odds_interval};
use crate::stats::tally::{Count, Moments, PairedMoments};
use crate::stats::verdict::{Verdict, Waiting};
use crate::stats::winsor::cap_at_quantile;

/// Where winsorised means are capped.
const CAP: f64 = 0.99;

pub(super) fn judge(
    context: &Context<'_>,
    input: Input,
) -> Result<ExperimentResult, AnalysisError> {
    let (kind, arms, shares) = match &input.data {
        Data::Counts(counts) => (
            "counts",
            counts.iter().map(|(c, _)| ArmData::counted(*c)).collect(),
            counts.iter().map(|(_, share)| *share).collect(),
        ),
        Data::Units(rows) => ("units", unit_arms(rows), Vec::new()),
        _ => ("units", Vec::new(), Vec::new()),
    };
    let arms: Vec<ArmData> = arms;
    let shares: Option<Vec<f64>> = shares
        .into_iter()
        .collect::<Option<Vec<f64>>>()
        .filter(|s| !s.is_empty());
    if context.options.design == Design::SplitPool {
        let even = shares.as_ref().is_some_and(|shares| {
            shares.len() == 2 && shares.iter().all(|share| (share - 0.5).abs() < 1e-9)
        });
        if !even {
            return Err(context.refuse(
                "a split pool is judged only at 50/50, with the shares given",
                "give a column `share` of 0.5 for both arms; at other shares pools of different size wait differently",
            ));
        }
    }
    let units: Vec<u64> = arms.iter().map(|arm| arm.sample.units as u64).collect();
    let ratio = shares
        .as_ref()
        .and_then(|shares| context.totals_ratio(&units, shares));
    let mut notes = input.notes.clone();
    let mut verdicts = Vec::new();
    let counts: Option<Vec<Count>> = arms.iter().map(|arm| arm.count).collect();
    if let Some(counts) = counts.filter(|_| context.options.wants(Method::EProcess)) {
        for (place, name) in input.arms.iter().enumerate().skip(1) {
            let sequential = one_look(context, name, counts[0], counts[place])?;
            let lower = sequential
                .interval
                .and_then(|interval| interval.lower)
                .map(|odds| {
                    // The odds ratio's lower bound as a difference, at the control's rate.
                    let p = counts[0].rate();
                    p * odds / (1.0 - p + p * odds) - p
                });
            let broken = context
                .broken((input.conflicts, &input.conflict_examples), ratio.as_ref())
                .or_else(|| context.interference(lower));
            let share = shares.as_ref().map_or(1.0, |s| s[place]);
            let verdict = verdict_of(
                context,
                &sequential,
                [counts[0].units, counts[place].units],
                share,
                f64::INFINITY,
                broken,
            );
            verdicts.push((verdict, sequential));
        }
        notes.push(
            "totals hold no order: the e-value is that of one look, and assumes that allocation did not change".to_owned(),
        );
    }
    let (verdict, sequential, challengers) = if verdicts.is_empty() {
        let verdict = context
            .broken((input.conflicts, &input.conflict_examples), ratio.as_ref())
            .map_or_else(
                || Verdict::KeepGoing {
                    arm: input.arms.get(1).cloned().unwrap_or_default(),
                    waiting_for: vec![Waiting::LoggedShares],
                },
                |broken| Verdict::Broken { broken },
            );
        (verdict, None, Vec::new())
    } else {
        overall(verdicts)
    };
    Ok(ExperimentResult {
        methods: compare(&input.arms, &arms, context.options, context.alpha),
        arms: input
            .arms
            .iter()
            .zip(&arms)
            .enumerate()
            .map(|(place, (name, arm))| ArmResult {
                arm: name.clone(),
                units: units[place],
                conversions: arm.count.map(|count| count.conversions),
                mean: arm.sample.mean,
                share: shares.as_ref().map(|shares| shares[place]),
            })
            .collect(),
        experiment: input.name,
        metric: input.metric,
        design: context.options.design,
        data: kind.to_owned(),
        control: input.arms[0].clone(),
        sample_ratio: ratio,
        sequential,
        challengers,
        verdict,
        notes,
    })
}

fn one_look(
    context: &Context<'_>,
    name: &str,
    control: Count,
    treatment: Count,
) -> Result<Sequential, AnalysisError> {
    let mut test = HypergeometricTest::new(&context.levels);
    test.fold(0.0, control, treatment)
        .map_err(|error| context.refuse(&error.to_string(), "count each unit once"))?;
    let wealth = test.wealth();
    let interval = odds_interval(&[(control, treatment)], &context.levels);
    let when = |decided: bool| {
        decided.then(|| When {
            at: TimeValue::Text("these totals".to_owned()),
            units: control.units + treatment.units,
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
        when_promoted: when(test.promoted().is_some()),
        when_rolled_back: when(test.rolled_back().is_some()),
        interval: Some(AnyLookInterval {
            scale: IntervalScale::OddsRatio,
            lower: Some(interval.lower),
            upper: Some(interval.upper).filter(|upper| upper.is_finite()),
        }),
        looks: Vec::new(),
    })
}

/// Tallies of unit rows: the cap is that of all arms together.
fn unit_arms(rows: &[Vec<UnitRow>]) -> Vec<ArmData> {
    let mut values: Vec<f64> = rows.iter().flatten().map(|row| row.value).collect();
    let binary = values.iter().all(|value| *value == 0.0 || *value == 1.0);
    let cap = if binary {
        None
    } else {
        cap_at_quantile(&mut values, CAP)
    };
    rows.iter()
        .map(|rows| {
            let mut outcome = Moments::default();
            let mut capped = Moments::default();
            let mut pre = PairedMoments::default();
            let mut denominator = PairedMoments::default();
            for row in rows {
                outcome.count(row.value);
                if let Some(cap) = cap {
                    capped.count(row.value.min(cap));
                }
                if !row.pre.is_nan() {
                    pre.count(row.value, row.pre);
                }
                if !row.denominator.is_nan() {
                    denominator.count(row.value, row.denominator);
                }
            }
            let complete = |tally: PairedMoments| {
                (tally.outcome.units > 0 && tally.outcome.units == outcome.units).then_some(tally)
            };
            ArmData {
                sample: outcome.sample(),
                count: binary.then(|| Count {
                    units: outcome.units,
                    conversions: outcome.sum() as u64,
                }),
                pre: complete(pre),
                denominator: complete(denominator),
                capped: cap.map(|_| capped.sample()),
            }
        })
        .collect()
}
