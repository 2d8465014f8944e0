use super::*;
use bytes::Bytes;
use chat::dispatch::{Delivered, Exception, ExceptionState, Failure, FailureReason, Receipt};
use chat::event::{
    AfterEdit, AfterExtension, AfterRead, AfterRecall, AfterSend, Befriended, ExtensionChange, ExtensionItem,
    MessageName, ProfileChange, ProfileValue, Relation, RelationChange, StateAction, StateChange,
};
use chat::{AppId, EventDraft, EventId, Fact, Lane, Origin, Outcome, Platform, Refusal};
use proptest::prelude::*;
use std::net::IpAddr;

fn user() -> impl Strategy<Value = UserId> {
    "[a-z@用]{1,9}".prop_map(|text| UserId::new(&text).unwrap())
}

fn content() -> impl Strategy<Value = Bytes> {
    prop::collection::vec(any::<u8>(), 0..40).prop_map(Bytes::from)
}

fn delivery() -> impl Strategy<Value = Delivery> {
    any::<[bool; 7]>().prop_map(
        |[online_only, hidden_from_sender, no_unread, no_last, needs, extensible, marked]| Delivery {
            online_only,
            hidden_from_sender,
            no_unread,
            no_last,
            needs_receipt: needs,
            extensible,
            marked,
        },
    )
}

prop_compose! {
    fn message()(from in user(), to in user(), numbers in any::<[u64; 3]>(), wire in any::<[u32; 3]>(),
                 own in any::<bool>(), given in any::<bool>(), contents in [content(), content(), content()],
                 delivery in delivery()) -> Message {
        let [time_s, seq, client_time_s] = numbers;
        let [body, custom_data, offline_push] = contents;
        Message {
            from, to, time_s, seq, client_time_s, body, custom_data, offline_push, delivery,
            wire_seq: if own { wire[0] } else { seq as u32 },
            wire_seq_given: given,
            random: wire[1],
            content_crc: wire[2],
        }
    }
}

prop_compose! {
    fn origin()(v4 in any::<[u8; 4]>(), v6 in any::<[u8; 16]>(), six in any::<bool>(), platform in 0..8_usize)
        -> Origin {
        let ip = if six { IpAddr::from(v6) } else { IpAddr::from(v4) };
        Origin { ip, platform: Platform::ALL[platform] }
    }
}

fn text() -> impl Strategy<Value = String> {
    ".{0,9}"
}

fn maybe(user: UserId, is_there: bool) -> Option<UserId> {
    is_there.then_some(user)
}

prop_compose! {
    fn after_send()(message in message(), kind in 0..7_usize, unread in any::<u32>()) -> AfterSend {
        let refused = Refusal::ALL.get(kind).map(|refusal| Outcome::Refused(*refusal));
        AfterSend {
            from: message.from,
            to: message.to,
            time_s: message.time_s,
            outcome: refused.unwrap_or(Outcome::Delivered { unread }),
            wire_seq: message.wire_seq,
            random: message.random,
            client_time_s: message.client_time_s,
            online_only: message.delivery.online_only,
            marked: message.delivery.marked,
            body: message.body,
            custom_data: message.custom_data,
        }
    }
}

prop_compose! {
    fn name()(from in user(), to in user(), wire in any::<[u32; 2]>(), time_s in any::<u64>()) -> MessageName {
        MessageName { from, to, wire_seq: wire[0], random: wire[1], time_s }
    }
}

prop_compose! {
    fn extension()(message in name(), change in prop::sample::select(&ExtensionChange::ALL),
                   version in any::<u64>(), items in prop::collection::vec((text(), text(), any::<u64>()), 0..4))
        -> AfterExtension {
        let item = |(key, value, version)| ExtensionItem { key, value, version };
        AfterExtension { message, change, items: items.into_iter().map(item).collect(), version }
    }
}

fn relation() -> impl Strategy<Value = Relation> {
    let befriended = (user(), user(), any::<[bool; 4]>()).prop_map(|(initiator, admin, flags)| {
        let [mutual, accepted, forced, by_admin] = flags;
        Relation::Befriended(Befriended {
            initiator,
            mutual,
            accepted,
            admin: maybe(admin, by_admin),
            forced,
        })
    });
    prop_oneof![
        befriended,
        any::<bool>().prop_map(|mutual| Relation::Unfriended { mutual }),
        Just(Relation::Blocked),
        Just(Relation::Unblocked),
    ]
}

fn profile_value() -> impl Strategy<Value = ProfileValue> {
    prop_oneof![any::<u32>().prop_map(ProfileValue::Number), text().prop_map(ProfileValue::Text)]
}

fn fact() -> impl Strategy<Value = Fact> {
    prop_oneof![
        after_send().prop_map(Fact::AfterSend),
        (user(), user(), any::<u64>(), any::<u32>()).prop_map(|(reader, peer, last_read_s, unread)| {
            Fact::AfterRead(AfterRead { reader, peer, last_read_s, unread })
        }),
        (name(), any::<u32>())
            .prop_map(|(message, unread)| Fact::AfterRecall(AfterRecall { message, unread })),
        (user(), name(), content(), content()).prop_map(|(operator, message, body, custom_data)| {
            Fact::AfterEdit(AfterEdit { operator, message, body, custom_data })
        }),
        extension().prop_map(Fact::AfterExtension),
        (
            user(),
            prop::sample::select(&StateAction::ALL),
            prop::collection::vec(prop::sample::select(&Platform::ALL), 0..3)
        )
            .prop_map(|(user, action, kicked)| Fact::State(StateChange { user, action, kicked })),
        (user(), user(), relation()).prop_map(|(from, to, relation)| Fact::Relation(RelationChange {
            from,
            to,
            relation
        })),
        (user(), user(), prop::collection::vec((text(), profile_value()), 0..4))
            .prop_map(|(operator, user, items)| Fact::Profile(ProfileChange { operator, user, items })),
    ]
}

prop_compose! {
    fn draft()(origin in origin(), recorded_ms in any::<u64>(), fact in fact()) -> EventDraft {
        EventDraft::new(AppId(7), recorded_ms, origin, fact)
    }
}

prop_compose! {
    fn failure()(reason in prop::sample::select(&FailureReason::ALL), status in any::<u16>(),
                 latency_ms in any::<u64>(), words in text(), answer in text()) -> Failure {
        Failure { reason, status, latency_ms, words, answer }
    }
}

prop_compose! {
    fn delivered()(numbers in any::<[u64; 2]>(), attempt in any::<u32>(), code in any::<i64>(), kind in 0..3)
        -> Delivered {
        let receipt = match kind {
            0 => Receipt::Answered { code: 0 },
            1 => Receipt::Answered { code },
            _ => Receipt::NotWanted,
        };
        Delivered { offset: numbers[0], at_ms: numbers[1], attempt, receipt }
    }
}

fn event_id(offset: u64) -> EventId {
    EventId { lane: Lane { app: AppId(7), index: 0 }, epoch: 5, offset }
}

fn all_deliveries(last_ms: u64, value: &[u8]) -> Result<Vec<Delivered>, Broken> {
    decode_deliveries(last_ms, value)?.collect()
}

/// Whether a decoder refuses a value wherever it was cut off, and with something behind its end.
fn believes_only_the_whole<T>(value: &[u8], decode: impl Fn(&[u8]) -> Result<T, Broken>) -> bool {
    let longer = [value, &[0]].concat();
    (0..value.len()).all(|len| decode(&value[..len]).is_err()) && decode(&longer).is_err()
}

proptest! {
    #[test]
    fn a_message_comes_back_as_it_was(message in message()) {
        let mut value = Vec::new();
        encode_message(&message, &mut value);
        let place = Place { time_s: message.time_s, seq: message.seq };
        prop_assert_eq!(decode_message(&message.conversation(AppId(7)), place, &value), Ok(message));
    }

    #[test]
    fn an_event_comes_back_as_it_was(draft in draft(), offset in any::<u64>()) {
        let id = event_id(offset);
        let mut value = Vec::new();
        encode_event(&draft, &mut value);
        prop_assert_eq!(recorded_ms(&value), Ok(draft.recorded_ms));
        prop_assert!(believes_only_the_whole(&value, |value| decode_event(id, value)), "{:?}", draft);
        prop_assert_eq!(decode_event(id, &value), Ok(draft.at(id)));
    }

    #[test]
    fn a_failure_comes_back_as_it_was(failure in failure()) {
        let value = encode_failure(&failure);
        prop_assert!(believes_only_the_whole(&value, decode_failure));
        prop_assert_eq!(decode_failure(&value), Ok(failure));
    }

    #[test]
    fn deliveries_come_back_as_they_were(told in prop::collection::vec(delivered(), 1..6), last_ms in any::<u64>()) {
        let mut value = Vec::new();
        encode_deliveries(last_ms, &told, &mut value);
        prop_assert!(believes_only_the_whole(&value, |value| all_deliveries(last_ms, value)));
        prop_assert_eq!(all_deliveries(last_ms, &value), Ok(told));
    }

    #[test]
    fn rows_of_deliveries_hold_all_of_them_in_order(times in prop::collection::vec(0..40_000_u64, 0..12)) {
        let told: Vec<Delivered> = (1..).zip(times).map(|(offset, at_ms)| done(offset, at_ms)).collect();
        let rows: Vec<_> = deliveries_rows(&told).collect();
        for (last_ms, row) in &rows {
            let times = || row.iter().map(|told| told.at_ms);
            prop_assert_eq!(times().max(), Some(*last_ms));
            prop_assert!(last_ms - times().min().unwrap() <= DELIVERIES_SPAN_MS_MAX);
        }
        prop_assert_eq!(rows.iter().flat_map(|(_, row)| row.iter().copied()).collect::<Vec<_>>(), told);
    }

    #[test]
    fn a_log_entry_comes_back_as_it_was(owner in user(), other in user(), numbers in any::<[u64; 2]>(),
                                        unread in any::<u32>(), kind in 0..3) {
        let [time_s, seq] = numbers;
        let change = match kind {
            0 => Change::Message { peer: other, time_s, seq },
            1 => Change::Read { reader: owner, peer: other, time_s, seq },
            _ => Change::Read { reader: other, peer: owner, time_s, seq },
        };
        let entry = LogEntry { offset: 9, unread, change };
        let mut value = Vec::new();
        encode_log_entry(&owner, &entry, &mut value);
        prop_assert_eq!(decode_log_entry(&owner, 9, &value), Ok(entry));
    }

    #[test]
    fn a_conversation_comes_back_as_it_was(numbers in any::<[u64; 10]>(), unread in any::<[u32; 2]>()) {
        let view = |at: usize| View {
            unread: unread[at], read_seq: numbers[at], cleared_seq: numbers[at + 2], head_seq: numbers[at + 4],
            head_time_s: numbers[at + 6],
        };
        let conversation = Conversation { seq: numbers[8], time_s: numbers[9], sides: [view(0), view(1)] };
        let mut value = Vec::new();
        encode_conversation(&conversation, &mut value);
        prop_assert_eq!(decode_conversation(&value), Ok(conversation));
    }

    #[test]
    fn an_account_and_an_exception_come_back_as_they_were(numbers in any::<[u64; 3]>(), nick in ".{0,9}",
                                                          parked in any::<bool>(), low in user(), high in user()) {
        let row = AccountRow { exists: parked, epoch: numbers[0], nick: Some(nick.clone()), face_url: None };
        prop_assert_eq!(decode_account(&encode_account(&row)), Ok(row));
        let row = RouteRow { cursor: numbers[0], deliveries_last: numbers[1] };
        prop_assert!(believes_only_the_whole(&encode_route(row), decode_route));
        prop_assert_eq!(decode_route(&encode_route(row)), Ok(row));
        let exception = Exception {
            offset: 4,
            conversation: ConversationId { app: AppId(7), low, high },
            recorded_ms: numbers[0],
            state: if parked {
                ExceptionState::Parked { at_ms: numbers[1] }
            } else {
                ExceptionState::Held { due_ms: numbers[1] }
            },
            attempts: 3,
            first_attempt_ms: numbers[2],
            last_failure: nick,
        };
        let value = encode_exception(&exception);
        prop_assert!(believes_only_the_whole(&value, |value| decode_exception(AppId(7), 4, value)));
        prop_assert_eq!(decode_exception(AppId(7), 4, &value), Ok(exception));
    }

    #[test]
    fn no_bytes_make_a_decoder_panic(value in prop::collection::vec(any::<u8>(), 0..60), right in any::<bool>()) {
        let mut value = value;
        if right && let Some(first) = value.first_mut() {
            *first = VERSION;
        }
        let user = UserId::new("ana").unwrap();
        let id = ConversationId::new(AppId(7), user, user);
        let outcomes = [
            decode_account(&value).is_ok(),
            decode_conversation(&value).is_ok(),
            decode_message(&id, Place { time_s: 1, seq: 1 }, &value).is_ok(),
            decode_log_entry(&user, 1, &value).is_ok(),
            decode_event(event_id(1), &value).is_ok(),
            decode_exception(AppId(7), 1, &value).is_ok(),
            decode_lane(&value).is_ok(),
            decode_route(&value).is_ok(),
            decode_failure(&value).is_ok(),
            all_deliveries(1, &value).is_ok(),
        ];
        prop_assert!(right || outcomes == [false; 10] || value.first() == Some(&VERSION));
    }
}

fn done(offset: u64, at_ms: u64) -> Delivered {
    Delivered { offset, at_ms, attempt: 1, receipt: Receipt::Answered { code: 0 } }
}

/// Every callback writes one, so they have to be small.
#[test]
fn a_delivery_is_three_bytes_as_a_rule() {
    let told: Vec<Delivered> =
        (0..100).map(|at| done(7_000_000 + (at ^ 5), 1_700_000_000_000 + at / 3)).collect();
    let (last_ms, row) = deliveries_rows(&told).next().unwrap();
    assert_eq!((last_ms, row.len()), (1_700_000_000_033, 100));
    let mut value = Vec::new();
    encode_deliveries(last_ms, row, &mut value);
    // Version, count, and four more bytes for the first offset.
    assert_eq!(value.len(), 1 + 1 + 3 + 100 * 3);
    let ends = |last: Delivered| {
        let mut value = Vec::new();
        encode_deliveries(5, &[last], &mut value);
        value
    };
    assert_eq!(ends(done(1, 5)), [1, 1, 2, 0, 4]);
    assert_eq!(ends(Delivered { receipt: Receipt::NotWanted, ..done(1, 4) }), [1, 1, 2, 1, 6]);
    assert_eq!(ends(Delivered { receipt: Receipt::Answered { code: -1 }, ..done(1, 5) }), [1, 1, 2, 0, 5, 1]);
}
