//! A plain table as the templates draw it: heads at the left, numbers with
//! their intervals, strips and marks in cells. On a narrow screen every row
//! becomes a small card whose cells carry their column's name.

use crate::charts::learning_curve::Swatch;
use crate::charts::strip::{Domain, Tick};
use crate::measure::Unit;
use crate::text::Words;
use crate::uncertain::Uncertain;

/// A table of rows that share their columns.
pub(crate) struct Table {
    /// Extra classes, such as `forest` where a column holds strips.
    pub(crate) class: &'static str,
    /// The head of the rows' names.
    pub(crate) head: &'static str,
    pub(crate) columns: Vec<Column>,
    pub(crate) rows: Vec<Row>,
}

/// One column.
pub(crate) struct Column {
    pub(crate) name: &'static str,
    pub(crate) class: &'static str,
    /// The axis above a column of strips.
    pub(crate) ticks: Vec<(Tick, String)>,
}

/// One row, or a heading over the rows that follow.
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) note: Option<String>,
    pub(crate) swatch: Option<Swatch>,
    pub(crate) mark: Option<Mark>,
    pub(crate) is_group: bool,
    /// Why there are no cells, across all columns.
    pub(crate) refused: Option<String>,
    pub(crate) cells: Vec<Cell>,
}

/// One cell.
#[derive(Default)]
pub(crate) struct Cell {
    pub(crate) text: String,
    pub(crate) strong: bool,
    /// Small print below the text, such as an interval.
    pub(crate) below: Option<String>,
    /// Finished SVG.
    pub(crate) plot: Option<String>,
    pub(crate) marks: Vec<Mark>,
}

/// A word that judges, as a badge.
#[derive(Clone, Copy)]
pub(crate) struct Mark {
    pub(crate) class: &'static str,
    pub(crate) icon: &'static str,
    pub(crate) text: &'static str,
}

impl Column {
    pub(crate) fn number(name: &'static str) -> Self {
        Self {
            name,
            class: "number",
            ticks: Vec::new(),
        }
    }

    pub(crate) fn words(name: &'static str) -> Self {
        Self {
            name,
            class: "words",
            ticks: Vec::new(),
        }
    }

    /// A column of strips with the axis of their domain above it.
    pub(crate) fn strips(words: Words, domain: Domain, unit: Unit, signed: bool) -> Self {
        let ticks = domain.ticks(4);
        let step = match ticks.as_slice() {
            [first, second, ..] => second.number - first.number,
            _ => domain.high() - domain.low(),
        };
        // The step of round ticks comes with rounding noise: 0.42 − 0.40 < 0.02.
        let decimals = unit.tick_decimals(step * 1.000_001);
        Self {
            name: "",
            class: "axis",
            ticks: ticks
                .into_iter()
                // A label at the very edge would be cut off on a phone.
                .filter(|tick| (0.05..=0.95).contains(&domain.fraction(tick.number)))
                .map(|tick| {
                    let text = if signed {
                        unit.difference(words, tick.number, decimals)
                    } else {
                        unit.value(words, tick.number, decimals)
                    };
                    (tick, text)
                })
                .collect(),
        }
    }
}

impl Row {
    pub(crate) fn new(name: impl Into<String>, cells: Vec<Cell>) -> Self {
        Self {
            name: name.into(),
            note: None,
            swatch: None,
            mark: None,
            is_group: false,
            refused: None,
            cells,
        }
    }

    /// A heading over the rows that follow.
    pub(crate) fn group(name: impl Into<String>) -> Self {
        Self {
            is_group: true,
            ..Self::new(name, Vec::new())
        }
    }

    pub(crate) fn with_note(mut self, note: Option<String>) -> Self {
        self.note = note.filter(|note| !note.is_empty());
        self
    }

    /// A row without numbers, and why.
    pub(crate) fn refused(name: impl Into<String>, reason: String) -> Self {
        Self {
            refused: Some(reason),
            ..Self::new(name, Vec::new())
        }
    }

    pub(crate) fn with_swatch(mut self, swatch: Swatch) -> Self {
        self.swatch = Some(swatch);
        self
    }

    pub(crate) fn with_mark(mut self, mark: Option<Mark>) -> Self {
        self.mark = mark;
        self
    }
}

impl Cell {
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            ..Self::default()
        }
    }

    /// A value, its interval below it.
    pub(crate) fn uncertain(words: Words, number: Uncertain, unit: Unit) -> Self {
        Self {
            text: number.number(words, unit),
            strong: true,
            below: Some(number.bounds(unit)),
            ..Self::default()
        }
    }

    /// A difference, its interval below it.
    pub(crate) fn difference(words: Words, number: Uncertain, unit: Unit) -> Self {
        Self {
            text: number.signed_number(words, unit),
            strong: true,
            below: Some(number.signed_bounds(unit)),
            ..Self::default()
        }
    }

    pub(crate) fn plot(svg: String) -> Self {
        Self {
            plot: Some(svg),
            ..Self::default()
        }
    }

    pub(crate) fn mark(mark: Mark) -> Self {
        Self {
            marks: vec![mark],
            ..Self::default()
        }
    }

    pub(crate) fn with_mark(mut self, mark: Option<Mark>) -> Self {
        self.marks.extend(mark);
        self
    }
}
