//! How an event stands with an endpoint: what its worker knows, and what is written down.

use super::EventApi;
use super::refusal::Refused;
use super::search::DISORDER_MS;
use crate::endpoint::Endpoint;
use crate::steering::{SteerError, routes};
use chat::AppId;
use chat::dispatch::{Delivered, ExceptionState, FailedAttempt, Progress, Receipt, Replay, Standing};
use chat::event::{Event, EventId, Lane};
use chat::port::{EndpointId, Route};
use serde::Serialize;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;

/// A worker that is started, or makes place for another, is there in a moment; what it has settled is written down
/// some 200 ms later. So often, and with this pause, is looked again.
const LOOKS_MAX: usize = 40;
const PAUSE_MS: u64 = 50;

/// An event on its way to one endpoint.
#[derive(Debug, Serialize)]
pub(super) struct EndpointStanding {
    pub(super) endpoint: String,
    #[serde(flatten)]
    pub(super) state: State,
    /// What went wrong so far, oldest first.
    pub(super) failures: Vec<Attempt>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub(super) enum State {
    /// Without more when the record of it was forgotten.
    Done {
        #[serde(flatten)]
        told: Option<Told>,
    },
    NotWanted {
        /// The key of the settings that says so; left out when they have changed since.
        #[serde(skip_serializing_if = "Option::is_none")]
        why: Option<&'static str>,
    },
    Waiting,
    InFlight {
        attempt: u32,
    },
    Retrying {
        due_ms: u64,
        attempts: u32,
    },
    Behind {
        behind: String,
    },
    Parked {
        at_ms: u64,
        attempts: u32,
        last_failure: String,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) struct Told {
    pub(super) at_ms: u64,
    pub(super) attempt: u32,
    pub(super) code: i64,
}

#[derive(Debug, Clone, Serialize)]
pub(super) struct Attempt {
    number: u32,
    at_ms: u64,
    reason: &'static str,
    status: u16,
    latency_ms: u64,
    pub(super) words: String,
    answer: String,
}

/// What is written down about an event.
enum Written {
    Known(State),
    /// The last that was written down is that it is held.
    Held {
        due_ms: u64,
        attempts: u32,
    },
    Nothing,
}

/// How far the events of a lane are on their way to an endpoint.
pub(super) struct Advance {
    pub(super) progress: Progress,
    /// The lane is told by another node, so this is what is written down: some calls may be under way, and whether the
    /// endpoint is only probed is not known here.
    pub(super) is_elsewhere: bool,
}

impl State {
    fn told(told: &Delivered, unwanted: Option<&'static str>) -> Self {
        let &Delivered { at_ms, attempt, receipt, .. } = told;
        match receipt {
            Receipt::Answered { code } => Self::Done { told: Some(Told { at_ms, attempt, code }) },
            Receipt::NotWanted => Self::NotWanted { why: unwanted },
        }
    }
}

impl EventApi {
    pub(super) async fn standings(
        &self,
        endpoints: &[Arc<Endpoint>],
        event: &Event,
    ) -> Result<Vec<EndpointStanding>, Refused> {
        // These look through much of the store, whose readers are few.
        let _one_of_few = self.readers.look().await;
        let mut standings = Vec::new();
        for endpoint in endpoints {
            let route = Route { lane: event.id.lane, endpoint: endpoint.id.clone() };
            let state = self.state(endpoint, &route, event).await?;
            let failures = self.store().failures(&route, event.id.offset).await?;
            let failures = failures.into_iter().map(Attempt::from).collect();
            standings.push(EndpointStanding { endpoint: endpoint.id.0.to_string(), state, failures });
        }
        Ok(standings)
    }

    async fn state(&self, endpoint: &Endpoint, route: &Route, event: &Event) -> Result<State, Refused> {
        let unwanted = endpoint.wants_event(event).err().map(|unwanted| unwanted.key());
        let asked = self.insist(route.lane, || self.steering.standing(route, event.id.offset)).await?;
        let Some(standing) = asked else { return self.told_elsewhere(route, event, unwanted).await };
        Ok(match standing {
            Standing::Settled => self.settled(route, event, unwanted).await?,
            Standing::Told(told) => State::told(&told, unwanted),
            Standing::Parked { at_ms, attempts } => {
                State::Parked { at_ms, attempts, last_failure: self.last_failure(route, event).await? }
            }
            _ if unwanted.is_some() => State::NotWanted { why: unwanted },
            Standing::NotRead | Standing::Ready => State::Waiting,
            Standing::InFlight { attempt } => State::InFlight { attempt },
            Standing::RetryAt { due_ms, attempts } => State::Retrying { due_ms, attempts },
            Standing::Behind { offset } => {
                State::Behind { behind: EventId { offset, ..event.id }.to_string() }
            }
        })
    }

    /// The same of a lane that another node tells, as far as it is written down.
    async fn told_elsewhere(
        &self,
        route: &Route,
        event: &Event,
        unwanted: Option<&'static str>,
    ) -> Result<State, Refused> {
        // First, since what the cursor passes is kept together with it.
        let is_passed = self.store().delivery(route).await?.cursor >= event.id.offset;
        Ok(match self.written(route, event, unwanted).await? {
            Written::Known(state) => state,
            _ if unwanted.is_some() => State::NotWanted { why: unwanted },
            Written::Held { due_ms, attempts } if attempts > 0 => State::Retrying { due_ms, attempts },
            Written::Held { .. } => State::Waiting,
            Written::Nothing if is_passed => State::Done { told: None },
            Written::Nothing => State::Waiting,
        })
    }

    async fn settled(
        &self,
        route: &Route,
        event: &Event,
        unwanted: Option<&'static str>,
    ) -> Result<State, Refused> {
        // What was in a checkpoint a moment ago may still be on its way to the store.
        for _ in 0..LOOKS_MAX {
            match self.written(route, event, unwanted).await? {
                Written::Known(state) => return Ok(state),
                Written::Held { .. } => self.pause().await,
                Written::Nothing => {
                    if self.store().delivery(route).await?.cursor >= event.id.offset {
                        // The cursor is kept together with what it passes, so what was missed just now is there.
                        let written = self.written(route, event, unwanted).await?;
                        return Ok(if let Written::Known(state) = written {
                            state
                        } else {
                            State::Done { told: None }
                        });
                    }
                    self.pause().await;
                }
            }
        }
        // Nothing is written at present, so nothing is known that would survive.
        Ok(State::Waiting)
    }

    async fn last_failure(&self, route: &Route, event: &Event) -> Result<String, Refused> {
        let failures = self.store().failures(route, event.id.offset).await?;
        Ok(failures.into_iter().last().map_or(String::new(), |failed| failed.failure.words))
    }

    async fn written(
        &self,
        route: &Route,
        event: &Event,
        unwanted: Option<&'static str>,
    ) -> Result<Written, Refused> {
        let offset = event.id.offset;
        if let Some(exception) = self.store().exception(route, offset).await? {
            let (attempts, last_failure) = (exception.attempts, exception.last_failure);
            return Ok(match exception.state {
                ExceptionState::Held { due_ms } => Written::Held { due_ms, attempts },
                ExceptionState::Parked { at_ms } => {
                    Written::Known(State::Parked { at_ms, attempts, last_failure })
                }
            });
        }
        let since_ms = event.recorded_ms.saturating_sub(DISORDER_MS);
        let told = self.store().delivered(route, offset, since_ms).await?;
        Ok(told.map_or(Written::Nothing, |told| Written::Known(State::told(&told, unwanted))))
    }

    pub(super) async fn advance(&self, route: &Route) -> Result<Advance, Refused> {
        if let Some(progress) = self.insist(route.lane, || self.steering.progress(route)).await? {
            return Ok(Advance { progress, is_elsewhere: false });
        }
        let state = self.store().delivery(route).await?;
        let held = state.held.iter().map(|exception| exception.recorded_ms);
        let next = self.store().events(route.lane, state.cursor, 1).await?;
        let progress = Progress {
            read_to: state.cursor,
            unsettled: state.held.len(),
            in_flight: 0,
            held: state.held.len(),
            parked: state.parked_count,
            oldest_recorded_ms: held.chain(next.iter().map(|event| event.recorded_ms)).min(),
            is_open: false,
        };
        Ok(Advance { progress, is_elsewhere: true })
    }

    /// Makes an endpoint be told again, and says how many events. A worker here ends what it is doing first, so that
    /// nothing else is told again; one on another node finds out when it writes something down, or looks.
    pub(super) async fn replay(&self, route: &Route, replay: &Replay) -> Result<u64, Refused> {
        let asked = self.insist(route.lane, || self.steering.replay(route, replay.clone())).await?;
        match asked {
            Some(replayed) => Ok(replayed),
            None => self.replay_elsewhere(route, replay).await,
        }
    }

    async fn replay_elsewhere(&self, route: &Route, replay: &Replay) -> Result<u64, Refused> {
        for _ in 0..LOOKS_MAX {
            let now_ms = self.chat.clock.now_ms();
            let replayed = self.store().replay(route, replay.clone(), now_ms).await?;
            // An event that was told a moment ago may not be written down as told, and is not told again before.
            let &Replay::One { offset } = replay else { return Ok(replayed) };
            if replayed > 0 || self.store().delivery(route).await?.cursor >= offset {
                return Ok(replayed);
            }
            self.pause().await;
        }
        Ok(0)
    }

    /// Asks a worker, which may not be there for a moment. `None` when the lane is told by another node.
    async fn insist<T, F>(&self, lane: Lane, ask: impl Fn() -> F) -> Result<Option<T>, Refused>
    where
        F: Future<Output = Result<T, SteerError>>,
    {
        for _ in 0..LOOKS_MAX {
            match ask().await {
                Err(SteerError::NotRunning) if !self.steering.is_here(lane) => return Ok(None),
                Err(SteerError::NotRunning) if !self.stop.is_cancelled() => self.pause().await,
                asked => return Ok(Some(asked?)),
            }
        }
        Err(SteerError::NotRunning.into())
    }

    async fn pause(&self) {
        tokio::select! {
            () = self.stop.cancelled() => {}
            () = sleep(Duration::from_millis(PAUSE_MS)) => {}
        }
    }

    /// One event of an app, if it is in the log.
    pub(super) async fn event(&self, id: EventId) -> Result<Option<Event>, Refused> {
        let Some(before) = id.offset.checked_sub(1) else { return Ok(None) };
        let found = self.store().events(id.lane, before, 1).await?;
        Ok(found.into_iter().find(|event| event.id == id))
    }

    /// The ways of all lanes to an endpoint.
    pub(super) fn routes(&self, app: AppId, endpoint: &EndpointId) -> impl Iterator<Item = Route> + use<> {
        routes(app, endpoint, self.store().lanes_per_app())
    }

    pub(super) fn has_lane(&self, lane: Lane) -> bool {
        lane.index < self.store().lanes_per_app()
    }
}

impl From<FailedAttempt> for Attempt {
    fn from(failed: FailedAttempt) -> Self {
        let FailedAttempt { number, at_ms, failure, .. } = failed;
        Self {
            number,
            at_ms,
            reason: failure.reason.name(),
            status: failure.status,
            latency_ms: failure.latency_ms,
            words: failure.words,
            answer: failure.answer,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_as_they_are_written() {
        let told = Told { at_ms: 5, attempt: 2, code: 0 };
        let behind = "evt_1_0_a_3".to_owned();
        let last_failure = "answered 400".to_owned();
        for (state, expected) in [
            (State::Done { told: Some(told) }, r#"{"state":"done","at_ms":5,"attempt":2,"code":0}"#),
            (State::Done { told: None }, r#"{"state":"done"}"#),
            (State::NotWanted { why: Some("senders") }, r#"{"state":"not_wanted","why":"senders"}"#),
            (State::NotWanted { why: None }, r#"{"state":"not_wanted"}"#),
            (State::Waiting, r#"{"state":"waiting"}"#),
            (State::InFlight { attempt: 1 }, r#"{"state":"in_flight","attempt":1}"#),
            (State::Retrying { due_ms: 9, attempts: 3 }, r#"{"state":"retrying","due_ms":9,"attempts":3}"#),
            (State::Behind { behind }, r#"{"state":"behind","behind":"evt_1_0_a_3"}"#),
            (
                State::Parked { at_ms: 7, attempts: 1, last_failure },
                r#"{"state":"parked","at_ms":7,"attempts":1,"last_failure":"answered 400"}"#,
            ),
        ] {
            assert_eq!(serde_json::to_string(&state).unwrap(), expected);
        }
    }
}
