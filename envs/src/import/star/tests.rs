//! The derivation on small made-up dialogues.

use serde_json::{Value, json};

use super::*;
use crate::class::{ActionSource, Class, Review, Role};
use crate::observation::{Feature, intent_code};
use crate::tier::Tier;

mod corpus;

const MORNING: u64 = 1_700_000_000;

/// An event at seconds after the start of the dialogue.
fn event(agent: &str, action: &str, at_s: u64) -> Value {
    json!({"Agent": agent, "Action": action, "Text": "some text", "UnixTime": MORNING + at_s})
}

fn pick(at_s: u64, label: &str) -> Value {
    let mut event = event("Wizard", "pick_suggestion", at_s);
    event["ActionLabel"] = label.into();
    event["ActionLabelOptions"] = json!([label]);
    event
}

fn select(at_s: u64, task: &str) -> Value {
    json!({"Agent": "Wizard", "Action": "select_task", "Task": task, "UnixTime": MORNING + at_s})
}

fn dialogue(tasks: &[&str], events: &[Value]) -> Value {
    let capabilities: Vec<_> = tasks
        .iter()
        .map(|task| json!({"Task": task, "Domain": "shop", "SchemaImage": "x.jpg"}))
        .collect();
    json!({
        "DialogueID": 7, "AnonymizedUserWorkerID": "u-1", "AnonymizedWizardWorkerID": "w-1",
        "BatchID": "b", "CompletionLevel": "Complete", "FORMAT-VERSION": 7,
        "Scenario": {
            "Domains": ["shop"], "Happy": true, "MultiTask": tasks.len() > 1,
            "UserTask": "buy", "WizardTask": "sell", "WizardCapabilities": capabilities,
        },
        "UserQuestionnaire": [], "WizardQuestionnaire": [], "Events": events,
    })
}

/// Runs the importer on the lines and returns what came out.
fn imported(lines: &[String]) -> (Vec<Imported>, Counts) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dialogues.jsonl");
    std::fs::write(&path, lines.join("\n")).unwrap();
    let mut all = Vec::new();
    let (_, counts) = read(
        &[folder.path().to_owned()],
        &CustomerKey::new("key"),
        &mut |row| {
            all.push(row);
            Ok(())
        },
    )
    .unwrap();
    (all, counts)
}

fn one(dialogue: &Value) -> (Conversation, Counts) {
    let (mut all, counts) = imported(&[dialogue.to_string()]);
    assert_eq!(all.len(), 1);
    match all.remove(0) {
        Imported::Conversation { conversation, .. } => (*conversation, counts),
        other => panic!("not imported: {other:?}"),
    }
}

#[test]
fn seconds_reviews_and_calls_come_from_the_clock() {
    let (conversation, counts) = one(&dialogue(
        &["shop_order"],
        &[
            event("UserGuide", "instruct", 0),
            event("User", "utter", 10),
            event("Wizard", "request_suggestions", 20),
            json!({"Agent": "KnowledgeBase", "Action": "return_item", "Item": {"a": [1, {"b": 2}]}}),
            event("Wizard", "request_suggestions", 25),
            pick(30, "ask_name"),
            // Two messages in a row: the answer time runs from the first, the handling time from the second.
            event("User", "utter", 50),
            event("User", "utter", 60),
            event("Wizard", "request_suggestions", 65),
            pick(75, "custom"),
            // A second reply to the same messages is a turn and no decision.
            event("Wizard", "utter", 80),
            event("User", "utter", 100),
            event("Wizard", "utter", 104),
            event("User", "complete", 120),
        ],
    ));
    let seen: Vec<_> = conversation
        .decisions
        .iter()
        .map(|d| (d.turn, d.answer_s, d.human_s, d.ai_calls, d.review))
        .collect();
    assert_eq!(
        seen,
        [
            (0, Some(20.0), Some(20.0), Some(2), Some(Review::Accepted)),
            (2, Some(25.0), Some(15.0), Some(1), Some(Review::Rejected)),
            (6, Some(4.0), Some(4.0), Some(0), Some(Review::Rejected)),
        ]
    );
    let roles: String = conversation
        .turns
        .iter()
        .map(|turn| {
            if turn.role == Role::Customer {
                'c'
            } else {
                'a'
            }
        })
        .collect();
    assert_eq!(roles, "caccaaca");
    assert_eq!(conversation.created_at.0, (MORNING as i64 + 10) * 1_000_000);
    assert_eq!(
        conversation.closed_at.unwrap().0,
        (MORNING as i64 + 120) * 1_000_000
    );
    assert_eq!(conversation.first_response_s, Some(20.0));
    assert_eq!(conversation.customer_wait_s, Some(49.0));
    // 30 to 50 and 80 to 100.
    assert_eq!(conversation.agent_wait_s, Some(40.0));
    assert_eq!(conversation.human_handle_s, Some(39.0));
    assert_eq!(conversation.resolution_s, Some(110.0));
    assert_eq!(conversation.replies, Some(4));
    assert_eq!(counts.of(Rule::ReplyToNothing), 1);
    let second = &conversation.decisions[1];
    assert_eq!(second.action, Tier::Review);
    assert_eq!(second.action_source, ActionSource::Rule);
    assert_eq!((second.probs, second.propensity), (None, None));
    for (feature, value) in [
        (Feature::Turn, 1.0),
        (Feature::ElapsedS, 40.0),
        (Feature::WaitedS, 20.0),
        (Feature::ReviewUsed, 1.0),
        (Feature::LengthChars, 9.0),
        (Feature::Intent, intent_code("shop_order")),
    ] {
        assert_eq!(second.observation.get(feature), Some(value), "{feature:?}");
    }
    assert_eq!(second.observation.get(Feature::Sentiment), None);
}

#[test]
fn observations_know_only_what_came_before() {
    let (mut conversation, _) = one(&dialogue(
        &["weather", "bank_fraud_report"],
        &[
            event("User", "utter", 0),
            select(3, "bank_fraud_report"),
            pick(5, "ask_name"),
            event("User", "utter", 10),
            select(12, "weather"),
            pick(15, "ask_city"),
            event("User", "utter", 20),
            pick(25, "bye"),
        ],
    ));
    assert_eq!(conversation.class, Some(Class::Complaint));
    assert_eq!(conversation.intent.as_deref(), Some("bank_fraud_report"));
    let seen: Vec<_> = conversation
        .decisions
        .drain(..)
        .map(|d| {
            let auto = d.mask.allows(Tier::Auto);
            (
                d.observation.class(),
                d.observation.get(Feature::Intent),
                auto,
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            (Some(Class::Complex), None, true),
            (
                Some(Class::Complaint),
                Some(intent_code("bank_fraud_report")),
                false
            ),
            (Some(Class::Complex), Some(intent_code("weather")), true),
        ]
    );
}

#[test]
fn satisfaction_and_endings_are_known_or_unknown() {
    let asked = |answers: &[(&str, bool)]| -> Value {
        answers
            .iter()
            .map(|(question, answer)| json!({"Question": question, "Answer": answer}))
            .collect()
    };
    let answered = [event("User", "utter", 0), pick(9, "hello")];
    let waiting = [
        event("User", "utter", 0),
        pick(9, "hello"),
        event("User", "utter", 11),
    ];
    let (done, calm) = (
        "Did the AI Assistant book your flight?",
        "...stay calm and helpful?",
    );
    let cases = [
        (
            "Complete",
            &answered[..],
            asked(&[(done, true), (calm, true)]),
            Some(1.0),
            [false, false],
        ),
        (
            "Complete",
            &answered[..],
            asked(&[(done, false), (calm, true)]),
            Some(0.5),
            [false, false],
        ),
        (
            "Complete",
            &answered[..],
            asked(&[(calm, false), (ENJOY, true)]),
            Some(0.0),
            [false, false],
        ),
        (
            "Complete",
            &answered[..],
            asked(&[(ENJOY, true)]),
            None,
            [false, false],
        ),
        ("Complete", &waiting[..], asked(&[]), None, [false, false]),
        (
            "DisconnectDuringDialogue",
            &waiting[..],
            asked(&[]),
            None,
            [true, false],
        ),
        (
            "EarlyDisconnectDuringDialogue",
            &answered[..],
            asked(&[]),
            None,
            [false, true],
        ),
        (
            "DisconnectDuringQuestionnaire",
            &answered[..],
            asked(&[]),
            None,
            [false, false],
        ),
    ];
    for (completion, events, questionnaire, satisfaction, [abandoned, truncated]) in cases {
        let mut dialogue = dialogue(&["weather"], events);
        dialogue["CompletionLevel"] = completion.into();
        dialogue["UserQuestionnaire"] = questionnaire.clone();
        let (conversation, _) = one(&dialogue);
        let case = format!("{completion} {questionnaire}");
        assert_eq!(conversation.satisfaction, satisfaction, "{case}");
        assert_eq!(
            conversation.satisfaction_source.is_some(),
            satisfaction.is_some(),
            "{case}"
        );
        assert_eq!(conversation.abandoned, Some(abandoned), "{case}");
        assert_eq!(conversation.truncated, Some(truncated), "{case}");
    }
}

const ENJOY: &str = "Did you enjoy this task?";

#[test]
fn the_class_is_judged_in_hindsight() {
    let annoyed = "Did the user become aggressive or annoyed during the dialogue? (Note: ...)";
    let cases = [
        (&["weather"][..], true, false, Class::Simple),
        (&["weather"][..], false, false, Class::Complex),
        (&["weather", "trivia"][..], true, false, Class::Complex),
        (&["bank_fraud_report"][..], true, false, Class::Complaint),
        (&["weather"][..], true, true, Class::Complaint),
    ];
    for (tasks, happy, is_annoyed, class) in cases {
        let mut dialogue = dialogue(tasks, &[event("User", "utter", 0), pick(9, "hello")]);
        dialogue["Scenario"]["Happy"] = happy.into();
        dialogue["WizardQuestionnaire"] = json!([{"Question": annoyed, "Answer": is_annoyed}]);
        assert_eq!(
            one(&dialogue).0.class,
            Some(class),
            "{tasks:?} {happy} {is_annoyed}"
        );
    }
}

#[test]
fn busy_counts_the_other_open_dialogues() {
    let at = |id: u64, from: u64, to: u64| {
        let mut dialogue = dialogue(
            &["weather"],
            &[
                event("User", "utter", from),
                pick(from + 1, "x"),
                event("User", "complete", to),
            ],
        );
        dialogue["DialogueID"] = id.into();
        dialogue.to_string()
    };
    // [0, 100), [50, 60), [60, 200), [99, 99): an empty interval is never open.
    let (all, _) = imported(&[at(1, 0, 100), at(2, 50, 60), at(3, 60, 200), at(4, 99, 100)]);
    let busy: Vec<_> = all
        .iter()
        .map(|row| match row {
            Imported::Conversation { conversation, .. } => conversation.decisions[0].pool_busy,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(busy, [Some(0), Some(1), Some(1), Some(2)]);
}

#[test]
fn bad_dialogues_are_rejected_with_their_place() {
    let talk = [event("User", "utter", 10), pick(20, "x")];
    let fine = dialogue(&["weather"], &talk);
    let changed = |pointer: &str, value: Value| {
        let mut dialogue = fine.clone();
        *dialogue.pointer_mut(pointer).expect("the key is there") = value;
        dialogue.to_string()
    };
    let week_later = json!(MORNING + 8 * 86_400);
    let cases = [
        (
            changed("/Events/1/UnixTime", json!(MORNING + 5)),
            Reason::BadOrder,
            "Events[1].UnixTime",
        ),
        (
            changed("/Events/1/UnixTime", week_later),
            Reason::BadDuration,
            "Events[1].UnixTime",
        ),
        (
            changed("/Events/0/UnixTime", Value::Null),
            Reason::BadTime,
            "Events[0].UnixTime",
        ),
        (
            changed("/Events/0/UnixTime", json!(1e300)),
            Reason::BadTime,
            "Events[0].UnixTime",
        ),
        (
            changed("/Events/0/Agent", json!("Robot")),
            Reason::UnknownValue,
            "",
        ),
        (
            changed("/CompletionLevel", json!("Half")),
            Reason::UnknownValue,
            "",
        ),
        (changed("/DialogueID", json!("seven")), Reason::BadValue, ""),
        (
            fine.to_string().replace("\"Events\"", "\"Evnts\""),
            Reason::MissingField,
            "",
        ),
        (fine.to_string().replace("}]", ""), Reason::BrokenJson, ""),
        ("{\"DialogueID\":NaN}".to_owned(), Reason::BrokenJson, ""),
    ];
    for (line, reason, column) in cases {
        let (all, counts) = imported(&[fine.to_string(), line.clone()]);
        let Imported::Rejected(rejection) = &all[1] else {
            panic!("{line} was not rejected");
        };
        assert_eq!(rejection.reason, reason, "{}", rejection.message);
        assert_eq!(rejection.line, 2);
        if !column.is_empty() {
            assert_eq!(rejection.column.as_deref(), Some(column));
        }
        assert_eq!(
            counts.of(Rule::CustomerTurn),
            1,
            "a rejected dialogue was counted"
        );
    }
}

#[test]
fn a_dialogue_without_customer_is_skipped() {
    for events in [&[][..], &[event("UserGuide", "instruct", 3)][..]] {
        let (all, counts) = imported(&[dialogue(&["weather"], events).to_string()]);
        assert!(
            matches!(&all[0], Imported::Skipped(row) if row.reason == Reason::NoCustomerMessage)
        );
        assert_eq!(counts.of(Rule::NoCustomerMessage), 1);
    }
}

#[test]
fn ids_are_hashed_with_the_key() {
    let (conversation, _) = one(&dialogue(&["weather"], &[event("User", "utter", 0)]));
    let hash = conversation.customer_id_hash.unwrap();
    assert_eq!(hash, CustomerKey::new("key").hash("u-1"));
    assert_ne!(hash, CustomerKey::new("another").hash("u-1"));
    assert_eq!(hash.len(), 32);
}

#[test]
fn the_table_names_every_rule_and_what_is_missing() {
    let plain = explain(None);
    for rule in Rule::ALL {
        assert!(plain.contains(rule.text()), "{rule:?}");
    }
    for lack in ["no tier 1", "no tier 3", "no propensities", "*simulated*"] {
        assert!(plain.contains(lack), "{lack}");
    }
    let (_, counts) = one(&dialogue(&["weather"], &[event("User", "utter", 0)]));
    assert!(explain(Some(&counts)).contains("      1 messages   User `utter`"));
}
