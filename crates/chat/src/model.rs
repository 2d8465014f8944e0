//! The store in memory: what every operation of the port means, in the shortest form.
//!
//! It is the yardstick of the contract suite and the ground of the simulation. It knows no batches, no caches and
//! no files; where another store answers differently, the other store is wrong.

use crate::append;
use crate::conversation::{Change, Conversation, Inbox, LogEntry, Position};
use crate::dispatch::{Delivered, Exception, FailedAttempt, Replay};
use crate::event::{Event, EventDraft, EventId, Lane};
use crate::guard::{DuplicateGuard, FirstSend, SendKey};
use crate::id::{AppId, ConversationId, UserId};
use crate::message::Message;
use crate::port::{
    Account, Append, Appended, Changes, Checkpoint, Committed, DeliveryState, EndpointId, Hint, HistoryPage,
    HistoryQuery, LaneExtent, LogRecord, MarkRead, Preview, ReadMark, Route, Store, Stored,
};
use crate::send::lane_of;
use async_trait::async_trait;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

/// Most events that one call forgets.
pub const TRIM_EVENTS_MAX: usize = 1_000;

#[derive(Debug)]
pub struct Model {
    state: Mutex<State>,
    lanes_per_app: u16,
}

#[derive(Debug, Default)]
struct State {
    accounts: BTreeMap<(AppId, UserId), AccountState>,
    conversations: BTreeMap<ConversationId, (Conversation, Vec<Arc<Message>>)>,
    lanes: BTreeMap<Lane, LaneState>,
    routes: BTreeMap<Route, RouteState>,
    guard: DuplicateGuard,
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
    cursor: u64,
    exceptions: BTreeMap<u64, Exception>,
    failures: BTreeMap<(u64, u64, u32), FailedAttempt>,
    delivered: Vec<Delivered>,
}

#[derive(Debug)]
struct AccountState {
    exists: bool,
    inbox: Inbox,
    log: Vec<LogEntry>,
}

impl Default for Model {
    fn default() -> Self {
        Self::with_lanes(1)
    }
}

impl Model {
    pub fn with_lanes(lanes_per_app: u16) -> Self {
        assert!(lanes_per_app > 0, "an app's events need a lane");
        Self { state: Mutex::default(), lanes_per_app }
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

    fn log(&mut self, app: AppId, user: UserId, change: Change, message: Option<&Arc<Message>>) -> Hint {
        let account = self.account(app, user);
        let entry = account.inbox.log(change);
        account.log.push(entry);
        Hint { epoch: account.inbox.epoch, record: LogRecord { entry, message: message.cloned() } }
    }

    fn record(&mut self, lane: Lane, draft: EventDraft) -> EventId {
        let log = self
            .lanes
            .entry(lane)
            .or_insert_with(|| LaneState { epoch: draft.recorded_ms, ..LaneState::default() });
        let id = EventId { lane, epoch: log.epoch, offset: log.last() + 1 };
        log.events.insert(id.offset, draft.at(id));
        id
    }
}

#[async_trait]
impl Store for Model {
    async fn import_accounts(&self, app: AppId, accounts: Vec<Account>, now_ms: u64) -> Stored<()> {
        let mut state = self.lock();
        for account in accounts {
            let known = state.accounts.entry((app, account.user)).or_insert(AccountState {
                exists: false,
                inbox: Inbox::new(0),
                log: Vec::new(),
            });
            if !known.exists {
                *known = AccountState {
                    exists: true,
                    inbox: Inbox::new(now_ms.max(known.inbox.epoch + 1)),
                    log: Vec::new(),
                };
            }
        }
        Ok(())
    }

    async fn accounts_exist(&self, app: AppId, users: Vec<UserId>) -> Stored<Vec<bool>> {
        let state = self.lock();
        Ok(users.into_iter().map(|user| state.exists(app, user)).collect())
    }

    async fn delete_accounts(&self, app: AppId, users: Vec<UserId>, _now_ms: u64) -> Stored<Vec<bool>> {
        let mut state = self.lock();
        let mut existed = Vec::with_capacity(users.len());
        for user in users {
            existed.push(state.exists(app, user));
            if !state.exists(app, user) {
                continue;
            }
            let account = state.account(app, user);
            account.exists = false;
            account.log.clear();
            for (id, (conversation, _)) in &mut state.conversations {
                if id.app == app && (id.low == user || id.high == user) {
                    let last = conversation.last();
                    conversation.view(id.side(&user)).clear(last);
                }
            }
        }
        Ok(existed)
    }

    async fn append(&self, append: Append) -> Stored<Appended> {
        let state = &mut *self.lock();
        let (app, from, to) = (append.app, append.from, append.to);
        if !state.exists(app, from) || !state.exists(app, to) {
            return Ok(Appended::UnknownAccount);
        }
        state.guard.expire(append.now_ms / 1000);
        if let Some(first) = state.guard.find(&append.key(), append.now_ms / 1000) {
            return Ok(Appended::Duplicate(first));
        }
        let id = append.conversation();
        let known = state.conversations.get(&id).map(|(conversation, _)| *conversation);
        let mut conversation = known.unwrap_or_default();

        let outcome = append::append(&append, &mut conversation, |user| state.accounts[&(app, user)].inbox);
        let message = Arc::new(append.message(outcome.place));
        let mut hint = |inbox: Inbox, entry: LogEntry, user: UserId| {
            let account = state.accounts.get_mut(&(app, user)).expect("looked up above");
            account.inbox = inbox;
            account.log.push(entry);
            Hint { epoch: inbox.epoch, record: LogRecord { entry, message: Some(Arc::clone(&message)) } }
        };
        let recipient = outcome.recipient.map(|(inbox, entry)| hint(inbox, entry, to));
        let sender = outcome.sender.map(|(inbox, entry)| hint(inbox, entry, from));
        if !append.delivery.online_only {
            let kept = state.conversations.entry(id).or_default();
            kept.0 = conversation;
            kept.1.push(Arc::clone(&message));
        }
        state.guard.remember(&append.key(), FirstSend::of(&message));
        let event = append.event.map(|origin| {
            let draft = append.after_send(&message, origin, outcome.recipient_unread);
            state.record(lane_of(&id, self.lanes_per_app), draft)
        });
        Ok(Appended::Done(Box::new(Committed { message, recipient, sender, event })))
    }

    async fn record(&self, draft: EventDraft) -> Stored<Option<EventId>> {
        let mut state = self.lock();
        let ConversationId { app, low, high } = draft.conversation;
        if draft.needs_accounts() && !(state.exists(app, low) && state.exists(app, high)) {
            return Ok(None);
        }
        let lane = lane_of(&draft.conversation, self.lanes_per_app);
        Ok(Some(state.record(lane, draft)))
    }

    async fn preview(&self, key: SendKey, now_s: u64) -> Stored<Preview> {
        let state = self.lock();
        if !state.exists(key.app, key.from) || !state.exists(key.app, key.to) {
            return Ok(Preview::UnknownAccount);
        }
        if let Some(first) = state.guard.find(&key, now_s) {
            return Ok(Preview::Duplicate(first));
        }
        let id = ConversationId::new(key.app, key.from, key.to);
        let conversation = state.conversations.get(&id).map(|(conversation, _)| *conversation);
        Ok(Preview::Next(conversation.unwrap_or_default().next(now_s)))
    }

    async fn mark_read(&self, mark: MarkRead) -> Stored<Option<ReadMark>> {
        let state = &mut *self.lock();
        let MarkRead { app, reader, peer, .. } = mark;
        let id = ConversationId::new(app, reader, peer);
        if !state.exists(app, reader) {
            return Ok(None);
        }
        let Some((conversation, _)) = state.conversations.get_mut(&id) else {
            return Ok(None);
        };
        let Some(read) = conversation.read(id.side(&reader)) else {
            return Ok(None);
        };
        state.account(app, reader).inbox.unread -= read.count;
        let change = Change::Read { reader, peer, time_s: read.place.time_s, seq: read.place.seq };
        let reader_hint = state.log(app, reader, change, None);
        let peer_hint = state.exists(app, peer).then(|| state.log(app, peer, change, None));
        let draft = mark.after_read(read.place, reader_hint.record.entry.unread);
        let event = state.record(lane_of(&id, self.lanes_per_app), draft);
        Ok(Some(ReadMark { reader: reader_hint, peer: peer_hint, event }))
    }

    async fn history(&self, query: HistoryQuery) -> Stored<HistoryPage> {
        let state = self.lock();
        let Some((conversation, messages)) = state.conversations.get(&query.conversation) else {
            return Ok(HistoryPage { messages: Vec::new(), complete: true });
        };
        let cleared_seq = conversation.sides[query.conversation.side(&query.viewer) as usize].cleared_seq;
        let mut newest_first: Vec<&Arc<Message>> = messages.iter().collect();
        newest_first.sort_by_key(|message| std::cmp::Reverse((message.time_s, message.seq)));
        let mut page = query.page();
        for message in newest_first {
            if message.seq > cleared_seq && page.take(message).is_break() {
                break;
            }
        }
        Ok(page.finish())
    }

    async fn inbox(&self, app: AppId, user: UserId) -> Stored<Option<Inbox>> {
        let mut state = self.lock();
        Ok(state.exists(app, user).then(|| state.account(app, user).inbox))
    }

    async fn unread(&self, app: AppId, user: UserId, peers: Vec<UserId>) -> Stored<Vec<u32>> {
        let state = self.lock();
        let unread = |peer| {
            let id = ConversationId::new(app, user, peer);
            state
                .conversations
                .get(&id)
                .map_or(0, |(conversation, _)| conversation.sides[id.side(&user) as usize].unread)
        };
        Ok(peers.into_iter().map(unread).collect())
    }

    async fn changes(&self, app: AppId, user: UserId, after: Position, limit: usize) -> Stored<Changes> {
        let state = self.lock();
        let Some(account) = state.accounts.get(&(app, user)).filter(|account| account.exists) else {
            return Ok(Changes::UnknownAccount);
        };
        if after.epoch != account.inbox.epoch || after.offset > account.inbox.offset {
            return Ok(Changes::Resync(account.inbox));
        }
        let entries = account.log.iter().filter(|entry| entry.offset > after.offset).take(limit);
        let record = |entry: &LogEntry| {
            let message = match entry.change {
                Change::Message { peer, seq, .. } => {
                    let (_, messages) = &state.conversations[&ConversationId::new(app, user, peer)];
                    messages.iter().find(|message| message.seq == seq).cloned()
                }
                Change::Read { .. } => None,
            };
            LogRecord { entry: *entry, message }
        };
        Ok(Changes::Records(entries.map(record).collect()))
    }

    async fn events(&self, lane: Lane, after: u64, limit: usize) -> Stored<Vec<Event>> {
        let state = self.lock();
        let Some(log) = state.lanes.get(&lane) else {
            return Ok(Vec::new());
        };
        let Some(from) = after.checked_add(1) else {
            return Ok(Vec::new());
        };
        Ok(log.events.range(from..).take(limit).map(|(_, event)| event.clone()).collect())
    }

    async fn lane(&self, lane: Lane) -> Stored<Option<LaneExtent>> {
        let state = self.lock();
        let extent = |log: &LaneState| LaneExtent { epoch: log.epoch, gone: log.gone, last: log.last() };
        Ok(state.lanes.get(&lane).map(extent))
    }

    async fn delivery(&self, route: &Route) -> Stored<DeliveryState> {
        let state = self.lock();
        let Some(known) = state.routes.get(route) else {
            return Ok(DeliveryState::default());
        };
        let (held, parked): (Vec<_>, Vec<_>) =
            known.exceptions.values().cloned().partition(|exception| !exception.is_parked());
        Ok(DeliveryState { has_begun: true, cursor: known.cursor, held, parked_count: parked.len() as u64 })
    }

    async fn settle(&self, route: &Route, checkpoint: Checkpoint) -> Stored<()> {
        let mut state = self.lock();
        let known = state.routes.entry(route.clone()).or_default();
        known.cursor = checkpoint.cursor.max(known.cursor);
        for offset in checkpoint.resolved {
            known.exceptions.remove(&offset);
        }
        for exception in checkpoint.exceptions {
            known.exceptions.insert(exception.offset, exception);
        }
        for failed in checkpoint.failures {
            known.failures.insert((failed.offset, failed.at_ms, failed.number), failed);
        }
        known.delivered.extend(checkpoint.delivered);
        Ok(())
    }

    async fn parked(&self, route: &Route, after: u64, limit: usize) -> Stored<Vec<Exception>> {
        let state = self.lock();
        let Some(known) = state.routes.get(route) else {
            return Ok(Vec::new());
        };
        let later = known.exceptions.range(after + 1..).map(|(_, exception)| exception);
        Ok(later.filter(|exception| exception.is_parked()).take(limit).cloned().collect())
    }

    async fn exception(&self, route: &Route, offset: u64) -> Stored<Option<Exception>> {
        let state = self.lock();
        Ok(state.routes.get(route).and_then(|known| known.exceptions.get(&offset)).cloned())
    }

    async fn failures(&self, route: &Route, offset: u64) -> Stored<Vec<FailedAttempt>> {
        let state = self.lock();
        let Some(known) = state.routes.get(route) else {
            return Ok(Vec::new());
        };
        let of_event = known.failures.range((offset, 0, 0)..=(offset, u64::MAX, u32::MAX));
        Ok(of_event.map(|(_, failed)| failed.clone()).collect())
    }

    async fn delivered(&self, route: &Route, offset: u64, since_ms: u64) -> Stored<Option<Delivered>> {
        let state = self.lock();
        let Some(known) = state.routes.get(route) else {
            return Ok(None);
        };
        let told = known.delivered.iter().filter(|told| told.offset == offset && told.at_ms >= since_ms);
        Ok(told.max_by_key(|told| told.at_ms).copied())
    }

    async fn replay(&self, route: &Route, replay: Replay, now_ms: u64) -> Stored<u64> {
        let state = &mut *self.lock();
        let Some(log) = state.lanes.get(&route.lane) else {
            return Ok(0);
        };
        if let Replay::From { .. } = replay {
            state.routes.entry(route.clone()).or_default();
        }
        let Some(known) = state.routes.get_mut(route) else {
            return Ok(0);
        };
        match replay {
            Replay::From { after } => {
                known.cursor = known.cursor.min(after);
                known.exceptions.split_off(&(known.cursor + 1));
                Ok(log.events.range(known.cursor + 1..).count() as u64)
            }
            Replay::One { offset } => {
                // What the cursor has not passed is told anyway.
                let Some(event) = log.events.get(&offset).filter(|_| offset <= known.cursor) else {
                    return Ok(0);
                };
                known.exceptions.insert(offset, Exception::again(event, now_ms));
                Ok(1)
            }
            Replay::Parked { limit } => {
                let parked = known.exceptions.values_mut().filter(|exception| exception.is_parked());
                let again = parked.take(limit).map(|exception| exception.hold(now_ms));
                Ok(again.count() as u64)
            }
        }
    }

    async fn trim_events(&self, lane: Lane, endpoints: Vec<EndpointId>, before_ms: u64) -> Stored<usize> {
        let state = &mut *self.lock();
        let Some(log) = state.lanes.get_mut(&lane) else {
            return Ok(0);
        };
        let routes: Vec<Route> = endpoints.into_iter().map(|endpoint| Route { lane, endpoint }).collect();
        let known = || routes.iter().map(|route| state.routes.get(route));
        let told_to = known().map(|route| route.map_or(0, |route| route.cursor)).min().unwrap_or(u64::MAX);
        let excepted = |offset| known().flatten().any(|route| route.exceptions.contains_key(&offset));
        // The last event stays: it is what the next offset is counted from.
        let last = log.last();
        let is_old = |event: &Event| event.recorded_ms < before_ms && event.id.offset <= told_to;
        let old = log.events.values().take_while(|event| is_old(event) && event.id.offset < last);
        let forgotten: Vec<u64> = old
            .map(|event| event.id.offset)
            .filter(|offset| !excepted(*offset))
            .take(TRIM_EVENTS_MAX)
            .collect();
        for offset in &forgotten {
            log.events.remove(offset);
        }
        log.gone = log.events.first_key_value().map_or(log.gone, |(first, _)| first - 1);
        for route in &routes {
            if let Some(known) = state.routes.get_mut(route) {
                known.failures.retain(|(offset, _, _), _| !forgotten.contains(offset));
                known.delivered.retain(|told| told.at_ms >= before_ms);
            }
        }
        Ok(forgotten.len())
    }

    fn lanes_per_app(&self) -> u16 {
        self.lanes_per_app
    }
}
