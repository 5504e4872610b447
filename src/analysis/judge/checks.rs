//! Secondary metrics, guardrails and strata: what stands beside the primary metric in a verdict.

use super::Context;
use super::stream::{Pair, RowShares, moment};
use crate::analysis::error::AnalysisError;
use crate::analysis::input::{Data, Input, Role, Stream};
use crate::analysis::result::{Check, CheckRole, TimeValue, When};
use crate::stats::Alpha;
use crate::stats::eprocess::{Crossing, GuardrailTest, Harm, NonInferiorityTest, Side, StrataVeto};
use crate::stats::margin::one_look;
use crate::stats::tally::{Moments, Sample};

/// Roles with their kind, margin and level.
fn roles<'a>(context: &Context<'_>, input: &'a Input) -> Vec<(CheckRole, &'a Role, f64, Alpha)> {
    let secondary = input.secondary.iter().map(|role| {
        let margin = context.options.rule.secondary_margin_of(&role.rule.metric);
        (CheckRole::Secondary, role, margin, context.levels.promote)
    });
    let guardrails = input.guardrails.iter().map(|role| {
        let margin = role.rule.margin.unwrap_or(0.0);
        (CheckRole::Guardrail, role, margin, context.levels.roll_back)
    });
    secondary.chain(guardrails).collect()
}

/// Every check of one challenger of a stream, at any look.
pub(super) fn of_stream(
    context: &Context<'_>,
    input: &Input,
    shares: &RowShares,
    arm: usize,
) -> Result<Vec<Check>, AnalysisError> {
    let refused = |error: crate::stats::StatsError| {
        context.refuse(&error.to_string(), "correct the rows at that time")
    };
    let mut checks = Vec::new();
    for (role, metric, margin, alpha) in roles(context, input) {
        let Data::Stream(stream) = &metric.data else {
            continue;
        };
        // Metrics of the same units have the same shares; rows of a metric of its own are cut anew.
        let own = shares.for_metric(context, &input.arms, stream)?;
        let pair = Pair::new(stream, &own, arm);
        let harm = metric.rule.harm;
        let (log_e, reached) = match role {
            CheckRole::Guardrail => {
                let mut test = GuardrailTest::new(harm, margin, alpha).map_err(refused)?;
                for group in pair.blocks(shares.by_strata()) {
                    test.fold_together(&group).map_err(refused)?;
                }
                (test.log_value(), test.harmed())
            }
            _ => {
                let mut test = NonInferiorityTest::new(harm, margin, alpha).map_err(refused)?;
                for group in pair.blocks(shares.by_strata()) {
                    test.fold_together(&group).map_err(refused)?;
                }
                (test.log_value(), test.shown())
            }
        };
        checks.push(Check {
            role,
            name: metric.rule.metric.clone(),
            arm: input.arms[arm].clone(),
            harm,
            margin,
            units: pair.units(),
            means: pair.means(),
            log_e,
            p_value: None,
            threshold: 1.0 / alpha.get(),
            reached: reached.is_some(),
            when: when(reached, stream),
            refused: None,
        });
    }
    if let Data::Stream(stream) = &input.data {
        checks.extend(strata_of_stream(context, input, stream, shares, arm)?);
    }
    Ok(checks)
}

fn when(crossing: Option<Crossing>, stream: &Stream) -> Option<When> {
    crossing.map(|crossing| When {
        at: moment(crossing.at, stream.timestamps),
        units: crossing.units,
    })
}

fn strata_of_stream(
    context: &Context<'_>,
    input: &Input,
    stream: &Stream,
    shares: &RowShares,
    arm: usize,
) -> Result<Vec<Check>, AnalysisError> {
    let strata = input.strata.len();
    if strata == 0 {
        return Ok(Vec::new());
    }
    let refused = |error: crate::stats::StatsError| {
        context.refuse(
            &error.to_string(),
            "declare 1 to 12 strata and a margin below 1",
        )
    };
    let margin = context.options.rule.stratum_margin;
    let alpha = context.levels.promote;
    let mut veto = StrataVeto::new(strata, margin, alpha).map_err(refused)?;
    let all = Pair::new(stream, shares, arm);
    let mut checks = Vec::new();
    for (stratum, name) in input.strata.iter().enumerate() {
        let pair = all.of_stratum(stratum as u16);
        let mut reached: Option<Crossing> = None;
        let mut units = 0;
        for group in pair.blocks(false) {
            for block in &group {
                veto.fold(stratum, block).map_err(refused)?;
                units += block.units();
                if reached.is_none() && veto.vetoes().any(|vetoed| vetoed == stratum) {
                    reached = Some(Crossing {
                        at: block.at,
                        units,
                    });
                }
            }
        }
        checks.push(Check {
            role: CheckRole::Stratum,
            name: name.clone(),
            arm: input.arms[arm].clone(),
            harm: Harm::Lower,
            margin,
            units: pair.units(),
            means: pair.means(),
            log_e: veto.log_value(stratum).unwrap_or(0.0),
            p_value: None,
            threshold: strata as f64 / alpha.get(),
            reached: reached.is_some(),
            when: when(reached, stream),
            refused: None,
        });
    }
    Ok(checks)
}

/// Every check of one challenger of totals, at one look.
pub(super) fn of_totals(context: &Context<'_>, input: &Input, arm: usize) -> Vec<Check> {
    let mut checks = Vec::new();
    for (role, metric, margin, alpha) in roles(context, input) {
        let samples = strata_samples(&metric.data, input.strata.len());
        let harm = metric.rule.harm;
        let null = match role {
            CheckRole::Guardrail => harm.null_of_harm(margin),
            _ => harm.null_of_inferiority(margin),
        };
        let pairs = pairs(&samples, arm);
        checks.push(Check {
            name: metric.rule.metric.clone(),
            arm: input.arms[arm].clone(),
            harm,
            margin,
            ..at_one_look(role, &pairs, null, alpha)
        });
    }
    if !input.strata.is_empty() {
        let samples = strata_samples(&input.data, input.strata.len());
        let margin = context.options.rule.stratum_margin;
        let alpha = context.levels.promote.split(input.strata.len());
        for (name, pair) in input.strata.iter().zip(pairs(&samples, arm)) {
            let null = (Side::RollBack, 1.0 - margin);
            checks.push(Check {
                name: name.clone(),
                arm: input.arms[arm].clone(),
                margin,
                ..at_one_look(CheckRole::Stratum, &[pair], null, alpha)
            });
        }
    }
    checks
}

fn at_one_look(
    role: CheckRole,
    strata: &[(Sample, Sample)],
    null: (Side, f64),
    alpha: Alpha,
) -> Check {
    let found = one_look(strata, null.0, null.1);
    let p_value = found.as_ref().ok().copied();
    let reached = p_value.is_some_and(|p| p <= alpha.get());
    let total = |of: fn(&(Sample, Sample)) -> Sample| {
        strata
            .iter()
            .map(of)
            .fold((0.0, 0.0), |(units, sum), sample| {
                (units + sample.units, sum + sample.units * sample.mean)
            })
    };
    let (a, b) = (total(|pair| pair.0), total(|pair| pair.1));
    Check {
        role,
        name: String::new(),
        arm: String::new(),
        harm: Harm::Lower,
        margin: 0.0,
        units: [a.0 as u64, b.0 as u64],
        means: [a.1 / a.0.max(1.0), b.1 / b.0.max(1.0)],
        log_e: p_value.map_or(0.0, |p| -p.max(1e-300).ln()),
        p_value,
        threshold: 1.0 / alpha.get(),
        reached,
        when: reached.then(|| When {
            at: TimeValue::Text("these totals".to_owned()),
            units: (a.0 + b.0) as u64,
        }),
        refused: found.err().map(|error| error.to_string()),
    }
}

/// Control and challenger, stratum by stratum.
pub(super) fn pairs(samples: &[Vec<Sample>], arm: usize) -> Vec<(Sample, Sample)> {
    samples[0]
        .iter()
        .copied()
        .zip(samples[arm].iter().copied())
        .collect()
}

/// Samples of every arm and stratum; one stratum where there are none.
pub(super) fn strata_samples(data: &Data, strata: usize) -> Vec<Vec<Sample>> {
    let strata = strata.max(1);
    match data {
        Data::Counts(counts) => counts
            .iter()
            .map(|arm| {
                (0..strata)
                    .map(|stratum| arm.count(stratum).sample())
                    .collect()
            })
            .collect(),
        Data::Units(rows) => rows
            .iter()
            .map(|rows| {
                let mut moments = vec![Moments::default(); strata];
                for row in rows {
                    moments[usize::from(row.stratum)].count(row.value);
                }
                moments.iter().map(Moments::sample).collect()
            })
            .collect(),
        Data::Stream(_) | Data::Snapshots(_) => Vec::new(),
    }
}
