//! Server-sent events, read from the body of an answer.

use http_body_util::BodyExt;
use hyper::body::Incoming;
use std::collections::VecDeque;
use std::time::Duration;
use tokio::time::timeout;

/// The server says something every 15 s. Three times that long without a word, and the connection is gone.
const SILENCE_SECS_MAX: u64 = 45;
/// Far more than the longest event, every character of it escaped.
const LINE_BYTES_MAX: usize = 4 << 20;

/// One event of the stream.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::cli) struct Heard {
    /// Where to go on after it; may be empty.
    pub(in crate::cli) id: String,
    pub(in crate::cli) data: String,
}

#[derive(Debug)]
pub(in crate::cli) struct Feed {
    body: Incoming,
    lines: Lines,
    ready: VecDeque<Heard>,
}

/// Why a stream ended, in words.
#[derive(Debug)]
pub(in crate::cli) struct Ended(pub(in crate::cli) String);

impl Feed {
    pub(super) fn new(body: Incoming) -> Self {
        Self { body, lines: Lines::default(), ready: VecDeque::new() }
    }

    /// The next event. Cancel-safe.
    pub(in crate::cli) async fn next(&mut self) -> Result<Heard, Ended> {
        loop {
            if let Some(heard) = self.ready.pop_front() {
                return Ok(heard);
            }
            let frame = match timeout(Duration::from_secs(SILENCE_SECS_MAX), self.body.frame()).await {
                Ok(Some(Ok(frame))) => frame,
                Ok(Some(Err(error))) => return Err(Ended(error.to_string())),
                Ok(None) => return Err(Ended("the server ended it".to_owned())),
                Err(_) => return Err(Ended(format!("nothing was heard for {SILENCE_SECS_MAX} s"))),
            };
            if let Ok(bytes) = frame.into_data() {
                self.lines.take(&bytes, &mut self.ready);
            }
            if self.lines.rest.len() > LINE_BYTES_MAX {
                return Err(Ended("a line of it does not end".to_owned()));
            }
        }
    }
}

/// Puts lines together that come in pieces, and events that come in lines.
#[derive(Debug, Default)]
struct Lines {
    rest: Vec<u8>,
    event: Heard,
}

impl Lines {
    fn take(&mut self, bytes: &[u8], ready: &mut VecDeque<Heard>) {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.rest.extend_from_slice(piece);
            if piece.ends_with(b"\n") {
                let line = String::from_utf8_lossy(&std::mem::take(&mut self.rest)).into_owned();
                self.line(line.trim_end_matches(['\r', '\n']), ready);
            }
        }
    }

    fn line(&mut self, line: &str, ready: &mut VecDeque<Heard>) {
        if line.is_empty() {
            let heard = std::mem::take(&mut self.event);
            if !heard.data.is_empty() {
                ready.push_back(heard);
            }
            return;
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "id" => self.event.id = value.to_owned(),
            "data" => {
                if !self.event.data.is_empty() {
                    self.event.data.push('\n');
                }
                self.event.data.push_str(value);
            }
            // The name of an event stands in its data too, and comments have no field.
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(id: &str, data: &str) -> Heard {
        Heard { id: id.to_owned(), data: data.to_owned() }
    }

    #[test]
    fn events_come_in_any_pieces() {
        let text = ": hello\n\nid: 1-1\nevent: a\ndata: {\"ä\":1}\n\n: still here\n\nid:1-2\r\ndata: x\r\ndata:y\r\n\r\nid: 1-3\n\n";
        let expected = [heard("1-1", "{\"ä\":1}"), heard("1-2", "x\ny")];
        for piece in [1, 2, 7, text.len()] {
            let (mut lines, mut ready) = (Lines::default(), VecDeque::new());
            for bytes in text.as_bytes().chunks(piece) {
                lines.take(bytes, &mut ready);
            }
            assert_eq!(ready, expected, "in pieces of {piece}");
        }
    }
}
