//! Maximum likelihood by Fisher scoring, for laws whose probabilities and slopes can be written down.

use crate::mdp::linear::Matrix;

/// Rounds after which a fit that has not settled is given up.
const ROUNDS: usize = 200;

/// Score vector and expected information of a likelihood at a point, and its value.
#[derive(Debug, Clone)]
pub(super) struct Slope {
    pub(super) value: f64,
    pub(super) score: Vec<f64>,
    information: Vec<f64>,
}

impl Slope {
    fn zero(parameters: usize) -> Self {
        Self {
            value: 0.0,
            score: vec![0.0; parameters],
            information: vec![0.0; parameters * parameters],
        }
    }

    /// Adds an observation: log-likelihood, its slope in the linear part, and the information of that part, where the linear
    /// part has the gradient given.
    pub(super) fn add(&mut self, value: f64, slope: f64, information: f64, gradient: &[f64]) {
        let n = self.score.len();
        self.value += value;
        for (i, g) in gradient.iter().enumerate() {
            if *g != 0.0 {
                self.score[i] += slope * g;
                for (j, h) in gradient.iter().enumerate() {
                    self.information[i * n + j] += information * g * h;
                }
            }
        }
    }

    /// Adds an outcome of several: the probability of each with its gradient, and which was observed.
    pub(super) fn outcome(&mut self, of: &[(f64, Vec<f64>)], observed: usize) {
        let (p, gradient) = &of[observed];
        let p = p.max(1e-9);
        self.add(p.ln(), 1.0 / p, 0.0, gradient);
        for (p, gradient) in of {
            self.add(0.0, 0.0, 1.0 / p.max(1e-9), gradient);
        }
    }

    /// The inverse of the information; `None` when a parameter is not identified.
    pub(super) fn covariance(&self) -> Option<Vec<Vec<f64>>> {
        let n = self.score.len();
        // Scaled to a unit diagonal: parameters have different units.
        let scale: Vec<f64> = (0..n)
            .map(|i| self.information[i * n + i].max(0.0).sqrt())
            .collect();
        if scale.iter().any(|s| !(s.is_finite() && *s > 0.0)) {
            return None;
        }
        let mut matrix = Matrix::identity(n);
        for i in 0..n {
            for j in 0..n {
                *matrix.at(i, j) = self.information[i * n + j] / (scale[i] * scale[j]);
            }
        }
        (0..n)
            .map(|column| {
                let mut unit = vec![0.0; n];
                unit[column] = 1.0;
                matrix.clone().solve(&mut unit).ok()?;
                for (i, entry) in unit.iter_mut().enumerate() {
                    *entry /= scale[i] * scale[column];
                }
                Some(unit)
            })
            .collect()
    }
}

/// Where a likelihood is largest.
#[derive(Debug, Clone)]
pub(super) struct Fit {
    pub(super) at: Vec<f64>,
    pub(super) covariance: Vec<Vec<f64>>,
    pub(super) value: f64,
}

impl Fit {
    pub(super) fn standard_error(&self, parameter: usize) -> f64 {
        self.covariance[parameter][parameter].max(0.0).sqrt()
    }
}

/// Climbs from `start` within bounds: θ ← θ + I⁻¹ U, with the step halved while it does not climb.
///
/// `None` when a parameter is not identified or nothing settles.
///
/// # Source
/// McCullagh & Nelder, Generalized Linear Models, 2nd ed., 1989, §2.5.
pub(super) fn climb(
    start: Vec<f64>,
    bounds: &[(f64, f64)],
    slope: impl Fn(&[f64], &mut Slope),
) -> Option<Fit> {
    let at = |point: &[f64]| {
        let mut found = Slope::zero(point.len());
        slope(point, &mut found);
        found
    };
    let mut point = start;
    let mut here = at(&point);
    for _ in 0..ROUNDS {
        let covariance = here.covariance()?;
        let mut step: Vec<f64> = covariance
            .iter()
            .map(|row| row.iter().zip(&here.score).map(|(c, u)| c * u).sum())
            .collect();
        let mut next = None;
        for _ in 0..40 {
            let tried: Vec<f64> = point
                .iter()
                .zip(&step)
                .zip(bounds)
                .map(|((x, d), (low, high))| (x + d).clamp(*low, *high))
                .collect();
            let there = at(&tried);
            if there.value.is_finite() && there.value >= here.value - 1e-12 * here.value.abs() {
                next = Some((tried, there));
                break;
            }
            step.iter_mut().for_each(|d| *d *= 0.5);
        }
        let Some((tried, there)) = next else {
            return Some(Fit {
                at: point,
                covariance,
                value: here.value,
            });
        };
        let moved = point
            .iter()
            .zip(&tried)
            .map(|(a, b)| (a - b).abs() / (1e-6 + a.abs()))
            .fold(0.0, f64::max);
        (point, here) = (tried, there);
        if moved < 1e-9 {
            break;
        }
    }
    Some(Fit {
        covariance: here.covariance()?,
        at: point,
        value: here.value,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_has_its_closed_form() {
        // 30 of 120: p = 1/4, error √(p (1 − p)/n).
        let fit = climb(vec![0.5], &[(0.0, 1.0)], |at, slope| {
            for i in 0..120 {
                let cells = [(at[0], vec![1.0]), (1.0 - at[0], vec![-1.0])];
                slope.outcome(&cells, usize::from(i >= 30));
            }
        })
        .unwrap();
        assert!((fit.at[0] - 0.25).abs() < 1e-9);
        assert!((fit.standard_error(0) - (0.25_f64 * 0.75 / 120.0).sqrt()).abs() < 1e-9);
    }

    #[test]
    fn what_is_not_identified_gives_no_fit() {
        let fit = climb(vec![0.5, 0.5], &[(0.0, 1.0); 2], |at, slope| {
            let p = at[0] * at[1];
            let cells = [(p, vec![at[1], at[0]]), (1.0 - p, vec![-at[1], -at[0]])];
            slope.outcome(&cells, 0);
            slope.outcome(&cells, 1);
        });
        assert!(fit.is_none());
    }
}
