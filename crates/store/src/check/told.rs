//! Events, and how far they were told.
//!
//! Events are forgotten in order, but for those that somebody still wants to be told of: so there may be gaps among
//! old ones, and an exception may outlive its event when its endpoint is not configured any more. Neither is a finding.

use super::Check;
use crate::codec;
use crate::engine::Table;
use crate::key::{self, named};
use chat::port::Stored;
use chat::send::lane_of;
use chat::{EventId, Lane};
use rustc_hash::FxHashMap;

const NO_LANE: &str = "its lane does not exist";

/// Where the lanes end, and what is known of the routes by their keys.
#[derive(Default)]
struct Ends {
    lanes: FxHashMap<Lane, u64>,
    /// The number of the last row of deliveries.
    routes: FxHashMap<Vec<u8>, u64>,
}

impl Check<'_> {
    pub(super) fn events(&mut self) -> Stored<()> {
        let mut lanes = self.rows(Table::Lanes)?;
        let mut events = self.rows(Table::Events)?;
        let mut refused = 0;
        while let Some((key, value)) = self.advance(&mut lanes)? {
            let named = self.taken(Table::Lanes, &key, named::lane(&key));
            let row = self.taken(Table::Lanes, &key, codec::decode_lane(&value));
            let mut last = 0;
            while let Some((key, value)) = self.next_of(&mut events, &key, NO_LANE)? {
                let (Some(lane), Some(row)) = (named, row) else { continue };
                let Some((_, offset)) = self.taken(Table::Events, &key, named::event(&key)) else { continue };
                last = offset;
                let gone = row.gone;
                self.holds(offset > gone, Table::Events, &key, || {
                    format!("the lane says that nothing is left up to {gone}")
                });
                refused += u64::from(self.event(EventId { lane, epoch: row.epoch, offset }, &key, &value)?);
            }
            if named.is_some() {
                self.holds(last > 0, Table::Lanes, &key, || "it has lost its last event".to_owned());
            }
        }
        self.rest(&mut events, NO_LANE)?;
        self.refusals(refused)
    }

    /// Says whether it tells of a refused send.
    fn event(&mut self, id: EventId, key: &[u8], value: &[u8]) -> Stored<bool> {
        let Some(event) = self.taken(Table::Events, key, codec::decode_event(id, value)) else {
            return Ok(false);
        };
        let lane = lane_of(&event.conversation, self.snapshot.lanes_per_app());
        self.holds(lane == id.lane, Table::Events, key, || format!("it belongs into lane {}", lane.index));
        let Ok(Some((conversation, random))) = codec::refused_send(id.lane.app, value) else {
            return Ok(false);
        };
        let refusal = key::refusal(&conversation, random, id.offset);
        let is_filed = self.snapshot.get(Table::Refusals, refusal)?.is_some();
        self.holds(is_filed, Table::Events, key, || {
            "it tells of a refused send, and is not filed".to_owned()
        });
        Ok(is_filed)
    }

    /// `expected`: so many of them have their events.
    fn refusals(&mut self, expected: u64) -> Stored<()> {
        let (mut rows, mut count) = (self.rows(Table::Refusals)?, 0);
        while let Some((key, _)) = self.advance(&mut rows)? {
            self.taken(Table::Refusals, &key, named::refusal(&key));
            count += 1;
        }
        if count == expected {
            return Ok(());
        }
        for row in self.snapshot.scan(Table::Refusals, []) {
            let (key, _) = row?;
            let Ok((id, random, offset)) = named::refusal(&key) else { continue };
            let event = key::event(lane_of(&id, self.snapshot.lanes_per_app()), offset);
            let told = self.snapshot.get(Table::Events, event)?;
            let told = told.and_then(|value| codec::refused_send(id.app, &value).ok().flatten());
            self.holds(told == Some((id, random)), Table::Refusals, &key, || {
                "its event does not exist, or tells of something else".to_owned()
            });
        }
        Ok(())
    }

    pub(super) fn routes(&mut self) -> Stored<()> {
        let mut ends = Ends::default();
        let mut routes = self.rows(Table::Routes)?;
        while let Some((key, value)) = self.advance(&mut routes)? {
            let named = self.taken(Table::Routes, &key, named::in_route(&key));
            let row = self.taken(Table::Routes, &key, codec::decode_route(&value));
            let (Some((route, rest)), Some(row)) = (named, row) else { continue };
            self.holds(rest.is_empty(), Table::Routes, &key, || "its key goes on after its end".to_owned());
            let last = self.lane_end(&mut ends, route.lane)?;
            let cursor = row.cursor;
            self.holds(cursor <= last, Table::Routes, &key, || {
                format!("it was told up to {cursor}, and the last event is {last}")
            });
            ends.routes.insert(key.to_vec(), row.deliveries_last);
        }
        self.exceptions(&mut ends)?;
        self.failures(&mut ends)?;
        self.deliveries(&mut ends)
    }

    fn exceptions(&mut self, ends: &mut Ends) -> Stored<()> {
        let mut rows = self.rows(Table::Exceptions)?;
        while let Some((key, value)) = self.advance(&mut rows)? {
            let Some((lane, _, offset)) = self.of_route(ends, Table::Exceptions, &key, 8)? else { continue };
            let exception = codec::decode_exception(lane.app, offset, &value);
            let Some(exception) = self.taken(Table::Exceptions, &key, exception) else { continue };
            let event = self.snapshot.get(Table::Events, key::event(lane, offset))?;
            let id = EventId { lane, epoch: 0, offset };
            let Some(Ok(event)) = event.map(|value| codec::decode_event(id, &value)) else { continue };
            let is_same =
                (event.recorded_ms, event.conversation) == (exception.recorded_ms, exception.conversation);
            self.holds(is_same, Table::Exceptions, &key, || "its event is another one".to_owned());
        }
        Ok(())
    }

    fn failures(&mut self, ends: &mut Ends) -> Stored<()> {
        let mut rows = self.rows(Table::Failures)?;
        while let Some((key, value)) = self.advance(&mut rows)? {
            // Offset, time and number of the attempt.
            self.of_route(ends, Table::Failures, &key, 20)?;
            self.taken(Table::Failures, &key, codec::decode_failure(&value));
        }
        Ok(())
    }

    fn deliveries(&mut self, ends: &mut Ends) -> Stored<()> {
        let mut rows = self.rows(Table::Deliveries)?;
        while let Some((key, value)) = self.advance(&mut rows)? {
            let Ok((route, rest)) = named::in_route(&key) else {
                self.found(Table::Deliveries, &key, "its key is not one of this table");
                continue;
            };
            let last = self.lane_end(ends, route.lane)?;
            let number_max = ends.routes.get(&key[..key.len() - rest.len()]).copied();
            let Some((at_ms, number)) = self.taken(Table::Deliveries, &key, key::deliveries_of(rest)) else {
                continue;
            };
            self.holds(number_max.is_some_and(|max| number <= max), Table::Deliveries, &key, || {
                "its route does not exist, or has not got so far".to_owned()
            });
            let told =
                codec::decode_deliveries(at_ms, &value).and_then(Iterator::collect::<Result<Vec<_>, _>>);
            for told in self.taken(Table::Deliveries, &key, told).unwrap_or_default() {
                self.holds(told.offset <= last, Table::Deliveries, &key, || {
                    format!("event {} was told, and the last one is {last}", told.offset)
                });
            }
        }
        Ok(())
    }

    pub(super) fn leases(&mut self) -> Stored<()> {
        let mut rows = self.rows(Table::Leases)?;
        while let Some((key, value)) = self.advance(&mut rows)? {
            self.holds(key[..] == *key::leases().as_ref(), Table::Leases, &key, || {
                "its key is not one of this table".to_owned()
            });
            self.taken(Table::Leases, &key, codec::decode_leases(&value));
        }
        Ok(())
    }

    /// Lane, route's key and offset of something that was kept of telling an event: the route has to be there, and the
    /// event has to have been.
    fn of_route<'k>(
        &mut self,
        ends: &mut Ends,
        table: Table,
        key: &'k [u8],
        rest_bytes: usize,
    ) -> Stored<Option<(Lane, &'k [u8], u64)>> {
        let named = named::in_route(key).ok().filter(|(_, rest)| rest.len() == rest_bytes);
        let Some((route, rest)) = named else {
            self.found(table, key, "its key is not one of this table");
            return Ok(None);
        };
        let of_route = &key[..key.len() - rest.len()];
        let offset = key::offset_of(&rest[..8]).expect("there are eight bytes and more");
        let last = self.lane_end(ends, route.lane)?;
        self.holds(ends.routes.contains_key(of_route), table, key, || "its route does not exist".to_owned());
        self.holds(offset <= last, table, key, || format!("the last event is {last}"));
        Ok(Some((route.lane, of_route, offset)))
    }

    /// 0 where there is no event.
    fn lane_end(&mut self, ends: &mut Ends, lane: Lane) -> Stored<u64> {
        if let Some(last) = ends.lanes.get(&lane) {
            return Ok(*last);
        }
        let row = self.snapshot.last(Table::Events, key::lane(lane))?;
        let last = row.and_then(|(key, _)| key::offset_of(&key).ok()).unwrap_or(0);
        ends.lanes.insert(lane, last);
        Ok(last)
    }
}
