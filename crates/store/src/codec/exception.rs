//! The value of an event that an endpoint's cursor has passed although it is not done.

use super::{VERSION, versioned};
use crate::notation::{Broken, put_bytes, put_number, put_user};
use chat::dispatch::{Exception, ExceptionState};
use chat::id::{AppId, ConversationId};

const HELD: u8 = 1;
const PARKED: u8 = 2;

pub(crate) fn encode_exception(exception: &Exception) -> Vec<u8> {
    let (state, state_ms) = match exception.state {
        ExceptionState::Held { due_ms } => (HELD, due_ms),
        ExceptionState::Parked { at_ms } => (PARKED, at_ms),
    };
    let mut out = vec![VERSION, state];
    put_number(&mut out, state_ms);
    put_number(&mut out, exception.recorded_ms);
    put_user(&mut out, &exception.conversation.low);
    put_user(&mut out, &exception.conversation.high);
    put_number(&mut out, u64::from(exception.attempts));
    put_number(&mut out, exception.first_attempt_ms);
    put_bytes(&mut out, exception.last_failure.as_bytes());
    out
}

pub(crate) fn decode_exception(app: AppId, offset: u64, value: &[u8]) -> Result<Exception, Broken> {
    let mut cursor = versioned(value)?;
    let state = cursor.byte()?;
    let state_ms = cursor.number()?;
    let state = match state {
        HELD => ExceptionState::Held { due_ms: state_ms },
        PARKED => ExceptionState::Parked { at_ms: state_ms },
        _ => return Err("it is in no known state"),
    };
    let recorded_ms = cursor.number()?;
    let (low, high) = (cursor.user()?, cursor.user()?);
    let exception = Exception {
        offset,
        conversation: ConversationId { app, low, high },
        recorded_ms,
        state,
        attempts: cursor.number_u32()?,
        first_attempt_ms: cursor.number()?,
        last_failure: cursor.text()?.to_owned(),
    };
    cursor.end()?;
    Ok(exception)
}
