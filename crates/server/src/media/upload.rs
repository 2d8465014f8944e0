//! Takes an upload: ticket, room, bytes, a look at them, and only then a place among the files.
//!
//! Until the last step everything is in a folder of its own, which disappears with the upload. The last two steps are
//! gone to the end even when the device hangs up: between them it cannot know what has become of its file.

use super::incoming::Place;
use super::locator::{Locator, Part, Variant};
use super::picture::{self, Picture, Unreadable};
use super::serve::open_to_all;
use super::shelf::{Parcel, PutError};
use super::ticket::Ticket;
use super::{Format, Media, check_size, format, url};
use crate::causes::chain;
use axum::body::Body;
use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, Request, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http_body_util::BodyExt;
use metrics::counter;
use protocol::client::{ImageSize, MediaKind, Uploaded, UploadedImage, refuse_upload};
use protocol::{ErrorCode, Failure};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncWriteExt, BufWriter};
use tokio::time::timeout;

/// A device may go without a word for so long: through a tunnel, and not for ever.
const PAUSE_SECS_MAX: u64 = 30;
/// Whoever is slower than this, beyond half a minute, only holds a place.
const BYTES_PER_SEC_MIN: u64 = 8 * 1024;
const WRITE_BUFFER_BYTES: usize = 128 * 1024;
/// How much of an upload that is refused is read, and how long. A device hears no answer while it still sends.
const DROPPED_BYTES_MAX: u64 = 32 * 1024 * 1024;
const DROPPED_SECS_MAX: u64 = 20;
/// What the bytes are called until it is known what they are.
const COMING: &str = "coming";

pub(super) async fn upload(State(media): State<Arc<Media>>, request: Request<Body>) -> Response {
    let (head, mut body) = request.into_parts();
    let mut response = match head.method {
        Method::OPTIONS => StatusCode::NO_CONTENT.into_response(),
        Method::POST => {
            let (kind, taken) = media.take(&head, &mut body).await;
            if taken.as_ref().is_err_and(|failure| is_worth_hearing(failure, &head)) {
                drop_rest(body).await;
            }
            let result = taken.as_ref().map_or_else(|failure| result_label(failure.code), |_| "Ok");
            let kind = kind.map_or("none", MediaKind::name);
            counter!("couplet_media_uploads_total", "kind" => kind, "result" => result).increment(1);
            answer(&taken)
        }
        _ => {
            let mut response = StatusCode::METHOD_NOT_ALLOWED.into_response();
            response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST, OPTIONS"));
            response
        }
    };
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    open_to_all(response.headers_mut(), "POST");
    response
}

impl Media {
    /// The answer's body, with the kind of file as far as it is known.
    async fn take(
        self: &Arc<Self>,
        head: &Parts,
        body: &mut Body,
    ) -> (Option<MediaKind>, Result<Bytes, Failure>) {
        let token = url::value(head.uri.query().unwrap_or_default(), "token").unwrap_or_default();
        let Some(ticket) = Ticket::check(&token, &self.secret, self.now_s()) else {
            return (None, Err(ErrorCode::UploadRefused.into()));
        };
        let kind = ticket.kind;
        (Some(kind), self.take_with(ticket, head, body).await)
    }

    async fn take_with(
        self: &Arc<Self>,
        ticket: Ticket,
        head: &Parts,
        body: &mut Body,
    ) -> Result<Bytes, Failure> {
        // The settings may have changed since the ticket was made.
        check_size(ticket.kind, ticket.size, self.settings.bytes_max(ticket.kind))?;
        check_length(head, ticket.size)?;
        let base = self.base(head).ok_or_else(|| ErrorCode::BadUrl.with("Host is missing or not valid"))?;
        let place = self.incoming.place(&ticket, self.now_s())?;
        let folder = self.incoming.folder().map_err(unavailable)?;
        let secs_max = PAUSE_SECS_MAX + ticket.size / BYTES_PER_SEC_MIN;
        let path = folder.path().join(COMING);
        let receiving = self.receive(&ticket, body, &path);
        let received = timeout(Duration::from_secs(secs_max), receiving).await;
        let format = received.unwrap_or_else(|_| Err(ErrorCode::UploadTooSlow.into()))?;
        let arrived = Arrived { ticket, format, folder, place };
        let (media, finishing) = (Arc::clone(self), self.tasks.clone());
        match finishing.spawn(async move { media.finish(arrived, &base).await }).await {
            Ok(finished) => finished,
            Err(stopped) => std::panic::resume_unwind(stopped.into_panic()),
        }
    }

    /// Writes the bytes down, exactly as many as were said. Stops at the first that cannot be right.
    async fn receive(&self, ticket: &Ticket, body: &mut Body, path: &Path) -> Result<Format, Failure> {
        let file = tokio::fs::File::create_new(path).await.map_err(unavailable)?;
        let mut file = BufWriter::with_capacity(WRITE_BUFFER_BYTES, file);
        let (mut beginning, mut format) = (Vec::new(), None);
        let mut received = 0;
        while let Some(chunk) = next_chunk(body).await? {
            received += chunk.len() as u64;
            if received > ticket.size {
                return Err(ErrorCode::FileTooLarge.with(format!("{} bytes were said", ticket.size)));
            }
            if format.is_none() {
                let missing = format::HEAD_BYTES - beginning.len();
                beginning.extend_from_slice(&chunk[..missing.min(chunk.len())]);
                if beginning.len() == format::HEAD_BYTES {
                    format = Some(self.judge(ticket.kind, &beginning)?);
                }
            }
            file.write_all(&chunk).await.map_err(unavailable)?;
        }
        if received < ticket.size {
            return Err(ErrorCode::UploadShort.with(format!("{received} of {} bytes came", ticket.size)));
        }
        file.flush().await.map_err(unavailable)?;
        format.map_or_else(|| self.judge(ticket.kind, &beginning), Ok)
    }

    fn judge(&self, kind: MediaKind, beginning: &[u8]) -> Result<Format, Failure> {
        self.check_type(kind, Format::sniff(kind, beginning))
    }

    /// Looks at what has arrived, puts it in its place and says where that is.
    async fn finish(&self, arrived: Arrived, base: &str) -> Result<Bytes, Failure> {
        let Arrived { ticket, format, folder, place } = arrived;
        let original = Part { variant: Variant::Original, format };
        let path = folder.path().join(original.to_string());
        tokio::fs::rename(folder.path().join(COMING), &path).await.map_err(unavailable)?;
        let picture = match ticket.kind {
            MediaKind::Image => Some(self.picture(&path, format).await?),
            MediaKind::Sound | MediaKind::Video | MediaKind::File => None,
        };
        let mut parts = Vec::new();
        for thumbnail in picture.iter().flat_map(|picture| &picture.thumbnails) {
            let part = Part { variant: thumbnail.variant, format: thumbnail.format };
            let written = tokio::fs::write(folder.path().join(part.to_string()), &thumbnail.bytes);
            written.await.map_err(unavailable)?;
            parts.push(part);
        }
        parts.push(original);
        let (sdkappid, id) = (ticket.sdkappid, ticket.id);
        let parcel = Parcel { sdkappid, id, folder: folder.path().to_owned(), parts };
        self.shelf.put(parcel).await.map_err(|error| match error {
            PutError::Taken => ErrorCode::UploadRefused.with("this upload is done already"),
            PutError::Io(error) => unavailable(error),
        })?;
        place.keep();
        let stored = counter!("couplet_media_stored_bytes_total", "sdkappid" => sdkappid.to_string());
        let thumbnails = picture.iter().flat_map(|picture| &picture.thumbnails);
        stored.increment(ticket.size + thumbnails.map(|thumbnail| thumbnail.bytes.len() as u64).sum::<u64>());
        Ok(self.describe(base, &ticket, format, picture.as_ref()))
    }

    async fn picture(&self, path: &Path, format: Format) -> Result<Picture, Failure> {
        let permit = Arc::clone(&self.works).acquire_owned().await.expect("the semaphore is never closed");
        let (path, pixels_max) = (path.to_owned(), self.settings.image_pixels_max);
        let looking = self.tasks.spawn_blocking(move || {
            let _held = permit;
            picture::look_at(&path, format, pixels_max)
        });
        match looking.await {
            Ok(Ok(picture)) => Ok(picture),
            Ok(Err(Unreadable::Io(error))) => Err(unavailable(error)),
            Ok(Err(unreadable)) => Err(ErrorCode::ImageUnreadable.with(unreadable.to_string())),
            Err(panicked) => {
                tracing::error!(%panicked, "an image was too much for its decoder");
                Err(ErrorCode::ImageUnreadable.into())
            }
        }
    }

    fn describe(&self, base: &str, ticket: &Ticket, format: Format, picture: Option<&Picture>) -> Bytes {
        let address = |variant, format, name: &str| {
            let part = Part { variant, format };
            let file = Locator { sdkappid: ticket.sdkappid, id: ticket.id, part };
            self.url(base, &file, name)
        };
        let original = address(Variant::Original, format, &ticket.name);
        let thumbnails = picture.iter().flat_map(|picture| &picture.thumbnails);
        let made: Vec<_> = thumbnails
            .map(|thumbnail| {
                let (variant, format) = (thumbnail.variant, thumbnail.format);
                let name = format!("{}.{}", variant.name(), format.extension());
                (address(variant, format, &name), thumbnail)
            })
            .collect();
        let image = picture.map(|picture| {
            let itself = |size_type| ImageSize {
                size_type,
                url: &original,
                size: ticket.size,
                width: picture.width,
                height: picture.height,
            };
            let smaller = |size_type, variant| {
                // Where it would be no smaller, the next larger one stands in.
                let found = made.iter().rev().find(|(_, made)| made.variant == variant);
                let found = found.or_else(|| made.first().filter(|_| variant == Variant::Small));
                found.map_or_else(
                    || itself(size_type),
                    |(url, made)| ImageSize {
                        size_type,
                        url,
                        size: made.bytes.len() as u64,
                        width: made.width,
                        height: made.height,
                    },
                )
            };
            let sizes = vec![itself(1), smaller(2, Variant::Large), smaller(3, Variant::Small)];
            UploadedImage { image_format: format.image_format(), sizes }
        });
        let uuid = ticket.id.to_string();
        let extension = format.extension();
        let mut out = Vec::new();
        Uploaded { uuid: &uuid, url: &original, size: ticket.size, format: extension, image }.write(&mut out);
        Bytes::from(out)
    }
}

/// All bytes of an upload, still in its own folder.
struct Arrived {
    ticket: Ticket,
    format: Format,
    folder: TempDir,
    place: Place,
}

/// What the head says of the body's length; a body in chunks says nothing, and is counted.
fn check_length(head: &Parts, size: u64) -> Result<(), Failure> {
    let length = head.headers.get(header::CONTENT_LENGTH);
    match length.and_then(|length| length.to_str().ok()?.parse::<u64>().ok()) {
        Some(length) if length > size => {
            Err(ErrorCode::FileTooLarge.with(format!("{length} bytes come, and {size} were said")))
        }
        Some(length) if length < size => {
            Err(ErrorCode::UploadShort.with(format!("{length} bytes come, and {size} were said")))
        }
        _ => Ok(()),
    }
}

/// The next bytes; `None` at the end.
async fn next_chunk(body: &mut Body) -> Result<Option<Bytes>, Failure> {
    loop {
        let frame = timeout(Duration::from_secs(PAUSE_SECS_MAX), body.frame()).await;
        match frame.map_err(|_| ErrorCode::UploadTooSlow)? {
            None => return Ok(None),
            Some(Ok(frame)) => {
                // Trailers are of no interest.
                if let Ok(chunk) = frame.into_data() {
                    return Ok(Some(chunk));
                }
            }
            // The device went away: nobody reads this.
            Some(Err(_)) => return Err(ErrorCode::UploadShort.into()),
        }
    }
}

/// Whether a device that was refused may still be sending. One that waits for leave to send has not begun.
fn is_worth_hearing(failure: &Failure, head: &Parts) -> bool {
    failure.code != ErrorCode::UploadTooSlow.number() && !head.headers.contains_key(header::EXPECT)
}

async fn drop_rest(mut body: Body) {
    let dropping = async {
        let mut dropped = 0;
        while let Ok(Some(chunk)) = next_chunk(&mut body).await {
            dropped += chunk.len() as u64;
            if dropped > DROPPED_BYTES_MAX {
                return;
            }
        }
    };
    // In time or not, the answer follows.
    let _late = timeout(Duration::from_secs(DROPPED_SECS_MAX), dropping).await;
}

fn answer(taken: &Result<Bytes, Failure>) -> Response {
    let mut response = match taken {
        Ok(body) => body.clone().into_response(),
        Err(failure) => {
            let mut body = Vec::new();
            refuse_upload(failure, &mut body);
            let code = ErrorCode::from_number(failure.code).unwrap_or(ErrorCode::Internal);
            (status(code), body).into_response()
        }
    };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn status(code: ErrorCode) -> StatusCode {
    match code {
        ErrorCode::FileTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        ErrorCode::MediaTypeRefused => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        ErrorCode::ImageUnreadable => StatusCode::UNPROCESSABLE_ENTITY,
        ErrorCode::UploadRefused => StatusCode::FORBIDDEN,
        ErrorCode::UploadTooSlow => StatusCode::REQUEST_TIMEOUT,
        ErrorCode::UploadsBusy | ErrorCode::Internal => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::BAD_REQUEST,
    }
}

fn result_label(code: u32) -> &'static str {
    ErrorCode::from_number(code).map_or("Internal", ErrorCode::name)
}

#[expect(clippy::needless_pass_by_value, reason = "the signature that map_err wants")]
fn unavailable(error: io::Error) -> Failure {
    tracing::error!(error = chain(&error), "an upload cannot be kept");
    ErrorCode::Internal.into()
}
