//! What is read from the database, always at one snapshot.
//!
//! Whatever is found here is committed, and so may be shown to anyone.

use super::codec::{self, LaneRow, RouteRow};
use super::engine::{Row, Snapshot, Table};
use super::key;
use chat::conversation::{Change, Conversation, Inbox, LogEntry, Place, Position};
use chat::dispatch::{Delivered, Exception, ExceptionState, FailedAttempt};
use chat::port::{Changes, DeliveryState, HistoryPage, HistoryQuery, LaneExtent, LogRecord, Route, Stored};
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

pub(super) fn event(snapshot: &Snapshot<'_>, lane: Lane, offset: u64) -> Stored<Option<Event>> {
    let found = events(snapshot, lane, offset.saturating_sub(1), 1)?;
    Ok(found.into_iter().find(|event| event.id.offset == offset))
}

/// How many events there are after an offset.
pub(super) fn events_behind(snapshot: &Snapshot<'_>, lane: Lane, after: u64) -> Stored<u64> {
    let Some(row) = self::lane(snapshot, lane)? else {
        return Ok(0);
    };
    let Some(from) = after.max(row.gone).checked_add(1) else {
        return Ok(0);
    };
    let rows = snapshot.scan_from(Table::Events, key::lane(lane), key::event(lane, from));
    rows.map(|row| row.map(|_| 1)).sum()
}

/// What is left of a lane. Events that stood longer than those around them may have gone since the lane's row was
/// written, so where it begins, its first event says.
pub(super) fn lane_extent(snapshot: &Snapshot<'_>, lane: Lane) -> Stored<Option<LaneExtent>> {
    let Some(row) = self::lane(snapshot, lane)? else {
        return Ok(None);
    };
    let prefix = key::lane(lane);
    let lost = || Table::Events.corrupt(prefix.as_ref(), "a lane has lost its last event");
    let offset = |row: Row| key::offset_of(&row.0).map_err(|what| Table::Events.corrupt(&row.0, what));
    let first = snapshot.scan_from(Table::Events, prefix, key::event(lane, row.gone + 1)).next();
    let first = offset(first.ok_or_else(lost)??)?;
    let last = offset(snapshot.last(Table::Events, prefix)?.ok_or_else(lost)?)?;
    Ok(Some(LaneExtent { epoch: row.epoch, gone: first - 1, last }))
}

pub(super) fn route(snapshot: &Snapshot<'_>, route: &Route) -> Stored<RouteRow> {
    written_route(snapshot, route).map(Option::unwrap_or_default)
}

fn written_route(snapshot: &Snapshot<'_>, route: &Route) -> Stored<Option<RouteRow>> {
    let key = key::route(route);
    let Some(value) = snapshot.get(Table::Routes, &key)? else {
        return Ok(None);
    };
    codec::decode_route(&value).map(Some).map_err(|what| Table::Routes.corrupt(&key, what))
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
    let row = written_route(snapshot, route)?;
    let mut state = DeliveryState {
        has_begun: row.is_some(),
        cursor: row.unwrap_or_default().cursor,
        ..DeliveryState::default()
    };
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
        if exception.is_parked() {
            parked.push(exception);
        }
    }
    Ok(parked)
}

pub(super) fn exception(snapshot: &Snapshot<'_>, route: &Route, offset: u64) -> Stored<Option<Exception>> {
    let key = key::exception(route, offset);
    let Some(value) = snapshot.get(Table::Exceptions, &key)? else {
        return Ok(None);
    };
    let exception = codec::decode_exception(route.lane.app, offset, &value);
    exception.map(Some).map_err(|what| Table::Exceptions.corrupt(&key, what))
}

pub(super) fn failures(snapshot: &Snapshot<'_>, route: &Route, offset: u64) -> Stored<Vec<FailedAttempt>> {
    let failed = |row: Stored<Row>| {
        let (key, value) = row?;
        let corrupt = |what| Table::Failures.corrupt(&key, what);
        let (offset, at_ms, number) = key::failure_of(&key).map_err(corrupt)?;
        let failure = codec::decode_failure(&value).map_err(corrupt)?;
        Ok(FailedAttempt { offset, number, at_ms, failure })
    };
    snapshot.scan(Table::Failures, key::failures(route, offset)).map(failed).collect()
}

/// Rows of deliveries that are looked through for one event: an hour of a busy endpoint, and much more of others. An
/// event is told soon after it was recorded, or after its last failure, so it is among the first.
const DELIVERY_ROWS_READ_MAX: usize = 20_000;

/// The newest of the deliveries of an event; of those of one time the one that was kept last.
pub(super) fn delivered(
    snapshot: &Snapshot<'_>,
    route: &Route,
    offset: u64,
    since_ms: u64,
) -> Stored<Option<Delivered>> {
    let mut newest: Option<(u64, Delivered)> = None;
    let from = key::deliveries(route, since_ms, 0);
    let rows = snapshot.scan_from(Table::Deliveries, key::route(route), from);
    for row in rows.take(DELIVERY_ROWS_READ_MAX) {
        let (key, value) = row?;
        let corrupt = |what| Table::Deliveries.corrupt(&key, what);
        let (last_ms, number) = key::deliveries_of(&key).map_err(corrupt)?;
        for told in codec::decode_deliveries(last_ms, &value).map_err(corrupt)? {
            let told = told.map_err(corrupt)?;
            let is_newer = || newest.is_none_or(|(at, known)| (told.at_ms, number) >= (known.at_ms, at));
            if told.offset == offset && told.at_ms >= since_ms && is_newer() {
                newest = Some((number, told));
            }
        }
    }
    Ok(newest.map(|(_, told)| told))
}
