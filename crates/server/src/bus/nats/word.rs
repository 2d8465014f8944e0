//! What nodes say to each other.
//!
//! What comes with every message is bytes: a letter, numbers, and the frame as devices get it. All else is JSON. Nodes
//! of two releases hear each other while one replaces the other, so a word that is not known is passed over, and what
//! is known never changes its meaning.

use super::super::presence::Custom;
use super::super::{Key, Push};
use axum::extract::ws::Utf8Bytes;
use bytes::Bytes;
use chat::{AppId, Position, UserId};
use protocol::client::{KickReason, Reach};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

const CHANGE: u8 = b'c';
const ONLINE: u8 = b'o';
/// The letter, epoch and offset.
const CHANGE_HEAD_LEN: usize = 1 + 8 + 8;
const ONLINE_HEAD_LEN: usize = 1;

/// Something for a user's sessions, as it is said to other nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Word(Bytes);

/// What was heard at a user's subject.
#[derive(Debug)]
pub(super) enum Heard {
    Push(Push),
    End {
        session: u64,
        reason: KickReason,
    },
    Said(Custom),
    /// Who of you has sessions?
    Who,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Spoken<'a> {
    End {
        session: u64,
        #[serde(borrow)]
        reason: Cow<'a, str>,
    },
    Said {
        #[serde(borrow)]
        custom: Cow<'a, str>,
        said_ms: u64,
    },
    Who {},
}

/// A user's credentials that were issued up to a time are worthless.
#[derive(Debug, Serialize, Deserialize)]
struct RevokedWord<'a> {
    app: u32,
    #[serde(borrow)]
    user: Cow<'a, str>,
    issued_s_max: u64,
}

/// A node is there.
#[derive(Debug, Serialize, Deserialize)]
struct NodeWord {
    node: u64,
    leaving: bool,
}

/// How a user can be reached now.
#[derive(Debug, Serialize, Deserialize)]
struct WatchWord<'a> {
    app: u32,
    #[serde(borrow)]
    user: Cow<'a, str>,
    #[serde(borrow)]
    status: Cow<'a, str>,
    #[serde(borrow)]
    custom: Cow<'a, str>,
}

impl Word {
    /// `write` appends the frame.
    pub(in super::super) fn change(position: Position, write: impl FnOnce(&mut Vec<u8>)) -> Self {
        let mut out = vec![CHANGE];
        out.extend(position.epoch.to_be_bytes());
        out.extend(position.offset.to_be_bytes());
        write(&mut out);
        Self(out.into())
    }

    pub(in super::super) fn online(write: impl FnOnce(&mut Vec<u8>)) -> Self {
        let mut out = vec![ONLINE];
        write(&mut out);
        Self(out.into())
    }

    pub(in super::super) fn end(session: u64, reason: KickReason) -> Self {
        Self(json(&Spoken::End { session, reason: reason.as_str().into() }))
    }

    pub(in super::super) fn said(custom: &Custom) -> Self {
        Self(json(&Spoken::Said { custom: (&*custom.text).into(), said_ms: custom.said_ms }))
    }

    pub(super) fn who() -> Self {
        Self(json(&Spoken::Who {}))
    }

    pub(super) fn wire(&self) -> Bytes {
        self.0.clone()
    }

    /// What sessions of this node are told: the same bytes.
    pub(in super::super) fn push(&self) -> Push {
        push(&self.0).expect("what has a frame was written here")
    }
}

impl Heard {
    /// `None`: another release says something that this one does not know.
    pub(super) fn parse(wire: &[u8]) -> Option<Self> {
        if matches!(wire.first(), Some(&(CHANGE | ONLINE))) {
            // A copy: what was read from the socket is one piece with all that came at the same time, and would be
            // kept for as long as a slow device has not taken this.
            return push(&Bytes::copy_from_slice(wire)).map(Self::Push);
        }
        Some(match serde_json::from_slice(wire).ok()? {
            Spoken::End { session, reason } => {
                let reason = KickReason::ALL.into_iter().find(|known| known.as_str() == reason)?;
                Self::End { session, reason }
            }
            Spoken::Said { custom, said_ms } => Self::Said(Custom { text: custom.into(), said_ms }),
            Spoken::Who {} => Self::Who,
        })
    }
}

fn push(wire: &Bytes) -> Option<Push> {
    let frame = |at: usize| Utf8Bytes::try_from(wire.slice(at..)).ok();
    match *wire.first()? {
        CHANGE => {
            let number = |at: usize| Some(u64::from_be_bytes(wire.get(at..at + 8)?.try_into().ok()?));
            let position = Position { epoch: number(1)?, offset: number(9)? };
            Some(Push::Change { position, frame: frame(CHANGE_HEAD_LEN)? })
        }
        ONLINE => Some(Push::Online { frame: frame(ONLINE_HEAD_LEN)? }),
        _ => None,
    }
}

pub(super) fn revoked((app, user): Key, issued_s_max: u64) -> Bytes {
    json(&RevokedWord { app: app.0, user: user.as_str().into(), issued_s_max })
}

pub(super) fn parse_revoked(wire: &[u8]) -> Option<(Key, u64)> {
    let RevokedWord { app, user, issued_s_max } = serde_json::from_slice(wire).ok()?;
    Some(((AppId(app), UserId::new(&user)?), issued_s_max))
}

pub(super) fn watch((app, user): Key, reach: Reach, custom: &str) -> Bytes {
    let (user, status) = (user.as_str().into(), reach.as_str().into());
    json(&WatchWord { app: app.0, user, status, custom: custom.into() })
}

pub(super) fn parse_watch(wire: &[u8]) -> Option<(Key, Reach, Box<str>)> {
    let WatchWord { app, user, status, custom } = serde_json::from_slice(wire).ok()?;
    let reach = Reach::ALL.into_iter().find(|known| known.as_str() == status)?;
    Some(((AppId(app), UserId::new(&user)?), reach, custom.into()))
}

pub(super) fn node(node: u64, is_leaving: bool) -> Bytes {
    json(&NodeWord { node, leaving: is_leaving })
}

pub(super) fn parse_node(wire: &[u8]) -> Option<(u64, bool)> {
    let NodeWord { node, leaving } = serde_json::from_slice(wire).ok()?;
    Some((node, leaving))
}

fn json(word: &impl Serialize) -> Bytes {
    serde_json::to_vec(word).expect("words have nothing that JSON has not").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nodes of two releases hear each other, so the words stay as they are.
    #[test]
    fn words_are_spelled_like_this() {
        let change = Word::change(Position { epoch: 1, offset: 2 }, |out| out.extend(b"{}"));
        assert_eq!(&change.wire()[..], b"c\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\x02{}");
        assert_eq!(&Word::online(|out| out.extend(b"{}")).wire()[..], b"o{}");
        let end = Word::end(7, KickReason::OtherDevice);
        assert_eq!(&end.wire()[..], br#"{"end":{"session":7,"reason":"other_device"}}"#);
        let said = Word::said(&Custom { text: "bu\"sy".into(), said_ms: 9 });
        assert_eq!(&said.wire()[..], br#"{"said":{"custom":"bu\"sy","said_ms":9}}"#);
        assert_eq!(&Word::who().wire()[..], br#"{"who":{}}"#);
        let ana = (AppId(14), UserId::new("ana").unwrap());
        assert_eq!(&revoked(ana, 5)[..], br#"{"app":14,"user":"ana","issued_s_max":5}"#);
        assert_eq!(&node(u64::MAX, true)[..], br#"{"node":18446744073709551615,"leaving":true}"#);
        let status = br#"{"app":14,"user":"ana","status":"PushOnline","custom":""}"#;
        assert_eq!(&watch(ana, Reach::PushOnline, "")[..], status);
    }

    #[test]
    fn what_was_said_is_heard() {
        let heard = |word: &Word| format!("{:?}", Heard::parse(&word.wire()));
        let change =
            Word::change(Position { epoch: u64::MAX, offset: 2 }, |out| out.extend("{é}".as_bytes()));
        let Some(Heard::Push(Push::Change { position, frame })) = Heard::parse(&change.wire()) else {
            panic!("{}", heard(&change))
        };
        assert_eq!((position, frame.as_str()), (Position { epoch: u64::MAX, offset: 2 }, "{é}"));
        assert_eq!(
            heard(&Word::end(7, KickReason::SameDevice)),
            "Some(End { session: 7, reason: SameDevice })"
        );
        let said = Word::said(&Custom { text: "bu\"sy".into(), said_ms: 9 });
        assert_eq!(heard(&said), r#"Some(Said(Custom { text: "bu\"sy", said_ms: 9 }))"#);
        assert_eq!(heard(&Word::who()), "Some(Who)");
        let ana = (AppId(14), UserId::new("ana").unwrap());
        assert_eq!(parse_revoked(&revoked(ana, 5)), Some((ana, 5)));
        assert_eq!(parse_node(&node(u64::MAX, true)), Some((u64::MAX, true)));
        assert_eq!(parse_watch(&watch(ana, Reach::Online, "é")), Some((ana, Reach::Online, "é".into())));
    }

    #[test]
    fn what_is_not_known_is_passed_over() {
        for wire in [
            &b""[..],
            b"c\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0",
            b"o\xff",
            b"x",
            b"{",
            br#"{"sing":{}}"#,
            br#"{"end":{"session":7,"reason":"whim"}}"#,
        ] {
            assert!(Heard::parse(wire).is_none(), "{wire:?}");
        }
        // What a later release adds.
        assert!(Heard::parse(br#"{"who":{"loudly":true}}"#).is_some());
        assert_eq!(parse_watch(br#"{"app":14,"user":"","status":"Online","custom":""}"#), None);
        assert_eq!(parse_watch(br#"{"app":14,"user":"a","status":"Here","custom":""}"#), None);
        assert_eq!(parse_revoked(b"null"), None);
    }
}
