//! How long customers stay in a queue. Who is served was patient for at least as long as they waited: a censored time.

use serde::{Deserialize, Serialize};
use statrs::distribution::{Continuous, ContinuousCDF, Normal};

use super::customers::CLASSES;
use super::estimate::Estimate;
use super::parameter::{LEAST, Table};
use super::scoring::{Fit, climb};
use crate::centre::{CentreConfig, Spread};
use crate::class::Class;
use crate::shop::ShopConfig;

/// One customer's longest stay in a queue.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Stay {
    pub(super) class: Class,
    pub(super) seconds: f64,
    /// Left unanswered; otherwise served, and patience is censored.
    pub(super) left: bool,
}

/// How well a law of patience meets the customers' own curve.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PatienceFit {
    /// The class, or `all`.
    pub class: String,
    /// Customers who waited.
    pub waited: u64,
    /// Of them, those who left.
    pub left: u64,
    /// Seconds at which the curves are given.
    pub at_s: Vec<f64>,
    /// Share still patient: Kaplan-Meier.
    pub kaplan_meier: Vec<f64>,
    /// Share still patient: the fitted law.
    pub fitted: Vec<f64>,
    /// Largest distance between the two.
    pub largest_gap: f64,
}

/// What was found about patience.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Patience {
    /// `exponential` or `lognormal`; absent where patience is assumed.
    pub law: Option<String>,
    /// Akaike's criterion of the exponential law.
    pub aic_exponential: Option<f64>,
    /// Akaike's criterion of the lognormal law.
    pub aic_lognormal: Option<f64>,
    /// Curves by class.
    pub curves: Vec<PatienceFit>,
}

/// Patience by class.
pub(super) fn fit(
    stays: &[Stay],
    lacking: &str,
    shop: &mut ShopConfig,
    centre: &mut CentreConfig,
    table: &mut Table,
) -> Patience {
    let key = "shop.customer.patience_s";
    let own: Vec<Option<Estimate>> = Class::ALL
        .iter()
        .map(|class| exponential(stays.iter().filter(|s| s.class == *class)))
        .collect();
    let all = exponential(stays.iter());
    let six_hours = (1e-3, 21_600.0);
    let mut found = Patience::default();
    let lognormal = Lognormal::fit(stays);
    if all.is_some_and(|all| all.n >= LEAST) {
        found.aic_exponential = Some(aic_exponential(stays));
        found.aic_lognormal = lognormal.as_ref().map(|fit| fit.aic);
    }
    let chosen = lognormal.filter(|fit| {
        found
            .aic_exponential
            .is_some_and(|exponential| fit.aic + 2.0 < exponential)
            && fit.cv() <= 10.0
            && fit.own_classes(stays)
    });
    if let Some(fit) = chosen {
        let means: Vec<Option<Estimate>> = Class::ALL
            .iter()
            .map(|class| Some(fit.mean(*class, stays)))
            .collect();
        let places = &mut shop.customer.patience_s;
        table.list(key, places, &CLASSES, &means, None, six_hours, lacking);
        let cv = fit.cv();
        centre.patience = Spread::Lognormal {
            cv: super::parameter::digits(cv, 6),
        };
        let n = stays.iter().filter(|s| s.left).count() as u64;
        table.note(
            "centre.patience",
            Some("cv"),
            Estimate {
                value: cv,
                standard_error: fit.cv_error(),
                n,
            },
            super::parameter::Source::Fitted,
            Some("lognormal: a smaller AIC than the exponential law's".to_owned()),
        );
        found.law = Some("lognormal".to_owned());
        found.curves = curves(stays, |class, t| fit.survives(class, t));
        return found;
    }
    table.list(
        key,
        &mut shop.customer.patience_s,
        &CLASSES,
        &own,
        all,
        six_hours,
        lacking,
    );
    if all.is_some_and(|all| all.n >= LEAST) {
        found.law = Some("exponential".to_owned());
        let means = shop.customer.patience_s;
        found.curves = curves(stays, |class, t| (-t / means[class.index()]).exp());
    } else {
        table.assumed("centre.patience", Some("exponential"), 1.0, lacking);
    }
    found
}

/// θ̂ = Σ time in queues / customers who left, with the error θ̂/√left. Its events are those who left.
///
/// # Source
/// Brown, Gans, Mandelbaum, Sakov, Shen, Zeltyn & Zhao, Journal of the American Statistical Association 100, 2005, §5.2.
fn exponential<'a>(stays: impl Iterator<Item = &'a Stay>) -> Option<Estimate> {
    let (mut total_s, mut left) = (0.0, 0_u64);
    for stay in stays {
        total_s += stay.seconds;
        left += u64::from(stay.left);
    }
    (left > 0 && total_s > 0.0).then(|| {
        let mean = total_s / left as f64;
        Estimate {
            value: mean,
            standard_error: mean / (left as f64).sqrt(),
            n: left,
        }
    })
}

/// 2k − 2 ln L of an exponential law by class; classes nobody left add nothing.
fn aic_exponential(stays: &[Stay]) -> f64 {
    Class::ALL
        .iter()
        .filter_map(|class| exponential(stays.iter().filter(|s| s.class == *class)))
        // ln L = −d ln θ − Σt/θ, and Σt/θ = d.
        .map(|theta| 2.0 + 2.0 * theta.n as f64 * (theta.value.ln() + 1.0))
        .sum()
}

/// A lognormal law with a mean for each class and one shape, in Olsen's parameters μ/σ by class and 1/σ, in which the
/// censored likelihood is concave.
///
/// # Source
/// Olsen, Econometrica 46, 1978.
struct Lognormal {
    fit: Fit,
    /// Position of each class among the parameters.
    of: [Option<usize>; 3],
    aic: f64,
}

impl Lognormal {
    fn fit(stays: &[Stay]) -> Option<Self> {
        let mut of = [None; 3];
        let mut count = 0;
        for class in Class::ALL {
            let left = stays.iter().filter(|s| s.class == *class && s.left).count();
            if left >= 2 {
                of[class.index()] = Some(count);
                count += 1;
            }
        }
        let used: Vec<&Stay> = stays
            .iter()
            .filter(|s| s.seconds > 0.0 && of[s.class.index()].is_some())
            .collect();
        if count == 0 || used.iter().filter(|s| s.left).count() < LEAST as usize {
            return None;
        }
        let mut start: Vec<f64> = Class::ALL
            .iter()
            .filter(|class| of[class.index()].is_some())
            .map(|class| {
                exponential(stays.iter().filter(|s| s.class == *class))
                    .map_or(5.0, |theta| theta.value.ln())
            })
            .collect();
        start.push(1.0);
        let mut bounds = vec![(-1e3, 1e3); count];
        bounds.push((1e-2, 1e2));
        let standard = Normal::standard();
        let fit = climb(start, &bounds, |at, slope| {
            let b = at[count];
            for stay in &used {
                let class = of[stay.class.index()].unwrap_or(0);
                let y = stay.seconds.ln();
                let z = b * y - at[class];
                let mut gradient = vec![0.0; count + 1];
                gradient[class] = -1.0;
                gradient[count] = y;
                if stay.left {
                    // ln f = ln b − z²/2, up to what does not depend on the parameters; its −ln t is that of the law of t.
                    slope.add(
                        b.ln() - 0.5 * z * z - 0.5 * std::f64::consts::TAU.ln() - y,
                        -z,
                        1.0,
                        &gradient,
                    );
                    gradient[class] = 0.0;
                    gradient[count] = 1.0;
                    slope.add(0.0, 1.0 / b, 1.0 / (b * b), &gradient);
                } else {
                    let survives = standard.sf(z).max(1e-300);
                    let hazard = standard.pdf(z) / survives;
                    slope.add(survives.ln(), -hazard, hazard * (hazard - z), &gradient);
                }
            }
        })?;
        let aic = 2.0 * (count + 1) as f64 - 2.0 * fit.value;
        Some(Self { fit, of, aic })
    }

    fn sigma(&self) -> f64 {
        self.fit.at.last().map_or(1.0, |b| 1.0 / b)
    }

    fn cv(&self) -> f64 {
        (self.sigma().powi(2).exp() - 1.0).sqrt()
    }

    /// d cv / d b · se(b), with cv² = exp(1/b²) − 1.
    fn cv_error(&self) -> f64 {
        let last = self.fit.at.len() - 1;
        let sigma = self.sigma();
        (sigma.powi(2)).exp() * sigma.powi(3) / self.cv() * self.fit.standard_error(last)
    }

    /// Whether each class that waited has 30 of its own who left.
    fn own_classes(&self, stays: &[Stay]) -> bool {
        Class::ALL.iter().all(|class| {
            let of = || stays.iter().filter(move |s| s.class == *class);
            of().filter(|s| s.left).count() as u64 >= LEAST && self.of[class.index()].is_some()
        })
    }

    fn survives(&self, class: Class, t: f64) -> f64 {
        let Some(position) = self.of[class.index()] else {
            return 1.0;
        };
        let b = 1.0 / self.sigma();
        Normal::standard().sf(b * t.ln() - self.fit.at[position])
    }

    /// exp(μ + σ²/2) with its delta-method error.
    fn mean(&self, class: Class, stays: &[Stay]) -> Estimate {
        let n = stays.iter().filter(|s| s.class == class && s.left).count() as u64;
        let Some(position) = self.of[class.index()] else {
            return Estimate::exact(f64::NAN, n);
        };
        let last = self.fit.at.len() - 1;
        let (a, sigma) = (self.fit.at[position], self.sigma());
        let value = (a * sigma + 0.5 * sigma * sigma).exp();
        // ln mean = a/b + 1/(2b²).
        let (da, db) = (sigma, -(a * sigma * sigma + sigma.powi(3)));
        let v = &self.fit.covariance;
        let variance = da * da * v[position][position]
            + 2.0 * da * db * v[position][last]
            + db * db * v[last][last];
        Estimate {
            value,
            standard_error: value * variance.max(0.0).sqrt(),
            n,
        }
    }
}

/// Points at which curves are given.
const POINTS: usize = 20;

fn curves(stays: &[Stay], survives: impl Fn(Class, f64) -> f64) -> Vec<PatienceFit> {
    Class::ALL
        .iter()
        .filter_map(|class| {
            let of: Vec<(f64, bool)> = stays
                .iter()
                .filter(|s| s.class == *class && s.seconds > 0.0)
                .map(|s| (s.seconds, s.left))
                .collect();
            let left = of.iter().filter(|(_, left)| *left).count();
            if left < 2 {
                return None;
            }
            let curve = kaplan_meier(&of);
            let gap = curve
                .iter()
                .map(|(t, s)| (s - survives(*class, *t)).abs())
                .fold(0.0, f64::max);
            let points: Vec<(f64, f64)> = (0..POINTS.min(curve.len()))
                .map(|i| curve[i * (curve.len() - 1) / (POINTS.min(curve.len()) - 1).max(1)])
                .collect();
            Some(PatienceFit {
                class: class.name().to_owned(),
                waited: of.len() as u64,
                left: left as u64,
                fitted: points.iter().map(|(t, _)| survives(*class, *t)).collect(),
                at_s: points.iter().map(|(t, _)| *t).collect(),
                kaplan_meier: points.iter().map(|(_, s)| *s).collect(),
                largest_gap: gap,
            })
        })
        .collect()
}

/// Share still patient just after each time at which somebody left.
///
/// # Source
/// Kaplan & Meier, Journal of the American Statistical Association 53, 1958. Whoever is served at the time of a departure
/// was still there.
fn kaplan_meier(stays: &[(f64, bool)]) -> Vec<(f64, f64)> {
    let mut sorted = stays.to_vec();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut at, mut share, mut curve) = (0, 1.0, Vec::new());
    while at < sorted.len() {
        let t = sorted[at].0;
        let there = (sorted.len() - at) as f64;
        let same = sorted[at..].iter().take_while(|(s, _)| *s == t);
        let (mut ties, mut left) = (0, 0.0);
        for (_, leaves) in same {
            ties += 1;
            left += f64::from(u8::from(*leaves));
        }
        if left > 0.0 {
            share *= 1.0 - left / there;
            curve.push((t, share));
        }
        at += ties;
    }
    curve
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Fixture {
        times: Vec<f64>,
        left: Vec<bool>,
        lognormal: Law,
        kaplan_meier: Vec<(f64, f64)>,
    }

    #[derive(Deserialize)]
    struct Law {
        sigma: f64,
        scale: f64,
        log_likelihood: f64,
    }

    fn fixture() -> (Vec<Stay>, Fixture) {
        let fixture: Fixture =
            serde_json::from_str(include_str!("fixtures/patience.json")).unwrap();
        let stays = fixture
            .times
            .iter()
            .zip(&fixture.left)
            .map(|(seconds, left)| Stay {
                class: Class::Complex,
                seconds: *seconds,
                left: *left,
            })
            .collect();
        (stays, fixture)
    }

    #[test]
    fn the_censored_lognormal_is_scipys() {
        let (stays, fixture) = fixture();
        let fit = Lognormal::fit(&stays).unwrap();
        assert!((fit.sigma() / fixture.lognormal.sigma - 1.0).abs() < 1e-4);
        let median = (fit.fit.at[0] * fit.sigma()).exp();
        assert!((median / fixture.lognormal.scale - 1.0).abs() < 1e-4);
        assert!((fit.fit.value - fixture.lognormal.log_likelihood).abs() < 1e-4);
    }

    #[test]
    fn the_curve_of_kaplan_and_meier_is_scipys() {
        let (stays, fixture) = fixture();
        let of: Vec<(f64, bool)> = stays.iter().map(|s| (s.seconds, s.left)).collect();
        let curve = kaplan_meier(&of);
        assert_eq!(curve.len(), fixture.kaplan_meier.len());
        for ((t, s), (want_t, want_s)) in curve.iter().zip(&fixture.kaplan_meier) {
            assert!(t == want_t && (s - want_s).abs() < 1e-12, "{t} {s}");
        }
    }

    #[test]
    fn served_customers_count_with_their_time_and_not_as_departures() {
        let stay = |seconds, left| Stay {
            class: Class::Simple,
            seconds,
            left,
        };
        // Three waits of 10, 20, 30 s; only the last one left: 60 s in all for one departure.
        let theta =
            exponential([stay(10.0, false), stay(20.0, false), stay(30.0, true)].iter()).unwrap();
        assert_eq!(
            (theta.value, theta.standard_error, theta.n),
            (60.0, 60.0, 1)
        );
        assert_eq!(exponential([stay(10.0, false)].iter()), None);
    }
}
