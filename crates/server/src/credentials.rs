//! Who is calling: UserSigs against the apps' keys.

use crate::apps::{App, Apps};
use chat::UserId;
use chat::port::Clock;
use protocol::usersig::{self, Presented};
use protocol::{ErrorCode, Failure};
use quick_cache::Equivalent;
use quick_cache::sync::Cache;
use std::sync::Arc;

/// UserSigs that are remembered as good. Backends use one for hours, so a few thousand serve many.
const REMEMBERED_MAX: usize = 4_096;

pub struct Credentials {
    apps: Arc<Apps>,
    clock: Arc<dyn Clock>,
    /// From what was presented to when it expires. Only the signature check is saved: the text is the same to the
    /// last byte, and expiry is looked at every time.
    good: Cache<Good, Known>,
}

/// What a good UserSig was found to be.
#[derive(Debug, Clone, Copy)]
struct Known {
    expires_at_s: u64,
    /// Of the apps. Its key may be none any more in a later one.
    generation: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Good {
    sdkappid: u32,
    identifier: String,
    usersig: String,
}

/// The same, borrowed; hashes alike because its fields come in the same order.
#[derive(Hash)]
struct Asked<'a> {
    sdkappid: u32,
    identifier: &'a str,
    usersig: &'a str,
}

impl Equivalent<Good> for Asked<'_> {
    fn equivalent(&self, good: &Good) -> bool {
        self.sdkappid == good.sdkappid && self.identifier == good.identifier && self.usersig == good.usersig
    }
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").finish_non_exhaustive()
    }
}

/// A caller whose UserSig is good.
#[derive(Debug, Clone)]
pub struct Caller {
    pub app: Arc<App>,
    pub user: UserId,
}

impl Credentials {
    pub fn new(apps: Arc<Apps>, clock: Arc<dyn Clock>) -> Self {
        Self { apps, clock, good: Cache::new(REMEMBERED_MAX) }
    }

    /// Checks in the documented order: present, decodes, app, its own app, its own user, signature, expiry.
    pub fn check(&self, sdkappid: u32, identifier: &str, usersig: &str) -> Result<Caller, Failure> {
        let now_s = self.clock.now_ms() / 1000;
        let generation = self.apps.generation();
        let app = self.apps.get(sdkappid);
        let asked = Asked { sdkappid, identifier, usersig };
        let expires_at_s = match (self.good.get(&asked), &app) {
            (Some(known), Some(_)) if known.generation == generation => known.expires_at_s,
            _ => {
                let presented = Presented { sdkappid, identifier, now_s };
                let keys = app.as_ref().map_or(&[][..], |app| &app.keys[..]);
                let claims = match usersig::verify(usersig, &presented, keys) {
                    Err(code @ (ErrorCode::UserSigMissing | ErrorCode::UserSigIllegal)) => {
                        return Err(code.into());
                    }
                    _ if app.is_none() => return Err(ErrorCode::AppNotFound.into()),
                    checked => checked?,
                };
                let expires_at_s = claims.expires_at_s();
                let good = Good { sdkappid, identifier: identifier.to_owned(), usersig: usersig.to_owned() };
                self.good.insert(good, Known { expires_at_s, generation });
                expires_at_s
            }
        };
        if expires_at_s <= now_s {
            return Err(ErrorCode::UserSigExpired.into());
        }
        let user = UserId::new(identifier).ok_or(ErrorCode::UserSigIllegal)?;
        let app = app.ok_or(ErrorCode::AppNotFound)?;
        Ok(Caller { app, user })
    }

    /// The app as it is declared now. A caller that stays has to ask again.
    pub fn app(&self, sdkappid: u32) -> Option<Arc<App>> {
        self.apps.get(sdkappid)
    }

    /// A caller of REST.
    pub fn check_admin(&self, sdkappid: u32, identifier: &str, usersig: &str) -> Result<Caller, Failure> {
        let caller = self.check(sdkappid, identifier, usersig)?;
        if caller.app.is_admin(&caller.user) { Ok(caller) } else { Err(ErrorCode::NotAdmin.into()) }
    }
}
