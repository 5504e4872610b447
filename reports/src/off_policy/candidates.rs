//! Candidates from the largest lower bound to the smallest, each with the gate's answer.

use super::{CandidateRanking, OffPolicyPage, RankedCandidate, candidate_name, section};
use crate::block::{Block, SectionView};
use crate::charts::strip::{Domain, Mark as StripMark, Strip, Tone};
use crate::error::ReportError;
use crate::measure::Unit;
use crate::number::{self, Decimals};
use crate::table::{Cell, Column, Mark, Row, Table};
use crate::text::{TablePhrase, Words};

impl OffPolicyPage {
    pub(super) fn candidates_section(
        &self,
        words: Words,
    ) -> Result<Option<SectionView>, ReportError> {
        let Some(ranking) = &self.ranking else {
            return Ok(None);
        };
        let passed = ranking.candidates.iter().filter(|c| c.passes).count();
        let lead = words.fill(
            TablePhrase::CandidatesLead,
            &[
                ("passed", &number::count(passed as u64)),
                ("count", &number::count(ranking.candidates.len() as u64)),
                ("judged", &number::count(self.judged())),
            ],
        );
        let caption = match ranking.critical {
            Some((critical, bonferroni)) => words.fill(
                TablePhrase::CandidatesCaption,
                &[
                    ("baseline", &self.baseline_name(words)),
                    ("unit", self.reward_name(words)),
                    ("level", &number::level(self.level)),
                    ("critical", &number::fixed(critical, Decimals(2))),
                    ("bonferroni", &number::fixed(bonferroni, Decimals(2))),
                ],
            ),
            None => words.fill(
                TablePhrase::CandidatesCaptionPlain,
                &[
                    ("baseline", &self.baseline_name(words)),
                    ("unit", self.reward_name(words)),
                ],
            ),
        };
        let table = self.candidates_table(words, ranking)?;
        Ok(Some(section(
            "candidates",
            words.say(TablePhrase::CandidatesTitle),
            lead,
            vec![Block::Caption(caption), Block::Table(table)],
        )))
    }

    fn candidates_table(
        &self,
        words: Words,
        ranking: &CandidateRanking,
    ) -> Result<Table, ReportError> {
        let numbers: Vec<f64> = ranking
            .candidates
            .iter()
            .flat_map(|c| [c.difference, c.lower])
            .flatten()
            .chain([0.0])
            .collect();
        let domain = Domain::around(&numbers);
        let rows = ranking
            .candidates
            .iter()
            .map(|candidate| self.candidate_row(words, candidate, domain))
            .collect::<Result<Vec<Row>, ReportError>>()?;
        Ok(Table {
            class: "forest candidates",
            head: words.say(TablePhrase::Candidate),
            columns: vec![
                Column::strips(words, domain, Unit::Score, true),
                Column::number(words.say(TablePhrase::Difference)),
                Column::number(words.say(TablePhrase::StandardError)),
                Column::number(words.say(TablePhrase::LowerBound)),
                Column::words(words.say(TablePhrase::Gate)),
            ],
            rows,
        })
    }

    fn candidate_row(
        &self,
        words: Words,
        candidate: &RankedCandidate,
        domain: Domain,
    ) -> Result<Row, ReportError> {
        let name = candidate_name(words, &candidate.name);
        let Some((difference, lower)) = candidate.difference.zip(candidate.lower) else {
            let reason = candidate.refused.as_ref();
            let reason = reason.map_or_else(String::new, |reason| reason.sentences(words));
            return Ok(Row::refused(name, reason));
        };
        let (tone, mark) = if candidate.passes {
            (Tone::Better, ("good", "✓", TablePhrase::GatePasses))
        } else if difference > 0.0 {
            (Tone::Neutral, ("plain", "…", TablePhrase::GateOpen))
        } else {
            (Tone::Neutral, ("plain", "✕", TablePhrase::GateWorse))
        };
        let strip = Strip {
            label: format!(
                "{name}: {} ≥ {}",
                self.signed(difference),
                self.signed(lower)
            ),
            domain,
            mark: Some(StripMark {
                value: difference,
                lower: Some(lower),
                upper: Some(difference),
                tone,
            }),
            reference: Some(0.0),
            height: 26,
        };
        let error = candidate.standard_error.map_or_else(String::new, |error| {
            number::fixed(error, self.difference_decimals())
        });
        Ok(Row::new(
            name,
            vec![
                Cell::plot(strip.draw()?),
                Cell::text(self.signed(difference)),
                Cell::text(error),
                Cell {
                    strong: true,
                    ..Cell::text(self.signed(lower))
                },
                Cell::mark(Mark {
                    class: mark.0,
                    icon: mark.1,
                    text: words.say(mark.2),
                }),
            ],
        ))
    }
}
