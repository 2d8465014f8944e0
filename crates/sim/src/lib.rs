//! A whole messaging server, its clients and the apps' backends, run from a seed on one thread in virtual time.
//!
//! The rules, the followers and the dispatchers are the real ones, over the model store. The seed chooses who
//! talks, what breaks, and when. After a while everything heals; then the `checkers` ask whether the promises held.
//!
//! Deliberately absent: sockets, JSON, files, real time. What a process does with those is tested elsewhere.
//!
//! Modules only use those above them in the list below. Start at [`run`], then read `world`, which is the list of
//! everything that can happen, and `happen`, which carries it out.

mod chance;
mod counts;
mod report;
mod sabotage;
mod plan;
mod ledger;
mod stage;

mod store;
mod bus;
mod gate;

mod mirror;
mod device;
mod backend;
mod worker;
mod errand;
mod node;
mod world;

mod checkers;
mod happen;

pub use counts::Counts;
pub use report::{Failure, Report};
pub use sabotage::Sabotage;

use report::Broken;
use std::panic::{AssertUnwindSafe, catch_unwind};
use world::World;

/// Runs the world of a seed to its end.
pub fn run(seed: u64) -> Result<Report, Failure> {
    run_with(seed, None, None)
}

/// The same, with things breaking for so many minutes of virtual time.
pub fn run_for(seed: u64, minutes: u64) -> Result<Report, Failure> {
    run_with(seed, Some(minutes * 60_000), None)
}

/// Runs with a bug put in on purpose: the proof that the checkers would notice it.
pub fn run_sabotaged(seed: u64, sabotage: Sabotage) -> Result<Report, Failure> {
    run_with(seed, None, Some(sabotage))
}

fn run_with(seed: u64, stormy_ms: Option<u64>, sabotage: Option<Sabotage>) -> Result<Report, Failure> {
    let mut world = World::new(seed, stormy_ms, sabotage);
    // The rules assert what cannot happen if they are right. Such a failure wants its seed and trace as well.
    let outcome = catch_unwind(AssertUnwindSafe(|| world.run()));
    let broken = match outcome {
        Ok(Ok(())) => return Ok(world.report()),
        Ok(Err(broken)) => broken,
        Err(panic) => Broken::panicked(panic.as_ref()),
    };
    Err(world.failure(broken))
}
