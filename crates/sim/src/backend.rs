//! The apps' backends: endpoints in changing moods, which write down every event they accept.

use crate::chance::Chance;
use crate::counts::Counts;
use crate::plan::Faults;
use chat::dispatch::{Failure, FailureKind, FailureReason, Receipt, Verdict};
use chat::{ConversationId, Event, EventId};
use std::collections::BTreeMap;

/// How long an answer is waited for.
pub(crate) const CALL_TIMEOUT_MS: u64 = 2_000;

#[derive(Debug)]
pub(crate) struct Backend {
    pub(crate) mood: Mood,
    pub(crate) accepted: BTreeMap<EventId, Accepted>,
    pub(crate) told: BTreeMap<ConversationId, Told>,
}

/// An event that was accepted once, or more often.
#[derive(Debug)]
pub(crate) struct Accepted {
    /// As it came the first time.
    pub(crate) event: Event,
    /// The latest term of its worker in which it was accepted.
    pub(crate) term: u64,
    /// The latest pass in which it was accepted.
    pub(crate) pass: u64,
}

/// What was told of a conversation in one pass over the log, in the order of the first acceptance in it.
#[derive(Debug, Default)]
pub(crate) struct Told {
    pub(crate) pass: u64,
    pub(crate) offsets: Vec<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    Well,
    /// Answers take long, some too long.
    Slow,
    /// Answers 503, or 429 with a wish for a pause.
    Failing,
    /// Answers 403: somebody set it up wrongly.
    Refusing,
    Dead,
}

/// What becomes of one call.
#[derive(Debug, Clone)]
pub(crate) struct Fate {
    /// When the endpoint has the event, if it ever gets and takes it.
    pub(crate) accepted_ms: Option<u64>,
    pub(crate) answered_ms: u64,
    pub(crate) verdict: Verdict,
}

impl Backend {
    pub(crate) fn new() -> Self {
        Self { mood: Mood::Well, accepted: BTreeMap::new(), told: BTreeMap::new() }
    }

    pub(crate) fn heal(&mut self) {
        self.mood = Mood::Well;
    }

    pub(crate) fn fate(
        &self,
        event: &Event,
        faults: &Faults,
        chance: &mut Chance,
        counts: &mut Counts,
    ) -> Fate {
        if is_disliked(event) || self.mood == Mood::Refusing {
            counts.calls_refused += 1;
            return Fate::failed(FailureKind::Lasting, "403", 5);
        }
        if self.mood == Mood::Dead {
            counts.calls_to_dead_endpoint += 1;
            return Fate::failed(PASSING, "connection refused", 1);
        }
        if self.mood == Mood::Failing || chance.hits(faults.call_failed) {
            counts.calls_failed += 1;
            let after_ms = chance.hits(300).then_some(3_000);
            return Fate::failed(FailureKind::Passing { after_ms }, "503", 20);
        }
        if chance.hits(faults.call_lost) {
            counts.calls_lost += 1;
            return Fate::failed(PASSING, "no answer", CALL_TIMEOUT_MS);
        }
        let slowest_ms = if self.mood == Mood::Slow { 4 * CALL_TIMEOUT_MS } else { 100 };
        let accepted_ms = chance.between(1..=slowest_ms);
        if chance.hits(faults.call_unheard) || accepted_ms >= CALL_TIMEOUT_MS {
            let too_slow = accepted_ms >= CALL_TIMEOUT_MS;
            counts.calls_timed_out += u64::from(too_slow);
            counts.calls_unheard += u64::from(!too_slow);
            let unheard = Fate::failed(PASSING, "no answer", CALL_TIMEOUT_MS);
            return Fate { accepted_ms: Some(accepted_ms), ..unheard };
        }
        Fate { accepted_ms: Some(accepted_ms), answered_ms: accepted_ms + 1, verdict: DONE }
    }
}

const PASSING: FailureKind = FailureKind::Passing { after_ms: None };
const DONE: Verdict = Verdict::Done(Receipt::Answered { code: 0 });

impl Fate {
    pub(crate) fn failed(kind: FailureKind, words: &str, answered_ms: u64) -> Self {
        let failure = Failure {
            reason: FailureReason::Status,
            status: 0,
            latency_ms: answered_ms,
            words: words.to_owned(),
            answer: String::new(),
        };
        let verdict = Verdict::Failed { kind, failure };
        Self { accepted_ms: None, answered_ms, verdict }
    }
}

/// Some events are refused whenever they come, also in a healed world: only parking gets past them.
fn is_disliked(event: &Event) -> bool {
    event.id.offset.is_multiple_of(37)
}
