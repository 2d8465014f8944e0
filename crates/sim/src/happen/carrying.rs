//! The way of hints, to every listener for itself.

use crate::stage::Word;
use crate::world::{Happening, World};
use chat::{AppId, UserId};

impl World {
    /// Sends what was handed to the bus on its way, to every listener for itself.
    pub(crate) fn carry(&mut self) {
        let words = std::mem::take(&mut self.stage.lock().outbox);
        for word in words {
            for happening in self.addressed(&word) {
                self.deliver(&happening);
            }
        }
    }

    fn addressed(&self, word: &Word) -> Vec<Happening> {
        let devices = |app: AppId, user: UserId| {
            let devices = self.devices.iter().enumerate();
            devices
                .filter(move |(_, device)| (device.app, device.user) == (app, user))
                .map(|(index, _)| index)
        };
        match word {
            Word::Changed { app, user, hint } => devices(*app, *user)
                .map(|device| Happening::Hint { device, hint: Box::new(hint.clone()) })
                .collect(),
            Word::Online { app, user } => {
                devices(*app, *user).map(|device| Happening::Online { device }).collect()
            }
            Word::Revoked { app, user, revoked_s } => devices(*app, *user)
                .map(|device| Happening::Revoked { device, revoked_s: *revoked_s })
                .collect(),
            Word::Recorded { lane } => {
                let workers = self.workers.iter().enumerate();
                let of_lane = workers.filter(|(_, worker)| worker.route.lane == *lane);
                of_lane.map(|(worker, _)| Happening::Pump { worker }).collect()
            }
        }
    }

    fn deliver(&mut self, happening: &Happening) {
        let delays_ms = {
            let state = &mut *self.stage.lock();
            state.counts.hints += 1;
            let mut delays_ms = Vec::with_capacity(2);
            if state.strikes(|faults| faults.hint_lost) {
                state.counts.hints_lost += 1;
            } else {
                delays_ms.push(state.chance.between(1..=20));
            }
            if state.strikes(|faults| faults.hint_doubled) {
                state.counts.hints_doubled += 1;
                delays_ms.push(state.chance.between(1..=3_000));
            }
            if state.strikes(|faults| faults.hint_late)
                && let Some(delay_ms) = delays_ms.first_mut()
            {
                state.counts.hints_late += 1;
                *delay_ms += state.chance.between(100..=20_000);
            }
            delays_ms
        };
        for delay_ms in delays_ms {
            self.after(delay_ms, happening.clone());
        }
    }
}
