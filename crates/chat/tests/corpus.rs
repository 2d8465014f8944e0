//! The seeds of the fuzz target `filter`, with the checks that the target makes: see `docs/internals/testing.md`.

#![expect(unreachable_pub, reason = "the files are a library for the targets")]

#[path = "../../../fuzz/src/corpus.rs"]
mod corpus;
#[path = "../../../fuzz/src/filter.rs"]
mod filter;

#[test]
fn filter_seeds_hold() {
    corpus::for_each_seed("filter", filter::check);
}
