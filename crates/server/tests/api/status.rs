//! `openim/query_online_status` and `openim/querystate`: who is online.

use crate::app::{OK, Setup, TestApp, TestClock};

const QUERY: &str = "openim/query_online_status";
const OLD_QUERY: &str = "openim/querystate";
const WEEK_SECS: u64 = 7 * 24 * 60 * 60;
/// How a client closes that does not want to come back, and how one that is carried away.
const GOODBYE: u16 = 1000;
const GOING_AWAY: u16 = 1001;

/// What is answered of ana's platforms.
async fn ana(app: &TestApp) -> String {
    let answer = app.rest(QUERY, r#"{"To_Account":["ana"],"IsNeedDetail":1}"#).await;
    let result = answer.strip_prefix(
        r#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","QueryResult":[{"To_Account":"ana","Status":"#,
    );
    let result = result.and_then(|result| result.strip_suffix(r#"}],"ErrorList":[]}"#));
    result.unwrap_or_else(|| panic!("{answer}")).to_owned()
}

fn on(platform: &str) -> String {
    format!(r#","platform":"{platform}""#)
}

#[tokio::test]
async fn answers_to_the_letter() {
    let app = Setup::default().start().await;
    let device = app.device("ana").await;
    let long = "x".repeat(33);
    let body = |detail: &str| format!(r#"{{"To_Account":["bo","ana","nobody","{long}","ana"]{detail}}}"#);
    let missing = format!(
        r#"[{{"To_Account":"nobody","ErrorCode":70107}},{{"To_Account":"{long}","ErrorCode":70107}}]"#
    );
    let ok = OK.trim_end_matches('}');
    for (detail, of_ana) in [
        ("", ""),
        (r#","IsNeedDetail":0"#, ""),
        (r#","IsNeedDetail":1"#, r#","Detail":[{"Platform":"Web","Status":"Online"}]"#),
    ] {
        let ana = format!(r#"{{"To_Account":"ana","Status":"Online"{of_ana}}}"#);
        assert_eq!(
            app.rest(QUERY, &body(detail)).await,
            format!(
                r#"{ok},"QueryResult":[{{"To_Account":"bo","Status":"Offline"}},{ana},{ana}],"ErrorList":{missing}}}"#
            )
        );
        assert_eq!(
            app.rest(OLD_QUERY, &body(detail)).await,
            format!(
                r#"{ok},"QueryResult":[{{"To_Account":"bo","State":"Offline"}},{{"To_Account":"ana","State":"Online"}},{{"To_Account":"ana","State":"Online"}}]}}"#
            )
        );
    }
    let nobody = r#"{"To_Account":["nobody"]}"#;
    let fail = r#"{"ActionStatus":"FAIL","ErrorCode":70107,"ErrorInfo":"Err_TLS_PT_Open_Login_Account_Not_Exist","QueryResult":[]"#;
    assert_eq!(
        app.rest(QUERY, nobody).await,
        format!(r#"{fail},"ErrorList":[{{"To_Account":"nobody","ErrorCode":70107}}]}}"#)
    );
    assert_eq!(app.rest(OLD_QUERY, nobody).await, format!("{fail}}}"));
    drop(device);
    app.stop().await;
}

#[tokio::test]
async fn platforms_by_their_names() {
    let app = Setup::default().start().await;
    let mut devices = Vec::new();
    for platform in ["Toaster", "iPad", "Mac", "Windows", "iOS", "Android", "Web", "Web"] {
        devices.push(app.device_with("ana", &on(platform)).await);
    }
    let line = |platform: &str| format!(r#"{{"Platform":"{platform}","Status":"Online"}}"#);
    let lines = ["Web", "Android", "iPhone", "PC", "Mac", "iPad", "Unknown"].map(line);
    assert_eq!(ana(&app).await, format!(r#""Online","Detail":[{}]"#, lines.join(",")));
    drop(devices);
    app.stop().await;
}

/// Where push may still reach a user who went: on phones and tablets, for seven days, unless the user said goodbye.
#[tokio::test]
async fn push_reaches_those_who_did_not_log_out() {
    let clock = TestClock::new();
    let app = Setup::default().clock(&clock).start().await;
    let leave = async |platform: &str, code: u16| {
        app.device_with("ana", &on(platform)).await.close(code).await;
        ana(&app).await
    };
    let reachable = |platform: &str| {
        format!(r#""PushOnline","Detail":[{{"Platform":"{platform}","Status":"PushOnline"}}]"#)
    };
    for platform in ["Web", "Windows", "Mac", "Toaster"] {
        assert_eq!(leave(platform, GOING_AWAY).await, r#""Offline""#, "{platform}");
    }
    for (platform, name) in [("Android", "Android"), ("iOS", "iPhone"), ("iPad", "iPad")] {
        assert_eq!(leave(platform, GOING_AWAY).await, reachable(name));
        assert_eq!(leave(platform, GOODBYE).await, r#""Offline""#, "{platform}");
    }
    assert_eq!(leave("Android", GOING_AWAY).await, reachable("Android"));
    let old = app.rest(OLD_QUERY, r#"{"To_Account":["ana"]}"#).await;
    assert!(old.contains(r#"{"To_Account":"ana","State":"PushOnline"}"#), "{old}");
    clock.advance_secs(WEEK_SECS - 1);
    assert_eq!(ana(&app).await, reachable("Android"));
    // A connection elsewhere comes first.
    let web = app.device("ana").await;
    assert_eq!(
        ana(&app).await,
        r#""Online","Detail":[{"Platform":"Web","Status":"Online"},{"Platform":"Android","Status":"PushOnline"}]"#
    );
    // On its own platform a connection takes its place.
    let phone = app.device_with("ana", &on("Android")).await;
    assert_eq!(
        ana(&app).await,
        r#""Online","Detail":[{"Platform":"Web","Status":"Online"},{"Platform":"Android","Status":"Online"}]"#
    );
    for mut device in [web, phone] {
        device.close(GOING_AWAY).await;
    }
    assert_eq!(ana(&app).await, reachable("Android"));
    clock.advance_secs(WEEK_SECS);
    assert_eq!(ana(&app).await, r#""Offline""#);
    app.stop().await;
}

#[tokio::test]
async fn being_logged_out_ends_push_too() {
    let app = Setup::default().start().await;
    app.device_with("ana", &on("iOS")).await.close(GOING_AWAY).await;
    assert!(ana(&app).await.starts_with(r#""PushOnline""#));
    assert_eq!(app.rest("im_open_login_svc/kick", r#"{"UserID":"ana"}"#).await, OK);
    assert_eq!(ana(&app).await, r#""Offline""#);
    app.stop().await;
}

#[tokio::test]
async fn requests_that_are_refused() {
    let app = Setup::default().start().await;
    let many = |count: usize| format!(r#"{{"To_Account":[{}]}}"#, vec![r#""ana""#; count].join(","));
    let failed = |code: u32, info: &str| {
        format!(r#"{{"ActionStatus":"FAIL","ErrorCode":{code},"ErrorInfo":"{info}"}}"#)
    };
    let not_array = failed(90003, "To_Account must be an Array of Strings");
    let not_json = failed(90001, "Fail to Parse json data of body, Please check it");
    for command in [QUERY, OLD_QUERY] {
        for (body, expected) in [
            (r#"{"To_Account":[]}"#.to_owned(), failed(90001, "To_Account is empty")),
            ("{}".to_owned(), not_array.clone()),
            (r#"{"To_Account":"ana"}"#.to_owned(), not_array.clone()),
            (r#"{"To_Account":["ana",7]}"#.to_owned(), not_array.clone()),
            ("nothing".to_owned(), not_json.clone()),
            (
                r#"{"To_Account":["ana"],"IsNeedDetail":2}"#.to_owned(),
                failed(90010, "IsNeedDetail must be 0 or 1"),
            ),
        ] {
            assert_eq!(app.rest(command, &body).await, expected, "{command} {body}");
        }
        let too_many = app.rest(command, &many(501)).await;
        assert!(too_many.starts_with(r#"{"ActionStatus":"FAIL","ErrorCode":90011,"#), "{too_many}");
        let most = app.rest(command, &many(500)).await;
        assert_eq!(most.matches(r#""To_Account":"ana""#).count(), 500);
    }
    app.stop().await;
}
