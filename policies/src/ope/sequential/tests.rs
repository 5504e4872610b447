//! The estimators against loops written out from their definitions, on random processes with episodes of unequal length.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;

use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use tempfile::TempDir;

use super::magic::Returns;
use super::*;
use crate::ope::table::Table;
use crate::ope::{BootstrapPlan, Method, SupportGate, TableJudgement, TableOptions};

const STATES: usize = 4;
const ACTIONS: usize = 2;
const DISCOUNT: f64 = 0.9;

#[derive(Clone, Copy)]
struct Step {
    s: usize,
    a: usize,
    next: usize,
    r: f64,
    done: bool,
    rho: f64,
    q: f64,
    v: f64,
}

struct Written {
    _folder: TempDir,
    path: PathBuf,
    episodes: Vec<Vec<Step>>,
    target: [[f64; ACTIONS]; STATES],
}

fn written(n: usize, seed: u64) -> Written {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut policy = |spread: f64| -> [[f64; ACTIONS]; STATES] {
        std::array::from_fn(|_| {
            let p = 0.5 + spread * (rng.random::<f64>() - 0.5);
            [p, 1.0 - p]
        })
    };
    let (behaviour, target) = (policy(0.4), policy(0.9));
    let q: [[f64; ACTIONS]; STATES] =
        std::array::from_fn(|_| std::array::from_fn(|_| rng.random::<f64>() * 3.0));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.csv");
    let mut text =
        "episode,t,state,action,propensity,reward,next_state,done,pi0,pi1,q0,q1\n".to_owned();
    let mut episodes = Vec::new();
    for episode in 0..n {
        let mut steps = Vec::new();
        let mut s = usize::from(rng.random::<f64>() < 0.5);
        for t in 0..6 {
            let a = usize::from(rng.random::<f64>() >= behaviour[s][0]);
            let next = (s + 1 + a + usize::from(rng.random::<f64>() < 0.3)) % STATES;
            let r = s as f64 * 0.5 + a as f64 + rng.random::<f64>();
            let done = t == 5 || rng.random::<f64>() < 0.25;
            writeln!(
                text,
                "e{episode},{t},s{s},{a},{},{r},{},{},{},{},{},{}",
                behaviour[s][a],
                if done {
                    String::new()
                } else {
                    format!("s{next}")
                },
                u8::from(done),
                target[s][0],
                target[s][1],
                q[s][0],
                q[s][1]
            )
            .unwrap();
            steps.push(Step {
                s,
                a,
                next,
                r,
                done,
                rho: target[s][a] / behaviour[s][a],
                q: q[s][a],
                v: target[s][0] * q[s][0] + target[s][1] * q[s][1],
            });
            s = next;
            if done {
                break;
            }
        }
        episodes.push(steps);
    }
    std::fs::write(&path, text).unwrap();
    Written {
        _folder: folder,
        path,
        episodes,
        target,
    }
}

/// w₀:ₜ with the last weight kept after the end; t = −1 is 1.
fn weight(episode: &[Step], t: i64) -> f64 {
    let upto = (t + 1).clamp(0, episode.len() as i64) as usize;
    episode[..upto].iter().map(|x| x.rho).product()
}

/// The value by its definition, each episode counted `times` times.
fn by_definition(name: Sequential, episodes: &[Vec<Step>], times: &[f64]) -> f64 {
    let n: f64 = times.iter().sum();
    let mean = |f: &dyn Fn(&[Step]) -> f64| {
        let sum: f64 = episodes.iter().zip(times).map(|(e, k)| k * f(e)).sum();
        sum / n
    };
    let g = |e: &[Step]| -> f64 {
        e.iter()
            .enumerate()
            .map(|(t, x)| DISCOUNT.powi(t as i32) * x.r)
            .sum()
    };
    let at = |e: &[Step], t: usize| e.get(t).copied();
    let whole = |e: &[Step]| weight(e, e.len() as i64 - 1);
    match name {
        Sequential::Tis => mean(&|e| whole(e) * g(e)),
        Sequential::Sntis => mean(&|e| whole(e) * g(e)) / mean(&|e| whole(e)),
        Sequential::Dm => mean(&|e| e[0].v),
        Sequential::Pdis => (0..6)
            .map(|t| {
                DISCOUNT.powi(t)
                    * mean(&|e| at(e, t as usize).map_or(0.0, |x| weight(e, t.into()) * x.r))
            })
            .sum(),
        Sequential::Snpdis => (0..6)
            .map(|t| {
                let num = mean(&|e| at(e, t as usize).map_or(0.0, |x| weight(e, t.into()) * x.r));
                DISCOUNT.powi(t) * num / mean(&|e| weight(e, t.into()))
            })
            .sum(),
        Sequential::Dr | Sequential::Wdr => (0..6)
            .map(|t| {
                let weighted = name == Sequential::Wdr;
                let norm = |t: i32| {
                    if weighted {
                        mean(&|e| weight(e, t.into()))
                    } else {
                        1.0
                    }
                };
                let residual =
                    mean(&|e| at(e, t as usize).map_or(0.0, |x| weight(e, t.into()) * (x.r - x.q)));
                let value =
                    mean(&|e| at(e, t as usize).map_or(0.0, |x| weight(e, i64::from(t) - 1) * x.v));
                DISCOUNT.powi(t) * (residual / norm(t) + value / norm(t - 1))
            })
            .sum(),
        _ => unreachable!(),
    }
}

fn options(names: &[Sequential], interval: Method) -> TableOptions<Sequential> {
    TableOptions {
        estimators: names.to_vec(),
        interval,
        bootstrap: BootstrapPlan {
            resamples: 60,
            seed: 3,
        },
        gate: SupportGate {
            min_effective_sample_size: 10.0,
            max_weight_share: 0.5,
        },
        ..TableOptions::default()
    }
}

fn judged(written: &Written, options: &TableOptions<Sequential>, fqe: FqeMode) -> TableJudgement {
    let sequence = SequenceOptions {
        discount: DISCOUNT,
        fqe,
    };
    judge_sequential(&Table::open(&written.path).unwrap(), options, sequence).unwrap()
}

const WEIGHTED: [Sequential; 7] = [
    Sequential::Tis,
    Sequential::Pdis,
    Sequential::Sntis,
    Sequential::Snpdis,
    Sequential::Dr,
    Sequential::Wdr,
    Sequential::Dm,
];

#[test]
fn values_are_those_of_the_definitions_for_episodes_of_unequal_length() {
    let written = written(300, 1);
    let ones = vec![1.0; 300];
    let judgement = judged(
        &written,
        &options(&WEIGHTED, Method::Normal),
        FqeMode::Stationary,
    );
    assert_eq!(judgement.episodes, Some(300));
    for (name, estimate) in WEIGHTED.into_iter().zip(&judgement.estimates) {
        let value = by_definition(name, &written.episodes, &ones);
        let have = estimate.value.unwrap();
        assert!((have / value - 1.0).abs() < 1e-9, "{name}: {have} {value}");
    }
}

#[test]
fn standard_errors_are_those_of_the_infinitesimal_jackknife() {
    let n = 120;
    let written = written(n, 2);
    let judgement = judged(
        &written,
        &options(&WEIGHTED, Method::Normal),
        FqeMode::Stationary,
    );
    for (name, estimate) in WEIGHTED.into_iter().zip(&judgement.estimates) {
        let mut squares = 0.0;
        for i in 0..n {
            // The derivative by the count of one episode, by differences.
            let value = |count: f64| {
                let mut times = vec![1.0; n];
                times[i] = count;
                by_definition(name, &written.episodes, &times)
            };
            let derivative = (value(1.0 + 1e-4) - value(1.0 - 1e-4)) / 2e-4;
            squares += derivative * derivative;
        }
        let error = (squares * n as f64 / (n as f64 - 1.0)).sqrt();
        let have = estimate.standard_error.unwrap();
        assert!((have / error - 1.0).abs() < 1e-6, "{name}: {have} {error}");
    }
}

/// Q by plain iteration over dictionaries, as the definition says.
fn q_by_iteration(written: &Written, by_time: bool) -> BTreeMap<(usize, usize, usize), f64> {
    let mut rows: BTreeMap<(usize, usize, usize), Vec<(Step, usize)>> = BTreeMap::new();
    for episode in &written.episodes {
        for (t, step) in episode.iter().enumerate() {
            let layer = if by_time { t } else { 0 };
            rows.entry((layer, step.s, step.a))
                .or_default()
                .push((*step, layer));
        }
    }
    let mut q: BTreeMap<(usize, usize, usize), f64> = BTreeMap::new();
    for _ in 0..500 {
        let before = q.clone();
        for (cell, steps) in &rows {
            let sum: f64 = steps
                .iter()
                .map(|(x, layer)| {
                    let next = layer + usize::from(by_time);
                    let v: f64 = (0..ACTIONS)
                        .map(|a| {
                            written.target[x.next][a]
                                * before.get(&(next, x.next, a)).copied().unwrap_or(0.0)
                        })
                        .sum();
                    x.r + if x.done { 0.0 } else { DISCOUNT * v }
                })
                .sum();
            q.insert(*cell, sum / steps.len() as f64);
        }
    }
    q
}

#[test]
fn fitted_q_is_the_fixed_point_and_the_backward_induction() {
    let written = written(200, 4);
    for (mode, by_time) in [(FqeMode::Stationary, false), (FqeMode::TimeIndexed, true)] {
        let q = q_by_iteration(&written, by_time);
        let value = written
            .episodes
            .iter()
            .map(|e| {
                (0..ACTIONS)
                    .map(|a| {
                        written.target[e[0].s][a] * q.get(&(0, e[0].s, a)).copied().unwrap_or(0.0)
                    })
                    .sum::<f64>()
            })
            .sum::<f64>()
            / 200.0;
        let judgement = judged(
            &written,
            &options(&[Sequential::Fqe], Method::Bootstrap),
            mode,
        );
        let estimate = &judgement.estimates[0];
        let have = estimate.value.unwrap();
        assert!(
            (have / value - 1.0).abs() < 1e-9,
            "{mode:?}: {have} {value}"
        );
        let interval = estimate.interval.unwrap();
        assert!(interval.lower < have && have < interval.upper);
    }
}

#[test]
fn unseen_cells_are_counted() {
    // One state, two actions, the second never taken.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.csv");
    let rows: String = (0..20)
        .map(|e| format!("{e},0,0,1,1,0,1,0.5,0.5\n"))
        .collect();
    std::fs::write(
        &path,
        format!("episode,t,action,propensity,reward,state,done,pi0,pi1\n{rows}"),
    )
    .unwrap();
    let judgement = judge_sequential(
        &Table::open(&path).unwrap(),
        &options(&[Sequential::Fqe], Method::Normal),
        SequenceOptions::default(),
    )
    .unwrap();
    assert_eq!(judgement.estimates[0].value, Some(0.5));
    assert!(
        judgement.notes[0].starts_with("fqe: 1 pairs"),
        "{:?}",
        judgement.notes
    );
}

#[test]
fn marginalised_weights_follow_their_recursion() {
    let written = written(250, 5);
    let mut share: BTreeMap<usize, f64> = BTreeMap::new();
    for e in &written.episodes {
        *share.entry(e[0].s).or_default() += 1.0 / 250.0;
    }
    let mut value = 0.0;
    for t in 0..6 {
        let here: Vec<Step> = written
            .episodes
            .iter()
            .filter_map(|e| e.get(t))
            .copied()
            .collect();
        let mut next: BTreeMap<usize, f64> = BTreeMap::new();
        for (s, d) in &share {
            let rows: Vec<&Step> = here.iter().filter(|x| x.s == *s).collect();
            if rows.is_empty() {
                continue;
            }
            let n = rows.len() as f64;
            let reward: f64 = rows.iter().map(|x| x.rho * x.r).sum::<f64>() / n;
            value += DISCOUNT.powi(t as i32) * d * reward;
            for to in 0..STATES {
                let moved: f64 = rows
                    .iter()
                    .filter(|x| !x.done && x.next == to)
                    .map(|x| x.rho)
                    .sum();
                *next.entry(to).or_default() += d * moved / n;
            }
        }
        share = next;
    }
    let judgement = judged(
        &written,
        &options(&[Sequential::Mis], Method::Bootstrap),
        FqeMode::Stationary,
    );
    let have = judgement.estimates[0].value.unwrap();
    assert!((have / value - 1.0).abs() < 1e-9, "{have} {value}");
}

#[test]
fn the_returns_that_magic_blends_are_those_of_the_paper() {
    let written = written(90, 6);
    let table = Table::open(&written.path).unwrap();
    let episodes = super::episodes::Episodes::read(
        &table,
        super::episodes::Reading {
            model: true,
            states: true,
            ..Default::default()
        },
    )
    .unwrap();
    let sums = super::weighted::StepSums::of(&episodes, DISCOUNT);
    let returns = Returns::of(&episodes, &sums, DISCOUNT);
    let total = |t: i64| -> f64 { written.episodes.iter().map(|e| weight(e, t)).sum() };
    let n = 90.0;
    // g⁽ʲ⁾ of each episode, with normalised weights: Σ_{t≤j} γᵗ wₜ rₜ + γʲ⁺¹ wⱼ V(s_{j+1}) − Σ_{t≤j} γᵗ (wₜ q − wₜ₋₁ V).
    let term = |e: &[Step], j: i64| -> f64 {
        let w = |t: i64| weight(e, t) / if t < 0 { n } else { total(t) };
        let v = |t: i64| e.get(t as usize).map_or(0.0, |x| x.v);
        let mut sum = DISCOUNT.powi((j + 1) as i32) * w(j) * v(j + 1);
        for t in 0..=j {
            if let Some(x) = e.get(t as usize) {
                sum += DISCOUNT.powi(t as i32) * (w(t) * (x.r - x.q) + w(t - 1) * x.v);
            }
        }
        sum
    };
    let all: Vec<Vec<f64>> = (-1..6)
        .map(|j| written.episodes.iter().map(|e| term(e, j)).collect())
        .collect();
    let means: Vec<f64> = all.iter().map(|g| g.iter().sum()).collect();
    assert_eq!(returns.means().len(), 7);
    for (have, want) in returns.means().iter().zip(&means) {
        assert!((have / want - 1.0).abs() < 1e-9, "{have} {want}");
    }
    for i in 0..7 {
        for j in 0..7 {
            let covariance: f64 = all[i]
                .iter()
                .zip(&all[j])
                .map(|(a, b)| (a - means[i] / n) * (b - means[j] / n))
                .sum::<f64>()
                * n
                / (n - 1.0);
            let have = returns.covariance(i, j);
            assert!((have - covariance).abs() < 1e-9 * covariance.abs().max(1e-6));
        }
    }
    let judgement = judged(
        &written,
        &options(&[Sequential::Magic], Method::Bootstrap),
        FqeMode::Stationary,
    );
    let value = judgement.estimates[0].value.unwrap();
    let low = means.iter().copied().fold(f64::INFINITY, f64::min);
    let high = means.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    assert!(low <= value && value <= high);
}

/// A chain of three steps without luck: every action earns what q says it does.
fn certain(n: usize) -> (TempDir, PathBuf) {
    // At step t action a earns 1 + t + a. With π(1) = 0.75: V₂ = 3.75, V₁ = 2.75 + γ V₂, V₀ = 1.75 + γ V₁.
    let v2 = 3.75;
    let v1 = 2.75 + DISCOUNT * v2;
    let next = [v1, v2, 0.0];
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(8);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.csv");
    let mut text = "episode,t,action,propensity,reward,done,pi0,pi1,q0,q1\n".to_owned();
    for episode in 0..n {
        for (t, next) in next.iter().enumerate() {
            let a = usize::from(rng.random::<f64>() < 0.5);
            let q = |a: usize| 1.0 + t as f64 + a as f64 + DISCOUNT * next;
            writeln!(
                text,
                "{episode},{t},{a},0.5,{},{},0.25,0.75,{},{}",
                1 + t + a,
                u8::from(t == 2),
                q(0),
                q(1)
            )
            .unwrap();
        }
    }
    std::fs::write(&path, text).unwrap();
    (folder, path)
}

#[test]
fn doubly_robust_values_start_at_the_first_state_and_shift_nothing() {
    // A peer starts from V(s₁), another pairs rewards with the value of the wrong step. With an exact model and no luck
    // every episode gives V(s₀) exactly, whatever its weights.
    let (_folder, path) = certain(200);
    let v0 = 1.75 + DISCOUNT * (2.75 + DISCOUNT * 3.75);
    let judgement = judge_sequential(
        &Table::open(&path).unwrap(),
        &options(
            &[
                Sequential::Dr,
                Sequential::Wdr,
                Sequential::Dm,
                Sequential::Magic,
            ],
            Method::Normal,
        ),
        SequenceOptions {
            discount: DISCOUNT,
            ..SequenceOptions::default()
        },
    )
    .unwrap();
    for estimate in &judgement.estimates {
        assert!((estimate.value.unwrap() - v0).abs() < 1e-9, "{estimate:?}");
        if estimate.estimator != "wdr" && estimate.estimator != "magic" {
            assert!(estimate.standard_error.unwrap() < 1e-9, "{estimate:?}");
        }
    }
}

#[test]
fn returns_are_discounted_once_for_each_step_before() {
    // A peer's distribution has one γ too many. Two kinds of episodes on policy: 1 + 0.9 · 2 and 5.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.csv");
    let mut text = "episode,t,action,propensity,reward,pi0\n".to_owned();
    for episode in 0..400 {
        if episode % 2 == 0 {
            writeln!(text, "{episode},0,0,1,1,1\n{episode},1,0,1,2,1").unwrap();
        } else {
            writeln!(text, "{episode},0,0,1,5,1").unwrap();
        }
    }
    std::fs::write(&path, text).unwrap();
    let judgement = judge_sequential(
        &Table::open(&path).unwrap(),
        &options(&[Sequential::Tis, Sequential::Pdis], Method::Normal),
        SequenceOptions {
            discount: 0.9,
            ..SequenceOptions::default()
        },
    )
    .unwrap();
    let returns = judgement.returns.unwrap();
    assert!((returns.quantiles[0].value - 2.8).abs() < 1e-12);
    assert!((returns.quantiles[6].value - 5.0).abs() < 1e-12);
    assert!((returns.worst_5_percent - 2.8).abs() < 1e-12);
    for estimate in &judgement.estimates {
        assert!((estimate.value.unwrap() - 3.9).abs() < 1e-12);
    }
}

#[test]
fn weights_beyond_every_number_still_compare() {
    // 400 steps of ρ = 100: e^1842. Self-normalised values hold; the others say why they do not.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.csv");
    let mut text = "episode,t,action,propensity,reward,pi0,pi1\n".to_owned();
    for episode in 0..200 {
        for t in 0..400 {
            writeln!(text, "{episode},{t},1,0.01,{},0,1", episode % 2).unwrap();
        }
    }
    std::fs::write(&path, text).unwrap();
    let judgement = judge_sequential(
        &Table::open(&path).unwrap(),
        &options(
            &[Sequential::Sntis, Sequential::Snpdis, Sequential::Tis],
            Method::Normal,
        ),
        SequenceOptions::default(),
    )
    .unwrap();
    for estimate in &judgement.estimates[..2] {
        assert!(
            (estimate.value.unwrap() - 200.0).abs() < 1e-6,
            "{estimate:?}"
        );
    }
    let reason = judgement.estimates[2].refused.as_deref().unwrap();
    assert!(reason.contains("e^1842"), "{reason}");
}

#[test]
fn one_episode_is_refused_and_disorder_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.csv");
    let read = |rows: &str| {
        std::fs::write(
            &path,
            format!("episode,t,action,propensity,reward,done,pi0\n{rows}"),
        )
        .unwrap();
        judge_sequential(
            &Table::open(&path).unwrap(),
            &options(&[Sequential::Tis], Method::Normal),
            SequenceOptions::default(),
        )
        .map_err(|error| error.to_string())
    };
    let one = read("a,0,0,1,1,0,1\na,1,0,1,1,1,1\n").unwrap();
    let reason = one.estimates[0].refused.clone().unwrap();
    assert!(reason.contains("one episode has no spread"), "{reason}");
    for (rows, reason) in [
        (
            "a,0,0,1,1,1,1\nb,0,0,1,1,1,1\na,1,0,1,1,1,1\n",
            "4: `episode` occurs again",
        ),
        (
            "a,0,0,1,1,0,1\na,2,0,1,1,1,1\n",
            "3: `t` is 2, where step 1",
        ),
        (
            "a,0,0,1,1,1,1\na,1,0,1,1,1,1\n",
            "3: `done` was set in the row before",
        ),
    ] {
        let error = read(rows).unwrap_err();
        assert!(error.contains(reason), "{error}");
    }
}

#[test]
fn the_same_bytes_on_any_number_of_threads() {
    let written = written(3000, 7);
    let run = |threads| {
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap()
            .install(|| {
                let judgement = judged(
                    &written,
                    &options(&Sequential::ALL, Method::Bootstrap),
                    FqeMode::Stationary,
                );
                serde_json::to_string(&judgement).unwrap()
            })
    };
    let one = run(1);
    assert_eq!(one, run(2));
    assert_eq!(one, run(8));
}

#[test]
fn pairs_rolled_forward_are_backward_induction() {
    // Yin & Wang 2020: on finite states both are the value of the fitted process, one forwards and one backwards.
    let written = written(150, 21);
    let names = [Sequential::Fqe, Sequential::MisStateAction];
    let judged = judged(
        &written,
        &options(&names, Method::Bootstrap),
        FqeMode::TimeIndexed,
    );
    let [back, forth] = &judged.estimates[..] else {
        panic!("{judged:?}")
    };
    let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-9 * a.abs(), "{a} {b}");
    near(back.value.unwrap(), forth.value.unwrap());
    near(back.standard_error.unwrap(), forth.standard_error.unwrap());
    assert!(forth.biased);
}

/// Logged steps of one state and feature x, two steps an episode, with rewards given.
fn two_steps(n: usize, seed: u64) -> (LoggedSteps, Vec<f64>) {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut log = LoggedSteps {
        actions: 2,
        starts: vec![0],
        states: 2,
        ..LoggedSteps::default()
    };
    let mut target = Vec::new();
    for episode in 0..n {
        let length = 1 + episode % 2;
        for _ in 0..length {
            let (s, a) = (rng.random_range(0..2_u32), rng.random_range(0..2_u16));
            log.state.push(s);
            log.action.push(a);
            log.propensity.push(0.5);
            log.reward
                .push(f64::from(s) + 2.0 * f64::from(a) + rng.random::<f64>());
            let p = 0.2 + 0.6 * f64::from(s);
            target.extend([p, 1.0 - p]);
        }
        log.key.push(episode as u64);
        log.starts.push(log.reward.len());
    }
    (log, target)
}

#[test]
fn the_model_fitted_here_is_the_fixed_point_of_its_means() {
    let (log, target) = two_steps(60, 22);
    let episodes = log.under(&target);
    let used = vec![true; log.reward.len()];
    let kind = crate::ope::model::ModelKind::Tabular;
    let q = super::fitted::fitted(&episodes, kind, DISCOUNT, &used).unwrap();
    // By its definition, from the fitted values themselves: each cell is its mean target with one row of the action's mean,
    // which has one row of the mean of all.
    let steps = log.reward.len();
    let targets: Vec<f64> = (0..steps)
        .map(|i| {
            let last = log.starts.contains(&(i + 1));
            let after = if last {
                0.0
            } else {
                let j = 2 * (i + 1);
                target[j] * q[j] + target[j + 1] * q[j + 1]
            };
            log.reward[i] + DISCOUNT * after
        })
        .collect();
    let mean = |of: &dyn Fn(usize) -> bool| -> (f64, f64) {
        let kept: Vec<f64> = (0..steps).filter(|i| of(*i)).map(|i| targets[i]).collect();
        (kept.len() as f64, kept.iter().sum())
    };
    let (n, all) = mean(&|_| true);
    for i in 0..steps {
        for a in 0..2_u16 {
            let (m, of_action) = mean(&|j| log.action[j] == a);
            let (k, cell) = mean(&|j| log.action[j] == a && log.state[j] == log.state[i]);
            let drawn = (of_action + all / n) / (m + 1.0);
            let want = (cell + drawn) / (k + 1.0);
            let have = q[2 * i + usize::from(a)];
            assert!((have - want).abs() < 1e-8, "{have} {want}");
        }
    }
}

#[test]
fn the_spread_of_a_fitted_model_is_that_of_leaving_out_an_episode() {
    // The infinitesimal jackknife beside the plain one: leave out each episode, fit again (Efron 1982, chapter 6).
    let (log, target) = two_steps(300, 23);
    let kind = crate::ope::model::ModelKind::Tabular;
    let value = |left_out: Option<usize>| -> f64 {
        let episodes = log.under(&target);
        let used: Vec<bool> = (0..episodes.len())
            .flat_map(|e| episodes.steps(e).map(move |_| Some(e) != left_out))
            .collect();
        let q = super::fitted::fitted(&episodes, kind, DISCOUNT, &used).unwrap();
        let firsts: Vec<f64> = (0..episodes.len())
            .filter(|e| Some(*e) != left_out)
            .map(|e| {
                let i = 2 * episodes.steps(e).start;
                target[i] * q[i] + target[i + 1] * q[i + 1]
            })
            .collect();
        firsts.iter().sum::<f64>() / firsts.len() as f64
    };
    let n = log.len();
    let values: Vec<f64> = (0..n).map(|e| value(Some(e))).collect();
    let mean = values.iter().sum::<f64>() / n as f64;
    let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
    let jackknife = ((n - 1) as f64 / n as f64 * squares).sqrt();
    let judged = judge_steps(
        &log,
        &target,
        &options(&[Sequential::Dm], Method::Normal),
        SequenceOptions {
            discount: DISCOUNT,
            fqe: FqeMode::Stationary,
        },
    );
    let error = judged.estimates[0].standard_error.unwrap();
    assert!(
        (error / jackknife - 1.0).abs() < 0.05,
        "{error} {jackknife}"
    );
}

#[test]
fn a_line_is_found_by_fitted_q_evaluation_on_features() {
    // r = 1 + x + 2a, the next x is x/2, two steps: Q is linear in x, so it is found but for the ridge of one row.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.csv");
    let mut text = "episode,t,action,propensity,reward,pi0,pi1,x0,x1\n".to_owned();
    let (mut truth, n) = (0.0, 2000);
    for episode in 0..n {
        let x = f64::from(episode % 40) / 20.0 - 1.0;
        for t in 0..2 {
            let a = (episode / 40 + t * (episode % 3)) % 2;
            let here = if t == 0 { x } else { x / 2.0 };
            let r = 1.0 + here + 2.0 * f64::from(a);
            writeln!(text, "{episode},{t},{a},0.5,{r},0.25,0.75,{here},{t}").unwrap();
        }
        // Under the policy: 1 + x + 1.5 now, 1 + x/2 + 1.5 then.
        truth += (5.0 + 1.5 * x) / f64::from(n);
    }
    std::fs::write(&path, text).unwrap();
    let judged = judge_sequential(
        &Table::open(&path).unwrap(),
        &options(
            &[Sequential::Fqe, Sequential::Dm, Sequential::Dr],
            Method::Normal,
        ),
        SequenceOptions::default(),
    )
    .unwrap();
    for estimate in &judged.estimates {
        let value = estimate.value.unwrap();
        assert!((value - truth).abs() < 0.01, "{estimate:?} {truth}");
    }
}

#[test]
fn candidates_differ_by_the_difference_of_their_values() {
    let written = written(400, 24);
    let text = std::fs::read_to_string(&written.path).unwrap();
    // The candidate `other` is the policy with its actions exchanged.
    let mut both = String::new();
    let mut exchanged = String::new();
    for (i, line) in text.lines().enumerate() {
        let cells: Vec<&str> = line.split(',').collect();
        let (p0, p1) = (cells[8], cells[9]);
        if i == 0 {
            writeln!(both, "{line},other:pi0,other:pi1").unwrap();
            writeln!(exchanged, "{line}").unwrap();
        } else {
            writeln!(both, "{line},{p1},{p0}").unwrap();
            let mut swapped = cells.clone();
            swapped.swap(8, 9);
            writeln!(exchanged, "{}", swapped.join(",")).unwrap();
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let (both_path, other_path) = (folder.path().join("b.csv"), folder.path().join("o.csv"));
    std::fs::write(&both_path, both).unwrap();
    std::fs::write(&other_path, exchanged).unwrap();
    let sequence = SequenceOptions {
        discount: DISCOUNT,
        fqe: FqeMode::Stationary,
    };
    for estimator in [Sequential::Dr, Sequential::Wdr] {
        let options = options(&[estimator], Method::Normal);
        let value = |path: &std::path::Path| {
            let table = Table::open(path).unwrap();
            let judged = judge_sequential(&table, &options, sequence).unwrap();
            judged.estimates[0].value.unwrap()
        };
        let want = value(&other_path) - value(&written.path);
        let table = Table::open(&both_path).unwrap();
        let compared = compare_sequential(&table, &options, sequence, Some("pi"))
            .unwrap()
            .unwrap();
        let selection = compared.decide(crate::ope::select::SelectionPlan::default());
        assert_eq!(selection.baseline, "pi");
        let have = selection.candidates[0].difference.unwrap();
        assert!((have - want).abs() < 1e-9, "{have} {want}");
        // The fingerprint of a policy does not hang on the column that holds it.
        let (rows, candidates) = compared.judged().unwrap();
        let alone = Table::open(&other_path).unwrap();
        let alone = judge_sequential(&alone, &options, sequence).unwrap();
        let print = alone.judged.unwrap();
        assert_eq!(
            (rows, candidates[0].1),
            (&print.rows[..], &print.candidates[0][..])
        );
    }
}

#[test]
fn estimated_propensities_are_near_the_logged_ones_and_marked() {
    let written = written(3000, 25);
    let text = std::fs::read_to_string(&written.path).unwrap();
    let without: String = text
        .lines()
        .map(|line| {
            let cells: Vec<&str> = line.split(',').collect();
            let kept: Vec<&str> = (0..cells.len())
                .filter(|i| *i != 4)
                .map(|i| cells[i])
                .collect();
            kept.join(",") + "\n"
        })
        .collect();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.csv");
    std::fs::write(&path, without).unwrap();
    let names = [Sequential::Snpdis];
    let known = judged(
        &written,
        &options(&names, Method::Normal),
        FqeMode::Stationary,
    );
    let asked = TableOptions {
        estimate_propensity: true,
        ..options(&names, Method::Normal)
    };
    let sequence = SequenceOptions {
        discount: DISCOUNT,
        fqe: FqeMode::Stationary,
    };
    let estimated = judge_sequential(&Table::open(&path).unwrap(), &asked, sequence).unwrap();
    let (a, b) = (&known.estimates[0], &estimated.estimates[0]);
    let error = a.standard_error.unwrap();
    // Frequencies by state tell the propensities to a hundredth here.
    assert!(
        (a.value.unwrap() - b.value.unwrap()).abs() < error,
        "{a:?} {b:?}"
    );
    assert_eq!(
        estimated.propensities,
        Some(crate::ope::Propensity::Estimated)
    );
    assert!(estimated.notes.iter().any(|n| n.starts_with("ESTIMATED")));
}
