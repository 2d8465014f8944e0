//! `recentcontact`: a user's list of conversations.
//!
//! A defect of the request refuses all of it with [`ErrorCode::ContactParameter`], saying where. There are no groups,
//! so a conversation is always of `Type` 1, with the other user as `To_Account`. [`Delete`] and [`Pin`] are answered
//! with [`ok_with_display`](super::ok_with_display).

use std::borrow::Cow;

use super::{OK_DISPLAY_AND, user_id};
use crate::{
    code::{ErrorCode, Failure},
    json::{self, write_json},
    lenient::{self, Slot, slots},
    limits::PINS_PER_CALL_MAX,
};

/// `get_list`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List<'a> {
    /// `From_Account`: whose list it is.
    pub owner: Cow<'a, str>,
    /// Where the page begins.
    pub cursor: Cursor,
    /// `AssistFlags`.
    pub assist: Assist,
}

/// A place in a list of conversations, in which the pinned ones are counted for themselves. All 0, also when absent, is
/// the beginning; any other comes from the answer before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cursor {
    /// `TimeStamp`.
    pub time_stamp: u64,
    /// `StartIndex`.
    pub start_index: u64,
    /// `TopTimeStamp`: the same for pinned conversations.
    pub top_time_stamp: u64,
    /// `TopStartIndex`: the same for pinned conversations.
    pub top_start_index: u64,
}

/// What the caller can deal with. Bits of `AssistFlags` beyond these are ignored: they are about marks and groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Assist {
    /// Bit 0: knows pinned conversations.
    pub pinned: bool,
    /// Bit 1: wants conversations without messages too.
    pub empty: bool,
    /// Bit 2: reads pinned conversations in pages.
    pub pinned_pages: bool,
}

/// The answer to [`List`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContactPage<'a> {
    /// `SessionItem`.
    pub contacts: &'a [Contact<'a>],
    /// `CompleteFlag`: there are no more.
    pub complete: bool,
    /// Where the next page begins.
    pub next: Cursor,
}

/// One line of `SessionItem`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Contact<'a> {
    /// `To_Account`: the other party.
    pub peer: &'a str,
    /// `MsgTime`: when the conversation last changed, in Unix seconds.
    pub time_s: u64,
    /// `TopFlag`.
    pub pinned: bool,
}

/// `delete`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delete<'a> {
    /// `From_Account`: whose list it is.
    pub owner: Cow<'a, str>,
    /// `To_Account`: the other party.
    pub peer: Cow<'a, str>,
    /// `ClearRamble`: the owner's history goes too; it stays when absent.
    pub clear_history: bool,
}

/// `top`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin<'a> {
    /// `From_Account`: whose list it is.
    pub owner: Cow<'a, str>,
    /// `OperationType`.
    pub operation: PinOperation,
    /// The `To_Account` of each item of `RecentContactItem`, 1 to 100.
    pub peers: Vec<Cow<'a, str>>,
}

/// Which way to change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PinOperation {
    /// 1.
    Pin,
    /// 2.
    Unpin,
}

slots! {
    struct ListMembers {
        owner: "From_Account",
        time_stamp: "TimeStamp",
        start_index: "StartIndex",
        top_time_stamp: "TopTimeStamp",
        top_start_index: "TopStartIndex",
        assist: "AssistFlags",
    }
}

slots! {
    struct DeleteMembers {
        owner: "From_Account",
        kind: "Type",
        peer: "To_Account",
        clear_history: "ClearRamble",
    }
}

slots! {
    struct PinMembers {
        owner: "From_Account",
        operation: "OperationType",
        items: "RecentContactItem",
    }
}

slots! {
    struct ItemMembers {
        kind: "Type",
        peer: "To_Account",
    }
}

impl<'a> List<'a> {
    /// Parses the body of the request.
    pub fn parse(body: &'a [u8]) -> Result<List<'a>, Failure> {
        let members: ListMembers<'a> = lenient::body(body).map_err(|_| not_json())?;
        Ok(List {
            owner: account(members.owner, "From_Account")?,
            cursor: Cursor {
                time_stamp: number(members.time_stamp, "TimeStamp")?,
                start_index: number(members.start_index, "StartIndex")?,
                top_time_stamp: number(members.top_time_stamp, "TopTimeStamp")?,
                top_start_index: number(members.top_start_index, "TopStartIndex")?,
            },
            assist: Assist::from_bits(number(members.assist, "AssistFlags")?),
        })
    }
}

impl Assist {
    fn from_bits(bits: u64) -> Assist {
        Assist { pinned: bits & 1 != 0, empty: bits & 2 != 0, pinned_pages: bits & 4 != 0 }
    }
}

impl ContactPage<'_> {
    /// The body of the answer.
    pub fn to_json(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(256 + 104 * self.contacts.len());
        let out = &mut bytes;
        write_json!(out, raw(OK_DISPLAY_AND.as_bytes()), r#""SessionItem":"#);
        json::array(out, self.contacts, |out, contact| {
            write_json!(
                out,
                r#"{"Type":1,"To_Account":"#,
                string(contact.peer),
                r#","MsgTime":"#,
                number(contact.time_s),
                r#","TopFlag":"#,
                flag(contact.pinned),
                "}",
            );
        });
        write_json!(
            out,
            r#","CompleteFlag":"#,
            flag(self.complete),
            r#","TimeStamp":"#,
            number(self.next.time_stamp),
            r#","StartIndex":"#,
            number(self.next.start_index),
            r#","TopTimeStamp":"#,
            number(self.next.top_time_stamp),
            r#","TopStartIndex":"#,
            number(self.next.top_start_index),
            "}",
        );
        bytes
    }
}

impl<'a> Delete<'a> {
    /// Parses the body of the request.
    pub fn parse(body: &'a [u8]) -> Result<Delete<'a>, Failure> {
        let members: DeleteMembers<'a> = lenient::body(body).map_err(|_| not_json())?;
        check_kind(members.kind)?;
        Ok(Delete {
            owner: account(members.owner, "From_Account")?,
            peer: account(members.peer, "To_Account")?,
            clear_history: members.clear_history.flag().map_err(|_| bad("ClearRamble", "0 or 1"))?,
        })
    }
}

impl<'a> Pin<'a> {
    /// Parses the body of the request.
    pub fn parse(body: &'a [u8]) -> Result<Pin<'a>, Failure> {
        let members: PinMembers<'a> = lenient::body(body).map_err(|_| not_json())?;
        let items = members.items.array().ok().flatten().unwrap_or_default();
        if !(1..=PINS_PER_CALL_MAX).contains(&items.len()) {
            return Err(bad_items());
        }
        Ok(Pin {
            owner: account(members.owner, "From_Account")?,
            operation: match members.operation.u32() {
                Ok(Some(1)) => PinOperation::Pin,
                Ok(Some(2)) => PinOperation::Unpin,
                _ => return Err(bad("OperationType", "1 or 2")),
            },
            peers: items.into_iter().map(item_peer).collect::<Result<_, _>>()?,
        })
    }
}

fn item_peer(item: Slot<'_>) -> Result<Cow<'_, str>, Failure> {
    let members: ItemMembers<'_> = item.object().ok().flatten().ok_or_else(bad_items)?;
    check_kind(members.kind)?;
    account(members.peer, "To_Account")
}

fn check_kind(slot: Slot<'_>) -> Result<(), Failure> {
    match slot.u32() {
        Ok(Some(1)) => Ok(()),
        Ok(Some(2)) => Err(ErrorCode::ContactParameter.with("Type must be 1: this server has no groups")),
        _ => Err(bad("Type", "1")),
    }
}

fn number(slot: Slot<'_>, name: &str) -> Result<u64, Failure> {
    Ok(slot.u64().map_err(|_| bad(name, "an unsigned integer"))?.unwrap_or(0))
}

fn account<'a>(slot: Slot<'a>, name: &str) -> Result<Cow<'a, str>, Failure> {
    let account = user_id(slot, ErrorCode::ContactParameter);
    account.map_err(|_| bad(name, "a UserID: a String of 1 to 32 bytes"))
}

fn bad_items() -> Failure {
    bad("RecentContactItem", &format!("an Array of 1 to {PINS_PER_CALL_MAX} Objects"))
}

fn bad(name: &str, wanted: &str) -> Failure {
    ErrorCode::ContactParameter.with(format!("{name} must be {wanted}"))
}

fn not_json() -> Failure {
    ErrorCode::ContactParameter.with(ErrorCode::BadJson.text())
}

#[cfg(test)]
mod tests {
    use super::*;

    const BAD_ACCOUNT: &str = "must be a UserID: a String of 1 to 32 bytes";
    const NO_GROUPS: &str = "Type must be 1: this server has no groups";

    fn body(members: &str) -> &'static [u8] {
        format!("{{{members}}}").leak().as_bytes()
    }

    /// The text of a refusal, which always has the same code.
    fn info(failure: Failure) -> String {
        assert_eq!(failure.code, 50002);
        failure.info.into_owned()
    }

    #[test]
    fn lists() {
        let all = Assist { pinned: true, empty: true, pinned_pages: true };
        let middle = Cursor { time_stamp: 1900, start_index: 100, top_time_stamp: 1950, top_start_index: 7 };
        let table = [
            (r#""x":1"#, Ok((Cursor::default(), Assist::default()))),
            (
                r#""TimeStamp":1900,"StartIndex":"100","TopTimeStamp":1950,"TopStartIndex":7,"AssistFlags":7"#,
                Ok((middle, all)),
            ),
            (r#""AssistFlags":1"#, Ok((Cursor::default(), Assist { pinned: true, ..Assist::default() }))),
            (r#""AssistFlags":2"#, Ok((Cursor::default(), Assist { empty: true, ..Assist::default() }))),
            (
                r#""AssistFlags":4"#,
                Ok((Cursor::default(), Assist { pinned_pages: true, ..Assist::default() })),
            ),
            (r#""AssistFlags":15"#, Ok((Cursor::default(), all))),
            (r#""AssistFlags":63"#, Ok((Cursor::default(), all))),
            (r#""AssistFlags":8"#, Ok((Cursor::default(), Assist::default()))),
            (r#""AssistFlags":-1"#, Err("AssistFlags must be an unsigned integer".to_owned())),
            (r#""TimeStamp":-1"#, Err("TimeStamp must be an unsigned integer".into())),
            (r#""StartIndex":"x""#, Err("StartIndex must be an unsigned integer".into())),
            (r#""TopTimeStamp":1.5"#, Err("TopTimeStamp must be an unsigned integer".into())),
            (r#""TopStartIndex":[]"#, Err("TopStartIndex must be an unsigned integer".into())),
            (r#""From_Account":null"#, Err(format!("From_Account {BAD_ACCOUNT}"))),
            (r#""From_Account":"""#, Err(format!("From_Account {BAD_ACCOUNT}"))),
        ];
        for (member, expected) in table {
            let request = List::parse(body(&format!(r#""From_Account":"ada",{member}"#))).map_err(info);
            let expected = expected.map(|(cursor, assist)| List { owner: "ada".into(), cursor, assist });
            assert_eq!(request, expected, "{member}");
        }
        assert_eq!(
            List::parse(b"").map_err(info),
            Err("Fail to Parse json data of body, Please check it".into())
        );
    }

    #[test]
    fn pages() {
        let page = ContactPage {
            contacts: &[
                Contact { peer: "b\"o", time_s: 1_760_000_000, pinned: true },
                Contact { peer: "cy", time_s: 0, pinned: false },
            ],
            complete: false,
            next: Cursor { time_stamp: 4, start_index: 3, top_time_stamp: 2, top_start_index: 1 },
        };
        assert_eq!(
            String::from_utf8(page.to_json()).unwrap(),
            r#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","ErrorDisplay":"","SessionItem":[{"Type":1,"To_Account":"b\"o","MsgTime":1760000000,"TopFlag":1},{"Type":1,"To_Account":"cy","MsgTime":0,"TopFlag":0}],"CompleteFlag":0,"TimeStamp":4,"StartIndex":3,"TopTimeStamp":2,"TopStartIndex":1}"#
        );
        let empty = ContactPage { contacts: &[], complete: true, next: Cursor::default() };
        assert_eq!(
            String::from_utf8(empty.to_json()).unwrap(),
            r#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","ErrorDisplay":"","SessionItem":[],"CompleteFlag":1,"TimeStamp":0,"StartIndex":0,"TopTimeStamp":0,"TopStartIndex":0}"#
        );
    }

    #[test]
    fn deletions() {
        let table = [
            (r#""x":1"#, Ok(false)),
            (r#""ClearRamble":0"#, Ok(false)),
            (r#""ClearRamble":1"#, Ok(true)),
            (r#""ClearRamble":2"#, Err("ClearRamble must be 0 or 1".to_owned())),
            (r#""Type":"1""#, Ok(false)),
            (r#""Type":null"#, Err("Type must be 1".into())),
            (r#""Type":0"#, Err("Type must be 1".into())),
            (r#""Type":2,"ToGroupid":"g""#, Err(NO_GROUPS.into())),
            (r#""From_Account":7"#, Err(format!("From_Account {BAD_ACCOUNT}"))),
            (r#""To_Account":null"#, Err(format!("To_Account {BAD_ACCOUNT}"))),
        ];
        for (member, expected) in table {
            let good = r#""From_Account":"ada","Type":1,"To_Account":"bo""#;
            let request = Delete::parse(body(&format!("{good},{member}"))).map_err(info);
            let expected = expected.map(|clear_history| Delete {
                owner: "ada".into(),
                peer: "bo".into(),
                clear_history,
            });
            assert_eq!(request, expected, "{member}");
        }
        assert_eq!(Delete::parse(b"[]").unwrap_err().code, 50002);
    }

    #[test]
    fn pins() {
        let items = "RecentContactItem must be an Array of 1 to 100 Objects";
        let many = |count: usize| {
            let item = r#"{"Type":1,"To_Account":"bo"}"#;
            format!("\"RecentContactItem\":[{}]", vec![item; count].join(","))
        };
        let one = |item: &str| format!("\"RecentContactItem\":[{item}]");
        let table = [
            (r#""x":1"#.to_owned(), Ok((PinOperation::Pin, 1))),
            (r#""OperationType":2"#.into(), Ok((PinOperation::Unpin, 1))),
            (r#""OperationType":null"#.into(), Err("OperationType must be 1 or 2".to_owned())),
            (r#""OperationType":0"#.into(), Err("OperationType must be 1 or 2".into())),
            (r#""OperationType":3"#.into(), Err("OperationType must be 1 or 2".into())),
            (many(100), Ok((PinOperation::Pin, 100))),
            (many(101), Err(items.into())),
            (r#""RecentContactItem":null"#.into(), Err(items.into())),
            (r#""RecentContactItem":[]"#.into(), Err(items.into())),
            (r#""RecentContactItem":{}"#.into(), Err(items.into())),
            (one("\"bo\""), Err(items.into())),
            (one("null"), Err(items.into())),
            (one(r#"{"To_Account":"bo"}"#), Err("Type must be 1".into())),
            (one(r#"{"Type":2,"GroupId":"g"}"#), Err(NO_GROUPS.into())),
            (one(r#"{"Type":1}"#), Err(format!("To_Account {BAD_ACCOUNT}"))),
            (r#""From_Account":"""#.into(), Err(format!("From_Account {BAD_ACCOUNT}"))),
        ];
        for (member, expected) in table {
            let good = format!(r#""From_Account":"ada","OperationType":1,{}"#, many(1));
            let request = Pin::parse(body(&format!("{good},{member}"))).map_err(info);
            let expected = expected.map(|(operation, count)| Pin {
                owner: "ada".into(),
                operation,
                peers: vec!["bo".into(); count],
            });
            assert_eq!(request, expected, "{member}");
        }
        assert_eq!(Pin::parse(b"{").unwrap_err().code, 50002);
    }
}
