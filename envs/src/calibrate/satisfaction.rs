//! What makes customers content: an ordinal model of their marks, in the simulator's own terms, and who answers the survey.
//!
//! A mark is 1 + Binomial(4, S): an adjacent-category model with fixed cutpoints, log P(k + 1)/P(k) = logit S + log((4 − k)/
//! (k + 1)), whose mean (mark − 1)/4 is S. S = clamp(base − penalties + weight · sentiment + leniency), with a base for each
//! class and tier when solved and each class when not. Those who answer are not like the others: P(answer) = b + e |2S − 1|,
//! fitted together with S, leniency averaged over among those who answered.

mod table;

use serde::{Deserialize, Serialize};

use super::parameter::{LEAST, Table};
use super::rows::{Contact, Rows};
use super::scoring::{Fit, climb};
use super::solving::{Led, led};
use crate::shop::{ShopConfig, World};

/// Bases when solved (9), when not (3), then the weights of extra turns, minutes and sentiment.
const BASES: usize = 12;
const WEIGHTS: usize = 3;
/// Points over which leniency is averaged.
const POINTS: usize = 8;

/// Marks of one cell beside what the model makes of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RatingCell {
    /// The class.
    pub class: String,
    /// Tier of the last answer; absent for conversations left unsolved, which share a base.
    pub tier: Option<String>,
    /// Conversations that ended there, abandoned ones left out.
    pub conversations: u64,
    /// Of them, those with a satisfaction.
    pub rated: u64,
    /// Mean satisfaction of those, on [0, 1].
    pub mean: Option<f64>,
    /// The model's mean for them.
    pub fitted: Option<f64>,
    /// How many gave each mark; values between marks go to the nearest.
    pub marks: [u64; 5],
    /// How many the model expects.
    pub fitted_marks: [f64; 5],
}

/// What S depends on in one conversation.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ended {
    base: usize,
    extra: f64,
    minutes: f64,
    sentiment: f64,
}

/// The model as the fitted shop has it.
#[derive(Debug, Clone)]
pub(super) struct Model {
    /// Bases and weights.
    theta: Vec<f64>,
    leniency: f64,
    /// Minutes beyond which waiting takes no more away.
    most_minutes: f64,
    survey: Option<(f64, f64)>,
    /// Parameters that were fitted, with their covariance.
    free: Vec<Option<usize>>,
    covariance: Vec<Vec<f64>>,
}

impl Model {
    fn of(shop: &ShopConfig) -> Self {
        let s = &shop.satisfaction;
        let mut theta: Vec<f64> = s.solved.iter().flatten().copied().collect();
        theta.extend(s.unsolved);
        theta.extend([s.per_extra_turn, s.per_minute, s.per_sentiment]);
        Self {
            theta,
            leniency: s.leniency,
            most_minutes: if s.per_minute > 0.0 {
                s.waiting_max / s.per_minute
            } else {
                0.0
            },
            survey: None,
            free: vec![None; BASES + WEIGHTS],
            covariance: Vec::new(),
        }
    }

    /// How a conversation ended, where its class and outcome are known and it was not abandoned.
    pub(super) fn ended(&self, rows: &Rows, contact: &Contact) -> Option<Ended> {
        let answers = rows.answers(contact);
        let last = answers.last()?;
        let class = contact.class?.index();
        let base = match led(rows, contact, answers.len() - 1) {
            Led::Solved => 3 * class + last.tier.index(),
            Led::Left => 9 + class,
            Led::Again | Led::Unknown => return None,
        };
        let waited_s = contact
            .waited_s
            .or_else(|| answers.iter().map(|answer| answer.answer_s).sum())
            .unwrap_or(0.0);
        Some(Ended {
            base,
            extra: (answers.len() - 1) as f64,
            minutes: (waited_s / 60.0).min(self.most_minutes),
            sentiment: f64::from(last.sentiment.unwrap_or(0.0)),
        })
    }

    fn eta(&self, of: &Ended) -> f64 {
        self.theta[of.base] - self.theta[BASES] * of.extra - self.theta[BASES + 1] * of.minutes
            + self.theta[BASES + 2] * of.sentiment
    }

    /// S at each point of leniency.
    fn points(&self, eta: f64) -> [f64; POINTS] {
        std::array::from_fn(|i| {
            let u = (2.0 * i as f64 + 1.0) / POINTS as f64 - 1.0;
            (eta + self.leniency * u).clamp(0.0, 1.0)
        })
    }

    /// E[S] and E[S²].
    pub(super) fn moments(&self, of: &Ended) -> (f64, f64) {
        let points = self.points(self.eta(of));
        let mean = |f: fn(f64) -> f64| points.iter().map(|s| f(*s)).sum::<f64>() / POINTS as f64;
        (mean(|s| s), mean(|s| s * s))
    }

    fn weighted_marks(&self, of: &Ended, weight: impl Fn(f64) -> f64) -> [f64; 5] {
        let (mut marks, mut total) = ([0.0; 5], 0.0);
        for s in self.points(self.eta(of)) {
            let w = weight(s);
            total += w;
            for (sum, p) in marks.iter_mut().zip(World::mark_probabilities(s)) {
                *sum += w * p;
            }
        }
        marks.map(|p| p / total.max(1e-12))
    }

    /// Chance to answer the survey at S.
    fn answers(&self, s: f64) -> f64 {
        self.survey
            .map_or(1.0, |(b, e)| (b + e * (2.0 * s - 1.0).abs()).max(1e-6))
    }

    /// E[S | answered] at a linear predictor.
    fn answered_mean(&self, eta: f64) -> f64 {
        let (mut above, mut below) = (0.0, 0.0);
        for s in self.points(eta) {
            let w = self.answers(s);
            above += w * s;
            below += w;
        }
        above / below
    }

    /// Marks expected of those who answered.
    pub(super) fn answered_marks(&self, of: &Ended) -> [f64; 5] {
        self.weighted_marks(of, |s| self.answers(s))
    }

    fn gradient(&self, of: &Ended) -> Vec<f64> {
        let n = self.free.iter().flatten().max().map_or(0, |m| m + 1);
        let mut gradient = vec![0.0; n];
        for (position, value) in [
            (of.base, 1.0),
            (BASES, -of.extra),
            (BASES + 1, -of.minutes),
            (BASES + 2, of.sentiment),
        ] {
            if let Some(place) = self.free[position] {
                gradient[place] += value;
            }
        }
        gradient
    }

    /// Variance of Σ E[S] over conversations that comes from the fit itself.
    pub(super) fn variance_of_sum(&self, of: &[Ended]) -> f64 {
        if self.covariance.is_empty() {
            return 0.0;
        }
        let mut total = vec![0.0; self.covariance.len()];
        for ended in of {
            let eta = self.eta(ended);
            let inside = self
                .points(eta)
                .iter()
                .filter(|s| **s > 0.0 && **s < 1.0)
                .count() as f64
                / POINTS as f64;
            for (sum, g) in total.iter_mut().zip(self.gradient(ended)) {
                *sum += inside * g;
            }
        }
        (0..total.len())
            .map(|i| {
                (0..total.len())
                    .map(|j| total[i] * self.covariance[i][j] * total[j])
                    .sum::<f64>()
            })
            .sum()
    }
}

/// Rated conversations: how they ended and what was said.
type Rated = Vec<(Ended, f64)>;

/// Fits S and the survey; the model, and marks by cell.
pub(super) fn fit(
    rows: &Rows,
    shop: &mut ShopConfig,
    table: &mut Table,
) -> (Model, Vec<RatingCell>) {
    let mut model = Model::of(shop);
    let surveyed = rows.contacts.iter().filter(|c| c.rating.is_some()).count() as u64 >= LEAST;
    let value = |contact: &Contact| {
        if surveyed {
            contact.rating.map(f64::from)
        } else {
            contact.satisfaction()
        }
    };
    let mut ended = Vec::new();
    for contact in &rows.contacts {
        if let Some(of) = model.ended(rows, contact) {
            ended.push((of, value(contact)));
        }
    }
    let rated: Rated = ended
        .iter()
        .filter_map(|(of, value)| value.map(|value| (*of, value)))
        .collect();
    let counts = places(&mut model, &rated, rows);
    let mut fitted = false;
    if model.free.iter().any(Option::is_some) {
        for _ in 0..4 {
            let Some(found) = solve(&model, &rated) else {
                break;
            };
            fitted = true;
            keep(&mut model, &found, &rated);
            if !surveyed {
                break;
            }
            let before = model.survey;
            if let Some(survey) = survey(&model, &ended) {
                model.survey = Some((survey.at[0], survey.at[1]));
                if before.is_some_and(|(b, e)| {
                    (b - survey.at[0]).abs() + (e - survey.at[1]).abs() < 1e-5
                }) {
                    break;
                }
            } else {
                break;
            }
        }
    }
    if !fitted {
        model.free = vec![None; BASES + WEIGHTS];
    }
    table::write(&model, &counts, &rated, shop, table);
    table::write_survey(&model, &ended, surveyed && fitted, shop, table);
    let cells = table::cells(&model, &ended);
    (model, cells)
}

/// Which parameters are fitted, and how many rated conversations each base has.
///
/// A base with fewer than 30 shares the parameter of its class's solved (or of all) conversations where those are 30.
fn places(model: &mut Model, rated: &Rated, rows: &Rows) -> [u64; BASES] {
    let mut counts = [0_u64; BASES];
    for (of, _) in rated {
        counts[of.base] += 1;
    }
    let mut next = 0;
    let mut take = || {
        next += 1;
        next - 1
    };
    for class in 0..3 {
        let row = 3 * class..3 * class + 3;
        let few: Vec<usize> = row
            .clone()
            .filter(|base| counts[*base] > 0 && counts[*base] < LEAST)
            .collect();
        for base in row.clone() {
            if counts[base] >= LEAST {
                model.free[base] = Some(take());
            }
        }
        let best = row.max_by_key(|base| counts[*base]).unwrap_or(0);
        for base in few {
            model.free[base] = model.free[best];
        }
    }
    let unsolved = 9..12;
    let most = unsolved
        .clone()
        .max_by_key(|base| counts[*base])
        .unwrap_or(9);
    for base in unsolved.clone() {
        if counts[base] >= LEAST {
            model.free[base] = Some(take());
        }
    }
    for base in unsolved {
        if counts[base] > 0 && model.free[base].is_none() {
            model.free[base] = model.free[most];
        }
    }
    let usable: Vec<&Ended> = rated.iter().map(|(of, _)| of).collect();
    let varies = |of: &dyn Fn(&Ended) -> f64| {
        let first = usable.first().map(|e| of(e));
        usable.len() as u64 >= 10 * LEAST
            && usable.iter().filter(|e| Some(of(e)) != first).count() as u64 >= LEAST
    };
    let sentiment_known = rows
        .every_answer()
        .filter(|(_, _, a)| a.sentiment.is_some())
        .count() as u64
        >= 10 * LEAST;
    let weights = [
        varies(&|e| e.extra),
        varies(&|e| e.minutes),
        sentiment_known && varies(&|e| e.sentiment),
    ];
    for (weight, free) in weights.into_iter().enumerate() {
        if free && model.free[..BASES].iter().any(Option::is_some) {
            model.free[BASES + weight] = Some(take());
        }
    }
    counts
}

/// Quasi-likelihood of the marks: variance S (1 − S)/4, times a dispersion that is estimated afterwards.
fn solve(model: &Model, rated: &Rated) -> Option<Fit> {
    let n = model.free.iter().flatten().max()? + 1;
    let mut start = vec![0.0; n];
    let mut bounds = vec![(0.0, 1.0); n];
    for (position, place) in model.free.iter().enumerate() {
        if let Some(place) = place {
            start[*place] = model.theta[position];
            if position >= BASES {
                bounds[*place] = (-1.0, 1.0);
            }
        }
    }
    climb(start, &bounds, |at, slope| {
        let mut now = model.clone();
        for (position, place) in model.free.iter().enumerate() {
            if let Some(place) = place {
                now.theta[position] = at[*place];
            }
        }
        for (of, y) in rated {
            let eta = now.eta(of);
            let m = now.answered_mean(eta).clamp(1e-3, 1.0 - 1e-3);
            let step = 1e-5;
            let d = (now.answered_mean(eta + step) - now.answered_mean(eta - step)) / (2.0 * step);
            let variance = m * (1.0 - m) / 4.0;
            let value = 4.0 * (y * m.ln() + (1.0 - y) * (1.0 - m).ln());
            slope.add(
                value,
                (y - m) / variance * d,
                d * d / variance,
                &now.gradient(of),
            );
        }
    })
}

/// Takes over what was fitted, with errors scaled by the dispersion of Pearson's residuals.
fn keep(model: &mut Model, found: &Fit, rated: &Rated) {
    for position in 0..BASES + WEIGHTS {
        if let Some(place) = model.free[position] {
            model.theta[position] = found.at[place];
        }
    }
    let pearson: f64 = rated
        .iter()
        .map(|(of, y)| {
            let m = model.answered_mean(model.eta(of)).clamp(1e-3, 1.0 - 1e-3);
            (y - m).powi(2) / (m * (1.0 - m) / 4.0)
        })
        .sum();
    let dispersion = pearson / (rated.len() as f64 - found.at.len() as f64).max(1.0);
    model.covariance = found
        .covariance
        .iter()
        .map(|row| row.iter().map(|c| c * dispersion).collect())
        .collect();
}

/// P(answer) = b + e E|2S − 1|.
fn survey(model: &Model, ended: &[(Ended, Option<f64>)]) -> Option<Fit> {
    let x: Vec<(f64, bool)> = ended
        .iter()
        .map(|(of, value)| {
            let points = model.points(model.eta(of));
            let extreme = points.iter().map(|s| (2.0 * s - 1.0).abs()).sum::<f64>() / POINTS as f64;
            (extreme, value.is_some())
        })
        .collect();
    let share = x.iter().filter(|(_, answered)| *answered).count() as f64 / x.len().max(1) as f64;
    if share >= 1.0 {
        return None;
    }
    climb(
        vec![share, 0.0],
        &[(1e-4, 1.0), (-0.5, 1.0)],
        |at, slope| {
            for (x, answered) in &x {
                let p = (at[0] + at[1] * x).clamp(1e-6, 1.0 - 1e-6);
                let cells = [(p, vec![1.0, *x]), (1.0 - p, vec![-1.0, -x])];
                slope.outcome(&cells, usize::from(!answered));
            }
        },
    )
}
