//! How busy people are by hour of day, how many are on shift, and when
//! customers give up.

use serde::{Deserialize, Serialize};

use super::cast::{Cast, band_caption, check_hours, hours_note, items};
use crate::block::{Block, Key, KeyShape, SectionView};
use crate::charts::axis::Axis;
use crate::charts::panels::{Layer, Panel, PanelRow, Panels, steps};
use crate::charts::theme::Ink;
use crate::error::ReportError;
use crate::measure::Unit;
use crate::number::{self, Decimals};
use crate::reason::Evidence;
use crate::table::{Cell, Column, Row, Table};
use crate::text::{CentrePhrase, Phrase, Words};
use crate::uncertain::{Uncertain, check_level, check_range};

/// Pools of people and abandonment by hour of day.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PoolsByHour {
    /// Share of the replications that each band holds, a fraction.
    pub band_level: f64,
    /// Replications.
    pub replications: u64,
    /// The time zone of the hours, as the caller writes it.
    #[serde(default)]
    pub zone: Option<String>,
    /// The pools.
    pub pools: Vec<PoolLoad>,
    /// Abandonment by policy.
    #[serde(default)]
    pub abandonment: Vec<PolicyHours>,
}

/// One pool of people under every policy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PoolLoad {
    /// The pool's name.
    pub pool: String,
    /// People on shift by hour, in rising order of hours.
    pub on_shift: Vec<HourPeople>,
    /// Busy share of those people, by policy.
    pub busy: Vec<PolicyHours>,
}

/// People on shift in one hour of the day.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct HourPeople {
    /// Local hour, 0 to 23.
    pub hour: u8,
    /// Mean number of people on shift.
    pub people: f64,
}

/// A share by hour of day under one policy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PolicyHours {
    /// The policy.
    pub policy: String,
    /// Hours in rising order; an hour without people or conversations is left out.
    pub hours: Vec<HourShare>,
}

/// A share in one hour of the day.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct HourShare {
    /// Local hour, 0 to 23.
    pub hour: u8,
    /// The share, a fraction.
    pub share: Uncertain,
    /// Conversations (for a busy share: person-hours) behind it, over all replications.
    pub n: u64,
}

impl PoolsByHour {
    pub(super) fn check(&self, cast: &Cast) -> Result<(), ReportError> {
        check_level(|| "the pools' band level".to_owned(), self.band_level)?;
        for pool in &self.pools {
            let place = || format!("people on shift in pool `{}`", pool.pool);
            check_hours(place, pool.on_shift.iter().map(|hour| hour.hour))?;
            for hour in &pool.on_shift {
                check_range(place, hour.people, 0.0, f64::INFINITY)?;
            }
            for busy in &pool.busy {
                busy.check(cast, &format!("busy share of pool `{}`", pool.pool))?;
            }
        }
        for abandonment in &self.abandonment {
            abandonment.check(cast, "abandonment")?;
        }
        Ok(())
    }

    pub(super) fn view(&self, words: Words, cast: &Cast) -> Result<SectionView, ReportError> {
        let lead = self.lead(words, cast);
        let caption = words.sentences(&[
            band_caption(
                words,
                CentrePhrase::PoolsCaption,
                self.band_level,
                self.replications,
            ),
            hours_note(words, self.zone.as_deref()),
        ]);
        let policies = self.pools.iter().flat_map(|pool| &pool.busy);
        let policies = policies
            .chain(&self.abandonment)
            .map(|hours| hours.policy.as_str());
        let mut keys = cast.keys(policies);
        let level = number::level(self.band_level);
        let band = words.fill(CentrePhrase::BandKey, &[("level", &level)]);
        keys.push(Key::new(KeyShape::Area, Ink::Muted, band));
        let panels = Panels {
            chart: "pools",
            label: lead.clone(),
            rows: self.rows(words, cast),
        };
        Ok(SectionView {
            id: "pools",
            title: words.say(CentrePhrase::PoolsTitle),
            badge: Some(Evidence::Simulated.badge(words)),
            lead,
            blocks: vec![
                Block::Caption(caption),
                Block::Legend(keys),
                Block::Chart(panels.draw()?),
                Block::Table(self.table(words)),
            ],
        })
    }

    fn rows(&self, words: Words, cast: &Cast) -> Vec<PanelRow> {
        let narrow_columns = self.pools.len().clamp(1, 2);
        let mut rows = Vec::new();
        let busy = |pool: &PoolLoad| Panel {
            title: pool.pool.clone(),
            x: Axis::hours_of_day(),
            y: Axis::shares(words),
            layers: layers(&pool.busy, cast),
        };
        let most: Vec<f64> = self
            .pools
            .iter()
            .flat_map(|pool| &pool.on_shift)
            .map(|hour| hour.people)
            .collect();
        let people_axis = Axis::from_zero(words, Unit::Count, &most, 3);
        let people = |pool: &PoolLoad| Panel {
            title: pool.pool.clone(),
            x: Axis::hours_of_day(),
            y: people_axis.clone(),
            layers: people_layers(&pool.on_shift),
        };
        if !self.pools.is_empty() {
            rows.push(PanelRow {
                title: Some(words.say(CentrePhrase::BusyRow).to_owned()),
                panels: self.pools.iter().map(busy).collect(),
                height: 110,
                narrow_columns,
            });
            rows.push(PanelRow {
                title: Some(words.say(CentrePhrase::PeopleRow).to_owned()),
                panels: self.pools.iter().map(people).collect(),
                height: 64,
                narrow_columns,
            });
        }
        if !self.abandonment.is_empty() {
            let hours = self.abandonment.iter().flat_map(|policy| &policy.hours);
            let numbers: Vec<f64> = hours.map(|hour| hour.share.upper).collect();
            rows.push(PanelRow {
                title: Some(words.say(CentrePhrase::AbandonRow).to_owned()),
                panels: vec![Panel {
                    title: words.say(CentrePhrase::AllPools).to_owned(),
                    x: Axis::hours_of_day(),
                    y: Axis::from_zero(words, Unit::Rate, &numbers, 3),
                    layers: layers(&self.abandonment, cast),
                }],
                height: 110,
                narrow_columns: 1,
            });
        }
        rows
    }

    /// The busiest hour of any pool under each policy, with its pool.
    fn busiest(&self) -> Vec<(&str, &PoolLoad, HourShare)> {
        let mut found: Vec<(&str, &PoolLoad, HourShare)> = Vec::new();
        for pool in &self.pools {
            for busy in &pool.busy {
                let Some(hour) = busy.highest() else { continue };
                match found.iter_mut().find(|known| known.0 == busy.policy) {
                    Some(known) if known.2.share.value < hour.share.value => {
                        (known.1, known.2) = (pool, hour);
                    }
                    Some(_) => {}
                    None => found.push((&busy.policy, pool, hour)),
                }
            }
        }
        found
    }

    fn lead(&self, words: Words, cast: &Cast) -> String {
        let busiest: Vec<String> = self
            .busiest()
            .into_iter()
            .filter(|(policy, ..)| cast.leads(policy))
            .map(|(policy, pool, hour)| {
                words.fill(
                    CentrePhrase::PoolsItem,
                    &[
                        ("pool", &pool.pool),
                        ("busy", &hour.share.text(words, Unit::Rate)),
                        ("policy", policy),
                        ("hour", &hour.hour.to_string()),
                        ("people", &pool.people_at(hour.hour)),
                    ],
                )
            })
            .collect();
        let abandoned: Vec<String> = self
            .abandonment
            .iter()
            .filter(|policy| cast.leads(&policy.policy))
            .filter_map(|policy| {
                let hour = policy.highest()?;
                Some(words.fill(
                    CentrePhrase::PoolsAbandonItem,
                    &[
                        ("hour", &hour.hour.to_string()),
                        ("policy", &policy.policy),
                        ("share", &hour.share.text(words, Unit::Rate)),
                        ("n", &number::count(hour.n)),
                    ],
                ))
            })
            .collect();
        let mut sentences = Vec::new();
        for (phrase, found) in [
            (CentrePhrase::PoolsLead, busiest),
            (CentrePhrase::PoolsAbandon, abandoned),
        ] {
            if !found.is_empty() {
                sentences.push(words.fill(phrase, &[("items", &items(words, &found))]));
            }
        }
        words.sentences(&sentences)
    }

    fn table(&self, words: Words) -> Table {
        let mut rows = Vec::new();
        for pool in &self.pools {
            rows.push(Row::group(pool.pool.clone()));
            for busy in &pool.busy {
                let Some(hour) = busy.highest() else { continue };
                let clock = [("hour", &*hour.hour.to_string())];
                rows.push(Row::new(
                    busy.policy.clone(),
                    vec![
                        Cell::text(words.fill(CentrePhrase::Clock, &clock)),
                        Cell::uncertain(words, hour.share, Unit::Rate),
                        Cell::text(pool.people_at(hour.hour)),
                        Cell::text(number::count(hour.n)),
                    ],
                ));
            }
        }
        Table {
            class: "",
            head: words.say(Phrase::Policy),
            columns: [
                CentrePhrase::BusiestHour,
                CentrePhrase::BusyShare,
                CentrePhrase::PeopleRow,
                CentrePhrase::PersonHours,
            ]
            .map(|phrase| Column::number(words.say(phrase)))
            .into(),
            rows,
        }
    }
}

impl PoolLoad {
    fn people_at(&self, hour: u8) -> String {
        let found = self.on_shift.iter().find(|people| people.hour == hour);
        found.map_or(number::MISSING.to_owned(), |found| {
            let whole = found.people.fract() == 0.0;
            number::fixed(found.people, Decimals(usize::from(!whole)))
        })
    }
}

impl PolicyHours {
    fn check(&self, cast: &Cast, what: &str) -> Result<(), ReportError> {
        cast.check("pools", &self.policy)?;
        let place = || format!("{what} under `{}`", self.policy);
        check_hours(place, self.hours.iter().map(|hour| hour.hour))?;
        for hour in &self.hours {
            hour.share
                .check_share(|| format!("{}, hour {}", place(), hour.hour))?;
        }
        Ok(())
    }

    /// The hour with the largest finite share, the earliest of equals.
    fn highest(&self) -> Option<HourShare> {
        self.hours
            .iter()
            .copied()
            .filter(|hour| hour.share.value.is_finite())
            .rev()
            .max_by(|one, other| one.share.value.total_cmp(&other.share.value))
    }
}

fn layers(policies: &[PolicyHours], cast: &Cast) -> Vec<Layer> {
    let middle = |hour: &HourShare| f64::from(hour.hour) + 0.5;
    let bands = policies.iter().map(|policy| {
        let points = policy
            .hours
            .iter()
            .map(|hour| (middle(hour), hour.share.lower, hour.share.upper));
        Layer::Band(cast.ink(&policy.policy), points.collect())
    });
    let lines = policies.iter().map(|policy| {
        let points = policy
            .hours
            .iter()
            .map(|hour| (middle(hour), hour.share.value));
        Layer::Line(cast.ink(&policy.policy), 2.0, points.collect())
    });
    bands.chain(lines).collect()
}

fn people_layers(hours: &[HourPeople]) -> Vec<Layer> {
    let points: Vec<(f64, f64)> = hours
        .iter()
        .map(|hour| (f64::from(hour.hour), hour.people))
        .collect();
    let area = steps(&points, 1.0);
    let area = area.into_iter().map(|(hour, people)| (hour, 0.0, people));
    vec![
        Layer::Band(Ink::Muted, area.collect()),
        Layer::Line(Ink::Muted, 1.5, steps(&points, 1.0)),
    ]
}
