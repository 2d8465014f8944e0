//! No question before a send is forgotten, and nobody is kept from asking for ever.

use crate::gate::{LIMITS, Opinions};
use crate::report::{Checked, holds};
use chat::breaker::{Admission, Breaker, Ticket};

/// Asked when nothing is under way. A ticket that was never settled would still take its room.
pub(crate) fn breakers_hold_nothing_back(gate: &Opinions, now_ms: u64) -> Checked {
    for (app, breaker) in gate.breakers().iter_mut() {
        let whole = has_all_its_room(breaker, now_ms);
        holds(whole, "breakers_hold_nothing_back", || format!("nobody can ask for app {app}: {breaker:?}"))?;
    }
    Ok(())
}

/// Leaves the breaker as it should be when its backend is well.
fn has_all_its_room(breaker: &mut Breaker, now_ms: u64) -> bool {
    let probe_ms = now_ms + LIMITS.probe_delay_ms;
    let first = match breaker.admit(probe_ms) {
        Admission::Ask(ticket) | Admission::Probe(ticket) => ticket,
        Admission::Skip => return false,
    };
    breaker.answered(first, probe_ms);
    let asked = (0..LIMITS.in_flight_max).map_while(|_| match breaker.admit(probe_ms) {
        Admission::Ask(ticket) => Some(ticket),
        Admission::Probe(_) | Admission::Skip => None,
    });
    let asked: Vec<Ticket> = asked.collect();
    let whole = asked.len() == LIMITS.in_flight_max;
    asked.into_iter().for_each(|ticket| breaker.answered(ticket, probe_ms));
    whole
}
