//! What is measured, and against which goals.

use anyhow::{Context, Result};

use super::{
    args::Args,
    clock,
    couplet::{self, AFTER_SEND, App, BEFORE_SEND, SDKAPPID},
    outcome::Outcome,
    people::People,
    plan::Work,
    report::{Progress, Row, Section, figure, latency},
    rig::{Pace, Rig, Run, Setup},
    target::{self, Programs},
};

const OPEN_RATES_PER_S: [u32; 2] = [5_000, 10_000];
pub(super) const OPEN_LINES: u32 = 512;
const HISTORY_LINES: u32 = 2;
const IDLE_PAIRS: u32 = 7_500;
const STARTS: usize = 3;
pub(super) const MIB: f64 = 1024.0 * 1024.0;

pub(super) struct Bench {
    pub args: Args,
    pub programs: Programs,
    pub progress: Progress,
    pub cores: usize,
}

impl Bench {
    pub(super) fn start(&self) -> Result<Section> {
        // Nothing happens, so nothing is told: no one needs to listen.
        let callback = ([127, 0, 0, 1], 9).into();
        let app = App { sdkappid: SDKAPPID, callback, events: &[AFTER_SEND], settings: "" };
        let mut ready_ms = Vec::new();
        let mut rss_mib = Vec::new();
        for start in 1..=STARTS {
            let _bar = self.progress.busy(&format!("start {start}"));
            let dir = target::data_dir()?;
            let started = couplet::start(&self.programs.server, dir.path(), std::slice::from_ref(&app))?;
            ready_ms.push(started.ready_ms);
            clock::sleep_ms(2_000);
            rss_mib.push(started.process.usage()?.rss_kib as f64 / 1024.0);
            started.process.stop()?;
        }
        let binary_len = std::fs::metadata(&self.programs.server)?.len();
        let rows = vec![
            figure("ready on an empty directory", "ms", ready_ms).at_most(300.0),
            figure("resident after 2 s", "MiB", rss_mib).at_most(40.0),
            figure("binary", "MiB", [binary_len as f64 / MIB]).at_most(40.0),
        ];
        Ok(Section { scenario: "start".to_owned(), rows })
    }

    pub(super) fn rest(&self) -> Result<Section> {
        let people = People::new(self.args.conversations);
        let mut real = self.rig(Setup::telling(people))?;
        let mut stub = Rig::ceiling(&self.programs)?;
        let (mut reals, mut stubs) = (Vec::new(), Vec::new());
        for round in 1..=self.args.rounds {
            reals.push(self.round(&mut real, &self.run(&format!("rest {round}: couplet"), people))?);
            stubs.push(self.round(&mut stub, &self.run(&format!("rest {round}: ceiling"), people))?);
        }
        real.stop()?;
        let ratios = reals.iter().zip(&stubs).map(|(real, stub)| real.per_s / stub.per_s);
        let ratios = figure("share of the ceiling", "", ratios).at_least(0.40);
        let mut rows = self.rows(reals, Some(25_000.0));
        rows.insert(1, ratios);
        rows.push(figure("ceiling: sustained", "msg/s", stubs.iter().map(|stub| stub.per_s)));
        rows.push(cpu("ceiling: CPU of the stub", &stubs, 0));
        let filled_at = stubs.iter().map(|stub| self.cores_filled_at(stub));
        rows.push(figure("ceiling: fills the cores at", "msg/s", filled_at));
        Ok(Section { scenario: self.title("REST, closed loop"), rows })
    }

    /// The stub alone: what the generator, the receiver and the machine are good for.
    pub(super) fn ceiling(&self) -> Result<Section> {
        let people = People::new(self.args.conversations);
        let mut stub = Rig::ceiling(&self.programs)?;
        let stubs = (1..=self.args.rounds)
            .map(|round| self.round(&mut stub, &self.run(&format!("ceiling {round}"), people)))
            .collect::<Result<_>>()?;
        Ok(Section { scenario: self.title("the ceiling alone"), rows: self.rows(stubs, None) })
    }

    pub(super) fn before(&self) -> Result<Section> {
        let people = People::new(self.args.conversations);
        let events = &[BEFORE_SEND, AFTER_SEND];
        let mut rig = self.rig(Setup { events, ..Setup::telling(people) })?;
        let outcomes = (1..=self.args.rounds)
            .map(|round| self.round(&mut rig, &self.run(&format!("before {round}"), people)))
            .collect::<Result<_>>()?;
        rig.stop()?;
        let rows = self.rows(outcomes, Some(15_000.0));
        Ok(Section { scenario: self.title("REST with a before-send callback, closed loop"), rows })
    }

    pub(super) fn open(&self) -> Result<Section> {
        let people = People::new(self.args.conversations);
        let mut rig = self.rig(Setup::telling(people))?;
        let mut rows = Vec::new();
        for rate_per_s in OPEN_RATES_PER_S {
            let run = Run { lines: OPEN_LINES, ..self.run(&format!("open {rate_per_s}/s"), people) };
            let outcome = self.round(&mut rig, &Run { pace: Pace::Open { rate_per_s }, ..run })?;
            let mut send = latency(&format!("{rate_per_s}/s: due to answer"), outcome.send_ns);
            let mut told = latency(&format!("{rate_per_s}/s: answer to callback"), outcome.callback_ns);
            if rate_per_s == OPEN_RATES_PER_S[0] {
                send = send.p50_at_most_ms(1.5).p99_at_most_ms(10.0);
                told = told.p50_at_most_ms(2.0).p99_at_most_ms(20.0);
            }
            rows.extend([figure(&format!("{rate_per_s}/s: accepted"), "msg/s", [outcome.per_s]), send, told]);
        }
        rig.stop()?;
        Ok(Section { scenario: "REST, open loop, Poisson arrivals".to_owned(), rows })
    }

    pub(super) fn ws(&self) -> Result<Section> {
        let people = People { users: self.args.connections * 2, conversations: self.args.connections };
        let mut rig = self.rig(Setup::telling(people))?;
        let run = |label: &str, pace| Run { work: couplet::sessions(), pace, ..self.run(label, people) };
        let closed = self.round(&mut rig, &run("ws closed", Pace::Closed))?;
        let rate_per_s = OPEN_RATES_PER_S[0];
        let open = self.round(&mut rig, &run("ws open", Pace::Open { rate_per_s }))?;
        rig.stop()?;
        let mut rows = vec![
            figure("closed: callbacks accepted", "msg/s", [closed.per_s]),
            cpu("closed: CPU of the server", std::slice::from_ref(&closed), 0),
            latency("closed: frame to frame", closed.push_ns),
        ];
        rows.push(latency(&format!("{rate_per_s}/s: due to answer"), open.send_ns));
        let push = latency(&format!("{rate_per_s}/s: due to recipient's frame"), open.push_ns);
        rows.push(push.p50_at_most_ms(2.0).p99_at_most_ms(15.0));
        rows.push(latency(&format!("{rate_per_s}/s: answer to callback"), open.callback_ns));
        Ok(Section { scenario: format!("WebSocket, {} pairs of sessions", self.args.connections), rows })
    }

    pub(super) fn idle(&self) -> Result<Section> {
        let people = People { users: IDLE_PAIRS * 2, conversations: 1 };
        let mut rig = self.rig(Setup::telling(people))?;
        let bar = self.progress.busy("idle sessions");
        let before_kib = rig.server.usage()?.rss_kib;
        let sessions = rig.open_sessions(IDLE_PAIRS, people)?;
        clock::sleep_ms(2_000);
        let after_kib = rig.server.usage()?.rss_kib;
        drop((sessions, bar));
        rig.stop()?;
        let each_kib = after_kib.saturating_sub(before_kib) as f64 / f64::from(people.users);
        let rows = vec![figure("resident each", "KiB", [each_kib]).at_most(4.0)];
        Ok(Section { scenario: format!("{} idle sessions", people.users), rows })
    }

    pub(super) fn store(&self) -> Result<Section> {
        let rows_len = self.args.store_rows.context("--store-rows says how much to store")?;
        let people = People::new(self.args.conversations.max(rows_len / 100));
        let mut loaded = self.rig(Setup::telling(people))?;
        let fill = Run { work: couplet::send(SDKAPPID, false), ..self.run("store: preparing", people) };
        let (_, fill_per_s) = loaded.fill(&fill, rows_len, &self.progress)?;
        let (mut loaded_outcomes, mut ratios) = (Vec::new(), Vec::new());
        for round in 1..=self.args.rounds {
            let mut empty = self.rig(Setup::telling(people))?;
            let on_empty = self.round(&mut empty, &self.run(&format!("store {round}: empty"), people))?;
            empty.stop()?;
            let on_loaded = self.round(&mut loaded, &self.run(&format!("store {round}: loaded"), people))?;
            ratios.push(on_loaded.per_s / on_empty.per_s);
            loaded_outcomes.push(on_loaded);
        }
        let history =
            Run { work: couplet::history(), lines: HISTORY_LINES, ..self.run("store: history", people) };
        let history = loaded.measure(&history, &self.progress)?;
        let (loaded, ready_ms) = loaded.crash_and_restart()?;
        loaded.stop()?;
        let mut rows = self.rows(loaded_outcomes, None);
        rows.insert(0, figure("against an empty store", "", ratios).at_least(0.75));
        rows.push(latency("newest 20 of a random conversation", history.send_ns));
        rows.push(figure("ready after kill -9", "ms", [ready_ms]).at_most(3_000.0));
        rows.push(figure("preparing", "msg/s", [fill_per_s]));
        Ok(Section { scenario: format!("REST over {rows_len} stored messages"), rows })
    }

    pub(super) fn rig(&self, setup: Setup) -> Result<Rig> {
        Rig::couplet(&self.programs, setup, &self.progress)
    }

    pub(super) fn run(&self, label: &str, people: People) -> Run {
        let work: Work = couplet::send(SDKAPPID, true);
        Run {
            label: label.to_owned(),
            work,
            lines: self.args.connections,
            people,
            pace: Pace::Closed,
            warm_up_s: if self.args.seconds < 5 { 1 } else { 2 },
            window_s: self.args.seconds,
        }
    }

    pub(super) fn round(&self, rig: &mut Rig, run: &Run) -> Result<Outcome> {
        let outcome = rig.measure(run, &self.progress).with_context(|| run.label.clone())?;
        self.progress.remark(&format!("{}: {:.0} msg/s", run.label, outcome.per_s));
        Ok(outcome)
    }

    fn rows(&self, outcomes: Vec<Outcome>, goal_per_s: Option<f64>) -> Vec<Row> {
        let sustained = figure("sustained", "msg/s", outcomes.iter().map(|outcome| outcome.per_s));
        let mut rows = vec![
            match goal_per_s {
                Some(goal_per_s) => sustained.at_least(goal_per_s),
                None => sustained,
            },
            figure("answered", "msg/s", outcomes.iter().map(|outcome| outcome.answers_per_s)),
            figure("callbacks behind at the end", "", outcomes.iter().map(|outcome| outcome.behind as f64)),
            cpu("CPU of the server a message", &outcomes, 0),
            cpu("CPU of the generator a message", &outcomes, 1),
            cpu("CPU of the receiver a message", &outcomes, 2),
            // What a machine with nothing else to do would reach, were it never to wait.
            figure(
                "these fill the cores at",
                "msg/s",
                outcomes.iter().map(|outcome| self.cores_filled_at(outcome)),
            ),
            figure(
                "server resident at most",
                "MiB",
                outcomes.iter().map(|outcome| outcome.server.rss_kib_max as f64 / 1024.0),
            ),
        ];
        let (mut send_ns, mut callback_ns) = (Vec::new(), Vec::new());
        for outcome in outcomes {
            send_ns.extend(outcome.send_ns);
            callback_ns.extend(outcome.callback_ns);
        }
        rows.push(latency("sendmsg", send_ns));
        rows.push(latency("answer to callback", callback_ns));
        rows
    }

    fn cores_filled_at(&self, outcome: &Outcome) -> f64 {
        self.cores as f64 * 1e6 / outcome.cpu_us.iter().sum::<f64>()
    }

    fn title(&self, what: &str) -> String {
        let Args { connections, conversations, seconds, rounds, .. } = &self.args;
        format!(
            "{what}: {connections} connections, {conversations} conversations, {rounds} rounds of {seconds} s"
        )
    }
}

fn cpu(name: &str, outcomes: &[Outcome], process: usize) -> Row {
    figure(name, "µs", outcomes.iter().map(|outcome| outcome.cpu_us[process]))
}
