//! Average reward per second in the long run, and the policy that maximises it.

use super::chain::Chain;
use super::linear::Matrix;
use super::value::MAX_SOLVED_STATES;
use super::{FinitePolicy, Mdp, MdpError};

/// The policy of highest average reward.
#[derive(Debug, Clone, PartialEq)]
pub struct AverageOptimum {
    /// The best action of each state; states that cannot be reached keep their myopic action.
    pub policy: Vec<usize>,
    /// Average reward per second (per step where every step takes one second).
    pub average_reward: f64,
    /// Differential value of each state against the first reachable one; 0 for states that cannot be reached.
    pub differential_values: Vec<f64>,
}

impl Mdp {
    /// Long-run share of steps spent in each state under `policy`, from the start states: ν = ν P, Σ ν = 1.
    ///
    /// # Errors
    /// [`MdpError::NotUnichain`] when chance decides between several recurrent classes, [`MdpError::Episodic`] when there are
    /// terminal states, [`MdpError::Policy`], [`MdpError::TooLarge`].
    pub fn stationary_distribution(&self, policy: &FinitePolicy) -> Result<Vec<f64>, MdpError> {
        policy.fits(self)?;
        self.never_ends()?;
        let chain = Chain::new(self, policy, Some(&self.initial));
        let class = single_class(&chain)?;
        let n = class.len();
        if n > MAX_SOLVED_STATES {
            return Err(MdpError::TooLarge {
                states: n,
                limit: MAX_SOLVED_STATES,
            });
        }
        let mut place = vec![None; chain.states.len()];
        class
            .iter()
            .enumerate()
            .for_each(|(position, &i)| place[i] = Some(position));
        // (I − Pᵀ) ν = 0 has rank n − 1; its last equation gives way to Σ ν = 1.
        let mut matrix = Matrix::identity(n);
        for (column, &i) in class.iter().enumerate() {
            for &(next, p) in &chain.next[i] {
                let row = chain.index[next]
                    .and_then(|j| place[j])
                    .expect("a closed class is never left");
                *matrix.at(row, column) -= p;
            }
        }
        let mut share = vec![0.0; n];
        for column in 0..n {
            *matrix.at(n - 1, column) = 1.0;
        }
        share[n - 1] = 1.0;
        matrix.solve(&mut share).map_err(|i| MdpError::Singular {
            state: chain.states[class[i]],
            discount: 1.0,
        })?;
        let mut distribution = vec![0.0; self.states];
        for (&i, p) in class.iter().zip(share) {
            distribution[chain.states[i]] = p;
        }
        Ok(distribution)
    }

    /// Average reward per second of `policy`: Σ ν(s) r(s) / Σ ν(s) τ(s), with τ the seconds per step.
    ///
    /// # Errors
    /// As [`Mdp::stationary_distribution`].
    pub fn average_reward(&self, policy: &FinitePolicy) -> Result<f64, MdpError> {
        let distribution = self.stationary_distribution(policy)?;
        let (mut reward, mut seconds) = (0.0, 0.0);
        for (state, share) in distribution
            .iter()
            .enumerate()
            .filter(|&(_, &share)| share != 0.0)
        {
            for action in self.allowed(state) {
                let p = share * policy.row(state)[action];
                reward += p * self.reward(state, action);
                seconds += p * self.elapsed_s(state, action);
            }
        }
        Ok(reward / seconds)
    }

    /// The policy of highest average reward per second, by Howard's policy iteration for unichain (semi-)Markov processes.
    ///
    /// Each evaluation solves h + ρ τ = r + P h with h = 0 in one state; an action improves when r − ρ τ + P h exceeds h.
    /// Only states that some policy reaches from the start count.
    ///
    /// # Errors
    /// As [`Mdp::stationary_distribution`], for any policy met on the way.
    /// # Source
    /// Howard 1960; Puterman, Markov Decision Processes, 1994, sections 8.6 and 11.4.
    pub fn average_optimum(&self) -> Result<AverageOptimum, MdpError> {
        self.never_ends()?;
        let anywhere = Chain::new(self, &FinitePolicy::uniform(self), Some(&self.initial));
        if anywhere.states.len() > MAX_SOLVED_STATES {
            return Err(MdpError::TooLarge {
                states: anywhere.states.len(),
                limit: MAX_SOLVED_STATES,
            });
        }
        let mut policy = self.myopic_policy();
        loop {
            let (average_reward, differential_values) = self.differential(&anywhere, &policy)?;
            let mut changed = false;
            for &state in &anywhere.states {
                let advantage = |action| {
                    self.backup(&differential_values, 1.0, state, action)
                        - average_reward * self.elapsed_s(state, action)
                };
                let held = advantage(policy[state]);
                let mut best = held + 1e-10 * held.abs().max(1.0);
                for action in self.allowed(state) {
                    if advantage(action) > best {
                        (best, policy[state], changed) = (advantage(action), action, true);
                    }
                }
            }
            if !changed {
                return Ok(AverageOptimum {
                    policy,
                    average_reward,
                    differential_values,
                });
            }
        }
    }

    /// Solves for ρ and h over `states` of `anywhere`; the unknown ρ takes the place of h in a recurrent state.
    fn differential(
        &self,
        anywhere: &Chain,
        policy: &[usize],
    ) -> Result<(f64, Vec<f64>), MdpError> {
        let everywhere: Vec<(usize, f64)> = anywhere.states.iter().map(|&s| (s, 1.0)).collect();
        let chain = Chain::new(
            self,
            &FinitePolicy::deterministic(self, policy)?,
            Some(&everywhere),
        );
        let pinned = single_class(&chain)?[0];
        let n = chain.states.len();
        let mut matrix = Matrix::identity(n);
        for i in 0..n {
            for &(next, p) in &chain.next[i] {
                let j = chain.index[next].expect("reachable states lead to reachable states");
                *matrix.at(i, j) -= p;
            }
        }
        for i in 0..n {
            *matrix.at(i, pinned) = chain.elapsed_s[i];
        }
        let mut solved = chain.reward.clone();
        matrix.solve(&mut solved).map_err(|i| MdpError::Singular {
            state: chain.states[i],
            discount: 1.0,
        })?;
        let average_reward = std::mem::replace(&mut solved[pinned], 0.0);
        let reference = solved[0];
        let mut values = vec![0.0; self.states];
        for (&state, value) in chain.states.iter().zip(solved) {
            values[state] = value - reference;
        }
        Ok((average_reward, values))
    }

    fn never_ends(&self) -> Result<(), MdpError> {
        match self.terminal.iter().position(|&terminal| terminal) {
            Some(state) => Err(MdpError::Episodic { state }),
            None => Ok(()),
        }
    }
}

fn single_class(chain: &Chain) -> Result<Vec<usize>, MdpError> {
    let mut classes = chain.recurrent_classes();
    if classes.len() > 1 {
        return Err(MdpError::NotUnichain {
            classes: classes.len(),
            first: chain.states[classes[0][0]],
            second: chain.states[classes[1][0]],
        });
    }
    Ok(classes
        .pop()
        .expect("a finite chain without end has a recurrent class"))
}

#[cfg(test)]
mod tests {
    use super::super::{MdpBuilder, TransitionRow};
    use super::*;

    fn build(states: usize, actions: usize, transitions: Vec<TransitionRow>) -> Mdp {
        MdpBuilder {
            discount: 0.9,
            state_count: states,
            action_count: actions,
            initial: vec![(0, 1.0)],
            transitions,
            ..MdpBuilder::default()
        }
        .build()
        .unwrap()
    }

    #[test]
    fn a_birth_death_chain_has_its_textbook_distribution() {
        // Up with 0.3, down with 0.6, else stay: ν(i) ∝ (0.3 / 0.6)^i by detailed balance.
        let row = |s: usize| {
            let (up, down) = (if s < 3 { 0.3 } else { 0.0 }, if s > 0 { 0.6 } else { 0.0 });
            let mut next = vec![(s, 1.0 - up - down)];
            if s < 3 {
                next.push((s + 1, up));
            }
            if s > 0 {
                next.push((s - 1, down));
            }
            TransitionRow::new(s, 0, s as f64, next)
        };
        let mdp = build(4, 1, (0..4).map(row).collect());
        let distribution = mdp
            .stationary_distribution(&FinitePolicy::uniform(&mdp))
            .unwrap();
        for (i, share) in distribution.iter().enumerate() {
            assert!((share - 0.5_f64.powi(i as i32) / 1.875).abs() < 1e-12);
        }
        let mean = (0.5 + 2.0 * 0.25 + 3.0 * 0.125) / 1.875;
        assert!((mdp.average_optimum().unwrap().average_reward - mean).abs() < 1e-12);
    }

    #[test]
    fn a_periodic_chain_with_unequal_seconds_is_averaged_per_second() {
        // 0 → 1 takes 3 s and pays 1; 1 → 0 takes 1 s and pays 3, or 7 s and pays 5: rates 4/4 against 6/10.
        let timed = |s, a, reward, to, elapsed_s| TransitionRow {
            elapsed_s,
            ..TransitionRow::new(s, a, reward, vec![(to, 1.0)])
        };
        let rows = vec![
            timed(0, 0, 1.0, 1, 3.0),
            timed(1, 0, 3.0, 0, 1.0),
            timed(1, 1, 5.0, 0, 7.0),
        ];
        let mdp = build(2, 2, rows);
        assert_eq!(mdp.myopic_policy(), [0, 1]);
        let myopic = FinitePolicy::deterministic(&mdp, &[0, 1]).unwrap();
        assert!((mdp.average_reward(&myopic).unwrap() - 0.6).abs() < 1e-12);
        let optimum = mdp.average_optimum().unwrap();
        assert_eq!(optimum.policy, [0, 0]);
        assert!((optimum.average_reward - 1.0).abs() < 1e-12);
        // h(1) − h(0) from h(0) = 1 − 3ρ + h(1).
        assert!((optimum.differential_values[1] - 2.0).abs() < 1e-12);
    }

    #[test]
    fn several_recurrent_classes_are_an_error_unless_unreachable() {
        let fork = |p: f64| {
            let mut next = vec![(1, 1.0 - p)];
            if p > 0.0 {
                next.push((2, p));
            }
            build(
                3,
                1,
                vec![
                    TransitionRow::new(0, 0, 0.0, next),
                    TransitionRow::new(1, 0, 1.0, vec![(1, 1.0)]),
                    TransitionRow::new(2, 0, 2.0, vec![(2, 1.0)]),
                ],
            )
        };
        let split = fork(0.5);
        let error = split
            .average_reward(&FinitePolicy::uniform(&split))
            .unwrap_err();
        assert!(
            matches!(error, MdpError::NotUnichain { classes: 2, .. }),
            "{error}"
        );
        assert!(matches!(
            split.average_optimum(),
            Err(MdpError::NotUnichain { .. })
        ));
        let single = fork(0.0);
        assert_eq!(
            single
                .average_reward(&FinitePolicy::uniform(&single))
                .unwrap(),
            1.0
        );
        assert_eq!(single.average_optimum().unwrap().average_reward, 1.0);
    }

    #[test]
    fn episodes_have_no_average_reward() {
        let mdp = MdpBuilder {
            discount: 1.0,
            state_count: 2,
            action_count: 1,
            initial: vec![(0, 1.0)],
            terminal: vec![1],
            transitions: vec![TransitionRow::new(0, 0, 1.0, vec![(1, 1.0)])],
            ..MdpBuilder::default()
        }
        .build()
        .unwrap();
        assert!(matches!(
            mdp.average_optimum(),
            Err(MdpError::Episodic { state: 1 })
        ));
    }
}
