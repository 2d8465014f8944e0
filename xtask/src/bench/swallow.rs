//! A backend that is asked before each send, and stops to answer without refusing.

use std::collections::HashSet;

use anyhow::Result;

use super::{
    clock::SECOND_NS,
    conduct::Conduct,
    couplet::BEFORE_SEND,
    outcome::Trace,
    people::People,
    report::{Section, figure, latency, p99_ms},
    rig::{Pace, Run, Setup},
    scenario::Bench,
};

const RATE_PER_S: u32 = 1_000;

/// The length of the run, and the part of it in which questions are swallowed.
const WINDOW_S: u32 = 14;
const FROM_S: u64 = 3;
const UNTIL_S: u64 = 9;

/// Enough for every send of three seconds to wait for its answer, so that none waits for a connection instead.
const LINES_SECS: u32 = 3;
const LINES_MAX: u32 = 4_096;

const SLICE_NS: u64 = SECOND_NS / 10;
const SLICES_PER_S: u64 = 10;
const LONG_NS: u64 = SECOND_NS;
const CALM_P99_MS: f64 = 100.0;
/// Sends of a slice whose question is answered when all is well; a few are always under way at its edges.
const ASKED_SHARE: f64 = 0.9;

/// The sends that were due in a tenth of a second.
#[derive(Default)]
struct Slice {
    send_ns: Vec<u64>,
    /// How many of them had their question answered.
    asked: usize,
}

impl Bench {
    pub(super) fn swallow(&self) -> Result<Section> {
        let rate_per_s = self.rate(RATE_PER_S);
        let people = People::new(self.args.conversations);
        let mut rig = self.rig(Setup {
            events: &[BEFORE_SEND],
            settings: "before_failure = \"pass\"",
            conduct: Conduct::BEFORE_SWALLOW,
            ..Setup::telling(people)
        })?;
        let run = Run {
            lines: (rate_per_s * LINES_SECS).min(LINES_MAX),
            pace: Pace::Open { rate_per_s },
            window_s: WINDOW_S,
            ..self.run("swallow", people)
        };
        let trace = rig.load_with(&run, &self.progress, |rig, window| {
            rig.backend.behave(Conduct::swallow(window.start_ns, FROM_S, UNTIL_S))
        })?;
        let (receipts, _) = rig.backend.take(&rig.dir.path().join("receipts"))?;
        rig.stop()?;

        let answered = receipts.iter().filter(|receipt| receipt.accepted);
        let asked: HashSet<u32> = answered.map(|receipt| receipt.random - trace.first_random).collect();
        let slices = slices(&trace, &asked);
        let swallowed = receipts.iter().filter(|receipt| !receipt.accepted).count();
        let send_ns = trace.send_ns();
        let waited = send_ns.iter().filter(|ns| **ns >= LONG_NS).count();
        let rows = vec![
            figure("sends that waited 1 s or longer", "", [waited as f64]).at_most(200.0),
            figure("p99 back under 100 ms after", "ms", [calm_after_ms(&slices)]).at_most(1_000.0),
            figure("later slices over 100 ms", "", [relapses(&slices) as f64]),
            figure("asked again after", "ms", [asked_after_ms(&slices)]).at_most(1_000.0),
            figure("questions swallowed", "", [swallowed as f64]),
            latency("due to answer", send_ns),
        ];
        Ok(Section {
            scenario: format!("a backend that swallows questions for 6 s, {rate_per_s} sends/s"),
            rows,
        })
    }
}

fn slices(trace: &Trace, asked: &HashSet<u32>) -> Vec<Slice> {
    let mut slices: Vec<Slice> = Vec::new();
    slices.resize_with((u64::from(WINDOW_S) * SLICES_PER_S) as usize, Slice::default);
    for (n, sent) in (0..).zip(&trace.sent).filter(|(_, sent)| trace.window.holds(sent.start_ns)) {
        let at = (sent.start_ns - trace.window.start_ns) / SLICE_NS;
        let slice = &mut slices[at as usize];
        slice.send_ns.push(sent.answered_ns - sent.start_ns);
        slice.asked += usize::from(asked.contains(&n));
    }
    slices
}

impl Slice {
    fn is_calm(&self) -> bool {
        self.send_ns.is_empty() || p99_ms(&self.send_ns) < CALM_P99_MS
    }

    fn is_asked(&self) -> bool {
        self.asked as f64 >= self.send_ns.len() as f64 * ASKED_SHARE
    }
}

/// From the beginning of the trouble to the first slice without it.
fn calm_after_ms(slices: &[Slice]) -> f64 {
    let troubled = slices.iter().skip((FROM_S * SLICES_PER_S) as usize);
    slices_ms(troubled.take_while(|slice| !slice.is_calm()).count())
}

/// Slices in which sends waited again, after the first one in which they did not.
fn relapses(slices: &[Slice]) -> usize {
    let troubled = slices.iter().skip((FROM_S * SLICES_PER_S) as usize);
    troubled.skip_while(|slice| !slice.is_calm()).filter(|slice| !slice.is_calm()).count()
}

/// From the end of the trouble to the time from which on every slice was asked about.
fn asked_after_ms(slices: &[Slice]) -> f64 {
    let healed = &slices[(UNTIL_S * SLICES_PER_S) as usize..];
    slices_ms(healed.iter().rposition(|slice| !slice.is_asked()).map_or(0, |last| last + 1))
}

fn slices_ms(slices: usize) -> f64 {
    slices as f64 * SLICE_NS as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One letter a slice: `.` calm and asked, `w` waited and not asked, `s` calm and skipped.
    fn run(letters: &str) -> Vec<Slice> {
        let slice = |letter| match letter {
            'w' => Slice { send_ns: vec![2 * SECOND_NS; 10], asked: 0 },
            's' => Slice { send_ns: vec![1_000_000; 10], asked: 0 },
            _ => Slice { send_ns: vec![1_000_000; 10], asked: 10 },
        };
        letters.chars().map(slice).collect()
    }

    #[test]
    fn recovery_is_read_off_the_slices() {
        let [calm, swallowing, healed] = [30, 60, 50]
            .map(|len| move |head: &str, rest: &str| format!("{head}{}", rest.repeat(len - head.len())));
        let cases = [
            (calm("", "."), swallowing("", "."), healed("", "."), (0.0, 0, 0.0)),
            (calm("", "."), swallowing("www", "s"), healed("ss", "."), (300.0, 0, 200.0)),
            (calm("", "."), swallowing("wswws", "s"), healed("s.s", "."), (100.0, 2, 300.0)),
            (calm("", "."), swallowing("", "w"), healed("", "s"), (6_000.0, 0, 5_000.0)),
        ];
        for (before, during, after, expected) in cases {
            let slices = run(&(before + &during + &after));
            let got = (calm_after_ms(&slices), relapses(&slices), asked_after_ms(&slices));
            assert_eq!(got, expected);
        }
    }
}
