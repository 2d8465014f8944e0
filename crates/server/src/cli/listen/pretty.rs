//! A body over several lines, in its own order and with its own digits.

/// Below the column of the commands.
const MARGIN: usize = 10;
/// Deeper than this is not indented further: a hostile body would otherwise grow with the square of its length.
const DEPTH_MAX: usize = 16;

/// Text that is known to be JSON, laid out.
pub(super) fn indented(json: &str) -> String {
    let mut out = " ".repeat(MARGIN);
    let mut depth = 0_usize;
    let mut chars = json.chars().filter(|c| !c.is_control() || c.is_whitespace()).peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' => {
                out.push(c);
                copy_string(&mut chars, &mut out);
            }
            '{' | '[' => {
                out.push(c);
                while chars.next_if(|c| c.is_whitespace()).is_some() {}
                match chars.next_if(|c| ['}', ']'].contains(c)) {
                    Some(end) => out.push(end),
                    None => {
                        depth += 1;
                        new_line(&mut out, depth);
                    }
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                new_line(&mut out, depth);
                out.push(c);
            }
            ',' => {
                out.push(c);
                new_line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            c if c.is_whitespace() => {}
            c => out.push(c),
        }
    }
    out
}

/// What follows an opening quote, up to the closing one.
fn copy_string(chars: &mut impl Iterator<Item = char>, out: &mut String) {
    let mut escaped = false;
    for c in chars {
        out.push(if c.is_control() { ' ' } else { c });
        match c {
            '"' if !escaped => return,
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
}

fn new_line(out: &mut String, depth: usize) {
    out.push('\n');
    out.extend(std::iter::repeat_n(' ', MARGIN + 2 * depth.min(DEPTH_MAX)));
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
