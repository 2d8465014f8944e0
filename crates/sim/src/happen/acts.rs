//! What people and backends do with messages and conversations.

use crate::errand::Wish;
use crate::plan::{MESSAGE_BYTES_MAX, WORD_BLOCKED, WORD_MARKED, WORD_MASKED};
use crate::world::{Happening, World};
use bytes::Bytes;
use chat::alter::{Act, Alter, EXTENSIONS_LEN_MAX, Extend, PairKey};
use chat::append::ImportMessage;
use chat::change::ReadAll;
use chat::contact::{NoteView, ViewAct};
use chat::conversation::Notify;
use chat::message::MessageKey;
use chat::port::{ChangeView, MarkRead, Terms};
use chat::send::Checks;
use chat::{AppId, Content, Delivery, Message, Origin, Platform, SendRequest, UserId};
use std::net::{IpAddr, Ipv4Addr};

pub(super) const ORIGIN: Origin = Origin { ip: IpAddr::V4(Ipv4Addr::LOCALHOST), platform: Platform::RestApi };

/// So few that people run into it.
const PINNED_LEN_MAX: usize = 2;

impl World {
    pub(super) fn act(&mut self) {
        if self.healed {
            return;
        }
        // Bursts and silences: most of what can go wrong between two wishes needs them close together.
        let delay_ms = self.draw(|chance| match chance.hits(700) {
            true => chance.between(1..=400),
            false => chance.between(500..=5_000),
        });
        self.after(delay_ms, Happening::Act);
        let index = self.draw(|chance| chance.index(self.plan.apps.len()));
        let users = &self.plan.apps[index].users;
        let (from, to) = self.draw(|chance| (*chance.pick(users), *chance.pick(users)));
        let app = self.plan.apps[index].id;
        let alone = from == to && self.draw(|chance| chance.hits(700));
        match self.draw(|chance| chance.between(0..=99)) {
            0..=80 if alone => {}
            0..=41 => self.send(index, from, to),
            42..=52 => self.read(app, from, to),
            53..=74 => self.alter(app),
            75..=80 => self.import(app, from, to),
            81..=86 => self.change_view(app, from, to),
            87..=93 => self.approach(app, from, to),
            _ => self.change_person(app, from),
        }
    }

    fn send(&mut self, index: usize, from: UserId, to: UserId) {
        let app = &self.plan.apps[index];
        let tag = self.next_tag();
        let delivery = self.draw(|chance| Delivery {
            online_only: chance.hits(80),
            no_unread: chance.hits(80),
            hidden_from_sender: chance.hits(80),
            no_last: chance.hits(50),
            needs_receipt: chance.hits(400),
            extensible: chance.hits(600),
            ..Delivery::default()
        });
        let text = self.draw(|chance| match chance.between(0..=19) {
            0 => WORD_MARKED.to_owned(),
            1 => WORD_MASKED.to_owned(),
            2 => WORD_BLOCKED.to_owned(),
            3 => "long ".repeat(MESSAGE_BYTES_MAX),
            _ => "hello".to_owned(),
        });
        let terms = self.draw(|chance| Terms {
            device: chance.hits(650).then_some(app.terms),
            heeds_recipient: chance.hits(800),
        });
        let request = self.draw(|chance| SendRequest {
            app: app.id,
            from,
            to,
            // Few numbers, so that different sends often share some of them.
            seq: chance.hits(500).then(|| chance.between(1..=3) as u32),
            random: chance.between(1..=3) as u32,
            client_time_s: chance.hits(300).then_some(1),
            content: Content {
                body: Bytes::from(text.clone()),
                custom_data: Bytes::copy_from_slice(&tag.0.to_be_bytes()),
                size_bytes: text.len(),
                custom_elements: 0,
                texts: vec![text],
            },
            offline_push: Bytes::new(),
            delivery,
            checks: Checks {
                skip_filter: chance.hits(50),
                skip_gate: chance.hits(100),
                // A backend that sends to many at once is not told of it.
                skip_event: chance.hits(50),
            },
            terms,
            origin: ORIGIN,
        });
        {
            let counts = &mut self.stage.lock().counts;
            counts.sends += 1;
            counts.self_sends += u64::from(from == to);
            counts.online_only += u64::from(delivery.online_only);
            counts.without_unread += u64::from(delivery.no_unread);
            counts.without_event += u64::from(request.checks.skip_event);
            counts.hidden_from_sender += u64::from(delivery.hidden_from_sender);
        }
        self.wish(Wish::Send(Box::new(request)));
    }

    fn read(&mut self, app: AppId, reader: UserId, peer: UserId) {
        let now_ms = self.now_ms();
        if self.draw(|chance| chance.hits(100)) {
            return self.wish(Wish::ReadAll(ReadAll { app, reader, now_ms, origin: ORIGIN }));
        }
        let until_s = self.draw(|chance| chance.hits(400).then(|| now_ms / 1000 - chance.between(0..=40)));
        self.wish(Wish::Read(MarkRead { app, reader, peer, until_s, now_ms, origin: ORIGIN }));
    }

    /// Somebody does something to a message that was seen.
    fn alter(&mut self, app: AppId) {
        let Some(message) = self.some_message(app) else { return };
        let tag = self.next_tag();
        let Message { from, to, .. } = message;
        let admin = UserId::new("administrator").expect("the name is good");
        let (act, by) = self.draw(|chance| {
            let either = *chance.pick(&[from, to]);
            match chance.between(0..=99) {
                0..=24 => (Act::Recall, if chance.hits(300) { admin } else { from }),
                25..=49 => {
                    let is_whole = chance.hits(600);
                    let body = Bytes::from(format!("edit {}", tag.0));
                    let custom_data = Bytes::copy_from_slice(&tag.0.to_be_bytes());
                    let edit = Act::Edit {
                        body: is_whole.then_some(body),
                        custom_data: (!is_whole || chance.hits(300)).then_some(custom_data),
                        version: chance.hits(500).then_some(message.fate.version),
                        marked: chance.hits(200),
                    };
                    (edit, if chance.hits(300) { admin } else { from })
                }
                50..=64 => (Act::Confirm, if chance.hits(900) { to } else { from }),
                65..=79 => (Act::Delete, either),
                _ => {
                    let key = chance.pick(&["likes", "votes", "seen"]).to_string();
                    let pair =
                        PairKey { key: key.clone(), seen: chance.hits(500).then(|| chance.between(0..=9)) };
                    let extend = match chance.between(0..=19) {
                        0 => Extend::Set(
                            (0..=EXTENSIONS_LEN_MAX).map(|n| (n.to_string().into(), key.clone())).collect(),
                        ),
                        1..=12 => Extend::Set(vec![(pair, tag.0.to_string())]),
                        13..=16 => Extend::Delete(vec![pair]),
                        _ => Extend::Clear,
                    };
                    (Act::Extend(extend), either)
                }
            }
        });
        let mut key = message.key();
        if self.draw(|chance| chance.hits(40)) {
            // Nobody ever sent it.
            key.random += 1_000;
        }
        let either_way = matches!(act, Act::Delete | Act::Extend(_));
        let is_turned = either_way && self.draw(|chance| chance.hits(300));
        let (from, to) = if is_turned { (to, from) } else { (from, to) };
        let now_ms = self.now_ms();
        self.wish(Wish::Alter(Alter { app, from, to, key, by, act, now_ms, origin: ORIGIN }));
    }

    /// A message that is there, rather a new one.
    fn some_message(&self, app: AppId) -> Option<Message> {
        let state = &mut *self.stage.lock();
        let of_app = state.ledger.current().filter(|talk| talk.id.app == app && !talk.messages.is_empty());
        let talks: Vec<_> = of_app.collect();
        if talks.is_empty() {
            return None;
        }
        let messages = &state.chance.pick(&talks).messages;
        let recent = if state.chance.hits(700) { messages.len().min(4) } else { messages.len() };
        let kept = &messages[messages.len() - 1 - state.chance.index(recent)];
        Some(Message::clone(kept.last()))
    }

    /// Messages come from elsewhere, where they were sent a while ago, in any order.
    fn import(&mut self, app: AppId, from: UserId, to: UserId) {
        let tag = self.next_tag();
        let now_s = self.now_ms() / 1000;
        let count = self.draw(|chance| chance.between(1..=3));
        let mut imports = Vec::new();
        for number in 0..count {
            let mut import = self.draw(|chance| ImportMessage {
                app,
                from,
                to,
                wire_seq: chance.between(1..=9) as u32,
                random: chance.between(1..=3) as u32,
                time_s: now_s - chance.between(0..=400),
                body: Bytes::from(format!("import {number}")),
                custom_data: Bytes::copy_from_slice(&tag.0.to_be_bytes()),
                content_crc: 1,
                live: chance.hits(450),
            });
            let is_known = self.draw(|chance| chance.hits(100));
            if let Some(known) = self.some_message(app).filter(|_| is_known) {
                let MessageKey { wire_seq, random, time_s } = known.key();
                import = ImportMessage { from: known.to, to: known.from, wire_seq, random, time_s, ..import };
            }
            imports.push(import);
        }
        self.wish(Wish::Import { app, imports });
    }

    fn change_view(&mut self, app: AppId, owner: UserId, peer: UserId) {
        let act = self.draw(|chance| match chance.between(0..=19) {
            0..=2 => ViewAct::Remove,
            3..=4 => ViewAct::Erase,
            5..=6 => ViewAct::Clear,
            7..=13 => ViewAct::Pin,
            14..=15 => ViewAct::Unpin,
            _ => ViewAct::Note(NoteView {
                notify: chance.hits(600).then(|| *chance.pick(&Notify::ALL)),
                marks_on: chance.between(0..=3),
                marks_off: chance.between(0..=3),
                custom: chance.hits(400).then(|| (*chance.pick(&["", "work"])).to_owned()),
            }),
        });
        let (pinned_len_max, now_ms) = (PINNED_LEN_MAX, self.now_ms());
        self.wish(Wish::View(ChangeView { app, owner, peer, act, pinned_len_max, now_ms }));
    }
}
