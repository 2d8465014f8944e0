//! Where callbacks are shown: one line each, with the body, as JSON, or in the live view.

use super::line::{Line, Paint};
use super::live::LastLines;
use super::pretty::indented;
use super::show::{self, Seen};
use crate::receiver::{Received, Refused};
use serde_json::json;
use std::io::{self, Write};
use std::sync::Mutex;

#[derive(Debug)]
pub(super) enum Output {
    Lines { colours: bool },
    Pretty { colours: bool },
    Json,
    Live(Mutex<LastLines>),
}

impl Output {
    pub(super) fn received(&self, seen: &Seen, received: &Received) {
        let line = || seen.to_line(received.at_ms);
        match self {
            Self::Lines { colours } => say(&line().to_text(*colours)),
            Self::Pretty { colours } => {
                say(&format!("{}\n{}", line().to_text(*colours), indented(received.body.get())));
            }
            Self::Json => say(&received.to_line()),
            Self::Live(lines) => push(lines, line()),
        }
    }

    pub(super) fn refused(&self, refused: &Refused) {
        let line = || show::refused(refused);
        match self {
            Self::Lines { colours } | Self::Pretty { colours } => say(&line().to_text(*colours)),
            Self::Json => {
                let (status, why) = (refused.status.as_u16(), refused.why);
                let refused =
                    json!({ "at_ms": refused.at_ms, "url": refused.url, "status": status, "why": why });
                say(&json!({ "refused": refused }).to_string());
            }
            Self::Live(lines) => push(lines, line()),
        }
    }

    /// What went wrong here, and not with the callback.
    pub(super) fn trouble(&self, at_ms: u64, what: &str) {
        match self {
            // The standard error stream would be written over the view.
            Self::Live(lines) => push(lines, Line::at(at_ms).with(Paint::Bad, what)),
            _ => eprintln!("couplet: {what}"),
        }
    }
}

/// Prints a line. Whoever reads along may have gone; the callbacks are received all the same.
pub(super) fn say(line: &str) {
    if let Err(error) = writeln!(io::stdout(), "{line}")
        && error.kind() != io::ErrorKind::BrokenPipe
    {
        eprintln!("couplet: cannot print: {error}");
    }
}

fn push(lines: &Mutex<LastLines>, line: Line) {
    lines.lock().expect("nothing panics while it holds this lock").push(line);
}
