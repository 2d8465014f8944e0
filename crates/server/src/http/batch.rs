//! `openim/batchsendmsg`: one message to up to 500 users, under one key.

use super::{Call, Rest};
use crate::translate;
use chat::event::Refusal;
use chat::send::{Checks, SendError, SendRequest, SentToMany};
use chat::{Delivery, UserId};
use protocol::rest::FailedAccount;
use protocol::rest::batch::{BatchSent, SendBatch};
use protocol::rest::sendmsg::MessageSent;
use protocol::{ErrorCode, Failure};
use std::borrow::Cow;
use std::collections::BTreeMap;

impl Rest {
    pub(super) async fn send_batch(&self, call: Call) -> Result<Vec<u8>, Failure> {
        let wire = SendBatch::parse(&call.body)?;
        let app = &call.caller.app;
        app.rates.batch(wire.to.len() as u32, self.chat.clock.now_ms())?;
        let names = wire.to.clone();
        let recipients: Vec<UserId> = names.iter().filter_map(|name| UserId::new(name)).collect();
        let Some((first, others)) = recipients.split_first() else {
            return Ok(answer(&names, None, &BTreeMap::new()));
        };
        let request = request(&call, wire, *first)?;
        let from = request.from;
        let SentToMany { sent, refused } =
            self.chat.send_to_many(&app.rules, request, others).await.map_err(failure)?;
        let msg_id = sent.map(|sent| translate::sent_id(app.id, &from, &sent)).unwrap_or_default();
        let sent = sent.map(|sent| MessageSent { key: translate::sent_key(&sent), msg_id: &msg_id });
        Ok(answer(&names, sent, &refused))
    }
}

fn request(call: &Call, wire: SendBatch<'_>, to: UserId) -> Result<SendRequest, Failure> {
    let from = match &wire.from {
        Some(from) => UserId::new(from).ok_or(ErrorCode::BadFromAccount)?,
        None => call.caller.user,
    };
    Ok(SendRequest {
        app: call.caller.app.id,
        from,
        to,
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
            skip_gate: true,
            skip_event: !call.caller.app.callback_on_batch,
        },
        origin: translate::rest_origin(call.ip),
        content: translate::content(&call.body, wire.body, &wire.custom_data, wire.inspected),
    })
}

/// Why nobody gets the message.
fn failure(error: SendError) -> Failure {
    match error {
        SendError::Refused(Refusal::UnknownAccount) => translate::unknown_sender(),
        SendError::Refused(Refusal::TooLong) => ErrorCode::BatchMessageTooLong.into(),
        error => translate::send_failure(error),
    }
}

/// The answer. `names` are the recipients as the request has them: one that cannot be a user is like one who has no
/// account.
fn answer(
    names: &[Cow<'_, str>],
    sent: Option<MessageSent<'_>>,
    refused: &BTreeMap<UserId, Refusal>,
) -> Vec<u8> {
    let failed = |name| {
        let unknown = Some(Refusal::UnknownAccount);
        let refusal = UserId::new(name).map_or(unknown, |user| refused.get(&user).copied())?;
        let code = match refusal {
            Refusal::UnknownAccount => ErrorCode::AccountNotFound,
            refusal => translate::refusal_code(refusal),
        };
        Some(FailedAccount { user_id: name, code: code.number() })
    };
    let failed: Vec<_> = names.iter().filter_map(|name| failed(name.as_ref())).collect();
    BatchSent { sent, failed: &failed }.to_json()
}
