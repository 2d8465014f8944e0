//! The promises, each as a question to the world. They know nothing of how the rules keep them.
//!
//! Some are asked whenever something arrives, the rest when the healed world has become quiet.

pub(crate) mod events;
pub(crate) mod gates;
pub(crate) mod logs;
pub(crate) mod messages;

use crate::report::{Checked, holds};
use crate::sender::IntentState;
use crate::store::at_once;
use crate::worker::Worker;
use crate::world::World;
use chat::Inbox;
use chat::port::{DeliveryState, Store};

/// Nothing is under way, and nothing remains to be told to anyone.
pub(crate) fn is_quiet(world: &World) -> bool {
    let settled = world.intents.iter().all(|intent| intent.state != IntentState::Open);
    settled
        && world.node.tasks.is_empty()
        && world.devices.iter().all(|device| logs::is_caught_up(world, device))
        && world.workers.iter().all(|worker| has_told_everything(world, worker))
}

pub(crate) fn judge(world: &mut World) -> Checked {
    world.copy_events();
    messages::nothing_is_stored_twice(world)?;
    messages::every_acknowledged_send_is_stored_once(world)?;
    messages::answers_are_those_of_the_message(world)?;
    messages::conversations_have_no_gaps(world)?;
    messages::history_shows_every_message(world)?;
    logs::logs_are_whole(world)?;
    logs::counts_are_exact(world)?;
    logs::every_device_has_caught_up(world)?;
    events::lanes_have_no_gaps(world)?;
    events::every_message_has_its_event(world)?;
    events::every_told_refusal_has_its_event(world)?;
    events::every_mark_has_its_event(world)?;
    events::every_event_is_told(world)?;
    events::replayed_events_are_told_again(world)?;
    events::nothing_is_left_over(world)?;
    gates::breakers_hold_nothing_back(&world.gate, world.now_ms())?;
    holds(is_quiet(world), "the_world_becomes_quiet", || {
        let open = world.intents.iter().filter(|intent| intent.state == IntentState::Open).count();
        format!("{open} sends are open, {} requests under way", world.node.tasks.len())
    })
}

fn has_told_everything(world: &World, worker: &Worker) -> bool {
    let kept = delivery(world, worker);
    let Some(dispatcher) = &worker.dispatcher else {
        return false;
    };
    let (lane, cursor) = (worker.route.lane, kept.cursor);
    let rest = at_once(world.model.events(lane, cursor, 1)).expect("the model is always there");
    dispatcher.is_idle() && worker.unkept.is_none() && kept.held.is_empty() && rest.is_empty()
}

fn delivery(world: &World, worker: &Worker) -> DeliveryState {
    at_once(world.model.delivery(&worker.route)).expect("the model is always there")
}

fn inbox(world: &World, app: chat::AppId, user: chat::UserId) -> Option<Inbox> {
    at_once(world.model.inbox(app, user)).expect("the model is always there")
}
