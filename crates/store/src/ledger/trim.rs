//! Forgetting events, and what was kept of telling them.
//!
//! It looks for what to remove in the database itself, so the writer calls it when nothing is in flight, and lets
//! nothing follow it in its group.

use super::{Ledger, Sweep};
use crate::codec::{self, DELIVERIES_SPAN_MS_MAX};
use crate::engine::Table;
use crate::operation::Trim;
use crate::{key, read};
use chat::dispatch::Delivered;
use chat::model::TRIM_EVENTS_MAX;
use chat::port::{Route, Stored};
use rustc_hash::FxHashSet;

/// Rows of deliveries that one pass looks at. What it does not reach is found by the next one.
const DELIVERIES_ROWS_MAX: usize = 50_000;

impl Ledger {
    pub(crate) fn trim_events(&mut self, trim: Trim) -> Stored<usize> {
        let lane = trim.lane;
        let Some(mut end) = *self.lane(lane)? else {
            return Ok(0);
        };
        let mut sweep = match self.sweeps.remove(&lane) {
            Some(sweep) if sweep.trim == trim => sweep,
            _ => Sweep { trim, passed: end.row.gone, clean: true, deliveries_forgotten: false },
        };
        let (told_to, excepted) = self.told(&sweep)?;
        let engine = self.engine.clone();
        let snapshot = engine.snapshot();
        let (from, mut forgotten) = (sweep.passed + 1, Vec::new());
        for row in snapshot.scan_from(Table::Events, key::lane(lane), key::event(lane, from)) {
            let (key, value) = row?;
            let corrupt = |what| Table::Events.corrupt(&key, what);
            let offset = key::offset_of(&key).map_err(corrupt)?;
            let recorded_ms = codec::recorded_ms(&value).map_err(corrupt)?;
            // The last event stays: it is what the next offset is counted from.
            if recorded_ms >= sweep.trim.before_ms || offset > told_to || offset >= end.last {
                break;
            }
            sweep.passed = offset;
            if excepted.contains(&offset) {
                sweep.clean = false;
                continue;
            }
            self.group.remove(&engine, Table::Events, &key);
            if let Some((id, random)) = codec::refused_send(lane.app, &value).map_err(corrupt)? {
                let key = key::refusal(&id, random, offset);
                self.group.remove(&engine, Table::Refusals, key.as_ref());
            }
            forgotten.push(offset);
            if sweep.clean {
                end.row.gone = offset;
            }
            if forgotten.len() == TRIM_EVENTS_MAX {
                break;
            }
        }
        for endpoint in &sweep.trim.endpoints {
            let route = Route { lane, endpoint: endpoint.clone() };
            self.forget_failures(&route, &forgotten)?;
            if !sweep.deliveries_forgotten {
                self.forget_deliveries(&route, sweep.trim.before_ms)?;
            }
        }
        sweep.deliveries_forgotten = true;
        let count = forgotten.len();
        if count > 0 {
            self.group.set(Table::Lanes, key::lane(lane), Some(codec::encode_lane(end.row)));
            *self.lane(lane)? = Some(end);
            self.sweeps.insert(lane, sweep);
        }
        Ok(count)
    }

    /// Forgets the failed attempts at events, which are in order.
    fn forget_failures(&mut self, route: &Route, offsets: &[u64]) -> Stored<()> {
        let (Some(first), Some(last)) = (offsets.first(), offsets.last()) else {
            return Ok(());
        };
        let engine = self.engine.clone();
        let from = key::failures(route, *first);
        for row in engine.snapshot().scan_from(Table::Failures, key::route(route), from) {
            let (key, _) = row?;
            let (offset, _, _) = key::failure_of(&key).map_err(|what| Table::Failures.corrupt(&key, what))?;
            if offset > *last {
                break;
            }
            if offsets.binary_search(&offset).is_ok() {
                self.group.set(Table::Failures, &key, None);
            }
        }
        Ok(())
    }

    /// Forgets what was told before a time.
    fn forget_deliveries(&mut self, route: &Route, before_ms: u64) -> Stored<()> {
        let engine = self.engine.clone();
        let snapshot = engine.snapshot();
        for row in snapshot.scan(Table::Deliveries, key::route(route)).take(DELIVERIES_ROWS_MAX) {
            let (key, value) = row?;
            let corrupt = |what| Table::Deliveries.corrupt(&key, what);
            let (last_ms, _) = key::deliveries_of(&key).map_err(corrupt)?;
            if last_ms < before_ms {
                self.group.set(Table::Deliveries, &key, None);
                continue;
            }
            if last_ms.saturating_sub(DELIVERIES_SPAN_MS_MAX) >= before_ms {
                break;
            }
            let told = codec::decode_deliveries(last_ms, &value).map_err(corrupt)?;
            let told: Vec<Delivered> = told.collect::<Result<_, _>>().map_err(corrupt)?;
            let kept: Vec<Delivered> = told.iter().copied().filter(|told| told.at_ms >= before_ms).collect();
            if kept.len() < told.len() {
                let mut value = Vec::new();
                codec::encode_deliveries(last_ms, &kept, &mut value);
                self.group.set(Table::Deliveries, &key, Some(value));
            }
        }
        Ok(())
    }

    /// How far all endpoints have been told, and what is an exception to any of them from there on.
    fn told(&mut self, sweep: &Sweep) -> Stored<(u64, FxHashSet<u64>)> {
        let mut told_to = u64::MAX;
        let mut excepted = FxHashSet::default();
        for endpoint in &sweep.trim.endpoints {
            let route = Route { lane: sweep.trim.lane, endpoint: endpoint.clone() };
            told_to = told_to.min(self.route(&route)?.cursor);
            for exception in read::exceptions(&self.engine.snapshot(), &route, sweep.passed) {
                excepted.insert(exception?.offset);
            }
        }
        Ok((told_to, excepted))
    }
}
