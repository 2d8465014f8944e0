//! `couplet import`: reads an export into a running server.
//!
//! Lines go out in chunks over several lanes at once. What has to stay in order, a conversation or an account, always
//! takes the same lane, and a lane sends one chunk after the other. All accounts before a message are in before it
//! goes. How far everything is in is kept beside the file, so that a run that ended early goes on from there.

mod chunk;
mod lanes;
mod progress;

use super::Outcome;
use super::api::Server;
use super::output::{say, unless_the_reader_left};
use chunk::Tally;
use lanes::Lanes;
use progress::Progress;
use protocol::export::Subject;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::error::Error;
use std::fs::File;
use std::io::{BufRead, BufReader, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// A message is at most 12 KB of text, which may be six times as long when it is escaped.
const LINE_BYTES_MAX: u64 = 512 * 1024;
const READ_BUFFER_BYTES: usize = 1 << 20;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The export: JSON lines, each an account or a message as history shows it
    file: PathBuf,
    /// Count messages as unread and push them to devices, as if they were sent now
    #[arg(long)]
    live: bool,
    /// Make accounts for senders and recipients that have none
    #[arg(long)]
    create_accounts: bool,
    /// Begin at the first line, also where an earlier run got further
    #[arg(long)]
    from_start: bool,
    /// Where lines go that the server does not take, with the reason; left out: beside the export
    #[arg(long, value_name = "FILE")]
    rejected: Option<PathBuf>,
    /// Print what was done as one line of JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: Server,
}

pub(super) async fn run(arguments: Arguments) -> Outcome {
    unless_the_reader_left(import(arguments).await)
}

async fn import(arguments: Arguments) -> Outcome {
    let api = arguments.server.open()?;
    let into = Into { place: api.place(), live: arguments.live };
    let mut export = Export::open(&arguments.file, into, arguments.from_start)?;
    let rejected = arguments.rejected.unwrap_or_else(|| beside(&arguments.file, "rejected"));
    let progress = Progress::begin(export.offset, export.len);
    let mut lanes = Lanes::new(&api, arguments.live, arguments.create_accounts, progress);
    let mut rejects = Rejects::new(rejected, export.offset > 0);
    let mut accounts_open = false;
    while let Some(line) = export.next_line()? {
        let subject = Subject::of(&line.bytes);
        let is_account = matches!(subject, Some(Subject::Account(_)));
        if accounts_open && !is_account {
            lanes.finish().await?;
        }
        accounts_open = is_account;
        lanes.put(subject.as_ref(), &line).await?;
        for rejected in lanes.take_rejected() {
            rejects.keep(&rejected)?;
        }
        if lanes.progressed() {
            export.keep_offset(lanes.everything_before().unwrap_or(export.offset))?;
        }
    }
    let finished = lanes.finish().await;
    for rejected in lanes.take_rejected() {
        rejects.keep(&rejected)?;
    }
    finished?;
    let tally = lanes.end();
    export.done()?;
    report(&tally, &rejects, arguments.json)
}

fn report(tally: &Tally, rejects: &Rejects, as_json: bool) -> Outcome {
    let Tally { accounts, messages, duplicates, skipped, rejected } = *tally;
    if as_json {
        let done = json!({
            "accounts": accounts,
            "messages": messages,
            "duplicates": duplicates,
            "skipped": skipped,
            "rejected": rejected,
        });
        say(&done.to_string())?;
    } else {
        let (accounts, messages) = (counted(accounts, "account"), counted(messages, "message"));
        say(&format!("Imported {accounts} and {messages}."))?;
        if duplicates > 0 {
            say(&format!("There already: {}.", counted(duplicates, "message")))?;
        }
        if skipped > 0 {
            say(&format!("Left out, because it was recalled: {}.", counted(skipped, "message")))?;
        }
    }
    match rejected {
        0 => Ok(()),
        rejected => {
            let lines = counted(rejected, "line");
            Err(format!("not taken: {lines}; see {}", rejects.path.display()).into())
        }
    }
}

/// A number with its noun.
fn counted(number: u64, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// A file that belongs to the export.
fn beside(export: &Path, what: &str) -> PathBuf {
    let mut name = export.as_os_str().to_owned();
    name.push(format!(".{what}"));
    PathBuf::from(name)
}

/// A line of the export, with where it stands.
#[derive(Debug, Clone)]
struct Line {
    offset: u64,
    bytes: Vec<u8>,
}

/// Where the lines go, and what becomes of them there.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Into {
    place: String,
    live: bool,
}

/// How far an export is in.
#[derive(Debug, Serialize, Deserialize)]
struct Imported {
    offset: u64,
    into: Into,
    /// The bytes just before the offset: those behind it may have been put right meanwhile, but in another file these
    /// are others.
    before: String,
}

/// So many bytes tell two exports apart.
const BEFORE_BYTES: u64 = 64;

/// The export, from where everything before is in.
struct Export {
    reader: BufReader<File>,
    offset: u64,
    len: u64,
    state: PathBuf,
    into: Into,
}

impl Export {
    fn open(path: &Path, into: Into, from_start: bool) -> Result<Self, Box<dyn Error + Send + Sync>> {
        let failed = |error: std::io::Error| format!("cannot read {}: {error}", path.display());
        let mut file = File::open(path).map_err(failed)?;
        let len = file.metadata().map_err(failed)?.len();
        let state = beside(path, "imported");
        let mut offset = 0;
        if !from_start && let Ok(kept) = std::fs::read(&state) {
            let kept: Option<Imported> = serde_json::from_slice(&kept).ok();
            match kept.filter(|kept| kept.into == into && kept.offset <= len) {
                Some(kept) if kept.before == before(&file, kept.offset).map_err(failed)? => {
                    offset = kept.offset;
                }
                _ => eprintln!(
                    "{} is of another import, so this one begins at the first line.",
                    state.display()
                ),
            }
        }
        file.seek(SeekFrom::Start(offset)).map_err(failed)?;
        if offset > 0 {
            eprintln!("Going on where an earlier run ended; --from-start begins anew.");
        }
        Ok(Self { reader: BufReader::with_capacity(READ_BUFFER_BYTES, file), offset, len, state, into })
    }

    /// The next line that is not empty.
    fn next_line(&mut self) -> Result<Option<Line>, Box<dyn Error + Send + Sync>> {
        loop {
            let offset = self.offset;
            let mut bytes = Vec::new();
            let mut limited = std::io::Read::take(&mut self.reader, LINE_BYTES_MAX);
            let read = limited.read_until(b'\n', &mut bytes)? as u64;
            if read == 0 {
                return Ok(None);
            }
            if read == LINE_BYTES_MAX && bytes.last() != Some(&b'\n') {
                return Err(format!("the line at byte {offset} is longer than {LINE_BYTES_MAX} bytes").into());
            }
            self.offset += read;
            if !bytes.trim_ascii().is_empty() {
                bytes.truncate(bytes.trim_ascii_end().len());
                return Ok(Some(Line { offset, bytes }));
            }
        }
    }

    /// Everything before this offset is in.
    fn keep_offset(&self, offset: u64) -> std::io::Result<()> {
        let before = before(self.reader.get_ref(), offset)?;
        let imported = serde_json::to_vec(&json!({ "offset": offset, "into": self.into, "before": before }))?;
        // In one step, so that a run that is killed here leaves the old one or the new one.
        let new = beside(&self.state, "new");
        std::fs::write(&new, imported)?;
        std::fs::rename(new, &self.state)
    }

    fn done(&self) -> std::io::Result<()> {
        match std::fs::remove_file(&self.state) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

/// What stands before this place.
fn before(export: &File, offset: u64) -> std::io::Result<String> {
    let from = offset.saturating_sub(BEFORE_BYTES);
    let mut bytes = vec![0; (offset - from) as usize];
    export.read_exact_at(&mut bytes, from)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Lines that were not taken, each with its reason. The file is made with the first.
struct Rejects {
    path: PathBuf,
    file: Option<File>,
    /// A run that goes on adds to what the earlier one left.
    goes_on: bool,
}

impl Rejects {
    fn new(path: PathBuf, goes_on: bool) -> Self {
        Self { path, file: None, goes_on }
    }

    fn keep(&mut self, rejected: &chunk::Rejected) -> Outcome {
        let file = match &mut self.file {
            Some(file) => file,
            None => {
                let mut options = File::options();
                options.create(true).write(true).append(self.goes_on).truncate(!self.goes_on);
                let opened = options.open(&self.path);
                let failed = |error| format!("cannot write {}: {error}", self.path.display());
                self.file.insert(opened.map_err(failed)?)
            }
        };
        let line = String::from_utf8_lossy(&rejected.line);
        let entry = json!({
            "offset": rejected.offset,
            "ErrorCode": rejected.code,
            "ErrorInfo": rejected.info,
            "line": line,
        });
        writeln!(file, "{entry}")?;
        Ok(())
    }
}
