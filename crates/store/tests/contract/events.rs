use crate::world::{
    APP, LANE, NOW_S, endpoint_id, events, import, logout, mark, message, pair, refusal, route, say, user,
};
use chat::dispatch::{Exception, ExceptionState};
use chat::model::TRIM_EVENTS_MAX;
use chat::port::{Account, Checkpoint, DeliveryState, LaneExtent, Store};
use chat::{AppId, Fact, Lane, Outcome, Refusal};

pub(crate) async fn events_are_numbered_and_keep_what_was_said(store: &dyn Store) {
    import(store, &["ana", "bo"], NOW_S).await;
    for random in 1..=5 {
        say(store, message("ana", "bo", NOW_S + u64::from(random), random)).await;
    }
    store.mark_read(mark("bo", "ana", NOW_S + 9)).await.unwrap().unwrap();
    let all = events(store).await;
    assert_eq!(all.iter().map(|event| event.id.offset).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6]);
    // The lane's epoch is the time of its first event.
    assert!(all.iter().all(|event| event.id.epoch == (NOW_S + 1) * 1000 + 7));
    for (after, limit) in [(0, 2), (1, 3), (4, 100), (6, 5), (7, 5), (u64::MAX - 1, 5)] {
        let expected: Vec<_> =
            all.iter().filter(|event| event.id.offset > after).take(limit).cloned().collect();
        assert_eq!(store.events(LANE, after, limit).await.unwrap(), expected, "{after} {limit}");
    }
}

pub(crate) async fn a_refusal_is_an_event_alone(store: &dyn Store) {
    import(store, &["ana", "bo"], NOW_S).await;
    say(store, message("ana", "bo", NOW_S, 1)).await;
    let draft = refusal("bo", "ana", NOW_S);
    let id = store.record(draft.clone()).await.unwrap().unwrap();
    assert_eq!(id.offset, 2);
    let told = events(store).await;
    assert_eq!(told[1], draft.at(id));
    let Fact::AfterSend(after_send) = &told[1].fact else { panic!("{told:?}") };
    assert_eq!(after_send.outcome, Outcome::Refused(Refusal::Filtered));
    assert_eq!(store.inbox(APP, user("ana")).await.unwrap().unwrap().offset, 1);
    assert_eq!(say(store, message("ana", "bo", NOW_S, 2)).await.message.seq, 2);
}

/// What concerns one person is in the conversation that person has with itself, and asks for no account.
pub(crate) async fn what_happens_to_a_person_is_an_event_of_its_own(store: &dyn Store) {
    let draft = logout("ana", NOW_S);
    let id = store.record(draft.clone()).await.unwrap().unwrap();
    assert_eq!((id.offset, id.epoch), (1, NOW_S * 1000));
    assert_eq!(events(store).await, [draft.at(id)]);
    assert_eq!(events(store).await[0].conversation, pair("ana", "ana"));
    assert_eq!(store.accounts_exist(APP, vec![user("ana")]).await.unwrap(), [false]);
}

pub(crate) async fn a_lane_says_where_it_begins_and_ends(store: &dyn Store) {
    assert_eq!(store.lane(LANE).await.unwrap(), None);
    told(store, 6).await;
    let extent = |gone, last| Some(LaneExtent { epoch: NOW_S * 1000, gone, last });
    assert_eq!(store.lane(LANE).await.unwrap(), extent(0, 6));
    store.settle(&route("one"), Checkpoint { exceptions: vec![parked(2)], ..at(4) }).await.unwrap();
    assert_eq!(trim(store, &["one"], 100).await, 3);
    assert_eq!(store.lane(LANE).await.unwrap(), extent(1, 6));
    // Between the one that stood longer and the next there is nothing either.
    store.settle(&route("one"), Checkpoint { resolved: vec![2], ..at(4) }).await.unwrap();
    assert_eq!(trim(store, &["one"], 100).await, 1);
    assert_eq!(store.lane(LANE).await.unwrap(), extent(4, 6));
    assert_eq!(trim(store, &[], 100).await, 1);
    assert_eq!(store.lane(LANE).await.unwrap(), extent(5, 6));
    store.record(logout("ana", NOW_S + 60)).await.unwrap().unwrap();
    assert_eq!(store.lane(LANE).await.unwrap(), extent(5, 7));
}

pub(crate) async fn apps_have_lanes_of_their_own(store: &dyn Store) {
    import(store, &["ana", "bo"], NOW_S).await;
    let other = AppId(APP.0 + 1);
    let accounts = ["ana", "bo"].map(|name| Account::bare(user(name)));
    store.import_accounts(other, accounts.to_vec(), NOW_S * 1000).await.unwrap();
    say(store, message("ana", "bo", NOW_S, 1)).await;
    let mut elsewhere = message("ana", "bo", NOW_S + 60, 1);
    elsewhere.app = other;
    let committed = say(store, elsewhere.clone()).await;
    let lane = Lane { app: other, index: 0 };
    let id = committed.event.unwrap();
    assert_eq!((id.lane, id.epoch, id.offset), (lane, elsewhere.now_ms, 1));
    assert_eq!(store.events(lane, 0, 9).await.unwrap().len(), 1);
    assert_eq!(events(store).await.len(), 1);
    assert_eq!(store.inbox(other, user("bo")).await.unwrap().unwrap().unread, 1);
    assert_eq!(store.lanes_per_app(), 1);
}

pub(crate) fn held(offset: u64, due_ms: u64) -> Exception {
    Exception {
        offset,
        conversation: pair("ana", "bo"),
        recorded_ms: 66,
        state: ExceptionState::Held { due_ms },
        attempts: 2,
        first_attempt_ms: 77,
        last_failure: "the endpoint said 503".to_owned(),
    }
}

pub(crate) fn parked(offset: u64) -> Exception {
    Exception { state: ExceptionState::Parked { at_ms: 5 }, ..held(offset, 0) }
}

pub(crate) fn at(cursor: u64) -> Checkpoint {
    Checkpoint { cursor, ..Checkpoint::default() }
}

pub(crate) async fn a_cursor_never_goes_back(store: &dyn Store) {
    let (one, other) = (route("one"), route("one more"));
    assert_eq!(store.delivery(&one).await.unwrap(), DeliveryState::default());
    for (cursor, expected) in [(5, 5), (3, 5), (9, 9), (0, 9)] {
        store.settle(&one, at(cursor)).await.unwrap();
        assert_eq!(store.delivery(&one).await.unwrap().cursor, expected);
    }
    assert_eq!(store.delivery(&other).await.unwrap(), DeliveryState::default());
}

pub(crate) async fn exceptions_are_kept_until_they_are_resolved(store: &dyn Store) {
    let route = route("one");
    let checkpoint = Checkpoint { exceptions: vec![held(7, 50), held(3, 40)], ..at(9) };
    store.settle(&route, checkpoint).await.unwrap();
    let state = store.delivery(&route).await.unwrap();
    assert_eq!((state.cursor, state.parked_count), (9, 0));
    assert_eq!(state.held, [held(3, 40), held(7, 50)]);
    // One is parked, one tried again; what never was an exception is resolved without harm.
    let checkpoint = Checkpoint { exceptions: vec![parked(3), held(7, 90)], resolved: vec![4], ..at(10) };
    store.settle(&route, checkpoint).await.unwrap();
    let state = store.delivery(&route).await.unwrap();
    assert_eq!((state.held, state.parked_count), (vec![held(7, 90)], 1));
    // An offset that is resolved and an exception in one checkpoint is an exception.
    let checkpoint = Checkpoint { exceptions: vec![held(3, 1)], resolved: vec![3, 7], ..at(10) };
    store.settle(&route, checkpoint).await.unwrap();
    let state = store.delivery(&route).await.unwrap();
    assert_eq!((state.held, state.parked_count), (vec![held(3, 1)], 0));
    assert_eq!(store.delivery(&crate::world::route("other")).await.unwrap(), DeliveryState::default());
}

pub(crate) async fn parked_events_are_listed_in_pages(store: &dyn Store) {
    let route = route("one");
    let exceptions = vec![parked(8), held(4, 1), parked(2), parked(5)];
    store.settle(&route, Checkpoint { exceptions, ..at(9) }).await.unwrap();
    assert_eq!(store.parked(&route, 0, 2).await.unwrap(), [parked(2), parked(5)]);
    assert_eq!(store.parked(&route, 5, 2).await.unwrap(), [parked(8)]);
    assert_eq!(store.parked(&route, 8, 2).await.unwrap(), []);
    assert_eq!(store.delivery(&route).await.unwrap().parked_count, 3);
}

/// As many events as asked, a second apart from the beginning.
pub(crate) async fn told(store: &dyn Store, count: u64) {
    import(store, &["ana", "bo"], NOW_S).await;
    for number in 0..count {
        store.record(refusal("ana", "bo", NOW_S + number)).await.unwrap().unwrap();
    }
}

async fn left(store: &dyn Store) -> Vec<u64> {
    events(store).await.iter().map(|event| event.id.offset).collect()
}

pub(crate) async fn trim(store: &dyn Store, endpoints: &[&str], before_s: u64) -> usize {
    let endpoints = endpoints.iter().map(|name| endpoint_id(name)).collect();
    store.trim_events(LANE, endpoints, (NOW_S + before_s) * 1000).await.unwrap()
}

pub(crate) async fn only_what_everyone_was_told_is_forgotten(store: &dyn Store) {
    assert_eq!(trim(store, &[], 100).await, 0);
    told(store, 10).await;
    assert_eq!(trim(store, &["one", "two"], 100).await, 0);
    store.settle(&route("one"), at(9)).await.unwrap();
    store.settle(&route("two"), at(4)).await.unwrap();
    assert_eq!(trim(store, &["one", "two"], 2).await, 2);
    assert_eq!(trim(store, &["one", "two"], 100).await, 2);
    assert_eq!(left(store).await, [5, 6, 7, 8, 9, 10]);
    // Nobody listens: everything old goes, but for the last, from which the next one is counted.
    assert_eq!(trim(store, &[], 100).await, 5);
    assert_eq!(left(store).await, [10]);
    assert_eq!(trim(store, &[], 100).await, 0);
    assert_eq!(store.record(refusal("ana", "bo", NOW_S)).await.unwrap().unwrap().offset, 11);
}

pub(crate) async fn a_large_log_is_forgotten_in_steps(store: &dyn Store) {
    let count = TRIM_EVENTS_MAX as u64 + 5;
    import(store, &["ana", "bo"], NOW_S).await;
    for _ in 0..count {
        store.record(refusal("ana", "bo", NOW_S)).await.unwrap().unwrap();
    }
    let exceptions = vec![parked(3)];
    store.settle(&route("one"), Checkpoint { exceptions, ..at(count) }).await.unwrap();
    assert_eq!(trim(store, &["one"], 1).await, TRIM_EVENTS_MAX);
    assert_eq!(trim(store, &["one"], 1).await, 3);
    assert_eq!(trim(store, &["one"], 1).await, 0);
    assert_eq!(left(store).await, [3, count]);
}

pub(crate) async fn an_exception_is_forgotten_once_it_is_resolved(store: &dyn Store) {
    told(store, 9).await;
    let exceptions = vec![parked(2), held(5, 1)];
    store.settle(&route("one"), Checkpoint { exceptions, ..at(9) }).await.unwrap();
    assert_eq!(trim(store, &["one"], 7).await, 5);
    assert_eq!(left(store).await, [2, 5, 8, 9]);
    store.settle(&route("one"), Checkpoint { resolved: vec![2], ..at(9) }).await.unwrap();
    assert_eq!(left(store).await, [2, 5, 8, 9]);
    assert_eq!(trim(store, &["one"], 7).await, 1);
    assert_eq!(left(store).await, [5, 8, 9]);
    // An endpoint that is no longer asked about holds nothing back.
    assert_eq!(trim(store, &[], 100).await, 2);
    assert_eq!(left(store).await, [9]);
}
