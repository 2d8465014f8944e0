//! The work of the callback workers.
//!
//! A worker reads the log when there is room, calls the endpoint, settles, and keeps a checkpoint now and then.
//! It is woken by hints, and polls to be sure.

use crate::backend::Backend;
use crate::checkers::events;
use crate::report::Checked;
use crate::sabotage::Sabotage;
use crate::store::at_once;
use crate::worker::{CLAIM_MS, Call, Worker};
use crate::world::{Happening, World};
use chat::dispatch::{Attempt, DispatchLimits, Dispatcher, HealthLimits, Settled};
use chat::port::{EndpointId, Kept, Route, Store};
use chat::{AppId, Lane};
use std::sync::Arc;

const LIMITS: DispatchLimits = DispatchLimits {
    in_flight_max: 3,
    stuck_max: 2,
    fresh_max: 6,
    held_max: 12,
    claim_ms: CLAIM_MS,
    health: HealthLimits { failures_max: 4, probe_delay_ms_min: 1_000, probe_delay_ms_max: 20_000 },
};

const POLL_DELAY_MS: u64 = 5_000;
const CHECKPOINT_DELAY_MS: u64 = 2_000;
const RETRY_DELAY_MS: u64 = 500;

impl World {
    /// Sets up a backend with a worker for each lane of its app.
    pub(crate) fn add_endpoint(&mut self, app: AppId, endpoint: &EndpointId) {
        let backend = self.backends.len();
        self.backends.push(Backend::new());
        self.after(0, Happening::Mood { backend });
        for index in 0..self.plan.lanes_per_app {
            let worker = self.workers.len();
            let route = Route { lane: Lane { app, index }, endpoint: endpoint.clone() };
            self.workers.push(Worker::new(route, backend));
            self.after(POLL_DELAY_MS, Happening::PollLog { worker });
            self.after(CHECKPOINT_DELAY_MS, Happening::Checkpoint { worker });
        }
    }

    /// The time as the host of the workers has it. It only jumps where the node starts again.
    pub(crate) fn host_ms(&self) -> u64 {
        self.now_ms().saturating_add_signed(self.node.clock_ahead_ms)
    }

    pub(crate) fn poll_log(&mut self, worker: usize) -> Checked {
        self.after(POLL_DELAY_MS, Happening::PollLog { worker });
        let Worker { route, dispatcher, .. } = &self.workers[worker];
        if let Some(dispatcher) = dispatcher
            && let Ok(tenure) = at_once(self.store.tenure(route))
            && tenure != dispatcher.tenure()
        {
            self.count(|counts| &mut counts.replays_noticed);
            self.workers[worker].forget();
        }
        self.pump(worker)
    }

    /// Does whatever can be done now.
    pub(crate) fn pump(&mut self, index: usize) -> Checked {
        if self.node.down {
            return Ok(());
        }
        let restored = self.workers[index].dispatcher.is_some() || self.restore(index);
        if !restored || !self.fill(index) {
            self.wake_at(index, self.now_ms() + RETRY_DELAY_MS);
        }
        let (now_ms, host_ms) = (self.now_ms(), self.host_ms());
        while let Some(attempt) = self.dispatcher(index).and_then(|dispatcher| dispatcher.claim(host_ms)) {
            self.call(index, attempt);
        }
        let worker = &mut self.workers[index];
        worker.begun.retain(|_, begun_ms| now_ms < *begun_ms + CLAIM_MS);
        if let Some(dispatcher) = &worker.dispatcher {
            events::claims_expire(dispatcher, worker.begun.len(), &worker.route)?;
            if let Some(wake_ms) = dispatcher.wake_ms() {
                // The host's clock is steady while the node lives, so it is as far to go on either.
                self.wake_at(index, now_ms + wake_ms.saturating_sub(host_ms));
            }
        }
        Ok(())
    }

    /// One planned wake is enough; an earlier one plans the next.
    fn wake_at(&mut self, index: usize, wake_ms: u64) {
        let now_ms = self.now_ms();
        let wake_ms = wake_ms.max(now_ms + 1);
        let worker = &mut self.workers[index];
        if worker.wake_ms <= now_ms || wake_ms < worker.wake_ms {
            worker.wake_ms = wake_ms;
            self.at(wake_ms, Happening::Pump { worker: index });
        }
    }

    fn restore(&mut self, index: usize) -> bool {
        if self.now_ms() < self.workers[index].away_until_ms {
            return false;
        }
        let Some(state) = self.claim_route(index) else {
            return false;
        };
        if !state.held.is_empty() {
            self.count(|counts| &mut counts.restored_with_exceptions);
        }
        let endless = self.sabotage == Some(Sabotage::EndlessClaims);
        let claim_ms = if endless { u64::MAX / 2 } else { LIMITS.claim_ms };
        let limits = DispatchLimits { claim_ms, ..LIMITS };
        let dispatcher = Dispatcher::restore(limits, self.plan.schedule.clone(), state, self.host_ms());
        self.workers[index].dispatcher = Some(dispatcher);
        true
    }

    /// Reads on in the log while there is room. False: the store did not answer.
    fn fill(&mut self, index: usize) -> bool {
        let lane = self.workers[index].route.lane;
        while let Some((after, room)) = self.dispatcher(index).and_then(|dispatcher| dispatcher.wants()) {
            match at_once(self.store.events(lane, after, room)) {
                Err(_) => return false,
                Ok(events) if events.is_empty() => return true,
                Ok(events) => {
                    if let Some(dispatcher) = self.dispatcher(index) {
                        dispatcher.offer(events);
                    }
                }
            }
        }
        true
    }

    fn call(&mut self, index: usize, attempt: Attempt) {
        self.count(|counts| &mut counts.attempts);
        let now_ms = self.now_ms();
        let worker = &mut self.workers[index];
        worker.call_last += 1;
        let (number, lane) = (worker.call_last, worker.route.lane);
        worker.begun.insert(number, now_ms);
        let offset = attempt.claim.offset;
        let event = attempt.event.or_else(|| {
            let page = at_once(self.store.events(lane, offset - 1, 1)).ok()?;
            page.into_iter().next().map(Arc::new)
        });
        let Some(event) = event else {
            // The store does not answer now. The claim lapses, and the event is attempted again.
            return;
        };
        assert!(event.id.offset == offset, "a claimed event is still in the log: {offset}");
        let (fate, settler_dies, settler_late_ms) = {
            let state = &mut *self.stage.lock();
            let backend = &self.backends[self.workers[index].backend];
            let fate = backend.fate(&event, &state.faults, &mut state.chance, &mut state.counts);
            let dies = state.strikes(|faults| faults.settler_dies);
            state.counts.settlers_died += u64::from(dies);
            let late = state.strikes(|faults| faults.settler_late);
            (fate, dies, if late { CLAIM_MS + 1_000 } else { 0 })
        };
        let term = self.workers[index].term;
        let call = Call { worker: index, number, term, claim: attempt.claim, event, fate };
        if let Some(accepted_ms) = call.fate.accepted_ms {
            self.after(accepted_ms, Happening::Arrival { call: Box::new(call.clone()) });
        }
        if !settler_dies {
            let delay_ms = call.fate.answered_ms + settler_late_ms;
            self.after(delay_ms, Happening::Settlement { call: Box::new(call) });
        }
    }

    pub(crate) fn settle(&mut self, call: &Call) -> Checked {
        if call.term != self.workers[call.worker].term {
            self.count(|counts| &mut counts.settles_of_former_terms);
            return Ok(());
        }
        let now_ms = self.host_ms();
        let jitter = self.draw(|chance| chance.fraction());
        let worker = &mut self.workers[call.worker];
        worker.begun.remove(&call.number);
        let Some(dispatcher) = &mut worker.dispatcher else {
            return Ok(());
        };
        let was_open = dispatcher.is_open();
        let settled = dispatcher.settle(call.claim, &call.fate.verdict, now_ms, jitter);
        let opened = !was_open && dispatcher.is_open();
        if settled == Settled::Parked {
            worker.out_of_turn.insert(call.event.id.offset);
        }
        {
            let counts = &mut self.stage.lock().counts;
            counts.breakers_opened += u64::from(opened);
            counts.parked += u64::from(settled == Settled::Parked);
            counts.settles_stale += u64::from(settled == Settled::Stale);
        }
        self.note(&format!("{} of worker {} came to {settled:?}", call.event.id, call.worker));
        self.pump(call.worker)
    }

    /// Keeps how far the worker has come; asks for nothing new before the last one is known to be kept.
    pub(crate) fn checkpoint(&mut self, index: usize) -> Checked {
        self.after(CHECKPOINT_DELAY_MS, Happening::Checkpoint { worker: index });
        let worker = &mut self.workers[index];
        let Some(dispatcher) = &mut worker.dispatcher else {
            return Ok(());
        };
        let repeated = worker.unkept.is_some();
        let Some(checkpoint) = worker.unkept.take().or_else(|| dispatcher.checkpoint()) else {
            return Ok(());
        };
        match at_once(self.store.settle(&worker.route, checkpoint.clone())) {
            Err(_) => worker.unkept = Some(checkpoint),
            Ok(Kept::Done) => {}
            Ok(Kept::Replayed) => {
                worker.forget();
                self.stage.lock().counts.checkpoints_overtaken += 1;
                self.after(0, Happening::Pump { worker: index });
            }
            Ok(Kept::Lost) => panic!("nobody has a higher fence than {:?}", worker.fence),
        }
        let worker = &mut self.workers[index];
        let kept = at_once(self.model.delivery(&worker.route)).expect("the model is always there");
        events::cursors_only_move_forward(worker.cursor, kept.cursor, &worker.route)?;
        worker.cursor = kept.cursor;
        let counts = &mut self.stage.lock().counts;
        counts.checkpoints += 1;
        counts.checkpoints_repeated += u64::from(repeated);
        Ok(())
    }

    fn dispatcher(&mut self, index: usize) -> Option<&mut Dispatcher> {
        self.workers[index].dispatcher.as_mut()
    }
}
