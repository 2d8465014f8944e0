//! The before-send callback: asked in line, under a deadline, never twice.

use super::call::{Callback, Caller};
use super::render;
use crate::translate;
use async_trait::async_trait;
use bytes::Bytes;
use chat::Content;
use chat::port::{Clock, Gate, GateAnswer, Question};
use hyper::StatusCode;
use metrics::counter;
use protocol::RawValue;
use protocol::callback::{Answer, BeforeVerdict};
use protocol::{ErrorCode, element};
use rustc_hash::FxHashMap;
use std::borrow::Cow;
use std::sync::Arc;

/// Asks the backends of all apps.
pub struct Questions {
    callers: FxHashMap<u32, Caller>,
    clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for Questions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Questions").field("callers", &self.callers).finish_non_exhaustive()
    }
}

impl Questions {
    pub fn new(callers: impl IntoIterator<Item = Caller>, clock: Arc<dyn Clock>) -> Self {
        let callers = callers.into_iter().map(|caller| (caller.endpoint.app.0, caller)).collect();
        Self { callers, clock }
    }
}

#[async_trait]
impl Gate for Questions {
    async fn ask(&self, question: Question<'_>) -> GateAnswer {
        let Some(caller) = self.callers.get(&question.app.0) else { return GateAnswer::Pass };
        let callback = render::before_send(&question, self.clock.now_ms());
        let answer = ask(caller, &callback, &question).await;
        let label = match &answer {
            GateAnswer::Pass => "pass",
            GateAnswer::Replace(_) => "replace",
            GateAnswer::Veto(_) => "veto",
            GateAnswer::Drop => "drop",
            GateAnswer::Failed => "failed",
        };
        counter!("couplet_callback_questions_total", "sdkappid" => question.app.to_string(), "answer" => label).increment(1);
        answer
    }
}

async fn ask(caller: &Caller, callback: &Callback, question: &Question<'_>) -> GateAnswer {
    let failed = |why: String| {
        tracing::warn!(sdkappid = question.app.0, why, "a before-send callback has no usable answer");
        GateAnswer::Failed
    };
    let reply = match caller.call(callback).await {
        Ok(reply) if reply.status == StatusCode::OK => reply,
        Ok(reply) => return failed(format!("status {}", reply.status)),
        Err(error) => return failed(error.to_string()),
    };
    let Ok(answer) = Answer::parse(&reply.body) else { return failed("the answer is not JSON".to_owned()) };
    match answer.before_verdict() {
        BeforeVerdict::Pass { body: None, custom_data: None } => GateAnswer::Pass,
        BeforeVerdict::Pass { body, custom_data } => {
            match replacement(&reply.body, body, custom_data, question.content) {
                Some(content) => GateAnswer::Replace(content),
                None => failed("the replaced MsgBody is not one".to_owned()),
            }
        }
        BeforeVerdict::Refuse(failure) if failure.code == ErrorCode::RefusedByCallback.number() => {
            GateAnswer::Veto(None)
        }
        BeforeVerdict::Refuse(failure) => GateAnswer::Veto(Some((failure.code, failure.info.into_owned()))),
        BeforeVerdict::Drop => GateAnswer::Drop,
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
