//! A whole cluster on this machine, to try out what happens when a part of it dies.
//!
//! Two PostgreSQL servers, of which one follows the other, three NATS servers, and some nodes, all on loopback and in a
//! directory that goes away with them. Nothing of it is for production: no passwords, and one disk for all.
//!
//! Each kind of process is a value whose end is the end of its processes, so whatever fails on the way, nothing stays
//! behind.

mod running;
mod ports;
mod postgres;
mod nats;
mod nodes;
mod http;
mod app;
mod instructions;

use crate::test::tools;
use crate::tree::root;
use anyhow::{Context, Result};
use nats::Nats;
use nodes::Nodes;
use ports::Ports;
use postgres::Postgres;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// How often it is looked for processes that have died.
const LOOK_MS: u64 = 500;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How many nodes there are.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(2..=9))]
    nodes: u8,
    /// Build the server for release.
    #[arg(long)]
    release: bool,
}

/// Dropped from top to bottom: whoever uses something ends before it.
struct Cluster {
    nodes: Nodes,
    nats: Nats,
    postgres: Postgres,
    directory: TempDir,
    couplet: PathBuf,
    /// Where the receiver of callbacks is expected.
    receiver_port: u16,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let couplet = built(args.release)?;
    let python = tools::python_with(&root().join("tests/nats/requirements.txt"))?;
    let nats_server = python.with_file_name("nats-server");
    let postgres_programs = tools::postgres_programs()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut stop = Stop::new()?;
        // A start that is given up ends what it has started.
        let starting = Cluster::start(args.nodes.into(), couplet, &nats_server, &postgres_programs);
        let mut cluster = tokio::select! {
            biased;
            () = stop.asked() => return Ok(()),
            started = starting => started?,
        };
        println!("\n{}", instructions::text(&cluster)?);
        loop {
            tokio::select! {
                biased;
                () = stop.asked() => break,
                () = tokio::time::sleep(Duration::from_millis(LOOK_MS)) => cluster.tell_of_deaths()?,
            }
        }
        println!("\nEverything ends now.");
        Ok(())
    })
}

impl Cluster {
    async fn start(
        node_count: usize,
        couplet: PathBuf,
        nats_server: &Path,
        postgres_programs: &Path,
    ) -> Result<Self> {
        let directory = tempfile::Builder::new().prefix("couplet-cluster-").tempdir()?;
        // PostgreSQL does not run as root, so somebody else has to get through to its own directory.
        std::fs::set_permissions(directory.path(), Permissions::from_mode(0o755))?;
        let mut ports = Ports::free(nats::PORTS + postgres::PORTS + node_count + 1)?;
        println!(
            "Starting PostgreSQL: a primary, and a standby that has every commit before it is acknowledged."
        );
        let postgres = Postgres::start(directory.path(), postgres_programs, &mut ports).await?;
        println!("Starting NATS: a cluster of three.");
        let nats = Nats::start(directory.path(), nats_server, &mut ports).await?;
        let receiver_port = ports.take();
        println!("Starting {node_count} nodes.");
        let settings = nodes::Settings {
            postgres_url: postgres.url(),
            nats_urls: nats.urls(),
            app: app::declaration(receiver_port),
        };
        let nodes = Nodes::start(directory.path(), &couplet, &settings, ports.take_some(node_count)).await?;
        app::make_accounts(nodes.address(0))?;
        Ok(Self { nodes, nats, postgres, directory, couplet, receiver_port })
    }

    fn tell_of_deaths(&mut self) -> Result<()> {
        let all = self.nodes.group.members.iter_mut().chain(&mut self.nats.group.members);
        for running in all.chain(&mut self.postgres.group.members) {
            running.tell_of_death()?;
        }
        Ok(())
    }
}

/// The ways in which a person, or another program, ends this one.
struct Stop([Signal; 3]);

impl Stop {
    fn new() -> Result<Self> {
        let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
        let [interrupt, terminate, hangup] = kinds.map(signal);
        Ok(Self([interrupt?, terminate?, hangup?]))
    }

    async fn asked(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.0;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}

/// Builds the server, and says where it is.
fn built(release: bool) -> Result<PathBuf> {
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--package", "couplet"]);
    if release {
        cargo.arg("--release");
    }
    // This program is at target/PROFILE/xtask, and its environment may name another target directory than the usual.
    let program = std::env::current_exe()?;
    let target = program.ancestors().nth(2).context("the program is in a target directory")?;
    tools::run(cargo.arg("--target-dir").arg(target))?;
    Ok(target.join(if release { "release" } else { "debug" }).join("couplet"))
}
