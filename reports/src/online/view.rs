//! An experiment in words: figures, tables and notes as the template draws them.

use super::charts::{self, LegendEntry};
use super::instant::moment;
use super::values::{OnlineDesign, OnlineMetric, OnlinePage, OnlineRole};
use super::verdict::{self, Headline};
use crate::charts::ChartPair;
use crate::error::ReportError;
use crate::number::{self, Decimals, MISSING};
use crate::test_page::view::{ExperimentView, change, experiment, wealth_text};
use crate::test_page::{TestVerdict, TestedArm, TestedExperiment, TestedGuarantee, TestedScale};
use crate::text::{OnlinePhrase as P, Phrase, Words};

/// The page as the template draws it.
pub(super) struct OnlineView {
    pub(super) verdict: Headline,
    pub(super) phase: &'static str,
    pub(super) phase_class: &'static str,
    pub(super) since: String,
    pub(super) as_of: String,
    pub(super) facts: Vec<(&'static str, String)>,
    pub(super) tested: ExperimentView,
    pub(super) sequence_caption: String,
    pub(super) empty: String,
    pub(super) arms_caption: String,
    pub(super) mean_label: String,
    pub(super) arms: Vec<ArmRow>,
    pub(super) ratio: Option<(bool, String)>,
    pub(super) watched: Vec<WatchedRow>,
    pub(super) watched_chart: Option<ChartPair>,
    pub(super) watched_legend: Vec<LegendEntry>,
    pub(super) strata: Vec<StratumRow>,
    pub(super) strata_caption: String,
    pub(super) arm_names: Vec<String>,
    pub(super) ramp_chart: Option<ChartPair>,
    pub(super) entering_chart: Option<ChartPair>,
    pub(super) arms_legend: Vec<LegendEntry>,
    pub(super) revisions: Vec<(String, String, Vec<String>)>,
    pub(super) audit: Vec<AuditRow>,
    pub(super) assignment_caption: String,
    pub(super) assignment: Vec<(String, String)>,
    pub(super) notes: Vec<String>,
}

pub(super) struct ArmRow {
    pub(super) name: String,
    pub(super) champion: bool,
    pub(super) policy: String,
    pub(super) share: String,
    pub(super) entered: String,
    pub(super) mature: String,
    pub(super) mean: String,
    pub(super) change: String,
    pub(super) interval: String,
    pub(super) tone: &'static str,
}

pub(super) struct WatchedRow {
    pub(super) name: String,
    pub(super) must_not: String,
    pub(super) means: Vec<String>,
    pub(super) evidence: String,
    pub(super) threshold: String,
    pub(super) state: &'static str,
    pub(super) class: &'static str,
}

pub(super) struct StratumRow {
    pub(super) name: String,
    pub(super) cells: Vec<String>,
    pub(super) vetoes: bool,
}

pub(super) struct AuditRow {
    pub(super) when: String,
    pub(super) actor: String,
    pub(super) action: String,
    pub(super) reason: String,
    pub(super) numbers: Vec<String>,
}

fn mean(metric: &OnlineMetric, value: Option<f64>) -> String {
    match value {
        None => MISSING.to_owned(),
        Some(value) if metric.is_rate => number::percent(value, Decimals(2)),
        Some(value) => number::fixed(value, Decimals(3)),
    }
}

fn hours(value: f64) -> String {
    number::fixed(value, Decimals(usize::from(value.fract() != 0.0)))
}

/// The test inside the experiment, for the words and drawings that both pages share.
fn tested(page: &OnlinePage) -> TestedExperiment {
    let verdict = verdict::foremost(&page.challengers).map_or(
        TestVerdict::KeepGoing {
            waiting_for: Vec::new(),
        },
        |challenger| challenger.verdict.clone(),
    );
    TestedExperiment {
        name: page.key.clone(),
        metric: None,
        arms: page
            .arms
            .iter()
            .map(|arm| TestedArm {
                name: arm.name.clone(),
                units: arm.mature,
                conversions: None,
                mean: arm.mean.unwrap_or(f64::NAN),
                share: Some(arm.share),
            })
            .collect(),
        methods: Vec::new(),
        sample_ratio: None,
        sequence: page.sequence.clone(),
        verdict,
        checks: Vec::new(),
        guarantee: TestedGuarantee::default(),
        notes: Vec::new(),
    }
}

pub(super) fn view(page: &OnlinePage, words: Words) -> Result<OnlineView, ReportError> {
    let tested = experiment(&tested(page), 0, page.alpha, words)?;
    let window = hours(page.primary.window_hours);
    let sequence_arm = page.sequence.as_ref().map_or("", |s| s.arm.as_str());
    Ok(OnlineView {
        verdict: verdict::headline(page, &tested, words),
        phase: verdict::phase_name(&page.phase, words),
        phase_class: verdict::phase_class(&page.phase),
        since: words.fill(P::Since, &[("when", &moment(page.phase_since_us))]),
        as_of: words.fill(P::AsOf, &[("when", &moment(page.at_us))]),
        facts: facts(page, words),
        sequence_caption: words.fill(P::SequenceCaption, &[("arm", sequence_arm)]),
        empty: words.fill(P::OverTimeEmpty, &[("hours", &window)]),
        tested,
        arms_caption: words.fill(P::ArmsCaption, &[("hours", &window)]),
        mean_label: page.primary.name.clone(),
        arms: arms(page),
        ratio: page.sample_ratio.map(|ratio| {
            let phrase = if ratio.sound {
                P::RatioSound
            } else {
                P::RatioBroken
            };
            let e = wealth_text(-ratio.p_value.max(1e-300).ln());
            (ratio.sound, words.fill(phrase, &[("e", &e)]))
        }),
        watched: page.watched.iter().map(|one| watched(one, words)).collect(),
        watched_chart: charts::watched(page, words)?,
        watched_legend: charts::watched_legend(page),
        strata: page.strata.iter().map(|one| stratum(page, one)).collect(),
        strata_caption: words.fill(
            P::StrataCaption,
            &[("field", page.strata_field.as_deref().unwrap_or(MISSING))],
        ),
        arm_names: page.arms.iter().map(|arm| arm.name.clone()).collect(),
        ramp_chart: charts::ramp(page, words)?,
        entering_chart: charts::entering(page, words)?,
        arms_legend: charts::arms_legend(page),
        revisions: page
            .revisions
            .iter()
            .map(|revision| {
                let shares = revision.shares.iter();
                (
                    revision.number.to_string(),
                    moment(revision.since_us),
                    shares.map(|s| number::percent(*s, Decimals(2))).collect(),
                )
            })
            .collect(),
        audit: audit(page, words),
        assignment_caption: words.fill(
            P::AssignmentCaption,
            &[("buckets", &number::count(page.assignment.buckets.into()))],
        ),
        assignment: assignment(page, words),
        notes: notes(page, words),
    })
}

fn facts(page: &OnlinePage, words: Words) -> Vec<(&'static str, String)> {
    let minutes = |value: f64| hours(value);
    let design = match page.design {
        OnlineDesign::User => words.say(P::DesignUser).to_owned(),
        OnlineDesign::Switchback {
            block_minutes,
            washout_minutes,
        } => words.fill(
            P::DesignSwitchback,
            &[
                ("block", &minutes(block_minutes)),
                ("washout", &minutes(washout_minutes)),
            ],
        ),
        OnlineDesign::SplitPool { block_minutes } => {
            words.fill(P::DesignSplitPool, &[("block", &minutes(block_minutes))])
        }
    };
    let primary = words.fill(
        P::PrimaryValue,
        &[
            ("name", page.primary.name.as_str()),
            ("event", &page.primary.event),
            ("hours", &hours(page.primary.window_hours)),
        ],
    );
    let people = if page.pool.shared {
        P::PeopleShared
    } else {
        P::PeopleOwn
    };
    vec![
        (words.say(P::DesignTitle), design),
        (words.say(P::PrimaryTitle), primary),
        (words.say(P::PeopleTitle), words.say(people).to_owned()),
    ]
}

fn arms(page: &OnlinePage) -> Vec<ArmRow> {
    let scale = match page.design {
        OnlineDesign::User => TestedScale::Rate,
        _ => TestedScale::Difference,
    };
    let champion = page.arms.first().and_then(|arm| arm.mean);
    page.arms
        .iter()
        .enumerate()
        .map(|(place, arm)| {
            let observed = arm.mean.zip(champion).filter(|_| place > 0);
            let observed = observed.map(|(mean, champion)| match scale {
                TestedScale::Difference => mean - champion,
                _ => mean / champion - 1.0,
            });
            let known = |value: f64| value.is_finite().then(|| change(scale, Some(value)));
            let interval = arm.interval.map_or(String::new(), |(lower, upper)| {
                let lower = match (lower, scale) {
                    (None, TestedScale::Difference) => "−∞".to_owned(),
                    (None, _) => change(scale, Some(-1.0)),
                    (lower, _) => change(scale, lower),
                };
                format!("{lower} … {}", change(scale, upper))
            });
            let tone = match arm.interval {
                Some((Some(lower), _)) if lower > 0.0 => "better",
                Some((_, Some(upper))) if upper < 0.0 => "worse",
                _ => "",
            };
            ArmRow {
                name: arm.name.clone(),
                champion: place == 0,
                policy: match &arm.policy_version {
                    Some(version) => format!("{} · {version}", arm.policy),
                    None => arm.policy.clone(),
                },
                share: number::percent(arm.share, Decimals(2)),
                entered: number::count(arm.entered),
                mature: number::count(arm.mature),
                mean: mean(&page.primary, arm.mean),
                change: observed.and_then(known).unwrap_or_default(),
                interval,
                tone,
            }
        })
        .collect()
}

fn watched(one: &super::OnlineWatched, words: Words) -> WatchedRow {
    let must_not = words.say(match one.role {
        OnlineRole::Secondary => P::RoleSecondary,
        OnlineRole::HarmedByRise => P::RoleRise,
        OnlineRole::HarmedByFall => P::RoleFall,
    });
    let (state, class) = match (one.role, one.reached) {
        (OnlineRole::Secondary, true) => (P::StateProven, "good"),
        (OnlineRole::Secondary, false) => (P::StateUnproven, "plain"),
        (_, true) => (P::StateHarmed, "refused"),
        (_, false) => (P::StateQuiet, "plain"),
    };
    let margin = (one.margin > 0.0).then(|| {
        let margin = number::level(one.margin);
        words.fill(P::Margin, &[("margin", &margin)])
    });
    WatchedRow {
        name: one.metric.name.clone(),
        must_not: match margin {
            Some(margin) => format!("{must_not} {margin}"),
            None => must_not.to_owned(),
        },
        means: one.means.iter().map(|m| mean(&one.metric, *m)).collect(),
        evidence: wealth_text(one.log_e),
        threshold: number::fixed(one.threshold, Decimals(0)),
        state: words.say(state),
        class,
    }
}

fn stratum(page: &OnlinePage, one: &super::OnlineStratum) -> StratumRow {
    let cells = one.units.iter().zip(&one.means).map(|(units, value)| {
        format!(
            "{} ({})",
            mean(&page.primary, *value),
            number::count(*units)
        )
    });
    StratumRow {
        name: one.name.clone(),
        cells: cells.collect(),
        vetoes: one.vetoes,
    }
}

fn audit(page: &OnlinePage, words: Words) -> Vec<AuditRow> {
    let row = |step: &super::OnlineStep| AuditRow {
        when: moment(step.at_us),
        actor: step.actor.clone(),
        action: step.action.clone(),
        reason: step.reason.clone(),
        numbers: step.numbers.iter().map(|n| numbers(n, words)).collect(),
    };
    page.audit.iter().rev().map(row).collect()
}

fn numbers(found: &super::OnlineNumbers, words: Words) -> String {
    let mut text = words.fill(
        P::Numbers,
        &[
            ("arm", found.arm.as_str()),
            ("champion", &number::count(found.units[0])),
            ("challenger", &number::count(found.units[1])),
            ("share", &number::percent(found.share, Decimals(1))),
            ("better", &wealth_text(found.log_wealth.0)),
            ("worse", &wealth_text(found.log_wealth.1)),
        ],
    );
    for (name, log_e) in &found.others {
        text.push_str(words.say(Phrase::ListSeparator));
        let values = [("name", name.as_str()), ("e", &wealth_text(*log_e))];
        text.push_str(&words.fill(P::NumbersOther, &values));
    }
    text
}

fn assignment(page: &OnlinePage, words: Words) -> Vec<(String, String)> {
    let facts = &page.assignment;
    let share = |value| number::percent(value, Decimals(1));
    let mut rows = vec![(words.say(P::Salt).to_owned(), facts.salt.clone())];
    if let Some(revision) = facts.revision {
        rows.push((words.say(P::RevisionFact).to_owned(), revision.to_string()));
        for (arm, owned) in page.arms.iter().zip(&facts.owned) {
            let name = words.fill(P::Owned, &[("arm", arm.name.as_str())]);
            rows.push((name, number::count((*owned).into())));
        }
        let nobody = facts.buckets.saturating_sub(facts.owned.iter().sum());
        if nobody > 0 {
            let name = words.say(P::Nobody).to_owned();
            rows.push((name, number::count(nobody.into())));
        }
    }
    rows.push((words.say(P::Coverage).to_owned(), share(facts.coverage)));
    if facts.holdout > 0.0 {
        rows.push((words.say(P::Holdout).to_owned(), share(facts.holdout)));
    }
    rows.push((words.say(P::Floor).to_owned(), share(facts.floor)));
    if let Some((layer, from, to)) = &facts.layer {
        rows.push((
            words.fill(P::LayerFact, &[("layer", layer.as_str())]),
            words.fill(
                P::LayerPart,
                &[("from", &share(*from)), ("to", &share(*to))],
            ),
        ));
    }
    rows
}

fn notes(page: &OnlinePage, words: Words) -> Vec<String> {
    let mut notes = Vec::new();
    if page.design == OnlineDesign::User && page.pool.shared {
        let bound = match page.pool.interference_bias {
            Some(bias) => {
                let bias = number::fixed(bias, Decimals::for_all(3, 2, &[bias]));
                words.fill(P::NoteBound, &[("bias", &bias)])
            }
            None => words.say(P::NoteNoBound).to_owned(),
        };
        notes.push(words.fill(P::NoteInterference, &[("bound", &bound)]));
    }
    notes.push(
        words
            .say(match page.design {
                OnlineDesign::User => P::NoteUnits,
                _ => P::NotePairs,
            })
            .to_owned(),
    );
    notes.push(words.say(P::NoteLasting).to_owned());
    notes
}
