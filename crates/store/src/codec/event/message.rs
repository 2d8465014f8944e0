//! What happens to messages.

use super::{
    Broken, Contents, Cursor, flags, put_bytes, put_extension_items, put_number, put_user,
    take_extension_items, unflags,
};
use chat::event::{
    AfterEdit, AfterExtension, AfterRead, AfterRecall, AfterSend, ExtensionChange, MessageName, MissedMessage,
};
use chat::{AppId, ConversationId, Outcome, Refusal};

const DELIVERED: u8 = 1;
const REFUSED: u8 = 2;

pub(super) fn put_send(out: &mut Vec<u8>, send: &AfterSend) {
    put_user(out, &send.from);
    put_user(out, &send.to);
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
    put_bytes(out, &send.body);
}

pub(super) fn take_send(value: &[u8], cursor: &mut Cursor<'_>) -> Result<AfterSend, Broken> {
    let (from, to) = (cursor.user()?, cursor.user()?);
    let [online_only, marked] = unflags(cursor.byte()?)?;
    let outcome = take_outcome(cursor)?;
    let wire_seq = cursor.number_u32()?;
    let random = u32::from_be_bytes(cursor.array()?);
    let (time_s, client_time_s) = (cursor.number()?, cursor.number()?);
    let (custom_data, body) = (cursor.bytes_span()?, cursor.bytes_span()?);
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

fn take_outcome(cursor: &mut Cursor<'_>) -> Result<Outcome, Broken> {
    match cursor.byte()? {
        DELIVERED => Ok(Outcome::Delivered { unread: cursor.number_u32()? }),
        REFUSED => {
            let number = cursor.byte()?;
            let refusal = Refusal::ALL.into_iter().find(|refusal| *refusal as u8 == number);
            refusal.map(Outcome::Refused).ok_or("it is a refusal of no known kind")
        }
        _ => Err("it is an outcome of no known kind"),
    }
}

/// Conversation and random number of a send that was refused.
pub(super) fn take_refused(
    app: AppId,
    cursor: &mut Cursor<'_>,
) -> Result<Option<(ConversationId, u32)>, Broken> {
    let (from, to) = (cursor.user()?, cursor.user()?);
    cursor.byte()?;
    let Outcome::Refused(_) = take_outcome(cursor)? else {
        return Ok(None);
    };
    cursor.number_u32()?;
    let random = u32::from_be_bytes(cursor.array()?);
    Ok(Some((ConversationId::new(app, from, to), random)))
}

pub(super) fn put_read(out: &mut Vec<u8>, read: &AfterRead) {
    put_user(out, &read.reader);
    put_user(out, &read.peer);
    put_number(out, read.last_read_s);
    put_number(out, u64::from(read.unread));
}

pub(super) fn take_read(cursor: &mut Cursor<'_>) -> Result<AfterRead, Broken> {
    Ok(AfterRead {
        reader: cursor.user()?,
        peer: cursor.user()?,
        last_read_s: cursor.number()?,
        unread: cursor.number_u32()?,
    })
}

pub(super) fn put_recall(out: &mut Vec<u8>, recall: &AfterRecall) {
    put_name(out, &recall.message);
    put_number(out, u64::from(recall.unread));
}

pub(super) fn take_recall(cursor: &mut Cursor<'_>) -> Result<AfterRecall, Broken> {
    Ok(AfterRecall { message: take_name(cursor)?, unread: cursor.number_u32()? })
}

pub(super) fn put_edit(out: &mut Vec<u8>, edit: &AfterEdit) {
    put_name(out, &edit.message);
    put_user(out, &edit.operator);
    put_bytes(out, &edit.custom_data);
    put_bytes(out, &edit.body);
}

pub(super) fn take_edit(value: &[u8], cursor: &mut Cursor<'_>) -> Result<AfterEdit, Broken> {
    let (message, operator) = (take_name(cursor)?, cursor.user()?);
    let (custom_data, body) = (cursor.bytes_span()?, cursor.bytes_span()?);
    let contents = Contents::copied(value, custom_data.start);
    Ok(AfterEdit { operator, message, body: contents.part(body), custom_data: contents.part(custom_data) })
}

pub(super) fn put_extension(out: &mut Vec<u8>, extension: &AfterExtension) {
    put_name(out, &extension.message);
    out.push(extension.change as u8);
    put_number(out, extension.version);
    put_extension_items(out, &extension.items);
}

pub(super) fn take_extension(cursor: &mut Cursor<'_>) -> Result<AfterExtension, Broken> {
    let message = take_name(cursor)?;
    let number = cursor.byte()?;
    let change = ExtensionChange::ALL.into_iter().find(|change| *change as u8 == number);
    let change = change.ok_or("it is a change of no known kind")?;
    let version = cursor.number()?;
    let items = take_extension_items(cursor)?;
    Ok(AfterExtension { message, change, items, version })
}

pub(super) fn put_missed(out: &mut Vec<u8>, missed: &MissedMessage) {
    put_name(out, &missed.message);
    put_number(out, u64::from(missed.unread));
    put_bytes(out, &missed.custom_data);
    put_bytes(out, &missed.body);
}

pub(super) fn take_missed(value: &[u8], cursor: &mut Cursor<'_>) -> Result<MissedMessage, Broken> {
    let (message, unread) = (take_name(cursor)?, cursor.number_u32()?);
    let (custom_data, body) = (cursor.bytes_span()?, cursor.bytes_span()?);
    let contents = Contents::copied(value, custom_data.start);
    Ok(MissedMessage { message, unread, body: contents.part(body), custom_data: contents.part(custom_data) })
}

pub(super) fn put_name(out: &mut Vec<u8>, name: &MessageName) {
    put_user(out, &name.from);
    put_user(out, &name.to);
    put_number(out, u64::from(name.wire_seq));
    out.extend_from_slice(&name.random.to_be_bytes());
    put_number(out, name.time_s);
}

pub(super) fn take_name(cursor: &mut Cursor<'_>) -> Result<MessageName, Broken> {
    Ok(MessageName {
        from: cursor.user()?,
        to: cursor.user()?,
        wire_seq: cursor.number_u32()?,
        random: u32::from_be_bytes(cursor.array()?),
        time_s: cursor.number()?,
    })
}
