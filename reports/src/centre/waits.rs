//! How long customers wait, by hour of day and tier, under every policy.

use serde::{Deserialize, Serialize};

use super::cast::{Cast, band_caption, check_hours, duration, hours_note, items};
use crate::block::{Block, Key, KeyShape, SectionView};
use crate::charts::axis::Axis;
use crate::charts::panels::{Layer, Panel, PanelRow, Panels};
use crate::charts::theme::Ink;
use crate::error::ReportError;
use crate::measure::{Measure, Unit};
use crate::number;
use crate::reason::{Evidence, TierName};
use crate::table::{Cell, Column, Row, Table};
use crate::text::{CentrePhrase, Words};
use crate::uncertain::{Uncertain, check_level};

/// Waits and service level by hour of day, policy and tier.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WaitsByHour {
    /// Share of the replications that each band holds, a fraction.
    pub band_level: f64,
    /// Replications.
    pub replications: u64,
    /// The time zone of the hours, as the caller writes it.
    #[serde(default)]
    pub zone: Option<String>,
    /// Service levels of auto, review and human in seconds.
    #[serde(default)]
    pub limits_secs: Option<[f64; 3]>,
    /// One entry per policy, each in the KPI table.
    pub policies: Vec<PolicyWaits>,
}

/// One policy's waits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PolicyWaits {
    /// The policy.
    pub policy: String,
    /// Its tiers; a tier it never uses may be left out.
    pub tiers: Vec<TierWaits>,
}

/// One tier's waits over the day.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TierWaits {
    /// The tier that answered.
    pub tier: TierName,
    /// Hours in which it answered, in rising order.
    pub hours: Vec<HourWaits>,
}

/// The answers of one hour of the day, all days and replications together.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct HourWaits {
    /// Local hour, 0 to 23.
    pub hour: u8,
    /// Mean wait for an answer in seconds.
    pub mean_wait_secs: Uncertain,
    /// The wait in seconds that 90 % of answers stay below.
    pub p90_wait_secs: Uncertain,
    /// Answers inside the service level, a fraction.
    pub within_service_level: Uncertain,
    /// Answers in this hour over all replications.
    pub n: u64,
}

impl WaitsByHour {
    pub(super) fn check(&self, cast: &Cast) -> Result<(), ReportError> {
        check_level(|| "the waits' band level".to_owned(), self.band_level)?;
        for policy in &self.policies {
            cast.check("waits", &policy.policy)?;
            for tier in &policy.tiers {
                let place = || format!("waits of `{}`, tier {:?}", policy.policy, tier.tier);
                check_hours(place, tier.hours.iter().map(|hour| hour.hour))?;
                for hour in &tier.hours {
                    let place = || format!("{}, hour {}", place(), hour.hour);
                    hour.mean_wait_secs.check_positive(place)?;
                    hour.p90_wait_secs.check_positive(place)?;
                    hour.within_service_level.check_share(place)?;
                }
            }
        }
        Ok(())
    }

    pub(super) fn view(&self, words: Words, cast: &Cast) -> Result<SectionView, ReportError> {
        let lead = self.lead(words, cast);
        let caption = words.sentences(&[
            band_caption(
                words,
                CentrePhrase::WaitsCaption,
                self.band_level,
                self.replications,
            ),
            hours_note(words, self.zone.as_deref()),
        ]);
        Ok(SectionView {
            id: "waits",
            title: words.say(CentrePhrase::WaitsTitle),
            badge: Some(Evidence::Simulated.badge(words)),
            blocks: vec![
                Block::Caption(caption),
                Block::Legend(self.keys(words)),
                Block::Chart(self.panels(words, &lead).draw()?),
                Block::Heading(words.say(CentrePhrase::WaitsWorst).to_owned()),
                Block::Table(self.table(words)),
            ],
            lead,
        })
    }

    fn keys(&self, words: Words) -> Vec<Key> {
        let mut keys: Vec<Key> = self
            .tiers()
            .map(|tier| Key::new(KeyShape::Line, Ink::Tier(tier), words.say(tier.phrase())))
            .collect();
        let thick = words.say(CentrePhrase::MeanKey);
        let thin = words.say(CentrePhrase::TailKey);
        keys.push(Key::new(KeyShape::Line, Ink::Muted, thick));
        keys.push(Key::new(KeyShape::ThinLine, Ink::Muted, thin));
        let level = number::level(self.band_level);
        let band = words.fill(CentrePhrase::BandKey, &[("level", &level)]);
        keys.push(Key::new(KeyShape::Area, Ink::Muted, band));
        keys
    }

    /// Tiers that any policy uses.
    fn tiers(&self) -> impl Iterator<Item = TierName> {
        TierName::ALL.into_iter().filter(|tier| {
            self.policies
                .iter()
                .any(|policy| policy.hours(*tier).is_some_and(|hours| !hours.is_empty()))
        })
    }

    fn panels(&self, words: Words, label: &str) -> Panels {
        let narrow_columns = self.policies.len().clamp(1, 2);
        let mut rows: Vec<PanelRow> = self
            .tiers()
            .map(|tier| {
                let limit = self.limits_secs.map(|limits| limits[tier as usize]);
                let name = words.say(tier.phrase());
                let title = match limit {
                    Some(limit) => words.fill(
                        CentrePhrase::WaitsRowLimit,
                        &[("tier", name), ("limit", &duration(words, limit))],
                    ),
                    None => words.fill(CentrePhrase::WaitsRow, &[("tier", name)]),
                };
                PanelRow {
                    title: Some(title),
                    panels: self.wait_panels(words, tier),
                    height: 96,
                    narrow_columns,
                }
            })
            .collect();
        rows.push(PanelRow {
            title: Some(words.say(CentrePhrase::WaitsShareRow).to_owned()),
            panels: self.share_panels(words),
            height: 96,
            narrow_columns,
        });
        Panels {
            chart: "waits",
            label: label.to_owned(),
            rows,
        }
    }

    fn wait_panels(&self, words: Words, tier: TierName) -> Vec<Panel> {
        let mut numbers = Vec::new();
        for hour in self
            .policies
            .iter()
            .filter_map(|policy| policy.hours(tier))
            .flatten()
        {
            let waits = [hour.mean_wait_secs, hour.p90_wait_secs];
            numbers.extend(waits.iter().flat_map(|wait| [wait.value, wait.upper]));
        }
        let unit = Measure::WaitSecs.unit(numbers.iter().copied());
        let y = Axis::from_zero(words, unit, &numbers, 4);
        let ink = Ink::Tier(tier);
        let panel = |policy: &PolicyWaits| {
            let hours = policy.hours(tier).unwrap_or_default();
            let mean = |hour: &HourWaits| hour.mean_wait_secs;
            let tail = |hour: &HourWaits| hour.p90_wait_secs;
            Panel {
                title: policy.policy.clone(),
                x: Axis::hours_of_day(),
                y: y.clone(),
                layers: vec![
                    Layer::Band(ink, band(hours, tail)),
                    Layer::Band(ink, band(hours, mean)),
                    Layer::Line(ink, 1.0, line(hours, tail)),
                    Layer::Line(ink, 2.25, line(hours, mean)),
                ],
            }
        };
        self.policies.iter().map(panel).collect()
    }

    fn share_panels(&self, words: Words) -> Vec<Panel> {
        let panel = |policy: &PolicyWaits| {
            let share = |hour: &HourWaits| hour.within_service_level;
            let mut layers = Vec::new();
            for tier in &policy.tiers {
                layers.push(Layer::Band(Ink::Tier(tier.tier), band(&tier.hours, share)));
            }
            for tier in &policy.tiers {
                let points = line(&tier.hours, share);
                layers.push(Layer::Line(Ink::Tier(tier.tier), 2.0, points));
            }
            Panel {
                title: policy.policy.clone(),
                x: Axis::hours_of_day(),
                y: Axis::shares(words),
                layers,
            }
        };
        self.policies.iter().map(panel).collect()
    }

    fn lead(&self, words: Words, cast: &Cast) -> String {
        let found: Vec<String> = self
            .policies
            .iter()
            .filter(|policy| cast.leads(&policy.policy))
            .filter_map(|policy| {
                let tiers = policy.tiers.iter();
                let worst = tiers.filter_map(|tier| Some((tier.tier, worst(&tier.hours)?)));
                let (tier, hour) = worst.max_by(|(_, one), (_, other)| {
                    let (one, other) = (one.mean_wait_secs.value, other.mean_wait_secs.value);
                    one.total_cmp(&other)
                })?;
                let unit = Measure::WaitSecs.unit([hour.mean_wait_secs.value]);
                Some(words.fill(
                    CentrePhrase::WaitsItem,
                    &[
                        ("wait", &hour.mean_wait_secs.text(words, unit)),
                        ("policy", &policy.policy),
                        ("tier", words.say(tier.phrase())),
                        ("hour", &hour.hour.to_string()),
                        ("share", &hour.within_service_level.text(words, Unit::Rate)),
                        ("n", &number::count(hour.n)),
                    ],
                ))
            })
            .collect();
        if found.is_empty() {
            return words.say(CentrePhrase::WaitsNothing).to_owned();
        }
        words.fill(CentrePhrase::WaitsLead, &[("items", &items(words, &found))])
    }

    fn table(&self, words: Words) -> Table {
        let mut rows = Vec::new();
        for policy in &self.policies {
            rows.push(Row::group(policy.policy.clone()));
            for tier in &policy.tiers {
                let Some(hour) = worst(&tier.hours) else {
                    continue;
                };
                let unit = Measure::WaitSecs.unit([hour.p90_wait_secs.value]);
                let clock = [("hour", &*hour.hour.to_string())];
                rows.push(Row::new(
                    words.say(tier.tier.phrase()),
                    vec![
                        Cell::text(words.fill(CentrePhrase::Clock, &clock)),
                        Cell::uncertain(words, hour.mean_wait_secs, unit),
                        Cell::uncertain(words, hour.p90_wait_secs, unit),
                        Cell::uncertain(words, hour.within_service_level, Unit::Rate),
                        Cell::text(number::count(hour.n)),
                    ],
                ));
            }
        }
        Table {
            class: "",
            head: words.say(CentrePhrase::Tier),
            columns: [
                CentrePhrase::Hour,
                CentrePhrase::MeanWait,
                CentrePhrase::TailWait,
                CentrePhrase::InsideShare,
                CentrePhrase::Count,
            ]
            .map(|phrase| Column::number(words.say(phrase)))
            .into(),
            rows,
        }
    }
}

impl PolicyWaits {
    fn hours(&self, tier: TierName) -> Option<&[HourWaits]> {
        self.tiers
            .iter()
            .find(|found| found.tier == tier)
            .map(|found| found.hours.as_slice())
    }
}

/// The hour with the longest finite mean wait, the earliest of equals.
fn worst(hours: &[HourWaits]) -> Option<&HourWaits> {
    hours
        .iter()
        .filter(|hour| hour.mean_wait_secs.value.is_finite())
        .rev()
        .max_by(|one, other| {
            let (one, other) = (one.mean_wait_secs.value, other.mean_wait_secs.value);
            one.total_cmp(&other)
        })
}

fn line(hours: &[HourWaits], of: impl Fn(&HourWaits) -> Uncertain) -> Vec<(f64, f64)> {
    let points = hours
        .iter()
        .map(|hour| (f64::from(hour.hour) + 0.5, of(hour).value));
    points.collect()
}

fn band(hours: &[HourWaits], of: impl Fn(&HourWaits) -> Uncertain) -> Vec<(f64, f64, f64)> {
    let points = hours.iter().map(|hour| {
        let number = of(hour);
        (f64::from(hour.hour) + 0.5, number.lower, number.upper)
    });
    points.collect()
}
