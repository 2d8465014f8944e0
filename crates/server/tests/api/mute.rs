//! `openconfigsvr`: users are muted, and asked about. What a mute does is in `effects`.

use crate::app::{OK, Setup, TestApp, TestClock};

const SET: &str = "openconfigsvr/setnospeaking";
const GET: &str = "openconfigsvr/getnospeaking";
const FOREVER: u32 = u32::MAX;

async fn set(app: &TestApp, members: &str) {
    assert_eq!(app.rest(SET, &format!(r#"{{"Set_Account":"ana",{members}}}"#)).await, OK, "{members}");
}

fn mutes(c2c: u32, group: u32) -> String {
    let ok = OK.trim_end_matches('}');
    format!(r#"{ok},"C2CmsgNospeakingTime":{c2c},"GroupmsgNospeakingTime":{group}}}"#)
}

#[tokio::test]
async fn what_is_left_of_a_mute() {
    let clock = TestClock::new();
    let app = Setup::default().clock(&clock).start().await;
    let get = async |user: &str| app.rest(GET, &format!(r#"{{"Get_Account":"{user}"}}"#)).await;
    assert_eq!(get("ana").await, mutes(0, 0));
    set(&app, r#""C2CmsgNospeakingTime":7200"#).await;
    assert_eq!(get("ana").await, mutes(7200, 0));
    clock.advance_secs(4);
    assert_eq!(get("ana").await, mutes(7196, 0));
    assert_eq!(get("bo").await, mutes(0, 0));
    // Each time stays as it is when the other is set.
    set(&app, r#""GroupmsgNospeakingTime":100"#).await;
    assert_eq!(get("ana").await, mutes(7196, 100));
    set(&app, r#""C2CmsgNospeakingTime":10"#).await;
    assert_eq!(get("ana").await, mutes(10, 100));
    clock.advance_secs(9);
    assert_eq!(get("ana").await, mutes(1, 91));
    clock.advance_secs(1);
    assert_eq!(get("ana").await, mutes(0, 90));
    set(&app, r#""C2CmsgNospeakingTime":4294967295,"GroupmsgNospeakingTime":4294967294"#).await;
    assert_eq!(get("ana").await, mutes(FOREVER, FOREVER - 1));
    clock.advance_secs(1);
    assert_eq!(get("ana").await, mutes(FOREVER, FOREVER - 2));
    set(&app, r#""C2CmsgNospeakingTime":0"#).await;
    assert_eq!(get("ana").await, mutes(0, FOREVER - 2));
    set(&app, r#""GroupmsgNospeakingTime":0"#).await;
    assert_eq!(get("ana").await, mutes(0, 0));
    app.stop().await;
}

#[tokio::test]
async fn requests_that_are_refused() {
    let app = Setup::default().start().await;
    for (command, body, code) in [
        (SET, "", 130_001),
        (SET, "[]", 130_001),
        (SET, r#"{"C2CmsgNospeakingTime":1}"#, 130_004),
        (SET, r#"{"Set_Account":"","C2CmsgNospeakingTime":1}"#, 130_005),
        (SET, r#"{"Set_Account":"123456789012345678901234567890123","C2CmsgNospeakingTime":1}"#, 130_005),
        (SET, r#"{"Set_Account":"nobody","C2CmsgNospeakingTime":1}"#, 130_005),
        (SET, r#"{"Set_Account":"ana"}"#, 130_008),
        (SET, r#"{"Set_Account":"ana","C2CmsgNospeakingTime":4294967296}"#, 130_008),
        (SET, r#"{"Set_Account":"ana","C2CmsgNospeakingTime":-1}"#, 130_008),
        (GET, "", 130_001),
        (GET, "{}", 130_002),
        (GET, r#"{"Get_Account":7}"#, 130_003),
        (GET, r#"{"Get_Account":"nobody"}"#, 130_003),
    ] {
        let answer = app.rest(command, body).await;
        let expected = format!(r#"{{"ActionStatus":"FAIL","ErrorCode":{code},"ErrorInfo":""#);
        assert!(answer.starts_with(&expected), "{command} {body} {answer}");
    }
    app.stop().await;
}
