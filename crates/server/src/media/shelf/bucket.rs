//! Files in a bucket, over the protocol of S3.

use super::bucket_client::BucketClient;
use super::{Parcel, PutError};
use crate::config;
use crate::media::locator::{Locator, MediaId, Part};
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path as Key;
use object_store::{
    GetOptions, GetRange, MultipartUpload, ObjectStore, ObjectStoreExt, PutPayload, RetryConfig,
};
use quick_cache::sync::Cache;
use std::io;
use std::ops::Range;
use std::path::Path;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::time::timeout;

/// A file is sent in pieces of this size, and one at a time is in memory. Smaller files go in one request.
const PIECE_BYTES: usize = 8 * 1024 * 1024;
/// Tried again so often, in so long, before the device is told to try later.
const RETRIES_MAX: usize = 3;
const RETRY_SECS_MAX: u64 = 30;
/// A file that is being read stands still for no longer.
const STALL_SECS_MAX: u64 = 30;
/// Sizes that are remembered. A video is read in many parts, each of which would be asked for twice.
const SIZES_MAX: usize = 16_384;

pub(in crate::media) struct Bucket {
    store: AmazonS3,
    prefix: String,
    sizes: Cache<Locator, u64>,
}

impl std::fmt::Debug for Bucket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bucket").field("store", &self.store).finish_non_exhaustive()
    }
}

impl Bucket {
    pub(in crate::media) fn new(settings: &config::S3) -> Result<Self, object_store::Error> {
        let retry = RetryConfig {
            max_retries: RETRIES_MAX,
            retry_timeout: Duration::from_secs(RETRY_SECS_MAX),
            ..RetryConfig::default()
        };
        let mut builder = AmazonS3Builder::new()
            .with_http_connector(BucketClient)
            .with_bucket_name(&settings.bucket)
            .with_region(&settings.region)
            .with_retry(retry)
            .with_allow_http(true);
        if !settings.endpoint.is_empty() {
            builder = builder.with_endpoint(settings.endpoint.trim_end_matches('/'));
        }
        if !settings.access_key.is_empty() {
            builder =
                builder.with_access_key_id(&settings.access_key).with_secret_access_key(&settings.secret_key);
        }
        Ok(Self { store: builder.build()?, prefix: settings.prefix.clone(), sizes: Cache::new(SIZES_MAX) })
    }

    /// Whether the bucket can be read, for the log of a start.
    pub(in crate::media) async fn try_out(&self) -> io::Result<()> {
        match self.store.head(&Key::from(format!("{}none", self.prefix))).await {
            Ok(_) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(failed(error)),
        }
    }

    pub(super) async fn put(&self, parcel: &Parcel) -> Result<(), PutError> {
        let original = parcel.parts.last().expect("an upload has an original");
        match self.store.head(&self.key(parcel.sdkappid, parcel.id, *original)).await {
            Ok(_) => return Err(PutError::Taken),
            Err(object_store::Error::NotFound { .. }) => {}
            Err(error) => return Err(failed(error).into()),
        }
        // The original comes last. A server that dies before leaves thumbnails that no address leads to.
        for part in &parcel.parts {
            let key = self.key(parcel.sdkappid, parcel.id, *part);
            self.put_file(&key, &parcel.folder.join(part.to_string())).await?;
        }
        Ok(())
    }

    async fn put_file(&self, key: &Key, path: &Path) -> io::Result<()> {
        let mut file = tokio::fs::File::open(path).await?;
        let first = piece(&mut file).await?;
        if first.len() < PIECE_BYTES {
            return self.store.put(key, PutPayload::from(first)).await.map(drop).map_err(failed);
        }
        let mut upload = self.store.put_multipart(key).await.map_err(failed)?;
        let sent = send_pieces(&mut *upload, file, first).await;
        if sent.is_err()
            && let Err(error) = upload.abort().await
        {
            tracing::warn!(%error, "pieces of an upload stay in the bucket until its rules remove them");
        }
        sent
    }

    pub(super) async fn size(&self, file: &Locator) -> io::Result<Option<u64>> {
        if let Some(size) = self.sizes.get(file) {
            return Ok(Some(size));
        }
        match self.store.head(&self.key(file.sdkappid, file.id, file.part)).await {
            Ok(found) => {
                self.sizes.insert(*file, found.size);
                Ok(Some(found.size))
            }
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(failed(error)),
        }
    }

    pub(super) async fn read(
        &self,
        file: &Locator,
        range: Range<u64>,
    ) -> io::Result<BoxStream<'static, io::Result<Bytes>>> {
        let options = GetOptions { range: Some(GetRange::Bounded(range)), ..GetOptions::default() };
        let got = self.store.get_opts(&self.key(file.sdkappid, file.id, file.part), options).await;
        let got = got.map_err(|error| {
            // Somebody has removed it since its size was asked for.
            self.sizes.remove(file);
            failed(error)
        })?;
        let chunks = stream::try_unfold(got.into_stream(), |mut chunks| async move {
            match timeout(Duration::from_secs(STALL_SECS_MAX), chunks.next()).await {
                Ok(Some(chunk)) => Ok(Some((chunk.map_err(failed)?, chunks))),
                Ok(None) => Ok(None),
                Err(_) => Err(io::ErrorKind::TimedOut.into()),
            }
        });
        Ok(chunks.boxed())
    }

    fn key(&self, sdkappid: u32, id: MediaId, part: Part) -> Key {
        Key::from(format!("{}{sdkappid}/{id}/{part}", self.prefix))
    }
}

async fn send_pieces(
    upload: &mut dyn MultipartUpload,
    mut file: tokio::fs::File,
    first: Bytes,
) -> io::Result<()> {
    let mut next = first;
    while !next.is_empty() {
        upload.put_part(PutPayload::from(next)).await.map_err(failed)?;
        next = piece(&mut file).await?;
    }
    upload.complete().await.map(drop).map_err(failed)
}

/// The next piece of a file; all but the last are of full size.
async fn piece(file: &mut tokio::fs::File) -> io::Result<Bytes> {
    let mut bytes = Vec::new();
    file.take(PIECE_BYTES as u64).read_to_end(&mut bytes).await?;
    Ok(Bytes::from(bytes))
}

fn failed(error: object_store::Error) -> io::Error {
    io::Error::other(error)
}
