//! Ridge regression of several targets on the same features, from sums alone.
//!
//! A part of the rows may be held back to choose the penalty: its error follows from its own sums, so no row is visited
//! twice.

/// Sums over rows that a regression needs.
#[derive(Debug, Clone)]
pub(super) struct Moments {
    features: usize,
    targets: usize,
    rows: f64,
    x: Vec<f64>,
    y: Vec<f64>,
    /// Lower triangle of X'X, row by row, with the upper one left at 0.
    xx: Vec<f64>,
    /// X'Y, a row per feature.
    xy: Vec<f64>,
    yy: f64,
}

/// Weights with the intercept of each target.
#[derive(Debug, Clone)]
pub(super) struct Weights {
    features: usize,
    intercept: Vec<f64>,
    /// A row per target.
    slope: Vec<f64>,
}

impl Moments {
    pub(super) fn new(features: usize, targets: usize) -> Self {
        Self {
            features,
            targets,
            rows: 0.0,
            x: vec![0.0; features],
            y: vec![0.0; targets],
            xx: vec![0.0; features * features],
            xy: vec![0.0; features * targets],
            yy: 0.0,
        }
    }

    /// Adds a row.
    pub(super) fn add(&mut self, x: &[f64], y: &[f64]) {
        self.rows += 1.0;
        add_scaled(&mut self.x, 1.0, x);
        add_scaled(&mut self.y, 1.0, y);
        self.yy += dot(y, y);
        for (i, &xi) in x.iter().enumerate() {
            let row = &mut self.xx[i * self.features..=i * self.features + i];
            add_scaled(row, xi, &x[..=i]);
            let row = &mut self.xy[i * self.targets..(i + 1) * self.targets];
            add_scaled(row, xi, y);
        }
    }

    /// Adds the rows of another part.
    pub(super) fn merge(&mut self, other: &Self) {
        self.rows += other.rows;
        self.yy += other.yy;
        for (sums, more) in [
            (&mut self.x, &other.x),
            (&mut self.y, &other.y),
            (&mut self.xx, &other.xx),
            (&mut self.xy, &other.xy),
        ] {
            add_scaled(sums, 1.0, more);
        }
    }

    /// Minimises Σ (y − b − w·x)² + penalty · rows · |w|² for every target; the intercept b is not penalised.
    ///
    /// Solves (X'X − n x̄x̄' + n λ I) w = X'y − n x̄ȳ by Cholesky. `None` when the matrix is not positive definite to
    /// working precision, which a penalty above 1e-12 of the features' variance rules out.
    pub(super) fn solve(&self, penalty: f64) -> Option<Weights> {
        let (d, h, n) = (self.features, self.targets, self.rows);
        let mut matrix = self.xx.clone();
        for i in 0..d {
            add_scaled(
                &mut matrix[i * d..=i * d + i],
                -self.x[i] / n,
                &self.x[..=i],
            );
            matrix[i * d + i] += n * penalty;
        }
        cholesky(&mut matrix, d)?;
        let mut weights = Weights {
            features: d,
            intercept: Vec::with_capacity(h),
            slope: Vec::with_capacity(h * d),
        };
        for target in 0..h {
            let mut w: Vec<f64> = (0..d)
                .map(|i| self.xy[i * h + target] - self.x[i] * self.y[target] / n)
                .collect();
            substitute(&matrix, d, &mut w);
            weights
                .intercept
                .push((self.y[target] - dot(&w, &self.x)) / n);
            weights.slope.extend(w);
        }
        Some(weights)
    }

    /// Sum of squared errors over these rows and all targets, under weights from elsewhere.
    ///
    /// Σ (y − b − w·x)² = Σy² − 2bΣy − 2w·X'y + nb² + 2b w·Σx + w'X'Xw.
    pub(super) fn squared_error(&self, weights: &Weights) -> f64 {
        let (d, h) = (self.features, self.targets);
        let mut sum = self.yy;
        for target in 0..h {
            let (b, w) = weights.of(target);
            let cross: f64 = (0..d).map(|i| w[i] * self.xy[i * h + target]).sum();
            let mut square = 0.0;
            for i in 0..d {
                let row = &self.xx[i * d..=i * d + i];
                square += w[i] * (2.0 * dot(&row[..i], &w[..i]) + row[i] * w[i]);
            }
            sum += b * (self.rows * b - 2.0 * self.y[target] + 2.0 * dot(w, &self.x)) - 2.0 * cross
                + square;
        }
        sum
    }
}

impl Weights {
    /// Intercept and slopes of a target.
    fn of(&self, target: usize) -> (f64, &[f64]) {
        let d = self.features;
        (
            self.intercept[target],
            &self.slope[target * d..(target + 1) * d],
        )
    }

    /// The value of a target.
    pub(super) fn predict(&self, target: usize, x: &[f64]) -> f64 {
        let (intercept, slope) = self.of(target);
        intercept + dot(slope, x)
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn add_scaled(to: &mut [f64], factor: f64, from: &[f64]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to += factor * from;
    }
}

/// Replaces the lower triangle of a symmetric matrix A by L with LL' = A; `None` when A is not positive definite.
///
/// # Source
/// Golub & Van Loan, Matrix Computations, 4th ed., section 4.2, by rows.
fn cholesky(matrix: &mut [f64], d: usize) -> Option<()> {
    for i in 0..d {
        let (above, row) = matrix.split_at_mut(i * d);
        for j in 0..i {
            let other = &above[j * d..=j * d + j];
            row[j] = (row[j] - dot(&row[..j], &other[..j])) / other[j];
        }
        let pivot = row[i] - dot(&row[..i], &row[..i]);
        if pivot.is_nan() || pivot <= 0.0 {
            return None;
        }
        row[i] = pivot.sqrt();
    }
    Some(())
}

/// Solves LL' x = b in place.
fn substitute(lower: &[f64], d: usize, b: &mut [f64]) {
    for i in 0..d {
        let row = &lower[i * d..=i * d + i];
        b[i] = (b[i] - dot(&row[..i], &b[..i])) / row[i];
    }
    for i in (0..d).rev() {
        let row = &lower[i * d..=i * d + i];
        b[i] /= row[i];
        let x = b[i];
        add_scaled(&mut b[..i], -x, &row[..i]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moments(rows: &[([f64; 2], [f64; 1])]) -> Moments {
        let mut moments = Moments::new(2, 1);
        for (x, y) in rows {
            moments.add(x, y);
        }
        moments
    }

    /// y = 3 + 2 a − b on four rows.
    const PLANE: [([f64; 2], [f64; 1]); 4] = [
        ([0.0, 0.0], [3.0]),
        ([1.0, 0.0], [5.0]),
        ([0.0, 1.0], [2.0]),
        ([2.0, 3.0], [4.0]),
    ];

    #[test]
    fn without_a_penalty_a_plane_is_found_and_its_error_is_zero() {
        let sums = moments(&PLANE);
        let weights = sums.solve(0.0).unwrap();
        let (b, w) = weights.of(0);
        assert!(
            (b - 3.0).abs() < 1e-12 && (w[0] - 2.0).abs() < 1e-12 && (w[1] + 1.0).abs() < 1e-12
        );
        assert!(sums.squared_error(&weights).abs() < 1e-10);
        assert!((weights.predict(0, &[5.0, 1.0]) - 12.0).abs() < 1e-12);
    }

    #[test]
    fn a_penalty_shrinks_as_its_closed_form_says() {
        // One feature that varies: w = Sxy / (Sxx + nλ) with centred sums Sxx = 8, Sxy = 16, n = 2, λ = 1.
        let mut sums = Moments::new(1, 1);
        sums.add(&[1.0], &[10.0]);
        sums.add(&[5.0], &[18.0]);
        let weights = sums.solve(1.0).unwrap();
        let (b, w) = weights.of(0);
        assert!((w[0] - 1.6).abs() < 1e-12);
        assert!((b - (14.0 - 1.6 * 3.0)).abs() < 1e-12);
        // Errors at x = 1, 5: 10 − 10.8 and 18 − 17.2.
        assert!((sums.squared_error(&weights) - 1.28).abs() < 1e-12);
    }

    #[test]
    fn parts_add_up_and_a_flat_feature_needs_a_penalty() {
        let mut first = moments(&PLANE[..2]);
        first.merge(&moments(&PLANE[2..]));
        let weights = first.solve(0.0).unwrap();
        let (b, _) = weights.of(0);
        assert!((b - 3.0).abs() < 1e-12);
        let mut flat = Moments::new(1, 1);
        flat.add(&[2.0], &[1.0]);
        flat.add(&[2.0], &[3.0]);
        assert!(flat.solve(0.0).is_none());
        assert_eq!(flat.solve(1.0).unwrap().predict(0, &[2.0]), 2.0);
    }
}
