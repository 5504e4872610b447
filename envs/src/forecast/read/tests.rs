use std::io::Write;

use super::*;

fn read(text: &str, reading: &Reading) -> Result<SeriesFile, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("counts.csv");
    std::fs::write(&path, text).unwrap();
    read_series(&path, reading).map_err(|error| {
        let place = folder.path().display().to_string();
        error.to_string().replace(&format!("{place}/"), "")
    })
}

fn plain(text: &str) -> Result<SeriesFile, String> {
    read(text, &Reading::default())
}

fn filled(text: &str, fill: Fill) -> SeriesFile {
    let reading = Reading {
        fill: Some(fill),
        ..Reading::default()
    };
    read(text, &reading).unwrap()
}

#[test]
fn half_hours_are_summed_and_broken_hours_left_out() {
    let file = plain(
        "when,calls\n2026-03-01 08:30,100\n2026-03-01 09:00,1\n2026-03-01 09:30,2\n2026-03-01 10:00,3\n\
         2026-03-01 10:30,4\n2026-03-01 11:00,100\n",
    )
    .unwrap();
    assert_eq!(file.series.counts(), [3.0, 7.0]);
    assert_eq!(file.series.start_of(0), "2026-03-01T09:00:00");
    assert_eq!((file.step_s, file.rows, file.trimmed), (1800, 6, 2));
}

#[test]
fn five_minutes_off_the_hour_are_summed_by_the_hour_they_start_in() {
    let mut text = "timestamp,value\n".to_owned();
    // 21:42:53, every five minutes: the hour 22 has the twelve rows 22:02:53 … 22:57:53.
    for row in 0..20 {
        let second = 21 * 3600 + 42 * 60 + 53 + row * 300;
        let (h, m, s) = (second / 3600, second % 3600 / 60, second % 60);
        text.push_str(&format!("2015-02-26 {h:02}:{m:02}:{s:02},{row}\n"));
    }
    let file = plain(&text).unwrap();
    // Rows 4 … 15: 12 · 9.5.
    assert_eq!(file.series.counts(), [114.0]);
    assert_eq!((file.step_s, file.trimmed), (300, 8));
}

#[test]
fn times_are_read_on_their_clock() {
    for (first, second, start) in [
        (
            "2026-03-01T09:00:00Z",
            "2026-03-01T10:00:00Z",
            "2026-03-01T09:00:00Z",
        ),
        // Offsets are converted to UTC, so clocks that are set back leave no gap and no duplicate.
        (
            "2026-10-25T02:00:00+02:00",
            "2026-10-25T02:00:00+01:00",
            "2026-10-25T00:00:00Z",
        ),
        (
            "2026-03-01 09:00:00",
            "2026-03-01T10:00",
            "2026-03-01T09:00:00",
        ),
        ("1772355600", "1772359200", "2026-03-01T09:00:00Z"),
        ("1772355600000", "1772359200000", "2026-03-01T09:00:00Z"),
        ("7", "8", "7"),
    ] {
        let file = plain(&format!("t,n\n{first},1\n{second},2\n")).unwrap();
        assert_eq!(file.series.counts(), [1.0, 2.0], "{first}");
        assert_eq!(file.series.start_of(0), start);
    }
}

#[test]
fn columns_are_named_and_separators_found() {
    let reading = Reading {
        columns: Columns {
            time: Some("at".to_owned()),
            value: Some("n".to_owned()),
        },
        ..Reading::default()
    };
    for text in [
        "\u{feff}id,n,at\r\nx,1,0\r\ny,2.5,1\r\n",
        "id;n;at\nx;1;0\ny;2.5;1\n",
        "id\tn\tat\nx\t 1 \t0\ny\t2.5\t1\n",
    ] {
        assert_eq!(read(text, &reading).unwrap().series.counts(), [1.0, 2.5]);
    }
    let error = read("id,count,at\nx,1,0\n", &reading).unwrap_err();
    assert!(
        error.starts_with("counts.csv: no column `n`\n  the header has `id`, `count`, `at`"),
        "{error}"
    );
    let error = plain("only\n1\n").unwrap_err();
    assert!(
        error.starts_with("counts.csv: no column `count`"),
        "{error}"
    );
    let error = plain("").unwrap_err();
    assert!(error.contains("the file is empty"), "{error}");
    let error = plain("2026-03-01,1\n2026-03-02,1\n").unwrap_err();
    assert!(
        error.starts_with("counts.csv:1: the first line holds data"),
        "{error}"
    );
}

#[test]
fn gzip_is_recognised_and_a_broken_one_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("counts.csv.gz");
    let mut zip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    zip.write_all(b"t,n\n0,1\n1,2\n").unwrap();
    let bytes = zip.finish().unwrap();
    std::fs::write(&path, &bytes).unwrap();
    let file = read_series(&path, &Reading::default()).unwrap();
    assert_eq!(file.series.counts(), [1.0, 2.0]);
    std::fs::write(&path, &bytes[..bytes.len() - 9]).unwrap();
    let error = read_series(&path, &Reading::default()).unwrap_err();
    assert!(matches!(error, SeriesError::BrokenOff { .. }), "{error}");
    let error = read_series(&folder.path().join("none.csv"), &Reading::default()).unwrap_err();
    assert!(
        error.to_string().ends_with("no such file or folder"),
        "{error}"
    );
}

#[test]
fn gaps_are_told_and_filled_only_when_asked() {
    // Half-hours; 01:30 has no row and 02:00 no count.
    let text = "t,n\n2026-03-01 00:00,1\n2026-03-01 00:30,2\n2026-03-01 01:00,4\n2026-03-01 02:00,\n\
                2026-03-01 02:30,10\n2026-03-01 03:00,1\n2026-03-01 03:30,1\n";
    let error = plain(text).unwrap_err();
    assert!(
        error.starts_with(
            "counts.csv: 2 counts missing in 1 gap; nothing was computed\n  \
             line 4: 2 counts missing after 2026-03-01T01:00:00\n  fix: `--fill zero`"
        ),
        "{error}"
    );
    let zero = filled(text, Fill::Zero);
    assert_eq!(zero.series.counts(), [3.0, 4.0, 10.0, 2.0]);
    assert_eq!((zero.gaps, zero.filled), (1, 2));
    assert_eq!(zero.series.drawn_hours(), 0);
    // Between 4 and 10: 6 at 01:30 and 8 at 02:00.
    let line = filled(text, Fill::Interpolate);
    assert_eq!(line.series.counts(), [3.0, 10.0, 18.0, 2.0]);
    let counted: Vec<bool> = (0..4).map(|hour| line.series.is_counted(hour)).collect();
    assert_eq!(counted, [true, false, false, true]);
}

#[test]
fn every_bad_row_is_named_by_line() {
    let error = plain(
        "t,n\n2026-03-01 00:00,1\n2026-03-01 01:00,-2\nyesterday,3\n2026-03-01 00:00,4\n\
         2026-02-28 23:00,5\n2026-03-01T02:00:00Z,6\n2026-03-01 03:00,many\n2026-03-01 04:00\n\
         2026-03-01 05:00,inf\n2026-03-01 06:00,1\n",
    )
    .unwrap_err();
    let lines: Vec<&str> = error.lines().collect();
    assert_eq!(
        lines[..9],
        [
            "counts.csv: 8 of 10 rows cannot be used; nothing was computed",
            "  line 3: -2 is below 0",
            "  line 4: `yesterday` is no time",
            "  line 5: 2026-03-01T00:00:00 stands on line 2 already",
            "  line 6: 2026-02-28T23:00:00 comes after 2026-03-01T00:00:00 of line 2",
            "  line 7: `2026-03-01T02:00:00Z` is a time with a zone, and a time without a zone before it",
            "  line 8: `many` is no count",
            "  line 9: only 1 cell",
            "  line 10: `inf` is no count",
        ]
    );
    assert!(lines[9].starts_with("  fix: a count is 0 or more"));
    let many: String = (0..20).map(|hour| format!("{hour},x\n")).collect();
    let error = plain(&format!("t,n\n{many}")).unwrap_err();
    assert!(error.contains("\n  and 12 more\n"), "{error}");
}

#[test]
fn steps_that_make_no_hours_are_refused() {
    for (text, message) in [
        (
            "t,n\n2026-03-01,1\n2026-03-02,1\n",
            "rows are 86400 s apart",
        ),
        (
            "t,n\n2026-03-01 00:00,1\n2026-03-01 00:07,1\n2026-03-01 00:14,2\n",
            "rows are 420 s apart",
        ),
        ("t,n\n5,1\n", "1 row with a count"),
        ("t,n\n5,\n6,\n", "0 rows with a count"),
        (
            "t,n\n2026-03-01 00:00,1\n2026-03-01 00:30,1\n2026-03-01 00:45,1\n2026-03-01 01:15,1\n2026-03-01 01:45,1\n",
            "line 4: 2026-03-01T00:45:00 is not a multiple of 1800 s after 2026-03-01T00:00:00 of line 2",
        ),
        (
            "t,n\n2026-03-01 00:00,1\n2036-03-02 00:00,1\n2036-03-02 01:00,1\n2036-03-02 02:00,1\n",
            "from 2026-03-01T00:00:00 to 2036-03-02T02:00:00 it is more than 10 years",
        ),
        (
            "t,n\n2026-03-01 00:30,1\n2026-03-01 01:00,1\n",
            "no hour is covered",
        ),
    ] {
        let error = plain(text).unwrap_err();
        assert!(error.contains(message), "{error}");
    }
    let reading = Reading {
        step_s: Some(900),
        fill: Some(Fill::Zero),
        ..Reading::default()
    };
    // A named step makes the rows in between missing ones.
    let text = "t,n\n2026-03-01 00:00,1\n2026-03-01 00:30,1\n2026-03-01 01:45,1\n";
    let file = read(text, &reading).unwrap();
    assert_eq!(file.series.counts(), [2.0, 1.0]);
    assert_eq!(file.filled, 5);
}
