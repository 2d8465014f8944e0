//! `openim/admin_msgwithdraw`: a message is taken back, however old it is.

use super::named::Named;
use super::{Call, Rest};
use chat::alter::Act;
use protocol::Failure;
use protocol::rest::Command;
use protocol::rest::recall::Recall;

impl Rest {
    pub(super) async fn recall(&self, call: Call) -> Result<Vec<u8>, Failure> {
        let request = Recall::parse(&call.body)?;
        let message = Named::new(&request.from, &request.to, &request.key)?;
        self.alter(Command::RecallMsg, &call, message, Act::Recall).await
    }
}
