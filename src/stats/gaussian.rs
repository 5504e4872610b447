//! Bayes with a Gaussian likelihood of the effect: chance to win and expected loss for means and lifts.

use super::error::{Alpha, StatsError};
use super::special::{normal_cdf, normal_density, normal_upper_quantile};

/// What is believed of the effect before the data.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum GaussianPrior {
    /// Nothing.
    Flat,
    /// A normal distribution.
    Normal {
        /// Its mean.
        mean: f64,
        /// Its standard deviation, above 0.
        deviation: f64,
    },
}

/// What is believed of it after.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GaussianPosterior {
    /// Posterior mean of the effect.
    pub mean: f64,
    /// Posterior standard deviation.
    pub deviation: f64,
    /// Lower end of the central credible interval.
    pub lower: f64,
    /// Upper end.
    pub upper: f64,
    /// Probability that the effect is above zero.
    pub chance_to_win: f64,
    /// E[max(−effect, 0)]: what choosing the treatment risks.
    pub loss_of_treatment: f64,
    /// E[max(effect, 0)]: what staying with the control forgoes.
    pub loss_of_control: f64,
}

/// Posterior of an effect estimated with a variance.
///
/// # Errors
/// [`StatsError::NoVariance`]; [`StatsError::BadParameter`] for a prior without spread.
pub fn gaussian_posterior(
    effect: f64,
    variance: f64,
    prior: GaussianPrior,
    alpha: Alpha,
) -> Result<GaussianPosterior, StatsError> {
    if !(variance > 0.0 && variance.is_finite()) {
        return Err(StatsError::NoVariance);
    }
    let (mean, deviation) = match prior {
        GaussianPrior::Flat => (effect, variance.sqrt()),
        GaussianPrior::Normal { mean, deviation } => {
            if deviation.is_nan() || deviation <= 0.0 {
                return Err(StatsError::BadParameter {
                    what: "the prior's standard deviation",
                    value: deviation,
                    expected: "it is above 0",
                });
            }
            let (data, belief) = (1.0 / variance, 1.0 / (deviation * deviation));
            let precision = data + belief;
            (
                (effect * data + mean * belief) / precision,
                precision.sqrt().recip(),
            )
        }
    };
    let z = mean / deviation;
    let width = normal_upper_quantile(alpha.get() / 2.0) * deviation;
    Ok(GaussianPosterior {
        mean,
        deviation,
        lower: mean - width,
        upper: mean + width,
        chance_to_win: normal_cdf(z),
        loss_of_treatment: deviation * excess(-z),
        loss_of_control: deviation * excess(z),
    })
}

/// E[max(Z + z, 0)] for a standard normal Z: φ(z) + z·Φ(z), by its tail series where the two cancel.
fn excess(z: f64) -> f64 {
    if z > -25.0 {
        return (normal_density(z) + z * normal_cdf(z)).max(0.0);
    }
    let square = z * z;
    normal_density(z) / square * (1.0 - 3.0 / square + 15.0 / (square * square))
}
