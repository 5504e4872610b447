//! The same seed gives the same bytes on any number of threads.

use crate::desk::{Desk, SHOP, training};

#[test]
fn threads_do_not_change_a_byte() {
    let desk = Desk::new();
    desk.write("world.toml", SHOP);
    let kinds = [
        ("log", "kind = \"log\"", ""),
        ("rejection", "kind = \"replay\"\nmode = \"rejection\"", ""),
        (
            "model",
            "kind = \"replay\"\nmode = \"model\"",
            crate::offline_loop::ASSUMED,
        ),
        (
            "shop",
            "kind = \"shop\"",
            "[shop]\ndays = 2\ndaily_contacts = 150.0",
        ),
    ];
    for (kind, environment, more) in kinds {
        desk.write(&format!("{kind}.toml"), training(environment, more));
    }
    let log = |threads: u32, ending: &str| format!("log-{threads}{ending}");
    for threads in [1, 2, 8] {
        for ending in [".jsonl", ".jsonl.gz", ".parquet"] {
            desk.done(&format!(
                "--threads {threads} log generate world.toml --explore 0.5 --seed 3 --out {}",
                log(threads, ending)
            ));
        }
        for (kind, ..) in kinds {
            // The same log by the same name, for results name their input.
            let input = if kind == "shop" {
                ""
            } else {
                " --log log-1.jsonl"
            };
            let run = format!("{kind}-{threads}");
            desk.done(&format!(
                "--threads {threads} train {kind}.toml{input} --out {run}"
            ));
            desk.done(&format!(
                "--threads {threads} evaluate --log log-1.parquet --policy {run} --resamples 40 --no-ledger"
            ));
        }
    }
    for threads in [2, 8] {
        for ending in [".jsonl", ".jsonl.gz", ".parquet", ".decisions.parquet"] {
            let (one, many) = (log(1, ending), log(threads, ending));
            assert!(
                desk.read(&one) == desk.read(&many),
                "{many} differs from {one}"
            );
        }
        for (kind, ..) in kinds {
            for file in [
                "policy.json",
                "training.json",
                "evaluation.json",
                "config.toml",
            ] {
                let (one, many) = (
                    format!("{kind}-1/{file}"),
                    format!("{kind}-{threads}/{file}"),
                );
                assert!(
                    desk.read(&one) == desk.read(&many),
                    "{many} differs from {one}"
                );
            }
        }
    }
}

#[test]
fn another_seed_gives_another_log_and_another_version() {
    let desk = Desk::with_version();
    desk.done("log generate shop.toml --explore 0.5 --seed 2 --out other.jsonl");
    assert!(desk.read("log.jsonl") != desk.read("other.jsonl"));
    desk.done("train train.toml --log log.jsonl --seed 77 --out other");
    assert!(desk.read("run/policy.json") != desk.read("other/policy.json"));
}

#[test]
fn formats_hold_the_same_log() {
    let desk = Desk::with_log();
    let mut hashes = Vec::new();
    for name in ["log.jsonl", "log.jsonl.gz", "log.parquet"] {
        desk.done(&format!(
            "log generate shop.toml --explore 0.5 --out {name}"
        ));
        hashes.push(desk.done_json(&format!("log check {name} --json"))["hash"].clone());
    }
    desk.done("import jsonl log.jsonl.gz --out again.parquet");
    hashes.push(desk.done_json("log check again.parquet --json")["hash"].clone());
    assert!(hashes.iter().all(|hash| *hash == hashes[0]), "{hashes:?}");
}
