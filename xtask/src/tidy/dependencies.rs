//! Every crate that ours depend on is listed with the reason, and nothing else is.

use super::Findings;
use super::rust::numbered;
use crate::tree::Tree;
use std::collections::BTreeMap;
use toml::{Table, Value};

const PAGE: &str = "docs/internals/dependencies.md";
const HEADING: &str = "## Crates";

pub(super) fn check(tree: &Tree, findings: &mut Findings) {
    let listed: BTreeMap<&str, usize> = tree.text(PAGE).map(listed).unwrap_or_default();
    let mut wanted = BTreeMap::new();
    for (manifest, text) in tree.ending("Cargo.toml") {
        match text.parse::<Table>() {
            Ok(table) => wanted.extend(third_party(&table).into_iter().map(|name| (name, manifest))),
            Err(error) => findings.add(manifest, 1, format!("cannot be read: {}", error.message())),
        }
    }
    for (name, manifest) in &wanted {
        if !listed.contains_key(name.as_str()) {
            let line = tree.text(manifest).and_then(|text| line_of(text, name)).unwrap_or(1);
            findings.add(manifest, line, format!("`{name}` is not in {PAGE}; say there what it is for"));
        }
    }
    for (name, line) in listed {
        if !wanted.contains_key(name) {
            findings.add(PAGE, line, format!("nothing depends on `{name}`; remove its row"));
        }
    }
}

/// The first cells of the table of crates that have a reason beside them.
fn listed(page: &str) -> BTreeMap<&str, usize> {
    let section = numbered(page).skip_while(|(_, line)| *line != HEADING).skip(1);
    let rows = section.take_while(|(_, line)| !line.starts_with("## "));
    rows.filter_map(|(number, line)| {
        let (name, reason) = line.strip_prefix("| `")?.split_once("` |")?;
        (!reason.trim_matches([' ', '|']).is_empty()).then_some((name, number))
    })
    .collect()
}

/// Dependencies of a manifest that are neither ours nor taken from the workspace, which names them itself.
fn third_party(manifest: &Table) -> Vec<String> {
    let mut tables = Vec::new();
    dependency_tables(manifest, &mut tables);
    let ours = |value: &Value| ["path", "workspace"].iter().any(|key| value.get(key).is_some());
    tables.into_iter().flatten().filter(|(_, value)| !ours(value)).map(|(name, _)| name.clone()).collect()
}

/// All tables of dependencies: of the workspace, of development, of build scripts, of single targets.
fn dependency_tables<'a>(table: &'a Table, found: &mut Vec<&'a Table>) {
    for (key, value) in table {
        match value {
            Value::Table(inner) if key.ends_with("dependencies") => found.push(inner),
            Value::Table(inner) => dependency_tables(inner, found),
            _ => {}
        }
    }
}

fn line_of(text: &str, name: &str) -> Option<usize> {
    let names = |line: &str| line.strip_prefix(name).is_some_and(|rest| rest.starts_with([' ', '=', '.']));
    numbered(text).find(|(_, line)| names(line)).map(|(number, _)| number)
}

#[cfg(test)]
mod tests {
    use super::super::places;
    use super::*;

    const MANIFEST: &str = "[workspace.dependencies]\nchat = { path = \"crates/chat\" }\nserde = \"1\"\n";

    #[test]
    fn the_page_and_the_manifests_agree() {
        let page = |rows: &str| {
            format!("# D\n\n## Crates\n\n| Crate | For |\n|---|---|\n{rows}\n## More\n\n| `x` | y |\n")
        };
        let found = |rows: &str| places(check, &[("Cargo.toml", MANIFEST), (PAGE, &page(rows))]);
        assert!(found("| `serde` | JSON |\n").is_empty());
        assert_eq!(found(""), ["Cargo.toml:3"]);
        assert_eq!(found("| `serde` | |\n"), ["Cargo.toml:3"]);
        assert_eq!(found("| `serde` | JSON |\n| `gone` | old |\n"), [format!("{PAGE}:8")]);
    }

    #[test]
    fn a_crates_own_dependencies_count_and_the_workspaces_do_not_twice() {
        let own =
            "[dependencies]\nserde.workspace = true\n[target.'cfg(unix)'.dev-dependencies]\nlibc = \"1\"\n";
        assert_eq!(places(check, &[("crates/a/Cargo.toml", own)]), ["crates/a/Cargo.toml:4"]);
    }
}
