//! Where each policy sends which class of messages under which load.

use serde::{Deserialize, Serialize};

use super::cast::{Cast, items};
use crate::block::{Block, Grid, GridCell, Key, KeyShape, SectionView};
use crate::charts::policy_map::check_shares;
use crate::charts::theme::Ink;
use crate::error::ReportError;
use crate::measure::Unit;
use crate::number::{self, Decimals};
use crate::reason::{Evidence, TierName};
use crate::text::{CentrePhrase, Phrase, Words};
use crate::uncertain::Uncertain;

/// Shares of the tiers by class and load, one grid per policy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Routing {
    /// Message classes' keys, such as `complaint`, in the order of the rows.
    pub classes: Vec<String>,
    /// Load levels' keys, such as `low`, from the lowest to the highest.
    pub loads: Vec<String>,
    /// One entry per policy, each in the KPI table.
    pub policies: Vec<PolicyRouting>,
}

/// One policy's choices.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PolicyRouting {
    /// The policy.
    pub policy: String,
    /// The cells it decided in; those left out are drawn as never seen.
    pub cells: Vec<RoutingCell>,
}

/// Decisions in one class under one load.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RoutingCell {
    /// Place of the class in [`Routing::classes`].
    pub class: usize,
    /// Place of the load in [`Routing::loads`].
    pub load: usize,
    /// Shares of auto, review and human; their values sum to 1.
    pub shares: [Uncertain; 3],
    /// Decisions in this cell over all replications.
    pub n: u64,
}

impl Routing {
    pub(super) fn check(&self, cast: &Cast) -> Result<(), ReportError> {
        for policy in &self.policies {
            cast.check("routing", &policy.policy)?;
            for cell in &policy.cells {
                if cell.class >= self.classes.len() || cell.load >= self.loads.len() {
                    return Err(ReportError::CellOutsideMap {
                        policy: policy.policy.clone(),
                        index: vec![cell.class, cell.load],
                        levels: vec![self.classes.len(), self.loads.len()],
                    });
                }
                let place = || {
                    format!(
                        "routing of `{}`, class `{}` at load `{}`",
                        policy.policy, self.classes[cell.class], self.loads[cell.load]
                    )
                };
                check_shares(place, cell.shares.map(|share| share.value))?;
                for share in cell.shares {
                    share.check_share(place)?;
                }
            }
        }
        Ok(())
    }

    pub(super) fn view(&self, words: Words, cast: &Cast) -> SectionView {
        let tiers = TierName::ALL.map(|tier| {
            let text = format!(
                "{}: {}",
                words.say(tier.phrase()),
                words.say(tier.meaning())
            );
            Key::new(KeyShape::Block, Ink::Tier(tier), text)
        });
        let mut blocks = vec![
            Block::Caption(words.say(CentrePhrase::RoutingCaption).to_owned()),
            Block::Legend(tiers.into()),
        ];
        for policy in &self.policies {
            blocks.push(Block::Heading(policy.policy.clone()));
            blocks.push(Block::Grid(self.grid(words, policy)));
        }
        SectionView {
            id: "routing",
            title: words.say(CentrePhrase::RoutingTitle),
            badge: Some(Evidence::Simulated.badge(words)),
            lead: self.lead(words, cast),
            blocks,
        }
    }

    fn grid(&self, words: Words, policy: &PolicyRouting) -> Grid {
        let row = |class: usize| {
            let cells = (0..self.loads.len())
                .map(|load| match policy.cell(class, load) {
                    Some(cell) => cell.view(words),
                    None => GridCell {
                        label: String::new(),
                        parts: Vec::new(),
                        text: number::MISSING.to_owned(),
                        below: words.say(CentrePhrase::RoutingNever).to_owned(),
                    },
                })
                .collect();
            (words.key(&self.classes[class]).to_owned(), cells)
        };
        Grid {
            name: policy.policy.clone(),
            corner: format!(
                "{} \\ {}",
                words.say(CentrePhrase::RoutingCorner),
                words.key("load")
            ),
            columns: self
                .loads
                .iter()
                .map(|load| words.key(load).to_owned())
                .collect(),
            rows: (0..self.classes.len()).map(row).collect(),
        }
    }

    /// For every policy the class and tier whose share changes most from the
    /// lowest to the highest load.
    fn lead(&self, words: Words, cast: &Cast) -> String {
        let (Some(low), Some(high)) = (self.loads.first(), self.loads.last()) else {
            return String::new();
        };
        let last = self.loads.len() - 1;
        let found: Vec<String> = self
            .policies
            .iter()
            .filter(|policy| cast.leads(&policy.policy))
            .map(|policy| {
                let mut most: Option<(f64, usize, TierName, Uncertain, Uncertain)> = None;
                for class in 0..self.classes.len() {
                    let ends = policy.cell(class, 0).zip(policy.cell(class, last));
                    let Some((first, last)) = ends else { continue };
                    for (place, tier) in TierName::ALL.into_iter().enumerate() {
                        let (before, after) = (first.shares[place], last.shares[place]);
                        let change = (after.value - before.value).abs();
                        if change > most.map_or(0.0, |known| known.0) {
                            most = Some((change, class, tier, before, after));
                        }
                    }
                }
                match most.filter(|(change, ..)| *change >= 0.005) {
                    Some((_, class, tier, before, after)) => words.fill(
                        CentrePhrase::RoutingItem,
                        &[
                            ("policy", &policy.policy),
                            ("class", words.key(&self.classes[class])),
                            ("tier", words.say(tier.phrase())),
                            ("before", &before.text(words, Unit::Rate)),
                            ("after", &after.text(words, Unit::Rate)),
                        ],
                    ),
                    None => words.fill(CentrePhrase::RoutingSteady, &[("policy", &policy.policy)]),
                }
            })
            .collect();
        words.fill(
            CentrePhrase::RoutingLead,
            &[
                ("low", words.key(low)),
                ("high", words.key(high)),
                ("items", &items(words, &found)),
            ],
        )
    }
}

impl PolicyRouting {
    fn cell(&self, class: usize, load: usize) -> Option<&RoutingCell> {
        self.cells
            .iter()
            .find(|cell| cell.class == class && cell.load == load)
    }
}

impl RoutingCell {
    fn view(&self, words: Words) -> GridCell {
        let mut start = 0.0;
        let mut parts = Vec::new();
        let mut label = Vec::new();
        let mut text = Vec::new();
        for (tier, share) in TierName::ALL.into_iter().zip(self.shares) {
            let percent = |number: f64| format!("{:.2}%", number * 100.0);
            parts.push((percent(start), percent(share.value), tier.class()));
            start += share.value;
            label.push(format!(
                "{} {}",
                words.say(tier.phrase()),
                share.text(words, Unit::Rate)
            ));
            text.push(number::fixed(share.value * 100.0, Decimals(0)));
        }
        let n = words.fill(CentrePhrase::WithCount, &[("n", &number::count(self.n))]);
        label.push(n.clone());
        let separator = words.say(Phrase::ListSeparator);
        let halves = self.shares.iter();
        let halves = halves.map(|share| (share.upper - share.lower) / 2.0 * 100.0);
        let widest = number::fixed(halves.fold(0.0, f64::max), Decimals(1));
        GridCell {
            label: label.join(words.say(Phrase::ListSeparator)),
            parts,
            text: text.join(" · "),
            below: format!("±{widest}{separator}{n}"),
        }
    }
}
