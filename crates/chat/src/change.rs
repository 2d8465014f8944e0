//! What changes besides sends, carried out on the ports: one operation of the store, and then hints.

use crate::alter::{Alter, Altered};
use crate::append::{ImportMessage, Imported};
use crate::contact::ChangeView;
use crate::effect::Told;
use crate::event::{EventDraft, EventId};
use crate::id::{AppId, UserId};
use crate::person::{ChangePerson, PersonChange, PersonChanged};
use crate::port::{MarkRead, ReadMark, StoreError, ViewChanged};
use crate::relate::{Relate, Related};
use crate::send::Chat;

impl Chat {
    /// Marks a conversation as read up to its last message. `None` when nothing was unread.
    pub async fn mark_read(&self, mark: MarkRead) -> Result<Option<ReadMark>, StoreError> {
        let done = self.store.mark_read(mark).await?;
        if let Some(read) = &done {
            self.bus.user_changed(mark.app, mark.reader, read.reader.clone());
            if let Some(peer) = &read.peer {
                self.bus.user_changed(mark.app, mark.peer, peer.clone());
            }
            self.bus.event_recorded(read.event.lane);
        }
        Ok(done)
    }

    /// Puts an event into the log that has no other cause to be committed with, and wakes whoever tells it.
    pub async fn record(&self, draft: EventDraft) -> Result<Option<EventId>, StoreError> {
        let event = self.store.record(draft).await?;
        if let Some(event) = event {
            self.bus.event_recorded(event.lane);
        }
        Ok(event)
    }

    /// Puts messages of another time into the history, in this order. One that is refused does not stop the others.
    pub async fn import(&self, app: AppId, imports: Vec<ImportMessage>) -> Result<Vec<Imported>, StoreError> {
        let imported = self.store.import_messages(imports).await?;
        for imported in &imported {
            if let Imported::Done(told) = imported {
                self.tell(app, told);
            }
        }
        Ok(imported)
    }

    /// Does something to one message.
    pub async fn alter(&self, alter: Alter) -> Result<Altered, StoreError> {
        let app = alter.app;
        let altered = self.store.alter(alter).await?;
        if let Altered::Done { told, .. } = &altered {
            self.tell(app, told);
        }
        Ok(altered)
    }

    /// Changes a person's own view of a conversation.
    pub async fn change_view(&self, change: ChangeView) -> Result<ViewChanged, StoreError> {
        let changed = self.store.change_view(change).await?;
        if let ViewChanged::Done(told) = &changed {
            self.tell(change.app, told);
        }
        Ok(changed)
    }

    /// Changes something about one person.
    pub async fn change_person(&self, change: ChangePerson) -> Result<PersonChanged, StoreError> {
        let (app, user, now_s) = (change.app, change.user, change.now_ms / 1000);
        let revokes = matches!(change.change, PersonChange::Revoke);
        let changed = self.store.change_person(change).await?;
        if let PersonChanged::Done(told) = &changed {
            self.tell(app, told);
            if revokes {
                self.bus.revoked(app, user, now_s);
            }
        }
        Ok(changed)
    }

    /// Deletes accounts with all that is theirs. Says which of them existed.
    pub async fn delete_accounts(&self, app: AppId, users: Vec<UserId>) -> Result<Vec<bool>, StoreError> {
        let now_ms = self.clock.now_ms();
        let existed = self.store.delete_accounts(app, users.clone(), now_ms).await?;
        for (user, _) in users.into_iter().zip(&existed).filter(|(_, existed)| **existed) {
            self.bus.revoked(app, user, (now_ms / 1000).saturating_sub(1));
        }
        Ok(existed)
    }

    /// Changes what two people are to one another.
    pub async fn relate(&self, relate: Relate) -> Result<Related, StoreError> {
        let app = relate.app;
        let related = self.store.relate(relate).await?;
        if let Related::Done(told) | Related::Pending(told) = &related {
            self.tell(app, told);
        }
        Ok(related)
    }

    /// Hints only: all of this is found again from positions if it is lost.
    fn tell(&self, app: AppId, told: &Told) {
        for (user, hint) in &told.hints {
            self.bus.user_changed(app, *user, hint.clone());
        }
        for event in &told.events {
            self.bus.event_recorded(event.lane);
        }
    }
}
