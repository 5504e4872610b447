//! Propensities beside what happened: dots around the line on which promises are kept, and the numbers with n per bin.

use super::{OffPolicyPage, PropensityBin, section};
use crate::block::{Block, SectionView};
use crate::charts::axis::Axis;
use crate::charts::panels::{Layer, Panel, PanelRow, Panels};
use crate::charts::theme::Ink;
use crate::error::ReportError;
use crate::number::{self, Decimals};
use crate::support::PropensityKind;
use crate::table::{Cell, Column, Mark, Row, Table};
use crate::text::{TablePhrase, Words};

/// Standard errors beyond which a bin is called off, as in the remarks of the evaluation.
const OFF: f64 = 4.0;

impl PropensityBin {
    fn is_off(&self) -> bool {
        (self.observed - self.predicted).abs() > OFF * self.standard_error + 1e-9
    }
}

impl OffPolicyPage {
    pub(super) fn calibration_section(
        &self,
        words: Words,
    ) -> Result<Option<SectionView>, ReportError> {
        if self.calibration.is_empty() || self.propensity == PropensityKind::Absent {
            return Ok(None);
        }
        let bins = &self.calibration;
        let off = bins.iter().filter(|bin| bin.is_off()).count();
        let lead = if off == 0 {
            words.say(TablePhrase::CalibrationFine).to_owned()
        } else {
            words.fill(
                TablePhrase::CalibrationOff,
                &[
                    ("off", &number::count(off as u64)),
                    ("count", &number::count(bins.len() as u64)),
                ],
            )
        };
        let caption = words.say(if self.propensity == PropensityKind::Estimated {
            TablePhrase::CalibrationEstimated
        } else {
            TablePhrase::CalibrationLogged
        });
        let share = |share: f64| number::percent(share, Decimals(1));
        let rows = bins.iter().map(|bin| {
            let mark = if bin.is_off() {
                Mark {
                    class: "changes",
                    icon: "✕",
                    text: words.say(TablePhrase::BinOff),
                }
            } else {
                Mark {
                    class: "good",
                    icon: "✓",
                    text: words.say(TablePhrase::BinFine),
                }
            };
            Row::new(
                format!(
                    "{} – {}",
                    number::percent(bin.from, Decimals(0)),
                    number::percent(bin.to, Decimals(0))
                ),
                vec![
                    Cell::text(share(bin.predicted)),
                    Cell {
                        strong: true,
                        below: Some(format!("± {}", share(2.0 * bin.standard_error))),
                        ..Cell::text(share(bin.observed))
                    },
                    Cell::text(number::count(bin.n)),
                    Cell::mark(mark),
                ],
            )
        });
        let table = Table {
            class: "short",
            head: words.say(TablePhrase::Bin),
            columns: vec![
                Column::number(words.say(TablePhrase::Predicted)),
                Column::number(words.say(TablePhrase::Observed)),
                Column::number(words.say(TablePhrase::Occasions)),
                Column::words(""),
            ],
            rows: rows.collect(),
        };
        Ok(Some(section(
            "propensities",
            words.say(TablePhrase::CalibrationTitle),
            lead,
            vec![
                Block::Caption(caption.to_owned()),
                Block::SideBySide(chart(words, bins)?, table),
            ],
        )))
    }
}

fn chart(words: Words, bins: &[PropensityBin]) -> Result<String, ReportError> {
    let dots = |off: bool| {
        bins.iter()
            .filter(|bin| bin.is_off() == off)
            .map(|bin| (bin.predicted, bin.observed))
            .collect()
    };
    let mut layers = vec![Layer::Line(
        Ink::Baseline,
        1.5,
        vec![(0.0, 0.0), (1.0, 1.0)],
    )];
    for bin in bins {
        let ink = if bin.is_off() {
            Ink::Worse
        } else {
            Ink::Series(0)
        };
        let reach = 2.0 * bin.standard_error;
        layers.push(Layer::Line(
            ink,
            1.5,
            vec![
                (bin.predicted, bin.observed - reach),
                (bin.predicted, bin.observed + reach),
            ],
        ));
    }
    layers.push(Layer::Dots(Ink::Series(0), dots(false)));
    layers.push(Layer::Dots(Ink::Worse, dots(true)));
    let panels = Panels {
        chart: "propensities",
        label: words.say(TablePhrase::CalibrationLabel).to_owned(),
        rows: vec![PanelRow {
            title: None,
            panels: vec![Panel {
                title: words.say(TablePhrase::CalibrationPanel).to_owned(),
                x: Axis::shares(words),
                y: Axis::shares(words),
                layers,
            }],
            height: 270,
            narrow_columns: 1,
        }],
    };
    // One square panel: the narrow drawing serves every width.
    panels.draw_narrow()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Language;

    fn bin(predicted: f64, observed: f64) -> PropensityBin {
        PropensityBin {
            from: 0.0,
            to: 1.0,
            n: 500,
            predicted,
            observed,
            standard_error: 0.02,
        }
    }

    #[test]
    fn a_bin_is_off_beyond_four_standard_errors() {
        assert!(!bin(0.3, 0.379).is_off());
        assert!(bin(0.3, 0.381).is_off());
        // What is no number is not called wrong.
        assert!(!bin(f64::NAN, 0.4).is_off());
    }

    #[test]
    fn promised_beside_observed() {
        let chart = chart(
            Words::new(Language::En),
            &[bin(0.1, 0.11), bin(0.5, 0.7), bin(0.9, f64::NAN)],
        );
        insta::assert_snapshot!(chart.unwrap());
    }
}
