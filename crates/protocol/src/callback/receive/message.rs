//! Messages, and what happens to them later.

use serde_json::value::RawValue;

use super::{Malformed, member::Members};

/// `C2C.CallbackBeforeSendMsg`: may this message be sent, or be edited so?
#[derive(Debug, Clone)]
pub struct BeforeSendMsg {
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
    /// `Operator_Account`: who wants to edit a message that was sent; empty when it is no edit.
    pub operator: String,
    /// `MsgBody`, as it was sent.
    pub body: Box<RawValue>,
    /// `CloudCustomData`.
    pub custom_data: String,
    /// `HasRiskContent`: the server's word list has marked it.
    pub has_risk_content: bool,
    /// `EventTime` in Unix milliseconds; `None` from servers that do not send it.
    pub event_time_ms: Option<u64>,
}

/// `C2C.CallbackAfterSendMsg`, or `Bot.OnC2CMessage`: a message was sent, or failed.
#[derive(Debug, Clone)]
pub struct AfterSendMsg {
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
    /// `HasRiskContent`: the server's word list has marked it.
    pub has_risk_content: bool,
    /// `EventTime` in Unix milliseconds; `None` from servers that do not send it.
    pub event_time_ms: Option<u64>,
}

/// `Couplet.CallbackMsgOffline`: a message was stored, and no device of its recipient was there.
#[derive(Debug, Clone)]
pub struct MsgOffline {
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
    /// `UnreadMsgNum`: the recipient's unread messages in all conversations.
    pub unread: Option<u64>,
    /// `MsgBody`, as it was sent.
    pub body: Box<RawValue>,
    /// `CloudCustomData`.
    pub custom_data: String,
    /// `EventTime` in Unix milliseconds: when it was found out.
    pub event_time_ms: Option<u64>,
}

/// `C2C.CallbackAfterMsgReport`: a user has read a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AfterMsgReport {
    /// `Report_Account`: who has read.
    pub reader: String,
    /// `Peer_Account`: whose messages.
    pub peer: String,
    /// `LastReadTime`: everything up to this `MsgTime` is read.
    pub last_read_s: u64,
    /// `UnreadMsgNum`: the reader's unread messages in all conversations; `None` from servers that do not send it.
    pub unread: Option<u64>,
    /// `EventTime` in Unix milliseconds; `None` from servers that do not send it.
    pub event_time_ms: Option<u64>,
}

/// `C2C.CallbackAfterMsgWithDraw`: a message was recalled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AfterMsgWithDraw {
    /// `From_Account`: who had sent it.
    pub from: String,
    /// `To_Account`: who had received it.
    pub to: String,
    /// `MsgKey`, as it was sent.
    pub key: String,
    /// `UnreadMsgNum`: the recipient's unread messages in all conversations; `None` from servers that do not send it.
    pub unread: Option<u64>,
    /// `EventTime` in Unix milliseconds; `None` from servers that do not send it.
    pub event_time_ms: Option<u64>,
}

/// `C2C.CallbackAfterModifyMsg`: a message was edited.
#[derive(Debug, Clone)]
pub struct AfterModifyMsg {
    /// `Operator_Account`: who edited it.
    pub operator: String,
    /// `From_Account`: who had sent it.
    pub from: String,
    /// `To_Account`: who had received it.
    pub to: String,
    /// `MsgSeq`.
    pub seq: u32,
    /// `MsgRandom`.
    pub random: u32,
    /// `MsgTime` of the message, in Unix seconds.
    pub time_s: u64,
    /// `MsgKey`, as it was sent.
    pub key: String,
    /// `MsgBody` after the edit.
    pub body: Box<RawValue>,
    /// `CloudCustomData` after the edit.
    pub custom_data: String,
    /// `EventTime` in Unix milliseconds; `None` from servers that do not send it.
    pub event_time_ms: Option<u64>,
}

/// `C2C.CallbackAfterC2CMsgExtension`: the extensions of a message changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AfterMsgExtension {
    /// `From_Account`: who had sent the message.
    pub from: String,
    /// `To_Account`: who had received it.
    pub to: String,
    /// `MsgKey`, as it was sent.
    pub key: String,
    /// `OperateType`: 1 sets entries, 2 deletes them, 3 deletes all.
    pub operate_type: u32,
    /// `ExtensionList`.
    pub items: Vec<ExtensionEntry>,
    /// `Seq`: the version of the extensions as a whole.
    pub seq: u64,
    /// `EventTime` in Unix milliseconds; `None` from servers that do not send it.
    pub event_time_ms: Option<u64>,
}

/// An extension of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtensionEntry {
    /// `Key`.
    pub key: String,
    /// `Value`; empty when it was deleted.
    pub value: String,
    /// `Seq`: the version of this entry.
    pub seq: u64,
}

/// `Chatbot.OnC2CSignalMessage`: a signal was sent to a bot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BotSignal {
    /// `From_Account`.
    pub from: String,
    /// `To_Account`: the bot.
    pub to: String,
    /// `MsgSeq`.
    pub seq: u32,
    /// `MsgRandom`.
    pub random: u32,
    /// `MsgKey`, as it was sent.
    pub key: String,
    /// `Data`: whatever the sender wants the bot to know.
    pub data: String,
    /// `EventTime` in Unix milliseconds; `None` from servers that do not send it.
    pub event_time_ms: Option<u64>,
}

impl BeforeSendMsg {
    pub(super) fn read(members: &Members<'_>) -> Result<Self, Malformed> {
        Ok(BeforeSendMsg {
            from: members.from().text()?,
            to: members.to().text()?,
            seq: members.msg_seq().u32()?,
            random: members.random().u32()?,
            time_s: members.time().u64()?,
            key: members.msg_key().text()?,
            msg_id: members.msg_id().text_or_empty()?,
            online_only: members.online_only().flag()?,
            operator: members.operator().text_or_empty()?,
            body: members.body().json()?,
            custom_data: members.custom_data().text_or_empty()?,
            has_risk_content: members.risk_content().flag()?,
            event_time_ms: members.event_time().optional_u64()?,
        })
    }
}

impl AfterSendMsg {
    /// Parses the body of a callback; the ids, numbers and the message must be there, the rest may be missing.
    pub fn parse(body: &[u8]) -> Result<Self, Malformed> {
        AfterSendMsg::read(&Members::parse(body)?)
    }

    pub(super) fn read(members: &Members<'_>) -> Result<Self, Malformed> {
        Ok(AfterSendMsg {
            from: members.from().text()?,
            to: members.to().text()?,
            seq: members.msg_seq().u32()?,
            random: members.random().u32()?,
            time_s: members.time().u64()?,
            key: members.msg_key().text()?,
            msg_id: members.msg_id().text_or_empty()?,
            online_only: members.online_only().flag()?,
            send_msg_result: members.result().u32()?,
            error_info: members.error_info().text_or_empty()?,
            unread: members.unread().i64()?,
            body: members.body().json()?,
            custom_data: members.custom_data().text_or_empty()?,
            has_risk_content: members.risk_content().flag()?,
            event_time_ms: members.event_time().optional_u64()?,
        })
    }
}

impl AfterMsgReport {
    pub(super) fn read(members: &Members<'_>) -> Result<Self, Malformed> {
        Ok(AfterMsgReport {
            reader: members.reader().text()?,
            peer: members.peer().text()?,
            last_read_s: members.last_read_time().u64()?,
            unread: members.unread().optional_u64()?,
            event_time_ms: members.event_time().optional_u64()?,
        })
    }
}

impl MsgOffline {
    pub(super) fn read(members: &Members<'_>) -> Result<Self, Malformed> {
        Ok(MsgOffline {
            from: members.from().text()?,
            to: members.to().text()?,
            seq: members.msg_seq().u32()?,
            random: members.random().u32()?,
            time_s: members.time().u64()?,
            key: members.msg_key().text()?,
            unread: members.unread().optional_u64()?,
            body: members.body().json()?,
            custom_data: members.custom_data().text_or_empty()?,
            event_time_ms: members.event_time().optional_u64()?,
        })
    }
}

impl AfterMsgWithDraw {
    pub(super) fn read(members: &Members<'_>) -> Result<Self, Malformed> {
        Ok(AfterMsgWithDraw {
            from: members.from().text()?,
            to: members.to().text()?,
            key: members.msg_key().text()?,
            unread: members.unread().optional_u64()?,
            event_time_ms: members.event_time().optional_u64()?,
        })
    }
}

impl AfterModifyMsg {
    pub(super) fn read(members: &Members<'_>) -> Result<Self, Malformed> {
        Ok(AfterModifyMsg {
            operator: members.operator().text_or_empty()?,
            from: members.from().text()?,
            to: members.to().text()?,
            seq: members.msg_seq().u32()?,
            random: members.random().u32()?,
            time_s: members.time().u64()?,
            key: members.msg_key().text()?,
            body: members.body().json()?,
            custom_data: members.custom_data().text_or_empty()?,
            event_time_ms: members.event_time().optional_u64()?,
        })
    }
}

impl AfterMsgExtension {
    pub(super) fn read(members: &Members<'_>) -> Result<Self, Malformed> {
        Ok(AfterMsgExtension {
            from: members.from().text()?,
            to: members.to().text()?,
            key: members.msg_key().text()?,
            operate_type: members.operate_type().u32()?,
            items: members.extensions().items_or_none(|item| {
                Ok(ExtensionEntry {
                    key: item.key().text()?,
                    value: item.value().text_or_empty()?,
                    seq: item.seq().u64()?,
                })
            })?,
            seq: members.seq().u64()?,
            event_time_ms: members.event_time().optional_u64()?,
        })
    }
}

impl BotSignal {
    pub(super) fn read(members: &Members<'_>) -> Result<Self, Malformed> {
        Ok(BotSignal {
            from: members.from().text()?,
            to: members.to().text()?,
            seq: members.msg_seq().u32()?,
            random: members.random().u32()?,
            key: members.msg_key().text()?,
            data: members.data().text_or_empty()?,
            event_time_ms: members.event_time().optional_u64()?,
        })
    }
}
