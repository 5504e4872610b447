//! Writes the sample page: `cargo run -p tierwise-reports --example gallery --
//! PATH [en|zh] [beats|not_shown|worse|simulated|refused|centre|online|table]`; a table's page also as
//! `table_keep`, `table_collect`, `table_estimated`, `table_refused`. Every number in it is invented, and the page says so.

mod centre;
mod centre_calibration;
mod centre_evidence;
mod off_policy;
mod online;
mod sample;

use std::error::Error;

use tierwise_reports::Language;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("name the file to write")?;
    let language = match arguments.next().as_deref() {
        Some("zh") => Language::Zh,
        _ => Language::En,
    };
    let html = match arguments.next().as_deref().unwrap_or("beats") {
        "centre" => centre::page(language).render(language)?,
        table if table.starts_with("table") => {
            let kind = table.trim_start_matches("table").trim_start_matches('_');
            off_policy::page(kind, language).render(language)?
        }
        kind if online::kinds().contains(&kind) => online::page(kind).render(language)?,
        "online" => online::page("promoted").render(language)?,
        verdict => sample::page(verdict, language).render(language)?,
    };
    std::fs::write(path, html)?;
    Ok(())
}
