//! Everything that has to hold before a change is taken, in one command, and one after the other.
//!
//! What fails fast comes first. The first failure ends the run and says how to repeat that step alone.

mod postgres;
mod steps;
pub(crate) mod tools;

use anyhow::{Result, bail};
use clap::builder::PossibleValuesParser;
use std::time::{Duration, Instant};
use steps::{STEPS, Step};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Run this step alone; may be given several times.
    #[arg(long, value_name = "STEP", value_parser = step_names())]
    only: Vec<String>,
    /// Say what the steps are, and run none.
    #[arg(long)]
    list: bool,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    if args.list {
        for step in STEPS {
            println!("{:12} {}", step.name, step.what);
        }
        return Ok(());
    }
    let chosen = |step: &&Step| args.only.is_empty() || args.only.iter().any(|name| name == step.name);
    let mut rows = Vec::new();
    let mut failure = None;
    for step in STEPS.iter().filter(chosen) {
        println!("\n=== {}: {}", step.name, step.what);
        let (outcome, took) = timed(step.run);
        println!("=== {}: {:.1} s", step.name, took.as_secs_f64());
        rows.push(row(step, &outcome, took));
        if let Err(error) = outcome {
            failure = Some((step, error));
            break;
        }
    }
    println!("\n{}", rows.join("\n"));
    let Some((step, error)) = failure else { return Ok(()) };
    bail!("{error:#}\n\n`{0}` failed. Run it alone with: cargo xtask test --only {0}", step.name)
}

fn step_names() -> PossibleValuesParser {
    PossibleValuesParser::new(STEPS.iter().map(|step| step.name))
}

#[expect(
    clippy::disallowed_methods,
    reason = "how long a step took is told to a person, and decides nothing"
)]
fn timed(work: fn() -> Result<()>) -> (Result<()>, Duration) {
    let started = Instant::now();
    let outcome = work();
    (outcome, started.elapsed())
}

fn row(step: &Step, outcome: &Result<()>, took: Duration) -> String {
    let word = if outcome.is_ok() { "passed" } else { "FAILED" };
    format!("{:12} {:>8.1} s  {word}", step.name, took.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::anyhow;

    #[test]
    fn a_row_says_how_a_step_went() {
        let step = &STEPS[0];
        let took = Duration::from_millis(1234);
        assert_eq!(row(step, &Ok(()), took), "format            1.2 s  passed");
        assert_eq!(row(step, &Err(anyhow!("broken")), took), "format            1.2 s  FAILED");
    }

    #[test]
    fn steps_have_different_names() {
        let mut names: Vec<_> = STEPS.iter().map(|step| step.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), STEPS.len());
    }
}
