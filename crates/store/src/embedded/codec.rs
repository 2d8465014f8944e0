//! What the value of every row looks like.
//!
//! The first byte is the version of the row; a reader refuses one it does not know. What a key says is not said
//! again in the value.

use super::notation::{Broken, Cursor, put_bytes, put_number, put_user};
use bytes::Bytes;
use chat::conversation::{Change, Conversation, LogEntry, Place, View};
use chat::id::{ConversationId, UserId};
use chat::{Delivery, Message};
use std::ops::Range;

mod attempt;
mod event;
mod exception;

pub(super) use attempt::{
    DELIVERIES_SPAN_MS_MAX, decode_deliveries, decode_failure, deliveries_rows, encode_deliveries,
    encode_failure,
};
pub(super) use event::{decode_event, encode_event, recorded_ms};
pub(super) use exception::{decode_exception, encode_exception};

const VERSION: u8 = 1;

/// A person of the app, as far as the row of an account says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AccountRow {
    /// A deleted account keeps its row, so that the next one of that name gets another epoch.
    pub(super) exists: bool,
    pub(super) epoch: u64,
    pub(super) nick: Option<String>,
    pub(super) face_url: Option<String>,
}

pub(super) fn encode_account(row: &AccountRow) -> Vec<u8> {
    let mut out = vec![VERSION, flags([row.exists, row.nick.is_some(), row.face_url.is_some()])];
    put_number(&mut out, row.epoch);
    for text in [&row.nick, &row.face_url].into_iter().flatten() {
        put_bytes(&mut out, text.as_bytes());
    }
    out
}

pub(super) fn decode_account(value: &[u8]) -> Result<AccountRow, Broken> {
    let mut cursor = versioned(value)?;
    let [exists, nick, face_url] = unflags(cursor.byte()?)?;
    let epoch = cursor.number()?;
    let nick = nick.then(|| cursor.text().map(str::to_owned)).transpose()?;
    let face_url = face_url.then(|| cursor.text().map(str::to_owned)).transpose()?;
    cursor.end()?;
    Ok(AccountRow { exists, epoch, nick, face_url })
}

pub(super) fn encode_conversation(conversation: &Conversation, out: &mut Vec<u8>) {
    out.push(VERSION);
    put_number(out, conversation.seq);
    put_number(out, conversation.time_s);
    for view in &conversation.sides {
        put_number(out, u64::from(view.unread));
        for number in [view.read_seq, view.cleared_seq, view.head_seq, view.head_time_s] {
            put_number(out, number);
        }
    }
}

pub(super) fn decode_conversation(value: &[u8]) -> Result<Conversation, Broken> {
    let mut cursor = versioned(value)?;
    let mut conversation =
        Conversation { seq: cursor.number()?, time_s: cursor.number()?, ..Conversation::default() };
    for view in &mut conversation.sides {
        *view = View {
            unread: cursor.number_u32()?,
            read_seq: cursor.number()?,
            cleared_seq: cursor.number()?,
            head_seq: cursor.number()?,
            head_time_s: cursor.number()?,
        };
    }
    cursor.end()?;
    Ok(conversation)
}

pub(super) fn encode_message(message: &Message, out: &mut Vec<u8>) {
    let Delivery { online_only, hidden_from_sender, no_unread, no_last, needs_receipt, extensible, marked } =
        message.delivery;
    out.push(VERSION);
    out.push(flags([online_only, hidden_from_sender, no_unread, no_last, needs_receipt, extensible, marked]));
    let wire_seq_is_own = message.wire_seq != message.seq as u32;
    out.push(flags([message.from > message.to, message.wire_seq_given, wire_seq_is_own]));
    if wire_seq_is_own {
        put_number(out, u64::from(message.wire_seq));
    }
    out.extend_from_slice(&message.random.to_be_bytes());
    out.extend_from_slice(&message.content_crc.to_be_bytes());
    put_number(out, message.client_time_s);
    put_bytes(out, &message.custom_data);
    put_bytes(out, &message.offline_push);
    out.extend_from_slice(&message.body);
}

pub(super) fn decode_message(id: &ConversationId, place: Place, value: &[u8]) -> Result<Message, Broken> {
    let mut cursor = versioned(value)?;
    let [online_only, hidden_from_sender, no_unread, no_last, needs_receipt, extensible, marked] =
        unflags(cursor.byte()?)?;
    let [from_high, wire_seq_given, wire_seq_is_own] = unflags(cursor.byte()?)?;
    let wire_seq = if wire_seq_is_own { cursor.number_u32()? } else { place.seq as u32 };
    let random = u32::from_be_bytes(cursor.array()?);
    let content_crc = u32::from_be_bytes(cursor.array()?);
    let client_time_s = cursor.number()?;
    let (custom_data, offline_push) = (cursor.bytes_span()?, cursor.bytes_span()?);
    let body = cursor.rest_span();
    let contents = Contents::copied(value, custom_data.start);
    let (from, to) = if from_high { (id.high, id.low) } else { (id.low, id.high) };
    Ok(Message {
        from,
        to,
        time_s: place.time_s,
        seq: place.seq,
        wire_seq,
        wire_seq_given,
        random,
        client_time_s,
        body: contents.part(body),
        custom_data: contents.part(custom_data),
        offline_push: contents.part(offline_push),
        content_crc,
        delivery: Delivery {
            online_only,
            hidden_from_sender,
            no_unread,
            no_last,
            needs_receipt,
            extensible,
            marked,
        },
    })
}

/// The opaque parts at the end of a value, in one copy.
///
/// Sharing the engine's memory instead would keep a block of its cache alive for as long as somebody holds one small
/// message.
struct Contents {
    bytes: Bytes,
    /// Where they stand in the value.
    start: usize,
}

impl Contents {
    fn copied(value: &[u8], start: usize) -> Self {
        Self { bytes: Bytes::copy_from_slice(&value[start..]), start }
    }

    fn part(&self, span: Range<usize>) -> Bytes {
        self.bytes.slice(span.start - self.start..span.end - self.start)
    }
}

const LOG_MESSAGE: u8 = 1;
/// The log's owner has read.
const LOG_READ: u8 = 2;
/// The peer of the log's owner has read.
const LOG_READ_BY_PEER: u8 = 3;

pub(super) fn encode_log_entry(owner: &UserId, entry: &LogEntry, out: &mut Vec<u8>) {
    let (kind, other, time_s, seq) = match &entry.change {
        Change::Message { peer, time_s, seq } => (LOG_MESSAGE, peer, time_s, seq),
        Change::Read { reader, peer, time_s, seq } if reader == owner => (LOG_READ, peer, time_s, seq),
        Change::Read { reader, time_s, seq, .. } => (LOG_READ_BY_PEER, reader, time_s, seq),
    };
    out.extend_from_slice(&[VERSION, kind]);
    put_number(out, u64::from(entry.unread));
    put_number(out, *time_s);
    put_number(out, *seq);
    put_user(out, other);
}

pub(super) fn decode_log_entry(owner: &UserId, offset: u64, value: &[u8]) -> Result<LogEntry, Broken> {
    let mut cursor = versioned(value)?;
    let kind = cursor.byte()?;
    let unread = cursor.number_u32()?;
    let (time_s, seq, other) = (cursor.number()?, cursor.number()?, cursor.user()?);
    cursor.end()?;
    let change = match kind {
        LOG_MESSAGE => Change::Message { peer: other, time_s, seq },
        LOG_READ => Change::Read { reader: *owner, peer: other, time_s, seq },
        LOG_READ_BY_PEER => Change::Read { reader: other, peer: *owner, time_s, seq },
        _ => return Err("it is a change of no known kind"),
    };
    Ok(LogEntry { offset, unread, change })
}

/// What the row of a lane says. Where the lane ends, its last event says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LaneRow {
    pub(super) epoch: u64,
    /// No event up to here is left, so scans start behind it.
    pub(super) gone: u64,
}

pub(super) fn encode_lane(row: LaneRow) -> Vec<u8> {
    let mut out = vec![VERSION];
    put_number(&mut out, row.epoch);
    put_number(&mut out, row.gone);
    out
}

pub(super) fn decode_lane(value: &[u8]) -> Result<LaneRow, Broken> {
    let mut cursor = versioned(value)?;
    let row = LaneRow { epoch: cursor.number()?, gone: cursor.number()? };
    cursor.end()?;
    Ok(row)
}

/// How far an endpoint was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct RouteRow {
    pub(super) cursor: u64,
    /// Number of the last row of deliveries. It keeps their keys apart, whatever the time was.
    pub(super) deliveries_last: u64,
}

pub(super) fn encode_route(row: RouteRow) -> Vec<u8> {
    let mut out = vec![VERSION];
    put_number(&mut out, row.cursor);
    put_number(&mut out, row.deliveries_last);
    out
}

pub(super) fn decode_route(value: &[u8]) -> Result<RouteRow, Broken> {
    let mut cursor = versioned(value)?;
    let row = RouteRow { cursor: cursor.number()?, deliveries_last: cursor.number()? };
    cursor.end()?;
    Ok(row)
}

/// A row whose key says everything.
pub(super) const MARK: &[u8] = &[VERSION];

fn versioned(value: &[u8]) -> Result<Cursor<'_>, Broken> {
    let mut cursor = Cursor::new(value);
    if cursor.byte()? != VERSION {
        return Err("it is of a version this program does not know");
    }
    Ok(cursor)
}

fn flags<const N: usize>(bits: [bool; N]) -> u8 {
    const { assert!(N <= 8, "they share a byte") };
    bits.into_iter().enumerate().fold(0, |byte, (at, bit)| byte | u8::from(bit) << at)
}

fn unflags<const N: usize>(byte: u8) -> Result<[bool; N], Broken> {
    if N < 8 && byte >> N != 0 {
        return Err("it has flags this program does not know");
    }
    Ok(std::array::from_fn(|at| byte >> at & 1 == 1))
}

#[cfg(test)]
mod tests;
