//! What the value of every row looks like.
//!
//! The first byte is the version of that kind of row; a reader refuses one it does not know. What a key says is not
//! said again in the value.

use super::notation::{Broken, Cursor, put_bytes, put_number, put_user};
use bytes::Bytes;
use chat::Platform;
use chat::UserId;
use chat::contact::Notes;
use chat::conversation::{Conversation, Notify, View};
use chat::lease::Fence;
use chat::port::Tenure;
use std::ops::Range;

mod message;
mod log;
mod person;
mod event;
mod exception;
mod attempt;
mod lease;

pub(super) use attempt::{
    DELIVERIES_SPAN_MS_MAX, decode_deliveries, decode_failure, deliveries_rows, encode_deliveries,
    encode_failure,
};
pub(super) use event::{decode_event, encode_event, recorded_ms, refused_send};
pub(super) use exception::{decode_exception, encode_exception};
pub(super) use lease::{decode_leases, encode_leases};
pub(super) use log::{decode_log_entry, encode_log_entry};
pub(super) use message::{decode_extensions, decode_message, encode_extensions, encode_message, message_key};
pub(super) use person::{
    AccountRow, account_epoch, decode_account, decode_profile, decode_tie, decode_tokens, encode_account,
    encode_profile, encode_tie, encode_tokens,
};

const VERSION: u8 = 1;

/// Version of the rows of accounts, messages and routes, which say more than they did at first. Those of routes were
/// read before as well.
const SECOND: u8 = 2;

/// Version of the rows of conversations. Those of the second are read as well: a view of theirs ends early.
const THIRD: u8 = 3;

pub(super) fn encode_conversation(conversation: &Conversation, out: &mut Vec<u8>) {
    out.push(THIRD);
    put_number(out, conversation.seq);
    put_number(out, conversation.time_s);
    for view in &conversation.sides {
        put_number(out, u64::from(view.unread));
        for number in [view.read_seq, view.read_time_s, view.cleared_seq, view.oldest_s] {
            put_number(out, number);
        }
        for number in [view.head_seq, view.head_time_s, view.pinned_ms] {
            put_number(out, number);
        }
        put_number(out, view.read_until_s);
        out.push(view.notify as u8);
    }
}

pub(super) fn decode_conversation(value: &[u8]) -> Result<Conversation, Broken> {
    let (mut cursor, is_old) = match value.first() {
        Some(&SECOND) => (of_version(value, SECOND)?, true),
        _ => (of_version(value, THIRD)?, false),
    };
    let mut conversation =
        Conversation { seq: cursor.number()?, time_s: cursor.number()?, ..Conversation::default() };
    for view in &mut conversation.sides {
        *view = View {
            unread: cursor.number_u32()?,
            read_seq: cursor.number()?,
            read_time_s: cursor.number()?,
            cleared_seq: cursor.number()?,
            oldest_s: cursor.number()?,
            head_seq: cursor.number()?,
            head_time_s: cursor.number()?,
            pinned_ms: cursor.number()?,
            ..View::default()
        };
        if is_old {
            // What was read as a whole had no time of its own. What is in the list, and read up to the last message,
            // was read after that came.
            let is_whole = view.is_listed() && view.read_seq == conversation.seq;
            view.read_until_s = if is_whole { conversation.time_s } else { view.read_time_s };
        } else {
            view.read_until_s = cursor.number()?;
            view.notify = take_notify(&mut cursor)?;
        }
    }
    cursor.end()?;
    Ok(conversation)
}

fn take_notify(cursor: &mut Cursor<'_>) -> Result<Notify, Broken> {
    let number = cursor.byte()?;
    let notify = Notify::ALL.into_iter().find(|notify| *notify as u8 == number);
    notify.ok_or("it is a notification of no known kind")
}

pub(super) fn encode_notes(notes: &Notes) -> Vec<u8> {
    let mut out = vec![VERSION];
    put_number(&mut out, notes.marks);
    put_bytes(&mut out, notes.custom.as_bytes());
    out
}

pub(super) fn decode_notes(value: &[u8]) -> Result<Notes, Broken> {
    let mut cursor = versioned(value)?;
    let notes = Notes { marks: cursor.number()?, custom: cursor.text()?.to_owned() };
    cursor.end()?;
    Ok(notes)
}

pub(super) fn encode_token_owner(user: &UserId) -> Vec<u8> {
    let mut out = vec![VERSION];
    put_user(&mut out, user);
    out
}

pub(super) fn decode_token_owner(value: &[u8]) -> Result<UserId, Broken> {
    let mut cursor = versioned(value)?;
    let user = cursor.user()?;
    cursor.end()?;
    Ok(user)
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
    pub(super) tenure: Tenure,
    pub(super) cursor: u64,
    /// Number of the last row of deliveries. It keeps their keys apart, whatever the time was.
    pub(super) deliveries_last: u64,
}

pub(super) fn encode_route(row: RouteRow) -> Vec<u8> {
    let mut out = vec![SECOND];
    for number in [row.cursor, row.deliveries_last, row.tenure.fence.0, row.tenure.turn] {
        put_number(&mut out, number);
    }
    out
}

/// A row of the first version was written before anybody had a lease.
pub(super) fn decode_route(value: &[u8]) -> Result<RouteRow, Broken> {
    let (mut cursor, is_old) = match value.first() {
        Some(&VERSION) => (versioned(value)?, true),
        _ => (of_version(value, SECOND)?, false),
    };
    let mut row =
        RouteRow { cursor: cursor.number()?, deliveries_last: cursor.number()?, ..RouteRow::default() };
    if !is_old {
        row.tenure = Tenure { fence: Fence(cursor.number()?), turn: cursor.number()? };
    }
    cursor.end()?;
    Ok(row)
}

/// A row whose key says everything.
pub(super) const MARK: &[u8] = &[VERSION];

fn versioned(value: &[u8]) -> Result<Cursor<'_>, Broken> {
    of_version(value, VERSION)
}

fn of_version(value: &[u8], version: u8) -> Result<Cursor<'_>, Broken> {
    let mut cursor = Cursor::new(value);
    if cursor.byte()? != version {
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

/// As many items as a number in front says. Room is made as they come, since a broken number must not be believed.
fn take_items<T>(
    cursor: &mut Cursor<'_>,
    mut take: impl FnMut(&mut Cursor<'_>) -> Result<T, Broken>,
) -> Result<Vec<T>, Broken> {
    let mut items = Vec::new();
    for _ in 0..cursor.number()? {
        items.push(take(cursor)?);
    }
    Ok(items)
}

fn take_platform(cursor: &mut Cursor<'_>) -> Result<Platform, Broken> {
    let number = cursor.byte()?;
    let platform = Platform::ALL.into_iter().find(|platform| *platform as u8 == number);
    platform.ok_or("it is of no known platform")
}

#[cfg(test)]
mod tests;
