//! The `couplet` command.

use clap::Parser;
use server::cli::Command;
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// One-to-one messaging for apps, with callbacks that never get lost
#[derive(Debug, Parser)]
#[command(version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

fn main() -> ExitCode {
    match Arguments::parse().command.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => match error.downcast::<clap::Error>() {
            Ok(misused) => misused.exit(),
            Err(error) => {
                // Some errors are laid out over several lines, and whoever reads a log has one.
                let words: Vec<String> = error.to_string().split_whitespace().map(str::to_owned).collect();
                eprintln!("couplet: {}", words.join(" "));
                ExitCode::FAILURE
            }
        },
    }
}
