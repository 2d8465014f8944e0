//! What has been read: marking a conversation, confirming single messages, counting what is unread.
//!
//! A conversation that is marked as read has no unread messages, and no message of it counts as confirmed. A message
//! that is confirmed shows so in the history, and the unread messages stay as many as they were.

use std::borrow::Cow;

use super::{FailedAccount, OK_AND, bad_format, error_list, msg_key, strings, user_id};
use crate::{
    MsgKey,
    code::{ErrorCode, Failure},
    json::{self, write_json},
    lenient::{self, Slot, slots},
    limits::{MSG_KEYS_PER_CALL_MAX, UNREAD_PEERS_PER_CALL_MAX},
};

/// `openim/admin_set_msg_read`. Answered with [`ok`](super::ok).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetRead<'a> {
    /// `Report_Account`: who has read.
    pub reader: Cow<'a, str>,
    /// `Peer_Account`: the other party.
    pub peer: Cow<'a, str>,
    /// `MsgReadTime` in Unix seconds: messages up to then are read; all of them when absent or 0.
    pub until_s: Option<u64>,
}

/// `openim/c2c_msg_read_receipt`. Answered with [`ok`](super::ok).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirm<'a> {
    /// `Operator_Account`: who has read.
    pub reader: Cow<'a, str>,
    /// `Peer_Account`: who sent the messages.
    pub peer: Cow<'a, str>,
    /// The `MsgKey` of each item of `C2CMsgInfo`, 1 to 30.
    pub keys: Vec<MsgKey>,
}

/// `openim/get_c2c_unread_msg_num`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread<'a> {
    /// `To_Account`: whose unread messages are counted.
    pub user: Cow<'a, str>,
    /// `Peer_Account`: count in the conversations with these, 1 to 10 Strings; in all conversations when absent. One
    /// that is not a valid UserID is answered like an account that does not exist.
    pub peers: Option<Vec<Cow<'a, str>>>,
}

/// The answer to [`Unread`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnreadCounts<'a> {
    /// `AllC2CUnreadMsgNum`: in all conversations together.
    All(u64),
    /// In single conversations, as far as there are such accounts.
    OfPeers {
        /// `C2CUnreadMsgNumList`.
        counts: &'a [UnreadCount<'a>],
        /// `ErrorList`.
        failed: &'a [FailedAccount<'a>],
    },
}

/// The unread messages of one conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnreadCount<'a> {
    /// `Peer_Account`.
    pub peer: &'a str,
    /// `C2CUnreadMsgNum`.
    pub count: u64,
}

slots! {
    struct SetReadMembers {
        reader: "Report_Account",
        peer: "Peer_Account",
        until: "MsgReadTime",
    }
}

slots! {
    struct ConfirmMembers {
        reader: "Operator_Account",
        peer: "Peer_Account",
        messages: "C2CMsgInfo",
    }
}

slots! {
    struct MessageMembers {
        from: "From_Account",
        to: "To_Account",
        key: "MsgKey",
    }
}

slots! {
    struct UnreadMembers {
        user: "To_Account",
        peers: "Peer_Account",
    }
}

impl<'a> SetRead<'a> {
    /// Parses the body of the request. Refused with [`ErrorCode::BadJson`], [`ErrorCode::BadFromAccount`] (reader),
    /// [`ErrorCode::BadToAccount`] (peer), or [`ErrorCode::BadFormat`] for the time.
    pub fn parse(body: &'a [u8]) -> Result<SetRead<'a>, Failure> {
        let members: SetReadMembers<'a> = lenient::body(body).map_err(|_| ErrorCode::BadJson)?;
        Ok(SetRead {
            reader: user_id(members.reader, ErrorCode::BadFromAccount)?,
            peer: user_id(members.peer, ErrorCode::BadToAccount)?,
            until_s: until_s(members.until)?,
        })
    }
}

impl<'a> Confirm<'a> {
    /// Parses the body of the request. Refused with [`ErrorCode::BadJson`], [`ErrorCode::BadFromAccount`] (reader),
    /// [`ErrorCode::BadToAccount`] (peer), [`ErrorCode::BadMsgKey`], or [`ErrorCode::BadFormat`] for the list, also
    /// when a message in it is not from the peer to the reader.
    pub fn parse(body: &'a [u8]) -> Result<Confirm<'a>, Failure> {
        let members: ConfirmMembers<'a> = lenient::body(body).map_err(|_| ErrorCode::BadJson)?;
        let reader = user_id(members.reader, ErrorCode::BadFromAccount)?;
        let peer = user_id(members.peer, ErrorCode::BadToAccount)?;
        let items = members.messages.array().ok().flatten().unwrap_or_default();
        if !(1..=MSG_KEYS_PER_CALL_MAX).contains(&items.len()) {
            return Err(bad_messages());
        }
        let keys = items.into_iter().map(|item| confirmed(item, &reader, &peer)).collect::<Result<_, _>>()?;
        Ok(Confirm { reader, peer, keys })
    }
}

impl<'a> Unread<'a> {
    /// Parses the body of the request. Refused with [`ErrorCode::BadJson`], [`ErrorCode::BadToAccount`] (user, or a
    /// peer that is not a String), or [`ErrorCode::BadFormat`] for more than 10 peers.
    pub fn parse(body: &'a [u8]) -> Result<Unread<'a>, Failure> {
        let members: UnreadMembers<'a> = lenient::body(body).map_err(|_| ErrorCode::BadJson)?;
        Ok(Unread { user: user_id(members.user, ErrorCode::BadToAccount)?, peers: peers(members.peers)? })
    }
}

impl UnreadCounts<'_> {
    /// The body of the answer.
    pub fn to_json(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(128);
        let out = &mut bytes;
        json::raw(out, OK_AND.as_bytes());
        match *self {
            UnreadCounts::All(count) => write_json!(out, r#""AllC2CUnreadMsgNum":"#, number(count)),
            UnreadCounts::OfPeers { counts, failed } => {
                json::raw(out, br#""C2CUnreadMsgNumList":"#);
                json::array(out, counts, |out, unread| {
                    write_json!(
                        out,
                        r#"{"Peer_Account":"#,
                        string(unread.peer),
                        r#","C2CUnreadMsgNum":"#,
                        number(unread.count),
                        "}",
                    );
                });
                json::raw(out, br#","ErrorList":"#);
                error_list(out, "Peer_Account", failed);
            }
        }
        out.push(b'}');
        bytes
    }
}

/// Whether this is what clients in languages with zero values send for a String that was not set.
fn is_empty_string(slot: Slot<'_>) -> bool {
    slot.raw().is_some_and(|raw| raw.get() == "\"\"")
}

fn until_s(slot: Slot<'_>) -> Result<Option<u64>, Failure> {
    if is_empty_string(slot) {
        return Ok(None);
    }
    let until_s = slot.u64().map_err(|_| bad_format("MsgReadTime", "a time in Unix seconds"))?;
    Ok(until_s.filter(|&until_s| until_s > 0))
}

fn confirmed(item: Slot<'_>, reader: &str, peer: &str) -> Result<MsgKey, Failure> {
    let message: MessageMembers<'_> = item.object().ok().flatten().ok_or_else(bad_messages)?;
    let is = |slot: Slot<'_>, wanted: &str| slot.string().is_ok_and(|text| text.as_deref() == Some(wanted));
    if !is(message.from, peer) {
        return Err(bad_format("From_Account of C2CMsgInfo", "the Peer_Account"));
    }
    if !is(message.to, reader) {
        return Err(bad_format("To_Account of C2CMsgInfo", "the Operator_Account"));
    }
    msg_key(message.key, ErrorCode::BadMsgKey)
}

fn bad_messages() -> Failure {
    bad_format("C2CMsgInfo", &format!("an Array of 1 to {MSG_KEYS_PER_CALL_MAX} Objects"))
}

fn peers(slot: Slot<'_>) -> Result<Option<Vec<Cow<'_, str>>>, Failure> {
    if is_empty_string(slot) {
        return Ok(None);
    }
    let wrong_type = |_| ErrorCode::BadToAccount.with("Peer_Account must be an Array of Strings");
    let items = slot.array().map_err(wrong_type)?.unwrap_or_default();
    if items.len() > UNREAD_PEERS_PER_CALL_MAX {
        return Err(bad_format(
            "Peer_Account",
            &format!("an Array of at most {UNREAD_PEERS_PER_CALL_MAX} items"),
        ));
    }
    let peers = strings(items).map_err(wrong_type)?;
    Ok(Some(peers).filter(|peers| !peers.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn set_read() {
        let good = r#""Report_Account":"bo","Peer_Account":"ada""#;
        let table = [
            (r#""x":1"#, Ok(None)),
            (r#""MsgReadTime":null"#, Ok(None)),
            (r#""MsgReadTime":0"#, Ok(None)),
            (r#""MsgReadTime":"0""#, Ok(None)),
            (r#""MsgReadTime":"""#, Ok(None)),
            (r#""MsgReadTime":1"#, Ok(Some(1))),
            (r#""MsgReadTime":"1900""#, Ok(Some(1900))),
            (r#""MsgReadTime":-1"#, Err(90010)),
            (r#""MsgReadTime":"now""#, Err(90010)),
            (r#""Report_Account":null"#, Err(90008)),
            (r#""Report_Account":7"#, Err(90008)),
            (r#""Peer_Account":null"#, Err(90003)),
            (r#""Peer_Account":"""#, Err(90003)),
        ];
        for (member, expected) in table {
            let body = format!("{{{good},{member}}}");
            let request = SetRead::parse(body.as_bytes()).map_err(|failure| failure.code);
            let expected =
                expected.map(|until_s| SetRead { reader: "bo".into(), peer: "ada".into(), until_s });
            assert_eq!(request, expected, "{member}");
        }
        assert_eq!(SetRead::parse(b"").unwrap_err().code, 90001);
    }

    #[test]
    fn confirmations() {
        let message = r#"{"From_Account":"ada","To_Account":"bo","MsgKey":"3_31_1900"}"#;
        let good = format!(r#""Operator_Account":"bo","Peer_Account":"ada","C2CMsgInfo":[{message}]"#);
        let with =
            |member: &str| format!(r#""C2CMsgInfo":[{}]"#, message.replace('}', &format!(",{member}}}")));
        let many = |count: usize| format!(r#""C2CMsgInfo":[{}]"#, vec![message; count].join(","));
        let table = [
            (r#""x":1"#.to_owned(), Ok(1)),
            (many(30), Ok(30)),
            (many(31), Err(90010)),
            (r#""C2CMsgInfo":null"#.into(), Err(90010)),
            (r#""C2CMsgInfo":[]"#.into(), Err(90010)),
            (r#""C2CMsgInfo":{}"#.into(), Err(90010)),
            (r#""C2CMsgInfo":["3_31_1900"]"#.into(), Err(90010)),
            (r#""C2CMsgInfo":[null]"#.into(), Err(90010)),
            (with(r#""From_Account":"bo""#), Err(90010)),
            (with(r#""From_Account":null"#), Err(90010)),
            (with(r#""From_Account":7"#), Err(90010)),
            (with(r#""From_Account":"\u0061da""#), Ok(1)),
            (with(r#""To_Account":"ada""#), Err(90010)),
            (with(r#""To_Account":null"#), Err(90010)),
            (with(r#""MsgKey":null"#), Err(90054)),
            (with(r#""MsgKey":"3_31""#), Err(90054)),
            (r#""Operator_Account":null"#.into(), Err(90008)),
            (r#""Operator_Account":"""#.into(), Err(90008)),
            (r#""Peer_Account":null"#.into(), Err(90003)),
        ];
        for (member, expected) in table {
            let body = format!("{{{good},{member}}}");
            let request = Confirm::parse(body.as_bytes()).map_err(|failure| failure.code);
            let key = MsgKey { seq: 3, random: 31, time_s: 1900 };
            let expected = expected.map(|count| Confirm {
                reader: "bo".into(),
                peer: "ada".into(),
                keys: vec![key; count],
            });
            assert_eq!(request, expected, "{member}");
        }
        assert_eq!(Confirm::parse(b"").unwrap_err().code, 90001);
    }

    #[test]
    fn questions_about_unread_messages() {
        let ten = r#""a","b","c","d","e","f","g","h","i","j""#;
        let table = [
            (r#""x":1"#.to_owned(), Ok(None)),
            (r#""Peer_Account":null"#.into(), Ok(None)),
            (r#""Peer_Account":"""#.into(), Ok(None)),
            (r#""Peer_Account":[]"#.into(), Ok(None)),
            (
                r#""Peer_Account":["ada","","123456789012345678901234567890123"]"#.into(),
                Ok(Some(vec!["ada", "", "123456789012345678901234567890123"])),
            ),
            (
                format!("\"Peer_Account\":[{ten}]"),
                Ok(Some(vec!["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"])),
            ),
            (format!("\"Peer_Account\":[{ten},\"k\"]"), Err(90010)),
            (r#""Peer_Account":"ada""#.into(), Err(90003)),
            (r#""Peer_Account":["ada",7]"#.into(), Err(90003)),
            (r#""Peer_Account":["ada",null]"#.into(), Err(90003)),
            (r#""To_Account":null"#.into(), Err(90003)),
            (r#""To_Account":["bo"]"#.into(), Err(90003)),
        ];
        for (member, expected) in table {
            let body = format!(r#"{{"To_Account":"bo",{member}}}"#);
            let request = Unread::parse(body.as_bytes()).map_err(|failure| failure.code);
            let expected = expected.map(|peers| Unread {
                user: "bo".into(),
                peers: peers.map(|peers| peers.into_iter().map(Cow::Borrowed).collect()),
            });
            assert_eq!(request, expected, "{member}");
        }
        assert_eq!(Unread::parse(b"").unwrap_err().code, 90001);
    }

    #[test]
    fn counts() {
        let table = [
            (UnreadCounts::All(0), r#""AllC2CUnreadMsgNum":0}"#),
            (UnreadCounts::All(18), r#""AllC2CUnreadMsgNum":18}"#),
            (
                UnreadCounts::OfPeers {
                    counts: &[UnreadCount { peer: "ada", count: 3 }, UnreadCount { peer: "c\"y", count: 0 }],
                    failed: &[FailedAccount { user_id: "nobody", code: 70107 }],
                },
                r#""C2CUnreadMsgNumList":[{"Peer_Account":"ada","C2CUnreadMsgNum":3},{"Peer_Account":"c\"y","C2CUnreadMsgNum":0}],"ErrorList":[{"Peer_Account":"nobody","ErrorCode":70107}]}"#,
            ),
            (
                UnreadCounts::OfPeers { counts: &[], failed: &[] },
                r#""C2CUnreadMsgNumList":[],"ErrorList":[]}"#,
            ),
        ];
        for (answer, expected) in table {
            let expected = format!(r#"{{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"",{expected}"#);
            assert_eq!(String::from_utf8(answer.to_json()).unwrap(), expected);
        }
    }
}
