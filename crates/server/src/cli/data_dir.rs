//! Which data directory a command works on, and the server that may hold it.

use crate::app::control::SOCKET;
use crate::config::{Config, Flags};
use std::error::Error;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
pub(super) struct WhichDataDir {
    /// Settings of the server (a TOML file)
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Data directory of the server
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

impl WhichDataDir {
    pub(super) fn settings(&self) -> Result<Config, Box<dyn Error + Send + Sync>> {
        let flags =
            Flags { config: self.config.clone(), data_dir: self.data_dir.clone(), ..Flags::default() };
        Ok(Config::load(&flags)?)
    }
}

/// Asks the server that holds a data directory. `None` when none does.
pub(super) fn ask_server(
    data_dir: &Path,
    question: &str,
) -> Result<Option<impl BufRead + Send + use<>>, Box<dyn Error + Send + Sync>> {
    let path = data_dir.join(SOCKET);
    let mut stream = match UnixStream::connect(&path) {
        Ok(stream) => stream,
        // One that was killed has left its socket.
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => {
            return Ok(None);
        }
        Err(error) => return Err(format!("cannot ask the server at {}: {error}", path.display()).into()),
    };
    // In this version of HTTP, the answer is what comes until the end.
    write!(stream, "GET /{question} HTTP/1.0\r\n\r\n")?;
    let mut answer = BufReader::with_capacity(1 << 18, stream);
    let mut status = String::new();
    answer.read_line(&mut status)?;
    let mut line = String::new();
    while answer.read_line(&mut line)? > 2 {
        line.clear();
    }
    match status.split(' ').nth(1) {
        Some("200") => Ok(Some(answer)),
        _ => {
            let mut words = String::new();
            answer.take(1 << 10).read_to_string(&mut words)?;
            let words = if words.is_empty() { "the server did not answer".to_owned() } else { words };
            Err(words.into())
        }
    }
}
