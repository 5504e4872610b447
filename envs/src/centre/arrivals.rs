//! When customers come: a Poisson process whose rate follows hour, weekday and a factor of each day's own.

use std::sync::Arc;

use rand::SeedableRng;
use rand_distr::{Distribution, Gamma};
use rand_xoshiro::Xoshiro256PlusPlus;

use super::trace::Trace;
use crate::luck::{Domain, Luck, Purpose, high};

/// Arrivals of one replica: the same for every policy.
#[derive(Debug, Clone)]
pub(super) struct Arrivals {
    /// Arrivals per second in each hour of the period.
    rates: Vec<f64>,
    luck: Luck,
    number: u64,
    hour: usize,
    at_s: f64,
    /// Logged arrivals, which come instead.
    trace: Option<Arc<Trace>>,
}

/// Position of the arrivals' stream among the world's: conversations and hours count from 0, these from the top.
const STREAM: u64 = u64::MAX / 2;

impl Arrivals {
    /// From the expected contacts of each hour; a day's arrivals are multiplied by a gamma factor of mean 1 and
    /// coefficient of variation `overdispersion`.
    ///
    /// # Source
    /// Whitt, Operations Research Letters 24, 1999; Avramidis, Deslauriers & L'Ecuyer, Management Science 50, 2004: daily
    /// volumes of contact centres vary more than Poisson counts.
    pub(super) fn new(contacts: impl Iterator<Item = f64>, overdispersion: f64, seed: u64) -> Self {
        let luck = Luck::new(seed, Domain::World, STREAM);
        let shape = 1.0 / (overdispersion * overdispersion);
        let mut factor = 1.0;
        let rates = contacts
            .enumerate()
            .map(|(hour, contacts)| {
                if hour % 24 == 0 && overdispersion > 0.0 {
                    let bits = luck.at(Purpose::Hour, (hour / 24) as u32);
                    let mut random = Xoshiro256PlusPlus::seed_from_u64(bits);
                    factor =
                        Gamma::new(shape, 1.0 / shape).map_or(1.0, |law| law.sample(&mut random));
                }
                contacts * factor / 3_600.0
            })
            .collect();
        Self {
            rates,
            luck,
            number: 0,
            hour: 0,
            at_s: 0.0,
            trace: None,
        }
    }

    /// The arrivals of a log.
    pub(super) fn logged(trace: Arc<Trace>) -> Self {
        Self {
            trace: Some(trace),
            ..Self::new(std::iter::empty(), 0.0, 0)
        }
    }

    /// Number and second of the next arrival; `None` after the last hour.
    pub(super) fn next(&mut self) -> Option<(u64, f64)> {
        if let Some(trace) = &self.trace {
            let at_s = trace.get(self.number)?.at_s;
            self.number += 1;
            return Some((self.number - 1, at_s));
        }
        let bits = self.luck.at(Purpose::Arrival, self.number as u32);
        // A unit of operational time; u < 1, so the logarithm is finite.
        let mut left = -(1.0 - high(bits ^ (self.number >> 32))).ln();
        loop {
            let rate = *self.rates.get(self.hour)?;
            let end_s = (self.hour + 1) as f64 * 3_600.0;
            let within = rate * (end_s - self.at_s);
            if left < within {
                self.at_s += left / rate;
                self.number += 1;
                return Some((self.number - 1, self.at_s));
            }
            left -= within;
            self.at_s = end_s;
            self.hour += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(rates: &[f64], overdispersion: f64, seed: u64) -> Vec<f64> {
        let mut arrivals = Arrivals::new(rates.iter().copied(), overdispersion, seed);
        let mut counts = vec![0.0; rates.len()];
        let mut last = 0.0;
        while let Some((_, at_s)) = arrivals.next() {
            assert!(at_s >= last);
            last = at_s;
            counts[(at_s / 3_600.0) as usize] += 1.0;
        }
        counts
    }

    #[test]
    fn hours_have_their_rate_and_poisson_spread() {
        // 4,800 hours of alternating rates: mean and variance of a Poisson count are its rate.
        let rates: Vec<f64> = (0..4_800)
            .map(|h| if h % 2 == 0 { 5.0 } else { 80.0 })
            .collect();
        let counts = counts(&rates, 0.0, 3);
        for (phase, rate) in [(0, 5.0), (1, 80.0)] {
            let of: Vec<f64> = counts.iter().skip(phase).step_by(2).copied().collect();
            let n = of.len() as f64;
            let mean = of.iter().sum::<f64>() / n;
            let variance = of.iter().map(|c| (c - mean).powi(2)).sum::<f64>() / (n - 1.0);
            // Standard errors: √(rate/n) of the mean, about rate·√(2/n) of the variance.
            assert!((mean - rate).abs() < 4.0 * (rate / n).sqrt(), "{mean}");
            assert!(
                (variance - rate).abs() < 4.0 * rate * (2.1 / n).sqrt(),
                "{variance}"
            );
        }
    }

    #[test]
    fn days_vary_more_than_poisson_by_the_factor_given() {
        // Var = m + (m·cv)² for a day of mean m: 480 + 96² = 9,696 at cv = 0.2.
        let days = 2_000;
        let counts = counts(&vec![20.0; days * 24], 0.2, 5);
        let daily: Vec<f64> = counts.chunks(24).map(|day| day.iter().sum()).collect();
        let n = days as f64;
        let mean = daily.iter().sum::<f64>() / n;
        let variance = daily.iter().map(|c| (c - mean).powi(2)).sum::<f64>() / (n - 1.0);
        assert!(
            (mean - 480.0).abs() < 4.0 * (9_696.0_f64 / n).sqrt(),
            "{mean}"
        );
        assert!((variance / 9_696.0 - 1.0).abs() < 0.15, "{variance}");
    }
}
