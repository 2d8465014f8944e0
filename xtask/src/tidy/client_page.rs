//! The page about the client protocol names whatever the tables have, and nothing else.

use super::Findings;
use super::rust::numbered;
use crate::tree::Tree;
use protocol::CloseCode;
use protocol::client::surface::{CHANGE, Choice, Kind, Member, Object, PUSHES, Presence, operations};
use std::collections::BTreeSet;

const PAGE: &str = "docs/reference/client-protocol.md";

/// A heading, with the text up to the next one.
struct Section<'a> {
    line: usize,
    names: Vec<&'a str>,
    text: String,
}

/// An operation or a push, as far as the page has to name it.
struct Described {
    kind: &'static str,
    name: &'static str,
    members: Vec<&'static Member>,
}

pub(super) fn check(tree: &Tree, findings: &mut Findings) {
    let Some(page) = tree.text(PAGE) else { return };
    let sections = sections(page);
    let described = described();
    for one in &described {
        let of_it: Vec<&Section<'_>> =
            sections.iter().filter(|section| section.names.contains(&one.name)).collect();
        let Some(first) = of_it.first() else {
            findings.add(PAGE, 1, format!("the {} `{}` has no heading", one.kind, one.name));
            continue;
        };
        for member in &one.members {
            if !of_it.iter().any(|section| is_named(&section.text, member.name)) {
                let remedy =
                    format!("`{}` of the {} `{}` is not named here", member.name, one.kind, one.name);
                findings.add(PAGE, first.line, remedy);
            }
        }
    }
    for name in inner_names(&described).into_iter().filter(|name| !is_named(page, name)) {
        findings.add(PAGE, 1, format!("`{name}` is in the tables and not on the page"));
    }
    for code in CloseCode::ALL {
        if !page.contains(&format!("| {} | {} |", code.number(), code.name())) {
            findings.add(PAGE, 1, format!("the close code {} {} has no row", code.number(), code.name()));
        }
    }
    unknown_names(page, &sections, &described, findings);
    optional_members(&sections, findings);
}

/// Tables of requests say of the same members as the tables in `protocol` that they may be left out.
fn optional_members(sections: &[Section<'_>], findings: &mut Findings) {
    for operation in operations().filter(|operation| !matches!(operation.choice, Choice::OneOf(..))) {
        for section in sections.iter().filter(|section| section.names == ["", operation.name]) {
            for member in operation.request {
                let row = format!("| `{}` | ", member.name);
                let Some((offset, line)) = numbered(&section.text).find(|(_, line)| line.starts_with(&row))
                else {
                    continue;
                };
                let kind = line[row.len()..].split('|').next().unwrap_or_default();
                if kind.contains("optional") == (member.presence == Presence::Always) {
                    let remedy =
                        format!("`{}` is optional here or in the tables, and not in both", member.name);
                    findings.add(PAGE, section.line + offset, remedy);
                }
            }
        }
    }
}

/// Names on the page that are not in the tables: in examples, and in the first column of a table of members.
fn unknown_names(page: &str, sections: &[Section<'_>], described: &[Described], findings: &mut Findings) {
    for (number, line) in numbered(page) {
        for (start, kind) in [("\"op\":\"", "operation"), ("\"push\":\"", "push")] {
            for (at, _) in line.match_indices(start) {
                let name = line[at + start.len()..].split('"').next().unwrap_or_default();
                if name != "…" && !described.iter().any(|one| (one.kind, one.name) == (kind, name)) {
                    findings.add(PAGE, number, format!("there is no {kind} `{name}`"));
                }
            }
        }
    }
    for section in sections {
        let of_it: Vec<&Described> =
            described.iter().filter(|one| section.names.contains(&one.name)).collect();
        if of_it.is_empty() {
            continue;
        }
        let mut known: BTreeSet<&str> = BTreeSet::new();
        for member in of_it.iter().flat_map(|one| &one.members) {
            add_names(member, &mut known);
        }
        for (offset, name) in rows_of_members(&section.text) {
            if !known.contains(name) {
                findings.add(PAGE, section.line + offset, format!("no member here is called `{name}`"));
            }
        }
    }
}

fn described() -> Vec<Described> {
    let operations = operations().map(|operation| Described {
        kind: "operation",
        name: operation.name,
        members: operation.request.iter().chain(operation.answer).collect(),
    });
    let pushes = PUSHES.iter().map(|push| {
        let change: &[Member] = if push.is_change { CHANGE.members } else { &[] };
        Described { kind: "push", name: push.name, members: change.iter().chain(push.members).collect() }
    });
    operations.chain(pushes).collect()
}

/// Objects that the page about the REST API describes.
const ELSEWHERE: &[&str] = &["Message", "OfflinePushInfo"];

/// Members of objects, and words.
fn inner_names(described: &[Described]) -> BTreeSet<&'static str> {
    fn of_object(object: &'static Object, names: &mut BTreeSet<&'static str>) {
        if ELSEWHERE.contains(&object.name) {
            return;
        }
        for member in object.members {
            names.insert(member.name);
            of_kind(&member.kind, names);
        }
    }
    fn of_kind(kind: &Kind, names: &mut BTreeSet<&'static str>) {
        names.extend(kind.words().into_iter().flat_map(|words| words.words));
        if let Some(object) = kind.object() {
            of_object(object, names);
        }
    }
    let mut names = BTreeSet::new();
    for member in described.iter().flat_map(|one| &one.members) {
        of_kind(&member.kind, &mut names);
    }
    names
}

fn add_names(member: &'static Member, known: &mut BTreeSet<&str>) {
    known.insert(member.name);
    for inner in member.kind.object().into_iter().flat_map(|object| object.members) {
        add_names(inner, known);
    }
}

fn sections(page: &str) -> Vec<Section<'_>> {
    let mut sections: Vec<Section<'_>> = Vec::new();
    let mut fenced = false;
    for (line, text) in numbered(page) {
        fenced ^= text.starts_with("```");
        let heading = text.trim_start_matches('#');
        if !fenced && heading.len() < text.len() {
            let names = heading.split([',', ' ']).map(|name| name.trim_matches('`'));
            sections.push(Section { line, names: names.collect(), text: String::new() });
        } else if let Some(section) = sections.last_mut() {
            section.text += text;
            section.text.push('\n');
        }
    }
    sections
}

/// Whether a text has the name in code or as a string of JSON.
fn is_named(text: &str, name: &str) -> bool {
    ['`', '"'].into_iter().any(|quote| text.contains(&format!("{quote}{name}{quote}")))
}

/// Names in the first column of tables whose heading says that they are members, each with its line below the heading
/// of the section. Of a way to a member, such as `set.Key`, the last name counts.
fn rows_of_members(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut in_table = false;
    for (number, line) in numbered(text) {
        if !line.starts_with('|') {
            in_table = false;
            continue;
        }
        in_table |= line.starts_with("| Member");
        if !in_table {
            continue;
        }
        let first = line.trim_start_matches('|').split('|').next().unwrap_or_default();
        for code in first.split('`').skip(1).step_by(2) {
            found.push((number, code.rsplit('.').next().unwrap_or(code)));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::places;
    use super::*;

    /// How many findings about a page say this.
    fn said(page: &str, what: &str) -> usize {
        let mut findings = Findings::default();
        check(&Tree::of(&[(PAGE, page)]), &mut findings);
        findings.all.iter().filter(|finding| finding.remedy.contains(what)).count()
    }

    #[test]
    fn what_is_missing_is_found() {
        let page = "# Page\n### ping\n`server_time_ms`\n";
        assert_eq!(said(page, "`ping`"), 0);
        assert_eq!(said("# Page\n### ping\n", "`server_time_ms` of the operation `ping`"), 1);
        assert_eq!(said("# Page\n", "the operation `ping` has no heading"), 1);
        assert_eq!(said("# Page\n### recalled, edited\n", "the push `edited` has no heading"), 0);
        assert_eq!(said(page, "close code 4503"), 1);
        assert_eq!(said("# Page\n| 4503 | Kicked |\n", "close code 4503"), 0);
        let read = |until: &str| format!("# Page\n### read\n| `peer` | string |\n| `until` | {until} |\n");
        assert_eq!(said(&read("number, optional"), "is optional here or"), 0);
        assert_eq!(said(&read("number"), "`until` is optional here or"), 1);
        assert!(places(check, &[]).is_empty());
    }

    #[test]
    fn what_there_is_not_is_found() {
        assert_eq!(said("# Page\n{\"id\":1,\"op\":\"dance\"}\n", "no operation `dance`"), 1);
        assert_eq!(said("# Page\n{\"op\":\"read\"}{\"push\":\"read\"}{\"op\":\"…\"}\n", "there is no"), 0);
        let table = "# Page\n### ping\n| Member | x |\n|---|---|\n| `server_time_ms` | |\n| `a.tempo` | |\n";
        assert_eq!(said(table, "no member here is called `tempo`"), 1);
        assert_eq!(said(table, "no member here is called"), 1);
    }
}
