//! What `tierwise analyze` prints for people.

use tierwise_reports::Language;

use crate::analysis::{
    Analysis, AnyLookInterval, Check, CheckRole, ExperimentResult, Guarantee, IntervalScale,
    MethodResult, Scale, Sequential, TimeValue, When,
};
use crate::stats::eprocess::Harm;
use crate::stats::verdict::{Broken, Verdict, Waiting};

/// Experiments shown with every method; more are shown as one line each.
const IN_FULL: usize = 4;

/// The whole analysis as text.
pub(super) fn text(analysis: &Analysis) -> String {
    let experiments = &analysis.experiments;
    if experiments.len() <= IN_FULL {
        let blocks: Vec<String> = experiments.iter().map(in_full).collect();
        return blocks.join("\n\n");
    }
    let mut lines = vec![format!(
        "{:<24} {:<8} {:>10} {:>10} {:>9} {:>20} {:>11} {:>11}  {}",
        "experiment",
        "arm",
        "units",
        "mean",
        "change",
        "any look",
        "e promote",
        "e roll back",
        "verdict"
    )];
    lines.extend(experiments.iter().map(one_line));
    lines.push(String::new());
    lines.push(summary(experiments));
    lines.join("\n")
}

fn summary(experiments: &[ExperimentResult]) -> String {
    let count = |kind: fn(&Verdict) -> bool| {
        experiments
            .iter()
            .filter(|experiment| kind(&experiment.verdict))
            .count()
    };
    format!(
        "{} experiments: {} promote, {} roll back, {} keep going, {} too little data, {} broken",
        experiments.len(),
        count(Verdict::promotes),
        count(|v| matches!(v, Verdict::RollBack { .. })),
        count(|v| matches!(v, Verdict::KeepGoing { .. })),
        count(|v| matches!(v, Verdict::NotEnoughData { .. })),
        count(|v| matches!(v, Verdict::Broken { .. })),
    )
}

fn label(experiment: &ExperimentResult) -> String {
    match &experiment.metric {
        Some(metric) => format!("{} · {metric}", experiment.experiment),
        None => experiment.experiment.clone(),
    }
}

fn one_line(experiment: &ExperimentResult) -> String {
    let sequential = experiment.sequential.as_ref();
    let arm = sequential.map_or_else(
        || experiment.arms.get(1).map_or("", |arm| arm.arm.as_str()),
        |s| s.arm.as_str(),
    );
    let control = &experiment.arms[0];
    let treatment = experiment
        .arms
        .iter()
        .find(|candidate| candidate.arm == arm)
        .unwrap_or(control);
    let change = if control.mean == 0.0 {
        "-".to_owned()
    } else {
        format!("{:+.2} %", (treatment.mean / control.mean - 1.0) * 100.0)
    };
    let interval = sequential
        .and_then(|s| s.interval.as_ref())
        .map_or_else(|| "-".to_owned(), interval);
    let wealth =
        |of: fn(&Sequential) -> f64| sequential.map_or_else(|| "-".to_owned(), |s| e_value(of(s)));
    format!(
        "{:<24} {:<8} {:>10} {:>10} {:>9} {:>20} {:>11} {:>11}  {}",
        shortened(&label(experiment), 24),
        shortened(arm, 8),
        experiment.arms.iter().map(|arm| arm.units).sum::<u64>(),
        number(treatment.mean),
        change,
        interval,
        wealth(|s| s.log_promote_e),
        wealth(|s| s.log_rollback_e),
        verdict_word(experiment)
    )
}

fn verdict_word(experiment: &ExperimentResult) -> String {
    let when = |pick: fn(&Sequential) -> Option<&When>| {
        experiment
            .sequential
            .as_ref()
            .and_then(pick)
            .map_or_else(String::new, |when| format!(" at {}", time(&when.at)))
    };
    match &experiment.verdict {
        Verdict::Promote { .. } => format!("promote{}", when(|s| s.when_promoted.as_ref())),
        Verdict::RollBack { .. } => format!("roll back{}", when(|s| s.when_rolled_back.as_ref())),
        Verdict::KeepGoing { .. } => "keep going".to_owned(),
        Verdict::NotEnoughData { needed, have } => format!("too little data ({have} of {needed})"),
        Verdict::Broken { broken } => format!("BROKEN: {}", broken_word(broken)),
    }
}

fn broken_word(broken: &Broken) -> &'static str {
    match broken {
        Broken::SampleRatio { .. } => "sample ratio",
        Broken::Interference { .. } => "interference",
        Broken::Maturity { .. } => "maturity",
        Broken::UnitsInTwoArms { .. } => "units in two arms",
        Broken::Assignment { .. } => "assignment",
    }
}

fn in_full(experiment: &ExperimentResult) -> String {
    let mut lines = vec![
        format!(
            "{}: {} against control {} ({})",
            label(experiment),
            experiment
                .arms
                .iter()
                .skip(1)
                .map(|arm| arm.arm.as_str())
                .collect::<Vec<_>>()
                .join(", "),
            experiment.control,
            experiment.data
        ),
        format!(
            "  {:<16} {:>12} {:>12} {:>12} {:>8}",
            "arm", "units", "conversions", "mean", "share"
        ),
    ];
    for arm in &experiment.arms {
        lines.push(
            format!(
                "  {:<16} {:>12} {:>12} {:>12} {:>8}",
                shortened(&arm.arm, 16),
                arm.units,
                arm.conversions.map_or("-".to_owned(), |n| n.to_string()),
                number(arm.mean),
                arm.share
                    .map_or("-".to_owned(), |s| format!("{:.1} %", s * 100.0))
            )
            .trim_end()
            .to_owned(),
        );
    }
    if let Some(ratio) = &experiment.sample_ratio {
        lines.push(format!(
            "  sample ratio: {} (p = {}, {})",
            if ratio.sound { "sound" } else { "BROKEN" },
            p_value(ratio.p_value),
            ratio.method.replace('_', " ")
        ));
    }
    lines.push(String::new());
    lines.push(format!(
        "  {:<16} {:<14} {:>10} {:>22} {:>9} {:>8} {:>10}",
        "method", "arm", "estimate", "interval", "p", "to win", "loss"
    ));
    lines.extend(experiment.methods.iter().map(method_line));
    let all: Vec<&Sequential> = if experiment.challengers.is_empty() {
        experiment.sequential.iter().collect()
    } else {
        experiment.challengers.iter().collect()
    };
    for sequential in all {
        lines.push(String::new());
        lines.extend(sequential_lines(sequential));
    }
    lines.extend(check_lines(&experiment.checks));
    lines.push(String::new());
    lines.push(verdict_line(experiment));
    lines.push(format!("holds: {}", guarantee(experiment.guarantee)));
    let notes = experiment.notes.iter().map(|note| note.text(Language::En));
    lines.extend(notes.map(|note| format!("note: {note}")));
    lines.join("\n")
}

/// When the verdict's error rates hold.
fn guarantee(guarantee: Guarantee) -> &'static str {
    match guarantee {
        Guarantee::AnyLook => "at any look",
        Guarantee::AnyLookLargeSamples => "at any look, for large samples",
        Guarantee::OneLook => "at one look whose time was fixed before the start",
        Guarantee::OneLookLargeSamples => {
            "at one look whose time was fixed before the start, for large samples"
        }
    }
}

/// Secondary metrics, guardrails and strata.
fn check_lines(checks: &[Check]) -> Vec<String> {
    if checks.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![
        String::new(),
        format!(
            "  {:<10} {:<16} {:<12} {:>10} {:>10} {:>9} {:>9} {:>18}  {}",
            "condition", "name", "arm", "control", "arm", "change", "margin", "evidence", "result"
        ),
    ];
    for check in checks {
        let [control, arm] = check.means;
        let (role, result) = match (check.role, check.reached) {
            (CheckRole::Secondary, true) => ("secondary", "not inferior"),
            (CheckRole::Secondary, false) => ("secondary", "not shown yet"),
            (CheckRole::Guardrail, true) => ("guardrail", "HARMED"),
            (CheckRole::Guardrail, false) => ("guardrail", "no harm shown"),
            (CheckRole::Stratum, true) => ("stratum", "VETOES"),
            (CheckRole::Stratum, false) => ("stratum", "acceptable"),
        };
        let change = if control == 0.0 {
            "-".to_owned()
        } else {
            format!("{:+.2} %", (arm / control - 1.0) * 100.0)
        };
        let sign = match (check.margin == 0.0, check.harm) {
            (true, _) => "",
            (false, Harm::Higher) => "+",
            (false, Harm::Lower) => "-",
        };
        lines.push(format!(
            "  {role:<10} {:<16} {:<12} {:>10} {:>10} {change:>9} {:>9} {:>18}  {result}{}",
            shortened(&check.name, 16),
            shortened(&check.arm, 12),
            number(control),
            number(arm),
            format!("{sign}{:.1} %", check.margin * 100.0),
            match check.p_value {
                Some(p) => format!("p {} of {}", p_value(p), number(1.0 / check.threshold)),
                None => format!("e {} of {:.0}", e_value(check.log_e), check.threshold),
            },
            check
                .when
                .as_ref()
                .filter(|_| check.p_value.is_none())
                .map_or_else(String::new, |when| format!(" at {}", time(&when.at)))
        ));
    }
    lines
}

fn method_line(method: &MethodResult) -> String {
    let name = method.method.replace('_', " ");
    if let Some(refused) = &method.refused {
        return format!(
            "  {name:<16} {:<14} refused: {refused}",
            shortened(&method.arm, 14)
        );
    }
    let show = |value: Option<f64>| value.map_or_else(String::new, |v| on_scale(method.scale, v));
    let interval = match (method.lower, method.upper) {
        (Some(lower), Some(upper)) => format!(
            "[{}, {}]",
            on_scale(method.scale, lower),
            on_scale(method.scale, upper)
        ),
        _ => String::new(),
    };
    let p = method.adjusted_p_value.or(method.p_value);
    format!(
        "  {name:<16} {:<14} {:>10} {interval:>22} {:>9} {:>8} {:>10}",
        shortened(&method.arm, 14),
        show(method.estimate),
        p.map_or_else(String::new, p_value),
        method
            .chance_to_win
            .map_or_else(String::new, |chance| format!("{:.1} %", chance * 100.0)),
        method
            .expected_loss
            .map_or_else(String::new, |loss| format!("{loss:.2e}")),
    )
    .trim_end()
    .to_owned()
}

fn sequential_lines(sequential: &Sequential) -> Vec<String> {
    let mut lines = vec![format!(
        "  at any look, {}: e-value {} of {:.0} to promote, {} of {:.0} to roll back ({})",
        sequential.arm,
        e_value(sequential.log_promote_e),
        sequential.promote_threshold,
        e_value(sequential.log_rollback_e),
        sequential.rollback_threshold,
        sequential.form.replace('_', " ")
    )];
    if let Some(found) = &sequential.interval {
        lines.push(format!(
            "  {}: {}",
            match found.scale {
                IntervalScale::Ratio => "change of the rate",
                IntervalScale::OddsRatio => "change of the odds",
                IntervalScale::Difference => "difference",
            },
            interval(found)
        ));
    }
    for (what, when) in [
        ("promoted", &sequential.when_promoted),
        ("rolled back", &sequential.when_rolled_back),
    ] {
        if let Some(when) = when {
            lines.push(format!(
                "  would have been {what} at {} after {} {}",
                time(&when.at),
                when.units,
                if sequential.form == "pairs" {
                    "pairs"
                } else {
                    "units"
                }
            ));
        }
    }
    lines
}

fn verdict_line(experiment: &ExperimentResult) -> String {
    match &experiment.verdict {
        Verdict::Promote { arm, .. } => {
            format!(
                "verdict: promote {arm}; it is better than {}",
                experiment.control
            )
        }
        Verdict::RollBack {
            arm,
            guardrail: Some(guardrail),
            ..
        } => format!("verdict: roll {arm} back; it harms {guardrail}"),
        Verdict::RollBack { arm, .. } => {
            format!(
                "verdict: roll {arm} back; it is worse than {}",
                experiment.control
            )
        }
        Verdict::KeepGoing { arm, waiting_for } => {
            format!(
                "verdict: keep going. For {arm}: {}",
                waiting_for
                    .iter()
                    .map(waiting)
                    .collect::<Vec<_>>()
                    .join("; ")
            )
        }
        Verdict::NotEnoughData { needed, have } => format!(
            "verdict: too little data. The smaller arm has {have} units, {needed} are needed"
        ),
        Verdict::Broken { broken } => format!("verdict: BROKEN. {}", broken_sentence(broken)),
    }
}

fn waiting(reason: &Waiting) -> String {
    match reason {
        Waiting::Superiority => "the primary metric is not shown to be better".to_owned(),
        Waiting::Share { have, needed } => format!(
            "its share is {:.0} % of {:.0} %",
            have * 100.0,
            needed * 100.0
        ),
        Waiting::Days { have, needed } => {
            format!("{have:.1} of {needed:.1} days at this share have passed")
        }
        Waiting::Secondary { metric, margin } => format!(
            "{metric} is not shown to be at most {:.0} % worse",
            margin * 100.0
        ),
        Waiting::Stratum { stratum } => format!("stratum {stratum} is worse"),
        Waiting::LoggedShares => {
            "only a stream with logged shares, or outcomes of 0 and 1, can promote".to_owned()
        }
    }
}

/// What is broken, and the way out.
fn broken_sentence(broken: &Broken) -> String {
    match broken {
        Broken::SampleRatio { log_e } => format!(
            "The arms did not get the units that their shares say (e-value {}); repair assignment or counting first",
            e_value(*log_e)
        ),
        Broken::Interference { bias: Some(bias), .. } => format!(
            "The arms share people, and the difference is not shown to exceed the {bias} that sharing alone can make; use a switchback"
        ),
        Broken::Interference { bias: None, .. } => {
            "The arms share people, and nobody has bounded what sharing alone can make; simulate it (`--interference-bound`) or use a switchback".to_owned()
        }
        Broken::Maturity { .. } => {
            "Units were counted before their windows had closed; wait, or shorten the window for all arms".to_owned()
        }
        Broken::UnitsInTwoArms { units, examples } => format!(
            "{units} {} seen in two arms ({}{}); repair assignment and start again",
            if *units == 1 { "unit was" } else { "units were" },
            examples.join(", "),
            if *units > examples.len() as u64 { ", …" } else { "" }
        ),
        Broken::Assignment { log_e } => format!(
            "Units were not assigned one by one: whole stretches went to one arm (e-value {}); if this is a switchback, say `--design switchback`",
            e_value(*log_e)
        ),
    }
}

fn interval(found: &AnyLookInterval) -> String {
    let show = |value: f64| match found.scale {
        IntervalScale::Difference => signed(value),
        _ => format!("{:+.2} %", (value - 1.0) * 100.0),
    };
    let unbounded = |sign: &str| match found.scale {
        IntervalScale::Difference => format!("{sign}∞"),
        _ => "∞".to_owned(),
    };
    format!(
        "[{}, {}]",
        found.lower.map_or_else(|| unbounded("-"), show),
        found.upper.map_or_else(|| unbounded("+"), show)
    )
}

fn on_scale(scale: Scale, value: f64) -> String {
    match scale {
        Scale::Relative => format!("{:+.2} %", value * 100.0),
        Scale::Difference => signed(value),
    }
}

fn signed(value: f64) -> String {
    let text = number(value);
    if value > 0.0 {
        format!("+{text}")
    } else {
        text
    }
}

fn number(value: f64) -> String {
    let size = value.abs();
    if size != 0.0 && !(1e-4..1e6).contains(&size) {
        format!("{value:.3e}")
    } else if size < 1.0 {
        format!("{value:.5}")
    } else {
        format!("{value:.3}")
    }
}

fn p_value(p: f64) -> String {
    if p < 1e-4 {
        format!("{p:.1e}")
    } else {
        format!("{p:.4}")
    }
}

/// An e-value from its logarithm.
fn e_value(log: f64) -> String {
    if log > 13.8 {
        format!("1e{:.0}", log / std::f64::consts::LN_10)
    } else if log > 6.9 {
        format!("{:.0}", log.exp())
    } else if log < -5.3 {
        "<0.01".to_owned()
    } else {
        format!("{:.2}", log.exp())
    }
}

fn time(at: &TimeValue) -> String {
    match at {
        // Nine digits at most: a time of 6.000000000000001 days is one of 6.
        TimeValue::Number(number) => format!("{:.6}", number)
            .trim_end_matches('0')
            .trim_end_matches('.')
            .to_owned(),
        TimeValue::Text(text) => text.clone(),
    }
}

fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        text.to_owned()
    } else {
        let kept: String = text.chars().take(most - 1).collect();
        format!("{kept}…")
    }
}
