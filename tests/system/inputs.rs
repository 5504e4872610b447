//! Arguments, paths and tables that cannot be used.

use crate::desk::{Desk, ended, error_of};

#[test]
fn options_out_of_range() {
    let desk = Desk::with_version();
    for (arguments, message) in [
        ("--threads 0 log check log.jsonl", "`--threads` is 0"),
        ("--threads 99999 log check log.jsonl", "1 to 1024"),
        ("--threads=-1 log check log.jsonl", "--threads"),
        (
            "evaluate --log log.jsonl --policy run --level 2",
            "level is 2",
        ),
        (
            "evaluate --log log.jsonl --policy run --level 0",
            "level is 0",
        ),
        (
            "evaluate --log log.jsonl --policy run --level nan",
            "level is NaN",
        ),
        (
            "evaluate --log log.jsonl --policy run --level high",
            "--level",
        ),
        (
            "evaluate --log log.jsonl --policy run --resamples 4294967295",
            "20..=100000",
        ),
        (
            "evaluate --log log.jsonl --policy run --resamples 19",
            "20..",
        ),
        (
            "evaluate --log log.jsonl --policy run --seed 18446744073709551616",
            "--seed",
        ),
        (
            "log generate shop.toml --out new.jsonl --explore 1.5",
            "`--explore` is 1.5",
        ),
        (
            "log generate shop.toml --out new.jsonl --explore nan",
            "`--explore` is NaN",
        ),
        (
            "import jsonl log.jsonl --out new.jsonl --max-rejects 2",
            "`max-rejects` is 2",
        ),
        (
            "import jsonl log.jsonl --out new.jsonl --max-rejects nan",
            "`max-rejects` is NaN",
        ),
        ("train train.toml --log log.jsonl", "--out"),
        ("import floppy log.jsonl --out new.jsonl", "floppy"),
    ] {
        let error = desk.refused(arguments);
        assert!(error.contains(message), "{arguments}: {error}");
        assert!(!desk.path("new.jsonl").exists());
    }
    // Numbers at the ends of their ranges are fine.
    desk.done("train train.toml --log log.jsonl --seed 18446744073709551615 --out last");
    desk.done("evaluate --log log.jsonl --policy last --resamples 20 --seed 18446744073709551615");
}

#[test]
fn missing_files_and_folders_in_the_place_of_files() {
    let desk = Desk::with_version();
    std::fs::create_dir(desk.path("folder")).unwrap();
    std::fs::create_dir(desk.path("folder.jsonl")).unwrap();
    std::fs::create_dir(desk.path("folder.parquet")).unwrap();
    for (arguments, place) in [
        ("log check missing.jsonl", "missing.jsonl: no such log"),
        ("log check folder.jsonl", "folder.jsonl: "),
        ("log check folder.parquet", "folder.parquet: "),
        ("log check train.toml", "train.toml: unknown kind of log"),
        (
            "log generate missing.toml --out new.jsonl",
            "missing.toml: ",
        ),
        ("log generate folder --out new.jsonl", "folder: "),
        (
            "log generate shop.toml --out missing/new.jsonl",
            "missing/new.jsonl: ",
        ),
        (
            "log generate shop.toml --out new.txt",
            "new.txt: unknown kind of log",
        ),
        (
            "log generate shop.toml --out folder.jsonl",
            "folder.jsonl: ",
        ),
        (
            "train missing.toml --log log.jsonl --out new",
            "missing.toml: ",
        ),
        ("train folder --log log.jsonl --out new", "folder: "),
        (
            "train train.toml --log missing.jsonl --out new",
            "missing.jsonl: no such log",
        ),
        ("train train.toml --log folder --out new", "folder: "),
        (
            "train train.toml --log log.jsonl --out shop.toml",
            "shop.toml: a file, where a directory",
        ),
        (
            "train train.toml --log log.jsonl --out shop.toml/x",
            "shop.toml/x: ",
        ),
        (
            "train train.toml --env missing.json --out new",
            "missing.json: no such environment file",
        ),
        (
            "evaluate --log missing.jsonl --policy run",
            "missing.jsonl: no such log",
        ),
        (
            "evaluate --log log.jsonl --policy missing",
            "missing: no such version",
        ),
        (
            "evaluate --log log.jsonl --policy run --config missing.toml",
            "missing.toml: ",
        ),
        (
            "evaluate --log log.jsonl --policy run --out shop.toml",
            "shop.toml: a file, where a directory",
        ),
        ("report missing", "missing: no such run directory"),
        ("report folder", "folder: no results to report"),
        ("report shop.toml", "shop.toml: "),
        ("report run --out folder", "folder: "),
        (
            "sweep missing.toml --log log.jsonl --out new",
            "missing.toml: ",
        ),
        (
            "demo --quick --out shop.toml",
            "shop.toml: a file, where a directory",
        ),
        (
            "import jsonl missing.jsonl --out new.jsonl",
            "missing.jsonl: no such input",
        ),
        (
            "import jsonl folder --out new.jsonl",
            "folder: a folder; name the files in it",
        ),
        (
            "import star folder --out new.jsonl",
            "folder: the folder holds neither `dialogues.jsonl.gz`",
        ),
        (
            "import csv log.jsonl --out new.jsonl",
            "add `--mapping FILE`",
        ),
        (
            "import jsonl log.jsonl --mapping missing.toml --out new.jsonl",
            "missing.toml",
        ),
    ] {
        let error = desk.refused(arguments);
        assert!(error.contains(place), "{arguments}: {error}");
        for name in ["new", "new.jsonl", "new.txt", "missing"] {
            assert!(!desk.path(name).exists(), "{arguments} wrote {name}");
        }
    }
    let left: Vec<String> = desk
        .names("")
        .into_iter()
        .filter(|name| name.contains("tmp"))
        .collect();
    assert_eq!(left, [""; 0]);
}

#[test]
fn a_report_of_a_damaged_run_names_the_file() {
    let desk = Desk::with_version();
    desk.done("evaluate --log log.jsonl --policy run --resamples 40");
    for file in ["run/evaluation.json", "run/training.json"] {
        let whole = desk.read(file);
        for bytes in [&b""[..], b"{}", b"[1, 2]", &whole[..whole.len() / 2]] {
            desk.write(file, bytes);
            let error = desk.refused("report run --out page.html");
            assert!(error.contains(file), "{error}");
            assert!(!desk.path("page.html").exists());
        }
        desk.write(file, whole);
    }
    desk.done("report run --out page.html");
}

#[test]
fn empty_arguments_are_refused() {
    let desk = Desk::with_version();
    for arguments in [
        &["log", "check", ""][..],
        &["train", "", "--log", "log.jsonl", "--out", "new"],
        &["train", "train.toml", "--log", "log.jsonl", "--out", ""],
        &["evaluate", "--log", "", "--policy", "run"],
        &["report", ""],
    ] {
        let ran = ended(desk.tierwise().args(arguments));
        assert_eq!(ran.code, 2, "{arguments:?}: {ran:?}");
        error_of(&ran.stderr);
    }
}

#[cfg(unix)]
#[test]
fn names_that_are_not_utf8_are_refused_before_any_work() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let desk = Desk::with_log();
    let odd = OsStr::from_bytes(b"l\xffg.jsonl");
    std::fs::copy(desk.path("log.jsonl"), desk.path("").join(odd)).unwrap();
    let before = desk.names("");
    for arguments in [
        vec![OsStr::new("log"), OsStr::new("check"), odd],
        vec![
            OsStr::new("log"),
            OsStr::new("generate"),
            OsStr::new("shop.toml"),
            OsStr::new("--out"),
            odd,
        ],
        vec![
            OsStr::new("train"),
            OsStr::new("train.toml"),
            OsStr::new("--out"),
            OsStr::new("run"),
            OsStr::new("--log"),
            odd,
        ],
    ] {
        let ran = ended(desk.tierwise().args(&arguments));
        assert_eq!(ran.code, 2);
        assert!(
            error_of(&ran.stderr).contains("is not UTF-8"),
            "{}",
            ran.stderr
        );
        assert_eq!(before, desk.names(""));
    }
}

#[cfg(unix)]
#[test]
fn files_without_permission_are_named() {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt;

    let desk = Desk::with_version();
    let locked = desk.path("log.jsonl");
    std::fs::set_permissions(&locked, Permissions::from_mode(0o000)).unwrap();
    if std::fs::read(&locked).is_ok() {
        eprintln!("skipped: this user reads everything");
        return;
    }
    for arguments in [
        "log check log.jsonl",
        "train train.toml --log log.jsonl --out new",
    ] {
        let error = desk.refused(arguments);
        assert!(error.contains("log.jsonl: "), "{error}");
        assert!(error.contains("ermission denied"), "{error}");
    }
    std::fs::set_permissions(&locked, Permissions::from_mode(0o600)).unwrap();
    let run = desk.path("run");
    std::fs::set_permissions(&run, Permissions::from_mode(0o500)).unwrap();
    let error = desk.refused("evaluate --log log.jsonl --policy run --resamples 40");
    assert!(error.contains("ermission denied"), "{error}");
    std::fs::set_permissions(&run, Permissions::from_mode(0o700)).unwrap();
}

const MAPPING: &str = "rows = \"decision\"\n[conversation]\nconversation_id = \"ticket\"\nchannel = { value = \"chat\" }\n[decision]\n\
    decided_at = { from = \"asked\", unit = \"unix_seconds\" }\naction = { from = \"tier\", map = { bot = 1, person = 3 } }\n\
    answer_s = \"seconds\"\npropensity = \"p\"\npropensity_kind = { value = \"exact\" }\naction_source = { value = \"policy\" }\n";

#[test]
fn bad_cells_of_a_table_are_listed_with_line_column_and_reason() {
    let desk = Desk::new();
    desk.write("map.toml", MAPPING);
    let head = "ticket,asked,tier,seconds,p\n";
    desk.write(
        "good.csv",
        format!("{head}a,1700000000,bot,3,0.5\nb,1700000100,person,90,0.5\n"),
    );
    let imported = desk.done_json("import csv good.csv --mapping map.toml --out good.jsonl --json");
    assert_eq!(imported["written"], 2);
    for (row, column, reason) in [
        ("b,1700000100,robot,90,0.5", "tier", "unknown_value"),
        ("b,1700000100,bot,-1,0.5", "seconds", "bad_duration"),
        ("b,1700000100,bot,604801,0.5", "seconds", "bad_duration"),
        ("b,1700000100,bot,NaN,0.5", "seconds", ""),
        ("b,1700000100,bot,inf,0.5", "seconds", ""),
        ("b,1700000100,bot,soon,0.5", "seconds", "bad_duration"),
        ("b,1700000100,bot,3,0", "p", "bad_propensity"),
        ("b,1700000100,bot,3,1.01", "p", "bad_propensity"),
        ("b,never,bot,3,0.5", "asked", "bad_time"),
        ("b,,bot,3,0.5", "asked", ""),
        (",1700000100,bot,3,0.5", "ticket", ""),
        ("b,1700000100,bot", "", "broken_row"),
        ("b,1700000100,bot,3,0.5,6", "", "broken_row"),
    ] {
        desk.write("bad.csv", format!("{head}a,1700000000,bot,3,0.5\n{row}\n"));
        let error = desk.refused("import csv bad.csv --mapping map.toml --out bad.jsonl");
        assert!(
            error.contains("1 of 2 rows were rejected (50.00 %)"),
            "{row}: {error}"
        );
        assert!(!desk.path("bad.jsonl").exists());
        let rejects = desk.text("bad.jsonl.rejects.csv");
        let line = rejects.lines().nth(1).unwrap();
        assert!(line.starts_with("bad.csv,3,"), "{row}: {line}");
        assert!(
            line.contains(column) && line.contains(reason),
            "{row}: {line}"
        );
    }
}

#[test]
fn a_bad_mapping_is_named_by_line() {
    let desk = Desk::new();
    desk.write("good.csv", "ticket,asked\na,1700000000\n");
    for (text, message) in [
        ("", "map.toml"),
        (
            "rows = \"decision\"\n[conversation]\nconversation_id = \"nowhere\"\nchannel = { value = \"chat\" }\n[decision]\ndecided_at = \"asked\"\naction = \"asked\"\naction_source = { value = \"policy\" }\n",
            "nowhere",
        ),
        (
            "rows = \"decision\"\n[conversation]\nconversation_idd = \"ticket\"\n",
            "conversation_idd",
        ),
        ("rows = \"ticket\"\n", "ticket"),
        ("rows = \"decision\"\n[conversation\n", "map.toml:2"),
    ] {
        desk.write("map.toml", text);
        let error = desk.refused("import csv good.csv --mapping map.toml --out new.jsonl");
        assert!(
            error.contains("map.toml") && error.contains(message),
            "{text:?}: {error}"
        );
        assert!(!desk.path("new.jsonl").exists());
    }
}
