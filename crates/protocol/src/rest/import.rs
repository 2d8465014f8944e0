//! `openim/importmsg`: an admin puts a message of another system into the history, under the time that it had there.
//!
//! Answered with [`ok`](super::ok), also when the message is there already. No callback asks about it or tells of it.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::{sendmsg, user_id};
use crate::{
    code::{ErrorCode, Failure},
    element::Inspected,
    lenient::{self, Slot, slots},
};

/// The request, checked as far as that is possible without knowing the app.
#[derive(Debug, Clone)]
pub struct ImportMessage<'a> {
    /// `SyncFromOldSystem`.
    pub kind: ImportKind,
    /// `From_Account`.
    pub from: Cow<'a, str>,
    /// `To_Account`.
    pub to: Cow<'a, str>,
    /// `MsgSeq`; the server chooses when absent. A 0 that was given is a 0.
    pub seq: Option<u32>,
    /// `MsgRandom`.
    pub random: u32,
    /// `MsgTimeStamp` in Unix seconds: the time of the message.
    pub time_s: u32,
    /// `MsgBody` as it was sent.
    pub body: &'a RawValue,
    /// What a look at the body showed.
    pub inspected: Inspected<'a>,
    /// `CloudCustomData`, empty when absent.
    pub custom_data: Cow<'a, str>,
}

/// What an imported message is to its recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportKind {
    /// 2: history. It does not count as unread and is not pushed to devices.
    History,
    /// 5, or 1 as it was before: sent just now, while the app moves. It counts as unread and is pushed to devices.
    Live,
}

slots! {
    struct Members {
        kind: "SyncFromOldSystem",
        from: "From_Account",
        to: "To_Account",
        seq: "MsgSeq",
        random: "MsgRandom",
        time: "MsgTimeStamp",
        body: "MsgBody",
        custom_data: "CloudCustomData",
    }
}

impl<'a> ImportMessage<'a> {
    /// Parses the body of the request. The members that [`SendMessage`](sendmsg::SendMessage) has too are refused with
    /// the same codes, except that `From_Account` and `MsgTimeStamp` must be there; `SyncFromOldSystem` with
    /// [`ErrorCode::BadSyncFromOldSystem`].
    pub fn parse(body: &'a [u8]) -> Result<ImportMessage<'a>, Failure> {
        let members: Members<'a> = lenient::body(body).map_err(|_| ErrorCode::BadJson)?;
        Self::of_members(&members, kind(members.kind)?)
    }

    /// Parses the same without `SyncFromOldSystem`, whose value is given.
    pub fn parse_as(body: &'a [u8], kind: ImportKind) -> Result<ImportMessage<'a>, Failure> {
        let members: Members<'a> = lenient::body(body).map_err(|_| ErrorCode::BadJson)?;
        Self::of_members(&members, kind)
    }

    fn of_members(members: &Members<'a>, kind: ImportKind) -> Result<ImportMessage<'a>, Failure> {
        let custom_data = sendmsg::custom_data(members.custom_data)?;
        Ok(ImportMessage {
            kind,
            from: user_id(members.from, ErrorCode::BadFromAccount)?,
            to: user_id(members.to, ErrorCode::BadToAccount)?,
            seq: sendmsg::seq(members.seq)?,
            random: sendmsg::random(members.random)?,
            time_s: time_s(members.time)?,
            inspected: sendmsg::inspected(members.body, &custom_data)?,
            body: members.body.raw().ok_or(ErrorCode::BadElement)?,
            custom_data,
        })
    }
}

fn kind(slot: Slot<'_>) -> Result<ImportKind, ErrorCode> {
    match slot.u32() {
        Ok(Some(2)) => Ok(ImportKind::History),
        Ok(Some(1 | 5)) => Ok(ImportKind::Live),
        _ => Err(ErrorCode::BadSyncFromOldSystem),
    }
}

fn time_s(slot: Slot<'_>) -> Result<u32, Failure> {
    // 32 bits last until 2106, and tell seconds from milliseconds: a message thousands of years ahead would stand above
    // all that come after it. 0 is what clients in languages with zero values send for a member that was not set.
    let time_s = slot.u32().ok().flatten().filter(|&time_s| time_s > 0);
    time_s.ok_or_else(|| ErrorCode::BadMsgTimeStamp.with("MsgTimeStamp must be a time in Unix seconds"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#""SyncFromOldSystem":2,"From_Account":"ada","To_Account":"bo","MsgRandom":9,"MsgTimeStamp":1556178721,"MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"lunch?"}}]"#;

    fn parse(members: &str) -> Result<ImportMessage<'static>, u32> {
        let body = format!("{{{members}}}").leak();
        ImportMessage::parse(body.as_bytes()).map_err(|failure| failure.code)
    }

    #[test]
    fn the_least_and_the_most() {
        let least = parse(GOOD).unwrap();
        assert_eq!((&*least.from, &*least.to), ("ada", "bo"));
        assert_eq!((least.seq, least.random, least.time_s), (None, 9, 1_556_178_721));
        assert_eq!((least.kind, &*least.custom_data), (ImportKind::History, ""));
        assert_eq!(least.inspected.texts, ["lunch?"]);
        assert_eq!(least.body.get(), r#"[{"MsgType":"TIMTextElem","MsgContent":{"Text":"lunch?"}}]"#);
        let most =
            parse(&format!(r#"{GOOD},"SyncFromOldSystem":"5","MsgSeq":7,"CloudCustomData":"c""#)).unwrap();
        assert_eq!((most.kind, most.seq, &*most.custom_data), (ImportKind::Live, Some(7), "c"));
        assert_eq!(most.inspected.size_bytes, 7);
        assert_eq!(parse(&format!("{GOOD},\"SyncFromOldSystem\":1")).unwrap().kind, ImportKind::Live);
    }

    #[test]
    fn every_member_has_its_code() {
        let table = [
            (r#""SyncFromOldSystem":null"#, Some(90030)),
            (r#""SyncFromOldSystem":0"#, Some(90030)),
            (r#""SyncFromOldSystem":3"#, Some(90030)),
            (r#""SyncFromOldSystem":"x""#, Some(90030)),
            (r#""From_Account":null"#, Some(90008)),
            (r#""From_Account":7"#, Some(90008)),
            (r#""To_Account":null"#, Some(90003)),
            (r#""To_Account":["bo"]"#, Some(90003)),
            (r#""MsgRandom":null"#, Some(90005)),
            (r#""MsgRandom":4294967296"#, Some(90005)),
            (r#""MsgSeq":"x""#, Some(90010)),
            (r#""MsgTimeStamp":null"#, Some(90006)),
            (r#""MsgTimeStamp":0"#, Some(90006)),
            (r#""MsgTimeStamp":1"#, None),
            (r#""MsgTimeStamp":"1556178721""#, None),
            (r#""MsgTimeStamp":"soon""#, Some(90006)),
            (r#""MsgTimeStamp":4294967295"#, None),
            (r#""MsgTimeStamp":4294967296"#, Some(90006)),
            (r#""CloudCustomData":{}"#, Some(90010)),
            (r#""MsgBody":null"#, Some(90002)),
            (r#""MsgBody":[]"#, Some(90002)),
            (r#""MsgBody":{}"#, Some(90007)),
            (r#""MsgBody":[{"MsgType":"X","MsgContent":{}}]"#, Some(90010)),
        ];
        for (member, code) in table {
            // Of a doubled member the last counts, so each row overrides one of the good members.
            assert_eq!(parse(&format!("{GOOD},{member}")).err(), code, "{member}");
        }
        let long = "c".repeat(12_283);
        assert_eq!(parse(&format!(r#"{GOOD},"CloudCustomData":"{long}""#)).err(), Some(80002));
        assert_eq!(parse(&format!(r#"{GOOD},"CloudCustomData":"{}""#, &long[1..])).err(), None);
        assert_eq!(ImportMessage::parse(b"").unwrap_err().code, 90001);
        assert_eq!(ImportMessage::parse(b"{}").unwrap_err().code, 90030);
    }
}
