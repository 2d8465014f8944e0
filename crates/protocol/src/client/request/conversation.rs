//! What a device does with conversations.

use std::borrow::Cow;

use super::{flag, limit, members_of, recipient, required_text, text, users, wrong};
use crate::{
    code::{ErrorCode, Failure},
    lenient::{Slot, slots},
    limits::{
        CONVERSATION_CUSTOM_LEN_MAX, CONVERSATION_MARK_MAX, CONVERSATIONS_PER_REQUEST_MAX,
        NOTIFIED_PER_REQUEST_MAX,
    },
};

/// What a device asks about conversations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConversationRequest<'a> {
    /// `conversations`: read the list.
    List {
        /// `limit`, at least 1; the server bounds it.
        limit: Option<u32>,
        /// `after`: the `next` of the page before.
        after: Option<ListPlace>,
    },
    /// `conversations` with `peers`: read those with these users.
    Of {
        /// `peers`: 1 to 100.
        peers: Vec<Cow<'a, str>>,
    },
    /// `read`: everything in the conversation with this user has been read.
    Read {
        /// `peer`: the other party.
        peer: Cow<'a, str>,
        /// `until`: only what is of this second, in Unix seconds, or older.
        until_s: Option<u64>,
    },
    /// `read_all`: everything in every conversation has been read.
    ReadAll,
    /// `clear`: forget the history, and keep the conversation in the list.
    Clear {
        /// `peer`: the other party.
        peer: Cow<'a, str>,
    },
    /// `remove`: take the conversation out of the list.
    Remove {
        /// `peer`: the other party.
        peer: Cow<'a, str>,
        /// `erase`: the history as well.
        erase: bool,
    },
    /// `pin`.
    Pin {
        /// `peer`: the other party.
        peer: Cow<'a, str>,
        /// `pinned`: or not any more.
        pinned: bool,
    },
    /// `notify`: how messages from these users are received.
    Notify {
        /// `peers`: 1 to 30.
        peers: Vec<Cow<'a, str>>,
        /// `notify`.
        notify: Notify,
    },
    /// `mark`.
    Mark {
        /// `peers`: 1 to 100.
        peers: Vec<Cow<'a, str>>,
        /// `mark`: 1 to 63.
        mark: u32,
        /// `on`: set it, or take it away.
        on: bool,
    },
    /// `annotate`: note something of these conversations.
    Annotate {
        /// `peers`: 1 to 100.
        peers: Vec<Cow<'a, str>>,
        /// `custom`: at most 256 bytes; empty forgets it.
        custom: Cow<'a, str>,
    },
}

/// How messages from somebody are received.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Notify {
    /// As usual.
    #[default]
    AcceptAndNotify,
    /// As usual, but nothing rings.
    AcceptNotNotify,
    /// Not at all.
    Discard,
}

impl Notify {
    /// The word in the frame.
    pub fn as_str(self) -> &'static str {
        match self {
            Notify::AcceptAndNotify => "AcceptAndNotify",
            Notify::AcceptNotNotify => "AcceptNotNotify",
            Notify::Discard => "Discard",
        }
    }

    fn parse(word: &str) -> Option<Notify> {
        let all = [Notify::AcceptAndNotify, Notify::AcceptNotNotify, Notify::Discard];
        all.into_iter().find(|notify| notify.as_str() == word)
    }
}

/// A place in the list of conversations, which devices do not look into: behind so many entries of a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListPlace {
    /// In Unix seconds.
    pub time_s: u64,
    /// Entries of that time.
    pub skip: u64,
}

impl ListPlace {
    fn parse(text: &str) -> Option<ListPlace> {
        let (time_s, skip) = text.split_once('-')?;
        Some(ListPlace { time_s: time_s.parse().ok()?, skip: skip.parse().ok()? })
    }
}

impl std::fmt::Display for ListPlace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.time_s, self.skip)
    }
}

slots! {
    struct Members {
        peer: "peer",
        peers: "peers",
        limit: "limit",
        after: "after",
        until: "until",
        erase: "erase",
        pinned: "pinned",
        notify: "notify",
        mark: "mark",
        on: "on",
        custom: "custom",
    }
}

/// Reads the frame if the operation is one of this area.
pub(super) fn parse<'a>(op: &str, text: &'a str) -> Option<Result<ConversationRequest<'a>, Failure>> {
    type Read = for<'m> fn(&Members<'m>) -> Result<ConversationRequest<'m>, Failure>;
    let read: Read = match op {
        "conversations" => conversations,
        "read" => read,
        "read_all" => |_| Ok(ConversationRequest::ReadAll),
        "clear" => |members| Ok(ConversationRequest::Clear { peer: recipient(members.peer, "peer")? }),
        "remove" => remove,
        "pin" => pin,
        "notify" => notify,
        "mark" => mark,
        "annotate" => annotate,
        _ => return None,
    };
    Some(members_of(text).and_then(|members| read(&members)))
}

fn conversations<'a>(members: &Members<'a>) -> Result<ConversationRequest<'a>, Failure> {
    if !members.peers.is_absent() {
        return Ok(ConversationRequest::Of { peers: peers(members.peers, CONVERSATIONS_PER_REQUEST_MAX)? });
    }
    let after = text(members.after, "after")?;
    let after = after.map(|text| ListPlace::parse(&text).ok_or_else(|| wrong("after"))).transpose()?;
    Ok(ConversationRequest::List { limit: limit(members.limit)?, after })
}

fn read<'a>(members: &Members<'a>) -> Result<ConversationRequest<'a>, Failure> {
    let until_s = members.until.u64().map_err(|_| wrong("until"))?;
    Ok(ConversationRequest::Read { peer: recipient(members.peer, "peer")?, until_s })
}

fn remove<'a>(members: &Members<'a>) -> Result<ConversationRequest<'a>, Failure> {
    let peer = recipient(members.peer, "peer")?;
    Ok(ConversationRequest::Remove { peer, erase: flag(members.erase, "erase")? })
}

fn pin<'a>(members: &Members<'a>) -> Result<ConversationRequest<'a>, Failure> {
    let peer = recipient(members.peer, "peer")?;
    Ok(ConversationRequest::Pin { peer, pinned: switch(members.pinned, "pinned")? })
}

fn notify<'a>(members: &Members<'a>) -> Result<ConversationRequest<'a>, Failure> {
    let word = required_text(members.notify, "notify")?;
    let notify = Notify::parse(&word).ok_or_else(|| {
        ErrorCode::ContactParameter.with("notify must be AcceptAndNotify, AcceptNotNotify or Discard")
    })?;
    Ok(ConversationRequest::Notify { peers: peers(members.peers, NOTIFIED_PER_REQUEST_MAX)?, notify })
}

fn mark<'a>(members: &Members<'a>) -> Result<ConversationRequest<'a>, Failure> {
    let mark = members.mark.u32().map_err(|_| wrong("mark"))?.ok_or_else(|| wrong("mark"))?;
    if !(1..=CONVERSATION_MARK_MAX).contains(&mark) {
        let text = format!("mark must be a number from 1 to {CONVERSATION_MARK_MAX}");
        return Err(ErrorCode::ContactParameter.with(text));
    }
    let peers = peers(members.peers, CONVERSATIONS_PER_REQUEST_MAX)?;
    Ok(ConversationRequest::Mark { peers, mark, on: switch(members.on, "on")? })
}

fn annotate<'a>(members: &Members<'a>) -> Result<ConversationRequest<'a>, Failure> {
    let custom = required_text(members.custom, "custom")?;
    if custom.len() > CONVERSATION_CUSTOM_LEN_MAX {
        let text = format!("custom has more than {CONVERSATION_CUSTOM_LEN_MAX} bytes");
        return Err(ErrorCode::ContactParameter.with(text));
    }
    Ok(ConversationRequest::Annotate { peers: peers(members.peers, CONVERSATIONS_PER_REQUEST_MAX)?, custom })
}

/// A list of users. One that is too long has the code that the original has for it.
fn peers<'a>(slot: Slot<'a>, len_max: usize) -> Result<Vec<Cow<'a, str>>, Failure> {
    users(slot, "peers", len_max).map_err(|failure| {
        if failure.code == ErrorCode::ListTooLong.number() {
            Failure { code: ErrorCode::TooManyConversations.number(), ..failure }
        } else {
            failure
        }
    })
}

/// A flag that has to be given: what it does when it is left out would be a guess.
fn switch(slot: Slot<'_>, name: &str) -> Result<bool, Failure> {
    if slot.is_absent() { Err(wrong(name)) } else { flag(slot, name) }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Request = ConversationRequest<'static>;

    fn request(op: &str, members: &str) -> Result<Request, u32> {
        parse(op, format!("{{{members}}}").leak()).expect("one of this area").map_err(|failure| failure.code)
    }

    fn bo() -> Cow<'static, str> {
        "bo".into()
    }

    #[test]
    fn one_conversation() {
        let table = [
            ("read", r#""peer":"bo""#, Ok(Request::Read { peer: bo(), until_s: None })),
            ("read", r#""peer":"bo","until":"9""#, Ok(Request::Read { peer: bo(), until_s: Some(9) })),
            ("read", r#""peer":7"#, Err(90003)),
            ("read", r#""peer":"bo","until":-1"#, Err(11002)),
            ("read_all", r#""peer":7"#, Ok(Request::ReadAll)),
            ("clear", r#""peer":"bo""#, Ok(Request::Clear { peer: bo() })),
            ("clear", "", Err(90003)),
            ("remove", r#""peer":"bo""#, Ok(Request::Remove { peer: bo(), erase: false })),
            ("remove", r#""peer":"bo","erase":true"#, Ok(Request::Remove { peer: bo(), erase: true })),
            ("remove", r#""peer":"bo","erase":2"#, Err(11002)),
            ("pin", r#""peer":"bo","pinned":true"#, Ok(Request::Pin { peer: bo(), pinned: true })),
            ("pin", r#""peer":"bo","pinned":0"#, Ok(Request::Pin { peer: bo(), pinned: false })),
            ("pin", r#""peer":"bo""#, Err(11002)),
        ];
        for (op, members, expected) in table {
            assert_eq!(request(op, members), expected, "{op} {members}");
        }
    }

    #[test]
    fn the_list() {
        let place = ListPlace { time_s: 1_700_000_000, skip: 2 };
        let after = Some(place);
        let table = [
            ("", Ok(Request::List { limit: None, after: None })),
            (r#""limit":50,"after":"1700000000-2""#, Ok(Request::List { limit: Some(50), after })),
            (r#""limit":0"#, Err(11002)),
            (r#""after":"1700000000""#, Err(11002)),
            (r#""after":"-1""#, Err(11002)),
            (r#""after":7"#, Err(11002)),
            (r#""peers":["bo"]"#, Ok(Request::Of { peers: vec![bo()] })),
            (r#""peers":[]"#, Err(11002)),
        ];
        for (members, expected) in table {
            assert_eq!(request("conversations", members), expected, "{members}");
        }
        assert_eq!(place.to_string(), "1700000000-2");
    }

    #[test]
    fn several_conversations() {
        let peers = || vec![bo()];
        let notify = |notify| Ok(Request::Notify { peers: peers(), notify });
        let custom = |len: usize| format!(r#""peers":["bo"],"custom":"{}""#, "c".repeat(len));
        let table = [
            ("notify", r#""peers":["bo"],"notify":"AcceptAndNotify""#, notify(Notify::AcceptAndNotify)),
            ("notify", r#""peers":["bo"],"notify":"AcceptNotNotify""#, notify(Notify::AcceptNotNotify)),
            ("notify", r#""peers":["bo"],"notify":"Discard""#, notify(Notify::Discard)),
            ("notify", r#""peers":["bo"],"notify":"discard""#, Err(50002)),
            ("notify", r#""peers":["bo"]"#, Err(11002)),
            (
                "mark",
                r#""peers":["bo"],"mark":1,"on":true"#,
                Ok(Request::Mark { peers: peers(), mark: 1, on: true }),
            ),
            (
                "mark",
                r#""peers":["bo"],"mark":63,"on":0"#,
                Ok(Request::Mark { peers: peers(), mark: 63, on: false }),
            ),
            ("mark", r#""peers":["bo"],"mark":0,"on":true"#, Err(50002)),
            ("mark", r#""peers":["bo"],"mark":64,"on":true"#, Err(50002)),
            ("mark", r#""peers":["bo"],"on":true"#, Err(11002)),
            ("mark", r#""peers":["bo"],"mark":1"#, Err(11002)),
            (
                "annotate",
                r#""peers":["bo"],"custom":"""#,
                Ok(Request::Annotate { peers: peers(), custom: "".into() }),
            ),
            (
                "annotate",
                &custom(256),
                Ok(Request::Annotate { peers: peers(), custom: "c".repeat(256).into() }),
            ),
            ("annotate", &custom(257), Err(50002)),
            ("annotate", r#""peers":["bo"]"#, Err(11002)),
        ];
        for (op, members, expected) in table {
            assert_eq!(request(op, members), expected, "{op} {members}");
        }
        for (op, more, len_max) in [
            ("conversations", "", 100),
            ("notify", r#","notify":"Discard""#, 30),
            ("mark", r#","mark":1,"on":true"#, 100),
            ("annotate", r#","custom":"c""#, 100),
        ] {
            let members = |len| format!(r#""peers":[{}]{more}"#, vec![r#""bo""#; len].join(","));
            assert!(request(op, &members(len_max)).is_ok(), "{op}");
            assert_eq!(request(op, &members(len_max + 1)), Err(51006), "{op}");
            assert_eq!(request(op, &format!(r#""peers":["bo",7]{more}"#)), Err(90003), "{op}");
            assert_eq!(request(op, &format!(r#""peers":"bo"{more}"#)), Err(11002), "{op}");
        }
    }
}
