use proptest::prelude::*;

use super::super::samples::{conversation, episodes, mixed, with_texts};
use super::*;
use crate::log::samples::random;

fn spec() -> RewardSpec {
    RewardSpec::default()
}

/// Every column as text: NaN is equal to itself there.
fn all(episodes: &Episodes) -> String {
    format!("{episodes:?}")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn the_order_of_the_log_does_not_matter(
        seed: u64,
        rows in Just((0..12).collect::<Vec<u64>>()).prop_shuffle(),
    ) {
        let conversation = |n: u64| {
            let mut row = random(seed.wrapping_add(n));
            // Three arrive at each instant.
            row.created_at = UtcMicros(row.created_at.0 + (n / 3) as i64);
            row
        };
        let build = |order: &[u64]| {
            let rows: Vec<Conversation> = order.iter().map(|n| conversation(*n)).collect();
            all(&episodes(&rows, &spec()))
        };
        let sorted: Vec<u64> = (0..12).collect();
        prop_assert_eq!(build(&sorted), build(&rows));
    }

    #[test]
    fn rewards_are_those_of_the_conversations(seed: u64) {
        let spec = spec();
        let row = random(seed);
        let logged = crate::log::outcome::reward(&row, &spec, None);
        let columns = episodes(std::slice::from_ref(&row), &spec);
        prop_assume!(!columns.is_empty());
        let have = columns.learning_reward(0, &spec);
        match logged {
            Ok(reward) => prop_assert_eq!(have, Some(reward.total)),
            Err(_) => prop_assert_eq!(have, None),
        }
    }

    #[test]
    fn what_is_kept_reads_back(seed: u64) {
        let row = random(seed);
        let columns = episodes(std::slice::from_ref(&row), &spec());
        let chosen: Vec<&Decision> = row.decisions.iter().filter(|d| is_choice(d)).collect();
        prop_assert_eq!(columns.decisions(), chosen.len());
        for (i, decision) in chosen.iter().enumerate() {
            prop_assert_eq!(columns.action(i), decision.action);
            prop_assert_eq!(columns.mask(i), decision.mask);
            prop_assert_eq!(columns.propensity(i).map(|p| p.0), decision.propensity);
            prop_assert_eq!(columns.decided_at(i), decision.decided_at);
            prop_assert_eq!(all_bits(&columns.observation(i)), all_bits(&decision.observation));
            let turn = row.turns.get(decision.turn as usize);
            let text = turn.and_then(|t| t.text.as_deref()).filter(|t| !t.is_empty());
            prop_assert_eq!(columns.text(i), text);
        }
    }
}

fn all_bits(observation: &Observation) -> Vec<u32> {
    observation.row().iter().map(|x| x.to_bits()).collect()
}

#[test]
fn a_selection_is_a_log_of_its_own() {
    let rows = mixed(Class::Complex, [0.25, 0.5, 1.0], 3);
    let whole = episodes(&rows, &spec());
    let picked = [20, 3, 7, 3];
    let mut part = whole.select(&picked);
    // Satisfaction is to be filled in from the part alone.
    assert_eq!(part.kpis(0).get(Kpi::Reward), None);
    assert_eq!(part.learning_reward(0, &spec()), None);
    part.fill_satisfaction(&spec());
    assert_eq!(part.len(), picked.len());
    for (row, from) in picked.iter().enumerate() {
        assert_eq!(part.keys()[row], whole.keys()[*from]);
        assert_eq!(part.created_at(row), whole.created_at(*from));
        assert_eq!(
            part.kpis(row).values()[..5],
            whole.kpis(*from).values()[..5]
        );
        let (there, here) = (whole.range(*from), part.range(row));
        assert_eq!(there.len(), here.len());
        for (d, e) in there.zip(here) {
            assert_eq!(part.action(e), whole.action(d));
            assert_eq!(part.decided_at(e), whole.decided_at(d));
            assert_eq!(part.human_s(e), whole.human_s(d));
        }
    }
}

#[test]
fn texts_belong_to_their_messages() {
    let rows = [
        with_texts(
            conversation(0, Class::Simple, &[Tier::Auto, Tier::Review], Some(0.5)),
            &[Some("where is it?"), None],
        ),
        with_texts(
            conversation(1, Class::Simple, &[Tier::Human], Some(0.5)),
            &[Some("退款")],
        ),
    ];
    let kept = episodes(&rows, &spec());
    let texts: Vec<Option<&str>> = (0..3).map(|d| kept.situation(d).text).collect();
    assert_eq!(texts, [Some("where is it?"), None, Some("退款")]);
    assert_eq!(kept.select(&[1, 0]).text(0), Some("退款"));
    let mut builder = EpisodesBuilder::new(spec(), false);
    builder.push(&rows[0]);
    assert_eq!(builder.finish().text(0), None);
}

#[test]
fn overrides_are_events_not_choices() {
    let mut row = conversation(
        0,
        Class::Complex,
        &[Tier::Auto, Tier::Human, Tier::Human, Tier::Review],
        Some(0.5),
    );
    // An agent takes the first message over; the customer asks for a person at the third.
    row.decisions[1].turn = 0;
    row.decisions[1].action_source = ActionSource::Agent;
    row.decisions[2].action_source = ActionSource::Customer;
    for event in [1, 2] {
        row.decisions[event].propensity = None;
        row.decisions[event].propensity_kind = None;
    }
    let columns = episodes(std::slice::from_ref(&row), &spec());
    assert_eq!(columns.decisions(), 2);
    assert_eq!(
        (columns.action(0), columns.action(1)),
        (Tier::Auto, Tier::Review)
    );
    // What choosing auto led to: the agent's answer, and the agent's time.
    assert_eq!(columns.answer(0).elapsed_s, Some(200.0));
    assert_eq!((columns.human_s(0), columns.ai_calls(0)), (150.0, 1));
    assert_eq!(columns.human_s(1), 40.0);
    assert!((0..2).all(|d| columns.propensity(d).is_some()));
    // The totals hold the events too: 150 + 150 + 40 human seconds.
    assert_eq!(columns.kpis(0).get(Kpi::HumanS), Some(340.0));
    row.decisions
        .retain(|d| d.action_source == ActionSource::Agent);
    assert!(episodes(&[row], &spec()).is_empty(), "nobody chose");
}

#[test]
fn a_conversations_human_seconds_are_shared_by_its_people() {
    let tiers = [Tier::Auto, Tier::Review, Tier::Human, Tier::Human];
    let cases = [
        // (own seconds of each answer, of the conversation, what each is given)
        ([None; 4], Some(90.0), [0.0, 30.0, 30.0, 30.0]),
        (
            [None, Some(10.0), None, None],
            Some(90.0),
            [0.0, 10.0, 40.0, 40.0],
        ),
        // Totals that do not add up leave nothing to share.
        (
            [None, Some(100.0), None, None],
            Some(90.0),
            [0.0, 100.0, 0.0, 0.0],
        ),
        ([Some(1.0); 4], Some(90.0), [1.0; 4]),
        // Only the AI is left to have taken them.
        (
            [None, Some(1.0), Some(1.0), Some(1.0)],
            Some(9.0),
            [6.0, 1.0, 1.0, 1.0],
        ),
    ];
    for (own, whole, given) in cases {
        let mut row = conversation(0, Class::Complex, &tiers, Some(0.5));
        row.human_handle_s = whole;
        for (decision, own) in row.decisions.iter_mut().zip(own) {
            decision.human_s = own;
        }
        let columns = episodes(&[row], &spec());
        let have: Vec<f64> = (0..4).map(|d| columns.human_s(d)).collect();
        assert_eq!(have, given, "{own:?}");
    }
    let mut unknown = conversation(0, Class::Complex, &tiers, Some(0.5));
    unknown.decisions[2].human_s = None;
    assert!(episodes(&[unknown], &spec()).human_s(2).is_nan());
}

#[test]
fn ai_answers_that_nobody_counted_are_one() {
    let mut row = conversation(0, Class::Simple, &Tier::ALL, Some(0.5));
    for decision in &mut row.decisions {
        decision.ai_calls = None;
    }
    let columns = episodes(&[row], &spec());
    let calls: Vec<u32> = (0..3).map(|d| columns.ai_calls(d)).collect();
    assert_eq!(calls, [1, 1, 0]);
}

#[test]
fn silent_customers_are_modelled_and_the_mean_is_right() {
    // Half answer, all with 0.75: m = 0.75, whoever answered.
    let spec = spec();
    let rows: Vec<Conversation> = (0..200)
        .map(|n| {
            let says = (n % 2 == 0).then_some(0.75);
            conversation(n, Class::Simple, &[Tier::Auto], says)
        })
        .collect();
    let mut columns = episodes(&rows, &spec);
    let notes = columns.fill_satisfaction(&spec);
    assert_eq!((notes.conversations, notes.answered), (200, 100));
    // Three seconds are in time; one AI call, nobody's time.
    let wanted = 0.75 * spec.cost_efficiency(0.0, 1);
    for row in 0..200 {
        assert!((columns.learning_satisfaction(row) - 0.75).abs() < 1e-12);
        assert!((columns.learning_reward(row, &spec).unwrap() - wanted).abs() < 1e-12);
        assert!((columns.reported_reward(row, &spec) - wanted).abs() < 1e-12);
    }
    // Another cost weight is honoured: k = 0 leaves S alone.
    let free = RewardSpec {
        cost_weight: 0.0,
        ..spec
    };
    assert!((columns.reported_reward(0, &free) - 0.75).abs() < 1e-12);
}
