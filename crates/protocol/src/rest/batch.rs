//! `openim/batchsendmsg`: an admin sends one message to up to 500 users.
//!
//! All recipients get it under one `MsgKey` and one `MsgId`. No callback asks about it or tells of it, unless the app
//! wants that, so the request has no `ForbidCallbackControl`. A recipient that is listed twice gets the message once.

use std::{borrow::Cow, collections::HashSet};

use serde_json::value::RawValue;

use super::{
    FailedAccount, OK_AND, error_list, fail_and, optional_user_id,
    sendmsg::{self, MessageSent, SendControl, SenderCopy},
    strings,
};
use crate::{
    code::{ErrorCode, Failure},
    element::Inspected,
    json::{self, write_json},
    lenient::{self, Slot, slots},
    limits::TARGETS_PER_CALL_MAX,
};

/// The request, checked as far as that is possible without knowing the app.
#[derive(Debug, Clone)]
pub struct SendBatch<'a> {
    /// `From_Account`; the calling admin when absent.
    pub from: Option<Cow<'a, str>>,
    /// `To_Account`: 1 to 500 Strings, each once. One that is not a valid UserID is answered like an account that does
    /// not exist, so that the others get their message.
    pub to: Vec<Cow<'a, str>>,
    /// `MsgSeq`; the server chooses when absent. A 0 that was given is a 0.
    pub seq: Option<u32>,
    /// `MsgRandom`.
    pub random: u32,
    /// `SyncOtherMachine`.
    pub sender_copy: SenderCopy,
    /// `OnlineOnlyFlag` 1 or `MsgLifeTime` 0: not stored, only for devices that are online now.
    pub online_only: bool,
    /// `MsgLifeTime` in seconds, at most seven days; not 0.
    pub life_time_secs: Option<u32>,
    /// `SendMsgControl`.
    pub control: SendControl,
    /// `MsgBody` as it was sent.
    pub body: &'a RawValue,
    /// What a look at the body showed.
    pub inspected: Inspected<'a>,
    /// `CloudCustomData`, empty when absent.
    pub custom_data: Cow<'a, str>,
    /// `SupportMessageExtension`.
    pub supports_extension: bool,
    /// `IsNeedReadReceipt`.
    pub needs_read_receipt: bool,
    /// `OfflinePushInfo` as it was sent: an object.
    pub offline_push: Option<&'a RawValue>,
}

slots! {
    struct Members {
        sync_other_machine: "SyncOtherMachine",
        from: "From_Account",
        to: "To_Account",
        online_only: "OnlineOnlyFlag",
        life_time: "MsgLifeTime",
        seq: "MsgSeq",
        random: "MsgRandom",
        control: "SendMsgControl",
        body: "MsgBody",
        custom_data: "CloudCustomData",
        supports_extension: "SupportMessageExtension",
        needs_read_receipt: "IsNeedReadReceipt",
        offline_push: "OfflinePushInfo",
    }
}

impl<'a> SendBatch<'a> {
    /// Parses the body of the request. The members that [`SendMessage`](sendmsg::SendMessage) has too are refused with
    /// the same codes; `To_Account` with [`ErrorCode::TargetsNotArray`], [`ErrorCode::NoTargets`],
    /// [`ErrorCode::TooManyTargets`] or, for an item that is not a String, [`ErrorCode::BadToAccount`]; a message of
    /// more than 12 KB with [`ErrorCode::BatchMessageTooLong`].
    pub fn parse(body: &'a [u8]) -> Result<SendBatch<'a>, Failure> {
        let members: Members<'a> = lenient::body(body).map_err(|_| ErrorCode::BadJson)?;
        let custom_data = sendmsg::custom_data(members.custom_data)?;
        let (online_only, life_time_secs) = sendmsg::life(members.online_only, members.life_time)?;
        Ok(SendBatch {
            to: targets(members.to)?,
            from: optional_user_id(members.from, ErrorCode::BadFromAccount)?,
            random: sendmsg::random(members.random)?,
            seq: sendmsg::seq(members.seq)?,
            sender_copy: sendmsg::sender_copy(members.sync_other_machine)?,
            online_only,
            life_time_secs,
            control: sendmsg::control(members.control)?,
            supports_extension: sendmsg::flag(members.supports_extension, "SupportMessageExtension")?,
            needs_read_receipt: sendmsg::flag(members.needs_read_receipt, "IsNeedReadReceipt")?,
            offline_push: sendmsg::offline_push(members.offline_push)?,
            inspected: sendmsg::inspected(members.body, &custom_data).map_err(too_long_for_a_batch)?,
            body: members.body.raw().ok_or(ErrorCode::BadElement)?,
            custom_data,
        })
    }
}

/// The answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchSent<'a> {
    /// `MsgKey` and `MsgId`, the same for all who get the message; `None` when nobody does.
    pub sent: Option<MessageSent<'a>>,
    /// `ErrorList`: who does not get it, and why.
    pub failed: &'a [FailedAccount<'a>],
}

impl BatchSent<'_> {
    /// The body of the answer. Its `ActionStatus` is `OK`, `SomeError` when somebody does not get the message, or
    /// `FAIL` with [`ErrorCode::RecipientNotFound`] when nobody does.
    pub fn to_json(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(192 + 72 * self.failed.len());
        let out = &mut bytes;
        match &self.sent {
            None => {
                fail_and(out, &ErrorCode::RecipientNotFound.into());
                out.push(b',');
            }
            Some(sent) => {
                let head = if self.failed.is_empty() { OK_AND } else { SOME_ERROR_AND };
                write_json!(
                    out,
                    raw(head.as_bytes()),
                    r#""MsgKey":"#,
                    key(&sent.key),
                    r#","MsgId":"#,
                    string(sent.msg_id),
                    ",",
                );
            }
        }
        json::raw(out, br#""ErrorList":"#);
        error_list(out, "To_Account", self.failed);
        out.push(b'}');
        bytes
    }
}

const SOME_ERROR_AND: &str = r#"{"ActionStatus":"SomeError","ErrorCode":0,"ErrorInfo":"","#;

fn targets(slot: Slot<'_>) -> Result<Vec<Cow<'_, str>>, ErrorCode> {
    let items = slot.array().ok().flatten().ok_or(ErrorCode::TargetsNotArray)?;
    match items.len() {
        0 => return Err(ErrorCode::NoTargets),
        1..=TARGETS_PER_CALL_MAX => {}
        _ => return Err(ErrorCode::TooManyTargets),
    }
    let mut targets = strings(items).map_err(|_| ErrorCode::BadToAccount)?;
    let mut seen = HashSet::with_capacity(targets.len());
    targets.retain(|target| seen.insert(target.clone()));
    Ok(targets)
}

fn too_long_for_a_batch(failure: Failure) -> Failure {
    if failure.code == ErrorCode::MessageTooLong.number() {
        return ErrorCode::BatchMessageTooLong.with(failure.info);
    }
    failure
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MsgKey;

    const BODY: &str = r#""MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"lunch?"}}]"#;

    fn parse(members: &str) -> Result<SendBatch<'static>, u32> {
        let body = format!("{{{members}}}").leak();
        SendBatch::parse(body.as_bytes()).map_err(|failure| failure.code)
    }

    #[test]
    fn the_least_and_the_most() {
        let least = parse(&format!(r#""To_Account":["bo"],"MsgRandom":9,{BODY}"#)).unwrap();
        assert_eq!((least.from, least.seq, least.random), (None, None, 9));
        assert_eq!(least.to, ["bo"]);
        assert_eq!(
            (least.sender_copy, least.online_only, least.life_time_secs, least.control),
            (SenderCopy::History, false, None, SendControl::default())
        );
        assert!(least.custom_data.is_empty() && least.offline_push.is_none());
        assert!(!least.supports_extension && !least.needs_read_receipt);
        assert_eq!(least.inspected.texts, ["lunch?"]);
        assert_eq!(format!("\"MsgBody\":{}", least.body.get()), BODY);

        let most = parse(&format!(
            r#""SyncOtherMachine":2,"From_Account":"ada","To_Account":["bo","cy","bo","\u0062o"],"OnlineOnlyFlag":1,
            "MsgLifeTime":604801,"MsgSeq":0,"MsgRandom":"4294967295","SendMsgControl":["NoUnread"],
            "CloudCustomData":"c","SupportMessageExtension":1,"IsNeedReadReceipt":1,
            "ForbidCallbackControl":7,"OfflinePushInfo":{{"PushFlag":1}},{BODY}"#
        ))
        .unwrap();
        assert_eq!((most.from.as_deref(), most.seq, most.random), (Some("ada"), Some(0), u32::MAX));
        assert_eq!(most.to, ["bo", "cy"], "a recipient that is listed again counts once");
        assert_eq!(most.sender_copy, SenderCopy::None);
        assert_eq!((most.online_only, most.life_time_secs), (true, Some(604_800)));
        assert_eq!(most.control, SendControl { no_unread: true, ..SendControl::default() });
        assert_eq!((&*most.custom_data, most.supports_extension, most.needs_read_receipt), ("c", true, true));
        assert_eq!(most.offline_push.unwrap().get(), r#"{"PushFlag":1}"#);
    }

    #[test]
    fn every_member_has_its_code() {
        let good = format!(r#""From_Account":"ada","To_Account":["bo"],"MsgRandom":9,{BODY}"#);
        let targets = |item: &str, count: usize| format!("\"To_Account\":[{}]", vec![item; count].join(","));
        let text = |len: usize| {
            let text = "x".repeat(len);
            format!(r#""MsgBody":[{{"MsgType":"TIMTextElem","MsgContent":{{"Text":"{text}"}}}}]"#)
        };
        let table = [
            (r#""x":1"#.to_owned(), None),
            (r#""To_Account":null"#.into(), Some(90028)),
            (r#""To_Account":"bo""#.into(), Some(90028)),
            (r#""To_Account":{}"#.into(), Some(90028)),
            (r#""To_Account":[]"#.into(), Some(90029)),
            (targets("\"bo\"", 500), None),
            (targets("\"bo\"", 501), Some(90011)),
            (targets("7", 501), Some(90011)),
            (r#""To_Account":["bo",7]"#.into(), Some(90003)),
            (r#""To_Account":["bo",null]"#.into(), Some(90003)),
            (r#""To_Account":["bo","","123456789012345678901234567890123"]"#.into(), None),
            (r#""From_Account":null"#.into(), None),
            (r#""From_Account":"""#.into(), Some(90008)),
            (r#""MsgRandom":null"#.into(), Some(90005)),
            (r#""MsgSeq":-1"#.into(), Some(90010)),
            (r#""MsgLifeTime":0"#.into(), None),
            (r#""MsgLifeTime":"x""#.into(), Some(90044)),
            (r#""SyncOtherMachine":3"#.into(), Some(90031)),
            (r#""OnlineOnlyFlag":2"#.into(), Some(90010)),
            (r#""CloudCustomData":{}"#.into(), Some(90010)),
            (r#""SendMsgControl":"NoUnread""#.into(), Some(90010)),
            (r#""SupportMessageExtension":2"#.into(), Some(90010)),
            (r#""IsNeedReadReceipt":"yes""#.into(), Some(90010)),
            (r#""OfflinePushInfo":[]"#.into(), Some(90043)),
            (r#""MsgBody":null"#.into(), Some(90002)),
            (r#""MsgBody":{}"#.into(), Some(90007)),
            (text(12_288), None),
            (text(12_289), Some(90055)),
            (format!(r#"{},"CloudCustomData":"c""#, text(12_288)), Some(90055)),
            (text(140_000), Some(93000)),
        ];
        for (member, code) in table {
            // Of a doubled member the last counts, so each row overrides one of the good members.
            assert_eq!(parse(&format!("{good},{member}")).err(), code, "{:.80}", member);
        }
        assert!(parse(&format!("{good},\"MsgLifeTime\":0")).unwrap().online_only);
        assert_eq!(SendBatch::parse(b"[]").unwrap_err().code, 90001);
        assert_eq!(SendBatch::parse(b"{}").unwrap_err().code, 90028);
        let long = format!("{{{good},{}}}", text(12_289));
        assert_eq!(
            SendBatch::parse(long.as_bytes()).unwrap_err().info,
            "the message has 12289 bytes; 12288 are allowed"
        );
    }

    #[test]
    fn answers() {
        let key = MsgKey { seq: 812, random: 55, time_s: 1_760_000_100 };
        let sent = Some(MessageSent { key, msg_id: "9-1760000100-55" });
        let nobody = FailedAccount { user_id: "no\"body", code: 70107 };
        let silent = FailedAccount { user_id: "cy", code: 20003 };
        let table = [
            (
                BatchSent { sent, failed: &[] },
                r#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","MsgKey":"812_55_1760000100","MsgId":"9-1760000100-55","ErrorList":[]}"#,
            ),
            (
                BatchSent { sent, failed: &[nobody, silent] },
                r#"{"ActionStatus":"SomeError","ErrorCode":0,"ErrorInfo":"","MsgKey":"812_55_1760000100","MsgId":"9-1760000100-55","ErrorList":[{"To_Account":"no\"body","ErrorCode":70107},{"To_Account":"cy","ErrorCode":20003}]}"#,
            ),
            (
                BatchSent { sent: None, failed: &[nobody] },
                r#"{"ActionStatus":"FAIL","ErrorCode":90012,"ErrorInfo":"invalid To_Account","ErrorList":[{"To_Account":"no\"body","ErrorCode":70107}]}"#,
            ),
        ];
        for (answer, expected) in table {
            assert_eq!(String::from_utf8(answer.to_json()).unwrap(), expected);
        }
    }
}
