//! `couplet migrate`: the store of a data directory, copied into PostgreSQL.

use super::Outcome;
use super::backup::totals;
use super::output::say;
use super::rows::RowsBar;
use crate::app::upkeep::{Idle, Stage, Target};
use crate::config::{Config, Flags};
use serde_json::{Value, json};
use std::path::PathBuf;

#[derive(clap::Args)]
pub struct Arguments {
    /// The data directory; its server has to be stopped
    #[arg(long, value_name = "DIR")]
    from: PathBuf,
    /// The database, as postgres://user:password@host:port/database
    #[arg(long, value_name = "URL")]
    to: String,
    /// The schema to make in it
    #[arg(long, value_name = "NAME", default_value = "couplet")]
    schema: String,
    /// Certificates the database's own may be issued by, in place of the public authorities (a PEM file)
    #[arg(long, value_name = "FILE")]
    root_cert: Option<PathBuf>,
    /// Print what was done as one line of JSON
    #[arg(long)]
    json: bool,
}

impl std::fmt::Debug for Arguments {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The URL may have a password in it.
        f.debug_struct("Arguments").field("from", &self.from).finish_non_exhaustive()
    }
}

pub(super) async fn run(arguments: Arguments) -> Outcome {
    let Arguments { from, to, schema, root_cert, json: as_json } = arguments;
    let flags = Flags { data_dir: Some(from), store: Some("embedded".to_owned()), ..Flags::default() };
    let settings = Config::load(&flags)?;
    let idle = Idle::open(&settings)?;
    let mut progress = Progress::default();
    let target = Target { url: to, schema: schema.clone(), root_cert };
    let done = idle.migrate(target, move |stage, done| progress.at(stage, done)).await?;
    let rows: u64 = done.tables.iter().map(|table| table.rows).sum();
    if as_json {
        let tables: Vec<Value> = done.tables.iter().map(totals).collect();
        let report =
            json!({ "schema": schema, "rows": rows, "rows_before": done.rows_before, "tables": tables });
        return Ok(say(&report.to_string())?);
    }
    say(&format!("Copied {rows} rows into the schema {schema}, and read every one of them back."))?;
    Ok(say(
        "To serve them, set store = \"postgres\" with the URL under [postgres], and declare the apps there.",
    )?)
}

/// A bar for each stage that takes its time.
#[derive(Default)]
struct Progress {
    under_way: Option<(Stage, RowsBar)>,
}

impl Progress {
    fn at(&mut self, stage: Stage, done: u64) {
        if self.under_way.as_ref().is_none_or(|(last, _)| *last != stage) {
            if let Some((_, bar)) = self.under_way.take() {
                bar.end();
            }
            let (words, expected) = match stage {
                Stage::Counting => ("Reading the source", 0),
                Stage::Copying { of } => ("Copying", of),
                Stage::Indexing => ("Making the indexes, which takes a while", 0),
                Stage::Verifying { of } => ("Reading back", of),
            };
            eprintln!("{words} …");
            self.under_way = Some((stage, RowsBar::begin(expected)));
        }
        if let Some((stage, bar)) = &self.under_way
            && *stage != Stage::Indexing
        {
            bar.at(done);
        }
    }
}
