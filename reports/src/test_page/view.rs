//! A test in words: verdict, figures, and the rows of its tables.

use super::charts::density;
use super::checks::{self, CheckRow};
use super::over_time::{interval_chart, share_chart, wealth_chart};
use super::values::{
    TestBreak, TestVerdict, TestWaiting, TestedExperiment, TestedGuarantee, TestedMethod,
    TestedScale, TestedSequence,
};
use crate::charts::ChartPair;
use crate::charts::strip::{Domain, Mark, Strip, Tick, Tone};
use crate::error::ReportError;
use crate::number::{self, Decimals};
use crate::text::{Phrase, Words};
use crate::verdict::Figure;

/// One experiment as the template draws it.
pub(crate) struct ExperimentView {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) class: &'static str,
    pub(crate) icon: &'static str,
    pub(crate) headline: String,
    pub(crate) figures: Vec<Figure>,
    pub(crate) meaning: String,
    pub(crate) action: String,
    pub(crate) interval_chart: Option<ChartPair>,
    pub(crate) wealth_chart: Option<ChartPair>,
    pub(crate) share_chart: Option<ChartPair>,
    pub(crate) posterior: Option<ChartPair>,
    pub(crate) posterior_caption: String,
    pub(crate) arms: Vec<ArmRow>,
    pub(crate) ratio: Option<String>,
    pub(crate) checks: Vec<CheckRow>,
    pub(crate) methods: Vec<MethodRow>,
    pub(crate) ticks: Vec<(Tick, String)>,
    pub(crate) methods_caption: String,
    pub(crate) notes: Vec<String>,
}

/// One arm of the table.
pub(crate) struct ArmRow {
    pub(super) name: String,
    pub(super) units: String,
    pub(super) conversions: String,
    pub(super) mean: String,
    pub(super) share: String,
}

/// One method of the table.
pub(crate) struct MethodRow {
    pub(super) name: String,
    pub(super) any_look: bool,
    pub(super) strip: String,
    pub(super) estimate: String,
    pub(super) interval: String,
    pub(super) p_value: String,
    pub(super) chance: String,
}

pub(super) fn title(experiment: &TestedExperiment) -> String {
    match &experiment.metric {
        Some(metric) => format!("{} · {metric}", experiment.name),
        None => experiment.name.clone(),
    }
}

/// Class, icon and headline of a verdict.
pub(crate) fn headline(
    experiment: &TestedExperiment,
    words: Words,
) -> (&'static str, &'static str, String) {
    let control = experiment.arms.first().map_or("", |arm| arm.name.as_str());
    verdict_line(&experiment.verdict, control, words)
}

/// Class, icon and headline of a verdict on challengers of `control`.
pub(crate) fn verdict_line(
    verdict: &TestVerdict,
    control: &str,
    words: Words,
) -> (&'static str, &'static str, String) {
    let about = |phrase, arm: &str| words.fill(phrase, &[("arm", arm), ("control", control)]);
    match verdict {
        TestVerdict::Promote { arm } => ("beats", "✓", about(Phrase::TestPromote, arm)),
        TestVerdict::RollBack {
            arm,
            guardrail: Some(guardrail),
        } => (
            "worse",
            "✕",
            words.fill(
                Phrase::TestHarm,
                &[("arm", arm.as_str()), ("guardrail", guardrail.as_str())],
            ),
        ),
        TestVerdict::RollBack { arm, .. } => ("worse", "✕", about(Phrase::TestRollBack, arm)),
        TestVerdict::KeepGoing { .. } => ("open", "…", words.say(Phrase::TestKeepGoing).to_owned()),
        TestVerdict::NotEnoughData { .. } => {
            ("open", "…", words.say(Phrase::TestTooLittle).to_owned())
        }
        TestVerdict::Broken { .. } => ("refused", "!", words.say(Phrase::TestBroken).to_owned()),
    }
}

fn meaning(experiment: &TestedExperiment, alpha: f64, words: Words) -> String {
    match &experiment.verdict {
        TestVerdict::Promote { .. } => words.fill(
            Phrase::TestPromoteMeaning,
            &[
                ("alpha", &number::level(alpha)),
                ("guarantee", guarantee(experiment, words)),
            ],
        ),
        TestVerdict::RollBack { .. } => words.fill(
            Phrase::TestRollBackMeaning,
            &[
                ("alpha", &number::level(alpha)),
                ("guarantee", guarantee(experiment, words)),
            ],
        ),
        TestVerdict::NotEnoughData { needed, have } => words.fill(
            Phrase::TestTooLittleMeaning,
            &[
                ("needed", &number::count(*needed)),
                ("have", &number::count(*have)),
            ],
        ),
        TestVerdict::KeepGoing { waiting_for } => {
            let reasons: Vec<String> = waiting_for
                .iter()
                .map(|reason| waiting(reason, words))
                .collect();
            let open = waiting_for.iter().any(|reason| {
                matches!(reason, TestWaiting::Superiority | TestWaiting::LoggedShares)
            });
            words.fill(
                if open {
                    Phrase::TestKeepGoingMeaning
                } else {
                    Phrase::TestBetterButMeaning
                },
                &[("reasons", &reasons.join(words.say(Phrase::ListSeparator)))],
            )
        }
        TestVerdict::Broken { broken } => match broken {
            TestBreak::SampleRatio => words.say(Phrase::TestBrokenRatio).to_owned(),
            TestBreak::Interference => words.say(Phrase::TestBrokenInterference).to_owned(),
            TestBreak::Maturity => words.say(Phrase::TestBrokenMaturity).to_owned(),
            TestBreak::Assignment => words.say(Phrase::TestBrokenAssignment).to_owned(),
            TestBreak::UnitsInTwoArms { units, examples } => words.fill(
                Phrase::TestBrokenUnits,
                &[
                    ("units", &number::count(*units)),
                    ("examples", &examples.join(words.say(Phrase::ListSeparator))),
                ],
            ),
        },
    }
}

fn guarantee(experiment: &TestedExperiment, words: Words) -> &'static str {
    words.say(match experiment.guarantee {
        TestedGuarantee::AnyLook => Phrase::TestAnyLookHolds,
        TestedGuarantee::AnyLookLargeSamples => Phrase::TestAnyLookLargeHolds,
        TestedGuarantee::OneLook => Phrase::TestOneLookHolds,
        TestedGuarantee::OneLookLargeSamples => Phrase::TestOneLookLargeHolds,
    })
}

fn waiting(reason: &TestWaiting, words: Words) -> String {
    match reason {
        TestWaiting::Superiority => words.say(Phrase::TestWaitSuperiority).to_owned(),
        TestWaiting::Share { have, needed } => words.fill(
            Phrase::TestWaitShare,
            &[
                ("have", &number::percent(*have, Decimals(0))),
                ("needed", &number::percent(*needed, Decimals(0))),
            ],
        ),
        TestWaiting::Days { have, needed } => words.fill(
            Phrase::TestWaitDays,
            &[
                ("have", &number::fixed(*have, Decimals(1))),
                ("needed", &number::fixed(*needed, Decimals(1))),
            ],
        ),
        TestWaiting::Secondary { metric } => {
            words.fill(Phrase::TestWaitSecondary, &[("metric", metric)])
        }
        TestWaiting::Stratum { stratum } => {
            words.fill(Phrase::TestWaitStratum, &[("stratum", stratum)])
        }
        TestWaiting::LoggedShares => words.say(Phrase::TestWaitShares).to_owned(),
    }
}

fn action(verdict: &TestVerdict, words: Words) -> String {
    words
        .say(match verdict {
            TestVerdict::Promote { .. } => Phrase::TestPromoteAction,
            TestVerdict::RollBack { .. } => Phrase::TestRollBackAction,
            TestVerdict::Broken { .. } => Phrase::TestBrokenAction,
            TestVerdict::KeepGoing { .. } | TestVerdict::NotEnoughData { .. } => {
                Phrase::TestKeepGoingAction
            }
        })
        .to_owned()
}

/// A plus before what is above zero; "< 0.1 %" says so itself.
fn plus(value: f64, text: String) -> String {
    if value > 0.0 && !text.starts_with('<') {
        format!("+{text}")
    } else {
        text
    }
}

/// A change on a sequence's scale.
pub(crate) fn change(scale: TestedScale, value: Option<f64>) -> String {
    match (scale, value) {
        (_, None) => "∞".to_owned(),
        (TestedScale::Difference, Some(value)) => {
            number::signed(value, Decimals::for_all(3, 3, &[value]))
        }
        (_, Some(value)) => plus(value, number::percent(value, Decimals(1))),
    }
}

pub(crate) fn interval_text(sequence: &TestedSequence) -> Option<String> {
    let (lower, upper) = sequence.interval?;
    let low = match (lower, sequence.scale) {
        (None, TestedScale::Difference) => "−∞".to_owned(),
        (lower, scale) => change(scale, lower),
    };
    Some(format!("{low} … {}", change(sequence.scale, upper)))
}

/// An e-value from its logarithm.
pub(crate) fn wealth_text(log: f64) -> String {
    if log > 13.8 {
        let exponent = (log / std::f64::consts::LN_10).round();
        format!("10{}", number::power(exponent))
    } else {
        let value = log.exp();
        let decimals = if value < 100.0 { 2 } else { 0 };
        number::fixed(value, Decimals(decimals))
    }
}

fn figures(experiment: &TestedExperiment, words: Words) -> Vec<Figure> {
    let mut figures = Vec::new();
    if let Some(sequence) = &experiment.sequence {
        if let Some(text) = interval_text(sequence) {
            figures.push(Figure {
                number: text,
                label: words
                    .say(match sequence.scale {
                        TestedScale::Rate => Phrase::TestChangeOfRate,
                        TestedScale::Odds => Phrase::TestChangeOfOdds,
                        TestedScale::Difference => Phrase::TestDifference,
                    })
                    .to_owned(),
            });
        }
        for (log, threshold, phrase) in [
            (
                sequence.log_wealth.0,
                sequence.thresholds.0,
                Phrase::TestWealthPromote,
            ),
            (
                sequence.log_wealth.1,
                sequence.thresholds.1,
                Phrase::TestWealthRollBack,
            ),
        ] {
            figures.push(Figure {
                number: wealth_text(log),
                label: words.fill(
                    phrase,
                    &[("threshold", &number::fixed(threshold, Decimals(0)))],
                ),
            });
        }
        if let Some((when, _)) = sequence.promoted.as_ref().or(sequence.rolled_back.as_ref()) {
            figures.push(Figure {
                number: when.clone(),
                label: words.say(Phrase::TestDecidedAt).to_owned(),
            });
        }
    }
    figures.push(Figure {
        number: number::count(experiment.arms.iter().map(|arm| arm.units).sum()),
        label: words.say(Phrase::TestUnits).to_owned(),
    });
    figures
}

pub(crate) fn experiment(
    experiment: &TestedExperiment,
    place: usize,
    alpha: f64,
    words: Words,
) -> Result<ExperimentView, ReportError> {
    let (class, icon, headline) = headline(experiment, words);
    let sequence = experiment.sequence.as_ref().filter(|s| s.looks.len() > 1);
    let (methods, ticks) = methods(experiment, words)?;
    let posterior = posterior(experiment, words)?;
    Ok(ExperimentView {
        id: format!("test-{}", place + 1),
        name: title(experiment),
        class,
        icon,
        headline,
        figures: figures(experiment, words),
        meaning: meaning(experiment, alpha, words),
        action: action(&experiment.verdict, words),
        interval_chart: sequence
            .and_then(|s| interval_chart(s, words).transpose())
            .transpose()?,
        wealth_chart: sequence.map(|s| wealth_chart(s, words)).transpose()?,
        share_chart: sequence
            .and_then(|s| share_chart(s, words).transpose())
            .transpose()?,
        posterior_caption: posterior
            .as_ref()
            .map_or(String::new(), |(_, text)| text.clone()),
        posterior: posterior.map(|(chart, _)| chart),
        arms: arms(experiment),
        ratio: experiment.sample_ratio.map(|ratio| {
            let p = number::fixed(ratio.p_value, Decimals(4));
            let phrase = if ratio.sound {
                Phrase::TestRatioSound
            } else {
                Phrase::TestRatioBroken
            };
            words.fill(phrase, &[("p", &p)])
        }),
        methods,
        ticks,
        methods_caption: words.fill(
            Phrase::TestMethodsCaption,
            &[("level", &number::level(1.0 - alpha))],
        ),
        checks: checks::rows(experiment, words),
        notes: experiment
            .notes
            .iter()
            .map(|note| words.sentence(&note.say(words)))
            .collect(),
    })
}

fn arms(experiment: &TestedExperiment) -> Vec<ArmRow> {
    let rates = experiment.arms.iter().all(|arm| arm.conversions.is_some());
    let means: Vec<f64> = experiment.arms.iter().map(|arm| arm.mean).collect();
    let decimals = if rates {
        Decimals(2)
    } else {
        Decimals::for_all(3, 4, &means)
    };
    let row = |arm: &super::TestedArm| ArmRow {
        name: arm.name.clone(),
        units: number::count(arm.units),
        conversions: arm
            .conversions
            .map_or(number::MISSING.to_owned(), number::count),
        mean: if rates {
            number::percent(arm.mean, decimals)
        } else {
            number::fixed(arm.mean, decimals)
        },
        share: arm.share.map_or(number::MISSING.to_owned(), |share| {
            number::percent(share, Decimals(1))
        }),
    };
    experiment.arms.iter().map(row).collect()
}

/// A method's estimate and interval as fractions of the control's mean.
fn relative(method: &TestedMethod, control: f64) -> Option<(f64, Option<(f64, f64)>)> {
    let by = if method.relative { 1.0 } else { control };
    if by == 0.0 {
        return None;
    }
    let interval = method
        .interval
        .map(|(lower, upper)| (lower / by, upper / by));
    Some((method.estimate? / by, interval))
}

/// A method with its estimate and interval as fractions of the control's mean.
type Relative<'a> = (&'a TestedMethod, f64, Option<(f64, f64)>);

/// Rows of the table of methods, and the ticks of its axis.
type Methods = (Vec<MethodRow>, Vec<(Tick, String)>);

fn methods(experiment: &TestedExperiment, words: Words) -> Result<Methods, ReportError> {
    let control = experiment.arms.first().map_or(0.0, |arm| arm.mean);
    let several = experiment.arms.len() > 2;
    let found: Vec<Relative<'_>> = experiment
        .methods
        .iter()
        .filter_map(|method| {
            let (estimate, interval) = relative(method, control)?;
            Some((method, estimate, interval))
        })
        .collect();
    let values: Vec<f64> = found
        .iter()
        .map(|(_, value, _)| *value)
        .chain([0.0])
        .collect();
    let intervals: Vec<(f64, f64)> = found.iter().filter_map(|(_, _, i)| *i).collect();
    let domain = Domain::robust(&values, &intervals);
    let percent = |value: f64| plus(value, number::percent(value, Decimals(1)));
    let mut rows = Vec::new();
    for (method, estimate, interval) in found {
        let tone = match interval {
            Some((lower, _)) if lower > 0.0 => Tone::Better,
            Some((_, upper)) if upper < 0.0 => Tone::Worse,
            _ => Tone::Neutral,
        };
        let strip = Strip {
            label: percent(estimate),
            domain,
            mark: Some(Mark {
                value: estimate,
                lower: interval.map(|i| i.0),
                upper: interval.map(|i| i.1),
                tone,
            }),
            reference: Some(0.0),
            height: 22,
        };
        let name = words.key(&method.method).to_owned();
        rows.push(MethodRow {
            name: if several {
                format!("{name} · {}", method.arm)
            } else {
                name
            },
            any_look: method.any_look,
            strip: strip.draw()?,
            estimate: percent(estimate),
            interval: interval.map_or(String::new(), |(lower, upper)| {
                format!("{} … {}", percent(lower), percent(upper))
            }),
            p_value: method
                .p_value
                .map_or(String::new(), |p| number::fixed(p, Decimals(4))),
            chance: method
                .chance_to_win
                .map_or(String::new(), |chance| number::percent(chance, Decimals(1))),
        });
    }
    let ticks = domain.ticks(4);
    let marks: Vec<f64> = ticks.iter().map(|tick| tick.number * 100.0).collect();
    let decimals = Decimals::for_all(0, 1, &marks);
    let ticks = ticks
        .into_iter()
        .map(|tick| {
            let text = number::percent(tick.number, decimals);
            (tick, text)
        })
        .collect();
    Ok((rows, ticks))
}

/// The Gaussian posterior of the lift, drawn from its own interval.
fn posterior(
    experiment: &TestedExperiment,
    words: Words,
) -> Result<Option<(ChartPair, String)>, ReportError> {
    let found = experiment
        .methods
        .iter()
        .find(|method| method.method == "gaussian" && method.chance_to_win.is_some());
    let Some((method, mean, lower, upper)) =
        found.and_then(|m| Some((m, m.estimate?, m.interval?.0, m.interval?.1)))
    else {
        return Ok(None);
    };
    // The interval is central, and its width in standard deviations does not matter for the shape: scale by 95 %.
    let deviation = (upper - lower) / (2.0 * 1.96);
    if !(deviation > 0.0 && deviation.is_finite()) {
        return Ok(None);
    }
    let chance = method.chance_to_win.unwrap_or(0.0);
    let caption = words.fill(
        Phrase::TestPosteriorCaption,
        &[
            ("arm", method.arm.as_str()),
            ("chance", &number::percent(chance, Decimals(1))),
        ],
    );
    let chart = density(&caption, mean, deviation, &|x| {
        number::percent(x, Decimals(0))
    })?;
    Ok(Some((chart, caption)))
}
