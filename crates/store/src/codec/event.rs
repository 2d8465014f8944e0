//! The value of an event.
//!
//! What stands in front is the same for all; what follows is in a file for what happens to messages, and in one for
//! what happens to people.

use super::message::{put_extension_items, take_extension_items};
use super::person::{put_values, take_values};
use super::{Contents, VERSION, flags, take_items, take_platform, unflags, versioned};
use crate::notation::{Broken, Cursor, put_bytes, put_number, put_user};
use chat::id::ConversationId;
use chat::{AppId, Event, EventDraft, EventId, Fact, Origin};
use std::net::IpAddr;

mod message;
mod person;

const AFTER_SEND: u8 = 1;
const AFTER_READ: u8 = 2;
const AFTER_RECALL: u8 = 3;
const AFTER_EDIT: u8 = 4;
const AFTER_EXTENSION: u8 = 5;
const STATE: u8 = 6;
const RELATION: u8 = 7;
const PROFILE: u8 = 8;
const STORED: u8 = 9;
const MISSED: u8 = 10;

/// Appends the value. The conversation is not written: it is that of the fact's two people.
pub(crate) fn encode_event(draft: &EventDraft, out: &mut Vec<u8>) {
    out.push(VERSION);
    // Stands in front and in eight bytes, since trimming reads nothing else.
    out.extend_from_slice(&draft.recorded_ms.to_be_bytes());
    put_origin(out, draft.origin);
    out.push(kind(&draft.fact));
    match &draft.fact {
        Fact::AfterSend(fact) => message::put_send(out, fact),
        Fact::AfterRead(fact) => message::put_read(out, fact),
        Fact::AfterRecall(fact) => message::put_recall(out, fact),
        Fact::AfterEdit(fact) => message::put_edit(out, fact),
        Fact::AfterExtension(fact) => message::put_extension(out, fact),
        Fact::State(fact) => person::put_state(out, fact),
        Fact::Relation(fact) => person::put_relation(out, fact),
        Fact::Profile(fact) => person::put_profile(out, fact),
        Fact::Stored(message) => message::put_name(out, message),
        Fact::Missed(fact) => message::put_missed(out, fact),
    }
}

pub(crate) fn decode_event(id: EventId, value: &[u8]) -> Result<Event, Broken> {
    let mut cursor = versioned(value)?;
    let recorded_ms = u64::from_be_bytes(cursor.array()?);
    let origin = take_origin(&mut cursor)?;
    let fact = match cursor.byte()? {
        AFTER_SEND => Fact::AfterSend(message::take_send(value, &mut cursor)?),
        AFTER_READ => Fact::AfterRead(message::take_read(&mut cursor)?),
        AFTER_RECALL => Fact::AfterRecall(message::take_recall(&mut cursor)?),
        AFTER_EDIT => Fact::AfterEdit(message::take_edit(value, &mut cursor)?),
        AFTER_EXTENSION => Fact::AfterExtension(message::take_extension(&mut cursor)?),
        STATE => Fact::State(person::take_state(&mut cursor)?),
        RELATION => Fact::Relation(person::take_relation(&mut cursor)?),
        PROFILE => Fact::Profile(person::take_profile(&mut cursor)?),
        STORED => Fact::Stored(message::take_name(&mut cursor)?),
        MISSED => Fact::Missed(message::take_missed(value, &mut cursor)?),
        _ => return Err("it is a fact of no known kind"),
    };
    cursor.end()?;
    let [one, other] = fact.people();
    let conversation = ConversationId::new(id.lane.app, one, other);
    Ok(Event { id, recorded_ms, conversation, origin, fact })
}

/// When an event was recorded, without looking at the rest.
pub(crate) fn recorded_ms(value: &[u8]) -> Result<u64, Broken> {
    Ok(u64::from_be_bytes(versioned(value)?.array()?))
}

/// The conversation and the random number of a send, if the event tells that one was refused, without looking at the
/// rest.
pub(crate) fn refused_send(app: AppId, value: &[u8]) -> Result<Option<(ConversationId, u32)>, Broken> {
    let mut cursor = versioned(value)?;
    cursor.array::<8>()?;
    take_origin(&mut cursor)?;
    if cursor.byte()? != AFTER_SEND { Ok(None) } else { message::take_refused(app, &mut cursor) }
}

fn kind(fact: &Fact) -> u8 {
    match fact {
        Fact::AfterSend(_) => AFTER_SEND,
        Fact::AfterRead(_) => AFTER_READ,
        Fact::AfterRecall(_) => AFTER_RECALL,
        Fact::AfterEdit(_) => AFTER_EDIT,
        Fact::AfterExtension(_) => AFTER_EXTENSION,
        Fact::State(_) => STATE,
        Fact::Relation(_) => RELATION,
        Fact::Profile(_) => PROFILE,
        Fact::Stored(_) => STORED,
        Fact::Missed(_) => MISSED,
    }
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
    let platform = take_platform(cursor)?;
    let ip = match cursor.byte()? {
        4 => IpAddr::from(cursor.array::<4>()?),
        6 => IpAddr::from(cursor.array::<16>()?),
        _ => return Err("it comes from an address of no known kind"),
    };
    Ok(Origin { ip, platform })
}
