//! The value of a message, and of the key-value pairs that were put on it.

use super::{Contents, SECOND, VERSION, flags, of_version, take_items, unflags, versioned};
use crate::notation::{Broken, Cursor, put_bytes, put_number};
use chat::alter::Extensions;
use chat::conversation::Place;
use chat::event::ExtensionItem;
use chat::id::ConversationId;
use chat::message::{Fate, MessageKey};
use chat::{Delivery, Message};

pub(crate) fn encode_message(message: &Message, out: &mut Vec<u8>) {
    let Delivery {
        online_only,
        hidden_from_sender,
        hidden_from_recipient,
        no_unread,
        no_last,
        needs_receipt,
        extensible,
        marked,
        imported,
    } = message.delivery;
    assert!(!online_only, "what is for those who are online now is not stored");
    let delivery = [
        imported,
        hidden_from_sender,
        no_unread,
        no_last,
        needs_receipt,
        extensible,
        marked,
        hidden_from_recipient,
    ];
    let Fate { recalled, version, confirmed, deleted: [deleted_low, deleted_high] } = message.fate;
    let wire_seq_is_own = message.wire_seq != message.seq as u32;
    let is_edited = version > 0;
    out.extend_from_slice(&[SECOND, flags(delivery)]);
    out.push(flags([
        message.from > message.to,
        message.wire_seq_given,
        wire_seq_is_own,
        recalled,
        is_edited,
        confirmed,
        deleted_low,
        deleted_high,
    ]));
    if wire_seq_is_own {
        put_number(out, u64::from(message.wire_seq));
    }
    out.extend_from_slice(&message.random.to_be_bytes());
    if is_edited {
        put_number(out, u64::from(version));
    }
    out.extend_from_slice(&message.content_crc.to_be_bytes());
    put_number(out, message.client_time_s);
    put_bytes(out, &message.custom_data);
    put_bytes(out, &message.offline_push);
    out.extend_from_slice(&message.body);
}

/// What stands in front of the value.
struct Front {
    delivery: Delivery,
    from_high: bool,
    wire_seq: u32,
    wire_seq_given: bool,
    random: u32,
    fate: Fate,
}

fn take_front(cursor: &mut Cursor<'_>, place: Place) -> Result<Front, Broken> {
    let [
        imported,
        hidden_from_sender,
        no_unread,
        no_last,
        needs_receipt,
        extensible,
        marked,
        hidden_from_recipient,
    ] = unflags(cursor.byte()?)?;
    let [
        from_high,
        wire_seq_given,
        wire_seq_is_own,
        recalled,
        is_edited,
        confirmed,
        deleted_low,
        deleted_high,
    ] = unflags(cursor.byte()?)?;
    let wire_seq = if wire_seq_is_own { cursor.number_u32()? } else { place.seq as u32 };
    let random = u32::from_be_bytes(cursor.array()?);
    let version = if is_edited { cursor.number_u32()? } else { 0 };
    let delivery = Delivery {
        online_only: false,
        hidden_from_sender,
        hidden_from_recipient,
        no_unread,
        no_last,
        needs_receipt,
        extensible,
        marked,
        imported,
    };
    let fate = Fate { recalled, version, confirmed, deleted: [deleted_low, deleted_high] };
    Ok(Front { delivery, from_high, wire_seq, wire_seq_given, random, fate })
}

pub(crate) fn decode_message(id: &ConversationId, place: Place, value: &[u8]) -> Result<Message, Broken> {
    let mut cursor = of_version(value, SECOND)?;
    let front = take_front(&mut cursor, place)?;
    let content_crc = u32::from_be_bytes(cursor.array()?);
    let client_time_s = cursor.number()?;
    let (custom_data, offline_push) = (cursor.bytes_span()?, cursor.bytes_span()?);
    let body = cursor.rest_span();
    let contents = Contents::copied(value, custom_data.start);
    let (from, to) = if front.from_high { (id.high, id.low) } else { (id.low, id.high) };
    Ok(Message {
        from,
        to,
        time_s: place.time_s,
        seq: place.seq,
        wire_seq: front.wire_seq,
        wire_seq_given: front.wire_seq_given,
        random: front.random,
        client_time_s,
        body: contents.part(body),
        custom_data: contents.part(custom_data),
        offline_push: contents.part(offline_push),
        content_crc,
        delivery: front.delivery,
        fate: front.fate,
    })
}

/// How the wire names a message, without looking at the rest.
pub(crate) fn message_key(place: Place, value: &[u8]) -> Result<MessageKey, Broken> {
    let Front { wire_seq, random, .. } = take_front(&mut of_version(value, SECOND)?, place)?;
    Ok(MessageKey { wire_seq, random, time_s: place.time_s })
}

pub(crate) fn encode_extensions(extensions: &Extensions) -> Vec<u8> {
    let mut out = vec![VERSION];
    put_number(&mut out, extensions.latest);
    put_number(&mut out, extensions.cleared);
    put_extension_items(&mut out, &extensions.items);
    out
}

pub(crate) fn decode_extensions(value: &[u8]) -> Result<Extensions, Broken> {
    let mut cursor = versioned(value)?;
    let (latest, cleared) = (cursor.number()?, cursor.number()?);
    let items = take_extension_items(&mut cursor)?;
    cursor.end()?;
    Ok(Extensions { latest, cleared, items })
}

pub(super) fn put_extension_items(out: &mut Vec<u8>, items: &[ExtensionItem]) {
    put_number(out, items.len() as u64);
    for item in items {
        put_bytes(out, item.key.as_bytes());
        put_bytes(out, item.value.as_bytes());
        put_number(out, item.version);
    }
}

pub(super) fn take_extension_items(cursor: &mut Cursor<'_>) -> Result<Vec<ExtensionItem>, Broken> {
    take_items(cursor, |cursor| {
        Ok(ExtensionItem {
            key: cursor.text()?.to_owned(),
            value: cursor.text()?.to_owned(),
            version: cursor.number()?,
        })
    })
}
