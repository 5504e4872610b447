//! The list of all experiments inside a running router, and the form that asks for a key.

use askama::Template;
use serde::{Deserialize, Serialize};

use super::instant::moment;
use super::values::{OnlineChallenger, OnlinePhase};
use super::{LiveFrame, spark, verdict};
use crate::error::ReportError;
use crate::number::{self, Decimals};
use crate::shell::Shell;
use crate::test_page::view::wealth_text;
use crate::test_page::{TestBreak, TestVerdict};
use crate::text::{Language, OnlinePhrase as P, Phrase, Words};

/// Everything the dashboard shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DashboardPage {
    /// The moment it tells of, in microseconds since 1970.
    pub at_us: i64,
    /// The router.
    pub router: RouterState,
    /// Every experiment.
    pub experiments: Vec<DashboardRow>,
}

/// How the router fares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouterState {
    /// Whether its store answers.
    pub ready: bool,
    /// Whether it judges.
    pub leading: bool,
    /// Bytes of exposures on their way to the store.
    pub spool_bytes: u64,
}

/// An experiment in the list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DashboardRow {
    /// Its key.
    pub key: String,
    /// A sentence for people.
    #[serde(default)]
    pub title: Option<String>,
    /// Where it stands.
    pub phase: OnlinePhase,
    /// Since when.
    pub phase_since_us: i64,
    /// Every arm with its share, the champion first.
    pub arms: Vec<(String, f64)>,
    /// Units that entered.
    pub entered: u64,
    /// Units whose window has closed.
    pub mature: u64,
    /// Every challenger.
    pub challengers: Vec<OnlineChallenger>,
    /// Wealth that decides: promotion, roll-back.
    pub thresholds: (f64, f64),
    /// Natural logarithms of the first challenger's wealth over time: promotion, roll-back.
    #[serde(default)]
    pub looks: Vec<(f64, f64)>,
}

struct RowView {
    key: String,
    title: String,
    link: String,
    report: String,
    phase: &'static str,
    phase_class: &'static str,
    since: String,
    verdict: String,
    verdict_class: &'static str,
    shares: Vec<(String, String, &'static str)>,
    bar: Vec<(String, String, &'static str)>,
    units: String,
    spark: Option<String>,
    better: String,
    worse: String,
    decides: String,
    commands: Vec<String>,
}

#[derive(Template)]
#[template(path = "dashboard.html")]
struct DashboardTemplate {
    words: Words,
    shell: Shell,
    as_of: String,
    router: RouterState,
    spool: String,
    rows: Vec<RowView>,
    signed_in: bool,
    other: String,
    home: String,
}

impl DashboardPage {
    /// Draws the list; `commands` of the frame are not shown, each experiment has its own.
    ///
    /// # Errors
    /// [`ReportError`] where the template fails.
    pub fn render(&self, language: Language, frame: &LiveFrame) -> Result<String, ReportError> {
        let words = Words::new(language);
        let spool = match self.router.spool_bytes {
            0 => words.say(P::SpoolEmpty).to_owned(),
            bytes => words.fill(P::Spool, &[("kb", &number::count(bytes.div_ceil(1024)))]),
        };
        let template = DashboardTemplate {
            words,
            shell: live_shell(words, P::Experiments),
            as_of: words.fill(P::AsOf, &[("when", &moment(self.at_us))]),
            router: self.router,
            spool,
            rows: self
                .experiments
                .iter()
                .map(|experiment| row(experiment, words))
                .collect(),
            signed_in: frame.signed_in,
            other: frame.other_language(language),
            home: LiveFrame::link("/", language),
        };
        Ok(template.render()?)
    }
}

fn live_shell(words: Words, title: P) -> Shell {
    let mut shell = Shell::new(
        words,
        Phrase::TestReport,
        Some(words.say(title)),
        None,
        false,
    );
    shell.kind = words.say(P::Dashboard);
    shell
}

fn row(experiment: &DashboardRow, words: Words) -> RowView {
    let foremost = verdict::foremost(&experiment.challengers);
    let (class, sentence) = sentence(experiment, foremost, words);
    let wealth = foremost.map_or((0.0, 0.0), |challenger| challenger.log_wealth);
    let spark = (experiment.looks.len() > 1).then(|| {
        let of = experiment.thresholds;
        let points: Vec<(f64, f64)> = experiment
            .looks
            .iter()
            .map(|(better, worse)| (better / of.0.ln(), worse / of.1.ln()))
            .collect();
        spark::draw(words.say(P::SparkLabel), &points)
    });
    let percent = |share: f64| format!("{:.2}%", 100.0 * share.clamp(0.0, 1.0));
    let mut before = 0.0;
    let mut bar = Vec::new();
    let inks = ["baseline", "series-1", "series-2", "series-3", "series-4"];
    for (place, (_, share)) in experiment.arms.iter().enumerate() {
        let ink = inks[place.min(inks.len() - 1)];
        bar.push((percent(before), percent(*share), ink));
        before += share;
    }
    RowView {
        bar,
        key: experiment.key.clone(),
        title: experiment
            .title
            .clone()
            .unwrap_or_else(|| experiment.key.clone()),
        link: LiveFrame::link(&format!("/dashboard/{}", experiment.key), words.language()),
        report: LiveFrame::link(
            &format!("/v1/experiments/{}/report", experiment.key),
            words.language(),
        ),
        phase: verdict::phase_name(&experiment.phase, words),
        phase_class: verdict::phase_class(&experiment.phase),
        since: words.fill(P::Since, &[("when", &moment(experiment.phase_since_us))]),
        verdict: sentence,
        verdict_class: class,
        shares: experiment
            .arms
            .iter()
            .enumerate()
            .map(|(place, (name, share))| {
                let ink = inks[place.min(inks.len() - 1)];
                (name.clone(), number::percent(*share, Decimals(1)), ink)
            })
            .collect(),
        units: words.fill(
            P::UnitsShort,
            &[
                ("entered", &number::count(experiment.entered)),
                ("mature", &number::count(experiment.mature)),
            ],
        ),
        spark,
        better: words.fill(P::BetterShort, &[("e", &wealth_text(wealth.0))]),
        worse: words.fill(P::WorseShort, &[("e", &wealth_text(wealth.1))]),
        decides: words.fill(
            P::OfThreshold,
            &[(
                "threshold",
                &number::fixed(experiment.thresholds.0, Decimals(0)),
            )],
        ),
        commands: commands(&experiment.key, &experiment.phase),
    }
}

/// What may be asked of an experiment in a phase.
pub(super) fn commands(key: &str, phase: &OnlinePhase) -> Vec<String> {
    let actions: &[&str] = match phase {
        OnlinePhase::Draft => &["start"],
        OnlinePhase::Running => &["pause", "stop", "kill"],
        OnlinePhase::Paused => &["resume", "stop", "kill"],
        OnlinePhase::Promoted { .. } => &["complete", "rollback", "kill"],
        _ => &[],
    };
    actions
        .iter()
        .map(|action| format!("tierwise experiment {action} {key} --reason \"…\""))
        .collect()
}

/// The verdict in one line.
fn sentence(
    experiment: &DashboardRow,
    foremost: Option<&OnlineChallenger>,
    words: Words,
) -> (&'static str, String) {
    let control = experiment.arms.first().map_or("", |arm| arm.0.as_str());
    let say = |phrase: P, arm: &str| words.fill(phrase, &[("arm", arm), ("control", control)]);
    match &experiment.phase {
        OnlinePhase::Draft => ("open", say(P::DraftHeadline, "")),
        OnlinePhase::Paused => ("open", say(P::PausedHeadline, "")),
        OnlinePhase::Promoted { arm, .. } => ("beats", say(P::PromotedHeadline, arm)),
        OnlinePhase::Completed { arm } => ("beats", say(P::CompletedHeadline, arm)),
        OnlinePhase::RolledBack => ("worse", say(P::RolledBackHeadline, "")),
        OnlinePhase::Stopped => ("open", say(P::StoppedHeadline, "")),
        OnlinePhase::Killed => ("worse", say(P::KilledHeadline, "")),
        OnlinePhase::Running => match foremost.map(|challenger| &challenger.verdict) {
            Some(TestVerdict::Broken {
                broken: TestBreak::Interference,
            }) => ("open", words.say(P::InterferenceHeadline).to_owned()),
            Some(verdict) => {
                let (class, _, text) =
                    crate::test_page::view::verdict_line(verdict, control, words);
                (class, text)
            }
            None => ("open", String::new()),
        },
    }
}

/// The form that asks for a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoginPage {
    /// Whether a key was given that is none.
    pub refused: bool,
}

#[derive(Template)]
#[template(path = "login.html")]
struct LoginTemplate {
    words: Words,
    shell: Shell,
    refused: bool,
    signed_in: bool,
    other: String,
    home: String,
    action: String,
    back: String,
}

impl LoginPage {
    /// Draws the form; afterwards the reader comes back to `frame.here`.
    ///
    /// # Errors
    /// [`ReportError`] where the template fails.
    pub fn render(self, language: Language, frame: &LiveFrame) -> Result<String, ReportError> {
        let words = Words::new(language);
        let template = LoginTemplate {
            words,
            shell: live_shell(words, P::LogInTitle),
            refused: self.refused,
            signed_in: false,
            other: frame.other_language(language),
            home: LiveFrame::link("/", language),
            action: LiveFrame::link("/login", language),
            back: frame.here.clone(),
        };
        Ok(template.render()?)
    }
}
