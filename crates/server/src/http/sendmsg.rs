//! `openim/sendmsg`: one message to one user.

use super::{Call, Rest};
use crate::translate;
use chat::send::{Checks, SendRequest};
use chat::{Delivery, UserId};
use protocol::rest::sendmsg::{MessageSent, SendMessage};
use protocol::{ErrorCode, Failure};

impl Rest {
    pub(super) async fn send(&self, call: Call) -> Result<Vec<u8>, Failure> {
        let request = request(&call)?;
        let (app, from) = (request.app, request.from);
        let sent = self.chat.send(&call.caller.app.rules, request).await.map_err(translate::send_failure)?;
        let msg_id = translate::sent_id(app, &from, &sent);
        Ok(MessageSent { key: translate::sent_key(&sent), msg_id: &msg_id }.to_json())
    }
}

fn request(call: &Call) -> Result<SendRequest, Failure> {
    let wire = SendMessage::parse(&call.body)?;
    let from = match &wire.from {
        Some(from) => UserId::new(from).ok_or(ErrorCode::BadFromAccount)?,
        None => call.caller.user,
    };
    Ok(SendRequest {
        app: call.caller.app.id,
        from,
        to: UserId::new(&wire.to).ok_or(ErrorCode::BadToAccount)?,
        seq: wire.seq,
        random: wire.random,
        client_time_s: None,
        offline_push: translate::offline_push(&call.body, wire.offline_push),
        delivery: Delivery {
            online_only: wire.online_only,
            needs_receipt: wire.needs_read_receipt,
            extensible: wire.supports_extension,
            ..translate::delivery(wire.sender_copy, wire.control)
        },
        terms: translate::rest_terms(wire.control),
        checks: Checks {
            skip_filter: wire.control.no_msg_check,
            skip_gate: wire.forbid.before_send,
            skip_event: wire.forbid.after_send,
        },
        origin: translate::rest_origin(call.ip),
        content: translate::content(&call.body, wire.body, &wire.custom_data, wire.inspected),
    })
}
