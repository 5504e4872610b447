//! A folder of its own for a test, and the binary run in it.

use std::path::{Path, PathBuf};

use assert_cmd::Command;
use serde_json::Value;
use tempfile::TempDir;

/// A shop of two days and about 300 conversations; everybody answers the survey at the same rate.
pub(crate) const SHOP: &str = "days = 2\ndaily_contacts = 150.0\n\
    [aftermath]\nsurvey_base = 0.6\nsurvey_extreme = 0.0\n";

/// A folder that goes away with the test.
pub(crate) struct Desk {
    folder: TempDir,
}

/// How the binary ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// A training configuration: the environment's keys and further text.
pub(crate) fn training(environment: &str, more: &str) -> String {
    format!(
        "name = \"tiny\"\n[environment]\n{environment}\n[training]\nsteps = 2000\nseeds = 2\nevaluate_every = 500\n\
         evaluate_conversations = 50\n[learner]\ncoupling = \"toll\"\n{more}\n"
    )
}

impl Desk {
    /// An empty folder.
    pub(crate) fn new() -> Self {
        Self {
            folder: TempDir::new().unwrap(),
        }
    }

    /// A folder with `shop.toml`, `train.toml` for the log's own transitions, and a generated `log.jsonl`.
    pub(crate) fn with_log() -> Self {
        let desk = Self::new();
        desk.write("shop.toml", SHOP);
        desk.write("train.toml", training("kind = \"log\"", ""));
        desk.done("log generate shop.toml --out log.jsonl --explore 0.5");
        desk
    }

    /// The same with a trained version in `run`.
    pub(crate) fn with_version() -> Self {
        let desk = Self::with_log();
        desk.done("train train.toml --log log.jsonl --out run");
        desk
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), content).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    pub(crate) fn text(&self, name: &str) -> String {
        String::from_utf8(self.read(name)).unwrap()
    }

    pub(crate) fn json(&self, name: &str) -> Value {
        serde_json::from_slice(&self.read(name)).unwrap()
    }

    /// Names in a folder, sorted.
    pub(crate) fn names(&self, folder: &str) -> Vec<String> {
        names(&self.path(folder))
    }

    /// The binary, to be run in this folder.
    pub(crate) fn tierwise(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tierwise"));
        command.current_dir(self.folder.path());
        command
    }

    /// Runs the binary with arguments separated by blanks.
    pub(crate) fn run(&self, arguments: &str) -> Ran {
        ended(self.tierwise().args(arguments.split(' ')))
    }

    /// Runs the binary, which succeeds; what it printed.
    pub(crate) fn done(&self, arguments: &str) -> String {
        let ran = self.run(arguments);
        assert_eq!(ran.code, 0, "tierwise {arguments}\n{}", ran.stderr);
        ran.stdout
    }

    /// Runs the binary, which succeeds and prints one JSON value.
    pub(crate) fn done_json(&self, arguments: &str) -> Value {
        serde_json::from_str(&self.done(arguments)).unwrap()
    }

    /// Runs the binary, which cannot run: exit code 2, one error, nothing on standard output.
    pub(crate) fn refused(&self, arguments: &str) -> String {
        let ran = self.run(arguments);
        assert_eq!(ran.code, 2, "tierwise {arguments}\n{ran:?}");
        assert_eq!(ran.stdout, "", "tierwise {arguments}");
        error_of(&ran.stderr)
    }
}

/// Runs a command to its end.
pub(crate) fn ended(command: &mut Command) -> Ran {
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let ran = Ran {
        code: output.status.code().unwrap_or(-1),
        stdout: text(&output.stdout),
        stderr: text(&output.stderr),
    };
    assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
    ran
}

/// The error in what was printed, behind lines of progress.
pub(crate) fn error_of(stderr: &str) -> String {
    let start = stderr
        .find("error: ")
        .unwrap_or_else(|| panic!("no error in {stderr:?}"));
    stderr[start..].trim_end().to_owned()
}

/// Names in a folder, sorted.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// Keys of a JSON object.
pub(crate) fn keys(value: &Value) -> Vec<&str> {
    value
        .as_object()
        .unwrap_or_else(|| panic!("no object: {value}"))
        .keys()
        .map(String::as_str)
        .collect()
}
