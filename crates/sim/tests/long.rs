//! Two hours of virtual time, in which devices come and go and everything breaks: in the end, every device of every user
//! has the same conversations as the store.

use sim::run_for;

const MINUTES: u64 = 120;
/// The first world has one app whose people all write to one another, the second one has two apps.
const SEEDS: [u64; 2] = [1, 2];

#[test]
fn two_hours() {
    for seed in SEEDS {
        let report = run_for(seed, MINUTES).unwrap_or_else(|failure| panic!("{failure}"));
        assert!(report.virtual_ms >= MINUTES * 60_000, "the world lasts for two hours: {report:?}");
        let counts = report.counts;
        let happened = [counts.sends, counts.resyncs, counts.pages_read, counts.late_mirrors_compared];
        assert!(happened.iter().all(|count| *count > 0), "nothing was proved: {counts:?}");
    }
}
