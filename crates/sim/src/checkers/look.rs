//! What the store really holds, as the checkers look at it.

use crate::mirror::Stretch;
use crate::store::at_once;
use crate::worker::Worker;
use crate::world::World;
use chat::conversation::Position;
use chat::port::{Changes, DeliveryState, Exception, Store};
use chat::{AppId, Inbox, UserId};

const ALWAYS: &str = "the model is always there";

pub(super) fn users(world: &World) -> impl Iterator<Item = (AppId, UserId)> {
    world.plan.apps.iter().flat_map(|app| app.users.iter().map(|user| (app.id, *user)))
}

/// The users of an app.
pub(crate) fn users_of(world: &World, app: AppId) -> Vec<UserId> {
    users(world).filter(|(of, _)| *of == app).map(|(_, user)| user).collect()
}

pub(super) fn inbox(world: &World, app: AppId, user: UserId) -> Option<Inbox> {
    at_once(world.model.inbox(app, user)).expect(ALWAYS)
}

/// A user's log from its beginning.
pub(super) fn whole_log(world: &World, app: AppId, user: UserId, epoch: u64) -> Option<Stretch> {
    let beginning = Position { epoch, offset: 0 };
    match at_once(world.model.changes(app, user, beginning, usize::MAX)).expect(ALWAYS) {
        Changes::Records(records) => Some(Stretch { epoch, start: 0, records }),
        Changes::Resync(_) | Changes::UnknownAccount => None,
    }
}

pub(super) fn unread(world: &World, app: AppId, user: UserId, peers: &[UserId]) -> Vec<u32> {
    at_once(world.model.unread(app, user, peers.to_vec())).expect(ALWAYS)
}

pub(super) fn delivery(world: &World, worker: &Worker) -> DeliveryState {
    at_once(world.model.delivery(&worker.route)).expect(ALWAYS)
}

pub(super) fn parked(world: &World, worker: &Worker) -> Vec<Exception> {
    at_once(world.model.parked(&worker.route, 0, usize::MAX)).expect(ALWAYS)
}
