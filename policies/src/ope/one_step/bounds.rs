//! Bounds that hold at every sample size, from a declared range.

use super::estimator::OneStep;
use super::gather::{Bound, Bounded, Gathered};
use super::layout::{Formula, Term};
use super::options::TableOptions;
use crate::ope::interval::{Method, Support, bernstein_half_width, hoeffding_half_width};

/// The interval in which the terms of an estimator lie, when a bound is asked for and there is one.
pub(super) fn bounded(estimator: OneStep, options: &TableOptions) -> Option<Bounded> {
    let (low, high) = options.range.filter(|_| options.interval.bounds())?;
    let width = high - low;
    let term = |term, weight: f64| {
        weight.is_finite().then_some(Bounded {
            term: Bound::Term(term),
            low: low - weight * width,
            high: high + weight * width,
        })
    };
    let rewards = |t: Term, weight: f64| {
        weight.is_finite().then_some(Bounded {
            term: Bound::Term(t),
            low: weight * low.min(0.0),
            high: weight * high.max(0.0),
        })
    };
    match estimator {
        // A bet needs no largest weight, and is better off with both distances than with one range.
        OneStep::Ips => Some(match options.max_weight {
            Some(weight) if options.interval != Method::Betting => rewards(Term::Reward, weight)?,
            _ => Bounded {
                term: Bound::Weighted,
                low,
                high,
            },
        }),
        OneStep::Dm => Some(Bounded {
            term: Bound::Term(Term::Direct),
            low,
            high,
        }),
        OneStep::Dr => term(Term::Whole(None), options.max_weight?),
        OneStep::ShrunkIps(s) => rewards(Term::ShrunkReward(s), s.bound()),
        OneStep::ShrunkDr(s) => term(Term::Whole(Some(s)), s.bound()),
        OneStep::Snips | OneStep::Sndr | OneStep::Mrdr => None,
    }
}

/// Both ends of a bound around a value, or why there are none.
pub(super) fn ends(
    options: &TableOptions,
    gathered: &Gathered,
    formula: &Formula,
    value: f64,
    side: Option<(Bounded, usize)>,
) -> Result<(f64, f64), String> {
    if gathered.units.is_some() {
        return Err(
            "rows of one unit depend on each other, and bounds need independent ones".to_owned(),
        );
    }
    let (bounded, at) = side.ok_or_else(|| no_bound(formula))?;
    let sides = &gathered.bounded[at];
    let outside = sides.above.below() + sides.below.below();
    if outside > 0 {
        return Err(format!(
            "{outside} rows lie outside what the declared range and weight allow"
        ));
    }
    let range = bounded.high - bounded.low;
    let error = (1.0 - options.level) / 2.0;
    let n = gathered.rows as f64;
    let sided = |lower: &dyn Fn(&Support) -> f64| {
        let (above, below) = (lower(&sides.above) * range, lower(&sides.below) * range);
        // A value outside its own bounds helps nobody, and widening keeps them bounds.
        (
            (bounded.low + above).min(value),
            (bounded.high - below).max(value),
        )
    };
    Ok(match (options.interval, bounded.term) {
        (Method::Betting, _) => sided(&|s| s.betting_lower(error)),
        (method, Bound::Weighted) => {
            sided(&|s| s.truncated_lower(error, method == Method::Bernstein))
        }
        (Method::Bernstein, _) => {
            let variance = formula.standard_error(&gathered.moments).powi(2) * n;
            let half = bernstein_half_width(variance, range, n, error);
            (value - half, value + half)
        }
        _ => {
            let half = hoeffding_half_width(range, n, error);
            (value - half, value + half)
        }
    })
}

fn no_bound(formula: &Formula) -> String {
    if formula.ratio.is_some() {
        "a self-normalised value is no mean of bounded terms; take ips or a clipped estimator"
            .to_owned()
    } else {
        "its terms are unbounded; declare the largest weight that can occur".to_owned()
    }
}
