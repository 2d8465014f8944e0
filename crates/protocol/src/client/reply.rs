//! What the server answers to a device.
//!
//! The answers of an area are in its file, as the requests are.

mod conversation;
mod media;
mod message;
mod people;
mod presence;

pub use conversation::{ConversationEntry, ConversationReply};
pub use media::{ImageSize, MediaReply, Uploaded, UploadedImage, refuse_upload};
pub use message::{Extended, HistoryPage, MessageReply, Receipt, refuse_edit};
pub use people::{Asking, Friend, FriendList, PeerResult, PeopleReply, UserProfile, Values};
pub use presence::PresenceReply;

use super::{Position, position};
use crate::{
    code::Failure,
    json::{self, write_json},
    rest::sendmsg::MessageSent,
};

/// The answer to a request that succeeded: `{"id":…,"ok":{…}}`.
#[derive(Debug, Clone)]
pub enum Reply<'a> {
    /// To `connect`.
    Connected(Connected<'a>),
    /// To `send`, also when the message had been sent before.
    Sent(MessageSent<'a>),
    /// To `ping`.
    Pong {
        /// The server's clock, in Unix milliseconds.
        server_time_ms: u64,
    },
    /// What messages are asked for.
    Message(MessageReply<'a>),
    /// What conversations are asked for.
    Conversation(ConversationReply<'a>),
    /// What people are asked for.
    People(PeopleReply<'a>),
    /// What presence is asked for.
    Presence(PresenceReply<'a>),
    /// What media are asked for.
    Media(MediaReply<'a>),
    /// To a request that has nothing to answer.
    Done,
}

/// The answer to `connect`. Unless `resync` is set, a push follows for every change after the device's position.
#[derive(Debug, Clone)]
pub struct Connected<'a> {
    /// The user who is now logged in.
    pub user_id: &'a str,
    /// Where the user's log ends, or, with `resync`, the position from which to go on.
    pub position: Position<'a>,
    /// The device's position is of no use: it has to read its conversations anew.
    pub resync: bool,
    /// Unread messages in all conversations.
    pub unread: u64,
    /// How often the server wants to hear from the device, in seconds.
    pub heartbeat_secs: u64,
    /// The server's clock, in Unix milliseconds.
    pub server_time_ms: u64,
    /// Names the session, for logs. Devices do not interpret it.
    pub session: &'a str,
    /// For so long a message can be recalled after it was sent, in seconds.
    pub recall_secs: u64,
    /// The longest message.
    pub message_bytes_max: u64,
    /// Whether files can be uploaded.
    pub media: bool,
}

impl Reply<'_> {
    /// Appends the frame that answers the request with this id.
    pub fn write(&self, id: u64, out: &mut Vec<u8>) {
        write_json!(out, r#"{"id":"#, number(id), r#","ok":{"#);
        match self {
            Reply::Connected(connected) => connected.write_members(out),
            Reply::Sent(sent) => write_json!(
                out,
                r#""MsgTime":"#,
                number(sent.key.time_s),
                r#","MsgKey":"#,
                key(&sent.key),
                r#","MsgId":"#,
                string(sent.msg_id),
            ),
            Reply::Pong { server_time_ms } => {
                write_json!(out, r#""server_time_ms":"#, number(*server_time_ms));
            }
            Reply::Message(reply) => reply.write_members(out),
            Reply::Conversation(reply) => reply.write_members(out),
            Reply::People(reply) => reply.write_members(out),
            Reply::Presence(reply) => reply.write_members(out),
            Reply::Media(reply) => reply.write_members(out),
            Reply::Done => {}
        }
        json::raw(out, b"}}");
    }
}

/// Appends the frame that refuses a request: `{"id":…,"error":{…}}`. The id is `null` when it could not be read.
pub fn refuse(id: Option<u64>, failure: &Failure, out: &mut Vec<u8>) {
    begin_refusal(id, failure, out);
    json::raw(out, b"}}");
}

/// Appends all of a refusal but the braces at its end.
fn begin_refusal(id: Option<u64>, failure: &Failure, out: &mut Vec<u8>) {
    json::raw(out, br#"{"id":"#);
    match id {
        Some(id) => json::number(out, id),
        None => json::raw(out, b"null"),
    }
    write_json!(
        out,
        r#","error":{"code":"#,
        number(u64::from(failure.code)),
        r#","text":"#,
        string(&failure.info),
        r#","temporary":"#,
        boolean(failure.temporary()),
    );
}

impl Connected<'_> {
    fn write_members(&self, out: &mut Vec<u8>) {
        write_json!(out, r#""user_id":"#, string(self.user_id), ",");
        position(out, &self.position);
        write_json!(
            out,
            r#","resync":"#,
            boolean(self.resync),
            r#","unread":"#,
            number(self.unread),
            r#","heartbeat_secs":"#,
            number(self.heartbeat_secs),
            r#","server_time_ms":"#,
            number(self.server_time_ms),
            r#","session":"#,
            string(self.session),
            r#","recall_secs":"#,
            number(self.recall_secs),
            r#","message_bytes_max":"#,
            number(self.message_bytes_max),
            r#","media":"#,
            boolean(self.media),
        );
    }
}

/// Appends the member that says where the next page of a list begins: `null` at the end.
fn write_next(out: &mut Vec<u8>, next: Option<&str>) {
    json::raw(out, br#","next":"#);
    match next {
        Some(next) => json::string(out, next),
        None => json::raw(out, b"null"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ErrorCode, MsgKey};

    fn frame(reply: &Reply<'_>) -> String {
        let mut out = Vec::new();
        reply.write(2, &mut out);
        serde_json::from_slice::<&serde_json::value::RawValue>(&out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn frames_to_the_letter() {
        let connected = Connected {
            user_id: "ana",
            position: Position { epoch: "e1".into(), offset: 42 },
            resync: false,
            unread: 3,
            heartbeat_secs: 30,
            server_time_ms: 1_767_000_100_250,
            session: "1b0",
            recall_secs: 120,
            message_bytes_max: 12_288,
            media: false,
        };
        let key = MsgKey { seq: 7, random: 4021, time_s: 1_760_000_000 };
        let table = [
            (
                Reply::Connected(connected),
                r#"{"id":2,"ok":{"user_id":"ana","position":{"epoch":"e1","offset":42},"resync":false,"unread":3,"heartbeat_secs":30,"server_time_ms":1767000100250,"session":"1b0","recall_secs":120,"message_bytes_max":12288,"media":false}}"#,
            ),
            (
                Reply::Sent(MessageSent { key, msg_id: "9-8-4021" }),
                r#"{"id":2,"ok":{"MsgTime":1760000000,"MsgKey":"7_4021_1760000000","MsgId":"9-8-4021"}}"#,
            ),
            (Reply::Pong { server_time_ms: 5 }, r#"{"id":2,"ok":{"server_time_ms":5}}"#),
            (
                Reply::Message(MessageReply::History(HistoryPage { messages: &[], next: None })),
                r#"{"id":2,"ok":{"messages":[],"complete":true,"next":null}}"#,
            ),
            (Reply::Done, r#"{"id":2,"ok":{}}"#),
        ];
        for (reply, expected) in table {
            assert_eq!(frame(&reply), expected);
        }
    }

    #[test]
    fn refusals_to_the_letter() {
        let table = [
            (
                Some(2),
                ErrorCode::Internal.with("later"),
                r#"{"id":2,"error":{"code":91000,"text":"later","temporary":true}}"#,
            ),
            (
                None,
                ErrorCode::FrameNotUnderstood.with("no"),
                r#"{"id":null,"error":{"code":11002,"text":"no","temporary":false}}"#,
            ),
        ];
        for (id, failure, expected) in table {
            let mut out = Vec::new();
            refuse(id, &failure, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }
}
