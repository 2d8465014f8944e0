//! `sns`: friends, friend groups and blocklists, each seen from one user, `From_Account`.
//!
//! Most commands are about many others at once. What is wrong with one of them (its UserID, a remark that is too long)
//! makes that one fail, as a [`Refused`] with [`ErrorCode::RelationParameter`], and the others go on; what is wrong with
//! the shape of the request refuses all of it with the same code. Every answer has one line for each of the others, in
//! the order of the request, and names those who failed once more in `Fail_Account`.

mod tag;
mod check;
pub mod friend;
pub mod group;
pub mod blocklist;

pub use check::{CheckType, Checked, Relation};
pub use tag::{Custom, StandardTag, Tag, Value};
pub(crate) use tag::{put_custom, unknown_tag};

use std::borrow::Cow;

use super::{OK_DISPLAY_AND, end_result, fail_accounts, user_id};
use crate::{
    code::{ErrorCode, Failure},
    json::{self, write_json},
    lenient::Slot,
    limits::{FRIEND_GROUP_NAME_LEN_MAX, FRIEND_GROUPS_MAX, RELATIONS_PER_CALL_MAX},
    user_id::valid_user_id,
};

/// One of the others that a request names, or why this one fails alone.
pub type Item<'a, T> = Result<T, Refused<'a>>;

/// One of the others, with something wrong that can be seen without looking anything up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused<'a> {
    /// `To_Account`, which need not be a UserID.
    pub to: Cow<'a, str>,
    /// What is wrong.
    pub failure: Failure,
}

impl Refused<'_> {
    /// Its line in the answer.
    pub fn outcome(&self) -> Outcome<'_> {
        Outcome { to: &self.to, failure: Some(&self.failure) }
    }
}

/// One line of `ResultItem`: what became of one of the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome<'a> {
    /// `To_Account`.
    pub to: &'a str,
    /// `ResultCode` and `ResultInfo`, which are 0 and empty when it worked.
    pub failure: Option<&'a Failure>,
}

/// The answer of the commands that change something: those of [`friend`] and [`blocklist`].
pub fn answer(outcomes: &[Outcome<'_>]) -> Vec<u8> {
    let mut bytes = start(outcomes.len());
    write_outcomes(&mut bytes, outcomes);
    bytes.push(b'}');
    bytes
}

fn write_outcomes(out: &mut Vec<u8>, outcomes: &[Outcome<'_>]) {
    json::raw(out, br#""ResultItem":"#);
    json::array(out, outcomes, |out, outcome| {
        write_json!(out, r#"{"To_Account":"#, string(outcome.to));
        end_result(out, outcome.failure);
    });
    let failed = outcomes.iter().filter(|outcome| outcome.failure.is_some());
    fail_accounts(out, failed.map(|outcome| outcome.to));
}

/// The beginning of an answer with so many lines; the next thing to write is a member's name.
fn start(len: usize) -> Vec<u8> {
    // A line takes 44 bytes, and those of the UserID and of what is said about it.
    let mut bytes = Vec::with_capacity(128 + 96 * len);
    json::raw(&mut bytes, OK_DISPLAY_AND.as_bytes());
    bytes
}

/// `From_Account`.
fn from(slot: Slot<'_>) -> Result<Cow<'_, str>, Failure> {
    user_id(slot, ErrorCode::RelationParameter).map_err(|_| bad("From_Account", "a String of 1 to 32 bytes"))
}

/// A list of others, 1 to 1000.
fn others<'a>(slot: Slot<'a>, name: &str) -> Result<Vec<Slot<'a>>, Failure> {
    let items = slot.array().ok().flatten().unwrap_or_default();
    if !(1..=RELATIONS_PER_CALL_MAX).contains(&items.len()) {
        return Err(bad(name, &format!("an Array of 1 to {RELATIONS_PER_CALL_MAX} items")));
    }
    Ok(items)
}

/// `To_Account` as a list of UserIDs, 1 to 1000.
fn accounts(slot: Slot<'_>) -> Result<Vec<Item<'_, Cow<'_, str>>>, Failure> {
    others(slot, "To_Account")?
        .into_iter()
        .map(|item| Ok(account(to_account(item, "an Array of Strings")?)))
        .collect()
}

/// A `To_Account` that has to be there, since nobody could be told what became of it otherwise.
fn to_account<'a>(slot: Slot<'a>, wanted: &str) -> Result<Cow<'a, str>, Failure> {
    slot.string().ok().flatten().ok_or_else(|| bad("To_Account", wanted))
}

fn account(to: Cow<'_, str>) -> Item<'_, Cow<'_, str>> {
    if valid_user_id(&to) {
        return Ok(to);
    }
    Err(Refused { to, failure: bad("To_Account", "a String of 1 to 32 bytes") })
}

/// The names of friend groups without doubled ones. `too_many` is for more of them than a user can have.
pub(crate) fn group_names<'a>(
    items: Vec<Slot<'a>>,
    member: &str,
    too_many: Failure,
) -> Result<Vec<Cow<'a, str>>, Failure> {
    let mut names: Vec<Cow<'a, str>> = Vec::new();
    for item in items {
        let name = item.string().ok().flatten().ok_or_else(|| bad(member, "a String"))?;
        check_group_name(&name, member)?;
        if names.contains(&name) {
            continue;
        }
        if names.len() == FRIEND_GROUPS_MAX {
            return Err(too_many);
        }
        names.push(name);
    }
    Ok(names)
}

pub(crate) fn check_group_name(name: &str, member: &str) -> Result<(), Failure> {
    if (1..=FRIEND_GROUP_NAME_LEN_MAX).contains(&name.len()) {
        return Ok(());
    }
    Err(bad(member, &format!("a String of 1 to {FRIEND_GROUP_NAME_LEN_MAX} bytes")))
}

/// A member that holds one of a few words, or nothing.
fn word<T>(slot: Slot<'_>, name: &str, parse: impl Fn(&str) -> Option<T>) -> Result<Option<T>, Failure> {
    let word = slot.string().map_err(|_| bad(name, "a String"))?.unwrap_or_default();
    // Clients in languages with zero values send "" for a member that was not set.
    if word.is_empty() {
        return Ok(None);
    }
    parse(&word).map(Some).ok_or_else(|| bad(name, "one of the documented words"))
}

pub(crate) fn bad(name: &str, wanted: &str) -> Failure {
    ErrorCode::RelationParameter.with(format!("{name} must be {wanted}"))
}

fn not_json() -> Failure {
    ErrorCode::RelationParameter.with(ErrorCode::BadJson.text())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arbitrary::{any_bytes, any_json};

    /// What became of each item: its code, or 0.
    pub(super) fn codes<T>(items: &[Item<'_, T>]) -> Vec<u32> {
        items.iter().map(|item| item.as_ref().err().map_or(0, |refused| refused.failure.code)).collect()
    }

    /// An answer without what all of them begin with.
    pub(super) fn written(answer: Vec<u8>) -> String {
        let answer = String::from_utf8(answer).unwrap();
        let start = r#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","ErrorDisplay":"","#;
        answer.strip_prefix(start).unwrap().to_owned()
    }

    #[test]
    fn whom_a_call_is_about() {
        let many = |count| vec![r#""bo""#; count].join(",");
        let table = [
            (r#""From_Account":"ada","To_Account":["bo","cy"]"#.to_owned(), Ok(vec![0, 0])),
            (format!(r#""From_Account":"ada","To_Account":[{}]"#, many(1000)), Ok(vec![0; 1000])),
            (format!(r#""From_Account":"ada","To_Account":[{}]"#, many(1001)), Err(30001)),
            (r#""From_Account":"ada","To_Account":[]"#.into(), Err(30001)),
            (r#""From_Account":"ada","To_Account":null"#.into(), Err(30001)),
            (r#""From_Account":"ada","To_Account":"bo""#.into(), Err(30001)),
            (r#""From_Account":"ada","To_Account":[7]"#.into(), Err(30001)),
            (r#""From_Account":"ada","To_Account":["bo",null]"#.into(), Err(30001)),
            (r#""From_Account":"ada","To_Account":["bo","","a\nb"]"#.into(), Ok(vec![0, 30001, 30001])),
            (
                r#""From_Account":"ada","To_Account":["12345678901234567890123456789012","123456789012345678901234567890123"]"#.into(),
                Ok(vec![0, 30001]),
            ),
            (r#""To_Account":["bo"]"#.into(), Err(30001)),
            (r#""From_Account":"","To_Account":["bo"]"#.into(), Err(30001)),
            (r#""From_Account":7,"To_Account":["bo"]"#.into(), Err(30001)),
        ];
        for (members, expected) in table {
            let body = format!(
                r#"{{{members},"CheckType":"BlackCheckResult_Type_Both","TagList":["Tag_SNS_IM_Remark"]}}"#
            );
            let friend_check = body.replace("BlackCheck", "Check");
            let body = body.as_bytes();
            let seen = [
                blocklist::Add::parse(body).map(|add| codes(&add.to)),
                blocklist::Delete::parse(body).map(|delete| codes(&delete.to)),
                blocklist::Check::parse(body).map(|check| codes(&check.to)),
                friend::Delete::parse(body).map(|delete| codes(&delete.to)),
                friend::Pick::parse(body).map(|pick| codes(&pick.to)),
                friend::Check::parse(friend_check.as_bytes()).map(|check| codes(&check.to)),
            ];
            for seen in seen {
                assert_eq!(seen.map_err(|failure| failure.code), expected, "{members}");
            }
        }
    }

    #[test]
    fn not_json_is_refused() {
        for body in ["", "[]", "{"] {
            let body = body.as_bytes();
            let seen = [
                blocklist::Add::parse(body).unwrap_err(),
                blocklist::Delete::parse(body).unwrap_err(),
                blocklist::Page::parse(body).unwrap_err(),
                blocklist::Check::parse(body).unwrap_err(),
                group::Add::parse(body).unwrap_err(),
                group::Delete::parse(body).unwrap_err(),
                group::Get::parse(body).unwrap_err(),
                friend::Add::parse(body).unwrap_err(),
                friend::Import::parse(body).unwrap_err(),
                friend::Update::parse(body).unwrap_err(),
                friend::Delete::parse(body).unwrap_err(),
                friend::DeleteAll::parse(body).unwrap_err(),
                friend::Check::parse(body).unwrap_err(),
                friend::Page::parse(body).unwrap_err(),
                friend::Pick::parse(body).unwrap_err(),
            ];
            for failure in seen {
                assert_eq!(failure.to_string(), "30001 Fail to Parse json data of body, Please check it");
            }
        }
    }

    #[test]
    fn outcomes() {
        let refused = Refused {
            to: "a\nb".into(),
            failure: ErrorCode::RelationParameter.with("To_Account must be valid"),
        };
        let unknown = ErrorCode::RelationAccountNotFound.into();
        let table = [
            (answer(&[]), r#""ResultItem":[]}"#),
            (
                answer(&[Outcome { to: "bo", failure: None }]),
                r#""ResultItem":[{"To_Account":"bo","ResultCode":0,"ResultInfo":""}]}"#,
            ),
            (
                answer(&[
                    refused.outcome(),
                    Outcome { to: "bo", failure: None },
                    Outcome { to: "cy", failure: Some(&unknown) },
                    Outcome { to: "di", failure: Some(&blocklist::ALREADY_BLOCKED) },
                ]),
                r#""ResultItem":[{"To_Account":"a\nb","ResultCode":30001,"ResultInfo":"To_Account must be valid"},{"To_Account":"bo","ResultCode":0,"ResultInfo":""},{"To_Account":"cy","ResultCode":30003,"ResultInfo":"the account does not exist"},{"To_Account":"di","ResultCode":30001,"ResultInfo":"Err_SNS_BlackListAdd_Already_Exist"}],"Fail_Account":["a\nb","cy","di"]}"#,
            ),
        ];
        for (answer, expected) in table {
            assert_eq!(written(answer), expected);
        }
    }

    proptest::proptest! {
        #[test]
        fn any_body_is_answered(bytes in any_bytes(), json in any_json()) {
            let item = format!(
                r#"{{"To_Account":"bo","AddSource":"AddSource_Type_Web","GroupName":{json},"CustomItem":[{json}],"SnsItem":[{{"Tag":"Tag_SNS_IM_Group","Value":{json}}},{json}]}}"#
            );
            let body = format!(
                r#"{{"From_Account":"ada","To_Account":["bo",{json}],"AddFriendItem":[{item}],"UpdateItem":[{item}],"GroupName":{json},"TagList":{json},"CheckType":{json},"AddType":{json},"StartIndex":{json}}}"#
            );
            for body in [&bytes[..], body.as_bytes()] {
                let answers = [
                    blocklist::Add::parse(body).err(),
                    blocklist::Page::parse(body).err(),
                    blocklist::Check::parse(body).err(),
                    group::Add::parse(body).err(),
                    group::Get::parse(body).err(),
                    friend::Add::parse(body).err(),
                    friend::Import::parse(body).err(),
                    friend::Update::parse(body).err(),
                    friend::Delete::parse(body).err(),
                    friend::Page::parse(body).err(),
                    friend::Pick::parse(body).err(),
                ];
                for failure in answers.into_iter().flatten() {
                    proptest::prop_assert!(ErrorCode::from_number(failure.code).is_some());
                }
            }
        }
    }
}
