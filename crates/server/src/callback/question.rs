//! The before-send callback: asked in line, under a deadline, never twice, and not at all while the backend is known
//! not to answer.

use super::call::{CallError, Caller, Reply};
use crate::asked::{Asked, AskedLog, AskedOutcome};
use crate::clock::Steady;
use crate::render::{self, Callback};
use crate::translate;
use arc_swap::ArcSwap;
use async_trait::async_trait;
use bytes::Bytes;
use chat::Content;
use chat::breaker::{Admission, Breaker, BreakerLimits, Ticket};
use chat::event::MessageName;
use chat::port::{Clock, Gate, GateAnswer, Question};
use hyper::StatusCode;
use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};
use protocol::RawValue;
use protocol::callback::{Answer, BeforeVerdict};
use protocol::{ErrorCode, element};
use rustc_hash::FxHashMap;
use std::borrow::Cow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::timeout;
use tokio_util::task::TaskTracker;

/// Asks the backends of all apps.
pub struct Questions {
    askers: ArcSwap<FxHashMap<u32, Arc<Asker>>>,
    asked: Arc<AskedLog>,
    clock: Arc<dyn Clock>,
    tasks: TaskTracker,
    began_ms: u64,
    number_last: AtomicU64,
}

impl std::fmt::Debug for Questions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Questions").field("asked", &self.asked).finish_non_exhaustive()
    }
}

/// Asks one backend.
struct Asker {
    caller: Caller,
    breaker: Mutex<Breaker>,
    time: Steady,
    figures: Figures,
}

/// An answer, or why there is none, and how long it took.
struct Heard {
    result: Result<Reply, CallError>,
    latency_ms: u64,
}

/// What becomes of a send, and what is written down about it.
struct Judged {
    answer: GateAnswer,
    outcome: AskedOutcome,
    words: String,
}

const UNPOISONED: &str = "nothing panics while it holds this lock";

impl Questions {
    pub fn new(asked: Arc<AskedLog>, clock: Arc<dyn Clock>, tasks: TaskTracker) -> Self {
        let began_ms = clock.now_ms();
        Self { askers: ArcSwap::default(), asked, clock, tasks, began_ms, number_last: AtomicU64::new(0) }
    }

    /// From now on asks these. What is known of a backend whose settings did not change stays known.
    pub fn replace(&self, callers: impl IntoIterator<Item = Caller>) {
        let before = self.askers.load();
        let asker = |caller: Caller| {
            let app = caller.endpoint.app.0;
            let same = before.get(&app).filter(|asker| asker.caller.endpoint == caller.endpoint);
            (app, same.cloned().unwrap_or_else(|| Arc::new(Asker::new(caller, &*self.clock))))
        };
        self.askers.store(Arc::new(callers.into_iter().map(asker).collect()));
    }

    /// Never given twice, also after a restart.
    fn id(&self) -> String {
        let number = self.number_last.fetch_add(1, Ordering::Relaxed) + 1;
        format!("ask_{:x}_{number}", self.began_ms)
    }

    fn note(&self, question: &Question<'_>, latency_ms: u64, outcome: AskedOutcome, words: String) {
        let &Question { from, to, wire_seq, random, time_s, .. } = question;
        let message = MessageName { from, to, wire_seq, random, time_s };
        let at_ms = self.clock.now_ms();
        let words = match question.operator {
            Some(operator) if words.is_empty() => format!("an edit by {operator}"),
            Some(operator) => format!("an edit by {operator}: {words}"),
            None => words,
        };
        self.asked.note(question.app, Asked { at_ms, message, outcome, latency_ms, words });
    }
}

#[async_trait]
impl Gate for Questions {
    async fn ask(&self, question: Question<'_>) -> GateAnswer {
        let Some(asker) = self.askers.load().get(&question.app.0).cloned() else { return GateAnswer::Pass };
        if !asker.caller.endpoint.wants_question(&question) {
            return GateAnswer::Pass;
        }
        let (heard, judged) = match Arc::clone(&asker).hear(&question, self).await {
            None => (None, Judged::failed(AskedOutcome::Skipped, "the backend is known not to answer")),
            Some(heard) => {
                let judged = judge(&heard.result, &question);
                (Some(heard), judged)
            }
        };
        let latency_ms = heard.map_or(0, |heard| heard.latency_ms);
        asker.figures.count(judged.outcome, latency_ms);
        if judged.outcome == AskedOutcome::Failed {
            let (sdkappid, why) = (question.app.0, &judged.words);
            tracing::warn!(sdkappid, why, "a before-send callback has no usable answer");
        }
        self.note(&question, latency_ms, judged.outcome, judged.words);
        judged.answer
    }
}

impl Asker {
    fn new(caller: Caller, clock: &dyn Clock) -> Self {
        let settings = &caller.endpoint.settings;
        let limits = BreakerLimits {
            in_flight_max: settings.question_in_flight_max,
            failures_max: settings.question_failures_max,
            stalled_max: settings.question_stalled_max,
            probe_delay_ms: settings.question_probe_delay_ms,
        };
        let figures = Figures::new(caller.endpoint.app.0);
        Self {
            breaker: Mutex::new(Breaker::new(limits)),
            time: Steady::beginning_at(clock.now_ms()),
            figures,
            caller,
        }
    }

    /// `None` when the question is not asked, or the sender does not wait for the answer.
    async fn hear(self: Arc<Self>, question: &Question<'_>, questions: &Questions) -> Option<Heard> {
        let admission = {
            let mut breaker = self.breaker.lock().expect(UNPOISONED);
            let admission = breaker.admit(self.time.now_ms());
            self.figures.show(breaker.is_open());
            admission
        };
        let (ticket, is_probe) = match admission {
            Admission::Ask(ticket) => (ticket, false),
            Admission::Probe(ticket) => (ticket, true),
            Admission::Skip => return None,
        };
        let under_way = UnderWay { asker: Arc::clone(&self), ticket: Some(ticket) };
        let callback = render::before_send(question, questions.id(), questions.clock.now_ms());
        if !is_probe {
            return Some(under_way.call(&callback).await);
        }
        // The backend has its whole time to answer, and so to show that it is back; the sender has not.
        let (answer, answered) = oneshot::channel();
        questions.tasks.spawn(async move {
            // The sender may have gone on meanwhile.
            let _gone = answer.send(under_way.call(&callback).await);
        });
        let wait = Duration::from_millis(self.caller.endpoint.settings.question_probe_wait_ms);
        match timeout(wait, answered).await {
            Ok(Ok(heard)) => Some(heard),
            Ok(Err(_)) | Err(_) => None,
        }
    }

    fn settle(&self, ticket: Ticket, is_answered: bool) {
        let mut breaker = self.breaker.lock().expect(UNPOISONED);
        let was_open = breaker.is_open();
        match is_answered {
            true => breaker.answered(ticket, self.time.now_ms()),
            false => breaker.failed(ticket, self.time.now_ms()),
        }
        let is_open = breaker.is_open();
        self.figures.show(is_open);
        drop(breaker);
        if was_open != is_open {
            let sdkappid = self.caller.endpoint.app.0;
            match is_open {
                true => tracing::warn!(
                    sdkappid,
                    "before-send callbacks are not answered: no sender waits for them"
                ),
                false => tracing::info!(sdkappid, "before-send callbacks are answered again"),
            }
        }
    }
}

/// A question that was begun. One that nobody waits for any more says nothing about the backend.
struct UnderWay {
    asker: Arc<Asker>,
    ticket: Option<Ticket>,
}

impl UnderWay {
    async fn call(mut self, callback: &Callback) -> Heard {
        let begun_ms = self.asker.time.now_ms();
        let result = self.asker.caller.call(callback).await;
        let latency_ms = self.asker.time.now_ms() - begun_ms;
        if let Some(ticket) = self.ticket.take() {
            self.asker.settle(ticket, matches!(&result, Ok(reply) if reply.status == StatusCode::OK));
        }
        Heard { result, latency_ms }
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            self.asker.breaker.lock().expect(UNPOISONED).abandoned(ticket);
        }
    }
}

impl Judged {
    fn failed(outcome: AskedOutcome, words: impl Into<String>) -> Self {
        Self { answer: GateAnswer::Failed, outcome, words: words.into() }
    }

    fn plain(answer: GateAnswer, outcome: AskedOutcome) -> Self {
        Self { answer, outcome, words: String::new() }
    }
}

fn judge(result: &Result<Reply, CallError>, question: &Question<'_>) -> Judged {
    let failed = |words: String| Judged::failed(AskedOutcome::Failed, words);
    let reply = match result {
        Ok(reply) if reply.status == StatusCode::OK => reply,
        Ok(reply) => return failed(format!("answered {}", reply.status.as_u16())),
        Err(error) => return failed(error.to_string()),
    };
    let Ok(answer) = Answer::parse(&reply.body) else {
        return failed("answered 200 without JSON".to_owned());
    };
    match answer.before_verdict() {
        BeforeVerdict::Pass { body: None, custom_data: None } => {
            Judged::plain(GateAnswer::Pass, AskedOutcome::Passed)
        }
        BeforeVerdict::Pass { body, custom_data } => {
            match replacement(&reply.body, body, custom_data, question.content) {
                Some(content) => Judged::plain(GateAnswer::Replace(content), AskedOutcome::Replaced),
                None => failed("the replaced MsgBody is not one".to_owned()),
            }
        }
        BeforeVerdict::Refuse(failure) => {
            let is_general = failure.code == ErrorCode::RefusedByCallback.number();
            let words = format!("{} {}", failure.code, failure.info);
            let own = (!is_general).then(|| (failure.code, failure.info.into_owned()));
            Judged { answer: GateAnswer::Veto(own), outcome: AskedOutcome::Vetoed, words }
        }
        BeforeVerdict::Drop => Judged::plain(GateAnswer::Drop, AskedOutcome::Dropped),
        BeforeVerdict::Unusable => failed("its ErrorCode means nothing here".to_owned()),
    }
}

/// The content with what the backend put in its place. `None` when that is no message.
fn replacement(
    answer: &Bytes,
    body: Option<&RawValue>,
    custom_data: Option<Cow<'_, str>>,
    asked: &Content,
) -> Option<Content> {
    let custom_data = custom_data.unwrap_or_else(|| Cow::Borrowed(translate::text(&asked.custom_data)));
    // Without a body of its own the answer keeps the one that was asked about.
    let (source, body) = match body {
        Some(body) => (answer, body),
        None => (
            &asked.body,
            serde_json::from_slice(&asked.body).expect("the body was inspected before it was asked"),
        ),
    };
    let inspected = element::inspect(body, &custom_data).ok()?;
    Some(translate::content(source, body, &custom_data, inspected))
}

/// The figures of one backend.
struct Figures {
    sdkappid: String,
    passed: Counter,
    latency_ms: Histogram,
    open: Gauge,
}

impl Figures {
    fn new(sdkappid: u32) -> Self {
        let sdkappid = sdkappid.to_string();
        let labels = [("sdkappid", sdkappid.clone())];
        Self {
            passed: Self::counter(&sdkappid, AskedOutcome::Passed),
            latency_ms: histogram!("couplet_callback_question_latency_ms", &labels),
            open: gauge!("couplet_callback_question_breaker_open", &labels),
            sdkappid,
        }
    }

    fn counter(sdkappid: &str, outcome: AskedOutcome) -> Counter {
        counter!("couplet_callback_questions_total", "sdkappid" => sdkappid.to_owned(), "answer" => outcome.name())
    }

    /// To be called under the breaker's lock: what is shown last must be what was last.
    fn show(&self, is_open: bool) {
        self.open.set(f64::from(u8::from(is_open)));
    }

    fn count(&self, outcome: AskedOutcome, latency_ms: u64) {
        match outcome {
            AskedOutcome::Passed => self.passed.increment(1),
            other => Self::counter(&self.sdkappid, other).increment(1),
        }
        if outcome != AskedOutcome::Skipped {
            self.latency_ms.record(latency_ms as f64);
        }
    }
}
