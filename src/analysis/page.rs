//! Results become the values of a page. The only place that knows both.

use tierwise_reports::{
    NamedValue, Provenance, TestBreak, TestPage, TestVerdict, TestWaiting, TestedArm, TestedCheck,
    TestedExperiment, TestedGuarantee, TestedLook, TestedMethod, TestedRatio, TestedRole,
    TestedScale, TestedSequence, TestedTimes,
};

use super::result::{
    AnyLookInterval, Check, CheckRole, ExperimentResult, Guarantee, IntervalScale, MethodResult,
    Sequential, TimeValue, When,
};
use super::saved::SavedAnalysis;
use crate::stats::eprocess::Harm;
use crate::stats::verdict::{Broken, Verdict, Waiting};

/// The page of an analysis.
#[must_use]
pub fn test_page(saved: &SavedAnalysis) -> TestPage {
    let experiments: Vec<TestedExperiment> =
        saved.analysis.experiments.iter().map(experiment).collect();
    let name = saved.file.rsplit('/').next().unwrap_or(&saved.file);
    let title = match saved.analysis.experiments.as_slice() {
        [only] => only.experiment.clone(),
        _ => name.to_owned(),
    };
    TestPage {
        title: Some(title),
        subtitle: Some(name.to_owned()),
        sample: false,
        alpha: saved.rule.error_budget,
        experiments,
        provenance: Provenance {
            versions: vec![NamedValue::new("tierwise", &saved.created_by)],
            log_hash: Some(saved.file_hash.clone()),
            command: Some(format!("tierwise analyze {}", saved.file)),
            ..Provenance::default()
        },
    }
}

fn experiment(result: &ExperimentResult) -> TestedExperiment {
    TestedExperiment {
        name: result.experiment.clone(),
        metric: result.metric.clone(),
        arms: result
            .arms
            .iter()
            .map(|arm| TestedArm {
                name: arm.arm.clone(),
                units: arm.units,
                conversions: arm.conversions,
                mean: arm.mean,
                share: arm.share,
            })
            .collect(),
        methods: result.methods.iter().map(method).collect(),
        sample_ratio: result.sample_ratio.as_ref().map(|ratio| TestedRatio {
            p_value: ratio.p_value,
            sound: ratio.sound,
        }),
        sequence: result.sequential.as_ref().map(sequence),
        checks: result.checks.iter().map(check).collect(),
        verdict: verdict(&result.verdict),
        guarantee: match result.guarantee {
            Guarantee::AnyLook => TestedGuarantee::AnyLook,
            Guarantee::AnyLookLargeSamples => TestedGuarantee::AnyLookLargeSamples,
            Guarantee::OneLook => TestedGuarantee::OneLook,
            Guarantee::OneLookLargeSamples => TestedGuarantee::OneLookLargeSamples,
        },
        notes: result.notes.clone(),
    }
}

fn check(result: &Check) -> TestedCheck {
    TestedCheck {
        role: match result.role {
            CheckRole::Secondary => TestedRole::Secondary,
            CheckRole::Guardrail => TestedRole::Guardrail,
            CheckRole::Stratum => TestedRole::Stratum,
        },
        name: result.name.clone(),
        arm: result.arm.clone(),
        higher_is_worse: result.harm == Harm::Higher,
        margin: result.margin,
        units: (result.units[0], result.units[1]),
        means: (result.means[0], result.means[1]),
        log_wealth: result.log_e,
        threshold: result.threshold,
        reached: result.reached,
    }
}

fn method(result: &MethodResult) -> TestedMethod {
    TestedMethod {
        arm: result.arm.clone(),
        method: result.method.clone(),
        relative: result.scale == super::result::Scale::Relative,
        estimate: result.estimate,
        interval: result.lower.zip(result.upper),
        p_value: result.adjusted_p_value.or(result.p_value),
        chance_to_win: result.chance_to_win,
        any_look: result.any_look,
    }
}

/// An interval as changes around zero; an open end is `None`.
fn around_zero(interval: &AnyLookInterval) -> (Option<f64>, Option<f64>) {
    let neutral = interval.scale.neutral();
    (
        interval.lower.map(|lower| lower - neutral),
        interval.upper.map(|upper| upper - neutral),
    )
}

fn sequence(found: &Sequential) -> TestedSequence {
    let timestamps = [&found.when_promoted, &found.when_rolled_back]
        .into_iter()
        .flatten()
        .any(|when| matches!(when.at, TimeValue::Text(_)));
    let first = found.looks.first().map_or(0.0, |look| look.at);
    // Seconds since 1970 are large; days of a snapshot and numbers of a stream are not.
    let seconds = timestamps || first > 1e8;
    let days = seconds || found.form == "hypergeometric" || found.form == "normal_mixture";
    let when = |when: &Option<When>| {
        when.as_ref().map(|when| {
            let at = match &when.at {
                TimeValue::Number(number) => format!("{number:.6}")
                    .trim_end_matches('0')
                    .trim_end_matches('.')
                    .to_owned(),
                TimeValue::Text(text) => text.clone(),
            };
            (at, when.units)
        })
    };
    TestedSequence {
        arm: found.arm.clone(),
        scale: match found.interval.map(|interval| interval.scale) {
            Some(IntervalScale::Ratio) => TestedScale::Rate,
            Some(IntervalScale::OddsRatio) => TestedScale::Odds,
            Some(IntervalScale::Difference) | None => TestedScale::Difference,
        },
        times: if days {
            TestedTimes::Days
        } else {
            TestedTimes::Own
        },
        log_wealth: (found.log_promote_e, found.log_rollback_e),
        thresholds: (found.promote_threshold, found.rollback_threshold),
        promoted: when(&found.when_promoted),
        rolled_back: when(&found.when_rolled_back),
        interval: found.interval.as_ref().map(around_zero),
        looks: found
            .looks
            .iter()
            .map(|look| TestedLook {
                at: if seconds {
                    (look.at - first) / 86_400.0
                } else {
                    look.at
                },
                units: look.units,
                share: look.share,
                log_wealth: (look.log_promote_e, look.log_rollback_e),
                interval: look.interval.as_ref().map(around_zero),
            })
            .collect(),
    }
}

/// A verdict as pages say it.
pub(crate) fn verdict(verdict: &Verdict) -> TestVerdict {
    match verdict {
        Verdict::NotEnoughData { needed, have } => TestVerdict::NotEnoughData {
            needed: *needed,
            have: *have,
        },
        Verdict::KeepGoing { waiting_for, .. } => TestVerdict::KeepGoing {
            waiting_for: waiting_for.iter().map(waiting).collect(),
        },
        Verdict::Promote { arm, .. } => TestVerdict::Promote { arm: arm.clone() },
        Verdict::RollBack { arm, guardrail, .. } => TestVerdict::RollBack {
            arm: arm.clone(),
            guardrail: guardrail.clone(),
        },
        Verdict::Broken { broken } => TestVerdict::Broken {
            broken: match broken {
                Broken::SampleRatio { .. } => TestBreak::SampleRatio,
                Broken::Interference { .. } => TestBreak::Interference,
                Broken::Maturity { .. } => TestBreak::Maturity,
                Broken::Assignment { .. } => TestBreak::Assignment,
                Broken::UnitsInTwoArms { units, examples } => TestBreak::UnitsInTwoArms {
                    units: *units,
                    examples: examples.clone(),
                },
            },
        },
    }
}

fn waiting(reason: &Waiting) -> TestWaiting {
    match reason {
        Waiting::Superiority => TestWaiting::Superiority,
        Waiting::Share { have, needed } => TestWaiting::Share {
            have: *have,
            needed: *needed,
        },
        Waiting::Days { have, needed } => TestWaiting::Days {
            have: *have,
            needed: *needed,
        },
        Waiting::Secondary { metric, .. } => TestWaiting::Secondary {
            metric: metric.clone(),
        },
        Waiting::Stratum { stratum } => TestWaiting::Stratum {
            stratum: stratum.clone(),
        },
        Waiting::LoggedShares => TestWaiting::LoggedShares,
    }
}
