//! The reward's parts: satisfaction, time efficiency, cost efficiency and human
//! seconds of every policy, one panel each, bars with intervals. Reads the KPI
//! table's values, so that chart and table cannot disagree.

use plotters::prelude::*;
use plotters::style::FontStyle;
use plotters::style::text_anchor::HPos;

use super::ChartPair;
use super::strip::Domain;
use super::theme::{self, Ink, SCALE};
use crate::error::ReportError;
use crate::kpi::{KpiTable, PolicyRole};
use crate::measure::Measure;
use crate::number;
use crate::reason::Evidence;
use crate::text::Words;

const PARTS: [Measure; 4] = [
    Measure::Satisfaction,
    Measure::TimeEfficiency,
    Measure::CostEfficiency,
    Measure::HumanSecs,
];
const TITLE_HEIGHT: i32 = 34;
const ROW_HEIGHT: i32 = 42;
const PANEL_GAP: i32 = 24;

/// Draws the parts of every policy in the table; `None` where no policy has a
/// value for any part.
pub(crate) fn draw(
    table: &KpiTable,
    words: Words,
    label: &str,
) -> Result<Option<ChartPair>, ReportError> {
    let any = table.policies.iter().any(|policy| {
        PARTS
            .iter()
            .any(|part| policy.kpis.of(*part).finite().is_some())
    });
    if !any {
        return Ok(None);
    }
    Ok(Some(ChartPair {
        wide: draw_panels(table, words, label, 4)?,
        narrow: draw_panels(table, words, label, 1)?,
    }))
}

fn draw_panels(
    table: &KpiTable,
    words: Words,
    label: &str,
    columns: i32,
) -> Result<String, ReportError> {
    let rows = table.policies.len() as i32;
    let panel_height = TITLE_HEIGHT + ROW_HEIGHT * (rows - 1) + if columns == 1 { 52 } else { 26 };
    let width = if columns == 1 { 340 } else { 960 };
    let panel_width = (width - PANEL_GAP * (columns - 1)) / columns;
    let lines = PARTS.len() as i32 / columns;
    let size = (width as u32, (panel_height * lines) as u32);
    theme::draw("reward_parts", size, label, |root| {
        for (place, part) in PARTS.into_iter().enumerate() {
            let place = place as i32;
            let left = (place % columns) * (panel_width + PANEL_GAP);
            let top = (place / columns) * panel_height;
            let panel = Panel {
                left,
                top,
                width: panel_width,
                names: if panel_width > 300 { 26 } else { 14 },
            };
            panel.draw(root, table, words, part)?;
        }
        Ok(())
    })
}

struct Panel {
    left: i32,
    top: i32,
    width: i32,
    names: usize,
}

impl Panel {
    fn draw(
        &self,
        root: &DrawingArea<SVGBackend<'_>, plotters::coord::Shift>,
        table: &KpiTable,
        words: Words,
        part: Measure,
    ) -> Result<(), Box<dyn std::error::Error>> {
        let numbers: Vec<f64> = table
            .policies
            .iter()
            .flat_map(|policy| policy.kpis.of(part).numbers())
            .collect();
        let unit = part.unit(numbers.iter().copied());
        let decimals = unit.decimals(&[]);
        let full = match part {
            Measure::HumanSecs => {
                let most = numbers.iter().copied().fold(0.0, f64::max);
                Domain::around(&[0.0, most.max(1.0)]).high()
            }
            _ => 1.0,
        };
        let x_of = |number: f64| {
            let fraction = (number / full).clamp(0.0, 1.0);
            (self.left * SCALE) + (fraction * f64::from(self.width * SCALE)).round() as i32
        };
        let at = |x: i32, y: i32| (x * SCALE, (self.top + y) * SCALE);
        root.draw(&Text::new(
            words.say(part.name()),
            at(self.left, 10),
            Ink::Text.text(13.5, HPos::Left, FontStyle::Bold),
        ))?;
        for (row, policy) in table.policies.iter().enumerate() {
            let y = TITLE_HEIGHT + ROW_HEIGHT * row as i32;
            let kpi = policy.kpis.of(part);
            let (ink, strength) = match policy.role {
                PolicyRole::Baseline => (Ink::Baseline, 0.85),
                PolicyRole::Candidate => (Ink::Series(0), 0.9),
                PolicyRole::Reference => (Ink::Series(0), 0.4),
            };
            // A chart has no badges; evidence other than the log is named.
            let mut name = policy.name.clone();
            if kpi.finite().is_some() && kpi.evidence != Evidence::Logged {
                let badge = kpi.evidence.badge(words).label;
                name = format!("{} · {badge}", theme::shortened(&name, self.names));
            }
            root.draw(&Text::new(
                theme::shortened(&name, self.names + 12),
                at(self.left, y),
                Ink::Muted.text(12.0, HPos::Left, FontStyle::Normal),
            ))?;
            let bar = |from: i32, to: i32, y: i32, height: i32| {
                [
                    (from, (self.top + y) * SCALE),
                    (to, (self.top + y + height) * SCALE),
                ]
            };
            root.draw(&Rectangle::new(
                bar(x_of(0.0), x_of(full), y + 10, 12),
                Ink::Grid.fill(1.0),
            ))?;
            let text = kpi.finite().map_or(number::MISSING.to_owned(), |value| {
                unit.value(words, value, decimals)
            });
            root.draw(&Text::new(
                text,
                at(self.left + self.width, y),
                Ink::Text.text(12.5, HPos::Right, FontStyle::Bold),
            ))?;
            let Some(value) = kpi.finite() else { continue };
            root.draw(&Rectangle::new(
                bar(x_of(0.0), x_of(value), y + 10, 12),
                ink.fill(strength),
            ))?;
            if let Some((lower, upper)) = kpi.finite_interval() {
                let (from, to) = (x_of(lower), x_of(upper));
                root.draw(&Rectangle::new(
                    bar(from, to, y + 15, 2),
                    Ink::Text.fill(1.0),
                ))?;
                for end in [from, to] {
                    let cap = bar(end - SCALE / 2, end + SCALE / 2, y + 11, 10);
                    root.draw(&Rectangle::new(cap, Ink::Text.fill(1.0)))?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Language;
    use crate::kpi::tests::table;

    #[test]
    fn wide_chart() {
        let pair = draw(&table(), Words::new(Language::En), "parts")
            .unwrap()
            .unwrap();
        insta::assert_snapshot!(pair.wide);
        assert!(pair.narrow.contains("viewBox=\"0 0 1360 "));
    }

    #[test]
    fn nothing_to_draw_is_no_chart() {
        let mut empty = table();
        empty.policies.clear();
        assert!(
            draw(&empty, Words::new(Language::En), "")
                .unwrap()
                .is_none()
        );
    }
}
