//! Profiles, and the blocklist.

use super::{
    Operation, PLAIN,
    kind::{Kind, Object, PROFILE_TAGS, TEXT, TIME_S, lines},
    member::{required, told},
    object::{AFTER, LIMIT, NEXT, RELATIONS_CODES, RESULTS, peers},
};
use crate::{
    code::ErrorCode,
    limits::{PROFILES_PER_CALL_MAX, RELATIONS_PER_CALL_MAX},
};

const PROFILES_CODES: &[ErrorCode] =
    &[ErrorCode::FrameNotUnderstood, ErrorCode::ListTooLong, ErrorCode::ProfileParameter];

const PROFILE_CODES: &[ErrorCode] = &[
    ErrorCode::FrameNotUnderstood,
    ErrorCode::ProfileParameter,
    ErrorCode::ProfileTagUnknown,
    ErrorCode::ValueTooLong,
    ErrorCode::ProfileValueInvalid,
    ErrorCode::ProfileValueWrongType,
];

const PROFILE: Object = Object {
    name: "Profile",
    about: "What a user tells of themself.",
    members: &[told("user_id", TEXT, "Who."), told("profile", PROFILE_TAGS, "The values of the profile.")],
};

const BLOCKED: Object = Object {
    name: "Blocked",
    about: "Somebody whom the user blocks.",
    members: &[told("peer", TEXT, "Who."), told("time", TIME_S, "Since when, in Unix seconds.")],
};

pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        name: "profiles",
        about: "Reads profiles.",
        request: &[required("users", peers(PROFILES_PER_CALL_MAX), PROFILES_CODES, "Whose.")],
        answer: &[told(
            "profiles",
            lines(&Kind::Object(&PROFILE)),
            "The profiles of those who have an account.",
        )],
        ..PLAIN
    },
    Operation {
        name: "set_profile",
        about: "Changes one's own profile.",
        request: &[required("profile", PROFILE_TAGS, PROFILE_CODES, "The values to be changed.")],
        codes: &[ErrorCode::TooFrequent, ErrorCode::ProfileAccountNotFound, ErrorCode::ProfileTagReadOnly],
        ..PLAIN
    },
    Operation {
        name: "block",
        about: "Puts users on the blocklist.",
        request: &[required("peers", peers(RELATIONS_PER_CALL_MAX), RELATIONS_CODES, "Whom.")],
        answer: &[RESULTS],
        codes: &[ErrorCode::TooFrequent],
        ..PLAIN
    },
    Operation {
        name: "unblock",
        about: "Takes users off the blocklist.",
        request: &[required("peers", peers(RELATIONS_PER_CALL_MAX), RELATIONS_CODES, "Whom.")],
        answer: &[RESULTS],
        codes: &[ErrorCode::TooFrequent],
        ..PLAIN
    },
    Operation {
        name: "blocked",
        about: "Reads a page of the blocklist.",
        request: &[LIMIT, AFTER],
        answer: &[told("blocked", lines(&Kind::Object(&BLOCKED)), "Whom the user blocks."), NEXT],
        ..PLAIN
    },
];
