//! `openim/admin_getroammsg`: reading a conversation's history, newest page first.
//!
//! A page lists its messages from old to new. To continue, the caller repeats the request with `MaxTime` and
//! `LastMsgKey` set to the `LastMsgTime` and `LastMsgKey` of the answer, which are those of the oldest message in it.

use std::borrow::Cow;

use super::{OK_AND, user_id};
use crate::{
    MsgKey,
    code::{ErrorCode, Failure},
    json::{self, write_json},
    lenient::{self, Slot, slots},
};

/// The request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GetRoamMessages<'a> {
    /// `Operator_Account` (older: `From_Account`): the party whose view is read.
    pub operator: Cow<'a, str>,
    /// `Peer_Account` (older: `To_Account`): the other party.
    pub peer: Cow<'a, str>,
    /// `MaxCnt`, at least 1; the caller of this crate bounds it.
    pub count_max: u32,
    /// `MinTime` in Unix seconds, inclusive.
    pub min_time_s: u64,
    /// `MaxTime` in Unix seconds, inclusive.
    pub max_time_s: u64,
    /// `LastMsgKey`: continue with the messages before this one.
    pub last_key: Option<MsgKey>,
}

slots! {
    struct Members {
        operator: "Operator_Account" | "From_Account",
        peer: "Peer_Account" | "To_Account",
        count_max: "MaxCnt",
        min_time: "MinTime",
        max_time: "MaxTime",
        last_key: "LastMsgKey",
    }
}

impl<'a> GetRoamMessages<'a> {
    /// Parses the body of the request. Refused with [`ErrorCode::BadJson`], [`ErrorCode::BadFromAccount`] (operator),
    /// [`ErrorCode::BadToAccount`] (peer), [`ErrorCode::BadMsgKey`], or [`ErrorCode::BadFormat`] for the numbers.
    pub fn parse(body: &'a [u8]) -> Result<GetRoamMessages<'a>, Failure> {
        let members: Members<'a> = lenient::body(body).map_err(|_| ErrorCode::BadJson)?;
        Ok(GetRoamMessages {
            operator: user_id(members.operator, ErrorCode::BadFromAccount)?,
            peer: user_id(members.peer, ErrorCode::BadToAccount)?,
            count_max: match members.count_max.u32() {
                Ok(Some(count_max)) if count_max > 0 => count_max,
                _ => return Err(ErrorCode::BadFormat.with("MaxCnt must be a positive integer")),
            },
            min_time_s: time_s(members.min_time, "MinTime")?,
            max_time_s: time_s(members.max_time, "MaxTime")?,
            last_key: last_key(members.last_key)?,
        })
    }
}

/// One page of the answer.
#[derive(Debug, Clone, Copy)]
pub struct RoamPage<'a> {
    /// `LastMsgKey`, and in it `LastMsgTime`: what the next page goes on behind, if that is not the first of the
    /// messages. `None` is `Complete`: nothing older is left in the window.
    pub next: Option<MsgKey>,
    /// From old to new.
    pub messages: &'a [RoamMessage<'a>],
}

impl RoamPage<'_> {
    /// The body of the answer.
    pub fn to_json(&self) -> Vec<u8> {
        let bodies_len: usize = self.messages.iter().map(RoamMessage::len_estimate).sum();
        let mut bytes = Vec::with_capacity(160 + bodies_len);
        let out = &mut bytes;
        let last = self.next.as_ref().or(self.messages.first().map(|message| &message.key));
        write_json!(
            out,
            raw(OK_AND.as_bytes()),
            r#""Complete":"#,
            flag(self.next.is_none()),
            r#","MsgCnt":"#,
            number(self.messages.len() as u64),
            r#","LastMsgTime":"#,
            number(last.map_or(0, |key| key.time_s)),
            r#","LastMsgKey":"#,
        );
        match last {
            Some(key) => json::key(out, key),
            None => json::string(out, ""),
        }
        write_json!(out, r#","MsgList":"#);
        json::array(out, self.messages, |out, message| message.write(out));
        out.push(b'}');
        bytes
    }
}

/// A message as history shows it, to backends and, in the client protocol, to devices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoamMessage<'a> {
    /// `From_Account`.
    pub from: &'a str,
    /// `To_Account`.
    pub to: &'a str,
    /// `MsgKey`, and in it `MsgSeq`, `MsgRandom` and `MsgTimeStamp`.
    pub key: MsgKey,
    /// `MsgId`.
    pub msg_id: &'a str,
    /// `MsgFlagBits`: 0, or 8 when recalled.
    pub flag_bits: u32,
    /// `IsPeerRead`: the recipient sent a read receipt for this message.
    pub is_peer_read: bool,
    /// `MsgBody`, as JSON.
    pub body: &'a [u8],
    /// `CloudCustomData`.
    pub custom_data: &'a str,
    /// `MsgClientTime`: the sender's own clock, in Unix seconds.
    pub client_time_s: u64,
    /// `MsgVersion`: rises with every edit.
    pub version: u64,
    /// `IsNeedReadReceipt`.
    pub needs_read_receipt: bool,
    /// `SupportMessageExtension`.
    pub supports_extension: bool,
    /// `HasRiskContent`: a word list marked it. Not part of the original's history, and only there when it is so.
    pub has_risk_content: bool,
}

impl RoamMessage<'_> {
    /// Appends the message as a JSON object.
    pub fn write(&self, out: &mut Vec<u8>) {
        write_json!(
            out,
            r#"{"From_Account":"#,
            string(self.from),
            r#","To_Account":"#,
            string(self.to),
            r#","MsgSeq":"#,
            number(u64::from(self.key.seq)),
            r#","MsgRandom":"#,
            number(u64::from(self.key.random)),
            r#","MsgTimeStamp":"#,
            number(self.key.time_s),
            r#","MsgFlagBits":"#,
            number(u64::from(self.flag_bits)),
            r#","IsPeerRead":"#,
            flag(self.is_peer_read),
            r#","MsgKey":"#,
            key(&self.key),
            r#","MsgId":"#,
            string(self.msg_id),
            r#","MsgBody":"#,
            raw(self.body),
            r#","CloudCustomData":"#,
            string(self.custom_data),
            r#","MsgClientTime":"#,
            number(self.client_time_s),
            r#","MsgVersion":"#,
            number(self.version),
            r#","IsNeedReadReceipt":"#,
            flag(self.needs_read_receipt),
            r#","SupportMessageExtension":"#,
            flag(self.supports_extension),
        );
        if self.has_risk_content {
            json::raw(out, br#","HasRiskContent":1"#);
        }
        out.push(b'}');
    }

    /// About how long the object will be, in bytes.
    pub fn len_estimate(&self) -> usize {
        // The names of the members take some 290 bytes, numbers and ids usually less than 150.
        440 + self.body.len() + self.custom_data.len()
    }
}

fn time_s(slot: Slot<'_>, name: &str) -> Result<u64, Failure> {
    let time_s = slot.u64().ok().flatten();
    time_s.ok_or_else(|| ErrorCode::BadFormat.with(format!("{name} must be a time in Unix seconds")))
}

fn last_key(slot: Slot<'_>) -> Result<Option<MsgKey>, ErrorCode> {
    let text = slot.string().map_err(|_| ErrorCode::BadMsgKey)?;
    // Clients in languages with zero values send "" for a member that was not set.
    text.filter(|text| !text.is_empty()).map(|text| text.parse()).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests() {
        let key = MsgKey { seq: 3, random: 31, time_s: 1900 };
        let good = r#""Operator_Account":"bo","Peer_Account":"ada","MaxCnt":2,"MinTime":1000,"MaxTime":2000"#;
        let table = [
            ("\"x\":1", Ok(None)),
            (r#""LastMsgKey":"3_31_1900","MinTime":"1000","MaxTime":"2000","MaxCnt":"2""#, Ok(Some(key))),
            (r#""From_Account":"bo","To_Account":"ada""#, Ok(None)),
            (r#""LastMsgKey":"""#, Ok(None)),
            (r#""LastMsgKey":"3_31""#, Err(90054)),
            (r#""LastMsgKey":3"#, Err(90054)),
            (r#""Operator_Account":null"#, Err(90008)),
            (r#""Peer_Account":7"#, Err(90003)),
            (r#""MaxCnt":0"#, Err(90010)),
            (r#""MaxCnt":null"#, Err(90010)),
            (r#""MinTime":"x""#, Err(90010)),
            (r#""MaxTime":-1"#, Err(90010)),
        ];
        for (members, expected) in table {
            let body = format!("{{{good},{members}}}");
            let request = GetRoamMessages::parse(body.as_bytes()).map_err(|failure| failure.code);
            let expected = expected.map(|last_key| GetRoamMessages {
                operator: "bo".into(),
                peer: "ada".into(),
                count_max: 2,
                min_time_s: 1000,
                max_time_s: 2000,
                last_key,
            });
            assert_eq!(request, expected, "{members}");
        }
        assert_eq!(GetRoamMessages::parse(b"").unwrap_err().code, 90001);
    }

    #[test]
    fn pages() {
        let message = RoamMessage {
            from: "ada",
            to: "bo",
            key: MsgKey { seq: 3, random: 31, time_s: 1900 },
            msg_id: "1-1899-31",
            flag_bits: 0,
            is_peer_read: false,
            body: b"[]",
            custom_data: "\"x\"",
            client_time_s: 1899,
            version: 0,
            needs_read_receipt: true,
            supports_extension: false,
            has_risk_content: false,
        };
        let later = RoamMessage { key: MsgKey { seq: 4, random: 32, time_s: 1950 }, flag_bits: 8, ..message };
        let page = RoamPage { next: Some(message.key), messages: &[message, later] };
        let json = page.to_json();
        assert!(json.capacity() == 160 + 2 * 445, "written without growing");
        insta::assert_snapshot!(String::from_utf8(json).unwrap(), @r##"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","Complete":0,"MsgCnt":2,"LastMsgTime":1900,"LastMsgKey":"3_31_1900","MsgList":[{"From_Account":"ada","To_Account":"bo","MsgSeq":3,"MsgRandom":31,"MsgTimeStamp":1900,"MsgFlagBits":0,"IsPeerRead":0,"MsgKey":"3_31_1900","MsgId":"1-1899-31","MsgBody":[],"CloudCustomData":"\"x\"","MsgClientTime":1899,"MsgVersion":0,"IsNeedReadReceipt":1,"SupportMessageExtension":0},{"From_Account":"ada","To_Account":"bo","MsgSeq":4,"MsgRandom":32,"MsgTimeStamp":1950,"MsgFlagBits":8,"IsPeerRead":0,"MsgKey":"4_32_1950","MsgId":"1-1899-31","MsgBody":[],"CloudCustomData":"\"x\"","MsgClientTime":1899,"MsgVersion":0,"IsNeedReadReceipt":1,"SupportMessageExtension":0}]}"##);
        let empty = RoamPage { next: None, messages: &[] };
        insta::assert_snapshot!(String::from_utf8(empty.to_json()).unwrap(), @r##"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","Complete":1,"MsgCnt":0,"LastMsgTime":0,"LastMsgKey":"","MsgList":[]}"##);
        // So much is hidden from the viewer that the page ended before there was anything to show.
        let short = RoamPage { next: Some(later.key), messages: &[] };
        insta::assert_snapshot!(String::from_utf8(short.to_json()).unwrap(), @r##"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","Complete":0,"MsgCnt":0,"LastMsgTime":1950,"LastMsgKey":"4_32_1950","MsgList":[]}"##);
    }
}
