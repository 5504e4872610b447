//! Satisfaction where nobody answered the survey.
//!
//! Few customers answer, and not at random. Learning takes the answer if there is one, else a model m(x, tier);
//! reporting takes the augmented inverse-probability (AIPW) mean, which also corrects for who tends to answer
//! (mdp.md §1.6). Both are cross-fitted: a conversation is never predicted from itself.

use serde::{Deserialize, Serialize};

use crate::tier::Tier;

/// Folds of the cross-fitting.
const FOLDS: usize = 2;
/// Answers' worth of weight that a cell's mean gives to the mean of its class and tier.
const PRIOR: f64 = 20.0;
/// Smallest answering probability used as a weight, so that one answer counts at most fifty times.
const MIN_ANSWERING: f64 = 0.02;
/// Levels of how many messages a conversation had: one, two, more.
const LENGTHS: usize = 3;
/// Cells of the models: class × last tier × length.
const CELLS: usize = 3 * Tier::COUNT * LENGTHS;

/// How much of the satisfaction was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SurveyNotes {
    /// Conversations that can have a reward once their satisfaction is known.
    pub conversations: u64,
    /// Of these, with satisfaction of their own: an answer, a questionnaire, an abandonment.
    pub answered: u64,
}

/// A conversation as the survey models see it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Surveyed {
    /// Which fold it is in, by its key.
    pub(super) key: u64,
    /// Class × last tier × length, from [`cell`].
    pub(super) cell: usize,
    /// Its own satisfaction, NaN without.
    pub(super) own: f64,
    /// Whether it could have been missing; an abandonment could not.
    pub(super) optional: bool,
}

/// What stands in for one conversation's satisfaction.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Filled {
    /// Its own satisfaction, NaN without.
    own: f64,
    /// m(x, tier), from the other folds.
    mean: f64,
    /// 1/P(answer) for an answer, 1 for what could not be missing.
    weight: f64,
}

impl Filled {
    /// S for learning, in [0, 1]: the answer, else m.
    pub(super) fn learning(self) -> f64 {
        if self.own.is_nan() {
            self.mean
        } else {
            self.own
        }
    }

    /// The AIPW term of a function of S: f(m) + (answered / P(answer)) (f(S) − f(m)).
    ///
    /// Its mean over conversations estimates E\[f(S)\] when answers are missing at random; single terms may leave the range
    /// of f.
    pub(super) fn reporting(self, f: impl Fn(f64) -> f64) -> f64 {
        if self.own.is_nan() {
            f(self.mean)
        } else if self.weight == 1.0 {
            f(self.own)
        } else {
            let modelled = f(self.mean);
            modelled + self.weight * (f(self.own) - modelled)
        }
    }
}

/// The cell of a conversation.
pub(super) fn cell(class: usize, last: Tier, decisions: usize) -> usize {
    (class * Tier::COUNT + last.index()) * LENGTHS + (decisions - 1).min(LENGTHS - 1)
}

#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    n: f64,
    answered: f64,
    satisfaction: f64,
}

impl Sum {
    fn add(&mut self, other: Self) {
        self.n += other.n;
        self.answered += other.answered;
        self.satisfaction += other.satisfaction;
    }

    fn of(sums: &[Self]) -> Self {
        let mut all = Self::default();
        for sum in sums {
            all.add(*sum);
        }
        all
    }
}

/// Fills in satisfaction; `None` where the conversation has none and no conversation of its class in another fold has.
///
/// # Source
/// Robins, Rotnitzky & Zhao 1994 (AIPW); Chernozhukov et al. 2018 (cross-fitting).
pub(super) fn fill(rows: &[Option<Surveyed>]) -> (Vec<Option<Filled>>, SurveyNotes) {
    let fold = |row: &Surveyed| (row.key % FOLDS as u64) as usize;
    let mut sums = [[Sum::default(); CELLS]; FOLDS];
    let mut notes = SurveyNotes::default();
    for row in rows.iter().flatten() {
        let answered = !row.own.is_nan();
        notes.conversations += 1;
        notes.answered += u64::from(answered);
        if row.optional {
            sums[fold(row)][row.cell].add(Sum {
                n: 1.0,
                answered: f64::from(u8::from(answered)),
                satisfaction: if answered { row.own } else { 0.0 },
            });
        }
    }
    let models: Vec<Models> = (0..FOLDS)
        .map(|held_out| {
            let mut others = [Sum::default(); CELLS];
            for (_, fold) in sums
                .iter()
                .enumerate()
                .filter(|(fold, _)| *fold != held_out)
            {
                for (sum, add) in others.iter_mut().zip(fold) {
                    sum.add(*add);
                }
            }
            Models::fit(&others)
        })
        .collect();
    let filled = rows
        .iter()
        .map(|row| {
            let row = row.as_ref()?;
            let models = &models[fold(row)];
            let (mean, answering) = (models.mean[row.cell], models.answering[row.cell]);
            // Without a model an answer speaks for itself alone.
            let weight = if row.optional && !mean.is_nan() {
                1.0 / answering.max(MIN_ANSWERING)
            } else {
                1.0
            };
            let filled = Filled {
                own: row.own,
                mean,
                weight,
            };
            (!filled.learning().is_nan()).then_some(filled)
        })
        .collect();
    (filled, notes)
}

struct Models {
    mean: [f64; CELLS],
    answering: [f64; CELLS],
}

impl Models {
    /// Means of cells, each leaning on its class and tier, which leans on its class.
    fn fit(cells: &[Sum; CELLS]) -> Self {
        let (mut mean, mut answering) = ([f64::NAN; CELLS], [f64::NAN; CELLS]);
        for (class, of_class) in cells.chunks(Tier::COUNT * LENGTHS).enumerate() {
            let whole = Sum::of(of_class);
            for (tier, of_tier) in of_class.chunks(LENGTHS).enumerate() {
                let group = Sum::of(of_tier);
                let group_mean = shrunk(
                    group.satisfaction,
                    group.answered,
                    whole.satisfaction / whole.answered,
                );
                let group_answering = shrunk(group.answered, group.n, whole.answered / whole.n);
                for (length, sum) in of_tier.iter().enumerate() {
                    let cell = (class * Tier::COUNT + tier) * LENGTHS + length;
                    mean[cell] = shrunk(sum.satisfaction, sum.answered, group_mean);
                    answering[cell] = shrunk(sum.answered, sum.n, group_answering);
                }
            }
        }
        Self { mean, answering }
    }
}

/// A mean that leans on a prior mean while it is young; NaN where even the prior knows nothing.
fn shrunk(sum: f64, n: f64, prior: f64) -> f64 {
    (sum + PRIOR * prior) / (n + PRIOR)
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_xoshiro::Xoshiro256PlusPlus;

    use super::*;

    /// Two cells with S ~ Bernoulli(0.9) and (0.3), half of the conversations each, so that E[S] = 0.6; the happy ones answer
    /// with 0.8, the others with 0.1, so that the plain mean of answers tends to (0.4·0.9 + 0.05·0.3)/0.45 = 0.8333.
    #[test]
    fn who_answers_does_not_decide_the_mean() {
        let mut random = Xoshiro256PlusPlus::seed_from_u64(5);
        let rows: Vec<Option<Surveyed>> = (0..40_000)
            .map(|key| {
                let happy = random.random::<f64>() < 0.5;
                let (p, answers) = if happy { (0.9, 0.8) } else { (0.3, 0.1) };
                let own = f64::from(u8::from(random.random::<f64>() < p));
                let answered = random.random::<f64>() < answers;
                Some(Surveyed {
                    key,
                    cell: if happy { 0 } else { LENGTHS },
                    own: if answered { own } else { f64::NAN },
                    optional: true,
                })
            })
            .collect();
        let (filled, notes) = fill(&rows);
        let mean = filled
            .iter()
            .flatten()
            .map(|f| f.reporting(|s| s))
            .sum::<f64>()
            / rows.len() as f64;
        // The sad half has 2,000 answers: its mean has se √(0.21/2000) = 0.010, half of which enters; with the rest 0.006.
        assert!((mean - 0.6).abs() < 0.024, "{mean}");
        let answers: Vec<f64> = rows
            .iter()
            .flatten()
            .map(|r| r.own)
            .filter(|s| !s.is_nan())
            .collect();
        let plain = answers.iter().sum::<f64>() / answers.len() as f64;
        assert!((plain - 0.8333).abs() < 0.02, "{plain}");
        assert_eq!(notes.answered as usize, answers.len());
    }

    #[test]
    fn what_cannot_be_missing_counts_once() {
        let row = |key, own, optional| {
            Some(Surveyed {
                key,
                cell: 0,
                own,
                optional,
            })
        };
        let (filled, _) = fill(&[row(0, 0.0, false), row(1, 0.0, false), None]);
        assert_eq!(filled[0].unwrap().reporting(|s| s + 1.0), 1.0);
        assert_eq!(filled[2], None);
    }

    #[test]
    fn nothing_known_stays_unknown() {
        let row = |key, own| {
            Some(Surveyed {
                key,
                cell: 0,
                own,
                optional: true,
            })
        };
        let (filled, notes) = fill(&[row(0, f64::NAN), row(1, f64::NAN)]);
        assert_eq!((filled[0], filled[1]), (None, None));
        assert_eq!((notes.conversations, notes.answered), (2, 0));
    }

    #[test]
    fn a_conversation_is_not_predicted_from_itself() {
        let row = |key, own| {
            Some(Surveyed {
                key,
                cell: 0,
                own,
                optional: true,
            })
        };
        // Fold 0 holds one answer of 1, fold 1 one of 0: each is predicted by the other alone.
        let (filled, _) = fill(&[row(0, 1.0), row(1, 0.0)]);
        assert_eq!(filled[0].unwrap().mean, 0.0);
        assert_eq!(filled[1].unwrap().mean, 1.0);
    }
}
