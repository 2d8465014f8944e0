//! What can be wrong with an endpoint, and what it then writes.

use chat::port::Clock;
use protocol::callback;
use server::clock::SystemClock;
use std::io;
use std::time::{Duration, SystemTime};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::interval;

/// How one endpoint misbehaves while it is bad.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// Refuses connections.
    Refuses,
    /// Accepts a connection, and reads nothing from it.
    ReadsNothing,
    /// Reads a call, and never answers.
    Hangs,
    /// Answers well, one byte a second.
    Trickles,
    /// Answers 200 with half a body, and resets the connection.
    BreaksOff,
    /// Answers 200 with a body that does not end before 10 GiB.
    Endless,
    /// Answers 200 and announces 10 GiB, of which the first few bytes would be a good answer.
    Announces,
    /// Takes the event, and does not answer before nobody listens any more.
    AnswersTooLate,
    /// Redirects from the one path to the other, and back.
    Redirects([&'static str; 2]),
    /// Answers 429, and asks for a pause until so many seconds from then, by the date.
    BusyUntil(u64),
    /// Answers this, as it stands.
    Says(String),
    /// The same for calls whose body has the first text in it; others are taken.
    SaysAbout(&'static str, String),
    /// Answers in plain text where TLS is expected.
    PlainText,
    /// Shakes hands, and goes on with what is no TLS.
    Garbage,
    /// Shows a certificate that must not be trusted.
    Presents(Certificate),
    /// Wants to see the caller's certificate.
    DemandsCertificate,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Certificate {
    OfStranger,
    Expired,
    OfAnotherName,
}

pub(super) const PLAIN_TEXT: &[u8] =
    b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
pub(super) const GARBAGE: &[u8] = &[0xaa; 4096];

const ENDLESS_BYTES_MAX: u64 = 10 * 1024 * 1024 * 1024;

/// An answer of HTTP/1.1. `headers` are whole lines.
pub(crate) fn answer(status: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n{headers}\r\n{body}")
}

impl Fault {
    /// Whether a call that was read is mistreated.
    pub(super) fn is_about(&self, body: &[u8]) -> bool {
        match self {
            Self::SaysAbout(text, _) => String::from_utf8_lossy(body).contains(text),
            _ => true,
        }
    }

    /// Treats a call, after which the connection is closed.
    pub(super) async fn misbehave(
        &self,
        stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
        target: &str,
    ) -> io::Result<()> {
        match self {
            Self::Hangs | Self::AnswersTooLate => hung_up(stream).await?,
            Self::Trickles => {
                let mut second = interval(Duration::from_secs(1));
                for byte in answer("200 OK", "", callback::accept()).bytes() {
                    second.tick().await;
                    stream.write_all(&[byte]).await?;
                }
            }
            Self::BreaksOff => {
                let whole = answer("200 OK", "", callback::accept());
                stream.write_all(&whole.as_bytes()[..whole.len() - 10]).await?;
                // An end in order would not be a reset.
                return Ok(());
            }
            Self::Endless => {
                stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n").await?;
                let spaces = vec![b' '; 1024 * 1024];
                for _ in 0..ENDLESS_BYTES_MAX / spaces.len() as u64 {
                    stream.write_all(&spaces).await?;
                }
            }
            Self::Announces => {
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {ENDLESS_BYTES_MAX}\r\n\r\n");
                stream.write_all((head + callback::accept()).as_bytes()).await?;
                hung_up(stream).await?;
            }
            Self::Redirects([one, other]) => {
                let path = target.split('?').next().unwrap_or_default();
                let location = if path == *one { other } else { one };
                let location = format!("Connection: close\r\nLocation: {location}\r\n");
                stream.write_all(answer("302 Found", &location, "").as_bytes()).await?;
            }
            Self::BusyUntil(secs) => {
                let now = SystemTime::UNIX_EPOCH + Duration::from_millis(SystemClock.now_ms());
                let until = httpdate::fmt_http_date(now + Duration::from_secs(*secs));
                let headers = format!("Connection: close\r\nRetry-After: {until}\r\n");
                stream.write_all(answer("429 Too Many Requests", &headers, "").as_bytes()).await?;
            }
            Self::Says(text) | Self::SaysAbout(_, text) => stream.write_all(text.as_bytes()).await?,
            Self::Refuses | Self::ReadsNothing | Self::PlainText | Self::Garbage => {
                unreachable!("no call is read from such a connection")
            }
            // Whoever went on although the certificate is bad is told, and then shows up among the calls.
            Self::Presents(_) | Self::DemandsCertificate => {}
        }
        stream.shutdown().await
    }
}

/// Says its last, and waits until the caller has closed the connection: closed before, it would be reset by what the
/// caller still writes, and what was said might be lost.
pub(super) async fn leave_with(mut stream: TcpStream, last: &[u8]) -> io::Result<()> {
    stream.write_all(last).await?;
    hung_up(&mut stream).await
}

/// Waits until the caller has closed the connection.
async fn hung_up(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<()> {
    let mut rest = [0; 64];
    while stream.read(&mut rest).await? > 0 {}
    Ok(())
}
