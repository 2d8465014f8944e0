//! The steps of `cargo xtask test`, in the order in which they run.

use super::tools::{self, npm_ci, run};
use crate::tidy;
use crate::tree::{Tree, root};
use anyhow::{Result, ensure};
use std::process::Command;

pub(super) struct Step {
    pub(super) name: &'static str,
    pub(super) what: &'static str,
    pub(super) run: fn() -> Result<Outcome>,
}

pub(super) enum Outcome {
    Passed,
    /// The repository has nothing that the step could check.
    Absent(String),
}

pub(super) const STEPS: &[Step] = &[
    Step { name: "format", what: "code is formatted by rustfmt", run: format },
    Step { name: "tidy", what: "arrows, sizes, names, links, generated files", run: tidy },
    Step { name: "deny", what: "licences and sources of dependencies", run: deny },
    Step { name: "lints", what: "clippy, with warnings as errors", run: lints },
    Step { name: "tests", what: "unit, contract, API and process tests", run: tests },
    Step { name: "doctests", what: "examples in the documentation", run: doctests },
    Step { name: "seeds", what: "simulation of faults, 500 seeds", run: seeds },
    Step { name: "sdk", what: "the client SDK's own tests", run: sdk },
    Step { name: "browser", what: "the real server in a real browser", run: browser },
];

const SEEDS: &str = "500";

fn format() -> Result<Outcome> {
    run(Command::new("cargo").args(["fmt", "--all", "--check"]))
}

fn tidy() -> Result<Outcome> {
    tidy::run(&tidy::Args::default())?;
    Ok(Outcome::Passed)
}

/// Advisories are left out: their database is fetched from the network, and a check that depends on what was
/// published this morning cannot be repeated. CONTRIBUTING.md has the command for them.
fn deny() -> Result<Outcome> {
    let mut deny = tools::cargo_tool("cargo-deny")?;
    run(deny.args(["--workspace", "check", "bans", "licenses", "sources"]))
}

fn lints() -> Result<Outcome> {
    run(Command::new("cargo").args(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))
}

/// The development profile: dependencies are optimised in it, so the processes under test are fast enough, and the
/// binary that these tests need is built on the way.
fn tests() -> Result<Outcome> {
    let mut nextest = tools::cargo_tool("cargo-nextest")?;
    nextest.args(["nextest", "run", "--workspace"]);
    // Servers must accept what the public signing libraries make, so the libraries themselves take part.
    let signers = root().join("tests/sdk");
    nextest.env("COUPLET_TEST_PYTHON", tools::python_with(&signers.join("requirements.txt"))?);
    nextest.env("COUPLET_TEST_NODE_MODULES", npm_ci(&signers)?);
    run(&mut nextest)
}

fn doctests() -> Result<Outcome> {
    let opens =
        |line: &str| ["/// ```", "//! ```"].contains(&line.trim()) || line.trim().ends_with(" ```rust");
    let tree = Tree::read()?;
    let exist = tree.ending(".rs").any(|(path, text)| path.starts_with("crates/") && text.lines().any(opens));
    if !exist {
        return Ok(Outcome::Absent("no documentation has an example".into()));
    }
    run(Command::new("cargo").args(["test", "--workspace", "--doc"]))
}

fn seeds() -> Result<Outcome> {
    if !root().join("crates/sim/src/main.rs").exists() {
        return Ok(Outcome::Absent("crates/sim has no main.rs".into()));
    }
    run(Command::new("cargo").args(["run", "--quiet", "--package", "couplet-sim", "--", "--seeds", SEEDS]))
}

fn sdk() -> Result<Outcome> {
    let sdk = root().join("sdk/typescript");
    if !sdk.join("package.json").exists() {
        return Ok(Outcome::Absent("sdk/typescript has no package.json".into()));
    }
    npm_ci(&sdk)?;
    run(Command::new("npm").args(["test"]).current_dir(sdk))
}

fn browser() -> Result<Outcome> {
    let folder = root().join("tests/browser");
    if !folder.join("package.json").exists() {
        return Ok(Outcome::Absent("tests/browser has no package.json".into()));
    }
    let tree = Tree::read()?;
    let is_test = |path: &str| path.starts_with("tests/browser/") && path.contains(".test.");
    let files: Vec<&str> = tree.files().map(|(path, _)| path).filter(|path| is_test(path)).collect();
    ensure!(!files.is_empty(), "tests/browser has no file named *.test.mjs");
    npm_ci(&folder)?;
    let chromium = tools::chromium()?;
    run(Command::new("cargo").args(["build", "--package", "couplet"]))?;
    let mut node = Command::new("node");
    node.arg("--test").args(files);
    node.env("COUPLET_BIN", root().join("target/debug/couplet")).env("COUPLET_CHROMIUM", chromium);
    run(&mut node)
}
