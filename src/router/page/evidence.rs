//! Intervals and wealth over time.

use tierwise_reports::{OnlinePage, TestedLook, TestedScale, TestedSequence, TestedTimes, moment};

use super::{Change, POINTS, around_zero};
use crate::router::experiment::{Design, Experiment};
use crate::router::standing::Standing;
use crate::stats::Alpha;
use crate::stats::eprocess::{RatioInterval, TestLevels, rate_interval, rate_sequence};
use crate::stats::switchback::pair_interval;

/// Most intervals that are worked out for a sequence of pairs: each is a search of its own.
const PAIR_INTERVALS: usize = 40;

/// Levels of the rule, and the unit of the charts' time.
pub(super) struct Levels {
    promote: Alpha,
    roll_back: Alpha,
    times: TestedTimes,
    unit_us: f64,
}

impl Levels {
    pub(super) fn of(experiment: &Experiment) -> Self {
        let definition = &experiment.definition;
        let rule = &definition.rule;
        let guardrails = definition.guardrails.len();
        let (promote, roll_back) = rule
            .promote_level()
            .and_then(|promote| Ok((promote, rule.roll_back_level(guardrails)?)))
            .expect("the rule was checked when the experiment was created");
        Self {
            promote,
            roll_back,
            times: TestedTimes::Days,
            unit_us: 86_400e6,
        }
    }

    /// Wealth that decides: promotion, roll-back.
    pub(super) fn thresholds(&self) -> (f64, f64) {
        (
            self.promote.log_threshold().exp(),
            self.roll_back.log_threshold().exp(),
        )
    }

    /// Fits the unit of time to the stretch that is drawn.
    pub(super) fn until(mut self, start_us: i64, end_us: i64) -> Self {
        (self.times, self.unit_us) = OnlinePage::time_unit(start_us, end_us);
        self
    }

    /// A moment on the charts' axis.
    pub(super) fn time(&self, start_us: i64, at_us: i64) -> f64 {
        (at_us - start_us) as f64 / self.unit_us
    }

    fn tests(&self) -> TestLevels {
        TestLevels {
            promote: self.promote,
            roll_back: self.roll_back,
            promote_ratio: 1.0,
            roll_back_ratio: 1.0,
        }
    }
}

/// At most `most` places of `len`, evenly spread, the last one among them.
pub(super) fn thinned(len: usize, most: usize) -> impl Iterator<Item = usize> {
    let stride = len.div_ceil(most.max(1)).max(1);
    let first = len.checked_sub(1).map_or(0, |last| last % stride);
    (first..len).step_by(stride)
}

/// Bounds of a ratio; `None` where nothing is excluded.
pub(super) fn ends(interval: RatioInterval) -> Change {
    (
        (interval.lower > 0.0).then_some(interval.lower),
        interval.upper.is_finite().then_some(interval.upper),
    )
}

/// Differences of pairs as the test of pairs took them, each with the end of its last block.
fn pairs(standing: &Standing) -> Vec<(i64, f64)> {
    let experiment = &*standing.experiment;
    let arms = experiment.definition.arms.len();
    let block_us = experiment
        .definition
        .switchback
        .map_or(1, |blocks| (blocks.block_minutes * 60e6).round() as i64);
    let mut half: Option<(i64, Vec<super::ArmTotal>)> = None;
    let mut pairs = Vec::new();
    for (key, block) in &standing.ledger.metrics[0].blocks {
        let mut totals = block.totals(arms);
        if experiment.definition.design == Design::Switchback {
            let pair = key.div_euclid(2);
            match half.take() {
                Some((other, first)) if other == pair => {
                    for (sum, more) in totals.iter_mut().zip(first) {
                        sum.units += more.units;
                        sum.sum += more.sum;
                    }
                }
                _ => {
                    half = Some((pair, totals));
                    continue;
                }
            }
        }
        if let (Some(champion), Some(challenger)) = (totals[0].mean(), totals[1].mean()) {
            pairs.push(((key + 1) * block_us, challenger - champion));
        }
    }
    pairs
}

/// The interval of every arm against the champion; none for the champion itself.
pub(super) fn intervals(standing: &Standing, levels: &Levels) -> Vec<Option<Change>> {
    let experiment = &*standing.experiment;
    let arms = experiment.definition.arms.len();
    let mut intervals = vec![None];
    if experiment.definition.design != Design::User {
        let differences: Vec<f64> = pairs(standing).iter().map(|pair| pair.1).collect();
        let found = pair_interval(&differences, levels.promote, levels.roll_back);
        intervals.push(found.map(|(lower, upper)| (finite(lower), finite(upper))));
        return intervals;
    }
    for challenger in 1..arms {
        let blocks = standing.ledger.blocks_versus(experiment, 0, challenger);
        let found = (!blocks.is_empty()).then(|| rate_interval(&blocks, &levels.tests()));
        intervals.push(found.map(around_zero));
    }
    intervals
}

fn finite(bound: f64) -> Option<f64> {
    bound.is_finite().then_some(bound)
}

/// Evidence of the first challenger over time.
pub(super) fn sequence(
    standing: &Standing,
    levels: &Levels,
    interval: Option<Change>,
) -> Option<TestedSequence> {
    let experiment = &*standing.experiment;
    let start_us = experiment.revisions.first()?.since_us;
    let looks = &standing.ledger.metrics[0].looks;
    let challenger = standing.challengers.first()?;
    let user = experiment.definition.design == Design::User;
    let moments = if user {
        rates(standing, levels)
    } else {
        differences(standing, levels)
    };
    let mut known = moments.iter().peekable();
    let mut last = None;
    let thinned_looks = thinned(looks.len(), POINTS).map(|place| {
        let look = looks[place];
        while let Some(moment) = known.next_if(|moment| moment.at_us <= look.at_us) {
            last = Some(*moment);
        }
        TestedLook {
            at: levels.time(start_us, look.at_us),
            units: last.map_or(0, |moment| moment.units),
            share: last.and_then(|moment| moment.share),
            log_wealth: (look.log_promote, look.log_roll_back),
            interval: last.and_then(|moment| moment.interval),
        }
    });
    let looks_drawn: Vec<TestedLook> = thinned_looks.collect();
    let crossed = |threshold: f64, pick: fn(&crate::router::judge::Look) -> f64| {
        let look = looks.iter().find(|look| pick(look) >= threshold)?;
        let before = moments.iter().take_while(|m| m.at_us <= look.at_us).last();
        Some((moment(look.at_us), before.map_or(0, |m| m.units)))
    };
    Some(TestedSequence {
        arm: challenger.arm.clone(),
        scale: if user {
            TestedScale::Rate
        } else {
            TestedScale::Difference
        },
        times: levels.times,
        log_wealth: (
            challenger.evidence.log_promote,
            challenger.evidence.log_roll_back,
        ),
        thresholds: levels.thresholds(),
        promoted: crossed(levels.promote.log_threshold(), |look| look.log_promote),
        rolled_back: crossed(levels.roll_back.log_threshold(), |look| look.log_roll_back),
        interval,
        looks: looks_drawn,
    })
}

/// What is known at the end of a block.
#[derive(Clone, Copy)]
struct Moment {
    at_us: i64,
    units: u64,
    share: Option<f64>,
    interval: Option<Change>,
}

fn rates(standing: &Standing, levels: &Levels) -> Vec<Moment> {
    let blocks = standing.ledger.blocks_versus(&standing.experiment, 0, 1);
    let intervals = rate_sequence(&blocks, &levels.tests());
    let mut units = 0;
    blocks
        .iter()
        .zip(intervals)
        .map(|(block, interval)| {
            units += block.units();
            Moment {
                at_us: (block.at * 1e6).round() as i64,
                units,
                share: Some(block.share),
                interval: Some(around_zero(interval)),
            }
        })
        .collect()
}

fn differences(standing: &Standing, levels: &Levels) -> Vec<Moment> {
    let pairs = pairs(standing);
    let values: Vec<f64> = pairs.iter().map(|pair| pair.1).collect();
    thinned(pairs.len(), PAIR_INTERVALS)
        .map(|place| {
            let found = pair_interval(&values[..=place], levels.promote, levels.roll_back);
            Moment {
                at_us: pairs[place].0,
                units: place as u64 + 1,
                share: None,
                interval: found.map(|(lower, upper)| (finite(lower), finite(upper))),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thinning_keeps_the_last() {
        for (len, most) in [(0, 5), (1, 5), (5, 5), (6, 5), (1_000, 200), (20_161, 200)] {
            let places: Vec<usize> = thinned(len, most).collect();
            assert!(places.len() <= most, "{len} {most}");
            assert_eq!(places.last().copied(), len.checked_sub(1), "{len} {most}");
            assert!(places.windows(2).all(|pair| pair[0] < pair[1]));
        }
    }

    #[test]
    fn what_is_not_excluded_has_no_end() {
        let open = RatioInterval {
            lower: 0.0,
            upper: f64::INFINITY,
        };
        assert_eq!(around_zero(open), (None, None));
        let closed = RatioInterval {
            lower: 1.25,
            upper: 1.5,
        };
        assert_eq!(around_zero(closed), (Some(0.25), Some(0.5)));
    }
}
