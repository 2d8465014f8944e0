//! What truly became part of the store, noted at the moment of each commit.
//!
//! The store may forget: an account is deleted with its log, events are trimmed. The ledger forgets nothing, so
//! that checkers can also judge what devices and endpoints were told before.

use chat::conversation::Position;
use chat::port::{Append, Committed, Hint, LogRecord, ReadMark};
use chat::{AppId, ConversationId, Event, EventId, Inbox, Message, UserId};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Names a send, whatever becomes of its body: it travels as the message's custom data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Tag(pub(crate) u64);

impl Tag {
    pub(crate) fn of(custom_data: &[u8]) -> Self {
        Self(u64::from_be_bytes(custom_data.try_into().expect("every send carries its tag")))
    }
}

/// A user of an app, in one life of the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Life {
    pub(crate) app: AppId,
    pub(crate) user: UserId,
    pub(crate) epoch: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Ledger {
    /// In the order of their commits.
    pub(crate) messages: BTreeMap<ConversationId, Vec<Arc<Message>>>,
    /// Online-only messages, which are stored nowhere.
    pub(crate) online: Vec<(AppId, Arc<Message>)>,
    pub(crate) logs: BTreeMap<Life, Vec<LogRecord>>,
    /// Where the view of a person who left begins.
    pub(crate) cleared: BTreeMap<(ConversationId, UserId), u64>,
    /// The recipient's unread total after each stored message.
    pub(crate) unread: BTreeMap<Tag, u32>,
    pub(crate) marks_read: Vec<EventId>,
    /// Every event seen in the event log, trimmed ones included.
    pub(crate) events: BTreeMap<EventId, Event>,
}

impl Ledger {
    pub(crate) fn appended(&mut self, append: &Append, committed: &Committed) {
        let message = Arc::clone(&committed.message);
        if message.delivery.online_only {
            self.online.push((append.app, message));
        } else {
            self.messages.entry(append.conversation()).or_default().push(message);
        }
        if let Some(hint) = &committed.recipient {
            self.unread.insert(Tag::of(&append.custom_data), hint.record.entry.unread);
        }
        self.logged(append.app, append.to, committed.recipient.as_ref());
        self.logged(append.app, append.from, committed.sender.as_ref());
    }

    pub(crate) fn marked_read(&mut self, app: AppId, users: [UserId; 2], read: &ReadMark) {
        self.marks_read.push(read.event);
        self.logged(app, users[0], Some(&read.reader));
        self.logged(app, users[1], read.peer.as_ref());
    }

    pub(crate) fn deleted(&mut self, app: AppId, user: UserId) {
        for (id, messages) in &self.messages {
            if id.app == app && (id.low == user || id.high == user) {
                self.cleared.insert((*id, user), messages.last().map_or(0, |message| message.seq));
            }
        }
    }

    pub(crate) fn log(&self, life: Life) -> &[LogRecord] {
        self.logs.get(&life).map_or(&[], Vec::as_slice)
    }

    fn logged(&mut self, app: AppId, user: UserId, hint: Option<&Hint>) {
        if let Some(hint) = hint {
            let life = Life { app, user, epoch: hint.epoch };
            self.logs.entry(life).or_default().push(hint.record.clone());
        }
    }
}

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
