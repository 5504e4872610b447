//! A mapping from another system's columns to the log's: TOML, checked whole when it is loaded.
//!
//! Owns the file's shape, the check of every name, unit and constant in it, and the reading of single values. How
//! rows are found and joined is left to [`super::csv`] and [`super::jsonl`]; `configs/import-csv.toml` and
//! `configs/import-jsonl.toml` show every part.

mod assemble;
mod convert;
mod targets;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;
use serde::{Deserialize, Deserializer, de};
use serde_json::Value;
use toml::Spanned;

pub(super) use self::assemble::{Cells, Draft, RowFault};
pub(super) use self::convert::Raw;
use self::convert::{Reading, Unit};
use self::targets::Kind;
use super::CustomerKey;
use super::error::ImportError;

/// What one row of the source stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Rows {
    /// A whole conversation, with at most one decision in a table.
    Conversation,
    /// One decision; rows with the same `conversation_id` make a conversation.
    Decision,
}

/// The file as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    rows: Option<Spanned<Rows>>,
    time_zone: Option<Spanned<String>>,
    delimiter: Option<Spanned<char>>,
    #[serde(default)]
    missing: Vec<String>,
    merged_into: Option<Spanned<String>>,
    conversation: Section,
    decision: Option<Section>,
    #[serde(default)]
    observation: Section,
    turn: Option<Section>,
    rating: Option<Section>,
}

type Section = BTreeMap<String, Spanned<Column>>;

/// `"name"`, or a table with `from` or `value`.
#[derive(Debug)]
struct Column(ColumnTable);

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ColumnTable {
    from: Option<String>,
    value: Option<toml::Value>,
    unit: Option<Unit>,
    map: Option<BTreeMap<String, toml::Value>>,
    default: Option<toml::Value>,
    separator: Option<String>,
}

impl<'de> Deserialize<'de> for Column {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Column;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a source column's name, or a table with `from` or `value`")
            }

            fn visit_str<E: de::Error>(self, from: &str) -> Result<Column, E> {
                Ok(Column(ColumnTable {
                    from: Some(from.to_owned()),
                    ..ColumnTable::default()
                }))
            }

            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Column, A::Error> {
                ColumnTable::deserialize(de::value::MapAccessDeserializer::new(map)).map(Column)
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

/// A column of the log with its source.
#[derive(Debug)]
pub(super) struct Field {
    /// The log's name.
    name: &'static str,
    kind: Kind,
    source: Origin,
    unit: Option<Unit>,
    separator: String,
    /// Source text → the log's text.
    map: Option<BTreeMap<String, String>>,
    default: Option<Value>,
    line: usize,
}

#[derive(Debug)]
enum Origin {
    Constant(Value),
    /// The source's column, and its number among the mapping's sources.
    From(String, usize),
}

/// Fields of a nested list, and where the list stands.
#[derive(Debug, Default)]
struct List {
    path: Option<String>,
    fields: Vec<Field>,
}

/// A checked mapping.
#[derive(Debug)]
pub(super) struct Mapping {
    path: PathBuf,
    pub(super) rows: Rows,
    pub(super) delimiter: u8,
    pub(super) merged_into: Option<String>,
    zone: Option<TimeZone>,
    missing: Vec<String>,
    conversation: Vec<Field>,
    decision: Option<List>,
    observation: Vec<Field>,
    turn: Option<List>,
    rating: Option<List>,
    sources: Vec<(String, usize)>,
    key: CustomerKey,
}

impl Mapping {
    /// Reads and checks a mapping.
    pub(super) fn load(path: &Path, key: &CustomerKey) -> Result<Self, ImportError> {
        let text = std::fs::read_to_string(path).map_err(|source| ImportError::Open {
            path: path.to_owned(),
            source,
        })?;
        Self::parse(&text, path, key)
    }

    pub(super) fn parse(text: &str, path: &Path, key: &CustomerKey) -> Result<Self, ImportError> {
        let checker = Checker { text, path };
        let file: File = toml::from_str(text).map_err(|error| {
            let line = error.span().map(|span| checker.line(span.start));
            checker.fault(line, error.message().to_owned())
        })?;
        let zone = match &file.time_zone {
            None => None,
            Some(name) => Some(TimeZone::get(name.get_ref()).map_err(|error| {
                checker.at(
                    name,
                    format!("`time_zone`: {error}; write an IANA name such as Europe/Berlin"),
                )
            })?),
        };
        let delimiter = match &file.delimiter {
            None => b',',
            Some(mark) => u8::try_from(*mark.get_ref())
                .ok()
                .filter(u8::is_ascii)
                .ok_or_else(|| checker.at(mark, "`delimiter` is one ASCII character".to_owned()))?,
        };
        let mut mapping = Self {
            path: path.to_owned(),
            rows: file.rows.map_or(Rows::Conversation, Spanned::into_inner),
            delimiter,
            merged_into: file.merged_into.map(Spanned::into_inner),
            zone,
            missing: file.missing,
            conversation: Vec::new(),
            decision: None,
            observation: Vec::new(),
            turn: None,
            rating: None,
            sources: Vec::new(),
            key: key.clone(),
        };
        let find = |list| move |name: &str| targets::find(list, name);
        mapping.conversation = checker
            .list(
                "conversation",
                file.conversation,
                false,
                &mut mapping.sources,
                find(targets::CONVERSATION),
                (mapping.zone.as_ref(), key),
            )?
            .fields;
        let nested = [
            ("decision", file.decision, targets::DECISION),
            ("turn", file.turn, targets::TURN),
            ("rating", file.rating, targets::RATING),
        ]
        .into_iter()
        .map(|(name, section, list)| {
            section
                .map(|section| {
                    checker.list(
                        name,
                        section,
                        true,
                        &mut mapping.sources,
                        find(list),
                        (mapping.zone.as_ref(), key),
                    )
                })
                .transpose()
        })
        .collect::<Result<Vec<_>, _>>()?;
        [mapping.decision, mapping.turn, mapping.rating] =
            nested.try_into().expect("three sections give three lists");
        mapping.observation = checker
            .list(
                "observation",
                file.observation,
                false,
                &mut mapping.sources,
                targets::feature,
                (mapping.zone.as_ref(), key),
            )?
            .fields;
        mapping.check_required(&checker)?;
        Ok(mapping)
    }

    fn check_required(&self, checker: &Checker<'_>) -> Result<(), ImportError> {
        let need = |fields: &[Field], section: &str, names: &[&str]| {
            match names.iter().find(|name| !fields.iter().any(|field| field.name == **name)) {
                None => Ok(()),
                Some(name) => Err(checker.fault(
                    None,
                    format!("[{section}] lacks `{name}`; name its source column, or give a constant with `value`"),
                )),
            }
        };
        need(
            &self.conversation,
            "conversation",
            &["conversation_id", "channel"],
        )?;
        for (value, about) in [
            ("rating_raw", "rating_scale"),
            ("satisfaction", "satisfaction_source"),
        ] {
            if self.conversation.iter().any(|field| field.name == value) {
                need(&self.conversation, "conversation", &[about])?;
            }
        }
        let Some(decision) = &self.decision else {
            if self.rows == Rows::Decision || !self.observation.is_empty() {
                return Err(checker.fault(
                    None,
                    "[decision] is missing; it says what was decided and when".to_owned(),
                ));
            }
            return need(&self.conversation, "conversation", &["created_at"]);
        };
        need(
            &decision.fields,
            "decision",
            &["decided_at", "action", "action_source"],
        )?;
        let has = |name| decision.fields.iter().any(|field| field.name == name);
        let probabilities = ["p_auto", "p_review", "p_human"].map(has);
        if probabilities.contains(&true) {
            need(
                &decision.fields,
                "decision",
                &["p_auto", "p_review", "p_human"],
            )?;
        }
        if has("propensity") || probabilities.contains(&true) {
            need(&decision.fields, "decision", &["propensity_kind"])?;
        }
        if let Some(turn) = &self.turn {
            need(&turn.fields, "turn", &["role"])?;
        }
        if let Some(rating) = &self.rating {
            need(&rating.fields, "rating", &["raw", "scale"])?;
        }
        Ok(())
    }

    /// The sources named, in the order of their numbers, with the line of the mapping that names them.
    pub(super) fn sources(&self) -> &[(String, usize)] {
        &self.sources
    }

    /// A fault of the mapping found later, such as a column that the table lacks.
    pub(super) fn fault(&self, line: Option<usize>, message: String) -> ImportError {
        ImportError::Mapping {
            path: self.path.clone(),
            line,
            message,
        }
    }

    /// Whether a text stands for "not known".
    pub(super) fn is_missing(&self, text: &str) -> bool {
        let text = text.trim();
        text.is_empty() || self.missing.iter().any(|missing| missing == text)
    }

    /// The first nested list in the mapping, for sources that have none.
    pub(super) fn nested(&self) -> Option<&'static str> {
        let path = |list: &Option<List>| list.as_ref().is_some_and(|list| list.path.is_some());
        match () {
            () if self.turn.is_some() => Some("[turn]"),
            () if self.rating.is_some() => Some("[rating]"),
            () if path(&self.decision) => Some("`decision.path`"),
            () => None,
        }
    }

    fn reading<'a>(&'a self, field: &'a Field) -> Reading<'a> {
        Reading {
            kind: field.kind,
            unit: field.unit,
            separator: &field.separator,
            zone: self.zone.as_ref(),
            key: &self.key,
        }
    }
}

/// Turns a section into fields, with faults that name their line.
struct Checker<'a> {
    text: &'a str,
    path: &'a Path,
}

impl Checker<'_> {
    fn line(&self, offset: usize) -> usize {
        let before = &self.text.as_bytes()[..offset.min(self.text.len())];
        before.iter().filter(|byte| **byte == b'\n').count() + 1
    }

    fn fault(&self, line: Option<usize>, message: String) -> ImportError {
        ImportError::Mapping {
            path: self.path.to_owned(),
            line,
            message,
        }
    }

    fn at<T>(&self, spanned: &Spanned<T>, message: String) -> ImportError {
        self.fault(Some(self.line(spanned.span().start)), message)
    }

    fn list(
        &self,
        section: &str,
        columns: Section,
        nested: bool,
        sources: &mut Vec<(String, usize)>,
        find: impl Fn(&str) -> Option<(&'static str, Kind)>,
        (zone, key): (Option<&TimeZone>, &CustomerKey),
    ) -> Result<List, ImportError> {
        let mut list = List::default();
        for (name, spanned) in columns {
            let line = self.line(spanned.span().start);
            let fail =
                |message: String| self.fault(Some(line), format!("`{section}.{name}`: {message}"));
            let ColumnTable {
                from,
                value,
                unit,
                map,
                default,
                separator,
            } = spanned.into_inner().0;
            if nested && name == "path" {
                list.path = from;
                continue;
            }
            let (name, kind) =
                find(&name).ok_or_else(|| fail("the log has no such column".to_owned()))?;
            if let Some(unit) = unit
                && !unit.fits(kind)
            {
                return Err(fail("this column takes no such unit".to_owned()));
            }
            let separator = separator.unwrap_or_else(|| ",".to_owned());
            if separator.is_empty() {
                return Err(fail("`separator` is empty".to_owned()));
            }
            let reading = Reading {
                kind,
                unit: None,
                separator: &separator,
                zone,
                key,
            };
            let constant = |value: &toml::Value| {
                let raw = raw_toml(value)
                    .ok_or_else(|| fail("a constant is text, a number or true/false".to_owned()))?;
                reading.read(&raw).map_err(|(_, message)| fail(message))
            };
            let source = match (from, value) {
                (Some(from), None) => {
                    sources.push((from.clone(), line));
                    Origin::From(from, sources.len() - 1)
                }
                (None, Some(value)) => Origin::Constant(constant(&value)?),
                _ => {
                    return Err(fail(
                        "give either `from` (a source column) or `value` (a constant)".to_owned(),
                    ));
                }
            };
            let default = default.as_ref().map(constant).transpose()?;
            if let Some(map) = &map {
                map.values()
                    .try_for_each(|value| constant(value).map(|_| ()))?;
            }
            let map = map.map(|map| {
                map.into_iter()
                    .filter_map(|(from, to)| Some((from, raw_toml(&to)?.text().into_owned())))
                    .collect()
            });
            list.fields.push(Field {
                name,
                kind,
                source,
                unit,
                separator,
                map,
                default,
                line,
            });
        }
        Ok(list)
    }
}

fn raw_toml(value: &toml::Value) -> Option<Raw<'_>> {
    Some(match value {
        toml::Value::String(text) => Raw::Text(text.as_str().into()),
        toml::Value::Integer(number) => Raw::Number(*number as f64),
        toml::Value::Float(number) => Raw::Number(*number),
        toml::Value::Boolean(flag) => Raw::Flag(*flag),
        toml::Value::Datetime(time) => Raw::Text(time.to_string().into()),
        toml::Value::Array(list) => Raw::Texts(
            list.iter()
                .map(|entry| entry.as_str().map(str::to_owned))
                .collect::<Option<_>>()?,
        ),
        toml::Value::Table(_) => return None,
    })
}
