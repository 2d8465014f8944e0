//! Files in a folder of this machine.

use super::{Parcel, PutError};
use crate::media::locator::{Locator, MediaId};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use std::fs;
use std::io::{self, ErrorKind, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};
use tokio::io::{AsyncReadExt, AsyncSeekExt};

/// Read at once. A reader who is slow holds one such piece.
const CHUNK_BYTES: usize = 64 * 1024;

#[derive(Debug)]
pub(in crate::media) struct Folder {
    root: PathBuf,
}

impl Folder {
    pub(in crate::media) fn open(root: PathBuf) -> io::Result<Self> {
        fs::create_dir_all(&root)?;
        Ok(Self { root })
    }

    pub(super) async fn put(&self, parcel: Parcel) -> Result<(), PutError> {
        let target = self.folder_of(parcel.sdkappid, parcel.id);
        let placed = tokio::task::spawn_blocking(move || place(&parcel.folder, &target)).await;
        placed.unwrap_or_else(|panicked| std::panic::resume_unwind(panicked.into_panic()))
    }

    pub(super) async fn size(&self, file: &Locator) -> io::Result<Option<u64>> {
        match tokio::fs::metadata(self.path(file)).await {
            Ok(metadata) => Ok(metadata.is_file().then_some(metadata.len())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(super) async fn read(
        &self,
        file: &Locator,
        range: Range<u64>,
    ) -> io::Result<BoxStream<'static, io::Result<Bytes>>> {
        let mut opened = tokio::fs::File::open(self.path(file)).await?;
        opened.seek(SeekFrom::Start(range.start)).await?;
        let rest = opened.take(range.end - range.start);
        let chunks = stream::try_unfold(rest, |mut rest| async move {
            let mut chunk = BytesMut::with_capacity(CHUNK_BYTES);
            let read = rest.read_buf(&mut chunk).await?;
            Ok((read > 0).then(|| (chunk.freeze(), rest)))
        });
        Ok(chunks.boxed())
    }

    fn path(&self, file: &Locator) -> PathBuf {
        self.folder_of(file.sdkappid, file.id).join(file.part.to_string())
    }

    /// In one of 256 folders: file systems, and people, dislike folders with a million entries.
    fn folder_of(&self, sdkappid: u32, id: MediaId) -> PathBuf {
        let id = id.to_string();
        self.root.join(sdkappid.to_string()).join(&id[..2]).join(id)
    }
}

/// Moves a folder to its place, whole or not at all: the content is on the disk before its name is.
fn place(folder: &Path, target: &Path) -> Result<(), PutError> {
    for entry in fs::read_dir(folder)? {
        sync(&entry?.path())?;
    }
    sync(folder)?;
    let parent = target.parent().expect("a target has folders above it");
    make_folders(parent)?;
    match fs::rename(folder, target) {
        Ok(()) => Ok(sync(parent)?),
        // A folder is only replaced by another when it is empty, and none here is.
        Err(error) if matches!(error.kind(), ErrorKind::DirectoryNotEmpty | ErrorKind::AlreadyExists) => {
            Err(PutError::Taken)
        }
        Err(error) => Err(error.into()),
    }
}

/// Makes what is missing, durably.
fn make_folders(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let parent = path.parent().expect("the root of all exists");
    make_folders(parent)?;
    match fs::create_dir(path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        // Another upload may have been first.
        _ => sync(parent),
    }
}

fn sync(path: &Path) -> io::Result<()> {
    fs::File::open(path)?.sync_all()
}
