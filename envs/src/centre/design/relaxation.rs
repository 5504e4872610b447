//! How long the queue remembers a policy that no longer decides.
//!
//! Two runs with the same customers, one with history A and one with history B, are switched to the same policy at the same
//! moment. What differs from then on is memory: customers who still wait, people who are still busy, conversations that go
//! on under the policy they began with.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::super::conversation::Closed;
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
    /// History B − history A at the switch; its units are replicas.
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

/// Sums over the switches of a replica, for one policy after the switch.
#[derive(Debug, Clone)]
struct Sums {
    switches: u64,
    at_switch: [f64; 2],
    bins: Vec<([f64; 2], u64)>,
}

impl Contest<'_> {
    /// How long the queue remembers: time until the mean difference of customers waiting, and of people busy, between
    /// history A and history B has fallen below 5 % of its value at the switch, whichever policy decides after it.
    ///
    /// Means are over all switches of all replicas, seen by arriving customers, which for Poisson arrivals are means over
    /// time. A measure counts when its difference at the switch is shown (its interval over replicas does not hold 0).
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
            .map(|i| f64::from(i).mul_add(watch.spacing_s, from_s))
            .take_while(|at_s| at_s + watch.horizon_s <= to_s)
            .collect();
        if switches.is_empty() {
            return Err(DesignError::NoSwitch {
                counted_s: to_s - from_s,
                horizon_s: watch.horizon_s,
            });
        }
        let replicas = self.map(|seed| self.remember(seed, &switches, watch));
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
            switches: replicas.iter().map(|[a, _]| a.switches).sum(),
            watch: *watch,
            curves,
        })
    }

    fn curve(
        &self,
        replicas: &[[Sums; 2]],
        (after, policy): (usize, Winner),
        (m, measure): (usize, Measure),
        watch: &Watch,
    ) -> RelaxationCurve {
        let starts: Vec<f64> = replicas
            .iter()
            .map(|sums| sums[after].at_switch[m] / sums[after].switches.max(1) as f64)
            .collect();
        let at_switch = Estimate::of(&starts, self.level);
        let bins = replicas[0][after].bins.len();
        let differences: Vec<f64> = (0..bins)
            .map(|bin| {
                let (sum, n) = replicas.iter().fold((0.0, 0), |(sum, n), sums| {
                    let (sums, seen) = &sums[after].bins[bin];
                    (sum + sums[m], n + seen)
                });
                if n > 0 { sum / n as f64 } else { f64::NAN }
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
    fn remember(&self, seed: u64, switches: &[f64], watch: &Watch) -> [Sums; 2] {
        let [a, b] = [0, 1].map(|history| self.history(seed, history, switches, watch.horizon_s));
        let bins = (watch.horizon_s / watch.bin_s).ceil() as usize;
        let mut sums = [0, 1].map(|_| Sums {
            switches: 0,
            at_switch: [0.0; 2],
            bins: vec![([0.0; 2], 0); bins],
        });
        for ((switch_s, a), b) in switches.iter().zip(&a).zip(&b) {
            for after in [0, 1] {
                let sums = &mut sums[after];
                for (position, (a, b)) in a[after].iter().zip(&b[after]).enumerate() {
                    // The same customer arrives at the same second in both histories.
                    let difference = [0, 1].map(|m: usize| b.1[m] - a.1[m]);
                    let bin = ((a.0 - switch_s) / watch.bin_s) as usize;
                    let Some((sum, n)) = sums.bins.get_mut(bin) else {
                        break;
                    };
                    *n += 1;
                    for m in [0, 1] {
                        sum[m] += difference[m];
                        if position == 0 {
                            sums.at_switch[m] += difference[m];
                        }
                    }
                    sums.switches += u64::from(position == 0);
                }
            }
        }
        sums
    }

    /// One run under one policy; at each switch, what arriving customers see after it under A and under B.
    fn history(
        &self,
        seed: u64,
        history: u8,
        switches: &[f64],
        horizon_s: f64,
    ) -> Vec<[Vec<Seen>; 2]> {
        let mut centre = Centre::new(Arc::clone(self.stage), seed, 2);
        let mut forks = Vec::with_capacity(switches.len());
        while forks.len() < switches.len() {
            match centre.advance() {
                Happening::Decision(slot) => {
                    if centre.is_first(slot) {
                        // The last moment at which the future is open: the first arrival after the switch.
                        while let Some(switch_s) = switches.get(forks.len())
                            && *switch_s <= centre.now_s()
                        {
                            let until_s = switch_s + horizon_s;
                            let fork = |after| self.fork(centre.clone(), slot, history, after, until_s);
                            forks.push([fork(0), fork(1)]);
                        }
                        centre.assign(slot, history);
                    }
                    self.decide(&mut centre, slot);
                }
                Happening::Closed(_, Closed { .. }) => {}
                Happening::Over => break,
            }
        }
        forks
    }

    /// Goes on from an arrival under a policy for newcomers; those who were there keep theirs.
    fn fork(&self, mut centre: Centre, slot: u32, history: u8, after: u8, until_s: f64) -> Vec<Seen> {
        let mut seen = Vec::new();
        let mut due = Some(slot);
        loop {
            let slot = match due.take() {
                Some(slot) => slot,
                None => match centre.advance() {
                    Happening::Decision(slot) => slot,
                    Happening::Closed(..) => continue,
                    Happening::Over => return seen,
                },
            };
            if centre.is_first(slot) {
                if centre.now_s() >= until_s {
                    return seen;
                }
                let busy: i32 = centre.people.groups.iter().map(|group| group.busy).sum();
                seen.push((centre.now_s(), [f64::from(centre.in_queue()), f64::from(busy)]));
                centre.assign(slot, after);
            } else {
                debug_assert!(centre.arm(slot) == history || centre.arm(slot) == after);
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

/// Seconds until the differences fall below 5 % of the first, interpolated between the middles of bins.
fn forgotten(at_switch: f64, differences: &[f64], bin_s: f64) -> Option<f64> {
    let limit = FORGOTTEN;
    let mut last = (0.0, 1.0);
    for (bin, difference) in differences.iter().enumerate() {
        let share = (difference / at_switch).abs();
        if share.is_nan() {
            continue;
        }
        let middle_s = (bin as f64 + 0.5) * bin_s;
        if share < limit {
            let (before_s, before) = last;
            return Some(before_s + (middle_s - before_s) * (before - limit) / (before - share));
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
