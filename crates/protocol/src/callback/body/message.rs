//! Before and after a message is sent.

use super::write_name;
use crate::{
    MsgKey,
    callback::CallbackCommand,
    json::{self, write_json},
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
    /// The message that may be sent, or as it would be after an edit.
    pub message: MessageFacts<'a>,
    /// `Operator_Account`: who wants to edit a message that was sent. Only there when it is an edit.
    pub operator: Option<&'a str>,
}

/// The body of `C2C.CallbackAfterSendMsg`, and of `Bot.OnC2CMessage`, which differs in its name alone.
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
    /// The recipient is a bot: the callback is `Bot.OnC2CMessage`.
    pub to_bot: bool,
}

/// The body of `Couplet.CallbackMsgOffline`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MsgOffline<'a> {
    /// The message that found no device of its recipient.
    pub message: MessageFacts<'a>,
    /// `UnreadMsgNum`: the recipient's unread messages in all conversations.
    pub unread: u64,
}

impl MsgOffline<'_> {
    /// Appends the body.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.reserve(self.message.len_estimate());
        let MessageFacts { from, to, key, body, custom_data, event_time_ms, .. } = self.message;
        write_json!(out, r#"{"CallbackCommand":"#, string(CallbackCommand::CoupletMsgOffline.as_str()),);
        write_name(from, to, &key, out);
        write_json!(
            out,
            r#","UnreadMsgNum":"#,
            number(self.unread),
            r#","MsgBody":"#,
            raw(body),
            r#","CloudCustomData":"#,
            string(custom_data),
            r#","EventTime":"#,
            number(event_time_ms),
        );
        out.push(b'}');
    }
}

impl BeforeSendMsg<'_> {
    /// Appends the body.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.reserve(self.message.len_estimate());
        self.message.write_head(CallbackCommand::C2cBeforeSendMsg, out);
        if let Some(operator) = self.operator {
            write_json!(out, r#","Operator_Account":"#, string(operator));
        }
        self.message.write_tail(out);
    }
}

impl AfterSendMsg<'_> {
    /// The name of the callback, which its URL has too.
    pub const fn command(&self) -> CallbackCommand {
        if self.to_bot { CallbackCommand::BotOnC2cMessage } else { CallbackCommand::C2cAfterSendMsg }
    }

    /// Appends the body.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.reserve(self.message.len_estimate() + self.error_info.len() + 80);
        self.message.write_head(self.command(), out);
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
        write_json!(out, r#"{"CallbackCommand":"#, string(command.as_str()),);
        write_name(self.from, self.to, &self.key, out);
        write_json!(out, r#","OnlineOnlyFlag":"#, flag(self.online_only));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::callback::body::written;

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
    const AFTER: AfterSendMsg<'_> = AfterSendMsg {
        message: MESSAGE,
        send_msg_result: 0,
        error_info: SEND_MSG_SUCCEED,
        unread: 3,
        to_bot: false,
    };

    #[test]
    fn bodies_to_the_letter() {
        let before = written(|out| BeforeSendMsg { message: MESSAGE, operator: None }.write(out));
        insta::assert_snapshot!(before, @r##"{"CallbackCommand":"C2C.CallbackBeforeSendMsg","From_Account":"ana","To_Account":"bo","MsgSeq":90211,"MsgRandom":4294967295,"MsgTime":1767000100,"MsgKey":"90211_4294967295_1767000100","OnlineOnlyFlag":0,"MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"lunch?"}}],"CloudCustomData":"{\"v\":1}","MsgId":"17-1767000099-551200377","EventTime":1767000100250}"##);
        insta::assert_snapshot!(written(|out| AFTER.write(out)), @r##"{"CallbackCommand":"C2C.CallbackAfterSendMsg","From_Account":"ana","To_Account":"bo","MsgSeq":90211,"MsgRandom":4294967295,"MsgTime":1767000100,"MsgKey":"90211_4294967295_1767000100","OnlineOnlyFlag":0,"SendMsgResult":0,"ErrorInfo":"send msg succeed","UnreadMsgNum":3,"MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"lunch?"}}],"CloudCustomData":"{\"v\":1}","MsgId":"17-1767000099-551200377","EventTime":1767000100250}"##);
        let failed = AfterSendMsg {
            message: MessageFacts { online_only: true, custom_data: "", ..MESSAGE },
            send_msg_result: 20_007,
            error_info: "blocked",
            unread: -1,
            to_bot: false,
        };
        insta::assert_snapshot!(written(|out| failed.write(out)), @r##"{"CallbackCommand":"C2C.CallbackAfterSendMsg","From_Account":"ana","To_Account":"bo","MsgSeq":90211,"MsgRandom":4294967295,"MsgTime":1767000100,"MsgKey":"90211_4294967295_1767000100","OnlineOnlyFlag":1,"SendMsgResult":20007,"ErrorInfo":"blocked","UnreadMsgNum":-1,"MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"lunch?"}}],"CloudCustomData":"","MsgId":"17-1767000099-551200377","EventTime":1767000100250}"##);
    }

    #[test]
    fn a_message_that_found_no_device_to_the_letter() {
        let missed = written(|out| MsgOffline { message: MESSAGE, unread: 3 }.write(out));
        let expected = concat!(
            r#"{"CallbackCommand":"Couplet.CallbackMsgOffline","From_Account":"ana","To_Account":"bo","#,
            r#""MsgSeq":90211,"MsgRandom":4294967295,"MsgTime":1767000100,"#,
            r#""MsgKey":"90211_4294967295_1767000100","UnreadMsgNum":3,"#,
            r#""MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"lunch?"}}],"#,
            r#""CloudCustomData":"{\"v\":1}","EventTime":1767000100250}"#
        );
        assert_eq!(missed, expected);
    }

    #[test]
    fn a_message_to_a_bot_has_another_name() {
        let to_bot = AfterSendMsg { to_bot: true, ..AFTER };
        let expected =
            written(|out| AFTER.write(out)).replace("C2C.CallbackAfterSendMsg", "Bot.OnC2CMessage");
        assert_eq!(written(|out| to_bot.write(out)), expected);
        assert_eq!(to_bot.command(), CallbackCommand::BotOnC2cMessage);
        assert!(expected.contains("Bot.OnC2CMessage"));
    }

    #[test]
    fn an_edit_says_whose_it_is() {
        let sent = written(|out| BeforeSendMsg { message: MESSAGE, operator: None }.write(out));
        let edit = written(|out| BeforeSendMsg { message: MESSAGE, operator: Some("bo") }.write(out));
        let flag = r#","OnlineOnlyFlag":0"#;
        assert_eq!(edit, sent.replace(flag, r#","OnlineOnlyFlag":0,"Operator_Account":"bo""#));
    }

    #[test]
    fn a_marked_message_says_so() {
        let message = MessageFacts { has_risk_content: true, ..MESSAGE };
        let marked = BeforeSendMsg { message, operator: None };
        assert!(
            written(|out| marked.write(out)).ends_with(r#","EventTime":1767000100250,"HasRiskContent":1}"#)
        );
    }
}
