//! A disk that fills up: what stood there before still stands there, and nothing half-written stays.
//!
//! `ulimit -f` bounds the size of a file; with its signal ignored, a longer write fails as on a full disk.
#![cfg(unix)]

use assert_cmd::Command;

use crate::desk::{Desk, Ran, ended, error_of};

/// Runs the binary where no file may grow beyond `blocks` of 1,024 bytes.
fn cramped(desk: &Desk, blocks: u32, arguments: &str) -> Ran {
    let binary = env!("CARGO_BIN_EXE_tierwise");
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"{binary}\" {arguments}");
    ended(
        Command::new("bash")
            .current_dir(desk.path(""))
            .args(["-c", &script]),
    )
}

#[test]
fn a_write_that_fails_leaves_the_old_file() {
    let desk = Desk::with_version();
    desk.done("log generate shop.toml --out log.parquet --explore 0.5");
    desk.done("log generate shop.toml --out log.jsonl.gz --explore 0.5");
    desk.done("evaluate --log log.jsonl --policy run --resamples 40");
    desk.done("report run --out page.html");
    let before = desk.names("");
    let before_run = desk.names("run");
    for (arguments, file) in [
        (
            "log generate shop.toml --seed 2 --out log.jsonl",
            "log.jsonl",
        ),
        (
            "log generate shop.toml --seed 2 --out log.jsonl.gz",
            "log.jsonl.gz",
        ),
        (
            "log generate shop.toml --seed 2 --out log.parquet",
            "log.parquet",
        ),
        (
            "log generate shop.toml --seed 2 --out log.parquet",
            "log.decisions.parquet",
        ),
        ("import jsonl log.jsonl --out log.parquet", "log.parquet"),
        (
            "evaluate --log log.jsonl --policy run --resamples 40 --seed 2",
            "run/evaluation.json",
        ),
        ("report run --out page.html", "page.html"),
    ] {
        let old = desk.read(file);
        let ran = cramped(&desk, 8, arguments);
        assert_eq!(ran.code, 2, "{arguments}: {ran:?}");
        let error = error_of(&ran.stderr);
        assert!(error.contains("File too large"), "{arguments}: {error}");
        assert!(old == desk.read(file), "{arguments} changed {file}");
        assert_eq!(before, desk.names(""), "{arguments}");
        assert_eq!(before_run, desk.names("run"), "{arguments}");
    }
}

#[test]
fn a_training_that_cannot_write_leaves_the_old_version() {
    let desk = Desk::with_version();
    let old = desk.read("run/policy.json");
    let ran = cramped(
        &desk,
        4,
        "train train.toml --seed 7 --log log.jsonl --out run",
    );
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(
        error_of(&ran.stderr).contains("File too large"),
        "{}",
        ran.stderr
    );
    assert!(old == desk.read("run/policy.json"));
    desk.done("evaluate --log log.jsonl --policy run --resamples 40");
}
