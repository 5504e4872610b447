//! Beta-Binomial: chance to win and expected loss of two to six arms, by quadrature.
//!
//! Each arm's rate has a Beta posterior. The chance that an arm is best is ∫ fᵢ Πⱼ Fⱼ, its expected loss
//! ∫ Fᵢ (1 − Πⱼ Fⱼ) over the other arms j. Distribution functions are integrals of the densities on the same panels, so no
//! incomplete beta function is needed and 10¹² units cost what ten do.

use super::error::StatsError;
use super::special::ln_beta_density;
use super::tally::Count;

/// Beta prior of every arm's rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BetaPrior {
    /// Prior successes, at least 1.
    pub successes: f64,
    /// Prior failures, at least 1.
    pub failures: f64,
}

impl Default for BetaPrior {
    /// The uniform prior.
    fn default() -> Self {
        Self {
            successes: 1.0,
            failures: 1.0,
        }
    }
}

/// What the posterior says of one arm.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ArmPosterior {
    /// Posterior mean of its rate.
    pub mean: f64,
    /// Probability that it has the highest rate of all arms.
    pub chance_to_win: f64,
    /// Expected shortfall against the best other arm, if this arm were chosen: E[max(θⱼ − θᵢ, 0)].
    pub expected_loss: f64,
}

/// Nodes per panel.
const NODES: usize = 16;

/// Posterior of every arm.
///
/// # Errors
/// [`StatsError::BadParameter`] for a prior below 1 or a number of arms outside 2 to 6.
pub fn posterior(arms: &[Count], prior: BetaPrior) -> Result<Vec<ArmPosterior>, StatsError> {
    if !(2..=6).contains(&arms.len()) {
        return Err(StatsError::BadParameter {
            what: "the number of arms",
            value: arms.len() as f64,
            expected: "chance to win is computed for 2 to 6 arms",
        });
    }
    for value in [prior.successes, prior.failures] {
        if !(value >= 1.0 && value.is_finite()) {
            return Err(StatsError::BadParameter {
                what: "the prior",
                value,
                expected: "prior successes and failures are at least 1",
            });
        }
    }
    let betas: Vec<(f64, f64)> = arms
        .iter()
        .map(|arm| {
            (
                prior.successes + arm.conversions as f64,
                prior.failures + arm.failures() as f64,
            )
        })
        .collect();
    Ok(integrate(&betas))
}

fn integrate(betas: &[(f64, f64)]) -> Vec<ArmPosterior> {
    let rule = Rule::new();
    let edges = panel_edges(betas);
    let panels = edges.len() - 1;
    let arms = betas.len();
    // Densities at every node, and the mass of every panel, arm by arm.
    let mut density = vec![[0.0; NODES]; panels * arms];
    let mut mass = vec![0.0; panels * arms];
    for panel in 0..panels {
        let half = 0.5 * edges[panel].width_to(edges[panel + 1]);
        for (arm, (a, b)) in betas.iter().enumerate() {
            let at = panel * arms + arm;
            for (node, value) in density[at].iter_mut().enumerate() {
                let (x, rest) = edges[panel].plus(half * (1.0 + rule.nodes[node]));
                *value = ln_beta_density(x, rest, *a, *b).exp();
            }
            mass[at] = half
                * density[at]
                    .iter()
                    .zip(&rule.weights)
                    .map(|(f, w)| f * w)
                    .sum::<f64>();
        }
    }
    let total: Vec<f64> = (0..arms)
        .map(|arm| (0..panels).map(|panel| mass[panel * arms + arm]).sum())
        .collect();
    // Mass above each panel, from the right, so that upper tails keep their digits.
    let mut above = vec![0.0; (panels + 1) * arms];
    for panel in (0..panels).rev() {
        for arm in 0..arms {
            above[panel * arms + arm] = above[(panel + 1) * arms + arm] + mass[panel * arms + arm];
        }
    }
    let mut below = vec![0.0; arms];
    let mut win = vec![0.0; arms];
    let mut loss = vec![0.0; arms];
    let mut lower = vec![[0.0; NODES]; arms];
    let mut upper = vec![[0.0; NODES]; arms];
    for panel in 0..panels {
        let half = 0.5 * edges[panel].width_to(edges[panel + 1]);
        for arm in 0..arms {
            let at = panel * arms + arm;
            for node in 0..NODES {
                let left: f64 = density[at]
                    .iter()
                    .zip(&rule.up_to[node])
                    .map(|(f, w)| f * w)
                    .sum::<f64>()
                    * half;
                let left = left.clamp(0.0, mass[at]);
                lower[arm][node] = (below[arm] + left) / total[arm];
                upper[arm][node] = (above[(panel + 1) * arms + arm] + mass[at] - left) / total[arm];
            }
            below[arm] += mass[at];
        }
        for arm in 0..arms {
            for node in 0..NODES {
                let weight = half * rule.weights[node];
                let others = (0..arms).filter(|other| *other != arm);
                let product: f64 = others.clone().map(|other| lower[other][node]).product();
                // 1 − ΠF through the upper tails, which do not cancel.
                let log: f64 = others
                    .map(|other| (-upper[other][node].min(1.0)).ln_1p())
                    .sum();
                win[arm] += weight * density[panel * arms + arm][node] / total[arm] * product;
                loss[arm] += weight * lower[arm][node] * -log.exp_m1();
            }
        }
    }
    betas
        .iter()
        .zip(win.into_iter().zip(loss))
        .map(|((a, b), (win, loss))| ArmPosterior {
            mean: a / (a + b),
            chance_to_win: win.min(1.0),
            expected_loss: loss,
        })
        .collect()
}

/// A point of [0, 1] that knows its distance to the nearer end exactly.
#[derive(Debug, Clone, Copy)]
struct Point {
    x: f64,
    rest: f64,
}

impl Point {
    fn plus(self, step: f64) -> (f64, f64) {
        if self.x < 0.5 {
            let x = self.x + step;
            (x.min(1.0), (1.0 - x).max(0.0))
        } else {
            let rest = self.rest - step;
            ((1.0 - rest).min(1.0), rest.max(0.0))
        }
    }

    fn width_to(self, other: Self) -> f64 {
        if self.x < 0.5 && other.x < 0.5 {
            other.x - self.x
        } else {
            self.rest - other.rest
        }
    }
}

/// Panels around each posterior's bulk, wider towards its tails, over all arms together.
fn panel_edges(betas: &[(f64, f64)]) -> Vec<Point> {
    const STEPS: [f64; 20] = [
        0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0, 6.0, 7.0, 8.0, 10.0, 13.0, 17.0,
        23.0, 31.0, 42.0,
    ];
    let mut points = vec![Point { x: 0.0, rest: 1.0 }, Point { x: 1.0, rest: 0.0 }];
    for (a, b) in betas {
        let n = a + b;
        let (mean, rest) = (a / n, b / n);
        let sd = (mean * rest / (n + 1.0)).sqrt();
        points.push(Point { x: mean, rest });
        for step in STEPS {
            for signed in [-step * sd, step * sd] {
                let point = Point {
                    x: mean + signed,
                    rest: rest - signed,
                };
                if point.x > 0.0 && point.rest > 0.0 {
                    points.push(point);
                }
            }
        }
    }
    points.sort_by(|p, q| {
        if p.x < 0.5 || q.x < 0.5 {
            p.x.total_cmp(&q.x)
        } else {
            q.rest.total_cmp(&p.rest)
        }
    });
    points.dedup_by(|next, kept| kept.width_to(*next) <= 0.0);
    points
}

/// Gauss–Legendre nodes and weights on [−1, 1], and the weights of the integral from −1 up to each node.
struct Rule {
    nodes: [f64; NODES],
    weights: [f64; NODES],
    up_to: [[f64; NODES]; NODES],
}

impl Rule {
    fn new() -> Self {
        let mut nodes = [0.0; NODES];
        let mut weights = [0.0; NODES];
        for i in 0..NODES {
            // Newton from Tricomi's guess.
            let mut x = -(std::f64::consts::PI * (i as f64 + 0.75) / (NODES as f64 + 0.5)).cos();
            let mut slope = 1.0;
            for _ in 0..50 {
                let p = legendre(x);
                slope = NODES as f64 * (x * p[NODES] - p[NODES - 1]) / (x * x - 1.0);
                let step = p[NODES] / slope;
                x -= step;
                if step.abs() < 1e-16 {
                    break;
                }
            }
            nodes[i] = x;
            weights[i] = 2.0 / ((1.0 - x * x) * slope * slope);
        }
        // f ≈ Σₖ cₖPₖ with cₖ = (2k + 1)/2 Σᵢ wᵢ f(xᵢ) Pₖ(xᵢ), and ∫₋₁ˣ Pₖ = (Pₖ₊₁(x) − Pₖ₋₁(x))/(2k + 1).
        let mut up_to = [[0.0; NODES]; NODES];
        for (row, x) in up_to.iter_mut().zip(nodes) {
            let at = legendre(x);
            for (i, weight) in row.iter_mut().enumerate() {
                let p = legendre(nodes[i]);
                let mut sum = 0.5 * (x + 1.0);
                for k in 1..NODES {
                    sum += 0.5 * p[k] * (at[k + 1] - at[k - 1]);
                }
                *weight = weights[i] * sum;
            }
        }
        Self {
            nodes,
            weights,
            up_to,
        }
    }
}

/// Legendre polynomials P₀ … P₁₆ at x.
fn legendre(x: f64) -> [f64; NODES + 1] {
    let mut p = [1.0; NODES + 1];
    p[1] = x;
    for k in 1..NODES {
        let n = k as f64;
        p[k + 1] = ((2.0 * n + 1.0) * x * p[k] - n * p[k - 1]) / (n + 1.0);
    }
    p
}
