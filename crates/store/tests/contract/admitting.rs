use crate::world::acts::{about, befriend, change, changed, contacts, peers, profile, related, view, viewed};
use crate::world::{APP, NOW_S, all_of, events, import, message, say, unread, user};
use chat::admit::{DeviceTerms, Terms};
use chat::contact::{NoteView, ViewAct};
use chat::conversation::Notify;
use chat::person::{FOREVER_S, PersonChange, ProfileSettings};
use chat::port::{Append, Appended, Preview, Store};
use chat::relate::Approach;
use chat::{Fact, Outcome, Refusal};

fn device(friends_only: bool, tells_blocked: bool) -> Terms {
    Terms { device: Some(DeviceTerms { friends_only, tells_blocked }), heeds_recipient: true }
}

fn on(terms: Terms, append: Append) -> Append {
    Append { terms, ..append }
}

async fn outcome(store: &dyn Store) -> Outcome {
    match events(store).await.pop().unwrap().fact {
        Fact::AfterSend(fact) => fact.outcome,
        other => panic!("{other:?}"),
    }
}

async fn shown(store: &dyn Store, viewer: &str, peer: &str) -> usize {
    store.history(all_of(viewer, peer)).await.unwrap().messages.len()
}

/// Carries out what has to be refused, and looks whether the backend is told.
async fn refusal(store: &dyn Store, append: Append) -> Refusal {
    let before = events(store).await.len();
    let preview = store.preview(append.key(), append.terms, append.now_ms / 1000).await.unwrap();
    let appended = store.append(append).await.unwrap();
    let Appended::Refused { refusal, event } = appended else { panic!("{appended:?}") };
    assert_eq!(preview, Preview::Refused(refusal));
    let told = events(store).await;
    assert_eq!((told.len(), told.last().map(|told| told.id)), (before + 1, event));
    assert_eq!(outcome(store).await, Outcome::Refused(refusal));
    refusal
}

pub(crate) async fn a_muted_sender_is_refused_until_the_mute_ends(store: &dyn Store) {
    import(store, &["ana", "bo"], NOW_S).await;
    let mute = PersonChange::Mute { until_s: Some(NOW_S + 60), group_until_s: None };
    changed(store, change("ana", mute)).await;
    let terms = device(false, false);
    let append = on(terms, message("ana", "bo", NOW_S + 59, 1));
    assert_eq!(refusal(store, append.clone()).await, Refusal::SenderMuted);
    // Nothing is remembered of it: the same send may come again.
    let quiet = Append { event: None, ..append };
    let refused = Appended::Refused { refusal: Refusal::SenderMuted, event: None };
    assert_eq!(store.append(quiet).await.unwrap(), refused);
    assert_eq!(shown(store, "ana", "bo").await, 0);
    let Fact::AfterSend(fact) = &events(store).await[0].fact else { panic!() };
    assert_eq!((fact.wire_seq, fact.random, fact.time_s), (1, 1, NOW_S + 59));
    // Neither the recipient's messages nor those of the backend are held up.
    say(store, on(terms, message("bo", "ana", NOW_S + 59, 1))).await;
    say(store, message("ana", "bo", NOW_S + 59, 2)).await;
    assert_eq!(say(store, on(terms, message("ana", "bo", NOW_S + 60, 1))).await.message.seq, 3);
}

pub(crate) async fn a_resend_is_answered_before_anybody_objects(store: &dyn Store) {
    import(store, &["ana", "bo"], NOW_S).await;
    let append = on(device(false, true), message("ana", "bo", NOW_S, 1));
    say(store, append.clone()).await;
    changed(store, change("ana", PersonChange::Mute { until_s: Some(FOREVER_S), group_until_s: None })).await;
    let preview = store.preview(append.key(), append.terms, NOW_S).await.unwrap();
    assert!(matches!(preview, Preview::Duplicate(_)), "{preview:?}");
    assert!(matches!(store.append(append).await.unwrap(), Appended::Duplicate(_)));
}

pub(crate) async fn a_blocked_sender_is_told_or_shown_success(store: &dyn Store) {
    import(store, &["ana", "bo"], NOW_S).await;
    related(store, about("bo", "ana", Approach::Block)).await;
    let told = on(device(false, true), message("ana", "bo", NOW_S, 1));
    assert_eq!(refusal(store, told).await, Refusal::Blocked);

    let pretended = on(device(false, false), message("ana", "bo", NOW_S, 2));
    let preview = store.preview(pretended.key(), pretended.terms, NOW_S).await.unwrap();
    assert!(matches!(preview, Preview::Next(_)), "{preview:?}");
    let committed = say(store, pretended.clone()).await;
    assert_eq!((committed.recipient, committed.sender.is_some()), (None, true));
    assert_eq!(outcome(store).await, Outcome::Refused(Refusal::Blocked));
    assert_eq!((shown(store, "ana", "bo").await, shown(store, "bo", "ana").await), (1, 0));
    assert_eq!((unread(store, "bo", "ana").await, peers(store, contacts("bo")).await), (0, vec![]));
    assert!(matches!(store.append(pretended).await.unwrap(), Appended::Duplicate(_)));
    // Whoever blocks may write, and so may the backend.
    say(store, on(device(false, true), message("bo", "ana", NOW_S, 3))).await;
    assert_eq!(unread(store, "ana", "bo").await, 1);
    say(store, message("ana", "bo", NOW_S, 4)).await;
    related(store, about("bo", "ana", Approach::Unblock)).await;
    say(store, on(device(false, true), message("ana", "bo", NOW_S, 5))).await;
    assert_eq!(unread(store, "bo", "ana").await, 2);
}

pub(crate) async fn only_friends_write_where_the_app_wants_that(store: &dyn Store) {
    import(store, &["ana", "bo"], NOW_S).await;
    let terms = device(true, false);
    let send = |from: &str, to: &str, random| on(terms, message(from, to, NOW_S, random));
    assert_eq!(refusal(store, send("ana", "bo", 1)).await, Refusal::NotFriends);
    related(store, about("ana", "bo", befriend(false))).await;
    assert_eq!(refusal(store, send("ana", "bo", 1)).await, Refusal::NotInRecipientsFriends);
    assert_eq!(refusal(store, send("bo", "ana", 1)).await, Refusal::NotInSendersFriends);
    related(store, about("bo", "ana", befriend(false))).await;
    say(store, send("ana", "bo", 1)).await;
    say(store, send("bo", "ana", 1)).await;
    related(store, about("bo", "ana", Approach::Unfriend { mutual: false })).await;
    assert_eq!(refusal(store, send("ana", "bo", 2)).await, Refusal::NotInRecipientsFriends);
    assert_eq!(shown(store, "ana", "bo").await, 2);
}

pub(crate) async fn who_wants_no_messages_gets_none(store: &dyn Store) {
    import(store, &["ana", "bo"], NOW_S).await;
    let receives = |receives| {
        let settings = ProfileSettings { receives: Some(receives), ..ProfileSettings::default() };
        change("bo", profile(&[], settings))
    };
    changed(store, receives(false)).await;
    let heeding = Terms { device: None, heeds_recipient: true };
    let committed = say(store, on(heeding, message("ana", "bo", NOW_S, 1))).await;
    assert!(committed.message.delivery.hidden_from_recipient);
    assert_eq!((committed.recipient, outcome(store).await), (None, Outcome::Delivered { unread: 0 }));
    assert_eq!((shown(store, "ana", "bo").await, shown(store, "bo", "ana").await), (1, 0));
    say(store, message("ana", "bo", NOW_S, 2)).await;
    changed(store, receives(true)).await;
    say(store, on(heeding, message("ana", "bo", NOW_S, 3))).await;
    assert_eq!((unread(store, "bo", "ana").await, shown(store, "bo", "ana").await), (2, 2));
    let inbox = store.inbox(APP, user("bo")).await.unwrap().unwrap();
    assert_eq!(inbox.unread, 2);
}

/// As if the sender were blocked, and were not told so, whatever the app does about those who are.
pub(crate) async fn who_wants_nothing_of_somebody_gets_nothing(store: &dyn Store) {
    import(store, &["ana", "bo", "cy"], NOW_S).await;
    let wants = |notify| ViewAct::Note(NoteView { notify: Some(notify), ..NoteView::default() });
    viewed(store, view("bo", "ana", wants(Notify::Discard), NOW_S)).await;
    for (random, terms) in [(1, device(false, false)), (2, device(true, true))] {
        let discarded = on(terms, message("ana", "bo", NOW_S, random));
        let preview = store.preview(discarded.key(), terms, NOW_S).await.unwrap();
        assert!(matches!(preview, Preview::Next(_)), "{preview:?}");
        let committed = say(store, discarded).await;
        assert_eq!((committed.recipient, committed.sender.is_some()), (None, true));
        assert_eq!(outcome(store).await, Outcome::Refused(Refusal::Blocked));
    }
    assert_eq!((shown(store, "ana", "bo").await, shown(store, "bo", "ana").await), (2, 0));
    assert_eq!((unread(store, "bo", "ana").await, peers(store, contacts("bo")).await), (0, vec![]));
    // It is for this one alone, and neither for the own messages nor for those of the backend.
    say(store, on(device(false, false), message("cy", "bo", NOW_S, 3))).await;
    say(store, on(device(false, false), message("bo", "ana", NOW_S, 4))).await;
    say(store, message("ana", "bo", NOW_S, 5)).await;
    assert_eq!((unread(store, "bo", "cy").await, unread(store, "bo", "ana").await), (1, 1));
    assert_eq!(unread(store, "ana", "bo").await, 1);
    viewed(store, view("bo", "ana", wants(Notify::Silent), NOW_S)).await;
    say(store, on(device(false, false), message("ana", "bo", NOW_S, 6))).await;
    assert_eq!(unread(store, "bo", "ana").await, 2);
    // Nobody is without what they write to themselves.
    viewed(store, view("bo", "bo", wants(Notify::Discard), NOW_S)).await;
    say(store, on(device(false, false), message("bo", "bo", NOW_S, 7))).await;
    assert_eq!((shown(store, "bo", "bo").await, outcome(store).await), (1, Outcome::Delivered { unread: 3 }));
}
