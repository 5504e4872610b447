//! The page's charts, each a function of plain values to an SVG string.
//! Curves, bars and small multiples go through plotters ([`learning_curve`],
//! [`reward_parts`], [`panels`]);
//! rows of a table and maps, whose text must wrap and translate with
//! the page, are small SVG templates ([`strip`], [`spread`], [`forest`],
//! [`policy_map`], [`overlap_map`]).
//! All take their colours from the page's CSS variables; [`theme`] is the one
//! place that knows how.

pub(crate) mod axis;
pub(crate) mod forest;
pub(crate) mod learning_curve;
pub(crate) mod overlap_map;
pub(crate) mod panels;
pub(crate) mod policy_map;
pub(crate) mod reward_parts;
pub(crate) mod spread;
pub(crate) mod strip;
pub(crate) mod theme;

/// A chart drawn twice, for wide and narrow screens: scaling one drawing down
/// to a phone would shrink its text below legibility. CSS shows one of them.
pub(crate) struct ChartPair {
    pub(crate) wide: String,
    pub(crate) narrow: String,
}
