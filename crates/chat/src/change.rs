//! What changes besides sends, carried out on the ports: one operation of the store, and then hints.

use crate::alter::{Alter, Altered};
use crate::append::{ImportMessage, Imported};
use crate::contact::{ChangeView, ContactsQuery};
use crate::effect::Told;
use crate::event::{EventDraft, EventId, Origin};
use crate::id::{AppId, UserId};
use crate::person::{ChangePerson, PersonChange, PersonChanged};
use crate::port::{MarkRead, ReadMark, StoreError, ViewChanged};
use crate::relate::{Relate, Related};
use crate::send::Chat;
use futures_util::future::join_all;

/// Conversations that are marked together, so that they share commits and do not fill the queue of the store.
const READ_AT_ONCE_MAX: usize = 64;

/// Everything that is unread is to be marked as read.
#[derive(Debug, Clone, Copy)]
pub struct ReadAll {
    pub app: AppId,
    pub reader: UserId,
    pub now_ms: u64,
    pub origin: Origin,
}

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

    /// Marks every conversation as read in which something is unread now, and says how many those were. Each by itself:
    /// what was marked before a failure stays so, and asking again marks the rest.
    pub async fn read_all(&self, wanted: ReadAll) -> Result<usize, StoreError> {
        let ReadAll { app, reader, now_ms, origin } = wanted;
        let query = ContactsQuery {
            app,
            owner: reader,
            pinned: None,
            with_empty: true,
            unread_only: true,
            with_details: false,
            after: None,
            // One look: what comes in while the rest is marked is not meant, and pages of what shrinks would skip some.
            limit: usize::MAX,
        };
        let Some(page) = self.store.contacts(query).await? else { return Ok(0) };
        let mut count = 0;
        for peers in page.contacts.chunks(READ_AT_ONCE_MAX) {
            let marks = peers.iter().map(|contact| {
                let peer = contact.peer;
                self.mark_read(MarkRead { app, reader, peer, until_s: None, now_ms, origin })
            });
            for mark in join_all(marks).await {
                count += usize::from(mark?.is_some());
            }
        }
        Ok(count)
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
        let app = change.app;
        let changed = self.store.change_view(change).await?;
        if let ViewChanged::Done(told) = &changed {
            self.tell(app, told);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Platform;
    use crate::message::Message;
    use crate::model::Model;
    use crate::port::{Account, Bus, Clock, FriendAnswer, FriendQuestion, Gate, GateAnswer, Hint, Question};
    use crate::{Change, Lane};
    use async_trait::async_trait;
    use futures_util::FutureExt;
    use std::net::{IpAddr, Ipv4Addr};
    use std::sync::{Arc, Mutex};

    const APP: AppId = AppId(1);
    const ORIGIN: Origin = Origin { ip: IpAddr::V4(Ipv4Addr::LOCALHOST), platform: Platform::Web };

    /// A bus that remembers who was told that somebody has read.
    #[derive(Debug, Default)]
    struct Told(Mutex<Vec<UserId>>);

    impl Bus for Told {
        fn user_changed(&self, _app: AppId, user: UserId, hint: Hint) {
            let is_read = matches!(hint.record.entry.change, Change::Read { .. });
            self.0.lock().unwrap().extend(is_read.then_some(user));
        }
        fn online_message(&self, _app: AppId, _user: UserId, _message: Arc<Message>) {}
        fn event_recorded(&self, _lane: Lane) {}
        fn revoked(&self, _app: AppId, _user: UserId, _revoked_s: u64) {}
    }

    impl Clock for Told {
        fn now_ms(&self) -> u64 {
            9_000
        }
    }

    #[async_trait]
    impl Gate for Told {
        async fn ask(&self, question: Question<'_>) -> GateAnswer {
            panic!("nobody should be asked about {question:?}")
        }

        async fn ask_friend(&self, question: FriendQuestion<'_>) -> FriendAnswer {
            panic!("nobody should be asked about {question:?}")
        }
    }

    fn user(name: &str) -> UserId {
        UserId::new(name).unwrap()
    }

    /// The model never waits.
    fn done<T>(future: impl Future<Output = T>) -> T {
        future.now_or_never().expect("nothing to wait for")
    }

    #[test]
    fn everything_is_read_once_and_everybody_is_told() {
        let told = Arc::new(Told::default());
        let chat = Chat {
            store: Arc::new(Model::default()),
            bus: Arc::clone(&told) as Arc<dyn Bus>,
            gate: Arc::clone(&told) as Arc<dyn Gate>,
            clock: Arc::clone(&told) as Arc<dyn Clock>,
        };
        let names = ["me", "ana", "bo", "cy", "dee"];
        let accounts = names.iter().map(|name| Account::bare(user(name))).collect();
        done(chat.store.import_accounts(APP, accounts, 1)).unwrap();
        let import = |(from, to, random)| ImportMessage {
            app: APP,
            from: user(from),
            to: user(to),
            wire_seq: 1,
            random,
            time_s: 5,
            body: bytes::Bytes::new(),
            custom_data: bytes::Bytes::new(),
            content_crc: 0,
            live: true,
        };
        let said = [("ana", "me", 1), ("ana", "me", 2), ("bo", "me", 1), ("me", "cy", 1), ("bo", "ana", 1)];
        done(chat.import(APP, said.map(import).to_vec())).unwrap();
        let everything = |name| ReadAll { app: APP, reader: user(name), now_ms: 9_000, origin: ORIGIN };
        assert_eq!(done(chat.read_all(everything("me"))), Ok(2));
        let mut heard = std::mem::take(&mut *told.0.lock().unwrap());
        heard.sort_unstable();
        assert_eq!(heard, ["ana", "bo", "me", "me"].map(user));
        assert_eq!(done(chat.store.inbox(APP, user("me"))).unwrap().unwrap().unread, 0);
        assert_eq!(done(chat.store.inbox(APP, user("ana"))).unwrap().unwrap().unread, 1);
        assert_eq!(done(chat.read_all(everything("me"))), Ok(0));
        assert_eq!(done(chat.read_all(everything("nobody"))), Ok(0));
        assert_eq!(*told.0.lock().unwrap(), []);
    }
}
