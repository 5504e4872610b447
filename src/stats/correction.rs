//! Corrections for looking at several p-values at once.

/// How p-values are adjusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Correction {
    /// Bonferroni: any false positive at most α, however the tests depend.
    Bonferroni,
    /// Holm's step-down: the same promise, never weaker.
    Holm,
    /// Benjamini–Hochberg: share of false discoveries at most α, for independent tests.
    BenjaminiHochberg,
    /// Benjamini–Yekutieli: the same for tests that depend in any way.
    BenjaminiYekutieli,
}

impl Correction {
    /// Adjusted p-values, in the order given; compare each with α.
    ///
    /// # Source
    /// Holm 1979; Benjamini & Hochberg 1995; Benjamini & Yekutieli 2001.
    #[must_use]
    pub fn adjust(self, p_values: &[f64]) -> Vec<f64> {
        let m = p_values.len() as f64;
        let mut order: Vec<usize> = (0..p_values.len()).collect();
        order.sort_by(|a, b| p_values[*a].total_cmp(&p_values[*b]));
        let mut adjusted = vec![0.0; p_values.len()];
        match self {
            Self::Bonferroni => {
                for (adjusted, p) in adjusted.iter_mut().zip(p_values) {
                    *adjusted = (p * m).min(1.0);
                }
            }
            Self::Holm => {
                let mut floor: f64 = 0.0;
                for (rank, place) in order.iter().enumerate() {
                    floor = floor.max((m - rank as f64) * p_values[*place]).min(1.0);
                    adjusted[*place] = floor;
                }
            }
            Self::BenjaminiHochberg | Self::BenjaminiYekutieli => {
                let harmonic = match self {
                    Self::BenjaminiYekutieli => (1..=p_values.len()).map(|i| 1.0 / i as f64).sum(),
                    _ => 1.0,
                };
                let mut ceiling: f64 = 1.0;
                for (rank, place) in order.iter().enumerate().rev() {
                    let stepped = harmonic * m / (rank as f64 + 1.0) * p_values[*place];
                    ceiling = ceiling.min(stepped);
                    adjusted[*place] = ceiling;
                }
            }
        }
        adjusted
    }
}
