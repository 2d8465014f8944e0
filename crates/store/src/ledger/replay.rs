//! Telling an endpoint again what it was told before.
//!
//! It looks for events and exceptions in the database itself, so the writer calls it when nothing is in flight.

use super::Ledger;
use crate::codec::RouteRow;
use crate::engine::Table;
use crate::{key, read};
use chat::dispatch::{Exception, Replay};
use chat::port::{Route, Stored};

impl Ledger {
    /// Says how many events will be told again. For [`Replay::From`], whoever asked counts them.
    pub(crate) fn replay(&mut self, route: &Route, replay: &Replay, now_ms: u64) -> Stored<u64> {
        if self.lane(route.lane)?.is_none() {
            return Ok(0);
        }
        // What a pass over the events took for done may be wanted again.
        self.sweeps.remove(&route.lane);
        match *replay {
            Replay::From { after } => self.replay_from(route, after),
            Replay::One { offset } => self.replay_one(route, offset, now_ms),
            Replay::Parked { limit } => self.replay_parked(route, limit, now_ms),
        }
    }

    fn replay_from(&mut self, route: &Route, after: u64) -> Stored<u64> {
        let mut row = *self.route(route)?;
        row.cursor = row.cursor.min(after);
        row.tenure.turn += 1;
        for exception in read::exceptions(&self.engine.snapshot(), route, row.cursor) {
            self.group.set(Table::Exceptions, key::exception(route, exception?.offset), None);
        }
        self.set_route(route, row)?;
        Ok(0)
    }

    fn replay_one(&mut self, route: &Route, offset: u64, now_ms: u64) -> Stored<u64> {
        // What the cursor has not passed is told anyway.
        let row = *self.route(route)?;
        if offset > row.cursor {
            return Ok(0);
        }
        let Some(event) = read::event(&self.engine.snapshot(), route.lane, offset)? else {
            return Ok(0);
        };
        self.except(route, &Exception::again(&event, now_ms));
        self.turn(route, row)?;
        Ok(1)
    }

    fn replay_parked(&mut self, route: &Route, limit: usize, now_ms: u64) -> Stored<u64> {
        let parked = read::parked(&self.engine.snapshot(), route, 0, limit)?;
        let count = parked.len() as u64;
        if count > 0 {
            let row = *self.route(route)?;
            self.turn(route, row)?;
        }
        for mut exception in parked {
            exception.hold(now_ms);
            self.except(route, &exception);
        }
        Ok(count)
    }

    /// Whoever tells these events has to begin anew.
    fn turn(&mut self, route: &Route, mut row: RouteRow) -> Stored<()> {
        row.tenure.turn += 1;
        self.set_route(route, row)
    }
}
