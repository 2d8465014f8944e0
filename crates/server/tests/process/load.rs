//! Senders over REST: each sends one message after the other, and keeps what was acknowledged.

use crate::chance::Chance;
use crate::place;
use crate::process::awaited;
use crate::rest::{self, Rest, SEND};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Where the server is now. The number rises with every start, since a port may come again.
pub(crate) type Whereabouts = (u64, SocketAddr);

/// A message that the server has answered for.
#[derive(Debug, Clone)]
pub(crate) struct Acknowledged {
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) text: String,
    pub(crate) msg_key: String,
    /// Between these two moments it was committed.
    pub(crate) begun: u64,
    pub(crate) ended: u64,
}

/// What a sender does when the connection breaks before the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WhenBroken {
    /// Sends the same again, until it is answered.
    Resend,
    /// Leaves it, and sends no more.
    End,
}

#[derive(Debug)]
pub(crate) struct Load {
    shared: Arc<Shared>,
    senders: JoinSet<()>,
}

#[derive(Debug)]
struct Shared {
    users: Vec<String>,
    whereabouts: watch::Sender<Whereabouts>,
    acknowledged: Mutex<Vec<Acknowledged>>,
    count: watch::Sender<usize>,
    moment: AtomicU64,
    stop: CancellationToken,
    when_broken: WhenBroken,
}

impl Load {
    pub(crate) fn start(
        (senders, when_broken): (usize, WhenBroken),
        users: &[String],
        address: SocketAddr,
        chance: &mut Chance,
    ) -> Self {
        let shared = Arc::new(Shared {
            users: users.to_vec(),
            whereabouts: watch::Sender::new((0, address)),
            acknowledged: Mutex::default(),
            count: watch::Sender::new(0),
            moment: AtomicU64::new(0),
            stop: CancellationToken::new(),
            when_broken,
        });
        let mut tasks = JoinSet::new();
        for number in 0..senders {
            let sender = Sender { number, shared: Arc::clone(&shared), chance: chance.fork(), rest: None };
            tasks.spawn(sender.run());
        }
        Self { shared, senders: tasks }
    }

    pub(crate) fn whereabouts(&self) -> watch::Receiver<Whereabouts> {
        self.shared.whereabouts.subscribe()
    }

    pub(crate) fn server_is_at(&self, address: SocketAddr) {
        self.shared
            .whereabouts
            .send_modify(|(generation, at)| (*generation, *at) = (*generation + 1, address));
    }

    /// Waits until this many more messages are acknowledged.
    pub(crate) async fn more(&self, more: usize) {
        let mut count = self.shared.count.subscribe();
        let wanted = *count.borrow() + more;
        awaited("messages to be acknowledged", count.wait_for(|count| *count >= wanted)).await.unwrap();
    }

    /// What was acknowledged until now.
    pub(crate) fn so_far(&self) -> Vec<Acknowledged> {
        self.shared.acknowledged.lock().unwrap().clone()
    }

    /// Ends the senders once each has its answer, and returns everything that was acknowledged.
    pub(crate) async fn finish(mut self) -> Vec<Acknowledged> {
        assert!(self.senders.try_join_next().is_none(), "every sender still sends");
        self.shared.stop.cancel();
        self.broken_off().await
    }

    /// Waits for senders that end by themselves.
    pub(crate) async fn broken_off(&mut self) -> Vec<Acknowledged> {
        while let Some(ended) = awaited("a sender to end", self.senders.join_next()).await {
            ended.expect("no sender was answered wrongly");
        }
        std::mem::take(&mut self.shared.acknowledged.lock().unwrap())
    }
}

struct Sender {
    number: usize,
    shared: Arc<Shared>,
    chance: Chance,
    rest: Option<(Whereabouts, Rest)>,
}

impl Sender {
    async fn run(mut self) {
        for index in 0.. {
            if self.shared.stop.is_cancelled() {
                return;
            }
            let (from, to) = self.pair();
            let text = format!("message {index} of sender {}", self.number);
            let random = u32::try_from(self.chance.next() >> 32).unwrap();
            let begun = self.moment();
            let Some(msg_key) = self.send(&rest::message(&from, &to, random, &text)).await else { return };
            let sent = Acknowledged { from, to, text, msg_key, begun, ended: self.moment() };
            self.shared.acknowledged.lock().unwrap().push(sent);
            self.shared.count.send_modify(|count| *count += 1);
        }
    }

    fn pair(&mut self) -> (String, String) {
        let users = &self.shared.users;
        let from = self.chance.below(users.len());
        let to = (from + 1 + self.chance.below(users.len() - 1)) % users.len();
        (users[from].clone(), users[to].clone())
    }

    fn moment(&self) -> u64 {
        self.shared.moment.fetch_add(1, Ordering::SeqCst)
    }

    /// Returns the `MsgKey` of the message.
    async fn send(&mut self, body: &bytes::Bytes) -> Option<String> {
        loop {
            if let Some(rest) = self.connected().await {
                match rest.call(SEND, body.clone()).await {
                    Ok(answer) => {
                        assert_eq!(answer.code, 0, "a send was refused: {}", answer.body);
                        return Some(answer.body["MsgKey"].as_str().unwrap().to_owned());
                    }
                    Err(_) => self.rest = None,
                }
            }
            if self.shared.when_broken == WhenBroken::End {
                return None;
            }
        }
    }

    /// A connection to where the server is. Without one, waits until the server is elsewhere.
    async fn connected(&mut self) -> Option<&mut Rest> {
        let mut whereabouts = self.shared.whereabouts.subscribe();
        let now = *whereabouts.borrow_and_update();
        if self.rest.as_ref().is_none_or(|(at, _)| *at != now) {
            match Rest::open(now.1, place::credentials()).await {
                Ok(rest) => self.rest = Some((now, rest)),
                Err(_) if self.shared.when_broken == WhenBroken::End => return None,
                Err(_) => {
                    awaited("the server to start again", whereabouts.changed()).await.unwrap();
                    return None;
                }
            }
        }
        self.rest.as_mut().map(|(_, rest)| rest)
    }
}
