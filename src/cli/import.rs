//! `tierwise import`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use tierwise_envs::import::{self, CustomerKey, ImportOptions, ImportSummary, Source, star};

use super::{Done, OutputArgs, existing, output};
use crate::failure::{Failure, failure_of};

/// Turn another system's export into a conversation log
#[derive(Debug, Args)]
pub(super) struct ImportArgs {
    /// What kind of export it is.
    #[arg(value_enum)]
    source: SourceArg,
    /// Files to read (gzip is recognised); for star also its folder.
    #[arg(required_unless_present = "explain")]
    inputs: Vec<PathBuf>,
    /// The log to write: .parquet (two tables), .jsonl or .jsonl.gz.
    #[arg(long, value_name = "LOG", required_unless_present = "explain")]
    out: Option<PathBuf>,
    /// Field mapping in TOML, for jsonl and csv.
    #[arg(long, value_name = "FILE")]
    mapping: Option<PathBuf>,
    /// Where to list rejected rows (.csv or .jsonl); default: LOG.rejects.csv.
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
    /// Largest share of rows that may be rejected.
    #[arg(long, default_value_t = 0.01, value_name = "SHARE")]
    max_rejects: f64,
    /// Key of the hash that replaces customer ids; the same key links imports.
    #[arg(long, default_value = "tierwise", value_name = "TEXT")]
    customer_key: String,
    /// Print how every field is derived; alone, without importing.
    #[arg(long)]
    explain: bool,
    #[command(flatten)]
    output: OutputArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum SourceArg {
    /// The STAR corpus of service conversations.
    Star,
    /// JSON lines in the log's own shape, or with a mapping.
    Jsonl,
    /// A table with a mapping.
    Csv,
}

pub(super) fn run(args: ImportArgs) -> Result<Done, Failure> {
    let source = source(&args)?;
    let Some(out) = args.out else {
        output::text_line(&explanation(&source, None))?;
        return Ok(Done::Fine);
    };
    for input in &args.inputs {
        existing(input, "input")?;
    }
    let options = ImportOptions {
        max_rejects: args.max_rejects,
        rejects: args.rejects,
        customer_key: CustomerKey::new(&args.customer_key),
    };
    let summary = import::run(&source, &args.inputs, &out, &options).map_err(|e| failure_of(&e))?;
    if args.output.json {
        output::json(&summary)?;
    } else {
        output::text_line(&text(&summary, &out))?;
        if args.explain {
            output::text_line(&explanation(&source, Some(&summary)))?;
        }
    }
    Ok(Done::Fine)
}

fn source(args: &ImportArgs) -> Result<Source, Failure> {
    match args.source {
        SourceArg::Star => Ok(Source::Star),
        SourceArg::Jsonl => Ok(Source::Jsonl {
            mapping: args.mapping.clone(),
        }),
        SourceArg::Csv => args
            .mapping
            .clone()
            .map(|mapping| Source::Csv { mapping })
            .ok_or_else(|| {
                Failure::new("a table needs a mapping from its columns to the log's")
                    .fix("add `--mapping FILE`; configs/import-csv.toml explains every key")
            }),
    }
}

/// How every field of a source is derived.
fn explanation(source: &Source, summary: Option<&ImportSummary>) -> String {
    match source {
        Source::Star => match summary {
            None => star::explain(None),
            Some(summary) => summary
                .explained
                .iter()
                .map(|rule| format!("{:<18} {:>8} {}  {}", rule.field, rule.hits, rule.unit, rule.rule))
                .collect::<Vec<_>>()
                .join("\n"),
        },
        Source::Jsonl { mapping: None } => {
            "fields have the log's own names and units; nothing is derived".to_owned()
        }
        Source::Jsonl { .. } | Source::Csv { .. } => {
            "fields are derived as the mapping says; configs/import-csv.toml and configs/import-jsonl.toml explain its \
             keys"
            .to_owned()
        }
    }
}

fn text(summary: &ImportSummary, out: &std::path::Path) -> String {
    let mut lines = vec![format!(
        "{}: {} conversations with {} decisions written to {}",
        summary.source,
        summary.written,
        summary.decisions,
        out.display()
    )];
    if summary.merged > 0 {
        lines.push(format!(
            "  {} merged into others, counted once",
            summary.merged
        ));
    }
    if summary.rejected + summary.skipped > 0 {
        let reasons: Vec<String> = summary
            .by_reason
            .iter()
            .map(|(reason, n)| format!("{reason} {n}"))
            .collect();
        lines.push(format!(
            "  {} rejected, {} skipped of {} read ({})",
            summary.rejected,
            summary.skipped,
            summary.read,
            reasons.join(", ")
        ));
        if let Some(rejects) = &summary.rejects {
            lines.push(format!("  listed in {}", rejects.display()));
        }
    }
    lines.push(format!("  log hash {}", summary.log_hash));
    lines.join("\n")
}
