//! WebSocket (RFC 6455): the heads of frames, the mask over what a client sends, and the word that a server proves
//! with that it speaks the protocol.
//!
//! Not here: reading and writing, limits, and putting a message together that comes in several frames.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest, Sha1};

/// What a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Op {
    /// Goes on with the message of the frame before.
    Continuation = 0,
    /// Begins a message of text.
    Text = 1,
    /// Begins a message of bytes.
    Binary = 2,
    /// Ends the connection.
    Close = 8,
    /// Asks for a pong.
    Ping = 9,
    /// Shows that somebody is there.
    Pong = 10,
}

/// How a frame begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// What the frame is.
    pub op: Op,
    /// Whether the message ends with it.
    pub is_last: bool,
    /// What its payload is masked with. A client's always is, a server's never.
    pub mask: Option<[u8; 4]>,
    /// How many bytes the head itself has.
    pub head_len: usize,
    /// How many bytes follow it.
    pub payload_len: u64,
}

/// No frame begins like this, or none without an extension that nobody has agreed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed;

/// The payload of a control frame: it fits into the shortest head.
pub const CONTROL_LEN_MAX: usize = 125;
const HEAD_LEN_MAX: usize = 14;
const LAST: u8 = 0x80;
const MASKED: u8 = 0x80;
const LEN_IN_2: u8 = 126;
const LEN_IN_8: u8 = 127;

impl Op {
    fn of(bits: u8) -> Option<Self> {
        Some(match bits {
            0 => Self::Continuation,
            1 => Self::Text,
            2 => Self::Binary,
            8 => Self::Close,
            9 => Self::Ping,
            10 => Self::Pong,
            _ => return None,
        })
    }

    /// Whether it may come between the frames of a message.
    pub fn is_control(self) -> bool {
        matches!(self, Self::Close | Self::Ping | Self::Pong)
    }
}

impl Head {
    /// The head that the bytes begin with. `None`: there is more to come.
    pub fn parse(bytes: &[u8]) -> Result<Option<Self>, Malformed> {
        let [first, second, ..] = *bytes else { return Ok(None) };
        // The lower four bits say what it is, the three above belong to extensions.
        let op = Op::of(first & 0x7f).ok_or(Malformed)?;
        let (is_last, is_masked, short_len) = (first & LAST != 0, second & MASKED != 0, second & !MASKED);
        if op.is_control() && (!is_last || usize::from(short_len) > CONTROL_LEN_MAX) {
            return Err(Malformed);
        }
        let len_end = match short_len {
            LEN_IN_2 => 4,
            LEN_IN_8 => 10,
            _ => 2,
        };
        let head_len = if is_masked { len_end + 4 } else { len_end };
        let Some(head) = bytes.get(..head_len) else { return Ok(None) };
        let payload_len = match len_end {
            2 => u64::from(short_len),
            _ => head[2..len_end].iter().fold(0, |len, byte| len << 8 | u64::from(*byte)),
        };
        let mask =
            is_masked.then(|| [head[len_end], head[len_end + 1], head[len_end + 2], head[len_end + 3]]);
        Ok(Some(Self { op, is_last, mask, head_len, payload_len }))
    }
}

/// The bytes of a head.
#[derive(Debug, Clone, Copy)]
pub struct HeadBytes {
    bytes: [u8; HEAD_LEN_MAX],
    len: usize,
}

impl HeadBytes {
    /// The head of a frame that is a message of its own.
    pub fn new(op: Op, payload_len: usize, mask: Option<[u8; 4]>) -> Self {
        let mut head = Self { bytes: [0; HEAD_LEN_MAX], len: 0 };
        let masked = if mask.is_some() { MASKED } else { 0 };
        head.put(&[LAST | op as u8]);
        match (u8::try_from(payload_len), u16::try_from(payload_len)) {
            (Ok(len), _) if usize::from(len) <= CONTROL_LEN_MAX => head.put(&[masked | len]),
            (_, Ok(len)) => {
                head.put(&[masked | LEN_IN_2]);
                head.put(&len.to_be_bytes());
            }
            _ => {
                head.put(&[masked | LEN_IN_8]);
                head.put(&(payload_len as u64).to_be_bytes());
            }
        }
        head.put(&mask.unwrap_or_default()[..if mask.is_some() { 4 } else { 0 }]);
        head
    }

    fn put(&mut self, bytes: &[u8]) {
        self.bytes[self.len..][..bytes.len()].copy_from_slice(bytes);
        self.len += bytes.len();
    }
}

impl AsRef<[u8]> for HeadBytes {
    fn as_ref(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

/// Masks a payload, or takes its mask off.
pub fn mask(payload: &mut [u8], mask: [u8; 4]) {
    let [a, b, c, d] = mask;
    let wide = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let mut chunks = payload.chunks_exact_mut(8);
    for chunk in &mut chunks {
        let word = u64::from_ne_bytes(chunk.try_into().expect("a chunk has eight bytes"));
        chunk.copy_from_slice(&(word ^ wide).to_ne_bytes());
    }
    for (byte, mask) in chunks.into_remainder().iter_mut().zip(mask.iter().cycle()) {
        *byte ^= mask;
    }
}

/// What a server answers to a client's `Sec-WebSocket-Key`.
pub fn accept_key(key: &[u8]) -> String {
    let hash = Sha1::new().chain_update(key).chain_update(b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").finalize();
    STANDARD.encode(hash)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

    fn parsed(bytes: &[u8]) -> Option<Head> {
        Head::parse(bytes).unwrap()
    }

    /// The examples of RFC 6455, 5.7 and 1.3.
    #[test]
    fn the_examples_of_the_standard() {
        let head =
            |op, is_last, mask, head_len, payload_len| Head { op, is_last, mask, head_len, payload_len };
        for (bytes, expected) in [
            (&[0x81, 0x05][..], head(Op::Text, true, None, 2, 5)),
            (&[0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d], head(Op::Text, true, Some(MASK), 6, 5)),
            (&[0x01, 0x03], head(Op::Text, false, None, 2, 3)),
            (&[0x80, 0x02], head(Op::Continuation, true, None, 2, 2)),
            (&[0x89, 0x05], head(Op::Ping, true, None, 2, 5)),
            (&[0x8a, 0x85, 0x37, 0xfa, 0x21, 0x3d], head(Op::Pong, true, Some(MASK), 6, 5)),
            (&[0x82, 0x7e, 0x01, 0x00], head(Op::Binary, true, None, 4, 256)),
            (&[0x82, 0x7f, 0, 0, 0, 0, 0, 1, 0, 0], head(Op::Binary, true, None, 10, 65_536)),
        ] {
            assert_eq!(parsed(bytes), Some(expected));
            for cut in 0..bytes.len() {
                assert_eq!(parsed(&bytes[..cut]), None, "{cut} of {bytes:?}");
            }
        }
        let mut payload = [0x7f, 0x9f, 0x4d, 0x51, 0x58];
        mask(&mut payload, MASK);
        assert_eq!(&payload, b"Hello");
        assert_eq!(accept_key(b"dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn what_is_written_is_read() {
        for op in [Op::Text, Op::Binary, Op::Continuation] {
            for payload_len in [0, 1, 125, 126, 65_535, 65_536, 1 << 40] {
                for mask in [None, Some(MASK)] {
                    let bytes = HeadBytes::new(op, payload_len, mask);
                    let head = Head {
                        op,
                        is_last: true,
                        mask,
                        head_len: bytes.as_ref().len(),
                        payload_len: payload_len as u64,
                    };
                    assert_eq!(parsed(bytes.as_ref()), Some(head));
                }
            }
        }
    }

    #[test]
    fn no_frame_begins_like_this() {
        for bytes in [
            // Bits of extensions.
            [0xc1, 0x80],
            [0xa1, 0x80],
            [0x91, 0x80],
            // Kinds that do not exist.
            [0x83, 0x80],
            [0x8b, 0x80],
            [0x8f, 0x80],
            // Control frames in pieces, and ones that are too long.
            [0x09, 0x80],
            [0x08, 0x80],
            [0x89, 0xfe],
            [0x88, 0xff],
        ] {
            assert_eq!(Head::parse(&bytes), Err(Malformed), "{bytes:x?}");
        }
    }

    #[test]
    fn a_mask_covers_every_length() {
        for len in 0..40 {
            let plain: Vec<u8> = (0..len).collect();
            let expected: Vec<u8> =
                plain.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask).collect();
            let mut masked = plain.clone();
            mask(&mut masked, MASK);
            assert_eq!(masked, expected);
        }
    }
    proptest! {
        #[test]
        fn whatever_comes_is_a_head_or_none(bytes in prop::collection::vec(any::<u8>(), 0..20)) {
            if let Ok(Some(head)) = Head::parse(&bytes) {
                prop_assert!((2..=HEAD_LEN_MAX.min(bytes.len())).contains(&head.head_len));
                prop_assert_eq!(Head::parse(&bytes[..head.head_len]), Ok(Some(head)));
                prop_assert_eq!(Head::parse(&bytes[..head.head_len - 1]), Ok(None));
            }
        }
    }
}
