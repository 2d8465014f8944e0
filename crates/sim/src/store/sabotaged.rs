//! The store with a bug put in on purpose.

use super::FaultyStore;
use chat::port::{Append, Appended, Preview, Store, Stored, Terms};
use chat::{Event, EventDraft, EventId};

impl FaultyStore {
    /// The event of a message in a commit of its own: whoever dies in between loses it.
    pub(super) async fn append_then_record(&self, append: Append) -> Stored<Appended> {
        let answer = self.model.append(Append { event: None, ..append.clone() }).await?;
        self.note_append(&append, &answer);
        if let Appended::Done(committed) = &answer {
            self.stage.sleep(500).await;
            if let Some(origin) = append.event {
                self.model.record(append.after_send(&committed.message, origin, 0)).await?;
            }
        }
        Ok(answer)
    }

    /// Whoever decides something after the look, and before the commit, is not heeded.
    pub(super) async fn look_then_append(&self, append: Append) -> Stored<Appended> {
        let now_s = append.now_ms / 1000;
        let preview = self.model.preview(append.key(), append.terms, now_s).await?;
        if append.terms.are_none() || !matches!(preview, Preview::Next(_)) {
            return self.append_now(append).await;
        }
        self.stage.sleep(500).await;
        let answer = self.model.append(Append { terms: Terms::default(), ..append.clone() }).await?;
        self.note_append(&append, &answer);
        Ok(answer)
    }

    /// Takes an event out of the log, and puts it back in a commit of its own.
    pub(super) async fn record_later(&self, id: EventId) -> Stored<()> {
        let event = self.model.events(id.lane, id.offset - 1, 1).await?.remove(0);
        self.stage.lock().withheld.insert(id);
        self.stage.sleep(500).await;
        let Event { recorded_ms, conversation, origin, fact, .. } = event;
        self.model.record(EventDraft { recorded_ms, conversation, origin, fact }).await?;
        Ok(())
    }
}
