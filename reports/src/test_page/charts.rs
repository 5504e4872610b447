//! Drawings of a sequence: interval, wealth and share over time, and the posterior.

use plotters::prelude::*;
use plotters::style::FontStyle;
use plotters::style::text_anchor::HPos;

use crate::charts::ChartPair;
use crate::charts::strip::Domain;
use crate::charts::theme::{self, Ink, SCALE};
use crate::error::ReportError;

/// A line across the chart with its name.
pub(crate) struct Level {
    pub(crate) y: f64,
    pub(crate) ink: Ink,
    pub(crate) name: String,
}

/// One drawing over time.
pub(crate) struct OverTime<'a> {
    pub(crate) chart: &'static str,
    pub(crate) label: &'a str,
    /// First and last time.
    pub(crate) times: (f64, f64),
    pub(crate) domain: Domain,
    pub(crate) band: Vec<(f64, f64, f64)>,
    pub(crate) lines: Vec<(Ink, Vec<(f64, f64)>)>,
    pub(crate) levels: Vec<Level>,
    /// Whether looks are marked on the lines.
    pub(crate) marks: bool,
    pub(crate) y_label: &'a dyn Fn(f64) -> String,
    pub(crate) x_label: &'a dyn Fn(f64) -> String,
}

impl OverTime<'_> {
    /// Draws for wide and narrow screens.
    pub(crate) fn draw(&self) -> Result<ChartPair, ReportError> {
        Ok(ChartPair {
            wide: self.draw_at((820, 290), 8)?,
            narrow: self.draw_at((340, 250), 4)?,
        })
    }

    fn draw_at(&self, size: (u32, u32), ticks: usize) -> Result<String, ReportError> {
        let (first, last) = self.times;
        let last = if last > first { last } else { first + 1.0 };
        let domain = self.domain;
        theme::draw(self.chart, size, self.label, |root| {
            let y_label = |number: &f64| (self.y_label)(*number);
            let x_label = |number: &f64| (self.x_label)(*number);
            let mut chart = ChartBuilder::on(root)
                .margin_top(14 * SCALE)
                .margin_right(18 * SCALE)
                .margin_left(2 * SCALE)
                .margin_bottom(4 * SCALE)
                .x_label_area_size(26 * SCALE)
                .y_label_area_size(62 * SCALE)
                .build_cartesian_2d(first..last, domain.low()..domain.high())?;
            chart
                .configure_mesh()
                .disable_x_mesh()
                .x_labels(ticks)
                .y_labels(6)
                .light_line_style(TRANSPARENT)
                .bold_line_style(Ink::Grid.line(1.0, 1.0))
                .axis_style(Ink::Grid.line(1.0, 1.0))
                .set_all_tick_mark_size(4 * SCALE)
                .x_label_formatter(&x_label)
                .y_label_formatter(&y_label)
                .label_style(Ink::Muted.text(12.0, HPos::Center, FontStyle::Normal))
                .draw()?;
            let clamp = |y: f64| y.clamp(domain.low(), domain.high());
            if self.band.len() > 1 {
                let lower = self.band.iter().map(|(x, low, _)| (*x, clamp(*low)));
                let upper = self
                    .band
                    .iter()
                    .rev()
                    .map(|(x, _, high)| (*x, clamp(*high)));
                let outline: Vec<(f64, f64)> = lower.chain(upper).collect();
                chart.draw_series([Polygon::new(outline, Ink::Series(0).fill(0.16))])?;
            }
            for level in &self.levels {
                if level.y < domain.low() || level.y > domain.high() {
                    continue;
                }
                chart.draw_series([PathElement::new(
                    [(first, level.y), (last, level.y)],
                    level.ink.line(1.0, 1.5),
                )])?;
                let (x, y) = chart.backend_coord(&(last, level.y));
                root.draw(&Text::new(
                    theme::shortened(&level.name, 40),
                    (x - 4 * SCALE, y - 9 * SCALE),
                    level.ink.text(11.5, HPos::Right, FontStyle::Normal),
                ))?;
            }
            for (ink, points) in &self.lines {
                let points: Vec<(f64, f64)> = points
                    .iter()
                    .filter(|(x, y)| x.is_finite() && y.is_finite())
                    .map(|(x, y)| (*x, clamp(*y)))
                    .collect();
                if self.marks && points.len() <= 60 {
                    let dots = points.iter();
                    chart.draw_series(
                        dots.map(|point| Circle::new(*point, 2 * SCALE, ink.fill(1.0))),
                    )?;
                }
                chart.draw_series(LineSeries::new(points, ink.line(1.0, 2.0)))?;
            }
            Ok(())
        })
    }
}

/// A posterior density of a change, its part below zero in another ink.
pub(super) fn density(
    label: &str,
    mean: f64,
    deviation: f64,
    x_label: &dyn Fn(f64) -> String,
) -> Result<ChartPair, ReportError> {
    let range = (mean - 4.0 * deviation, mean + 4.0 * deviation);
    let height = |x: f64| (-0.5 * ((x - mean) / deviation).powi(2)).exp();
    let points: Vec<(f64, f64)> = (0..=160)
        .map(|i| range.0 + (range.1 - range.0) * f64::from(i) / 160.0)
        .map(|x| (x, height(x)))
        .collect();
    let draw = |size: (u32, u32)| {
        theme::draw("posterior", size, label, |root| {
            let text = |number: &f64| x_label(*number);
            let mut chart = ChartBuilder::on(root)
                .margin_top(8 * SCALE)
                .margin_right(18 * SCALE)
                .margin_left(18 * SCALE)
                .x_label_area_size(28 * SCALE)
                .build_cartesian_2d(range.0..range.1, 0.0..1.08)?;
            chart
                .configure_mesh()
                .disable_mesh()
                .disable_y_axis()
                .x_labels(6)
                .axis_style(Ink::Grid.line(1.0, 1.0))
                .set_all_tick_mark_size(4 * SCALE)
                .x_label_formatter(&text)
                .label_style(Ink::Muted.text(12.0, HPos::Center, FontStyle::Normal))
                .draw()?;
            for (below, ink) in [(true, Ink::Series(1)), (false, Ink::Series(0))] {
                let part: Vec<(f64, f64)> = points
                    .iter()
                    .copied()
                    .filter(|(x, _)| (*x < 0.0) == below)
                    .collect();
                if let (Some(first), Some(last)) = (part.first().copied(), part.last().copied()) {
                    let mut outline = vec![(first.0, 0.0)];
                    outline.extend(&part);
                    outline.push((last.0, 0.0));
                    chart.draw_series([Polygon::new(outline, ink.fill(0.25))])?;
                    chart.draw_series(LineSeries::new(part, ink.line(1.0, 2.0)))?;
                }
            }
            Ok(())
        })
    };
    Ok(ChartPair {
        wide: draw((820, 190))?,
        narrow: draw((340, 170))?,
    })
}
