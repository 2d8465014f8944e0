//! NATS goes away, comes back, or stands still.

use crate::nats_server::NatsServer;
use crate::node::{APP, change, comes, frame, hint, is_there, node, options, user, within};
use chat::event::Lane;
use chat::port::Bus;
use server::bus::{NodeBus, Push, Subscription};
use std::process::Command;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Waits until the session is told to look, because word comes again, or because there is none.
async fn looks(session: &mut Subscription, regained: bool) {
    loop {
        if let Push::Look { regained: found } = within("a reminder", session.next()).await
            && found == regained
        {
            return;
        }
    }
}

fn signal(nats: &NatsServer, name: &str) {
    let sent = Command::new("kill").args(["-s", name, &nats.child.id().to_string()]).status();
    assert!(sent.unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_look_at_their_logs_while_nats_is_away_and_once_when_it_is_back() {
    let nats = NatsServer::start();
    let url = nats.url();
    let (here, there) = (node(&url).await, node(&url).await);
    let mut near = is_there(&here, "ana", None, 1_000).await;
    let mut far = is_there(&there, "ana", None, 1_000).await;
    let bell = there.lane(Lane { app: APP, index: 0 });
    let port = nats.kill();
    looks(&mut near, false).await;
    looks(&mut far, false).await;
    // Again and again.
    looks(&mut far, false).await;
    assert!(here.is_away() && there.is_away());
    within("a ring without an event", bell.rung()).await;
    // Nobody waits for answers that cannot come, and nobody is held up.
    assert_eq!(here.said(APP, user("bo")).await, None);
    here.user_changed(APP, user("ana"), hint(1));
    let mut newer = is_there(&there, "ana", None, 2_000).await;
    let revocations = there.revocations().load(Ordering::Relaxed);

    let _nats = NatsServer::start_at(port);
    looks(&mut near, true).await;
    looks(&mut far, true).await;
    looks(&mut newer, true).await;
    assert!(!here.is_away() && !there.is_away());
    // Word of a revocation may be among what was lost.
    assert!(there.revocations().load(Ordering::Relaxed) > revocations);
    // From the reminder on nothing is missed, also by whoever came meanwhile.
    here.linked().await;
    here.user_changed(APP, user("ana"), hint(2));
    for session in [&mut near, &mut far, &mut newer] {
        while frame(session).await != change(2) {}
    }
    assert_eq!(here.peers(&near).await.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_starts_without_nats() {
    let port = NatsServer::start().kill();
    let here = NodeBus::on_nats(options(&format!("nats://127.0.0.1:{port}"))).await.unwrap();
    assert!(here.is_away());
    let mut near = is_there(&here, "ana", None, 1_000).await;
    here.user_changed(APP, user("ana"), hint(1));
    assert_eq!(frame(&mut near).await, change(1));
    looks(&mut near, false).await;
    let nats = NatsServer::start_at(port);
    looks(&mut near, true).await;
    let there = node(&nats.url()).await;
    there.user_changed(APP, user("ana"), hint(2));
    assert_eq!(frame(&mut near).await, change(2));
}

/// A send must not wait for NATS, which may stand still with its connections open.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_waits_for_a_nats_that_stands_still() {
    let nats = NatsServer::start();
    let mut impatient = options(&nats.url());
    impatient.request_timeout = Duration::from_millis(200);
    let here = crate::node::linked(impatient).await;
    let there = node(&nats.url()).await;
    let mut far = comes(&there, "ana", None, 1_000).await;
    // It does nothing any more, and its connections stay.
    signal(&nats, "STOP");
    // More than fits anywhere on the way.
    for offset in 1..=200_000 {
        here.user_changed(APP, user("ana"), hint(offset));
    }
    assert_eq!(within("the end of patience", here.said(APP, user("bo"))).await, None);
    // A login is late, and completes.
    let _near = is_there(&here, "bo", None, 1_000).await;
    signal(&nats, "CONT");
    assert_eq!(frame(&mut far).await, change(1));
}

/// Nobody says for it that its users are offline.
#[tokio::test(flavor = "multi_thread")]
async fn sessions_look_around_when_a_node_is_gone_without_a_word() {
    let nats = NatsServer::start();
    let here = NodeBus::on_nats(options(&nats.url())).await.unwrap();
    let mut near = is_there(&here, "ana", None, 1_000).await;
    // It has come before the connection, which makes it look once.
    looks(&mut near, true).await;
    // Its tasks end wherever they are, as those of a process do.
    let process = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let url = nats.url();
    let there = process.spawn(async move {
        let there = node(&url).await;
        let far = is_there(&there, "bo", None, 1_000).await;
        (there, far)
    });
    let far = there.await.unwrap();
    assert_eq!(within("an answer", here.said(APP, user("bo"))).await.as_deref(), Some(""));
    process.shutdown_background();
    looks(&mut near, true).await;
    assert_eq!(within("no answer", here.said(APP, user("bo"))).await, None);
    drop(far);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_said_last_goes_out_before_the_end() {
    let nats = NatsServer::start();
    let (here, there) = (node(&nats.url()).await, node(&nats.url()).await);
    let mut far = comes(&there, "ana", None, 1_000).await;
    here.user_changed(APP, user("ana"), hint(1));
    within("the end", here.close()).await;
    drop(here);
    assert_eq!(frame(&mut far).await, change(1));
}
