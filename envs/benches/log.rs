//! How fast logs are read and written, and what loading ten million decisions takes.
//!
//! `cargo bench -p tierwise-envs --bench log` measures speed on a log of a few thousand conversations.
//! With `-- --memory DECISIONS [FOLDER]` it writes a Parquet log of that many decisions instead, loads its columns in
//! a process of its own, and prints that process's peak of resident memory.

#![expect(clippy::print_stdout, reason = "a measurement is printed")]
#![expect(clippy::disallowed_methods, reason = "a measurement takes time")]

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use tierwise_envs::class::{ActionSource, Channel, Class, PropensityKind, RatingScale, Role};
use tierwise_envs::log::columns::{DecisionColumns, Needed};
use tierwise_envs::log::file::{LogReader, LogWriter};
use tierwise_envs::log::jsonl::{JsonlReader, JsonlWriter};
use tierwise_envs::log::model::{Conversation, Decision, LOG_SCHEMA_VERSION, Turn};
use tierwise_envs::mask::Mask;
use tierwise_envs::observation::{Feature, Observation, SCHEMA_VERSION};
use tierwise_envs::tier::{Propensity, Tier, TierProbs};
use tierwise_envs::time::UtcMicros;

/// 2026-03-02T00:00:00Z.
const START: UtcMicros = UtcMicros(1_772_409_600_000_000);

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let after = |flag: &str| {
        let at = arguments.iter().position(|argument| argument == flag)?;
        Some(&arguments[at + 1..])
    };
    let done = match (after("--memory"), after("--load")) {
        (Some([count, rest @ ..]), _) => measure_memory(count, rest.first()),
        (_, Some([path, ..])) => load(Path::new(path)),
        _ => {
            divan::main();
            Ok(())
        }
    };
    done.expect("the measurement needs room on the disk and Linux's /proc");
}

/// A shop's conversation: 1 to 4 answered messages, hashed texts, two thirds of the features known.
fn conversation(rng: &mut Xoshiro256PlusPlus, number: u64) -> Conversation {
    let created_at = START.plus_seconds(7.0 * number as f64);
    let messages = rng.random_range(1..=4);
    let class = Class::from_index(rng.random_range(0..3));
    let mut turns = Vec::new();
    let mut decisions = Vec::new();
    for message in 0..messages {
        let at = created_at.plus_seconds(90.0 * f64::from(message));
        for role in [Role::Customer, Role::Ai] {
            turns.push(Turn {
                role,
                at: Some(at),
                text: None,
                text_hash: Some(format!("{:016x}", rng.random::<u64>())),
                intent: None,
                sentiment: Some(rng.random_range(-1.0..1.0)),
                draft_edited: None,
            });
        }
        decisions.push(decision(rng, 2 * message, at));
    }
    let json = format!(
        r#"{{"schema_version":{LOG_SCHEMA_VERSION},"conversation_id":"{number:012x}","source_system":"shop","channel":"{}","created_at":"{created_at}"}}"#,
        Channel::Chat
    );
    Conversation {
        class,
        language: Some("en".to_owned()),
        region: Some("US".to_owned()),
        first_response_s: Some(2.5),
        rating_raw: number.is_multiple_of(4).then_some(4),
        rating_scale: number.is_multiple_of(4).then_some(RatingScale::FivePoint),
        outcomes_tracked: Some(true),
        abandoned: Some(false),
        turns,
        decisions,
        ..serde_json::from_str(&json).expect("the line is a conversation")
    }
}

fn decision(rng: &mut Xoshiro256PlusPlus, turn: i32, at: UtcMicros) -> Decision {
    let mut observation = Observation::unknown();
    for feature in Feature::ALL {
        let spec = feature.spec();
        if feature.index() % 3 > 0 {
            observation.set(*feature, rng.random_range(spec.low..=spec.high));
        }
    }
    observation.set(Feature::Class, f32::from(rng.random_range(0..3_u8)));
    let probs = TierProbs::from_weights([0.0; 3].map(|_: f64| rng.random_range(0.1..1.0)))
        .expect("the weights are positive");
    let action = probs.pick(rng.random());
    Decision {
        turn,
        decided_at: at,
        feature_schema: SCHEMA_VERSION,
        observation,
        mask: Mask::ALL,
        action,
        probs: Some(probs),
        propensity: Propensity::new(probs.of(action)).ok(),
        propensity_kind: Some(PropensityKind::Exact),
        action_source: ActionSource::Policy,
        policy_id: Some("rule".to_owned()),
        policy_version: Some("3f1c".to_owned()),
        arm: None,
        block_id: None,
        pool_busy: Some(rng.random_range(0..40)),
        pool_slots: Some(40),
        queue_len: Some(rng.random_range(0..9)),
        expected_wait_s: Some(rng.random_range(0.0..300.0)),
        answer_s: Some(rng.random_range(0.5..300.0)),
        answer_business_s: None,
        human_s: (action != Tier::Auto).then(|| rng.random_range(20.0..400.0)),
        ai_calls: Some(1),
        review: None,
    }
}

fn sample() -> Vec<Conversation> {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(7);
    (0..4_000).map(|n| conversation(&mut rng, n)).collect()
}

fn decisions(log: &[Conversation]) -> usize {
    log.iter().map(|c| c.decisions.len()).sum()
}

fn as_jsonl(log: &[Conversation]) -> Vec<u8> {
    let mut writer = JsonlWriter::new(Vec::new());
    for conversation in log {
        writer
            .write(conversation)
            .expect("a vector takes every byte");
    }
    writer.into_inner()
}

fn write(path: &Path, log: &[Conversation]) {
    let mut writer = LogWriter::create(path).expect("the folder takes files");
    for conversation in log {
        writer.write(conversation).expect("the sample is valid");
    }
    writer.finish().expect("the disk has room");
}

#[divan::bench]
fn jsonl_read(bencher: Bencher<'_, '_>) {
    let text = as_jsonl(&sample());
    bencher.counter(BytesCount::new(text.len())).bench(|| {
        JsonlReader::new(&text[..], PathBuf::new())
            .filter(Result::is_ok)
            .count()
    });
}

#[divan::bench]
fn jsonl_write(bencher: Bencher<'_, '_>) {
    let log = sample();
    bencher
        .counter(BytesCount::new(as_jsonl(&log).len()))
        .bench(|| as_jsonl(&log));
}

#[divan::bench(args = ["log.jsonl", "log.jsonl.gz", "log.parquet"])]
fn file_write(bencher: Bencher<'_, '_>, name: &str) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let log = sample();
    let path = folder.path().join(name);
    bencher
        .counter(ItemsCount::new(decisions(&log)))
        .bench(|| write(&path, &log));
}

#[divan::bench(args = ["log.jsonl", "log.jsonl.gz", "log.parquet"])]
fn file_read(bencher: Bencher<'_, '_>, name: &str) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let log = sample();
    let path = folder.path().join(name);
    write(&path, &log);
    bencher.counter(ItemsCount::new(decisions(&log))).bench(|| {
        LogReader::open(&path)
            .expect("it was just written")
            .filter(Result::is_ok)
            .count()
    });
}

#[divan::bench(args = ["log.jsonl", "log.parquet"])]
fn columns_load(bencher: Bencher<'_, '_>, name: &str) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let log = sample();
    let path = folder.path().join(name);
    write(&path, &log);
    bencher
        .counter(ItemsCount::new(decisions(&log)))
        .bench(|| DecisionColumns::load(&path, &Needed::tabular()));
}

fn measure_memory(count: &str, folder: Option<&String>) -> Result<(), Box<dyn Error>> {
    let wanted: u64 = count.parse()?;
    let folder = match folder {
        Some(folder) => tempfile::tempdir_in(folder)?,
        None => tempfile::tempdir()?,
    };
    let path = folder.path().join("log.parquet");
    let started = Instant::now();
    let mut writer = LogWriter::create(&path)?;
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(11);
    // Writing is what is measured: conversations are drawn once and given new ids.
    let mut pool: Vec<_> = (0..20_000).map(|n| conversation(&mut rng, n)).collect();
    let (mut number, mut written) = (0, 0);
    while written < wanted {
        let at = number % pool.len();
        let conversation = &mut pool[at];
        conversation.conversation_id = format!("{number:012x}");
        writer.write(conversation)?;
        written += conversation.decisions.len() as u64;
        number += 1;
    }
    let summary = writer.finish()?;
    let size = |path: &Path| std::fs::metadata(path).map(|m| m.len() >> 20);
    println!(
        "wrote {} decisions of {} conversations in {:.1} s: {} + {} MiB, peak {} MiB resident",
        summary.decisions,
        summary.conversations,
        started.elapsed().as_secs_f64(),
        size(&path)?,
        size(&tierwise_envs::log::parquet::decisions_path(&path))?,
        peak_mib()?,
    );
    let status = Command::new(std::env::current_exe()?)
        .arg("--load")
        .arg(&path)
        .status()?;
    if status.success() {
        Ok(())
    } else {
        Err("loading failed".into())
    }
}

fn load(path: &Path) -> Result<(), Box<dyn Error>> {
    for (name, needed) in [
        ("tabular", Needed::tabular()),
        (
            "tabular, probabilities and times",
            Needed {
                probs: true,
                decided_at: true,
                ..Needed::tabular()
            },
        ),
    ] {
        let started = Instant::now();
        let columns = DecisionColumns::load(path, &needed)?;
        println!(
            "{name}: loaded {} decisions of {} conversations in {:.1} s, peak so far {} MiB resident",
            columns.len(),
            columns.conversations.len(),
            started.elapsed().as_secs_f64(),
            peak_mib()?,
        );
    }
    Ok(())
}

/// Peak of this process's resident memory.
fn peak_mib() -> Result<u64, Box<dyn Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
        .ok_or("no VmHWM in /proc/self/status")?;
    let kib: u64 = line.split_whitespace().nth(1).unwrap_or("0").parse()?;
    Ok(kib >> 10)
}
