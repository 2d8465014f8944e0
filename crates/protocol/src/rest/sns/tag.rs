//! What is noted of a friend: values, each under a tag.

use std::borrow::Cow;

use super::bad;
use crate::{
    callback::words,
    code::{ErrorCode, Failure},
    json::{self, write_json},
    lenient::{Slot, slots},
    limits::{CUSTOM_TAGS_MAX, FRIEND_VALUE_LEN_MAX},
    rest::profile::{self, is_keyword},
};

/// The name of a value about a friend.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Tag<'a> {
    /// One that every friend has.
    Standard(StandardTag),
    /// One that the app made up, with its whole name: `Tag_SNS_Custom_` and 1 to 8 letters.
    Custom(Cow<'a, str>),
    /// One of the friend's own profile, which [`friend::Pick`](super::friend::Pick) reads too.
    Profile(profile::Tag<'a>),
}

words! {
    /// A tag that every friend has.
    enum StandardTag;
    /// The friend groups that the friend is in: an array of names.
    Group = "Tag_SNS_IM_Group";
    /// A name of the user's own for the friend: a string of at most 96 bytes.
    Remark = "Tag_SNS_IM_Remark";
    /// Where the friend was found: `AddSource_Type_` and 1 to 8 letters.
    AddSource = "Tag_SNS_IM_AddSource";
    /// What came with the friend request: a string of at most 256 bytes.
    AddWording = "Tag_SNS_IM_AddWording";
    /// Since when they are friends: a number of Unix seconds.
    AddTime = "Tag_SNS_IM_AddTime";
}

/// A value about a friend; which of the three it is depends on the tag, and for custom tags on the app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value<'a> {
    /// A JSON number.
    Number(u64),
    /// A JSON string.
    Text(Cow<'a, str>),
    /// A JSON array of strings.
    Names(Vec<Cow<'a, str>>),
}

/// A value under a custom tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Custom<'a> {
    /// `Tag`: the whole name, as in [`Tag::Custom`].
    pub tag: Cow<'a, str>,
    /// `Value`: a text of at most 500 bytes, or a number.
    pub value: Value<'a>,
}

impl<'a> Tag<'a> {
    /// The tag with this name; case matters.
    pub fn parse(name: impl Into<Cow<'a, str>>) -> Option<Tag<'a>> {
        let name = name.into();
        if let Some(standard) = StandardTag::parse(&name) {
            return Some(Tag::Standard(standard));
        }
        match name.strip_prefix("Tag_SNS_Custom_") {
            Some(keyword) => is_keyword(keyword).then_some(Tag::Custom(name)),
            None => profile::Tag::parse(name).map(Tag::Profile),
        }
    }

    /// The name on the wire.
    pub fn as_str(&self) -> &str {
        match self {
            Tag::Standard(tag) => tag.as_str(),
            Tag::Custom(name) => name,
            Tag::Profile(tag) => tag.as_str(),
        }
    }
}

impl Value<'_> {
    /// Appends the value as JSON.
    pub fn write(&self, out: &mut Vec<u8>) {
        match self {
            Value::Number(value) => json::number(out, *value),
            Value::Text(text) => json::string(out, text),
            Value::Names(names) => json::array(out, names, |out, name| json::string(out, name)),
        }
    }
}

impl<'a> From<profile::TagValue<'a>> for Value<'a> {
    fn from(value: profile::TagValue<'a>) -> Value<'a> {
        match value {
            profile::TagValue::Number(value) => Value::Number(value.into()),
            profile::TagValue::Text(text) => Value::Text(text),
        }
    }
}

/// Appends a list of tags with their values.
pub(super) fn write_values(out: &mut Vec<u8>, values: &[(Tag<'_>, Value<'_>)]) {
    json::array(out, values, |out, (tag, value)| {
        write_json!(out, r#"{"Tag":"#, string(tag.as_str()), r#","Value":"#);
        value.write(out);
        out.push(b'}');
    });
}

/// A `TagList`: at least one tag, and none twice. An unknown one refuses the call, since it concerns all friends.
pub(super) fn tags<'a>(slot: Slot<'a>) -> Result<Vec<Tag<'a>>, Failure> {
    let mut tags: Vec<Tag<'a>> = Vec::new();
    for item in slot.array().ok().flatten().unwrap_or_default() {
        let name = item.string().ok().flatten().ok_or_else(|| bad("TagList", "an Array of Strings"))?;
        let tag = Tag::parse(name).ok_or_else(unknown_tag)?;
        if tags.contains(&tag) {
            continue;
        }
        // Counted with every tag, so that the list that is searched does not become long.
        if tags.iter().filter(|known| app_made_both(known, &tag)).count() == CUSTOM_TAGS_MAX {
            return Err(too_many_customs());
        }
        tags.push(tag);
    }
    if tags.is_empty() {
        return Err(bad("TagList", "an Array with at least one item"));
    }
    Ok(tags)
}

/// Whether both are custom tags of a friend, or both of a profile.
fn app_made_both(one: &Tag<'_>, other: &Tag<'_>) -> bool {
    matches!(
        (one, other),
        (Tag::Custom(_), Tag::Custom(_))
            | (Tag::Profile(profile::Tag::Custom(_)), Tag::Profile(profile::Tag::Custom(_)))
    )
}

slots! { struct TagMembers { tag: "Tag", value: "Value", } }

/// One item of a list of tags and values; no tag when there is none of that name.
pub(super) fn tag_and_value<'a>(item: Slot<'a>, list: &str) -> Result<(Option<Tag<'a>>, Slot<'a>), Failure> {
    let members: TagMembers<'a> =
        item.object().ok().flatten().ok_or_else(|| bad(list, "an Array of Objects"))?;
    let name = members.tag.string().ok().flatten().ok_or_else(|| bad("Tag", "a String"))?;
    Ok((Tag::parse(name), members.value))
}

/// A `CustomItem`: custom tags with their values.
pub(super) fn customs<'a>(slot: Slot<'a>) -> Result<Vec<Custom<'a>>, Failure> {
    let mut customs = Vec::new();
    for item in slot.array().map_err(|_| bad("CustomItem", "an Array"))?.unwrap_or_default() {
        let (Some(Tag::Custom(tag)), value) = tag_and_value(item, "CustomItem")? else {
            return Err(unknown_tag());
        };
        put_custom(&mut customs, tag, value)?;
    }
    Ok(customs)
}

/// Adds a custom value, or puts it in the place of an earlier one.
pub(crate) fn put_custom<'a>(
    customs: &mut Vec<Custom<'a>>,
    tag: Cow<'a, str>,
    value: Slot<'a>,
) -> Result<(), Failure> {
    let value = custom_value(value)?;
    if let Some(known) = customs.iter_mut().find(|known| known.tag == tag) {
        known.value = value;
        return Ok(());
    }
    if customs.len() == CUSTOM_TAGS_MAX {
        return Err(too_many_customs());
    }
    customs.push(Custom { tag, value });
    Ok(())
}

fn custom_value<'a>(slot: Slot<'a>) -> Result<Value<'a>, Failure> {
    if let Ok(Some(text)) = slot.string() {
        if text.len() > FRIEND_VALUE_LEN_MAX {
            return Err(bad("Value", &format!("no longer than {FRIEND_VALUE_LEN_MAX} bytes")));
        }
        return Ok(Value::Text(text));
    }
    let number = slot.u64().ok().flatten();
    number.map(Value::Number).ok_or_else(|| bad("Value", "a String or an unsigned 64-bit integer"))
}

pub(crate) fn unknown_tag() -> Failure {
    ErrorCode::RelationParameter.with(ErrorCode::ProfileTagUnknown.text())
}

fn too_many_customs() -> Failure {
    ErrorCode::RelationParameter.with(format!("there are more than {CUSTOM_TAGS_MAX} custom tags"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot(json: &str) -> Slot<'_> {
        Slot::new(serde_json::from_str(json).unwrap())
    }

    #[test]
    fn names() {
        let known = [
            ("Tag_SNS_IM_Group", Tag::Standard(StandardTag::Group)),
            ("Tag_SNS_IM_Remark", Tag::Standard(StandardTag::Remark)),
            ("Tag_SNS_IM_AddSource", Tag::Standard(StandardTag::AddSource)),
            ("Tag_SNS_IM_AddWording", Tag::Standard(StandardTag::AddWording)),
            ("Tag_SNS_IM_AddTime", Tag::Standard(StandardTag::AddTime)),
            ("Tag_SNS_Custom_a", Tag::Custom("Tag_SNS_Custom_a".into())),
            ("Tag_SNS_Custom_abcdefgH", Tag::Custom("Tag_SNS_Custom_abcdefgH".into())),
            ("Tag_Profile_IM_Nick", Tag::Profile(profile::Tag::Standard(profile::StandardTag::Nick))),
            ("Tag_Profile_Custom_Vip", Tag::Profile(profile::Tag::Custom("Tag_Profile_Custom_Vip".into()))),
        ];
        for (name, tag) in known {
            assert_eq!((Tag::parse(name).as_ref(), tag.as_str()), (Some(&tag), name));
        }
        for name in
            ["", "Tag_SNS_IM_remark", "Tag_SNS_Custom_", "Tag_SNS_Custom_abcdefghi", "Tag_SNS_Custom_a1"]
        {
            assert_eq!(Tag::parse(name), None, "{name}");
        }
    }

    #[test]
    fn lists_of_tags() {
        let custom = |prefix: &str, count: u8| {
            let names = (b'a'..b'a' + count).map(|letter| format!(r#""{prefix}{}""#, letter as char));
            names.collect::<Vec<_>>().join(",")
        };
        let (friend, own) = ("Tag_SNS_Custom_", "Tag_Profile_Custom_");
        let table = [
            (r#"["Tag_SNS_IM_Remark","Tag_Profile_IM_Nick","Tag_SNS_IM_Remark"]"#.to_owned(), Some(2)),
            (format!("[{},{},{}]", custom(friend, 20), custom(own, 20), custom(friend, 20)), Some(40)),
            (format!("[{}]", custom(friend, 21)), None),
            (format!("[{}]", custom(own, 21)), None),
            (r#"["Tag_SNS_IM_Remark","Tag_SNS_IM_Other"]"#.into(), None),
            ("[]".into(), None),
            ("null".into(), None),
            ("[7]".into(), None),
            (r#""Tag_SNS_IM_Remark""#.into(), None),
        ];
        for (json, len) in table {
            let seen = tags(slot(&json)).map(|tags| tags.len());
            assert_eq!(seen.map_err(|failure| failure.code), len.ok_or(30001), "{json}");
        }
    }

    #[test]
    fn custom_values() {
        let long = |len: usize| format!(r#"[{{"Tag":"Tag_SNS_Custom_a","Value":"{}"}}]"#, "x".repeat(len));
        let custom = |value| vec![Custom { tag: "Tag_SNS_Custom_a".into(), value }];
        let table = [
            ("null".to_owned(), Some(vec![])),
            ("[]".into(), Some(vec![])),
            (r#"[{"Tag":"Tag_SNS_Custom_a","Value":"12"}]"#.into(), Some(custom(Value::Text("12".into())))),
            (r#"[{"Tag":"Tag_SNS_Custom_a","Value":0}]"#.into(), Some(custom(Value::Number(0)))),
            (
                r#"[{"Tag":"Tag_SNS_Custom_a","Value":18446744073709551615}]"#.into(),
                Some(custom(Value::Number(u64::MAX))),
            ),
            (
                r#"[{"Tag":"Tag_SNS_Custom_a","Value":"1"},{"Tag":"Tag_SNS_Custom_a","Value":2}]"#.into(),
                Some(custom(Value::Number(2))),
            ),
            (long(500), Some(custom(Value::Text("x".repeat(500).into())))),
            (long(501), None),
            (r#"[{"Tag":"Tag_SNS_Custom_a","Value":-1}]"#.into(), None),
            (r#"[{"Tag":"Tag_SNS_Custom_a","Value":["x"]}]"#.into(), None),
            (r#"[{"Tag":"Tag_SNS_Custom_a"}]"#.into(), None),
            (r#"[{"Tag":"Tag_SNS_IM_Remark","Value":"x"}]"#.into(), None),
            (r#"[{"Value":"x"}]"#.into(), None),
            (r#"["x"]"#.into(), None),
            ("{}".into(), None),
        ];
        for (json, expected) in table {
            let seen = customs(slot(&json)).map_err(|failure| failure.code);
            assert_eq!(seen, expected.ok_or(30001), "{json}");
        }
        let many = |count: u8| {
            let items = (b'a'..b'a' + count)
                .map(|letter| format!(r#"{{"Tag":"Tag_SNS_Custom_{}","Value":1}}"#, letter as char));
            format!("[{}]", items.collect::<Vec<_>>().join(","))
        };
        assert_eq!(customs(slot(&many(20))).unwrap().len(), 20);
        assert_eq!(
            customs(slot(&many(21))).unwrap_err().to_string(),
            "30001 there are more than 20 custom tags"
        );
    }

    #[test]
    fn values_on_the_wire() {
        let mut out = Vec::new();
        let values = [
            (Tag::Standard(StandardTag::AddTime), Value::Number(1_760_000_000)),
            (Tag::Standard(StandardTag::Group), Value::Names(vec!["work".into(), "\"x\"".into()])),
            (Tag::Standard(StandardTag::Group), Value::Names(vec![])),
            (Tag::parse("Tag_Profile_IM_Role").unwrap(), profile::TagValue::Number(7).into()),
            (Tag::parse("Tag_Profile_IM_Nick").unwrap(), profile::TagValue::Text("Bo".into()).into()),
        ];
        write_values(&mut out, &values);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            r#"[{"Tag":"Tag_SNS_IM_AddTime","Value":1760000000},{"Tag":"Tag_SNS_IM_Group","Value":["work","\"x\""]},{"Tag":"Tag_SNS_IM_Group","Value":[]},{"Tag":"Tag_Profile_IM_Role","Value":7},{"Tag":"Tag_Profile_IM_Nick","Value":"Bo"}]"#
        );
    }
}
