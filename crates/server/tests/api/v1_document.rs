//! Holds answers to the document of the event API, as far as it can be said in a page: members that must be there,
//! their types and words, and which statuses there are.

use crate::raw_http::Answer;
use serde_json::Value;
use std::sync::LazyLock;

static DOCUMENT: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../../../docs/reference/openapi.json")).unwrap());

/// Panics when the document does not know such an answer.
pub(crate) fn check(method: &str, target: &str, answer: &Answer) {
    let path = target.split('?').next().unwrap();
    let Some(operation) = operation(method, path) else {
        assert!([404, 405].contains(&answer.status), "{method} {path} is not documented: {answer:?}");
        return fits(&DOCUMENT["components"]["schemas"]["Problem"], &json(answer)).unwrap();
    };
    let response = &operation["responses"][answer.status.to_string()];
    assert!(response.is_object(), "{method} {path} is not said to answer {}", answer.status);
    let response = resolved(response);
    let headers = response["headers"].as_object().into_iter().flatten();
    for (name, _) in headers {
        let line = format!("\r\n{}: ", name.to_lowercase());
        assert!(answer.head.to_lowercase().contains(&line), "{name} is missing: {answer:?}");
    }
    let schema = &response["content"]["application/json"]["schema"];
    if let Err(why) = fits(schema, &json(answer)) {
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
    let (_, found) = DOCUMENT["paths"].as_object().unwrap().iter().find(|(template, _)| fits(template))?;
    found.get(method.to_lowercase())
}

fn resolved(value: &'static Value) -> &'static Value {
    match value["$ref"].as_str() {
        Some(reference) => DOCUMENT.pointer(reference.strip_prefix('#').unwrap()).unwrap(),
        None => value,
    }
}

fn fits(schema: &'static Value, value: &Value) -> Result<(), String> {
    let schema = resolved(schema);
    if schema.get("const").is_some_and(|wanted| wanted != value) {
        return Err(format!("{value} is not {}", schema["const"]));
    }
    if schema["enum"].as_array().is_some_and(|words| !words.contains(value)) {
        return Err(format!("{value} is not one of {}", schema["enum"]));
    }
    has_type(&schema["type"], value)?;
    for name in schema["required"].as_array().into_iter().flatten() {
        if value.get(name.as_str().unwrap()).is_none() {
            return Err(format!("{name} is missing in {value}"));
        }
    }
    for (name, member) in schema["properties"].as_object().into_iter().flatten() {
        if let Some(found) = value.get(name) {
            fits(member, found)?;
        }
    }
    if let (Some(items), Some(found)) = (schema.get("items"), value.as_array()) {
        found.iter().try_for_each(|item| fits(items, item))?;
    }
    for part in schema["allOf"].as_array().into_iter().flatten() {
        fits(part, value)?;
    }
    if let Some(choices) = schema["oneOf"].as_array() {
        let fitting = choices.iter().filter(|choice| fits(choice, value).is_ok()).count();
        if fitting != 1 {
            return Err(format!("{fitting} of the choices fit {value}"));
        }
    }
    Ok(())
}

fn has_type(wanted: &Value, value: &Value) -> Result<(), String> {
    let is = |name: &str| match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "null" => value.is_null(),
        other => panic!("the document has a type {other}"),
    };
    let fits = match wanted {
        Value::Null => true,
        Value::String(name) => is(name),
        Value::Array(names) => names.iter().any(|name| is(name.as_str().unwrap())),
        other => panic!("the document has a type {other}"),
    };
    if fits { Ok(()) } else { Err(format!("{value} is not of type {wanted}")) }
}

/// The document's own examples are answers that it would let through.
#[test]
fn the_examples_fit() {
    for (path, methods) in DOCUMENT["paths"].as_object().unwrap() {
        for (method, operation) in
            methods.as_object().unwrap().iter().filter(|(name, _)| *name != "parameters")
        {
            for (status, response) in operation["responses"].as_object().unwrap() {
                let content = &resolved(response)["content"]["application/json"];
                fits(&content["schema"], &content["example"])
                    .unwrap_or_else(|why| panic!("{method} {path} {status}: {why}"));
            }
        }
    }
}
