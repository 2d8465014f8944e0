//! Push to a device that is not connected.

use super::{
    Operation, PLAIN,
    kind::{Kind, Words, text},
    member::{WRONG, optional, required},
};
use crate::{
    code::ErrorCode,
    limits::{DEVICE_ID_LEN_MAX, PUSH_TOKEN_LEN_MAX},
};

const PROVIDER_WORDS: Words = Words {
    name: "PushProvider",
    about: "Who carries push: Firebase Cloud Messaging, or Apple.",
    words: &["fcm", "apns"],
};

const TOKEN_CODES: &[ErrorCode] =
    &[ErrorCode::FrameNotUnderstood, ErrorCode::PushTokenEmpty, ErrorCode::PushTokenTooLong];

const DEVICE: super::Member = optional(
    "device",
    text(1, DEVICE_ID_LEN_MAX),
    WRONG,
    "the `device_id` of `connect`",
    "Which device, by a name that stays the same from login to login.",
);

pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        name: "set_push_token",
        about: "Has the device pushed what it misses while it is not connected.",
        request: &[
            required("provider", Kind::Word(&PROVIDER_WORDS), WRONG, "Who carries the push."),
            required(
                "token",
                text(1, PUSH_TOKEN_LEN_MAX),
                TOKEN_CODES,
                "What the installed app is known by to the carrier.",
            ),
            DEVICE,
        ],
        ..PLAIN
    },
    Operation {
        name: "drop_push_token",
        about: "Has the device pushed nothing any more.",
        request: &[DEVICE],
        ..PLAIN
    },
];
