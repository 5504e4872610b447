//! Distribution functions that stay accurate from one unit to 10¹² of them.
//!
//! Differences of log-gamma lose all digits at such sizes, so binomial and beta densities go through Loader's deviance
//! form, and Student's t at many degrees of freedom through Hill's expansion.
//!
//! # Source
//! C. Loader, *Fast and accurate computation of binomial probabilities*, 2000; G. W. Hill, *Algorithm 395*, CACM 1970.

use std::f64::consts::{PI, SQRT_2};

use statrs::function::erf::{erfc, erfc_inv};
use statrs::function::gamma::{checked_gamma_ur, ln_gamma};

/// Degrees of freedom above which Hill's expansion is exact to rounding.
const MANY: f64 = 1e5;
const LN_SQRT_2PI: f64 = 0.918_938_533_204_672_8;

/// P(Z > z) for a standard normal Z.
#[must_use]
pub fn normal_sf(z: f64) -> f64 {
    0.5 * erfc(z / SQRT_2)
}

/// P(Z ≤ z) for a standard normal Z.
#[must_use]
pub fn normal_cdf(z: f64) -> f64 {
    normal_sf(-z)
}

/// Density of the standard normal at z.
#[must_use]
pub fn normal_density(z: f64) -> f64 {
    (-0.5 * z * z - LN_SQRT_2PI).exp()
}

/// The z with P(Z > z) = `upper`, for `upper` in (0, 1).
#[must_use]
pub fn normal_upper_quantile(upper: f64) -> f64 {
    if upper > 0.5 {
        return -normal_upper_quantile(1.0 - upper);
    }
    let mut z = SQRT_2 * erfc_inv(2.0 * upper);
    // One step of Halley's rule brings the start to full precision.
    let error = (normal_sf(z) - upper) / normal_density(z);
    if error.is_finite() {
        z += error / (1.0 - 0.5 * z * error);
    }
    z
}

/// P(T > t) for Student's t with `freedom` > 0 degrees of freedom.
#[must_use]
pub fn student_sf(t: f64, freedom: f64) -> f64 {
    if t < 0.0 {
        return 1.0 - student_sf(-t, freedom);
    }
    if freedom.is_infinite() {
        return normal_sf(t);
    }
    if freedom > MANY {
        let a = freedom - 0.5;
        let b = 48.0 * a * a;
        let y = a * (t * t / freedom).ln_1p();
        let z =
            (((((-0.4 * y - 3.3) * y - 24.0) * y - 85.5) / (0.8 * y * y + 100.0 + b) + y + 3.0)
                / b
                + 1.0)
                * y.sqrt();
        return normal_sf(z);
    }
    let square = t * t;
    0.5 * beta_inc(
        0.5 * freedom,
        0.5,
        freedom / (freedom + square),
        square / (freedom + square),
    )
}

/// The t with P(T > t) = `upper`, for `upper` in (0, 0.5].
#[must_use]
pub fn student_upper_quantile(upper: f64, freedom: f64) -> f64 {
    let z = normal_upper_quantile(upper);
    if freedom.is_infinite() {
        return z;
    }
    // Bracket from the normal quantile (t is wider), then bisect and polish with secant steps inside the bracket.
    let (mut low, mut high) = (0.0, z.max(1.0));
    while student_sf(high, freedom) > upper {
        low = high;
        high *= 2.0;
    }
    let target = upper.ln();
    let miss = |t: f64| student_sf(t, freedom).ln() - target;
    let (mut at_low, mut at_high) = (miss(low), miss(high));
    for _ in 0..200 {
        let secant = high - at_high * (high - low) / (at_high - at_low);
        let middle = 0.5 * (low + high);
        let t = if secant > low && secant < high {
            secant
        } else {
            middle
        };
        let at = miss(t);
        if at == 0.0 || (high - low) <= 1e-15 * high {
            return t;
        }
        // Illinois rule: halve the stale end's residual so that both ends move.
        if at > 0.0 {
            (low, at_low) = (t, at);
            at_high *= 0.5;
        } else {
            (high, at_high) = (t, at);
            at_low *= 0.5;
        }
    }
    0.5 * (low + high)
}

/// P(χ² > x) with `freedom` ≥ 1 degrees of freedom.
#[must_use]
pub fn chi_squared_sf(x: f64, freedom: usize) -> f64 {
    if x <= 0.0 {
        return 1.0;
    }
    if freedom == 1 {
        return 2.0 * normal_sf(x.sqrt());
    }
    checked_gamma_ur(0.5 * freedom as f64, 0.5 * x).unwrap_or(0.0)
}

/// Error of Stirling's formula: `ln n! − ½ln(2πn) − n·ln n + n`.
#[must_use]
pub fn stirling_error(n: f64) -> f64 {
    if n <= 15.0 {
        return ln_gamma(n + 1.0) - (n + 0.5) * n.ln() + n - LN_SQRT_2PI;
    }
    let square = n * n;
    (1.0 / 12.0
        - (1.0 / 360.0 - (1.0 / 1260.0 - (1.0 / 1680.0 - 1.0 / 1188.0 / square) / square) / square)
            / square)
        / n
}

/// Deviance part `x·ln(x/m) + m − x`, accurate where x is near m.
fn deviance(x: f64, m: f64) -> f64 {
    if (x - m).abs() < 0.1 * (x + m) {
        let v = (x - m) / (x + m);
        let mut sum = (x - m) * v;
        let mut term = 2.0 * x * v;
        let square = v * v;
        for j in 1..1000 {
            term *= square;
            let next = sum + term / f64::from(2 * j + 1);
            if next == sum {
                break;
            }
            sum = next;
        }
        return sum;
    }
    x * (x / m).ln() + m - x
}

/// Logarithm of `C(n, x)·pˣ·qⁿ⁻ˣ`, with q = 1 − p given apart so that neither loses digits; x and n may be fractional.
#[must_use]
pub fn ln_binomial(x: f64, n: f64, p: f64, q: f64) -> f64 {
    if p == 0.0 {
        return if x == 0.0 { 0.0 } else { f64::NEG_INFINITY };
    }
    if q == 0.0 {
        return if x == n { 0.0 } else { f64::NEG_INFINITY };
    }
    if x == 0.0 {
        return if p < 0.1 {
            n * (-p).ln_1p()
        } else {
            n * q.ln()
        };
    }
    if x == n {
        return if q < 0.1 {
            n * (-q).ln_1p()
        } else {
            n * p.ln()
        };
    }
    if x < 0.0 || x > n {
        return f64::NEG_INFINITY;
    }
    let rest = n - x;
    stirling_error(n)
        - stirling_error(x)
        - stirling_error(rest)
        - deviance(x, n * p)
        - deviance(rest, n * q)
        + 0.5 * (n / (2.0 * PI * x * rest)).ln()
}

/// Logarithm of the Beta(a, b) density at x, for a, b ≥ 1; `rest` = 1 − x.
#[must_use]
pub fn ln_beta_density(x: f64, rest: f64, a: f64, b: f64) -> f64 {
    (a + b - 1.0).ln() + ln_binomial(a - 1.0, a + b - 2.0, x, rest)
}

/// The regularised incomplete beta function Iₓ(a, b), for a, b > 0 up to some 10⁵; `rest` = 1 − x.
#[must_use]
pub fn beta_inc(a: f64, b: f64, x: f64, rest: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if rest <= 0.0 {
        return 1.0;
    }
    if x > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - beta_inc(b, a, rest, x);
    }
    // x^a·(1−x)^b / (a·B(a, b)) = x^a (1−x)^b Γ(a+b) / (Γ(a+1) Γ(b)), through the binomial form.
    let front = ln_binomial(a, a + b, x, rest) + (b / (a + b)).ln();
    front.exp() * beta_fraction(a, b, x)
}

/// Lentz's evaluation of the continued fraction of Iₓ(a, b).
fn beta_fraction(a: f64, b: f64, x: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let safe = |v: f64| if v.abs() < TINY { TINY } else { v };
    let mut c = 1.0;
    let mut d = 1.0 / safe(1.0 - (a + b) * x / (a + 1.0));
    let mut h = d;
    for m in 1..20_000 {
        let m = f64::from(m);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / safe(1.0 + even * d);
        c = safe(1.0 + even / c);
        h *= d * c;
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / safe(1.0 + odd * d);
        c = safe(1.0 + odd / c);
        let step = d * c;
        h *= step;
        if (step - 1.0).abs() < 1e-16 {
            break;
        }
    }
    h
}

/// `ln(exp(a) + exp(b))` without overflow.
#[must_use]
pub fn log_add(a: f64, b: f64) -> f64 {
    let (high, low) = if a > b { (a, b) } else { (b, a) };
    if high == f64::NEG_INFINITY {
        return high;
    }
    high + (low - high).exp().ln_1p()
}

/// `ln Γ(x)`, for x > 0.
#[must_use]
pub fn log_gamma(x: f64) -> f64 {
    if x < 15.0 {
        return ln_gamma(x);
    }
    (x - 0.5) * x.ln() - x + LN_SQRT_2PI + stirling_error(x)
}
