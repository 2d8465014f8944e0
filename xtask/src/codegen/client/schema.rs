//! The document for machines: a JSON Schema of every frame.

use super::{Named, camel};
use crate::codegen::ordered_json::{Json, MSG_KEY_PATTERN};
use protocol::ErrorCode;
use protocol::client::surface::{
    ANY_REQUEST, CHANGE, Choice, Kind, Member, Operation, PUSHES, Presence, Push, REFUSAL, Words, operations,
};
use protocol::limits::USER_ID_LEN_MAX;

const ABOUT: &str = "What goes over the WebSocket between a device and the server. `operations` has the request, the answer and the refusals of each `op`, and `pushes` every `push`. Requests are read leniently: unknown members are ignored, `null` is the same as absent, numbers may be strings, and flags may be 0 or 1. Devices ignore members that they do not know: later versions may say more.";

pub(in crate::codegen) fn document() -> String {
    let named = Named::all();
    let mut defs = Json::object()
        .with("MsgKey", string().with("pattern", MSG_KEY_PATTERN))
        .with("MsgBody", list(reference("Element")))
        .with("Element", element())
        .with("Tags", Json::object().with("type", "object").with("additionalProperties", tag_value()));
    for words in &named.words {
        defs = defs.with(words.name, word(words));
    }
    for object in &named.objects {
        defs = defs.with(object.name, self::object(object.members).with("description", object.about));
    }
    let (mut indexed, mut pushes) = (Json::object(), Json::object());
    for operation in operations() {
        let [request, answer, refusal] =
            ["Request", "Answer", "Refusal"].map(|kind| format!("{}{kind}", camel(operation.name)));
        let entry = Json::object()
            .with("request", reference(&request))
            .with("answer", reference(&answer))
            .with("refusal", reference(&refusal));
        indexed = indexed.with(operation.name, entry);
        defs = defs.with(request, self::request(operation));
        defs = defs.with(answer, self::answer(operation));
        defs = defs.with(refusal, self::refusal(operation));
    }
    for push in PUSHES {
        let name = camel(push.name) + "Push";
        pushes = pushes.with(push.name, reference(&name));
        defs = defs.with(name, self::push(push));
    }
    let document = Json::object()
        .with("$schema", "https://json-schema.org/draft/2020-12/schema")
        .with("title", "Couplet client protocol")
        .with("description", ABOUT)
        .with("operations", indexed)
        .with("pushes", pushes)
        .with("$defs", defs);
    let text = serde_json::to_string_pretty(&document).expect("it has string keys only");
    format!("{text}\n")
}

fn request(operation: &Operation) -> Json {
    let properties = Json::object().with("id", id()).with("op", constant(operation.name));
    let schema =
        frame(properties, vec!["id", "op"], operation.request, true).with("description", operation.about);
    let needs = |names: &[&'static str]| -> Vec<Json> {
        names.iter().map(|name| Json::object().with("required", vec![*name])).collect()
    };
    match operation.choice {
        Choice::Free | Choice::InPlaceOfOthers(_) => schema,
        Choice::AnyOf(names, _) => schema.with("anyOf", needs(names)),
        Choice::OneOf(names, _) => schema.with("oneOf", needs(names)),
        Choice::AtMostOneOf(names, _) => {
            let none = Json::object().with("not", Json::object().with("anyOf", needs(names)));
            schema.with("oneOf", needs(names).into_iter().chain([none]).collect::<Vec<_>>())
        }
    }
}

fn answer(operation: &Operation) -> Json {
    let properties = Json::object().with("id", id()).with("ok", object(operation.answer));
    closed(properties, vec!["id", "ok"])
}

fn refusal(operation: &Operation) -> Json {
    let listed = codes(operation).iter().map(|code| u64::from(code.number())).collect::<Vec<_>>();
    let listed = Json::object().with("type", "integer").with("enum", listed);
    let code = if let Some(own) = operation.own_codes {
        let chosen = Json::integer(u64::from(*own.start()), u64::from(*own.end()));
        let chosen = chosen.with("description", "Chosen by the app's own backend.");
        Json::object().with("anyOf", vec![listed, chosen])
    } else {
        listed
    };
    let error = REFUSAL.members.iter().fold(Json::object(), |all, member| match member.name {
        "code" => all.with("code", code.clone().with("description", member.meaning)),
        name => all.with(name, described(member, false)),
    });
    let properties = Json::object().with("id", id()).with("error", closed(error, always(REFUSAL.members)));
    closed(properties, vec!["id", "error"])
}

/// Every code that a refusal of the operation can have, in ascending order.
fn codes(operation: &Operation) -> Vec<ErrorCode> {
    fn of_members(members: &'static [Member], found: &mut Vec<ErrorCode>) {
        for member in members {
            found.extend_from_slice(member.codes);
            if let Some(object) = member.kind.object() {
                of_members(object.members, found);
            }
        }
    }
    let mut found = ANY_REQUEST.to_vec();
    found.extend_from_slice(operation.codes);
    of_members(operation.request, &mut found);
    match operation.choice {
        Choice::Free | Choice::InPlaceOfOthers(_) => {}
        Choice::AnyOf(_, code) | Choice::AtMostOneOf(_, code) | Choice::OneOf(_, code) => found.push(code),
    }
    found.sort_unstable();
    found.dedup();
    found
}

fn push(push: &Push) -> Json {
    let mut properties = Json::object().with("push", constant(push.name));
    let mut required = vec!["push"];
    let change = if push.is_change { CHANGE.members } else { &[] };
    for member in change.iter().chain(push.members) {
        properties = properties.with(member.name, described(member, false));
        required.extend((member.presence == Presence::Always).then_some(member.name));
    }
    closed(properties, required).with("description", push.about)
}

fn frame(head: Json, head_names: Vec<&'static str>, members: &[Member], in_request: bool) -> Json {
    let properties =
        members.iter().fold(head, |all, member| all.with(member.name, described(member, in_request)));
    let required: Vec<&str> = head_names.into_iter().chain(always(members)).collect();
    Json::object().with("type", "object").with("properties", properties).with("required", required)
}

fn closed(properties: Json, required: Vec<&'static str>) -> Json {
    Json::object()
        .with("type", "object")
        .with("properties", properties)
        .with_some("required", (!required.is_empty()).then_some(required))
        .with("additionalProperties", false)
}

fn always(members: &[Member]) -> Vec<&'static str> {
    members.iter().filter(|member| member.presence == Presence::Always).map(|member| member.name).collect()
}

fn object(members: &'static [Member]) -> Json {
    let in_request = is_asked(members);
    if in_request {
        return frame(Json::object(), Vec::new(), members, true);
    }
    let properties =
        members.iter().fold(Json::object(), |all, member| all.with(member.name, described(member, false)));
    closed(properties, always(members))
}

fn is_asked(members: &[Member]) -> bool {
    members.iter().any(|member| !member.codes.is_empty())
}

/// A member with what is said of it.
fn described(member: &Member, in_request: bool) -> Json {
    let mut text = member.meaning.to_owned();
    if let Presence::Sometimes(case) = member.presence {
        text += &if in_request { format!(" Left out: {case}.") } else { format!(" Only there if {case}.") };
    }
    schema(&member.kind).with("description", text)
}

fn schema(kind: &Kind) -> Json {
    match kind {
        // Limits count bytes here and characters there: a text within the first is within the second.
        Kind::Text { min, max } => string()
            .with_some("minLength", (*min > 0).then_some(1))
            .with_some("maxLength", max.map(|max| max as u64)),
        Kind::UserId => string().with("minLength", 1).with("maxLength", USER_ID_LEN_MAX as u64),
        Kind::Form(form) => string().with("pattern", form.pattern),
        Kind::MsgKey => reference("MsgKey"),
        Kind::Word(words) => reference(words.name),
        Kind::Integer { min, max } => Json::integer(*min, *max),
        Kind::Choice(choices) => {
            let choices = choices.iter().map(|choice| u64::from(*choice)).collect::<Vec<_>>();
            Json::object().with("type", "integer").with("enum", choices)
        }
        Kind::Flag => Json::object().with("type", "boolean"),
        Kind::List { of, min, max } => list(schema(of))
            .with_some("minItems", (*min > 0).then_some(*min as u64))
            .with_some("maxItems", max.map(|max| max as u64)),
        Kind::Object(object) => reference(object.name),
        Kind::AnyObject => Json::object().with("type", "object"),
        Kind::Tags(_) => reference("Tags"),
        Kind::Elements => reference("MsgBody"),
        Kind::OrNull(of) => {
            Json::object().with("anyOf", vec![schema(of), Json::object().with("type", "null")])
        }
    }
}

/// The elements themselves are described with the REST API, which has the same.
fn element() -> Json {
    let properties =
        Json::object().with("MsgType", string()).with("MsgContent", Json::object().with("type", "object"));
    Json::object()
        .with("type", "object")
        .with("properties", properties)
        .with("required", vec!["MsgType", "MsgContent"])
        .with("description", "One of those in the schema `MsgBody` of rest-openapi.json.")
}

fn tag_value() -> Json {
    Json::object().with("type", vec!["string", "integer"])
}

fn word(words: &Words) -> Json {
    string().with("enum", words.words.to_vec()).with("description", words.about)
}

fn id() -> Json {
    Json::integer(0, u64::MAX)
}

fn string() -> Json {
    Json::object().with("type", "string")
}

fn list(of: Json) -> Json {
    Json::object().with("type", "array").with("items", of)
}

fn constant(word: &str) -> Json {
    Json::object().with("const", word)
}

fn reference(name: &str) -> Json {
    Json::object().with("$ref", format!("#/$defs/{name}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codegen::ordered_json::tests::followed_references;
    use serde_json::Value;

    #[test]
    fn the_document_has_every_frame_and_leads_somewhere() {
        let document: Value = serde_json::from_str(&document()).unwrap();
        assert_eq!(document["operations"].as_object().unwrap().len(), operations().count());
        assert_eq!(document["pushes"].as_object().unwrap().len(), PUSHES.len());
        assert!(followed_references(&document) > operations().count());
        let codes = &document["$defs"]["RecallRefusal"]["properties"]["error"]["properties"]["code"]["enum"];
        let codes = codes.as_array().unwrap();
        assert!(codes.contains(&90054.into()) && codes.contains(&91000.into()));
        assert!(!codes.contains(&40001.into()));
    }
}
