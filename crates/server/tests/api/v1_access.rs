//! Who may call the event API, and what others are answered.

use crate::app::{ADMIN, KEY, SDKAPPID, Setup, now_s, signed, usersig};
use crate::raw_http;
use crate::v1_call::{bearer, call, get, refused};
use crate::v1_document;
use protocol::usersig::Lifetime;

#[tokio::test]
async fn only_an_admin_of_the_app() {
    let app = Setup::default().start().await;
    let lifetime = Lifetime { time_s: now_s(), expire_s: 3_600 };
    let expired = Lifetime { time_s: now_s() - 10, expire_s: 5 };
    let good = usersig(ADMIN);
    let headers = [
        (String::new(), 401, 70_002),
        (format!("Authorization: {good}\r\n"), 401, 70_002),
        (format!("Authorization: Basic {good}\r\n"), 401, 70_002),
        (bearer(""), 401, 70_002),
        (bearer("nonsense"), 401, 70_003),
        (bearer(&good[..good.len() - 9]), 401, 70_003),
        (bearer(&signed(SDKAPPID, "another key", ADMIN, lifetime)), 401, 70_009),
        (bearer(&signed(1_400_000_002, KEY, ADMIN, lifetime)), 401, 70_014),
        (bearer(&signed(SDKAPPID, KEY, ADMIN, expired)), 401, 70_001),
        (bearer(&usersig("ana")), 403, 60_010),
        ("Authorization: Bearer \u{e9}\r\n".to_owned(), 401, 70_003),
    ];
    for (headers, status, code) in &headers {
        for path in [
            "/events",
            "/events/evt_1_0_a_1",
            "/endpoints",
            "/endpoints/x/parked",
            "/explain",
            "/questions",
            "/sends",
        ] {
            let answer = call(&app, "GET", path, headers, "").await;
            let (found, found_code, text) = refused(&answer);
            assert_eq!((found, found_code), (*status, *code), "{headers} {text}");
        }
        for path in ["/endpoints/ep_default/replay", "/trigger"] {
            let answer = call(&app, "POST", path, headers, "no body").await;
            let (found, found_code, _) = refused(&answer);
            assert_eq!((found, found_code), (*status, *code), "{headers}");
        }
    }
    // The scheme is no matter of case.
    let answer = call(&app, "GET", "/events", &format!("authorization: bearer {good}\r\n"), "").await;
    assert_eq!(answer.status, 200);
    app.stop().await;
}

#[tokio::test]
async fn what_is_not_there() {
    let app = Setup::default().start().await;
    let admin = bearer(&usersig(ADMIN));
    for (method, target, status, code) in [
        ("GET", "/v1/apps/1400000002/events", 404, 70_020),
        ("GET", "/v1/apps/x/events", 404, 70_020),
        ("GET", "/v1/apps/4294967296/events", 404, 70_020),
        ("GET", "/v1/apps/%ff/events", 404, 60_009),
        ("GET", "/v1/apps/1400000001", 404, 60_009),
        ("GET", "/v1/apps/1400000001/nothing", 404, 60_009),
        ("GET", "/v1/", 404, 60_009),
        ("GET", "/v1", 404, 60_009),
        ("POST", "/v1/apps/1400000001/events", 405, 60_009),
        ("GET", "/v1/apps/1400000001/trigger", 405, 60_009),
        ("DELETE", "/v1/openapi.json", 405, 60_009),
    ] {
        let answer = app.exchange(&raw_http::request(method, target, &admin, b"")).await;
        let (found, found_code, _) = refused(&answer);
        assert_eq!((found, found_code), (status, code), "{method} {target}");
        let allow = answer.head.to_lowercase().contains("\r\nallow: ");
        assert_eq!(allow, status == 405, "{}", answer.head);
    }
    app.stop().await;
}

#[tokio::test]
async fn the_document_is_for_everybody() {
    let app = Setup::default().start().await;
    let answer = app.exchange(&raw_http::request("GET", "/v1/openapi.json", "", b"")).await;
    assert_eq!(answer.status, 200);
    v1_document::check("GET", "/v1/openapi.json", &answer);
    assert_eq!(answer.body, include_str!("../../../../docs/reference/openapi.json"));
    app.stop().await;
}

/// Parameters are looked at once the caller is known to be allowed to know.
#[tokio::test]
async fn parameters_that_are_not_valid() {
    let app = Setup::told().start().await;
    for (path, text) in [
        ("/events?limit=0", "limit must be a number from 1 to 1000"),
        ("/events?wait=61", "wait must be a number from 0 to 60"),
        ("/events?aftr=now", r#"there is no parameter "aftr" here"#),
        ("/events?after=nonsense", "after is no position"),
        ("/events?after=now&since_ms=1", "after and since_ms do not go together"),
        ("/events?event=Nothing", r#"there is no event "Nothing""#),
        ("/endpoints/ep_default/parked?after=evt_2_0_a_1", "after names no event of the app"),
        ("/questions?outcome=maybe", r#"there is no outcome "maybe""#),
        ("/explain", "key must be a MsgKey: <MsgSeq>_<MsgRandom>_<MsgTime>"),
        ("/explain?key=1_2", "key must be a MsgKey: <MsgSeq>_<MsgRandom>_<MsgTime>"),
        ("/explain?key=1_2_3&from=", "from must be a UserID: 1 to 32 bytes"),
    ] {
        assert_eq!(refused(&get(&app, path).await), (400, 11_104, text.to_owned()), "{path}");
    }
    app.stop().await;
}
