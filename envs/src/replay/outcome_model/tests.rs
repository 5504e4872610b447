use super::super::samples::{SECONDS, conversation, episodes, fitted, masked, mixed};
use super::*;
use crate::reward::RewardSpec;

const B: [f64; 3] = [0.25, 0.5, 1.0];

fn spec() -> RewardSpec {
    RewardSpec::default()
}

fn assumption(satisfaction: f64) -> AssumedCell {
    AssumedCell {
        satisfaction,
        answer_s: 2.0,
        human_s: 0.0,
        source: "vendor".to_owned(),
    }
}

#[test]
fn coefficients_of_mixed_conversations_are_recovered() {
    // S is exactly Σ share b, so least squares must find b; the trace of ridge moves it by about 1e-6.
    let model = fitted(&episodes(&mixed(Class::Complex, B, 40), &spec()));
    for tier in Tier::ALL {
        let cell = model.cell(Class::Complex, tier).unwrap();
        let wanted = B[tier.index()];
        assert!(
            (cell.satisfaction - wanted).abs() < 1e-4,
            "{tier}: {cell:?}"
        );
        assert!(!cell.is_assumed());
        assert!(cell.rates.iter().all(|rate| rate.is_nan()), "not measured");
        let (answer_s, human_s) = SECONDS[tier.index()];
        for answer in &cell.answers {
            assert_eq!(
                (answer.time.elapsed_s, answer.human_s),
                (Some(answer_s), human_s)
            );
        }
    }
    assert!(!model.is_assumed());
    // A class that never occurs has no cells.
    assert_eq!(model.cell(Class::Simple, Tier::Auto), None);
}

#[test]
fn rates_are_fitted_where_they_were_tracked() {
    let mut log = mixed(Class::Simple, B, 40);
    for (n, conversation) in log.iter_mut().enumerate() {
        // One in four of those that only the AI answered came to a person; nobody else did.
        let auto = conversation
            .decisions
            .iter()
            .all(|d| d.action == Tier::Auto);
        conversation.escalated_7d = Some(auto && n / 7 % 4 == 0);
    }
    // Whoever escalated is half as satisfied; that moves S, not the rate. Pure auto is 0.25, everything else 0:
    // seven equations in three unknowns, solved below by their normal equations.
    let model = fitted(&episodes(&log, &spec()));
    let rows = [
        ([1.0, 0.0, 0.0], 0.25),
        ([0.0, 1.0, 0.0], 0.0),
        ([0.0, 0.0, 1.0], 0.0),
        ([0.5, 0.5, 0.0], 0.0),
        ([0.0, 1.0 / 3.0, 2.0 / 3.0], 0.0),
        ([0.5, 0.0, 0.5], 0.0),
        ([1.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0], 0.0),
    ];
    let rate = Tier::ALL.map(|t| model.cell(Class::Simple, t).unwrap().rates[0]);
    // Rates are clamped to [0, 1]: only auto's coefficient is positive. The residual is orthogonal to auto's share with
    // the unclamped others, which Cramer's rule gives.
    let mut a = [[0.0; 3]; 3];
    let mut c = [0.0; 3];
    for (share, y) in rows {
        for i in 0..3 {
            c[i] += share[i] * y;
            for j in 0..3 {
                a[i][j] += share[i] * share[j];
            }
        }
    }
    let det = |m: [[f64; 3]; 3]| {
        m[0][0] * (m[1][1] * m[2][2] - m[1][2] * m[2][1])
            - m[0][1] * (m[1][0] * m[2][2] - m[1][2] * m[2][0])
            + m[0][2] * (m[1][0] * m[2][1] - m[1][1] * m[2][0])
    };
    for i in 0..3 {
        let mut replaced = a;
        for (row, c) in replaced.iter_mut().zip(c) {
            row[i] = c;
        }
        let wanted = (det(replaced) / det(a)).clamp(0.0, 1.0);
        assert!((rate[i] - wanted).abs() < 1e-4, "{i}: {rate:?} {wanted}");
    }
}

#[test]
fn abandonments_do_not_outweigh_silent_customers() {
    // 400 conversations at one tier: 10 % abandoned (S = 0), of the others one in five says 0.8.
    // E[S] = 0.9 · 0.8 = 0.72; the mean of what is known is 72 · 0.8 / 112 = 0.514.
    let log: Vec<_> = (0..400)
        .map(|n| {
            let abandoned = n % 10 == 0;
            let answers = n % 10 != 0 && n / 10 % 5 == 0;
            let mut row = conversation(n, Class::Simple, &[Tier::Auto], answers.then_some(0.8));
            row.abandoned = Some(abandoned);
            masked(row, [true, false, false])
        })
        .collect();
    let model = fitted(&episodes(&log, &spec()));
    let have = model.cell(Class::Simple, Tier::Auto).unwrap().satisfaction;
    // Answering probabilities lie between the folds' shares, which differ by chance from 0.2; S of all answers is 0.8, so
    // only the weights' noise is left, none of it here: f(m) = f(S) = 0.8 whatever the weight.
    assert!((have - 0.72).abs() < 1e-4, "{have}");
}

#[test]
fn a_tier_that_was_never_logged_is_assumed_and_marked() {
    let log: Vec<_> = (0..60)
        .map(|n| conversation(n, Class::Complex, &[Tier::Review], Some(0.75)))
        .collect();
    let log = episodes(&log, &spec());
    let error = OutcomeModel::fit(&log, |_, _| None).unwrap_err();
    assert_eq!(
        error,
        ModelError::NoNumbers {
            class: Class::Complex,
            tier: Tier::Auto,
            decisions: 0
        }
    );
    let model = OutcomeModel::fit(&log, |_, _| Some(assumption(0.5))).unwrap();
    assert!(model.is_assumed());
    let auto = model.cell(Class::Complex, Tier::Auto).unwrap();
    assert_eq!(
        auto.provenance,
        Provenance::Assumed {
            source: "vendor".to_owned(),
            decisions: 0
        }
    );
    assert_eq!(auto.satisfaction, 0.5);
    assert!(auto.rates.iter().all(|rate| rate.is_nan()));
    let review = model.cell(Class::Complex, Tier::Review).unwrap();
    assert_eq!(review.provenance, Provenance::Logged { decisions: 60 });
    // An assumption does not replace what the log knows.
    assert!((review.satisfaction - 0.75).abs() < 1e-9);
}

#[test]
fn a_masked_tier_needs_no_numbers() {
    let log: Vec<_> = (0..60)
        .map(|n| {
            let row = conversation(n, Class::Complex, &[Tier::Review], Some(0.75));
            masked(row, [false, true, false])
        })
        .collect();
    let model = fitted(&episodes(&log, &spec()));
    assert_eq!(model.cell(Class::Complex, Tier::Auto), None);
    assert!(model.cell(Class::Complex, Tier::Review).is_some());
}

#[test]
fn the_threshold_counts_what_a_fit_can_use() {
    let of = |answered: usize| {
        let log: Vec<_> = (0..200)
            .map(|n| {
                let row = conversation(
                    n,
                    Class::Simple,
                    &[Tier::Auto],
                    (n < answered).then_some(0.5),
                );
                masked(row, [true, false, false])
            })
            .collect();
        OutcomeModel::fit(&episodes(&log, &spec()), |_, _| None)
    };
    assert!(of(30).is_ok());
    assert_eq!(
        of(29),
        Err(ModelError::NoNumbers {
            class: Class::Simple,
            tier: Tier::Auto,
            decisions: 29
        })
    );
    assert_eq!(
        of(0),
        Err(ModelError::NoSatisfaction {
            class: Class::Simple
        })
    );
}

#[test]
fn a_tier_known_only_beside_unfitted_ones_is_not_fitted() {
    // Every human answer stands beside one of 20 AI answers, which are too few.
    let mut log: Vec<_> = (0..20)
        .map(|n| {
            conversation(
                n,
                Class::Simple,
                &[Tier::Auto, Tier::Human, Tier::Human],
                Some(0.5),
            )
        })
        .collect();
    log.extend((20..80).map(|n| conversation(n, Class::Simple, &[Tier::Review], Some(0.5))));
    let model = OutcomeModel::fit(&episodes(&log, &spec()), |_, _| Some(assumption(0.5))).unwrap();
    let assumed = Tier::ALL.map(|t| model.cell(Class::Simple, t).unwrap().is_assumed());
    assert_eq!(assumed, [true, false, true]);
}

#[test]
fn assumptions_out_of_range_are_named() {
    let log = episodes(
        &[conversation(0, Class::Simple, &[Tier::Auto], Some(0.5))],
        &spec(),
    );
    let cases = [
        ("satisfaction", assumption(1.1)),
        ("satisfaction", assumption(f64::NAN)),
        (
            "answer_s",
            AssumedCell {
                answer_s: -1.0,
                ..assumption(0.5)
            },
        ),
        (
            "human_s",
            AssumedCell {
                human_s: 604_801.0,
                ..assumption(0.5)
            },
        ),
    ];
    for (key, cell) in cases {
        let error = OutcomeModel::fit(&log, |_, _| Some(cell.clone())).unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains(&format!("`{key}` of class simple at tier auto")),
            "{text}"
        );
    }
}

#[test]
fn equal_luck_draws_equal_rank() {
    let log: Vec<_> = (0..120)
        .map(|n| {
            let tier = if n % 2 == 0 { Tier::Auto } else { Tier::Human };
            let mut row = conversation(n, Class::Simple, &[tier], Some(0.5));
            // Rank n/2 of 60 at either tier, whatever the order of arrival.
            row.decisions[0].answer_s = Some((119 - n) as f64);
            masked(row, [true, false, true])
        })
        .collect();
    let model = fitted(&episodes(&log, &spec()));
    for (luck, rank) in [(0, 0.0), (u64::MAX / 2, 29.0), (u64::MAX, 59.0)] {
        let elapsed = |tier| {
            let answer = model.draw(Class::Simple, tier, luck).unwrap();
            answer.time.elapsed_s.unwrap()
        };
        assert_eq!(elapsed(Tier::Auto), 2.0 * rank + 1.0, "{luck}");
        assert_eq!(elapsed(Tier::Human), 2.0 * rank, "{luck}");
    }
    assert_eq!(model.draw(Class::Complex, Tier::Auto, 0), None);
}
