//! Conversations: what was read, and the user's own list of them.

use super::{
    Choice, Member, Operation, PLAIN,
    kind::{FLAG, Kind, Object, TEXT, TIME_S, U64, Words, lines, text},
    member::{WRONG, optional, required, told},
    object::{MESSAGE, NEXT, PEER, POSITION, peers},
};
use crate::{
    code::ErrorCode,
    limits::{
        CONVERSATION_CUSTOM_LEN_MAX, CONVERSATION_MARK_MAX, CONVERSATIONS_PER_REQUEST_MAX,
        NOTIFIED_PER_REQUEST_MAX,
    },
    rest::surface::Form,
};

const PEERS_CODES: &[ErrorCode] =
    &[ErrorCode::FrameNotUnderstood, ErrorCode::TooManyConversations, ErrorCode::BadToAccount];

const NOTED_CODES: &[ErrorCode] = &[ErrorCode::FrameNotUnderstood, ErrorCode::ContactParameter];

const PLACE: Form =
    Form { words: "the `next` of a page", pattern: "^[0-9]+-[0-9]+$", sample: "1700000000-2" };

const NOTIFY_WORDS: Words = Words {
    name: "Notify",
    about: "What messages of a conversation do. `AcceptNotNotify`: they come without a sound. `Discard`: they do not come.",
    words: &["AcceptAndNotify", "AcceptNotNotify", "Discard"],
};

const CONVERSATION: Object = Object {
    name: "Conversation",
    about: "A conversation in the user's own list.",
    members: &[
        told("peer", TEXT, "The other party."),
        told("time", TIME_S, "When something happened in it last, in Unix seconds."),
        told("unread", U64, "Unread messages in it."),
        told("pinned", FLAG, "Whether it is pinned."),
        told("pinned_time_ms", U64, "Since when, in Unix milliseconds; 0 if it is not."),
        told("notify", Kind::Word(&NOTIFY_WORDS), "What its messages do."),
        told("marks", lines(&U64), "The marks that it has, in ascending order."),
        told("custom", TEXT, "What was annotated."),
        told("last", Kind::OrNull(&Kind::Object(&MESSAGE)), "Its last message, if there is one to show."),
        told("peer_read_until", TIME_S, "Up to which second the other party has read."),
        told("read_until", TIME_S, "Up to which second the user has read."),
        told("remark", TEXT, "The remark about the peer on the friend list, or empty."),
    ],
};

const PEERS: Member =
    required("peers", peers(CONVERSATIONS_PER_REQUEST_MAX), PEERS_CODES, "The other parties.");

pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        name: "read",
        about: "Everything in a conversation has been read.",
        request: &[
            PEER,
            optional(
                "until",
                TIME_S,
                WRONG,
                "everything",
                "Only messages of this Unix second or older ones.",
            ),
        ],
        codes: &[ErrorCode::TooFrequent],
        ..PLAIN
    },
    Operation {
        name: "read_all",
        about: "Everything in all conversations has been read.",
        codes: &[ErrorCode::TooFrequent],
        ..PLAIN
    },
    Operation {
        name: "clear",
        about: "Forgets the history of a conversation, for oneself. It stays in the list.",
        request: &[PEER],
        codes: &[ErrorCode::TooFrequent, ErrorCode::ContactAccountNotFound],
        ..PLAIN
    },
    Operation {
        name: "conversations",
        about: "Reads a page of the list of conversations, newest first, or those with some peers.",
        request: &[
            optional(
                "limit",
                Kind::Integer { min: 1, max: u32::MAX as u64 },
                WRONG,
                "20",
                "How many at most, up to `limits.contacts_page_len_max` (100).",
            ),
            optional(
                "after",
                Kind::Form(&PLACE),
                WRONG,
                "from the newest on",
                "The `next` of the page before.",
            ),
            optional(
                "peers",
                peers(CONVERSATIONS_PER_REQUEST_MAX),
                PEERS_CODES,
                "a page of the list",
                "The conversations with these, as far as they are there.",
            ),
        ],
        choice: Choice::InPlaceOfOthers("peers"),
        answer: &[
            told("conversations", lines(&Kind::Object(&CONVERSATION)), "The conversations."),
            NEXT,
            told("position", Kind::Object(&POSITION), "Where the user's log ended when they were read."),
            told("unread", U64, "Unread messages in all conversations."),
        ],
        codes: &[ErrorCode::ContactAccountNotFound],
        ..PLAIN
    },
    Operation {
        name: "pin",
        about: "Pins a conversation, or lets it go.",
        request: &[PEER, required("pinned", FLAG, WRONG, "Whether it is to be pinned.")],
        codes: &[ErrorCode::TooFrequent, ErrorCode::ContactAccountNotFound, ErrorCode::TooManyPinned],
        ..PLAIN
    },
    Operation {
        name: "remove",
        about: "Takes a conversation out of the list.",
        request: &[PEER, optional("erase", FLAG, WRONG, "false", "Whether its history goes too.")],
        codes: &[ErrorCode::TooFrequent, ErrorCode::ContactAccountNotFound],
        ..PLAIN
    },
    Operation {
        name: "notify",
        about: "Says what messages of some conversations do.",
        request: &[
            Member { kind: peers(NOTIFIED_PER_REQUEST_MAX), ..PEERS },
            required("notify", Kind::Word(&NOTIFY_WORDS), NOTED_CODES, "What they do from now on."),
        ],
        codes: &[ErrorCode::TooFrequent, ErrorCode::ContactAccountNotFound],
        ..PLAIN
    },
    Operation {
        name: "mark",
        about: "Puts a mark on some conversations, or takes it away.",
        request: &[
            PEERS,
            required(
                "mark",
                Kind::Integer { min: 1, max: CONVERSATION_MARK_MAX as u64 },
                NOTED_CODES,
                "1 star, 2 unread, 3 fold, 4 hide; others are the app's own.",
            ),
            required("on", FLAG, WRONG, "Whether they are to have it."),
        ],
        codes: &[ErrorCode::TooFrequent, ErrorCode::ContactAccountNotFound],
        ..PLAIN
    },
    Operation {
        name: "annotate",
        about: "Keeps data of the app's own with some conversations.",
        request: &[
            PEERS,
            required(
                "custom",
                text(0, CONVERSATION_CUSTOM_LEN_MAX),
                NOTED_CODES,
                "The data; empty for none.",
            ),
        ],
        codes: &[ErrorCode::TooFrequent, ErrorCode::ContactAccountNotFound],
        ..PLAIN
    },
];
