//! Values against an independent computation (`scripts/erlang-fixture.py`) and published ones.

use serde::Deserialize;

use super::*;

#[derive(Deserialize)]
struct Fixture {
    times: Vec<f64>,
    loss: Vec<Loss>,
    wait: Vec<Row>,
    leave: Vec<Row>,
    laws: Vec<Row>,
    fixed: Vec<Row>,
}

#[derive(Deserialize)]
struct Loss {
    servers: u32,
    offered: f64,
    p_block: f64,
}

#[derive(Debug, Deserialize)]
struct Row {
    servers: u32,
    rate: f64,
    service: f64,
    patience: Option<f64>,
    kind: Option<String>,
    numbers: Option<Vec<f64>>,
    p_wait: f64,
    p_abandon: Option<f64>,
    mean_wait_s: f64,
    mean_wait_served_s: Option<f64>,
    mean_queue: Option<f64>,
    occupancy: Option<f64>,
    p_served_within: Option<Vec<f64>>,
}

impl Row {
    fn traffic(&self) -> Traffic {
        Traffic::new(self.servers, self.rate, self.service).unwrap()
    }

    fn law(&self) -> PatienceLaw {
        if let Some(mean_s) = self.patience {
            return PatienceLaw::Exponential { mean_s };
        }
        let numbers = self.numbers.as_ref().unwrap();
        match self.kind.as_deref() {
            Some("deterministic") => PatienceLaw::Deterministic { s: numbers[0] },
            Some("lognormal") => PatienceLaw::Lognormal {
                mean_s: numbers[0],
                sd_s: numbers[1],
            },
            _ => PatienceLaw::empirical(numbers),
        }
    }
}

fn fixture() -> Fixture {
    serde_json::from_str(include_str!("fixture.json")).unwrap()
}

/// Relative difference below a bound; the formulas leave out what is below 1e-24.
fn same(have: f64, want: f64, bound: f64, what: &str) {
    assert!(
        (have - want).abs() <= bound * want.abs() + 1e-24,
        "{what}: {have} instead of {want}, off by {:e}",
        (have - want).abs() / want.abs()
    );
}

fn all_same(have: impl Fn(f64) -> f64, times: &[f64], want: &[f64], bound: f64, what: &str) {
    for (t, want) in times.iter().zip(want) {
        same(have(*t), *want, bound, &format!("{what}, within {t} s"));
    }
}

#[test]
fn loss_agrees_with_the_incomplete_gamma_function() {
    for Loss {
        servers,
        offered,
        p_block,
    } in fixture().loss
    {
        let traffic = Traffic::new(servers, offered, 1.0).unwrap();
        same(
            loss_probability(&traffic),
            p_block,
            1e-10,
            &format!("{servers} {offered}"),
        );
    }
}

#[test]
fn waiting_agrees_with_the_incomplete_gamma_function() {
    let fixture = fixture();
    for row in &fixture.wait {
        let queue = ErlangC::new(row.traffic()).unwrap();
        let what = format!("{row:?}");
        same(queue.p_wait(), row.p_wait, 1e-9, &what);
        same(queue.mean_wait_s(), row.mean_wait_s, 1e-9, &what);
        same(queue.mean_queue(), row.mean_queue.unwrap(), 1e-9, &what);
        let within = row.p_served_within.as_ref().unwrap();
        all_same(
            |t| queue.p_served_within(t),
            &fixture.times,
            within,
            1e-9,
            &what,
        );
    }
}

#[test]
fn impatience_agrees_with_the_chain_and_with_quadrature() {
    let fixture = fixture();
    for row in fixture.leave.iter().chain(&fixture.laws) {
        let queue = Impatient::new(row.traffic(), row.law()).unwrap();
        let what = format!("{row:?}");
        same(queue.p_wait(), row.p_wait, 1e-9, &what);
        same(queue.p_abandon(), row.p_abandon.unwrap(), 1e-9, &what);
        same(queue.mean_wait_s(), row.mean_wait_s, 1e-9, &what);
        same(
            queue.mean_wait_served_s(),
            row.mean_wait_served_s.unwrap(),
            1e-9,
            &what,
        );
        same(queue.mean_queue(), row.rate * row.mean_wait_s, 1e-9, &what);
        if let Some(occupancy) = row.occupancy {
            same(queue.occupancy(), occupancy, 1e-9, &what);
        }
        let within = row.p_served_within.as_ref().unwrap();
        all_same(
            |t| queue.p_served_within(t),
            &fixture.times,
            within,
            1e-9,
            &what,
        );
    }
}

#[test]
fn fixed_service_agrees_with_the_solved_chain() {
    for row in fixture().fixed {
        let queue = FixedService::new(row.traffic()).unwrap();
        let what = format!("{row:?}");
        // The linear equations are solved in floating point.
        same(queue.p_wait(), row.p_wait, 1e-9, &what);
        same(queue.mean_wait_s(), row.mean_wait_s, 1e-9, &what);
        same(queue.mean_queue(), row.mean_queue.unwrap(), 1e-9, &what);
    }
}

/// 50 agents, 48 calls a minute, one minute of service, two minutes of patience: 3.1 % leave, 3.7 s mean wait, 93 % busy;
/// without impatience 20.8 s and 96 % (Gans, Koole & Mandelbaum, M&SOM 5, 2003).
#[test]
fn the_published_example() {
    let traffic = Traffic::new(50, 0.8, 60.0).unwrap();
    let patient = ErlangC::new(traffic).unwrap();
    same(patient.mean_wait_s(), 20.83, 3e-4, "Erlang C");
    same(patient.occupancy(), 0.96, 1e-12, "Erlang C");
    let impatient = Impatient::new(traffic, PatienceLaw::Exponential { mean_s: 120.0 }).unwrap();
    same(impatient.p_abandon(), 0.0309, 1e-3, "Erlang A");
    same(impatient.mean_wait_s(), 3.709, 2e-4, "Erlang A");
    same(impatient.occupancy(), 0.930, 1e-3, "Erlang A");
}

#[test]
fn no_patience_is_the_loss_system_and_endless_patience_is_erlang_c() {
    for (servers, rate) in [(1, 0.6), (10, 8.0), (10, 13.0), (400, 395.0)] {
        let traffic = Traffic::new(servers, rate, 1.0).unwrap();
        let none = Impatient::new(traffic, PatienceLaw::Deterministic { s: 0.0 }).unwrap();
        same(none.p_abandon(), loss_probability(&traffic), 1e-11, "loss");
        same(none.p_wait(), loss_probability(&traffic), 1e-11, "loss");
        assert_eq!(none.mean_wait_s(), 0.0);
        if let Ok(patient) = ErlangC::new(traffic) {
            let law = PatienceLaw::Deterministic { s: 1e6 };
            let endless = Impatient::new(traffic, law).unwrap();
            same(
                endless.mean_wait_s(),
                patient.mean_wait_s(),
                1e-10,
                "endless",
            );
            same(
                endless.p_served_within(0.1),
                patient.p_served_within(0.1),
                1e-10,
                "endless",
            );
        }
    }
}

/// Two priorities on one M/M/1 server of load 0.75, by hand: W₀ = 0.75, W₁ = 0.75 / 0.75 = 1, W₂ = 0.75 / (0.75 · 0.25) = 4;
/// and the conservation law Σ ρₖWₖ = ρ W₀ / (1 − ρ).
#[test]
fn priorities_by_hand() {
    let waits = priority_waits_s(0.75, &[0.25, 0.5]);
    same(waits[0].unwrap(), 1.0, 1e-15, "first");
    same(waits[1].unwrap(), 4.0, 1e-15, "second");
    let conserved = 0.25 * waits[0].unwrap() + 0.5 * waits[1].unwrap();
    same(conserved, 0.75 * 0.75 / 0.25, 1e-15, "conservation");
    assert_eq!(priority_waits_s(1.0, &[0.5, 0.6, 0.1])[1..], [None, None]);
}

#[test]
fn staffing_finds_the_first_number_that_is_enough() {
    let traffic = Traffic::new(1, 0.8, 60.0).unwrap();
    let law = PatienceLaw::Exponential { mean_s: 120.0 };
    let target = Target {
        served_within: Some((0.8, 20.0)),
        ..Target::default()
    };
    let c = fewest(&traffic, None, &target).unwrap();
    let within = |n| {
        let queue = ErlangC::new(Traffic::new(n, 0.8, 60.0).unwrap());
        queue.map_or(0.0, |queue| queue.p_served_within(20.0))
    };
    assert!(within(c) >= 0.8 && within(c - 1) < 0.8);
    let a = fewest(&traffic, Some(&law), &target).unwrap();
    let queue = |n| Impatient::new(Traffic::new(n, 0.8, 60.0).unwrap(), law.clone()).unwrap();
    assert!(queue(a).p_served_within(20.0) >= 0.8 && queue(a - 1).p_served_within(20.0) < 0.8);
    assert!(a < c);
    for (target, met) in [
        (
            Target {
                max_abandon: Some(0.01),
                ..Target::default()
            },
            &(|q: &Impatient| q.p_abandon() <= 0.01) as &dyn Fn(&Impatient) -> bool,
        ),
        (
            Target {
                max_mean_wait_s: Some(0.5),
                ..Target::default()
            },
            &|q: &Impatient| q.mean_wait_s() <= 0.5,
        ),
    ] {
        let n = fewest(&traffic, Some(&law), &target).unwrap();
        assert!(met(&queue(n)) && !met(&queue(n - 1)), "{target:?}: {n}");
    }
}

#[test]
fn large_queues_are_staffed_too() {
    let traffic = Traffic::new(1, 330.0, 300.0).unwrap();
    let target = Target {
        served_within: Some((0.8, 20.0)),
        ..Target::default()
    };
    let law = PatienceLaw::Exponential { mean_s: 120.0 };
    let c = fewest(&traffic, None, &target).unwrap();
    let a = fewest(&traffic, Some(&law), &target).unwrap();
    let queue = |n| Impatient::new(Traffic::new(n, 330.0, 300.0).unwrap(), law.clone()).unwrap();
    assert!(queue(a).p_served_within(20.0) >= 0.8 && queue(a - 1).p_served_within(20.0) < 0.8);
    assert!(c > 99_000 && a < c, "{a} {c}");
}

#[test]
fn numbers_out_of_range_are_refused() {
    for (servers, rate, service) in [
        (0, 1.0, 1.0),
        (1_000_001, 1.0, 1.0),
        (1, 0.0, 1.0),
        (1, -1.0, 1.0),
        (1, f64::NAN, 1.0),
        (1, f64::INFINITY, 1.0),
        (1, 1.0, 0.0),
        (1, 1e4, 1e4),
    ] {
        let refused = Traffic::new(servers, rate, service);
        assert!(
            matches!(refused, Err(ErlangError::Range { .. })),
            "{servers} {rate} {service}"
        );
    }
    let full = Traffic::new(2, 2.0, 1.0).unwrap();
    assert!(matches!(
        ErlangC::new(full),
        Err(ErlangError::Unstable { .. })
    ));
    assert!(matches!(
        FixedService::new(full),
        Err(ErlangError::Unstable { .. })
    ));
    assert!(matches!(
        SingleServer::new(1.0, 1.0, 0.0),
        Err(ErlangError::Unstable { .. })
    ));
    for law in [
        PatienceLaw::Exponential { mean_s: 0.0 },
        PatienceLaw::Lognormal {
            mean_s: 1.0,
            sd_s: f64::NAN,
        },
        PatienceLaw::Deterministic { s: -1.0 },
        PatienceLaw::empirical(&[]),
        PatienceLaw::empirical(&[1.0, f64::INFINITY]),
    ] {
        assert!(Impatient::new(full, law.clone()).is_err(), "{law:?}");
    }
    for (share, within_s) in [(0.0, 20.0), (1.0, 20.0), (f64::NAN, 20.0), (0.8, -1.0)] {
        let target = Target {
            served_within: Some((share, within_s)),
            ..Target::default()
        };
        let refused = fewest(&full, None, &target);
        assert!(
            matches!(refused, Err(TargetError::Range { .. })),
            "{share} {within_s}"
        );
    }
}
