//! How far work on many rows is, for whoever watches.

use super::output::say;
use indicatif::{HumanCount, ProgressBar, ProgressStyle};
use std::io;

pub(super) struct RowsBar {
    bar: ProgressBar,
}

impl RowsBar {
    /// `expected`: about so many; 0 where nobody knows. Draws nothing where nobody watches.
    pub(super) fn begin(expected: u64) -> Self {
        let (bar, template) = match expected {
            0 => (ProgressBar::no_length(), "{spinner} {msg}"),
            expected => (ProgressBar::new(expected), "{wide_bar} {percent:>3} %  {msg}  {eta} left"),
        };
        bar.set_style(ProgressStyle::with_template(template).expect("the template is well-formed"));
        Self { bar }
    }

    pub(super) fn at(&self, rows: u64) {
        // What was expected is an estimate.
        if self.bar.length().is_some_and(|length| length < rows) {
            self.bar.set_length(rows);
        }
        self.bar.set_position(rows);
        let secs = self.bar.elapsed().as_secs_f64().max(0.001);
        self.bar.set_message(format!("{} rows, {:.0}/s", HumanCount(rows), rows as f64 / secs));
    }

    /// Prints a line above the bar.
    pub(super) fn say(&self, line: &str) -> io::Result<()> {
        self.bar.suspend(|| say(line))
    }

    pub(super) fn end(self) {
        self.bar.finish_and_clear();
    }
}
