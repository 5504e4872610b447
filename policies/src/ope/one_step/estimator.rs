//! The one-step estimators by name.

use std::fmt;
use std::str::FromStr;

/// How an estimator shrinks the importance weight w.
///
/// Every rule keeps small weights and tames large ones; each is bounded, which makes its error bounded too.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Shrink {
    /// min(w, L). Ionides 2008.
    Clip(f64),
    /// w where w ≤ L, else 0. Wang, Agarwal & Dudík, ICML 2017.
    Switch(f64),
    /// L w / (w² + L). Su et al., ICML 2020 (optimistic shrinkage).
    Optimistic(f64),
    /// w / (1 − L + L w), L in [0, 1]. Metelli, Russo & Restelli, NeurIPS 2021 (s = −1).
    SubGaussian(f64),
}

impl Shrink {
    /// The weight used in place of w ≥ 0.
    #[must_use]
    pub fn of(self, w: f64) -> f64 {
        match self {
            Self::Clip(limit) => w.min(limit),
            Self::Switch(limit) => {
                if w <= limit {
                    w
                } else {
                    0.0
                }
            }
            // At w = L = 0 the weight is nothing, not 0/0.
            Self::Optimistic(lambda) => {
                if w == 0.0 {
                    0.0
                } else {
                    lambda / (w + lambda / w)
                }
            }
            Self::SubGaussian(lambda) => {
                if w == 0.0 {
                    0.0
                } else {
                    w / (1.0 - lambda + lambda * w)
                }
            }
        }
    }

    /// Its parameter.
    #[must_use]
    pub const fn parameter(self) -> f64 {
        match self {
            Self::Clip(l) | Self::Switch(l) | Self::Optimistic(l) | Self::SubGaussian(l) => l,
        }
    }

    /// The largest weight it lets through; infinite for [`Shrink::SubGaussian`] at 0.
    #[must_use]
    pub fn bound(self) -> f64 {
        match self {
            Self::Clip(l) | Self::Switch(l) => l,
            Self::Optimistic(l) => l.sqrt() / 2.0,
            Self::SubGaussian(l) => 1.0 / l,
        }
    }
}

/// A one-step estimator of the value of a policy.
///
/// With w = π(a|x)/propensity, q the reward model and dm = Σₐ π(a|x) q(x, a). The definitions stand in
/// `docs/off-policy.md`.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum OneStep {
    /// mean w r. Horvitz & Thompson 1952.
    Ips,
    /// Σ w r / Σ w. Swaminathan & Joachims 2015.
    Snips,
    /// mean dm.
    Dm,
    /// mean dm + w (r − q). Dudík et al. 2014.
    Dr,
    /// mean dm + Σ w (r − q) / Σ w. Thomas & Brunskill 2016 for one step.
    Sndr,
    /// mean s(w) r.
    ShrunkIps(Shrink),
    /// mean dm + s(w)(r − q).
    ShrunkDr(Shrink),
    /// `dr` with a model fitted to make its variance least. Farajtabar et al. 2018.
    Mrdr,
}

impl OneStep {
    /// What is computed when nothing is asked for.
    pub const USUAL: [Self; 5] = [Self::Ips, Self::Snips, Self::Dm, Self::Dr, Self::Sndr];

    /// The name without its parameter.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ips => "ips",
            Self::Snips => "snips",
            Self::Dm => "dm",
            Self::Dr => "dr",
            Self::Sndr => "sndr",
            Self::Mrdr => "mrdr",
            Self::ShrunkIps(Shrink::SubGaussian(_)) => "sgips",
            Self::ShrunkIps(_) => "cips",
            Self::ShrunkDr(Shrink::Clip(_)) => "cdr",
            Self::ShrunkDr(Shrink::Switch(_)) => "switch",
            Self::ShrunkDr(Shrink::Optimistic(_)) => "dros",
            Self::ShrunkDr(Shrink::SubGaussian(_)) => "sgdr",
        }
    }

    /// Its rule of shrinking.
    #[must_use]
    pub const fn shrink(self) -> Option<Shrink> {
        match self {
            Self::ShrunkIps(shrink) | Self::ShrunkDr(shrink) => Some(shrink),
            _ => None,
        }
    }

    /// Whether it uses importance weights, and with them propensities.
    #[must_use]
    pub const fn weighs(self) -> bool {
        !matches!(self, Self::Dm)
    }

    /// Whether it uses a reward model.
    #[must_use]
    pub const fn models(self) -> bool {
        matches!(
            self,
            Self::Dm | Self::Dr | Self::Sndr | Self::Mrdr | Self::ShrunkDr(_)
        )
    }

    /// Whether its error stays when rows are added: a model alone, or shrunk weights.
    #[must_use]
    pub const fn biased(self) -> bool {
        matches!(self, Self::Dm | Self::ShrunkIps(_) | Self::ShrunkDr(_))
    }
}

impl fmt::Display for OneStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self.shrink() {
            Some(shrink) => write!(f, ":{}", shrink.parameter()),
            None => Ok(()),
        }
    }
}

/// A family of shrunk estimators, whose parameter may be chosen by the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// `cips`
    ClippedIps,
    /// `cdr`
    ClippedDr,
    /// `switch`
    SwitchDr,
    /// `dros`
    OptimisticDr,
    /// `sgips`
    SubGaussianIps,
    /// `sgdr`
    SubGaussianDr,
}

impl Family {
    const ALL: [Self; 6] = [
        Self::ClippedIps,
        Self::ClippedDr,
        Self::SwitchDr,
        Self::OptimisticDr,
        Self::SubGaussianIps,
        Self::SubGaussianDr,
    ];

    /// The member with a parameter.
    #[must_use]
    pub const fn at(self, l: f64) -> OneStep {
        match self {
            Self::ClippedIps => OneStep::ShrunkIps(Shrink::Clip(l)),
            Self::ClippedDr => OneStep::ShrunkDr(Shrink::Clip(l)),
            Self::SwitchDr => OneStep::ShrunkDr(Shrink::Switch(l)),
            Self::OptimisticDr => OneStep::ShrunkDr(Shrink::Optimistic(l)),
            Self::SubGaussianIps => OneStep::ShrunkIps(Shrink::SubGaussian(l)),
            Self::SubGaussianDr => OneStep::ShrunkDr(Shrink::SubGaussian(l)),
        }
    }

    /// Parameters that are tried, from the least bias to the least variance.
    #[must_use]
    pub fn grid(self) -> Vec<OneStep> {
        let parameters: &[f64] = match self {
            Self::SubGaussianIps | Self::SubGaussianDr => {
                &[0.0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0]
            }
            // L of w² + L: a weight of √L is halved.
            Self::OptimisticDr => &[1e5, 1e4, 3e3, 1e3, 300.0, 100.0, 30.0, 10.0, 3.0, 1.0],
            _ => &[1000.0, 300.0, 100.0, 50.0, 20.0, 10.0, 5.0, 3.0, 2.0, 1.0],
        };
        parameters.iter().map(|l| self.at(*l)).collect()
    }
}

/// How a parameter is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tuning {
    /// The least variance whose interval still meets those of all that are less biased. Su, Srinath & Krishnamurthy,
    /// ICML 2020 (SLOPE); Tucker & Lee 2021.
    Slope,
    /// The least estimated squared error: (mean of what shrinking leaves out)² + variance.
    MeanSquaredError,
}

/// What was asked for: an estimator, or the best of a family.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Request {
    /// One estimator.
    Given(OneStep),
    /// A family and how its parameter is chosen: `cips` or `cips:slope`, `cips:mse`.
    Tuned(Family, Tuning),
}

impl Request {
    /// What may be computed for it.
    #[must_use]
    pub fn candidates(self) -> Vec<OneStep> {
        match self {
            Self::Given(estimator) => vec![estimator],
            Self::Tuned(family, _) => family.grid(),
        }
    }
}

impl FromStr for Request {
    type Err = EstimatorError;

    fn from_str(text: &str) -> Result<Self, EstimatorError> {
        let (name, rule) = text.split_once(':').unwrap_or((text, "slope"));
        let tuning = match rule {
            "slope" => Tuning::Slope,
            "mse" => Tuning::MeanSquaredError,
            _ => return text.parse().map(Self::Given),
        };
        let family = Family::ALL.into_iter().find(|f| f.at(1.0).name() == name);
        family.map_or_else(
            || text.parse().map(Self::Given),
            |family| Ok(Self::Tuned(family, tuning)),
        )
    }
}

/// A name that is no estimator, or a parameter that does not fit.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("`{text}`: {reason}")]
pub struct EstimatorError {
    /// What was asked for.
    pub text: String,
    /// What is wrong.
    pub reason: String,
}

impl FromStr for OneStep {
    type Err = EstimatorError;

    fn from_str(text: &str) -> Result<Self, EstimatorError> {
        let wrong = |reason: String| EstimatorError {
            text: text.to_owned(),
            reason,
        };
        let (name, parameter) = match text.split_once(':') {
            Some((name, parameter)) => (name, Some(parameter)),
            None => (text, None),
        };
        let plain = match name {
            "ips" => Some(Self::Ips),
            "snips" => Some(Self::Snips),
            "dm" => Some(Self::Dm),
            "dr" => Some(Self::Dr),
            "sndr" => Some(Self::Sndr),
            "mrdr" => Some(Self::Mrdr),
            _ => None,
        };
        if let Some(plain) = plain {
            return match parameter {
                None => Ok(plain),
                Some(_) => Err(wrong(format!("{name} has no parameter"))),
            };
        }
        let value = || -> Result<f64, EstimatorError> {
            let parameter = parameter.unwrap_or_default();
            let value: f64 = parameter
                .parse()
                .map_err(|_| wrong(format!("{parameter} is no number")))?;
            let subgaussian = name.starts_with("sg");
            let fits = if subgaussian {
                (0.0..=1.0).contains(&value)
            } else {
                value > 0.0 && value.is_finite()
            };
            if fits {
                Ok(value)
            } else if subgaussian {
                Err(wrong("the parameter lies in 0 to 1".to_owned()))
            } else {
                Err(wrong("the parameter is above 0 and finite".to_owned()))
            }
        };
        Ok(match name {
            "cips" => Self::ShrunkIps(Shrink::Clip(value()?)),
            "sgips" => Self::ShrunkIps(Shrink::SubGaussian(value()?)),
            "cdr" => Self::ShrunkDr(Shrink::Clip(value()?)),
            "switch" => Self::ShrunkDr(Shrink::Switch(value()?)),
            "dros" => Self::ShrunkDr(Shrink::Optimistic(value()?)),
            "sgdr" => Self::ShrunkDr(Shrink::SubGaussian(value()?)),
            _ => {
                return Err(wrong(
                    "no such estimator; one-step tables have ips, snips, dm, dr, sndr, cips:L, cdr:L, switch:L, dros:L, sgips:L, sgdr:L, mrdr"
                        .to_owned(),
                ));
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for text in [
            "ips",
            "snips",
            "dm",
            "dr",
            "sndr",
            "cips:10",
            "cdr:2.5",
            "switch:5",
            "dros:50",
            "sgips:0.1",
            "sgdr:1",
        ] {
            assert_eq!(text.parse::<OneStep>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn wrong_names_and_parameters_are_told() {
        for (text, reason) in [
            ("ipw", "no such estimator"),
            ("dm:3", "has no parameter"),
            ("cips:", "no number"),
            ("cips:0", "above 0"),
            ("cips:inf", "finite"),
            ("cips:NaN", "above 0"),
            ("cips:x", "no number"),
            ("sgips:1.5", "0 to 1"),
            ("", "no such estimator"),
        ] {
            let error = text.parse::<OneStep>().unwrap_err().to_string();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }

    #[test]
    fn families_are_asked_for_without_a_number() {
        for (text, tuned) in [
            ("cips", Request::Tuned(Family::ClippedIps, Tuning::Slope)),
            (
                "sgdr:slope",
                Request::Tuned(Family::SubGaussianDr, Tuning::Slope),
            ),
            (
                "switch:mse",
                Request::Tuned(Family::SwitchDr, Tuning::MeanSquaredError),
            ),
            ("dros:5", Request::Given(Family::OptimisticDr.at(5.0))),
            ("mrdr", Request::Given(OneStep::Mrdr)),
        ] {
            assert_eq!(text.parse::<Request>().unwrap(), tuned);
        }
        assert!("dm:slope".parse::<Request>().is_err());
        assert!("cips:best".parse::<Request>().is_err());
    }

    #[test]
    fn shrunk_weights_stay_below_their_bound_and_their_weight() {
        for shrink in [
            Shrink::Clip(3.0),
            Shrink::Switch(3.0),
            Shrink::Optimistic(7.0),
            Shrink::SubGaussian(0.2),
        ] {
            for i in 0..2000 {
                let w = f64::from(i) / 20.0;
                let s = shrink.of(w);
                assert!(
                    (0.0..=shrink.bound() + 1e-12).contains(&s),
                    "{shrink:?} {w}"
                );
                assert!(s <= w.max(1.0) + 1e-12, "{shrink:?} {w}");
            }
            assert_eq!(shrink.of(0.0), 0.0);
        }
        assert_eq!(Shrink::Optimistic(0.0).of(0.0), 0.0);
        assert_eq!(Shrink::SubGaussian(1.0).of(0.0), 0.0);
    }
}
