//! The bodies of callbacks, as they are sent.
//!
//! Receivers read a missing member as 0 or "" without a word, so every documented member is always written, with its
//! documented type. Where the documentation knows a member in one region only, it is written as well.

mod message;
mod read;
mod change;
mod state;
mod friends;
mod profile;

pub use change::{AfterModifyMsg, AfterMsgExtension, AfterMsgWithDraw, ExtensionEntry};
pub use friends::{
    AddType, FriendAdd, FriendItem, FriendPair, PrevFriendAdd, PrevFriendResponse, RelationPairs,
    ResponseAction, ResponseFriendItem,
};
pub use message::{AfterSendMsg, BeforeSendMsg, MessageFacts, MsgOffline, SEND_MSG_SUCCEED};
pub use profile::{PortraitSet, PortraitValue};
pub use read::AfterMsgReport;
pub use state::{StateAction, StateChange};

use crate::{MsgKey, json::write_json};

/// The members that say which message it is.
fn write_name(from: &str, to: &str, msg_key: &MsgKey, out: &mut Vec<u8>) {
    write_json!(
        out,
        r#","From_Account":"#,
        string(from),
        r#","To_Account":"#,
        string(to),
        r#","MsgSeq":"#,
        number(u64::from(msg_key.seq)),
        r#","MsgRandom":"#,
        number(u64::from(msg_key.random)),
        r#","MsgTime":"#,
        number(msg_key.time_s),
        r#","MsgKey":"#,
        key(msg_key),
    );
}

/// What a test compares with literal JSON.
#[cfg(test)]
fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = Vec::new();
    write(&mut out);
    String::from_utf8(out).unwrap()
}
