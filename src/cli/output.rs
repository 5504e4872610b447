//! Writing results: one JSON object, or text for people.

use std::io::{self, IsTerminal, Write};

use serde::Serialize;

use crate::failure::Failure;

/// Prints a JSON object.
pub(super) fn json<T: Serialize>(value: &T) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|e| Failure::new(format!("cannot write the result as JSON: {e}")))?;
    text_line(&text)
}

/// Prints text and a line break. A reader that has gone away (`| head`) is no error.
pub(super) fn text_line(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Err(e) if e.kind() != io::ErrorKind::BrokenPipe => Err(Failure::new(format!(
            "cannot write to standard output: {e}"
        ))),
        _ => Ok(()),
    }
}

/// Prints a notice for people beside the results, on standard error.
pub(super) fn notice(text: &str) {
    // A closed standard error leaves nobody to tell.
    let _ = writeln!(io::stderr(), "{text}");
}

/// Whether a person watches standard error.
pub(super) fn watched() -> bool {
    io::stderr().is_terminal()
}
