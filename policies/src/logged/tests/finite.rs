//! Learners of finite states.

use std::fmt::Write;

use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use super::{in_state, learned, opened, probabilities, refusal};
use crate::logged::counts::Counts;
use crate::logged::{Learner, LoggedPolicy, cql, pessimistic, spibb};
use crate::ope::table::Rows;

const Q: Learner = Learner::Bcq { threshold: 0.0 };

fn counted(text: &str) -> Counts {
    let (_folder, table) = opened(text);
    Counts::read(&table).unwrap()
}

/// A log of a process of three states and two actions, drawn at random, in transitions.
fn random_log(seed: u64, rows: usize) -> String {
    let rng = &mut Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut text = "state,action,reward,next_state,done\n".to_owned();
    for _ in 0..rows {
        let (s, a): (u32, u32) = (rng.random_range(0..3), rng.random_range(0..2));
        // Action 0 is logged more often in state 0, so that counts differ.
        let a = if s == 0 && rng.random::<f64>() < 0.7 {
            0
        } else {
            a
        };
        let next: u32 = (s + a + rng.random_range(0..2_u32)) % 3;
        let reward = f64::from(s * 3 + a * 2) / 7.0 + rng.random::<f64>();
        let done = u8::from(rng.random::<f64>() < 0.1);
        writeln!(text, "{s},{a},{reward},{next},{done}").unwrap();
    }
    text
}

/// V of a policy on the empirical process, by Gaussian elimination of V − γ P V = r, written apart from the library's solver.
fn exact_values(counts: &Counts, policy: &[f64], discount: f64) -> Vec<f64> {
    let n = counts.states();
    let mut system = vec![vec![0.0; n + 1]; n];
    for (s, row) in system.iter_mut().enumerate() {
        row[s] += 1.0;
        for a in 0..counts.actions {
            let pair = s * counts.actions + a;
            if policy[pair] > 0.0 {
                row[n] += policy[pair] * counts.reward[pair];
                for at in counts.first[pair]..counts.first[pair + 1] {
                    row[counts.next[at] as usize] -= discount * policy[pair] * counts.share[at];
                }
            }
        }
    }
    for i in 0..n {
        let lead = system[i].clone();
        for (j, row) in system.iter_mut().enumerate() {
            if i != j {
                let factor = row[i] / lead[i];
                for (cell, top) in row.iter_mut().zip(&lead) {
                    *cell -= factor * top;
                }
            }
        }
    }
    (0..n).map(|i| system[i][n] / system[i][i]).collect()
}

fn exact_q(counts: &Counts, v: &[f64], discount: f64) -> Vec<f64> {
    (0..counts.n.len())
        .map(|pair| {
            let ahead = (counts.first[pair]..counts.first[pair + 1])
                .map(|at| counts.share[at] * v[counts.next[at] as usize]);
            counts.reward[pair] + discount * ahead.sum::<f64>()
        })
        .collect()
}

#[test]
fn spibb_is_the_constrained_policy_iteration_of_its_paper() {
    for seed in 0..6 {
        let counts = counted(&random_log(seed, 60));
        let (discount, min_count) = (0.9, 12.0);
        // Algorithm 1: evaluate, then give all the free probability of a state to its best free action, until nothing changes.
        let behaviour: Vec<f64> = (0..counts.states())
            .flat_map(|s| counts.behaviour(s))
            .collect();
        let mut policy = behaviour.clone();
        let values = loop {
            let v = exact_values(&counts, &policy, discount);
            let q = exact_q(&counts, &v, discount);
            let mut next = vec![0.0; policy.len()];
            for s in 0..counts.states() {
                let pairs = counts.pairs(s);
                let (rare, free): (Vec<usize>, Vec<usize>) =
                    pairs.partition(|pair| counts.n[*pair] < min_count);
                for pair in &rare {
                    next[*pair] = behaviour[*pair];
                }
                let mass: f64 = free.iter().map(|pair| behaviour[*pair]).sum();
                if let Some(best) = free.iter().max_by(|a, b| q[**a].total_cmp(&q[**b])) {
                    next[*best] = mass;
                }
            }
            if next == policy {
                break v;
            }
            policy = next;
        };
        let solution = spibb::solution(&counts, min_count, discount).unwrap();
        for (have, want) in solution.v.iter().zip(&values) {
            assert!((have - want).abs() < 1e-9, "{seed}: {have} {want}");
        }
        let chosen = spibb::probabilities(&counts, min_count, discount).unwrap();
        for (have, want) in chosen.iter().zip(&policy) {
            assert!((have - want).abs() < 1e-12, "{seed}: {chosen:?} {policy:?}");
        }
        // The log has both kinds of pairs, or nothing was tested.
        assert!(
            counts.n.iter().any(|n| *n < min_count) && counts.n.iter().any(|n| *n >= min_count)
        );
    }
}

#[test]
fn without_constraints_q_is_the_best_of_all_eight_policies() {
    for seed in 0..6 {
        let text = random_log(seed, 200);
        let counts = counted(&text);
        let best = (0..8_usize)
            .max_by(|a, b| {
                let worth = |bits: usize| -> f64 {
                    let policy: Vec<f64> = (0..6)
                        .map(|pair| f64::from(u8::from(bits >> (pair / 2) & 1 == pair % 2)))
                        .collect();
                    exact_values(&counts, &policy, 0.9).iter().sum()
                };
                worth(*a).total_cmp(&worth(*b))
            })
            .unwrap();
        for learner in [
            Q,
            Learner::Cql { alpha: 0.0 },
            Learner::Pessimistic { penalty: 0.0 },
            Learner::Spibb { min_count: 0.0 },
        ] {
            let policy = learned(&text, learner).unwrap();
            for (state, key) in counts.keys.iter().enumerate() {
                let action = best >> state & 1;
                assert_eq!(
                    in_state(&policy, *key)[action],
                    1.0,
                    "{} {seed}",
                    learner.name()
                );
            }
        }
    }
}

#[test]
fn the_conservative_fixed_point_of_a_chain_is_the_one_worked_out_by_hand() {
    // State 1 ends: two actions, half of the rows each. With d = Q₀ − Q₁ the two conditions
    // α(softmax(Q)ₐ − ½) + ½(Qₐ − Bₐ) = 0 add up to Q₀ + Q₁ = B₀ + B₁ and differ by d + 2α tanh(d/2) = B₀ − B₁.
    // For d = 2 ln 3 the tanh is 4/5, for d = 2 ln 2 it is 3/5.
    let alpha = 1.0;
    let (three, two) = (2.0 * 3.0_f64.ln(), 2.0 * 2.0_f64.ln());
    let reward = three + 1.6 * alpha;
    let v1 = (reward + three) / 2.0;
    // State 0: action 0 leads to state 1 and pays nothing, action 1 ends.
    let b0 = 0.9 * v1;
    let b1 = b0 - two - 1.2 * alpha;
    let text = format!(
        "state,action,reward,next_state,done\n0,0,0,1,0\n0,1,{b1},,1\n1,0,{reward},,1\n1,1,0,,1\n"
    );
    let counts = counted(&text);
    let solution = cql::solution(&counts, alpha, 0.9).unwrap();
    let want = [
        (b0 + b1 + two) / 2.0,
        (b0 + b1 - two) / 2.0,
        v1,
        (reward - three) / 2.0,
    ];
    for (have, want) in solution.q.iter().zip(want) {
        assert!((have - want).abs() < 1e-10, "{:?} {want:?}", solution.q);
    }
    // Conservative: below the value of the same policy on the same rows.
    assert!(solution.v[1] < reward);
}

#[test]
fn a_large_alpha_follows_the_log_and_an_unlogged_action_is_never_taken() {
    // Action 1 pays more, action 0 was taken three times as often, action 2 never.
    let text = "state,action,reward\n0,0,1\n0,0,1\n0,0,1\n0,1,2\n1,2,0\n1,0,0\n";
    assert_eq!(
        in_state(&learned(text, Learner::Cql { alpha: 0.01 }).unwrap(), 0),
        [0.0, 1.0, 0.0]
    );
    assert_eq!(
        in_state(&learned(text, Learner::Cql { alpha: 50.0 }).unwrap(), 0),
        [1.0, 0.0, 0.0]
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// The minimum of one state, for shares and an answer chosen at random: B follows from the condition.
    #[test]
    fn one_state_solves_its_condition(
        q in proptest::collection::vec(-5.0..5.0_f64, 2..6),
        weights in proptest::collection::vec(0.05..1.0_f64, 6),
        alpha in 0.0..20.0_f64,
    ) {
        let sum: f64 = weights[..q.len()].iter().sum();
        let b: Vec<f64> = weights[..q.len()].iter().map(|w| w / sum).collect();
        let total: f64 = q.iter().map(|q| q.exp()).sum();
        let target: Vec<f64> = q
            .iter()
            .zip(&b)
            .map(|(q, b)| q + alpha * (q.exp() / total - b) / b)
            .collect();
        let found = cql::minimum(alpha, &b, &target, target.clone());
        for (have, want) in found.iter().zip(&q) {
            prop_assert!((have - want).abs() < 1e-7, "{found:?} {q:?}");
        }
    }

    #[test]
    fn probabilities_are_whole_and_keep_to_masks(seed in 0..40_u64, mask in 1..4_u8) {
        let text = random_log(seed, 40);
        for learner in [
            Q,
            Learner::Bcq { threshold: 0.6 },
            Learner::Cql { alpha: 0.5 },
            Learner::Pessimistic { penalty: 1.0 },
            Learner::Spibb { min_count: 8.0 },
            Learner::Clone,
        ] {
            let policy = learned(&text, learner).unwrap().policy;
            let allowed = [mask & 1 == 1, mask & 2 == 2];
            // State 7 was never logged.
            let rows = Rows {
                action: vec![0; 4],
                state: vec![0, 1, 2, 7],
                mask: allowed.repeat(4),
                ..Rows::default()
            };
            for p in probabilities(&policy, &rows).chunks_exact(2) {
                prop_assert!((p[0] + p[1] - 1.0).abs() < 1e-12);
                prop_assert!((0..2).all(|a| allowed[a] || p[a] == 0.0));
            }
        }
    }
}

#[test]
fn batch_constrained_q_takes_only_what_was_taken_often_enough() {
    // Shares 0.6, 0.3, 0.1: relative to the most frequent 1, 0.5, 0.17. Rewards rise with rarity.
    let mut text = "state,action,reward\n".to_owned();
    for (action, times) in [(0, 6), (1, 3), (2, 1)] {
        (0..times).for_each(|_| writeln!(text, "0,{action},{action}").unwrap());
    }
    for (threshold, action) in [
        (0.0, 2),
        (0.16, 2),
        (0.17, 1),
        (0.49, 1),
        (0.5, 0),
        (1.0, 0),
    ] {
        let policy = learned(&text, Learner::Bcq { threshold }).unwrap();
        assert_eq!(in_state(&policy, 0)[action], 1.0, "{threshold}");
    }
    let clone = in_state(&learned(&text, Learner::Clone).unwrap(), 0);
    assert_eq!(clone, [0.6, 0.3, 0.1]);
}

#[test]
fn pessimism_turns_at_the_penalty_that_arithmetic_gives() {
    // Action 0: 1 ± 0.5 in 4 rows; action 1: 0.8 ± 0.5 in 16. The pooled variance is 20/18 of 0.25, and
    // 1 − βσ/2 = 0.8 − βσ/4 at β = 0.8/σ.
    let mut text = "state,action,reward\n".to_owned();
    for i in 0..4 {
        writeln!(text, "0,0,{}", if i % 2 == 0 { 1.5 } else { 0.5 }).unwrap();
    }
    for i in 0..16 {
        writeln!(text, "0,1,{}", if i % 2 == 0 { 1.3 } else { 0.3 }).unwrap();
    }
    let turns = 0.8 / (0.25 * 20.0 / 18.0_f64).sqrt();
    let action = |penalty: f64| {
        let counts = counted(&text);
        let p = pessimistic::probabilities(&counts, penalty, 0.9).unwrap();
        p.iter().position(|p| *p == 1.0).unwrap()
    };
    assert_eq!((action(turns * 0.999), action(turns * 1.001)), (0, 1));
}

#[test]
fn episodes_and_transitions_of_the_same_steps_are_the_same_process() {
    let episodes = "episode,t,state,action,reward,done\na,0,x,0,1,0\na,1,y,1,2,1\nb,0,y,0,3,0\nb,1,x,1,4,0\nb,2,x,0,5,0\n";
    let transitions = "state,action,reward,next_state,done\nx,0,1,y,0\ny,1,2,,1\ny,0,3,x,0\nx,1,4,x,0\nx,0,5,,0\n";
    let (a, b) = (counted(episodes), counted(transitions));
    // The last row was cut off: nobody knows what followed.
    assert_eq!((a.rows, a.cut), (4, 1));
    assert_eq!((&a.keys, &a.n, &a.reward), (&b.keys, &b.n, &b.reward));
    assert_eq!((&a.next, &a.share), (&b.next, &b.share));
    // Without `done` every episode is taken to have ended.
    let without = counted(
        "episode,t,state,action,reward\na,0,x,0,1\na,1,y,1,2\nb,0,y,0,3\nb,1,x,1,4\nb,2,x,0,5\n",
    );
    assert_eq!((without.rows, without.cut), (5, 0));
}

#[test]
fn a_state_in_which_nobody_acted_is_worth_the_worst_known_one() {
    // From a, action 0 leads to b (worth 5), action 1 to c, which has no rows, and pays 4 at once.
    let text = "state,action,reward,next_state,done\na,0,0,b,0\na,1,4,c,0\nb,0,5,,1\nb,1,1,,1\n";
    let policy = learned(text, Q).unwrap();
    let LoggedPolicy::Finite { policy: states } = &policy.policy else {
        panic!()
    };
    assert_eq!(states.states(), 2);
    assert!(policy.notes[0].ends_with("count as much as the worst one: 1"));
    // Worst is b or a itself: V(a) = 4 + 0.9 min(V(a), V(b)) = 4 + 0.9 × 5 > 0.9 × 5.
    let a = crate::ope::table::Rows {
        action: vec![0],
        state: vec![counted(text).keys[0]],
        ..Rows::default()
    };
    assert_eq!(probabilities(&policy.policy, &a), [0.0, 1.0]);
}

#[test]
fn bad_tables_are_refused_in_words() {
    for (text, reason) in [
        ("action,reward,x0\n0,1,1\n1,0,2\n", "no column `state`"),
        (
            "state,action,reward\n0,0,1\n1,0,1\n",
            "every row took action 0",
        ),
        (
            "state,action,reward\n0,0,1\n,1,1\n",
            "t.csv:3: `state` is empty",
        ),
        (
            "state,action,reward,next_state,done\n0,0,1,,0\n1,1,1,,0\n",
            "no row says what followed it",
        ),
        (
            "episode,t,state,action,reward\n0,0,0,0,1\n0,2,1,1,1\n",
            "t.csv:3: `t` is 2, where step 1",
        ),
        (
            "episode,t,state,action,reward\n0,0,0,0,1\n1,0,1,1,1\n0,1,1,1,1\n",
            "t.csv:4: `episode` occurs again",
        ),
        (
            "episode,state,action,reward,done\n0,0,0,1,1\n0,1,1,1,1\n",
            "t.csv:3: `done` was set in the row before",
        ),
        (
            "state,action,reward,mask0,mask1\n0,0,1,1,1\n0,0,1,1,0\n",
            "t.csv:3: `state` had another mask",
        ),
        (
            "state,action,reward,mask0,mask1\n0,0,1,0,1\n",
            "t.csv:2: `mask0` forbids the action",
        ),
    ] {
        let error = refusal(text, Q);
        assert!(error.contains(reason), "{error}\nwants: {reason}");
    }
}

#[test]
fn without_a_discount_a_loop_that_pays_has_no_value() {
    let (_folder, table) = opened("state,action,reward,next_state,done\n0,0,1,0,0\n0,1,1,,1\n");
    let mut settings = super::settings(Q);
    settings.discount = 1.0;
    let error = crate::logged::learn(&table, &settings).unwrap_err();
    assert!(
        error.to_string().contains("values do not settle"),
        "{error}"
    );
    assert!(error.fix().unwrap().contains("--discount 0.99"));
}
