//! Who may call: whoever presents the UserSig of an admin of the app.

use super::EventApi;
use super::refusal::Refused;
use crate::apps::App;
use crate::credentials::{Caller, Credentials};
use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use chat::AppId;
use protocol::{ErrorCode, Failure, usersig};
use std::sync::Arc;

/// A caller who may call, and what it was proved with.
pub(super) struct Access {
    pub(super) caller: Caller,
    /// The names in the path behind the app, decoded.
    path: Vec<(String, String)>,
    credentials: Arc<Credentials>,
    proof: Proof,
}

struct Proof {
    sdkappid: u32,
    identifier: String,
    usersig: String,
}

// Without the UserSig.
impl std::fmt::Debug for Access {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Access").field("caller", &self.caller).finish_non_exhaustive()
    }
}

impl FromRequestParts<Arc<EventApi>> for Access {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<EventApi>) -> Result<Self, Refused> {
        // A path that is not UTF-8 names nothing.
        let path =
            RawPathParams::from_request_parts(parts, api).await.map_err(|_| Refused::unknown_path())?;
        let path: Vec<(String, String)> =
            path.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let named = path.iter().find(|(name, _)| name == "sdkappid");
        let proof =
            proof(named.and_then(|(_, id)| id.parse().ok()), &parts.headers).map_err(Refused::access)?;
        let credentials = Arc::clone(&api.credentials);
        let caller = proof.check(&credentials).await.map_err(Refused::access)?;
        Ok(Self { caller, path, credentials, proof })
    }
}

impl Access {
    pub(super) fn app(&self) -> &App {
        &self.caller.app
    }

    pub(super) fn app_id(&self) -> AppId {
        self.caller.app.id
    }

    /// A name in the path.
    pub(super) fn named(&self, name: &str) -> &str {
        let found = self.path.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str()).expect("a handler asks for names of its own path")
    }

    /// Whether the caller may still be here: UserSigs expire, and apps and admins go.
    pub(super) async fn still_holds(&self) -> bool {
        self.proof.check(&self.credentials).await.is_ok()
    }
}

impl Proof {
    async fn check(&self, credentials: &Credentials) -> Result<Caller, Failure> {
        credentials.check_admin(self.sdkappid, &self.identifier, &self.usersig).await
    }
}

/// What a request presents. Who it says to be, the UserSig says itself; it is believed after the check.
fn proof(sdkappid: Option<u32>, headers: &HeaderMap) -> Result<Proof, Failure> {
    let presented = headers.get(AUTHORIZATION).ok_or(ErrorCode::UserSigMissing)?;
    let presented = presented.to_str().map_err(|_| ErrorCode::UserSigIllegal)?;
    let (scheme, usersig) = presented.trim().split_once(' ').ok_or(ErrorCode::UserSigMissing)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(ErrorCode::UserSigMissing.with("the Authorization header must be Bearer and a UserSig"));
    }
    let usersig = usersig.trim().to_owned();
    let identifier = usersig::decode(&usersig)?.identifier;
    // Whoever cannot prove anything need not learn which apps there are.
    let sdkappid = sdkappid.ok_or(ErrorCode::AppNotFound)?;
    Ok(Proof { sdkappid, identifier, usersig })
}
