//! `openim/delete_c2c_msg_ramble`: an admin takes messages out of one party's history; the other party keeps them.

use std::borrow::Cow;

use super::{OK_AND, bad_format, strings, user_id};
use crate::{
    MsgKey,
    code::{ErrorCode, Failure},
    json::{self, write_json},
    lenient::{self, slots},
    limits::MSG_KEYS_PER_CALL_MAX,
};

/// The request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeleteMessages<'a> {
    /// `Operator_Account`: the party whose view loses the messages.
    pub operator: Cow<'a, str>,
    /// `Peer_Account`: the other party.
    pub peer: Cow<'a, str>,
    /// `MsgKeyList`, save for those in `invalid_keys`. Both lists together have 1 to 30 items.
    pub keys: Vec<MsgKey>,
    /// What of `MsgKeyList` cannot be a message key: no reason to keep the other messages.
    pub invalid_keys: Vec<Cow<'a, str>>,
}

slots! {
    struct Members {
        operator: "Operator_Account",
        peer: "Peer_Account",
        keys: "MsgKeyList",
    }
}

impl<'a> DeleteMessages<'a> {
    /// Parses the body of the request. Refused with [`ErrorCode::BadJson`], [`ErrorCode::BadFromAccount`] (operator),
    /// [`ErrorCode::BadToAccount`] (peer), or [`ErrorCode::BadFormat`] for the list.
    pub fn parse(body: &'a [u8]) -> Result<DeleteMessages<'a>, Failure> {
        let members: Members<'a> = lenient::body(body).map_err(|_| ErrorCode::BadJson)?;
        let operator = user_id(members.operator, ErrorCode::BadFromAccount)?;
        let peer = user_id(members.peer, ErrorCode::BadToAccount)?;
        let texts = members.keys.array().and_then(|items| strings(items.unwrap_or_default()));
        let texts = texts.ok().filter(|texts| (1..=MSG_KEYS_PER_CALL_MAX).contains(&texts.len()));
        let texts = texts.ok_or_else(|| {
            bad_format("MsgKeyList", &format!("an Array of 1 to {MSG_KEYS_PER_CALL_MAX} Strings"))
        })?;
        let (mut keys, mut invalid_keys) = (Vec::with_capacity(texts.len()), Vec::new());
        for text in texts {
            match text.parse() {
                Ok(key) => keys.push(key),
                Err(_) => invalid_keys.push(text),
            }
        }
        Ok(DeleteMessages { operator, peer, keys, invalid_keys })
    }

    /// The body of the answer, with the keys that are none.
    pub fn answer(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(96 + 48 * self.invalid_keys.len());
        let out = &mut bytes;
        write_json!(out, raw(OK_AND.as_bytes()), r#""InvalidMsgKeyList":"#);
        json::array(out, &self.invalid_keys, |out, text| json::string(out, text));
        out.push(b'}');
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(members: &str) -> Result<DeleteMessages<'static>, u32> {
        let good = r#""Operator_Account":"bo","Peer_Account":"ada","MsgKeyList":["3_31_1900"]"#;
        let body = format!("{{{good},{members}}}").leak();
        DeleteMessages::parse(body.as_bytes()).map_err(|failure| failure.code)
    }

    #[test]
    fn every_member_has_its_code() {
        let keys = |item: &str, count: usize| format!("\"MsgKeyList\":[{}]", vec![item; count].join(","));
        let table = [
            (r#""x":1"#.to_owned(), Ok((1, 0))),
            (r#""Operator_Account":null"#.into(), Err(90008)),
            (r#""Peer_Account":7"#.into(), Err(90003)),
            (r#""MsgKeyList":null"#.into(), Err(90010)),
            (r#""MsgKeyList":[]"#.into(), Err(90010)),
            (r#""MsgKeyList":"3_31_1900""#.into(), Err(90010)),
            (r#""MsgKeyList":["3_31_1900",7]"#.into(), Err(90010)),
            (keys("\"3_31_1900\"", 30), Ok((30, 0))),
            (keys("\"3_31_1900\"", 31), Err(90010)),
            (keys("\"x\"", 30), Ok((0, 30))),
            (keys("\"x\"", 31), Err(90010)),
        ];
        for (member, expected) in table {
            let request = parse(&member);
            let lens = request.map(|request| (request.keys.len(), request.invalid_keys.len()));
            assert_eq!(lens, expected, "{member}");
        }
        assert_eq!(DeleteMessages::parse(b"").unwrap_err().code, 90001);
    }

    #[test]
    fn keys_that_are_none_are_told_apart() {
        let request = parse(r#""MsgKeyList":["4_32_1950","3_31","","3_31_1900"]"#).unwrap();
        assert_eq!((&*request.operator, &*request.peer), ("bo", "ada"));
        let key = |seq, random, time_s| MsgKey { seq, random, time_s };
        assert_eq!(request.keys, [key(4, 32, 1950), key(3, 31, 1900)]);
        assert_eq!(
            String::from_utf8(request.answer()).unwrap(),
            r#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","InvalidMsgKeyList":["3_31",""]}"#
        );
        assert_eq!(
            String::from_utf8(parse(r#""x":1"#).unwrap().answer()).unwrap(),
            r#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","InvalidMsgKeyList":[]}"#
        );
    }
}
