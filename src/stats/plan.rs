//! Planning: units and days that a difference needs, and what the ramp does to them.

use super::eprocess::{Mixture, Outlook, RateWealth, Side, log_mixture};
use super::error::{Alpha, StatsError};
use super::special::normal_upper_quantile;

/// A difference to be found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Effect {
    /// The control's rate, in (0, 1).
    pub rate: f64,
    /// Relative lift of the challenger: 0.1 for ten per cent more.
    pub lift: f64,
}

impl Effect {
    fn rates(self) -> Result<(f64, f64), StatsError> {
        let treatment = self.rate * (1.0 + self.lift);
        for value in [self.rate, treatment] {
            if !(value > 0.0 && value < 1.0) {
                return Err(StatsError::BadParameter {
                    what: "a rate",
                    value,
                    expected: "rates of both arms lie strictly between 0 and 1",
                });
            }
        }
        if self.lift == 0.0 {
            return Err(StatsError::BadParameter {
                what: "the lift",
                value: 0.0,
                expected: "no number of units shows that there is no difference",
            });
        }
        Ok((self.rate, treatment))
    }
}

/// A stretch of time with one share of the challenger.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stage {
    /// The challenger's share, in (0, 1).
    pub share: f64,
    /// How long it lasts, in days; infinite for the last stage.
    pub days: f64,
}

/// What a sequential test is expected to need.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Expected {
    /// Days until the call.
    pub days: f64,
    /// Units of both arms by then.
    pub units: f64,
}

/// Units of each arm that a fixed-horizon two-sided z test needs at level α with the given power, at equal shares.
///
/// n = (z_{α/2}·√(2p̄q̄) + z_{1−power}·√(p₀q₀ + p₁q₁))² / (p₁ − p₀)².
///
/// # Errors
/// [`StatsError::BadParameter`] for rates outside (0, 1) or no lift.
/// # Source
/// Fleiss, Levin & Paik, *Statistical methods for rates and proportions*, 3rd ed., eq. 4.14.
pub fn fixed_units_per_arm(effect: Effect, alpha: Alpha, power: Alpha) -> Result<f64, StatsError> {
    let (p0, p1) = effect.rates()?;
    let pooled = 0.5 * (p0 + p1);
    let spread = normal_upper_quantile(alpha.get() / 2.0) * (2.0 * pooled * (1.0 - pooled)).sqrt()
        - normal_upper_quantile(power.get()) * (p0 * (1.0 - p0) + p1 * (1.0 - p1)).sqrt();
    Ok((spread / (p1 - p0)).powi(2).ceil())
}

/// When the e-process is expected to call a true difference, along a ramp.
///
/// Every bet's wealth grows at its expected rate E[ln(1 + cz)], stage by stage; the call is expected where the mixture of
/// these paths reaches 1/α. Within an eighth of the simulated mean for the lifts in docs/statistics.md.
///
/// # Errors
/// [`StatsError::BadParameter`] for impossible rates, [`StatsError::NotAShare`], and [`StatsError::TooFewUnits`] when the
/// stages end before.
pub fn sequential(
    effect: Effect,
    units_per_day: f64,
    stages: &[Stage],
    alpha: Alpha,
) -> Result<Expected, StatsError> {
    let (p0, p1) = effect.rates()?;
    if !(units_per_day > 0.0 && units_per_day.is_finite()) {
        return Err(StatsError::BadParameter {
            what: "units a day",
            value: units_per_day,
            expected: "above 0",
        });
    }
    let side = if p1 > p0 {
        Side::Promote
    } else {
        Side::RollBack
    };
    let mixture = Mixture::standard();
    let target = alpha.log_threshold();
    let mut log_wealth = [0.0; super::eprocess::BETS];
    let (mut days, mut units) = (0.0, 0.0);
    for stage in stages {
        if !(stage.share > 0.0 && stage.share < 1.0) {
            return Err(StatsError::NotAShare { share: stage.share });
        }
        let mean = (1.0 - stage.share) * p0 + stage.share * p1;
        let outlook = Outlook {
            mean,
            variance: mean * (1.0 - mean),
        };
        let growth = RateWealth::growth(side, 1.0, stage.share, outlook, mixture, p0, p1);
        let after = |n: f64| {
            let mut wealth = log_wealth;
            for (wealth, growth) in wealth.iter_mut().zip(&growth) {
                *wealth += n * growth;
            }
            wealth
        };
        let most = stage.days * units_per_day;
        let reached = |n: f64| log_mixture(&mixture.log_weight, &after(n)) >= target;
        if most.is_infinite() || reached(most) {
            let (mut low, mut high) = (0.0, 1.0);
            while !reached(high) {
                (low, high) = (high, 2.0 * high);
                if high > 1e18 {
                    return Err(StatsError::NoVariance);
                }
            }
            for _ in 0..60 {
                let middle = 0.5 * (low + high);
                if reached(middle) {
                    high = middle;
                } else {
                    low = middle;
                }
            }
            return Ok(Expected {
                days: days + high / units_per_day,
                units: units + high,
            });
        }
        log_wealth = after(most);
        days += stage.days;
        units += most;
    }
    Err(StatsError::TooFewUnits {
        needed: units.ceil() as u64 + 1,
        have: units as u64,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAST: f64 = f64::INFINITY;

    #[test]
    fn fixed_units_are_those_of_the_textbook() {
        // The formula with quantiles from scipy.stats.norm gives 3840.85 for p₀ = 0.1, p₁ = 0.12, α = 0.05, power 0.8.
        let effect = Effect {
            rate: 0.10,
            lift: 0.2,
        };
        let n = fixed_units_per_arm(effect, Alpha::FIVE_PERCENT, Alpha::new(0.8).unwrap()).unwrap();
        assert_eq!(n, 3841.0);
    }

    #[test]
    fn a_slow_ramp_costs_days_but_hardly_units_of_information() {
        let effect = Effect {
            rate: 0.1,
            lift: 0.15,
        };
        let alpha = Alpha::new(0.025).unwrap();
        let straight = [Stage {
            share: 0.5,
            days: LAST,
        }];
        let ramp: Vec<Stage> = [(0.01, 1.0), (0.05, 1.0), (0.25, 1.0), (0.5, LAST)]
            .map(|(share, days)| Stage { share, days })
            .to_vec();
        let fast = sequential(effect, 2000.0, &straight, alpha).unwrap();
        let slow = sequential(effect, 2000.0, &ramp, alpha).unwrap();
        assert!((fast.units - 2000.0 * fast.days).abs() < 1e-6);
        // Three days of the ramp hold little: information per unit is s(1 − s), 0.04, 0.19 and 0.75 of that at one half.
        let lost = 3.0 - (0.04 + 0.19 + 0.75);
        assert!(
            (slow.days - fast.days - lost).abs() < 0.15,
            "{fast:?} {slow:?}"
        );
    }

    #[test]
    fn impossible_plans_are_refused() {
        let alpha = Alpha::FIVE_PERCENT;
        let stage = |share, days| [Stage { share, days }];
        let effect = |rate, lift| Effect { rate, lift };
        assert!(sequential(effect(0.1, 0.0), 1.0, &stage(0.5, LAST), alpha).is_err());
        assert!(sequential(effect(0.6, 0.9), 1.0, &stage(0.5, LAST), alpha).is_err());
        assert!(sequential(effect(0.1, 0.1), 1.0, &stage(1.0, LAST), alpha).is_err());
        assert!(sequential(effect(0.1, 0.1), 0.0, &stage(0.5, LAST), alpha).is_err());
        assert!(sequential(effect(0.1, 0.1), 10.0, &stage(0.5, 1.0), alpha).is_err());
    }
}
