//! What the writer knows, and the group it is putting together.
//!
//! The only place where state is read, changed and written back: whoever is asked here has seen every earlier
//! operation, committed or not. It owns the caches and the duplicate guard; what the operations make of them is in
//! `apply`, and the rare ones that have to look at the database are in `remove` and `replay`.

use super::EmbeddedOptions;
use super::cache::{Cache, GroupNumber};
use super::codec::{self, LaneRow, RouteRow};
use super::engine::{Engine, Table};
use super::group::{Group, Sealed};
use super::key;
use super::operation::{Answer, Trim};
use chat::conversation::{Conversation, Inbox, LogEntry};
use chat::guard::DuplicateGuard;
use chat::port::{Hint, LogRecord, Route, StoreError, Stored};
use chat::{AppId, ConversationId, EventDraft, EventId, Lane, Message, UserId};
use rustc_hash::FxHashMap;
use std::sync::Arc;

mod apply;
mod load;
mod remove;
mod replay;

/// Lanes and routes are as few as apps and endpoints; this only keeps a mistake from filling the memory.
const LANES_CACHED_MAX: usize = 10_000;

pub(super) struct Ledger {
    engine: Arc<Engine>,
    accounts: Cache<(AppId, UserId), Account>,
    conversations: Cache<ConversationId, Pair>,
    lanes: Cache<Lane, Option<LaneEnd>>,
    routes: Cache<Route, RouteRow>,
    /// Where forgetting events goes on.
    sweeps: FxHashMap<Lane, Sweep>,
    guard: DuplicateGuard,
    group: Group,
    /// Number of the group that is put together.
    number: GroupNumber,
    committed: GroupNumber,
}

struct Account {
    exists: bool,
    inbox: Inbox,
    names: Option<Arc<Names>>,
}

#[derive(Default)]
struct Names {
    nick: Option<String>,
    face_url: Option<String>,
}

#[derive(Clone, Copy)]
struct Pair {
    /// `None` before the first message.
    conversation: Option<Conversation>,
    changed_in: GroupNumber,
}

/// Where a lane goes on.
#[derive(Clone, Copy)]
struct LaneEnd {
    row: LaneRow,
    last: u64,
}

/// A pass over the events of a lane that takes several calls.
struct Sweep {
    trim: Trim,
    passed: u64,
    /// Nothing was left standing so far.
    clean: bool,
    /// Deliveries are forgotten once in a pass, by its first call.
    deliveries_forgotten: bool,
}

impl Ledger {
    pub(super) fn new(engine: Arc<Engine>, options: &EmbeddedOptions) -> Self {
        Self {
            accounts: Cache::new(options.accounts_cached_max),
            conversations: Cache::new(options.conversations_cached_max),
            lanes: Cache::new(LANES_CACHED_MAX),
            routes: Cache::new(LANES_CACHED_MAX),
            sweeps: FxHashMap::default(),
            guard: DuplicateGuard::default(),
            group: Group::new(&engine, 1),
            number: 1,
            committed: 0,
            engine,
        }
    }

    pub(super) fn group(&self) -> &Group {
        &self.group
    }

    pub(super) fn answer(&mut self, answer: Answer) {
        self.group.answer(answer);
    }

    /// Ends the group, and begins the next.
    pub(super) fn seal(&mut self) -> Sealed {
        let expected = self.group.operations();
        let group = std::mem::replace(&mut self.group, Group::new(&self.engine, expected));
        let (conversations, number) = (&mut self.conversations, self.number);
        let sealed = group.seal(&self.engine, |id| {
            let pair =
                conversations.touch(id, number).expect("what a group changed is kept until its commit");
            pair.conversation.expect("a conversation that changed has begun")
        });
        self.number += 1;
        sealed
    }

    /// Everything that was sealed is in the database.
    pub(super) fn committed(&mut self) {
        self.committed = self.number - 1;
    }

    /// A commit failed. What was built on it fails too, and everything known is read again when it is needed.
    pub(super) fn failed(&mut self, error: &StoreError) {
        let group = std::mem::replace(&mut self.group, Group::new(&self.engine, 1));
        group.fail(error);
        self.accounts.clear();
        self.conversations.clear();
        self.lanes.clear();
        self.routes.clear();
        self.sweeps.clear();
        self.guard = DuplicateGuard::default();
        self.committed();
    }

    fn exists(&mut self, app: AppId, user: &UserId) -> Stored<bool> {
        self.account(app, user).map(|account| account.exists)
    }

    fn account(&mut self, app: AppId, user: &UserId) -> Stored<&mut Account> {
        let load = || load::account(&self.engine.snapshot(), app, user);
        self.accounts.touch_or_load(&(app, *user), self.number, self.committed, load)
    }

    /// The conversation, with the guard knowing its sends as far as they still matter at `now_s`.
    fn pair(&mut self, id: &ConversationId, now_s: u64) -> Stored<&mut Pair> {
        let load = || load::pair(&self.engine.snapshot(), id, now_s, &mut self.guard);
        self.conversations.touch_or_load(id, self.number, self.committed, load)
    }

    fn lane(&mut self, lane: Lane) -> Stored<&mut Option<LaneEnd>> {
        let load = || load::lane(&self.engine.snapshot(), lane);
        self.lanes.touch_or_load(&lane, self.number, self.committed, load)
    }

    fn route(&mut self, route: &Route) -> Stored<&mut RouteRow> {
        let load = || super::read::route(&self.engine.snapshot(), route);
        self.routes.touch_or_load(route, self.number, self.committed, load)
    }

    fn set_route(&mut self, route: &Route, row: RouteRow) -> Stored<()> {
        *self.route(route)? = row;
        self.group.set(Table::Routes, key::route(route), Some(codec::encode_route(row)));
        Ok(())
    }

    fn change_conversation(&mut self, id: &ConversationId, conversation: Conversation) {
        let pair =
            self.conversations.touch(id, self.number).expect("only a conversation that was read is changed");
        pair.conversation = Some(conversation);
        if pair.changed_in != self.number {
            pair.changed_in = self.number;
            self.group.conversation_changed(*id);
        }
    }

    /// Writes a log entry, with the state of the inbox after it.
    fn log(
        &mut self,
        (app, user): (AppId, UserId),
        inbox: Inbox,
        entry: LogEntry,
        message: Option<&Arc<Message>>,
    ) -> Hint {
        let account =
            self.accounts.touch(&(app, user), self.number).expect("only who was looked up gets an entry");
        account.inbox = inbox;
        self.group.put(
            &self.engine,
            Table::Logs,
            key::log_entry(app, &user, inbox.epoch, entry.offset),
            |value| codec::encode_log_entry(&user, &entry, value),
        );
        Hint { epoch: inbox.epoch, record: LogRecord { entry, message: message.cloned() } }
    }

    /// Writes an event at the end of a lane that was looked up.
    fn put_event(&mut self, lane: Lane, draft: &EventDraft) -> EventId {
        let end = self.lanes.touch(&lane, self.number).expect("only a lane that was looked up gets an event");
        let end = end.get_or_insert_with(|| {
            let row = LaneRow { epoch: draft.recorded_ms, gone: 0 };
            self.group.set(Table::Lanes, key::lane(lane), Some(codec::encode_lane(row)));
            LaneEnd { row, last: 0 }
        });
        end.last += 1;
        let id = EventId { lane, epoch: end.row.epoch, offset: end.last };
        self.group.put(&self.engine, Table::Events, key::event(lane, id.offset), |value| {
            codec::encode_event(draft, value);
        });
        id
    }
}
