//! Which columns the estimators need, and how their values follow from the means of these columns.

use super::estimator::{OneStep, Shrink};
use crate::ope::moments::Moments;

/// What estimation knows of a row.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rounds {
    /// w = π(a|x)/propensity; empty without propensities.
    pub(crate) weight: Vec<f64>,
    pub(crate) reward: Vec<f64>,
    /// q(x, a) of the action taken; empty without a reward model.
    pub(crate) model: Vec<f64>,
    /// Σₐ π(a|x) q(x, a).
    pub(crate) direct: Vec<f64>,
    /// How much a row moves the mean of a model that was fitted here; empty when nobody asks.
    pub(crate) moved: Vec<f64>,
    /// The same two of the model that is fitted for `mrdr`; empty when nobody asks.
    pub(crate) robust_model: Vec<f64>,
    pub(crate) robust_direct: Vec<f64>,
}

impl Rounds {
    pub(crate) fn append(&mut self, other: &mut Self) {
        self.weight.append(&mut other.weight);
        self.reward.append(&mut other.reward);
        self.model.append(&mut other.model);
        self.direct.append(&mut other.direct);
        self.moved.append(&mut other.moved);
        self.robust_model.append(&mut other.robust_model);
        self.robust_direct.append(&mut other.robust_direct);
    }

    /// A range of rows, copied.
    pub(crate) fn part(&self, from: usize, to: usize) -> Self {
        let cut = |column: &[f64]| {
            if column.is_empty() {
                Vec::new()
            } else {
                column[from..to].to_vec()
            }
        };
        Self {
            weight: cut(&self.weight),
            reward: cut(&self.reward),
            model: cut(&self.model),
            direct: cut(&self.direct),
            moved: cut(&self.moved),
            robust_model: cut(&self.robust_model),
            robust_direct: cut(&self.robust_direct),
        }
    }
}

/// A quantity of a row whose mean an estimator uses.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Term {
    /// w
    Weight,
    /// w r
    Reward,
    /// dm
    Direct,
    /// w (r − q)
    Residual,
    /// s(w) r
    ShrunkReward(Shrink),
    /// s(w)(r − q)
    ShrunkResidual(Shrink),
    /// (w − s(w)) r: what clipping leaves out.
    LostReward(Shrink),
    /// (w − s(w))(r − q)
    LostResidual(Shrink),
    /// What the row adds to the error of the fitted model's mean.
    ModelError,
    /// dm and w (r − q) of the model of `mrdr`.
    RobustDirect,
    RobustResidual,
    /// dm + w (r − q) with shrunk or whole weights: the term of a bounded mean.
    Whole(Option<Shrink>),
}

impl Term {
    pub(crate) fn column(self, rounds: &Rounds) -> Vec<f64> {
        let (w, r, q, dm) = (
            &rounds.weight,
            &rounds.reward,
            &rounds.model,
            &rounds.direct,
        );
        // A weight of zero silences a model without a value.
        let times = |weight: f64, value: f64| if weight == 0.0 { 0.0 } else { weight * value };
        let rewards = |f: &dyn Fn(f64) -> f64| -> Vec<f64> {
            w.iter().zip(r).map(|(w, r)| f(*w) * r).collect()
        };
        let residuals = |f: &dyn Fn(f64) -> f64| -> Vec<f64> {
            w.iter()
                .zip(r.iter().zip(q))
                .map(|(w, (r, q))| times(f(*w), r - q))
                .collect()
        };
        match self {
            Self::Weight => w.clone(),
            Self::Direct => dm.clone(),
            Self::ModelError => rounds.moved.clone(),
            Self::RobustDirect => rounds.robust_direct.clone(),
            Self::RobustResidual => w
                .iter()
                .zip(r.iter().zip(&rounds.robust_model))
                .map(|(w, (r, q))| times(*w, r - q))
                .collect(),
            Self::Reward => w.iter().zip(r).map(|(w, r)| w * r).collect(),
            Self::Residual => w
                .iter()
                .zip(r.iter().zip(q))
                .map(|(w, (r, q))| times(*w, r - q))
                .collect(),
            Self::ShrunkReward(shrink) => rewards(&|w| shrink.of(w)),
            Self::ShrunkResidual(shrink) => residuals(&|w| shrink.of(w)),
            Self::LostReward(shrink) => rewards(&|w| w - shrink.of(w)),
            Self::LostResidual(shrink) => residuals(&|w| w - shrink.of(w)),
            Self::Whole(shrink) => residuals(&|w| shrink.map_or(w, |s| s.of(w)))
                .iter()
                .zip(dm)
                .map(|(residual, dm)| dm + residual)
                .collect(),
        }
    }
}

/// How a value follows from means: Σ means + ratio of two means.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Formula {
    pub(crate) plus: Vec<usize>,
    pub(crate) ratio: Option<(usize, usize)>,
    /// The column whose mean is what shrinking leaves out.
    pub(crate) lost: Option<usize>,
    /// The column that the error of a model fitted here adds: it moves the interval and not the value.
    pub(crate) error: Option<usize>,
}

impl Formula {
    /// The value of means, or of sums of rows that enter a resample; NaN where nothing has weight.
    pub(crate) fn value(&self, means: &[f64]) -> f64 {
        self.plus.iter().map(|column| means[*column]).sum::<f64>()
            + self.ratio.map_or(0.0, |(num, den)| means[num] / means[den])
    }

    /// Standard error by the delta method: exact for plain means, terms v + w (r − v)/w̄ for ratios.
    pub(crate) fn standard_error(&self, moments: &Moments) -> f64 {
        let gradient = self.gradient(moments.means());
        (moments.variance(&gradient) / moments.n()).sqrt()
    }

    /// Derivatives of the value, and of the model's own error, by the means of columns.
    pub(crate) fn gradient(&self, means: &[f64]) -> Vec<(usize, f64)> {
        let mut gradient: Vec<(usize, f64)> = self
            .plus
            .iter()
            .chain(&self.error)
            .map(|c| (*c, 1.0))
            .collect();
        if let Some((num, den)) = self.ratio {
            gradient.push((num, 1.0 / means[den]));
            gradient.push((den, -means[num] / (means[den] * means[den])));
        }
        gradient
    }

    /// The value in a resample of a table with these means.
    pub(crate) fn resampled(&self, resample: &[f64], means: &[f64]) -> f64 {
        self.value(resample)
            + self
                .error
                .map_or(0.0, |column| resample[column] - means[column])
    }

    /// Mean and standard error of what shrinking leaves out.
    pub(crate) fn lost(&self, moments: &Moments) -> Option<(f64, f64)> {
        self.lost.map(|column| {
            let variance = moments.variance(&[(column, 1.0)]);
            (moments.means()[column], (variance / moments.n()).sqrt())
        })
    }
}

/// The columns of a set of estimators, each once.
#[derive(Debug, Clone, Default)]
pub(crate) struct Layout {
    pub(crate) terms: Vec<Term>,
    /// Whether the reward model is fitted here, so that its own error is known.
    pub(crate) fitted: bool,
}

impl Layout {
    pub(crate) fn place(&mut self, term: Term) -> usize {
        match self.terms.iter().position(|known| *known == term) {
            Some(at) => at,
            None => {
                self.terms.push(term);
                self.terms.len() - 1
            }
        }
    }

    pub(crate) fn formula(&mut self, estimator: OneStep) -> Formula {
        let (plus, ratio, lost): (&[Term], _, _) = match estimator {
            OneStep::Ips => (&[Term::Reward], None, None),
            OneStep::Snips => (&[], Some((Term::Reward, Term::Weight)), None),
            OneStep::Dm => (&[Term::Direct], None, None),
            OneStep::Dr => (&[Term::Direct, Term::Residual], None, None),
            OneStep::Mrdr => (&[Term::RobustDirect, Term::RobustResidual], None, None),
            OneStep::Sndr => (&[Term::Direct], Some((Term::Residual, Term::Weight)), None),
            OneStep::ShrunkIps(s) => (&[Term::ShrunkReward(s)], None, Some(Term::LostReward(s))),
            OneStep::ShrunkDr(s) => (
                &[Term::Direct, Term::ShrunkResidual(s)],
                None,
                Some(Term::LostResidual(s)),
            ),
        };
        Formula {
            plus: plus.iter().map(|term| self.place(*term)).collect(),
            ratio: ratio.map(|(num, den)| (self.place(num), self.place(den))),
            lost: lost.map(|term| self.place(term)),
            error: (estimator == OneStep::Dm && self.fitted).then(|| self.place(Term::ModelError)),
        }
    }
}
