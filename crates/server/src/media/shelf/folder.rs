//! Files in a folder of this machine.

use super::{Parcel, PutError};
use crate::media::locator::{Locator, MediaId};
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use std::fs;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

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
        let path: Arc<Path> = self.path(file).into();
        // The first piece now: whoever asks is told when the file cannot be read.
        let first = read_piece(&path, range.start..range.end).await?;
        let rest = range.start + first.len() as u64..range.end;
        let chunks = stream::try_unfold((path, rest), |(path, rest)| async move {
            if rest.is_empty() {
                return Ok(None);
            }
            let piece = read_piece(&path, rest.clone()).await?;
            let rest = rest.start + piece.len() as u64..rest.end;
            Ok(Some((piece, (path, rest))))
        });
        Ok(stream::iter([Ok(first)]).chain(chunks).boxed())
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

/// The first piece of a part. The file is open only for that: a reader who pauses holds none, and the process may have
/// fewer of them than there are readers.
async fn read_piece(path: &Arc<Path>, part: Range<u64>) -> io::Result<Bytes> {
    let path = Arc::clone(path);
    let reading = tokio::task::spawn_blocking(move || {
        let mut file = fs::File::open(path)?;
        file.seek(SeekFrom::Start(part.start))?;
        let mut piece = vec![0; (part.end - part.start).min(CHUNK_BYTES as u64) as usize];
        file.read_exact(&mut piece)?;
        Ok(Bytes::from(piece))
    });
    reading.await.unwrap_or_else(|panicked| std::panic::resume_unwind(panicked.into_panic()))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::Format;
    use crate::media::locator::{Part, Variant};
    use futures_util::TryStreamExt;

    fn file() -> Locator {
        let part = Part { variant: Variant::Original, format: Format::Bin };
        Locator { sdkappid: 14, id: MediaId(7), part }
    }

    #[tokio::test]
    async fn pieces_are_all_of_a_part() {
        let directory = tempfile::tempdir().unwrap();
        let folder = Folder::open(directory.path().to_owned()).unwrap();
        let path = folder.path(&file());
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let bytes: Vec<u8> = (0..3 * CHUNK_BYTES).map(|at| (at / 1000) as u8).collect();
        fs::write(&path, &bytes).unwrap();
        for part in [0..1, 5..6 + CHUNK_BYTES, 0..bytes.len(), CHUNK_BYTES..2 * CHUNK_BYTES] {
            let chunks = folder.read(&file(), part.start as u64..part.end as u64).await.unwrap();
            let read: Vec<Bytes> = chunks.try_collect().await.unwrap();
            assert!(read.concat() == bytes[part.clone()], "{part:?}");
        }
    }

    #[tokio::test]
    async fn a_file_is_not_open_between_two_pieces() {
        let directory = tempfile::tempdir().unwrap();
        let folder = Folder::open(directory.path().to_owned()).unwrap();
        let path = folder.path(&file());
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, vec![b'x'; 2 * CHUNK_BYTES]).unwrap();
        let mut chunks = folder.read(&file(), 0..2 * CHUNK_BYTES as u64).await.unwrap();
        assert_eq!(chunks.next().await.unwrap().unwrap().len(), CHUNK_BYTES);
        fs::remove_file(&path).unwrap();
        let error = chunks.next().await.unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound, "an open file could still be read");
    }
}
