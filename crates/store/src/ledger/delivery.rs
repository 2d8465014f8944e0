//! Events that come by themselves, and how far events were told.

use super::{Ledger, Sweep};
use crate::codec;
use crate::engine::Table;
use crate::key;
use chat::dispatch::Exception;
use chat::port::{Checkpoint, Kept, Route, Stored};
use chat::send::lane_of;
use chat::{ConversationId, EventDraft, EventId};

impl Ledger {
    pub(crate) fn record(&mut self, draft: &EventDraft) -> Stored<Option<EventId>> {
        let ConversationId { app, low, high } = draft.conversation;
        if draft.needs_accounts() && !(self.exists(app, &low)? && self.exists(app, &high)?) {
            return Ok(None);
        }
        let lane = lane_of(&draft.conversation, self.engine.lanes_per_app());
        self.lane(lane)?;
        Ok(Some(self.put_event(lane, draft)))
    }

    pub(crate) fn settle(&mut self, route: &Route, checkpoint: Checkpoint) -> Stored<Kept> {
        let Checkpoint { tenure, cursor, exceptions, resolved, delivered, failures } = checkpoint;
        let known = self.route(route)?;
        let kept = known.tenure.admits(&tenure);
        if kept != Kept::Done {
            return Ok(kept);
        }
        known.tenure = tenure;
        known.cursor = known.cursor.max(cursor);
        let mut row = *known;
        // What stood in the way of forgetting an event may be gone, or something came that is old already.
        let is_behind = |sweep: &Sweep| delivered.iter().any(|told| told.at_ms < sweep.trim.before_ms);
        if !resolved.is_empty() || self.sweeps.get(&route.lane).is_some_and(is_behind) {
            self.sweeps.remove(&route.lane);
        }
        for offset in resolved {
            self.group.set(Table::Exceptions, key::exception(route, offset), None);
        }
        for exception in exceptions {
            self.except(route, &exception);
        }
        for failed in failures {
            let value = codec::encode_failure(&failed.failure);
            self.group.set(Table::Failures, key::failure(route, &failed), Some(value));
        }
        for (last_ms, told) in codec::deliveries_rows(&delivered) {
            row.deliveries_last += 1;
            let key = key::deliveries(route, last_ms, row.deliveries_last);
            self.group.put(&self.engine, Table::Deliveries, key, |value| {
                codec::encode_deliveries(last_ms, told, value);
            });
        }
        self.set_route(route, row)?;
        Ok(kept)
    }

    pub(super) fn except(&mut self, route: &Route, exception: &Exception) {
        let value = codec::encode_exception(exception);
        self.group.set(Table::Exceptions, key::exception(route, exception.offset), Some(value));
    }
}
