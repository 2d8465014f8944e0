//! The first frame of a connection: who is this, and where were they?

use super::Gateway;
use super::socket::{End, Heard, Socket};
use crate::bus::{Comer, Peer, Subscription};
use crate::credentials::Caller;
use crate::translate;
use axum::extract::ws::Utf8Bytes;
use chat::event::Origin;
use chat::port::Account;
use chat::sync::Follower;
use chat::{Inbox, Platform, Position};
use protocol::client::{self, ClientFrame, Connect, Connected, KickReason, Reply, Request};
use protocol::{CloseCode, ErrorCode, Failure};
use std::borrow::Cow;
use std::net::IpAddr;
use std::time::Duration;
use tokio::time::timeout;

/// A device that is logged in.
pub(super) struct Login {
    pub caller: Caller,
    pub origin: Origin,
    pub subscription: Subscription,
    pub follower: Follower,
    /// The frame that answers the login.
    pub answer: Vec<u8>,
    /// Other devices of the user that had to go.
    pub kicked: Vec<Platform>,
}

/// A connection that does not become a session: what to say, and how to close.
pub(super) struct Refused {
    pub answer: Vec<u8>,
    pub code: CloseCode,
}

/// Waits for the login. `None`: the peer has gone.
pub(super) async fn login(
    gateway: &Gateway,
    socket: &mut Socket,
    ip: IpAddr,
) -> Option<Result<Box<Login>, Refused>> {
    let limit = Duration::from_millis(gateway.settings.login_timeout_ms);
    let silently = |code| Some(Err(Refused { answer: Vec::new(), code }));
    let text = match timeout(limit, first_text(socket)).await {
        Ok(Ok(text)) => text,
        Ok(Err(End::Closed(code))) => return silently(code),
        Ok(Err(End::Gone | End::Kicked(_))) => return None,
        Err(_) => return silently(CloseCode::LoginTimeout),
    };
    let (id, connect) = match ClientFrame::parse(&text) {
        Ok(ClientFrame { id, request: Request::Connect(connect) }) => (id, connect),
        Ok(ClientFrame { id, .. }) => return Some(Err(refused(Some(id), &ErrorCode::NotConnected.into()))),
        Err(error) => return Some(Err(refused(error.id, &error.failure))),
    };
    let admitted = admit(gateway, id, &connect, ip).await;
    Some(admitted.map(Box::new).map_err(|failure| refused(Some(id), &failure)))
}

async fn first_text(socket: &mut Socket) -> Result<Utf8Bytes, End> {
    loop {
        match socket.hear().await? {
            Heard::Text(text) => return Ok(text),
            Heard::Alive => {}
            Heard::Closed { .. } => return Err(End::Gone),
        }
    }
}

fn refused(id: Option<u64>, failure: &Failure) -> Refused {
    let mut answer = Vec::new();
    client::refuse(id, failure, &mut answer);
    // A failure that passes says so, and so must the code that the connection closes with.
    let code = if failure.temporary() { CloseCode::InternalFailure } else { CloseCode::LoginRefused };
    Refused { answer, code }
}

async fn admit(gateway: &Gateway, id: u64, connect: &Connect<'_>, ip: IpAddr) -> Result<Login, Failure> {
    let caller = gateway.credentials.check(connect.sdkappid, &connect.user_id, &connect.usersig).await?;
    let (app, user, store) = (caller.app.id, caller.user, &gateway.chat.store);
    let unavailable = |error: chat::port::StoreError| {
        tracing::error!(%error, "a login failed in the store");
        Failure::from(ErrorCode::Internal)
    };
    let now_ms = gateway.chat.clock.now_ms();
    // Before the end of the log is looked at: what is committed from now on arrives as a hint.
    let origin = Origin { ip, platform: translate::device_platform(connect.platform) };
    let device = connect.device_id.as_deref();
    let comer = Comer { app, user, platform: origin.platform, device, now_ms };
    let subscription = gateway.bus.subscribe(comer, gateway.queue_limits()).await;
    // Once more, now that word of a revocation would arrive: one that came before is in the store.
    if caller.issued_s <= store.revoked_s(app, user).await.map_err(unavailable)? {
        return Err(ErrorCode::UserSigRevoked.into());
    }
    let inbox = match store.inbox(app, user).await.map_err(unavailable)? {
        Some(inbox) => inbox,
        None => {
            store
                .import_accounts(app, vec![Account::of_login(user, caller.issued_s)], now_ms)
                .await
                .map_err(unavailable)?;
            store.inbox(app, user).await.map_err(unavailable)?.ok_or(ErrorCode::UserSigRevoked)?
        }
    };
    let (follower, resync) = follow(connect, &inbox);
    // Last of all: a login that fails puts nobody out.
    let peers = gateway.bus.arrive(&subscription).await;
    let kicked = make_room(gateway, &caller, &subscription, peers);
    let mut answer = Vec::new();
    let connected = Connected {
        user_id: user.as_str(),
        position: wire_position(inbox.position()),
        resync,
        unread: u64::from(inbox.unread),
        heartbeat_secs: gateway.settings.heartbeat_secs,
        server_time_ms: now_ms,
        session: &format!("{:x}", subscription.session()),
        recall_secs: caller.app.recall_secs,
        message_bytes_max: gateway.limits.message_bytes_max as u64,
        media: gateway.media.is_some(),
    };
    Reply::Connected(connected).write(id, &mut answer);
    Ok(Login { caller, origin, subscription, follower, answer, kicked })
}

/// The device is there. Ends the sessions of its user that cannot stay beside it, and says where those of other
/// devices were.
pub(super) fn make_room(
    gateway: &Gateway,
    caller: &Caller,
    subscription: &Subscription,
    peers: Vec<Peer>,
) -> Vec<Platform> {
    let (app, user, bus) = (caller.app.id, caller.user, &gateway.bus);
    let (former, standing): (Vec<_>, Vec<_>) = peers.into_iter().partition(|peer| peer.is_former);
    for peer in former {
        bus.end(app, user, peer.standing.session, KickReason::SameDevice);
    }
    let mut standing: Vec<_> = standing.into_iter().map(|peer| peer.standing).collect();
    let mut too_many = caller.app.logins.too_many(&standing);
    // What the app allows has an end too: everything that happens to a user is told to each of the sessions.
    standing.retain(|standing| !too_many.contains(standing));
    standing.sort_unstable_by_key(|standing| standing.session);
    let beyond = standing.len().saturating_sub(gateway.settings.user_sessions_max);
    too_many.extend(&standing[..beyond]);
    too_many.sort_unstable_by_key(|standing| standing.session);
    for standing in &too_many {
        bus.end(app, user, standing.session, KickReason::OtherDevice);
    }
    // A newer login that came in between tells of this one by itself.
    let others = too_many.iter().filter(|standing| standing.session != subscription.session());
    others.map(|standing| standing.platform).collect()
}

/// Where the device goes on, and whether what it has is of no use.
fn follow(connect: &Connect<'_>, inbox: &Inbox) -> (Follower, bool) {
    let Some(presented) = &connect.position else { return (Follower::at_end(inbox), false) };
    match parse_epoch(&presented.epoch) {
        Some(epoch) if epoch == inbox.epoch && presented.offset <= inbox.offset => {
            (Follower::resume(Position { epoch, offset: presented.offset }), false)
        }
        _ => (Follower::at_end(inbox), true),
    }
}

fn parse_epoch(text: &str) -> Option<u64> {
    u64::from_str_radix(text, 16).ok()
}

pub(super) fn wire_position(position: Position) -> client::Position<'static> {
    client::Position { epoch: Cow::Owned(format!("{:x}", position.epoch)), offset: position.offset }
}
