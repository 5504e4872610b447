//! The live pages: one experiment as a page of its own ([`OnlinePage`]), the same inside a running router, and the list of
//! all experiments ([`DashboardPage`]). Owns their values; [`verdict`] and [`view`] turn them into words, [`charts`] into
//! drawings. Inside a router a page has a served style and a served script ([`Asset`]); the page by itself has neither.

mod charts;
mod dashboard;
mod instant;
mod spark;
mod values;
mod verdict;
mod view;

use askama::Template;

pub use self::dashboard::{DashboardPage, DashboardRow, LoginPage, RouterState};
pub use self::instant::moment;
pub use self::values::{
    OnlineArm, OnlineAssignment, OnlineChallenger, OnlineDesign, OnlineEntering, OnlineMetric,
    OnlineNumbers, OnlinePage, OnlinePhase, OnlinePool, OnlineRevision, OnlineRole, OnlineStep,
    OnlineStratum, OnlineWatched,
};
use self::view::OnlineView;
use crate::error::ReportError;
use crate::provenance::ProvenanceView;
use crate::shell::{Entry, Shell};
use crate::test_page::TestedTimes;
use crate::text::{Language, OnlinePhrase as P, Phrase, Words};

/// The style of every live page, for a router to serve.
pub const STYLESHEET: &str = concat!(
    include_str!("../../templates/style.css"),
    include_str!("../../templates/test.css"),
    include_str!("../../templates/online.css")
);

/// A file that a live page loads from its router.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asset {
    /// Where the page looks for it.
    pub path: &'static str,
    /// What is there.
    pub text: &'static str,
}

impl Asset {
    /// [`STYLESHEET`].
    pub const STYLE: Self = Self {
        path: "/assets/style.css",
        text: STYLESHEET,
    };
    /// The script that fetches the page again when something happened.
    pub const SCRIPT: Self = Self {
        path: "/assets/live.js",
        text: include_str!("../../templates/live.js"),
    };
    /// The icon of the tab.
    pub const ICON: Self = Self {
        path: "/assets/icon.svg",
        text: include_str!("../../templates/icon.svg"),
    };
}

/// What a page inside a router knows of the router.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveFrame {
    /// Address of this page, with its query.
    pub here: String,
    /// Whether a key was given, so that signing out means something.
    pub signed_in: bool,
}

impl LiveFrame {
    /// The same page in the other language.
    fn other_language(&self, language: Language) -> String {
        let path = self.here.split('?').next().unwrap_or("/");
        match language {
            Language::En => format!("{path}?lang=zh"),
            Language::Zh => format!("{path}?lang=en"),
        }
    }

    /// An address that keeps the language.
    fn link(path: &str, language: Language) -> String {
        match language {
            Language::En => format!("{path}?lang=en"),
            Language::Zh => format!("{path}?lang=zh"),
        }
    }
}

#[derive(Template)]
#[template(path = "online.html")]
struct OnlineTemplate {
    words: Words,
    shell: Shell,
    view: OnlineView,
    provenance: Option<ProvenanceView>,
}

#[derive(Template)]
#[template(path = "live_online.html")]
struct LiveTemplate {
    words: Words,
    shell: Shell,
    view: OnlineView,
    provenance: Option<ProvenanceView>,
    signed_in: bool,
    other: String,
    home: String,
    report: String,
    commands: Vec<String>,
}

impl OnlinePage {
    /// The unit of the charts' time, and microseconds in one of it.
    #[must_use]
    pub fn time_unit(start_us: i64, end_us: i64) -> (TestedTimes, f64) {
        if (end_us - start_us) as f64 > 3.0 * 86_400e6 {
            (TestedTimes::Days, 86_400e6)
        } else {
            (TestedTimes::Hours, 3_600e6)
        }
    }

    /// Draws the page: one HTML document, complete in itself.
    ///
    /// # Errors
    /// A [`ReportError`] where a chart cannot be drawn. Numbers that are not finite are shown as a dash.
    pub fn render(&self, language: Language) -> Result<String, ReportError> {
        let words = Words::new(language);
        let template = OnlineTemplate {
            words,
            shell: self.shell(words),
            view: view::view(self, words)?,
            provenance: self.provenance.view(words),
        };
        Ok(template.render()?)
    }

    /// Draws the page as a running router shows it: it refreshes itself.
    ///
    /// # Errors
    /// As [`OnlinePage::render`].
    pub fn render_live(
        &self,
        language: Language,
        frame: &LiveFrame,
    ) -> Result<String, ReportError> {
        let words = Words::new(language);
        let template = LiveTemplate {
            words,
            shell: self.shell(words),
            view: view::view(self, words)?,
            provenance: self.provenance.view(words),
            signed_in: frame.signed_in,
            other: frame.other_language(language),
            home: LiveFrame::link("/", language),
            report: LiveFrame::link(&format!("/v1/experiments/{}/report", self.key), language),
            commands: dashboard::commands(&self.key, &self.phase),
        };
        Ok(template.render()?)
    }

    fn shell(&self, words: Words) -> Shell {
        let subtitle = self.title.as_ref().map(|_| self.key.as_str());
        let mut shell = Shell::new(
            words,
            Phrase::TestReport,
            Some(self.title.as_deref().unwrap_or(&self.key)),
            subtitle,
            self.sample,
        );
        shell.kind = words.say(P::Report);
        shell.style = STYLESHEET;
        shell.contents = [
            ("arms", P::ArmsTitle, true),
            ("time", P::OverTimeTitle, true),
            ("watched", P::WatchedTitle, !self.watched.is_empty()),
            ("strata", P::StrataTitle, !self.strata.is_empty()),
            ("ramp", P::AllocationTitle, !self.revisions.is_empty()),
            ("audit", P::AuditTitle, !self.audit.is_empty()),
            ("assignment", P::AssignmentTitle, true),
            ("notes", P::NotesTitle, true),
        ]
        .into_iter()
        .filter(|(_, _, shown)| *shown)
        .map(|(id, title, _)| Entry {
            id,
            title: words.say(title),
        })
        .collect();
        shell
    }
}
