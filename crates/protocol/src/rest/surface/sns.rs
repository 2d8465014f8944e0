//! `sns`: friends, friend groups and blocklists.

mod friend;
mod friend_list;
mod group;
mod blocklist;

pub(super) use blocklist::{BLOCKLIST_ADD, BLOCKLIST_CHECK, BLOCKLIST_DELETE, BLOCKLIST_GET};
pub(super) use friend::{
    FRIEND_ADD, FRIEND_CHECK, FRIEND_DELETE, FRIEND_DELETE_ALL, FRIEND_IMPORT, FRIEND_UPDATE,
};
pub(super) use friend_list::{FRIEND_GET, FRIEND_GET_LIST};
pub(super) use group::{FRIEND_GROUP_ADD, FRIEND_GROUP_DELETE, FRIEND_GROUP_GET};

use super::{
    Answer, When,
    kind::{Form, Kind, TEXT, USER_ID, lines, text},
    member::{Member, RESULT_CODE, RESULT_INFO, required, told},
    ok,
    profile::FAIL_ACCOUNT,
    when,
};
use crate::{
    code::ErrorCode,
    limits::{FRIEND_GROUP_NAME_LEN_MAX, FRIEND_VALUE_LEN_MAX, RELATIONS_PER_CALL_MAX},
};

const WRONG: &[ErrorCode] = &[ErrorCode::RelationParameter];

const UNKNOWN: When = when(ErrorCode::RelationAccountNotFound, "`From_Account` has no account.");
const UNKNOWN_OTHER: When = when(ErrorCode::RelationAccountNotFound, "There is no such account.");
const NOT_A_USER: When = when(ErrorCode::RelationParameter, "It cannot be a UserID.");

const fn from(meaning: &'static str) -> Member {
    required("From_Account", USER_ID, WRONG, meaning)
}

/// One whose name cannot be a UserID fails alone, so any String is good for the call.
const fn others(meaning: &'static str) -> Member {
    let kind = Kind::List { of: &TEXT, min: 1, max: Some(RELATIONS_PER_CALL_MAX) };
    required("To_Account", kind, WRONG, meaning)
}

const OTHER: Member =
    required("To_Account", USER_ID, WRONG, "The other user.").line(&[ErrorCode::RelationParameter]);

const GROUP_NAME: Kind = text(1, FRIEND_GROUP_NAME_LEN_MAX);

const CUSTOM_TAG: Form = Form {
    words: "`Tag_SNS_Custom_` and 1 to 8 letters",
    pattern: "^Tag_SNS_Custom_[A-Za-z]{1,8}$",
    sample: "Tag_SNS_Custom_Dog",
};

const CUSTOM_VALUE: Kind =
    Kind::OneOf(&[text(0, FRIEND_VALUE_LEN_MAX), Kind::Integer { min: 0, max: u32::MAX as u64 }]);

/// The answer with a line for each of the others.
const RESULTS: Answer = ok(&[RESULT_ITEM, FAIL_ACCOUNT]);

const RESULT_ITEM: Member = told(
    "ResultItem",
    lines(&Kind::Object(&[told("To_Account", TEXT, "The other user."), RESULT_CODE, RESULT_INFO])),
    "One line for each of the others, in the order of the request.",
);
