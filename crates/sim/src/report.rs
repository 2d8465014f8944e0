//! What a run came to: counters when it went well, and otherwise the broken promise with its seed and trace.

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

macro_rules! counts {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// How often things happened.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        pub struct Counts {
            $($(#[$doc])* pub $name: u64,)*
        }

        impl Counts {
            pub fn named(&self) -> Vec<(&'static str, u64)> {
                vec![$((stringify!($name), self.$name),)*]
            }

            pub fn add(&mut self, other: &Self) {
                $(self.$name += other.$name;)*
            }
        }
    };
}

counts! {
    sends,
    /// Requests of senders, resends included.
    requests,
    acks,
    /// Acknowledged sends that were sent once more.
    duplicates,
    sends_given_up,
    self_sends,
    online_only,
    without_unread,
    hidden_from_sender,
    marked,
    masked,
    marks_read,
    refused_filtered,
    refused_too_long,
    refused_unknown_account,
    gate_passes,
    gate_vetoes,
    gate_drops,
    gate_replaces,
    gate_failures,
    gate_outages,
    /// Questions that were not asked, because the breaker was open or full.
    gate_skips,
    gate_probes,
    gate_breakers_opened,
    /// Questions nobody waited for any more.
    gate_abandoned,
    store_unavailable,
    store_outages,
    commits_unanswered,
    commits_slow,
    answers_lost,
    requests_refused_by_dead_node,
    requests_timed_out,
    hints,
    hints_lost,
    hints_late,
    hints_doubled,
    /// Hints that made a session read the log.
    hints_with_gap,
    entries_pushed,
    online_pushed,
    sessions_dropped,
    positions_old,
    positions_wrong,
    resyncs,
    sessions_gone,
    accounts_deleted,
    accounts_returned,
    attempts,
    accepted,
    accepted_again,
    calls_failed,
    calls_refused,
    calls_lost,
    calls_unheard,
    calls_timed_out,
    calls_to_dead_endpoint,
    settlers_died,
    settles_stale,
    settles_of_former_terms,
    breakers_opened,
    parked,
    checkpoints,
    checkpoints_repeated,
    restored_with_exceptions,
    events_trimmed,
    replays_from,
    replays_of_one,
    replays_of_parked,
    /// Replays whose operator heard of a failure, although some were carried out.
    replays_failed,
    events_replayed,
    endpoints_joined,
    clock_jumps,
    crashes,
    /// Requests under way when the node died.
    requests_vanished,
}
