//! A callback as one line for a person.

use super::line::{Line, Paint};
use crate::cli::moment::time_of_day;
use crate::cli::output::{element, shortened};
use crate::receiver::{Received, Refused};
use protocol::callback::{CallbackCommand, ReceivedQuery};
use serde_json::Value;

/// Longest part of a text that is shown.
const TEXT_CHARS_MAX: usize = 60;
/// Longest part of an id that is shown or counted under; ids of users have 32 bytes at most.
const NAME_CHARS_MAX: usize = 48;
/// Members of a list that are shown.
const LIST_LEN_MAX: usize = 4;
/// Event times below this are seconds, as in the callback about pushes, and too coarse to measure with.
const TIME_MS_MIN: u64 = 100_000_000_000;

/// What a person wants to see of a callback, whichever one it is. A body may have any shape: what is not there is
/// shown as nothing.
#[derive(Debug)]
pub(super) struct Seen {
    pub command: String,
    kind: Option<CallbackCommand>,
    platform: String,
    body: Value,
}

impl Seen {
    pub(super) fn of(received: &Received) -> Self {
        let body: Value = serde_json::from_str(received.body.get()).unwrap_or_default();
        let query = ReceivedQuery::parse(query_of(&received.url));
        // One callback is named in its URL alone.
        let command = body["CallbackCommand"].as_str().unwrap_or(&query.command);
        Self {
            kind: CallbackCommand::parse(command),
            command: shortened(command, NAME_CHARS_MAX),
            platform: shortened(query.platform.as_deref().unwrap_or_default(), NAME_CHARS_MAX),
            body,
        }
    }

    pub(super) fn kind(&self) -> Option<CallbackCommand> {
        self.kind
    }

    /// Of a message that was sent: 0, or the code with which it failed.
    pub(super) fn result(&self) -> Option<u32> {
        integer(&self.body["SendMsgResult"]).map(|code| u32::try_from(code).unwrap_or(u32::MAX))
    }

    pub(super) fn sender(&self) -> String {
        self.name("From_Account")
    }

    /// Everybody it is about.
    pub(super) fn users(&self) -> Vec<&str> {
        let pairs = self.body["PairList"].as_array().map(Vec::as_slice).unwrap_or_default();
        let own =
            ["From_Account", "To_Account", "Report_Account", "Peer_Account"].map(|name| &self.body[name]);
        let of_pairs = pairs.iter().flat_map(|pair| [&pair["From_Account"], &pair["To_Account"]]);
        own.into_iter()
            .chain([&self.body["Info"]["To_Account"]])
            .chain(of_pairs)
            .filter_map(Value::as_str)
            .filter(|user| !user.is_empty())
            .collect()
    }

    /// The two whose conversation it is about, in an order that does not depend on who wrote to whom.
    pub(super) fn conversation(&self) -> Option<(&str, &str)> {
        if !self.command.starts_with("C2C.") && !self.command.starts_with("Bot.") {
            return None;
        }
        let either = |one: &str, other: &str| self.body[one].as_str().or_else(|| self.body[other].as_str());
        let from = either("From_Account", "Report_Account")?;
        let to = either("To_Account", "Peer_Account")?;
        Some((from.min(to), from.max(to)))
    }

    /// How long ago it happened. Questions are not told of what happened.
    pub(super) fn latency_ms(&self, at_ms: u64) -> Option<u64> {
        if self.kind.is_some_and(CallbackCommand::is_question) {
            return None;
        }
        let event_time_ms = u64::try_from(integer(&self.body["EventTime"])?).ok()?;
        // The clocks of two machines differ: what comes before it happened has taken no time.
        (event_time_ms >= TIME_MS_MIN).then(|| at_ms.saturating_sub(event_time_ms))
    }

    pub(super) fn to_line(&self, at_ms: u64) -> Line {
        let line = Line::at(at_ms).with(Paint::Command, format!("{:<28}", self.command));
        let Some(kind) = self.kind else { return self.people(line) };
        match kind {
            CallbackCommand::C2cBeforeSendMsg => {
                self.people(line).with(Paint::Plain, self.text()).with(Paint::Plain, "may it be sent?")
            }
            CallbackCommand::C2cAfterSendMsg | CallbackCommand::BotOnC2cMessage => self.sent(line),
            CallbackCommand::C2cAfterMsgReport => self.read(line),
            CallbackCommand::C2cAfterMsgReadReceipt => line
                .with(Paint::Plain, format!("{} has read single messages of {}", self.reader(), self.peer())),
            CallbackCommand::C2cAfterMsgWithDraw => {
                let line = self.people(line).with(Paint::Bad, format!("recalled {}", self.name("MsgKey")));
                line.with(Paint::Plain, self.unread())
            }
            CallbackCommand::C2cAfterModifyMsg => {
                let line = self.people(line).with(Paint::Plain, format!("now {}", self.text()));
                line.with(Paint::Plain, format!("edited{}", self.by_another("Operator_Account")))
            }
            CallbackCommand::C2cAfterMsgExtension => self.people(line).with(Paint::Plain, self.extension()),
            CallbackCommand::ChatbotOnC2cSignalMessage => {
                self.people(line).with(Paint::Plain, format!("signal {}", quoted(&self.body["Data"])))
            }
            CallbackCommand::StateChange => self.state(line),
            CallbackCommand::ProfilePortraitSet => line.with(Paint::Plain, self.profile()),
            CallbackCommand::SnsPrevFriendAdd => line.with(Paint::Plain, self.friend_wanted()),
            CallbackCommand::SnsPrevFriendResponse => line.with(Paint::Plain, self.friend_answer()),
            CallbackCommand::SnsFriendAdd => line.with(Paint::Plain, self.pairs("added", " as a friend")),
            CallbackCommand::SnsFriendDelete => {
                line.with(Paint::Plain, self.pairs("removed", " from the friends"))
            }
            CallbackCommand::SnsBlackListAdd => line.with(Paint::Plain, self.pairs("blocked", "")),
            CallbackCommand::SnsBlackListDelete => line.with(Paint::Plain, self.pairs("unblocked", "")),
            CallbackCommand::CoupletMsgOffline => {
                let line = self.people(line).with(Paint::Plain, self.text());
                line.with(Paint::Plain, "no device was there").with(Paint::Plain, self.unread())
            }
            CallbackCommand::PushOfflinePush => self.push(line),
            CallbackCommand::ContentResultNotify => self.judged(line),
            CallbackCommand::AlertRequestOverLimit => {
                let [request, limit] =
                    ["Request", "Limit"].map(|name| integer(&self.body[name]).unwrap_or(0));
                let api = format!("{}/{}", self.name("ServiceName"), self.name("Command"));
                line.with(
                    Paint::Bad,
                    format!("{api} is called {request} times a second, {limit} are allowed"),
                )
            }
        }
    }

    fn people(&self, line: Line) -> Line {
        let (from, to) = (self.name("From_Account"), self.name("To_Account"));
        let people = match (&*from, &*to) {
            ("", "") => String::new(),
            (from, "") => from.to_owned(),
            (from, to) => format!("{from} → {to}"),
        };
        line.with(Paint::Plain, people)
    }

    fn sent(&self, line: Line) -> Line {
        let line = self.people(line).with(Paint::Plain, self.text());
        let line = match self.result() {
            Some(0) => line.with(Paint::Good, "delivered"),
            Some(code) => line.with(Paint::Bad, format!("failed {code}: {}", self.name("ErrorInfo"))),
            None => line,
        };
        let online_only = integer(&self.body["OnlineOnlyFlag"]) == Some(1);
        line.with(Paint::Plain, if online_only { "online only" } else { "" })
            .with(Paint::Plain, self.unread())
    }

    fn read(&self, line: Line) -> Line {
        let until = integer(&self.body["LastReadTime"]).and_then(|time_s| u64::try_from(time_s).ok());
        let until = until.map_or(String::new(), |time_s| format!(" up to {}", time_of_day(time_s)));
        line.with(Paint::Plain, format!("{} has read {}{until}", self.reader(), self.peer()))
            .with(Paint::Plain, self.unread())
    }

    fn extension(&self) -> String {
        let keys = self.list("ExtensionList", |item| name(&item["Key"]));
        match integer(&self.body["OperateType"]) {
            Some(1) => format!("set {keys} on {}", self.name("MsgKey")),
            Some(2) => format!("took {keys} from {}", self.name("MsgKey")),
            _ => format!("cleared the extensions of {}", self.name("MsgKey")),
        }
    }

    fn state(&self, line: Line) -> Line {
        let info = &self.body["Info"];
        let (user, reason) = (name(&info["To_Account"]), name(&info["Reason"]));
        let platform = if self.platform.is_empty() { String::new() } else { format!(" ({})", self.platform) };
        match info["Action"].as_str().unwrap_or_default() {
            "Login" => {
                let kicked = self.list("KickedDevice", |device| name(&device["Platform"]));
                let kicked = if kicked.is_empty() { kicked } else { format!("in place of {kicked}") };
                line.with(Paint::Good, format!("{user} came online{platform}")).with(Paint::Plain, kicked)
            }
            "Logout" => line.with(Paint::Plain, format!("{user} logged out{platform}")),
            "Disconnect" => {
                let reason = match &*reason {
                    "LinkClose" => "connection closed",
                    "TimeOut" => "connection timed out",
                    other => other,
                };
                line.with(Paint::Plain, format!("{user} went offline{platform}")).with(Paint::Plain, reason)
            }
            other => {
                line.with(Paint::Plain, format!("{user}: {} {reason}", shortened(other, NAME_CHARS_MAX)))
            }
        }
    }

    fn profile(&self) -> String {
        let items = self.list("ProfileItem", |item| {
            let tag = name(&item["Tag"]);
            let tag =
                ["Tag_Profile_IM_", "Tag_Profile_Custom_"].iter().find_map(|prefix| tag.strip_prefix(prefix));
            format!("{} to {}", tag.map_or_else(|| name(&item["Tag"]), str::to_owned), quoted(&item["Value"]))
        });
        format!("{} changed {items}{}", self.sender(), self.by_another("Operator_Account"))
    }

    fn friend_wanted(&self) -> String {
        let whom = self.list("FriendItem", |item| match item["AddWording"].as_str() {
            Some("") | None => name(&item["To_Account"]),
            Some(_) => format!("{}: {}", name(&item["To_Account"]), quoted(&item["AddWording"])),
        });
        format!("may {} add {whom}?", self.sender())
    }

    fn friend_answer(&self) -> String {
        let whom = self.list("ResponseFriendItem", |item| {
            let answer = match item["ResponseAction"].as_str().unwrap_or_default() {
                "Response_Action_AgreeAndAdd" => "accept and add",
                "Response_Action_Agree" => "accept",
                "Response_Action_Reject" => "reject",
                _ => "answer",
            };
            format!("{answer} {}", name(&item["To_Account"]))
        });
        format!("may {} {whom}?", self.sender())
    }

    fn pairs(&self, verb: &str, rest: &str) -> String {
        let pairs = self.list("PairList", |pair| {
            format!("{} {verb} {}", name(&pair["From_Account"]), name(&pair["To_Account"]))
        });
        pairs + rest
    }

    fn push(&self, line: Line) -> Line {
        // Some senders wrap pushes in a list, others tell one at a time.
        let event = self.body["Events"].get(0).unwrap_or(&self.body);
        let stage = match integer(&event["PushStage"]) {
            Some(1) => "push sent",
            Some(2) => "push arrived",
            Some(3) => "push opened",
            _ => "push",
        };
        let line = line
            .with(Paint::Plain, format!("{} → {}", name(&event["From_Account"]), name(&event["To_Account"])));
        match integer(&event["ErrCode"]) {
            Some(0) | None => line.with(Paint::Good, stage),
            Some(code) => {
                line.with(Paint::Bad, format!("{stage}: failed {code}: {}", name(&event["ErrInfo"])))
            }
        }
    }

    fn judged(&self, line: Line) -> Line {
        let to = name(&self.body["ContactItem"]["To_Account"]);
        let result = match &self.body["CtxcbResult"] {
            Value::String(result) => shortened(result, NAME_CHARS_MAX),
            Value::Null => "unknown".to_owned(),
            result => shortened(&result.to_string(), NAME_CHARS_MAX),
        };
        let texts =
            self.list("TextContent", |text| quoted(if text.is_object() { &text["Text"] } else { text }));
        line.with(
            Paint::Plain,
            if to.is_empty() { self.sender() } else { format!("{} → {to}", self.sender()) },
        )
        .with(Paint::Plain, texts)
        .with(Paint::Plain, format!("{} judged: {result}", self.name("ContentType")))
    }

    fn reader(&self) -> String {
        self.name("Report_Account")
    }

    fn peer(&self) -> String {
        self.name("Peer_Account")
    }

    fn by_another(&self, member: &str) -> String {
        let operator = self.name(member);
        if operator.is_empty() || operator == self.sender() {
            String::new()
        } else {
            format!(" by {operator}")
        }
    }

    fn unread(&self) -> String {
        match integer(&self.body["UnreadMsgNum"]) {
            // Of a message that failed.
            Some(-1) | None => String::new(),
            Some(unread) => format!("unread {unread}"),
        }
    }

    fn text(&self) -> String {
        let elements = self.body["MsgBody"].as_array().map(Vec::as_slice).unwrap_or_default();
        let parts: Vec<String> = elements.iter().take(TEXT_CHARS_MAX).map(element).collect();
        if parts.is_empty() {
            String::new()
        } else {
            format!("“{}”", shortened(&parts.join(" "), TEXT_CHARS_MAX))
        }
    }

    fn name(&self, member: &str) -> String {
        name(&self.body[member])
    }

    /// The first of a list, and how many more there are.
    fn list(&self, member: &str, words: impl Fn(&Value) -> String) -> String {
        let items = self.body[member].as_array().map(Vec::as_slice).unwrap_or_default();
        let shown: Vec<String> = items.iter().take(LIST_LEN_MAX).map(words).collect();
        let more = items.len() - shown.len();
        let shown = shown.join(", ");
        if more == 0 { shown } else { format!("{shown} and {more} more") }
    }
}

/// A callback that was not let in. Only its URL is known, and only as far as it can be believed.
pub(super) fn refused(refused: &Refused) -> Line {
    let query = ReceivedQuery::parse(query_of(&refused.url));
    Line::at(refused.at_ms)
        .with(Paint::Command, format!("{:<28}", shortened(&query.command, NAME_CHARS_MAX)))
        .with(Paint::Bad, format!("refused {}: {}", refused.status.as_u16(), refused.why))
}

fn query_of(url: &str) -> &str {
    url.split_once('?').map_or("", |(_, query)| query)
}

fn name(value: &Value) -> String {
    shortened(value.as_str().unwrap_or_default(), NAME_CHARS_MAX)
}

fn quoted(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => format!("“{}”", shortened(text, TEXT_CHARS_MAX)),
        other => shortened(&other.to_string(), TEXT_CHARS_MAX),
    }
}

/// A number, also when it is written as a string.
fn integer(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::receiver::Signature;
    use axum::http::{HeaderMap, StatusCode};
    use serde_json::value::RawValue;

    pub(in super::super) fn received(query: &str, body: &str) -> Received {
        Received {
            at_ms: 1_767_000_131_000,
            url: format!("/callback?{query}"),
            signature: Signature::Unchecked,
            event_id: None,
            webhook: HeaderMap::new(),
            body: RawValue::from_string(body.to_owned()).unwrap(),
        }
    }

    /// Without the time and the name, which are the same everywhere.
    fn words(command: &str, query: &str, members: &str) -> String {
        let body = format!(r#"{{"CallbackCommand":"{command}",{members}}}"#);
        let line = Seen::of(&received(query, &body)).to_line(1_767_000_131_000).to_text(false);
        line.strip_prefix(&format!("09:22:11  {command:<28}"))
            .unwrap_or_else(|| panic!("{line}"))
            .trim_start()
            .to_owned()
    }

    #[test]
    fn messages() {
        let message = r#""From_Account":"ana","To_Account":"bo","MsgKey":"9_5_17","MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"lunch?"}},{"MsgType":"TIMImageElem","MsgContent":{}}]"#;
        for (command, rest, expected) in [
            ("C2C.CallbackBeforeSendMsg", "", "ana → bo  “lunch? [Image]”  may it be sent?"),
            (
                "C2C.CallbackAfterSendMsg",
                r#","SendMsgResult":0,"ErrorInfo":"send msg succeed","UnreadMsgNum":3,"OnlineOnlyFlag":0"#,
                "ana → bo  “lunch? [Image]”  delivered  unread 3",
            ),
            (
                "C2C.CallbackAfterSendMsg",
                r#","SendMsgResult":0,"UnreadMsgNum":0,"OnlineOnlyFlag":1"#,
                "ana → bo  “lunch? [Image]”  delivered  online only  unread 0",
            ),
            (
                "C2C.CallbackAfterSendMsg",
                r#","SendMsgResult":20007,"ErrorInfo":"blocked","UnreadMsgNum":-1"#,
                "ana → bo  “lunch? [Image]”  failed 20007: blocked",
            ),
            ("Bot.OnC2CMessage", r#","SendMsgResult":0"#, "ana → bo  “lunch? [Image]”  delivered"),
            ("C2C.CallbackAfterMsgWithDraw", r#","UnreadMsgNum":2"#, "ana → bo  recalled 9_5_17  unread 2"),
            (
                "C2C.CallbackAfterModifyMsg",
                r#","Operator_Account":"ana""#,
                "ana → bo  now “lunch? [Image]”  edited",
            ),
            (
                "C2C.CallbackAfterModifyMsg",
                r#","Operator_Account":"administrator""#,
                "ana → bo  now “lunch? [Image]”  edited by administrator",
            ),
            (
                "C2C.CallbackAfterC2CMsgExtension",
                r#","OperateType":1,"ExtensionList":[{"Key":"a"},{"Key":"b"},{"Key":"c"},{"Key":"d"},{"Key":"e"}]"#,
                "ana → bo  set a, b, c, d and 1 more on 9_5_17",
            ),
            (
                "C2C.CallbackAfterC2CMsgExtension",
                r#","OperateType":2,"ExtensionList":[{"Key":"a","Value":""}]"#,
                "ana → bo  took a from 9_5_17",
            ),
            (
                "C2C.CallbackAfterC2CMsgExtension",
                r#","OperateType":3,"ExtensionList":[]"#,
                "ana → bo  cleared the extensions of 9_5_17",
            ),
            ("Chatbot.OnC2CSignalMessage", r#","Data":"stop""#, "ana → bo  signal “stop”"),
            ("Another.Name", "", "ana → bo"),
        ] {
            assert_eq!(words(command, "", &format!("{message}{rest}")), expected, "{command} {rest}");
        }
    }

    #[test]
    fn reading_and_states() {
        let read = r#""Report_Account":"bo","Peer_Account":"ana","LastReadTime":1767000130,"UnreadMsgNum":0"#;
        let state =
            |info: &str| format!(r#""EventTime":"1767000200123","Info":{{"To_Account":"ana",{info}}}"#);
        for (command, query, members, expected) in [
            ("C2C.CallbackAfterMsgReport", "", read, "bo has read ana up to 09:22:10  unread 0"),
            (
                "C2C.CallbackAfterMsgReadReceipt",
                "",
                r#""Report_Account":"bo","Peer_Account":"ana""#,
                "bo has read single messages of ana",
            ),
            (
                "State.StateChange",
                "OptPlatform=Web",
                &state(r#""Action":"Login","Reason":"Register""#),
                "ana came online (Web)",
            ),
            (
                "State.StateChange",
                "OptPlatform=IOS",
                &format!(
                    r#"{},"KickedDevice":[{{"Platform":"Web"}},{{"Platform":"Mac"}}]"#,
                    state(r#""Action":"Login""#)
                ),
                "ana came online (IOS)  in place of Web, Mac",
            ),
            ("State.StateChange", "OptPlatform=Web", &state(r#""Action":"Logout""#), "ana logged out (Web)"),
            (
                "State.StateChange",
                "OptPlatform=Web",
                &state(r#""Action":"Disconnect","Reason":"LinkClose""#),
                "ana went offline (Web)  connection closed",
            ),
            (
                "State.StateChange",
                "",
                &state(r#""Action":"Disconnect","Reason":"TimeOut""#),
                "ana went offline  connection timed out",
            ),
            (
                "State.StateChange",
                "",
                &state(r#""Action":"CustomStatusChange","Reason":"Set""#),
                "ana: CustomStatusChange Set",
            ),
        ] {
            assert_eq!(words(command, query, members), expected, "{command} {members}");
        }
    }

    #[test]
    fn people() {
        let pairs = r#""PairList":[{"From_Account":"ana","To_Account":"bo"},{"From_Account":"bo","To_Account":"ana"}]"#;
        let profile = r#""From_Account":"ana","ProfileItem":[{"Tag":"Tag_Profile_IM_Nick","Value":"Ana K."},{"Tag":"Tag_Profile_Custom_Age","Value":7}]"#;
        for (command, members, expected) in [
            ("Profile.CallbackPortraitSet", profile, "ana changed Nick to “Ana K.”, Age to 7"),
            (
                "Profile.CallbackPortraitSet",
                &format!(r#"{profile},"Operator_Account":"boss""#),
                "ana changed Nick to “Ana K.”, Age to 7 by boss",
            ),
            (
                "Sns.CallbackPrevFriendAdd",
                r#""From_Account":"ana","FriendItem":[{"To_Account":"bo","AddWording":"hi"},{"To_Account":"cy"}]"#,
                "may ana add bo: “hi”, cy?",
            ),
            (
                "Sns.CallbackPrevFriendResponse",
                r#""From_Account":"ana","ResponseFriendItem":[{"To_Account":"bo","ResponseAction":"Response_Action_Reject"},{"To_Account":"cy","ResponseAction":"Response_Action_AgreeAndAdd"}]"#,
                "may ana reject bo, accept and add cy?",
            ),
            ("Sns.CallbackFriendAdd", pairs, "ana added bo, bo added ana as a friend"),
            ("Sns.CallbackFriendDelete", pairs, "ana removed bo, bo removed ana from the friends"),
            ("Sns.CallbackBlackListAdd", pairs, "ana blocked bo, bo blocked ana"),
            ("Sns.CallbackBlackListDelete", pairs, "ana unblocked bo, bo unblocked ana"),
        ] {
            assert_eq!(words(command, "", members), expected, "{command} {members}");
        }
    }

    #[test]
    fn the_rest() {
        let push = r#""From_Account":"ana","To_Account":"bo","PushStage":2,"ErrCode":0"#;
        for (command, members, expected) in [
            ("Push.OfflinePush", push, "ana → bo  push arrived"),
            ("Push.OfflinePush", &format!(r#""Events":[{{{push}}}]"#), "ana → bo  push arrived"),
            (
                "Push.OfflinePush",
                r#""From_Account":"ana","To_Account":"bo","PushStage":1,"ErrCode":7,"ErrInfo":"no token""#,
                "ana → bo  push sent: failed 7: no token",
            ),
            (
                "Alert.RequestOverLimit",
                r#""ServiceName":"openim","Command":"sendmsg","Request":81,"Limit":100"#,
                "openim/sendmsg is called 81 times a second, 100 are allowed",
            ),
        ] {
            assert_eq!(words(command, "", members), expected, "{command} {members}");
        }
        // Its body does not say what it is.
        let judged = received(
            "CallbackCommand=ContentCallback.ResultNotify",
            r#"{"From_Account":"ana","ContactItem":{"To_Account":"bo"},"ContentType":"Text","TextContent":["buy now"],"CtxcbResult":"Block"}"#,
        );
        let line = Seen::of(&judged).to_line(0).to_text(false);
        assert_eq!(line, "00:00:00  ContentCallback.ResultNotify  ana → bo  “buy now”  Text judged: Block");
    }

    #[test]
    fn bodies_of_any_shape_are_shown() {
        for body in
            ["[]", "7", r#""text""#, "{}", r#"{"From_Account":7,"MsgBody":{},"Info":[],"PairList":[1]}"#]
        {
            for command in CallbackCommand::ALL {
                let received = received(&format!("CallbackCommand={}", command.as_str()), body);
                let seen = Seen::of(&received);
                assert_eq!(seen.kind(), Some(*command));
                assert!(seen.to_line(0).to_text(false).starts_with("00:00:00  "));
                assert_eq!((seen.users(), seen.conversation()), (vec![], None), "{body}");
            }
        }
        let hostile = received("", r#"{"CallbackCommand":"\u001b[2J","From_Account":"\u001b]0;x\u0007"}"#);
        assert!(!Seen::of(&hostile).to_line(0).to_text(false).contains(char::is_control));
    }

    #[test]
    fn a_refused_one_says_why() {
        let one = Refused {
            at_ms: 0,
            url: "/callback?SdkAppid=1&CallbackCommand=State.StateChange".to_owned(),
            status: StatusCode::FORBIDDEN,
            why: "SdkAppid is not the one expected here",
        };
        assert_eq!(
            refused(&one).to_text(false),
            "00:00:00  State.StateChange             refused 403: SdkAppid is not the one expected here"
        );
    }
}
