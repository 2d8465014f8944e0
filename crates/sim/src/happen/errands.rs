//! How wishes are made, again if need be, and what their answers come to.

use super::tally::tally;
use crate::checkers::errands::what_is_acknowledged_is_committed;
use crate::errand::{Errand, Finished, Outcome, Progress, Wish};
use crate::ledger::Tag;
use crate::stage::TaskId;
use crate::world::{Happening, World};

/// A request without an answer is made again after this time.
const PATIENCE_MS: u64 = 3_000;

/// Resends are known as such for 120 s. Nobody insists for nearly as long.
const INSISTENCE_MS: u64 = 100_000;

impl World {
    /// The tag of the next errand.
    pub(super) fn next_tag(&self) -> Tag {
        Tag(self.errands.len() as u64)
    }

    pub(super) fn wish(&mut self, wish: Wish) {
        let tag = self.next_tag();
        self.errands.push(Errand::new(wish));
        self.request(tag);
    }

    /// Makes the request, for the first time or once more.
    pub(super) fn request(&mut self, tag: Tag) {
        let now_ms = self.now_ms();
        let errand = &mut self.errands[tag.0 as usize];
        let begun_ms = *errand.begun_ms.get_or_insert(now_ms);
        if now_ms >= begun_ms + INSISTENCE_MS {
            if errand.progress == Progress::Open {
                errand.progress = Progress::GivenUp;
                self.count(|counts| &mut counts.errands_given_up);
                self.come_back(tag);
            }
            return;
        }
        if self.node.down {
            self.count(|counts| &mut counts.requests_refused_by_dead_node);
            self.request_later(tag);
            return;
        }
        errand.requests += 1;
        let (wish, number) = (errand.wish.clone(), errand.requests);
        self.note(&format!("errand {}, request {number}: {wish}", tag.0));
        self.count(|counts| &mut counts.requests);
        let app = self.plan.apps.iter().find(|app| app.id == wish.app());
        let rules = app.map(|app| app.rules.clone()).expect("errands are of known apps");
        let chat = self.chat.clone();
        let task = Box::pin(async move { Finished { tag, outcome: wish.carry_out(chat, &rules).await } });
        let task = self.admit(task);
        self.errands[tag.0 as usize].awaited = Some(task);
        self.after(PATIENCE_MS, Happening::Impatience { tag, task });
        self.resume(task);
    }

    /// The request may be lost, or still under way: whoever made it cannot know, and makes it again.
    pub(super) fn lose_patience(&mut self, tag: Tag, task: TaskId) {
        let errand = &self.errands[tag.0 as usize];
        if errand.progress == Progress::Open && errand.awaited == Some(task) {
            self.note(&format!("errand {} has had no answer", tag.0));
            self.count(|counts| &mut counts.requests_timed_out);
            self.request(tag);
        }
    }

    pub(super) fn finish(&mut self, task: TaskId, finished: Finished) {
        let Finished { tag, outcome } = finished;
        self.note(&format!("errand {} came to {outcome}", tag.0));
        let checked = what_is_acknowledged_is_committed(self, tag, task, &outcome);
        self.stage.lock().heed(checked);
        // Also if nobody waits for it any more.
        self.come_back(tag);
        let dropped = self.stage.lock().dropped.contains(&task);
        let errand = &mut self.errands[tag.0 as usize];
        if let Outcome::Sent(Ok(sent)) = &outcome
            && !dropped
        {
            errand.answers.push(*sent);
        }
        if errand.awaited != Some(task) {
            return;
        }
        if self.strikes(|faults| faults.answer_lost) {
            self.count(|counts| &mut counts.answers_lost);
            return;
        }
        let errand = &mut self.errands[tag.0 as usize];
        errand.awaited = None;
        if outcome.is_unknown() {
            self.request_later(tag);
            return;
        }
        errand.progress = Progress::Settled;
        let is_repeated = errand.requests > 1;
        let Errand { wish, .. } = errand;
        {
            let counts = &mut self.stage.lock().counts;
            tally(counts, wish, &outcome);
            counts.done_before += u64::from(is_repeated && outcome.was_so_already(wish));
        }
        // A client that comes back from sleep may do again what it already did.
        let may_repeat = !matches!(wish, Wish::Leave { .. });
        if may_repeat && self.draw(|chance| chance.hits(120)) {
            self.count(|counts| &mut counts.repeated);
            let delay_ms = self.draw(|chance| chance.between(1..=INSISTENCE_MS));
            self.after(delay_ms, Happening::Request { tag });
        }
    }

    fn request_later(&mut self, tag: Tag) {
        let delay_ms = self.draw(|chance| chance.between(100..=6_000));
        self.after(delay_ms, Happening::Request { tag });
    }

    fn come_back(&mut self, tag: Tag) {
        if let Wish::Leave { app, users } = self.errands[tag.0 as usize].wish.clone() {
            self.return_later(app, &users);
        }
    }
}
