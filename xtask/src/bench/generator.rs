//! The load generator: one thread, one task a connection, and a ledger.
//!
//! Starts a [`Load`] on its lines and, in an open loop, says when each message is due.

use std::{rc::Rc, time::Duration};

use anyhow::{Context, Result};
use rustix::{
    fd::OwnedFd,
    time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
        timerfd_settime,
    },
};
use tokio::{
    io::unix::AsyncFd,
    task::{LocalSet, spawn_local},
};

use super::{
    clock::{self, SECOND_NS},
    ledger,
    load::Load,
    people,
    plan::{Go, Plan, Said, Work},
    process, rest, ws,
};

/// The scheduler sleeps at least this long, which bounds both its own cost and the error that it adds.
const NAP_NS_MIN: u64 = 50_000;

enum Lines {
    Rest(Rc<rest::Lines>),
    Sessions(Rc<ws::Lines>),
}

pub(super) fn run() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, async {
        let said = match generate().await {
            Ok(sent) => Said::Done { sent },
            Err(error) => Said::Failed { why: format!("{error:#}") },
        };
        process::tell_parent(&said)
    })
}

async fn generate() -> Result<u32> {
    let mut words = process::parent::<serde_json::Value>();
    let plan: Plan = serde_json::from_value(words.recv().await.context("no plan")?)?;
    let load = Rc::new(Load::new(plan));
    let lines = match load.plan.work {
        Work::Send { .. } | Work::History { .. } => Lines::Rest(rest::Lines::connect(&load).await?),
        Work::Sessions { .. } => Lines::Sessions(ws::Lines::connect(&load).await?),
    };
    process::tell_parent(&Said::Ready)?;
    let Some(word) = words.recv().await else { return Ok(0) };
    let go: Go = serde_json::from_value(word)?;
    load.begin(go);
    spawn_local(report_progress(Rc::clone(&load)));
    match go {
        Go::Closed { .. } | Go::Count { .. } => lines.start(),
        Go::Open { start_ns, end_ns, rate_per_s } => {
            keep_pace(&load, &lines, Schedule::new(rate_per_s, start_ns, end_ns)).await?;
        }
    }
    load.wait_until_over().await?;
    if let Some(path) = &load.plan.ledger {
        ledger::write_sent(path, &load.sent.borrow())?;
    }
    Ok(load.issued.get())
}

impl Lines {
    fn start(&self) {
        match self {
            Lines::Rest(lines) => lines.start(),
            Lines::Sessions(lines) => lines.start(),
        }
    }

    fn dispatch(&self, n: u32) {
        match self {
            Lines::Rest(lines) => lines.dispatch(n),
            Lines::Sessions(lines) => lines.dispatch(n),
        }
    }
}

async fn keep_pace(load: &Load, lines: &Lines, mut schedule: Schedule) -> Result<()> {
    let timer = Timer::new()?;
    loop {
        let now_ns = clock::now_ns();
        while let Some(due_ns) = schedule.due(now_ns) {
            lines.dispatch(load.issue(due_ns));
        }
        if schedule.is_over() || load.has_failed() {
            break;
        }
        timer.sleep_until(schedule.next_ns.max(now_ns + NAP_NS_MIN)).await?;
    }
    load.close();
    Ok(())
}

async fn report_progress(load: Rc<Load>) {
    let mut ticks = tokio::time::interval(Duration::from_millis(250));
    loop {
        ticks.tick().await;
        if let Err(error) = process::tell_parent(&Said::Progress { done: load.done.get() }) {
            load.fail(format!("the parent is gone: {error}"));
        }
    }
}

/// The instants at which messages are due: a Poisson process, the same in every run. It does not look at the server,
/// so that a stall delays every message that falls into it instead of hiding them.
struct Schedule {
    next_ns: u64,
    end_ns: u64,
    gap_ns: f64,
    drawn: u64,
}

impl Schedule {
    fn new(rate_per_s: u32, start_ns: u64, end_ns: u64) -> Self {
        Schedule { next_ns: start_ns, end_ns, gap_ns: SECOND_NS as f64 / f64::from(rate_per_s), drawn: 0 }
    }

    fn due(&mut self, now_ns: u64) -> Option<u64> {
        let due_ns = self.next_ns;
        if due_ns > now_ns || self.is_over() {
            return None;
        }
        let uniform = (people::scatter(self.drawn) >> 11) as f64 / (1_u64 << 53) as f64;
        self.drawn += 1;
        self.next_ns += (-(1.0 - uniform).ln() * self.gap_ns) as u64;
        Some(due_ns)
    }

    fn is_over(&self) -> bool {
        self.next_ns >= self.end_ns
    }
}

/// Wakes to the microsecond; the runtime's own timers count in milliseconds, as much as is to be measured.
struct Timer(AsyncFd<OwnedFd>);

impl Timer {
    #[expect(
        deprecated,
        reason = "its successor is unsafe, for types that change their descriptor; this one does not"
    )]
    fn new() -> Result<Self> {
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        Ok(Timer(AsyncFd::new(timerfd_create(TimerfdClockId::Monotonic, flags)?)?))
    }

    async fn sleep_until(&self, at_ns: u64) -> Result<()> {
        let it_value = Timespec {
            tv_sec: (at_ns / SECOND_NS).cast_signed(),
            tv_nsec: (at_ns % SECOND_NS).cast_signed(),
        };
        let once = Itimerspec { it_interval: Timespec { tv_sec: 0, tv_nsec: 0 }, it_value };
        // Setting it anew also forgets that it rang, so that it need not be read.
        timerfd_settime(&self.0, TimerfdTimerFlags::ABSTIME, &once)?;
        self.0.readable().await?.clear_ready();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schedule_keeps_its_rate_whenever_it_is_asked() {
        let mut often = Schedule::new(5_000, 0, 10 * SECOND_NS);
        let mut late = Schedule::new(5_000, 0, 10 * SECOND_NS);
        let mut due: Vec<u64> = Vec::new();
        for now_ns in (0..11 * SECOND_NS).step_by(1_000_000) {
            due.extend(std::iter::from_fn(|| often.due(now_ns)));
        }
        let due_late: Vec<u64> = std::iter::from_fn(|| late.due(20 * SECOND_NS)).collect();
        assert_eq!(due, due_late);
        assert!((49_000..51_000).contains(&due.len()), "{} messages", due.len());
        assert!(often.is_over());
    }
}
