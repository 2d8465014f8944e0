//! The apps' own opinion of a send, which takes time to come and may not come at all.
//!
//! As in the process, a breaker for each app decides whether it is worth asking.

use crate::plan::{Opinion, WORD_BLOCKED, WORD_MASKED};
use crate::stage::Stage;
use async_trait::async_trait;
use bytes::Bytes;
use chat::breaker::{Admission, Breaker, BreakerLimits, Ticket};
use chat::port::{Clock, FriendAnswer, FriendQuestion, Gate, GateAnswer, Question};
use chat::{AppId, Content};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How long an answer is waited for.
const DEADLINE_MS: u64 = 2_000;
/// The same while the backend is not believed to answer. Some answers take longer also when it is well.
const PROBE_DEADLINE_MS: u64 = 400;

/// As little room as makes it matter whether a ticket is lost.
pub(crate) const LIMITS: BreakerLimits =
    BreakerLimits { in_flight_max: 4, failures_max: 2, stalled_max: 2, probe_delay_ms: 1_000 };

#[derive(Debug)]
pub(crate) struct Opinions {
    stage: Arc<Stage>,
    of_app: BTreeMap<AppId, Opinion>,
    breakers: Mutex<BTreeMap<AppId, Breaker>>,
}

#[async_trait]
impl Gate for Opinions {
    async fn ask(&self, question: Question<'_>) -> GateAnswer {
        let Some((mut waiting, deadline_ms)) = self.admit(question.app) else {
            return GateAnswer::Failed;
        };
        let (delay_ms, answer) = self.think(&question);
        // A later send may well be answered before this one.
        self.stage.sleep(delay_ms.min(deadline_ms)).await;
        if delay_ms < deadline_ms {
            waiting.end(Breaker::answered);
            answer
        } else {
            waiting.end(Breaker::failed);
            GateAnswer::Failed
        }
    }

    async fn ask_friend(&self, question: FriendQuestion<'_>) -> FriendAnswer {
        panic!("nobody here does what a device does about friends: {question:?}")
    }
}

/// A question under way. A request that vanishes drops it.
#[derive(Debug)]
struct Waiting<'a> {
    opinions: &'a Opinions,
    app: AppId,
    ticket: Option<Ticket>,
}

impl Waiting<'_> {
    fn end(&mut self, end: impl FnOnce(&mut Breaker, Ticket, u64)) {
        let now_ms = self.opinions.stage.now_ms();
        let mut breakers = self.opinions.breakers();
        let breaker = breakers.get_mut(&self.app).expect("every app has a breaker");
        let was_open = breaker.is_open();
        if let Some(ticket) = self.ticket.take() {
            end(breaker, ticket, now_ms);
        }
        if breaker.is_open() && !was_open {
            self.opinions.stage.lock().counts.gate_breakers_opened += 1;
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if self.ticket.is_some() {
            self.opinions.stage.lock().counts.gate_abandoned += 1;
            self.end(|breaker, ticket, _| breaker.abandoned(ticket));
        }
    }
}

impl Opinions {
    pub(crate) fn new(stage: &Arc<Stage>, of_app: BTreeMap<AppId, Opinion>) -> Self {
        let this = Self { stage: Arc::clone(stage), of_app, breakers: Mutex::default() };
        this.begin_anew();
        this
    }

    /// A node that starts knows nothing of how the backends did.
    pub(crate) fn begin_anew(&self) {
        *self.breakers() = self.of_app.keys().map(|app| (*app, Breaker::new(LIMITS))).collect();
    }

    pub(crate) fn breakers(&self) -> MutexGuard<'_, BTreeMap<AppId, Breaker>> {
        // After an assertion failed, the trace is still wanted.
        self.breakers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The question as it waits for its answer, and for how long; `None` when it is not to be asked.
    fn admit(&self, app: AppId) -> Option<(Waiting<'_>, u64)> {
        let now_ms = self.stage.now_ms();
        let mut breakers = self.breakers();
        let breaker = breakers.get_mut(&app).expect("every app has a breaker");
        let was_open = breaker.is_open();
        let admission = breaker.admit(now_ms);
        let counts = &mut self.stage.lock().counts;
        counts.gate_breakers_opened += u64::from(breaker.is_open() && !was_open);
        let (ticket, deadline_ms) = match admission {
            Admission::Ask(ticket) => (ticket, DEADLINE_MS),
            Admission::Probe(ticket) => {
                counts.gate_probes += 1;
                (ticket, PROBE_DEADLINE_MS)
            }
            Admission::Skip => {
                counts.gate_skips += 1;
                return None;
            }
        };
        Some((Waiting { opinions: self, app, ticket: Some(ticket) }, deadline_ms))
    }

    fn think(&self, question: &Question<'_>) -> (u64, GateAnswer) {
        let opinion = self.of_app[&question.app];
        let state = &mut *self.stage.lock();
        if state.now_ms < state.gate_back_ms || state.strikes(|faults| faults.gate_failed) {
            state.counts.gate_failures += 1;
            return (DEADLINE_MS, GateAnswer::Failed);
        }
        let (chance, counts) = (&mut state.chance, &mut state.counts);
        let answer = if chance.hits(opinion.veto) {
            counts.gate_vetoes += 1;
            GateAnswer::Veto(None)
        } else if chance.hits(opinion.own_veto) {
            counts.gate_vetoes += 1;
            GateAnswer::Veto(Some((120_001, "not here".to_owned())))
        } else if chance.hits(opinion.drop) {
            counts.gate_drops += 1;
            state.dropped.insert(state.running);
            GateAnswer::Drop
        } else if chance.hits(opinion.replace) {
            counts.gate_replaces += 1;
            // What the app says instead may be filtered in its turn.
            let text = *chance.pick(&["replaced", WORD_MASKED, WORD_BLOCKED]);
            GateAnswer::Replace(rewritten(question.content, text))
        } else {
            counts.gate_passes += 1;
            GateAnswer::Pass
        };
        (chance.between(1..=DEADLINE_MS / 4), answer)
    }
}

fn rewritten(content: &Content, text: &str) -> Content {
    Content {
        body: Bytes::copy_from_slice(text.as_bytes()),
        size_bytes: text.len(),
        texts: vec![text.to_owned()],
        ..content.clone()
    }
}
