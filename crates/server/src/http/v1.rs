//! `/v1/apps/{sdkappid}/…`: an app's events, to be looked at, pulled and told again.
//!
//! Unlike the v4 API beside it, an outcome is an HTTP status. One file a call; what they share is who may call
//! ([`access`]), what is answered otherwise ([`refusal`]), where one is in the log ([`position`], [`reader`],
//! [`search`]) and how an event stands with an endpoint ([`standing`]).
//!
//! Whatever a page shows is in the log already, so nothing here has to be remembered between two calls.

mod access;
mod refusal;
mod parameters;
mod position;
mod item;
mod reader;
mod search;
mod standing;
mod pull;
mod follow;
mod show;
mod endpoints;
mod parked;
mod replay;
mod questions;
mod explain;
mod sends;
mod trigger;
mod import;

use crate::asked::AskedLog;
use crate::bus::NodeBus;
use crate::credentials::Credentials;
use crate::steering::Steering;
use axum::Router;
use axum::http::{HeaderValue, Method, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, any, get, post};
use chat::port::Store;
use chat::{AppId, Chat};
use refusal::Refused;
use rustc_hash::FxHashMap;
use serde::Serialize;
use std::sync::{Arc, Mutex};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};
use tokio_util::sync::CancellationToken;

/// The document of this API. A test holds its paths to [`calls`].
const OPENAPI: &str = include_str!("../../../../docs/reference/openapi.json");

/// Calls that look through much of the store at the same time. It has a dozen of readers for everybody.
const LOOKS_AT_ONCE_MAX: usize = 2;

/// Callers of an app that wait for events at the same time. Each wakes, and reads, at every event of its app: some backends and
/// a few people who look are meant, not devices.
const READERS_MAX: usize = 1_000;

/// What every call needs.
#[derive(Debug)]
pub struct EventApi {
    pub chat: Chat,
    pub credentials: Arc<Credentials>,
    pub steering: Arc<Steering>,
    pub asked: Arc<AskedLog>,
    pub bus: Arc<NodeBus>,
    pub readers: Readers,
    /// Messages of a conversation that are looked through for one send.
    pub sends_looked_at_max: usize,
    /// Ends whoever waits for events.
    pub stop: CancellationToken,
}

/// Room for callers that wait, and for those that look through much of the store.
#[derive(Debug)]
pub struct Readers {
    of_app: Mutex<FxHashMap<AppId, Arc<Semaphore>>>,
    looks: Semaphore,
}

impl Default for Readers {
    fn default() -> Self {
        Self { of_app: Mutex::default(), looks: Semaphore::new(LOOKS_AT_ONCE_MAX) }
    }
}

impl Readers {
    /// A place to wait in, for as long as it is held. One app's readers take none from another's.
    fn admit(&self, app: AppId) -> Result<OwnedSemaphorePermit, Refused> {
        let mut of_app = self.of_app.lock().expect("nothing panics while it holds this lock");
        let places = of_app.entry(app).or_insert_with(|| Arc::new(Semaphore::new(READERS_MAX)));
        Arc::clone(places).try_acquire_owned().map_err(|_| Refused::crowded())
    }

    async fn look(&self) -> SemaphorePermit<'_> {
        self.looks.acquire().await.expect("nobody closes this semaphore")
    }
}

impl EventApi {
    fn store(&self) -> &dyn Store {
        &*self.chat.store
    }
}

/// A call as the document names it.
struct Call {
    #[cfg_attr(not(test), expect(dead_code, reason = "for the test that holds the document to these calls"))]
    method: Method,
    path: &'static str,
    handler: MethodRouter<Arc<EventApi>>,
}

/// Every call, with its path below `/v1`.
fn calls() -> Vec<Call> {
    let read = |path, handler| Call { method: Method::GET, path, handler };
    let act = |path, handler| Call { method: Method::POST, path, handler };
    vec![
        read("/openapi.json", get(|| async { json_text(OPENAPI.to_owned()) })),
        read("/apps/{sdkappid}/events", get(pull::pull)),
        read("/apps/{sdkappid}/events/{event_id}", get(show::show)),
        read("/apps/{sdkappid}/endpoints", get(endpoints::list)),
        read("/apps/{sdkappid}/endpoints/{endpoint}/parked", get(parked::list)),
        act("/apps/{sdkappid}/endpoints/{endpoint}/replay", post(replay::replay)),
        read("/apps/{sdkappid}/questions", get(questions::list)),
        read("/apps/{sdkappid}/explain", get(explain::explain)),
        read("/apps/{sdkappid}/sends", get(sends::landed)),
        act("/apps/{sdkappid}/trigger", post(trigger::trigger)),
        act("/apps/{sdkappid}/import", post(import::import)),
    ]
}

pub(super) fn routes(events: Arc<EventApi>) -> Router {
    let routes =
        calls().into_iter().fold(Router::new(), |router, call| router.route(call.path, call.handler));
    let routes = routes
        .method_not_allowed_fallback(|| async { Refused::wrong_method() })
        .fallback(|| async { Refused::unknown_path() })
        .with_state(events);
    // Nesting leaves out the bare slash.
    Router::new().nest("/v1", routes).route("/v1/", any(|| async { Refused::unknown_path() }))
}

fn answer(value: &impl Serialize) -> Response {
    json_text(serde_json::to_string(value).expect("wire types of this API have string keys only"))
}

fn json_text(text: String) -> Response {
    let mut response = text.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    // Events hold what people wrote, and the next answer differs.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;
    use std::collections::BTreeSet;

    #[test]
    fn the_document_has_the_calls_and_no_others() {
        let document: Value = serde_json::from_str(OPENAPI).unwrap();
        let paths = document["paths"].as_object().unwrap();
        let documented: BTreeSet<String> = paths
            .iter()
            .flat_map(|(path, methods)| {
                let methods = methods.as_object().unwrap().keys().filter(|key| *key != "parameters");
                methods.map(move |method| format!("{} {path}", method.to_uppercase()))
            })
            .collect();
        let served = calls().into_iter().map(|call| format!("{} /v1{}", call.method, call.path)).collect();
        assert_eq!(documented, served);
    }

    #[test]
    fn so_many_may_wait_and_no_more() {
        let readers = Readers::default();
        let mut places: Vec<_> = (0..READERS_MAX).map(|_| readers.admit(AppId(1)).unwrap()).collect();
        assert!(readers.admit(AppId(1)).is_err());
        assert!(readers.admit(AppId(2)).is_ok(), "another app has places of its own");
        places.pop();
        assert!(readers.admit(AppId(1)).is_ok());
    }

    #[test]
    fn every_reference_of_the_document_leads_somewhere() {
        fn visit(value: &Value, found: &mut Vec<String>) {
            match value {
                Value::Object(members) => {
                    found.extend(members.get("$ref").and_then(Value::as_str).map(str::to_owned));
                    members.values().for_each(|member| visit(member, found));
                }
                Value::Array(items) => items.iter().for_each(|item| visit(item, found)),
                _ => {}
            }
        }
        let document: Value = serde_json::from_str(OPENAPI).unwrap();
        let mut found = Vec::new();
        visit(&document, &mut found);
        assert!(!found.is_empty());
        for reference in found {
            let pointer = reference.strip_prefix('#').unwrap();
            assert!(document.pointer(pointer).is_some(), "{reference}");
        }
    }
}
