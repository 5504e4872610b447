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
        matches!(self, Self::Dm | Self::Dr | Self::Sndr | Self::ShrunkDr(_))
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
            _ => None,
        };
        if let Some(plain) = plain {
            return match parameter {
                None => Ok(plain),
                Some(_) => Err(wrong(format!("{name} has no parameter"))),
            };
        }
        let value = || -> Result<f64, EstimatorError> {
            let Some(parameter) = parameter else {
                return Err(wrong(format!(
                    "{name} needs a parameter, as in `{name}:{}`",
                    example(name)
                )));
            };
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
                    "no such estimator; one-step tables have ips, snips, dm, dr, sndr, cips:L, cdr:L, switch:L, dros:L, sgips:L, sgdr:L"
                        .to_owned(),
                ));
            }
        })
    }
}

fn example(name: &str) -> &'static str {
    match name {
        "sgips" | "sgdr" => "0.1",
        "dros" => "50",
        _ => "10",
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
            ("cips", "needs a parameter, as in `cips:10`"),
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
