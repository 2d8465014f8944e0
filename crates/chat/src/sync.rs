//! How one device follows its user's log: what to push, what to skip, and when to read instead.
//!
//! Hints come fast but may be lost, late or doubled; the log has everything. A device is in one of two states:
//! it follows hints while each is the next entry, and it reads from its position as soon as one is not.

use crate::conversation::{Inbox, Position};
use crate::port::{Changes, LogRecord};

/// Where a device stands in its user's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Follower {
    position: Position,
    /// An entry beyond the next one is known to exist.
    behind: bool,
}

/// What to do with a hint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnHint {
    /// It is the next entry: push it.
    Push,
    /// The device has it.
    Skip,
    /// Entries are missing before it: read from the position.
    Read,
}

/// What to do with what was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OnRead {
    /// Push these, in order. `more` says that the log goes on behind them.
    Push { records: Vec<LogRecord>, more: bool },
    /// The device has to start anew from the given place.
    Resync(Inbox),
    /// The account is gone.
    Gone,
}

impl Follower {
    /// A device that presents `position`, which it may have from anywhere.
    pub fn resume(position: Position) -> Self {
        Self { position, behind: true }
    }

    /// A device that starts at the end of the log.
    pub fn at_end(inbox: &Inbox) -> Self {
        Self { position: inbox.position(), behind: false }
    }

    pub fn position(&self) -> Position {
        self.position
    }

    /// Whether the log should be read now.
    pub fn is_behind(&self) -> bool {
        self.behind
    }

    /// Makes the device look at the log once more, in case a hint was lost.
    pub fn poll(&mut self) {
        self.behind = true;
    }

    /// Word of an entry at `hint`.
    pub fn hint(&mut self, hint: Position) -> OnHint {
        if hint.epoch != self.position.epoch {
            self.behind = true;
            return OnHint::Read;
        }
        if hint.offset <= self.position.offset {
            return OnHint::Skip;
        }
        if hint.offset == self.position.offset + 1 && !self.behind {
            self.position.offset += 1;
            return OnHint::Push;
        }
        self.behind = true;
        OnHint::Read
    }

    /// Takes what the store answered for [`Self::position`], asked for at most `limit` records.
    pub fn read(&mut self, changes: Changes, limit: usize) -> OnRead {
        match changes {
            Changes::Records(records) => {
                for record in &records {
                    assert!(
                        record.entry.offset == self.position.offset + 1,
                        "a user's log has no gaps: {} follows {}",
                        record.entry.offset,
                        self.position.offset
                    );
                    self.position.offset += 1;
                }
                let more = records.len() >= limit;
                self.behind = more;
                OnRead::Push { records, more }
            }
            Changes::Resync(inbox) => {
                *self = Self::at_end(&inbox);
                OnRead::Resync(inbox)
            }
            Changes::UnknownAccount => OnRead::Gone,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conversation::{Change, LogEntry};
    use crate::id::UserId;

    fn record(offset: u64) -> LogRecord {
        let change = Change::Message { peer: UserId::new("bo").unwrap(), time_s: 1, seq: offset };
        LogRecord { entry: LogEntry { offset, unread: 0, change }, message: None }
    }

    fn hint(epoch: u64, offset: u64) -> Position {
        Position { epoch, offset }
    }

    #[test]
    fn hints_are_pushed_skipped_or_make_it_read() {
        let mut follower = Follower::at_end(&Inbox { epoch: 1, offset: 4, unread: 0 });
        let seen = [(1, 4), (1, 5), (1, 5), (1, 7), (1, 6), (1, 3)].map(|(e, o)| follower.hint(hint(e, o)));
        use OnHint::{Push, Read, Skip};
        // After the gap at 7 even the right next entry waits for the read, which will bring it in order.
        assert_eq!(seen, [Skip, Push, Skip, Read, Read, Skip]);
        assert!(follower.is_behind());
        let read = follower.read(Changes::Records(vec![record(6), record(7)]), 10);
        assert_eq!(read, OnRead::Push { records: vec![record(6), record(7)], more: false });
        assert_eq!(follower.hint(hint(1, 8)), Push);
        assert_eq!(follower.hint(hint(2, 1)), Read);
    }

    #[test]
    fn a_full_page_means_there_is_more() {
        let mut follower = Follower::resume(Position { epoch: 1, offset: 0 });
        assert!(matches!(
            follower.read(Changes::Records(vec![record(1)]), 1),
            OnRead::Push { more: true, .. }
        ));
        assert!(follower.is_behind());
        assert!(matches!(follower.read(Changes::Records(vec![]), 1), OnRead::Push { more: false, .. }));
        assert!(!follower.is_behind());
    }

    #[test]
    #[should_panic(expected = "no gaps")]
    fn a_gap_in_the_log_is_never_passed_over() {
        Follower::resume(Position { epoch: 1, offset: 0 }).read(Changes::Records(vec![record(2)]), 10);
    }
}
