//! What waits for a session: bounded, and without memory of its own while nothing waits, as it is nearly always.

use super::{Push, UNPOISONED};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::Mutex;
use std::task::{Context, Poll, Waker};

#[derive(Debug, Clone, Copy)]
pub struct QueueLimits {
    pub len_max: usize,
    pub bytes_max: usize,
}

#[derive(Debug)]
pub(super) struct Queue {
    limits: QueueLimits,
    // Taken while a shard's lock is held, and never the other way round.
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    pushes: VecDeque<Push>,
    bytes: usize,
    has_missed: bool,
    /// Of the session, while it waits.
    waker: Option<Waker>,
}

impl Queue {
    pub(super) fn new(limits: QueueLimits) -> Self {
        Self { limits, waiting: Mutex::default() }
    }

    /// Puts it last. What finds no room is dropped, and the session will know that something was.
    pub(super) fn offer(&self, push: Push) {
        let waker = {
            let mut waiting = self.waiting.lock().expect(UNPOISONED);
            let bytes = waiting.bytes + push.len_bytes();
            if waiting.pushes.len() >= self.limits.len_max || bytes > self.limits.bytes_max {
                waiting.has_missed = true;
                return;
            }
            waiting.bytes = bytes;
            waiting.pushes.push_back(push);
            waiting.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// The first of what waits. Cancel-safe, and for one session.
    pub(super) async fn next(&self) -> Push {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    fn poll_next(&self, cx: &Context<'_>) -> Poll<Push> {
        let mut waiting = self.waiting.lock().expect(UNPOISONED);
        let Some(push) = waiting.pushes.pop_front() else {
            // The same task asks again whenever anything wakes it.
            if !waiting.waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
                waiting.waker = Some(cx.waker().clone());
            }
            return Poll::Pending;
        };
        waiting.bytes -= push.len_bytes();
        if waiting.pushes.is_empty() {
            waiting.pushes = VecDeque::new();
        }
        Poll::Ready(push)
    }

    /// Whether something was dropped since the last time this was asked.
    pub(super) fn missed(&self) -> bool {
        std::mem::take(&mut self.waiting.lock().expect(UNPOISONED).has_missed)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.lock().expect(UNPOISONED).pushes.is_empty()
    }
}
