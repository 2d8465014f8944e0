//! What a logged-in device asks for, carried out and answered.

use super::Gateway;
use crate::credentials::Caller;
use crate::translate;
use axum::extract::ws::Utf8Bytes;
use bytes::Bytes;
use chat::event::Origin;
use chat::port::{HistoryQuery, MarkRead, StoreError};
use chat::send::{Checks, SendRequest};
use chat::{ConversationId, Delivery, UserId};
use protocol::client::{self, ClientFrame, History, HistoryPage, Reply, Request};
use protocol::rest::sendmsg::MessageSent;
use protocol::{ErrorCode, Failure};
use std::sync::Arc;

/// Messages in a page of history when the device does not say.
const HISTORY_LEN_DEFAULT: usize = 20;

/// Carries out one frame and returns the frame that answers it.
pub(super) async fn answer(
    gateway: Arc<Gateway>,
    caller: Caller,
    origin: Origin,
    text: Utf8Bytes,
) -> Vec<u8> {
    let mut out = Vec::new();
    let frame = Bytes::from(text);
    let text = std::str::from_utf8(&frame).expect("a text frame is UTF-8");
    match ClientFrame::parse(text) {
        Err(error) => client::refuse(error.id, &error.failure, &mut out),
        Ok(ClientFrame { id, request }) => {
            let asked = Asked { gateway: &gateway, caller: &caller, origin, frame: &frame };
            if let Err(failure) = asked.carry_out(id, request, &mut out).await {
                client::refuse(Some(id), &failure, &mut out);
            }
        }
    }
    out
}

struct Asked<'a> {
    gateway: &'a Gateway,
    caller: &'a Caller,
    origin: Origin,
    frame: &'a Bytes,
}

impl Asked<'_> {
    async fn carry_out(&self, id: u64, request: Request<'_>, out: &mut Vec<u8>) -> Result<(), Failure> {
        match request {
            Request::Connect(_) => {
                Err(ErrorCode::FrameNotUnderstood.with("this connection is logged in already"))
            }
            Request::Ping => {
                Reply::Pong { server_time_ms: self.gateway.chat.clock.now_ms() }.write(id, out);
                Ok(())
            }
            Request::Send(send) => self.send(id, send, out).await,
            Request::History(history) => self.history(id, &history, out).await,
            Request::Read { peer } => self.read(id, &peer, out).await,
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
            offline_push: Bytes::new(),
            delivery: Delivery {
                online_only: wire.online_only,
                needs_receipt: wire.needs_read_receipt,
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

    async fn history(&self, id: u64, wire: &History<'_>, out: &mut Vec<u8>) -> Result<(), Failure> {
        let (app, viewer) = (self.caller.app.id, self.caller.user);
        let limits = &self.gateway.limits;
        let limit = wire.limit.map_or(HISTORY_LEN_DEFAULT, |limit| limit as usize);
        let before = wire.before.as_ref();
        let query = HistoryQuery {
            conversation: ConversationId::new(app, viewer, user(&wire.peer)?),
            viewer,
            time_s_min: 0,
            time_s_max: before.map_or(u64::MAX, |key| key.time_s),
            before: before.map(translate::history_key),
            limit: limit.clamp(1, limits.history_page_len_max),
            bytes_max: limits.history_page_bytes_max,
        };
        let page = self.gateway.chat.store.history(query).await.map_err(unavailable)?;
        let complete = page.complete;
        let told = translate::told_forwards(app, page);
        let shown: Vec<_> = told.iter().map(|(message, id)| translate::shown(message, id)).collect();
        Reply::History(HistoryPage { messages: &shown, complete }).write(id, out);
        Ok(())
    }

    async fn read(&self, id: u64, peer: &str, out: &mut Vec<u8>) -> Result<(), Failure> {
        let mark = MarkRead {
            app: self.caller.app.id,
            reader: self.caller.user,
            peer: user(peer)?,
            until_s: None,
            now_ms: self.gateway.chat.clock.now_ms(),
            origin: self.origin,
        };
        self.gateway.chat.mark_read(mark).await.map_err(unavailable)?;
        Reply::Done.write(id, out);
        Ok(())
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
