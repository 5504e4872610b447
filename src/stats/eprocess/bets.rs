//! The grid of bets and the fixed mixture over it.
//!
//! A bet is an effect size that would have been the best one to bet on, had it been true. Effects are placed at relative
//! lifts `d = κ·√(σ/μ)`, where μ and σ are the predictable mean and standard deviation of the outcome: halfway, on the log
//! scale, between a fixed relative lift (κ alone, natural for rare conversions) and a fixed standardised effect (κ·σ/μ,
//! natural for satisfaction near one). One grid then serves a 1 % conversion and a 90 % satisfaction alike.

use std::sync::LazyLock;

/// How many bets the mixture holds.
pub const BETS: usize = 64;

/// Smallest and largest κ of the grid.
const KAPPA: (f64, f64) = (0.004, 6.0);
/// Where most of the mixture's weight lies (chosen in examples/mixture.rs), and its spread on the log scale.
const CENTRE: f64 = 0.10;
const SPREAD: f64 = 0.3;
/// Weight spread evenly over the whole grid, so that no effect is left without a bet.
const EVEN: f64 = 0.05;

/// One number per bet.
pub type PerBet = [f64; BETS];

/// A fixed mixture over effect sizes, the same for every test.
#[derive(Debug, Clone, PartialEq)]
pub struct Mixture {
    /// κ of every bet, rising.
    pub kappa: PerBet,
    /// Logarithms of the weights, which sum to one.
    pub log_weight: PerBet,
}

static STANDARD: LazyLock<Mixture> = LazyLock::new(|| Mixture::new(CENTRE, SPREAD, EVEN));

impl Mixture {
    /// The mixture every test of tierwise uses: log-normal around κ = 0.10, with an even floor.
    #[must_use]
    pub fn standard() -> &'static Self {
        &STANDARD
    }

    /// A mixture with weights `(1 − even)·log-normal(centre, spread) + even·log-uniform`.
    #[must_use]
    pub fn new(centre: f64, spread: f64, even: f64) -> Self {
        let step = (KAPPA.1 / KAPPA.0).ln() / (BETS - 1) as f64;
        let mut kappa = [0.0; BETS];
        let mut weight = [0.0; BETS];
        for (i, (kappa, weight)) in kappa.iter_mut().zip(&mut weight).enumerate() {
            *kappa = KAPPA.0 * (step * i as f64).exp();
            let z = (*kappa / centre).ln() / spread;
            *weight = (-0.5 * z * z).exp();
        }
        let total: f64 = weight.iter().sum();
        let log_weight =
            weight.map(|weight: f64| ((1.0 - even) * weight / total + even / BETS as f64).ln());
        Self { kappa, log_weight }
    }
}

/// Logarithm of a mixture's value: `ln Σ exp(log_weight + log_wealth)`, without overflow.
#[must_use]
pub fn log_mixture(log_weight: &PerBet, log_wealth: &PerBet) -> f64 {
    let mut sum = [0.0; BETS];
    let mut largest = f64::NEG_INFINITY;
    for ((sum, weight), wealth) in sum.iter_mut().zip(log_weight).zip(log_wealth) {
        *sum = weight + wealth;
        largest = largest.max(*sum);
    }
    if !largest.is_finite() {
        return largest;
    }
    largest
        + sum
            .iter()
            .map(|log| (log - largest).exp())
            .sum::<f64>()
            .ln()
}
