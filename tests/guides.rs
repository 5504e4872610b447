//! The guides tell the truth: paths they name exist, symbols they name are in the sources, commands they show are
//! understood. Guides are README.md, ARCHITECTURE.md, CONTRIBUTING.md and the pages in docs/.

#![expect(clippy::unwrap_used, reason = "a surprise here is a failed test")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;

/// The heading under which a guide lists what is *not* in the repository.
const ABSENT: &str = "## Not there yet";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Name and text of every guide.
fn guides() -> Vec<(String, String)> {
    let mut paths: Vec<PathBuf> = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"]
        .map(|name| root().join(name))
        .to_vec();
    for entry in fs::read_dir(root().join("docs")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|e| e == "md") {
            paths.push(path);
        }
    }
    paths
        .into_iter()
        .map(|path| {
            let text = fs::read_to_string(&path).unwrap();
            (
                path.strip_prefix(root()).unwrap().display().to_string(),
                text,
            )
        })
        .collect()
}

/// A line of a guide outside fenced blocks.
struct Prose<'a> {
    line: usize,
    text: &'a str,
    /// Under the heading that lists what is absent.
    absent: bool,
}

fn prose(guide: &str) -> Vec<Prose<'_>> {
    let (mut fenced, mut absent, mut lines) = (false, false, Vec::new());
    for (index, text) in guide.lines().enumerate() {
        if text.starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            if text.starts_with('#') {
                absent = text == ABSENT;
            }
            lines.push(Prose {
                line: index + 1,
                text,
                absent,
            });
        }
    }
    lines
}

/// The lines of fenced blocks, with continued lines joined.
fn fenced(guide: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for block in guide.split("```").skip(1).step_by(2) {
        lines.extend(block.replace("\\\n", " ").lines().map(str::to_owned));
    }
    lines
}

/// The backticked words of a line, and the targets of its links.
fn words(line: &str) -> impl Iterator<Item = &str> {
    let links = line
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next());
    line.split('`').skip(1).step_by(2).chain(links)
}

/// Whether a word names a file or a folder of the repository: `src/cli`, `Cargo.toml`, not `a/b c`, `--out`, `../x`.
fn is_path(word: &str) -> bool {
    const EXTENSIONS: [&str; 7] = [".md", ".toml", ".rs", ".sh", ".py", ".html", ".lock"];
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
    !word.starts_with(['/', '-'])
        && !word.starts_with("..")
        && word.chars().all(plain)
        && (word.contains('/') || EXTENSIONS.iter().any(|end| word.ends_with(end)))
}

#[test]
fn every_path_named_in_a_guide_exists() {
    let (mut wrong, mut seen) = (Vec::new(), 0);
    for (name, guide) in guides() {
        for Prose { line, text, absent } in prose(&guide) {
            for word in words(text).filter(|word| is_path(word)) {
                seen += 1;
                if root().join(word).exists() == absent {
                    let what = if absent {
                        "exists now"
                    } else {
                        "does not exist"
                    };
                    wrong.push(format!("{name}:{line}: `{word}` {what}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(seen > 40, "only {seen} paths found in the guides");
}

/// The text of every Rust file of the workspace's crates.
fn sources(folder: &Path, into: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|e| e == "rs") {
            into.push_str(&fs::read_to_string(path).unwrap());
        }
    }
}

/// The last part of a backticked symbol: `Env` of `Env`, `env` of `envs::check::env`.
fn symbol(word: &str) -> Option<&str> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_:".contains(c);
    let camel = word.starts_with(|c: char| c.is_ascii_uppercase())
        && word.chars().any(|c| c.is_ascii_lowercase());
    (word.len() > 2 && word.chars().all(plain) && (camel || word.contains("::")))
        .then(|| word.rsplit("::").next().unwrap_or(word))
}

#[test]
fn every_symbol_named_in_the_architecture_is_defined() {
    let mut code = String::new();
    for folder in ["src", "envs/src", "policies/src", "reports/src"] {
        sources(&root().join(folder), &mut code);
    }
    let architecture = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let symbols: Vec<&str> = prose(&architecture)
        .iter()
        .filter(|line| !line.absent)
        .flat_map(|line| words(line.text))
        .filter_map(symbol)
        .collect();
    let defined = |name: &str| {
        ["struct", "enum", "trait", "fn", "mod", "type"]
            .iter()
            .any(|kind| {
                let needle = format!("{kind} {name}");
                code.match_indices(&needle).any(|(at, _)| {
                    let next = code[at + needle.len()..].chars().next();
                    next.is_none_or(|c| !c.is_ascii_alphanumeric() && c != '_')
                })
            })
    };
    let missing: Vec<&&str> = symbols.iter().filter(|name| !defined(name)).collect();
    assert!(missing.is_empty(), "not defined anywhere: {missing:?}");
    assert!(symbols.len() > 10, "only {} symbols found", symbols.len());
}

#[test]
fn every_command_shown_is_understood() {
    let mut helps: BTreeMap<Vec<String>, String> = BTreeMap::new();
    let mut seen = 0;
    for (name, guide) in guides() {
        for line in fenced(&guide) {
            let Some(command) = line.trim_start_matches("$ ").strip_prefix("tierwise ") else {
                continue;
            };
            seen += 1;
            let arguments: Vec<&str> = command
                .split_whitespace()
                .take_while(|word| !["#", "|", ">", "&&"].contains(word))
                .collect();
            // Commands hold commands: go as deep as the help knows them.
            let mut depth = 1;
            let help = loop {
                let path: Vec<String> = arguments[..depth].iter().map(|&a| a.to_owned()).collect();
                let help = helps.entry(path.clone()).or_insert_with(|| {
                    let mut binary = Command::cargo_bin("tierwise").unwrap();
                    let output = binary.args(&path).arg("--help").output().unwrap();
                    assert!(output.status.success(), "{name}: `{line}` is no command");
                    String::from_utf8(output.stdout).unwrap()
                });
                let nested = help.contains("\nCommands:\n");
                if !nested
                    || arguments
                        .get(depth)
                        .is_none_or(|word| word.starts_with('-'))
                {
                    break help.clone();
                }
                depth += 1;
            };
            for flag in arguments.iter().filter(|word| word.starts_with("--")) {
                let flag = flag.split('=').next().unwrap_or(flag);
                assert!(help.contains(flag), "{name}: `{line}`: no option {flag}");
            }
        }
    }
    assert!(seen > 5, "only {seen} commands found in the guides");
}
