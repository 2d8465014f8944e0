//! Messages: sending, putting into the history, and what is done to them later.

use super::{Cause, LOOKS_MAX, Ledger};
use crate::codec;
use crate::engine::Table;
use crate::operation::Looked;
use crate::{key, read};
use chat::admit::{Admitted, Standing, Terms, admit};
use chat::alter::{Extensions, NotAltered, alter, changed_items};
use chat::conversation::{Conversation, Inbox, Place};
use chat::event::Refusal;
use chat::guard::{FirstSend, SendKey};
use chat::person::Tie;
use chat::port::{
    Alter, Altered, Append, Appended, Committed, Found, ImportMessage, Imported, Preview, Stored,
};
use chat::send::lane_of;
use chat::{AppId, ConversationId, Message, UserId};
use std::sync::Arc;

impl Ledger {
    pub(crate) fn append(&mut self, mut append: Append) -> Stored<Appended> {
        let (app, from, to) = (append.app, append.from, append.to);
        let (id, now_s) = (append.conversation(), append.now_ms / 1000);
        let Some(inboxes) = self.inboxes(app, [from, to])? else {
            return Ok(Appended::UnknownAccount);
        };
        let known = self.guarded_conversation(&id, now_s)?;
        let lane = lane_of(&id, self.engine.lanes_per_app());
        self.lane(lane)?;
        self.guard.expire(now_s);
        if let Some(first) = self.guard.find(&append.key(), now_s) {
            return Ok(Appended::Duplicate(first));
        }
        if !append.terms.are_none() {
            let admitted = self.admit(append.terms, (app, [from, to]), known, now_s)?;
            if let Err(refusal) = append.settle(admitted) {
                return Ok(self.refuse(&append, refusal));
            }
        }
        Ok(Appended::Done(Box::new(self.keep(&append, known, inboxes))))
    }

    /// Commits a message for which everything was looked up, and that nothing forbids.
    fn keep(
        &mut self,
        append: &Append,
        known: Option<Conversation>,
        [sender, recipient]: [Inbox; 2],
    ) -> Committed {
        let (app, from, to, id) = (append.app, append.from, append.to, append.conversation());
        let mut conversation = known.unwrap_or_default();
        let inbox = |user| if user == to { recipient } else { sender };
        let outcome = chat::append::append(append, &mut conversation, inbox);
        let message = Arc::new(append.message(outcome.place));
        if !append.delivery.online_only {
            self.change_conversation(&id, conversation);
            self.put_message(&id, &message);
        }
        let mut log = |user, (inbox, entry)| self.log((app, user), inbox, entry, Some(&message));
        let recipient = outcome.recipient.map(|entered| log(to, entered));
        let sender = outcome.sender.map(|entered| log(from, entered));
        self.guard.remember(&append.key(), FirstSend::of(&message));
        let event = append.event.map(|origin| {
            let draft = append.after_send(&message, origin, outcome.recipient_unread);
            self.put_event(lane_of(&id, self.engine.lanes_per_app()), &draft)
        });
        Committed { message, recipient, sender, event }
    }

    fn refuse(&mut self, append: &Append, refusal: Refusal) -> Appended {
        let event = append.refusal_origin().map(|origin| {
            let lane = lane_of(&append.conversation(), self.engine.lanes_per_app());
            self.put_event(lane, &append.after_refusal(origin, refusal))
        });
        Appended::Refused { refusal, event }
    }

    /// What two people who have accounts have against a message from the first to the second.
    fn admit(
        &mut self,
        terms: Terms,
        (app, [from, to]): (AppId, [UserId; 2]),
        known: Option<Conversation>,
        now_s: u64,
    ) -> Stored<Admitted> {
        let (mut sender_tie, mut recipient_tie) = (Tie::default(), Tie::default());
        if let Some(device) = terms.device {
            recipient_tie = self.tie(app, &to, &from)?;
            // What the sender keeps of the recipient only matters between friends.
            if device.friends_only {
                sender_tie = self.tie(app, &from, &to)?;
            }
        }
        let nobody = chat::person::Person::default();
        let (sender, recipient) =
            (self.account(app, &from)?.person.clone(), self.account(app, &to)?.person.clone());
        let standing = Standing {
            sender: sender.as_deref().unwrap_or(&nobody),
            recipient: recipient.as_deref().unwrap_or(&nobody),
            sender_tie: &sender_tie,
            recipient_tie: &recipient_tie,
            discards: known.is_some_and(|conversation| conversation.discards([from, to])),
        };
        Ok(admit(terms, &standing, now_s))
    }

    pub(crate) fn preview(&mut self, key: &SendKey, terms: Terms, now_s: u64) -> Stored<Preview> {
        if !(self.exists(key.app, &key.from)? && self.exists(key.app, &key.to)?) {
            return Ok(Preview::UnknownAccount);
        }
        let id = ConversationId::new(key.app, key.from, key.to);
        let conversation = self.guarded_conversation(&id, now_s)?;
        if let Some(first) = self.guard.find(key, now_s) {
            return Ok(Preview::Duplicate(first));
        }
        if !terms.are_none()
            && let people = (key.app, [key.from, key.to])
            && let Admitted::No(refusal) = self.admit(terms, people, conversation, now_s)?
        {
            return Ok(Preview::Refused(refusal));
        }
        Ok(Preview::Next(conversation.unwrap_or_default().next(now_s)))
    }

    pub(crate) fn import_message(&mut self, import: &ImportMessage) -> Stored<Imported> {
        let (app, id) = (import.app, import.conversation());
        if !(self.exists(app, &import.from)? && self.exists(app, &import.to)?) {
            return Ok(Imported::UnknownAccount);
        }
        let known = self.conversation(&id)?;
        let imported = (id, import.wire_seq, import.random, import.time_s);
        // As a rule histories come in order, and then there is nothing to look for.
        if known.is_some_and(|conversation| import.time_s <= conversation.time_s) {
            let is_known = self.imported.has(&imported)
                || read::named(&self.engine.snapshot(), &id, import.key(), usize::MAX)
                    .next()
                    .transpose()?
                    .is_some();
            if is_known {
                return Ok(Imported::Duplicate);
            }
        }
        let mut conversation = known.unwrap_or_default();
        let (place, effects) = chat::append::import(import, &mut conversation);
        self.prepare(app, &effects)?;

        self.change_conversation(&id, conversation);
        let message = Arc::new(import.message(place));
        self.put_message(&id, &message);
        self.imported.in_group.insert(imported);
        Ok(Imported::Done(self.publish(Cause::without_facts(app), effects, Some(&message))))
    }

    /// Writes a message that is new.
    fn put_message(&mut self, id: &ConversationId, message: &Message) {
        self.group.put(&self.engine, Table::Messages, key::message(id, message.place()), |value| {
            codec::encode_message(message, value);
        });
    }

    /// `place`: where the message is, when somebody has looked for it who could take the time.
    pub(crate) fn alter(&mut self, wanted: &Alter, place: Option<Place>) -> Stored<Looked<Altered>> {
        let place = match place {
            Some(place) => Some(place),
            None => match self.place(wanted)? {
                Looked::Done(place) => place,
                Looked::TooFar => return Ok(Looked::TooFar),
            },
        };
        match place {
            Some(place) => self.alter_at(place, wanted).map(Looked::Done),
            None => Ok(Looked::Done(Altered::Refused(NotAltered::NotFound))),
        }
    }

    fn alter_at(&mut self, place: Place, wanted: &Alter) -> Stored<Altered> {
        let (app, id) = (wanted.app, wanted.conversation());
        let (Some(known), Some(mut found)) = (self.conversation(&id)?, self.found(&id, place)?) else {
            return Ok(Altered::Refused(NotAltered::NotFound));
        };
        let (mut conversation, before) = (known, found.clone());
        let unread_total = self.inbox(app, &found.message.to)?.unread;
        let effects = match alter(wanted, &mut found, &mut conversation, unread_total) {
            Err(refusal) => return Ok(Altered::Refused(refusal)),
            Ok(effects) if effects.is_none() => return Ok(Altered::Unchanged),
            Ok(effects) => effects,
        };
        self.prepare(app, &effects)?;

        if conversation != known {
            self.change_conversation(&id, conversation);
        }
        let Found { message, extensions } = found;
        let key = key::message(&id, message.place());
        if message != before.message {
            let mut value = Vec::new();
            codec::encode_message(&message, &mut value);
            self.set_row(Table::Messages, key, Some(value));
        }
        if extensions != before.extensions {
            let is_there = extensions != Extensions::default();
            self.set_row(Table::Extensions, key, is_there.then(|| codec::encode_extensions(&extensions)));
        }
        let items = changed_items(&effects);
        let message = Arc::new(message);
        let cause = Cause { app, facts: Some((wanted.now_ms, wanted.origin)) };
        let told = self.publish(cause, effects, Some(&message));
        Ok(Altered::Done { message, items, told })
    }

    /// Where the message is that is to be altered. It has to be committed, since before that nobody knows its name;
    /// what was done to it since need not be.
    fn place(&mut self, wanted: &Alter) -> Stored<Looked<Option<Place>>> {
        let (snapshot, id) = (self.engine.snapshot(), wanted.conversation());
        let place = read::place_meant(&snapshot, wanted, LOOKS_MAX)?;
        if place.is_none() && read::second_exceeds(&snapshot, &id, wanted.key.time_s, LOOKS_MAX)? {
            return Ok(Looked::TooFar);
        }
        Ok(Looked::Done(place))
    }

    /// The message at a place as it was left by the last operation.
    fn found(&mut self, id: &ConversationId, place: Place) -> Stored<Option<Found>> {
        let key = key::message(id, place);
        let Some(value) = self.row(Table::Messages, key)? else {
            return Ok(None);
        };
        let message = read::decoded_message(id, place, value)?;
        let extensions = match self.row(Table::Extensions, key)? {
            Some(value) => codec::decode_extensions(value)
                .map_err(|what| Table::Extensions.corrupt(key.as_ref(), what))?,
            None => Extensions::default(),
        };
        Ok(Some(Found { message, extensions }))
    }

    /// The inboxes of two people; `None` unless both have an account.
    pub(super) fn inboxes(&mut self, app: AppId, users: [UserId; 2]) -> Stored<Option<[Inbox; 2]>> {
        let mut inboxes = [Inbox::new(0); 2];
        for (user, inbox) in users.iter().zip(&mut inboxes) {
            let account = self.account(app, user)?;
            if !account.exists {
                return Ok(None);
            }
            *inbox = match account.inbox {
                Some(inbox) => inbox,
                None => self.inbox(app, user)?,
            };
        }
        Ok(Some(inboxes))
    }
}
