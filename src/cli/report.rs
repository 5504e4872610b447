//! `tierwise report`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use tierwise_reports::Language;

use super::{Done, output};
use crate::analysis::{SavedAnalysis, test_page};
use crate::failure::{Failure, failure_of};
use crate::run::{
    RunDirectory, SavedTable, centre_page, is_simulation, offline_page, read_json, table_page,
    write_page,
};

/// Draw one self-contained HTML page from run directories
#[derive(Debug, Args)]
pub(super) struct ReportArgs {
    /// Run directories; the first that holds a simulation or an evaluation gives the verdict.
    #[arg(required = true)]
    runs: Vec<PathBuf>,
    /// The page to write; default: report.html in the first run.
    #[arg(long, value_name = "FILE.html")]
    out: Option<PathBuf>,
    /// Language of the page.
    #[arg(long, value_enum, default_value_t = Lang::En)]
    lang: Lang,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Lang {
    /// English.
    En,
    /// Chinese.
    Zh,
}

impl From<Lang> for Language {
    fn from(lang: Lang) -> Self {
        match lang {
            Lang::En => Self::En,
            Lang::Zh => Self::Zh,
        }
    }
}

pub(super) fn run(args: &ReportArgs) -> Result<Done, Failure> {
    for path in &args.runs {
        super::existing(path, "run directory")?;
    }
    let runs: Vec<RunDirectory> = args
        .runs
        .iter()
        .map(|path| RunDirectory::at(path))
        .collect();
    let language = args.lang.into();
    // A run directory of `tierwise analyze` holds an analysis and no evaluation, one of a table its judgement; of the others, a simulation is the more
    // particular result: what was learned goes onto its page.
    let tested = runs[0].analysis();
    let table = runs[0].table();
    let html = if tested.exists() {
        test_page(&read_json::<SavedAnalysis>(&tested)?).render(language)
    } else if table.exists() {
        table_page(&read_json::<SavedTable>(&table)?).render(language)
    } else if runs.iter().any(is_simulation) {
        centre_page(&runs)?.render(language)
    } else {
        offline_page(&runs)?.render(language)
    }
    .map_err(|e| failure_of(&e))?;
    let out = args
        .out
        .clone()
        .unwrap_or_else(|| args.runs[0].join("report.html"));
    write_page(&out, &html)?;
    output::text_line(&format!("report: {}", out.display()))?;
    Ok(Done::Fine)
}
