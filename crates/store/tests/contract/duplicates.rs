use crate::world::{APP, NOW_S, delivered, events, import, message, say, user};
use chat::conversation::Place;
use chat::guard::FirstSend;
use chat::port::{Append, Appended, Preview, Store, Terms};

pub(crate) async fn a_resend_is_answered_like_the_first_and_changes_nothing(store: &dyn Store) {
    import(store, &["ana", "bo"], NOW_S).await;
    let append = message("ana", "bo", NOW_S, 1);
    say(store, append.clone()).await;
    let inboxes = [store.inbox(APP, user("ana")).await, store.inbox(APP, user("bo")).await];
    let told = events(store).await;

    let mut again = message("ana", "bo", NOW_S + 60, 1);
    again.client_time_s = NOW_S + 59;
    let first = FirstSend { time_s: NOW_S, client_time_s: append.client_time_s, wire_seq: 1 };
    assert_eq!(store.append(again).await.unwrap(), Appended::Duplicate(first));
    assert_eq!([store.inbox(APP, user("ana")).await, store.inbox(APP, user("bo")).await], inboxes);
    assert_eq!(events(store).await, told);
}

pub(crate) async fn a_send_is_remembered_for_120_seconds(store: &dyn Store) {
    import(store, &["ana", "bo"], NOW_S).await;
    say(store, message("ana", "bo", NOW_S, 1)).await;
    assert!(is_duplicate(store, message("ana", "bo", NOW_S + 119, 1)).await);
    // The window is counted from the first send, not from the resend, and begins anew with the next.
    assert_eq!(say(store, message("ana", "bo", NOW_S + 120, 1)).await.message.seq, 2);
    assert!(is_duplicate(store, message("ana", "bo", NOW_S + 239, 1)).await);
    assert!(!is_duplicate(store, message("ana", "bo", NOW_S + 240, 1)).await);
}

pub(crate) async fn a_given_sequence_number_makes_another_send(store: &dyn Store) {
    import(store, &["ana", "bo"], NOW_S).await;
    let given = |number: u32| {
        let mut append = message("ana", "bo", NOW_S, 1);
        (append.wire_seq, append.wire_seq_given) = (Some(number), true);
        append
    };
    say(store, message("ana", "bo", NOW_S, 1)).await;
    // The first one got this number from the store, which is not the same as choosing it.
    let chosen = say(store, given(1)).await;
    assert!(chosen.message.wire_seq_given);
    assert_eq!(say(store, given(70)).await.message.wire_seq, 70);
    assert!(is_duplicate(store, given(1)).await);
    assert!(is_duplicate(store, given(70)).await);
    assert!(is_duplicate(store, message("ana", "bo", NOW_S, 1)).await);
}

pub(crate) async fn another_recipient_makes_another_send(store: &dyn Store) {
    import(store, &["ana", "bo", "cy"], NOW_S).await;
    say(store, message("ana", "bo", NOW_S, 1)).await;
    say(store, message("ana", "cy", NOW_S, 1)).await;
    say(store, message("bo", "ana", NOW_S, 1)).await;
    let mut reworded = message("ana", "bo", NOW_S, 1);
    reworded.content_crc += 1;
    say(store, reworded).await;
    assert!(is_duplicate(store, message("ana", "cy", NOW_S, 1)).await);
}

pub(crate) async fn an_online_only_message_is_remembered_too(store: &dyn Store) {
    import(store, &["ana", "bo"], NOW_S).await;
    let typing = |now_s| delivered(message("ana", "bo", now_s, 1), |delivery| delivery.online_only = true);
    say(store, typing(NOW_S)).await;
    assert!(is_duplicate(store, typing(NOW_S + 119)).await);
    assert!(!is_duplicate(store, typing(NOW_S + 120)).await);
    assert_eq!(events(store).await.len(), 2);
}

pub(crate) async fn a_preview_knows_what_a_send_would_meet(store: &dyn Store) {
    import(store, &["ana", "bo"], NOW_S).await;
    let key = message("ana", "bo", NOW_S, 1).key();
    let next = |seq, time_s| Preview::Next(Place { seq, time_s });
    assert_eq!(store.preview(key, Terms::default(), NOW_S + 9).await.unwrap(), next(1, NOW_S + 9));
    assert_eq!(store.preview(key, Terms::default(), NOW_S).await.unwrap(), next(1, NOW_S));
    say(store, message("ana", "bo", NOW_S + 1, 1)).await;
    let first = FirstSend { time_s: NOW_S + 1, client_time_s: NOW_S, wire_seq: 1 };
    assert_eq!(store.preview(key, Terms::default(), NOW_S + 120).await.unwrap(), Preview::Duplicate(first));
    assert_eq!(store.preview(key, Terms::default(), NOW_S + 121).await.unwrap(), next(2, NOW_S + 121));
    let other = message("bo", "ana", NOW_S, 1).key();
    assert_eq!(store.preview(other, Terms::default(), NOW_S).await.unwrap(), next(2, NOW_S + 1));
    assert_eq!(events(store).await.len(), 1);
}

async fn is_duplicate(store: &dyn Store, append: Append) -> bool {
    matches!(store.append(append).await.unwrap(), Appended::Duplicate(_))
}
