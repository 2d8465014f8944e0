//! What is said of the REST API, from the tables in `protocol::rest::surface`: two pages and a document for machines.

mod compatibility;
mod openapi;
mod reference;

pub(super) use compatibility::page as compatibility;
pub(super) use openapi::document as openapi;
pub(super) use reference::page as reference;

use protocol::rest::surface::{Kind, Member};
use protocol::rest::{Command, Service};

/// The services in the order of their commands, each with those.
fn services() -> Vec<(Service, Vec<Command>)> {
    let mut services: Vec<(Service, Vec<Command>)> = Vec::new();
    for &command in Command::ALL {
        match services.last_mut() {
            Some((service, commands)) if *service == command.service() => commands.push(command),
            _ => services.push((command.service(), vec![command])),
        }
    }
    services
}

fn about(service: Service) -> &'static str {
    match service {
        Service::OpenIm => "Messages and online status",
        Service::MessageExtension => "Pairs on messages",
        Service::RecentContact => "Lists of conversations",
        Service::Login => "Accounts",
        Service::Profile => "Profiles",
        Service::Sns => "Friends and blocklists",
        Service::OpenConfig => "Mutes",
    }
}

/// The members with those of the objects in them, each with its way: `ErrorList.To_Account`.
fn flattened(members: &'static [Member]) -> Vec<(String, &'static Member)> {
    fn add(found: &mut Vec<(String, &'static Member)>, members: &'static [Member], way: &str) {
        for member in members {
            let name = format!("{way}{}", member.name);
            found.push((name.clone(), member));
            add(found, member.kind.members(), &format!("{name}."));
        }
    }
    let mut found = Vec::new();
    add(&mut found, members, "");
    found
}

/// The members of all forms of a command's answer, each once.
fn answered(command: Command) -> Vec<(String, &'static Member)> {
    let mut found: Vec<(String, &'static Member)> = Vec::new();
    for (name, member) in command.entry().answers.iter().flat_map(|answer| flattened(answer.members)) {
        if found.iter().all(|(known, _)| *known != name) {
            found.push((name, member));
        }
    }
    found
}

fn path(command: Command) -> String {
    format!("/v4/{}/{}", command.service().path(), command.name())
}

/// What a member holds, as one cell of a table.
fn kind_cell(kind: &Kind) -> String {
    cell(&kind.words())
}

/// Text that does not end its cell or start a tag. What stands between backquotes is shown as it is.
fn cell(text: &str) -> String {
    let parts = text.split('`').enumerate();
    let escaped = parts.map(|(index, part)| match index % 2 {
        0 => part.replace('<', "&lt;"),
        _ => part.to_owned(),
    });
    escaped.collect::<Vec<_>>().join("`").replace('|', "\\|")
}

/// Puts texts in place of their names: a line of the form `{name}`.
fn filled(template: &str, texts: &[(&str, String)]) -> String {
    let mut page = String::new();
    let mut unused: Vec<&str> = texts.iter().map(|(name, _)| *name).collect();
    for line in template.lines() {
        let name = line.strip_prefix('{').and_then(|line| line.strip_suffix('}'));
        let text = name.and_then(|name| texts.iter().find(|(known, _)| *known == name));
        match text {
            Some((name, text)) => {
                unused.retain(|unused| unused != name);
                page.push_str(text.trim_end());
            }
            None => page.push_str(line),
        }
        page.push('\n');
    }
    assert!(unused.is_empty(), "the template has no place for {unused:?}");
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_are_filled_where_they_say_so() {
        let page = filled("a\n{b}\n{\"c\":1}\n", &[("b", "B\n\n".to_owned())]);
        assert_eq!(page, "a\nB\n{\"c\":1}\n");
    }

    #[test]
    #[should_panic(expected = "no place for [\"b\"]")]
    fn a_text_without_a_place_is_noticed() {
        filled("a\n", &[("b", String::new())]);
    }

    #[test]
    fn cells_stay_cells() {
        assert_eq!(cell("a|<b> `<c>|`"), "a\\|&lt;b> `<c>\\|`");
    }
}
