//! Simulated values beside exact ones.

use super::{Estimate, Measures, QueueResult, Theory, WITHIN_S};

/// A measure, simulated and exact.
#[derive(Debug, Clone, PartialEq)]
pub struct Compared {
    /// Name of the measure, as in the results' keys.
    pub measure: String,
    /// Index of the class; `None` for everybody.
    pub class: Option<usize>,
    /// What the run found.
    pub simulated: Estimate,
    /// The exact value, where a formula is known.
    pub exact: Option<f64>,
}

impl Compared {
    /// Distance in standard errors, where both values are known and the run left an error.
    #[must_use]
    pub fn z(&self) -> Option<f64> {
        self.simulated.z(self.exact?)
    }
}

/// All measures of a run beside the exact values: everybody first, then class by class.
#[must_use]
pub fn compare(result: &QueueResult, theory: Option<&Theory>) -> Vec<Compared> {
    let mut rows = rows(&result.measures, None, |measure| all(theory?, measure));
    for (index, class) in result.classes.iter().enumerate() {
        let exact = theory.and_then(|theory| theory.classes.get(index));
        rows.extend(self::rows(&class.measures, Some(index), |measure| {
            let exact = exact?;
            match measure {
                Measure::PWait => Some(exact.p_wait),
                Measure::MeanWait | Measure::MeanWaitServed => Some(exact.mean_wait_s),
                Measure::MeanWaitGivenWait => Some(exact.mean_wait_given_wait_s),
                Measure::MeanQueue => Some(exact.mean_queue),
                Measure::Occupancy => Some(exact.occupancy),
                Measure::PAbandon => Some(0.0),
                Measure::PServedWithin(_) => None,
            }
        }));
    }
    rows
}

#[derive(Debug, Clone, Copy)]
enum Measure {
    PWait,
    MeanWait,
    MeanWaitServed,
    MeanWaitGivenWait,
    MeanQueue,
    Occupancy,
    PAbandon,
    PServedWithin(usize),
}

fn all(theory: &Theory, measure: Measure) -> Option<f64> {
    match measure {
        Measure::PWait => theory.p_wait,
        Measure::MeanWait => theory.mean_wait_s,
        Measure::MeanWaitServed => theory.mean_wait_served_s,
        Measure::MeanWaitGivenWait => theory.mean_wait_given_wait_s,
        Measure::MeanQueue => theory.mean_queue,
        Measure::Occupancy => theory.occupancy,
        Measure::PAbandon => theory.p_abandon,
        Measure::PServedWithin(k) => theory.p_served_within.map(|within| within.0[k]),
    }
}

fn rows(
    measures: &Measures,
    class: Option<usize>,
    exact: impl Fn(Measure) -> Option<f64>,
) -> Vec<Compared> {
    let row = |name: &str, simulated: Estimate, measure: Measure| Compared {
        measure: name.to_owned(),
        class,
        simulated,
        exact: exact(measure),
    };
    let m = measures;
    let mut rows = vec![
        row("p_wait", m.p_wait, Measure::PWait),
        row("mean_wait_s", m.mean_wait_s, Measure::MeanWait),
        row(
            "mean_wait_served_s",
            m.mean_wait_served_s,
            Measure::MeanWaitServed,
        ),
        row(
            "mean_wait_given_wait_s",
            m.mean_wait_given_wait_s,
            Measure::MeanWaitGivenWait,
        ),
        row("mean_queue", m.mean_queue, Measure::MeanQueue),
        row("occupancy", m.occupancy, Measure::Occupancy),
        row("p_abandon", m.p_abandon, Measure::PAbandon),
    ];
    for (k, within_s) in WITHIN_S.iter().enumerate() {
        let name = format!("p_served_within {within_s}");
        rows.push(row(
            &name,
            m.p_served_within.0[k],
            Measure::PServedWithin(k),
        ));
    }
    rows
}
