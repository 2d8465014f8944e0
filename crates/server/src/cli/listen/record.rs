//! The file of callbacks, one JSON object a line.

use crate::receiver::Received;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Mutex;

#[derive(Debug)]
pub(super) struct Record {
    file: Mutex<File>,
}

impl Record {
    /// Opens a file to append whole lines to. One that a crash has cut short is ended first: its callback was not
    /// answered and comes again, while the next one must not be lost in the same line.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let mut file = OpenOptions::new().create(true).read(true).append(true).open(path)?;
        let mut last = [b'\n'];
        if file.metadata()?.len() > 0 {
            file.seek(SeekFrom::End(-1))?;
            file.read_exact(&mut last)?;
        }
        if last != *b"\n" {
            file.write_all(b"\n")?;
        }
        Ok(Self { file: Mutex::new(file) })
    }

    /// Appends a line, or nothing: half a line would spoil the next one.
    pub(super) fn append(&self, received: &Received) -> io::Result<()> {
        let line = received.to_line() + "\n";
        let mut file = self.file.lock().expect("nothing panics while it holds this lock");
        let len = file.metadata()?.len();
        file.write_all(line.as_bytes()).map_err(|error| match file.set_len(len) {
            Ok(()) => error,
            Err(second) => {
                io::Error::other(format!("{error}, and half a line cannot be taken back: {second}"))
            }
        })
    }
}
