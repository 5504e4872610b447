//! Rules: which fires, what is refused, and that masks are obeyed.

use std::sync::Arc;

use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use tierwise_envs::discretise::Discretizer;
use tierwise_envs::env::{Env, Situation};
use tierwise_envs::mask::Mask;
use tierwise_envs::observation::{Feature, Observation, intent_code, language_code};
use tierwise_envs::shop::{Shop, ShopConfig, ShopRules, World};
use tierwise_envs::tier::Tier;
use tierwise_envs::time::UtcMicros;

use super::*;

const BASELINE: &str = include_str!("../../../configs/rules.toml");

fn at<'a>(features: &[(Feature, f32)], text: Option<&'a str>) -> Situation<'a> {
    Situation {
        observation: Observation::from_features(features),
        mask: Mask::ALL,
        text,
    }
}

fn says<'a>(text: &'a str) -> Situation<'a> {
    at(&[], Some(text))
}

/// Whether a single rule with these conditions fires.
fn fires(conditions: &str, situation: &Situation<'_>) -> bool {
    let text = format!("[[rule]]\nname = \"it\"\n{conditions}\nthen = \"human\"");
    let policy = RulePolicy::from_toml(&text).unwrap_or_else(|e| panic!("{conditions}: {e}"));
    policy.explain(situation).rule.is_some()
}

#[test]
fn keywords_are_words_in_any_case() {
    let cases = [
        ("late", "It is LATE!", true),
        ("late", "chocolate", false),
        ("late", "later", false),
        ("complain*", "Complaining about it", true),
        ("complain*", "uncomplaining", false),
        ("退款", "我要退款，谢谢", true),
        ("refund", "我要refund谢谢", true),
        ("real person", "a Real Person please", true),
        ("c++", "about c++", true),
        ("$5", "only $5 off", true),
        ("straße", "STRAßE", true),
        ("a.b", "axb", false),
    ];
    for (keyword, text, expected) in cases {
        let conditions = format!("keywords = [\"never\", \"{keyword}\"]");
        assert_eq!(
            fires(&conditions, &says(text)),
            expected,
            "{keyword} in {text}"
        );
    }
    assert!(!fires("keywords = [\"late\"]", &at(&[], None)));
}

#[test]
fn conditions_hold_as_documented() {
    let chinese = language_code("zh").unwrap();
    let cases = [
        ("regex = 'order \\d+'", at(&[], Some("see order 44")), true),
        ("regex = 'order \\d+'", at(&[], Some("see Order 44")), false),
        (
            "regex = '(?i)order \\d+'",
            at(&[], Some("see Order 44")),
            true,
        ),
        (
            "class = \"complaint\"",
            at(&[(Feature::Class, 2.0)], None),
            true,
        ),
        (
            "class = \"complaint\"",
            at(&[(Feature::Class, 1.0)], None),
            false,
        ),
        (
            "class = [\"complex\", \"complaint\"]",
            at(&[(Feature::Class, 1.0)], None),
            true,
        ),
        ("class = \"simple\"", at(&[], None), false),
        (
            "intent = \"refund_status\"",
            at(&[(Feature::Intent, intent_code("refund_status"))], None),
            true,
        ),
        (
            "language = \"zh-Hant\"",
            at(&[(Feature::Language, chinese)], None),
            true,
        ),
        (
            "language = [\"en\", \"th\"]",
            at(&[(Feature::Language, chinese)], None),
            false,
        ),
        (
            "channel = \"email\"",
            at(&[(Feature::Channel, 1.0)], None),
            true,
        ),
        ("turn = 0", at(&[(Feature::Turn, 0.0)], None), true),
        ("turn = 0", at(&[(Feature::Turn, 1.0)], None), false),
        (
            "turn = { min = 2 }",
            at(&[(Feature::Turn, 2.0)], None),
            true,
        ),
        (
            "turn = { min = 2, max = 3 }",
            at(&[(Feature::Turn, 4.0)], None),
            false,
        ),
        (
            "features = { sentiment = { max = -0.5 } }",
            at(&[(Feature::Sentiment, -0.5)], None),
            true,
        ),
        (
            "features = { sentiment = { max = -0.5 } }",
            at(&[], None),
            false,
        ),
        (
            "class = \"simple\"\nkeywords = [\"late\"]",
            at(&[(Feature::Class, 0.0)], Some("early")),
            false,
        ),
    ];
    for (conditions, situation, expected) in cases {
        assert_eq!(
            fires(conditions, &situation),
            expected,
            "{conditions} {situation:?}"
        );
    }
}

#[test]
fn hours_are_shop_time_and_wrap_midnight() {
    let policy = |hours: &str| {
        RulePolicy::from_toml(&format!(
            "utc_offset_hours = 8.0\n[[rule]]\nname = \"night\"\nhour = {hours}\nthen = \"human\""
        ))
        .unwrap()
    };
    let night = policy("[22, 6]");
    let day = policy("[9, 17.5]");
    // UTC, then whether the shop (UTC+8) has night and day.
    let cases = [
        ("2026-03-02T14:00:00Z", true, false),
        ("2026-03-02T13:59:00Z", false, false),
        ("2026-03-02T21:59:00Z", true, false),
        ("2026-03-02T22:00:00Z", false, false),
        ("2026-03-02T16:00:00Z", true, false),
        ("2026-03-02T01:00:00Z", false, true),
        ("2026-03-02T09:29:00Z", false, true),
        ("2026-03-02T09:30:00Z", false, false),
    ];
    for (utc, is_night, is_day) in cases {
        let mut observation = Observation::unknown();
        observation.set_clock(UtcMicros::parse(utc).unwrap());
        let situation = Situation {
            observation,
            mask: Mask::ALL,
            text: None,
        };
        assert_eq!(night.explain(&situation).rule.is_some(), is_night, "{utc}");
        assert_eq!(day.explain(&situation).rule.is_some(), is_day, "{utc}");
    }
    assert!(policy("[22, 6]").explain(&at(&[], None)).rule.is_none());
}

#[test]
fn the_first_rule_wins_and_the_mask_bends_it() {
    let policy = RulePolicy::from_toml(
        "default = \"review\"\n\
         [[rule]]\nname = \"first\"\nkeywords = [\"refund\"]\nthen = \"human\"\n\
         [[rule]]\nname = \"second\"\ncomment = \"cheap\"\nkeywords = [\"refund\", \"size\"]\nthen = \"auto\"",
    )
    .unwrap();
    let mut refund = says("refund and size");
    let explained = |rule, wanted, tier| Explanation { rule, wanted, tier };
    assert_eq!(
        policy.explain(&refund),
        explained(Some((1, "first")), Tier::Human, Tier::Human)
    );
    refund.mask = Mask::from_flags([true, true, false]).unwrap();
    assert_eq!(
        policy.explain(&refund),
        explained(Some((1, "first")), Tier::Human, Tier::Review)
    );
    assert_eq!(
        policy.explain(&says("size")),
        explained(Some((2, "second")), Tier::Auto, Tier::Auto)
    );
    assert_eq!(
        policy.explain(&says("hello")),
        explained(None, Tier::Review, Tier::Review)
    );
    assert_eq!(
        policy.names().collect::<Vec<_>>(),
        [("first", None), ("second", Some("cheap"))]
    );
}

#[test]
fn bad_files_are_refused_with_place_and_reason() {
    let rule = |body: &str| format!("# rules\n\n[[rule]]\nname = \"r\"\n{body}");
    let cases = [
        ("default = \"robot\"".to_owned(), "a tier: 1 or `auto`"),
        ("defualt = \"auto\"".to_owned(), "unknown field `defualt`"),
        (
            "utc_offset_hours = 99.0".to_owned(),
            "`utc_offset_hours` is 99",
        ),
        (rule(""), "missing field `then`"),
        (
            rule("then = \"human\"\nkeyword = [\"x\"]"),
            "unknown field `keyword`",
        ),
        (
            rule("then = \"human\"\nregex = '(open'"),
            "line 3: rule 1 (`r`): `regex` does not compile",
        ),
        (
            rule("then = \"human\"\nregex = '(\\w{1000}){1000}'"),
            "rule 1 (`r`): `regex` does not compile",
        ),
        (
            rule("then = \"human\"\nfeatures = { sentimant = { max = 0.0 } }"),
            "`features.sentimant` is \"sentimant\"; there is no such feature; did you mean `sentiment`?",
        ),
        (
            rule("then = \"human\"\nfeatures = { sentiment = { max = 3.0 } }"),
            "the feature lies in [-1, 1]",
        ),
        (
            rule("then = \"human\"\nfeatures = { sentiment = { max = nan } }"),
            "the feature lies in [-1, 1]",
        ),
        (
            rule("then = \"human\"\nfeatures = { sentiment = {} }"),
            "it needs `min`, `max` or both",
        ),
        (
            rule("then = \"human\"\nturn = { min = 3, max = 2 }"),
            "`min` is above `max`",
        ),
        (
            rule("then = \"human\"\nturn = \"first\""),
            "a turn number such as 0",
        ),
        (
            rule("then = \"human\"\nclass = \"angry\""),
            "one of the known names",
        ),
        (
            rule("then = \"human\"\nclass = []"),
            "an empty list never holds",
        ),
        (
            rule("then = \"human\"\nkeywords = []"),
            "an empty list never holds",
        ),
        (
            rule("then = \"human\"\nkeywords = [\" \"]"),
            "found in every message",
        ),
        (
            rule("then = \"human\"\nkeywords = [\"*\"]"),
            "found in every message",
        ),
        (
            rule("then = \"human\"\nlanguage = \"english\""),
            "a tag such as `zh`",
        ),
        (
            rule("then = \"human\"\nhour = [9, 25]"),
            "hours lie in [0, 24]",
        ),
        (
            rule("then = \"human\"\nhour = [9, 9]"),
            "from and to are equal",
        ),
        (
            rule("then = \"auto\"\n[[rule]]\nname = \"s\"\nturn = 1\nthen = \"human\""),
            "line 6: rule 2 (`s`) is never reached: rule 1 (`r`) has no condition",
        ),
        (
            rule("turn = 1\nthen = \"auto\"\n[[rule]]\nname = \"r\"\nturn = 2\nthen = \"human\""),
            "rule 1 has this name already",
        ),
        (
            "[[rule]]\nname = \"\"\nthen = \"auto\"".to_owned(),
            "a rule needs a name",
        ),
    ];
    for (text, expected) in cases {
        let message = RulePolicy::from_toml(&text).unwrap_err().to_string();
        assert!(message.contains(expected), "{text}\n{message}");
    }
}

#[test]
fn a_policy_survives_its_artefact() {
    let policy = RulePolicy::from_toml(BASELINE).unwrap();
    let json = serde_json::to_string(&policy).unwrap();
    assert_eq!(serde_json::from_str::<RulePolicy>(&json).unwrap(), policy);
    assert_eq!(policy.source(), BASELINE);
    assert!(serde_json::from_str::<RulePolicy>("\"default = 1.5\"").is_err());
}

#[test]
fn every_rule_of_the_baseline_fires_in_the_default_shop() {
    let policy = RulePolicy::from_toml(BASELINE).unwrap();
    let world = World::new(ShopConfig::default(), ShopRules::default()).unwrap();
    let mut shop = Shop::new(world);
    let mut fired = std::collections::BTreeSet::new();
    for number in 0..5_000 {
        shop.reset(number).unwrap();
        loop {
            let explained = policy.explain(&shop.decide());
            fired.insert(explained.rule.map_or(0, |(number, _)| number));
            if shop.step(explained.tier).unwrap().terminated {
                break;
            }
        }
    }
    assert_eq!(
        fired.into_iter().collect::<Vec<_>>(),
        (0..=policy.len()).collect::<Vec<_>>()
    );
}

/// Q-learning on the tabular view, a third of the choices at random.
fn learned_table(world: &Arc<World>, conversations: u64) -> Vec<[f64; 3]> {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(7);
    let mut shop = Shop::new(Arc::clone(world));
    let mut values = vec![[0.5_f64; 3]; Discretizer::STATES];
    let mut visits = vec![[0.0_f64; 3]; Discretizer::STATES];
    for number in 0..conversations {
        shop.begin(99, number);
        loop {
            let (state, mask) = (shop.state(), shop.mask());
            let tier = if rng.random_bool(0.3) {
                mask.uniform().pick(rng.random())
            } else {
                best(&values[state], mask)
            };
            let step = shop.step(tier).unwrap();
            let target = if step.terminated {
                step.reward
            } else {
                let next = &values[shop.state()];
                next[best(next, shop.mask()).index()]
            };
            let n = &mut visits[state][tier.index()];
            *n += 1.0;
            let value = &mut values[state][tier.index()];
            *value += (1.0 / *n).max(0.001) * (target - *value);
            if step.terminated {
                break;
            }
        }
    }
    values
}

fn best(values: &[f64; 3], mask: Mask) -> Tier {
    let mut best = mask.nearest(Tier::Auto);
    for tier in mask.tiers() {
        if values[tier.index()] > values[best.index()] {
            best = tier;
        }
    }
    best
}

/// The default shop is a fair match: the baseline beats every constant choice of a tier, and a table learned on 72
/// states beats the baseline, though by less than a tenth.
#[test]
fn the_baseline_is_good_and_can_be_beaten() {
    let world = World::new(ShopConfig::default(), ShopRules::default()).unwrap();
    let rule = RulePolicy::from_toml(BASELINE).unwrap();
    let by_rule = |at: &Situation<'_>| rule.probabilities(at);
    let conversations = 60_000;
    for tier in Tier::ALL {
        let constant = |at: &Situation<'_>| TierProbs::certain(at.mask.nearest(tier));
        let lead = world
            .true_difference(&by_rule, &constant, conversations, 3)
            .unwrap();
        assert!(lead.mean > 2.0 * lead.standard_error, "{tier}: {lead:?}");
    }
    let values = learned_table(&world, 300_000);
    let cuts = Discretizer::default();
    let table = |at: &Situation<'_>| {
        TierProbs::certain(best(&values[cuts.state(&at.observation)], at.mask))
    };
    let lead = world
        .true_difference(&table, &by_rule, conversations, 3)
        .unwrap();
    let rule_value = world.true_value(&by_rule, conversations, 3).unwrap();
    assert!(lead.mean > 5.0 * lead.standard_error, "{lead:?}");
    assert!(lead.mean < 0.1 * rule_value.mean, "{lead:?} {rule_value:?}");
}

proptest! {
    #[test]
    fn a_masked_tier_gets_no_probability(
        bits in 1_u8..8,
        class in 0_u8..3,
        sentiment in -1.0_f32..1.0,
        turn in 0_u8..6,
        text in prop::option::of("\\PC{0,40}|refund|我要投诉|I was charged twice"),
    ) {
        let policy = RulePolicy::from_toml(BASELINE).unwrap();
        let mut situation = at(
            &[
                (Feature::Class, f32::from(class)),
                (Feature::Sentiment, sentiment),
                (Feature::Turn, f32::from(turn)),
            ],
            text.as_deref(),
        );
        situation.mask = Mask::from_bits(bits).unwrap();
        let probabilities = policy.probabilities(&situation);
        for tier in Tier::ALL {
            prop_assert!(situation.mask.allows(tier) || probabilities.of(tier) == 0.0);
        }
        prop_assert!((probabilities.as_array().iter().sum::<f64>() - 1.0).abs() < 1e-12);
        prop_assert_eq!(policy.probabilities(&situation), probabilities);
    }
}
