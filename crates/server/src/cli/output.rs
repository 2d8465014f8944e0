//! How commands print what was asked for.

use super::Outcome;
use std::error::Error;
use std::io::{self, Write};

/// Prints a line to the standard output.
pub(super) fn say(line: &str) -> io::Result<()> {
    writeln!(io::stdout().lock(), "{line}")
}

/// Whoever reads along may have had enough, as `head` does: that is no failure.
pub(super) fn unless_the_reader_left(outcome: Outcome) -> Outcome {
    outcome.or_else(|error| match error.downcast_ref::<io::Error>() {
        Some(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        _ => Err(error),
    })
}

/// Text that somebody else chose, without what would move the cursor of a terminal.
pub(super) fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// The beginning of such a text.
pub(super) fn shortened(text: &str, chars_max: usize) -> String {
    let text = printable(text);
    match text.char_indices().nth(chars_max) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// An error and what caused it, outermost first.
pub(super) fn causes<'a>(
    error: &'a (dyn Error + 'static),
) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| (*error).source())
}

/// Rows under a heading, every column as wide as its widest cell.
pub(super) fn table<const N: usize>(heading: [&str; N], rows: &[[String; N]]) -> Vec<String> {
    let heading = heading.map(str::to_owned);
    let all: Vec<&[String; N]> = std::iter::once(&heading).chain(rows).collect();
    let width = |column: usize| all.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; N] = std::array::from_fn(width);
    let line = |row: &&[String; N]| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    all.iter().map(line).collect()
}

/// JSON over several lines. Works on the text, so that members stay in their order and numbers as they were written.
pub(super) fn pretty(json: &str) -> String {
    let (mut out, mut depth, mut in_string, mut escaped) = (String::new(), 0_usize, false, false);
    let line = |out: &mut String, depth: usize| out.push_str(&format!("\n{}", "  ".repeat(depth)));
    let mut chars = json.chars().peekable();
    while let Some(c) = chars.next() {
        if in_string {
            // Those that JSON leaves unescaped.
            out.push(if c.is_control() { ' ' } else { c });
            in_string = escaped || c != '"';
            escaped = c == '\\' && !escaped;
            continue;
        }
        match c {
            '{' | '[' => {
                out.push(c);
                while chars.next_if(|next| next.is_ascii_whitespace()).is_some() {}
                if let Some(end) = chars.next_if(|next| matches!(next, '}' | ']')) {
                    out.push(end);
                    continue;
                }
                depth += 1;
                line(&mut out, depth);
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                line(&mut out, depth);
                out.push(c);
            }
            ',' => {
                out.push(c);
                line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            c if c.is_ascii_whitespace() => {}
            c => {
                in_string = c == '"';
                out.push(c);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_keeps_its_order_and_its_words() {
        for (json, expected) in [
            ("{}", "{}"),
            ("[ ]", "[]"),
            (
                r#"{"b":1.50,"a":[1,{"x":"{,:\"}"}]}"#,
                "{\n  \"b\": 1.50,\n  \"a\": [\n    1,\n    {\n      \"x\": \"{,:\\\"}\"\n    }\n  ]\n}",
            ),
            (r#"{ "t" : "a\\" , "u" : null }"#, "{\n  \"t\": \"a\\\\\",\n  \"u\": null\n}"),
        ] {
            assert_eq!(pretty(json), expected);
            let again: serde_json::Value = serde_json::from_str(&pretty(json)).unwrap();
            assert_eq!(again, serde_json::from_str::<serde_json::Value>(json).unwrap());
        }
    }

    #[test]
    fn a_table_is_as_wide_as_it_must_be() {
        let rows = [["ep_default".to_owned(), "3".to_owned()], ["ä".to_owned(), String::new()]];
        assert_eq!(table(["WHERE", "N"], &rows), ["WHERE       N", "ep_default  3", "ä"]);
    }

    #[test]
    fn texts_of_others_do_no_harm() {
        assert_eq!(shortened("a\x1b[2Jb\nc", 20), "a [2Jb c");
        assert_eq!(shortened("äöü", 2), "äö…");
        assert_eq!(shortened("äöü", 3), "äöü");
    }
}
