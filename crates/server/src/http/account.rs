//! `im_open_login_svc`: accounts are imported, looked up and deleted.

use super::{Call, Rest, store_failure};
use crate::translate;
use chat::UserId;
use chat::person::{ChangePerson, PersonChange};
use chat::port::{Account, PersonChanged};
use protocol::rest::account::{Check, Checked, Delete, Deleted, Import, Kick, MultiImport};
use protocol::rest::{self, Command};
use protocol::{ErrorCode, Failure};
use std::borrow::Cow;

impl Rest {
    pub(super) async fn import_account(&self, call: Call) -> Result<Vec<u8>, Failure> {
        let account = account(&Import::parse(&call.body)?)?;
        let now_ms = self.chat.clock.now_ms();
        let imported = self.chat.store.import_accounts(call.caller.app.id, vec![account], now_ms).await;
        imported.map_err(|error| store_failure(Command::AccountImport, &error))?;
        Ok(rest::ok().into())
    }

    pub(super) async fn import_accounts(&self, call: Call) -> Result<Vec<u8>, Failure> {
        let request = MultiImport::parse(&call.body)?;
        let accounts = request.accounts.iter().map(account).collect::<Result<_, _>>()?;
        let now_ms = self.chat.clock.now_ms();
        let imported = self.chat.store.import_accounts(call.caller.app.id, accounts, now_ms).await;
        imported.map_err(|error| store_failure(Command::MultiAccountImport, &error))?;
        // All of them are committed in one operation, so none can fail alone.
        Ok(MultiImport::answer(&[]))
    }

    pub(super) async fn check_accounts(&self, call: Call) -> Result<Vec<u8>, Failure> {
        let request = Check::parse(&call.body)?;
        let exist = self.chat.store.accounts_exist(call.caller.app.id, users(&request.user_ids)?).await;
        let exist = exist.map_err(|error| store_failure(Command::AccountCheck, &error))?;
        let items = request.user_ids.iter().zip(exist);
        let checked: Vec<_> = items.map(|(user_id, imported)| Checked { user_id, imported }).collect();
        Ok(Check::answer(&checked))
    }

    pub(super) async fn delete_accounts(&self, call: Call) -> Result<Vec<u8>, Failure> {
        let request = Delete::parse(&call.body)?;
        let users = users(&request.user_ids)?;
        // An app without an admin could not be served any more.
        if users.iter().any(|user| call.caller.app.is_admin(user)) {
            return Err(ErrorCode::AccountParameter.with("an admin's account cannot be deleted"));
        }
        let (chat, app) = (self.chat.clone(), call.caller.app.id);
        let existed = self.to_the_end(async move { chat.delete_accounts(app, users).await }).await;
        let existed = existed.map_err(|error| store_failure(Command::AccountDelete, &error))?;
        let unknown = ErrorCode::AccountNotFound.into();
        let items = request.user_ids.iter().zip(existed);
        let deleted: Vec<_> = items
            .map(|(user_id, existed)| Deleted { user_id, failure: (!existed).then_some(&unknown) })
            .collect();
        Ok(Delete::answer(&deleted))
    }

    /// An admin is logged out like anybody else, the caller included: there is no other way to call back a UserSig
    /// that got into wrong hands.
    pub(super) async fn kick(&self, call: Call) -> Result<Vec<u8>, Failure> {
        let user = user(&Kick::parse(&call.body)?.user_id)?;
        let (app, now_ms) = (call.caller.app.id, self.chat.clock.now_ms());
        let change = ChangePerson { app, user, change: PersonChange::Revoke, now_ms };
        let chat = self.chat.clone();
        let changed = self.to_the_end(async move { chat.change_person(change).await }).await;
        match changed.map_err(|error| store_failure(Command::Kick, &error))? {
            PersonChanged::Done(_) => Ok(rest::ok().into()),
            PersonChanged::UnknownAccount => Err(ErrorCode::AccountNotFound.into()),
            PersonChanged::Refused(_) => unreachable!("nothing stands in the way of a revocation"),
        }
    }
}

/// An account as the rules know it.
pub(super) fn account(import: &Import<'_>) -> Result<Account, Failure> {
    let nick = import.nick.as_ref().map(|nick| translate::nick(nick.to_string()));
    let face_url = import.face_url.as_ref().map(|url| translate::face_url(url.to_string()));
    Ok(Account {
        user: user(&import.user_id)?,
        profile: nick.into_iter().chain(face_url).collect(),
        issued_s: None,
    })
}

fn user(text: &str) -> Result<UserId, Failure> {
    UserId::new(text).ok_or_else(|| ErrorCode::AccountParameter.into())
}

fn users(texts: &[Cow<'_, str>]) -> Result<Vec<UserId>, Failure> {
    texts.iter().map(|text| user(text)).collect()
}
