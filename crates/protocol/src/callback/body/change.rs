//! After a message is recalled or edited, or its extensions change.

use super::write_name;
use crate::{
    MsgKey,
    callback::CallbackCommand,
    json::{self, write_json},
};

/// The body of `C2C.CallbackAfterMsgWithDraw`. Who recalled it is not said; the platform in the URL tells a device
/// from the REST API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AfterMsgWithDraw<'a> {
    /// `From_Account`: who had sent the message.
    pub from: &'a str,
    /// `To_Account`: who had received it.
    pub to: &'a str,
    /// `MsgKey`.
    pub key: MsgKey,
    /// `UnreadMsgNum`: the recipient's unread messages in all conversations, afterwards.
    pub unread: u64,
    /// `EventTime`, in Unix milliseconds.
    pub event_time_ms: u64,
}

/// The body of `C2C.CallbackAfterModifyMsg`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AfterModifyMsg<'a> {
    /// `Operator_Account`: who edited the message.
    pub operator: &'a str,
    /// `From_Account`: who had sent it.
    pub from: &'a str,
    /// `To_Account`: who had received it.
    pub to: &'a str,
    /// `MsgKey`, and in it `MsgSeq`, `MsgRandom` and `MsgTime`: those with which it was sent.
    pub key: MsgKey,
    /// `MsgBody` after the edit, as JSON.
    pub body: &'a [u8],
    /// `CloudCustomData` after the edit.
    pub custom_data: &'a str,
    /// `EventTime`, in Unix milliseconds.
    pub event_time_ms: u64,
}

/// The body of `C2C.CallbackAfterC2CMsgExtension`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AfterMsgExtension<'a> {
    /// `From_Account`: who had sent the message.
    pub from: &'a str,
    /// `To_Account`: who had received it.
    pub to: &'a str,
    /// `MsgKey`.
    pub key: MsgKey,
    /// `OperateType`: 1 sets entries, 2 deletes them, 3 deletes all.
    pub operate_type: u8,
    /// `ExtensionList`; empty when all were deleted.
    pub items: &'a [ExtensionEntry<'a>],
    /// `Seq`: the version of the extensions as a whole.
    pub seq: u64,
    /// `EventTime`, in Unix milliseconds.
    pub event_time_ms: u64,
}

/// An extension of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExtensionEntry<'a> {
    /// `Key`.
    pub key: &'a str,
    /// `Value`; empty when it was deleted.
    pub value: &'a str,
    /// `Seq`: the version of this entry.
    pub seq: u64,
}

impl AfterMsgWithDraw<'_> {
    /// Appends the body.
    pub fn write(&self, out: &mut Vec<u8>) {
        write_json!(
            out,
            r#"{"CallbackCommand":"#,
            string(CallbackCommand::C2cAfterMsgWithDraw.as_str()),
            r#","From_Account":"#,
            string(self.from),
            r#","To_Account":"#,
            string(self.to),
            r#","MsgKey":"#,
            key(&self.key),
            r#","UnreadMsgNum":"#,
            number(self.unread),
            r#","EventTime":"#,
            number(self.event_time_ms),
            "}",
        );
    }
}

impl AfterModifyMsg<'_> {
    /// Appends the body.
    pub fn write(&self, out: &mut Vec<u8>) {
        // Names, numbers and ids take some 350 bytes.
        out.reserve(360 + self.body.len() + self.custom_data.len());
        write_json!(
            out,
            r#"{"CallbackCommand":"#,
            string(CallbackCommand::C2cAfterModifyMsg.as_str()),
            r#","Operator_Account":"#,
            string(self.operator),
        );
        write_name(self.from, self.to, &self.key, out);
        write_json!(
            out,
            r#","MsgBody":"#,
            raw(self.body),
            r#","CloudCustomData":"#,
            string(self.custom_data),
            r#","EventTime":"#,
            number(self.event_time_ms),
            "}",
        );
    }
}

impl AfterMsgExtension<'_> {
    /// Appends the body.
    pub fn write(&self, out: &mut Vec<u8>) {
        write_json!(
            out,
            r#"{"CallbackCommand":"#,
            string(CallbackCommand::C2cAfterMsgExtension.as_str()),
            r#","From_Account":"#,
            string(self.from),
            r#","To_Account":"#,
            string(self.to),
            r#","MsgKey":"#,
            key(&self.key),
            r#","OperateType":"#,
            number(u64::from(self.operate_type)),
            r#","ExtensionList":"#,
        );
        json::array(out, self.items, |out, item| item.write(out));
        write_json!(out, r#","Seq":"#, number(self.seq), r#","EventTime":"#, number(self.event_time_ms), "}",);
    }
}

impl ExtensionEntry<'_> {
    fn write(&self, out: &mut Vec<u8>) {
        write_json!(
            out,
            r#"{"Key":"#,
            string(self.key),
            r#","Value":"#,
            string(self.value),
            r#","Seq":"#,
            number(self.seq),
            "}",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::callback::body::written;

    const KEY: MsgKey = MsgKey { seq: 90_211, random: u32::MAX, time_s: 1_767_000_100 };

    #[test]
    fn a_recall_to_the_letter() {
        let recall =
            AfterMsgWithDraw { from: "ana", to: "bo", key: KEY, unread: 0, event_time_ms: 1_767_000_140_001 };
        assert_eq!(
            written(|out| recall.write(out)),
            r#"{"CallbackCommand":"C2C.CallbackAfterMsgWithDraw","From_Account":"ana","To_Account":"bo","MsgKey":"90211_4294967295_1767000100","UnreadMsgNum":0,"EventTime":1767000140001}"#
        );
    }

    #[test]
    fn an_edit_to_the_letter() {
        let edit = AfterModifyMsg {
            operator: "administrator",
            from: "ana",
            to: "bo",
            key: KEY,
            body: br#"[{"MsgType":"TIMTextElem","MsgContent":{"Text":"dinner?"}}]"#,
            custom_data: "\"",
            event_time_ms: 1_767_000_150_000,
        };
        assert_eq!(
            written(|out| edit.write(out)),
            r#"{"CallbackCommand":"C2C.CallbackAfterModifyMsg","Operator_Account":"administrator","From_Account":"ana","To_Account":"bo","MsgSeq":90211,"MsgRandom":4294967295,"MsgTime":1767000100,"MsgKey":"90211_4294967295_1767000100","MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"dinner?"}}],"CloudCustomData":"\"","EventTime":1767000150000}"#
        );
    }

    #[test]
    fn extensions_to_the_letter() {
        let set = AfterMsgExtension {
            from: "ana",
            to: "bo",
            key: KEY,
            operate_type: 1,
            items: &[
                ExtensionEntry { key: "vote", value: "yes", seq: 4 },
                ExtensionEntry { key: "by", value: "", seq: 5 },
            ],
            seq: 9,
            event_time_ms: 1_767_000_160_000,
        };
        assert_eq!(
            written(|out| set.write(out)),
            r#"{"CallbackCommand":"C2C.CallbackAfterC2CMsgExtension","From_Account":"ana","To_Account":"bo","MsgKey":"90211_4294967295_1767000100","OperateType":1,"ExtensionList":[{"Key":"vote","Value":"yes","Seq":4},{"Key":"by","Value":"","Seq":5}],"Seq":9,"EventTime":1767000160000}"#
        );
        let clear = AfterMsgExtension { operate_type: 3, items: &[], ..set };
        assert!(
            written(|out| clear.write(out))
                .ends_with(r#""OperateType":3,"ExtensionList":[],"Seq":9,"EventTime":1767000160000}"#)
        );
    }
}
