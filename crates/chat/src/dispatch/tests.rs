use super::*;
use crate::event::{AfterRead, EventId, Fact, Lane, Origin, Platform};
use crate::id::{AppId, UserId};
use std::net::{IpAddr, Ipv4Addr};

const LIMITS: DispatchLimits = DispatchLimits {
    in_flight_max: 4,
    stuck_max: 2,
    fresh_max: 8,
    held_max: 16,
    claim_ms: 10_000,
    health: HealthLimits { failures_max: 3, probe_delay_ms_min: 1_000, probe_delay_ms_max: 4_000 },
};

fn schedule() -> Schedule {
    Schedule { delays_ms: vec![1_000, 5_000], give_up_after_ms: 60_000, lasting_attempts_max: 2 }
}

fn dispatcher(limits: DispatchLimits) -> Dispatcher {
    Dispatcher::restore(limits, schedule(), DeliveryState::default(), 0)
}

fn user(text: &str) -> UserId {
    UserId::new(text).unwrap()
}

/// An event between ana and `peer`.
fn event(offset: u64, peer: &str) -> Event {
    let lane = Lane { app: AppId(1), index: 0 };
    let (reader, peer) = (user("ana"), user(peer));
    Event {
        id: EventId { lane, epoch: 1, offset },
        recorded_ms: 0,
        conversation: ConversationId::new(AppId(1), reader, peer),
        origin: Origin { ip: IpAddr::V4(Ipv4Addr::LOCALHOST), platform: Platform::RestApi },
        fact: Fact::AfterRead(AfterRead { reader, peer, last_read_s: 0, unread: 0 }),
    }
}

fn failed(kind: FailureKind) -> Verdict {
    let failure = Failure {
        reason: FailureReason::Status,
        status: 503,
        latency_ms: 1,
        words: "no".to_owned(),
        answer: String::new(),
    };
    Verdict::Failed { kind, failure }
}

const DONE: Verdict = Verdict::Done(Receipt::Answered { code: 0 });

const PASSING: FailureKind = FailureKind::Passing { after_ms: None };

/// Claims everything that may be attempted at `now_ms`.
fn claim_all(dispatcher: &mut Dispatcher, now_ms: u64) -> Vec<Attempt> {
    std::iter::from_fn(|| dispatcher.claim(now_ms)).collect()
}

fn offsets(attempts: &[Attempt]) -> Vec<u64> {
    attempts.iter().map(|attempt| attempt.claim.offset).collect()
}

#[test]
fn conversations_go_in_parallel_and_each_in_order() {
    let mut dispatcher = dispatcher(LIMITS);
    dispatcher.offer(vec![event(1, "bo"), event(2, "bo"), event(3, "cy")]);
    let first = claim_all(&mut dispatcher, 0);
    assert_eq!(offsets(&first), [1, 3]);
    assert_eq!(dispatcher.checkpoint(), None);
    dispatcher.settle(first[1].claim, &DONE, 1, 1.0);
    assert_eq!(dispatcher.checkpoint(), None, "1 is fresh, and the cursor may not pass it");
    dispatcher.settle(first[0].claim, &DONE, 1, 1.0);
    assert_eq!(dispatcher.checkpoint().unwrap().cursor, 1);
    let second = claim_all(&mut dispatcher, 1);
    assert_eq!(offsets(&second), [2]);
    dispatcher.settle(second[0].claim, &DONE, 1, 1.0);
    let kept = dispatcher.checkpoint().unwrap();
    assert_eq!((kept.cursor, kept.exceptions.len(), kept.resolved.len()), (3, 0, 0));
    assert_eq!(kept.delivered.iter().map(|done| done.offset).collect::<Vec<_>>(), [2]);
    assert!(dispatcher.is_idle());
}

/// A stop in order once told again whatever stood behind the first event that there had been no time for.
#[test]
fn what_was_told_before_the_last_checkpoint_is_not_told_again() {
    let mut dispatcher = dispatcher(LIMITS);
    dispatcher.offer(vec![event(1, "bo"), event(2, "bo"), event(3, "cy"), event(4, "bo")]);
    for attempt in claim_all(&mut dispatcher, 0) {
        dispatcher.settle(attempt.claim, &DONE, 1, 1.0);
    }
    dispatcher.set_aside();
    let kept = dispatcher.checkpoint().unwrap();
    assert_eq!(kept.cursor, 4);
    assert_eq!(kept.exceptions.iter().map(|e| (e.offset, e.attempts)).collect::<Vec<_>>(), [(2, 0), (4, 0)]);

    let state = DeliveryState {
        has_begun: true,
        cursor: kept.cursor,
        held: kept.exceptions,
        ..DeliveryState::default()
    };
    let mut restored = Dispatcher::restore(LIMITS, schedule(), state, 2);
    for expected in [2, 4] {
        let next = claim_all(&mut restored, 2);
        assert_eq!(offsets(&next), [expected]);
        restored.settle(next[0].claim, &DONE, 2, 1.0);
    }
    assert_eq!(restored.checkpoint().unwrap().resolved, [2, 4]);
}

#[test]
fn a_failing_event_holds_back_only_its_own_conversation() {
    let mut dispatcher = dispatcher(LIMITS);
    dispatcher.offer(vec![event(1, "bo"), event(2, "bo")]);
    let attempt = dispatcher.claim(0).unwrap();
    assert_eq!(
        dispatcher.settle(attempt.claim, &failed(PASSING), 0, 1.0),
        Settled::RetryAt { due_ms: 1_000 }
    );
    dispatcher.offer(vec![event(3, "bo"), event(4, "cy")]);
    let other = claim_all(&mut dispatcher, 0);
    assert_eq!(offsets(&other), [4]);
    dispatcher.settle(other[0].claim, &DONE, 0, 1.0);

    let kept = dispatcher.checkpoint().unwrap();
    assert_eq!(kept.cursor, 4);
    assert_eq!(
        kept.exceptions.iter().map(|e| (e.offset, e.attempts)).collect::<Vec<_>>(),
        [(1, 1), (2, 0), (3, 0)]
    );
    assert_eq!(dispatcher.wake_ms(), Some(1_000));

    // A restart goes on with the exceptions, in the same order.
    let state = DeliveryState {
        has_begun: true,
        cursor: kept.cursor,
        held: kept.exceptions,
        ..DeliveryState::default()
    };
    let mut restored = Dispatcher::restore(LIMITS, schedule(), state, 999);
    assert_eq!(restored.wants(), Some((4, 8)));
    assert!(claim_all(&mut restored, 999).is_empty());
    for (offset, number) in [(1, 2), (2, 1), (3, 1)] {
        let attempt = restored.claim(1_000).unwrap();
        assert_eq!((attempt.claim.offset, attempt.number), (offset, number));
        assert!(attempt.event.is_none(), "held events are read again");
        assert!(restored.claim(1_000).is_none());
        restored.settle(attempt.claim, &DONE, 1_000, 1.0);
    }
    assert_eq!(restored.checkpoint().unwrap().resolved, [1, 2, 3]);
}

/// A process was started again, and the clock had been set back by hours: the events waited for the time that had been.
#[test]
fn a_clock_that_was_set_back_holds_nothing_up() {
    let held = |offset, name, due_ms, first_attempt_ms| Exception {
        offset,
        conversation: event(offset, name).conversation,
        recorded_ms: 0,
        state: ExceptionState::Held { due_ms },
        attempts: 1,
        first_attempt_ms,
        last_failure: String::new(),
    };
    let held = vec![held(1, "bo", 9_000_000, 8_999_000), held(2, "cy", 12_000, 9_000)];
    let state = DeliveryState { has_begun: true, cursor: 2, held, ..DeliveryState::default() };
    let mut restored = Dispatcher::restore(LIMITS, schedule(), state, 10_000);
    assert!(claim_all(&mut restored, 11_999).is_empty());
    assert_eq!(offsets(&claim_all(&mut restored, 12_000)), [2]);
    // The longest delay of the schedule.
    assert!(claim_all(&mut restored, 14_999).is_empty());
    let attempt = restored.claim(15_000).unwrap();
    assert_eq!((attempt.claim.offset, attempt.number), (1, 2));
    // It is given up in its time, counted from when the clock was wrong no longer.
    let settled = restored.settle(attempt.claim, &failed(PASSING), 66_000, 1.0);
    assert_eq!(settled, Settled::Parked);
}

#[test]
fn what_is_refused_for_good_is_parked_and_lets_the_next_pass() {
    let mut dispatcher = dispatcher(LIMITS);
    dispatcher.offer(vec![event(1, "bo"), event(2, "bo")]);
    let lasting = failed(FailureKind::Lasting);
    let attempt = dispatcher.claim(0).unwrap();
    dispatcher.settle(attempt.claim, &lasting, 0, 1.0);
    let attempt = dispatcher.claim(1_000).unwrap();
    assert_eq!(dispatcher.settle(attempt.claim, &lasting, 1_000, 1.0), Settled::Parked);
    let next = dispatcher.claim(1_000).unwrap();
    assert_eq!(next.claim.offset, 2);
    dispatcher.settle(next.claim, &DONE, 1_000, 1.0);
    let kept = dispatcher.checkpoint().unwrap();
    assert_eq!((kept.cursor, &kept.resolved[..]), (2, &[2][..]));
    assert_eq!(kept.exceptions.len(), 1);
    assert_eq!(kept.exceptions[0].state, ExceptionState::Parked { at_ms: 1_000 });
    assert_eq!(kept.exceptions[0].last_failure, "no");
}

#[test]
fn a_lost_attempt_is_made_again_and_its_late_answer_is_stale() {
    let mut dispatcher = dispatcher(LIMITS);
    dispatcher.offer(vec![event(1, "bo")]);
    let lost = dispatcher.claim(0).unwrap();
    assert!(dispatcher.claim(9_999).is_none());
    assert_eq!(dispatcher.wake_ms(), Some(10_000));
    assert!(dispatcher.claim(10_000).is_none(), "whatever went wrong here may still be wrong");
    let again = dispatcher.claim(11_000).unwrap();
    assert_eq!((again.claim.offset, again.number), (1, 2));
    assert_eq!(dispatcher.settle(lost.claim, &DONE, 11_001, 1.0), Settled::Stale);
    assert_eq!(dispatcher.settle(again.claim, &DONE, 11_001, 1.0), Settled::Done);
    assert_eq!(dispatcher.settle(again.claim, &DONE, 11_001, 1.0), Settled::Stale);
}

#[test]
fn a_dead_endpoint_is_probed_and_drained_when_it_is_back() {
    let mut dispatcher = dispatcher(LIMITS);
    dispatcher.offer((1..=8).map(|offset| event(offset, &format!("peer-{offset}"))).collect());
    let attempts = claim_all(&mut dispatcher, 0);
    assert_eq!(offsets(&attempts), [1, 2, 3, 4]);
    for attempt in &attempts {
        dispatcher.settle(attempt.claim, &failed(PASSING), 100, 1.0);
    }
    assert!(dispatcher.is_open());
    assert_eq!(dispatcher.wants(), None);
    assert!(dispatcher.claim(1_099).is_none());
    assert_eq!(dispatcher.wake_ms(), Some(1_100));

    let probe = claim_all(&mut dispatcher, 1_100);
    assert_eq!(offsets(&probe), [1], "one probe at a time");
    dispatcher.settle(probe[0].claim, &failed(PASSING), 1_200, 1.0);
    assert_eq!(dispatcher.wake_ms(), Some(3_200), "the delay doubles");

    let probe = claim_all(&mut dispatcher, 3_200);
    assert_eq!(offsets(&probe), [2]);
    dispatcher.settle(probe[0].claim, &DONE, 3_300, 1.0);
    assert!(!dispatcher.is_open());
    assert_eq!(
        offsets(&claim_all(&mut dispatcher, 3_300)),
        [1, 3, 4, 5],
        "nothing waits for its time any more"
    );
}

#[test]
fn the_log_is_read_only_as_far_as_there_is_room() {
    let limits = DispatchLimits { fresh_max: 2, held_max: 3, ..LIMITS };
    let mut dispatcher = dispatcher(limits);
    assert_eq!(dispatcher.wants(), Some((0, 2)));
    dispatcher.offer(vec![event(1, "bo"), event(2, "bo")]);
    assert_eq!(dispatcher.wants(), None);
    let attempt = dispatcher.claim(0).unwrap();
    dispatcher.settle(attempt.claim, &failed(PASSING), 0, 1.0);
    assert_eq!(dispatcher.wants(), Some((2, 2)), "held events do not take the room of fresh ones");
    dispatcher.offer(vec![event(3, "bo")]);
    assert_eq!(dispatcher.wants(), None, "but they have a limit of their own");
}

#[test]
fn an_exception_ahead_of_the_cursor_is_read_again_not_kept() {
    // It used to be kept as well, so that a restart had it twice: as an exception, and from the log.
    let mut dispatcher = dispatcher(LIMITS);
    dispatcher.offer(vec![event(1, "bo"), event(2, "cy")]);
    let attempts = claim_all(&mut dispatcher, 0);
    dispatcher.settle(attempts[1].claim, &failed(PASSING), 0, 1.0);
    let kept = dispatcher.checkpoint().unwrap();
    assert_eq!((kept.cursor, kept.exceptions), (0, vec![]), "1 is fresh, and 2 stands behind it");
    assert_eq!(kept.failures.len(), 1, "but the failure can be looked at");
    dispatcher.settle(attempts[0].claim, &DONE, 0, 1.0);
    let kept = dispatcher.checkpoint().unwrap();
    assert_eq!(kept.cursor, 2);
    assert_eq!(kept.exceptions.iter().map(|exception| exception.offset).collect::<Vec<_>>(), [2]);
}

/// A log that was trimmed before the endpoint was configured made its worker panic for ever.
#[test]
fn an_endpoint_that_comes_late_begins_with_what_is_left() {
    let mut dispatcher = dispatcher(LIMITS);
    dispatcher.offer(vec![event(1_001, "bo"), event(1_007, "cy")]);
    for attempt in claim_all(&mut dispatcher, 0) {
        dispatcher.settle(attempt.claim, &DONE, 0, 1.0);
    }
    assert_eq!(dispatcher.checkpoint().unwrap().cursor, 1_007);
}

#[test]
fn calls_that_hang_do_not_take_the_room_of_all_others() {
    let mut dispatcher = dispatcher(LIMITS);
    dispatcher.offer((1..=8).map(|offset| event(offset, &format!("peer-{offset}"))).collect());
    let first = claim_all(&mut dispatcher, 0);
    assert_eq!(offsets(&first), [1, 2, 3, 4]);
    dispatcher.settle(first[0].claim, &DONE, 10, 1.0);
    assert_eq!(offsets(&claim_all(&mut dispatcher, 10)), [5]);
    assert_eq!(dispatcher.wake_ms(), Some(100), "the first of the three may be stuck by then");
    assert_eq!(offsets(&claim_all(&mut dispatcher, 100)), [6, 7], "no more than two more");
    assert!(claim_all(&mut dispatcher, 5_000).is_empty());
}

#[test]
fn an_event_can_be_asked_where_it_stands() {
    let mut dispatcher = dispatcher(DispatchLimits { in_flight_max: 1, ..LIMITS });
    dispatcher.offer(vec![event(1, "bo"), event(2, "bo"), event(3, "cy")]);
    let attempt = dispatcher.claim(0).unwrap();
    let standing = |dispatcher: &Dispatcher| [1, 2, 3, 4].map(|offset| dispatcher.standing(offset));
    use Standing::{Behind, InFlight, NotRead, Ready, RetryAt, Settled, Told};
    assert_eq!(standing(&dispatcher), [InFlight { attempt: 1 }, Behind { offset: 1 }, Ready, NotRead]);
    dispatcher.settle(attempt.claim, &failed(PASSING), 0, 1.0);
    assert_eq!(dispatcher.standing(1), RetryAt { due_ms: 1_000, attempts: 1 });
    let attempt = dispatcher.claim(1).unwrap();
    dispatcher.settle(attempt.claim, &DONE, 2, 1.0);
    let told = Delivered { offset: 3, at_ms: 2, attempt: 1, receipt: Receipt::Answered { code: 0 } };
    assert_eq!(dispatcher.standing(3), Told(told));
    dispatcher.checkpoint().unwrap();
    assert_eq!(dispatcher.standing(3), Settled);
    assert_eq!(dispatcher.progress().unsettled, 2);
}

/// Events that had been forgotten while an endpoint was away once made it look dead when it came back.
#[test]
fn what_goes_wrong_on_this_side_says_nothing_of_the_endpoint() {
    let mut dispatcher = dispatcher(LIMITS);
    dispatcher.offer((1..=8).map(|offset| event(offset, &format!("peer-{offset}"))).collect());
    let attempts = claim_all(&mut dispatcher, 0);
    for attempt in &attempts[..3] {
        dispatcher.settle(attempt.claim, &failed(FailureKind::Ours), 0, 1.0);
    }
    let gone = dispatcher.settle(attempts[3].claim, &failed(FailureKind::Gone), 0, 1.0);
    assert_eq!(gone, Settled::Parked);
    assert!(!dispatcher.is_open());
    assert_eq!(dispatcher.standing(4), Standing::Parked { at_ms: 0, attempts: 1 });
    assert_eq!(offsets(&claim_all(&mut dispatcher, 0)), [5, 6, 7, 8]);
}

#[test]
fn only_an_answer_closes_the_breaker() {
    let mut dispatcher = dispatcher(LIMITS);
    dispatcher.offer((1..=4).map(|offset| event(offset, &format!("peer-{offset}"))).collect());
    for attempt in claim_all(&mut dispatcher, 0) {
        dispatcher.settle(attempt.claim, &failed(PASSING), 0, 1.0);
    }
    assert!(dispatcher.is_open());
    for (receipt, is_open) in [(Receipt::NotWanted, true), (Receipt::Answered { code: 0 }, false)] {
        let probe = dispatcher.claim(1_000).unwrap();
        dispatcher.settle(probe.claim, &Verdict::Done(receipt), 1_000, 1.0);
        assert_eq!(dispatcher.is_open(), is_open);
    }
}

#[test]
fn a_conversation_with_very_many_events_leaves_room_for_others() {
    let mut dispatcher = dispatcher(DispatchLimits { fresh_max: 70, held_max: 1_000, ..LIMITS });
    dispatcher.offer((1..=70).map(|offset| event(offset, "bo")).collect());
    assert_eq!(dispatcher.wants(), Some((70, 6)));
    dispatcher.offer(vec![event(71, "cy")]);
    assert_eq!(offsets(&claim_all(&mut dispatcher, 0)), [1, 71]);
    for expected in 1..=70 {
        let attempt = match expected {
            1 => Claim { offset: 1, id: 1 },
            _ => dispatcher.claim(0).unwrap().claim,
        };
        assert_eq!(attempt.offset, expected);
        dispatcher.settle(attempt, &DONE, 0, 1.0);
    }
}

#[test]
fn what_is_kept_can_be_told_by_another_clock() {
    let mut dispatcher = dispatcher(LIMITS);
    dispatcher.offer(vec![event(1, "bo"), event(2, "cy")]);
    let attempts = claim_all(&mut dispatcher, 5_000);
    dispatcher.settle(attempts[0].claim, &failed(PASSING), 5_000, 1.0);
    dispatcher.settle(attempts[1].claim, &DONE, 5_000, 1.0);
    let kept = dispatcher.checkpoint().unwrap().shifted(-1_000);
    assert_eq!(kept.exceptions[0].state, ExceptionState::Held { due_ms: 5_000 });
    assert_eq!(kept.exceptions[0].first_attempt_ms, 4_000);
    assert_eq!((kept.delivered[0].at_ms, kept.failures[0].at_ms), (4_000, 4_000));
}
