//! Uploads under way: how many there may be, how much they may bring, and where their bytes are until they are whole.

use super::locator::MediaId;
use super::ticket::Ticket;
use chat::UserId;
use protocol::{ErrorCode, Failure};
use rustc_hash::FxHashMap;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use tempfile::TempDir;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Of one user at the same time. A device sends the images of a message side by side; more than this fill no line.
const USER_UPLOADS_MAX: usize = 8;

const DAY_SECS: u64 = 24 * 60 * 60;

/// How much may come.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub(super) uploads_max: usize,
    /// Of one user; 0 is no bound.
    pub(super) user_bytes_per_day: u64,
    /// To be left free on the disk.
    pub(super) free_bytes_min: u64,
}

#[derive(Debug)]
pub(super) struct Incoming {
    folder: PathBuf,
    bounds: Bounds,
    places: Arc<Semaphore>,
    uploads: Arc<Mutex<Uploads>>,
}

type User = (u32, UserId);

/// What has come today, and what is coming.
#[derive(Debug, Default)]
struct Uploads {
    under_way: FxHashMap<User, Vec<MediaId>>,
    /// Of all that are under way, as if nothing of them were on the disk yet.
    coming_bytes: u64,
    /// Since 1970.
    day: u64,
    /// With what is under way, so that nobody begins more than they may finish.
    bytes_of_day: FxHashMap<User, u64>,
}

/// One upload's share of what there may be. It ends with the upload, however that ends.
#[derive(Debug)]
pub(super) struct Place {
    uploads: Arc<Mutex<Uploads>>,
    user: User,
    id: MediaId,
    size: u64,
    day: u64,
    is_kept: bool,
    #[expect(dead_code, reason = "held, not used: the place is free when this is gone")]
    permit: OwnedSemaphorePermit,
}

impl Incoming {
    /// Empties the folder: nothing in it is part of an upload that goes on.
    pub(super) fn open(folder: PathBuf, bounds: Bounds) -> io::Result<Self> {
        match fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => fs::create_dir_all(&folder)?,
        }
        let places = Arc::new(Semaphore::new(bounds.uploads_max));
        Ok(Self { folder, bounds, places, uploads: Arc::default() })
    }

    /// Whether there would be room now, for a device that asks before it begins.
    pub(super) fn check(&self, user: User, size: u64, now_s: u64) -> Result<(), Failure> {
        let free = self.free_bytes()?;
        let mut uploads = self.uploads.lock().unwrap_or_else(PoisonError::into_inner);
        uploads.check(&self.bounds, (user, size), free, now_s / DAY_SECS)
    }

    /// Room for one more upload. With a ticket that is in use already there is none.
    pub(super) fn place(&self, ticket: &Ticket, now_s: u64) -> Result<Place, Failure> {
        let (user, id, size) = ((ticket.sdkappid, ticket.user), ticket.id, ticket.size);
        let day = now_s / DAY_SECS;
        let permit = Arc::clone(&self.places).try_acquire_owned().map_err(|_| ErrorCode::UploadsBusy)?;
        let free = self.free_bytes()?;
        {
            let mut uploads = self.uploads.lock().unwrap_or_else(PoisonError::into_inner);
            uploads.check(&self.bounds, (user, size), free, day)?;
            uploads.begin(user, id, size)?;
        }
        Ok(Place { uploads: Arc::clone(&self.uploads), user, id, size, day, is_kept: false, permit })
    }

    /// What the disk has left for this process.
    fn free_bytes(&self) -> Result<u64, Failure> {
        let disk = rustix::fs::statvfs(&self.folder).map_err(|error| {
            tracing::error!(%error, "cannot ask how much space is left for uploads");
            Failure::from(ErrorCode::Internal)
        })?;
        Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
    }

    /// A folder for one upload. It is removed with all that is in it, unless it was moved away.
    pub(super) fn folder(&self) -> io::Result<TempDir> {
        tempfile::Builder::new().prefix("upload-").tempdir_in(&self.folder)
    }
}

impl Uploads {
    fn check(
        &mut self,
        bounds: &Bounds,
        (user, size): (User, u64),
        free: u64,
        day: u64,
    ) -> Result<(), Failure> {
        if self.day != day {
            self.day = day;
            self.bytes_of_day.clear();
        }
        let of_day = self.bytes_of_day.get(&user).copied().unwrap_or_default();
        if bounds.user_bytes_per_day > 0 && of_day.saturating_add(size) > bounds.user_bytes_per_day {
            return Err(ErrorCode::UploadsBusy.with("the user has uploaded too much today"));
        }
        // What is coming may be on the disk already in part. Better refused too early than a disk that is full.
        let wanted = bounds.free_bytes_min.saturating_add(self.coming_bytes).saturating_add(size);
        if bounds.free_bytes_min > 0 && free < wanted {
            tracing::warn!(free, "the disk has too little space left for an upload");
            return Err(ErrorCode::UploadsBusy.with("the server has too little space left"));
        }
        Ok(())
    }

    fn begin(&mut self, user: User, id: MediaId, size: u64) -> Result<(), Failure> {
        let own = self.under_way.entry(user).or_default();
        if own.contains(&id) {
            return Err(ErrorCode::UploadRefused.with("this upload is under way already"));
        }
        if own.len() >= USER_UPLOADS_MAX {
            return Err(ErrorCode::UploadsBusy.into());
        }
        own.push(id);
        self.coming_bytes += size;
        *self.bytes_of_day.entry(user).or_default() += size;
        Ok(())
    }

    fn end(&mut self, place: &Place) {
        if let Some(own) = self.under_way.get_mut(&place.user) {
            own.retain(|id| *id != place.id);
            if own.is_empty() {
                self.under_way.remove(&place.user);
            }
        }
        self.coming_bytes -= place.size;
        // What was begun yesterday is not in today's sum, and a clock that was set back has emptied it.
        if !place.is_kept
            && place.day == self.day
            && let Some(bytes) = self.bytes_of_day.get_mut(&place.user)
        {
            *bytes = bytes.saturating_sub(place.size);
            if *bytes == 0 {
                self.bytes_of_day.remove(&place.user);
            }
        }
    }
}

impl Place {
    /// Ends it with the file kept: its bytes count for the day.
    pub(super) fn keep(mut self) {
        self.is_kept = true;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let uploads = Arc::clone(&self.uploads);
        uploads.lock().unwrap_or_else(PoisonError::into_inner).end(self);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::client::{MediaKind, Upload};
    use std::path::Path;

    const BOUNDS: Bounds = Bounds { uploads_max: 1, user_bytes_per_day: 0, free_bytes_min: 0 };

    fn ticket(user: &str) -> Ticket {
        ticket_for(user, 1)
    }

    fn ticket_for(user: &str, size: u64) -> Ticket {
        let upload = Upload { kind: MediaKind::File, size, name: "".into(), media_type: "".into() };
        Ticket::new((14, UserId::new(user).unwrap()), &upload, 0).unwrap()
    }

    fn incoming(directory: &Path, bounds: Bounds) -> Incoming {
        Incoming::open(directory.join("incoming"), bounds).unwrap()
    }

    fn code(refused: Result<Place, Failure>) -> u32 {
        refused.unwrap_err().code
    }

    #[test]
    fn uploads_are_bounded_for_all_and_for_each() {
        let directory = tempfile::tempdir().unwrap();
        let incoming = incoming(directory.path(), Bounds { uploads_max: USER_UPLOADS_MAX + 1, ..BOUNDS });
        let first = ticket("ana");
        let mut places = vec![incoming.place(&first, 0).unwrap()];
        assert_eq!(code(incoming.place(&first, 0)), 11014, "one ticket, one upload");
        places.extend((1..USER_UPLOADS_MAX).map(|_| incoming.place(&ticket("ana"), 0).unwrap()));
        assert_eq!(code(incoming.place(&ticket("ana"), 0)), 11015);
        let other = incoming.place(&ticket("bo"), 0).unwrap();
        assert_eq!(code(incoming.place(&ticket("cy"), 0)), 11015);
        drop(other);
        incoming.place(&ticket("cy"), 0).unwrap();
        places.clear();
        incoming.place(&first, 0).unwrap();
        let uploads = incoming.uploads.lock().unwrap();
        assert!(uploads.under_way.is_empty() && uploads.bytes_of_day.is_empty(), "nobody is remembered");
        assert_eq!(uploads.coming_bytes, 0);
    }

    #[test]
    fn bytes_of_a_user_are_bounded_each_day() {
        let directory = tempfile::tempdir().unwrap();
        let bounds = Bounds { uploads_max: 9, user_bytes_per_day: 100, ..BOUNDS };
        let incoming = incoming(directory.path(), bounds);
        let place = |user, size, now_s| incoming.place(&ticket_for(user, size), now_s);
        place("ana", 60, 0).unwrap().keep();
        let coming = place("ana", 40, 0).unwrap();
        assert_eq!(code(place("ana", 1, 0)), 11015, "what is coming counts");
        let asked = incoming.check((14, UserId::new("ana").unwrap()), 1, 0);
        assert_eq!(asked.unwrap_err().code, 11015);
        drop(coming);
        place("bo", 100, 0).unwrap().keep();
        drop(place("ana", 40, DAY_SECS - 1).unwrap());
        place("ana", 40, DAY_SECS - 1).unwrap().keep();
        assert_eq!(code(place("ana", 1, DAY_SECS - 1)), 11015, "what was kept counts");
        let tomorrow = place("ana", 100, DAY_SECS).unwrap();
        assert_eq!(code(place("ana", 1, DAY_SECS)), 11015);
        drop(tomorrow);
    }

    #[test]
    fn what_began_yesterday_is_not_taken_off_today() {
        let directory = tempfile::tempdir().unwrap();
        let bounds = Bounds { uploads_max: 9, user_bytes_per_day: 100, ..BOUNDS };
        let incoming = incoming(directory.path(), bounds);
        let yesterday = incoming.place(&ticket_for("ana", 60), 0).unwrap();
        incoming.place(&ticket_for("ana", 60), DAY_SECS).unwrap().keep();
        drop(yesterday);
        assert_eq!(code(incoming.place(&ticket_for("ana", 60), DAY_SECS)), 11015);
    }

    #[test]
    fn the_disk_is_not_filled() {
        let bounds = Bounds { free_bytes_min: 1_000, ..BOUNDS };
        let ana = (14, UserId::new("ana").unwrap());
        let mut uploads = Uploads::default();
        uploads.check(&bounds, (ana, 60), 1_060, 0).unwrap();
        assert_eq!(uploads.check(&bounds, (ana, 61), 1_060, 0).unwrap_err().code, 11015);
        uploads.begin(ana, ticket("ana").id, 60).unwrap();
        assert_eq!(uploads.check(&bounds, (ana, 1), 1_060, 0).unwrap_err().code, 11015, "room for both");
        uploads.check(&BOUNDS, (ana, 61), 0, 0).unwrap();

        let directory = tempfile::tempdir().unwrap();
        let incoming = incoming(directory.path(), Bounds { free_bytes_min: u64::MAX, ..BOUNDS });
        assert_eq!(code(incoming.place(&ticket("ana"), 0)), 11015, "no disk is as large");
    }

    #[test]
    fn what_is_left_over_is_removed() {
        let directory = tempfile::tempdir().unwrap();
        let folder = directory.path().join("incoming");
        let left = Incoming::open(folder.clone(), BOUNDS).unwrap().folder().unwrap().keep();
        fs::write(left.join("coming"), "half").unwrap();
        let incoming = Incoming::open(folder.clone(), BOUNDS).unwrap();
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
        drop(incoming.folder().unwrap());
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
    }
}
