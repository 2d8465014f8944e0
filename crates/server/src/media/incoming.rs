//! Uploads under way: how many there may be, and where their bytes are until they are whole.

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

type Users = FxHashMap<(u32, UserId), Vec<MediaId>>;

#[derive(Debug)]
pub(super) struct Incoming {
    folder: PathBuf,
    places: Arc<Semaphore>,
    users: Arc<Mutex<Users>>,
}

/// One upload's share of what there may be. It ends with the upload, however that ends.
#[derive(Debug)]
pub(super) struct Place {
    users: Arc<Mutex<Users>>,
    sdkappid: u32,
    user: UserId,
    id: MediaId,
    #[expect(dead_code, reason = "held, not used: the place is free when this is gone")]
    permit: OwnedSemaphorePermit,
}

impl Incoming {
    /// Empties the folder: nothing in it is part of an upload that goes on.
    pub(super) fn open(folder: PathBuf, uploads_max: usize) -> io::Result<Self> {
        match fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => fs::create_dir_all(&folder)?,
        }
        Ok(Self { folder, places: Arc::new(Semaphore::new(uploads_max)), users: Arc::default() })
    }

    /// Room for one more upload. With a ticket that is in use already there is none.
    pub(super) fn place(&self, ticket: &Ticket) -> Result<Place, Failure> {
        let (sdkappid, user, id) = (ticket.sdkappid, ticket.user, ticket.id);
        let permit = Arc::clone(&self.places).try_acquire_owned().map_err(|_| ErrorCode::UploadsBusy)?;
        {
            let mut users = self.users.lock().unwrap_or_else(PoisonError::into_inner);
            let own = users.entry((sdkappid, user)).or_default();
            if own.contains(&id) {
                return Err(ErrorCode::UploadRefused.with("this upload is under way already"));
            }
            if own.len() >= USER_UPLOADS_MAX {
                return Err(ErrorCode::UploadsBusy.into());
            }
            own.push(id);
        }
        Ok(Place { users: Arc::clone(&self.users), sdkappid, user, id, permit })
    }

    /// A folder for one upload. It is removed with all that is in it, unless it was moved away.
    pub(super) fn folder(&self) -> io::Result<TempDir> {
        tempfile::Builder::new().prefix("upload-").tempdir_in(&self.folder)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut users = self.users.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = users.get_mut(&(self.sdkappid, self.user)) {
            own.retain(|id| *id != self.id);
            if own.is_empty() {
                users.remove(&(self.sdkappid, self.user));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::client::{MediaKind, Upload};

    fn ticket(user: &str) -> Ticket {
        let upload = Upload { kind: MediaKind::File, size: 1, name: "".into(), media_type: "".into() };
        Ticket::new((14, UserId::new(user).unwrap()), &upload, 0).unwrap()
    }

    fn code(refused: Result<Place, Failure>) -> u32 {
        refused.unwrap_err().code
    }

    #[test]
    fn uploads_are_bounded_for_all_and_for_each() {
        let directory = tempfile::tempdir().unwrap();
        let incoming = Incoming::open(directory.path().join("incoming"), USER_UPLOADS_MAX + 1).unwrap();
        let first = ticket("ana");
        let mut places = vec![incoming.place(&first).unwrap()];
        assert_eq!(code(incoming.place(&first)), 11014, "one ticket, one upload");
        places.extend((1..USER_UPLOADS_MAX).map(|_| incoming.place(&ticket("ana")).unwrap()));
        assert_eq!(code(incoming.place(&ticket("ana"))), 11015);
        let other = incoming.place(&ticket("bo")).unwrap();
        assert_eq!(code(incoming.place(&ticket("cy"))), 11015);
        drop(other);
        incoming.place(&ticket("cy")).unwrap();
        places.clear();
        incoming.place(&first).unwrap();
        assert!(incoming.users.lock().unwrap().is_empty(), "nobody is remembered");
    }

    #[test]
    fn what_is_left_over_is_removed() {
        let directory = tempfile::tempdir().unwrap();
        let folder = directory.path().join("incoming");
        let left = Incoming::open(folder.clone(), 1).unwrap().folder().unwrap().keep();
        fs::write(left.join("coming"), "half").unwrap();
        let incoming = Incoming::open(folder.clone(), 1).unwrap();
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
        drop(incoming.folder().unwrap());
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
    }
}
