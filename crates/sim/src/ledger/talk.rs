//! One conversation as its commits made it: every message in all its versions, and what each of the two has of it.

use super::Tag;
use chat::alter::Extensions;
use chat::contact::Notes;
use chat::conversation::Notify;
use chat::{ConversationId, Message, UserId};
use std::cmp::Reverse;
use std::sync::Arc;

#[derive(Debug)]
pub(crate) struct Talk {
    pub(crate) id: ConversationId,
    /// In the order of their commits, which is that of their numbers.
    pub(crate) messages: Vec<Kept>,
    sides: [Seen; 2],
    /// What either has noted of it.
    notes: [Notes; 2],
}

#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) tag: Tag,
    /// As it stood after each commit that touched it.
    pub(crate) versions: Vec<Arc<Message>>,
    /// Its recipient has still to read it.
    pub(crate) unread: bool,
    pub(crate) pairs: Extensions,
}

/// What one of the two people has of the conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Seen {
    /// Messages up to this number are not shown any more.
    pub(super) cleared_seq: u64,
    /// What was ever marked as read up to a time; an import of before it is old news.
    pub(super) read_s: u64,
    /// Time and number of the message that stands for the conversation in the list.
    pub(crate) head: Option<(u64, u64)>,
    pub(crate) pinned_ms: u64,
    /// The time up to which the peer was told that it is read.
    pub(crate) read_until_s: u64,
    pub(crate) notify: Notify,
}

impl Kept {
    pub(crate) fn new(tag: Tag, message: Arc<Message>, unread: bool) -> Self {
        Self { tag, versions: vec![message], unread, pairs: Extensions::default() }
    }

    /// As it was when it came.
    pub(crate) fn first(&self) -> &Message {
        self.versions.first().expect("a message has a first version")
    }

    pub(crate) fn last(&self) -> &Arc<Message> {
        self.versions.last().expect("a message has a first version")
    }
}

impl Talk {
    pub(super) fn new(id: ConversationId) -> Self {
        Self { id, messages: Vec::new(), sides: [Seen::default(); 2], notes: Default::default() }
    }

    pub(crate) fn is_of(&self, user: &UserId) -> bool {
        *user == self.id.low || *user == self.id.high
    }

    pub(crate) fn len(&self) -> u64 {
        self.messages.len() as u64
    }

    /// The time of the message that is newest by time.
    pub(crate) fn newest_s(&self) -> u64 {
        self.messages.iter().map(|kept| kept.first().time_s).max().unwrap_or(0)
    }

    pub(crate) fn side(&self, user: &UserId) -> Seen {
        self.sides[self.id.side(user) as usize]
    }

    pub(super) fn side_mut(&mut self, user: &UserId) -> &mut Seen {
        &mut self.sides[self.id.side(user) as usize]
    }

    pub(crate) fn notes(&self, user: &UserId) -> &Notes {
        &self.notes[self.id.side(user) as usize]
    }

    pub(super) fn notes_mut(&mut self, user: &UserId) -> &mut Notes {
        &mut self.notes[self.id.side(user) as usize]
    }

    pub(crate) fn unread(&self, user: &UserId) -> u32 {
        self.messages.iter().filter(|kept| kept.unread && kept.first().to == *user).count() as u32
    }

    /// Nothing that fits is to be read by the user any more.
    pub(super) fn read(&mut self, user: &UserId, fits: impl Fn(&Message) -> bool) {
        let theirs = self.messages.iter_mut().filter(|kept| kept.first().to == *user && fits(kept.first()));
        theirs.for_each(|kept| kept.unread = false);
    }

    /// Puts a message at the head for the user, unless a newer one stands there.
    pub(super) fn show(&mut self, user: &UserId, message: &Message) {
        let seen = self.side_mut(user);
        seen.head = seen.head.max(Some((message.time_s, message.seq)));
    }

    /// Nothing of it is left for the user, but what was told to the other.
    pub(super) fn leave(&mut self, user: &UserId) {
        self.clear(user);
        let Seen { cleared_seq, read_until_s, .. } = self.side(user);
        *self.side_mut(user) = Seen { cleared_seq, read_until_s, ..Seen::default() };
        *self.notes_mut(user) = Notes::default();
    }

    /// It is not in the list of the user any more.
    pub(super) fn remove(&mut self, user: &UserId) {
        self.read(user, |_| true);
        let seen = self.side_mut(user);
        *seen = Seen { head: None, pinned_ms: 0, ..*seen };
        *self.notes_mut(user) = Notes::default();
    }

    /// The user has no history any more.
    pub(super) fn clear(&mut self, user: &UserId) {
        let cleared_seq = self.len();
        self.read(user, |_| true);
        let seen = self.side_mut(user);
        *seen = Seen { cleared_seq, read_s: 0, ..*seen };
    }

    /// The message that the user's list shows: of what is left, the newest that belongs there.
    pub(crate) fn listed(&self, user: &UserId) -> Option<&Message> {
        let (head_s, _) = self.side(user).head?;
        let is_listed = |message: &&Message| message.time_s <= head_s && !message.delivery.no_last;
        self.shown(user).into_iter().find(is_listed)
    }

    /// What the user finds in the history, newest first.
    pub(crate) fn shown(&self, viewer: &UserId) -> Vec<&Message> {
        let cleared_seq = self.side(viewer).cleared_seq;
        let messages = self.messages.iter().map(|kept| &**kept.last());
        let mut shown: Vec<&Message> =
            messages.filter(|message| message.seq > cleared_seq && is_seen(message, viewer)).collect();
        shown.sort_unstable_by_key(|message| Reverse((message.time_s, message.seq)));
        shown
    }
}

/// Whether one of its two people gets the message, and has kept it.
pub(super) fn is_seen(message: &Message, viewer: &UserId) -> bool {
    let low = message.from.min(message.to);
    if message.fate.deleted[usize::from(*viewer != low)] {
        return false;
    }
    let delivery = message.delivery;
    match (*viewer == message.from, *viewer == message.to) {
        (true, true) => true,
        (true, false) => !delivery.hidden_from_sender,
        (false, true) => !delivery.hidden_from_recipient,
        (false, false) => false,
    }
}
