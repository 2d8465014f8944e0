//! `GET /v1/apps/{sdkappid}/endpoints/{endpoint}/parked`: the events that an endpoint was not told of in the end.

use super::access::Access;
use super::parameters::Parameters;
use super::refusal::Refused;
use super::{EventApi, answer, endpoints, position};
use crate::render;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use chat::dispatch::{Exception, ExceptionState};
use chat::event::EventId;
use chat::port::Route;
use protocol::callback::CallbackCommand;
use serde::Serialize;
use std::sync::Arc;

#[derive(Serialize)]
struct Parked {
    parked: Vec<Shown>,
    more: bool,
}

/// An event of which backends are not told, and only parts of the server.
const INTERNAL: &str = "internal";

#[derive(Serialize)]
struct Shown {
    id: String,
    event: &'static str,
    recorded_ms: u64,
    parked_ms: u64,
    attempts: u32,
    last_failure: String,
}

pub(super) async fn list(
    State(api): State<Arc<EventApi>>,
    access: Access,
    RawQuery(query): RawQuery,
) -> Result<Response, Refused> {
    let parameters = Parameters::read(query.as_deref(), &["after", "limit"])?;
    let limit = parameters.limit()?;
    let endpoint = endpoints::named(&access)?;
    let after = parameters.one("after")?.map(|name| {
        let id = position::event_id(name).filter(|id| id.lane.app == access.app_id());
        id.ok_or_else(|| Refused::bad_parameter("after names no event of the app"))
    });
    let after = after.transpose()?;
    let mut parked = Vec::new();
    for route in api
        .routes(access.app_id(), &endpoint)
        .filter(|route| after.is_none_or(|after| after.lane <= route.lane))
    {
        let after = after.filter(|after| after.lane == route.lane).map_or(0, |after| after.offset);
        // One more than is wanted says whether there are more.
        for exception in api.store().parked(&route, after, limit + 1 - parked.len()).await? {
            if parked.len() == limit {
                return Ok(answer(&Parked { parked, more: true }));
            }
            parked.extend(shown(&api, &route, exception).await?);
        }
    }
    Ok(answer(&Parked { parked, more: false }))
}

/// `None` when somebody else has just had it told after all, and forgotten.
async fn shown(api: &EventApi, route: &Route, exception: Exception) -> Result<Option<Shown>, Refused> {
    let Exception { offset, recorded_ms, state, attempts, last_failure, .. } = exception;
    let ExceptionState::Parked { at_ms: parked_ms } = state else { return Ok(None) };
    let Some(extent) = api.store().lane(route.lane).await? else { return Ok(None) };
    let Some(event) = api.event(EventId { lane: route.lane, epoch: extent.epoch, offset }).await? else {
        return Ok(None);
    };
    let (id, event) =
        (event.id.to_string(), render::command(&event.fact).map_or(INTERNAL, CallbackCommand::as_str));
    Ok(Some(Shown { id, event, recorded_ms, parked_ms, attempts, last_failure }))
}
