//! Every fact is recorded with its cause, and every event reaches the backend or stands parked.

use super::messages::by_tag;
use super::{delivery, has_told_everything};
use crate::ledger::{Ledger, Tag};
use crate::report::{Checked, holds};
use crate::store::at_once;
use crate::world::World;
use chat::dispatch::{Dispatcher, Replay};
use chat::event::AfterSend;
use chat::port::{Route, Store};
use chat::{Event, EventId, Fact, Lane, Message, Outcome};
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

/// Each message has one event, with its content and count; none where the sender forbade it.
pub(crate) fn every_message_has_its_event(world: &World) -> Checked {
    let state = world.stage.lock();
    let told = told_sends(&state.ledger, |outcome| matches!(outcome, Outcome::Delivered { .. }));
    let stored = by_tag(&state.ledger);
    for (tag, messages) in &stored {
        let events = told.get(tag).map_or(&[][..], Vec::as_slice);
        let skipped = world.intents[tag.0 as usize].request.checks.skip_event;
        let expected = usize::from(!skipped);
        let unread = state.ledger.unread.get(tag).copied();
        let fits = events.len() == expected && events.iter().all(|event| tells(event, messages[0], unread));
        holds(fits, "every_message_has_its_event", || {
            format!("{:?} should have {expected} events with {unread:?} unread: {events:?}", messages[0])
        })?;
    }
    let unfounded = told.keys().find(|tag| !stored.contains_key(tag));
    holds(unfounded.is_none(), "every_message_has_its_event", || {
        format!("an event tells of send {unfounded:?}, which became no message")
    })
}

/// A sender may have been refused more often than it heard, but never without an event.
pub(crate) fn every_told_refusal_has_its_event(world: &World) -> Checked {
    let state = world.stage.lock();
    let refused = told_sends(&state.ledger, |outcome| matches!(outcome, Outcome::Refused(_)));
    for (tag, intent) in (0..).map(Tag).zip(&world.intents) {
        let events = refused.get(&tag).map_or(0, Vec::len) as u64;
        let fits = (intent.filtered..=intent.requests).contains(&events);
        holds(fits, "every_told_refusal_has_its_event", || {
            format!("send {} was refused {} times, with {events} events", tag.0, intent.filtered)
        })?;
    }
    Ok(())
}

pub(crate) fn every_mark_has_its_event(world: &World) -> Checked {
    let ledger = &world.stage.lock().ledger;
    let recorded = ledger.events.values().filter(|event| matches!(event.fact, Fact::AfterRead(_)));
    let recorded: BTreeSet<EventId> = recorded.map(|event| event.id).collect();
    let marked: BTreeSet<EventId> = ledger.marks_read.iter().copied().collect();
    holds(recorded == marked, "every_mark_has_its_event", || {
        format!("{marked:?} were committed, and {recorded:?} recorded")
    })
}

pub(crate) fn every_event_is_told(world: &World) -> Checked {
    for worker in &world.workers {
        let parked = at_once(world.model.parked(&worker.route, 0, usize::MAX));
        let parked = parked.expect("the model is always there");
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
        let parked = at_once(world.model.parked(&worker.route, 0, usize::MAX));
        let parked = parked.expect("the model is always there");
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

fn tells(event: &AfterSend, message: &Message, unread: Option<u32>) -> bool {
    let counted = match event.outcome {
        // An online-only message has no log entry whose count could be compared.
        Outcome::Delivered { unread: told } => unread.is_none_or(|unread| unread == told),
        Outcome::Refused(_) => false,
    };
    counted
        && (event.from, event.to, &event.body) == (message.from, message.to, &message.body)
        && (event.wire_seq, event.random) == (message.wire_seq, message.random)
        && (event.time_s, event.client_time_s) == (message.time_s, message.client_time_s)
        && event.online_only == message.delivery.online_only
}

fn told_sends(ledger: &Ledger, wanted: impl Fn(&Outcome) -> bool) -> BTreeMap<Tag, Vec<&AfterSend>> {
    let mut told: BTreeMap<Tag, Vec<&AfterSend>> = BTreeMap::new();
    for event in ledger.events.values() {
        if let Fact::AfterSend(send) = &event.fact
            && wanted(&send.outcome)
        {
            told.entry(Tag::of(&send.custom_data)).or_default().push(send);
        }
    }
    told
}
