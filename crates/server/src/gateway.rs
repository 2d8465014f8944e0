//! The WebSocket that devices speak: login, pushes with positions, and what users do.
//!
//! One task per connection owns its state. It follows its user's log by `chat::sync`; hints from the bus are a short
//! cut, and the log is the truth. The frames are in `docs/reference/client-protocol.md`.

mod handshake;
mod login;
mod presence;
mod request;
mod rhythm;
mod session;
mod socket;
mod state;

use crate::bus::{NodeBus, QueueLimits};
use crate::config;
use crate::credentials::Credentials;
use crate::listener::Place;
use crate::media::Media;
use axum::Extension;
use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::any;
use chat::Chat;
use socket::Socket;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// What every session needs.
#[derive(Debug)]
pub struct Gateway {
    pub chat: Chat,
    pub credentials: Arc<Credentials>,
    pub bus: Arc<NodeBus>,
    pub settings: config::Gateway,
    pub limits: config::Limits,
    /// Takes files, if devices can upload any.
    pub media: Option<Arc<Media>>,
    pub tasks: TaskTracker,
    pub stop: CancellationToken,
}

impl Gateway {
    fn queue_limits(&self) -> QueueLimits {
        QueueLimits {
            len_max: self.settings.session_queue_len_max,
            bytes_max: self.settings.session_queue_bytes_max,
        }
    }
}

pub fn routes(gateway: Arc<Gateway>) -> Router {
    Router::new().route("/ws", any(upgrade)).with_state(gateway)
}

async fn upgrade(
    State(gateway): State<Arc<Gateway>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Extension(place): Extension<Place>,
    mut request: Request,
) -> Response {
    let answer = handshake::answer(request.method(), request.headers());
    if answer.status() != StatusCode::SWITCHING_PROTOCOLS {
        return answer;
    }
    let upgraded = hyper::upgrade::on(&mut request);
    gateway.tasks.clone().spawn(async move {
        // Without a connection if the answer did not go out.
        if let Ok(io) = upgraded.await {
            let mut socket = Socket::new(io, gateway.settings.frame_bytes_max);
            if let Some(end) = session::run(&gateway, &mut socket, peer.ip()).await {
                Box::pin(socket.end(end)).await;
            }
        }
        drop(place);
    });
    answer
}
