//! What a run came to: counters when it went well, and otherwise the broken promise with its seed and trace.

use crate::counts::Counts;
use std::any::Any;
use std::collections::VecDeque;
use std::fmt;

/// How many of the last happenings a failure shows.
const TRACE_LEN_MAX: usize = 60;

/// A run in which every promise held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    pub seed: u64,
    pub virtual_ms: u64,
    pub counts: Counts,
}

/// A broken promise.
#[derive(Debug, Clone)]
pub struct Failure {
    pub seed: u64,
    /// Since the beginning of the run.
    pub at_ms: u64,
    /// The checker that noticed.
    pub checker: &'static str,
    pub text: String,
    /// The last happenings, oldest first.
    pub trace: Vec<String>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "seed {} at {} ms: {}: {}", self.seed, self.at_ms, self.checker, self.text)?;
        self.trace.iter().try_for_each(|line| writeln!(f, "  {line}"))
    }
}

impl std::error::Error for Failure {}

/// What a checker returns; the world adds the seed, the time and the trace.
pub(crate) type Checked = Result<(), Broken>;

#[derive(Debug)]
pub(crate) struct Broken {
    pub(crate) checker: &'static str,
    pub(crate) text: String,
}

impl Broken {
    pub(crate) fn panicked(panic: &(dyn Any + Send)) -> Self {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        Self { checker: "no_assertion_fails", text: text.unwrap_or_default() }
    }
}

pub(crate) fn holds(promise: bool, checker: &'static str, text: impl FnOnce() -> String) -> Checked {
    if promise { Ok(()) } else { Err(Broken { checker, text: text() }) }
}

/// The last happenings.
#[derive(Debug, Default)]
pub(crate) struct Trace(VecDeque<String>);

impl Trace {
    pub(crate) fn note(&mut self, at_ms: u64, text: &str) {
        if self.0.len() == TRACE_LEN_MAX {
            self.0.pop_front();
        }
        self.0.push_back(format!("{at_ms:>8} ms  {text}"));
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.0.iter().cloned().collect()
    }
}
