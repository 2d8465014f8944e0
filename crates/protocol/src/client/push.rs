//! What the server tells a device unasked.

use super::{Position, position, presence::Presence};
use crate::{
    code::CloseCode,
    json::{self, write_json},
};

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
    /// Something happened to a message that the user has.
    Altered {
        /// After this change.
        position: Position<'a>,
        /// The user's unread messages in all conversations, after this change.
        unread: u64,
        /// What happened to it.
        how: Alteration,
        /// The message as it is now.
        message: &'a [u8],
    },
    /// The user's own view of a conversation changed, on another device or by the app's backend.
    Conversation {
        /// After this change.
        position: Position<'a>,
        /// The user's unread messages in all conversations, after this change.
        unread: u64,
        /// The other party.
        peer: &'a str,
        /// What was done.
        change: ViewChange,
    },
    /// What the user and another are to one another changed.
    Relation {
        /// After this change.
        position: Position<'a>,
        /// The user's unread messages in all conversations.
        unread: u64,
        /// The other.
        peer: &'a str,
        /// What is new.
        news: RelationNews,
    },
    /// The user's own profile was written to.
    Profile {
        /// After this change.
        position: Position<'a>,
        /// The user's unread messages in all conversations.
        unread: u64,
    },
    /// A message that is not stored, and so has no position.
    OnlineMessage {
        /// The message.
        message: &'a [u8],
    },
    /// A user whom this session has subscribed to can be reached otherwise than before. Belongs to no log.
    Presence(Presence<'a>),
    /// The session ends; the connection is closed next.
    Kicked {
        /// Why.
        reason: KickReason,
    },
    /// Changes were lost to this device: it has to read its conversations anew, and goes on from this position.
    Resync {
        /// Where to go on.
        position: Position<'a>,
    },
}

macro_rules! words {
    ($(#[$doc:meta])* $type:ident { $( $(#[$word_doc:meta])* $name:ident = $word:literal, )* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $type { $( $(#[$word_doc])* $name, )* }

        impl $type {
            /// All of them.
            pub const ALL: [$type; [$($word),*].len()] = [ $( $type::$name, )* ];

            /// All the words.
            pub const WORDS: &'static [&'static str] = &[ $( $word, )* ];

            /// The word in the frame.
            pub fn as_str(self) -> &'static str {
                match self { $( $type::$name => $word, )* }
            }
        }
    };
}

words! {
    /// What happened to a message; also the name of its push.
    Alteration {
        /// It was taken back, and has no content any more.
        Recalled = "recalled",
        /// It says something else now.
        Edited = "edited",
        /// Its recipient has confirmed that it was read.
        Confirmed = "confirmed",
        /// Its key-value pairs changed.
        Extended = "extended",
        /// The user has deleted it for themself.
        Deleted = "deleted",
    }
}

words! {
    /// What was done to a conversation in the user's own list.
    ViewChange {
        /// Taken out of the list; its history stays.
        Removed = "removed",
        /// Taken out of the list, with its history.
        Erased = "erased",
        /// Pinned.
        Pinned = "pinned",
        /// Not pinned any more.
        Unpinned = "unpinned",
        /// The history is gone; the conversation stays in the list.
        Cleared = "cleared",
        /// What the user set or noted for it is new.
        Noted = "noted",
    }
}

words! {
    /// What is new between the user and another.
    RelationNews {
        /// The other is on the user's friend list now.
        Befriended = "befriended",
        /// The other is not on the user's friend list any more.
        Unfriended = "unfriended",
        /// The user blocks the other now.
        Blocked = "blocked",
        /// The user does not block the other any more.
        Unblocked = "unblocked",
        /// The other wants to be friends.
        Asked = "asked",
        /// What the user notes of the other changed.
        Noted = "noted",
        /// The wish of the other to be friends is gone without an agreement.
        Unasked = "unasked",
        /// The user's own friend groups were made, renamed or removed; the other is the user.
        Grouped = "grouped",
    }
}

words! {
    /// Why the server ends a session.
    KickReason {
        /// A newer login of the user, on another device, and the app does not allow both.
        OtherDevice = "other_device",
        /// The same device logged in again.
        SameDevice = "same_device",
        /// The app's backend has called back the user's UserSigs.
        Revoked = "revoked",
        /// The UserSig that the session rests on has expired.
        Expired = "expired",
        /// The account was deleted.
        Deleted = "deleted",
    }
}

impl KickReason {
    /// What the connection is closed with afterwards.
    pub fn close_code(self) -> CloseCode {
        match self {
            KickReason::OtherDevice | KickReason::Revoked | KickReason::Deleted => CloseCode::Kicked,
            KickReason::SameDevice => CloseCode::Replaced,
            KickReason::Expired => CloseCode::Expired,
        }
    }
}

impl Push<'_> {
    /// Appends the frame.
    pub fn write(&self, out: &mut Vec<u8>) {
        match self {
            Push::Message { position: after, unread, message } => {
                out.reserve(128 + message.len());
                begin(out, "message", after, *unread);
                write_json!(out, r#","message":"#, raw(message), "}");
            }
            Push::Read { position: after, unread, reader, peer, read_until_s } => {
                begin(out, "read", after, *unread);
                write_json!(
                    out,
                    r#","reader":"#,
                    string(reader),
                    r#","peer":"#,
                    string(peer),
                    r#","read_until":"#,
                    number(*read_until_s),
                    "}",
                );
            }
            Push::Altered { position: after, unread, how, message } => {
                out.reserve(128 + message.len());
                begin(out, how.as_str(), after, *unread);
                write_json!(out, r#","message":"#, raw(message), "}");
            }
            Push::Conversation { position: after, unread, peer, change } => {
                begin(out, "conversation", after, *unread);
                write_json!(out, r#","peer":"#, string(peer), r#","change":"#, string(change.as_str()), "}");
            }
            Push::Relation { position: after, unread, peer, news } => {
                begin(out, "relation", after, *unread);
                write_json!(out, r#","peer":"#, string(peer), r#","news":"#, string(news.as_str()), "}");
            }
            Push::Profile { position: after, unread } => {
                begin(out, "profile", after, *unread);
                json::raw(out, b"}");
            }
            Push::OnlineMessage { message } => {
                out.reserve(48 + message.len());
                write_json!(out, r#"{"push":"online_message","message":"#, raw(message), "}");
            }
            Push::Presence(presence) => {
                json::raw(out, br#"{"push":"presence","#);
                presence.write_members(out);
                json::raw(out, b"}");
            }
            Push::Kicked { reason } => {
                write_json!(out, r#"{"push":"kicked","reason":"#, string(reason.as_str()), "}");
            }
            Push::Resync { position: next } => {
                json::raw(out, br#"{"push":"resync","#);
                position(out, next);
                json::raw(out, b"}");
            }
        }
    }
}

fn begin(out: &mut Vec<u8>, push: &str, after: &Position<'_>, unread: u64) {
    write_json!(out, r#"{"push":"#, string(push), ",");
    position(out, after);
    write_json!(out, r#","unread":"#, number(unread));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Reach;

    #[test]
    fn a_kicked_device_does_not_come_back_by_itself() {
        let codes = KickReason::ALL.map(|reason| (reason.as_str(), reason.close_code().number()));
        let expected = [
            ("other_device", 4503),
            ("same_device", 4505),
            ("revoked", 4503),
            ("expired", 4506),
            ("deleted", 4503),
        ];
        assert_eq!(codes, expected);
    }

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
            (
                Push::Altered { position: position.clone(), unread: 3, how: Alteration::Recalled, message },
                r#"{"push":"recalled","position":{"epoch":"e1","offset":42},"unread":3,"message":{"x":1}}"#,
            ),
            (
                Push::Conversation {
                    position: position.clone(),
                    unread: 3,
                    peer: "bo",
                    change: ViewChange::Erased,
                },
                r#"{"push":"conversation","position":{"epoch":"e1","offset":42},"unread":3,"peer":"bo","change":"erased"}"#,
            ),
            (
                Push::Relation {
                    position: position.clone(),
                    unread: 3,
                    peer: "bo",
                    news: RelationNews::Asked,
                },
                r#"{"push":"relation","position":{"epoch":"e1","offset":42},"unread":3,"peer":"bo","news":"asked"}"#,
            ),
            (
                Push::Profile { position: position.clone(), unread: 3 },
                r#"{"push":"profile","position":{"epoch":"e1","offset":42},"unread":3}"#,
            ),
            (Push::OnlineMessage { message }, r#"{"push":"online_message","message":{"x":1}}"#),
            (
                Push::Presence(Presence { user_id: "bo", status: Reach::PushOnline, custom: "" }),
                r#"{"push":"presence","user_id":"bo","status":"PushOnline","custom":""}"#,
            ),
            (
                Push::Kicked { reason: KickReason::OtherDevice },
                r#"{"push":"kicked","reason":"other_device"}"#,
            ),
            (Push::Resync { position }, r#"{"push":"resync","position":{"epoch":"e1","offset":42}}"#),
        ];
        for (push, expected) in table {
            let mut out = Vec::new();
            push.write(&mut out);
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }
}
