//! The path of one send: judge, ask, commit, hint.

use crate::event::{AfterSend, EventDraft, EventId, Fact, Lane, Origin, Outcome, Refusal};
use crate::filter::{self, Judgement, WordList};
use crate::guard::{FirstSend, SendKey};
use crate::id::{AppId, ConversationId, UserId};
use crate::message::{Content, Delivery};
use crate::port::{
    Append, Appended, Bus, Clock, Committed, Gate, GateAnswer, MarkRead, Preview, Question, ReadMark, Store,
    StoreError,
};
use bytes::Bytes;
use std::sync::Arc;

/// A send as it arrives from REST or from a client.
#[derive(Debug, Clone)]
pub struct SendRequest {
    pub app: AppId,
    pub from: UserId,
    pub to: UserId,
    /// The sender's own sequence number, if it gave one.
    pub seq: Option<u32>,
    pub random: u32,
    /// When the sender's side made the message; `None` is now.
    pub client_time_s: Option<u64>,
    pub content: Content,
    pub offline_push: Bytes,
    pub delivery: Delivery,
    pub checks: Checks,
    pub origin: Origin,
}

/// What the sender asked to leave out, for this message only.
#[derive(Debug, Clone, Copy, Default)]
pub struct Checks {
    pub skip_filter: bool,
    pub skip_gate: bool,
    pub skip_event: bool,
}

/// An app's settings, as far as they decide what happens to a send.
#[derive(Debug, Clone)]
pub struct SendRules {
    pub message_bytes_max: usize,
    pub word_lists: Vec<WordList>,
    /// Puts other texts into a body: only the wire's own language knows how.
    pub replace_texts: ReplaceTexts,
    /// Whether the app's backend is asked before a send.
    pub ask_gate: bool,
    pub gate_failure: GateFailure,
}

/// Rewrites the text elements of an opaque body: one text for each, in order.
#[derive(Debug, Clone, Copy)]
pub struct ReplaceTexts(pub fn(&Bytes, &[String]) -> Bytes);

/// What happens to a send when the app's backend gives no usable answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GateFailure {
    Pass,
    Reject,
}

/// A send that was carried out, or is answered as if it had been.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sent {
    pub time_s: u64,
    pub client_time_s: u64,
    pub wire_seq: u32,
    pub random: u32,
}

impl Sent {
    fn again(first: FirstSend, random: u32) -> Self {
        let FirstSend { time_s, client_time_s, wire_seq } = first;
        Self { time_s, client_time_s, wire_seq, random }
    }
}

/// What is decided about a send on its way.
struct Stamp {
    now_ms: u64,
    client_time_s: u64,
    content_crc: u32,
    wire_seq: Option<u32>,
    /// The earliest time the message may bear.
    time_s: u64,
}

/// What follows from the opinion of the app's backend.
enum Gated {
    Send,
    /// The content was replaced, and has to be judged like any other.
    Judge,
    Answer(Sent),
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    #[error("refused: {0:?}")]
    Refused(Refusal),
    /// The app's backend refused with a code and a text of its own.
    #[error("refused by the app: {code} {text}")]
    RefusedByApp { code: u32, text: String },
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The rules on top of their ports.
#[derive(Clone)]
pub struct Chat {
    pub store: Arc<dyn Store>,
    pub bus: Arc<dyn Bus>,
    pub gate: Arc<dyn Gate>,
    pub clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for Chat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Chat").finish_non_exhaustive()
    }
}

impl Chat {
    /// Carries a send through every step. `Ok` is given only when all of it is durable.
    pub async fn send(&self, rules: &SendRules, mut request: SendRequest) -> Result<Sent, SendError> {
        let now_ms = self.clock.now_ms();
        let mut stamp = Stamp {
            now_ms,
            client_time_s: request.client_time_s.unwrap_or(now_ms / 1000),
            // Of the content as it was sent: a resend repeats these bytes, whatever is made of them below.
            content_crc: request.content.crc(),
            wire_seq: request.seq,
            time_s: now_ms / 1000,
        };
        if let Err(refusal) = judge(rules, &mut request) {
            return self.refuse(&request, refusal, &stamp).await;
        }
        if rules.ask_gate && !request.checks.skip_gate {
            match self.pass_gate(rules, &mut request, &mut stamp).await? {
                Gated::Send => {}
                Gated::Answer(sent) => return Ok(sent),
                Gated::Judge => {
                    if let Err(refusal) = judge(rules, &mut request) {
                        return self.refuse(&request, refusal, &stamp).await;
                    }
                }
            }
        }
        self.commit(request, &stamp).await
    }

    /// Asks the app's backend. From here on the message has the number and the time that the backend was told.
    async fn pass_gate(
        &self,
        rules: &SendRules,
        request: &mut SendRequest,
        stamp: &mut Stamp,
    ) -> Result<Gated, SendError> {
        let SendRequest { app, from, to, seq, random, .. } = *request;
        let key = SendKey { app, from, to, seq, random, content_crc: stamp.content_crc };
        let place = match self.store.preview(key, stamp.now_ms / 1000).await? {
            Preview::Next(place) => place,
            Preview::Duplicate(first) => return Ok(Gated::Answer(Sent::again(first, random))),
            Preview::UnknownAccount => return Err(SendError::Refused(Refusal::UnknownAccount)),
        };
        let (wire_seq, time_s) = (seq.unwrap_or(place.seq as u32), place.time_s);
        (stamp.wire_seq, stamp.time_s) = (Some(wire_seq), time_s);
        let client_time_s = stamp.client_time_s;
        let question = Question {
            app,
            from,
            to,
            wire_seq,
            random,
            time_s,
            client_time_s,
            online_only: request.delivery.online_only,
            marked: request.delivery.marked,
            content: &request.content,
            origin: request.origin,
        };
        match self.gate.ask(question).await {
            GateAnswer::Pass => Ok(Gated::Send),
            GateAnswer::Failed if rules.gate_failure == GateFailure::Pass => Ok(Gated::Send),
            GateAnswer::Failed => Err(SendError::Refused(Refusal::GateFailed)),
            GateAnswer::Veto(None) => Err(SendError::Refused(Refusal::Vetoed)),
            GateAnswer::Veto(Some((code, text))) => Err(SendError::RefusedByApp { code, text }),
            GateAnswer::Drop => Ok(Gated::Answer(Sent { time_s, client_time_s, wire_seq, random })),
            GateAnswer::Replace(content) => {
                request.content = content;
                Ok(Gated::Judge)
            }
        }
    }

    async fn commit(&self, request: SendRequest, stamp: &Stamp) -> Result<Sent, SendError> {
        let (app, random) = (request.app, request.random);
        let append = Append {
            app,
            from: request.from,
            to: request.to,
            wire_seq: stamp.wire_seq,
            wire_seq_given: request.seq.is_some(),
            random,
            client_time_s: stamp.client_time_s,
            time_s: stamp.time_s,
            now_ms: stamp.now_ms,
            content_crc: stamp.content_crc,
            body: request.content.body,
            custom_data: request.content.custom_data,
            offline_push: request.offline_push,
            delivery: request.delivery,
            event: (!request.checks.skip_event).then_some(request.origin),
        };
        match self.store.append(append).await? {
            Appended::UnknownAccount => Err(SendError::Refused(Refusal::UnknownAccount)),
            Appended::Duplicate(first) => Ok(Sent::again(first, random)),
            Appended::Done(committed) => {
                let message = &committed.message;
                let (time_s, wire_seq) = (message.time_s, message.wire_seq);
                self.spread(app, *committed);
                Ok(Sent { time_s, client_time_s: stamp.client_time_s, wire_seq, random })
            }
        }
    }

    /// Marks a conversation as read up to its last message. `None` when nothing was unread.
    pub async fn mark_read(&self, mark: MarkRead) -> Result<Option<ReadMark>, StoreError> {
        let done = self.store.mark_read(mark).await?;
        if let Some(read) = &done {
            self.bus.user_changed(mark.app, mark.reader, read.reader.clone());
            if let Some(peer) = &read.peer {
                self.bus.user_changed(mark.app, mark.peer, peer.clone());
            }
            self.bus.event_recorded(read.event.lane);
        }
        Ok(done)
    }

    /// Puts an event into the log that has no other cause to be committed with, and wakes whoever tells it.
    pub async fn record(&self, draft: EventDraft) -> Result<Option<EventId>, StoreError> {
        let event = self.store.record(draft).await?;
        if let Some(event) = event {
            self.bus.event_recorded(event.lane);
        }
        Ok(event)
    }

    /// Hints only: all of this is found again from positions if it is lost.
    fn spread(&self, app: AppId, committed: Committed) {
        let Committed { message, recipient, sender, event } = committed;
        if message.delivery.online_only {
            self.bus.online_message(app, message.to, Arc::clone(&message));
        }
        if let Some(hint) = recipient {
            self.bus.user_changed(app, message.to, hint);
        }
        if let Some(hint) = sender {
            self.bus.user_changed(app, message.from, hint);
        }
        if let Some(event) = event {
            self.bus.event_recorded(event.lane);
        }
    }

    /// Answers with the refusal; one that the backend is told of is committed first.
    async fn refuse(
        &self,
        request: &SendRequest,
        refusal: Refusal,
        stamp: &Stamp,
    ) -> Result<Sent, SendError> {
        if refusal.is_told() && !request.checks.skip_event {
            let fact = AfterSend {
                from: request.from,
                to: request.to,
                // A refused message has no place in the conversation to take its number from.
                wire_seq: stamp.wire_seq.unwrap_or(request.random),
                random: request.random,
                time_s: stamp.time_s,
                client_time_s: stamp.client_time_s,
                online_only: request.delivery.online_only,
                marked: request.delivery.marked,
                outcome: Outcome::Refused(refusal),
                body: request.content.body.clone(),
                custom_data: request.content.custom_data.clone(),
            };
            let draft = EventDraft::new(request.app, stamp.now_ms, request.origin, Fact::AfterSend(fact));
            if self.record(draft).await?.is_none() {
                return Err(SendError::Refused(Refusal::UnknownAccount));
            }
        }
        Err(SendError::Refused(refusal))
    }
}

/// Which lane a conversation's events are in.
pub fn lane_of(conversation: &ConversationId, lanes_per_app: u16) -> Lane {
    let ConversationId { app, low, high } = conversation;
    let hash = low.numeric(*app) ^ high.numeric(*app).rotate_left(32);
    Lane { app: *app, index: (hash % u64::from(lanes_per_app)) as u16 }
}

/// Applies limits and word lists to the content.
fn judge(rules: &SendRules, request: &mut SendRequest) -> Result<(), Refusal> {
    let content = &request.content;
    if content.size_bytes > rules.message_bytes_max {
        return Err(Refusal::TooLong);
    }
    if content.custom_elements > 1 {
        return Err(Refusal::SeveralCustomElements);
    }
    if request.checks.skip_filter {
        return Ok(());
    }
    match filter::judge(&rules.word_lists, &content.texts) {
        Judgement::Clean => {}
        Judgement::Marked => request.delivery.marked = true,
        Judgement::Blocked => return Err(Refusal::Filtered),
        Judgement::Masked { texts, marked } => {
            request.content.body = (rules.replace_texts.0)(&content.body, &texts);
            request.content.texts = texts;
            request.delivery.marked |= marked;
        }
    }
    Ok(())
}
