//! What the writer knows, and the group it is putting together.
//!
//! The only place where state is read, changed and written back: whoever is asked here has seen every earlier
//! operation, committed or not. It owns the caches and the duplicate guard; what the operations make of them is in
//! `apply`, and the rare ones that have to look at the database are in `remove`.

use super::EmbeddedOptions;
use super::cache::{Cache, GroupNumber};
use super::codec::{self, AccountRow, LaneRow};
use super::engine::{Engine, Table};
use super::group::{Group, Sealed};
use super::key;
use super::operation::{Answer, Trim};
use chat::conversation::{Conversation, Inbox, LogEntry};
use chat::guard::{DUPLICATE_WINDOW_SECS, DuplicateGuard, FirstSend, SendKey};
use chat::port::{Hint, LogRecord, Route, StoreError, Stored};
use chat::{AppId, ConversationId, EventDraft, EventId, Lane, Message, UserId};
use rustc_hash::FxHashMap;
use std::sync::Arc;

mod apply;
mod remove;

/// Lanes and routes are as few as apps and endpoints; this only keeps a mistake from filling the memory.
const LANES_CACHED_MAX: usize = 10_000;

pub(super) struct Ledger {
    engine: Arc<Engine>,
    accounts: Cache<(AppId, UserId), Account>,
    conversations: Cache<ConversationId, Pair>,
    lanes: Cache<Lane, Option<LaneEnd>>,
    routes: Cache<Route, u64>,
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
        let key = (app, *user);
        // Looked up twice because the borrow of a hit would last into the miss.
        if self.accounts.touch(&key, self.number).is_none() {
            let account = self.load_account(app, user)?;
            return Ok(self.accounts.keep(key, account, self.number, self.committed));
        }
        Ok(self.accounts.touch(&key, self.number).expect("it was there a moment ago"))
    }

    fn load_account(&self, app: AppId, user: &UserId) -> Stored<Account> {
        let snapshot = self.engine.snapshot();
        let key = key::account(app, user);
        let Some(value) = snapshot.get(Table::Accounts, key)? else {
            return Ok(Account { exists: false, inbox: Inbox::new(0), names: None });
        };
        let row =
            codec::decode_account(&value).map_err(|what| Table::Accounts.corrupt(key.as_ref(), what))?;
        let AccountRow { exists, epoch, nick, face_url } = row;
        let inbox = if exists { super::read::inbox(&snapshot, app, user, epoch)? } else { Inbox::new(epoch) };
        let named = nick.is_some() || face_url.is_some();
        Ok(Account { exists, inbox, names: named.then(|| Arc::new(Names { nick, face_url })) })
    }

    /// The conversation, with the guard knowing its sends as far as they still matter at `now_s`.
    fn pair(&mut self, id: &ConversationId, now_s: u64) -> Stored<&mut Pair> {
        if self.conversations.touch(id, self.number).is_none() {
            let conversation = self.load_conversation(id, now_s)?;
            let pair = Pair { conversation, changed_in: 0 };
            return Ok(self.conversations.keep(*id, pair, self.number, self.committed));
        }
        Ok(self.conversations.touch(id, self.number).expect("it was there a moment ago"))
    }

    fn load_conversation(&mut self, id: &ConversationId, now_s: u64) -> Stored<Option<Conversation>> {
        let snapshot = self.engine.snapshot();
        let Some(conversation) = super::read::conversation(&snapshot, id)? else {
            return Ok(None);
        };
        // Nothing newer than the last message needs to be looked for.
        if conversation.time_s + DUPLICATE_WINDOW_SECS > now_s {
            for message in super::read::messages(&snapshot, id, u64::MAX) {
                let message = message?;
                if message.time_s + DUPLICATE_WINDOW_SECS <= now_s {
                    break;
                }
                self.guard.remember(&SendKey::of(id.app, &message), first_send(&message));
            }
        }
        Ok(Some(conversation))
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

    fn lane(&mut self, lane: Lane) -> Stored<&mut Option<LaneEnd>> {
        if self.lanes.touch(&lane, self.number).is_none() {
            let end = self.load_lane(lane)?;
            return Ok(self.lanes.keep(lane, end, self.number, self.committed));
        }
        Ok(self.lanes.touch(&lane, self.number).expect("it was there a moment ago"))
    }

    fn load_lane(&self, lane: Lane) -> Stored<Option<LaneEnd>> {
        let snapshot = self.engine.snapshot();
        let Some(row) = super::read::lane(&snapshot, lane)? else {
            return Ok(None);
        };
        let prefix = key::lane(lane);
        let (key, _) = snapshot
            .last(Table::Events, prefix)?
            .ok_or_else(|| Table::Events.corrupt(prefix.as_ref(), "a lane has lost its last event"))?;
        let last = key::offset_of(&key).map_err(|what| Table::Events.corrupt(&key, what))?;
        Ok(Some(LaneEnd { row, last }))
    }

    /// Writes an event at the end of a lane that was looked up.
    fn record(&mut self, lane: Lane, draft: &EventDraft) -> EventId {
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

    fn cursor(&mut self, route: &Route) -> Stored<&mut u64> {
        if self.routes.touch(route, self.number).is_none() {
            let cursor = super::read::cursor(&self.engine.snapshot(), route)?;
            return Ok(self.routes.keep(route.clone(), cursor, self.number, self.committed));
        }
        Ok(self.routes.touch(route, self.number).expect("it was there a moment ago"))
    }
}

fn first_send(message: &Message) -> FirstSend {
    FirstSend { time_s: message.time_s, client_time_s: message.client_time_s, wire_seq: message.wire_seq }
}
