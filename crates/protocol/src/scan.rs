//! Walking through JSON text that is known to be well-formed, without building anything.
//!
//! A [`RawValue`](serde_json::value::RawValue) has passed the grammar of JSON, so the walk need not check it again; it
//! still ends with [`Malformed`] instead of a panic whatever it is given. What the grammar lets pass and no receiver
//! can read, half a surrogate pair, is found here.
//!
//! Nothing recurses: skipping a value counts brackets, so the nesting of the input costs no stack.

use std::borrow::Cow;

use crate::limits::JSON_DEPTH_MAX;

/// The text is not JSON, is nested too deeply, or has half a surrogate pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Object,
    Array,
    String,
    Number,
    Boolean,
    Null,
}

/// One value and what was learned while skipping it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Value<'a> {
    pub(crate) kind: Kind,
    /// Its JSON text.
    pub(crate) text: &'a str,
    /// Where its text starts in the walked text.
    pub(crate) at: usize,
    /// The decoded length of all strings and the digits of all numbers in it; names of members do not count.
    pub(crate) weight_bytes: usize,
    /// How many arrays called `MsgList` lie within each other in it.
    pub(crate) relay_depth: usize,
}

impl<'a> Value<'a> {
    /// The value of a string, borrowed when it has no escapes.
    pub(crate) fn string(&self) -> Result<Cow<'a, str>, Malformed> {
        if self.kind != Kind::String {
            return Err(Malformed);
        }
        unescape(self.text)
    }
}

/// A place in JSON text.
#[derive(Debug, Clone)]
pub(crate) struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Cursor { text, at: 0 }
    }

    /// Steps over an opening bracket, if one comes next.
    pub(crate) fn open(&mut self, bracket: u8) -> bool {
        let opens = self.peek() == Some(bracket);
        self.at += usize::from(opens);
        opens
    }

    /// Whether another member or item follows; steps over the comma before it or over the closing bracket.
    pub(crate) fn more(&mut self, close: u8) -> bool {
        match self.peek() {
            None => false,
            Some(b',') => {
                self.at += 1;
                true
            }
            Some(byte) if byte == close => {
                self.at += 1;
                false
            }
            Some(_) => true,
        }
    }

    /// Steps over the name of a member and its colon.
    pub(crate) fn name(&mut self) -> Result<Cow<'a, str>, Malformed> {
        if self.peek() != Some(b'"') {
            return Err(Malformed);
        }
        let (text, _) = self.string_token()?;
        if self.peek() != Some(b':') {
            return Err(Malformed);
        }
        self.at += 1;
        unescape(text)
    }

    /// Steps over a whole value.
    pub(crate) fn value(&mut self) -> Result<Value<'a>, Malformed> {
        let kind = match self.peek().ok_or(Malformed)? {
            b'{' => Kind::Object,
            b'[' => Kind::Array,
            b'"' => Kind::String,
            b't' | b'f' => Kind::Boolean,
            b'n' => Kind::Null,
            b'-' | b'0'..=b'9' => Kind::Number,
            _ => return Err(Malformed),
        };
        let at = self.at;
        let mut tally = Tally::default();
        loop {
            self.token(&mut tally)?;
            if tally.depth == 0 {
                break;
            }
        }
        Ok(Value {
            kind,
            text: &self.text[at..self.at],
            at,
            weight_bytes: tally.weight_bytes,
            relay_depth: tally.relay_depth_max,
        })
    }

    /// Steps over one token of a value and counts it.
    fn token(&mut self, tally: &mut Tally) -> Result<(), Malformed> {
        match self.peek().ok_or(Malformed)? {
            open @ (b'{' | b'[') => {
                self.at += 1;
                tally.open(open)?;
            }
            b'}' | b']' => {
                self.at += 1;
                tally.close()?;
            }
            b',' => self.at += 1,
            b'"' => {
                let (text, decoded_len) = self.string_token()?;
                // In well-formed JSON a colon follows the name of a member and nothing else. A string that is the whole
                // value is no name, and must not take the white space behind it along.
                if tally.depth > 0 && self.peek() == Some(b':') {
                    self.at += 1;
                    tally.after_relay_name = text == "\"MsgList\"";
                    return Ok(());
                }
                tally.weight_bytes += decoded_len;
            }
            first => {
                let rest = &self.text.as_bytes()[self.at..];
                let is_end = |byte: &u8| matches!(byte, b',' | b'}' | b']' | b' ' | b'\t' | b'\n' | b'\r');
                let len = rest.iter().position(is_end).unwrap_or(rest.len());
                if len == 0 || !rest[..len].is_ascii() {
                    return Err(Malformed);
                }
                self.at += len;
                if first == b'-' || first.is_ascii_digit() {
                    tally.weight_bytes += len;
                }
            }
        }
        tally.after_relay_name = false;
        Ok(())
    }

    /// Steps over a string; returns its JSON text and the length of what it stands for.
    fn string_token(&mut self) -> Result<(&'a str, usize), Malformed> {
        let start = self.at;
        let bytes = self.text.as_bytes();
        self.at += 1;
        let mut escapes_len = 0;
        let mut escaped_len = 0;
        loop {
            match bytes.get(self.at).ok_or(Malformed)? {
                b'"' => break,
                b'\\' => {
                    let (len, decoded_len) = escape(&bytes[self.at..])?;
                    self.at += len;
                    escapes_len += len;
                    escaped_len += decoded_len;
                }
                _ => self.at += 1,
            }
        }
        self.at += 1;
        let text = &self.text[start..self.at];
        Ok((text, text.len() - 2 - escapes_len + escaped_len))
    }

    /// The next byte that is not white space, without stepping over it.
    fn peek(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        while let Some(byte) = bytes.get(self.at) {
            if !matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
                return Some(*byte);
            }
            self.at += 1;
        }
        None
    }
}

/// What is counted while skipping a value.
#[derive(Default)]
struct Tally {
    depth: usize,
    weight_bytes: usize,
    after_relay_name: bool,
    /// The depths at which the arrays called `MsgList` around the present place were opened.
    relays: Vec<usize>,
    relay_depth_max: usize,
}

impl Tally {
    fn open(&mut self, bracket: u8) -> Result<(), Malformed> {
        self.depth += 1;
        if self.depth > JSON_DEPTH_MAX {
            return Err(Malformed);
        }
        if self.after_relay_name && bracket == b'[' {
            self.relays.push(self.depth);
            self.relay_depth_max = self.relay_depth_max.max(self.relays.len());
        }
        Ok(())
    }

    fn close(&mut self) -> Result<(), Malformed> {
        if self.relays.last() == Some(&self.depth) {
            self.relays.pop();
        }
        self.depth = self.depth.checked_sub(1).ok_or(Malformed)?;
        Ok(())
    }
}

/// The length of the escape at the start of these bytes and of the UTF-8 that it stands for.
fn escape(bytes: &[u8]) -> Result<(usize, usize), Malformed> {
    if bytes.get(1) != Some(&b'u') {
        return if bytes.len() < 2 || !bytes[1].is_ascii() { Err(Malformed) } else { Ok((2, 1)) };
    }
    match code_unit(bytes)? {
        0..=0x7f => Ok((6, 1)),
        0x80..=0x7ff => Ok((6, 2)),
        0xd800..=0xdbff => match code_unit(&bytes[6..])? {
            0xdc00..=0xdfff => Ok((12, 4)),
            _ => Err(Malformed),
        },
        0xdc00..=0xdfff => Err(Malformed),
        _ => Ok((6, 3)),
    }
}

fn code_unit(bytes: &[u8]) -> Result<u16, Malformed> {
    let digits = bytes.strip_prefix(b"\\u").and_then(|rest| rest.get(..4)).ok_or(Malformed)?;
    digits.iter().try_fold(0_u16, |unit, &digit| {
        let value = char::from(digit).to_digit(16).and_then(|value| u16::try_from(value).ok());
        Ok(unit << 4 | value.ok_or(Malformed)?)
    })
}

fn unescape(token: &str) -> Result<Cow<'_, str>, Malformed> {
    let inner = token.get(1..token.len().saturating_sub(1)).ok_or(Malformed)?;
    if inner.contains('\\') {
        serde_json::from_str(token).map(Cow::Owned).map_err(|_| Malformed)
    } else {
        Ok(Cow::Borrowed(inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights() {
        let table = [
            (r#""""#, 0),
            (r#""abc""#, 3),
            (r#""é""#, 2),
            (r#""\n\"\/""#, 3),
            (r#""\u0041\u00e9\u4e2d\ud83d\ude00""#, 1 + 2 + 3 + 4),
            ("12.50", 5),
            ("-1e3", 4),
            ("true", 0),
            ("null", 0),
            (r#" {"a name":"bc", "n" : [1, {"x":"yz"}], "t":true} "#, 2 + 1 + 2),
        ];
        for (text, weight_bytes) in table {
            assert_eq!(Cursor::new(text).value().unwrap().weight_bytes, weight_bytes, "{text}");
        }
    }

    #[test]
    fn a_value_is_its_text_and_nothing_around_it() {
        for text in [r#""a""#, r#""\n""#, "-1.5e3", "true", "null", "[ 1 ]", r#"{"a" : "b" }"#] {
            let padded = format!(" [\n{text} \t, {text}\r\n] ");
            let mut cursor = Cursor::new(&padded);
            assert!(cursor.open(b'['));
            for at in [3, 3 + text.len() + 4] {
                assert!(cursor.more(b']'));
                let value = cursor.value().unwrap();
                assert_eq!((value.text, value.at), (text, at));
            }
            assert!(!cursor.more(b']'));
        }
    }

    #[test]
    fn relay_depths() {
        let table = [
            ("{}", 0),
            (r#"{"MsgList":[]}"#, 1),
            (r#"{"MsgList":[{"MsgList":[]},{"MsgList":[{"MsgList":[]}]}]}"#, 3),
            (r#"{"a":"MsgList","b":[[]],"MsgList":{"x":[]}}"#, 0),
        ];
        for (text, relay_depth) in table {
            assert_eq!(Cursor::new(text).value().unwrap().relay_depth, relay_depth, "{text}");
        }
    }

    #[test]
    fn what_no_receiver_can_read() {
        let half_pairs =
            [r#""\ud800""#, r#""\udc00""#, r#""\ud800\u0041""#, r#""\ud800\ud800""#, r#"{"\ud800":1}"#];
        let broken = ["", "{", "]", "\"", "\"\\", "\"\\u12", "[\"a\"", "{]", ",", ":", "é"];
        for text in half_pairs.into_iter().chain(broken) {
            assert!(Cursor::new(text).value().is_err() || text == "{]", "{text}");
        }
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(Cursor::new(&nested(JSON_DEPTH_MAX)).value().is_ok());
        assert!(Cursor::new(&nested(JSON_DEPTH_MAX + 1)).value().is_err());
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_walked(text in "[\\[\\]{}\",:\\\\ utrnu0-9dD8é]{0,60}|\\PC*") {
            let mut cursor = Cursor::new(&text);
            while cursor.value().is_ok() && cursor.more(b']') {}
        }

        #[test]
        fn a_string_weighs_what_it_decodes_to(text in "\\PC*|[\u{0}-\u{7f}]*") {
            let token = serde_json::to_string(&text).unwrap();
            let value = Cursor::new(&token).value().unwrap();
            proptest::prop_assert_eq!(value.weight_bytes, text.len());
            proptest::prop_assert_eq!(value.string().unwrap(), text);
        }
    }
}
