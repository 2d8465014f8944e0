//! Rules that keep the repository as its documents describe it.
//!
//! Each rule is a function from the tree of files to findings, and is listed once in [`RULES`]. `cargo test` runs
//! them all, so that a rule is broken on the author's machine and not in a review.

mod arrows;
mod client_page;
mod dependencies;
mod documented;
mod markdown;
mod names;
mod rust;
mod size;
mod tests_wait;
mod words;

use crate::tree::Tree;
use anyhow::{Result, bail};
use std::fmt;

#[derive(Debug, Default, clap::Args)]
pub(crate) struct Args {
    /// Say what the rules are and why, and check nothing.
    #[arg(long)]
    list: bool,
}

/// One rule, with the reason for it.
struct Rule {
    name: &'static str,
    because: &'static str,
    check: fn(&Tree, &mut Findings),
}

/// All the rules there are.
const RULES: &[Rule] = &[
    Rule {
        name: "crate-arrows",
        because: "rules that never see a wire or a disk can be tested in microseconds",
        check: arrows::between_crates,
    },
    Rule {
        name: "module-arrows",
        because: "the server's modules can be read, and changed, one at a time",
        check: arrows::inside_server,
    },
    Rule {
        name: "pure-chat",
        because: "the rules can only be simulated while they know no clock, wire or runtime",
        check: arrows::pure_chat,
    },
    Rule { name: "file-length", because: "a file is one thought", check: size::files },
    Rule { name: "function-length", because: "a function fits on a screen", check: size::functions },
    Rule { name: "names", because: "a home for everything is a home for nothing", check: names::check },
    Rule {
        name: "tests-wait",
        because: "a test that sleeps is slow on a good day and wrong on a bad one",
        check: tests_wait::check,
    },
    Rule { name: "words", because: "the repository speaks of the product alone", check: words::check },
    Rule { name: "markdown", because: "readers follow links", check: markdown::check },
    Rule {
        name: "dependencies",
        because: "what is depended on without a reason is never removed",
        check: dependencies::check,
    },
    Rule {
        name: "documented",
        because: "a code or key nobody can look up is a riddle",
        check: documented::check,
    },
    Rule {
        name: "client-page",
        because: "whoever writes a client has this page and nothing else",
        check: client_page::check,
    },
    Rule {
        name: "generated",
        because: "a generated page is only trusted while it equals its source",
        check: documented::generated,
    },
];

/// A place that breaks a rule.
#[derive(Debug, PartialEq, Eq)]
struct Finding {
    path: String,
    line: usize,
    rule: &'static str,
    remedy: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}: {}", self.path, self.line, self.rule, self.remedy)
    }
}

/// What the rules have found so far.
#[derive(Debug, Default)]
struct Findings {
    rule: &'static str,
    all: Vec<Finding>,
}

impl Findings {
    fn add(&mut self, path: &str, line: usize, remedy: impl Into<String>) {
        self.all.push(Finding { path: path.to_owned(), line, rule: self.rule, remedy: remedy.into() });
    }
}

pub(crate) fn run(args: &Args) -> Result<()> {
    if args.list {
        for rule in RULES {
            println!("{:16} because {}", rule.name, rule.because);
        }
        return Ok(());
    }
    let found = check(&Tree::read()?);
    for finding in &found {
        println!("{finding}");
    }
    if !found.is_empty() {
        bail!("{} finding(s); `cargo xtask tidy --list` gives the reasons of the rules", found.len());
    }
    println!("tidy: {} rules hold", RULES.len());
    Ok(())
}

fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Findings::default();
    for rule in RULES {
        findings.rule = rule.name;
        (rule.check)(tree, &mut findings);
    }
    findings.all
}

/// What one rule says of some files, as `path:line`.
#[cfg(test)]
fn places(check: fn(&Tree, &mut Findings), files: &[(&str, &str)]) -> Vec<String> {
    let mut findings = Findings::default();
    check(&Tree::of(files), &mut findings);
    findings.all.iter().map(|finding| format!("{}:{}", finding.path, finding.line)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_repository_is_tidy() {
        let found = check(&Tree::read().unwrap());
        let lines: Vec<_> = found.iter().map(ToString::to_string).collect();
        assert!(found.is_empty(), "the rules are broken:\n{}", lines.join("\n"));
    }

    #[test]
    fn a_finding_says_where_what_and_what_to_do() {
        let tree = Tree::of(&[("crates/chat/src/lib.rs", "\nuse tokio::net;\n")]);
        let found = check(&tree);
        assert_eq!(
            found.iter().find(|finding| finding.rule == "pure-chat").unwrap().to_string(),
            "crates/chat/src/lib.rs:2: pure-chat: chat knows nothing of `tokio`; ask for what is needed through a port"
        );
    }
}
