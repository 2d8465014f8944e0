//! What a device asks about push to itself.

use super::{Asked, unavailable};
use chat::person::{ChangePerson, PersonChange, PersonChanged, PushProvider, PushToken};
use protocol::client::{Carrier, Reply, SetPushToken, TokenRequest};
use protocol::{ErrorCode, Failure};
use std::borrow::Cow;

impl Asked<'_> {
    pub(super) async fn token(
        &self,
        id: u64,
        request: TokenRequest<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), Failure> {
        let now_ms = self.gateway.chat.clock.now_ms();
        let change = match request {
            TokenRequest::Set(SetPushToken { provider, token, device }) => {
                let provider = match provider {
                    Carrier::Fcm => PushProvider::Fcm,
                    Carrier::Apns => PushProvider::Apns,
                };
                let device = self.device(device)?;
                PersonChange::SetToken(PushToken {
                    device,
                    provider,
                    token: token.into_owned(),
                    set_ms: now_ms,
                })
            }
            TokenRequest::Drop { device } => {
                PersonChange::DropToken { device: self.device(device)?, only: None }
            }
        };
        let (app, user) = (self.caller.app.id, self.caller.user);
        let change = ChangePerson { app, user, change, now_ms };
        match self.gateway.chat.change_person(change).await.map_err(unavailable)? {
            PersonChanged::Done(_) => {
                Reply::Done.write(id, out);
                Ok(())
            }
            PersonChanged::UnknownAccount => Err(ErrorCode::AccountNotFound.into()),
            PersonChanged::Refused(_) => unreachable!("nothing stands in the way of a token"),
        }
    }

    /// The device that is meant: by default the one that asks.
    fn device(&self, given: Option<Cow<'_, str>>) -> Result<String, Failure> {
        let own = || self.ear.device().map(str::to_owned);
        let device = given.map(Cow::into_owned).or_else(own);
        device.ok_or_else(|| {
            ErrorCode::FrameNotUnderstood.with("device is missing, and connect had no device_id")
        })
    }
}
