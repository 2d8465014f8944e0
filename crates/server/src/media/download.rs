//! The body of a file that is being served, and its share of `media.downloads_max`.
//!
//! A task of its own reads ahead by one piece and gives up on readers who take nothing. The body itself could not: it is
//! only asked for more when there is room for it.

use axum::body::Body;
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::timeout;
use tokio_util::task::TaskTracker;

/// A reader may take nothing for so long.
const STALL: Duration = Duration::from_secs(30);

type Chunks = BoxStream<'static, io::Result<Bytes>>;

/// A download's share. It is free when the body is gone, or when its reader was given up, whichever is first.
#[derive(Debug, Clone)]
struct Share(Arc<Mutex<Option<OwnedSemaphorePermit>>>);

impl Share {
    fn free(&self) {
        drop(self.0.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}

/// A body of exactly so many bytes, or one that breaks off.
pub(super) fn download(chunks: Chunks, size: u64, permit: OwnedSemaphorePermit, tasks: &TaskTracker) -> Body {
    let share = Share(Arc::new(Mutex::new(Some(permit))));
    let (sender, receiver) = channel(1);
    tasks.spawn(feed(chunks, sender, share.clone(), STALL));
    let rest = Rest { receiver, missing: size, share };
    Body::from_stream(stream::unfold(rest, |mut rest| async move {
        let chunk = rest.next().await?;
        Some((chunk, rest))
    }))
}

/// What a reader has still to take.
#[derive(Debug)]
struct Rest {
    receiver: Receiver<io::Result<Bytes>>,
    missing: u64,
    share: Share,
}

impl Rest {
    /// Ends by itself after the last byte: the feeder waits to see that.
    async fn next(&mut self) -> Option<io::Result<Bytes>> {
        if self.missing == 0 {
            return None;
        }
        let chunk = self.receiver.recv().await.unwrap_or_else(|| Err(io::ErrorKind::UnexpectedEof.into()));
        self.missing = chunk.as_ref().map_or(0, |chunk| self.missing.saturating_sub(chunk.len() as u64));
        Some(chunk)
    }
}

impl Drop for Rest {
    fn drop(&mut self) {
        self.share.free();
    }
}

async fn feed(mut chunks: Chunks, sender: Sender<io::Result<Bytes>>, share: Share, stall: Duration) {
    // Room first: while a reader takes nothing, nothing is read for them.
    while let Ok(Ok(room)) = timeout(stall, sender.reserve()).await {
        match chunks.next().await {
            Some(chunk) => {
                // Not of which file: whoever can read the log could then read the file.
                if let Err(error) = &chunk {
                    tracing::warn!(%error, "a file broke off while it was served");
                }
                room.send(chunk);
            }
            None => {
                // Only who misses something takes this.
                room.send(Err(io::ErrorKind::UnexpectedEof.into()));
                // The last pieces may not have been taken yet. In time or not, it ends here.
                let _late = timeout(stall, sender.closed()).await;
                break;
            }
        }
    }
    share.free();
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt;
    use tokio::sync::Semaphore;

    fn pieces(count: usize) -> Chunks {
        stream::iter((0..count).map(|_| Ok(Bytes::from_static(b"abc")))).boxed()
    }

    #[tokio::test]
    async fn a_reader_who_takes_nothing_is_given_up() {
        for count in [1, 3] {
            let places = Arc::new(Semaphore::new(1));
            let share = Share(Arc::new(Mutex::new(Arc::clone(&places).try_acquire_owned().ok())));
            let (sender, receiver) = channel(1);
            feed(pieces(count), sender, share.clone(), Duration::ZERO).await;
            assert_eq!(places.available_permits(), 1, "of {count}");
            let mut rest = Rest { receiver, missing: 3 * count as u64, share };
            assert_eq!(rest.next().await.unwrap().unwrap(), "abc");
            let after = rest.next().await.map(|chunk| chunk.unwrap_err().kind());
            assert_eq!(after, (count > 1).then_some(io::ErrorKind::UnexpectedEof), "of {count}");
        }
    }

    #[tokio::test]
    async fn a_share_is_held_until_the_body_is_gone() {
        let (places, tasks) = (Arc::new(Semaphore::new(2)), TaskTracker::new());
        let body = || {
            let permit = Arc::clone(&places).try_acquire_owned().unwrap();
            download(pieces(3), 9, permit, &tasks)
        };
        let (read, dropped) = (body(), body());
        assert_eq!(places.available_permits(), 0);
        drop(dropped);
        assert_eq!(places.available_permits(), 1);
        assert_eq!(read.collect().await.unwrap().to_bytes(), "abcabcabc");
        assert_eq!(places.available_permits(), 2);
        tasks.close();
        tasks.wait().await;
    }

    #[tokio::test]
    async fn a_file_that_is_shorter_breaks_off() {
        let permit = Arc::new(Semaphore::new(1)).try_acquire_owned().unwrap();
        let body = download(pieces(2), 9, permit, &TaskTracker::new());
        assert!(body.collect().await.is_err());
    }
}
