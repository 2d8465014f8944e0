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
            (Push::Resync { position }, r#"{"push":"resync","position":{"epoch":"e1","offset":42}}"#),
        ];
        for (push, expected) in table {
            let mut out = Vec::new();
            push.write(&mut out);
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }
}
