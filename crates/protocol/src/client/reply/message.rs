//! Answers to what a device does with messages.

use crate::{
    MsgKey,
    code::{ErrorCode, Failure},
    json::{self, write_json},
    rest::{extension::Extension, roam::RoamMessage},
};

/// What messages are asked for.
#[derive(Debug, Clone, Copy)]
pub enum MessageReply<'a> {
    /// To `history`.
    History(HistoryPage<'a>),
    /// To `edit`: the message as it is now.
    Edited(RoamMessage<'a>),
    /// To `receipts`: of the messages that are there, in the order asked.
    Receipts(&'a [Receipt]),
    /// To `extensions`: in the order of their numbers.
    Extensions(&'a [Extension<'a>]),
    /// To `extend`: what became of each pair, in the order asked.
    Extended(&'a [Extended<'a>]),
}

/// A page of a conversation.
#[derive(Debug, Clone, Copy)]
pub struct HistoryPage<'a> {
    /// From old to new.
    pub messages: &'a [RoamMessage<'a>],
    /// What the next page goes on behind; `None` when nothing is left in the direction of the page.
    pub next: Option<MsgKey>,
}

/// Whether a message has been confirmed by its recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    /// The message.
    pub key: MsgKey,
    /// It has.
    pub confirmed: bool,
}

/// What became of a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extended<'a> {
    /// The pair as it is now. One that is not there has an empty value, and the number 0 if it was not there before.
    pub pair: Extension<'a>,
    /// Why it could not be changed.
    pub refusal: Option<ErrorCode>,
}

impl MessageReply<'_> {
    pub(super) fn write_members(&self, out: &mut Vec<u8>) {
        match self {
            MessageReply::History(page) => page.write_members(out),
            MessageReply::Edited(message) => {
                out.reserve(message.len_estimate());
                write_json!(out, r#""version":"#, number(message.version), r#","message":"#);
                message.write(out);
            }
            MessageReply::Receipts(receipts) => {
                json::raw(out, br#""receipts":"#);
                json::array(out, receipts, |out, receipt| {
                    let Receipt { key, confirmed } = receipt;
                    write_json!(out, r#"{"key":"#, key(key), r#","confirmed":"#, boolean(*confirmed), "}");
                });
            }
            MessageReply::Extensions(pairs) => {
                out.reserve(pairs.iter().map(Extension::len_estimate).sum());
                json::raw(out, br#""extensions":"#);
                json::array(out, pairs, |out, pair| {
                    out.push(b'{');
                    pair.write_members(out);
                    out.push(b'}');
                });
            }
            MessageReply::Extended(results) => {
                json::raw(out, br#""results":"#);
                json::array(out, results, |out, result| {
                    out.push(b'{');
                    result.pair.write_members(out);
                    let code = result.refusal.map_or(0, ErrorCode::number);
                    write_json!(out, r#","code":"#, number(u64::from(code)), "}");
                });
            }
        }
    }
}

impl HistoryPage<'_> {
    fn write_members(&self, out: &mut Vec<u8>) {
        out.reserve(self.messages.iter().map(RoamMessage::len_estimate).sum());
        json::raw(out, br#""messages":"#);
        json::array(out, self.messages, |out, message| message.write(out));
        write_json!(out, r#","complete":"#, boolean(self.next.is_none()), r#","next":"#);
        match &self.next {
            Some(key) => json::key(out, key),
            None => json::raw(out, b"null"),
        }
    }
}

/// Appends the frame that refuses to edit a message which has another version than the edit was meant for: with the
/// message as it is now.
pub fn refuse_edit(id: u64, failure: &Failure, message: &RoamMessage<'_>, out: &mut Vec<u8>) {
    super::begin_refusal(Some(id), failure, out);
    json::raw(out, br#","message":"#);
    message.write(out);
    json::raw(out, b"}}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Reply;

    const KEY: MsgKey = MsgKey { seq: 7, random: 4021, time_s: 1_760_000_000 };
    const SHOWN: &str = r#"{"From_Account":"ada","To_Account":"bo","MsgSeq":7,"MsgRandom":4021,"MsgTimeStamp":1760000000,"MsgFlagBits":0,"IsPeerRead":0,"MsgKey":"7_4021_1760000000","MsgId":"9-8-4021","MsgBody":[],"CloudCustomData":"c","MsgClientTime":8,"MsgVersion":3,"IsNeedReadReceipt":0,"SupportMessageExtension":0}"#;

    fn message() -> RoamMessage<'static> {
        RoamMessage {
            from: "ada",
            to: "bo",
            key: KEY,
            msg_id: "9-8-4021",
            flag_bits: 0,
            is_peer_read: false,
            body: b"[]",
            custom_data: "c",
            client_time_s: 8,
            version: 3,
            needs_read_receipt: false,
            supports_extension: false,
            has_risk_content: false,
        }
    }

    #[test]
    fn frames_to_the_letter() {
        let pair = Extension { key: "k", value: "v", seq: 3 };
        let gone = Extension { key: "l", value: "", seq: 0 };
        let table = [
            (
                MessageReply::History(HistoryPage { messages: &[message()], next: Some(KEY) }),
                format!(r#"{{"id":2,"ok":{{"messages":[{SHOWN}],"complete":false,"next":"7_4021_1760000000"}}}}"#),
            ),
            (
                MessageReply::Edited(message()),
                format!(r#"{{"id":2,"ok":{{"version":3,"message":{SHOWN}}}}}"#),
            ),
            (
                MessageReply::Receipts(&[
                    Receipt { key: KEY, confirmed: true },
                    Receipt { key: KEY, confirmed: false },
                ]),
                r#"{"id":2,"ok":{"receipts":[{"key":"7_4021_1760000000","confirmed":true},{"key":"7_4021_1760000000","confirmed":false}]}}"#.to_owned(),
            ),
            (
                MessageReply::Extensions(&[pair]),
                r#"{"id":2,"ok":{"extensions":[{"Key":"k","Value":"v","Seq":3}]}}"#.to_owned(),
            ),
            (
                MessageReply::Extended(&[
                    Extended { pair: gone, refusal: None },
                    Extended { pair, refusal: Some(ErrorCode::ExtensionConflict) },
                ]),
                r#"{"id":2,"ok":{"results":[{"Key":"l","Value":"","Seq":0,"code":0},{"Key":"k","Value":"v","Seq":3,"code":23001}]}}"#.to_owned(),
            ),
        ];
        for (reply, expected) in table {
            let mut out = Vec::new();
            Reply::Message(reply).write(2, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
        let mut out = Vec::new();
        refuse_edit(2, &ErrorCode::MessageVersionConflict.with("no"), &message(), &mut out);
        let expected =
            format!(r#"{{"id":2,"error":{{"code":20027,"text":"no","temporary":false,"message":{SHOWN}}}}}"#);
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}
