//! What is sent is what is received, and what is not a callback is refused.

use super::*;
use crate::{
    MsgKey,
    arbitrary::any_bytes,
    callback::{self, AddType, CallbackQuery, OptPlatform, ResponseAction, Sign, StateAction, WebhookSigner},
};

const APP: u32 = 1_400_000_001;
const NOW_S: u64 = 1_767_000_100;
const TOKEN: &str = "xxxxyyyy";
const SECRET: &str = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3";
const KEY: MsgKey = MsgKey { seq: 90_211, random: u32::MAX, time_s: NOW_S };
const TEXT: &str = r#"[{"MsgType":"TIMTextElem","MsgContent":{"Text":"lunch?"}}]"#;
const AT_MS: u64 = 1_767_000_100_250;
const EVENT_TIME_MS: Option<u64> = Some(AT_MS);

/// A POST with everything that can be checked.
#[derive(Clone)]
struct Post {
    query: String,
    headers: [Option<String>; 3],
    body: Vec<u8>,
}

impl Post {
    fn new(command: CallbackCommand, body: &[u8]) -> Post {
        let query = CallbackQuery {
            sdkappid: APP,
            command,
            client_ip: Some("203.0.113.7"),
            platform: Some(OptPlatform::Ios),
            sign: Some(Sign { token: TOKEN, request_time_s: NOW_S }),
        };
        let headers = WebhookSigner::new(SECRET).unwrap().headers("evt_1", NOW_S, body);
        Post {
            query: query.append_to("")[1..].to_owned(),
            headers: [
                Some("evt_1".to_owned()),
                Some(headers.timestamp_s.to_string()),
                Some(headers.signature),
            ],
            body: body.to_vec(),
        }
    }

    fn incoming(&self) -> Incoming<'_> {
        let [webhook_id, webhook_timestamp, webhook_signature] =
            self.headers.each_ref().map(Option::as_deref);
        Incoming { query: &self.query, webhook_id, webhook_timestamp, webhook_signature, body: &self.body }
    }
}

fn strict() -> Checker {
    Checker::new(APP, TOKEN, Some(WebhookSigner::new(SECRET).unwrap()))
}

fn lax() -> Checker {
    Checker::new(APP, "", None)
}

/// What a checker that insists on everything makes of a body that was written here.
fn sent(command: CallbackCommand, write: impl FnOnce(&mut Vec<u8>)) -> Callback {
    let mut body = Vec::new();
    write(&mut body);
    let post = Post::new(command, &body);
    let received = strict().check(post.incoming(), NOW_S).unwrap();
    assert_eq!(received.id, Some("evt_1"));
    assert_eq!(received.command, ReceivedCommand::Known(command));
    assert_eq!(received.client_ip.as_deref(), Some("203.0.113.7"));
    assert_eq!(received.platform, Some(OptPlatform::Ios));
    received.callback
}

/// What comes of a body that another server wrote, whatever its URL says.
fn foreign(query: &str, body: &str) -> Result<Callback, Rejected> {
    let query = format!("SdkAppid={APP}&{query}");
    lax()
        .check(Incoming { query: &query, body: body.as_bytes(), ..Incoming::default() }, NOW_S)
        .map(|received| received.callback)
}

const MESSAGE: callback::MessageFacts<'_> = callback::MessageFacts {
    from: "ana",
    to: "bo",
    key: KEY,
    msg_id: "17-1767000099-551200377",
    online_only: true,
    body: TEXT.as_bytes(),
    custom_data: "{\"v\":1}",
    event_time_ms: AT_MS,
    has_risk_content: true,
};

#[test]
fn messages_read_back() {
    let before = callback::BeforeSendMsg { message: MESSAGE, operator: Some("bo") };
    let Callback::BeforeSendMsg(read) = sent(CallbackCommand::C2cBeforeSendMsg, |out| before.write(out))
    else {
        panic!("it is a question about a message");
    };
    assert_eq!((&*read.from, &*read.to, &*read.key), ("ana", "bo", "90211_4294967295_1767000100"));
    assert_eq!((read.seq, read.random, read.time_s), (90_211, u32::MAX, NOW_S));
    assert_eq!((read.body.get(), &*read.custom_data, &*read.msg_id), (TEXT, "{\"v\":1}", MESSAGE.msg_id));
    assert_eq!((read.online_only, read.has_risk_content, read.event_time_ms), (true, true, EVENT_TIME_MS));
    assert_eq!(read.operator, "bo");

    for to_bot in [false, true] {
        let after = callback::AfterSendMsg {
            message: MESSAGE,
            send_msg_result: 20_007,
            error_info: "blocked",
            unread: -1,
            to_bot,
        };
        let read = match sent(after.command(), |out| after.write(out)) {
            Callback::AfterSendMsg(read) if !to_bot => read,
            Callback::BotMessage(read) if to_bot => read,
            other => panic!("{other:?}"),
        };
        assert_eq!((&*read.from, &*read.to, &*read.key), ("ana", "bo", "90211_4294967295_1767000100"));
        assert_eq!((read.seq, read.random, read.time_s), (90_211, u32::MAX, NOW_S));
        assert_eq!((read.send_msg_result, &*read.error_info, read.unread), (20_007, "blocked", -1));
        assert_eq!((read.body.get(), &*read.custom_data, &*read.msg_id), (TEXT, "{\"v\":1}", MESSAGE.msg_id));
        assert_eq!(
            (read.online_only, read.has_risk_content, read.event_time_ms),
            (true, true, EVENT_TIME_MS)
        );
    }
}

#[test]
fn what_happens_to_messages_reads_back() {
    let report = callback::AfterMsgReport {
        reader: "bo",
        peer: "ana",
        last_read_s: 7,
        unread: 2,
        event_time_ms: AT_MS,
    };
    let Callback::AfterMsgReport(read) = sent(CallbackCommand::C2cAfterMsgReport, |out| report.write(out))
    else {
        panic!("it is a read report");
    };
    let (reader, peer) = ("bo".into(), "ana".into());
    let expected =
        AfterMsgReport { reader, peer, last_read_s: 7, unread: Some(2), event_time_ms: EVENT_TIME_MS };
    assert_eq!(read, expected);

    let recall =
        callback::AfterMsgWithDraw { from: "ana", to: "bo", key: KEY, unread: 2, event_time_ms: AT_MS };
    let Callback::AfterMsgWithDraw(read) =
        sent(CallbackCommand::C2cAfterMsgWithDraw, |out| recall.write(out))
    else {
        panic!("it is a recall");
    };
    let (from, to, key) = ("ana".into(), "bo".into(), KEY.to_string());
    assert_eq!(read, AfterMsgWithDraw { from, to, key, unread: Some(2), event_time_ms: EVENT_TIME_MS });

    let edit = callback::AfterModifyMsg {
        operator: "administrator",
        from: "ana",
        to: "bo",
        key: KEY,
        body: TEXT.as_bytes(),
        custom_data: "c",
        event_time_ms: AT_MS,
    };
    let Callback::AfterModifyMsg(read) = sent(CallbackCommand::C2cAfterModifyMsg, |out| edit.write(out))
    else {
        panic!("it is an edit");
    };
    assert_eq!((&*read.operator, &*read.from, &*read.to), ("administrator", "ana", "bo"));
    assert_eq!((read.seq, read.random, read.time_s, read.key), (90_211, u32::MAX, NOW_S, KEY.to_string()));
    assert_eq!((read.body.get(), &*read.custom_data, read.event_time_ms), (TEXT, "c", EVENT_TIME_MS));

    let missed = callback::MsgOffline { message: MESSAGE, unread: 2 };
    let Callback::MsgOffline(read) = sent(CallbackCommand::CoupletMsgOffline, |out| missed.write(out)) else {
        panic!("it tells of a message that found no device");
    };
    assert_eq!((&*read.from, &*read.to, &*read.key), ("ana", "bo", "90211_4294967295_1767000100"));
    assert_eq!((read.seq, read.random, read.time_s), (90_211, u32::MAX, NOW_S));
    assert_eq!((read.unread, read.body.get(), read.event_time_ms), (Some(2), TEXT, EVENT_TIME_MS));
    assert_eq!(read.custom_data, "{\"v\":1}");

    let extension = callback::AfterMsgExtension {
        from: "ana",
        to: "bo",
        key: KEY,
        operate_type: 1,
        items: &[callback::ExtensionEntry { key: "vote", value: "yes", seq: 4 }],
        seq: 9,
        event_time_ms: AT_MS,
    };
    let Callback::AfterMsgExtension(read) =
        sent(CallbackCommand::C2cAfterMsgExtension, |out| extension.write(out))
    else {
        panic!("it is an extension");
    };
    let expected = AfterMsgExtension {
        from: "ana".into(),
        to: "bo".into(),
        key: KEY.to_string(),
        operate_type: 1,
        items: vec![ExtensionEntry { key: "vote".into(), value: "yes".into(), seq: 4 }],
        seq: 9,
        event_time_ms: EVENT_TIME_MS,
    };
    assert_eq!(read, expected);
}

#[test]
fn users_read_back() {
    for &action in StateAction::ALL {
        let change = callback::StateChange {
            user: "ana",
            action,
            kicked: &[OptPlatform::Ios, OptPlatform::Web],
            event_time_ms: AT_MS,
        };
        let Callback::StateChange(read) = sent(CallbackCommand::StateChange, |out| change.write(out)) else {
            panic!("it is a change of state");
        };
        assert_eq!(read.meaning(), Some(action));
        assert_eq!(read.kicked, ["iOS", "Web"]);
        assert_eq!((&*read.user, read.event_time_ms), ("ana", EVENT_TIME_MS));
    }

    let profile = callback::PortraitSet {
        operator: "administrator",
        user: "ana",
        items: &[
            ("Tag_Profile_IM_Nick", callback::PortraitValue::Text("12")),
            ("Tag_Profile_IM_BirthDay", callback::PortraitValue::Number(12)),
        ],
        event_time_ms: AT_MS,
    };
    let Callback::PortraitSet(read) = sent(CallbackCommand::ProfilePortraitSet, |out| profile.write(out))
    else {
        panic!("it is a profile");
    };
    let expected = PortraitSet {
        operator: "administrator".into(),
        user: "ana".into(),
        items: vec![
            ("Tag_Profile_IM_Nick".into(), PortraitValue::Text("12".into())),
            ("Tag_Profile_IM_BirthDay".into(), PortraitValue::Number(12)),
        ],
        event_time_ms: EVENT_TIME_MS,
    };
    assert_eq!(read, expected);
}

#[test]
fn friends_read_back() {
    let pairs = &[callback::FriendPair { from: "ana", to: "bo", initiator: "bo" }];
    let added = callback::FriendAdd {
        pairs,
        client_cmd: "friend_add",
        admin: "administrator",
        forced: true,
        event_time_ms: AT_MS,
    };
    let Callback::FriendAdd(read) = sent(CallbackCommand::SnsFriendAdd, |out| added.write(out)) else {
        panic!("they are friends");
    };
    let expected = FriendAdd {
        pairs: vec![FriendPair { from: "ana".into(), to: "bo".into(), initiator: "bo".into() }],
        client_cmd: "friend_add".into(),
        admin: "administrator".into(),
        forced: true,
        event_time_ms: EVENT_TIME_MS,
    };
    assert_eq!(read, expected);

    let pairs = |command| callback::RelationPairs { command, pairs: &[("ana", "bo")], event_time_ms: AT_MS };
    let expected = RelationPairs { pairs: vec![("ana".into(), "bo".into())], event_time_ms: EVENT_TIME_MS };
    for command in [
        CallbackCommand::SnsFriendDelete,
        CallbackCommand::SnsBlackListAdd,
        CallbackCommand::SnsBlackListDelete,
    ] {
        let read = match (command, sent(command, |out| pairs(command).write(out))) {
            (CallbackCommand::SnsFriendDelete, Callback::FriendDelete(read))
            | (CallbackCommand::SnsBlackListAdd, Callback::BlackListAdd(read))
            | (CallbackCommand::SnsBlackListDelete, Callback::BlackListDelete(read)) => read,
            other => panic!("{other:?}"),
        };
        assert_eq!(read, expected);
    }
}

#[test]
fn questions_about_friends_read_back() {
    let add = callback::PrevFriendAdd {
        requester: "ana",
        from: "ana",
        items: &[callback::FriendItem {
            to: "bo",
            remark: "r",
            group_name: "g",
            add_source: "s",
            add_wording: "w",
        }],
        add_type: AddType::Single,
        forced: true,
        event_time_ms: AT_MS,
    };
    let Callback::PrevFriendAdd(read) = sent(CallbackCommand::SnsPrevFriendAdd, |out| add.write(out)) else {
        panic!("it is a request");
    };
    let expected = PrevFriendAdd {
        requester: "ana".into(),
        from: "ana".into(),
        items: vec![FriendItem {
            to: "bo".into(),
            remark: "r".into(),
            group_name: "g".into(),
            add_source: "s".into(),
            add_wording: "w".into(),
        }],
        add_type: AddType::Single,
        forced: true,
        event_time_ms: EVENT_TIME_MS,
    };
    assert_eq!(read, expected);

    for &action in ResponseAction::ALL {
        let response = callback::PrevFriendResponse {
            requester: "bo",
            from: "bo",
            items: &[callback::ResponseFriendItem { to: "ana", remark: "r", tag_name: "t", action }],
            event_time_ms: AT_MS,
        };
        let Callback::PrevFriendResponse(read) =
            sent(CallbackCommand::SnsPrevFriendResponse, |out| response.write(out))
        else {
            panic!("it is a response");
        };
        let (to, remark, tag_name) = ("ana".into(), "r".into(), "t".into());
        let expected = PrevFriendResponse {
            requester: "bo".into(),
            from: "bo".into(),
            items: vec![ResponseFriendItem { to, remark, tag_name, action }],
            event_time_ms: EVENT_TIME_MS,
        };
        assert_eq!(read, expected);
    }
}

#[test]
fn other_servers_write_otherwise() {
    let report = |body| match foreign("", body) {
        Ok(Callback::AfterMsgReport(read)) => read,
        other => panic!("{other:?}"),
    };
    let quoted = report(
        r#"{"CallbackCommand":"C2C.CallbackAfterMsgReport","Report_Account":"bo","Peer_Account":"ana","LastReadTime":"7","UnreadMsgNum":"2","EventTime":"1767000100250","Later":{"x":[1]}}"#,
    );
    assert_eq!((quoted.last_read_s, quoted.unread, quoted.event_time_ms), (7, Some(2), EVENT_TIME_MS));
    let short = report(
        r#"{"CallbackCommand":"C2C.CallbackAfterMsgReport","Report_Account":"bo","Peer_Account":"ana","LastReadTime":7}"#,
    );
    assert_eq!((short.unread, short.event_time_ms), (None, None));

    let status = foreign(
        "",
        r#"{"CallbackCommand":"State.StateChange","Info":{"Action":"CustomStatusChange","To_Account":"ana"}}"#,
    );
    let Ok(Callback::StateChange(status)) = status else { panic!("{status:?}") };
    assert_eq!((&*status.action, status.meaning()), ("CustomStatusChange", None));
    assert!(status.kicked.is_empty());

    let add = foreign(
        "",
        r#"{"CallbackCommand":"Sns.CallbackPrevFriendAdd","From_Account":"a","FriendItem":[{"To_Account":"b"}]}"#,
    );
    let Ok(Callback::PrevFriendAdd(add)) = add else { panic!("{add:?}") };
    assert_eq!((add.add_type, add.forced, &*add.items[0].remark), (AddType::Both, false, ""));

    let signal = foreign(
        "",
        r#"{"CallbackCommand":"Chatbot.OnC2CSignalMessage","From_Account":"ana","To_Account":"@RBT#1","MsgSeq":1,"MsgRandom":2,"MsgKey":"1_2_3","EventTime":9,"Data":"stop"}"#,
    );
    let Ok(Callback::BotSignal(signal)) = signal else { panic!("{signal:?}") };
    assert_eq!((&*signal.data, &*signal.to, signal.event_time_ms), ("stop", "@RBT#1", Some(9)));
}

#[test]
fn what_has_no_form_is_kept_as_it_is() {
    let table = [
        ("CallbackCommand=Push.OfflinePush", r#"[{"EventType":1}]"#),
        ("CallbackCommand=ContentCallback.ResultNotify", r#"{"Scene":"C2C"}"#),
        ("CallbackCommand=New.Thing", r#"{"CallbackCommand":"New.Thing","x":1}"#),
        ("", r#"{"CallbackCommand":"New.Thing","x":1}"#),
    ];
    for (query, body) in table {
        let Ok(Callback::Other(raw)) = foreign(query, body) else { panic!("{query}") };
        assert_eq!(raw.get(), body);
    }
}

#[test]
fn depth_costs_no_stack() {
    let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
    assert!(matches!(foreign("CallbackCommand=New.Thing", &deep), Ok(Callback::Other(_))));
    let body = format!(r#"{{"CallbackCommand":"Sns.CallbackFriendDelete","PairList":{deep}}}"#);
    assert_eq!(foreign("", &body).unwrap_err(), Rejected::Malformed(Malformed { member: "PairList" }));
}

#[test]
fn what_is_missing_is_named() {
    let whole = r#"{"CallbackCommand":"C2C.CallbackAfterC2CMsgExtension","From_Account":"a","To_Account":"b","MsgKey":"1_2_3","OperateType":1,"ExtensionList":[{"Key":"k","Value":"v","Seq":1}],"Seq":2}"#;
    assert!(foreign("", whole).is_ok());
    for member in ["From_Account", "To_Account", "MsgKey", "OperateType", "Key"] {
        let rejected = foreign("", &whole.replace(&format!("\"{member}\""), "\"X\"")).unwrap_err();
        assert_eq!(rejected, Rejected::Malformed(Malformed { member }));
        assert_eq!(rejected.status(), 400);
    }
    let list = r#""ExtensionList":[{"Key":"k","Value":"v","Seq":1}]"#;
    let table = [
        (r#""Value":"v""#, r#""Value":1"#, "Value"),
        (list, r#""ExtensionList":{}"#, "ExtensionList"),
        (list, r#""ExtensionList":[1]"#, "ExtensionList"),
        (r#""OperateType":1"#, r#""OperateType":"one""#, "OperateType"),
    ];
    for (right, wrong, member) in table {
        let rejected = foreign("", &whole.replace(right, wrong)).unwrap_err();
        assert_eq!(rejected, Rejected::Malformed(Malformed { member }), "{wrong}");
    }
    let no_pairs = r#"{"CallbackCommand":"Sns.CallbackFriendDelete"}"#;
    assert_eq!(foreign("", no_pairs).unwrap_err(), Rejected::Malformed(Malformed { member: "PairList" }));
}

#[test]
fn a_receiver_of_one_callback_names_what_is_missing() {
    let mut whole = Vec::new();
    callback::AfterSendMsg { message: MESSAGE, send_msg_result: 0, error_info: "", unread: 3, to_bot: false }
        .write(&mut whole);
    let whole = String::from_utf8(whole).unwrap();
    for member in ["From_Account", "MsgSeq", "MsgTime", "SendMsgResult", "UnreadMsgNum", "MsgBody"] {
        let body = whole.replace(member, "Other");
        assert_eq!(AfterSendMsg::parse(body.as_bytes()).unwrap_err(), Malformed { member });
    }
    for member in ["MsgId", "EventTime", "CloudCustomData", "ErrorInfo", "OnlineOnlyFlag", "HasRiskContent"] {
        let body = whole.replace(member, "Other");
        assert!(AfterSendMsg::parse(body.as_bytes()).is_ok(), "{member}");
    }
    assert_eq!(AfterSendMsg::parse(b"x").unwrap_err(), Malformed { member: "" });
}

#[test]
fn what_is_refused_and_why() {
    let command = CallbackCommand::C2cAfterMsgReport;
    let body = br#"{"CallbackCommand":"C2C.CallbackAfterMsgReport","Report_Account":"bo","Peer_Account":"ana","LastReadTime":7}"#;
    let right = Post::new(command, body);
    let with_query = |from: &str, to: &str| Post { query: right.query.replace(from, to), ..right.clone() };
    let with_header = |index: usize, value: Option<&str>| {
        let mut post = right.clone();
        post.headers[index] = value.map(str::to_owned);
        post
    };
    let sign = format!("Sign={}", callback::sign(TOKEN, NOW_S));
    let no_header = |name| Rejected::NoHeader { name };
    let table = [
        (with_query("SdkAppid=1400000001", "SdkAppid=7"), Rejected::OtherApp { received: Some(7) }, 403),
        (with_query("SdkAppid", "sdkappid"), Rejected::OtherApp { received: None }, 403),
        (with_query(&sign, ""), Rejected::NoSign, 403),
        (with_query("RequestTime=", "Time="), Rejected::NoSign, 403),
        (with_query(&sign, &format!("Sign={}", callback::sign("other", NOW_S))), Rejected::WrongSign, 403),
        (with_header(0, None), no_header("webhook-id"), 403),
        (with_header(1, None), no_header("webhook-timestamp"), 403),
        (with_header(2, None), no_header("webhook-signature"), 403),
        (with_header(1, Some("now")), Rejected::BadTimestamp, 400),
        (with_header(1, Some("1767000099")), Rejected::WrongSignature, 403),
        (with_header(0, Some("evt_2")), Rejected::WrongSignature, 403),
        (with_header(2, Some("v1,AAAA")), Rejected::WrongSignature, 403),
        (Post { body: b"{}".to_vec(), ..right.clone() }, Rejected::WrongSignature, 403),
        (Post::new(command, b""), Rejected::NotJson, 400),
        (Post::new(command, b"{}x"), Rejected::NotJson, 400),
        (Post::new(command, b"\xff"), Rejected::NotJson, 400),
        (Post::new(command, b"[]"), Rejected::Malformed(Malformed { member: "Report_Account" }), 400),
        (Post::new(CallbackCommand::C2cAfterSendMsg, body), Rejected::CommandsDiffer, 400),
        (
            Post { query: with_query("CallbackCommand", "Command").query, ..Post::new(command, b"{}") },
            Rejected::NoCommand,
            400,
        ),
    ];
    assert!(strict().check(right.incoming(), NOW_S).is_ok());
    for (post, expected, status) in table {
        let rejected = strict().check(post.incoming(), NOW_S).unwrap_err();
        assert_eq!((rejected.status(), &rejected), (status, &expected));
        assert!(!rejected.to_string().is_empty());
    }
    assert_eq!(Rejected::WrongSign.to_string(), "Sign was not made with the token expected here");
    assert_eq!(
        no_header("webhook-id").to_string(),
        "the header webhook-id is missing, and a signed body is expected"
    );
}

#[test]
fn how_old_a_callback_may_be() {
    let post = Post::new(CallbackCommand::StateChange, br#"{"Info":{"Action":"Login","To_Account":"a"}}"#);
    let by_token = Checker::new(APP, TOKEN, None);
    let by_signer = Checker::new(APP, "", Some(WebhookSigner::new(SECRET).unwrap()));
    let old_sign = |apart_secs| Some(Rejected::OldSign { apart_secs });
    let old_timestamp = |apart_secs| Some(Rejected::OldTimestamp { apart_secs });
    let table = [
        (&by_token, NOW_S + 60, None),
        (&by_token, NOW_S - 60, None),
        (&by_token, NOW_S + 61, old_sign(61)),
        (&by_token, NOW_S - 61, old_sign(61)),
        (&by_signer, NOW_S + 300, None),
        (&by_signer, NOW_S - 300, None),
        (&by_signer, NOW_S + 301, old_timestamp(301)),
        (&by_signer, NOW_S - 301, old_timestamp(301)),
        (&by_signer, 0, old_timestamp(NOW_S)),
    ];
    for (checker, now_s, expected) in table {
        assert_eq!(checker.check(post.incoming(), now_s).err(), expected, "{now_s}");
    }
    assert_eq!(
        old_timestamp(301).unwrap().to_string(),
        "webhook-timestamp is 301 s away from this receiver's clock, at most 300 are allowed"
    );
}

#[test]
fn platforms_as_they_are_spelt() {
    let table = [
        ("iOS", OptPlatform::Ios),
        ("IOS", OptPlatform::Ios),
        ("RESTAPI", OptPlatform::RestApi),
        ("Plan9", OptPlatform::Unknown),
    ];
    for (word, expected) in table {
        let query = format!("SdkAppid={APP}&CallbackCommand=New&OptPlatform={word}");
        let incoming = Incoming { query: &query, body: b"{}", ..Incoming::default() };
        let received = lax().check(incoming, NOW_S).unwrap();
        assert_eq!((received.platform, received.id), (Some(expected), None), "{word}");
        assert_eq!(received.command.as_str(), "New");
    }
}

#[test]
fn a_checker_does_not_print_its_secrets() {
    assert_eq!(format!("{:?}", strict()), "Checker { sdkappid: 1400000001, .. }");
}

/// Every form, so that the property tests go into all of them.
fn every_body() -> Vec<(CallbackCommand, String)> {
    let mut found = Vec::new();
    let mut add = |command, text: &str| found.push((command, text.to_owned()));
    let message = r#""From_Account":"a","To_Account":"b","MsgSeq":1,"MsgRandom":2,"MsgTime":3,"MsgKey":"1_2_3","SendMsgResult":0,"UnreadMsgNum":0,"MsgBody":[],"Operator_Account":"a","Data":"d","OperateType":1,"Seq":1,"ExtensionList":[{"Key":"k","Value":"v","Seq":1}],"Report_Account":"a","Peer_Account":"b","LastReadTime":1,"EventTime":1"#;
    let user = r#""Info":{"Action":"Login","To_Account":"a","Reason":"Register"},"KickedDevice":[{"Platform":"Web"}],"From_Account":"a","ProfileItem":[{"Tag":"t","Value":1}],"FriendItem":[{"To_Account":"b"}],"ResponseFriendItem":[{"To_Account":"b","ResponseAction":"Response_Action_Agree"}],"PairList":[{"From_Account":"a","To_Account":"b"}],"EventTime":1"#;
    for &command in CallbackCommand::ALL {
        let is_message = command.as_str().contains("C2C") || command == CallbackCommand::CoupletMsgOffline;
        let members = if is_message { message } else { user };
        add(command, &format!("{{{members}}}"));
    }
    found
}

#[test]
fn every_form_is_read() {
    for (command, body) in every_body() {
        let read = foreign(&format!("CallbackCommand={}", command.as_str()), &body);
        assert!(read.is_ok(), "{command:?} {read:?}");
    }
}

proptest::proptest! {
    #[test]
    fn any_body_is_answered(bytes in any_bytes(), index in 0..CallbackCommand::ALL.len()) {
        let query = format!("SdkAppid={APP}&CallbackCommand={}", CallbackCommand::ALL[index].as_str());
        let incoming = Incoming { query: &query, body: &bytes, ..Incoming::default() };
        let _any_outcome = lax().check(incoming, NOW_S);
        proptest::prop_assert!(AfterSendMsg::parse(&bytes).is_err());
    }

    #[test]
    fn any_value_in_a_body_is_answered(
        index in 0..CallbackCommand::ALL.len(),
        at in 0_usize..60,
        value in crate::arbitrary::any_json(),
    ) {
        let (command, body) = every_body().swap_remove(index);
        // Puts the value in place of one that was right.
        let mut pieces: Vec<_> = body.split_inclusive(':').map(str::to_owned).collect();
        let at = at % pieces.len();
        let end = pieces[at].find([',', '}', ']']).unwrap_or(0);
        pieces[at].replace_range(..end, &value);
        let _any_outcome = foreign(&format!("CallbackCommand={}", command.as_str()), &pieces.concat());
    }

    #[test]
    fn any_post_is_answered(
        query in "\\PC*|(SdkAppid=1400000001|Sign|RequestTime|CallbackCommand|=|&|%|[0-9]){0,12}",
        headers in proptest::array::uniform3(proptest::option::of("\\PC*|v1,[A-Za-z0-9+/= ]*|[0-9]{0,25}")),
        body in any_bytes(),
    ) {
        let post = Post { query, headers, body };
        for checker in [strict(), lax()] {
            let _any_outcome = checker.check(post.incoming(), NOW_S);
        }
        proptest::prop_assert!(strict().check(post.incoming(), NOW_S).is_err());
    }
}
