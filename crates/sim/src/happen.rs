//! Everything that can happen in a world, carried out, and the two phases of a run.
//!
//! First things break. Then everything heals, and the world has to become quiet by itself.

mod acts;
mod approaches;
mod errands;
mod tally;
mod node;
mod sessions;
mod readings;
mod carrying;
mod telling;
mod moving;
mod endpoints;
mod operator;

use crate::backend::Backend;
use crate::checkers;
use crate::device::Device;
use crate::plan::Faults;
use crate::report::Checked;
use crate::stage::START_MS;
use crate::store::at_once;
use crate::world::{Happening, World};
use chat::port::Account;

/// How long a healed world may take to become quiet. The longest wait in it is that of a breaker or of a retry,
/// half a minute at most, and everything behind it is then told at full speed.
const QUIET_MS_MAX: u64 = 1_800_000;
const LOOK_DELAY_MS: u64 = 1_000;

impl World {
    /// Runs until the healed world is quiet, and lets the checkers judge it.
    pub(crate) fn run(&mut self) -> Checked {
        self.populate();
        let mut quiet_by_ms = u64::MAX;
        while let Some(((at_ms, _), happening)) = self.queue.pop_first() {
            self.stage.lock().now_ms = at_ms;
            match happening {
                Happening::Heal => {
                    self.heal();
                    quiet_by_ms = at_ms + QUIET_MS_MAX;
                }
                Happening::Look if checkers::is_quiet(self) || at_ms >= quiet_by_ms => break,
                Happening::Look => self.after(LOOK_DELAY_MS, Happening::Look),
                happening => self.happen(happening)?,
            }
            self.stage.lock().broken.take().map_or(Ok(()), Err)?;
        }
        self.copy_events();
        self.conclude();
        checkers::judge(self)
    }

    fn happen(&mut self, happening: Happening) -> Checked {
        match happening {
            Happening::Act => self.act(),
            Happening::Request { tag } => self.request(tag),
            Happening::Impatience { tag, task } => self.lose_patience(tag, task),
            Happening::Resume { task } => self.resume(task),
            Happening::Connect { device } => self.connect(device)?,
            Happening::Vanish { device, session } => self.vanish(device, session),
            Happening::Poll { device, session } => self.poll_device(device, session),
            Happening::ReadAnswer { device, session, changes } => {
                self.read_answered(device, session, changes.map(|changes| *changes))?;
            }
            Happening::Hint { device, hint } => self.hint(device, *hint)?,
            Happening::Revoked { device, revoked_s } => self.revoked(device, revoked_s),
            Happening::Asks { device, session } => self.device_asks(device, session),
            Happening::Answered { device, session, stretches, answer } => {
                self.device_answered(device, session, stretches, answer.map(|answer| *answer));
            }
            Happening::Online { device } => self.online_pushed(device),
            Happening::Pump { worker } => self.pump(worker)?,
            Happening::PollLog { worker } => self.poll_log(worker)?,
            Happening::Checkpoint { worker } => self.checkpoint(worker)?,
            Happening::Arrival { call } => self.arrive(&call)?,
            Happening::Settlement { call } => self.settle(&call)?,
            Happening::Mood { backend } => self.change_mood(backend),
            Happening::NodeDies => self.node_dies()?,
            Happening::NodeStarts => self.node_starts(),
            Happening::GateGoes => self.gate_goes(),
            Happening::Replay => self.replay()?,
            Happening::LaneMoves => self.lane_moves(),
            Happening::FormerCheckpoint { worker, checkpoint } => {
                self.former_checkpoint(worker, *checkpoint)?;
            }
            Happening::EndpointJoins { app } => self.endpoint_joins(app),
            Happening::StoreGoes => self.store_goes(),
            Happening::AccountLeaves => self.account_leaves(),
            Happening::AccountReturns { app, user } => self.account_returns(app, user),
            Happening::Trim => self.trim(),
            Happening::Heal | Happening::Look => unreachable!("the phases are the run's own"),
        }
        Ok(())
    }

    fn populate(&mut self) {
        for index in 0..self.plan.apps.len() {
            let (app, users) = (self.plan.apps[index].id, self.plan.apps[index].users.clone());
            let accounts = users.iter().map(|user| Account::bare(*user)).collect();
            at_once(self.store.settle_in(app, accounts, START_MS)).expect("the model is always there");
            self.make_friends(index);
            for user in users {
                for _ in 0..self.draw(|chance| chance.between(1..=3)) {
                    self.devices.push(Device::new(app, user, START_MS / 1000));
                    let delay_ms = self.draw(|chance| chance.between(0..=60_000));
                    self.after(delay_ms, Happening::Connect { device: self.devices.len() - 1 });
                }
            }
            for endpoint in self.plan.apps[index].endpoints.clone() {
                self.add_endpoint(app, &endpoint);
            }
            if let Some(delay_ms) = self.plan.apps[index].joins_after_ms {
                self.after(delay_ms, Happening::EndpointJoins { app: index });
            }
        }
        let firsts = [Happening::Act, Happening::NodeDies, Happening::StoreGoes, Happening::AccountLeaves];
        for first in firsts.into_iter().chain([
            Happening::Trim,
            Happening::GateGoes,
            Happening::Replay,
            Happening::LaneMoves,
        ]) {
            self.after(1_000, first);
        }
        self.after(self.plan.stormy_ms, Happening::Heal);
    }

    /// Nothing breaks any more, and whoever was away comes back.
    fn heal(&mut self) {
        self.note("everything heals");
        self.healed = true;
        {
            let state = &mut *self.stage.lock();
            state.faults = Faults::default();
            (state.store_back_ms, state.gate_back_ms) = (state.now_ms, state.now_ms);
        }
        self.backends.iter_mut().for_each(Backend::heal);
        for device in 0..self.devices.len() {
            self.after(1_000, Happening::Connect { device });
        }
        self.after(LOOK_DELAY_MS, Happening::Look);
    }
}
