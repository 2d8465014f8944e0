//! Holds answers to the document of the REST API: every form that a test sees is described, with its codes.

use crate::app::Setup;
use crate::raw_http;
use crate::schema::Document;
use serde_json::Value;
use std::sync::LazyLock;

static TEXT: &str = include_str!("../../../../docs/reference/rest-openapi.json");
static DOCUMENT: LazyLock<Document> = LazyLock::new(|| Document::parse(TEXT));

/// Panics when the document does not know such an answer. A path that it does not have is answered with 60009.
pub(crate) fn check(command: &str, answer: &str) {
    let answer: Value = serde_json::from_str(answer).unwrap();
    let operation = &DOCUMENT.json()["paths"][format!("/v4/{command}")]["post"];
    if operation.is_null() {
        assert_eq!(answer["ErrorCode"], 60_009, "{command} is not described: {answer}");
        return;
    }
    let schema = &operation["responses"]["200"]["content"]["application/json"]["schema"];
    if let Err(why) = DOCUMENT.fits(schema, &answer) {
        panic!("{command} is not answered as described: {why}");
    }
}

/// The document's own examples are requests and answers that it describes.
#[test]
fn the_examples_fit() {
    for (path, item) in DOCUMENT.json()["paths"].as_object().unwrap() {
        for content in [&item["post"]["requestBody"]["content"], &item["post"]["responses"]["200"]["content"]]
        {
            let media = &content["application/json"];
            let fits = DOCUMENT.fits(&media["schema"], &media["example"]);
            fits.unwrap_or_else(|why| panic!("{path}: {why}"));
        }
    }
}

#[tokio::test]
async fn everybody_can_read_the_document() {
    let app = Setup::default().start().await;
    let answer = app.exchange(&raw_http::request("GET", "/openapi.json", "", b"")).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, TEXT));
    assert!(answer.head.contains("\r\ncontent-type: application/json\r\n"), "{}", answer.head);
    app.stop().await;
}
