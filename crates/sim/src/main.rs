//! `couplet-sim [seed] [--seeds N]`: runs one seed, or N of them in a row, and says what happened.

use std::process::ExitCode;

const USAGE: &str = "usage: couplet-sim [seed] [--seeds N]";

fn main() -> ExitCode {
    let Some((first, seeds)) = arguments() else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let mut counts = sim::Counts::default();
    let mut virtual_ms = 0;
    for seed in first..first.saturating_add(seeds) {
        match sim::run(seed) {
            Ok(report) => {
                counts.add(&report.counts);
                virtual_ms += report.virtual_ms;
            }
            Err(failure) => {
                println!("{failure}");
                return ExitCode::FAILURE;
            }
        }
    }
    println!("{seeds} seeds from {first}, {} virtual minutes: every promise held", virtual_ms / 60_000);
    for (name, count) in counts.named() {
        println!("{count:>10}  {}", name.replace('_', " "));
    }
    ExitCode::SUCCESS
}

fn arguments() -> Option<(u64, u64)> {
    let (mut first, mut seeds) = (None, None);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let place = if argument == "--seeds" { &mut seeds } else { &mut first };
        let number = if argument == "--seeds" { arguments.next()? } else { argument };
        if place.replace(number.parse().ok()?).is_some() {
            return None;
        }
    }
    Some((first.unwrap_or(1), seeds.unwrap_or(1)))
}
