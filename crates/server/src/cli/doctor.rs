//! `couplet doctor`: looks at every row of the store, whether a server runs on it or not.

use super::Outcome;
use super::data_dir::{WhichDataDir, ask_server};
use super::output::{printable, say, unless_the_reader_left};
use super::rows::RowsBar;
use crate::app::upkeep::{Idle, News};
use serde_json::{Value, json};
use std::error::Error;
use std::io::BufRead;
use std::ops::ControlFlow;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Print each finding, and at the end what it came to, as a line of JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    data_dir: WhichDataDir,
}

/// What a check came to.
struct Examined {
    rows: u64,
    findings: u64,
}

pub(super) fn run(arguments: &Arguments) -> Outcome {
    unless_the_reader_left(examine(arguments))
}

fn examine(arguments: &Arguments) -> Outcome {
    let settings = arguments.data_dir.settings()?;
    let examined = match ask_server(&settings.data_dir, "check")? {
        Some(answer) => follow(answer, arguments.json)?,
        None => look(&Idle::open(&settings)?, arguments.json)?,
    };
    report(&examined, arguments.json)
}

fn look(idle: &Idle, as_json: bool) -> Result<Examined, Box<dyn Error + Send + Sync>> {
    let bar = RowsBar::begin(0);
    let mut said = Ok(());
    let examined = idle.check(&mut |news| {
        match news {
            News::Rows(rows) => bar.at(rows),
            News::Found(found) => {
                let found = json!({ "table": found.table, "row": found.row, "what": found.what });
                said = bar.say(&line(&found, as_json));
            }
        }
        if said.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    bar.end();
    said?;
    let examined = examined?;
    Ok(Examined { rows: examined.rows, findings: examined.findings })
}

/// What a server says while it looks.
fn follow(answer: impl BufRead, as_json: bool) -> Result<Examined, Box<dyn Error + Send + Sync>> {
    let bar = RowsBar::begin(0);
    for said in answer.lines() {
        let said: Value = serde_json::from_str(&said?)?;
        if let Some(rows) = said["rows"].as_u64() {
            bar.at(rows);
        } else if said["found"].is_object() {
            bar.say(&line(&said["found"], as_json))?;
        } else if let Some(words) = said["failed"].as_str() {
            return Err(words.to_owned().into());
        } else if let Some(rows) = said["examined"]["rows"].as_u64() {
            bar.end();
            let findings = said["examined"]["findings"].as_u64().unwrap_or_default();
            return Ok(Examined { rows, findings });
        }
    }
    Err("the server broke off in the middle".into())
}

fn line(found: &Value, as_json: bool) -> String {
    if as_json {
        return json!({ "found": found }).to_string();
    }
    let part = |name: &str| printable(found[name].as_str().unwrap_or_default());
    format!("{} {}: {}", part("table"), part("row"), part("what"))
}

fn report(examined: &Examined, as_json: bool) -> Outcome {
    let Examined { rows, findings } = *examined;
    if as_json {
        say(&json!({ "rows": rows, "findings": findings }).to_string())?;
    } else if findings == 0 {
        say(&format!("Looked at {rows} rows, and everything is as it should be."))?;
    }
    match findings {
        0 => Ok(()),
        1 => Err(format!("1 finding in {rows} rows").into()),
        findings => Err(format!("{findings} findings in {rows} rows").into()),
    }
}
