use super::*;
use bytes::Bytes;
use chat::dispatch::{Exception, ExceptionState};
use chat::event::{AfterRead, AfterSend};
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

prop_compose! {
    fn draft()(message in message(), origin in origin(), recorded_ms in any::<u64>(), kind in 0..9_usize,
               unread in any::<u32>()) -> EventDraft {
        let Message { from, to, time_s, .. } = message;
        let outcome =
            Refusal::ALL.get(kind).map_or(Outcome::Delivered { unread }, |refusal| Outcome::Refused(*refusal));
        let fact = if kind == 8 {
            Fact::AfterRead(AfterRead { reader: from, peer: to, last_read_s: time_s, unread })
        } else {
            Fact::AfterSend(AfterSend {
                from, to, time_s, outcome,
                wire_seq: message.wire_seq,
                random: message.random,
                client_time_s: message.client_time_s,
                online_only: message.delivery.online_only,
            marked: false,
                body: message.body,
                custom_data: message.custom_data,
            })
        };
        EventDraft { recorded_ms, conversation: ConversationId::new(AppId(7), from, to), origin, fact }
    }
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
        let id = EventId { lane: Lane { app: AppId(7), index: 0 }, epoch: 5, offset };
        let mut value = Vec::new();
        encode_event(&draft, &mut value);
        prop_assert_eq!(recorded_ms(&value), Ok(draft.recorded_ms));
        prop_assert_eq!(decode_event(id, &value), Ok(draft.at(id)));
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
        let exception = Exception {
            offset: 4,
            conversation: ConversationId { app: AppId(7), low, high },
            state: if parked {
                ExceptionState::Parked { at_ms: numbers[1] }
            } else {
                ExceptionState::Held { due_ms: numbers[1] }
            },
            attempts: 3,
            first_attempt_ms: numbers[2],
            last_failure: nick,
        };
        prop_assert_eq!(decode_exception(AppId(7), 4, &encode_exception(&exception)), Ok(exception));
    }

    #[test]
    fn no_bytes_make_a_decoder_panic(value in prop::collection::vec(any::<u8>(), 0..60), right in any::<bool>()) {
        let mut value = value;
        if right && let Some(first) = value.first_mut() {
            *first = VERSION;
        }
        let user = UserId::new("ana").unwrap();
        let id = ConversationId::new(AppId(7), user, user);
        let event = EventId { lane: Lane { app: AppId(7), index: 0 }, epoch: 5, offset: 1 };
        let outcomes = [
            decode_account(&value).is_ok(),
            decode_conversation(&value).is_ok(),
            decode_message(&id, Place { time_s: 1, seq: 1 }, &value).is_ok(),
            decode_log_entry(&user, 1, &value).is_ok(),
            decode_event(event, &value).is_ok(),
            decode_exception(AppId(7), 1, &value).is_ok(),
            decode_lane(&value).is_ok(),
            decode_route(&value).is_ok(),
        ];
        prop_assert!(right || outcomes == [false; 8] || value.first() == Some(&VERSION));
    }
}
