//! Records that a message found no device, for backends that want to hear of it.

use super::{Surroundings, may_be_missed, watch_id};
use crate::callback::{Addressee, ours};
use crate::config::Callback;
use async_trait::async_trait;
use chat::AppId;
use chat::dispatch::{FailureKind, FailureReason, Receipt, Verdict};
use chat::event::{Event, EventDraft, Fact, MessageName, MissedMessage};
use chat::port::{EndpointId, StoreError};
use std::any::Any;

/// Looks, for every message that was stored, whether anybody was there. What it records is told like any other event,
/// and is recorded again if a crash comes between the record and its checkpoint.
#[derive(Debug)]
pub struct Watch {
    app: AppId,
    id: EndpointId,
    settings: Callback,
    surroundings: Surroundings,
}

impl Watch {
    pub fn new(app: AppId, settings: Callback, surroundings: Surroundings) -> Self {
        Self { app, id: watch_id(), settings, surroundings }
    }

    /// Whether an event was recorded.
    async fn look(&self, event: &Event, name: MessageName) -> Result<bool, StoreError> {
        let Surroundings { chat, bus, .. } = &self.surroundings;
        if bus.is_online(self.app, name.to).await {
            return Ok(false);
        }
        let found = chat.store.find(event.conversation, name.key()).await?;
        let there = |message: &chat::Message| !message.fate.recalled && message.visible_to(&name.to);
        let Some(message) = found.map(|found| found.message).filter(there) else { return Ok(false) };
        let unread = chat.store.inbox(self.app, name.to).await?.map_or(0, |inbox| inbox.unread);
        let fact = Fact::Missed(MissedMessage {
            message: name,
            unread,
            body: message.body,
            custom_data: message.custom_data,
        });
        let draft = EventDraft::new(self.app, chat.clock.now_ms(), event.origin, fact);
        Ok(chat.record(draft).await?.is_some())
    }
}

#[async_trait]
impl Addressee for Watch {
    fn app(&self) -> AppId {
        self.app
    }

    fn id(&self) -> &EndpointId {
        &self.id
    }

    fn settings(&self) -> &Callback {
        &self.settings
    }

    fn is_same(&self, other: &dyn Addressee) -> bool {
        let other: &dyn Any = other;
        other.downcast_ref::<Self>().is_some_and(|other| other.settings == self.settings)
    }

    async fn tell(&self, event: &Event) -> Verdict {
        let Some(name) = may_be_missed(event) else { return Verdict::Done(Receipt::NotWanted) };
        match self.look(event, name).await {
            Ok(true) => Verdict::Done(Receipt::Answered { code: 0 }),
            Ok(false) => Verdict::Done(Receipt::NotWanted),
            Err(error) => ours(FailureKind::Ours, FailureReason::Unreadable, error.to_string()),
        }
    }
}
