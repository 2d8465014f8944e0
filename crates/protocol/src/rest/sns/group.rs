//! A user's friend groups: names, under each of which some of the friends stand.
//!
//! There are no lines for groups in the answers, so a name that is not valid refuses the call.

use std::borrow::Cow;

use super::{Item, Outcome, accounts, bad, from, group_names, not_json, start, word};
use crate::{
    code::{ErrorCode, Failure},
    json::{self, write_json},
    lenient::{self, Slot, slots},
    limits::FRIEND_GROUPS_MAX,
};

/// Of [`Add`], for one who is not a friend.
pub static NOT_FRIEND: Failure = Failure {
    code: ErrorCode::RelationParameter.number(),
    info: Cow::Borrowed("Err_SNS_GroupAdd_Friend_Not_Exist"),
};

/// `group_add`: makes friend groups, and puts friends into each of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Add<'a> {
    /// `From_Account`: whose groups they are.
    pub from: Cow<'a, str>,
    /// `GroupName`: 1 to 32 names of 1 to 30 bytes, each once.
    pub names: Vec<Cow<'a, str>>,
    /// `To_Account`: who is put into them, at most 1000; nobody when absent.
    pub to: Vec<Item<'a, Cow<'a, str>>>,
}

/// `group_delete`: removes friend groups. The friends in them stay friends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delete<'a> {
    /// `From_Account`: whose groups they are.
    pub from: Cow<'a, str>,
    /// `GroupName`: 1 to 32 names of 1 to 30 bytes, each once.
    pub names: Vec<Cow<'a, str>>,
}

/// `group_get`: reads friend groups. A `LastSequence` of older clients is not looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Get<'a> {
    /// `From_Account`: whose groups they are.
    pub from: Cow<'a, str>,
    /// `GroupName`: at most 32 names, each once; all groups when empty or absent.
    pub names: Vec<Cow<'a, str>>,
    /// `NeedFriend`: whether to list who is in them; no when absent.
    pub with_friends: bool,
}

/// A friend group in the answer to [`Get`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FriendGroup<'a> {
    /// `GroupName`.
    pub name: &'a str,
    /// `FriendNumber`: how many friends are in it.
    pub friend_num: u32,
    /// `To_Account`: who they are, if that was asked for.
    pub friends: Option<&'a [&'a str]>,
}

slots! {
    struct Members {
        from: "From_Account",
        names: "GroupName",
        to: "To_Account",
        need_friend: "NeedFriend",
    }
}

impl<'a> Add<'a> {
    /// Parses the body of the request; [`ErrorCode::FriendGroupsFull`] for more than 32 names.
    pub fn parse(body: &'a [u8]) -> Result<Add<'a>, Failure> {
        let members = members(body)?;
        let nobody = members.to.array().is_ok_and(|to| to.unwrap_or_default().is_empty());
        Ok(Add {
            from: from(members.from)?,
            names: some_names(members.names, ErrorCode::FriendGroupsFull.into())?,
            to: if nobody { Vec::new() } else { accounts(members.to)? },
        })
    }

    /// The answer, with a line for each who was put into the groups.
    pub fn answer(outcomes: &[Outcome<'_>], current_sequence: u64) -> Vec<u8> {
        let mut bytes = start(outcomes.len());
        super::write_outcomes(&mut bytes, outcomes);
        bytes.push(b',');
        end_with_sequence(bytes, current_sequence)
    }
}

impl<'a> Delete<'a> {
    /// Parses the body of the request.
    pub fn parse(body: &'a [u8]) -> Result<Delete<'a>, Failure> {
        let members = members(body)?;
        Ok(Delete { from: from(members.from)?, names: some_names(members.names, too_many_names())? })
    }

    /// The answer, whether the groups existed or not.
    pub fn answer(current_sequence: u64) -> Vec<u8> {
        end_with_sequence(start(0), current_sequence)
    }
}

impl<'a> Get<'a> {
    /// Parses the body of the request.
    pub fn parse(body: &'a [u8]) -> Result<Get<'a>, Failure> {
        let members = members(body)?;
        let with_friends = word(members.need_friend, "NeedFriend", |word| match word {
            "Need_Friend_Type_Yes" => Some(true),
            "Need_Friend_Type_No" => Some(false),
            _ => None,
        })?;
        Ok(Get {
            from: from(members.from)?,
            names: names(members.names, too_many_names())?,
            with_friends: with_friends.unwrap_or_default(),
        })
    }

    /// The answer. Groups that do not exist are not in it.
    pub fn answer(groups: &[FriendGroup<'_>], current_sequence: u64) -> Vec<u8> {
        let mut bytes = start(groups.len());
        let out = &mut bytes;
        json::raw(out, br#""ResultItem":"#);
        json::array(out, groups, |out, group| {
            write_json!(
                out,
                r#"{"GroupName":"#,
                string(group.name),
                r#","FriendNumber":"#,
                number(u64::from(group.friend_num)),
            );
            if let Some(friends) = group.friends {
                json::raw(out, br#","To_Account":"#);
                json::array(out, friends, |out, friend| json::string(out, friend));
            }
            out.push(b'}');
        });
        out.push(b',');
        end_with_sequence(bytes, current_sequence)
    }
}

/// Ends an answer with the place in the sequence of changes to the user's friend groups.
fn end_with_sequence(mut bytes: Vec<u8>, current_sequence: u64) -> Vec<u8> {
    let out = &mut bytes;
    write_json!(out, r#""CurrentSequence":"#, number(current_sequence), "}");
    bytes
}

fn some_names(slot: Slot<'_>, too_many: Failure) -> Result<Vec<Cow<'_, str>>, Failure> {
    let names = names(slot, too_many)?;
    if names.is_empty() {
        return Err(bad("GroupName", "an Array with at least one name"));
    }
    Ok(names)
}

fn names(slot: Slot<'_>, too_many: Failure) -> Result<Vec<Cow<'_, str>>, Failure> {
    let items = slot.array().map_err(|_| bad("GroupName", "an Array"))?.unwrap_or_default();
    group_names(items, "GroupName", too_many)
}

/// Of the commands that do not make groups, which are not full therefore.
fn too_many_names() -> Failure {
    bad("GroupName", &format!("an Array of at most {FRIEND_GROUPS_MAX} names"))
}

fn members(body: &[u8]) -> Result<Members<'_>, Failure> {
    lenient::body(body).map_err(|_| not_json())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rest::sns::tests::{codes, written};

    fn many(count: usize) -> String {
        (0..count).map(|index| format!(r#""g{index}""#)).collect::<Vec<_>>().join(",")
    }

    #[test]
    fn names_of_groups() {
        // What adding, deleting and getting make of it; how many names, or the code.
        let table = [
            (r#"["work","home","work"]"#.to_owned(), Ok(2), Ok(2), Ok(2)),
            (r#"["123456789012345678901234567890"]"#.into(), Ok(1), Ok(1), Ok(1)),
            (r#"["1234567890123456789012345678901"]"#.into(), Err(30001), Err(30001), Err(30001)),
            (r#"["工作工作工作工作工作"]"#.into(), Ok(1), Ok(1), Ok(1)),
            (r#"["工作工作工作工作工作."]"#.into(), Err(30001), Err(30001), Err(30001)),
            (r#"[""]"#.into(), Err(30001), Err(30001), Err(30001)),
            (r#"[7]"#.into(), Err(30001), Err(30001), Err(30001)),
            (r#""work""#.into(), Err(30001), Err(30001), Err(30001)),
            ("[]".into(), Err(30001), Err(30001), Ok(0)),
            ("null".into(), Err(30001), Err(30001), Ok(0)),
            (format!("[{}]", many(32)), Ok(32), Ok(32), Ok(32)),
            (format!("[{},{}]", many(32), many(32)), Ok(32), Ok(32), Ok(32)),
            (format!("[{}]", many(33)), Err(30011), Err(30001), Err(30001)),
        ];
        for (names, add, delete, get) in table {
            let body = format!(r#"{{"From_Account":"ada","GroupName":{names}}}"#);
            let body = body.as_bytes();
            let seen = (
                Add::parse(body).map(|add| add.names.len()).map_err(|failure| failure.code),
                Delete::parse(body).map(|delete| delete.names.len()).map_err(|failure| failure.code),
                Get::parse(body).map(|get| get.names.len()).map_err(|failure| failure.code),
            );
            assert_eq!(seen, (add, delete, get), "{names}");
        }
        let nobody = br#"{"GroupName":["work"]}"#;
        assert_eq!(Add::parse(nobody).unwrap_err().code, 30001);
        assert_eq!(Delete::parse(nobody).unwrap_err().code, 30001);
        assert_eq!(Get::parse(nobody).unwrap_err().code, 30001);
    }

    #[test]
    fn who_is_put_into_new_groups() {
        let many = |count| format!("[{}]", vec![r#""bo""#; count].join(","));
        let table = [
            (r#"["bo",""]"#.to_owned(), Ok(vec![0, 30001])),
            ("[]".into(), Ok(vec![])),
            ("null".into(), Ok(vec![])),
            (many(1000), Ok(vec![0; 1000])),
            (many(1001), Err(30001)),
            (r#""bo""#.into(), Err(30001)),
            ("[7]".into(), Err(30001)),
        ];
        for (to, expected) in table {
            let body = format!(r#"{{"From_Account":"ada","GroupName":["work"],"To_Account":{to}}}"#);
            let seen = Add::parse(body.as_bytes()).map(|add| codes(&add.to));
            assert_eq!(seen.map_err(|failure| failure.code), expected, "{to}");
        }
    }

    #[test]
    fn whether_friends_are_listed() {
        let table = [
            (r#""Need_Friend_Type_Yes""#, Ok(true)),
            (r#""Need_Friend_Type_No""#, Ok(false)),
            (r#""""#, Ok(false)),
            ("null", Ok(false)),
            (r#""yes""#, Err(30001)),
            ("1", Err(30001)),
        ];
        for (word, expected) in table {
            let body = format!(r#"{{"From_Account":"ada","LastSequence":1,"NeedFriend":{word}}}"#);
            let seen = Get::parse(body.as_bytes()).map(|get| get.with_friends);
            assert_eq!(seen.map_err(|failure| failure.code), expected, "{word}");
        }
    }

    #[test]
    fn answers() {
        let groups = [
            FriendGroup { name: "work", friend_num: 2, friends: Some(&["bo", "cy"]) },
            FriendGroup { name: "home", friend_num: 0, friends: Some(&[]) },
            FriendGroup { name: "\"x\"", friend_num: 3, friends: None },
        ];
        let outcomes =
            [Outcome { to: "bo", failure: None }, Outcome { to: "cy", failure: Some(&NOT_FRIEND) }];
        let table = [
            (Add::answer(&[], 2), r#""ResultItem":[],"CurrentSequence":2}"#),
            (
                Add::answer(&outcomes, 3),
                r#""ResultItem":[{"To_Account":"bo","ResultCode":0,"ResultInfo":""},{"To_Account":"cy","ResultCode":30001,"ResultInfo":"Err_SNS_GroupAdd_Friend_Not_Exist"}],"Fail_Account":["cy"],"CurrentSequence":3}"#,
            ),
            (Delete::answer(4), r#""CurrentSequence":4}"#),
            (
                Get::answer(&groups, 5),
                r#""ResultItem":[{"GroupName":"work","FriendNumber":2,"To_Account":["bo","cy"]},{"GroupName":"home","FriendNumber":0,"To_Account":[]},{"GroupName":"\"x\"","FriendNumber":3}],"CurrentSequence":5}"#,
            ),
            (Get::answer(&[], 0), r#""ResultItem":[],"CurrentSequence":0}"#),
        ];
        for (answer, expected) in table {
            assert_eq!(written(answer), expected);
        }
    }
}
