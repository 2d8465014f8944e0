//! The store in memory: what every operation of the port means, in the shortest form.
//!
//! It is the yardstick of the contract suite and the ground of the simulation. It knows no batches, no caches and
//! no files; where another store answers differently, the other store is wrong.

mod messages;
mod people;
mod events;

use crate::alter::Extensions;
use crate::contact::Notes;
use crate::conversation::{Conversation, Inbox, LogEntry, Position};
use crate::dispatch::{Delivered, Exception, FailedAttempt, Kept, Replay, Tenure};
use crate::effect::Entry;
use crate::event::{Event, EventDraft, EventId, Lane};
use crate::guard::{DuplicateGuard, SendKey};
use crate::id::{AppId, ConversationId, UserId};
use crate::lease::{LeaseAsk, LeaseTable};
use crate::message::Message;
use crate::port::{
    Account, Alter, Altered, Append, Appended, ChangePerson, ChangeView, Changes, Checkpoint, ContactsPage,
    ContactsQuery, DeliveryState, EndpointId, Found, Hint, HistoryPage, HistoryQuery, ImportMessage,
    Imported, Landing, LaneExtent, ListQuery, Listed, LogRecord, MarkRead, MessageKey, PersonChanged,
    Portrait, Preview, ReadMark, Relate, Related, Route, SendQuery, Store, Stored, Terms, Tie, ViewChanged,
};
use async_trait::async_trait;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

/// Most events that one call forgets.
pub const TRIM_EVENTS_MAX: usize = 1_000;

#[derive(Debug)]
pub struct Model {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    accounts: BTreeMap<(AppId, UserId), AccountState>,
    /// What the first user keeps of the second.
    ties: BTreeMap<(AppId, UserId, UserId), Tie>,
    conversations: BTreeMap<ConversationId, Talk>,
    lanes: BTreeMap<Lane, LaneState>,
    lanes_per_app: u16,
    routes: BTreeMap<Route, RouteState>,
    leases: LeaseTable,
    guard: DuplicateGuard,
}

/// A conversation with everything in it.
#[derive(Debug, Default)]
struct Talk {
    conversation: Conversation,
    messages: Vec<Arc<Message>>,
    /// By the number of the message.
    extensions: BTreeMap<u64, Extensions>,
    /// Of each side.
    notes: [Notes; 2],
}

#[derive(Debug, Default)]
struct LaneState {
    epoch: u64,
    /// Everything up to here was forgotten.
    gone: u64,
    events: BTreeMap<u64, Event>,
}

#[derive(Debug, Default)]
struct RouteState {
    tenure: Tenure,
    cursor: u64,
    exceptions: BTreeMap<u64, Exception>,
    failures: BTreeMap<(u64, u64, u32), FailedAttempt>,
    delivered: Vec<Delivered>,
}

#[derive(Debug, Clone)]
struct AccountState {
    exists: bool,
    inbox: Inbox,
    log: Vec<LogEntry>,
    portrait: Portrait,
}

impl AccountState {
    fn none() -> Self {
        Self { exists: false, inbox: Inbox::new(0), log: Vec::new(), portrait: Portrait::default() }
    }
}

impl Default for Model {
    fn default() -> Self {
        Self::with_lanes(1)
    }
}

impl Model {
    pub fn with_lanes(lanes_per_app: u16) -> Self {
        assert!(lanes_per_app > 0, "an app's events need a lane");
        let state = State {
            accounts: BTreeMap::new(),
            ties: BTreeMap::new(),
            conversations: BTreeMap::new(),
            lanes: BTreeMap::new(),
            lanes_per_app,
            routes: BTreeMap::new(),
            leases: LeaseTable::default(),
            guard: DuplicateGuard::default(),
        };
        Self { state: Mutex::new(state) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no operation of the model panics half-way")
    }
}

impl LaneState {
    fn last(&self) -> u64 {
        self.events.last_key_value().map_or(0, |(last, _)| *last)
    }
}

impl State {
    fn exists(&self, app: AppId, user: UserId) -> bool {
        self.accounts.get(&(app, user)).is_some_and(|account| account.exists)
    }

    fn account(&mut self, app: AppId, user: UserId) -> &mut AccountState {
        self.accounts.get_mut(&(app, user)).expect("the caller has looked whether the account exists")
    }

    fn log(&mut self, app: AppId, entry: Entry, message: Option<&Arc<Message>>) -> Hint {
        let account = self.account(app, entry.user);
        account.inbox.count(entry.unread_by);
        let entry = account.inbox.log(entry.change);
        account.log.push(entry);
        Hint { epoch: account.inbox.epoch, record: LogRecord { entry, message: message.cloned() } }
    }
}

#[async_trait]
impl Store for Model {
    async fn import_accounts(&self, app: AppId, accounts: Vec<Account>, now_ms: u64) -> Stored<()> {
        self.lock().import_accounts(app, accounts, now_ms);
        Ok(())
    }

    async fn accounts_exist(&self, app: AppId, users: Vec<UserId>) -> Stored<Vec<bool>> {
        let state = self.lock();
        Ok(users.into_iter().map(|user| state.exists(app, user)).collect())
    }

    async fn delete_accounts(&self, app: AppId, users: Vec<UserId>, now_ms: u64) -> Stored<Vec<bool>> {
        let mut state = self.lock();
        Ok(users.into_iter().map(|user| state.delete_account(app, user, now_ms)).collect())
    }

    async fn append(&self, append: Append) -> Stored<Appended> {
        Ok(self.lock().append(append))
    }

    async fn import_messages(&self, imports: Vec<ImportMessage>) -> Stored<Vec<Imported>> {
        let mut state = self.lock();
        Ok(imports.iter().map(|import| state.import_message(import)).collect())
    }

    async fn alter(&self, alter: Alter) -> Stored<Altered> {
        Ok(self.lock().alter(&alter))
    }

    async fn find(&self, conversation: ConversationId, key: MessageKey) -> Stored<Option<Found>> {
        Ok(self.lock().find(&conversation, key))
    }

    async fn find_for(
        &self,
        conversation: ConversationId,
        viewer: UserId,
        key: MessageKey,
    ) -> Stored<Option<Found>> {
        let state = self.lock();
        let shown = state.conversation(&conversation);
        Ok(state.find(&conversation, key).filter(|found| shown.shows(&found.message, &viewer)))
    }

    async fn landed(&self, query: SendQuery) -> Stored<Landing> {
        Ok(self.lock().landed(&query))
    }

    async fn record(&self, draft: EventDraft) -> Stored<Option<EventId>> {
        Ok(self.lock().record(draft))
    }

    async fn preview(&self, key: SendKey, terms: Terms, now_s: u64) -> Stored<Preview> {
        Ok(self.lock().preview(&key, terms, now_s))
    }

    async fn mark_read(&self, mark: MarkRead) -> Stored<Option<ReadMark>> {
        Ok(self.lock().mark_read(mark))
    }

    async fn history(&self, query: HistoryQuery) -> Stored<HistoryPage> {
        Ok(self.lock().history(&query))
    }

    async fn change_view(&self, change: ChangeView) -> Stored<ViewChanged> {
        Ok(self.lock().change_view(&change))
    }

    async fn contacts(&self, query: ContactsQuery) -> Stored<Option<ContactsPage>> {
        Ok(self.lock().contacts(&query))
    }

    async fn contacts_with(
        &self,
        app: AppId,
        owner: UserId,
        peers: Vec<UserId>,
    ) -> Stored<Option<ContactsPage>> {
        Ok(self.lock().contacts_with(app, owner, &peers))
    }

    async fn change_person(&self, change: ChangePerson) -> Stored<PersonChanged> {
        Ok(self.lock().change_person(&change))
    }

    async fn people(&self, app: AppId, users: Vec<UserId>) -> Stored<Vec<Option<Portrait>>> {
        Ok(self.lock().people(app, &users))
    }

    async fn revoked_s(&self, app: AppId, user: UserId) -> Stored<u64> {
        Ok(self.lock().revoked_s(app, user))
    }

    async fn relate(&self, relate: Relate) -> Stored<Related> {
        Ok(self.lock().relate(&relate))
    }

    async fn ties(&self, app: AppId, pairs: Vec<[UserId; 2]>) -> Stored<Vec<Tie>> {
        let state = self.lock();
        Ok(pairs.into_iter().map(|[user, peer]| state.tie(app, user, peer)).collect())
    }

    async fn listed(&self, query: ListQuery) -> Stored<Vec<Listed>> {
        Ok(self.lock().listed(&query))
    }

    async fn inbox(&self, app: AppId, user: UserId) -> Stored<Option<Inbox>> {
        let mut state = self.lock();
        Ok(state.exists(app, user).then(|| state.account(app, user).inbox))
    }

    async fn unread(&self, app: AppId, user: UserId, peers: Vec<UserId>) -> Stored<Vec<u32>> {
        Ok(self.lock().unread(app, user, peers))
    }

    async fn changes(&self, app: AppId, user: UserId, after: Position, limit: usize) -> Stored<Changes> {
        Ok(self.lock().changes(app, user, after, limit))
    }

    async fn events(&self, lane: Lane, after: u64, limit: usize) -> Stored<Vec<Event>> {
        Ok(self.lock().events(lane, after, limit))
    }

    async fn lane(&self, lane: Lane) -> Stored<Option<LaneExtent>> {
        Ok(self.lock().extent(lane))
    }

    async fn delivery(&self, route: &Route) -> Stored<DeliveryState> {
        Ok(self.lock().delivery(route))
    }

    async fn tenure(&self, route: &Route) -> Stored<Tenure> {
        Ok(self.lock().tenure(route))
    }

    async fn settle(&self, route: &Route, checkpoint: Checkpoint) -> Stored<Kept> {
        Ok(self.lock().settle(route, checkpoint))
    }

    async fn parked(&self, route: &Route, after: u64, limit: usize) -> Stored<Vec<Exception>> {
        Ok(self.lock().parked(route, after, limit))
    }

    async fn exception(&self, route: &Route, offset: u64) -> Stored<Option<Exception>> {
        Ok(self.lock().exception(route, offset))
    }

    async fn failures(&self, route: &Route, offset: u64) -> Stored<Vec<FailedAttempt>> {
        Ok(self.lock().failures(route, offset))
    }

    async fn delivered(&self, route: &Route, offset: u64, since_ms: u64) -> Stored<Option<Delivered>> {
        Ok(self.lock().delivered(route, offset, since_ms))
    }

    async fn replay(&self, route: &Route, replay: Replay, now_ms: u64) -> Stored<u64> {
        Ok(self.lock().replay(route, &replay, now_ms))
    }

    async fn trim_events(&self, lane: Lane, endpoints: Vec<EndpointId>, before_ms: u64) -> Stored<usize> {
        Ok(self.lock().trim_events(lane, endpoints, before_ms))
    }

    async fn lease(&self, ask: LeaseAsk) -> Stored<LeaseTable> {
        let leases = &mut self.lock().leases;
        leases.carry_out(&ask);
        Ok(leases.clone())
    }

    fn lanes_per_app(&self) -> u16 {
        self.lock().lanes_per_app
    }
}
