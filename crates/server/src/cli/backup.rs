//! `couplet backup`: a copy of the whole store in one file, whether a server runs on it or not.

use super::Outcome;
use super::data_dir::{WhichDataDir, ask_server};
use super::output::say;
use super::rows::RowsBar;
use crate::app::upkeep::Idle;
use crate::app::upkeep::backup::{Item, Reader, Totals, Writer};
use crate::clock::SystemClock;
use chat::port::Clock;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use std::error::Error;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, BufWriter, IsTerminal, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

const BUFFER_BYTES: usize = 1 << 18;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The file to write, all at once when it is whole; - for the standard output
    file: PathBuf,
    /// Print what was done as one line of JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    data_dir: WhichDataDir,
}

/// What a backup came to.
struct Done {
    taken_ms: u64,
    tables: Vec<Totals>,
}

pub(super) fn run(arguments: &Arguments) -> Outcome {
    if arguments.file.as_os_str() == "-" {
        if io::stdout().is_terminal() {
            return Err("a backup is nothing to look at; name a file, or send it into one".into());
        }
        let (_, done) = write(io::stdout().lock(), &arguments.data_dir)?;
        // The standard output is the backup.
        eprintln!("{}", report(arguments, &done));
        return Ok(());
    }
    let part = beside(&arguments.file, "part");
    let done = write_file(&part, &arguments.file, &arguments.data_dir).inspect_err(|_| {
        // It is worth nothing, and the error that matters is another.
        drop(fs::remove_file(&part));
    })?;
    Ok(say(&report(arguments, &done))?)
}

fn write_file(
    part: &Path,
    file: &Path,
    data_dir: &WhichDataDir,
) -> Result<Done, Box<dyn Error + Send + Sync>> {
    let failed = |error: io::Error| format!("cannot write {}: {error}", part.display());
    let mut options = OpenOptions::new();
    // It holds everything that people have said, and the keys of apps.
    let out = options.write(true).create(true).truncate(true).mode(0o600).open(part).map_err(failed)?;
    // One that somebody else has put there in advance is theirs, and cannot be made ours alone.
    out.set_permissions(Permissions::from_mode(0o600)).map_err(failed)?;
    let (out, done) = write(out, data_dir)?;
    out.sync_all().map_err(failed)?;
    fs::rename(part, file).map_err(failed)?;
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new("."))).and_then(|folder| folder.sync_all()).map_err(failed)?;
    Ok(done)
}

/// Takes the backup from the server that holds the directory, or from the directory itself.
fn write<W: Write>(out: W, data_dir: &WhichDataDir) -> Result<(W, Done), Box<dyn Error + Send + Sync>> {
    let settings = data_dir.settings()?;
    // Fast rather than small: what is compressed here has mostly been compressed little or not at all.
    let out = GzEncoder::new(BufWriter::with_capacity(BUFFER_BYTES, out), Compression::fast());
    let (out, done) = match ask_server(&settings.data_dir, "backup")? {
        Some(answer) => relay(answer, out)?,
        None => {
            let idle = Idle::open(&settings)?;
            let header = idle.header(SystemClock.now_ms())?;
            let bar = RowsBar::begin(header.rows_expected);
            let mut writer = Writer::begin(out, &header)?;
            idle.copy(&mut writer, &mut |rows| bar.at(rows))?;
            bar.end();
            let (out, tables) = writer.end()?;
            (out, Done { taken_ms: header.taken_ms, tables })
        }
    };
    let out = out.finish()?.into_inner().map_err(io::IntoInnerError::into_error)?;
    Ok((out, done))
}

/// Row by row, so that nothing is written that was not whole when it came.
fn relay<W: Write>(from: impl Read, out: W) -> Result<(W, Done), Box<dyn Error + Send + Sync>> {
    let cut = |error| format!("the server's answer cannot be used: {error}");
    let mut reader = Reader::begin(from).map_err(cut)?;
    let header = reader.header().clone();
    let bar = RowsBar::begin(header.rows_expected);
    let mut writer = Writer::begin(out, &header)?;
    loop {
        match reader.item().map_err(cut)? {
            Item::Table(name) => writer.table(name)?,
            Item::Row { key, value } => writer.row(key, value)?,
            Item::End => break,
        }
        if writer.rows().is_multiple_of(4_096) {
            bar.at(writer.rows());
        }
    }
    bar.end();
    let (out, tables) = writer.end()?;
    Ok((out, Done { taken_ms: header.taken_ms, tables }))
}

fn report(arguments: &Arguments, done: &Done) -> String {
    let rows: u64 = done.tables.iter().map(|table| table.rows).sum();
    let file = arguments.file.display().to_string();
    if arguments.json {
        let tables: Vec<Value> = done.tables.iter().map(totals).collect();
        return json!({ "file": file, "taken_ms": done.taken_ms, "rows": rows, "tables": tables })
            .to_string();
    }
    let messages = done.tables.iter().find(|table| table.table == "messages").map_or(0, |table| table.rows);
    format!("Backed up {rows} rows, {messages} messages among them, into {file}.")
}

/// A table as scripts are told of it.
pub(super) fn totals(totals: &Totals) -> Value {
    let Totals { table, rows, bytes, checksum } = totals;
    json!({ "table": table, "rows": rows, "bytes": bytes, "checksum": format!("{checksum:032x}") })
}

fn beside(file: &Path, what: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(format!(".{what}"));
    PathBuf::from(name)
}
