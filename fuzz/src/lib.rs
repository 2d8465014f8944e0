//! What must hold whatever comes in: one function from bytes for each target, which panics when it does not hold.
//!
//! The targets call these functions with what the fuzzer makes up. The ordinary tests `corpus.rs` of `protocol` and
//! `chat` include the same files and call them with every seed of `corpus/`, so nothing here may need nightly.

pub mod element;
pub mod filter;
pub mod frame;
pub mod respell;
pub mod rest;
pub mod usersig;
