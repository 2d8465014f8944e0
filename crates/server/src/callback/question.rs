//! The questions to a backend, before a send and before friends are added: asked in line, under a deadline, never
//! twice, and not at all while the backend is known not to answer.

use super::call::Caller;
use crate::asked::{About, Asked, AskedLog, AskedOutcome};
use crate::clock::Steady;
use crate::outgoing::{CallError, Reply};
use crate::render::{self, Callback};
use crate::translate;
use arc_swap::ArcSwap;
use async_trait::async_trait;
use bytes::Bytes;
use chat::breaker::{Admission, Breaker, BreakerLimits, Ticket};
use chat::event::MessageName;
use chat::port::{Clock, FriendAnswer, FriendQuestion, Gate, GateAnswer, Question};
use chat::{AppId, Content, UserId};
use hyper::StatusCode;
use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};
use protocol::RawValue;
use protocol::callback::{Answer, BeforeVerdict, FriendVerdicts};
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

/// What an answer means, and what is written down about it.
struct Judged<A> {
    /// `None`: there is none that could be used.
    answer: Option<A>,
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

    fn asker(&self, app: AppId) -> Option<Arc<Asker>> {
        self.askers.load().get(&app.0).cloned()
    }

    /// Asks, unless it is of no use, and keeps what came of it.
    async fn ask_backend<A>(
        &self,
        asker: Arc<Asker>,
        about: About,
        render: impl FnOnce(String, u64) -> Callback,
        judge: impl FnOnce(&Reply) -> Judged<A>,
    ) -> Option<A> {
        let (latency_ms, judged) = match Arc::clone(&asker).hear(render, self).await {
            None => (0, Judged::failed(AskedOutcome::Skipped, "the backend is known not to answer")),
            Some(Heard { result, latency_ms }) => (latency_ms, judge_heard(&result, judge)),
        };
        let Judged { answer, outcome, words } = judged;
        asker.figures.count(outcome, latency_ms);
        let app = asker.caller.endpoint.app;
        if outcome == AskedOutcome::Failed {
            let (sdkappid, question, why) = (app.0, about.question().as_str(), &words);
            tracing::warn!(sdkappid, question, why, "a question to the backend has no usable answer");
        }
        let at_ms = self.clock.now_ms();
        self.asked.note(app, Asked { at_ms, about, outcome, latency_ms, words });
        answer
    }
}

#[async_trait]
impl Gate for Questions {
    async fn ask(&self, question: Question<'_>) -> GateAnswer {
        let asker = self.asker(question.app).filter(|asker| asker.caller.endpoint.wants_question(&question));
        let Some(asker) = asker else { return GateAnswer::Pass };
        let Question { from, to, wire_seq, random, time_s, .. } = question;
        let message = MessageName { from, to, wire_seq, random, time_s };
        let about = match question.operator {
            None => About::Send(message),
            Some(operator) => About::Edit { message, operator },
        };
        let render = |id, now_ms| render::before_send(&question, id, now_ms);
        self.ask_backend(asker, about, render, |reply| judge_send(reply, &question))
            .await
            .unwrap_or(GateAnswer::Failed)
    }

    async fn ask_friend(&self, question: FriendQuestion<'_>) -> FriendAnswer {
        let asker =
            self.asker(question.app).filter(|asker| asker.caller.endpoint.wants_friend_question(&question));
        let Some(asker) = asker else { return FriendAnswer::Pass };
        let FriendQuestion { from, to, step, .. } = question;
        let about = About::Friend { question: render::friend_command(&step), from, to };
        let render = |id, now_ms| render::friend_question(&question, id, now_ms);
        self.ask_backend(asker, about, render, |reply| judge_friend(reply, &to))
            .await
            .unwrap_or(FriendAnswer::Failed)
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

    /// `None` when the question is not asked, or whoever causes it does not wait for the answer.
    async fn hear(
        self: Arc<Self>,
        render: impl FnOnce(String, u64) -> Callback,
        questions: &Questions,
    ) -> Option<Heard> {
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
        let callback = render(questions.id(), questions.clock.now_ms());
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
                    "questions to the backend are not answered: nobody waits for them"
                ),
                false => tracing::info!(sdkappid, "questions to the backend are answered again"),
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

impl<A> Judged<A> {
    fn plain(answer: A, outcome: AskedOutcome) -> Self {
        Self { answer: Some(answer), outcome, words: String::new() }
    }

    fn failed(outcome: AskedOutcome, words: impl Into<String>) -> Self {
        Self { answer: None, outcome, words: words.into() }
    }
}

fn judge_heard<A>(result: &Result<Reply, CallError>, judge: impl FnOnce(&Reply) -> Judged<A>) -> Judged<A> {
    match result {
        Ok(reply) if reply.status == StatusCode::OK => judge(reply),
        Ok(reply) => Judged::failed(AskedOutcome::Failed, format!("answered {}", reply.status.as_u16())),
        Err(error) => Judged::failed(AskedOutcome::Failed, error.to_string()),
    }
}

fn judge_friend(reply: &Reply, to: &UserId) -> Judged<FriendAnswer> {
    let Ok(verdicts) = FriendVerdicts::parse(&reply.body) else {
        return Judged::failed(AskedOutcome::Failed, "answered 200 without JSON");
    };
    match verdicts.on(to.as_str()) {
        Some(verdict) if verdict.allows() => Judged::plain(FriendAnswer::Pass, AskedOutcome::Passed),
        Some(verdict) => {
            let own = verdict.own_code().map(|code| (code, verdict.info.clone().into_owned()));
            let words = format!("{} {}", verdict.code, verdict.info);
            Judged { answer: Some(FriendAnswer::Veto(own)), outcome: AskedOutcome::Vetoed, words }
        }
        None if verdicts.garbled => Judged::failed(AskedOutcome::Failed, "its ResultItem cannot be read"),
        // A receiver that knows nothing of this question accepts it like any other callback.
        None => Judged::plain(FriendAnswer::Pass, AskedOutcome::Passed),
    }
}

fn judge_send(reply: &Reply, question: &Question<'_>) -> Judged<GateAnswer> {
    let failed = |words: &str| Judged::failed(AskedOutcome::Failed, words);
    let Ok(answer) = Answer::parse(&reply.body) else {
        return failed("answered 200 without JSON");
    };
    match answer.before_verdict() {
        BeforeVerdict::Pass { body: None, custom_data: None } => {
            Judged::plain(GateAnswer::Pass, AskedOutcome::Passed)
        }
        BeforeVerdict::Pass { body, custom_data } => {
            match replacement(&reply.body, body, custom_data, question.content) {
                Some(content) => Judged::plain(GateAnswer::Replace(content), AskedOutcome::Replaced),
                None => failed("the replaced MsgBody is not one"),
            }
        }
        BeforeVerdict::Refuse(failure) => {
            let is_general = failure.code == ErrorCode::RefusedByCallback.number();
            let words = format!("{} {}", failure.code, failure.info);
            let own = (!is_general).then(|| (failure.code, failure.info.into_owned()));
            Judged { answer: Some(GateAnswer::Veto(own)), outcome: AskedOutcome::Vetoed, words }
        }
        BeforeVerdict::Drop => Judged::plain(GateAnswer::Drop, AskedOutcome::Dropped),
        BeforeVerdict::Unusable => failed("its ErrorCode means nothing here"),
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
