//! Streams with logged shares: the e-process of every challenger, and when it would have decided.

use super::{Context, e_value, overall, verdict_of};
use crate::analysis::error::AnalysisError;
use crate::analysis::input::{Data, Input, Stream, StreamRow};
use crate::analysis::methods::{ArmData, compare};
use crate::analysis::options::Method;
use crate::analysis::result::{
    AnyLookInterval, ArmResult, ExperimentResult, IntervalScale, Look, SampleRatio, Sequential,
    TimeValue, When,
};
use crate::stats::assignment::ClumpProcess;
use crate::stats::eprocess::{
    Block, Crossing, RateTest, RatioInterval, rate_interval, rate_sequence,
};
use crate::stats::sample_ratio::SampleRatioProcess;
use crate::stats::tally::{Count, Moments};
use crate::stats::verdict::Broken;

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
    let revisions = revisions(context, &input.arms, &stream.rows)?;
    let mut notes = input.notes.clone();
    let mut verdicts = Vec::new();
    let mut worst: Option<SampleRatio> = None;
    for (arm, name) in input.arms.iter().enumerate().skip(1) {
        let pair = Pair::new(stream, &revisions, arm);
        let clumps = pair.clumps();
        if clumps < context.options.rule.sample_ratio_level.recip().ln() {
            pair.check_presence(context, [&input.arms[0], name])?;
        }
        let ratio = pair.sample_ratio(context);
        let sequential = pair.sequential(context, stream, name)?;
        let lower = sequential
            .interval
            .and_then(|interval| interval.lower)
            .map(|ratio| pair.control_mean() * (ratio - 1.0));
        // Whole stretches in one arm also upset the sample ratio: the cause is named before its effect.
        let level = context.options.rule.sample_ratio_level;
        let clumped = clumps >= level.recip().ln();
        let ratio_counts = (!clumped).then_some(&ratio);
        let broken = context
            .broken((input.conflicts, &input.conflict_examples), ratio_counts)
            .or_else(|| clumped.then_some(Broken::Assignment { log_e: clumps }))
            .or_else(|| context.interference(lower));
        let verdict = verdict_of(
            context,
            &sequential,
            pair.units(),
            pair.last_share(),
            pair.days_at_share(),
            broken,
        );
        if worst.as_ref().is_none_or(|w| ratio.log_e > w.log_e) {
            worst = Some(ratio);
        }
        verdicts.push((verdict, sequential));
    }
    let (verdict, sequential, challengers) = overall(verdicts);
    if revisions.len() > 1 {
        notes.push(format!(
            "shares changed {} times: methods on totals mix times of different base rates; only the e-process allows for it",
            revisions.len() - 1
        ));
    }
    let arms = totals(stream, input.arms.len());
    let last = revisions.last().map(|revision| revision.shares.clone());
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
                share: last.as_ref().and_then(|shares| shares[place]),
            })
            .collect(),
        experiment: input.name,
        metric: input.metric,
        design: context.options.design,
        data: "stream".to_owned(),
        control: input.arms[0].clone(),
        sample_ratio: worst,
        sequential: sequential.filter(|_| context.options.wants(Method::EProcess)),
        challengers,
        verdict,
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
struct PairRow {
    at: f64,
    is_treatment: bool,
    share: f64,
    value: f64,
}

/// The rows of the control and of one challenger, with the challenger's share among the two.
struct Pair {
    rows: Vec<PairRow>,
}

impl Pair {
    fn new(stream: &Stream, revisions: &[Revision], arm: usize) -> Self {
        let mut rows = Vec::new();
        let mut start = 0;
        for revision in revisions {
            if let (Some(control), Some(treatment)) = (revision.shares[0], revision.shares[arm]) {
                let share = treatment / (control + treatment);
                let both = stream.rows[start..revision.end]
                    .iter()
                    .filter(|row| row.arm == 0 || usize::from(row.arm) == arm);
                // While one of the two has no share there is nothing to compare.
                if share > 0.0 && share < 1.0 {
                    rows.extend(both.map(|row| PairRow {
                        at: row.at,
                        is_treatment: row.arm != 0,
                        share,
                        value: row.value,
                    }));
                }
            }
            start = revision.end;
        }
        Self { rows }
    }

    fn units(&self) -> [u64; 2] {
        let treatment = self.rows.iter().filter(|row| row.is_treatment).count() as u64;
        [self.rows.len() as u64 - treatment, treatment]
    }

    fn control_mean(&self) -> f64 {
        let (n, sum) = self
            .rows
            .iter()
            .filter(|row| !row.is_treatment)
            .fold((0.0, 0.0), |(n, sum), row| (n + 1.0, sum + row.value));
        if n > 0.0 { sum / n } else { 0.0 }
    }

    fn last_share(&self) -> f64 {
        self.rows.last().map_or(0.0, |row| row.share)
    }

    /// Days since the share took its last value; times without dates count as seconds.
    fn days_at_share(&self) -> f64 {
        let Some(last) = self.rows.last() else {
            return 0.0;
        };
        let since = self
            .rows
            .iter()
            .rposition(|row| row.share != last.share)
            .map_or(0, |place| place + 1);
        (last.at - self.rows[since].at) / 86_400.0
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

    fn sample_ratio(&self, context: &Context<'_>) -> SampleRatio {
        let mut process = SampleRatioProcess::default();
        let mut worst = f64::NEG_INFINITY;
        for rows in self.rows.chunk_by(|a, b| a.share == b.share) {
            for chunk in rows.chunks(64) {
                let treatment = chunk.iter().filter(|row| row.is_treatment).count() as u64;
                process.fold(chunk[0].share, chunk.len() as u64 - treatment, treatment);
                worst = worst.max(process.log_value());
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

    /// Blocks of one share and one minute, small at the start so that the first bets come early.
    fn blocks(&self) -> Vec<Block> {
        let mut blocks: Vec<Block> = Vec::new();
        let mut minute = f64::NAN;
        for (seen, row) in (0_u64..).zip(&self.rows) {
            let most = (seen / 64).clamp(20, 4096);
            let now = (row.at / 60.0).floor();
            let fits = blocks.last().is_some_and(|block| {
                block.share == row.share && now == minute && block.units() < most
            });
            if !fits {
                blocks.push(Block {
                    share: row.share,
                    ..Block::default()
                });
                minute = now;
            }
            if let Some(block) = blocks.last_mut() {
                block.at = row.at;
                if row.value == 0.0 || row.value == 1.0 {
                    let arm = if row.is_treatment {
                        &mut block.treatment
                    } else {
                        &mut block.control
                    };
                    arm.count(row.value == 1.0);
                } else {
                    block.rows.push((row.is_treatment, row.value));
                }
            }
        }
        blocks
    }

    fn sequential(
        &self,
        context: &Context<'_>,
        stream: &Stream,
        name: &str,
    ) -> Result<Sequential, AnalysisError> {
        let blocks = self.blocks();
        let mut test = RateTest::new(context.levels);
        let mut looks = Vec::new();
        let every = blocks.len().div_ceil(LOOKS).max(1);
        let intervals = if context.options.detailed {
            rate_sequence(&blocks, &context.levels)
        } else {
            Vec::new()
        };
        for (place, block) in blocks.iter().enumerate() {
            test.fold(block).map_err(|error| {
                context.refuse(&error.to_string(), "correct the rows at that time")
            })?;
            let last = place + 1 == blocks.len();
            if context.options.detailed && (place % every == 0 || last) {
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
            interval: Some(ratio(context, &blocks)),
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

fn ratio(context: &Context<'_>, blocks: &[Block]) -> AnyLookInterval {
    shown(rate_interval(blocks, &context.levels))
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
