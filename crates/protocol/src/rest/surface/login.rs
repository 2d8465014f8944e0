//! `im_open_login_svc`: accounts.

use super::{
    Compat, Entry, Example, PLAIN,
    kind::{Kind, NAMES, TEXT, USER_ID, lines, list, text},
    member::{Member, RESULT_INFO, optional, required, told},
    ok, when,
};
use crate::{
    code::ErrorCode,
    limits::{ACCOUNTS_PER_CALL_MAX, PROFILE_VALUE_LEN_MAX},
};

const WRONG: &[ErrorCode] = &[ErrorCode::AccountParameter];
const WRONG_VALUE: &[ErrorCode] = &[ErrorCode::ValueTooLong, ErrorCode::AccountParameter];

const USER: Member = required("UserID", USER_ID, WRONG, "The account.").older(&["Identifier"]);

const ACCOUNT: [Member; 3] = [
    USER,
    optional("Nick", text(0, PROFILE_VALUE_LEN_MAX), WRONG_VALUE, "stays", "Its `Tag_Profile_IM_Nick`."),
    optional("FaceUrl", text(0, PROFILE_VALUE_LEN_MAX), WRONG_VALUE, "stays", "Its `Tag_Profile_IM_Image`."),
];

const USERS: Kind = list(&Kind::Object(&[USER]), 1, ACCOUNTS_PER_CALL_MAX);

pub(super) const ACCOUNT_IMPORT: Entry = Entry {
    summary: "Makes an account",
    notes: &[
        "An account that exists keeps everything, and takes the names that are given. A client that logs in with a good UserSig makes its account too.",
    ],
    request: &ACCOUNT,
    example: Example {
        request: r#"{"UserID":"ana","Nick":"Ana","FaceUrl":"https://example.com/ana.png"}"#,
        answer: r#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":""}"#,
    },
    compat: &[
        Compat::Differs(
            "There is no quota of accounts (70398), and one that was deleted can be made again at once (70399).",
        ),
        Compat::Open(
            "Whether an account that exists takes new names; only the command for many says so. Here it does.",
        ),
    ],
    ..PLAIN
};

pub(super) const MULTI_ACCOUNT_IMPORT: Entry = Entry {
    summary: "Makes up to 100 accounts",
    notes: &["All are made in one commit, or none. `AccountList` counts when both forms are given."],
    request: &[
        optional(
            "AccountList",
            list(&Kind::Object(&ACCOUNT), 1, ACCOUNTS_PER_CALL_MAX),
            WRONG,
            "`Accounts` counts",
            "The accounts, each like the body of [account_import](#account_import).",
        ),
        optional(
            "Accounts",
            list(&USER_ID, 1, ACCOUNTS_PER_CALL_MAX),
            WRONG,
            "`AccountList` counts",
            "The accounts, in the older form: names alone.",
        ),
    ],
    any_of: &["AccountList", "Accounts"],
    answers: &[ok(&[told("FailAccounts", NAMES, "Always empty.")
        .differs("There it lists accounts that could not be made, and the others are.")])],
    example: Example {
        request: r#"{"AccountList":[{"UserID":"bo","Nick":"Bo"},{"UserID":"cy"}]}"#,
        answer: r#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","FailAccounts":[]}"#,
    },
    compat: &[Compat::Differs("What is wrong with one account refuses the whole call.")],
    ..PLAIN
};

pub(super) const ACCOUNT_CHECK: Entry = Entry {
    summary: "Says which accounts exist",
    request: &[required("CheckItem", USERS, WRONG, "The accounts asked about.")],
    answers: &[ok(&[told(
        "ResultItem",
        lines(&Kind::Object(&[
            told("UserID", TEXT, "The account."),
            told("ResultCode", Kind::LineCode, "Always 0: an account that does not exist is no failure."),
            told("ResultInfo", TEXT, "Always empty."),
            told("AccountStatus", Kind::Word(&["Imported", "NotImported"]), "Whether it exists."),
        ])),
        "One line for each, in the order of the request.",
    )])],
    example: Example {
        request: r#"{"CheckItem":[{"UserID":"ana"},{"UserID":"nobody"}]}"#,
        answer: r#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","ResultItem":[{"UserID":"ana","ResultCode":0,"ResultInfo":"","AccountStatus":"Imported"},{"UserID":"nobody","ResultCode":0,"ResultInfo":"","AccountStatus":"NotImported"}]}"#,
    },
    ..PLAIN
};

pub(super) const ACCOUNT_DELETE: Entry = Entry {
    summary: "Deletes accounts",
    notes: &[
        "What was theirs goes: profile, relations on both sides, log, counts, and their side of every conversation. Their sessions are closed. The other side of a conversation keeps its own view.",
        "If an admin is among them, none is deleted.",
    ],
    request: &[required("DeleteItem", USERS, WRONG, "The accounts to delete.")],
    answers: &[ok(&[told(
        "ResultItem",
        lines(&Kind::Object(&[
            told("ResultCode", Kind::LineCode, "0, or why it was not deleted."),
            RESULT_INFO,
            told("UserID", TEXT, "The account."),
        ])),
        "One line for each, in the order of the request.",
    )])],
    codes: &[when(ErrorCode::AccountParameter, "An admin is among them.")],
    line_codes: &[when(ErrorCode::AccountNotFound, "There is no such account.")],
    example: Example {
        request: r#"{"DeleteItem":[{"UserID":"cy"},{"UserID":"nobody"}]}"#,
        answer: r#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","ResultItem":[{"ResultCode":0,"ResultInfo":"","UserID":"cy"},{"ResultCode":70107,"ResultInfo":"Err_TLS_PT_Open_Login_Account_Not_Exist","UserID":"nobody"}]}"#,
    },
    compat: &[
        Compat::Differs(
            "There is nothing to switch on first (71000), and the name is free again at once (70399).",
        ),
        Compat::Open(
            "What becomes of UserSigs. Here those of earlier seconds are revoked; with a newer one somebody who logs in gets a new, empty account.",
        ),
    ],
    ..PLAIN
};

pub(super) const KICK: Entry = Entry {
    summary: "Logs a user out everywhere",
    notes: &[
        "Sessions are closed, and UserSigs that were issued up to this second are good for nothing from now on, for REST as well. One that is made later is good.",
        "An admin can be kicked like anybody else, the caller included.",
    ],
    request: &[USER],
    codes: &[when(ErrorCode::AccountNotFound, "There is no such account.")],
    example: Example {
        request: r#"{"UserID":"cy"}"#,
        answer: r#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":""}"#,
    },
    compat: &[
        Compat::Open(
            "The code of a UserSig that was revoked, for which older and newer tables differ. Here it is 70052.",
        ),
        Compat::Open("Whether a UserSig of the same second as the kick is revoked. Here it is."),
    ],
    ..PLAIN
};
