//! `im_open_login_svc`: importing, looking up and deleting accounts, and logging a user out.
//!
//! A defect of the request refuses all of it with [`ErrorCode::AccountParameter`], saying where; only a profile value
//! that is too long has a code of its own. Lists have 1 to 100 items. The older name `Identifier` stands for `UserID`
//! everywhere. Lists in answers are always present, since some clients fail without them.

use std::borrow::Cow;

use super::{OK_AND, user_id};
use crate::{
    code::{ErrorCode, Failure},
    json::{self, write_json},
    lenient::{self, Slot, slots},
    limits::{ACCOUNTS_PER_CALL_MAX, PROFILE_VALUE_LEN_MAX},
};

/// `account_import`, or one item of `multiaccount_import`. Answered with [`ok`](super::ok).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import<'a> {
    /// `UserID`.
    pub user_id: Cow<'a, str>,
    /// `Nick`, at most 500 bytes.
    pub nick: Option<Cow<'a, str>>,
    /// `FaceUrl`, at most 500 bytes.
    pub face_url: Option<Cow<'a, str>>,
}

/// `multiaccount_import`, either as `AccountList` or in the older form `Accounts` with names alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MultiImport<'a> {
    /// The accounts, 1 to 100.
    pub accounts: Vec<Import<'a>>,
}

/// `account_check`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check<'a> {
    /// The accounts asked about, 1 to 100.
    pub user_ids: Vec<Cow<'a, str>>,
}

/// `account_delete`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delete<'a> {
    /// The accounts to delete, 1 to 100.
    pub user_ids: Vec<Cow<'a, str>>,
}

/// `kick`: the user is logged out everywhere, and UserSigs that were issued before are good for nothing. Answered with
/// [`ok`](super::ok).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kick<'a> {
    /// `UserID`.
    pub user_id: Cow<'a, str>,
}

/// One line of the answer to [`Check`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checked<'a> {
    /// The account asked about.
    pub user_id: &'a str,
    /// Whether it exists.
    pub imported: bool,
}

/// One line of the answer to [`Delete`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deleted<'a> {
    /// The account to delete.
    pub user_id: &'a str,
    /// Why it could not be deleted, if so.
    pub failure: Option<&'a Failure>,
}

slots! {
    struct ImportMembers {
        user_id: "UserID" | "Identifier",
        nick: "Nick",
        face_url: "FaceUrl",
    }
}

slots! {
    struct MultiImportMembers {
        accounts: "Accounts",
        account_list: "AccountList",
    }
}

slots! { struct CheckMembers { items: "CheckItem", } }

slots! { struct DeleteMembers { items: "DeleteItem", } }

slots! { struct KickMembers { user_id: "UserID" | "Identifier", } }

impl<'a> Import<'a> {
    /// Parses the body of the request; [`ErrorCode::ValueTooLong`] for a profile value above 500 bytes.
    pub fn parse(body: &'a [u8]) -> Result<Import<'a>, Failure> {
        Self::from_members(&lenient::body(body).map_err(|_| not_json())?)
    }

    fn from_members(members: &ImportMembers<'a>) -> Result<Import<'a>, Failure> {
        Ok(Import {
            user_id: account_id(members.user_id)?,
            nick: profile_value(members.nick, "Nick")?,
            face_url: profile_value(members.face_url, "FaceUrl")?,
        })
    }
}

impl<'a> MultiImport<'a> {
    /// Parses the body of the request. `AccountList` counts when both forms are given.
    pub fn parse(body: &'a [u8]) -> Result<MultiImport<'a>, Failure> {
        let members: MultiImportMembers<'a> = lenient::body(body).map_err(|_| not_json())?;
        let accounts = if members.account_list.is_absent() {
            list(members.accounts, "AccountList", |item| {
                Ok(Import { user_id: account_id(item)?, nick: None, face_url: None })
            })
        } else {
            list(members.account_list, "AccountList", |item| {
                Import::from_members(&item_members(item, "AccountList")?)
            })
        };
        Ok(MultiImport { accounts: accounts? })
    }

    /// The answer, with the accounts that could not be imported.
    pub fn answer(failed: &[&str]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(96 + 40 * failed.len());
        let out = &mut bytes;
        write_json!(out, raw(OK_AND.as_bytes()), r#""FailAccounts":"#);
        json::array(out, failed, |out, user_id| json::string(out, user_id));
        out.push(b'}');
        bytes
    }
}

impl<'a> Check<'a> {
    /// Parses the body of the request.
    pub fn parse(body: &'a [u8]) -> Result<Check<'a>, Failure> {
        let members: CheckMembers<'a> = lenient::body(body).map_err(|_| not_json())?;
        Ok(Check { user_ids: user_ids(members.items, "CheckItem")? })
    }

    /// The answer. An account that does not exist is no failure.
    pub fn answer(items: &[Checked<'_>]) -> Vec<u8> {
        result_items(items, |out, item| {
            let status = if item.imported { "Imported" } else { "NotImported" };
            write_json!(
                out,
                r#"{"UserID":"#,
                string(item.user_id),
                r#","ResultCode":0,"ResultInfo":"","AccountStatus":"#,
                string(status),
                "}",
            );
        })
    }
}

impl<'a> Delete<'a> {
    /// Parses the body of the request.
    pub fn parse(body: &'a [u8]) -> Result<Delete<'a>, Failure> {
        let members: DeleteMembers<'a> = lenient::body(body).map_err(|_| not_json())?;
        Ok(Delete { user_ids: user_ids(members.items, "DeleteItem")? })
    }

    /// The answer.
    pub fn answer(items: &[Deleted<'_>]) -> Vec<u8> {
        result_items(items, |out, item| {
            let (code, info) = item.failure.map_or((0, ""), |failure| (failure.code, &*failure.info));
            write_json!(
                out,
                r#"{"ResultCode":"#,
                number(u64::from(code)),
                r#","ResultInfo":"#,
                string(info),
                r#","UserID":"#,
                string(item.user_id),
                "}",
            );
        })
    }
}

impl<'a> Kick<'a> {
    /// Parses the body of the request.
    pub fn parse(body: &'a [u8]) -> Result<Kick<'a>, Failure> {
        let members: KickMembers<'a> = lenient::body(body).map_err(|_| not_json())?;
        Ok(Kick { user_id: account_id(members.user_id)? })
    }
}

fn result_items<T>(items: &[T], write: impl FnMut(&mut Vec<u8>, &T)) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(96 + 120 * items.len());
    let out = &mut bytes;
    write_json!(out, raw(OK_AND.as_bytes()), r#""ResultItem":"#);
    json::array(out, items, write);
    out.push(b'}');
    bytes
}

fn user_ids<'a>(slot: Slot<'a>, name: &str) -> Result<Vec<Cow<'a, str>>, Failure> {
    list(slot, name, |item| account_id(item_members(item, name)?.user_id))
}

fn list<'a, T>(
    slot: Slot<'a>,
    name: &str,
    item: impl FnMut(Slot<'a>) -> Result<T, Failure>,
) -> Result<Vec<T>, Failure> {
    let items = slot.array().ok().flatten().unwrap_or_default();
    if !(1..=ACCOUNTS_PER_CALL_MAX).contains(&items.len()) {
        return Err(bad(name, &format!("an Array of 1 to {ACCOUNTS_PER_CALL_MAX} items")));
    }
    items.into_iter().map(item).collect()
}

fn item_members<'a>(item: Slot<'a>, name: &str) -> Result<ImportMembers<'a>, Failure> {
    item.object().ok().flatten().ok_or_else(|| bad(name, "an Array of Objects"))
}

fn account_id(slot: Slot<'_>) -> Result<Cow<'_, str>, Failure> {
    user_id(slot, ErrorCode::AccountParameter).map_err(|_| bad("UserID", "a String of 1 to 32 bytes"))
}

fn profile_value<'a>(slot: Slot<'a>, name: &str) -> Result<Option<Cow<'a, str>>, Failure> {
    let value = slot.string().map_err(|_| bad(name, "a String"))?;
    if value.as_ref().is_some_and(|value| value.len() > PROFILE_VALUE_LEN_MAX) {
        return Err(
            ErrorCode::ValueTooLong.with(format!("{name} is longer than {PROFILE_VALUE_LEN_MAX} bytes"))
        );
    }
    Ok(value)
}

fn bad(name: &str, wanted: &str) -> Failure {
    ErrorCode::AccountParameter.with(format!("{name} must be {wanted}"))
}

fn not_json() -> Failure {
    ErrorCode::AccountParameter.with(ErrorCode::BadJson.text())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leak(body: String) -> &'static [u8] {
        body.leak().as_bytes()
    }

    #[test]
    fn imports() {
        let long = "n".repeat(501);
        let table = [
            (r#"{"UserID":"ada","Nick":"Ada","FaceUrl":"http://x"}"#.to_owned(), Ok(("ada", Some("Ada")))),
            (r#"{"Identifier":"ada"}"#.into(), Ok(("ada", None))),
            (
                r#"{"UserID":"12345678901234567890123456789012"}"#.into(),
                Ok(("12345678901234567890123456789012", None)),
            ),
            (r#"{"UserID":"123456789012345678901234567890123"}"#.into(), Err(70402)),
            (r#"{"UserID":""}"#.into(), Err(70402)),
            (r#"{"UserID":7}"#.into(), Err(70402)),
            (r#"{"UserID":"ada","Nick":7}"#.into(), Err(70402)),
            (format!(r#"{{"UserID":"ada","Nick":"{}"}}"#, &long[1..]), Ok(("ada", Some(&long[1..])))),
            (format!(r#"{{"UserID":"ada","Nick":"{long}"}}"#), Err(40601)),
            (format!(r#"{{"UserID":"ada","FaceUrl":"{long}"}}"#), Err(40601)),
            ("{}".into(), Err(70402)),
            ("".into(), Err(70402)),
        ];
        for (body, expected) in table {
            let import = Import::parse(body.as_bytes());
            let seen = import.as_ref().map(|import| (&*import.user_id, import.nick.as_deref()));
            assert_eq!(seen.map_err(|failure| failure.code), expected, "{body}");
        }
    }

    #[test]
    fn kicks() {
        let table = [
            (r#"{"UserID":"ada"}"#, Ok("ada")),
            (r#"{"Identifier":"ada"}"#, Ok("ada")),
            (r#"{"UserID":"12345678901234567890123456789012"}"#, Ok("12345678901234567890123456789012")),
            (r#"{"UserID":"123456789012345678901234567890123"}"#, Err(70402)),
            (r#"{"UserID":""}"#, Err(70402)),
            (r#"{"UserID":null}"#, Err(70402)),
            (r#"{"UserID":["ada"]}"#, Err(70402)),
            ("{}", Err(70402)),
            ("", Err(70402)),
        ];
        for (body, expected) in table {
            let kick = Kick::parse(body.as_bytes());
            let user_id = kick.as_ref().map(|kick| &*kick.user_id);
            assert_eq!(user_id.map_err(|failure| failure.code), expected, "{body}");
        }
    }

    #[test]
    fn lists() {
        let many = |item: &str, count: usize| vec![item; count].join(",");
        let parse_all = |body: String| {
            let body = leak(body);
            let multi = MultiImport::parse(body).map(|multi| multi.accounts.len());
            let check = Check::parse(body).map(|check| check.user_ids.len());
            let delete = Delete::parse(body).map(|delete| delete.user_ids.len());
            [multi, check, delete].map(|result| result.map_err(|failure| failure.code))
        };
        let lists = |items: &str| {
            format!(r#"{{"AccountList":[{items}],"CheckItem":[{items}],"DeleteItem":[{items}]}}"#)
        };
        let table = [
            (lists(r#"{"UserID":"a"},{"Identifier":"b"}"#), Ok(2)),
            (lists(&many(r#"{"UserID":"a"}"#, 100)), Ok(100)),
            (lists(&many(r#"{"UserID":"a"}"#, 101)), Err(70402)),
            (lists(""), Err(70402)),
            (lists(r#""a""#), Err(70402)),
            (lists("null"), Err(70402)),
            ("{}".into(), Err(70402)),
            ("[]".into(), Err(70402)),
            (r#"{"AccountList":{},"CheckItem":"a","DeleteItem":1}"#.into(), Err(70402)),
        ];
        for (body, expected) in table {
            assert_eq!(parse_all(body.clone()), [expected; 3], "{body}");
        }
        let old = MultiImport::parse(br#"{"Accounts":["a","b"]}"#).unwrap();
        assert_eq!(old.accounts[1], Import { user_id: "b".into(), nick: None, face_url: None });
        let new =
            MultiImport::parse(br#"{"Accounts":["a"],"AccountList":[{"UserID":"b","Nick":"B"}]}"#).unwrap();
        assert_eq!(new.accounts, [Import { user_id: "b".into(), nick: Some("B".into()), face_url: None }]);
    }

    #[test]
    fn answers() {
        let failure = ErrorCode::AccountNotFound.into();
        let table = [
            (MultiImport::answer(&[]), r#""FailAccounts":[]}"#),
            (MultiImport::answer(&["a", "b\""]), r#""FailAccounts":["a","b\""]}"#),
            (Check::answer(&[]), r#""ResultItem":[]}"#),
            (
                Check::answer(&[
                    Checked { user_id: "a", imported: true },
                    Checked { user_id: "z", imported: false },
                ]),
                r#""ResultItem":[{"UserID":"a","ResultCode":0,"ResultInfo":"","AccountStatus":"Imported"},{"UserID":"z","ResultCode":0,"ResultInfo":"","AccountStatus":"NotImported"}]}"#,
            ),
            (
                Delete::answer(&[
                    Deleted { user_id: "a", failure: None },
                    Deleted { user_id: "z", failure: Some(&failure) },
                ]),
                r#""ResultItem":[{"ResultCode":0,"ResultInfo":"","UserID":"a"},{"ResultCode":70107,"ResultInfo":"Err_TLS_PT_Open_Login_Account_Not_Exist","UserID":"z"}]}"#,
            ),
        ];
        for (answer, expected) in table {
            assert_eq!(String::from_utf8(answer).unwrap(), format!("{OK_AND}{expected}"));
        }
    }
}
