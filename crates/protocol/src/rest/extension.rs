//! `openim_msg_ext_http_svc`: key-value pairs on a message that was sent with `SupportMessageExtension`.
//!
//! A defect of the request refuses all of it with [`ErrorCode::ExtensionParameter`], saying where. Every change of a
//! pair takes the next number of the message as the `Seq` of the pair, so that a reader can ask for what is new. Only
//! admins come here, and they overwrite a pair whatever `Seq` they send with it.

use std::borrow::Cow;

use super::{OK_AND, msg_key, optional_user_id, user_id};
use crate::{
    MsgKey,
    code::{ErrorCode, Failure},
    json::{self, write_json},
    lenient::{self, Slot, slots},
    limits::{EXTENSION_KEY_LEN_MAX, EXTENSION_VALUE_LEN_MAX, EXTENSIONS_PER_CALL_MAX},
};

/// `set_key_values`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Set<'a> {
    /// `From_Account`: who sent the message; the calling admin when absent.
    pub from: Option<Cow<'a, str>>,
    /// `To_Account`: who got it.
    pub to: Cow<'a, str>,
    /// `MsgKey`.
    pub key: MsgKey,
    /// `OperateType`, with what it needs of `ExtensionList`.
    pub operation: Operation<'a>,
}

/// What to do with the pairs of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation<'a> {
    /// 1: set these, 1 to 20. Of a doubled key the last is to count.
    Set(Vec<Pair<'a>>),
    /// 2: delete those with these keys, 1 to 20.
    Delete(Vec<Cow<'a, str>>),
    /// 3: delete all.
    Clear,
}

/// A pair to set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair<'a> {
    /// `Key`, 1 to 100 bytes.
    pub key: Cow<'a, str>,
    /// `Value`, at most 1000 bytes; empty when absent.
    pub value: Cow<'a, str>,
}

/// `get_key_values`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Get<'a> {
    /// `From_Account`: who sent the message; the calling admin when absent.
    pub from: Option<Cow<'a, str>>,
    /// `To_Account`: who got it.
    pub to: Cow<'a, str>,
    /// `MsgKey`.
    pub key: MsgKey,
    /// `StartSeq`: only pairs with this `Seq` or a higher one; 0 when absent.
    pub start_seq: u64,
}

/// A pair as it is on the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extension<'a> {
    /// `Key`.
    pub key: &'a str,
    /// `Value`; empty of a pair that was deleted.
    pub value: &'a str,
    /// `Seq`.
    pub seq: u64,
}

/// One line of the answer to [`Set`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Changed<'a> {
    /// `ErrorCode`: why this pair could not be changed; 0 when it was.
    pub code: u32,
    /// `Extension`: the pair as it is now.
    pub extension: Extension<'a>,
}

/// The answer to [`Get`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExtensionPage<'a> {
    /// `CompleteFlag`: there are no more pairs.
    pub complete: bool,
    /// `LatestSeq`: the highest `Seq` that the message has given to a pair.
    pub latest_seq: u64,
    /// `ClearSeq`: pairs up to this `Seq` were cleared, and a reader drops its copies of them.
    pub clear_seq: u64,
    /// `ExtensionList`, in the order of `Seq`, at most 200.
    pub extensions: &'a [Extension<'a>],
}

slots! {
    struct SetMembers {
        from: "From_Account",
        to: "To_Account",
        key: "MsgKey",
        operation: "OperateType",
        extensions: "ExtensionList",
    }
}

slots! {
    struct PairMembers {
        key: "Key",
        value: "Value",
    }
}

slots! {
    struct GetMembers {
        from: "From_Account",
        to: "To_Account",
        key: "MsgKey",
        start_seq: "StartSeq",
    }
}

impl<'a> Set<'a> {
    /// Parses the body of the request.
    pub fn parse(body: &'a [u8]) -> Result<Set<'a>, Failure> {
        let members: SetMembers<'a> = lenient::body(body).map_err(|_| not_json())?;
        Ok(Set {
            from: sender(members.from)?,
            to: recipient(members.to)?,
            key: key(members.key)?,
            operation: operation(members.operation, members.extensions)?,
        })
    }

    /// The body of the answer: one line for each pair of the request, in its order.
    pub fn answer(changed: &[Changed<'_>]) -> Vec<u8> {
        let lens = changed.iter().map(|changed| 24 + changed.extension.len_estimate());
        let mut bytes = Vec::with_capacity(96 + lens.sum::<usize>());
        let out = &mut bytes;
        write_json!(out, raw(OK_AND.as_bytes()), r#""ExtensionList":"#);
        json::array(out, changed, |out, changed| {
            write_json!(out, r#"{"ErrorCode":"#, number(u64::from(changed.code)), r#","Extension":"#,);
            changed.extension.write(out);
            out.push(b'}');
        });
        out.push(b'}');
        bytes
    }
}

impl<'a> Get<'a> {
    /// Parses the body of the request.
    pub fn parse(body: &'a [u8]) -> Result<Get<'a>, Failure> {
        let members: GetMembers<'a> = lenient::body(body).map_err(|_| not_json())?;
        let start_seq = members.start_seq.u64().map_err(|_| bad("StartSeq", "an unsigned integer"))?;
        Ok(Get {
            from: sender(members.from)?,
            to: recipient(members.to)?,
            key: key(members.key)?,
            start_seq: start_seq.unwrap_or(0),
        })
    }
}

impl ExtensionPage<'_> {
    /// The body of the answer.
    pub fn to_json(&self) -> Vec<u8> {
        let lens = self.extensions.iter().map(Extension::len_estimate);
        let mut bytes = Vec::with_capacity(160 + lens.sum::<usize>());
        let out = &mut bytes;
        write_json!(
            out,
            raw(OK_AND.as_bytes()),
            r#""CompleteFlag":"#,
            flag(self.complete),
            r#","LatestSeq":"#,
            number(self.latest_seq),
            r#","ClearSeq":"#,
            number(self.clear_seq),
            r#","ExtensionList":"#,
        );
        json::array(out, self.extensions, |out, extension| extension.write(out));
        out.push(b'}');
        bytes
    }
}

impl Extension<'_> {
    fn write(&self, out: &mut Vec<u8>) {
        out.push(b'{');
        self.write_members(out);
        out.push(b'}');
    }

    /// The members, without the braces around them.
    pub(crate) fn write_members(&self, out: &mut Vec<u8>) {
        write_json!(
            out,
            r#""Key":"#,
            string(self.key),
            r#","Value":"#,
            string(self.value),
            r#","Seq":"#,
            number(self.seq),
        );
    }

    pub(crate) fn len_estimate(&self) -> usize {
        // The names of the members take some 30 bytes, the number usually less than 10.
        40 + self.key.len() + self.value.len()
    }
}

fn operation<'a>(slot: Slot<'a>, extensions: Slot<'a>) -> Result<Operation<'a>, Failure> {
    match slot.u32() {
        Ok(Some(1)) => Ok(Operation::Set(list(extensions, pair)?)),
        Ok(Some(2)) => Ok(Operation::Delete(list(extensions, |members| pair_key(members.key))?)),
        Ok(Some(3)) => Ok(Operation::Clear),
        _ => Err(bad("OperateType", "1, 2 or 3")),
    }
}

fn list<'a, T>(
    slot: Slot<'a>,
    item: impl Fn(&PairMembers<'a>) -> Result<T, Failure>,
) -> Result<Vec<T>, Failure> {
    let wrong = || bad("ExtensionList", &format!("an Array of 1 to {EXTENSIONS_PER_CALL_MAX} Objects"));
    let items = slot.array().ok().flatten().unwrap_or_default();
    if !(1..=EXTENSIONS_PER_CALL_MAX).contains(&items.len()) {
        return Err(wrong());
    }
    items.into_iter().map(|members| item(&members.object().ok().flatten().ok_or_else(wrong)?)).collect()
}

fn pair<'a>(members: &PairMembers<'a>) -> Result<Pair<'a>, Failure> {
    Ok(Pair { key: pair_key(members.key)?, value: pair_value(members.value)? })
}

pub(crate) fn pair_value(slot: Slot<'_>) -> Result<Cow<'_, str>, Failure> {
    let value = slot.string().ok().map(Option::unwrap_or_default);
    value
        .filter(|value| value.len() <= EXTENSION_VALUE_LEN_MAX)
        .ok_or_else(|| bad("Value", &format!("a String of at most {EXTENSION_VALUE_LEN_MAX} bytes")))
}

pub(crate) fn pair_key(slot: Slot<'_>) -> Result<Cow<'_, str>, Failure> {
    let key = slot.string().ok().flatten().filter(|key| (1..=EXTENSION_KEY_LEN_MAX).contains(&key.len()));
    key.ok_or_else(|| bad("Key", &format!("a String of 1 to {EXTENSION_KEY_LEN_MAX} bytes")))
}

fn sender(slot: Slot<'_>) -> Result<Option<Cow<'_, str>>, Failure> {
    let sender = optional_user_id(slot, ErrorCode::ExtensionParameter);
    sender.map_err(|_| bad("From_Account", "a UserID: a String of 1 to 32 bytes"))
}

fn recipient(slot: Slot<'_>) -> Result<Cow<'_, str>, Failure> {
    let recipient = user_id(slot, ErrorCode::ExtensionParameter);
    recipient.map_err(|_| bad("To_Account", "a UserID: a String of 1 to 32 bytes"))
}

fn key(slot: Slot<'_>) -> Result<MsgKey, Failure> {
    msg_key(slot, ErrorCode::ExtensionParameter)
        .map_err(|_| bad("MsgKey", "a String of the form <MsgSeq>_<MsgRandom>_<MsgTime>"))
}

pub(crate) fn bad(name: &str, wanted: &str) -> Failure {
    ErrorCode::ExtensionParameter.with(format!("{name} must be {wanted}"))
}

fn not_json() -> Failure {
    ErrorCode::ExtensionParameter.with(ErrorCode::BadJson.text())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGE: &str = r#""From_Account":"ada","To_Account":"bo","MsgKey":"3_31_1900""#;
    const KEY: MsgKey = MsgKey { seq: 3, random: 31, time_s: 1900 };

    fn set(members: &str) -> Result<Set<'static>, Failure> {
        let body = format!("{{{MESSAGE},{members}}}").leak();
        Set::parse(body.as_bytes())
    }

    #[test]
    fn operations() {
        let pair = |key: &'static str, value: &'static str| Pair { key: key.into(), value: value.into() };
        let table = [
            (
                r#""OperateType":1,"ExtensionList":[{"Key":"k","Value":"v","Seq":0},{"Key":"k","Seq":"x"}]"#,
                Operation::Set(vec![pair("k", "v"), pair("k", "")]),
            ),
            (
                r#""OperateType":"2","ExtensionList":[{"Key":"k","Value":7},{"Key":"l"}]"#,
                Operation::Delete(vec!["k".into(), "l".into()]),
            ),
            (r#""OperateType":3"#, Operation::Clear),
            (r#""OperateType":3,"ExtensionList":[]"#, Operation::Clear),
        ];
        for (members, operation) in table {
            let expected = Set { from: Some("ada".into()), to: "bo".into(), key: KEY, operation };
            assert_eq!(set(members), Ok(expected), "{members}");
        }
        assert_eq!(set(r#""OperateType":3,"From_Account":null"#).unwrap().from, None);
    }

    #[test]
    fn every_member_has_its_text() {
        let long = "x".repeat(1001);
        let list = |member: &str| format!(r#""ExtensionList":[{{"Key":"k","Value":"v",{member}}}]"#);
        let many = |count: usize| format!("\"ExtensionList\":[{}]", vec![r#"{"Key":"k"}"#; count].join(","));
        let pairs = Some("ExtensionList must be an Array of 1 to 20 Objects");
        let key = Some("Key must be a String of 1 to 100 bytes");
        let value = Some("Value must be a String of at most 1000 bytes");
        let table = [
            (many(20), None),
            (many(21), pairs),
            (r#""ExtensionList":[]"#.to_owned(), pairs),
            (r#""ExtensionList":null"#.into(), pairs),
            (r#""ExtensionList":{"Key":"k"}"#.into(), pairs),
            (r#""ExtensionList":["k"]"#.into(), pairs),
            (r#""ExtensionList":[null]"#.into(), pairs),
            (list(r#""Key":"""#), key),
            (list(r#""Key":null"#), key),
            (list(r#""Key":7"#), key),
            (list(&format!("\"Key\":\"{}\"", &long[..100])), None),
            (list(&format!("\"Key\":\"{}\"", &long[..101])), key),
            (list(r#""Value":null"#), None),
            (list(r#""Value":"""#), None),
            (list(r#""Value":{}"#), value),
            (list(&format!("\"Value\":\"{}\"", &long[..1000])), None),
            (list(&format!("\"Value\":\"{long}\"")), value),
            (r#""OperateType":null"#.into(), Some("OperateType must be 1, 2 or 3")),
            (r#""OperateType":0"#.into(), Some("OperateType must be 1, 2 or 3")),
            (r#""OperateType":4"#.into(), Some("OperateType must be 1, 2 or 3")),
            (r#""OperateType":2,"ExtensionList":[{"Value":"v"}]"#.into(), key),
            (r#""OperateType":2,"ExtensionList":null"#.into(), pairs),
            (r#""From_Account":"""#.into(), Some("From_Account must be a UserID: a String of 1 to 32 bytes")),
            (r#""To_Account":null"#.into(), Some("To_Account must be a UserID: a String of 1 to 32 bytes")),
            (
                r#""MsgKey":"3_31""#.into(),
                Some("MsgKey must be a String of the form <MsgSeq>_<MsgRandom>_<MsgTime>"),
            ),
        ];
        for (member, expected) in table {
            let request = set(&format!(r#""OperateType":1,"ExtensionList":[{{"Key":"k"}}],{member}"#));
            let expected = expected.map(|info| Failure { code: 10004, info: info.into() });
            assert_eq!(request.err(), expected, "{:.80}", member);
        }
        assert_eq!(Set::parse(b"").unwrap_err().code, 10004);
        assert_eq!(Get::parse(b"[]").unwrap_err().code, 10004);
    }

    #[test]
    fn pages_are_asked_for() {
        let table = [
            (r#""x":1"#, Ok((Some("ada"), 0))),
            (r#""StartSeq":null,"From_Account":null"#, Ok((None, 0))),
            (r#""StartSeq":"7""#, Ok((Some("ada"), 7))),
            (r#""StartSeq":-1"#, Err(10004)),
            (r#""From_Account":7"#, Err(10004)),
            (r#""To_Account":null"#, Err(10004)),
            (r#""MsgKey":null"#, Err(10004)),
        ];
        for (member, expected) in table {
            let body = format!("{{{MESSAGE},{member}}}");
            let request = Get::parse(body.as_bytes()).map_err(|failure| failure.code);
            let expected = expected.map(|(from, start_seq)| Get {
                from: from.map(Cow::Borrowed),
                to: "bo".into(),
                key: KEY,
                start_seq,
            });
            assert_eq!(request, expected, "{member}");
        }
    }

    #[test]
    fn answers() {
        let first = Extension { key: "k\"", value: "v", seq: 3 };
        let second = Extension { key: "l", value: "", seq: 4 };
        let table = [
            (Set::answer(&[]), r#""ExtensionList":[]}"#),
            (
                Set::answer(&[
                    Changed { code: 0, extension: first },
                    Changed { code: 10004, extension: second },
                ]),
                r#""ExtensionList":[{"ErrorCode":0,"Extension":{"Key":"k\"","Value":"v","Seq":3}},{"ErrorCode":10004,"Extension":{"Key":"l","Value":"","Seq":4}}]}"#,
            ),
            (
                ExtensionPage { complete: false, latest_seq: 9, clear_seq: 2, extensions: &[first, second] }
                    .to_json(),
                r#""CompleteFlag":0,"LatestSeq":9,"ClearSeq":2,"ExtensionList":[{"Key":"k\"","Value":"v","Seq":3},{"Key":"l","Value":"","Seq":4}]}"#,
            ),
            (
                ExtensionPage { complete: true, latest_seq: 0, clear_seq: 0, extensions: &[] }.to_json(),
                r#""CompleteFlag":1,"LatestSeq":0,"ClearSeq":0,"ExtensionList":[]}"#,
            ),
        ];
        for (answer, expected) in table {
            assert_eq!(String::from_utf8(answer).unwrap(), format!("{OK_AND}{expected}"));
        }
    }
}
