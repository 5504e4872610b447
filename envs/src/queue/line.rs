//! Lines of several priorities before the same servers.
//!
//! No list of events is needed here either: before each arrival, servers that became free take from the most urgent line.
//! Who has left in the meantime is found when their turn comes, which changes nothing for the others.

use std::collections::VecDeque;

use super::free_times::FreeTimes;

/// A customer on arrival.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Customer {
    /// Position in the run, from 0.
    pub(super) number: u64,
    /// Index of the class.
    pub(super) class: usize,
    pub(super) arrival_s: f64,
    pub(super) service_s: f64,
    pub(super) patience_s: f64,
}

/// What became of a customer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Outcome {
    pub(super) wait_s: f64,
    /// Found every server busy.
    pub(super) waited: bool,
    pub(super) served: bool,
}

/// Servers, and a line for each priority.
#[derive(Debug, Clone)]
pub(super) struct Lines {
    free: FreeTimes,
    /// Most urgent first.
    lines: Vec<VecDeque<Customer>>,
    waiting: usize,
}

impl Lines {
    /// Idle servers and empty lines.
    pub(super) fn new(servers: u32, priorities: usize) -> Self {
        Self {
            free: FreeTimes::new(servers),
            lines: vec![VecDeque::new(); priorities],
            waiting: 0,
        }
    }

    /// Lets servers that are free by `time` take who waits, in order. Everybody whose fate is decided goes to `done`.
    pub(super) fn serve_until(&mut self, time: f64, done: &mut impl FnMut(&Customer, Outcome)) {
        while self.waiting > 0 {
            let free = self.free.earliest();
            if free > time {
                return;
            }
            let head = self.lines.iter_mut().find_map(VecDeque::pop_front);
            let customer = head.expect("somebody waits");
            self.waiting -= 1;
            let wait_s = free - customer.arrival_s;
            if wait_s > customer.patience_s {
                done(&customer, left(&customer));
            } else {
                self.free.replace_earliest(free + customer.service_s);
                let outcome = Outcome {
                    wait_s,
                    waited: true,
                    served: true,
                };
                done(&customer, outcome);
            }
        }
    }

    /// A customer arrives and is served at once or joins the line of a priority (its index, most urgent first).
    pub(super) fn arrive(
        &mut self,
        customer: Customer,
        priority: usize,
        done: &mut impl FnMut(&Customer, Outcome),
    ) {
        let now = customer.arrival_s;
        self.serve_until(now, done);
        if self.free.earliest() <= now {
            self.free.replace_earliest(now + customer.service_s);
            let outcome = Outcome {
                wait_s: 0.0,
                waited: false,
                served: true,
            };
            done(&customer, outcome);
            return;
        }
        // Lines that servers never reach would fill with people who left long ago.
        let line = &mut self.lines[priority];
        while let Some(head) = line.front()
            && now - head.arrival_s > head.patience_s
        {
            done(head, left(head));
            line.pop_front();
            self.waiting -= 1;
        }
        line.push_back(customer);
        self.waiting += 1;
    }
}

fn left(customer: &Customer) -> Outcome {
    Outcome {
        wait_s: customer.patience_s,
        waited: true,
        served: false,
    }
}
