//! `im_open_login_svc`: accounts are imported, looked up and deleted.

use super::{Call, Rest, store_failure};
use chat::UserId;
use chat::port::Account;
use protocol::rest::account::{Check, Checked, Delete, Deleted, Import, MultiImport};
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
        let now_ms = self.chat.clock.now_ms();
        let existed = self.chat.store.delete_accounts(call.caller.app.id, users, now_ms).await;
        let existed = existed.map_err(|error| store_failure(Command::AccountDelete, &error))?;
        let unknown = ErrorCode::AccountNotFound.into();
        let items = request.user_ids.iter().zip(existed);
        let deleted: Vec<_> = items
            .map(|(user_id, existed)| Deleted { user_id, failure: (!existed).then_some(&unknown) })
            .collect();
        Ok(Delete::answer(&deleted))
    }
}

fn account(import: &Import<'_>) -> Result<Account, Failure> {
    let text = |value: &Option<Cow<'_, str>>| value.as_ref().map(|value| value.clone().into_owned());
    Ok(Account { user: user(&import.user_id)?, nick: text(&import.nick), face_url: text(&import.face_url) })
}

fn user(text: &str) -> Result<UserId, Failure> {
    UserId::new(text).ok_or_else(|| ErrorCode::AccountParameter.into())
}

fn users(texts: &[Cow<'_, str>]) -> Result<Vec<UserId>, Failure> {
    texts.iter().map(|text| user(text)).collect()
}
