//! The policy map: which tier a policy chooses in every cell of the tabular
//! view, and beside it how often each cell was visited. Axes are generic: the
//! last one runs across, the one before it down, all earlier ones give one
//! small panel each.

use askama::Template;
use serde::{Deserialize, Serialize};

use crate::error::ReportError;
use crate::number::{self, Decimals};
use crate::reason::{Badge, Evidence, TierName};
use crate::text::{Phrase, Words};

/// One policy's choices over a finite set of cells.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PolicyMap {
    /// The mapped policy.
    pub policy: String,
    /// The axes, slowest first: complexity, sentiment, load, turn.
    pub axes: Vec<MapAxis>,
    /// The cells; those left out are drawn as unknown.
    pub cells: Vec<MapCell>,
    /// Where the visits come from.
    pub evidence: Evidence,
}

/// One axis of the map.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MapAxis {
    /// The axis' key, such as `load`; translated where the page knows it.
    pub key: String,
    /// Its levels' keys, in order.
    pub levels: Vec<String>,
}

/// One cell of the map.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MapCell {
    /// Level on every axis, counted from 0, in the order of the axes.
    pub index: Vec<usize>,
    /// Probabilities of auto, review and human.
    pub probabilities: [f64; 3],
    /// Which of auto, review and human the mask allows here.
    pub allowed: [bool; 3],
    /// Logged (or simulated) visits; 0 means the choice is a guess.
    #[serde(default)]
    pub visits: Option<u64>,
}

/// One panel: all cells that share their place on the outer axes.
pub(crate) struct PanelView {
    pub(crate) title: Vec<(String, String)>,
    pub(crate) tiers: String,
    pub(crate) visits: Option<String>,
}

/// The section as the template draws it.
pub(crate) struct PolicyMapView {
    pub(crate) policy: String,
    pub(crate) axes: String,
    pub(crate) panels: Vec<PanelView>,
    pub(crate) has_visits: bool,
    pub(crate) summary: String,
    pub(crate) badge: Badge,
    pub(crate) columns: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Layer {
    Tiers,
    Visits,
}

#[derive(Template)]
#[template(path = "policy_map.svg", escape = "html")]
struct PanelTemplate {
    label: String,
    width: usize,
    height: usize,
    column_axis: String,
    columns: Vec<Label>,
    rows: Vec<Label>,
    cells: Vec<CellView>,
}

struct Label {
    at: usize,
    text: String,
}

struct CellView {
    x: usize,
    y: usize,
    title: String,
    segments: Vec<Segment>,
    shade: Option<String>,
    text: String,
    text_x: String,
    text_class: &'static str,
    hatched: bool,
    masked: Vec<usize>,
}

struct Segment {
    x: String,
    width: String,
    class: &'static str,
}

const CELL_WIDTH: usize = 50;
const CELL_HEIGHT: usize = 32;
const GAP: usize = 3;
const LEFT: usize = 62;
const TOP: usize = 34;

impl PolicyMap {
    pub(crate) fn check(&self) -> Result<(), ReportError> {
        let levels: Vec<usize> = self.axes.iter().map(|axis| axis.levels.len()).collect();
        for cell in &self.cells {
            let fits = cell.index.len() == levels.len()
                && cell
                    .index
                    .iter()
                    .zip(&levels)
                    .all(|(place, count)| place < count);
            if !fits {
                return Err(ReportError::CellOutsideMap {
                    policy: self.policy.clone(),
                    index: cell.index.clone(),
                    levels,
                });
            }
            check_shares(
                || format!("the map of `{}`, cell {:?}", self.policy, cell.index),
                cell.probabilities,
            )?;
        }
        Ok(())
    }

    pub(crate) fn view(&self, words: Words) -> Result<PolicyMapView, ReportError> {
        let (outer, inner) = self.axes.split_at(self.axes.len().saturating_sub(2));
        let has_visits = self.cells.iter().any(|cell| cell.visits.is_some());
        let most_visits = self.cells.iter().filter_map(|cell| cell.visits).max();
        let mut panels = Vec::new();
        for place in places(outer) {
            let title = outer_title(words, outer, &place);
            let label: Vec<String> = title
                .iter()
                .map(|(axis, level)| format!("{axis}: {level}"))
                .collect();
            let label = label.join(words.say(Phrase::ListSeparator));
            panels.push(PanelView {
                tiers: self.panel(words, &label, &place, inner, Layer::Tiers, most_visits)?,
                visits: if has_visits {
                    Some(self.panel(words, &label, &place, inner, Layer::Visits, most_visits)?)
                } else {
                    None
                },
                title,
            });
        }
        let cells: usize = self.axes.iter().map(|axis| axis.levels.len()).product();
        let never = self
            .cells
            .iter()
            .filter(|cell| cell.visits == Some(0))
            .count();
        let total: u64 = self.cells.iter().filter_map(|cell| cell.visits).sum();
        let mut summary = words.fill(
            Phrase::MapSummary,
            &[("cells", &number::count(cells as u64))],
        );
        if has_visits {
            summary.push_str(&words.fill(
                Phrase::MapVisitSummary,
                &[
                    ("visits", &number::count(total)),
                    ("never", &number::count(never as u64)),
                ],
            ));
        }
        Ok(PolicyMapView {
            policy: self.policy.clone(),
            axes: words.fill(
                Phrase::MapAxes,
                &[
                    ("rows", &axis_name(words, inner, inner.len().checked_sub(2))),
                    (
                        "columns",
                        &axis_name(words, inner, inner.len().checked_sub(1)),
                    ),
                ],
            ),
            panels,
            has_visits,
            summary,
            badge: self.evidence.badge(words),
            columns: outer.last().map_or(1, |axis| axis.levels.len()),
        })
    }

    fn panel(
        &self,
        words: Words,
        title: &str,
        place: &[usize],
        inner: &[MapAxis],
        layer: Layer,
        most_visits: Option<u64>,
    ) -> Result<String, ReportError> {
        let one = [String::new()];
        let (row_levels, column_levels): (&[String], &[String]) = match inner {
            [rows, columns] => (&rows.levels, &columns.levels),
            [columns] => (&one, &columns.levels),
            _ => (&one, &one),
        };
        let labels = |levels: &[String], start: usize, step: usize, middle: usize, most: usize| {
            levels
                .iter()
                .enumerate()
                .map(|(count, level)| Label {
                    at: start + count * step + middle,
                    text: super::theme::shortened(words.key(level), most),
                })
                .collect::<Vec<_>>()
        };
        let mut cells = Vec::new();
        for row in 0..row_levels.len() {
            for column in 0..column_levels.len() {
                let mut index = place.to_vec();
                match inner.len() {
                    2 => index.extend([row, column]),
                    1 => index.push(column),
                    _ => {}
                }
                let cell = self.cells.iter().find(|cell| cell.index == index);
                let x = LEFT + column * (CELL_WIDTH + GAP);
                let y = TOP + row * (CELL_HEIGHT + GAP);
                let levels: Vec<&str> = [row_levels.get(row), column_levels.get(column)]
                    .into_iter()
                    .flatten()
                    .filter(|level| !level.is_empty())
                    .map(|level| words.key(level))
                    .collect();
                cells.push(cell_view(
                    words,
                    cell,
                    (x, y),
                    &levels.join(words.say(Phrase::ListSeparator)),
                    layer,
                    most_visits,
                ));
            }
        }
        let what = words.say(match layer {
            Layer::Tiers => Phrase::MapTiers,
            Layer::Visits => Phrase::MapVisits,
        });
        let template = PanelTemplate {
            label: format!("{what}. {title}"),
            width: LEFT + column_levels.len() * (CELL_WIDTH + GAP),
            height: TOP + row_levels.len() * (CELL_HEIGHT + GAP),
            column_axis: axis_name(words, inner, inner.len().checked_sub(1)),
            columns: labels(column_levels, LEFT, CELL_WIDTH + GAP, CELL_WIDTH / 2, 7),
            rows: labels(row_levels, TOP, CELL_HEIGHT + GAP, CELL_HEIGHT / 2, 9),
            cells,
        };
        Ok(template.render()?)
    }
}

/// The outer axes' names and levels at `place`.
fn outer_title(words: Words, outer: &[MapAxis], place: &[usize]) -> Vec<(String, String)> {
    outer
        .iter()
        .zip(place)
        .map(|(axis, level)| {
            let level = axis.levels.get(*level).map_or("", String::as_str);
            (words.key(&axis.key).to_owned(), words.key(level).to_owned())
        })
        .collect()
}

fn axis_name(words: Words, axes: &[MapAxis], place: Option<usize>) -> String {
    place
        .and_then(|place| axes.get(place))
        .map_or_else(String::new, |axis| words.key(&axis.key).to_owned())
}

/// Every combination of levels of `axes`, in order.
fn places(axes: &[MapAxis]) -> Vec<Vec<usize>> {
    axes.iter().fold(vec![Vec::new()], |known, axis| {
        known
            .iter()
            .flat_map(|place| {
                (0..axis.levels.len()).map(move |level| {
                    let mut longer = place.clone();
                    longer.push(level);
                    longer
                })
            })
            .collect()
    })
}

fn cell_view(
    words: Words,
    cell: Option<&MapCell>,
    (x, y): (usize, usize),
    levels: &str,
    layer: Layer,
    most_visits: Option<u64>,
) -> CellView {
    let Some(cell) = cell else {
        return CellView {
            x,
            y,
            title: format!("{levels}: {}", words.say(Phrase::MapUnknown)),
            segments: Vec::new(),
            shade: None,
            text: "?".to_owned(),
            text_x: "25".to_owned(),
            text_class: "quiet",
            hatched: true,
            masked: Vec::new(),
        };
    };
    let shares: Vec<String> = TierName::ALL
        .into_iter()
        .zip(cell.probabilities)
        .zip(cell.allowed)
        .map(|((tier, probability), allowed)| {
            let name = words.say(tier.phrase());
            if allowed {
                format!("{name} {}", number::percent(probability, Decimals(0)))
            } else {
                format!("{name} {}", words.say(Phrase::MapMasked))
            }
        })
        .collect();
    let visits = cell.visits.map_or_else(String::new, |visits| {
        words.fill(Phrase::MapCellVisits, &[("n", &number::count(visits))])
    });
    let title = format!(
        "{levels}: {}{visits}",
        shares.join(words.say(Phrase::ListSeparator))
    );
    let never = cell.visits == Some(0);
    match layer {
        Layer::Visits => {
            let visits = cell.visits.unwrap_or(0);
            let most = most_visits.unwrap_or(0).max(1);
            // Square root, so that an area of ink stands for a count.
            let strength = (visits as f64 / most as f64).sqrt();
            CellView {
                x,
                y,
                title,
                segments: Vec::new(),
                shade: Some(format!("{strength:.2}")),
                text: number::compact(visits as f64),
                text_x: "25".to_owned(),
                text_class: "plain",
                hatched: never,
                masked: Vec::new(),
            }
        }
        Layer::Tiers => {
            let mut left = 0.0;
            let mut middles = [0.0; 3];
            let segments = TierName::ALL
                .into_iter()
                .zip(cell.probabilities)
                .zip(&mut middles)
                .filter_map(|((tier, probability), middle)| {
                    let width = probability * CELL_WIDTH as f64;
                    let start = left;
                    left += width;
                    *middle = start + width / 2.0;
                    (width >= 0.05).then(|| Segment {
                        x: format!("{start:.1}"),
                        width: format!("{width:.1}"),
                        class: tier.class(),
                    })
                })
                .collect();
            let greedy = TierName::ALL
                .into_iter()
                .zip(cell.probabilities)
                .zip(middles)
                .reduce(|best, next| if next.0.1 > best.0.1 { next } else { best })
                .map(|((tier, _), middle)| (tier, middle));
            // The letter stands inside its own tier's colour. A state that never came up and favours no tier has none.
            let (greedy, middle) = greedy.unwrap_or((TierName::Human, 25.0));
            let [first, others @ ..] = cell.probabilities;
            let undecided = never && others.iter().all(|other| *other == first);
            CellView {
                x,
                y,
                title,
                segments: if undecided { Vec::new() } else { segments },
                shade: None,
                text: if undecided {
                    String::new()
                } else {
                    words.say(greedy.letter()).to_owned()
                },
                text_x: format!("{middle:.1}"),
                text_class: if never { "unsure" } else { greedy.class() },
                hatched: never,
                masked: cell
                    .allowed
                    .iter()
                    .enumerate()
                    .filter(|(_, allowed)| !**allowed)
                    .map(|(tier, _)| 5 + tier * 17)
                    .collect(),
            }
        }
    }
}

/// Checks that shares lie in \[0, 1\] and sum to one within 1e-6.
pub(crate) fn check_shares(
    place: impl FnOnce() -> String,
    shares: [f64; 3],
) -> Result<(), ReportError> {
    let sound = shares.iter().all(|share| (0.0..=1.0).contains(share))
        && (shares.iter().sum::<f64>() - 1.0).abs() < 1e-6;
    if sound {
        Ok(())
    } else {
        Err(ReportError::SharesDoNotSum {
            place: place(),
            shares,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Language;

    fn map() -> PolicyMap {
        let axis = |key: &str, levels: &[&str]| MapAxis {
            key: key.to_owned(),
            levels: levels.iter().map(|level| (*level).to_owned()).collect(),
        };
        PolicyMap {
            policy: "q".to_owned(),
            axes: vec![
                axis("sentiment", &["negative"]),
                axis("load", &["low", "high"]),
                axis("turn", &["1", "2"]),
            ],
            cells: vec![
                MapCell {
                    index: vec![0, 0, 0],
                    probabilities: [0.9, 0.05, 0.05],
                    allowed: [true, true, true],
                    visits: Some(1500),
                },
                MapCell {
                    index: vec![0, 0, 1],
                    probabilities: [0.0, 0.3, 0.7],
                    allowed: [false, true, true],
                    visits: Some(0),
                },
                MapCell {
                    index: vec![0, 1, 0],
                    probabilities: [0.0, 1.0, 0.0],
                    allowed: [true, true, false],
                    visits: Some(12),
                },
            ],
            evidence: Evidence::Logged,
        }
    }

    #[test]
    fn a_panel_of_tiers_and_visits() {
        let view = map().view(Words::new(Language::En)).unwrap();
        assert_eq!(view.panels.len(), 1);
        insta::assert_snapshot!("map_tiers", view.panels[0].tiers);
        insta::assert_snapshot!("map_visits", view.panels[0].visits.clone().unwrap());
    }

    #[test]
    fn cells_must_fit_their_axes_and_sum_to_one() {
        assert!(map().check().is_ok());
        let mut outside = map();
        outside.cells[0].index = vec![0, 2, 0];
        assert!(matches!(
            outside.check(),
            Err(ReportError::CellOutsideMap { .. })
        ));
        let mut short = map();
        short.cells[0].probabilities = [0.5, 0.2, 0.2];
        assert!(matches!(
            short.check(),
            Err(ReportError::SharesDoNotSum { .. })
        ));
        let mut missing = map();
        missing.cells[0].probabilities[0] = f64::NAN;
        assert!(missing.check().is_err());
    }

    #[test]
    fn axes_are_generic() {
        for keep in 0..3 {
            let mut fewer = map();
            fewer.axes.drain(keep..);
            fewer.cells.clear();
            assert!(fewer.view(Words::new(Language::Zh)).is_ok(), "{keep} axes");
        }
    }
}
