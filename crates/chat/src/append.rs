//! A message on its way into a commit, and what the commit makes of it.
//!
//! Here once, so that no store can count differently from another: a store looks up the conversation and the two
//! inboxes, lets [`append`] change them, and keeps the results.

use crate::admit::{Admitted, Terms};
use crate::conversation::{Change, Conversation, Inbox, LogEntry, Place};
use crate::effect::{Effects, Told};
use crate::event::{AfterSend, EventDraft, Fact, MessageName, Origin, Outcome, Refusal};
use crate::guard::SendKey;
use crate::id::{AppId, ConversationId, UserId};
use crate::message::{Delivery, Fate, Message, MessageKey};
use bytes::Bytes;

/// A message to commit.
#[derive(Debug, Clone)]
pub struct Append {
    pub app: AppId,
    pub from: UserId,
    pub to: UserId,
    /// `None`: the low half of the conversation's number is filled in.
    pub wire_seq: Option<u32>,
    /// Whether `wire_seq` was the sender's own choice.
    pub wire_seq_given: bool,
    pub random: u32,
    pub client_time_s: u64,
    /// The earliest time the message may bear.
    pub time_s: u64,
    pub now_ms: u64,
    pub content_crc: u32,
    pub body: Bytes,
    pub custom_data: Bytes,
    pub offline_push: Bytes,
    pub delivery: Delivery,
    /// Who caused the after-send event; `None` when the sender forbade the event.
    pub event: Option<Origin>,
    /// The sender forbade the event, and yet parts of the server need one: it only names the message.
    pub quiet: bool,
    /// What the two people may have against it.
    pub terms: Terms,
    /// What the backend is told in place of success: the sender is only made to believe that it was sent.
    pub pretends: Option<Refusal>,
}

/// A message of another time that is put into the history.
#[derive(Debug, Clone)]
pub struct ImportMessage {
    pub app: AppId,
    pub from: UserId,
    pub to: UserId,
    pub wire_seq: u32,
    pub random: u32,
    /// When it was sent, elsewhere.
    pub time_s: u64,
    pub body: Bytes,
    pub custom_data: Bytes,
    pub content_crc: u32,
    /// As if it were sent now: it counts as unread, and devices get it. Otherwise only the history has it.
    pub live: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Imported {
    Done(Told),
    /// A message with the same numbers and time is there already, in either direction.
    Duplicate,
    UnknownAccount,
}

impl ImportMessage {
    pub fn conversation(&self) -> ConversationId {
        ConversationId::new(self.app, self.from, self.to)
    }

    pub fn key(&self) -> MessageKey {
        MessageKey { wire_seq: self.wire_seq, random: self.random, time_s: self.time_s }
    }

    /// The message as it stands at its place.
    pub fn message(&self, place: Place) -> Message {
        Message {
            from: self.from,
            to: self.to,
            time_s: place.time_s,
            seq: place.seq,
            wire_seq: self.wire_seq,
            wire_seq_given: true,
            random: self.random,
            client_time_s: self.time_s,
            body: self.body.clone(),
            custom_data: self.custom_data.clone(),
            offline_push: Bytes::new(),
            content_crc: self.content_crc,
            delivery: Delivery { no_unread: !self.live, imported: true, ..Delivery::default() },
            fate: Fate::default(),
        }
    }
}

impl Append {
    pub fn key(&self) -> SendKey {
        SendKey {
            app: self.app,
            from: self.from,
            to: self.to,
            seq: self.wire_seq.filter(|_| self.wire_seq_given),
            random: self.random,
            content_crc: self.content_crc,
        }
    }

    pub fn conversation(&self) -> ConversationId {
        ConversationId::new(self.app, self.from, self.to)
    }

    /// The message as it stands at its place.
    pub fn message(&self, place: Place) -> Message {
        Message {
            from: self.from,
            to: self.to,
            time_s: place.time_s,
            seq: place.seq,
            wire_seq: self.wire_seq.unwrap_or(place.seq as u32),
            wire_seq_given: self.wire_seq_given,
            random: self.random,
            client_time_s: self.client_time_s,
            body: self.body.clone(),
            custom_data: self.custom_data.clone(),
            offline_push: self.offline_push.clone(),
            content_crc: self.content_crc,
            delivery: self.delivery,
            fate: Fate::default(),
        }
    }

    /// Makes of the message what the people's decisions leave of it; a refusal is the end of it.
    pub fn settle(&mut self, admitted: Admitted) -> Result<(), Refusal> {
        match admitted {
            Admitted::Yes => {}
            Admitted::Unseen => self.delivery.hidden_from_recipient = true,
            Admitted::Pretend(refusal) => {
                self.delivery.hidden_from_recipient = true;
                self.pretends = Some(refusal);
            }
            Admitted::No(refusal) => return Err(refusal),
        }
        Ok(())
    }
}

impl Append {
    /// Who caused the event of a refusal, which only the backend wants to know of.
    pub fn refusal_origin(&self) -> Option<Origin> {
        self.event.filter(|_| !self.quiet)
    }

    /// The after-send event of the message as committed.
    pub fn after_send(&self, message: &Message, origin: Origin, recipient_unread: u32) -> EventDraft {
        if self.quiet {
            let fact = Fact::Stored(MessageName::of(message));
            return EventDraft::new(self.app, self.now_ms, origin, fact);
        }
        let fact = AfterSend {
            from: message.from,
            to: message.to,
            wire_seq: message.wire_seq,
            random: message.random,
            time_s: message.time_s,
            client_time_s: message.client_time_s,
            online_only: message.delivery.online_only,
            marked: message.delivery.marked,
            outcome: match self.pretends {
                Some(refusal) => Outcome::Refused(refusal),
                None => Outcome::Delivered { unread: recipient_unread },
            },
            body: message.body.clone(),
            custom_data: message.custom_data.clone(),
        };
        EventDraft::new(self.app, self.now_ms, origin, Fact::AfterSend(fact))
    }

    /// The after-send event of the message when it is refused.
    pub fn after_refusal(&self, origin: Origin, refusal: Refusal) -> EventDraft {
        let fact = AfterSend {
            from: self.from,
            to: self.to,
            // A refused message has no place in the conversation to take its number from.
            wire_seq: self.wire_seq.unwrap_or(self.random),
            random: self.random,
            time_s: self.time_s,
            client_time_s: self.client_time_s,
            online_only: self.delivery.online_only,
            marked: self.delivery.marked,
            outcome: Outcome::Refused(refusal),
            body: self.body.clone(),
            custom_data: self.custom_data.clone(),
        };
        EventDraft::new(self.app, self.now_ms, origin, Fact::AfterSend(fact))
    }
}

/// What a message makes of its conversation and of the two inboxes.
#[derive(Debug, Clone, Copy)]
pub struct Applied {
    pub place: Place,
    /// The recipient's inbox afterwards, and its new entry, unless the recipient does not get the message.
    pub recipient: Option<(Inbox, LogEntry)>,
    /// The same of the sender, unless the sender does not get the message or is the recipient.
    pub sender: Option<(Inbox, LogEntry)>,
    pub recipient_unread: u32,
}

/// Applies a message that nothing forbids. `inbox` answers for either person; an online-only message changes
/// nothing, and only borrows the place it would have had.
pub fn append(append: &Append, conversation: &mut Conversation, inbox: impl Fn(UserId) -> Inbox) -> Applied {
    let Append { from, to, delivery, .. } = append;
    let id = append.conversation();
    let mut recipient = inbox(*to);
    if delivery.online_only {
        let place = conversation.next(append.time_s);
        return Applied { place, recipient: None, sender: None, recipient_unread: recipient.unread };
    }
    let place = conversation.advance(append.time_s);
    let mut enter = |user: &UserId, peer: &UserId, inbox: &mut Inbox, counts: bool| {
        let view = conversation.view(id.side(user));
        if !delivery.no_last {
            view.show(place);
        }
        if counts {
            view.unread += 1;
            inbox.unread += 1;
        }
        inbox.log(Change::Message { peer: *peer, time_s: place.time_s, seq: place.seq })
    };
    let to_oneself = from == to;
    let entered = (to_oneself || !delivery.hidden_from_recipient).then(|| {
        let entry = enter(to, from, &mut recipient, !delivery.no_unread && !to_oneself);
        (recipient, entry)
    });
    let sender = (!to_oneself && !delivery.hidden_from_sender).then(|| {
        let mut sender = inbox(*from);
        let entry = enter(from, to, &mut sender, false);
        (sender, entry)
    });
    let recipient_unread = entered.map_or(recipient.unread, |(inbox, _)| inbox.unread);
    Applied { place, recipient: entered, sender, recipient_unread }
}

/// Applies an import that is no duplicate: its place, and what devices are told.
pub fn import(import: &ImportMessage, conversation: &mut Conversation) -> (Place, Effects) {
    let ImportMessage { from, to, live, .. } = *import;
    let id = import.conversation();
    let place = conversation.insert(import.time_s);
    let mut effects = Effects::default();
    let both = [(to, from), (from, to)];
    for (user, peer) in if from == to { &both[..1] } else { &both[..] } {
        let view = conversation.view(id.side(user));
        view.show(place);
        view.oldest_s = view.oldest_s.min(place.time_s);
        if live {
            let counts = *user == to && from != to && view.is_unread(place);
            view.unread += u32::from(counts);
            let change = Change::Message { peer: *peer, time_s: place.time_s, seq: place.seq };
            effects.enter(*user, change, i64::from(counts));
        }
    }
    (place, effects)
}
