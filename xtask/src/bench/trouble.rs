//! What a receiver that misbehaves does to those who have nothing to do with it: to sends, to other conversations, and
//! to the server's memory.

use std::collections::HashSet;

use anyhow::{Context, Result};

use super::{
    conduct::Conduct,
    order::{Order, order},
    people::People,
    report::{Section, figure, latency, p99_ms},
    rig::{Pace, Run, Setup},
    scenario::{Bench, OPEN_LINES},
};

const RATE_PER_S: u32 = 2_000;
const FAULTS_CONVERSATIONS: u32 = 50_000;
const SHAKY: Conduct = Conduct::Shaky { refused_per_mille: 100, hung_per_mille: 20 };

/// The usual delays grow to hours; a run has to end, also for the event that fails five times.
const SOON_AGAIN: &str = "retry_delays_secs = [1, 1, 2, 5]";

const BAD: [(&str, Conduct); 5] = [
    ("never answers", Conduct::Mute),
    ("a byte a second", Conduct::Trickle),
    ("endless body", Conduct::Endless),
    ("answers 500", Conduct::Broken),
    ("refuses", Conduct::Absent),
];

/// Sends under one kind of receiver, and what the server held of memory beyond what it does when idle.
struct Borne {
    send_ns: Vec<u64>,
    grown_mib: f64,
    calls: u64,
}

/// The same, with what became of the events.
struct Told {
    borne: Borne,
    /// From answer to callback, in conversations that no call failed in.
    callback_ns: Vec<u64>,
    missing: usize,
    twice: usize,
    order: Order,
}

impl Bench {
    pub(super) fn faults(&self) -> Result<Section> {
        let (mut calm, mut shaky) = (Vec::new(), Vec::new());
        for round in 1..=self.args.rounds {
            calm.push(self.told(&format!("faults {round}: undisturbed"), Conduct::WATCHFUL)?);
            shaky.push(self.told(&format!("faults {round}: faulty"), SHAKY)?);
        }
        let p99_ratios = |latencies: fn(&Told) -> &[u64]| -> Vec<f64> {
            let pairs = calm.iter().zip(&shaky);
            pairs.map(|(calm, shaky)| p99_ms(latencies(shaky)) / p99_ms(latencies(calm))).collect()
        };
        let sends = p99_ratios(|told| &told.borne.send_ns);
        let callbacks = p99_ratios(|told| &told.callback_ns);
        let count = |of: fn(&Told) -> usize| calm.iter().chain(&shaky).map(move |told| of(told) as f64);
        let of_shaky = |of: fn(&Told) -> f64| shaky.iter().map(of);
        let mut rows = vec![
            figure("accepted out of order", "", count(|told| told.order.violations)).never(),
            figure("acknowledged and never accepted", "", count(|told| told.missing)).never(),
            figure("recorded behind a failed one", "", of_shaky(|told| told.order.tempted as f64)),
            figure("accepted more than once", "", of_shaky(|told| told.twice as f64)),
            figure("calls", "", of_shaky(|told| told.borne.calls as f64)),
            figure("p99 of callbacks, to undisturbed", "×", callbacks).at_most(2.0),
            figure("p99 of sends, to undisturbed", "×", sends).at_most(2.0),
            figure("resident over idle", "MiB", of_shaky(|told| told.borne.grown_mib)).at_most(64.0),
            figure("undisturbed: resident over idle", "MiB", calm.iter().map(|told| told.borne.grown_mib)),
        ];
        for (name, rounds) in [("undisturbed", calm), ("faulty", shaky)] {
            let (mut send_ns, mut callback_ns) = (Vec::new(), Vec::new());
            for told in rounds {
                send_ns.extend(told.borne.send_ns);
                callback_ns.extend(told.callback_ns);
            }
            rows.push(latency(&format!("{name}: due to answer"), send_ns));
            rows.push(latency(&format!("{name}: answer to callback"), callback_ns));
        }
        let scenario =
            format!("a receiver that refuses 10 % and hangs on 2 %, {} sends/s", self.rate(RATE_PER_S));
        Ok(Section { scenario, rows })
    }

    pub(super) fn bad(&self) -> Result<Section> {
        let mut off = Vec::new();
        let mut bad: [Vec<Borne>; BAD.len()] = std::array::from_fn(|_| Vec::new());
        for round in 1..=self.args.rounds {
            let people = People::new(self.args.conversations);
            let setup = Setup { events: &[], ..Setup::telling(people) };
            off.push(self.borne(&format!("bad {round}: callbacks off"), setup)?);
            for ((name, conduct), rounds) in BAD.into_iter().zip(&mut bad) {
                let setup = Setup { conduct, ..Setup::telling(people) };
                rounds.push(self.borne(&format!("bad {round}: {name}"), setup)?);
            }
        }
        let mut rows = Vec::new();
        for ((name, _), rounds) in BAD.iter().zip(bad) {
            let pairs = off.iter().zip(&rounds);
            let ratios = pairs.map(|(off, bad)| p99_ms(&bad.send_ns) / p99_ms(&off.send_ns));
            rows.push(figure(&format!("{name}: p99 of sends, to off"), "×", ratios).at_most(2.0));
            let grown_mib = rounds.iter().map(|bad| bad.grown_mib);
            rows.push(figure(&format!("{name}: resident over idle"), "MiB", grown_mib).at_most(64.0));
            rows.push(figure(&format!("{name}: calls"), "", rounds.iter().map(|bad| bad.calls as f64)));
            let send_ns = rounds.into_iter().flat_map(|bad| bad.send_ns).collect();
            rows.push(latency(&format!("{name}: due to answer"), send_ns));
        }
        rows.push(figure("off: resident over idle", "MiB", off.iter().map(|off| off.grown_mib)));
        rows.push(latency("off: due to answer", off.into_iter().flat_map(|off| off.send_ns).collect()));
        let scenario = format!("receivers of no use, {} sends/s", self.rate(RATE_PER_S));
        Ok(Section { scenario, rows })
    }

    fn told(&self, label: &str, conduct: Conduct) -> Result<Told> {
        let people = People::new(FAULTS_CONVERSATIONS);
        let mut rig = self.rig(Setup { conduct, settings: SOON_AGAIN, ..Setup::telling(people) })?;
        let idle_kib = rig.server.usage()?.rss_kib;
        rig.server.reset_peak()?;
        let trace =
            rig.load(&self.steady(label, people), &self.progress).with_context(|| label.to_owned())?;
        let bar = self.progress.count(&format!("{label}: the rest"), trace.sent.len() as u64);
        let (tally, receipts) = rig.settle(&trace.sent, |done| bar.set_position(done))?;
        let peak_kib = rig.server.usage()?.rss_kib_max;
        rig.stop()?;
        let conversation_of = |n| people.conversation_of(n);
        let failed = receipts.iter().filter(|receipt| !receipt.accepted);
        let troubled: HashSet<u32> =
            failed.map(|receipt| conversation_of(receipt.random - trace.first_random)).collect();
        let spared = |n| !troubled.contains(&conversation_of(n));
        Ok(Told {
            borne: Borne {
                send_ns: trace.send_ns(),
                grown_mib: grown_mib(idle_kib, peak_kib),
                calls: receipts.len() as u64,
            },
            callback_ns: trace.callback_ns(&tally.received_ns, spared),
            missing: tally.missing.len(),
            twice: tally.twice.len(),
            order: order(trace.first_random, &trace.sent, &receipts, conversation_of),
        })
    }

    fn borne(&self, label: &str, setup: Setup) -> Result<Borne> {
        let run = self.steady(label, setup.people);
        let mut rig = self.rig(setup)?;
        let idle_kib = rig.server.usage()?.rss_kib;
        rig.server.reset_peak()?;
        let trace = rig.load(&run, &self.progress).with_context(|| label.to_owned())?;
        let peak_kib = rig.server.usage()?.rss_kib_max;
        let calls = rig.backend.count()?.calls;
        rig.stop().with_context(|| label.to_owned())?;
        Ok(Borne { send_ns: trace.send_ns(), grown_mib: grown_mib(idle_kib, peak_kib), calls })
    }

    fn steady(&self, label: &str, people: People) -> Run {
        let rate_per_s = self.rate(RATE_PER_S);
        // A connection that is not used within seconds is closed by the server.
        let lines = OPEN_LINES.min(rate_per_s);
        Run { lines, pace: Pace::Open { rate_per_s }, ..self.run(label, people) }
    }

    pub(super) fn rate(&self, usual_per_s: u32) -> u32 {
        self.args.rate.unwrap_or(usual_per_s)
    }
}

fn grown_mib(idle_kib: u64, peak_kib: u64) -> f64 {
    peak_kib.saturating_sub(idle_kib) as f64 / 1024.0
}
