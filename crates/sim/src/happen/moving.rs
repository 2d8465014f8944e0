//! Lanes that move from node to node, and what a former holder still does when it wakes up.
//!
//! All workers are those of whoever holds their lane. What is left of a former holder is its calls under way, and the
//! checkpoint that it was about to write.

use crate::checkers::events;
use crate::report::Checked;
use crate::sabotage::Sabotage;
use crate::store::at_once;
use crate::world::{Happening, World};
use chat::lease::Fence;
use chat::port::{Checkpoint, DeliveryState, Kept, Store};

const MOVE_DELAY_MS: u64 = 10_000;
const PAUSE_MS_MAX: u64 = 20_000;
const ALWAYS: &str = "the model is always there";

impl World {
    pub(crate) fn lane_moves(&mut self) {
        if self.healed {
            return;
        }
        self.after(MOVE_DELAY_MS, Happening::LaneMoves);
        if self.node.down || !self.strikes(|faults| faults.lane_moved) {
            return;
        }
        let index = self.draw(|chance| chance.index(self.workers.len()));
        self.note(&format!("the lane of worker {index} moves"));
        self.count(|counts| &mut counts.lanes_moved);
        let former = self.give_up(index);
        let worker = &mut self.workers[index];
        worker.fence = Fence(worker.fence.0 + 1);
        if let Some(checkpoint) = former {
            let delay_ms = self.draw(|chance| chance.between(0..=PAUSE_MS_MAX));
            let checkpoint = Box::new(checkpoint);
            self.after(delay_ms, Happening::FormerCheckpoint { worker: index, checkpoint });
        }
        // Now and then its successor takes its time.
        let delay_ms =
            self.draw(|chance| if chance.hits(300) { chance.between(0..=PAUSE_MS_MAX) } else { 0 });
        self.workers[index].away_until_ms = self.now_ms() + delay_ms;
        self.after(delay_ms, Happening::Pump { worker: index });
    }

    /// It counts as long as nobody else has begun, and not afterwards.
    pub(crate) fn former_checkpoint(&mut self, index: usize, mut checkpoint: Checkpoint) -> Checked {
        let route = self.workers[index].route.clone();
        let before = at_once(self.model.delivery(&route)).expect(ALWAYS);
        let is_late = checkpoint.tenure.fence < before.tenure.fence;
        if self.sabotage == Some(Sabotage::FormerHolder) {
            checkpoint.tenure = before.tenure;
        }
        // Whoever writes it hears nothing of it any more.
        let kept = at_once(self.store.settle(&route, checkpoint));
        let after = at_once(self.model.delivery(&route)).expect(ALWAYS);
        let worker = &mut self.workers[index];
        worker.cursor = worker.cursor.max(after.cursor);
        match kept {
            Ok(Kept::Done) => self.count(|counts| &mut counts.former_checkpoints_kept),
            Ok(Kept::Lost) => self.count(|counts| &mut counts.former_checkpoints_refused),
            Ok(Kept::Replayed) | Err(_) => {}
        }
        if is_late { events::former_holders_write_nothing(&before, &after, &route) } else { Ok(()) }
    }

    /// How far a route was told, as its holder may build on it. `None`: the store did not answer.
    pub(crate) fn claim_route(&mut self, index: usize) -> Option<DeliveryState> {
        let worker = &self.workers[index];
        let (route, fence) = (worker.route.clone(), worker.fence);
        let state = at_once(self.store.delivery(&route)).ok()?;
        if state.tenure.fence == fence {
            return Some(state);
        }
        let kept = at_once(self.store.settle(&route, Checkpoint::claim(&state, fence))).ok()?;
        assert!(kept == Kept::Done, "nobody has a higher fence than {fence:?}: {kept:?}");
        at_once(self.store.delivery(&route)).ok()
    }
}
