//! What happens on one node reaches the sessions and workers of others.

use crate::nats_server::NatsServer;
use crate::node::{APP, change, comes, frame, hint, is_there, next, node, user, within};
use chat::event::Lane;
use chat::port::Bus;
use protocol::client::KickReason;
use server::bus::Push;
use std::sync::atomic::Ordering;

#[tokio::test(flavor = "multi_thread")]
async fn a_change_reaches_the_sessions_of_all_nodes_once() {
    let nats = NatsServer::start();
    let (here, there) = (node(&nats.url()).await, node(&nats.url()).await);
    // Also before the login is complete: it reads the end of the log meanwhile.
    let mut near = comes(&here, "ana", None, 1_000).await;
    let mut far = comes(&there, "ana", None, 1_000).await;
    let mut other = comes(&there, "bo", None, 1_000).await;
    for offset in 1..=3 {
        here.user_changed(APP, user("ana"), hint(offset));
        assert_eq!(frame(&mut near).await, change(offset));
        assert_eq!(frame(&mut far).await, change(offset));
    }
    there.user_changed(APP, user("ana"), hint(4));
    assert_eq!(frame(&mut near).await, change(4));
    there.user_changed(APP, user("bo"), hint(1));
    assert_eq!(frame(&mut other).await, change(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_position_goes_with_its_frame() {
    let nats = NatsServer::start();
    let (here, there) = (node(&nats.url()).await, node(&nats.url()).await);
    let mut far = comes(&there, "ana", None, 1_000).await;
    here.user_changed(APP, user("ana"), hint(9));
    let Push::Change { position, .. } = next(&mut far).await else { panic!("no change") };
    assert_eq!((position.epoch, position.offset), (10, 9));
}

/// Credentials that were seen to be good are looked at anew everywhere.
#[tokio::test(flavor = "multi_thread")]
async fn a_revocation_reaches_every_node() {
    let nats = NatsServer::start();
    let (here, there) = (node(&nats.url()).await, node(&nats.url()).await);
    let mut far = comes(&there, "ana", None, 1_000).await;
    let before = there.revocations().load(Ordering::Relaxed);
    here.revoked(APP, user("ana"), 77);
    assert!(matches!(next(&mut far).await, Push::Revoked { issued_s_max: 77 }));
    assert!(there.revocations().load(Ordering::Relaxed) > before);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_rings_on_every_node_that_listens() {
    let nats = NatsServer::start();
    let (here, there) = (node(&nats.url()).await, node(&nats.url()).await);
    let lane = |index| Lane { app: APP, index };
    let (first, second) = (there.lane(lane(0)), there.lane(lane(1)));
    // What is begun before is over before: the subscriptions of the lanes.
    there.linked().await;
    here.event_recorded(lane(1));
    within("the second lane's bell", second.rung()).await;
    here.event_recorded(lane(0));
    within("the first lane's bell", first.rung()).await;
    // A bell that is not there any more is no reason to listen, and one that comes later is.
    drop(second);
    here.event_recorded(lane(1));
    let again = there.lane(lane(1));
    there.linked().await;
    here.event_recorded(lane(1));
    within("the new bell", again.rung()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_ended_wherever_it_is() {
    let nats = NatsServer::start();
    let (here, there) = (node(&nats.url()).await, node(&nats.url()).await);
    let mut far = is_there(&there, "ana", None, 1_000).await;
    let mut stays = is_there(&there, "ana", None, 1_000).await;
    here.end(APP, user("ana"), far.session(), KickReason::OtherDevice);
    assert!(matches!(next(&mut far).await, Push::Kicked { reason: KickReason::OtherDevice }));
    // It counts no more from then on.
    let near = comes(&here, "ana", None, 1_000).await;
    let peers = within("the other sessions", here.arrive(&near)).await;
    let mut sessions: Vec<_> = peers.iter().map(|peer| peer.standing.session).collect();
    sessions.sort_unstable();
    let mut expected = [near.session(), stays.session()];
    expected.sort_unstable();
    assert_eq!(sessions, expected);
    here.user_changed(APP, user("ana"), hint(1));
    assert_eq!(frame(&mut stays).await, change(1));
}

/// Other users' nodes, and those whose sessions have ended, are not told.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_heard_of_somebody_who_left() {
    let nats = NatsServer::start();
    let (here, there) = (node(&nats.url()).await, node(&nats.url()).await);
    drop(is_there(&there, "ana", None, 1_000).await);
    let mut back = is_there(&there, "ana", None, 2_000).await;
    here.user_changed(APP, user("ana"), hint(1));
    assert_eq!(frame(&mut back).await, change(1));
    here.user_changed(APP, user("ana"), hint(2));
    // Not twice, though there was a session before.
    assert_eq!(frame(&mut back).await, change(2));
}
