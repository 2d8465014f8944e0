//! Who may know whom: between the crates, and between the modules of the server.

use super::Findings;
use super::rust::{code_only, numbered, words};
use crate::tree::Tree;

/// Each crate by its folder and the name its users write, with the crates of ours that it may know.
const CRATES: &[(&str, &str, &[&str])] = &[
    ("crates/protocol", "protocol", &[]),
    ("crates/chat", "chat", &[]),
    ("crates/store", "store", &["chat"]),
    ("crates/server", "server", &["store", "chat", "protocol"]),
    ("crates/sim", "sim", &["chat"]),
    ("examples/receiver", "example-receiver", &["protocol"]),
    ("xtask", "xtask", &["protocol"]),
    ("fuzz", "fuzz", &["chat", "protocol"]),
    ("tests/sdk/rust", "couplet-server-sdk-test", &[]),
];

/// Modules of the server that do not know one another.
const STRANGERS: &[&str] = &["http", "gateway", "callback", "console"];

/// What would let `chat` reach the world without a port.
const IMPURE: &[&str] =
    &["serde", "serde_json", "http", "hyper", "axum", "tokio", "SystemTime", "Instant", "fjall"];

const SERVER: &str = "crates/server/src/";

pub(super) fn between_crates(tree: &Tree, findings: &mut Findings) {
    for (manifest, text) in tree.ending("Cargo.toml") {
        let Some(folder) = manifest.strip_suffix("/Cargo.toml") else { continue };
        let Some((_, name, allowed)) = CRATES.iter().find(|(known, _, _)| *known == folder) else {
            findings.add(
                manifest,
                1,
                "a new crate: propose it, then add its arrows to xtask/src/tidy/arrows.rs",
            );
            continue;
        };
        for (line, other) in own_dependencies(text) {
            if !allowed.contains(&other) {
                findings.add(
                    manifest,
                    line,
                    format!("{name} may not know {other}; turn the arrow, or use a port"),
                );
            }
        }
    }
}

/// The lines of a manifest that depend on one of our crates.
fn own_dependencies(manifest: &str) -> Vec<(usize, &'static str)> {
    let mut inside = false;
    let mut found = Vec::new();
    for (number, line) in numbered(manifest) {
        if line.starts_with('[') {
            inside = line.contains("dependencies");
        }
        let key = line.split(['.', '=', ' ']).next().unwrap_or_default();
        let header = line.trim_end_matches(']').rsplit('.').next().unwrap_or_default();
        for &(_, name, _) in CRATES {
            let names = |word: &str| word == name || word.strip_prefix("couplet-") == Some(name);
            let whole_table = line.starts_with('[') && names(header);
            let renamed =
                line.contains(&format!("\"couplet-{name}\"")) || (line.contains(&format!("/{name}\"")));
            if inside && (whole_table || (!line.starts_with('[') && (names(key) || renamed))) {
                found.push((number, name));
            }
        }
    }
    found
}

pub(super) fn inside_server(tree: &Tree, findings: &mut Findings) {
    for (path, text) in tree.ending(".rs") {
        let Some(inner) = path.strip_prefix(SERVER) else { continue };
        let module = inner.split(['/', '.']).next().unwrap_or_default();
        let code = code_only(text);
        if STRANGERS.contains(&module) {
            for (line, other) in heads_after(&code, "crate::") {
                if other != module && STRANGERS.contains(&other) {
                    let remedy = format!("{module} may not know {other}; let app hand over what is needed");
                    findings.add(path, line, remedy);
                }
            }
        }
        if module != "app" {
            for (line, _) in named_stores(&code) {
                findings.add(
                    path,
                    line,
                    "only app names a concrete store; take the port `chat::port::Store`",
                );
            }
        }
    }
}

/// The first names of all paths after a prefix, also of those in braces: `crate::{http::a, bus}` is `http` and `bus`.
fn heads_after<'a>(code: &'a str, prefix: &str) -> Vec<(usize, &'a str)> {
    let mut heads = Vec::new();
    for (at, _) in code.match_indices(prefix) {
        let from = at + prefix.len();
        let Some(group) = code[from..].strip_prefix('{') else {
            heads.extend(
                words(&code[from..]).next().map(|(offset, word)| (line_of(code, from + offset), word)),
            );
            continue;
        };
        let (mut depth, mut expects_head) = (1, true);
        let mut starts = words(group).peekable();
        for (offset, c) in group.char_indices() {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 1 => expects_head = true,
                _ => {}
            }
            if depth == 0 {
                break;
            }
            if let Some((_, word)) = starts.next_if(|&(start, _)| start == offset)
                && expects_head
            {
                heads.push((line_of(code, from + 1 + offset), word));
                expects_head = false;
            }
        }
    }
    heads
}

/// Where a path starts at the crate `store`.
fn named_stores(code: &str) -> Vec<(usize, usize)> {
    numbered(code)
        .flat_map(|(number, line)| {
            words(line)
                .filter(|&(at, word)| {
                    word == "store" && line[at..].starts_with("store::") && !line[..at].ends_with("::")
                })
                .map(move |(at, _)| (number, at))
        })
        .collect()
}

fn line_of(code: &str, at: usize) -> usize {
    code[..at].matches('\n').count() + 1
}

pub(super) fn pure_chat(tree: &Tree, findings: &mut Findings) {
    for (path, text) in tree.ending(".rs").filter(|(path, _)| path.starts_with("crates/chat/src/")) {
        for (number, line) in numbered(&code_only(text)) {
            for (_, word) in words(line).filter(|(_, word)| IMPURE.contains(word)) {
                let remedy = format!("chat knows nothing of `{word}`; ask for what is needed through a port");
                findings.add(path, number, remedy);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::places;
    use super::*;

    #[test]
    fn crates_know_only_whom_they_may() {
        let found = |path, text| places(between_crates, &[(path, text)]);
        let store = "crates/store/Cargo.toml";
        assert!(found(store, "[dependencies]\nchat.workspace = true\nserde = \"1\"\n").is_empty());
        assert!(found(store, "[package]\nname = \"couplet-store\"\n[lib]\nname = \"store\"\n").is_empty());
        assert_eq!(found(store, "[dependencies]\nprotocol.workspace = true\n"), [format!("{store}:2")]);
        assert_eq!(
            found(store, "[dev-dependencies]\nprotocol = { workspace = true }\n"),
            [format!("{store}:2")]
        );
        assert_eq!(found(store, "[dependencies.protocol]\npath = \"x\"\n"), [format!("{store}:1")]);
        assert_eq!(found(store, "[dependencies]\np = { path = \"../protocol\" }\n"), [format!("{store}:2")]);
        assert_eq!(found("crates/chat/Cargo.toml", "[dependencies]\nstore.workspace = true\n").len(), 1);
        assert_eq!(found("crates/new/Cargo.toml", ""), ["crates/new/Cargo.toml:1"]);
    }

    #[test]
    fn the_servers_modules_are_strangers() {
        let found = |path, text| places(inside_server, &[(path, text)]);
        let http = "crates/server/src/http/send.rs";
        assert!(
            found(http, "use crate::config::App;\nuse crate::http::body;\n// crate::gateway\n").is_empty()
        );
        assert_eq!(found(http, "\nuse crate::gateway::Session;\n"), [format!("{http}:2")]);
        assert_eq!(
            found(http, "use crate::{\n    config::{a, callback},\n    console,\n};\n"),
            [format!("{http}:3")]
        );
        assert_eq!(found("crates/server/src/callback.rs", "fn f() { crate::http::f(); }").len(), 1);
        assert!(found("crates/server/src/app.rs", "use crate::{http, gateway};").is_empty());
    }

    #[test]
    fn only_app_names_a_store() {
        let found = |path, text| places(inside_server, &[(path, text)]);
        assert!(found("crates/server/src/app.rs", "use store::Embedded;").is_empty());
        assert!(found("crates/server/src/app/open.rs", "store::Embedded::open()").is_empty());
        assert!(found("crates/server/src/http.rs", "use chat::store::x; self.store.append()").is_empty());
        assert_eq!(found("crates/server/src/main.rs", "use store::Embedded;").len(), 1);
    }

    #[test]
    fn chat_stays_pure() {
        let found = |text| places(pure_chat, &[("crates/chat/src/send.rs", text)]);
        assert!(found("//! No serde, no tokio.\nfn http_like() {}\n").is_empty());
        assert_eq!(found("use serde::Serialize;\n"), ["crates/chat/src/send.rs:1"]);
        assert_eq!(found("\nlet now = std::time::SystemTime::now();\n"), ["crates/chat/src/send.rs:2"]);
    }
}
