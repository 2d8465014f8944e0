//! The event log, and how far it was told.

use super::{LaneState, State, TRIM_EVENTS_MAX};
use crate::dispatch::{Checkpoint, Delivered, DeliveryState, Exception, FailedAttempt, Kept, Replay, Tenure};
use crate::event::{Event, EventDraft, EventId, Lane};
use crate::id::ConversationId;
use crate::port::{EndpointId, LaneExtent, Route};
use crate::send::lane_of;

impl State {
    pub(super) fn record(&mut self, draft: EventDraft) -> Option<EventId> {
        let ConversationId { app, low, high } = draft.conversation;
        if draft.needs_accounts() && !(self.exists(app, low) && self.exists(app, high)) {
            return None;
        }
        Some(self.put_event(draft))
    }

    /// Puts an event at the end of its lane.
    pub(super) fn put_event(&mut self, draft: EventDraft) -> EventId {
        let lane = lane_of(&draft.conversation, self.lanes_per_app);
        let log = self
            .lanes
            .entry(lane)
            .or_insert_with(|| LaneState { epoch: draft.recorded_ms, ..LaneState::default() });
        let id = EventId { lane, epoch: log.epoch, offset: log.last() + 1 };
        log.events.insert(id.offset, draft.at(id));
        id
    }

    pub(super) fn events(&self, lane: Lane, after: u64, limit: usize) -> Vec<Event> {
        let (Some(log), Some(from)) = (self.lanes.get(&lane), after.checked_add(1)) else {
            return Vec::new();
        };
        log.events.range(from..).take(limit).map(|(_, event)| event.clone()).collect()
    }

    pub(super) fn extent(&self, lane: Lane) -> Option<LaneExtent> {
        let extent = |log: &LaneState| LaneExtent { epoch: log.epoch, gone: log.gone, last: log.last() };
        self.lanes.get(&lane).map(extent)
    }

    pub(super) fn delivery(&self, route: &Route) -> DeliveryState {
        let Some(known) = self.routes.get(route) else {
            return DeliveryState::default();
        };
        let (held, parked): (Vec<_>, Vec<_>) =
            known.exceptions.values().cloned().partition(|exception| !exception.is_parked());
        let parked_count = parked.len() as u64;
        DeliveryState { tenure: known.tenure, has_begun: true, cursor: known.cursor, held, parked_count }
    }

    pub(super) fn tenure(&self, route: &Route) -> Tenure {
        self.routes.get(route).map_or_else(Tenure::default, |known| known.tenure)
    }

    pub(super) fn settle(&mut self, route: &Route, checkpoint: Checkpoint) -> Kept {
        let kept = self.tenure(route).admits(&checkpoint.tenure);
        if kept != Kept::Done {
            return kept;
        }
        let known = self.routes.entry(route.clone()).or_default();
        known.tenure = checkpoint.tenure;
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
        kept
    }

    pub(super) fn parked(&self, route: &Route, after: u64, limit: usize) -> Vec<Exception> {
        let Some(known) = self.routes.get(route) else {
            return Vec::new();
        };
        let later = known.exceptions.range(after + 1..).map(|(_, exception)| exception);
        later.filter(|exception| exception.is_parked()).take(limit).cloned().collect()
    }

    pub(super) fn exception(&self, route: &Route, offset: u64) -> Option<Exception> {
        self.routes.get(route).and_then(|known| known.exceptions.get(&offset)).cloned()
    }

    pub(super) fn failures(&self, route: &Route, offset: u64) -> Vec<FailedAttempt> {
        let Some(known) = self.routes.get(route) else {
            return Vec::new();
        };
        let of_event = known.failures.range((offset, 0, 0)..=(offset, u64::MAX, u32::MAX));
        of_event.map(|(_, failed)| failed.clone()).collect()
    }

    pub(super) fn delivered(&self, route: &Route, offset: u64, since_ms: u64) -> Option<Delivered> {
        let known = self.routes.get(route)?;
        let told = known.delivered.iter().filter(|told| told.offset == offset && told.at_ms >= since_ms);
        told.max_by_key(|told| told.at_ms).copied()
    }

    pub(super) fn replay(&mut self, route: &Route, replay: &Replay, now_ms: u64) -> u64 {
        let Some(log) = self.lanes.get(&route.lane) else {
            return 0;
        };
        if let Replay::From { .. } = *replay {
            self.routes.entry(route.clone()).or_default();
        }
        let Some(known) = self.routes.get_mut(route) else {
            return 0;
        };
        let (is_changed, count) = match *replay {
            Replay::From { after } => {
                known.cursor = known.cursor.min(after);
                known.exceptions.split_off(&(known.cursor + 1));
                // What its dispatcher has read of this is forgotten, too.
                (true, log.events.range(known.cursor + 1..).count() as u64)
            }
            Replay::One { offset } => {
                // What the cursor has not passed is told anyway.
                let Some(event) = log.events.get(&offset).filter(|_| offset <= known.cursor) else {
                    return 0;
                };
                known.exceptions.insert(offset, Exception::again(event, now_ms));
                (true, 1)
            }
            Replay::Parked { limit } => {
                let parked = known.exceptions.values_mut().filter(|exception| exception.is_parked());
                let count = parked.take(limit).map(|exception| exception.hold(now_ms)).count() as u64;
                (count > 0, count)
            }
        };
        known.tenure.turn += u64::from(is_changed);
        count
    }

    pub(super) fn trim_events(&mut self, lane: Lane, endpoints: Vec<EndpointId>, before_ms: u64) -> usize {
        let Some(log) = self.lanes.get_mut(&lane) else {
            return 0;
        };
        let routes: Vec<Route> = endpoints.into_iter().map(|endpoint| Route { lane, endpoint }).collect();
        let known = || routes.iter().map(|route| self.routes.get(route));
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
            if let Some(known) = self.routes.get_mut(route) {
                known.failures.retain(|(offset, _, _), _| !forgotten.contains(offset));
                known.delivered.retain(|told| told.at_ms >= before_ms);
            }
        }
        forgotten.len()
    }
}
