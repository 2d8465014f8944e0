//! Calls of the event API. Every answer must be one that the document has: its status, and its form.

use crate::app::{ADMIN, TestApp};
use crate::literal::literal;
use crate::raw_http::{self, Answer};
use crate::v1_document;
use serde_json::Value;

const APP: &str = "/v1/apps/1400000001";

pub(crate) fn bearer(usersig: &str) -> String {
    format!("Authorization: Bearer {usersig}\r\n")
}

fn admin(app: &TestApp) -> String {
    bearer(&app.usersig(ADMIN))
}

/// Calls with headers of the test's own. `path` is below the app's.
pub(crate) async fn call(app: &TestApp, method: &str, path: &str, headers: &str, body: &str) -> Answer {
    let target = format!("{APP}{path}");
    let answer = app.exchange(&raw_http::request(method, &target, headers, body.as_bytes())).await;
    v1_document::check(method, &target, &answer);
    answer
}

pub(crate) async fn get(app: &TestApp, path: &str) -> Answer {
    call(app, "GET", path, &admin(app), "").await
}

/// What is answered to a call that must be carried out.
pub(crate) async fn read(app: &TestApp, path: &str) -> Value {
    carried_out(&get(app, path).await)
}

/// The same, as it is written, in its normal form.
pub(crate) async fn read_text(app: &TestApp, path: &str) -> String {
    let answer = get(app, path).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    normal(&answer.body)
}

pub(crate) async fn post(app: &TestApp, path: &str, body: &str) -> Answer {
    call(app, "POST", path, &admin(app), body).await
}

pub(crate) async fn act(app: &TestApp, path: &str, body: &str) -> Value {
    carried_out(&post(app, path, body).await)
}

fn carried_out(answer: &Answer) -> Value {
    assert_eq!(answer.status, 200, "{answer:?}");
    serde_json::from_str(&answer.body).unwrap()
}

/// Status, code and text of a call that is refused.
pub(crate) fn refused(answer: &Answer) -> (u16, u64, String) {
    let body: Value = serde_json::from_str(&answer.body).unwrap_or_else(|_| panic!("{answer:?}"));
    assert_eq!(body["ActionStatus"], "FAIL", "{body}");
    let text = body["ErrorInfo"].as_str().unwrap().to_owned();
    (answer.status, body["ErrorCode"].as_u64().unwrap(), text)
}

/// The literal form, with `L` for what a call took, and `D` for dates.
pub(crate) fn normal(text: &str) -> String {
    let text = literal(text);
    let mut parts = text.split(r#""latency_ms":"#);
    let mut out = dateless(parts.next().unwrap());
    for part in parts {
        let rest = part.trim_start_matches(|c: char| c.is_ascii_digit());
        out.push_str(r#""latency_ms":L"#);
        out.push_str(&dateless(rest));
    }
    out
}

/// Writes `D` for every date of the form of HTTP, which has 29 characters and ends with `GMT`.
fn dateless(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(end) = rest.find(" GMT").map(|at| at + 4) {
        let begin = end.checked_sub(29).unwrap_or_else(|| panic!("no date: {rest}"));
        out.push_str(&rest[..begin]);
        out.push('D');
        rest = &rest[end..];
    }
    out + rest
}

/// The `MsgText` of the events of a page.
pub(crate) fn texts(page: &Value) -> Vec<&str> {
    let events = page["events"].as_array().unwrap();
    events.iter().map(|event| event["body"]["MsgBody"][0]["MsgContent"]["Text"].as_str().unwrap()).collect()
}

/// The ids of the events so far.
pub(crate) async fn ids(app: &TestApp) -> Vec<String> {
    let page = read(app, "/events").await;
    let events = page["events"].as_array().unwrap();
    events.iter().map(|event| event["id"].as_str().unwrap().to_owned()).collect()
}
