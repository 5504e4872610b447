//! Learning curves: the median over seeds of each learner's evaluation during
//! training, a band between two quantiles, and reference lines such as the
//! rule baseline. Takes finished medians and bands; leaves the seeds to training.

use plotters::prelude::*;
use plotters::style::FontStyle;
use plotters::style::text_anchor::HPos;
use serde::{Deserialize, Serialize};

use super::ChartPair;
use super::strip::Domain;
use super::theme::{self, Ink, SCALE};
use crate::error::ReportError;
use crate::measure::Measure;
use crate::number;
use crate::reason::Evidence;
use crate::text::{Phrase, Words};

/// What one step of training is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepUnit {
    /// Updates of the learner.
    Updates,
    /// Decisions taken or replayed.
    Decisions,
    /// Conversations replayed or simulated.
    Conversations,
    /// Passes over the log.
    Epochs,
}

/// All learners' curves in one measure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LearningCurves {
    /// What was evaluated during training.
    pub measure: Measure,
    /// What the steps count.
    pub step_unit: StepUnit,
    /// Quantile at the band's lower edge, a fraction (0 for the minimum).
    pub band_lower_quantile: f64,
    /// Quantile at the band's upper edge, a fraction (1 for the maximum).
    pub band_upper_quantile: f64,
    /// One curve per learner.
    pub curves: Vec<LearningCurve>,
    /// Horizontal lines to compare with, the rule baseline first.
    #[serde(default)]
    pub references: Vec<ReferenceLine>,
    /// Where the evaluations come from.
    pub evidence: Evidence,
}

/// One learner over its seeds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LearningCurve {
    /// The learner's name.
    pub learner: String,
    /// How many seeds the median is over.
    pub seeds: u64,
    /// The curve, in order of steps.
    pub points: Vec<CurvePoint>,
    /// Each seed's own values, one per point; drawn as thin lines.
    #[serde(default)]
    pub per_seed: Vec<Vec<f64>>,
}

/// One evaluation during training.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CurvePoint {
    /// Steps taken so far.
    pub step: u64,
    /// Median over seeds.
    pub median: f64,
    /// The band's lower edge.
    pub lower: f64,
    /// The band's upper edge.
    pub upper: f64,
}

/// A policy's value as a horizontal line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReferenceLine {
    /// The policy's name.
    pub name: String,
    /// Its value in the curves' measure.
    pub value: f64,
}

/// One row of the table below the chart.
pub(crate) struct LegendRow {
    pub(crate) name: String,
    pub(crate) swatch: Swatch,
    pub(crate) value: String,
    pub(crate) band: Option<String>,
    pub(crate) seeds: Option<String>,
    pub(crate) steps: Option<String>,
}

/// A piece of line as it appears in the chart.
pub(crate) struct Swatch {
    pub(crate) variable: &'static str,
    pub(crate) dashes: &'static str,
}

impl Swatch {
    pub(crate) fn of(ink: Ink) -> Self {
        Self {
            variable: ink.variable(),
            dashes: ink.dashes().unwrap_or("none"),
        }
    }
}

/// The section as the template draws it.
pub(crate) struct LearningCurvesView {
    pub(crate) chart: ChartPair,
    pub(crate) caption: String,
    pub(crate) badge: crate::reason::Badge,
    pub(crate) rows: Vec<LegendRow>,
}

impl LearningCurves {
    pub(crate) fn view(&self, words: Words) -> Result<LearningCurvesView, ReportError> {
        let values: Vec<f64> = self
            .curves
            .iter()
            .flat_map(|curve| curve.points.iter().map(|point| point.median))
            .chain(self.references.iter().map(|line| line.value))
            .collect();
        let unit = self.measure.unit(values.iter().copied());
        let decimals = unit.decimals(&[]);
        let steps = words.say(self.step_unit.phrase());
        let mut rows: Vec<LegendRow> = self
            .curves
            .iter()
            .enumerate()
            .map(|(place, curve)| {
                let last = curve.points.last();
                LegendRow {
                    name: curve.learner.clone(),
                    swatch: Swatch::of(Ink::Series(place)),
                    value: last.map_or(number::MISSING.to_owned(), |point| {
                        unit.value(words, point.median, decimals)
                    }),
                    band: last.map(|point| unit.interval(point.lower, point.upper, decimals)),
                    seeds: Some(number::count(curve.seeds)),
                    steps: last.map(|point| number::count(point.step)),
                }
            })
            .collect();
        rows.extend(self.references.iter().map(|line| LegendRow {
            name: line.name.clone(),
            swatch: Swatch::of(Ink::Baseline),
            value: unit.value(words, line.value, decimals),
            band: None,
            seeds: None,
            steps: None,
        }));
        let caption = words.fill(
            Phrase::LearningCaption,
            &[
                ("measure", words.say(self.measure.name())),
                ("steps", steps),
                ("low", &number::level(self.band_lower_quantile)),
                ("high", &number::level(self.band_upper_quantile)),
            ],
        );
        Ok(LearningCurvesView {
            chart: ChartPair {
                wide: self.draw(words, true, &caption)?,
                narrow: self.draw(words, false, &caption)?,
            },
            caption,
            badge: self.evidence.badge(words),
            rows,
        })
    }

    fn last_step(&self) -> u64 {
        self.curves
            .iter()
            .filter_map(|curve| curve.points.last())
            .map(|point| point.step)
            .max()
            .unwrap_or(0)
            .max(1)
    }

    fn domain(&self) -> Domain {
        let numbers: Vec<f64> = self
            .curves
            .iter()
            .flat_map(|curve| &curve.points)
            .flat_map(|point| [point.median, point.lower, point.upper])
            .chain(self.references.iter().map(|line| line.value))
            .collect();
        Domain::around(&numbers)
    }

    fn draw(&self, words: Words, wide: bool, label: &str) -> Result<String, ReportError> {
        let size = if wide { (820, 360) } else { (340, 290) };
        let names_width = if wide { 150 } else { 16 };
        let domain = self.domain();
        let last_step = self.last_step() as f64;
        let unit = self.measure.unit([domain.low(), domain.high()]);
        let y_decimals = unit.tick_decimals((domain.high() - domain.low()) / 8.0);
        theme::draw("learning_curve", size, label, |root| {
            let y_label = |number: &f64| unit.value(words, *number, y_decimals);
            let x_label = |number: &f64| number::compact(*number);
            let mut chart = ChartBuilder::on(root)
                .margin_top(12 * SCALE)
                .margin_right(names_width * SCALE)
                .margin_left(2 * SCALE)
                .margin_bottom(4 * SCALE)
                .x_label_area_size(26 * SCALE)
                .y_label_area_size(54 * SCALE)
                .build_cartesian_2d(0.0..last_step, domain.low()..domain.high())?;
            chart
                .configure_mesh()
                .disable_x_mesh()
                .x_labels(if wide { 8 } else { 4 })
                .y_labels(if wide { 7 } else { 5 })
                .light_line_style(TRANSPARENT)
                .bold_line_style(Ink::Grid.line(1.0, 1.0))
                .axis_style(Ink::Grid.line(1.0, 1.0))
                .set_all_tick_mark_size(4 * SCALE)
                .x_label_formatter(&x_label)
                .y_label_formatter(&y_label)
                .label_style(Ink::Muted.text(12.0, HPos::Center, FontStyle::Normal))
                .draw()?;
            for line in self.references.iter().filter(|line| line.value.is_finite()) {
                chart.draw_series([PathElement::new(
                    [(0.0, line.value), (last_step, line.value)],
                    Ink::Baseline.line(1.0, 2.0),
                )])?;
            }
            for (place, curve) in self.curves.iter().enumerate() {
                let ink = Ink::Series(place);
                for run in
                    curve.finite_runs(|point| point.lower.is_finite() && point.upper.is_finite())
                {
                    let mut outline: Vec<(f64, f64)> = run
                        .iter()
                        .map(|point| (point.step as f64, point.lower))
                        .collect();
                    outline.extend(
                        run.iter()
                            .rev()
                            .map(|point| (point.step as f64, point.upper)),
                    );
                    chart.draw_series([Polygon::new(outline, ink.fill(0.15))])?;
                }
                for values in &curve.per_seed {
                    let points = curve
                        .points
                        .iter()
                        .zip(values)
                        .filter(|(_, value)| value.is_finite())
                        .map(|(point, value)| (point.step as f64, *value));
                    chart.draw_series(LineSeries::new(points, ink.line(0.25, 0.75)))?;
                }
            }
            for (place, curve) in self.curves.iter().enumerate() {
                for run in curve.finite_runs(|point| point.median.is_finite()) {
                    chart.draw_series(LineSeries::new(
                        run.iter().map(|point| (point.step as f64, point.median)),
                        Ink::Series(place).line(1.0, 2.25),
                    ))?;
                }
            }
            if wide {
                let mut names: Vec<(i32, String, Ink)> = Vec::new();
                for (place, curve) in self.curves.iter().enumerate() {
                    if let Some(point) =
                        curve.points.last().filter(|point| point.median.is_finite())
                    {
                        let (_, y) = chart.backend_coord(&(last_step, point.median));
                        names.push((y, curve.learner.clone(), Ink::Series(place)));
                    }
                }
                for line in self.references.iter().filter(|line| line.value.is_finite()) {
                    let (_, y) = chart.backend_coord(&(last_step, line.value));
                    names.push((y, line.name.clone(), Ink::Baseline));
                }
                spread(&mut names, 16 * SCALE, size.1 as i32 * SCALE - 34 * SCALE);
                for (y, name, ink) in names {
                    let x = (size.0 as i32 - names_width + 8) * SCALE;
                    root.draw(&Text::new(
                        theme::shortened(&name, 20),
                        (x, y),
                        ink.text(12.5, HPos::Left, FontStyle::Bold),
                    ))?;
                }
            }
            Ok(())
        })
    }
}

impl LearningCurve {
    fn finite_runs(&self, is_finite: impl Fn(&CurvePoint) -> bool) -> Vec<&[CurvePoint]> {
        self.points
            .split(|point| !is_finite(point))
            .filter(|run| !run.is_empty())
            .collect()
    }
}

impl StepUnit {
    fn phrase(self) -> Phrase {
        match self {
            Self::Updates => Phrase::StepUpdates,
            Self::Decisions => Phrase::StepDecisions,
            Self::Conversations => Phrase::StepConversations,
            Self::Epochs => Phrase::StepEpochs,
        }
    }
}

/// Moves labels apart so that no two are nearer than `gap`, keeping their order.
fn spread(names: &mut [(i32, String, Ink)], gap: i32, bottom: i32) {
    names.sort_by_key(|(y, _, _)| *y);
    let mut ceiling = i32::MIN / 2;
    for (y, _, _) in names.iter_mut() {
        *y = (*y).max(ceiling + gap);
        ceiling = *y;
    }
    let mut floor = bottom;
    for (y, _, _) in names.iter_mut().rev() {
        *y = (*y).min(floor);
        floor = *y - gap;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Language;

    fn curves(last_median: f64) -> LearningCurves {
        let point = |step, median: f64| CurvePoint {
            step,
            median,
            lower: median - 0.02,
            upper: median + 0.03,
        };
        LearningCurves {
            measure: Measure::Reward,
            step_unit: StepUnit::Updates,
            band_lower_quantile: 0.1,
            band_upper_quantile: 0.9,
            curves: vec![
                LearningCurve {
                    learner: "q <script>".to_owned(),
                    seeds: 3,
                    points: vec![point(0, 0.3), point(500, 0.4), point(1000, last_median)],
                    per_seed: vec![vec![0.29, 0.41, 0.45]],
                },
                LearningCurve {
                    learner: "double q".to_owned(),
                    seeds: 3,
                    points: vec![point(0, 0.3), point(1000, 0.44)],
                    per_seed: Vec::new(),
                },
            ],
            references: vec![ReferenceLine {
                name: "rule".to_owned(),
                value: 0.42,
            }],
            evidence: Evidence::Logged,
        }
    }

    #[test]
    fn wide_chart() {
        let view = curves(0.46).view(Words::new(Language::En)).unwrap();
        insta::assert_snapshot!(view.chart.wide);
    }

    #[test]
    fn gaps_and_single_points_are_drawn_without_nan() {
        for mut values in [curves(f64::NAN), curves(f64::INFINITY)] {
            let view = values.view(Words::new(Language::Zh)).unwrap();
            assert!(!view.chart.wide.contains("NaN") && !view.chart.wide.contains("inf"));
            assert_eq!(view.rows[0].value, number::MISSING);
            values.curves.clear();
            values.references.clear();
            assert!(values.view(Words::new(Language::En)).is_ok());
        }
    }

    #[test]
    fn labels_are_spread() {
        let mut names: Vec<(i32, String, Ink)> = [50, 52, 51]
            .into_iter()
            .map(|y| (y, String::new(), Ink::Text))
            .collect();
        spread(&mut names, 16, 70);
        let places: Vec<i32> = names.iter().map(|(y, _, _)| *y).collect();
        assert_eq!(places, [38, 54, 70]);
    }
}
