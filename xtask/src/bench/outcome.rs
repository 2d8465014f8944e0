//! What a run under load came to.

use super::{clock::SECOND_NS, ledger::Sent, process::Usage};

/// The part of a run that is measured.
#[derive(Clone, Copy)]
pub(super) struct Window {
    pub start_ns: u64,
    pub end_ns: u64,
}

/// A run as it was noted, before it is known what the receiver made of it.
pub(super) struct Trace {
    pub window: Window,
    pub first_random: u32,
    pub sent: Vec<Sent>,
    /// CPU in the window: of the server, the generator and the receiver.
    pub cpu_us: [u64; 3],
}

/// What one run came to. Latencies are in nanoseconds, in no order.
pub(super) struct Outcome {
    /// Callbacks accepted by the receiver; answers, if the load causes no callbacks.
    pub per_s: f64,
    pub answers_per_s: f64,
    pub send_ns: Vec<u64>,
    pub callback_ns: Vec<u64>,
    pub push_ns: Vec<u64>,
    /// CPU per message, of the server, the generator and the receiver.
    pub cpu_us: [f64; 3],
    /// Callbacks still to come when the window ended.
    pub behind: usize,
    pub server: Usage,
}

impl Window {
    pub(super) fn holds(&self, ns: u64) -> bool {
        (self.start_ns..self.end_ns).contains(&ns)
    }
}

impl Trace {
    /// How long each send that was due in the window took.
    pub(super) fn send_ns(&self) -> Vec<u64> {
        let measured = self.sent.iter().filter(|sent| self.window.holds(sent.start_ns));
        measured.map(|sent| sent.answered_ns - sent.start_ns).collect()
    }

    /// How long after the answer the callback of each send came that counts.
    pub(super) fn callback_ns(&self, received: &[u64], counts: impl Fn(u32) -> bool) -> Vec<u64> {
        (0..)
            .zip(self.sent.iter().zip(received))
            .filter(|(n, (sent, ns))| **ns > 0 && self.window.holds(sent.answered_ns) && counts(*n))
            // The callback may arrive before the generator has read the answer; that is no wait.
            .map(|(_, (sent, ns))| ns.saturating_sub(sent.answered_ns))
            .collect()
    }
}

impl Outcome {
    pub(super) fn new(trace: &Trace, received: &[u64], server: Usage) -> Self {
        let Trace { window, sent, .. } = trace;
        let window_s = (window.end_ns - window.start_ns) as f64 / SECOND_NS as f64;
        let answers = sent.iter().filter(|sent| window.holds(sent.answered_ns)).count();
        let accepted = if received.is_empty() {
            answers
        } else {
            received.iter().filter(|ns| window.holds(**ns)).count()
        };
        let before_end = |ns: u64| ns < window.end_ns;
        Outcome {
            per_s: accepted as f64 / window_s,
            answers_per_s: answers as f64 / window_s,
            send_ns: trace.send_ns(),
            callback_ns: trace.callback_ns(received, |_| true),
            push_ns: sent
                .iter()
                .filter(|sent| window.holds(sent.start_ns) && sent.pushed_ns > 0)
                .map(|sent| sent.pushed_ns - sent.start_ns)
                .collect(),
            cpu_us: trace.cpu_us.map(|us| us as f64 / accepted.max(1) as f64),
            behind: sent
                .iter()
                .zip(received)
                .filter(|(sent, ns)| before_end(sent.answered_ns) && !before_end(**ns))
                .count(),
            server,
        }
    }
}
