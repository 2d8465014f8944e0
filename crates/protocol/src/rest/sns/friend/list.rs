//! Reading lists of friends.

use std::borrow::Cow;

use super::members;
use crate::{
    code::Failure,
    json::{self, write_json},
    lenient::Slot,
    rest::sns::{Item, Tag, Value, accounts, bad, end_result, fail_accounts, from, start, tag},
};

/// `friend_get`: a page of a friend list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<'a> {
    /// `From_Account`: whose friends they are.
    pub from: Cow<'a, str>,
    /// `StartIndex`: how many friends come before the page, 0 when absent.
    pub start_index: u32,
    /// `StandardSequence` of an earlier answer: while it is still the same, standard tags are left out. `None` when
    /// absent or 0.
    pub standard_sequence: Option<u64>,
    /// `CustomSequence` of an earlier answer: the same for custom tags.
    pub custom_sequence: Option<u64>,
}

/// The answer to [`Page`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FriendPage<'a> {
    /// `UserDataItem`.
    pub friends: &'a [FriendEntry<'a>],
    /// `StandardSequence`: the place in the sequence of changes to the list and to standard tags.
    pub standard_sequence: u64,
    /// `CustomSequence`: the place in the sequence of changes to custom tags.
    pub custom_sequence: u64,
    /// `FriendNum`: how many friends there are on all pages.
    pub friend_num: u32,
    /// `NextStartIndex`: where the next page starts; 0 on the wire, with a `CompleteFlag` of 1, when this was the last.
    pub next_index: Option<u32>,
}

/// A friend on a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FriendEntry<'a> {
    /// `To_Account`.
    pub to: &'a str,
    /// `ValueItem`. What was never set is left out.
    pub values: &'a [(Tag<'a>, Value<'a>)],
}

/// `friend_get_list`: some tags of some friends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pick<'a> {
    /// `From_Account`: whose friends they are.
    pub from: Cow<'a, str>,
    /// `To_Account`: the friends, 1 to 1000.
    pub to: Vec<Item<'a, Cow<'a, str>>>,
    /// `TagList`: what is read, at least one, and no tag twice.
    pub tags: Vec<Tag<'a>>,
}

/// One friend in the answer to [`Pick`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Picked<'a> {
    /// `To_Account`.
    pub to: &'a str,
    /// `SnsProfileItem`, or why there is none, such as [`NOT_FRIEND_TO_PICK`](super::NOT_FRIEND_TO_PICK).
    pub values: Result<&'a [(Tag<'a>, Value<'a>)], &'a Failure>,
}

impl<'a> Page<'a> {
    /// Parses the body of the request.
    pub fn parse(body: &'a [u8]) -> Result<Page<'a>, Failure> {
        let members = members(body)?;
        let start_index = members.start_index.u32();
        Ok(Page {
            from: from(members.from)?,
            start_index: start_index
                .map_err(|_| bad("StartIndex", "an unsigned 32-bit integer"))?
                .unwrap_or_default(),
            standard_sequence: sequence(members.standard_sequence, "StandardSequence")?,
            custom_sequence: sequence(members.custom_sequence, "CustomSequence")?,
        })
    }
}

impl FriendPage<'_> {
    /// The body of the answer.
    pub fn to_json(&self) -> Vec<u8> {
        // A friend with four of the standard tags takes some 280 bytes.
        let mut bytes = start(3 * self.friends.len());
        let out = &mut bytes;
        json::raw(out, br#""UserDataItem":"#);
        json::array(out, self.friends, |out, friend| {
            write_json!(out, r#"{"To_Account":"#, string(friend.to), r#","ValueItem":"#);
            tag::write_values(out, friend.values);
            out.push(b'}');
        });
        write_json!(
            out,
            r#","StandardSequence":"#,
            number(self.standard_sequence),
            r#","CustomSequence":"#,
            number(self.custom_sequence),
            r#","FriendNum":"#,
            number(u64::from(self.friend_num)),
            r#","CompleteFlag":"#,
            flag(self.next_index.is_none()),
            r#","NextStartIndex":"#,
            number(u64::from(self.next_index.unwrap_or_default())),
            "}",
        );
        bytes
    }
}

impl<'a> Pick<'a> {
    /// Parses the body of the request.
    pub fn parse(body: &'a [u8]) -> Result<Pick<'a>, Failure> {
        let members = members(body)?;
        Ok(Pick { from: from(members.from)?, to: accounts(members.to)?, tags: tag::tags(members.tags)? })
    }

    /// The answer. One who failed does not make the call fail.
    pub fn answer(picked: &[Picked<'_>]) -> Vec<u8> {
        let mut bytes = start(3 * picked.len());
        let out = &mut bytes;
        json::raw(out, br#""InfoItem":"#);
        json::array(out, picked, |out, friend| {
            write_json!(out, r#"{"To_Account":"#, string(friend.to));
            if let Ok(values) = friend.values {
                json::raw(out, br#","SnsProfileItem":"#);
                tag::write_values(out, values);
            }
            end_result(out, friend.values.err());
        });
        fail_accounts(out, picked.iter().filter(|friend| friend.values.is_err()).map(|friend| friend.to));
        out.push(b'}');
        bytes
    }
}

fn sequence(slot: Slot<'_>, name: &str) -> Result<Option<u64>, Failure> {
    let sequence = slot.u64().map_err(|_| bad(name, "an unsigned 64-bit integer"))?;
    Ok(sequence.filter(|&sequence| sequence > 0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rest::sns::{StandardTag, friend::NOT_FRIEND_TO_PICK, tests::written};

    #[test]
    fn requests_for_a_page() {
        let table = [
            (r#""From_Account":"ada""#, Ok((0, None, None))),
            (
                r#""From_Account":"ada","StartIndex":0,"StandardSequence":0,"CustomSequence":0"#,
                Ok((0, None, None)),
            ),
            (
                r#""From_Account":"ada","StartIndex":500,"StandardSequence":88,"CustomSequence":"46""#,
                Ok((500, Some(88), Some(46))),
            ),
            (r#""From_Account":"ada","StartIndex":4294967295"#, Ok((u32::MAX, None, None))),
            (r#""From_Account":"ada","StartIndex":4294967296"#, Err(30001)),
            (r#""From_Account":"ada","StartIndex":"x""#, Err(30001)),
            (r#""From_Account":"ada","StandardSequence":-1"#, Err(30001)),
            (r#""From_Account":"ada","CustomSequence":[]"#, Err(30001)),
            (r#""StartIndex":0"#, Err(30001)),
        ];
        for (members, expected) in table {
            let body = format!("{{{members}}}");
            let seen = Page::parse(body.as_bytes())
                .map(|page| (page.start_index, page.standard_sequence, page.custom_sequence));
            assert_eq!(seen.map_err(|failure| failure.code), expected, "{members}");
        }
    }

    #[test]
    fn requests_to_pick() {
        let table = [
            (r#"["Tag_Profile_IM_Nick","Tag_SNS_IM_Remark","Tag_SNS_Custom_Dog"]"#, Ok(3)),
            (r#"["Tag_SNS_IM_Dog"]"#, Err(30001)),
            ("[]", Err(30001)),
            ("null", Err(30001)),
        ];
        for (tags, expected) in table {
            let body = format!(r#"{{"From_Account":"ada","To_Account":["bo"],"TagList":{tags}}}"#);
            let seen = Pick::parse(body.as_bytes()).map(|pick| pick.tags.len());
            assert_eq!(seen.map_err(|failure| failure.code), expected, "{tags}");
        }
    }

    #[test]
    fn answers() {
        let values = [
            (Tag::Standard(StandardTag::AddSource), Value::Text("AddSource_Type_Web".into())),
            (Tag::Standard(StandardTag::Remark), Value::Text("Bo \"B\"".into())),
            (Tag::Standard(StandardTag::Group), Value::Names(vec!["work".into()])),
            (Tag::Standard(StandardTag::AddTime), Value::Number(1_760_000_000)),
            (Tag::Custom("Tag_SNS_Custom_Dog".into()), Value::Text("Rex".into())),
        ];
        let friends = [FriendEntry { to: "bo", values: &values }, FriendEntry { to: "cy", values: &[] }];
        let page = FriendPage {
            friends: &friends,
            standard_sequence: 88,
            custom_sequence: 46,
            friend_num: 20,
            next_index: Some(2),
        };
        let last = FriendPage {
            friends: &[],
            standard_sequence: 0,
            custom_sequence: 0,
            friend_num: 0,
            next_index: None,
        };
        let picked = [
            Picked { to: "bo", values: Ok(&values[1..2]) },
            Picked { to: "cy", values: Err(&NOT_FRIEND_TO_PICK) },
        ];
        let table = [
            (
                page.to_json(),
                r#""UserDataItem":[{"To_Account":"bo","ValueItem":[{"Tag":"Tag_SNS_IM_AddSource","Value":"AddSource_Type_Web"},{"Tag":"Tag_SNS_IM_Remark","Value":"Bo \"B\""},{"Tag":"Tag_SNS_IM_Group","Value":["work"]},{"Tag":"Tag_SNS_IM_AddTime","Value":1760000000},{"Tag":"Tag_SNS_Custom_Dog","Value":"Rex"}]},{"To_Account":"cy","ValueItem":[]}],"StandardSequence":88,"CustomSequence":46,"FriendNum":20,"CompleteFlag":0,"NextStartIndex":2}"#,
            ),
            (
                last.to_json(),
                r#""UserDataItem":[],"StandardSequence":0,"CustomSequence":0,"FriendNum":0,"CompleteFlag":1,"NextStartIndex":0}"#,
            ),
            (
                Pick::answer(&picked),
                r#""InfoItem":[{"To_Account":"bo","SnsProfileItem":[{"Tag":"Tag_SNS_IM_Remark","Value":"Bo \"B\""}],"ResultCode":0,"ResultInfo":""},{"To_Account":"cy","ResultCode":30001,"ResultInfo":"Err_SNS_FriendGetList_Friend_Not_Exist"}],"Fail_Account":["cy"]}"#,
            ),
            (
                Pick::answer(&picked[..1]),
                r#""InfoItem":[{"To_Account":"bo","SnsProfileItem":[{"Tag":"Tag_SNS_IM_Remark","Value":"Bo \"B\""}],"ResultCode":0,"ResultInfo":""}]}"#,
            ),
        ];
        for (answer, expected) in table {
            assert_eq!(written(answer), expected);
        }
    }
}
