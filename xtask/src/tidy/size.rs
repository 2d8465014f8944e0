//! How long files and functions may be. Tests do not count: a table of cases is as long as it must be.

use super::Findings;
use super::rust::{code_only, numbered, tests_begin};
use crate::tree::Tree;

const FILE_LINES_MAX: usize = 800;
const FUNCTION_LINES_MAX: usize = 70;

pub(super) fn files(tree: &Tree, findings: &mut Findings) {
    for (path, text) in tree.files() {
        let is_code = [".rs", ".ts", ".js", ".mjs", ".css"].iter().any(|ending| path.ends_with(ending));
        let lines = tests_begin(path, text) - 1;
        if is_code && lines > FILE_LINES_MAX {
            let remedy = format!(
                "{lines} lines without tests, at most {FILE_LINES_MAX}; find the second thought in it"
            );
            findings.add(path, FILE_LINES_MAX + 1, remedy);
        }
    }
}

pub(super) fn functions(tree: &Tree, findings: &mut Findings) {
    for (path, text) in tree.ending(".rs") {
        let code = code_only(text);
        let lines: Vec<&str> = code.lines().take(tests_begin(path, text) - 1).collect();
        for (number, line) in numbered(&code).take(lines.len()).filter(|(_, line)| starts_function(line)) {
            let length = function_length(&lines[number - 1..], line);
            if length > FUNCTION_LINES_MAX {
                let remedy =
                    format!("{length} lines, at most {FUNCTION_LINES_MAX}; one function decides, others do");
                findings.add(path, number, remedy);
            }
        }
    }
}

fn starts_function(line: &str) -> bool {
    let mut words = line.split_whitespace();
    let qualifier =
        |word: &&str| word.starts_with("pub") || ["async", "const", "extern", "unsafe"].contains(word);
    words.find(|word| !qualifier(word)) == Some("fn")
}

/// Lines from the signature to the closing brace, which rustfmt puts below the first letter of the signature.
fn function_length(lines: &[&str], signature: &str) -> usize {
    let ends_signature = |line: &&str| line.trim_end().ends_with(['{', '}', ';']);
    let Some(opens) = lines.iter().position(ends_signature) else { return 0 };
    if !lines[opens].trim_end().ends_with('{') {
        return opens + 1;
    }
    let indent = signature.len() - signature.trim_start().len();
    let closes = |line: &&str| line.trim_end().len() == indent + 1 && line.ends_with('}');
    lines[opens + 1..].iter().position(|line| closes(&line.trim_end())).map_or(0, |body| opens + body + 2)
}

#[cfg(test)]
mod tests {
    use super::super::places;
    use super::*;

    #[test]
    fn files_are_counted_without_their_tests() {
        let long = "fn a() {}\n".repeat(FILE_LINES_MAX);
        assert!(places(files, &[("a.rs", &format!("{long}#[cfg(test)]\nmod tests {{\n}}\n"))]).is_empty());
        assert_eq!(places(files, &[("a.rs", &format!("{long}\n"))]), ["a.rs:801"]);
        assert_eq!(places(files, &[("a.ts", &format!("{long}\n"))]), ["a.ts:801"]);
        assert!(
            places(files, &[("a.md", &format!("{long}\n")), ("tests/a.rs", &format!("{long}\n"))]).is_empty()
        );
    }

    #[test]
    fn functions_are_measured_from_signature_to_brace() {
        let body = |lines: usize| {
            format!(
                "impl A {{\n    pub async fn a(\n        &self,\n    ) {{\n{}    }}\n}}\n",
                "        b();\n".repeat(lines)
            )
        };
        assert!(places(functions, &[("a.rs", &body(FUNCTION_LINES_MAX - 4))]).is_empty());
        assert_eq!(places(functions, &[("a.rs", &body(FUNCTION_LINES_MAX - 3))]), ["a.rs:2"]);
        let string = format!("fn a() {{\n    \"\n}}\n\";\n{}}}\n", "    b();\n".repeat(FUNCTION_LINES_MAX));
        assert_eq!(places(functions, &[("a.rs", &string)]), ["a.rs:1"]);
        let declared =
            format!("trait A {{\n    fn a(&self);\n{}}}\n", "    const B: u8;\n".repeat(FUNCTION_LINES_MAX));
        assert!(places(functions, &[("a.rs", &declared)]).is_empty());
    }
}
