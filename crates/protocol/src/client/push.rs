//! What the server tells a device unasked.

use super::{Position, position};
use crate::json::{self, write_json};

/// A frame without `id`: `{"push":"…",…}`. The message in it is JSON that was encoded once, by
/// [`RoamMessage::write`](crate::rest::roam::RoamMessage::write), for everybody who is told.
#[derive(Debug, Clone)]
pub enum Push<'a> {
    /// A message that the user received, or sent from elsewhere.
    Message {
        /// After this change.
        position: Position<'a>,
        /// The user's unread messages in all conversations, after this change.
        unread: u64,
        /// The message.
        message: &'a [u8],
    },
    /// Somebody has read a conversation: the user, on another device, or the other party.
    Read {
        /// After this change.
        position: Position<'a>,
        /// The user's unread messages in all conversations, after this change.
        unread: u64,
        /// Who has read.
        reader: &'a str,
        /// The other party.
        peer: &'a str,
        /// Up to which `MsgTime`, in Unix seconds.
        read_until_s: u64,
    },
    /// A message that is not stored, and so has no position.
    OnlineMessage {
        /// The message.
        message: &'a [u8],
    },
    /// Changes were lost to this device: it has to read its conversations anew, and goes on from this position.
    Resync {
        /// Where to go on.
        position: Position<'a>,
    },
}

impl Push<'_> {
    /// Appends the frame.
    pub fn write(&self, out: &mut Vec<u8>) {
        match self {
            Push::Message { position: after, unread, message } => {
                out.reserve(128 + message.len());
                json::raw(out, br#"{"push":"message","#);
                position(out, after);
                write_json!(out, r#","unread":"#, number(*unread), r#","message":"#, raw(message), "}");
            }
            Push::Read { position: after, unread, reader, peer, read_until_s } => {
                json::raw(out, br#"{"push":"read","#);
                position(out, after);
                write_json!(
                    out,
                    r#","unread":"#,
                    number(*unread),
                    r#","reader":"#,
                    string(reader),
                    r#","peer":"#,
                    string(peer),
                    r#","read_until":"#,
                    number(*read_until_s),
                    "}",
                );
            }
            Push::OnlineMessage { message } => {
                out.reserve(48 + message.len());
                write_json!(out, r#"{"push":"online_message","message":"#, raw(message), "}");
            }
            Push::Resync { position: next } => {
                json::raw(out, br#"{"push":"resync","#);
                position(out, next);
                json::raw(out, b"}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_to_the_letter() {
        let position = Position { epoch: "e1".into(), offset: 42 };
        let message = br#"{"x":1}"#;
        let table = [
            (
                Push::Message { position: position.clone(), unread: 3, message },
                r#"{"push":"message","position":{"epoch":"e1","offset":42},"unread":3,"message":{"x":1}}"#,
            ),
            (
                Push::Read {
                    position: position.clone(),
                    unread: 0,
                    reader: "bo",
                    peer: "ana",
                    read_until_s: 9,
                },
                r#"{"push":"read","position":{"epoch":"e1","offset":42},"unread":0,"reader":"bo","peer":"ana","read_until":9}"#,
            ),
            (Push::OnlineMessage { message }, r#"{"push":"online_message","message":{"x":1}}"#),
            (Push::Resync { position }, r#"{"push":"resync","position":{"epoch":"e1","offset":42}}"#),
        ];
        for (push, expected) in table {
            let mut out = Vec::new();
            push.write(&mut out);
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }
}
