//! What others hear of a device that comes or goes: the app's backend, if it wants that, and users who watch.

use super::socket::End;
use super::{Gateway, presence};
use crate::credentials::Caller;
use chat::Platform;
use chat::event::{EventDraft, Fact, Origin, StateAction, StateChange};
use chat::person::{ChangePerson, PersonChange, Reachable};
use protocol::CloseCode;
use protocol::client::KickReason;
use std::sync::Arc;

/// How long a phone that went without a word can be reached by push.
const REACHABLE_SECS: u64 = 7 * 24 * 60 * 60;

/// One device's state, which outlives its session by a moment.
pub(super) struct State {
    pub gateway: Arc<Gateway>,
    pub caller: Caller,
    pub origin: Origin,
}

impl State {
    /// The device has logged in, and others had to go for it.
    pub(super) async fn came(&self, kicked: Vec<Platform>) {
        self.record(StateAction::Login, kicked).await;
    }

    /// The session has ended.
    pub(super) async fn went(&self, end: End, has_left: bool) {
        let action = match end {
            End::Closed(CloseCode::HeartbeatTimeout) => StateAction::TimedOut,
            _ if has_left => StateAction::Logout,
            _ => StateAction::LinkClosed,
        };
        // The login that a session had to go for has told that, or it is the same device that is still there.
        if !matches!(end, End::Kicked(KickReason::OtherDevice | KickReason::SameDevice)) {
            self.record(action, Vec::new()).await;
        }
        // Whoever is logged out cannot be reached where they were.
        if !matches!(end, End::Kicked(_)) {
            self.note_reach(action).await;
        }
        presence::tell_if_gone(&self.gateway, self.caller.app.id, self.caller.user).await;
    }

    /// Push does not go to a device whose user has logged out there, or had to.
    pub(super) async fn forget_token(&self, device: Option<String>) {
        // A browser has no token, and comes and goes more often than anything else.
        let Some(device) = device.filter(|_| self.origin.platform != Platform::Web) else { return };
        let (app, user, chat) = (self.caller.app.id, self.caller.user, &self.gateway.chat);
        let change = PersonChange::DropToken { device, only: None };
        let change = ChangePerson { app, user, change, now_ms: chat.clock.now_ms() };
        if let Err(error) = chat.change_person(change).await {
            tracing::error!(%app, %user, %error, "push may still reach a device that was logged out");
        }
    }

    async fn record(&self, action: StateAction, kicked: Vec<Platform>) {
        let (app, user, chat) = (self.caller.app.id, self.caller.user, &self.gateway.chat);
        let wants = self.gateway.credentials.app(app.0).is_some_and(|app| app.state_changes);
        if !wants {
            return;
        }
        let fact = Fact::State(StateChange { user, action, kicked });
        if let Err(error) = chat.record(EventDraft::new(app, chat.clock.now_ms(), self.origin, fact)).await {
            tracing::error!(%app, %user, ?action, %error, "the backend will not hear of this");
        }
    }

    /// Keeps whether push may reach the user where this device was.
    async fn note_reach(&self, action: StateAction) {
        let platform = self.origin.platform;
        if !matches!(platform, Platform::Android | Platform::Ios | Platform::Ipad) {
            return;
        }
        let (app, user, chat) = (self.caller.app.id, self.caller.user, &self.gateway.chat);
        let now_ms = chat.clock.now_ms();
        let until_s = match action {
            StateAction::Logout => 0,
            StateAction::Login | StateAction::LinkClosed | StateAction::TimedOut => {
                now_ms / 1000 + REACHABLE_SECS
            }
        };
        let reach = Reachable { platform, until_s };
        let change = PersonChange::Reach { reach, issued_s: self.caller.issued_s };
        if let Err(error) = chat.change_person(ChangePerson { app, user, change, now_ms }).await {
            tracing::error!(%app, %user, ?action, %error, "whether push may reach the user was not kept");
        }
    }
}
