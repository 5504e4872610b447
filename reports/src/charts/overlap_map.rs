//! The overlap map: for each group of rows and action the log's share beside the policy's. A cell's tint says which of the
//! two takes the action more often; a cell that the log never took and the policy wants is hatched and outlined. An SVG
//! template rather than a plotters drawing, because its words translate with the page.

use askama::Template;

use super::ChartPair;
use super::theme::shortened;
use crate::error::ReportError;
use crate::number::{self, Decimals};

/// A map with finished words.
pub(crate) struct OverlapMap {
    /// What a screen reader says of it.
    pub(crate) label: String,
    /// Heads of the columns.
    pub(crate) columns: Vec<String>,
    pub(crate) rows: Vec<MapRow>,
}

/// One group.
pub(crate) struct MapRow {
    pub(crate) name: String,
    pub(crate) below: String,
    pub(crate) cells: Vec<MapCell>,
}

/// One group and action.
pub(crate) struct MapCell {
    pub(crate) title: String,
    /// Share of the group's rows in which the log took the action.
    pub(crate) log: f64,
    /// The policy's mean probability of it.
    pub(crate) policy: f64,
    /// Rows in which the log took it.
    pub(crate) taken: u64,
    /// Whether the policy wants what the log never did.
    pub(crate) hole: bool,
}

const WIDE: usize = 820;
const NARROW: usize = 340;
const CELL: usize = 84;
const HEIGHT: usize = 42;
const GAP: usize = 4;
const TOP: usize = 24;

#[derive(Template)]
#[template(path = "overlap_map.svg", escape = "html")]
struct MapTemplate<'a> {
    label: &'a str,
    width: usize,
    /// Width on the page at most, in CSS pixels.
    most: usize,
    height: usize,
    heads: Vec<Text>,
    names: Vec<Name>,
    cells: Vec<Cell<'a>>,
}

struct Text {
    x: usize,
    y: usize,
    text: String,
}

struct Name {
    x: usize,
    y: usize,
    text: String,
    below: String,
}

struct Cell<'a> {
    x: usize,
    y: usize,
    title: &'a str,
    /// Class of the tint and its opacity.
    tint: Option<(&'static str, String)>,
    hole: bool,
    shares: String,
    n: String,
}

impl OverlapMap {
    /// Draws for wide screens, and for narrow ones with few actions side by side.
    pub(crate) fn draw(&self) -> Result<ChartPair, ReportError> {
        Ok(ChartPair {
            wide: self.draw_at(WIDE, 116, 14)?,
            narrow: self.draw_at(NARROW, 74, 8)?,
        })
    }

    /// Actions that do not fit beside each other stand in further blocks below.
    fn draw_at(&self, width: usize, left: usize, letters: usize) -> Result<String, ReportError> {
        let fit = ((width - left) / (CELL + GAP)).clamp(1, self.columns.len().max(1));
        // No wider than its cells, or few actions would be drawn small.
        let width = left + fit * (CELL + GAP);
        let block = TOP + self.rows.len() * (HEIGHT + GAP) + 14;
        let blocks = self.columns.len().div_ceil(fit).max(1);
        let (mut heads, mut names, mut cells) = (Vec::new(), Vec::new(), Vec::new());
        for (at, columns) in self.columns.chunks(fit).enumerate() {
            let top = at * block;
            for (place, head) in columns.iter().enumerate() {
                heads.push(Text {
                    x: left + place * (CELL + GAP) + CELL / 2,
                    y: top + 14,
                    text: shortened(head, 12),
                });
            }
            for (row_at, row) in self.rows.iter().enumerate() {
                let y = top + TOP + row_at * (HEIGHT + GAP);
                names.push(Name {
                    x: left - 8,
                    y,
                    text: shortened(&row.name, letters),
                    below: row.below.clone(),
                });
                let shown = row.cells.iter().skip(at * fit).take(fit);
                cells.extend(
                    shown
                        .enumerate()
                        .map(|(place, cell)| cell.view(left + place * (CELL + GAP), y)),
                );
            }
        }
        Ok(MapTemplate {
            label: &self.label,
            width,
            most: width * 5 / 4,
            height: blocks * block - 14,
            heads,
            names,
            cells,
        }
        .render()?)
    }
}

impl MapCell {
    fn view(&self, x: usize, y: usize) -> Cell<'_> {
        // Four times as often as the other is as strong as it gets.
        let ratio = (self.policy / self.log).log2();
        let strength = (ratio.abs() / 2.0).min(1.0) * 0.5;
        let tint = if self.hole || ratio.is_nan() || strength < 0.01 {
            None
        } else if ratio > 0.0 {
            Some(("more", format!("{strength:.2}")))
        } else {
            Some(("less", format!("{strength:.2}")))
        };
        Cell {
            x,
            y,
            title: &self.title,
            tint,
            hole: self.hole,
            shares: format!("{} → {}\u{202f}%", share(self.log), share(self.policy)),
            n: format!("n = {}", number::compact(self.taken as f64)),
        }
    }
}

/// Per cent without the sign, short enough for a cell; what is not quite nothing reads "<1".
fn share(fraction: f64) -> String {
    number::fixed(fraction * 100.0, Decimals(0)).replace("< ", "<")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(actions: usize) -> OverlapMap {
        let cell = |log, policy, taken, hole| MapCell {
            title: "refund <b>, action".to_owned(),
            log,
            policy,
            taken,
            hole,
        };
        let pattern = || {
            vec![
                cell(0.5, 0.25, 1500, false),
                cell(0.0, 0.4, 0, true),
                cell(0.5, 0.0, 1500, false),
                cell(0.0, 0.0, 0, false),
                cell(f64::NAN, 0.004, 3, false),
            ]
        };
        OverlapMap {
            label: "shares & actions".to_owned(),
            columns: (0..actions).map(|a| format!("action {a}")).collect(),
            rows: ["refund <b>", "a name that does not fit here"]
                .map(|name| MapRow {
                    name: name.to_owned(),
                    below: "n = 3k".to_owned(),
                    cells: (0..actions).map(|a| pattern().swap_remove(a % 5)).collect(),
                })
                .into(),
        }
    }

    #[test]
    fn a_map_of_five_actions() {
        let pair = map(5).draw().unwrap();
        insta::assert_snapshot!(pair.wide);
        // Three actions fit a phone: two blocks of two rows.
        let height = 2 * (TOP + 2 * (HEIGHT + GAP) + 14) - 14;
        assert!(
            pair.narrow
                .contains(&format!("viewBox=\"0 0 338 {height}\""))
        );
        assert_eq!(pair.narrow.matches("class=\"hole\"").count(), 2);
    }

    #[test]
    fn many_actions_break_into_blocks_and_none_is_lost() {
        let pair = map(23).draw().unwrap();
        for svg in [pair.wide, pair.narrow] {
            assert_eq!(svg.matches("<g transform").count(), 46);
            assert!(!svg.contains("NaN") && !svg.contains("<b>"));
        }
    }
}
