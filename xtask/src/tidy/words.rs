//! What a stranger reading the repository has no use for: notes to oneself, and paths of somebody's machine.

use super::Findings;
use super::rust::numbered;
use crate::tree::Tree;

/// Where these words are meant: the list of them, and locks that other programs write.
const EXEMPT: &[&str] = &[
    "xtask/src/tidy/words.rs",
    "crates/server/src/chat_page/couplet.js",
    "Cargo.lock",
    "package-lock.json",
    "LICENSE",
];

enum Case {
    Exact,
    Any,
}

/// Whole words, and what to do about each.
const WORDS: &[(&str, Case, &str)] = &[
    ("TODO", Case::Exact, "do it, or leave it"),
    ("FIXME", Case::Exact, "fix it, or say why it is right"),
    ("XXX", Case::Exact, "write the sentence that it stands for"),
    ("session log", Case::Any, "say what the product does, not how it came about"),
    ("prompt", Case::Any, "say what the product does, not how it came about"),
    ("AI", Case::Exact, "say what the product does, not how it came about"),
    ("LLM", Case::Exact, "say what the product does, not how it came about"),
];

/// Before a number, these point at a conversation that a reader cannot see.
const POINTERS: &[&str] = &["issue #", "pr #", "pull request #", "ticket #"];

/// Starts of paths that exist on one machine only.
const PLACES: &[&str] = &["/work/", "/root/", "/home/", "/Users/"];

pub(super) fn check(tree: &Tree, findings: &mut Findings) {
    let is_exempt =
        |path: &str| EXEMPT.iter().any(|exempt| path == *exempt || path.ends_with(&format!("/{exempt}")));
    for (path, text) in tree.files().filter(|(path, _)| !is_exempt(path)) {
        for (number, line) in numbered(text) {
            let lower = line.to_lowercase();
            for (word, case, remedy) in WORDS {
                let line = if matches!(case, Case::Any) { &lower } else { line };
                if has_word(line, word) {
                    findings.add(path, number, format!("`{word}`: {remedy}"));
                }
            }
            if POINTERS.iter().any(|pointer| points(&lower, pointer)) {
                findings.add(path, number, "a number that a reader cannot look up; write down what it says");
            }
            if let Some(place) = PLACES.iter().find(|place| starts_path(line, place)) {
                findings.add(path, number, format!("`{place}` is a path of one machine; write it relative"));
            }
        }
    }
}

fn has_word(line: &str, word: &str) -> bool {
    let joins = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word)
        .any(|(at, _)| !line[..at].ends_with(joins) && !line[at + word.len()..].starts_with(joins))
}

fn points(line: &str, pointer: &str) -> bool {
    line.match_indices(pointer).any(|(at, _)| {
        line[at + pointer.len()..].starts_with(|c: char| c.is_ascii_digit())
            && !line[..at].ends_with(char::is_alphanumeric)
    })
}

fn starts_path(line: &str, place: &str) -> bool {
    let goes_on = |c: char| c.is_alphanumeric() || "._-/}~>)".contains(c);
    line.match_indices(place).any(|(at, _)| !line[..at].ends_with(goes_on))
}

#[cfg(test)]
mod tests {
    use super::super::places;
    use super::*;

    #[test]
    fn words_of_no_use_to_a_reader_are_found() {
        let bad = [
            "// TODO: later",
            "fixed in issue #12",
            "See PR #3.",
            "cd /work/main",
            "\"/root/.cargo\"",
            "a prompt answer",
            "made by AI",
        ];
        for line in bad {
            assert_eq!(places(check, &[("docs/a.md", &format!("# A\n{line}\n"))]), ["docs/a.md:2"], "{line}");
        }
        let good = [
            "answers promptly",
            "target/work/x",
            "MAIL",
            "https://example.com/home/x",
            "tissue #12",
            "issue #x",
        ];
        for line in good {
            assert!(places(check, &[("docs/a.md", line)]).is_empty(), "{line}");
        }
    }
}
