//! What a commit changes: the conversation, the two people's inboxes, and their logs.
//!
//! These are the read-modify-write rules that every store applies inside its commit. They live here once, so that
//! a store only has to keep the results, and cannot count differently from another.

use crate::id::{Side, UserId};

/// A place in a user's log. Offsets are only comparable within an epoch.
///
/// The epoch changes when the log cannot go on from old positions: the account was deleted and made anew, or the
/// entries a device would need have been trimmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    pub epoch: u64,
    /// Number of the last entry seen; 0 is the beginning.
    pub offset: u64,
}

/// The state of a user's log: where it ends, and the exact count that goes with that place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Inbox {
    pub epoch: u64,
    pub offset: u64,
    /// Unread messages over all conversations.
    pub unread: u32,
}

impl Inbox {
    pub fn new(epoch: u64) -> Self {
        Self { epoch, offset: 0, unread: 0 }
    }

    pub fn position(&self) -> Position {
        Position { epoch: self.epoch, offset: self.offset }
    }

    /// Adds an entry. The entry carries the unread total after it, so the last one is also the inbox's state.
    pub fn log(&mut self, change: Change) -> LogEntry {
        self.offset += 1;
        LogEntry { offset: self.offset, unread: self.unread, change }
    }
}

/// One entry of a user's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogEntry {
    pub offset: u64,
    /// The user's unread total after this change.
    pub unread: u32,
    pub change: Change,
}

/// What happened in a user's world. Small: a message is named, not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// A message to or from `peer`, found at (`time_s`, `seq`) of the conversation.
    Message { peer: UserId, time_s: u64, seq: u64 },
    /// `reader` has read the conversation with `peer` up to `seq`, whose message is of `time_s`.
    /// Both people's logs have it: the reader's other devices clear their count, the peer learns of it.
    Read { reader: UserId, peer: UserId, time_s: u64, seq: u64 },
}

/// The state of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Conversation {
    /// Messages so far; the number of the last one.
    pub seq: u64,
    /// Time of the last message.
    pub time_s: u64,
    pub sides: [View; 2],
}

/// What one of the two people has of the conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct View {
    pub unread: u32,
    /// Everything up to this message has been read.
    pub read_seq: u64,
    /// Everything up to this message is no longer shown.
    pub cleared_seq: u64,
    /// The message that the conversation list shows and sorts by; 0 when there is none.
    pub head_seq: u64,
    pub head_time_s: u64,
}

/// The place a new message was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    pub seq: u64,
    pub time_s: u64,
}

impl Conversation {
    /// Where a message sent at `now_s` would stand. Time never goes back within a conversation.
    pub fn next(&self, now_s: u64) -> Place {
        Place { seq: self.seq + 1, time_s: self.time_s.max(now_s) }
    }

    /// Takes the next place for a message.
    pub fn advance(&mut self, now_s: u64) -> Place {
        let place = self.next(now_s);
        self.seq = place.seq;
        self.time_s = place.time_s;
        place
    }

    /// The place of the last message.
    pub fn last(&self) -> Place {
        Place { seq: self.seq, time_s: self.time_s }
    }

    /// Marks everything as read for one side. `None` when nothing was unread.
    pub fn read(&mut self, side: Side) -> Option<Read> {
        let place = self.last();
        let view = self.view(side);
        let count = std::mem::take(&mut view.unread);
        view.read_seq = place.seq;
        (count > 0).then_some(Read { place, count })
    }

    pub fn view(&mut self, side: Side) -> &mut View {
        &mut self.sides[side as usize]
    }
}

/// What marking a conversation as read came to.
#[derive(Debug, Clone, Copy)]
pub struct Read {
    pub place: Place,
    /// Messages that were unread.
    pub count: u32,
}

impl View {
    pub fn show(&mut self, place: Place) {
        self.head_seq = place.seq;
        self.head_time_s = place.time_s;
    }

    /// Forgets everything up to `place`: the view of a person who has left.
    pub fn clear(&mut self, place: Place) {
        *self = Self { read_seq: place.seq, cleared_seq: place.seq, ..Self::default() };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_never_goes_back_and_numbers_have_no_gap() {
        let mut conversation = Conversation::default();
        let places = [100, 105, 103, 105, 106].map(|now_s| conversation.advance(now_s));
        assert_eq!(places.map(|place| place.time_s), [100, 105, 105, 105, 106]);
        assert_eq!(places.map(|place| place.seq), [1, 2, 3, 4, 5]);
    }

    #[test]
    fn a_log_entry_carries_the_state_of_its_inbox() {
        let mut inbox = Inbox::new(7);
        inbox.unread = 3;
        let peer = UserId::new("bo").unwrap();
        let entry = inbox.log(Change::Message { peer, time_s: 1, seq: 1 });
        assert_eq!((entry.offset, entry.unread), (1, 3));
        assert_eq!(inbox.position(), Position { epoch: 7, offset: 1 });
    }
}
