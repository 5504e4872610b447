//! Doubly robust cost-sensitive learning: the direct model, corrected where it was wrong.

use super::least_squares::{Gram, Need, Sums, added};

pub(super) const NEED: Need = Need {
    folds: true,
    weighted: true,
    allowed: true,
};

/// θₐ = argmin Σ over rows where a was allowed of (r̂ₐ − θ′φ)² + ridge, with
/// r̂ₐ = q̂ₐ(x) + 1{a taken}(r − q̂ₐ(x))/propensity.
///
/// q̂ is the direct model of the folds that do not hold the row. In sums: with Gₖ = Σ φφ′ over rows of fold k where a was
/// allowed, Wₖ and cₖ the sums of φφ′ and φr over rows of a, each over its propensity, and θ̄ the mean of the folds' q̂ₖ,
/// θ = θ̄ + (G + λD)⁻¹ Σₖ [Gₖ(q̂ₖ − θ̄) + cₖ − Wₖ q̂ₖ].
///
/// # Source
/// Dudík, Langford & Li, ICML 2011.
/// # Differs from the paper
/// q̂ is cross-fitted, and the penalty draws to the direct model instead of to zero.
pub(super) fn coefficients(sums: &Sums, ridge: f64) -> Vec<Vec<f64>> {
    let width = sums.width();
    let folds = sums.cells.len();
    (0..sums.actions())
        .map(|action| {
            let models: Vec<Vec<f64>> = (0..folds)
                .map(|fold| sums.direct(action, Some(fold), ridge))
                .collect();
            let mean: Vec<f64> = (0..width)
                .map(|j| models.iter().map(|q| q[j]).sum::<f64>() / folds as f64)
                .collect();
            let mut gram = Gram::new(width);
            let mut wrong = vec![0.0; width];
            for (fold, q) in models.iter().enumerate() {
                let allowed = sums.allowed(fold, action);
                let cell = &sums.cells[fold][action];
                let apart: Vec<f64> = q.iter().zip(&mean).map(|(q, mean)| q - mean).collect();
                added(&mut wrong, &allowed.times(&apart));
                added(&mut wrong, &cell.weighted_rewards);
                for (sum, own) in wrong.iter_mut().zip(cell.weighted.times(q)) {
                    *sum -= own;
                }
                gram.merge(&allowed);
            }
            let mut theta = gram.solve(&wrong, ridge);
            added(&mut theta, &mean);
            theta
        })
        .collect()
}
