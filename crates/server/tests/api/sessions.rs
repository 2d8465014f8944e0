//! How many sessions a user may have, and how one ends that has to.

use crate::app::{KEY, OK, SDKAPPID, Setup, TestApp, TestClock, login, signed, text_body};
use crate::device::Device;
use crate::literal::literal;
use futures_util::future::join_all;
use protocol::usersig::Lifetime;

const STATUS: &str = "openim/query_online_status";
/// How a client closes that does not want to come back.
const GOODBYE: u16 = 1000;

fn on(platform: &str) -> String {
    format!(r#","platform":"{platform}""#)
}

fn device(id: &str) -> String {
    format!(r#","device_id":"{id}""#)
}

fn other_device() -> (String, u16) {
    ("other_device".to_owned(), 4503)
}

fn same_device() -> (String, u16) {
    ("same_device".to_owned(), 4505)
}

fn logins(toml: &str) -> Setup {
    Setup::default().app(&format!("[app.logins]\n{toml}"))
}

/// A backend that is told who comes and goes.
fn told(toml: &str) -> Setup {
    let setup = Setup::telling(&["State.StateChange"]).rules("state_changes = true");
    setup.app(&format!("[app.logins]\n{toml}"))
}

/// What the backend is told next of ana: the action, the reason, and what follows.
async fn state(app: &mut TestApp) -> String {
    let body = literal(&app.receiver.next().await.body);
    let state = body.strip_prefix(r#"{"CallbackCommand":"State.StateChange","EventTime":MS,"Info":"#);
    state.unwrap_or_else(|| panic!("{body}")).to_owned()
}

fn info(action: &str, reason: &str, more: &str) -> String {
    format!(r#"{{"Action":"{action}","To_Account":"ana","Reason":"{reason}"}}{more}}}"#)
}

async fn is_alive(device: &mut Device) {
    assert_eq!(device.ask(r#"{"id":9,"op":"ping"}"#).await, r#"{"id":9,"ok":{"server_time_ms":MS}}"#);
}

#[tokio::test]
async fn one_session_where_the_last_login_counts() {
    let mut app = told(r#"policy = "last""#).start().await;
    let mut phone = app.device_with("ana", &on("iOS")).await;
    assert_eq!(state(&mut app).await, info("Login", "Register", ""));
    let mut web = app.device("ana").await;
    assert_eq!(phone.kicked().await, other_device());
    let kicked = r#","KickedDevice":[{"Platform":"iOS"}]"#;
    assert_eq!(state(&mut app).await, info("Login", "Register", kicked));
    // Nothing else is told of the phone, and the next session is another.
    let mut phone = app.device_with("ana", &on("iOS")).await;
    assert_eq!(web.kicked().await, other_device());
    let kicked = r#","KickedDevice":[{"Platform":"Web"}]"#;
    assert_eq!(state(&mut app).await, info("Login", "Register", kicked));
    app.send_ok(["bo", "ana"], 1, "hi").await;
    assert_eq!(phone.hear_message().await.2, "hi");
    // Others are no matter of ana's.
    let mut bo = app.device("bo").await;
    app.receiver.next().await;
    is_alive(&mut phone).await;
    phone.close(GOODBYE).await;
    assert_eq!(state(&mut app).await, info("Logout", "Unregister", ""));
    bo.close(GOODBYE).await;
    app.receiver.next().await;
    app.stop().await;
}

#[tokio::test]
async fn one_session_in_each_class() {
    let app = logins(r#"policy = "class""#).start().await;
    let mut stay = Vec::new();
    for platform in ["iPad", "Web", "Toaster"] {
        stay.push(app.device_with("ana", &on(platform)).await);
    }
    let mut android = app.device_with("ana", &on("Android")).await;
    let mut windows = app.device_with("ana", &on("Windows")).await;
    stay.push(app.device_with("ana", &on("iOS")).await);
    assert_eq!(android.kicked().await, other_device());
    stay.push(app.device_with("ana", &on("Mac")).await);
    assert_eq!(windows.kicked().await, other_device());
    for device in &mut stay {
        is_alive(device).await;
    }
    drop(stay);
    app.stop().await;
}

#[tokio::test]
async fn so_many_sessions_on_each_platform() {
    let app = logins("policy = \"count\"\nmax_per_platform = { Web = 2 }").start().await;
    let mut first = app.device("ana").await;
    let mut phone = app.device_with("ana", &on("Android")).await;
    let mut second = app.device("ana").await;
    is_alive(&mut first).await;
    let mut third = app.device("ana").await;
    assert_eq!(first.kicked().await, other_device());
    let mut other_phone = app.device_with("ana", &on("Android")).await;
    assert_eq!(phone.kicked().await, other_device());
    for device in [&mut second, &mut third, &mut other_phone] {
        is_alive(device).await;
    }
    drop((second, third, other_phone));
    app.stop().await;
}

/// Whatever the app allows.
#[tokio::test]
async fn the_sessions_of_a_user_have_an_end() {
    let app = logins(r#"policy = "any""#).settings("[gateway]\nuser_sessions_max = 2\n").start().await;
    let mut first = app.device_with("ana", &on("iOS")).await;
    let mut second = app.device("ana").await;
    let mut bo = app.device("bo").await;
    is_alive(&mut first).await;
    let mut third = app.device_with("ana", &on("Mac")).await;
    assert_eq!(first.kicked().await, other_device());
    for device in [&mut second, &mut third, &mut bo] {
        is_alive(device).await;
    }
    let mut fourth = app.device("ana").await;
    assert_eq!(second.kicked().await, other_device());
    for device in [&mut third, &mut fourth] {
        is_alive(device).await;
    }
    drop((third, fourth, bo));
    app.stop().await;
}

/// Of logins at the same time, each sees some of the others.
#[tokio::test]
async fn logins_at_the_same_time_leave_one() {
    let app = logins(r#"policy = "last""#).start().await;
    let devices = join_all((0..30).map(|_| app.device("ana"))).await;
    app.send_ok(["bo", "ana"], 1, "who is there?").await;
    let heard = join_all(devices.into_iter().map(async |mut device| {
        let push = device.hear_json().await["push"].clone();
        (push, device)
    }))
    .await;
    let count = |push: &str| heard.iter().filter(|(heard, _)| heard == push).count();
    assert_eq!((count("message"), count("kicked")), (1, 29));
    drop(heard);
    app.stop().await;
}

/// A connection that hangs does not outlive its device's next one, and nobody takes that for a kick.
#[tokio::test]
async fn a_device_that_comes_again_replaces_itself() {
    for policy in ["any", "last", "class"] {
        let mut app = told(&format!("policy = {policy:?}")).start().await;
        let mut first = app.device_with("ana", &device("tablet-1")).await;
        assert_eq!(state(&mut app).await, info("Login", "Register", ""));
        let mut second = app.device_with("ana", &device("tablet-1")).await;
        assert_eq!(first.kicked().await, same_device());
        assert_eq!(state(&mut app).await, info("Login", "Register", ""), "{policy}");
        is_alive(&mut second).await;
        second.close(GOODBYE).await;
        assert_eq!(state(&mut app).await, info("Logout", "Unregister", ""));
        app.stop().await;
    }
}

#[tokio::test]
async fn only_the_same_device_of_the_same_user_is_replaced() {
    let app = Setup::default().start().await;
    let mut stay = vec![
        app.device_with("ana", &device("1")).await,
        app.device("ana").await,
        app.device("ana").await,
        app.device_with("bo", &device("1")).await,
    ];
    let mut former = app.device_with("ana", &device("2")).await;
    stay.push(app.device_with("ana", &device("2")).await);
    assert_eq!(former.kicked().await, same_device());
    // A login that fails puts nobody out.
    let mut refused = app.socket().await;
    assert!(refused.ask(login("ana", "eJx", &device("2"))).await.contains(r#""code":70003"#));
    for device in &mut stay {
        is_alive(device).await;
    }
    drop(stay);
    app.stop().await;
}

/// Nobody is there at the other end, but the connection does not break.
#[tokio::test]
async fn a_half_open_connection_counts_no_more() {
    let app = Setup::default().start().await;
    let hanging = app.device_with("ana", &device("1")).await.into_inner();
    app.device_with("ana", &device("1")).await.close(GOODBYE).await;
    let status = app.rest(STATUS, r#"{"To_Account":["ana"]}"#).await;
    assert!(status.contains(r#"{"To_Account":"ana","Status":"Offline"}"#), "{status}");
    drop(hanging);
    app.stop().await;
}

#[tokio::test]
async fn a_session_ends_with_its_usersig() {
    let clock = TestClock::new();
    let app = Setup::default().settings("[gateway]\npoll_secs = 1\n").clock(&clock).start().await;
    let short = signed(SDKAPPID, KEY, "ana", Lifetime { time_s: clock.now_s(), expire_s: 60 });
    let mut ana = app.socket().await;
    assert!(ana.ask(login("ana", &short, "")).await.starts_with(r#"{"id":1,"ok":"#));
    let mut bo = app.device("bo").await;
    clock.advance_secs(59);
    is_alive(&mut ana).await;
    clock.advance_secs(1);
    assert_eq!(ana.kicked().await, ("expired".to_owned(), 4506));
    let mut again = app.socket().await;
    assert!(again.ask(login("ana", &short, "")).await.contains(r#""code":70001"#));
    let mut ana = app.device("ana").await;
    for device in [&mut ana, &mut bo] {
        is_alive(device).await;
    }
    drop((ana, bo));
    app.stop().await;
}

#[tokio::test]
async fn a_policy_holds_from_the_next_login_on() {
    let app = logins(r#"policy = "any""#).start().await;
    let mut devices = [app.device("ana").await, app.device("ana").await];
    app.redeclare(r#"policy = "any""#, r#"policy = "last""#).await.unwrap();
    for device in &mut devices {
        is_alive(device).await;
    }
    let mut last = app.device("ana").await;
    for device in &mut devices {
        assert_eq!(device.kicked().await, other_device());
    }
    is_alive(&mut last).await;
    drop(last);
    app.stop().await;
}

#[tokio::test]
async fn policies_that_cannot_be_meant() {
    let app = logins(r#"policy = "any""#).start().await;
    for (logins, expected) in [
        (r#"policy = "one""#, "unknown variant `one`"),
        ("policy = \"count\"\nmax_per_platform = { Toaster = 1 }", "there is no platform Toaster"),
        ("policy = \"count\"\nmax_per_platform = { RESTAPI = 1 }", "there is no platform RESTAPI"),
        ("policy = \"count\"\nmax_per_platform = { Web = 0 }", "nobody could log in on Web"),
        ("policy = \"last\"\nmax_per_platform = { Web = 2 }", "logins.max_per_platform has no effect"),
    ] {
        let error = app.redeclare(r#"policy = "any""#, logins).await.unwrap_err();
        assert!(error.contains(expected), "{error}");
        // As it was, for the next one.
        app.redeclare(logins, r#"policy = "any""#).await.unwrap();
    }
    app.stop().await;
}

#[tokio::test]
async fn devices_may_send_so_many_messages() {
    let clock = TestClock::new();
    let rates = "[app.rates]\ndevice_sends_per_sec = 3";
    let app = Setup::default().app(rates).clock(&clock).start().await;
    let (mut phone, mut web) = (app.device("ana").await, app.device("ana").await);
    let mut bo = app.device("bo").await;
    let send = async |device: &mut Device, to: &str, random: u32| {
        let body = text_body("hi");
        device
            .say(format!(r#"{{"id":{random},"op":"send","to":"{to}","random":{random},"body":{body}}}"#))
            .await;
        loop {
            let heard = device.hear_json().await;
            if heard["id"] == random {
                return heard["error"]["code"].as_u64();
            }
        }
    };
    // What counts is the user.
    assert_eq!(send(&mut phone, "bo", 1).await, None);
    assert_eq!(send(&mut web, "bo", 2).await, None);
    assert_eq!(send(&mut phone, "bo", 3).await, None);
    assert_eq!(send(&mut web, "bo", 4).await, Some(22_006));
    assert_eq!(send(&mut bo, "ana", 5).await, None);
    // Only sends from devices are counted.
    app.send_ok(["ana", "bo"], 6, "hi").await;
    clock.advance_secs(1);
    assert_eq!(send(&mut web, "bo", 4).await, None);
    assert!(app.rest(STATUS, r#"{"To_Account":["ana"]}"#).await.starts_with(OK.trim_end_matches('}')));
    drop((phone, web, bo));
    app.stop().await;
}

#[tokio::test]
async fn whatever_devices_change_has_a_rate() {
    let clock = TestClock::new();
    let app = Setup::default().app("[app.rates]\ndevice_sends_per_sec = 1").clock(&clock).start().await;
    let mut ana = app.device("ana").await;
    let code = async |ana: &mut Device, members: &str| {
        ana.say(format!(r#"{{"id":7,"op":{members}}}"#)).await;
        loop {
            let heard = ana.hear_json().await;
            if heard["id"] == 7 {
                return heard["error"]["code"].as_u64();
            }
        }
    };
    assert_eq!(code(&mut ana, r#""pin","peer":"bo","pinned":true"#).await, None);
    for members in [
        r#""send","to":"bo","random":1,"body":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"hi"}}]"#,
        r#""recall","peer":"bo","key":"1_1_1700000000""#,
        r#""edit","peer":"bo","key":"1_1_1700000000","custom_data":"x""#,
        r#""delete","peer":"bo","keys":["1_1_1700000000"]"#,
        r#""confirm","peer":"bo","keys":["1_1_1700000000"]"#,
        r#""extend","peer":"bo","key":"1_1_1700000000","set":[{"Key":"k","Value":"v"}]"#,
        r#""read","peer":"bo""#,
        r#""read_all""#,
        r#""clear","peer":"bo""#,
        r#""remove","peer":"bo""#,
        r#""pin","peer":"bo","pinned":true"#,
        r#""notify","peers":["bo"],"notify":"AcceptNotNotify""#,
        r#""mark","peers":["bo"],"mark":1,"on":true"#,
        r#""annotate","peers":["bo"],"custom":"x""#,
        r#""set_profile","profile":{"Tag_Profile_IM_Nick":"Ana"}"#,
        r#""befriend","peer":"bo","source":"AddSource_Type_Web""#,
        r#""unfriend","peers":["bo"]"#,
        r#""note_friend","peer":"bo","remark":"Bo""#,
        r#""accept","peer":"bo""#,
        r#""refuse","peer":"bo""#,
        r#""add_groups","names":["home"]"#,
        r#""delete_groups","names":["home"]"#,
        r#""rename_group","name":"home","to":"work""#,
        r#""join_group","name":"home","peers":["bo"]"#,
        r#""leave_group","name":"home","peers":["bo"]"#,
        r#""block","peers":["bo"]"#,
        r#""unblock","peers":["bo"]"#,
    ] {
        assert_eq!(code(&mut ana, members).await, Some(22_006), "{members}");
    }
    for members in [
        r#""ping""#,
        r#""history","peer":"bo""#,
        r#""receipts","peer":"bo","keys":["1_1_1700000000"]"#,
        r#""conversations""#,
        r#""profiles","users":["bo"]"#,
        r#""friends""#,
        r#""check_friends","peers":["bo"]"#,
        r#""requests""#,
        r#""blocked""#,
        r#""status","users":["bo"]"#,
        r#""set_status","custom":"busy""#,
        r#""subscribe","users":["bo"]"#,
    ] {
        assert_eq!(code(&mut ana, members).await, None, "{members}");
    }
    clock.advance_secs(1);
    assert_eq!(code(&mut ana, r#""read","peer":"bo""#).await, None);
    drop(ana);
    app.stop().await;
}
