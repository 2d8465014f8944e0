//! Tests run always, and never sleep: they advance a clock or await an event.

use super::Findings;
use super::rust::{code_only, numbered, tests_begin, words};
use crate::tree::Tree;

/// Files whose tests may sleep, each with the reason.
const MAY_SLEEP: &[(&str, &str)] = &[];

pub(super) fn check(tree: &Tree, findings: &mut Findings) {
    for (path, text) in tree.ending(".rs") {
        let code = code_only(text);
        let tests_begin = tests_begin(path, text);
        let may_sleep = MAY_SLEEP.iter().any(|(file, _)| *file == path);
        for (number, line) in numbered(&code) {
            if line.contains("#[ignore") {
                findings.add(path, number, "an ignored test; fix it, or assert what happens now and say so");
            }
            if number >= tests_begin && !may_sleep && sleeps(line) {
                findings.add(path, number, "a test that sleeps; advance the clock or await an event");
            }
        }
    }
}

fn sleeps(line: &str) -> bool {
    words(line).any(|(at, word)| {
        let imported = line.trim_start().starts_with("use ") || line[..at].ends_with("::");
        imported && ["sleep", "sleep_ms", "sleep_until"].contains(&word)
    })
}

#[cfg(test)]
mod tests {
    use super::super::places;
    use super::*;

    #[test]
    fn sleeping_and_ignored_tests_are_found() {
        let found = |text: &str| places(check, &[("a.rs", text)]);
        let test = |body: &str| format!("#[cfg(test)]\nmod tests {{\n    {body}\n}}\n");
        assert!(found("async fn poll() { tokio::time::sleep(x).await }\n").is_empty());
        assert!(found(&test("clock.sleep(3); // thread::sleep")).is_empty());
        assert_eq!(found(&test("std::thread::sleep(x);")), ["a.rs:3"]);
        assert_eq!(found(&test("use tokio::time::{Duration, sleep};")), ["a.rs:3"]);
        assert_eq!(found(&test(concat!("#[ig", "nore]"))), ["a.rs:3"]);
        assert_eq!(found(&test(concat!("#[ig", "nore = \"slow\"]"))), ["a.rs:3"]);
    }
}
