//! What is heard from other nodes.

use super::super::presence::Seen;
use super::super::{Key, UNPOISONED};
use super::word::{self, Heard};
use super::{Answer, Nats, NatsError};
use async_nats::{Message, Subscriber};
use chat::event::Lane;
use futures_util::StreamExt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OnceCell;
use tokio::time::timeout;
use tokio_util::sync::{CancellationToken, DropGuard};

/// After the last session of a user.
const LINGER_MS: u64 = 1_000;

/// By which other nodes reach a user's sessions here. Dropping it cuts it.
#[derive(Debug)]
pub(in super::super) struct Line {
    laid: OnceCell<()>,
    cut: CancellationToken,
    _cut_when_dropped: DropGuard,
}

impl Nats {
    /// Makes sure that word for a user's sessions here arrives, if it can. What is said does after NATS has taken this,
    /// and so before the answer to whatever is asked from now on.
    pub(in super::super) async fn hear_user(self: &Arc<Self>, key: Key) {
        // Without a connection it is done as soon as there is one.
        if !self.is_up() {
            return;
        }
        let Some(line) = self.local.line(&key, || self.line()) else { return };
        let laid = line.laid.get_or_try_init(|| async {
            let subscribing = self.client.subscribe(self.subjects.user(key));
            let subscriber = timeout(self.timing.request_timeout, subscribing).await.map_err(|_| ())?;
            let hearing = Arc::clone(self).hear_sessions(key, subscriber.map_err(|_| ())?, line.cut.clone());
            self.tasks.spawn(hearing);
            Ok::<(), ()>(())
        });
        // One that could not be laid is laid when there is getting through again.
        let _laid = laid.await;
    }

    fn line(&self) -> Line {
        let cut = self.stop.child_token();
        let guard = cut.clone().drop_guard();
        Line { laid: OnceCell::new(), cut, _cut_when_dropped: guard }
    }

    async fn hear_sessions(self: Arc<Self>, key: Key, mut subscriber: Subscriber, cut: CancellationToken) {
        while let Some(message) = next(&mut subscriber, &cut).await {
            self.figures.received.increment(1);
            match Heard::parse(&message.payload) {
                Some(Heard::Push(push)) => self.local.push(&key, || push),
                Some(Heard::End { session, reason }) => {
                    self.local.end(&key, session, reason);
                }
                Some(Heard::Said(custom)) => self.local.adopt(&key, custom),
                // Also without any: NATS has told whoever asked that somebody hears it.
                Some(Heard::Who) => self.answer(message, self.sessions(&key)),
                None => self.figures.unreadable.increment(1),
            }
        }
        self.linger(&mut subscriber).await;
    }

    /// A device that moves to another node is asked about there just when its session here has ended. Whoever asks must
    /// not wait for an answer in vain because NATS has not yet heard that nobody listens here any more. What else is
    /// said is for the sessions that may be there again, which have a line of their own.
    async fn linger(&self, subscriber: &mut Subscriber) {
        let lingering = async {
            while let Some(message) = next(subscriber, &self.stop).await {
                if matches!(Heard::parse(&message.payload), Some(Heard::Who)) {
                    self.answer(message, Answer::default());
                }
            }
        };
        // It always ends so, unless the process does.
        let _ended = timeout(Duration::from_millis(LINGER_MS), lingering).await;
    }

    fn answer(&self, question: Message, answer: Answer) {
        if let Some(reply) = question.reply {
            self.publish(reply.to_string(), answer.wire());
        }
    }

    fn sessions(&self, key: &Key) -> Answer {
        let sessions: Vec<Seen> = self.local.arrived(key);
        Answer { custom: if sessions.is_empty() { None } else { self.local.said(key) }, sessions }
    }

    /// What every node listens to.
    pub(super) async fn hear_everybody(self: &Arc<Self>) -> Result<(), NatsError> {
        let answered = |nats: &Self, message: Message| nats.inbox.heard(message);
        self.hear(self.subjects.all_answers(), answered).await?;
        let watched = |nats: &Self, message: Message| match word::parse_watch(&message.payload) {
            Some((key, reach, custom)) => nats.local.tell_of(&key, reach, &custom),
            None => nats.figures.unreadable.increment(1),
        };
        self.hear(self.subjects.all_watches(), watched).await?;
        let revoked = |nats: &Self, message: Message| match word::parse_revoked(&message.payload) {
            Some((key, issued_s_max)) => nats.local.revoked(key, issued_s_max),
            None => nats.figures.unreadable.increment(1),
        };
        self.hear(self.subjects.revoked(), revoked).await?;
        let nodes = |nats: &Self, message: Message| match word::parse_node(&message.payload) {
            Some((node, is_leaving)) => nats.heard_of_node(node, is_leaving),
            None => nats.figures.unreadable.increment(1),
        };
        self.hear(self.subjects.nodes(), nodes).await
    }

    async fn hear(
        self: &Arc<Self>,
        subject: String,
        act: impl Fn(&Self, Message) + Send + 'static,
    ) -> Result<(), NatsError> {
        let subscribing = self.client.subscribe(subject).await;
        let mut subscriber = subscribing.map_err(|error| NatsError::Unusable(error.to_string()))?;
        let nats = Arc::clone(self);
        self.tasks.spawn(async move {
            while let Some(message) = next(&mut subscriber, &nats.stop).await {
                nats.figures.received.increment(1);
                act(&nats, message);
            }
        });
        Ok(())
    }

    /// Makes sure that this node hears when an event of the lane is recorded elsewhere, for as long as anybody here
    /// wants to know.
    pub(in super::super) fn hear_lane(self: &Arc<Self>, lane: Lane) {
        if self.lanes.lock().expect(UNPOISONED).insert(lane) {
            self.tasks.spawn(Arc::clone(self).hear_rings(lane));
        }
    }

    async fn hear_rings(self: Arc<Self>, lane: Lane) {
        let subscribing = self.client.subscribe(self.subjects.lane(lane));
        let subscriber = tokio::select! {
            () = self.stop.cancelled() => return,
            subscriber = subscribing => subscriber,
        };
        let Ok(mut subscriber) = subscriber else { return };
        while next(&mut subscriber, &self.stop).await.is_some() {
            self.figures.received.increment(1);
            if self.local.ring(lane) {
                continue;
            }
            // Under the lock: whoever comes now either is seen here, or finds that nobody listens.
            let mut lanes = self.lanes.lock().expect(UNPOISONED);
            if !self.local.has_listeners(lane) {
                lanes.remove(&lane);
                return;
            }
        }
    }
}

/// `None`: it ends.
async fn next(subscriber: &mut Subscriber, cut: &CancellationToken) -> Option<Message> {
    tokio::select! {
        biased;
        () = cut.cancelled() => None,
        message = subscriber.next() => message,
    }
}
