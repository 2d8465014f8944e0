//! `POST /v1/apps/{sdkappid}/endpoints/{endpoint}/replay`: an endpoint is told events again.

use super::access::Access;
use super::parameters::{self, INTEGER_MAX};
use super::refusal::Refused;
use super::{EventApi, answer, endpoints, reader, search, show};
use axum::body::Body;
use axum::extract::State;
use axum::http::Request;
use axum::response::Response;
use chat::AppId;
use chat::dispatch::Replay;
use chat::port::{EndpointId, Route};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Parked events that one call takes up. Each of them becomes one that is held, and so stays in memory.
const PARKED_MAX: usize = 10_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    since_ms: Option<u64>,
    after: Option<String>,
    id: Option<String>,
    parked: Option<bool>,
    limit: Option<usize>,
}

/// Which events are to be told again.
#[derive(Debug, PartialEq, Eq)]
enum Again {
    Since(u64),
    After(String),
    One(String),
    Parked { limit: usize },
}

#[derive(Serialize)]
struct Replayed {
    replayed: u64,
}

pub(super) async fn replay(
    State(api): State<Arc<EventApi>>,
    access: Access,
    request: Request<Body>,
) -> Result<Response, Refused> {
    let endpoint = endpoints::named(&access)?;
    let again = Again::read(parameters::body(request).await?)?;
    let replayed = match again {
        Again::Since(since_ms) => {
            let mut places = Vec::new();
            for route in api.routes(access.app_id(), &endpoint) {
                let extent = api.store().lane(route.lane).await?;
                let offset = search::first_since(api.store(), route.lane, extent, since_ms).await?;
                places.push((route, offset));
            }
            from(&api, places).await?
        }
        Again::After(position) => {
            let position = position.parse().map_err(|_| Refused::bad_parameter("after is no position"))?;
            let position = reader::check(access.app_id(), api.store(), &position).await?;
            let offsets = position.0.into_iter().map(|place| place.offset);
            from(&api, api.routes(access.app_id(), &endpoint).zip(offsets)).await?
        }
        Again::One(name) => {
            let id = show::find(&api, &access, &name).await?.id;
            let route = Route { lane: id.lane, endpoint };
            api.replay(&route, &Replay::One { offset: id.offset }).await?
        }
        Again::Parked { limit } => parked(&api, access.app_id(), &endpoint, limit).await?,
    };
    Ok(answer(&Replayed { replayed }))
}

async fn from(api: &EventApi, places: impl IntoIterator<Item = (Route, u64)>) -> Result<u64, Refused> {
    let mut replayed = 0;
    for (route, after) in places {
        replayed += api.replay(&route, &Replay::From { after }).await?;
    }
    Ok(replayed)
}

async fn parked(api: &EventApi, app: AppId, endpoint: &EndpointId, limit: usize) -> Result<u64, Refused> {
    let mut left = limit as u64;
    for route in api.routes(app, endpoint) {
        left -= api.replay(&route, &Replay::Parked { limit: left as usize }).await?;
    }
    Ok(limit as u64 - left)
}

impl Again {
    fn read(wish: Wish) -> Result<Self, Refused> {
        let refused = |why: &str| Err(Refused::bad_parameter(why));
        if wish.limit.is_some() && wish.parked.is_none() {
            return refused("limit goes with parked only");
        }
        match wish {
            Wish { since_ms: Some(since_ms), after: None, id: None, parked: None, .. } => {
                if since_ms > INTEGER_MAX {
                    return refused("since_ms is beyond all time");
                }
                Ok(Self::Since(since_ms))
            }
            Wish { since_ms: None, after: Some(after), id: None, parked: None, .. } => Ok(Self::After(after)),
            Wish { since_ms: None, after: None, id: Some(id), parked: None, .. } => Ok(Self::One(id)),
            Wish { since_ms: None, after: None, id: None, parked: Some(true), limit } => {
                let limit = limit.unwrap_or(PARKED_MAX);
                if !(1..=PARKED_MAX).contains(&limit) {
                    return refused("limit must be a number from 1 to 10000");
                }
                Ok(Self::Parked { limit })
            }
            _ => refused("exactly one of since_ms, after, id, and parked as true must be there"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_one_wish() {
        for (body, expected) in [
            (r#"{"since_ms":5}"#, Some(Again::Since(5))),
            (r#"{"after":"a-1"}"#, Some(Again::After("a-1".to_owned()))),
            (r#"{"id":"evt_1_0_a_1"}"#, Some(Again::One("evt_1_0_a_1".to_owned()))),
            (r#"{"parked":true}"#, Some(Again::Parked { limit: 10_000 })),
            (r#"{"parked":true,"limit":1}"#, Some(Again::Parked { limit: 1 })),
            (r#"{"parked":true,"limit":10001}"#, None),
            (r#"{"parked":true,"limit":0}"#, None),
            (r#"{"parked":false}"#, None),
            (r#"{"since_ms":9007199254740992}"#, None),
            (r#"{"since_ms":5,"limit":1}"#, None),
            (r#"{"since_ms":5,"parked":true}"#, None),
            (r#"{"limit":5}"#, None),
            ("{}", None),
        ] {
            let wish = serde_json::from_str(body).unwrap();
            assert_eq!(Again::read(wish).ok(), expected, "{body}");
        }
        assert!(serde_json::from_str::<Wish>(r#"{"all":true}"#).is_err());
    }
}
