//! Who is calling: UserSigs against the apps' keys.

use crate::apps::{App, Apps};
use chat::port::{Clock, Store};
use chat::{Chat, UserId};
use protocol::usersig::{self, Claims, Presented};
use protocol::{ErrorCode, Failure};
use quick_cache::Equivalent;
use quick_cache::sync::Cache;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// UserSigs that are remembered as good. Backends use one for hours, so a few thousand serve many.
const REMEMBERED_MAX: usize = 4_096;
/// For so long a UserSig counts as not revoked without another look. Word of a revocation comes at once; this is for
/// the word that was lost.
const REMEMBERED_SECS: u64 = 10;
/// As far as the clock of an app's backend may be ahead. A UserSig from the future would survive its revocation.
const AHEAD_SECS_MAX: u64 = 600;

pub struct Credentials {
    apps: Arc<Apps>,
    clock: Arc<dyn Clock>,
    store: Arc<dyn Store>,
    /// Rises whenever a UserSig may have been revoked.
    revocations: Arc<AtomicU64>,
    /// From what was presented to when it expires. Only the signature check is saved: the text is the same to the
    /// last byte, and expiry is looked at every time.
    good: Cache<Good, Known>,
}

/// What a good UserSig was found to be.
#[derive(Debug, Clone, Copy)]
struct Known {
    issued_s: u64,
    expires_at_s: u64,
    checked_s: u64,
    age: Age,
}

/// What a conclusion about a UserSig rests on. In another one, it has to be drawn anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Age {
    /// Of the apps: the key may be none any more.
    generation: u64,
    revocations: u64,
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
    /// When the UserSig was made.
    pub issued_s: u64,
    pub expires_at_s: u64,
}

impl Credentials {
    pub fn new(apps: Arc<Apps>, chat: &Chat, revocations: Arc<AtomicU64>) -> Self {
        let (clock, store) = (Arc::clone(&chat.clock), Arc::clone(&chat.store));
        Self { apps, clock, store, revocations, good: Cache::new(REMEMBERED_MAX) }
    }

    /// Checks in the documented order: present, decodes, app, its own app, its own user, signature, expiry, revoked.
    pub async fn check(&self, sdkappid: u32, identifier: &str, usersig: &str) -> Result<Caller, Failure> {
        let now_s = self.clock.now_ms() / 1000;
        // Before anything is looked at: what changes meanwhile makes the conclusion old.
        let age =
            Age { generation: self.apps.generation(), revocations: self.revocations.load(Ordering::Acquire) };
        let asked = Asked { sdkappid, identifier, usersig };
        if let Some(app) = self.apps.get(sdkappid)
            && let Some(known) = self.good.get(&asked)
            && known.age == age
            && now_s.abs_diff(known.checked_s) < REMEMBERED_SECS
        {
            if known.expires_at_s <= now_s {
                return Err(ErrorCode::UserSigExpired.into());
            }
            let user = UserId::new(identifier).ok_or(ErrorCode::UserSigIllegal)?;
            return Ok(Caller { app, user, issued_s: known.issued_s, expires_at_s: known.expires_at_s });
        }
        let (app, claims) = self.verify(&asked, now_s)?;
        let user = UserId::new(identifier).ok_or(ErrorCode::UserSigIllegal)?;
        let issued_s = claims.time_s;
        if issued_s > now_s.saturating_add(AHEAD_SECS_MAX) {
            return Err(
                ErrorCode::UserSigIllegal.with("the UserSig is dated in the future: look at the clocks")
            );
        }
        let revoked_s = self.store.revoked_s(app.id, user).await.map_err(|error| {
            tracing::error!(%error, "whether a UserSig was revoked cannot be read");
            Failure::from(ErrorCode::Internal)
        })?;
        if issued_s <= revoked_s {
            return Err(ErrorCode::UserSigRevoked.into());
        }
        let good = Good { sdkappid, identifier: identifier.to_owned(), usersig: usersig.to_owned() };
        let expires_at_s = claims.expires_at_s();
        self.good.insert(good, Known { issued_s, expires_at_s, checked_s: now_s, age });
        Ok(Caller { app, user, issued_s, expires_at_s })
    }

    fn verify(&self, asked: &Asked<'_>, now_s: u64) -> Result<(Arc<App>, Claims), Failure> {
        let Asked { sdkappid, identifier, usersig } = *asked;
        let app = self.apps.get(sdkappid);
        let presented = Presented { sdkappid, identifier, now_s };
        let keys = app.as_ref().map_or(&[][..], |app| &app.keys[..]);
        let checked = usersig::verify(usersig, &presented, keys);
        match (checked, app) {
            (Err(code @ (ErrorCode::UserSigMissing | ErrorCode::UserSigIllegal)), _) => Err(code.into()),
            (_, None) => Err(ErrorCode::AppNotFound.into()),
            (checked, Some(app)) => Ok((app, checked?)),
        }
    }

    /// The app as it is declared now. A caller that stays has to ask again.
    pub fn app(&self, sdkappid: u32) -> Option<Arc<App>> {
        self.apps.get(sdkappid)
    }

    /// A caller of REST.
    pub async fn check_admin(
        &self,
        sdkappid: u32,
        identifier: &str,
        usersig: &str,
    ) -> Result<Caller, Failure> {
        let caller = self.check(sdkappid, identifier, usersig).await?;
        if caller.app.is_admin(&caller.user) { Ok(caller) } else { Err(ErrorCode::NotAdmin.into()) }
    }
}
