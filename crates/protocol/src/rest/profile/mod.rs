//! `profile`: what users say about themselves.
//!
//! A profile is a set of values, each under a [`Tag`]. A call is refused as a whole, with the code of the first tag or
//! value at fault; of a doubled tag the last value counts.

mod tag;

pub(super) use tag::is_keyword;
pub use tag::{AdminForbid, AllowType, Gender, StandardTag, Tag, TagValue};

use std::borrow::Cow;

use super::{OK_DISPLAY_AND, end_result, fail_accounts, user_id};
use crate::{
    code::{ErrorCode, Failure},
    json::{self, write_json},
    lenient::{self, Slot, slots},
    limits::{CUSTOM_TAGS_MAX, PROFILES_PER_CALL_MAX},
};

/// `portrait_set`. Answered with [`ok_with_display`](super::ok_with_display).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Set<'a> {
    /// `From_Account`: whose profile it is.
    pub user: Cow<'a, str>,
    /// `ProfileItem`: at least one value, and one at most for each tag.
    pub items: Vec<(Tag<'a>, TagValue<'a>)>,
}

/// `portrait_get`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Get<'a> {
    /// `To_Account`: whose profiles are read, 1 to 100.
    pub users: Vec<Cow<'a, str>>,
    /// `TagList`: what is read, at least one, and no tag twice.
    pub tags: Vec<Tag<'a>>,
}

/// One user in the answer to [`Get`].
#[derive(Debug, Clone, Copy)]
pub struct Portrait<'a> {
    /// `To_Account`.
    pub user: &'a str,
    /// `ProfileItem`, or why there is none, such as [`ErrorCode::ProfileAccountNotFound`]. A tag without a value is
    /// listed with its [`default`](Tag::default_value), and left out if it has none.
    pub items: Result<&'a [(Tag<'a>, TagValue<'a>)], &'a Failure>,
}

slots! { struct SetMembers { user: "From_Account", items: "ProfileItem", } }
slots! { struct ItemMembers { tag: "Tag", value: "Value", } }
slots! { struct GetMembers { users: "To_Account", tags: "TagList", } }

impl<'a> Set<'a> {
    /// Parses the body of the request. Refused with [`ErrorCode::ProfileTagUnknown`], [`ErrorCode::ValueTooLong`],
    /// [`ErrorCode::ProfileValueInvalid`] or [`ErrorCode::ProfileValueWrongType`] for an item, and with
    /// [`ErrorCode::ProfileParameter`] for everything else.
    pub fn parse(body: &'a [u8]) -> Result<Set<'a>, Failure> {
        let members: SetMembers<'a> = lenient::body(body).map_err(|_| ErrorCode::ProfileParameter)?;
        let user = user_id(members.user, ErrorCode::ProfileParameter)
            .map_err(|_| bad("From_Account", "a String of 1 to 32 bytes"))?;
        let mut items: Vec<(Tag<'a>, TagValue<'a>)> = Vec::new();
        for item in list(members.items, "ProfileItem")? {
            let item: ItemMembers<'a> =
                item.object().ok().flatten().ok_or_else(|| bad("ProfileItem", "an Array of Objects"))?;
            put_item(&mut items, tag(item.tag, "Tag", "a String")?, item.value)?;
        }
        Ok(Set { user, items })
    }
}

impl<'a> Get<'a> {
    /// Parses the body of the request. Refused with [`ErrorCode::ProfileToAccountMissing`] when `To_Account` is missing
    /// or empty, [`ErrorCode::ProfileTagUnknown`] for a tag, and [`ErrorCode::ProfileParameter`] for everything else.
    pub fn parse(body: &'a [u8]) -> Result<Get<'a>, Failure> {
        let members: GetMembers<'a> = lenient::body(body).map_err(|_| ErrorCode::ProfileParameter)?;
        Ok(Get { users: users(members.users)?, tags: tags(members.tags)? })
    }

    /// The answer. A user who failed does not make the call fail.
    pub fn answer(portraits: &[Portrait<'_>]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(128 + 240 * portraits.len());
        let out = &mut bytes;
        write_json!(out, raw(OK_DISPLAY_AND.as_bytes()), r#""UserProfileItem":"#);
        json::array(out, portraits, |out, portrait| portrait.write(out));
        let failed = portraits.iter().filter(|portrait| portrait.items.is_err());
        fail_accounts(out, failed.map(|portrait| portrait.user));
        out.push(b'}');
        bytes
    }
}

impl Portrait<'_> {
    fn write(&self, out: &mut Vec<u8>) {
        write_json!(out, r#"{"To_Account":"#, string(self.user));
        if let Ok(items) = self.items {
            json::raw(out, br#","ProfileItem":"#);
            json::array(out, items, |out, (tag, value)| {
                write_json!(out, r#"{"Tag":"#, string(tag.as_str()), r#","Value":"#);
                value.write(out);
                out.push(b'}');
            });
        }
        end_result(out, self.items.err());
    }
}

fn users(slot: Slot<'_>) -> Result<Vec<Cow<'_, str>>, Failure> {
    let users = slot.array().map_err(|_| bad("To_Account", "an Array"))?.unwrap_or_default();
    if users.is_empty() {
        return Err(ErrorCode::ProfileToAccountMissing.into());
    }
    if users.len() > PROFILES_PER_CALL_MAX {
        return Err(bad("To_Account", &format!("an Array of 1 to {PROFILES_PER_CALL_MAX} UserIDs")));
    }
    let users = users.into_iter().map(|user| user_id(user, ErrorCode::ProfileParameter));
    users.collect::<Result<_, _>>().map_err(|_| bad("To_Account", "an Array of Strings of 1 to 32 bytes"))
}

fn tags(slot: Slot<'_>) -> Result<Vec<Tag<'_>>, Failure> {
    let mut tags = Vec::new();
    for slot in list(slot, "TagList")? {
        let tag = tag(slot, "TagList", "an Array of Strings")?;
        if !tags.contains(&tag) {
            check_room(&tag, tags.iter())?;
            tags.push(tag);
        }
    }
    Ok(tags)
}

/// Adds a value to a profile, or puts it in the place of an earlier one.
pub(crate) fn put_item<'a>(
    items: &mut Vec<(Tag<'a>, TagValue<'a>)>,
    tag: Tag<'a>,
    value: Slot<'a>,
) -> Result<(), Failure> {
    let value = tag.read(value)?;
    match items.iter_mut().find(|(known, _)| *known == tag) {
        Some(known) => known.1 = value,
        None => {
            check_room(&tag, items.iter().map(|(known, _)| known))?;
            items.push((tag, value));
        }
    }
    Ok(())
}

/// Checked with every tag, so that no list of known tags becomes long.
fn check_room<'t>(tag: &Tag<'_>, known: impl Iterator<Item = &'t Tag<'t>>) -> Result<(), Failure> {
    let is_custom = |tag: &Tag<'_>| matches!(tag, Tag::Custom(_));
    if is_custom(tag) && known.filter(|known| is_custom(known)).count() == CUSTOM_TAGS_MAX {
        let info = format!("there are more than {CUSTOM_TAGS_MAX} custom tags");
        return Err(ErrorCode::ProfileTagUnknown.with(info));
    }
    Ok(())
}

fn tag<'a>(slot: Slot<'a>, member: &str, wanted: &str) -> Result<Tag<'a>, Failure> {
    let name = slot.string().ok().flatten().ok_or_else(|| bad(member, wanted))?;
    Tag::parse(name).ok_or_else(|| ErrorCode::ProfileTagUnknown.into())
}

fn list<'a>(slot: Slot<'a>, member: &str) -> Result<Vec<Slot<'a>>, Failure> {
    let items = slot.array().ok().flatten().unwrap_or_default();
    if items.is_empty() {
        return Err(bad(member, "an Array with at least one item"));
    }
    Ok(items)
}

fn bad(member: &str, wanted: &str) -> Failure {
    ErrorCode::ProfileParameter.with(format!("{member} must be {wanted}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arbitrary::{any_bytes, any_json};

    fn text(text: &str) -> TagValue<'_> {
        TagValue::Text(text.into())
    }

    fn set(items: &str) -> Result<Vec<(Tag<'static>, TagValue<'static>)>, u32> {
        let body = format!(r#"{{"From_Account":"ada","ProfileItem":[{items}]}}"#).leak();
        Set::parse(body.as_bytes()).map(|set| set.items).map_err(|failure| failure.code)
    }

    #[test]
    fn values_by_tag() {
        let long = |len: usize| format!(r#""{}""#, "x".repeat(len));
        let table = [
            ("IM_Nick", r#""Ada""#.to_owned(), Ok(text("Ada"))),
            ("IM_Nick", r#""""#.into(), Ok(text(""))),
            ("IM_Nick", long(500), Ok(TagValue::Text("x".repeat(500).into()))),
            ("IM_Nick", long(501), Err(40601)),
            ("IM_Nick", "7".into(), Err(40610)),
            ("IM_Nick", "{}".into(), Err(40610)),
            ("IM_Nick", "null".into(), Err(40001)),
            ("IM_Image", long(501), Err(40601)),
            ("IM_SelfSignature", long(501), Err(40601)),
            ("IM_Location", long(16), Ok(text("xxxxxxxxxxxxxxxx"))),
            ("IM_Location", long(17), Err(40601)),
            ("IM_Gender", r#""Gender_Type_Unknown""#.into(), Ok(text("Gender_Type_Unknown"))),
            ("IM_Gender", r#""Gender_Type_Female""#.into(), Ok(text("Gender_Type_Female"))),
            ("IM_Gender", r#""Gender_Type_Male""#.into(), Ok(text("Gender_Type_Male"))),
            ("IM_Gender", r#""gender_type_male""#.into(), Err(40605)),
            ("IM_Gender", r#""""#.into(), Err(40605)),
            ("IM_Gender", "1".into(), Err(40610)),
            (
                "IM_AllowType",
                r#""AllowType_Type_NeedConfirm""#.into(),
                Ok(text("AllowType_Type_NeedConfirm")),
            ),
            ("IM_AllowType", r#""AllowType_Type_AllowAny""#.into(), Ok(text("AllowType_Type_AllowAny"))),
            ("IM_AllowType", r#""AllowType_Type_DenyAny""#.into(), Ok(text("AllowType_Type_DenyAny"))),
            ("IM_AllowType", r#""AllowAny""#.into(), Err(40605)),
            ("IM_AdminForbidType", r#""AdminForbid_Type_None""#.into(), Ok(text("AdminForbid_Type_None"))),
            (
                "IM_AdminForbidType",
                r#""AdminForbid_Type_SendOut""#.into(),
                Ok(text("AdminForbid_Type_SendOut")),
            ),
            ("IM_AdminForbidType", r#""AdminForbid_Type_All""#.into(), Err(40605)),
            ("IM_BirthDay", "20190419".into(), Ok(TagValue::Number(20_190_419))),
            ("IM_BirthDay", r#""20190419""#.into(), Ok(TagValue::Number(20_190_419))),
            ("IM_Language", "0".into(), Ok(TagValue::Number(0))),
            ("IM_Level", "4294967295".into(), Ok(TagValue::Number(u32::MAX))),
            ("IM_Level", "4294967296".into(), Err(40605)),
            ("IM_Role", "-1".into(), Err(40605)),
            ("IM_MsgSettings", r#""on""#.into(), Err(40610)),
            ("IM_MsgSettings", "true".into(), Err(40610)),
            ("IM_MsgSettings", "1.5".into(), Err(40610)),
            ("Custom_a", r#""v""#.into(), Ok(text("v"))),
            ("Custom_abcdefgH", long(500), Ok(TagValue::Text("x".repeat(500).into()))),
            ("Custom_abcdefgH", long(501), Err(40601)),
            ("Custom_a", "7".into(), Err(40610)),
            ("Custom_", r#""v""#.into(), Err(40009)),
            ("Custom_abcdefghi", r#""v""#.into(), Err(40009)),
            ("Custom_a1", r#""v""#.into(), Err(40009)),
            ("Custom_é", r#""v""#.into(), Err(40009)),
            ("IM_nick", r#""v""#.into(), Err(40009)),
        ];
        for (tag, value, expected) in table {
            let tag = format!("Tag_Profile_{tag}");
            let items = set(&format!(r#"{{"Tag":"{tag}","Value":{value}}}"#));
            let expected = expected.map(|value| vec![(Tag::parse(tag.clone()).unwrap(), value)]);
            assert_eq!(items, expected, "{tag} {value}");
        }
    }

    #[test]
    fn requests_to_set() {
        let nick = r#"{"Tag":"Tag_Profile_IM_Nick","Value":"Ada"}"#;
        let table = [
            (format!(r#"{{"From_Account":"ada","ProfileItem":[{nick}]}}"#), None),
            (format!(r#"{{"ProfileItem":[{nick}]}}"#), Some(40001)),
            (format!(r#"{{"From_Account":"","ProfileItem":[{nick}]}}"#), Some(40001)),
            (format!(r#"{{"From_Account":7,"ProfileItem":[{nick}]}}"#), Some(40001)),
            (r#"{"From_Account":"ada"}"#.into(), Some(40001)),
            (r#"{"From_Account":"ada","ProfileItem":[]}"#.into(), Some(40001)),
            (format!(r#"{{"From_Account":"ada","ProfileItem":{nick}}}"#), Some(40001)),
            (r#"{"From_Account":"ada","ProfileItem":["Tag_Profile_IM_Nick"]}"#.into(), Some(40001)),
            (r#"{"From_Account":"ada","ProfileItem":[null]}"#.into(), Some(40001)),
            (r#"{"From_Account":"ada","ProfileItem":[{"Value":"Ada"}]}"#.into(), Some(40001)),
            (r#"{"From_Account":"ada","ProfileItem":[{"Tag":7,"Value":"Ada"}]}"#.into(), Some(40001)),
            (r#"{"From_Account":"ada","ProfileItem":[{"Tag":"Tag_Profile_IM_Nick"}]}"#.into(), Some(40001)),
            ("[]".into(), Some(40001)),
            ("".into(), Some(40001)),
        ];
        for (body, code) in table {
            assert_eq!(Set::parse(body.as_bytes()).err().map(|failure| failure.code), code, "{body}");
        }
        assert_eq!(Set::parse(b"{").unwrap_err().info, "Err_Profile_Comm_Decode_Fail");
        let doubled = set(
            r#"{"Tag":"Tag_Profile_IM_Nick","Value":"A"},{"Tag":"Tag_Profile_IM_Role","Value":1},{"Tag":"Tag_Profile_IM_Nick","Value":"B"}"#,
        );
        let expected = vec![
            (Tag::Standard(StandardTag::Nick), text("B")),
            (Tag::Standard(StandardTag::Role), TagValue::Number(1)),
        ];
        assert_eq!(doubled, Ok(expected));
    }

    #[test]
    fn no_more_than_twenty_custom_tags() {
        let tags =
            |count: u8| (b'a'..b'a' + count).map(|letter| format!("Tag_Profile_Custom_{}", letter as char));
        let items = |count| {
            let items = tags(count).map(|tag| format!(r#"{{"Tag":"{tag}","Value":""}}"#));
            items.collect::<Vec<_>>().join(",")
        };
        assert_eq!(set(&items(20)).map(|items| items.len()), Ok(20));
        assert_eq!(set(&format!("{},{}", items(20), items(20))).map(|items| items.len()), Ok(20));
        assert_eq!(set(&items(21)), Err(40009));
        let get = |count| {
            let tags: Vec<_> = tags(count).chain(["Tag_Profile_IM_Nick".into()]).collect();
            let body = format!(r#"{{"To_Account":["bo"],"TagList":{tags:?}}}"#);
            Get::parse(body.as_bytes()).map(|get| get.tags.len()).map_err(|failure| failure.code)
        };
        assert_eq!((get(20), get(21)), (Ok(21), Err(40009)));
    }

    #[test]
    fn requests_to_get() {
        let tags = r#""TagList":["Tag_Profile_IM_Nick","Tag_Profile_Custom_Vip","Tag_Profile_IM_Nick"]"#;
        let many = |count| vec![r#""bo""#; count].join(",");
        let table = [
            (format!(r#""To_Account":["bo"],{tags}"#), Ok((1, 2))),
            (format!(r#""To_Account":[{}],{tags}"#, many(100)), Ok((100, 2))),
            (format!(r#""To_Account":[{}],{tags}"#, many(101)), Err(40001)),
            (format!(r#""To_Account":[],{tags}"#), Err(40002)),
            (format!(r#""To_Account":null,{tags}"#), Err(40002)),
            (tags.to_owned(), Err(40002)),
            (format!(r#""To_Account":"bo",{tags}"#), Err(40001)),
            (format!(r#""To_Account":[7],{tags}"#), Err(40001)),
            (format!(r#""To_Account":[""],{tags}"#), Err(40001)),
            (r#""To_Account":["bo"]"#.into(), Err(40001)),
            (r#""To_Account":["bo"],"TagList":[]"#.into(), Err(40001)),
            (r#""To_Account":["bo"],"TagList":"Tag_Profile_IM_Nick""#.into(), Err(40001)),
            (r#""To_Account":["bo"],"TagList":[7]"#.into(), Err(40001)),
            (r#""To_Account":["bo"],"TagList":["Tag_SNS_IM_Remark"]"#.into(), Err(40009)),
        ];
        for (members, expected) in table {
            let body = format!("{{{members}}}");
            let seen = Get::parse(body.as_bytes()).map(|get| (get.users.len(), get.tags.len()));
            assert_eq!(seen.map_err(|failure| failure.code), expected, "{members}");
        }
        assert_eq!(Get::parse(b"{]").unwrap_err().code, 40001);
    }

    #[test]
    fn answers() {
        let unknown = ErrorCode::ProfileAccountNotFound.into();
        let items = [
            (Tag::Standard(StandardTag::Nick), text("Ada \"A\"")),
            (Tag::Standard(StandardTag::Level), TagValue::Number(3)),
            (Tag::Custom("Tag_Profile_Custom_Vip".into()), text("yes")),
        ];
        let ada = Portrait { user: "ada", items: Ok(&items) };
        let cy = Portrait { user: "cy", items: Ok(&[]) };
        let bo = Portrait { user: "bo", items: Err(&unknown) };
        let table = [
            (
                Get::answer(&[ada, bo]),
                r#""UserProfileItem":[{"To_Account":"ada","ProfileItem":[{"Tag":"Tag_Profile_IM_Nick","Value":"Ada \"A\""},{"Tag":"Tag_Profile_IM_Level","Value":3},{"Tag":"Tag_Profile_Custom_Vip","Value":"yes"}],"ResultCode":0,"ResultInfo":""},{"To_Account":"bo","ResultCode":40003,"ResultInfo":"the account does not exist"}],"Fail_Account":["bo"]}"#,
            ),
            (
                Get::answer(&[cy]),
                r#""UserProfileItem":[{"To_Account":"cy","ProfileItem":[],"ResultCode":0,"ResultInfo":""}]}"#,
            ),
        ];
        for (answer, expected) in table {
            let expected =
                format!(r#"{{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","ErrorDisplay":"",{expected}"#);
            assert_eq!(String::from_utf8(answer).unwrap(), expected);
        }
    }

    proptest::proptest! {
        #[test]
        fn any_body_is_answered(bytes in any_bytes(), json in any_json()) {
            let set = format!(
                r#"{{"From_Account":"ada","ProfileItem":[{{"Tag":"Tag_Profile_IM_Role","Value":{json}}},{json}]}}"#
            );
            let get = format!(r#"{{"To_Account":["bo",{json}],"TagList":{json}}}"#);
            let answers = [
                Set::parse(&bytes).err(),
                Get::parse(&bytes).err(),
                Set::parse(set.as_bytes()).err(),
                Get::parse(get.as_bytes()).err(),
            ];
            for failure in answers.into_iter().flatten() {
                proptest::prop_assert!(ErrorCode::from_number(failure.code).is_some());
            }
        }
    }
}
