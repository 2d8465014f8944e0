//! Objects that more than one operation or push has.

use super::{
    Member,
    kind::{BIT, FLAG, Kind, MSG_KEY, Object, TEXT, TIME_S, U32, U64, USER_ID, Words, lines, list},
    member::{WRONG, optional, required, told, told_if},
};
use crate::{
    code::ErrorCode,
    limits::{EPOCH_LEN_MAX, MSG_KEYS_PER_CALL_MAX},
};

pub(super) const PEER: Member = required("peer", USER_ID, &[ErrorCode::BadToAccount], "The other party.");

pub(super) const KEY: Member = required("key", MSG_KEY, &[ErrorCode::BadMsgKey], "The key of the message.");

pub(super) const POSITION: Object = Object {
    name: "Position",
    about: "A place in a user's log. Offsets are compared only within one epoch.",
    members: &[
        required("epoch", Kind::Text { min: 0, max: Some(EPOCH_LEN_MAX) }, WRONG, "Names the log."),
        required("offset", U64, WRONG, "The number of the last entry seen."),
    ],
};

pub(super) const MESSAGE: Object = Object {
    name: "Message",
    about: "A message as history shows it.",
    members: &[
        told("From_Account", TEXT, "Who sent it."),
        told("To_Account", TEXT, "Who got it."),
        told("MsgSeq", U32, "Orders messages of the same second."),
        told("MsgRandom", U32, "As it was sent."),
        told("MsgTimeStamp", TIME_S, "Its time by the server's clock, in Unix seconds."),
        told("MsgFlagBits", Kind::Choice(&[0, 8]), "8: it was recalled, and has no content any more."),
        told("IsPeerRead", BIT, "1: its recipient has confirmed to have read it."),
        told("MsgKey", MSG_KEY, "Its key, by which requests name it."),
        told("MsgId", TEXT, "What it is known by among clients."),
        told(
            "MsgBody",
            Kind::Elements,
            "What it says, to the byte as it was sent; empty when it was recalled.",
        ),
        told("CloudCustomData", TEXT, "As it was sent."),
        told("MsgClientTime", TIME_S, "The sender's own clock, in Unix seconds."),
        told("MsgVersion", U64, "Rises with every edit."),
        told("IsNeedReadReceipt", BIT, "As it was sent."),
        told("SupportMessageExtension", BIT, "As it was sent."),
        told_if(
            "HasRiskContent",
            Kind::Choice(&[1]),
            "it is so",
            "1: a word list with the action `mark` fits it.",
        ),
    ],
};

pub(super) const REFUSAL: Object = Object {
    name: "WireError",
    about: "Why a request was refused.",
    members: &[
        told("code", U32, "One of the error codes, or one that the app's own backend chose."),
        told("text", TEXT, "For people."),
        told("temporary", FLAG, "Whether the same request may succeed later."),
        told_if("message", Kind::Object(&MESSAGE), "an `edit` met another edit", "The message as it stands."),
    ],
};

/// The keys of messages in one conversation.
pub(super) const KEYS: Member = required(
    "keys",
    list(&MSG_KEY, MSG_KEYS_PER_CALL_MAX),
    &[ErrorCode::FrameNotUnderstood, ErrorCode::ListTooLong, ErrorCode::BadMsgKey],
    "The keys of the messages.",
);

/// Users whom a request names by `peers`, at most so many.
pub(super) const fn peers(max: usize) -> Kind {
    list(&USER_ID, max)
}

pub(super) const USERS_CODES: &[ErrorCode] =
    &[ErrorCode::FrameNotUnderstood, ErrorCode::ListTooLong, ErrorCode::BadToAccount];

/// Users as those operations name them whose codes are those of `sns`.
pub(super) const RELATIONS_CODES: &[ErrorCode] =
    &[ErrorCode::FrameNotUnderstood, ErrorCode::ListTooLong, ErrorCode::RelationParameter];

/// Where the next page begins.
pub(super) const NEXT: Member = told(
    "next",
    Kind::OrNull(&TEXT),
    "What to give as `after` for the next page; `null` when this is the last one.",
);

/// How long a page of a list of people is.
pub(super) const LIMIT: Member = optional(
    "limit",
    Kind::Integer { min: 1, max: u32::MAX as u64 },
    WRONG,
    "100",
    "How many at most, up to 100.",
);

/// Where a page of a list of people begins.
pub(super) const AFTER: Member =
    optional("after", TEXT, WRONG, "from the beginning", "The `next` of the page before.");

/// What became of each of several.
pub(super) const RESULTS: Member =
    told("results", lines(&Kind::Object(&PEER_RESULT)), "One for each, in the order of the request.");

const PEER_RESULT: Object = Object {
    name: "PeerResult",
    about: "What became of one of several.",
    members: &[
        told("peer", TEXT, "Who."),
        told("code", U32, "0, or an error code."),
        told_if("text", TEXT, "`code` is not 0", "For people."),
    ],
};

pub(super) const STATUS_WORDS: Words = Words {
    name: "StatusType",
    about: "Whether a user is online. `PushOnline`: not connected, and reached by offline push. `Unknown`: there is no such account.",
    words: &["Online", "PushOnline", "Offline", "Unknown"],
};
