//! The WebSocket that devices speak: login, pushes with positions, and what users do.
//!
//! One task per connection owns its state. It follows its user's log by `chat::sync`; hints from the bus are a short
//! cut, and the log is the truth. The frames are in `docs/reference/client-protocol.md`.

mod login;
mod request;
mod session;
mod socket;

use crate::bus::{LocalBus, QueueLimits};
use crate::config;
use crate::credentials::Credentials;
use crate::listener::Place;
use axum::Extension;
use axum::Router;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{ConnectInfo, State};
use axum::response::Response;
use axum::routing::any;
use chat::Chat;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Frames are small and rarely back up: a session should not hold the library's 128 KiB for them.
const WRITE_BUFFER_BYTES: usize = 0;
const READ_BUFFER_BYTES: usize = 4 * 1024;

/// What every session needs.
#[derive(Debug)]
pub struct Gateway {
    pub chat: Chat,
    pub credentials: Arc<Credentials>,
    pub bus: Arc<LocalBus>,
    pub settings: config::Gateway,
    pub limits: config::Limits,
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
    upgrade: WebSocketUpgrade,
) -> Response {
    let tasks = gateway.tasks.clone();
    upgrade
        .max_message_size(gateway.settings.frame_bytes_max)
        .max_frame_size(gateway.settings.frame_bytes_max)
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(WRITE_BUFFER_BYTES)
        .on_upgrade(move |socket| async move {
            // The library's own task only hands over: the session runs where the server waits for its end.
            tasks.spawn(async move {
                session::run(gateway, socket, peer.ip()).await;
                drop(place);
            });
        })
}
