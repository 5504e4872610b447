//! Tables through mappings, good and bad; every table here is made up.

use std::path::PathBuf;

use tempfile::TempDir;

use super::*;
use crate::class::{ActionSource, Channel, Class, PropensityKind, Review};
use crate::log::model::Conversation;
use crate::observation::{Feature, intent_code};
use crate::tier::Tier;
use crate::time::UtcMicros;

const SMALL: &str = r#"
rows = "decision"
[conversation]
conversation_id = "id"
channel = { value = "chat" }
class = "class"
[decision]
decided_at = "at"
action = "tier"
action_source = { value = "policy" }
p_auto = "p1"
p_review = "p2"
p_human = "p3"
propensity = "p"
propensity_kind = { value = "exact" }
answer_s = { from = "minutes", unit = "minutes" }
"#;
const HEADER: &str = "id,at,tier,p1,p2,p3,p,minutes,class";
const FINE: &str = "a,2026-03-01T09:00:00Z,2,0.2,0.5,0.3,0.5,1.5,simple";

struct Outcome {
    conversations: Vec<Conversation>,
    rejections: Vec<Rejection>,
    merged: usize,
    volume: Volume,
    _folder: TempDir,
}

fn import(mapping: &str, table: &[u8]) -> Result<Outcome, ImportError> {
    let folder = tempfile::tempdir().unwrap();
    let (config, file) = (folder.path().join("map.toml"), folder.path().join("t.csv"));
    std::fs::write(&config, mapping).unwrap();
    std::fs::write(&file, table).unwrap();
    let (mut conversations, mut rejections, mut merged) = (Vec::new(), Vec::new(), 0);
    let key = CustomerKey::new("key");
    let volume = read(&[file], &config, &key, &mut |row| {
        match row {
            Imported::Conversation { conversation, .. } => conversations.push(*conversation),
            Imported::Rejected(rejection) => rejections.push(*rejection),
            Imported::Merged => merged += 1,
            Imported::Skipped(row) => panic!("{row:?}"),
        }
        Ok(())
    })?;
    Ok(Outcome {
        conversations,
        rejections,
        merged,
        volume,
        _folder: folder,
    })
}

#[test]
fn the_documented_example_reads_a_table() {
    let mapping = include_str!("../../../../configs/import-csv.toml");
    let table = "\
ticket,via,opened,customer,language,labels,topic,stars,gave_up,clicked,asked,handled_by,chosen_by,policy,p_bot,p_copilot,p_agent,propensity,bot_allowed,reply_minutes,handling_seconds,drafts,draft_outcome,queue,guessed_topic,guess_percent,sentiment,merged_into
T1,web,2026-03-01 09:00:00,c9,de,vip;late,return,4,no,,2026-03-01 09:00:00,copilot,model,v3,0.25,0.5,0.25,0.5,yes,2,40,1,changed,3,return,80,-0.5,
T2,mail,2026-07-01 09:00:00,c9,de,,refund,NA,no,2026-07-01T10:00:00Z,2026-07-01 09:00:00,agent,team_lead,,,,,,no,10,600,,,,,,,
T1,web,2026-03-01 09:00:00,c9,de,vip;late,return,4,no,,2026-03-01 09:01:00,bot,model,v3,0.5,0.25,0.25,0.5,yes,0.05,0,1,,3,sizing,95,0.5,
T3,web,2026-03-01 09:00:00,c9,de,,return,,,,2026-03-01 09:00:00,bot,model,,,,,,,,,,,,,,,T1
";
    let got = import(mapping, table.as_bytes()).unwrap();
    assert_eq!(got.rejections, []);
    assert_eq!((got.merged, got.volume.rows), (1, 4));
    let [first, second] = &got.conversations[..] else {
        panic!()
    };
    assert_eq!(first.conversation_id, "T1");
    assert_eq!(first.source_system, "helpdesk");
    assert_eq!(
        (first.channel, second.channel),
        (Channel::Chat, Channel::Email)
    );
    // Berlin is one hour ahead of UTC in March and two in July.
    assert_eq!(
        first.created_at,
        UtcMicros::parse("2026-03-01T08:00:00Z").unwrap()
    );
    assert_eq!(
        second.created_at,
        UtcMicros::parse("2026-07-01T07:00:00Z").unwrap()
    );
    assert_eq!(first.tags, ["vip", "late"]);
    assert_eq!(
        (first.class, second.class),
        (Some(Class::Complex), Some(Class::Complaint))
    );
    assert_eq!((first.rating_raw, second.rating_raw), (Some(4), None));
    assert_eq!(first.abandoned, Some(false));
    assert_eq!(
        second.clicked_at,
        Some(UtcMicros::parse("2026-07-01T10:00:00Z").unwrap())
    );
    assert_eq!(
        first.customer_id_hash,
        Some(CustomerKey::new("key").hash("c9"))
    );
    let [review, auto] = &first.decisions[..] else {
        panic!()
    };
    assert_eq!((review.action, auto.action), (Tier::Review, Tier::Auto));
    assert_eq!((review.turn, auto.turn), (0, 1));
    assert_eq!(review.answer_s, Some(120.0));
    assert_eq!(auto.answer_s, Some(3.0));
    assert_eq!(review.human_s, Some(40.0));
    assert_eq!(review.review, Some(Review::Edited));
    assert_eq!(review.probs.unwrap().as_array(), [0.25, 0.5, 0.25]);
    assert_eq!(review.propensity_kind, Some(PropensityKind::Exact));
    assert_eq!(review.observation.class(), Some(Class::Complex));
    assert_eq!(
        review.observation.get(Feature::Intent),
        Some(intent_code("return"))
    );
    assert_eq!(
        review.observation.get(Feature::IntentProbability),
        Some(0.8)
    );
    assert_eq!(review.observation.get(Feature::Sentiment), Some(-0.5));
    assert_eq!(review.observation.hour(), Some(8.0));
    let overridden = &second.decisions[0];
    assert_eq!(overridden.action_source, ActionSource::Agent);
    assert_eq!(
        (overridden.propensity, overridden.propensity_kind),
        (None, None)
    );
    assert_eq!(overridden.mask.flags(), [false, true, true]);
    assert_eq!(overridden.observation.get(Feature::Sentiment), None);
    for conversation in &got.conversations {
        crate::log::validate::validate(conversation).unwrap();
    }
}

#[test]
fn bad_cells_are_rejected_with_their_column() {
    let cases: [(&str, &str, Reason, &str); 18] = [
        ("1.5,simple", "-1,simple", Reason::BadDuration, "minutes"),
        // 7 days are 10,080 minutes.
        ("1.5,simple", "10081,simple", Reason::BadDuration, "minutes"),
        ("1.5,simple", "NaN,simple", Reason::BadDuration, "minutes"),
        ("1.5,simple", "inf,simple", Reason::BadDuration, "minutes"),
        ("1.5,simple", "soon,simple", Reason::BadDuration, "minutes"),
        ("simple", "odd", Reason::UnknownValue, "class"),
        (",2,", ",4,", Reason::UnknownValue, "tier"),
        (",2,", ",,", Reason::MissingField, "tier"),
        (",0.5,1.5", ",0,1.5", Reason::BadPropensity, "p"),
        (",0.5,1.5", ",1.5,1.5", Reason::BadPropensity, "p"),
        (",0.5,1.5", ",NaN,1.5", Reason::BadPropensity, "p"),
        ("0.2,0.5,0.3", "0.2,0.5,0.5", Reason::BadPropensity, "p1"),
        ("0.2,0.5,0.3", "0.2,,0.3", Reason::BadPropensity, "p1"),
        ("0.2,0.5,0.3", "0.2,inf,0.3", Reason::BadValue, "p2"),
        ("2026-03-01T09:00:00Z", "yesterday", Reason::BadTime, "at"),
        (
            "2026-03-01T09:00:00Z",
            "2026-03-01 09:00:00",
            Reason::BadTime,
            "at",
        ),
        ("2026-03-01T09:00:00Z", "", Reason::MissingField, "at"),
        ("a,", ",", Reason::MissingField, "id"),
    ];
    for (from, to, reason, column) in cases {
        let bad = FINE.replacen(from, to, 1);
        let other = FINE.replacen("a,", "b,", 1);
        let table = format!("{HEADER}\n{bad}\n{other}\n");
        let got = import(SMALL, table.as_bytes()).unwrap();
        assert_eq!(got.conversations.len(), 1, "{bad} was taken");
        let [rejection] = &got.rejections[..] else {
            panic!("{bad}: {:?}", got.rejections)
        };
        assert_eq!(rejection.reason, reason, "{bad}: {}", rejection.message);
        assert_eq!(rejection.column.as_deref(), Some(column), "{bad}");
        assert_eq!(
            (rejection.line, rejection.row.as_deref()),
            (2, Some(bad.as_str()))
        );
    }
}

#[test]
fn a_bad_row_takes_its_conversation_along() {
    let bad = FINE.replace("1.5,simple", "-1,simple");
    let later = FINE.replace("09:00", "10:00");
    let other = FINE.replacen("a,", "b,", 1);
    let got = import(
        SMALL,
        format!("{HEADER}\n{later}\n{other}\n{bad}\n").as_bytes(),
    )
    .unwrap();
    let ids: Vec<_> = got
        .conversations
        .iter()
        .map(|c| c.conversation_id.as_str())
        .collect();
    assert_eq!(ids, ["b"]);
    let reasons: Vec<_> = got.rejections.iter().map(|r| (r.line, r.reason)).collect();
    assert_eq!(reasons, [(4, Reason::BadDuration), (2, Reason::Incomplete)]);
}

#[test]
fn rows_of_a_conversation_are_gathered_sorted_and_must_agree() {
    let later = FINE.replace("09:00", "10:00");
    let other = FINE.replacen("a,", "b,", 1);
    let got = import(
        SMALL,
        format!("{HEADER}\n{later}\n{other}\n{FINE}\n").as_bytes(),
    )
    .unwrap();
    assert_eq!(got.rejections, []);
    let first = &got.conversations[0];
    assert_eq!(first.conversation_id, "a");
    assert!(first.decisions[0].decided_at < first.decisions[1].decided_at);
    assert_eq!(first.created_at, first.decisions[0].decided_at);

    let contradicts = later.replace("simple", "complex");
    let got = import(
        SMALL,
        format!("{HEADER}\n{FINE}\n{contradicts}\n").as_bytes(),
    )
    .unwrap();
    assert_eq!(got.conversations.len(), 0);
    assert_eq!(got.rejections[0].column.as_deref(), Some("class"));

    // The same row twice is one decision.
    let got = import(SMALL, format!("{HEADER}\n{FINE}\n{FINE}\n").as_bytes()).unwrap();
    assert_eq!(got.conversations[0].decisions.len(), 1);
    assert_eq!(got.rejections[0].reason, Reason::DuplicateId);
}

#[test]
fn broken_rows_are_told_from_sound_ones() {
    let other = FINE.replacen("a,", "b,", 1);
    let short = format!("{HEADER}\na,2026\n{other}\n");
    let got = import(SMALL, short.as_bytes()).unwrap();
    assert_eq!(got.conversations.len(), 1);
    assert_eq!(
        (got.rejections[0].reason, got.rejections[0].line),
        (Reason::BrokenRow, 2)
    );

    let mut not_utf8 = format!("{HEADER}\n{FINE}\n{other}\n").into_bytes();
    let position = not_utf8.windows(6).position(|w| w == b"simple").unwrap();
    not_utf8[position] = 0xff;
    let got = import(SMALL, &not_utf8).unwrap();
    assert_eq!(got.rejections[0].reason, Reason::NotUtf8);
    assert_eq!(got.rejections[0].column.as_deref(), Some("class"));
    assert_eq!(got.conversations.len(), 1);

    // Names hold commas, quotes and line ends where they are quoted; the file may come from Windows.
    let quoted = format!(
        "\u{feff}{HEADER}\r\n{}\r\n",
        FINE.replacen("a,", "\"a,\"\"\nb\",", 1)
    );
    let got = import(SMALL, quoted.as_bytes()).unwrap();
    assert_eq!(got.conversations[0].conversation_id, "a,\"\nb");
}

#[test]
fn a_quote_never_closed_counts_for_every_line_it_hides() {
    let rows: Vec<_> = (0..10)
        .map(|id| FINE.replacen('a', &id.to_string(), 1))
        .collect();
    for column in ["simple", "1.5", "0,"] {
        let mut rows = rows.clone();
        rows[0] = if column == "0," {
            format!("\"{}", rows[0])
        } else {
            rows[0].replace(column, &format!("\"{column}"))
        };
        let table = format!("{HEADER}\n{}\n", rows.join("\n"));
        let got = import(SMALL, table.as_bytes()).unwrap();
        assert_eq!(got.conversations.len(), 0, "{column}");
        assert!(
            got.rejections.len() >= 10,
            "{column}: {}",
            got.rejections.len()
        );
        assert_eq!(got.volume.rows, got.rejections.len() as u64);
    }
    // A closed quote around several lines at the end of the file is fine.
    let fine = format!("{HEADER}\n{}", FINE.replace(",simple", ",\"simple\n\""));
    assert_eq!(
        import(SMALL, fine.as_bytes()).unwrap().conversations.len(),
        1
    );
}

#[test]
fn mappings_that_do_not_fit_name_their_line() {
    let table = format!("{HEADER}\n{FINE}\n");
    let cases = [
        (
            SMALL.replace("\"minutes\", unit", "\"mins\", unit"),
            ":16: ",
            "no column `mins`",
        ),
        (
            SMALL.replace("class = \"class\"", "klass = \"class\""),
            ":6: ",
            "no such column",
        ),
        (
            SMALL.replace("unit =", "units ="),
            ":16: ",
            "unknown field `units`",
        ),
        (
            SMALL.replace("unit = \"minutes\"", "unit = \"weeks\""),
            ":16: ",
            "unknown variant `weeks`",
        ),
        (
            SMALL.replace("value = \"chat\"", "value = \"letter\""),
            ":5: ",
            "is none of chat, email",
        ),
        (
            SMALL.replace("value = \"chat\"", ""),
            ":5: ",
            "either `from`",
        ),
        (
            SMALL.replace("\"class\"\n", "{ from = \"class\", unit = \"hours\" }\n"),
            ":6: ",
            "takes no such unit",
        ),
        (
            SMALL.replace("rows = \"decision\"", "rows = \"ticket\""),
            ":2: ",
            "unknown variant `ticket`",
        ),
        (
            SMALL.replace("rows =", "row ="),
            ":2: ",
            "unknown field `row`",
        ),
        (
            SMALL.replace("action = \"tier\"\n", ""),
            ": ",
            "[decision] lacks `action`",
        ),
        (
            SMALL.replace("p_human = \"p3\"\n", ""),
            ": ",
            "lacks `p_human`",
        ),
        (
            SMALL.replace("propensity_kind = { value = \"exact\" }\n", ""),
            ": ",
            "lacks `propensity_kind`",
        ),
        (
            format!("time_zone = \"Mars/Olympus\"{SMALL}"),
            ":1: ",
            "`time_zone`",
        ),
        (
            format!("{SMALL}[turn]\nrole = \"id\"\n"),
            ": ",
            "a table has none",
        ),
        (
            format!("{SMALL}[observation]\nmood = \"p\"\n"),
            ":18: ",
            "no such column",
        ),
        (SMALL.replace('[', "("), ":", ""),
    ];
    for (mapping, line, message) in cases {
        let error = import(&mapping, table.as_bytes())
            .err()
            .map(|error| error.to_string());
        let error = error.unwrap_or_else(|| panic!("accepted: {mapping}"));
        assert!(error.contains(&format!("map.toml{line}")), "{error}");
        assert!(error.contains(message), "{error}");
    }
}

#[test]
fn a_table_may_be_gzip_and_several() {
    use std::io::Write;
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("map.toml");
    std::fs::write(&config, SMALL).unwrap();
    let mut paths: Vec<PathBuf> = Vec::new();
    for id in ["a", "b"] {
        let path = folder.path().join(format!("{id}.csv.gz"));
        let file = std::fs::File::create(&path).unwrap();
        let mut zip = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
        writeln!(zip, "{HEADER}\n{}", FINE.replacen('a', id, 1)).unwrap();
        zip.finish().unwrap();
        paths.push(path);
    }
    let mut ids = Vec::new();
    read(&paths, &config, &CustomerKey::new("key"), &mut |row| {
        if let Imported::Conversation { conversation, .. } = row {
            ids.push(conversation.conversation_id);
        }
        Ok(())
    })
    .unwrap();
    assert_eq!(ids, ["a", "b"]);
}
