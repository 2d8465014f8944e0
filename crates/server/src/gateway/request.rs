//! What a logged-in device asks for, carried out and answered.
//!
//! Sending is here, and everything else in the file of its area.

mod conversation;
mod media;
mod message;
mod people;
mod presence;
mod token;

use super::Gateway;
use crate::bus::Ear;
use crate::credentials::Caller;
use crate::translate;
use axum::extract::ws::Utf8Bytes;
use bytes::Bytes;
use chat::event::Origin;
use chat::port::StoreError;
use chat::send::{Checks, SendRequest};
use chat::{Delivery, UserId};
use protocol::client::{
    self, ClientFrame, ConversationRequest, MessageRequest, PeopleRequest, Reply, Request,
};
use protocol::rest::sendmsg::MessageSent;
use protocol::{ErrorCode, Failure};
use std::sync::Arc;

/// What one request changes together, so that it shares commits and leaves room in the store's queue.
const CHANGED_AT_ONCE_MAX: usize = 32;

/// Carries out one frame and returns the frame that answers it.
pub(super) async fn answer(asker: Asker, text: Utf8Bytes) -> Vec<u8> {
    let mut out = Vec::new();
    let frame = Bytes::from(text);
    let text = std::str::from_utf8(&frame).expect("a text frame is UTF-8");
    match ClientFrame::parse(text) {
        Err(error) => client::refuse(error.id, &error.failure, &mut out),
        Ok(ClientFrame { id, request }) => {
            let Asker { gateway, caller, origin, ear } = &asker;
            let asked = Asked { gateway, caller, origin: *origin, ear, frame: &frame };
            if let Err(failure) = asked.carry_out(id, request, &mut out).await {
                client::refuse(Some(id), &failure, &mut out);
            }
        }
    }
    out
}

/// The session that asks.
pub(super) struct Asker {
    pub gateway: Arc<Gateway>,
    pub caller: Caller,
    pub origin: Origin,
    pub ear: Ear,
}

struct Asked<'a> {
    gateway: &'a Gateway,
    caller: &'a Caller,
    origin: Origin,
    ear: &'a Ear,
    frame: &'a Bytes,
}

impl Asked<'_> {
    async fn carry_out(&self, id: u64, request: Request<'_>, out: &mut Vec<u8>) -> Result<(), Failure> {
        if changes(&request) {
            self.is_not_too_fast()?;
        }
        match request {
            Request::Connect(_) => {
                Err(ErrorCode::FrameNotUnderstood.with("this connection is logged in already"))
            }
            Request::Ping => {
                Reply::Pong { server_time_ms: self.gateway.chat.clock.now_ms() }.write(id, out);
                Ok(())
            }
            Request::Send(send) => self.send(id, send, out).await,
            // In boxes: the future of a send should not have room for all of them.
            Request::Message(request) => Box::pin(self.message(id, request, out)).await,
            Request::Conversation(request) => Box::pin(self.conversation(id, request, out)).await,
            Request::People(request) => Box::pin(self.people(id, request, out)).await,
            Request::Presence(request) => Box::pin(self.presence(id, request, out)).await,
            Request::Token(request) => Box::pin(self.token(id, request, out)).await,
            Request::Media(request) => self.media(id, &request, out),
        }
    }

    async fn send(&self, id: u64, wire: client::SendRequest<'_>, out: &mut Vec<u8>) -> Result<(), Failure> {
        let (app, from) = (self.caller.app.id, self.caller.user);
        // The body is kept beyond the frame: it shares the frame's bytes instead of copying them.
        let request = SendRequest {
            app,
            from,
            to: user(&wire.to)?,
            seq: wire.seq,
            random: wire.random,
            client_time_s: wire.client_time_s,
            content: translate::content(self.frame, wire.body, &wire.custom_data, wire.inspected),
            offline_push: translate::offline_push(self.frame, wire.offline_push),
            delivery: Delivery {
                online_only: wire.online_only,
                needs_receipt: wire.needs_read_receipt,
                extensible: wire.supports_extension,
                no_unread: wire.no_unread,
                no_last: wire.no_last_msg,
                ..Delivery::default()
            },
            checks: Checks::default(),
            terms: self.caller.app.device_terms(),
            origin: self.origin,
        };
        let sent =
            self.gateway.chat.send(&self.caller.app.rules, request).await.map_err(translate::send_failure)?;
        let msg_id = translate::sent_id(app, &from, &sent);
        Reply::Sent(MessageSent { key: translate::sent_key(&sent), msg_id: &msg_id }).write(id, out);
        Ok(())
    }
}

impl Asked<'_> {
    fn is_not_too_fast(&self) -> Result<(), ErrorCode> {
        let per_sec_max = self.caller.app.rates.device_sends_per_sec;
        let now_s = || self.gateway.chat.clock.now_ms() / 1000;
        if per_sec_max == 0 || self.gateway.bus.may_send(self.ear, per_sec_max, now_s()) {
            Ok(())
        } else {
            Err(ErrorCode::TooFrequent)
        }
    }
}

/// Whether it changes what is stored, which costs the same whatever it is: all of that together has a rate. What a user
/// says of themself is not stored, and has one of its own.
fn changes(request: &Request<'_>) -> bool {
    use {ConversationRequest as C, MessageRequest as M, PeopleRequest as P};
    match request {
        Request::Connect(_) | Request::Ping | Request::Presence(_) | Request::Media(_) => false,
        Request::Send(_) | Request::Token(_) => true,
        Request::Message(request) => !matches!(request, M::History(_) | M::Receipts(_) | M::Extensions(_)),
        Request::Conversation(request) => !matches!(request, C::List { .. } | C::Of { .. }),
        Request::People(request) => !matches!(
            request,
            P::Profiles { .. }
                | P::Friends(_)
                | P::FriendsAmong { .. }
                | P::CheckFriends { .. }
                | P::Requests(_)
                | P::Blocked(_)
        ),
    }
}

fn user(text: &str) -> Result<UserId, Failure> {
    UserId::new(text).ok_or_else(|| ErrorCode::BadToAccount.into())
}

#[expect(clippy::needless_pass_by_value, reason = "the signature that map_err wants")]
fn unavailable(error: StoreError) -> Failure {
    tracing::error!(%error, "a device's request failed in the store");
    ErrorCode::Internal.into()
}
