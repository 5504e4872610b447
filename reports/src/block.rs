//! What a section is made of: headings, sentences, keys, charts and tables, in
//! the order they are read. A page whose sections differ only in their values
//! needs no template for each of them.

use crate::charts::ChartPair;
use crate::charts::theme::Ink;
use crate::reason::Badge;
use crate::support::Fact;
use crate::table::Table;

/// A section as the templates draw it.
pub(crate) struct SectionView {
    pub(crate) id: &'static str,
    pub(crate) title: &'static str,
    pub(crate) badge: Option<Badge>,
    /// What the section's numbers say, in one plain sentence.
    pub(crate) lead: String,
    pub(crate) blocks: Vec<Block>,
}

/// A part of a section.
pub(crate) enum Block {
    Heading(String),
    /// How to read what follows.
    Caption(String),
    Legend(Vec<Key>),
    Chart(ChartPair),
    Table(Table),
    /// A chart of one panel with the table of its numbers beside it where there is room.
    SideBySide(String, Table),
    /// Numbers with a name above and a remark below.
    Facts(Vec<Fact>),
    Grid(Grid),
    Note(String),
    /// Sentences that carry the section's conclusion.
    Points(Vec<String>),
    /// A sentence that must not be missed.
    Warning(String),
    /// Why the section is empty.
    Omitted(String),
}

/// What a line, an area or a colour stands for.
pub(crate) struct Key {
    pub(crate) shape: KeyShape,
    pub(crate) variable: &'static str,
    pub(crate) dashes: &'static str,
    pub(crate) text: String,
}

/// How a key is drawn.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyShape {
    Line,
    ThinLine,
    Area,
    Block,
    Dot,
    /// Hatched, with an outline.
    Hatched,
}

/// Stacked bars in rows and columns.
pub(crate) struct Grid {
    pub(crate) name: String,
    pub(crate) corner: String,
    pub(crate) columns: Vec<String>,
    pub(crate) rows: Vec<(String, Vec<GridCell>)>,
}

/// One stacked bar with its numbers.
pub(crate) struct GridCell {
    pub(crate) label: String,
    /// Start, width and class of each part.
    pub(crate) parts: Vec<(String, String, &'static str)>,
    pub(crate) text: String,
    pub(crate) below: String,
}

impl Key {
    pub(crate) fn new(shape: KeyShape, ink: Ink, text: impl Into<String>) -> Self {
        Self {
            shape,
            variable: ink.variable(),
            dashes: ink.dashes().unwrap_or("none"),
            text: text.into(),
        }
    }
}
