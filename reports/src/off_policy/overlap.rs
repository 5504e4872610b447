//! Where the log can speak for the policy: the map of groups and actions, its holes named.

use super::{OffPolicyPage, OverlapGroup, TableOverlap, section};
use crate::block::{Block, Key, KeyShape, SectionView};
use crate::charts::overlap_map::{MapCell, MapRow, OverlapMap};
use crate::charts::theme::Ink;
use crate::error::ReportError;
use crate::number::{self, Decimals};
use crate::text::{CentrePhrase, TablePhrase, Words};

/// Groups and actions drawn at most.
const MOST_GROUPS: usize = 16;
const MOST_ACTIONS: usize = 24;
/// Holes named in the section's sentence.
const NAMED: usize = 6;
/// A policy that takes an action less often than this does not want it.
const WANTED: f64 = 0.001;

/// A place where the policy wants what the log never did.
struct Hole<'a> {
    group: &'a OverlapGroup,
    action: usize,
    /// The policy's mean probability there.
    share: f64,
}

impl TableOverlap {
    fn holes(&self) -> Vec<Hole<'_>> {
        let mut holes: Vec<Hole<'_>> = self
            .groups
            .iter()
            .flat_map(|group| {
                group
                    .cells
                    .iter()
                    .enumerate()
                    .filter(|(_, (taken, share))| *taken == 0 && *share >= WANTED)
                    .map(move |(action, (_, share))| Hole {
                        group,
                        action,
                        share: *share,
                    })
            })
            .collect();
        let decisions = |hole: &Hole<'_>| hole.share * hole.group.rows as f64;
        holes.sort_by(|one, other| decisions(other).total_cmp(&decisions(one)));
        holes
    }
}

impl OffPolicyPage {
    pub(super) fn check_overlap(&self) -> Result<(), ReportError> {
        let groups = self.overlap.iter().flat_map(|overlap| &overlap.groups);
        let mut actions = None;
        for group in groups {
            let have = group.cells.len();
            let actions = *actions.get_or_insert(have);
            if have != actions {
                return Err(ReportError::GroupActions {
                    group: group.name.clone(),
                    have,
                    actions,
                });
            }
        }
        Ok(())
    }

    /// Places that the log says nothing of.
    pub(super) fn hole_count(&self) -> usize {
        self.overlap
            .as_ref()
            .map_or(0, |overlap| overlap.holes().len())
    }

    pub(super) fn overlap_section(&self, words: Words) -> Result<Option<SectionView>, ReportError> {
        let Some(overlap) = self.overlap.as_ref().filter(|o| !o.groups.is_empty()) else {
            return Ok(None);
        };
        let caption = match &overlap.by {
            Some(by) => words.fill(TablePhrase::OverlapCaption, &[("by", by)]),
            None => words.say(TablePhrase::OverlapCaptionAll).to_owned(),
        };
        let holes = overlap.holes();
        let mut keys = vec![
            Key::new(
                KeyShape::Area,
                Ink::Series(0),
                words.say(TablePhrase::OverlapMoreKey),
            ),
            Key::new(
                KeyShape::Area,
                Ink::Series(1),
                words.say(TablePhrase::OverlapLessKey),
            ),
        ];
        if !holes.is_empty() {
            keys.push(Key::new(
                KeyShape::Hatched,
                Ink::Worse,
                words.say(TablePhrase::OverlapHoleKey),
            ));
        }
        let (map, left_out) = overlap.map(words, &holes);
        let mut blocks = vec![
            Block::Caption(caption),
            Block::Legend(keys),
            Block::Chart(map.draw()?),
        ];
        blocks.extend(left_out.map(Block::Note));
        Ok(Some(section(
            "overlap",
            words.say(TablePhrase::OverlapTitle),
            overlap.lead(words, &holes),
            blocks,
        )))
    }
}

impl TableOverlap {
    fn lead(&self, words: Words, holes: &[Hole<'_>]) -> String {
        if holes.is_empty() {
            return words.say(TablePhrase::OverlapFine).to_owned();
        }
        let rows: u64 = self.groups.iter().map(|group| group.rows).sum();
        let lost: f64 = holes.iter().map(|h| h.share * h.group.rows as f64).sum();
        let mut places: Vec<String> = holes
            .iter()
            .take(NAMED)
            .map(|hole| {
                let group = group_name(words, self, hole.group);
                let phrase = if self.by.is_some() {
                    TablePhrase::OverlapPlace
                } else {
                    TablePhrase::OverlapPlaceAll
                };
                words.fill(
                    phrase,
                    &[
                        ("group", &group),
                        ("action", &hole.action.to_string()),
                        ("share", &number::percent(hole.share, Decimals(1))),
                    ],
                )
            })
            .collect();
        if holes.len() > NAMED {
            let more = number::count((holes.len() - NAMED) as u64);
            places.push(words.fill(TablePhrase::AndMore, &[("count", &more)]));
        }
        let phrase = if holes.len() == 1 {
            TablePhrase::OverlapHole
        } else {
            TablePhrase::OverlapHoles
        };
        words.fill(
            phrase,
            &[
                ("count", &number::count(holes.len() as u64)),
                (
                    "share",
                    &number::percent(lost / rows.max(1) as f64, Decimals(1)),
                ),
                (
                    "places",
                    &places.join(words.say(CentrePhrase::ItemSeparator)),
                ),
            ],
        )
    }

    /// The map, and what it leaves out.
    fn map(&self, words: Words, holes: &[Hole<'_>]) -> (OverlapMap, Option<String>) {
        let actions = self.groups.first().map_or(0, |group| group.cells.len());
        let holes_of = |group: &OverlapGroup| {
            let mine = |hole: &&Hole<'_>| std::ptr::eq(hole.group, group);
            holes.iter().filter(mine).count()
        };
        let mut groups: Vec<usize> = (0..self.groups.len()).collect();
        if groups.len() > MOST_GROUPS {
            groups.sort_by_key(|at| {
                let group = &self.groups[*at];
                std::cmp::Reverse((holes_of(group).min(1), group.rows))
            });
            groups.truncate(MOST_GROUPS);
            groups.sort_unstable();
        }
        let mut columns: Vec<usize> = (0..actions).collect();
        if actions > MOST_ACTIONS {
            let size = |action: usize| -> f64 {
                let cells = self.groups.iter().map(|g| (g.rows as f64, g.cells[action]));
                cells
                    .map(|(rows, (taken, share))| taken as f64 + rows * share)
                    .sum()
            };
            let hole = |action: usize| holes.iter().any(|hole| hole.action == action);
            columns.sort_by(|one, other| {
                hole(*other)
                    .cmp(&hole(*one))
                    .then(size(*other).total_cmp(&size(*one)))
            });
            columns.truncate(MOST_ACTIONS);
            columns.sort_unstable();
        }
        let left_out = (groups.len() < self.groups.len() || columns.len() < actions).then(|| {
            words.fill(
                TablePhrase::OverlapLeftOut,
                &[
                    ("groups", &number::count(groups.len() as u64)),
                    ("all_groups", &number::count(self.groups.len() as u64)),
                    ("actions", &number::count(columns.len() as u64)),
                    ("all_actions", &number::count(actions as u64)),
                ],
            )
        });
        let map = OverlapMap {
            label: words.say(TablePhrase::OverlapLabel).to_owned(),
            columns: columns
                .iter()
                .map(|action| words.fill(TablePhrase::Action, &[("action", &action.to_string())]))
                .collect(),
            rows: groups
                .iter()
                .map(|at| self.row(words, &self.groups[*at], &columns))
                .collect(),
        };
        (map, left_out)
    }

    fn row(&self, words: Words, group: &OverlapGroup, columns: &[usize]) -> MapRow {
        let name = group_name(words, self, group);
        let cells = columns
            .iter()
            .map(|action| {
                let (taken, policy) = group.cells[*action];
                let log = if group.rows > 0 {
                    taken as f64 / group.rows as f64
                } else {
                    0.0
                };
                MapCell {
                    title: words.fill(
                        TablePhrase::OverlapCell,
                        &[
                            ("group", &name),
                            ("action", &action.to_string()),
                            ("log", &number::percent(log, Decimals(1))),
                            ("policy", &number::percent(policy, Decimals(1))),
                            ("n", &number::count(taken)),
                        ],
                    ),
                    log,
                    policy,
                    taken,
                    hole: taken == 0 && policy >= WANTED,
                }
            })
            .collect();
        MapRow {
            name,
            below: format!("n = {}", number::compact(group.rows as f64)),
            cells,
        }
    }
}

fn group_name(words: Words, overlap: &TableOverlap, group: &OverlapGroup) -> String {
    if group.others {
        words.say(TablePhrase::OtherGroups).to_owned()
    } else if overlap.by.is_none() {
        words.say(TablePhrase::AllRows).to_owned()
    } else if group.name.is_empty() {
        words.say(TablePhrase::EmptyName).to_owned()
    } else {
        words.key(&group.name).to_owned()
    }
}
