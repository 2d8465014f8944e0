//! What an app's backend answers when it is asked about friends: a verdict on each user.

use std::borrow::Cow;

use super::{
    NotJson,
    answer::{self, shortened},
};
use crate::{
    json::{self, write_json},
    lenient::{Slot, slots},
};

/// What a backend says about each user it was asked about.
///
/// The `ErrorCode` of such an answer only tells how the backend fares and decides nothing; the documentation says that
/// it is passed over.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FriendVerdicts<'a> {
    /// `ResultItem`, without items that do not say which user or which code they mean.
    pub items: Vec<FriendVerdict<'a>>,
}

/// A verdict on one user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FriendVerdict<'a> {
    /// `To_Account`.
    pub to: Cow<'a, str>,
    /// `ResultCode`: 0 allows it, anything else forbids it. Backends are told to use 38000–39000.
    pub code: i64,
    /// `ResultInfo`: the reason, for people.
    pub info: Cow<'a, str>,
}

slots! { struct Members { items: "ResultItem", } }
slots! { struct Item { to: "To_Account", code: "ResultCode", info: "ResultInfo", } }

impl<'a> FriendVerdicts<'a> {
    /// Parses the body of an answer. JSON without a `ResultItem` says nothing of anybody.
    pub fn parse(body: &'a [u8]) -> Result<FriendVerdicts<'a>, NotJson> {
        let members: Option<Members<'a>> = answer::members(body)?;
        let items = members.and_then(|members| members.items.array().ok().flatten()).unwrap_or_default();
        Ok(FriendVerdicts { items: items.into_iter().filter_map(FriendVerdict::read).collect() })
    }

    /// The verdict on this user; `None` when the backend has said nothing, or nothing readable.
    pub fn on(&self, user: &str) -> Option<&FriendVerdict<'a>> {
        self.items.iter().find(|item| item.to == user)
    }
}

impl<'a> FriendVerdict<'a> {
    /// Whether it may be done.
    pub fn allows(&self) -> bool {
        self.code == 0
    }

    fn read(slot: Slot<'a>) -> Option<FriendVerdict<'a>> {
        let item: Item<'a> = slot.object().ok()??;
        let info = item.info.string().ok().flatten().unwrap_or_default();
        Some(FriendVerdict {
            to: item.to.string().ok()??,
            code: item.code.i64().ok()??,
            info: shortened(info),
        })
    }
}

/// The answer to a question about friends, with a verdict on each user it names.
pub fn friend_verdicts(verdicts: &[FriendVerdict<'_>]) -> String {
    answer::text(|out| {
        json::raw(out, br#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","ResultItem":"#);
        json::array(out, verdicts, |out, verdict| {
            write_json!(
                out,
                r#"{"To_Account":"#,
                string(&verdict.to),
                r#","ResultCode":"#,
                signed(verdict.code),
                r#","ResultInfo":"#,
                string(&verdict.info),
                "}",
            );
        });
        out.push(b'}');
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arbitrary::any_bytes;

    fn verdict(to: &'static str, code: i64, info: &'static str) -> FriendVerdict<'static> {
        FriendVerdict { to: to.into(), code, info: info.into() }
    }

    #[test]
    fn answers_and_their_verdicts() {
        let bo = || vec![verdict("bo", 38_001, "no")];
        let table = [
            (
                r#"{"ErrorCode":0,"ResultItem":[{"To_Account":"bo","ResultCode":38001,"ResultInfo":"no"}]}"#,
                bo(),
            ),
            // How the backend fares is not what it says about the user.
            (
                r#"{"ActionStatus":"FAIL","ErrorCode":38000,"ResultItem":[{"To_Account":"bo","ResultCode":"38001","ResultInfo":"no"}]}"#,
                bo(),
            ),
            (
                "\u{feff}{\"ResultItem\":[{\"To_Account\":\"bo\",\"ResultCode\":0}]}",
                vec![verdict("bo", 0, "")],
            ),
            (
                r#"{"ResultItem":[7,{"To_Account":"a"},{"ResultCode":1},{"To_Account":"bo","ResultCode":-1,"ResultInfo":3}]}"#,
                vec![verdict("bo", -1, "")],
            ),
            (r#"{"ErrorCode":1}"#, vec![]),
            (r#"{"ResultItem":{}}"#, vec![]),
            ("[]", vec![]),
        ];
        for (body, items) in table {
            assert_eq!(FriendVerdicts::parse(body.as_bytes()), Ok(FriendVerdicts { items }), "{body}");
        }
        for body in ["", "success", "<html>"] {
            assert_eq!(FriendVerdicts::parse(body.as_bytes()), Err(NotJson), "{body}");
        }
    }

    #[test]
    fn what_is_written_reads_back() {
        let verdicts = [verdict("ana \"a\"", 0, ""), verdict("bo", 38_000, "no")];
        let body = friend_verdicts(&verdicts);
        assert_eq!(
            body,
            r#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","ResultItem":[{"To_Account":"ana \"a\"","ResultCode":0,"ResultInfo":""},{"To_Account":"bo","ResultCode":38000,"ResultInfo":"no"}]}"#
        );
        let read = FriendVerdicts::parse(body.as_bytes()).unwrap();
        assert_eq!(read.items, verdicts);
        assert_eq!(read.on("bo").map(FriendVerdict::allows), Some(false));
        assert_eq!(read.on("ana \"a\"").map(FriendVerdict::allows), Some(true));
        assert_eq!(read.on("cy"), None);
    }

    proptest::proptest! {
        #[test]
        fn any_answer_is_judged(bytes in any_bytes()) {
            if let Ok(verdicts) = FriendVerdicts::parse(&bytes) {
                verdicts.on("ada");
            }
        }
    }
}
