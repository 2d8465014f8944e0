//! Questions to other nodes, which any number of them may answer.

use super::super::presence::{Custom, Seen};
use super::super::{Key, UNPOISONED};
use super::subject::Subjects;
use super::{Nats, Word};
use async_nats::{Message, StatusCode};
use bytes::Bytes;
use chat::event::Platform;
use metrics::{counter, histogram};
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout, timeout_at};

/// Answers to one question that wait to be looked at. There are no more nodes that have sessions of one user than the
/// user has sessions.
const ANSWERS_MAX: usize = 256;

/// What one node says of a user.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in super::super) struct Answer {
    pub(in super::super) sessions: Vec<Seen>,
    /// What the user says, if the node has sessions.
    pub(in super::super) custom: Option<Custom>,
}

/// The same on the wire.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Written {
    sessions: Vec<WrittenSession>,
    custom: Box<str>,
    said_ms: u64,
}

#[derive(Debug, Serialize, Deserialize)]
struct WrittenSession {
    session: u64,
    platform: u8,
    device: Option<Box<str>>,
}

/// Where the answers to this node's questions arrive.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    last: AtomicU64,
    asked: Mutex<FxHashMap<u64, mpsc::Sender<Message>>>,
}

/// A question that is open. Dropping it ends that.
struct Open<'a> {
    inbox: &'a Inbox,
    question: u64,
    answers: mpsc::Receiver<Message>,
}

impl Inbox {
    fn open(&self) -> Open<'_> {
        let question = self.last.fetch_add(1, Ordering::Relaxed);
        let (sender, answers) = mpsc::channel(ANSWERS_MAX);
        self.asked.lock().expect(UNPOISONED).insert(question, sender);
        Open { inbox: self, question, answers }
    }

    pub(super) fn heard(&self, message: Message) {
        let question = Subjects::question(&message.subject);
        let asked = self.asked.lock().expect(UNPOISONED);
        if let Some(asker) = question.and_then(|question| asked.get(&question)) {
            // One that is not asked any more, or has enough to look at, does without.
            let _late = asker.try_send(message);
        }
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.inbox.asked.lock().expect(UNPOISONED).remove(&self.question);
    }
}

impl Answer {
    pub(in super::super) fn is_online(&self) -> bool {
        !self.sessions.is_empty()
    }

    pub(super) fn wire(self) -> Bytes {
        let custom = self.custom.unwrap_or_default();
        let session =
            |Seen { session, platform, device }| WrittenSession { session, platform: platform as u8, device };
        let sessions = self.sessions.into_iter().map(session).collect();
        let written = Written { sessions, custom: custom.text, said_ms: custom.said_ms };
        serde_json::to_vec(&written).expect("answers have nothing that JSON has not").into()
    }

    fn parse(wire: &[u8]) -> Option<Self> {
        let Written { sessions, custom, said_ms } = serde_json::from_slice(wire).ok()?;
        let seen = |WrittenSession { session, platform, device }| {
            let platform = Platform::ALL.get(usize::from(platform)).copied().unwrap_or(Platform::Unknown);
            Seen { session, platform, device }
        };
        let custom = (!sessions.is_empty()).then_some(Custom { text: custom, said_ms });
        Some(Self { sessions: sessions.into_iter().map(seen).collect(), custom })
    }
}

impl Nats {
    /// Asks all other nodes for a user's sessions. Those that have none at all do not hear it, and NATS says at once
    /// when nobody does. The answer is whatever came in time: all of it, unless one of them is `enough`.
    pub(in super::super) async fn who(&self, key: Key, enough: impl Fn(&Answer) -> bool) -> Vec<Answer> {
        if !self.is_up() {
            counter!("couplet_bus_questions_total", "result" => "away").increment(1);
            return Vec::new();
        }
        let begun = Instant::now();
        let mut answers = Vec::new();
        let take = |message: Message| {
            let answer = Answer::parse(&message.payload)?;
            let ends = enough(&answer);
            answers.push(answer);
            Some(ends)
        };
        let result = self.ask(self.subjects.user(key), Word::who().wire(), take).await;
        histogram!("couplet_bus_question_latency_ms").record(begun.elapsed().as_secs_f64() * 1_000.0);
        counter!("couplet_bus_questions_total", "result" => result).increment(1);
        answers
    }

    /// Returns when NATS has taken everything that was sent before, or after the time that a question may take.
    pub(super) async fn settle(&self) {
        let _result = self.ask(self.subjects.nobody(), Bytes::new(), |_| Some(true)).await;
    }

    /// How it went, for the figures. `take` says whether that was enough, and `None` of what is no answer.
    async fn ask(
        &self,
        subject: String,
        wire: Bytes,
        mut take: impl FnMut(Message) -> Option<bool>,
    ) -> &'static str {
        let mut open = self.inbox.open();
        let mut until = Instant::now() + self.timing.request_timeout;
        let reply = self.subjects.answer(open.question);
        let publishing = self.client.publish_with_reply(subject, reply, wire);
        if !matches!(timeout(self.timing.request_timeout, publishing).await, Ok(Ok(()))) {
            return "timeout";
        }
        // Before the answers: a node that comes meanwhile asks by itself.
        let (others, mut answers) = (self.others.count(), 0);
        let mut result = "timeout";
        while let Ok(Some(message)) = timeout_at(until, open.answers.recv()).await {
            if message.status == Some(StatusCode::NO_RESPONDERS) {
                return "nobody";
            }
            let Some(is_enough) = take(message) else {
                self.figures.unreadable.increment(1);
                continue;
            };
            result = "answered";
            answers += 1;
            if is_enough || answers == others {
                break;
            }
            until = until.min(Instant::now() + self.timing.gather);
        }
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nodes of two releases answer each other.
    #[test]
    fn answers_are_spelled_like_this() {
        let session = Seen { session: 7, platform: Platform::Ios, device: Some("d".into()) };
        let custom = Some(Custom { text: "busy".into(), said_ms: 9 });
        let answer = Answer { sessions: vec![session], custom };
        let wire = answer.clone().wire();
        let expected =
            r#"{"sessions":[{"session":7,"platform":3,"device":"d"}],"custom":"busy","said_ms":9}"#;
        assert_eq!(&wire[..], expected.as_bytes());
        assert_eq!(Answer::parse(&wire), Some(answer));
        // Whoever has no sessions has nothing to say of what the user says.
        assert_eq!(&Answer::default().wire()[..], br#"{"sessions":[],"custom":"","said_ms":0}"#);
        assert_eq!(Answer::parse(br#"{"sessions":[]}"#), Some(Answer::default()));
        let of_another_kind = br#"{"sessions":[{"session":1,"platform":99,"device":null}]}"#;
        assert_eq!(Answer::parse(of_another_kind).unwrap().sessions[0].platform, Platform::Unknown);
        assert_eq!(Answer::parse(b"1"), None);
    }
}
