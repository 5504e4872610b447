//! The simulator against exact values, and against itself by another way.

use super::runs::Plan;
use super::*;

#[path = "../../examples/agreement/cases.rs"]
mod cases;

fn queue(text: &str) -> Queue {
    let config: QueueConfig = toml::from_str(text).unwrap();
    config.check().unwrap()
}

/// The cases of the table in docs/queueing.md with fewer customers. Rare events, of whom fewer than 30 are expected, are
/// left out: their errors are not normal.
#[test]
fn simulated_values_lie_within_four_standard_errors_of_the_exact_ones() {
    let customers = 150_000;
    let (mut compared, mut squares) = (0, 0.0);
    for (seed, (name, text)) in (2..).zip(cases::CASES) {
        // Its rare long waits come in clusters, of which so few customers see none.
        if *name == "M/M/500, load 0.98" {
            continue;
        }
        let queue = queue(&format!("customers = {customers}\nseed = {seed}\n{text}"));
        let exact = theory(&queue).unwrap();
        for row in compare(&queue.simulate(), Some(&exact)) {
            let Some(exact) = row.exact else { continue };
            let rare = exact.min(1.0 - exact) * f64::from(customers) < 30.0;
            if row.measure.starts_with("p_") && rare {
                let off = (row.simulated.value.unwrap() - exact).abs();
                assert!(off * f64::from(customers) < 60.0, "{name}: {row:?}");
                continue;
            }
            match row.z() {
                Some(z) => {
                    assert!(z.abs() <= 4.0, "{name}: z {z}, {row:?}");
                    compared += 1;
                    squares += z * z;
                }
                None => assert_eq!(row.simulated.value, Some(exact), "{name}: {row:?}"),
            }
        }
    }
    assert!(compared > 200, "{compared}");
    // Errors that were too small or too large would show in the spread of z.
    let spread = (squares / f64::from(compared)).sqrt();
    assert!((0.7..1.3).contains(&spread), "{spread} of {compared}");
}

/// The line of the earliest free server, and the lines of priorities with one priority, are two ways to the same customers.
#[test]
fn one_line_is_the_same_by_both_ways() {
    for (_, text) in cases::CASES {
        if text.contains("classes") {
            continue;
        }
        let queue = queue(&format!("customers = 20_000\nseed = 3\n{text}"));
        let plan = Plan::new(queue.customers, queue.warmup_share);
        let (quick, lines) = (queue.first_come(&plan), queue.with_lines(&plan));
        for (a, b) in quick.iter().zip(&lines[0]) {
            let counts = |s: &sums::Sums| (s.customers, s.waited, s.abandoned, s.within);
            assert_eq!(counts(a), counts(b), "{text}");
            for (a, b) in [
                (a.wait_s, b.wait_s),
                (a.wait_served_s, b.wait_served_s),
                (a.busy_s, b.busy_s),
                (a.duration_s, b.duration_s),
            ] {
                assert!((a - b).abs() <= 1e-9 * a.abs().max(1.0), "{text}: {a} {b}");
            }
        }
        assert_eq!(quick.len(), lines[0].len());
    }
}

/// A short run by hand: one server, work of 10 s, patience of 15 s. Whoever would wait longer leaves.
#[test]
fn lines_by_hand() {
    let mut lines = line::Lines::new(1, 2);
    let mut fates = Vec::new();
    for (number, (arrival_s, class)) in [(0.0, 1), (1.0, 1), (2.0, 0), (3.0, 1), (4.0, 0)]
        .into_iter()
        .enumerate()
    {
        let customer = line::Customer {
            number: number as u64,
            class,
            arrival_s,
            service_s: 10.0,
            patience_s: 15.0,
        };
        lines.arrive(customer, class, &mut |c, o| {
            fates.push((c.number, o.wait_s, o.waited, o.served));
        });
    }
    lines.serve_until(f64::INFINITY, &mut |c, o| {
        fates.push((c.number, o.wait_s, o.waited, o.served));
    });
    // At 10 s the first of the urgent, at 20 s would be the second: 16 s is too long, as is 19 s for customer 1 and 17 s for
    // customer 3.
    assert_eq!(
        fates,
        [
            (0, 0.0, false, true),
            (2, 8.0, true, true),
            (4, 15.0, true, false),
            (1, 15.0, true, false),
            (3, 15.0, true, false),
        ]
    );
}

/// An overloaded queue that begins empty, with nobody leaving: work of exactly 1 s for one server, two customers a second
/// for a day of 100 s. The server starts at the first arrival (0.5 s on average) and hardly ever idles again; of 200
/// customers about 100 are left at the end, so the queue's mean over time is near 50 and the mean wait near 50 s.
#[test]
fn a_day_without_a_steady_state_is_measured_to_its_horizon() {
    let text = "servers = 1\narrival_rate_per_s = 2.0\nservice = { kind = \"deterministic\", mean_s = 1 }\n\
                customers = 100_000\nwarmup_share = 0.0\nhorizon_s = 100.0";
    let queue = queue(text);
    assert_eq!(theory(&queue), None);
    let result = queue.simulate();
    // N(t) of a queue that never idles: E N = t; exact within the idle time, which is 0.5 s plus a little.
    let busy = result.measures.occupancy.value.unwrap();
    assert!((0.985..0.996).contains(&busy), "{busy}");
    let line = result.measures.mean_queue.value.unwrap();
    assert!((49.0..51.0).contains(&line), "{line}");
    let wait = result.measures.mean_wait_s;
    assert!((wait.value.unwrap() - 50.0).abs() < 1.0, "{wait:?}");
    assert!(
        result.customers.abs_diff(100_000) < 2_000,
        "{}",
        result.customers
    );
}

/// Little's law for a class that is often overtaken, and the whole as the sum of its classes.
#[test]
fn classes_add_up() {
    let text = "servers = 4\narrival_rate_per_s = 0.015\nservice = { kind = \"lognormal\", mean_s = 240, sd_s = 100 }\n\
                patience = { kind = \"lognormal\", mean_s = 200, sd_s = 100 }\ncustomers = 100_000\n\
                classes = [{ share = 0.25, priority = 1 }, { share = 0.75, priority = 2 }]";
    let result = queue(text).simulate();
    let all = result.measures;
    let sum = |of: fn(&Measures) -> Estimate| -> f64 {
        result
            .classes
            .iter()
            .filter_map(|class| of(&class.measures).value)
            .sum()
    };
    assert!((sum(|m| m.mean_queue) - all.mean_queue.value.unwrap()).abs() < 1e-9);
    assert!((sum(|m| m.occupancy) - all.occupancy.value.unwrap()).abs() < 1e-12);
    let [first, second] = &result.classes[..] else {
        panic!()
    };
    assert!(first.measures.mean_wait_s.value < second.measures.mean_wait_s.value);
    assert!(first.measures.p_abandon.value < second.measures.p_abandon.value);
}

#[test]
fn a_seed_is_one_run() {
    let text = |seed: u64| {
        format!(
            "servers = 3\narrival_rate_per_s = 0.9\nservice = {{ kind = \"exponential\", mean_s = 3 }}\n\
             patience = {{ kind = \"exponential\", mean_s = 2 }}\ncustomers = 5_000\nseed = {seed}"
        )
    };
    assert_eq!(queue(&text(4)).simulate(), queue(&text(4)).simulate());
    let (four, five) = (queue(&text(4)).simulate(), queue(&text(5)).simulate());
    assert_ne!(four.measures, five.measures);
}
