//! What an app on a device keeps: every conversation with its messages, the list, and how far it has all come.
//!
//! It knows the client protocol, and nothing of connections. It objects at once to a push that is not the next one.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// A place in the user's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) epoch: String,
    pub(crate) offset: u64,
}

/// Something that has to be read, because pushes alone do not say it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Errand {
    List,
    Entry { peer: String },
    History { peer: String, before: Option<String> },
}

#[derive(Debug, Clone)]
pub(crate) struct Replica {
    pub(crate) user: String,
    pub(crate) position: Position,
    /// Of the last push: unread messages of all conversations.
    unread: i64,
    pub(crate) chats: BTreeMap<String, Chat>,
    pub(crate) errands: VecDeque<Errand>,
    /// The answer to the first errand may be older than what was pushed while it was on its way.
    is_overtaken: bool,
}

/// One conversation.
#[derive(Debug, Clone, Default)]
pub(crate) struct Chat {
    pub(crate) seen: Seen,
    /// The offset that the list's entry was read at. Until then, nothing is known that pushes could change.
    as_of: Option<u64>,
    /// Whether a message stands for it in the list.
    has_head: bool,
    /// Number, sender and random number of every message that was ever pushed, in their order.
    pub(crate) told: Vec<(u64, String, u64)>,
}

/// What somebody would see of a conversation, and so what has to be the same on all devices.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    /// By time and number.
    pub(crate) messages: BTreeMap<(u64, u64), Shown>,
    pub(crate) unread: i64,
    pub(crate) is_listed: bool,
    pub(crate) is_pinned: bool,
    marks: Value,
    peer_read_until: u64,
    read_until: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shown {
    pub(crate) from: String,
    pub(crate) random: u64,
    pub(crate) key: String,
    text: String,
    version: u64,
    is_confirmed: bool,
    is_recalled: bool,
}

impl Position {
    pub(crate) fn of(value: &Value) -> Self {
        Self { epoch: text(&value["epoch"]), offset: number(&value["offset"]) }
    }
}

impl Shown {
    /// Of a message as REST and devices show it, with its place.
    pub(crate) fn of(message: &Value) -> ((u64, u64), Self) {
        let place = (number(&message["MsgTimeStamp"]), number(&message["MsgSeq"]));
        let shown = Self {
            from: text(&message["From_Account"]),
            random: number(&message["MsgRandom"]),
            key: text(&message["MsgKey"]),
            text: message["MsgBody"][0]["MsgContent"]["Text"].as_str().unwrap_or_default().to_owned(),
            version: number(&message["MsgVersion"]),
            is_confirmed: message["IsPeerRead"] == 1,
            is_recalled: message["MsgFlagBits"] == 8,
        };
        (place, shown)
    }

    /// Takes over what is new. What is done to a message is not undone, and an answer may be older than a push.
    fn update(&mut self, other: Self) {
        assert_eq!((&self.from, &self.key), (&other.from, &other.key), "two messages stand at one place");
        let is_confirmed = self.is_confirmed || other.is_confirmed;
        let is_newer = other.version > self.version || other.is_recalled;
        if is_newer && !self.is_recalled {
            *self = other;
        }
        self.is_confirmed = is_confirmed;
    }
}

impl Replica {
    /// With nothing, from where the log ends now: everything of before has to be read.
    pub(crate) fn new(user: &str, peers: &[String], connected: &Value) -> Self {
        let histories = peers.iter().map(|peer| Errand::History { peer: peer.clone(), before: None });
        Self {
            user: user.to_owned(),
            position: Position::of(&connected["position"]),
            unread: signed(&connected["unread"]),
            chats: peers.iter().map(|peer| (peer.clone(), Chat::default())).collect(),
            errands: std::iter::once(Errand::List).chain(histories).collect(),
            is_overtaken: false,
        }
    }

    pub(crate) fn seen(&self) -> BTreeMap<&str, &Seen> {
        self.chats.iter().map(|(peer, chat)| (peer.as_str(), &chat.seen)).collect()
    }

    /// Takes a push, which must be the next entry of the log.
    pub(crate) fn push(&mut self, frame: &Value) {
        let position = Position::of(&frame["position"]);
        let next = Position { offset: self.position.offset + 1, ..self.position.clone() };
        assert_eq!(position, next, "every change comes once, in order: {frame}");
        self.position = position;
        let unread = signed(&frame["unread"]);
        let by = unread - self.unread;
        self.unread = unread;
        match frame["push"].as_str().unwrap() {
            "message" => self.message(&frame["message"], by),
            "read" => self.read(frame, by),
            "recalled" | "edited" | "confirmed" => {
                let (place, shown) = Shown::of(&frame["message"]);
                let chat = self.counted(&peer_of(&self.user, &frame["message"]), by);
                match chat.seen.messages.get_mut(&place) {
                    Some(known) => known.update(shown),
                    // It was deleted, or is still to be read: an answer on its way may have it as it was.
                    None => self.is_overtaken = true,
                }
            }
            "deleted" => {
                let (place, _) = Shown::of(&frame["message"]);
                self.is_overtaken = true;
                let chat = self.counted(&peer_of(&self.user, &frame["message"]), by);
                chat.seen.messages.remove(&place);
            }
            "conversation" => self.view(frame),
            other => panic!("nothing else happens: {other}"),
        }
    }

    fn message(&mut self, message: &Value, by: i64) {
        let offset = self.position.offset;
        let (place, shown) = Shown::of(message);
        let chat = self.counted(&peer_of(&self.user, message), by);
        let (_, seq) = place;
        if let Some((last, ..)) = chat.told.last() {
            assert_eq!(seq, last + 1, "the next message of the conversation: {message}");
        }
        chat.told.push((seq, shown.from.clone(), shown.random));
        if chat.is_news(offset) {
            (chat.has_head, chat.seen.is_listed) = (true, true);
        }
        chat.put(place, shown);
    }

    fn read(&mut self, frame: &Value, by: i64) {
        let (reader, peer) = (text(&frame["reader"]), text(&frame["peer"]));
        let until = number(&frame["read_until"]);
        if reader == self.user {
            let seen = &mut self.counted(&peer, by).seen;
            seen.read_until = seen.read_until.max(until);
        } else {
            let seen = &mut self.counted(&reader, by).seen;
            seen.peer_read_until = seen.peer_read_until.max(until);
        }
    }

    fn view(&mut self, frame: &Value) {
        let (peer, change) = (text(&frame["peer"]), frame["change"].as_str().unwrap());
        let offset = self.position.offset;
        let chat = self.chats.get_mut(&peer).expect("a conversation with somebody who is here");
        if ["erased", "cleared"].contains(&change) {
            self.is_overtaken = true;
            chat.seen.messages.clear();
        }
        if change == "noted" {
            self.errands.push_back(Errand::Entry { peer });
            return;
        }
        if !chat.is_news(offset) {
            return;
        }
        match change {
            "removed" | "erased" => {
                chat.has_head = false;
                let seen = &mut chat.seen;
                (seen.is_pinned, seen.marks, seen.unread) = (false, Value::Array(Vec::new()), 0);
            }
            "cleared" => chat.seen.unread = 0,
            "pinned" => chat.seen.is_pinned = true,
            "unpinned" => chat.seen.is_pinned = false,
            other => panic!("there is no such change: {other}"),
        }
        chat.seen.is_listed = chat.has_head || chat.seen.is_pinned;
    }

    /// The conversation, with the unread messages that the current push made more or less of it.
    fn counted(&mut self, peer: &str, by: i64) -> &mut Chat {
        let offset = self.position.offset;
        let chat = self.chats.get_mut(peer).expect("a conversation with somebody who is here");
        if chat.is_news(offset) {
            chat.seen.unread += by;
            assert!(chat.seen.unread >= 0, "no more is read of {peer} than was unread");
        }
        chat
    }

    /// The first errand is on its way from now on.
    pub(crate) fn asks(&mut self) {
        self.is_overtaken = false;
    }

    /// Takes the answer to the first errand.
    pub(crate) fn answered(&mut self, answer: &Value) {
        let errand = self.errands.pop_front().expect("an answer has a question");
        let is_old = answer["position"]["offset"].as_u64().is_some_and(|as_of| as_of < self.position.offset);
        match errand {
            // Pushes that came before the answer know more.
            Errand::List | Errand::Entry { .. } if is_old => self.errands.push_front(errand),
            Errand::List => {
                assert_eq!(answer["next"], Value::Null, "all of it is on one page");
                let mut unlisted: BTreeSet<String> = self.chats.keys().cloned().collect();
                self.adopt(answer, &mut unlisted);
                // What is out of the list has a history all the same, and marks of what was read in it.
                self.errands.extend(unlisted.into_iter().map(|peer| Errand::Entry { peer }));
            }
            Errand::Entry { peer } => self.adopt(answer, &mut BTreeSet::from([peer])),
            Errand::History { .. } if self.is_overtaken => self.errands.push_front(errand),
            Errand::History { peer, .. } => {
                let page = answer["messages"].as_array().unwrap();
                let chat = self.chats.get_mut(&peer).unwrap();
                page.iter().map(Shown::of).for_each(|(place, shown)| chat.put(place, shown));
                if answer["complete"] == false {
                    let before = Some(text(&answer["next"]));
                    self.errands.push_front(Errand::History { peer, before });
                }
            }
        }
    }

    /// Takes over entries of the list. Of `unlisted` there may be nothing to show.
    fn adopt(&mut self, answer: &Value, unlisted: &mut BTreeSet<String>) {
        let as_of = number(&answer["position"]["offset"]);
        for entry in answer["conversations"].as_array().unwrap() {
            let peer = text(&entry["peer"]);
            unlisted.remove(&peer);
            self.chats.get_mut(&peer).unwrap().adopt(entry, as_of);
        }
        for peer in unlisted.iter() {
            let chat = self.chats.get_mut(peer).unwrap();
            (chat.as_of, chat.has_head) = (Some(as_of), false);
            let seen = &mut chat.seen;
            (seen.unread, seen.is_listed, seen.is_pinned) = (0, false, false);
            seen.marks = Value::Array(Vec::new());
        }
    }
}

impl Chat {
    /// Whether the list's entry does not know of a change yet.
    fn is_news(&self, offset: u64) -> bool {
        self.as_of.is_some_and(|as_of| offset > as_of)
    }

    fn put(&mut self, place: (u64, u64), shown: Shown) {
        match self.seen.messages.get_mut(&place) {
            Some(known) => known.update(shown),
            None => drop(self.seen.messages.insert(place, shown)),
        }
    }

    fn adopt(&mut self, entry: &Value, as_of: u64) {
        let seen = &mut self.seen;
        seen.peer_read_until = seen.peer_read_until.max(number(&entry["peer_read_until"]));
        seen.read_until = seen.read_until.max(number(&entry["read_until"]));
        self.as_of = Some(as_of);
        self.has_head = number(&entry["time"]) > 0;
        seen.unread = signed(&entry["unread"]);
        seen.is_pinned = entry["pinned"] == true;
        seen.is_listed = self.has_head || seen.is_pinned;
        seen.marks = entry["marks"].clone();
    }
}

/// Whose conversation with the user a message belongs to.
fn peer_of(user: &str, message: &Value) -> String {
    let (from, to) = (&message["From_Account"], &message["To_Account"]);
    text(if from == user { to } else { from })
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("a text, and not {value}")).to_owned()
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("a number, and not {value}"))
}

fn signed(value: &Value) -> i64 {
    value.as_i64().unwrap_or_else(|| panic!("a number, and not {value}"))
}
