//! Putting friends into lists.

use std::borrow::Cow;

use super::{ItemMembers, groups, items, members, text};
use crate::{
    callback::AddType,
    code::{ErrorCode, Failure},
    lenient::Slot,
    limits::{ADD_WORDING_LEN_MAX, REMARK_LEN_MAX},
    rest::{
        profile::is_keyword,
        sns::{Custom, Item, bad, check_group_name, from, tag, word},
    },
};

/// `friend_add`: makes friends, or asks those who want to be asked. Answered with
/// [`answer`](crate::rest::sns::answer); [`ErrorCode::FriendRequestPending`] is for those who were asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Add<'a> {
    /// `From_Account`: who adds.
    pub from: Cow<'a, str>,
    /// `AddFriendItem`: who is added, 1 to 1000.
    pub items: Vec<Item<'a, NewFriend<'a>>>,
    /// `AddType`; [`AddType::Both`] when absent.
    pub add_type: AddType,
    /// `ForceAddFlags`: without asking anybody; no when absent.
    pub forced: bool,
}

/// One item of [`Add`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFriend<'a> {
    /// `To_Account`.
    pub to: Cow<'a, str>,
    /// `Remark`, at most 96 bytes; empty when absent.
    pub remark: Cow<'a, str>,
    /// `GroupName`: the one friend group to put the friend into, of 1 to 30 bytes.
    pub group: Option<Cow<'a, str>>,
    /// `AddSource`: `AddSource_Type_` and 1 to 8 letters.
    pub add_source: Cow<'a, str>,
    /// `AddWording`, at most 256 bytes; empty when absent.
    pub add_wording: Cow<'a, str>,
}

/// `friend_import`: puts friends into one list only, without asking. Answered with
/// [`answer`](crate::rest::sns::answer).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import<'a> {
    /// `From_Account`: whose list it is.
    pub from: Cow<'a, str>,
    /// `AddFriendItem`: who is put into it, 1 to 1000.
    pub items: Vec<Item<'a, ImportedFriend<'a>>>,
}

/// One item of [`Import`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedFriend<'a> {
    /// `To_Account`.
    pub to: Cow<'a, str>,
    /// `Remark`, at most 96 bytes; empty when absent.
    pub remark: Cow<'a, str>,
    /// `RemarkTime`: since when the remark is there, in Unix seconds; `None` when absent or 0.
    pub remark_time_s: Option<u64>,
    /// `GroupName`: the friend groups to put the friend into, at most 32 names of 1 to 30 bytes, each once.
    pub groups: Vec<Cow<'a, str>>,
    /// `AddSource`: `AddSource_Type_` and 1 to 8 letters.
    pub add_source: Cow<'a, str>,
    /// `AddWording`, at most 256 bytes; empty when absent.
    pub add_wording: Cow<'a, str>,
    /// `AddTime`: since when they are friends, in Unix seconds; `None`, which is now, when absent or 0.
    pub add_time_s: Option<u64>,
    /// `CustomItem`: at most 20, and no tag twice.
    pub customs: Vec<Custom<'a>>,
}

impl<'a> Add<'a> {
    /// Parses the body of the request.
    pub fn parse(body: &'a [u8]) -> Result<Add<'a>, Failure> {
        let members = members(body)?;
        Ok(Add {
            from: from(members.from)?,
            items: items(members.add_items, "AddFriendItem", NewFriend::read)?,
            add_type: word(members.add_type, "AddType", AddType::parse)?.unwrap_or(AddType::Both),
            forced: members.force_add.flag().map_err(|_| bad("ForceAddFlags", "0 or 1"))?,
        })
    }
}

impl<'a> Import<'a> {
    /// Parses the body of the request.
    pub fn parse(body: &'a [u8]) -> Result<Import<'a>, Failure> {
        let members = members(body)?;
        Ok(Import {
            from: from(members.from)?,
            items: items(members.add_items, "AddFriendItem", ImportedFriend::read)?,
        })
    }
}

impl<'a> NewFriend<'a> {
    fn read(to: Cow<'a, str>, members: &ItemMembers<'a>) -> Result<NewFriend<'a>, Failure> {
        let group = members.group_name.string().map_err(|_| bad("GroupName", "a String"))?;
        // Clients in languages with zero values send "" for a member that was not set.
        let group = group.filter(|name| !name.is_empty());
        if let Some(name) = &group {
            check_group_name(name, "GroupName")?;
        }
        Ok(NewFriend {
            to,
            remark: text(members.remark, "Remark", REMARK_LEN_MAX)?,
            group,
            add_source: add_source(members.add_source, "AddSource")?,
            add_wording: text(members.add_wording, "AddWording", ADD_WORDING_LEN_MAX)?,
        })
    }
}

impl<'a> ImportedFriend<'a> {
    fn read(to: Cow<'a, str>, members: &ItemMembers<'a>) -> Result<ImportedFriend<'a>, Failure> {
        Ok(ImportedFriend {
            to,
            remark: text(members.remark, "Remark", REMARK_LEN_MAX)?,
            remark_time_s: time_s(members.remark_time, "RemarkTime")?,
            groups: groups(members.group_name, ErrorCode::FriendGroupsFull.into())?,
            add_source: add_source(members.add_source, "AddSource")?,
            add_wording: text(members.add_wording, "AddWording", ADD_WORDING_LEN_MAX)?,
            add_time_s: time_s(members.add_time, "AddTime")?,
            customs: tag::customs(members.custom)?,
        })
    }
}

/// Where a friend was found.
pub(crate) fn add_source<'a>(slot: Slot<'a>, name: &str) -> Result<Cow<'a, str>, Failure> {
    let source = slot.string().ok().flatten().unwrap_or_default();
    if source.strip_prefix("AddSource_Type_").is_some_and(is_keyword) {
        return Ok(source);
    }
    Err(bad(name, "AddSource_Type_ and 1 to 8 letters"))
}

fn time_s(slot: Slot<'_>, name: &str) -> Result<Option<u64>, Failure> {
    let time_s = slot.u64().map_err(|_| bad(name, "a time in Unix seconds"))?;
    Ok(time_s.filter(|&time_s| time_s > 0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rest::sns::{Value, tests::codes};

    const GOOD: &str = r#""To_Account":"bo","AddSource":"AddSource_Type_Web""#;

    fn quoted(len: usize) -> String {
        format!(r#""{}""#, "x".repeat(len))
    }

    fn groups(count: usize) -> String {
        let names: Vec<_> = (0..count).map(|index| format!("g{index}")).collect();
        format!("{names:?}")
    }

    #[test]
    fn what_is_asked_for() {
        let least = format!(r#"{{"From_Account":"ada","AddFriendItem":[{{{GOOD}}}]}}"#);
        let least = Add::parse(least.as_bytes()).unwrap();
        let bo = NewFriend {
            to: "bo".into(),
            remark: "".into(),
            group: None,
            add_source: "AddSource_Type_Web".into(),
            add_wording: "".into(),
        };
        assert_eq!(
            least,
            Add { from: "ada".into(), items: vec![Ok(bo)], add_type: AddType::Both, forced: false }
        );
        let most = br#"{"From_Account":"ada","AddFriendItem":[{"To_Account":"bo","Remark":"Bo","GroupName":"work","AddSource":"AddSource_Type_abcdefgH","AddWording":"it's me"}],"AddType":"Add_Type_Single","ForceAddFlags":1}"#;
        let bo = NewFriend {
            to: "bo".into(),
            remark: "Bo".into(),
            group: Some("work".into()),
            add_source: "AddSource_Type_abcdefgH".into(),
            add_wording: "it's me".into(),
        };
        assert_eq!(
            Add::parse(most),
            Ok(Add { from: "ada".into(), items: vec![Ok(bo)], add_type: AddType::Single, forced: true })
        );
    }

    #[test]
    fn what_is_imported() {
        let least =
            format!(r#"{{"From_Account":"ada","AddFriendItem":[{{{GOOD},"RemarkTime":0,"AddTime":0}}]}}"#);
        let bo = ImportedFriend {
            to: "bo".into(),
            remark: "".into(),
            remark_time_s: None,
            groups: vec![],
            add_source: "AddSource_Type_Web".into(),
            add_wording: "".into(),
            add_time_s: None,
            customs: vec![],
        };
        let import = |bo| Ok(Import { from: "ada".into(), items: vec![Ok(bo)] });
        assert_eq!(Import::parse(least.as_bytes()), import(bo));
        let most = br#"{"From_Account":"ada","AddFriendItem":[{"To_Account":"bo","Remark":"Bo","RemarkTime":1760000001,"GroupName":["work","home","work"],"AddSource":"AddSource_Type_Web","AddWording":"hi","AddTime":"1760000000","CustomItem":[{"Tag":"Tag_SNS_Custom_Dog","Value":"Rex"},{"Tag":"Tag_SNS_Custom_Age","Value":0}]}]}"#;
        let bo = ImportedFriend {
            to: "bo".into(),
            remark: "Bo".into(),
            remark_time_s: Some(1_760_000_001),
            groups: vec!["work".into(), "home".into()],
            add_source: "AddSource_Type_Web".into(),
            add_wording: "hi".into(),
            add_time_s: Some(1_760_000_000),
            customs: vec![
                Custom { tag: "Tag_SNS_Custom_Dog".into(), value: Value::Text("Rex".into()) },
                Custom { tag: "Tag_SNS_Custom_Age".into(), value: Value::Number(0) },
            ],
        };
        assert_eq!(Import::parse(most), import(bo));
    }

    #[test]
    fn an_item_fails_alone() {
        // What adding and importing make of an item with this member; 0 when it is good.
        let table = [
            (format!(r#""Remark":{}"#, quoted(96)), 0, 0),
            (format!(r#""Remark":{}"#, quoted(97)), 30001, 30001),
            (r#""Remark":7"#.into(), 30001, 30001),
            (format!(r#""AddWording":{}"#, quoted(256)), 0, 0),
            (format!(r#""AddWording":{}"#, quoted(257)), 30001, 30001),
            (r#""AddWording":{}"#.into(), 30001, 30001),
            (r#""AddSource":"AddSource_Type_a""#.into(), 0, 0),
            (r#""AddSource":"AddSource_Type_abcdefgh""#.into(), 0, 0),
            (r#""AddSource":"AddSource_Type_abcdefghi""#.into(), 30001, 30001),
            (r#""AddSource":"AddSource_Type_""#.into(), 30001, 30001),
            (r#""AddSource":"AddSource_Type_a1""#.into(), 30001, 30001),
            (r#""AddSource":"Web""#.into(), 30001, 30001),
            (r#""AddSource":"""#.into(), 30001, 30001),
            (r#""AddSource":null"#.into(), 30001, 30001),
            (r#""AddSource":7"#.into(), 30001, 30001),
            (format!(r#""GroupName":{}"#, quoted(30)), 0, 30001),
            (format!(r#""GroupName":{}"#, quoted(31)), 30001, 30001),
            (r#""GroupName":"""#.into(), 0, 30001),
            (format!(r#""GroupName":[{}]"#, quoted(30)), 30001, 0),
            (format!(r#""GroupName":[{}]"#, quoted(31)), 30001, 30001),
            (r#""GroupName":[""]"#.into(), 30001, 30001),
            (r#""GroupName":[7]"#.into(), 30001, 30001),
            (r#""GroupName":[]"#.into(), 30001, 0),
            (format!(r#""GroupName":{}"#, groups(32)), 30001, 0),
            (format!(r#""GroupName":{}"#, groups(33)), 30001, 30011),
            (r#""AddTime":"x""#.into(), 0, 30001),
            (r#""RemarkTime":-1"#.into(), 0, 30001),
            (r#""CustomItem":{}"#.into(), 0, 30001),
            (r#""CustomItem":[{"Tag":"Tag_SNS_Custom_Dog","Value":[]}]"#.into(), 0, 30001),
            (r#""To_Account":"""#.into(), 30001, 30001),
            (r#""To_Account":"123456789012345678901234567890123""#.into(), 30001, 30001),
        ];
        for (member, add, import) in table {
            // Of a doubled member the last counts, so each row overrides one of the good members.
            let body =
                format!(r#"{{"From_Account":"ada","AddFriendItem":[{{{GOOD}}},{{{GOOD},{member}}}]}}"#);
            let seen = Add::parse(body.as_bytes()).unwrap();
            assert_eq!(codes(&seen.items), [0, add], "{member}");
            let seen = Import::parse(body.as_bytes()).unwrap();
            assert_eq!(codes(&seen.items), [0, import], "{member}");
        }
        let body = br#"{"From_Account":"ada","AddFriendItem":[{"To_Account":"bo"}]}"#;
        let refused = Add::parse(body).unwrap().items.remove(0).unwrap_err();
        assert_eq!(refused.to, "bo");
        assert_eq!(refused.failure.info, "AddSource must be AddSource_Type_ and 1 to 8 letters");
    }

    #[test]
    fn what_refuses_the_call() {
        let item = format!("{{{GOOD}}}");
        let many = |count| vec![item.as_str(); count].join(",");
        let table = [
            (format!(r#""From_Account":"ada","AddFriendItem":[{}]"#, many(1000)), None, None),
            (format!(r#""From_Account":"ada","AddFriendItem":[{}]"#, many(1001)), Some(30001), Some(30001)),
            (r#""From_Account":"ada","AddFriendItem":[]"#.into(), Some(30001), Some(30001)),
            (r#""From_Account":"ada""#.into(), Some(30001), Some(30001)),
            (format!(r#""From_Account":"ada","AddFriendItem":{item}"#), Some(30001), Some(30001)),
            (r#""From_Account":"ada","AddFriendItem":["bo"]"#.into(), Some(30001), Some(30001)),
            (r#""From_Account":"ada","AddFriendItem":[{"AddSource":"x"}]"#.into(), Some(30001), Some(30001)),
            (r#""From_Account":"ada","AddFriendItem":[{"To_Account":7}]"#.into(), Some(30001), Some(30001)),
            (format!(r#""AddFriendItem":[{item}]"#), Some(30001), Some(30001)),
            (format!(r#""From_Account":"ada","AddFriendItem":[{item}],"AddType":"Both""#), Some(30001), None),
            (format!(r#""From_Account":"ada","AddFriendItem":[{item}],"AddType":1"#), Some(30001), None),
            (
                format!(r#""From_Account":"ada","AddFriendItem":[{item}],"ForceAddFlags":2"#),
                Some(30001),
                None,
            ),
        ];
        for (members, add, import) in table {
            let body = format!("{{{members}}}");
            let seen = Add::parse(body.as_bytes()).err().map(|failure| failure.code);
            assert_eq!(seen, add, "{members}");
            let seen = Import::parse(body.as_bytes()).err().map(|failure| failure.code);
            assert_eq!(seen, import, "{members}");
        }
        let zeros =
            format!(r#"{{"From_Account":"ada","AddFriendItem":[{item}],"AddType":"","ForceAddFlags":0}}"#);
        let zeros = Add::parse(zeros.as_bytes()).unwrap();
        assert_eq!((zeros.add_type, zeros.forced), (AddType::Both, false));
    }
}
