//! The bodies of the callbacks before and after a message is sent.
//!
//! Receivers read a missing member as 0 or "" without a word, so every documented member is always written, with its
//! documented type.

use serde_json::value::RawValue;

use super::CallbackCommand;
use crate::{
    MsgKey,
    json::{self, write_json},
    lenient::{self, Slot, slots},
};

/// The `ErrorInfo` of a message that was sent. Receivers compare it as it is.
pub const SEND_MSG_SUCCEED: &str = "send msg succeed";

/// What both callbacks say of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MessageFacts<'a> {
    /// `From_Account`.
    pub from: &'a str,
    /// `To_Account`.
    pub to: &'a str,
    /// `MsgKey`, and in it `MsgSeq`, `MsgRandom` and `MsgTime`.
    pub key: MsgKey,
    /// `MsgId`.
    pub msg_id: &'a str,
    /// `OnlineOnlyFlag`.
    pub online_only: bool,
    /// `MsgBody`, as JSON.
    pub body: &'a [u8],
    /// `CloudCustomData`.
    pub custom_data: &'a str,
    /// `EventTime`, in Unix milliseconds.
    pub event_time_ms: u64,
    /// `HasRiskContent`: a word list marked it. Only there when it is so.
    pub has_risk_content: bool,
}

/// The body of `C2C.CallbackBeforeSendMsg`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BeforeSendMsg<'a> {
    /// The message that may be sent.
    pub message: MessageFacts<'a>,
}

/// The body of `C2C.CallbackAfterSendMsg`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AfterSendMsg<'a> {
    /// The message that was sent, or failed.
    pub message: MessageFacts<'a>,
    /// `SendMsgResult`: 0, or the code with which it failed.
    pub send_msg_result: u32,
    /// `ErrorInfo`: [`SEND_MSG_SUCCEED`], or the text with which it failed.
    pub error_info: &'a str,
    /// `UnreadMsgNum`: the recipient's unread messages in all conversations; −1 when it failed.
    pub unread: i64,
}

/// The body of `C2C.CallbackAfterMsgReport`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AfterMsgReport<'a> {
    /// `Report_Account`: who has read.
    pub reader: &'a str,
    /// `Peer_Account`: whose messages.
    pub peer: &'a str,
    /// `LastReadTime`: everything up to this `MsgTime` is read.
    pub last_read_s: u64,
    /// `UnreadMsgNum`: the reader's unread messages in all conversations, afterwards.
    pub unread: u64,
    /// `EventTime`, in Unix milliseconds.
    pub event_time_ms: u64,
}

impl AfterMsgReport<'_> {
    /// Appends the body.
    pub fn write(&self, out: &mut Vec<u8>) {
        write_json!(
            out,
            r#"{"CallbackCommand":"#,
            string(CallbackCommand::C2cAfterMsgReport.as_str()),
            r#","Report_Account":"#,
            string(self.reader),
            r#","Peer_Account":"#,
            string(self.peer),
            r#","LastReadTime":"#,
            number(self.last_read_s),
            r#","UnreadMsgNum":"#,
            number(self.unread),
            r#","EventTime":"#,
            number(self.event_time_ms),
            "}",
        );
    }
}

impl BeforeSendMsg<'_> {
    /// Appends the body.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.reserve(self.message.len_estimate());
        self.message.write_head(CallbackCommand::C2cBeforeSendMsg, out);
        self.message.write_tail(out);
    }
}

impl AfterSendMsg<'_> {
    /// Appends the body.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.reserve(self.message.len_estimate() + self.error_info.len() + 80);
        self.message.write_head(CallbackCommand::C2cAfterSendMsg, out);
        write_json!(
            out,
            r#","SendMsgResult":"#,
            number(u64::from(self.send_msg_result)),
            r#","ErrorInfo":"#,
            string(self.error_info),
            r#","UnreadMsgNum":"#,
            signed(self.unread),
        );
        self.message.write_tail(out);
    }
}

impl MessageFacts<'_> {
    fn write_head(&self, command: CallbackCommand, out: &mut Vec<u8>) {
        write_json!(
            out,
            r#"{"CallbackCommand":"#,
            string(command.as_str()),
            r#","From_Account":"#,
            string(self.from),
            r#","To_Account":"#,
            string(self.to),
            r#","MsgSeq":"#,
            number(u64::from(self.key.seq)),
            r#","MsgRandom":"#,
            number(u64::from(self.key.random)),
            r#","MsgTime":"#,
            number(self.key.time_s),
            r#","MsgKey":"#,
            key(&self.key),
            r#","OnlineOnlyFlag":"#,
            flag(self.online_only),
        );
    }

    fn write_tail(&self, out: &mut Vec<u8>) {
        write_json!(
            out,
            r#","MsgBody":"#,
            raw(self.body),
            r#","CloudCustomData":"#,
            string(self.custom_data),
            r#","MsgId":"#,
            string(self.msg_id),
            r#","EventTime":"#,
            number(self.event_time_ms),
        );
        if self.has_risk_content {
            json::raw(out, br#","HasRiskContent":1"#);
        }
        out.push(b'}');
    }

    fn len_estimate(&self) -> usize {
        // Names, numbers and ids take some 380 bytes.
        400 + self.body.len() + self.custom_data.len()
    }
}

/// The body of `C2C.CallbackAfterSendMsg` as a receiver keeps it.
#[derive(Debug, Clone)]
pub struct ReceivedAfterSendMsg {
    /// `From_Account`.
    pub from: String,
    /// `To_Account`.
    pub to: String,
    /// `MsgSeq`.
    pub seq: u32,
    /// `MsgRandom`.
    pub random: u32,
    /// `MsgTime` in Unix seconds.
    pub time_s: u64,
    /// `MsgKey`, as it was sent.
    pub key: String,
    /// `MsgId`; empty from servers that do not send it.
    pub msg_id: String,
    /// `OnlineOnlyFlag`.
    pub online_only: bool,
    /// `SendMsgResult`: 0, or the code with which sending failed.
    pub send_msg_result: u32,
    /// `ErrorInfo`.
    pub error_info: String,
    /// `UnreadMsgNum`: −1 when sending failed.
    pub unread: i64,
    /// `MsgBody`, as it was sent.
    pub body: Box<RawValue>,
    /// `CloudCustomData`.
    pub custom_data: String,
    /// `EventTime` in Unix milliseconds; `None` from servers that do not send it.
    pub event_time_ms: Option<u64>,
}

/// A callback body that is not JSON, or lacks a member that every sender writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed {
    /// The member at fault; empty when it is the body as a whole.
    pub member: &'static str,
}

impl std::fmt::Display for Malformed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.member {
            "" => f.write_str("the callback is not a JSON object"),
            member => write!(f, "{member} is missing from the callback or has the wrong type"),
        }
    }
}

impl std::error::Error for Malformed {}

slots! {
    struct Members {
        from: "From_Account",
        to: "To_Account",
        seq: "MsgSeq",
        random: "MsgRandom",
        time: "MsgTime",
        key: "MsgKey",
        msg_id: "MsgId",
        online_only: "OnlineOnlyFlag",
        result: "SendMsgResult",
        error_info: "ErrorInfo",
        unread: "UnreadMsgNum",
        body: "MsgBody",
        custom_data: "CloudCustomData",
        event_time: "EventTime",
    }
}

impl ReceivedAfterSendMsg {
    /// Parses the body of a callback; the ids, numbers and the message must be there, the rest may be missing.
    pub fn parse(body: &[u8]) -> Result<Self, Malformed> {
        let members: Members<'_> = lenient::body(body).map_err(|_| Malformed { member: "" })?;
        Ok(ReceivedAfterSendMsg {
            from: text(members.from, "From_Account")?,
            to: text(members.to, "To_Account")?,
            seq: number(members.seq.u32(), "MsgSeq")?,
            random: number(members.random.u32(), "MsgRandom")?,
            time_s: number(members.time.u64(), "MsgTime")?,
            key: text(members.key, "MsgKey")?,
            msg_id: optional_text(members.msg_id, "MsgId")?,
            online_only: members.online_only.flag().map_err(|_| Malformed { member: "OnlineOnlyFlag" })?,
            send_msg_result: number(members.result.u32(), "SendMsgResult")?,
            error_info: optional_text(members.error_info, "ErrorInfo")?,
            unread: number(members.unread.i64(), "UnreadMsgNum")?,
            body: members.body.raw().ok_or(Malformed { member: "MsgBody" })?.to_owned(),
            custom_data: optional_text(members.custom_data, "CloudCustomData")?,
            event_time_ms: members.event_time.u64().map_err(|_| Malformed { member: "EventTime" })?,
        })
    }
}

fn text(slot: Slot<'_>, member: &'static str) -> Result<String, Malformed> {
    let text = slot.string().ok().flatten().ok_or(Malformed { member })?;
    Ok(text.into_owned())
}

fn optional_text(slot: Slot<'_>, member: &'static str) -> Result<String, Malformed> {
    Ok(slot.string().map_err(|_| Malformed { member })?.unwrap_or_default().into_owned())
}

fn number<T>(value: Result<Option<T>, lenient::WrongType>, member: &'static str) -> Result<T, Malformed> {
    value.ok().flatten().ok_or(Malformed { member })
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_read_report_to_the_letter() {
        let report =
            AfterMsgReport { reader: "bo", peer: "ana", last_read_s: 7, unread: 2, event_time_ms: 7_001 };
        let mut body = Vec::new();
        report.write(&mut body);
        assert_eq!(
            String::from_utf8(body).unwrap(),
            r#"{"CallbackCommand":"C2C.CallbackAfterMsgReport","Report_Account":"bo","Peer_Account":"ana","LastReadTime":7,"UnreadMsgNum":2,"EventTime":7001}"#
        );
    }

    use super::*;
    use crate::arbitrary::any_bytes;

    const MESSAGE: MessageFacts<'_> = MessageFacts {
        from: "ana",
        to: "bo",
        key: MsgKey { seq: 90_211, random: u32::MAX, time_s: 1_767_000_100 },
        msg_id: "17-1767000099-551200377",
        online_only: false,
        body: br#"[{"MsgType":"TIMTextElem","MsgContent":{"Text":"lunch?"}}]"#,
        custom_data: "{\"v\":1}",
        event_time_ms: 1_767_000_100_250,
        has_risk_content: false,
    };
    const AFTER: AfterSendMsg<'_> =
        AfterSendMsg { message: MESSAGE, send_msg_result: 0, error_info: SEND_MSG_SUCCEED, unread: 3 };

    fn after(callback: &AfterSendMsg<'_>) -> Vec<u8> {
        let mut out = Vec::new();
        callback.write(&mut out);
        out
    }

    #[test]
    fn bodies_to_the_letter() {
        let mut before = Vec::new();
        BeforeSendMsg { message: MESSAGE }.write(&mut before);
        insta::assert_snapshot!(String::from_utf8(before).unwrap(), @r##"{"CallbackCommand":"C2C.CallbackBeforeSendMsg","From_Account":"ana","To_Account":"bo","MsgSeq":90211,"MsgRandom":4294967295,"MsgTime":1767000100,"MsgKey":"90211_4294967295_1767000100","OnlineOnlyFlag":0,"MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"lunch?"}}],"CloudCustomData":"{\"v\":1}","MsgId":"17-1767000099-551200377","EventTime":1767000100250}"##);
        insta::assert_snapshot!(String::from_utf8(after(&AFTER)).unwrap(), @r##"{"CallbackCommand":"C2C.CallbackAfterSendMsg","From_Account":"ana","To_Account":"bo","MsgSeq":90211,"MsgRandom":4294967295,"MsgTime":1767000100,"MsgKey":"90211_4294967295_1767000100","OnlineOnlyFlag":0,"SendMsgResult":0,"ErrorInfo":"send msg succeed","UnreadMsgNum":3,"MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"lunch?"}}],"CloudCustomData":"{\"v\":1}","MsgId":"17-1767000099-551200377","EventTime":1767000100250}"##);
        let failed = AfterSendMsg {
            message: MessageFacts { online_only: true, custom_data: "", ..MESSAGE },
            send_msg_result: 20_007,
            error_info: "blocked",
            unread: -1,
        };
        insta::assert_snapshot!(String::from_utf8(after(&failed)).unwrap(), @r##"{"CallbackCommand":"C2C.CallbackAfterSendMsg","From_Account":"ana","To_Account":"bo","MsgSeq":90211,"MsgRandom":4294967295,"MsgTime":1767000100,"MsgKey":"90211_4294967295_1767000100","OnlineOnlyFlag":1,"SendMsgResult":20007,"ErrorInfo":"blocked","UnreadMsgNum":-1,"MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"lunch?"}}],"CloudCustomData":"","MsgId":"17-1767000099-551200377","EventTime":1767000100250}"##);
    }

    #[test]
    fn what_is_written_reads_back() {
        let received = ReceivedAfterSendMsg::parse(&after(&AFTER)).unwrap();
        assert_eq!((&*received.from, &*received.to, received.key), ("ana", "bo", MESSAGE.key.to_string()));
        assert_eq!((received.seq, received.random, received.time_s), (90_211, u32::MAX, 1_767_000_100));
        assert_eq!((received.send_msg_result, received.unread, received.online_only), (0, 3, false));
        assert_eq!(received.error_info, SEND_MSG_SUCCEED);
        assert_eq!((received.custom_data, received.msg_id), ("{\"v\":1}".into(), MESSAGE.msg_id.into()));
        assert_eq!(received.body.get().as_bytes(), MESSAGE.body);
        assert_eq!(received.event_time_ms, Some(1_767_000_100_250));
    }

    #[test]
    fn a_receiver_names_what_is_missing() {
        let whole = String::from_utf8(after(&AFTER)).unwrap();
        for member in ["From_Account", "MsgSeq", "MsgTime", "SendMsgResult", "UnreadMsgNum", "MsgBody"] {
            let body = whole.replace(member, "Other");
            assert_eq!(ReceivedAfterSendMsg::parse(body.as_bytes()).unwrap_err(), Malformed { member });
        }
        for member in ["MsgId", "EventTime", "CloudCustomData", "ErrorInfo", "OnlineOnlyFlag"] {
            let body = whole.replace(member, "Other");
            assert!(ReceivedAfterSendMsg::parse(body.as_bytes()).is_ok(), "{member}");
        }
        assert_eq!(ReceivedAfterSendMsg::parse(b"x").unwrap_err(), Malformed { member: "" });
    }

    proptest::proptest! {
        #[test]
        fn any_body_is_answered(bytes in any_bytes()) {
            proptest::prop_assert!(ReceivedAfterSendMsg::parse(&bytes).is_err());
        }
    }
}
