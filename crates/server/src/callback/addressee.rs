//! Whoever events are told to, as the workers see them.

use super::call::Caller;
use super::verdict;
use crate::config::Callback;
use crate::endpoint::Endpoint;
use crate::render;
use async_trait::async_trait;
use chat::AppId;
use chat::dispatch::{Receipt, Verdict};
use chat::event::Event;
use chat::port::EndpointId;
use std::any::Any;
use std::sync::Arc;

/// Somebody who is told an app's events, from the log and until each is done or parked: an endpoint of its backend, or
/// one of the parts of this server that follow the log.
#[async_trait]
pub trait Addressee: Any + Send + Sync {
    fn app(&self) -> AppId;

    /// Names the cursor that is kept for it, so it has to stay the same for ever.
    fn id(&self) -> &EndpointId;

    /// How it is told: how many at the same time, when again, and when no more.
    fn settings(&self) -> &Callback;

    /// Whether workers that serve the other one serve this one as well.
    fn is_same(&self, other: &dyn Addressee) -> bool;

    /// Tells it one event. Has to end within the settings' time for a call: later, the attempt counts as lost, and
    /// the event is told again.
    async fn tell(&self, event: &Event) -> Verdict;
}

/// An endpoint as it was declared, and the connections to it.
#[async_trait]
impl Addressee for Caller {
    fn app(&self) -> AppId {
        self.endpoint.app
    }

    fn id(&self) -> &EndpointId {
        &self.endpoint.id
    }

    fn settings(&self) -> &Callback {
        &self.endpoint.settings
    }

    fn is_same(&self, other: &dyn Addressee) -> bool {
        endpoint_of(other) == Some(&self.endpoint)
    }

    async fn tell(&self, event: &Event) -> Verdict {
        if self.endpoint.wants_event(event).is_err() {
            return Verdict::Done(Receipt::NotWanted);
        }
        let callback = render::event(event);
        let begun_ms = self.now_ms();
        let result = self.call(&callback).await;
        let latency_ms = self.now_ms().saturating_sub(begun_ms);
        verdict::verdict(&result, latency_ms, self.endpoint.settings.retry_on_error_code)
    }
}

fn endpoint_of(addressee: &dyn Addressee) -> Option<&Arc<Endpoint>> {
    let addressee: &dyn Any = addressee;
    addressee.downcast_ref::<Caller>().map(|caller| &caller.endpoint)
}
