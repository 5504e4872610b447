//! Streams with logged shares: the e-process of every challenger, and when it would have decided.

use tierwise_reports::TestNote;

use super::{Context, Judged, checks, e_value, evidence_of, overall, verdict_of};
use crate::analysis::error::AnalysisError;
use crate::analysis::input::{Data, Input, Stream, StreamRow};
use crate::analysis::methods::{ArmData, compare};
use crate::analysis::options::Method;
use crate::analysis::result::{
    AnyLookInterval, ArmResult, ExperimentResult, Guarantee, IntervalScale, Look, SampleRatio,
    Sequential, TimeValue, When,
};
use crate::stats::assignment::ClumpProcess;
use crate::stats::eprocess::{
    Block, Crossing, RateTest, RatioInterval, rate_interval_together, rate_sequence_together,
};
use crate::stats::sample_ratio::SampleRatioProcess;
use crate::stats::tally::{Count, Moments};
use crate::stats::verdict::{Broken, Evidence};

/// Looks kept for JSON and page.
const LOOKS: usize = 200;
/// Chance below which an arm counts as missing.
const IMPOSSIBLE: f64 = -27.6; // ln 1e-12
/// How far shares may be from a whole: they are often logged with three digits.
const TOLERANCE: f64 = 5e-3;

pub(super) fn judge(
    context: &Context<'_>,
    input: Input,
) -> Result<ExperimentResult, AnalysisError> {
    let Data::Stream(stream) = &input.data else {
        return Err(context.refuse("it is no stream", "give at, unit, arm, share, value"));
    };
    let shares = RowShares::new(context, &input.arms, stream, input.strata.len())?;
    let mut notes = input.notes.clone();
    let mut judged = Vec::new();
    let mut worst: Option<SampleRatio> = None;
    for (arm, name) in input.arms.iter().enumerate().skip(1) {
        let pair = Pair::new(stream, &shares, arm);
        let clumps = pair.clumps();
        if clumps < context.options.rule.sample_ratio_level.recip().ln() {
            pair.check_presence(context, [&input.arms[0], name])?;
        }
        let ratio = pair.sample_ratio(context, input.strata.len());
        let sequential = pair.sequential(context, stream, name, shares.by_strata())?;
        let lower = sequential
            .interval
            .and_then(|interval| interval.lower)
            .map(|ratio| pair.means()[0] * (ratio - 1.0));
        // Whole stretches in one arm also upset the sample ratio: the cause is named before its effect.
        let level = context.options.rule.sample_ratio_level;
        let clumped = clumps >= level.recip().ln();
        let ratio_counts = (!clumped).then_some(&ratio);
        let broken = context
            .broken((input.conflicts, &input.conflict_examples), ratio_counts)
            .or_else(|| clumped.then_some(Broken::Assignment { log_e: clumps }))
            .or_else(|| context.interference(lower));
        let checks = checks::of_stream(context, &input, &shares, arm)?;
        let evidence = Evidence {
            units: pair.units(),
            share: pair.last_share(),
            days_at_share: pair.days_at_share(),
            broken,
            ..evidence_of(&sequential)
        };
        let verdict = verdict_of(context, evidence, &checks);
        if worst.as_ref().is_none_or(|w| ratio.log_e > w.log_e) {
            worst = Some(ratio);
        }
        judged.push(Judged {
            verdict,
            sequential: Some(sequential),
            checks,
        });
    }
    let all = overall(judged);
    if shares.changes > 0 {
        notes.push(TestNote::SharesChanged {
            times: shares.changes as u64,
        });
    }
    let arms = totals(stream, input.arms.len());
    Ok(ExperimentResult {
        methods: compare(&input.arms, &arms, context.options, context.alpha),
        arms: input
            .arms
            .iter()
            .zip(&arms)
            .enumerate()
            .map(|(place, (name, arm))| ArmResult {
                arm: name.clone(),
                units: arm.sample.units as u64,
                conversions: arm.count.map(|count| count.conversions),
                mean: arm.sample.mean,
                share: shares.last(place),
            })
            .collect(),
        experiment: input.name,
        metric: input.metric,
        design: context.options.design,
        data: "stream".to_owned(),
        control: input.arms[0].clone(),
        sample_ratio: worst,
        sequential: all
            .sequential
            .filter(|_| context.options.wants(Method::EProcess)),
        challengers: all.challengers,
        checks: all.checks,
        verdict: all.verdict,
        guarantee: Guarantee::AnyLook,
        notes,
    })
}

/// Totals of every arm.
pub(super) fn totals(stream: &Stream, arms: usize) -> Vec<ArmData> {
    let mut moments = vec![Moments::default(); arms];
    let mut counts = vec![Count::default(); arms];
    let mut binary = true;
    for row in &stream.rows {
        moments[usize::from(row.arm)].count(row.value);
        counts[usize::from(row.arm)].count(row.value == 1.0);
        binary &= row.value == 0.0 || row.value == 1.0;
    }
    moments
        .iter()
        .zip(counts)
        .map(|(moments, count)| {
            if binary {
                ArmData::counted(count)
            } else {
                ArmData::measured(moments.sample())
            }
        })
        .collect()
}

/// A stretch of rows with the same shares.
struct Revision {
    end: usize,
    shares: Vec<Option<f64>>,
}

/// The shares in force at every row: those of its stratum, where there are strata.
pub(super) struct RowShares {
    strata: usize,
    /// Shares of every arm, revision by revision.
    revisions: Vec<Vec<Option<f64>>>,
    /// The revision of every row.
    of_row: Vec<u32>,
    /// The last revision of every stratum that has rows.
    last: Vec<usize>,
    /// Most changes of the shares of one stratum.
    changes: usize,
}

impl RowShares {
    fn new(
        context: &Context<'_>,
        arms: &[String],
        stream: &Stream,
        strata: usize,
    ) -> Result<Self, AnalysisError> {
        let mut found = Self {
            strata,
            revisions: Vec::new(),
            of_row: vec![0; stream.rows.len()],
            last: Vec::new(),
            changes: 0,
        };
        for stratum in 0..strata.max(1) {
            let places: Vec<usize> = (0..stream.rows.len())
                .filter(|place| usize::from(stream.rows[*place].stratum) == stratum)
                .collect();
            if places.is_empty() {
                continue;
            }
            let rows: Vec<StreamRow> = places.iter().map(|place| stream.rows[*place]).collect();
            let mut start = 0;
            let cut = revisions(context, arms, &rows)?;
            found.changes = found.changes.max(cut.len() - 1);
            for revision in cut {
                for place in &places[start..revision.end] {
                    found.of_row[*place] = found.revisions.len() as u32;
                }
                start = revision.end;
                found.revisions.push(revision.shares);
            }
            found.last.push(found.revisions.len() - 1);
        }
        Ok(found)
    }

    /// The shares at the rows of another metric of the same experiment.
    pub(super) fn for_metric(
        &self,
        context: &Context<'_>,
        arms: &[String],
        stream: &Stream,
    ) -> Result<Self, AnalysisError> {
        Self::new(context, arms, stream, self.strata)
    }

    /// Whether shares may differ from stratum to stratum.
    pub(super) fn by_strata(&self) -> bool {
        self.strata > 0
    }

    /// An arm's last share, where it is the same in all strata.
    fn last(&self, arm: usize) -> Option<f64> {
        let mut shares = self
            .last
            .iter()
            .map(|revision| self.revisions[*revision][arm]);
        let first = shares.next()?;
        shares.all(|share| share == first).then_some(first)?
    }
}

/// Cuts a stream where an arm's share changes, and completes the shares of each stretch.
fn revisions(
    context: &Context<'_>,
    arms: &[String],
    rows: &[StreamRow],
) -> Result<Vec<Revision>, AnalysisError> {
    let mut revisions: Vec<Revision> = Vec::new();
    let mut shares = vec![None; arms.len()];
    for (place, row) in rows.iter().enumerate() {
        let share = &mut shares[usize::from(row.arm)];
        if share.is_some_and(|share: f64| (share - row.share).abs() > 1e-9) {
            revisions.push(Revision {
                end: place,
                shares: std::mem::replace(&mut shares, vec![None; arms.len()]),
            });
        }
        shares[usize::from(row.arm)] = Some(row.share);
    }
    revisions.push(Revision {
        end: rows.len(),
        shares,
    });
    let mut start = 0;
    for revision in &mut revisions {
        let sum: f64 = revision.shares.iter().flatten().sum();
        let missing: Vec<usize> = (0..arms.len())
            .filter(|arm| revision.shares[*arm].is_none())
            .collect();
        if sum > 1.0 + TOLERANCE || (missing.is_empty() && sum < 1.0 - TOLERANCE) {
            return Err(context.refuse(
                &format!(
                    "from {} to {} the shares of its arms sum to {sum:.4}, not to 1",
                    rows[start].at,
                    rows[revision.end - 1].at
                ),
                "log in every row the share of its own arm; the arms' shares sum to 1 at any time",
            ));
        }
        let rest = (1.0 - sum).max(0.0);
        for arm in &missing {
            // With one arm unseen its share is what is left; several unseen arms have unknown shares, unless nothing is.
            revision.shares[*arm] = if rest <= TOLERANCE {
                Some(0.0)
            } else if missing.len() == 1 {
                Some(rest)
            } else {
                None
            };
        }
        start = revision.end;
    }
    Ok(revisions)
}

/// One row of a pair.
#[derive(Clone, Copy)]
struct PairRow {
    at: f64,
    stratum: u16,
    is_treatment: bool,
    share: f64,
    value: f64,
}

/// The rows of the control and of one challenger, with the challenger's share among the two.
pub(super) struct Pair {
    rows: Vec<PairRow>,
}

impl Pair {
    pub(super) fn new(stream: &Stream, shares: &RowShares, arm: usize) -> Self {
        let rows = stream.rows.iter().zip(&shares.of_row);
        let rows = rows.filter_map(|(row, revision)| {
            if row.arm != 0 && usize::from(row.arm) != arm {
                return None;
            }
            let revision = &shares.revisions[*revision as usize];
            let (control, treatment) = (revision[0]?, revision[arm]?);
            let share = treatment / (control + treatment);
            // While one of the two has no share there is nothing to compare.
            (share > 0.0 && share < 1.0).then_some(PairRow {
                at: row.at,
                stratum: row.stratum,
                is_treatment: row.arm != 0,
                share,
                value: row.value,
            })
        });
        Self {
            rows: rows.collect(),
        }
    }

    /// The rows of one stratum.
    pub(super) fn of_stratum(&self, stratum: u16) -> Self {
        let rows = self.rows.iter().filter(|row| row.stratum == stratum);
        Self {
            rows: rows.copied().collect(),
        }
    }

    pub(super) fn units(&self) -> [u64; 2] {
        let treatment = self.rows.iter().filter(|row| row.is_treatment).count() as u64;
        [self.rows.len() as u64 - treatment, treatment]
    }

    /// Means of control and challenger.
    pub(super) fn means(&self) -> [f64; 2] {
        let mut sums = [0.0; 2];
        for row in &self.rows {
            sums[usize::from(row.is_treatment)] += row.value;
        }
        let units = self.units();
        [0, 1].map(|arm| sums[arm] / (units[arm] as f64).max(1.0))
    }

    /// The last row of every stratum, and the time since when its share was that row's.
    fn last_of_strata(&self) -> Vec<(PairRow, f64)> {
        let mut found: Vec<(PairRow, f64)> = Vec::new();
        let first = self.rows.first().map_or(0.0, |row| row.at);
        for row in &self.rows {
            match found
                .iter_mut()
                .find(|(last, _)| last.stratum == row.stratum)
            {
                Some((last, since)) => {
                    if last.share != row.share {
                        *since = row.at;
                    }
                    *last = *row;
                }
                None => found.push((*row, first)),
            }
        }
        found
    }

    /// The challenger's share now, in the stratum where it is smallest.
    fn last_share(&self) -> f64 {
        let shares = self.last_of_strata();
        let smallest = shares.iter().map(|(row, _)| row.share).fold(1.0, f64::min);
        if shares.is_empty() { 0.0 } else { smallest }
    }

    /// Days since every share took its last value; times without dates count as seconds.
    fn days_at_share(&self) -> f64 {
        let Some(last) = self.rows.last() else {
            return 0.0;
        };
        let since = self.last_of_strata().into_iter().map(|(_, since)| since);
        (last.at - since.fold(f64::NEG_INFINITY, f64::max)) / 86_400.0
    }

    /// First and last row at which both arms had been and would still be seen.
    fn core(&self) -> (usize, usize) {
        let edge = |treatment: bool, from_end: bool| {
            let mut rows = self.rows.iter();
            let found = if from_end {
                rows.rposition(|row| row.is_treatment == treatment)
            } else {
                rows.position(|row| row.is_treatment == treatment)
            };
            found.unwrap_or(0)
        };
        (
            edge(true, false).max(edge(false, false)),
            edge(true, true).min(edge(false, true)),
        )
    }

    /// Logarithm of the e-value against assignment one by one, while both arms are there.
    fn clumps(&self) -> f64 {
        let (first, last) = self.core();
        let mut process = ClumpProcess::default();
        for row in self.rows.iter().take(last + 1).skip(first) {
            process.observe(row.is_treatment, row.share);
        }
        process.log_value()
    }

    /// Refuses an arm that is not seen at the start or the end although its share says that it should be.
    fn check_presence(&self, context: &Context<'_>, names: [&str; 2]) -> Result<(), AnalysisError> {
        let (first, last) = self.core();
        let absent = |rows: &[PairRow]| -> f64 {
            rows.iter()
                .map(|row| {
                    // The chance that this row went to the arm it went to.
                    if row.is_treatment {
                        row.share.ln()
                    } else {
                        (-row.share).ln_1p()
                    }
                })
                .sum()
        };
        if self.rows.is_empty() {
            return Err(context.refuse(
                &format!(
                    "`{}` and `{}` never have a share at the same time",
                    names[0], names[1]
                ),
                "give a time in which both arms are exposed",
            ));
        }
        let head = &self.rows[..first];
        if absent(head) < IMPOSSIBLE {
            let missing = names[usize::from(!head[0].is_treatment)];
            return Err(context.refuse(
                &format!(
                    "arm `{missing}` appears midway, at {}: {} units before it went to the other arm, though its share was {:.3}",
                    self.rows[first].at,
                    head.len(),
                    share_of(&head[0], names[1] == missing)
                ),
                "give the arm's earlier rows too, or only the time in which both arms were exposed",
            ));
        }
        let tail = &self.rows[(last + 1).min(self.rows.len())..];
        if absent(tail) < IMPOSSIBLE {
            let missing = names[usize::from(!tail[0].is_treatment)];
            return Err(context.refuse(
                &format!(
                    "arm `{missing}` vanishes after {}: {} units followed, all of the other arm, though its share was {:.3}",
                    self.rows[last].at,
                    tail.len(),
                    share_of(&tail[0], names[1] == missing)
                ),
                "give the arm's later rows too, or only the time in which both arms were exposed",
            ));
        }
        Ok(())
    }

    /// E-value against the shares, over all rows and in every stratum: a common share that hides other ones is seen there.
    fn sample_ratio(&self, context: &Context<'_>, strata: usize) -> SampleRatio {
        let mut worst = self.ratio_log();
        if strata > 0 {
            // Half of the level for all rows together, half for the strata.
            worst -= 2.0_f64.ln();
            for stratum in 0..strata {
                let own = self.of_stratum(stratum as u16).ratio_log();
                worst = worst.max(own - (2.0 * strata as f64).ln());
            }
        }
        SampleRatio {
            method: "sequential".to_owned(),
            statistic: None,
            degrees_of_freedom: None,
            p_value: (-worst).exp().min(1.0),
            log_e: Some(worst),
            sound: worst < context.options.rule.sample_ratio_level.recip().ln(),
        }
    }

    fn ratio_log(&self) -> f64 {
        let mut process = SampleRatioProcess::default();
        let mut worst = 0.0_f64;
        for rows in self.rows.chunk_by(|a, b| a.share == b.share) {
            for chunk in rows.chunks(64) {
                let treatment = chunk.iter().filter(|row| row.is_treatment).count() as u64;
                process.fold(chunk[0].share, chunk.len() as u64 - treatment, treatment);
                worst = worst.max(process.log_value());
            }
        }
        worst
    }

    /// Blocks of one minute, small at the start so that the first bets come early.
    ///
    /// Blocks of one group are folded together. A change of the share opens a new group, unless shares go by strata, whose
    /// units come in turns: a group then holds a block for every share.
    pub(super) fn blocks(&self, by_strata: bool) -> Vec<Vec<Block>> {
        let mut groups: Vec<Vec<Block>> = Vec::new();
        let mut minute = f64::NAN;
        let mut held = 0;
        for (seen, row) in (0_u64..).zip(&self.rows) {
            let most = (seen / 64).clamp(20, 4096);
            let now = (row.at / 60.0).floor();
            let fits = groups.last().is_some_and(|group| {
                (by_strata || group[0].share == row.share) && now == minute && held < most
            });
            if !fits {
                groups.push(Vec::new());
                (minute, held) = (now, 0);
            }
            held += 1;
            let Some(group) = groups.last_mut() else {
                continue;
            };
            let place = group
                .iter()
                .position(|block| block.share == row.share)
                .unwrap_or_else(|| {
                    group.push(Block {
                        share: row.share,
                        ..Block::default()
                    });
                    group.len() - 1
                });
            if row.value == 0.0 || row.value == 1.0 {
                let arm = if row.is_treatment {
                    &mut group[place].treatment
                } else {
                    &mut group[place].control
                };
                arm.count(row.value == 1.0);
            } else {
                group[place].rows.push((row.is_treatment, row.value));
            }
            for block in group {
                block.at = row.at;
            }
        }
        groups
    }

    fn sequential(
        &self,
        context: &Context<'_>,
        stream: &Stream,
        name: &str,
        by_strata: bool,
    ) -> Result<Sequential, AnalysisError> {
        let groups = self.blocks(by_strata);
        let mut test = RateTest::new(context.levels);
        let mut looks = Vec::new();
        let every = groups.len().div_ceil(LOOKS).max(1);
        let intervals = if context.options.detailed {
            rate_sequence_together(&groups, &context.levels)
        } else {
            Vec::new()
        };
        for (place, group) in groups.iter().enumerate() {
            test.fold_together(group).map_err(|error| {
                context.refuse(&error.to_string(), "correct the rows at that time")
            })?;
            let last = place + 1 == groups.len();
            if let Some(block) = group.last()
                && context.options.detailed
                && (place % every == 0 || last)
            {
                let wealth = test.wealth();
                looks.push(Look {
                    at: block.at,
                    units: test.units(),
                    share: Some(block.share),
                    log_promote_e: wealth.log_promote,
                    log_rollback_e: wealth.log_roll_back,
                    interval: intervals.get(place).map(|interval| shown(*interval)),
                });
            }
        }
        let wealth = test.wealth();
        let when = |crossing: Option<Crossing>| {
            crossing.map(|crossing| When {
                at: moment(crossing.at, stream.timestamps),
                units: crossing.units,
            })
        };
        Ok(Sequential {
            arm: name.to_owned(),
            form: "shares".to_owned(),
            promote_e: e_value(wealth.log_promote),
            rollback_e: e_value(wealth.log_roll_back),
            log_promote_e: wealth.log_promote,
            log_rollback_e: wealth.log_roll_back,
            promote_threshold: 1.0 / context.levels.promote.get(),
            rollback_threshold: 1.0 / context.levels.roll_back.get(),
            when_promoted: when(test.promoted()),
            when_rolled_back: when(test.rolled_back()),
            interval: Some(shown(rate_interval_together(&groups, &context.levels))),
            looks,
        })
    }
}

fn share_of(row: &PairRow, treatment: bool) -> f64 {
    if treatment {
        row.share
    } else {
        1.0 - row.share
    }
}

fn shown(interval: RatioInterval) -> AnyLookInterval {
    AnyLookInterval {
        scale: IntervalScale::Ratio,
        lower: Some(interval.lower),
        upper: Some(interval.upper).filter(|upper| upper.is_finite()),
    }
}

/// A time as the file writes it.
pub(super) fn moment(at: f64, timestamp: bool) -> TimeValue {
    if timestamp && let Ok(time) = jiff::Timestamp::from_millisecond((at * 1e3) as i64) {
        return TimeValue::Text(time.to_string());
    }
    TimeValue::Number(at)
}
