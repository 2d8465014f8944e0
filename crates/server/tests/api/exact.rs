//! What a test has to know to the letter: keys, counts and refusals.

use crate::app::{ADMIN, SDKAPPID, TestApp, query, text_body};
use serde_json::Value;

/// What a command is answered that was refused.
pub(crate) fn refused(code: u32, info: &str) -> String {
    format!(r#"{{"ActionStatus":"FAIL","ErrorCode":{code},"ErrorInfo":"{info}"}}"#)
}

impl TestApp {
    /// Calls REST as it should be called, and does not put the answer into normal form.
    pub(crate) async fn rest_exactly(&self, command: &str, body: &str) -> Value {
        let query = query(SDKAPPID, ADMIN, &self.usersig(ADMIN));
        serde_json::from_str(&self.call_exactly(command, &query, body).await).unwrap()
    }

    /// Sends a text that must be accepted, and returns its `MsgKey`; `more` are further members, each with a comma in
    /// front.
    pub(crate) async fn send_for_key(
        &self,
        [from, to]: [&str; 2],
        random: u32,
        text: &str,
        more: &str,
    ) -> String {
        let body = format!(
            r#"{{"From_Account":"{from}","To_Account":"{to}","MsgRandom":{random},"MsgBody":{}{more}}}"#,
            text_body(text)
        );
        let answer = self.rest_exactly("openim/sendmsg", &body).await;
        answer["MsgKey"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    }

    /// What is unread to a user: in all conversations, and in the one with `peer`.
    pub(crate) async fn unread(&self, user: &str, peer: &str) -> (u64, u64) {
        const UNREAD: &str = "openim/get_c2c_unread_msg_num";
        let all = self.rest_exactly(UNREAD, &format!(r#"{{"To_Account":"{user}"}}"#)).await;
        let body = format!(r#"{{"To_Account":"{user}","Peer_Account":["{peer}"]}}"#);
        let single = self.rest_exactly(UNREAD, &body).await;
        let all = all["AllC2CUnreadMsgNum"].as_u64().unwrap_or_else(|| panic!("{all}"));
        let single = single["C2CUnreadMsgNumList"][0]["C2CUnreadMsgNum"].as_u64();
        (all, single.unwrap_or_else(|| panic!("nothing about {peer}")))
    }
}
