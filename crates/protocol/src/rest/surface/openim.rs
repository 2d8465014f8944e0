//! `openim`: messages and online status.

mod sending;
mod stored;
mod reading;
mod status;

pub(super) use reading::{CONFIRM_MSG_READ, GET_UNREAD_NUM, SET_MSG_READ};
pub(super) use sending::{BATCH_SEND_MSG, IMPORT_MSG, SEND_MSG};
pub(super) use status::{QUERY_ONLINE_STATUS, QUERY_STATE};
pub(super) use stored::{DELETE_MSG, EDIT_MSG, GET_ROAM_MSG, RECALL_MSG};

use super::{
    kind::{MSG_KEY, USER_ID},
    member::{Member, required},
};
use crate::code::ErrorCode;

/// Why a command about a message is told that one of the two has no account.
const NOBODY: &str = "There is nothing between the two, and one of them has no account.";

const SENDER: Member =
    required("From_Account", USER_ID, &[ErrorCode::BadFromAccount], "Who sent the message.");
const RECIPIENT: Member = required("To_Account", USER_ID, &[ErrorCode::BadToAccount], "Who got it.");
const KEY: Member = required(
    "MsgKey",
    MSG_KEY,
    &[ErrorCode::BadMsgKey],
    "Its key, from the answer to its send, a callback or the history.",
);
