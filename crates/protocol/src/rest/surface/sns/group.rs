//! Friend groups.

use super::{
    super::{
        Entry, Example, PLAIN, absent_in_request,
        kind::{Kind, NAMES, TEXT, U32, U64, lines, list},
        member::{Member, optional, required, told, told_if},
        ok,
        profile::FAIL_ACCOUNT,
        when,
    },
    GROUP_NAME, NOT_A_USER, RESULT_ITEM, UNKNOWN, UNKNOWN_OTHER, WRONG, from,
};
use crate::{
    code::ErrorCode,
    limits::{FRIEND_GROUPS_MAX, RELATIONS_PER_CALL_MAX},
};

const OWNER: Member = from("Whose groups they are.");

const NAMED: Kind = list(&GROUP_NAME, 1, FRIEND_GROUPS_MAX);

const SEQUENCE: Member =
    told("CurrentSequence", U64, "The number of changes to the user's friends and groups.");

pub(in super::super) const FRIEND_GROUP_ADD: Entry = Entry {
    summary: "Makes friend groups",
    notes: &["And puts friends into all of them. A group that exists stays."],
    request: &[
        OWNER,
        required(
            "GroupName",
            NAMED,
            &[ErrorCode::RelationParameter, ErrorCode::FriendGroupsFull],
            "The names.",
        ),
        optional(
            "To_Account",
            Kind::List { of: &TEXT, min: 0, max: Some(RELATIONS_PER_CALL_MAX) },
            WRONG,
            "nobody",
            "Which friends are put into them.",
        ),
    ],
    answers: &[ok(&[RESULT_ITEM, FAIL_ACCOUNT, SEQUENCE])],
    codes: &[UNKNOWN, when(ErrorCode::FriendGroupsFull, "The user would have more than 32 groups.")],
    line_codes: &[
        when(
            ErrorCode::RelationParameter,
            "`Err_SNS_GroupAdd_Friend_Not_Exist`: the other is not a friend. Or the group was removed meanwhile.",
        ),
        UNKNOWN_OTHER,
        NOT_A_USER,
    ],
    example: Example {
        request: r#"{"From_Account":"ana","GroupName":["neighbours"],"To_Account":["bo"]}"#,
        answer: r#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","ErrorDisplay":"","ResultItem":[{"To_Account":"bo","ResultCode":0,"ResultInfo":""}],"CurrentSequence":4}"#,
    },
    ..PLAIN
};

pub(in super::super) const FRIEND_GROUP_DELETE: Entry = Entry {
    summary: "Removes friend groups",
    notes: &["The friends in them stay friends. A group that does not exist is as good as removed."],
    request: &[OWNER, required("GroupName", NAMED, WRONG, "The names.")],
    answers: &[ok(&[SEQUENCE])],
    codes: &[UNKNOWN],
    example: Example {
        request: r#"{"From_Account":"ana","GroupName":["neighbours"]}"#,
        answer: r#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","ErrorDisplay":"","CurrentSequence":5}"#,
    },
    ..PLAIN
};

pub(in super::super) const FRIEND_GROUP_GET: Entry = Entry {
    summary: "Reads friend groups",
    notes: &["A name that does not exist is left out."],
    request: &[
        OWNER,
        optional(
            "GroupName",
            list(&GROUP_NAME, 0, FRIEND_GROUPS_MAX),
            WRONG,
            "all groups",
            "The names. Empty is the same as left out.",
        ),
        optional(
            "NeedFriend",
            Kind::Word(&["Need_Friend_Type_Yes", "Need_Friend_Type_No"]),
            WRONG,
            "`Need_Friend_Type_No`",
            "Whether to list who is in them. Empty is the same as left out.",
        ),
    ],
    answers: &[ok(&[
        told(
            "ResultItem",
            lines(&Kind::Object(&[
                told("GroupName", TEXT, "The name."),
                told("FriendNumber", U32, "How many friends are in it."),
                told_if("To_Account", NAMES, "asked for", "Who they are."),
            ])),
            "The groups.",
        ),
        SEQUENCE,
    ])],
    codes: &[UNKNOWN],
    example: Example {
        request: r#"{"From_Account":"ana","NeedFriend":"Need_Friend_Type_Yes"}"#,
        answer: r#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","ErrorDisplay":"","ResultItem":[{"GroupName":"work","FriendNumber":1,"To_Account":["bo"]},{"GroupName":"choir","FriendNumber":1,"To_Account":["bo"]},{"GroupName":"neighbours","FriendNumber":1,"To_Account":["bo"]}],"CurrentSequence":4}"#,
    },
    absent: &[absent_in_request("LastSequence", "The groups are always listed.")],
    ..PLAIN
};
