//! The bus as the rules see it. The world then carries what was handed to it, and may lose, delay, double and
//! reorder it.

use crate::stage::{Stage, Word};
use chat::port::{Bus, Hint};
use chat::{AppId, Lane, Message, UserId};
use std::sync::Arc;

#[derive(Debug)]
pub(crate) struct LossyBus(pub(crate) Arc<Stage>);

impl LossyBus {
    fn take(&self, word: Word) {
        self.0.lock().hand_over(word);
    }
}

impl Bus for LossyBus {
    fn user_changed(&self, app: AppId, user: UserId, hint: Hint) {
        self.take(Word::Changed { app, user, hint });
    }

    fn online_message(&self, app: AppId, user: UserId, message: Arc<Message>) {
        let delivery = message.delivery;
        assert!(delivery.online_only, "only such a message goes round the log");
        assert!(!delivery.hidden_from_recipient, "whoever does not want a message does not get it");
        self.take(Word::Online { app, user });
    }

    fn event_recorded(&self, lane: Lane) {
        self.take(Word::Recorded { lane });
    }

    fn revoked(&self, app: AppId, user: UserId, revoked_s: u64) {
        self.take(Word::Revoked { app, user, revoked_s });
    }
}
