//! What a caller of the benchmark chooses.

use std::path::PathBuf;

use clap::ValueEnum;

use super::role::Role;

/// Measure the server on this machine, beside the goals
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Length of every measured window
    #[arg(long, default_value_t = 10, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=3_600))]
    pub(super) seconds: u32,
    /// Repetitions of what is compared round by round
    #[arg(long, default_value_t = 3, value_name = "R", value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(super) rounds: u32,
    /// Only these; left out: all but the ceiling alone, and store and moving only with --store-rows
    #[arg(long, value_delimiter = ',', value_name = "SCENARIO,…")]
    pub(super) only: Vec<Scenario>,
    /// Print one JSON object instead of a table
    #[arg(long)]
    pub(super) json: bool,
    /// Compare a store that holds so many messages, sent or moved in, with an empty one
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000_000))]
    pub(super) store_rows: Option<u32>,
    /// Connections of the load, or pairs of sessions
    #[arg(long, default_value_t = 128, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=4_096))]
    pub(super) connections: u32,
    /// Conversations that the messages are spread over
    #[arg(long, default_value_t = 10_000, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    pub(super) conversations: u32,
    /// Sends a second where the receiver misbehaves; left out: 2,000 in faults and bad, 1,000 in swallow and fair
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(super) rate: Option<u32>,
    /// Drain a million events instead of 200,000
    #[arg(long)]
    pub(super) full: bool,
    /// Measure this server, and build nothing: a trial, unless both programs are built for release
    #[arg(long, value_name = "FILE")]
    pub(super) binary: Option<PathBuf>,
    #[arg(long, hide = true)]
    pub(super) role: Option<Role>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Scenario {
    Start,
    Rest,
    Ceiling,
    Before,
    Open,
    Ws,
    Idle,
    Drain,
    Faults,
    Bad,
    Swallow,
    Fair,
    Store,
    Moving,
}

impl Args {
    pub(super) fn scenarios(&self) -> Vec<Scenario> {
        let usual = |scenario: &Scenario| match scenario {
            Scenario::Ceiling => false,
            Scenario::Store | Scenario::Moving => self.store_rows.is_some(),
            _ => true,
        };
        let all = Scenario::value_variants().iter().copied();
        if self.only.is_empty() {
            all.filter(usual).collect()
        } else {
            all.filter(|scenario| self.only.contains(scenario)).collect()
        }
    }
}
