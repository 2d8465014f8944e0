//! Devices: each is followed by a session on the node, and keeps its own record of what it received.

use crate::ledger::Life;
use crate::mirror::{Mirror, Stretch};
use chat::port::Hint;
use chat::sync::Follower;
use chat::{AppId, UserId};

#[derive(Debug)]
pub(crate) struct Device {
    pub(crate) app: AppId,
    pub(crate) user: UserId,
    /// When its credential was issued. It is given another one when that is refused.
    pub(crate) issued_s: u64,
    /// What was received, stretch by stretch. A device that has to start anew begins another one.
    pub(crate) stretches: Vec<Stretch>,
    /// What it makes of the last stretch, and of what it read besides.
    pub(crate) mirror: Mirror,
    /// As it was when it had read everything of before the stretch. It can be put back to any later state.
    pub(crate) base: Option<Mirror>,
    /// Counts connections; what was meant for a former one reaches nobody.
    pub(crate) session: u64,
    pub(crate) online: Option<Session>,
}

/// The node's side of a connection.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) follower: Follower,
    /// The log is being read. Hints wait until it has been.
    pub(crate) reading: bool,
    pub(crate) waiting: Vec<Hint>,
    /// The device has asked for something of before its time, or is about to.
    pub(crate) asking: bool,
}

impl Device {
    pub(crate) fn new(app: AppId, user: UserId, issued_s: u64) -> Self {
        Self {
            app,
            user,
            issued_s,
            stretches: Vec::new(),
            mirror: Mirror::default(),
            base: None,
            session: 0,
            online: None,
        }
    }

    /// Begins anew, with nothing of what was there before.
    pub(crate) fn begins(&mut self, stretch: Stretch, mirror: Mirror) {
        self.stretches.push(stretch);
        self.base = None;
        self.mirror = mirror;
    }

    /// Puts it back to an older state, if it has one. It has forgotten what it received since.
    pub(crate) fn goes_back(&mut self, draw: impl FnOnce(usize) -> usize) {
        let (Some(base), Some(stretch)) = (&self.base, self.stretches.last_mut()) else { return };
        let least = (base.offset - stretch.start) as usize;
        stretch.records.truncate(least + draw(stretch.records.len() - least + 1));
        self.mirror = base.clone();
        stretch.records[least..].iter().for_each(|record| self.mirror.take(&self.user, record));
    }

    pub(crate) fn life(&self, epoch: u64) -> Life {
        Life { app: self.app, user: self.user, epoch }
    }
}
