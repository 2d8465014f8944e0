//! The path of one send: judge, ask, commit, hint.

use crate::conversation::Place;
use crate::event::{AfterSend, EventDraft, Fact, Lane, Origin, Outcome};
use crate::filter::{self, Judgement, WordList};
use crate::guard::SendKey;
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

/// Why a send was not carried out. Those that are kept in events have fixed numbers, since they are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refusal {
    UnknownAccount = 1,
    TooLong = 2,
    SeveralCustomElements = 3,
    Filtered = 4,
    Vetoed = 5,
    GateFailed = 6,
}

impl Refusal {
    pub const ALL: [Self; 6] = [
        Self::UnknownAccount,
        Self::TooLong,
        Self::SeveralCustomElements,
        Self::Filtered,
        Self::Vetoed,
        Self::GateFailed,
    ];
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
        let now_s = now_ms / 1000;
        let client_time_s = request.client_time_s.unwrap_or(now_s);
        // Of the content as it was sent: a resend repeats these bytes, whatever is made of them below.
        let content_crc = request.content.crc();

        if let Err(refusal) = judge(rules, &mut request) {
            return self.refuse(&request, refusal, now_ms, client_time_s).await;
        }

        let mut promised = None;
        if rules.ask_gate && !request.checks.skip_gate {
            let key = SendKey {
                app: request.app,
                from: request.from,
                to: request.to,
                seq: request.seq,
                random: request.random,
                content_crc,
            };
            let place = match self.store.preview(key, now_s).await? {
                Preview::Next(place) => place,
                Preview::Duplicate(first) => {
                    return Ok(answer(&request, first.time_s, first.client_time_s, first.wire_seq));
                }
                Preview::UnknownAccount => return Err(SendError::Refused(Refusal::UnknownAccount)),
            };
            let wire_seq = request.seq.unwrap_or(place.seq as u32);
            match self.ask(&request, place, wire_seq, client_time_s).await {
                GateAnswer::Pass => {}
                GateAnswer::Failed if rules.gate_failure == GateFailure::Pass => {}
                GateAnswer::Failed => return Err(SendError::Refused(Refusal::GateFailed)),
                GateAnswer::Drop => return Ok(answer(&request, place.time_s, client_time_s, wire_seq)),
                GateAnswer::Veto(None) => return Err(SendError::Refused(Refusal::Vetoed)),
                GateAnswer::Veto(Some((code, text))) => return Err(SendError::RefusedByApp { code, text }),
                GateAnswer::Replace(content) => {
                    request.content = content;
                    if let Err(refusal) = judge(rules, &mut request) {
                        return self.refuse(&request, refusal, now_ms, client_time_s).await;
                    }
                }
            }
            promised = Some((wire_seq, place.time_s));
        }

        let (wire_seq, time_s) = match promised {
            Some((wire_seq, time_s)) => (Some(wire_seq), time_s),
            None => (request.seq, now_s),
        };
        let append = Append {
            app: request.app,
            from: request.from,
            to: request.to,
            wire_seq,
            wire_seq_given: request.seq.is_some(),
            random: request.random,
            client_time_s,
            time_s,
            now_ms,
            content_crc,
            body: request.content.body,
            custom_data: request.content.custom_data,
            offline_push: request.offline_push,
            delivery: request.delivery,
            event: (!request.checks.skip_event).then_some(request.origin),
        };
        let random = request.random;
        match self.store.append(append).await? {
            Appended::UnknownAccount => Err(SendError::Refused(Refusal::UnknownAccount)),
            Appended::Duplicate(first) => Ok(Sent {
                time_s: first.time_s,
                client_time_s: first.client_time_s,
                wire_seq: first.wire_seq,
                random,
            }),
            Appended::Done(committed) => {
                let message = &committed.message;
                let sent = Sent { time_s: message.time_s, client_time_s, wire_seq: message.wire_seq, random };
                self.spread(request.app, *committed);
                Ok(sent)
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

    async fn ask(
        &self,
        request: &SendRequest,
        place: Place,
        wire_seq: u32,
        client_time_s: u64,
    ) -> GateAnswer {
        let question = Question {
            app: request.app,
            from: request.from,
            to: request.to,
            wire_seq,
            random: request.random,
            time_s: place.time_s,
            client_time_s,
            online_only: request.delivery.online_only,
            content: &request.content,
            origin: request.origin,
        };
        self.gate.ask(question).await
    }

    /// Answers with the refusal; one that the backend is told of is committed first.
    async fn refuse(
        &self,
        request: &SendRequest,
        refusal: Refusal,
        now_ms: u64,
        client_time_s: u64,
    ) -> Result<Sent, SendError> {
        if refusal.is_told() && !request.checks.skip_event {
            let draft = EventDraft {
                recorded_ms: now_ms,
                conversation: ConversationId::new(request.app, request.from, request.to),
                origin: request.origin,
                fact: Fact::AfterSend(AfterSend {
                    from: request.from,
                    to: request.to,
                    // A refused message has no place in the conversation to take its number from.
                    wire_seq: request.seq.unwrap_or(request.random),
                    random: request.random,
                    time_s: now_ms / 1000,
                    client_time_s,
                    online_only: request.delivery.online_only,
                    outcome: Outcome::Refused(refusal),
                    body: request.content.body.clone(),
                    custom_data: request.content.custom_data.clone(),
                }),
            };
            match self.store.refuse(draft).await? {
                Some(event) => self.bus.event_recorded(event.lane),
                None => return Err(SendError::Refused(Refusal::UnknownAccount)),
            }
        }
        Err(SendError::Refused(refusal))
    }
}

impl Refusal {
    /// Whether the backend is told that the send failed. A send that was malformed, or that the backend itself
    /// refused, is no news to it.
    fn is_told(self) -> bool {
        match self {
            Self::Filtered => true,
            Self::UnknownAccount
            | Self::TooLong
            | Self::SeveralCustomElements
            | Self::Vetoed
            | Self::GateFailed => false,
        }
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

fn answer(request: &SendRequest, time_s: u64, client_time_s: u64, wire_seq: u32) -> Sent {
    Sent { time_s, client_time_s, wire_seq, random: request.random }
}
