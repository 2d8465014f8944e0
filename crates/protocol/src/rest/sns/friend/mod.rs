//! Whom a user has as friends, and what is noted of each.
//!
//! A friendship is two entries, one in the list of each; some commands touch one of them, some both.

mod add;
mod update;
mod list;

pub(crate) use add::add_source;
pub use add::{Add, Import, ImportedFriend, NewFriend};
pub use list::{FriendEntry, FriendPage, Page, Pick, Picked};
pub use update::{Update, UpdatedFriend};

use std::borrow::Cow;

use super::{
    CheckType, Checked, Item, Refused, account, accounts, bad, check, from, group_names, not_json, others,
    to_account, word,
};
use crate::{
    callback::words,
    code::{ErrorCode, Failure},
    lenient::{self, Slot, slots},
};

/// Of [`Add`] and [`Import`], for one who is a friend already. Clients compare the text.
pub static ALREADY_FRIEND: Failure = Failure {
    code: ErrorCode::RelationParameter.number(),
    info: Cow::Borrowed("Err_SNS_FriendAdd_Friend_Exist"),
};

/// Of [`Update`], for one who is not a friend.
pub static NOT_FRIEND_TO_UPDATE: Failure = Failure {
    code: ErrorCode::RelationParameter.number(),
    info: Cow::Borrowed("Err_SNS_FriendUpdate_Friend_Not_Exist"),
};

/// Of [`Pick`], for one who is not a friend.
pub static NOT_FRIEND_TO_PICK: Failure = Failure {
    code: ErrorCode::RelationParameter.number(),
    info: Cow::Borrowed("Err_SNS_FriendGetList_Friend_Not_Exist"),
};

/// Of [`Import`], when the list has no room for another friend.
pub static NO_ROOM_TO_IMPORT: Failure = Failure {
    code: ErrorCode::FriendListFull.number(),
    info: Cow::Borrowed("Err_SNS_FriendImport_My_Friend_Num_Exceed_Threshold"),
};

/// Of [`Update`], when the user would have too many friend groups.
pub static TOO_MANY_GROUPS: Failure = Failure {
    code: ErrorCode::FriendGroupsFull.number(),
    info: Cow::Borrowed("Err_SNS_FriendUpdate_Group_Num_Exceed_Threshold"),
};

/// `friend_delete`. Answered with [`answer`](super::answer).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delete<'a> {
    /// `From_Account`: whose friends they are.
    pub from: Cow<'a, str>,
    /// `To_Account`: who is a friend no longer, 1 to 1000.
    pub to: Vec<Item<'a, Cow<'a, str>>>,
    /// `DeleteType`; [`DeleteType::Single`] when absent.
    pub delete_type: DeleteType,
}

/// `friend_delete_all`. Answered with [`ok_with_display`](crate::rest::ok_with_display).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeleteAll<'a> {
    /// `From_Account`: who has no friends any more.
    pub from: Cow<'a, str>,
    /// `DeleteType`; [`DeleteType::Single`] when absent.
    pub delete_type: DeleteType,
}

words! {
    /// Out of whose list of friends somebody is taken.
    enum DeleteType;
    /// That of `From_Account`.
    Single = "Delete_Type_Single";
    /// Those of both.
    Both = "Delete_Type_Both";
}

/// `friend_check`: who has whom as a friend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check<'a> {
    /// `From_Account`.
    pub from: Cow<'a, str>,
    /// `To_Account`: the others, 1 to 1000.
    pub to: Vec<Item<'a, Cow<'a, str>>>,
    /// `CheckType`.
    pub check_type: CheckType,
}

slots! {
    struct Members {
        from: "From_Account",
        to: "To_Account",
        delete_type: "DeleteType",
        check_type: "CheckType",
        add_items: "AddFriendItem",
        add_type: "AddType",
        force_add: "ForceAddFlags",
        update_items: "UpdateItem",
        start_index: "StartIndex",
        standard_sequence: "StandardSequence",
        custom_sequence: "CustomSequence",
        tags: "TagList",
    }
}

slots! {
    struct ItemMembers {
        to: "To_Account",
        remark: "Remark",
        remark_time: "RemarkTime",
        group_name: "GroupName",
        add_source: "AddSource",
        add_wording: "AddWording",
        add_time: "AddTime",
        custom: "CustomItem",
        sns: "SnsItem",
    }
}

pub(crate) const WORDS: check::Words =
    check::Words { lines: "InfoItem", prefix: "CheckResult_Type", none: "_NoRelation" };

impl<'a> Delete<'a> {
    /// Parses the body of the request.
    pub fn parse(body: &'a [u8]) -> Result<Delete<'a>, Failure> {
        let members = members(body)?;
        Ok(Delete {
            from: from(members.from)?,
            to: accounts(members.to)?,
            delete_type: delete_type(members.delete_type)?,
        })
    }
}

impl<'a> DeleteAll<'a> {
    /// Parses the body of the request.
    pub fn parse(body: &'a [u8]) -> Result<DeleteAll<'a>, Failure> {
        let members = members(body)?;
        Ok(DeleteAll { from: from(members.from)?, delete_type: delete_type(members.delete_type)? })
    }
}

impl<'a> Check<'a> {
    /// Parses the body of the request.
    pub fn parse(body: &'a [u8]) -> Result<Check<'a>, Failure> {
        let members = members(body)?;
        let check_type = word(members.check_type, "CheckType", |word| CheckType::parse(word, WORDS.prefix))?;
        Ok(Check {
            from: from(members.from)?,
            to: accounts(members.to)?,
            check_type: check_type.ok_or_else(|| bad("CheckType", "one of the documented words"))?,
        })
    }

    /// The answer.
    pub fn answer(checked: &[Checked<'_>]) -> Vec<u8> {
        check::answer(&WORDS, checked)
    }
}

fn delete_type(slot: Slot<'_>) -> Result<DeleteType, Failure> {
    Ok(word(slot, "DeleteType", DeleteType::parse)?.unwrap_or(DeleteType::Single))
}

/// A list of objects, each about one friend. Whatever `read` finds wrong with one makes only that one fail.
fn items<'a, T>(
    slot: Slot<'a>,
    name: &str,
    read: impl Fn(Cow<'a, str>, &ItemMembers<'a>) -> Result<T, Failure>,
) -> Result<Vec<Item<'a, T>>, Failure> {
    let item = |item: Slot<'a>| {
        let members: ItemMembers<'a> =
            item.object().ok().flatten().ok_or_else(|| bad(name, "an Array of Objects"))?;
        let item = account(to_account(members.to, "a String")?)
            .and_then(|to| read(to.clone(), &members).map_err(|failure| Refused { to, failure }));
        Ok(item)
    };
    others(slot, name)?.into_iter().map(item).collect()
}

/// The names of the groups that one friend is in.
fn groups<'a>(slot: Slot<'a>, too_many: Failure) -> Result<Vec<Cow<'a, str>>, Failure> {
    let items = slot.array().map_err(|_| bad("GroupName", "an Array"))?.unwrap_or_default();
    group_names(items, "GroupName", too_many)
}

/// A text that may be absent, which is the same as empty.
pub(crate) fn text<'a>(slot: Slot<'a>, name: &str, len_max: usize) -> Result<Cow<'a, str>, Failure> {
    let text = slot.string().map_err(|_| bad(name, "a String"))?.unwrap_or_default();
    if text.len() > len_max {
        return Err(bad(name, &format!("no longer than {len_max} bytes")));
    }
    Ok(text)
}

fn members(body: &[u8]) -> Result<Members<'_>, Failure> {
    lenient::body(body).map_err(|_| not_json())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rest::sns::{Relation, tests::written};

    #[test]
    fn from_whose_list() {
        let table = [
            (r#""Delete_Type_Single""#, Ok(DeleteType::Single)),
            (r#""Delete_Type_Both""#, Ok(DeleteType::Both)),
            (r#""""#, Ok(DeleteType::Single)),
            ("null", Ok(DeleteType::Single)),
            (r#""Both""#, Err(30001)),
            ("2", Err(30001)),
        ];
        for (word, expected) in table {
            let body = format!(r#"{{"From_Account":"ada","To_Account":["bo"],"DeleteType":{word}}}"#);
            let one = Delete::parse(body.as_bytes()).map(|delete| delete.delete_type);
            assert_eq!(one.map_err(|failure| failure.code), expected, "{word}");
            let all = DeleteAll::parse(body.as_bytes()).map(|delete| delete.delete_type);
            assert_eq!(all.map_err(|failure| failure.code), expected, "{word}");
        }
        let all = DeleteAll::parse(br#"{"From_Account":"ada"}"#).unwrap();
        assert_eq!(all, DeleteAll { from: "ada".into(), delete_type: DeleteType::Single });
        assert_eq!(DeleteAll::parse(b"{}").unwrap_err().code, 30001);
    }

    #[test]
    fn requests_to_check() {
        let table = [
            (r#""CheckResult_Type_Single""#, Ok(CheckType::Single)),
            (r#""CheckResult_Type_Singal""#, Ok(CheckType::Single)),
            (r#""CheckResult_Type_Both""#, Ok(CheckType::Both)),
            (r#""BlackCheckResult_Type_Both""#, Err(30001)),
            (r#""""#, Err(30001)),
            ("null", Err(30001)),
            ("[]", Err(30001)),
        ];
        for (word, expected) in table {
            let body = format!(r#"{{"From_Account":"ada","To_Account":["bo"],"CheckType":{word}}}"#);
            let seen = Check::parse(body.as_bytes()).map(|check| check.check_type);
            assert_eq!(seen.map_err(|failure| failure.code), expected, "{word}");
        }
    }

    #[test]
    fn relations_on_the_wire() {
        let unknown = ErrorCode::RelationAccountNotFound.into();
        let checked = [
            ("a", Ok(Relation::BothWay)),
            ("b", Ok(Relation::AWithB)),
            ("c", Ok(Relation::BWithA)),
            ("d", Ok(Relation::None)),
            ("e", Err(&unknown)),
        ]
        .map(|(to, relation)| Checked { to, relation });
        assert_eq!(
            written(Check::answer(&checked)),
            r#""InfoItem":[{"To_Account":"a","Relation":"CheckResult_Type_BothWay","ResultCode":0,"ResultInfo":""},{"To_Account":"b","Relation":"CheckResult_Type_AWithB","ResultCode":0,"ResultInfo":""},{"To_Account":"c","Relation":"CheckResult_Type_BWithA","ResultCode":0,"ResultInfo":""},{"To_Account":"d","Relation":"CheckResult_Type_NoRelation","ResultCode":0,"ResultInfo":""},{"To_Account":"e","Relation":"CheckResult_Type_NoRelation","ResultCode":30003,"ResultInfo":"the account does not exist"}],"Fail_Account":["e"]}"#
        );
        assert_eq!(written(Check::answer(&[])), r#""InfoItem":[]}"#);
    }

    #[test]
    fn texts_that_clients_compare() {
        let table = [
            (&ALREADY_FRIEND, "30001 Err_SNS_FriendAdd_Friend_Exist"),
            (&NOT_FRIEND_TO_UPDATE, "30001 Err_SNS_FriendUpdate_Friend_Not_Exist"),
            (&NOT_FRIEND_TO_PICK, "30001 Err_SNS_FriendGetList_Friend_Not_Exist"),
            (&NO_ROOM_TO_IMPORT, "30010 Err_SNS_FriendImport_My_Friend_Num_Exceed_Threshold"),
            (&TOO_MANY_GROUPS, "30011 Err_SNS_FriendUpdate_Group_Num_Exceed_Threshold"),
        ];
        for (failure, expected) in table {
            assert_eq!(failure.to_string(), expected);
        }
    }
}
