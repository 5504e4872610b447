use super::*;

fn rule() -> Autoscaler {
    Autoscaler {
        target: 0.5,
        tolerance: 0.1,
        min: 1,
        max: 20,
        startup_s: 60.0,
        interval_s: 15.0,
    }
}

#[test]
fn the_rule_follows_its_formula() {
    // ⌈current × metric / target⌉ by hand.
    for (current, metric, wanted) in [
        (4, 1.0, 8),
        (4, 0.25, 2),
        (3, 0.6, 4),
        (3, 0.9, 6),
        (1, 0.0, 1),
        // Within 10 % of the target nothing changes, its edges included.
        (4, 0.55, 4),
        (4, 0.45, 4),
        (10, 0.56, 12),
        // Between the smallest and the largest number.
        (10, 5.0, 20),
        (30, 0.5, 20),
        (0, 3.0, 1),
        (20, f64::INFINITY, 20),
        (7, f64::NAN, 7),
    ] {
        assert_eq!(
            rule().desired(current, metric),
            wanted,
            "{current} at {metric}"
        );
    }
}

#[test]
fn settings_out_of_range_are_named() {
    let bad = |change: fn(&mut Autoscaler)| {
        let mut rule = rule();
        change(&mut rule);
        rule.validate().unwrap_err().key
    };
    assert_eq!(bad(|r| r.target = 0.0), "target");
    assert_eq!(bad(|r| r.tolerance = 1.0), "tolerance");
    assert_eq!(bad(|r| r.max = 0), "max");
    assert_eq!(bad(|r| r.min = 21), "max");
    assert_eq!(bad(|r| r.startup_s = f64::NAN), "startup_s");
    assert_eq!(bad(|r| r.interval_s = -1.0), "interval_s");
    assert_eq!(Autoscaler::default().validate(), Ok(()));
}

#[test]
fn replicas_serve_after_their_start_up() {
    let mut set = ReplicaSet::new(2, 0.0);
    assert_eq!(set.observe(&rule(), 1.0), 4);
    assert_eq!((set.ready(), set.starting()), (2, 2));
    assert_eq!(set.next_ready_s(), Some(60.0));
    set.advance(59.9);
    assert_eq!(set.ready(), 2);
    set.advance(60.0);
    assert_eq!((set.ready(), set.starting()), (4, 0));
    assert_eq!(set.next_ready_s(), None);
}

#[test]
fn a_start_up_is_not_ordered_twice() {
    let mut set = ReplicaSet::new(2, 0.0);
    set.observe(&rule(), 1.0);
    // The ready two are as busy as before; shared out over four that is the target.
    set.advance(15.0);
    assert_eq!(set.observe(&rule(), 1.0), 4);
    // Twice as busy: 2 × 2.0 over four is 1.0 each, twice the target.
    set.advance(30.0);
    assert_eq!(set.observe(&rule(), 2.0), 8);
    assert_eq!((set.ready(), set.starting()), (2, 6));
    set.advance(60.0);
    assert_eq!((set.ready(), set.starting()), (4, 4));
    set.advance(90.0);
    assert_eq!((set.ready(), set.starting()), (8, 0));
}

#[test]
fn on_target_a_start_up_goes_on() {
    let mut set = ReplicaSet::new(2, 0.0);
    set.observe(&rule(), 1.0);
    assert_eq!(set.observe(&rule(), 0.48), 4);
    assert_eq!(set.starting(), 2);
}

#[test]
fn the_newest_that_are_starting_stop_first() {
    let mut set = ReplicaSet::new(4, 0.0);
    set.scale_to(6, 60.0);
    set.advance(10.0);
    set.scale_to(9, 60.0);
    set.scale_to(7, 60.0);
    assert_eq!((set.ready(), set.starting()), (4, 3));
    set.advance(60.0);
    assert_eq!((set.ready(), set.starting()), (6, 1));
    // A quarter of the target on six ready ones: ⌈6 × 0.25⌉ = 2.
    assert_eq!(set.observe(&rule(), 0.125), 2);
    assert_eq!((set.ready(), set.starting()), (2, 0));
}

#[test]
fn without_a_start_up_replicas_serve_at_once_and_time_does_not_go_back() {
    let mut set = ReplicaSet::new(1, 100.0);
    set.scale_to(3, 0.0);
    assert_eq!(set.ready(), 3);
    set.advance(50.0);
    set.scale_to(4, 10.0);
    assert_eq!(set.next_ready_s(), Some(110.0));
}
