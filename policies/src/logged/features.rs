//! Columns `x0`, `x1`, … to the regressors φ(x).

use serde::{Deserialize, Serialize};

/// What regressors are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FeatureKind {
    /// 1 and each feature.
    #[default]
    Linear,
    /// These and all products of two, squares among them.
    Quadratic,
}

impl FeatureKind {
    /// Number of regressors of so many features.
    #[must_use]
    pub const fn width(self, features: usize) -> usize {
        match self {
            Self::Linear => features + 1,
            Self::Quadratic => (features + 1) * (features + 2) / 2,
        }
    }
}

/// φ(x) = (1, z), or (1, z, zᵢ zⱼ for j ≤ i), with z = (x − mean) × scale.
///
/// Features are standardised by the rows learned from, so that one ridge penalty means the same to all of them and a feature
/// far from zero, such as a time, costs no digits. A feature that never varied has scale 0 and is silent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Basis {
    pub(super) kind: FeatureKind,
    pub(super) mean: Vec<f64>,
    pub(super) scale: Vec<f64>,
}

impl Basis {
    /// Number of columns `x…` it reads.
    #[must_use]
    pub fn features(&self) -> usize {
        self.mean.len()
    }

    /// Number of regressors.
    #[must_use]
    pub fn width(&self) -> usize {
        self.kind.width(self.mean.len())
    }

    /// Whether its parts fit together.
    pub(super) fn is_sound(&self) -> bool {
        let finite = |values: &[f64]| values.iter().all(|v| v.is_finite());
        self.mean.len() == self.scale.len() && finite(&self.mean) && finite(&self.scale)
    }

    /// Writes φ(x), `width` numbers.
    pub(super) fn fill(&self, x: &[f64], phi: &mut [f64]) {
        let n = self.mean.len();
        phi[0] = 1.0;
        for (z, (x, (mean, scale))) in phi[1..=n]
            .iter_mut()
            .zip(x.iter().zip(self.mean.iter().zip(&self.scale)))
        {
            *z = (x - mean) * scale;
        }
        if self.kind == FeatureKind::Quadratic {
            let (z, products) = phi[1..].split_at_mut(n);
            let mut products = products.iter_mut();
            for i in 0..n {
                for (other, product) in z[..=i].iter().zip(products.by_ref()) {
                    *product = z[i] * other;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quadratic_regressors_are_all_products_once() {
        let basis = Basis {
            kind: FeatureKind::Quadratic,
            mean: vec![1.0, 0.0, 5.0],
            scale: vec![2.0, 1.0, 0.0],
        };
        let mut phi = vec![0.0; basis.width()];
        basis.fill(&[2.0, 3.0, 9.0], &mut phi);
        // z = (2, 3, 0): the constant third is silent.
        assert_eq!(phi, [1.0, 2.0, 3.0, 0.0, 4.0, 6.0, 9.0, 0.0, 0.0, 0.0]);
    }
}
