//! Who is online.

use super::{
    Operation, PLAIN,
    kind::{Kind, Object, TEXT, USER_ID, lines, text},
    member::{WRONG, optional, required, told, told_if},
    object::{STATUS_WORDS, USERS_CODES, peers},
};
use crate::{
    code::ErrorCode,
    limits::{CUSTOM_STATUS_LEN_MAX, SUBSCRIPTIONS_PER_CALL_MAX, TARGETS_PER_CALL_MAX},
};

const STATUS_CODES: &[ErrorCode] =
    &[ErrorCode::FrameNotUnderstood, ErrorCode::TooManyTargets, ErrorCode::BadToAccount];

const STATUS: Object = Object {
    name: "Status",
    about: "Whether a user is online.",
    members: &[
        told("user_id", TEXT, "Who."),
        told("status", Kind::Word(&STATUS_WORDS), "Whether they are online."),
        told("custom", TEXT, "What they show with it, or empty."),
    ],
};

pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        name: "status",
        about: "Asks who is online.",
        request: &[required("users", peers(TARGETS_PER_CALL_MAX), STATUS_CODES, "Who.")],
        answer: &[told(
            "statuses",
            lines(&Kind::Object(&STATUS)),
            "One for each, in the order of the request.",
        )],
        ..PLAIN
    },
    Operation {
        name: "set_status",
        about: "Shows a text for as long as the user is online.",
        request: &[optional("custom", text(0, CUSTOM_STATUS_LEN_MAX), WRONG, "none", "The text.")],
        codes: &[ErrorCode::TooFrequent],
        ..PLAIN
    },
    Operation {
        name: "subscribe",
        about: "Asks who is online, and to be told of changes for as long as this connection lasts.",
        request: &[required("users", peers(SUBSCRIPTIONS_PER_CALL_MAX), USERS_CODES, "Whose changes.")],
        answer: &[
            told("statuses", lines(&Kind::Object(&STATUS)), "One for each, in the order of the request."),
            told_if(
                "dropped",
                lines(&USER_ID),
                "there were too many",
                "Whose changes are not told any more.",
            ),
        ],
        ..PLAIN
    },
    Operation {
        name: "unsubscribe",
        about: "Asks not to be told of changes any more.",
        request: &[optional(
            "users",
            peers(SUBSCRIPTIONS_PER_CALL_MAX),
            USERS_CODES,
            "everybody's",
            "Whose.",
        )],
        ..PLAIN
    },
];
