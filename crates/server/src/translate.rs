//! Between the words of the wires and the words of the rules.
//!
//! Here once, because REST, gateway and callbacks say the same things in the same words.

pub mod alter;
pub mod conversation;
pub mod people;

use crate::config::Limits;
use bytes::Bytes;
use chat::admit::Terms;
use chat::alter::NotAltered;
use chat::conversation::{Alteration, RelationNews, ViewChange};
use chat::event::Refusal;
use chat::event::{MessageName, Origin, Platform, ProfileValue};
use chat::person::{Admission, Profile, ProfileSettings};
use chat::port::{Direction, HistoryPage, ImportMessage, LogRecord, MessageKey};
use chat::relate::RelationLimits;
use chat::send::{SendError, SendRules, Sent};
use chat::{AppId, Change, Content, Delivery, Message, UserId};
use protocol::callback::OptPlatform;
use protocol::client;
use protocol::element::{self, Inspected};
use protocol::limits::CUSTOM_TAGS_MAX;
use protocol::rest::import;
use protocol::rest::profile::{AdminForbid, AllowType, StandardTag, Tag, TagValue};
use protocol::rest::roam::RoamMessage;
use protocol::rest::sendmsg::{SendControl, SenderCopy};
use protocol::{ErrorCode, Failure, MsgKey, RawValue};
use std::borrow::Cow;
use std::net::IpAddr;

/// `MsgFlagBits` of an ordinary message, and of one that was recalled.
const NO_FLAGS: u32 = 0;
const RECALLED_FLAG: u32 = 8;
/// The `MsgBody` of a message that has no content any more.
const NO_BODY: &[u8] = b"[]";

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

/// The bytes of a request's settings for offline push; empty when it has none.
pub fn offline_push(request: &Bytes, push: Option<&RawValue>) -> Bytes {
    push.map_or_else(Bytes::new, |push| request.slice_ref(push.get().as_bytes()))
}

/// How a message travels and counts, as far as these two say it.
pub fn delivery(copy: SenderCopy, control: SendControl) -> Delivery {
    Delivery {
        hidden_from_sender: match copy {
            SenderCopy::None => true,
            // Devices follow the log, so both bring the message to the sender's devices as well.
            SenderCopy::History | SenderCopy::HistoryAndDevices => false,
        },
        no_unread: control.no_unread,
        no_last: control.no_last_msg,
        ..Delivery::default()
    }
}

/// What a send of the app's backend has to respect.
pub fn rest_terms(control: SendControl) -> Terms {
    Terms { device: None, heeds_recipient: control.with_mute_notifications }
}

/// An import on its way to the rules; `request` is what it was parsed from.
pub fn import(
    app: AppId,
    request: &Bytes,
    wire: import::ImportMessage<'_>,
    rules: &SendRules,
    now_s: u64,
) -> Result<ImportMessage, Failure> {
    let from = UserId::new(&wire.from).ok_or(ErrorCode::BadFromAccount)?;
    let to = UserId::new(&wire.to).ok_or(ErrorCode::BadToAccount)?;
    let time_s = u64::from(wire.time_s);
    if time_s > now_s + IMPORT_AHEAD_SECS_MAX {
        return Err(ErrorCode::BadMsgTimeStamp.with("MsgTimeStamp is in the future"));
    }
    let content = content(request, wire.body, &wire.custom_data, wire.inspected);
    if content.size_bytes > rules.message_bytes_max {
        return Err(ErrorCode::MessageTooLong.into());
    }
    if content.custom_elements > 1 {
        return Err(ErrorCode::BadFormat.into());
    }
    let content_crc = content.crc();
    Ok(ImportMessage {
        app,
        from,
        to,
        // What stands in for it has to be the same in a repeated call, and another one for other content: there are
        // backends that give every message of a second the same random number.
        wire_seq: wire.seq.unwrap_or(wire.random ^ content_crc),
        random: wire.random,
        time_s,
        content_crc,
        body: content.body,
        custom_data: content.custom_data,
        live: wire.kind == import::ImportKind::Live,
    })
}

/// How far the clock of an importing backend may be ahead.
const IMPORT_AHEAD_SECS_MAX: u64 = 60;

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

pub fn message_id(app: AppId, message: &Message) -> String {
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

/// The other way round.
pub fn shown_key(key: MessageKey) -> MsgKey {
    MsgKey { seq: key.wire_seq, random: key.random, time_s: key.time_s }
}

/// A page as it is told, which is always forwards in time, each message with its [`msg_id`].
pub fn told_forwards(app: AppId, direction: Direction, mut page: HistoryPage) -> Vec<(Message, String)> {
    match direction {
        Direction::Older => page.messages.reverse(),
        Direction::Newer => {}
    }
    let with_id = |message: Message| {
        let id = message_id(app, &message);
        (message, id)
    };
    page.messages.into_iter().map(with_id).collect()
}

/// A message as history and devices show it. `id` is its [`msg_id`], which the result borrows.
pub fn shown<'a>(message: &'a Message, id: &'a str) -> RoamMessage<'a> {
    RoamMessage {
        from: message.from.as_str(),
        to: message.to.as_str(),
        key: message_key(message),
        msg_id: id,
        flag_bits: if message.fate.recalled { RECALLED_FLAG } else { NO_FLAGS },
        is_peer_read: message.fate.confirmed,
        body: if message.fate.recalled { NO_BODY } else { &message.body },
        custom_data: text(&message.custom_data),
        client_time_s: message.client_time_s,
        version: u64::from(message.fate.version),
        needs_read_receipt: message.delivery.needs_receipt,
        supports_extension: message.delivery.extensible,
        has_risk_content: message.delivery.marked,
    }
}

/// The frame that tells a device of an entry of its user's log.
pub fn change_frame(app: AppId, epoch: u64, record: &LogRecord) -> Vec<u8> {
    let mut out = Vec::new();
    write_change(app, epoch, record, &mut out);
    out
}

/// Appends the frame of a change.
pub fn write_change(app: AppId, epoch: u64, record: &LogRecord, out: &mut Vec<u8>) {
    let LogRecord { entry, message } = record;
    let position = client::Position { epoch: Cow::Owned(format!("{epoch:x}")), offset: entry.offset };
    let unread = u64::from(entry.unread);
    match (&entry.change, message) {
        (Change::Message { .. }, Some(message)) => {
            client::Push::Message { position, unread, message: &encoded(app, message) }.write(out);
        }
        (Change::Altered { how, .. }, Some(message)) => {
            let message = &encoded(app, message);
            client::Push::Altered { position, unread, how: alteration(*how), message }.write(out);
        }
        // The message is not there any more, and the device has to know that its position moved all the same.
        (Change::Message { .. } | Change::Altered { .. }, None) => {
            client::Push::Resync { position }.write(out);
        }
        (Change::View { peer, how }, _) => {
            let (peer, change) = (peer.as_str(), view_change(*how));
            client::Push::Conversation { position, unread, peer, change }.write(out);
        }
        (Change::Relation { peer, how }, _) => {
            let (peer, news) = (peer.as_str(), relation_news(*how));
            client::Push::Relation { position, unread, peer, news }.write(out);
        }
        (Change::Profile, _) => client::Push::Profile { position, unread }.write(out),
        (Change::Read { reader, peer, time_s, .. }, _) => {
            let (reader, peer) = (reader.as_str(), peer.as_str());
            client::Push::Read { position, unread, reader, peer, read_until_s: *time_s }.write(out);
        }
    }
}

fn alteration(how: Alteration) -> client::Alteration {
    match how {
        Alteration::Recalled => client::Alteration::Recalled,
        Alteration::Edited => client::Alteration::Edited,
        Alteration::Confirmed => client::Alteration::Confirmed,
        Alteration::Extended => client::Alteration::Extended,
        Alteration::Deleted => client::Alteration::Deleted,
    }
}

fn view_change(how: ViewChange) -> client::ViewChange {
    match how {
        ViewChange::Removed => client::ViewChange::Removed,
        ViewChange::Erased => client::ViewChange::Erased,
        ViewChange::Pinned => client::ViewChange::Pinned,
        ViewChange::Unpinned => client::ViewChange::Unpinned,
        ViewChange::Cleared => client::ViewChange::Cleared,
        ViewChange::Noted => client::ViewChange::Noted,
    }
}

fn relation_news(how: RelationNews) -> client::RelationNews {
    match how {
        RelationNews::Befriended => client::RelationNews::Befriended,
        RelationNews::Unfriended => client::RelationNews::Unfriended,
        RelationNews::Blocked => client::RelationNews::Blocked,
        RelationNews::Unblocked => client::RelationNews::Unblocked,
        RelationNews::Asked => client::RelationNews::Asked,
        RelationNews::Noted => client::RelationNews::Noted,
        RelationNews::Unasked => client::RelationNews::Unasked,
        RelationNews::Grouped => client::RelationNews::Grouped,
    }
}

/// Appends the frame of a message that belongs to no log.
pub fn write_online(app: AppId, message: &Message, out: &mut Vec<u8>) {
    client::Push::OnlineMessage { message: &encoded(app, message) }.write(out);
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
        Refusal::SenderMuted => ErrorCode::SenderMuted,
        Refusal::Blocked => ErrorCode::BlockedByRecipient,
        Refusal::NotFriends => ErrorCode::NotFriends,
        Refusal::NotInRecipientsFriends => ErrorCode::NotInRecipientsFriends,
        Refusal::NotInSendersFriends => ErrorCode::NotInSendersFriends,
    }
}

/// Why nothing was done to a message.
pub fn not_altered_code(refusal: NotAltered) -> ErrorCode {
    match refusal {
        NotAltered::NotFound => ErrorCode::MessageNotFound,
        NotAltered::Recalled => ErrorCode::MessageRecalled,
        NotAltered::Conflict => ErrorCode::MessageVersionConflict,
        NotAltered::NotExtensible => ErrorCode::ExtensionsNotSupported,
        NotAltered::TooManyPairs => ErrorCode::ExtensionParameter,
    }
}

/// Who sent, or does something, has no account.
pub fn unknown_sender() -> Failure {
    ErrorCode::BadFromAccount.with("the sender or operator is not an account of the app")
}

/// Whom it goes to, or is about, has no account.
pub fn unknown_recipient() -> Failure {
    ErrorCode::BadToAccount.with("the recipient or peer is not an account of the app")
}

/// What an account's nickname is in its profile.
pub fn nick(text: String) -> (String, ProfileValue) {
    (StandardTag::Nick.as_str().to_owned(), ProfileValue::Text(text))
}

/// What an account's picture is in its profile.
pub fn face_url(text: String) -> (String, ProfileValue) {
    (StandardTag::Image.as_str().to_owned(), ProfileValue::Text(text))
}

/// What the values of a profile mean to the rules; of most they do not know anything.
pub fn profile_settings(items: &[(Tag<'_>, TagValue<'_>)]) -> ProfileSettings {
    let mut settings = ProfileSettings::default();
    for (tag, value) in items {
        match (tag, value) {
            (Tag::Standard(StandardTag::AllowType), TagValue::Text(word)) => {
                settings.admission = AllowType::parse(word).map(admission);
            }
            (Tag::Standard(StandardTag::AdminForbidType), TagValue::Text(word)) => {
                settings.may_ask = AdminForbid::parse(word).map(may_ask);
            }
            (Tag::Standard(StandardTag::MsgSettings), TagValue::Number(bits)) => {
                settings.receives = Some(bits & REFUSES_MESSAGES == 0);
            }
            _ => {}
        }
    }
    settings
}

/// The bit of `MsgSettings` of one who does not want to receive messages.
const REFUSES_MESSAGES: u32 = 1;

fn admission(allow: AllowType) -> Admission {
    match allow {
        AllowType::AllowAny => Admission::Anyone,
        AllowType::NeedConfirm => Admission::Asked,
        AllowType::DenyAny => Admission::Nobody,
    }
}

fn may_ask(forbid: AdminForbid) -> bool {
    match forbid {
        AdminForbid::None => true,
        AdminForbid::SendOut => false,
    }
}

pub fn profile_value(value: TagValue<'_>) -> ProfileValue {
    match value {
        TagValue::Number(number) => ProfileValue::Number(number),
        TagValue::Text(text) => ProfileValue::Text(text.into_owned()),
    }
}

/// A value of a profile, or of what a user notes of a friend, as the wire has it.
pub fn tag_value(value: &ProfileValue) -> TagValue<'_> {
    match value {
        ProfileValue::Number(number) => TagValue::Number(*number),
        ProfileValue::Text(text) => TagValue::Text(Cow::Borrowed(text)),
    }
}

/// What a profile has under a tag; `None` for a custom one that was never set.
pub fn shown_value<'a>(tag: &Tag<'_>, profile: &'a Profile) -> Option<TagValue<'a>> {
    profile.get(tag.as_str()).map(tag_value).or_else(|| tag.default_value())
}

/// How much there may be of what users are to one another.
pub fn relation_limits(limits: &Limits) -> RelationLimits {
    RelationLimits {
        friends_max: limits.friends_len_max,
        blocked_max: limits.blocklist_len_max,
        groups_max: limits.friend_groups_len_max,
        requests_max: limits.friend_requests_len_max,
        custom_max: CUSTOM_TAGS_MAX,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_profile_means_to_the_rules() {
        let none = ProfileSettings::default();
        let word = |word: &'static str| TagValue::Text(word.into());
        let admission = |admission| ProfileSettings { admission: Some(admission), ..none };
        let may_ask = |may_ask| ProfileSettings { may_ask: Some(may_ask), ..none };
        let receives = |receives| ProfileSettings { receives: Some(receives), ..none };
        let table = [
            (StandardTag::AllowType, word("AllowType_Type_AllowAny"), admission(Admission::Anyone)),
            (StandardTag::AllowType, word("AllowType_Type_NeedConfirm"), admission(Admission::Asked)),
            (StandardTag::AllowType, word("AllowType_Type_DenyAny"), admission(Admission::Nobody)),
            (StandardTag::AdminForbidType, word("AdminForbid_Type_None"), may_ask(true)),
            (StandardTag::AdminForbidType, word("AdminForbid_Type_SendOut"), may_ask(false)),
            (StandardTag::MsgSettings, TagValue::Number(0), receives(true)),
            (StandardTag::MsgSettings, TagValue::Number(1), receives(false)),
            (StandardTag::MsgSettings, TagValue::Number(2), receives(true)),
            (StandardTag::MsgSettings, TagValue::Number(u32::MAX), receives(false)),
            (StandardTag::Nick, word("AllowType_Type_DenyAny"), none),
            (StandardTag::Level, TagValue::Number(1), none),
        ];
        for (tag, value, expected) in table {
            let item = (Tag::Standard(tag), value);
            assert_eq!(profile_settings(std::slice::from_ref(&item)), expected, "{item:?}");
        }
    }
}
