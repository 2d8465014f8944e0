//! `couplet restore`: a data directory out of a backup.

use super::Outcome;
use super::backup::totals;
use super::output::say;
use super::rows::RowsBar;
use crate::app::upkeep;
use crate::app::upkeep::backup::Reader;
use crate::clock::SystemClock;
use chat::port::Clock;
use flate2::read::MultiGzDecoder;
use serde_json::{Value, json};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::PathBuf;

const BUFFER_BYTES: usize = 1 << 18;
/// What a compressed file begins with.
const GZIP: [u8; 2] = [0x1f, 0x8b];

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The backup; - for the standard input
    file: PathBuf,
    /// Where to make the data directory: it must be empty, or not there
    #[arg(long, value_name = "DIR")]
    data_dir: PathBuf,
    /// Print what was done as one line of JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> Outcome {
    let failed = |error: io::Error| format!("cannot read {}: {error}", arguments.file.display());
    let file: Box<dyn Read> = match arguments.file.as_os_str() == "-" {
        true => Box::new(io::stdin().lock()),
        false => Box::new(File::open(&arguments.file).map_err(failed)?),
    };
    let mut file = BufReader::with_capacity(BUFFER_BYTES, file);
    // It may have been unpacked on its way, by whatever packed it for the journey.
    let is_packed = file.fill_buf().map_err(failed)?.starts_with(&GZIP);
    let plain: Box<dyn Read> = if is_packed { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) };
    let unusable = |error| format!("{} cannot be used: {error}", arguments.file.display());
    let plain = BufReader::with_capacity(BUFFER_BYTES, plain);
    let mut reader = Reader::begin(plain).map_err(unusable)?;
    let header = reader.header().clone();

    let bar = RowsBar::begin(header.rows_expected);
    let restored =
        upkeep::restore(&mut reader, &arguments.data_dir, SystemClock.now_ms(), &mut |rows| bar.at(rows));
    bar.end();
    let tables = restored.map_err(|error| format!("nothing was restored: {error}"))?;
    let rows: u64 = tables.iter().map(|table| table.rows).sum();
    let data_dir = arguments.data_dir.display();
    if arguments.json {
        let tables: Vec<Value> = tables.iter().map(totals).collect();
        let done = json!({
            "data_dir": data_dir.to_string(),
            "taken_ms": header.taken_ms,
            "program": header.program,
            "rows": rows,
            "tables": tables,
        });
        return Ok(say(&done.to_string())?);
    }
    say(&format!("Restored {rows} rows into {data_dir}."))?;
    Ok(say(&format!("To serve them: couplet serve --data-dir {data_dir}"))?)
}
