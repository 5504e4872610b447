//! How long the queue remembers a policy that no longer decides.
//!
//! Two runs with the same customers, one with history A and one with history B, are switched to the same policy at the same
//! moment. What differs from then on is memory: customers who still wait, people who are still busy, conversations that go
//! on under the policy they began with.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::super::engine::{Centre, Happening};
use super::contest::Contest;
use super::error::DesignError;
use super::estimate::{Estimate, Winner};

/// How the queue is watched.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Watch {
    /// Seconds between two switches of a replica.
    pub spacing_s: f64,
    /// Seconds for which the queue is watched after each.
    pub horizon_s: f64,
    /// Seconds over which differences are averaged.
    pub bin_s: f64,
}

impl Default for Watch {
    fn default() -> Self {
        Self {
            spacing_s: 7_200.0,
            horizon_s: 4.0 * 3_600.0,
            bin_s: 120.0,
        }
    }
}

/// What is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Customers in the queues for people.
    Waiting,
    /// Slots of people in use.
    Busy,
}

/// How one measure's difference between the histories fades under one policy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RelaxationCurve {
    /// What is watched.
    pub measure: Measure,
    /// The policy that decides after the switch.
    pub after: Winner,
    /// History B − history A in the bin that ends with the switch; its units are replicas.
    pub at_switch: Estimate,
    /// Mean difference in each bin after the switch.
    pub differences: Vec<f64>,
    /// Seconds until the difference is below 5 % of the one at the switch; `None` when there is none at the switch, or when
    /// it stays above over the whole horizon.
    pub seconds: Option<f64>,
}

/// The relaxation time of a centre's queue between two policies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Relaxation {
    /// The longest of the curves' times; `None` when the histories do not differ.
    pub seconds: Option<f64>,
    /// Switches watched, all replicas together.
    pub switches: u64,
    /// How they were watched.
    pub watch: Watch,
    /// Waiting and busy, after a switch to A and to B.
    pub curves: Vec<RelaxationCurve>,
}

/// Share of the difference at the switch that counts as forgotten.
const FORGOTTEN: f64 = 0.05;

/// Customers waiting and people busy when somebody arrives.
type Seen = (f64, [f64; 2]);

/// What those saw who arrived around one switch of one history.
struct Around {
    /// In the bin before it.
    before: Vec<Seen>,
    /// After it, under A and under B.
    after: [Vec<Seen>; 2],
}

/// Differences of waiting and busy, and over how many arrivals they are summed.
#[derive(Debug, Clone, Copy, Default)]
struct Sum([f64; 2], u64);

impl Sum {
    /// The same customer arrives at the same second in both histories.
    fn add(&mut self, (a, b): (&Seen, &Seen)) {
        self.1 += 1;
        for m in [0, 1] {
            self.0[m] += b.1[m] - a.1[m];
        }
    }

    fn mean(&self, m: usize) -> f64 {
        self.0[m] / self.1 as f64
    }
}

/// Sums over the switches of a replica.
#[derive(Debug, Clone)]
struct Sums {
    switches: u64,
    at_switch: Sum,
    /// By policy after the switch.
    bins: [Vec<Sum>; 2],
}

impl Contest<'_> {
    /// How long the queue remembers: time until the mean difference of customers waiting, and of people busy, between
    /// history A and history B has fallen below 5 % of its value at the switch, whichever policy decides after it.
    ///
    /// Means are over all switches of all replicas, seen by arriving customers, which for Poisson arrivals are means over
    /// time; the value at the switch is the mean over the bin before it. A measure counts when its difference at the switch is shown (its interval over replicas does not hold 0).
    ///
    /// # Errors
    /// [`DesignError::NeverRelaxes`] when a difference is still above 5 % at the end of the horizon, and errors for what
    /// cannot be watched.
    /// # Source
    /// Wolff, Operations Research 30, 1982 (arrivals see time averages).
    pub fn relaxation(&self, watch: &Watch) -> Result<Relaxation, DesignError> {
        let relaxation = self.watch(watch)?;
        let lasting = relaxation.curves.iter().any(|curve| {
            curve.seconds.is_none() && Winner::of(&curve.at_switch) != Winner::Undecided
        });
        if lasting {
            return Err(DesignError::NeverRelaxes {
                horizon_s: watch.horizon_s,
            });
        }
        Ok(relaxation)
    }

    /// The curves of [`Contest::relaxation`], whether or not they end below 5 %.
    ///
    /// # Errors
    /// [`DesignError`] for what cannot be watched.
    pub fn watch(&self, watch: &Watch) -> Result<Relaxation, DesignError> {
        self.check()?;
        for (key, value) in [
            ("watch.spacing_s", watch.spacing_s),
            ("watch.horizon_s", watch.horizon_s),
            ("watch.bin_s", watch.bin_s),
        ] {
            if !(value > 0.0 && value.is_finite()) {
                return Err(DesignError::Seconds { key, value });
            }
        }
        let (from_s, to_s) = self.stage.counted_s();
        let switches: Vec<f64> = (0..)
            .map(|i| f64::from(i).mul_add(watch.spacing_s, from_s + watch.bin_s))
            .take_while(|at_s| at_s + watch.horizon_s <= to_s)
            .collect();
        if switches.is_empty() {
            return Err(DesignError::NoSwitch {
                counted_s: to_s - from_s,
                horizon_s: watch.horizon_s,
            });
        }
        let replicas = self.map(|seed| self.remember(seed, &switches, watch));
        if let Some(replica) = replicas.iter().position(|sums| sums.at_switch.1 == 0) {
            return Err(DesignError::EmptyArm { arm: 'A', replica });
        }
        let mut curves = Vec::new();
        for (after, policy) in [Winner::A, Winner::B].into_iter().enumerate() {
            for (m, measure) in [Measure::Waiting, Measure::Busy].into_iter().enumerate() {
                curves.push(self.curve(&replicas, (after, policy), (m, measure), watch));
            }
        }
        Ok(Relaxation {
            seconds: curves
                .iter()
                .filter_map(|curve| curve.seconds)
                .reduce(f64::max),
            switches: replicas.iter().map(|sums| sums.switches).sum(),
            watch: *watch,
            curves,
        })
    }

    fn curve(
        &self,
        replicas: &[Sums],
        (after, policy): (usize, Winner),
        (m, measure): (usize, Measure),
        watch: &Watch,
    ) -> RelaxationCurve {
        let starts: Vec<f64> = replicas.iter().map(|sums| sums.at_switch.mean(m)).collect();
        let at_switch = Estimate::of(&starts, self.level);
        let differences: Vec<f64> = (0..replicas[0].bins[after].len())
            .map(|bin| {
                let (sum, n) = replicas.iter().fold((0.0, 0), |(sum, n), sums| {
                    let of = &sums.bins[after][bin];
                    (sum + of.0[m], n + of.1)
                });
                if n > 0 { sum / n as f64 } else { 0.0 }
            })
            .collect();
        let shown = Winner::of(&at_switch) != Winner::Undecided;
        RelaxationCurve {
            measure,
            after: policy,
            seconds: shown
                .then(|| forgotten(at_switch.value, &differences, watch.bin_s))
                .flatten(),
            at_switch,
            differences,
        }
    }

    /// Both histories of a replica, each switched to A and to B at every switch.
    fn remember(&self, seed: u64, switches: &[f64], watch: &Watch) -> Sums {
        let [a, b] = [0, 1].map(|history| self.history(seed, history, switches, watch));
        let bins = (watch.horizon_s / watch.bin_s).ceil() as usize;
        let mut sums = Sums {
            switches: switches.len() as u64,
            at_switch: Sum::default(),
            bins: [0, 1].map(|_| vec![Sum::default(); bins]),
        };
        for ((switch_s, a), b) in switches.iter().zip(&a).zip(&b) {
            a.before
                .iter()
                .zip(&b.before)
                .for_each(|pair| sums.at_switch.add(pair));
            for after in [0, 1] {
                for pair in a.after[after].iter().zip(&b.after[after]) {
                    let bin = ((pair.0.0 - switch_s) / watch.bin_s) as usize;
                    if let Some(sum) = sums.bins[after].get_mut(bin) {
                        sum.add(pair);
                    }
                }
            }
        }
        sums
    }

    /// One run under one policy; around each switch, what arriving customers see before it, and after it under A and B.
    fn history(&self, seed: u64, history: u8, switches: &[f64], watch: &Watch) -> Vec<Around> {
        let mut centre = Centre::new(Arc::clone(self.stage), seed, 2);
        let mut around = Vec::with_capacity(switches.len());
        let mut before = Vec::new();
        while around.len() < switches.len() {
            match centre.advance() {
                Happening::Decision(slot) => {
                    if centre.is_first(slot) {
                        let now_s = centre.now_s();
                        while let Some(switch_s) = switches.get(around.len()) {
                            if now_s < *switch_s {
                                if now_s >= switch_s - watch.bin_s {
                                    before.push(seen(&centre));
                                }
                                break;
                            }
                            // The last moment at which the future is open: the first arrival after the switch.
                            let until_s = switch_s + watch.horizon_s;
                            let fork = |after| self.fork(centre.clone(), slot, after, until_s);
                            around.push(Around {
                                before: std::mem::take(&mut before),
                                after: [fork(0), fork(1)],
                            });
                        }
                        centre.assign(slot, history);
                    }
                    self.decide(&mut centre, slot);
                }
                Happening::Closed(..) => {}
                Happening::Over => break,
            }
        }
        around
    }

    /// Goes on from an arrival under a policy for newcomers; those who were there keep theirs.
    fn fork(&self, mut centre: Centre, slot: u32, after: u8, until_s: f64) -> Vec<Seen> {
        let mut sight = Vec::new();
        let mut due = Some(slot);
        loop {
            let slot = match due.take() {
                Some(slot) => slot,
                None => match centre.advance() {
                    Happening::Decision(slot) => slot,
                    Happening::Closed(..) => continue,
                    Happening::Over => return sight,
                },
            };
            if centre.is_first(slot) {
                if centre.now_s() >= until_s {
                    return sight;
                }
                sight.push(seen(&centre));
                centre.assign(slot, after);
            }
            self.decide(&mut centre, slot);
        }
    }

    fn decide(&self, centre: &mut Centre, slot: u32) {
        let tier = centre
            .settled(slot)
            .unwrap_or_else(|| self.choose(centre, slot, centre.arm(slot)));
        centre.act(slot, tier);
    }
}

/// What a customer sees who arrives now.
fn seen(centre: &Centre) -> Seen {
    let busy: i32 = centre.people.groups.iter().map(|group| group.busy).sum();
    (
        centre.now_s(),
        [f64::from(centre.in_queue()), f64::from(busy)],
    )
}

/// Seconds until the differences fall below 5 % of the first, interpolated between the middles of bins.
fn forgotten(at_switch: f64, differences: &[f64], bin_s: f64) -> Option<f64> {
    let mut last = (0.0, 1.0);
    for (bin, difference) in differences.iter().enumerate() {
        let share = (difference / at_switch).abs();
        let middle_s = (bin as f64 + 0.5) * bin_s;
        if share < FORGOTTEN {
            let (before_s, before) = last;
            return Some(
                before_s + (middle_s - before_s) * (before - FORGOTTEN) / (before - share),
            );
        }
        last = (middle_s, share);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exponential_memory_is_forgotten_after_ln_20_time_constants() {
        let bins: Vec<f64> = (0..200)
            .map(|bin| -8.0 * (-(f64::from(bin) + 0.5) * 60.0 / 600.0).exp())
            .collect();
        // ln 20 · 600 s; the line between two bins lies a little above the curve.
        let seconds = forgotten(-8.0, &bins, 60.0).unwrap();
        assert!((seconds - 20.0_f64.ln() * 600.0).abs() < 2.0, "{seconds}");
        assert_eq!(forgotten(1.0, &[1.0, 0.9, 0.8], 60.0), None);
    }
}
