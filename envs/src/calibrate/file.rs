//! The calibrated centre as a file: every key with what it rests on beside it.

use std::fmt::Write as _;

use toml::Value;

use super::Calibration;
use super::parameter::{Parameter, Source};

/// Lists longer than this are summed up in one comment.
const LONG: usize = 12;

impl Calibration {
    /// The centre as TOML, each key under a comment with estimate, standard error, events and source.
    ///
    /// Keys without an entry in the table are defaults of the simulator that no log tells.
    #[must_use]
    pub fn to_toml(&self, name: &str, about: &[String]) -> String {
        let mut text = String::new();
        for line in about {
            push(&mut text, &format!("# {line}"));
        }
        push(&mut text, &format!("name = {}", Value::from(name)));
        let mut shop = table_of(&self.shop);
        // Load is what the policy makes of these people; the section is the other simulator's.
        shop.remove("load");
        shop.remove("logged_satisfaction");
        self.section(&mut text, "shop", &shop, false);
        self.section(&mut text, "centre", &table_of(&self.centre), false);
        text
    }

    fn section(&self, text: &mut String, path: &str, of: &toml::Table, repeated: bool) {
        let heading = if repeated {
            format!("\n[[{path}]]")
        } else {
            format!("\n[{path}]")
        };
        push(text, &heading);
        let tag = of.get("tag").and_then(Value::as_str);
        let shift = match (of.get("from"), of.get("to")) {
            (Some(from), Some(to)) => Some(format!(
                "{}-{}",
                from.as_str().unwrap_or_default(),
                to.as_str().unwrap_or_default()
            )),
            _ => None,
        };
        for (key, value) in of {
            if nested(value) {
                continue;
            }
            let full = format!("{path}.{key}");
            let mut found: Vec<&Parameter> =
                self.parameters.iter().filter(|p| p.key == full).collect();
            if let (Some(tag), true) = (tag, repeated) {
                found.retain(|p| p.cell.as_deref() == Some(tag));
            }
            if let (Some(shift), true) = (&shift, path.ends_with(".team")) {
                let weekend = of.get("days").is_some_and(|days| {
                    days.as_array()
                        .is_some_and(|days| days.iter().any(|d| d.as_str() == Some("sat")))
                });
                found.retain(|p| {
                    p.cell.as_deref().is_none_or(|cell| {
                        !cell.ends_with(|c: char| c.is_ascii_digit())
                            || (cell.ends_with(shift.as_str())
                                && (cell.starts_with("every")
                                    || cell.starts_with("sat") == weekend))
                    })
                });
            }
            for line in comments(&found) {
                push(text, &format!("# {line}"));
            }
            push(text, &format!("{key} = {value}"));
        }
        for (key, value) in of {
            let inner = format!("{path}.{key}");
            match value {
                Value::Table(table) => {
                    for line in comments(
                        &self
                            .parameters
                            .iter()
                            .filter(|p| p.key == inner)
                            .collect::<Vec<_>>(),
                    ) {
                        push(text, &format!("# {line}"));
                    }
                    self.section(text, &inner, table, false);
                }
                Value::Array(list) if nested(value) => {
                    for entry in list.iter().filter_map(Value::as_table) {
                        self.section(text, &inner, entry, true);
                    }
                }
                _ => {}
            }
        }
    }
}

fn push(text: &mut String, line: &str) {
    // Writing to a String does not fail.
    let _ = writeln!(text, "{line}");
}

fn table_of(of: &impl serde::Serialize) -> toml::Table {
    toml::Table::try_from(of).expect("every configuration struct has a TOML form")
}

fn nested(value: &Value) -> bool {
    match value {
        Value::Table(_) => true,
        Value::Array(list) => list.first().is_some_and(Value::is_table),
        _ => false,
    }
}

fn comments(of: &[&Parameter]) -> Vec<String> {
    if of.len() > LONG {
        return vec![summary(of)];
    }
    // One reason for all of a list is said once.
    if let [first, .., _] = of
        && of
            .iter()
            .all(|p| p.source == Source::Assumed && p.note == first.note)
    {
        return vec![format!(
            "assumed: {}",
            first.note.as_deref().unwrap_or("default")
        )];
    }
    of.iter()
        .map(|p| match &p.cell {
            Some(cell) => format!("{cell}: {}", p.comment()),
            None => p.comment(),
        })
        .collect()
}

fn summary(of: &[&Parameter]) -> String {
    let count = |source| of.iter().filter(|p| p.source == source).count();
    let n: u64 = of.iter().map(|p| p.n).sum();
    let largest = of
        .iter()
        .filter_map(|p| p.standard_error)
        .fold(0.0, f64::max);
    let parts: Vec<String> = [Source::Fitted, Source::Pooled, Source::Assumed]
        .into_iter()
        .filter(|source| count(*source) > 0)
        .map(|source| format!("{} {}", count(source), source.name()))
        .collect();
    format!(
        "{} numbers ± at most {}, n = {n}, {}",
        of.len(),
        super::parameter::short(largest),
        parts.join(", ")
    )
}
