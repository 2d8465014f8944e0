//! Several endpoints of an app, each with its own wishes, and how they change while the server runs.

use crate::app::{ADMIN, SDKAPPID, Setup, TestApp, text_body, usersig, within};
use crate::raw_http;
use crate::receiver::{Callback, Receiver, Reply};
use chat::AppId;
use chat::dispatch::FailureReason;
use chat::event::Lane;
use chat::port::{EndpointId, Route, Store};
use server::address::Names;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use store::embedded::{Embedded, EmbeddedOptions};
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};

const SECRET: &str = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3";
const OTHER_SECRET: &str = "whsec_enl4d3Z1dHNycXBvbm1sa2ppaGdmZWRj";

async fn accepting() -> Receiver {
    Receiver::start(Box::new(|_| Reply::ok())).await
}

/// Declares a further endpoint.
fn endpoint(name: &str, receiver: &Receiver, more: &str) -> String {
    format!("[[app.endpoint]]\nname = {name:?}\nurl = \"http://{}/{name}\"\n{more}\n", receiver.address)
}

/// The texts of the next callbacks.
async fn texts<const N: usize>(receiver: &mut Receiver) -> [String; N] {
    let mut texts = [const { String::new() }; N];
    for text in &mut texts {
        *text = receiver.next().await.text();
    }
    texts
}

#[tokio::test]
async fn every_endpoint_hears_what_it_wants_to() {
    let (mut audit, mut of_ana, mut to_bo, mut pictures) =
        (accepting().await, accepting().await, accepting().await, accepting().await);
    let mut app = Setup::told()
        .app(&endpoint("audit", &audit, ""))
        .app(&endpoint("of-ana", &of_ana, "senders = [\"ana\"]\nevents = [\"C2C.CallbackAfterSendMsg\"]"))
        .app(&endpoint("to-bo", &to_bo, "recipients = [\"bo\"]"))
        .app(&endpoint("pictures", &pictures, "message_types = [\"TIMImageElem\", \"TIMFaceElem\"]"))
        .start()
        .await;
    app.send_ok(["ana", "bo"], 1, "1").await;
    app.send_ok(["bo", "ana"], 2, "2").await;
    app.send_ok(["cy", "bo"], 3, "3").await;
    let face = r#"{"From_Account":"cy","To_Account":"cy","MsgRandom":4,"MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"4"}},{"MsgType":"TIMFaceElem","MsgContent":{"Index":1,"Data":""}}]}"#;
    assert!(app.rest("openim/sendmsg", face).await.contains(r#""ErrorCode":0"#));

    for receiver in [&mut app.receiver, &mut audit] {
        let mut all: [String; 4] = texts(receiver).await;
        all.sort();
        assert_eq!(all, ["1", "2", "3", "4"]);
    }
    assert_eq!(texts(&mut of_ana).await, ["1"]);
    let mut both: [String; 2] = texts(&mut to_bo).await;
    both.sort();
    assert_eq!(both, ["1", "3"]);
    assert_eq!(texts(&mut pictures).await, ["4"]);
    app.stop().await;
    for receiver in [&mut audit, &mut of_ana, &mut to_bo, &mut pictures] {
        assert!(receiver.unexpected().is_empty());
    }
}

#[tokio::test]
async fn only_the_first_endpoint_is_asked() {
    let mut audit = accepting().await;
    let mut app = Setup::asked().app(&endpoint("audit", &audit, "")).start().await;
    app.send_ok(["ana", "bo"], 1, "hi").await;
    assert!(app.receiver.next().await.is_question());
    assert!(!app.receiver.next().await.is_question());
    assert!(!audit.next().await.is_question());
    app.stop().await;
    assert!(audit.unexpected().is_empty());
}

#[tokio::test]
async fn an_endpoint_that_fails_holds_up_no_other() {
    let mut failing = Receiver::start(Box::new(|_| Reply::new(500, ""))).await;
    let mut app =
        Setup::told().app(&endpoint("failing", &failing, "retry_delays_secs = [3600]")).start().await;
    for number in 1..=3 {
        app.send_ok(["ana", "bo"], number, &number.to_string()).await;
    }
    assert_eq!(texts(&mut app.receiver).await, ["1", "2", "3"]);
    assert_eq!(failing.next().await.text(), "1");
    app.stop().await;
}

#[tokio::test]
async fn changes_take_effect_at_once() {
    let (mut audit, mut later) = (accepting().await, accepting().await);
    let declared = endpoint("audit", &audit, "");
    let mut app = Setup::told().app(&declared).start().await;
    app.send_ok(["ana", "bo"], 1, "1").await;
    assert_eq!(texts(&mut app.receiver).await, ["1"]);
    assert_eq!(texts(&mut audit).await, ["1"]);

    // It goes elsewhere, and goes on where it was.
    let moved = declared.replace(&audit.address.to_string(), &later.address.to_string());
    app.redeclare(&declared, &moved).await.unwrap();
    app.send_ok(["ana", "bo"], 2, "2").await;
    assert_eq!(texts(&mut app.receiver).await, ["2"]);
    assert_eq!(texts(&mut later).await, ["2"]);

    // It goes away, and comes back: it was told everything but what came meanwhile.
    app.redeclare(&moved, "").await.unwrap();
    app.send_ok(["ana", "bo"], 3, "3").await;
    assert_eq!(texts(&mut app.receiver).await, ["3"]);
    app.redeclare("admins", &format!("{}admins", "\n")).await.unwrap();
    let file_end = "C2C.CallbackAfterSendMsg\"]\nretry_delays_secs = [1]\n";
    app.redeclare(file_end, &format!("{file_end}{declared}")).await.unwrap();
    assert_eq!(texts(&mut audit).await, ["3"]);

    // One that cannot be used changes nothing.
    let error = app.redeclare("/audit", "/au dit").await.unwrap_err();
    assert!(error.contains("app 1400000001, endpoint 1: url"), "{error}");
    app.send_ok(["ana", "bo"], 4, "4").await;
    assert_eq!(texts(&mut app.receiver).await, ["4"]);
    assert_eq!(texts(&mut audit).await, ["4"]);
    app.stop().await;
    assert!(audit.unexpected().is_empty() && later.unexpected().is_empty());
}

/// An endpoint that was mended once still waited for its next attempt, which may be hours away.
#[tokio::test]
async fn what_waits_is_tried_at_once_when_its_endpoint_changes() {
    let mut failing = Receiver::start(Box::new(|_| Reply::new(500, ""))).await;
    let mut mended = accepting().await;
    let declared = endpoint("audit", &failing, "retry_delays_secs = [3600]");
    let mut app = Setup::told().app(&declared).start().await;
    app.send_ok(["ana", "bo"], 1, "1").await;
    assert_eq!(texts(&mut app.receiver).await, ["1"]);
    assert_eq!(texts(&mut failing).await, ["1"]);
    let moved = declared.replace(&failing.address.to_string(), &mended.address.to_string());
    app.redeclare(&declared, &moved).await.unwrap();
    assert_eq!(texts(&mut mended).await, ["1"]);
    app.stop().await;
}

#[tokio::test]
async fn a_new_endpoint_begins_with_the_oldest_event_or_with_now() {
    let (mut oldest, mut now) = (accepting().await, accepting().await);
    let mut app = Setup::told().start().await;
    app.send_ok(["ana", "bo"], 1, "1").await;
    assert_eq!(texts(&mut app.receiver).await, ["1"]);
    let file_end = "retry_delays_secs = [1]\n";
    let both = endpoint("oldest", &oldest, "") + &endpoint("now", &now, "begin = \"now\"");
    app.redeclare(file_end, &format!("{file_end}{both}")).await.unwrap();
    assert_eq!(texts(&mut oldest).await, ["1"]);
    app.endpoints_have_begun().await;
    app.send_ok(["ana", "bo"], 2, "2").await;
    assert_eq!(texts(&mut app.receiver).await, ["2"]);
    assert_eq!(texts(&mut oldest).await, ["2"]);
    assert_eq!(texts(&mut now).await, ["2"]);
    app.stop().await;
    assert!(now.unexpected().is_empty());
}

#[tokio::test]
async fn while_secrets_are_changed_both_fit() {
    let declared = format!("signing_secret = {SECRET:?}");
    let mut app = Setup::asked().callback(&declared).start().await;
    let fits = |callback: &Callback| (callback.body_is_signed(SECRET), callback.body_is_signed(OTHER_SECRET));
    app.send_ok(["ana", "bo"], 1, "1").await;
    for _question_and_event in 0..2 {
        assert_eq!(fits(&app.receiver.next().await), (true, false));
    }
    let both = format!("signing_secret = {OTHER_SECRET:?}\nprevious_signing_secret = {SECRET:?}");
    app.redeclare(&declared, &both).await.unwrap();
    app.send_ok(["ana", "bo"], 2, "2").await;
    for _question_and_event in 0..2 {
        assert_eq!(fits(&app.receiver.next().await), (true, true));
    }
    app.redeclare(&both, &format!("signing_secret = {OTHER_SECRET:?}")).await.unwrap();
    app.send_ok(["ana", "bo"], 3, "3").await;
    for _question_and_event in 0..2 {
        assert_eq!(fits(&app.receiver.next().await), (false, true));
    }
    app.stop().await;
}

#[tokio::test]
async fn what_cannot_work_is_refused_with_its_place() {
    for (toml, expected) in [
        ("[[app.endpoint]]\nurl = \"http://127.0.0.1/\"", "endpoint 1: this endpoint needs a name"),
        ("[[app.endpoint]]\nname = \"default\"\nurl = \"http://127.0.0.1/\"", "name \"default\" must be"),
        ("[[app.endpoint]]\nname = \"a b\"\nurl = \"http://127.0.0.1/\"", "name \"a b\" must be"),
        ("[[app.endpoint]]\nname = \"a\"\nurl = \"ftp://127.0.0.1/\"", "must be http:// or https://"),
        (
            "[[app.endpoint]]\nname = \"a\"\nurl = \"http://me:secret@h/\"",
            "must not hold a name or a password",
        ),
        (
            "[[app.endpoint]]\nname = \"a\"\nurl = \"http://h/\"\ntimeout_ms = 60001",
            "timeout_ms is above 60000",
        ),
        (
            "[[app.endpoint]]\nname = \"a\"\nurl = \"http://h/\"\ngive_up_after_secs = 31622401",
            "above a year",
        ),
        ("[[app.endpoint]]\nname = \"a\"\nurl = \"http://169.254.169.254/\"", "never called"),
        ("[[app.endpoint]]\nname = \"a\"\nurl = \"http://h/\"\nevents = [\"x\"]", "\"x\" is no event"),
        (
            "[[app.endpoint]]\nname = \"a\"\nurl = \"http://h/\"\nevents = [\"C2C.CallbackBeforeSendMsg\"]",
            "only the endpoint of [app.callback] is asked",
        ),
        (
            "[[app.endpoint]]\nname = \"a\"\nurl = \"http://h/\"\nmessage_types = [\"TextElem\"]",
            "\"TextElem\" is no type of an element",
        ),
        ("[[app.endpoint]]\nname = \"a\"\nurl = \"http://h/\"\nsenders = [\"\"]", "\"\" is no user id"),
        ("[[app.endpoint]]\nname = \"a\"\nurl = \"http://h/\"\nca = \"/nowhere.pem\"", "/nowhere.pem"),
        ("[[app.endpoint]]\nname = \"a\"\nurl = \"http://h/\"\nclient_cert = \"c.pem\"", "go together"),
        (
            "[[app.endpoint]]\nname = \"a\"\nurl = \"http://h/\"\nsigning_secret = \"!\"",
            "signing_secret must be",
        ),
        (
            "[[app.endpoint]]\nname = \"a\"\nurl = \"http://h/\"\nprevious_signing_secret = \"aaaa\"",
            "of no use without signing_secret",
        ),
        (
            "[[app.endpoint]]\nname = \"a\"\nurl = \"http://h/\"\n[[app.endpoint]]\nname = \"a\"\nurl = \"http://h/\"",
            "there are two endpoints ep_a",
        ),
        ("[[app.endpoint]]\nname = \"a\"\nurl = \"http://h/\"\nbegin = \"soon\"", "begin"),
    ] {
        let error = refused(toml).await;
        assert!(error.contains(expected), "{toml}: {error}");
        assert!(error.contains(&SDKAPPID.to_string()) && !error.contains("secret@"), "{error}");
    }
}

/// Why a server with such an app does not start.
async fn refused(toml: &str) -> String {
    let app = Setup::told().app("# here").start().await;
    let error = app.redeclare("# here", toml).await.unwrap_err();
    app.stop().await;
    error
}

/// Names that the test answers for, one question after another.
#[derive(Debug)]
struct Questions(mpsc::Sender<oneshot::Sender<Vec<IpAddr>>>);

#[async_trait::async_trait]
impl Names for Questions {
    async fn look_up(&self, host: &str, _: OwnedSemaphorePermit) -> io::Result<Vec<IpAddr>> {
        assert_eq!(host, "backend.example");
        let (answer, answered) = oneshot::channel();
        self.0.send(answer).await.unwrap();
        let found = answered.await.unwrap();
        if found.is_empty() { Err(io::Error::other("no such name")) } else { Ok(found) }
    }
}

/// A name is looked up for every connection, and one that turns to a forbidden address is not followed there.
#[tokio::test]
async fn a_name_that_flips_is_not_followed_to_a_forbidden_address() {
    let (sender, mut asked) = mpsc::channel(1);
    let mut receiver = accepting().await;
    let url = format!("http://backend.example:{}/callback", receiver.address.port());
    let setup = Setup::told().url(url).callback("timeout_ms = 30000");
    let app = setup.names(Arc::new(Questions(sender))).start().await;
    app.send_ok(["ana", "bo"], 1, "1").await;
    for addresses in [&[][..], &["169.254.169.254"], &["::ffff:169.254.169.254", "127.0.0.1"]] {
        let answer = within("a question for the name", asked.recv()).await.unwrap();
        answer.send(addresses.iter().map(|ip| ip.parse().unwrap()).collect()).unwrap();
    }
    assert_eq!(texts(&mut receiver).await, ["1"]);
    let directory = app.stop().await;
    let store = Embedded::open(directory.path().join("data/store"), EmbeddedOptions::default()).unwrap();
    let lane = Lane { app: AppId(SDKAPPID), index: 0 };
    let failures =
        store.failures(&Route { lane, endpoint: EndpointId(Arc::from("ep_default")) }, 1).await.unwrap();
    let seen: Vec<_> = failures.iter().map(|failed| (failed.number, failed.failure.reason)).collect();
    assert_eq!(seen, [(1, FailureReason::Name), (2, FailureReason::Address)]);
}

#[tokio::test]
async fn a_bot_is_told_of_under_its_own_name() {
    let mut app = Setup::telling(&["C2C.CallbackAfterSendMsg", "Bot.OnC2CMessage"]).start().await;
    let import = r#"{"UserID":"@RBT#helper"}"#;
    app.rest("im_open_login_svc/account_import", import).await;
    app.send_ok(["ana", "@RBT#helper"], 1, "hi").await;
    let callback = app.receiver.next().await;
    assert_eq!(callback.parameter("CallbackCommand"), "Bot.OnC2CMessage");
    assert_eq!(callback.json()["CallbackCommand"], "Bot.OnC2CMessage");
    assert!(callback.body.contains(&text_body("hi")), "{}", callback.body);
    app.stop().await;
}

#[tokio::test]
async fn devices_that_come_and_go_are_told_of_if_the_app_wants_it() {
    let mut app = Setup::telling(&["State.StateChange"]).callback("# state").start().await;
    let mut ana = app.device("ana").await;
    ana.close(1000).await;
    // Not wanted so far; the first event is of a later login.
    app.redeclare("admins = ", "state_changes = true\nadmins = ").await.unwrap();
    let mut bo = app.device_with("bo", "").await;
    let told = |callback: Callback| {
        let body = callback.json();
        format!("{} {} {}", body["Info"]["To_Account"], body["Info"]["Action"], body["Info"]["Reason"])
    };
    assert_eq!(told(app.receiver.next().await), r#""bo" "Login" "Register""#);
    bo.close(1000).await;
    assert_eq!(told(app.receiver.next().await), r#""bo" "Logout" "Unregister""#);
    let cy = app.device("cy").await;
    assert_eq!(told(app.receiver.next().await), r#""cy" "Login" "Register""#);
    drop(cy);
    assert_eq!(told(app.receiver.next().await), r#""cy" "Disconnect" "LinkClose""#);
    app.stop().await;
}

impl TestApp {
    /// Waits until every endpoint knows where it begins.
    async fn endpoints_have_begun(&self) {
        let bearer = format!("authorization: Bearer {}\r\n", usersig(ADMIN));
        let path = format!("/v1/apps/{SDKAPPID}/endpoints");
        let answer = self.exchange(&raw_http::request("GET", &path, &bearer, b"")).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
}
