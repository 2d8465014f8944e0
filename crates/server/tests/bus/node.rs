//! The bus of one node.

use chat::event::Platform;
use chat::port::Hint;
use chat::port::LogRecord;
use chat::{AppId, Change, LogEntry, UserId};
use server::bus::nats::{Login, NatsOptions};
use server::bus::{Comer, NodeBus, Push, QueueLimits, Subscription};
use std::future::Future;
use std::time::Duration;

pub(crate) const APP: AppId = AppId(7);

/// A test that waits longer has lost what it waits for.
pub(crate) async fn within<T>(what: &str, event: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), event).await.unwrap_or_else(|_| panic!("{what} never came"))
}

pub(crate) fn options(url: &str) -> NatsOptions {
    NatsOptions {
        servers: vec![url.parse().unwrap()],
        prefix: "test".to_owned(),
        login: Login::Nobody,
        require_tls: false,
        ca: None,
        certificate: None,
        request_timeout: Duration::from_secs(3_600),
        gather: Duration::from_millis(50),
        poll: Duration::from_millis(50),
        polls_per_sec_max: 1_000,
        beat: Duration::from_millis(100),
    }
}

/// One that is connected.
pub(crate) async fn node(url: &str) -> NodeBus {
    linked(options(url)).await
}

pub(crate) async fn linked(options: NatsOptions) -> NodeBus {
    let bus = NodeBus::on_nats(options).await.unwrap();
    within("the connection to NATS", bus.linked()).await;
    bus
}

pub(crate) fn user(name: &str) -> UserId {
    UserId::new(name).unwrap()
}

/// A session that is not logged in yet.
pub(crate) async fn comes(bus: &NodeBus, name: &str, device: Option<&str>, now_ms: u64) -> Subscription {
    let comer = Comer { app: APP, user: user(name), platform: Platform::Web, device, now_ms };
    within("the subscription", bus.subscribe(comer, QueueLimits { len_max: 100, bytes_max: 100_000 })).await
}

/// A session that is logged in.
pub(crate) async fn is_there(bus: &NodeBus, name: &str, device: Option<&str>, now_ms: u64) -> Subscription {
    let session = comes(bus, name, device, now_ms).await;
    within("the other sessions", bus.arrive(&session)).await;
    session
}

/// The next push that is not a reminder to look at the log, which the beginning of a connection brings.
pub(crate) async fn next(session: &mut Subscription) -> Push {
    loop {
        match within("a push", session.next()).await {
            Push::Look { .. } => {}
            push => return push,
        }
    }
}

/// The frame of the next push.
pub(crate) async fn frame(session: &mut Subscription) -> String {
    match next(session).await {
        Push::Change { frame, .. } | Push::Online { frame } => frame.as_str().to_owned(),
        other => panic!("{other:?}"),
    }
}

pub(crate) fn presence(status: &str, custom: &str) -> String {
    format!(r#"{{"push":"presence","user_id":"bo","status":"{status}","custom":"{custom}"}}"#)
}

pub(crate) fn hint(offset: u64) -> Hint {
    let entry = LogEntry { offset, unread: 3, change: Change::Profile };
    Hint { epoch: 10, record: LogRecord { entry, message: None } }
}

/// What a device is told of it.
pub(crate) fn change(offset: u64) -> String {
    format!(r#"{{"push":"profile","position":{{"epoch":"a","offset":{offset}}},"unread":3}}"#)
}
