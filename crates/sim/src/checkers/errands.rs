//! Acknowledged means committed, and handed to the bus, whatever was wanted.

use crate::errand::Outcome;
use crate::ledger::{Due, Tag};
use crate::report::{Checked, holds};
use crate::stage::TaskId;
use crate::world::World;
use chat::send::SendError;

/// Asked at the end of every request, also when nobody waits for its answer.
pub(crate) fn what_is_acknowledged_is_committed(
    world: &World,
    tag: Tag,
    task: TaskId,
    outcome: &Outcome,
) -> Checked {
    let has_committed = world.stage.lock().committed.contains_key(&task);
    holds(has_committed || !outcome.claims_change(), "what_is_acknowledged_is_committed", || {
        format!("errand {} committed nothing, and was answered {outcome:?}", tag.0)
    })?;
    let request = world.errands[tag.0 as usize].send();
    let is_told = request.is_some_and(|request| !request.checks.skip_event)
        && matches!(outcome, Outcome::Sent(Err(SendError::Refused(refusal))) if refusal.is_told());
    holds(has_committed || !is_told, "every_told_refusal_has_its_event", || {
        format!("errand {} recorded nothing, and was answered {outcome:?}", tag.0)
    })?;
    // A hint may be lost on its way, but not before: whoever is online would wait for a poll.
    let due = world.stage.lock().committed.remove(&task).filter(|due| *due != Due::default());
    holds(due.is_none() || outcome.is_unknown(), "every_commit_is_hinted", || {
        format!("errand {} was answered {outcome:?} before the bus had {due:?}", tag.0)
    })
}
