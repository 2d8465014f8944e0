//! Where files are kept: in a folder, or in a bucket.
//!
//! What one upload has brought is put there at once and never changes; a file that can be found is whole.

mod folder;
mod bucket;
mod bucket_client;

pub(super) use bucket::Bucket;
pub(super) use folder::Folder;

use super::locator::{Locator, MediaId, Part};
use bytes::Bytes;
use futures_util::stream::BoxStream;
use std::io;
use std::ops::Range;
use std::path::PathBuf;

#[derive(Debug)]
pub(super) enum Shelf {
    Folder(Folder),
    Bucket(Bucket),
}

/// What one upload has brought, in a folder that holds nothing else, each file under the name of its part.
#[derive(Debug)]
pub(super) struct Parcel {
    pub(super) sdkappid: u32,
    pub(super) id: MediaId,
    pub(super) folder: PathBuf,
    /// The original last: whoever finds it finds the others too.
    pub(super) parts: Vec<Part>,
}

/// Why a parcel was not kept.
#[derive(Debug, thiserror::Error)]
pub(super) enum PutError {
    #[error("there is an upload of this id already")]
    Taken,
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Shelf {
    /// Keeps a parcel: durably when it returns.
    pub(super) async fn put(&self, parcel: Parcel) -> Result<(), PutError> {
        match self {
            Self::Folder(folder) => folder.put(parcel).await,
            Self::Bucket(bucket) => bucket.put(&parcel).await,
        }
    }

    /// The size of a file in bytes; `None` when there is none.
    pub(super) async fn size(&self, file: &Locator) -> io::Result<Option<u64>> {
        match self {
            Self::Folder(folder) => folder.size(file).await,
            Self::Bucket(bucket) => bucket.size(file).await,
        }
    }

    /// A part of a file that is there.
    pub(super) async fn read(
        &self,
        file: &Locator,
        range: Range<u64>,
    ) -> io::Result<BoxStream<'static, io::Result<Bytes>>> {
        match self {
            Self::Folder(folder) => folder.read(file, range).await,
            Self::Bucket(bucket) => bucket.read(file, range).await,
        }
    }
}
