//! `openim/importmsg`: a message of another time is put into the history.

use super::{Call, Rest, store_failure};
use crate::translate;
use chat::port::Imported;
use protocol::rest::import::ImportMessage;
use protocol::rest::{self, Command};
use protocol::{ErrorCode, Failure};

impl Rest {
    pub(super) async fn import_message(&self, call: Call) -> Result<Vec<u8>, Failure> {
        let wire = ImportMessage::parse(&call.body)?;
        let now_s = self.chat.clock.now_ms() / 1000;
        let app = &call.caller.app;
        let import = translate::import(app.id, &call.body, wire, &app.rules, now_s)?;
        let imported = self.chat.import(app.id, vec![import]).await;
        let imported = imported.map_err(|error| store_failure(Command::ImportMsg, &error))?;
        if imported.contains(&Imported::UnknownAccount) {
            return Err(ErrorCode::AccountUnknown.into());
        }
        Ok(rest::ok().into())
    }
}
