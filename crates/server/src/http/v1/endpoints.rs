//! `GET /v1/apps/{sdkappid}/endpoints`: who is told of events, and how far each of them is.

use super::access::Access;
use super::position::{Place, Position};
use super::refusal::Refused;
use super::standing::Advance;
use super::{EventApi, answer};
use crate::endpoint::Endpoint;
use crate::push;
use axum::extract::State;
use axum::response::Response;
use chat::AppId;
use chat::port::EndpointId;
use protocol::callback::CallbackCommand;
use serde::Serialize;
use std::sync::Arc;

#[derive(Serialize)]
struct Endpoints {
    endpoints: Vec<Shown>,
}

#[derive(Serialize)]
struct Shown {
    endpoint: String,
    url: String,
    asked: bool,
    events: Option<Vec<&'static str>>,
    read_to: String,
    /// Neither told nor parked.
    backlog: u64,
    in_flight: usize,
    held: usize,
    parked: u64,
    oldest_age_ms: Option<u64>,
    breaker: &'static str,
}

pub(super) async fn list(State(api): State<Arc<EventApi>>, access: Access) -> Result<Response, Refused> {
    let mut endpoints = Vec::new();
    for endpoint in &access.app().endpoints {
        let shown = Shown {
            url: endpoint.public_url(),
            asked: endpoint.is_asked(),
            events: events(endpoint),
            ..Shown::of(&endpoint.id)
        };
        endpoints.push(advanced(&api, endpoint.app, &endpoint.id, shown).await?);
    }
    for (id, url) in push::names(access.app()) {
        let events = Some(vec![CallbackCommand::C2cAfterSendMsg.as_str()]);
        let shown = Shown { url, events, ..Shown::of(&id) };
        endpoints.push(advanced(&api, access.app_id(), &id, shown).await?);
    }
    Ok(answer(&Endpoints { endpoints }))
}

/// The endpoint that a path names, or another one who follows the log.
pub(super) fn named(access: &Access) -> Result<EndpointId, Refused> {
    let (app, name) = (access.app(), access.named("endpoint"));
    let follower = || push::names(app).into_iter().map(|(id, _)| id).find(|id| &*id.0 == name);
    let endpoint = app.endpoint(name).map(|endpoint| endpoint.id.clone());
    endpoint.or_else(follower).ok_or_else(Refused::unknown_endpoint)
}

impl Shown {
    /// One that has not been told anything.
    fn of(id: &EndpointId) -> Self {
        Self {
            endpoint: id.0.to_string(),
            url: String::new(),
            asked: false,
            events: None,
            read_to: String::new(),
            backlog: 0,
            in_flight: 0,
            held: 0,
            parked: 0,
            oldest_age_ms: None,
            breaker: "closed",
        }
    }
}

async fn advanced(api: &EventApi, app: AppId, id: &EndpointId, mut shown: Shown) -> Result<Shown, Refused> {
    let now_ms = api.chat.clock.now_ms();
    let mut read_to = Vec::new();
    for route in api.routes(app, id) {
        let Advance { progress, is_elsewhere } = api.advance(&route).await?;
        let extent = api.store().lane(route.lane).await?;
        read_to.push(Place::behind(extent, progress.read_to));
        let last = extent.map_or(0, |extent| extent.last);
        shown.backlog += progress.unsettled as u64 + last.saturating_sub(progress.read_to);
        shown.in_flight += progress.in_flight;
        shown.held += progress.held;
        shown.parked += progress.parked;
        let age_ms = progress.oldest_recorded_ms.map(|recorded_ms| now_ms.saturating_sub(recorded_ms));
        shown.oldest_age_ms = shown.oldest_age_ms.max(age_ms);
        if progress.is_open {
            shown.breaker = "open";
        } else if is_elsewhere && shown.breaker == "closed" {
            shown.breaker = "unknown";
        }
    }
    shown.read_to = Position(read_to).to_string();
    Ok(shown)
}

/// What it is told and asked; `None` when it is everything.
fn events(endpoint: &Endpoint) -> Option<Vec<&'static str>> {
    let wanted: Vec<_> = CallbackCommand::ALL.iter().filter(|command| endpoint.wants(**command)).collect();
    // Couplet's own have to be named.
    let is_all = CallbackCommand::ALL.iter().all(|command| endpoint.wants(*command) != command.is_own());
    (!is_all).then(|| wanted.into_iter().map(|command| command.as_str()).collect())
}
