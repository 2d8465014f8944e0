//! Devices: each is followed by a session on the node, and keeps its own record of what it received.

use crate::ledger::Life;
use crate::mirror::Stretch;
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
}

impl Device {
    pub(crate) fn new(app: AppId, user: UserId, issued_s: u64) -> Self {
        Self { app, user, issued_s, stretches: Vec::new(), session: 0, online: None }
    }

    pub(crate) fn life(&self, epoch: u64) -> Life {
        Life { app: self.app, user: self.user, epoch }
    }
}
