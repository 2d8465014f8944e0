//! Names under which everything and nothing can be kept.

use super::Findings;
use super::rust::{code_only, numbered};
use crate::tree::Tree;

const BANNED: &[&str] =
    &["utils", "util", "common", "helpers", "helper", "core", "types", "manager", "managers", "misc"];

pub(super) fn check(tree: &Tree, findings: &mut Findings) {
    for (path, text) in tree.files() {
        if let Some(name) = path.split('/').map(stem).find(|name| BANNED.contains(name)) {
            findings.add(path, 1, format!("`{name}` says nothing; name it after its subject"));
        }
        if !path.ends_with(".rs") {
            continue;
        }
        for (number, line) in numbered(&code_only(text)) {
            let declared = line.trim_start().trim_start_matches("pub ").strip_prefix("mod ");
            let name = declared.map(|rest| rest.trim_end_matches([' ', '{', ';']));
            if let Some(name) = name.filter(|name| BANNED.contains(name)) {
                findings.add(path, number, format!("`{name}` says nothing; name it after its subject"));
            }
        }
    }
}

fn stem(component: &str) -> &str {
    component.split('.').next().unwrap_or(component)
}

#[cfg(test)]
mod tests {
    use super::super::places;
    use super::*;

    #[test]
    fn names_that_say_nothing_are_found() {
        let found = |path, text| places(check, &[(path, text)]);
        assert!(found("crates/chat/src/send.rs", "mod commonplace;\n").is_empty());
        assert_eq!(found("crates/chat/src/utils.rs", "").len(), 1);
        assert_eq!(found("crates/core/src/lib.rs", "").len(), 1);
        assert_eq!(found("crates/server/tests/common/mod.rs", "").len(), 1);
        assert_eq!(found("a.rs", "\npub mod helpers {\n"), ["a.rs:2"]);
    }
}
