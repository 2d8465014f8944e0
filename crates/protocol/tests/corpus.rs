//! The seeds of the fuzz targets, with the checks that the targets make: see `docs/internals/testing.md`.

#![expect(unreachable_pub, reason = "the files are a library for the targets")]

#[path = "../../../fuzz/src/corpus.rs"]
mod corpus;
#[path = "../../../fuzz/src/element.rs"]
mod element;
#[path = "../../../fuzz/src/frame.rs"]
mod frame;
#[path = "../../../fuzz/src/respell.rs"]
mod respell;
#[path = "../../../fuzz/src/rest.rs"]
mod rest;
#[path = "../../../fuzz/src/usersig.rs"]
mod usersig;

use corpus::for_each_seed;
use protocol::rest::Command;

#[test]
fn rest_seeds_hold_and_every_command_understands_one() {
    let mut missing = Command::ALL.to_vec();
    for_each_seed("rest", |seed| {
        let understood = rest::check(seed);
        missing.retain(|command| !understood.contains(command));
    });
    assert!(missing.is_empty(), "without a seed that is understood: {missing:?}");
}

#[test]
fn usersig_seeds_hold() {
    for_each_seed("usersig", usersig::check);
}

#[test]
fn element_seeds_hold() {
    for_each_seed("element", element::check);
}

#[test]
fn frame_seeds_hold() {
    for_each_seed("frame", frame::check);
}
