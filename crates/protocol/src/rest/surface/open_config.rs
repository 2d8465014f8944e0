//! `openconfigsvr`: mutes.

use super::{
    Compat, Entry, Example, PLAIN,
    kind::{U32, USER_ID},
    member::{optional, required, told},
    ok, when,
};
use crate::code::ErrorCode;

const TIME: &[ErrorCode] = &[ErrorCode::MuteTimeMissing];

pub(super) const SET_MUTE: Entry = Entry {
    summary: "Mutes a user, or lifts that",
    notes: &[
        "A muted user's devices cannot send; a send is refused with 20012 and the before-send callback is not asked. What REST sends is not affected. A mute ends by itself.",
    ],
    request: &[
        required(
            "Set_Account",
            USER_ID,
            &[ErrorCode::MuteSetAccountMissing, ErrorCode::MuteSetAccountInvalid],
            "Who is muted.",
        ),
        optional(
            "C2CmsgNospeakingTime",
            U32,
            TIME,
            "stays",
            "For messages to other users: seconds from now, 0 to lift, 4294967295 for ever.",
        ),
        optional("GroupmsgNospeakingTime", U32, TIME, "stays", "The same for messages to groups.")
            .differs("Kept and given back, and otherwise without effect: there are no groups."),
    ],
    any_of: &["C2CmsgNospeakingTime", "GroupmsgNospeakingTime"],
    codes: &[
        when(ErrorCode::MuteTimeMissing, "Neither time is given."),
        when(ErrorCode::MuteSetAccountInvalid, "There is no such account."),
    ],
    example: Example {
        request: r#"{"Set_Account":"bo","C2CmsgNospeakingTime":3600}"#,
        answer: r#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":""}"#,
    },
    compat: &[Compat::More(
        "Answers begin as all others do; there they have `ErrorCode` and `ErrorInfo` alone.",
    )],
    ..PLAIN
};

pub(super) const GET_MUTE: Entry = Entry {
    summary: "Says how long a user is muted",
    request: &[required(
        "Get_Account",
        USER_ID,
        &[ErrorCode::MuteGetAccountMissing, ErrorCode::MuteGetAccountInvalid],
        "Who is asked about.",
    )],
    answers: &[ok(&[
        told("C2CmsgNospeakingTime", U32, "Seconds that are left; 0 for none, 4294967295 for ever."),
        told("GroupmsgNospeakingTime", U32, "The same for groups."),
    ])],
    codes: &[when(ErrorCode::MuteGetAccountInvalid, "There is no such account.")],
    example: Example {
        request: r#"{"Get_Account":"bo"}"#,
        answer: r#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","C2CmsgNospeakingTime":3600,"GroupmsgNospeakingTime":0}"#,
    },
    compat: &[
        Compat::More("Answers begin as all others do; there, samples have no `ActionStatus`."),
        Compat::Open("Whether the numbers are what is left or what was set. Here they are what is left."),
    ],
    ..PLAIN
};
