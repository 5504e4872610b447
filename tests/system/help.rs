//! What `--help` says, command by command.

use crate::desk::{Desk, ended};

#[test]
fn help_of_every_command() {
    let desk = Desk::new();
    for command in [
        "",
        "demo",
        "import",
        "log",
        "log check",
        "log generate",
        "train",
        "evaluate",
        "forecast",
        "analyze",
        "plan",
        "sweep",
        "calibrate",
        "report",
        "simulate",
        "staff",
        "serve",
        "policy",
        "policy register",
        "experiment",
        "experiment audit",
        "traffic",
        "store key",
        "store key add",
        "store",
        "store migrate",
        "store check",
        "store export",
    ] {
        let arguments: Vec<&str> = command.split_whitespace().chain(["--help"]).collect();
        let ran = ended(desk.tierwise().env("COLUMNS", "100").args(&arguments));
        assert_eq!(ran.code, 0, "{command}");
        // Trailing blanks depend on nothing a reader sees.
        let text: Vec<&str> = ran.stdout.lines().map(str::trim_end).collect();
        let name = match command {
            "" => "tierwise".to_owned(),
            command => command.replace(' ', "_"),
        };
        insta::assert_snapshot!(name, text.join("\n"));
    }
}

#[test]
fn without_a_command_help_is_shown_and_the_exit_code_says_so() {
    let desk = Desk::new();
    let ran = ended(&mut desk.tierwise());
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("Usage: tierwise"), "{}", ran.stderr);
}

#[test]
fn version_is_printed() {
    let printed = Desk::new().done("--version");
    assert_eq!(
        printed.trim(),
        concat!("tierwise ", env!("CARGO_PKG_VERSION"))
    );
}
