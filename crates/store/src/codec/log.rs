//! The value of a log entry.

use super::{VERSION, versioned};
use crate::notation::{Broken, Cursor, put_number, put_user};
use chat::conversation::{Alteration, Change, LogEntry, RelationNews, ViewChange};
use chat::id::UserId;

const MESSAGE: u8 = 1;
/// The log's owner has read.
const READ: u8 = 2;
/// The peer of the log's owner has read.
const READ_BY_PEER: u8 = 3;
const ALTERED: u8 = 4;
const VIEW: u8 = 5;
const RELATION: u8 = 6;
const PROFILE: u8 = 7;

pub(crate) fn encode_log_entry(owner: &UserId, entry: &LogEntry, out: &mut Vec<u8>) {
    let kind = match &entry.change {
        Change::Message { .. } => MESSAGE,
        Change::Read { reader, .. } if reader == owner => READ,
        Change::Read { .. } => READ_BY_PEER,
        Change::Altered { .. } => ALTERED,
        Change::View { .. } => VIEW,
        Change::Relation { .. } => RELATION,
        Change::Profile => PROFILE,
    };
    out.extend_from_slice(&[VERSION, kind]);
    put_number(out, u64::from(entry.unread));
    match &entry.change {
        Change::Message { peer, time_s, seq } => put_place(out, *time_s, *seq, peer),
        Change::Read { reader, peer, time_s, seq } => {
            put_place(out, *time_s, *seq, if reader == owner { peer } else { reader });
        }
        Change::Altered { peer, time_s, seq, how } => {
            out.push(*how as u8);
            put_place(out, *time_s, *seq, peer);
        }
        Change::View { peer, how } => {
            out.push(*how as u8);
            put_user(out, peer);
        }
        Change::Relation { peer, how } => {
            out.push(*how as u8);
            put_user(out, peer);
        }
        Change::Profile => {}
    }
}

fn put_place(out: &mut Vec<u8>, time_s: u64, seq: u64, other: &UserId) {
    put_number(out, time_s);
    put_number(out, seq);
    put_user(out, other);
}

pub(crate) fn decode_log_entry(owner: &UserId, offset: u64, value: &[u8]) -> Result<LogEntry, Broken> {
    let mut cursor = versioned(value)?;
    let kind = cursor.byte()?;
    let unread = cursor.number_u32()?;
    let change = take_change(kind, owner, &mut cursor)?;
    cursor.end()?;
    Ok(LogEntry { offset, unread, change })
}

fn take_change(kind: u8, owner: &UserId, cursor: &mut Cursor<'_>) -> Result<Change, Broken> {
    Ok(match kind {
        MESSAGE => {
            let (time_s, seq, peer) = take_place(cursor)?;
            Change::Message { peer, time_s, seq }
        }
        READ => {
            let (time_s, seq, peer) = take_place(cursor)?;
            Change::Read { reader: *owner, peer, time_s, seq }
        }
        READ_BY_PEER => {
            let (time_s, seq, reader) = take_place(cursor)?;
            Change::Read { reader, peer: *owner, time_s, seq }
        }
        ALTERED => {
            let number = cursor.byte()?;
            let how = Alteration::ALL.into_iter().find(|how| *how as u8 == number);
            let how = how.ok_or("it is an alteration of no known kind")?;
            let (time_s, seq, peer) = take_place(cursor)?;
            Change::Altered { peer, time_s, seq, how }
        }
        VIEW => {
            let number = cursor.byte()?;
            let how = ViewChange::ALL.into_iter().find(|how| *how as u8 == number);
            Change::View { how: how.ok_or("it is a view of no known kind")?, peer: cursor.user()? }
        }
        RELATION => {
            let number = cursor.byte()?;
            let how = RelationNews::ALL.into_iter().find(|how| *how as u8 == number);
            Change::Relation { how: how.ok_or("it is a relation of no known kind")?, peer: cursor.user()? }
        }
        PROFILE => Change::Profile,
        _ => return Err("it is a change of no known kind"),
    })
}

fn take_place(cursor: &mut Cursor<'_>) -> Result<(u64, u64, UserId), Broken> {
    Ok((cursor.number()?, cursor.number()?, cursor.user()?))
}
