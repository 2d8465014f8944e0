//! Every fact is recorded with its cause, and every event reaches the backend or stands parked.

use super::look::{delivery, parked};
use crate::report::{Checked, holds};
use crate::worker::Worker;
use crate::world::World;
use chat::dispatch::{Dispatcher, Replay};
use chat::event::AfterSend;
use chat::port::{DeliveryState, Route};
use chat::{ConversationId, Event, EventId, Fact, Lane, Outcome};
use std::collections::{BTreeMap, BTreeSet};

/// Asked at every arrival: an id names one event for ever.
pub(crate) fn events_keep_their_content(first: &Event, again: &Event) -> Checked {
    holds(first == again, "events_keep_their_content", || format!("{first:?} was told again as {again:?}"))
}

/// Asked at every first acceptance of a pass over the log: only what was given up for a time, or replayed alone, may
/// come after a later one.
pub(crate) fn conversations_are_told_in_order(
    told: &[u64],
    out_of_turn: &BTreeSet<u64>,
    id: EventId,
) -> Checked {
    let latest = told.iter().filter(|offset| !out_of_turn.contains(offset)).max();
    let in_order = out_of_turn.contains(&id.offset) || latest.is_none_or(|latest| *latest <= id.offset);
    holds(in_order, "conversations_are_told_in_order", || format!("{id} was told after {latest:?}"))
}

/// Asked at every checkpoint; a replay sets them anew.
pub(crate) fn cursors_only_move_forward(before: u64, after: u64, route: &Route) -> Checked {
    holds(before <= after, "cursors_only_move_forward", || {
        format!("the cursor of {route:?} went from {before} to {after}")
    })
}

/// Asked when a former holder of a lane writes down how far it was, and its successor has begun.
pub(crate) fn former_holders_write_nothing(
    before: &DeliveryState,
    after: &DeliveryState,
    route: &Route,
) -> Checked {
    holds(before == after, "former_holders_write_nothing", || {
        format!("{route:?} was at {before:?}, and is at {after:?}")
    })
}

/// Asked whenever a worker has done what it can: nothing is claimed for longer than a claim lasts.
pub(crate) fn claims_expire(dispatcher: &Dispatcher, calls_in_time: usize, route: &Route) -> Checked {
    let claimed = dispatcher.in_flight();
    holds(claimed <= calls_in_time, "claims_expire", || {
        format!("{route:?} holds {claimed} claims, and only {calls_in_time} can still be settled")
    })
}

pub(crate) fn lanes_have_no_gaps(world: &World) -> Checked {
    let mut last: BTreeMap<(Lane, u64), u64> = BTreeMap::new();
    for id in world.stage.lock().ledger.events.keys() {
        let offset = last.entry((id.lane, id.epoch)).or_default();
        *offset += 1;
        holds(id.offset == *offset, "lanes_have_no_gaps", || format!("{id} stands at place {offset}"))?;
    }
    Ok(())
}

/// Of each conversation, the event log tells what its commits promised, in their order, and nothing else: no event of
/// an import, or of a send whose backend did not want it.
pub(crate) fn every_promise_is_recorded(world: &World) -> Checked {
    let ledger = &world.stage.lock().ledger;
    let mut recorded: BTreeMap<ConversationId, Vec<&Fact>> = BTreeMap::new();
    for event in ledger.events.values() {
        recorded.entry(event.conversation).or_default().push(&event.fact);
    }
    let conversations: BTreeSet<&ConversationId> = ledger.promised.keys().chain(recorded.keys()).collect();
    for id in conversations {
        let promised = ledger.promised.get(id).map_or(&[][..], Vec::as_slice);
        let found = recorded.get(id).map_or(&[][..], Vec::as_slice);
        for place in 0..promised.len().max(found.len()) {
            let (promised, found) = (promised.get(place), found.get(place).copied());
            let Some(fact) = promised.or(found) else { break };
            holds(promised == found, promise_of(fact), || {
                format!("event {place} of {id:?} is {found:?}, and should be {promised:?}")
            })?;
        }
    }
    Ok(())
}

/// The promise that is broken without this event, or by it.
fn promise_of(fact: &Fact) -> &'static str {
    match fact {
        Fact::AfterSend(AfterSend { outcome: Outcome::Delivered { .. }, .. }) => {
            "every_message_has_its_event"
        }
        Fact::AfterSend(AfterSend { outcome: Outcome::Refused(_), .. }) => "every_told_refusal_has_its_event",
        Fact::AfterRead(_) => "every_mark_has_its_event",
        Fact::AfterRecall(_) | Fact::AfterEdit(_) | Fact::AfterExtension(_) => {
            "every_alteration_has_its_event"
        }
        Fact::State(_) | Fact::Relation(_) | Fact::Profile(_) => "every_change_has_its_event",
        Fact::Stored(_) | Fact::Missed(_) => "nothing_pushes_here",
    }
}

pub(crate) fn every_event_is_told(world: &World) -> Checked {
    for worker in &world.workers {
        let parked = parked(world, worker);
        let accepted = &world.backends[worker.backend].accepted;
        for (id, event) in &world.stage.lock().ledger.events {
            let stands_parked = parked.iter().any(|exception| exception.offset == id.offset);
            let is_accepted = accepted.get(id).is_some_and(|accepted| accepted.event == *event);
            let told = is_accepted || stands_parked || worker.missed.contains(id);
            holds(told || id.lane != worker.route.lane, "every_event_is_told", || {
                format!("{:?} has neither accepted nor parked {event:?}", worker.route)
            })?;
        }
    }
    Ok(())
}

/// Asked at every replay.
pub(crate) fn replays_say_how_many(expected: usize, said: u64, replay: &Replay) -> Checked {
    holds(expected as u64 == said, "replays_say_how_many", || {
        format!("{replay:?} should tell {expected} events again, and says {said}")
    })
}

/// What was told before a replay does not count.
pub(crate) fn replayed_events_are_told_again(world: &World) -> Checked {
    for worker in &world.workers {
        let parked = parked(world, worker);
        let backend = &world.backends[worker.backend];
        let accepted = backend.accepted.iter().filter(|(id, _)| id.lane == worker.route.lane);
        let terms: BTreeMap<u64, u64> = accepted.map(|(id, accepted)| (id.offset, accepted.term)).collect();
        for (offset, term) in &worker.owed {
            let stands_parked = parked.iter().any(|exception| exception.offset == *offset);
            let again = terms.get(offset).is_some_and(|last| last >= term) || stands_parked;
            holds(again, "replayed_events_are_told_again", || {
                format!(
                    "{offset} of {:?} was to be told again in term {term}: {:?}",
                    worker.route,
                    terms.get(offset)
                )
            })?;
        }
    }
    Ok(())
}

/// In a healed world nothing waits, and the cursor stands exactly at the end of the log.
pub(crate) fn nothing_is_left_over(world: &World) -> Checked {
    for worker in &world.workers {
        let kept = delivery(world, worker);
        let state = world.stage.lock();
        let lane = state.ledger.events.keys().filter(|id| id.lane == worker.route.lane);
        let end = lane.map(|id| id.offset).max().unwrap_or(0);
        drop(state);
        let done = has_told_everything(world, worker) && kept.cursor == end;
        holds(done, "nothing_is_left_over", || {
            format!("{:?} stands at {} of {end}, and holds {:?}", worker.route, kept.cursor, kept.held)
        })?;
    }
    Ok(())
}

pub(crate) fn has_told_everything(world: &World, worker: &Worker) -> bool {
    let kept = delivery(world, worker);
    let Some(dispatcher) = &worker.dispatcher else {
        return false;
    };
    let rest = world.store.committed_events(worker.route.lane, kept.cursor, 1);
    dispatcher.is_idle() && worker.unkept.is_none() && kept.held.is_empty() && rest.is_empty()
}
