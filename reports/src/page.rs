//! The offline page: what was learned from a log, and whether it holds.
//! Owns the page's values, their checks, and the order of sections.

use askama::Template;
use serde::{Deserialize, Serialize};

use crate::charts::forest::{EstimatorForest, ForestView};
use crate::charts::learning_curve::{LearningCurves, LearningCurvesView};
use crate::charts::policy_map::{PolicyMap, PolicyMapView};
use crate::charts::{ChartPair, reward_parts};
use crate::error::ReportError;
use crate::kpi::{KpiTable, KpiTableView};
use crate::provenance::{Provenance, ProvenanceView};
use crate::reason::{Reason, TierName};
use crate::sensitivity::{self, AlternativeReward, SensitivityView};
use crate::shell::{Entry, Shell};
use crate::support::{LogSupport, SupportView};
use crate::text::{Language, Phrase, Words};
use crate::verdict::{Verdict, VerdictView};

/// Everything the offline page shows. Only the verdict and the KPI table are
/// required; a section without values is left out, or says why if it is named
/// in `omitted`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OfflinePage {
    /// What the page is about, such as the shop's or the run's name.
    #[serde(default)]
    pub title: Option<String>,
    /// A line below the title, such as the log's name and span.
    #[serde(default)]
    pub subtitle: Option<String>,
    /// Whether the values are invented for show; says so across the page.
    #[serde(default)]
    pub sample: bool,
    /// What the evidence says.
    pub verdict: Verdict,
    /// Every policy beside the baseline.
    pub kpis: KpiTable,
    /// Evaluation during training.
    #[serde(default)]
    pub learning_curves: Option<LearningCurves>,
    /// Policy values by estimator.
    #[serde(default)]
    pub estimates: Option<EstimatorForest>,
    /// Which tier where, one map per policy.
    #[serde(default)]
    pub policy_maps: Vec<PolicyMap>,
    /// The verdict under other definitions of the reward.
    #[serde(default)]
    pub sensitivity: Vec<AlternativeReward>,
    /// What the log can and cannot support.
    #[serde(default)]
    pub log_support: Option<LogSupport>,
    /// Sections that were expected and could not be made.
    #[serde(default)]
    pub omitted: Vec<OmittedSection>,
    /// How the numbers were made.
    #[serde(default)]
    pub provenance: Provenance,
}

/// A section of the page that may be absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Section {
    /// Learning curves over seeds.
    LearningCurves,
    /// Policy values by estimator.
    Estimates,
    /// The policy map with visit counts.
    PolicyMap,
    /// The reward's parts.
    RewardParts,
    /// Sensitivity to the reward's weights.
    Sensitivity,
    /// What the log supports.
    LogSupport,
}

/// A section that has no values, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OmittedSection {
    /// The section.
    pub section: Section,
    /// Why it has no values.
    pub reason: Reason,
}

#[derive(Template)]
#[template(path = "offline.html")]
struct OfflineTemplate {
    words: Words,
    shell: Shell,
    verdict: VerdictView,
    kpis: KpiTableView,
    learning: Part<LearningCurvesView>,
    forest: Part<ForestView>,
    maps: Part<Vec<PolicyMapView>>,
    reward_parts: Part<ChartPair>,
    sensitivity: Part<SensitivityView>,
    support: Part<SupportView>,
    provenance: Option<ProvenanceView>,
    tiers: Vec<TierKey>,
}

/// A section's content: drawn, explained, or left out.
enum Part<T> {
    Drawn(T),
    Explained(String),
    LeftOut,
}

struct TierKey {
    class: &'static str,
    letter: &'static str,
    name: &'static str,
    meaning: &'static str,
}

impl OfflinePage {
    /// A page with a verdict and a KPI table; fill in further sections.
    pub fn new(verdict: Verdict, kpis: KpiTable) -> Self {
        Self {
            title: None,
            subtitle: None,
            sample: false,
            verdict,
            kpis,
            learning_curves: None,
            estimates: None,
            policy_maps: Vec::new(),
            sensitivity: Vec::new(),
            log_support: None,
            omitted: Vec::new(),
            provenance: Provenance::default(),
        }
    }

    /// Draws the page: one HTML document, complete in itself.
    ///
    /// # Errors
    /// A [`ReportError`] where values contradict each other (a verdict and its
    /// interval, shares that do not sum to one, cells outside a map) or a chart
    /// cannot be drawn. Missing and non-finite numbers in tables are no errors:
    /// they are shown as a dash.
    pub fn render(&self, language: Language) -> Result<String, ReportError> {
        self.check()?;
        let words = Words::new(language);
        let maps = if self.policy_maps.is_empty() {
            None
        } else {
            let views: Result<Vec<_>, _> =
                self.policy_maps.iter().map(|map| map.view(words)).collect();
            Some(views?)
        };
        let learning = self
            .learning_curves
            .as_ref()
            .map(|curves| curves.view(words));
        let forest = self.estimates.as_ref().map(|forest| forest.view(words));
        let reward_parts =
            reward_parts::draw(&self.kpis, words, words.say(Phrase::RewardPartsLabel))?;
        let sensitivity = sensitivity::view(&self.sensitivity, words)?;
        let support = self.log_support.as_ref().map(|support| support.view(words));
        let mut template = OfflineTemplate {
            words,
            shell: Shell::new(
                words,
                Phrase::OfflineReport,
                self.title.as_deref(),
                self.subtitle.as_deref(),
                self.sample,
            ),
            verdict: self.verdict.view(words)?,
            kpis: self.kpis.view(words),
            learning: self.part(Section::LearningCurves, learning.transpose()?, words),
            forest: self.part(Section::Estimates, forest.transpose()?, words),
            maps: self.part(Section::PolicyMap, maps, words),
            reward_parts: self.part(Section::RewardParts, reward_parts, words),
            sensitivity: self.part(Section::Sensitivity, sensitivity, words),
            support: self.part(Section::LogSupport, support, words),
            provenance: self.provenance.view(words),
            tiers: TierName::ALL
                .map(|tier| TierKey {
                    class: tier.class(),
                    letter: words.say(tier.letter()),
                    name: words.say(tier.phrase()),
                    meaning: words.say(tier.meaning()),
                })
                .into(),
        };
        template.shell.contents = template.contents();
        Ok(template.render()?)
    }

    fn check(&self) -> Result<(), ReportError> {
        self.verdict.check()?;
        self.kpis.check()?;
        if let Some(forest) = &self.estimates {
            forest.check()?;
        }
        for map in &self.policy_maps {
            map.check()?;
        }
        Ok(())
    }

    fn part<T>(&self, section: Section, view: Option<T>, words: Words) -> Part<T> {
        if let Some(view) = view {
            return Part::Drawn(view);
        }
        self.omitted
            .iter()
            .find(|omitted| omitted.section == section)
            .map_or(Part::LeftOut, |omitted| {
                Part::Explained(words.sentence(&omitted.reason.sentence(words)))
            })
    }
}

impl<T> Part<T> {
    fn is_shown(&self) -> bool {
        !matches!(self, Self::LeftOut)
    }
}

impl OfflineTemplate {
    fn contents(&self) -> Vec<Entry> {
        [
            (true, "policies", Phrase::KpiTitle),
            (self.learning.is_shown(), "learning", Phrase::LearningTitle),
            (self.forest.is_shown(), "estimates", Phrase::ForestTitle),
            (self.maps.is_shown(), "map", Phrase::MapTitle),
            (
                self.reward_parts.is_shown(),
                "parts",
                Phrase::RewardPartsTitle,
            ),
            (
                self.sensitivity.is_shown(),
                "sensitivity",
                Phrase::SensitivityTitle,
            ),
            (self.support.is_shown(), "log", Phrase::SupportTitle),
            (self.provenance.is_some(), "made", Phrase::ProvenanceTitle),
        ]
        .into_iter()
        .filter(|(shown, _, _)| *shown)
        .map(|(_, id, title)| Entry {
            id,
            title: self.words.say(title),
        })
        .collect()
    }
}
