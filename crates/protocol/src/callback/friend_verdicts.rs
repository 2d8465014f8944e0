//! What an app's backend answers when it is asked about friends: a verdict on each user.

use std::{borrow::Cow, ops::RangeInclusive};

use super::{
    NotJson,
    answer::{self, shortened},
};
use crate::{
    json::{self, write_json},
    lenient::{Slot, slots},
};

/// The codes with which a backend may refuse in its own words what a user wants of a friendship.
pub const FRIEND_VETO_CODES: RangeInclusive<u32> = 38_000..=39_000;

/// What a backend says about each user it was asked about.
///
/// The `ErrorCode` of such an answer only tells how the backend fares and decides nothing; the documentation says that
/// it is passed over.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FriendVerdicts<'a> {
    /// `ResultItem`, without items that do not say which user or which code they mean.
    pub items: Vec<FriendVerdict<'a>>,
    /// Something is there that cannot be read, and so may be about anybody: the answer is no object, its `ResultItem` no
    /// array, or an item was left out.
    pub garbled: bool,
}

/// A verdict on one user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FriendVerdict<'a> {
    /// `To_Account`.
    pub to: Cow<'a, str>,
    /// `ResultCode`: 0 allows it, anything else forbids it. One of [`FRIEND_VETO_CODES`] reaches the user who
    /// wants it, along with the reason.
    pub code: i64,
    /// `ResultInfo`: the reason, for people.
    pub info: Cow<'a, str>,
}

slots! { struct Members { items: "ResultItem", } }
slots! { struct Item { to: "To_Account", code: "ResultCode", info: "ResultInfo", } }

impl<'a> FriendVerdicts<'a> {
    /// Parses the body of an answer. JSON without a `ResultItem` says nothing of anybody.
    pub fn parse(body: &'a [u8]) -> Result<FriendVerdicts<'a>, NotJson> {
        let Some(members) = answer::members::<Members<'a>>(body)? else {
            return Ok(FriendVerdicts { items: Vec::new(), garbled: true });
        };
        let Ok(slots) = members.items.array() else {
            return Ok(FriendVerdicts { items: Vec::new(), garbled: true });
        };
        let slots = slots.unwrap_or_default();
        let said = slots.len();
        let items: Vec<_> = slots.into_iter().filter_map(FriendVerdict::read).collect();
        let garbled = items.len() < said;
        Ok(FriendVerdicts { items, garbled })
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

    /// The code that the user is told, if the backend has chosen one for that.
    pub fn own_code(&self) -> Option<u32> {
        u32::try_from(self.code).ok().filter(|code| FRIEND_VETO_CODES.contains(code))
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
                false,
            ),
            // How the backend fares is not what it says about the user.
            (
                r#"{"ActionStatus":"FAIL","ErrorCode":38000,"ResultItem":[{"To_Account":"bo","ResultCode":"38001","ResultInfo":"no"}]}"#,
                bo(),
                false,
            ),
            (
                "\u{feff}{\"ResultItem\":[{\"To_Account\":\"bo\",\"ResultCode\":0}]}",
                vec![verdict("bo", 0, "")],
                false,
            ),
            (
                r#"{"ResultItem":[7,{"To_Account":"a"},{"ResultCode":1},{"To_Account":"bo","ResultCode":-1,"ResultInfo":3}]}"#,
                vec![verdict("bo", -1, "")],
                true,
            ),
            (r#"{"ErrorCode":1}"#, vec![], false),
            (r#"{"ResultItem":null}"#, vec![], false),
            (r#"{"ResultItem":[]}"#, vec![], false),
            (r#"{"ResultItem":{}}"#, vec![], true),
            ("[]", vec![], true),
        ];
        for (body, items, garbled) in table {
            let expected = FriendVerdicts { items, garbled };
            assert_eq!(FriendVerdicts::parse(body.as_bytes()), Ok(expected), "{body}");
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

    #[test]
    fn codes_of_ones_own() {
        for (code, own) in [
            (0, None),
            (37_999, None),
            (38_000, Some(38_000)),
            (39_000, Some(39_000)),
            (39_001, None),
            (-38_000, None),
            (i64::MAX, None),
        ] {
            assert_eq!(verdict("bo", code, "").own_code(), own, "{code}");
        }
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
