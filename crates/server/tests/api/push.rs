//! Push to devices that are not connected.

use crate::app::{OK, Setup, TestApp, TestClock};
use crate::carrier::{Answer, Carrier};
use crate::device::Device;
use serde_json::Value;
use std::sync::Arc;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

const GOODBYE: u16 = 1000;
const GOING_AWAY: u16 = 1001;
const SET: &str = r#"{"id":5,"ok":{}}"#;
const MISSED: &str = "Couplet.CallbackMsgOffline";

struct Rig {
    app: TestApp,
    carrier: Carrier,
    clock: Arc<TestClock>,
    _keys: TempDir,
}

impl Rig {
    async fn start() -> Self {
        Self::with(Setup::default()).await
    }

    async fn with(setup: Setup) -> Self {
        let (carrier, keys, clock) = (Carrier::start().await, tempfile::tempdir().unwrap(), TestClock::new());
        let setup = setup.app(&carrier.settings(keys.path())).clock(&clock);
        let setup = setup.settings("[push]\nretry_delays_secs = [1]\n");
        Self { app: setup.start().await, carrier, clock, _keys: keys }
    }

    /// A phone of somebody that can be pushed to, and is not connected.
    async fn phone(&self, user: &str, provider: &str, token: &str) {
        let mut device = self.connected(user, provider, token).await;
        device.close(GOING_AWAY).await;
    }

    async fn connected(&self, user: &str, provider: &str, token: &str) -> Device {
        let more = format!(r#","platform":"Android","device_id":"{user} {token}""#);
        let mut device = self.app.device_with(user, &more).await;
        let set = format!(r#"{{"id":5,"op":"set_push_token","provider":"{provider}","token":"{token}"}}"#);
        assert_eq!(device.ask(set).await, SET);
        device
    }

    /// A message over REST; its `MsgKey`.
    async fn send(&self, from: &str, to: &str, random: u32, more: &str) -> String {
        let text = format!(r#"[{{"MsgType":"TIMTextElem","MsgContent":{{"Text":"text {random}"}}}}]"#);
        let body = format!(
            r#"{{"From_Account":"{from}","To_Account":"{to}","MsgRandom":{random},"MsgBody":{text}{more}}}"#
        );
        let answer = self.app.call_exactly("openim/sendmsg", &self.app.admin_query(), &body).await;
        let answer: Value = serde_json::from_str(&answer).unwrap();
        assert_eq!(answer["ErrorCode"], 0, "{answer}");
        answer["MsgKey"].as_str().unwrap().to_owned()
    }

    /// The text of the next notice, and for which device it is.
    async fn next(&mut self) -> (String, String) {
        let pushed = self.carrier.next().await;
        let fcm = &pushed.body["message"]["notification"]["body"];
        let apns = &pushed.body["aps"]["alert"]["body"];
        (pushed.token, fcm.as_str().or(apns.as_str()).unwrap().to_owned())
    }

    /// The next notice is this one: nothing was pushed before it.
    async fn expect(&mut self, token: &str, text: &str) {
        assert_eq!(self.next().await, (token.to_owned(), text.to_owned()));
    }

    /// Nothing is on its way: what is pushed to somebody else now comes first.
    async fn end(mut self) {
        assert!(self.carrier.is_quiet());
        self.app.stop().await;
    }
}

#[tokio::test]
async fn what_is_missed_is_pushed_to_every_phone() {
    let mut rig = Rig::start().await;
    rig.phone("bo", "fcm", "f1").await;
    rig.phone("bo", "apns", "a1").await;
    let key = rig.send("ana", "bo", 1, "").await;
    let mut pushed = vec![rig.carrier.next().await, rig.carrier.next().await];
    pushed.sort_by(|one, other| one.token.cmp(&other.token));
    let [apple, google] = pushed.try_into().unwrap();
    assert_eq!((apple.token.as_str(), google.token.as_str()), ("a1", "f1"));
    let aps = &apple.body["aps"];
    assert_eq!((&aps["alert"]["body"], &aps["badge"]), (&"ana: text 1".into(), &1.into()));
    assert_eq!((&apple.body["sender"], &apple.body["message_key"]), (&"ana".into(), &key.as_str().into()));
    assert_eq!(apple.headers["apns-collapse-id"], key.as_str());
    assert_eq!(apple.headers["apns-push-type"], "alert");
    assert_eq!(apple.headers["apns-priority"], "10");
    let message = &google.body["message"];
    assert_eq!(message["notification"]["body"], "ana: text 1");
    assert_eq!(
        (&message["data"]["sender"], &message["data"]["message_key"]),
        (&"ana".into(), &key.as_str().into())
    );
    assert_eq!(message["android"]["notification"]["tag"], key.as_str());
    rig.end().await;
}

/// Each message here would be pushed but for one thing, and the one behind it is.
#[tokio::test]
async fn what_is_not_pushed() {
    let mut rig = Rig::start().await;
    rig.phone("bo", "fcm", "f1").await;
    rig.phone("cy", "fcm", "f2").await;
    let silent = r#"{"id":6,"op":"notify","peers":["cy"],"notify":"AcceptNotNotify"}"#;
    let mut bo = rig.app.device("bo").await;
    bo.ask(silent).await;
    rig.send("ana", "bo", 1, "").await;
    bo.hear().await;
    bo.hear().await;
    bo.close(GOING_AWAY).await;
    for (random, from, more) in [
        (2, "cy", ""),
        (3, "ana", r#","OfflinePushInfo":{"PushFlag":1}"#),
        (4, "ana", r#","MsgLifeTime":0"#),
        (5, "bo", ""),
    ] {
        rig.send(from, "bo", random, more).await;
    }
    rig.send("ana", "bo", 6, r#","ForbidCallbackControl":["ForbidAfterSendMsgCallback"]"#).await;
    rig.expect("f1", "ana: text 6").await;
    rig.end().await;
}

#[tokio::test]
async fn messages_to_many_are_pushed_too() {
    let mut rig = Rig::start().await;
    rig.phone("bo", "apns", "a1").await;
    let body = r#"{"From_Account":"ana","To_Account":["bo","cy"],"MsgRandom":7,"MsgBody":[{"MsgType":"TIMFaceElem","MsgContent":{"Index":1,"Data":"x"}}]}"#;
    assert!(rig.app.rest("openim/batchsendmsg", body).await.contains(r#""ErrorCode":0"#));
    rig.expect("a1", "ana: [Face]").await;
    rig.end().await;
}

/// What became of a message while the carrier was away decides what is pushed in the end.
#[tokio::test]
async fn what_was_read_or_recalled_meanwhile_is_not_pushed() {
    let mut rig = Rig::start().await;
    rig.phone("bo", "fcm", "f1").await;
    let done = CancellationToken::new();
    let after = done.clone();
    rig.carrier.answering(move |_, before| match before {
        0 | 1 => Answer { after: Some(after.clone()), ..Answer::new(503, "") },
        _ => Answer::ok(),
    });
    let recalled = rig.send("ana", "bo", 1, "").await;
    rig.expect("f1", "ana: text 1").await;
    let recall = format!(r#"{{"From_Account":"ana","To_Account":"bo","MsgKey":"{recalled}"}}"#);
    assert_eq!(rig.app.rest("openim/admin_msgwithdraw", &recall).await, OK);
    rig.send("cy", "bo", 2, "").await;
    rig.expect("f1", "cy: text 2").await;
    let read = r#"{"Report_Account":"bo","Peer_Account":"cy"}"#;
    assert_eq!(rig.app.rest("openim/admin_set_msg_read", read).await, OK);
    done.cancel();
    // Each waits for its conversation's first, which is not pushed any more.
    rig.send("ana", "bo", 3, "").await;
    rig.expect("f1", "ana: text 3").await;
    rig.send("cy", "bo", 4, "").await;
    rig.expect("f1", "cy: text 4").await;
    rig.end().await;
}

#[tokio::test]
async fn an_app_that_is_gone_is_forgotten_and_the_others_have_it_once() {
    let mut rig = Rig::start().await;
    rig.phone("bo", "apns", "a1").await;
    rig.phone("bo", "apns", "a2").await;
    rig.phone("bo", "apns", "a3").await;
    rig.carrier.answering(|token, before| match token {
        "a1" => Answer::new(410, r#"{"reason":"Unregistered"}"#),
        "a2" if before < 3 => Answer { retry_after_secs: Some(1), ..Answer::new(503, "") },
        _ => Answer::ok(),
    });
    rig.send("ana", "bo", 1, "").await;
    let mut first = vec![rig.next().await.0, rig.next().await.0, rig.next().await.0];
    first.sort();
    assert_eq!(first, ["a1", "a2", "a3"]);
    // Only the one that failed is tried again.
    rig.expect("a2", "ana: text 1").await;
    rig.send("ana", "bo", 2, "").await;
    let mut second = vec![rig.next().await.0, rig.next().await.0];
    second.sort();
    assert_eq!(second, ["a2", "a3"]);
    rig.end().await;
}

#[tokio::test]
async fn a_phone_that_changes_hands_rings_for_its_user_alone() {
    let mut rig = Rig::start().await;
    rig.phone("bo", "fcm", "f1").await;
    rig.phone("cy", "fcm", "f1").await;
    rig.send("ana", "bo", 1, "").await;
    rig.send("ana", "cy", 2, "").await;
    rig.expect("f1", "ana: text 2").await;
    // Whoever logs out is not pushed to where they were.
    let mut device = rig.connected("cy", "fcm", "f1").await;
    device.close(GOODBYE).await;
    rig.phone("bo", "fcm", "f2").await;
    rig.send("ana", "cy", 3, "").await;
    rig.send("ana", "bo", 4, "").await;
    rig.expect("f2", "ana: text 4").await;
    let mut device = rig.app.device_with("bo", r#","device_id":"bo f2""#).await;
    assert_eq!(device.ask(r#"{"id":5,"op":"drop_push_token"}"#).await, SET);
    device.close(GOING_AWAY).await;
    rig.phone("cy", "fcm", "f3").await;
    rig.send("ana", "bo", 5, "").await;
    rig.send("ana", "cy", 6, "").await;
    rig.expect("f3", "ana: text 6").await;
    rig.end().await;
}

#[tokio::test]
async fn what_is_too_old_is_not_pushed_any_more() {
    let mut rig = Rig::start().await;
    rig.phone("bo", "fcm", "f1").await;
    rig.carrier.answering(|_, before| if before == 0 { Answer::new(500, "") } else { Answer::ok() });
    rig.send("ana", "bo", 1, "").await;
    rig.expect("f1", "ana: text 1").await;
    rig.clock.advance_secs(86_401);
    rig.send("ana", "bo", 2, "").await;
    rig.expect("f1", "ana: text 2").await;
    rig.end().await;
}

/// The carrier forgets the access token: another one is fetched, and the notice arrives in the same attempt.
#[tokio::test]
async fn an_access_token_that_is_refused_is_replaced_once() {
    let mut rig = Rig::start().await;
    rig.phone("bo", "fcm", "f1").await;
    rig.send("ana", "bo", 1, "").await;
    rig.expect("f1", "ana: text 1").await;
    assert_eq!(rig.carrier.granted(), 1);
    rig.carrier.answering(|_, before| {
        if before == 0 { Answer::new(401, r#"{"error":{"status":"UNAUTHENTICATED"}}"#) } else { Answer::ok() }
    });
    rig.send("ana", "bo", 2, "").await;
    rig.expect("f1", "ana: text 2").await;
    rig.expect("f1", "ana: text 2").await;
    assert_eq!(rig.carrier.granted(), 2);
    rig.end().await;
}

#[tokio::test]
async fn the_backend_hears_of_what_found_no_device_if_it_wants_to() {
    let mut rig = Rig::with(Setup::telling(&[MISSED])).await;
    let bo = rig.app.device("bo").await;
    rig.send("ana", "bo", 1, "").await;
    let key = rig.send("ana", "cy", 2, r#","ForbidCallbackControl":["ForbidAfterSendMsgCallback"]"#).await;
    let callback = rig.app.receiver.next().await;
    assert_eq!(callback.parameter("CallbackCommand"), MISSED);
    let body = callback.json();
    assert_eq!((&body["From_Account"], &body["To_Account"]), (&"ana".into(), &"cy".into()));
    assert_eq!((&body["MsgKey"], &body["UnreadMsgNum"]), (&key.into(), &1.into()));
    drop(bo);
    rig.end().await;
}

#[tokio::test]
async fn what_cannot_work_is_refused_with_its_place() {
    let rig = Rig::start().await;
    for (from, to, expected) in [
        ("key_id = \"KEY\"", "key_id = \"\"", "app 1400000001: push.apns: key_id must be letters and digits"),
        ("AuthKey.p8", "./firebase.json", "push.apns: key "),
        ("firebase.json", "nothing.json", "push.fcm: service_account "),
        ("firebase.json", "./AuthKey.p8", "it is no key file of a service account"),
    ] {
        let refused = rig.app.redeclare(from, to).await.unwrap_err();
        assert!(refused.contains(expected), "{refused}");
        assert!(!refused.contains("PRIVATE"), "{refused}");
        assert!(rig.app.redeclare(to, from).await.is_ok());
    }
    rig.end().await;
}
