//! `GET /v1/apps/{sdkappid}/endpoints`: who is told of events, and how far each of them is.

use super::access::Access;
use super::position::{Place, Position};
use super::refusal::Refused;
use super::{EventApi, answer};
use crate::endpoint::Endpoint;
use axum::extract::State;
use axum::response::Response;
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
        endpoints.push(shown(&api, endpoint).await?);
    }
    Ok(answer(&Endpoints { endpoints }))
}

/// The endpoint that a path names.
pub(super) fn named(access: &Access) -> Result<&Arc<Endpoint>, Refused> {
    access.app().endpoint(access.named("endpoint")).ok_or_else(Refused::unknown_endpoint)
}

async fn shown(api: &EventApi, endpoint: &Endpoint) -> Result<Shown, Refused> {
    let now_ms = api.chat.clock.now_ms();
    let mut shown = Shown {
        endpoint: endpoint.id.0.to_string(),
        url: endpoint.public_url(),
        asked: endpoint.is_asked(),
        events: events(endpoint),
        read_to: String::new(),
        backlog: 0,
        in_flight: 0,
        held: 0,
        parked: 0,
        oldest_age_ms: None,
        breaker: "closed",
    };
    let mut read_to = Vec::new();
    for route in api.routes(endpoint) {
        let progress = api.progress(&route).await?;
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
        }
    }
    shown.read_to = Position(read_to).to_string();
    Ok(shown)
}

/// What it is told and asked; `None` when it is everything.
fn events(endpoint: &Endpoint) -> Option<Vec<&'static str>> {
    let wanted: Vec<_> = CallbackCommand::ALL.iter().filter(|command| endpoint.wants(**command)).collect();
    let is_all = wanted.len() == CallbackCommand::ALL.len();
    (!is_all).then(|| wanted.into_iter().map(|command| command.as_str()).collect())
}
