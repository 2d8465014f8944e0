//! The reference: what is taken and answered by each command.

use super::{about, answered, cell, filled, flattened, kind_cell, path, services};
use protocol::ErrorCode;
use protocol::element::{ELEMENTS, Field, Shape};
use protocol::rest::surface::{Entry, Member, Presence, Status, When};
use protocol::rest::{Command, Service};

const TEMPLATE: &str = include_str!("reference.txt");

pub(crate) fn page() -> String {
    let sections: Vec<String> =
        services().into_iter().map(|(service, commands)| of_service(service, &commands)).collect();
    filled(
        TEMPLATE,
        &[
            ("commands", commands()),
            ("services", service_codes()),
            ("sections", sections.join("\n")),
            ("elements", elements()),
        ],
    )
}

fn commands() -> String {
    let mut table = "| Path | Does |\n|---|---|\n".to_owned();
    for &command in Command::ALL {
        table += &format!("| [`{}`](#{}) | {} |\n", path(command), command.name(), command.entry().summary);
    }
    table
}

fn service_codes() -> String {
    let mut table = "| Service | Not JSON | The store is not there |\n|---|---|---|\n".to_owned();
    for (service, _) in services() {
        let [json, internal] = [service.bad_json(), service.internal_error()].map(ErrorCode::number);
        table += &format!("| `{}` | {json} | {internal} |\n", service.path());
    }
    table
}

fn of_service(service: Service, commands: &[Command]) -> String {
    let mut section = format!("## {}\n\nThe service `{}`.\n", about(service), service.path());
    for command in commands {
        section += &of_command(*command);
    }
    section
}

fn of_command(command: Command) -> String {
    let entry = command.entry();
    let mut section = format!("\n### {}\n\n`{}`\n\n{}.\n", command.name(), path(command), entry.summary);
    for note in entry.notes {
        section += &format!("{note}\n");
    }
    section += &format!("\n```json\n{}\n```\n\n", entry.example.request);
    section += &request(entry);
    section += &format!("\n```json\n{}\n```\n", entry.example.answer);
    section += &answer(command);
    section += &codes(entry);
    section
}

fn request(entry: &'static Entry) -> String {
    let mut table =
        "| Member | Type | Left out | Meaning | Code when wrong |\n|---|---|---|---|---|\n".to_owned();
    for (name, member) in flattened(entry.request) {
        let left_out = match member.presence {
            Presence::Always => "*required*".to_owned(),
            Presence::Sometimes(left_out) => cell(left_out),
        };
        let older = member.older.iter().map(|older| format!(" Older name: `{older}`."));
        let meaning = cell(member.meaning) + &older.collect::<String>();
        let (kind, codes) = (kind_cell(&member.kind), member_codes(member));
        table += &format!("| `{name}` | {kind} | {left_out} | {meaning} | {codes} |\n");
    }
    if !entry.any_of.is_empty() {
        let names: Vec<String> = entry.any_of.iter().map(|name| format!("`{name}`")).collect();
        table += &format!("\nAt least one of {} must be there.\n", names.join(" and "));
    }
    table
}

fn member_codes(member: &Member) -> String {
    let listed = |codes: &[ErrorCode]| codes.iter().map(|code| code.number().to_string()).collect::<Vec<_>>();
    let (of_call, of_line) = (listed(member.codes).join(", "), listed(member.line_codes).join(", "));
    match (of_call.is_empty(), of_line.is_empty()) {
        (_, true) => of_call,
        (true, false) => format!("in its line {of_line}"),
        (false, false) => format!("{of_call}; in its line {of_line}"),
    }
}

fn answer(command: Command) -> String {
    let mut text = String::new();
    let forms = command.entry().answers;
    if forms.len() > 1 {
        text += "\n| `ActionStatus` | When | With |\n|---|---|---|\n";
        for form in forms {
            let names: Vec<_> = form.members.iter().map(|member| format!("`{}`", member.name)).collect();
            let status = match form.status {
                Status::Ok => "`OK`".to_owned(),
                Status::SomeError => "`SomeError`, with `ErrorCode` 0".to_owned(),
                Status::Fail(code) => format!("`FAIL`, with `ErrorCode` {}", code.number()),
            };
            text += &format!("| {status} | {} | {} |\n", form.when, names.join(", "));
        }
    }
    let members = answered(command);
    if members.is_empty() {
        return text;
    }
    text += "\n| Member of the answer | Type | Meaning |\n|---|---|---|\n";
    for (name, member) in members {
        let when = match member.presence {
            Presence::Always => String::new(),
            Presence::Sometimes(when) => format!("Only there if {when}. "),
        };
        let kind = kind_cell(&member.kind);
        text += &format!("| `{name}` | {kind} | {}{} |\n", cell(&when), cell(member.meaning));
    }
    text
}

fn codes(entry: &Entry) -> String {
    let mut text = String::new();
    let row =
        |what: &str, When { code, when }: &When| format!("| {} | {what} | {} |\n", code.number(), cell(when));
    if !entry.codes.is_empty() || !entry.line_codes.is_empty() || entry.has_own_codes {
        text += "\n| Further code | Of | When |\n|---|---|---|\n";
        text += &entry.codes.iter().map(|code| row("the call", code)).collect::<String>();
        text += &entry.line_codes.iter().map(|code| row("a line", code)).collect::<String>();
    }
    if entry.has_own_codes {
        text += "| 120001 to 130000 | the call | The backend, asked before the send, refused it with a code of its own. |\n";
    }
    text
}

fn elements() -> String {
    let mut table = "| `MsgType` | Members of `MsgContent` (required ones in bold) |\n|---|---|\n".to_owned();
    for element in &ELEMENTS {
        table += &format!("| `{}` | {} |\n", element.name, fields(element.fields));
    }
    table
}

fn fields(fields: &[Field]) -> String {
    let one = |field: &Field| {
        let name = if field.required { format!("**`{}`**", field.name) } else { format!("`{}`", field.name) };
        match field.shape {
            Shape::Text | Shape::ShownText => name,
            Shape::Number => format!("{name} (Number)"),
            Shape::DownloadFlag => format!("{name} (2)"),
            Shape::Texts => format!("{name} (Array of Strings)"),
            Shape::Array => format!("{name} (Array)"),
            Shape::Objects(fields) | Shape::Messages(fields) => {
                format!("{name} (Array of Objects with {})", self::fields(fields))
            }
        }
    };
    fields.iter().map(one).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::rest::profile;
    use protocol::rest::sns;

    #[test]
    fn every_command_and_tag_is_on_the_page() {
        let page = page();
        for &command in Command::ALL {
            assert!(page.contains(&format!("\n### {}\n", command.name())), "{}", command.name());
        }
        let tags = profile::StandardTag::ALL.iter().map(|tag| tag.as_str());
        for tag in tags.chain(sns::StandardTag::ALL.iter().map(|tag| tag.as_str())) {
            assert!(page.contains(&format!("\n| `{tag}` | ")), "{tag}");
        }
        let default = |tag: &profile::StandardTag| profile::Tag::Standard(*tag).default_value();
        for tag in profile::StandardTag::ALL {
            let shown = match default(tag) {
                Some(profile::TagValue::Number(number)) => number.to_string(),
                Some(profile::TagValue::Text(text)) if text.is_empty() => "empty".to_owned(),
                Some(profile::TagValue::Text(text)) => format!("`{text}`"),
                None => panic!("{} has no default", tag.as_str()),
            };
            let row = page.lines().find(|line| line.starts_with(&format!("| `{}` |", tag.as_str())));
            assert!(row.unwrap().ends_with(&format!("| {shown} |")), "{} {shown}", tag.as_str());
        }
        assert!(page.contains("| `TIMTextElem` | **`Text`** |"));
    }
}
