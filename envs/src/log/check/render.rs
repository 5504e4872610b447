//! The check as text for a terminal of 100 columns.

use super::LogCheck;
use super::claims::{empty_cells, grouped, minute, percent};
use crate::tier::Tier;

const WIDTH: usize = 100;
const INDENT: &str = "  ";
/// Most rows of a table that a log can make long.
const MOST_ROWS: usize = 12;

/// How a column of a table stands.
#[derive(Clone, Copy, PartialEq)]
enum Align {
    Left,
    Right,
}

/// Rows of cells under a header, each column as wide as its widest cell.
fn table(header: &[(&str, Align)], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        rows.iter()
            .map(|row| row[column].chars().count())
            .chain([header[column].0.chars().count()])
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<_> = (0..header.len()).map(width).collect();
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let mut text = INDENT.to_owned();
        for ((cell, width), (_, align)) in cells.zip(&widths).zip(header) {
            match align {
                Align::Left => text.push_str(&format!("{cell:<width$}   ")),
                Align::Right => text.push_str(&format!("{cell:>width$}   ")),
            }
        }
        format!("{}\n", text.trim_end())
    };
    let mut text = line(&mut header.iter().map(|(name, _)| *name));
    let rule: Vec<_> = widths.iter().map(|width| "─".repeat(*width)).collect();
    text.push_str(&line(&mut rule.iter().map(String::as_str)));
    for row in rows {
        text.push_str(&line(&mut row.iter().map(String::as_str)));
    }
    text
}

/// Names and values, one pair a line.
fn facts(pairs: &[(&str, String)]) -> String {
    let width = pairs
        .iter()
        .map(|(name, _)| name.chars().count())
        .max()
        .unwrap_or(0);
    let mut text = String::new();
    for (name, value) in pairs {
        let lines = wrapped(value, WIDTH - INDENT.len() - width - 3);
        for (index, line) in lines.iter().enumerate() {
            let name = if index == 0 { name } else { "" };
            text.push_str(&format!("{INDENT}{name:<width$}   {line}\n"));
        }
    }
    text
}

/// Words of a text in lines of a width.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().expect("there is always a line");
        let taken = line.chars().count();
        if taken > 0 && taken + 1 + word.chars().count() > width {
            lines.push(word.to_owned());
        } else {
            if taken > 0 {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

fn section(title: &str) -> String {
    format!("\n{title}\n")
}

fn unknown(name: Option<&str>) -> String {
    name.unwrap_or("unknown").to_owned()
}

fn number(value: Option<f64>, digits: usize) -> String {
    value.map_or_else(|| "unknown".to_owned(), |value| format!("{value:.digits$}"))
}

fn count_of(part: u64, whole: u64) -> String {
    format!("{} ({})", grouped(part), percent(part, whole))
}

pub(super) fn text(check: &LogCheck) -> String {
    let mut text = format!("log {}\n", check.file);
    text.push_str(&overview(check));
    text.push_str(&labels(check));
    if check.decisions > 0 {
        text.push_str(&decisions(check));
    }
    text.push_str(&row_errors(check));
    text.push_str(&claims(check));
    text
}

fn overview(check: &LogCheck) -> String {
    let systems: Vec<_> = check
        .source_systems
        .iter()
        .map(|(name, count)| format!("{name} {}", grouped(*count)))
        .collect();
    let mut pairs = vec![
        ("conversations", grouped(check.conversations)),
        ("decisions", grouped(check.decisions)),
        (
            "turns",
            format!(
                "{}, {} with text",
                grouped(check.turns),
                grouped(check.labels.texts)
            ),
        ),
        ("source", systems.join(", ")),
        ("content hash", check.hash[..16].to_owned()),
    ];
    if let Some(span) = &check.span {
        pairs.push((
            "span (UTC)",
            format!(
                "{} to {}, {:.1} days",
                minute(span.from.to_string()),
                minute(span.to.to_string()),
                span.days
            ),
        ));
        pairs.push((
            "arrivals",
            format!(
                "on {} of {} days, in {} of 168 hours of the week",
                grouped(span.calendar_days - span.empty_days),
                grouped(span.calendar_days),
                span.hours_of_week
            ),
        ));
        if let Some(gap) = &span.longest_gap {
            pairs.push((
                "longest gap",
                format!(
                    "{:.1} h from {}, {:.1} conversations expected in it",
                    gap.seconds / 3_600.0,
                    minute(gap.from.to_string()),
                    gap.expected_arrivals
                ),
            ));
        }
    }
    facts(&pairs)
}

fn labels(check: &LogCheck) -> String {
    let labels = &check.labels;
    let all = check.conversations;
    let mut rows = vec![
        ("class", labels.class),
        ("intent", labels.intent),
        ("rating", labels.rating),
    ]
    .into_iter()
    .map(|(name, count)| vec![name.to_owned(), grouped(count), percent(count, all)])
    .collect::<Vec<_>>();
    for (source, count) in &labels.satisfaction {
        rows.push(vec![
            format!("satisfaction from {source}"),
            grouped(*count),
            percent(*count, all),
        ]);
    }
    for (name, count) in [
        ("clicks and purchases tracked", labels.outcomes_tracked),
        ("clicked", labels.clicked),
        ("converted", labels.converted),
        ("reward computable", check.rewards.computable),
    ] {
        rows.push(vec![name.to_owned(), grouped(count), percent(count, all)]);
    }
    for (reason, count) in &check.rewards.refused {
        let reason = match serde_json::to_value(reason) {
            Ok(serde_json::Value::String(name)) => name.replace('_', " "),
            _ => format!("{reason:?}"),
        };
        rows.push(vec![
            format!("  no reward: {reason}"),
            grouped(*count),
            percent(*count, all),
        ]);
    }
    let mut text = section("Labels");
    text.push_str(&table(
        &[
            ("label", Align::Left),
            ("conversations", Align::Right),
            ("share", Align::Right),
        ],
        &rows,
    ));
    text.push_str(&facts(&[
        (
            "mean reward",
            format!(
                "{} (spec {})",
                number(check.rewards.mean, 4),
                check.rewards.version
            ),
        ),
        (
            "cost of a full tier-3 contact",
            format!("{} (median)", number(check.rewards.reference_cost, 3)),
        ),
    ]));
    text
}

fn decisions(check: &LogCheck) -> String {
    let mut text = section("Decisions by class, language and tier");
    let mut rows: Vec<_> = check
        .composition
        .iter()
        .take(MOST_ROWS)
        .map(|row| {
            let total: u64 = row.by_tier.iter().sum();
            let mut cells = vec![
                unknown(row.class.map(|class| class.name())),
                unknown(row.language.as_deref()),
            ];
            cells.extend(row.by_tier.map(grouped));
            cells.push(percent(total, check.decisions));
            cells
        })
        .collect();
    if check.composition.len() > MOST_ROWS {
        let rest = &check.composition[MOST_ROWS..];
        let mut by_tier = [0; 3];
        for row in rest {
            for (sum, count) in by_tier.iter_mut().zip(row.by_tier) {
                *sum += count;
            }
        }
        let mut cells = vec![format!("{} more", rest.len()), String::new()];
        cells.extend(by_tier.map(grouped));
        cells.push(percent(by_tier.iter().sum(), check.decisions));
        rows.push(cells);
    }
    text.push_str(&table(
        &[
            ("class", Align::Left),
            ("language", Align::Left),
            ("auto", Align::Right),
            ("review", Align::Right),
            ("human", Align::Right),
            ("share", Align::Right),
        ],
        &rows,
    ));
    text.push_str(&section(
        "Overlap: actions by class and tier, with the smallest propensity",
    ));
    let rows: Vec<_> = check
        .overlap
        .iter()
        .map(|row| {
            let mut cells = vec![unknown(row.class.map(|class| class.name()))];
            for tier in Tier::ALL {
                let cell = row.tiers[tier.index()];
                cells.push(if cell.count == 0 {
                    "–".to_owned()
                } else {
                    grouped(cell.count)
                });
                cells.push(format!("{:.1} %", 100.0 * cell.share));
                cells.push(
                    cell.min_propensity
                        .map_or_else(|| "–".to_owned(), |p| format!("{p:.4}")),
                );
            }
            cells
        })
        .collect();
    text.push_str(&table(
        &[
            ("class", Align::Left),
            ("auto", Align::Right),
            ("share", Align::Right),
            ("min p", Align::Right),
            ("review", Align::Right),
            ("share", Align::Right),
            ("min p", Align::Right),
            ("human", Align::Right),
            ("share", Align::Right),
            ("min p", Align::Right),
        ],
        &rows,
    ));
    let p = &check.propensities;
    let actions = check.actions();
    let sources: Vec<_> = check
        .action_sources
        .iter()
        .map(|(source, count)| format!("{source} {}", grouped(*count)))
        .collect();
    let empty = empty_cells(check);
    let mut pairs = vec![
        (
            "never tried",
            if empty.is_empty() {
                "nothing".to_owned()
            } else {
                empty.join(", ")
            },
        ),
        ("chosen by", sources.join(", ")),
        (
            "propensities",
            format!(
                "exact {}, estimated {}, absent {}",
                count_of(p.exact, actions),
                count_of(p.estimated, actions),
                count_of(p.absent, actions)
            ),
        ),
    ];
    if let (Some(min), Some(weight)) = (p.min, p.max_weight) {
        pairs.push((
            "smallest propensity",
            format!("{min:.4}: a policy certain of that action would get weight {weight:.1}"),
        ));
    }
    pairs.push(("missing features", missing(check)));
    text.push('\n');
    text.push_str(&facts(&pairs));
    text
}

/// Features by how often they are missing: always, sometimes with the share.
fn missing(check: &LogCheck) -> String {
    let always: Vec<_> = check
        .missing_features
        .iter()
        .filter(|missing| missing.share >= 1.0)
        .map(|missing| missing.feature)
        .collect();
    let sometimes: Vec<_> = check
        .missing_features
        .iter()
        .filter(|missing| missing.share < 1.0)
        .map(|missing| format!("{} {:.1} %", missing.feature, 100.0 * missing.share))
        .collect();
    match (always.is_empty(), sometimes.is_empty()) {
        (true, true) => "none".to_owned(),
        (true, false) => sometimes.join(", "),
        (false, true) => format!("always: {}", always.join(", ")),
        (false, false) => format!("{}; always: {}", sometimes.join(", "), always.join(", ")),
    }
}

fn row_errors(check: &LogCheck) -> String {
    if check.row_errors.is_empty() {
        return String::new();
    }
    let rows: Vec<_> = check
        .row_errors
        .iter()
        .take(MOST_ROWS)
        .map(|errors| {
            vec![
                errors.kind.name().to_owned(),
                errors.column.clone(),
                grouped(errors.count),
            ]
        })
        .collect();
    let mut text = section("Broken rows, left out");
    text.push_str(&table(
        &[
            ("fault", Align::Left),
            ("column", Align::Left),
            ("rows", Align::Right),
        ],
        &rows,
    ));
    for errors in check.row_errors.iter().take(3) {
        text.push_str(&facts(&[("e.g.", errors.example.clone())]));
    }
    text
}

fn claims(check: &LogCheck) -> String {
    let mut text = section("What may be claimed");
    for claim in &check.claims {
        let mark = if claim.allowed { "yes" } else { "no " };
        text.push_str(&format!("{INDENT}{mark}   {}\n", claim.statement));
        for line in wrapped(&claim.because, WIDTH - 8) {
            text.push_str(&format!("{INDENT}      {line}\n"));
        }
    }
    text
}
