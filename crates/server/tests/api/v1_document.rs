//! Holds answers to the document of the event API: their form, and which statuses there are.

use crate::raw_http::Answer;
use crate::schema::Document;
use serde_json::Value;
use std::sync::LazyLock;

static DOCUMENT: LazyLock<Document> =
    LazyLock::new(|| Document::parse(include_str!("../../../../docs/reference/openapi.json")));

/// Panics when the document does not know such an answer.
pub(crate) fn check(method: &str, target: &str, answer: &Answer) {
    let path = target.split('?').next().unwrap();
    let Some(operation) = operation(method, path) else {
        assert!([404, 405].contains(&answer.status), "{method} {path} is not documented: {answer:?}");
        return DOCUMENT.fits(&DOCUMENT.json()["components"]["schemas"]["Problem"], &json(answer)).unwrap();
    };
    let response = &operation["responses"][answer.status.to_string()];
    assert!(response.is_object(), "{method} {path} is not said to answer {}", answer.status);
    let response = DOCUMENT.resolved(response);
    let headers = response["headers"].as_object().into_iter().flatten();
    for (name, _) in headers {
        let line = format!("\r\n{}: ", name.to_lowercase());
        assert!(answer.head.to_lowercase().contains(&line), "{name} is missing: {answer:?}");
    }
    let schema = &response["content"]["application/json"]["schema"];
    if let Err(why) = DOCUMENT.fits(schema, &json(answer)) {
        panic!("{method} {path} is not answered as documented: {why}\n{}", answer.body);
    }
}

fn json(answer: &Answer) -> Value {
    assert!(answer.head.to_lowercase().contains("content-type: application/json"), "{answer:?}");
    serde_json::from_str(&answer.body).unwrap_or_else(|error| panic!("{error}: {answer:?}"))
}

fn operation(method: &str, path: &str) -> Option<&'static Value> {
    let fits = |template: &str| {
        let (template, path) = (template.split('/'), path.split('/'));
        template.clone().count() == path.clone().count()
            && template.zip(path).all(|(part, given)| part == given || part.starts_with('{'))
    };
    let (_, found) =
        DOCUMENT.json()["paths"].as_object().unwrap().iter().find(|(template, _)| fits(template))?;
    found.get(method.to_lowercase())
}

/// The document's own examples are answers that it would let through.
#[test]
fn the_examples_fit() {
    for (path, methods) in DOCUMENT.json()["paths"].as_object().unwrap() {
        for (method, operation) in
            methods.as_object().unwrap().iter().filter(|(name, _)| *name != "parameters")
        {
            for (status, response) in operation["responses"].as_object().unwrap() {
                let content = &DOCUMENT.resolved(response)["content"]["application/json"];
                DOCUMENT
                    .fits(&content["schema"], &content["example"])
                    .unwrap_or_else(|why| panic!("{method} {path} {status}: {why}"));
            }
        }
    }
}
