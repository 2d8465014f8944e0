//! How far the import is, for whoever watches.

use super::chunk::Tally;
use indicatif::{ProgressBar, ProgressStyle};

pub(super) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// Draws nothing where nobody watches.
    pub(super) fn begin(offset: u64, len: u64) -> Self {
        let bar = ProgressBar::new(len).with_position(offset);
        let style = ProgressStyle::with_template(
            "{wide_bar} {percent:>3} %  {bytes} of {total_bytes}  {msg}  {eta} left",
        );
        bar.set_style(style.expect("the template is well-formed"));
        // The rate is that of this run.
        bar.reset_eta();
        Self { bar }
    }

    pub(super) fn advance(&self, bytes: u64, tally: &Tally) {
        self.bar.inc(bytes);
        let done = tally.accounts + tally.messages + tally.duplicates + tally.skipped;
        let secs = self.bar.elapsed().as_secs_f64().max(0.001);
        let rejected = match tally.rejected {
            0 => String::new(),
            rejected => format!(", {rejected} rejected"),
        };
        self.bar.set_message(format!("{done} lines{rejected}, {:.0}/s", done as f64 / secs));
    }

    pub(super) fn end(self) {
        self.bar.finish_and_clear();
    }
}
