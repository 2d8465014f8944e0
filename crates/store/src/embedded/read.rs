//! What is read from the database, always at one snapshot.
//!
//! Whatever is found here is committed, and so may be shown to anyone.

use super::codec::{self, LaneRow};
use super::engine::{Row, Snapshot, Table};
use super::key;
use chat::conversation::{Change, Conversation, Inbox, LogEntry, Place, Position};
use chat::dispatch::{Exception, ExceptionState};
use chat::port::{Changes, DeliveryState, HistoryPage, HistoryQuery, LogRecord, Route, Stored};
use chat::{AppId, ConversationId, Event, EventId, Lane, Message, UserId};
use std::sync::Arc;

/// The epoch of an account; `None` when there is none.
fn epoch(snapshot: &Snapshot<'_>, app: AppId, user: &UserId) -> Stored<Option<u64>> {
    let key = key::account(app, user);
    let Some(value) = snapshot.get(Table::Accounts, key)? else {
        return Ok(None);
    };
    let row = codec::decode_account(&value).map_err(|what| Table::Accounts.corrupt(key.as_ref(), what))?;
    Ok(row.exists.then_some(row.epoch))
}

pub(super) fn account_exists(snapshot: &Snapshot<'_>, app: AppId, user: &UserId) -> Stored<bool> {
    epoch(snapshot, app, user).map(|epoch| epoch.is_some())
}

/// Where a log ends: its last entry carries the count that goes with that place.
pub(super) fn inbox(snapshot: &Snapshot<'_>, app: AppId, user: &UserId, epoch: u64) -> Stored<Inbox> {
    let Some((key, value)) = snapshot.last(Table::Logs, key::log(app, user, epoch))? else {
        return Ok(Inbox::new(epoch));
    };
    let entry = log_entry(user, &key, &value)?;
    Ok(Inbox { epoch, offset: entry.offset, unread: entry.unread })
}

pub(super) fn inbox_of(snapshot: &Snapshot<'_>, app: AppId, user: &UserId) -> Stored<Option<Inbox>> {
    epoch(snapshot, app, user)?.map(|epoch| inbox(snapshot, app, user, epoch)).transpose()
}

pub(super) fn conversation(snapshot: &Snapshot<'_>, id: &ConversationId) -> Stored<Option<Conversation>> {
    let value = snapshot.get(Table::Conversations, key::conversation(id))?;
    value.map(|value| decoded_conversation(id, &value)).transpose()
}

pub(super) fn decoded_conversation(id: &ConversationId, value: &[u8]) -> Stored<Conversation> {
    codec::decode_conversation(value)
        .map_err(|what| Table::Conversations.corrupt(key::conversation(id).as_ref(), what))
}

/// The messages of a conversation up to a time, newest first.
pub(super) fn messages(
    snapshot: &Snapshot<'_>,
    id: &ConversationId,
    time_s_max: u64,
) -> impl Iterator<Item = Stored<Message>> {
    let from = key::message(id, Place { time_s: time_s_max, seq: u64::MAX });
    let id = *id;
    snapshot.scan_from(Table::Messages, key::conversation(&id), from).map(move |row| {
        let (key, value) = row?;
        let message = key::place_of(&key).and_then(|place| codec::decode_message(&id, place, &value));
        message.map_err(|what| Table::Messages.corrupt(&key, what))
    })
}

pub(super) fn history(snapshot: &Snapshot<'_>, query: &HistoryQuery) -> Stored<HistoryPage> {
    let id = &query.conversation;
    let mut page = query.page();
    let Some(conversation) = conversation(snapshot, id)? else {
        return Ok(page.finish());
    };
    let cleared_seq = conversation.sides[id.side(&query.viewer) as usize].cleared_seq;
    let newest_s = query.before.map_or(query.time_s_max, |before| before.time_s.min(query.time_s_max));
    for message in messages(snapshot, id, newest_s) {
        let message = message?;
        // Numbers and times only grow together, so everything older is cleared as well.
        if message.seq <= cleared_seq || page.take(&message).is_break() {
            break;
        }
    }
    Ok(page.finish())
}

pub(super) fn unread(snapshot: &Snapshot<'_>, app: AppId, user: &UserId, peer: UserId) -> Stored<u32> {
    let id = ConversationId::new(app, *user, peer);
    let conversation = conversation(snapshot, &id)?.unwrap_or_default();
    Ok(conversation.sides[id.side(user) as usize].unread)
}

pub(super) fn changes(
    snapshot: &Snapshot<'_>,
    (app, user): (AppId, &UserId),
    after: Position,
    limit: usize,
) -> Stored<Changes> {
    let Some(epoch) = epoch(snapshot, app, user)? else {
        return Ok(Changes::UnknownAccount);
    };
    let mut records = Vec::new();
    if after.epoch == epoch && after.offset < u64::MAX {
        let from = key::log_entry(app, user, epoch, after.offset + 1);
        for row in snapshot.scan_from(Table::Logs, key::log(app, user, epoch), from).take(limit) {
            let (key, value) = row?;
            let entry = log_entry(user, &key, &value)?;
            records.push(LogRecord { entry, message: named_message(snapshot, app, user, &entry.change)? });
        }
    }
    if records.is_empty() {
        let inbox = inbox(snapshot, app, user, epoch)?;
        if after.epoch != epoch || after.offset > inbox.offset {
            return Ok(Changes::Resync(inbox));
        }
    }
    Ok(Changes::Records(records))
}

fn named_message(
    snapshot: &Snapshot<'_>,
    app: AppId,
    user: &UserId,
    change: &Change,
) -> Stored<Option<Arc<Message>>> {
    let Change::Message { peer, time_s, seq } = *change else {
        return Ok(None);
    };
    let id = ConversationId::new(app, *user, peer);
    let place = Place { time_s, seq };
    let key = key::message(&id, place);
    let Some(value) = snapshot.get(Table::Messages, key)? else {
        return Ok(None);
    };
    let message = codec::decode_message(&id, place, &value);
    Ok(Some(Arc::new(message.map_err(|what| Table::Messages.corrupt(key.as_ref(), what))?)))
}

fn log_entry(user: &UserId, key: &[u8], value: &[u8]) -> Stored<LogEntry> {
    key::offset_of(key)
        .and_then(|offset| codec::decode_log_entry(user, offset, value))
        .map_err(|what| Table::Logs.corrupt(key, what))
}

pub(super) fn lane(snapshot: &Snapshot<'_>, lane: Lane) -> Stored<Option<LaneRow>> {
    let key = key::lane(lane);
    let Some(value) = snapshot.get(Table::Lanes, key)? else {
        return Ok(None);
    };
    codec::decode_lane(&value).map(Some).map_err(|what| Table::Lanes.corrupt(key.as_ref(), what))
}

pub(super) fn events(snapshot: &Snapshot<'_>, lane: Lane, after: u64, limit: usize) -> Stored<Vec<Event>> {
    let Some(row) = self::lane(snapshot, lane)? else {
        return Ok(Vec::new());
    };
    let Some(from) = after.max(row.gone).checked_add(1) else {
        return Ok(Vec::new());
    };
    let event = |found: Stored<Row>| {
        let (key, value) = found?;
        let corrupt = |what| Table::Events.corrupt(&key, what);
        let offset = key::offset_of(&key).map_err(corrupt)?;
        let id = EventId { lane, epoch: row.epoch, offset };
        codec::decode_event(id, &value).map_err(corrupt)
    };
    snapshot
        .scan_from(Table::Events, key::lane(lane), key::event(lane, from))
        .take(limit)
        .map(event)
        .collect()
}

pub(super) fn cursor(snapshot: &Snapshot<'_>, route: &Route) -> Stored<u64> {
    let key = key::route(route);
    let Some(value) = snapshot.get(Table::Routes, &key)? else {
        return Ok(0);
    };
    codec::decode_route(&value).map_err(|what| Table::Routes.corrupt(&key, what))
}

pub(super) fn exceptions(
    snapshot: &Snapshot<'_>,
    route: &Route,
    after: u64,
) -> impl Iterator<Item = Stored<Exception>> {
    let app = route.lane.app;
    let from = after.checked_add(1).map(|from| key::exception(route, from));
    from.map(|from| snapshot.scan_from(Table::Exceptions, key::route(route), from)).into_iter().flatten().map(
        move |row| {
            let (key, value) = row?;
            key::offset_of(&key)
                .and_then(|offset| codec::decode_exception(app, offset, &value))
                .map_err(|what| Table::Exceptions.corrupt(&key, what))
        },
    )
}

pub(super) fn delivery(snapshot: &Snapshot<'_>, route: &Route) -> Stored<DeliveryState> {
    let mut state = DeliveryState { cursor: cursor(snapshot, route)?, ..DeliveryState::default() };
    for exception in exceptions(snapshot, route, 0) {
        let exception = exception?;
        match exception.state {
            ExceptionState::Held { .. } => state.held.push(exception),
            ExceptionState::Parked { .. } => state.parked_count += 1,
        }
    }
    Ok(state)
}

pub(super) fn parked(
    snapshot: &Snapshot<'_>,
    route: &Route,
    after: u64,
    limit: usize,
) -> Stored<Vec<Exception>> {
    let mut parked = Vec::new();
    for exception in exceptions(snapshot, route, after) {
        if parked.len() == limit {
            break;
        }
        let exception = exception?;
        if matches!(exception.state, ExceptionState::Parked { .. }) {
            parked.push(exception);
        }
    }
    Ok(parked)
}
