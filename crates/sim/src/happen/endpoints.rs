//! The apps' endpoints: their moods, and the calls that reach them.

use crate::backend::{Accepted, Mood, Told};
use crate::checkers::events;
use crate::report::Checked;
use crate::worker::Call;
use crate::world::{Happening, World};

impl World {
    pub(crate) fn change_mood(&mut self, index: usize) {
        if self.healed {
            return;
        }
        let (mood, stays_ms) = self.draw(|chance| match chance.between(0..=9) {
            0..=4 => (Mood::Well, chance.between(1_000..=60_000)),
            5..=6 => (Mood::Slow, chance.between(1_000..=30_000)),
            7 => (Mood::Failing, chance.between(1_000..=30_000)),
            8 => (Mood::Refusing, chance.between(1_000..=5_000)),
            _ => (Mood::Dead, chance.between(10_000..=120_000)),
        });
        self.note(&format!("backend {index} is {mood:?}"));
        self.backends[index].mood = mood;
        self.after(stays_ms, Happening::Mood { backend: index });
    }

    /// An accepted call reaches the backend, whoever still waits for its answer.
    pub(crate) fn arrive(&mut self, call: &Call) -> Checked {
        let event = &call.event;
        self.note(&format!("{} is accepted from worker {}", event.id, call.worker));
        self.count(|counts| &mut counts.accepted);
        let worker = &self.workers[call.worker];
        let backend = &mut self.backends[worker.backend];
        // A call of before a replay belongs to no pass any more. It may arrive at any time.
        let pass = if call.term >= worker.pass { worker.pass } else { 0 };
        let is_first = match backend.accepted.get_mut(&event.id) {
            None => {
                let accepted = Accepted { event: (**event).clone(), term: call.term, pass };
                backend.accepted.insert(event.id, accepted);
                true
            }
            Some(first) => {
                events::events_keep_their_content(&first.event, event)?;
                self.stage.lock().counts.accepted_again += 1;
                first.term = first.term.max(call.term);
                let is_first = first.pass < pass;
                first.pass = first.pass.max(pass);
                is_first
            }
        };
        if !is_first || pass < worker.pass {
            return Ok(());
        }
        let told = backend.told.entry(event.conversation).or_default();
        if told.pass < pass {
            *told = Told { pass, offsets: Vec::new() };
        }
        told.offsets.push(event.id.offset);
        events::conversations_are_told_in_order(&told.offsets, &worker.out_of_turn, event.id)
    }
}
