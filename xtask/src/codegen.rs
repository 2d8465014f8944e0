//! Pages that are written from code, so that they cannot say anything else.
//!
//! Every output is a function of the source tree, committed, and compared by [`crate::tidy`].

mod client;
mod codes;
pub(crate) mod configuration;
mod ordered_json;
mod rest;

use crate::tree::{self, Tree};
use anyhow::{Context, Result, bail};
use std::fs;

pub(crate) const ERROR_CODES: &str = "docs/reference/error-codes.md";
pub(crate) const CONFIGURATION: &str = "docs/reference/configuration.md";
const REST_API: &str = "docs/reference/rest-api.md";
const REST_OPENAPI: &str = "docs/reference/rest-openapi.json";
const CLIENT_SCHEMA: &str = "docs/reference/client-schema.json";
const COMPATIBILITY: &str = "docs/reference/compatibility.md";

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Write nothing, and fail if a file differs.
    #[arg(long)]
    check: bool,
}

/// A generated file.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) path: &'static str,
    pub(crate) text: String,
}

/// All generated files, as they should be.
pub(crate) fn outputs(tree: &Tree) -> Vec<Output> {
    let mut outputs = vec![
        Output { path: ERROR_CODES, text: codes::page() },
        Output { path: REST_API, text: rest::reference() },
        Output { path: REST_OPENAPI, text: rest::openapi() },
        Output { path: COMPATIBILITY, text: rest::compatibility() },
        Output { path: CLIENT_SCHEMA, text: client::schema() },
    ];
    outputs.extend(client::typescript());
    if let Some(source) = tree.text(configuration::SOURCE) {
        outputs.push(Output { path: CONFIGURATION, text: configuration::page(source) });
    }
    outputs
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let tree = Tree::read()?;
    if tree.text(configuration::SOURCE).is_none() {
        println!("{CONFIGURATION} is left out: there is no {} to write it from", configuration::SOURCE);
    }
    let stale: Vec<_> =
        outputs(&tree).into_iter().filter(|out| tree.text(out.path) != Some(&out.text)).collect();
    if stale.is_empty() {
        println!("codegen: everything is up to date");
        return Ok(());
    }
    for output in &stale {
        println!("{}{}", output.path, if args.check { " differs from its source" } else { "" });
        if !args.check {
            write(output)?;
        }
    }
    if args.check {
        bail!("{} file(s) differ; run `cargo xtask codegen` and commit the result", stale.len());
    }
    Ok(())
}

fn write(output: &Output) -> Result<()> {
    let path = tree::root().join(output.path);
    let folder = path.parent().context("an output lies in a folder")?;
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    fs::write(&path, &output.text).with_context(|| format!("cannot write {}", path.display()))
}
