//! The same table as CSV, compressed CSV and Parquet.

use std::fmt::Write as _;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use ::parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int64Type};
use ::parquet::file::properties::WriterProperties;
use ::parquet::file::writer::SerializedFileWriter;
use ::parquet::schema::parser::parse_message_type;

use super::*;

const SCHEMA: &str = "message table {
  REQUIRED INT64 action; REQUIRED DOUBLE propensity; REQUIRED DOUBLE reward;
  REQUIRED DOUBLE pi0; REQUIRED DOUBLE pi1; OPTIONAL DOUBLE q0; REQUIRED DOUBLE q1;
  OPTIONAL BYTE_ARRAY state (UTF8);
}";

/// Columns of a small table; `q0` is missing in every third row.
struct Columns {
    action: Vec<i64>,
    doubles: [Vec<f64>; 5],
    q0: Vec<Option<f64>>,
    state: Vec<String>,
}

fn columns(n: usize) -> Columns {
    let share = |i: usize, k: usize| ((i * k) % 97) as f64 / 97.0;
    Columns {
        action: (0..n).map(|i| (i % 2) as i64).collect(),
        doubles: [
            (0..n).map(|i| 0.1 + 0.9 * share(i, 31)).collect(),
            (0..n).map(|i| share(i, 17) - 0.5).collect(),
            (0..n).map(|i| share(i, 7)).collect(),
            (0..n).map(|i| 1.0 - share(i, 7)).collect(),
            (0..n).map(|i| share(i, 3)).collect(),
        ],
        q0: (0..n).map(|i| (i % 3 > 0).then(|| share(i, 5))).collect(),
        state: (0..n).map(|i| format!("s{}", i % 5)).collect(),
    }
}

fn write_csv(path: &Path, c: &Columns) {
    let mut text = "action,propensity,reward,pi0,pi1,q0,q1,state\n".to_owned();
    for i in 0..c.action.len() {
        let d = |k: usize| c.doubles[k][i];
        let q0 = c.q0[i].map_or(String::new(), |q| q.to_string());
        writeln!(
            text,
            "{},{},{},{},{},{q0},{},{}",
            c.action[i],
            d(0),
            d(1),
            d(2),
            d(3),
            d(4),
            c.state[i]
        )
        .unwrap();
    }
    std::fs::write(path, &text).unwrap();
    let packed = File::create(path.with_extension("gz")).unwrap();
    let mut gz = flate2::write::GzEncoder::new(packed, flate2::Compression::fast());
    gz.write_all(text.as_bytes()).unwrap();
    gz.finish().unwrap();
}

fn write_parquet(path: &Path, c: &Columns, rows_in_group: usize) {
    let schema = Arc::new(parse_message_type(SCHEMA).unwrap());
    let properties = Arc::new(WriterProperties::builder().build());
    let file = File::create(path).unwrap();
    let mut writer = SerializedFileWriter::new(file, schema, properties).unwrap();
    let n = c.action.len();
    for from in (0..n).step_by(rows_in_group) {
        let to = (from + rows_in_group).min(n);
        let mut group = writer.next_row_group().unwrap();
        let mut at = 0;
        while let Some(mut column) = group.next_column().unwrap() {
            match at {
                0 => {
                    let column = column.typed::<Int64Type>();
                    column.write_batch(&c.action[from..to], None, None).unwrap();
                }
                5 => {
                    let part = &c.q0[from..to];
                    let values: Vec<f64> = part.iter().flatten().copied().collect();
                    let levels: Vec<i16> = part.iter().map(|q| i16::from(q.is_some())).collect();
                    let column = column.typed::<DoubleType>();
                    column.write_batch(&values, Some(&levels), None).unwrap();
                }
                7 => {
                    let texts = c.state[from..to].iter();
                    let values: Vec<ByteArray> = texts.map(|s| s.as_str().into()).collect();
                    let column = column.typed::<ByteArrayType>();
                    let levels = vec![1; values.len()];
                    column.write_batch(&values, Some(&levels), None).unwrap();
                }
                _ => {
                    let from_column = &c.doubles[if at == 6 { 4 } else { at - 1 }];
                    let column = column.typed::<DoubleType>();
                    column
                        .write_batch(&from_column[from..to], None, None)
                        .unwrap();
                }
            }
            column.close().unwrap();
            at += 1;
        }
        group.close().unwrap();
    }
    writer.close().unwrap();
}

fn all(path: &Path) -> Rows {
    let wanted = Wanted {
        model: true,
        states: true,
        ..Wanted::default()
    };
    let mut all = Rows::default();
    Table::open(path)
        .unwrap()
        .scan(
            wanted,
            |rows| rows,
            |mut rows| {
                all.action.append(&mut rows.action);
                all.propensity.append(&mut rows.propensity);
                all.reward.append(&mut rows.reward);
                all.target.append(&mut rows.target);
                all.model.append(&mut rows.model);
                all.state.append(&mut rows.state);
                Ok(())
            },
        )
        .unwrap();
    all
}

#[test]
fn a_table_reads_the_same_in_every_format() {
    let folder = tempfile::tempdir().unwrap();
    let n = 20_000;
    let c = columns(n);
    let csv = folder.path().join("t.csv");
    write_csv(&csv, &c);
    let expected = all(&csv);
    assert_eq!(expected.action.len(), n);
    assert_eq!(
        expected.model.iter().filter(|q| q.is_nan()).count(),
        n.div_ceil(3)
    );
    // One row group larger than a batch, and many smaller.
    for rows_in_group in [n, 777] {
        let path = folder.path().join(format!("{rows_in_group}.parquet"));
        write_parquet(&path, &c, rows_in_group);
        same(&all(&path), &expected);
    }
    same(&all(&csv.with_extension("gz")), &expected);
}

fn same(have: &Rows, want: &Rows) {
    assert_eq!(have.action, want.action);
    assert_eq!(have.propensity, want.propensity);
    assert_eq!(have.reward, want.reward);
    assert_eq!(have.target, want.target);
    assert_eq!(have.state, want.state);
    let bits = |rows: &Rows| rows.model.iter().map(|q| q.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(have), bits(want));
}

#[test]
fn damaged_parquet_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.parquet");
    write_parquet(&path, &columns(100), 100);
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    let error = Table::open(&path).unwrap_err().to_string();
    assert!(error.contains("cannot be read as Parquet"), "{error}");
    let error = Table::open(folder.path()).unwrap_err().to_string();
    assert!(error.contains("it is a directory"), "{error}");
}
