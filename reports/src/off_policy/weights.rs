//! Importance weights: how many rows really speak, and a histogram of sizes by number and by share of all weight.

use super::{OffPolicyPage, WeightSpread, section};
use crate::block::{Block, SectionView};
use crate::charts::axis::Axis;
use crate::charts::panels::{Layer, Panel, PanelRow, Panels};
use crate::charts::strip::Domain;
use crate::charts::theme::Ink;
use crate::error::ReportError;
use crate::measure::Unit;
use crate::number::{self, Decimals};
use crate::support::Fact;
use crate::text::{TablePhrase, Words};

impl OffPolicyPage {
    pub(super) fn weights_section(&self, words: Words) -> Result<Option<SectionView>, ReportError> {
        let Some(weights) = &self.weights else {
            return Ok(None);
        };
        let units = self.units_name(words);
        let n = number::count(weights.n);
        let effective = number::fixed(weights.effective, Decimals(0));
        let mut lead = vec![words.fill(
            TablePhrase::WeightsLead,
            &[
                ("n", &n),
                ("units", units),
                ("effective", &effective),
                (
                    "share",
                    &number::percent(weights.effective / weights.n.max(1) as f64, Decimals(1)),
                ),
                (
                    "largest",
                    &number::percent(weights.largest_share, Decimals(2)),
                ),
            ],
        )];
        lead.push(if weights.effective < weights.needed {
            words.fill(
                TablePhrase::WeightsThin,
                &[("needed", &number::fixed(weights.needed, Decimals(0)))],
            )
        } else if weights.largest_share > weights.limit {
            words.fill(
                TablePhrase::WeightsHeavy,
                &[("limit", &number::percent(weights.limit, Decimals(0)))],
            )
        } else {
            words.say(TablePhrase::WeightsFine).to_owned()
        });
        let fact = |name, value: String, note: Option<String>| Fact {
            name: words.say(name),
            value,
            note,
        };
        let mut facts = vec![
            fact(
                TablePhrase::FactEffective,
                effective,
                Some(words.fill(TablePhrase::FactEffectiveNote, &[("n", &n)])),
            ),
            fact(
                TablePhrase::FactLargest,
                number::fixed(weights.largest, Decimals(2)),
                Some(words.fill(
                    TablePhrase::FactLargestNote,
                    &[(
                        "share",
                        &number::percent(weights.largest_share, Decimals(2)),
                    )],
                )),
            ),
            fact(
                TablePhrase::FactMean,
                number::fixed(weights.mean, Decimals(3)),
                Some(words.say(TablePhrase::FactMeanNote).to_owned()),
            ),
        ];
        if weights.zero > 0 {
            facts.push(fact(
                TablePhrase::FactZero,
                number::percent(weights.zero as f64 / weights.n.max(1) as f64, Decimals(1)),
                Some(words.say(TablePhrase::FactZeroNote).to_owned()),
            ));
        }
        let blocks = vec![
            Block::Facts(facts),
            Block::Caption(words.fill(TablePhrase::WeightsCaption, &[("units", units)])),
            Block::Chart(weights.chart(words, units)?),
        ];
        Ok(Some(section(
            "weights",
            words.say(TablePhrase::WeightsTitle),
            words.sentences(&lead),
            blocks,
        )))
    }
}

impl WeightSpread {
    fn chart(&self, words: Words, units: &str) -> Result<crate::charts::ChartPair, ReportError> {
        let panels = Panels {
            chart: "weights",
            label: words.say(TablePhrase::WeightsLabel).to_owned(),
            rows: vec![PanelRow {
                title: None,
                panels: vec![
                    self.panel(
                        words,
                        words.fill(TablePhrase::WeightsByCount, &[("units", units)]),
                        self.zero as f64,
                        |bin| bin.n as f64,
                        Ink::Series(0),
                    ),
                    self.panel(
                        words,
                        words.say(TablePhrase::WeightsByWeight).to_owned(),
                        0.0,
                        |bin| bin.weight,
                        Ink::Series(1),
                    ),
                ],
                height: 170,
                narrow_columns: 1,
            }],
        };
        panels.draw()
    }

    fn panel(
        &self,
        words: Words,
        title: String,
        zero: f64,
        size: impl Fn(&super::WeightsOfSize) -> f64,
        ink: Ink,
    ) -> Panel {
        let total: f64 = zero + self.bins.iter().map(&size).sum::<f64>();
        let share = |number: f64| if total > 0.0 { number / total } else { 0.0 };
        // The first place is that of weight zero, then a gap, then the bins.
        let first = if self.zero > 0 { 1.5 } else { 0.0 };
        let last = first + self.bins.len() as f64;
        let mut boxes: Vec<(f64, f64, f64, f64)> = self
            .bins
            .iter()
            .enumerate()
            .map(|(at, bin)| {
                let left = first + at as f64;
                (left + 0.06, left + 0.94, 0.0, share(size(bin)))
            })
            .collect();
        if zero > 0.0 {
            boxes.push((0.06, 0.94, 0.0, share(zero)));
        }
        let most = boxes.iter().map(|b| b.3).fold(0.0, f64::max);
        let mut ticks: Vec<(f64, String)> = Vec::new();
        if self.zero > 0 {
            ticks.push((0.5, "0".to_owned()));
        }
        ticks.extend(
            self.bins
                .iter()
                .enumerate()
                .map(|(at, bin)| (first + at as f64, power_of_two(bin.from))),
        );
        if let Some(bin) = self.bins.last() {
            ticks.push((last, power_of_two(bin.from * 2.0)));
        }
        let one = self.bins.first().map(|bin| first - bin.from.log2());
        let mut layers = vec![Layer::Boxes(ink, 0.85, boxes)];
        if let Some(one) = one.filter(|one| (first..=last).contains(one)) {
            layers.push(Layer::Line(
                Ink::Baseline,
                1.5,
                vec![(one, 0.0), (one, most * 1.06)],
            ));
        }
        Panel {
            title,
            x: Axis::labelled(Domain::between(0.0, last.max(1.0)), ticks),
            y: Axis::from_zero(words, Unit::Rate, &[most], 4),
            layers,
        }
    }
}

/// A power of two as a reader says it: ¼ is 1/4, large ones are powers.
fn power_of_two(weight: f64) -> String {
    let exponent = weight.log2().round();
    if !exponent.is_finite() {
        return number::MISSING.to_owned();
    }
    match exponent as i32 {
        e @ 0..=13 => format!("{}", 1_u32 << e),
        e @ -9..=-1 => format!("1/{}", 1_u32 << -e),
        _ => format!("2{}", number::power(exponent)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Language;
    use crate::off_policy::WeightsOfSize;

    #[test]
    fn powers_of_two_read_as_people_say_them() {
        for (weight, text) in [
            (0.125, "1/8"),
            (1.0, "1"),
            (8192.0, "8192"),
            (16384.0, "2¹⁴"),
            (2.0_f64.powi(-20), "2⁻²⁰"),
            (f64::NAN, "—"),
        ] {
            assert_eq!(power_of_two(weight), text);
        }
    }

    #[test]
    fn a_histogram_of_weights() {
        let spread = WeightSpread {
            n: 100,
            mean: 0.9,
            largest: 7.0,
            largest_share: 0.08,
            effective: 61.0,
            needed: 100.0,
            limit: 0.1,
            zero: 20,
            bins: [
                (0.5, 30, 20.0),
                (1.0, 40, 50.0),
                (2.0, 0, 0.0),
                (4.0, 10, 60.0),
            ]
            .map(|(from, n, weight)| WeightsOfSize { from, n, weight })
            .to_vec(),
        };
        let chart = spread.chart(Words::new(Language::En), "rows").unwrap();
        insta::assert_snapshot!(chart.wide);
    }
}
