//! A line for a person, in parts that may have a colour.

use std::fmt::Write;

/// What a part is, and so which colour it has where there are colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Paint {
    Plain,
    Time,
    Command,
    Good,
    Bad,
}

/// Parts with two spaces between them.
#[derive(Debug, Clone, Default)]
pub(super) struct Line {
    parts: Vec<(Paint, String)>,
}

impl Line {
    /// Begins with the time of day.
    pub(super) fn at(at_ms: u64) -> Self {
        Self::default().with(Paint::Time, time_of_day(at_ms / 1000))
    }

    /// Appends a part, unless it is empty.
    pub(super) fn with(mut self, paint: Paint, text: impl Into<String>) -> Self {
        let text = text.into();
        if !text.is_empty() {
            self.parts.push((paint, text));
        }
        self
    }

    pub(super) fn parts(&self) -> &[(Paint, String)] {
        &self.parts
    }

    pub(super) fn to_text(&self, colours: bool) -> String {
        let mut text = String::new();
        for (index, (paint, part)) in self.parts.iter().enumerate() {
            text.push_str(if index == 0 { "" } else { "  " });
            let painted = match paint.code().filter(|_| colours) {
                Some(code) => write!(text, "\x1b[{code}m{part}\x1b[0m"),
                None => write!(text, "{part}"),
            };
            painted.expect("a String takes everything");
        }
        text
    }
}

impl Paint {
    /// The number by which a terminal knows it.
    fn code(self) -> Option<u8> {
        match self {
            Paint::Plain => None,
            Paint::Time => Some(2),
            Paint::Command => Some(36),
            Paint::Good => Some(32),
            Paint::Bad => Some(31),
        }
    }
}

/// Text that came from outside, without what would move the cursor of a terminal, and not longer than this.
pub(super) fn printable(text: &str, chars_max: usize) -> String {
    let mut printable = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    let head: String = printable.by_ref().take(chars_max).collect();
    if printable.next().is_some() { head + "…" } else { head }
}

/// UTC.
pub(super) fn time_of_day(time_s: u64) -> String {
    format!("{:02}:{:02}:{:02}", time_s / 3600 % 24, time_s / 60 % 60, time_s % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_for_terminals() {
        let line = Line::at(86_399_000).with(Paint::Plain, "").with(Paint::Bad, "failed 7");
        assert_eq!(line.to_text(false), "23:59:59  failed 7");
        assert_eq!(line.to_text(true), "\x1b[2m23:59:59\x1b[0m  \x1b[31mfailed 7\x1b[0m");
    }

    #[test]
    fn what_comes_from_outside_cannot_move_the_cursor() {
        assert_eq!(printable("a\x1b[2J\u{9b}b\r\n", 60), "a [2J b  ");
        assert_eq!(printable("éééé", 4), "éééé");
        assert_eq!(printable("ééééé", 4), "éééé…");
    }
}
