//! The reward's parts: satisfaction, time efficiency, cost efficiency and human
//! seconds of every policy, one panel each, bars with intervals. Reads the KPI
//! table's values, so that chart and table cannot disagree.

use plotters::prelude::*;
use plotters::style::FontStyle;
use plotters::style::text_anchor::HPos;

use super::ChartPair;
use super::strip::Domain;
use super::theme::{self, Canvas, Ink, SCALE};
use crate::error::ReportError;
use crate::kpi::{KpiTable, PolicyKpis, PolicyRole};
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
const ROW_HEIGHT: i32 = 44;
const PANEL_GAP: i32 = 22;
/// Room for the policies' names, left of the panels of the wide drawing.
const NAMES_WIDTH: i32 = 150;

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
        wide: draw_wide(table, words, label)?,
        narrow: draw_narrow(table, words, label)?,
    }))
}

/// Names once at the left, four panels beside them.
fn draw_wide(table: &KpiTable, words: Words, label: &str) -> Result<String, ReportError> {
    let width = 820;
    let parts = PARTS.len() as i32;
    let panel_width = (width - NAMES_WIDTH) / parts - PANEL_GAP;
    let height = TITLE_HEIGHT + ROW_HEIGHT * table.policies.len() as i32 - 16;
    theme::draw(
        "reward_parts",
        (width as u32, height as u32),
        label,
        |root| {
            for (row, policy) in table.policies.iter().enumerate() {
                let y = TITLE_HEIGHT + ROW_HEIGHT * row as i32;
                write(
                    root,
                    &theme::shortened(&policy.name, 20),
                    (0, y),
                    Ink::Text.text(12.5, HPos::Left, FontStyle::Normal),
                )?;
                if let Some(evidence) = weakest_evidence(policy) {
                    let badge = evidence.badge(words).label;
                    write(
                        root,
                        badge,
                        (0, y + 17),
                        Ink::Muted.text(11.0, HPos::Left, FontStyle::Normal),
                    )?;
                }
            }
            for (place, part) in PARTS.into_iter().enumerate() {
                let panel = Panel {
                    left: NAMES_WIDTH + place as i32 * (panel_width + PANEL_GAP) + PANEL_GAP,
                    top: 0,
                    width: panel_width,
                    named: false,
                };
                panel.draw(root, table, words, part)?;
            }
            Ok(())
        },
    )
}

/// One panel below the other, names above the bars.
fn draw_narrow(table: &KpiTable, words: Words, label: &str) -> Result<String, ReportError> {
    let panel_height = TITLE_HEIGHT + ROW_HEIGHT * table.policies.len() as i32 + 12;
    let size = (340, (panel_height * PARTS.len() as i32) as u32);
    theme::draw("reward_parts", size, label, |root| {
        for (place, part) in PARTS.into_iter().enumerate() {
            let panel = Panel {
                left: 0,
                top: place as i32 * panel_height,
                width: 340,
                named: true,
            };
            panel.draw(root, table, words, part)?;
        }
        Ok(())
    })
}

/// A chart has no badges: evidence other than the log is named in words.
fn weakest_evidence(policy: &PolicyKpis) -> Option<Evidence> {
    let found = |evidence: Evidence| {
        PARTS
            .iter()
            .map(|part| policy.kpis.of(*part))
            .any(|kpi| kpi.finite().is_some() && kpi.evidence == evidence)
    };
    [Evidence::Simulated, Evidence::EstimatedPropensity]
        .into_iter()
        .find(|evidence| found(*evidence))
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

struct Panel {
    left: i32,
    top: i32,
    width: i32,
    named: bool,
}

impl Panel {
    fn draw(
        &self,
        root: &Canvas<'_>,
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
        let bold = |ink: Ink, size, side| ink.text(size, side, FontStyle::Bold);
        let title = bold(Ink::Text, 13.5, HPos::Left);
        write(
            root,
            words.say(part.name()),
            (self.left, self.top + 8),
            title,
        )?;
        for (row, policy) in table.policies.iter().enumerate() {
            let y = self.top + TITLE_HEIGHT + ROW_HEIGHT * row as i32;
            let kpi = policy.kpis.of(part);
            let (ink, strength) = match policy.role {
                PolicyRole::Baseline => (Ink::Baseline, 0.85),
                PolicyRole::Candidate => (Ink::Series(0), 0.9),
                PolicyRole::Reference => (Ink::Series(0), 0.4),
            };
            if self.named {
                let mut name = theme::shortened(&policy.name, 20);
                if kpi.finite().is_some() && kpi.evidence != Evidence::Logged {
                    name = format!("{name} · {}", kpi.evidence.badge(words).label);
                }
                let style = Ink::Muted.text(12.0, HPos::Left, FontStyle::Normal);
                write(root, &name, (self.left, y), style)?;
            }
            let text = kpi.finite().map_or(number::MISSING.to_owned(), |value| {
                unit.value(words, value, decimals)
            });
            let (x, side) = if self.named {
                (self.left + self.width, HPos::Right)
            } else {
                (self.left, HPos::Left)
            };
            write(root, &text, (x, y), bold(Ink::Text, 12.5, side))?;
            let bar = |from: i32, to: i32, below: i32, height: i32| {
                [
                    (from, (y + below) * SCALE),
                    (to, (y + below + height) * SCALE),
                ]
            };
            let track = bar(x_of(0.0), x_of(full), 11, 12);
            root.draw(&Rectangle::new(track, Ink::Grid.fill(1.0)))?;
            let Some(value) = kpi.finite() else { continue };
            let filled = bar(x_of(0.0), x_of(value), 11, 12);
            root.draw(&Rectangle::new(filled, ink.fill(strength)))?;
            if let Some((lower, upper)) = kpi.finite_interval() {
                let (from, to) = (x_of(lower), x_of(upper));
                root.draw(&Rectangle::new(bar(from, to, 16, 2), Ink::Text.fill(1.0)))?;
                for end in [from, to] {
                    let cap = bar(end - SCALE / 2, end + SCALE / 2, 12, 10);
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
