//! REST: the v4 API that backends speak, and the pages for machines that watch the server.
//!
//! Every API-level outcome is HTTP 200 with a code in the body, as real clients expect: they resend on anything
//! else. One file an API; what they share is here: reading a call, knowing its caller, answering.

mod account;
mod batch;
mod contact;
mod deletion;
mod edit;
mod extension;
mod health;
mod import;
mod mute;
mod named;
mod openapi;
mod read;
mod recall;
mod profile;
mod roam;
mod sendmsg;
mod sns;
mod status;
mod v1;

use crate::bus::NodeBus;
use crate::credentials::{Caller, Credentials};
use axum::Router;
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{ConnectInfo, Path, RawQuery, State};
use axum::http::{HeaderValue, Request, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use bytes::Bytes;
use chat::Chat;
use chat::port::StoreError;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use metrics::counter;
use protocol::rest::{self, Command, Query, Service};
use protocol::{ErrorCode, Failure};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;
use tokio_util::task::TaskTracker;

pub use health::Health;
pub use v1::{EventApi, Readers};

/// How much of a body that is too long is read, in bodies of full length. Whoever sends more is cut off.
const DROPPED_BODIES_MAX: usize = 16;

/// What every call needs.
#[derive(Debug)]
pub struct Rest {
    pub chat: Chat,
    pub credentials: Arc<Credentials>,
    /// Says who is online.
    pub bus: Arc<NodeBus>,
    pub limits: crate::config::Limits,
    pub tasks: TaskTracker,
}

/// A call whose caller is known and may make it.
#[derive(Debug)]
struct Call {
    caller: Caller,
    body: Bytes,
    ip: IpAddr,
}

pub fn routes(rest: Arc<Rest>, events: Arc<EventApi>, health: Arc<Health>) -> Router {
    let api = Router::new()
        .route("/v4/{service}/{command}", any(call))
        .route("/openapi.json", get(openapi::document))
        .fallback(|| async { answer(None, &Err(ErrorCode::UnknownCommand.into())) })
        .with_state(rest);
    let watch = Router::new()
        .route("/healthz", get(|| async { "alive\n" }))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(health::metrics))
        .with_state(health);
    api.merge(watch).merge(v1::routes(events))
}

async fn call(
    State(rest): State<Arc<Rest>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    path: Result<Path<(String, String)>, PathRejection>,
    RawQuery(query): RawQuery,
    request: Request<Body>,
) -> Response {
    // A path that is not even UTF-8 names no command either.
    let command = path.map_err(|_| ErrorCode::UnknownCommand);
    let command = match command.and_then(|Path((service, command))| Command::parse(&service, &command)) {
        Ok(command) => command,
        Err(code) => return answer(None, &Err(code.into())),
    };
    let reading = read_body(request, rest.limits.rest_body_bytes_max);
    let read = timeout(Duration::from_secs(BODY_SECS_MAX), reading).await;
    let result = match read.unwrap_or_else(|_| Err(ErrorCode::BadUrl.with("the body did not come in time"))) {
        Ok(body) => rest.carry_out(command, query.as_deref().unwrap_or(""), body, peer.ip()).await,
        Err(failure) => Err(failure),
    };
    let code = result.as_ref().err().map_or(0, |failure| failure.code);
    let (api, service) = (command.name(), command.service().path());
    counter!("couplet_rest_calls_total", "api" => api, "service" => service, "code" => code_label(code))
        .increment(1);
    answer(Some(command.service()), &result)
}

impl Rest {
    async fn carry_out(
        &self,
        command: Command,
        query: &str,
        body: Bytes,
        ip: IpAddr,
    ) -> Result<Bytes, Failure> {
        let caller = self.caller(query).await.map_err(|failure| match is_json_object(&body) {
            true => failure,
            // The documented order puts the body's JSON first. Looking only now saves good calls the extra pass.
            false => command.service().bad_json().into(),
        })?;
        caller.app.rates.call(command, self.chat.clock.now_ms())?;
        let call = Call { caller, body, ip };
        match command {
            Command::SendMsg => self.send(call).await,
            Command::BatchSendMsg => self.send_batch(call).await,
            Command::ImportMsg => self.import_message(call).await,
            Command::GetRoamMsg => self.roam(call).await,
            Command::RecallMsg => self.recall(call).await,
            Command::EditMsg => self.edit(call).await,
            Command::DeleteMsg => self.delete_messages(call).await,
            Command::SetMsgRead => self.set_read(call).await,
            Command::ConfirmMsgRead => self.confirm_read(call).await,
            Command::GetUnreadNum => self.unread(call).await,
            Command::SetExtensions => self.set_extensions(call).await,
            Command::GetExtensions => self.extensions(call).await,
            Command::AccountImport => self.import_account(call).await,
            Command::MultiAccountImport => self.import_accounts(call).await,
            Command::AccountCheck => self.check_accounts(call).await,
            Command::AccountDelete => self.delete_accounts(call).await,
            Command::Kick => self.kick(call).await,
            Command::QueryOnlineStatus => self.query_online_status(call).await,
            Command::QueryState => self.query_state(call).await,
            Command::GetContacts => self.contacts(call).await,
            Command::DeleteContact => self.delete_contact(call).await,
            Command::PinContact => self.pin_contacts(call).await,
            Command::PortraitSet => self.set_portrait(call).await,
            Command::PortraitGet => self.get_portraits(call).await,
            Command::FriendAdd => self.add_friends(call).await,
            Command::FriendImport => self.import_friends(call).await,
            Command::FriendUpdate => self.update_friends(call).await,
            Command::FriendDelete => self.delete_friends(call).await,
            Command::FriendDeleteAll => self.delete_all_friends(call).await,
            Command::FriendCheck => self.check_friends(call).await,
            Command::FriendGet => self.get_friends(call).await,
            Command::FriendGetList => self.pick_friends(call).await,
            Command::FriendGroupAdd => self.add_friend_groups(call).await,
            Command::FriendGroupDelete => self.delete_friend_groups(call).await,
            Command::FriendGroupGet => self.get_friend_groups(call).await,
            Command::BlocklistAdd => self.block_users(call).await,
            Command::BlocklistDelete => self.unblock_users(call).await,
            Command::BlocklistGet => self.get_blocklist(call).await,
            Command::BlocklistCheck => self.check_blocklist(call).await,
            Command::SetMute => self.set_mute(call).await,
            Command::GetMute => self.mute(call).await,
        }
        .map(Bytes::from)
    }

    /// For what has to be told after it is committed: a caller that hangs up does not stop it between the two.
    async fn to_the_end<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> T {
        match self.tasks.spawn(work).await {
            Ok(done) => done,
            Err(stopped) => std::panic::resume_unwind(stopped.into_panic()),
        }
    }

    /// UserSig, then admin.
    async fn caller(&self, query: &str) -> Result<Caller, Failure> {
        let query = Query::parse(query)?;
        self.credentials.check_admin(query.sdkappid, &query.identifier, &query.usersig).await
    }
}

fn is_json_object(body: &[u8]) -> bool {
    let starts_as_object = body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{');
    starts_as_object && serde_json::from_slice::<serde::de::IgnoredAny>(body).is_ok()
}

/// A store that fails is logged here, once, and told as a passing failure of the command's service.
fn store_failure(command: Command, error: &StoreError) -> Failure {
    tracing::error!(%error, api = command.name(), "a call failed in the store");
    command.service().internal_error().into()
}

/// Time for a body to arrive. A caller that dribbles must not hold its place for ever.
const BODY_SECS_MAX: u64 = 60;

async fn read_body(request: Request<Body>, bytes_max: usize) -> Result<Bytes, Failure> {
    let mut body = request.into_body();
    match Limited::new(&mut body, bytes_max).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => {
            // A caller hears no answer while it is still sending: the rest is read, and dropped.
            let mut rest = Limited::new(body, bytes_max.saturating_mul(DROPPED_BODIES_MAX));
            while let Some(Ok(_)) = rest.frame().await {}
            Err(ErrorCode::PacketTooLarge.with(format!("the body is longer than {bytes_max} bytes")))
        }
        // The caller went away, or broke the framing: nobody reads this.
        Err(_) => Err(ErrorCode::BadUrl.into()),
    }
}

fn answer(service: Option<Service>, result: &Result<Bytes, Failure>) -> Response {
    let body = match result {
        Ok(body) => body.clone(),
        Err(failure) => Bytes::from(rest::fail(service, failure)),
    };
    let mut response = (StatusCode::OK, body).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// A small closed set of labels: an app's own codes are one of them.
fn code_label(code: u32) -> &'static str {
    match ErrorCode::from_number(code) {
        _ if code == 0 => "Ok",
        Some(code) => code.name(),
        None => "AppsOwn",
    }
}
