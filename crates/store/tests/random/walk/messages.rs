//! Messages and conversations.

use super::{Walk, named};
use crate::random::step::Step;
use crate::world::{APP, ORIGIN, all_of, mark, message, pair, user};
use bytes::Bytes;
use chat::Position;
use chat::admit::DeviceTerms;
use chat::alter::{Act, Extend, PairKey};
use chat::contact::{ContactCursor, NoteView, ViewAct};
use chat::conversation::Notify;
use chat::model::Model;
use chat::port::{
    Alter, Append, ChangeView, ContactsQuery, Direction, HistoryQuery, ImportMessage, MarkRead, MessageKey,
    SendQuery, Store, Terms,
};
use chat::{Message, Refusal};

impl Walk {
    pub(super) fn append(&mut self, from: &str, to: &str) -> Step {
        if self.chance.is_one_in(4) && !self.sent.is_empty() {
            let at = self.chance.below(self.sent.len() as u64) as usize;
            let mut again = self.sent[at].clone();
            (again.time_s, again.now_ms) = (self.now_s, self.now_s * 1000);
            return Step::Append(again);
        }
        let append = self.fresh(from, to);
        self.sent.push(append.clone());
        Step::Append(append)
    }

    fn fresh(&mut self, from: &str, to: &str) -> Append {
        let few = self.chance.below(4) as u32;
        let mut append = message(from, to, self.now_s, self.random(few));
        append.delivery.online_only = self.chance.is_one_in(8);
        append.delivery.hidden_from_sender = self.chance.is_one_in(6);
        append.delivery.hidden_from_recipient = self.chance.is_one_in(12);
        append.delivery.no_unread = self.chance.is_one_in(6);
        append.delivery.no_last = self.chance.is_one_in(6);
        append.delivery.needs_receipt = self.chance.is_one_in(2);
        append.delivery.extensible = self.chance.is_one_in(2);
        if append.delivery.online_only {
            append.random = 1_000_000 + (self.era * 1000 + self.online_era) * 10 + few;
        }
        if self.chance.is_one_in(3) {
            (append.wire_seq, append.wire_seq_given) = (Some(self.chance.below(3) as u32), true);
        }
        if self.chance.is_one_in(8) {
            append.event = None;
        }
        append.quiet = self.chance.is_one_in(8) && !append.delivery.online_only;
        append.terms = self.terms();
        if self.chance.is_one_in(12) {
            append.pretends = Some(Refusal::Filtered);
        }
        append
    }

    /// One of a few numbers, so that the same come again.
    fn random(&self, few: u32) -> u32 {
        match self.burst {
            Some(burst) => 1_000_000_000 + burst * 16 + few,
            None => self.era * 10 + few,
        }
    }

    fn terms(&mut self) -> Terms {
        let device =
            DeviceTerms { friends_only: self.chance.is_one_in(3), tells_blocked: self.chance.is_one_in(2) };
        Terms {
            device: self.chance.is_one_in(3).then_some(device),
            heeds_recipient: self.chance.is_one_in(3),
        }
    }

    pub(super) fn preview(&mut self, from: &str, to: &str) -> Step {
        let known = self.sent.last().filter(|_| self.chance.is_one_in(2)).map(Append::key);
        let key = known.unwrap_or_else(|| self.fresh(from, to).key());
        Step::Preview { key, terms: self.terms(), now_s: self.now_s }
    }

    pub(super) fn import_messages(&mut self, from: &str, to: &str) -> Step {
        Step::ImportMessages((0..=self.chance.below(3)).map(|_| self.import_message(from, to)).collect())
    }

    fn import_message(&mut self, from: &str, to: &str) -> ImportMessage {
        let again = self.imported.take().filter(|_| self.chance.is_one_in(3));
        let mut import = again.unwrap_or_else(|| self.fresh_import(from, to));
        if self.chance.is_one_in(3) {
            (import.from, import.to) = (import.to, import.from);
        }
        self.imported = Some(import.clone());
        import
    }

    fn fresh_import(&mut self, from: &str, to: &str) -> ImportMessage {
        // In a burst they meet one another, but no sends.
        let few = self.chance.below(4) as u32 + if self.burst.is_some() { 8 } else { 0 };
        let time_s = match self.chance.below(4) {
            0 => self.now_s - self.chance.below(600),
            1 => self.now_s + self.chance.below(30),
            _ => self.now_s - self.chance.below(4),
        };
        ImportMessage {
            app: APP,
            from: user(from),
            to: user(to),
            wire_seq: self.chance.below(4) as u32,
            random: self.random(few),
            time_s,
            body: Bytes::from(format!("[\"{from} once to {to}\"]")),
            custom_data: Bytes::new(),
            content_crc: 0x00c0_ffee,
            live: self.chance.is_one_in(2),
        }
    }

    /// A message that there is, as one of the two people sees it; of the two who are named if they have any.
    async fn known(&mut self, model: &Model, one: &'static str, other: &'static str) -> Option<Message> {
        let (mut viewer, mut peer) = (one, other);
        for _ in 0..6 {
            let mut messages = model.history(all_of(viewer, peer)).await.unwrap().messages;
            if !messages.is_empty() {
                let among = if self.chance.is_one_in(3) { messages.len() } else { messages.len().min(4) };
                return Some(messages.swap_remove(self.chance.below(among as u64) as usize));
            }
            (viewer, peer) = (self.name(), self.name());
        }
        None
    }

    pub(super) async fn alter(&mut self, model: &Model, one: &'static str, other: &'static str) -> Step {
        let known = self.known(model, one, other).await.filter(|_| self.is_likely(10));
        let (mut from, mut to) =
            known.as_ref().map_or((user(one), user(other)), |known| (known.from, known.to));
        if self.chance.is_one_in(10) {
            (from, to) = (to, from);
        }
        let key = known.as_ref().map_or_else(|| self.nothing(), Message::key);
        let version = known.as_ref().map_or(0, |known| known.fate.version);
        let act = self.act(version);
        let by = match self.chance.below(5) {
            0 => user("somebody"),
            1 | 2 => from,
            _ => to,
        };
        Step::Alter(Alter { app: APP, from, to, key, by, act, now_ms: self.now_s * 1000, origin: ORIGIN })
    }

    fn nothing(&mut self) -> MessageKey {
        MessageKey { wire_seq: 1, random: 999_999, time_s: self.now_s - self.chance.below(40) }
    }

    fn act(&mut self, version: u32) -> Act {
        let text = |text: String| Bytes::from(text);
        match self.chance.below(12) {
            0..2 => Act::Recall,
            2..5 => Act::Edit {
                body: self.chance.is_one_in(2).then(|| text(format!("[\"edited at {}\"]", self.now_s))),
                custom_data: self.chance.is_one_in(2).then(|| text(self.word())),
                version: self.chance.is_one_in(2).then(|| version + self.chance.below(2) as u32),
                marked: self.chance.is_one_in(4),
            },
            5..7 => Act::Confirm,
            7..9 => Act::Delete,
            _ => Act::Extend(match self.chance.below(5) {
                0..3 => Extend::Set((0..self.chance.below(4)).map(|_| (self.pair(), self.word())).collect()),
                3 => Extend::Delete((0..self.chance.below(3)).map(|_| self.pair()).collect()),
                _ => Extend::Clear,
            }),
        }
    }

    fn pair(&mut self) -> PairKey {
        let seen = self.chance.is_one_in(2).then(|| self.chance.below(9));
        PairKey { key: self.key(), seen }
    }

    fn key(&mut self) -> String {
        // Two hundred at once come near the limit.
        format!("key {}", self.chance.below(5))
    }

    pub(super) async fn find(&mut self, model: &Model, one: &'static str, other: &'static str) -> Step {
        let known = self.known(model, one, other).await.filter(|_| self.is_likely(10));
        let key = known.as_ref().map_or_else(|| self.nothing(), Message::key);
        let conversation = known.map_or_else(|| pair(one, other), |known| known.conversation(APP));
        Step::Find { conversation, key }
    }

    pub(super) fn landed(&mut self, one: &str, other: &str) -> Step {
        let sent = self.sent.last().filter(|_| self.chance.is_one_in(3)).cloned();
        let sent = sent.unwrap_or_else(|| {
            let mut sent = self.fresh(one, other);
            if self.chance.is_one_in(3) {
                // What is recorded as refused.
                (sent.random, sent.wire_seq) = (6, Some(5));
            }
            sent
        });
        Step::Landed(SendQuery {
            app: APP,
            from: sent.from,
            to: sent.to,
            random: sent.random,
            seq: sent.wire_seq.filter(|_| self.chance.is_one_in(2)),
            since_s: self.now_s - self.chance.below(200),
            looks_max: self.chance.below(30) as usize,
        })
    }

    pub(super) fn mark_read(&mut self, reader: &str, peer: &str) -> Step {
        let until_s = self.chance.is_one_in(3).then(|| self.now_s - self.chance.below(60));
        Step::MarkRead(MarkRead { until_s, ..mark(reader, peer, self.now_s) })
    }

    pub(super) fn change_view(&mut self, owner: &str, peer: &str) -> Step {
        let (app, owner) = named(owner);
        Step::ChangeView(ChangeView {
            app,
            owner,
            peer: user(peer),
            act: self.view_act(),
            pinned_len_max: 2,
            now_ms: self.now_s * 1000,
        })
    }

    fn view_act(&mut self) -> ViewAct {
        match self.chance.below(12) {
            0..2 => ViewAct::Remove,
            2..4 => ViewAct::Erase,
            4..6 => ViewAct::Clear,
            6..8 => ViewAct::Pin,
            8 => ViewAct::Unpin,
            _ => ViewAct::Note(NoteView {
                notify: self.chance.is_one_in(2).then(|| self.chance.one_of(&Notify::ALL)),
                marks_on: self.chance.below(4),
                marks_off: self.chance.below(4),
                custom: self.chance.is_one_in(2).then(|| self.word()),
            }),
        }
    }

    pub(super) fn contacts(&mut self, owner: &str) -> Step {
        let (app, owner) = named(owner);
        let after = ContactCursor {
            time_s: self.now_s - self.chance.below(100),
            skip: self.chance.below(3) as usize,
        };
        Step::Contacts(ContactsQuery {
            app,
            owner,
            pinned: self.chance.one_of(&[None, Some(true), Some(false)]),
            with_empty: self.chance.is_one_in(2),
            unread_only: self.chance.is_one_in(4),
            with_details: self.chance.is_one_in(2),
            after: self.chance.is_one_in(2).then_some(after),
            limit: 1 + self.chance.below(4) as usize,
        })
    }

    pub(super) fn history(&mut self, viewer: &str, peer: &str) -> Step {
        let time_s_min = self.now_s - self.chance.below(500);
        let behind = self.sent.last().filter(|_| self.chance.is_one_in(2)).map(|append| MessageKey {
            wire_seq: append.wire_seq.unwrap_or(1),
            random: append.random,
            time_s: append.time_s,
        });
        Step::History(HistoryQuery {
            time_s_min,
            time_s_max: time_s_min + self.chance.below(300),
            direction: self.chance.one_of(&[Direction::Older, Direction::Newer]),
            behind,
            limit: 1 + self.chance.below(6) as usize,
            bytes_max: 1 + self.chance.below(200) as usize,
            ..all_of(viewer, peer)
        })
    }

    pub(super) fn changes(&mut self, name: &'static str) -> Step {
        let epoch = self.now_s * 1000 - self.chance.below(3);
        let after = Position { epoch, offset: self.chance.below(20) };
        Step::Changes { name, after, limit: 1 + self.chance.below(10) as usize }
    }
}
