use crate::world::{
    APP, LANE, NOW_S, ORIGIN, all_of, delivered, events, import, message, refusal, say, unread, user,
};
use chat::admit::DeviceTerms;
use chat::event::{AfterSend, MessageName, Refusal};
use chat::message::Fate;
use chat::person::{ChangePerson, PersonChange};
use chat::port::{Append, Appended, Changes, Preview, Store, Terms};
use chat::{Change, Delivery, EventId, Fact, Inbox, LogEntry, Message, Outcome, Position};

pub(crate) async fn a_message_is_one_fact(store: &dyn Store) {
    import(store, &["ana", "bo"], NOW_S).await;
    let append = message("ana", "bo", NOW_S + 5, 11);
    let committed = say(store, append.clone()).await;

    let stored = Message {
        from: user("ana"),
        to: user("bo"),
        time_s: NOW_S + 5,
        seq: 1,
        wire_seq: 1,
        wire_seq_given: false,
        random: 11,
        client_time_s: NOW_S + 4,
        body: append.body.clone(),
        custom_data: append.custom_data.clone(),
        offline_push: append.offline_push.clone(),
        content_crc: append.content_crc,
        delivery: Delivery::default(),
        fate: Fate::default(),
    };
    assert_eq!(*committed.message, stored);

    // Both logs have the message, and the entry carries the count that goes with it.
    let epoch = NOW_S * 1000;
    for (name, peer, count, hint) in
        [("bo", "ana", 1, &committed.recipient), ("ana", "bo", 0, &committed.sender)]
    {
        let change = Change::Message { peer: user(peer), time_s: NOW_S + 5, seq: 1 };
        let hint = hint.as_ref().unwrap();
        assert_eq!(hint.epoch, epoch);
        assert_eq!(hint.record.entry, LogEntry { offset: 1, unread: count, change });
        assert_eq!(hint.record.message.as_deref(), Some(&stored));
        let inbox = store.inbox(APP, user(name)).await.unwrap();
        assert_eq!(inbox, Some(Inbox { epoch, offset: 1, unread: count }));
        let after = Position { epoch, offset: 0 };
        let changes = store.changes(APP, user(name), after, 10).await.unwrap();
        assert_eq!(changes, Changes::Records(vec![hint.record.clone()]));
        let page = store.history(all_of(name, peer)).await.unwrap();
        assert!(page.is_complete());
        assert_eq!(page.messages, std::slice::from_ref(&stored));
        assert_eq!(unread(store, name, peer).await, count);
    }

    // The event, with the content as it was.
    let id = EventId { lane: LANE, epoch: append.now_ms, offset: 1 };
    assert_eq!(committed.event, Some(id));
    let told = events(store).await;
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].id, told[0].recorded_ms, told[0].origin), (id, append.now_ms, ORIGIN));
    assert_eq!(told[0].conversation, append.conversation());
    let after_send = AfterSend {
        from: user("ana"),
        to: user("bo"),
        wire_seq: 1,
        random: 11,
        time_s: NOW_S + 5,
        client_time_s: NOW_S + 4,
        online_only: false,
        marked: false,
        outcome: Outcome::Delivered { unread: 1 },
        body: append.body.clone(),
        custom_data: append.custom_data.clone(),
    };
    assert_eq!(told[0].fact, Fact::AfterSend(after_send));

    // And the guard.
    let preview = store.preview(append.key(), Terms::default(), NOW_S + 5).await.unwrap();
    assert!(matches!(preview, Preview::Duplicate(first) if first.time_s == NOW_S + 5), "{preview:?}");
}

pub(crate) async fn a_quiet_message_leaves_its_name_and_nothing_else(store: &dyn Store) {
    import(store, &["ana", "bo"], NOW_S).await;
    let append = Append { quiet: true, ..message("ana", "bo", NOW_S + 5, 11) };
    let committed = say(store, append.clone()).await;
    assert_eq!(committed.event, Some(EventId { lane: LANE, epoch: append.now_ms, offset: 1 }));
    let name = MessageName::of(&committed.message);
    assert_eq!((name.from, name.to), (user("ana"), user("bo")));
    assert_eq!((name.wire_seq, name.random, name.time_s), (1, 11, NOW_S + 5));
    let told = events(store).await;
    assert_eq!(told.into_iter().map(|event| event.fact).collect::<Vec<_>>(), [Fact::Stored(name)]);
    // Whoever follows the log is not interested in what was never stored.
    let muted = ChangePerson {
        app: APP,
        user: user("ana"),
        change: PersonChange::Mute { until_s: Some(u64::MAX), group_until_s: None },
        now_ms: NOW_S * 1000,
    };
    store.change_person(muted).await.unwrap();
    let device = DeviceTerms { friends_only: false, tells_blocked: true };
    let terms = Terms { device: Some(device), heeds_recipient: true };
    let refused = store.append(Append { random: 12, terms, ..append }).await.unwrap();
    assert_eq!(refused, Appended::Refused { refusal: Refusal::SenderMuted, event: None });
    assert_eq!(events(store).await.len(), 1);
}

pub(crate) async fn places_follow_each_other_without_a_gap(store: &dyn Store) {
    import(store, &["ana", "bo"], NOW_S).await;
    for number in 1..=20_u64 {
        let (from, to) = if number % 3 == 0 { ("bo", "ana") } else { ("ana", "bo") };
        let committed = say(store, message(from, to, NOW_S + number / 4, number as u32)).await;
        assert_eq!(committed.message.seq, number);
        assert_eq!(committed.message.wire_seq, number as u32);
        assert_eq!(committed.message.time_s, NOW_S + number / 4);
        assert_eq!(committed.event.unwrap().offset, number);
    }
}

pub(crate) async fn unread_totals_count_over_all_conversations(store: &dyn Store) {
    import(store, &["ana", "bo", "cy"], NOW_S).await;
    for (random, from) in ["bo", "cy", "bo", "bo"].into_iter().enumerate() {
        let committed = say(store, message(from, "ana", NOW_S, random as u32)).await;
        assert_eq!(committed.recipient.unwrap().record.entry.unread, random as u32 + 1);
    }
    assert_eq!(store.inbox(APP, user("ana")).await.unwrap().unwrap().unread, 4);
    let peers = vec![user("cy"), user("nobody"), user("bo"), user("ana")];
    assert_eq!(store.unread(APP, user("ana"), peers).await.unwrap(), [1, 0, 3, 0]);
}

pub(crate) async fn an_online_only_message_is_stored_nowhere(store: &dyn Store) {
    import(store, &["ana", "bo"], NOW_S).await;
    say(store, message("ana", "bo", NOW_S, 1)).await;
    let typing = delivered(message("ana", "bo", NOW_S + 1, 2), |delivery| delivery.online_only = true);
    let committed = say(store, typing).await;
    assert_eq!((committed.message.seq, committed.message.time_s), (2, NOW_S + 1));
    assert_eq!((committed.recipient, committed.sender), (None, None));
    assert_eq!(store.inbox(APP, user("bo")).await.unwrap().unwrap().offset, 1);
    assert_eq!(unread(store, "bo", "ana").await, 1);
    assert_eq!(store.history(all_of("bo", "ana")).await.unwrap().messages.len(), 1);
    // It has its event, and only borrowed its place.
    let told = events(store).await;
    let Fact::AfterSend(after_send) = &told[1].fact else { panic!("{told:?}") };
    assert!(after_send.online_only);
    assert_eq!(after_send.outcome, Outcome::Delivered { unread: 1 });
    assert_eq!(say(store, message("ana", "bo", NOW_S + 2, 3)).await.message.seq, 2);
}

pub(crate) async fn a_message_can_be_hidden_from_its_sender(store: &dyn Store) {
    import(store, &["ana", "bo"], NOW_S).await;
    let hidden = delivered(message("ana", "bo", NOW_S, 1), |delivery| delivery.hidden_from_sender = true);
    let committed = say(store, hidden).await;
    assert_eq!(committed.sender, None);
    assert_eq!(committed.recipient.unwrap().record.entry.unread, 1);
    assert_eq!(store.inbox(APP, user("ana")).await.unwrap().unwrap().offset, 0);
    assert_eq!(store.history(all_of("ana", "bo")).await.unwrap().messages, []);
    assert_eq!(store.history(all_of("bo", "ana")).await.unwrap().messages.len(), 1);
}

pub(crate) async fn a_message_can_be_left_uncounted(store: &dyn Store) {
    import(store, &["ana", "bo"], NOW_S).await;
    let quiet = delivered(message("ana", "bo", NOW_S, 1), |delivery| {
        delivery.no_unread = true;
        delivery.no_last = true;
        delivery.needs_receipt = true;
    });
    let committed = say(store, quiet.clone()).await;
    assert_eq!(committed.message.delivery, quiet.delivery);
    assert_eq!(committed.recipient.unwrap().record.entry.unread, 0);
    assert_eq!(unread(store, "bo", "ana").await, 0);
    assert_eq!(store.history(all_of("bo", "ana")).await.unwrap().messages[0].delivery, quiet.delivery);
}

pub(crate) async fn a_message_to_oneself_is_logged_once(store: &dyn Store) {
    import(store, &["ana"], NOW_S).await;
    let committed = say(store, message("ana", "ana", NOW_S, 1)).await;
    assert_eq!(committed.sender, None);
    let entry = committed.recipient.unwrap().record.entry;
    assert_eq!((entry.offset, entry.unread), (1, 0));
    assert_eq!(store.history(all_of("ana", "ana")).await.unwrap().messages.len(), 1);
    assert_eq!(unread(store, "ana", "ana").await, 0);
}

pub(crate) async fn a_message_can_go_without_an_event(store: &dyn Store) {
    import(store, &["ana", "bo"], NOW_S).await;
    let mut silent = message("ana", "bo", NOW_S, 1);
    silent.event = None;
    assert_eq!(say(store, silent).await.event, None);
    assert_eq!(events(store).await, []);
    assert_eq!(say(store, message("ana", "bo", NOW_S, 2)).await.event.unwrap().offset, 1);
}

pub(crate) async fn nobody_sends_without_an_account(store: &dyn Store) {
    import(store, &["ana"], NOW_S).await;
    for (from, to) in [("ana", "bo"), ("bo", "ana"), ("bo", "cy")] {
        let append = message(from, to, NOW_S, 1);
        assert_eq!(
            store.preview(append.key(), Terms::default(), NOW_S).await.unwrap(),
            Preview::UnknownAccount
        );
        assert_eq!(store.append(append).await.unwrap(), Appended::UnknownAccount);
        assert_eq!(store.record(refusal(from, to, NOW_S)).await.unwrap(), None);
    }
    assert_eq!(events(store).await, []);
    assert_eq!(store.inbox(APP, user("ana")).await.unwrap().unwrap().offset, 0);
    assert_eq!(store.history(all_of("ana", "bo")).await.unwrap().messages, []);
    assert!(store.history(all_of("ana", "bo")).await.unwrap().is_complete());
}

pub(crate) async fn time_does_not_go_back_with_the_clock(store: &dyn Store) {
    import(store, &["ana", "bo", "cy"], NOW_S).await;
    say(store, message("ana", "bo", NOW_S + 300, 1)).await;
    let committed = say(store, message("ana", "bo", NOW_S, 2)).await;
    assert_eq!((committed.message.time_s, committed.message.seq), (NOW_S + 300, 2));
    // Time belongs to the conversation: others are not held up.
    assert_eq!(say(store, message("ana", "cy", NOW_S, 3)).await.message.time_s, NOW_S);
    let page = store.history(all_of("ana", "bo")).await.unwrap();
    assert_eq!(page.messages.iter().map(|message| message.seq).collect::<Vec<_>>(), [2, 1]);
    assert_eq!(say(store, message("ana", "bo", NOW_S + 301, 4)).await.message.time_s, NOW_S + 301);
}
