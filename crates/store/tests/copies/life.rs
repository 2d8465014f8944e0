//! A store in which something of every kind has happened.

use crate::world::acts::{
    about, act, altered, befriend, change, changed, once, profile, put, related, set, view, viewed,
};
use crate::world::{APP, NOW_S, delivered, import, mark, message, pair, refusal, route, say, user};
use chat::contact::{NoteView, ViewAct};
use chat::dispatch::{Delivered, Exception, ExceptionState, FailedAttempt, Failure, FailureReason, Receipt};
use chat::lease::{LeaseAsk, NodeId, Slot};
use chat::person::{PersonChange, ProfileSettings, PushProvider, PushToken};
use chat::port::{Checkpoint, Store};
use chat::relate::Approach;
use std::path::Path;
use store::{Embedded, EmbeddedOptions};
use tempfile::TempDir;

pub(crate) fn open(directory: &Path) -> Embedded {
    Embedded::open(directory, EmbeddedOptions::default()).unwrap()
}

/// A store with rows in every table.
pub(crate) async fn lived_in() -> (TempDir, Embedded) {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    import(&store, &["ana", "bo", "cy", "dee"], NOW_S).await;
    let first = say(&store, delivered(message("ana", "bo", NOW_S, 1), |how| how.extensible = true)).await;
    for (from, to, random) in [("ana", "bo", 2), ("bo", "ana", 3), ("ana", "cy", 4), ("ana", "ana", 5)] {
        say(&store, message(from, to, NOW_S + u64::from(random), random)).await;
    }
    altered(&store, act(&first.message, "bo", set(&[("color", "red")]))).await;
    store.mark_read(mark("ana", "bo", NOW_S + 20)).await.unwrap();
    say(&store, message("bo", "ana", NOW_S + 30, 6)).await;
    put(&store, once("cy", "bo", NOW_S - 500, 7)).await;
    viewed(&store, view("bo", "ana", ViewAct::Pin, NOW_S)).await;
    let note = NoteView { marks_on: 1, custom: Some("later".to_owned()), ..NoteView::default() };
    viewed(&store, view("bo", "ana", ViewAct::Note(note), NOW_S)).await;
    changed(&store, change("ana", profile(&[("nick", "Ana")], ProfileSettings::default()))).await;
    related(&store, about("ana", "bo", befriend(true))).await;
    related(&store, about("cy", "ana", Approach::Block)).await;
    let phone = PushToken {
        device: "phone".to_owned(),
        provider: PushProvider::Apns,
        token: "t1".to_owned(),
        set_ms: 5,
    };
    changed(&store, change("ana", PersonChange::SetToken(phone))).await;
    store.record(refusal("ana", "bo", NOW_S + 40)).await.unwrap().unwrap();
    store.settle(&route("one"), checkpoint()).await.unwrap();
    let ask = LeaseAsk {
        node: NodeId(1),
        silent: Vec::new(),
        released: Vec::new(),
        taken: vec![Slot(3)],
        leaves: false,
    };
    store.lease(ask).await.unwrap();
    store.delete_accounts(APP, vec![user("dee")], NOW_S * 1000).await.unwrap();
    (directory, store)
}

/// The first event stands parked, the second was told.
fn checkpoint() -> Checkpoint {
    let exception = Exception {
        offset: 1,
        conversation: pair("ana", "bo"),
        recorded_ms: NOW_S * 1000 + 7,
        state: ExceptionState::Parked { at_ms: 9 },
        attempts: 1,
        first_attempt_ms: 8,
        last_failure: "no".to_owned(),
    };
    let failure = Failure {
        reason: FailureReason::Status,
        status: 500,
        latency_ms: 1,
        words: String::new(),
        answer: String::new(),
    };
    Checkpoint {
        cursor: 2,
        exceptions: vec![exception],
        delivered: vec![Delivered {
            offset: 2,
            at_ms: 9,
            attempt: 1,
            receipt: Receipt::Answered { code: 0 },
        }],
        failures: vec![FailedAttempt { offset: 1, number: 1, at_ms: 8, failure }],
        ..Checkpoint::default()
    }
}
