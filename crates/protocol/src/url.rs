//! Queries of URLs: taking them apart and escaping values.

use std::borrow::Cow;

/// The `name=value` pairs of a query, undecoded, in order. A name without `=` has an empty value.
pub fn pairs(query: &str) -> impl Iterator<Item = (&str, &str)> {
    query.split('&').filter(|pair| !pair.is_empty()).map(|pair| pair.split_once('=').unwrap_or((pair, "")))
}

/// The value with its `%XX` escapes undone, borrowed when it has none. `None` for a broken escape or for bytes that
/// are not UTF-8. A plus sign stays one: it may be part of a UserID, and a form's way of writing a space is not used
/// in these URLs.
pub fn decode(value: &str) -> Option<Cow<'_, str>> {
    if !value.contains('%') {
        return Some(Cow::Borrowed(value));
    }
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            bytes.push(hex(rest.next()?)? << 4 | hex(rest.next()?)?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok().map(Cow::Owned)
}

/// Appends the value with everything escaped that could end or change a query value.
pub fn encode(out: &mut String, value: &str) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for byte in value.bytes() {
        // The colon of an IPv6 address is allowed in a query and easier to read as it is.
        if byte.is_ascii_alphanumeric() || b"-._~:".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push(char::from(HEX[usize::from(byte >> 4)]));
            out.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decoding() {
        let table = [
            ("", Some("")),
            ("abc*-_", Some("abc*-_")),
            ("%2A%2d%5F", Some("*-_")),
            ("%E7%94%A8", Some("用")),
            ("a+b", Some("a+b")),
            ("%", None),
            ("%4", None),
            ("%zz", None),
            ("%ff", None),
        ];
        for (value, expected) in table {
            assert_eq!(decode(value).as_deref(), expected, "{value}");
        }
        assert!(matches!(decode("plain"), Some(Cow::Borrowed(_))));
    }

    proptest::proptest! {
        #[test]
        fn encoding_reads_back(value in ".*") {
            let mut out = String::new();
            encode(&mut out, &value);
            proptest::prop_assert_eq!(decode(&out).unwrap(), value);
        }
    }
}
