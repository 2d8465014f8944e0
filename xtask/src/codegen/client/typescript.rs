//! The types of everything on the wire, for the TypeScript SDK.

use super::{Named, camel};
use crate::codegen::Output;
use protocol::client::surface::{
    CHANGE, Choice, Kind, Member, Object, Operation, PUSHES, Presence, Push, Words, operations,
};
use protocol::element::{ELEMENTS, Element, Field, Shape};
use protocol::{CloseCode, ErrorCode};

const FROM: &str = "// Written by `cargo xtask codegen` from crates/protocol/src/client/surface.rs. Change that, not this file.\n";

const HEAD: &str = "\
// Everything that goes over the wire. Import it under a name: `import type * as wire from \"./wire.js\"`.

export * from \"./wire/elements.js\";
export * from \"./wire/objects.js\";
export * from \"./wire/requests.js\";
export * from \"./wire/pushes.js\";
export * from \"./wire/codes.js\";
";

const SCALARS: &str = "
/** A key that names a message: `<MsgSeq>_<MsgRandom>_<MsgTime>`. */
export type MsgKey = string;

/** Values of a profile, or of the app's own, by their tags. */
export type Tags = Record<string, string | number>;
";

const NUMERIC: &str = "
/** A number, or a string with a number in it: elements travel as they were sent. */
export type Numeric = number | string;
";

const FRAMES: &str = "
/** Every request, without its `id`: `op` says which. */
export type Request = RequestOf<Op>;

/** A request as it goes over the wire. */
export type RequestFrame<O extends Op = Op> = RequestOf<O> & { id: number };

/** The answer to a request that succeeded. */
export interface AnswerFrame<O extends Op = Op> {
  id: number;
  ok: AnswerOf<O>;
}

/** The answer to a request that was refused. */
export interface RefusalFrame {
  /** `null` when the `id` of the request could not be read. */
  id: number | null;
  error: WireError;
}
";

/// `wire.ts`, and what it passes on.
pub(in crate::codegen) fn files() -> Vec<Output> {
    let named = Named::all();
    let file = |path, text: String| Output { path, text: format!("{FROM}{text}") };
    vec![
        file("sdk/typescript/src/wire.ts", HEAD.to_owned()),
        file("sdk/typescript/src/wire/elements.ts", elements()),
        file("sdk/typescript/src/wire/objects.ts", objects(&named)),
        file("sdk/typescript/src/wire/requests.ts", requests(&named)),
        file("sdk/typescript/src/wire/pushes.ts", pushes(&named)),
        file("sdk/typescript/src/wire/codes.ts", codes()),
    ]
}

fn elements() -> String {
    let mut text = NUMERIC.to_owned();
    for element in &ELEMENTS {
        text += &format!("\nexport interface {} {{\n", element_name(element));
        text +=
            &format!("  MsgType: \"{}\";\n  MsgContent: {};\n}}\n", element.name, content(element.fields, 2));
    }
    text += "\n/** An element of a message: `MsgType` says which. */\nexport type Elem =\n";
    text += &alternatives(ELEMENTS.iter().map(element_name));
    text += "\n/** What a message says. */\nexport type MsgBody = Elem[];\n";
    text
}

fn element_name(element: &Element) -> String {
    element.name.trim_start_matches("TIM").to_owned()
}

fn content(fields: &[Field], indent: usize) -> String {
    let margin = " ".repeat(indent);
    let mut text = "{\n".to_owned();
    for field in fields {
        let mark = if field.required { "" } else { "?" };
        text += &format!("{margin}  {}{mark}: {};\n", field.name, shape(field.shape, indent + 2));
    }
    text + &margin + "}"
}

fn shape(shape: Shape, indent: usize) -> String {
    match shape {
        Shape::Text | Shape::ShownText => "string".to_owned(),
        Shape::Number => "Numeric".to_owned(),
        Shape::DownloadFlag => "2".to_owned(),
        Shape::Texts => "string[]".to_owned(),
        Shape::Objects(fields) | Shape::Messages(fields) => content(fields, indent) + "[]",
        // What lies in a combined message is not looked at by the server.
        Shape::Array => "unknown[]".to_owned(),
    }
}

fn objects(named: &Named) -> String {
    let mut text = "\nimport type { MsgBody } from \"./elements.js\";\n".to_owned() + SCALARS;
    for words in &named.words {
        text += &word_type(words);
    }
    for object in &named.objects {
        text += &format!("\n/** {} */\nexport interface {} {{\n", object.about, object.name);
        text += &members(object.members, is_asked(object));
        text += "}\n";
    }
    text += "\n/** An answer that has nothing to say. */\nexport type Done = Record<string, never>;\n";
    text
}

fn word_type(words: &Words) -> String {
    let quoted = words.words.iter().map(|word| format!("\"{word}\""));
    format!("\n/** {} */\nexport type {} =\n{}", words.about, words.name, alternatives(quoted))
}

/// Whether an object is part of a request: its members are checked, and refused with codes.
fn is_asked(object: &Object) -> bool {
    object.members.iter().any(|member| !member.codes.is_empty())
}

fn requests(named: &Named) -> String {
    let mut body = String::new();
    for operation in operations() {
        body += &request(operation);
        if !operation.answer.is_empty() {
            body += &format!("\n/** What `{}` answers. */\n", operation.name);
            body += &format!("export interface {}Answer {{\n", camel(operation.name));
            body += &members(operation.answer, false);
            body += "}\n";
        }
    }
    body +=
        "\n/** Every operation, with what it takes and what it answers. */\nexport interface Operations {\n";
    for operation in operations() {
        let name = camel(operation.name);
        let answer = if operation.answer.is_empty() { "Done".to_owned() } else { format!("{name}Answer") };
        body += &format!("  {}: {{ request: {name}Request; answer: {answer} }};\n", operation.name);
    }
    body += "}\n\nexport type Op = keyof Operations;\n";
    body += "export type RequestOf<O extends Op> = Operations[O][\"request\"];\n";
    body += "export type AnswerOf<O extends Op> = Operations[O][\"answer\"];\n";
    body += FRAMES;
    body += &lists();
    imports(&body, named) + &body
}

fn request(operation: &Operation) -> String {
    let about = match together(operation.choice) {
        Some(together) => format!("{} {together}", operation.about),
        None => operation.about.to_owned(),
    };
    let mut text = format!("\n/** {about} */\nexport interface {}Request {{\n", camel(operation.name));
    text += &format!("  op: \"{}\";\n", operation.name);
    text += &members(operation.request, true);
    text + "}\n"
}

fn together(choice: Choice) -> Option<String> {
    let (names, how) = match choice {
        Choice::Free => return None,
        Choice::AnyOf(names, _) => (names, "At least one of"),
        Choice::AtMostOneOf(names, _) => (names, "At most one of"),
        Choice::OneOf(names, _) => (names, "Exactly one of"),
        Choice::InPlaceOfOthers(name) => {
            return Some(format!("With `{name}`, the others are not looked at."));
        }
    };
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    Some(format!("{how} {}.", names.join(", ")))
}

/// How long the lists of requests may be, so that a longer one can be sent in parts.
fn lists() -> String {
    let mut text =
        "\n/** How many items each list of a request may have. */\nexport const LIST_MAX = {\n".to_owned();
    for operation in operations() {
        let lists = operation.request.iter().filter_map(|member| match member.kind {
            Kind::List { max: Some(max), .. } => Some(format!("{}: {max}", member.name)),
            _ => None,
        });
        let lists: Vec<String> = lists.collect();
        if !lists.is_empty() {
            text += &format!("  {}: {{ {} }},\n", operation.name, lists.join(", "));
        }
    }
    text + "} as const;\n"
}

fn pushes(named: &Named) -> String {
    let mut body = String::new();
    for push in PUSHES {
        let extends = if push.is_change { format!(" extends {}", CHANGE.name) } else { String::new() };
        body += &format!("\n/** {} */\nexport interface {}{extends} {{\n", push.about, push_name(push));
        body += &format!("  push: \"{}\";\n{}}}\n", push.name, members(push.members, false));
    }
    body += "\n/** What the server says unasked: `push` says which. */\nexport type Push =\n";
    body += &alternatives(PUSHES.iter().map(push_name));
    body +=
        "\n/** Whatever the server says. */\nexport type ServerFrame = AnswerFrame | RefusalFrame | Push;\n";
    imports(&body, named) + "import type { AnswerFrame, RefusalFrame } from \"./requests.js\";\n" + &body
}

fn push_name(push: &Push) -> String {
    camel(push.name) + "Push"
}

fn codes() -> String {
    let mut text =
        "\n/** What a request can be refused with. `temporary`: the same request may succeed later. */\n"
            .to_owned();
    text += "export const ERROR_CODES = {\n";
    for code in ErrorCode::ALL {
        let (number, temporary) = (code.number(), code.temporary());
        text += &format!("  {}: {{ code: {number}, temporary: {temporary} }},\n", code.name());
    }
    text += "} as const;\n\nexport type ErrorCodeName = keyof typeof ERROR_CODES;\n";
    text += "\n/** What the server closes a connection with. `reconnect`: connect again, with the last position. */\n";
    text += "export const CLOSE_CODES = {\n";
    for code in CloseCode::ALL {
        let (number, reconnect) = (code.number(), code.reconnect());
        text += &format!("  {}: {{ code: {number}, reconnect: {reconnect} }},\n", code.name());
    }
    text + "} as const;\n\nexport type CloseCodeName = keyof typeof CLOSE_CODES;\n"
}

fn members(members: &[Member], in_request: bool) -> String {
    let mut text = String::new();
    for member in members {
        let (mark, case) = match member.presence {
            Presence::Always => ("", String::new()),
            Presence::Sometimes(case) if in_request => ("?", format!(" Left out: {case}.")),
            Presence::Sometimes(case) => ("?", format!(" Only there if {case}.")),
        };
        text += &format!("  /** {}{case} */\n", member.meaning);
        text += &format!("  {}{mark}: {};\n", member.name, kind(&member.kind));
    }
    text
}

fn kind(of: &Kind) -> String {
    match of {
        Kind::Text { .. } | Kind::UserId | Kind::Form(_) => "string".to_owned(),
        Kind::MsgKey => "MsgKey".to_owned(),
        Kind::Word(words) => words.name.to_owned(),
        Kind::Integer { .. } => "number".to_owned(),
        Kind::Choice(choices) => choices.iter().map(u32::to_string).collect::<Vec<_>>().join(" | "),
        Kind::Flag => "boolean".to_owned(),
        Kind::List { of, .. } => kind(of) + "[]",
        Kind::Object(object) => object.name.to_owned(),
        Kind::AnyObject => "Record<string, unknown>".to_owned(),
        Kind::Tags(_) => "Tags".to_owned(),
        Kind::Elements => "MsgBody".to_owned(),
        Kind::OrNull(of) => kind(of) + " | null",
    }
}

fn alternatives(types: impl Iterator<Item = String>) -> String {
    types.map(|one| format!("  | {one}\n")).collect::<String>().trim_end().to_owned() + ";\n"
}

/// Imports of those types that a file names.
fn imports(body: &str, named: &Named) -> String {
    let is_used = |name: &&str| {
        let is_letter = |letter: char| letter.is_ascii_alphanumeric();
        body.split(|letter: char| !is_letter(letter)).any(|word| word == *name)
    };
    let names =
        named.objects.iter().map(|object| object.name).chain(named.words.iter().map(|words| words.name));
    let mut used: Vec<&str> = ["Done", "MsgKey", "Tags"].into_iter().chain(names).filter(is_used).collect();
    used.sort_unstable();
    let body_import =
        if is_used(&"MsgBody") { "\nimport type { MsgBody } from \"./elements.js\";" } else { "" };
    format!("{body_import}\nimport type {{\n  {},\n}} from \"./objects.js\";\n", used.join(",\n  "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_push_element_and_code_has_a_type() {
        let all: String = files().into_iter().map(|file| file.text).collect();
        for operation in operations() {
            assert!(all.contains(&format!("\n  op: \"{}\";\n", operation.name)), "{}", operation.name);
        }
        for push in PUSHES {
            assert!(all.contains(&format!("\n  push: \"{}\";\n", push.name)), "{}", push.name);
        }
        for element in &ELEMENTS {
            assert!(all.contains(&format!("\n  MsgType: \"{}\";\n", element.name)), "{}", element.name);
        }
        assert!(all.contains("\n  Internal: { code: 91000, temporary: true },\n"));
        assert!(all.contains("\n  Kicked: { code: 4503, reconnect: false },\n"));
        assert!(all.contains("\n  last: Message | null;\n") && all.contains("\n  MsgFlagBits: 0 | 8;\n"));
        assert!(!all.contains(": any"));
    }

    /// What two files export under one name is passed on by neither.
    #[test]
    fn no_name_is_exported_twice() {
        let files = files();
        let exports = files.iter().flat_map(|file| file.text.lines()).filter_map(|line| {
            let mut words = line.strip_prefix("export ")?.split([' ', '<', '=']);
            words.next().filter(|word| *word != "*")?;
            words.next()
        });
        let mut names: Vec<&str> = exports.collect();
        assert!(names.contains(&"RequestFrame") && names.contains(&"ERROR_CODES"));
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
