//! The e-processes against closed forms, and their honesty on a small scale; examples/honesty.rs runs the large study.

use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use super::*;
use crate::stats::tally::Count;
use crate::stats::{Alpha, StatsError};

fn count(units: u64, conversions: u64) -> Count {
    Count { units, conversions }
}

fn block(at: f64, share: f64, control: (u64, u64), treatment: (u64, u64)) -> Block {
    Block {
        at,
        share,
        control: count(control.0, control.1),
        treatment: count(treatment.0, treatment.1),
        rows: Vec::new(),
    }
}

/// The bets' single unit factor, from the definition in the documentation.
fn factor(c: f64, share: f64, ratio: f64, t: f64, is_treatment: bool, y: f64) -> f64 {
    let z = if is_treatment {
        (1.0 - share) * (y - ratio * t)
    } else {
        -ratio * share * (y - t)
    };
    1.0 + c * z
}

#[test]
fn a_bet_at_ratio_one_is_the_likelihood_ratio_of_its_lift() {
    // With t the pooled rate, the factor of a unit is its probability under lift d over its probability without:
    // p_b = t(1 + d)/(1 + sd), p_a = t/(1 + sd).
    let (share, t) = (0.3, 0.1);
    let outlook = Outlook {
        mean: t,
        variance: t * (1.0 - t),
    };
    let mixture = Mixture::standard();
    let d = mixture.kappa[30] * ((1.0 - t) / t).sqrt().sqrt();
    let (control, treatment) = (count(700, 61), count(300, 40));
    let mut wealth = RateWealth::new(Side::Promote, 1.0);
    wealth.place(share, Some(outlook), mixture);
    wealth.fold_counts(control, treatment);
    let p_a = t / (1.0 + share * d);
    let p_b = p_a * (1.0 + d);
    let expected = 40.0 * (p_b / t).ln()
        + 260.0 * ((1.0 - p_b) / (1.0 - t)).ln()
        + 61.0 * (p_a / t).ln()
        + 639.0 * ((1.0 - p_a) / (1.0 - t)).ln();
    let ours = wealth.log_wealth()[30];
    assert!(
        (ours - expected).abs() < 1e-9 * expected.abs().max(1.0),
        "{ours} {expected}"
    );
}

#[test]
fn no_bet_has_a_favourable_expectation_at_its_null() {
    // E[1 ± cz] = 1 exactly where p_b = ρ·p_a, and below one on the null's side, for every share, rate, ratio and bet.
    let mixture = Mixture::standard();
    for share in [0.02, 0.3, 0.5, 0.9] {
        for t in [0.001, 0.1, 0.7] {
            for ratio in [0.5, 0.98, 1.0, 1.2] {
                for side in [Side::Promote, Side::RollBack] {
                    let outlook = Outlook {
                        mean: t,
                        variance: t * (1.0 - t),
                    };
                    let mut wealth = RateWealth::new(side, ratio);
                    wealth.place(share, Some(outlook), mixture);
                    // The true rate need not be t.
                    let p_a: f64 = 0.6 * t;
                    let p_b = ratio * p_a;
                    for bet in wealth.bets_placed() {
                        let c = if side == Side::Promote { *bet } else { -*bet };
                        let mut mean = 0.0;
                        for (is_treatment, chance, p) in
                            [(true, share, p_b), (false, 1.0 - share, p_a)]
                        {
                            for (y, chance_y) in [(1.0, p), (0.0, 1.0 - p)] {
                                let m = factor(c, share, ratio, t, is_treatment, y);
                                assert!(m >= 0.1 - 1e-9, "{m}");
                                mean += chance * chance_y * m;
                            }
                        }
                        assert!((mean - 1.0).abs() < 1e-12, "{mean}");
                    }
                }
            }
        }
    }
}

#[test]
fn rows_and_counts_of_the_same_units_give_the_same_wealth() {
    let outlook = Outlook {
        mean: 0.2,
        variance: 0.16,
    };
    let mixture = Mixture::standard();
    let rows: Vec<(bool, f64)> = (0..500)
        .map(|i| (i % 3 == 0, f64::from(u8::from(i % 7 == 0))))
        .collect();
    let mut counts = [Count::default(); 2];
    for (is_treatment, y) in &rows {
        counts[usize::from(*is_treatment)].count(*y == 1.0);
    }
    for side in [Side::Promote, Side::RollBack] {
        let mut by_row = RateWealth::new(side, 0.97);
        let mut by_count = by_row.clone();
        by_row.place(0.33, Some(outlook), mixture);
        by_count.place(0.33, Some(outlook), mixture);
        by_row.fold_rows(&rows);
        by_count.fold_counts(counts[0], counts[1]);
        let (a, b) = (by_row.log_value(mixture), by_count.log_value(mixture));
        assert!((a - b).abs() < 1e-9 * a.abs().max(1.0), "{a} {b}");
    }
}

#[test]
fn extreme_blocks_stay_finite() {
    let levels = TestLevels::halves(Alpha::FIVE_PERCENT);
    let huge = 1_000_000_000_000;
    for blocks in [
        vec![
            block(0.0, 0.5, (1, 0), (0, 0)),
            block(1.0, 0.5, (0, 0), (1, 1)),
        ],
        vec![block(0.0, 0.5, (10, 0), (10, 0)); 3],
        vec![block(0.0, 0.5, (10, 10), (10, 10)); 3],
        vec![block(0.0, 1e-6, (huge, huge / 10), (huge, huge / 9)); 3],
        vec![block(0.0, 0.5, (huge, 0), (huge, huge)); 3],
    ] {
        let mut test = RateTest::new(levels);
        let mut plain = HypergeometricTest::new(&levels);
        for block in &blocks {
            test.fold(block).unwrap();
            plain
                .fold(block.at, block.control, block.treatment)
                .unwrap();
        }
        for wealth in [test.wealth(), plain.wealth()] {
            assert!(!wealth.log_promote.is_nan() && !wealth.log_roll_back.is_nan());
        }
        let interval = rate_interval(&blocks, &levels);
        assert!(interval.lower <= interval.upper, "{interval:?}");
    }
}

#[test]
fn bad_blocks_change_nothing() {
    let mut test = RateTest::new(TestLevels::halves(Alpha::FIVE_PERCENT));
    test.fold(&block(5.0, 0.5, (10, 1), (10, 2))).unwrap();
    let before = test.clone();
    let mut outside = block(6.0, 0.5, (0, 0), (0, 0));
    outside.rows = vec![(true, 1.01)];
    for (bad, error) in [
        (block(6.0, 1.0, (1, 0), (1, 0)), "share"),
        (block(6.0, 0.5, (1, 2), (1, 0)), "conversions"),
        (block(4.0, 0.5, (1, 0), (1, 0)), "order of exposure"),
        (outside, "bounds"),
    ] {
        let text = test.fold(&bad).unwrap_err().to_string();
        assert!(text.contains(error), "{text}");
        assert_eq!(test, before);
    }
}

#[test]
fn interval_and_verdict_agree() {
    let levels = TestLevels::halves(Alpha::FIVE_PERCENT);
    // Alike, better and worse, at a share of one third.
    for (p_b, decided) in [(0.10, None), (0.16, Some(true)), (0.06, Some(false))] {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(9);
        let mut test = RateTest::new(levels);
        let blocks: Vec<Block> = (0..300)
            .map(|i| random_block(&mut rng, f64::from(i), 20, 1.0 / 3.0, 0.10, p_b))
            .collect();
        for block in &blocks {
            test.fold(block).unwrap();
        }
        let interval = rate_interval(&blocks, &levels);
        let ratio = p_b / 0.10;
        assert!(
            interval.lower <= ratio && ratio <= interval.upper,
            "{interval:?}"
        );
        assert_eq!(interval.lower >= 1.0, test.promoted().is_some());
        assert_eq!(interval.upper <= 1.0, test.rolled_back().is_some());
        assert_eq!(
            decided,
            match (test.promoted(), test.rolled_back()) {
                (Some(_), _) => Some(true),
                (_, Some(_)) => Some(false),
                _ => None,
            }
        );
    }
}

fn random_block(
    rng: &mut Xoshiro256PlusPlus,
    at: f64,
    units: u32,
    share: f64,
    p_a: f64,
    p_b: f64,
) -> Block {
    let mut counts = [Count::default(); 2];
    for _ in 0..units {
        let treatment = rng.random::<f64>() < share;
        let p = if treatment { p_b } else { p_a };
        counts[usize::from(treatment)].count(rng.random::<f64>() < p);
    }
    Block {
        at,
        share,
        control: counts[0],
        treatment: counts[1],
        rows: Vec::new(),
    }
}

#[test]
fn alike_arms_are_seldom_called_different() {
    // 300 runs of 8,000 arrivals, a look every 20, ramp 5 → 25 → 50 %, base rate drifting from 6 to 10 %. Ville's bound is
    // 5 %, and 300 runs stay below 9 % with probability 0.999 then.
    let levels = TestLevels::halves(Alpha::FIVE_PERCENT);
    let mut called = 0;
    for seed in 0..300 {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        let mut test = RateTest::new(levels);
        for look in 0..400 {
            let at = f64::from(look);
            let share = [0.05, 0.25, 0.5, 0.5][look as usize / 100];
            let p = 0.06 + 0.04 * at / 400.0;
            test.fold(&random_block(&mut rng, at, 20, share, p, p))
                .unwrap();
        }
        called += u32::from(test.promoted().is_some() || test.rolled_back().is_some());
    }
    assert!(called <= 27, "{called} of 300");
}

#[test]
fn snapshots_without_shares_are_judged_alike() {
    // Alike arms with any allocation; then a winner.
    let levels = TestLevels::halves(Alpha::FIVE_PERCENT);
    let mut called = 0;
    for seed in 0..40 {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        let mut alike = HypergeometricTest::new(&levels);
        for look in 0..15 {
            let share = 0.1 + 0.5 * rng.random::<f64>();
            let rate = 0.05 + 0.1 * rng.random::<f64>();
            let block = random_block(&mut rng, f64::from(look), 400, share, rate, rate);
            alike
                .fold(block.at, block.control, block.treatment)
                .unwrap();
        }
        called += u32::from(alike.promoted().is_some() || alike.rolled_back().is_some());
    }
    assert!(called <= 7, "{called} of 40");
    let mut better = HypergeometricTest::new(&levels);
    for look in 0..10 {
        better
            .fold(f64::from(look), count(1000, 100), count(1000, 140))
            .unwrap();
    }
    assert!(better.promoted().is_some() && better.rolled_back().is_none());
    let interval = odds_interval(&[(count(10_000, 1000), count(10_000, 1400))], &levels);
    let odds = (0.14 / 0.86) / (0.1 / 0.9);
    assert!(
        1.0 < interval.lower && interval.lower < odds && odds < interval.upper,
        "{interval:?}"
    );
}

#[test]
fn strata_veto_and_challengers_have_their_own_share() {
    let mut veto = StrataVeto::new(2, 0.1, Alpha::FIVE_PERCENT).unwrap();
    for at in 0..60 {
        let at = f64::from(at);
        veto.fold(0, &block(at, 0.5, (100, 10), (100, 12))).unwrap();
        veto.fold(1, &block(at, 0.2, (80, 8), (20, 1))).unwrap();
    }
    assert_eq!(veto.vetoes().collect::<Vec<_>>(), [1]);
    assert!(veto.fold(2, &block(0.0, 0.5, (1, 0), (1, 0))).is_err());
    assert!(StrataVeto::new(13, 0.1, Alpha::FIVE_PERCENT).is_err());
    let multi = MultiBlock {
        at: 1.0,
        shares: vec![0.6, 0.3, 0.1],
        arms: vec![count(60, 6), count(30, 3), count(10, 2)],
    };
    let pair = challenger_block(&multi, 2).unwrap();
    assert!((pair.share - 1.0 / 7.0).abs() < 1e-15);
    assert_eq!((pair.control, pair.treatment), (count(60, 6), count(10, 2)));
    assert!(challenger_block(&multi, 0).is_err());
    let torn = MultiBlock {
        shares: vec![0.6, 0.3, 0.2],
        ..multi
    };
    assert!(matches!(
        challenger_block(&torn, 1),
        Err(StatsError::SharesDoNotSum { .. })
    ));
}

#[test]
fn a_harmed_guardrail_is_noticed_whichever_way_it_points() {
    for (harm, rates, harmed) in [
        (Harm::Higher, (10, 16), true),
        (Harm::Higher, (10, 10), false),
        (Harm::Lower, (80, 68), true),
        (Harm::Lower, (80, 82), false),
    ] {
        let mut test = GuardrailTest::new(harm, 0.02, Alpha::new(0.0125).unwrap()).unwrap();
        for at in 0..30 {
            let block = block(f64::from(at), 0.5, (100, rates.0), (100, rates.1));
            test.fold(&block).unwrap();
        }
        assert_eq!(test.harmed().is_some(), harmed, "{harm:?} {rates:?}");
    }
}

proptest! {
    #[test]
    fn shards_give_the_same_bits(
        units in prop::collection::vec((0_u8..4, any::<bool>(), any::<bool>()), 1..200),
        shards in prop::collection::vec(0_usize..3, 200),
    ) {
        // Units of four blocks, counted whole and on three shards that are added afterwards.
        let mut whole = [[Count::default(); 2]; 4];
        let mut parts = [[[Count::default(); 2]; 4]; 3];
        for ((minute, arm, converted), shard) in units.iter().zip(&shards) {
            whole[*minute as usize][usize::from(*arm)].count(*converted);
            parts[*shard][*minute as usize][usize::from(*arm)].count(*converted);
        }
        let levels = TestLevels::halves(Alpha::FIVE_PERCENT);
        let fold = |counts: [[Count; 2]; 4]| {
            let mut test = RateTest::new(levels);
            for (at, [control, treatment]) in counts.into_iter().enumerate() {
                let block = Block { at: at as f64, share: 0.4, control, treatment, rows: Vec::new() };
                test.fold(&block).unwrap();
            }
            test.wealth()
        };
        let mut added = [[Count::default(); 2]; 4];
        for part in parts {
            for (sum, more) in added.iter_mut().zip(part) {
                for (sum, more) in sum.iter_mut().zip(more) {
                    *sum += more;
                }
            }
        }
        let (a, b) = (fold(whole), fold(added));
        prop_assert_eq!(a.log_promote.to_bits(), b.log_promote.to_bits());
        prop_assert_eq!(a.log_roll_back.to_bits(), b.log_roll_back.to_bits());
    }
}
