//! `couplet-sim [seed] [--seeds N] [--minutes N]`: runs one seed, or N of them in a row, and says what happened. With
//! `--minutes`, things break for so long in each of them.

use std::process::ExitCode;

const USAGE: &str = "usage: couplet-sim [seed] [--seeds N] [--minutes N]";

fn main() -> ExitCode {
    let Some(Arguments { first, seeds, minutes }) = arguments() else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let mut counts = sim::Counts::default();
    let mut virtual_ms = 0;
    for seed in first..first.saturating_add(seeds) {
        match minutes.map_or_else(|| sim::run(seed), |minutes| sim::run_for(seed, minutes)) {
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

struct Arguments {
    first: u64,
    seeds: u64,
    minutes: Option<u64>,
}

fn arguments() -> Option<Arguments> {
    let (mut first, mut seeds, mut minutes) = (None, None, None);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let (place, number) = match argument.as_str() {
            "--seeds" => (&mut seeds, arguments.next()?),
            "--minutes" => (&mut minutes, arguments.next()?),
            _ => (&mut first, argument),
        };
        if place.replace(number.parse::<u64>().ok()?).is_some() {
            return None;
        }
    }
    // No run is longer than a year, which is longer than anybody waits.
    let minutes = minutes.map(|minutes| minutes.clamp(1, 525_600));
    Some(Arguments { first: first.unwrap_or(1), seeds: seeds.unwrap_or(1), minutes })
}
