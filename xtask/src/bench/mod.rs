//! `cargo xtask bench`: load, server and receiver in one process tree on this machine, and figures beside their goals.
//!
//! Everything shares the machine's cores, so the load generator and the receiver are as lean as the figures they are to
//! measure: requests are patched, answers are searched for a few bytes. Both are processes of their own (this program in
//! another [`role::Role`]), so that the CPU of each is known. What depends on the machine is measured as a ratio to a
//! stub, or to an undisturbed run, under the same load, round by round.
//!
//! Only wrong counts and crashes fail; a slow machine does not. Start reading at [`scenario`]; what a misbehaving
//! receiver does to the server is measured in [`trouble`].

mod args;
mod scenario;
mod trouble;
mod swallow;
mod fair;
mod drain;
mod moving;
mod rig;
mod outcome;
mod backend;
mod couplet;
mod receiver;
mod conduct;
mod generator;
mod load;
mod rest;
mod ws;
mod ceiling;
mod plan;
mod order;
mod ledger;
mod report;
mod people;
mod http;
mod process;
mod role;
mod target;
mod clock;

use std::{fs::File, io::Write};

use anyhow::{Result, ensure};

pub(crate) use args::Args;
use args::Scenario;
use report::{Progress, Report, Section, figure};
use role::Role;
use scenario::Bench;
use target::Programs;

pub(crate) fn run(args: Args) -> Result<()> {
    match args.role {
        Some(Role::Generator) => generator::run(),
        Some(Role::Receiver) => receiver::run(),
        Some(Role::Ceiling) => ceiling::run(),
        None => measure(args),
    }
}

fn measure(args: Args) -> Result<()> {
    let scenarios = args.scenarios();
    let needs_server = scenarios.iter().any(|scenario| *scenario != Scenario::Ceiling);
    let programs = Programs::find(args.binary.as_deref(), needs_server)?;
    let json = args.json;
    let cores = std::thread::available_parallelism()?.get();
    let bench = Bench { args, programs, progress: Progress, cores };
    let mut report = Report::default();
    report.sections.push(machine(cores)?);
    for scenario in scenarios {
        match section(&bench, scenario) {
            Ok(section) => report.add(section),
            Err(error) => {
                let failure = format!("{scenario:?}: {error:#}");
                bench.progress.remark(&format!("FAILED  {failure}"));
                report.failures.push(failure);
            }
        }
    }
    if json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        print!("{}", report.table());
    }
    ensure!(report.failures.is_empty(), "{} failures", report.failures.len());
    Ok(())
}

fn section(bench: &Bench, scenario: Scenario) -> Result<Section> {
    match scenario {
        Scenario::Start => bench.start(),
        Scenario::Rest => bench.rest(),
        Scenario::Ceiling => bench.ceiling(),
        Scenario::Before => bench.before(),
        Scenario::Open => bench.open(),
        Scenario::Ws => bench.ws(),
        Scenario::Idle => bench.idle(),
        Scenario::Drain => bench.drain(),
        Scenario::Faults => bench.faults(),
        Scenario::Bad => bench.bad(),
        Scenario::Swallow => bench.swallow(),
        Scenario::Fair => bench.fair(),
        Scenario::Store => bench.store(),
        Scenario::Moving => bench.moving(),
    }
}

/// What the figures were measured on.
fn machine(cores: usize) -> Result<Section> {
    let dir = target::data_dir()?;
    let mut file = File::create(dir.path().join("probe"))?;
    let mut fsync_ns = Vec::new();
    for _ in 0..200 {
        file.write_all(&[0; 4_096])?;
        let start_ns = clock::now_ns();
        file.sync_data()?;
        fsync_ns.push(clock::now_ns() - start_ns);
    }
    let rows = vec![figure("cores", "", [cores as f64]), report::latency("fsync of 4 KiB", fsync_ns)];
    Ok(Section { scenario: "this machine".to_owned(), rows })
}
