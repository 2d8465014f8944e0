//! What the server has stored, read back as a backend would, and compared with what it has acknowledged.

use crate::load::Acknowledged;
use crate::rest::Rest;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};

/// Two users, in whichever order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Pair(String, String);

/// A message in a conversation's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) text: String,
    pub(crate) msg_key: String,
    time_s: u64,
    seq: u64,
}

/// Conversations, each from old to new.
pub(crate) type Histories = BTreeMap<Pair, Vec<Stored>>;

impl Pair {
    pub(crate) fn new(one: &str, other: &str) -> Self {
        let (first, second) = if one <= other { (one, other) } else { (other, one) };
        Self(first.to_owned(), second.to_owned())
    }
}

impl Stored {
    /// Of a message as REST and devices show it.
    pub(crate) fn of(message: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        Self {
            from: text(&message["From_Account"]),
            to: text(&message["To_Account"]),
            text: text(&message["MsgBody"][0]["MsgContent"]["Text"]),
            msg_key: text(&message["MsgKey"]),
            time_s: message["MsgTimeStamp"].as_u64().unwrap(),
            seq: message["MsgSeq"].as_u64().unwrap(),
        }
    }
}

/// All conversations among `users`. Both see the same.
pub(crate) async fn read_all(admin: &mut Rest, users: &[String]) -> Histories {
    let mut histories = Histories::new();
    for (index, one) in users.iter().enumerate() {
        for other in &users[index + 1..] {
            let seen = read(admin, one, other).await;
            assert_eq!(seen, read(admin, other, one).await, "{one} and {other} see the same");
            check_order(&seen);
            histories.insert(Pair::new(one, other), seen);
        }
    }
    histories
}

/// The conversation as `viewer` sees it.
pub(crate) async fn read(admin: &mut Rest, viewer: &str, peer: &str) -> Vec<Stored> {
    pages(admin, viewer, peer).await.iter().map(Stored::of).collect()
}

/// The same as it is written, page by page.
pub(crate) async fn pages(admin: &mut Rest, viewer: &str, peer: &str) -> Vec<Value> {
    let mut pages = Vec::new();
    let mut before = (u64::from(u32::MAX), String::new());
    loop {
        let page = admin
            .ask(
                "openim/admin_getroammsg",
                &json!({
                    "Operator_Account": viewer, "Peer_Account": peer, "MaxCnt": 100,
                    "MinTime": 0, "MaxTime": before.0, "LastMsgKey": before.1,
                }),
            )
            .await;
        let messages = page["MsgList"].as_array().unwrap().clone();
        let complete = page["Complete"] == 1;
        assert!(complete || !messages.is_empty(), "a page that is not the last one has messages");
        pages.push(messages);
        if complete {
            return pages.into_iter().rev().flatten().collect();
        }
        before = (page["LastMsgTime"].as_u64().unwrap(), page["LastMsgKey"].as_str().unwrap().to_owned());
    }
}

/// The server numbers a conversation's messages without a gap, and its clock does not go back.
fn check_order(messages: &[Stored]) {
    for (message, seq) in messages.iter().zip(1..) {
        assert_eq!(message.seq, seq, "{message:?} is in its place");
    }
    assert!(messages.is_sorted_by_key(|message| message.time_s), "{messages:#?}");
}

/// Whether the histories hold what was acknowledged, each message once and as it was answered for. Returns those
/// that nobody was told of.
pub(crate) fn check_acknowledged(acknowledged: &[Acknowledged], histories: &Histories) -> Vec<Stored> {
    let mut by_text: HashMap<&str, &Acknowledged> = HashMap::new();
    for sent in acknowledged {
        assert!(by_text.insert(&sent.text, sent).is_none(), "{sent:?} was sent once");
    }
    let mut unanswered = Vec::new();
    for (pair, messages) in histories {
        let mut earliest_end = u64::MAX;
        for message in messages.iter().rev() {
            let Some(sent) = by_text.remove(message.text.as_str()) else {
                unanswered.push(message.clone());
                continue;
            };
            assert_eq!(
                (&message.from, &message.to, &message.msg_key),
                (&sent.from, &sent.to, &sent.msg_key),
                "stored as it was answered for"
            );
            // What was answered before another was even begun was committed before it.
            assert!(sent.begun < earliest_end, "{pair:?}: {sent:?} stands before what was answered earlier");
            earliest_end = earliest_end.min(sent.ended);
        }
    }
    assert!(by_text.is_empty(), "acknowledged and lost: {by_text:#?}");
    let mut texts: Vec<&str> = unanswered.iter().map(|message| message.text.as_str()).collect();
    texts.sort_unstable();
    assert!(texts.is_sorted_by(|one, next| one < next), "stored twice: {texts:?}");
    unanswered
}
