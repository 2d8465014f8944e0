//! How the REST API compares with the original, command by command and member by member.

use super::{about, answered, cell, filled, flattened, path, services};
use protocol::rest::Command;
use protocol::rest::surface::{Compat, Entry, MISSING, Member};

const TEMPLATE: &str = include_str!("compatibility.txt");

pub(crate) fn page() -> String {
    let sections = services().into_iter().map(|(service, commands)| {
        let mut section = format!("## {}\n", about(service));
        for command in commands {
            section += &of_command(command);
        }
        section
    });
    filled(
        TEMPLATE,
        &[
            ("commands", commands()),
            ("missing", missing()),
            ("sections", sections.collect::<Vec<_>>().join("\n")),
        ],
    )
}

fn commands() -> String {
    let mut table = "| Command | |\n|---|---|\n".to_owned();
    for &command in Command::ALL {
        table += &format!("| [`{}`](#{}) | {} |\n", path(command), command.name(), verdict(command));
    }
    table
}

/// What a reader who looks for one command wants to know first.
fn verdict(command: Command) -> &'static str {
    let entry = command.entry();
    let members = flattened(entry.request).into_iter().chain(answered(command));
    let all: Vec<Compat> =
        entry.compat.iter().copied().chain(members.map(|(_, member)| member.compat)).collect();
    let any = |is: fn(&Compat) -> bool| all.iter().any(is);
    if entry.absent.iter().any(|absent| absent.in_answer)
        || any(|compat| matches!(compat, Compat::Differs(_)))
    {
        "Differs in details"
    } else if any(|compat| matches!(compat, Compat::More(_) | Compat::Added(_))) {
        "Same, and more"
    } else {
        "Same"
    }
}

fn missing() -> String {
    let mut table = "| Command of the original | Does | Why it is not here |\n|---|---|---|\n".to_owned();
    for missing in MISSING {
        let paths: Vec<String> = missing.paths.iter().map(|path| format!("`{path}`")).collect();
        table += &format!("| {} | {} | {} |\n", paths.join(", "), missing.does, missing.why);
    }
    table
}

fn of_command(command: Command) -> String {
    let entry = command.entry();
    let reference = format!("[`{}`](rest-api.md#{})", path(command), command.name());
    let mut section = format!("\n### {}\n\n{reference}: {}.\n", command.name(), entry.summary);
    let notes: String = entry.compat.iter().filter_map(said).map(|said| format!("- {said}\n")).collect();
    if !notes.is_empty() {
        section += &format!("\n{notes}");
    }
    let (request, answer) = (flattened(entry.request), answered(command));
    section += &same("request", &request);
    section += &same("answer", &answer);
    let rows = rows("request", &request) + &rows("answer", &answer) + &absent(entry);
    if !rows.is_empty() {
        section += &format!("\n| Member | Of the | |\n|---|---|---|\n{rows}");
    }
    section
}

fn same(of: &str, members: &[(String, &Member)]) -> String {
    let same = members.iter().filter(|(_, member)| member.compat == Compat::Same);
    let names: Vec<String> = same.map(|(name, _)| format!("`{name}`")).collect();
    if names.is_empty() { String::new() } else { format!("\nThe same in the {of}: {}.\n", names.join(", ")) }
}

fn rows(of: &str, members: &[(String, &Member)]) -> String {
    let row = |(name, member): &(String, &Member)| {
        let said = said(&member.compat)?;
        Some(format!("| `{name}` | {of} | {} |\n", cell(&said)))
    };
    members.iter().filter_map(row).collect()
}

fn said(compat: &Compat) -> Option<String> {
    match compat {
        Compat::Same => None,
        Compat::Open(what) => Some(format!("**Open there.** {what}")),
        Compat::More(what) => Some(format!("**More.** {what}")),
        Compat::Added(why) => Some(format!("**Added.** {why}")),
        Compat::Differs(how) => Some(format!("**Differs.** {how}")),
    }
}

fn absent(entry: &Entry) -> String {
    let row = |absent: &protocol::rest::surface::Absent| {
        let (of, word) = if absent.in_answer { ("answer", "Not there") } else { ("request", "Ignored") };
        format!("| `{}` | {of} | **{word}.** {} |\n", absent.name, cell(absent.why))
    };
    entry.absent.iter().map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_its_section() {
        let page = page();
        for &command in Command::ALL {
            assert!(page.contains(&format!("\n### {}\n", command.name())), "{}", command.name());
        }
        assert!(page.contains("| `SessionItem.GroupId` | answer | **Not there.** There are no groups. |"));
        assert!(page.contains("| `MsgVersion` | request | **Added.** "));
        assert!(page.contains("| [`/v4/openconfigsvr/getnospeaking`](#getnospeaking) | Same, and more |"));
        assert!(page.contains("| [`/v4/im_open_login_svc/account_check`](#account_check) | Same |"));
        assert!(page.contains("| [`/v4/recentcontact/top`](#top) | Differs in details |"));
    }
}
