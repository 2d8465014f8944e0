//! A user's device: follows the log over a WebSocket, and comes back with its position whenever it was cut off.

use crate::history::{Histories, Pair, Stored};
use crate::load::Whereabouts;
use crate::place::{self, SDKAPPID};
use crate::process::awaited;
use anyhow::{Context, Result};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use tokio_util::sync::CancellationToken;

#[derive(Debug)]
pub(crate) struct Device {
    user: String,
    name: String,
    /// The epoch and the last offset it has.
    position: Option<(String, u64)>,
    has: Vec<Stored>,
    /// Of the last change.
    unread: u64,
    pub(crate) logins: usize,
}

pub(crate) type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

impl Device {
    /// A device that was there once, and so has a position.
    pub(crate) async fn new(user: &str, name: &str, address: SocketAddr) -> Self {
        let (user, name) = (user.to_owned(), name.to_owned());
        let mut this = Self { user, name, position: None, has: Vec::new(), unread: 0, logins: 0 };
        this.login(address).await.unwrap();
        this
    }

    /// Takes what comes until it is told to stop, through any number of servers.
    pub(crate) async fn follow(
        mut self,
        mut at: watch::Receiver<Whereabouts>,
        stop: CancellationToken,
    ) -> Self {
        while !stop.is_cancelled() {
            let (_, address) = *at.borrow_and_update();
            let stopped = tokio::select! {
                () = stop.cancelled() => true,
                // Ends when the connection breaks, which is what the server is killed for.
                _broken = self.listen(address) => false,
            };
            if !stopped {
                tokio::select! {
                    () = stop.cancelled() => {}
                    moved = at.changed() => moved.unwrap(),
                }
            }
        }
        self
    }

    async fn listen(&mut self, address: SocketAddr) -> Result<()> {
        let (mut socket, _) = self.login(address).await?;
        loop {
            let frame = next(&mut socket).await?;
            self.take(&frame);
        }
    }

    /// Logs in once more, waits until it has all of the log, and returns the unread messages that the login counted.
    pub(crate) async fn catch_up(&mut self, address: SocketAddr) -> u64 {
        let (mut socket, connected) = self.login(address).await.unwrap();
        let end = connected["position"]["offset"].as_u64().unwrap();
        while self.position.as_ref().is_none_or(|(_, offset)| *offset < end) {
            let frame = awaited("a change", next(&mut socket)).await.unwrap();
            self.take(&frame);
        }
        let unread = connected["unread"].as_u64().unwrap();
        assert_eq!(self.unread, unread, "the last change of {} says what the login says", self.name);
        unread
    }

    /// Logs in with a position that must not hold any more, and begins where it is told to.
    pub(crate) async fn begin_anew(&mut self, address: SocketAddr) {
        let (_, connected) = self.connect(address).await.unwrap();
        assert_eq!(connected["resync"], true, "the position of {} is worth nothing", self.name);
        (self.position, self.unread) = (None, connected["unread"].as_u64().unwrap());
        self.login(address).await.unwrap();
    }

    async fn login(&mut self, address: SocketAddr) -> Result<(Socket, Value)> {
        let (socket, connected) = self.connect(address).await?;
        assert_eq!(connected["resync"], false, "the position of {} holds", self.name);
        if self.position.is_none() {
            let position = &connected["position"];
            let epoch = position["epoch"].as_str().unwrap().to_owned();
            self.position = Some((epoch, position["offset"].as_u64().unwrap()));
        }
        self.logins += 1;
        Ok((socket, connected))
    }

    async fn connect(&mut self, address: SocketAddr) -> Result<(Socket, Value)> {
        let (mut socket, _) = connect_async(format!("ws://{address}/ws")).await?;
        let mut connect = json!({
            "id": 1, "op": "connect", "sdkappid": SDKAPPID, "user_id": self.user,
            "usersig": place::usersig(&self.user), "platform": "Web", "device_id": self.name,
        });
        if let Some((epoch, offset)) = &self.position {
            connect["position"] = json!({ "epoch": epoch, "offset": offset });
        }
        socket.send(Message::text(connect.to_string())).await?;
        let answer = next(&mut socket).await?;
        let connected = answer["ok"].clone();
        assert!(connected.is_object(), "{} may log in: {answer}", self.name);
        Ok((socket, connected))
    }

    /// Takes a push, which must be the next entry of the log.
    fn take(&mut self, frame: &Value) {
        assert_eq!(frame["push"], "message", "nothing else happens: {frame}");
        let (epoch, offset) = self.position.as_mut().expect("it has logged in");
        let position =
            (frame["position"]["epoch"].as_str().unwrap(), frame["position"]["offset"].as_u64().unwrap());
        assert_eq!(position, (epoch.as_str(), *offset + 1), "the next entry for {}", self.name);
        *offset += 1;
        self.unread = frame["unread"].as_u64().unwrap();
        self.has.push(Stored::of(&frame["message"]));
    }

    /// Whether it has exactly its user's messages, in order, and whether `unread` is their count.
    pub(crate) fn check(&self, histories: &Histories, unread: u64) {
        let mut in_order: BTreeMap<Pair, Vec<Stored>> = BTreeMap::new();
        for message in &self.has {
            in_order.entry(Pair::new(&message.from, &message.to)).or_default().push(message.clone());
        }
        let mine = |messages: &Vec<Stored>| messages.iter().any(|m| m.from == self.user || m.to == self.user);
        let expected: BTreeMap<Pair, Vec<Stored>> = histories
            .iter()
            .filter(|(_, messages)| mine(messages))
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect();
        assert!(in_order == expected, "{} has\n{in_order:#?}\nand not\n{expected:#?}", self.name);
        let received = expected.values().flatten().filter(|message| message.to == self.user).count();
        assert_eq!(unread, received as u64, "unread messages of {}", self.user);
    }
}

/// The next text frame.
pub(crate) async fn next(socket: &mut Socket) -> Result<Value> {
    loop {
        match socket.next().await.context("the connection has ended")?? {
            Message::Text(text) => return Ok(serde_json::from_str(&text)?),
            Message::Close(_) => anyhow::bail!("closed"),
            _ => {}
        }
    }
}
