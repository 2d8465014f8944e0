//! A device as an app drives it: it sends, reads, takes back and deletes, goes away, and comes back with what it keeps.

use super::network::pause;
use super::replica::{Errand, Position, Replica};
use crate::chance::Chance;
use crate::device::{Socket, next};
use crate::place::{self, SDKAPPID};
use crate::process::awaited;
use anyhow::{Context, Result, bail};
use futures_util::SinkExt;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::time::{Instant, timeout};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_util::sync::CancellationToken;

/// A connection without an answer for so long is given up.
const ANSWER_MS_MAX: u64 = 2_500;
const THINK_MS_MAX: usize = 150;
const ABSENCE_MS_MAX: usize = 1_500;
const ACTS_MAX: usize = 80;
/// The server knows a message that is sent again for 120 seconds.
const RESEND_SECS_MAX: u64 = 100;
/// What people may be too late for, or do to what is gone: the time to recall is over, there is no such message, it was
/// recalled.
const REFUSALS: [u64; 3] = [20_016, 20_022, 20_023];

/// What a device does wrong of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Habit {
    /// It keeps everything from its first login on.
    Reliable,
    /// It is put back to an older state now and then.
    Restored,
    /// It loses everything now and then, or has a position that never was.
    Forgetful,
}

#[derive(Debug)]
pub(crate) struct Handset {
    pub(crate) user: String,
    pub(crate) name: String,
    pub(crate) habit: Habit,
    peers: Vec<String>,
    address: SocketAddr,
    chance: Chance,
    pub(crate) replica: Option<Replica>,
    /// What it is put back to.
    backup: Option<Replica>,
    letter: Option<Letter>,
    pub(crate) acknowledged: Vec<Sent>,
    /// Makes the random numbers of its messages its own.
    number: u64,
    pub(crate) life: Life,
}

/// A message that is not known to be stored.
#[derive(Debug)]
struct Letter {
    to: String,
    random: u64,
    request: Value,
    first_sent: Option<Instant>,
}

/// A message that the server has answered for.
#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) random: u64,
    pub(crate) key: String,
}

macro_rules! life {
    ($($name:ident,)*) => {
        /// How often things happened to devices.
        #[derive(Debug, Clone, Copy, Default)]
        pub(crate) struct Life { $(pub(crate) $name: u64,)* }

        impl Life {
            pub(crate) fn plus(self, other: Self) -> Self {
                Self { $($name: self.$name + other.$name,)* }
            }
        }
    };
}

life! {
    logins, logins_failed, resumed, caught_up, broken, kicked, resyncs, reinstalled, restored,
    pushes, acts, refused, sent_again, history_pages,
}

impl Handset {
    pub(crate) fn new(
        (user, number): (&str, u64),
        habit: Habit,
        users: &[String],
        (address, chance): (SocketAddr, &mut Chance),
    ) -> Self {
        Self {
            user: user.to_owned(),
            name: format!("{habit:?} device of {user}"),
            habit,
            peers: users.iter().filter(|peer| *peer != user).cloned().collect(),
            address,
            chance: chance.fork(),
            replica: None,
            backup: None,
            letter: None,
            acknowledged: Vec::new(),
            number: number << 24,
            life: Life::default(),
        }
    }

    /// Goes on until it is told to stop and everything that it sent was answered.
    pub(crate) async fn live(mut self, stop: CancellationToken) -> Self {
        while !stop.is_cancelled() || self.letter.is_some() {
            if !stop.is_cancelled() {
                self.suffer();
            }
            if self.be_connected(&stop).await.is_err() {
                self.life.broken += 1;
            }
            pause(self.some_ms(if stop.is_cancelled() { 100 } else { ABSENCE_MS_MAX })).await;
        }
        self
    }

    /// What happens to devices between two connections.
    fn suffer(&mut self) {
        let is_settled = self.replica.as_ref().is_some_and(|replica| replica.errands.is_empty());
        match self.habit {
            Habit::Reliable => {}
            Habit::Restored if self.backup.is_some() && self.chance.percent(10) => {
                self.life.restored += 1;
                self.replica.clone_from(&self.backup);
            }
            Habit::Restored if is_settled && self.chance.percent(15) => self.backup.clone_from(&self.replica),
            Habit::Restored => {}
            Habit::Forgetful if self.chance.percent(8) => {
                self.life.reinstalled += 1;
                self.replica = None;
            }
            Habit::Forgetful => {}
        }
    }

    async fn be_connected(&mut self, stop: &CancellationToken) -> Result<()> {
        let (mut socket, _) = self.login().await.inspect_err(|_| self.life.logins_failed += 1)?;
        for _ in 0..=self.chance.below(ACTS_MAX) {
            if stop.is_cancelled() && self.letter.is_none() {
                break;
            }
            self.think(&mut socket).await?;
            if self.kept().errands.is_empty() {
                self.act(&mut socket, stop.is_cancelled()).await?;
            } else {
                self.run_errand(&mut socket).await?;
            }
        }
        Ok(())
    }

    /// Logs in, for as long as it takes.
    pub(crate) async fn arrive(&mut self) {
        while self.login().await.is_err() {}
    }

    /// Over a good network, and when nobody does anything any more: takes everything that there is.
    pub(crate) async fn catch_up(&mut self) {
        let (mut socket, end) = awaited("a login", self.login()).await.unwrap();
        loop {
            if self.kept().position != end {
                let frame = awaited("a change", next(&mut socket)).await.unwrap();
                assert!(self.take(&frame), "a push, and not {frame}");
            } else if !self.kept().errands.is_empty() {
                awaited("an answer", self.run_errand(&mut socket)).await.unwrap();
            } else {
                return;
            }
        }
    }

    /// Returns where the log ends.
    async fn login(&mut self) -> Result<(Socket, Position)> {
        let mut presented = self.replica.as_ref().map(|replica| replica.position.clone());
        let is_wrong = self.habit == Habit::Forgetful && self.chance.percent(5);
        if let Some(position) = presented.as_mut().filter(|_| is_wrong) {
            // Of another log, or behind the end of this one.
            match self.chance.percent(50) {
                true => position.epoch.push('0'),
                false => position.offset += 1_000_000,
            }
        }
        let mut connect = json!({
            "id": 1, "op": "connect", "sdkappid": SDKAPPID, "user_id": self.user,
            "usersig": place::usersig(&self.user), "platform": "Web", "device_id": self.name,
        });
        if let Some(Position { epoch, offset }) = &presented {
            connect["position"] = json!({ "epoch": epoch, "offset": offset });
        }
        let patience = Duration::from_millis(ANSWER_MS_MAX);
        let url = format!("ws://{}/ws", self.address);
        let (mut socket, _) = timeout(patience, connect_async(url)).await??;
        socket.send(Message::text(connect.to_string())).await?;
        let answer = timeout(patience, next(&mut socket)).await??;
        let connected = &answer["ok"];
        // A server whose end is near refuses logins too, and says that it is for the moment.
        if answer["error"]["temporary"] == true {
            bail!("not now");
        }
        assert!(connected.is_object(), "{} may log in: {answer}", self.name);
        let end = Position::of(&connected["position"]);
        assert_eq!(connected["resync"], is_wrong && presented.is_some(), "{}: {answer}", self.name);
        self.life.logins += 1;
        match presented.filter(|_| !is_wrong) {
            Some(position) => {
                self.life.resumed += 1;
                self.life.caught_up += end.offset - position.offset;
            }
            None => {
                self.life.resyncs += u64::from(is_wrong);
                self.replica = Some(Replica::new(&self.user, &self.peers, connected));
            }
        }
        Ok((socket, end))
    }

    /// Takes what comes for a moment.
    async fn think(&mut self, socket: &mut Socket) -> Result<()> {
        let until = Instant::now() + self.some_ms(THINK_MS_MAX);
        while let Ok(frame) = tokio::time::timeout_at(until, next(socket)).await {
            let frame = frame?;
            assert!(self.take(&frame), "a push, and not {frame}");
        }
        self.look_for_end()
    }

    /// Takes a push; anything else it leaves.
    fn take(&mut self, frame: &Value) -> bool {
        if frame["push"] == "kicked" {
            // Another connection of this device, which it has given up, came to the server after this one.
            assert_eq!(frame["reason"], "same_device", "{}", self.name);
            self.life.kicked += 1;
            return true;
        }
        if frame["push"].is_string() {
            self.life.pushes += 1;
            self.kept().push(frame);
        }
        frame["push"].is_string()
    }

    fn look_for_end(&self) -> Result<()> {
        self.replica.as_ref().context("it has logged in")?;
        Ok(())
    }

    fn kept(&mut self) -> &mut Replica {
        self.replica.as_mut().expect("it has logged in")
    }

    /// The answer to a request. Pushes that come before it are taken.
    async fn ask(&mut self, socket: &mut Socket, request: &Value) -> Result<Value> {
        let patience = Instant::now() + Duration::from_millis(ANSWER_MS_MAX);
        socket.send(Message::text(request.to_string())).await?;
        loop {
            let frame = tokio::time::timeout_at(patience, next(socket)).await??;
            if self.take(&frame) {
                continue;
            }
            assert_eq!(frame["id"], request["id"], "one request at a time: {frame}");
            if frame["error"]["temporary"] == true {
                bail!("refused for the moment: {frame}");
            }
            return Ok(frame);
        }
    }

    async fn run_errand(&mut self, socket: &mut Socket) -> Result<()> {
        let request = match self.kept().errands.front().expect("there is an errand") {
            Errand::List => json!({ "id": 2, "op": "conversations", "limit": 100 }),
            Errand::Entry { peer } => json!({ "id": 2, "op": "conversations", "peers": [peer] }),
            Errand::History { peer, before } => {
                json!({ "id": 2, "op": "history", "peer": peer, "limit": 100, "before": before })
            }
        };
        self.kept().asks();
        let answer = self.ask(socket, &request).await?;
        assert!(answer["ok"].is_object(), "{answer}");
        self.life.history_pages += u64::from(request["op"] == "history");
        self.kept().answered(&answer["ok"]);
        Ok(())
    }

    async fn act(&mut self, socket: &mut Socket, is_ending: bool) -> Result<()> {
        if self.letter.is_none() && !is_ending && self.chance.percent(45) {
            self.letter = Some(self.some_letter());
        }
        if self.letter.is_some() {
            return self.send(socket).await;
        }
        let Some(request) = self.some_act().filter(|_| !is_ending) else { return Ok(()) };
        let answer = self.ask(socket, &request).await?;
        self.life.acts += 1;
        if let Some(code) = answer["error"]["code"].as_u64() {
            self.life.refused += 1;
            assert!(REFUSALS.contains(&code), "{request} is refused: {answer}");
        }
        Ok(())
    }

    async fn send(&mut self, socket: &mut Socket) -> Result<()> {
        let letter = self.letter.as_mut().expect("there is something to send");
        let now = Instant::now();
        self.life.sent_again += u64::from(letter.first_sent.is_some());
        let first_sent = *letter.first_sent.get_or_insert(now);
        let is_known = now - first_sent < Duration::from_secs(RESEND_SECS_MAX);
        assert!(is_known, "the machine is too slow: a message found no way for {RESEND_SECS_MAX} s");
        let request = letter.request.clone();
        let answer = self.ask(socket, &request).await?;
        let key = answer["ok"]["MsgKey"].as_str().unwrap_or_else(|| panic!("{request}: {answer}"));
        let Letter { to, random, .. } = self.letter.take().expect("it is still here");
        let sent = Sent { from: self.user.clone(), to, random, key: key.to_owned() };
        self.acknowledged.push(sent);
        Ok(())
    }

    fn some_letter(&mut self) -> Letter {
        self.number += 1;
        let (to, random) = (self.some_peer(), self.number);
        let element = json!({ "MsgType": "TIMTextElem", "MsgContent": { "Text": format!("word {random}") } });
        let request = json!({
            "id": 3, "op": "send", "to": to, "random": random, "body": [element],
            "need_read_receipt": self.chance.percent(30),
        });
        Letter { to, random, request, first_sent: None }
    }

    /// Something that people do besides sending. One person forgets nothing, so that everything that others send there
    /// can be found in the history.
    fn some_act(&mut self) -> Option<Value> {
        let peer = self.some_peer();
        let keeps = is_keeper(&self.user);
        let (own, theirs) = (self.some_message(&peer, true), self.some_message(&peer, false));
        let any = if self.chance.percent(50) { &own } else { &theirs };
        let number = self.number;
        Some(match self.chance.below(100) {
            0..=34 => json!({ "id": 4, "op": "read", "peer": peer }),
            35..=39 => {
                let ((time_s, _), _) = theirs?;
                json!({ "id": 4, "op": "read", "peer": peer, "until": time_s })
            }
            40..=44 => json!({ "id": 4, "op": "read_all" }),
            45..=56 => json!({ "id": 4, "op": "recall", "peer": peer, "key": own?.1 }),
            57..=68 => {
                let text = format!("edit {number}");
                let element = json!({ "MsgType": "TIMTextElem", "MsgContent": { "Text": text } });
                json!({ "id": 4, "op": "edit", "peer": peer, "key": any.clone()?.1, "body": [element] })
            }
            69..=76 => json!({ "id": 4, "op": "confirm", "peer": peer, "keys": [theirs?.1] }),
            77..=84 if !keeps => json!({ "id": 4, "op": "delete", "peer": peer, "keys": [any.clone()?.1] }),
            85..=89 => json!({ "id": 4, "op": "pin", "peer": peer, "pinned": self.chance.percent(50) }),
            90..=94 => {
                let (mark, on) = (1 + self.chance.below(4), self.chance.percent(50));
                json!({ "id": 4, "op": "mark", "peers": [peer], "mark": mark, "on": on })
            }
            95..=96 if !keeps => json!({ "id": 4, "op": "clear", "peer": peer }),
            97..=98 => {
                let erase = !keeps && self.chance.percent(50);
                json!({ "id": 4, "op": "remove", "peer": peer, "erase": erase })
            }
            _ => json!({ "id": 4, "op": "ping" }),
        })
    }

    /// Rather a new one, of the user or of the peer.
    fn some_message(&mut self, peer: &str, is_own: bool) -> Option<((u64, u64), String)> {
        let is_recent = self.chance.percent(85);
        let back = self.chance.below(if is_recent { 5 } else { 200 });
        let chats: &BTreeMap<_, _> = &self.replica.as_ref()?.chats;
        let fits = |from: &str| (from == self.user) == is_own;
        let mut fitting = chats[peer].seen.messages.iter().rev().filter(|(_, shown)| fits(&shown.from));
        fitting.nth(back).map(|(place, shown)| (*place, shown.key.clone()))
    }

    fn some_peer(&mut self) -> String {
        self.peers[self.chance.below(self.peers.len())].clone()
    }

    fn some_ms(&mut self, ms_max: usize) -> Duration {
        Duration::from_millis(self.chance.below(ms_max) as u64)
    }
}

/// Whether this is the one who forgets nothing.
pub(crate) fn is_keeper(user: &str) -> bool {
    user == "user00"
}
