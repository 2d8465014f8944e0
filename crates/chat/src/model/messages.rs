//! Conversations, messages, and the logs of their people.

use super::State;
use super::people::Cause;
use crate::admit::{Admitted, Standing, admit};
use crate::alter::{Alter, Altered, Found, alter, changed_items};
use crate::append::{self, Append, ImportMessage, Imported};
use crate::contact::{
    ChangeView, Contact, ContactDetails, ContactsPage, ContactsQuery, LAST_LOOKS_MAX, change_view,
};
use crate::conversation::{Change, Conversation, Inbox, LogEntry, Position};
use crate::effect::Entry;
use crate::event::{Fact, Outcome};
use crate::guard::{FirstSend, SendKey};
use crate::id::{AppId, ConversationId, UserId};
use crate::message::{Message, MessageKey};
use crate::port::{
    Appended, Changes, Committed, Direction, Hint, HistoryPage, HistoryQuery, Landing, LogRecord, MarkRead,
    Preview, ReadMark, SendQuery, Terms, ViewChanged,
};
use crate::send::lane_of;
use std::cmp::Reverse;
use std::sync::Arc;

impl State {
    pub(super) fn append(&mut self, mut append: Append) -> Appended {
        let (app, from, to) = (append.app, append.from, append.to);
        if !self.exists(app, from) || !self.exists(app, to) {
            return Appended::UnknownAccount;
        }
        let now_s = append.now_ms / 1000;
        self.guard.expire(now_s);
        if let Some(first) = self.guard.find(&append.key(), now_s) {
            return Appended::Duplicate(first);
        }
        let admitted = self.admit(append.terms, app, [from, to], now_s);
        if let Err(refusal) = append.settle(admitted) {
            let event =
                append.refusal_origin().map(|origin| self.put_event(append.after_refusal(origin, refusal)));
            return Appended::Refused { refusal, event };
        }
        let id = append.conversation();
        let mut conversation = self.conversation(&id);

        let outcome = append::append(&append, &mut conversation, |user| self.accounts[&(app, user)].inbox);
        let message = Arc::new(append.message(outcome.place));
        let mut hint = |inbox: Inbox, entry: LogEntry, user: UserId| {
            let account = self.account(app, user);
            account.inbox = inbox;
            account.log.push(entry);
            Hint { epoch: inbox.epoch, record: LogRecord { entry, message: Some(Arc::clone(&message)) } }
        };
        let recipient = outcome.recipient.map(|(inbox, entry)| hint(inbox, entry, to));
        let sender = outcome.sender.map(|(inbox, entry)| hint(inbox, entry, from));
        if !append.delivery.online_only {
            let talk = self.conversations.entry(id).or_default();
            talk.conversation = conversation;
            talk.messages.push(Arc::clone(&message));
        }
        self.guard.remember(&append.key(), FirstSend::of(&message));
        let event = append.event.map(|origin| {
            let draft = append.after_send(&message, origin, outcome.recipient_unread);
            self.put_event(draft)
        });
        Appended::Done(Box::new(Committed { message, recipient, sender, event }))
    }

    fn admit(&self, terms: Terms, app: AppId, [from, to]: [UserId; 2], now_s: u64) -> Admitted {
        let standing = Standing {
            sender: &self.accounts[&(app, from)].portrait.person,
            recipient: &self.accounts[&(app, to)].portrait.person,
            sender_tie: &self.tie(app, from, to),
            recipient_tie: &self.tie(app, to, from),
            discards: self.conversation(&ConversationId::new(app, from, to)).discards([from, to]),
        };
        admit(terms, &standing, now_s)
    }

    pub(super) fn preview(&self, key: &SendKey, terms: Terms, now_s: u64) -> Preview {
        if !self.exists(key.app, key.from) || !self.exists(key.app, key.to) {
            return Preview::UnknownAccount;
        }
        if let Some(first) = self.guard.find(key, now_s) {
            return Preview::Duplicate(first);
        }
        if let Admitted::No(refusal) = self.admit(terms, key.app, [key.from, key.to], now_s) {
            return Preview::Refused(refusal);
        }
        let id = ConversationId::new(key.app, key.from, key.to);
        Preview::Next(self.conversation(&id).next(now_s))
    }

    pub(super) fn conversation(&self, id: &ConversationId) -> Conversation {
        self.conversations.get(id).map(|talk| talk.conversation).unwrap_or_default()
    }

    pub(super) fn import_message(&mut self, import: &ImportMessage) -> Imported {
        let (app, id) = (import.app, import.conversation());
        if !self.exists(app, import.from) || !self.exists(app, import.to) {
            return Imported::UnknownAccount;
        }
        let talk = self.conversations.entry(id).or_default();
        if talk.messages.iter().any(|message| message.key() == import.key()) {
            return Imported::Duplicate;
        }
        let (place, effects) = append::import(import, &mut talk.conversation);
        let message = Arc::new(import.message(place));
        talk.messages.push(Arc::clone(&message));
        Imported::Done(self.publish(app, effects, Some(&message), Cause::NONE))
    }

    pub(super) fn alter(&mut self, wanted: &Alter) -> Altered {
        let (app, id) = (wanted.app, wanted.conversation());
        let mut found = None;
        if let Some(talk) = self.conversations.get(&id) {
            let meant = talk.messages.iter().filter(|message| wanted.means(message));
            found =
                meant.max_by_key(|message| message.seq).cloned().map(|message| (message, talk.conversation));
        }
        let Some((message, mut conversation)) = found else {
            return Altered::Refused(crate::alter::NotAltered::NotFound);
        };
        let extensions = self.conversations[&id].extensions.get(&message.seq).cloned().unwrap_or_default();
        let mut found = Found { message: (*message).clone(), extensions };
        let to = found.message.to;
        let unread_total = self.accounts.get(&(app, to)).map_or(0, |account| account.inbox.unread);
        let effects = match alter(wanted, &mut found, &mut conversation, unread_total) {
            Err(refusal) => return Altered::Refused(refusal),
            Ok(effects) if effects.is_none() => return Altered::Unchanged,
            Ok(effects) => effects,
        };
        let Found { message, extensions } = found;
        let message = Arc::new(message);
        let talk = self.conversations.get_mut(&id).expect("found above");
        talk.conversation = conversation;
        talk.extensions.insert(message.seq, extensions);
        let kept = talk.messages.iter_mut().find(|kept| kept.seq == message.seq);
        *kept.expect("found above") = Arc::clone(&message);
        let items = changed_items(&effects);
        let told = self.publish(app, effects, Some(&message), Cause::of(wanted.now_ms, wanted.origin));
        Altered::Done { message, items, told }
    }

    pub(super) fn find(&self, id: &ConversationId, key: MessageKey) -> Option<Found> {
        let talk = self.conversations.get(id)?;
        let meant = talk.messages.iter().filter(|message| message.key() == key);
        let message = meant.max_by_key(|message| message.seq)?;
        let extensions = talk.extensions.get(&message.seq).cloned().unwrap_or_default();
        Some(Found { message: (**message).clone(), extensions })
    }

    pub(super) fn landed(&self, query: &SendQuery) -> Landing {
        let id = ConversationId::new(query.app, query.from, query.to);
        let newest_first = self.newest_first(&id).into_iter();
        let mut asked = newest_first.take_while(|message| message.time_s >= query.since_s);
        let stored = asked.by_ref().take(query.looks_max).find(|message| query.means(message));
        if let Some(message) = stored {
            return Landing::Stored { key: message.key(), client_time_s: message.client_time_s };
        }
        let log = self.lanes.get(&lane_of(&id, self.lanes_per_app));
        let events = log.into_iter().flat_map(|log| log.events.values().rev());
        for event in events {
            if let Fact::AfterSend(fact) = &event.fact
                && let Outcome::Refused(refusal) = fact.outcome
                && event.conversation == id
                && fact.time_s >= query.since_s
                && query.means_refused(fact)
            {
                return Landing::Refused { refusal, event: event.id };
            }
        }
        match asked.next() {
            // Some of its second may have been looked at, but not all.
            Some(older) => Landing::UnseenSince { time_s: older.time_s + 1 },
            None => Landing::Unseen,
        }
    }

    pub(super) fn mark_read(&mut self, mark: MarkRead) -> Option<ReadMark> {
        let MarkRead { app, reader, peer, .. } = mark;
        let id = ConversationId::new(app, reader, peer);
        if !self.exists(app, reader) {
            return None;
        }
        let talk = self.conversations.get_mut(&id)?;
        let side = id.side(&reader);
        let view = *talk.conversation.view(side);
        let read = match mark.part(&talk.conversation) {
            None => talk.conversation.read(side),
            Some(until_s) => {
                let is_behind = |message: &&Arc<Message>| {
                    let counts = message.to == reader && message.counts();
                    counts && message.time_s > until_s && view.is_unread(message.place())
                };
                let unread_behind = talk.messages.iter().filter(is_behind).count() as u32;
                talk.conversation.read_part(side, until_s, unread_behind)
            }
        }?;
        let change = Change::Read { reader, peer, time_s: read.place.time_s, seq: read.place.seq };
        let entry = |user, unread_by| Entry { user, change, unread_by };
        let reader_hint = self.log(app, entry(reader, -i64::from(read.count)), None);
        let peer_hint = self.exists(app, peer).then(|| self.log(app, entry(peer, 0), None));
        let draft = mark.after_read(read.place, reader_hint.record.entry.unread);
        let event = self.put_event(draft);
        Some(ReadMark { reader: reader_hint, peer: peer_hint, event })
    }

    pub(super) fn history(&self, query: &HistoryQuery) -> HistoryPage {
        let id = &query.conversation;
        let mut page = query.page(&self.conversation(id).sides[id.side(&query.viewer) as usize]);
        let mut messages = self.newest_first(id);
        if query.direction == Direction::Newer {
            messages.reverse();
        }
        for message in messages {
            if page.take(&message).is_break() {
                break;
            }
        }
        page.finish()
    }

    fn newest_first(&self, id: &ConversationId) -> Vec<Arc<Message>> {
        let mut messages = self.conversations.get(id).map_or_else(Vec::new, |talk| talk.messages.clone());
        messages.sort_by_key(|message| Reverse((message.time_s, message.seq)));
        messages
    }

    pub(super) fn change_view(&mut self, wanted: &ChangeView) -> ViewChanged {
        let ChangeView { app, owner, peer, .. } = *wanted;
        let id = wanted.conversation();
        let begins = wanted.begins() && !self.conversations.contains_key(&id);
        if !self.exists(app, owner) || (begins && !self.exists(app, peer)) {
            return ViewChanged::UnknownAccount;
        }
        let mut conversation = self.conversation(&id);
        let side = id.side(&owner) as usize;
        let known = self.conversations.get(&id);
        let mut notes = known.map(|talk| talk.notes[side].clone()).unwrap_or_default();
        let mut person = self.account(app, owner).portrait.person.clone();
        let Ok(effects) = change_view(wanted, &mut person, &mut conversation, &mut notes) else {
            return ViewChanged::TooManyPinned;
        };
        if !effects.is_none() {
            self.account(app, owner).portrait.person = person;
            let talk = self.conversations.entry(id).or_default();
            talk.conversation = conversation;
            talk.notes[side] = notes;
        }
        ViewChanged::Done(self.publish(app, effects, None, Cause::NONE))
    }

    pub(super) fn contacts(&self, query: &ContactsQuery) -> Option<ContactsPage> {
        if !self.exists(query.app, query.owner) {
            return None;
        }
        let mut wanted = Vec::new();
        for (id, talk) in &self.conversations {
            if id.app == query.app && (id.low == query.owner || id.high == query.owner) {
                let view = &talk.conversation.sides[id.side(&query.owner) as usize];
                if query.wants(view) {
                    wanted.push(Contact::of(id.peer(&query.owner), &query.owner, &talk.conversation));
                }
            }
        }
        let mut page = query.page(wanted, self.accounts[&(query.app, query.owner)].inbox);
        if query.with_details {
            for contact in &mut page.contacts {
                contact.details = self.details(query.app, query.owner, contact.peer);
            }
        }
        Some(page)
    }

    pub(super) fn contacts_with(&self, app: AppId, owner: UserId, peers: &[UserId]) -> Option<ContactsPage> {
        if !self.exists(app, owner) {
            return None;
        }
        let entry = |peer: &UserId| {
            let conversation = self.conversation(&ConversationId::new(app, owner, *peer));
            let details = self.details(app, owner, *peer);
            Contact { details, ..Contact::of(*peer, &owner, &conversation) }
        };
        let contacts = peers.iter().map(entry).filter(Contact::is_something).collect();
        Some(ContactsPage { contacts, next: None, inbox: self.accounts[&(app, owner)].inbox })
    }

    fn details(&self, app: AppId, owner: UserId, peer: UserId) -> ContactDetails {
        let id = ConversationId::new(app, owner, peer);
        let side = id.side(&owner) as usize;
        let view = self.conversation(&id).sides[side];
        let listed = self.newest_first(&id).into_iter().filter(|message| message.time_s <= view.head_time_s);
        let last = listed.take(LAST_LOOKS_MAX).find(|message| view.lists(message, &owner));
        let notes = self.conversations.get(&id).map(|talk| talk.notes[side].clone());
        let remark = self.tie(app, owner, peer).friend.map(|friend| friend.remark);
        ContactDetails { last, notes: notes.unwrap_or_default(), remark: remark.unwrap_or_default() }
    }

    pub(super) fn unread(&self, app: AppId, user: UserId, peers: Vec<UserId>) -> Vec<u32> {
        let unread = |peer| {
            let id = ConversationId::new(app, user, peer);
            let talk = self.conversations.get(&id);
            talk.map_or(0, |talk| talk.conversation.sides[id.side(&user) as usize].unread)
        };
        peers.into_iter().map(unread).collect()
    }

    pub(super) fn changes(&self, app: AppId, user: UserId, after: Position, limit: usize) -> Changes {
        let Some(account) = self.accounts.get(&(app, user)).filter(|account| account.exists) else {
            return Changes::UnknownAccount;
        };
        if after.epoch != account.inbox.epoch || after.offset > account.inbox.offset {
            return Changes::Resync(account.inbox);
        }
        let entries = account.log.iter().filter(|entry| entry.offset > after.offset).take(limit);
        let record = |entry: &LogEntry| {
            let message = match entry.change {
                Change::Message { peer, seq, .. } | Change::Altered { peer, seq, .. } => {
                    let talk = self.conversations.get(&ConversationId::new(app, user, peer));
                    talk.and_then(|talk| talk.messages.iter().find(|message| message.seq == seq).cloned())
                }
                Change::Read { .. } | Change::View { .. } | Change::Relation { .. } | Change::Profile => None,
            };
            LogRecord { entry: *entry, message }
        };
        Changes::Records(entries.map(record).collect())
    }
}
