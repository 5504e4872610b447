//! Adaptive Gauss-Kronrod quadrature of several positive integrands at once.

/// Nodes of the 15-point Kronrod rule on [−1, 1] at and above 0, outermost first.
const NODES: [f64; 8] = [
    0.991_455_371_120_812_6,
    0.949_107_912_342_758_5,
    0.864_864_423_359_769_1,
    0.741_531_185_599_394_4,
    0.586_087_235_467_691_1,
    0.405_845_151_377_397_2,
    0.207_784_955_007_898_47,
    0.0,
];

/// Their weights.
const KRONROD: [f64; 8] = [
    0.022_935_322_010_529_224,
    0.063_092_092_629_978_55,
    0.104_790_010_322_250_18,
    0.140_653_259_715_525_92,
    0.169_004_726_639_267_9,
    0.190_350_578_064_785_4,
    0.204_432_940_075_298_9,
    0.209_482_141_084_727_82,
];

/// Weights of the 7-point Gauss rule at every second node.
const GAUSS: [f64; 4] = [
    0.129_484_966_168_869_7,
    0.279_705_391_489_276_64,
    0.381_830_050_505_118_93,
    0.417_959_183_673_469_4,
];

/// Wanted difference of the two rules, relative to the whole integral; the finer rule is far better than this.
const TOLERANCE: f64 = 1e-11;

/// Most bisections of one panel.
const DEPTH: u32 = 40;

/// ∫ of each component over the panels between ascending `points`, 1e-12 relative for integrands that are smooth between
/// them and nowhere negative.
pub(super) fn integrate<const N: usize>(
    points: &[f64],
    integrand: &impl Fn(f64) -> [f64; N],
) -> [f64; N] {
    let panels: Vec<(f64, f64)> = points
        .windows(2)
        .map(|ends| (ends[0], ends[1]))
        .filter(|(from, to)| to > from)
        .collect();
    let mut whole = [0.0; N];
    for (from, to) in &panels {
        add(&mut whole, &rule(*from, *to, integrand).0);
    }
    let mut sum = [0.0; N];
    for (from, to) in panels {
        let (value, error) = rule(from, to, integrand);
        refine(
            (from, to),
            (value, error),
            &whole,
            integrand,
            DEPTH,
            &mut sum,
        );
    }
    sum
}

fn refine<const N: usize>(
    (from, to): (f64, f64),
    (value, error): ([f64; N], [f64; N]),
    whole: &[f64; N],
    integrand: &impl Fn(f64) -> [f64; N],
    depth: u32,
    sum: &mut [f64; N],
) {
    let good = (0..N).all(|i| error[i] <= TOLERANCE * whole[i]);
    let middle = 0.5 * (from + to);
    if good || depth == 0 || middle <= from || middle >= to {
        add(sum, &value);
        return;
    }
    for half in [(from, middle), (middle, to)] {
        let found = rule(half.0, half.1, integrand);
        refine(half, found, whole, integrand, depth - 1, sum);
    }
}

fn add<const N: usize>(sum: &mut [f64; N], value: &[f64; N]) {
    for (sum, value) in sum.iter_mut().zip(value) {
        *sum += value;
    }
}

/// The 15-point value, and its difference from the 7-point value.
fn rule<const N: usize>(
    from: f64,
    to: f64,
    integrand: &impl Fn(f64) -> [f64; N],
) -> ([f64; N], [f64; N]) {
    let (middle, half) = (0.5 * (from + to), 0.5 * (to - from));
    let (mut fine, mut coarse) = ([0.0; N], [0.0; N]);
    for (k, node) in NODES.iter().enumerate() {
        let mut values = integrand(middle + half * node);
        if *node > 0.0 {
            add(&mut values, &integrand(middle - half * node));
        }
        for i in 0..N {
            fine[i] += half * KRONROD[k] * values[i];
            if k % 2 == 1 {
                coarse[i] += half * GAUSS[k / 2] * values[i];
            }
        }
    }
    let error = std::array::from_fn(|i| (fine[i] - coarse[i]).abs());
    (fine, error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sharp_and_flat_integrands_are_both_exact() {
        // Closed forms: 1 − e^{−1000}, 1000 points wide; ∫₀¹ x² = 1/3.
        let [sharp, square] =
            integrate(&[0.0, 1.0], &|x: f64| [1000.0 * (-1000.0 * x).exp(), x * x]);
        assert!((sharp - 1.0).abs() < 1e-12, "{sharp}");
        assert!((square - 1.0 / 3.0).abs() < 1e-15, "{square}");
    }
}
