//! People and backends who send: they lose patience, repeat themselves, and insist until they have an answer.

use crate::ledger::Tag;
use crate::node::TaskId;
use crate::plan::{MESSAGE_BYTES_MAX, WORD_BLOCKED, WORD_MARKED, WORD_MASKED};
use crate::world::{Happening, World};
use bytes::Bytes;
use chat::port::{MarkRead, ReadMark, StoreError};
use chat::send::{Checks, SendError};
use chat::{Content, Delivery, Origin, Platform, Refusal, SendRequest, Sent, UserId};
use std::net::{IpAddr, Ipv4Addr};

/// A request without an answer is made again after this time.
const PATIENCE_MS: u64 = 3_000;

/// Resends are known as such for 120 s. A sender stops insisting well before that.
const INSISTENCE_MS: u64 = 100_000;

pub(crate) const ORIGIN: Origin = Origin { ip: IpAddr::V4(Ipv4Addr::LOCALHOST), platform: Platform::RestApi };

/// Something that somebody wants to be sent, once.
#[derive(Debug)]
pub(crate) struct Intent {
    pub(crate) request: SendRequest,
    begun_ms: Option<u64>,
    pub(crate) state: IntentState,
    /// The request whose answer the sender still listens for.
    awaited: Option<TaskId>,
    /// Every success the server told, gate drops left out.
    pub(crate) answers: Vec<Sent>,
    /// How often the server told that the filter refused it.
    pub(crate) filtered: u64,
    pub(crate) requests: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IntentState {
    Open,
    /// The sender has an answer.
    Settled,
    /// The sender has heard nothing for too long, and does not know.
    GivenUp,
}

/// The end of a request.
#[derive(Debug)]
pub(crate) enum Finished {
    Send(Tag, Result<Sent, SendError>),
    Mark(Result<Option<ReadMark>, StoreError>),
}

impl World {
    pub(crate) fn act(&mut self) {
        if self.healed {
            return;
        }
        // Bursts and silences: most of what can go wrong between two sends needs them close together.
        let delay_ms = self.draw(|chance| match chance.hits(700) {
            true => chance.between(1..=400),
            false => chance.between(500..=5_000),
        });
        self.after(delay_ms, Happening::Act);
        let app = self.draw(|chance| chance.index(self.plan.apps.len()));
        let users = &self.plan.apps[app].users;
        let (from, to) = self.draw(|chance| (*chance.pick(users), *chance.pick(users)));
        if self.draw(|chance| chance.hits(200)) {
            self.mark_read(app, from, to);
        } else if from != to || self.draw(|chance| chance.hits(300)) {
            self.intend(app, from, to);
        }
    }

    fn intend(&mut self, app: usize, from: UserId, to: UserId) {
        let tag = Tag(self.intents.len() as u64);
        let delivery = self.draw(|chance| Delivery {
            online_only: chance.hits(80),
            no_unread: chance.hits(80),
            hidden_from_sender: chance.hits(80),
            no_last: chance.hits(50),
            ..Delivery::default()
        });
        {
            let counts = &mut self.stage.lock().counts;
            counts.sends += 1;
            counts.self_sends += u64::from(from == to);
            counts.online_only += u64::from(delivery.online_only);
            counts.without_unread += u64::from(delivery.no_unread);
            counts.hidden_from_sender += u64::from(delivery.hidden_from_sender);
        }
        let text = self.draw(|chance| match chance.between(0..=19) {
            0 => WORD_MARKED.to_owned(),
            1 => WORD_MASKED.to_owned(),
            2 => WORD_BLOCKED.to_owned(),
            3 => "long ".repeat(MESSAGE_BYTES_MAX),
            _ => "hello".to_owned(),
        });
        let request = self.draw(|chance| SendRequest {
            app: self.plan.apps[app].id,
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
                skip_event: chance.hits(50),
            },
            origin: ORIGIN,
        });
        self.intents.push(Intent {
            request,
            begun_ms: None,
            state: IntentState::Open,
            awaited: None,
            answers: Vec::new(),
            filtered: 0,
            requests: 0,
        });
        self.request(tag);
    }

    /// Makes the request, for the first time or once more.
    pub(crate) fn request(&mut self, tag: Tag) {
        let now_ms = self.now_ms();
        let intent = &mut self.intents[tag.0 as usize];
        let begun_ms = *intent.begun_ms.get_or_insert(now_ms);
        if now_ms >= begun_ms + INSISTENCE_MS {
            if intent.state == IntentState::Open {
                intent.state = IntentState::GivenUp;
                self.count(|counts| &mut counts.sends_given_up);
            }
            return;
        }
        if self.node.down {
            self.count(|counts| &mut counts.requests_refused_by_dead_node);
            self.request_later(tag);
            return;
        }
        intent.requests += 1;
        let (request, number) = (intent.request.clone(), intent.requests);
        self.note(&format!(
            "send {}, request {number}: {} to {} in app {}",
            tag.0, request.from, request.to, request.app
        ));
        self.count(|counts| &mut counts.requests);
        let app = self.plan.apps.iter().find(|app| app.id == request.app);
        let rules = app.map(|app| app.rules.clone()).expect("intents are of known apps");
        let chat = self.chat.clone();
        let task = Box::pin(async move { Finished::Send(tag, chat.send(&rules, request).await) });
        let task = self.admit(task);
        self.intents[tag.0 as usize].awaited = Some(task);
        self.after(PATIENCE_MS, Happening::Impatience { tag, task });
        self.resume(task);
    }

    /// The request may be lost, or still under way: the sender cannot know, and makes it again.
    pub(crate) fn lose_patience(&mut self, tag: Tag, task: TaskId) {
        let intent = &self.intents[tag.0 as usize];
        if intent.state == IntentState::Open && intent.awaited == Some(task) {
            self.note(&format!("send {} has had no answer", tag.0));
            self.count(|counts| &mut counts.requests_timed_out);
            self.request(tag);
        }
    }

    pub(crate) fn finish(&mut self, task: TaskId, finished: Finished) {
        let (tag, outcome) = match finished {
            Finished::Send(tag, outcome) => (tag, outcome),
            // Whoever marks does so again when it matters to them.
            Finished::Mark(Ok(Some(_))) => return self.count(|counts| &mut counts.marks_read),
            Finished::Mark(Ok(None) | Err(_)) => return,
        };
        self.note(&format!("send {} came to {outcome:?}", tag.0));
        let dropped = self.stage.lock().dropped.contains(&task);
        let intent = &mut self.intents[tag.0 as usize];
        let skip_event = intent.request.checks.skip_event;
        match &outcome {
            Ok(sent) if !dropped => intent.answers.push(*sent),
            Err(SendError::Refused(Refusal::Filtered)) if !skip_event => intent.filtered += 1,
            _ => {}
        }
        if intent.awaited != Some(task) {
            return;
        }
        if self.strikes(|faults| faults.answer_lost) {
            self.count(|counts| &mut counts.answers_lost);
            return;
        }
        self.intents[tag.0 as usize].awaited = None;
        match outcome {
            Err(SendError::Store(_)) => return self.request_later(tag),
            Ok(_) => self.acknowledged(tag),
            Err(SendError::Refused(Refusal::Filtered)) => {
                self.count(|counts| &mut counts.refused_filtered);
            }
            Err(SendError::Refused(Refusal::TooLong)) => self.count(|counts| &mut counts.refused_too_long),
            Err(SendError::Refused(Refusal::UnknownAccount)) => {
                self.count(|counts| &mut counts.refused_unknown_account);
            }
            // Counted by the gate.
            Err(SendError::Refused(_) | SendError::RefusedByApp { .. }) => {}
        }
        self.intents[tag.0 as usize].state = IntentState::Settled;
    }

    fn acknowledged(&mut self, tag: Tag) {
        self.count(|counts| &mut counts.acks);
        // A client that comes back from sleep may send again what it already sent.
        if self.draw(|chance| chance.hits(120)) {
            self.count(|counts| &mut counts.duplicates);
            let delay_ms = self.draw(|chance| chance.between(1..=INSISTENCE_MS));
            self.after(delay_ms, Happening::Request { tag });
        }
    }

    fn request_later(&mut self, tag: Tag) {
        let delay_ms = self.draw(|chance| chance.between(100..=6_000));
        self.after(delay_ms, Happening::Request { tag });
    }

    fn mark_read(&mut self, app: usize, reader: UserId, peer: UserId) {
        if self.node.down {
            return;
        }
        let app = self.plan.apps[app].id;
        let mark = MarkRead { app, reader, peer, now_ms: self.now_ms(), origin: ORIGIN };
        self.note(&format!("{reader} of app {app} reads what {peer} wrote"));
        let chat = self.chat.clone();
        let task = self.admit(Box::pin(async move { Finished::Mark(chat.mark_read(mark).await) }));
        self.resume(task);
    }
}
