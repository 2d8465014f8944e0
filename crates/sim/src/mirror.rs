//! What a device has of its user's log, and what an app would make of it.

use chat::conversation::{Alteration, Position, RelationNews, ViewChange};
use chat::port::LogRecord;
use chat::{Change, Inbox, Message, UserId};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A part of a user's log as a device received it, from a place where it started.
#[derive(Debug)]
pub(crate) struct Stretch {
    pub(crate) epoch: u64,
    pub(crate) start: u64,
    pub(crate) records: Vec<LogRecord>,
}

impl Stretch {
    pub(crate) fn at(position: Position) -> Self {
        Self { epoch: position.epoch, start: position.offset, records: Vec::new() }
    }

    pub(crate) fn at_end(inbox: &Inbox) -> Self {
        Self::at(inbox.position())
    }

    pub(crate) fn position(&self) -> Position {
        Position { epoch: self.epoch, offset: self.start + self.records.len() as u64 }
    }
}

/// What the pushes of a stretch add up to, by nothing but themselves.
#[derive(Debug, Default)]
pub(crate) struct Mirror {
    pub(crate) chats: BTreeMap<UserId, Chatted>,
    pub(crate) friends: BTreeSet<UserId>,
    pub(crate) blocked: BTreeSet<UserId>,
    /// Who waits for an answer.
    pub(crate) asked: BTreeSet<UserId>,
    /// Everything that is unread.
    pub(crate) unread: u32,
}

/// One conversation on a device.
#[derive(Debug, Default)]
pub(crate) struct Chatted {
    /// By number, each as it was last received.
    pub(crate) messages: BTreeMap<u64, Arc<Message>>,
    /// By how much the pushes of this conversation changed the total; never negative from the beginning of a log.
    pub(crate) unread: i64,
    pub(crate) listed: bool,
    pub(crate) pinned: bool,
}

impl Mirror {
    pub(crate) fn of(user: &UserId, stretch: &Stretch) -> Self {
        let mut mirror = Self::default();
        let mut is_first = stretch.start > 0;
        for record in &stretch.records {
            let entry = &record.entry;
            let unread_by = if is_first { 0 } else { i64::from(entry.unread) - i64::from(mirror.unread) };
            is_first = false;
            mirror.unread = entry.unread;
            mirror.take(user, record, unread_by);
        }
        mirror
    }

    fn take(&mut self, user: &UserId, record: &LogRecord, unread_by: i64) {
        let peer = match record.entry.change {
            Change::Message { peer, .. } | Change::Altered { peer, .. } | Change::View { peer, .. } => peer,
            Change::Read { reader, peer, .. } => {
                if reader == *user {
                    peer
                } else {
                    reader
                }
            }
            Change::Relation { peer, how } => return self.relate(peer, how),
            Change::Profile => return,
        };
        let chatted = self.chats.entry(peer).or_default();
        chatted.unread += unread_by;
        match (record.entry.change, &record.message) {
            (Change::Message { seq, .. }, Some(message)) => {
                chatted.messages.insert(seq, Arc::clone(message));
                chatted.listed |= !message.delivery.no_last;
            }
            (Change::Altered { seq, how: Alteration::Deleted, .. }, _) => drop(chatted.messages.remove(&seq)),
            // A message of before the device's time is none of its business.
            (Change::Altered { seq, .. }, Some(message)) => {
                if let Some(known) = chatted.messages.get_mut(&seq) {
                    *known = Arc::clone(message);
                }
            }
            (Change::View { how, .. }, _) => chatted.view(how),
            _ => {}
        }
    }

    fn relate(&mut self, peer: UserId, how: RelationNews) {
        match how {
            RelationNews::Befriended => drop(self.friends.insert(peer)),
            RelationNews::Unfriended => drop(self.friends.remove(&peer)),
            RelationNews::Blocked => drop(self.blocked.insert(peer)),
            RelationNews::Unblocked => drop(self.blocked.remove(&peer)),
            RelationNews::Asked => drop(self.asked.insert(peer)),
            RelationNews::Unasked | RelationNews::Noted | RelationNews::Grouped => {}
        }
        if matches!(how, RelationNews::Befriended | RelationNews::Blocked | RelationNews::Unasked) {
            self.asked.remove(&peer);
        }
    }
}

impl Chatted {
    fn view(&mut self, how: ViewChange) {
        match how {
            ViewChange::Removed => (self.listed, self.pinned) = (false, false),
            ViewChange::Erased => {
                (self.listed, self.pinned) = (false, false);
                self.messages.clear();
            }
            ViewChange::Cleared => self.messages.clear(),
            // What was noted has to be asked for.
            ViewChange::Noted => {}
            ViewChange::Pinned => self.pinned = true,
            ViewChange::Unpinned => self.pinned = false,
        }
    }
}
