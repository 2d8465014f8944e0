//! `openim/sendmsg`: an admin sends one message, as any user to any other.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::{OK_AND, bad_format, optional_user_id, user_id};
use crate::{
    MsgKey,
    code::{ErrorCode, Failure},
    element::{self, Inspected},
    json::write_json,
    lenient::{self, Slot, WrongType, slots},
    limits::MSG_LIFE_TIME_SECS_MAX,
};

/// The request, checked as far as that is possible without knowing the app.
#[derive(Debug, Clone)]
pub struct SendMessage<'a> {
    /// `From_Account`; the calling admin when absent.
    pub from: Option<Cow<'a, str>>,
    /// `To_Account`.
    pub to: Cow<'a, str>,
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
    /// `ForbidCallbackControl`.
    pub forbid: ForbidCallbacks,
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

/// Where else the message goes, besides to the recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SenderCopy {
    /// Into the sender's history.
    #[default]
    History,
    /// Into the sender's history and at once to the sender's devices.
    HistoryAndDevices,
    /// Nowhere: the sender's side does not show it.
    None,
}

/// Which callbacks this one message does without.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ForbidCallbacks {
    /// `ForbidBeforeSendMsgCallback`.
    pub before_send: bool,
    /// `ForbidAfterSendMsgCallback`.
    pub after_send: bool,
}

/// How this one message differs from others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SendControl {
    /// `NoUnread`: does not count as unread.
    pub no_unread: bool,
    /// `NoLastMsg`: does not touch the conversation list.
    pub no_last_msg: bool,
    /// `WithMuteNotifications`: obeys the recipient's do-not-disturb.
    pub with_mute_notifications: bool,
    /// `NoMsgCheck`: is not looked at by the content filter.
    pub no_msg_check: bool,
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
        time_stamp: "MsgTimeStamp",
        forbid: "ForbidCallbackControl",
        control: "SendMsgControl",
        body: "MsgBody",
        custom_data: "CloudCustomData",
        supports_extension: "SupportMessageExtension",
        needs_read_receipt: "IsNeedReadReceipt",
        offline_push: "OfflinePushInfo",
    }
}

impl<'a> SendMessage<'a> {
    /// Parses the body of the request. Each member has its own code: see [`ErrorCode`] from
    /// [`BadJson`](ErrorCode::BadJson) on; members without one are [`ErrorCode::BadFormat`].
    pub fn parse(body: &'a [u8]) -> Result<SendMessage<'a>, Failure> {
        let members: Members<'a> = lenient::body(body).map_err(|_| ErrorCode::BadJson)?;
        let custom_data = custom_data(members.custom_data)?;
        let (online_only, life_time_secs) = life(members.online_only, members.life_time)?;
        // The server's clock decides; the member is only checked.
        members.time_stamp.i64().map_err(|_| ErrorCode::BadMsgTimeStamp)?;
        Ok(SendMessage {
            to: user_id(members.to, ErrorCode::BadToAccount)?,
            from: optional_user_id(members.from, ErrorCode::BadFromAccount)?,
            random: random(members.random)?,
            seq: seq(members.seq)?,
            sender_copy: sender_copy(members.sync_other_machine)?,
            online_only,
            life_time_secs,
            forbid: forbid(members.forbid)?,
            control: control(members.control)?,
            supports_extension: flag(members.supports_extension, "SupportMessageExtension")?,
            needs_read_receipt: flag(members.needs_read_receipt, "IsNeedReadReceipt")?,
            offline_push: offline_push(members.offline_push)?,
            inspected: inspected(members.body, &custom_data)?,
            body: members.body.raw().ok_or(ErrorCode::BadElement)?,
            custom_data,
        })
    }
}

/// The answer to a message that was accepted, also when it was accepted before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MessageSent<'a> {
    /// Its key; the answer's `MsgTime` is the time in it.
    pub key: MsgKey,
    /// `MsgId`.
    pub msg_id: &'a str,
}

impl MessageSent<'_> {
    /// The body of the answer.
    pub fn to_json(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(192);
        let out = &mut bytes;
        write_json!(
            out,
            raw(OK_AND.as_bytes()),
            r#""MsgTime":"#,
            number(self.key.time_s),
            r#","MsgKey":"#,
            key(&self.key),
            r#","MsgId":"#,
            string(self.msg_id),
            "}",
        );
        bytes
    }
}

/// The custom data of a message, empty when absent.
pub(crate) fn custom_data(slot: Slot<'_>) -> Result<Cow<'_, str>, Failure> {
    Ok(slot.string().map_err(|_| bad_format("CloudCustomData", "a String"))?.unwrap_or_default())
}

/// A look at a message body that must be there.
pub(crate) fn inspected<'a>(slot: Slot<'a>, custom_data: &str) -> Result<Inspected<'a>, Failure> {
    element::inspect(slot.raw().ok_or(ErrorCode::BadElement)?, custom_data)
}

/// `MsgRandom`.
pub(super) fn random(slot: Slot<'_>) -> Result<u32, ErrorCode> {
    slot.u32().ok().flatten().ok_or(ErrorCode::BadMsgRandom)
}

/// `MsgSeq`.
pub(super) fn seq(slot: Slot<'_>) -> Result<Option<u32>, Failure> {
    slot.u32().map_err(|_| bad_format("MsgSeq", "an unsigned 32-bit integer"))
}

pub(super) fn flag(slot: Slot<'_>, name: &str) -> Result<bool, Failure> {
    slot.flag().map_err(|_| bad_format(name, "0 or 1"))
}

/// `OnlineOnlyFlag` and `MsgLifeTime`: whether a message is for devices online now only, and how long it waits if not.
pub(super) fn life(online_only: Slot<'_>, life_time: Slot<'_>) -> Result<(bool, Option<u32>), Failure> {
    let secs = life_time.u32().map_err(|_| ErrorCode::BadLifeTime)?;
    let online_only = flag(online_only, "OnlineOnlyFlag")? || secs == Some(0);
    Ok((online_only, secs.filter(|&secs| secs > 0).map(|secs| secs.min(MSG_LIFE_TIME_SECS_MAX))))
}

/// `SyncOtherMachine`.
pub(super) fn sender_copy(slot: Slot<'_>) -> Result<SenderCopy, ErrorCode> {
    match slot.u32() {
        // Clients in languages with zero values send 0 for a member that was not set.
        Ok(None | Some(0)) => Ok(SenderCopy::History),
        Ok(Some(1)) => Ok(SenderCopy::HistoryAndDevices),
        Ok(Some(2)) => Ok(SenderCopy::None),
        _ => Err(ErrorCode::BadSyncOtherMachine),
    }
}

fn forbid(slot: Slot<'_>) -> Result<ForbidCallbacks, Failure> {
    let mut forbid = ForbidCallbacks::default();
    for_each_word(slot, |word| match word {
        "ForbidBeforeSendMsgCallback" => forbid.before_send = true,
        "ForbidAfterSendMsgCallback" => forbid.after_send = true,
        _ => {}
    })
    .map_err(|_| bad_format("ForbidCallbackControl", "an Array of Strings"))?;
    Ok(forbid)
}

/// `SendMsgControl`.
pub(super) fn control(slot: Slot<'_>) -> Result<SendControl, Failure> {
    let mut control = SendControl::default();
    for_each_word(slot, |word| match word {
        "NoUnread" => control.no_unread = true,
        "NoLastMsg" => control.no_last_msg = true,
        "WithMuteNotifications" => control.with_mute_notifications = true,
        "NoMsgCheck" => control.no_msg_check = true,
        _ => {}
    })
    .map_err(|_| bad_format("SendMsgControl", "an Array of Strings"))?;
    Ok(control)
}

fn for_each_word(slot: Slot<'_>, mut take: impl FnMut(&str)) -> Result<(), WrongType> {
    for item in slot.array()?.unwrap_or_default() {
        take(&item.string()?.unwrap_or_default());
    }
    Ok(())
}

slots! {
    struct Push {
        flag: "PushFlag",
        title: "Title",
        desc: "Desc",
        ext: "Ext",
        android: "AndroidInfo",
        apns: "ApnsInfo",
    }
}

slots! { struct AnyMembers { none: "", } }

/// `OfflinePushInfo`.
pub(crate) fn offline_push(slot: Slot<'_>) -> Result<Option<&RawValue>, ErrorCode> {
    let shape_is_right = || -> Result<(), WrongType> {
        let Some(push) = slot.object::<Push<'_>>()? else { return Ok(()) };
        push.flag.flag()?;
        push.title.string()?;
        push.desc.string()?;
        push.ext.string()?;
        push.android.object::<AnyMembers<'_>>()?;
        push.apns.object::<AnyMembers<'_>>()?;
        Ok(())
    };
    shape_is_right().map_err(|_| ErrorCode::BadOfflinePushInfo)?;
    Ok(slot.raw())
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = r#""MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"lunch?"}}]"#;

    fn parse(members: &str) -> Result<SendMessage<'static>, u32> {
        let body = format!("{{{members}}}").leak();
        SendMessage::parse(body.as_bytes()).map_err(|failure| failure.code)
    }

    #[test]
    fn the_least_and_the_most() {
        let least = parse(&format!(r#""To_Account":"bo","MsgRandom":9,{BODY}"#)).unwrap();
        assert_eq!((least.from, &*least.to, least.seq, least.random), (None, "bo", None, 9));
        assert_eq!(
            (least.sender_copy, least.online_only, least.life_time_secs),
            (SenderCopy::History, false, None)
        );
        assert!(least.custom_data.is_empty() && least.offline_push.is_none());
        assert_eq!(least.inspected.texts, ["lunch?"]);
        assert_eq!(format!("\"MsgBody\":{}", least.body.get()), BODY);

        let most = parse(&format!(
            r#""SyncOtherMachine":1,"From_Account":"ada","To_Account":"bo","OnlineOnlyFlag":1,"MsgLifeTime":604801,
            "MsgSeq":"4294967295","MsgRandom":4294967295,"MsgTimeStamp":"1760000000",
            "ForbidCallbackControl":["ForbidBeforeSendMsgCallback","ForbidAfterSendMsgCallback"],
            "SendMsgControl":["NoUnread","NoLastMsg","WithMuteNotifications","NoMsgCheck","Newer"],
            "CloudCustomData":"{{\"v\":1}}","SupportMessageExtension":1,"IsNeedReadReceipt":1,"Unknown":{{}},
            "OfflinePushInfo":{{"PushFlag":0,"Desc":"d","AndroidInfo":{{"Sound":"s"}},"ApnsInfo":{{}}}},{BODY}"#
        ))
        .unwrap();
        assert_eq!((most.from.as_deref(), most.seq, most.random), (Some("ada"), Some(u32::MAX), u32::MAX));
        assert_eq!(most.sender_copy, SenderCopy::HistoryAndDevices);
        assert_eq!((most.online_only, most.life_time_secs), (true, Some(604_800)));
        assert_eq!(most.forbid, ForbidCallbacks { before_send: true, after_send: true });
        let all = SendControl {
            no_unread: true,
            no_last_msg: true,
            with_mute_notifications: true,
            no_msg_check: true,
        };
        assert_eq!(most.control, all);
        assert_eq!(
            (&*most.custom_data, most.supports_extension, most.needs_read_receipt),
            (r#"{"v":1}"#, true, true)
        );
        assert!(most.offline_push.unwrap().get().starts_with(r#"{"PushFlag":0"#));
    }

    #[test]
    fn every_member_has_its_code() {
        let good = format!(r#""From_Account":"ada","To_Account":"bo","MsgRandom":9,{BODY}"#);
        let table = [
            ("\"x\":1", None),
            ("\"To_Account\":null", Some(90003)),
            ("\"To_Account\":5", Some(90003)),
            ("\"To_Account\":[\"bo\"]", Some(90003)),
            ("\"To_Account\":\"\"", Some(90003)),
            ("\"To_Account\":\"123456789012345678901234567890123\"", Some(90003)),
            ("\"To_Account\":\"a\\nb\"", Some(90003)),
            ("\"From_Account\":null", None),
            ("\"From_Account\":5", Some(90008)),
            ("\"From_Account\":\"\"", Some(90008)),
            ("\"MsgRandom\":null", Some(90005)),
            ("\"MsgRandom\":\"12\"", None),
            ("\"MsgRandom\":\"x\"", Some(90005)),
            ("\"MsgRandom\":4294967296", Some(90005)),
            ("\"MsgRandom\":-1", Some(90005)),
            ("\"MsgRandom\":1.5", Some(90005)),
            ("\"MsgSeq\":0", None),
            ("\"MsgSeq\":-1", Some(90010)),
            ("\"MsgTimeStamp\":\"soon\"", Some(90006)),
            ("\"MsgLifeTime\":0", None),
            ("\"MsgLifeTime\":\"x\"", Some(90044)),
            ("\"MsgLifeTime\":-1", Some(90044)),
            ("\"SyncOtherMachine\":2", None),
            ("\"SyncOtherMachine\":0", None),
            ("\"SyncOtherMachine\":3", Some(90031)),
            ("\"SyncOtherMachine\":\"x\"", Some(90031)),
            ("\"OnlineOnlyFlag\":2", Some(90010)),
            ("\"CloudCustomData\":{}", Some(90010)),
            ("\"SendMsgControl\":\"NoUnread\"", Some(90010)),
            ("\"ForbidCallbackControl\":[1]", Some(90010)),
            ("\"IsNeedReadReceipt\":\"yes\"", Some(90010)),
            ("\"OfflinePushInfo\":null", None),
            ("\"OfflinePushInfo\":[]", Some(90043)),
            ("\"OfflinePushInfo\":{\"Title\":1}", Some(90043)),
            ("\"OfflinePushInfo\":{\"ApnsInfo\":\"x\"}", Some(90043)),
            ("\"MsgBody\":null", Some(90002)),
            ("\"MsgBody\":[]", Some(90002)),
            ("\"MsgBody\":{}", Some(90007)),
            ("\"MsgBody\":[{\"MsgType\":\"X\",\"MsgContent\":{}}]", Some(90010)),
        ];
        for (member, code) in table {
            // Of a doubled member the last counts, so each row overrides one of the good members.
            assert_eq!(parse(&format!("{good},{member}")).err(), code, "{member}");
        }
        assert!(parse(&format!("{good},\"MsgLifeTime\":0")).unwrap().online_only);
        for body in ["", "[]", "\"x\"", "{", "null", "{}}"] {
            assert_eq!(SendMessage::parse(body.as_bytes()).unwrap_err().code, 90001, "{body}");
        }
        assert_eq!(SendMessage::parse(b"{}").unwrap_err().code, 90003);
    }

    #[test]
    fn the_answer() {
        let key = MsgKey { seq: 7, random: 4021, time_s: 1_760_000_000 };
        let sent = MessageSent { key, msg_id: "9-1760000000-4021" };
        let expected = r#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","MsgTime":1760000000,"MsgKey":"7_4021_1760000000","MsgId":"9-1760000000-4021"}"#;
        assert_eq!(String::from_utf8(sent.to_json()).unwrap(), expected);
    }
}
