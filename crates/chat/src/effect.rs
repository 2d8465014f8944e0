//! What a change leaves behind besides itself: entries in people's logs, and facts for the event log.
//!
//! A rule says what; the store puts it into the commit of the change, and answers with what [`Told`] has.

use crate::conversation::Change;
use crate::event::{EventId, Fact};
use crate::id::UserId;
use crate::port::Hint;

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Effects {
    pub entries: Vec<Entry>,
    pub facts: Vec<Fact>,
}

/// An entry for the log of a user. Whoever has no account has no log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    pub user: UserId,
    pub change: Change,
    /// By how much the user's unread total changes.
    pub unread_by: i64,
}

impl Effects {
    pub fn is_none(&self) -> bool {
        self.entries.is_empty() && self.facts.is_empty()
    }

    pub fn enter(&mut self, user: UserId, change: Change, unread_by: i64) {
        self.entries.push(Entry { user, change, unread_by });
    }
}

/// What came of the effects of a commit: hints for sessions, and the events to be told.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Told {
    pub hints: Vec<(UserId, Hint)>,
    pub events: Vec<EventId>,
}
