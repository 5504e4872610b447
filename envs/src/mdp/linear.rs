//! Dense linear systems, for the value equations of a policy.

/// A square matrix, row by row.
#[derive(Debug, Clone)]
pub(crate) struct Matrix {
    n: usize,
    entries: Vec<f64>,
}

impl Matrix {
    /// The n × n identity.
    pub(crate) fn identity(n: usize) -> Self {
        let mut entries = vec![0.0; n * n];
        for i in 0..n {
            entries[i * n + i] = 1.0;
        }
        Self { n, entries }
    }

    /// Entry (row, column).
    pub(crate) fn at(&mut self, row: usize, column: usize) -> &mut f64 {
        &mut self.entries[row * self.n + column]
    }

    /// Solves M x = b by Gaussian elimination with partial pivoting; b becomes x.
    ///
    /// Error of order n · ε · cond(M). Rows are skipped where the eliminated entry is already zero, which makes the banded
    /// and sparse systems of small decision processes cheap.
    ///
    /// # Errors
    /// The column whose best pivot is below 1e-13 of the matrix's largest entry.
    /// # Source
    /// Golub & Van Loan, Matrix Computations, 4th ed., algorithm 3.4.1.
    pub(crate) fn solve(mut self, b: &mut [f64]) -> Result<(), usize> {
        let n = self.n;
        let largest = self.entries.iter().fold(0.0_f64, |m, e| m.max(e.abs()));
        for k in 0..n {
            let pivot = (k..n)
                .max_by(|&i, &j| {
                    let (i, j) = (self.entries[i * n + k], self.entries[j * n + k]);
                    i.abs().total_cmp(&j.abs())
                })
                .expect("the range k..n is not empty");
            if self.entries[pivot * n + k].abs() <= largest * 1e-13 {
                return Err(k);
            }
            if pivot != k {
                let (upper, lower) = self.entries.split_at_mut(pivot * n);
                upper[k * n..(k + 1) * n].swap_with_slice(&mut lower[..n]);
                b.swap(k, pivot);
            }
            let (done, below) = self.entries.split_at_mut((k + 1) * n);
            let pivot_row = &done[k * n + k..];
            for (i, row) in below.chunks_exact_mut(n).enumerate() {
                let factor = row[k] / pivot_row[0];
                if factor != 0.0 {
                    for (entry, above) in row[k..].iter_mut().zip(pivot_row) {
                        *entry -= factor * above;
                    }
                    b[k + 1 + i] -= factor * b[k];
                }
            }
        }
        for k in (0..n).rev() {
            let row = &self.entries[k * n..(k + 1) * n];
            let known: f64 = row[k + 1..]
                .iter()
                .zip(&b[k + 1..])
                .map(|(e, x)| e * x)
                .sum();
            b[k] = (b[k] - known) / row[k];
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hilbert_system_with_known_solution_is_solved() {
        // H x = b with x = 1 for the 5 × 5 Hilbert matrix, condition number 4.8e5 (Golub & Van Loan, 2.8).
        let n = 5;
        let mut matrix = Matrix::identity(n);
        let mut b = vec![0.0; n];
        for (i, sum) in b.iter_mut().enumerate() {
            for j in 0..n {
                *matrix.at(i, j) = 1.0 / (i + j + 1) as f64;
                *sum += 1.0 / (i + j + 1) as f64;
            }
        }
        matrix.solve(&mut b).unwrap();
        for x in b {
            assert!((x - 1.0).abs() < 1e-10, "{x}");
        }
    }

    #[test]
    fn a_zero_on_the_diagonal_is_pivoted_and_a_singular_matrix_refused() {
        let mut swap = Matrix::identity(2);
        (*swap.at(0, 0), *swap.at(0, 1)) = (0.0, 1.0);
        (*swap.at(1, 0), *swap.at(1, 1)) = (1.0, 0.0);
        let mut b = [3.0, 4.0];
        swap.solve(&mut b).unwrap();
        assert_eq!(b, [4.0, 3.0]);

        let mut singular = Matrix::identity(2);
        *singular.at(0, 1) = 2.0;
        *singular.at(1, 0) = 0.5;
        assert_eq!(singular.solve(&mut [1.0, 1.0]), Err(1));
    }
}
