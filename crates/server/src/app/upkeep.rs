//! What is done with a whole store: a copy of it, a look at all of it, and going back to a copy.
//!
//! For the commands that work on a data directory. Where a server holds it, they ask that server over its control
//! socket, see [`super::control`].

use super::embedded_options;
use crate::config::{Config, StoreKind};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::ops::ControlFlow;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use store::OpenError;
use store::backup::{Header, Reader, Totals, Writer};
use store::{CopyError, Embedded, MigrateError, PostgresOptions, RestoreError};

pub use store::{Examined, Finding, Migrated, News, Stage, backup};

const STORE: &str = "store";
/// Becomes the store when all of it is there.
const UNFINISHED: &str = "store.restoring";
/// Small files beside the store that go with it. Media do not: they are large, and there are tools for files.
const FILES: [&str; 1] = ["apps.toml"];

/// Why a data directory cannot be worked on.
#[derive(Debug, thiserror::Error)]
pub enum UpkeepError {
    #[error("there is no store in {0}; say where it is with --data-dir or --config")]
    NoStore(PathBuf),
    #[error(
        "the store is kept in PostgreSQL, which has tools of its own for this: pg_dump, and backups with its log"
    )]
    NotEmbedded,
    #[error(
        "{0} is held by a process that cannot be asked; a running server would answer at its control socket"
    )]
    Held(PathBuf),
    #[error("cannot open the store in {0}: {1}")]
    Open(PathBuf, OpenError),
    #[error(transparent)]
    Copy(#[from] CopyError),
    #[error(transparent)]
    Store(#[from] chat::port::StoreError),
    #[error(transparent)]
    Restore(#[from] RestoreError),
    #[error("nothing was given up, and the same command goes on from here: {0}")]
    Migrate(#[from] MigrateError),
    #[error("{0} is not empty; a backup is restored into a directory of its own")]
    NotEmpty(PathBuf),
    #[error("it holds a file {0:?}, which this program does not know")]
    StrangeFile(String),
    #[error("{0}: {1}")]
    Io(PathBuf, io::Error),
}

/// A schema of a database.
pub struct Target {
    pub url: String,
    pub schema: String,
    pub root_cert: Option<PathBuf>,
}

impl std::fmt::Debug for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The URL may have a password in it.
        f.debug_struct("Target").field("schema", &self.schema).finish_non_exhaustive()
    }
}

/// A store that no server has open.
#[derive(Debug)]
pub struct Idle {
    store: Embedded,
    data_dir: PathBuf,
}

impl Idle {
    pub fn open(config: &Config) -> Result<Self, UpkeepError> {
        if config.store != StoreKind::Embedded {
            return Err(UpkeepError::NotEmbedded);
        }
        let path = config.data_dir.join(STORE);
        if !path.is_dir() {
            return Err(UpkeepError::NoStore(config.data_dir.clone()));
        }
        let store = Embedded::open(&path, embedded_options(config)).map_err(|error| match error {
            OpenError::Locked(path) => UpkeepError::Held(path),
            error => UpkeepError::Open(path, error),
        })?;
        Ok(Self { store, data_dir: config.data_dir.clone() })
    }

    /// What a backup begins with that is taken now.
    pub fn header(&self, now_ms: u64) -> Result<Header, UpkeepError> {
        header(&self.store, &self.data_dir, now_ms)
    }

    pub fn copy<W: Write>(
        &self,
        into: &mut Writer<W>,
        watch: &mut dyn FnMut(u64),
    ) -> Result<(), UpkeepError> {
        Ok(self.store.copy(into, watch)?)
    }

    /// Copies everything into a schema of a PostgreSQL database. The directory is held until then.
    pub async fn migrate(
        self,
        target: Target,
        watch: impl FnMut(Stage, u64) + Send + 'static,
    ) -> Result<Migrated, UpkeepError> {
        let Target { url, schema, root_cert } = target;
        let options = PostgresOptions { url, schema, root_cert, ..PostgresOptions::default() };
        Ok(store::migrate(Arc::new(self.store), options, watch).await?)
    }

    pub fn check(&self, tell: &mut dyn FnMut(News) -> ControlFlow<()>) -> Result<Examined, UpkeepError> {
        Ok(self.store.check(tell)?)
    }
}

pub(super) fn header(store: &Embedded, data_dir: &Path, now_ms: u64) -> Result<Header, UpkeepError> {
    let mut files = Vec::new();
    for name in FILES {
        let path = data_dir.join(name);
        match fs::read(&path) {
            Ok(content) => files.push((name.to_owned(), content)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(UpkeepError::Io(path, error)),
        }
    }
    let program = env!("CARGO_PKG_VERSION").to_owned();
    Ok(Header { taken_ms: now_ms, program, rows_expected: store.rows_expected(), files })
}

/// Makes a data directory of a backup. When it fails, there is nothing that a server would take for one.
pub fn restore<R: Read>(
    from: &mut Reader<R>,
    data_dir: &Path,
    now_ms: u64,
    watch: &mut dyn FnMut(u64),
) -> Result<Vec<Totals>, UpkeepError> {
    let at = |error| UpkeepError::Io(data_dir.to_owned(), error);
    for (name, _) in &from.header().files {
        if !FILES.contains(&name.as_str()) {
            return Err(UpkeepError::StrangeFile(name.clone()));
        }
    }
    let is_new = make_empty(data_dir)?;
    let restored = fill(from, data_dir, now_ms, watch);
    if restored.is_err() {
        // What was made goes again, and nothing else: the directory may have been there before.
        fs::remove_dir_all(data_dir.join(UNFINISHED)).map_err(at)?;
        for name in FILES {
            match fs::remove_file(data_dir.join(name)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(at(error)),
                _ => {}
            }
        }
        if is_new {
            fs::remove_dir(data_dir).map_err(at)?;
        }
    }
    restored
}

/// A restore that did not come to its end has left something that is no store.
pub(super) fn is_unfinished(data_dir: &Path) -> bool {
    data_dir.join(UNFINISHED).exists()
}

/// Says whether the directory was not there before.
fn make_empty(data_dir: &Path) -> Result<bool, UpkeepError> {
    let at = |error| UpkeepError::Io(data_dir.to_owned(), error);
    let is_new = match fs::read_dir(data_dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => true,
        Err(error) => return Err(at(error)),
        Ok(entries) => {
            for entry in entries {
                // A file system of its own has this from the beginning.
                if entry.map_err(at)?.file_name() != "lost+found" {
                    return Err(UpkeepError::NotEmpty(data_dir.to_owned()));
                }
            }
            false
        }
    };
    DirBuilder::new().recursive(true).mode(0o700).create(data_dir).map_err(at)?;
    DirBuilder::new().mode(0o700).create(data_dir.join(UNFINISHED)).map_err(at)?;
    Ok(is_new)
}

fn fill<R: Read>(
    from: &mut Reader<R>,
    data_dir: &Path,
    now_ms: u64,
    watch: &mut dyn FnMut(u64),
) -> Result<Vec<Totals>, UpkeepError> {
    let at = |error| UpkeepError::Io(data_dir.to_owned(), error);
    let unfinished = data_dir.join(UNFINISHED);
    let totals = store::restore(from, &unfinished, store::EmbeddedOptions::default(), now_ms, watch)?;
    for (name, content) in &from.header().files {
        // They hold keys.
        let mut options = OpenOptions::new();
        let mut file =
            options.write(true).create_new(true).mode(0o600).open(data_dir.join(name)).map_err(at)?;
        file.write_all(content).and_then(|()| file.sync_all()).map_err(at)?;
    }
    File::open(&unfinished).and_then(|directory| directory.sync_all()).map_err(at)?;
    fs::rename(&unfinished, data_dir.join(STORE)).map_err(at)?;
    File::open(data_dir).and_then(|directory| directory.sync_all()).map_err(at)?;
    Ok(totals)
}
