//! Progress: a bar on a terminal, one line a stage when piped.

use indicatif::{ProgressBar, ProgressStyle};

use super::output;

/// Progress of one stage of known length.
pub(super) struct Stage {
    bar: Option<ProgressBar>,
}

impl Stage {
    /// Starts a stage of `length` units.
    pub(super) fn start(name: &str, length: u64) -> Self {
        if !output::watched() {
            output::notice(&format!("{name} …"));
            return Self { bar: None };
        }
        let bar = ProgressBar::new(length);
        let style = ProgressStyle::with_template(
            "{msg:24} {bar:32} {percent:>3} %  {elapsed} (about {eta} left)",
        )
        .expect("the template is a constant");
        bar.set_style(style);
        bar.set_message(name.to_owned());
        Self { bar: Some(bar) }
    }

    /// Adds finished units.
    pub(super) fn advance(&self, units: u64) {
        if let Some(bar) = &self.bar {
            bar.inc(units);
        }
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
