//! What the server tells a device unasked.

use super::{
    Member,
    kind::{Kind, Object, TEXT, TIME_S, U64, Words},
    member::told,
    object::{MESSAGE, POSITION, STATUS_WORDS},
};
use crate::client::{KickReason, RelationNews, ViewChange};

/// Something that the server tells a device unasked.
#[derive(Debug, Clone, Copy)]
pub struct Push {
    /// `push`.
    pub name: &'static str,
    /// What happened, in one sentence.
    pub about: &'static str,
    /// Whether it tells of an entry of the user's log, and so has the members of [`CHANGE`].
    pub is_change: bool,
    /// Its members, besides `push` and those of [`CHANGE`].
    pub members: &'static [Member],
}

/// What every push that tells of an entry of the user's log has.
pub const CHANGE: &Object = &Object {
    name: "Change",
    about: "What every push that changes something has.",
    members: &[
        told("position", Kind::Object(&POSITION), "The position after the change."),
        told("unread", U64, "The user's unread messages in all conversations, after the change."),
    ],
};

const MESSAGE_NOW: &[Member] = &[told("message", Kind::Object(&MESSAGE), "The message as it is now.")];

const VIEW_CHANGE: Words = Words {
    name: "ViewChange",
    about: "What was done to a conversation in the user's own list.",
    words: ViewChange::WORDS,
};

const RELATION_NEWS: Words = Words {
    name: "RelationNews",
    about: "What is new between the user and another.",
    words: RelationNews::WORDS,
};

const KICK_REASON: Words =
    Words { name: "KickReason", about: "Why the server ends a session.", words: KickReason::WORDS };

const fn of_message(name: &'static str, about: &'static str) -> Push {
    Push { name, about, is_change: true, members: MESSAGE_NOW }
}

/// Every push.
pub const PUSHES: &[Push] = &[
    of_message("message", "The user received a message, or sent one."),
    Push {
        name: "read",
        about: "A conversation was read, by the user or by the other party.",
        is_change: true,
        members: &[
            told("reader", TEXT, "Who has read."),
            told("peer", TEXT, "Whose messages."),
            told("read_until", TIME_S, "Up to which Unix second."),
        ],
    },
    of_message("recalled", "A message was taken back, and has no content any more."),
    of_message("edited", "A message says something else now."),
    of_message("confirmed", "The recipient of a message has confirmed to have read it."),
    of_message("extended", "The key-value pairs of a message changed."),
    of_message("deleted", "The user has deleted a message for themself."),
    Push {
        name: "conversation",
        about: "The user's own list of conversations changed.",
        is_change: true,
        members: &[
            told("peer", TEXT, "The other party."),
            told("change", Kind::Word(&VIEW_CHANGE), "What was done."),
        ],
    },
    Push {
        name: "relation",
        about: "What the user and another are to one another changed.",
        is_change: true,
        members: &[
            told("peer", TEXT, "The other."),
            told("news", Kind::Word(&RELATION_NEWS), "What is new."),
        ],
    },
    Push { name: "profile", about: "The user's own profile was written to.", is_change: true, members: &[] },
    Push {
        name: "online_message",
        about: "A message that is kept nowhere.",
        is_change: false,
        members: &[told("message", Kind::Object(&MESSAGE), "The message.")],
    },
    Push {
        name: "resync",
        about: "Changes are lost to this device: it reads its conversations anew.",
        is_change: false,
        members: &[told("position", Kind::Object(&POSITION), "Where to go on.")],
    },
    Push {
        name: "presence",
        about: "Somebody whose changes are subscribed came, went, or shows something else.",
        is_change: false,
        members: &[
            told("user_id", TEXT, "Who."),
            told("status", Kind::Word(&STATUS_WORDS), "Whether they are online."),
            told("custom", TEXT, "What they show with it, or empty."),
        ],
    },
    Push {
        name: "kicked",
        about: "The server is about to end this session.",
        is_change: false,
        members: &[told("reason", Kind::Word(&KICK_REASON), "Why.")],
    },
];
