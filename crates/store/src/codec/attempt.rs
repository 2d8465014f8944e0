//! What is kept of attempts: the failed ones each in a row, and those that were done many to a row.

use super::{VERSION, versioned};
use crate::notation::{Broken, Cursor, put_bytes, put_number};
use chat::dispatch::{Delivered, Failure, FailureReason, Receipt};

/// The times of one row of deliveries lie no further apart, so that whoever forgets up to a time need not look far
/// behind it for rows that begin before. An ordinary checkpoint is far shorter.
pub(crate) const DELIVERIES_SPAN_MS_MAX: u64 = 10_000;

/// Answered with 0, which is nearly always so.
const ANSWERED_ZERO: u64 = 0;
const ANSWERED: u64 = 1;
const NOT_WANTED: u64 = 2;
const RECEIPT_BITS: u32 = 2;

pub(crate) fn encode_failure(failure: &Failure) -> Vec<u8> {
    let mut out = vec![VERSION, failure.reason as u8];
    put_number(&mut out, u64::from(failure.status));
    put_number(&mut out, failure.latency_ms);
    put_bytes(&mut out, failure.words.as_bytes());
    put_bytes(&mut out, failure.answer.as_bytes());
    out
}

pub(crate) fn decode_failure(value: &[u8]) -> Result<Failure, Broken> {
    let mut cursor = versioned(value)?;
    let number = cursor.byte()?;
    let reason = FailureReason::ALL.into_iter().find(|reason| *reason as u8 == number);
    let failure = Failure {
        reason: reason.ok_or("it failed for no known reason")?,
        status: u16::try_from(cursor.number()?).map_err(|_| "a number is too large")?,
        latency_ms: cursor.number()?,
        words: cursor.text()?.to_owned(),
        answer: cursor.text()?.to_owned(),
    };
    cursor.end()?;
    Ok(failure)
}

/// Cuts the deliveries of a checkpoint into rows, each with its latest time.
pub(crate) fn deliveries_rows(mut delivered: &[Delivered]) -> impl Iterator<Item = (u64, &[Delivered])> {
    std::iter::from_fn(move || {
        let first_ms = delivered.first()?.at_ms;
        let (mut low_ms, mut high_ms, mut len) = (first_ms, first_ms, 0);
        for told in delivered {
            let (low, high) = (low_ms.min(told.at_ms), high_ms.max(told.at_ms));
            if high - low > DELIVERIES_SPAN_MS_MAX {
                break;
            }
            (low_ms, high_ms, len) = (low, high, len + 1);
        }
        let (row, rest) = delivered.split_at(len);
        delivered = rest;
        Some((high_ms, row))
    })
}

/// Each entry is told by its distance from the one before: three or four bytes as a rule, and every callback writes
/// one.
pub(crate) fn encode_deliveries(last_ms: u64, delivered: &[Delivered], out: &mut Vec<u8>) {
    out.push(VERSION);
    put_number(out, delivered.len() as u64);
    let (mut offset, mut at_ms) = (0, last_ms);
    for told in delivered {
        put_distance(out, offset, told.offset);
        put_distance(out, at_ms, told.at_ms);
        (offset, at_ms) = (told.offset, told.at_ms);
        let attempt = u64::from(told.attempt) << RECEIPT_BITS;
        match told.receipt {
            Receipt::Answered { code: 0 } => put_number(out, attempt | ANSWERED_ZERO),
            Receipt::Answered { code } => {
                put_number(out, attempt | ANSWERED);
                put_distance(out, 0, code as u64);
            }
            Receipt::NotWanted => put_number(out, attempt | NOT_WANTED),
        }
    }
}

pub(crate) fn decode_deliveries(last_ms: u64, value: &[u8]) -> Result<Deliveries<'_>, Broken> {
    let mut cursor = versioned(value)?;
    let left = cursor.number()?;
    if left == 0 {
        return Err("it is a row of nothing");
    }
    Ok(Deliveries { cursor, left, offset: 0, at_ms: last_ms })
}

/// The entries of a row, one after the other. Whoever stops before the end has not seen whether it is whole.
#[derive(Debug)]
pub(crate) struct Deliveries<'a> {
    cursor: Cursor<'a>,
    left: u64,
    offset: u64,
    at_ms: u64,
}

impl Deliveries<'_> {
    fn take(&mut self) -> Result<Delivered, Broken> {
        self.offset = take_distance(&mut self.cursor, self.offset)?;
        self.at_ms = take_distance(&mut self.cursor, self.at_ms)?;
        let head = self.cursor.number()?;
        let receipt = match head & ((1 << RECEIPT_BITS) - 1) {
            ANSWERED_ZERO => Receipt::Answered { code: 0 },
            ANSWERED => Receipt::Answered { code: take_distance(&mut self.cursor, 0)? as i64 },
            NOT_WANTED => Receipt::NotWanted,
            _ => return Err("it is a receipt of no known kind"),
        };
        let attempt = u32::try_from(head >> RECEIPT_BITS).map_err(|_| "a number is too large")?;
        self.left -= 1;
        if self.left == 0 {
            self.cursor.end()?;
        }
        Ok(Delivered { offset: self.offset, at_ms: self.at_ms, attempt, receipt })
    }
}

impl Iterator for Deliveries<'_> {
    type Item = Result<Delivered, Broken>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.left == 0 {
            return None;
        }
        let told = self.take();
        if told.is_err() {
            self.left = 0;
        }
        Some(told)
    }
}

/// How far it is from one number to another, forwards or back; short either way.
fn put_distance(out: &mut Vec<u8>, from: u64, to: u64) {
    let distance = to.wrapping_sub(from).cast_signed();
    put_number(out, ((distance << 1) ^ (distance >> 63)).cast_unsigned());
}

fn take_distance(cursor: &mut Cursor<'_>, from: u64) -> Result<u64, Broken> {
    let folded = cursor.number()?;
    Ok(from.wrapping_add((folded >> 1) ^ (folded & 1).wrapping_neg()))
}
