//! Where the simulators' chance comes from: counter-based draws, alias tables and tabulated quantiles.
//!
//! Every draw is a pure function of (seed, conversation number, purpose). So one conversation has the same luck under
//! every policy (common random numbers), and neither threads nor the order of work can change a result.

/// Streams that must never share luck although their conversations have the same numbers.
#[derive(Debug, Clone, Copy)]
#[repr(u64)]
pub(crate) enum Domain {
    /// Episodes of the environment.
    Episode = 1,
    /// Monte Carlo evaluation.
    Simulation = 2,
    /// Conversations of a generated log.
    Log = 3,
    /// The world itself: load of each hour, arrivals.
    World = 4,
    /// Conversations of a contact centre.
    Centre = 5,
    /// Arms of a split.
    Arm = 6,
}

/// What a draw decides. Purposes from `Message` on are drawn anew at each turn.
#[derive(Debug, Clone, Copy)]
#[repr(u64)]
pub(crate) enum Purpose {
    /// The hour of arrival.
    Hour = 0,
    /// Second within the hour (high half), patience (low half).
    Arrival = 1,
    /// Language.
    Language = 2,
    /// Intent, and with it the class.
    Intent = 3,
    /// Knowledge coverage (high half), leniency (low half).
    Traits = 4,
    /// Channel.
    Channel = 5,
    /// Segment, contacts, orders, value decile (bytes 0 to 3), attachment and region (upper 16-bit words).
    Customer = 6,
    /// Whether it is reopened (high half).
    Reopen = 7,
    /// Whether a survey is answered (high half) and when (low half).
    Survey = 8,
    /// The mark.
    Mark = 9,
    /// Whether (high half) and when (low half) the customer clicks.
    Click = 10,
    /// Whether (high half) and when (low half) the customer buys.
    Conversion = 11,
    /// Value of the order (high half).
    Order = 12,
    /// Whether the first message gives a hint (high half), score of the best known solution (low half).
    Hint = 13,
    /// Live class guess (high half), noise of sentiment (low half).
    Message = 16,
    /// Text of the message, how sure the intent model is.
    Text = 17,
    /// The policy's own randomness.
    Choice = 18,
    /// Whether one waits and how long (high half), service time (low half).
    Answer = 19,
    /// Whether the draft is right (high half), what people make of it (low half).
    Solve = 20,
    /// Whether the customer leaves (high half), think time (low half).
    Reply = 21,
    /// Whether the customer asks for a person (high half).
    Ask = 22,
}

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// Finalizer of SplitMix64 (Stafford's variant 13): a bijection of 64 bits in which every input bit moves half of the
/// output bits.
const fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The luck of one conversation.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Luck(u64);

impl Luck {
    pub(crate) const fn new(seed: u64, domain: Domain, number: u64) -> Self {
        let stream = mix(mix(seed.wrapping_add(GOLDEN)) ^ (domain as u64).wrapping_mul(GOLDEN));
        Self(mix(
            stream.wrapping_add(number.wrapping_mul(0xd1b5_4a32_d192_ed03))
        ))
    }

    /// A uniform number in [0, 1) that stands for the stream itself.
    pub(crate) const fn unit(self) -> f64 {
        // 53 bits: as fine as an f64 in [0.5, 1).
        (mix(self.0) >> 11) as f64 * (1.0 / 9_007_199_254_740_992.0)
    }

    /// 64 bits for a purpose that is drawn once.
    pub(crate) const fn once(self, purpose: Purpose) -> u64 {
        self.at(purpose, 0)
    }

    /// 64 bits for a purpose at a turn.
    pub(crate) const fn at(self, purpose: Purpose, turn: u32) -> u64 {
        let counter = purpose as u64 + 16 * turn as u64;
        mix(self.0.wrapping_add(counter.wrapping_mul(GOLDEN)))
    }
}

/// The high 32 bits as a uniform number in [0, 1).
pub(crate) const fn high(bits: u64) -> f64 {
    (bits >> 32) as f64 * (1.0 / 4_294_967_296.0)
}

/// The low 32 bits as a uniform number in [0, 1).
pub(crate) const fn low(bits: u64) -> f64 {
    (bits & 0xffff_ffff) as f64 * (1.0 / 4_294_967_296.0)
}

/// The low 32 bits as a symmetric triangular number in [-1, 1]: the sum of two uniform 16-bit numbers, less one.
pub(crate) fn triangular(bits: u64) -> f32 {
    let sum = (bits & 0xffff) + ((bits >> 16) & 0xffff);
    sum as f32 * (1.0 / 65_535.0) - 1.0
}

/// Walker's alias table: one draw and one look-up per pick.
///
/// # Source
/// Vose, IEEE Transactions on Software Engineering 17(9), 1991.
#[derive(Debug, Clone)]
pub(crate) struct Alias {
    slots: Vec<(u32, u32)>,
}

impl Alias {
    /// From non-negative weights with a positive sum.
    pub(crate) fn new(weights: &[f64]) -> Self {
        let n = weights.len();
        let total: f64 = weights.iter().sum();
        let mut scaled: Vec<f64> = weights.iter().map(|w| w / total * n as f64).collect();
        let (mut small, mut large): (Vec<usize>, Vec<usize>) =
            (0..n).partition(|i| scaled[*i] < 1.0);
        let mut slots: Vec<(u32, u32)> = (0..n).map(|i| (u32::MAX, i as u32)).collect();
        while let (Some(s), Some(l)) = (small.pop(), large.pop()) {
            slots[s] = ((scaled[s] * 4_294_967_296.0) as u32, l as u32);
            scaled[l] -= 1.0 - scaled[s];
            if scaled[l] < 1.0 {
                small.push(l);
            } else {
                large.push(l);
            }
        }
        Self { slots }
    }

    pub(crate) fn pick(&self, bits: u64) -> usize {
        let index = ((bits >> 32) * self.slots.len() as u64) >> 32;
        let (keep_below, alias) = self.slots[index as usize];
        // A select, not a branch: half of the branches would be mispredicted.
        let other = u64::from((bits & 0xffff_ffff) as u32 >= keep_below).wrapping_neg();
        (index ^ ((index ^ u64::from(alias)) & other)) as usize
    }
}

const KNOTS: usize = 1024;

/// A positive random quantity of mean 1, held as its quantile function: linear between 1,025 knots.
///
/// The piecewise linear law *is* the law of the simulator (not an approximation to be corrected): its mean is 1
/// exactly up to rounding and its tail ends at the last knot.
#[derive(Debug, Clone)]
pub(crate) struct Quantiles {
    knots: Vec<f32>,
}

impl Quantiles {
    /// From an increasing quantile function on [0, 1), scaled to mean 1.
    fn tabulate(quantile: impl Fn(f64) -> f64) -> Self {
        let n = KNOTS as f64;
        let mut knots: Vec<f64> = (0..KNOTS).map(|i| quantile(i as f64 / n)).collect();
        // The last knot gives the last interval roughly the weight of the tail that it stands for.
        knots.push(quantile(1.0 - 0.135 / n));
        let mean = knots.windows(2).map(|w| 0.5 * (w[0] + w[1])).sum::<f64>() / n;
        Self {
            knots: knots.iter().map(|q| (q / mean) as f32).collect(),
        }
    }

    /// Exponential law: how long customers are patient, think, and wait in a queue.
    pub(crate) fn exponential() -> Self {
        Self::tabulate(|u| -(1.0 - u).ln())
    }

    /// Lognormal law with a coefficient of variation above 0.
    pub(crate) fn lognormal(cv: f64) -> Self {
        use statrs::distribution::{ContinuousCDF, Normal};
        let sigma = (1.0 + cv * cv).ln().sqrt();
        let standard = Normal::standard();
        Self::tabulate(|u| {
            if u == 0.0 {
                0.0
            } else {
                (sigma * standard.inverse_cdf(u)).exp()
            }
        })
    }

    /// The law of a sample of positive values, scaled to mean 1: linear between its order statistics.
    pub(crate) fn empirical(samples: &[f64]) -> Self {
        let mut sorted = samples.to_vec();
        sorted.sort_by(f64::total_cmp);
        let last = sorted.len() - 1;
        Self::tabulate(|u| {
            let place = u * last as f64;
            let below = (place as usize).min(last);
            let above = (below + 1).min(last);
            sorted[below] + place.fract() * (sorted[above] - sorted[below])
        })
    }

    /// Log-logistic law with quantiles (u/(1−u))^spread: right-skewed like the handling times of contact centres, and
    /// its quantiles have a closed form. Spread 0 is the constant 1.
    pub(crate) fn log_logistic(spread: f64) -> Self {
        Self::tabulate(|u| {
            if spread == 0.0 {
                1.0
            } else {
                (u / (1.0 - u)).powf(spread)
            }
        })
    }

    /// The quantile at 32 uniform bits.
    pub(crate) fn at(&self, bits: u32) -> f64 {
        let index = (bits >> 22) as usize;
        let fraction = (bits << 10) as f32 * (1.0 / 4_294_967_296.0);
        let low = self.knots[index];
        f64::from(low + fraction * (self.knots[index + 1] - low))
    }

    /// P(X > x), exactly.
    #[cfg(test)]
    pub(crate) fn exceeds(&self, x: f64) -> f64 {
        let above = self.knots.partition_point(|q| f64::from(*q) <= x);
        if above == 0 {
            return 1.0;
        }
        if above > KNOTS {
            return 0.0;
        }
        let (low, high) = (
            f64::from(self.knots[above - 1]),
            f64::from(self.knots[above]),
        );
        let below = (above - 1) as f64 + (x - low) / (high - low);
        1.0 - below / KNOTS as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alias_shares_match_the_weights() {
        let weights = [0.5, 0.0, 3.0, 1.5];
        let alias = Alias::new(&weights);
        let mut counts = [0_u32; 4];
        let n = 200_000;
        for number in 0..n {
            counts[alias.pick(Luck::new(1, Domain::World, number).once(Purpose::Hour))] += 1;
        }
        for (count, weight) in counts.iter().zip(weights) {
            let share = f64::from(*count) / n as f64;
            // Four standard errors of a share at n = 200,000 are below 0.0045.
            assert!((share - weight / 5.0).abs() < 0.0045, "{counts:?}");
        }
    }

    #[test]
    fn quantiles_have_mean_one_and_the_law_they_name() {
        for table in [
            Quantiles::exponential(),
            Quantiles::log_logistic(0.3),
            Quantiles::log_logistic(0.0),
        ] {
            let n = 1 << 16;
            let mean = (0..n).map(|i| table.at((i << 16) + (1 << 15))).sum::<f64>() / f64::from(n);
            assert!((mean - 1.0).abs() < 1e-5, "{mean}");
        }
        let exponential = Quantiles::exponential();
        for x in [0.1_f64, 0.7, 1.0, 2.5, 5.0] {
            assert!((exponential.exceeds(x) - (-x).exp()).abs() < 2e-3, "{x}");
        }
        // The median of a log-logistic law is its mean times sin(πs)/(πs).
        let s = 0.3 * std::f64::consts::PI;
        let median = Quantiles::log_logistic(0.3).at(1 << 31);
        assert!((median - s.sin() / s).abs() < 5e-3, "{median}");
    }

    #[test]
    fn draws_for_different_purposes_do_not_repeat() {
        let luck = Luck::new(7, Domain::Episode, 3);
        let mut seen: Vec<u64> = (0..16).map(|turn| luck.at(Purpose::Solve, turn)).collect();
        seen.extend((0..16).map(|turn| luck.at(Purpose::Answer, turn)));
        seen.push(Luck::new(7, Domain::Log, 3).at(Purpose::Solve, 0));
        seen.push(Luck::new(8, Domain::Episode, 3).at(Purpose::Solve, 0));
        let n = seen.len();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), n);
    }
}
