//! Chance from a seed. What it draws can be repeated; when the system runs whom cannot.

use std::env;

/// A small generator of the splitmix family: nothing here needs more.
#[derive(Debug)]
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// From `COUPLET_TEST_SEED`, or a new one; the test's output names it.
    pub(crate) fn of_this_run() -> Self {
        let seed = setting("COUPLET_TEST_SEED").unwrap_or_else(|| getrandom::u64().unwrap());
        eprintln!("COUPLET_TEST_SEED={seed}");
        Self::new(seed)
    }

    pub(crate) fn fork(&mut self) -> Self {
        Self::new(self.next())
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).unwrap()
    }

    pub(crate) fn percent(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }
}

/// A number with which whoever runs the tests makes one of them longer.
#[expect(clippy::disallowed_methods, reason = "there is no other way to hand a setting to a test")]
pub(crate) fn setting(name: &str) -> Option<u64> {
    env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name}={text} is no number")))
}
