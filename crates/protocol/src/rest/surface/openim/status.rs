//! Who is online.

use super::super::{
    Answer, Entry, Example, PLAIN, Status,
    kind::{FLAG, Kind, TEXT, lines, list},
    member::{Member, optional, required, told, told_if},
    when,
};
use crate::{code::ErrorCode, limits::TARGETS_PER_CALL_MAX};

const USERS: Member = required(
    "To_Account",
    list(&TEXT, 1, TARGETS_PER_CALL_MAX),
    &[ErrorCode::BadJson, ErrorCode::BadToAccount, ErrorCode::TooManyTargets],
    "Who is asked about. What cannot be a UserID is like an account that does not exist.",
);

const STATUS: Kind = Kind::Word(&["Online", "PushOnline", "Offline"]);

const WORDS: &str = "`Online`: connected. `PushOnline`: the connection of a phone or tablet was lost within the last seven days. `Offline`: neither.";

const DETAIL: Member = told_if(
    "Detail",
    lines(&Kind::Object(&[
        told(
            "Platform",
            TEXT,
            "`iPhone`, `Android`, `Web`, `PC`, `iPad`, `Mac`, or `Unknown` when the device did not say.",
        )
        .differs("`Unknown` does not exist there."),
        told("Status", STATUS, "The same for this platform."),
    ])),
    "asked for, and the user is not `Offline`",
    "Where the user is reached.",
);

const FAILED: Member = told(
    "ErrorList",
    lines(&Kind::Object(&[
        told("To_Account", TEXT, "Who could not be looked up."),
        told("ErrorCode", Kind::FailedLineCode, "Why."),
    ])),
    "Those who could not be looked up.",
)
.more("Always there, since strict clients fail without it.");

const FOUND: Member = told(
    "QueryResult",
    lines(&Kind::Object(&[
        told("To_Account", TEXT, "The user."),
        told("Status", STATUS, WORDS).differs(
            "A phone that was connected when the server crashed is `Offline`, and not `PushOnline`.",
        ),
        DETAIL,
    ])),
    "The users that exist.",
);

pub(in super::super) const QUERY_ONLINE_STATUS: Entry = Entry {
    summary: "Says who is online, and on which platforms",
    request: &[USERS, optional("IsNeedDetail", FLAG, &[ErrorCode::BadFormat], "0", "1: with platforms.")],
    answers: &[
        Answer { status: Status::Ok, when: "At least one of them exists.", members: &[FOUND, FAILED] },
        Answer {
            status: Status::Fail(ErrorCode::AccountNotFound),
            when: "None of them exists.",
            members: &[FOUND, FAILED],
        },
    ],
    line_codes: &[when(ErrorCode::AccountNotFound, "There is no such account.")],
    example: Example {
        request: r#"{"To_Account":["ana","nobody"],"IsNeedDetail":1}"#,
        answer: r#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","QueryResult":[{"To_Account":"ana","Status":"Online","Detail":[{"Platform":"Web","Status":"Online"}]}],"ErrorList":[{"To_Account":"nobody","ErrorCode":70107}]}"#,
    },
    ..PLAIN
};

const FOUND_STATES: Member = told(
    "QueryResult",
    lines(&Kind::Object(&[told("To_Account", TEXT, "The user."), told("State", STATUS, WORDS)])),
    "The users that exist.",
);

pub(in super::super) const QUERY_STATE: Entry = Entry {
    summary: "Says who is online, in the older form",
    notes: &["Without platforms, and without a list of those that do not exist."],
    request: &[
        USERS,
        optional("IsNeedDetail", FLAG, &[ErrorCode::BadFormat], "0", "Has no effect here.")
            .added("Clients that switch between the two forms send it."),
    ],
    answers: &[
        Answer { status: Status::Ok, when: "At least one of them exists.", members: &[FOUND_STATES] },
        Answer {
            status: Status::Fail(ErrorCode::AccountNotFound),
            when: "None of them exists.",
            members: &[FOUND_STATES],
        },
    ],
    example: Example {
        request: r#"{"To_Account":["ana","bo"]}"#,
        answer: r#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","QueryResult":[{"To_Account":"ana","State":"Online"},{"To_Account":"bo","State":"Offline"}]}"#,
    },
    ..PLAIN
};
