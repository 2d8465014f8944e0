//! Those who run an app: they have events told again, and add endpoints.

use crate::checkers::events;
use crate::report::Checked;
use crate::sabotage::Sabotage;
use crate::store::at_once;
use crate::world::{Happening, World};
use chat::dispatch::Replay;
use chat::port::{Checkpoint, EndpointId, Route, Store};
use chat::{EventId, Lane};
use std::collections::BTreeSet;

const REPLAY_DELAY_MS: u64 = 10_000;

impl World {
    /// Moves the position of a route, and lets a new dispatcher go on from there: at once, or when the one that is there
    /// notices.
    pub(crate) fn replay(&mut self) -> Checked {
        if self.healed {
            return Ok(());
        }
        self.after(REPLAY_DELAY_MS, Happening::Replay);
        if self.node.down || !self.strikes(|faults| faults.replayed) {
            return Ok(());
        }
        let index = self.draw(|chance| chance.index(self.workers.len()));
        let route = self.workers[index].route.clone();
        let replay = self.some_replay(&route);
        let wanted = self.wanted(&route, &replay);
        self.note(&format!("{replay:?} of worker {index}"));

        let is_elsewhere = self.draw(|chance| chance.hits(400));
        let former = if is_elsewhere { None } else { self.give_up(index) };
        let worker = &mut self.workers[index];
        // Whoever tells the events on another node goes on until it notices.
        let term = worker.term + u64::from(worker.dispatcher.is_some());
        let said = at_once(self.store.replay(&route, replay.clone(), self.host_ms()));
        if self.sabotage == Some(Sabotage::FormerCheckpoint)
            && let Some(mut former) = former
        {
            // As if nobody had looked what it builds on.
            former.tenure = at_once(self.model.tenure(&route)).expect("the model is always there");
            at_once(self.model.settle(&route, former)).expect("the model is always there");
        }
        let cursor = self.cursor(&route);
        let worker = &mut self.workers[index];
        worker.cursor = cursor;
        // Also if the store says that it failed: that may be all that failed.
        match replay {
            Replay::From { .. } => worker.pass = term,
            Replay::One { offset } => drop(worker.out_of_turn.insert(offset)),
            Replay::Parked { .. } => {}
        }
        self.after(0, Happening::Pump { worker: index });
        let Ok(said) = said else {
            self.count(|counts| &mut counts.replays_failed);
            return Ok(());
        };
        let worker = &mut self.workers[index];
        worker.owed.extend(wanted.iter().map(|offset| (*offset, term)));
        self.stage.lock().counts.replays_elsewhere += u64::from(is_elsewhere);
        self.stage.lock().counts.events_replayed += said;
        self.count(|counts| match replay {
            Replay::From { .. } => &mut counts.replays_from,
            Replay::One { .. } => &mut counts.replays_of_one,
            Replay::Parked { .. } => &mut counts.replays_of_parked,
        });
        events::replays_say_how_many(wanted.len(), said, &replay)
    }

    /// Ends the dispatcher of a route, and gives the checkpoint that it would have written.
    pub(crate) fn give_up(&mut self, index: usize) -> Option<Checkpoint> {
        let worker = &mut self.workers[index];
        let former = worker.unkept.take().or_else(|| worker.dispatcher.as_mut()?.checkpoint());
        worker.forget();
        former
    }

    fn some_replay(&self, route: &Route) -> Replay {
        let cursor = self.cursor(route);
        let extent = at_once(self.model.lane(route.lane)).expect("the model is always there");
        let last = extent.map_or(0, |extent| extent.last);
        self.draw(|chance| match chance.between(0..=2) {
            0 => Replay::From { after: chance.between(0..=cursor) },
            1 => Replay::One { offset: chance.between(1..=last.max(1)) },
            _ => Replay::Parked { limit: chance.between(1..=3) as usize },
        })
    }

    /// What the replay has to tell again, by what stands in the store before it.
    fn wanted(&self, route: &Route, replay: &Replay) -> Vec<u64> {
        let cursor = self.cursor(route);
        match *replay {
            Replay::From { after } => self.offsets(route.lane, after.min(cursor)),
            Replay::One { offset } if offset > cursor => Vec::new(),
            Replay::One { offset } => {
                let found = self.offsets(route.lane, offset - 1);
                found.into_iter().filter(|found| *found == offset).collect()
            }
            Replay::Parked { limit } => {
                let parked = at_once(self.model.parked(route, 0, limit));
                let parked = parked.expect("the model is always there");
                parked.iter().map(|exception| exception.offset).collect()
            }
        }
    }

    /// One more endpoint, which is told everything that is still there.
    pub(crate) fn endpoint_joins(&mut self, app: usize) {
        let id = self.plan.apps[app].id;
        let endpoint = EndpointId("late".into());
        self.note(&format!("an endpoint joins app {id}"));
        self.count(|counts| &mut counts.endpoints_joined);
        self.copy_events();
        let first = self.workers.len();
        self.add_endpoint(id, &endpoint);
        self.plan.apps[app].endpoints.push(endpoint);
        for index in first..self.workers.len() {
            let lane = self.workers[index].route.lane;
            let left: BTreeSet<u64> = self.offsets(lane, 0).into_iter().collect();
            let ledger = &self.stage.lock().ledger;
            let of_lane = ledger.events.keys().filter(|id| id.lane == lane);
            let missed: BTreeSet<EventId> =
                of_lane.filter(|id| !left.contains(&id.offset)).copied().collect();
            self.workers[index].missed = missed;
        }
    }

    /// The events that a lane still has after an offset.
    fn offsets(&self, lane: Lane, after: u64) -> Vec<u64> {
        let events = self.store.committed_events(lane, after, usize::MAX);
        events.iter().map(|event| event.id.offset).collect()
    }

    fn cursor(&self, route: &Route) -> u64 {
        at_once(self.model.delivery(route)).expect("the model is always there").cursor
    }
}
