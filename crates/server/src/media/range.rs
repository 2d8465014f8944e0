//! Which part of a file is wanted.

use std::ops::Range;

/// What a `Range` header asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Everything: there is no such header, or one that does not have to be understood.
    Whole,
    /// One part, within the file and not empty.
    Part(Range<u64>),
    /// A part that the file does not have.
    Nothing,
}

/// Several parts at once are answered with the whole file, as a server may.
pub(super) fn wanted(header: Option<&str>, size: u64) -> Wanted {
    let Some((first, last)) = header.and_then(bounds) else { return Wanted::Whole };
    let range = match (first, last) {
        (Some(first), Some(last)) if last < first => return Wanted::Whole,
        (Some(first), Some(last)) => first..last.saturating_add(1).min(size),
        (Some(first), None) => first..size,
        (None, Some(last_bytes)) => size.saturating_sub(last_bytes)..size,
        (None, None) => return Wanted::Whole,
    };
    if range.is_empty() { Wanted::Nothing } else { Wanted::Part(range) }
}

/// The two numbers of `bytes=1-2`, either of which may be missing.
fn bounds(header: &str) -> Option<(Option<u64>, Option<u64>)> {
    let (unit, set) = header.split_once('=')?;
    let (first, last) = set.trim().split_once('-')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return None;
    }
    Some((number(first)?, number(last)?))
}

/// Digits, or nothing at all. More than a file can have are as good as the largest number.
fn number(text: &str) -> Option<Option<u64>> {
    let text = text.trim();
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some((!text.is_empty()).then(|| text.parse().unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_within_the_file() {
        let table = [
            (None, 10, Wanted::Whole),
            (Some("bytes=0-3"), 10, Wanted::Part(0..4)),
            (Some("bytes=0-0"), 10, Wanted::Part(0..1)),
            (Some("bytes=4-"), 10, Wanted::Part(4..10)),
            (Some("bytes=4-99"), 10, Wanted::Part(4..10)),
            (Some("bytes=4-99999999999999999999999"), 10, Wanted::Part(4..10)),
            (Some("bytes=-3"), 10, Wanted::Part(7..10)),
            (Some("bytes=-30"), 10, Wanted::Part(0..10)),
            (Some("Bytes = 1 - 2"), 10, Wanted::Part(1..3)),
            (Some("bytes=10-"), 10, Wanted::Nothing),
            (Some("bytes=99-100"), 10, Wanted::Nothing),
            (Some("bytes=-0"), 10, Wanted::Nothing),
            (Some("bytes=0-"), 0, Wanted::Nothing),
            (Some("bytes=3-2"), 10, Wanted::Whole),
            (Some("bytes=-"), 10, Wanted::Whole),
            (Some("bytes=0-1,3-4"), 10, Wanted::Whole),
            (Some("bytes=a-b"), 10, Wanted::Whole),
            (Some("bytes=+1-2"), 10, Wanted::Whole),
            (Some("lines=0-3"), 10, Wanted::Whole),
            (Some("bytes"), 10, Wanted::Whole),
        ];
        for (header, size, expected) in table {
            assert_eq!(wanted(header, size), expected, "{header:?} of {size}");
        }
    }
}
