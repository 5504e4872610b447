//! Small multiples: rows of panels that share their axes, each with bands,
//! lines, steps, dots and shaded spans. The centre's charts by hour and along a
//! run are all made of these. Takes finished points; a point that is not a
//! finite number leaves a gap.

use plotters::prelude::*;
use plotters::style::FontStyle;
use plotters::style::text_anchor::HPos;

use super::ChartPair;
use super::axis::Axis;
use super::theme::{self, Canvas, Ink, SCALE};
use crate::error::ReportError;

const WIDE: i32 = 820;
const NARROW: i32 = 340;
const GUTTER: i32 = 52;
const GAP: i32 = 24;
const RIGHT: i32 = 14;
const ROW_TITLE: i32 = 24;
const PANEL_TITLE: i32 = 22;
const BELOW: i32 = 32;

/// A drawing of panels.
pub(crate) struct Panels {
    /// The chart's name, for errors.
    pub(crate) chart: &'static str,
    /// What a screen reader says of it.
    pub(crate) label: String,
    pub(crate) rows: Vec<PanelRow>,
}

/// Panels side by side; on a narrow screen at most `narrow_columns` of them.
pub(crate) struct PanelRow {
    pub(crate) title: Option<String>,
    pub(crate) panels: Vec<Panel>,
    /// Height of the plots in CSS pixels.
    pub(crate) height: i32,
    pub(crate) narrow_columns: usize,
}

/// One pair of axes with what is drawn between them, in order.
pub(crate) struct Panel {
    pub(crate) title: String,
    pub(crate) x: Axis,
    pub(crate) y: Axis,
    pub(crate) layers: Vec<Layer>,
}

/// Something drawn in a panel.
pub(crate) enum Layer {
    /// Between a lower and an upper edge: (x, lower, upper).
    Band(Ink, Vec<(f64, f64, f64)>),
    /// A line of the given width in CSS pixels.
    Line(Ink, f64, Vec<(f64, f64)>),
    /// Filled boxes: (from x, to x, from y, to y), and their opacity.
    Boxes(Ink, f64, Vec<(f64, f64, f64, f64)>),
    /// Dots.
    Dots(Ink, Vec<(f64, f64)>),
    /// A shaded stretch of the x axis.
    Span(f64, f64),
}

/// A step function as a line: each value holds from its place to the next,
/// the last one for `width`.
pub(crate) fn steps(points: &[(f64, f64)], width: f64) -> Vec<(f64, f64)> {
    let mut line = Vec::with_capacity(points.len() * 2);
    for (place, (from, value)) in points.iter().enumerate() {
        let to = points
            .get(place + 1)
            .map_or(from + width, |(next, _)| *next);
        line.extend([(*from, *value), (to, *value)]);
    }
    line
}

impl Panels {
    /// Draws the panels for wide and for narrow screens.
    pub(crate) fn draw(&self) -> Result<ChartPair, ReportError> {
        Ok(ChartPair {
            wide: self.draw_at(WIDE, |row| row.panels.len())?,
            narrow: self.draw_at(NARROW, |row| row.narrow_columns)?,
        })
    }

    /// Draws the panels for narrow screens alone: a chart of one panel, small at every width.
    pub(crate) fn draw_narrow(&self) -> Result<String, ReportError> {
        self.draw_at(NARROW, |row| row.narrow_columns)
    }

    fn draw_at(
        &self,
        width: i32,
        columns: impl Fn(&PanelRow) -> usize,
    ) -> Result<String, ReportError> {
        let mut lines: Vec<(Option<&str>, &[Panel], usize, i32)> = Vec::new();
        for row in &self.rows {
            let columns = columns(row).max(1);
            for (place, chunk) in row.panels.chunks(columns).enumerate() {
                let title = row.title.as_deref().filter(|_| place == 0);
                lines.push((title, chunk, columns, row.height));
            }
        }
        let height: i32 = lines
            .iter()
            .map(|(title, _, _, height)| line_height(title.is_some(), *height))
            .sum();
        let size = (width as u32, height.max(1) as u32);
        theme::draw(self.chart, size, &self.label, |root| {
            let mut top = 0;
            for (title, panels, columns, height) in &lines {
                let mut plot_top = top + PANEL_TITLE;
                if let Some(title) = title {
                    let style = Ink::Text.text(13.0, HPos::Left, FontStyle::Bold);
                    let title = theme::shortened(title, (width / 7) as usize);
                    write(root, &title, (0, top + 8), style)?;
                    plot_top += ROW_TITLE;
                }
                draw_line(root, panels, (width, *columns), plot_top, *height)?;
                top += line_height(title.is_some(), *height);
            }
            Ok(())
        })
    }
}

fn line_height(titled: bool, height: i32) -> i32 {
    height + PANEL_TITLE + BELOW + if titled { ROW_TITLE } else { 0 }
}

/// Panels of one line; only those whose y axis differs from their left
/// neighbour's repeat its labels.
fn draw_line(
    root: &Canvas<'_>,
    panels: &[Panel],
    (width, columns): (i32, usize),
    top: i32,
    height: i32,
) -> Result<(), Box<dyn std::error::Error>> {
    let labelled: Vec<bool> = panels
        .iter()
        .enumerate()
        .map(|(place, panel)| place == 0 || panels[place - 1].y != panel.y)
        .collect();
    let left_of = |labelled: bool| if labelled { GUTTER } else { GAP };
    let gutters: i32 = labelled.iter().map(|labelled| left_of(*labelled)).sum();
    // A last line with fewer panels keeps the width of the lines above it.
    let missing = (columns.saturating_sub(panels.len())) as i32;
    let plot = (width - RIGHT - gutters - missing * GAP) / columns.max(1) as i32;
    let mut left = 0;
    for (panel, labelled) in panels.iter().zip(labelled) {
        left += left_of(labelled);
        let frame = Frame {
            panel,
            left,
            top,
            width: plot,
            height,
        };
        frame.draw(root, labelled)?;
        left += plot;
    }
    Ok(())
}

struct Frame<'a> {
    panel: &'a Panel,
    left: i32,
    top: i32,
    width: i32,
    height: i32,
}

impl Frame<'_> {
    fn x(&self, number: f64) -> i32 {
        let fraction = self.panel.x.domain().fraction(number).clamp(0.0, 1.0);
        self.left * SCALE + (fraction * f64::from(self.width * SCALE)).round() as i32
    }

    fn y(&self, number: f64) -> i32 {
        let fraction = self.panel.y.domain().fraction(number).clamp(0.0, 1.0);
        (self.top + self.height) * SCALE
            - (fraction * f64::from(self.height * SCALE)).round() as i32
    }

    fn draw(&self, root: &Canvas<'_>, labelled: bool) -> Result<(), Box<dyn std::error::Error>> {
        let title = theme::shortened(&self.panel.title, (self.width / 7).max(6) as usize);
        let style = Ink::Text.text(12.0, HPos::Left, FontStyle::Bold);
        write(root, &title, (self.left, self.top - 12), style)?;
        for layer in &self.panel.layers {
            if let Layer::Span(from, to) = layer {
                let corners = [
                    (self.x(*from), self.top * SCALE),
                    (self.x(*to), (self.top + self.height) * SCALE),
                ];
                root.draw(&Rectangle::new(corners, Ink::Worse.fill(0.12)))?;
            }
        }
        for (number, text) in self.panel.y.ticks() {
            let y = self.y(*number);
            let ends = [
                (self.left * SCALE, y),
                ((self.left + self.width) * SCALE, y),
            ];
            root.draw(&PathElement::new(ends, Ink::Grid.line(1.0, 1.0)))?;
            if labelled {
                let style = Ink::Muted.text(11.5, HPos::Right, FontStyle::Normal);
                root.draw(&Text::new(
                    text.clone(),
                    ((self.left - 6) * SCALE, y),
                    style,
                ))?;
            }
        }
        for (number, text) in self.panel.x.fitting(self.width) {
            let x = self.x(*number);
            let bottom = (self.top + self.height) * SCALE;
            let tick = [(x, bottom), (x, bottom + 3 * SCALE)];
            root.draw(&PathElement::new(tick, Ink::Muted.line(0.5, 1.0)))?;
            // A long label at an edge would run into the next panel.
            let long = text.chars().count() > 2;
            let (x, align) = if long && x >= (self.left + self.width - 4) * SCALE {
                (x + 6 * SCALE, HPos::Right)
            } else if long && x <= (self.left + 4) * SCALE {
                (x - 6 * SCALE, HPos::Left)
            } else {
                (x, HPos::Center)
            };
            let style = Ink::Muted.text(11.5, align, FontStyle::Normal);
            root.draw(&Text::new(text.clone(), (x, bottom + 12 * SCALE), style))?;
        }
        for layer in &self.panel.layers {
            self.layer(root, layer)?;
        }
        Ok(())
    }

    fn layer(&self, root: &Canvas<'_>, layer: &Layer) -> Result<(), Box<dyn std::error::Error>> {
        match layer {
            Layer::Span(..) => {}
            Layer::Band(ink, points) => {
                let finite = |point: &(f64, f64, f64)| {
                    point.0.is_finite() && point.1.is_finite() && point.2.is_finite()
                };
                for run in points.split(|point| !finite(point)) {
                    if run.len() < 2 {
                        continue;
                    }
                    let lower = run.iter().map(|(x, lower, _)| (self.x(*x), self.y(*lower)));
                    let upper = run.iter().rev();
                    let upper = upper.map(|(x, _, upper)| (self.x(*x), self.y(*upper)));
                    let outline: Vec<(i32, i32)> = lower.chain(upper).collect();
                    root.draw(&Polygon::new(outline, ink.fill(0.18)))?;
                }
            }
            Layer::Line(ink, width, points) => {
                for run in points.split(|(x, y)| !(x.is_finite() && y.is_finite())) {
                    let placed: Vec<(i32, i32)> =
                        run.iter().map(|(x, y)| (self.x(*x), self.y(*y))).collect();
                    match placed.as_slice() {
                        [] => {}
                        [alone] => root.draw(&Circle::new(*alone, 2 * SCALE, ink.fill(1.0)))?,
                        _ => root.draw(&PathElement::new(placed, ink.line(1.0, *width)))?,
                    }
                }
            }
            Layer::Boxes(ink, opacity, boxes) => {
                let finite = |number: &&(f64, f64, f64, f64)| {
                    [number.0, number.1, number.2, number.3]
                        .iter()
                        .all(|number| number.is_finite())
                };
                for (from, to, bottom, top) in boxes.iter().filter(finite) {
                    let corners = [
                        (self.x(*from), self.y(*top)),
                        (self.x(*to), self.y(*bottom)),
                    ];
                    root.draw(&Rectangle::new(corners, ink.fill(*opacity)))?;
                }
            }
            Layer::Dots(ink, points) => {
                let finite = points
                    .iter()
                    .filter(|(x, y)| x.is_finite() && y.is_finite());
                for (x, y) in finite {
                    let place = (self.x(*x), self.y(*y));
                    root.draw(&Circle::new(place, 9 * SCALE / 4, ink.fill(1.0)))?;
                }
            }
        }
        Ok(())
    }
}

fn write(
    root: &Canvas<'_>,
    text: &str,
    (x, y): (i32, i32),
    style: TextStyle<'_>,
) -> Result<(), Box<dyn std::error::Error>> {
    root.draw(&Text::new(text.to_owned(), (x * SCALE, y * SCALE), style))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Language;
    use crate::measure::Unit;
    use crate::text::Words;

    fn panels(number: f64) -> Panels {
        let words = Words::new(Language::En);
        let panel = |title: &str| Panel {
            title: title.to_owned(),
            x: Axis::hours_of_day(),
            y: Axis::from_zero(words, Unit::Count, &[10.0], 3),
            layers: vec![
                Layer::Span(6.0, 9.0),
                Layer::Band(
                    Ink::Series(0),
                    vec![
                        (0.5, 1.0, 3.0),
                        (1.5, 2.0, number),
                        (2.5, 1.0, 4.0),
                        (3.5, 1.0, 2.0),
                    ],
                ),
                Layer::Line(
                    Ink::Series(0),
                    2.0,
                    steps(&[(0.0, 2.0), (1.0, number), (2.0, 8.0)], 1.0),
                ),
                Layer::Boxes(Ink::Worse, 0.4, vec![(3.0, 4.0, 0.0, number)]),
                Layer::Dots(Ink::Baseline, vec![(5.5, 5.0), (6.5, number)]),
            ],
        };
        Panels {
            chart: "test",
            label: "a chart <of> panels".to_owned(),
            rows: vec![PanelRow {
                title: Some("Waits".to_owned()),
                panels: vec![panel("rule"), panel("q <b>"), panel("human")],
                height: 90,
                narrow_columns: 2,
            }],
        }
    }

    #[test]
    fn a_row_of_panels() {
        let pair = panels(6.0).draw().unwrap();
        insta::assert_snapshot!(pair.wide);
        // Three panels in two columns make two lines.
        let height = 2 * (90 + PANEL_TITLE + BELOW) + ROW_TITLE;
        let view_box = format!("viewBox=\"0 0 {} {}\"", NARROW * SCALE, height * SCALE);
        assert!(pair.narrow.contains(&view_box), "{}", &pair.narrow[..200]);
    }

    #[test]
    fn numbers_that_are_not_numbers_leave_gaps() {
        for number in [f64::NAN, f64::INFINITY, f64::MAX] {
            let pair = panels(number).draw().unwrap();
            assert!(!pair.wide.contains("NaN") && !pair.wide.contains("inf"));
        }
    }

    #[test]
    fn a_value_holds_until_the_next() {
        assert_eq!(
            steps(&[(0.0, 2.0), (2.0, 3.0)], 1.0),
            [(0.0, 2.0), (2.0, 2.0), (2.0, 3.0), (3.0, 3.0)]
        );
    }
}
