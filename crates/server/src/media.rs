//! Files that messages point to: taken from devices over HTTP, kept, and served to whoever has the address.
//!
//! A device asks over its session where to upload ([`Media::upload_to`]) and is given a signed ticket. What comes is
//! written down beside the files until it is whole, looked at, and put in its place at once. Start reading at
//! [`upload`].
//!
//! Not here: messages. They hold addresses, and nothing is known here of who was sent which.

mod format;
mod locator;
mod secret;
mod ticket;
mod upload;
mod incoming;
mod picture;
mod shelf;
mod serve;
mod download;
mod range;
mod url;

pub use format::Format;

use crate::causes::chain;
use crate::config::{self, MediaStore};
use axum::Router;
use axum::routing::any;
use chat::UserId;
use chat::port::Clock;
use incoming::{Bounds, Incoming};
use protocol::client::{MediaKind, Upload};
use protocol::{ErrorCode, Failure};
use secret::Secret;
use shelf::{Bucket, Folder, Shelf};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use ticket::Ticket;
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

/// Why files cannot be kept.
#[derive(Debug, thiserror::Error)]
pub enum MediaError {
    #[error("cannot use the folder for media {0}: {1}")]
    Folder(PathBuf, io::Error),
    #[error("cannot use the key for media {0}: {1}")]
    Key(PathBuf, io::Error),
    #[error("cannot use the bucket of [media.s3]: {0}")]
    Bucket(String),
}

pub struct Media {
    settings: config::Media,
    /// Whether the server itself speaks TLS, for the addresses that it makes.
    tls: bool,
    secret: Secret,
    incoming: Incoming,
    shelf: Arc<Shelf>,
    /// For images that are being looked at.
    works: Arc<Semaphore>,
    /// For files that are being served.
    downloads: Arc<Semaphore>,
    clock: Arc<dyn Clock>,
    tasks: TaskTracker,
}

impl std::fmt::Debug for Media {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Media").field("shelf", &self.shelf).finish_non_exhaustive()
    }
}

impl Media {
    /// Makes the folders that it needs below the data directory, and removes what broken uploads have left. `None` if
    /// the server is to take no files.
    pub fn open(
        config: &config::Config,
        clock: &Arc<dyn Clock>,
        tasks: &TaskTracker,
    ) -> Result<Option<Arc<Self>>, MediaError> {
        let (settings, tls) = (config.media.clone(), config.tls_is_on());
        if !settings.enabled {
            return Ok(None);
        }
        let root = config.data_dir.join("media");
        let bounds = Bounds {
            uploads_max: settings.uploads_max,
            user_bytes_per_day: settings.user_bytes_per_day,
            free_bytes_min: settings.free_bytes_min,
        };
        let incoming = Incoming::open(root.join("incoming"), bounds)
            .map_err(|error| MediaError::Folder(root.clone(), error))?;
        let secret = Secret::open(&root.join("key"))?;
        let shelf = Arc::new(open_shelf(&settings, &root)?);
        let works = Arc::new(Semaphore::new(settings.image_works_max));
        let downloads = Arc::new(Semaphore::new(settings.downloads_max));
        let trying = Arc::clone(&shelf);
        tasks.spawn(async move {
            if let Shelf::Bucket(bucket) = &*trying
                && let Err(error) = bucket.try_out().await
            {
                tracing::error!(error = chain(&error), "the bucket of [media.s3] cannot be read");
            }
        });
        let (clock, tasks) = (Arc::clone(clock), tasks.clone());
        Ok(Some(Arc::new(Self { settings, tls, secret, incoming, shelf, works, downloads, clock, tasks })))
    }

    /// Where this user may upload this file, and until when that has to begin.
    pub fn upload_to(
        &self,
        sdkappid: u32,
        user: UserId,
        upload: &Upload<'_>,
    ) -> Result<(String, u64), Failure> {
        let kind = upload.kind;
        check_size(kind, upload.size, self.settings.bytes_max(kind))?;
        // Only what the device says of it. It may know nothing, and what counts is what comes.
        if kind != MediaKind::File && !upload.media_type.is_empty() {
            let format = Format::of_media_type(kind, &upload.media_type);
            self.check_type(kind, format)?;
        }
        self.incoming.check((sdkappid, user), upload.size, self.now_s())?;
        let ticket = Ticket::new((sdkappid, user), upload, self.now_s());
        let ticket = ticket.map_err(|error| {
            tracing::error!(%error, "there is no randomness for an upload");
            Failure::from(ErrorCode::Internal)
        })?;
        let token = ticket.token(&self.secret);
        Ok((format!("{}/media/upload?token={token}", self.public_base()), ticket.expires_s))
    }

    fn check_type(&self, kind: MediaKind, format: Option<Format>) -> Result<Format, Failure> {
        let types = self.settings.types(kind);
        format.filter(|format| types.contains(format)).ok_or_else(|| {
            let names = types.iter().map(|format| format.extension()).collect::<Vec<_>>().join(", ");
            ErrorCode::MediaTypeRefused.with(format!("as {}, these are taken: {names}", kind.name()))
        })
    }

    /// What addresses begin with, if that is known without asking anybody.
    fn public_base(&self) -> &str {
        self.settings.public_url.trim_end_matches('/')
    }

    fn now_s(&self) -> u64 {
        self.clock.now_ms() / 1000
    }
}

pub fn routes(media: Arc<Media>) -> Router {
    let below = Router::new()
        .route("/upload", any(upload::upload))
        .route("/{sdkappid}/{file}/{name}", any(serve::serve))
        .fallback(serve::nothing)
        .with_state(media);
    Router::new().nest("/media", below)
}

fn check_size(kind: MediaKind, size: u64, bytes_max: u64) -> Result<(), Failure> {
    if size <= bytes_max {
        return Ok(());
    }
    let kind = kind.name();
    Err(ErrorCode::FileTooLarge.with(format!("{size} bytes are more than the {bytes_max} of one {kind}")))
}

fn open_shelf(settings: &config::Media, root: &Path) -> Result<Shelf, MediaError> {
    match settings.store {
        MediaStore::File => {
            let root = root.join("files");
            let folder = Folder::open(root.clone()).map_err(|error| MediaError::Folder(root, error))?;
            Ok(Shelf::Folder(folder))
        }
        MediaStore::S3 => {
            let bucket = Bucket::new(&settings.s3).map_err(|error| MediaError::Bucket(chain(&error)))?;
            Ok(Shelf::Bucket(bucket))
        }
    }
}
