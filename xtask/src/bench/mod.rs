//! `cargo xtask bench`: load, server and receiver in one process tree on this machine, and figures beside their goals.
//!
//! Everything shares the machine's cores, so the load generator and the receiver are as lean as the figures they are to
//! measure: requests are patched, answers are searched for a few bytes. Both are processes of their own (this program in
//! another [`Role`]), so that the CPU of each is known. What depends on the machine is measured as a ratio to a stub
//! under the same load, round by round.
//!
//! Only wrong counts and crashes fail; a slow machine does not. Start reading at [`scenario`].

mod ceiling;
mod clock;
mod couplet;
mod http;
mod ledger;
mod load;
mod people;
mod plan;
mod process;
mod receiver;
mod report;
mod rest;
mod rig;
mod scenario;
mod ws;

use std::{
    fs::File,
    io::Write,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};
use clap::ValueEnum;
use tempfile::TempDir;

use report::{Progress, Report, Section, figure};
use scenario::Bench;

/// Measure the server on this machine, beside the goals
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Length of every measured window
    #[arg(long, default_value_t = 10, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=3_600))]
    seconds: u32,
    /// Repetitions of what is compared round by round
    #[arg(long, default_value_t = 3, value_name = "R", value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// Only these; left out: all but the ceiling alone, and the store only with --store-rows
    #[arg(long, value_delimiter = ',', value_name = "SCENARIO,…")]
    only: Vec<Scenario>,
    /// Print one JSON object instead of a table
    #[arg(long)]
    json: bool,
    /// Compare a store that holds so many messages with an empty one
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000_000))]
    store_rows: Option<u32>,
    /// Connections of the load, or pairs of sessions
    #[arg(long, default_value_t = 128, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=4_096))]
    connections: u32,
    /// Conversations that the messages are spread over
    #[arg(long, default_value_t = 10_000, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    conversations: u32,
    /// Drain a million events instead of 200,000
    #[arg(long)]
    full: bool,
    #[arg(long, hide = true)]
    role: Option<Role>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Scenario {
    Start,
    Rest,
    Ceiling,
    Before,
    Open,
    Ws,
    Idle,
    Drain,
    Store,
}

/// What this program is when the benchmark starts it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Role {
    Generator,
    Receiver,
    Ceiling,
}

impl Role {
    fn name(self) -> &'static str {
        match self {
            Role::Generator => "generator",
            Role::Receiver => "receiver",
            Role::Ceiling => "ceiling",
        }
    }
}

pub(crate) fn run(args: Args) -> Result<()> {
    match args.role {
        Some(Role::Generator) => load::run(),
        Some(Role::Receiver) => receiver::run(),
        Some(Role::Ceiling) => ceiling::run(),
        None => measure(args),
    }
}

fn measure(args: Args) -> Result<()> {
    let scenarios = chosen(&args);
    if scenarios.iter().any(|scenario| *scenario != Scenario::Ceiling) {
        build("couplet")?;
    }
    if cfg!(debug_assertions) {
        build("xtask")?;
    }
    let json = args.json;
    let cores = std::thread::available_parallelism()?.get();
    let bench = Bench { args, progress: Progress, cores };
    let mut report = Report::default();
    report.sections.push(machine(cores)?);
    for scenario in scenarios {
        let section = match scenario {
            Scenario::Start => bench.start(),
            Scenario::Rest => bench.rest(),
            Scenario::Ceiling => bench.ceiling(),
            Scenario::Before => bench.before(),
            Scenario::Open => bench.open(),
            Scenario::Ws => bench.ws(),
            Scenario::Idle => bench.idle(),
            Scenario::Drain => bench.drain(),
            Scenario::Store => bench.store(),
        };
        match section {
            Ok(section) => report.sections.push(section),
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
    ensure!(report.failures.is_empty(), "{} scenarios failed", report.failures.len());
    Ok(())
}

fn chosen(args: &Args) -> Vec<Scenario> {
    let usual = |scenario: &Scenario| match scenario {
        Scenario::Ceiling => false,
        Scenario::Store => args.store_rows.is_some(),
        _ => true,
    };
    let all = Scenario::value_variants().iter().copied();
    if args.only.is_empty() {
        all.filter(usual).collect()
    } else {
        all.filter(|scenario| args.only.contains(scenario)).collect()
    }
}

/// Builds a package for release. The load is generated by an optimised build as well, or it would measure itself.
fn build(package: &str) -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let status = Command::new("cargo")
        .args(["build", "--release", "--package", package, "--target-dir"])
        .arg(target_dir()?)
        .current_dir(root)
        .status()
        .context("cannot run cargo")?;
    ensure!(status.success(), "{package} cannot be built");
    Ok(())
}

/// What the figures were measured on.
fn machine(cores: usize) -> Result<Section> {
    let dir = data_dir()?;
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

/// This program, built for release.
fn program() -> Result<PathBuf> {
    Ok(if cfg!(debug_assertions) { target_dir()?.join("release/xtask") } else { std::env::current_exe()? })
}

/// Where cargo builds: this program is at `target/PROFILE/xtask`.
fn target_dir() -> Result<PathBuf> {
    let program = std::env::current_exe()?;
    program.ancestors().nth(2).map(Path::to_owned).context("the program is in a target directory")
}

/// A directory that goes away after use. It is on the disk of the workspace, since the usual place for temporary files
/// may be memory, where durability costs nothing.
fn data_dir() -> Result<TempDir> {
    Ok(tempfile::Builder::new().prefix("bench-").tempdir_in(target_dir()?)?)
}
