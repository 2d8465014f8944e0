//! Between the words of the wires and the words of the rules.
//!
//! Here once, because REST, gateway and callbacks say the same things in the same words.

use bytes::Bytes;
use chat::event::Refusal;
use chat::event::{MessageName, Origin, Platform};
use chat::port::{HistoryPage, LogRecord, MessageKey};
use chat::send::{SendError, Sent};
use chat::{AppId, Change, Content, Message, UserId};
use protocol::callback::OptPlatform;
use protocol::client;
use protocol::element::{self, Inspected};
use protocol::rest::roam::RoamMessage;
use protocol::{ErrorCode, Failure, MsgKey, RawValue};
use std::borrow::Cow;
use std::net::IpAddr;

/// `MsgFlagBits` of an ordinary message.
const NO_FLAGS: u32 = 0;

/// The content of a send, without copying its body out of the request.
pub fn content(request: &Bytes, body: &RawValue, custom_data: &str, inspected: Inspected<'_>) -> Content {
    Content {
        body: request.slice_ref(body.get().as_bytes()),
        custom_data: Bytes::copy_from_slice(custom_data.as_bytes()),
        size_bytes: inspected.size_bytes,
        custom_elements: inspected.custom_count,
        texts: inspected.texts.into_iter().map(Cow::into_owned).collect(),
    }
}

/// Puts other texts into the text elements of a body.
pub fn replace_texts(body: &Bytes, texts: &[String]) -> Bytes {
    let raw: &RawValue = serde_json::from_slice(body).expect("the rules only see bodies that were inspected");
    let mut texts = texts.iter();
    let masked = element::mask_texts(raw, |_| texts.next().cloned()).expect("the body was inspected before");
    masked.map_or_else(|| body.clone(), |masked| Bytes::copy_from_slice(masked.get().as_bytes()))
}

/// The `MsgId` of a message, which clients know it by.
pub fn msg_id(app: AppId, from: &UserId, client_time_s: u64, random: u32) -> String {
    format!("{}-{client_time_s}-{random}", from.numeric(app))
}

fn message_id(app: AppId, message: &Message) -> String {
    msg_id(app, &message.from, message.client_time_s, message.random)
}

pub fn sent_id(app: AppId, from: &UserId, sent: &Sent) -> String {
    msg_id(app, from, sent.client_time_s, sent.random)
}

pub fn sent_key(sent: &Sent) -> MsgKey {
    MsgKey { seq: sent.wire_seq, random: sent.random, time_s: sent.time_s }
}

pub fn message_key(message: &Message) -> MsgKey {
    MsgKey { seq: message.wire_seq, random: message.random, time_s: message.time_s }
}

/// The key of a message that is only named.
pub fn named_key(message: &MessageName) -> MsgKey {
    MsgKey { seq: message.wire_seq, random: message.random, time_s: message.time_s }
}

pub fn history_key(key: &MsgKey) -> MessageKey {
    MessageKey { wire_seq: key.seq, random: key.random, time_s: key.time_s }
}

/// A page as it is told: it goes backwards in time, and is told forwards, each message with its [`msg_id`].
pub fn told_forwards(app: AppId, page: HistoryPage) -> Vec<(Message, String)> {
    let with_id = |message: Message| {
        let id = message_id(app, &message);
        (message, id)
    };
    page.messages.into_iter().rev().map(with_id).collect()
}

/// A message as history and devices show it. `id` is its [`msg_id`], which the result borrows.
pub fn shown<'a>(message: &'a Message, id: &'a str) -> RoamMessage<'a> {
    RoamMessage {
        from: message.from.as_str(),
        to: message.to.as_str(),
        key: message_key(message),
        msg_id: id,
        flag_bits: NO_FLAGS,
        is_peer_read: false,
        body: &message.body,
        custom_data: text(&message.custom_data),
        client_time_s: message.client_time_s,
        version: 0,
        needs_read_receipt: message.delivery.needs_receipt,
        supports_extension: message.delivery.extensible,
        has_risk_content: message.delivery.marked,
    }
}

/// The frame that tells a device of an entry of its user's log.
pub fn change_frame(app: AppId, epoch: u64, record: &LogRecord) -> Vec<u8> {
    let LogRecord { entry, message } = record;
    let mut out = Vec::new();
    let position = client::Position { epoch: Cow::Owned(format!("{epoch:x}")), offset: entry.offset };
    let unread = u64::from(entry.unread);
    match (&entry.change, message) {
        (Change::Message { .. }, Some(message)) => {
            client::Push::Message { position, unread, message: &encoded(app, message) }.write(&mut out);
        }
        // The message is not there any more, and the device has to know that its position moved all the same.
        (Change::Message { .. }, None) => client::Push::Resync { position }.write(&mut out),
        (Change::Read { reader, peer, time_s, .. }, _) => {
            let (reader, peer) = (reader.as_str(), peer.as_str());
            client::Push::Read { position, unread, reader, peer, read_until_s: *time_s }.write(&mut out);
        }
    }
    out
}

/// The frame of a message that belongs to no log.
pub fn online_frame(app: AppId, message: &Message) -> Vec<u8> {
    let mut out = Vec::new();
    client::Push::OnlineMessage { message: &encoded(app, message) }.write(&mut out);
    out
}

fn encoded(app: AppId, message: &Message) -> Vec<u8> {
    let id = message_id(app, message);
    let shown = shown(message, &id);
    let mut out = Vec::with_capacity(shown.len_estimate());
    shown.write(&mut out);
    out
}

/// Custom data came in as JSON text and has not been changed since.
pub fn text(bytes: &Bytes) -> &str {
    std::str::from_utf8(bytes).expect("custom data is taken from a str")
}

/// What a sender is told of a send that was not carried out.
pub fn send_failure(error: SendError) -> Failure {
    match error {
        SendError::Refused(refusal) => refusal_code(refusal).into(),
        SendError::RefusedByApp { code, text } => Failure { code, info: Cow::Owned(text) },
        SendError::Store(error) => {
            tracing::error!(%error, "a send could not be committed");
            ErrorCode::Internal.into()
        }
    }
}

pub fn refusal_code(refusal: Refusal) -> ErrorCode {
    match refusal {
        Refusal::UnknownAccount => ErrorCode::AccountInvalid,
        Refusal::TooLong => ErrorCode::MessageTooLong,
        Refusal::SeveralCustomElements => ErrorCode::BadFormat,
        Refusal::Filtered => ErrorCode::TextRefused,
        Refusal::Vetoed => ErrorCode::RefusedByCallback,
        Refusal::GateFailed => ErrorCode::CallbackUnavailable,
    }
}

pub fn opt_platform(platform: Platform) -> OptPlatform {
    match platform {
        Platform::RestApi => OptPlatform::RestApi,
        Platform::Web => OptPlatform::Web,
        Platform::Android => OptPlatform::Android,
        Platform::Ios => OptPlatform::Ios,
        Platform::Windows => OptPlatform::Windows,
        Platform::Mac => OptPlatform::Mac,
        Platform::Ipad => OptPlatform::Ipad,
        Platform::Unknown => OptPlatform::Unknown,
    }
}

/// The platform a device names at login; a device cannot pass for a backend.
pub fn device_platform(named: OptPlatform) -> Platform {
    match named {
        OptPlatform::Web => Platform::Web,
        OptPlatform::Android => Platform::Android,
        OptPlatform::Ios => Platform::Ios,
        OptPlatform::Windows => Platform::Windows,
        OptPlatform::Mac => Platform::Mac,
        OptPlatform::Ipad => Platform::Ipad,
        OptPlatform::RestApi | OptPlatform::Unknown => Platform::Unknown,
    }
}

pub fn rest_origin(ip: IpAddr) -> Origin {
    Origin { ip, platform: Platform::RestApi }
}
