//! What a run measures, with standard errors.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::batches::ratio;
use super::sums::Sums;

/// Seconds within which service is counted.
pub const WITHIN_S: [f64; 5] = [5.0, 20.0, 30.0, 60.0, 120.0];

/// A value for each of [`WITHIN_S`], written as an object whose keys are the seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Within<T>(pub [T; WITHIN_S.len()]);

impl<T: Serialize> Serialize for Within<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(WITHIN_S.len()))?;
        for (seconds, value) in WITHIN_S.iter().zip(&self.0) {
            map.serialize_entry(&seconds.to_string(), value)?;
        }
        map.end()
    }
}

/// A measured value; absent where nobody could be measured.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Estimate {
    /// The value.
    pub value: Option<f64>,
    /// Its standard error.
    pub standard_error: Option<f64>,
}

impl Estimate {
    /// Distance from an exact value in standard errors; `None` where either is missing or the error is 0.
    #[must_use]
    pub fn z(&self, exact: f64) -> Option<f64> {
        let (value, error) = (self.value?, self.standard_error?);
        (error > 0.0).then(|| (value - exact) / error)
    }
}

/// Measures of all customers, or of one class.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Measures {
    /// Share of customers who found every server busy, those who left included.
    pub p_wait: Estimate,
    /// Mean wait of everybody; who left has waited their patience.
    pub mean_wait_s: Estimate,
    /// Mean wait of the served.
    pub mean_wait_served_s: Estimate,
    /// Mean wait of those who found every server busy.
    pub mean_wait_given_wait_s: Estimate,
    /// Mean number of people in the queue over time.
    pub mean_queue: Estimate,
    /// Share of the servers' time at work (for these customers).
    pub occupancy: Estimate,
    /// Share of customers who left before service.
    pub p_abandon: Estimate,
    /// Share of all customers whose service began within so many seconds.
    pub p_served_within: Within<Estimate>,
}

impl Measures {
    /// Measures over batches of customers, some of whom may leave where `leaves`. `independent` says that the
    /// batches are runs of their own.
    ///
    /// Where luck brought few events, or none, the error of a share estimated from them is too small as well. So the variance
    /// of a share is that of two events more, among as many independent customers as the share itself or `p_wait` is worth.
    pub(super) fn new(batches: &[Sums], servers: u32, leaves: bool, independent: bool) -> Self {
        let of = |num: &dyn Fn(&Sums) -> f64, den: &dyn Fn(&Sums) -> f64| {
            let column = |f: &dyn Fn(&Sums) -> f64| batches.iter().map(f).collect::<Vec<f64>>();
            let found = ratio(&column(num), &column(den), independent);
            Estimate {
                value: found.map(|(value, _)| value),
                standard_error: found.map(|(_, error)| error),
            }
        };
        let customers: f64 = batches.iter().map(|s| s.customers as f64).sum();
        let waited = of(&|s| s.waited as f64, &|s| s.customers as f64);
        let independent = independent_customers(waited, customers);
        let share = |num: &dyn Fn(&Sums) -> f64| {
            let mut share = of(num, &|s| s.customers as f64);
            let own = independent_customers(share, customers).min(independent);
            // Two events more, as in Agresti and Coull's interval.
            share.standard_error = share
                .standard_error
                .map(|error| error.hypot(std::f64::consts::SQRT_2 / own));
            share
        };
        Self {
            p_wait: share(&|s| s.waited as f64),
            mean_wait_s: of(&|s| s.wait_s, &|s| s.customers as f64),
            mean_wait_served_s: of(&|s| s.wait_served_s, &|s| {
                (s.customers - s.abandoned) as f64
            }),
            mean_wait_given_wait_s: of(&|s| s.wait_s, &|s| s.waited as f64),
            mean_queue: of(&|s| s.queue_s, &|s| s.duration_s),
            occupancy: of(&|s| s.busy_s, &|s| s.duration_s * f64::from(servers)),
            p_abandon: if leaves {
                share(&|s| s.abandoned as f64)
            } else {
                of(&|s| s.abandoned as f64, &|s| s.customers as f64)
            },
            p_served_within: Within(std::array::from_fn(|k| share(&|s| s.within[k] as f64))),
        }
    }
}

/// How many independent customers a share p with error s is worth: p (1 − p) / s², at most all of them.
fn independent_customers(share: Estimate, customers: f64) -> f64 {
    match (share.value, share.standard_error) {
        (Some(p), Some(error)) if error > 0.0 => (p * (1.0 - p) / (error * error)).min(customers),
        _ => customers,
    }
}

/// Measures of one class.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClassMeasures {
    /// Share of the customers.
    pub share: f64,
    /// Priority; 1 goes first.
    pub priority: u32,
    /// Its measures.
    #[serde(flatten)]
    pub measures: Measures,
}

/// What a run found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct QueueResult {
    /// Measures of all customers.
    #[serde(flatten)]
    pub measures: Measures,
    /// Measures by class, in the order of the file; empty without classes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<ClassMeasures>,
    /// Customers who arrived, warm-up included.
    pub customers: u64,
    /// Seed of the run.
    pub seed: u64,
}
