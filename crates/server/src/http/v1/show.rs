//! `GET /v1/apps/{sdkappid}/events/{event_id}`: one event, and how it stands with every endpoint.

use super::access::Access;
use super::item::Item;
use super::position;
use super::refusal::Refused;
use super::standing::EndpointStanding;
use super::{EventApi, answer};
use crate::render;
use axum::extract::State;
use axum::response::Response;
use chat::event::Event;
use serde::Serialize;
use std::sync::Arc;

#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    item: Item,
    endpoints: Vec<EndpointStanding>,
}

pub(super) async fn show(State(api): State<Arc<EventApi>>, access: Access) -> Result<Response, Refused> {
    let event = find(&api, &access, access.named("event_id")).await?;
    if render::command(&event.fact).is_none() {
        return Err(Refused::unknown_event("backends are not told of this event"));
    }
    let endpoints = api.standings(&access.app().endpoints, &event).await?;
    let item = Item::alone(api.store(), &event).await?;
    Ok(answer(&Shown { item, endpoints }))
}

/// The event of this name, which must be the app's.
pub(super) async fn find(api: &EventApi, access: &Access, name: &str) -> Result<Event, Refused> {
    let id = position::event_id(name).filter(|id| id.lane.app == access.app_id() && api.has_lane(id.lane));
    let id = id.ok_or_else(|| Refused::unknown_event("this names no event of the app"))?;
    let extent = api.store().lane(id.lane).await?.filter(|extent| extent.epoch == id.epoch);
    let extent = extent.ok_or_else(|| Refused::unknown_event("the event is of another log"))?;
    match api.event(id).await? {
        Some(event) => Ok(event),
        None if id.offset == 0 || id.offset > extent.last => {
            Err(Refused::unknown_event("there is no such event yet"))
        }
        None => Err(Refused::unknown_event("the event was forgotten: it was older than events are kept")),
    }
}
