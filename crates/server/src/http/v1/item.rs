//! One event as it is shown: what an endpoint is told, and around it what the callback has in its URL.

use super::position::{Place, Position};
use super::search;
use crate::{render, translate};
use chat::event::{Event, Lane};
use chat::port::{Store, Stored};
use protocol::RawValue;
use serde::Serialize;

#[derive(Debug, Clone, Serialize)]
pub(super) struct Item {
    /// Behind it.
    pub(super) position: String,
    id: String,
    pub(super) event: &'static str,
    recorded_ms: u64,
    client_ip: String,
    platform: &'static str,
    /// The callback's, byte by byte.
    body: Box<RawValue>,
}

impl Item {
    pub(super) fn new(event: &Event, position: &Position) -> Self {
        let callback = render::event(event);
        let platform = translate::opt_platform(callback.origin.platform);
        Self {
            position: position.to_string(),
            event: callback.command.as_str(),
            recorded_ms: event.recorded_ms,
            client_ip: callback.origin.ip.to_string(),
            platform: platform.as_str_for(callback.command),
            body: serde_json::from_slice(&callback.body).expect("what endpoints are told is JSON"),
            id: callback.id,
        }
    }

    /// An event that nobody came to by reading on. In other lanes than its own, the position is at the same time.
    pub(super) async fn alone(store: &dyn Store, event: &Event) -> Stored<Self> {
        let own = event.id.lane;
        let mut places = Vec::new();
        for lane in Lane::all_of(own.app, store.lanes_per_app()) {
            places.push(match lane == own {
                true => Place { epoch: event.id.epoch, offset: event.id.offset },
                false => {
                    let extent = store.lane(lane).await?;
                    let offset = search::before(store, lane, extent, event.recorded_ms).await?;
                    Place::behind(extent, offset)
                }
            });
        }
        Ok(Self::new(event, &Position(places)))
    }

    /// Bytes that can be many.
    pub(super) fn len_bytes(&self) -> usize {
        self.body.get().len()
    }
}
