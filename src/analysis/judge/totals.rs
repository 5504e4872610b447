//! Counts and unit rows: a look at totals, once.

use tierwise_reports::TestNote;

use super::checks::{self, pairs, strata_samples};
use super::{Context, Judged, e_value, evidence_of, overall, verdict_of};
use crate::analysis::error::AnalysisError;
use crate::analysis::input::{CountArm, Data, Input, UnitRow};
use crate::analysis::methods::{ArmData, compare};
use crate::analysis::options::Method;
use crate::analysis::result::{
    AnyLookInterval, ArmResult, Design, ExperimentResult, Guarantee, IntervalScale, SampleRatio,
    Sequential, TimeValue, When,
};
use crate::stats::eprocess::{HypergeometricTest, Side, odds_interval};
use crate::stats::margin::one_look;
use crate::stats::tally::{Count, Moments, PairedMoments, Sample};
use crate::stats::verdict::Evidence;
use crate::stats::welch::welch;
use crate::stats::winsor::cap_at_quantile;

/// Where winsorised means are capped.
const CAP: f64 = 0.99;

pub(super) fn judge(
    context: &Context<'_>,
    input: Input,
) -> Result<ExperimentResult, AnalysisError> {
    let (kind, arms, shares): (_, Vec<ArmData>, Vec<Option<f64>>) = match &input.data {
        Data::Counts(counts) => (
            "counts",
            counts
                .iter()
                .map(|arm| ArmData::counted(arm.total()))
                .collect(),
            counts.iter().map(CountArm::share).collect(),
        ),
        Data::Units(rows) => ("units", unit_arms(rows), vec![None; rows.len()]),
        _ => return Err(context.refuse("it is no table of totals", "give counts or units")),
    };
    if context.options.design == Design::SplitPool {
        let even = shares.len() == 2
            && shares
                .iter()
                .all(|share| share.is_some_and(|share| (share - 0.5).abs() < 1e-9));
        if !even {
            return Err(context.refuse(
                "a split pool is judged only at 50/50, with the shares given",
                "give a column `share` of 0.5 for both arms; at other shares pools of different size wait differently",
            ));
        }
    }
    let ratio = sample_ratio(context, &input);
    let mut notes = input.notes.clone();
    let binary = arms.iter().all(|arm| arm.count.is_some());
    let exact = binary && context.options.wants(Method::EProcess);
    let samples = strata_samples(&input.data, input.strata.len());
    let mut judged = Vec::new();
    for (place, name) in input.arms.iter().enumerate().skip(1) {
        let strata = pairs(&samples, place);
        let checks = checks::of_totals(context, &input, place);
        let (mut evidence, sequential, lower) = if exact {
            let counts = strata.iter().map(|(a, b)| (count_of(*a), count_of(*b)));
            let sequential = one_look_of_counts(context, name, &counts.collect::<Vec<_>>())?;
            let odds = sequential.interval.and_then(|interval| interval.lower);
            // The odds ratio's lower bound as a difference, at the control's rate.
            let p = arms[0].sample.mean;
            let lower = odds.map(|odds| p * odds / (1.0 - p + p * odds) - p);
            (evidence_of(&sequential), Some(sequential), lower)
        } else {
            let lower = welch(arms[0].sample, arms[place].sample, context.alpha);
            let lower = lower.ok().map(|found| found.lower);
            (by_means(context, name, &strata), None, lower)
        };
        evidence.units = [0, place].map(|arm| arms[arm].sample.units as u64);
        evidence.share = shares[place].unwrap_or(1.0);
        evidence.days_at_share = f64::INFINITY;
        evidence.broken = context
            .broken((input.conflicts, &input.conflict_examples), ratio.as_ref())
            .or_else(|| context.interference(lower));
        judged.push(Judged {
            verdict: verdict_of(context, evidence, &checks),
            sequential,
            checks,
        });
    }
    let all = overall(judged);
    let guarantee = if exact && input.secondary.is_empty() && input.guardrails.is_empty() {
        Guarantee::OneLook
    } else {
        Guarantee::OneLookLargeSamples
    };
    notes.push(if exact {
        TestNote::OneLook
    } else {
        TestNote::OneLookOfMeans
    });
    Ok(ExperimentResult {
        methods: compare(&input.arms, &arms, context.options, context.alpha),
        arms: input
            .arms
            .iter()
            .zip(&arms)
            .zip(&shares)
            .map(|((name, arm), share)| ArmResult {
                arm: name.clone(),
                units: arm.sample.units as u64,
                conversions: arm.count.map(|count| count.conversions),
                mean: arm.sample.mean,
                share: *share,
            })
            .collect(),
        experiment: input.name,
        metric: input.metric,
        design: context.options.design,
        data: kind.to_owned(),
        control: input.arms[0].clone(),
        sample_ratio: ratio,
        sequential: all.sequential,
        challengers: all.challengers,
        checks: all.checks,
        verdict: all.verdict,
        guarantee,
        notes,
    })
}

/// χ² of the arms' units against their shares; the worst stratum, its p-value multiplied by their number.
fn sample_ratio(context: &Context<'_>, input: &Input) -> Option<SampleRatio> {
    let Data::Counts(counts) = &input.data else {
        return None;
    };
    let strata = input.strata.len().max(1);
    let level = context.options.rule.sample_ratio_level;
    (0..strata)
        .filter_map(|stratum| {
            let shares = counts.iter().map(|arm| arm.share_in(stratum));
            let shares = shares.collect::<Option<Vec<f64>>>()?;
            let units: Vec<u64> = counts.iter().map(|arm| arm.count(stratum).units).collect();
            let mut found = context.totals_ratio(&units, &shares)?;
            found.p_value = (found.p_value * strata as f64).min(1.0);
            found.sound = found.p_value >= level;
            Some(found)
        })
        .min_by(|a, b| a.p_value.total_cmp(&b.p_value))
}

/// The count behind a sample of zeros and ones.
fn count_of(sample: Sample) -> Count {
    Count {
        units: sample.units as u64,
        conversions: (sample.mean * sample.units).round() as u64,
    }
}

/// Evidence on means of any kind, at one look of large samples.
fn by_means(context: &Context<'_>, name: &str, strata: &[(Sample, Sample)]) -> Evidence {
    let log = |side: Side| one_look(strata, side, 1.0).map_or(0.0, |p| -p.max(1e-300).ln());
    let (log_promote, log_roll_back) = (log(Side::Promote), log(Side::RollBack));
    Evidence {
        arm: name.to_owned(),
        log_promote,
        superior: log_promote >= context.levels.promote.log_threshold(),
        log_roll_back,
        inferior: log_roll_back >= context.levels.roll_back.log_threshold(),
        ..Evidence::default()
    }
}

/// The exact e-value of totals; strata are blocks of their own, so their shares may differ.
fn one_look_of_counts(
    context: &Context<'_>,
    name: &str,
    strata: &[(Count, Count)],
) -> Result<Sequential, AnalysisError> {
    let mut test = HypergeometricTest::new(&context.levels);
    let mut units = 0;
    for (place, (control, treatment)) in strata.iter().enumerate() {
        units += control.units + treatment.units;
        test.fold(place as f64, *control, *treatment)
            .map_err(|error| context.refuse(&error.to_string(), "count each unit once"))?;
    }
    let wealth = test.wealth();
    let interval = odds_interval(strata, &context.levels);
    let when = |decided: bool| {
        decided.then(|| When {
            at: TimeValue::Text("these totals".to_owned()),
            units,
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
