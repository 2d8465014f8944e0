//! After a conversation is read.

use crate::{callback::CallbackCommand, json::write_json};

/// The body of `C2C.CallbackAfterMsgReport`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AfterMsgReport<'a> {
    /// `Report_Account`: who has read.
    pub reader: &'a str,
    /// `Peer_Account`: whose messages.
    pub peer: &'a str,
    /// `LastReadTime`: everything up to this `MsgTime` is read.
    pub last_read_s: u64,
    /// `UnreadMsgNum`: the reader's unread messages in all conversations, afterwards.
    pub unread: u64,
    /// `EventTime`, in Unix milliseconds.
    pub event_time_ms: u64,
}

impl AfterMsgReport<'_> {
    /// Appends the body.
    pub fn write(&self, out: &mut Vec<u8>) {
        write_json!(
            out,
            r#"{"CallbackCommand":"#,
            string(CallbackCommand::C2cAfterMsgReport.as_str()),
            r#","Report_Account":"#,
            string(self.reader),
            r#","Peer_Account":"#,
            string(self.peer),
            r#","LastReadTime":"#,
            number(self.last_read_s),
            r#","UnreadMsgNum":"#,
            number(self.unread),
            r#","EventTime":"#,
            number(self.event_time_ms),
            "}",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::callback::body::written;

    #[test]
    fn a_read_report_to_the_letter() {
        let report =
            AfterMsgReport { reader: "bo", peer: "ana", last_read_s: 7, unread: 2, event_time_ms: 7_001 };
        assert_eq!(
            written(|out| report.write(out)),
            r#"{"CallbackCommand":"C2C.CallbackAfterMsgReport","Report_Account":"bo","Peer_Account":"ana","LastReadTime":7,"UnreadMsgNum":2,"EventTime":7001}"#
        );
    }
}
