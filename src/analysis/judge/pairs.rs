//! Switchbacks and split pools: the difference within a block of time, or a pair of them, is the unit of analysis.

use super::stream::{moment, totals};
use tierwise_reports::TestNote;

use super::{Context, e_value, evidence_of, verdict_of};
use crate::analysis::error::AnalysisError;
use crate::analysis::input::{Data, Input, Stream};
use crate::analysis::options::Method;
use crate::analysis::result::{
    AnyLookInterval, ArmResult, Design, ExperimentResult, Guarantee, IntervalScale, Look,
    MethodResult, Scale, Sequential, When,
};
use crate::stats::StatsError;
use crate::stats::switchback::{
    Blocks, PairTest, TimedUnit, pair_differences, pair_interval, paired_t, pool_differences,
};
use crate::stats::verdict::Evidence;

pub(super) fn judge(
    context: &Context<'_>,
    input: Input,
) -> Result<ExperimentResult, AnalysisError> {
    let Data::Stream(stream) = &input.data else {
        return Err(context.refuse("it is no stream", "give at, unit, arm, share, value"));
    };
    if input.arms.len() != 2 {
        return Err(context.refuse(
            &format!("it has {} arms; a pair holds two", input.arms.len()),
            "give the control and one challenger",
        ));
    }
    let roles = input.secondary.len() + input.guardrails.len() + context.options.rule.strata.len();
    if roles > 0 {
        return Err(context.refuse(
            "its rule names roles or strata, and pairs of time blocks are judged on one metric",
            "judge the metrics one by one, with a rule without `secondary`, `guardrail` and `strata`",
        ));
    }
    let Some(length) = context.options.block_secs else {
        return Err(context.refuse(
            "the length of its blocks is not known",
            "give it with `--block SECONDS`, and the washout with `--washout SECONDS`",
        ));
    };
    let switchback = context.options.design == Design::Switchback;
    if !switchback && stream.rows.iter().any(|row| (row.share - 0.5).abs() > 1e-9) {
        return Err(context.refuse(
            "a split pool is judged only at a share of 0.5",
            "at other shares pools of different size wait differently, whatever the policies do",
        ));
    }
    let first = stream.rows.first().map_or(0.0, |row| row.at);
    let blocks = Blocks {
        start: (first / length).floor() * length,
        length,
        washout: context.options.washout_secs,
    };
    let units: Vec<TimedUnit> = stream
        .rows
        .iter()
        .map(|row| TimedUnit {
            at: row.at,
            is_treatment: row.arm != 0,
            outcome: row.value,
        })
        .collect();
    let found = if switchback {
        pair_differences(&units, blocks)
    } else {
        pool_differences(&units, blocks)
    }
    .map_err(|error: StatsError| {
        context.refuse(
            &error.to_string(),
            "check `--block` and `--washout` against how the experiment was run",
        )
    })?;
    let sequential = sequential(
        context,
        stream,
        &input.arms[1],
        &found.differences,
        &blocks,
        switchback,
    )?;
    let mut notes = input.notes.clone();
    let (pairs, incomplete, washed_out) = (
        found.differences.len() as u64,
        found.incomplete,
        found.washed_out,
    );
    notes.push(if switchback {
        TestNote::Pairs {
            pairs,
            incomplete,
            washed_out,
        }
    } else {
        TestNote::PoolBlocks {
            blocks: pairs,
            incomplete,
            washed_out,
        }
    });
    if !input.strata.is_empty() {
        notes.push(TestNote::StrataNotJudged);
    }
    let arms = totals(stream, 2);
    let counted = [arms[0].sample.units as u64, arms[1].sample.units as u64];
    let broken = context.broken((input.conflicts, &input.conflict_examples), None);
    let days = stream
        .rows
        .last()
        .map_or(0.0, |row| (row.at - first) / 86_400.0);
    let evidence = Evidence {
        units: counted,
        share: 0.5,
        days_at_share: days,
        broken,
        ..evidence_of(&sequential)
    };
    let verdict = verdict_of(context, evidence, &[]);
    let methods = if context.options.wants(Method::Welch) {
        vec![paired(context, &input.arms[1], &found.differences)]
    } else {
        Vec::new()
    };
    Ok(ExperimentResult {
        arms: input
            .arms
            .iter()
            .zip(&arms)
            .map(|(name, arm)| ArmResult {
                arm: name.clone(),
                units: arm.sample.units as u64,
                conversions: arm.count.map(|count| count.conversions),
                mean: arm.sample.mean,
                share: Some(0.5),
            })
            .collect(),
        experiment: input.name,
        metric: input.metric,
        design: context.options.design,
        data: "stream".to_owned(),
        control: input.arms[0].clone(),
        methods,
        sample_ratio: None,
        sequential: Some(sequential),
        challengers: Vec::new(),
        checks: Vec::new(),
        verdict,
        guarantee: Guarantee::AnyLook,
        notes,
    })
}

fn paired(context: &Context<'_>, arm: &str, differences: &[f64]) -> MethodResult {
    let found = paired_t(differences, context.alpha);
    let number = |of: fn(&crate::stats::Comparison) -> f64| found.as_ref().ok().map(of);
    MethodResult {
        arm: arm.to_owned(),
        method: "paired_t".to_owned(),
        scale: Scale::Difference,
        estimate: number(|c| c.estimate),
        lower: number(|c| c.lower),
        upper: number(|c| c.upper),
        p_value: found.as_ref().ok().and_then(|c| c.p_value),
        adjusted_p_value: None,
        chance_to_win: None,
        expected_loss: None,
        any_look: false,
        refused: found.err().map(|error| error.to_string()),
    }
}

fn sequential(
    context: &Context<'_>,
    stream: &Stream,
    name: &str,
    differences: &[f64],
    blocks: &Blocks,
    switchback: bool,
) -> Result<Sequential, AnalysisError> {
    let (promote, roll_back) = (context.levels.promote, context.levels.roll_back);
    let mut test = PairTest::new(promote, roll_back);
    let span = blocks.length * if switchback { 2.0 } else { 1.0 };
    let end_of = |pair: u64| blocks.start + span * pair as f64;
    let mut looks = Vec::new();
    for (place, difference) in differences.iter().enumerate() {
        test.observe(*difference)
            .map_err(|error| context.refuse(&error.to_string(), "check the outcomes"))?;
        let (better, worse) = test.log_values();
        if context.options.detailed {
            looks.push(Look {
                at: end_of(place as u64 + 1),
                units: test.pairs(),
                share: Some(0.5),
                log_promote_e: better,
                log_rollback_e: worse,
                interval: interval(context, &differences[..=place]),
            });
        }
    }
    let (better, worse) = test.log_values();
    let when = |pair: Option<u64>| {
        pair.map(|pair| When {
            at: moment(end_of(pair), stream.timestamps),
            units: pair,
        })
    };
    Ok(Sequential {
        arm: name.to_owned(),
        form: "pairs".to_owned(),
        promote_e: e_value(better),
        rollback_e: e_value(worse),
        log_promote_e: better,
        log_rollback_e: worse,
        promote_threshold: 1.0 / promote.get(),
        rollback_threshold: 1.0 / roll_back.get(),
        when_promoted: when(test.promoted_at()),
        when_rolled_back: when(test.rolled_back_at()),
        interval: interval(context, differences),
        looks,
    })
}

fn interval(context: &Context<'_>, differences: &[f64]) -> Option<AnyLookInterval> {
    let (lower, upper) = pair_interval(
        differences,
        context.levels.promote,
        context.levels.roll_back,
    )?;
    Some(AnyLookInterval {
        scale: IntervalScale::Difference,
        lower: Some(lower).filter(|v| v.is_finite()),
        upper: Some(upper).filter(|v| v.is_finite()),
    })
}
