//! `couplet bench`: measures a running server from outside.

pub(super) mod ws;

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Hold many sessions, let some of them write to each other, and cut them all at once
    Ws(ws::Arguments),
}
