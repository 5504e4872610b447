//! Whether the simulator resembles the shop it was fitted to, judged on days
//! that the fit never saw. Owns what was checked; [`fit`] holds distributions,
//! hours, bands and probabilities, [`parameters`] the fitted parameters.

mod fit;
mod parameters;

use serde::{Deserialize, Serialize};

use super::cast::{list, scope};
use crate::block::{Block, SectionView};
use crate::charts::strip::{self, Domain, Strip, Tone};
use crate::error::ReportError;
use crate::number;
use crate::reason::TierName;
use crate::table::{Cell, Column, Mark, Row, Table};
use crate::text::{CentrePhrase, Words};
use crate::uncertain::{QuantityUnit, Uncertain};

pub use fit::{
    BandCoverage, HourlyVolume, ProbabilityScore, QuantilePlot, QuantilePoint, ReliabilityBin,
    VolumeHour,
};
pub use parameters::{FittedParameter, ParameterSource};

/// How the simulator was fitted, and how it fares on held-out days.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// Days the parameters were fitted on.
    pub fitted_days: u64,
    /// Days held out from the fit.
    pub held_out_days: u64,
    /// Which days those are, as the caller writes them.
    #[serde(default)]
    pub held_out_span: Option<String>,
    /// Quantities of the held-out days beside the simulator's.
    #[serde(default)]
    pub checks: Vec<PredictiveCheck>,
    /// Distributions compared quantile by quantile.
    #[serde(default)]
    pub distributions: Vec<QuantilePlot>,
    /// Contacts in every held-out hour.
    #[serde(default)]
    pub hourly_volume: Option<HourlyVolume>,
    /// How often bands held what they promised.
    #[serde(default)]
    pub coverage: Vec<BandCoverage>,
    /// Models of satisfaction, clicks and their kin.
    #[serde(default)]
    pub scores: Vec<ProbabilityScore>,
    /// Every parameter of the simulator.
    #[serde(default)]
    pub parameters: Vec<FittedParameter>,
}

/// One quantity, observed and simulated. The page says itself whether the
/// observed value lies inside the band.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PredictiveCheck {
    /// The quantity's key, such as `mean_wait`; translated where the page knows it.
    pub quantity: String,
    /// The message class it is restricted to.
    #[serde(default)]
    pub class: Option<String>,
    /// The tier it is restricted to.
    #[serde(default)]
    pub tier: Option<TierName>,
    /// The unit of all its numbers.
    pub unit: QuantityUnit,
    /// The value on the held-out days.
    pub observed: f64,
    /// Observations behind it.
    pub observed_n: u64,
    /// The simulator's mean with its 5th and 95th percentile over replications.
    pub simulated: Uncertain,
}

impl PredictiveCheck {
    /// Whether the observed value lies in the simulator's 5–95 % band.
    pub fn is_inside(&self) -> bool {
        (self.simulated.lower..=self.simulated.upper).contains(&self.observed)
    }
}

impl Calibration {
    pub(super) fn check(&self) -> Result<(), ReportError> {
        for check in &self.checks {
            let place = || format!("calibration, quantity `{}`", check.quantity);
            check.simulated.check(place)?;
        }
        for plot in &self.distributions {
            plot.check()?;
        }
        if let Some(volume) = &self.hourly_volume {
            volume.check()?;
        }
        for coverage in &self.coverage {
            coverage.check()?;
        }
        for score in &self.scores {
            score.check()?;
        }
        for parameter in &self.parameters {
            parameter.check()?;
        }
        Ok(())
    }

    /// Quantities inside their band, and all of them; `None` where nothing was
    /// checked.
    pub(crate) fn fit(&self) -> Option<(u64, u64)> {
        let inside = self.checks.iter().filter(|check| check.is_inside()).count();
        (!self.checks.is_empty()).then_some((inside as u64, self.checks.len() as u64))
    }

    pub(super) fn view(&self, words: Words) -> Result<SectionView, ReportError> {
        let days = number::count(self.held_out_days);
        let fitted = number::count(self.fitted_days);
        let mut lead = match self.fit() {
            Some((inside, count)) => words.fill(
                CentrePhrase::CalibrationLead,
                &[
                    ("days", &days),
                    ("inside", &number::count(inside)),
                    ("count", &number::count(count)),
                    (
                        "expected",
                        &number::count((count as f64 * 0.9).round() as u64),
                    ),
                ],
            ),
            None => words.fill(CentrePhrase::CalibrationLeadEmpty, &[("fitted", &fitted)]),
        };
        let outside: Vec<String> = self
            .checks
            .iter()
            .filter(|check| !check.is_inside())
            .map(|check| words.key(&check.quantity).to_lowercase())
            .collect();
        if !outside.is_empty() {
            let names = list(words, &outside);
            lead.push_str(&words.fill(CentrePhrase::CalibrationOutside, &[("names", &names)]));
        }
        let mut caption = words.fill(
            CentrePhrase::CalibrationCaption,
            &[("fitted", &fitted), ("days", &days)],
        );
        if let Some(span) = &self.held_out_span {
            caption.push_str(&words.fill(CentrePhrase::CalibrationSpan, &[("span", span)]));
        }
        let mut blocks = vec![Block::Caption(caption)];
        if !self.checks.is_empty() {
            let heading = words.say(CentrePhrase::ChecksHeading).to_owned();
            let caption = words.say(CentrePhrase::ChecksCaption).to_owned();
            blocks.push(Block::Heading(heading));
            blocks.push(Block::Caption(caption));
            blocks.push(Block::Table(self.table(words)?));
        }
        blocks.extend(fit::distributions(words, &self.distributions)?);
        if let Some(volume) = &self.hourly_volume {
            blocks.extend(volume.blocks(words)?);
        }
        blocks.extend(fit::coverage(words, &self.coverage));
        blocks.extend(fit::scores(words, &self.scores)?);
        blocks.extend(parameters::blocks(words, &self.parameters));
        Ok(SectionView {
            id: "calibration",
            title: words.say(CentrePhrase::CalibrationTitle),
            badge: None,
            lead,
            blocks,
        })
    }

    fn table(&self, words: Words) -> Result<Table, ReportError> {
        let mut rows = Vec::new();
        for check in &self.checks {
            rows.push(check.row(words)?);
        }
        Ok(Table {
            class: "forest",
            head: words.say(CentrePhrase::Quantity),
            columns: vec![
                Column {
                    name: "",
                    class: "axis",
                    ticks: Vec::new(),
                },
                Column::number(words.say(CentrePhrase::Observed)),
                Column::number(words.say(CentrePhrase::ObservedCount)),
                Column::number(words.say(CentrePhrase::SimulatedMean)),
                Column::number(words.say(CentrePhrase::SimulatedBand)),
                Column::words(words.say(CentrePhrase::Inside)),
            ],
            rows,
        })
    }
}

impl PredictiveCheck {
    fn row(&self, words: Words) -> Result<Row, ReportError> {
        let band = self.simulated;
        let unit = self.unit.unit([self.observed, band.value, band.upper]);
        let decimals = band.decimals(unit);
        let name = words.key(&self.quantity).to_owned();
        let observed = unit.value(words, self.observed, decimals);
        let inside = self.is_inside();
        let strip = Strip {
            label: format!("{name}: {observed}, {}", band.text(words, unit)),
            domain: Domain::around(&[self.observed, band.lower, band.upper]),
            mark: self.observed.is_finite().then_some(strip::Mark {
                value: self.observed,
                lower: Some(band.lower),
                upper: Some(band.upper),
                tone: if inside { Tone::Neutral } else { Tone::Worse },
            }),
            reference: None,
            height: 24,
        };
        let strong = Cell {
            strong: true,
            ..Cell::text(observed)
        };
        let scope = scope(words, self.class.as_deref(), self.tier);
        Ok(Row::new(
            name,
            vec![
                Cell::plot(strip.draw()?),
                strong,
                Cell::text(number::count(self.observed_n)),
                Cell::text(band.number(words, unit)),
                Cell::text(band.bounds(unit)),
                Cell::mark(judged(words, inside)),
            ],
        )
        .with_note(Some(scope)))
    }
}

fn judged(words: Words, inside: bool) -> Mark {
    if inside {
        Mark {
            class: "good",
            icon: "✓",
            text: words.say(CentrePhrase::InsideYes),
        }
    } else {
        Mark {
            class: "changes",
            icon: "✕",
            text: words.say(CentrePhrase::InsideNo),
        }
    }
}
