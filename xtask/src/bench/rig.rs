//! One server with its receiver, under one load after another.

use std::{net::SocketAddr, path::Path, time::Duration};

use anyhow::{Context, Result, bail, ensure};
use tempfile::TempDir;

use super::{
    backend::Backend,
    clock::{self, SECOND_NS},
    conduct::Conduct,
    couplet::{self, AFTER_SEND, App, BEFORE_SEND, NEIGHBOUR, SDKAPPID},
    ledger::{self, Receipt, Sent, Tally},
    outcome::{Outcome, Trace, Window},
    people::{People, RANDOM_MIN},
    plan::{Ceiling, Go, Listening, Plan, Said, Work},
    process::Process,
    report::Progress,
    role::Role,
    target::{self, Programs},
};

const CHILD_TIMEOUT: Duration = Duration::from_secs(60);

/// How long the count of callbacks may stand still before it is judged. Longer than the first pauses between attempts.
const STANDSTILL_MS_MAX: f64 = 180_000.0;

/// How long a callback that was sent twice is waited for.
const TWICE_MS: u64 = 300;

/// The load goes on this long after the window, so that nothing measured is about stopping.
const OVERRUN_NS: u64 = SECOND_NS / 10;

/// What a server is set up with.
#[derive(Clone, Copy)]
pub(super) struct Setup {
    pub events: &'static [&'static str],
    /// Further keys of `[app.callback]`, as lines.
    pub settings: &'static str,
    pub conduct: Conduct,
    /// How the backend of a second app behaves, if there is one.
    pub neighbour: Option<Conduct>,
    pub people: People,
}

pub(super) struct Rig {
    pub server: Process,
    pub listen: SocketAddr,
    pub dir: TempDir,
    pub backend: Backend,
    programs: Programs,
    apps: Vec<App>,
    /// Ends with the rig.
    neighbour: Option<Backend>,
    next_random: u32,
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

impl Setup {
    /// Events of sends, told to a backend in order.
    pub(super) fn telling(people: People) -> Self {
        Setup { events: &[AFTER_SEND], settings: "", conduct: Conduct::Healthy, neighbour: None, people }
    }
}

impl Rig {
    /// The real server on an empty directory, with its accounts.
    pub(super) fn couplet(programs: &Programs, setup: Setup, progress: &Progress) -> Result<Self> {
        let Setup { events, settings, conduct, people, .. } = setup;
        let dir = target::data_dir()?;
        let backend = Backend::start(programs, conduct)?;
        let neighbour = setup.neighbour.map(|conduct| Backend::start(programs, conduct)).transpose()?;
        let app = |sdkappid, callback| App { sdkappid, callback, events, settings };
        let mut apps = vec![app(SDKAPPID, backend.addr)];
        apps.extend(neighbour.as_ref().map(|neighbour| app(NEIGHBOUR, neighbour.addr)));
        let started = couplet::start(&programs.server, dir.path(), &apps)?;
        for app in &apps {
            let bar = progress.count("accounts", u64::from(people.users));
            couplet::import(started.listen, app.sdkappid, people, |done| bar.set_position(done))?;
        }
        let (server, listen, programs) = (started.process, started.listen, programs.clone());
        Ok(Rig { server, listen, dir, backend, programs, apps, neighbour, next_random: RANDOM_MIN })
    }

    /// The stub in the server's place.
    pub(super) fn ceiling(programs: &Programs) -> Result<Self> {
        let dir = target::data_dir()?;
        let backend = Backend::start(programs, Conduct::Healthy)?;
        let mut server = Process::role(programs, Role::Ceiling)?;
        server.say(&Ceiling { callback: backend.addr })?;
        let Listening { listen } = server.hear(CHILD_TIMEOUT)?;
        let (programs, apps, neighbour) = (programs.clone(), Vec::new(), None);
        Ok(Rig { server, listen, dir, backend, programs, apps, neighbour, next_random: RANDOM_MIN })
    }

    /// Puts a load on the server for a while, measures, and checks that every send was told exactly once.
    pub(super) fn measure(&mut self, run: &Run, progress: &Progress) -> Result<Outcome> {
        let trace = self.load(run, progress)?;
        let tells = !matches!(run.work, Work::History { .. });
        let received = if tells { self.settle(&trace.sent, |_| {})?.0.exact()? } else { Vec::new() };
        let usage = self.server.usage()?;
        Ok(Outcome::new(&trace, &received, usage))
    }

    /// Puts a load on the server for a while, and does not wait for its callbacks.
    pub(super) fn load(&mut self, run: &Run, progress: &Progress) -> Result<Trace> {
        self.load_with(run, progress, |_, _| Ok(()))
    }

    /// The same, with something to be done as soon as the window is known, shortly before the load begins.
    pub(super) fn load_with(
        &mut self,
        run: &Run,
        progress: &Progress,
        begin: impl FnOnce(&mut Self, Window) -> Result<()>,
    ) -> Result<Trace> {
        let first_random = self.next_random;
        let mut generator = self.generator(run.work.clone(), run.lines, run.people)?;
        let window = run.window_from(clock::now_ns() + SECOND_NS / 50);
        begin(self, window)?;
        generator.say(&run.go(window))?;
        let cpu_us = self.watch(&mut generator, window, &run.label, progress)?;
        let sent = self.sent(&mut generator, |_| {})?;
        Ok(Trace { window, first_random, sent, cpu_us })
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

    /// A generator of its own for a second app, ready to begin. It notes nothing.
    pub(super) fn neighbour(&mut self, run: &Run) -> Result<Process> {
        ensure!(self.neighbour.is_some(), "there is no second app");
        let work = couplet::send(NEIGHBOUR, true);
        self.connect(&Plan {
            target: self.listen,
            work,
            lines: run.lines,
            people: run.people,
            first_random: RANDOM_MIN,
            ledger: None,
        })
    }

    /// Waits until every send has been told, and answers what became of them, and every note of the receiver's.
    pub(super) fn settle(
        &mut self,
        sent: &[Sent],
        on_progress: impl Fn(u64),
    ) -> Result<(Tally, Vec<Receipt>)> {
        let first_random = self.next_random - sent.len() as u32;
        self.await_told(sent.len() as u64, on_progress)?;
        clock::sleep_ms(TWICE_MS);
        let (receipts, received) = self.backend.take(&self.dir.path().join("receipts"))?;
        if self.apps.iter().any(|app| app.events.contains(&BEFORE_SEND)) {
            let (asked, sends) = (received.before, sent.len());
            ensure!(asked == sends as u64, "WRONG COUNT: {sends} sends, and {asked} before-send callbacks");
        }
        Ok((ledger::tally(first_random, sent, &receipts)?, receipts))
    }

    /// Waits until so many events have been accepted, or none any more.
    pub(super) fn await_told(&mut self, events: u64, on_progress: impl Fn(u64)) -> Result<()> {
        let (mut seen, mut seen_ns) = (0, clock::now_ns());
        loop {
            let told = self.backend.count()?.after;
            on_progress(told);
            if told >= events || clock::elapsed_ms(seen_ns) > STANDSTILL_MS_MAX {
                return Ok(());
            }
            if told > seen {
                (seen, seen_ns) = (told, clock::now_ns());
            }
            clock::sleep_ms(20);
        }
    }

    /// Ends the server as a crash would, and starts it again on what it left. Answers how long it took to be ready.
    pub(super) fn crash_and_restart(self) -> Result<(Self, f64)> {
        let Rig { server, dir, backend, programs, apps, neighbour, next_random, .. } = self;
        server.kill()?;
        let started = couplet::start(&programs.server, dir.path(), &apps)?;
        let (server, listen) = (started.process, started.listen);
        let rig = Rig { server, listen, dir, backend, programs, apps, neighbour, next_random };
        Ok((rig, started.ready_ms))
    }

    pub(super) fn stop(self) -> Result<()> {
        self.server.stop()
    }

    fn generator(&mut self, work: Work, lines: u32, people: People) -> Result<Process> {
        // Preparing a store may send more than fits into memory as notes, and tells nobody.
        let noted = !matches!(work, Work::Send { event: false, .. });
        let ledger = noted.then(|| self.dir.path().join("sent"));
        self.connect(&Plan {
            target: self.listen,
            work,
            lines,
            people,
            first_random: self.next_random,
            ledger,
        })
    }

    fn connect(&self, plan: &Plan) -> Result<Process> {
        let mut generator = Process::role(&self.programs, Role::Generator)?;
        generator.say(plan)?;
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
            Ok([self.server.usage()?.cpu_us, generator.usage()?.cpu_us, self.backend.usage()?.cpu_us])
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
        let sent = await_end(generator, on_progress)?;
        self.next_random = self.next_random.checked_add(sent).context("all random numbers are used up")?;
        let path = self.dir.path().join("sent");
        if path.exists() { take_ledger(&path) } else { Ok(Vec::new()) }
    }
}

/// Waits until a generator is done, and answers how much it sent.
pub(super) fn await_end(generator: &mut Process, on_progress: impl Fn(u32)) -> Result<u32> {
    loop {
        match generator.hear(CHILD_TIMEOUT * 2)? {
            Said::Ready => {}
            Said::Progress { done } => on_progress(done),
            Said::Failed { why } => bail!("{why}"),
            Said::Done { sent } => return Ok(sent),
        }
    }
}

fn take_ledger(path: &Path) -> Result<Vec<Sent>> {
    let sent = ledger::read_sent(path)?;
    std::fs::remove_file(path)?;
    Ok(sent)
}

impl Run {
    fn window_from(&self, start_ns: u64) -> Window {
        let start_ns = start_ns + u64::from(self.warm_up_s) * SECOND_NS;
        Window { start_ns, end_ns: start_ns + u64::from(self.window_s) * SECOND_NS }
    }

    /// The word that begins the run, so that its window is as given.
    pub(super) fn go(&self, window: Window) -> Go {
        let end_ns = window.end_ns + OVERRUN_NS;
        match self.pace {
            Pace::Closed => Go::Closed { end_ns },
            Pace::Open { rate_per_s } => {
                let start_ns = window.start_ns - u64::from(self.warm_up_s) * SECOND_NS;
                Go::Open { start_ns, end_ns, rate_per_s }
            }
        }
    }
}
