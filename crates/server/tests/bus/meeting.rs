//! Who is online is known on every node.

use crate::nats_server::NatsServer;
use crate::node::{APP, comes, frame, is_there, linked, node, options, presence, user, within};
use chat::event::Platform;
use protocol::client::{KickReason, Reach};
use server::bus::NodeBus;
use server::bus::nats::NatsOptions;
use std::time::Duration;

/// The sessions that it finds, and whether they are former ones of its device.
async fn arrives(bus: &NodeBus, session: &server::bus::Subscription) -> Vec<(u64, bool)> {
    let peers = within("the other sessions", bus.arrive(session)).await;
    let mut found: Vec<_> = peers.iter().map(|peer| (peer.standing.session, peer.is_former)).collect();
    found.sort_unstable();
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_finds_its_former_session_on_another_node() {
    let nats = NatsServer::start();
    let (here, there) = (node(&nats.url()).await, node(&nats.url()).await);
    let former = comes(&there, "ana", Some("phone"), 1_000).await;
    assert_eq!(arrives(&there, &former).await, [(former.session(), false)]);
    let tablet = comes(&there, "ana", Some("tablet"), 2_000).await;
    assert_eq!(arrives(&there, &tablet).await, [(former.session(), false), (tablet.session(), false)]);
    let newer = comes(&here, "ana", Some("phone"), 3_000).await;
    assert_eq!(
        arrives(&here, &newer).await,
        [(former.session(), true), (tablet.session(), false), (newer.session(), false)]
    );
}

/// The clock of one node is late by a minute. Else the device would have to go that has just come.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_comes_later_is_newer_whatever_the_clocks_say() {
    let nats = NatsServer::start();
    let (ahead, late) = (node(&nats.url()).await, node(&nats.url()).await);
    let former = comes(&ahead, "ana", Some("phone"), 61_000).await;
    assert_eq!(arrives(&ahead, &former).await, [(former.session(), false)]);
    let newer = comes(&late, "ana", Some("phone"), 1_000).await;
    assert_eq!(arrives(&late, &newer).await, [(former.session(), true), (newer.session(), false)]);
    // And so is the next one there.
    let newest = comes(&late, "ana", Some("phone"), 1_001).await;
    assert!(newest.session() > newer.session());
}

/// Else both could stay where the app allows one.
#[tokio::test(flavor = "multi_thread")]
async fn of_two_that_arrive_on_two_nodes_at_least_one_hears_of_the_other() {
    let nats = NatsServer::start();
    // There is one other node, and one answer.
    let options = NatsOptions { gather: Duration::from_millis(1), ..options(&nats.url()) };
    let (here, there) = (linked(options.clone()).await, linked(options).await);
    for round in 0..100 {
        let name = format!("user{round}");
        let login = async |bus: &NodeBus| {
            let session = comes(bus, &name, None, 1_000).await;
            let found = arrives(bus, &session).await.len();
            (session, found)
        };
        let ((_one, near), (_other, far)) = tokio::join!(login(&here), login(&there));
        assert!(near == 2 || far == 2, "neither of {name} has heard of the other");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_offline_at_once() {
    let nats = NatsServer::start();
    let (here, there) = (node(&nats.url()).await, node(&nats.url()).await);
    assert_eq!(within("no answer", here.said(APP, user("ana"))).await, None);
    assert_eq!(within("no answer", here.online(APP, user("ana"))).await, []);
    // Somebody who is logging in is no presence yet, though word reaches them.
    let ana = comes(&there, "ana", None, 1_000).await;
    assert_eq!(within("an empty answer", here.said(APP, user("ana"))).await, None);
    within("the other sessions", there.arrive(&ana)).await;
    assert_eq!(within("an answer", here.said(APP, user("ana"))).await.as_deref(), Some(""));
    assert_eq!(within("an answer", here.online(APP, user("ana"))).await, [Platform::Web]);
    // The same user in another app is somebody else.
    assert_eq!(within("no answer", here.said(chat::AppId(8), user("ana"))).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_said_on_one_node_is_known_on_others() {
    let nats = NatsServer::start();
    let (here, there) = (node(&nats.url()).await, node(&nats.url()).await);
    let far = is_there(&there, "bo", None, 1_000).await;
    there.say(&far.ear(), "busy", 5_000).unwrap();
    assert_eq!(within("an answer", here.said(APP, user("bo"))).await.as_deref(), Some("busy"));
    // Whoever comes hears it, and can say it when the other one has gone.
    let near = is_there(&here, "bo", None, 2_000).await;
    drop(far);
    assert_eq!(within("an answer", there.said(APP, user("bo"))).await.as_deref(), Some("busy"));
    // Of two the later one holds.
    here.say(&near.ear(), "free", 6_000).unwrap();
    assert_eq!(within("an answer", there.said(APP, user("bo"))).await.as_deref(), Some("free"));
}

#[tokio::test(flavor = "multi_thread")]
async fn presence_is_told_to_watchers_on_other_nodes() {
    let nats = NatsServer::start();
    let (here, there) = (node(&nats.url()).await, node(&nats.url()).await);
    let mut watcher = is_there(&here, "ana", None, 1_000).await;
    here.watch(&watcher.ear(), &[user("bo")]);
    let far = is_there(&there, "bo", None, 2_000).await;
    assert_eq!(frame(&mut watcher).await, presence("Online", ""));
    there.say(&far.ear(), "busy", 5_000).unwrap();
    assert_eq!(frame(&mut watcher).await, presence("Online", "busy"));
    // The user was online already, and still is when the first session goes.
    let near = is_there(&here, "bo", None, 3_000).await;
    drop(far);
    assert!(there.is_missed(APP, user("bo")));
    assert_eq!(within("an answer", there.said(APP, user("bo"))).await.as_deref(), Some("busy"));
    drop(near);
    assert!(here.is_missed(APP, user("bo")));
    within("the farewell", here.leave(APP, user("bo"), Reach::PushOnline)).await;
    assert_eq!(frame(&mut watcher).await, presence("PushOnline", ""));
    let _again = is_there(&there, "bo", None, 4_000).await;
    assert_eq!(frame(&mut watcher).await, presence("Online", ""));
}

/// Finding out that somebody went takes a while, in which they may come back elsewhere.
#[tokio::test(flavor = "multi_thread")]
async fn what_watchers_are_told_last_is_true() {
    let nats = NatsServer::start();
    let (here, there) = (node(&nats.url()).await, node(&nats.url()).await);
    let mut watcher = is_there(&here, "ana", None, 1_000).await;
    here.watch(&watcher.ear(), &[user("bo")]);
    drop(is_there(&there, "bo", None, 2_000).await);
    assert_eq!(frame(&mut watcher).await, presence("Online", ""));
    let third = node(&nats.url()).await;
    let _back = is_there(&third, "bo", None, 3_000).await;
    assert_eq!(frame(&mut watcher).await, presence("Online", ""));
    within("the farewell", there.leave(APP, user("bo"), Reach::Offline)).await;
    assert_eq!(frame(&mut watcher).await, presence("Offline", ""));
    assert_eq!(frame(&mut watcher).await, presence("Online", ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_here_is_online_whatever_others_say() {
    let nats = NatsServer::start();
    let (here, there) = (node(&nats.url()).await, node(&nats.url()).await);
    let mut watcher = is_there(&here, "ana", None, 1_000).await;
    here.watch(&watcher.ear(), &[user("bo")]);
    let bo = is_there(&here, "bo", None, 2_000).await;
    assert_eq!(frame(&mut watcher).await, presence("Online", ""));
    within("the farewell", there.leave(APP, user("bo"), Reach::Offline)).await;
    // What was told elsewhere is put right: once, by the node that told it.
    assert_eq!(frame(&mut watcher).await, presence("Online", ""));
    here.end(APP, user("bo"), bo.session(), KickReason::OtherDevice);
    within("the farewell", here.leave(APP, user("bo"), Reach::Offline)).await;
    assert_eq!(frame(&mut watcher).await, presence("Offline", ""));
}
