//! What a commit changes: the conversation, the two people's inboxes, and their logs.
//!
//! These are the read-modify-write rules that every store applies inside its commit. They live here once, so that
//! a store only has to keep the results, and cannot count differently from another.

use crate::id::{Side, UserId};
use crate::message::Message;

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

    /// Changes the count by what came in or was read.
    pub fn count(&mut self, by: i64) {
        let unread = i64::from(self.unread) + by;
        self.unread = u32::try_from(unread).expect("no more is read than was unread");
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
    /// Something happened to the message that stands at (`time_s`, `seq`).
    Altered { peer: UserId, time_s: u64, seq: u64, how: Alteration },
    /// The user's own view of the conversation with `peer` changed.
    View { peer: UserId, how: ViewChange },
    /// What the user and `peer` are to one another changed.
    Relation { peer: UserId, how: RelationNews },
    /// The user's own profile was written to.
    Profile,
}

/// What happened to a message. The numbers are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alteration {
    Recalled = 1,
    Edited = 2,
    /// Its recipient has confirmed that it was read.
    Confirmed = 3,
    /// Its key-value pairs changed.
    Extended = 4,
    /// The owner of the log has taken it out of their own history.
    Deleted = 5,
}

impl Alteration {
    pub const ALL: [Self; 5] = [Self::Recalled, Self::Edited, Self::Confirmed, Self::Extended, Self::Deleted];
}

/// What a person did to their own view of a conversation. The numbers are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ViewChange {
    /// Taken out of the list; the history stays.
    Removed = 1,
    /// Taken out of the list, with the history.
    Erased = 2,
    Pinned = 3,
    Unpinned = 4,
    /// The history is gone; the conversation stays in the list.
    Cleared = 5,
    /// What the person has set or noted for the conversation.
    Noted = 6,
}

impl ViewChange {
    pub const ALL: [Self; 6] =
        [Self::Removed, Self::Erased, Self::Pinned, Self::Unpinned, Self::Cleared, Self::Noted];
}

/// What a person wants of messages from a peer. The numbers are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Notify {
    /// Devices get them, and ring.
    #[default]
    Ring = 0,
    /// Devices get them, and stay silent.
    Silent = 1,
    /// Nothing of them: what the peer's devices send goes as if the peer were blocked, and were not told so.
    Discard = 2,
}

impl Notify {
    pub const ALL: [Self; 3] = [Self::Ring, Self::Silent, Self::Discard];
}

/// What is new between two people, seen by one of them. The numbers are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RelationNews {
    /// The peer is on the user's friend list now.
    Befriended = 1,
    Unfriended = 2,
    Blocked = 3,
    Unblocked = 4,
    /// The peer wants to be friends.
    Asked = 5,
    /// What the user notes of the peer changed.
    Noted = 6,
    /// The peer's wish to be friends is gone without an agreement.
    Unasked = 7,
    /// The user's own friend groups were made, renamed or removed; the peer is the user.
    Grouped = 8,
}

impl RelationNews {
    pub const ALL: [Self; 8] = [
        Self::Befriended,
        Self::Unfriended,
        Self::Blocked,
        Self::Unblocked,
        Self::Asked,
        Self::Noted,
        Self::Unasked,
        Self::Grouped,
    ];
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
    /// Everything up to this time has been read as well.
    pub read_time_s: u64,
    /// Everything up to this message is no longer shown.
    pub cleared_seq: u64,
    /// Nothing that is shown is older than this. Only messages that were imported after the history was cleared can
    /// be older than the clearing.
    pub oldest_s: u64,
    /// The message that the conversation list shows and sorts by; 0 when there is none.
    pub head_seq: u64,
    pub head_time_s: u64,
    /// When it was pinned; 0 when it is not.
    pub pinned_ms: u64,
    /// The time up to which the person has said that everything is read, as the peer was told.
    pub read_until_s: u64,
    pub notify: Notify,
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

    /// Takes the next place for a message of another time. Numbers follow the commits, times do not.
    pub fn insert(&mut self, time_s: u64) -> Place {
        self.seq += 1;
        self.time_s = self.time_s.max(time_s);
        Place { seq: self.seq, time_s }
    }

    /// A place that no message so far stands behind.
    pub fn last(&self) -> Place {
        Place { seq: self.seq, time_s: self.time_s }
    }

    /// Marks everything as read for one side. `None` when nothing was unread, and then nothing is changed.
    pub fn read(&mut self, side: Side) -> Option<Read> {
        let place = self.last();
        let view = self.view(side);
        if view.unread == 0 {
            return None;
        }
        view.read_seq = place.seq;
        view.read_until_s = view.read_until_s.max(place.time_s);
        Some(Read { place, count: std::mem::take(&mut view.unread) })
    }

    /// Marks everything up to a time as read for one side, behind which so many messages are unread. `None` when
    /// nothing was unread up to there, and then nothing is changed.
    pub fn read_part(&mut self, side: Side, until_s: u64, unread_behind: u32) -> Option<Read> {
        let view = self.view(side);
        let count = view.unread - unread_behind;
        if count == 0 {
            return None;
        }
        view.read_time_s = view.read_time_s.max(until_s);
        view.read_until_s = view.read_until_s.max(until_s);
        view.unread = unread_behind;
        Some(Read { place: Place { seq: view.read_seq, time_s: until_s }, count })
    }

    /// Whether one of the two people has the message in their history.
    pub fn shows(&self, message: &Message, viewer: &UserId) -> bool {
        let view = &self.sides[message.side(viewer) as usize];
        message.seq > view.cleared_seq && message.visible_to(viewer)
    }

    pub fn view(&mut self, side: Side) -> &mut View {
        &mut self.sides[side as usize]
    }

    /// Whether the second of two people wants nothing of what the first sends.
    pub fn discards(&self, [from, to]: [UserId; 2]) -> bool {
        let side = if to < from { Side::Low } else { Side::High };
        from != to && self.sides[side as usize].notify == Notify::Discard
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
    /// Puts a message at the head, unless a newer one stands there.
    pub fn show(&mut self, place: Place) {
        if place.time_s >= self.head_time_s {
            self.head_seq = place.seq;
            self.head_time_s = place.time_s;
        }
    }

    /// Whether a message at this place is still to be read.
    pub fn is_unread(&self, place: Place) -> bool {
        place.seq > self.read_seq && place.time_s > self.read_time_s && place.seq > self.cleared_seq
    }

    /// Whether it is in the list of conversations.
    pub fn is_listed(&self) -> bool {
        self.head_seq > 0
    }

    /// Takes the conversation out of the list. What was unread in it counts no longer: nobody could read it there.
    /// Returns how much that was.
    pub fn remove(&mut self, last: Place) -> u32 {
        (self.head_seq, self.head_time_s, self.pinned_ms) = (0, 0, 0);
        self.read_seq = last.seq;
        std::mem::take(&mut self.unread)
    }

    /// Forgets the messages up to `last`, which is where the conversation ends.
    pub fn clear(&mut self, last: Place) {
        (self.unread, self.read_seq, self.read_time_s) = (0, last.seq, 0);
        (self.cleared_seq, self.oldest_s) = (last.seq, last.time_s);
    }

    /// Forgets everything for a person who is no more. What the peer was told to be read stays told.
    pub fn leave(&mut self, last: Place) {
        *self = Self { read_until_s: self.read_until_s, ..Self::default() };
        self.clear(last);
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

    /// Stores keep the state of every conversation that is under way in memory, and write it with every message.
    #[test]
    fn the_state_of_a_conversation_stays_small() {
        assert_eq!((size_of::<View>(), size_of::<Conversation>()), (72, 160));
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
