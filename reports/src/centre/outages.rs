//! What an outage does to the queue and to customers, and how long its mark
//! stays.

use serde::{Deserialize, Serialize};

use super::cast::{Cast, band_caption, check_rising, duration, items, list};
use crate::block::{Block, SectionView};
use crate::charts::axis::Axis;
use crate::charts::panels::{Layer, Panel, PanelRow, Panels};
use crate::charts::strip::Domain;
use crate::charts::theme::Ink;
use crate::error::ReportError;
use crate::measure::Unit;
use crate::number::{self, Decimals, TimeUnit};
use crate::reason::Evidence;
use crate::table::{Cell, Column, Row, Table};
use crate::text::{CentrePhrase, Phrase, Words};
use crate::uncertain::{Uncertain, check_level, check_range};

/// One outage under every policy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outage {
    /// Its name, such as the region that goes down.
    pub name: String,
    /// When it starts, in seconds since the start of the timeline.
    pub start_secs: f64,
    /// When it ends, in seconds since the start of the timeline.
    pub end_secs: f64,
    /// Share of the capacity lost, a fraction.
    pub capacity_lost: f64,
    /// Seconds until conversations are sent elsewhere.
    pub reroute_delay_secs: f64,
    /// Languages whose speakers are lost.
    #[serde(default)]
    pub languages: Vec<String>,
    /// Share of the replications that each band holds, a fraction.
    pub band_level: f64,
    /// Replications.
    pub replications: u64,
    /// One entry per policy, each in the KPI table.
    pub policies: Vec<PolicyOutage>,
}

/// One policy in the outage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PolicyOutage {
    /// The policy.
    pub policy: String,
    /// The run before, during and after, in rising order of time.
    pub timeline: Vec<OutagePoint>,
    /// Seconds from the outage's end until the queue is back to normal; none
    /// where it was not within the run.
    #[serde(default)]
    pub recovery_time_secs: Option<Uncertain>,
    /// Conversations lost to the outage: those abandoned beyond a run without it.
    pub conversations_lost: Uncertain,
    /// Conversations abandoned before the outage, a fraction.
    pub abandoned_before: Uncertain,
    /// Conversations abandoned during the outage, a fraction.
    pub abandoned_during: Uncertain,
    /// Conversations abandoned after the outage, a fraction.
    pub abandoned_after: Uncertain,
    /// Conversations over all replications.
    pub n: u64,
}

/// The centre at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct OutagePoint {
    /// Seconds since the start of the timeline.
    pub at_secs: f64,
    /// Conversations waiting.
    pub waiting: Uncertain,
    /// Share of the conversations around this moment that were abandoned, a fraction.
    pub abandoned: Uncertain,
}

impl Outage {
    pub(super) fn check(&self, cast: &Cast) -> Result<(), ReportError> {
        let place = || format!("outage `{}`", self.name);
        check_level(place, self.band_level)?;
        check_range(place, self.capacity_lost, 0.0, 1.0)?;
        check_rising(place, [self.start_secs, self.end_secs])?;
        for policy in &self.policies {
            cast.check("outages", &policy.policy)?;
            let place = || format!("outage `{}` under `{}`", self.name, policy.policy);
            check_rising(place, policy.timeline.iter().map(|point| point.at_secs))?;
            for point in &policy.timeline {
                point.waiting.check_positive(place)?;
                point.abandoned.check_share(place)?;
            }
            if let Some(recovery) = policy.recovery_time_secs {
                recovery.check_positive(place)?;
            }
            policy.conversations_lost.check(place)?;
            for share in [
                policy.abandoned_before,
                policy.abandoned_during,
                policy.abandoned_after,
            ] {
                share.check_share(place)?;
            }
        }
        Ok(())
    }

    fn recovery_unit(&self) -> Unit {
        let times = self.policies.iter();
        let times = times.filter_map(|policy| Some(policy.recovery_time_secs?.value));
        Unit::Time(TimeUnit::for_largest(times))
    }

    fn lead(&self, words: Words, cast: &Cast) -> String {
        let found: Vec<String> = self
            .policies
            .iter()
            .filter(|policy| cast.leads(&policy.policy))
            .map(|policy| {
                let lost = policy.conversations_lost.text(words, Unit::Count);
                let named = [("policy", policy.policy.as_str()), ("lost", lost.as_str())];
                match policy.recovery_time_secs {
                    Some(recovery) => {
                        let recovery = recovery.text(words, self.recovery_unit());
                        let [policy, lost] = named;
                        words.fill(
                            CentrePhrase::OutageItem,
                            &[policy, lost, ("recovery", &recovery)],
                        )
                    }
                    None => words.fill(CentrePhrase::OutageItemNever, &named),
                }
            })
            .collect();
        words.fill(
            CentrePhrase::OutageLead,
            &[("outage", &self.name), ("items", &items(words, &found))],
        )
    }

    fn blocks(&self, words: Words, label: &str) -> Result<Vec<Block>, ReportError> {
        let mut caption = words.fill(
            CentrePhrase::OutageCaption,
            &[
                ("from", &duration(words, self.start_secs)),
                ("to", &duration(words, self.end_secs)),
                ("share", &number::percent(self.capacity_lost, Decimals(0))),
                ("delay", &duration(words, self.reroute_delay_secs)),
            ],
        );
        if !self.languages.is_empty() {
            let languages = list(words, &self.languages);
            caption
                .push_str(&words.fill(CentrePhrase::OutageLanguages, &[("languages", &languages)]));
        }
        let bands = band_caption(
            words,
            CentrePhrase::OutageBands,
            self.band_level,
            self.replications,
        );
        let panels = Panels {
            chart: "outage",
            label: label.to_owned(),
            rows: vec![
                self.row(words, CentrePhrase::QueueRow, Unit::Count, |point| {
                    point.waiting
                }),
                self.row(words, CentrePhrase::OutageAbandonRow, Unit::Rate, |point| {
                    point.abandoned
                }),
            ],
        };
        let joined = words.sentences(&[caption, bands]);
        Ok(vec![
            Block::Heading(self.name.clone()),
            Block::Caption(joined),
            Block::Chart(panels.draw()?),
            Block::Table(self.table(words)),
        ])
    }

    fn row(
        &self,
        words: Words,
        title: CentrePhrase,
        unit: Unit,
        of: fn(&OutagePoint) -> Uncertain,
    ) -> PanelRow {
        let points = || self.policies.iter().flat_map(|policy| &policy.timeline);
        let numbers: Vec<f64> = points().map(|point| of(point).upper).collect();
        let last = points().map(|point| point.at_secs).fold(0.0, f64::max);
        let times = Unit::Time(if last < 7200.0 {
            TimeUnit::Minutes
        } else {
            TimeUnit::Hours
        });
        let x = Axis::over(words, times, Domain::between(0.0, last.max(1.0)), 6);
        let y = Axis::from_zero(words, unit, &numbers, 3);
        let panel = |policy: &PolicyOutage| {
            let timeline = || policy.timeline.iter();
            let band = timeline().map(|point| (point.at_secs, of(point).lower, of(point).upper));
            let line = timeline().map(|point| (point.at_secs, of(point).value));
            Panel {
                title: policy.policy.clone(),
                x: x.clone(),
                y: y.clone(),
                layers: vec![
                    Layer::Span(self.start_secs, self.end_secs.min(last)),
                    Layer::Band(Ink::Series(0), band.collect()),
                    Layer::Line(Ink::Series(0), 2.0, line.collect()),
                ],
            }
        };
        PanelRow {
            title: Some(words.say(title).to_owned()),
            panels: self.policies.iter().map(panel).collect(),
            height: 110,
            narrow_columns: self.policies.len().clamp(1, 2),
        }
    }

    fn table(&self, words: Words) -> Table {
        let unit = self.recovery_unit();
        let rows = self.policies.iter().map(|policy| {
            let recovery = match policy.recovery_time_secs {
                Some(recovery) => Cell::uncertain(words, recovery, unit),
                None => Cell::text(words.say(CentrePhrase::NotRecovered)),
            };
            let share = |share| Cell::uncertain(words, share, Unit::Rate);
            Row::new(
                policy.policy.clone(),
                vec![
                    recovery,
                    Cell::uncertain(words, policy.conversations_lost, Unit::Count),
                    share(policy.abandoned_before),
                    share(policy.abandoned_during),
                    share(policy.abandoned_after),
                    Cell::text(number::count(policy.n)),
                ],
            )
        });
        Table {
            class: "",
            head: words.say(Phrase::Policy),
            columns: [
                CentrePhrase::Recovery,
                CentrePhrase::Lost,
                CentrePhrase::AbandonBefore,
                CentrePhrase::AbandonDuring,
                CentrePhrase::AbandonAfter,
                CentrePhrase::Count,
            ]
            .map(|phrase| Column::number(words.say(phrase)))
            .into(),
            rows: rows.collect(),
        }
    }
}

/// The section of all outages.
pub(super) fn view(
    words: Words,
    cast: &Cast,
    outages: &[Outage],
) -> Result<Option<SectionView>, ReportError> {
    if outages.is_empty() {
        return Ok(None);
    }
    let leads: Vec<String> = outages
        .iter()
        .map(|outage| outage.lead(words, cast))
        .collect();
    let mut blocks = Vec::new();
    for (outage, lead) in outages.iter().zip(&leads) {
        blocks.extend(outage.blocks(words, lead)?);
    }
    Ok(Some(SectionView {
        id: "outages",
        title: words.say(CentrePhrase::OutageTitle),
        badge: Some(Evidence::Simulated.badge(words)),
        lead: words.sentences(&leads),
        blocks,
    }))
}
