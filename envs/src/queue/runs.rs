//! Whole runs: warm-up, batches, and days with a horizon.

use rayon::prelude::*;

use super::Queue;
use super::draws::Draws;
use super::first_come::FirstCome;
use super::line::{Customer, Lines, Outcome};
use super::measures::{ClassMeasures, Measures, QueueResult};
use super::sums::Sums;

/// Most batches of a run; fewer when batches would hold fewer than 100 customers.
const BATCHES: u64 = 640;
/// Fewest batches of a run, and fewest days with a horizon.
pub(super) const FEWEST_BATCHES: u64 = 40;
/// Fewest customers that are measured.
pub(super) const FEWEST_COUNTED: u64 = 25 * FEWEST_BATCHES;

/// How one sequence of customers is cut.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Plan {
    /// Customers before the first batch; those that do not fill a batch are among them.
    pub(super) warmup: u64,
    pub(super) batches: u64,
    pub(super) batch_size: u64,
}

impl Plan {
    pub(super) fn new(customers: u64, warmup_share: f64) -> Self {
        let counted = customers - (customers as f64 * warmup_share).ceil() as u64;
        let batches = (counted / 100).clamp(FEWEST_BATCHES, BATCHES);
        let batch_size = counted / batches;
        Self {
            warmup: customers - batches * batch_size,
            batches,
            batch_size,
        }
    }

    /// Customers who are measured.
    fn counted(&self) -> u64 {
        self.batches * self.batch_size
    }
}

impl Queue {
    /// Lives through the queue and measures it.
    ///
    /// Without `horizon_s`: one sequence of customers from an empty queue; the first `warmup_share` of them fills it and
    /// is not measured, the others are cut into up to 640 batches. With `horizon_s`: independent days that begin empty,
    /// whose doors close at the horizon and whose last customers are served to the end; as many days as bring in
    /// `customers`, at least 40. Measured is who arrives after `warmup_share` of the day, and for `mean_queue` and
    /// `occupancy` the time from then to the horizon.
    #[must_use]
    pub fn simulate(&self) -> QueueResult {
        match self.horizon_s {
            Some(horizon_s) => self.simulate_days(horizon_s),
            None => {
                let plan = Plan::new(self.customers, self.warmup_share);
                let batches = if self.classes.is_empty() {
                    vec![self.first_come(&plan)]
                } else {
                    self.with_lines(&plan)
                };
                self.result(&batches, self.customers, false)
            }
        }
    }

    /// Batches of one sequence of customers without classes.
    pub(super) fn first_come(&self, plan: &Plan) -> Vec<Sums> {
        let mut run = FirstCome::new(self, 0);
        run.batch(plan.warmup);
        (0..plan.batches)
            .map(|_| run.batch(plan.batch_size))
            .collect()
    }

    /// Batches of one sequence of customers, by class.
    pub(super) fn with_lines(&self, plan: &Plan) -> Vec<Vec<Sums>> {
        let mut arrivals = Arrivals::new(self, 0);
        let mut lines = Lines::new(self.servers, arrivals.priorities());
        let classes = self.classes.len().max(1);
        let mut batches = vec![vec![Sums::default(); plan.batches as usize]; classes];
        let mut began_s = 0.0;
        let mut decided = 0;
        let mut number = 0;
        // Others go on arriving until the last one who counts is served or gone: they may overtake.
        while decided < plan.counted() {
            let (customer, priority) = arrivals.next(number);
            lines.arrive(customer, priority, &mut |customer, outcome| {
                let Some(place) = customer.number.checked_sub(plan.warmup) else {
                    return;
                };
                let batch = (place / plan.batch_size) as usize;
                if let Some(sums) = batches[customer.class].get_mut(batch) {
                    decided += 1;
                    sums.count(outcome.wait_s, outcome.waited, outcome.served);
                    sums.queue_s += outcome.wait_s;
                    sums.busy_s += worked_s(customer, outcome);
                }
            });
            number += 1;
            if let Some(place) = number.checked_sub(plan.warmup)
                && place.is_multiple_of(plan.batch_size)
                && place <= plan.counted()
            {
                if place > 0 {
                    let batch = (place / plan.batch_size - 1) as usize;
                    for class in &mut batches {
                        class[batch].duration_s = customer.arrival_s - began_s;
                    }
                }
                began_s = customer.arrival_s;
            }
        }
        batches
    }

    /// Days of their own, put together in up to 640 groups.
    fn simulate_days(&self, horizon_s: f64) -> QueueResult {
        let day = self.arrival_rate_per_s * horizon_s;
        let days = ((self.customers as f64 / day).ceil() as u64).max(FEWEST_BATCHES);
        let groups = days.min(BATCHES);
        let found: Vec<(Vec<Sums>, u64)> = (0..groups)
            .into_par_iter()
            .map(|group| {
                let mut sums = vec![Sums::default(); self.classes.len().max(1)];
                let mut customers = 0;
                for day in (group * days / groups)..((group + 1) * days / groups) {
                    customers += self.day(day + 1, horizon_s, &mut sums);
                }
                (sums, customers)
            })
            .collect();
        let customers = found.iter().map(|(_, customers)| customers).sum();
        let batches: Vec<Vec<Sums>> = (0..self.classes.len().max(1))
            .map(|class| found.iter().map(|(sums, _)| sums[class]).collect())
            .collect();
        self.result(&batches, customers, true)
    }

    /// One day from empty to the horizon; how many customers came.
    fn day(&self, run: u64, horizon_s: f64, sums: &mut [Sums]) -> u64 {
        let mut arrivals = Arrivals::new(self, run);
        let mut lines = Lines::new(self.servers, arrivals.priorities());
        let open_s = horizon_s * self.warmup_share;
        let inside = |from: f64, to: f64| (to.min(horizon_s) - from.max(open_s)).max(0.0);
        let mut done = |customer: &Customer, outcome: Outcome| {
            let sums = &mut sums[customer.class];
            if customer.arrival_s >= open_s {
                sums.count(outcome.wait_s, outcome.waited, outcome.served);
            }
            let leaves_s = customer.arrival_s + outcome.wait_s;
            sums.queue_s += inside(customer.arrival_s, leaves_s);
            sums.busy_s += inside(leaves_s, leaves_s + worked_s(customer, outcome));
        };
        let mut number = 0;
        loop {
            let (customer, priority) = arrivals.next(number);
            if customer.arrival_s > horizon_s {
                break;
            }
            lines.arrive(customer, priority, &mut done);
            number += 1;
        }
        lines.serve_until(f64::INFINITY, &mut done);
        for sums in sums {
            sums.duration_s += horizon_s - open_s;
        }
        number
    }

    fn result(&self, batches: &[Vec<Sums>], customers: u64, independent: bool) -> QueueResult {
        let mut all = batches[0].clone();
        for class in &batches[1..] {
            for (all, sums) in all.iter_mut().zip(class) {
                // The time is one and the same for all classes.
                let duration_s = all.duration_s;
                *all += sums;
                all.duration_s = duration_s;
            }
        }
        let measures = |batches: &[Sums]| {
            Measures::new(batches, self.servers, self.patience.is_some(), independent)
        };
        let classes = self.classes.iter().zip(batches);
        QueueResult {
            measures: measures(&all),
            classes: classes
                .map(|(class, batches)| ClassMeasures {
                    share: class.share,
                    priority: class.priority,
                    measures: measures(batches),
                })
                .collect(),
            customers,
            seed: self.seed,
        }
    }
}

fn worked_s(customer: &Customer, outcome: Outcome) -> f64 {
    if outcome.served {
        customer.service_s
    } else {
        0.0
    }
}

/// Customers one by one, with their class and the line they join.
struct Arrivals {
    draws: Draws,
    now: f64,
    /// Upper end of each class in [0, 1), and its line.
    classes: Vec<(f64, usize)>,
}

impl Arrivals {
    fn new(queue: &Queue, run: u64) -> Self {
        let mut priorities: Vec<u32> = queue.classes.iter().map(|class| class.priority).collect();
        priorities.sort_unstable();
        priorities.dedup();
        let mut upper = 0.0;
        let mut classes: Vec<(f64, usize)> = queue
            .classes
            .iter()
            .map(|class| {
                upper += class.share;
                (upper, priorities.partition_point(|p| *p < class.priority))
            })
            .collect();
        if classes.is_empty() {
            classes.push((1.0, 0));
        }
        Self {
            draws: Draws::new(queue, run),
            now: 0.0,
            classes,
        }
    }

    fn priorities(&self) -> usize {
        1 + self
            .classes
            .iter()
            .map(|(_, line)| *line)
            .max()
            .unwrap_or(0)
    }

    fn next(&mut self, number: u64) -> (Customer, usize) {
        let class = if self.classes.len() == 1 {
            0
        } else {
            let place = self.draws.class();
            let found = self.classes.iter().position(|(upper, _)| place < *upper);
            // The shares may sum to a hair below 1.
            found.unwrap_or(self.classes.len() - 1)
        };
        let stretch = self.draws.next(1);
        self.now += stretch.gaps[0];
        let customer = Customer {
            number,
            class,
            arrival_s: self.now,
            service_s: stretch.services[0],
            patience_s: stretch.patiences[0],
        };
        (customer, self.classes[class].1)
    }
}
