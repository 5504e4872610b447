//! Service times that are all alike.

use super::{ErlangError, Traffic};

/// Terms whose share of the sum is below this are left out.
const NEGLIGIBLE: f64 = 1e-18;
/// Most spans of one service time that the series may take.
const MOST_SPANS: u32 = 200_000;

/// The queue whose service times are all alike and where everybody waits (M/D/n).
///
/// Watched every D seconds, the queue follows L' = max(L + A − n, 0) with A Poisson of mean λD, a random walk held at 0. So
/// by Spitzer's identity the queue length is compound Poisson, with masses bⱼ = Σₘ P(Sₘ = mn + j) / m where Sₘ is Poisson of
/// mean mλD: E L = Σ j bⱼ, P(L = 0) = exp(−Σ bⱼ), and Panjer's recursion gives the rest. The wait follows from it:
/// P(W ≤ x) = Σⱼ P(L ≤ kn − 1 − j) P(Poisson(λ(kD − x)) = j) for (k − 1) D ≤ x < kD. All terms are positive.
///
/// # Source
/// Crommelin 1932; Spitzer, Transactions of the AMS 82, 1956; Franx, Operations Research Letters 29, 2001.
#[derive(Debug, Clone, PartialEq)]
pub struct FixedService {
    traffic: Traffic,
    /// bⱼ for j ≥ 1, at j.
    masses: Vec<f64>,
    p_wait: f64,
    mean_queue: f64,
}

impl FixedService {
    /// Sums the series.
    ///
    /// # Errors
    /// [`ErlangError::Unstable`] at load 1 and above, [`ErlangError::TooNearFullLoad`] when more than 200,000 service times
    /// would have to be summed.
    pub fn new(traffic: Traffic) -> Result<Self, ErlangError> {
        let traffic = traffic.stable()?;
        let (n, load) = (traffic.n(), traffic.load());
        // P(Sₘ > mn) falls at least as fast as exp(−decay m).
        let decay = n * (load - 1.0 - load.ln());
        let spans = (42.0 / decay).ceil();
        if spans > f64::from(MOST_SPANS) {
            return Err(ErlangError::TooNearFullLoad { load });
        }
        let mut masses = vec![0.0];
        for m in 1..=spans as u32 {
            add_span(&mut masses, f64::from(m), n, traffic.offered());
        }
        let mean_queue = (masses.iter().enumerate())
            .map(|(j, mass)| j as f64 * mass)
            .sum();
        let mut queue = Self {
            traffic,
            masses,
            p_wait: 0.0,
            mean_queue,
        };
        queue.p_wait = 1.0 - queue.p_served_within(0.0);
        Ok(queue)
    }

    /// P(L = j) for j below `count`, by Panjer's recursion.
    fn queue_lengths(&self, count: usize) -> Vec<f64> {
        let mut p = vec![(-self.masses.iter().sum::<f64>()).exp()];
        for j in 1..count {
            let reach = j.min(self.masses.len() - 1);
            let sum: f64 = (1..=reach)
                .map(|i| i as f64 * self.masses[i] * p[j - i])
                .sum();
            p.push(sum / j as f64);
        }
        p
    }

    /// Share of customers who wait.
    #[must_use]
    pub fn p_wait(&self) -> f64 {
        self.p_wait
    }

    /// Mean number of people in the queue.
    #[must_use]
    pub fn mean_queue(&self) -> f64 {
        self.mean_queue
    }

    /// Mean wait of everybody, seconds.
    #[must_use]
    pub fn mean_wait_s(&self) -> f64 {
        self.mean_queue / self.traffic.arrival_rate_per_s()
    }

    /// Share of customers whose service starts within `t_s` seconds.
    #[must_use]
    pub fn p_served_within(&self, t_s: f64) -> f64 {
        if t_s < 0.0 {
            return 0.0;
        }
        let service_s = self.traffic.mean_service_s();
        let k = (t_s / service_s).floor() + 1.0;
        let count = k * self.traffic.n();
        if count > 1e5 {
            return 1.0;
        }
        let mean = self.traffic.arrival_rate_per_s() * (k * service_s - t_s);
        let lengths = self.queue_lengths(count as usize);
        let (mut below, mut sum) = (0.0, 0.0);
        for (length, p) in lengths.iter().enumerate() {
            below += p;
            sum += below * poisson(count - 1.0 - length as f64, mean);
        }
        sum.min(1.0)
    }
}

/// Adds P(Sₘ = mn + j) / m to the masses.
fn add_span(masses: &mut Vec<f64>, m: f64, n: f64, offered: f64) {
    let mean = m * offered;
    let mut count = m * n + 1.0;
    let mut term = poisson(count, mean) / m;
    let mut j = 1;
    while term > NEGLIGIBLE * masses.get(1).copied().unwrap_or(0.0) * 1e-6 && term > 0.0 {
        if j == masses.len() {
            masses.push(0.0);
        }
        masses[j] += term;
        count += 1.0;
        j += 1;
        term *= mean / count;
    }
}

/// P(Poisson(mean) = k) by Loader's saddle point, without the cancellation of k ln(mean) − mean − ln k!.
fn poisson(k: f64, mean: f64) -> f64 {
    if k < 0.0 {
        return 0.0;
    }
    if k == 0.0 {
        return (-mean).exp();
    }
    (-stirling_error(k) - deviance(k, mean)).exp() / (std::f64::consts::TAU * k).sqrt()
}

/// ln k! − ln(√(2πk) (k/e)ᵏ).
fn stirling_error(k: f64) -> f64 {
    if k < 16.0 {
        return libm::lgamma(k + 1.0) - 0.5 * (std::f64::consts::TAU * k).ln() - k * (k.ln() - 1.0);
    }
    let s = 1.0 / (k * k);
    (1.0 / 12.0 - s * (1.0 / 360.0 - s * (1.0 / 1260.0 - s * (1.0 / 1680.0 - s / 1188.0)))) / k
}

/// k ln(k / mean) + mean − k.
fn deviance(k: f64, mean: f64) -> f64 {
    let difference = k - mean;
    let v = difference / (k + mean);
    if v.abs() > 0.1 {
        return k * (k / mean).ln() + mean - k;
    }
    // ln(k / mean) = 2 artanh(v).
    let mut sum = difference * v;
    let (mut term, mut i) = (2.0 * k * v, 1.0);
    loop {
        term *= v * v;
        i += 2.0;
        let next = sum + term / i;
        if next == sum {
            return sum;
        }
        sum = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_poisson_terms_are_the_textbook_ones() {
        for (k, mean, factorial) in [(0.0, 2.5, 1.0), (3.0, 2.5, 6.0), (10.0, 9.5, 3_628_800.0)] {
            let want = (-mean as f64).exp() * (mean as f64).powf(k) / factorial;
            let have = poisson(k, mean);
            assert!(
                (have / want - 1.0).abs() < 1e-13,
                "{k} {mean}: {have} {want}"
            );
        }
    }

    #[test]
    fn one_server_agrees_with_pollaczek_and_khinchine() {
        for load in [0.1, 0.5, 0.9, 0.95] {
            let queue = FixedService::new(Traffic::new(1, load, 1.0).unwrap()).unwrap();
            let want = load / (2.0 * (1.0 - load));
            assert!((queue.mean_wait_s() / want - 1.0).abs() < 1e-10, "{load}");
            assert!((queue.p_wait() / load - 1.0).abs() < 1e-10, "{load}");
        }
    }
}
