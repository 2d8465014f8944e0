//! What the writer knows, and the group it is putting together.
//!
//! The only place where state is read, changed and written back: whoever is asked here has seen every earlier
//! operation, committed or not. It owns the caches and the duplicate guard; what the operations make of them is in the
//! files below, by what they change. Each operation loads everything it needs before it changes anything: one that
//! fails half-way leaves no trace. The exceptions are those that look for what to change in the database itself, which
//! are in `leave`, `trim` and `replay`: they have a group of their own.

use super::cache::{Cache, GroupNumber};
use super::codec::{self, LaneRow, RouteRow};
use super::engine::{Engine, Table};
use super::group::{Group, Sealed};
use super::key;
use super::operation::{Answer, Trim};
use super::writer::Bounds;
use chat::conversation::{Conversation, Inbox, LogEntry};
use chat::effect::{Effects, Told};
use chat::event::AfterSend;
use chat::guard::DuplicateGuard;
use chat::person::Person;
use chat::port::{Hint, LogRecord, Route, StoreError, Stored};
use chat::send::lane_of;
use chat::{AppId, ConversationId, EventDraft, EventId, Fact, Lane, Message, Origin, Outcome, UserId};
use rows::Rows;
use rustc_hash::{FxHashMap, FxHashSet};
use shared::Shared;
use std::sync::Arc;

mod shared;
mod rows;
mod load;
mod message;
mod view;
mod person;
mod token;
mod relation;
mod delivery;
mod lease;
mod leave;
mod trim;
mod replay;

/// Lanes and routes are as few as apps and endpoints; this only keeps a mistake from filling the memory.
const LANES_CACHED_MAX: usize = 10_000;

pub(super) struct Ledger {
    engine: Engine,
    accounts: Cache<(AppId, UserId), Account>,
    conversations: Cache<ConversationId, Pair>,
    rows: Rows,
    lanes: Cache<Lane, Option<LaneEnd>>,
    routes: Cache<Route, RouteRow>,
    /// Where forgetting events goes on.
    sweeps: FxHashMap<Lane, Sweep>,
    /// Apps that other nodes may change as well.
    shared: FxHashMap<AppId, Shared>,
    guard: DuplicateGuard,
    imported: Imported,
    group: Group,
    /// Number of the group that is put together.
    number: GroupNumber,
    committed: GroupNumber,
}

struct Account {
    exists: bool,
    epoch: u64,
    /// `None` as long as nobody has asked for it: finding the end of a log takes longer than the rest.
    inbox: Option<Inbox>,
    /// `None` for a person who has changed nothing, as most.
    person: Option<Arc<Person>>,
}

impl Account {
    fn person(&self) -> Person {
        self.person.as_deref().cloned().unwrap_or_default()
    }

    fn set_person(&mut self, person: Person) {
        self.person = (person != Person::default()).then(|| Arc::new(person));
    }
}

#[derive(Clone, Copy)]
struct Pair {
    /// `None` before it begins.
    conversation: Option<Conversation>,
    changed_in: GroupNumber,
    /// The guard knows its sends.
    guarded: bool,
}

/// What was put into the history, as far as the database does not have it yet: nothing else would find a second copy.
#[derive(Default)]
struct Imported {
    in_flight: FxHashSet<ImportedKey>,
    in_group: FxHashSet<ImportedKey>,
}

/// The conversation, and how the wire names the message: its sequence number, its random number, and its time.
type ImportedKey = (ConversationId, u32, u32, u64);

impl Imported {
    fn has(&self, key: &ImportedKey) -> bool {
        self.in_flight.contains(key) || self.in_group.contains(key)
    }
}

/// Rows that are looked at for one operation. Nobody else is served meanwhile, and how many there are is up to those
/// who send.
const LOOKS_MAX: usize = 1000;

/// Where a lane goes on.
#[derive(Clone, Copy)]
struct LaneEnd {
    row: LaneRow,
    last: u64,
}

/// Where effects come from.
#[derive(Clone, Copy)]
struct Cause {
    app: AppId,
    /// When and by whom, for changes that have facts.
    facts: Option<(u64, Origin)>,
}

impl Cause {
    fn without_facts(app: AppId) -> Self {
        Self { app, facts: None }
    }
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
    pub(super) fn new(engine: Engine, bounds: &Bounds) -> Self {
        Self {
            accounts: Cache::new(bounds.accounts_cached_max),
            conversations: Cache::new(bounds.conversations_cached_max),
            rows: Rows::new(),
            lanes: Cache::new(LANES_CACHED_MAX),
            routes: Cache::new(LANES_CACHED_MAX),
            sweeps: FxHashMap::default(),
            shared: FxHashMap::default(),
            guard: DuplicateGuard::default(),
            imported: Imported::default(),
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
            pair.conversation
        });
        // Nothing is in flight when a group ends.
        self.imported.in_flight = std::mem::take(&mut self.imported.in_group);
        self.number += 1;
        sealed
    }

    /// Everything that was sealed is in the database.
    pub(super) fn committed(&mut self) {
        self.committed = self.number - 1;
        self.imported.in_flight = FxHashSet::default();
    }

    /// A commit failed. What was built on it fails too, and everything known is read again when it is needed.
    pub(super) fn failed(&mut self, error: &StoreError) {
        let group = std::mem::replace(&mut self.group, Group::new(&self.engine, 1));
        group.fail(error);
        self.abandon();
        self.forget();
        self.committed();
    }

    /// Everything known is read again when it is needed.
    fn forget(&mut self) {
        self.accounts.clear();
        self.conversations.clear();
        self.rows.clear();
        self.lanes.clear();
        self.routes.clear();
        self.sweeps.clear();
        self.guard = DuplicateGuard::default();
        self.imported = Imported::default();
    }

    fn exists(&mut self, app: AppId, user: &UserId) -> Stored<bool> {
        self.account(app, user).map(|account| account.exists)
    }

    fn account(&mut self, app: AppId, user: &UserId) -> Stored<&mut Account> {
        let load = || load::account(&self.engine.snapshot(), app, user);
        self.accounts.touch_or_load(&(app, *user), self.number, self.committed, load)
    }

    /// Where the log of someone ends.
    fn inbox(&mut self, app: AppId, user: &UserId) -> Stored<Inbox> {
        let account = self.account(app, user)?;
        let (exists, epoch) = (account.exists, account.epoch);
        if let Some(inbox) = account.inbox {
            return Ok(inbox);
        }
        // Whatever was logged for an account that is known was logged with its inbox: the database has all of it.
        let inbox = match exists {
            true => super::read::inbox(&self.engine.snapshot(), app, user, epoch)?,
            false => Inbox::new(epoch),
        };
        self.account(app, user)?.inbox = Some(inbox);
        Ok(inbox)
    }

    fn conversation(&mut self, id: &ConversationId) -> Stored<Option<Conversation>> {
        self.pair(id).map(|pair| pair.conversation)
    }

    /// The conversation, with the guard knowing its sends as far as they still matter at `now_s`.
    fn guarded_conversation(&mut self, id: &ConversationId, now_s: u64) -> Stored<Option<Conversation>> {
        let Pair { conversation, guarded, .. } = *self.pair(id)?;
        if !guarded {
            // Everything that was sent in it is in the database: a send would have made it guarded.
            if let Some(conversation) = conversation {
                load::guard(&self.engine.snapshot(), id, &conversation, now_s, &mut self.guard)?;
            }
            self.pair(id)?.guarded = true;
        }
        Ok(conversation)
    }

    fn pair(&mut self, id: &ConversationId) -> Stored<&mut Pair> {
        let load = || load::pair(&self.engine.snapshot(), id);
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

    /// Keeps what was made of a conversation. One that begins is filed under both its people, so that it is found in
    /// their lists, and when one of them leaves.
    fn change_conversation(&mut self, id: &ConversationId, conversation: Conversation) {
        let before = self.set_conversation(id, Some(conversation));
        if before.is_none() {
            let mut file = |user, peer| {
                let key = key::peer(id.app, user, peer);
                self.group.put(&self.engine, Table::Peers, key, |value| {
                    value.extend_from_slice(codec::MARK);
                });
            };
            file(&id.low, &id.high);
            if id.low != id.high {
                file(&id.high, &id.low);
            }
        }
    }

    /// Returns what there was before.
    fn set_conversation(
        &mut self,
        id: &ConversationId,
        conversation: Option<Conversation>,
    ) -> Option<Conversation> {
        let pair =
            self.conversations.touch(id, self.number).expect("only a conversation that was read is changed");
        let before = std::mem::replace(&mut pair.conversation, conversation);
        if pair.changed_in != self.number {
            pair.changed_in = self.number;
            self.group.conversation_changed(*id);
        }
        before
    }

    /// Looks up everything that [`Self::publish`] needs for these effects.
    fn prepare(&mut self, app: AppId, effects: &Effects) -> Stored<()> {
        for entry in &effects.entries {
            self.inbox(app, &entry.user)?;
        }
        for fact in &effects.facts {
            let [one, other] = fact.people();
            self.lane(lane_of(&ConversationId::new(app, one, other), self.engine.lanes_per_app()))?;
        }
        Ok(())
    }

    /// Puts effects that were prepared into the logs of those who have an account, and into the event log.
    fn publish(&mut self, cause: Cause, effects: Effects, message: Option<&Arc<Message>>) -> Told {
        let Cause { app, facts } = cause;
        let mut told = Told::default();
        for entry in effects.entries {
            let key = (app, entry.user);
            let account = self.accounts.touch(&key, self.number).expect("it was looked up");
            if account.exists {
                let mut inbox = account.inbox.expect("it was looked up");
                inbox.count(entry.unread_by);
                let logged = inbox.log(entry.change);
                told.hints.push((entry.user, self.log(key, inbox, logged, message)));
            }
        }
        for fact in effects.facts {
            let (now_ms, origin) = facts.expect("a change with facts says when it was, and who caused it");
            let draft = EventDraft::new(app, now_ms, origin, fact);
            let lane = lane_of(&draft.conversation, self.engine.lanes_per_app());
            told.events.push(self.put_event(lane, &draft));
        }
        told
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
        account.inbox = Some(inbox);
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
        if let Some(random) = refused_random(&draft.fact) {
            let key = key::refusal(&draft.conversation, random, id.offset);
            self.group.put(&self.engine, Table::Refusals, key, |value| value.extend_from_slice(codec::MARK));
        }
        id
    }
}

/// The random number of a send, if the fact is that it was refused.
fn refused_random(fact: &Fact) -> Option<u32> {
    match fact {
        Fact::AfterSend(AfterSend { outcome: Outcome::Refused(_), random, .. }) => Some(*random),
        _ => None,
    }
}
