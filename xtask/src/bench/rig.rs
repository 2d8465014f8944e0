//! One server with its receiver, under one load after another.

use std::{net::SocketAddr, time::Duration};

use anyhow::{Context, Result, bail, ensure};
use tempfile::TempDir;

use super::{
    Role,
    clock::{self, SECOND_NS},
    couplet::{self, BEFORE_SEND},
    ledger::{self, Sent},
    people::{People, RANDOM_MIN},
    plan::{Ask, Ceiling, Go, Listening, Plan, Received, Said, Work},
    process::{Process, Usage},
    report::Progress,
};

const CHILD_TIMEOUT: Duration = Duration::from_secs(60);

/// How long the count of callbacks may stand still before it is judged. Longer than the first pauses between attempts.
const STANDSTILL_MS_MAX: f64 = 180_000.0;

/// How long a callback that was sent twice is waited for.
const TWICE_MS: u64 = 300;

/// The load goes on this long after the window, so that nothing measured is about stopping.
const OVERRUN_NS: u64 = SECOND_NS / 10;

pub(super) struct Rig {
    pub server: Process,
    pub listen: SocketAddr,
    pub dir: TempDir,
    receiver: Process,
    callback: SocketAddr,
    events: &'static [&'static str],
    next_random: u32,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Backend {
    Up,
    Down,
}

pub(super) struct Run {
    pub label: String,
    pub work: Work,
    pub lines: u32,
    pub people: People,
    pub pace: Pace,
    pub warm_up_s: u32,
    pub window_s: u32,
}

#[derive(Clone, Copy)]
pub(super) enum Pace {
    Closed,
    Open { rate_per_s: u32 },
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

#[derive(Clone, Copy)]
struct Window {
    start_ns: u64,
    end_ns: u64,
}

impl Rig {
    /// The real server on an empty directory, with its accounts.
    pub(super) fn couplet(
        events: &'static [&'static str],
        backend: Backend,
        people: People,
        progress: &Progress,
    ) -> Result<Self> {
        let dir = super::data_dir()?;
        let (receiver, callback) = receiver(backend)?;
        let started = couplet::start(dir.path(), callback, events)?;
        let bar = progress.count("accounts", u64::from(people.users));
        couplet::import(started.listen, people, |done| bar.set_position(done))?;
        let (server, listen) = (started.process, started.listen);
        Ok(Rig { server, listen, dir, receiver, callback, events, next_random: RANDOM_MIN })
    }

    /// The stub in the server's place.
    pub(super) fn ceiling() -> Result<Self> {
        let dir = super::data_dir()?;
        let (receiver, callback) = receiver(Backend::Up)?;
        let mut server = Process::role(Role::Ceiling)?;
        server.say(&Ceiling { callback })?;
        let Listening { listen } = server.hear(CHILD_TIMEOUT)?;
        Ok(Rig { server, listen, dir, receiver, callback, events: &[], next_random: RANDOM_MIN })
    }

    /// Puts a load on the server for a while, measures, and checks that every send was told exactly once.
    pub(super) fn measure(&mut self, run: &Run, progress: &Progress) -> Result<Outcome> {
        let mut generator = self.generator(run.work.clone(), run.lines, run.people)?;
        let start_ns = clock::now_ns() + SECOND_NS / 50;
        let window_start_ns = start_ns + u64::from(run.warm_up_s) * SECOND_NS;
        let window = Window {
            start_ns: window_start_ns,
            end_ns: window_start_ns + u64::from(run.window_s) * SECOND_NS,
        };
        let end_ns = window.end_ns + OVERRUN_NS;
        generator.say(&match run.pace {
            Pace::Closed => Go::Closed { end_ns },
            Pace::Open { rate_per_s } => Go::Open { start_ns, end_ns, rate_per_s },
        })?;
        let cpu_us = self.watch(&mut generator, window, &run.label, progress)?;
        let sent = self.sent(&mut generator, |_| {})?;
        let tells = !matches!(run.work, Work::History { .. });
        let received = if tells { self.reconcile(&sent, |_| {})? } else { Vec::new() };
        let usage = self.server.usage()?;
        Ok(Outcome::new(window, &sent, &received, cpu_us, usage))
    }

    /// Sends a number of messages as fast as they are taken. Answers what was sent, and how many a second.
    pub(super) fn fill(&mut self, run: &Run, messages: u32, progress: &Progress) -> Result<(Vec<Sent>, f64)> {
        let bar = progress.count(&run.label, u64::from(messages));
        let mut generator = self.generator(run.work.clone(), run.lines, run.people)?;
        let started_ns = clock::now_ns();
        generator.say(&Go::Count { messages })?;
        let sent = self.sent(&mut generator, |done| bar.set_position(u64::from(done)))?;
        Ok((sent, f64::from(messages) / clock::elapsed_ms(started_ns) * 1e3))
    }

    /// Opens that many pairs of sessions and keeps them until the answer is dropped.
    pub(super) fn open_sessions(&mut self, pairs: u32, people: People) -> Result<Process> {
        self.generator(couplet::sessions(), pairs, people)
    }

    pub(super) fn bring_receiver_up(&mut self) -> Result<()> {
        self.ask(&Ask::Listen).map(|_| ())
    }

    /// Waits until every send has been told, and answers when each was, in the order of the sends.
    pub(super) fn reconcile(&mut self, sent: &[Sent], on_progress: impl Fn(u64)) -> Result<Vec<u64>> {
        let first_random = self.next_random - sent.len() as u32;
        let (mut seen, mut seen_ns) = (0, clock::now_ns());
        loop {
            let received = self.ask(&Ask::Count)?;
            on_progress(received.after);
            if received.after >= sent.len() as u64 || clock::elapsed_ms(seen_ns) > STANDSTILL_MS_MAX {
                break;
            }
            if received.after > seen {
                (seen, seen_ns) = (received.after, clock::now_ns());
            }
            clock::sleep_ms(20);
        }
        clock::sleep_ms(TWICE_MS);
        let path = self.dir.path().join("receipts");
        let received = self.ask(&Ask::Take { path: path.clone() })?;
        if self.events.contains(&BEFORE_SEND) {
            let (asked, sends) = (received.before, sent.len());
            ensure!(asked == sends as u64, "WRONG COUNT: {sends} sends, and {asked} before-send callbacks");
        }
        ledger::reconcile(first_random, sent, &ledger::read_receipts(&path)?)
    }

    /// Ends the server as a crash would, and starts it again on what it left.
    pub(super) fn crash_and_restart(self) -> Result<(Self, f64)> {
        let Rig { server, dir, receiver, callback, events, next_random, .. } = self;
        server.kill()?;
        let started = couplet::start(dir.path(), callback, events)?;
        let (server, listen) = (started.process, started.listen);
        Ok((Rig { server, listen, dir, receiver, callback, events, next_random }, started.ready_ms))
    }

    pub(super) fn stop(self) -> Result<()> {
        self.server.stop()
    }

    fn generator(&mut self, work: Work, lines: u32, people: People) -> Result<Process> {
        // Preparing a store may send more than fits into memory as notes, and tells nobody.
        let noted = !matches!(work, Work::Send { event: false, .. });
        let ledger = noted.then(|| self.dir.path().join("sent"));
        let plan = Plan { target: self.listen, work, lines, people, first_random: self.next_random, ledger };
        let mut generator = Process::role(Role::Generator)?;
        generator.say(&plan)?;
        match generator.hear(CHILD_TIMEOUT)? {
            Said::Ready => Ok(generator),
            said => bail!("the generator cannot connect: {said:?}"),
        }
    }

    /// Sees a run through its window, and answers the CPU in microseconds that each process used in it.
    fn watch(
        &self,
        generator: &mut Process,
        window: Window,
        label: &str,
        progress: &Progress,
    ) -> Result<[u64; 3]> {
        let bar = progress.time(label, (window.end_ns - clock::now_ns()) / 1_000_000);
        let cpu_us = |generator: &Process| -> Result<[u64; 3]> {
            Ok([self.server.usage()?.cpu_us, generator.usage()?.cpu_us, self.receiver.usage()?.cpu_us])
        };
        let mut before = None;
        loop {
            let now_ns = clock::now_ns();
            bar.set_position(
                bar.length().unwrap_or(0).saturating_sub(window.end_ns.saturating_sub(now_ns) / 1_000_000),
            );
            let next_ns = match before {
                None if now_ns >= window.start_ns => {
                    before = Some(cpu_us(generator)?);
                    window.end_ns
                }
                None => window.start_ns,
                Some(before) if now_ns >= window.end_ns => {
                    let after = cpu_us(generator)?;
                    return Ok(std::array::from_fn(|process| after[process] - before[process]));
                }
                Some(_) => window.end_ns,
            };
            let pause =
                Duration::from_nanos(next_ns.saturating_sub(clock::now_ns())).min(Duration::from_millis(100));
            match generator.try_hear(pause)? {
                None | Some(Said::Ready | Said::Progress { .. }) => {}
                Some(Said::Failed { why }) => bail!("{why}"),
                Some(Said::Done { .. }) => bail!("the generator ended before its time"),
            }
        }
    }

    /// Waits for the generator's end and takes over its ledger.
    fn sent(&mut self, generator: &mut Process, on_progress: impl Fn(u32)) -> Result<Vec<Sent>> {
        loop {
            match generator.hear(CHILD_TIMEOUT * 2)? {
                Said::Ready => {}
                Said::Progress { done } => on_progress(done),
                Said::Failed { why } => bail!("{why}"),
                Said::Done { sent } => {
                    self.next_random =
                        self.next_random.checked_add(sent).context("all random numbers are used up")?;
                    let path = self.dir.path().join("sent");
                    return if path.exists() { take_ledger(&path) } else { Ok(Vec::new()) };
                }
            }
        }
    }

    fn ask(&mut self, ask: &Ask) -> Result<Received> {
        self.receiver.say(ask)?;
        let received: Received = self.receiver.hear(CHILD_TIMEOUT)?;
        match received.fault {
            Some(fault) => bail!("the receiver: {fault}"),
            None => Ok(received),
        }
    }
}

fn take_ledger(path: &std::path::Path) -> Result<Vec<Sent>> {
    let sent = ledger::read_sent(path)?;
    std::fs::remove_file(path)?;
    Ok(sent)
}

fn receiver(backend: Backend) -> Result<(Process, SocketAddr)> {
    let mut receiver = Process::role(Role::Receiver)?;
    let Received { port, .. } = receiver.hear(CHILD_TIMEOUT)?;
    if backend == Backend::Up {
        receiver.say(&Ask::Listen)?;
        receiver.hear::<Received>(CHILD_TIMEOUT)?;
    }
    Ok((receiver, SocketAddr::from(([127, 0, 0, 1], port))))
}

impl Outcome {
    fn new(window: Window, sent: &[Sent], received: &[u64], cpu_us: [u64; 3], server: Usage) -> Self {
        let holds = |ns: &u64| (window.start_ns..window.end_ns).contains(ns);
        let window_s = (window.end_ns - window.start_ns) as f64 / SECOND_NS as f64;
        let answers = sent.iter().filter(|sent| holds(&sent.answered_ns)).count();
        let accepted =
            if received.is_empty() { answers } else { received.iter().filter(|ns| holds(ns)).count() };
        let measured = || sent.iter().filter(|sent| holds(&sent.start_ns));
        let told = sent.iter().zip(received).filter(|(sent, _)| holds(&sent.answered_ns));
        let before_end = |ns: u64| ns < window.end_ns;
        Outcome {
            per_s: accepted as f64 / window_s,
            answers_per_s: answers as f64 / window_s,
            send_ns: measured().map(|sent| sent.answered_ns - sent.start_ns).collect(),
            // The callback may arrive before the generator has read the answer; that is no wait.
            callback_ns: told.map(|(sent, ns)| ns.saturating_sub(sent.answered_ns)).collect(),
            push_ns: measured()
                .filter(|sent| sent.pushed_ns > 0)
                .map(|sent| sent.pushed_ns - sent.start_ns)
                .collect(),
            cpu_us: cpu_us.map(|us| us as f64 / accepted.max(1) as f64),
            behind: sent
                .iter()
                .zip(received)
                .filter(|(sent, ns)| before_end(sent.answered_ns) && !before_end(**ns))
                .count(),
            server,
        }
    }
}
