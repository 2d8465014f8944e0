//! Messages that come: sent, refused, or imported.

use super::people::Standing;
use super::{Kept, Ledger, Named, News, Tag};
use crate::report::{Checked, holds};
use bytes::Bytes;
use chat::conversation::Notify;
use chat::event::AfterSend;
use chat::guard::{FirstSend, SendKey};
use chat::message::Fate;
use chat::port::{Append, Appended, Committed, ImportMessage, Imported, Preview, Terms};
use chat::{AppId, Change, ConversationId, Delivery, EventDraft, EventId, Fact, Message, Outcome, UserId};
use std::sync::Arc;

impl Ledger {
    pub(crate) fn appended(&mut self, append: &Append, answer: &Appended) -> Checked {
        let (app, people) = (append.app, [append.from, append.to]);
        let Some(standing) = self.standing(app, people, append.terms, append.now_ms) else {
            return holds(*answer == Appended::UnknownAccount, "nobody_sends_without_an_account", || {
                format!("{append:?} came to {answer:?}")
            });
        };
        match answer {
            Appended::UnknownAccount => holds(false, "nobody_sends_without_an_account", || {
                format!("{people:?} have accounts, and {append:?} was refused")
            }),
            Appended::Duplicate(first) => self.is_known(&append.key(), *first),
            Appended::Refused { refusal, event } => {
                self.due.recorded += usize::from(event.is_some());
                let expected = Standing::Against(*refusal);
                respected(standing == expected, people, standing, answer)?;
                if append.event.is_some() {
                    let message = refused_message(append);
                    self.promise(app, after_send(&message, Outcome::Refused(*refusal)));
                }
                Ok(())
            }
            Appended::Done(committed) => {
                respected(!matches!(standing, Standing::Against(_)), people, standing, answer)?;
                let is_pretended = matches!(standing, Standing::Pretended(_));
                self.discarded += u64::from(is_pretended && self.discards(app, people));
                self.sent(append, standing, committed)
            }
        }
    }

    fn standing(&self, app: AppId, people: [UserId; 2], terms: Terms, now_ms: u64) -> Option<Standing> {
        self.people.standing((app, people), terms, self.discards(app, people), now_ms)
    }

    /// Whether the second has set that nothing of the first is wanted.
    fn discards(&self, app: AppId, [from, to]: [UserId; 2]) -> bool {
        let talk = self.talk(&ConversationId::new(app, from, to));
        from != to && talk.is_some_and(|talk| talk.side(&to).notify == Notify::Discard)
    }

    fn sent(&mut self, append: &Append, standing: Standing, committed: &Committed) -> Checked {
        let Append { app, from, to, delivery, .. } = *append;
        let id = append.conversation();
        let (newest_s, len) = self.talk(&id).map_or((0, 0), |talk| (talk.newest_s(), talk.len()));
        let expected = Message {
            time_s: append.time_s.max(newest_s),
            seq: len + 1,
            wire_seq: append.wire_seq.unwrap_or(len as u32 + 1),
            delivery: Delivery { hidden_from_recipient: standing.hides(), ..delivery },
            ..refused_message(append)
        };
        messages_are_what_was_sent(&committed.message, &expected)?;
        let tag = Tag::of(&append.custom_data);
        if delivery.online_only {
            self.online.push((tag, app, Arc::clone(&committed.message)));
            self.due.online += usize::from(!standing.hides());
            let silent = committed.recipient.is_none() && committed.sender.is_none();
            holds(silent, "logs_are_whole", || format!("{committed:?} is in a log"))?;
        } else {
            let reaches_recipient = from == to || !standing.hides();
            let counts = from != to && reaches_recipient && !delivery.no_unread;
            let named = self.keep(id, Kept::new(tag, Arc::clone(&committed.message), counts));
            let reaches_sender = from != to && !delivery.hidden_from_sender;
            let both = [
                (to, from, reaches_recipient, &committed.recipient),
                (from, to, reaches_sender, &committed.sender),
            ];
            for (user, peer, reaches, hint) in both {
                holds(reaches == hint.is_some(), "sends_respect_both_people", || {
                    format!("{user} should be told of {expected:?}: {reaches}")
                })?;
                if reaches {
                    if !delivery.no_last {
                        self.talks[named.talk].show(&user, &expected);
                    }
                    let change = Change::Message { peer, time_s: expected.time_s, seq: expected.seq };
                    self.enter((app, user), change, Some(named), hint.as_ref())?;
                }
            }
        }
        self.due.recorded += usize::from(committed.event.is_some());
        if append.event.is_some() {
            let unread = self.unread(app, to);
            let outcome = match standing {
                Standing::Pretended(refusal) => Outcome::Refused(refusal),
                _ => Outcome::Delivered { unread },
            };
            self.promise(app, after_send(&expected, outcome));
        }
        Ok(())
    }

    fn keep(&mut self, id: ConversationId, kept: Kept) -> Named {
        let talk = self.begin(id);
        let messages = &mut self.talks[talk].messages;
        messages.push(kept);
        Named { talk, message: messages.len() - 1, version: 0 }
    }

    pub(crate) fn previewed(&self, key: &SendKey, terms: Terms, now_ms: u64, answer: &Preview) -> Checked {
        let people = [key.from, key.to];
        let Some(standing) = self.standing(key.app, people, terms, now_ms) else {
            return holds(*answer == Preview::UnknownAccount, "nobody_sends_without_an_account", || {
                format!("{key:?} looked like {answer:?}")
            });
        };
        match answer {
            Preview::Refused(refusal) => {
                respected(standing == Standing::Against(*refusal), people, standing, answer)
            }
            Preview::Next(place) => {
                let len =
                    self.talk(&ConversationId::new(key.app, key.from, key.to)).map_or(0, |talk| talk.len());
                respected(!matches!(standing, Standing::Against(_)), people, standing, answer)?;
                holds(place.seq == len + 1, "conversations_have_no_gaps", || {
                    format!("{place:?} follows {len} messages")
                })
            }
            Preview::Duplicate(first) => self.is_known(key, *first),
            Preview::UnknownAccount => holds(false, "nobody_sends_without_an_account", || {
                format!("{people:?} have accounts, and {key:?} was refused")
            }),
        }
    }

    /// Whoever is told that it was sent before did send it before, and it has not gone with its conversation.
    fn is_known(&self, key: &SendKey, first: FirstSend) -> Checked {
        let is_first = |app: AppId, message: &Message| {
            SendKey::of(app, message) == *key && FirstSend::of(message) == first
        };
        let is_stored =
            self.current().any(|talk| talk.messages.iter().any(|kept| is_first(talk.id.app, kept.first())));
        let known = is_stored || self.online.iter().any(|(_, app, message)| is_first(*app, message));
        holds(known, "resends_are_answered_as_the_first", || format!("{key:?} was never answered {first:?}"))
    }

    /// A message of another time. No backend hears of it.
    pub(crate) fn imported(&mut self, import: &ImportMessage, answer: &Imported) -> Checked {
        let ImportMessage { app, from, to, live, .. } = *import;
        let id = import.conversation();
        let both_exist = self.people.has(app, from) && self.people.has(app, to);
        let known = self
            .talk(&id)
            .is_some_and(|talk| talk.messages.iter().any(|kept| kept.first().key() == import.key()));
        let fits = match answer {
            Imported::UnknownAccount => !both_exist,
            Imported::Duplicate => both_exist && known,
            Imported::Done(_) => both_exist && !known,
        };
        holds(fits, "imports_are_stored_once", || format!("{import:?} came to {answer:?}"))?;
        let Imported::Done(told) = answer else { return Ok(()) };
        let talk = self.begin(id);
        let message = Message { seq: self.talks[talk].len() + 1, ..imported_message(import) };
        let old_news = import.time_s <= self.talks[talk].side(&to).read_s;
        let kept = Kept::new(
            Tag::of(&import.custom_data),
            Arc::new(message.clone()),
            live && from != to && !old_news,
        );
        let named = self.keep(id, kept);
        let both = [(to, from), (from, to)];
        let mut entries = Vec::new();
        for (user, peer) in if from == to { &both[..1] } else { &both[..] } {
            self.talks[talk].show(user, &message);
            if live {
                let change = Change::Message { peer: *peer, time_s: message.time_s, seq: message.seq };
                entries.push((*user, change));
            }
        }
        self.tell(app, News { entries, named: Some(named), facts: Vec::new() }, told)
    }

    /// An event without another cause.
    pub(crate) fn recorded(&mut self, draft: &EventDraft, answer: Option<EventId>) -> Checked {
        let ConversationId { app, low, high } = draft.conversation;
        let both_exist = self.people.has(app, low) && self.people.has(app, high);
        let expected = both_exist || !matches!(draft.fact, Fact::AfterSend(_));
        holds(answer.is_some() == expected, "every_told_refusal_has_its_event", || {
            format!("{draft:?} was recorded as {answer:?}")
        })?;
        if answer.is_some() {
            self.due.recorded += 1;
            self.promise(app, draft.fact.clone());
        }
        Ok(())
    }
}

fn respected(
    respected: bool,
    people: [UserId; 2],
    standing: Standing,
    answer: &impl std::fmt::Debug,
) -> Checked {
    holds(respected, "sends_respect_both_people", || {
        format!("between {people:?} stands {standing:?}, and a send came to {answer:?}")
    })
}

fn messages_are_what_was_sent(committed: &Message, expected: &Message) -> Checked {
    let (place, should) = (committed.place(), expected.place());
    holds(place == should, "conversations_have_no_gaps", || {
        format!("{committed:?} stands at {place:?}, and should at {should:?}")
    })?;
    holds(committed == expected, "messages_are_what_was_sent", || {
        format!("{committed:?} was committed, and sent {expected:?}")
    })
}

/// A message that gets no place.
fn refused_message(append: &Append) -> Message {
    Message {
        from: append.from,
        to: append.to,
        time_s: append.time_s,
        seq: 0,
        wire_seq: append.wire_seq.unwrap_or(append.random),
        wire_seq_given: append.wire_seq_given,
        random: append.random,
        client_time_s: append.client_time_s,
        body: append.body.clone(),
        custom_data: append.custom_data.clone(),
        offline_push: append.offline_push.clone(),
        content_crc: append.content_crc,
        delivery: append.delivery,
        fate: Fate::default(),
    }
}

fn imported_message(import: &ImportMessage) -> Message {
    Message {
        from: import.from,
        to: import.to,
        time_s: import.time_s,
        seq: 0,
        wire_seq: import.wire_seq,
        wire_seq_given: true,
        random: import.random,
        client_time_s: import.time_s,
        body: import.body.clone(),
        custom_data: import.custom_data.clone(),
        offline_push: Bytes::new(),
        content_crc: import.content_crc,
        delivery: Delivery { imported: true, no_unread: !import.live, ..Delivery::default() },
        fate: Fate::default(),
    }
}

fn after_send(message: &Message, outcome: Outcome) -> Fact {
    Fact::AfterSend(AfterSend {
        from: message.from,
        to: message.to,
        wire_seq: message.wire_seq,
        random: message.random,
        time_s: message.time_s,
        client_time_s: message.client_time_s,
        online_only: message.delivery.online_only,
        marked: message.delivery.marked,
        outcome,
        body: message.body.clone(),
        custom_data: message.custom_data.clone(),
    })
}
