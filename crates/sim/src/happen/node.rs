//! What the process goes through: it runs requests, dies, starts again, and does its housekeeping.

use super::sessions::RECONNECT_MS_MAX;
use crate::checkers::gates;
use crate::errand::Wish;
use crate::node::Task;
use crate::plan::AppPlan;
use crate::report::Checked;
use crate::stage::TaskId;
use crate::store::at_once;
use crate::worker::Worker;
use crate::world::{Happening, World};
use chat::port::{Account, EndpointId, Store};
use chat::{AppId, Lane, UserId};
use std::task::{Context, Poll, Waker};

/// Between two chances to die.
const NODE_LIFE_MS: u64 = 5_000;
const STORE_DELAY_MS: u64 = 30_000;
const ACCOUNT_DELAY_MS: u64 = 10_000;
const TRIM_DELAY_MS: u64 = 30_000;
const RETRY_DELAY_MS: u64 = 500;
const CLOCK_JUMP_MS_MAX: u64 = 4 * 3_600_000;

impl World {
    /// Takes a request in. It does nothing before it is resumed.
    pub(crate) fn admit(&mut self, task: Task) -> TaskId {
        self.node.task_last += 1;
        let id = TaskId(self.node.task_last);
        self.node.tasks.insert(id, task);
        id
    }

    /// Lets a request go on as far as it can.
    pub(crate) fn resume(&mut self, id: TaskId) {
        let Some(mut task) = self.node.tasks.remove(&id) else {
            return;
        };
        self.stage.lock().running = id;
        let polled = task.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        let wakes = std::mem::take(&mut self.stage.lock().wakes);
        for (at_ms, task) in wakes {
            self.at(at_ms, Happening::Resume { task });
        }
        self.carry();
        match polled {
            Poll::Ready(finished) => self.finish(id, finished),
            Poll::Pending => {
                self.node.tasks.insert(id, task);
            }
        }
    }

    pub(crate) fn node_dies(&mut self) -> Checked {
        if self.healed {
            return Ok(());
        }
        if !self.strikes(|faults| faults.node_dies) {
            self.after(NODE_LIFE_MS, Happening::NodeDies);
            return Ok(());
        }
        self.note("the node dies");
        self.node.down = true;
        let vanished = std::mem::take(&mut self.node.tasks).len() as u64;
        {
            let counts = &mut self.stage.lock().counts;
            counts.crashes += 1;
            counts.requests_vanished += vanished;
        }
        self.workers.iter_mut().for_each(Worker::forget);
        for device in 0..self.devices.len() {
            let delay_ms = self.draw(|chance| chance.between(100..=RECONNECT_MS_MAX));
            self.drop_session(device, delay_ms);
        }
        let delay_ms = self.draw(|chance| chance.between(50..=15_000));
        self.after(delay_ms, Happening::NodeStarts);
        gates::breakers_hold_nothing_back(&self.gate, self.now_ms())?;
        self.gate.begin_anew();
        Ok(())
    }

    pub(crate) fn node_starts(&mut self) {
        self.note("the node starts");
        self.node.down = false;
        if self.strikes(|faults| faults.clock_jumps) {
            self.count(|counts| &mut counts.clock_jumps);
            self.node.clock_ahead_ms = self.draw(|chance| chance.between(0..=2 * CLOCK_JUMP_MS_MAX)) as i64
                - CLOCK_JUMP_MS_MAX as i64;
        }
        for worker in 0..self.workers.len() {
            self.after(0, Happening::Pump { worker });
        }
        self.after(NODE_LIFE_MS, Happening::NodeDies);
    }

    /// The store may be away for so long that senders give up.
    pub(crate) fn store_goes(&mut self) {
        if self.healed {
            return;
        }
        self.after(STORE_DELAY_MS, Happening::StoreGoes);
        if self.strikes(|faults| faults.store_outage) {
            self.note("the store is out");
            self.count(|counts| &mut counts.store_outages);
            let state = &mut *self.stage.lock();
            state.store_back_ms = state.now_ms + state.chance.between(5_000..=130_000);
        }
    }

    /// The apps' backends may swallow what they are asked before a send.
    pub(crate) fn gate_goes(&mut self) {
        if self.healed {
            return;
        }
        self.after(STORE_DELAY_MS, Happening::GateGoes);
        if self.strikes(|faults| faults.gate_outage) {
            self.note("no question before a send is answered");
            self.count(|counts| &mut counts.gate_outages);
            let state = &mut *self.stage.lock();
            state.gate_back_ms = state.now_ms + state.chance.between(3_000..=30_000);
        }
    }

    /// A user may leave for a while. The account then starts anew, in a new epoch.
    pub(crate) fn account_leaves(&mut self) {
        if self.healed {
            return;
        }
        self.after(ACCOUNT_DELAY_MS, Happening::AccountLeaves);
        if !self.strikes(|faults| faults.account_deleted) {
            return;
        }
        let app = self.draw(|chance| chance.index(self.plan.apps.len()));
        let AppPlan { id, users, .. } = &self.plan.apps[app];
        let (app, mut users) = (*id, users.clone());
        // Now and then several at once: what nobody can see any more is gone for good.
        let rest = self.draw(|chance| {
            let first = chance.index(users.len());
            users.rotate_left(first);
            if chance.hits(400) { 2 } else { 1 }
        });
        users.truncate(rest);
        self.wish(Wish::Leave { app, users });
    }

    /// Those who left come back after a while. They may be gone although nobody was told so, and coming back is right
    /// in either case.
    pub(crate) fn return_later(&mut self, app: AppId, users: &[UserId]) {
        for user in users {
            let delay_ms = self.draw(|chance| chance.between(100..=30_000));
            self.after(delay_ms, Happening::AccountReturns { app, user: *user });
        }
    }

    pub(crate) fn account_returns(&mut self, app: AppId, user: UserId) {
        self.note(&format!("{user} of app {app} returns"));
        let imported = self.store.import_accounts(app, vec![Account::bare(user)], self.now_ms());
        match at_once(imported) {
            Ok(()) => self.count(|counts| &mut counts.accounts_returned),
            Err(_) => self.after(RETRY_DELAY_MS, Happening::AccountReturns { app, user }),
        }
    }

    pub(crate) fn trim(&mut self) {
        if self.healed {
            return;
        }
        self.after(TRIM_DELAY_MS, Happening::Trim);
        self.copy_events();
        let before_ms = self.now_ms() - TRIM_DELAY_MS;
        for (lane, endpoints) in self.lanes() {
            // What cannot be trimmed now is trimmed the next time.
            let trimmed = at_once(self.store.trim_events(lane, endpoints, before_ms)).unwrap_or(0);
            self.stage.lock().counts.events_trimmed += trimmed as u64;
        }
    }

    /// Puts the event logs into the ledger, before anything of them is forgotten.
    pub(crate) fn copy_events(&mut self) {
        for (lane, _) in self.lanes() {
            let events = self.store.committed_events(lane, 0, usize::MAX);
            let ledger = &mut self.stage.lock().ledger;
            for event in events {
                ledger.events.entry(event.id).or_insert(event);
            }
        }
    }

    fn lanes(&self) -> Vec<(Lane, Vec<EndpointId>)> {
        let lanes = self.plan.apps.iter().flat_map(|app| {
            (0..self.plan.lanes_per_app).map(|index| (Lane { app: app.id, index }, app.endpoints.clone()))
        });
        lanes.collect()
    }
}
