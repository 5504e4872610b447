//! Limited patience.

use super::integral::integrate;
use super::loss::blocking;
use super::{ErlangError, PatienceLaw, Traffic};

/// Fall of the log density of the offered wait beyond which the rest is left out: e^−60 is 1e-26.
const NEGLIGIBLE: f64 = 60.0;

/// The queue with exponential service whose customers leave when their patience ends (M/M/n+G; Erlang A when patience is
/// exponential).
///
/// The offered wait V of a customer with endless patience has the density λ e^{ℓ(x)} / (E + λJ) for x > 0, where
/// ℓ(x) = (λ − nμ) x − λ ∫₀ˣ P(T ≤ u) du, J = ∫₀^∞ e^{ℓ(x)} dx and E = 1 / B(n − 1) by Erlang B. All results are integrals
/// over this density. ℓ is concave, so one adaptive quadrature around its top serves light load, overload and 100,000
/// servers alike.
///
/// # Source
/// Baccelli & Hebuterne 1981; Zeltyn & Mandelbaum, Queueing Systems 51, 2005.
#[derive(Debug, Clone, PartialEq)]
pub struct Impatient {
    traffic: Traffic,
    patience: PatienceLaw,
    /// Where ℓ is largest, and the value there.
    top: (f64, f64),
    /// From and to where e^ℓ matters.
    range: (f64, f64),
    /// λ e^{ℓ(top)} / (E + λJ): the density of the offered wait at its top.
    density: f64,
    p_no_wait: f64,
    p_wait: f64,
    p_abandon: f64,
    p_served: f64,
    mean_wait_s: f64,
    mean_wait_served_s: f64,
    mean_wait_given_wait_s: f64,
}

impl Impatient {
    /// Solves the queue; any load has a steady state.
    ///
    /// # Errors
    /// [`ErlangError::Range`] when the law has a number out of range.
    pub fn new(traffic: Traffic, patience: PatienceLaw) -> Result<Self, ErlangError> {
        patience.check()?;
        let (top, range) = find_range(&traffic, &patience);
        let mut queue = Self {
            traffic,
            patience,
            top,
            range,
            density: 0.0,
            p_no_wait: 0.0,
            p_wait: 0.0,
            p_abandon: 0.0,
            p_served: 0.0,
            mean_wait_s: 0.0,
            mean_wait_served_s: 0.0,
            mean_wait_given_wait_s: 0.0,
        };
        let law = &queue.patience;
        let [all, leave, serve, wait, wait_served] = integrate(&queue.points(range.1), &|x| {
            let weight = queue.weight(x);
            let serve = weight * law.stays_beyond(x);
            let wait = weight * (x - law.shortfall_s(x)).max(0.0);
            [weight, weight * law.gone_by(x), serve, wait, x * serve]
        });
        let rate = traffic.arrival_rate_per_s();
        // E e^{−ℓ(top)}, which overflows only where nobody waits.
        let idle = (-top.1).exp() / blocking(traffic.servers() - 1, traffic.offered());
        queue.density = rate / (idle + rate * all);
        queue.p_no_wait = if idle.is_finite() {
            idle / (idle + rate * all)
        } else {
            1.0
        };
        queue.p_wait = queue.density * all;
        queue.p_abandon = queue.density * leave;
        queue.p_served = queue.p_no_wait + queue.density * serve;
        queue.mean_wait_s = queue.density * wait;
        queue.mean_wait_served_s = queue.density * wait_served / queue.p_served;
        queue.mean_wait_given_wait_s = wait / all;
        Ok(queue)
    }

    /// e^{ℓ(x) − ℓ(top)}.
    fn weight(&self, x: f64) -> f64 {
        (log_weight(&self.traffic, &self.patience, x) - self.top.1).exp()
    }

    /// Ends of the panels to integrate over, up to `to`.
    fn points(&self, to: f64) -> Vec<f64> {
        let from = self.range.0;
        let to = to.min(self.range.1);
        let mut points = self.patience.jumps(from, to);
        points.extend(
            [from, self.top.0.min(to), to]
                .iter()
                .filter(|x| **x >= from),
        );
        // Even panels find what a rule over the whole range could miss.
        points.extend((1..16).map(|k| from + (to - from) * f64::from(k) / 16.0));
        points.retain(|x| *x <= to);
        points.sort_by(f64::total_cmp);
        points
    }

    /// Share of customers who find every server busy, those who leave included.
    #[must_use]
    pub fn p_wait(&self) -> f64 {
        self.p_wait
    }

    /// Share of customers who leave before service.
    #[must_use]
    pub fn p_abandon(&self) -> f64 {
        self.p_abandon
    }

    /// Mean wait of everybody, seconds; who leaves has waited their patience.
    #[must_use]
    pub fn mean_wait_s(&self) -> f64 {
        self.mean_wait_s
    }

    /// Mean wait of those who are served, seconds.
    #[must_use]
    pub fn mean_wait_served_s(&self) -> f64 {
        self.mean_wait_served_s
    }

    /// Mean wait of those who find every server busy, seconds.
    #[must_use]
    pub fn mean_wait_given_wait_s(&self) -> f64 {
        self.mean_wait_given_wait_s
    }

    /// Mean number of people in the queue.
    #[must_use]
    pub fn mean_queue(&self) -> f64 {
        self.traffic.arrival_rate_per_s() * self.mean_wait_s
    }

    /// Busy share of the servers.
    #[must_use]
    pub fn occupancy(&self) -> f64 {
        self.traffic.load() * self.p_served
    }

    /// Share of all customers whose service starts within `t_s` seconds.
    #[must_use]
    pub fn p_served_within(&self, t_s: f64) -> f64 {
        if t_s < 0.0 {
            return 0.0;
        }
        let mut served = 0.0;
        if t_s > self.range.0 {
            [served] = integrate(&self.points(t_s), &|x| {
                [self.weight(x) * self.patience.stays_beyond(x)]
            });
        }
        self.p_no_wait + self.density * served
    }
}

/// ℓ(x).
fn log_weight(traffic: &Traffic, patience: &PatienceLaw, x: f64) -> f64 {
    let excess = (traffic.offered() - traffic.n()) / traffic.mean_service_s();
    excess * x - traffic.arrival_rate_per_s() * patience.shortfall_s(x)
}

/// The top of ℓ with the value there, and where ℓ has fallen by [`NEGLIGIBLE`] on either side.
fn find_range(traffic: &Traffic, patience: &PatienceLaw) -> ((f64, f64), (f64, f64)) {
    let step = traffic.mean_service_s() / traffic.n();
    let enough = 1.0 - 1.0 / traffic.load();
    let mut top = 0.0;
    if enough > 0.0 {
        // ℓ rises until so many have left that the servers keep up.
        top = crossing(step, |x| patience.gone_by(x) >= enough);
    }
    let height = log_weight(traffic, patience, top);
    let low = |x: f64| height - log_weight(traffic, patience, x) > NEGLIGIBLE;
    let to = top + crossing(step, |distance| low(top + distance));
    let from = if low(0.0) {
        top - crossing(step, |distance| distance >= top || low(top - distance))
    } else {
        0.0
    };
    ((top, height), (from.max(0.0), to))
}

/// Smallest x above 0 at which a condition holds that, once true, stays so; found by doubling `step` and halving.
fn crossing(step: f64, holds: impl Fn(f64) -> bool) -> f64 {
    let mut high = step;
    while !holds(high) && high < 1e15 {
        high *= 2.0;
    }
    let mut low = if holds(high * 0.5) { 0.0 } else { high * 0.5 };
    for _ in 0..80 {
        let middle = 0.5 * (low + high);
        if holds(middle) {
            high = middle;
        } else {
            low = middle;
        }
    }
    high
}
