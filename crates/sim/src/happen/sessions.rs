//! The sessions of devices.
//!
//! They end without warning, on either side. What was pushed into a dead connection is lost; the device comes back
//! with the position it really has, or with an older one, or with one that never was.

use crate::checkers::logs::devices_receive_the_whole_log;
use crate::checkers::look::users_of;
use crate::device::Session;
use crate::mirror::{Mirror, Stretch};
use crate::report::Checked;
use crate::sabotage::Sabotage;
use crate::store::at_once;
use crate::world::{Happening, World};
use chat::port::{Changes, Hint, LogRecord, Store};
use chat::sync::{Follower, OnHint, OnRead};
use chat::{Position, UserId};

pub(super) const RECONNECT_MS_MAX: u64 = 5_000;

/// Small, so that logs are longer than a page.
const PAGE_LEN: usize = 4;
const RETRY_DELAY_MS: u64 = 300;
const POLL_DELAY_MS: u64 = 8_000;
const ABSENCE_MS_MAX: u64 = 60_000;

impl World {
    pub(crate) fn connect(&mut self, index: usize) -> Checked {
        let device = &self.devices[index];
        if device.online.is_some() {
            return Ok(());
        }
        if self.node.down || !self.is_let_in(index) {
            self.after(RETRY_DELAY_MS, Happening::Connect { device: index });
            return Ok(());
        }
        let device = &self.devices[index];
        let follower = match device.stretches.last().map(Stretch::position) {
            Some(position) => Some(Follower::resume(self.presented(index, position))),
            None => self.first_follower(index),
        };
        let Some(mut follower) = follower else {
            self.after(RETRY_DELAY_MS, Happening::Connect { device: index });
            return Ok(());
        };
        if self.sabotage == Some(Sabotage::DeviceAhead) {
            let Position { epoch, offset } = follower.position();
            follower = Follower::resume(Position { epoch, offset: offset + 1 });
        }
        let device = &mut self.devices[index];
        device.session += 1;
        device.online = Some(Session { follower, reading: false, waiting: Vec::new(), asking: false });
        let session = device.session;
        self.after(POLL_DELAY_MS, Happening::Poll { device: index, session });
        if !self.healed {
            let delay_ms = self.draw(|chance| chance.between(100..=2 * ABSENCE_MS_MAX));
            self.after(delay_ms, Happening::Vanish { device: index, session });
        }
        self.ask_soon(index);
        self.read_log(index);
        Ok(())
    }

    /// Whether the credential is good, as far as the store answers. If it is not, the device gets another one.
    fn is_let_in(&mut self, index: usize) -> bool {
        let now_s = self.now_ms() / 1000;
        let device = &mut self.devices[index];
        let Ok(revoked_s) = at_once(self.store.revoked_s(device.app, device.user)) else {
            return false;
        };
        let is_good = device.issued_s > revoked_s;
        if !is_good {
            device.issued_s = now_s;
            self.count(|counts| &mut counts.logins_refused);
        }
        is_good
    }

    /// A device without a position starts at the end of the log, or reads all of it.
    fn first_follower(&mut self, index: usize) -> Option<Follower> {
        let (app, user) = (self.devices[index].app, self.devices[index].user);
        let inbox = at_once(self.store.inbox(app, user)).ok().flatten()?;
        let from_the_beginning = self.draw(|chance| chance.hits(700));
        let peers = users_of(self, app);
        let device = &mut self.devices[index];
        if !from_the_beginning {
            device.begins(Stretch::at_end(&inbox), Mirror::at_end(&inbox, &peers));
            return Some(Follower::at_end(&inbox));
        }
        let position = Position { epoch: inbox.epoch, offset: 0 };
        device.begins(Stretch::at(position), Mirror::from_the_beginning());
        Some(Follower::resume(position))
    }

    /// The position a returning device presents. It changes with the device's record: a device put back to an
    /// older state has forgotten what it received since.
    fn presented(&mut self, index: usize, position: Position) -> Position {
        if self.strikes(|faults| faults.position_wrong) {
            self.count(|counts| &mut counts.positions_wrong);
            let Position { epoch, offset } = position;
            let wrong = match self.draw(|chance| chance.between(0..=2)) {
                0 => Position { epoch: epoch + 1, offset },
                1 => Position { epoch: epoch - 1, offset },
                _ => Position { epoch, offset: offset + 100_000 },
            };
            self.devices[index].begins(Stretch::at(wrong), Mirror::default());
            return wrong;
        }
        if self.strikes(|faults| faults.position_old) {
            self.count(|counts| &mut counts.positions_old);
            let stage = &self.stage;
            let device = &mut self.devices[index];
            device.goes_back(|len| stage.lock().chance.index(len));
            return device.stretches.last().expect("it has a position").position();
        }
        position
    }

    pub(crate) fn vanish(&mut self, index: usize, session: u64) {
        if !self.healed && self.devices[index].session == session {
            let delay_ms = self.draw(|chance| chance.between(100..=ABSENCE_MS_MAX));
            self.drop_session(index, delay_ms);
        }
    }

    pub(crate) fn drop_session(&mut self, index: usize, reconnect_ms: u64) {
        if self.devices[index].online.take().is_some() {
            self.devices[index].session += 1;
            self.count(|counts| &mut counts.sessions_dropped);
            self.after(reconnect_ms, Happening::Connect { device: index });
        }
    }

    pub(crate) fn poll_device(&mut self, index: usize, session: u64) {
        let device = &self.devices[index];
        if device.session != session {
            return;
        }
        let (app, user) = (device.app, device.user);
        if self.sabotage != Some(Sabotage::NoLookAtCredentials)
            && let Ok(revoked_s) = at_once(self.store.revoked_s(app, user))
        {
            self.revoked(index, revoked_s);
        }
        if let Some(online) = &mut self.devices[index].online {
            online.follower.poll();
            self.after(POLL_DELAY_MS, Happening::Poll { device: index, session });
            self.read_log(index);
        }
    }

    /// Whoever rests on a worthless credential has to log in again.
    pub(crate) fn revoked(&mut self, index: usize, revoked_s: u64) {
        let device = &self.devices[index];
        if device.online.is_some() && device.issued_s <= revoked_s {
            self.count(|counts| &mut counts.sessions_revoked);
            self.drop_session(index, RETRY_DELAY_MS);
        }
    }

    /// Reads the log if it is worth it. The answer is true of this moment, and arrives a little later.
    fn read_log(&mut self, index: usize) {
        let device = &mut self.devices[index];
        let Some(online) =
            device.online.as_mut().filter(|online| !online.reading && online.follower.is_behind())
        else {
            return;
        };
        let read = self.store.changes(device.app, device.user, online.follower.position(), PAGE_LEN);
        let session = device.session;
        let changes = at_once(read).ok().map(Box::new);
        online.reading = true;
        let delay_ms = match changes {
            Some(_) => self.draw(|chance| chance.between(1..=200)),
            None => RETRY_DELAY_MS,
        };
        self.after(delay_ms, Happening::ReadAnswer { device: index, session, changes });
    }

    /// Without changes the store did not answer, and is asked again.
    pub(crate) fn read_answered(&mut self, index: usize, session: u64, changes: Option<Changes>) -> Checked {
        let device = &mut self.devices[index];
        if device.session != session {
            return Ok(());
        }
        let Some(online) = &mut device.online else {
            return Ok(());
        };
        online.reading = false;
        let waiting = std::mem::take(&mut online.waiting);
        match changes.map(|changes| online.follower.read(changes, PAGE_LEN)) {
            None => {}
            Some(OnRead::Push { records, .. }) => self.push(index, records)?,
            Some(OnRead::Resync(inbox)) => {
                let peers = users_of(self, self.devices[index].app);
                self.devices[index].begins(Stretch::at_end(&inbox), Mirror::at_end(&inbox, &peers));
                self.count(|counts| &mut counts.resyncs);
                self.ask_soon(index);
            }
            Some(OnRead::Gone) => {
                self.count(|counts| &mut counts.sessions_gone);
                self.drop_session(index, RECONNECT_MS_MAX);
            }
        }
        for hint in waiting {
            self.hint(index, hint)?;
        }
        self.read_log(index);
        Ok(())
    }

    pub(crate) fn hint(&mut self, index: usize, hint: Hint) -> Checked {
        let Some(online) = &mut self.devices[index].online else {
            return Ok(());
        };
        if online.reading {
            online.waiting.push(hint);
            return Ok(());
        }
        match online.follower.hint(hint.position()) {
            OnHint::Push => return self.push(index, vec![hint.record]),
            OnHint::Skip => {}
            OnHint::Read => {
                self.count(|counts| &mut counts.hints_with_gap);
                self.read_log(index);
            }
        }
        Ok(())
    }

    fn push(&mut self, index: usize, records: Vec<LogRecord>) -> Checked {
        for record in records {
            if self.strikes(|faults| faults.session_dropped) {
                let delay_ms = self.draw(|chance| chance.between(1..=RECONNECT_MS_MAX));
                self.drop_session(index, delay_ms);
                return Ok(());
            }
            let device = &mut self.devices[index];
            let stretch = device.stretches.last_mut().expect("a connected device has a position");
            take(&mut device.mirror, &device.user, &record, self.sabotage);
            stretch.records.push(record);
            self.count(|counts| &mut counts.entries_pushed);
            devices_receive_the_whole_log(self, &self.devices[index])?;
        }
        Ok(())
    }

    pub(crate) fn online_pushed(&mut self, index: usize) {
        if self.devices[index].online.is_some() {
            self.count(|counts| &mut counts.online_pushed);
        }
    }
}

/// What an app makes of a change, unless it has a bug.
fn take(mirror: &mut Mirror, user: &UserId, record: &LogRecord, sabotage: Option<Sabotage>) {
    let (before, offset) = (mirror.unread, record.entry.offset);
    match sabotage {
        Some(Sabotage::ChangeTakenTwice) if offset.is_multiple_of(7) => {
            mirror.take(user, record);
            mirror.unread = before;
        }
        Some(Sabotage::ChangeLeftOut) if offset.is_multiple_of(7) => {
            (mirror.offset, mirror.unread) = (offset, record.entry.unread);
            return;
        }
        _ => {}
    }
    mirror.take(user, record);
}
