//! Means and co-moments of several columns, block by block.

/// Sums that give every mean, variance and covariance of a set of columns; those of parts merge into those of the whole.
///
/// Centred in every block, so that a mean far from zero costs no digits.
///
/// # Source
/// Chan, Golub & LeVeque 1979 (pairwise updating of co-moments).
#[derive(Debug, Clone, PartialEq)]
pub struct Moments {
    n: f64,
    mean: Vec<f64>,
    /// Σ (xᵢ − x̄ᵢ)(xⱼ − x̄ⱼ) for j ≤ i, row after row.
    co: Vec<f64>,
}

impl Moments {
    /// No rows yet.
    #[must_use]
    pub fn new(columns: usize) -> Self {
        Self {
            n: 0.0,
            mean: vec![0.0; columns],
            co: vec![0.0; columns * (columns + 1) / 2],
        }
    }

    /// Of columns of equal length.
    #[must_use]
    pub fn of(columns: &[Vec<f64>]) -> Self {
        let mut moments = Self::new(columns.len());
        let n = columns.first().map_or(0, Vec::len);
        if n == 0 {
            return moments;
        }
        moments.n = n as f64;
        let centred: Vec<Vec<f64>> = columns
            .iter()
            .zip(&mut moments.mean)
            .map(|(column, mean)| {
                // The mean of differences to the first entry: exact for a constant column.
                let first = column[0];
                *mean = first + column.iter().map(|x| x - first).sum::<f64>() / n as f64;
                column.iter().map(|x| x - *mean).collect()
            })
            .collect();
        let mut at = 0;
        for i in 0..centred.len() {
            for j in 0..=i {
                moments.co[at] = dot(&centred[i], &centred[j]);
                at += 1;
            }
        }
        moments
    }

    /// Adds the rows of another part.
    pub fn merge(&mut self, other: &Self) {
        if other.n == 0.0 {
            return;
        }
        let n = self.n + other.n;
        let factor = self.n * other.n / n;
        let delta: Vec<f64> = other
            .mean
            .iter()
            .zip(&self.mean)
            .map(|(theirs, mine)| theirs - mine)
            .collect();
        let mut at = 0;
        for i in 0..delta.len() {
            for j in 0..=i {
                self.co[at] += other.co[at] + delta[i] * delta[j] * factor;
                at += 1;
            }
            self.mean[i] += delta[i] * (other.n / n);
        }
        self.n = n;
    }

    /// Number of rows.
    #[must_use]
    pub const fn n(&self) -> f64 {
        self.n
    }

    /// Means of the columns.
    #[must_use]
    pub fn means(&self) -> &[f64] {
        &self.mean
    }

    /// Variance (n − 1) of the linear combination Σ gᵢ xᵢ; NaN for fewer than two rows.
    #[must_use]
    pub fn variance(&self, gradient: &[(usize, f64)]) -> f64 {
        let mut sum = 0.0;
        for (i, a) in gradient {
            for (j, b) in gradient {
                let (high, low) = (*i.max(j), *i.min(j));
                sum += a * b * self.co[high * (high + 1) / 2 + low];
            }
        }
        sum.max(0.0) / (self.n - 1.0)
    }
}

/// Four sums at a time, which the processor adds side by side; their order is fixed.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; 4];
    let (a, a_rest) = a.as_chunks::<4>();
    let (b, b_rest) = b.as_chunks::<4>();
    for (x, y) in a.iter().zip(b) {
        for lane in 0..4 {
            sums[lane] += x[lane] * y[lane];
        }
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(x, y)| x * y).sum();
    (sums[0] + sums[1]) + (sums[2] + sums[3]) + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_merge_into_the_whole_even_far_from_zero() {
        // Exact by hand: x = 0…9 + 10⁹ has variance 55/6; y = x² of the small part; z = 5 throughout.
        let small: Vec<f64> = (0..10).map(f64::from).collect();
        let x: Vec<f64> = small.iter().map(|v| v + 1e9).collect();
        let y: Vec<f64> = small.iter().map(|v| v * v).collect();
        let z = vec![5.0; 10];
        let mut merged = Moments::new(3);
        for (from, to) in [(0, 3), (3, 4), (4, 10)] {
            merged.merge(&Moments::of(&[&x, &y, &z].map(|c| c[from..to].to_vec())));
        }
        assert!((merged.means()[0] - (1e9 + 4.5)).abs() < 1e-6);
        assert!((merged.means()[1] - 28.5).abs() < 1e-12);
        assert!((merged.variance(&[(0, 1.0)]) - 55.0 / 6.0).abs() < 1e-6);
        // Var(x + 2y) = Var x + 4 Cov + 4 Var y; Cov(x, x²) = 82.5, Var(x²) = 7_210.5 / 9 … by the sums of powers:
        // Σx³ = 2025, Σx⁴ = 15333: Cov = (2025 − 10·4.5·28.5)/9 = 82.5; Var y = (15333 − 10·28.5²)/9 = 801.1666….
        let expected = 55.0 / 6.0 + 4.0 * 82.5 + 4.0 * (15_333.0 - 8_122.5) / 9.0;
        assert!((merged.variance(&[(0, 1.0), (1, 2.0)]) - expected).abs() < 1e-5);
        assert_eq!(merged.variance(&[(2, 1.0)]), 0.0);
    }
}
