//! The promises, each as a question to the world. They know nothing of how the rules keep them.
//!
//! Some are asked whenever something arrives, the rest when the healed world has become quiet. What can be asked of a
//! single commit, the ledger has asked before.

pub(crate) mod errands;
pub(crate) mod messages;
pub(crate) mod counts;
pub(crate) mod people;
pub(crate) mod logs;
pub(crate) mod mirrors;
pub(crate) mod events;
pub(crate) mod gates;
pub(crate) mod look;

use crate::errand::Progress;
use crate::report::{Checked, holds};
use crate::world::World;

/// Nothing is under way, and nothing remains to be told to anyone.
pub(crate) fn is_quiet(world: &World) -> bool {
    let settled = world.errands.iter().all(|errand| errand.progress != Progress::Open);
    settled
        && world.node.tasks.is_empty()
        && world.devices.iter().all(|device| logs::is_caught_up(world, device))
        && people::worthless_credentials(world).next().is_none()
        && world.workers.iter().all(|worker| events::has_told_everything(world, worker))
}

/// Asked of a quiet world. The event log has been copied into the ledger.
pub(crate) fn judge(world: &World) -> Checked {
    people::no_session_outlives_its_credential(world)?;
    messages::nothing_is_stored_twice(world)?;
    messages::every_acknowledged_send_is_stored(world)?;
    messages::answers_are_those_of_the_message(world)?;
    messages::history_shows_every_message(world)?;
    messages::messages_are_found_as_they_stand(world)?;
    messages::sends_can_be_looked_up(world)?;
    logs::logs_are_whole(world)?;
    counts::counts_are_exact(world)?;
    counts::lists_show_every_conversation(world)?;
    people::people_are_as_committed(world)?;
    people::relations_are_as_committed(world)?;
    logs::every_device_has_caught_up(world)?;
    mirrors::every_device_converges(world)?;
    events::every_promise_is_recorded(world)?;
    events::lanes_have_no_gaps(world)?;
    events::every_event_is_told(world)?;
    events::replayed_events_are_told_again(world)?;
    events::nothing_is_left_over(world)?;
    gates::breakers_hold_nothing_back(&world.gate, world.now_ms())?;
    holds(is_quiet(world), "the_world_becomes_quiet", || {
        let open = world.errands.iter().filter(|errand| errand.progress == Progress::Open).count();
        format!("{open} errands are open, {} requests under way", world.node.tasks.len())
    })
}
