//! An interrupted training goes on as if nothing had happened, or not at all.
#![cfg(unix)]

use std::process::{Child, Command, Stdio};

use crate::desk::{Desk, Ran, SHOP, names};

const PROCESS: &str = r#"{"gamma": 0.9, "n_states": 2, "n_actions": 2, "initial": [[0, 1.0]], "transitions": [
    [0, 0, 0.0, [[0, 0.5], [1, 0.5]]], [0, 1, 0.2, [[0, 1.0]]], [1, 0, 1.0, [[0, 1.0]]], [1, 1, 0.5, [[1, 1.0]]]]}"#;

/// Decisions to try, for a machine may be too fast to be interrupted in a short run.
const STEPS: [u64; 4] = [10_000, 40_000, 160_000, 640_000];

fn config(environment: &str, coupling: &str, steps: u64) -> String {
    format!(
        "name = \"long\"\n[environment]\n{environment}\n[learner]\ncoupling = \"{coupling}\"\n\
         [training]\nsteps = {steps}\nseeds = 2\nevaluate_every = 200\n"
    )
}

/// Starts a training by `train.toml` into `run`, interrupts it as soon as it has written a checkpoint, and waits for
/// its end.
fn interrupted(desk: &Desk, environment: &str, coupling: &str, input: &str) {
    for steps in STEPS {
        desk.write("train.toml", config(environment, coupling, steps));
        let ran = signalled(desk, &format!("train train.toml {input} --out run"));
        if ran.code == 0 {
            std::fs::remove_dir_all(desk.path("run")).unwrap();
            continue;
        }
        assert_eq!(ran.code, 130, "{environment}: {ran:?}");
        for text in ["interrupted; checkpoints are in run", "--resume"] {
            assert!(ran.stderr.contains(text), "{}", ran.stderr);
        }
        assert!(!desk.path("run/training.json").exists(), "not finished");
        return;
    }
    panic!("{environment}: always finished before the signal");
}

fn signalled(desk: &Desk, arguments: &str) -> Ran {
    let child = start(desk, arguments);
    let run = desk.path("run");
    let (first, second) = (
        run.join("checkpoint/seed-0.json"),
        run.join("checkpoint/seed-1.json"),
    );
    signalled_when(child, &|| {
        first.exists() || second.exists() || run.join("training.json").exists()
    })
}

fn start(desk: &Desk, arguments: &str) -> Child {
    Command::new(env!("CARGO_BIN_EXE_tierwise"))
        .current_dir(desk.path(""))
        .args(arguments.split(' '))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Waits until something has happened, interrupts the child, and waits for its end.
fn signalled_when(child: Child, happened: &dyn Fn() -> bool) -> Ran {
    let bound = 20_000_000;
    assert!((0..bound).any(|_| happened()), "nothing happened");
    let signal = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(signal.success());
    let output = child.wait_with_output().unwrap();
    Ran {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

fn prepared() -> Desk {
    let desk = Desk::new();
    desk.write("shop.toml", SHOP);
    desk.write("process.json", PROCESS);
    desk.done("log generate shop.toml --out log.jsonl --explore 0.5");
    desk
}

#[test]
fn a_resumed_run_ends_with_the_same_bytes() {
    let desk = prepared();
    let log = "--log log.jsonl";
    for (environment, coupling, input, files) in [
        ("kind = \"log\"", "toll", log, ["policy.json", "seen.bin"]),
        (
            "kind = \"replay\"\nmode = \"rejection\"",
            "none",
            log,
            ["policy.json", "seen.bin"],
        ),
        (
            "kind = \"mdp\"",
            "continuing",
            "--env process.json",
            ["q-table.json", "config.toml"],
        ),
    ] {
        interrupted(&desk, environment, coupling, input);
        desk.done(&format!("train train.toml {input} --out run --resume"));
        desk.done(&format!("train train.toml {input} --out whole"));
        for file in files.into_iter().chain(["training.json", "config.toml"]) {
            let (resumed, whole) = (format!("run/{file}"), format!("whole/{file}"));
            assert!(
                desk.read(&resumed) == desk.read(&whole),
                "{environment}: {file} differs"
            );
        }
        for folder in ["run", "whole"] {
            assert!(!desk.path(folder).join("checkpoint").exists());
            std::fs::remove_dir_all(desk.path(folder)).unwrap();
        }
    }
}

#[test]
fn a_resume_with_another_configuration_or_log_is_refused_and_changes_nothing() {
    let desk = prepared();
    interrupted(&desk, "kind = \"log\"", "toll", "--log log.jsonl");
    let before = desk.read("run/config.toml");
    let (known, wanted) = ("evaluate_every = 200", "evaluate_every = 400");
    desk.write("other.toml", desk.text("train.toml").replace(known, wanted));
    desk.done("log generate shop.toml --out other.jsonl --explore 0.5 --seed 9");
    for command in [
        "train other.toml --log log.jsonl --out run --resume",
        "train train.toml --log log.jsonl --seed 5 --out run --resume",
        "train train.toml --log other.jsonl --out run --resume",
    ] {
        let error = desk.refused(command);
        for text in [
            "made by another configuration or from another input",
            "fix: resume with the same configuration and input",
        ] {
            assert!(error.contains(text), "{command}: {error}");
        }
        assert!(before == desk.read("run/config.toml"), "{command}");
        assert!(!desk.path("run/training.json").exists());
    }
    desk.done("train train.toml --log log.jsonl --out run --resume");
}

#[test]
fn a_damaged_checkpoint_is_named() {
    let desk = prepared();
    interrupted(&desk, "kind = \"log\"", "toll", "--log log.jsonl");
    let name = names(&desk.path("run/checkpoint")).remove(0);
    let file = format!("run/checkpoint/{name}");
    let half = desk.read(&file).len() / 2;
    desk.write(&file, &desk.read(&file)[..half]);
    let error = desk.refused("train train.toml --log log.jsonl --out run --resume");
    assert!(error.contains(&file), "{error}");
}

#[test]
fn the_longest_training_there_is_can_be_started_and_interrupted() {
    let desk = prepared();
    desk.write("train.toml", config("kind = \"log\"", "toll", u64::MAX));
    let ran = signalled(&desk, "train train.toml --log log.jsonl --out run");
    assert_eq!(ran.code, 130, "{ran:?}");
}

#[test]
fn an_interrupted_log_leaves_nothing_behind() {
    let desk = prepared();
    desk.write("shop.toml", "days = 3660\ndaily_contacts = 100000.0\n");
    let old = desk.read("log.jsonl");
    let before = desk.names("");
    let child = start(&desk, "log generate shop.toml --out log.jsonl");
    let drafted = || desk.names("").len() > before.len();
    let ran = signalled_when(child, &drafted);
    assert_eq!(ran.code, 130, "{ran:?}");
    assert!(
        ran.stderr.contains("interrupted; nothing was written"),
        "{}",
        ran.stderr
    );
    assert_eq!(before, desk.names(""));
    assert!(old == desk.read("log.jsonl"));
}
