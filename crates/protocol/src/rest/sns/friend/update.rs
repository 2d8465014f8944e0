//! Changing what is noted of friends.

use std::borrow::Cow;

use super::{ItemMembers, TOO_MANY_GROUPS, groups, items, members, text};
use crate::{
    code::Failure,
    limits::REMARK_LEN_MAX,
    rest::sns::{Custom, Item, StandardTag, Tag, bad, from, tag},
};

/// `friend_update`. Answered with [`answer`](crate::rest::sns::answer).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update<'a> {
    /// `From_Account`: whose friends they are.
    pub from: Cow<'a, str>,
    /// `UpdateItem`: what changes, for 1 to 1000 friends.
    pub items: Vec<Item<'a, UpdatedFriend<'a>>>,
}

/// One item of [`Update`]: the values that change; of a doubled tag the last value counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdatedFriend<'a> {
    /// `To_Account`.
    pub to: Cow<'a, str>,
    /// [`StandardTag::Remark`], at most 96 bytes.
    pub remark: Option<Cow<'a, str>>,
    /// [`StandardTag::Group`]: all the groups that the friend is in from now on, at most 32 names of 1 to 30 bytes,
    /// each once.
    pub groups: Option<Vec<Cow<'a, str>>>,
    /// Custom tags: at most 20.
    pub customs: Vec<Custom<'a>>,
}

impl<'a> Update<'a> {
    /// Parses the body of the request.
    pub fn parse(body: &'a [u8]) -> Result<Update<'a>, Failure> {
        let members = members(body)?;
        Ok(Update {
            from: from(members.from)?,
            items: items(members.update_items, "UpdateItem", UpdatedFriend::read)?,
        })
    }
}

impl<'a> UpdatedFriend<'a> {
    fn read(to: Cow<'a, str>, members: &ItemMembers<'a>) -> Result<UpdatedFriend<'a>, Failure> {
        let values = members.sns.array().ok().flatten().unwrap_or_default();
        if values.is_empty() {
            return Err(bad("SnsItem", "an Array with at least one item"));
        }
        let mut friend = UpdatedFriend { to, remark: None, groups: None, customs: Vec::new() };
        for value in values {
            let (tag, value) = tag::tag_and_value(value, "SnsItem")?;
            if value.is_absent() {
                return Err(bad("Value", "there"));
            }
            match tag {
                Some(Tag::Standard(StandardTag::Remark)) => {
                    friend.remark = Some(text(value, "Remark", REMARK_LEN_MAX)?);
                }
                Some(Tag::Standard(StandardTag::Group)) => {
                    friend.groups = Some(groups(value, TOO_MANY_GROUPS.clone())?);
                }
                Some(Tag::Custom(tag)) => tag::put_custom(&mut friend.customs, tag, value)?,
                // How two became friends is history and does not change.
                Some(Tag::Standard(_) | Tag::Profile(_)) => {
                    return Err(bad("Tag", "one that can be changed: Remark, Group or a custom one"));
                }
                None => return Err(tag::unknown_tag()),
            }
        }
        Ok(friend)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rest::sns::Value;

    fn update(item: &str) -> Result<UpdatedFriend<'static>, u32> {
        let body = format!(r#"{{"From_Account":"ada","UpdateItem":[{item}]}}"#).leak();
        let mut update = Update::parse(body.as_bytes()).unwrap();
        update.items.remove(0).map_err(|refused| refused.failure.code)
    }

    #[test]
    fn what_changes() {
        let values = r#"{"Tag":"Tag_SNS_IM_Remark","Value":"a"},{"Tag":"Tag_SNS_IM_Group","Value":["work","work"]},{"Tag":"Tag_SNS_Custom_Dog","Value":"Rex"},{"Tag":"Tag_SNS_IM_Remark","Value":"b"}"#;
        let friend = update(&format!(r#"{{"To_Account":"bo","SnsItem":[{values}]}}"#)).unwrap();
        let expected = UpdatedFriend {
            to: "bo".into(),
            remark: Some("b".into()),
            groups: Some(vec!["work".into()]),
            customs: vec![Custom { tag: "Tag_SNS_Custom_Dog".into(), value: Value::Text("Rex".into()) }],
        };
        assert_eq!(friend, expected);
    }

    #[test]
    fn a_value_that_is_wrong_fails_its_friend() {
        let groups = |count| {
            let names: Vec<_> = (0..count).map(|index| format!("g{index}")).collect();
            format!(r#"{{"Tag":"Tag_SNS_IM_Group","Value":{names:?}}}"#)
        };
        let remark = |len: usize| format!(r#"{{"Tag":"Tag_SNS_IM_Remark","Value":"{}"}}"#, "x".repeat(len));
        let table = [
            (remark(0), None),
            (remark(96), None),
            (remark(97), Some(30001)),
            (r#"{"Tag":"Tag_SNS_IM_Remark","Value":7}"#.into(), Some(30001)),
            (r#"{"Tag":"Tag_SNS_IM_Remark"}"#.into(), Some(30001)),
            (groups(0), None),
            (groups(32), None),
            (groups(33), Some(30011)),
            (r#"{"Tag":"Tag_SNS_IM_Group","Value":"work"}"#.into(), Some(30001)),
            (r#"{"Tag":"Tag_SNS_IM_Group","Value":[""]}"#.into(), Some(30001)),
            (r#"{"Tag":"Tag_SNS_IM_Group","Value":null}"#.into(), Some(30001)),
            (r#"{"Tag":"Tag_SNS_Custom_Dog","Value":{}}"#.into(), Some(30001)),
            (r#"{"Tag":"Tag_SNS_Custom_Dog1","Value":"x"}"#.into(), Some(30001)),
            (r#"{"Tag":"Tag_SNS_IM_AddSource","Value":"AddSource_Type_Web"}"#.into(), Some(30001)),
            (r#"{"Tag":"Tag_SNS_IM_AddTime","Value":1}"#.into(), Some(30001)),
            (r#"{"Tag":"Tag_SNS_IM_AddWording","Value":"x"}"#.into(), Some(30001)),
            (r#"{"Tag":"Tag_Profile_IM_Nick","Value":"x"}"#.into(), Some(30001)),
            (r#"{"Tag":7,"Value":"x"}"#.into(), Some(30001)),
            ("7".into(), Some(30001)),
            (String::new(), Some(30001)),
        ];
        for (value, code) in table {
            let seen = update(&format!(r#"{{"To_Account":"bo","SnsItem":[{value}]}}"#));
            assert_eq!(seen.err(), code, "{value}");
        }
        assert_eq!(update(r#"{"To_Account":"bo"}"#), Err(30001));
        assert_eq!(update(r#"{"To_Account":"bo","SnsItem":{}}"#), Err(30001));
        assert_eq!(update(&format!(r#"{{"To_Account":"","SnsItem":[{}]}}"#, remark(1))), Err(30001));
    }

    #[test]
    fn what_refuses_the_call() {
        let item = r#"{"To_Account":"bo","SnsItem":[{"Tag":"Tag_SNS_IM_Remark","Value":"a"}]}"#;
        let many = |count| vec![item; count].join(",");
        let table = [
            (format!(r#""From_Account":"ada","UpdateItem":[{}]"#, many(1000)), None),
            (format!(r#""From_Account":"ada","UpdateItem":[{}]"#, many(1001)), Some(30001)),
            (r#""From_Account":"ada","UpdateItem":[]"#.into(), Some(30001)),
            (r#""From_Account":"ada","UpdateItem":[null]"#.into(), Some(30001)),
            (r#""From_Account":"ada","UpdateItem":[{"SnsItem":[]}]"#.into(), Some(30001)),
            (r#""From_Account":"ada""#.into(), Some(30001)),
            (format!(r#""UpdateItem":[{item}]"#), Some(30001)),
        ];
        for (members, code) in table {
            let body = format!("{{{members}}}");
            let seen = Update::parse(body.as_bytes()).err().map(|failure| failure.code);
            assert_eq!(seen, code, "{members}");
        }
    }
}
