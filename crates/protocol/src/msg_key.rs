//! The key of a message, by which backends recall, edit and page.

use std::{fmt, str::FromStr};

use crate::{code::ErrorCode, json};

/// `<MsgSeq>_<MsgRandom>_<MsgTime>`, at most 42 bytes. Together with sender and recipient it identifies a message; alone
/// it need not be unique.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct MsgKey {
    /// The sequence that the sender chose, or the server for it.
    pub seq: u32,
    /// The random number that the sender chose.
    pub random: u32,
    /// The time of the message in Unix seconds, by the server's clock.
    pub time_s: u64,
}

impl MsgKey {
    /// Appends the text form.
    pub fn write(&self, out: &mut Vec<u8>) {
        json::number(out, u64::from(self.seq));
        out.push(b'_');
        json::number(out, u64::from(self.random));
        out.push(b'_');
        json::number(out, self.time_s);
    }
}

impl fmt::Display for MsgKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}_{}", self.seq, self.random, self.time_s)
    }
}

impl FromStr for MsgKey {
    type Err = ErrorCode;

    /// Reads the text form; anything else is [`ErrorCode::BadMsgKey`].
    fn from_str(text: &str) -> Result<Self, ErrorCode> {
        parse(text).ok_or(ErrorCode::BadMsgKey)
    }
}

fn parse(text: &str) -> Option<MsgKey> {
    let mut parts = text.split('_').map(digits);
    let key = MsgKey {
        seq: u32::try_from(parts.next()??).ok()?,
        random: u32::try_from(parts.next()??).ok()?,
        time_s: parts.next()??,
    };
    parts.next().is_none().then_some(key)
}

fn digits(text: &str) -> Option<u64> {
    // `parse` alone would take a leading plus sign.
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_form_both_ways() {
        let table = [
            ("7_4021_1760000000", Some((7, 4021, 1_760_000_000))),
            ("4294967295_4294967295_18446744073709551615", Some((u32::MAX, u32::MAX, u64::MAX))),
            ("0_0_0", Some((0, 0, 0))),
            ("4294967296_1_1", None),
            ("1_2", None),
            ("1_2_3_4", None),
            ("+1_2_3", None),
            ("1_2_", None),
            ("", None),
        ];
        for (text, expected) in table {
            let key = text.parse::<MsgKey>().ok();
            assert_eq!(key.map(|key| (key.seq, key.random, key.time_s)), expected, "{text}");
            if let Some(key) = key {
                let mut out = Vec::new();
                key.write(&mut out);
                assert_eq!((key.to_string().as_str(), out.as_slice()), (text, text.as_bytes()));
            }
        }
    }
}
