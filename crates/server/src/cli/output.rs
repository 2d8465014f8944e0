//! How commands print what was asked for.

use super::Outcome;
use super::layout::Layout;
use serde_json::Value;
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
    let mut printable = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    let head: String = printable.by_ref().take(chars_max).collect();
    if printable.next().is_some() { head + "…" } else { head }
}

/// One element of a message: its text, or what kind it is.
pub(super) fn element(element: &Value) -> String {
    match element["MsgContent"]["Text"].as_str() {
        Some(text) => text.to_owned(),
        None => {
            let kind = element["MsgType"].as_str().unwrap_or_default();
            format!("[{}]", kind.trim_start_matches("TIM").trim_end_matches("Elem"))
        }
    }
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

/// JSON over several lines, as it was written.
pub(super) fn pretty(json: &str) -> String {
    Layout { margin: 0, depth_max: usize::MAX }.of(json.chars())
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
        assert_eq!(shortened("a\x1b[2J\u{9b}b\r\n", 60), "a [2J b  ");
        assert_eq!(shortened("éééé", 4), "éééé");
        assert_eq!(shortened("ééééé", 4), "éééé…");
    }
}
