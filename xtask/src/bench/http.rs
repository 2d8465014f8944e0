//! As much of HTTP/1.1 as both ends of the benchmark need: messages with a content length, found by byte search.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use memchr::memmem::Finder;

/// Finds the messages in a buffer. Built once per process, since building the searches costs more than using them.
pub(super) struct Scanner {
    head_end: Finder<'static>,
    length_lower: Finder<'static>,
    length_title: Finder<'static>,
    error_code: Finder<'static>,
    msg_random: Finder<'static>,
    before_send: Finder<'static>,
    event_id: Finder<'static>,
}

/// One whole request or answer at the beginning of a buffer.
pub(super) struct Message<'a> {
    pub head: &'a [u8],
    pub body: &'a [u8],
}

impl Message<'_> {
    pub(super) fn len(&self) -> usize {
        self.head.len() + self.body.len()
    }
}

impl Scanner {
    pub(super) fn new() -> Self {
        Scanner {
            head_end: Finder::new("\r\n\r\n"),
            length_lower: Finder::new("content-length: "),
            length_title: Finder::new("Content-Length: "),
            error_code: Finder::new("\"ErrorCode\":"),
            msg_random: Finder::new("\"MsgRandom\":"),
            before_send: Finder::new("BeforeSendMsg"),
            event_id: Finder::new("webhook-id: "),
        }
    }

    /// The first message, or `None` while it is still incomplete.
    pub(super) fn message<'a>(&self, buffer: &'a [u8]) -> Result<Option<Message<'a>>> {
        let Some(head_len) = self.head_len(buffer) else { return Ok(None) };
        let (head, rest) = buffer.split_at(head_len);
        let Some(at) = self.length_lower.find(head).or_else(|| self.length_title.find(head)) else {
            bail!("a message without Content-Length:\n{}", String::from_utf8_lossy(head));
        };
        let body_len = leading_number(&head[at + 16..]).context("Content-Length is not a number")? as usize;
        Ok(rest.get(..body_len).map(|body| Message { head, body }))
    }

    pub(super) fn head_len(&self, buffer: &[u8]) -> Option<usize> {
        self.head_end.find(buffer).map(|at| at + 4)
    }

    /// Whether an answer of the REST API says OK.
    pub(super) fn is_ok(&self, answer: &Message<'_>) -> bool {
        let code = self.error_code.find(answer.body).map(|at| &answer.body[at + 12..]);
        answer.head.starts_with(b"HTTP/1.1 200") && code.and_then(leading_number) == Some(0)
    }

    pub(super) fn random(&self, json: &[u8]) -> Option<u32> {
        let at = self.msg_random.find(json)?;
        leading_number(&json[at + 12..])?.try_into().ok()
    }

    pub(super) fn asks_before_send(&self, request: &Message<'_>) -> bool {
        self.before_send.find(request.head).is_some()
    }

    /// Where an event stands in the log of its app: the last part of its id.
    pub(super) fn event_place(&self, head: &[u8]) -> Option<u32> {
        let id = &head[self.event_id.find(head)? + 12..];
        let id = &id[..memchr::memchr(b'\r', id)?];
        leading_number(&id[memchr::memrchr(b'_', id)? + 1..])?.try_into().ok()
    }
}

pub(super) fn leading_number(text: &[u8]) -> Option<u64> {
    let digits = text.iter().take(19).take_while(|byte| byte.is_ascii_digit()).count();
    (digits > 0).then(|| text[..digits].iter().fold(0, |n, digit| n * 10 + u64::from(digit - b'0')))
}

pub(super) fn post_request(host: SocketAddr, path: &str, body: &str) -> Vec<u8> {
    let len = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {len}\r\n\r\n{body}"
    )
    .into_bytes()
}

/// A connection for one call after the other.
pub(super) struct Connection {
    scanner: Scanner,
    host: SocketAddr,
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    pub(super) fn open(host: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(host)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        Ok(Connection { scanner: Scanner::new(), host, stream, buffer: Vec::new() })
    }

    /// Posts and waits for the answer's body.
    pub(super) fn post(&mut self, path: &str, body: &str) -> Result<String> {
        self.stream.write_all(&post_request(self.host, path, body))?;
        self.buffer.clear();
        let mut chunk = [0; 16 * 1024];
        loop {
            if let Some(answer) = self.scanner.message(&self.buffer)? {
                let body = String::from_utf8_lossy(answer.body).into_owned();
                anyhow::ensure!(
                    self.scanner.is_ok(&answer),
                    "{} is refused: {body}",
                    path.split('?').next().unwrap_or(path)
                );
                return Ok(body);
            }
            match self.stream.read(&mut chunk)? {
                0 => bail!("the server closed the connection instead of answering"),
                n => self.buffer.extend_from_slice(&chunk[..n]),
            }
        }
    }
}

/// Posts and waits for the answer's body; for preparations, where time does not matter.
pub(super) fn post(host: SocketAddr, path: &str, body: &str) -> Result<String> {
    Connection::open(host)?.post(path, body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_found_when_it_is_whole() {
        let scanner = Scanner::new();
        let bytes = b"HTTP/1.1 200 OK\r\ncontent-length: 15\r\n\r\n{\"ErrorCode\":0}HTTP";
        for len in 0..bytes.len() - 4 {
            assert!(scanner.message(&bytes[..len]).unwrap().is_none(), "{len} bytes are not a message");
        }
        let answer = scanner.message(bytes).unwrap().unwrap();
        assert_eq!(answer.len(), bytes.len() - 4);
        assert!(scanner.is_ok(&answer));
    }

    #[test]
    fn only_code_zero_is_ok() {
        let scanner = Scanner::new();
        for (body, ok) in [
            (r#"{"ErrorCode":0}"#, true),
            (r#"{"ErrorCode":0, "#, true),
            (r#"{"ErrorCode":90001}"#, false),
            ("", false),
        ] {
            let answer = Message { head: b"HTTP/1.1 200 OK\r\n\r\n", body: body.as_bytes() };
            assert_eq!(scanner.is_ok(&answer), ok, "{body}");
        }
        assert!(!scanner.is_ok(&Message { head: b"HTTP/1.1 503 No\r\n\r\n", body: br#"{"ErrorCode":0}"# }));
    }

    #[test]
    fn an_event_has_its_place_in_its_id() {
        let place = |head: &str| Scanner::new().event_place(head.as_bytes());
        assert_eq!(place("webhook-id: evt_1400000001_0_1a208a00947_4\r\nhost: 127.0.0.1_7\r\n\r\n"), Some(4));
        assert_eq!(place("webhook-id: evt\r\nhost: 127.0.0.1_7\r\n\r\n"), None);
        assert_eq!(place("host: 127.0.0.1_7\r\n\r\n"), None);
    }

    #[test]
    fn a_message_without_length_is_refused() {
        assert!(Scanner::new().message(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").is_err());
    }
}
