//! The alphabet of stored values: numbers of variable length, byte strings, user ids.
//!
//! It knows nothing of what the values mean.

use chat::id::{USER_ID_BYTES_MAX, UserId};
use std::ops::Range;

/// Why bytes cannot be what was written.
pub(super) type Broken = &'static str;

pub(super) fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

pub(super) fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_number(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

pub(super) fn put_user(out: &mut Vec<u8>, user: &UserId) {
    out.push(user.as_bytes().len() as u8);
    out.extend_from_slice(user.as_bytes());
}

/// Takes a value apart from its front.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor<'a> {
    all: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(all: &'a [u8]) -> Self {
        Self { all, at: 0 }
    }

    pub(super) fn byte(&mut self) -> Result<u8, Broken> {
        let byte = *self.all.get(self.at).ok_or("it ends too early")?;
        self.at += 1;
        Ok(byte)
    }

    pub(super) fn number(&mut self) -> Result<u64, Broken> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            if shift == 63 && byte > 1 {
                return Err("a number is too large");
            }
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err("a number is too long")
    }

    pub(super) fn number_u32(&mut self) -> Result<u32, Broken> {
        u32::try_from(self.number()?).map_err(|_| "a number is too large")
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Broken> {
        let taken = self.take(N)?;
        Ok(taken.try_into().expect("as many bytes as asked were taken"))
    }

    pub(super) fn take(&mut self, len: usize) -> Result<&'a [u8], Broken> {
        self.span(len).map(|span| &self.all[span])
    }

    /// Passes over `len` bytes, and says where they stand.
    pub(super) fn span(&mut self, len: usize) -> Result<Range<usize>, Broken> {
        let end = self.at.checked_add(len).ok_or("a length is too large")?;
        if end > self.all.len() {
            return Err("it ends too early");
        }
        let span = self.at..end;
        self.at = end;
        Ok(span)
    }

    pub(super) fn bytes(&mut self) -> Result<&'a [u8], Broken> {
        let len = self.len()?;
        self.take(len)
    }

    pub(super) fn bytes_span(&mut self) -> Result<Range<usize>, Broken> {
        let len = self.len()?;
        self.span(len)
    }

    /// Everything up to the end.
    pub(super) fn rest_span(&mut self) -> Range<usize> {
        let span = self.at..self.all.len();
        self.at = self.all.len();
        span
    }

    fn len(&mut self) -> Result<usize, Broken> {
        usize::try_from(self.number()?).map_err(|_| "a length is too large")
    }

    pub(super) fn text(&mut self) -> Result<&'a str, Broken> {
        std::str::from_utf8(self.bytes()?).map_err(|_| "a text is not UTF-8")
    }

    pub(super) fn user(&mut self) -> Result<UserId, Broken> {
        let len = usize::from(self.byte()?);
        if len > USER_ID_BYTES_MAX {
            return Err("a user id is too long");
        }
        let text = std::str::from_utf8(self.take(len)?).map_err(|_| "a user id is not UTF-8")?;
        UserId::new(text).ok_or("a user id is not valid")
    }

    pub(super) fn end(&self) -> Result<(), Broken> {
        if self.at == self.all.len() { Ok(()) } else { Err("it goes on after its end") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_both_sides_of_every_edge() {
        for number in [0, 1, 127, 128, 16_383, 16_384, u64::from(u32::MAX), u64::MAX - 1, u64::MAX] {
            let mut out = Vec::new();
            put_number(&mut out, number);
            let mut cursor = Cursor::new(&out);
            assert_eq!(cursor.number(), Ok(number));
            assert_eq!(cursor.end(), Ok(()));
            assert!(Cursor::new(&out[..out.len() - 1]).number().is_err(), "{number}");
        }
        assert!(Cursor::new(&[0xff; 10]).number().is_err());
        assert!(Cursor::new(&[0xff, 0xff, 0xff, 0xff, 0x1f]).number_u32().is_err());
    }

    #[test]
    fn lengths_from_broken_bytes_are_never_believed() {
        assert!(Cursor::new(&[200, 1, 7]).bytes().is_err());
        assert!(Cursor::new(&[33]).user().is_err());
        assert!(Cursor::new(&[0]).user().is_err());
        assert!(Cursor::new(&[2, 0xff, 0xfe]).user().is_err());
        assert!(Cursor::new(&[1, b'a', 0]).end().is_err());
    }
}
