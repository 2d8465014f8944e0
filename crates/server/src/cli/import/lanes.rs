//! The lanes that chunks go out on, each with at most one under way.

use super::Line;
use super::chunk::{Chunk, Done, Rejected, Tally};
use super::progress::Progress;
use crate::cli::api::{Api, ApiError};
use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt};
use protocol::export::Subject;
use rustc_hash::FxBuildHasher;
use std::hash::BuildHasher;

/// Enough to keep the server busy while some answers are on their way.
const LANES: usize = 8;

pub(super) struct Lanes<'a> {
    api: &'a Api,
    query: Vec<(&'static str, &'static str)>,
    lanes: [Lane; LANES],
    under_way: FuturesUnordered<BoxFuture<'a, (usize, Result<Done, ApiError>)>>,
    tally: Tally,
    rejected: Vec<Rejected>,
    progress: Progress,
    progressed: bool,
}

#[derive(Default)]
struct Lane {
    filling: Chunk,
    /// Where the first line of the chunk under way stands.
    under_way: Option<u64>,
}

impl<'a> Lanes<'a> {
    pub(super) fn new(api: &'a Api, live: bool, creates_accounts: bool, progress: Progress) -> Self {
        let mode = ("mode", if live { "live" } else { "history" });
        let creates = ("create_accounts", if creates_accounts { "1" } else { "0" });
        Self {
            api,
            query: vec![mode, creates],
            lanes: std::array::from_fn(|_| Lane::default()),
            under_way: FuturesUnordered::new(),
            tally: Tally::default(),
            rejected: Vec::new(),
            progress,
            progressed: false,
        }
    }

    /// Takes a line. Waits while its lane has a full chunk and another under way.
    pub(super) async fn put(&mut self, subject: Option<&Subject<'_>>, line: &Line) -> Result<(), ApiError> {
        let lane = match subject {
            Some(Subject::Account(user)) => FxBuildHasher.hash_one(user) as usize % LANES,
            Some(Subject::Pair(one, other)) => FxBuildHasher.hash_one((one, other)) as usize % LANES,
            // The server says what is wrong with it.
            None => 0,
        };
        while self.lanes[lane].filling.is_full() && self.lanes[lane].under_way.is_some() {
            self.wait().await?;
        }
        if self.lanes[lane].filling.is_full() {
            self.send(lane);
        }
        self.lanes[lane].filling.push(line);
        Ok(())
    }

    /// Sends what is left, and waits until all of it is in.
    pub(super) async fn finish(&mut self) -> Result<(), ApiError> {
        loop {
            for lane in 0..LANES {
                if self.lanes[lane].under_way.is_none() && !self.lanes[lane].filling.is_empty() {
                    self.send(lane);
                }
            }
            if self.under_way.is_empty() {
                return Ok(());
            }
            self.wait().await?;
        }
    }

    pub(super) fn take_rejected(&mut self) -> Vec<Rejected> {
        std::mem::take(&mut self.rejected)
    }

    /// Whether a chunk came in since the last time this was asked.
    pub(super) fn progressed(&mut self) -> bool {
        std::mem::take(&mut self.progressed)
    }

    /// Where the first line stands that is not known to be in.
    pub(super) fn everything_before(&self) -> Option<u64> {
        self.lanes.iter().filter_map(|lane| lane.under_way.or(lane.filling.offset())).min()
    }

    pub(super) fn end(self) -> Tally {
        self.progress.end();
        self.tally
    }

    fn send(&mut self, lane: usize) {
        let chunk = std::mem::take(&mut self.lanes[lane].filling);
        self.lanes[lane].under_way = chunk.offset();
        let (api, query) = (self.api, self.query.clone());
        self.under_way.push(Box::pin(async move { (lane, chunk.send(api, &query).await) }));
    }

    async fn wait(&mut self) -> Result<(), ApiError> {
        let Some((lane, done)) = self.under_way.next().await else { return Ok(()) };
        let done = done?;
        self.lanes[lane].under_way = None;
        self.tally.add(done.tally);
        self.rejected.extend(done.rejected);
        self.progress.advance(done.bytes, &self.tally);
        self.progressed = true;
        Ok(())
    }
}
