use super::*;
use bytes::Bytes;
use chat::alter::Extensions;
use chat::contact::Notes;
use chat::conversation::{Alteration, Change, LogEntry, Notify, Place, RelationNews, ViewChange};
use chat::dispatch::{Delivered, Exception, ExceptionState, Failure, FailureReason, Receipt};
use chat::event::{
    AfterEdit, AfterExtension, AfterRead, AfterRecall, AfterSend, Befriended, ExtensionChange, ExtensionItem,
    MessageName, MissedMessage, ProfileChange, ProfileValue, Relation, RelationChange, StateAction,
    StateChange,
};
use chat::lease::{Fence, LeaseTable, NodeId, Slot};
use chat::message::Fate;
use chat::person::{
    Admission, Friend, FriendGroup, FriendRequest, Person, PushProvider, PushToken, Reachable, Tie,
};
use chat::port::Tenure;
use chat::{
    AppId, ConversationId, Delivery, EventDraft, EventId, Fact, Lane, Message, Origin, Outcome, Platform,
    Refusal, UserId,
};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::net::IpAddr;

fn user() -> impl Strategy<Value = UserId> {
    "[a-z@用]{1,9}".prop_map(|text| UserId::new(&text).unwrap())
}

fn content() -> impl Strategy<Value = Bytes> {
    prop::collection::vec(any::<u8>(), 0..40).prop_map(Bytes::from)
}

fn delivery() -> impl Strategy<Value = Delivery> {
    any::<[bool; 8]>().prop_map(|flags| Delivery {
        online_only: false,
        hidden_from_sender: flags[0],
        hidden_from_recipient: flags[1],
        no_unread: flags[2],
        no_last: flags[3],
        needs_receipt: flags[4],
        extensible: flags[5],
        marked: flags[6],
        imported: flags[7],
    })
}

prop_compose! {
    fn fate()(version in prop_oneof![Just(0), any::<u32>()], flags in any::<[bool; 4]>()) -> Fate {
        let [recalled, confirmed, low, high] = flags;
        Fate { recalled, version, confirmed, deleted: [low, high] }
    }
}

prop_compose! {
    fn message()(from in user(), to in user(), numbers in any::<[u64; 3]>(), wire in any::<[u32; 3]>(),
                 own in any::<bool>(), given in any::<bool>(), contents in [content(), content(), content()],
                 delivery in delivery(), fate in fate()) -> Message {
        let [time_s, seq, client_time_s] = numbers;
        let [body, custom_data, offline_push] = contents;
        Message {
            from, to, time_s, seq, client_time_s, body, custom_data, offline_push, delivery, fate,
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
    fn after_send()(message in message(), kind in 0..12_usize, online_only in any::<bool>(), unread in any::<u32>()) -> AfterSend {
        let refused = Refusal::ALL.get(kind).map(|refusal| Outcome::Refused(*refusal));
        AfterSend {
            from: message.from,
            to: message.to,
            time_s: message.time_s,
            outcome: refused.unwrap_or(Outcome::Delivered { unread }),
            wire_seq: message.wire_seq,
            random: message.random,
            client_time_s: message.client_time_s,
            online_only,
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
        AfterExtension { message, change, items: extension_items(items), version }
    }
}

fn extension_items(items: Vec<(String, String, u64)>) -> Vec<ExtensionItem> {
    items.into_iter().map(|(key, value, version)| ExtensionItem { key, value, version }).collect()
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

fn values() -> impl Strategy<Value = BTreeMap<String, ProfileValue>> {
    prop::collection::btree_map(text(), profile_value(), 0..4)
}

prop_compose! {
    fn friend()(added_s in any::<u64>(), texts in [text(), text(), text()],
                groups in prop::collection::vec(any::<u32>(), 0..3), custom in values()) -> Friend {
        let [remark, source, wording] = texts;
        Friend { added_s, remark, groups, source, wording, custom }
    }
}

prop_compose! {
    fn request()(asked_s in any::<u64>(), mutual in any::<bool>(), texts in [text(), text(), text()],
                 group in prop::option::of(text())) -> FriendRequest {
        let [remark, source, wording] = texts;
        FriendRequest { asked_s, mutual, remark, group, source, wording }
    }
}

prop_compose! {
    fn tie()(friend in prop::option::of(friend()), blocked_s in prop::option::of(any::<u64>()),
             request in prop::option::of(request()), kept_by_peer in any::<bool>()) -> Tie {
        Tie { friend, blocked_s, request, kept_by_peer }
    }
}

prop_compose! {
    fn person()(times in any::<[u64; 3]>(), admission in prop::sample::select(&Admission::ALL),
                flags in any::<[bool; 2]>(), counts in any::<[u32; 5]>(), versions in any::<[u64; 2]>(),
                groups in prop::collection::vec((any::<u32>(), text()), 0..4),
                reachable in prop::collection::vec((prop::sample::select(&Platform::ALL), any::<u64>()), 0..3))
        -> Person {
        Person {
            muted_until_s: times[0],
            group_muted_until_s: times[1],
            revoked_s: times[2],
            admission,
            may_ask: flags[0],
            receives: flags[1],
            friends: counts[0],
            blocked: counts[1],
            asked: counts[2],
            pinned: counts[3],
            group_last: counts[4],
            friends_version: versions[0],
            blocklist_version: versions[1],
            groups: groups.into_iter().map(|(id, name)| FriendGroup { id, name }).collect(),
            reachable:
                reachable.into_iter().map(|(platform, until_s)| Reachable { platform, until_s }).collect(),
        }
    }
}

fn notify() -> impl Strategy<Value = Notify> {
    prop::sample::select(&Notify::ALL)
}

prop_compose! {
    fn token()(device in text(), token in text(), provider in prop::sample::select(&PushProvider::ALL),
               set_ms in any::<u64>()) -> PushToken {
        PushToken { device, provider, token, set_ms }
    }
}

fn change(owner: UserId) -> impl Strategy<Value = Change> {
    let place = || (user(), any::<u64>(), any::<u64>());
    prop_oneof![
        place().prop_map(|(peer, time_s, seq)| Change::Message { peer, time_s, seq }),
        place().prop_map(move |(peer, time_s, seq)| Change::Read { reader: owner, peer, time_s, seq }),
        place().prop_map(move |(reader, time_s, seq)| Change::Read { reader, peer: owner, time_s, seq }),
        (place(), prop::sample::select(&Alteration::ALL))
            .prop_map(|((peer, time_s, seq), how)| Change::Altered { peer, time_s, seq, how }),
        (user(), prop::sample::select(&ViewChange::ALL)).prop_map(|(peer, how)| Change::View { peer, how }),
        (user(), prop::sample::select(&RelationNews::ALL))
            .prop_map(|(peer, how)| Change::Relation { peer, how }),
        Just(Change::Profile),
    ]
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
        name().prop_map(Fact::Stored),
        (name(), any::<u32>(), content(), content()).prop_map(|(message, unread, body, custom_data)| {
            Fact::Missed(MissedMessage { message, unread, body, custom_data })
        }),
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
        prop_assert_eq!(message_key(place, &value), Ok(message.key()));
        prop_assert_eq!(decode_message(&message.conversation(AppId(7)), place, &value), Ok(message));
    }

    #[test]
    fn extensions_come_back_as_they_were(
        versions in any::<[u64; 2]>(), items in prop::collection::vec((text(), text(), any::<u64>()), 0..4),
    ) {
        let [latest, cleared] = versions;
        let extensions = Extensions { latest, cleared, items: extension_items(items) };
        let value = encode_extensions(&extensions);
        prop_assert!(believes_only_the_whole(&value, decode_extensions));
        prop_assert_eq!(decode_extensions(&value), Ok(extensions));
    }

    #[test]
    fn a_tie_comes_back_as_it_was(tie in tie()) {
        let value = encode_tie(&tie);
        prop_assert!(believes_only_the_whole(&value, decode_tie));
        prop_assert_eq!(decode_tie(&value), Ok(tie));
    }

    #[test]
    fn an_account_and_a_profile_come_back_as_they_were(
        exists in any::<bool>(), epoch in any::<u64>(), person in person(), is_plain in any::<bool>(),
        profile in values(),
    ) {
        let value = encode_account(exists, epoch, (!is_plain).then_some(&person));
        let person = if is_plain { Person::default() } else { person };
        prop_assert!(believes_only_the_whole(&value, decode_account));
        prop_assert_eq!(account_epoch(&value), Ok(exists.then_some(epoch)));
        prop_assert_eq!(decode_account(&value), Ok(AccountRow { exists, epoch, person }));
        let value = encode_profile(&profile);
        prop_assert!(believes_only_the_whole(&value, decode_profile));
        prop_assert_eq!(decode_profile(&value), Ok(profile));
    }

    #[test]
    fn an_event_comes_back_as_it_was(draft in draft(), offset in any::<u64>()) {
        let id = event_id(offset);
        let mut value = Vec::new();
        encode_event(&draft, &mut value);
        prop_assert_eq!(recorded_ms(&value), Ok(draft.recorded_ms));
        let refused = match &draft.fact {
            Fact::AfterSend(AfterSend { outcome: Outcome::Refused(_), random, .. }) => {
                Some((draft.conversation, *random))
            }
            _ => None,
        };
        prop_assert_eq!(refused_send(AppId(7), &value), Ok(refused));
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
    fn a_log_entry_comes_back_as_it_was(
        (owner, change) in user().prop_flat_map(|owner| (Just(owner), change(owner))), unread in any::<u32>(),
    ) {
        let entry = LogEntry { offset: 9, unread, change };
        let mut value = Vec::new();
        encode_log_entry(&owner, &entry, &mut value);
        prop_assert!(believes_only_the_whole(&value, |value| decode_log_entry(&owner, 9, value)));
        prop_assert_eq!(decode_log_entry(&owner, 9, &value), Ok(entry));
    }

    #[test]
    fn a_conversation_comes_back_as_it_was(numbers in any::<[[u64; 8]; 2]>(), unread in any::<[u32; 2]>(),
                                           notify in [notify(), notify()], last in any::<[u64; 2]>()) {
        let view = |at: usize| {
            let [read_seq, read_time_s, cleared_seq, oldest_s, head_seq, head_time_s, pinned_ms, read_until_s] =
                numbers[at];
            View {
                unread: unread[at], notify: notify[at], read_seq, read_time_s, cleared_seq, oldest_s, head_seq,
                head_time_s, pinned_ms, read_until_s,
            }
        };
        let conversation = Conversation { seq: last[0], time_s: last[1], sides: [view(0), view(1)] };
        let mut value = Vec::new();
        encode_conversation(&conversation, &mut value);
        prop_assert!(believes_only_the_whole(&value, decode_conversation));
        prop_assert_eq!(decode_conversation(&value), Ok(conversation));
    }

    #[test]
    fn notes_and_tokens_come_back_as_they_were(marks in any::<u64>(), custom in text(), owner in user(),
                                               tokens in prop::collection::vec(token(), 0..4)) {
        let notes = Notes { marks, custom };
        let value = encode_notes(&notes);
        prop_assert!(believes_only_the_whole(&value, decode_notes));
        prop_assert_eq!(decode_notes(&value), Ok(notes));
        let value = encode_tokens(&tokens);
        prop_assert!(believes_only_the_whole(&value, decode_tokens));
        prop_assert_eq!(decode_tokens(&value), Ok(tokens));
        let value = encode_token_owner(&owner);
        prop_assert!(believes_only_the_whole(&value, decode_token_owner));
        prop_assert_eq!(decode_token_owner(&value), Ok(owner));
    }

    #[test]
    fn a_route_and_an_exception_come_back_as_they_were(numbers in any::<[u64; 4]>(), words in ".{0,9}",
                                                       parked in any::<bool>(), low in user(), high in user()) {
        let tenure = Tenure { fence: Fence(numbers[2]), turn: numbers[3] };
        let row = RouteRow { tenure, cursor: numbers[0], deliveries_last: numbers[1] };
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
            last_failure: words,
        };
        let value = encode_exception(&exception);
        prop_assert!(believes_only_the_whole(&value, |value| decode_exception(AppId(7), 4, value)));
        prop_assert_eq!(decode_exception(AppId(7), 4, &value), Ok(exception));
    }

    #[test]
    fn leases_come_back_as_they_were(last in any::<u64>(), held in any::<[(u64, u64); 3]>()) {
        let slots = [0, 7, 63].map(Slot).into_iter();
        let holders = held.map(|(node, fence)| (NodeId(node), Fence(fence)));
        let table = LeaseTable {
            nodes: held.map(|(node, beat)| (NodeId(node), beat)).into(),
            held: slots.zip(holders).collect(),
            last,
        };
        let value = encode_leases(&table);
        prop_assert!(believes_only_the_whole(&value, decode_leases));
        prop_assert_eq!(decode_leases(&value), Ok(table));
    }

    #[test]
    fn no_bytes_make_a_decoder_panic(value in prop::collection::vec(any::<u8>(), 0..60), version in 0..4_u8) {
        let mut value = value;
        if version > 0 && let Some(first) = value.first_mut() {
            *first = version;
        }
        let user = UserId::new("ana").unwrap();
        let id = ConversationId::new(AppId(7), user, user);
        let place = Place { time_s: 1, seq: 1 };
        let first = [
            decode_extensions(&value).is_ok(),
            decode_profile(&value).is_ok(),
            decode_tie(&value).is_ok(),
            decode_log_entry(&user, 1, &value).is_ok(),
            decode_event(event_id(1), &value).is_ok(),
            refused_send(AppId(7), &value).is_ok(),
            decode_exception(AppId(7), 1, &value).is_ok(),
            decode_lane(&value).is_ok(),
            decode_leases(&value).is_ok(),
            decode_failure(&value).is_ok(),
            all_deliveries(1, &value).is_ok(),
            decode_notes(&value).is_ok(),
            decode_tokens(&value).is_ok(),
            decode_token_owner(&value).is_ok(),
        ];
        prop_assert!(first == [false; 14] || value[0] == VERSION);
        let second = [
            decode_account(&value).is_ok(),
            account_epoch(&value).is_ok(),
            decode_message(&id, place, &value).is_ok(),
            message_key(place, &value).is_ok(),
        ];
        prop_assert!(second == [false; 4] || value[0] == SECOND);
        prop_assert!(decode_route(&value).is_err() || [VERSION, SECOND].contains(&value[0]));
        prop_assert!(decode_conversation(&value).is_err() || [SECOND, THIRD].contains(&value[0]));
    }
}

/// Stores that were written before there were leases are opened.
#[test]
fn a_route_of_the_first_version_is_read() {
    let row = RouteRow { cursor: 300, deliveries_last: 2, ..RouteRow::default() };
    assert_eq!(decode_route(&[VERSION, 0xac, 0x02, 2]), Ok(row));
    assert_eq!(encode_route(row), [SECOND, 0xac, 0x02, 2, 0, 0]);
    assert!(decode_route(&[VERSION, 0xac, 0x02, 2, 0, 0]).is_err());
}

/// Stores that were written before views said what is read and what is wanted are opened.
#[test]
fn a_conversation_of_the_second_version_is_read() {
    let mut value = vec![SECOND];
    for number in [9, 200, 1, 8, 150, 2, 50, 9, 200, 77, 0, 9, 0, 0, 0, 9, 200, 0] {
        put_number(&mut value, number);
    }
    let mine = View {
        unread: 1,
        read_seq: 8,
        read_time_s: 150,
        cleared_seq: 2,
        oldest_s: 50,
        head_seq: 9,
        head_time_s: 200,
        pinned_ms: 77,
        read_until_s: 150,
        notify: Notify::Ring,
    };
    let theirs = View { read_seq: 9, head_seq: 9, head_time_s: 200, read_until_s: 200, ..View::default() };
    let conversation = Conversation { seq: 9, time_s: 200, sides: [mine, theirs] };
    assert!(believes_only_the_whole(&value, decode_conversation));
    assert_eq!(decode_conversation(&value), Ok(conversation));
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
