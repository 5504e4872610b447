//! From a table to experiments: which format it is, and its rows checked one by one.

mod counts;
mod roles;
mod snapshots;
mod strata;
mod stream;
mod time;
mod units;

use std::path::Path;

use super::error::AnalysisError;
use tierwise_reports::TestNote;

use self::roles::{Wanted, wanted};
use super::input::{Data, Input, Loaded, Names, moved};
use super::options::AnalyzeOptions;
use super::table::{Cell, Table};

/// Names that mean the control when none is given.
const CONTROLS: [&str; 6] = ["control", "champion", "baseline", "a", "c", "0"];

/// Reads a file.
///
/// # Errors
/// [`AnalysisError`] naming file, line and column.
pub(super) fn load(path: &Path, options: &AnalyzeOptions) -> Result<Loaded, AnalysisError> {
    let table = Table::open(path)?;
    let columns = Columns::of(path, &table);
    let format = Format::of(&columns)?;
    if format == Format::Snapshots {
        if options.rule.has_roles() || !options.rule.strata.is_empty() {
            return Err(AnalysisError::Experiment {
                file: path.to_owned(),
                what: "the rule names roles or strata, and snapshots hold one metric at a time".to_owned(),
                fix: "give counts, units or a stream; or a rule without `primary`, `secondary`, `guardrail` and `strata`".to_owned(),
            });
        }
        let experiments = snapshots::load(path, table, options)?;
        return loaded(path, experiments, options);
    }
    if !options.rule.strata.is_empty() && columns.optional("stratum").is_none() {
        return Err(AnalysisError::Columns {
            file: path.to_owned(),
            what: "the rule declares strata, and the file has no column `stratum`".to_owned(),
        });
    }
    drop(table);
    let wanted = wanted(path, &columns, format, options)?;
    let mut experiments = Vec::new();
    for metric in wanted.own {
        experiments.extend(one(path, format, &metric, options)?);
    }
    let mut loaded = loaded(path, experiments, options)?;
    for (role, rule, metric) in wanted.roles {
        let others = one(path, format, &metric, options)?;
        roles::attach(path, &mut loaded.experiments, role, &rule, others)?;
    }
    Ok(loaded)
}

fn loaded(
    path: &Path,
    mut experiments: Vec<Input>,
    options: &AnalyzeOptions,
) -> Result<Loaded, AnalysisError> {
    if experiments.is_empty() {
        return Err(AnalysisError::Columns {
            file: path.to_owned(),
            what: "it holds no rows".to_owned(),
        });
    }
    for input in &mut experiments {
        put_control_first(path, input, options)?;
    }
    Ok(Loaded { experiments })
}

/// What a table holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Counts,
    Units,
    Stream,
    Snapshots,
}

impl Format {
    fn of(columns: &Columns<'_>) -> Result<Self, AnalysisError> {
        let has = |name: &str| columns.optional(name).is_some();
        if has("count_c") && has("count_t") {
            Ok(Self::Snapshots)
        } else if has("arm") && has("unit") && has("at") && has("share") {
            Ok(Self::Stream)
        } else if has("arm") && has("unit") {
            Ok(Self::Units)
        } else if has("arm") && has("units") {
            Ok(Self::Counts)
        } else {
            Err(AnalysisError::Columns {
                file: columns.path.to_owned(),
                what: format!("its columns ({}) fit no format", columns.names.join(", ")),
            })
        }
    }

    /// The column of outcomes where nobody names one.
    fn outcome(self) -> &'static str {
        if self == Self::Counts {
            "conversions"
        } else {
            "value"
        }
    }
}

/// Reads one metric.
fn one(
    path: &Path,
    format: Format,
    metric: &Wanted,
    options: &AnalyzeOptions,
) -> Result<Vec<Input>, AnalysisError> {
    let table = Table::open(path)?;
    let mut inputs = match format {
        Format::Counts => counts::load(path, table, metric, options)?,
        Format::Units => units::load(path, table, metric, options)?,
        Format::Stream => stream::load(path, table, metric, options)?,
        Format::Snapshots => Vec::new(),
    };
    for input in &mut inputs {
        input.metric.clone_from(&metric.shown);
        if !input.strata.is_empty() && options.rule.strata.is_empty() {
            let count = input.strata.len() as u64;
            input.notes.push(TestNote::StrataOfFile { count });
        }
    }
    Ok(inputs)
}

fn put_control_first(
    path: &Path,
    input: &mut Input,
    options: &AnalyzeOptions,
) -> Result<(), AnalysisError> {
    if matches!(input.data, Data::Snapshots(_)) {
        return Ok(());
    }
    let control = control(path, &input.name, &input.arms, options.control.as_deref())?;
    let places: Vec<usize> = (0..input.arms.len())
        .map(|arm| match arm {
            arm if arm == control => 0,
            arm if arm < control => arm + 1,
            arm => arm,
        })
        .collect();
    moved(&mut input.arms, &places);
    input.data.reorder(&places);
    Ok(())
}

/// Where a format finds its columns.
struct Columns<'a> {
    path: &'a Path,
    names: Vec<String>,
}

impl<'a> Columns<'a> {
    fn of(path: &'a Path, table: &Table<'_>) -> Self {
        Self {
            path,
            names: table.columns().to_vec(),
        }
    }

    fn optional(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|column| column == name)
    }

    fn required(&self, name: &str) -> Result<usize, AnalysisError> {
        self.optional(name).ok_or_else(|| AnalysisError::Columns {
            file: self.path.to_owned(),
            what: format!(
                "it has no column `{name}` (its columns: {})",
                self.names.join(", ")
            ),
        })
    }

    fn row_error(&self, line: u64, what: impl Into<String>, fix: &str) -> AnalysisError {
        AnalysisError::Row {
            file: self.path.to_owned(),
            line,
            what: what.into(),
            fix: fix.to_owned(),
        }
    }

    fn number(&self, line: u64, cells: &[Cell], place: usize) -> Result<f64, AnalysisError> {
        cells.get(place).and_then(Cell::number).ok_or_else(|| {
            let shown = cells
                .get(place)
                .map_or_else(|| "missing".to_owned(), Cell::shown);
            self.row_error(
                line,
                format!("`{}` is {shown}, where a number stands", self.names[place]),
                "write a finite number; an exposed unit without an outcome has the outcome 0",
            )
        })
    }

    fn name(&self, line: u64, cells: &[Cell], place: usize) -> Result<String, AnalysisError> {
        cells.get(place).and_then(Cell::text).ok_or_else(|| {
            self.row_error(
                line,
                format!("`{}` is empty", self.names[place]),
                "give every row its name",
            )
        })
    }

    fn whole(&self, line: u64, cells: &[Cell], place: usize) -> Result<u64, AnalysisError> {
        let number = self.number(line, cells, place)?;
        if number < 0.0 || number.fract() != 0.0 || number > 9e15 {
            return Err(self.row_error(
                line,
                format!("`{}` is {number}, where a count stands", self.names[place]),
                "counts are whole numbers from 0 up",
            ));
        }
        Ok(number as u64)
    }

    /// The experiment of a row: its own column, or the file's name.
    fn experiment(
        &self,
        line: u64,
        cells: &[Cell],
        place: Option<usize>,
    ) -> Result<String, AnalysisError> {
        match place {
            Some(place) => self.name(line, cells, place),
            None => Ok(self.path.file_name().map_or_else(
                || "experiment".to_owned(),
                |name| {
                    let name = name.to_string_lossy();
                    name.split('.').next().unwrap_or(&name).to_owned()
                },
            )),
        }
    }
}

/// The place of the control among an experiment's arms.
fn control(
    path: &Path,
    experiment: &str,
    arms: &[String],
    asked: Option<&str>,
) -> Result<usize, AnalysisError> {
    let fail = |what: String, fix: &str| {
        Err(AnalysisError::Experiment {
            file: path.to_owned(),
            what: format!("experiment `{experiment}` {what}"),
            fix: fix.to_owned(),
        })
    };
    if arms.len() < 2 {
        let only = arms.first().map_or("none", String::as_str);
        return fail(
            format!("has a single arm, `{only}`"),
            "a comparison needs a control and at least one other arm",
        );
    }
    let found = match asked {
        Some(name) => arms.iter().position(|arm| arm == name),
        None => CONTROLS
            .iter()
            .find_map(|name| arms.iter().position(|arm| arm.eq_ignore_ascii_case(name))),
    };
    match (found, asked) {
        (Some(place), _) => Ok(place),
        (None, Some(name)) => fail(
            format!("has no arm `{name}`; its arms are {}", arms.join(", ")),
            "name one of its arms with `--control`",
        ),
        (None, None) => fail(
            format!("has no control among its arms {}", arms.join(", ")),
            "say which arm is the control with `--control NAME`",
        ),
    }
}

/// Checks an outcome against declared bounds.
fn within(
    columns: &Columns<'_>,
    line: u64,
    value: f64,
    bounds: Option<(f64, f64)>,
) -> Result<(), AnalysisError> {
    match bounds {
        Some((lower, upper)) if !(lower..=upper).contains(&value) => Err(columns.row_error(
            line,
            format!("the outcome {value} lies outside the bounds {lower} to {upper}"),
            "correct the value, or declare bounds that hold for every unit with `--bounds LOWER,UPPER`",
        )),
        _ => Ok(()),
    }
}

/// An experiment without units in two arms and without notes.
fn plain(name: String, arms: Vec<String>, data: Data) -> Input {
    Input {
        name,
        metric: None,
        data,
        arms,
        conflicts: 0,
        conflict_examples: Vec::new(),
        strata: Vec::new(),
        secondary: Vec::new(),
        guardrails: Vec::new(),
        notes: Vec::new(),
    }
}
