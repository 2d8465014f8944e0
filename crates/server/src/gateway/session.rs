//! The life of one connection.
//!
//! Requests are carried out one after another, so that a device's messages keep its order; pushes go out meanwhile.
//! A device that stops reading is noticed by a write that does not end, and told to reconnect: its position tells
//! the next session where to go on.

use super::login::{self, Login, wire_position};
use super::request::{self, Asker};
use super::rhythm::{Rhythm, Tick};
use super::socket::{End, Heard, Socket};
use super::state::State;
use super::{Gateway, presence};
use crate::bus::Push;
use crate::credentials::Caller;
use crate::translate;
use axum::extract::ws::Utf8Bytes;
use chat::port::LogRecord;
use chat::sync::{OnHint, OnRead};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use metrics::{counter, gauge};
use protocol::client::{self, KickReason};
use protocol::{CloseCode, ErrorCode};
use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// Changes read from the log at once. A page is held while a slow device takes it, and a message may be written in as
/// much as 128 KiB of JSON.
const CHANGES_LEN_MAX: usize = 32;
/// Bytes of requests that wait for their turn: as many messages of full size as may wait, and not as many of the
/// longest frames. One waits in any case, however long.
const WAITING_BYTES_MAX: usize = 512 * 1024;
/// A device is taken for gone after this many half heartbeats of silence.
const SILENT_HALF_HEARTBEATS_MAX: u32 = 5;
/// Longest time that the end of the process waits for a request: more than the app's backend usually has for an answer.
const FINISH_SECS_MAX: u64 = 5;

/// How the connection is to end. `None`: it is gone.
///
/// There are many sessions, and nearly all of them wait: what is rare has its future in a box, so that none of them
/// holds room for it meanwhile.
pub(super) async fn run(gateway: &Arc<Gateway>, socket: &mut Socket, ip: IpAddr) -> Option<End> {
    match Box::pin(login::login(gateway, socket, ip)).await? {
        Err(refused) => {
            counter!("couplet_gateway_logins_total", "result" => "refused").increment(1);
            if !refused.answer.is_empty() {
                // The connection ends either way.
                let _gone = Box::pin(socket.write(&refused.answer)).await;
            }
            Some(End::Closed(refused.code))
        }
        Ok(login) => {
            counter!("couplet_gateway_logins_total", "result" => "ok").increment(1);
            let sessions = gauge!("couplet_gateway_sessions");
            sessions.increment(1);
            let end = be_logged_in(gateway, socket, login).await;
            sessions.decrement(1);
            Some(end)
        }
    }
}

async fn be_logged_in(gateway: &Arc<Gateway>, socket: &mut Socket, mut login: Box<Login>) -> End {
    let state = State { gateway: Arc::clone(gateway), caller: login.caller.clone(), origin: login.origin };
    Box::pin(state.came(std::mem::take(&mut login.kicked))).await;
    let mut session = Session::new(Arc::clone(gateway), socket, login);
    let end = session.follow().await;
    let has_left = session.has_left;
    let device = session.login.subscription.ear().device().map(str::to_owned);
    if let Some(request) = session.current.take() {
        // It may be committed, and others wait for word of it, whether or not anybody hears the answer.
        gateway.tasks.spawn(async move { drop(request.await) });
    }
    // The user is where the other sessions are, before anybody is told that this one went.
    drop(session);
    if has_left || matches!(end, End::Kicked(KickReason::OtherDevice)) {
        Box::pin(state.forget_token(device)).await;
    }
    Box::pin(state.went(end, has_left)).await;
    end
}

struct Session<'a> {
    gateway: Arc<Gateway>,
    socket: &'a mut Socket,
    login: Box<Login>,
    /// The request being carried out.
    current: Option<BoxFuture<'static, Vec<u8>>>,
    waiting: VecDeque<Utf8Bytes>,
    heard: Instant,
    rhythm: Rhythm,
    /// The device said goodbye.
    has_left: bool,
    /// A push of somebody's presence may have been dropped.
    missed_presence: bool,
}

/// What a session wakes up for.
enum Woken {
    Stop,
    Pushed(Push),
    Answered(Vec<u8>),
    Heard(Result<Heard, End>),
    Due(Tick),
}

impl<'a> Session<'a> {
    fn new(gateway: Arc<Gateway>, socket: &'a mut Socket, login: Box<Login>) -> Self {
        let (beat, poll) = (half_heartbeat(&gateway), Duration::from_secs(gateway.settings.poll_secs));
        let now = Instant::now();
        Self {
            gateway,
            socket,
            login,
            current: None,
            waiting: VecDeque::new(),
            heard: now,
            rhythm: Rhythm::new(beat, poll, now),
            has_left: false,
            missed_presence: false,
        }
    }

    async fn follow(&mut self) -> End {
        match self.live().await {
            Ok(never) => match never {},
            Err(End::Closed(CloseCode::ShuttingDown)) => {
                Box::pin(self.finish()).await.err().unwrap_or(End::Closed(CloseCode::ShuttingDown))
            }
            Err(end) => end,
        }
    }

    /// Answers what has been begun, so that the device need not ask again where it goes next.
    async fn finish(&mut self) -> Result<(), End> {
        let Some(request) = &mut self.current else { return Ok(()) };
        // Whoever takes longer is carried out all the same, and does not hear it.
        if let Ok(frame) = timeout(Duration::from_secs(FINISH_SECS_MAX), request).await {
            self.current = None;
            self.socket.write(&frame).await?;
        }
        Ok(())
    }

    async fn live(&mut self) -> Result<std::convert::Infallible, End> {
        // Taken, so that it is not kept for as long as the session lives.
        self.socket.write(&std::mem::take(&mut self.login.answer)).await?;
        loop {
            if self.login.follower.is_behind() {
                Box::pin(self.catch_up()).await?;
            }
            if self.missed_presence && self.login.subscription.is_drained() {
                Box::pin(self.tell_presence()).await?;
            }
            match self.woken().await {
                Woken::Stop => return Err(End::Closed(CloseCode::ShuttingDown)),
                Woken::Pushed(push) => self.push(push).await?,
                Woken::Answered(frame) => {
                    self.current = None;
                    self.socket.write(&frame).await?;
                    self.start_next();
                }
                Woken::Heard(heard) => self.hear(heard?).await?,
                Woken::Due(Tick::Beat) => self.beat().await?,
                Woken::Due(Tick::Poll) => {
                    self.login.follower.poll();
                    self.missed_presence |= self.login.subscription.missed();
                    Box::pin(check_credential(&self.gateway, &self.login.caller)).await?;
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
            // Rare, and before everything that a device or others can keep coming.
            tick = self.rhythm.tick() => Woken::Due(tick),
            push = self.login.subscription.next() => Woken::Pushed(push),
            frame = answered => Woken::Answered(frame),
            heard = self.socket.hear() => Woken::Heard(heard),
        }
    }

    async fn push(&mut self, push: Push) -> Result<(), End> {
        if self.login.subscription.missed() {
            self.login.follower.poll();
            self.missed_presence = true;
            Box::pin(check_credential(&self.gateway, &self.login.caller)).await?;
        }
        match push {
            Push::Online { frame } => self.socket.write(frame.as_bytes()).await,
            Push::Revoked { issued_s_max } if self.login.caller.issued_s <= issued_s_max => {
                Err(End::Kicked(Box::pin(why_revoked(&self.gateway, &self.login.caller)).await))
            }
            Push::Revoked { .. } => Ok(()),
            Push::Kicked { reason } => Err(End::Kicked(reason)),
            Push::Look { regained } => Box::pin(self.look_around(regained)).await,
            Push::Change { position, frame } => match self.login.follower.hint(position) {
                OnHint::Push => self.socket.write(frame.as_bytes()).await,
                OnHint::Skip | OnHint::Read => Ok(()),
            },
        }
    }

    /// Word from other nodes may have been lost.
    async fn look_around(&mut self, regained: bool) -> Result<(), End> {
        self.login.follower.poll();
        check_credential(&self.gateway, &self.login.caller).await?;
        if regained {
            self.missed_presence = true;
            // Devices may have come on other nodes without word of this one.
            let peers = self.gateway.bus.peers(&self.login.subscription).await;
            let kicked = login::make_room(&self.gateway, &self.login.caller, &self.login.subscription, peers);
            if !kicked.is_empty() {
                // They say nothing of it themselves: this login has ended them, and tells so as it would have then.
                let (gateway, caller) = (Arc::clone(&self.gateway), self.login.caller.clone());
                State { gateway, caller, origin: self.login.origin }.came(kicked).await;
            }
        }
        Ok(())
    }

    /// Reads the log until the device has all of it.
    async fn catch_up(&mut self) -> Result<(), End> {
        let begun = Instant::now();
        self.read_log().await?;
        // Nobody listened meanwhile, so that the device was not silent.
        self.heard += begun.elapsed();
        Ok(())
    }

    async fn read_log(&mut self) -> Result<(), End> {
        let (app, user) = (self.login.caller.app.id, self.login.caller.user);
        loop {
            let position = self.login.follower.position();
            let changes = match self.gateway.chat.store.changes(app, user, position, CHANGES_LEN_MAX).await {
                Ok(changes) => changes,
                Err(error) => {
                    tracing::error!(%app, %user, %error, "cannot read a user's log");
                    return Err(End::Closed(CloseCode::InternalFailure));
                }
            };
            match self.login.follower.read(changes, CHANGES_LEN_MAX) {
                OnRead::Push { records, more } => {
                    for record in &records {
                        self.look_up().await?;
                        self.push_record(position.epoch, record).await?;
                    }
                    if !more {
                        return Ok(());
                    }
                    // Word of a revocation waits in the queue, or found no room there.
                    check_credential(&self.gateway, &self.login.caller).await?;
                }
                OnRead::Resync(inbox) => {
                    let mut frame = Vec::new();
                    client::Push::Resync { position: wire_position(inbox.position()) }.write(&mut frame);
                    return self.socket.write(&frame).await;
                }
                OnRead::Gone => return Err(End::Kicked(KickReason::Deleted)),
            }
        }
    }

    /// Between writes that are many: what ends a session ends it here too, however slowly the device reads.
    async fn look_up(&mut self) -> Result<(), End> {
        if self.gateway.stop.is_cancelled() {
            return Err(End::Closed(CloseCode::ShuttingDown));
        }
        if let Some(reason) = self.login.subscription.kicked() {
            return Err(End::Kicked(reason));
        }
        match self.rhythm.tick().now_or_never() {
            None => Ok(()),
            // Whether the device is silent is not known while nobody listens.
            Some(Tick::Beat) => self.socket.ping().await,
            Some(Tick::Poll) => check_credential(&self.gateway, &self.login.caller).await,
        }
    }

    /// Tells of everybody the device watches. Only when nothing older waits in the queue, which would be told after it.
    async fn tell_presence(&mut self) -> Result<(), End> {
        self.missed_presence = false;
        let users = self.gateway.bus.watching(&self.login.subscription.ear());
        if users.is_empty() {
            return Ok(());
        }
        let (app, user) = (self.login.caller.app.id, self.login.caller.user);
        let found = presence::find(&self.gateway, app, users).await.map_err(|error| {
            tracing::error!(%app, %user, %error, "whether others can be reached cannot be read");
            End::Closed(CloseCode::InternalFailure)
        })?;
        for found in &found {
            self.look_up().await?;
            let mut frame = Vec::new();
            client::Push::Presence(found.shown()).write(&mut frame);
            self.socket.write(&frame).await?;
        }
        Ok(())
    }

    async fn push_record(&mut self, epoch: u64, record: &LogRecord) -> Result<(), End> {
        let frame = translate::change_frame(self.login.caller.app.id, epoch, record);
        self.socket.write(&frame).await
    }

    async fn hear(&mut self, heard: Heard) -> Result<(), End> {
        self.heard = Instant::now();
        match heard {
            Heard::Alive => Ok(()),
            Heard::Closed { for_good } => {
                self.has_left = for_good;
                Err(End::Gone)
            }
            Heard::Text(text) => {
                if self.has_no_room_for(&text) {
                    let mut frame = Vec::new();
                    let id = client::ClientFrame::parse(&text)
                        .map_or_else(|error| error.id, |frame| Some(frame.id));
                    client::refuse(id, &ErrorCode::TooManyOutstanding.into(), &mut frame);
                    return self.socket.write(&frame).await;
                }
                self.waiting.push_back(text);
                self.start_next();
                Ok(())
            }
        }
    }

    fn has_no_room_for(&self, text: &str) -> bool {
        let bytes: usize = self.waiting.iter().map(|text| text.len()).sum();
        self.waiting.len() >= self.gateway.settings.session_requests_max
            || (bytes > 0 && bytes + text.len() > WAITING_BYTES_MAX)
    }

    fn start_next(&mut self) {
        if self.current.is_none()
            && let Some(text) = self.waiting.pop_front()
        {
            // The app may have been declared anew since the login.
            if let Some(app) = self.gateway.credentials.app(self.login.caller.app.id.0) {
                self.login.caller.app = app;
            }
            let asker = Asker {
                gateway: Arc::clone(&self.gateway),
                caller: self.login.caller.clone(),
                origin: self.login.origin,
                ear: self.login.subscription.ear(),
            };
            self.current = Some(request::answer(asker, text).boxed());
        }
    }

    /// Twice a heartbeat: looks whether the device is still heard, and gives it something to answer.
    async fn beat(&mut self) -> Result<(), End> {
        if self.heard.elapsed() > half_heartbeat(&self.gateway) * SILENT_HALF_HEARTBEATS_MAX {
            return Err(End::Closed(CloseCode::HeartbeatTimeout));
        }
        self.socket.ping().await
    }
}

/// Ends a session whose credential has expired or was revoked. Word of that may have been lost.
async fn check_credential(gateway: &Gateway, caller: &Caller) -> Result<(), End> {
    let Caller { app, user, issued_s, expires_at_s } = caller;
    if *expires_at_s <= gateway.chat.clock.now_ms() / 1000 {
        return Err(End::Kicked(KickReason::Expired));
    }
    match gateway.chat.store.revoked_s(app.id, *user).await {
        Ok(revoked_s) if *issued_s <= revoked_s => Err(End::Kicked(why_revoked(gateway, caller).await)),
        Ok(_) => Ok(()),
        Err(error) => {
            tracing::error!(app = %app.id, %user, %error, "whether a login was revoked cannot be read");
            Err(End::Closed(CloseCode::InternalFailure))
        }
    }
}

/// Deleting an account revokes what was issued for it.
async fn why_revoked(gateway: &Gateway, caller: &Caller) -> KickReason {
    match gateway.chat.store.inbox(caller.app.id, caller.user).await {
        Ok(None) => KickReason::Deleted,
        // It has to end either way.
        Ok(Some(_)) | Err(_) => KickReason::Revoked,
    }
}

fn half_heartbeat(gateway: &Gateway) -> Duration {
    Duration::from_secs(gateway.settings.heartbeat_secs) / 2
}
