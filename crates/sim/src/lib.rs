//! A whole messaging server, its clients and the apps' backends, run from a seed on one thread in virtual time.
//!
//! The rules, the followers and the dispatchers are the real ones, over the model store. The seed chooses who
//! talks, what breaks, and when. After a while everything heals; then the `checkers` ask whether the promises held.
//!
//! Deliberately absent: sockets, JSON, files, real time. What a process does with those is tested elsewhere.
//!
//! Start at [`run`], then read `world`, which is the list of everything that can happen.

mod world;

mod chance;
mod checkers;
mod plan;
mod report;
mod stage;

mod bus;
mod gate;
mod store;

mod backend;
mod device;
mod ledger;
mod node;
mod operator;
mod sender;
mod worker;

pub use report::{Counts, Failure, Report};

use report::Broken;
use std::panic::{AssertUnwindSafe, catch_unwind};
use world::World;

/// Runs the world of a seed to its end.
pub fn run(seed: u64) -> Result<Report, Failure> {
    run_with(seed, None)
}

/// Runs with a bug put in on purpose: the proof that the checkers would notice it.
pub fn run_sabotaged(seed: u64, sabotage: Sabotage) -> Result<Report, Failure> {
    run_with(seed, Some(sabotage))
}

/// A bug in what surrounds the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sabotage {
    /// The after-send event is recorded in a commit of its own, a little later.
    EventAfterCommit,
    /// A resend is taken for a new message.
    NoDuplicateGuard,
    /// A returning device is followed from one entry too far.
    DeviceAhead,
    /// Checkpoints keep a cursor that is one event too far.
    CursorAhead,
    /// An attempt whose settler died is waited for without end.
    EndlessClaims,
    /// A checkpoint of before a replay reaches the store after it.
    FormerCheckpoint,
}

fn run_with(seed: u64, sabotage: Option<Sabotage>) -> Result<Report, Failure> {
    let mut world = World::new(seed, sabotage);
    // The rules assert what cannot happen if they are right. Such a failure wants its seed and trace as well.
    let outcome = catch_unwind(AssertUnwindSafe(|| world.run()));
    let broken = match outcome {
        Ok(Ok(())) => return Ok(world.report()),
        Ok(Err(broken)) => broken,
        Err(panic) => Broken::panicked(panic.as_ref()),
    };
    Err(world.failure(broken))
}
