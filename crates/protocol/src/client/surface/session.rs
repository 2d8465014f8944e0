//! Logging in, and staying connected.

use super::{
    Operation, PLAIN,
    kind::{FLAG, Kind, TEXT, U32, U64, USER_ID, text},
    member::{WRONG, optional, required, told},
    object::POSITION,
};
use crate::{code::ErrorCode, limits::DEVICE_ID_LEN_MAX};

pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        name: "connect",
        about: "Logs in. It is the first frame of every connection.",
        request: &[
            required("sdkappid", U32, &[ErrorCode::SdkAppIdMissing, ErrorCode::BadUrlParameter], "The app."),
            required("user_id", USER_ID, &[ErrorCode::BadUrlParameter], "Who logs in."),
            required("usersig", TEXT, WRONG, "The proof, made by the app's backend."),
            optional(
                "platform",
                TEXT,
                WRONG,
                "`Unknown`",
                "`Web`, `Android`, `iOS`, `Windows`, `Mac` or `iPad`; anything else counts as `Unknown`.",
            ),
            optional(
                "device_id",
                text(1, DEVICE_ID_LEN_MAX),
                WRONG,
                "a device of its own",
                "Stays the same from login to login.",
            ),
            optional(
                "position",
                Kind::Object(&POSITION),
                WRONG,
                "nothing of the past is pushed",
                "The last position that the device has.",
            ),
        ],
        answer: &[
            told("user_id", TEXT, "Who is logged in."),
            told("position", Kind::Object(&POSITION), "Where the user's log ends."),
            told("resync", FLAG, "Whether what the device has is of no use."),
            told("unread", U64, "Unread messages in all conversations."),
            told("heartbeat_secs", U64, "How often the server wants to hear from the device."),
            told("server_time_ms", U64, "The server's clock, in Unix milliseconds."),
            told("session", TEXT, "Names this connection."),
            told("recall_secs", U64, "For how long a message can be recalled."),
            told("message_bytes_max", U64, "How long a message can be."),
            told("media", FLAG, "Whether files can be uploaded."),
        ],
        codes: &[
            ErrorCode::UserSigExpired,
            ErrorCode::UserSigMissing,
            ErrorCode::UserSigIllegal,
            ErrorCode::UserSigWrongKey,
            ErrorCode::UserSigOtherIdentifier,
            ErrorCode::UserSigOtherApp,
            ErrorCode::AppNotFound,
            ErrorCode::UserSigRevoked,
        ],
        ..PLAIN
    },
    Operation {
        name: "ping",
        about: "Asks whether anybody is there.",
        answer: &[told("server_time_ms", U64, "The server's clock, in Unix milliseconds.")],
        ..PLAIN
    },
];
