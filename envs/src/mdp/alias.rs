//! Sampling from many fixed discrete distributions in constant time.

/// One column of an alias table: stay with `own` below the threshold, else take `alias`.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Column {
    threshold: u32,
    own: u32,
    alias: u32,
}

/// Alias tables of several distributions, back to back (Walker 1977; built in linear time after Vose 1991).
///
/// One draw takes one 64-bit random number: the upper half picks a column, the lower half decides within it. Probabilities are
/// therefore exact to 2⁻³², far below what sampling can tell apart.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct AliasTables {
    columns: Vec<Column>,
    ranges: Vec<(u32, u32)>,
}

impl AliasTables {
    /// Appends a distribution (positive weights summing to one; an empty one can never be sampled).
    pub(super) fn push(&mut self, outcomes: &[(usize, f64)]) {
        let first = self.columns.len();
        let n = outcomes.len();
        let mut share: Vec<f64> = outcomes.iter().map(|&(_, p)| p * n as f64).collect();
        let (mut small, mut large): (Vec<usize>, Vec<usize>) =
            (0..n).partition(|&column| share[column] < 1.0);
        let number = |column: usize| outcomes[column].0 as u32;
        self.columns.extend((0..n).map(|column| Column {
            threshold: u32::MAX,
            own: number(column),
            alias: number(column),
        }));
        while let (Some(&less), Some(&more)) = (small.last(), large.last()) {
            small.pop();
            self.columns[first + less].threshold = (share[less] * 4_294_967_296.0) as u32;
            self.columns[first + less].alias = number(more);
            share[more] -= 1.0 - share[less];
            if share[more] < 1.0 {
                large.pop();
                small.push(more);
            }
        }
        self.ranges.push((first as u32, n as u32));
    }

    /// Draws from distribution `index` with the random number `bits`.
    #[inline]
    pub(super) fn sample(&self, index: usize, bits: u64) -> usize {
        let (first, len) = self.ranges[index];
        let offset = ((bits >> 32) * u64::from(len)) >> 32;
        let column = &self.columns[first as usize + offset as usize];
        let chosen = if (bits as u32) < column.threshold {
            column.own
        } else {
            column.alias
        };
        chosen as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Mass each outcome receives, computed from the table itself rather than by drawing.
    fn masses(tables: &AliasTables, index: usize, outcomes: usize) -> Vec<f64> {
        let (first, len) = tables.ranges[index];
        let mut mass = vec![0.0; outcomes];
        for column in &tables.columns[first as usize..(first + len) as usize] {
            let own = f64::from(column.threshold) / 4_294_967_296.0;
            mass[column.own as usize] += own / f64::from(len);
            mass[column.alias as usize] += (1.0 - own) / f64::from(len);
        }
        mass
    }

    #[test]
    fn tables_hold_the_given_probabilities() {
        let cases: [&[f64]; 5] = [
            &[1.0],
            &[0.5, 0.5],
            &[0.6, 0.3, 0.1],
            &[0.01, 0.02, 0.97],
            &[
                0.05121951219512195,
                0.025609756097560974,
                0.008536585365853657,
                0.548780487804878,
                0.274390243902439,
                0.09146341463414634,
            ],
        ];
        let mut tables = AliasTables::default();
        for case in cases {
            let outcomes: Vec<_> = case.iter().copied().enumerate().collect();
            tables.push(&outcomes);
        }
        for (index, case) in cases.iter().enumerate() {
            for (have, want) in masses(&tables, index, case.len()).iter().zip(*case) {
                assert!((have - want).abs() < 1e-8, "{case:?}: {have} is not {want}");
            }
        }
    }

    #[test]
    fn extreme_random_numbers_stay_inside() {
        let mut tables = AliasTables::default();
        tables.push(&[(7, 0.25), (9, 0.75)]);
        for bits in [0, u64::MAX, u64::from(u32::MAX), u64::from(u32::MAX) << 32] {
            assert!([7, 9].contains(&tables.sample(0, bits)));
        }
    }
}
