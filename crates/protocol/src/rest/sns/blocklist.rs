//! Whom a user blocks.
//!
//! To [`Add`] somebody ends the friendship of the two, if there is one.

use std::borrow::Cow;

use super::{CheckType, Checked, Item, accounts, bad, check, from, not_json, word};
use crate::{
    code::{ErrorCode, Failure},
    json::{self, write_json},
    lenient::{self, slots},
    limits::BLOCKLIST_LEN_MAX,
    rest::OK_DISPLAY_AND,
};

/// Of [`Add`], for one who is blocked already.
pub static ALREADY_BLOCKED: Failure = Failure {
    code: ErrorCode::RelationParameter.number(),
    info: Cow::Borrowed("Err_SNS_BlackListAdd_Already_Exist"),
};

/// Of [`Delete`], for one who is not blocked.
pub static NOT_BLOCKED: Failure = Failure {
    code: ErrorCode::RelationParameter.number(),
    info: Cow::Borrowed("the user is not on the blocklist"),
};

/// `black_list_add`. Answered with [`answer`](super::answer).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Add<'a> {
    /// `From_Account`: whose blocklist it is.
    pub from: Cow<'a, str>,
    /// `To_Account`: who is put into it, 1 to 1000.
    pub to: Vec<Item<'a, Cow<'a, str>>>,
}

/// `black_list_delete`. Answered with [`answer`](super::answer).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delete<'a> {
    /// `From_Account`: whose blocklist it is.
    pub from: Cow<'a, str>,
    /// `To_Account`: who is taken out of it, 1 to 1000.
    pub to: Vec<Item<'a, Cow<'a, str>>>,
}

/// `black_list_get`: a page of a blocklist. A `LastSequence` is not looked at: the REST API always sends 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<'a> {
    /// `From_Account`: whose blocklist it is.
    pub from: Cow<'a, str>,
    /// `StartIndex`: how many entries come before the page, 0 when absent.
    pub start_index: u32,
    /// `MaxLimited`: how many entries to list, 1 to 1000; a larger number is the same as 1000.
    pub limit: u32,
}

/// The answer to [`Page`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlocklistPage<'a> {
    /// `BlackListItem`.
    pub entries: &'a [Blocked<'a>],
    /// `StartIndex`: where the next page starts; 0 on the wire when this was the last one.
    pub next_index: Option<u32>,
    /// The place in the sequence of changes to the blocklist.
    pub sequence: u64,
}

/// An entry of a blocklist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Blocked<'a> {
    /// `To_Account`: who is blocked.
    pub to: &'a str,
    /// `AddBlackTimeStamp`: since when, in Unix seconds.
    pub since_s: u64,
}

/// `black_list_check`: who blocks whom.
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
        start_index: "StartIndex",
        limit: "MaxLimited",
        check_type: "CheckType",
    }
}

const WORDS: check::Words =
    check::Words { lines: "BlackListCheckItem", prefix: "BlackCheckResult_Type", none: "_NO" };

impl<'a> Add<'a> {
    /// Parses the body of the request.
    pub fn parse(body: &'a [u8]) -> Result<Add<'a>, Failure> {
        let members = members(body)?;
        Ok(Add { from: from(members.from)?, to: accounts(members.to)? })
    }
}

impl<'a> Delete<'a> {
    /// Parses the body of the request.
    pub fn parse(body: &'a [u8]) -> Result<Delete<'a>, Failure> {
        let members = members(body)?;
        Ok(Delete { from: from(members.from)?, to: accounts(members.to)? })
    }
}

impl<'a> Page<'a> {
    /// Parses the body of the request.
    pub fn parse(body: &'a [u8]) -> Result<Page<'a>, Failure> {
        let members = members(body)?;
        let start_index =
            members.start_index.u32().map_err(|_| bad("StartIndex", "an unsigned 32-bit integer"))?;
        let limit = members.limit.u64().ok().flatten().filter(|&limit| limit > 0);
        let limit = limit.ok_or_else(|| bad("MaxLimited", "a positive integer"))?;
        Ok(Page {
            from: from(members.from)?,
            start_index: start_index.unwrap_or_default(),
            limit: limit.min(BLOCKLIST_LEN_MAX as u64) as u32,
        })
    }
}

impl BlocklistPage<'_> {
    /// The body of the answer.
    pub fn to_json(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(160 + 80 * self.entries.len());
        let out = &mut bytes;
        write_json!(out, raw(OK_DISPLAY_AND.as_bytes()), r#""BlackListItem":"#);
        json::array(out, self.entries, |out, entry| {
            write_json!(
                out,
                r#"{"To_Account":"#,
                string(entry.to),
                r#","AddBlackTimeStamp":"#,
                number(entry.since_s),
                "}",
            );
        });
        // The documentation spells the last one in both ways, and so do clients.
        write_json!(
            out,
            r#","StartIndex":"#,
            number(u64::from(self.next_index.unwrap_or_default())),
            r#","CurruentSequence":"#,
            number(self.sequence),
            r#","CurrentSequence":"#,
            number(self.sequence),
            "}",
        );
        bytes
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

fn members(body: &[u8]) -> Result<Members<'_>, Failure> {
    lenient::body(body).map_err(|_| not_json())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rest::sns::{Relation, tests::written};

    #[test]
    fn requests_for_a_page() {
        let table = [
            (r#""From_Account":"ada","StartIndex":5,"MaxLimited":30,"LastSequence":12"#, Ok((5, 30))),
            (r#""From_Account":"ada","MaxLimited":1"#, Ok((0, 1))),
            (r#""From_Account":"ada","MaxLimited":"1000""#, Ok((0, 1000))),
            (r#""From_Account":"ada","MaxLimited":1001"#, Ok((0, 1000))),
            (r#""From_Account":"ada","MaxLimited":4294967297"#, Ok((0, 1000))),
            (r#""From_Account":"ada","MaxLimited":0"#, Err(30001)),
            (r#""From_Account":"ada","MaxLimited":-1"#, Err(30001)),
            (r#""From_Account":"ada""#, Err(30001)),
            (r#""From_Account":"ada","StartIndex":-1,"MaxLimited":30"#, Err(30001)),
            (r#""From_Account":"ada","StartIndex":4294967296,"MaxLimited":30"#, Err(30001)),
            (r#""MaxLimited":30"#, Err(30001)),
        ];
        for (members, expected) in table {
            let body = format!("{{{members}}}");
            let seen = Page::parse(body.as_bytes()).map(|page| (page.start_index, page.limit));
            assert_eq!(seen.map_err(|failure| failure.code), expected, "{members}");
        }
    }

    #[test]
    fn requests_to_check() {
        let table = [
            (r#""BlackCheckResult_Type_Single""#, Ok(CheckType::Single)),
            (r#""BlackCheckResult_Type_Singal""#, Ok(CheckType::Single)),
            (r#""BlackCheckResult_Type_Both""#, Ok(CheckType::Both)),
            (r#""CheckResult_Type_Both""#, Err(30001)),
            (r#""BlackCheckResult_Type_""#, Err(30001)),
            (r#""""#, Err(30001)),
            ("null", Err(30001)),
            ("1", Err(30001)),
        ];
        for (word, expected) in table {
            let body = format!(r#"{{"From_Account":"ada","To_Account":["bo"],"CheckType":{word}}}"#);
            let seen = Check::parse(body.as_bytes()).map(|check| check.check_type);
            assert_eq!(seen.map_err(|failure| failure.code), expected, "{word}");
        }
    }

    #[test]
    fn answers() {
        let unknown = ErrorCode::RelationAccountNotFound.into();
        let entries =
            [Blocked { to: "bo", since_s: 1_760_000_000 }, Blocked { to: "cy", since_s: 1_760_000_001 }];
        let page = BlocklistPage { entries: &entries, next_index: Some(2), sequence: 13 };
        let last = BlocklistPage { entries: &[], next_index: None, sequence: 0 };
        let checked = [
            ("a", Ok(Relation::new(true, true))),
            ("b", Ok(Relation::new(true, false))),
            ("c", Ok(Relation::new(false, true))),
            ("d", Ok(Relation::new(false, false))),
            ("e", Err(&unknown)),
        ]
        .map(|(to, relation)| Checked { to, relation });
        let table = [
            (
                page.to_json(),
                r#""BlackListItem":[{"To_Account":"bo","AddBlackTimeStamp":1760000000},{"To_Account":"cy","AddBlackTimeStamp":1760000001}],"StartIndex":2,"CurruentSequence":13,"CurrentSequence":13}"#,
            ),
            (
                last.to_json(),
                r#""BlackListItem":[],"StartIndex":0,"CurruentSequence":0,"CurrentSequence":0}"#,
            ),
            (
                Check::answer(&checked),
                r#""BlackListCheckItem":[{"To_Account":"a","Relation":"BlackCheckResult_Type_BothWay","ResultCode":0,"ResultInfo":""},{"To_Account":"b","Relation":"BlackCheckResult_Type_AWithB","ResultCode":0,"ResultInfo":""},{"To_Account":"c","Relation":"BlackCheckResult_Type_BWithA","ResultCode":0,"ResultInfo":""},{"To_Account":"d","Relation":"BlackCheckResult_Type_NO","ResultCode":0,"ResultInfo":""},{"To_Account":"e","Relation":"BlackCheckResult_Type_NO","ResultCode":30003,"ResultInfo":"the account does not exist"}],"Fail_Account":["e"]}"#,
            ),
            (
                Check::answer(&checked[3..4]),
                r#""BlackListCheckItem":[{"To_Account":"d","Relation":"BlackCheckResult_Type_NO","ResultCode":0,"ResultInfo":""}]}"#,
            ),
        ];
        for (answer, expected) in table {
            assert_eq!(written(answer), expected);
        }
    }
}
