//! Exact discounted values, undiscounted values of episodes, and the policies that maximise them.

use super::chain::Chain;
use super::linear::Matrix;
use super::{FinitePolicy, Mdp, MdpError};

/// Most states solved by dense elimination: 4,096² numbers are 128 MiB.
pub(super) const MAX_SOLVED_STATES: usize = 4096;

/// An optimal policy and its values.
#[derive(Debug, Clone, PartialEq)]
pub struct Optimum {
    /// The best action of each state; ties go to the action found first.
    pub policy: Vec<usize>,
    /// Value of each state; 0 for terminal ones.
    pub values: Vec<f64>,
    /// Mean value over the start states.
    pub start_value: f64,
}

impl Mdp {
    /// Value of each state under `policy`: V = r + γ P V, solved directly.
    ///
    /// With `discount` = 1 this is the expected sum of rewards until the episode ends. Loops that never end are fine as long
    /// as they collect nothing.
    ///
    /// # Errors
    /// [`MdpError::Policy`] for a policy of another process, [`MdpError::Value`] for a discount outside [0, 1],
    /// [`MdpError::NeverEnds`], [`MdpError::Singular`], [`MdpError::TooLarge`].
    pub fn policy_values(
        &self,
        policy: &FinitePolicy,
        discount: f64,
    ) -> Result<Vec<f64>, MdpError> {
        self.values_on(policy, discount, None)
    }

    /// Mean value of `policy` over the start states; looks only at states it can reach.
    ///
    /// # Errors
    /// As [`Mdp::policy_values`].
    pub fn start_value(&self, policy: &FinitePolicy, discount: f64) -> Result<f64, MdpError> {
        let values = self.values_on(policy, discount, Some(&self.initial))?;
        Ok(self.mean_start(&values))
    }

    /// Q(s, a) = r(s, a) + γ Σ p(s′) V(s′) for each pair, states × actions; masked pairs hold −∞.
    #[must_use]
    pub fn action_values(&self, values: &[f64], discount: f64) -> Vec<f64> {
        let mut table = vec![f64::NEG_INFINITY; self.states * self.actions];
        for state in (0..self.states).filter(|&s| !self.terminal[s]) {
            for action in self.allowed(state) {
                table[state * self.actions + action] = self.backup(values, discount, state, action);
            }
        }
        table
    }

    /// A policy of highest value, by policy iteration: finitely many exact evaluations, no tolerance on the values.
    ///
    /// With `discount` = 1 the search is among policies that end each episode; it starts from one and each improvement
    /// ends too.
    ///
    /// # Errors
    /// As [`Mdp::policy_values`]; [`MdpError::NoWayOut`] with `discount` = 1 when a state cannot end at all.
    /// # Source
    /// Howard, Dynamic Programming and Markov Processes, 1960; for γ = 1 Bertsekas & Tsitsiklis, Math. Oper. Res. 1991.
    pub fn optimum(&self, discount: f64) -> Result<Optimum, MdpError> {
        let mut policy = if discount == 1.0 {
            self.ending_policy()?
        } else {
            self.myopic_policy()
        };
        loop {
            let values =
                self.policy_values(&FinitePolicy::deterministic(self, &policy)?, discount)?;
            let mut changed = false;
            for state in (0..self.states).filter(|&s| !self.terminal[s]) {
                let held = self.backup(&values, discount, state, policy[state]);
                // Rounding of the solution may favour an equal action; without this margin iteration could cycle.
                let mut best = held + 1e-10 * held.abs().max(1.0);
                for action in self.allowed(state) {
                    let value = self.backup(&values, discount, state, action);
                    if value > best {
                        (best, policy[state], changed) = (value, action, true);
                    }
                }
            }
            if !changed {
                let start_value = self.mean_start(&values);
                return Ok(Optimum {
                    policy,
                    values,
                    start_value,
                });
            }
        }
    }

    fn values_on(
        &self,
        policy: &FinitePolicy,
        discount: f64,
        from: Option<&[(usize, f64)]>,
    ) -> Result<Vec<f64>, MdpError> {
        policy.fits(self)?;
        if !(0.0..=1.0).contains(&discount) {
            return Err(MdpError::Value {
                place: "discount".to_owned(),
                value: discount.to_string(),
                expected: "a number in [0, 1]".to_owned(),
            });
        }
        let chain = Chain::new(self, policy, from);
        let n = chain.states.len();
        if n > MAX_SOLVED_STATES {
            return Err(MdpError::TooLarge {
                states: n,
                limit: MAX_SOLVED_STATES,
            });
        }
        let mut solved = chain.reward.clone();
        let mut worthless = vec![false; n];
        if discount == 1.0 {
            for class in chain.recurrent_classes() {
                for i in class {
                    if chain.reward[i] != 0.0 {
                        return Err(MdpError::NeverEnds {
                            state: chain.states[i],
                        });
                    }
                    worthless[i] = true;
                }
            }
        }
        let mut matrix = Matrix::identity(n);
        for i in (0..n).filter(|&i| !worthless[i]) {
            for &(next, p) in &chain.next[i] {
                if let Some(j) = chain.index[next] {
                    *matrix.at(i, j) -= discount * p;
                }
            }
        }
        matrix.solve(&mut solved).map_err(|i| MdpError::Singular {
            state: chain.states[i],
            discount,
        })?;
        let mut values = vec![0.0; self.states];
        for (&state, value) in chain.states.iter().zip(solved) {
            values[state] = value;
        }
        Ok(values)
    }

    /// A policy that reaches a terminal state from everywhere: each state takes the lowest action that may lead nearer.
    fn ending_policy(&self) -> Result<Vec<usize>, MdpError> {
        let mut policy = vec![0; self.states];
        let mut ends = self.terminal.clone();
        loop {
            let nearer: Vec<(usize, usize)> = (0..self.states)
                .filter(|&s| !ends[s])
                .filter_map(|s| {
                    let leads =
                        |&a: &usize| self.outcomes(s, a).iter().any(|&(next, _)| ends[next]);
                    self.allowed(s).find(leads).map(|a| (s, a))
                })
                .collect();
            if nearer.is_empty() {
                break;
            }
            for (state, action) in nearer {
                (policy[state], ends[state]) = (action, true);
            }
        }
        match ends.iter().position(|&e| !e) {
            Some(state) => Err(MdpError::NoWayOut { state }),
            None => Ok(policy),
        }
    }

    pub(super) fn backup(&self, values: &[f64], discount: f64, state: usize, action: usize) -> f64 {
        let ahead: f64 = self
            .outcomes(state, action)
            .iter()
            .map(|&(next, p)| p * values[next])
            .sum();
        self.reward(state, action) + discount * ahead
    }

    fn mean_start(&self, values: &[f64]) -> f64 {
        self.initial
            .iter()
            .map(|&(state, p)| p * values[state])
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{MdpBuilder, TransitionRow};
    use super::*;

    /// Two states, action 0 stays, action 1 moves; staying in state 1 pays 2, in state 0 pays 1, moving costs nothing.
    fn two(discount: f64) -> Mdp {
        MdpBuilder {
            discount,
            state_count: 2,
            action_count: 2,
            initial: vec![(0, 1.0)],
            transitions: vec![
                TransitionRow::new(0, 0, 1.0, vec![(0, 1.0)]),
                TransitionRow::new(0, 1, 0.0, vec![(1, 1.0)]),
                TransitionRow::new(1, 0, 2.0, vec![(1, 1.0)]),
                TransitionRow::new(1, 1, 0.0, vec![(0, 1.0)]),
            ],
            ..MdpBuilder::default()
        }
        .build()
        .unwrap()
    }

    #[test]
    fn values_and_optimum_follow_the_closed_form() {
        // Staying: 1/(1-γ). Moving: γ·2/(1-γ). Moving wins above γ = 1/2.
        for (discount, policy) in [(0.0, [0, 0]), (0.4, [0, 0]), (0.6, [1, 0]), (0.99, [1, 0])] {
            let mdp = two(discount);
            let optimum = mdp.optimum(discount).unwrap();
            assert_eq!(optimum.policy, policy);
            let ahead = 1.0 / (1.0 - discount);
            assert!((optimum.start_value - ahead.max(2.0 * discount * ahead)).abs() < 1e-9);
            assert!((optimum.values[1] - 2.0 * ahead).abs() < 1e-9);
            let stay = FinitePolicy::deterministic(&mdp, &[0, 0]).unwrap();
            assert!((mdp.start_value(&stay, discount).unwrap() - ahead).abs() < 1e-9);
        }
        assert_eq!(two(0.9).myopic_policy(), [0, 0]);
    }

    #[test]
    fn a_stochastic_policy_is_averaged_over_its_actions() {
        // Uniform in both states: V0 = ½(1 + γV0) + ½γV1 and V1 = ½(2 + γV1) + ½γV0; with γ = ½: V0 = 1.25, V1 = 1.75.
        let mdp = two(0.5);
        let values = mdp
            .policy_values(&FinitePolicy::uniform(&mdp), 0.5)
            .unwrap();
        assert!((values[0] - 1.25).abs() < 1e-12 && (values[1] - 1.75).abs() < 1e-12);
    }

    #[test]
    fn undiscounted_values_need_an_end_or_no_reward() {
        let mdp = two(1.0);
        assert!(matches!(
            mdp.optimum(1.0),
            Err(MdpError::NoWayOut { state: 0 })
        ));
        let stay = FinitePolicy::deterministic(&mdp, &[0, 0]).unwrap();
        assert!(matches!(
            mdp.start_value(&stay, 1.0),
            Err(MdpError::NeverEnds { state: 0 })
        ));
        let circle = FinitePolicy::deterministic(&mdp, &[1, 1]).unwrap();
        assert_eq!(mdp.policy_values(&circle, 1.0).unwrap(), [0.0, 0.0]);
    }

    #[test]
    fn a_geometric_episode_is_worth_its_mean_length() {
        // Each step pays 1 and ends with probability 0.1: ten steps on average.
        let mdp = MdpBuilder {
            discount: 1.0,
            state_count: 2,
            action_count: 1,
            initial: vec![(0, 1.0)],
            terminal: vec![1],
            transitions: vec![TransitionRow::new(0, 0, 1.0, vec![(0, 0.9), (1, 0.1)])],
            ..MdpBuilder::default()
        }
        .build()
        .unwrap();
        assert!((mdp.optimum(1.0).unwrap().start_value - 10.0).abs() < 1e-9);
        assert_eq!(mdp.action_values(&[10.0, 0.0], 1.0)[..1], [10.0]);
    }

    #[test]
    fn misfits_are_refused() {
        let mdp = two(0.5);
        assert!(matches!(
            FinitePolicy::deterministic(&mdp, &[0]),
            Err(MdpError::Policy { .. })
        ));
        assert!(matches!(
            FinitePolicy::deterministic(&mdp, &[0, 2]),
            Err(MdpError::Policy { .. })
        ));
        assert!(matches!(
            FinitePolicy::stochastic(&mdp, vec![0.5, 0.4, 0.5, 0.5]),
            Err(MdpError::Policy { .. })
        ));
        let uniform = FinitePolicy::uniform(&mdp);
        assert!(matches!(
            mdp.start_value(&uniform, 1.5),
            Err(MdpError::Value { .. })
        ));
    }
}
