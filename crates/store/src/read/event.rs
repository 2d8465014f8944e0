//! The event log, and how far it was told.

use crate::codec::{self, LaneRow, RouteRow};
use crate::engine::{Row, Snapshot, Table};
use crate::key;
use chat::dispatch::{Delivered, Exception, ExceptionState, FailedAttempt};
use chat::port::{DeliveryState, LaneExtent, Route, Stored};
use chat::{Event, EventId, Lane};

pub(crate) fn lane(snapshot: &Snapshot<'_>, lane: Lane) -> Stored<Option<LaneRow>> {
    let key = key::lane(lane);
    let Some(value) = snapshot.get(Table::Lanes, key)? else {
        return Ok(None);
    };
    codec::decode_lane(&value).map(Some).map_err(|what| Table::Lanes.corrupt(key.as_ref(), what))
}

pub(crate) fn events(snapshot: &Snapshot<'_>, lane: Lane, after: u64, limit: usize) -> Stored<Vec<Event>> {
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

pub(crate) fn event(snapshot: &Snapshot<'_>, lane: Lane, offset: u64) -> Stored<Option<Event>> {
    let found = events(snapshot, lane, offset.saturating_sub(1), 1)?;
    Ok(found.into_iter().find(|event| event.id.offset == offset))
}

/// How many events there are after an offset.
pub(crate) fn events_behind(snapshot: &Snapshot<'_>, lane: Lane, after: u64) -> Stored<u64> {
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
pub(crate) fn lane_extent(snapshot: &Snapshot<'_>, lane: Lane) -> Stored<Option<LaneExtent>> {
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

pub(crate) fn route(snapshot: &Snapshot<'_>, route: &Route) -> Stored<RouteRow> {
    written_route(snapshot, route).map(Option::unwrap_or_default)
}

fn written_route(snapshot: &Snapshot<'_>, route: &Route) -> Stored<Option<RouteRow>> {
    let key = key::route(route);
    let Some(value) = snapshot.get(Table::Routes, &key)? else {
        return Ok(None);
    };
    codec::decode_route(&value).map(Some).map_err(|what| Table::Routes.corrupt(&key, what))
}

pub(crate) fn exceptions(
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

pub(crate) fn delivery(snapshot: &Snapshot<'_>, route: &Route) -> Stored<DeliveryState> {
    let row = written_route(snapshot, route)?;
    let mut state = DeliveryState {
        has_begun: row.is_some(),
        tenure: row.unwrap_or_default().tenure,
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

pub(crate) fn parked(
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

pub(crate) fn exception(snapshot: &Snapshot<'_>, route: &Route, offset: u64) -> Stored<Option<Exception>> {
    let key = key::exception(route, offset);
    let Some(value) = snapshot.get(Table::Exceptions, &key)? else {
        return Ok(None);
    };
    let exception = codec::decode_exception(route.lane.app, offset, &value);
    exception.map(Some).map_err(|what| Table::Exceptions.corrupt(&key, what))
}

pub(crate) fn failures(snapshot: &Snapshot<'_>, route: &Route, offset: u64) -> Stored<Vec<FailedAttempt>> {
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
pub(crate) fn delivered(
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
