//! The value of an event.

use super::{Contents, VERSION, flags, unflags, versioned};
use crate::embedded::notation::{Broken, Cursor, put_bytes, put_number, put_user};
use chat::event::{AfterRead, AfterSend};
use chat::id::{ConversationId, UserId};
use chat::{Event, EventDraft, EventId, Fact, Origin, Outcome, Platform, Refusal};
use std::net::IpAddr;

const AFTER_SEND: u8 = 1;
const AFTER_READ: u8 = 2;

const DELIVERED: u8 = 1;
const REFUSED: u8 = 2;

/// Appends the value. The conversation is not written: it is that of the fact's two people.
pub(in crate::embedded) fn encode_event(draft: &EventDraft, out: &mut Vec<u8>) {
    out.push(VERSION);
    // Stands in front and in eight bytes, since trimming reads nothing else.
    out.extend_from_slice(&draft.recorded_ms.to_be_bytes());
    put_origin(out, draft.origin);
    match &draft.fact {
        Fact::AfterSend(send) => {
            out.push(AFTER_SEND);
            put_user(out, &send.from);
            put_user(out, &send.to);
            put_send(out, send);
        }
        Fact::AfterRead(read) => {
            out.push(AFTER_READ);
            put_user(out, &read.reader);
            put_user(out, &read.peer);
            put_number(out, read.last_read_s);
            put_number(out, u64::from(read.unread));
        }
    }
}

pub(in crate::embedded) fn decode_event(id: EventId, value: &[u8]) -> Result<Event, Broken> {
    let mut cursor = versioned(value)?;
    let recorded_ms = u64::from_be_bytes(cursor.array()?);
    let origin = take_origin(&mut cursor)?;
    let kind = cursor.byte()?;
    let (one, other) = (cursor.user()?, cursor.user()?);
    let fact = match kind {
        AFTER_SEND => Fact::AfterSend(take_send([one, other], value, &mut cursor)?),
        AFTER_READ => {
            let (last_read_s, unread) = (cursor.number()?, cursor.number_u32()?);
            cursor.end()?;
            Fact::AfterRead(AfterRead { reader: one, peer: other, last_read_s, unread })
        }
        _ => return Err("it is a fact of no known kind"),
    };
    let conversation = ConversationId::new(id.lane.app, one, other);
    Ok(Event { id, recorded_ms, conversation, origin, fact })
}

/// When an event was recorded, without looking at the rest.
pub(in crate::embedded) fn recorded_ms(value: &[u8]) -> Result<u64, Broken> {
    Ok(u64::from_be_bytes(versioned(value)?.array()?))
}

/// Whom a fact is about, and how large it is.
pub(in crate::embedded) fn people_and_bytes(fact: &Fact) -> ([UserId; 2], usize) {
    match fact {
        Fact::AfterSend(send) => ([send.from, send.to], send.body.len() + send.custom_data.len()),
        Fact::AfterRead(read) => ([read.reader, read.peer], 0),
    }
}

fn put_send(out: &mut Vec<u8>, send: &AfterSend) {
    out.push(flags([send.online_only, send.marked]));
    match send.outcome {
        Outcome::Delivered { unread } => {
            out.push(DELIVERED);
            put_number(out, u64::from(unread));
        }
        Outcome::Refused(refusal) => out.extend_from_slice(&[REFUSED, refusal as u8]),
    }
    put_number(out, u64::from(send.wire_seq));
    out.extend_from_slice(&send.random.to_be_bytes());
    put_number(out, send.time_s);
    put_number(out, send.client_time_s);
    put_bytes(out, &send.custom_data);
    out.extend_from_slice(&send.body);
}

fn take_send([from, to]: [UserId; 2], value: &[u8], cursor: &mut Cursor<'_>) -> Result<AfterSend, Broken> {
    let [online_only, marked] = unflags(cursor.byte()?)?;
    let outcome = match cursor.byte()? {
        DELIVERED => Outcome::Delivered { unread: cursor.number_u32()? },
        REFUSED => {
            let number = cursor.byte()?;
            let refusal = Refusal::ALL.into_iter().find(|refusal| *refusal as u8 == number);
            Outcome::Refused(refusal.ok_or("it is a refusal of no known kind")?)
        }
        _ => return Err("it is an outcome of no known kind"),
    };
    let wire_seq = cursor.number_u32()?;
    let random = u32::from_be_bytes(cursor.array()?);
    let (time_s, client_time_s) = (cursor.number()?, cursor.number()?);
    let custom_data = cursor.bytes_span()?;
    let body = cursor.rest_span();
    let contents = Contents::copied(value, custom_data.start);
    Ok(AfterSend {
        from,
        to,
        wire_seq,
        random,
        time_s,
        client_time_s,
        online_only,
        marked,
        outcome,
        body: contents.part(body),
        custom_data: contents.part(custom_data),
    })
}

fn put_origin(out: &mut Vec<u8>, origin: Origin) {
    out.push(origin.platform as u8);
    match origin.ip {
        IpAddr::V4(ip) => {
            out.push(4);
            out.extend_from_slice(&ip.octets());
        }
        IpAddr::V6(ip) => {
            out.push(6);
            out.extend_from_slice(&ip.octets());
        }
    }
}

fn take_origin(cursor: &mut Cursor<'_>) -> Result<Origin, Broken> {
    let number = cursor.byte()?;
    let platform = Platform::ALL.into_iter().find(|platform| *platform as u8 == number);
    let platform = platform.ok_or("it is of no known platform")?;
    let ip = match cursor.byte()? {
        4 => IpAddr::from(cursor.array::<4>()?),
        6 => IpAddr::from(cursor.array::<16>()?),
        _ => return Err("it comes from an address of no known kind"),
    };
    Ok(Origin { ip, platform })
}
