//! A line for a person, in parts that may have a colour.

use crate::cli::moment::clock;
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
        Self::default().with(Paint::Time, clock(at_ms))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_for_terminals() {
        let line = Line::at(86_399_000).with(Paint::Plain, "").with(Paint::Bad, "failed 7");
        assert_eq!(line.to_text(false), "23:59:59  failed 7");
        assert_eq!(line.to_text(true), "\x1b[2m23:59:59\x1b[0m  \x1b[31mfailed 7\x1b[0m");
    }
}
