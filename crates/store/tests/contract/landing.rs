use super::events::trim;
use crate::world::acts::{once, put};
use crate::world::{APP, LANE, NOW_S, import, message, refusal, say, user};
use chat::event::{AfterSend, EventDraft, Fact};
use chat::port::{Append, Landing, SendQuery, Store};
use chat::{EventId, Outcome, Refusal};

fn sent(from: &str, to: &str, random: u32) -> SendQuery {
    SendQuery { app: APP, from: user(from), to: user(to), random, seq: None, since_s: 0, looks_max: 100 }
}

async fn landed(store: &dyn Store, query: SendQuery) -> Landing {
    store.landed(query).await.unwrap()
}

/// A refused send of this random number and time, with a reason of its own.
fn refused(random: u32, second: u64, refusal_: Refusal) -> EventDraft {
    let mut draft = refusal("ana", "bo", NOW_S + second);
    if let Fact::AfterSend(fact) = &mut draft.fact {
        *fact = AfterSend { random, outcome: Outcome::Refused(refusal_), ..fact.clone() };
    }
    draft
}

pub(crate) async fn a_stored_send_is_found(store: &dyn Store) {
    import(store, &["ana", "bo"], NOW_S).await;
    let first = say(store, message("ana", "bo", NOW_S, 1)).await.message;
    say(store, message("ana", "bo", NOW_S + 10, 2)).await;
    let found = |message: &chat::Message| Landing::Stored {
        key: message.key(),
        client_time_s: message.client_time_s,
    };
    assert_eq!(landed(store, sent("ana", "bo", 1)).await, found(&first));
    assert_eq!(landed(store, sent("ana", "bo", 3)).await, Landing::Unseen);
    assert_eq!(landed(store, sent("bo", "ana", 1)).await, Landing::Unseen);
    assert_eq!(landed(store, sent("ana", "ana", 1)).await, Landing::Unseen);
    // The newest that fits, as far as one looks.
    let mut again = message("ana", "bo", NOW_S + 200, 1);
    (again.wire_seq, again.wire_seq_given) = (Some(77), true);
    let again = say(store, again).await.message;
    assert_eq!(landed(store, sent("ana", "bo", 1)).await, found(&again));
    let seq = |seq| SendQuery { seq: Some(seq), ..sent("ana", "bo", 1) };
    assert_eq!(landed(store, seq(1)).await, found(&first));
    assert_eq!(landed(store, SendQuery { looks_max: 3, ..seq(1) }).await, found(&first));
    // What was not looked at may have it.
    let since = Landing::UnseenSince { time_s: NOW_S + 1 };
    assert_eq!(landed(store, SendQuery { looks_max: 2, ..seq(1) }).await, since);
    assert_eq!(landed(store, SendQuery { since_s: NOW_S, ..seq(1) }).await, found(&first));
    assert_eq!(landed(store, SendQuery { since_s: NOW_S + 1, ..seq(1) }).await, Landing::Unseen);
    // What stands older than its number says ends the look as well.
    put(store, once("ana", "bo", NOW_S - 50, 9)).await;
    assert_eq!(landed(store, SendQuery { since_s: NOW_S, ..seq(1) }).await, found(&first));
}

pub(crate) async fn a_refused_send_is_found_in_the_event_log(store: &dyn Store) {
    import(store, &["ana", "bo"], NOW_S).await;
    let mut events = Vec::new();
    for (random, second, refusal) in
        [(1, 0, Refusal::Filtered), (2, 1, Refusal::Blocked), (1, 2, Refusal::SenderMuted)]
    {
        events.push(store.record(refused(random, second, refusal)).await.unwrap().unwrap());
    }
    let found = |refusal, event: EventId| Landing::Refused { refusal, event };
    assert_eq!(landed(store, sent("ana", "bo", 1)).await, found(Refusal::SenderMuted, events[2]));
    assert_eq!(landed(store, sent("ana", "bo", 2)).await, found(Refusal::Blocked, events[1]));
    assert_eq!(landed(store, sent("bo", "ana", 2)).await, Landing::Unseen);
    let seq = |seq| SendQuery { seq: Some(seq), ..sent("ana", "bo", 2) };
    assert_eq!(landed(store, seq(5)).await, found(Refusal::Blocked, events[1]));
    assert_eq!(landed(store, seq(6)).await, Landing::Unseen);
    let since = |since_s| SendQuery { since_s, ..sent("ana", "bo", 2) };
    assert_eq!(landed(store, since(NOW_S + 1)).await, found(Refusal::Blocked, events[1]));
    assert_eq!(landed(store, since(NOW_S + 2)).await, Landing::Unseen);
    // One that is stored goes before all that were refused.
    say(store, message("ana", "bo", NOW_S, 2)).await;
    assert!(matches!(landed(store, sent("ana", "bo", 2)).await, Landing::Stored { .. }));
}

pub(crate) async fn a_pretended_send_is_stored_and_refused(store: &dyn Store) {
    import(store, &["ana", "bo"], NOW_S).await;
    let pretended = Append { pretends: Some(Refusal::Filtered), ..message("ana", "bo", NOW_S, 1) };
    let event = say(store, pretended).await.event.unwrap();
    let query = sent("ana", "bo", 1);
    assert!(matches!(landed(store, query).await, Landing::Stored { .. }));
    let unlooked = landed(store, SendQuery { looks_max: 0, ..query }).await;
    assert_eq!(unlooked, Landing::Refused { refusal: Refusal::Filtered, event });
}

pub(crate) async fn a_refusal_is_forgotten_with_its_event(store: &dyn Store) {
    import(store, &["ana", "bo"], NOW_S).await;
    for second in 0..3 {
        store.record(refused(second as u32, second, Refusal::Filtered)).await.unwrap().unwrap();
    }
    assert_eq!(trim(store, &[], 2).await, 2);
    assert_eq!(landed(store, sent("ana", "bo", 0)).await, Landing::Unseen);
    assert_eq!(landed(store, sent("ana", "bo", 1)).await, Landing::Unseen);
    let event = EventId { lane: LANE, epoch: NOW_S * 1000, offset: 3 };
    let last = Landing::Refused { refusal: Refusal::Filtered, event };
    assert_eq!(landed(store, sent("ana", "bo", 2)).await, last);
}
