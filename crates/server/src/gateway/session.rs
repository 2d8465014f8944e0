//! The life of one connection.
//!
//! Requests are carried out one after another, so that a device's messages keep its order; pushes go out meanwhile.
//! A device that stops reading is noticed by a write that does not end, and told to reconnect: its position tells
//! the next session where to go on.

use super::login::{self, Login, wire_position};
use super::socket::{End, broken, close, finish, send, write, write_text};
use super::{Gateway, request};
use crate::bus::Push;
use crate::credentials::Caller;
use crate::translate;
use axum::extract::ws::{Message, Utf8Bytes, WebSocket};
use chat::Platform;
use chat::event::{EventDraft, Fact, Origin, StateAction, StateChange};
use chat::person::{ChangePerson, PersonChange, Reachable};
use chat::port::LogRecord;
use chat::sync::{OnHint, OnRead};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use metrics::{counter, gauge};
use protocol::client;
use protocol::{CloseCode, ErrorCode};
use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval};

/// Changes read from the log at once. A page is held while a slow device takes it, and a message may be written in as
/// much as 128 KiB of JSON.
const CHANGES_LEN_MAX: usize = 32;
/// A device is taken for gone after this many half heartbeats of silence.
const SILENT_HALF_HEARTBEATS_MAX: u32 = 5;
/// How a client closes that does not want to come back. One whose page or process ends closes otherwise, or not at all.
const NORMAL_CLOSURE: u16 = 1000;

pub(super) async fn run(gateway: Arc<Gateway>, mut socket: WebSocket, ip: IpAddr) {
    let end = match login::login(&gateway, &mut socket, ip).await {
        None => return,
        Some(Err(refused)) => {
            counter!("couplet_gateway_logins_total", "result" => "refused").increment(1);
            if !refused.answer.is_empty() {
                // The connection ends either way.
                let _gone = write(&mut socket, refused.answer).await;
            }
            Some(refused.code)
        }
        Some(Ok(login)) => {
            counter!("couplet_gateway_logins_total", "result" => "ok").increment(1);
            let sessions = gauge!("couplet_gateway_sessions");
            sessions.increment(1);
            let state =
                State { gateway: Arc::clone(&gateway), caller: login.caller.clone(), origin: login.origin };
            state.record(StateAction::Login).await;
            let mut session = Session::new(gateway, &mut socket, login);
            let end = session.follow().await;
            let action = match end {
                Some(CloseCode::HeartbeatTimeout) => StateAction::TimedOut,
                _ if session.has_left => StateAction::Logout,
                _ => StateAction::LinkClosed,
            };
            sessions.decrement(1);
            state.record(action).await;
            // Whoever was kicked or deleted cannot be reached, which is known already.
            if !matches!(end, Some(CloseCode::Kicked | CloseCode::LoginRefused)) {
                state.note_reach(action).await;
            }
            end
        }
    };
    match end {
        Some(code) => close(socket, code).await,
        None => finish(socket).await,
    }
}

/// Tells the app's backend that a device came or went, if the app wants that.
struct State {
    gateway: Arc<Gateway>,
    caller: Caller,
    origin: Origin,
}

impl State {
    async fn record(&self, action: StateAction) {
        let (app, user, chat) = (self.caller.app.id, self.caller.user, &self.gateway.chat);
        let wants = self.gateway.credentials.app(app.0).is_some_and(|app| app.state_changes);
        if !wants {
            return;
        }
        let fact = Fact::State(StateChange { user, action, kicked: Vec::new() });
        if let Err(error) = chat.record(EventDraft::new(app, chat.clock.now_ms(), self.origin, fact)).await {
            tracing::error!(%app, %user, ?action, %error, "the backend will not hear of this");
        }
    }
}

/// How long a phone that went without a word can be reached by push.
const REACHABLE_SECS: u64 = 7 * 24 * 60 * 60;

impl State {
    /// Keeps whether push may reach the user where this device was.
    async fn note_reach(&self, action: StateAction) {
        let platform = self.origin.platform;
        if !matches!(platform, Platform::Android | Platform::Ios | Platform::Ipad) {
            return;
        }
        let (app, user, chat) = (self.caller.app.id, self.caller.user, &self.gateway.chat);
        let now_ms = chat.clock.now_ms();
        let until_s = match action {
            StateAction::Logout => 0,
            StateAction::Login | StateAction::LinkClosed | StateAction::TimedOut => {
                now_ms / 1000 + REACHABLE_SECS
            }
        };
        let change = PersonChange::Reach(Reachable { platform, until_s });
        if let Err(error) = chat.change_person(ChangePerson { app, user, change, now_ms }).await {
            tracing::error!(%app, %user, ?action, %error, "whether push may reach the user was not kept");
        }
    }
}

struct Session<'a> {
    gateway: Arc<Gateway>,
    socket: &'a mut WebSocket,
    login: Login,
    /// The request being carried out.
    current: Option<BoxFuture<'static, Vec<u8>>>,
    waiting: VecDeque<Utf8Bytes>,
    heard: Instant,
    beat: Interval,
    poll: Interval,
    /// The device said goodbye.
    has_left: bool,
}

/// What a session wakes up for.
enum Woken {
    Stop,
    Pushed(Push),
    Answered(Vec<u8>),
    Heard(Option<Result<Message, axum::Error>>),
    Beat,
    Poll,
}

impl<'a> Session<'a> {
    fn new(gateway: Arc<Gateway>, socket: &'a mut WebSocket, login: Login) -> Self {
        let beat = every(Duration::from_secs(gateway.settings.heartbeat_secs) / 2);
        let poll = every(Duration::from_secs(gateway.settings.poll_secs));
        Self {
            gateway,
            socket,
            login,
            current: None,
            waiting: VecDeque::new(),
            heard: Instant::now(),
            beat,
            poll,
            has_left: false,
        }
    }

    async fn follow(&mut self) -> End {
        let answer = std::mem::take(&mut self.login.answer);
        match self.live(answer).await {
            Ok(never) => match never {},
            Err(end) => end,
        }
    }

    async fn live(&mut self, answer: Vec<u8>) -> Result<std::convert::Infallible, End> {
        write(self.socket, answer).await?;
        loop {
            if self.login.follower.is_behind() {
                self.catch_up().await?;
            }
            match self.woken().await {
                Woken::Stop => return Err(Some(CloseCode::ShuttingDown)),
                Woken::Pushed(push) => self.push(push).await?,
                Woken::Answered(frame) => {
                    self.current = None;
                    write(self.socket, frame).await?;
                    self.start_next();
                }
                Woken::Heard(heard) => self.hear(heard).await?,
                Woken::Beat => self.beat().await?,
                Woken::Poll => {
                    self.login.follower.poll();
                    check_credential(&Arc::clone(&self.gateway), &self.login.caller.clone()).await?;
                }
            }
        }
    }

    async fn woken(&mut self) -> Woken {
        let answered = async {
            match &mut self.current {
                Some(request) => request.await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            // Answers before new requests, and pushes before both: what is done goes out before more is begun.
            biased;
            () = self.gateway.stop.cancelled() => Woken::Stop,
            push = self.login.subscription.next() => Woken::Pushed(push),
            frame = answered => Woken::Answered(frame),
            heard = self.socket.recv() => Woken::Heard(heard),
            _ = self.beat.tick() => Woken::Beat,
            _ = self.poll.tick() => Woken::Poll,
        }
    }

    async fn push(&mut self, push: Push) -> Result<(), End> {
        if self.login.subscription.missed() {
            self.login.follower.poll();
            check_credential(&Arc::clone(&self.gateway), &self.login.caller.clone()).await?;
        }
        match push {
            Push::Online { frame } => write_text(self.socket, frame).await,
            Push::Revoked { issued_s_max } if self.login.caller.issued_s <= issued_s_max => {
                Err(Some(CloseCode::Kicked))
            }
            Push::Revoked { .. } => Ok(()),
            Push::Change { position, frame } => match self.login.follower.hint(position) {
                OnHint::Push => write_text(self.socket, frame).await,
                OnHint::Skip | OnHint::Read => Ok(()),
            },
        }
    }

    /// Reads the log until the device has all of it.
    async fn catch_up(&mut self) -> Result<(), End> {
        let (app, user) = (self.login.caller.app.id, self.login.caller.user);
        loop {
            let position = self.login.follower.position();
            let changes = match self.gateway.chat.store.changes(app, user, position, CHANGES_LEN_MAX).await {
                Ok(changes) => changes,
                Err(error) => {
                    tracing::error!(%app, %user, %error, "cannot read a user's log");
                    return Err(Some(CloseCode::InternalFailure));
                }
            };
            match self.login.follower.read(changes, CHANGES_LEN_MAX) {
                OnRead::Push { records, more } => {
                    for record in &records {
                        self.push_record(position.epoch, record).await?;
                    }
                    if !more {
                        return Ok(());
                    }
                }
                OnRead::Resync(inbox) => {
                    let mut frame = Vec::new();
                    client::Push::Resync { position: wire_position(inbox.position()) }.write(&mut frame);
                    return write(self.socket, frame).await;
                }
                OnRead::Gone => return Err(Some(CloseCode::LoginRefused)),
            }
        }
    }

    async fn push_record(&mut self, epoch: u64, record: &LogRecord) -> Result<(), End> {
        let frame = translate::change_frame(self.login.caller.app.id, epoch, record);
        write(self.socket, frame).await
    }

    async fn hear(&mut self, heard: Option<Result<Message, axum::Error>>) -> Result<(), End> {
        self.heard = Instant::now();
        match heard {
            Some(Ok(Message::Close(close))) => {
                self.has_left = close.is_some_and(|close| close.code == NORMAL_CLOSURE);
                Err(None)
            }
            None => Err(None),
            Some(Err(error)) => Err(broken(&error)),
            Some(Ok(Message::Binary(_))) => Err(Some(CloseCode::BadFrame)),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(()),
            Some(Ok(Message::Text(text))) => {
                if self.waiting.len() >= self.gateway.settings.session_requests_max {
                    let mut frame = Vec::new();
                    let id = client::ClientFrame::parse(&text)
                        .map_or_else(|error| error.id, |frame| Some(frame.id));
                    client::refuse(id, &ErrorCode::TooManyOutstanding.into(), &mut frame);
                    return write(self.socket, frame).await;
                }
                self.waiting.push_back(text);
                self.start_next();
                Ok(())
            }
        }
    }

    fn start_next(&mut self) {
        if self.current.is_none()
            && let Some(text) = self.waiting.pop_front()
        {
            // The app may have been declared anew since the login.
            if let Some(app) = self.gateway.credentials.app(self.login.caller.app.id.0) {
                self.login.caller.app = app;
            }
            let (caller, origin) = (self.login.caller.clone(), self.login.origin);
            self.current = Some(request::answer(Arc::clone(&self.gateway), caller, origin, text).boxed());
        }
    }

    /// Twice a heartbeat: looks whether the device is still heard, and gives it something to answer.
    async fn beat(&mut self) -> Result<(), End> {
        if self.heard.elapsed() > self.beat.period() * SILENT_HALF_HEARTBEATS_MAX {
            return Err(Some(CloseCode::HeartbeatTimeout));
        }
        send(self.socket, Message::Ping(bytes::Bytes::new())).await
    }
}

/// Ends a session whose credential was revoked. Word of that may have been lost.
async fn check_credential(gateway: &Gateway, caller: &Caller) -> Result<(), End> {
    let Caller { app, user, issued_s } = caller;
    match gateway.chat.store.revoked_s(app.id, *user).await {
        Ok(revoked_s) if *issued_s <= revoked_s => Err(Some(CloseCode::Kicked)),
        Ok(_) => Ok(()),
        Err(error) => {
            tracing::error!(app = %app.id, %user, %error, "whether a login was revoked cannot be read");
            Err(Some(CloseCode::InternalFailure))
        }
    }
}

fn every(period: Duration) -> Interval {
    let mut interval = interval(period);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval.reset();
    interval
}
