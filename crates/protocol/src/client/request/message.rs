//! What a device does with messages.

use std::borrow::Cow;

use super::{limit, list, members_of, recipient, wrong};
use crate::{
    MsgKey,
    code::{ErrorCode, Failure},
    lenient::{Slot, slots},
    limits::{DELETED_KEYS_MAX, EXTENSIONS_PER_CALL_MAX, MSG_KEYS_PER_CALL_MAX},
    rest::edit::{self, NewBody},
    rest::extension::{self, pair_key, pair_value},
};

/// What a device asks about messages.
#[derive(Debug, Clone)]
pub enum MessageRequest<'a> {
    /// `history`: read a page of a conversation.
    History(History<'a>),
    /// `recall`: take back a message of one's own.
    Recall(Named<'a>),
    /// `edit`: change what a message says.
    Edit(Edit<'a>),
    /// `delete`: take messages out of one's own history.
    Delete(NamedMany<'a>),
    /// `confirm`: these messages have been read.
    Confirm(NamedMany<'a>),
    /// `receipts`: have these messages been read?
    Receipts(NamedMany<'a>),
    /// `extensions`: read the pairs of a message.
    Extensions(Named<'a>),
    /// `extend`: change the pairs of a message.
    Extend(Extend<'a>),
}

/// `history`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History<'a> {
    /// `peer`: the other party.
    pub peer: Cow<'a, str>,
    /// `limit`, at least 1; the server bounds it and has a default.
    pub limit: Option<u32>,
    /// Where the page begins, and in which direction it goes.
    pub place: HistoryPlace,
}

/// Where a page of history begins. At most one of the members is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HistoryPlace {
    /// None: the newest messages.
    Newest,
    /// `before`: messages older than this one.
    Before(MsgKey),
    /// `after`: messages newer than this one, the page going forwards.
    After(MsgKey),
    /// `until`: messages of this second, in Unix seconds, or older.
    Until(u64),
    /// `from`: messages of this second or newer, the page going forwards.
    From(u64),
}

/// One message of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named<'a> {
    /// `peer`: the other party.
    pub peer: Cow<'a, str>,
    /// `key`: the message.
    pub key: MsgKey,
}

/// Messages of one conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedMany<'a> {
    /// `peer`: the other party.
    pub peer: Cow<'a, str>,
    /// `keys`: the messages, at least one.
    pub keys: Vec<MsgKey>,
}

/// `edit`. At least one of `body` and `custom_data` is there; the other stays as it is.
#[derive(Debug, Clone)]
pub struct Edit<'a> {
    /// The message.
    pub message: Named<'a>,
    /// `body`: a `MsgBody`.
    pub body: Option<NewBody<'a>>,
    /// `custom_data`; an empty one that was given empties it.
    pub custom_data: Option<Cow<'a, str>>,
    /// `version`: edit only if the message still has this one.
    pub version: Option<u64>,
}

/// `extend`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extend<'a> {
    /// The message.
    pub message: Named<'a>,
    /// Exactly one of `set`, `delete` and `clear`.
    pub operation: ExtendOperation<'a>,
}

/// What to do with the pairs of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExtendOperation<'a> {
    /// `set`: 1 to 20 pairs.
    Set(Vec<SetPair<'a>>),
    /// `delete`: those with these keys, 1 to 20.
    Delete(Vec<SeenPair<'a>>),
    /// `clear`: all.
    Clear,
}

/// A pair to set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetPair<'a> {
    /// Which one it replaces.
    pub pair: SeenPair<'a>,
    /// `Value`, at most 1000 bytes; empty when absent.
    pub value: Cow<'a, str>,
}

/// A pair as the device knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenPair<'a> {
    /// `Key`, 1 to 100 bytes.
    pub key: Cow<'a, str>,
    /// `Seq`: the number under which the device knows it, 0 if it knows of none. Absent: whatever it is.
    pub seq: Option<u64>,
}

slots! {
    struct Members {
        peer: "peer",
        key: "key",
        keys: "keys",
        limit: "limit",
        before: "before",
        after: "after",
        until: "until",
        from: "from",
        body: "body",
        custom_data: "custom_data",
        version: "version",
        set: "set",
        delete: "delete",
        clear: "clear",
    }
}

slots! {
    struct PairMembers {
        key: "Key",
        value: "Value",
        seq: "Seq",
    }
}

/// Reads the frame if the operation is one of this area.
pub(super) fn parse<'a>(op: &str, text: &'a str) -> Option<Result<MessageRequest<'a>, Failure>> {
    type Read = for<'m> fn(&Members<'m>) -> Result<MessageRequest<'m>, Failure>;
    let read: Read = match op {
        "history" => history,
        "recall" => |members| named(members).map(MessageRequest::Recall),
        "edit" => edit,
        "delete" => |members| named_many(members, DELETED_KEYS_MAX).map(MessageRequest::Delete),
        "confirm" => |members| named_many(members, MSG_KEYS_PER_CALL_MAX).map(MessageRequest::Confirm),
        "receipts" => |members| named_many(members, MSG_KEYS_PER_CALL_MAX).map(MessageRequest::Receipts),
        "extensions" => |members| named(members).map(MessageRequest::Extensions),
        "extend" => extend,
        _ => return None,
    };
    Some(members_of(text).and_then(|members| read(&members)))
}

fn history<'a>(members: &Members<'a>) -> Result<MessageRequest<'a>, Failure> {
    let limit = limit(members.limit)?;
    let time_s = |slot: Slot<'a>, name| slot.u64().map_err(|_| wrong(name));
    let places = [
        optional_key(members.before)?.map(HistoryPlace::Before),
        optional_key(members.after)?.map(HistoryPlace::After),
        time_s(members.until, "until")?.map(HistoryPlace::Until),
        time_s(members.from, "from")?.map(HistoryPlace::From),
    ];
    let mut given = places.into_iter().flatten();
    let place = given.next().unwrap_or(HistoryPlace::Newest);
    if given.next().is_some() {
        let text = "only one of before, after, until and from can be given";
        return Err(ErrorCode::FrameNotUnderstood.with(text));
    }
    Ok(MessageRequest::History(History { peer: recipient(members.peer, "peer")?, limit, place }))
}

fn named<'a>(members: &Members<'a>) -> Result<Named<'a>, Failure> {
    Ok(Named { peer: recipient(members.peer, "peer")?, key: key(members.key)? })
}

fn named_many<'a>(members: &Members<'a>, len_max: usize) -> Result<NamedMany<'a>, Failure> {
    Ok(NamedMany { peer: recipient(members.peer, "peer")?, keys: list(members.keys, "keys", len_max, key)? })
}

fn key(slot: Slot<'_>) -> Result<MsgKey, Failure> {
    Ok(optional_key(slot)?.ok_or(ErrorCode::BadMsgKey)?)
}

fn optional_key(slot: Slot<'_>) -> Result<Option<MsgKey>, Failure> {
    let text = slot.string().map_err(|_| ErrorCode::BadMsgKey)?;
    Ok(text.map(|text| text.parse()).transpose()?)
}

fn edit<'a>(members: &Members<'a>) -> Result<MessageRequest<'a>, Failure> {
    let custom_data = edit::custom_data(members.custom_data)?;
    let edit = Edit {
        message: named(members)?,
        body: edit::new_body(members.body, custom_data.as_deref().unwrap_or_default())?,
        custom_data,
        version: members.version.u64().map_err(|_| wrong("version"))?,
    };
    if edit.body.is_none() && edit.custom_data.is_none() {
        return Err(ErrorCode::BadFormat.with("body or custom_data must be given"));
    }
    Ok(MessageRequest::Edit(edit))
}

fn extend<'a>(members: &Members<'a>) -> Result<MessageRequest<'a>, Failure> {
    let message = named(members)?;
    let clear = members.clear.flag().map_err(|_| extension::bad("clear", "true or false"))?;
    let operation = match (members.set.is_absent(), members.delete.is_absent(), clear) {
        (false, true, false) => ExtendOperation::Set(pairs(members.set, "set", set_pair)?),
        (true, false, false) => ExtendOperation::Delete(pairs(members.delete, "delete", seen_pair)?),
        (true, true, true) => ExtendOperation::Clear,
        _ => return Err(ErrorCode::ExtensionParameter.with("one of set, delete and clear must be given")),
    };
    Ok(MessageRequest::Extend(Extend { message, operation }))
}

fn pairs<'a, T>(
    slot: Slot<'a>,
    name: &str,
    pair: impl Fn(&PairMembers<'a>) -> Result<T, Failure>,
) -> Result<Vec<T>, Failure> {
    let wanted = || extension::bad(name, &format!("an Array of 1 to {EXTENSIONS_PER_CALL_MAX} Objects"));
    let items = slot.array().ok().flatten().unwrap_or_default();
    if !(1..=EXTENSIONS_PER_CALL_MAX).contains(&items.len()) {
        return Err(wanted());
    }
    items.into_iter().map(|members| pair(&members.object().ok().flatten().ok_or_else(wanted)?)).collect()
}

fn set_pair<'a>(members: &PairMembers<'a>) -> Result<SetPair<'a>, Failure> {
    Ok(SetPair { pair: seen_pair(members)?, value: pair_value(members.value)? })
}

fn seen_pair<'a>(members: &PairMembers<'a>) -> Result<SeenPair<'a>, Failure> {
    let seq = members.seq.u64().map_err(|_| extension::bad("Seq", "an unsigned integer"))?;
    Ok(SeenPair { key: pair_key(members.key)?, seq })
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: MsgKey = MsgKey { seq: 1, random: 2, time_s: 3 };
    const BODY: &str = r#"[{"MsgType":"TIMTextElem","MsgContent":{"Text":"lunch?"}}]"#;

    fn request(op: &str, members: &str) -> Result<MessageRequest<'static>, u32> {
        parse(op, format!("{{{members}}}").leak()).expect("one of this area").map_err(|failure| failure.code)
    }

    fn of_bo(op: &str, members: &str) -> Result<MessageRequest<'static>, u32> {
        request(op, &format!(r#""peer":"bo",{members}"#))
    }

    #[test]
    fn histories() {
        let place = |members: &str| -> Result<_, u32> {
            match of_bo("history", members)? {
                MessageRequest::History(History { peer, limit, place }) => {
                    assert_eq!((&*peer, limit), ("bo", Some(20)));
                    Ok(place)
                }
                other => panic!("{other:?}"),
            }
        };
        let table = [
            ("", Ok(HistoryPlace::Newest)),
            (r#","before":null"#, Ok(HistoryPlace::Newest)),
            (r#","before":"1_2_3""#, Ok(HistoryPlace::Before(KEY))),
            (r#","after":"1_2_3""#, Ok(HistoryPlace::After(KEY))),
            (r#","until":1700000000"#, Ok(HistoryPlace::Until(1_700_000_000))),
            (r#","from":"0","until":null"#, Ok(HistoryPlace::From(0))),
            (r#","from":1,"until":2"#, Err(11002)),
            (r#","before":"1_2_3","after":"1_2_3""#, Err(11002)),
            (r#","before":"x""#, Err(90054)),
            (r#","after":7"#, Err(90054)),
            (r#","until":-1"#, Err(11002)),
            (r#","from":"x""#, Err(11002)),
            (r#","limit":0"#, Err(11002)),
            (r#","peer":7"#, Err(90003)),
        ];
        for (members, expected) in table {
            assert_eq!(place(&format!(r#""limit":20{members}"#)), expected, "{members}");
        }
        assert_eq!(request("history", "").err(), Some(90003));
    }

    #[test]
    fn messages_are_named() {
        let recall = of_bo("recall", r#""key":"1_2_3""#);
        assert!(matches!(recall, Ok(MessageRequest::Recall(Named { peer, key: KEY })) if peer == "bo"));
        let extensions = of_bo("extensions", r#""key":"1_2_3""#);
        assert!(matches!(extensions, Ok(MessageRequest::Extensions(Named { key: KEY, .. }))));
        for op in ["recall", "edit", "extensions", "extend"] {
            assert_eq!(of_bo(op, r#""keys":["1_2_3"]"#).err(), Some(90054), "{op}");
            assert_eq!(of_bo(op, r#""key":"1_2""#).err(), Some(90054), "{op}");
            assert_eq!(request(op, r#""key":"1_2_3""#).err(), Some(90003), "{op}");
        }
        for (op, len_max) in [("delete", 50), ("confirm", 30), ("receipts", 30)] {
            let keys = |len| format!(r#""keys":[{}]"#, vec![r#""1_2_3""#; len].join(","));
            match of_bo(op, &keys(len_max)).unwrap() {
                MessageRequest::Delete(many)
                | MessageRequest::Confirm(many)
                | MessageRequest::Receipts(many) => assert_eq!(many.keys, vec![KEY; len_max]),
                other => panic!("{other:?}"),
            }
            assert_eq!(of_bo(op, &keys(len_max + 1)).err(), Some(11005), "{op}");
            for bad in [r#""keys":[]"#, r#""keys":"1_2_3""#, r#""key":"1_2_3""#] {
                assert_eq!(of_bo(op, bad).err(), Some(11002), "{op} {bad}");
            }
            assert_eq!(of_bo(op, r#""keys":["1_2_3","x"]"#).err(), Some(90054), "{op}");
            assert_eq!(request(op, &keys(1)).err(), Some(90003), "{op}");
        }
    }

    #[test]
    fn edits() {
        let edit = |members: &str| -> Result<_, u32> {
            match of_bo("edit", &format!(r#""key":"1_2_3",{members}"#))? {
                MessageRequest::Edit(edit) => {
                    let body = edit.body.map(|body| (body.json.get(), body.inspected.size_bytes));
                    Ok((body, edit.custom_data.map(Cow::into_owned), edit.version))
                }
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(edit(&format!(r#""body":{BODY}"#)), Ok((Some((BODY, 6)), None, None)));
        let both = format!(r#""body":{BODY},"custom_data":"abc","version":2"#);
        assert_eq!(edit(&both), Ok((Some((BODY, 9)), Some("abc".into()), Some(2))));
        assert_eq!(edit(r#""custom_data":"""#), Ok((None, Some(String::new()), None)));
        for (members, code) in [
            (r#""version":1"#, 90010),
            (r#""custom_data":7"#, 90010),
            (r#""body":[]"#, 90002),
            (r#""body":{}"#, 90007),
            (r#""custom_data":"","version":"new""#, 11002),
        ] {
            assert_eq!(edit(members), Err(code), "{members}");
        }
    }

    #[test]
    fn extensions() {
        let extend = |members: &str| -> Result<_, u32> {
            match of_bo("extend", &format!(r#""key":"1_2_3",{members}"#))? {
                MessageRequest::Extend(extend) => Ok(extend.operation),
                other => panic!("{other:?}"),
            }
        };
        let seen = |key: &'static str, seq| SeenPair { key: key.into(), seq };
        let pairs = |len: usize| vec![r#"{"Key":"k"}"#; len].join(",");
        let table = [
            (
                r#""set":[{"Key":"k","Value":"v","Seq":3},{"Key":"l","Seq":0},{"Key":"m"}]"#.to_owned(),
                Ok(ExtendOperation::Set(vec![
                    SetPair { pair: seen("k", Some(3)), value: "v".into() },
                    SetPair { pair: seen("l", Some(0)), value: "".into() },
                    SetPair { pair: seen("m", None), value: "".into() },
                ])),
            ),
            (
                r#""delete":[{"Key":"k","Seq":3},{"Key":"l"}],"clear":false"#.into(),
                Ok(ExtendOperation::Delete(vec![seen("k", Some(3)), seen("l", None)])),
            ),
            (r#""clear":true"#.into(), Ok(ExtendOperation::Clear)),
            (r#""clear":false"#.into(), Err(10004)),
            (r#""clear":"all""#.into(), Err(10004)),
            (r#""set":[{"Key":"k"}],"clear":1"#.into(), Err(10004)),
            (r#""set":[{"Key":"k"}],"delete":[{"Key":"k"}]"#.into(), Err(10004)),
            (r#""set":[]"#.into(), Err(10004)),
            (r#""set":["k"]"#.into(), Err(10004)),
            (r#""set":[{"Key":""}]"#.into(), Err(10004)),
            (r#""set":[{"Key":"k","Value":7}]"#.into(), Err(10004)),
            (r#""set":[{"Key":"k","Seq":-1}]"#.into(), Err(10004)),
            (format!(r#""delete":[{}]"#, pairs(20)), Ok(ExtendOperation::Delete(vec![seen("k", None); 20]))),
            (format!(r#""delete":[{}]"#, pairs(21)), Err(10004)),
        ];
        for (members, expected) in table {
            assert_eq!(extend(&members), expected, "{members}");
        }
    }
}
