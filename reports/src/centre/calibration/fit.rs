//! Goodness of fit in pictures: quantiles against quantiles, the held-out
//! hours inside their band, and how probabilities and bands keep their word.

use serde::{Deserialize, Serialize};

use crate::block::{Block, Key, KeyShape};
use crate::centre::cast::{check_rising, scope};
use crate::charts::axis::{Axis, run_ticks};
use crate::charts::panels::{Layer, Panel, PanelRow, Panels};
use crate::charts::strip::Domain;
use crate::charts::theme::Ink;
use crate::error::ReportError;
use crate::measure::Unit;
use crate::number::{self, Decimals};
use crate::reason::TierName;
use crate::table::{Cell, Column, Mark, Row, Table};
use crate::text::{CentrePhrase, Words};
use crate::uncertain::{QuantityUnit, Uncertain, check_range};

/// One distribution, observed and simulated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct QuantilePlot {
    /// The quantity's key, such as `handle_time`; translated where the page knows it.
    pub quantity: String,
    /// The message class it is restricted to.
    #[serde(default)]
    pub class: Option<String>,
    /// The tier it is restricted to.
    #[serde(default)]
    pub tier: Option<TierName>,
    /// The unit of its quantiles.
    pub unit: QuantityUnit,
    /// Quantiles, in rising order of probability; 20 to 50 are plenty.
    pub points: Vec<QuantilePoint>,
    /// Kolmogorov–Smirnov distance, the largest difference of the two
    /// distribution functions, in \[0, 1\].
    pub ks_distance: f64,
    /// p-value of the two-sample test, in \[0, 1\].
    #[serde(default)]
    pub ks_p_value: Option<f64>,
    /// Observations.
    pub observed_n: u64,
    /// Simulated values.
    pub simulated_n: u64,
}

/// The quantile of one probability in both distributions.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct QuantilePoint {
    /// The probability, in \[0, 1\].
    pub probability: f64,
    /// The observed quantile.
    pub observed: f64,
    /// The simulated quantile.
    pub simulated: f64,
}

/// Contacts in every held-out hour, one after the other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HourlyVolume {
    /// Local hour of day of the first hour, 0 to 23.
    pub first_hour: u8,
    /// The hours, without gaps.
    pub hours: Vec<VolumeHour>,
}

/// One held-out hour.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct VolumeHour {
    /// Contacts observed.
    pub observed: f64,
    /// The simulator's mean with its 5th and 95th percentile.
    pub simulated: Uncertain,
}

/// How often bands of one quantity held the observed value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BandCoverage {
    /// The quantity's key, such as `hourly_volume`; translated where the page knows it.
    pub quantity: String,
    /// The share of observations that the bands promise to hold, a fraction.
    pub nominal: f64,
    /// The share that they held, with its interval.
    pub covered: Uncertain,
    /// Observations.
    pub n: u64,
}

/// How well a model's probabilities agree with what happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProbabilityScore {
    /// The model's key, such as `satisfaction` or `click`; translated where the page knows it.
    pub model: String,
    /// Mean squared error of the probabilities.
    pub brier: Uncertain,
    /// The same for the constant probability that is right on average.
    #[serde(default)]
    pub brier_of_mean: Option<f64>,
    /// Mean distance between promised and observed share over ten bins (ECE).
    pub calibration_error: Uncertain,
    /// Observations.
    pub n: u64,
    /// Bins of promised probability, for a reliability plot.
    #[serde(default)]
    pub bins: Vec<ReliabilityBin>,
}

/// Observations with similar promised probabilities.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReliabilityBin {
    /// Mean promised probability.
    pub promised: f64,
    /// Observed share.
    pub observed: f64,
    /// Observations.
    pub n: u64,
}

impl QuantilePlot {
    pub(super) fn check(&self) -> Result<(), ReportError> {
        let place = || format!("quantiles of `{}`", self.quantity);
        check_rising(place, self.points.iter().map(|point| point.probability))?;
        for point in &self.points {
            check_range(place, point.probability, 0.0, 1.0)?;
        }
        let pairs = self.points.windows(2);
        for (before, next) in pairs.filter_map(|pair| Some((pair.first()?, pair.get(1)?))) {
            for (before, number) in [
                (before.observed, next.observed),
                (before.simulated, next.simulated),
            ] {
                if number < before {
                    return Err(ReportError::NotRising {
                        place: place(),
                        before,
                        number,
                    });
                }
            }
        }
        check_range(place, self.ks_distance, 0.0, 1.0)?;
        check_range(place, self.ks_p_value.unwrap_or(0.0), 0.0, 1.0)
    }

    fn title(&self, words: Words) -> String {
        let scope = scope(words, self.class.as_deref(), self.tier);
        let name = words.key(&self.quantity);
        if scope.is_empty() {
            name.to_owned()
        } else {
            format!("{name} ({scope})")
        }
    }

    fn panel(&self, words: Words) -> Panel {
        let points: Vec<(f64, f64)> = self
            .points
            .iter()
            .map(|point| (point.observed, point.simulated))
            .collect();
        let numbers: Vec<f64> = points.iter().flat_map(|(x, y)| [*x, *y]).collect();
        let unit = self.unit.unit(numbers.iter().copied());
        let axis = Axis::around(words, unit, &numbers, 3);
        let domain = Domain::around(&numbers);
        let ends = vec![(domain.low(), domain.low()), (domain.high(), domain.high())];
        Panel {
            title: self.title(words),
            x: axis.clone(),
            y: axis,
            layers: vec![
                Layer::Line(Ink::Baseline, 1.5, ends),
                Layer::Dots(Ink::Series(0), points),
            ],
        }
    }
}

/// The Q–Q plots with their distances.
pub(super) fn distributions(
    words: Words,
    plots: &[QuantilePlot],
) -> Result<Vec<Block>, ReportError> {
    if plots.is_empty() {
        return Ok(Vec::new());
    }
    let heading = words.say(CentrePhrase::QuantilesHeading);
    let panels = Panels {
        chart: "quantiles",
        label: heading.to_owned(),
        rows: plots
            .chunks(3)
            .map(|plots| PanelRow {
                title: None,
                panels: plots.iter().map(|plot| plot.panel(words)).collect(),
                height: 190,
                narrow_columns: 1,
            })
            .collect(),
    };
    let rows = plots.iter().map(|plot| {
        let p = plot.ks_p_value.map_or(number::MISSING.to_owned(), |p| {
            number::fixed(p, Decimals(3))
        });
        let distance = Cell {
            strong: true,
            ..Cell::text(number::fixed(plot.ks_distance, Decimals(3)))
        };
        Row::new(
            plot.title(words),
            vec![
                distance,
                Cell::text(p),
                Cell::text(number::count(plot.observed_n)),
                Cell::text(number::count(plot.simulated_n)),
            ],
        )
    });
    Ok(vec![
        Block::Heading(heading.to_owned()),
        Block::Caption(words.say(CentrePhrase::QuantilesCaption).to_owned()),
        Block::Chart(panels.draw()?),
        Block::Table(Table {
            class: "",
            head: words.say(CentrePhrase::Distribution),
            columns: [
                CentrePhrase::KsDistance,
                CentrePhrase::KsPValue,
                CentrePhrase::ObservedCount,
                CentrePhrase::SimulatedCount,
            ]
            .map(|phrase| Column::number(words.say(phrase)))
            .into(),
            rows: rows.collect(),
        }),
    ])
}

impl HourlyVolume {
    pub(super) fn check(&self) -> Result<(), ReportError> {
        let place = || "hourly volume".to_owned();
        check_range(place, f64::from(self.first_hour), 0.0, 23.0)?;
        for hour in &self.hours {
            check_range(place, hour.observed, 0.0, f64::INFINITY)?;
            hour.simulated.check_positive(place)?;
        }
        Ok(())
    }

    pub(super) fn blocks(&self, words: Words) -> Result<Vec<Block>, ReportError> {
        let mut band = Vec::new();
        let mut mean = Vec::new();
        let mut numbers = Vec::new();
        let (mut inside, mut outside) = (Vec::new(), Vec::new());
        for (place, hour) in self.hours.iter().enumerate() {
            let (middle, simulated) = (place as f64 + 0.5, hour.simulated);
            band.push((middle, simulated.lower, simulated.upper));
            mean.push((middle, simulated.value));
            numbers.extend([hour.observed, simulated.upper]);
            if (simulated.lower..=simulated.upper).contains(&hour.observed) {
                inside.push((middle, hour.observed));
            } else {
                outside.push((middle, hour.observed));
            }
        }
        let count = self.hours.len();
        let share = inside.len() as f64 / count.max(1) as f64;
        let caption = words.fill(
            CentrePhrase::VolumeCaption,
            &[
                ("inside", &number::count(inside.len() as u64)),
                ("count", &number::count(count as u64)),
                ("share", &number::percent(share, Decimals(1))),
            ],
        );
        let domain = Domain::between(0.0, count.max(1) as f64);
        let ticks = run_ticks(u32::from(self.first_hour), count as u32);
        let panels = Panels {
            chart: "hourly_volume",
            label: caption.clone(),
            rows: vec![PanelRow {
                title: None,
                panels: vec![Panel {
                    title: words.say(CentrePhrase::VolumeRow).to_owned(),
                    x: Axis::labelled(domain, ticks),
                    y: Axis::from_zero(words, Unit::Count, &numbers, 4),
                    layers: vec![
                        Layer::Band(Ink::Series(0), band),
                        Layer::Line(Ink::Series(0), 1.25, mean),
                        Layer::Dots(Ink::Text, inside),
                        Layer::Dots(Ink::Worse, outside),
                    ],
                }],
                height: 170,
                narrow_columns: 1,
            }],
        };
        let key = |shape, ink, phrase| Key::new(shape, ink, words.say(phrase));
        let mut text = caption;
        if count > 48 {
            text = words.sentences(&[&text, words.say(CentrePhrase::RunDay)]);
        }
        Ok(vec![
            Block::Heading(words.say(CentrePhrase::VolumeHeading).to_owned()),
            Block::Caption(text),
            Block::Legend(vec![
                key(KeyShape::Line, Ink::Series(0), CentrePhrase::VolumeMean),
                key(KeyShape::Area, Ink::Series(0), CentrePhrase::VolumeBand),
                key(KeyShape::Dot, Ink::Text, CentrePhrase::VolumeInside),
                key(KeyShape::Dot, Ink::Worse, CentrePhrase::VolumeOutside),
            ]),
            Block::Chart(panels.draw()?),
        ])
    }
}

impl BandCoverage {
    pub(super) fn check(&self) -> Result<(), ReportError> {
        let place = || format!("coverage of `{}`", self.quantity);
        check_range(place, self.nominal, 0.0, 1.0)?;
        self.covered.check_share(place)
    }
}

/// The bands' promised and held shares.
pub(super) fn coverage(words: Words, coverage: &[BandCoverage]) -> Vec<Block> {
    if coverage.is_empty() {
        return Vec::new();
    }
    let rows = coverage.iter().map(|band| {
        let (class, icon, phrase) = if band.nominal > band.covered.upper {
            ("changes", "✕", CentrePhrase::CoverageNarrow)
        } else if band.nominal < band.covered.lower {
            ("plain", "≈", CentrePhrase::CoverageWide)
        } else {
            ("good", "✓", CentrePhrase::CoverageFine)
        };
        let mark = Mark {
            class,
            icon,
            text: words.say(phrase),
        };
        Row::new(
            words.key(&band.quantity),
            vec![
                Cell::text(number::level(band.nominal)),
                Cell::uncertain(words, band.covered, Unit::Rate),
                Cell::text(number::count(band.n)),
                Cell::mark(mark),
            ],
        )
    });
    vec![
        Block::Heading(words.say(CentrePhrase::CoverageHeading).to_owned()),
        Block::Table(Table {
            class: "",
            head: words.say(CentrePhrase::Quantity),
            columns: vec![
                Column::number(words.say(CentrePhrase::Nominal)),
                Column::number(words.say(CentrePhrase::Covered)),
                Column::number(words.say(CentrePhrase::Count)),
                Column::words(""),
            ],
            rows: rows.collect(),
        }),
    ]
}

impl ProbabilityScore {
    pub(super) fn check(&self) -> Result<(), ReportError> {
        let place = || format!("scores of `{}`", self.model);
        self.brier.check_share(place)?;
        self.calibration_error.check_share(place)?;
        check_range(place, self.brier_of_mean.unwrap_or(0.0), 0.0, 1.0)?;
        for bin in &self.bins {
            check_range(place, bin.promised, 0.0, 1.0)?;
            check_range(place, bin.observed, 0.0, 1.0)?;
        }
        Ok(())
    }

    fn panel(&self, words: Words) -> Panel {
        let points: Vec<(f64, f64)> = self
            .bins
            .iter()
            .map(|bin| (bin.promised, bin.observed))
            .collect();
        Panel {
            title: words.key(&self.model).to_owned(),
            x: Axis::shares(words),
            y: Axis::shares(words),
            layers: vec![
                Layer::Line(Ink::Baseline, 1.5, vec![(0.0, 0.0), (1.0, 1.0)]),
                Layer::Line(Ink::Series(0), 1.25, points.clone()),
                Layer::Dots(Ink::Series(0), points),
            ],
        }
    }
}

/// Brier scores and calibration errors, with reliability plots where there
/// are bins.
pub(super) fn scores(words: Words, scores: &[ProbabilityScore]) -> Result<Vec<Block>, ReportError> {
    if scores.is_empty() {
        return Ok(Vec::new());
    }
    let rows = scores.iter().map(|score| {
        let constant = score
            .brier_of_mean
            .map_or(number::MISSING.to_owned(), |brier| {
                number::fixed(brier, score.brier.decimals(Unit::Score))
            });
        Row::new(
            words.key(&score.model),
            vec![
                Cell::uncertain(words, score.brier, Unit::Score),
                Cell::text(constant),
                Cell::uncertain(words, score.calibration_error, Unit::Score),
                Cell::text(number::count(score.n)),
            ],
        )
    });
    let mut blocks = vec![
        Block::Heading(words.say(CentrePhrase::ScoresHeading).to_owned()),
        Block::Caption(words.say(CentrePhrase::ScoresCaption).to_owned()),
        Block::Table(Table {
            class: "",
            head: words.say(CentrePhrase::Model),
            columns: [
                CentrePhrase::Brier,
                CentrePhrase::BrierConstant,
                CentrePhrase::CalibrationError,
                CentrePhrase::Count,
            ]
            .map(|phrase| Column::number(words.say(phrase)))
            .into(),
            rows: rows.collect(),
        }),
    ];
    let binned: Vec<&ProbabilityScore> = scores
        .iter()
        .filter(|score| !score.bins.is_empty())
        .collect();
    if !binned.is_empty() {
        let label = words.say(CentrePhrase::ReliabilityRow);
        let panels = Panels {
            chart: "reliability",
            label: label.to_owned(),
            rows: binned
                .chunks(3)
                .map(|scores| PanelRow {
                    title: None,
                    panels: scores.iter().map(|score| score.panel(words)).collect(),
                    height: 150,
                    narrow_columns: 2,
                })
                .collect(),
        };
        blocks.push(Block::Caption(label.to_owned()));
        blocks.push(Block::Chart(panels.draw()?));
    }
    Ok(blocks)
}
