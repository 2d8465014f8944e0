//! The project's own tools, run as `cargo xtask …`.
//!
//! Responsible for checking everything in one command, for the rules that a compiler cannot hold, and for the files
//! that are generated from code. Nothing here is shipped.
//!
//! Start at [`test`], which runs all the checks, and [`tidy`], which is the list of rules.

mod bench;
mod cluster;
mod codegen;
mod soak;
mod test;
mod tidy;
mod tree;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

#[derive(Debug, Parser)]
#[command(name = "cargo xtask", about = "The project's own tools")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check everything: format, tidiness, lints, dependencies, all tests.
    Test(test::Args),
    /// Check the rules that the compiler does not know.
    Tidy(tidy::Args),
    /// Write the files that are generated from code.
    Codegen(codegen::Args),
    /// Measure the server on this machine, beside the goals.
    Bench(bench::Args),
    /// Run a whole cluster on this machine, to try out what happens when a part of it dies.
    Cluster(cluster::Args),
    /// Let devices live behind bad networks for minutes, and compare what they have.
    Soak(soak::Args),
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Test(args) => test::run(&args),
        Command::Tidy(args) => tidy::run(&args),
        Command::Codegen(args) => codegen::run(&args),
        Command::Bench(args) => bench::run(args),
        Command::Cluster(args) => cluster::run(&args),
        Command::Soak(args) => soak::run(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
