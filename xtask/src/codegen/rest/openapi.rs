//! The document for machines: OpenAPI 3.1.

use super::{about, path, services};
use crate::codegen::ordered_json::{Json, MSG_KEY_PATTERN};
use protocol::ErrorCode;
use protocol::element::{ELEMENTS, Field, Shape};
use protocol::limits::USER_ID_LEN_MAX;
use protocol::rest::Command;
use protocol::rest::surface::{Answer, Entry, Kind, Member, OWN_CODES, Presence, Status};

const ABOUT: &str = "What an app's backend can ask. The commands, bodies and codes are those of the v4 REST API of Tencent Cloud Chat.\n\nEvery answer has HTTP status 200; what went wrong is its `ErrorCode`. Requests are read leniently: unknown members are ignored, `null` is the same as absent, integers may come as strings, flags may be `true` and `false`, and neither the method nor the `Content-Type` is looked at. A path that is not in this document is answered with 60009.";

pub(crate) fn document() -> String {
    let tags = services().into_iter().map(|(service, _)| {
        Json::object().with("name", service.path()).with("description", format!("{}.", about(service)))
    });
    let license = Json::object().with("name", "Apache-2.0").with("identifier", "Apache-2.0");
    let info = Json::object()
        .with("title", "Couplet REST API")
        .with("version", "4")
        .with("license", license)
        .with("description", ABOUT);
    let mut paths = Json::object();
    for &command in Command::ALL {
        let common = ["random", "contenttype"].map(|name| reference("parameters", name));
        let item = Json::object().with("parameters", common.to_vec()).with("post", operation(command));
        paths = paths.with(path(command), item);
    }
    let security = PROOFS.iter().fold(Json::object(), |all, (name, _)| all.with(*name, Vec::<Json>::new()));
    let document = Json::object()
        .with("openapi", "3.1.0")
        .with("info", info)
        .with("servers", vec![Json::object().with("url", "/")])
        .with("security", vec![security])
        .with("tags", tags.collect::<Vec<_>>())
        .with("paths", paths)
        .with("components", components());
    let text = serde_json::to_string_pretty(&document).expect("it has string keys only");
    format!("{text}\n")
}

/// What together proves who calls, all of it in the query.
const PROOFS: &[(&str, &str)] = &[
    ("sdkappid", "The app: a number."),
    ("identifier", "The caller: one of the app's admins."),
    ("usersig", "The caller's UserSig, made with the app's key."),
];

fn components() -> Json {
    let schemes = PROOFS.iter().fold(Json::object(), |all, (name, meaning)| {
        let scheme = Json::object().with("type", "apiKey").with("in", "query").with("name", *name);
        all.with(*name, scheme.with("description", *meaning))
    });
    let parameter = |name: &str, schema: Json| {
        let parameter = Json::object().with("name", name).with("in", "query");
        parameter.with("description", "Accepted and ignored.").with("schema", schema)
    };
    let parameters = Json::object()
        .with("random", parameter("random", Json::integer(0, u64::from(u32::MAX))))
        .with("contenttype", parameter("contenttype", Json::object().with("const", "json")));
    let mut schemas = Json::object()
        .with("UserID", user_id())
        .with("MsgKey", msg_key())
        .with("MsgBody", msg_body())
        .with("StoredMsgBody", stored_msg_body());
    for &command in Command::ALL {
        schemas = schemas.with(format!("{command:?}Request"), request(command.entry()));
        schemas = schemas.with(format!("{command:?}Answer"), answer(command));
    }
    Json::object().with("securitySchemes", schemes).with("parameters", parameters).with("schemas", schemas)
}

fn operation(command: Command) -> Json {
    let entry = command.entry();
    let content = |kind: &str, example: &str| {
        let schema = reference("schemas", &format!("{command:?}{kind}"));
        let media = Json::object().with("schema", schema).with("example", Json::raw(example));
        Json::object().with("application/json", media)
    };
    let body =
        Json::object().with("required", true).with("content", content("Request", entry.example.request));
    let response = Json::object()
        .with("description", "The answer, whatever came of it.")
        .with("content", content("Answer", entry.example.answer));
    Json::object()
        .with("operationId", format!("{command:?}"))
        .with("tags", vec![command.service().path()])
        .with("summary", entry.summary)
        .with_some("description", (!entry.notes.is_empty()).then(|| entry.notes.join("\n\n")))
        .with("requestBody", body)
        .with("responses", Json::object().with("200", response))
}

fn request(entry: &Entry) -> Json {
    let schema = object(entry.request, entry, true);
    let any_of = entry.any_of.iter().map(|name| Json::object().with("required", vec![*name]));
    schema.with_some("anyOf", (!entry.any_of.is_empty()).then(|| any_of.collect::<Vec<_>>()))
}

/// One of the forms that the answer can have, or a refusal that has nothing more than its code and text.
fn answer(command: Command) -> Json {
    let forms = command.entry().answers.iter().map(|form| answer_form(command, form));
    Json::object().with("oneOf", forms.chain([refusal(command)]).collect::<Vec<_>>())
}

fn answer_form(command: Command, form: &Answer) -> Json {
    let (word, code) = match form.status {
        Status::Ok => ("OK", 0),
        Status::SomeError => ("SomeError", 0),
        Status::Fail(code) => ("FAIL", code.number()),
    };
    let info = match form.status {
        Status::Fail(_) => Json::object().with("type", "string"),
        _ => Json::object().with("const", ""),
    };
    let code = Json::object().with("const", u64::from(code));
    let when = (!form.when.is_empty()).then_some(form.when);
    answered(command, Head { word, title: word, when, code, info }, form.members)
}

fn refusal(command: Command) -> Json {
    let codes = command.entry().refusal_codes(command.service());
    let line = |code: &ErrorCode| format!("- {}: {}", code.number(), code.when());
    let meanings = codes.iter().map(line).collect::<Vec<_>>().join("\n");
    let listed =
        Json::object().with("enum", codes.iter().map(|code| u64::from(code.number())).collect::<Vec<_>>());
    let code = if command.entry().has_own_codes {
        let chosen = Json::integer(u64::from(*OWN_CODES.start()), u64::from(*OWN_CODES.end()));
        let chosen = chosen.with("description", "Chosen by the app's own backend.");
        Json::object().with("type", "integer").with("anyOf", vec![listed, chosen])
    } else {
        listed
    };
    let code = code.with("description", meanings);
    let info = Json::object().with("type", "string").with("description", "Why, for people.");
    let when = Some("It was refused.");
    answered(command, Head { word: "FAIL", title: "Refusal", when, code, info }, &[])
}

/// What every answer begins with.
struct Head<'a> {
    word: &'a str,
    title: &'a str,
    when: Option<&'a str>,
    code: Json,
    info: Json,
}

fn answered(command: Command, head: Head<'_>, members: &[Member]) -> Json {
    let Head { word, title, when, code, info } = head;
    let entry = command.entry();
    let mut properties = Json::object()
        .with("ActionStatus", Json::object().with("const", word))
        .with("ErrorCode", code)
        .with("ErrorInfo", info);
    let mut required = vec!["ActionStatus", "ErrorCode", "ErrorInfo"];
    if command.service().has_display() {
        properties = properties.with("ErrorDisplay", Json::object().with("const", ""));
        required.push("ErrorDisplay");
    }
    for member in members {
        properties = properties.with(member.name, described(member, entry, false));
        required.extend((member.presence == Presence::Always).then_some(member.name));
    }
    Json::object()
        .with("title", title)
        .with_some("description", when)
        .with("type", "object")
        .with("properties", properties)
        .with("required", required)
        .with("additionalProperties", false)
}

fn object(members: &[Member], entry: &Entry, in_request: bool) -> Json {
    let properties = members
        .iter()
        .fold(Json::object(), |all, member| all.with(member.name, described(member, entry, in_request)));
    let always = members.iter().filter(|member| member.presence == Presence::Always);
    let required: Vec<_> = always.map(|member| member.name).collect();
    Json::object()
        .with("type", "object")
        .with("properties", properties)
        .with_some("required", (!required.is_empty()).then_some(required))
        // Requests may have more, which is ignored; answers have exactly this.
        .with_some("additionalProperties", (!in_request).then_some(false))
}

/// A member with what is said of it.
fn described(member: &Member, entry: &Entry, in_request: bool) -> Json {
    let mut text = member.meaning.to_owned();
    if let Presence::Sometimes(case) = member.presence {
        text += &if in_request { format!(" Left out: {case}.") } else { format!(" Only there if {case}.") };
    }
    for older in member.older {
        text += &format!(" Older name: `{older}`.");
    }
    schema(&member.kind, entry, in_request).with("description", text)
}

fn schema(kind: &Kind, entry: &Entry, in_request: bool) -> Json {
    let string = || Json::object().with("type", "string");
    match kind {
        // Limits count bytes here and characters there: a text within the first is within the second.
        Kind::Text { min, max } => string()
            .with_some("minLength", (*min > 0).then_some(1))
            .with_some("maxLength", max.map(|max| max as u64)),
        Kind::UserId => reference("schemas", "UserID"),
        Kind::MsgKey => reference("schemas", "MsgKey"),
        Kind::Word(words) => string().with("enum", words.to_vec()),
        Kind::Form(form) => string().with("pattern", form.pattern),
        Kind::Integer { min, max } => Json::integer(*min, *max),
        Kind::Choice(choices) => choice(choices.iter().map(|choice| u64::from(*choice)).collect()),
        Kind::Flag => choice(vec![0, 1]),
        Kind::List { of, min, max } => Json::object()
            .with("type", "array")
            .with("items", schema(of, entry, in_request))
            .with_some("minItems", (*min > 0).then_some(*min as u64))
            .with_some("maxItems", max.map(|max| max as u64)),
        Kind::Object(members) => object(members, entry, in_request),
        Kind::AnyObject => Json::object().with("type", "object"),
        Kind::OneOf(kinds) => {
            let kinds = kinds.iter().map(|kind| schema(kind, entry, in_request));
            Json::object().with("anyOf", kinds.collect::<Vec<_>>())
        }
        Kind::Elements => reference("schemas", "MsgBody"),
        Kind::StoredElements => reference("schemas", "StoredMsgBody"),
        Kind::LineCode => choice([0].into_iter().chain(line_codes(entry)).collect()),
        Kind::FailedLineCode => choice(line_codes(entry).collect()),
    }
}

fn line_codes(entry: &Entry) -> impl Iterator<Item = u64> {
    entry.own_line_codes().into_iter().map(|code| u64::from(code.number()))
}

fn choice(choices: Vec<u64>) -> Json {
    Json::object().with("type", "integer").with("enum", choices)
}

fn reference(of: &str, name: &str) -> Json {
    Json::object().with("$ref", format!("#/components/{of}/{name}"))
}

fn user_id() -> Json {
    Json::object()
        .with("type", "string")
        .with("minLength", 1)
        .with("maxLength", USER_ID_LEN_MAX as u64)
        .with("pattern", "^[^\\u0000-\\u001f\\u007f-\\u009f]*$")
        .with("description", format!("1 to {USER_ID_LEN_MAX} bytes of UTF-8 without control characters."))
}

fn msg_key() -> Json {
    Json::object()
        .with("type", "string")
        .with("pattern", MSG_KEY_PATTERN)
        .with("description", "`<MsgSeq>_<MsgRandom>_<MsgTime>`.")
}

fn msg_body() -> Json {
    let element = |name: &'static str, fields: &'static [Field]| {
        let properties = Json::object()
            .with("MsgType", Json::object().with("const", name))
            .with("MsgContent", content(fields));
        Json::object()
            .with("title", name)
            .with("type", "object")
            .with("properties", properties)
            .with("required", vec!["MsgType", "MsgContent"])
    };
    let elements = ELEMENTS.iter().map(|known| element(known.name, known.fields));
    Json::object()
        .with("type", "array")
        .with("items", Json::object().with("oneOf", elements.collect::<Vec<_>>()))
        .with("minItems", 1)
        .with("description", "What a message says. It has at most one `TIMCustomElem`, and a `TIMRelayElem` has either `MsgList` or `JsonMsgKey`. Texts, numbers and `CloudCustomData` together have at most 12,288 bytes.")
}

fn content(fields: &[Field]) -> Json {
    let properties =
        fields.iter().fold(Json::object(), |all, field| all.with(field.name, shape(field.shape)));
    let required: Vec<_> = fields.iter().filter(|field| field.required).map(|field| field.name).collect();
    Json::object()
        .with("type", "object")
        .with("properties", properties)
        .with_some("required", (!required.is_empty()).then_some(required))
}

fn shape(shape: Shape) -> Json {
    let of_type = |name: &str| Json::object().with("type", name);
    match shape {
        Shape::Text | Shape::ShownText => of_type("string"),
        Shape::Number => of_type("number"),
        Shape::DownloadFlag => Json::object().with("const", 2),
        Shape::Texts => of_type("array").with("items", of_type("string")),
        Shape::Objects(fields) | Shape::Messages(fields) => {
            of_type("array").with("items", content(fields)).with("minItems", 1)
        }
        Shape::Array => of_type("array"),
    }
}

fn stored_msg_body() -> Json {
    let any = Json::object().with("type", "object");
    let properties =
        Json::object().with("MsgType", Json::object().with("type", "string")).with("MsgContent", any);
    let element = Json::object()
        .with("type", "object")
        .with("properties", properties)
        .with("required", vec!["MsgType", "MsgContent"]);
    Json::object()
        .with("type", "array")
        .with("items", element)
        .with("description", "A `MsgBody` as it was sent; empty when the message was recalled.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codegen::ordered_json::tests::followed_references;
    use serde_json::Value;

    #[test]
    fn the_document_has_every_command_and_leads_somewhere() {
        let document: Value = serde_json::from_str(&document()).unwrap();
        assert_eq!(document["paths"].as_object().unwrap().len(), Command::ALL.len());
        assert!(followed_references(&document) > 2 * Command::ALL.len());
        let recall = &document["components"]["schemas"]["RecallMsgAnswer"]["oneOf"];
        assert_eq!(recall[0]["properties"]["ErrorCode"]["const"], 0);
        let codes = recall[1]["properties"]["ErrorCode"]["enum"].as_array().unwrap();
        assert!(
            codes.contains(&20022.into()) && codes.contains(&91000.into()) && !codes.contains(&20003.into())
        );
    }
}
