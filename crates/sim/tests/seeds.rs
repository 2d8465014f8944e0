//! Many seeds in which everything breaks, and every promise holds.
//!
//! A seed that fails is fixed, and then kept in [`REGRESSIONS`] with a line that tells its story.

use sim::{Counts, run};
use std::ops::Range;

/// Seeds that once failed, and what went wrong.
const REGRESSIONS: &[(u64, &str)] = &[
    (3, "an exception ahead of the cursor was kept, and after a restart taken from the log once more"),
    (122, "a revocation that was committed after a newer one made worthless credentials good again"),
];

/// Runs the seeds, and makes sure that everything that can happen did happen in them. A simulation that breaks
/// nothing proves nothing.
fn check(seeds: Range<u64>) {
    let mut counts = Counts::default();
    for seed in seeds {
        counts.add(&run(seed).unwrap_or_else(|failure| panic!("{failure}")).counts);
    }
    let never: Vec<_> = counts.named().into_iter().filter(|(_, count)| *count == 0).collect();
    assert!(never.is_empty(), "nothing was proved about {never:?}");
}

#[test]
fn first_quarter() {
    check(0..125);
}

#[test]
fn second_quarter() {
    check(125..250);
}

#[test]
fn third_quarter() {
    check(250..375);
}

#[test]
fn fourth_quarter() {
    check(375..500);
}

#[test]
fn regressions() {
    for (seed, story) in REGRESSIONS {
        if let Err(failure) = run(*seed) {
            panic!("{story}: {failure}");
        }
    }
}

#[test]
fn a_seed_tells_the_same_story_every_time() {
    for seed in 0..5 {
        assert_eq!(run(seed).unwrap(), run(seed).unwrap());
    }
}
