//! `tierwise report`.

use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use tierwise_reports::{Language, OnlinePage};

use super::wall_clock::WallClock;
use super::{Done, output};
use crate::analysis::{SavedAnalysis, test_page};
use crate::failure::{Failure, failure_of};
use crate::router::clock::Clock;
use crate::router::judge::{load, parse};
use crate::router::page::online_page;
use crate::router::standing::Standing;
use crate::run::{
    RunDirectory, SavedTable, centre_page, is_simulation, offline_page, read_json, table_page,
    write_page,
};
use crate::store::{self, Store};

/// Draw one self-contained HTML page from run directories, or from a live experiment
#[derive(Debug, Args)]
pub(super) struct ReportArgs {
    /// Run directories; the first that holds a simulation or an evaluation gives the verdict.
    #[arg(required_unless_present = "experiment", conflicts_with = "experiment")]
    runs: Vec<PathBuf>,
    /// Draw a live experiment of a store instead: its key.
    #[arg(long, value_name = "KEY", requires = "out")]
    experiment: Option<String>,
    /// The store that holds the experiment.
    #[arg(
        long,
        value_name = "URL",
        default_value = "sqlite:tierwise.db",
        requires = "experiment"
    )]
    store: String,
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
    if let (Some(key), Some(out)) = (&args.experiment, &args.out) {
        let page = live_page(&args.store, key, WallClock::new().now_us())?;
        let html = page.render(args.lang.into()).map_err(|e| failure_of(&e))?;
        write_page(out, &html)?;
        output::text_line(&format!("report: {}", out.display()))?;
        return Ok(Done::Fine);
    }
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

/// The page of an experiment from its store, without a router, at `now_us` or when it was last heard of, if that is later.
pub(super) fn live_page(url: &str, key: &str, now_us: i64) -> Result<OnlinePage, Failure> {
    super::block_on(async {
        let store = store::open_existing(url)
            .await
            .map_err(|e| failure_of(&e))?;
        let found = page_values(&*store, key, now_us).await;
        store.close().await;
        found
    })?
}

async fn page_values(store: &dyn Store, key: &str, now_us: i64) -> Result<OnlinePage, Failure> {
    let Some(row) = store.experiment(key).await.map_err(|e| failure_of(&e))? else {
        let rows = store.experiments().await.map_err(|e| failure_of(&e))?;
        let keys: Vec<String> = rows.iter().map(|row| format!("`{}`", row.key)).collect();
        let known = if keys.is_empty() {
            "it holds none".to_owned()
        } else {
            format!("it holds {}", keys.join(", "))
        };
        return Err(
            Failure::new(format!("{}: no experiment is called `{key}`", store.url())).detail(known),
        );
    };
    let experiment = Arc::new(parse(&row).map_err(|e| failure_of(&e))?);
    let ledger = load(store, &experiment).await.map_err(|e| failure_of(&e))?;
    let history = store.history(key).await.map_err(|e| failure_of(&e))?;
    let policies = store.policies().await.map_err(|e| failure_of(&e))?;
    let versions: Vec<Option<String>> = experiment
        .definition
        .arms
        .iter()
        .map(|arm| {
            let named = policies.iter().rev().find(|one| one.name == arm.policy);
            let hashed = policies
                .iter()
                .find(|one| one.hash.starts_with(&arm.policy));
            hashed.or(named).map(|one| one.hash[..12].to_owned())
        })
        .collect();
    // A router whose clock ran faster, or followed its traffic, wrote times that this one does not know.
    let newest = history.last().map_or(0, |row| row.entry.at_us);
    let minute = ledger.arrivals.keys().next_back().copied().unwrap_or(0);
    let at_us = now_us.max(newest).max((minute + 1) * 60_000_000);
    let standing = Standing::new(&row, experiment, &ledger, at_us);
    Ok(online_page(&standing, &history, &versions))
}
