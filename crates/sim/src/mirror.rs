//! What a device has of its user's log, and what an app makes of it: its own copy of every conversation, which it keeps
//! up to date by what is pushed, after it has read what there was before.

use chat::contact::Contact;
use chat::conversation::{Alteration, LogEntry, Position, RelationNews, ViewChange};
use chat::port::{ContactsPage, HistoryPage, LogRecord, MessageKey};
use chat::{Change, Inbox, Message, UserId};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
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

/// Something of before its time that a device has to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Errand {
    List,
    History { peer: UserId, behind: Option<MessageKey> },
}

/// What was read. It is of the moment of the reading, and arrives later.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    List(ContactsPage),
    History(HistoryPage),
}

/// What pushes and answers add up to, by nothing but themselves.
#[derive(Debug, Clone, Default)]
pub(crate) struct Mirror {
    pub(crate) chats: BTreeMap<UserId, Chatted>,
    pub(crate) friends: BTreeSet<UserId>,
    pub(crate) blocked: BTreeSet<UserId>,
    /// Who waits for an answer.
    pub(crate) asked: BTreeSet<UserId>,
    /// Everything that is unread.
    pub(crate) unread: u32,
    /// In this order; a device that began with the log itself reads no history.
    pub(crate) errands: VecDeque<Errand>,
    /// The last change that it knows.
    pub(crate) offset: u64,
    /// The change up to which the list was read. Until it is, there is nothing that a change could be added to.
    list_offset: Option<u64>,
    /// Something was changed that is not here while an answer was on its way, which may have it as it was.
    overtaken: bool,
}

/// One conversation on a device.
#[derive(Debug, Clone, Default)]
pub(crate) struct Chatted {
    /// By number, each as it was last received.
    pub(crate) messages: BTreeMap<u64, Arc<Message>>,
    /// By how much the pushes of this conversation changed the total; never negative from the beginning of a log.
    pub(crate) unread: i64,
    pub(crate) listed: bool,
    pub(crate) pinned: bool,
    /// Up to when the user, and the peer, have read.
    pub(crate) read_until_s: [u64; 2],
}

impl Mirror {
    /// Of a device that is there from the beginning of its log. What the two told one another to have read may be older
    /// than the log, and is read with the list.
    pub(crate) fn from_the_beginning() -> Self {
        Self { list_offset: Some(0), errands: VecDeque::from([Errand::List]), ..Self::default() }
    }

    /// Of a device that begins at the end of the log, and reads everything of before.
    pub(crate) fn at_end(inbox: &Inbox, peers: &[UserId]) -> Self {
        let histories = peers.iter().map(|peer| Errand::History { peer: *peer, behind: None });
        let errands = std::iter::once(Errand::List).chain(histories).collect();
        Self { unread: inbox.unread, offset: inbox.offset, errands, ..Self::default() }
    }

    pub(crate) fn of(user: &UserId, stretch: &Stretch) -> Self {
        let mut mirror = Self::from_the_beginning();
        stretch.records.iter().for_each(|record| mirror.take(user, record));
        mirror
    }

    /// Takes the next change.
    pub(crate) fn take(&mut self, user: &UserId, record: &LogRecord) {
        let LogEntry { offset, unread, .. } = record.entry;
        let unread_by = i64::from(unread) - i64::from(self.unread);
        (self.offset, self.unread) = (offset, unread);
        let is_news = self.list_offset.is_some_and(|list_offset| offset > list_offset);
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
        if is_news {
            chatted.unread += unread_by;
        }
        match (record.entry.change, &record.message) {
            (Change::Message { seq, .. }, Some(message)) => {
                chatted.put(seq, message);
                chatted.listed |= is_news && !message.delivery.no_last;
            }
            (Change::Altered { seq, how: Alteration::Deleted, .. }, _) => {
                chatted.messages.remove(&seq);
                self.overtaken = true;
            }
            (Change::Altered { seq, .. }, Some(message)) if chatted.messages.contains_key(&seq) => {
                chatted.put(seq, message);
            }
            // It was deleted, or is still to be read: an answer on its way may have it as it was.
            (Change::Altered { .. }, _) => self.overtaken = true,
            (Change::View { how, .. }, _) => {
                if matches!(how, ViewChange::Erased | ViewChange::Cleared) {
                    chatted.messages.clear();
                    self.overtaken = true;
                }
                if is_news {
                    chatted.view(how);
                }
            }
            (Change::Read { reader, time_s, .. }, _) => {
                // In a conversation with oneself, both are the same.
                let is_of = [reader == *user, reader != *user || peer == *user];
                for (until_s, _) in chatted.read_until_s.iter_mut().zip(is_of).filter(|(_, is_of)| *is_of) {
                    *until_s = time_s.max(*until_s);
                }
            }
            _ => {}
        }
    }

    /// The first errand is on its way.
    pub(crate) fn asks(&mut self) {
        self.overtaken = false;
    }

    /// Takes the answer to the first errand, unless changes that came before it know better: then it is asked again.
    /// `trusts`: a bug put in on purpose.
    pub(crate) fn answered(&mut self, answer: Answer, trusts: bool) {
        let Some(errand) = self.errands.front().cloned() else { return };
        match (errand, answer) {
            (Errand::List, Answer::List(page)) => {
                if page.inbox.offset < self.offset && !trusts {
                    return;
                }
                self.errands.pop_front();
                let counts = self.list_offset.is_none();
                page.contacts.iter().for_each(|contact| self.adopt(contact, counts));
                if counts {
                    self.list_offset = Some(page.inbox.offset);
                }
            }
            (Errand::History { peer, .. }, Answer::History(page)) => {
                if self.overtaken && !trusts {
                    return;
                }
                self.errands.pop_front();
                let next = page.next;
                let chatted = self.chats.entry(peer).or_default();
                page.messages.into_iter().for_each(|message| chatted.put(message.seq, &Arc::new(message)));
                if next.is_some() {
                    self.errands.push_front(Errand::History { peer, behind: next });
                }
            }
            (errand, answer) => panic!("{answer:?} is no answer to {errand:?}"),
        }
    }

    fn adopt(&mut self, contact: &Contact, counts: bool) {
        let chatted = self.chats.entry(contact.peer).or_default();
        for (known, until_s) in
            chatted.read_until_s.iter_mut().zip([contact.read_until_s, contact.peer_read_until_s])
        {
            *known = until_s.max(*known);
        }
        if counts {
            chatted.unread = i64::from(contact.unread);
            (chatted.listed, chatted.pinned) = (contact.time_s > 0, contact.pinned_ms > 0);
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
    /// What is done to a message is not undone, and an answer may be older than a change that came before it.
    fn put(&mut self, seq: u64, message: &Arc<Message>) {
        let age = |message: &Message| (message.fate.recalled, message.fate.version, message.fate.confirmed);
        let known = self.messages.entry(seq).or_insert_with(|| Arc::clone(message));
        if age(message) >= age(known) {
            *known = Arc::clone(message);
        }
    }

    fn view(&mut self, how: ViewChange) {
        match how {
            ViewChange::Removed => (self.listed, self.pinned) = (false, false),
            ViewChange::Erased => (self.listed, self.pinned) = (false, false),
            // The list stays as it is; what was noted has to be asked for.
            ViewChange::Cleared | ViewChange::Noted => {}
            ViewChange::Pinned => self.pinned = true,
            ViewChange::Unpinned => self.pinned = false,
        }
    }
}
