//! Staff against forecast: how many people each hour needs, how many are
//! scheduled, and how many AI replicas run.

use serde::{Deserialize, Serialize};

use super::cast::{check_rising, duration, hours_note, items};
use crate::block::{Block, Key, KeyShape, SectionView};
use crate::charts::axis::{Axis, run_ticks};
use crate::charts::panels::{Layer, Panel, PanelRow, Panels, steps};
use crate::charts::strip::Domain;
use crate::charts::theme::Ink;
use crate::error::ReportError;
use crate::measure::Unit;
use crate::number::{self, Decimals};
use crate::reason::Evidence;
use crate::table::{Cell, Column, Row, Table};
use crate::text::{CentrePhrase, Words};
use crate::uncertain::{Uncertain, check_level, check_range};

/// How many short hours the table lists.
const SHORT_HOURS: usize = 8;

/// Plans of people and of AI replicas.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Staffing {
    /// The time zone of the hours, as the caller writes it.
    #[serde(default)]
    pub zone: Option<String>,
    /// One plan per pool of people.
    pub plans: Vec<StaffingPlan>,
    /// AI replicas over the same hours.
    #[serde(default)]
    pub replicas: Option<ReplicaPlan>,
}

/// One pool's hours.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StaffingPlan {
    /// The pool's name.
    pub pool: String,
    /// Share of customers to be served within the limit, a fraction.
    pub target_share: f64,
    /// The limit in seconds.
    pub limit_secs: f64,
    /// Share of outcomes that the forecast's band holds, a fraction.
    pub forecast_level: f64,
    /// Hours of history behind the forecast.
    pub history_hours: u64,
    /// Local hour of day of the first hour, 0 to 23.
    pub first_hour: u8,
    /// The hours, without gaps.
    pub hours: Vec<StaffingHour>,
}

/// One hour of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct StaffingHour {
    /// Contacts forecast in the hour.
    pub forecast: Uncertain,
    /// People it takes to meet the target, by Erlang-A.
    pub needed_people: u32,
    /// People scheduled.
    pub scheduled_people: u32,
}

/// AI replicas over time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReplicaPlan {
    /// Seconds from the wish for a replica to its start.
    pub start_delay_secs: f64,
    /// Local hour of day at `at_hours` = 0, 0 to 23.
    pub first_hour: u8,
    /// Changes, in rising order of time; each holds until the next.
    pub points: Vec<ReplicaPoint>,
    /// When the last point ends, in hours since the start.
    pub until_hours: f64,
}

/// Replicas from one moment on.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReplicaPoint {
    /// Hours since the start.
    pub at_hours: f64,
    /// Replicas running.
    pub running: u32,
    /// Replicas the autoscaler wants.
    pub desired: u32,
}

impl Staffing {
    pub(super) fn check(&self) -> Result<(), ReportError> {
        for plan in &self.plans {
            let place = || format!("staffing of pool `{}`", plan.pool);
            check_level(place, plan.target_share)?;
            check_level(place, plan.forecast_level)?;
            check_range(place, f64::from(plan.first_hour), 0.0, 23.0)?;
            for hour in &plan.hours {
                hour.forecast.check_positive(place)?;
            }
        }
        if let Some(replicas) = &self.replicas {
            let place = || "AI replicas".to_owned();
            check_range(place, f64::from(replicas.first_hour), 0.0, 23.0)?;
            let moments = replicas.points.iter().map(|point| point.at_hours);
            check_rising(place, moments.chain([replicas.until_hours]))?;
        }
        Ok(())
    }

    pub(super) fn view(&self, words: Words) -> Result<SectionView, ReportError> {
        let found: Vec<String> = self.plans.iter().map(|plan| plan.item(words)).collect();
        let mut lead = words.fill(
            CentrePhrase::StaffingLead,
            &[("items", &items(words, &found))],
        );
        let mut blocks = Vec::new();
        for plan in &self.plans {
            blocks.extend(plan.blocks(words, self.zone.as_deref(), &lead)?);
        }
        if let Some(replicas) = &self.replicas {
            let text = replicas.note(words);
            if self.plans.is_empty() {
                lead.clone_from(&text);
            }
            blocks.extend(replicas.blocks(words, text)?);
        }
        Ok(SectionView {
            id: "staffing",
            title: words.say(CentrePhrase::StaffingTitle),
            badge: Some(Evidence::Simulated.badge(words)),
            lead,
            blocks,
        })
    }
}

impl StaffingHour {
    fn missing(self) -> u32 {
        self.needed_people.saturating_sub(self.scheduled_people)
    }

    fn spare(self) -> u32 {
        self.scheduled_people.saturating_sub(self.needed_people)
    }
}

impl StaffingPlan {
    fn item(&self, words: Words) -> String {
        let sum = |of: fn(StaffingHour) -> u32| {
            let people = self.hours.iter().map(|hour| u64::from(of(*hour)));
            number::count(people.sum())
        };
        let short = self.hours.iter().filter(|hour| hour.missing() > 0).count();
        words.fill(
            CentrePhrase::StaffingItem,
            &[
                ("pool", &self.pool),
                ("under", &number::count(short as u64)),
                ("hours", &number::count(self.hours.len() as u64)),
                ("share", &number::level(self.target_share)),
                ("limit", &duration(words, self.limit_secs)),
                ("missing", &sum(StaffingHour::missing)),
                ("spare", &sum(StaffingHour::spare)),
            ],
        )
    }

    fn blocks(
        &self,
        words: Words,
        zone: Option<&str>,
        label: &str,
    ) -> Result<Vec<Block>, ReportError> {
        let level = number::level(self.forecast_level);
        let mut hours = hours_note(words, zone);
        if self.hours.len() > 48 {
            hours = words.sentences(&[&hours, words.say(CentrePhrase::RunDay)]);
        }
        let caption = words.fill(
            CentrePhrase::StaffingCaption,
            &[
                ("level", &level),
                ("n", &number::count(self.history_hours)),
                ("hours", &hours),
            ],
        );
        let key = |shape, ink, phrase| Key::new(shape, ink, words.say(phrase));
        let band = words.fill(CentrePhrase::ForecastBandKey, &[("level", &level)]);
        let panels = Panels {
            chart: "staffing",
            label: label.to_owned(),
            rows: vec![self.forecast_row(words), self.people_row(words)],
        };
        Ok(vec![
            Block::Heading(self.pool.clone()),
            Block::Caption(caption),
            Block::Legend(vec![
                key(KeyShape::Line, Ink::Series(0), CentrePhrase::ForecastKey),
                Key::new(KeyShape::Area, Ink::Series(0), band),
                key(KeyShape::Line, Ink::Series(1), CentrePhrase::NeededKey),
                key(KeyShape::Line, Ink::Text, CentrePhrase::ScheduledKey),
                key(KeyShape::Area, Ink::Worse, CentrePhrase::MissingKey),
                key(KeyShape::Area, Ink::Muted, CentrePhrase::SpareKey),
            ]),
            Block::Chart(panels.draw()?),
            self.short_hours(words),
        ])
    }

    fn axis(&self) -> Axis {
        let hours = self.hours.len() as u32;
        let domain = Domain::between(0.0, f64::from(hours.max(1)));
        Axis::labelled(domain, run_ticks(u32::from(self.first_hour), hours))
    }

    fn forecast_row(&self, words: Words) -> PanelRow {
        let hours = || (0u32..).map(f64::from).zip(&self.hours);
        let most: Vec<f64> = self.hours.iter().map(|hour| hour.forecast.upper).collect();
        let band = hours().map(|(at, hour)| (at + 0.5, hour.forecast.lower, hour.forecast.upper));
        let line = hours().map(|(at, hour)| (at + 0.5, hour.forecast.value));
        PanelRow {
            title: None,
            panels: vec![Panel {
                title: words.say(CentrePhrase::ForecastRow).to_owned(),
                x: self.axis(),
                y: Axis::from_zero(words, Unit::Count, &most, 3),
                layers: vec![
                    Layer::Band(Ink::Series(0), band.collect()),
                    Layer::Line(Ink::Series(0), 2.0, line.collect()),
                ],
            }],
            height: 96,
            narrow_columns: 1,
        }
    }

    fn people_row(&self, words: Words) -> PanelRow {
        let hours = || (0u32..).map(f64::from).zip(&self.hours);
        let needed: Vec<(f64, f64)> = hours()
            .map(|(at, hour)| (at, f64::from(hour.needed_people)))
            .collect();
        let scheduled: Vec<(f64, f64)> = hours()
            .map(|(at, hour)| (at, f64::from(hour.scheduled_people)))
            .collect();
        let most: Vec<f64> = needed
            .iter()
            .chain(&scheduled)
            .map(|point| point.1)
            .collect();
        let pairs = || needed.iter().zip(&scheduled);
        let missing = pairs()
            .filter(|(needed, scheduled)| needed.1 > scheduled.1)
            .map(|(needed, scheduled)| (needed.0, needed.0 + 1.0, scheduled.1, needed.1));
        let spare = pairs()
            .filter(|(needed, scheduled)| needed.1 < scheduled.1)
            .map(|(needed, scheduled)| (needed.0, needed.0 + 1.0, needed.1, scheduled.1));
        PanelRow {
            title: None,
            panels: vec![Panel {
                title: words.say(CentrePhrase::StaffRow).to_owned(),
                x: self.axis(),
                y: Axis::from_zero(words, Unit::Count, &most, 4),
                layers: vec![
                    Layer::Boxes(Ink::Muted, 0.18, spare.collect()),
                    Layer::Boxes(Ink::Worse, 0.35, missing.collect()),
                    Layer::Line(Ink::Series(1), 1.75, steps(&needed, 1.0)),
                    Layer::Line(Ink::Text, 2.25, steps(&scheduled, 1.0)),
                ],
            }],
            height: 130,
            narrow_columns: 1,
        }
    }

    /// The hours with too few people, the worst first.
    fn short_hours(&self, words: Words) -> Block {
        let mut short: Vec<(usize, &StaffingHour)> = self
            .hours
            .iter()
            .enumerate()
            .filter(|(_, hour)| hour.missing() > 0)
            .collect();
        if short.is_empty() {
            return Block::Note(words.say(CentrePhrase::StaffingNoShort).to_owned());
        }
        short.sort_by_key(|(_, hour)| std::cmp::Reverse(hour.missing()));
        let left = short.len().saturating_sub(SHORT_HOURS);
        let mut rows: Vec<Row> = short
            .into_iter()
            .take(SHORT_HOURS)
            .map(|(place, hour)| {
                let people = |count: u32| Cell::text(number::count(u64::from(count)));
                let missing = Cell {
                    strong: true,
                    ..people(hour.missing())
                };
                Row::new(
                    self.clock(words, place),
                    vec![
                        Cell::uncertain(words, hour.forecast, Unit::Count),
                        people(hour.needed_people),
                        people(hour.scheduled_people),
                        missing,
                    ],
                )
            })
            .collect();
        if left > 0 {
            let count = number::count(left as u64);
            rows.push(Row::group(
                words.fill(CentrePhrase::StaffingMore, &[("count", &count)]),
            ));
        }
        Block::Table(Table {
            class: "short",
            head: words.say(CentrePhrase::StaffingShort),
            columns: [
                CentrePhrase::Forecast,
                CentrePhrase::Needed,
                CentrePhrase::Scheduled,
                CentrePhrase::MissingPeople,
            ]
            .map(|phrase| Column::number(words.say(phrase)))
            .into(),
            rows,
        })
    }

    fn clock(&self, words: Words, place: usize) -> String {
        let hour = usize::from(self.first_hour) + place;
        let clock = (hour % 24).to_string();
        if self.hours.len() <= 24 {
            words.fill(CentrePhrase::Clock, &[("hour", &clock)])
        } else {
            let day = number::count((hour / 24 + 1) as u64);
            words.fill(CentrePhrase::RunHour, &[("day", &day), ("hour", &clock)])
        }
    }
}

impl ReplicaPlan {
    /// Hours from each point to the next, with the point.
    fn stretches(&self) -> impl Iterator<Item = (f64, &ReplicaPoint)> {
        let ends = self.points.iter().skip(1).map(|point| point.at_hours);
        self.points
            .iter()
            .zip(ends.chain([self.until_hours]))
            .map(|(point, end)| (end - point.at_hours, point))
    }

    fn note(&self, words: Words) -> String {
        let hours = |is: fn(&ReplicaPoint) -> bool| -> f64 {
            self.stretches()
                .filter(|(_, point)| is(point))
                .map(|(hours, _)| hours)
                .sum()
        };
        let behind = hours(|point| point.running < point.desired);
        words.fill(
            CentrePhrase::ReplicasNote,
            &[
                ("behind", &number::fixed(behind, Decimals(1))),
                ("hours", &number::fixed(hours(|_| true), Decimals(1))),
                ("delay", &duration(words, self.start_delay_secs)),
            ],
        )
    }

    fn blocks(&self, words: Words, note: String) -> Result<Vec<Block>, ReportError> {
        let line = |of: fn(&ReplicaPoint) -> u32| -> Vec<(f64, f64)> {
            let points = self.points.iter();
            points
                .map(|point| (point.at_hours, f64::from(of(point))))
                .collect()
        };
        let (running, desired) = (line(|point| point.running), line(|point| point.desired));
        let most: Vec<f64> = running
            .iter()
            .chain(&desired)
            .map(|point| point.1)
            .collect();
        let last = self.stretches().last().map_or(1.0, |(hours, _)| hours);
        let domain = Domain::between(0.0, self.until_hours);
        let hours = self.until_hours.clamp(0.0, 100_000.0).ceil() as u32;
        let ticks = run_ticks(u32::from(self.first_hour), hours)
            .into_iter()
            .filter(|(at, _)| *at <= self.until_hours)
            .collect();
        let heading = words.say(CentrePhrase::ReplicaRow);
        let panels = Panels {
            chart: "replicas",
            label: note.clone(),
            rows: vec![PanelRow {
                title: None,
                panels: vec![Panel {
                    title: String::new(),
                    x: Axis::labelled(domain, ticks),
                    y: Axis::from_zero(words, Unit::Count, &most, 3),
                    layers: vec![
                        Layer::Line(Ink::Series(1), 1.5, steps(&desired, last)),
                        Layer::Line(Ink::Text, 2.25, steps(&running, last)),
                    ],
                }],
                height: 96,
                narrow_columns: 1,
            }],
        };
        let key = |ink, phrase| Key::new(KeyShape::Line, ink, words.say(phrase));
        Ok(vec![
            Block::Heading(heading.to_owned()),
            Block::Caption(note),
            Block::Legend(vec![
                key(Ink::Text, CentrePhrase::RunningKey),
                key(Ink::Series(1), CentrePhrase::DesiredKey),
            ]),
            Block::Chart(panels.draw()?),
        ])
    }
}
