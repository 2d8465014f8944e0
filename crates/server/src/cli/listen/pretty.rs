//! A body over several lines, in its own order and with its own digits.

use crate::cli::layout::Layout;

/// Below the column of the commands.
const MARGIN: usize = 10;
/// Deeper than this is not indented further: a hostile body would otherwise grow with the square of its length.
const DEPTH_MAX: usize = 16;

/// Text that is known to be JSON, laid out.
pub(super) fn indented(json: &str) -> String {
    let shown = json.chars().filter(|c| !c.is_control() || c.is_whitespace());
    Layout { margin: MARGIN, depth_max: DEPTH_MAX }.of(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_laid_out_as_they_are() {
        let json = r#"{ "b":1.50,"a" : [ {"x":"q\"}\\"} , [ ],{}],"n":18446744073709551616}"#;
        let expected = r#"
          {
            "b": 1.50,
            "a": [
              {
                "x": "q\"}\\"
              },
              [],
              {}
            ],
            "n": 18446744073709551616
          }"#;
        assert_eq!(indented(json), expected[1..]);
        assert_eq!(indented("\"a\u{9b}2J\u{7f}\""), "          \"a2J\"");
    }

    #[test]
    fn depth_does_not_make_it_grow_without_bound() {
        let deep = format!("{}1{}", "[".repeat(10_000), "]".repeat(10_000));
        assert!(indented(&deep).len() < 10_000 * 2 * (MARGIN + 2 * DEPTH_MAX + 4));
    }
}
