//! Answers to what a device asks about who is online.

use crate::{
    client::presence::Presence,
    json::{self, write_json},
};

/// What is answered about who is online.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PresenceReply<'a> {
    /// To `status`: one for each user, in the order asked.
    Statuses(&'a [Presence<'a>]),
    /// To `subscribe`.
    Subscribed {
        /// As for `status`.
        statuses: &'a [Presence<'a>],
        /// Users whom this session does not watch any more, because it would watch too many.
        dropped: &'a [&'a str],
    },
}

impl PresenceReply<'_> {
    pub(super) fn write_members(&self, out: &mut Vec<u8>) {
        match self {
            PresenceReply::Statuses(statuses) => write_statuses(out, statuses),
            PresenceReply::Subscribed { statuses, dropped } => {
                write_statuses(out, statuses);
                if !dropped.is_empty() {
                    json::raw(out, br#","dropped":"#);
                    json::array(out, dropped, |out, user_id| json::string(out, user_id));
                }
            }
        }
    }
}

fn write_statuses(out: &mut Vec<u8>, statuses: &[Presence<'_>]) {
    json::raw(out, br#""statuses":"#);
    json::array(out, statuses, |out, presence| {
        write_json!(out, "{");
        presence.write_members(out);
        write_json!(out, "}");
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::{Reply, presence::Reach};

    fn frame(reply: PresenceReply<'_>) -> String {
        let mut out = Vec::new();
        Reply::Presence(reply).write(2, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn answers_to_the_letter() {
        let statuses = [
            Presence { user_id: "bo", status: Reach::Online, custom: "in a \"meeting\"" },
            Presence { user_id: "cy", status: Reach::Unknown, custom: "" },
        ];
        let written = r#""statuses":[{"user_id":"bo","status":"Online","custom":"in a \"meeting\""},{"user_id":"cy","status":"Unknown","custom":""}]"#;
        let table = [
            (PresenceReply::Statuses(&statuses), format!(r#"{{"id":2,"ok":{{{written}}}}}"#)),
            (PresenceReply::Statuses(&[]), r#"{"id":2,"ok":{"statuses":[]}}"#.to_owned()),
            (
                PresenceReply::Subscribed { statuses: &statuses, dropped: &[] },
                format!(r#"{{"id":2,"ok":{{{written}}}}}"#),
            ),
            (
                PresenceReply::Subscribed { statuses: &statuses, dropped: &["ana", "dan"] },
                format!(r#"{{"id":2,"ok":{{{written},"dropped":["ana","dan"]}}}}"#),
            ),
        ];
        for (reply, expected) in table {
            assert_eq!(frame(reply), expected);
        }
    }
}
