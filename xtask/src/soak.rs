//! The long run of devices behind bad networks, which the tests make short.

use crate::tree::root;
use anyhow::{Result, ensure};
use std::process::Command;

const TEST: &str = "soak::every_device_ends_with_the_same";

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How long the devices live.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=24 * 60))]
    minutes: u64,
    /// Repeats the choices of a run, which it prints as COUPLET_TEST_SEED.
    #[arg(long)]
    seed: Option<u64>,
}

/// Not by nextest, which would end a test that takes so long.
pub(crate) fn run(args: &Args) -> Result<()> {
    let mut test = Command::new("cargo");
    test.args(["test", "--package", "couplet", "--test", "process", "--", "--exact", TEST, "--nocapture"]);
    test.env("COUPLET_TEST_SOAK_SECS", (args.minutes * 60).to_string()).current_dir(root());
    if let Some(seed) = args.seed {
        test.env("COUPLET_TEST_SEED", seed.to_string());
    }
    ensure!(test.status()?.success(), "the run failed; its seed is above");
    Ok(())
}
