//! The `tierwise` command: reads arguments, runs, prints one result or one error.

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use tierwise::cli::{self, Cli, Done};

fn main() -> ExitCode {
    let done = cli::readable(std::env::args_os()).and_then(|()| cli::run(Cli::parse()));
    match done {
        Ok(Done::Fine) => ExitCode::SUCCESS,
        Ok(Done::NothingQualified) => ExitCode::from(1),
        Err(failure) => {
            // A closed standard error leaves nobody to tell.
            let _ = writeln!(std::io::stderr(), "{failure}");
            ExitCode::from(failure.exit_code)
        }
    }
}
