//! Everything a user may meet by number or by key can be looked up, and generated pages are up to date.

use super::Findings;
use super::rust::numbered;
use crate::codegen::{self, configuration};
use crate::tree::Tree;

pub(super) fn check(tree: &Tree, findings: &mut Findings) {
    if let Some(source) = tree.text(configuration::SOURCE) {
        for entry in configuration::entries(source).filter(|entry| entry.text.is_empty()) {
            let remedy = format!("`{}` has no comment; say what it does and why this default", entry.name);
            findings.add(configuration::SOURCE, entry.line, remedy);
        }
    }
    if let Some(page) = tree.text(codegen::ERROR_CODES) {
        let documented = |number: u32| page.contains(&format!("| {number} |"));
        for code in protocol::ErrorCode::ALL.iter().filter(|code| !documented(code.number())) {
            findings.add(
                codegen::ERROR_CODES,
                1,
                format!("{} {} is missing; run `cargo xtask codegen`", code.number(), code.name()),
            );
        }
    }
}

pub(super) fn generated(tree: &Tree, findings: &mut Findings) {
    for output in codegen::outputs(tree) {
        let current = tree.text(output.path).unwrap_or_default();
        if current != output.text {
            let same =
                numbered(current).zip(output.text.lines()).take_while(|((_, old), new)| old == new).count();
            findings.add(
                output.path,
                same + 1,
                "differs from its source; run `cargo xtask codegen` and commit it",
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::places;
    use super::*;

    #[test]
    fn a_key_without_a_comment_is_found() {
        let found = |text| places(check, &[(configuration::SOURCE, text)]);
        assert!(found("# Where to listen.\nlisten = \"x\"\n").is_empty());
        assert_eq!(
            found("# Where to listen.\nlisten = \"x\"\nbare = 1\n"),
            [format!("{}:3", configuration::SOURCE)]
        );
    }

    #[test]
    fn a_code_missing_from_the_reference_is_found() {
        let missing = places(check, &[(codegen::ERROR_CODES, "# Codes\n")]);
        assert_eq!(missing.len(), protocol::ErrorCode::ALL.len());
    }

    #[test]
    fn a_page_that_differs_is_found_at_its_line() {
        let pages: Vec<_> =
            codegen::outputs(&Tree::default()).into_iter().map(|page| (page.path, page.text)).collect();
        let found = |pages: &[(&str, String)]| {
            let files: Vec<_> = pages.iter().map(|(path, text)| (*path, text.as_str())).collect();
            places(generated, &files)
        };
        assert!(found(&pages).is_empty());
        let path = codegen::ERROR_CODES;
        assert_eq!(pages[0].0, path);
        let mut changed = pages.clone();
        changed[0].1 = changed[0].1.replacen("# Error", "# Eror", 1);
        assert_eq!(found(&changed), [format!("{path}:1")]);
        assert_eq!(found(&pages[1..]), [format!("{path}:1")]);
    }
}
