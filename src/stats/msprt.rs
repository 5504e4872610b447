//! Normal mixtures: the mSPRT of a difference, and the boundary behind it.
//!
//! Exact for normal outcomes with known variance, asymptotic otherwise.

use super::comparison::Comparison;
use super::error::{Alpha, StatsError};

/// Logarithm of the mixture likelihood ratio of an estimate `θ̂ ~ N(θ, variance)` against θ = 0, with θ ~ N(0, τ²).
///
/// Λ = √(V/(V + τ²)) · exp(τ²θ̂² / (2V(V + τ²))).
///
/// # Errors
/// [`StatsError::NoVariance`]; [`StatsError::ZeroBaseline`] for a prior without spread.
/// # Source
/// Johari, Koomen, Pekelis & Walsh, *Peeking at A/B tests*, KDD 2017, eq. 7.
pub fn log_mixture_ratio(estimate: f64, variance: f64, tau: f64) -> Result<f64, StatsError> {
    if !(variance > 0.0 && variance.is_finite()) {
        return Err(StatsError::NoVariance);
    }
    if tau.is_nan() || tau <= 0.0 {
        return Err(StatsError::ZeroBaseline);
    }
    let square = tau * tau;
    Ok(-0.5 * (square / variance).ln_1p()
        + square * estimate * estimate / (2.0 * variance * (variance + square)))
}

/// The mSPRT's interval at any look, and its always-valid p-value at this look (take the smallest over looks).
///
/// # Errors
/// [`StatsError::NoVariance`].
pub fn msprt(
    estimate: f64,
    variance: f64,
    tau: f64,
    alpha: Alpha,
) -> Result<Comparison, StatsError> {
    let log = log_mixture_ratio(estimate, variance, tau)?;
    let square = tau * tau;
    let width = (2.0 * variance * (variance + square) / square
        * (alpha.log_threshold() + 0.5 * (square / variance).ln_1p()))
    .sqrt();
    Ok(Comparison::around(
        estimate,
        width,
        Some((-log).exp().min(1.0)),
    ))
}

/// Two-sided normal-mixture boundary for a sum with intrinsic time `v`, tightest near `v_best`: √((v + r)·ln((v + r)/(rα²))).
///
/// # Source
/// Howard, Ramdas, McAuliffe & Sekhon, *Time-uniform, nonparametric, nonasymptotic confidence sequences*, Ann. Stat. 2021,
/// eq. 14.
#[must_use]
pub fn normal_mixture_boundary(v: f64, tuning: f64, alpha: Alpha) -> f64 {
    ((v + tuning) * (((v + tuning) / tuning).ln() + 2.0 * alpha.log_threshold())).sqrt()
}
