//! Lines that go out in one request, and what the server makes of them.

use super::Line;
use crate::cli::api::{Api, ApiError};
use hyper::body::Bytes;
use serde::Deserialize;
use std::time::Duration;
use tokio::time::sleep;

/// The server takes 2,000 lines and 1 MiB. Chunks far below both keep several lanes busy.
const LINES_MAX: usize = 500;
const BYTES_MAX: usize = 512 * 1024;
/// A server that is restarted is waited for.
const TRIES_MAX: u32 = 60;
const TRY_AGAIN_SECS: u64 = 1;

/// Lines of one lane, in their order.
#[derive(Debug, Default)]
pub(super) struct Chunk {
    lines: Vec<Line>,
    bytes: usize,
}

/// What was done so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) accounts: u64,
    pub(super) messages: u64,
    pub(super) duplicates: u64,
    pub(super) skipped: u64,
    pub(super) rejected: u64,
}

/// A line that the server does not take.
#[derive(Debug)]
pub(super) struct Rejected {
    pub(super) offset: u64,
    pub(super) line: Vec<u8>,
    pub(super) code: u32,
    pub(super) info: String,
}

/// What became of a chunk.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) tally: Tally,
    pub(super) rejected: Vec<Rejected>,
    pub(super) bytes: u64,
}

#[derive(Deserialize)]
struct Report {
    accounts: u64,
    messages: u64,
    duplicates: u64,
    skipped: u64,
    rejected: Vec<Reason>,
}

#[derive(Deserialize)]
struct Reason {
    line: usize,
    #[serde(rename = "ErrorCode")]
    code: u32,
    #[serde(rename = "ErrorInfo")]
    info: String,
}

impl Tally {
    pub(super) fn add(&mut self, other: Self) {
        self.accounts += other.accounts;
        self.messages += other.messages;
        self.duplicates += other.duplicates;
        self.skipped += other.skipped;
        self.rejected += other.rejected;
    }
}

impl Chunk {
    pub(super) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Whether another line should wait for the next chunk.
    pub(super) fn is_full(&self) -> bool {
        self.lines.len() >= LINES_MAX || self.bytes >= BYTES_MAX
    }

    pub(super) fn push(&mut self, line: &Line) {
        self.bytes += line.bytes.len() + 1;
        self.lines.push(line.clone());
    }

    /// Where its first line stands.
    pub(super) fn offset(&self) -> Option<u64> {
        self.lines.first().map(|line| line.offset)
    }

    /// Sends it until the server has answered. Sending again does no harm: what is in is not doubled.
    pub(super) async fn send(self, api: &Api, query: &[(&str, &str)]) -> Result<Done, ApiError> {
        let mut body = Vec::with_capacity(self.bytes);
        for line in &self.lines {
            body.extend_from_slice(&line.bytes);
            body.push(b'\n');
        }
        let body = Bytes::from(body);
        let mut tries = 0;
        let answer = loop {
            match api.post_bytes("import", query, body.clone()).await {
                Err(error) if error.is_temporary() && tries < TRIES_MAX => {
                    tries += 1;
                    sleep(Duration::from_secs(TRY_AGAIN_SECS)).await;
                }
                answer => break answer?,
            }
        };
        let report: Report = api.understood(&answer)?;
        Ok(self.done(report))
    }

    fn done(self, report: Report) -> Done {
        let Report { accounts, messages, duplicates, skipped, rejected } = report;
        let tally = Tally { accounts, messages, duplicates, skipped, rejected: rejected.len() as u64 };
        let with_line = |reason: Reason| {
            let line = self.lines.get(reason.line)?;
            let (offset, line) = (line.offset, line.bytes.clone());
            Some(Rejected { offset, line, code: reason.code, info: reason.info })
        };
        let rejected = rejected.into_iter().filter_map(with_line).collect();
        Done { tally, rejected, bytes: self.bytes as u64 }
    }
}
