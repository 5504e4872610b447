//! The policy that wrote a log, estimated where it did not write down its probabilities.
//!
//! By `state` where there is one (frequencies), else by a multinomial logistic regression on the features, else by the
//! frequencies of actions. Cross-fitted like every model here; the logistic model is then calibrated by one temperature, so
//! that its probabilities are neither too sure nor too timid on rows it has not seen.

use std::collections::HashMap;

use super::{FOLDS, fold};
use crate::ope::table::{Header, Rows, Table, TableError, Wanted};

/// Estimated probabilities are never smaller: a weight above 1000 would be the estimate's error, not the log's.
const FLOOR: f64 = 1e-3;
/// Newton steps; the likelihood is concave and the steps are damped by their penalty.
const STEPS: usize = 12;

/// Probabilities of actions, one model a fold.
#[derive(Debug, Clone)]
pub struct Behaviour {
    actions: usize,
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    /// Counts by state, or of all rows under one key.
    Counts(HashMap<u64, Vec<[f64; FOLDS]>>),
    /// Coefficients of each fold: actions − 1 times features + 1, the last action is the reference.
    Logistic {
        features: usize,
        coefficients: Vec<Vec<f64>>,
        temperature: f64,
    },
}

impl Behaviour {
    /// Columns that the model reads.
    #[must_use]
    pub fn wanted(header: &Header) -> Wanted {
        Wanted {
            features: !header.has_states() && header.features > 0,
            states: header.has_states(),
            ..Wanted::default()
        }
    }

    /// What it rests on, in words.
    #[must_use]
    pub fn describe(&self) -> &'static str {
        match &self.kind {
            Kind::Counts(counts) if counts.len() > 1 => "frequencies by `state`",
            Kind::Counts(_) => "frequencies of actions",
            Kind::Logistic { .. } => "a calibrated multinomial logistic regression on `x…`",
        }
    }

    /// Fits the models of all folds.
    pub(crate) fn fit(table: &Table) -> Result<Self, TableError> {
        let header = table.header();
        if header.has_states() || header.features == 0 {
            return Self::frequencies(table);
        }
        let mut model = Self {
            actions: header.actions,
            kind: Kind::Logistic {
                features: header.features,
                coefficients: vec![vec![0.0; (header.actions - 1) * (header.features + 1)]; FOLDS],
                temperature: 1.0,
            },
        };
        for _ in 0..STEPS {
            if model.newton(table)? < 1e-10 {
                break;
            }
        }
        model.calibrate(table)?;
        Ok(model)
    }

    fn frequencies(table: &Table) -> Result<Self, TableError> {
        let header = table.header();
        let actions = header.actions;
        let mut counts: HashMap<u64, Vec<[f64; FOLDS]>> = HashMap::new();
        table.scan(
            Self::wanted(header),
            |rows| {
                let mut part: HashMap<u64, Vec<[f64; FOLDS]>> = HashMap::new();
                for row in 0..rows.len() {
                    let state = rows.state.get(row).copied().unwrap_or(0);
                    let cell = part
                        .entry(state)
                        .or_insert_with(|| vec![[0.0; FOLDS]; actions]);
                    cell[usize::from(rows.action[row])][fold(&rows, row)] += 1.0;
                }
                part
            },
            |part| {
                for (state, cell) in part {
                    let mine = counts
                        .entry(state)
                        .or_insert_with(|| vec![[0.0; FOLDS]; actions]);
                    for (mine, theirs) in mine.iter_mut().flatten().zip(cell.iter().flatten()) {
                        *mine += theirs;
                    }
                }
                Ok(())
            },
        )?;
        Ok(Self {
            actions,
            kind: Kind::Counts(counts),
        })
    }

    /// Probability of the action taken, by the model of a fold, or by the one that has not seen the row.
    pub(crate) fn of(&self, rows: &Rows, row: usize, of_fold: Option<usize>) -> f64 {
        let left_out = of_fold.unwrap_or_else(|| fold(rows, row));
        let action = usize::from(rows.action[row]);
        let p = match &self.kind {
            Kind::Counts(counts) => self.counted(counts, rows, row, left_out, action),
            Kind::Logistic { temperature, .. } => {
                self.logistic(rows, row, left_out, *temperature)[action]
            }
        };
        p.clamp(FLOOR, 1.0)
    }

    /// Probabilities of every action in a row, by the model that has not seen it.
    pub(crate) fn probabilities(&self, rows: &Rows, row: usize, into: &mut [f64]) {
        let left_out = fold(rows, row);
        match &self.kind {
            Kind::Counts(counts) => {
                for (action, p) in into.iter_mut().enumerate() {
                    *p = self.counted(counts, rows, row, left_out, action);
                }
            }
            Kind::Logistic { temperature, .. } => {
                into.copy_from_slice(&self.logistic(rows, row, left_out, *temperature));
            }
        }
    }

    fn counted(
        &self,
        counts: &HashMap<u64, Vec<[f64; FOLDS]>>,
        rows: &Rows,
        row: usize,
        left_out: usize,
        action: usize,
    ) -> f64 {
        let state = rows.state.get(row).copied().unwrap_or(0);
        counts
            .get(&state)
            .map_or(1.0 / self.actions as f64, |cell| {
                let kept = |folds: &[f64; FOLDS]| folds.iter().sum::<f64>() - folds[left_out];
                let n: f64 = cell.iter().map(kept).sum();
                // Half a row an action, so that a state of few rows is sure of nothing (Jeffreys).
                (kept(&cell[action]) + 0.5) / (n + 0.5 * self.actions as f64)
            })
    }

    fn logistic(&self, rows: &Rows, row: usize, of_fold: usize, temperature: f64) -> Vec<f64> {
        let Kind::Logistic {
            features,
            coefficients,
            ..
        } = &self.kind
        else {
            return Vec::new();
        };
        let x = &rows.features[row * features..(row + 1) * features];
        let mut scores: Vec<f64> = coefficients[of_fold]
            .chunks_exact(features + 1)
            .map(|b| (b[0] + b[1..].iter().zip(x).map(|(b, x)| b * x).sum::<f64>()) / temperature)
            .chain([0.0])
            .collect();
        let most = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let mut sum = 0.0;
        for score in &mut scores {
            *score = (*score - most).exp();
            sum += *score;
        }
        for score in &mut scores {
            *score /= sum;
        }
        scores
    }

    /// One Newton step for every fold in one pass; the largest change of a coefficient.
    fn newton(&mut self, table: &Table) -> Result<f64, TableError> {
        let Kind::Logistic {
            features,
            coefficients,
            ..
        } = &self.kind
        else {
            return Ok(0.0);
        };
        let (width, free) = (features + 1, self.actions - 1);
        let size = width * free;
        if size == 0 {
            return Ok(0.0);
        }
        // Gradient and curvature of the log likelihood, each fold's model on the rows of the others.
        let empty = vec![(vec![0.0; size], vec![0.0; size * (size + 1) / 2]); FOLDS];
        let mut sums = empty.clone();
        let this = &*self;
        table.scan(
            Self::wanted(table.header()),
            |rows| {
                let mut part = empty.clone();
                for row in 0..rows.len() {
                    let mut phi = vec![1.0];
                    phi.extend_from_slice(
                        &rows.features[row * (width - 1)..(row + 1) * (width - 1)],
                    );
                    let own = fold(&rows, row);
                    for (of_fold, (gradient, curvature)) in part.iter_mut().enumerate() {
                        if of_fold == own {
                            continue;
                        }
                        let p = this.logistic(&rows, row, of_fold, 1.0);
                        let mut at = 0;
                        for (i, slope) in gradient.iter_mut().enumerate() {
                            let (a, j) = (i / width, i % width);
                            let taken = f64::from(u8::from(usize::from(rows.action[row]) == a));
                            *slope += (taken - p[a]) * phi[j];
                            for k in 0..=i {
                                let (b, l) = (k / width, k % width);
                                let same = if a == b { p[a] } else { 0.0 };
                                curvature[at] += (same - p[a] * p[b]) * phi[j] * phi[l];
                                at += 1;
                            }
                        }
                    }
                }
                part
            },
            |part| {
                for ((gradient, curvature), (g, c)) in sums.iter_mut().zip(part) {
                    for (mine, theirs) in gradient.iter_mut().zip(g) {
                        *mine += theirs;
                    }
                    for (mine, theirs) in curvature.iter_mut().zip(c) {
                        *mine += theirs;
                    }
                }
                Ok(())
            },
        )?;
        let mut change: f64 = 0.0;
        let mut next = coefficients.clone();
        for (b, (mut gradient, mut curvature)) in next.iter_mut().zip(sums) {
            for i in 0..size {
                // A penalty of one row on every coefficient keeps separable data finite.
                gradient[i] -= b[i];
                curvature[i * (i + 1) / 2 + i] += 1.0;
            }
            super::linear::cholesky(&mut curvature, size);
            let step = super::linear::substituted(&curvature, &gradient, size);
            let longest = step.iter().fold(0.0, |m: f64, s| m.max(s.abs()));
            // Far from the optimum a whole step may overshoot.
            let factor = (2.0 / longest.max(2.0)).min(1.0);
            for (b, s) in b.iter_mut().zip(&step) {
                *b += factor * s;
            }
            change = change.max(longest);
        }
        if let Kind::Logistic { coefficients, .. } = &mut self.kind {
            *coefficients = next;
        }
        Ok(change)
    }

    /// The temperature, of 33 from 0.5 to 2, under which the models' probabilities of unseen rows are most likely.
    fn calibrate(&mut self, table: &Table) -> Result<(), TableError> {
        const CANDIDATES: usize = 33;
        // 0.5 to 2 in equal ratios.
        let temperature = |i: usize| 0.5 * 4.0_f64.powf(i as f64 / (CANDIDATES - 1) as f64);
        let mut likelihood = vec![0.0; CANDIDATES];
        let this = &*self;
        table.scan(
            Self::wanted(table.header()),
            |rows| {
                let mut part = vec![0.0; CANDIDATES];
                for row in 0..rows.len() {
                    let own = fold(&rows, row);
                    for (i, sum) in part.iter_mut().enumerate() {
                        let p = this.logistic(&rows, row, own, temperature(i));
                        *sum += p[usize::from(rows.action[row])].max(1e-300).ln();
                    }
                }
                part
            },
            |part| {
                for (mine, theirs) in likelihood.iter_mut().zip(part) {
                    *mine += theirs;
                }
                Ok(())
            },
        )?;
        let best = (0..CANDIDATES)
            .max_by(|a, b| likelihood[*a].total_cmp(&likelihood[*b]))
            .unwrap_or(CANDIDATES / 2);
        if let Kind::Logistic { temperature: t, .. } = &mut self.kind {
            *t = temperature(best);
        }
        Ok(())
    }
}
