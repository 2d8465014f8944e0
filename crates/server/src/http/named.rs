//! A message that a call names, and the two people it is between.

use super::{Call, Rest, store_failure};
use crate::translate;
use chat::alter::{Act, NotAltered};
use chat::port::{Alter, Altered, MessageKey};
use chat::{AppId, UserId};
use protocol::rest::{self, Command};
use protocol::{ErrorCode, Failure, MsgKey};

/// A message by its people and its key.
#[derive(Debug, Clone, Copy)]
pub(super) struct Named {
    pub(super) from: UserId,
    pub(super) to: UserId,
    pub(super) key: MessageKey,
}

impl Named {
    pub(super) fn new(from: &str, to: &str, key: &MsgKey) -> Result<Self, Failure> {
        let [from, to] = people(from, to)?;
        Ok(Self { from, to, key: translate::history_key(key) })
    }

    /// Something that `by` does to the message.
    pub(super) fn alter(self, call: &Call, by: UserId, act: Act, now_ms: u64) -> Alter {
        let Self { from, to, key } = self;
        let origin = translate::rest_origin(call.ip);
        Alter { app: call.caller.app.id, from, to, key, by, act, now_ms, origin }
    }
}

/// The people of a call: who sent or does something, and the other one.
pub(super) fn people(one: &str, other: &str) -> Result<[UserId; 2], Failure> {
    let one = UserId::new(one).ok_or(ErrorCode::BadFromAccount)?;
    let other = UserId::new(other).ok_or(ErrorCode::BadToAccount)?;
    Ok([one, other])
}

impl Rest {
    /// Does to a message what the calling admin wants.
    pub(super) async fn alter(
        &self,
        command: Command,
        call: &Call,
        message: Named,
        act: Act,
    ) -> Result<Vec<u8>, Failure> {
        let alter = message.alter(call, call.caller.user, act, self.chat.clock.now_ms());
        let app = alter.app;
        let altered = self.chat.alter(alter).await;
        match altered.map_err(|error| store_failure(command, &error))? {
            Altered::Done { .. } | Altered::Unchanged => Ok(rest::ok().into()),
            Altered::Refused(refusal) => {
                if refusal == NotAltered::NotFound {
                    self.both_exist(command, app, [message.from, message.to]).await?;
                }
                Err(translate::not_altered_code(refusal).into())
            }
        }
    }

    /// Refuses when one of two people has no account. Asked when nothing was found between them, and not before: who
    /// is gone may still be in the history of the other.
    pub(super) async fn both_exist(
        &self,
        command: Command,
        app: AppId,
        people: [UserId; 2],
    ) -> Result<(), Failure> {
        let exist = self.chat.store.accounts_exist(app, people.to_vec()).await;
        match exist.map_err(|error| store_failure(command, &error))?[..] {
            [true, true] => Ok(()),
            [false, ..] => Err(translate::unknown_sender()),
            _ => Err(translate::unknown_recipient()),
        }
    }
}
