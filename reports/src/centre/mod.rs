//! The centre page: what policies do to a simulated contact centre when
//! everyone uses them, and how far that simulation can be believed. Owns the
//! page's values, their checks and the order of sections; each file holds one
//! section's values and wording.

mod article;
mod calibration;
mod cast;
mod coupling;
mod designs;
mod headline;
mod outages;
mod pools;
mod queue;
mod routing;
mod staffing;
mod tornado;
mod waits;

use askama::Template;
use serde::{Deserialize, Serialize};

use crate::block::{Block, KeyShape, SectionView};
use crate::error::ReportError;
use crate::kpi::{KpiTable, KpiTableView};
use crate::measure::Measure;
use crate::provenance::{Provenance, ProvenanceView};
use crate::reason::Reason;
use crate::shell::{Entry, Shell};
use crate::text::{CentrePhrase, Language, Phrase, Words};
use crate::verdict::{Verdict, VerdictView};
use cast::Cast;

pub use article::{ArticleComparison, ArticleFigure, ArticleRow, Counterpart};
pub use calibration::{
    BandCoverage, Calibration, FittedParameter, HourlyVolume, ParameterSource, PredictiveCheck,
    ProbabilityScore, QuantilePlot, QuantilePoint, ReliabilityBin, VolumeHour,
};
pub use coupling::{Coupling, CouplingComparison, CouplingResult};
pub use designs::{DesignComparison, DesignResult, TestDesign};
pub use outages::{Outage, OutagePoint, PolicyOutage};
pub use pools::{HourPeople, HourShare, PolicyHours, PoolLoad, PoolsByHour};
pub use queue::{PolicyQueueEffect, QueueEffect};
pub use routing::{PolicyRouting, Routing, RoutingCell};
pub use staffing::{ReplicaPlan, ReplicaPoint, Staffing, StaffingHour, StaffingPlan};
pub use tornado::{ParameterSamples, ParameterSensitivity, ParameterSwing, RankCount, RankFlip};
pub use waits::{HourWaits, PolicyWaits, TierWaits, WaitsByHour};

/// Everything the centre page shows. Only the verdict and the KPI table are
/// required; a section without values is left out, or says why if it is named
/// in `omitted`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CentrePage {
    /// What the page is about, such as the centre's or the run's name.
    #[serde(default)]
    pub title: Option<String>,
    /// A line below the title, such as the scenario and its length.
    #[serde(default)]
    pub subtitle: Option<String>,
    /// Whether the values are invented for show; says so across the page.
    #[serde(default)]
    pub sample: bool,
    /// What the simulation says, usually [`Verdict::InCentre`].
    pub verdict: Verdict,
    /// Every policy beside the baseline; all other sections compare these.
    pub kpis: KpiTable,
    /// Waits and service level by hour and tier.
    #[serde(default)]
    pub waits: Option<WaitsByHour>,
    /// Busy people and abandonment by hour.
    #[serde(default)]
    pub pools: Option<PoolsByHour>,
    /// Which tier for which class under which load.
    #[serde(default)]
    pub routing: Option<Routing>,
    /// The queue as logged beside the queue as it would become.
    #[serde(default)]
    pub queue_effect: Option<QueueEffect>,
    /// Whether the simulator resembles the shop.
    #[serde(default)]
    pub calibration: Option<Calibration>,
    /// The verdict under other parameters.
    #[serde(default)]
    pub sensitivity: Option<ParameterSensitivity>,
    /// Live tests beside the truth, one entry per scenario.
    #[serde(default)]
    pub designs: Vec<DesignComparison>,
    /// People and AI replicas against the forecast.
    #[serde(default)]
    pub staffing: Option<Staffing>,
    /// Outages.
    #[serde(default)]
    pub outages: Vec<Outage>,
    /// The article's figures beside simulation and data.
    #[serde(default)]
    pub article: Option<ArticleComparison>,
    /// Learning under capacity, one entry per scenario.
    #[serde(default)]
    pub couplings: Vec<CouplingComparison>,
    /// Sections that were expected and could not be made.
    #[serde(default)]
    pub omitted: Vec<OmittedCentreSection>,
    /// How the numbers were made.
    #[serde(default)]
    pub provenance: Provenance,
}

/// A section of the centre page that may be absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CentreSection {
    /// Waits and service level by hour and tier.
    Waits,
    /// Busy people and abandonment by hour.
    Pools,
    /// Which tier for which class under which load.
    Routing,
    /// The queue as logged beside the queue as it would become.
    QueueEffect,
    /// Calibration of the simulator.
    Calibration,
    /// Sensitivity to the simulator's parameters.
    Sensitivity,
    /// Test designs and their bias.
    Designs,
    /// Staffing and AI replicas.
    Staffing,
    /// Outages.
    Outages,
    /// The article's figures.
    Article,
    /// Learning under capacity.
    Couplings,
}

/// A section that has no values, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OmittedCentreSection {
    /// The section.
    pub section: CentreSection,
    /// Why it has no values.
    pub reason: Reason,
}

#[derive(Template)]
#[template(path = "centre.html")]
struct CentreTemplate {
    words: Words,
    shell: Shell,
    verdict: VerdictView,
    kpi_tables: Vec<(&'static str, KpiTableView)>,
    sections: Vec<SectionView>,
    provenance: Option<ProvenanceView>,
}

impl CentreSection {
    fn head(self) -> (&'static str, CentrePhrase) {
        match self {
            Self::Waits => ("waits", CentrePhrase::WaitsTitle),
            Self::Pools => ("pools", CentrePhrase::PoolsTitle),
            Self::Routing => ("routing", CentrePhrase::RoutingTitle),
            Self::QueueEffect => ("queue", CentrePhrase::QueueTitle),
            Self::Calibration => ("calibration", CentrePhrase::CalibrationTitle),
            Self::Sensitivity => ("sensitivity", CentrePhrase::TornadoTitle),
            Self::Designs => ("designs", CentrePhrase::DesignsTitle),
            Self::Staffing => ("staffing", CentrePhrase::StaffingTitle),
            Self::Outages => ("outages", CentrePhrase::OutageTitle),
            Self::Article => ("article", CentrePhrase::ArticleTitle),
            Self::Couplings => ("coupling", CentrePhrase::CouplingTitle),
        }
    }
}

impl CentrePage {
    /// A page with a verdict and a KPI table; fill in further sections.
    pub fn new(verdict: Verdict, kpis: KpiTable) -> Self {
        Self {
            title: None,
            subtitle: None,
            sample: false,
            verdict,
            kpis,
            waits: None,
            pools: None,
            routing: None,
            queue_effect: None,
            calibration: None,
            sensitivity: None,
            designs: Vec::new(),
            staffing: None,
            outages: Vec::new(),
            article: None,
            couplings: Vec::new(),
            omitted: Vec::new(),
            provenance: Provenance::default(),
        }
    }

    /// Draws the page: one HTML document, complete in itself.
    ///
    /// # Errors
    /// A [`ReportError`] where values contradict each other (a verdict and its
    /// interval, shares that do not sum to one, a bias that is not measured
    /// minus true, a policy that the KPI table lacks) or a chart cannot be
    /// drawn. Numbers that are not finite are no errors: they are shown as a
    /// dash, and leave a gap in a chart.
    pub fn render(&self, language: Language) -> Result<String, ReportError> {
        let cast = Cast::of(&self.kpis);
        self.check(&cast)?;
        let words = Words::new(language);
        let sections = self.sections(words, &cast)?;
        let tables = [
            (CentrePhrase::OutcomesHeading, &Measure::CENTRE_OUTCOMES[..]),
            (CentrePhrase::QueuesHeading, &Measure::CENTRE_QUEUES[..]),
        ];
        let mut template = CentreTemplate {
            words,
            shell: Shell::new(
                words,
                Phrase::CentreReport,
                self.title.as_deref(),
                self.subtitle.as_deref(),
                self.sample,
            ),
            verdict: self.verdict.view(words)?,
            kpi_tables: tables
                .into_iter()
                .map(|(heading, measures)| (words.say(heading), self.kpis.view_of(words, measures)))
                .collect(),
            sections,
            provenance: self.provenance.view(words),
        };
        template.shell.contents = template.contents();
        Ok(template.render()?)
    }

    fn check(&self, cast: &Cast) -> Result<(), ReportError> {
        self.verdict.check()?;
        self.kpis.check()?;
        if let Some(waits) = &self.waits {
            waits.check(cast)?;
        }
        if let Some(pools) = &self.pools {
            pools.check(cast)?;
        }
        if let Some(routing) = &self.routing {
            routing.check(cast)?;
        }
        if let Some(queue) = &self.queue_effect {
            queue.check(cast)?;
        }
        if let Some(calibration) = &self.calibration {
            calibration.check()?;
        }
        if let Some(sensitivity) = &self.sensitivity {
            sensitivity.check(cast)?;
        }
        for designs in &self.designs {
            designs.check(cast)?;
        }
        if let Some(staffing) = &self.staffing {
            staffing.check()?;
        }
        for outage in &self.outages {
            outage.check(cast)?;
        }
        if let Some(article) = &self.article {
            article.check()?;
        }
        for coupling in &self.couplings {
            coupling.check()?;
        }
        Ok(())
    }

    /// The sections in the order they are read: what happens, whether to
    /// believe it, what to do.
    fn sections(&self, words: Words, cast: &Cast) -> Result<Vec<SectionView>, ReportError> {
        let waits = self.waits.as_ref().map(|waits| waits.view(words, cast));
        let pools = self.pools.as_ref().map(|pools| pools.view(words, cast));
        let queue = self
            .queue_effect
            .as_ref()
            .map(|queue| queue.view(words, self.calibration.as_ref()));
        let calibration = self.calibration.as_ref();
        let calibration = calibration.map(|calibration| calibration.view(words));
        let sensitivity = self.sensitivity.as_ref();
        let sensitivity = sensitivity.map(|sensitivity| sensitivity.view(words));
        let staffing = self.staffing.as_ref().map(|staffing| staffing.view(words));
        let drawn = [
            (CentreSection::Waits, waits.transpose()?),
            (CentreSection::Pools, pools.transpose()?),
            (
                CentreSection::Routing,
                self.routing
                    .as_ref()
                    .map(|routing| routing.view(words, cast)),
            ),
            (CentreSection::QueueEffect, queue.transpose()?),
            (CentreSection::Calibration, calibration.transpose()?),
            (CentreSection::Sensitivity, sensitivity.transpose()?),
            (CentreSection::Designs, designs::view(words, &self.designs)?),
            (
                CentreSection::Couplings,
                coupling::view(words, &self.couplings)?,
            ),
            (CentreSection::Staffing, staffing.transpose()?),
            (
                CentreSection::Outages,
                outages::view(words, cast, &self.outages)?,
            ),
            (
                CentreSection::Article,
                self.article.as_ref().map(|article| article.view(words)),
            ),
        ];
        Ok(drawn
            .into_iter()
            .filter_map(|(section, view)| view.or_else(|| self.explained(section, words)))
            .collect())
    }

    /// A section without values that says why it has none.
    fn explained(&self, section: CentreSection, words: Words) -> Option<SectionView> {
        let omitted = self
            .omitted
            .iter()
            .find(|omitted| omitted.section == section)?;
        let (id, title) = section.head();
        let reason = words.sentence(&omitted.reason.sentence(words));
        Some(SectionView {
            id,
            title: words.say(title),
            badge: None,
            lead: String::new(),
            blocks: vec![Block::Omitted(reason)],
        })
    }
}

impl CentreTemplate {
    fn contents(&self) -> Vec<Entry> {
        let policies = Entry {
            id: "policies",
            title: self.words.say(Phrase::KpiTitle),
        };
        let sections = self.sections.iter().map(|section| Entry {
            id: section.id,
            title: section.title,
        });
        let made = self.provenance.as_ref().map(|_| Entry {
            id: "made",
            title: self.words.say(Phrase::ProvenanceTitle),
        });
        [policies].into_iter().chain(sections).chain(made).collect()
    }
}
