//! `openim/modify_c2c_msg`: an admin changes what a message says, for both parties and for good.
//!
//! Answered with [`ok`](super::ok).

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::{bad_format, msg_key, user_id};
use crate::{
    MsgKey,
    code::{ErrorCode, Failure},
    element::{self, Inspected},
    lenient::{self, Slot, slots},
    limits::MESSAGE_LEN_MAX,
};

/// The request. At least one of `body` and `custom_data` is there; the other stays as it is.
#[derive(Debug, Clone)]
pub struct Edit<'a> {
    /// `From_Account`: who sent the message.
    pub from: Cow<'a, str>,
    /// `To_Account`: who got it.
    pub to: Cow<'a, str>,
    /// `MsgKey`.
    pub key: MsgKey,
    /// `MsgBody`.
    pub body: Option<NewBody<'a>>,
    /// `CloudCustomData`; an empty one that was given empties it. When the body or this is given alone, only the caller
    /// of this crate can tell whether the message as a whole stays within its size.
    pub custom_data: Option<Cow<'a, str>>,
    /// `MsgVersion`: edit only if the message still has this version, else [`ErrorCode::MessageVersionConflict`]. Not
    /// part of the original's API; without it the last edit wins.
    pub version: Option<u64>,
}

/// What the message is to say.
#[derive(Debug, Clone)]
pub struct NewBody<'a> {
    /// `MsgBody` as it was sent.
    pub json: &'a RawValue,
    /// What a look at it showed. The size includes the custom data if that is given too.
    pub inspected: Inspected<'a>,
}

slots! {
    struct Members {
        from: "From_Account",
        to: "To_Account",
        key: "MsgKey",
        body: "MsgBody",
        custom_data: "CloudCustomData",
        version: "MsgVersion",
    }
}

impl<'a> Edit<'a> {
    /// Parses the body of the request. Refused with [`ErrorCode::BadJson`], [`ErrorCode::BadFromAccount`],
    /// [`ErrorCode::BadToAccount`], [`ErrorCode::BadMsgKey`], like [`element::inspect`] for what the message is to say,
    /// and [`ErrorCode::BadFormat`] for the rest, also when there is nothing to change.
    pub fn parse(body: &'a [u8]) -> Result<Edit<'a>, Failure> {
        let members: Members<'a> = lenient::body(body).map_err(|_| ErrorCode::BadJson)?;
        let custom_data = custom_data(members.custom_data)?;
        let edit = Edit {
            from: user_id(members.from, ErrorCode::BadFromAccount)?,
            to: user_id(members.to, ErrorCode::BadToAccount)?,
            key: msg_key(members.key, ErrorCode::BadMsgKey)?,
            body: new_body(members.body, custom_data.as_deref().unwrap_or_default())?,
            custom_data,
            version: members.version.u64().map_err(|_| bad_format("MsgVersion", "an unsigned integer"))?,
        };
        if edit.body.is_none() && edit.custom_data.is_none() {
            return Err(ErrorCode::BadFormat.with("MsgBody or CloudCustomData must be given"));
        }
        Ok(edit)
    }
}

pub(crate) fn custom_data(slot: Slot<'_>) -> Result<Option<Cow<'_, str>>, Failure> {
    let custom_data = slot.string().map_err(|_| bad_format("CloudCustomData", "a String"))?;
    if custom_data.as_ref().is_some_and(|data| data.len() > MESSAGE_LEN_MAX) {
        return Err(ErrorCode::MessageTooLong.into());
    }
    Ok(custom_data)
}

pub(crate) fn new_body<'a>(slot: Slot<'a>, custom_data: &str) -> Result<Option<NewBody<'a>>, Failure> {
    let Some(json) = slot.raw() else { return Ok(None) };
    Ok(Some(NewBody { json, inspected: element::inspect(json, custom_data)? }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGE: &str = r#""From_Account":"ada","To_Account":"bo","MsgKey":"3_31_1900""#;
    const BODY: &str = r#"[{"MsgType":"TIMTextElem","MsgContent":{"Text":"lunch?"}}]"#;

    fn parse(members: &str) -> Result<Edit<'static>, u32> {
        let body = format!("{{{MESSAGE},{members}}}").leak();
        Edit::parse(body.as_bytes()).map_err(|failure| failure.code)
    }

    #[test]
    fn what_is_not_given_stays() {
        let body_alone = parse(&format!("\"MsgBody\":{BODY},\"CloudCustomData\":null")).unwrap();
        assert_eq!((&*body_alone.from, &*body_alone.to), ("ada", "bo"));
        assert_eq!(body_alone.key, MsgKey { seq: 3, random: 31, time_s: 1900 });
        let body = body_alone.body.unwrap();
        assert_eq!((body.json.get(), body.inspected.size_bytes), (BODY, 6));
        assert_eq!((body_alone.custom_data, body_alone.version), (None, None));

        let data_alone = parse(r#""CloudCustomData":"","MsgVersion":"18446744073709551615""#).unwrap();
        assert!(data_alone.body.is_none());
        assert_eq!((data_alone.custom_data.as_deref(), data_alone.version), (Some(""), Some(u64::MAX)));

        let both =
            parse(&format!("\"MsgBody\":{BODY},\"CloudCustomData\":\"abc\",\"MsgVersion\":0")).unwrap();
        assert_eq!((both.body.unwrap().inspected.size_bytes, both.version), (9, Some(0)));
        assert_eq!(both.custom_data.as_deref(), Some("abc"));
    }

    #[test]
    fn every_member_has_its_code() {
        let long = "c".repeat(12_289);
        let table = [
            (r#""x":1"#.to_owned(), None),
            (r#""From_Account":null"#.into(), Some(90008)),
            (r#""To_Account":7"#.into(), Some(90003)),
            (r#""MsgKey":null"#.into(), Some(90054)),
            (r#""MsgKey":"3_31_""#.into(), Some(90054)),
            (r#""CloudCustomData":null"#.into(), Some(90010)),
            (r#""CloudCustomData":{}"#.into(), Some(90010)),
            (format!(r#""CloudCustomData":"{}""#, &long[1..]), None),
            (format!(r#""CloudCustomData":"{long}""#), Some(80002)),
            (format!(r#""MsgBody":{BODY},"CloudCustomData":"{}""#, &long[7..]), None),
            (format!(r#""MsgBody":{BODY},"CloudCustomData":"{}""#, &long[6..]), Some(80002)),
            (r#""MsgBody":[]"#.into(), Some(90002)),
            (r#""MsgBody":{}"#.into(), Some(90007)),
            (r#""MsgBody":[{"MsgType":"X","MsgContent":{}}]"#.into(), Some(90010)),
            (r#""MsgVersion":-1"#.into(), Some(90010)),
            (r#""MsgVersion":"new""#.into(), Some(90010)),
        ];
        for (member, code) in table {
            let request = parse(&format!("\"CloudCustomData\":\"c\",{member}"));
            assert_eq!(request.err(), code, "{:.80}", member);
        }
        assert_eq!(Edit::parse(b"").unwrap_err().code, 90001);
        assert_eq!(Edit::parse(b"{}").unwrap_err().code, 90008);
    }
}
