//! The Markov chain a policy makes of a decision process, and which of its states recur.

use super::{FinitePolicy, Mdp};

/// States, rewards and transitions under a fixed policy, restricted to some states.
#[derive(Debug, Clone)]
pub(super) struct Chain {
    /// Original numbers of the chain's states, rising.
    pub(super) states: Vec<usize>,
    /// Position of each original state in `states`.
    pub(super) index: Vec<Option<usize>>,
    /// Per chain state: (original next state, probability); terminal states have none.
    pub(super) next: Vec<Vec<(usize, f64)>>,
    /// Expected reward per step.
    pub(super) reward: Vec<f64>,
    /// Expected seconds per step.
    pub(super) elapsed_s: Vec<f64>,
}

impl Chain {
    /// The chain over all non-terminal states (`from` = None) or over those reachable from `from`.
    pub(super) fn new(mdp: &Mdp, policy: &FinitePolicy, from: Option<&[(usize, f64)]>) -> Self {
        let mut keep = vec![from.is_none(); mdp.states()];
        let mut stack: Vec<usize> = from.unwrap_or_default().iter().map(|&(s, _)| s).collect();
        stack.iter().for_each(|&s| keep[s] = true);
        while let Some(state) = stack.pop() {
            for action in taken(policy, state) {
                for &(next, _) in mdp.outcomes(state, action) {
                    if !std::mem::replace(&mut keep[next], true) {
                        stack.push(next);
                    }
                }
            }
        }
        let states: Vec<usize> = (0..mdp.states())
            .filter(|&s| keep[s] && !mdp.is_terminal(s))
            .collect();
        let mut index = vec![None; mdp.states()];
        for (position, &state) in states.iter().enumerate() {
            index[state] = Some(position);
        }
        let mut chain = Self {
            next: Vec::new(),
            reward: Vec::new(),
            elapsed_s: Vec::new(),
            states,
            index,
        };
        for &state in &chain.states {
            let (mut next, mut reward, mut elapsed_s) = (Vec::new(), 0.0, 0.0);
            for action in taken(policy, state) {
                let p = policy.row(state)[action];
                reward += p * mdp.reward(state, action);
                elapsed_s += p * mdp.elapsed_s(state, action);
                next.extend(mdp.outcomes(state, action).iter().map(|&(s, q)| (s, p * q)));
            }
            chain.next.push(next);
            chain.reward.push(reward);
            chain.elapsed_s.push(elapsed_s);
        }
        chain
    }

    /// The closed communicating classes, as chain indices; each is entered and never left.
    ///
    /// Tarjan's strongly connected components (SIAM J. Comput. 1972), without recursion, then those without an exit. A class
    /// that can step into a terminal state is not closed.
    pub(super) fn recurrent_classes(&self) -> Vec<Vec<usize>> {
        const NEW: usize = usize::MAX;
        let n = self.states.len();
        let (mut order, mut low, mut component) = (vec![NEW; n], vec![0; n], vec![NEW; n]);
        let (mut path, mut components, mut counter) = (Vec::new(), Vec::<Vec<usize>>::new(), 0);
        for root in 0..n {
            if order[root] != NEW {
                continue;
            }
            let mut calls = vec![(root, 0)];
            while let Some(&mut (v, ref mut edge)) = calls.last_mut() {
                if *edge == 0 {
                    (order[v], low[v]) = (counter, counter);
                    counter += 1;
                    path.push(v);
                }
                if let Some(&(next, _)) = self.next[v].get(*edge) {
                    *edge += 1;
                    if let Some(w) = self.index[next] {
                        if order[w] == NEW {
                            calls.push((w, 0));
                        } else if component[w] == NEW {
                            low[v] = low[v].min(order[w]);
                        }
                    }
                    continue;
                }
                calls.pop();
                if let Some(&(parent, _)) = calls.last() {
                    low[parent] = low[parent].min(low[v]);
                }
                if low[v] == order[v] {
                    let start = path
                        .iter()
                        .rposition(|&w| w == v)
                        .expect("v lies on the path");
                    let members = path.split_off(start);
                    members
                        .iter()
                        .for_each(|&w| component[w] = components.len());
                    components.push(members);
                }
            }
        }
        components.retain(|members| {
            members.iter().all(|&v| {
                self.next[v].iter().all(|&(next, _)| {
                    self.index[next].is_some_and(|w| component[w] == component[members[0]])
                })
            })
        });
        components
    }
}

fn taken(policy: &FinitePolicy, state: usize) -> impl Iterator<Item = usize> {
    policy
        .row(state)
        .iter()
        .enumerate()
        .filter(|&(_, &p)| p > 0.0)
        .map(|(a, _)| a)
}
