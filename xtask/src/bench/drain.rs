//! A backlog: how fast it is told, what that takes, and what a crash in the middle of it costs.

use anyhow::Result;

use super::{
    clock::{self, SECOND_NS},
    conduct::Conduct,
    order::order,
    people::{People, RANDOM_MIN},
    report::{Row, Section, figure},
    rig::Setup,
    scenario::Bench,
};

const KIB_PER_MIB: f64 = 1024.0;

/// Calls under way to an endpoint, as the server has it by default.
const IN_FLIGHT_MAX: usize = 64;

/// Progress is written down every 200 ms by default. Twice that, since the commit takes its time under load.
const CHECKPOINT_NS_MAX: u64 = SECOND_NS * 4 / 10;

impl Bench {
    pub(super) fn drain(&self) -> Result<Section> {
        let events = if self.args.full { 1_000_000 } else { 200_000 };
        let mut rows = self.drained(events)?;
        rows.extend(self.drained_over_a_crash(events)?);
        Ok(Section { scenario: format!("a backlog of {events} events"), rows })
    }

    fn drained(&self, events: u32) -> Result<Vec<Row>> {
        let people = People::new(self.args.conversations);
        let mut rig = self.rig(Setup { conduct: Conduct::Absent, ..Setup::telling(people) })?;
        let run = self.run("drain: sending, receiver down", people);
        let (sent, fill_per_s) = rig.fill(&run, events, &self.progress)?;
        let before = rig.server.usage()?;
        let up_ns = clock::now_ns();
        rig.backend.behave(Conduct::Healthy)?;
        let bar = self.progress.count("drain: receiver up", u64::from(events));
        // Threads and caches take their room once; what counts is whether more is taken as more is told.
        rig.await_told(u64::from(events / 10), |done| bar.set_position(done))?;
        rig.server.reset_peak()?;
        let begun = rig.server.usage()?;
        let (tally, _) = rig.settle(&sent, |done| bar.set_position(done))?;
        let mut received = tally.exact()?;
        let after = rig.server.usage()?;
        rig.stop()?;
        received.sort_unstable();
        let (first_ns, last_ns) = (received[0], received[received.len() - 1]);
        // The last percent may be events whose own next attempt is due later; they are told in a row of their own.
        let most = received.len() * 99 / 100;
        let per_s = most as f64 / (received[most] - first_ns) as f64 * 1e9;
        let cpu_us = after.cpu_us - before.cpu_us;
        let grown_kib = after.rss_kib_max.saturating_sub(begun.rss_kib);
        Ok(vec![
            figure("drained", "events/s", [per_s]).at_least(40_000.0),
            figure("CPU of the server an event", "µs", [cpu_us as f64 / f64::from(events)]),
            figure("first callback after", "ms", [first_ns.saturating_sub(up_ns) as f64 / 1e6]),
            figure("last callback after", "ms", [last_ns.saturating_sub(up_ns) as f64 / 1e6]),
            figure("sends meanwhile, receiver down", "msg/s", [fill_per_s]),
            figure("resident before", "MiB", [before.rss_kib as f64 / KIB_PER_MIB]),
            figure("resident after the first tenth", "MiB", [begun.rss_kib as f64 / KIB_PER_MIB]),
            figure("resident grows from there by", "MiB", [grown_kib as f64 / KIB_PER_MIB]).at_most(64.0),
        ])
    }

    /// The server dies when a third of the backlog has been told. The rest has to come, and what was told since the
    /// last checkpoint may come again.
    fn drained_over_a_crash(&self, events: u32) -> Result<Vec<Row>> {
        let people = People::new(self.args.conversations);
        let mut rig = self.rig(Setup { conduct: Conduct::Absent, ..Setup::telling(people) })?;
        let run = self.run("drain, crash: sending, receiver down", people);
        let (sent, _) = rig.fill(&run, events, &self.progress)?;
        let bar = self.progress.count("drain, crash", u64::from(events));
        rig.backend.behave(Conduct::WATCHFUL)?;
        rig.await_told(u64::from(events / 3), |done| bar.set_position(done))?;
        let crash_ns = clock::now_ns();
        let (mut rig, ready_ms) = rig.crash_and_restart()?;
        let (tally, receipts) = rig.settle(&sent, |done| bar.set_position(done))?;
        rig.stop()?;
        let order = order(RANDOM_MIN, &sent, &receipts, |n| people.conversation_of(n));
        let recent = |ns: &u64| (crash_ns - CHECKPOINT_NS_MAX..crash_ns).contains(ns);
        let twice_max =
            IN_FLIGHT_MAX + receipts.iter().filter(|receipt| recent(&receipt.received_ns)).count();
        Ok(vec![
            figure("kill -9 meanwhile: ready again after", "ms", [ready_ms]),
            figure("kill -9: never told", "", [tally.missing.len() as f64]).never(),
            figure("kill -9: told out of order", "", [order.violations as f64]).never(),
            figure("kill -9: told twice", "", [tally.twice.len() as f64]).at_most(twice_max as f64),
        ])
    }
}
