//! `GET /v1/apps/{sdkappid}/events`: the events behind a position, now or as they come.

use super::access::Access;
use super::item::Item;
use super::parameters::{INTEGER_MAX, Parameters};
use super::position::Position;
use super::reader::{Filter, Notices, Reader, Start};
use super::refusal::Refused;
use super::{EventApi, answer, follow};
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::http::header::ACCEPT;
use axum::response::Response;
use protocol::callback::CallbackCommand;
use serde::Serialize;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;

/// Longest wait for an event. Shorter than proxies commonly let a request take.
const WAIT_SECS_MAX: u64 = 60;
/// What a browser sends when it connects again: the position that it was told last.
const LAST_EVENT_ID: &str = "last-event-id";

/// Which events are wanted, and from where on.
#[derive(Debug, PartialEq, Eq)]
struct Wanted {
    start: Start,
    filter: Filter,
    limit: usize,
    wait: Duration,
    is_stream: bool,
}

#[derive(Serialize)]
struct Pulled {
    events: Vec<Item>,
    next: String,
    more: bool,
}

pub(super) async fn pull(
    State(api): State<Arc<EventApi>>,
    access: Access,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, Refused> {
    let wanted = Wanted::read(query.as_deref(), &headers)?;
    let app = access.app_id();
    let place = (wanted.is_stream || !wanted.wait.is_zero()).then(|| api.readers.admit(app)).transpose()?;
    // Registered for before the first look.
    let notices = Notices::of(app, &api.bus, api.store());
    let reader = Reader::begin(Arc::clone(&api.chat.store), app, wanted.start, wanted.filter).await?;
    match place {
        Some(place) if wanted.is_stream => {
            let stop = api.stop.clone();
            Ok(follow::follow(follow::Follower { reader, notices, access, stop, place }))
        }
        // The place, if there is one, is held until the answer is there.
        _place => wait(&api, reader, notices, wanted.limit, wanted.wait).await,
    }
}

async fn wait(
    api: &EventApi,
    mut reader: Reader,
    mut notices: Notices,
    limit: usize,
    wait: Duration,
) -> Result<Response, Refused> {
    let mut over = pin!(sleep(wait));
    let mut may_wait = !wait.is_zero();
    loop {
        let page = reader.page(limit).await?;
        if !page.items.is_empty() || !may_wait {
            let next = reader.position().to_string();
            return Ok(answer(&Pulled { events: page.items, next, more: page.more }));
        }
        tokio::select! {
            // The ends come first: a busy log with nothing that fits would never let them have their turn.
            biased;
            () = api.stop.cancelled() => may_wait = false,
            () = &mut over => may_wait = false,
            // With more, what does not fit was passed over.
            () = notices.next(page.more) => {}
        }
    }
}

impl Wanted {
    fn read(query: Option<&str>, headers: &HeaderMap) -> Result<Self, Refused> {
        let parameters = Parameters::read(query, &["after", "since_ms", "event", "limit", "wait"])?;
        let since_ms = parameters.number("since_ms", 0..=INTEGER_MAX)?;
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let is_stream = header(ACCEPT.as_str()).is_some_and(|accept| accept.contains("text/event-stream"));
        let last = header(LAST_EVENT_ID).filter(|last| is_stream && !last.is_empty());
        let start = match (last, parameters.one("after")?, since_ms) {
            (_, Some(_), Some(_)) => {
                return Err(Refused::bad_parameter("after and since_ms do not go together"));
            }
            // A stream that goes on is asked for with the query that it began with.
            (Some(last), _, _) => Start::After(position("Last-Event-ID", last)?),
            (None, Some("now"), None) => Start::End,
            (None, Some(after), None) => Start::After(position("after", after)?),
            (None, None, Some(since_ms)) => Start::Since(since_ms),
            (None, None, None) => Start::Oldest,
        };
        let wait = parameters.number("wait", 0..=WAIT_SECS_MAX)?.unwrap_or(0);
        Ok(Self {
            start,
            filter: Filter { commands: parameters.all("event").map(command).collect::<Result<_, _>>()? },
            limit: parameters.limit()?,
            wait: Duration::from_secs(wait),
            is_stream,
        })
    }
}

fn position(name: &str, text: &str) -> Result<Position, Refused> {
    text.parse().map_err(|_| Refused::bad_parameter(format!("{name} is no position")))
}

fn command(name: &str) -> Result<CallbackCommand, Refused> {
    CallbackCommand::parse(name).ok_or_else(|| Refused::bad_parameter(format!("there is no event {name:?}")))
}

#[cfg(test)]
mod tests {
    use super::super::position::Place;
    use super::*;

    #[test]
    fn where_to_begin() {
        let at = |offset| Start::After(Position(vec![Place { epoch: 10, offset }]));
        for (query, accept, last, expected) in [
            ("", "*/*", "", Some(Start::Oldest)),
            ("after=now", "*/*", "", Some(Start::End)),
            ("after=a-1", "*/*", "", Some(at(1))),
            ("after=a-1", "*/*", "a-2", Some(at(1))),
            ("after=a-1", "text/event-stream", "a-2", Some(at(2))),
            ("since_ms=5", "text/event-stream", "a-2", Some(at(2))),
            ("since_ms=5", "text/event-stream", "", Some(Start::Since(5))),
            ("since_ms=5&after=a-1", "*/*", "", None),
            ("since_ms=-5", "*/*", "", None),
            ("after=", "*/*", "", None),
            ("after=a-1", "text/event-stream", "nonsense", None),
            ("event=C2C.Nothing", "*/*", "", None),
            ("wait=61", "*/*", "", None),
        ] {
            let headers = [("accept", accept), (LAST_EVENT_ID, last)];
            let headers = headers.map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
            let wanted = Wanted::read(Some(query), &HeaderMap::from_iter(headers));
            assert_eq!(wanted.ok().map(|wanted| wanted.start), expected, "{query} {accept} {last}");
        }
    }

    #[test]
    fn everything_at_once() {
        let query = "event=C2C.CallbackAfterSendMsg&event=State.StateChange&limit=7&wait=60";
        let wanted = Wanted::read(Some(query), &HeaderMap::new()).unwrap();
        let commands = vec![CallbackCommand::C2cAfterSendMsg, CallbackCommand::StateChange];
        let expected = Wanted {
            start: Start::Oldest,
            filter: Filter { commands },
            limit: 7,
            wait: Duration::from_secs(60),
            is_stream: false,
        };
        assert_eq!(wanted, expected);
    }
}
