//! Writing JSON straight into a byte buffer. Compact, without an intermediate tree.

/// Appends a JSON string with its quotes.
pub(crate) fn string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let bytes = text.as_bytes();
    let mut copied = 0;
    for (at, &byte) in bytes.iter().enumerate() {
        if byte >= b' ' && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.extend_from_slice(&bytes[copied..at]);
        copied = at + 1;
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            _ => {
                const HEX: &[u8; 16] = b"0123456789abcdef";
                out.extend_from_slice(b"\\u00");
                out.push(HEX[usize::from(byte >> 4)]);
                out.push(HEX[usize::from(byte & 15)]);
            }
        }
    }
    out.extend_from_slice(&bytes[copied..]);
    out.push(b'"');
}

/// Appends a decimal number.
pub(crate) fn number(out: &mut Vec<u8>, mut value: u64) {
    // 20 digits are the longest u64.
    let mut digits = [0_u8; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (value % 10) as u8;
        value /= 10;
        if value == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

/// Appends a decimal number that may be negative.
pub(crate) fn signed(out: &mut Vec<u8>, value: i64) {
    if value < 0 {
        out.push(b'-');
    }
    number(out, value.unsigned_abs());
}

/// Appends the text of several members: each piece is either a literal or a value with the function that writes it.
macro_rules! write_json {
    ($out:ident, $($pieces:tt)+) => {{
        $crate::json::write_json!(@pieces $out, $($pieces)+);
    }};
    (@pieces $out:ident $(,)?) => {};
    (@pieces $out:ident, $function:ident($value:expr) $(, $($rest:tt)*)?) => {
        $crate::json::$function($out, $value);
        $( $crate::json::write_json!(@pieces $out, $($rest)*); )?
    };
    (@pieces $out:ident, $literal:literal $(, $($rest:tt)*)?) => {
        $out.extend_from_slice($literal.as_bytes());
        $( $crate::json::write_json!(@pieces $out, $($rest)*); )?
    };
}
pub(crate) use write_json;

/// Appends a message key as a JSON string.
pub(crate) fn key(out: &mut Vec<u8>, key: &crate::MsgKey) {
    // Digits and underscores need no escaping.
    out.push(b'"');
    key.write(out);
    out.push(b'"');
}

/// Appends JSON text that is already encoded.
pub(crate) fn raw(out: &mut Vec<u8>, text: &[u8]) {
    out.extend_from_slice(text);
}

/// Appends 1 or 0, the way the REST API and the callbacks write a flag.
pub(crate) fn flag(out: &mut Vec<u8>, value: bool) {
    out.push(if value { b'1' } else { b'0' });
}

/// Appends `true` or `false`.
pub(crate) fn boolean(out: &mut Vec<u8>, value: bool) {
    out.extend_from_slice(if value { b"true" } else { b"false" });
}

/// Appends a JSON array whose items the given function writes.
pub(crate) fn array<T>(out: &mut Vec<u8>, items: &[T], mut write: impl FnMut(&mut Vec<u8>, &T)) {
    out.push(b'[');
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write(out, item);
    }
    out.push(b']');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_at_their_edges() {
        for value in [i64::MIN, -1, 0, 9, 10, i64::MAX] {
            let mut out = Vec::new();
            signed(&mut out, value);
            assert_eq!(out, value.to_string().as_bytes());
        }
        let mut out = Vec::new();
        number(&mut out, u64::MAX);
        assert_eq!(out, u64::MAX.to_string().as_bytes());
    }

    proptest::proptest! {
        #[test]
        fn any_string_reads_back(text in "\\PC*|[\u{0}-\u{7f}]*") {
            let mut out = Vec::new();
            string(&mut out, &text);
            let back: String = serde_json::from_slice(&out).unwrap();
            proptest::prop_assert_eq!(back, text);
        }
    }
}
